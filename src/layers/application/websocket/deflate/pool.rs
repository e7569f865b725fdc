//! Compressors and decompressors between two messages.
//!
//! Without context takeover (RFC 7692 §7.1.1) a connection that waits for its peer needs neither. What it gives up is
//! kept here for the connection that needs one next: connections that take turns share a few, and memory of their size
//! is not allocated again for every message.
//!
//! A pool is a value: its owner hands it to the connections that are to share it
//! ([`Deflate::pool`](super::Deflate::pool)), and it goes with the last of them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zlib_rs::{Deflate, Inflate};

/// How many of each kind are kept; the rest is freed.
const KEPT: usize = 4;

/// Compressors and decompressors that no connection uses now. Clones share them.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<Kept>>);

/// All of them are empty: nothing of one connection's messages reaches another.
#[derive(Default)]
struct Kept {
    /// With their level and window.
    compressors: Vec<(u8, u8, Deflate)>,
    decompressors: Vec<Inflate>,
}

impl Pool {
    pub(super) fn compressor(&self, level: u8, bits: u8) -> Option<Deflate> {
        let kept = &mut self.kept().compressors;
        let at = kept.iter().rposition(|(l, b, _)| (*l, *b) == (level, bits))?;
        Some(kept.remove(at).2)
    }

    pub(super) fn keep_compressor(&self, level: u8, bits: u8, mut deflate: Deflate) {
        deflate.reset();
        let kept = &mut self.kept().compressors;
        // The oldest goes: peers that ask for unusual windows must not fill all places for good.
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((level, bits, deflate));
    }

    pub(super) fn decompressor(&self) -> Option<Inflate> {
        self.kept().decompressors.pop()
    }

    pub(super) fn keep_decompressor(&self, mut inflate: Inflate) {
        inflate.reset(false);
        let kept = &mut self.kept().decompressors;
        if kept.len() < KEPT {
            kept.push(inflate);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every entry is whole at all times, whatever a panic has cut short.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which pool serves a connection is no part of what it wishes: any two are equal.
impl PartialEq for Pool {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Pool {}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::super::codec::{Compressor, Decompressor};
    use super::*;

    /// A connection's compressor in action, and then at rest.
    fn compress_one(pool: &Pool, bits: u8) -> BytesMut {
        let mut out = BytesMut::new();
        let mut compressor = Compressor::new(1, bits, false).sharing(pool);
        assert!(compressor.compress(&[b'a'; 1000], &mut out));
        compressor.rest();
        out
    }

    #[test]
    fn unusual_compressors_do_not_keep_the_usual_ones_out_of_the_pool() {
        let pool = Pool::default();
        for bits in (9..9 + KEPT as u8).chain([15]) {
            compress_one(&pool, bits);
        }
        let kept = pool.kept().compressors.iter().map(|(_, bits, _)| *bits).collect::<Vec<_>>();
        assert_eq!(kept, [10, 11, 12, 15]);
    }

    #[test]
    fn connections_of_one_pool_take_turns_and_those_of_another_see_nothing_of_it() {
        let (pool, other) = (Pool::default(), Pool::default());
        let (first, clone) = (compress_one(&pool, 15), pool.clone());
        assert_eq!(compress_one(&clone, 15), first, "nothing of the first message is left");
        assert_eq!((pool.kept().compressors.len(), other.kept().compressors.len()), (1, 0));
        for _ in 0..2 {
            let mut decompressor = Decompressor::new(false).sharing(&pool);
            let mut read = 0;
            let mut take = |piece: &[u8]| {
                read += piece.len();
                Ok(())
            };
            decompressor.push(&first, &mut take).expect("it is DEFLATE");
            decompressor.finish().expect("it is whole");
            decompressor.rest();
            assert_eq!((read, pool.kept().decompressors.len()), (1000, 1));
        }
    }
}
