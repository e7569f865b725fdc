//! The seven packet types, as five: whether an event or an ack carries bytes is seen from its arguments.

use super::{Encoded, Value};

/// One packet, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// The namespace it belongs to, with its leading slash: `/`, `/chat`.
    pub namespace: String,
    /// Its type, with what a packet of that type carries.
    pub kind: Kind,
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Type 0. From a client: let me into the namespace; the object is its credentials. From a server: you are in; the
    /// object has `sid`, and `pid` when the connection could be recovered later.
    Connect(Option<Value>),
    /// Type 1. The sender leaves the namespace; other namespaces of the connection stay.
    Disconnect,
    /// Type 2, or 5 with bytes among the arguments.
    Event {
        /// The event's name: the first element of the JSON array. Never one of [`RESERVED_EVENTS`] when decoded.
        name: String,
        /// The arguments: the array's other elements.
        args: Vec<Value>,
        /// Present when the sender wants an [`Ack`](Kind::Ack).
        ack: Option<u64>,
    },
    /// Type 3, or 6 with bytes among the arguments: the answer to an event.
    Ack {
        /// The number that the event had.
        id: u64,
        /// The arguments of the answer.
        args: Vec<Value>,
    },
    /// Type 4. A server refuses a [`Connect`](Kind::Connect): an object with `message`, and `data` where there is some.
    ConnectError(Value),
}

/// Names that libraries use for happenings of their own, so that no peer may send them as events.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

impl Packet {
    /// A packet of the main namespace or of another one.
    pub fn new(namespace: impl Into<String>, kind: Kind) -> Self {
        Packet { namespace: namespace.into(), kind }
    }

    /// An event that asks for no answer.
    pub fn event(namespace: impl Into<String>, name: impl Into<String>, args: Vec<Value>) -> Self {
        Packet::new(namespace, Kind::Event { name: name.into(), args, ack: None })
    }

    /// The packet as it goes to Engine.IO.
    pub fn encode(&self) -> Encoded {
        Encoded::of(self)
    }
}
