//! Tests of UDP datagrams.

use super::*;
use proptest::prelude::*;

use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::internet::prefix::v4;
use crate::layers::link::ethernet::{self, EtherType, EthernetHeader, MacAddr};

const A: IpAddr = v4(10, 0, 0, 1);
const B: IpAddr = v4(10, 0, 0, 2);

fn written(datagram: &Datagram) -> Bytes {
    let mut w = Writer::new();
    w.bytes(b"before");
    datagram.emit(A, B, &mut w);
    w.finish().slice(6..)
}

#[test]
fn a_small_datagram_is_written_byte_for_byte() {
    let bytes = written(&Datagram::new(1000, 2000, Bytes::from_static(b"hi!")));
    // 0a00+0001+0a00+0002 + 0011+000b + 03e8+07d0+000b + 6869+2100 = a94b, complemented.
    assert_eq!(bytes[..], [0x03, 0xe8, 0x07, 0xd0, 0, 11, 0x56, 0xb4, b'h', b'i', b'!']);
}

#[test]
fn a_checksum_that_comes_out_as_zero_is_sent_as_all_ones() {
    let plain = written(&Datagram::new(1000, 2000, Bytes::from_static(&[0, 0])));
    // The payload that brings the sum of all words to ffff is the checksum of the rest.
    let payload = Bytes::copy_from_slice(&plain[6..8]);
    let bytes = written(&Datagram::new(1000, 2000, payload));
    assert_eq!(bytes[6..8], [0xff, 0xff]);
    assert!(Datagram::parse(A, B, &bytes, 0).is_ok());
}

#[test]
fn a_datagram_without_a_checksum_is_believed() {
    let mut bytes = written(&Datagram::new(1, 2, Bytes::from_static(b"x"))).to_vec();
    bytes[6..8].fill(0);
    bytes[8] = b'y';
    assert_eq!(&Datagram::parse(A, B, &bytes.into(), 0).unwrap().payload[..], b"y");
}

#[test]
fn a_wrong_address_shows_in_the_checksum() {
    let bytes = written(&Datagram::new(1, 2, Bytes::from_static(b"x")));
    let error = Datagram::parse(A, v4(10, 0, 0, 3), &bytes, 34).unwrap_err();
    assert_eq!((error.field, error.offset), ("checksum", 40));
    assert_ne!(error.expected, error.got);
}

#[test]
fn the_length_rules_are_kept() {
    let mut bytes = written(&Datagram::new(1, 2, Bytes::from_static(b"abc"))).to_vec();
    bytes.push(99);
    let longer = Datagram::parse(A, B, &Bytes::from(bytes.clone()), 0).unwrap();
    assert_eq!(&longer.payload[..], b"abc");
    assert!(Datagram::parse(A, B, &Bytes::copy_from_slice(&bytes[..10]), 0).unwrap_err().is_incomplete());
    bytes[5] = 7;
    let error = Datagram::parse(A, B, &bytes.into(), 20).unwrap_err();
    assert_eq!((error.field, error.offset, error.is_incomplete()), ("length", 24, false));
}

#[test]
fn the_longest_payload_fits_and_more_is_cut() {
    let bytes = written(&Datagram::new(1, 2, Bytes::from(vec![7; MAX_PAYLOAD + 10])));
    assert_eq!(bytes.len(), 65_515);
    assert_eq!(Datagram::parse(A, B, &bytes, 0).unwrap().payload.len(), MAX_PAYLOAD);
}

#[test]
fn a_frame_is_written_in_one_pass_and_read_layer_by_layer_without_a_copy() {
    let link = EthernetHeader {
        destination: MacAddr::local(2),
        source: MacAddr::local(1),
        ethertype: EtherType::IPV4,
    };
    let datagram = Datagram::new(1000, 2000, Bytes::from_static(b"hi!"));
    let ip = Ipv4Header::new(
        [10, 0, 0, 1].into(),
        [10, 0, 0, 2].into(),
        protocol::UDP,
        usize::from(datagram.header.length),
    );
    let mut w = Writer::new();
    link.emit(&mut w);
    ip.emit(&mut w);
    datagram.emit(A, B, &mut w);
    ethernet::pad_to_minimum(&mut w, 0);
    let frame = w.finish();
    assert_eq!(frame.len(), 60);

    let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, &frame);
    assert_eq!(EthernetHeader::parse(&mut r).unwrap(), link);
    let start = r.offset();
    let header = Ipv4Header::parse(&mut r.enter(Layer::Internet, Ipv4Header::PROTOCOL)).unwrap();
    assert_eq!(header, ip);
    let range = header.payload_range(start);
    let back = Datagram::parse(A, B, &frame.slice(range.clone()), range.start).unwrap();
    assert_eq!(back.payload, datagram.payload);
    assert_eq!(back.payload.as_ptr(), frame[42..].as_ptr());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_back(
        source_port: u16, destination_port: u16, payload in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let datagram = Datagram::new(source_port, destination_port, payload.into());
        let back = Datagram::parse(A, B, &written(&datagram), 0).unwrap();
        prop_assert_ne!(back.header.checksum, 0);
        prop_assert_eq!(Datagram { header: UdpHeader { checksum: 0, ..back.header }, ..back }, datagram);
    }

    #[test]
    fn a_header_that_was_written_is_read_back(source_port: u16, destination_port: u16, length in 8u16.., checksum: u16) {
        let header = UdpHeader { source_port, destination_port, length, checksum };
        let mut w = Writer::new();
        header.emit(&mut w);
        let mut r = Reader::new(Layer::Transport, "UDP", w.as_slice());
        prop_assert_eq!(UdpHeader::parse(&mut r).unwrap(), header);
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..40), tame: bool) {
        if tame && bytes.len() >= 8 {
            bytes[4] = 0;
            bytes[6..8].fill(0);
        }
        let bytes = Bytes::from(bytes);
        if let Ok(datagram) = Datagram::parse(A, B, &bytes, 0) {
            prop_assert!(datagram.payload.len() + HEADER_LEN <= bytes.len());
        }
    }
}
