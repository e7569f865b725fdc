//! Selective acknowledgment at the receiver: which blocks have arrived beyond the next byte expected (RFC 2018 §4).
//!
//! The block with the newest segment comes first, then those announced before, so that each is in several ACKs and a
//! lost ACK costs little. What the sender makes of it is in `recovery/sent.rs`.
//!
//! What came twice is reported too, once, in the first block of the next ACK (D-SACK, RFC 2883 §4): so the sender learns
//! that it sent something again in vain.
//!
//! Bounded by [`LIMIT`]: the block that was announced longest ago is forgotten. The data stays, only its block is not
//! sent; RFC 2018 §8 has the sender be prepared for more than that.

/// The most blocks remembered.
const LIMIT: usize = 64;

/// The blocks, the newest first. None touches another.
#[derive(Debug, Default)]
pub(super) struct SackBlocks {
    early: Vec<(u64, u64)>,
    /// What of the last segment had come before.
    duplicate: Option<(u64, u64)>,
}

impl SackBlocks {
    /// Offsets from `start` to `end` have arrived, before their turn.
    pub(super) fn insert(&mut self, mut start: u64, mut end: u64) {
        self.early.retain(|block| {
            let touches = block.0 <= end && start <= block.1;
            if touches {
                (start, end) = (start.min(block.0), end.max(block.1));
            }
            !touches
        });
        self.early.insert(0, (start, end));
        self.early.truncate(LIMIT);
    }

    /// Looks at a segment from `start` to `end` before it is taken in: the first part of it that has come before is a
    /// duplicate (RFC 2883 §4, rules 1 and 3). All before `next` has.
    pub(super) fn note_duplicate(&mut self, start: i64, end: i64, next: u64) {
        let (start, end) = (start.max(1).cast_unsigned(), end.max(1).cast_unsigned());
        let here = std::iter::once((0, next)).chain(self.early.iter().copied());
        let overlaps = here.map(|(from, to)| (start.max(from), end.min(to)));
        self.duplicate = overlaps.filter(|(from, to)| from < to).min();
        // The block that holds it is the second one (rule 5).
        if let Some((from, to)) = self.duplicate.filter(|(from, _)| *from >= next) {
            self.insert(from, to);
        }
    }

    /// An ACK was sent: what came twice is reported once (rule 2).
    pub(super) fn told(&mut self) {
        self.duplicate = None;
    }

    /// Everything before `next` is acknowledged in the ordinary way.
    pub(super) fn acknowledged(&mut self, next: u64) {
        self.early.retain(|block| block.1 > next);
    }

    /// The first blocks, as many as `most`.
    pub(super) fn first(&self, most: usize) -> impl Iterator<Item = (u64, u64)> {
        self.duplicate.into_iter().chain(self.early.iter().copied()).take(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(blocks: &SackBlocks, most: usize) -> Vec<(u64, u64)> {
        blocks.first(most).collect()
    }

    /// RFC 2883 §4, with its numbers of rules.
    #[test]
    fn what_came_twice_is_the_first_block_once_and_the_block_around_it_the_second() {
        let mut blocks = SackBlocks::default();
        blocks.note_duplicate(200, 300, 200);
        blocks.insert(200, 300);
        blocks.insert(400, 500);
        assert_eq!(first(&blocks, 9), [(400, 500), (200, 300)], "nothing came twice");
        // All of it was acknowledged before (1, 3).
        blocks.note_duplicate(50, 150, 200);
        assert_eq!(first(&blocks, 9), [(50, 150), (400, 500), (200, 300)]);
        blocks.told();
        assert_eq!(first(&blocks, 9), [(400, 500), (200, 300)], "once (2)");
        // Only the part that overlaps, and the block that it lies in comes next (5).
        blocks.note_duplicate(250, 350, 200);
        assert_eq!(first(&blocks, 2), [(250, 300), (200, 300)]);
        // Of the last segment only (1).
        blocks.note_duplicate(350, 360, 200);
        assert_eq!(first(&blocks, 9), [(200, 300), (400, 500)]);
        // Where it overlaps several, the first counts, and a number before the stream is none.
        blocks.note_duplicate(-40, 450, 100);
        assert_eq!(first(&blocks, 1), [(1, 100)]);
    }

    #[test]
    fn the_newest_block_comes_first_and_grows_together_with_its_neighbours() {
        let mut blocks = SackBlocks::default();
        blocks.insert(200, 300);
        blocks.insert(400, 500);
        blocks.insert(600, 700);
        assert_eq!(first(&blocks, 9), [(600, 700), (400, 500), (200, 300)]);
        blocks.insert(300, 400);
        assert_eq!(first(&blocks, 9), [(200, 500), (600, 700)]);
        blocks.acknowledged(500);
        assert_eq!(first(&blocks, 9), [(600, 700)]);
        assert!(first(&blocks, 0).is_empty());
    }

    proptest! {
        #[test]
        fn blocks_are_few_apart_and_hold_what_came_last(pieces in prop::collection::vec((0u64..4_000, 1u64..9), 1..300)) {
            let mut blocks = SackBlocks::default();
            for (start, len) in pieces {
                blocks.insert(start, start + len);
                let first = blocks.early[0];
                prop_assert!(first.0 <= start && start + len <= first.1);
            }
            prop_assert!(blocks.early.len() <= LIMIT);
            for (i, a) in blocks.early.iter().enumerate() {
                for b in &blocks.early[i + 1..] {
                    prop_assert!(a.1 < b.0 || b.1 < a.0, "{:?} {:?}", a, b);
                }
            }
        }
    }
}
