//! What people see, as snapshots, and capture files there and back.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::capture::{Capture, CaptureError, LinkType};
use super::dissect::{Conversations, Dissection, dissect_frame, dissect_trace};
use super::header_box::{header_box, layout_box};
use super::hexdump::hexdump;
use super::json::to_json;
use super::layers::layers;
use super::look::Look;
use super::pcapng::{PcapngOptions, to_pcapng};
use super::sample;
use super::sheet::{Sheet, Subject};
use super::table::table;
use crate::layers::application::websocket::FrameHeader;
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::transport::tcp::{Flags, TcpHeader};

/// The frame of the sample run that carries a whole HTTP request, and the one that begins a WebSocket frame.
fn seen(index: usize) -> (Vec<u8>, Dissection) {
    let mut packets = dissect_trace(&sample::run());
    let seen = packets.swap_remove(index);
    (seen.bytes.to_vec(), seen.packet.dissection)
}

#[test]
fn the_hexdump_tags_every_byte() {
    let (bytes, dissection) = seen(7);
    let dump = hexdump(&bytes, &dissection, &Look::plain());
    assert!(dump.width() <= 80);
    insta::assert_snapshot!("hexdump", dump);
}

#[test]
fn the_hexdump_marks_the_wrong_byte() {
    let mut bytes = sample::tcp(true, Flags::ACK, 1, 1, b"hello").to_vec();
    bytes[51] ^= 0x10;
    let dump = hexdump(&bytes, &dissect_frame(&bytes), &Look::plain());
    assert!(dump.width() <= 80);
    insta::assert_snapshot!("hexdump_problem", dump);
}

#[test]
fn every_byte_of_a_hexdump_knows_its_field() {
    let (bytes, dissection) = seen(7);
    let dump = hexdump(&bytes, &dissection, &Look::plain());
    let number = dissection.parts.iter().position(|part| part.protocol == "TCP").unwrap();
    let boxes = header_box(&dissection.parts[number], number, &Look::plain());
    let subjects = |sheet: &Sheet| -> BTreeSet<Subject> {
        sheet.lines().iter().flat_map(|line| line.cells()).filter_map(|cell| cell.subject).collect()
    };
    let (in_dump, in_boxes) = (subjects(&dump), subjects(&boxes));
    // Single bits share their byte, so the header box has more fields than the hexdump, and none that is foreign.
    let port = Subject::Field { part: number, field: 0 };
    assert!(in_dump.contains(&port) && in_boxes.contains(&port));
    let fields = dissection.parts[number].fields.len();
    assert_eq!(in_boxes.iter().filter(|subject| matches!(subject, Subject::Field { .. })).count(), fields);
    let shown = dump.lines()[0].cells().iter().filter(|cell| cell.subject.is_some()).count();
    assert_eq!(shown, 16 * 3, "two digits and a letter for each byte");
}

#[test]
fn header_boxes_are_drawn_from_the_tables() {
    let (_, dissection) = seen(7);
    let mut boxes = Sheet::new();
    for protocol in ["Ethernet", "IPv4", "TCP", "WebSocket"] {
        boxes.extend(header_box(dissection.header(protocol).unwrap(), 0, &Look::plain()));
    }
    let (_, syn) = seen(1);
    boxes.extend(header_box(syn.header("TCP").unwrap(), 0, &Look::default()));
    assert!(boxes.width() <= 80, "{boxes}");
    insta::assert_snapshot!("header_box", boxes);
}

#[test]
fn a_layout_is_drawn_without_values() {
    let boxes: Sheet = [
        layout_box::<Ipv4Header>(&Look::default()),
        layout_box::<TcpHeader>(&Look::plain()),
        layout_box::<FrameHeader>(&Look::plain()),
    ]
    .into_iter()
    .collect();
    insta::assert_snapshot!("layout_box", boxes);
}

#[test]
fn layers_are_nested() {
    let (_, dissection) = seen(7);
    let (_, arp) = seen(0);
    let picture: Sheet =
        [layers(&dissection, &Look::default()), layers(&arp, &Look::plain())].into_iter().collect();
    assert!(picture.width() <= 80);
    insta::assert_snapshot!("layers", picture);
}

