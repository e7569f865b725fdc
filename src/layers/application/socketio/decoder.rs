//! Text and attachments become packets. One decoder a connection, for a packet's attachments follow its text.
//!
//! What waits here is bounded: one text, and as many attachments as [`Limits`] allow. Any error ends the connection of
//! its connection: after a packet that cannot be read, the beginning of the next one is unknown.

use bytes::Bytes;

use super::header::Parts;
use super::packet::RESERVED_EVENTS;
use super::{ERRORS, Kind, Packet, Value, json};
use crate::base::ParseError;

/// How much one packet may hold. The size of one message is bounded by Engine.IO already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attachments of one packet.
    pub attachments: usize,
    /// Bytes of all attachments of one packet together.
    pub attachment_bytes: usize,
    /// How deep arrays and objects may lie in each other, the array of arguments counted;
    /// [`Value::MAX_DEPTH`] at the utmost.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { attachments: 10, attachment_bytes: 16 << 20, depth: 100 }
    }
}

/// Reads packets from the messages of one connection.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    waiting: Option<Waiting>,
}

/// A packet whose attachments have not all arrived.
#[derive(Debug)]
struct Waiting {
    packet: Packet,
    wanted: usize,
    attachments: Vec<Bytes>,
    bytes: usize,
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    pub fn new(limits: Limits) -> Self {
        Decoder { limits, waiting: None }
    }

    /// Bytes of attachments that wait for the rest of their packet.
    pub fn waiting(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.bytes)
    }

    /// Takes a text message; `None` when attachments are to follow.
    ///
    /// # Errors
    /// Malformed: the connection is to be closed.
    pub fn text(&mut self, text: &str) -> Result<Option<Packet>, ParseError> {
        if self.waiting.is_some() {
            return Err(ERRORS.malformed("attachment", 0, "a binary message", "text"));
        }
        let (packet, wanted) = Parser { text, at: 0, limits: &self.limits }.packet()?;
        if wanted == 0 {
            return Ok(Some(packet));
        }
        self.waiting = Some(Waiting { packet, wanted, attachments: Vec::new(), bytes: 0 });
        Ok(None)
    }

    /// Takes a binary message; `None` when more attachments are to follow.
    ///
    /// # Errors
    /// Malformed: the connection is to be closed.
    pub fn binary(&mut self, bytes: Bytes) -> Result<Option<Packet>, ParseError> {
        let Some(waiting) = &mut self.waiting else {
            return Err(ERRORS.malformed("type", 0, "a packet that announces attachments", "an attachment"));
        };
        waiting.bytes = waiting.bytes.saturating_add(bytes.len());
        if waiting.bytes > self.limits.attachment_bytes {
            let expected = format!("at most {} bytes of attachments", self.limits.attachment_bytes);
            self.waiting = None;
            return Err(ERRORS.malformed("attachment", 0, expected, "more"));
        }
        waiting.attachments.push(bytes);
        if waiting.attachments.len() < waiting.wanted {
            return Ok(None);
        }
        let Some(Waiting { mut packet, attachments, .. }) = self.waiting.take() else { return Ok(None) };
        if let Kind::Event { args, .. } | Kind::Ack { args, .. } = &mut packet.kind {
            let mut attachments = attachments.into_iter().map(Some).collect::<Vec<_>>();
            args.iter_mut().try_for_each(|value| put_back(value, &mut attachments))?;
        }
        Ok(Some(packet))
    }
}

/// Puts attachments in place of their placeholders. Each may be used once: a few bytes that say "the same megabyte
/// again", a thousand times, would make a flood of what they are passed on as.
fn put_back(value: &mut Value, attachments: &mut [Option<Bytes>]) -> Result<(), ParseError> {
    if value.is_placeholder() {
        let num = value.get("num").and_then(Value::as_u64).and_then(|num| usize::try_from(num).ok());
        let bytes = num.and_then(|num| attachments.get_mut(num)).and_then(Option::take).ok_or_else(|| {
            ERRORS.malformed("placeholder", 0, "the number of an attachment, each once", "another")
        })?;
        *value = Value::Binary(bytes);
        return Ok(());
    }
    match value {
        Value::Array(elements) => elements.iter_mut().try_for_each(|value| put_back(value, attachments)),
        Value::Object(members) => members.iter_mut().try_for_each(|(_, value)| put_back(value, attachments)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Binary(_) => Ok(()),
    }
}

/// Reads one text from front to back.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    limits: &'a Limits,
}

