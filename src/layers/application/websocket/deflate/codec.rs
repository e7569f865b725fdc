//! Compressing and decompressing the payload of messages (RFC 7692 §7.2).
//!
//! DEFLATE itself is the work of `zlib-rs`. Ours is what RFC 7692 puts around it: a message is what one flush gives,
//! without the four bytes `00 00 ff ff` that end it (§7.2.1); the reader puts them back (§7.2.2). What it decompresses
//! is taken out piece by piece, so that a few bytes that would become gigabytes are stopped at the limit.
//!
//! Both ends are made when the first compressed message needs them. Without context takeover they are given up again
//! when the connection rests ([`rest`](Compressor::rest)): to a [`Pool`], if it shares one.

use std::fmt;

use bytes::BytesMut;
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush, Status};

use super::pool::Pool;

/// What every flush ends with and no message carries (§7.2.1): the length of an empty block and its complement.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Makes the payload of compressed messages.
pub struct Compressor {
    deflate: Option<Deflate>,
    level: u8,
    window_bits: u8,
    takeover: bool,
    /// A message went through: without takeover the window must be emptied before the next.
    used: bool,
    pool: Option<Pool>,
}

impl Compressor {
    /// A compressor that looks back at most 2 to the power of `window_bits` bytes.
    pub fn new(level: u8, window_bits: u8, takeover: bool) -> Self {
        Compressor { deflate: None, level: level.clamp(1, 9), window_bits, takeover, used: false, pool: None }
    }

    /// It takes what it needs from this pool, and gives it back at rest.
    pub fn sharing(self, pool: &Pool) -> Self {
        Compressor { pool: Some(pool.clone()), ..self }
    }

    /// Appends the compressed payload to `out`. False when nothing was gained: then `out` is as it was, and the
    /// message is better sent as it is. With takeover it is always compressed, for the window has moved on.
    pub fn compress(&mut self, payload: &[u8], out: &mut BytesMut) -> bool {
        /// Room for the end of a flush: zlib wants more than 6 bytes, or it writes the end twice.
        const MARGIN: usize = 64;
        if payload.is_empty() {
            // §7.2.3.6: an empty block. A flush with nothing to flush would give no bytes at all.
            out.extend_from_slice(&[0x00]);
            return true;
        }
        let start = out.len();
        let (level, bits) = (self.level, self.window_bits);
        let deflate = self.deflate.get_or_insert_with(|| {
            let kept = self.pool.as_ref().and_then(|pool| pool.compressor(level, bits));
            // zlib never looks back further than its window less 262 bytes. So a window of 512 bytes reaches 250 bytes
            // back, which keeps a promise of 256, for which zlib has no window of its own.
            kept.unwrap_or_else(|| Deflate::new(effort(level), false, bits.max(9)))
        });
        if std::mem::replace(&mut self.used, true) && !self.takeover {
            deflate.reset();
        }
        let mut taken = 0;
        let mut end = start;
        loop {
            out.resize(end + (payload.len() - taken) / 2 + MARGIN, 0);
            let (before_in, before_out) = (deflate.total_in(), deflate.total_out());
            let status = deflate.compress(&payload[taken..], &mut out[end..], DeflateFlush::SyncFlush);
            taken += (deflate.total_in() - before_in) as usize;
            end += (deflate.total_out() - before_out) as usize;
            if status.is_err() || (taken == payload.len() && end < out.len()) {
                break;
            }
        }
        out.truncate(end);
        if out[start..].ends_with(&TAIL) {
            out.truncate(end - TAIL.len());
        }
        let gained = self.takeover || out.len() - start < payload.len();
        if !gained {
            out.truncate(start);
        }
        gained
    }

    /// Gives up what memory can be given up between two messages.
    pub fn rest(&mut self) {
        if self.takeover {
            return;
        }
        self.used = false;
        if let (Some(deflate), Some(pool)) = (self.deflate.take(), &self.pool) {
            pool.keep_compressor(self.level, self.window_bits, deflate);
        }
    }
}