#[test]
fn the_packet_list_tells_every_fate() {
    let list = table(&sample::run(), &Look::plain());
    assert!(list.width() <= 80);
    insta::assert_snapshot!("table", list);
    insta::assert_snapshot!("table_wide", table(&sample::run(), &Look { width: 150, ..Look::plain() }));
}

#[test]
fn json_has_its_version_and_is_the_same_each_time() {
    let json = to_json(&sample::run()).unwrap();
    assert_eq!(json, to_json(&sample::run()).unwrap());
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "netlayers.trace/1");
    assert_eq!(document["packets"][5]["fate"]["dropped_by"], "loss 10 %");
    assert_eq!(document["packets"][7]["summary"]["what"]["application"][0]["opcode"], "text");
    assert_eq!(document["packets"][0]["parts"][1]["fields"][4]["text"], "1 (request)");
    insta::assert_snapshot!(
        "json_packet",
        serde_json::to_string_pretty(&document["packets"][2]["summary"]).unwrap()
    );
}

#[test]
fn what_is_written_as_pcapng_is_read_back() {
    let (first, second) = (sample::run(), sample::run());
    for fcs in [false, true] {
        let file = to_pcapng(&[&first, &second], PcapngOptions { fcs });
        let packets: Vec<_> = Capture::open(&file[..]).unwrap().map(Result::unwrap).collect();
        let frames: Vec<_> = first.frames().collect();
        assert_eq!(packets.len(), frames.len() * 2);
        for (i, packet) in packets.iter().enumerate() {
            let (at, .., bytes) = &frames[i / 2];
            assert_eq!(packet.at_nanos, Some(at.as_nanos()));
            assert_eq!((packet.interface, packet.link), (i % 2, LinkType::Ethernet));
            assert_eq!(&packet.bytes[..], &bytes[..]);
            assert_eq!(packet.original_len, bytes.len());
        }
        assert_eq!(packets[10].comments, ["server to client; lost on the way: loss 10 %"]);
    }
}

/// A pcap file with two packets, in either byte order and unit of time.
fn pcap(big: bool, nanos: bool, link: u32, packet: &[u8]) -> Vec<u8> {
    let n = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut file = n(if nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }).to_vec();
    file.extend(if big { [0, 2, 0, 4] } else { [2, 0, 4, 0] });
    for value in [0, 0, 65_535, link] {
        file.extend(n(value));
    }
    for seconds in [1, 2] {
        for value in [seconds, 7, packet.len() as u32, packet.len() as u32 + 3] {
            file.extend(n(value));
        }
        file.extend(packet);
    }
    file
}

#[test]
fn pcap_is_read_in_both_byte_orders_and_both_units_of_time() {
    for (big, nanos) in [(false, false), (false, true), (true, false), (true, true)] {
        let file = pcap(big, nanos, 101, b"packet");
        let packets: Vec<_> = Capture::open(&file[..]).unwrap().map(Result::unwrap).collect();
        assert_eq!(packets.len(), 2);
        let unit = if nanos { 1 } else { 1000 };
        assert_eq!(packets[1].at_nanos, Some(2_000_000_000 + 7 * unit));
        assert_eq!((packets[0].link, &packets[0].bytes[..]), (LinkType::RawIp, &b"packet"[..]));
        assert_eq!(packets[0].original_len, 9);
    }
}

#[test]
fn other_link_types_lead_to_the_ip_packet() {
    let ip = sample::udp(&[b'x'; 30]).slice(14..);
    let stubs: [(u32, &[u8]); 4] = [
        (228, b""),
        (0, &[2, 0, 0, 0]),
        (108, &[0, 0, 0, 2]),
        (113, &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0]),
    ];
    for (link, stub) in stubs {
        let file = pcap(false, false, link, &[stub, &ip].concat());
        let packet = Capture::open(&file[..]).unwrap().next().unwrap().unwrap();
        let seen = packet.dissect(&mut Conversations::new()).unwrap();
        assert_eq!(seen.summary.info(), "4000 > 53 Len=30", "link type {link}");
    }
    let file = pcap(false, false, 147, &ip);
    let packet = Capture::open(&file[..]).unwrap().next().unwrap().unwrap();
    assert_eq!(packet.dissect(&mut Conversations::new()), None);
}

