//! How long a frame takes over a link.
//!
//! Two delays that have nothing to do with each other: *serialization*, the time to push the bits out one by one, which
//! depends on the rate and the length; and *propagation*, the time each bit then travels, which depends on the distance
//! alone. A fast link shortens only the first.
//!
//! What lies between two frames on the wire counts as serialization: the preamble before a frame (IEEE 802.3 §3.1.1),
//! the check sequence after it, and the gap that every station must leave (§4.4.2). So a link carries exactly as many
//! frames a second as a real one.
//!
//! Simplified: a frame is taken to have arrived when its gap has passed, 96 bit times later than a real interface has
//! its last bit. Waiting in a queue, the third delay, belongs to the owner of the queue.

use std::fmt;
use std::str::FromStr;

use crate::base::{Duration, Errors, Layer, ParseError};

/// Seven bytes of preamble and the start frame delimiter: by these the receiver finds the beat of the bits.
pub const PREAMBLE_LEN: usize = 8;
/// The frame check sequence.
pub const FCS_LEN: usize = 4;
/// The gap between frames, as long as 96 bits take.
pub const INTER_FRAME_GAP_LEN: usize = 12;
/// All bytes of time that a frame costs beyond its own, which run from the destination address to the padding.
pub const ETHERNET_OVERHEAD: usize = PREAMBLE_LEN + FCS_LEN + INTER_FRAME_GAP_LEN;

/// How many bits a second a link takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub u64);

impl Rate {
    /// A rate in bits per second.
    pub const fn bits_per_second(bits: u64) -> Self {
        Rate(bits)
    }

    /// A rate in thousands of bits per second.
    pub const fn kbit(n: u64) -> Self {
        Rate(n.saturating_mul(1_000))
    }

    /// A rate in millions of bits per second.
    pub const fn mbit(n: u64) -> Self {
        Rate(n.saturating_mul(1_000_000))
    }

    /// A rate in thousands of millions of bits per second.
    pub const fn gbit(n: u64) -> Self {
        Rate(n.saturating_mul(1_000_000_000))
    }

    /// Time to put `bytes` bytes on the wire, rounded up to whole nanoseconds; forever at a rate of 0.
    pub fn time_for(self, bytes: usize) -> Duration {
        if self.0 == 0 {
            return Duration::MAX;
        }
        // In 64 bits up to some 2 GB, for this is computed for every frame.
        if let Some(bits) = (bytes as u64).checked_mul(8 * 1_000_000_000) {
            return Duration::from_nanos(bits.div_ceil(self.0));
        }
        let nanos = (bytes as u128 * 8 * 1_000_000_000).div_ceil(u128::from(self.0));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Time for which a frame of `frame_len` bytes, counted without its check sequence, keeps an Ethernet busy.
pub fn serialization(frame_len: usize, rate: Rate) -> Duration {
    rate.time_for(frame_len.saturating_add(ETHERNET_OVERHEAD))
}

/// Time for a signal to travel `metres` of copper or fibre: about two thirds of the speed of light, 5 ns a metre.
pub const fn propagation(metres: u64) -> Duration {
    Duration::from_nanos(metres.saturating_mul(5))
}

/// Time from the first bit sent to the frame received, on a link that nothing else uses.
pub fn one_way(frame_len: usize, rate: Rate, propagation: Duration) -> Duration {
    serialization(frame_len, rate) + propagation
}

/// The units a rate is written in, the largest first.
const UNITS: [(&str, u64); 4] =
    [("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000), ("bit/s", 1)];

/// Written in the largest unit it fills: `10 Mbit/s`, `1.5 Mbit/s`, `9.6 kbit/s`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS.into_iter().find(|(_, size)| self.0 >= *size).unwrap_or(("bit/s", 1));
        let (whole, rest) = (self.0 / size, self.0 % size);
        let digits = size.ilog10() as usize;
        let fraction = if rest == 0 { String::new() } else { format!(".{rest:0digits$}") };
        f.pad(&format!("{whole}{} {unit}", fraction.trim_end_matches('0')))
    }
}

/// Read as people type it: `10mbit`, `10 Mbit/s`, `1.5m`, `64k`, `9600`. Capitals do not matter; units are decimal.
impl FromStr for Rate {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let expected = "a number above 0 and a unit, such as 10mbit or 1.5 Gbit/s";
        let errors = Errors::of(Layer::Physical, "link");
        let wrong = |offset| errors.misuse("rate", offset, expected, format!("'{text}'"));
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let size: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" | "bit" | "bit/s" | "bps" => 1,
            "k" | "kbit" | "kbit/s" | "kbps" => 1_000,
            "m" | "mbit" | "mbit/s" | "mbps" => 1_000_000,
            "g" | "gbit" | "gbit/s" | "gbps" => 1_000_000_000,
            _ => return Err(wrong(digits)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let whole: u64 = whole.parse().map_err(|_| wrong(0))?;
        // Nine places are all that a unit of ours can use.
        let places: u64 = format!("{fraction:0<9.9}").parse().map_err(|_| wrong(0))?;
        let fraction_bits = (u128::from(places) * u128::from(size) / 1_000_000_000) as u64;
        let bits = whole.checked_mul(size).and_then(|bits| bits.checked_add(fraction_bits));
        bits.filter(|bits| *bits > 0).map(Rate).ok_or_else(|| wrong(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_and_smallest_frame_take_their_known_times() {
        // On gigabit Ethernet a full frame is 1538 bytes of time and the smallest 84.
        assert_eq!(serialization(1514, Rate::gbit(1)).as_nanos(), 12_304);
        assert_eq!(serialization(60, Rate::gbit(1)).as_nanos(), 672);
        // At 10 Gbit/s the smallest takes 67.2 ns: rounded up, or links would be faster than they are.
        assert_eq!(serialization(60, Rate::gbit(10)).as_nanos(), 68);
        assert_eq!(serialization(60, Rate(0)), Duration::MAX);
    }

    #[test]
    fn distance_adds_the_same_to_every_frame() {
        let far = propagation(1_000_000);
        assert_eq!(far, Duration::from_millis(5));
        assert_eq!(one_way(1514, Rate::mbit(10), far).as_nanos(), 1_230_400 + 5_000_000);
    }

    #[test]
    fn rates_are_written_and_read_as_people_do() {
        for (rate, text) in [
            (Rate::mbit(10), "10 Mbit/s"),
            (Rate::kbit(1_500), "1.5 Mbit/s"),
            (Rate(9_600), "9.6 kbit/s"),
            (Rate(75), "75 bit/s"),
            (Rate::gbit(400), "400 Gbit/s"),
        ] {
            assert_eq!(rate.to_string(), text);
            assert_eq!(text.parse::<Rate>().unwrap(), rate);
        }
        assert_eq!("10mbit".parse::<Rate>().unwrap(), Rate::mbit(10));
        assert_eq!("64K".parse::<Rate>().unwrap(), Rate::kbit(64));
        for bad in
            ["", "fast", "10 miles", "0", "1.2.3m", "-1m", ".m", "99999999999999999999", "99999999999g"]
        {
            let error = bad.parse::<Rate>().unwrap_err();
            assert_eq!(error.field, "rate", "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_written_rate_is_read_back(bits in 1u64..) {
            prop_assert_eq!(Rate(bits).to_string().parse::<Rate>().unwrap(), Rate(bits));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.kmgKMGbit/s é-]{0,20}") {
            let _ = text.parse::<Rate>();
        }
    }
}
