//! The dissectors against known frames, broken frames, and any bytes at all.

use proptest::prelude::*;

use super::*;
use crate::layers::application::websocket::Opcode;
use crate::layers::transport::tcp::Flags;
use crate::trace::Protocol;
use crate::view::sample;

fn names(dissection: &Dissection) -> Vec<(&'static str, usize)> {
    dissection.parts.iter().map(|part| (part.protocol, part.range.len())).collect()
}

fn tcp_of(packet: &Packet) -> &TcpSummary {
    match &packet.summary.what {
        What::Tcp(tcp) => tcp,
        other => panic!("not TCP: {other:?}"),
    }
}

fn covers(dissection: &Dissection, len: usize) -> bool {
    let mut end = 0;
    dissection.parts.iter().all(|part| {
        let fits = part.range.start == end && !part.range.is_empty();
        end = part.range.end;
        fits
    }) && end == len
}

/// A conversation that has had its handshake, and the next number of each side's stream.
fn upgraded() -> (Conversations, u32, u32) {
    let mut conversations = Conversations::new();
    for frame in sample::handshake() {
        conversations.feed(&frame);
    }
    (conversations, 1 + sample::REQUEST.len() as u32, 1 + sample::RESPONSE.len() as u32)
}

#[test]
fn a_datagram_comes_apart_into_its_layers() {
    let dissection = dissect_frame(&sample::udp(b"hello"));
    assert_eq!(
        names(&dissection),
        [("Ethernet", 14), ("IPv4", 20), ("UDP", 8), ("data", 5), ("padding", 13)]
    );
    assert!(dissection.problems.is_empty());
    let udp = dissection.header("UDP").unwrap();
    assert_eq!(udp.field("destination port").unwrap().text, "53");
    assert_eq!(udp.field("destination port").unwrap().bytes(), 36..38);
}

#[test]
fn arp_is_understood_and_its_padding_is_padding() {
    let frame = sample::arp_request();
    let packet = Conversations::new().feed(&frame);
    assert_eq!(names(&packet.dissection), [("Ethernet", 14), ("ARP", 28), ("padding", 18)]);
    assert_eq!(packet.summary.info(), "Who has 10.0.0.2? Tell 10.0.0.1");
    assert_eq!(packet.summary.destination, "broadcast");
    assert_eq!(packet.accounting.link, 60);
}

#[test]
fn a_wrong_checksum_is_told_and_reading_goes_on() {
    let mut frame = sample::tcp(true, Flags::ACK, 1, 1, b"hello").to_vec();
    frame[50] ^= 0xff;
    frame[24] ^= 0x01;
    let dissection = dissect_frame(&frame);
    let places: Vec<_> = dissection.problems.iter().map(|p| (p.protocol, p.offset)).collect();
    assert_eq!(places, [("IPv4", 24), ("TCP", 50)]);
    assert_eq!(names(&dissection)[2..4], [("TCP", 20), ("data", 5)]);
    assert!(dissection.problems[1].expected.to_string().starts_with("0x"));
}

#[test]
fn a_wrong_udp_or_icmp_checksum_points_at_the_checksum() {
    let mut frame = sample::udp(b"hello").to_vec();
    frame[42] ^= 1;
    let problems = dissect_frame(&frame).problems;
    assert_eq!((problems.len(), problems[0].protocol, problems[0].offset), (1, "UDP", 40));
}

#[test]
fn a_header_that_breaks_a_rule_is_still_drawn() {
    let mut frame = sample::tcp(true, Flags::ACK, 1, 1, b"hello").to_vec();
    // Data offset 2: a header of 8 bytes.
    frame[46] = 0x20;
    let dissection = dissect_frame(&frame);
    assert!(dissection.problems.iter().any(|p| p.field == "Data Offset" && p.offset == 46));
    assert_eq!(dissection.header("TCP").unwrap().field("Source Port").unwrap().value, 4000);
    assert!(covers(&dissection, frame.len()));
}

