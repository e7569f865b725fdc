//! What programs said to each other by HTTP and WebSocket: read from what they wrote to their sockets, masks taken
//! off.
//!
//! The dissector of `view` looks at frames of the wire; this looks over the programs' shoulders, where messages are
//! whole. It believes what it reads, for both ends are ours.

use std::collections::BTreeMap;

use crate::base::{Header as _, Instant, Layer, Reader};
use crate::layers::application::http::{Headers, RequestHead, ResponseHead};
use crate::layers::application::websocket::{FrameHeader, Opcode};
use crate::trace::{Flow, Kind, PlaceId, Protocol, Trace};
use crate::view::look::escape;

/// One thing that was said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) at: Instant,
    pub(super) by: PlaceId,
    pub(super) how: How,
    /// The body, or the payload without its mask.
    pub(super) body: Vec<u8>,
}

/// By what it was said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum How {
    /// An HTTP request: method and target.
    Request(String, String),
    /// An HTTP response: its status.
    Response(u16),
    /// A WebSocket frame.
    Frame(Opcode),
}

impl Said {
    /// The body as text that is safe to show.
    pub(super) fn text(&self) -> String {
        match self.how {
            How::Frame(Opcode::Close) => match self.body[..] {
                [high, low, ..] => format!("Close {}", u16::from_be_bytes([high, low])),
                _ => "Close".into(),
            },
            _ => escape(&self.body),
        }
    }

    /// How it was said, in a word or two.
    pub(super) fn way(&self) -> String {
        match &self.how {
            How::Request(method, target) if target.contains("transport=websocket") => {
                format!("{method}, to upgrade")
            }
            How::Request(method, target) if target.contains("sid=") || method != "GET" => method.clone(),
            How::Request(method, _) => format!("{method}, to open"),
            How::Response(status) => status.to_string(),
            How::Frame(_) => "WebSocket".into(),
        }
    }

    pub(super) fn is_request(&self) -> bool {
        matches!(self.how, How::Request(..))
    }

    pub(super) fn is_frame(&self) -> bool {
        matches!(self.how, How::Frame(_))
    }
}

/// What one end of a connection has written and has not been understood yet.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    frames: bool,
}

/// Everything that was said in a run, in order.
pub(super) fn overheard(trace: &Trace) -> Vec<Said> {
    let mut streams: BTreeMap<Flow, Stream> = BTreeMap::new();
    let mut all = Vec::new();
    for event in &trace.events {
        let Kind::AppWrote { flow, bytes } = &event.kind else { continue };
        if flow.protocol != Protocol::Tcp {
            continue;
        }
        let mut switched = false;
        let stream = streams.entry(*flow).or_default();
        stream.bytes.extend_from_slice(bytes);
        while let Some((how, body)) = stream.next(&mut switched) {
            all.push(Said { at: event.at, by: event.place, how, body });
        }
        if switched {
            streams.entry(flow.reversed()).or_default().frames = true;
        }
    }
    all
}

impl Stream {
    fn next(&mut self, switched: &mut bool) -> Option<(How, Vec<u8>)> {
        if self.bytes.is_empty() {
            return None;
        }
        match self.frames {
            true => self.frame(),
            false if self.bytes.starts_with(b"HTTP/") => {
                let (head, len) = ResponseHead::parse(&self.bytes).ok()?;
                let body = self.body(len, &head.headers)?;
                if head.status == 101 {
                    self.frames = true;
                    *switched = true;
                }
                Some((How::Response(head.status), body))
            }
            false => {
                let (head, len) = RequestHead::parse(&self.bytes).ok()?;
                let body = self.body(len, &head.headers)?;
                Some((How::Request(head.method, head.target), body))
            }
        }
    }

    /// Takes a head and the body behind it.
    fn body(&mut self, head: usize, headers: &Headers) -> Option<Vec<u8>> {
        let len: usize = headers.get("Content-Length").and_then(|len| len.parse().ok()).unwrap_or(0);
        let whole = self.bytes.get(..head + len)?;
        let body = whole[head..].to_vec();
        self.bytes.drain(..head + len);
        Some(body)
    }

    fn frame(&mut self) -> Option<(How, Vec<u8>)> {
        let mut r = Reader::new(Layer::Application, FrameHeader::PROTOCOL, &self.bytes);
        let header = FrameHeader::parse(&mut r).ok()?;
        let start = r.position();
        let end = start + usize::try_from(header.payload_len).ok()?;
        let mut payload = self.bytes.get(start..end)?.to_vec();
        if let Some(mask) = header.mask {
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        }
        self.bytes.drain(..end);
        Some((How::Frame(header.opcode), payload))
    }
}
