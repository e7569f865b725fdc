//! What every header can do.

use super::{Field, Layer, ParseError, Reader, Writer};

/// A header as a plain owned value, with its two faces: bytes and meaning.
///
/// The law, kept by a property test beside each implementation: `parse(emit(x)) == x`.
pub trait Header: Sized {
    /// The protocol's name as people write it, such as `IPv4`.
    const PROTOCOL: &'static str;
    /// The layer it belongs to.
    const LAYER: Layer;
    /// Every field in the order of the wire. A field whose width differs from packet to packet has width 0 here.
    const FIELDS: &'static [Field];

    /// Reads one header from the front of `r`, and leaves `r` at the first byte of the payload.
    ///
    /// # Errors
    /// Says which field broke which rule, and where.
    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError>;

    /// Writes the header, any checksum that covers the header alone included.
    fn emit(&self, w: &mut Writer);

    /// The fields that *this* header has on the wire, with their true widths. They add up to a multiple of 8 bits.
    fn layout(&self) -> Vec<Field> {
        Self::FIELDS.to_vec()
    }

    /// Length on the wire in bytes.
    fn header_len(&self) -> usize {
        self.layout().iter().map(|field| field.bits).sum::<usize>() / 8
    }
}
