//! How networks may be joined: links side by side, hosts with several addresses, subnets with a gateway, and devices
//! that are no hosts.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use netlayers::base::{Header, Instant, Layer, Reader};
use netlayers::layers::internet::icmp::{IcmpHeader, TimeExceeded};
use netlayers::layers::internet::ipv4::Ipv4Header;
use netlayers::layers::internet::prefix::v4;
use netlayers::layers::internet::source_route::SourceRoute;
use netlayers::layers::link::arp::{ArpPacket, Operation};
use netlayers::sim::apps::{tcp, udp};
use netlayers::sim::device::Repeater;
use netlayers::sim::{
    App, AppId, HostId, Io, LinkConfig, Network, SendError, SocketEvent, SocketId, StackConfig, fault,
};
use netlayers::trace::{Kind, LinkId, PlaceId, Recorder, Trace, Wire};
use netlayers::view::dissect::dissect_trace;

fn network() -> Network {
    Network::new(1, Recorder::on("topology", Wire::Sim))
}

fn host(network: &mut Network, name: &str, address: &str) -> HostId {
    network.host(name, address, &StackConfig::default())
}

fn noise(len: usize) -> Bytes {
    (0..len).map(|i| (i * 31 % 251) as u8).collect()
}

fn played(mut network: Network) -> Trace {
    assert!(network.run_until(Instant::from_millis(600_000)), "it comes to rest");
    network.into_trace()
}

/// The IPv4 packets that were sent: where, by which link, from and to which addresses, with which protocol.
fn packets(trace: &Trace) -> Vec<(PlaceId, LinkId, IpAddr, IpAddr, u8)> {
    let frames = trace.events.iter().filter_map(|event| match &event.kind {
        Kind::Sent { link, bytes, .. } if bytes[12..14] == [8, 0] => Some((event.place, *link, bytes)),
        _ => None,
    });
    let read = |(place, link, bytes): (PlaceId, LinkId, &Bytes)| {
        let header = Ipv4Header::parse(&mut Reader::new(Layer::Internet, "IPv4", &bytes[14..])).unwrap();
        (place, link, header.source.into(), header.destination.into(), header.protocol)
    };
    frames.map(read).collect()
}

/// The addresses that hosts asked for by ARP: who asked for which.
fn asked(trace: &Trace) -> BTreeSet<(PlaceId, IpAddr)> {
    let frames = trace.frames().filter(|(.., bytes)| bytes[12..14] == [8, 6]);
    let read = |(_, from, _, _, bytes): (Instant, PlaceId, PlaceId, _, &Bytes)| {
        (from, ArpPacket::parse(&mut Reader::new(Layer::Link, "ARP", &bytes[14..])).unwrap())
    };
    let packets = frames.map(read).filter(|(_, packet)| packet.operation == Operation::Request);
    packets.map(|(from, packet)| (from, packet.target_ip.into())).collect()
}

/// A program that sends one datagram to each of some ends, and keeps where answers come from.
#[derive(Default)]
struct Asker {
    ends: Vec<SocketAddr>,
    refused: Vec<SendError>,
    answers: Vec<SocketAddr>,
}

