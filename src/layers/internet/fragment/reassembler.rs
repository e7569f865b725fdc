//! Joining fragments at their destination (RFC 791 §3.2, RFC 815, RFC 1122 §3.3.2).
//!
//! Memory is the danger: any host can send first fragments and never the rest. So the number of datagrams in the making
//! and their bytes are bounded, and each has a time limit that no later fragment prolongs.
//!
//! **Overlaps.** Where two fragments bring the same bytes, those that came last count, as in RFC 791's procedure. In
//! honest traffic both are equal (the same packet sent twice, and cut differently on two ways). In dishonest traffic
//! this rule lets a second fragment rewrite the ports that a filter saw in the first (RFC 1858 §4), which is why many
//! systems now drop such datagrams whole, and why RFC 5722 demands it for IPv6.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bytes::{Bytes, BytesMut};

use super::super::icmp_error::quote_of;
use super::super::ipv4::{Ecn, Ipv4Header};
use super::holes::Holes;
use crate::base::{Duration, Instant};

/// How long all fragments together may take (RFC 1122 §3.3.2: between 60 and 120 seconds), counted from the one that
/// comes first.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Datagrams in the making. When one more begins, the oldest is dropped: what it lacks has most likely been lost.
pub const MAX_DATAGRAMS: usize = 64;
/// Bytes of all datagrams in the making together, holes in front of a fragment included. When there would be more,
/// the oldest datagrams are dropped. Enough for sixteen of the largest. (A buffer that grows may for a while hold twice
/// its length in memory, and each datagram up to 548 bytes more, to be quoted when it is given up.)
pub const MAX_BYTES: usize = 1 << 20;

/// What makes fragments belong together (RFC 791 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    identification: u16,
}

/// What came of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The datagram is whole. The header is that of its first fragment, as if it had never been cut.
    Complete(Ipv4Header, Bytes),
    /// It waits for the others.
    Waiting,
    /// It was refused, for this reason.
    Refused(Refusal),
}

/// Why a fragment was refused. The ones that came before it stay, except at `MixedEcn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// A fragment without payload.
    Empty,
    /// It is not the last one, and its length is not a multiple of 8.
    NotInEights,
    /// With it the datagram would be longer than a packet can be.
    TooLong,
    /// It contradicts another one about where the datagram ends.
    EndsDiffer,
    /// A router marked congestion on one fragment while another says that its sender does not know ECN. The datagram is
    /// dropped (RFC 3168 §5.3).
    MixedEcn,
}

impl Refusal {
    /// The reason in words.
    pub const fn why(self) -> &'static str {
        match self {
            Refusal::Empty => "a fragment without payload",
            Refusal::NotInEights => {
                "a fragment that is not the last, and no multiple of 8 bytes long (RFC 791 §3.2)"
            }
            Refusal::TooLong => "a fragment that ends beyond byte 65,535 of its packet",
            Refusal::EndsDiffer => "a fragment that contradicts the last one about the length",
            Refusal::MixedEcn => "a datagram with both CE and Not-ECT fragments (RFC 3168 §5.3)",
        }
    }
}

/// A datagram that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Where it came from.
    pub source: Ipv4Addr,
    /// Where it was going.
    pub destination: Ipv4Addr,
    /// Its first fragment, if that one came: only then may an ICMP error be sent (RFC 792, "Time Exceeded"; RFC 1122
    /// §3.3.2). Header and payload in one, the payload cut to what an error quotes.
    pub first: Option<Bytes>,
}

/// One datagram in the making.
#[derive(Debug)]
struct Assembly {
    deadline: Instant,
    holes: Holes,
    /// The payload so far, zeros where a hole is. It ends where the farthest fragment did.
    buffer: BytesMut,
    /// Where the payload ends, once the last fragment has come.
    end: Option<usize>,
    /// The header of the first fragment, and what an error would quote of it.
    first: Option<(Ipv4Header, Bytes)>,
    /// Some fragment has the mark Congestion Experienced.
    ce: bool,
    /// Some fragment says that ECN is not understood.
    not_ect: bool,
}

/// Joins fragments, and bounds the memory that they take.
#[derive(Debug, Default)]
pub struct Reassembler {
    assemblies: BTreeMap<Key, Assembly>,
    /// The bytes in all buffers.
    bytes: usize,
}

impl Reassembler {
    /// One with nothing in it.
    pub fn new() -> Self {
        Reassembler::default()
    }

