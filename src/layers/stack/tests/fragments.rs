//! Fragments in the joined stack: cut where they leave, joined where they arrive, and reported when one is missing.

use super::*;
use crate::layers::internet::fragment::split;
use crate::layers::internet::icmp::{TimeExceeded, Unreachable};

/// A datagram from [`A`] to a port of [`B`] in fragments for an MTU of 500 bytes.
fn pieces(port: u16, len: usize) -> Vec<Bytes> {
    let (header, payload) = udp(A, B, port, &vec![7; len]);
    let header = Ipv4Header { identification: 99, ..header };
    split(&header, &payload, 500).unwrap().map(|(header, piece)| frame(&header, &piece)).collect()
}

#[test]
fn a_datagram_in_fragments_arrives_whole_in_any_order() {
    let mut lab = Lab::new();
    let socket = lab.with_stack(|stack, _| stack.udp_bind(5000)).unwrap();
    let mut pieces = pieces(5000, 1200);
    assert_eq!(pieces.len(), 3);
    pieces.rotate_left(1);
    for piece in pieces {
        lab.arrives(piece);
    }
    let (from, bytes) = lab.stack.udp_recv(socket).unwrap();
    assert_eq!((from, bytes.len()), (at(A, 4000), 1200));
}

#[test]
fn a_large_datagram_leaves_in_fragments_that_fit() {
    let mut lab = Lab::with(B, 576, &StackConfig::default());
    lab.introduce();
    let socket = lab.with_stack(|stack, _| stack.udp_bind(5000)).unwrap();
    let message = Bytes::from(vec![1; 1500]);
    lab.with_stack(|stack, now| stack.udp_send(now, socket, at(A, 9), message)).unwrap();
    let sent: Vec<_> = std::iter::from_fn(|| lab.packet()).collect();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|(header, _)| header.total_len <= 576 && !header.dont_fragment));
    assert!(sent.iter().all(|(header, _)| header.identification == sent[0].0.identification));
    assert_eq!(sent.iter().map(|(_, piece)| piece.len()).sum::<usize>(), 1508);
}

#[test]
fn an_error_about_a_joined_datagram_quotes_its_ports() {
    let mut lab = Lab::new();
    for piece in pieces(9, 1200) {
        lab.arrives(piece);
    }
    let error = lab.icmp().unwrap();
    assert_eq!(error.header, IcmpHeader::Unreachable(Unreachable::Port));
    let mut r = Reader::new(Layer::Internet, "IPv4", &error.payload);
    let quoted = Ipv4Header::parse_quoted(&mut r).unwrap();
    assert_eq!((quoted.total_len, quoted.is_fragment(), quoted.identification), (1228, false, 99));
    assert_eq!((r.u16("source port").unwrap(), r.u16("destination port").unwrap()), (4000, 9));
}

#[test]
fn a_missing_fragment_is_reported_after_a_minute_if_the_first_one_came() {
    for (missing, told) in [(1, true), (0, false)] {
        let mut lab = Lab::new();
        let mut pieces = pieces(5000, 1200);
        pieces.remove(missing);
        for piece in pieces {
            lab.arrives(piece);
        }
        lab.wait(Duration::from_secs(59));
        assert!(lab.sent.is_empty());
        lab.wait(Duration::from_secs(2));
        let error = lab.icmp().map(|error| error.header);
        assert_eq!(error, told.then_some(IcmpHeader::TimeExceeded(TimeExceeded::Reassembly)));
        assert_eq!(lab.notes, ["fragments from 10.0.0.1 did not all come in time"]);
    }
}

#[test]
fn no_one_is_told_of_missing_fragments_that_were_sent_to_all() {
    let mut lab = Lab::new();
    let (header, payload) = udp(A, Ipv4Addr::BROADCAST, 5000, &[7; 1200]);
    let (first, piece) = split(&header, &payload, 500).unwrap().next().unwrap();
    lab.arrives(frame_to(MacAddr::BROADCAST, &first, &piece));
    lab.wait(Duration::from_secs(70));
    assert!(lab.sent.is_empty());
}
