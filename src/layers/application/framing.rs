//! Messages in a stream. TCP carries bytes and no edges (RFC 9293 §2.2), so a protocol on top of it marks where a message
//! ends: by a byte that stands for nothing else, or by a number of bytes in front.
//!
//! Both of the course's ways are here, as small as they get. What is left of a read belongs to the next message and is
//! kept; how much that may be has a bound, or one peer's lie would fill the memory.
//!
//! Read first: RFC 1055 (PROTOCOL) for a delimiter and its escape, RFC 6455 §5.2 for a length in front. Left out: types,
//! versions, checksums, and lengths that grow with what they count, as WebSocket's do.

use std::fmt;

/// How a message is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A line: the newline ends a message, and none can hold one.
    Line,
    /// A newline ends a message; one inside is written `\n`, and a backslash `\\`, as two characters.
    Escaped,
    /// The length in two bytes, the more significant first, and then the message.
    Length,
}

/// The byte that ends a message.
pub const DELIMITER: u8 = b'\n';
/// The byte that says that the next one is meant otherwise.
pub const ESCAPE: u8 = b'\\';
/// What a delimiter inside a message is written as, behind an escape.
const ESCAPED: u8 = b'n';
/// Bytes of a length.
pub const LENGTH_LEN: usize = 2;

/// What a reader refuses. It reads no more of this stream: where the next message begins cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A message is longer than the reader takes.
    TooLong {
        /// How long, as far as it is known.
        len: usize,
        /// The most it takes.
        limit: usize,
    },
    /// An escape stands before a byte that is never escaped.
    BadEscape(u8),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::TooLong { len, limit } => {
                write!(f, "a message of {len} bytes or more, expected at most {limit}")
            }
            Refused::BadEscape(byte) => write!(f, "expected 'n' or a backslash after one, got 0x{byte:02x}"),
        }
    }
}

impl std::error::Error for Refused {}

impl Framing {
    /// Puts a message behind what is written already.
    ///
    /// # Errors
    /// [`Refused::TooLong`] for what does not fit two bytes of length.
    pub fn write(self, message: &[u8], out: &mut Vec<u8>) -> Result<(), Refused> {
        match self {
            Framing::Line => out.extend_from_slice(message),
            Framing::Escaped => {
                for &byte in message {
                    match byte {
                        DELIMITER => out.extend([ESCAPE, ESCAPED]),
                        ESCAPE => out.extend([ESCAPE, ESCAPE]),
                        _ => out.push(byte),
                    }
                }
            }
            Framing::Length => {
                let limit = usize::from(u16::MAX);
                let len = u16::try_from(message.len());
                let len = len.map_err(|_| Refused::TooLong { len: message.len(), limit })?;
                out.extend(len.to_be_bytes());
                out.extend_from_slice(message);
                return Ok(());
            }
        }
        out.push(DELIMITER);
        Ok(())
    }
}

/// Takes a stream apart, read by read.
#[derive(Debug, Clone)]
pub struct Deframer {
    framing: Framing,
    limit: usize,
    /// The message that has begun, without its mark; at most `limit` bytes.
    kept: Vec<u8>,
    /// The bytes of a length that has begun, or the escape that came last: at most one.
    mark: Option<u8>,
    /// What the length said that is still to come; only with [`Framing::Length`], between a length and its last byte.
    to_come: Option<usize>,
    refused: Option<Refused>,
}

impl Deframer {
    /// A reader that takes messages of at most `limit` bytes.
    pub fn new(framing: Framing, limit: usize) -> Self {
        Deframer { framing, limit, kept: Vec::new(), mark: None, to_come: None, refused: None }
    }

    /// How many bytes it keeps for a message that is not complete.
    pub fn kept(&self) -> usize {
        self.kept.len() + usize::from(self.mark.is_some())
    }

    /// Takes what a read gave, cut as it may be, and adds the messages that are complete with it to `out`.
    ///
    /// # Errors
    /// What it refuses; the messages before that are in `out`. From then on it refuses everything.
    pub fn read(&mut self, bytes: &[u8], out: &mut Vec<Vec<u8>>) -> Result<(), Refused> {
        for &byte in bytes {
            if let Some(refused) = self.refused {
                return Err(refused);
            }
            let done = match self.framing {
                Framing::Line => self.line(byte),
                Framing::Escaped => self.escaped(byte),
                Framing::Length => self.length(byte),
            };
            match done {
                Ok(true) => out.push(std::mem::take(&mut self.kept)),
                Ok(false) => {}
                Err(refused) => {
                    (self.kept, self.refused) = (Vec::new(), Some(refused));
                    return Err(refused);
                }
            }
        }
        Ok(())
    }

    /// One byte; whether it completes a message.
    fn line(&mut self, byte: u8) -> Result<bool, Refused> {
        match byte {
            DELIMITER => Ok(true),
            _ => self.keep(byte),
        }
    }