#[test]
fn a_frame_cut_short_says_what_is_missing() {
    let frame = sample::tcp(true, Flags::ACK, 1, 1, &[b'x'; 100]);
    let dissection = dissect_frame(&frame[..80]);
    assert_eq!(names(&dissection), [("Ethernet", 14), ("IPv4", 20), ("TCP", 20), ("data", 26)]);
    assert!(dissection.problems.iter().all(ParseError::is_incomplete));
    assert_eq!(dissection.problems.len(), 1);
}

#[test]
fn a_packet_without_a_link_layer_is_the_same_14_bytes_earlier() {
    let frame = sample::udp(&[b'x'; 50]);
    let dissection = dissect_packet(&frame[14..]);
    assert_eq!(names(&dissection), [("IPv4", 20), ("UDP", 8), ("data", 50)]);
}

#[test]
fn later_fragments_are_not_taken_for_headers_and_the_last_one_completes_the_packet() {
    let mut conversations = Conversations::new();
    let frames = sample::fragments(&[b'f'; 100], 48);
    let packets: Vec<_> = frames.iter().map(|frame| conversations.feed(frame)).collect();
    assert!(packets[0].dissection.header("UDP").is_some());
    assert!(packets[0].dissection.problems.is_empty());
    assert!(packets[1].dissection.header("UDP").is_none());
    let What::Fragment { offset, len, more, completes, .. } = &packets[2].summary.what else {
        panic!("not a fragment")
    };
    assert_eq!((*offset, *len, *more), (96, 12, false));
    assert_eq!(completes.as_ref().unwrap().what, What::Udp { len: 100 });
    assert_eq!(packets.iter().map(|p| p.accounting.payload).sum::<u64>(), 100);
}

#[test]
fn a_handshake_reads_as_in_wireshark() {
    let mut conversations = Conversations::new();
    let lines: Vec<_> =
        sample::handshake().iter().map(|frame| conversations.feed(frame).summary.info()).collect();
    assert_eq!(lines[0], "4000 > 80 [SYN] Seq=0 Win=1000 Len=0 MSS=1460");
    assert_eq!(lines[1], "80 > 4000 [SYN, ACK] Seq=0 Ack=1 Win=1000 Len=0 MSS=1460");
    // The window is scaled by 2 bits from here on.
    assert_eq!(lines[2], "4000 > 80 [ACK] Seq=1 Ack=1 Win=4000 Len=0");
    assert!(lines[3].ends_with("| GET /chat HTTP/1.1"), "{}", lines[3]);
    assert!(lines[4].ends_with("| HTTP/1.1 101 Switching Protocols"), "{}", lines[4]);
}

#[test]
fn the_flow_is_seen_from_the_sender() {
    let packet = Conversations::new().feed(&sample::tcp(false, Flags::ACK, 1, 1, b""));
    let flow = packet.summary.flow.unwrap();
    assert_eq!((flow.protocol, flow.local().port(), flow.remote().port()), (Protocol::Tcp, 80, 4000));
}

#[test]
fn a_websocket_frame_is_followed_across_segments() {
    let (mut conversations, at, ack) = upgraded();
    let frame = sample::frame(true, Opcode::Text, 200);
    assert_eq!(frame.len(), 208);
    let first = conversations.feed(&sample::tcp(true, Flags::ACK, at, ack, &frame[..100]));
    let second = conversations.feed(&sample::tcp(true, Flags::ACK, at + 100, ack, &frame[100..]));
    assert_eq!(
        tcp_of(&first).application,
        [AppPiece::WsFrame { opcode: "text", fin: true, masked: true, payload_len: 200, header_len: 8 }]
    );
    assert_eq!(first.dissection.header("WebSocket").unwrap().field("opcode").unwrap().text, "1 (text)");
    assert_eq!((first.accounting.framing, first.accounting.payload), (8, 92));
    assert_eq!(tcp_of(&second).application, [AppPiece::WsContinuationOfFrame { len: 108 }]);
    assert_eq!((second.accounting.framing, second.accounting.payload), (0, 108));
    assert_eq!(first.summary.protocol, "WebSocket");
}

