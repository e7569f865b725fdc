//! What programs said to each other by HTTP and WebSocket: read from what they wrote to their sockets, masks taken
//! off.
//!
//! Pictures of packets come from the dissector of the wire; this looks over the programs' shoulders, where messages are
//! whole: the dissector of streams ([`Talk`]) reads what each end wrote.

use std::collections::BTreeMap;

use crate::base::Instant;
use crate::layers::application::http::{RequestHead, ResponseHead};
use crate::layers::application::websocket::Opcode;
use crate::trace::{Flow, Kind, PlaceId, Protocol, Trace};
use crate::view::dissect::{self, Saying, Talk};
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
    /// A WebSocket frame, with its opcode.
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

/// Everything that was said in a run, in order.
pub(super) fn overheard(trace: &Trace) -> Vec<Said> {
    let mut talks: BTreeMap<Flow, Talk> = BTreeMap::new();
    let mut all = Vec::new();
    for event in &trace.events {
        let Kind::AppWrote { flow, bytes } = &event.kind else { continue };
        if flow.protocol != Protocol::Tcp {
            continue;
        }
        let key = (*flow).min(flow.reversed());
        let talk = talks.entry(key).or_default();
        talk.feed(usize::from(key != *flow), bytes);
        while let Some(said) = talk.next() {
            let how = how(&said);
            all.extend(how.map(|how| Said {
                at: event.at,
                by: event.place,
                how,
                body: said.body().to_vec(),
            }));
        }
    }
    all
}

fn how(said: &dissect::Said) -> Option<How> {
    match &said.what {
        Saying::Frame(header) => Some(How::Frame(header.opcode)),
        Saying::Http if said.plain.starts_with(b"HTTP/") => {
            ResponseHead::parse(&said.plain).ok().map(|(head, _)| How::Response(head.status))
        }
        Saying::Http => {
            RequestHead::parse(&said.plain).ok().map(|(head, _)| How::Request(head.method, head.target))
        }
        Saying::Data | Saying::Broken(_) => None,
    }
}
