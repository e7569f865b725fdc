//! Reads a head from a stream that may be cut anywhere (RFC 9112 §2.2).
//!
//! Each byte is looked at a fixed number of times however the stream is cut: a line is searched for its end only in
//! the bytes that are new, and read once when it is whole. So a peer that sends its head byte by byte costs no more
//! than one that sends it at once, and what it can make us keep is bounded by [`Limits`].

use crate::base::{ErrorKind, ParseError};

use super::Headers;
use super::headers::{malformed, show};

/// How much a peer may send before its head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one line, its CRLF included. A request line beyond it is answered with 414, a field line with 431.
    pub line: usize,
    /// Bytes of the whole head, its last empty line included; beyond it: 431 (RFC 6585 §5).
    pub head: usize,
    /// Header fields; beyond it: 431.
    pub fields: usize,
}

impl Default for Limits {
    /// What large servers use: RFC 9112 §3 asks for request lines of 8,000 bytes at least.
    fn default() -> Self {
        Limits { line: 8 * 1024, head: 32 * 1024, fields: 100 }
    }
}

/// Why a head was refused, and what to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct HeadError {
    /// The status a server answers with. For a response, which has no answer, it is 502: what a proxy would say of it.
    pub status: u16,
    /// What was wrong and where, counted from the first byte that the parser was fed.
    pub error: ParseError,
}

/// What feeding some bytes has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<H> {
    /// All bytes were taken and the head goes on.
    NeedMore,
    /// The head is whole.
    Done {
        /// The head, parsed.
        head: H,
        /// How many of the bytes just fed belong to it: those that follow are of the body, or of the next protocol.
        consumed: usize,
    },
}

/// What requests and responses have in common.
pub trait Head: Sized {
    /// Requests and responses differ in what a recipient must forgive.
    const IS_REQUEST: bool;

    /// Reads the first line, without its CRLF, that began `at` bytes into the stream.
    ///
    /// # Errors
    /// Malformed, with the status to answer.
    fn parse_start_line(line: &[u8], at: usize) -> Result<Self, HeadError>;

    /// Where the field lines go.
    fn headers_mut(&mut self) -> &mut Headers;
}

/// Reads one head, in as many pieces as it comes in. When it is [done](Progress::Done) or has failed, its work is
/// over: a new head takes a new parser.
#[derive(Debug, Clone)]
pub struct HeadParser<H> {
    limits: Limits,
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Where that line began.
    line_at: usize,
    /// The head, from its first line on.
    head: Option<H>,
    /// RFC 9112 §2.2: one empty line before a request is forgiven, for old clients sent one after a body.
    skipped_empty_line: bool,
    /// The error that ended the work.
    failed: Option<HeadError>,
    /// Bytes that were looked at, each as often as it was: the tests hold it against how many came.
    #[cfg(test)]
    looked_at: usize,
}

impl<H: Head> HeadParser<H> {
    /// A parser that has seen nothing yet.
    pub fn new(limits: Limits) -> Self {
        HeadParser {
            limits,
            line: Vec::new(),
            line_at: 0,
            head: None,
            skipped_empty_line: false,
            failed: None,
            #[cfg(test)]
            looked_at: 0,
        }
    }

    /// True when nothing has come yet.
    pub fn is_empty(&self) -> bool {
        self.line_at == 0 && self.line.is_empty()
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// Malformed, with the status to answer; the same error again whenever it is fed after that.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Progress<H>, HeadError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let progress = self.refuse_tls(bytes).and_then(|()| self.read(bytes));
        if let Err(error) = &progress {
            self.failed = Some(error.clone());
            self.line = Vec::new();
        }
        progress
    }

    /// The error for a stream that ended before the head did.
    pub fn cut_short(&self) -> HeadError {
        let error = malformed("head", "an empty line at its end (RFC 9112 §2.1)", "the stream ended before");
        let offset = self.line_at + self.line.len();
        HeadError {
            status: Self::status(400),
            error: ParseError { kind: ErrorKind::Incomplete, offset, ..error },
        }
    }

