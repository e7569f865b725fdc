//! The header of an Engine.IO packet: one character, its type.
//!
//! It comes before what the packet carries, in a WebSocket text message and in an HTTP body alike
//! (`engine.io-protocol` v4, "Packet encoding"). A binary WebSocket message has no header: it is a message as it is.

use crate::base::{Field, Show};

/// The types, by their characters. `b` replaces 4 where bytes are written as base64.
pub const TYPES: &[(char, &str)] = &[
    ('0', "open"),
    ('1', "close"),
    ('2', "ping"),
    ('3', "pong"),
    ('4', "message"),
    ('5', "upgrade"),
    ('6', "noop"),
    ('b', "message of bytes, in base64"),
];

/// The header's only field.
pub const FIELDS: &[Field] =
    &[Field::new("Type", 8, Show::Chars(TYPES), "engine.io-protocol v4, Packet encoding")];

/// What a type is called; `None` for what is no type.
pub fn type_name(kind: u8) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| u32::from(*known) == u32::from(kind)).map(|(_, name)| *name)
}
