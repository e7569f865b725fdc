//! Sequence numbers: 32 bits that name the bytes of a stream and wrap around (RFC 9293 §3.4).
//!
//! Circular order is not an order: of three numbers spread around the circle each is before the next. So there is no
//! `<` here. Inside the machines every place in a stream is an absolute `u64` offset, which never wraps; this type
//! lives only at the edge, where a segment is read or written.
//!
//! Left out: the cryptographic hash that RFC 6528 asks for in an initial sequence number. Our mix of a seed and the
//! addresses is repeatable on purpose, and an attacker who knows the seed is the student.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Add, AddAssign};

use crate::base::{Instant, Rng};

/// A 32-bit sequence number. All arithmetic is modulo 2^32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// The initial sequence number for a new connection: a clock that ticks every 4 microseconds plus a mix of the
    /// two ends and a secret (RFC 9293 §3.4.1, RFC 6528 §3).
    ///
    /// The clock keeps the numbers of one incarnation of a connection away from those of the one before it; the mix
    /// keeps an outsider, who knows one connection's numbers, from guessing those of another.
    pub fn initial(now: Instant, local: SocketAddr, remote: SocketAddr, secret: u64) -> SeqNumber {
        let ticks = (now.as_nanos() / 4_000) as u32;
        let mut mix = Rng::new(secret);
        let mut stir = |part: u64| mix = Rng::new(mix.next_u64() ^ part);
        for end in [local, remote] {
            let port = u64::from(end.port());
            match end.ip() {
                IpAddr::V4(ip) => stir(u64::from(ip.to_bits()) << 16 | port),
                IpAddr::V6(ip) => {
                    let bits = ip.to_bits();
                    [(bits >> 64) as u64, bits as u64, port].into_iter().for_each(&mut stir);
                }
            }
        }
        SeqNumber(ticks) + mix.next_u32()
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
            SeqNumber::initial(Instant::from_nanos(micros * 1_000), end(port), end(80), 7)
        };
        assert_ne!(at(0, 1000), at(0, 1001));
        assert_eq!(at(0, 1000).distance_to(at(4_000, 1000)), 1_000);
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
