//! Line coding: bits as changes of a level on a wire, and back.
//!
//! The wire has two levels here, and time comes in half bits, since Manchester coding changes in the middle of a bit.
//! Read first: IEEE 802.3 §3.3 (the order of bits) and §7.3.1 (Manchester, as in 10 Mbit/s Ethernet). Later Ethernets
//! code groups of bits and use more levels; noise, the preamble that the receiver's clock is set by, and where a frame
//! begins are left out.

/// A level of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The lower of the two levels.
    Low,
    /// The higher of the two levels.
    High,
}

/// How bits become levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineCode {
    /// Not return to zero: 1 is high, 0 is low, for a whole bit.
    Nrz,
    /// The same, inverted: 1 changes the level at the start of the bit, 0 does not (as in 100BASE-FX, which makes sure
    /// by another code that not too many zeros follow each other).
    Nrzi,
    /// Every bit has a change in its middle: upwards for 1, downwards for 0 (IEEE 802.3 §7.3.1).
    Manchester,
}

impl LineCode {
    /// All line codes, in the order in which they are taught.
    pub const ALL: [LineCode; 3] = [LineCode::Nrz, LineCode::Nrzi, LineCode::Manchester];

    /// The name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            LineCode::Nrz => "NRZ",
            LineCode::Nrzi => "NRZI",
            LineCode::Manchester => "Manchester",
        }
    }

    /// The levels for `bytes`, two for each bit, on a wire that was low before.
    pub fn encode(self, bytes: &[u8]) -> Vec<Level> {
        let mut level = Level::Low;
        let mut levels = Vec::with_capacity(bytes.len() * 16);
        for bit in bits(bytes) {
            let (first, second) = match (self, bit) {
                (LineCode::Nrz, true) => (Level::High, Level::High),
                (LineCode::Nrz, false) => (Level::Low, Level::Low),
                (LineCode::Nrzi, true) => (level.other(), level.other()),
                (LineCode::Nrzi, false) => (level, level),
                (LineCode::Manchester, true) => (Level::Low, Level::High),
                (LineCode::Manchester, false) => (Level::High, Level::Low),
            };
            levels.extend([first, second]);
            level = second;
        }
        levels
    }

    /// Decodes levels into bytes, with a clock that is never wrong. `None` when there is
    /// half a byte, or a Manchester bit without a change.
    pub fn decode(self, levels: &[Level]) -> Option<Vec<u8>> {
        if !levels.len().is_multiple_of(16) {
            return None;
        }
        let mut before = Level::Low;
        let mut bytes = Vec::with_capacity(levels.len() / 16);
        for of_byte in levels.chunks_exact(16) {
            let mut byte = 0;
            for (place, pair) in of_byte.chunks_exact(2).enumerate() {
                let (first, second) = (pair[0], pair[1]);
                let bit = match self {
                    LineCode::Manchester if first == second => return None,
                    LineCode::Nrz | LineCode::Manchester => second == Level::High,
                    LineCode::Nrzi => first != before,
                };
                byte |= u8::from(bit) << place;
                before = second;
            }
            bytes.push(byte);
        }
        Some(bytes)
    }
}

impl Level {
    fn other(self) -> Level {
        match self {
            Level::Low => Level::High,
            Level::High => Level::Low,
        }
    }
}

/// The bits of `bytes` in the order of the wire: each byte's lowest bit first (IEEE 802.3 §3.3).
pub fn bits(bytes: &[u8]) -> impl Iterator<Item = bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |place| byte >> place & 1 == 1))
}

/// How often the level changes, the wire being low before.
pub fn changes(levels: &[Level]) -> usize {
    let before = std::iter::once(&Level::Low).chain(levels);
    before.zip(levels).filter(|(before, after)| before != after).count()
}

/// The longest time without a change, in half bits: as long as that the receiver has nothing to set its clock by.
pub fn longest_still(levels: &[Level]) -> usize {
    levels.chunk_by(|a, b| a == b).map(<[Level]>::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lowest_bit_goes_first() {
        let sent: Vec<bool> = bits(&[0b0000_0101]).collect();
        assert_eq!(sent, [true, false, true, false, false, false, false, false]);
    }

    #[test]
    fn a_row_of_zeros_is_silent_unless_the_code_sees_to_it() {
        let zeros = [0; 4];
        assert_eq!(changes(&LineCode::Nrz.encode(&zeros)), 0);
        assert_eq!(longest_still(&LineCode::Nrz.encode(&zeros)), 64);
        assert!(changes(&LineCode::Manchester.encode(&zeros)) >= 32);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        assert_eq!(LineCode::Manchester.decode(&[Level::High; 16]), None);
        assert_eq!(LineCode::Nrz.decode(&[Level::High; 15]), None);
        assert_eq!(LineCode::Nrz.decode(&[Level::High; 16]), Some(vec![0xff]));
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded_to_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            for code in LineCode::ALL {
                prop_assert_eq!(code.decode(&code.encode(&bytes)), Some(bytes.clone()));
            }
        }

        #[test]
        fn manchester_never_rests_longer_than_a_bit(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            let levels = LineCode::Manchester.encode(&bytes);
            prop_assert!(longest_still(&levels) <= 2);
            prop_assert!(changes(&levels) >= bytes.len() * 8);
        }
    }
}
