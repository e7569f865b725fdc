//! Writes network bytes.

use bytes::{Bytes, BytesMut};

/// A growing run of bytes in network order (big-endian, RFC 1700).
///
/// It writes into one larger block of memory and cuts finished packets off its front, so that a packet costs no
/// allocation of its own; the block is used again when all packets cut from it are gone.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: BytesMut,
}

impl Writer {
    /// Memory is taken in blocks of this size: large enough to hold forty full Ethernet frames.
    const BLOCK: usize = 64 * 1024;

    /// An empty writer.
    pub fn new() -> Self {
        Writer::default()
    }

    /// Makes room for `n` more bytes, from the block at hand when it has them.
    pub fn reserve(&mut self, n: usize) {
        if self.bytes.capacity() - self.bytes.len() < n {
            self.bytes.reserve(n.max(Self::BLOCK));
        }
    }

    /// Bytes written since the last [`finish`](Writer::finish).
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True when nothing was written since the last [`finish`](Writer::finish).
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Writes a number as two bytes.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes a number as four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes a number as eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes `n` zero bytes.
    pub fn zeros(&mut self, n: usize) {
        self.bytes.resize(self.bytes.len() + n, 0);
    }

    /// Overwrites two bytes written before, at `at`: for a checksum or length that is known only later.
    ///
    /// # Panics
    /// When those bytes were not written yet.
    pub fn patch_u16(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }

    /// Everything written since the last call, as one piece that can be shared. The writer is empty again.
    pub fn finish(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_pieces_are_apart() {
        let mut w = Writer::new();
        w.u16(0x0102);
        w.zeros(2);
        w.patch_u16(2, 0x0304);
        let first = w.finish();
        w.u8(9);
        assert_eq!(&first[..], [1, 2, 3, 4]);
        assert_eq!(&w.finish()[..], [9]);
    }
}
