//! Errors are lessons: where, what was expected, and what came.

use std::borrow::Cow;

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
    pub expected: Cow<'static, str>,
    /// The value that was read, or what was there in its place.
    pub got: Cow<'static, str>,
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
        expected: impl Into<Cow<'static, str>>,
        got: impl Into<Cow<'static, str>>,
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
        expected: impl Into<Cow<'static, str>>,
        got: impl Into<Cow<'static, str>>,
    ) -> ParseError {
        ParseError { kind: ErrorKind::Misuse, ..self.malformed(field, offset, expected, got) }
    }
}
