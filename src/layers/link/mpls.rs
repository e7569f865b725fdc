//! MPLS labels: switching by a number instead of an address (RFC 3032 §2.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------------------------------+-----+-+---------------+
//! |                 label                 | TC  |S|      TTL      |
//! +---------------------------------------+-----+-+---------------+
//! ```
//!
//! Labels are stacked; S marks the bottom one. Nothing says what lies below it: those who gave out the label know. An
//! observer has to guess by the first four bits, as routers that share load do (RFC 4928 §2).

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// One entry of a label stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MplsLabel {
    /// The label: 20 bits.
    pub label: u32,
    /// The traffic class: 3 bits (RFC 5462).
    pub traffic_class: u8,
    /// Whether it is the last label.
    pub bottom: bool,
    /// How many more routers may forward it.
    pub ttl: u8,
}

impl Header for MplsLabel {
    const PROTOCOL: &'static str = "MPLS";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("label", 20, Show::Dec, "RFC 3032 §2.1"),
        Field::new("traffic class", 3, Show::Dec, "RFC 5462"),
        Field::new("S", 1, Show::Dec, "RFC 3032 §2.1"),
        Field::new("TTL", 8, Show::Dec, "RFC 3032 §2.1"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let entry = r.u32("label")?;
        Ok(MplsLabel {
            label: entry >> 12,
            traffic_class: (entry >> 9 & 7) as u8,
            bottom: entry & 0x100 != 0,
            ttl: entry as u8,
        })
    }

    fn emit(&self, w: &mut Writer) {
        let class = u32::from(self.traffic_class & 7) << 9;
        w.u32(self.label << 12 | class | u32::from(self.bottom) << 8 | u32::from(self.ttl));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_label_is_read_bit_by_bit() {
        let label =
            MplsLabel::parse(&mut Reader::new(Layer::Link, "MPLS", &[0x00, 0x01, 0x0d, 0x40])).unwrap();
        assert_eq!(label, MplsLabel { label: 16, traffic_class: 6, bottom: true, ttl: 64 });
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(label in 0u32..1 << 20, traffic_class in 0u8..8, bottom: bool, ttl: u8) {
            let entry = MplsLabel { label, traffic_class, bottom, ttl };
            let mut w = Writer::new();
            entry.emit(&mut w);
            prop_assert_eq!(w.len(), entry.header_len());
            prop_assert_eq!(MplsLabel::parse(&mut Reader::new(Layer::Link, "MPLS", w.as_slice())).unwrap(), entry);
        }
    }
}
