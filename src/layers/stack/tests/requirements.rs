//! What RFC 9293 asks of TCP together with IP, and no other test shows: see `tests/network/rfc9293.txt`.

use super::*;
use crate::layers::internet::ipv4::Ecn;
use crate::layers::link::arp::ArpPacket;
use crate::layers::transport::tcp::Report;

/// Another address of the host at [`B`].
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

fn arrives(lab: &mut Lab, to: Ipv4Addr, tcp_header: TcpHeader) {
    let (ip, payload) = tcp(to, tcp_header);
    lab.arrives(frame(&ip, &payload));
}

/// A connection that B has opened to port 80 of A, and the SYN of it.
fn opening(lab: &mut Lab) -> (SocketId, Segment) {
    let socket = lab.with_stack(|stack, now| stack.tcp_connect(now, at(A, 80))).unwrap();
    (socket, lab.segment().unwrap())
}

/// The same, and A has answered.
fn opened(lab: &mut Lab) -> (SocketId, TcpHeader) {
    let (socket, syn) = opening(lab);
    let header = TcpHeader {
        source_port: 80,
        destination_port: syn.header.source_port,
        ..header(Flags::SYN | Flags::ACK, 500, syn.header.seq.0.wrapping_add(1))
    };
    arrives(lab, B, header);
    assert_eq!(lab.events, [SocketEvent::Connected(socket)]);
    lab.events.clear();
    lab.sent.clear();
    (socket, syn.header)
}

/// MUST-41, MUST-42.
#[test]
fn a_port_can_be_listened_on_whose_connections_are_being_opened() {
    let mut lab = Lab::new();
    let (socket, syn) = opening(&mut lab);
    let port = syn.header.source_port;
    lab.with_stack(|stack, _| stack.tcp_listen(port)).unwrap();
    // SYN-SENT is none the worse for it.
    let answer = TcpHeader {
        source_port: 80,
        destination_port: port,
        ..header(Flags::SYN | Flags::ACK, 500, syn.header.seq.0.wrapping_add(1))
    };
    arrives(&mut lab, B, answer);
    assert_eq!(lab.events, [SocketEvent::Connected(socket)]);
    lab.sent.clear();
    // The listener takes others, while one of its own is in SYN-RECEIVED.
    for source_port in [4_000, 4_001] {
        let syn = TcpHeader { source_port, destination_port: port, ..header(Flags::SYN, 1, 0) };
        arrives(&mut lab, B, syn);
        let answer = lab.segment().unwrap().header;
        assert_eq!((answer.flags, answer.destination_port), (Flags::SYN | Flags::ACK, source_port));
    }
    assert_eq!(lab.with_stack(|stack, _| stack.tcp_listen(port)), Err(SendError::PortInUse));
}

/// MUST-43.
#[test]
fn open_can_name_one_of_the_hosts_addresses() {
    let mut lab = Lab::new();
    lab.stack.add_address(0, Cidr::new(OTHER.into(), 24));
    let from = |lab: &mut Lab, local: Ipv4Addr| {
        lab.with_stack(|stack, now| stack.tcp_connect_from(now, local.into(), at(A, 80))).map(|_| ())
    };
    assert_eq!(from(&mut lab, FAR), Err(SendError::NotOwn));
    for local in [OTHER, B] {
        from(&mut lab, local).unwrap();
        assert_eq!(lab.packet().unwrap().0.source, local);
    }
    let listen = |lab: &mut Lab, local| lab.with_stack(|stack, _| stack.tcp_listen_at(local)).map(|_| ());
    assert_eq!(listen(&mut lab, at(FAR, 80)), Err(SendError::NotOwn));
    listen(&mut lab, at(OTHER, 80)).unwrap();
    arrives(&mut lab, OTHER, header(Flags::SYN, 1, 0));
    let (ip, _) = lab.packet().unwrap();
    assert_eq!(ip.source, OTHER);
    arrives(&mut lab, B, header(Flags::SYN, 1, 0));
    assert!(lab.segment().unwrap().header.flags.has(Flags::RST), "nobody listens there");
}

