//! Messages compressed at one end and decompressed at the other, for every level, window and takeover: the same
//! messages come out, however the compressed bytes are cut.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::layers::application::websocket::deflate::codec::{Compressor, Decompressor};

#[derive(Debug, Arbitrary)]
struct Story<'a> {
    level: u8,
    bits: u8,
    takeover: bool,
    /// Whether memory is given up between two messages.
    rests: bool,
    cut: u8,
    messages: Vec<Text<'a>>,
}

/// A message; one that repeats itself reaches further back than the fuzzer's few bytes.
#[derive(Debug, Arbitrary)]
struct Text<'a> {
    bytes: &'a [u8],
    times: u16,
}

fuzz_target!(|story: Story<'_>| {
    let bits = 8 + story.bits % 8;
    let mut compressor = Compressor::new(story.level, bits, story.takeover);
    let mut decompressor = Decompressor::new(story.takeover);
    let mut room = 200_000;
    for text in &story.messages {
        let message = text.bytes.repeat(usize::from(text.times % 2000).max(1));
        let Some(left) = usize::checked_sub(room, message.len()) else { return };
        room = left;
        let mut compressed = BytesMut::from(&b"before"[..]);
        if compressor.compress(&message, &mut compressed) {
            assert_eq!(&compressed[..6], b"before");
            let mut out = Vec::new();
            let mut take = |piece: &[u8]| {
                out.extend_from_slice(piece);
                Ok(())
            };
            for piece in compressed[6..].chunks(usize::from(story.cut).max(1)) {
                decompressor.push(piece, &mut take).expect("it was compressed by us");
            }
            decompressor.finish().expect("it was compressed by us");
            assert_eq!(out, message);
        } else {
            assert_eq!(&compressed[..], b"before", "what is not compressed leaves nothing behind");
            assert!(!story.takeover, "a window that is taken over must move on");
        }
        if story.rests {
            compressor.rest();
            decompressor.rest();
        }
    }
});
