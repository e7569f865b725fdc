//! The dissectors as observers: captures that keep the first bytes only, were taken on the sending host, or miss segments;
//! and the formats of real networks.

use proptest::prelude::*;

use super::frame::{Detail, Walk};
use super::*;
use crate::base::Writer;
use crate::layers::application::tls::tests::client_hello;
use crate::layers::application::websocket::Opcode;
use crate::layers::internet::icmpv6::Icmpv6Header;
use crate::layers::internet::ipv4::{Ipv4Header, protocol};
use crate::layers::internet::ipv6::{Ipv6Header, next_header};
use crate::layers::internet::ipv6_extension::{FragmentHeader, OptionsHeader};
use crate::layers::transport::pseudo_header;
use crate::layers::transport::tcp::Flags;
use crate::view::sample;

/// The ends of the samples.
const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
const A: [u16; 8] = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];
const B: [u16; 8] = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2];

/// An observer of a capture whose packets come `millis` after its start.
#[derive(Default)]
struct Observer(Conversations);

impl Observer {
    fn at(&mut self, millis: u64, frame: &[u8]) -> Packet {
        self.cut(millis, frame, frame.len())
    }

    fn cut(&mut self, millis: u64, frame: &[u8], kept: usize) -> Packet {
        let at_nanos = Some(millis * 1_000_000);
        let start = Start { link: LinkType::Ethernet, original_len: frame.len(), at_nanos };
        self.0.feed_captured(&frame[..kept.min(frame.len())], start)
    }
}

fn tcp_of(packet: &Packet) -> &TcpSummary {
    match &packet.summary.what {
        What::Tcp(tcp) => tcp,
        other => panic!("not TCP: {other:?}"),
    }
}

fn names(packet: &Packet) -> Vec<&'static str> {
    packet.dissection.parts.iter().map(|part| part.protocol).collect()
}

fn observed(frame: &[u8]) -> Packet {
    Observer::default().at(0, frame)
}

/// The frame with other bytes between its Ethernet header, which says `ethertype`, and its packet.
fn within(ethertype: u16, between: &[u8], packet: &[u8]) -> Vec<u8> {
    let mut frame = sample::udp(b"")[..12].to_vec();
    frame.extend(ethertype.to_be_bytes());
    frame.extend(between);
    frame.extend(packet);
    frame
}

fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_len: payload.len() as u16,
        next_header,
        hop_limit: 64,
        source: A.into(),
        destination: B.into(),
    };
    header.emit(&mut w);
    w.bytes(payload);
    w.finish().to_vec()
}

/// A datagram as IPv6 wants it, with its checksum.
fn udp6(payload: &[u8]) -> Vec<u8> {
    let len = 8 + payload.len();
    let mut datagram =
        [&[0x03, 0xe8, 0x07, 0xd0][..], &(len as u16).to_be_bytes(), &[0, 0], payload].concat();
    let mut sum = pseudo_header(A.into(), B.into(), protocol::UDP, len);
    sum.add(&datagram);
    datagram[6..8].copy_from_slice(&sum.finish().to_be_bytes());
    datagram
}

// Lengths.

#[test]
fn lengths_come_from_the_headers_and_not_from_what_was_kept() {
    let mut observer = Observer::default();
    for (at, frame) in (0..).zip(sample::handshake().iter().take(3)) {
        observer.at(at, frame);
    }
    let (at, ack) = (1, 1);
    let segment = |n: u32| sample::tcp(true, Flags::ACK, at + n * 1000, ack, &[b'x'; 1000]);
    for n in 0..3 {
        let packet = observer.cut(100, &segment(n), 96);
        assert_eq!((tcp_of(&packet).len, tcp_of(&packet).seq), (1000, u64::from(at + n * 1000)));
        assert_eq!(packet.dissection.problems, []);
        assert_eq!(packet.dissection.remarks, ["cut by the capture: 96 of 1054 bytes"]);
        let marks = &tcp_of(&packet).marks;
        assert!(
            !marks.contains(&Mark::PreviousNotCaptured),
            "nothing is missing before segment {n}: {marks:?}"
        );
    }
    // Kept up to the end of the TCP header: no byte of it was ever seen, and yet it is known to come again.
    let again = observer.cut(900, &segment(1), 54);
    assert!(tcp_of(&again).retransmission);
    assert_eq!(tcp_of(&again).len, 1000);
    let datagram = observer.cut(901, &sample::udp(&[b'y'; 500]), 50);
    assert_eq!(datagram.summary.what, What::Udp { len: 500 });
    assert_eq!(datagram.dissection.problems, []);
}

