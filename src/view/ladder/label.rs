//! The words on an arrow, and which of them go first when there is little room.

use super::text;

/// One word with its worth. Words of rank 0 are what the arrow is about; the highest rank is left out first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    /// A shorter spelling, such as `a=1` for `ack=1`.
    short: Option<String>,
    rank: u8,
}

/// What is written on an arrow: words in the order they are read, each with its worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Label(Vec<Word>);

impl Label {
    /// The label with one more word.
    pub(super) fn word(mut self, rank: u8, text: impl Into<String>) -> Self {
        self.0.push(Word { text: text.into(), short: None, rank });
        self
    }

    /// The label with one more word that has a short spelling too.
    pub(super) fn word_or(mut self, rank: u8, text: impl Into<String>, short: impl Into<String>) -> Self {
        self.0.push(Word { text: text.into(), short: Some(short.into()), rank });
        self
    }

    /// The label with a word before the others.
    pub(super) fn led_by(mut self, rank: u8, text: impl Into<String>) -> Self {
        self.0.insert(0, Word { text: text.into(), short: None, rank });
        self
    }

    /// All words, in one line.
    pub(super) fn whole(&self) -> String {
        self.line(u8::MAX, false)
    }

    /// The line that says most in `width` cells: words of low worth are left out, then the rest is spelt short, and at
    /// the very end it is cut.
    pub(super) fn fit(&self, width: usize) -> String {
        let mut ranks: Vec<u8> = self.0.iter().map(|word| word.rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        for rank in ranks.into_iter().rev() {
            // A word of low worth is rather left out than the others spelt short.
            let spellings: &[bool] = if rank > 2 { &[false] } else { &[false, true] };
            for short in spellings {
                let line = self.line(rank, *short);
                if text::width(&line) <= width {
                    return line;
                }
            }
        }
        text::cut(&self.line(0, true), width)
    }

    /// All words up to `rank` in lines of at most `first` and then `rest` cells: nothing is left out or spelt short,
    /// for numbers that must be read in full.
    pub(super) fn spread(&self, rank: u8, first: usize, rest: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in self.0.iter().filter(|word| word.rank <= rank && !word.text.is_empty()) {
            let room = if lines.len() <= 1 { first } else { rest };
            match lines.last_mut() {
                Some(line) if text::width(line) + 1 + text::width(&word.text) <= room => {
                    line.push(' ');
                    line.push_str(&word.text);
                }
                _ => {
                    let room = if lines.is_empty() { first } else { rest };
                    let short = word.short.as_ref().filter(|_| text::width(&word.text) > room);
                    lines.push(text::cut(short.unwrap_or(&word.text), room));
                }
            }
        }
        lines
    }

    /// Cells taken by the words up to `rank`.
    pub(super) fn width(&self, rank: u8) -> usize {
        text::width(&self.line(rank, false))
    }

    fn line(&self, rank: u8, short: bool) -> String {
        let mut line = String::new();
        for word in self.0.iter().filter(|word| word.rank <= rank && !word.text.is_empty()) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word.short.as_ref().filter(|_| short).unwrap_or(&word.text));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syn_ack() -> Label {
        Label::default()
            .word(0, "SYN ACK")
            .word(1, "seq=0")
            .word_or(2, "ack=1", "a=1")
            .word(3, "win=65535")
            .word(4, "mss=1460")
    }

    #[test]
    fn what_matters_least_is_left_out_first() {
        assert_eq!(syn_ack().fit(80), "SYN ACK seq=0 ack=1 win=65535 mss=1460");
        assert_eq!(syn_ack().fit(30), "SYN ACK seq=0 ack=1 win=65535");
        assert_eq!(syn_ack().fit(19), "SYN ACK seq=0 ack=1");
        assert_eq!(syn_ack().fit(17), "SYN ACK seq=0 a=1");
        assert_eq!(syn_ack().fit(16), "SYN ACK seq=0");
        assert_eq!(syn_ack().fit(4), "SYN…");
        assert_eq!(syn_ack().fit(0), "");
    }

    #[test]
    fn spread_over_lines_nothing_is_left_out() {
        assert_eq!(syn_ack().spread(2, 8, 12), ["SYN ACK", "seq=0 ack=1"]);
    }
}
