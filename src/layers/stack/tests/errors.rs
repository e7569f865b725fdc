//! Echo, the errors that a host sends, those it keeps to itself, and those it receives.

use super::*;
use crate::layers::internet::icmp::{TimeExceeded, Unreachable};

#[test]
fn a_ping_is_answered_with_its_own_data() {
    let mut lab = Lab::new();
    let (ip, payload) = icmp(A, IcmpHeader::EchoRequest { identifier: 7, sequence: 3 }, b"abc");
    lab.arrives(frame(&ip, &payload));
    let reply = lab.icmp().unwrap();
    assert_eq!(reply.header, IcmpHeader::EchoReply { identifier: 7, sequence: 3 });
    assert_eq!(reply.payload, "abc");
}

#[test]
fn a_reply_to_a_ping_is_kept_for_who_asked() {
    let mut lab = Lab::new();
    let (ip, payload) = icmp(A, IcmpHeader::EchoReply { identifier: 7, sequence: 3 }, b"");
    lab.arrives(frame(&ip, &payload));
    assert_eq!(lab.stack.pong(), Some((A.into(), 7, 3)));
    assert_eq!(lab.stack.pong(), None);
}

#[test]
fn a_closed_udp_port_is_unreachable_and_the_datagram_quoted() {
    let mut lab = Lab::new();
    let (ip, payload) = udp(A, B, 9, b"hello");
    lab.arrives(frame(&ip, &payload));
    let error = lab.icmp().unwrap();
    assert_eq!(error.header, IcmpHeader::Unreachable(Unreachable::Port));
    assert_eq!(error.payload[20..], payload[..]);
    assert!(lab.discarded[0].contains("port 9"));
}

#[test]
fn a_protocol_that_nobody_has_is_unreachable() {
    let mut lab = Lab::new();
    lab.arrives(frame(&Ipv4Header::new(A, B, 132, 4), b"sctp"));
    assert_eq!(lab.icmp().unwrap().header, IcmpHeader::Unreachable(Unreachable::Protocol));
}

#[test]
fn nothing_that_was_sent_to_all_is_answered() {
    let all = Ipv4Addr::BROADCAST;
    let mut lab = Lab::new();
    // A closed UDP port, a closed TCP port, an open one, a ping: each would be a storm if all hosts answered.
    lab.with_stack(|stack, _| stack.tcp_listen(80)).unwrap();
    let (_, ping) = icmp(A, IcmpHeader::EchoRequest { identifier: 1, sequence: 1 }, b"");
    let ping = (Ipv4Header::new(A, all, protocol::ICMP, ping.len()), ping);
    let closed = TcpHeader { destination_port: 81, ..header(Flags::SYN, 1, 0) };
    let packets = [udp(A, all, 9, b"x"), tcp(all, closed), tcp(all, header(Flags::SYN, 1, 0)), ping];
    for (ip, payload) in packets {
        lab.arrives(frame_to(MacAddr::BROADCAST, &ip, &payload));
        // In a frame for this host alone it is still a packet for all.
        lab.arrives(frame(&ip, &payload));
    }
    assert_eq!(lab.sent.len(), 0);
    assert_eq!(lab.discarded.len(), 8, "{:?}", lab.discarded);
}

#[test]
fn addresses_that_must_not_be_on_a_wire_are_discarded_in_silence() {
    let mut lab = Lab::new();
    for source in ["224.0.0.1", "255.255.255.255", "240.0.0.1", "127.0.0.1"] {
        let (ip, payload) = udp(source.parse().unwrap(), B, 9, b"x");
        lab.arrives(frame(&ip, &payload));
    }
    let (ip, payload) = udp(A, Ipv4Addr::LOCALHOST, 9, b"x");
    lab.arrives(frame(&ip, &payload));
    // For one host, but in a frame for all.
    let (ip, payload) = udp(A, B, 9, b"x");
    lab.arrives(frame_to(MacAddr::BROADCAST, &ip, &payload));
    assert_eq!((lab.sent.len(), lab.discarded.len()), (0, 6), "{:?}", lab.discarded);
}

/// RFC 9293 §3.9.2.3 (MUST-63) and RFC 1122 §3.2.1.3: a source must be one host, and not this one.
#[test]
fn what_comes_from_no_single_other_host_is_answered_to_nobody() {
    let sources = [
        Ipv4Addr::new(0, 0, 0, 0),
        Ipv4Addr::new(0, 1, 2, 3),
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(10, 0, 0, 255),
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::new(250, 0, 0, 1),
        Ipv4Addr::LOCALHOST,
        B,
    ];
    for source in sources {
        let mut lab = Lab::new();
        lab.stack.add_route(Prefix::ALL, 0, Some(A.into()));
        lab.with_stack(|stack, _| stack.tcp_listen(80)).unwrap();
        let socket = lab.with_stack(|stack, _| stack.udp_bind(53)).unwrap();
        let (ping, echo) = icmp(source, IcmpHeader::EchoRequest { identifier: 1, sequence: 1 }, b"");
        lab.arrives(frame(&ping, &echo));
        // A SYN to an open port and one to a closed one; a datagram to each.
        for port in [80, 81] {
            let mut w = Writer::new();
            let header = TcpHeader { destination_port: port, ..header(Flags::SYN, 1, 0) };
            Segment { header, payload: Bytes::new() }.emit(source.into(), B.into(), &mut w);
            let syn = w.finish();
            lab.arrives(frame(&Ipv4Header::new(source, B, protocol::TCP, syn.len()), &syn));
        }
        for port in [53, 54] {
            let (ip, payload) = udp(source, B, port, b"x");
            lab.arrives(frame(&ip, &payload));
        }
        lab.wait(Duration::from_secs(10));
        assert_eq!((lab.sent.len(), lab.discarded.len()), (0, 5), "{source}: {:?}", lab.discarded);
        assert_eq!(lab.stack.udp_recv(socket), None, "{source}");
    }
}