    fn escaped(&mut self, byte: u8) -> Result<bool, Refused> {
        match (self.mark.take(), byte) {
            (None, DELIMITER) => Ok(true),
            (None, ESCAPE) => {
                self.mark = Some(ESCAPE);
                Ok(false)
            }
            (None, _) | (Some(_), ESCAPE) => self.keep(byte),
            (Some(_), ESCAPED) => self.keep(DELIMITER),
            (Some(_), _) => Err(Refused::BadEscape(byte)),
        }
    }

    fn length(&mut self, byte: u8) -> Result<bool, Refused> {
        if let Some(to_come) = self.to_come {
            self.kept.push(byte);
            self.to_come = Some(to_come - 1).filter(|left| *left > 0);
            return Ok(self.to_come.is_none());
        }
        let Some(first) = self.mark.take() else {
            self.mark = Some(byte);
            return Ok(false);
        };
        let len = usize::from(u16::from_be_bytes([first, byte]));
        // Before a single byte of it is kept: the length alone is enough to refuse it.
        if len > self.limit {
            return Err(Refused::TooLong { len, limit: self.limit });
        }
        self.to_come = Some(len).filter(|len| *len > 0);
        Ok(len == 0)
    }

    fn keep(&mut self, byte: u8) -> Result<bool, Refused> {
        let len = self.kept.len() + 1;
        if len > self.limit {
            return Err(Refused::TooLong { len, limit: self.limit });
        }
        self.kept.push(byte);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const ALL: [Framing; 3] = [Framing::Line, Framing::Escaped, Framing::Length];

    fn wire(framing: Framing, messages: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        messages.iter().for_each(|message| framing.write(message, &mut out).expect("it fits"));
        out
    }

    fn whole(framing: Framing, limit: usize, bytes: &[u8]) -> (Vec<Vec<u8>>, Result<(), Refused>) {
        let (mut reader, mut out) = (Deframer::new(framing, limit), Vec::new());
        let result = reader.read(bytes, &mut out);
        (out, result)
    }

    #[test]
    fn messages_are_marked_as_the_protocol_says() {
        assert_eq!(wire(Framing::Line, &[b"hi", b""]), b"hi\n\n");
        assert_eq!(wire(Framing::Escaped, &[b"a\nb\\c"]), b"a\\nb\\\\c\n");
        assert_eq!(wire(Framing::Length, &[b"hi", b""]), b"\0\x02hi\0\0");
        let long = vec![0; 65_536];
        assert!(Framing::Length.write(&long, &mut Vec::new()).is_err());
    }

    #[test]
    fn a_newline_inside_a_line_makes_two_messages_of_it() {
        let (messages, _) = whole(Framing::Line, 100, &wire(Framing::Line, &[b"one\ntwo"]));
        assert_eq!(messages, [b"one", b"two"]);
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_kept_and_nothing_is_read_after_it() {
        let (mut reader, mut out) = (Deframer::new(Framing::Length, 10), Vec::new());
        reader.read(b"\0\x02hi", &mut out).expect("short enough");
        assert_eq!(reader.read(b"\xff\xff", &mut out), Err(Refused::TooLong { len: 65_535, limit: 10 }));
        assert_eq!(reader.kept(), 0);
        assert!(reader.read(b"\0\x02no", &mut out).is_err());
        assert_eq!(out, [b"hi"]);
        for framing in [Framing::Line, Framing::Escaped] {
            let (messages, result) = whole(framing, 3, b"abc\nabcd");
            assert_eq!((messages.len(), result), (1, Err(Refused::TooLong { len: 4, limit: 3 })));
        }
        assert_eq!(whole(Framing::Escaped, 9, b"a\\b").1, Err(Refused::BadEscape(b'b')));
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_the_messages_are_the_same(
            messages in vec(vec(any::<u8>(), 0..40), 0..8),
            cuts in vec(1usize..9, 1..20),
        ) {
            for framing in [Framing::Escaped, Framing::Length] {
                let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
                let bytes = wire(framing, &messages);
                let (mut reader, mut out) = (Deframer::new(framing, 40), Vec::new());
                let (mut rest, mut sizes) = (&bytes[..], cuts.iter().cycle());
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(*sizes.next().expect("a cycle")));
                    prop_assert_eq!(reader.read(now, &mut out), Ok(()));
                    rest = later;
                }
                prop_assert_eq!(&out, &messages);
                prop_assert_eq!(reader.kept(), 0);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused_and_no_more_is_kept_than_the_limit(
            reads in vec(vec(any::<u8>(), 0..60), 0..10),
            limit in 0usize..50,
        ) {
            for framing in ALL {
                let (mut reader, mut out) = (Deframer::new(framing, limit), Vec::new());
                for read in &reads {
                    let _ = reader.read(read, &mut out);
                    prop_assert!(reader.kept() <= limit + 1);
                }
                prop_assert!(out.iter().all(|message| message.len() <= limit));
            }
        }
    }
}
