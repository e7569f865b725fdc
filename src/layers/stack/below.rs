//! What a table of sockets hands down, and out.

use std::net::IpAddr;

use super::ip::{Ip, Outgoing};
use super::{Outbox, Output};
use crate::base::Instant;
use crate::layers::internet::ipv4::{Ecn, protocol};
use crate::layers::internet::source_route::SourceRoute;
use crate::layers::transport::tcp::Segment;

/// The layer below the sockets, and the outbox of the stack: lent to a table for the time of one call.
#[derive(Debug)]
pub(super) struct Below<'a> {
    pub(super) ip: &'a mut Ip,
    pub(super) out: &'a mut Outbox,
}

/// How the packet of a segment is to be treated on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Treatment<'a> {
    /// The Differentiated Services code point.
    pub(super) dscp: u8,
    /// Whether a router may mark it.
    pub(super) ecn: Ecn,
    /// The routers that it is to pass, if any are named.
    pub(super) via: Option<&'a SourceRoute>,
}

impl Treatment<'_> {
    /// As most packets are.
    pub(super) const USUAL: Treatment<'static> = Treatment { dscp: 0, ecn: Ecn::NotEct, via: None };
}

impl Below<'_> {
    /// Sends a segment from one end to the other.
    pub(super) fn segment(
        &mut self,
        now: Instant,
        (source, destination): (IpAddr, IpAddr),
        Treatment { dscp, ecn, via }: Treatment<'_>,
        segment: &Segment,
    ) {
        // Don't Fragment: TCP cuts its segments to fit, and routers report when they do not (RFC 1191 §2).
        let outgoing = Outgoing {
            source,
            destination,
            protocol: protocol::TCP,
            dont_fragment: true,
            dscp,
            ecn,
            via,
            len: segment.len(),
        };
        self.ip.send(now, outgoing, |w| segment.emit(source, destination, w), self.out);
    }

    /// Hands something out of the stack.
    pub(super) fn tell(&mut self, output: Output) {
        self.out.push_back(output);
    }

    /// Says that what came in last was refused.
    pub(super) fn discard(&mut self, why: String) {
        self.tell(Output::Discarded(why));
    }
}
