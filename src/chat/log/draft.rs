//! An event before it is committed: all of its packet but what only its offset can say.
//!
//! An event is encoded once, when it is proposed. Its text has *holes*: where clients look for the offset, as the last
//! argument, and where the program wants to see it. The log fills them when it commits the event, and from then on the
//! packet is the same bytes for every receiver, live or from the log.

use std::sync::Arc;

use bytes::Bytes;

use super::super::offset::Seals;
use super::Record;
use crate::layers::application::socketio::{Encoded, Value, begin_event};
use crate::layers::application::websocket::Utf8Bytes;

/// How the offset is written into a member of an event's first argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// As a JSON number.
    Number,
    /// As a JSON string.
    Text,
}

/// See the head of this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(in crate::chat) at_ms: u64,
    pub(in crate::chat) to: Vec<Arc<str>>,
    pub(in crate::chat) except: Vec<Arc<str>>,
    pub(in crate::chat) sender_id: Option<Arc<str>>,
    text: Vec<u8>,
    /// Places in the text, in order.
    holes: Vec<(usize, Hole)>,
    attachments: Vec<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hole {
    Stamp(Stamp),
    /// One more argument: the offset as clients see it.
    Sealed(Seals, Arc<str>),
}

impl Draft {
    /// An event of this name. Its first argument, an object, says the offset in the members that `stamps` names.
    pub(in crate::chat) fn new(
        seals: Seals,
        namespace: &Arc<str>,
        name: &str,
        args: &[Value],
        stamps: &[(&str, Stamp)],
    ) -> Self {
        let binary = args.iter().map(Value::count_binary).sum();
        let mut text = begin_event(namespace, name, binary);
        let mut taken = (binary > 0).then(|| Vec::with_capacity(binary));
        let mut holes = Vec::with_capacity(stamps.len() + 1);
        for (at, value) in args.iter().enumerate() {
            text.push(b',');
            match value {
                Value::Object(members) if at == 0 && !stamps.is_empty() => {
                    for (at, (name, value)) in members.iter().enumerate() {
                        text.push(if at == 0 { b'{' } else { b',' });
                        Value::write_string(name, &mut text);
                        text.push(b':');
                        match stamps.iter().find(|(stamped, _)| stamped == name) {
                            Some((_, stamp)) => holes.push((text.len(), Hole::Stamp(*stamp))),
                            None => value.write(&mut text, &mut taken),
                        }
                    }
                    text.extend_from_slice(if members.is_empty() { b"{}" } else { b"}" });
                }
                value => value.write(&mut text, &mut taken),
            }
        }
        holes.push((text.len(), Hole::Sealed(seals, namespace.clone())));
        text.push(b']');
        let attachments = taken.unwrap_or_default();
        Draft { at_ms: 0, to: Vec::new(), except: Vec::new(), sender_id: None, text, holes, attachments }
    }

    /// A draft in which nothing is open: whatever offset it is given, its bytes are those of the record.
    pub fn of(record: &Record) -> Self {
        let Record { at_ms, to, except, sender_id, wire, .. } = record.clone();
        let (text, attachments) = (wire.text.as_bytes().to_vec(), wire.attachments);
        Draft { at_ms, to, except, sender_id, text, holes: Vec::new(), attachments }
    }

    /// About how many bytes it will take.
    pub(in crate::chat) fn cost(&self) -> usize {
        let names = self.to.iter().chain(&self.except).map(|name| name.len() + 32);
        self.text.len() + self.attachments.iter().map(Bytes::len).sum::<usize>() + names.sum::<usize>() + 128
    }

    /// The event, committed.
    pub fn at(self, offset: u64) -> Record {
        let Draft { at_ms, to, except, sender_id, mut text, holes, attachments } = self;
        let fill = |hole: Hole| match hole {
            Hole::Stamp(Stamp::Number) => offset.to_string(),
            Hole::Stamp(Stamp::Text) => format!("\"{offset}\""),
            // The alphabet of a sealed offset needs no escape.
            Hole::Sealed(seals, namespace) => format!(",\"{}\"", seals.write(&namespace, offset)),
        };
        let filled: Vec<(usize, String)> =
            holes.into_iter().map(|(place, hole)| (place, fill(hole))).collect();
        // What is kept is counted by its length, so its memory must not be much more: a vector that grows for a few
        // bytes at the end of a long text would become twice as large.
        text.reserve_exact(filled.iter().map(|(_, filling)| filling.len()).sum());
        // From the last to the first, so that places stay true: most have one, at the end.
        for (place, filling) in filled.into_iter().rev() {
            text.splice(place..place, filling.into_bytes());
        }
        if text.capacity() - text.len() > text.len() / 4 {
            text.shrink_to_fit();
        }
        // JSON and what fills its holes are UTF-8.
        let text = Utf8Bytes::try_from(Bytes::from(text)).unwrap_or_default();
        Record { offset, at_ms, to, except, sender_id, wire: Encoded { text, attachments } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::application::socketio::Packet;

    #[test]
    fn a_draft_that_is_committed_is_the_packet_with_its_offset_in_it() {
        let seals = Seals::new(7);
        for namespace in ["/", "/other"] {
            let namespace: Arc<str> = namespace.into();
            let said = |id: Value, offset: Value| {
                Value::object([("text", "hi".into()), ("id", id), ("offset", offset), ("at", 3u64.into())])
            };
            let rest = [Value::from(Bytes::from_static(b"\x01")), "more".into()];
            let args = [&[said(Value::Null, Value::Null)][..], &rest].concat();
            let stamps = [("id", Stamp::Text), ("offset", Stamp::Number)];
            let record = Draft::new(seals, &namespace, "message", &args, &stamps).at(17);
            let sealed = Value::from(seals.write(&namespace, 17));
            let args = [&[said("17".into(), 17u64.into())][..], &rest, &[sealed]].concat();
            assert_eq!(record.wire, Packet::event(&*namespace, "message", args).encode());
            assert_eq!(record.offset, 17);
        }
    }

    #[test]
    fn a_record_takes_hardly_more_memory_than_its_text() {
        for length in [10, 100, 1000, 250_000] {
            let args = ["x".repeat(length).into(), Value::from(vec![Value::from("yes"); 40])];
            let record = Draft::new(Seals::new(7), &"/".into(), "said", &args, &[]).at(17);
            let text = Bytes::from(record.wire.text).try_into_mut().expect("nothing else holds it");
            assert!(text.capacity() <= text.len() * 5 / 4, "{} for {}", text.capacity(), text.len());
        }
    }

    #[test]
    fn no_arguments_an_empty_object_and_what_is_no_object_are_as_they_would_be() {
        let seals = Seals::new(7);
        let main: Arc<str> = "/".into();
        for args in
            [vec![], vec![Value::Object(vec![])], vec!["x".into(), Value::object([("id", true.into())])]]
        {
            let record = Draft::new(seals, &main, "e", &args, &[("id", Stamp::Text)]).at(1);
            let sealed = std::iter::once(Value::from(seals.write("/", 1)));
            let expected = Packet::event("/", "e", args.into_iter().chain(sealed).collect()).encode();
            assert_eq!(record.wire, expected);
            assert_eq!(Draft::of(&record).at(5), Record { offset: 5, ..record.clone() });
        }
    }
}
