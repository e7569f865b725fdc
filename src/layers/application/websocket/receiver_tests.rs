//! The RFC's frames and every broken rule of §5, whole and byte by byte.

use proptest::prelude::*;

use super::super::close::CloseCode;
use super::super::deflate::codec::Compressor;
use super::*;
use crate::base::Writer;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Feeds `bytes` in pieces of `size`, reading all there is after each.
fn receive(role: Role, bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<Failure>) {
    read(&mut Receiver::new(role, 1000, 2000), bytes, size)
}

fn read(receiver: &mut Receiver, bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<Failure>) {
    let mut all = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        receiver.push(Bytes::copy_from_slice(piece));
        loop {
            match receiver.next() {
                Ok(Next::Incoming(incoming)) => all.push(incoming),
                Ok(Next::Inflated(_)) => {}
                Ok(Next::Nothing) => break,
                Err(failure) => return (all, Some(failure)),
            }
        }
    }
    (all, None)
}

/// Receives as a client, and says the same whole and byte by byte.
fn from_server(bytes: &[u8]) -> (Vec<Incoming>, Option<Failure>) {
    let whole = receive(Role::Client, bytes, bytes.len());
    assert_eq!(receive(Role::Client, bytes, 1), whole);
    whole
}

fn failure(bytes: &[u8]) -> (Option<CloseCode>, &'static str, usize) {
    let failure = from_server(bytes).1.expect("a failure");
    (failure.code, failure.error.field, failure.error.offset)
}

/// A frame as a client sends it.
fn masked(opcode: Opcode, fin: bool, payload: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    FrameHeader { fin, mask: Some(KEY), ..FrameHeader::new(opcode, payload.len() as u64) }.emit(&mut w);
    let mut payload = payload.to_vec();
    apply_mask(KEY, 0, &mut payload);
    w.bytes(&payload);
    w.finish().to_vec()
}

fn text(text: &str) -> Incoming {
    Incoming::Message(Message::Text(text.into()))
}

const WRONG: Option<CloseCode> = Some(CloseCode::PROTOCOL_ERROR);

#[test]
fn the_frames_of_section_5_7_are_received() {
    let hello = b"\x81\x05Hello";
    assert_eq!(from_server(hello), (vec![text("Hello")], None));
    let masked_hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    for size in 1..12 {
        assert_eq!(receive(Role::Server, &masked_hello, size), (vec![text("Hello")], None));
    }
    assert_eq!(from_server(b"\x01\x03Hel\x80\x02lo").0, [text("Hello")]);
    assert_eq!(from_server(b"\x89\x05Hello").0, [Incoming::Ping("Hello".into())]);
    let masked_pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(receive(Role::Server, &masked_pong, 3).0, [Incoming::Pong("Hello".into())]);
    let binary = [&[0x82, 0x7e, 0x01, 0x00][..], &[7; 256]].concat();
    assert_eq!(from_server(&binary).0, [Incoming::Message(Message::Binary(vec![7; 256].into()))]);
}

#[test]
fn control_frames_may_stand_between_fragments_and_change_nothing() {
    let (all, none) = from_server(b"\x01\x03Hel\x89\x01?\x00\x00\x8a\x00\x80\x02lo\x81\x00");
    assert_eq!(all, [Incoming::Ping("?".into()), Incoming::Pong(Bytes::new()), text("Hello"), text("")]);
    assert_eq!(none, None);
}

#[test]
fn each_reserved_bit_is_refused() {
    for (bit, name) in [(0x40, "RSV1"), (0x20, "RSV2"), (0x10, "RSV3")] {
        assert_eq!(failure(&[0x81 | bit, 0x00]), (WRONG, name, 0));
        assert_eq!(failure(&[0x89 | bit, 0x00]), (WRONG, name, 0));
    }
}

