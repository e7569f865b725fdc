//! The body of a message: how long it is (RFC 9112 §6), and reading it from a stream that may be cut anywhere.
//!
//! A body is kept whole, so its length is bounded: one that says beforehand that it is longer is refused before any of
//! it is read. Transfer codings other than chunked, and trailer fields (which are skipped), are left out.

use bytes::{Bytes, BytesMut};

use super::headers::{malformed, show};
use super::{HeadError, Headers, RequestHead, ResponseHead, Version};
use crate::base::ParseError;

/// How the end of a body is found (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Exactly this many bytes; 0 for no body.
    Length(u64),
    /// In chunks, each with its size before it, the last one empty (RFC 9112 §7.1).
    Chunked,
}

impl Framing {
    /// How the body of this request ends: one that does not say has none.
    ///
    /// # Errors
    /// 400 for a length that is none, two that differ, or a length *and* a transfer coding: two parsers that choose
    /// differently are how requests get smuggled (RFC 9112 §6.3, §11.2). 501 for another coding.
    pub fn of(head: &RequestHead) -> Result<Self, HeadError> {
        Ok(Framing::said(&head.headers, head.version)?.unwrap_or(Framing::Length(0)))
    }

    /// How the body of this response ends. One that does not say would end with the connection, which is to stay open.
    ///
    /// # Errors
    /// 502, by the rules for a request: a response can be split as a request can be smuggled (RFC 9112 §11.1).
    pub(super) fn of_response(head: &ResponseHead) -> Result<Self, HeadError> {
        if matches!(head.status, 101 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        let expected = "a length, for the connection stays open";
        let said = Framing::said(&head.headers, head.version)
            .and_then(|said| said.ok_or_else(|| bad("Content-Length", expected, "none")));
        said.map_err(|error| HeadError { status: 502, ..error })
    }

    /// What the header fields say, if they say anything (RFC 9112 §6.3).
    fn said(headers: &Headers, version: Version) -> Result<Option<Self>, HeadError> {
        let bad = |field, expected, got: &str| bad(field, expected, got.chars().take(32).collect::<String>());
        let mut lengths = headers.get_all("Content-Length");
        let length = lengths.next();
        if let Some(coding) = headers.get("Transfer-Encoding") {
            if length.is_some() || version < Version::Http11 {
                let expected = "no Content-Length beside it, and HTTP/1.1";
                return Err(bad("Transfer-Encoding", expected, coding));
            }
            let only = headers.get_all("Transfer-Encoding").count() == 1;
            return if only && coding.trim().eq_ignore_ascii_case("chunked") {
                Ok(Some(Framing::Chunked))
            } else {
                Err(HeadError { status: 501, ..bad("Transfer-Encoding", "chunked", coding) })
            };
        }
        let Some(length) = length else { return Ok(None) };
        if lengths.any(|other| other != length) {
            return Err(bad("Content-Length", "one length", "several"));
        }
        let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
        match length.parse() {
            Ok(length) if digits => Ok(Some(Framing::Length(length))),
            _ => Err(bad("Content-Length", "a decimal number", length)),
        }
    }
}

/// What feeding some bytes has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyProgress {
    /// All bytes were taken and the body goes on.
    NeedMore,
    /// The body is whole.
    Done {
        /// The whole body, its transfer coding removed.
        body: Bytes,
        /// How many of the bytes just fed belong to it.
        consumed: usize,
    },
}

/// Reads one body as its bytes come in.
#[derive(Debug, Clone)]
pub struct BodyReader {
    state: State,
    body: BytesMut,
    /// No body may be longer.
    limit: usize,
}

#[derive(Debug, Clone)]
enum State {
    /// Bytes still to come.
    Length(usize),
    /// The line with the size of a chunk.
    Size(Vec<u8>),
    /// The bytes of a chunk.
    Chunk(usize),
    /// The CRLF after a chunk.
    ChunkEnd(Vec<u8>),
    /// Trailer fields: the line at hand, and the bytes of all of them.
    Trailer(Vec<u8>, usize),
}

impl BodyReader {
    /// Bytes of the body that have come.
    pub fn held(&self) -> usize {
        self.body.len()
    }

    /// The longest line with a chunk's size, extensions (which mean nothing here) included.
    const MAX_LINE: usize = 256;
    /// The most bytes of trailer fields.
    const MAX_TRAILER: usize = 4096;