/// MUST-49.
#[test]
fn segments_leave_with_the_ttl_that_was_set() {
    for ttl in [7, 64] {
        let mut lab = Lab::with(B, 1500, &StackConfig { ttl, ..StackConfig::default() });
        lab.introduce();
        lab.with_stack(|stack, now| stack.tcp_connect(now, at(A, 80))).unwrap();
        assert_eq!(lab.packet().unwrap().0.ttl, ttl);
    }
}

/// MUST-48, SHLD-21, SHLD-22.
#[test]
fn the_code_point_of_a_connection_is_that_of_its_packets_and_can_change() {
    let tcp = tcp_layer::Config { dscp: 0x0a, ..tcp_layer::Config::default() };
    let mut lab = Lab::with(B, 1500, &StackConfig { tcp, ..StackConfig::default() });
    lab.introduce();
    let socket = lab.with_stack(|stack, now| stack.tcp_connect(now, at(A, 80))).unwrap();
    assert_eq!(lab.packet().unwrap().0.dscp, 0x0a);
    lab.with_stack(|stack, now| stack.tcp_set_dscp(now, socket, 0x2e));
    lab.wait(Duration::from_secs(2));
    assert_eq!(lab.packet().unwrap().0.dscp, 0x2e, "the SYN again");
    // Another connection begins as the host's do.
    lab.with_stack(|stack, now| stack.tcp_connect(now, at(A, 80))).unwrap();
    assert_eq!(lab.packet().unwrap().0.dscp, 0x0a);
}

/// MUST-50.
#[test]
fn the_options_of_ip_are_passed_over() {
    let mut lab = Lab::new();
    lab.with_stack(|stack, _| stack.tcp_listen(80)).unwrap();
    let (ip, payload) = tcp(B, header(Flags::SYN, 1, 0));
    // Record route with room for one address, and a timestamp. A source route that came is another matter (MUST-53).
    for options in [&[7, 7, 4, 0, 0, 0, 0, 0][..], &[68, 8, 5, 0, 0, 0, 0, 0]] {
        let options = crate::layers::internet::options::Options::new(options).unwrap();
        let ip = Ipv4Header { options, ..ip }.with_payload_len(payload.len());
        lab.arrives(frame(&ip, &payload));
        let (back, _) = lab.packet().unwrap();
        assert_eq!((back.protocol, back.header_len()), (protocol::TCP, 20), "{:?}", lab.discarded);
    }
}

/// MUST-55.
#[test]
fn a_source_quench_is_discarded_in_silence() {
    let mut lab = Lab::new();
    let (socket, _) = opened(&mut lab);
    lab.with_stack(|stack, now| stack.tcp_write(now, socket, Bytes::from_static(b"hello"))).unwrap();
    let quote = lab.sent[0].slice(ethernet::HEADER_LEN..ethernet::HEADER_LEN + 28);
    lab.sent.clear();
    let before = lab.stack.tcp_info(socket);
    let (ip, payload) = icmp(A, IcmpHeader::Other { kind: 4, code: 0, rest: 0 }, &quote);
    lab.arrives(frame(&ip, &payload));
    assert_eq!((lab.events.len(), lab.sent.len(), lab.discarded.len()), (0, 0, 0));
    assert_eq!(lab.stack.tcp_info(socket), before);
}

