//! The figures of one run: what sending the message cost, and what came of it.

use serde::Serialize;

use super::dissect::{Accounting, glance_at};
use crate::base::{Duration, Instant};
use crate::layers::physical::delay::FCS_LEN;
use crate::trace::{Comparison, Kind, Run, Way, Wire};

/// The figures of one run, each computed from its trace or from what its programs saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// How the message was sent.
    #[serde(serialize_with = "name_of")]
    pub way: Way,
    /// Which wire it ran on.
    pub wire: Wire,
    /// Length of the message in bytes.
    pub message_bytes: usize,
    /// How long after the start the server's program read the first byte of the message, in nanoseconds.
    pub first_byte: Option<Duration>,
    /// How long after the start the server's program had read the whole message, in nanoseconds; for UDP, the last
    /// datagram that came. With TCP that is the read of the last byte; that it was the last one, the program learns
    /// later, from the FIN.
    pub complete: Option<Duration>,
    /// The bytes of all frames, from the destination address to the check sequence; `None` where no frame can be seen.
    /// The wire carries 20 more for each: the preamble and the gap, which are time and no data.
    pub wire_bytes: Option<Accounting>,
    /// Frames that the network lost on the way or that arrived damaged.
    pub lost: Option<usize>,
    /// Frames that found the queue in front of their link full: dropped, and never on the wire.
    pub queue_full: Option<usize>,
    /// Segments that TCP sent again; `None` for UDP, which never does, and where they cannot be seen: on
    /// real sockets only the kernel can tell.
    pub retransmitted: Option<usize>,
    /// How many pieces (datagrams, writes, messages) the client sent.
    pub pieces_sent: usize,
    /// How many pieces (datagrams, reads, messages) the server received.
    pub pieces_received: usize,
    /// Pieces that never arrived.
    pub missing: usize,
    /// Bytes in the missing pieces.
    pub missing_bytes: usize,
    /// Pieces that arrived again.
    pub repeated: usize,
    /// Pieces that arrived after one that was sent later.
    pub late: usize,
    /// The message arrived at the server byte for byte.
    pub arrived: bool,
    /// It came back to the client byte for byte; `None` in a scene without a reply.
    pub returned: Option<bool>,
}

impl Facts {
    /// The figures of `run`.
    pub fn of(run: &Run) -> Self {
        let (trace, outcome) = (&run.trace, &run.outcome);
        let Comparison { missing, missing_bytes, repeated, late, .. } = outcome.pieces();
        let seen = trace.wire.has_frames();
        let turned_away = trace.turned_away();
        let count = |wanted: fn(&Kind) -> bool| seen.then(|| trace.count(wanted));
        Facts {
            way: run.way,
            wire: trace.wire,
            message_bytes: outcome.message.len(),
            first_byte: first_byte(run),
            complete: complete(run),
            wire_bytes: seen.then(|| {
                let mut sum: Accounting = glance_at(trace).map(|glance| glance.accounting).sum();
                // A frame ends with its check sequence, though no capture shows it.
                sum.link += sum.frames * FCS_LEN as u64;
                sum
            }),
            lost: count(|kind| matches!(kind, Kind::Dropped { .. } | Kind::Discarded { .. }))
                .map(|all| all - turned_away),
            queue_full: seen.then_some(turned_away),
            retransmitted: if run.way == Way::Udp {
                None
            } else {
                count(|kind| matches!(kind, Kind::Retransmitted { .. }))
            },
            pieces_sent: outcome.sent.len(),
            pieces_received: outcome.received.len(),
            missing,
            missing_bytes,
            repeated,
            late,
            arrived: outcome.arrived_exactly(),
            returned: outcome.returned_exactly(),
        }
    }

    /// Bytes of the message on the wire, counted once for each direction: without retransmissions, and without bytes that
    /// never left.
    pub fn useful_bytes(&self) -> u64 {
        let directions = if self.returned.is_some() { 2 } else { 1 };
        let all = (self.message_bytes * directions) as u64;
        self.wire_bytes.map_or(all, |account| all.min(account.payload))
    }

    /// The share of the bytes of all frames that were not the message, sent once: headers, acknowledgements, padding,
    /// and everything sent again. From 0 to 1.
    pub fn overhead(&self) -> Option<f64> {
        let total = self.wire_bytes?.total();
        Some(1.0 - self.useful_bytes().min(total) as f64 / total.max(1) as f64)
    }

    /// The delay before the first byte in round trips of the link.
    pub fn round_trips(&self, rtt: Duration) -> Option<f64> {
        (rtt > Duration::ZERO)
            .then(|| self.first_byte.map(|d| d.as_nanos() as f64 / rtt.as_nanos() as f64))?
    }
}

/// When the server's program had read all of the message; for UDP, all that arrived.
fn complete(run: &Run) -> Option<Duration> {
    let mut here = run.trace.events.iter().filter(|event| event.place == run.server);
    let at = match run.way {
        Way::Tcp if !run.outcome.message.is_empty() => {
            let mut left = run.outcome.message.len();
            here.find(|event| match &event.kind {
                Kind::AppRead { bytes, .. } => {
                    left = left.saturating_sub(bytes.len());
                    left == 0
                }
                _ => false,
            })
        }
        Way::Udp | Way::Tcp | Way::WebSocket => {
            here.rfind(|event| matches!(event.kind, Kind::MessageReceived { .. }))
        }
    };
    at.map(|event| event.at.since(Instant::ZERO))
}

/// When the server's program read the first byte of the message itself. What it reads before belongs to the opening
/// handshake; a WebSocket message is known to be there when it is whole, so the read before that counts.
fn first_byte(run: &Run) -> Option<Duration> {
    let server = |event: &&crate::trace::Event| event.place == run.server;
    let mut reads = run.trace.events.iter().filter(server).filter_map(|event| match &event.kind {
        Kind::AppRead { bytes, .. } => Some((event.at, bytes)),
        _ => None,
    });
    let at = match run.way {
        // The first read of the server is its request head; heads end with an empty line (RFC 9112 §2.1).
        Way::WebSocket => {
            let mut head_is_over = false;
            reads.find(|(_, bytes)| {
                let was_over = head_is_over;
                head_is_over |= bytes.windows(4).any(|end| end == b"\r\n\r\n");
                was_over
            })
        }
        Way::Udp | Way::Tcp => reads.next(),
    };
    at.map(|(at, _)| at.since(Instant::ZERO))
}

fn name_of<S: serde::Serializer>(way: &Way, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(way.name())
}
