//! The holes in a datagram that is being joined: RFC 815's way of knowing what is still missing.
//!
//! At first there is one hole, from zero to infinity. Each fragment fills a hole, or a part of one, and leaves what is
//! left at its sides. The last fragment says where infinity is. With no hole left the datagram is whole.

use std::ops::Range;

/// Where a hole ends while the last fragment has not come: no datagram is this long.
const INFINITY: usize = usize::MAX;

/// The missing parts, in order, not touching each other.
///
/// RFC 815 §4 keeps this list inside the missing bytes themselves, which costs no memory; ours is separate and
/// easier to read. It has at most one hole more than there were fragments.
#[derive(Debug, Clone)]
pub struct Holes(Vec<Range<usize>>);

impl Default for Holes {
    fn default() -> Self {
        Holes::new()
    }
}

impl Holes {
    /// The one hole of a packet of which nothing has arrived: everything.
    pub fn new() -> Self {
        Holes(std::iter::once(0..INFINITY).collect())
    }

    /// Takes what a fragment brings out of the holes (RFC 815 §3, steps 2 to 7).
    ///
    /// `last` says that nothing follows it (MF is clear).
    pub fn fill(&mut self, part: Range<usize>, last: bool) {
        let mut left = Vec::with_capacity(self.0.len() + 1);
        for hole in self.0.drain(..) {
            // Steps 2 and 3: a hole that the fragment does not touch stays as it is...
            let touches = part.start < hole.end && hole.start < part.end;
            if !touches {
                // ... but after the last fragment there is none.
                if !(last && hole.start >= part.end) {
                    left.push(hole);
                }
                continue;
            }
            // Step 5: what the fragment leaves in front of itself.
            if hole.start < part.start {
                left.push(hole.start..part.start);
            }
            // Step 6: the hole that remains after it, unless it is the last one.
            if part.end < hole.end && !last {
                left.push(part.end..hole.end);
            }
        }
        self.0 = left;
    }

    /// True when nothing is missing (step 8).
    pub fn none(&self) -> bool {
        self.0.is_empty()
    }

    /// How many separate parts are missing.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}
