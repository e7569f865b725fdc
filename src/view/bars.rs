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

use std::ops::Range;

use super::look::{Look, escape, fit};
use super::sheet::{Line, Sheet, Tone, width};

/// A row of pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What the pieces are, in a word or two.
    pub label: String,
    /// The pieces from left to right.
    pub pieces: Vec<Piece>,
}

/// A piece of a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its size: all bars of a picture have one scale.
    pub size: usize,
    /// The text in it, cut to the room there is.
    pub text: String,
    /// What became of it.
    pub fate: PieceFate,
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceFate {
    /// It arrived, and is drawn filled.
    There,
    /// It was lost: marked, whatever the colour.
    Lost,
    /// A gap of its size.
    Gap,
}

impl Bar {
    /// A bar of pieces.
    pub fn new(label: impl Into<String>, pieces: impl IntoIterator<Item = Piece>) -> Self {
        Bar { label: label.into(), pieces: pieces.into_iter().collect() }
    }
}

impl Piece {
    /// A piece that arrived.
    pub fn new(size: usize, text: impl Into<String>) -> Self {
        Piece { size, text: text.into(), fate: PieceFate::There }
    }

    /// A piece that was lost.
    pub fn lost(size: usize, text: impl Into<String>) -> Self {
        Piece { size, text: text.into(), fate: PieceFate::Lost }
    }

    /// A gap of `size` bytes.
    pub fn gap(size: usize) -> Self {
        Piece { size, text: String::new(), fate: PieceFate::Gap }
    }
}

/// The least columns of a piece, its wall among them.
const LEAST: usize = 3;
/// A picture has at most this many stretches; a mark then shows that it was cut.
const MOST_STRETCHES: usize = 6;

/// Draws bars of one scale below each other. Where a bar has more pieces than one row has room for, the picture goes
/// on in further rows, all bars together, so that pieces below each other still belong together.
pub fn bars(bars: &[Bar], look: &Look) -> Sheet {
    let label = bars.iter().map(|bar| width(&bar.label)).max().unwrap_or(0).min(20);
    let room = look.columns().saturating_sub(label + 2);
    let sum = |bar: &Bar| bar.pieces.iter().map(|piece| piece.size).sum::<usize>();
    let whole = bars.iter().map(sum).max().unwrap_or(0).max(1);
    let stretch = |number: usize, of: usize| {
        let len = whole.div_ceil(of);
        let range = number * len..((number + 1) * len).min(whole);
        let bars: Vec<Bar> = bars.iter().map(|bar| bar.part(&range, number + 1 == of, look)).collect();
        (len, bars)
    };
    let fits = |of: &usize| {
        (0..*of).all(|number| stretch(number, *of).1.iter().all(|bar| bar.pieces.len() * LEAST <= room))
    };
    let stretches = (1..=MOST_STRETCHES.min(whole)).find(fits).unwrap_or(1);
    let mut sheet = Sheet::new();
    for number in 0..stretches {
        let (len, part) = stretch(number, stretches);
        let scale = room as f64 / len.max(1) as f64;
        for bar in part.iter().filter(|bar| stretches == 1 || !bar.pieces.is_empty()) {
            let name = fit(&bar.label, label, look) + " ";
            let blank = " ".repeat(label + 1);
            let mut rows = [blank.as_str(), &name, &blank].map(|lead| Line::of(lead, Tone::Plain));
            draw(bar, scale, room, look, &mut rows);
            sheet.extend(rows.map(Line::trimmed));
        }
    }
    sheet
}

impl Bar {
    /// What of it lies in `range`; a piece that began before it says so.
    fn part(&self, range: &Range<usize>, last: bool, look: &Look) -> Bar {
        let mut start = 0;
        let mut part = Bar::new(&*self.label, []);
        for piece in &self.pieces {
            let (from, end) = (start, start + piece.size);
            start = end;
            let is_in = match piece.size {
                0 => range.contains(&from) || (last && from == range.end),
                _ => from < range.end && end > range.start,
            };
            if is_in {
                let text = match (from < range.start, look.ascii) {
                    (false, _) => piece.text.clone(),
                    (true, false) => "…".into(),
                    (true, true) => "...".into(),
                };
                let size = end.min(range.end) - from.max(range.start);
                part.pieces.push(Piece { size, text, fate: piece.fate });
            }
        }
        part
    }
}

/// The column of the wall after each piece: where its last byte is, but at least [`LEAST`] after the one before, and
/// never beyond `room`.
fn walls(pieces: &[Piece], scale: f64, room: usize) -> Vec<usize> {
    let (mut reached, mut at) = (0, 0);
    let mut walls: Vec<usize> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        reached += piece.size;
        // Cumulated, so that the ends of bars of one size line up.
        at = ((reached as f64 * scale) as usize).max(at + LEAST);
        walls.push(at);
    }
    // Pieces pushed over the edge take their room from those before them.
    let mut most = room;
    for wall in walls.iter_mut().rev() {
        *wall = (*wall).min(most);
        most = wall.saturating_sub(LEAST);
    }
    walls
}

