//! The frames of a whole trace, each with what the ones before it make known.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Conversations, Glance, Packet};
use crate::base::Instant;
use crate::trace::{FrameId, Past, PlaceId};

/// One frame of a trace, dissected in its context.
#[derive(Debug, Clone, PartialEq)]
pub struct TracedPacket {
    /// When it was sent.
    pub at: Instant,
    /// The host that sent it.
    pub from: PlaceId,
    /// The host at the other end of that link.
    pub to: PlaceId,
    /// Its number in the trace.
    pub frame: FrameId,
    /// The frame's bytes, as they were on the wire.
    pub bytes: Bytes,
    /// What is in it; numbered from 1 in the order of sending.
    pub packet: Packet,
}

/// Dissects every frame of a trace in the order of sending.
///
/// Each link is followed on its own, as if a capture had run on it: a segment that a router passes on is not a
/// retransmission. What programs say by WebSocket is data here: a lesson looks at it where it is whole.
pub fn dissect_trace<'a>(run: impl Into<Past<'a>>) -> Vec<TracedPacket> {
    let mut links = Links::new();
    run.into()
        .frames()
        .zip(1..)
        .map(|((at, from, to, frame, bytes), number)| {
            let packet = Packet { number, ..link(&mut links, from, to).feed(bytes) };
            TracedPacket { at, from, to, frame, bytes: bytes.clone(), packet }
        })
        .collect()
}

/// The same, one after the other, for those who do not look into the headers: memory does not grow with the run.
pub fn glance_at<'a>(run: impl Into<Past<'a>>) -> impl Iterator<Item = Glance> {
    let mut links = Links::new();
    run.into().frames().map(move |(_, from, to, _, bytes)| link(&mut links, from, to).glance(bytes))
}

/// What is remembered of each link, by its two ends.
type Links = BTreeMap<(PlaceId, PlaceId), Conversations>;

fn link(links: &mut Links, from: PlaceId, to: PlaceId) -> &mut Conversations {
    links.entry((from.min(to), from.max(to))).or_insert_with(Conversations::to_websocket)
}