impl<'a> Parser<'a> {
    /// The packet, and how many attachments follow.
    fn packet(mut self) -> Result<(Packet, usize), ParseError> {
        let kind = self.text.bytes().next();
        self.at = 1;
        let Some(kind @ b'0'..=b'6') = kind else {
            let got = self.text.chars().next().map_or("nothing".into(), |c| format!("{c:?}"));
            return Err(ERRORS.malformed("type", 0, "a digit from 0 to 6", got));
        };
        let parts = Parts::of(self.text.as_bytes());
        let wanted = if matches!(kind, b'5' | b'6') { self.attachments(&parts)? } else { 0 };
        // A namespace begins with a slash; anything else is of the main one. All of it is the name: the third version
        // of the protocol split a query from it, and answers would not find the client that asks by the whole of it.
        let namespace = match &self.text[parts.attachments..parts.namespace] {
            "" => "/".into(),
            name => name.strip_suffix(',').unwrap_or(name).into(),
        };
        self.at = parts.namespace;
        let id = self.id(kind, &parts)?;
        let kind = match kind {
            b'0' => Kind::Connect(self.json()?.map_or(Ok(None), |auth| match auth {
                Value::Object(_) => Ok(Some(auth)),
                _ => Err(self.wrong("data", "an object")),
            })?),
            b'1' if self.rest().is_empty() => Kind::Disconnect,
            b'1' => return Err(self.wrong("data", "nothing")),
            b'2' | b'5' => {
                let (name, args) = self.event()?;
                Kind::Event { name, args, ack: id }
            }
            b'3' | b'6' => {
                let id = id.ok_or_else(|| self.wrong("acknowledgement id", "a number"))?;
                Kind::Ack { id, args: self.array()? }
            }
            _ => match self.json()? {
                Some(error @ (Value::Object(_) | Value::String(_))) => Kind::ConnectError(error),
                _ => return Err(self.wrong("data", "an object or a string")),
            },
        };
        Ok((Packet { namespace, kind }, wanted))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// How many attachments follow: digits and a dash.
    fn attachments(&mut self, parts: &Parts) -> Result<usize, ParseError> {
        let field = &self.text[1..parts.attachments];
        let digits = field.strip_suffix('-');
        let number: u64 =
            digits.unwrap_or(field).parse().map_err(|_| self.wrong("attachments", "a number and a dash"))?;
        if digits.is_none() {
            self.at = parts.attachments;
            return Err(self.wrong("attachments", "a dash after the number"));
        }
        match usize::try_from(number) {
            Ok(number) if number <= self.limits.attachments => Ok(number),
            _ => {
                let expected = format!("at most {}", self.limits.attachments);
                Err(ERRORS.malformed("attachments", 1, expected, number.to_string()))
            }
        }
    }

    /// The number of a question or an answer. No question ever had one too large for 64 bits: an answer to that is
    /// ignored like any that is not awaited, but an event with it could not be answered.
    fn id(&mut self, kind: u8, parts: &Parts) -> Result<Option<u64>, ParseError> {
        let digits = &self.text[parts.namespace..parts.id];
        if digits.is_empty() {
            return Ok(None);
        }
        let id = match digits.parse() {
            Ok(id) => id,
            Err(_) if matches!(kind, b'3' | b'6') => u64::MAX,
            Err(_) => return Err(self.wrong("acknowledgement id", "a number of at most 64 bits")),
        };
        self.at = parts.id;
        Ok(Some(id))
    }

    /// The JSON that is the rest of the text.
    fn json(&self) -> Result<Option<Value>, ParseError> {
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        // The offset counts from the start of the packet.
        json::read(rest, self.limits.depth.min(Value::MAX_DEPTH))
            .map(Some)
            .map_err(|error| ParseError { offset: self.at + error.offset, ..error })
    }

    fn array(&self) -> Result<Vec<Value>, ParseError> {
        match self.json()? {
            Some(Value::Array(elements)) => Ok(elements),
            _ => Err(self.wrong("data", "an array")),
        }
    }

    /// An array whose first element is the name. Some libraries allow a number there.
    fn event(&self) -> Result<(String, Vec<Value>), ParseError> {
        let mut elements = self.array()?.into_iter();
        let name = match elements.next() {
            Some(Value::String(name)) if !RESERVED_EVENTS.contains(&name.as_str()) => name,
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(_)) => return Err(self.wrong("event name", "one that is not reserved")),
            _ => return Err(self.wrong("event name", "a string")),
        };
        Ok((name, elements.collect()))
    }

    /// The error for the byte at this position.
    fn wrong(&self, field: &'static str, expected: &'static str) -> ParseError {
        let start: String = self.rest().chars().take(16).collect();
        ERRORS.malformed(field, self.at, expected, format!("{start:?}"))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