/// What zlib-rs calls it. Its own level 1 writes blocks of the fixed Huffman code only (RFC 1951 §3.2.6), a third more
/// bytes than the level 1 of other libraries; its level 2 makes codes for what it found (§3.2.7).
fn effort(level: u8) -> i32 {
    level.clamp(2, 9).into()
}

/// Every decompressor has the largest window: zlib-rs has no smaller ones to save memory with.
fn new_inflate(pool: Option<&Pool>) -> Inflate {
    pool.and_then(Pool::decompressor).unwrap_or_else(|| Inflate::new(false, 15))
}

/// Why a message could not be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// It is not DEFLATE, or looks back to before its window began. A peer that looks back further than was agreed is
    /// still understood, for the window here is the largest there is.
    Corrupt,
    /// The consumer refused the output.
    Refused,
}

/// Reads the payload of compressed messages.
pub struct Decompressor {
    inflate: Option<Inflate>,
    takeover: bool,
    /// Nothing has come since the last message ended, or since the stream ended inside this one.
    nothing_begun: bool,
    /// Where the next piece is decompressed to.
    room: Box<[u8]>,
    pool: Option<Pool>,
}

impl Decompressor {
    const ROOM: usize = 16 << 10;

    /// A decompressor for a peer that keeps its window from message to message, or does not.
    pub fn new(takeover: bool) -> Self {
        Decompressor { inflate: None, takeover, nothing_begun: true, room: Box::default(), pool: None }
    }

    /// It takes what it needs from this pool, and gives it back at rest.
    pub fn sharing(self, pool: &Pool) -> Self {
        Decompressor { pool: Some(pool.clone()), ..self }
    }

    /// Decompresses the next bytes of a message. What comes out is given to `take` piece by piece; when `take` says
    /// no, nothing further is decompressed. What came out before an error is given too, so that it does not matter
    /// where the bytes were cut.
    ///
    /// # Errors
    /// When the bytes are not DEFLATE, or `take` said no.
    pub fn push(
        &mut self,
        piece: &[u8],
        take: &mut impl FnMut(&[u8]) -> Result<(), ()>,
    ) -> Result<(), InflateError> {
        if self.room.is_empty() {
            self.room = vec![0; Self::ROOM].into();
        }
        self.nothing_begun &= piece.is_empty();
        let mut read = 0;
        loop {
            let inflate = self.inflate.get_or_insert_with(|| new_inflate(self.pool.as_ref()));
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(&piece[read..], &mut self.room, InflateFlush::SyncFlush);
            read += (inflate.total_in() - before_in) as usize;
            let written = (inflate.total_out() - before_out) as usize;
            if written > 0 {
                take(&self.room[..written]).map_err(|()| InflateError::Refused)?;
            }
            match status.map_err(|_| InflateError::Corrupt)? {
                // §7.2.3.4: a sender may end the stream inside a message (BFINAL) and begin a new one. It may do so
                // with every second byte: so the decompressor is reset, which costs little, and not allocated again.
                Status::StreamEnd => {
                    inflate.reset(false);
                    self.nothing_begun = read == piece.len();
                }
                Status::Ok | Status::BufError if written == self.room.len() => continue,
                Status::Ok | Status::BufError if read == piece.len() || written == 0 => return Ok(()),
                Status::Ok | Status::BufError => continue,
            }
            if read == piece.len() {
                return Ok(());
            }
        }
    }

    /// The message has come in whole: what its sender left out is put back (§7.2.2).
    ///
    /// It must be the end of an empty block that the sender has begun (§7.2.1). Anywhere else it would be read as part
    /// of the message: a message cut off inside a block would seem to contain four bytes of ours. A message without
    /// any bytes, or with none after a block that ends its stream, has begun no such block, but is not cut off either.
    ///
    /// # Errors
    /// When the message ends elsewhere.
    pub fn finish(&mut self) -> Result<(), InflateError> {
        /// The tail, and a byte after it: at a block's end the decompressor is asked to stop, so it must leave this
        /// one.
        const TAIL_AND_MORE: [u8; 5] = [TAIL[0], TAIL[1], TAIL[2], TAIL[3], 0x00];
        if !std::mem::replace(&mut self.nothing_begun, true) {
            let inflate = self.inflate.get_or_insert_with(|| new_inflate(self.pool.as_ref()));
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(&TAIL_AND_MORE, &mut self.room, InflateFlush::Block);
            let after = (before.0 + TAIL.len() as u64, before.1);
            if status != Ok(Status::Ok) || (inflate.total_in(), inflate.total_out()) != after {
                return Err(InflateError::Corrupt);
            }
            if !self.takeover {
                inflate.reset(false);
            }
        }
        Ok(())
    }

