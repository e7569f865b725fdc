//! Tests of ICMP messages.

use super::*;
use proptest::prelude::*;

fn written(message: &IcmpMessage) -> Bytes {
    let mut w = Writer::new();
    w.bytes(b"ip");
    message.emit(&mut w);
    w.finish().slice(2..)
}

#[test]
fn a_ping_is_written_byte_for_byte_and_answered() {
    let ping = IcmpMessage {
        header: IcmpHeader::EchoRequest { identifier: 0x1234, sequence: 1 },
        payload: Bytes::from_static(b"abc"),
    };
    // 0800 + 1234 + 0001 + 6162 + 6300 = de97, complemented.
    assert_eq!(written(&ping)[..], [8, 0, 0x21, 0x68, 0x12, 0x34, 0, 1, b'a', b'b', b'c']);
    let pong = ping.echo_reply().unwrap();
    assert_eq!(pong.header, IcmpHeader::EchoReply { identifier: 0x1234, sequence: 1 });
    assert_eq!(pong.payload, ping.payload);
    assert_eq!(pong.echo_reply(), None);
}

#[test]
fn the_mtu_of_the_next_hop_stands_in_the_last_two_bytes_of_the_header() {
    let header = IcmpHeader::Unreachable(Unreachable::FragmentationNeeded { next_hop_mtu: 1400 });
    let bytes = written(&IcmpMessage { header, payload: Bytes::new() });
    assert_eq!((&bytes[..2], &bytes[4..8]), (&[3, 4][..], &[0, 0, 0x05, 0x78][..]));
    let shown: Vec<_> = header.layout().iter().map(|f| f.name).collect();
    assert_eq!(shown, ["type", "code", "checksum", "unused", "next-hop MTU"]);
}

#[test]
fn a_wrong_checksum_is_answered_with_the_right_one() {
    let header = IcmpHeader::TimeExceeded(TimeExceeded::Ttl);
    let mut bytes = written(&IcmpMessage { header, payload: Bytes::new() }).to_vec();
    bytes[3] ^= 1;
    let error = IcmpMessage::parse(&bytes.into(), 34).unwrap_err();
    assert_eq!(
        (error.field, error.offset, &*error.expected.to_string(), &*error.got.to_string()),
        ("checksum", 36, "0xf4ff", "0xf4fe")
    );
}

#[test]
fn errors_are_told_from_questions() {
    assert!(IcmpHeader::Unreachable(Unreachable::Port).is_error());
    assert!(IcmpHeader::Other { kind: 5, code: 1, rest: 0 }.is_error());
    assert!(IcmpHeader::Other { kind: 12, code: 1, rest: 0 }.is_error());
    assert!(!IcmpHeader::EchoRequest { identifier: 0, sequence: 0 }.is_error());
    assert!(!IcmpHeader::Other { kind: 13, code: 0, rest: 0 }.is_error());
}

#[test]
fn every_code_of_unreachable_has_its_name() {
    for code in 0..16 {
        let why = Unreachable::from_code(code, 0).unwrap();
        assert_eq!(why.code(), code);
        assert_eq!(why.is_hard(), (2..=4).contains(&code));
        assert_eq!(UNREACHABLE_CODES[usize::from(code)].0, u64::from(code));
    }
    assert_eq!(Unreachable::from_code(16, 0), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_written_is_read_back(
        kind in prop_oneof![Just(0u8), Just(3), Just(8), Just(11), Just(12), any::<u8>()],
        code in 0u8..18, rest: u32, payload in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let header = IcmpHeader::from_wire(kind, code, rest);
        let message = IcmpMessage { header, payload: payload.into() };
        let bytes = written(&message);
        prop_assert_eq!(bytes.len(), message.wire_len());
        prop_assert_eq!(header.layout().iter().map(|f| f.bits).sum::<usize>(), HEADER_LEN * 8);
        prop_assert_eq!(IcmpMessage::parse(&bytes, 0).unwrap(), message);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let bytes = Bytes::from(bytes);
        let short = bytes.len() < HEADER_LEN;
        prop_assert_eq!(IcmpMessage::parse(&bytes, 0).is_err_and(|e| e.is_incomplete()), short);
    }
}
