//! Fragments put together again, as far as a dissector needs it (RFC 791 §3.2).
//!
//! Unlike a host's, this reassembly knows no time: a packet that never becomes whole is forgotten when
//! [`MOST_PACKETS`] newer ones have begun. Of bytes that come twice, the first copy counts.

use std::collections::{BTreeMap, VecDeque};

use crate::layers::internet::ipv4::{Ipv4Header, MAX_PACKET_LEN};

/// At most this many packets wait for fragments, which bounds the memory at 4 MiB of data; the oldest is forgotten
/// first.
pub(super) const MOST_PACKETS: usize = 64;

/// What identifies the fragments of one packet (RFC 791 §2.3): addresses, protocol, identification.
type Key = (u32, u32, u8, u16);

/// The packets that are not whole yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragments {
    packets: BTreeMap<Key, Pieces>,
    order: VecDeque<Key>,
}

#[derive(Debug, Clone, Default)]
struct Pieces {
    by_offset: BTreeMap<usize, Vec<u8>>,
    total: Option<usize>,
}

impl Fragments {
    /// Takes one fragment; gives the data of the packet when it is whole.
    pub(super) fn take(&mut self, header: &Ipv4Header, data: &[u8]) -> Option<Vec<u8>> {
        let key =
            (header.source.to_bits(), header.destination.to_bits(), header.protocol, header.identification);
        let start = header.fragment_start();
        if start + data.len() > MAX_PACKET_LEN {
            return None;
        }
        if !self.packets.contains_key(&key) {
            if self.order.len() >= MOST_PACKETS
                && let Some(oldest) = self.order.pop_front()
            {
                self.packets.remove(&oldest);
            }
            self.order.push_back(key);
        }
        let pieces = self.packets.entry(key).or_default();
        if !header.more_fragments {
            pieces.total = Some(start + data.len());
        }
        pieces.by_offset.entry(start).or_insert_with(|| data.to_vec());
        let whole = pieces.whole()?;
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