impl App for Asker {
    fn start(&mut self, io: &mut Io<'_>) {
        let socket = io.udp_bind(0).unwrap();
        for to in self.ends.clone() {
            self.refused.extend(io.udp_send(socket, to, Bytes::from_static(b"?")).err());
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        while let Some((from, _)) = io.udp_recv(event.socket()) {
            self.answers.push(from);
        }
    }
}

/// Answers every datagram.
struct Answerer;

impl App for Answerer {
    fn start(&mut self, io: &mut Io<'_>) {
        io.udp_bind(9).unwrap();
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        while let Some((from, question)) = io.udp_recv(event.socket()) {
            io.udp_send(event.socket(), from, question).unwrap();
        }
    }
}

fn ask(network: &mut Network, host: HostId, ends: &[IpAddr]) -> AppId {
    let ends = ends.iter().map(|ip| SocketAddr::new(*ip, 9)).collect();
    network.app(host, Asker { ends, ..Asker::default() })
}

#[test]
fn two_links_between_the_same_hosts_are_two_ways() {
    let mut network = network();
    let (a, b) = (host(&mut network, "a", "10.0.1.1/24"), host(&mut network, "b", "10.0.1.2/24"));
    let first = network.link(a, b, LinkConfig::default());
    let second = network.link((a, "10.0.2.1/24"), (b, "10.0.2.2/24"), LinkConfig::default());
    assert_ne!(first, second);
    let asker = ask(&mut network, a, &[v4(10, 0, 1, 2), v4(10, 0, 2, 2)]);
    network.app(b, Answerer);
    // What one way loses, the other does not.
    network.app(b, tcp::Receiver::new(80));
    network.rule_on(
        second,
        a,
        fault::nth("loses the SYN", 1, |frame| frame.segment().is_some(), fault::Verdict::Drop),
    );
    for to in [v4(10, 0, 1, 2), v4(10, 0, 2, 2)] {
        network.app(a, tcp::Sender::new(SocketAddr::new(to, 80), noise(5_000)));
    }
    assert!(network.run_until(Instant::from_millis(600_000)));
    let answers = network.app_ref::<Asker>(asker).answers.clone();
    assert_eq!(answers, [SocketAddr::new(v4(10, 0, 1, 2), 9), SocketAddr::new(v4(10, 0, 2, 2), 9)]);
    let trace = network.into_trace();
    for (place, link, source, destination, _) in packets(&trace) {
        let (here, there) = if place == a.place() { (1, 2) } else { (2, 1) };
        let net = if link == first { 1 } else { 2 };
        assert_eq!((source, destination), (v4(10, 0, net, here), v4(10, 0, net, there)));
    }
    let again: Vec<_> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Retransmitted { flow, .. } => Some(flow.remote().ip()),
            _ => None,
        })
        .collect();
    assert_eq!(again, [v4(10, 0, 2, 2)], "only the second link lost a segment");
}

#[test]
fn one_of_two_cables_can_be_pulled_and_each_link_has_chances_of_its_own() {
    let mut network = network();
    let (a, b) = (host(&mut network, "a", "10.0.1.1/24"), host(&mut network, "b", "10.0.1.2/24"));
    let first = network.link(a, b, LinkConfig::default());
    let second = network.link((a, "10.0.2.1/24"), (b, "10.0.2.2/24"), LinkConfig::default());
    network.introduce_neighbours();
    for link in [first, second] {
        network.rule_on(link, a, fault::loss(0.5));
    }
    let ends = [v4(10, 0, 1, 2), v4(10, 0, 2, 2)].repeat(100);
    ask(&mut network, a, &ends);
    network.app(b, udp::Receiver::new(9));
    network.plug_link(first, false);
    let trace = played(network);
    let lost =
        |wanted: &str| trace.count(|kind| matches!(kind, Kind::Dropped { by, .. } if by.contains(wanted)));
    assert_eq!(lost("cable pulled"), 100);
    assert!((30..70).contains(&lost("loss")), "{}", lost("loss"));
    // The same seed for both cables whole: the two lose other frames.
    let fates = |pulled: bool| {
        let mut network = Network::new(1, Recorder::on("", Wire::Sim));
        let (a, b) = (host(&mut network, "a", "10.0.1.1/24"), host(&mut network, "b", "10.0.1.2/24"));
        let links = [
            network.link(a, b, LinkConfig::default()),
            network.link((a, "10.0.2.1/24"), (b, "10.0.2.2/24"), LinkConfig::default()),
        ];
        network.introduce_neighbours();
        network.rule_on(links[usize::from(pulled)], a, fault::loss(0.5));
        ask(&mut network, a, &[if pulled { v4(10, 0, 2, 2) } else { v4(10, 0, 1, 2) }].repeat(100));
        let trace = played(network);
        trace.fates().into_values().take(100).map(|fate| fate.dropped_by.is_some()).collect::<Vec<_>>()
    };
    assert_ne!(fates(false), fates(true));
}

