//! The vocabulary of a trace.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use serde::Serialize;
use serde::ser::SerializeStruct as _;

use crate::base::{Duration, Instant};

/// One thing that happened, when and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When it happened.
    pub at: Instant,
    /// At which host (for what happens on the way between two hosts: at the one the frame was going to).
    pub place: PlaceId,
    /// What happened.
    pub kind: Kind,
}

/// A host, by its index in [`Trace::places`](super::Trace::places).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PlaceId(pub u16);

/// A frame, by the order in which it was handed to a link. A copy that the network made is a frame of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FrameId(pub u64);

/// A host or a device that takes part in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What the scene calls it, such as `client`.
    pub name: String,
    /// Its addresses: of a host, those of its interfaces; a device has none.
    pub addresses: Vec<IpAddr>,
}

/// `address` is the first of the addresses, as programs knew it before there could be several.
impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut place = serializer.serialize_struct("Place", 3)?;
        place.serialize_field("name", &self.name)?;
        place.serialize_field("address", &self.addresses.first())?;
        place.serialize_field("addresses", &self.addresses)?;
        place.end()
    }
}

/// A link, by the order in which it was laid. Two nodes may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LinkId(pub u16);

impl LinkId {
    /// The same number, as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Which wire a run was made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// The simulated network, in virtual time.
    Sim,
    /// Our stack at one end and the operating system's own at the other, in real time: every frame is seen, and of the
    /// system's end what its program does; not what its TCP does inside.
    Kernel,
    /// The operating system's sockets: events are the program's own system calls, and no frame is seen.
    Real,
    /// Frames that a capture saw pass. What became of them, and what hosts did, it does not tell.
    Captured,
}

impl Wire {
    /// Whether the trace has every frame, and what became of it.
    pub const fn has_frames(self) -> bool {
        matches!(self, Wire::Sim | Wire::Kernel)
    }
}

/// A transport protocol, as half of a [`Flow`]'s name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The User Datagram Protocol.
    Udp,
    /// The Transmission Control Protocol.
    Tcp,
}

/// One direction's view of a conversation: the 4-tuple and protocol, as seen from one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Flow {
    /// The transport protocol, whose ports the two ends name.
    pub protocol: Protocol,
    local: End,
    remote: End,
}

/// An address and a port in 19 bytes, of which most events hold two: a `SocketAddr` has 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "SocketAddr")]
struct End {
    address: IpAddr,
    /// Most significant byte first, as on the wire.
    port: [u8; 2],
}

impl From<SocketAddr> for End {
    fn from(end: SocketAddr) -> Self {
        End { address: end.ip(), port: end.port().to_be_bytes() }
    }
}

impl From<End> for SocketAddr {
    fn from(End { address, port }: End) -> Self {
        SocketAddr::new(address, u16::from_be_bytes(port))
    }
}

impl Flow {
    /// The conversation of `local`, where the event happens, with `remote`; unspecified (0.0.0.0:0) for a socket
    /// without a peer.
    pub fn new(protocol: Protocol, local: SocketAddr, remote: SocketAddr) -> Flow {
        Flow { protocol, local: local.into(), remote: remote.into() }
    }

    /// The end where the event happened.
    pub fn local(&self) -> SocketAddr {
        self.local.into()
    }

    /// The other end; unspecified (0.0.0.0:0) for a socket without a peer.
    pub fn remote(&self) -> SocketAddr {
        self.remote.into()
    }

    /// The same conversation seen from the other end.
    pub fn reversed(self) -> Flow {
        Flow { protocol: self.protocol, local: self.remote, remote: self.local }
    }
}

