//! A packet becomes one text and its attachments.

use std::io::Write as _;

use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use std::cell::RefCell;

use super::{Kind, Packet, Value};
use crate::layers::application::websocket::Utf8Bytes;

/// A packet as Engine.IO carries it: a text message, then a binary message for each attachment.
///
/// Cloning it shares the bytes: a broadcast is encoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The text, without Engine.IO's own type before it.
    pub text: Utf8Bytes,
    /// The bytes that stood among the arguments, in order.
    pub attachments: Vec<Bytes>,
}

impl Encoded {
    /// Writes a packet.
    pub fn of(packet: &Packet) -> Self {
        let (plain, with_bytes, binary) = match &packet.kind {
            Kind::Connect(_) => (b'0', b'0', 0),
            Kind::Disconnect => (b'1', b'1', 0),
            Kind::Event { args, .. } => (b'2', b'5', count(args)),
            Kind::Ack { args, .. } => (b'3', b'6', count(args)),
            Kind::ConnectError(_) => (b'4', b'4', 0),
        };
        let mut text = Vec::with_capacity(128);
        text.push(if binary > 0 { with_bytes } else { plain });
        if binary > 0 {
            let _ = write!(text, "{binary}-");
        }
        if packet.namespace != "/" {
            text.extend_from_slice(packet.namespace.as_bytes());
            text.push(b',');
        }
        let taken = RefCell::new(Vec::with_capacity(binary));
        // Writing JSON to memory cannot fail: there are no maps with keys that are not strings.
        let _ = match &packet.kind {
            Kind::Connect(Some(value)) | Kind::ConnectError(value) => serde_json::to_writer(&mut text, value),
            Kind::Connect(None) | Kind::Disconnect => Ok(()),
            Kind::Event { name, args, ack } => {
                if let Some(id) = ack {
                    let _ = write!(text, "{id}");
                }
                let elements = Elements { name: Some(name), args, taken: (binary > 0).then_some(&taken) };
                serde_json::to_writer(&mut text, &elements)
            }
            Kind::Ack { id, args } => {
                let _ = write!(text, "{id}");
                let elements = Elements { name: None, args, taken: (binary > 0).then_some(&taken) };
                serde_json::to_writer(&mut text, &elements)
            }
        };
        // serde_json writes UTF-8 only, and so is a namespace.
        let text = Utf8Bytes::try_from(Bytes::from(text)).unwrap_or_default();
        Encoded { text, attachments: taken.into_inner() }
    }

    /// Bytes in all.
    pub fn len(&self) -> usize {
        self.text.as_bytes().len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// Never: a packet has a type at least.
    pub fn is_empty(&self) -> bool {
        self.text.as_bytes().is_empty()
    }
}

fn count(args: &[Value]) -> usize {
    args.iter().map(Value::count_binary).sum()
}

/// The array of an event or an ack.
struct Elements<'a> {
    name: Option<&'a str>,
    args: &'a [Value],
    taken: Option<&'a RefCell<Vec<Bytes>>>,
}

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        if let Some(name) = self.name {
            seq.serialize_element(name)?;
        }
        for value in self.args {
            seq.serialize_element(&Extracting { value, taken: self.taken })?;
        }
        seq.end()
    }
}

/// Writes a value as JSON and takes its bytes out, leaving placeholders; with nothing to take it is plain JSON.
struct Extracting<'a> {
    value: &'a Value,
    taken: Option<&'a RefCell<Vec<Bytes>>>,
}

impl Serialize for Extracting<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(taken) = self.taken else { return self.value.serialize(serializer) };
        let inner = |value| Extracting { value, taken: self.taken };
        match self.value {
            Value::Binary(bytes) => {
                let num = taken.borrow().len();
                taken.borrow_mut().push(bytes.clone());
                Value::placeholder(num).serialize(serializer)
            }
            // Somebody sent an object that looks like a placeholder as plain data. In a packet with attachments its
            // receiver would take it for one, and end the connection when there is no such attachment.
            Value::Object(_) if self.value.is_placeholder() => serializer.serialize_unit(),
            Value::Array(elements) => serializer.collect_seq(elements.iter().map(inner)),
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, &inner(value))?;
                }
                map.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}
