//! Sockets of the joined stack: which of them gets a segment, and what answers when none does.

use super::*;
use crate::layers::transport::tcp::{Reason, Report, State, TcpOption};

fn listening() -> (Lab, SocketId) {
    let mut lab = Lab::new();
    let listener = lab.with_stack(|stack, _| stack.tcp_listen(80)).unwrap();
    (lab, listener)
}

fn arrives(lab: &mut Lab, tcp_header: TcpHeader) {
    let (ip, payload) = tcp(B, tcp_header);
    lab.arrives(frame(&ip, &payload));
}

/// A SYN that asks for a connection, and the number of the SYN-ACK that comes back.
fn open(lab: &mut Lab, seq: u32) -> SeqNumber {
    arrives(lab, header(Flags::SYN, seq, 0));
    let answer = lab.segment().unwrap().header;
    assert_eq!((answer.flags, answer.ack), (Flags::SYN | Flags::ACK, SeqNumber(seq + 1)));
    answer.seq
}

#[test]
fn a_closed_port_answers_with_a_reset_that_the_sender_will_believe() {
    let mut lab = Lab::new();
    arrives(&mut lab, header(Flags::SYN, 100, 0));
    let reset = lab.segment().unwrap().header;
    assert_eq!((reset.flags, reset.seq.0, reset.ack.0), (Flags::RST | Flags::ACK, 0, 101));
    arrives(&mut lab, header(Flags::ACK, 100, 555));
    let reset = lab.segment().unwrap().header;
    assert_eq!((reset.flags, reset.seq.0), (Flags::RST, 555));
    arrives(&mut lab, header(Flags::RST, 100, 0));
    assert_eq!(lab.segment(), None);
}

#[test]
fn a_listener_takes_a_connection_through_its_life() {
    let (mut lab, listener) = listening();
    let isn = open(&mut lab, 100);
    arrives(&mut lab, header(Flags::ACK, 101, isn.0.wrapping_add(1)));
    let SocketEvent::Accepted { listener: by, socket } = lab.events[0] else { panic!("{:?}", lab.events) };
    assert_eq!(by, listener);
    arrives(&mut lab, header(Flags::FIN | Flags::ACK, 101, isn.0.wrapping_add(1)));
    assert_eq!(lab.events[1], SocketEvent::PeerClosed(socket));
    assert_eq!(lab.segment().unwrap().header.ack.0, 102);
    lab.with_stack(|stack, now| stack.tcp_shutdown(now, socket));
    assert!(lab.segment().unwrap().header.flags.has(Flags::FIN));
    arrives(&mut lab, header(Flags::ACK, 102, isn.0.wrapping_add(2)));
    assert_eq!(lab.events[2], SocketEvent::Closed { socket, reason: Reason::Normal });
    assert_eq!(lab.stack.tcp_info(socket), None);
}

#[test]
fn the_backlog_bounds_half_open_connections_which_are_forgotten_in_time() {
    let (mut lab, _) = listening();
    for port in 0..200 {
        arrives(&mut lab, TcpHeader { source_port: 1000 + port, ..header(Flags::SYN, 1, 0) });
    }
    assert_eq!(lab.sent.len(), 128);
    assert_eq!(lab.discarded.len(), 72);
    assert!(lab.discarded[0].contains("half open"), "{}", lab.discarded[0]);
    // No acknowledgment ever comes: after three minutes the places are free again.
    lab.wait(Duration::from_secs(181));
    lab.sent.clear();
    arrives(&mut lab, TcpHeader { source_port: 5000, ..header(Flags::SYN, 1, 0) });
    assert_eq!(lab.segment().unwrap().header.flags, Flags::SYN | Flags::ACK);
}

/// Connection from port 4000 whose server closed first and is in TIME-WAIT. The peer's next number is 102.
fn in_time_wait() -> (Lab, SocketId, SeqNumber) {
    let (mut lab, _) = listening();
    let isn = open(&mut lab, 100);
    arrives(&mut lab, header(Flags::ACK, 101, isn.0.wrapping_add(1)));
    let SocketEvent::Accepted { socket, .. } = lab.events[0] else { panic!("{:?}", lab.events) };
    lab.with_stack(|stack, now| stack.tcp_shutdown(now, socket));
    arrives(&mut lab, header(Flags::FIN | Flags::ACK, 101, isn.0.wrapping_add(2)));
    assert_eq!(lab.stack.tcp_info(socket).unwrap().state, State::TimeWait);
    lab.sent.clear();
    lab.events.clear();
    (lab, socket, isn)
}