#[test]
fn a_rule_is_broken_with_the_byte_that_breaks_it_and_the_first_byte_goes_first() {
    // Alone, at the beginning of a header whose length is still to come, and before a second byte that is wrong too.
    for bytes in [&[0xf1][..], &[0xf1, 126], &[0xf9, 126]] {
        assert_eq!(failure(bytes), (WRONG, "RSV1", 0));
    }
    assert_eq!(failure(&[0x82, 0xfe]), (WRONG, "MASK", 1));
    assert_eq!(failure(&[0x82, 0xfe, 0, 1]), (WRONG, "MASK", 1));
    assert_eq!(failure(&[0x83, 0xfe]), (WRONG, "opcode", 0));
    for bytes in [&[0x82, 0x7e][..], &[0x82, 0x7e, 0, 1]] {
        assert_eq!(receive(Role::Server, bytes, 1).1.map(|failure| failure.error.field), Some("MASK"));
    }
}

#[test]
fn broken_headers_end_with_1002() {
    for (bytes, field) in [
        (&[0x83][..], "opcode"),
        (&[0x8b], "opcode"),
        (&[0x09, 0x00], "FIN"),
        (&[0x88, 126], "payload length"),
        (&[0x82, 126, 0, 125], "extended payload length"),
        (&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], "extended payload length"),
    ] {
        let (code, got, _) = failure(bytes);
        assert_eq!((code, got), (WRONG, field));
    }
}

#[test]
fn the_place_of_an_error_counts_from_the_first_frame() {
    assert_eq!(failure(b"\x81\x05Hello\x83"), (WRONG, "opcode", 7));
    assert_eq!(failure(b"\x81\x05Hello\x81\x03a\xffb"), (Some(CloseCode::INVALID_PAYLOAD), "text", 10));
}

#[test]
fn a_client_must_mask_and_a_server_must_not() {
    let (_, failure) = receive(Role::Server, b"\x81\x05Hello", 1);
    assert_eq!(failure.unwrap().error.field, "MASK");
    assert!(receive(Role::Server, b"\x89\x00", 1).1.is_some(), "control frames too");
    let (_, failure) = receive(Role::Client, &masked(Opcode::Text, true, b"Hello"), 1);
    assert_eq!(failure.unwrap().code, WRONG);
}

#[test]
fn fragments_out_of_order_are_refused() {
    assert_eq!(failure(b"\x80\x00"), (WRONG, "opcode", 0));
    assert_eq!(failure(b"\x00\x00"), (WRONG, "opcode", 0));
    assert_eq!(failure(b"\x01\x00\x81\x00"), (WRONG, "opcode", 2));
    assert_eq!(failure(b"\x81\x00\x80\x00"), (WRONG, "opcode", 2));
}

#[test]
fn wrong_text_fails_at_its_first_wrong_byte_and_not_at_the_end_of_the_message() {
    let invalid = Some(CloseCode::INVALID_PAYLOAD);
    // The frame promises 100 bytes; the second is wrong and the others never come.
    assert_eq!(failure(b"\x81\x64a\xff"), (invalid, "text", 3));
    // A character cut between two fragments goes wrong in the second.
    assert_eq!(failure(b"\x01\x01\xe2\x00\x01a"), (invalid, "text", 5));
    // A character that never ends.
    assert_eq!(failure(b"\x01\x01\xe2\x80\x00"), (invalid, "text", 5));
    assert_eq!(failure(b"\x81\x02\xe2\x82"), (invalid, "text", 4));
    // Binary may be anything.
    assert_eq!(from_server(b"\x82\x01\xff").1, None);
}

#[test]
fn close_frames_are_read_or_refused() {
    let normal = CloseReason::new(CloseCode::NORMAL, "bye");
    assert_eq!(from_server(b"\x88\x05\x03\xe8bye").0, [Incoming::Close(normal)]);
    assert_eq!(failure(b"\x88\x01\x03"), (WRONG, "close code", 2));
    assert_eq!(failure(b"\x88\x02\x03\xed"), (WRONG, "close code", 2));
    assert_eq!(failure(b"\x88\x03\x03\xe8\xff"), (Some(CloseCode::INVALID_PAYLOAD), "close reason", 4));
}