#[test]
fn a_total_length_of_0_means_the_rest_of_the_frame() {
    let mut frame = sample::tcp(true, Flags::ACK, 1, 1, &[b'x'; 3000]).to_vec();
    frame[16..18].fill(0);
    let packet = observed(&frame);
    assert_eq!(tcp_of(&packet).len, 3000);
    assert_eq!(packet.dissection.problems, []);
    assert!(packet.dissection.remarks[0].contains("total length 0"), "{:?}", packet.dissection.remarks);
    let mut packet = ipv6(protocol::UDP, &udp6(&[b'x'; 100]));
    packet[4..6].fill(0);
    let packet = observed(&within(0x86dd, &[], &packet));
    assert_eq!(packet.summary.what, What::Udp { len: 100 });
}

// Checksums and options.

#[test]
fn a_partial_checksum_is_told_and_is_no_fault() {
    let ends = (CLIENT, SERVER);
    let mut frame = sample::tcp(true, Flags::ACK, 1, 1, b"hello").to_vec();
    let partial = !pseudo_header(ends.0.into(), ends.1.into(), protocol::TCP, 25).finish();
    for sum in [partial, 0] {
        frame[50..52].copy_from_slice(&sum.to_be_bytes());
        let packet = observed(&frame);
        assert_eq!(packet.dissection.problems, [], "{sum:#06x}");
        assert_eq!(packet.dissection.remarks, ["checksum left to the hardware"]);
    }
    frame[50..52].copy_from_slice(&(partial ^ 0x0101).to_be_bytes());
    assert_eq!(observed(&frame).dissection.problems[0].field, "Checksum");
    // An IPv4 checksum of 0, likewise; what is behind it is read.
    let mut frame = sample::udp(b"hello").to_vec();
    frame[24..26].fill(0);
    let packet = observed(&frame);
    assert_eq!(packet.dissection.problems, []);
    assert_eq!(packet.dissection.remarks, ["header checksum left to the hardware"]);
    assert_eq!(packet.summary.info(), "4000 > 53 Len=5");
}

#[test]
fn one_bad_option_hides_neither_ports_nor_flags() {
    let good = sample::tcp(true, Flags::SYN, 0, 0, b"");
    // The options begin at byte 54: MSS, then window scale and padding.
    for (at, bytes) in [(54, [2, 0]), (54, [5, 0]), (58, [3, 99]), (58, [0xff, 0])] {
        let mut frame = good.to_vec();
        frame[at..at + 2].copy_from_slice(&bytes);
        let packet = observed(&frame);
        assert_eq!(packet.summary.source, "10.0.0.1:4000");
        assert!(tcp_of(&packet).flags.syn);
        assert_eq!(tcp_of(&packet).mss, (at > 54).then_some(1460), "the options before the bad one count");
        assert!(packet.dissection.problems.iter().any(|problem| problem.field == "Options"), "{bytes:?}");
        assert_eq!(names(&packet)[..3], ["Ethernet", "IPv4", "TCP"]);
    }
    let header = Ipv4Header::new(CLIENT.into(), SERVER.into(), protocol::UDP, 0);
    let mut frame =
        sample::packet(true, header, &[&[1, 1, 1, 1][..], &sample::udp_data(b"hello")].concat()).to_vec();
    // Four bytes of options, of which the first is longer than the header.
    frame[14] = 0x46;
    frame[34..38].copy_from_slice(&[7, 99, 4, 0]);
    let packet = observed(&frame);
    assert_eq!(packet.summary.destination, "10.0.0.2:53");
    assert_eq!(packet.dissection.problems[0].field, "options");
    let mut frame = sample::udp(b"hello").to_vec();
    frame[38..40].copy_from_slice(&[0, 3]);
    assert_eq!(observed(&frame).summary.source, "10.0.0.1:4000", "a datagram shorter than its header");
}

