//! Fragments put together again, as far as a dissector needs it (RFC 791 §3.2, RFC 8200 §4.5).
//!
//! Unlike a host's, this reassembly knows no time: a packet that never becomes whole is forgotten when
//! [`MOST_PACKETS`] newer ones have begun. Of bytes that come twice, the first copy counts.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::frame::{Ip, Piece};
use crate::layers::internet::ipv4::MAX_PACKET_LEN;

/// At most this many packets wait for fragments, which bounds the memory at 64 MiB of data; the oldest is forgotten first.
pub(super) const MOST_PACKETS: usize = 1024;

/// What tells the fragments of one packet from those of another (RFC 791 §2.3): addresses, protocol, identification. In
/// IPv6 the protocol is not among them (RFC 8200 §4.5): there it is 0.
type Key = (IpAddr, IpAddr, u8, u32);

/// The packets that are not whole yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragments {
    packets: BTreeMap<Key, Pieces>,
    order: VecDeque<Key>,
    forgotten: u64,
}

#[derive(Debug, Clone, Default)]
struct Pieces {
    /// What the first piece says that the whole carries.
    protocol: u8,
    by_offset: BTreeMap<usize, Vec<u8>>,
    total: Option<usize>,
}

impl Fragments {
    /// How many packets were forgotten before they were whole.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Takes one fragment; returns what the packet carries and its data when it is whole.
    pub(super) fn take(&mut self, ip: &Ip, piece: Piece, data: &[u8]) -> Option<(u8, Vec<u8>)> {
        let protocol = if ip.source.is_ipv4() { ip.protocol } else { 0 };
        let key = (ip.source, ip.destination, protocol, piece.identification);
        let start = piece.start;
        if start + data.len() > MAX_PACKET_LEN {
            return None;
        }
        if !self.packets.contains_key(&key) {
            if self.order.len() >= MOST_PACKETS
                && let Some(oldest) = self.order.pop_front()
            {
                self.packets.remove(&oldest);
                self.forgotten += 1;
            }
            self.order.push_back(key);
        }
        let pieces = self.packets.entry(key).or_default();
        if start == 0 {
            pieces.protocol = ip.protocol;
        }
        if !piece.more {
            pieces.total = Some(start + data.len());
        }
        pieces.by_offset.entry(start).or_insert_with(|| data.to_vec());
        let whole = (pieces.protocol, pieces.whole()?);
        self.packets.remove(&key);
        self.order.retain(|other| *other != key);
        Some(whole)
    }
}

impl Pieces {
    fn whole(&self) -> Option<Vec<u8>> {
        let total = self.total?;
        let mut data = Vec::new();
        for (start, piece) in &self.by_offset {
            // A hole: not yet.
            let known = data.len().checked_sub(*start)?;
            data.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        data.truncate(total);
        (data.len() == total).then_some(data)
    }
}
