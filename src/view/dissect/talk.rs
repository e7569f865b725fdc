//! What two programs say on one TCP stream, message by message: an HTTP message with its body, or a WebSocket frame.
//!
//! [`Conversations`](super::Conversations) looks at packets, which cut messages anywhere; a [`Talk`] is given the bytes
//! of the stream itself, in any pieces, as one end of it sees them: a tap on a socket, or a program's writes. Both read
//! with the same parser, so a message is taken apart alike.
//!
//! Bounds: of a message longer than [`Talk::MOST`] bytes only the beginning is kept, and taken apart.

use std::collections::VecDeque;

use super::Dissection;
use super::application::{Meaning, Parser, Session};
use super::conversations::drawn;
use super::frame::Detail;
use crate::base::ParseError;
use crate::layers::application::websocket::FrameHeader;
use crate::layers::application::websocket::mask::apply_mask;

/// A dissector of one stream, both ways.
#[derive(Debug, Clone)]
pub struct Talk {
    ends: [End; 2],
    session: Session,
    said: VecDeque<Said>,
}

/// One message of the application, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Which end said it: 0 or 1.
    pub by: usize,
    /// What kind of message it is.
    pub what: Saying,
    /// Its bytes as they were on the stream, at most [`Talk::MOST`].
    pub bytes: Vec<u8>,
    /// The same bytes as they were meant: without a frame's mask.
    pub plain: Vec<u8>,
    /// Bytes of the message, its header included.
    pub len: u64,
    /// Bytes of its head or frame header.
    pub header_len: usize,
    /// Its parts. Fields have the values that they were meant to have.
    pub dissection: Dissection,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq)]
pub enum Saying {
    /// An HTTP message.
    Http,
    /// A WebSocket frame.
    Frame(FrameHeader),
    /// Bytes of no protocol known here.
    Data,
    /// Bytes that break a rule of the protocol, and nothing that follows on this end can be read.
    Broken(ParseError),
}

/// The parser of one direction.
#[derive(Debug, Clone, Default)]
struct End {
    /// Reads ahead, to find where a message ends.
    scan: Parser,
    /// The parser as it was at the beginning of the present message.
    mark: Parser,
    kept: Vec<u8>,
    len: u64,
    broken: bool,
}

impl Default for Talk {
    fn default() -> Self {
        Talk::new()
    }
}

impl Talk {
    /// Bytes of a message that are kept.
    pub const MOST: usize = 1 << 20;

    /// A stream on which nothing was said yet.
    pub fn new() -> Self {
        Talk { session: Session::new(true), ends: <[End; 2]>::default(), said: VecDeque::new() }
    }

    /// Takes the next bytes that an end (0 or 1) has sent. What they complete waits in [`next`](Talk::next).
    pub fn feed(&mut self, by: usize, mut bytes: &[u8]) {
        let Talk { ends, session, said } = self;
        let end = &mut ends[by & 1];
        while !bytes.is_empty() && !end.broken {
            let mut problem = None;
            let taken = end.scan.feed_message(end.len, bytes, session, &mut problem);
            let room = Talk::MOST.saturating_sub(end.kept.len());
            end.kept.extend_from_slice(&bytes[..taken.min(room)]);
            end.len += taken as u64;
            bytes = &bytes[taken..];
            if let Some((_, error)) = problem {
                end.broken = true;
                said.push_back(Said::broken(by & 1, std::mem::take(&mut end.kept), error));
            } else if end.scan.is_between() {
                said.push_back(end.finish(by & 1, session));
            }
        }
    }

    /// The next message that is whole, in the order in which they became so.
    #[expect(clippy::should_implement_trait, reason = "there may be more after the last one")]
    pub fn next(&mut self) -> Option<Said> {
        self.said.pop_front()
    }
}

impl End {
    /// The message whose last byte has come.
    fn finish(&mut self, by: usize, session: &Session) -> Said {
        let (bytes, len) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.len));
        self.mark.feed_message(0, &bytes, &mut session.clone(), &mut None);
        let labels: Vec<_> = self.mark.labels().touching(0, len).cloned().collect();
        let header_len = labels.first().map_or(0, |label| match label.what {
            Meaning::Head { .. } | Meaning::FrameHeader(..) => (label.len as usize).min(bytes.len()),
            _ => 0,
        });
        let what = match labels.first().map(|label| &label.what) {
            Some(Meaning::Head { .. }) => Saying::Http,
            Some(Meaning::FrameHeader(header, _)) => Saying::Frame(*header),
            _ => Saying::Data,
        };
        let mut plain = bytes.clone();
        if let Saying::Frame(FrameHeader { mask: Some(key), .. }) = what {
            apply_mask(key, 0, &mut plain[header_len..]);
        }
        let parts = drawn(&labels, 0, &bytes, 0..bytes.len(), Detail::Fields);
        self.scan.forget_labels();
        self.mark = self.scan.clone();
        let dissection = Dissection { parts, ..Dissection::default() };
        Said { by, what, bytes, plain, len, header_len, dissection }
    }
}

impl Said {
    fn broken(by: usize, bytes: Vec<u8>, error: ParseError) -> Self {
        let (plain, len) = (bytes.clone(), bytes.len() as u64);
        let what = Saying::Broken(error);
        Said { by, what, bytes, plain, len, header_len: 0, dissection: Dissection::default() }
    }

