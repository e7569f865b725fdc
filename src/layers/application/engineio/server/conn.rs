//! One TCP connection at the server: a request being read, one being answered, or a WebSocket.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::{Buf as _, Bytes, BytesMut};

use super::SessionKey;
use crate::base::Instant;
use crate::layers::application::engineio::request::Answering;
use crate::layers::application::http::{BodyReader, HeadParser, RequestHead};
use crate::layers::application::websocket;

/// One TCP connection, and what it is used for.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) state: State,
    /// Its other end, where the driver knows one.
    pub(super) address: Option<SocketAddr>,
    pub(super) out: Outbox,
    /// When it will have taken too long, and the entry that this has among the timers.
    pub(super) deadline: Option<Instant>,
    /// It is in the list of connections with bytes to write.
    pub(super) listed: bool,
    /// Nothing is read from it: it is one of those that hold most, while all together hold too much.
    pub(super) is_slowed: bool,
}

impl Conn {
    /// Bytes that came before their turn.
    pub(super) fn early(&self) -> usize {
        if let State::Answering { early, .. } = &self.state { early.len() } else { 0 }
    }
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum State {
    /// The head of a request is awaited, or has begun.
    Head(Box<HeadParser<RequestHead>>),
    /// The body of a POST is being read.
    Body { reader: Box<BodyReader>, session: SessionKey, answering: Box<Answering> },
    /// A request is whole and not answered. What the client sends before that is kept, within bounds.
    Answering { session: Option<SessionKey>, answering: Box<Answering>, early: BytesMut },
    /// The connection has been taken over.
    WebSocket { machine: Box<websocket::Connection>, session: SessionKey },
    /// Nothing is read any more; it is closed when everything is written.
    Ending,
}

/// What waits to be written to one connection.
#[derive(Debug, Default)]
pub struct Outbox {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// Bytes that have been written so far, and at which of all bytes a message begins: one in many.
    written: u64,
    marks: VecDeque<u64>,
    /// Bytes at the front that are being written by another thread.
    lent: usize,
}

impl Outbox {
    /// Bytes that wait to be written.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits to be written.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The pieces in order, for one vectored write.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> + Clone {
        self.pieces.iter()
    }

    /// The first bytes are being written elsewhere.
    pub(super) fn lend(&mut self, bytes: usize) {
        self.lent = bytes.min(self.bytes);
    }

    /// `written` bytes were written.
    pub fn advance(&mut self, mut written: usize) {
        self.lent = 0;
        self.bytes = self.bytes.saturating_sub(written);
        self.written += written as u64;
        while self.marks.front().is_some_and(|mark| *mark < self.written) {
            self.marks.pop_front();
        }
        while written > 0 {
            let Some(piece) = self.pieces.front_mut() else { return };
            let part = written.min(piece.len());
            written -= part;
            if part == piece.len() {
                self.pieces.pop_front();
            } else {
                piece.advance(part);
            }
        }
        if self.pieces.is_empty() && self.pieces.capacity() > 64 {
            // A connection that once had to wait does not keep the room for it.
            self.pieces = VecDeque::new();
        }
    }

    /// A message begins here. It is noted once in a while.
    pub(super) fn mark(&mut self) {
        const APART: u64 = 32 << 10;
        let here = self.written + self.bytes as u64;
        if here >= self.marks.back().copied().unwrap_or(self.written) + APART {
            self.marks.push_back(here);
        }
    }

    /// Drops all messages from a place on where one begins, the nearest that is known, but for what is being written.
    pub(super) fn shorten(&mut self) {
        let earliest = self.written + self.lent as u64;
        let Some(mark) = self.marks.iter().copied().find(|mark| *mark >= earliest) else { return };
        let kept = usize::try_from(mark - self.written).unwrap_or(usize::MAX);
        self.marks.clear();
        let mut left = kept.min(self.bytes);
        self.bytes = left;
        let mut pieces = VecDeque::new();
        for mut piece in std::mem::take(&mut self.pieces) {
            if left == 0 {
                break;
            }
            piece.truncate(left);
            left -= piece.len();
            pieces.push_back(piece);
        }
        self.pieces = pieces;
    }

    /// Pieces are counted by their bytes. Very short ones, such as the answers to pings of a client that reads none of
    /// them, take many times that, so once many pieces wait those are joined.
    pub(super) fn push(&mut self, bytes: Bytes) {
        const MANY: usize = 64;
        const SHORT: usize = 64;
        const JOINED: usize = 2 << 10;
        if bytes.is_empty() {
            return;
        }
        self.bytes += bytes.len();
        let has_room = self.pieces.back().is_some_and(|last| last.len() + bytes.len() <= JOINED);
        if self.pieces.len() >= MANY
            && bytes.len() <= SHORT
            && has_room
            && let Some(last) = self.pieces.pop_back()
        {
            let mut joined = last.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
            joined.extend_from_slice(&bytes);
            self.pieces.push_back(joined.freeze());
        } else {
            self.pieces.push_back(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_short_pieces_are_kept_as_few() {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for count in 0..100_000_u32 {
            let piece = [(count >> 8) as u8, count as u8];
            outbox.push(Bytes::copy_from_slice(&piece));
            expected.extend(piece);
        }
        assert_eq!(outbox.len(), expected.len());
        assert!(outbox.pieces().count() <= 64 + 100, "{} pieces", outbox.pieces().count());
        outbox.advance(101);
        assert_eq!(outbox.pieces().flatten().copied().collect::<Vec<u8>>(), expected[101..]);
    }

    #[test]
    fn what_is_cut_off_begins_with_a_message_and_little_is_left() {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for n in 0..10_000_u32 {
            outbox.mark();
            let message = [n.to_be_bytes().to_vec(), vec![0xff; 900]].concat();
            outbox.push(Bytes::copy_from_slice(&message[..4]));
            outbox.push(Bytes::copy_from_slice(&message[4..]));
            expected.extend(message);
            if n == 5000 {
                outbox.advance(1_000_001);
            }
        }
        outbox.shorten();
        let left: Vec<u8> = outbox.pieces().flatten().copied().collect();
        assert_eq!(outbox.len(), left.len());
        assert!(!left.is_empty() && left.len() < 40_000, "{} bytes", left.len());
        assert!(expected[1_000_001..].starts_with(&left));
        assert_eq!((1_000_001 + left.len()) % 904, 0, "whole messages");
        outbox.shorten();
        assert_eq!(outbox.len(), left.len());
    }

    #[test]
    fn what_another_thread_is_writing_is_not_cut_off() {
        let mut outbox = Outbox::default();
        for n in 0..1000_u32 {
            outbox.mark();
            outbox.push(Bytes::from(vec![n as u8; 1000]));
        }
        outbox.lend(64_000);
        outbox.shorten();
        assert!((64_000..64_000 + 2 * (33 << 10)).contains(&outbox.len()), "{}", outbox.len());
        outbox.advance(64_000);
        assert_eq!(outbox.pieces().next().expect("a piece")[0], 64);
        outbox.shorten();
        assert!(outbox.len() < 33 << 10, "{}", outbox.len());
    }
}
