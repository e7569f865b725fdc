//! Bytes that a program has handed over and TCP has no room for yet: what every program of a simulated host needs that
//! writes more than fits a send buffer.
//!
//! It has no bound of its own: the caller of [`push`](Outgoing::push) bounds it, by [`len`](Outgoing::len).

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{Io, SendError, SocketId};

/// What waits for one socket.
#[derive(Debug, Default)]
pub struct Outgoing {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// Whether what waits is written in one piece.
    together: bool,
}

/// Bytes written in one piece, at most.
const PIECE: usize = 64 << 10;

impl Outgoing {
    /// Each piece becomes a write of its own.
    pub fn in_pieces() -> Self {
        Outgoing::default()
    }

    /// What waits is written together: a header and its payload in two writes would wait for each other (RFC 9293
    /// §3.7.4).
    pub fn together() -> Self {
        Outgoing { together: true, ..Outgoing::default() }
    }

    /// Appends bytes to the queue.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.bytes += bytes.len();
            self.pieces.push_back(bytes);
        }
    }

    /// Bytes in the queue.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether every byte was written.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Writes as far as TCP has room; what is left goes when the socket is writable again. Says how many bytes went.
    ///
    /// # Errors
    /// Nothing can be sent any more, and what waited is gone.
    pub fn flush(&mut self, socket: SocketId, io: &mut Io<'_>) -> Result<usize, SendError> {
        let mut written = 0;
        while let Some(piece) = self.next() {
            let taken = match io.tcp_write(socket, &piece) {
                Ok(taken) => taken,
                Err(error) => {
                    (self.pieces, self.bytes) = (VecDeque::new(), 0);
                    return Err(error);
                }
            };
            written += taken;
            self.bytes -= taken;
            if taken < piece.len() {
                self.pieces.push_front(piece.slice(taken..));
                break;
            }
        }
        Ok(written)
    }

    /// What the next write is of.
    fn next(&mut self) -> Option<Bytes> {
        let first = self.pieces.pop_front()?;
        let joins = |next: &Bytes, len: usize| self.together && len + next.len() <= PIECE;
        if !self.pieces.front().is_some_and(|next| joins(next, first.len())) {
            return Some(first);
        }
        let mut joined = BytesMut::from(&first[..]);
        while self.pieces.front().is_some_and(|next| joins(next, joined.len())) {
            joined.extend(self.pieces.pop_front());
        }
        Some(joined.freeze())
    }
}