// Holes.

#[test]
fn reading_goes_on_behind_a_segment_that_the_capture_missed() {
    let mut observer = Observer::default();
    for (at, frame) in (0..).zip(sample::handshake()) {
        observer.at(at, &frame);
    }
    let (at, ack) = (1 + sample::REQUEST.len() as u32, 1 + sample::RESPONSE.len() as u32);
    let frame = |len| sample::frame(true, Opcode::Text, len);
    let size = frame(20).len() as u32;
    let text = |n: u32| sample::tcp(true, Flags::ACK, at + n * size, ack, &frame(20));
    let named = |packet: &Packet| {
        matches!(tcp_of(packet).application[..], [AppPiece::WsFrame { payload_len: 20, .. }])
    };
    assert!(named(&observer.at(100, &text(0))));
    // The second one is missing.
    let third = observer.at(200, &text(2));
    assert!(named(&third), "{:?}", tcp_of(&third).application);
    assert_eq!(tcp_of(&third).marks, [Mark::PreviousNotCaptured]);
    assert!(third.summary.info().starts_with("[previous segment not captured] "), "{}", third.summary.info());
    let acked = observer.at(220, &sample::tcp(false, Flags::ACK, ack, at + 3 * size, b""));
    assert_eq!(tcp_of(&acked).marks, [Mark::AckedUnseen]);
    // A frame over two segments is followed again.
    let long = frame(100);
    let first = observer.at(300, &sample::tcp(true, Flags::ACK, at + 3 * size, ack, &long[..50]));
    let second = observer.at(301, &sample::tcp(true, Flags::ACK, at + 3 * size + 50, ack, &long[50..]));
    assert!(matches!(tcp_of(&first).application[..], [AppPiece::WsFrame { payload_len: 100, .. }]));
    assert!(matches!(tcp_of(&second).application[..], [AppPiece::WsContinuationOfFrame { .. }]));
    assert_eq!((tcp_of(&first).marks.len(), tcp_of(&second).marks.len()), (0, 0));
}

