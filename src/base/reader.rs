//! Reads network bytes, and says where and what when they are not as expected.

use super::{ErrorKind, Errors, Layer, ParseError, Wording};

/// A cursor over bytes in network order (big-endian, RFC 1700).
///
/// It knows which header is being read, so every error names layer, protocol, field and place.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// Where `bytes` begin in the outermost buffer.
    base: usize,
    layer: Layer,
    protocol: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`, which hold a header of `protocol`.
    pub fn new(layer: Layer, protocol: &'static str, bytes: &'a [u8]) -> Self {
        Reader { bytes, position: 0, base: 0, layer, protocol }
    }

    /// The same reader with `bytes` known to begin `base` bytes into something larger: errors count from there.
    pub fn starting_at(mut self, base: usize) -> Self {
        self.base = base;
        self
    }

    /// A reader for the next header in, at this one's position.
    pub fn enter(&self, layer: Layer, protocol: &'static str) -> Reader<'a> {
        Reader { bytes: &self.bytes[self.position..], position: 0, base: self.offset(), layer, protocol }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The reader's position in the outermost buffer.
    pub fn offset(&self) -> usize {
        self.base + self.position
    }

    /// The bytes not yet read.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// All bytes from the start of this header, read and unread.
    pub fn whole(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many bytes are left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// Incomplete when fewer are left.
    #[inline]
    pub fn take(&mut self, n: usize, field: &'static str) -> Result<&'a [u8], ParseError> {
        if self.remaining() < n {
            return Err(self.incomplete(field, n));
        }
        let taken = &self.bytes[self.position..self.position + n];
        self.position += n;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// Incomplete when fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], ParseError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, field)?);
        Ok(array)
    }

    /// The next byte.
    ///
    /// # Errors
    /// Incomplete when there is none.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, ParseError> {
        self.array(field).map(u8::from_be_bytes)
    }

    /// The next two bytes as a number.
    ///
    /// # Errors
    /// Incomplete when fewer are left.
    #[inline]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, ParseError> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// The next four bytes as a number.
    ///
    /// # Errors
    /// Incomplete when fewer are left.
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, ParseError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// The next eight bytes as a number.
    ///
    /// # Errors
    /// Incomplete when fewer are left.
    #[inline]
    pub fn u64(&mut self, field: &'static str) -> Result<u64, ParseError> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// The error for a field that broke a rule, `at` bytes into this header.
    #[cold]
    pub fn malformed(
        &self,
        field: &'static str,
        at: usize,
        expected: impl Into<Wording>,
        got: impl Into<Wording>,
    ) -> ParseError {
        Errors::of(self.layer, self.protocol).malformed(field, self.base + at, expected, got)
    }

    /// The error for a field of `n` bytes of which too few have come.
    #[cold]
    pub fn incomplete(&self, field: &'static str, n: usize) -> ParseError {
        let (expected, got) = (Wording::Bytes(n), Wording::Left(self.remaining()));
        ParseError { kind: ErrorKind::Incomplete, ..self.malformed(field, self.position, expected, got) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_most_significant_byte_first() {
        let mut r = Reader::new(Layer::Link, "test", &[1, 2, 3, 0, 0, 0, 4]);
        assert_eq!(r.u8("a").unwrap(), 1);
        assert_eq!(r.u16("b").unwrap(), 0x0203);
        assert_eq!(r.u32("c").unwrap(), 4);
        assert_eq!(r.remaining(), 0);
    }

    #[test]
    fn a_nested_reader_points_into_the_whole_frame() {
        let mut r = Reader::new(Layer::Link, "Ethernet", &[0; 20]);
        r.take(14, "header").unwrap();
        let mut inner = r.enter(Layer::Internet, "IPv4");
        inner.take(4, "start").unwrap();
        let error = inner.u32("identification").unwrap_err();
        assert!(error.is_incomplete());
        assert_eq!(error.offset, 18);
        assert_eq!(error.to_string(), "IPv4 identification at byte 18: expected 4 bytes, got 2 left");
    }
}
