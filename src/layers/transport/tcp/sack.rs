//! Selective acknowledgment at the receiver: which blocks have arrived beyond the next byte expected (RFC 2018 §4).
//!
//! The block with the newest segment comes first, then those announced before, so that each is in several ACKs and a
//! lost ACK costs little. What the sender makes of it is in `recovery/sent.rs`.
//!
//! Bounded by [`LIMIT`]: the block that was announced longest ago is forgotten. The data stays, only its block is not
//! sent; RFC 2018 §8 has the sender be prepared for more than that.
//!
//! Left out: D-SACK (RFC 2883), which reports what came twice.

/// The most blocks remembered.
const LIMIT: usize = 64;

/// The blocks, the newest first. None touches another.
#[derive(Debug, Default)]
pub(super) struct SackBlocks(Vec<(u64, u64)>);

impl SackBlocks {
    /// Offsets from `start` to `end` have arrived, before their turn.
    pub(super) fn insert(&mut self, mut start: u64, mut end: u64) {
        self.0.retain(|block| {
            let touches = block.0 <= end && start <= block.1;
            if touches {
                (start, end) = (start.min(block.0), end.max(block.1));
            }
            !touches
        });
        self.0.insert(0, (start, end));
        self.0.truncate(LIMIT);
    }

    /// Everything before `next` is acknowledged in the ordinary way.
    pub(super) fn acknowledged(&mut self, next: u64) {
        self.0.retain(|block| block.1 > next);
    }

    /// The first blocks, as many as `most`.
    pub(super) fn first(&self, most: usize) -> &[(u64, u64)] {
        &self.0[..most.min(self.0.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_newest_block_comes_first_and_grows_together_with_its_neighbours() {
        let mut blocks = SackBlocks::default();
        blocks.insert(200, 300);
        blocks.insert(400, 500);
        blocks.insert(600, 700);
        assert_eq!(blocks.first(9), [(600, 700), (400, 500), (200, 300)]);
        blocks.insert(300, 400);
        assert_eq!(blocks.first(9), [(200, 500), (600, 700)]);
        blocks.acknowledged(500);
        assert_eq!(blocks.first(9), [(600, 700)]);
        assert!(blocks.first(0).is_empty());
    }

    proptest! {
        #[test]
        fn blocks_are_few_apart_and_hold_what_came_last(pieces in prop::collection::vec((0u64..4_000, 1u64..9), 1..300)) {
            let mut blocks = SackBlocks::default();
            for (start, len) in pieces {
                blocks.insert(start, start + len);
                let first = blocks.0[0];
                prop_assert!(first.0 <= start && start + len <= first.1);
            }
            prop_assert!(blocks.0.len() <= LIMIT);
            for (i, a) in blocks.0.iter().enumerate() {
                for b in &blocks.0[i + 1..] {
                    prop_assert!(a.1 < b.0 || b.1 < a.0, "{:?} {:?}", a, b);
                }
            }
        }
    }
}
