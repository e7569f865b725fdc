//! The header of a Socket.IO packet: everything before its JSON, and where each part of it ends.
//!
//! A header of text has no fixed widths: each part ends at the first character that cannot belong to it
//! (`socket.io-protocol` v5, "Packet encoding"). [`Parts`] finds these places and judges nothing; the decoder, the
//! dissector and all code that routes an encoded packet read by it.

use crate::base::{Field, Show};

/// The types, by their characters.
pub const TYPES: &[(char, &str)] = &[
    ('0', "CONNECT"),
    ('1', "DISCONNECT"),
    ('2', "EVENT"),
    ('3', "ACK"),
    ('4', "CONNECT_ERROR"),
    ('5', "BINARY_EVENT"),
    ('6', "BINARY_ACK"),
];

const CITE: &str = "socket.io-protocol v5, Packet encoding";

/// The fields in their order. All but the type may be missing, so their widths are those of a packet.
pub const FIELDS: &[Field] = &[
    Field::new("Type", 8, Show::Chars(TYPES), CITE),
    Field::new("Attachments", 0, Show::Text, CITE),
    Field::new("Namespace", 0, Show::Text, CITE),
    Field::new("Acknowledgement id", 0, Show::Text, CITE),
];

/// What a type is called; `None` for what is no type.
pub fn type_name(kind: u8) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| u32::from(*known) == u32::from(kind)).map(|(_, name)| *name)
}

/// Where the parts of a header end. Each begins where the one before it ends; the first is the type, one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The number of attachments with its dash, of the binary types only.
    pub attachments: usize,
    /// The namespace, from its slash to its comma or to the end of the text.
    pub namespace: usize,
    /// The digits of the acknowledgement id. Here the data begins.
    pub id: usize,
}

impl Parts {
    /// Finds them in the text of a packet, whatever it is.
    pub fn of(text: &[u8]) -> Self {
        let digits = |from: usize| {
            let rest = text.get(from..).unwrap_or_default();
            from + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
        };
        let start = text.len().min(1);
        let attachments = match text.first() {
            Some(b'5' | b'6') => {
                let end = digits(start);
                end + usize::from(text.get(end) == Some(&b'-'))
            }
            _ => start,
        };
        let namespace = match text.get(attachments) {
            Some(b'/') => text[attachments..]
                .iter()
                .position(|byte| *byte == b',')
                .map_or(text.len(), |comma| attachments + comma + 1),
            _ => attachments,
        };
        Parts { attachments, namespace, id: digits(namespace) }
    }

    /// The fields that this header has, with their widths. Those that are missing have none.
    pub fn layout(&self) -> Vec<Field> {
        let ends = [1, self.attachments, self.namespace, self.id];
        let starts = [0, 1, self.attachments, self.namespace];
        let widths = ends.iter().zip(starts).map(|(end, start)| 8 * end.saturating_sub(start));
        FIELDS.iter().zip(widths).map(|(field, bits)| field.with_bits(bits)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_part_ends_where_the_next_begins() {
        let cut = |text: &str| {
            let Parts { attachments, namespace, id } = Parts::of(text.as_bytes());
            [
                &text[..1],
                &text[1..attachments],
                &text[attachments..namespace],
                &text[namespace..id],
                &text[id..],
            ]
            .map(str::to_owned)
        };
        assert_eq!(cut("51-/chat,7[1]"), ["5", "1-", "/chat,", "7", "[1]"]);
        assert_eq!(cut("212[\"e\"]"), ["2", "", "", "12", "[\"e\"]"]);
        assert_eq!(cut("0/chat"), ["0", "", "/chat", "", ""]);
        assert_eq!(cut("40"), ["4", "", "", "0", ""]);
        assert_eq!(cut("2[\"/a,1\"]"), ["2", "", "", "", "[\"/a,1\"]"]);
    }

    proptest! {
        #[test]
        fn the_parts_lie_side_by_side_in_any_bytes(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let parts = Parts::of(&text);
            prop_assert!(parts.attachments <= parts.namespace && parts.namespace <= parts.id);
            prop_assert!(parts.id <= text.len());
            let bits: usize = parts.layout().iter().map(|field| field.bits).sum();
            prop_assert!(text.is_empty() || bits == 8 * parts.id);
        }
    }
}