    /// Takes a packet for this host. One that is no fragment is complete at once and is not copied.
    pub fn accept(&mut self, now: Instant, header: &Ipv4Header, payload: Bytes) -> Outcome {
        if !header.is_fragment() {
            return Outcome::Complete(*header, payload);
        }
        if payload.is_empty() {
            return Outcome::Refused(Refusal::Empty);
        }
        if header.more_fragments && !payload.len().is_multiple_of(8) {
            return Outcome::Refused(Refusal::NotInEights);
        }
        let end = header.fragment_start() + payload.len();
        if end > header.max_payload() {
            return Outcome::Refused(Refusal::TooLong);
        }
        let key = Key {
            source: header.source,
            destination: header.destination,
            protocol: header.protocol,
            identification: header.identification,
        };
        // Taken out while it is worked on, so that making room for it cannot drop it.
        let mut assembly = self.take(key).unwrap_or_else(|| Assembly::new(now));
        if let Err(refusal) = assembly.add(header, &payload) {
            if refusal != Refusal::MixedEcn {
                self.put(key, assembly);
            }
            return Outcome::Refused(refusal);
        }
        if !assembly.holes.none() {
            self.put(key, assembly);
            return Outcome::Waiting;
        }
        assembly.finish()
    }

    /// When the oldest datagram in the making is to be given up.
    pub fn deadline(&self) -> Option<Instant> {
        self.assemblies.values().map(|assembly| assembly.deadline).min()
    }

    /// Gives up what is too old, in the order of addresses.
    pub fn expire(&mut self, now: Instant) -> Vec<Expired> {
        let due: Vec<Key> = self
            .assemblies
            .iter()
            .filter(|(_, assembly)| assembly.deadline <= now)
            .map(|(key, _)| *key)
            .collect();
        let gone = due.into_iter().filter_map(|key| self.take(key).map(|assembly| (key, assembly)));
        gone.map(|(key, assembly)| Expired {
            source: key.source,
            destination: key.destination,
            first: assembly.first.map(|(_, quote)| quote),
        })
        .collect()
    }

    /// How many datagrams are in the making.
    pub fn len(&self) -> usize {
        self.assemblies.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.assemblies.is_empty()
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn take(&mut self, key: Key) -> Option<Assembly> {
        let assembly = self.assemblies.remove(&key)?;
        self.bytes -= assembly.buffer.len();
        Some(assembly)
    }

    /// Puts one (back) in, after dropping the oldest ones until there is room for it.
    fn put(&mut self, key: Key, assembly: Assembly) {
        // One that is empty was refused its very first fragment.
        if assembly.buffer.is_empty() {
            return;
        }
        while self.assemblies.len() >= MAX_DATAGRAMS || self.bytes + assembly.buffer.len() > MAX_BYTES {
            let oldest = self.assemblies.iter().min_by_key(|(_, assembly)| assembly.deadline);
            let Some(oldest) = oldest.map(|(key, _)| *key) else { break };
            self.take(oldest);
        }
        self.bytes += assembly.buffer.len();
        self.assemblies.insert(key, assembly);
    }
}

impl Assembly {
    fn new(now: Instant) -> Self {
        Assembly {
            deadline: now + TIMEOUT,
            holes: Holes::new(),
            buffer: BytesMut::new(),
            end: None,
            first: None,
            ce: false,
            not_ect: false,
        }
    }

    fn add(&mut self, header: &Ipv4Header, payload: &Bytes) -> Result<(), Refusal> {
        let start = header.fragment_start();
        let end = start + payload.len();
        let last = !header.more_fragments;
        let contradicts = match self.end {
            Some(known) => end > known || last && end != known,
            None => last && end < self.buffer.len(),
        };
        if contradicts {
            return Err(Refusal::EndsDiffer);
        }
        // The first fragment alone has all options, so only its header says how long the whole packet will be.
        let longest = match (&self.first, start) {
            (_, 0) => header.max_payload(),
            (Some((first, _)), _) => first.max_payload(),
            (None, _) => usize::MAX,
        };
        if self.buffer.len().max(end) > longest {
            return Err(Refusal::TooLong);
        }
        self.ce |= header.ecn == Ecn::Ce;
        self.not_ect |= header.ecn == Ecn::NotEct;
        if self.ce && self.not_ect {
            return Err(Refusal::MixedEcn);
        }
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        self.buffer[start..end].copy_from_slice(payload);
        self.holes.fill(start..end, last);
        if last {
            self.end = Some(end);
        }
        if start == 0 {
            self.first = Some((*header, quote_of(header, payload)));
        }
        Ok(())
    }

    /// Every hole is filled: the packet.
    fn finish(self) -> Outcome {
        // The hole at zero can only have been filled by the first fragment.
        let Some((first, _)) = self.first else { return Outcome::Waiting };
        let ecn = if self.ce { Ecn::Ce } else { first.ecn };
        let header = Ipv4Header { ecn, more_fragments: false, ..first }.with_payload_len(self.buffer.len());
        Outcome::Complete(header, self.buffer.freeze())
    }
}
