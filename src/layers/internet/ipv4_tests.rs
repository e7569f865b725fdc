//! Tests of the IPv4 header.

use super::*;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Ipv4Header, ParseError> {
    Ipv4Header::parse(&mut Reader::new(Layer::Internet, "IPv4", bytes))
}

fn written(header: &Ipv4Header) -> Vec<u8> {
    let mut w = Writer::new();
    header.emit(&mut w);
    w.finish().to_vec()
}

fn sample(payload: usize) -> Ipv4Header {
    Ipv4Header::new(Ipv4Addr::new(192, 168, 0, 1), Ipv4Addr::new(192, 168, 0, 199), protocol::UDP, payload)
}

#[test]
fn a_known_header_comes_out_with_its_known_checksum() {
    // 4500 0073 0000 4000 4011 .... c0a8 0001 c0a8 00c7 sums to a checksum of b861.
    let header = Ipv4Header { dont_fragment: true, ..sample(0x73 - 20) };
    let bytes = written(&header);
    assert_eq!(bytes[..12], [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61]);
}

#[test]
fn padding_behind_the_packet_is_not_payload() {
    let mut bytes = written(&sample(4));
    bytes.extend_from_slice(&[1, 2, 3, 4, 0, 0, 0, 0, 0, 0]);
    let header = read(&bytes).unwrap();
    assert_eq!(bytes[header.payload_range(0)], [1, 2, 3, 4]);
    assert_eq!(header.payload_range(14), 34..38);
}

#[test]
fn each_broken_rule_is_told_by_field_and_place() {
    let good = [written(&sample(4)), vec![0; 4]].concat();
    let broken = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        let error = read(&bytes).unwrap_err();
        (error.field, error.offset)
    };
    assert_eq!(broken(0, 0x65), ("version", 0));
    assert_eq!(broken(0, 0x44), ("IHL", 0));
    assert_eq!(broken(3, 19), ("total length", 2));
    assert_eq!(broken(8, 1), ("header checksum", 10));
    let error = read(&good[..22]).unwrap_err();
    assert!(error.is_incomplete(), "{error}");
    assert_eq!(error.to_string(), "IPv4 payload at byte 20: expected 4 bytes, got 2 left");
}

#[test]
fn a_wrong_checksum_is_answered_with_the_right_one() {
    let mut bytes = written(&sample(0));
    let right = format!("0x{:02x}{:02x}", bytes[10], bytes[11]);
    bytes[10] ^= 0x80;
    assert_eq!(read(&bytes).unwrap_err().expected.to_string(), right);
}

#[test]
fn a_quoted_header_may_lack_its_payload() {
    let bytes = written(&sample(1000));
    assert!(read(&bytes).unwrap_err().is_incomplete());
    let mut r = Reader::new(Layer::Internet, "IPv4", &bytes);
    assert_eq!(Ipv4Header::parse_quoted(&mut r).unwrap(), sample(1000));
}

#[test]
fn the_header_box_has_values_that_people_read() {
    let header = Ipv4Header { dont_fragment: true, ecn: Ecn::Ce, ..sample(0) };
    let bytes = written(&header);
    let mut first = 0;
    let mut values = Vec::new();
    for field in header.layout() {
        values.push(field.text(&bytes, first));
        first += field.bits;
    }
    assert_eq!(first, 160);
    assert_eq!(
        (&*values[3], &*values[6], &*values[9], &*values[12]),
        ("3 (CE)", "DF", "17 (UDP)", "192.168.0.199")
    );
}

prop_compose! {
    fn any_header()(
        (dscp, ecn, identification, dont_fragment, more_fragments) in (0u8..64, 0u8..4, any::<u16>(), any::<bool>(), any::<bool>()),
        (fragment_offset, ttl, protocol, source, destination) in (0u16..0x2000, any::<u8>(), any::<u8>(), any::<[u8; 4]>(), any::<[u8; 4]>()),
        no_ops in 0usize..=40, payload in 0usize..200,
    ) -> Ipv4Header {
        Ipv4Header {
            dscp, ecn: Ecn::from_bits(ecn), identification, dont_fragment, more_fragments, fragment_offset, ttl,
            options: Options::new(&vec![1; no_ops]).unwrap(),
            ..Ipv4Header::new(source.into(), destination.into(), protocol, 0)
        }.with_payload_len(payload)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_written_is_read_back(header in any_header()) {
        let mut bytes = written(&header);
        prop_assert_eq!(bytes.len(), header.header_len());
        prop_assert_eq!(header.layout().iter().map(|f| f.bits).sum::<usize>(), bytes.len() * 8);
        bytes.resize(bytes.len() + header.payload_len(), 0);
        prop_assert_eq!(read(&bytes).unwrap(), header);
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..100), mend: bool) {
        if let (true, Some(first)) = (mend, bytes.first_mut()) {
            *first = 0x40 | *first & 0xf;
        }
        let _ = read(&bytes);
        let mut r = Reader::new(Layer::Internet, "IPv4", &bytes);
        if let Ok(header) = Ipv4Header::parse_quoted(&mut r) {
            prop_assert_eq!(header.header_len(), r.position());
            let mut again = Writer::new();
            header.emit(&mut again);
            prop_assert_eq!(again.len(), header.header_len());
        }
    }
}
