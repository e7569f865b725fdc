//! Sequence numbers: 32 bits that name the bytes of a stream and wrap around (RFC 9293 §3.4).
//!
//! Circular order is not an order: of three numbers spread around the circle each is before the next. So there is no
//! `<` here. Inside the machines every place in a stream is an absolute `u64` offset, which never wraps; this type
//! lives only at the edge, where a segment is read or written.
//!
//! Where a stream begins, a clock and a keyed hash say (RFC 9293 §3.4.1). In the simulator the key comes from the seed:
//! repeatable on purpose, and one who knows the seed can compute it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Add, AddAssign};

use sha1::{Digest as _, Sha1};

use crate::base::Instant;

/// A 32-bit sequence number. All arithmetic is modulo 2^32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// The initial sequence number for a new connection: M, a clock that ticks every 4 microseconds, plus F, the first
    /// four bytes of a hash (SHA-1) of both ends and a secret (RFC 9293 §3.4.1: MUST-8, SHLD-1).
    ///
    /// The clock keeps the numbers of one incarnation of a connection away from those of the one before it. Without the
    /// secret nobody can compute the hash, so one connection's numbers tell nothing of another's (MUST-9).
    pub fn initial(now: Instant, local: SocketAddr, remote: SocketAddr, secret: &[u8; 16]) -> SeqNumber {
        let ticks = (now.as_nanos() / 4_000) as u32;
        let mut hash = hash_of_ends(local, remote);
        hash.update(secret);
        let [a, b, c, d, ..] = <[u8; 20]>::from(hash.finalize());
        SeqNumber(ticks) + u32::from_be_bytes([a, b, c, d])
    }

    /// The number of the byte at `offset` of a stream whose SYN has the number `isn` and the offset 0.
    pub fn of_offset(isn: SeqNumber, offset: u64) -> SeqNumber {
        // Only the low 32 bits of an offset travel: cutting off the rest is the point.
        isn + offset as u32
    }

    /// The offset that this number means, being the one nearest to `near` of all that share it.
    ///
    /// Negative when the number lies before the stream's SYN: a leftover of an older connection.
    pub fn to_offset(self, isn: SeqNumber, near: u64) -> i64 {
        let step = SeqNumber::of_offset(isn, near).distance_to(self).cast_signed();
        near.cast_signed().wrapping_add(i64::from(step))
    }

    /// True when `self` comes before `other` on the shorter way around the circle.
    pub fn is_before(self, other: SeqNumber) -> bool {
        self.distance_to(other).cast_signed() > 0
    }

    /// Steps forward from `self` to `other`.
    pub fn distance_to(self, other: SeqNumber) -> u32 {
        other.0.wrapping_sub(self.0)
    }

    /// True for the `len` numbers from `start` on.
    pub fn in_window(self, start: SeqNumber, len: u32) -> bool {
        start.distance_to(self) < len
    }
}

/// The beginning of a keyed hash: addresses and ports of both ends.
pub(super) fn hash_of_ends(local: SocketAddr, remote: SocketAddr) -> Sha1 {
    let mut hash = Sha1::new();
    for end in [local, remote] {
        match end.ip() {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
        hash.update(end.port().to_be_bytes());
    }
    hash
}

impl Add<u32> for SeqNumber {
    type Output = SeqNumber;
    fn add(self, by: u32) -> SeqNumber {
        SeqNumber(self.0.wrapping_add(by))
    }
}

impl AddAssign<u32> for SeqNumber {
    fn add_assign(&mut self, by: u32) {
        *self = *self + by;
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seq {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_go_on_past_the_wrap() {
        let last = SeqNumber(u32::MAX);
        assert_eq!(last + 1, SeqNumber(0));
        assert!(last.is_before(SeqNumber(0)));
        assert!(!SeqNumber(0).is_before(last));
        assert_eq!(last.distance_to(SeqNumber(4)), 5);
        assert!(SeqNumber(3).in_window(last, 5));
        assert!(!SeqNumber(4).in_window(last, 5));
    }

    #[test]
    fn a_number_is_not_before_itself_and_not_in_an_empty_window() {
        assert!(!SeqNumber(9).is_before(SeqNumber(9)));
        assert!(!SeqNumber(9).in_window(SeqNumber(9), 0));
    }

    #[test]
    fn circular_order_is_not_an_order() {
        let [a, b, c] = [0, 0x6000_0000, 0xc000_0000].map(SeqNumber);
        assert!(a.is_before(b) && b.is_before(c) && c.is_before(a));
    }

    #[test]
    fn initial_numbers_differ_between_connections_and_move_with_time() {
        let end = |port| SocketAddr::new([10, 0, 0, 1].into(), port);
        let at = |micros: u64, port| {
            SeqNumber::initial(Instant::from_nanos(micros * 1_000), end(port), end(80), &[7; 16])
        };
        assert_ne!(at(0, 1000), at(0, 1001));
        assert_eq!(at(0, 1000).distance_to(at(4_000, 1000)), 1_000);
    }

    /// The value is that of another program: SHA-1 of the 28 bytes.
    #[test]
    fn an_initial_number_is_the_keyed_hash_of_both_ends() {
        let secret = std::array::from_fn(|i| i as u8);
        let [a, b]: [SocketAddr; 2] = ["10.0.0.1:49152", "10.0.0.2:80"].map(|end| end.parse().unwrap());
        let initial = |local, remote, secret| SeqNumber::initial(Instant::ZERO, local, remote, secret);
        assert_eq!(initial(a, b, &secret), SeqNumber(0x47f6_07bf));
        let other: SocketAddr = "[2001:db8::1]:49152".parse().unwrap();
        let others = [initial(b, a, &secret), initial(a, b, &[0; 16]), initial(other, b, &secret)];
        assert!(others.iter().all(|number| *number != initial(a, b, &secret)), "{others:?}");
    }

    #[test]
    fn a_number_from_before_the_stream_is_a_negative_offset() {
        assert_eq!(SeqNumber(95).to_offset(SeqNumber(100), 1), -5);
    }

    proptest! {
        #[test]
        fn an_offset_survives_the_wire(isn: u32, near in 0u64..1 << 40, step in -(1i64 << 31) + 1..1 << 31) {
            let offset = near as i64 + step;
            prop_assume!(offset >= 0);
            let isn = SeqNumber(isn);
            prop_assert_eq!(SeqNumber::of_offset(isn, offset as u64).to_offset(isn, near), offset);
        }
    }
}
