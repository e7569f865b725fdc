//! Bytes taken apart: which header is where, what each field says, and the first thing that is wrong.
//!
//! There are three dissectors. [`dissect_frame`] looks at one frame alone, as `decode` does. [`Conversations`] is fed
//! a whole run in order and remembers: it knows that a segment was seen before, that five bytes in the middle of a
//! segment are a WebSocket frame header, and which fragment completes a datagram. Wireshark makes the same
//! distinction. [`Talk`] is fed the bytes of one TCP stream, and takes apart the messages on it, up to Socket.IO: what
//! `--xray` shows.
//!
//! A dissector is not a receiver. A host throws away what is wrong; a dissector says what is wrong and goes on, for
//! the packets worth looking at are the broken ones. No input makes it fail: what cannot be read becomes a
//! [problem](Dissection::problems), and the bytes behind it become `data`.
//!
//! | where | what |
//! |---|---|
//! | `frame`, `link`, `internet`, `transport` | the walk through one frame, layer by layer |
//! | `conversations`, `stream`, `fragments` | what the frames before make known |
//! | `analysis` | what became of a segment, as far as a capture can tell |
//! | `application` | what the bytes of a stream are |
//! | `summary`, `accounting` | a packet in a line, and where its bytes went |

mod accounting;
mod analysis;
mod application;
mod conversations;
mod events;
mod fragments;
mod frame;
mod internet;
mod link;
mod link_type;
mod run;
mod stream;
mod summary;
mod talk;
mod transport;

use std::ops::Range;

use serde::Serialize;

pub use accounting::Accounting;
pub use conversations::{Conversations, Forgotten, Glance, Packet};
pub use frame::{Start, dissect_frame, dissect_packet};
pub use link_type::LinkType;
pub use run::{TracedPacket, dissect_trace, glance_at};
pub use summary::{AppPiece, Mark, Probe, Summary, TcpFlags, TcpSummary, What};
pub use talk::{Said, Saying, Talk};

use crate::base::{Field, Header, Layer, ParseError};

/// One frame taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dissection {
    /// Its parts in the order of the wire. They lie side by side and cover every byte.
    pub parts: Vec<Part>,
    /// What is wrong with it, the first wrong byte first.
    pub problems: Vec<ParseError>,
    /// What is worth knowing and no fault of the packet: what the capture did to it, and what is around it.
    pub remarks: Vec<String>,
}

/// A run of bytes with one meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The layer it belongs to: for data, the one that would read it.
    pub layer: Layer,
    /// The protocol of the header; `data` and `padding` for what is none.
    pub protocol: &'static str,
    /// Header, data or padding.
    pub role: Role,
    /// The bytes, counted from the start of what was dissected.
    pub range: Range<usize>,
    /// The header's fields; empty for data and padding, and for the pieces of a header cut by a segment boundary.
    pub fields: Vec<FieldValue>,
}

/// What a part is to the protocol it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Bytes a protocol added for its own use.
    Header,
    /// Bytes it carries for the one above.
    Data,
    /// Bytes that only fill a frame up to its least length (IEEE 802.3 §3.2.8).
    Padding,
}

/// One field of a header with its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldValue {
    /// The field, from its protocol's table.
    #[serde(flatten)]
    pub field: Field,
    /// Its first bit, counted from the start of what was dissected.
    pub first_bit: usize,
    /// Its value as a number (of a field wider than 64 bits: the last 64).
    pub value: u64,
    /// Its value as people write it.
    pub text: String,
}

impl Dissection {
    /// The header of `protocol`, the outermost one when there are several.
    pub fn header(&self, protocol: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.role == Role::Header && part.protocol == protocol)
    }

    /// The part that the byte at `offset` belongs to.
    pub fn part_at(&self, offset: usize) -> Option<&Part> {
        self.parts.iter().find(|part| part.range.contains(&offset))
    }

    /// How many bytes were dissected.
    pub fn len(&self) -> usize {
        self.parts.last().map_or(0, |part| part.range.end)
    }

    /// True when there were no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Part {
    /// A header at `start` of `frame`, its fields drawn from its own table.
    pub fn of_header<H: Header>(header: &H, frame: &[u8], start: usize) -> Part {
        let layout = header.layout();
        let end = (start + layout.iter().map(|field| field.bits).sum::<usize>() / 8).min(frame.len());
        Part {
            layer: H::LAYER,
            protocol: H::PROTOCOL,
            role: Role::Header,
            range: start..end,
            fields: FieldValue::all(&layout, frame, start),
        }
    }

    /// A part without fields.
    pub(crate) fn plain(layer: Layer, protocol: &'static str, role: Role, range: Range<usize>) -> Part {
        Part { layer, protocol, role, range, fields: Vec::new() }
    }

    /// Data of the given layer.
    pub(crate) fn data(layer: Layer, range: Range<usize>) -> Part {
        Part::plain(layer, "data", Role::Data, range)
    }

    /// The letter that marks its bytes where there is no room for a name: the layer's for a header, `D` for data,
    /// `.` for padding.
    pub fn letter(&self) -> char {
        match self.role {
            Role::Header => self.layer.letter(),
            Role::Data => 'D',
            Role::Padding => '.',
        }
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&FieldValue> {
        self.fields.iter().find(|value| value.field.name == name)
    }
}

impl FieldValue {
    /// The fields of a table one after the other, from byte `start` of `frame` on, as far as the frame goes.
    pub fn all(layout: &[Field], frame: &[u8], start: usize) -> Vec<FieldValue> {
        let mut bit = start * 8;
        let mut values = Vec::with_capacity(layout.len());
        for field in layout.iter().filter(|field| field.bits > 0) {
            if bit + field.bits > frame.len() * 8 {
                break;
            }
            values.push(FieldValue {
                field: *field,
                first_bit: bit,
                value: field.raw(frame, bit),
                text: field.text(frame, bit),
            });
            bit += field.bits;
        }
        values
    }

    /// The same of a header whose bytes lie masked from byte `start` on: their values are those of `plain`.
    pub(crate) fn unmasked(layout: &[Field], plain: &[u8], start: usize) -> Vec<FieldValue> {
        let mut values = FieldValue::all(layout, plain, 0);
        values.iter_mut().for_each(|value| value.first_bit += start * 8);
        values
    }

    /// The bytes it touches.
    pub fn bytes(&self) -> Range<usize> {
        self.first_bit / 8..(self.first_bit + self.field.bits).div_ceil(8)
    }
}

#[cfg(test)]
mod observer_tests;
#[cfg(test)]
mod tests;