#[test]
fn big_endian_sections_unknown_blocks_and_other_clocks_are_read() {
    let block = |kind: u32, body: &[u8]| {
        let len = (body.len() as u32 + 12).to_be_bytes();
        [&kind.to_be_bytes()[..], &len, body, &len].concat()
    };
    let section =
        block(0x0a0d_0d0a, &[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    // Link type 101, times in units of 2^-10 s.
    let interface = block(1, &[0, 101, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0x8a, 0, 0, 0]);
    let unknown = block(0xbad, b"what");
    let packet = block(6, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 3, 0, 0, 0, 3, 1, 2, 3, 0]);
    let simple = block(3, &[0, 0, 0, 2, 8, 9, 0, 0]);
    let little = to_pcapng(&[&sample::run()], PcapngOptions::default());
    let file = [section, interface, unknown, packet, simple, little].concat();
    let packets: Vec<_> = Capture::open(&file[..]).unwrap().map(Result::unwrap).collect();
    assert_eq!((packets[0].at_nanos, &packets[0].bytes[..]), (Some(2_000_000_000), &[1, 2, 3][..]));
    assert_eq!((packets[1].at_nanos, &packets[1].bytes[..]), (None, &[8, 9][..]));
    // The second section has interfaces of its own, and another byte order.
    assert_eq!(packets[2].link, LinkType::Ethernet);
    assert_eq!(packets.len(), 2 + sample::run().frames().count());
}

#[test]
fn a_broken_capture_says_where() {
    let error = |bytes: &[u8]| match Capture::open(bytes) {
        Err(error) => error.to_string(),
        Ok(mut capture) => capture.find_map(Result::err).map_or("no error".into(), |e| e.to_string()),
    };
    assert_eq!(
        error(b"PK\x03\x04 is a zip"),
        "magic number at byte 0 of the capture: expected the one of pcap or pcapng, got 0x504b0304"
    );
    let file = pcap(false, false, 1, b"packet");
    assert_eq!(
        error(&file[..file.len() - 2]),
        "the capture ends at byte 66, in the middle of a packet: 6 bytes expected, 4 there"
    );
    let mut file = to_pcapng(&[&sample::run()], PcapngOptions::default());
    let block_len = usize::from(file[4]);
    file[block_len + 4] = 3;
    assert!(
        error(&file).starts_with(&format!("block length at byte {} of", block_len + 4)),
        "{}",
        error(&file)
    );
    assert!(matches!(Capture::open(&b""[..]), Err(CaptureError::CutShort { got: 0, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_capture_never_panics_and_always_ends(
        changes in proptest::collection::vec((0usize..3000, any::<u8>()), 0..6),
        cut in 0usize..3000,
        pcapng in any::<bool>(),
    ) {
        let mut file = if pcapng {
            to_pcapng(&[&sample::run()], PcapngOptions::default())
        } else {
            pcap(false, false, 1, &sample::udp(b"x"))
        };
        for (at, value) in changes {
            let at = at % file.len();
            file[at] = value;
        }
        file.truncate(file.len().saturating_sub(cut / 10));
        if let Ok(capture) = Capture::open(&file[..]) {
            let mut conversations = Conversations::new();
            let most = file.len();
            let mut count = 0;
            for packet in capture.flatten() {
                packet.dissect(&mut conversations);
                count += 1;
                prop_assert!(packet.bytes.len() <= most && count <= most);
            }
        }
    }

    #[test]
    fn any_bytes_at_all_are_no_reason_to_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let dissection = dissect_frame(&bytes);
        for look in [Look::plain(), Look { width: 0, colour: true, ..Look::default() }] {
            let pictures = [hexdump(&bytes, &dissection, &look), layers(&dissection, &look)];
            prop_assert!(pictures.iter().all(|picture| picture.height() > 0));
            for (number, part) in dissection.parts.iter().enumerate() {
                header_box(part, number, &look);
            }
        }
        if let Ok(capture) = Capture::open(&bytes[..]) {
            prop_assert!(capture.count() <= bytes.len());
        }
    }
}