#[test]
fn event_traffic_is_named_up_to_socket_io_however_segments_cut_it() {
    let ask = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n";
    let yes = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    // Masked with zeros, which changes nothing.
    let text = br#"42/chat,7["say","hello"]"#;
    let frame = [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], &text[..]].concat();
    let talk = |mut conversations: Conversations, cut: usize| {
        let (mut at, mut packets) = (1, Vec::new());
        conversations.feed(&sample::tcp(true, Flags::SYN, 0, 0, b""));
        conversations.feed(&sample::tcp(false, Flags::SYN | Flags::ACK, 0, 1, b""));
        for (from_client, bytes) in
            [(true, &ask[..]), (false, &yes[..]), (true, &frame[..cut]), (true, &frame[cut..])]
        {
            let seq = if from_client { at } else { 1 };
            packets.push(conversations.feed(&sample::tcp(from_client, Flags::ACK, seq, 1, bytes)));
            at += if from_client { bytes.len() as u32 } else { 0 };
        }
        packets
    };
    let packets = talk(Conversations::new(), 0);
    let whole = &packets[3];
    assert_eq!(whole.summary.protocol, "Socket.IO");
    assert!(
        whole.summary.info().ends_with("| Engine.IO message | Socket.IO EVENT /chat id=7"),
        "{}",
        whole.summary.info()
    );
    assert_eq!(
        names(&whole.dissection)[3..],
        [("WebSocket", 6), ("Engine.IO", 1), ("Socket.IO", 8), ("data", 15)]
    );
    assert_eq!(whole.dissection.header("Socket.IO").unwrap().field("Namespace").unwrap().text, "/chat,");
    for cut in 1..frame.len() {
        let packets = talk(Conversations::new(), cut);
        let bytes_of = |protocol: &str| {
            let parts = packets[2..].iter().flat_map(|packet| &packet.dissection.parts);
            parts.filter(|part| part.protocol == protocol).map(|part| part.range.len()).sum::<usize>()
        };
        assert_eq!([bytes_of("WebSocket"), bytes_of("Engine.IO"), bytes_of("Socket.IO")], [6, 1, 8], "{cut}");
        assert!(packets.iter().all(|packet| covers(&packet.dissection, packet.dissection.len())), "{cut}");
    }
    // For WebSocket itself all of it is payload.
    let packets = talk(Conversations::to_websocket(), 0);
    assert_eq!(packets[3].summary.protocol, "WebSocket");
    assert_eq!(packets[3].accounting.payload, text.len() as u64);
}

#[test]
fn a_retransmission_is_known_and_its_bytes_keep_their_meaning() {
    let (mut conversations, at, ack) = upgraded();
    let frame = sample::tcp(true, Flags::ACK, at, ack, &sample::frame(true, Opcode::Binary, 50));
    let first = conversations.feed(&frame);
    let second = conversations.feed(&frame);
    assert!(!tcp_of(&first).retransmission);
    assert!(tcp_of(&second).retransmission);
    assert_eq!(tcp_of(&first).application, tcp_of(&second).application);
    assert_eq!(second.accounting.framing, 6);
    assert_eq!(second.accounting.retransmitted, second.accounting.total());
}

#[test]
fn a_frame_header_cut_by_a_segment_boundary_is_put_together() {
    let (mut conversations, at, ack) = upgraded();
    let mut bytes = sample::frame(true, Opcode::Ping, 4);
    bytes.extend(sample::frame(true, Opcode::Text, 3));
    // Ping: 6 bytes of header, 4 of payload; then 3 bytes of the next header.
    let first = conversations.feed(&sample::tcp(true, Flags::ACK, at, ack, &bytes[..13]));
    let second = conversations.feed(&sample::tcp(true, Flags::ACK, at + 13, ack, &bytes[13..]));
    assert_eq!((first.accounting.framing, first.accounting.payload), (13, 0));
    assert_eq!((second.accounting.framing, second.accounting.payload), (3, 3));
    assert!(
        matches!(&tcp_of(&second).application[..], [AppPiece::WsFrame { payload_len: 3, .. }]),
        "{:?}",
        tcp_of(&second).application
    );
}

