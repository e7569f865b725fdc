//! Heads of requests and responses: the same answer however the bytes are cut, and what was read can be written and
//! read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::layers::application::http::{
    Head, HeadError, HeadParser, Limits, Progress, RequestHead, ResponseHead,
};

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cuts, bytes) = input;
    if let Some((head, _)) = read::<RequestHead>(bytes, &cuts) {
        let again = head.emit().expect("what was read can be written");
        assert_eq!(RequestHead::parse(&again), Ok((head, again.len())));
    }
    if let Some((head, _)) = read::<ResponseHead>(bytes, &cuts) {
        let again = head.emit().expect("what was read can be written");
        assert_eq!(ResponseHead::parse(&again), Ok((head, again.len())));
    }
});

/// Reads a head whole and in pieces; gives it and its length.
fn read<H: Head + PartialEq + std::fmt::Debug>(bytes: &[u8], cuts: &[u8]) -> Option<(H, usize)> {
    let whole = in_pieces(bytes, &[]);
    assert_eq!(whole, in_pieces(bytes, cuts));
    whole.ok().flatten()
}

fn in_pieces<H: Head>(bytes: &[u8], cuts: &[u8]) -> Result<Option<(H, usize)>, HeadError> {
    let mut parser = HeadParser::new(Limits::default());
    let (mut rest, mut taken, mut cuts) = (bytes, 0, cuts.iter());
    while !rest.is_empty() {
        let cut = cuts.next().map_or(rest.len(), |cut| usize::from(*cut).min(rest.len()));
        let (piece, behind) = rest.split_at(cut);
        match parser.feed(piece)? {
            Progress::NeedMore => taken += piece.len(),
            Progress::Done { head, consumed } => return Ok(Some((head, taken + consumed))),
        }
        rest = behind;
    }
    Ok(None)
}