    /// What follows its head or frame header, as it was meant.
    pub fn body(&self) -> &[u8] {
        &self.plain[self.header_len..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Header as _, Writer};
    use crate::layers::application::websocket::Opcode;
    use crate::view::dissect::{Part, Role};

    const ASK: &[u8] =
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n";
    const YES: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

    fn frame(opcode: Opcode, text: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut writer = Writer::new();
        FrameHeader { mask, ..FrameHeader::new(opcode, text.len() as u64) }.emit(&mut writer);
        let mut payload = text.to_vec();
        if let Some(key) = mask {
            apply_mask(key, 0, &mut payload);
        }
        writer.bytes(&payload);
        writer.finish().into()
    }

    fn all(talk: &mut Talk) -> Vec<Said> {
        std::iter::from_fn(|| talk.next()).collect()
    }

    fn names(said: &Said) -> Vec<(&'static str, usize)> {
        said.dissection.parts.iter().map(|part| (part.protocol, part.range.len())).collect()
    }

    fn fields(part: &Part) -> Vec<(&'static str, &str)> {
        part.fields.iter().map(|value| (value.field.name, value.text.as_str())).collect()
    }

    #[test]
    fn a_masked_frame_is_taken_apart_up_to_socket_io_with_the_values_that_were_meant() {
        for at_once in [1, 3, 1000] {
            let mut talk = Talk::new();
            let text = br#"427["say","tea","hello"]"#;
            let stream = [ASK, &frame(Opcode::Text, text, Some([1, 2, 3, 4]))].concat();
            stream.chunks(at_once).for_each(|piece| talk.feed(0, piece));
            talk.feed(1, YES);
            let said = all(&mut talk);
            assert_eq!(said.iter().map(|said| said.by).collect::<Vec<_>>(), [0, 0, 1]);
            assert_eq!((&said[0].what, said[0].len), (&Saying::Http, ASK.len() as u64));
            assert_eq!(names(&said[1]), [("WebSocket", 6), ("Engine.IO", 1), ("Socket.IO", 2), ("data", 21)]);
            assert_eq!(said[1].body(), text);
            let parts = &said[1].dissection.parts;
            assert_eq!(fields(&parts[1]), [("Type", "4 (message)")]);
            assert_eq!(fields(&parts[2]), [("Type", "2 (EVENT)"), ("Acknowledgement id", "7")]);
            assert_eq!(parts[2].fields[1].first_bit, 8 * 8, "the field lies where it lies on the stream");
        }
    }

    #[test]
    fn polling_is_taken_apart_in_bodies_and_an_ok_is_no_packet() {
        let mut talk = Talk::new();
        talk.feed(0, b"GET /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: h\r\n\r\n");
        talk.feed(1, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n40\x1e2\x1e42[1]");
        talk.feed(
            0,
            b"POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nContent-Length: 1\r\n\r\n3",
        );
        talk.feed(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        let said = all(&mut talk);
        let above = |said: &Said| names(said)[1..].to_vec();
        assert_eq!(
            above(&said[1]),
            [
                ("Engine.IO", 1),
                ("Socket.IO", 1),
                ("Engine.IO", 1),
                ("Engine.IO", 1),
                ("Engine.IO", 1),
                ("Engine.IO", 1),
                ("Socket.IO", 1),
                ("data", 3)
            ]
        );
        assert_eq!(above(&said[2]), [("Engine.IO", 1)]);
        assert_eq!(above(&said[3]), [("data", 2)]);
    }

    #[test]
    fn other_websockets_carry_data_and_so_do_frames_that_are_binary_or_compressed() {
        let mut talk = Talk::new();
        let plain = String::from_utf8_lossy(ASK).replace("EIO=4", "v=4");
        talk.feed(0, &[plain.as_bytes(), &frame(Opcode::Text, b"42[1]", None)].concat());
        assert_eq!(names(&all(&mut talk)[1]), [("WebSocket", 2), ("data", 5)]);
        let mut talk = Talk::new();
        let mut compressed = frame(Opcode::Text, b"42[1]", None);
        compressed[0] |= 0x40;
        talk.feed(0, &[ASK, &frame(Opcode::Binary, b"42[1]", None), &compressed].concat());
        let said = all(&mut talk);
        assert_eq!(names(&said[1]), [("WebSocket", 2), ("data", 5)]);
        assert_eq!(names(&said[2]), [("WebSocket", 2), ("data", 5)]);
    }

    #[test]
    fn after_a_header_that_is_none_nothing_is_read_or_kept() {
        let mut talk = Talk::new();
        talk.feed(1, YES);
        talk.feed(1, &[0x83, 0x00]);
        (0..100).for_each(|_| talk.feed(1, &[0x81; 1000]));
        let said = all(&mut talk);
        assert!(matches!(&said[..], [_, Said { what: Saying::Broken(_), .. }]), "{said:?}");
        assert_eq!(talk.ends[1].kept.capacity(), 0);
    }

    #[test]
    fn of_a_long_message_the_beginning_is_kept() {
        let mut talk = Talk::new();
        talk.feed(1, YES);
        let long = frame(Opcode::Text, &vec![b'x'; 3 << 20], None);
        long.chunks(1 << 16).for_each(|piece| talk.feed(1, piece));
        talk.feed(1, &frame(Opcode::Text, b"next", None));
        let said = all(&mut talk);
        assert_eq!((said[1].bytes.len(), said[1].len), (Talk::MOST, long.len() as u64));
        assert_eq!(said[2].body(), b"next");
        assert!(said[1].dissection.parts.iter().any(|part| part.role == Role::Data));
    }
}