    /// A reader for a body of at most `limit` bytes.
    ///
    /// # Errors
    /// 413 when the body is said to be longer.
    pub fn new(framing: Framing, limit: usize) -> Result<Self, HeadError> {
        let state = match framing {
            Framing::Length(length) => match usize::try_from(length) {
                Ok(length) if length <= limit => State::Length(length),
                _ => return Err(too_long(limit)),
            },
            Framing::Chunked => State::Size(Vec::new()),
        };
        Ok(BodyReader { state, body: BytesMut::new(), limit })
    }

    /// Takes the next bytes of the stream. Nothing is reserved for bytes that were only promised.
    ///
    /// # Errors
    /// 400 for chunks that are none, 413 when they are too long together.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<BodyProgress, HeadError> {
        let mut rest = bytes;
        loop {
            match &mut self.state {
                State::Length(left) | State::Chunk(left) => {
                    let taken = rest.len().min(*left);
                    self.body.extend_from_slice(&rest[..taken]);
                    rest = &rest[taken..];
                    *left -= taken;
                    match self.state {
                        State::Length(0) => return Ok(self.done(bytes.len() - rest.len())),
                        State::Chunk(0) => self.state = State::ChunkEnd(Vec::new()),
                        _ => return Ok(BodyProgress::NeedMore),
                    }
                }
                State::Size(line) => {
                    let Some(()) = take_line(line, &mut rest, Self::MAX_LINE)? else {
                        return Ok(BodyProgress::NeedMore);
                    };
                    let size = chunk_size(line)?;
                    if size > self.limit - self.body.len() {
                        return Err(too_long(self.limit));
                    }
                    self.state = if size == 0 { State::Trailer(Vec::new(), 0) } else { State::Chunk(size) };
                }
                State::ChunkEnd(line) => {
                    let Some(()) = take_line(line, &mut rest, 2)? else {
                        return Ok(BodyProgress::NeedMore);
                    };
                    self.state = State::Size(Vec::new());
                }
                State::Trailer(line, total) => {
                    let Some(()) = take_line(line, &mut rest, Self::MAX_TRAILER - *total)? else {
                        return Ok(BodyProgress::NeedMore);
                    };
                    if line == b"\r\n" {
                        return Ok(self.done(bytes.len() - rest.len()));
                    }
                    *total += line.len();
                    line.clear();
                }
            }
        }
    }

    fn done(&mut self, consumed: usize) -> BodyProgress {
        BodyProgress::Done { body: self.body.split().freeze(), consumed }
    }
}

/// Moves bytes from `rest` to `line` up to its CRLF. `None` when the line goes on.
fn take_line(line: &mut Vec<u8>, rest: &mut &[u8], limit: usize) -> Result<Option<()>, HeadError> {
    let end = rest.iter().position(|&byte| byte == b'\n');
    let taken = end.map_or(rest.len(), |end| end + 1);
    if line.len() + taken > limit {
        return Err(bad("chunk", "a short line", "a long one"));
    }
    line.extend_from_slice(&rest[..taken]);
    *rest = &rest[taken..];
    match end {
        None => Ok(None),
        Some(_) if line.ends_with(b"\r\n") => Ok(Some(())),
        Some(_) => Err(bad("chunk", "CR LF at the end of its line", "LF alone")),
    }
}

/// `1*HEXDIG [ chunk-ext ] CRLF` (RFC 9112 §7.1). What an extension says is not looked at (§7.1.1), only that it begins
/// with a semicolon and has no control characters: others might end the line at a bare CR (§2.2).
fn chunk_size(line: &[u8]) -> Result<usize, HeadError> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let end = line.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at(end);
    let extension = rest.trim_ascii_start();
    if !rest.is_empty() && !extension.starts_with(b";") {
        let got = extension.first().map_or("whitespace".into(), |&byte| show(byte));
        return Err(bad("chunk size", "hexadecimal digits, then ';' or the end of the line", got));
    }
    if let Some(&byte) = rest.iter().find(|byte| byte.is_ascii_control() && **byte != b'\t') {
        return Err(bad("chunk extension", "no control characters", show(byte)));
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or_else(|| bad("chunk size", "hexadecimal digits, not too many", format!("{end} digits")))
}

fn bad(field: &'static str, expected: &'static str, got: impl Into<String>) -> HeadError {
    HeadError { status: 400, error: malformed(field, expected, got.into()) }
}

fn too_long(limit: usize) -> HeadError {
    let error: ParseError = malformed("body", "fewer bytes", format!("more than {limit}"));
    HeadError { status: 413, error }
}

#[cfg(test)]
mod tests {
    use super::super::Headers;
    use super::*;
    use proptest::prelude::*;

    fn framing(fields: &[(&str, &str)]) -> Result<Framing, u16> {
        let headers =
            fields.iter().fold(Headers::new(), |headers, (name, value)| headers.with(*name, *value));
        Framing::of(&RequestHead::new("POST", "/", headers)).map_err(|error| error.status)
    }

