//! A packet becomes one text and its attachments.

use std::io::Write as _;

use bytes::Bytes;

use super::header::Parts;
use super::{Kind, Packet, Value, json};
use crate::layers::application::websocket::Utf8Bytes;

/// A packet as Engine.IO carries it: a text message, then a binary message for each attachment.
///
/// Cloning it shares the bytes: a broadcast is encoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The text, without Engine.IO's own type before it.
    pub text: Utf8Bytes,
    /// The byte arrays among the arguments, in order.
    pub attachments: Vec<Bytes>,
}

impl Encoded {
    /// Encodes a packet: its text, and its attachments.
    pub fn of(packet: &Packet) -> Self {
        let (plain, with_bytes, binary) = match &packet.kind {
            Kind::Connect(_) => (b'0', b'0', 0),
            Kind::Disconnect => (b'1', b'1', 0),
            Kind::Event { args, .. } => (b'2', b'5', count(args)),
            Kind::Ack { args, .. } => (b'3', b'6', count(args)),
            Kind::ConnectError(_) => (b'4', b'4', 0),
        };
        let mut text = begin(if binary > 0 { with_bytes } else { plain }, &packet.namespace, binary);
        let mut taken = (binary > 0).then(|| Vec::with_capacity(binary));
        match &packet.kind {
            Kind::Connect(Some(value)) | Kind::ConnectError(value) => {
                json::write(value, &mut text, &mut None);
            }
            Kind::Connect(None) | Kind::Disconnect => {}
            Kind::Event { name, args, ack } => {
                if let Some(id) = ack {
                    let _ = write!(text, "{id}");
                }
                text.push(b'[');
                json::write_string(name, &mut text);
                for value in args {
                    text.push(b',');
                    json::write(value, &mut text, &mut taken);
                }
                text.push(b']');
            }
            Kind::Ack { id, args } => {
                let _ = write!(text, "{id}[");
                for (at, value) in args.iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    json::write(value, &mut text, &mut taken);
                }
                text.push(b']');
            }
        }
        // A namespace is UTF-8, and so is JSON.
        let text = Utf8Bytes::try_from(Bytes::from(text)).unwrap_or_default();
        Encoded { text, attachments: taken.unwrap_or_default() }
    }

    /// Whether it lets a client into its namespace, or asks to be let in.
    pub fn is_connect(&self) -> bool {
        self.text.as_bytes().first() == Some(&b'0')
    }

    /// The namespace it belongs to.
    pub fn namespace(&self) -> &str {
        let parts = Parts::of(self.text.as_bytes());
        match self.text.as_str().get(parts.attachments..parts.namespace) {
            Some(name) if !name.is_empty() => name.strip_suffix(',').unwrap_or(name),
            _ => "/",
        }
    }

    /// Bytes in all: of the text and of the attachments.
    pub fn len(&self) -> usize {
        self.text.as_bytes().len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// Never: a packet has a type at least.
    pub fn is_empty(&self) -> bool {
        self.text.as_bytes().is_empty()
    }
}

/// The text of an event up to its name, with room for arguments of which `binary` are bytes: `2["name"`.
pub(crate) fn begin_event(namespace: &str, name: &str, binary: usize) -> Vec<u8> {
    let mut text = begin(if binary > 0 { b'5' } else { b'2' }, namespace, binary);
    text.push(b'[');
    json::write_string(name, &mut text);
    text
}

/// The text of a packet up to its namespace.
fn begin(kind: u8, namespace: &str, binary: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(128);
    text.push(kind);
    if binary > 0 {
        let _ = write!(text, "{binary}-");
    }
    if namespace != "/" {
        text.extend_from_slice(namespace.as_bytes());
        text.push(b',');
    }
    text
}

fn count(args: &[Value]) -> usize {
    args.iter().map(Value::count_binary).sum()
}
