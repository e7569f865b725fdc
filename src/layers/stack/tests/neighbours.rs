//! ARP in the joined stack: questions before packets, and what becomes of packets whose address does not resolve.

use super::*;
use crate::layers::link::arp::{ArpPacket, Operation};

fn read_arp(frame: &Bytes) -> (MacAddr, ArpPacket) {
    let mut r = Reader::new(Layer::Link, "Ethernet", frame);
    let ethernet = EthernetHeader::parse(&mut r).unwrap();
    assert_eq!(ethernet.ethertype, EtherType::ARP);
    (ethernet.destination, ArpPacket::parse(&mut r.enter(Layer::Link, "ARP")).unwrap())
}

fn arp_frame(destination: MacAddr, packet: &ArpPacket) -> Bytes {
    let mut w = Writer::new();
    EthernetHeader { destination, source: packet.sender_mac, ethertype: EtherType::ARP }.emit(&mut w);
    packet.emit(&mut w);
    ethernet::pad_to_minimum(&mut w, 0);
    w.finish()
}

#[test]
fn a_packet_waits_until_its_neighbour_has_answered() {
    let mut lab = Lab::with(B, 1500, &StackConfig::default());
    lab.with_stack(|stack, now| stack.ping(now, A.into(), 1, 1, Bytes::new())).unwrap();
    let (to, question) = read_arp(&lab.sent.pop_front().unwrap());
    assert!(to.is_broadcast() && question.target_ip == A && lab.sent.is_empty());
    lab.arrives(arp_frame(mac(B), &question.reply(mac(A))));
    let sent = lab.sent.pop_front().unwrap();
    assert_eq!(sent[..6], mac(A).0);
    assert_eq!(read_packet(&sent).unwrap().0.protocol, protocol::ICMP);
}

#[test]
fn a_question_about_this_host_is_answered_to_the_asker_alone() {
    let mut lab = Lab::with(B, 1500, &StackConfig::default());
    lab.arrives(arp_frame(MacAddr::BROADCAST, &ArpPacket::request(mac(A), A, B)));
    let (to, answer) = read_arp(&lab.sent.pop_front().unwrap());
    assert_eq!((to, answer.operation, answer.sender_mac), (mac(A), Operation::Reply, mac(B)));
    // The asker is known from then on.
    lab.with_stack(|stack, now| stack.ping(now, A.into(), 1, 1, Bytes::new())).unwrap();
    assert!(read_packet(&lab.sent.pop_front().unwrap()).is_some());
}

#[test]
fn a_datagram_to_a_host_that_is_not_there_is_reported_after_three_questions() {
    let mut lab = Lab::with(B, 1500, &StackConfig { trace: true, ..StackConfig::default() });
    let socket = lab.with_stack(|stack, _| stack.udp_bind(5000)).unwrap();
    let to = at(OUTSIDER, 9);
    lab.with_stack(|stack, now| stack.udp_send(now, socket, to, Bytes::from_static(b"x"))).unwrap();
    lab.wait(Duration::from_secs(10));
    assert_eq!(lab.sent.len(), 3, "questions only");
    assert_eq!(lab.notes, ["no answer for 10.0.0.99: 1 packets given up"]);
    let error = IcmpHeader::Unreachable(crate::layers::internet::icmp::Unreachable::Host);
    assert_eq!(lab.events, [SocketEvent::Unreachable { socket, to, error }]);
}

#[test]
fn a_connection_to_a_host_that_is_not_there_ends_as_unreachable_and_not_as_timed_out() {
    let tcp =
        tcp_layer::Config { user_timeout: Some(Duration::from_secs(20)), ..tcp_layer::Config::default() };
    let mut lab = Lab::with(B, 1500, &StackConfig { tcp, ..StackConfig::default() });
    let socket = lab.with_stack(|stack, now| stack.tcp_connect(now, at(OUTSIDER, 80))).unwrap();
    lab.wait(Duration::from_secs(30));
    let reason = tcp_layer::Reason::Unreachable;
    let report = tcp_layer::Report::Icmp(tcp_layer::IcmpError::Soft);
    assert_eq!(lab.events.first(), Some(&SocketEvent::Report { socket, report }));
    assert_eq!(lab.events.last(), Some(&SocketEvent::Closed { socket, reason }));
}

#[test]
fn a_frame_for_another_station_is_discarded() {
    let mut lab = Lab::new();
    let (header, payload) = udp(A, B, 7, b"x");
    lab.arrives(frame_to(MacAddr::local(77), &header, &payload));
    assert!(lab.discarded[0].contains("the frame is for"), "{:?}", lab.discarded);
    assert!(lab.sent.is_empty());
}
