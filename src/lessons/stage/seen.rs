//! What a run can be asked: the numbers that lessons tell come from here.

use bytes::Bytes;

use super::cast::Host;
use crate::base::Instant;
use crate::layers::physical::delay::FCS_LEN;
use crate::trace::{Kind, PlaceId, Trace};
use crate::view::dissect::{Accounting, Summary, TcpSummary, TracedPacket, What, dissect_trace};

/// What has happened in a run so far.
#[derive(Debug)]
pub struct Seen {
    trace: Trace,
    packets: Vec<TracedPacket>,
}

/// A segment on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The frame that carried it.
    pub packet: &'a TracedPacket,
    /// What it says.
    pub tcp: &'a TcpSummary,
}

impl Seen {
    pub(super) fn new(trace: Trace) -> Self {
        let packets = dissect_trace(&trace);
        Seen { trace, packets }
    }

    /// The trace itself.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Every frame that was sent, dissected. Each link counts: a packet that a router passes on is two frames.
    pub fn packets(&self) -> &[TracedPacket] {
        &self.packets
    }

    /// How many frames were sent.
    pub fn frames(&self) -> usize {
        self.packets.len()
    }

    /// Every TCP segment that was sent, also those that were lost.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.packets.iter().filter_map(|packet| match &packet.packet.summary.what {
            What::Tcp(tcp) => Some(Segment { packet, tcp }),
            _ => None,
        })
    }

    /// The segments that carry bytes of a program.
    pub fn data_segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.segments().filter(|segment| segment.tcp.len > 0)
    }

    /// The first packet that does what is asked for.
    pub fn find(&self, wanted: impl Fn(&Summary) -> bool) -> Option<&TracedPacket> {
        self.packets.iter().find(|packet| wanted(&packet.packet.summary))
    }

    /// How many events satisfy `wanted`.
    pub fn count(&self, wanted: impl Fn(&Kind) -> bool) -> usize {
        self.trace.count(wanted)
    }

    /// How many frames the network lost.
    pub fn lost(&self) -> usize {
        self.count(|kind| matches!(kind, Kind::Dropped { .. }))
    }

    /// How many segments TCP sent again.
    pub fn retransmitted(&self) -> usize {
        self.count(|kind| matches!(kind, Kind::Retransmitted { .. }))
    }

    /// What was read at a host, read by read.
    pub fn reads(&self, host: Host) -> Vec<Bytes> {
        self.at(host, |kind| match kind {
            Kind::AppRead { bytes, .. } => Some(bytes.clone()),
            _ => None,
        })
    }

    /// What was written at a host, write by write.
    pub fn writes(&self, host: Host) -> Vec<Bytes> {
        self.at(host, |kind| match kind {
            Kind::AppWrote { bytes, .. } => Some(bytes.clone()),
            _ => None,
        })
    }

    /// The states that the connections of a host went to, in order.
    pub fn states(&self, host: Host) -> Vec<&'static str> {
        self.at(host, |kind| match kind {
            Kind::StateChanged { to, .. } => Some(*to),
            _ => None,
        })
    }

    /// When a connection of `host` first came to `state`.
    pub fn reached(&self, host: Host, state: &str) -> Option<Instant> {
        self.when(host.id.place(), |kind| matches!(kind, Kind::StateChanged { to, .. } if *to == state))
    }

    /// When a program on `host` first read something.
    pub fn first_read(&self, host: Host) -> Option<Instant> {
        self.when(host.id.place(), |kind| matches!(kind, Kind::AppRead { .. }))
    }

    /// When something first happened at a place.
    pub fn when(&self, place: PlaceId, wanted: impl Fn(&Kind) -> bool) -> Option<Instant> {
        let found = self.trace.events.iter().find(|event| event.place == place && wanted(&event.kind));
        found.map(|event| event.at)
    }

    /// Where the bytes of all frames went, layer by layer: from the destination address to the check sequence, as in
    /// [`Facts`](crate::view::facts::Facts).
    pub fn accounting(&self) -> Accounting {
        let account = |packet: &TracedPacket| {
            Accounting::of(&packet.packet.dissection, packet.packet.summary.is_retransmission())
        };
        let mut sum: Accounting = self.packets.iter().map(account).sum();
        sum.link += sum.frames * FCS_LEN as u64;
        sum
    }

    fn at<T>(&self, host: Host, pick: impl Fn(&Kind) -> Option<T>) -> Vec<T> {
        let place = host.id.place();
        let here = self.trace.events.iter().filter(|event| event.place == place);
        here.filter_map(|event| pick(&event.kind)).collect()
    }
}
