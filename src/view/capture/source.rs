//! The bytes of a capture file, read from its front and counted; and the frame around every block of pcapng.

use std::io::Read;

use super::{CaptureError, MOST_BYTES};
use crate::view::pcapng::block;

/// A byte order: true for big-endian.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endian(pub(super) bool);

impl Endian {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.0 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.0 { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    pub(super) fn u64(self, bytes: [u8; 8]) -> u64 {
        if self.0 { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    }
}

/// The file, and how far it was read.
#[derive(Debug)]
pub(super) struct Source<R> {
    reader: R,
    offset: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Source { reader, offset: 0 }
    }

    /// Bytes read so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Exactly `n` bytes; memory is only taken for what really comes.
    pub(super) fn take(&mut self, n: usize, what: &'static str) -> Result<Vec<u8>, CaptureError> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(n as u64).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        match read {
            Err(source) => Err(CaptureError::Io { offset: self.offset, source }),
            Ok(got) if got < n => Err(CaptureError::CutShort { what, offset: self.offset, wanted: n, got }),
            Ok(_) => Ok(bytes),
        }
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CaptureError> {
        let mut array = [0; N];
        array.copy_from_slice(&self.take(N, what)?);
        Ok(array)
    }

    /// As [`array`](Source::array), or `None` when the file ends right here.
    pub(super) fn array_or_end<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<[u8; N]>, CaptureError> {
        match self.array(what) {
            Err(CaptureError::CutShort { got: 0, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    pub(super) fn malformed(
        &self,
        what: &'static str,
        offset: u64,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> CaptureError {
        CaptureError::Malformed { what, offset, expected: expected.into(), got: got.into() }
    }

    /// A section header, behind its block type. Returns its byte order.
    pub(super) fn section_header(&mut self) -> Result<Endian, CaptureError> {
        let start = self.offset - 4;
        let len: [u8; 4] = self.array("a section header")?;
        let magic: [u8; 4] = self.array("a section header")?;
        let big_endian = match u32::from_be_bytes(magic) {
            block::BYTE_ORDER_MAGIC => true,
            swapped if swapped.swap_bytes() == block::BYTE_ORDER_MAGIC => false,
            other => {
                let got = format!("0x{other:08x}");
                return Err(self.malformed("byte-order magic", start + 8, "1a2b3c4d in either order", got));
            }
        };
        let endian = Endian(big_endian);
        let len = self.block_len(endian.u32(len), start, 28)?;
        let rest = self.take(len - 12, "a section header")?;
        let major = endian.u16([rest[0], rest[1]]);
        if major != 1 {
            return Err(self.malformed("version", start + 12, "1", major.to_string()));
        }
        self.same_len(endian, &rest, len, start)?;
        Ok(endian)
    }

    /// What stands between the length in front and the length behind.
    pub(super) fn block_body(&mut self, endian: Endian, start: u64) -> Result<Vec<u8>, CaptureError> {
        let len = endian.u32(self.array("a block")?);
        let len = self.block_len(len, start, 12)?;
        let mut rest = self.take(len - 8, "a block")?;
        self.same_len(endian, &rest, len, start)?;
        rest.truncate(len - 12);
        Ok(rest)
    }

    fn block_len(&self, len: u32, start: u64, least: usize) -> Result<usize, CaptureError> {
        let len = len as usize;
        if !(least..=MOST_BYTES).contains(&len) || !len.is_multiple_of(4) {
            let expected = format!("a multiple of 4, {least} to {MOST_BYTES}");
            return Err(self.malformed("block length", start + 4, expected, len.to_string()));
        }
        Ok(len)
    }

    fn same_len(&self, endian: Endian, rest: &[u8], len: usize, start: u64) -> Result<(), CaptureError> {
        let again = rest.last_chunk::<4>().map_or(0, |again| endian.u32(*again) as usize);
        if again == len {
            return Ok(());
        }
        let at = start + (len as u64).saturating_sub(4);
        Err(self.malformed("block length at its end", at, len.to_string(), again.to_string()))
    }
}
