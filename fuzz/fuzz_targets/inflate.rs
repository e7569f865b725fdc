//! Messages that claim to be compressed: any bytes, cut anywhere. What comes out is the same however
//! they are cut, and never more than the taker will have.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::layers::application::websocket::deflate::codec::Decompressor;

#[derive(Debug, Arbitrary)]
struct Story<'a> {
    takeover: bool,
    /// Whether memory is given up between two messages.
    rests: bool,
    limit: u16,
    cuts: Vec<u8>,
    /// One message after the other, for a window may be taken over.
    messages: Vec<&'a [u8]>,
}

/// What one call may give at a time.
const PIECE: usize = 16 << 10;

fuzz_target!(|story: Story<'_>| {
    let whole = read(&story, &[]);
    let cut = read(&story, &story.cuts);
    assert_eq!(whole, cut);
});

/// The messages up to the first that cannot be read, each as it comes out.
fn read(story: &Story<'_>, cuts: &[u8]) -> Vec<Vec<u8>> {
    let mut decompressor = Decompressor::new(story.takeover);
    let mut read = Vec::new();
    let mut cuts = cuts.iter();
    for message in &story.messages {
        let mut out = Vec::new();
        let mut take = |piece: &[u8]| {
            assert!(piece.len() <= PIECE, "bytes are given piece by piece");
            out.extend_from_slice(piece);
            if out.len() > usize::from(story.limit) { Err(()) } else { Ok(()) }
        };
        let mut rest = *message;
        let mut done = Ok(());
        while !rest.is_empty() && done.is_ok() {
            let cut = cuts.next().map_or(rest.len(), |cut| usize::from(*cut).clamp(1, rest.len()));
            let (piece, behind) = rest.split_at(cut);
            done = decompressor.push(piece, &mut take);
            rest = behind;
        }
        let done = done.and_then(|()| decompressor.finish());
        assert!(out.len() <= usize::from(story.limit) + PIECE, "it stops at the limit");
        if done.is_err() {
            break;
        }
        read.push(out);
        if story.rests {
            decompressor.rest();
        }
    }
    read
}