#[test]
fn time_wait_makes_way_for_a_new_connection_between_the_same_ends() {
    let (mut lab, socket, isn) = in_time_wait();
    let next = open(&mut lab, 5_000);
    assert!((isn + 2).is_before(next), "the new numbers begin beyond the old ones");
    assert_eq!(lab.events, [SocketEvent::Closed { socket, reason: Reason::Normal }]);
    arrives(&mut lab, header(Flags::ACK, 5_001, next.0.wrapping_add(1)));
    assert!(matches!(lab.events[1], SocketEvent::Accepted { .. }));
}

#[test]
fn time_wait_does_not_make_way_for_an_old_syn() {
    let (mut lab, socket, isn) = in_time_wait();
    for seq in [100, 50, 102] {
        arrives(&mut lab, header(Flags::SYN, seq, 0));
        let answer = lab.segment().unwrap().header;
        assert_eq!((answer.flags, answer.ack.0, answer.seq), (Flags::ACK, 102, isn + 2), "{seq}");
    }
    assert_eq!(lab.stack.tcp_info(socket).unwrap().state, State::TimeWait);
    lab.wait(Duration::from_secs(61));
    assert_eq!(lab.stack.tcp_info(socket), None);
}

#[test]
fn a_connection_has_one_host_at_its_other_end() {
    let mut lab = Lab::new();
    lab.stack.add_route(Prefix::ALL, 0, Some(A.into()));
    for to in [at(Ipv4Addr::BROADCAST, 80), at(Ipv4Addr::new(224, 0, 0, 1), 80), at(A, 0)] {
        assert_eq!(lab.with_stack(|stack, now| stack.tcp_connect(now, to)), Err(SendError::NotOneHost));
    }
    assert_eq!(lab.with_stack(|stack, now| stack.tcp_connect(now, at(B, 80))), Err(SendError::NoRoute));
    assert!(lab.sent.is_empty());
}

#[test]
fn no_segment_is_larger_than_the_interface_can_carry() {
    let mut lab = Lab::with(B, 296, &StackConfig::default());
    lab.introduce();
    lab.with_stack(|stack, _| stack.tcp_listen(80)).unwrap();
    let mss = |segment: Segment| segment.header.options.mss();
    lab.with_stack(|stack, now| stack.tcp_connect(now, at(A, 80))).unwrap();
    assert_eq!(mss(lab.segment().unwrap()), Some(256));
    let mut options = tcp_layer::Options::none();
    options.push(TcpOption::MaximumSegmentSize(1460));
    arrives(&mut lab, TcpHeader { options, ..header(Flags::SYN, 1, 0) });
    assert_eq!(mss(lab.segment().unwrap()), Some(256));
}

#[test]
fn data_for_a_closed_socket_is_answered_by_a_reset() {
    let (mut lab, _) = listening();
    let isn = open(&mut lab, 100);
    arrives(&mut lab, header(Flags::ACK, 101, isn.0.wrapping_add(1)));
    let SocketEvent::Accepted { socket, .. } = lab.events[0] else { panic!("{:?}", lab.events) };
    lab.with_stack(|stack, now| stack.tcp_close(now, socket));
    assert!(lab.segment().unwrap().header.flags.has(Flags::FIN));
    let mut w = Writer::new();
    let data = Segment {
        header: header(Flags::ACK, 101, isn.0.wrapping_add(2)),
        payload: Bytes::from_static(b"late"),
    };
    data.emit(A.into(), B.into(), &mut w);
    let payload = w.finish();
    lab.arrives(frame(&Ipv4Header::new(A, B, protocol::TCP, payload.len()), &payload));
    assert!(lab.segment().unwrap().header.flags.has(Flags::RST));
}

#[test]
fn a_broadcast_datagram_leaves_for_all_stations_and_reaches_a_socket() {
    let mut lab = Lab::new();
    let socket = lab.with_stack(|stack, _| stack.udp_bind(5000)).unwrap();
    let all = at(Ipv4Addr::BROADCAST, 5000);
    lab.with_stack(|stack, now| stack.udp_send(now, socket, all, Bytes::from_static(b"x"))).unwrap();
    assert_eq!(lab.sent.pop_front().unwrap()[..6], [0xff; 6]);
    let (ip, payload) = udp(A, Ipv4Addr::BROADCAST, 5000, b"hello");
    lab.arrives(frame_to(MacAddr::BROADCAST, &ip, &payload));
    assert_eq!(lab.stack.udp_recv(socket), Some((at(A, 4000), Bytes::from_static(b"hello"))));
}

#[test]
fn a_program_that_does_not_read_loses_datagrams_and_costs_bounded_memory() {
    let config = StackConfig { udp_recv_buffer: 1000, ..StackConfig::default() };
    let mut lab = Lab::with(B, 1500, &config);
    let socket = lab.with_stack(|stack, _| stack.udp_bind(5000)).unwrap();
    for _ in 0..5 {
        let (ip, payload) = udp(A, B, 5000, &[7; 400]);
        lab.arrives(frame(&ip, &payload));
    }
    assert_eq!(std::iter::from_fn(|| lab.stack.udp_recv(socket)).count(), 2);
    assert_eq!(lab.discarded.len(), 3);
    assert!(lab.sent.is_empty(), "UDP reports nothing");
}

