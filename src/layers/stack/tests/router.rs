//! A host that passes packets on (RFC 1812): lifetimes, sizes and dead ends.

use super::*;
use crate::layers::internet::icmp::{TimeExceeded, Unreachable};

/// [`B`] is a router between the link of [`A`] and another with a smaller MTU, on which [`FAR`] is known.
fn router() -> Lab {
    let mut lab = Lab::new();
    let second = lab.stack.add_interface(MacAddr::local(200), 576);
    lab.stack.add_route(Prefix::new(FAR.into(), 24), second, None);
    lab.stack.learn_neighbour(lab.now, second, FAR.into(), mac(FAR));
    lab.stack.set_forwarding(true);
    lab
}

#[test]
fn a_packet_is_passed_on_with_one_less_to_live_and_a_right_checksum() {
    let mut lab = router();
    let (ip, payload) = udp(A, FAR, 9, b"hello");
    lab.arrives(frame(&Ipv4Header { ttl: 2, identification: 77, ..ip }, &payload));
    let sent = lab.sent.pop_front().unwrap();
    assert_eq!((&sent[..6], &sent[6..12]), (&mac(FAR).0[..], &MacAddr::local(200).0[..]));
    let (passed, bytes) = read_packet(&sent).unwrap();
    assert_eq!(passed, Ipv4Header { ttl: 1, identification: 77, ..ip });
    assert_eq!(bytes, payload);
}

#[test]
fn a_packet_whose_life_is_over_is_reported_to_its_sender() {
    let mut lab = router();
    let (ip, payload) = udp(A, FAR, 9, b"hello");
    lab.arrives(frame(&Ipv4Header { ttl: 1, ..ip }, &payload));
    let error = lab.icmp().unwrap();
    assert_eq!(error.header, IcmpHeader::TimeExceeded(TimeExceeded::Ttl));
    assert_eq!(error.payload[20..], payload[..]);
    assert_eq!(lab.discarded, ["TTL reached 0"]);
    // For the router itself, a packet with its last breath is good.
    let (ip, payload) = icmp(A, IcmpHeader::EchoRequest { identifier: 1, sequence: 1 }, b"");
    lab.arrives(frame(&Ipv4Header { ttl: 1, ..ip }, &payload));
    assert!(matches!(lab.icmp().unwrap().header, IcmpHeader::EchoReply { .. }));
}

#[test]
fn a_packet_too_large_is_cut_or_with_df_refused_with_the_size_that_fits() {
    let mut lab = router();
    let (ip, payload) = udp(A, FAR, 9, &[7; 1000]);
    lab.arrives(frame(&ip, &payload));
    let cut: Vec<_> = std::iter::from_fn(|| lab.packet()).collect();
    assert_eq!(cut.iter().map(|(header, _)| header.total_len).collect::<Vec<_>>(), [572, 476]);
    assert!(cut.iter().all(|(header, _)| header.ttl == 63 && header.source == A));
    lab.arrives(frame(&Ipv4Header { dont_fragment: true, ..ip }, &payload));
    let needed = Unreachable::FragmentationNeeded { next_hop_mtu: 576 };
    assert_eq!(lab.icmp().unwrap().header, IcmpHeader::Unreachable(needed));
}

#[test]
fn where_no_route_leads_the_net_is_unreachable() {
    let mut lab = router();
    let (ip, payload) = udp(A, Ipv4Addr::new(203, 0, 113, 1), 9, b"x");
    lab.arrives(frame(&ip, &payload));
    assert_eq!(lab.icmp().unwrap().header, IcmpHeader::Unreachable(Unreachable::Net));
}

#[test]
fn a_host_that_does_not_answer_the_router_is_unreachable() {
    let mut lab = router();
    let (ip, payload) = udp(A, Ipv4Addr::new(192, 0, 2, 77), 9, b"x");
    lab.arrives(frame(&ip, &payload));
    lab.wait(Duration::from_secs(5));
    assert_eq!(lab.icmp().unwrap().header, IcmpHeader::Unreachable(Unreachable::Host));
}

#[test]
fn what_is_for_all_or_for_a_group_is_never_passed_on() {
    let mut lab = router();
    lab.stack.add_route(Prefix::ALL, 1, Some(FAR.into()));
    for destination in [Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        let (ip, payload) = udp(A, destination, 9, b"x");
        lab.arrives(frame(&ip, &payload));
    }
    assert!(lab.sent.is_empty());
}
