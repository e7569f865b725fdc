//! The Internet checksum (RFC 1071): the one's complement of the one's complement sum of all 16-bit words.
//!
//! IPv4, ICMP, UDP and TCP all use it. It is weak (two swapped words go unnoticed) and cheap: which is why Ethernet's
//! CRC-32 is below it.

/// A checksum in the making: add the pieces in order, then [`finish`](Checksum::finish).
///
/// A piece of odd length is padded with a zero byte (RFC 1071 §4.1), so only the last one may be odd.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checksum(u64);

impl Checksum {
    /// The sum of nothing.
    pub const fn new() -> Self {
        Checksum(0)
    }

    /// Adds bytes, the first of each pair being the more significant.
    ///
    /// The sum is taken 32 bits at a time, since carries wrap around in the end (RFC 1071 §2(C)), and in the byte order
    /// of the machine: the other order gives the same sum with its two bytes swapped (§2(B)). Eight sums side by side
    /// make a loop that compilers turn into vector instructions.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut sums = [0u64; 8];
        let (blocks, rest) = bytes.as_chunks::<64>();
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            for (sum, word) in sums.iter_mut().zip(words) {
                let word = u64::from_ne_bytes(*word);
                *sum += (word & 0xffff_ffff) + (word >> 32);
            }
        }
        let (words, rest) = rest.as_chunks::<4>();
        let mut sum = sums.iter().sum::<u64>();
        sum += words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum::<u64>();
        for pair in rest.chunks(2) {
            sum += u64::from(u16::from_ne_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
        self.0 += u64::from(u16::from_be(fold(sum)));
    }

    /// Adds one 16-bit word.
    pub fn add_u16(&mut self, word: u16) {
        self.0 += u64::from(word);
    }

    /// The checksum to write into a header. Over data that holds its own correct checksum this is 0.
    pub fn finish(self) -> u16 {
        !fold(self.0)
    }
}

/// Adds the carries beyond 16 bits back in at the other end, until there are none: one's complement addition.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The Internet checksum of one run of bytes.
pub fn internet_checksum(bytes: &[u8]) -> u16 {
    let mut sum = Checksum::new();
    sum.add(bytes);
    sum.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_worked_example_of_the_rfc_comes_out() {
        // RFC 1071 §3 sums these words to ddf2.
        assert_eq!(internet_checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    /// The definition, word by word.
    fn plain(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    proptest! {
        #[test]
        fn the_fast_sum_is_the_plain_sum(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(internet_checksum(&bytes), plain(&bytes));
        }

        #[test]
        fn data_with_its_checksum_sums_to_zero(mut bytes in proptest::collection::vec(any::<u8>(), 2..200)) {
            if bytes.len() % 2 == 1 { bytes.pop(); }
            bytes[0] = 0;
            bytes[1] = 0;
            let sum = internet_checksum(&bytes);
            bytes[..2].copy_from_slice(&sum.to_be_bytes());
            prop_assert_eq!(internet_checksum(&bytes), 0);
        }
    }
}