#[test]
fn segments_out_of_order_are_read_in_order() {
    let (mut conversations, at, ack) = upgraded();
    let mut bytes = sample::frame(true, Opcode::Text, 60);
    bytes.extend(sample::frame(true, Opcode::Text, 7));
    let early = conversations.feed(&sample::tcp(true, Flags::ACK, at + 66, ack, &bytes[66..]));
    let late = conversations.feed(&sample::tcp(true, Flags::ACK, at, ack, &bytes[..66]));
    let again = conversations.feed(&sample::tcp(true, Flags::ACK, at + 66, ack, &bytes[66..]));
    assert!(!tcp_of(&early).retransmission && !tcp_of(&late).retransmission);
    // It ends where the segment ends, so it is known for a frame although what comes before it is not there yet.
    assert!(matches!(tcp_of(&early).application[..], [AppPiece::WsFrame { payload_len: 7, .. }]));
    assert!(tcp_of(&again).retransmission);
    assert!(matches!(tcp_of(&again).application[..], [AppPiece::WsFrame { payload_len: 7, .. }]));
}

#[test]
fn a_fin_that_left_with_data_behind_a_hole_is_known_when_it_comes_alone() {
    let (mut conversations, at, ack) = upgraded();
    let frame = |flags, at, bytes: &[u8]| sample::tcp(true, flags, at, ack, bytes);
    let fin = Flags::ACK | Flags::FIN;
    let early = conversations.feed(&frame(fin, at + 6, &[1, 2, 3, 4]));
    let alone = conversations.feed(&frame(fin, at + 10, &[]));
    assert!(!tcp_of(&early).retransmission && tcp_of(&alone).retransmission);
    let data = conversations.feed(&frame(Flags::ACK, at + 6, &[1, 2, 3, 4]));
    assert!(tcp_of(&data).retransmission);
}

#[test]
fn a_frame_that_breaks_the_rules_is_pointed_at() {
    let (mut conversations, at, ack) = upgraded();
    let packet = conversations.feed(&sample::tcp(true, Flags::ACK, at, ack, &[0x83, 0x80, 0, 0, 0, 0]));
    let problem = &packet.dissection.problems[0];
    assert_eq!((problem.protocol, problem.field, problem.offset), ("WebSocket", "opcode", 54));
}

#[test]
fn probes_and_duplicate_acknowledgments_are_told_apart_from_retransmissions() {
    let (mut conversations, at, ack) = upgraded();
    let mut feed = |frame: &[u8]| tcp_of(&conversations.feed(frame)).clone();
    // The server has all: a segment one before is a keep-alive.
    feed(&sample::tcp(false, Flags::ACK, ack, at, b""));
    assert_eq!(feed(&sample::tcp(true, Flags::ACK, at - 1, ack, b"")).probe, Some(Probe::KeepAlive));
    feed(&sample::tcp_window(false, Flags::ACK, ack, at, 0, b""));
    let probe = feed(&sample::tcp(true, Flags::ACK, at, ack, b"x"));
    assert_eq!((probe.probe, probe.retransmission), (Some(Probe::ZeroWindow), false));
    let (mut conversations, at, ack) = upgraded();
    let mut feed = |frame: &[u8]| tcp_of(&conversations.feed(frame)).clone();
    feed(&sample::tcp(true, Flags::ACK, at, ack, &[b'x'; 10]));
    feed(&sample::tcp(false, Flags::ACK, ack, at, b""));
    assert!(feed(&sample::tcp(false, Flags::ACK, ack, at, b"")).duplicate_ack);
}

#[test]
fn a_capture_that_begins_in_the_middle_counts_from_1() {
    let mut conversations = Conversations::new();
    let first = conversations.feed(&sample::tcp(true, Flags::ACK, 5000, 900, b"abc"));
    let answer = conversations.feed(&sample::tcp(false, Flags::ACK, 900, 5003, b""));
    assert_eq!((tcp_of(&first).seq, tcp_of(&first).ack), (1, Some(1)));
    assert_eq!((tcp_of(&answer).seq, tcp_of(&answer).ack), (1, Some(4)));
    assert_eq!(tcp_of(&first).application, [AppPiece::Data { len: 3 }]);
}