/// A host that has no address yet asks all hosts for one (RFC 2131 §4.1): that must reach a server.
#[test]
fn a_host_without_an_address_is_heard_when_it_asks_all() {
    let mut lab = Lab::new();
    let socket = lab.with_stack(|stack, _| stack.udp_bind(67)).unwrap();
    let (ip, payload) = udp(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, 67, b"discover");
    lab.arrives(frame_to(MacAddr::BROADCAST, &ip, &payload));
    let from = at(Ipv4Addr::UNSPECIFIED, 4000);
    assert_eq!(lab.stack.udp_recv(socket), Some((from, Bytes::from_static(b"discover"))));
}

#[test]
fn a_packet_for_another_host_is_discarded_by_one_that_is_no_router() {
    let mut lab = Lab::new();
    let (ip, payload) = udp(A, FAR, 9, b"x");
    lab.arrives(frame(&ip, &payload));
    assert_eq!((lab.sent.len(), lab.discarded.len()), (0, 1));
}

/// What `B` sends to `A`, as a router would quote it in an error about it.
fn quoted(lab: &mut Lab) -> (Ipv4Header, Bytes) {
    let frame = lab.sent.pop_back().unwrap();
    let (ip, _) = read_packet(&frame).unwrap();
    (ip, frame.slice(ethernet::HEADER_LEN..ethernet::HEADER_LEN + 28))
}

#[test]
fn an_error_about_a_datagram_reaches_its_socket_with_its_reason() {
    let mut lab = Lab::new();
    let socket = lab.with_stack(|stack, _| stack.udp_bind(5000)).unwrap();
    lab.with_stack(|stack, now| stack.udp_send(now, socket, at(A, 9), Bytes::from_static(b"x"))).unwrap();
    let (_, quote) = quoted(&mut lab);
    for error in [
        IcmpHeader::Unreachable(Unreachable::Port),
        IcmpHeader::TimeExceeded(TimeExceeded::Ttl),
        IcmpHeader::ParameterProblem { pointer: 8 },
    ] {
        let (ip, payload) = icmp(A, error, &quote);
        lab.arrives(frame(&ip, &payload));
        assert_eq!(lab.events.pop(), Some(SocketEvent::Unreachable { socket, to: at(A, 9), error }));
    }
    // One that quotes what this host never sent, and one that is cut short, belong to no socket.
    let (stranger, payload) = udp(OUTSIDER, A, 9, b"x");
    let mut w = Writer::new();
    stranger.emit(&mut w);
    w.bytes(&payload);
    for quote in [w.finish(), quote.slice(..24)] {
        let (ip, payload) = icmp(A, IcmpHeader::Unreachable(Unreachable::Port), &quote);
        lab.arrives(frame(&ip, &payload));
    }
    assert_eq!(lab.events, []);
}

#[test]
fn a_router_that_needs_fragments_makes_a_connection_send_smaller_segments() {
    let mut lab = Lab::new();
    let socket = lab.with_stack(|stack, now| stack.tcp_connect(now, at(A, 80))).unwrap();
    let syn = lab.segment().unwrap().header;
    let mut options = tcp_layer::Options::none();
    options.push(tcp_layer::TcpOption::MaximumSegmentSize(1460));
    let reply = TcpHeader {
        source_port: 80,
        destination_port: syn.source_port,
        options,
        ..header(Flags::SYN | Flags::ACK, 500, syn.seq.0.wrapping_add(1))
    };
    let (ip, payload) = tcp(B, reply);
    lab.arrives(frame(&ip, &payload));
    lab.sent.clear();
    let data = Bytes::from(vec![7; 3000]);
    lab.with_stack(|stack, now| stack.tcp_write(now, socket, data)).unwrap();
    let first = read_packet(&lab.sent[0]).unwrap();
    assert!(first.0.dont_fragment && first.0.total_len == 1500);
    let quote = lab.sent[0].slice(ethernet::HEADER_LEN..ethernet::HEADER_LEN + 28);
    lab.sent.clear();
    let needed = IcmpHeader::Unreachable(Unreachable::FragmentationNeeded { next_hop_mtu: 576 });
    let (ip, payload) = icmp(A, needed, &quote);
    lab.arrives(frame(&ip, &payload));
    let again = lab.segment().unwrap();
    assert_eq!(again.header.seq, syn.seq + 1);
    assert_eq!((again.payload.len(), lab.stack.tcp_info(socket).unwrap().mss), (536, 536));
}

#[test]
fn damage_above_the_frame_is_noticed_and_nothing_answers() {
    let mut lab = Lab::new();
    let (ip, payload) = udp(A, B, 9, b"hello");
    let good = frame(&ip, &payload);
    for (byte, layer) in [(22, "header checksum"), (45, "checksum")] {
        let mut bad = good.to_vec();
        bad[byte] ^= 4;
        lab.arrives(bad.into());
        assert!(lab.discarded.last().unwrap().contains(layer), "{:?}", lab.discarded);
    }
    assert_eq!(lab.sent.len(), 0);
}
