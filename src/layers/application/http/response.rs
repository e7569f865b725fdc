//! The answers on one connection that is kept open (RFC 9112 §9.3): head and body, one after the other.
//!
//! A client that asks one thing at a time needs no more than this: what comes belongs to the oldest request that is not
//! answered. Left out: a body that ends with the connection (RFC 9112 §6.3, the last case), for such a connection is
//! kept open for nothing; and answers to HEAD, which have a length and no body.

use bytes::Bytes;

use super::body::{BodyProgress, BodyReader, Framing};
use super::{HeadError, HeadParser, Limits, Progress, ResponseHead};

/// A whole response: head and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status line and fields.
    pub head: ResponseHead,
    /// Its body; empty when it has none.
    pub body: Bytes,
}

/// Reads responses from a stream that may be cut anywhere.
#[derive(Debug, Clone)]
pub struct ResponseReader {
    limits: Limits,
    /// No body may be longer.
    max_body: usize,
    reading: Reading,
}

#[derive(Debug, Clone)]
enum Reading {
    Head(Box<HeadParser<ResponseHead>>),
    Body(Box<ResponseHead>, Box<BodyReader>),
}

impl ResponseReader {
    /// A reader for responses with bodies of at most `max_body` bytes.
    pub fn new(limits: Limits, max_body: usize) -> Self {
        ResponseReader { limits, max_body, reading: Reading::Head(Box::new(HeadParser::new(limits))) }
    }

    /// Whether it is between two responses.
    pub fn is_idle(&self) -> bool {
        matches!(&self.reading, Reading::Head(parser) if parser.is_empty())
    }

    /// Takes bytes from the front of `bytes`, and gives a response when one is whole. Call it again while bytes are
    /// left.
    ///
    /// # Errors
    /// The server broke a rule, or answered more than is taken: nothing after that can be read.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Response>, HeadError> {
        while !bytes.is_empty() {
            match &mut self.reading {
                Reading::Head(parser) => match parser.feed(bytes)? {
                    Progress::NeedMore => *bytes = &[],
                    Progress::Done { head, consumed } => {
                        *bytes = &bytes[consumed..];
                        if let Some(response) = self.begin_body(head)? {
                            return Ok(Some(response));
                        }
                    }
                },
                Reading::Body(_, reader) => match reader.feed(bytes)? {
                    BodyProgress::NeedMore => *bytes = &[],
                    BodyProgress::Done { body, consumed } => {
                        *bytes = &bytes[consumed..];
                        let next = Reading::Head(Box::new(HeadParser::new(self.limits)));
                        if let Reading::Body(head, _) = std::mem::replace(&mut self.reading, next) {
                            return Ok(Some(Response { head: *head, body }));
                        }
                    }
                },
            }
        }
        Ok(None)
    }

    /// The head is whole: the response too, when it has no body.
    fn begin_body(&mut self, head: ResponseHead) -> Result<Option<Response>, HeadError> {
        self.reading = Reading::Head(Box::new(HeadParser::new(self.limits)));
        // RFC 9110 §15.2: what is only provisional is not the answer. 101 ends HTTP on this connection.
        if (100..200).contains(&head.status) && head.status != 101 {
            return Ok(None);
        }
        match Framing::of_response(&head)? {
            Framing::Length(0) => Ok(Some(Response { head, body: Bytes::new() })),
            framing => {
                let reader = BodyReader::new(framing, self.max_body)?;
                self.reading = Reading::Body(Box::new(head), Box::new(reader));
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\
                         HTTP/1.1 100 Continue\r\n\r\n\
                         HTTP/1.1 204 No Content\r\n\r\n\
                         HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";

    fn read(pieces: &[&[u8]]) -> Result<Vec<(u16, String)>, u16> {
        let mut reader = ResponseReader::new(Limits::default(), 100);
        let mut read = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                if let Some(response) = reader.take(&mut rest).map_err(|error| error.status)? {
                    read.push((response.head.status, String::from_utf8_lossy(&response.body).into_owned()));
                }
            }
        }
        assert!(reader.is_idle());
        Ok(read)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn responses_are_told_apart_however_the_stream_is_cut(cuts in prop::collection::vec(0..TWO.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.extend([0, TWO.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &TWO[pair[0]..pair[1]]).collect();
            let expected = vec![(200, "hello".to_owned()), (204, String::new()), (200, "hi".to_owned())];
            prop_assert_eq!(read(&pieces), Ok(expected));
        }

        #[test]
        fn no_bytes_make_it_panic(junk in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = ResponseReader::new(Limits::default(), 100);
            let bytes = [&b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 "[..], &junk].concat();
            let mut rest = &bytes[..];
            while !rest.is_empty() && reader.take(&mut rest).is_ok() {}
        }
    }

    #[test]
    fn what_cannot_be_kept_apart_is_refused() {
        for bad in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ] {
            assert_eq!(read(&[bad.as_bytes()]), Err(502), "{bad}");
        }
        assert_eq!(read(&[b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"]), Err(413), "too long for us");
    }
}
