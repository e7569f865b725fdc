//! Errors are lessons: where, what was expected, and what came.

use std::borrow::Cow;

use super::Layer;

/// Why bytes could not be read, told so that a student can find the byte and mend it.
///
/// `offset` counts bytes from the start of what the outermost [`Reader`](super::Reader) was given, so that nested
/// headers point into the whole frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{protocol} {field} at byte {offset}: expected {expected}, got {got}")]
pub struct ParseError {
    /// Whose fault it is.
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
    /// What was there.
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