/// A connection from port 4000 that is open, and the first number of its stream from here.
fn established() -> (Lab, SocketId, SeqNumber) {
    let (mut lab, _) = listening();
    let isn = open(&mut lab, 100);
    arrives(&mut lab, header(Flags::ACK, 101, isn.0.wrapping_add(1)));
    let SocketEvent::Accepted { socket, .. } = lab.events[0] else { panic!("{:?}", lab.events) };
    lab.sent.clear();
    lab.events.clear();
    (lab, socket, isn + 1)
}

fn with_data(header: TcpHeader, payload: &'static [u8]) -> Bytes {
    let mut w = Writer::new();
    Segment { header, payload: Bytes::from_static(payload) }.emit(A.into(), B.into(), &mut w);
    let payload = w.finish();
    frame(&Ipv4Header::new(A, B, protocol::TCP, payload.len()), &payload)
}

#[test]
fn what_was_acknowledged_can_be_read_after_the_connection_is_gone() {
    let (mut lab, socket, next) = established();
    lab.arrives(with_data(header(Flags::FIN | Flags::ACK, 101, next.0), b"last words"));
    lab.with_stack(|stack, now| stack.tcp_shutdown(now, socket));
    arrives(&mut lab, header(Flags::ACK, 112, next.0.wrapping_add(1)));
    assert_eq!(lab.events.last(), Some(&SocketEvent::Closed { socket, reason: Reason::Normal }));
    let read = |lab: &mut Lab| lab.with_stack(|stack, now| stack.tcp_read(now, socket, 4));
    let words: Vec<Bytes> = std::iter::from_fn(|| read(&mut lab)).collect();
    assert_eq!(words, ["last", " wor", "ds"]);
    assert_eq!(lab.stack.tcp_info(socket), None, "and then nothing is left of it");
    // The ports are free for others all the while.
    lab.sent.clear();
    open(&mut lab, 5_000);
}

#[test]
fn what_nobody_reads_of_a_connection_that_is_gone_goes_with_a_close() {
    let (mut lab, socket, next) = established();
    lab.arrives(with_data(header(Flags::FIN | Flags::ACK, 101, next.0), b"last words"));
    lab.with_stack(|stack, now| stack.tcp_shutdown(now, socket));
    arrives(&mut lab, header(Flags::ACK, 112, next.0.wrapping_add(1)));
    assert_eq!(lab.stack.tcp_info(socket).map(|info| info.state), Some(State::Closed));
    lab.with_stack(|stack, now| stack.tcp_close(now, socket));
    assert_eq!(lab.stack.tcp_info(socket), None);
}

#[test]
fn segments_that_are_handed_in_together_are_acknowledged_together() {
    let (mut lab, socket, next) = established();
    for i in 0..10 {
        let bytes = with_data(header(Flags::ACK, 101 + 5 * i, next.0), b"hello");
        lab.stack.handle(lab.now, Input::Frame { interface: 0, bytes, intact: false });
    }
    lab.with_stack(|_, _| ());
    assert_eq!(lab.segment().map(|segment| segment.header.ack), Some(SeqNumber(151)));
    assert_eq!(lab.segment(), None, "one ACK for all of them (MUST-58, MUST-59)");
    assert_eq!(lab.events, [SocketEvent::Readable(socket)]);
}

#[test]
fn nagle_and_the_user_timeout_are_set_for_one_socket() {
    let (mut lab, socket, next) = established();
    let write = |lab: &mut Lab| {
        lab.with_stack(|stack, now| stack.tcp_write(now, socket, Bytes::from_static(b"x"))).unwrap();
    };
    write(&mut lab);
    write(&mut lab);
    assert_eq!(lab.sent.len(), 1);
    lab.with_stack(|stack, now| stack.tcp_set_nodelay(now, socket, true));
    assert_eq!(lab.sent.len(), 2, "what was held back leaves");
    lab.with_stack(|stack, now| stack.tcp_set_user_timeout(now, socket, Some(Duration::from_secs(9))));
    lab.wait(Duration::from_secs(10));
    assert_eq!(lab.events.last(), Some(&SocketEvent::Closed { socket, reason: Reason::TimedOut }));
    // Another connection of the same host knows nothing of it.
    let (mut other, socket, _) = established();
    other.with_stack(|stack, now| stack.tcp_write(now, socket, Bytes::from_static(b"x"))).unwrap();
    other.wait(Duration::from_secs(3_600));
    let report = SocketEvent::Report { socket, report: Report::Retransmissions };
    assert!(other.events == [report] && next != SeqNumber(0));
}