#[test]
fn a_host_with_two_addresses_answers_from_the_one_that_was_asked() {
    let mut network = network();
    let (a, b) = (host(&mut network, "a", "10.0.0.1/24"), host(&mut network, "b", "10.0.0.2/24"));
    network.link(a, b, LinkConfig::default());
    network.address(a, 0, "192.168.7.1/24");
    network.address(b, 0, "192.168.7.2/24");
    network.address(b, 0, "10.0.0.3/24");
    let ends = [v4(10, 0, 0, 2), v4(192, 168, 7, 2), v4(10, 0, 0, 3)];
    let asker = ask(&mut network, a, &ends);
    network.app(b, Answerer);
    let receiver = network.app(b, tcp::Receiver::new(80));
    for to in ends {
        network.app(a, tcp::Sender::new(SocketAddr::new(to, 80), noise(100)));
    }
    assert_eq!(network.stack(b).addresses().count(), 3);
    assert!(network.run_until(Instant::from_millis(600_000)));
    let got: usize = network.app_ref::<tcp::Receiver>(receiver).pieces().iter().map(Bytes::len).sum();
    assert_eq!(got, 300, "three connections to one port");
    assert_eq!(network.app_ref::<Asker>(asker).answers.len(), 3);
    let trace = network.into_trace();
    assert_eq!(trace.places[1].addresses, [v4(10, 0, 0, 2), v4(192, 168, 7, 2), v4(10, 0, 0, 3)]);
    // The source is in the subnet of the destination (RFC 1122 §3.3.4.3).
    let subnet = |ip: IpAddr| ip.to_string().split('.').next().map(str::to_owned);
    assert!(
        packets(&trace).iter().all(|(_, _, source, destination, _)| subnet(*source) == subnet(*destination))
    );
    assert_eq!(asked(&trace).iter().filter(|(who, _)| *who == a.place()).count(), 3);
}

/// Two hosts and a router on a hub, and a server on the router's other link.
fn office() -> (Network, [HostId; 4]) {
    let mut network = network();
    let (anna, bert) = (host(&mut network, "anna", "10.0.1.1/24"), host(&mut network, "bert", "10.0.1.2/24"));
    let hub = network.device("hub", Repeater::default());
    let router = network.router("router", &StackConfig::default());
    let server = host(&mut network, "server", "10.0.2.1/24");
    network.link(anna, hub, LinkConfig::default());
    network.link(bert, hub, LinkConfig::default());
    network.link(hub, (router, "10.0.1.254/24"), LinkConfig::default());
    network.link((router, "10.0.2.254/24"), server, LinkConfig::default());
    network.gateway(anna, "10.0.1.254");
    network.gateway(server, "10.0.2.254");
    (network, [anna, bert, router, server])
}

