//! Bytes for the kernel: small pieces made one, others handed over as they are.

use std::io::{self, IoSlice};

use bytes::Bytes;
use tokio::net::TcpStream;

use crate::layers::application::engineio::Outbox;

/// Up to this many bytes, copying the pieces into one costs less than handing the kernel each of them.
const JOIN: usize = 4096;

/// Pieces handed to the kernel in one call, which takes 1024 at most.
const PIECES: usize = 64;

/// Hands the kernel pieces, as many as go into one call.
fn write_pieces<'a>(pieces: impl Iterator<Item = &'a Bytes>, stream: &TcpStream) -> io::Result<usize> {
    let (mut slices, mut count) = ([IoSlice::new(&[]); PIECES], 0);
    for (slice, piece) in slices.iter_mut().zip(pieces) {
        *slice = IoSlice::new(piece);
        count += 1;
    }
    stream.try_write_vectored(&slices[..count])
}

/// The bytes of one call, for another thread to make.
pub(super) enum Lot {
    Joined(Bytes),
    Pieces(Vec<Bytes>),
}

impl Lot {
    pub(super) fn len(&self) -> usize {
        match self {
            Lot::Joined(bytes) => bytes.len(),
            Lot::Pieces(pieces) => pieces.iter().map(Bytes::len).sum(),
        }
    }

    pub(super) fn write(&self, stream: &TcpStream) -> io::Result<usize> {
        match self {
            Lot::Joined(bytes) => stream.try_write(bytes),
            Lot::Pieces(pieces) => write_pieces(pieces.iter(), stream),
        }
    }
}

/// Small pieces, one after the other. Many receivers in a row are sent the same events: these are joined once.
#[derive(Default)]
pub(super) struct Joined {
    /// Held so that their memory is not used again for something else: the same place then means the same bytes.
    pieces: Vec<Bytes>,
    bytes: Vec<u8>,
    /// The same, for other threads.
    shared: Option<Bytes>,
}

impl Joined {
    /// Hands the kernel what waits, as much as goes into one call.
    pub(super) fn write(&mut self, outbox: &Outbox, stream: &TcpStream) -> io::Result<usize> {
        if outbox.len() > JOIN {
            return write_pieces(outbox.pieces(), stream);
        }
        stream.try_write(self.join(outbox.pieces()))
    }

    /// The same bytes for another thread to write.
    pub(super) fn lot(&mut self, outbox: &Outbox) -> Lot {
        if outbox.len() > JOIN {
            return Lot::Pieces(outbox.pieces().take(PIECES).cloned().collect());
        }
        self.join(outbox.pieces());
        Lot::Joined(self.shared.get_or_insert_with(|| Bytes::copy_from_slice(&self.bytes)).clone())
    }

    fn join<'a>(&mut self, pieces: impl Iterator<Item = &'a Bytes> + Clone) -> &[u8] {
        let known = self.pieces.iter().map(|piece| (piece.as_ptr(), piece.len()));
        if !known.eq(pieces.clone().map(|piece| (piece.as_ptr(), piece.len()))) {
            self.pieces.clear();
            self.bytes.clear();
            self.shared = None;
            for piece in pieces {
                self.bytes.extend_from_slice(piece);
                self.pieces.push(piece.clone());
            }
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_pieces_are_those_of_the_receiver_at_hand() {
        let mut joined = Joined::default();
        let [one, two] = ["one ", "two"].map(|text| Bytes::from(text.to_owned()));
        let both = [one.clone(), two.clone()];
        assert_eq!(joined.join(both.iter()), b"one two");
        assert_eq!(joined.join(both.iter()), b"one two");
        assert_eq!(joined.join([two, one].iter()), b"twoone ");
        assert_eq!(joined.join([both[0].slice(..2)].iter()), b"on");
        assert_eq!(joined.join(both.iter()), b"one two");
    }
}
