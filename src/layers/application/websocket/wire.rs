//! Frames found again in the bytes of a stream, for observers from outside: pictures, lessons, captures
//! (RFC 6455 §5.2). A connection reads with `receiver.rs`, which knows all rules; here only those of one header count.

use super::frame::{FrameHeader, Opcode};
use super::mask::apply_mask;
use crate::base::{Header as _, Layer, Reader};

/// A frame as it lies in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireFrame {
    /// What its header says.
    pub header: FrameHeader,
    /// The bytes of the header.
    pub head: Vec<u8>,
    /// The payload as it was on the wire: masked, if it was.
    pub wire: Vec<u8>,
}

impl WireFrame {
    /// All frames of a stream in order, from the end of the opening handshake's head; up to the first that is not
    /// whole, or breaks a rule of its header.
    pub fn all(stream: &[u8]) -> Vec<WireFrame> {
        let (mut rest, mut frames) = (&stream[head_of(stream)..], Vec::new());
        while let Some((frame, behind)) = WireFrame::first(rest) {
            frames.push(frame);
            rest = behind;
        }
        frames
    }

    /// The first frame of a stream, and the rest after it.
    fn first(stream: &[u8]) -> Option<(WireFrame, &[u8])> {
        let mut r = Reader::new(Layer::Application, FrameHeader::PROTOCOL, stream);
        let header = FrameHeader::parse(&mut r).ok()?;
        let (head, rest) = stream.split_at(r.position());
        let (wire, behind) = rest.split_at_checked(usize::try_from(header.payload_len).ok()?)?;
        Some((WireFrame { header, head: head.to_vec(), wire: wire.to_vec() }, behind))
    }

    /// Header and payload, as they were on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        [&self.head[..], &self.wire].concat()
    }

    /// The payload as it was meant: found with nothing but what is in the frame itself.
    pub fn payload(&self) -> Vec<u8> {
        let mut payload = self.wire.clone();
        if let Some(key) = self.header.mask {
            apply_mask(key, 0, &mut payload);
        }
        payload
    }

    /// Its kind in a word, as in §11.8.
    pub fn name(&self) -> &'static str {
        match self.header.opcode {
            Opcode::Continuation => "continuation",
            Opcode::Text => "text",
            Opcode::Binary => "binary",
            Opcode::Close => "close",
            Opcode::Ping => "ping",
            Opcode::Pong => "pong",
        }
    }
}

/// How long the head of the opening handshake is; 0 when there is none.
pub fn head_of(stream: &[u8]) -> usize {
    let head = stream.starts_with(b"GET ") || stream.starts_with(b"HTTP/");
    let end = stream.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    end.filter(|_| head).unwrap_or(0)
}

/// A stream to look at, for tests.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::base::Writer;

    /// The shortest head of a request.
    pub(crate) const HEAD: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

    /// A masked frame with this text.
    pub(crate) fn frame(text: &str) -> Vec<u8> {
        let key = [1, 2, 3, 4];
        let mut payload = text.as_bytes().to_vec();
        apply_mask(key, 0, &mut payload);
        let mut w = Writer::new();
        FrameHeader { mask: Some(key), ..FrameHeader::new(Opcode::Text, text.len() as u64) }.emit(&mut w);
        [w.as_slice(), &payload].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{HEAD, frame};
    use super::*;

    #[test]
    fn frames_are_read_with_nothing_but_what_is_in_them() {
        let stream = [HEAD, &frame("hello"), &frame("you"), &frame("cut short")[..8]].concat();
        let frames = WireFrame::all(&stream);
        let texts: Vec<Vec<u8>> = frames.iter().map(WireFrame::payload).collect();
        assert_eq!(texts, [&b"hello"[..], b"you"]);
        assert_ne!(frames[0].wire, b"hello");
        assert_eq!(WireFrame::all(b"\x83\x00nonsense"), []);
    }
}