#[test]
fn limits_hold_at_the_header_and_nothing_is_reserved_for_a_promise() {
    let big = Some(CloseCode::TOO_BIG);
    assert_eq!(failure(&[0x82, 126, 0x03, 0xe9]), (big, "frame", 0));
    assert_eq!(failure(&[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), (big, "frame", 0));
    let fragment = |first: u8| [&[first, 126, 0x03, 0xe8][..], &[0; 1000]].concat();
    let too_many = [fragment(0x02), fragment(0x00), vec![0x80, 0x01]].concat();
    assert_eq!(failure(&too_many), (big, "message", 2008));

    let mut receiver = Receiver::new(Role::Client, usize::MAX, usize::MAX);
    receiver.push(Bytes::from_static(&[0x82, 127, 0x7f, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]));
    assert_eq!(receiver.next(), Ok(Next::Nothing));
    assert!(receiver.inbox.capacity() < 100);
}

#[test]
fn a_long_message_is_unmasked_and_handed_on_in_the_memory_it_came_in() {
    let frame = BytesMut::from(&masked(Opcode::Binary, true, &[5; 5000])[..]);
    let payload_at = frame.as_ptr() as usize + 8;
    let mut receiver = Receiver::new(Role::Server, 5000, 5000);
    receiver.push(frame.freeze());
    let Ok(Next::Incoming(Incoming::Message(Message::Binary(bytes)))) = receiver.next() else {
        panic!("no message")
    };
    assert_eq!((bytes.as_ptr() as usize, &bytes[..]), (payload_at, &[5; 5000][..]));
}

#[test]
fn a_receiver_at_rest_holds_on_to_no_buffer_even_one_that_the_last_message_filled() {
    let mut receiver = Receiver::new(Role::Client, 100_000, 100_000);
    let frame = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[7; 65_536]].concat();
    *receiver.inbox() = BytesMut::with_capacity(frame.len());
    receiver.inbox().extend_from_slice(&frame);
    assert!(matches!(receiver.next(), Ok(Next::Incoming(Incoming::Message(_)))));
    let mut spare = receiver.rest();
    assert!(receiver.inbox().capacity() <= FrameHeader::MAX_LEN);
    assert!(spare.is_empty() && spare.try_reclaim(65_536), "the whole buffer is free again");
}

/// A receiver that takes messages of up to 2000 bytes, compressed ones too.
fn inflate(bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<Failure>) {
    let mut receiver = Receiver::new(Role::Client, 3000, 2000);
    receiver.decompress(Decompressor::new(true));
    read(&mut receiver, bytes, size)
}

/// The payload that says this, compressed.
fn deflate(payload: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    assert!(Compressor::new(9, 15, true).compress(payload, &mut out));
    out
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    FrameHeader { rsv1: true, ..FrameHeader::new(Opcode::Text, payload.len() as u64) }.emit(&mut w);
    w.bytes(payload);
    w.finish().to_vec()
}

#[test]
fn what_is_wrong_with_a_compressed_message_does_not_depend_on_how_it_is_cut() {
    let letters: Vec<u8> = (0..200).map(|i| b'a' + i % 26).collect();
    let (large, not_utf8) = (Some(CloseCode::TOO_BIG), Some(CloseCode::INVALID_PAYLOAD));
    let corrupt = [&deflate(&[b'x'; 100])[..], &[0x07]].concat();
    let cases = [
        // What is not text comes first, what is too much later.
        (deflate(&[&[0xff][..], &letters, &[b'a'; 3000]].concat()).to_vec(), not_utf8, "text"),
        (deflate(&[&letters[..], &[b'a'; 1799], &[0xff], &[b'a'; 3000]].concat()).to_vec(), not_utf8, "text"),
        // The other way round.
        (deflate(&[&letters[..], &[b'a'; 1800], &[0xff], &[b'a'; 3000]].concat()).to_vec(), large, "message"),
        (corrupt, not_utf8, "compressed message"),
    ];
    for (payload, code, field) in cases {
        // The text before it is not compressed.
        let bytes = [&b"\x81\x02ok"[..], &compressed(&payload)].concat();
        for size in 1..=bytes.len() {
            let (all, failure) = inflate(&bytes, size);
            let failure = failure.unwrap_or_else(|| panic!("{field} in pieces of {size}"));
            assert_eq!(all, [text("ok")]);
            let got = (failure.code, failure.error.field, failure.error.offset);
            assert_eq!(got, (code, field, 4), "in pieces of {size}");
        }
    }
}

