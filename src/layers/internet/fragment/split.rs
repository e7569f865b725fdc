//! Cutting a packet for a link with a smaller MTU (RFC 791 §3.2, "Fragmentation").

use bytes::Bytes;

use super::super::ipv4::{Ipv4Header, MAX_PACKET_LEN};
use crate::base::Header;

/// Why a packet cannot be cut for a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CannotFragment {
    /// It has DF set. A router drops it and says so (ICMP: destination unreachable, code 4), with the MTU.
    DontFragment,
    /// The MTU has no room for the header and 8 bytes. No IPv4 link may have one below 68 (RFC 791 §3.2).
    MtuTooSmall,
    /// Its last byte would lie beyond the 65,535 bytes that a packet can have.
    TooLong,
}

/// The packets, of at most `mtu` bytes each, that carry `payload` with `header`: one, when it fits as it is.
///
/// A fragment can be cut again; the parts then say where they lie in the whole. Lengths in the headers follow from
/// `payload`. No payload is copied.
///
/// # Errors
/// When the packet may not be cut, or cannot.
pub fn split(header: &Ipv4Header, payload: &Bytes, mtu: usize) -> Result<Fragments, CannotFragment> {
    if header.fragment_start() + header.header_len() + payload.len() > MAX_PACKET_LEN {
        return Err(CannotFragment::TooLong);
    }
    let fits = header.header_len() + payload.len() <= mtu;
    if !fits && header.dont_fragment {
        return Err(CannotFragment::DontFragment);
    }
    if !fits && header.header_len() + 8 > mtu {
        return Err(CannotFragment::MtuTooSmall);
    }
    Ok(Fragments { header: *header, rest: Some(payload.clone()), mtu })
}

/// The packets made by [`split`], in order.
#[derive(Debug, Clone)]
pub struct Fragments {
    /// The header that the rest would have if it were not cut again.
    header: Ipv4Header,
    rest: Option<Bytes>,
    mtu: usize,
}

impl Iterator for Fragments {
    type Item = (Ipv4Header, Bytes);

    fn next(&mut self) -> Option<(Ipv4Header, Bytes)> {
        let mut part = self.rest.take()?;
        let room = self.mtu.saturating_sub(self.header.header_len());
        if part.len() <= room {
            // The last part has MF only if the packet was a fragment with MF before.
            return Some((self.header.with_payload_len(part.len()), part));
        }
        // Offsets count in eights, so all parts but the last are multiples of eight long.
        let rest = part.split_off(room / 8 * 8);
        let header = Ipv4Header { more_fragments: true, ..self.header }.with_payload_len(part.len());
        self.header.fragment_offset += (part.len() / 8) as u16;
        // Options without the copied flag stay with the first fragment.
        self.header.options = header.options.copied();
        self.rest = Some(rest);
        Some((header, part))
    }
}