/// Draws a bar at the end of three lines.
fn draw(bar: &Bar, scale: f64, room: usize, look: &Look, rows: &mut [Line; 3]) {
    let plain = |row: &mut Line, text: &str| {
        row.push(text, Tone::Plain);
    };
    let (line, wall) = if look.ascii { ("-", "|") } else { ("─", "│") };
    let mut open = false;
    let shown = bar.pieces.len().min(room / LEAST);
    let is_cut = shown < bar.pieces.len();
    let mut at = 0;
    for (piece, end) in bar.pieces[..shown].iter().zip(walls(&bar.pieces[..shown], scale, room)) {
        let width = end - at - 1;
        at = end;
        let gap = piece.fate == PieceFate::Gap;
        let corner = |first, inner, last| match (open, gap) {
            (false, true) => " ",
            _ if look.ascii => "+",
            (true, true) => last,
            (true, false) => inner,
            (false, false) => first,
        };
        plain(&mut rows[0], corner("┌", "┬", "┐"));
        plain(&mut rows[2], corner("└", "┴", "┘"));
        plain(&mut rows[1], if open || !gap { wall } else { " " });
        let mark = match (piece.fate, look.ascii) {
            (PieceFate::Lost, true) => "X ",
            (PieceFate::Lost, false) => "✗ ",
            (PieceFate::There | PieceFate::Gap, _) => "",
        };
        let shown = inscribed(&format!("{mark}{}", escape(&piece.text)), width, look);
        rows[1].push(shown, if piece.fate == PieceFate::Lost { Tone::Bad } else { Tone::Plain });
        let edge = if gap { " " } else { line };
        plain(&mut rows[0], &edge.repeat(width));
        plain(&mut rows[2], &edge.repeat(width));
        open = !gap;
    }
    if is_cut {
        // In place of the wall.
        plain(&mut rows[1], if look.ascii { ">" } else { "…" });
    } else if open {
        plain(&mut rows[0], if look.ascii { "+" } else { "┐" });
        plain(&mut rows[1], wall);
        plain(&mut rows[2], if look.ascii { "+" } else { "┘" });
    }
}

/// A text in `width` columns. A number is never cut: of `220 B` there is `220`, or nothing but a mark, for `22` would
/// be another number.
fn inscribed(text: &str, room: usize, look: &Look) -> String {
    let number = text.strip_suffix(" B").filter(|number| width(number) <= room);
    match number {
        _ if width(text) <= room => fit(text, room, look),
        Some(number) => fit(number, room, look),
        None => {
            let cut = fit(text, room, look);
            let mark = if look.ascii { "..." } else { "…" };
            let kept = cut.trim_end().strip_suffix(mark).unwrap_or(cut.trim_end());
            let is_cut = text[kept.len().min(text.len())..].starts_with(|c: char| c.is_ascii_digit());
            match is_cut && kept.ends_with(|c: char| c.is_ascii_digit()) {
                true => {
                    let kept = kept.trim_end_matches(|c: char| c.is_ascii_digit());
                    let mark = if look.ascii { "~" } else { "…" };
                    fit(&format!("{kept}{mark}"), room, look)
                }
                false => cut,
            }
        }
    }
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

    #[test]
    fn a_small_last_piece_has_its_box_and_no_number_is_cut() {
        let pieces = [1072, 1072, 1072, 60].map(|size| Piece::new(size, format!("{size} B")));
        let picture = [Bar::new("frames", [Piece::new(3276, "220 B")]), Bar::new("segments", pieces)];
        insta::assert_snapshot!(bars(&picture, &Look { width: 40, ..Look::default() }), @r"
             ┌─────────────────────────────┐
    frames   │220 B                        │
             └─────────────────────────────┘
             ┌────────┬─────────┬───────┬──┐
    segments │1072 B  │1072 B   │1072 B │60│
             └────────┴─────────┴───────┴──┘
        ");
        assert_eq!(inscribed("220 B", 3, &Look::default()), "220");
        assert_eq!(inscribed("220 B", 2, &Look::default()), "… ");
        assert_eq!(inscribed("8+300 text", 4, &Look::default()), "8+… ");
    }

    #[test]
    fn what_has_no_room_in_one_row_goes_on_in_the_next() {
        let picture = [
            Bar::new("1 write", [Piece::new(16, "16 B")]),
            Bar::new("16 reads", (b'a'..=b'p').map(|c| Piece::new(1, char::from(c)))),
        ];
        insta::assert_snapshot!(bars(&picture, &Look { width: 40, ..Look::default() }), @r"
             ┌─────────────────────────────┐
    1 write  │16 B                         │
             └─────────────────────────────┘
             ┌──┬───┬───┬───┬──┬───┬───┬───┐
    16 reads │a │b  │c  │d  │e │f  │g  │h  │
             └──┴───┴───┴───┴──┴───┴───┴───┘
             ┌─────────────────────────────┐
    1 write  │…                            │
             └─────────────────────────────┘
             ┌──┬───┬───┬───┬──┬───┬───┬───┐
    16 reads │i │j  │k  │l  │m │n  │o  │p  │
             └──┴───┴───┴───┴──┴───┴───┴───┘
        ");
    }

    proptest! {
        #[test]
        fn no_bar_is_wider_than_the_page(sizes in proptest::collection::vec(0usize..5000, 0..60), ascii: bool) {
            let look = Look { ascii, ..Look::default() };
            let picture = [Bar::new("some", sizes.into_iter().map(|size| Piece::new(size, size.to_string())))];
            let sheet = bars(&picture, &look);
            prop_assert!(sheet.width() <= 80, "{sheet}");
        }
    }
}