#[test]
fn a_hole_within_a_body_is_counted_and_the_next_head_is_read() {
    let mut observer = Observer::default();
    let mut at = 1;
    let mut send = |bytes: &[u8], captured: bool| {
        let frame = sample::tcp(false, Flags::ACK, at, 1, bytes);
        at += bytes.len() as u32;
        captured.then(|| observer.at(u64::from(at), &frame))
    };
    let head = |packet: Option<Packet>| match &tcp_of(&packet.unwrap()).application[..] {
        [AppPiece::HttpResponse { line }, ..] => line.clone(),
        other => panic!("{other:?}"),
    };
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n", true);
    send(&[b'b'; 100], true);
    send(&[b'b'; 100], false);
    send(&[b'b'; 100], true);
    assert_eq!(
        head(send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nabc", true)),
        "HTTP/1.1 404 Not Found"
    );
    // Here the hole hides the end of a body, a whole response, and a head.
    send(&[b'c'; 70], false);
    assert_eq!(head(send(b"HTTP/1.1 500 Oops\r\n\r\n", true)), "HTTP/1.1 500 Oops");
}

#[test]
fn what_was_only_overtaken_is_read_in_its_place() {
    let mut observer = Observer::default();
    for (at, frame) in (0..).zip(sample::handshake()) {
        observer.at(at, &frame);
    }
    let (at, ack) = (1 + sample::REQUEST.len() as u32, 1 + sample::RESPONSE.len() as u32);
    let bytes = sample::frame(true, Opcode::Binary, 200);
    // The end of a frame is no frame, as far as can be seen.
    let late = observer.at(100, &sample::tcp(true, Flags::ACK, at + 100, ack, &bytes[100..]));
    assert_eq!(tcp_of(&late).application, [AppPiece::Data { len: 108 }]);
    let early = observer.at(100, &sample::tcp(true, Flags::ACK, at, ack, &bytes[..100]));
    assert_eq!(tcp_of(&early).marks, [Mark::OutOfOrder]);
    assert!(!tcp_of(&early).retransmission);
    let again = observer.at(700, &sample::tcp(true, Flags::ACK, at + 100, ack, &bytes[100..]));
    assert_eq!(tcp_of(&again).application, [AppPiece::WsContinuationOfFrame { len: 108 }]);
    assert!(tcp_of(&again).retransmission);
}

#[test]
fn what_does_not_fit_into_memory_is_counted() {
    let mut conversations = Conversations::at_most(3);
    let frame = |port: u8| {
        let mut frame = sample::tcp(true, Flags::SYN, 0, 0, b"").to_vec();
        frame[35] = port;
        frame
    };
    for port in [1, 2, 3, 1, 4] {
        conversations.feed(&frame(port));
    }
    assert_eq!(conversations.forgotten().connections, 1);
    // The second was silent for longest; the first one is still known.
    let mut next = sample::tcp(true, Flags::ACK, 1, 1, b"abc").to_vec();
    next[35] = 1;
    assert_eq!(tcp_of(&conversations.feed(&next)).seq, 1);
    conversations.waiting();
}

#[test]
fn a_segment_of_thousands_of_frames_names_them_all() {
    let mut observer = Observer::default();
    for (at, frame) in (0..).zip(sample::handshake()) {
        observer.at(at, &frame);
    }
    let (at, ack) = (1 + sample::REQUEST.len() as u32, 1 + sample::RESPONSE.len() as u32);
    let many = sample::frame(true, Opcode::Ping, 1).repeat(5_000);
    let packet = observer.at(100, &sample::tcp(true, Flags::ACK, at, ack, &many));
    let frames = tcp_of(&packet).application.iter().filter(|piece| matches!(piece, AppPiece::WsFrame { .. }));
    assert_eq!(frames.count(), 5_000);
    assert_eq!(observer.0.forgotten(), Forgotten::default());
}

// Formats.

#[test]
fn tags_and_labels_before_a_packet_are_opened_and_told() {
    let ip = sample::udp(&[b'x'; 30]).slice(14..);
    let tag = |id: u16, inside: u16| [id.to_be_bytes(), inside.to_be_bytes()].concat();
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &ip].concat();
    let cases: [(Vec<u8>, &[&str], &str); 7] = [
        (within(0x8100, &tag(5, 0x800), &ip), &["Ethernet", "VLAN", "IPv4"], "VLAN 5"),
        (
            within(0x88a8, &[tag(7, 0x8100), tag(5, 0x800)].concat(), &ip),
            &["Ethernet", "VLAN", "VLAN", "IPv4"],
            "VLAN 7",
        ),
        (within(0x9100, &tag(0x2007, 0x800), &ip), &["Ethernet", "VLAN", "IPv4"], "VLAN 7"),
        (within(0x8847, &[0, 1, 0x01, 64], &ip), &["Ethernet", "MPLS", "IPv4"], "MPLS 16"),
        (
            within(0x8864, &[0x11, 0, 0, 9, 0, 60, 0, 0x21], &ip),
            &["Ethernet", "PPPoE", "PPP", "IPv4"],
            "PPPoE session 9",
        ),
        (within(snap.len() as u16, &snap, &[]), &["802.3", "LLC", "SNAP", "IPv4"], ""),
        (
            within(0x8100, &[&tag(5, snap.len() as u16)[..], &snap].concat(), &[]),
            &["Ethernet", "VLAN", "LLC", "SNAP", "IPv4"],
            "VLAN 5",
        ),
    ];
    for (frame, headers, remark) in cases {
        let packet = observed(&frame);
        assert_eq!(names(&packet)[..headers.len()], *headers);
        assert_eq!(packet.summary.info(), "4000 > 53 Len=30", "{headers:?}");
        assert_eq!(packet.dissection.remarks.first().map_or("", String::as_str), remark);
        assert_eq!(packet.dissection.problems, [], "{headers:?}");
    }
}

