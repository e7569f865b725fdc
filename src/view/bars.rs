//! A message and its pieces as boxes of their size, one bar below the other: what was cut, joined or lost.
//!
//! ```text
//!          ┌──────────────────────────────────┐
//! write    │4000 bytes                        │
//!          └──────────────────────────────────┘
//!          ┌────────────┬────────────┬────────┐
//! segments │1460        │1460        │1080    │
//!          └────────────┴────────────┴────────┘
//! ```

use super::look::{Look, display_width, escape, fit};

/// A row of pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What they are, in a word or two.
    pub label: String,
    /// The pieces from left to right.
    pub pieces: Vec<Piece>,
}

/// A piece of a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its size: all bars of a picture have one scale.
    pub size: usize,
    /// What stands in it, as far as there is room.
    pub text: String,
    /// What became of it.
    pub fate: PieceFate,
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceFate {
    /// It is there.
    There,
    /// It was lost: marked, whatever the colour.
    Lost,
    /// Nothing is there: a gap of that size.
    Gap,
}

impl Bar {
    /// A bar of pieces that are all there.
    pub fn new(label: impl Into<String>, pieces: impl IntoIterator<Item = Piece>) -> Self {
        Bar { label: label.into(), pieces: pieces.into_iter().collect() }
    }
}

impl Piece {
    /// A piece that is there.
    pub fn new(size: usize, text: impl Into<String>) -> Self {
        Piece { size, text: text.into(), fate: PieceFate::There }
    }

    /// A piece that was lost.
    pub fn lost(size: usize, text: impl Into<String>) -> Self {
        Piece { size, text: text.into(), fate: PieceFate::Lost }
    }

    /// A gap.
    pub fn gap(size: usize) -> Self {
        Piece { size, text: String::new(), fate: PieceFate::Gap }
    }
}

/// Draws bars of one scale below each other. A piece too small for its scale is drawn three columns wide, so a bar of
/// very many of them may be cut at the edge, which a mark then shows.
pub fn bars(bars: &[Bar], look: &Look) -> String {
    let label = bars.iter().map(|bar| display_width(&bar.label)).max().unwrap_or(0).min(20);
    let room = look.columns().saturating_sub(label + 2);
    let largest = bars.iter().map(|bar| bar.pieces.iter().map(|piece| piece.size).sum::<usize>()).max();
    let scale = room as f64 / largest.unwrap_or(0).max(1) as f64;
    let mut text = String::new();
    for bar in bars {
        let [above, middle, below] = draw(bar, scale, room, look);
        let name = fit(&bar.label, label, look);
        let blank = " ".repeat(label);
        for (lead, row) in [(&blank, above), (&name, middle), (&blank, below)] {
            text.push_str(format!("{lead} {row}").trim_end());
            text.push('\n');
        }
    }
    text
}

fn draw(bar: &Bar, scale: f64, room: usize, look: &Look) -> [String; 3] {
    let mut rows = [String::new(), String::new(), String::new()];
    let (line, wall) = if look.ascii { ("-", "|") } else { ("─", "│") };
    let (mut reached, mut at) = (0, 0);
    let mut open = false;
    for piece in &bar.pieces {
        reached += piece.size;
        // Cumulated, so that the ends of bars of one size stand below each other.
        let width = ((reached as f64 * scale) as usize).saturating_sub(at + 1).max(2);
        at += width + 1;
        if at > room {
            // In place of the wall.
            rows[1].push(if look.ascii { '>' } else { '…' });
            open = false;
            break;
        }
        let gap = piece.fate == PieceFate::Gap;
        let corner = |first: char, inner: char, last: char| match (open, gap) {
            _ if look.ascii => {
                if open || !gap {
                    '+'
                } else {
                    ' '
                }
            }
            (true, true) => last,
            (true, false) => inner,
            (false, true) => ' ',
            (false, false) => first,
        };
        rows[0].push(corner('┌', '┬', '┐'));
        rows[2].push(corner('└', '┴', '┘'));
        rows[1].push_str(if open || !gap { wall } else { " " });
        let mark = match (piece.fate, look.ascii) {
            (PieceFate::Lost, true) => "X ",
            (PieceFate::Lost, false) => "✗ ",
            (PieceFate::There | PieceFate::Gap, _) => "",
        };
        let shown = fit(&format!("{mark}{}", escape(&piece.text)), width, look);
        rows[1].push_str(&if piece.fate == PieceFate::Lost { look.problem(&shown) } else { shown });
        let edge = if gap { " " } else { line };
        rows[0].push_str(&edge.repeat(width));
        rows[2].push_str(&edge.repeat(width));
        open = !gap;
    }
    if open {
        rows[0].push(if look.ascii { '+' } else { '┐' });
        rows[1].push_str(wall);
        rows[2].push(if look.ascii { '+' } else { '┘' });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_have_their_size_and_what_is_lost_is_marked() {
        let picture = [
            Bar::new("write", [Piece::new(4000, "4000 bytes")]),
            Bar::new(
                "segments",
                [Piece::new(1460, "1460"), Piece::lost(1460, "1460"), Piece::new(1080, "1080")],
            ),
            Bar::new("arrived", [Piece::new(1460, "1460"), Piece::gap(1460), Piece::new(1080, "1080")]),
        ];
        insta::assert_snapshot!(bars(&picture, &Look { width: 60, ..Look::default() }), @r"
                 ┌─────────────────────────────────────────────────┐
        write    │4000 bytes                                       │
                 └─────────────────────────────────────────────────┘
                 ┌─────────────────┬─────────────────┬─────────────┐
        segments │1460             │✗ 1460           │1080         │
                 └─────────────────┴─────────────────┴─────────────┘
                 ┌─────────────────┐                 ┌─────────────┐
        arrived  │1460             │                 │1080         │
                 └─────────────────┘                 └─────────────┘
        ");
    }

    proptest! {
        #[test]
        fn no_bar_is_wider_than_the_page(sizes in proptest::collection::vec(0usize..5000, 0..60), ascii: bool) {
            let look = Look { ascii, ..Look::default() };
            let picture = [Bar::new("some", sizes.into_iter().map(|size| Piece::new(size, size.to_string())))];
            for line in bars(&picture, &look).lines() {
                prop_assert!(display_width(line) <= 80, "{line}");
            }
        }
    }
}