#[test]
fn a_neighbour_is_asked_for_itself_and_all_others_are_reached_by_the_gateway() {
    let (mut network, [anna, bert, router, server]) = office();
    let asker = ask(&mut network, anna, &[v4(10, 0, 1, 2), v4(10, 0, 2, 1)]);
    network.app(bert, Answerer);
    network.app(server, Answerer);
    let receiver = network.app(server, tcp::Receiver::new(80));
    network.app(anna, tcp::Sender::new(SocketAddr::new(v4(10, 0, 2, 1), 80), noise(50_000)));
    // Bert was told of no gateway.
    let stuck = ask(&mut network, bert, &[v4(10, 0, 2, 1)]);
    assert!(network.run_until(Instant::from_millis(600_000)));
    assert_eq!(network.app_ref::<Asker>(asker).answers.len(), 2);
    assert_eq!(network.app_ref::<Asker>(stuck).refused, [SendError::NoRoute]);
    assert_eq!(network.app_ref::<tcp::Receiver>(receiver).pieces().concat(), noise(50_000));
    let trace = network.into_trace();
    let expected = [
        (anna, v4(10, 0, 1, 2)),
        (anna, v4(10, 0, 1, 254)),
        (router, v4(10, 0, 1, 1)),
        (router, v4(10, 0, 2, 1)),
        (server, v4(10, 0, 2, 254)),
    ];
    let mut questions = asked(&trace);
    questions.retain(|(who, _)| trace.name(*who) != "hub");
    for question in questions.clone() {
        assert!(expected.iter().any(|(who, ip)| (who.place(), *ip) == question), "{question:?}");
    }
    assert!(questions.contains(&(anna.place(), v4(10, 0, 1, 254))));
    assert!(!questions.contains(&(anna.place(), v4(10, 0, 2, 1))));
    // A hub tells everybody everything: Bert hears what is for the router, and looks away.
    let overheard = trace.events.iter().filter(|event| event.place == bert.place());
    let refused = overheard.filter(
        |event| matches!(&event.kind, Kind::Discarded { why, .. } if why.contains("the frame is for")),
    );
    assert!(refused.count() > 40);
}

#[test]
fn neighbours_behind_a_device_know_each_other_once_they_are_introduced() {
    let (mut network, [anna, bert, ..]) = office();
    network.introduce_neighbours();
    let asker = ask(&mut network, anna, &[v4(10, 0, 1, 2), v4(10, 0, 2, 1)]);
    network.app(bert, Answerer);
    assert!(network.run_until(Instant::from_millis(600_000)));
    assert_eq!(network.app_ref::<Asker>(asker).answers.len(), 1);
    assert_eq!(asked(network.trace()), BTreeSet::new());
}

#[test]
fn a_router_reports_from_the_address_on_the_link_of_the_one_it_reports_to() {
    let (mut network, [_, bert, router, _]) = office();
    network.gateway(bert, "10.0.1.254");
    // A packet that may live for one hop more.
    let short = StackConfig { ttl: 1, ..StackConfig::default() };
    let carl = network.host("carl", "10.0.3.1/24", &short);
    network.link((router, "10.0.3.254/24"), carl, LinkConfig::default());
    network.gateway(carl, "10.0.3.254");
    ask(&mut network, carl, &[v4(10, 0, 2, 1)]);
    let trace = played(network);
    let reports: Vec<_> = trace
        .frames()
        .filter(|(_, from, _, _, bytes)| *from == router.place() && bytes[12..14] == [8, 0] && bytes[23] == 1)
        .map(|(.., bytes)| {
            let mut r = Reader::new(Layer::Internet, "IPv4", &bytes[14..]);
            let ip = Ipv4Header::parse(&mut r).unwrap();
            (IpAddr::from(ip.source), IcmpHeader::parse(&mut r).unwrap())
        })
        .collect();
    assert_eq!(reports, [(v4(10, 0, 3, 254), IcmpHeader::TimeExceeded(TimeExceeded::Ttl))]);
}

#[test]
fn a_broadcast_to_a_subnet_reaches_all_on_it_and_is_not_passed_on() {
    let (mut network, [anna, bert, _, server]) = office();
    ask(&mut network, anna, &[v4(10, 0, 1, 255)]);
    let heard = network.app(bert, udp::Receiver::new(9));
    let beyond = network.app(server, udp::Receiver::new(9));
    assert!(network.run_until(Instant::from_millis(600_000)));
    assert_eq!(network.app_ref::<udp::Receiver>(heard).datagrams().len(), 1);
    assert_eq!(network.app_ref::<udp::Receiver>(beyond).datagrams().len(), 0);
    assert_eq!(asked(network.trace()), BTreeSet::new());
}

