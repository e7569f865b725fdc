//! The words of a line, with their columns; and what is wrong with one.

use std::fmt;

/// What cannot be read of a script, and what could be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What was expected there.
    pub expected: String,
    /// What is there.
    pub got: String,
    /// The known word that comes closest.
    pub meant: Option<String>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SyntaxError { line, column, expected, got, meant } = self;
        write!(f, "line {line}, column {column}: expected {expected}, got {got}")?;
        meant.as_ref().map_or(Ok(()), |meant| write!(f, "; did you mean {meant}?"))
    }
}

/// A word and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    line: usize,
    column: usize,
}

/// The words of a line that are still to be read.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    rest: Vec<Word<'a>>,
    /// Where the line ends.
    end: Word<'a>,
}

impl<'a> Words<'a> {
    /// Cuts a line into words, without its comment. What begins with `<`, and does not end there, is one word up to `>`.
    pub(super) fn of(text: &'a str, line: usize) -> Result<Words<'a>, SyntaxError> {
        let text = text.split('#').next().unwrap_or_default();
        let word = |from: usize, to: usize| Word {
            text: &text[from..to],
            line,
            column: text[..from].chars().count() + 1,
        };
        let mut rest = Vec::new();
        let mut at = 0;
        while let Some(skip) = text[at..].find(|c: char| !c.is_whitespace()) {
            let from = at + skip;
            let blank = text[from..].find(char::is_whitespace).map_or(text.len(), |len| from + len);
            let to = match text[from..].find('>') {
                _ if !text[from..].starts_with('<') || blank == from + 1 => blank,
                Some(len) => from + len + 1,
                None => return Err(word(from, blank).wrong("'>' after the options")),
            };
            rest.push(word(from, to));
            at = to;
        }
        rest.reverse();
        Ok(Words { rest, end: Word { text: "", line, column: text.trim_end().chars().count() + 2 } })
    }

    pub(super) fn peek(&self) -> Option<Word<'a>> {
        self.rest.last().copied()
    }

    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        self.rest.pop()
    }

    /// The next word, which has to be there.
    pub(super) fn need(&mut self, expected: &str) -> Result<Word<'a>, SyntaxError> {
        self.next().ok_or_else(|| self.end.wrong(expected))
    }

    /// Nothing may follow.
    pub(super) fn finish(&self) -> Result<(), SyntaxError> {
        self.peek().map_or(Ok(()), |word| Err(word.wrong("the end of the line")))
    }
}

impl<'a> Word<'a> {
    /// That this word is none of those that are expected here.
    pub(super) fn wrong(self, expected: impl Into<String>) -> SyntaxError {
        let got = match self.text {
            "" => "the end of the line".to_owned(),
            text if text.chars().count() > 40 => {
                format!("'{}...'", text.chars().take(40).collect::<String>())
            }
            text => format!("'{text}'"),
        };
        let Word { line, column, .. } = self;
        SyntaxError { line, column, expected: expected.into(), got, meant: None }
    }

    /// The same, with the known word that comes closest.
    pub(super) fn unknown<'b>(
        self,
        expected: impl Into<String>,
        known: impl IntoIterator<Item = &'b str>,
    ) -> SyntaxError {
        let (typed, bare) = (self.text.to_lowercase(), self.text.trim_start_matches('!'));
        let near = known
            .into_iter()
            .map(|known| (strsim::osa_distance(&known.to_lowercase(), &typed), known))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, known)| *distance <= 2 && *distance < known.len() && !bare.is_empty());
        SyntaxError { meant: near.map(|(_, known)| known.to_owned()), ..self.wrong(expected) }
    }

    /// The part of it from this byte on.
    pub(super) fn from(self, at: usize) -> Word<'a> {
        let column = self.column + self.text[..at].chars().count();
        Word { text: &self.text[at..], column, ..self }
    }

    /// The part of it before this byte.
    pub(super) fn until(self, at: usize) -> Word<'a> {
        Word { text: &self.text[..at], ..self }
    }

    /// Both sides of a character.
    pub(super) fn split(self, at: char) -> Option<(Word<'a>, Word<'a>)> {
        let place = self.text.find(at)?;
        Some((self.until(place), self.from(place + at.len_utf8())))
    }

    /// A number.
    pub(super) fn number<T: std::str::FromStr>(self, expected: &str) -> Result<T, SyntaxError> {
        self.text.parse().map_err(|_| self.wrong(expected))
    }
}
