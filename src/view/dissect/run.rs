//! The frames of a whole trace, each with what the ones before it make known.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Conversations, Packet};
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
    let mut links: BTreeMap<(PlaceId, PlaceId), Conversations> = BTreeMap::new();
    run.into()
        .frames()
        .zip(1..)
        .map(|((at, from, to, frame, bytes), number)| {
            let link = links.entry((from.min(to), from.max(to))).or_insert_with(Conversations::to_websocket);
            let packet = Packet { number, ..link.feed(bytes) };
            TracedPacket { at, from, to, frame, bytes: bytes.clone(), packet }
        })
        .collect()
}