#[test]
fn a_compressed_message_within_the_limit_may_come_as_more_than_that() {
    let mut rng = crate::base::Rng::new(1);
    let noise: Vec<u8> = (0..2000).map(|_| rng.next_u32() as u8 & 0x7f).collect();
    // Blocks without compression, five bytes more each.
    let stored = |bytes: &[u8]| {
        let len = (bytes.len() as u16).to_le_bytes();
        [&[0, len[0], len[1], !len[0], !len[1]], bytes].concat()
    };
    let payload = [stored(&noise[..1000]), stored(&noise[1000..]), vec![0]].concat();
    assert!(payload.len() > 2000);
    let message = String::from_utf8(noise).unwrap();
    assert_eq!(inflate(&compressed(&payload), 100), (vec![text(&message)], None));
    // The last fragment alone is more than there is room for, before it is decompressed.
    let mut first = compressed(&[&deflate(&[b'0'; 1500])[..], &[0, 0, 0xff, 0xff]].concat());
    first[0] = 0x41;
    let last = [stored(&[b'1'; 500]), vec![0]].concat();
    let bytes = [first, vec![0x80, 126, (last.len() >> 8) as u8, last.len() as u8], last].concat();
    assert_eq!(inflate(&bytes, 100), (vec![text(&("0".repeat(1500) + &"1".repeat(500)))], None));
}

#[test]
fn a_bomb_goes_off_little_by_little() {
    let mut receiver = Receiver::new(Role::Client, 1 << 20, 64 << 20);
    receiver.decompress(Decompressor::new(false));
    receiver.push(compressed(&deflate(&vec![0; 20 << 20])).into());
    let mut told = 0;
    loop {
        match receiver.next().unwrap() {
            Next::Inflated(bytes) => {
                assert!(bytes <= (1 << 20) + Receiver::MUCH + 16 * 1024, "{bytes} at once");
                told += bytes;
            }
            Next::Incoming(Incoming::Message(message)) => {
                assert_eq!(message.as_bytes().len(), 20 << 20);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(told > 19 << 20, "{told} bytes");
    // Many short ones count together.
    let short = compressed(&deflate(&[0; 2000]));
    receiver.push(short.repeat(100).into());
    let turns = (0..103).filter(|_| matches!(receiver.next(), Ok(Next::Inflated(_)))).count();
    assert!((3..=4).contains(&turns), "{turns}");
}

fn any_frames() -> impl Strategy<Value = Vec<u8>> {
    let data = proptest::collection::vec(any::<u8>(), 0..40);
    let frame = (proptest::sample::select(Opcode::ALL.to_vec()), any::<bool>(), data)
        .prop_map(|(opcode, fin, payload)| masked(opcode, fin || opcode.is_control(), &payload));
    proptest::collection::vec(frame, 0..6).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_answer_does_not_depend_on_how_the_bytes_are_cut(bytes in any_frames(), size in 1usize..50) {
        let whole = receive(Role::Server, &bytes, bytes.len());
        prop_assert_eq!(receive(Role::Server, &bytes, size), whole);
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), size in 1usize..50) {
        for role in [Role::Client, Role::Server] {
            prop_assert_eq!(receive(role, &bytes, size), receive(role, &bytes, 1));
        }
    }
}
