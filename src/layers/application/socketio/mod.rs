//! Socket.IO protocol revision 5: named events, acknowledgements and namespaces, over Engine.IO's messages.
//!
//! Read the protocol's own document first (`socket.io-protocol` v5; there is no RFC). A packet is one text message,
//! and after it one binary message for each byte array among the event's arguments:
//!
//! ```text
//!   5 1 - /chat, 7 ["photo",{"_placeholder":true,"num":0}]     then one message: <bytes>
//!   | |   |      |  '- the arguments, as JSON; where bytes were, a placeholder
//!   | |   |      '- acknowledgement id, when the sender wants an answer
//!   | |   '- namespace, left out when it is "/"
//!   | '- number of binary messages that follow, and a dash
//!   '- type of the packet
//! ```
//!
//! | concept | where |
//! |---|---|
//! | the header before the JSON, as a table | [`header`] in `header.rs` |
//! | the packet as a value | [`Packet`], [`Kind`] in `packet.rs` |
//! | arguments: JSON, and bytes anywhere in it | [`Value`] in `value.rs` |
//! | their text, and what its edges mean | [`Number`] in `json.rs` |
//! | text and attachments to packet, bounded | [`Decoder`] in `decoder.rs` |
//! | packet to text and attachments | [`Encoded`] in `encoder.rs` |
//!
//! Left out: revisions 1 to 4, whose clients Engine.IO's version refuses before they get here. What events *mean*,
//! room membership and recovery, is the event system's concern.

mod decoder;
mod encoder;
pub mod header;
mod json;
mod packet;
mod value;

pub use decoder::{Decoder, Limits};
pub use encoder::Encoded;
pub(crate) use encoder::begin_event;
pub use json::Number;
pub use packet::{Kind, Packet, RESERVED_EVENTS};
pub use value::Value;

use crate::base::{Errors, Layer};

/// The path of the HTTP endpoint at which stock servers and clients expect each other.
pub const PATH: &str = "/socket.io/";

/// What is wrong with what a peer sent.
pub(crate) const ERRORS: Errors = Errors::of(Layer::Application, PROTOCOL);

/// The name of the protocol.
pub(crate) const PROTOCOL: &str = "Socket.IO";