    /// Gives up what memory can be given up between two messages.
    pub fn rest(&mut self) {
        self.room = Box::default();
        if self.takeover {
            return;
        }
        if let (Some(inflate), Some(pool)) = (self.inflate.take(), &self.pool) {
            pool.keep_decompressor(inflate);
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("window_bits", &self.window_bits).finish_non_exhaustive()
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("takeover", &self.takeover).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compress(compressor: &mut Compressor, payload: &[u8]) -> Option<Vec<u8>> {
        let mut out = BytesMut::from(&b"before"[..]);
        let gained = compressor.compress(payload, &mut out);
        assert_eq!(&out[..6], b"before");
        gained.then(|| out[6..].to_vec())
    }

    fn inflate(
        decompressor: &mut Decompressor,
        payload: &[u8],
        size: usize,
    ) -> Result<Vec<u8>, InflateError> {
        let mut all = Vec::new();
        let mut take = |piece: &[u8]| {
            all.extend_from_slice(piece);
            Ok(())
        };
        for piece in payload.chunks(size.max(1)) {
            decompressor.push(piece, &mut take)?;
        }
        decompressor.finish()?;
        Ok(all)
    }

    /// What a program would send: text that is alike, and numbers in it that are not.
    fn events(len: usize) -> Vec<u8> {
        const WORDS: [&str; 8] =
            ["packet", "segment", "retransmission", "window", "router", "sender", "message", "handshake"];
        let mut rng = crate::base::Rng::new(7);
        let mut text = String::new();
        while text.len() < len {
            let [id, kind, about] = [0; 3].map(|_| rng.next_u32());
            let [kind, about] = [kind, about].map(|at| WORDS[at as usize % WORDS.len()]);
            text += &format!("{{\"id\":{},\"kind\":\"{kind}\",\"note\":\"of {about}\"}},", id % 100_000);
        }
        text.truncate(len);
        text.into_bytes()
    }

    /// The peer is another implementation, of another origin.
    fn peer_inflates(payload: &[u8]) -> Vec<u8> {
        let whole = [payload, &TAIL].concat();
        let mut room = vec![0; 1 << 20];
        let mut state = miniz_oxide::inflate::stream::InflateState::new(miniz_oxide::DataFormat::Raw);
        let done =
            miniz_oxide::inflate::stream::inflate(&mut state, &whole, &mut room, miniz_oxide::MZFlush::Sync);
        assert_eq!((done.status, done.bytes_consumed), (Ok(miniz_oxide::MZStatus::Ok), whole.len()));
        room.truncate(done.bytes_written);
        room
    }

    #[test]
    fn levels_1_and_6_write_at_most_a_tenth_more_than_a_peer_does() {
        use miniz_oxide::deflate::compress_to_vec;
        for len in [300, 1024, 4096, 65_536] {
            let text = events(len);
            for level in [1, 6] {
                let ours = compress(&mut Compressor::new(level, 15, false), &text).unwrap();
                assert_eq!(peer_inflates(&ours), text);
                let peer = compress_to_vec(&text, level).len();
                // The peer ends its stream, which takes it a bit less than a flush.
                assert!(
                    ours.len() <= peer + peer / 10 + 2,
                    "level {level}: {} and {peer} of {len}",
                    ours.len()
                );
            }
        }
    }

    #[test]
    fn the_messages_of_section_7_2_3_are_read() {
        let cases: [&[u8]; 5] = [
            // One block (§7.2.3.1).
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            // A block without compression (§7.2.3.3).
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            // A block with BFINAL set (§7.2.3.4).
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            // Two blocks (§7.2.3.5).
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
        ];
        for takeover in [true, false] {
            for size in [1, 3, 100] {
                let mut decompressor = Decompressor::new(takeover);
                for payload in cases {
                    assert_eq!(inflate(&mut decompressor, payload, size).unwrap(), b"Hello", "{payload:x?}");
                }
                assert_eq!(inflate(&mut decompressor, &[0x00], size).unwrap(), b"");
            }
        }
    }

    #[test]
    fn a_window_that_is_taken_over_makes_the_second_message_short() {
        let mut compressor = Compressor::new(6, 15, true);
        let mut decompressor = Decompressor::new(true);
        let [first, second] = [0; 2].map(|_| compress(&mut compressor, b"Hello").unwrap());
        assert_eq!(first, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        // §7.2.3.2.
        assert_eq!(second, [0xf2, 0x00, 0x11, 0x00, 0x00]);
        assert_eq!(inflate(&mut decompressor, &first, 9).unwrap(), b"Hello");
        assert_eq!(inflate(&mut decompressor, &second, 9).unwrap(), b"Hello");
        // Without takeover the second means nothing.
        let mut forgetful = Decompressor::new(false);
        inflate(&mut forgetful, &first, 9).unwrap();
        assert_eq!(inflate(&mut forgetful, &second, 9), Err(InflateError::Corrupt));
    }

    /// Noise that repeats after `distance` bytes: a window of that size finds all of it, a smaller one nothing.
    fn repeating(distance: usize) -> Vec<u8> {
        let mut rng = crate::base::Rng::new(1);
        let noise: Vec<u8> = (0..distance).map(|_| rng.next_u32() as u8).collect();
        noise.repeat(2)
    }

    #[test]
    fn a_window_is_never_exceeded_at_any_level() {
        for bits in 8..=15 {
            let window = 1 << bits;
            for level in [1, 2, 3, 6, 9] {
                for distance in [window + 1, window + 2, window + 5, window + 262, 2 * window] {
                    let mut compressor = Compressor::new(level, bits, false);
                    let found = compress(&mut compressor, &repeating(distance));
                    assert_eq!(found, None, "{bits} bits, level {level}, {distance} bytes back");
                }
                // The test above can fail: a look back that is allowed finds it.
                let payload = repeating(window * 3 / 8);
                let found = compress(&mut Compressor::new(level, bits, false), &payload);
                let found = found.unwrap_or_else(|| panic!("{bits} bits, level {level}"));
                assert!(found.len() < payload.len() * 2 / 3);
                assert_eq!(inflate(&mut Decompressor::new(false), &found, 100).unwrap(), payload);
            }
        }
    }

    #[test]
    fn a_bomb_is_stopped_where_the_taker_says() {
        let bomb = compress(&mut Compressor::new(9, 15, false), &vec![0; 10 << 20]).unwrap();
        assert!(bomb.len() < 12_000, "{} bytes", bomb.len());
        let mut taken = 0;
        let mut take = |piece: &[u8]| {
            taken += piece.len();
            if taken > 100_000 { Err(()) } else { Ok(()) }
        };
        assert_eq!(Decompressor::new(false).push(&bomb, &mut take), Err(InflateError::Refused));
        assert!(taken <= 100_000 + Decompressor::ROOM);
    }

    #[test]
    fn a_message_that_is_cut_off_is_not_one() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        let dynamic = compress(&mut Compressor::new(9, 15, false), &repeating(3000)[..5000]).unwrap();
        for takeover in [true, false] {
            for whole in [&hello[..], &stored, &last, &dynamic] {
                // One byte of 0 alone would be the empty message of §7.2.3.6.
                for end in 2..whole.len() {
                    let cut = inflate(&mut Decompressor::new(takeover), &whole[..end], 100);
                    // After a block that ends its stream nothing is missing.
                    let ends_its_stream = whole == last && end == 7;
                    assert_eq!(cut.is_ok(), ends_its_stream, "{end} of {}", whole.len());
                }
            }
            // A block of 200 bytes, of which two came; one whose end was not left out.
            for wrong in [&[0x00, 0xc8, 0x00, 0x37, 0xff, 0x48, 0x65][..], &[0x00, 0x00, 0x00, 0xff, 0xff]] {
                let mut decompressor = Decompressor::new(takeover);
                inflate(&mut decompressor, &hello, 100).unwrap();
                assert_eq!(inflate(&mut decompressor, wrong, 100), Err(InflateError::Corrupt));
            }
        }
    }

    #[test]
    fn a_message_of_no_bytes_is_empty_and_leaves_the_window_as_it_was() {
        let mut decompressor = Decompressor::new(true);
        inflate(&mut decompressor, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 9).unwrap();
        // §7.2.3.6 is the second.
        for nothing in [&[][..], &[0x00]] {
            assert_eq!(inflate(&mut decompressor, nothing, 9).unwrap(), b"");
        }
        assert_eq!(inflate(&mut decompressor, &[0xf2, 0x00, 0x11, 0x00, 0x00], 9).unwrap(), b"Hello");
    }

    #[test]
    fn what_came_out_before_an_error_is_told_however_the_bytes_are_cut() {
        // A stored block, "Hello", and then a block of a kind there is none of.
        let wrong = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x07];
        for size in [1, 100] {
            let mut out = Vec::new();
            let mut decompressor = Decompressor::new(false);
            let mut take = |piece: &[u8]| {
                out.extend_from_slice(piece);
                Ok(())
            };
            let done = wrong.chunks(size).try_for_each(|piece| decompressor.push(piece, &mut take));
            assert_eq!((done, &out[..]), (Err(InflateError::Corrupt), &b"Hello"[..]));
        }
    }

    #[test]
    fn what_would_not_become_shorter_is_not_compressed() {
        let mut rng = crate::base::Rng::new(1);
        let noise: Vec<u8> = (0..5000).map(|_| rng.next_u32() as u8).collect();
        assert_eq!(compress(&mut Compressor::new(1, 15, false), &noise), None);
        assert!(compress(&mut Compressor::new(1, 15, true), &noise).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_was_compressed_is_read_again(
            messages in proptest::collection::vec("[a-d]{0,300}", 1..6),
            level in 1u8..=9, bits in 8u8..=15, takeover: bool, size in 1usize..50, resting: bool,
        ) {
            let pool = Pool::default();
            let mut compressor = Compressor::new(level, bits, takeover).sharing(&pool);
            let mut decompressor = Decompressor::new(takeover).sharing(&pool);
            for message in messages {
                if let Some(compressed) = compress(&mut compressor, message.as_bytes()) {
                    let back = inflate(&mut decompressor, &compressed, size).unwrap();
                    prop_assert_eq!(back, message.as_bytes());
                }
                if resting {
                    compressor.rest();
                    decompressor.rest();
                }
            }
        }

        #[test]
        fn a_peer_reads_what_was_compressed(
            text in "[a-d]{2,400}", noise in proptest::collection::vec(any::<u8>(), 0..200),
            level in 1u8..=9, bits in 8u8..=15,
        ) {
            let payload = [text.as_bytes(), &noise[..], text.as_bytes()].concat();
            let ours = compress(&mut Compressor::new(level, bits, true), &payload).unwrap();
            prop_assert_eq!(peer_inflates(&ours), &payload[..]);
            let peer = miniz_oxide::deflate::compress_to_vec(&payload, level);
            // A stream of its own, which ends: BFINAL is set, and nothing is left out.
            let mut all = Vec::new();
            let mut take = |piece: &[u8]| { all.extend_from_slice(piece); Ok(()) };
            Decompressor::new(true).push(&peer, &mut take).unwrap();
            prop_assert_eq!(all, payload);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>(), takeover: bool) {
            let _ = inflate(&mut Decompressor::new(takeover), &bytes, 7);
        }
    }
}
