//! The arguments of an event: JSON (RFC 8259), and bytes wherever a value may be.
//!
//! Objects keep the order in which their members came, as JavaScript does: what is passed on looks as it was sent.

use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::json::{self, Number};
use crate::base::ParseError;

/// One value: JSON's six kinds, and bytes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, of any size.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object. When a name comes twice the last one counts, as in JavaScript.
    Object(Vec<(String, Value)>),
    /// Bytes, which JSON does not have: they travel in a message of their own.
    Binary(Bytes),
}

impl Value {
    /// How deep arrays and objects may lie in each other, at the utmost: copying, writing and dropping a value call
    /// themselves for each. [`Limits`](super::Limits) sets how much of it a peer may use.
    pub const MAX_DEPTH: usize = 512;

    /// An object of these members.
    pub fn object<const N: usize>(members: [(&str, Value); N]) -> Self {
        Value::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The member of an object with this name; `None` for other values too.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, when it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when it is a whole one that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The elements, when it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// How many pieces of bytes are in it.
    pub fn count_binary(&self) -> usize {
        match self {
            Value::Binary(_) => 1,
            Value::Array(elements) => elements.iter().map(Value::count_binary).sum(),
            Value::Object(members) => members.iter().map(|(_, value)| value.count_binary()).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }

    /// Whether it is an object in the form of a placeholder for bytes.
    pub(super) fn is_placeholder(&self) -> bool {
        self.get("_placeholder") == Some(&Value::Bool(true))
    }

    /// Reads JSON text.
    ///
    /// # Errors
    /// Malformed when it is not JSON, or nests deeper than [`MAX_DEPTH`](Value::MAX_DEPTH).
    pub fn from_json(text: &str) -> Result<Self, ParseError> {
        json::read(text, Value::MAX_DEPTH)
    }

    /// Writes it as the argument of a packet: its bytes are taken out, where there is a place for them.
    pub(crate) fn write(&self, out: &mut Vec<u8>, taken: &mut Option<Vec<Bytes>>) {
        json::write(self, out, taken);
    }

    /// Writes a text as JSON.
    pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
        json::write_string(text, out);
    }

    /// As JSON text. Bytes become an array of numbers, which is what they look like without a protocol that carries
    /// them.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        json::write(self, &mut out, &mut None);
        // All of it was written from text.
        String::from_utf8(out).unwrap_or_default()
    }
}

/// For formats of others. Bytes become a list of numbers; what goes to a peer is written by
/// [`Encoded`](super::Encoded), which takes them out first.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(elements) => serializer.collect_seq(elements),
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Value::Binary(bytes) => serializer.collect_seq(bytes.iter()),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::Number(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Number(value.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Value::Binary(bytes)
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Value::Array(elements)
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => Value::from_json(&number.to_string()).unwrap_or_default(),
            serde_json::Value::String(text) => Value::String(text),
            serde_json::Value::Array(elements) => {
                Value::Array(elements.into_iter().map(Value::from).collect())
            }
            serde_json::Value::Object(members) => {
                Value::Object(members.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}