/// RFC 9293 §3.10.7.1: without an ACK to take it from, the number of a reset is 0.
#[test]
fn a_reset_that_refuses_a_syn_is_shown_with_the_number_that_is_on_the_wire() {
    let mut conversations = Conversations::new();
    conversations.feed(&sample::tcp(true, Flags::SYN, 0, 0, b""));
    // The samples count from the initial number: this one has 0 on the wire.
    let zero = sample::SERVER_ISN.wrapping_neg();
    let refusal = conversations.feed(&sample::tcp(false, Flags::RST | Flags::ACK, zero, 1, b""));
    assert_eq!((tcp_of(&refusal).seq, tcp_of(&refusal).ack), (0, Some(1)));
}

#[test]
fn the_same_ports_again_are_a_new_conversation() {
    let (mut conversations, ..) = upgraded();
    // The sample's SYN has a fixed number; one of another number begins a new conversation.
    let syn = conversations.feed(&sample::tcp(true, Flags::SYN, 99_999, 0, b""));
    assert_eq!((tcp_of(&syn).seq, tcp_of(&syn).retransmission), (0, false));
}

#[test]
fn the_account_of_a_run_has_every_byte_once() {
    let packets = dissect_trace(&sample::run());
    let account: Accounting = packets.iter().map(|seen| seen.packet.accounting).sum();
    assert_eq!(account.total(), packets.iter().map(|seen| seen.bytes.len() as u64).sum::<u64>());
    assert_eq!(account.frames, packets.len() as u64);
    assert_eq!(account.framing, (sample::REQUEST.len() + sample::RESPONSE.len() + 8 + 8) as u64);
    assert_eq!(account.payload, 200 + 92 + 5 + 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_covered_by_parts_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(covers(&dissect_frame(&bytes), bytes.len()));
        prop_assert!(covers(&dissect_packet(&bytes), bytes.len()));
        let mut conversations = Conversations::new();
        prop_assert!(covers(&conversations.feed(&bytes).dissection, bytes.len()));
    }

    #[test]
    fn a_frame_with_any_bytes_changed_is_still_covered(
        index in 0usize..12, changes in proptest::collection::vec((12usize..120, any::<u8>()), 1..5), cut in 0usize..200,
    ) {
        let mut conversations = Conversations::new();
        let mut glancing = Conversations::new();
        let trace = sample::run();
        for (i, (.., bytes)) in trace.frames().enumerate() {
            let mut bytes = bytes.to_vec();
            if i >= index {
                for (at, value) in &changes {
                    let at = at % bytes.len();
                    bytes[at] = *value;
                }
                bytes.truncate(bytes.len().min(200 - cut.min(190)));
            }
            let packet = conversations.feed(&bytes);
            prop_assert!(covers(&packet.dissection, bytes.len()), "{:?}", packet.dissection);
            prop_assert_eq!(packet.accounting.total(), bytes.len() as u64);
            prop_assert!(!packet.summary.info().chars().any(char::is_control));
            let Packet { summary, accounting, .. } = packet;
            prop_assert_eq!(glancing.glance(&bytes), Glance { summary, accounting });
        }
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_account(cuts in proptest::collection::vec(1usize..60, 1..30)) {
        let (mut conversations, mut at, ack) = upgraded();
        let mut stream = Vec::new();
        for (opcode, len) in [(Opcode::Text, 10), (Opcode::Ping, 3), (Opcode::Binary, 300), (Opcode::Close, 2)] {
            stream.extend(sample::frame(true, opcode, len));
        }
        let mut account = Accounting::default();
        let mut rest = &stream[..];
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap_or(&1)));
            account += conversations.feed(&sample::tcp(true, Flags::ACK, at, ack, now)).accounting;
            at += now.len() as u32;
            rest = later;
        }
        prop_assert_eq!(account.payload, 310);
        prop_assert_eq!(account.framing, stream.len() as u64 - 310);
    }

    #[test]
    fn memory_is_bounded_whatever_the_order(positions in proptest::collection::vec(2u32..4_000_000, 1..120)) {
        let mut conversations = Conversations::new();
        conversations.feed(&sample::tcp(true, Flags::SYN, 0, 0, b""));
        for position in positions {
            let packet = conversations.feed(&sample::tcp(true, Flags::ACK, position, 0, &[b'y'; 1400]));
            prop_assert_eq!(packet.accounting.payload, 1400);
        }
        prop_assert!(conversations.waiting() <= 64 * 1024 + 1400);
    }
}
