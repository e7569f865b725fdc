//! One line of the picture: a row of cells to write on, each with a tone.

use anstyle::{AnsiColor, Style};

use super::text;

/// What a cell means, for terminals with colours. Nothing is said by tone alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Ordinary text.
    Plain,
    /// Lifelines, times and other scaffolding.
    Faint,
    /// Names and titles.
    Strong,
    /// Something went wrong: lost, corrupted, refused.
    Bad,
    /// Something was done about it: sent again.
    Again,
    /// Reached a program or a state.
    Good,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Plain => Style::new(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Again => AnsiColor::Yellow.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
        }
    }
}

/// The second cell of a wide character.
const TAKEN: char = '\0';

/// A line of fixed width. What is written beyond either end is lost.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    cells: Vec<(char, Tone)>,
}

impl Strip {
    /// A blank line.
    pub(super) fn new(width: usize) -> Self {
        Strip { cells: vec![(' ', Tone::Plain); width] }
    }

    /// How many cells it has.
    pub(super) fn width(&self) -> usize {
        self.cells.len()
    }

    /// Writes `text` from cell `at` on.
    pub(super) fn put(&mut self, at: usize, text: &str, tone: Tone) {
        let mut at = at;
        for c in text.chars() {
            let needs = text::cells(c);
            if needs == 0 || at + needs > self.cells.len() {
                continue;
            }
            self.cells[at] = (c, tone);
            if needs == 2 {
                self.cells[at + 1] = (TAKEN, tone);
            }
            at += needs;
        }
    }

    /// Writes `text` so that its last cell stands before cell `end`.
    pub(super) fn put_before(&mut self, end: usize, text: &str, tone: Tone) {
        self.put(end.saturating_sub(text::width(text)), text, tone);
    }

    /// Writes `text` with its middle at cell `at`, but never beyond the ends.
    pub(super) fn put_around(&mut self, at: usize, text: &str, tone: Tone) {
        let width = text::width(text);
        let start = at.saturating_sub(width / 2).min(self.cells.len().saturating_sub(width));
        self.put(start, text, tone);
    }

    /// Writes the same character into all cells from `from` up to, not including, `to`.
    pub(super) fn fill(&mut self, from: usize, to: usize, c: char, tone: Tone) {
        let to = to.min(self.cells.len());
        if from < to {
            self.cells[from..to].fill((c, tone));
        }
    }

    /// Copies another line over this one, from cell `at` on.
    pub(super) fn paste(&mut self, at: usize, other: &Strip) {
        for (cell, from) in self.cells.iter_mut().skip(at).zip(&other.cells) {
            *cell = *from;
        }
    }

    /// Adds the line to `out`, without blanks at its end.
    pub(super) fn write(&self, ascii: bool, colour: bool, out: &mut String) {
        let used = self.cells.iter().rposition(|(c, _)| *c != ' ').map_or(0, |last| last + 1);
        let mut tone = Tone::Plain;
        for &(c, wanted) in &self.cells[..used] {
            if c == TAKEN {
                // In ASCII the wide character became one `?`: its second cell is a blank.
                if ascii {
                    out.push(' ');
                }
                continue;
            }
            if colour && wanted != tone && c != ' ' {
                out.push_str(&tone.style().render_reset().to_string());
                out.push_str(&wanted.style().render().to_string());
                tone = wanted;
            }
            out.push(if ascii { text::ascii(c) } else { c });
        }
        if colour {
            out.push_str(&tone.style().render_reset().to_string());
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(strip: &Strip, ascii: bool, colour: bool) -> String {
        let mut out = String::new();
        strip.write(ascii, colour, &mut out);
        out
    }

    #[test]
    fn a_wide_character_takes_its_two_cells_in_both_spellings() {
        let mut strip = Strip::new(8);
        strip.put(1, "网", Tone::Plain);
        strip.put(4, "│", Tone::Plain);
        assert_eq!(text(&strip, false, false), " 网 │\n");
        assert_eq!(text(&strip, true, false), " ?  |\n");
    }

    #[test]
    fn writing_beyond_the_ends_is_lost() {
        let mut strip = Strip::new(4);
        strip.put(2, "abcdef", Tone::Plain);
        strip.put_before(1, "xyz", Tone::Plain);
        strip.fill(9, 12, '─', Tone::Plain);
        assert_eq!(text(&strip, false, false), "xyzb\n");
    }

    #[test]
    fn colour_is_switched_on_and_off_again() {
        let mut strip = Strip::new(6);
        strip.put(0, "a", Tone::Plain);
        strip.put(2, "X", Tone::Bad);
        let line = text(&strip, true, true);
        assert!(line.starts_with("a "), "{line:?}");
        assert!(line.contains("\u{1b}[31m"), "{line:?}");
        assert!(line.ends_with("\u{1b}[0m\n"), "{line:?}");
        assert_eq!(text(&strip, true, false), "a X\n");
    }
}