#[test]
fn an_unfamiliar_payload_says_which_it_is() {
    let info = |frame: &[u8]| observed(frame).summary.info();
    assert_eq!(info(&within(0x88cc, &[0; 50], &[])), "LLDP, EtherType 0x88cc, Len=50");
    assert_eq!(info(&within(0x1234, &[0; 50], &[])), "EtherType 0x1234, Len=50");
    assert_eq!(info(&within(38, &[0x42, 0x42, 3, 0, 0], &[0; 41])), "spanning tree, Len=46");
    let header = Ipv4Header::new(CLIENT.into(), SERVER.into(), 89, 0);
    assert_eq!(info(&sample::packet(true, header, &[1; 40])), "IPv4, protocol 89 (OSPF), Len=40");
    let family = Walk::of(&[0, 0, 0, 7, 1, 2, 3], LinkType::Loopback, 7, Detail::Ranges);
    assert_eq!(family.named, Some(("loopback", "address family 7".into())));
}

#[test]
fn packets_in_packets_are_opened_and_the_outer_ones_told() {
    let inner = sample::udp(&[b'x'; 30]).slice(14..);
    let v4 = |protocol, payload: &[u8]| {
        sample::packet(true, Ipv4Header::new(CLIENT.into(), SERVER.into(), protocol, 0), payload)
    };
    let gre = [&[0x20, 0, 8, 0, 0, 0, 0, 1][..], &inner].concat();
    let bridged = [&[0, 0, 0x65, 0x58][..], &sample::udp(&[b'x'; 30])].concat();
    for (frame, header, remark) in [
        (v4(4, &inner), "IPv4", "IPv4 10.0.0.1 > 10.0.0.2"),
        (v4(47, &gre), "GRE", "GRE in IPv4 10.0.0.1 > 10.0.0.2"),
        (v4(47, &bridged), "GRE", "GRE in IPv4 10.0.0.1 > 10.0.0.2"),
    ] {
        let packet = observed(&frame);
        assert!(names(&packet).contains(&header));
        assert_eq!(packet.summary.info(), "4000 > 53 Len=30", "{header}");
        assert_eq!(packet.dissection.remarks, [remark]);
    }
    let packet = observed(&v4(41, &ipv6(protocol::UDP, &udp6(b"hi"))));
    assert_eq!(packet.summary.source, "[2001:db8::1]:1000");
}

#[test]
fn ipv6_is_read_through_its_extension_headers() {
    let plain = observed(&within(0x86dd, &[], &ipv6(protocol::UDP, &udp6(b"hi"))));
    assert_eq!(names(&plain), ["Ethernet", "IPv6", "UDP", "data"]);
    assert_eq!(
        (plain.summary.source.as_str(), plain.summary.info().as_str()),
        ("[2001:db8::1]:1000", "1000 > 2000 Len=2")
    );
    assert_eq!(plain.dissection.problems, []);
    let mut w = Writer::new();
    OptionsHeader { next_header: next_header::DESTINATION, options: vec![1, 4, 0, 0, 0, 0] }.emit(&mut w);
    OptionsHeader { next_header: protocol::UDP, options: vec![1, 4, 0, 0, 0, 0] }.emit(&mut w);
    w.bytes(&udp6(b"hi"));
    let packet = observed(&within(0x86dd, &[], &ipv6(next_header::HOP_BY_HOP, w.as_slice())));
    assert_eq!(
        names(&packet),
        ["Ethernet", "IPv6", "IPv6 hop-by-hop options", "IPv6 destination options", "UDP", "data"]
    );
    assert_eq!(packet.summary.what, What::Udp { len: 2 });
    assert_eq!(packet.dissection.problems, []);
    let mut wrong = udp6(b"hi");
    wrong[7] ^= 1;
    let packet = observed(&within(0x86dd, &[], &ipv6(protocol::UDP, &wrong)));
    assert_eq!((packet.dissection.problems[0].protocol, packet.dissection.problems[0].offset), ("UDP", 60));
    let packet = observed(&within(0x86dd, &[], &ipv6(next_header::ESP, &[7; 40])));
    assert_eq!(packet.summary.info(), "IPv6, next header 50 (ESP), Len=40");
}

