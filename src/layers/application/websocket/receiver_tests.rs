//! The RFC's frames and every broken rule of §5, whole and byte by byte.

use proptest::prelude::*;

use super::super::close::CloseCode;
use super::*;
use crate::base::Writer;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Feeds `bytes` in pieces of `size`, reading all there is after each.
fn receive(role: Role, bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<Failure>) {
    let mut receiver = Receiver::new(role, 1000, 2000);
    let mut all = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        receiver.push(Bytes::copy_from_slice(piece));
        loop {
            match receiver.next() {
                Ok(Some(incoming)) => all.push(incoming),
                Ok(None) => break,
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
    assert_eq!(receiver.next(), Ok(None));
    assert!(receiver.inbox.capacity() < 100);
}

#[test]
fn a_long_message_is_unmasked_and_handed_on_in_the_memory_it_came_in() {
    let frame = BytesMut::from(&masked(Opcode::Binary, true, &[5; 5000])[..]);
    let payload_at = frame.as_ptr() as usize + 8;
    let mut receiver = Receiver::new(Role::Server, 5000, 5000);
    receiver.push(frame.freeze());
    let Ok(Some(Incoming::Message(Message::Binary(bytes)))) = receiver.next() else { panic!("no message") };
    assert_eq!((bytes.as_ptr() as usize, &bytes[..]), (payload_at, &[5; 5000][..]));
}

#[test]
fn a_receiver_at_rest_holds_on_to_no_buffer_even_one_that_the_last_message_filled() {
    let mut receiver = Receiver::new(Role::Client, 100_000, 100_000);
    let frame = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[7; 65_536]].concat();
    *receiver.inbox() = BytesMut::with_capacity(frame.len());
    receiver.inbox().extend_from_slice(&frame);
    assert!(matches!(receiver.next(), Ok(Some(Incoming::Message(_)))));
    let mut spare = receiver.rest();
    assert!(receiver.inbox().capacity() <= FrameHeader::MAX_LEN);
    assert!(spare.is_empty() && spare.try_reclaim(65_536), "the whole buffer is free again");
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