/// Opens a connection, and keeps what came of it.
struct Opener(SocketAddr, Option<Result<SocketId, SendError>>);

impl App for Opener {
    fn start(&mut self, io: &mut Io<'_>) {
        self.1 = Some(io.tcp_connect(self.0));
    }

    fn handle(&mut self, _: SocketEvent, _: &mut Io<'_>) {}
}

#[test]
fn an_interface_may_have_an_address_of_ipv6_which_nothing_is_sent_to_yet() {
    let mut network = network();
    let (a, b) = (host(&mut network, "a", "10.0.0.1/24"), host(&mut network, "b", "10.0.0.2/24"));
    network.link(a, b, LinkConfig::default());
    network.address(a, 0, "2001:db8::1/64");
    network.address(b, 0, "2001:db8::2/64");
    let to: IpAddr = "2001:db8::2".parse().unwrap();
    let six = network.app(a, Opener(SocketAddr::new(to, 80), None));
    let all = network.app(a, Opener(SocketAddr::new(v4(10, 0, 0, 255), 80), None));
    assert!(network.run_until(Instant::from_millis(1_000)));
    assert_eq!(network.app_ref::<Opener>(six).1, Some(Err(SendError::NoRoute)));
    assert_eq!(network.app_ref::<Opener>(all).1, Some(Err(SendError::NotOneHost)));
    assert_eq!(network.frames(), 0);
    assert_eq!(network.trace().places[1].addresses, [v4(10, 0, 0, 2), to]);
}

/// Opens a connection through a router, says something and closes.
struct Detour {
    via: SourceRoute,
    to: SocketAddr,
}

impl App for Detour {
    fn start(&mut self, io: &mut Io<'_>) {
        io.tcp_connect_via(self.via.clone(), self.to).unwrap();
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Connected(socket) = event {
            io.tcp_write(socket, &Bytes::from_static(b"the long way")).unwrap();
            io.tcp_close(socket);
        }
    }
}

#[test]
fn a_source_route_leads_a_connection_through_the_routers_it_names_and_back() {
    // By the tables the way from a to b is over `near`; `far` is beside it.
    let mut network = network();
    let (a, b) = (host(&mut network, "a", "10.0.1.1/24"), host(&mut network, "b", "10.0.4.1/24"));
    let near = network.router("near", &StackConfig::default());
    let far = network.router("far", &StackConfig::default());
    network.link(a, (near, "10.0.1.254/24"), LinkConfig::default());
    network.link(b, (near, "10.0.4.254/24"), LinkConfig::default());
    network.link((near, "10.0.2.1/24"), (far, "10.0.2.2/24"), LinkConfig::default());
    network.gateway(a, v4(10, 0, 1, 254));
    network.gateway(b, v4(10, 0, 4, 254));
    network.gateway(far, v4(10, 0, 2, 1));
    network.introduce_neighbours();
    let via = SourceRoute::through(&[[10, 0, 2, 2].into()]).unwrap();
    network.app(a, Detour { via, to: SocketAddr::new(v4(10, 0, 4, 1), 80) });
    let receiver = network.app(b, tcp::Receiver::new(80));
    assert!(network.run_until(Instant::from_millis(600_000)), "it comes to rest");
    assert_eq!(network.app_ref::<tcp::Receiver>(receiver).bytes(), 12);
    let trace = network.into_trace();
    let sent = |place: HostId| packets(&trace).iter().filter(|(at, ..)| *at == place.place()).count();
    // Each packet of either host passes `far` once.
    assert!(sent(a) > 3 && sent(b) > 2);
    assert_eq!(sent(far), sent(a) + sent(b));
    // An observer on the way takes no checksum for wrong.
    let problems = dissect_trace(&trace).into_iter().flat_map(|seen| seen.packet.dissection.problems);
    assert_eq!(problems.collect::<Vec<_>>(), []);
}