#[test]
fn ipv6_fragments_become_the_packet_that_they_were() {
    let whole = udp6(&[b'f'; 100]);
    let mut conversations = Conversations::new();
    let packets: Vec<Packet> = [(0, 48, true), (48, 60, false)]
        .iter()
        .map(|&(start, len, more)| {
            let mut w = Writer::new();
            let offset = start as u16 / 8;
            FragmentHeader { next_header: protocol::UDP, offset, more, identification: 0xabcdef }
                .emit(&mut w);
            w.bytes(&whole[start..start + len]);
            conversations.feed(&within(0x86dd, &[], &ipv6(next_header::FRAGMENT, w.as_slice())))
        })
        .collect();
    let What::Fragment { completes: Some(whole), identification: 0xabcdef, .. } = &packets[1].summary.what
    else {
        panic!("{:?}", packets[1].summary)
    };
    assert_eq!((whole.what.clone(), whole.protocol), (What::Udp { len: 100 }, "UDP"));
}

#[test]
fn neighbours_and_pings_of_ipv6_are_told_in_words() {
    let message = |header: Icmpv6Header, behind: &[u8]| {
        let mut w = Writer::new();
        header.emit(&mut w);
        w.bytes(behind);
        let mut bytes = w.finish().to_vec();
        let mut sum = pseudo_header(A.into(), B.into(), next_header::ICMPV6, bytes.len());
        sum.add(&bytes);
        bytes[2..4].copy_from_slice(&sum.finish().to_be_bytes());
        let packet = observed(&within(0x86dd, &[], &ipv6(next_header::ICMPV6, &bytes)));
        assert_eq!(packet.dissection.problems, []);
        assert_eq!(packet.summary.protocol, "ICMPv6");
        packet.summary.info()
    };
    let mac = [1, 1, 2, 0, 0, 0, 0, 9];
    assert_eq!(
        message(Icmpv6Header::NeighborSolicitation { target: B.into() }, &mac),
        "Neighbor solicitation for 2001:db8::2 from 02:00:00:00:00:09"
    );
    assert_eq!(
        message(Icmpv6Header::NeighborAdvertisement { flags: 0x60, target: B.into() }, &mac),
        "Neighbor advertisement: 2001:db8::2 is at 02:00:00:00:00:09"
    );
    assert_eq!(
        message(Icmpv6Header::EchoRequest { identifier: 7, sequence: 1 }, b"abc"),
        "Echo request id=0x0007 seq=1"
    );
    let quoted = ipv6(protocol::UDP, &udp6(b"hi"));
    assert_eq!(
        message(Icmpv6Header::Unreachable { code: 4 }, &quoted),
        "Destination unreachable: port unreachable"
    );
}

#[test]
fn names_addresses_and_quic_are_told_in_a_line() {
    let on = |port: u16, payload: &[u8]| {
        let mut data = sample::udp_data(payload);
        data[2..4].copy_from_slice(&port.to_be_bytes());
        // No checksum.
        data[6..8].fill(0);
        observed(&sample::packet(
            true,
            Ipv4Header::new(CLIENT.into(), SERVER.into(), protocol::UDP, 0),
            &data,
        ))
    };
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x01a\x07example\0\0\x1c\0\x01");
    let packet = on(53, &query);
    assert_eq!(
        (packet.summary.protocol, packet.summary.info().as_str()),
        ("DNS", "4000 > 53 Len=27 | DNS query AAAA a.example")
    );
    assert_eq!(names(&packet), ["Ethernet", "IPv4", "UDP", "DNS", "data"]);
    let initial = [&[0xc0, 0, 0, 0, 1, 2, 0xab, 0xcd, 0][..], &[0; 30]].concat();
    assert_eq!(on(443, &initial).summary.info(), "4000 > 443 Len=39 | QUIC initial version 1 DCID=abcd");
    assert_eq!(on(444, &[0x80; 30]).summary.protocol, "UDP");
    query[13] = 0x1b;
    assert!(!on(53, &query).summary.info().contains('\u{1b}'), "what came from the network is escaped");
}

