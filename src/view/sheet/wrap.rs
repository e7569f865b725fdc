//! Text in lines: the one place that breaks between words. Widths are in cells.

use super::width::{char_width, width};

/// What becomes of a word that is longer than a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongWord {
    /// It goes on in the next line.
    Broken,
    /// Its end is left out, with `…` in its place.
    Cut,
    /// It sticks out: it is there to be copied.
    Kept,
}

/// Breaks a text between words into lines of at most `columns`; a word that is longer is broken too. Never without a
/// line.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap_words(text, columns, columns, LongWord::Broken)
}

/// Joins parts with `dot` between them, such as ` · `, into lines of at most `columns`: a line ends behind a dot, for a name
/// and its value belong together. A part that is longer is broken between its words.
pub fn wrap_parts(parts: &[String], dot: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (number, part) in parts.iter().enumerate() {
        let end = if number + 1 < parts.len() { dot.trim_end() } else { "" };
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            *line = format!("{part}{end}");
        } else if width(line) + 1 + width(part) + width(end) <= columns {
            line.push_str(&format!(" {part}{end}"));
        } else {
            lines.push(format!("{part}{end}"));
        }
    }
    lines.iter().flat_map(|line| wrap(line, columns)).collect()
}

/// Breaks a text between words: the first line has `first` columns, the others have `rest`.
pub fn wrap_words(text: &str, first: usize, rest: usize, long: LongWord) -> Vec<String> {
    let (first, rest) = (first.max(1), rest.max(1));
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let columns = if lines.len() == 1 { first } else { rest };
            let line = lines.last_mut().expect("there is always a line");
            let blank = usize::from(used > 0);
            let needs = width(word);
            if used + blank + needs <= columns || (used == 0 && long == LongWord::Kept) {
                line.push_str(&" ".repeat(blank));
                line.push_str(word);
                used += blank + needs;
                break;
            }
            if used > 0 {
                lines.push(String::new());
                used = 0;
                continue;
            }
            if long == LongWord::Cut {
                line.push_str(&cut(word, columns));
                used = width(line);
                break;
            }
            let (start, end) = word.split_at(prefix(word, columns));
            line.push_str(start);
            used = width(start);
            word = end;
            if word.is_empty() {
                break;
            }
            lines.push(String::new());
            used = 0;
        }
    }
    lines
}

/// The text when it fits into `columns`; otherwise as much of it as fits, ending in `…`.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut kept, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += char_width(c);
        if used > columns {
            break;
        }
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// How many bytes of `word` fit into `columns`: at least one character.
fn prefix(word: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, c) in word.char_indices() {
        used += char_width(c);
        if at > 0 && used > columns {
            return at;
        }
    }
    word.len()
}
