//! Segments that came before their turn (RFC 9293 §3.10.7.4, seventh: they are held for later processing).
//!
//! The queue holds each byte at most once, so it is bounded by the window the receiver offered: the caller of
//! [`Reassembly::insert`] has cut the bytes to that. Of two versions of the same byte the first to come is kept.
//! Pieces refer to the frames they came in.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The out-of-order queue: pieces by their offset, none touching another's bytes.
#[derive(Debug, Default)]
pub(super) struct Reassembly(BTreeMap<u64, Bytes>);

impl Reassembly {
    /// Keeps the parts of `bytes`, which begin at `offset`, that are not here yet.
    pub(super) fn insert(&mut self, mut offset: u64, mut bytes: Bytes) {
        // What reaches into this piece from the one before it.
        if let Some((start, before)) = self.0.range(..=offset).next_back() {
            let known = (start + before.len() as u64).saturating_sub(offset);
            skip(&mut offset, &mut bytes, known);
        }
        while !bytes.is_empty() {
            let end = offset + bytes.len() as u64;
            let Some((start, after)) = self.0.range(offset..end).next() else {
                self.0.insert(offset, bytes);
                return;
            };
            // Fill the gap before the piece that is here, then go on after it.
            let (start, known) = (*start, after.len() as u64);
            let gap = bytes.split_to((start - offset) as usize);
            if !gap.is_empty() {
                self.0.insert(offset, gap);
            }
            offset = start;
            skip(&mut offset, &mut bytes, known);
        }
    }

    /// Takes the piece that begins at or before `offset` and reaches past it, cut to begin there: its turn has come.
    /// Pieces that lie wholly before `offset` are forgotten.
    pub(super) fn take(&mut self, offset: u64) -> Option<Bytes> {
        while let Some(first) = self.0.first_entry().filter(|first| *first.key() <= offset) {
            let (mut start, mut bytes) = first.remove_entry();
            let old = offset - start;
            skip(&mut start, &mut bytes, old);
            if !bytes.is_empty() {
                return Some(bytes);
            }
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Drops up to `n` bytes from the front.
fn skip(offset: &mut u64, bytes: &mut Bytes, n: u64) {
    let n = n.min(bytes.len() as u64);
    *offset += n;
    let _ = bytes.split_to(n as usize);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_come_out_in_order_once_the_hole_is_filled() {
        let mut queue = Reassembly::default();
        queue.insert(6, Bytes::from_static(b"fg"));
        queue.insert(3, Bytes::from_static(b"cd"));
        assert_eq!(queue.take(1), None);
        queue.insert(5, Bytes::from_static(b"e"));
        assert_eq!(queue.take(3).unwrap(), "cd");
        assert_eq!(queue.take(5).unwrap(), "e");
        assert_eq!(queue.take(6).unwrap(), "fg");
        assert!(queue.is_empty());
    }

    #[test]
    fn the_first_version_of_a_byte_is_kept() {
        let mut queue = Reassembly::default();
        queue.insert(2, Bytes::from_static(b"BC"));
        queue.insert(1, Bytes::from_static(b"abcd"));
        let all: Vec<u8> = [1, 2, 4].into_iter().flat_map(|at| queue.take(at).unwrap()).collect();
        assert_eq!(all, b"aBCd");
    }

    proptest! {
        #[test]
        fn any_overlaps_give_each_byte_once(pieces in prop::collection::vec((0u64..64, 1usize..20), 1..40)) {
            let stream: Vec<u8> = (0..100).collect();
            let mut queue = Reassembly::default();
            let mut here = [false; 100];
            for (start, len) in pieces {
                let from = start as usize;
                queue.insert(start, Bytes::copy_from_slice(&stream[from..from + len]));
                here[from..from + len].fill(true);
            }
            let held: usize = queue.0.values().map(Bytes::len).sum();
            prop_assert_eq!(held, here.iter().filter(|byte| **byte).count());
            let mut at = here.iter().position(|byte| *byte).unwrap() as u64;
            while let Some(bytes) = queue.take(at) {
                prop_assert_eq!(&bytes[..], &stream[at as usize..at as usize + bytes.len()]);
                at += bytes.len() as u64;
            }
            prop_assert!(!here[at as usize]);
        }
    }
}