#[test]
fn a_client_hello_tells_whom_it_wants_even_over_two_segments() {
    let hello = client_hello("example.org");
    let mut record = vec![22, 3, 1];
    record.extend((hello.len() as u16).to_be_bytes());
    record.extend(&hello);
    let mut observer = Observer::default();
    let first = observer.at(0, &sample::tcp(true, Flags::ACK, 1, 1, &record));
    assert_eq!(first.summary.protocol, "TLS");
    assert!(
        first.summary.info().ends_with("| TLS client hello SNI=example.org TLS 1.3, TLS 1.2 ALPN=h2"),
        "{}",
        first.summary.info()
    );
    assert_eq!(names(&first)[3], "TLS");
    let answer = [23, 3, 3, 0, 40];
    let sealed = observer.at(1, &sample::tcp(false, Flags::ACK, 1, 200, &[&answer[..], &[7; 40]].concat()));
    assert!(sealed.summary.info().ends_with("| TLS application data 40 B"), "{}", sealed.summary.info());
    let mut observer = Observer::default();
    let first = observer.at(0, &sample::tcp(true, Flags::ACK, 1, 1, &record[..60]));
    let second = observer.at(0, &sample::tcp(true, Flags::ACK, 61, 1, &record[60..]));
    assert!(first.summary.info().contains("TLS client hello"), "{}", first.summary.info());
    assert!(second.summary.info().contains("SNI=example.org"), "{}", second.summary.info());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_packet_of_any_link_type_is_covered(
        link in 0u16..300, ethertype in proptest::sample::select(vec![0x800u16, 0x86dd, 0x8100, 0x8847, 0x8864, 0x6558, 38]),
        bytes in proptest::collection::vec(any::<u8>(), 0..200), more in 0usize..2000, shape in 0usize..3,
    ) {
        let bytes = match shape {
            0 => bytes,
            1 => within(ethertype, &bytes, &[]),
            // A header of IPv6 with anything behind, so that its extensions are tried too.
            _ => within(0x86dd, &[], &ipv6(bytes.first().copied().unwrap_or(0) % 64, &bytes)),
        };
        let mut conversations = Conversations::new();
        for link in [LinkType::from_number(link), LinkType::Ethernet] {
            let start = Start { link, original_len: bytes.len() + more, at_nanos: Some(0) };
            let packet = conversations.feed_captured(&bytes, start);
            let mut end = 0;
            for part in &packet.dissection.parts {
                prop_assert_eq!(part.range.start, end, "{:?}", packet.dissection.parts);
                end = part.range.end;
            }
            prop_assert_eq!(end, bytes.len(), "{:?}", packet.dissection.parts);
            prop_assert!(!packet.summary.info().chars().any(char::is_control));
        }
    }

    #[test]
    fn a_stream_with_any_holes_goes_on_and_stays_within_its_memory(
        kept in proptest::collection::vec(any::<bool>(), 1..60), acks in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let mut observer = Observer::default();
        for (at, frame) in (0..).zip(sample::handshake()) {
            observer.at(at, &frame);
        }
        let (at, ack) = (1 + sample::REQUEST.len() as u32, 1 + sample::RESPONSE.len() as u32);
        let frame = sample::frame(true, Opcode::Text, 30);
        for (n, kept) in (0u32..).zip(&kept) {
            let seq = at + n * frame.len() as u32;
            if *kept {
                let packet = observer.at(u64::from(n) * 10 + 100, &sample::tcp(true, Flags::ACK, seq, ack, &frame));
                prop_assert!(
                    matches!(tcp_of(&packet).application[..], [AppPiece::WsFrame { payload_len: 30, .. }]),
                    "segment {}: {:?}", n, tcp_of(&packet).application
                );
            }
            if acks[n as usize] {
                let acked = seq + frame.len() as u32;
                observer.at(u64::from(n) * 10 + 105, &sample::tcp(false, Flags::ACK, ack, acked, b""));
            }
        }
        prop_assert!(observer.0.waiting() <= 64 * 1024 + 1400);
    }
}