/// What happened. Text fields are sentences or terms for people; their wording is not a contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A host handed a frame to its link, where it waits for those before it. A frame that need not wait is `Sent` at
    /// once.
    Queued {
        /// The frame's number in this run.
        frame: FrameId,
        /// The link that carries it.
        link: LinkId,
        /// The node at the other end of the link.
        to: PlaceId,
    },
    /// A host's interface began to put a frame on its link.
    Sent {
        /// The frame's number in this run.
        frame: FrameId,
        /// The link that carries it.
        link: LinkId,
        /// The node at the other end of the link.
        to: PlaceId,
        /// The frame from the destination address to the last byte of payload or padding, without the frame check
        /// sequence.
        #[serde(serialize_with = "as_hex")]
        bytes: Bytes,
    },
    /// The last bit of a frame arrived and the frame check sequence was right.
    Delivered {
        /// The frame's number in this run.
        frame: FrameId,
    },
    /// The network lost a frame. One that was `Sent` was lost on the way, at the host it was going to; one that was not
    /// found the queue in front of its link full, at the host that sends, and never was on the wire.
    Dropped {
        /// The frame's number in this run.
        frame: FrameId,
        /// The rule, or the full queue, that dropped it.
        by: Cow<'static, str>,
    },
    /// The network changed bits of a frame.
    Corrupted {
        /// The frame's number in this run.
        frame: FrameId,
        /// The rule that did it.
        by: Cow<'static, str>,
        /// Index of the first changed byte.
        offset: usize,
    },
    /// A queue has marked the packet in a frame, instead of dropping it: congestion experienced (RFC 3168 §5).
    Marked {
        /// The frame's number in this run.
        frame: FrameId,
        /// Which queue management, and why.
        by: Cow<'static, str>,
    },
    /// The network delivers a frame twice.
    Duplicated {
        /// The frame's number in this run.
        frame: FrameId,
        /// The number of the second copy.
        copy: FrameId,
        /// The rule that did it.
        by: Cow<'static, str>,
    },
    /// The network holds a frame back, so that later ones may overtake it.
    Delayed {
        /// The frame's number in this run.
        frame: FrameId,
        /// The rule that did it.
        by: Cow<'static, str>,
        /// How much later it arrives than without the fault.
        extra: Duration,
    },
    /// A frame arrived and a layer of the receiving host refused it.
    Discarded {
        /// The frame's number in this run.
        frame: FrameId,
        /// The reason: usually a parse error in words.
        why: Cow<'static, str>,
    },
    /// TCP is about to send bytes (or a SYN or FIN) that it had sent before.
    Retransmitted {
        /// The connection, from the sender's end.
        flow: Flow,
        /// What is sent again.
        segment: SegmentNote,
        /// Why: which timer or signal.
        why: Cow<'static, str>,
    },
    /// A connection changed state (RFC 9293 §3.3.2).
    StateChanged {
        /// The connection, seen from this end.
        flow: Flow,
        /// The state before, by its name in RFC 9293 §3.3.2.
        from: &'static str,
        /// The state after.
        to: &'static str,
        /// What made it change. In a box, or this rare event would make all others larger.
        why: Box<Cow<'static, str>>,
    },
    /// A timer was set, or set again.
    TimerSet {
        /// The connection, seen from this end.
        flow: Flow,
        /// The timer's name, such as `retransmission`.
        timer: &'static str,
        /// When it will go off.
        due: Instant,
    },
    /// A timer went off.
    TimerFired {
        /// The connection, seen from this end.
        flow: Flow,
        /// The timer's name, such as `retransmission`.
        timer: &'static str,
    },
    /// A round trip was measured and the retransmission timeout recomputed (RFC 6298 §2).
    RttMeasured {
        /// The connection, seen from this end.
        flow: Flow,
        /// The new sample of the round-trip time.
        sample: Duration,
        /// The smoothed round-trip time.
        srtt: Duration,
        /// The retransmission timeout that follows.
        rto: Duration,
    },
    /// The congestion window changed.
    CwndChanged {
        /// The connection, seen from this end.
        flow: Flow,
        /// The new window in bytes.
        cwnd: u64,
        /// The slow start threshold in bytes.
        ssthresh: u64,
        /// What made it change.
        why: Cow<'static, str>,
    },
    /// A program handed bytes to its socket.
    AppWrote {
        /// The socket, seen from this end.
        flow: Flow,
        /// The bytes that the program wrote.
        #[serde(serialize_with = "as_hex")]
        bytes: Bytes,
    },
    /// A program took bytes from its socket.
    AppRead {
        /// The socket, seen from this end.
        flow: Flow,
        /// The bytes that the program read.
        #[serde(serialize_with = "as_hex")]
        bytes: Bytes,
    },
    /// A program sent one whole message (as the user understands it: before it is framed).
    MessageSent {
        /// The socket, seen from this end.
        flow: Flow,
        /// Its length in bytes.
        len: usize,
    },
    /// A program received one whole message.
    MessageReceived {
        /// The socket, seen from this end.
        flow: Flow,
        /// Its length in bytes.
        len: usize,
    },
    /// Something worth saying that has no type of its own.
    Note {
        /// A sentence for the reader of the trace.
        text: Cow<'static, str>,
    },
}

/// What distinguishes one TCP segment from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SegmentNote {
    /// The raw sequence number.
    pub seq: u32,
    /// Bytes of payload, without the header.
    pub len: usize,
    /// Whether SYN is set.
    pub syn: bool,
    /// Whether FIN is set.
    pub fin: bool,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} - {}", self.protocol, self.local(), self.remote())
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Protocol::Udp => "UDP",
            Protocol::Tcp => "TCP",
        })
    }
}

/// Bytes as one hexadecimal string: compact, and readable in any language.
fn as_hex<S: serde::Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Hex(bytes))
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_small_for_a_run_has_millions() {
        assert!(size_of::<Event>() <= 96, "{} bytes", size_of::<Event>());
    }
}
