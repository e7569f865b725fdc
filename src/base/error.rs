//! Errors are lessons: where, what was expected, and what came.

use std::borrow::Cow;
use std::fmt;

use super::Layer;

/// Why bytes could not be read, so that a student can find the byte and correct it.
///
/// `offset` counts bytes from the start of what the outermost [`Reader`](super::Reader) was given, so that nested
/// headers point into the whole frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{protocol} {field} at byte {offset}: expected {expected}, got {got}")]
pub struct ParseError {
    /// Which of the three kinds it is, and so what the caller should do.
    pub kind: ErrorKind,
    /// The layer whose header was being read.
    pub layer: Layer,
    /// The protocol whose header was being read, such as `IPv4`.
    pub protocol: &'static str,
    /// The field, by the name its table gives it.
    pub field: &'static str,
    /// Bytes from the start of the outermost buffer.
    pub offset: usize,
    /// What the rule asks for.
    pub expected: Wording,
    /// The value that was read, or what was there in its place.
    pub got: Wording,
}

/// Words of an error. Those of bytes that are still to come are numbers until they are read: a program that reads a
/// stream meets its end once for each time it was read from, and mostly waits for more without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wording {
    /// As it is.
    Text(Cow<'static, str>),
    /// How many bytes are expected.
    Bytes(usize),
    /// How many bytes are left.
    Left(usize),
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wording::Text(text) => f.write_str(text),
            Wording::Bytes(1) => f.write_str("1 byte"),
            Wording::Bytes(n) => write!(f, "{n} bytes"),
            Wording::Left(n) => write!(f, "{n} left"),
        }
    }
}

impl serde::Serialize for Wording {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Wording {
    fn from(text: T) -> Self {
        Wording::Text(text.into())
    }
}

/// The three ways reading can fail, which call for three different answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// More bytes are needed: wait for them. On a datagram, which brings all it has, this means it was cut short.
    Incomplete,
    /// The peer broke a rule.
    Malformed,
    /// The caller asked for something that the protocol does not have.
    Misuse,
}

impl ParseError {
    /// True when more bytes could still make it right.
    pub fn is_incomplete(&self) -> bool {
        self.kind == ErrorKind::Incomplete
    }
}

/// Makes the errors of one protocol: they have its layer and its name in common.
///
/// A [`Reader`](super::Reader) makes those of a header. This is for protocols of text, which are read in other ways,
/// and for what people type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errors {
    layer: Layer,
    protocol: &'static str,
}

impl Errors {
    /// The errors of this protocol.
    pub const fn of(layer: Layer, protocol: &'static str) -> Self {
        Errors { layer, protocol }
    }

    /// The peer broke a rule, `offset` bytes into what was given.
    #[cold]
    pub fn malformed(
        self,
        field: &'static str,
        offset: usize,
        expected: impl Into<Wording>,
        got: impl Into<Wording>,
    ) -> ParseError {
        let Errors { layer, protocol } = self;
        let (expected, got) = (expected.into(), got.into());
        ParseError { kind: ErrorKind::Malformed, layer, protocol, field, offset, expected, got }
    }

    /// The caller asked for something that the protocol does not have.
    #[cold]
    pub fn misuse(
        self,
        field: &'static str,
        offset: usize,
        expected: impl Into<Wording>,
        got: impl Into<Wording>,
    ) -> ParseError {
        ParseError { kind: ErrorKind::Misuse, ..self.malformed(field, offset, expected, got) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_still_to_come_are_told_in_words_when_somebody_asks() {
        let told = [Wording::Bytes(1), Wording::Bytes(12), Wording::Left(0), "a rule".into()];
        assert_eq!(told.map(|wording| wording.to_string()), ["1 byte", "12 bytes", "0 left", "a rule"]);
    }
}
