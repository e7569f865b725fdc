//! Chance with a seed: the same seed gives the same run, on every platform and in every version of this crate.
//!
//! The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
//! 2014): ten lines, and every seed gives a full-period stream of its own. It is not for secrets.

/// A seeded generator of random numbers.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator that will always give the same numbers for the same seed.
    pub const fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// A generator for a part of the run (a link, a host), so that asking one part for more numbers leaves the
    /// numbers of the others as they were.
    pub fn fork(&self, label: &str) -> Self {
        let mut child = Rng(self.0);
        for byte in label.bytes() {
            child.0 = child.next_u64() ^ u64::from(byte);
        }
        Rng(child.next_u64())
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// A number below `limit`; 0 when `limit` is 0.
    ///
    /// By multiplication instead of remainder; the bias is below `limit / 2^64`.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// True with the given probability (0.0 never, 1.0 always).
    pub fn chance(&mut self, probability: f64) -> bool {
        // 53 random bits fill the mantissa of an f64 exactly: a number in [0, 1).
        ((self.next_u64() >> 11) as f64) * (1.0 / (1u64 << 53) as f64) < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence_for_seed_1234567_comes_out() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn chance_keeps_to_its_probability() {
        let mut rng = Rng::new(7);
        let hits = (0..100_000).filter(|_| rng.chance(0.05)).count();
        assert!((4_700..5_300).contains(&hits), "{hits} of 100000");
        assert!(!(0..1000).any(|_| rng.chance(0.0)));
        assert!((0..1000).all(|_| rng.chance(1.0)));
    }

    #[test]
    fn forks_are_independent_of_each_other_and_repeatable() {
        let rng = Rng::new(1);
        assert_eq!(rng.fork("a").next_u64(), rng.fork("a").next_u64());
        assert_ne!(rng.fork("a").next_u64(), rng.fork("b").next_u64());
    }
}