    #[test]
    fn the_length_is_found_or_refused() {
        assert_eq!(framing(&[]), Ok(Framing::Length(0)));
        assert_eq!(framing(&[("Content-Length", "12")]), Ok(Framing::Length(12)));
        assert_eq!(framing(&[("Content-Length", "12"), ("Content-Length", "12")]), Ok(Framing::Length(12)));
        assert_eq!(framing(&[("Transfer-Encoding", "Chunked")]), Ok(Framing::Chunked));
        assert_eq!(framing(&[("Content-Length", "12"), ("Content-Length", "13")]), Err(400));
        assert_eq!(framing(&[("Content-Length", "+1")]), Err(400));
        assert_eq!(framing(&[("Content-Length", "99999999999999999999")]), Err(400));
        assert_eq!(framing(&[("Transfer-Encoding", "chunked"), ("Content-Length", "1")]), Err(400));
        assert_eq!(framing(&[("Transfer-Encoding", "gzip, chunked")]), Err(501));
    }

    #[test]
    fn a_response_keeps_the_rules_of_a_request() {
        let response = |fields: &[(&str, &str)]| {
            let headers =
                fields.iter().fold(Headers::new(), |headers, (name, value)| headers.with(*name, *value));
            Framing::of_response(&ResponseHead::new(200, headers)).map_err(|error| error.status)
        };
        assert_eq!(response(&[("Content-Length", "12"), ("Content-Length", "12")]), Ok(Framing::Length(12)));
        assert_eq!(response(&[("Transfer-Encoding", "chunked")]), Ok(Framing::Chunked));
        for wrong in [
            &[][..],
            &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "gzip")],
            &[("Transfer-Encoding", "chunked"), ("Content-Length", "1")],
            &[("Content-Length", "1"), ("Content-Length", "2")],
            &[("Content-Length", "+1")],
        ] {
            assert_eq!(response(wrong), Err(502), "{wrong:?}");
        }
    }

    #[test]
    fn a_body_that_is_said_to_be_too_long_is_refused_before_it_is_read() {
        assert_eq!(BodyReader::new(Framing::Length(11), 10).unwrap_err().status, 413);
        let mut reader = BodyReader::new(Framing::Chunked, 10).unwrap();
        assert_eq!(reader.feed(b"b\r\n").unwrap_err().status, 413);
        let mut reader = BodyReader::new(Framing::Chunked, 10).unwrap();
        assert_eq!(reader.feed(b"6\r\nabcdef\r\n6\r\n").unwrap_err().status, 413);
    }

    #[test]
    fn chunks_are_put_together_however_the_stream_is_cut() {
        let stream = b"4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: 1\r\n\r\nGET";
        let whole = BodyProgress::Done { body: Bytes::from_static(b"Wikipedia"), consumed: stream.len() - 3 };
        assert_eq!(BodyReader::new(Framing::Chunked, 100).unwrap().feed(stream).unwrap(), whole);
        let mut reader = BodyReader::new(Framing::Chunked, 100).unwrap();
        for (at, byte) in stream[..stream.len() - 3].iter().enumerate() {
            match reader.feed(&[*byte]).unwrap() {
                BodyProgress::NeedMore => assert!(at + 4 < stream.len()),
                BodyProgress::Done { body, .. } => {
                    assert_eq!((&body[..], at + 4), (&b"Wikipedia"[..], stream.len()));
                }
            }
        }
    }

    #[test]
    fn chunks_that_are_none_are_refused() {
        for stream in [
            "x\r\n",
            "\r\n",
            "1\n",
            "1\r\nab\r\n",
            "ffffffffffffffffff\r\n",
            "-1\r\n",
            "5 xyz\r\n",
            "5 \r\n",
            "5 6\r\n",
            ";x\r\n",
            "5;a\rb\r\n",
            "5\r;a\r\n",
            "5\u{b};a\r\n",
        ] {
            let mut reader = BodyReader::new(Framing::Chunked, 100).unwrap();
            assert_eq!(reader.feed(stream.as_bytes()).unwrap_err().status, 400, "{stream:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_bytes_make_it_panic(pieces in prop::collection::vec("[0-9a-f;\r\nx]{0,8}", 0..8)) {
            let mut reader = BodyReader::new(Framing::Chunked, 64).unwrap();
            for piece in pieces {
                if !matches!(reader.feed(piece.as_bytes()), Ok(BodyProgress::NeedMore)) {
                    break;
                }
            }
        }
    }
}