/// MUST-20, MUST-47, SHLD-20.
#[test]
fn when_nothing_comes_back_the_program_learns_it_and_the_neighbour_is_asked_for_again() {
    for wanted in [true, false] {
        // A is known from its own question, not for good.
        let mut lab = Lab::with(B, 1500, &StackConfig::default());
        let mut w = Writer::new();
        let question = ArpPacket::request(mac(A), A, B);
        EthernetHeader { destination: mac(B), source: mac(A), ethertype: EtherType::ARP }.emit(&mut w);
        question.emit(&mut w);
        ethernet::pad_to_minimum(&mut w, 0);
        lab.arrives(w.finish());
        lab.sent.clear();
        let (socket, _) = opened(&mut lab);
        lab.with_stack(|stack, now| stack.tcp_set_reports(now, socket, wanted));
        lab.with_stack(|stack, now| stack.tcp_write(now, socket, Bytes::from_static(b"x"))).unwrap();
        lab.wait(Duration::from_millis(6_900));
        assert_eq!((lab.events.len(), lab.sent.len()), (0, 3));
        assert!(lab.sent.iter().all(|frame| read_packet(frame).is_some()));
        lab.wait(Duration::from_millis(200));
        let report = SocketEvent::Report { socket, report: Report::Retransmissions };
        assert_eq!(lab.events, if wanted { vec![report] } else { vec![] });
        assert!(read_packet(&lab.sent[3]).is_none(), "a question in place of the fourth segment");
    }
}

#[test]
fn urgent_data_and_keep_alives_are_there_for_sockets() {
    let mut lab = Lab::new();
    let (socket, syn) = opened(&mut lab);
    lab.with_stack(|stack, now| stack.tcp_write_urgent(now, socket, Bytes::from_static(b"!"))).unwrap();
    let sent = lab.segment().unwrap().header;
    assert!(sent.flags.has(Flags::URG) && sent.urgent == 1);
    let answer = TcpHeader {
        source_port: 80,
        destination_port: syn.source_port,
        ..header(Flags::ACK, 501, sent.seq.0.wrapping_add(1))
    };
    arrives(&mut lab, B, answer);
    lab.with_stack(|stack, now| stack.tcp_set_keep_alive(now, socket, true));
    lab.wait(tcp_layer::KEEP_ALIVE_IDLE + Duration::from_secs(1));
    assert_eq!(lab.segment().map(|probe| probe.header.seq), Some(sent.seq));
}

/// SHLD-8.
#[test]
fn data_may_be_marked_on_its_way_and_a_mark_that_comes_is_echoed() {
    let tcp = tcp_layer::Config { ecn: true, ..tcp_layer::Config::bare() };
    let mut lab = Lab::with(B, 1500, &StackConfig { tcp, ..StackConfig::default() });
    lab.introduce();
    lab.with_stack(|stack, _| stack.tcp_listen(80)).unwrap();
    arrives(&mut lab, B, header(Flags::SYN | Flags::ECE | Flags::CWR, 100, 0));
    let (ip, _) = lab.packet().unwrap();
    assert_eq!(ip.ecn, Ecn::NotEct, "no SYN may be");
    // The SYN-ACK goes again a second later.
    lab.wait(Duration::from_millis(1_100));
    let syn_ack = lab.segment().unwrap().header;
    assert!(syn_ack.flags.has(Flags::ECE) && !syn_ack.flags.has(Flags::CWR));
    arrives(&mut lab, B, header(Flags::ACK, 101, syn_ack.seq.0.wrapping_add(1)));
    let SocketEvent::Accepted { socket, .. } = lab.events[0] else { panic!("{:?}", lab.events) };
    lab.with_stack(|stack, now| stack.tcp_write(now, socket, Bytes::from_static(b"hello"))).unwrap();
    assert_eq!(lab.packet().unwrap().0.ecn, Ecn::Ect0);
    let mut w = Writer::new();
    let header = header(Flags::ACK, 101, syn_ack.seq.0.wrapping_add(1));
    Segment { header, payload: Bytes::from_static(b"x") }.emit(A.into(), B.into(), &mut w);
    let payload = w.finish();
    let ip = Ipv4Header { ecn: Ecn::Ce, ..Ipv4Header::new(A, B, protocol::TCP, payload.len()) };
    lab.arrives(frame(&ip, &payload));
    assert!(lab.segment().unwrap().header.flags.has(Flags::ECE));
}