    /// A client that speaks TLS begins with a record of type 22, a handshake, of version 3 (RFC 8446 §5.1): it would
    /// wait for an answer that never comes.
    fn refuse_tls(&self, bytes: &[u8]) -> Result<(), HeadError> {
        let first = self.line.iter().chain(bytes).take(2);
        if self.line_at > 0 || !first.copied().eq([22, 3]) {
            return Ok(());
        }
        let expected = "HTTP in plain text: http:// or ws://, not https:// or wss://";
        Err(HeadError { status: Self::status(400), error: malformed("head", expected, "a TLS handshake") })
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Progress<H>, HeadError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let in_line = self.limits.line.saturating_sub(self.line.len());
            let in_head = self.limits.head.saturating_sub(self.line_at + self.line.len());
            let room = in_line.min(in_head);
            let within = &rest[..room.min(rest.len())];
            let end = within.iter().position(|&byte| byte == b'\n');
            #[cfg(test)]
            (self.looked_at += end.unwrap_or(within.len()));
            if end.is_none() && rest.len() > room {
                return Err(self.too_long(in_line < in_head));
            }
            let taken = end.map_or(rest.len(), |end| end + 1);
            self.line.extend_from_slice(&rest[..taken]);
            rest = &rest[taken..];
            if end.is_some()
                && self.end_line()?
                && let Some(head) = self.head.take()
            {
                return Ok(Progress::Done { head, consumed: bytes.len() - rest.len() });
            }
        }
        Ok(Progress::NeedMore)
    }

    /// Reads the line that has just ended with LF. True when it was the one that ends the head.
    fn end_line(&mut self) -> Result<bool, HeadError> {
        let at = self.line_at;
        self.line_at += self.line.len();
        let mut buffer = std::mem::take(&mut self.line);
        let ended = self.read_line(&buffer, at);
        // Its memory serves for the next line.
        buffer.clear();
        self.line = buffer;
        ended
    }

    fn read_line(&mut self, line: &[u8], at: usize) -> Result<bool, HeadError> {
        #[cfg(test)]
        (self.looked_at += line.len());
        let Some(line) = line.strip_suffix(b"\r\n") else {
            let end = at + line.len() - 1;
            return Err(Self::refuse(end, "line end", "CR LF (RFC 9112 §2.2)", "LF alone".into()));
        };
        if let Some(cr) = line.iter().position(|&byte| byte == b'\r') {
            return Err(Self::refuse(at + cr, "line", "no CR but before LF (RFC 9112 §2.2)", show(b'\r')));
        }
        let Some(head) = &mut self.head else {
            if line.is_empty() && H::IS_REQUEST && !self.skipped_empty_line {
                self.skipped_empty_line = true;
                return Ok(false);
            }
            self.head = Some(H::parse_start_line(line, at)?);
            return Ok(false);
        };
        match line {
            [] => return Ok(true),
            // A line that begins with whitespace continues the line before: "obs-fold". RFC 9112 §5.2 requires a
            // server to refuse it, or to unfold it; a client must unfold it.
            [b' ' | b'\t', ..] => {
                let unfolded = !H::IS_REQUEST
                    && head
                        .headers_mut()
                        .unfold_line(line, at)
                        .map_err(|error| HeadError { status: Self::status(400), error })?;
                if !unfolded {
                    let expected = "a field name, not whitespace (RFC 9112 §2.2, §5.2)";
                    return Err(Self::refuse(at, "field line", expected, show(line[0])));
                }
            }
            _ if head.headers_mut().len() >= self.limits.fields => {
                let error =
                    malformed("head", "fewer header fields", format!("more than {}", self.limits.fields));
                return Err(HeadError {
                    status: Self::status(431),
                    error: ParseError { offset: at, ..error },
                });
            }
            _ => head
                .headers_mut()
                .parse_line(line, at)
                .map_err(|error| HeadError { status: Self::status(400), error })?,
        }
        Ok(false)
    }

    fn too_long(&self, line: bool) -> HeadError {
        let (status, field, limit) = match (line, &self.head) {
            (true, None) => (414, "start line", self.limits.line),
            (true, Some(_)) => (431, "field line", self.limits.line),
            (false, _) => (431, "head", self.limits.head),
        };
        let error = malformed(field, "fewer bytes", format!("more than {limit}"));
        HeadError { status: Self::status(status), error: ParseError { offset: self.line_at, ..error } }
    }

    fn refuse(offset: usize, field: &'static str, expected: &'static str, got: String) -> HeadError {
        HeadError {
            status: Self::status(400),
            error: ParseError { offset, ..malformed(field, expected, got) },
        }
    }

    fn status(of_request: u16) -> u16 {
        if H::IS_REQUEST { of_request } else { 502 }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
