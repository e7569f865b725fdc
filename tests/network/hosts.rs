//! Networks of more than two hosts: routers, small links in the middle, pings, and queues that overflow.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use netlayers::base::{Duration, Header, Instant, Layer, Reader};
use netlayers::layers::internet::icmp::{IcmpHeader, TimeExceeded, Unreachable};
use netlayers::layers::internet::ipv4::Ipv4Header;
use netlayers::layers::internet::prefix::{Prefix, v4};
use netlayers::layers::physical::delay::{Rate, serialization};
use netlayers::layers::stack::{SocketEvent, StackConfig};
use netlayers::layers::transport::tcp as tcp_layer;
use netlayers::sim::apps::{tcp, udp};
use netlayers::sim::fault::{self, Verdict};
use netlayers::sim::{App, AppId, HostId, Io, LinkConfig, Network};
use netlayers::trace::{Fate, FrameId, Kind, Recorder, Trace, Wire};
use netlayers::view::capture::Capture;
use netlayers::view::pcapng::{PcapngOptions, to_pcapng};

const CLIENT: IpAddr = v4(10, 0, 1, 1);
const ROUTER: IpAddr = v4(10, 0, 0, 254);
const SERVER: IpAddr = v4(10, 0, 2, 1);

/// A client, a router and a server in a row: the first link is a usual one, the second is `second`.
fn row(second: LinkConfig, config: &StackConfig) -> (Network, [HostId; 3]) {
    let mut network = Network::new(1, Recorder::on("row", Wire::Sim));
    let client = network.host("client", CLIENT, config);
    let router = network.host("router", ROUTER, &StackConfig::default());
    let server = network.host("server", SERVER, &StackConfig::default());
    network.link(client, router, LinkConfig::default());
    network.link(router, server, second);
    network.route(client, Prefix::ALL, router);
    network.route(server, Prefix::ALL, router);
    network.forward(router);
    (network, [client, router, server])
}

fn small(mtu: u16) -> LinkConfig {
    LinkConfig { mtu, ..LinkConfig::default() }
}

fn noise(len: usize) -> Bytes {
    (0..len).map(|i| (i * 31 % 251) as u8).collect()
}

fn send_by_tcp(network: &mut Network, from: HostId, to: HostId, message: &Bytes) -> (AppId, AppId) {
    let receiver = network.app(to, tcp::Receiver::new(80));
    let to = SocketAddr::new(network.stack(to).address(), 80);
    (network.app(from, tcp::Sender::new(to, message.clone())), receiver)
}

fn got(network: &Network, receiver: AppId) -> Vec<u8> {
    network.app_ref::<tcp::Receiver>(receiver).pieces().concat()
}

fn ended(network: &mut Network) {
    // Long in virtual time: with every third frame lost on each of four ways, timeouts grow to a minute.
    assert!(network.run_until(Instant::ZERO + Duration::from_secs(24 * 3600)), "it comes to rest");
}

/// The IPv4 packets that a host sent, ARP left out.
fn packets(trace: &Trace, from: HostId) -> Vec<(Ipv4Header, Vec<u8>)> {
    let frames = trace.frames().filter(|(_, place, ..)| *place == from.place());
    frames
        .filter(|(.., bytes)| bytes[12..14] == [8, 0])
        .map(|(.., bytes)| {
            let mut r = Reader::new(Layer::Internet, "IPv4", &bytes[14..]);
            let header = Ipv4Header::parse(&mut r).unwrap();
            (header, bytes[14..][header.payload_range(0)].to_vec())
        })
        .collect()
}

fn errors(trace: &Trace, from: HostId) -> Vec<IcmpHeader> {
    packets(trace, from)
        .iter()
        .filter(|(header, _)| header.protocol == 1)
        .map(|(_, payload)| IcmpHeader::parse(&mut Reader::new(Layer::Internet, "ICMP", payload)).unwrap())
        .filter(IcmpHeader::is_error)
        .collect()
}

/// Pings every second, `count` times.
struct Ping {
    to: IpAddr,
    len: usize,
    count: u16,
    sent: u16,
    replies: Vec<u16>,
}

impl Ping {
    fn new(to: IpAddr, len: usize, count: u16) -> Self {
        Ping { to, len, count, sent: 0, replies: Vec::new() }
    }

    fn read(&mut self, io: &mut Io<'_>) {
        while let Some((from, _, sequence)) = io.stack().pong() {
            assert_eq!(from, self.to);
            self.replies.push(sequence);
        }
    }
}

impl App for Ping {
    fn start(&mut self, io: &mut Io<'_>) {
        self.wake(io);
    }

    fn handle(&mut self, _event: SocketEvent, _io: &mut Io<'_>) {}

    fn wake(&mut self, io: &mut Io<'_>) {
        self.read(io);
        let (now, sequence) = (io.now(), self.sent);
        if self.sent < self.count {
            self.sent += 1;
            io.stack().ping(now, self.to, 1, sequence, noise(self.len)).unwrap();
        }
        if usize::from(self.sent) < usize::from(self.count) || now < Instant::from_millis(10_000) {
            io.wake_at(now + Duration::from_secs(1));
        }
    }
}

#[test]
fn a_ping_crosses_a_router_with_cold_caches_and_each_hop_takes_one_off_its_life() {
    let (mut network, [client, router, server]) = row(LinkConfig::default(), &StackConfig::default());
    let ping = network.app(client, Ping::new(SERVER, 56, 3));
    ended(&mut network);
    assert_eq!(network.app_ref::<Ping>(ping).replies, [0, 1, 2]);
    let trace = network.into_trace();
    assert!(packets(&trace, client).iter().all(|(header, _)| header.ttl == 64));
    assert!(packets(&trace, router).iter().all(|(header, _)| header.ttl == 63));
    assert_eq!(packets(&trace, router).len(), 6);
    // Each of the three asks once, and two of them answer for each link: four ARP frames on two links.
    assert_eq!(trace.frames().filter(|(.., bytes)| bytes[12..14] == [8, 6]).count(), 4);
    assert_eq!(packets(&trace, server).len(), 3);
}

#[test]
fn a_packet_that_runs_out_of_life_is_reported_by_the_router_where_it_did() {
    let config = StackConfig { ttl: 1, ..StackConfig::default() };
    let (mut network, [client, router, server]) = row(LinkConfig::default(), &config);
    let to = SocketAddr::new(SERVER, 9);
    network.app(client, udp::Sender::new(to, Bytes::from_static(b"far"), 100));
    ended(&mut network);
    let trace = network.into_trace();
    assert_eq!(errors(&trace, router), [IcmpHeader::TimeExceeded(TimeExceeded::Ttl)]);
    assert!(packets(&trace, server).is_empty());
    let told = "ICMP about 10.0.2.1:9: TTL exceeded in transit";
    assert_eq!(trace.count(|kind| matches!(kind, Kind::Note { text } if text == told)), 1);
}

#[test]
fn a_datagram_is_cut_where_the_small_link_begins_and_joined_at_its_end() {
    let (mut network, [client, router, server]) = row(small(576), &StackConfig::default());
    let receiver = network.app(server, udp::Receiver::new(9));
    let message = noise(4_000);
    // 4000 bytes in one datagram: three packets on the first link, and each of them is cut again for the second.
    network.app(client, udp::Sender::new(SocketAddr::new(SERVER, 9), message.clone(), 4_000));
    ended(&mut network);
    assert_eq!(network.app_ref::<udp::Receiver>(receiver).datagrams(), [message]);
    let trace = network.into_trace();
    assert_eq!(packets(&trace, client).len(), 3);
    let cut = packets(&trace, router);
    assert!(cut.iter().all(|(header, _)| header.is_fragment() && header.total_len <= 576));
    assert_eq!(cut.iter().map(|(_, payload)| payload.len()).sum::<usize>(), 4_008);
}

#[test]
fn one_lost_fragment_loses_the_datagram_and_its_sender_learns_it_after_a_minute() {
    let (mut network, [client, router, server]) = row(small(576), &StackConfig::default());
    let receiver = network.app(server, udp::Receiver::new(9));
    network.app(client, udp::Sender::new(SocketAddr::new(SERVER, 9), noise(1_400), 1_400));
    // The first frame there is the router's ARP question.
    network.rule(router, server, fault::nth("the second fragment", 3, |_| true, Verdict::Drop));
    ended(&mut network);
    assert!(network.app_ref::<udp::Receiver>(receiver).datagrams().is_empty());
    let trace = network.into_trace();
    assert_eq!(errors(&trace, server), [IcmpHeader::TimeExceeded(TimeExceeded::Reassembly)]);
    assert!(trace.end() > Instant::from_millis(60_000));
}

#[test]
fn tcp_finds_out_the_size_that_the_path_takes() {
    // The server says 1460 by its MSS only if its own link carries that, so the small link lies between two routers.
    let mut network = Network::new(1, Recorder::on("path", Wire::Sim));
    let config = StackConfig::default();
    let names = ["client", "near", "far", "server"];
    let addresses = [CLIENT, ROUTER, v4(10, 0, 0, 253), SERVER];
    let hosts: Vec<_> = (0..4).map(|i| network.host(names[i], addresses[i], &config)).collect();
    for (i, mtu) in [1500, 600, 1500].into_iter().enumerate() {
        network.link(hosts[i], hosts[i + 1], small(mtu));
    }
    network.route(hosts[0], Prefix::ALL, hosts[1]);
    network.route(hosts[1], Prefix::host(SERVER), hosts[2]);
    network.route(hosts[2], Prefix::host(CLIENT), hosts[1]);
    network.route(hosts[3], Prefix::ALL, hosts[2]);
    network.forward(hosts[1]);
    network.forward(hosts[2]);
    let message = noise(100_000);
    let (_, receiver) = send_by_tcp(&mut network, hosts[0], hosts[3], &message);
    ended(&mut network);
    assert_eq!(got(&network, receiver), message);
    let trace = network.into_trace();
    let needed = IcmpHeader::Unreachable(Unreachable::FragmentationNeeded { next_hop_mtu: 600 });
    let told = errors(&trace, hosts[1]);
    assert!(!told.is_empty() && told.iter().all(|error| *error == needed), "{told:?}");
    // Nothing of TCP was ever fragmented, and after the news nothing too large was sent.
    assert!(packets(&trace, hosts[1]).iter().all(|(header, _)| !header.is_fragment()));
    let sizes: Vec<_> = packets(&trace, hosts[0]).iter().map(|(header, _)| header.total_len).collect();
    let last_large = sizes.iter().rposition(|len| *len > 600).unwrap();
    assert_eq!(sizes.iter().filter(|len| **len > 600).count(), told.len());
    assert!(last_large < sizes.len() / 2, "{last_large} of {}", sizes.len());
}

#[test]
fn a_stream_survives_the_loss_of_every_kth_frame_each_way_over_two_links() {
    // Not every second one: at a timeout of a minute, which is as long as an ARP entry lives, each try is a question and
    // then the packet, and a drop that counts in twos always hits the packet.
    for k in 3..9 {
        let (mut network, [client, router, server]) = row(LinkConfig::default(), &StackConfig::default());
        network.introduce_neighbours();
        for (from, to) in [(client, router), (router, server), (server, router), (router, client)] {
            let mut seen = 0;
            network.rule(
                from,
                to,
                fault::rule(format!("every frame number {k}"), move |_, _| {
                    seen += 1;
                    if seen % k == 0 { Verdict::Drop } else { Verdict::Pass }
                }),
            );
        }
        let message = noise(20_000);
        let (sender, receiver) = send_by_tcp(&mut network, client, server, &message);
        ended(&mut network);
        assert_eq!(got(&network, receiver), message, "every frame number {k}");
        assert!(network.app_ref::<tcp::Sender>(sender).ended().is_some());
    }
}

#[test]
fn a_router_with_a_slow_link_behind_it_drops_what_its_queue_cannot_hold() {
    let slow = LinkConfig { rate: Some(Rate::mbit(1)), queue: 5, ..LinkConfig::default() };
    let (mut network, [client, router, server]) = row(slow, &StackConfig::default());
    network.introduce_neighbours();
    let udp_receiver = network.app(server, udp::Receiver::new(9));
    network.app(client, udp::Sender::new(SocketAddr::new(SERVER, 9), noise(100_000), 1_000));
    let message = noise(200_000);
    let (_, receiver) = send_by_tcp(&mut network, client, server, &message);
    ended(&mut network);
    // TCP makes good what the queue threw away, and UDP does not.
    assert_eq!(got(&network, receiver), message);
    let arrived = network.app_ref::<udp::Receiver>(udp_receiver).datagrams().len();
    assert!((6..100).contains(&arrived), "{arrived} of 100 datagrams");
    let sent = network.frames();
    let trace = network.into_trace();
    assert!(trace.turned_away() > 100 - arrived, "{} frames", trace.turned_away());
    assert_eq!(trace.frames().count() as u64, sent);
    never_left(&trace, &[router]);
}

/// What a full queue dropped was never on the wire: it was dropped at one of `hosts`, where its queue is, and
/// nothing else is known of it. And all that was recorded was recorded in the order of time.
fn never_left(trace: &Trace, hosts: &[HostId]) {
    assert!(trace.events.is_sorted_by_key(|event| event.at), "recorded in the order of time");
    let sent: BTreeSet<FrameId> = trace.frames().map(|(_, _, _, frame, _)| frame).collect();
    let mut turned_away = BTreeSet::new();
    for event in &trace.events {
        if let Kind::Dropped { frame, by } = &event.kind {
            assert_eq!(by == "queue full", !sent.contains(frame), "{frame:?} was dropped by {by}");
            if by == "queue full" {
                assert!(hosts.iter().any(|host| host.place() == event.place), "where it would have left");
                turned_away.insert(*frame);
            }
        }
    }
    let known = trace.fates();
    for frame in &turned_away {
        let expected = Fate { dropped_by: Some("queue full"), ..Fate::default() };
        assert_eq!(known[frame], expected);
    }
    assert!(
        trace.count(|kind| matches!(kind, Kind::Queued { frame, .. } if turned_away.contains(frame))) == 0
    );
    let file = to_pcapng(&[trace], PcapngOptions::default());
    let captured = Capture::open(&file[..]).expect("a capture of our own").count();
    assert_eq!(captured, sent.len(), "a capture has what was sent, and nothing else");
}

#[test]
fn a_frame_leaves_when_those_before_it_have_left_and_the_trace_says_so() {
    for (rate, queue, loss) in [(1, 0, 0.0), (1, 3, 0.0), (2, 20, 0.1), (10, 60, 0.0), (10, 60, 0.2)] {
        let rate = Rate::mbit(rate);
        let mut network = Network::new(queue as u64, Recorder::on("full", Wire::Sim));
        let (client, server) = (
            network.host("client", CLIENT, &StackConfig::default()),
            network.host("server", SERVER, &StackConfig::default()),
        );
        network.link(
            client,
            server,
            LinkConfig { rate: Some(rate), queue, mtu: 300, ..LinkConfig::default() },
        );
        network.introduce_neighbours();
        network.rule(client, server, fault::loss(loss));
        network.app(client, udp::Sender::new(SocketAddr::new(SERVER, 9), noise(100_000), 250));
        let message = noise(50_000);
        let (_, receiver) = send_by_tcp(&mut network, client, server, &message);
        ended(&mut network);
        assert_eq!(got(&network, receiver), message);
        let (sent, now) = (network.frames(), network.now());
        let trace = network.into_trace();
        assert_eq!(trace.frames().count() as u64, sent);
        assert!(trace.turned_away() > 10, "{} frames did not fit {queue}", trace.turned_away());
        assert!(trace.end() <= now);
        never_left(&trace, &[client, server]);
        // No two frames are on the wire of one direction at once, and none is sent again and again by its queue.
        let mut free = [Instant::ZERO; 2];
        for (at, from, _, _, bytes) in trace.frames() {
            let free = &mut free[usize::from(from.0)];
            assert!(at >= *free, "a frame leaves at {at}, and the one before it takes until {free}");
            *free = at + serialization(bytes.len(), rate);
        }
        // What waits is said to wait, and leaves later than that.
        let mut waiting = BTreeMap::new();
        for event in &trace.events {
            match event.kind {
                Kind::Queued { frame, .. } => assert_eq!(waiting.insert(frame, event.at), None),
                Kind::Sent { frame, .. } => {
                    let queued = waiting.remove(&frame);
                    assert!(queued.is_none_or(|queued| queued < event.at), "{frame:?}");
                }
                _ => {}
            }
        }
        assert_eq!(waiting, BTreeMap::new(), "all that waited has left");
    }
}

#[test]
fn a_router_with_many_links_has_another_address_on_each() {
    let mut network = Network::new(1, Recorder::off(Wire::Sim));
    let config = StackConfig::default();
    let router = network.host("router", ROUTER, &config);
    let mut addresses = Vec::new();
    for i in 0..40 {
        let host = network.host(&format!("h{i}"), v4(10, 1, 0, i), &config);
        network.link(router, host, LinkConfig::default());
        addresses.push(network.stack(router).mac(usize::from(i)));
        addresses.push(network.stack(host).mac(0));
    }
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 80);
}

/// A black hole (RFC 2923 §2.1): the router's ICMP errors are filtered out on their way. The transfer ends nevertheless,
/// and the next one does not fall into it.
#[test]
fn a_transfer_through_a_router_that_says_nothing_ends_and_the_next_one_knows_its_path() {
    let message = noise(300_000);
    let mut network = Network::new(1, Recorder::on("narrow in the middle", Wire::Sim));
    let probing = tcp_layer::Config { mtu_probing: true, ..tcp_layer::Config::default() };
    let config = StackConfig { tcp: probing, ..StackConfig::default() };
    let client = network.host("client", CLIENT, &config);
    let [router, beyond] = [("near", ROUTER), ("far", v4(10, 0, 0, 253))].map(|(name, address)| {
        let router = network.host(name, address, &config);
        network.forward(router);
        router
    });
    let server = network.host("server", SERVER, &config);
    // Both ends have a usual link, so neither announces small segments.
    network.link(client, router, LinkConfig::default());
    network.link(router, beyond, small(1280));
    network.link(beyond, server, LinkConfig::default());
    network.route(client, Prefix::ALL, router);
    network.route(router, Prefix::host(SERVER), beyond);
    network.route(beyond, Prefix::host(CLIENT), router);
    network.route(server, Prefix::ALL, beyond);
    network.rule(
        router,
        client,
        fault::rule("filters ICMP", |frame, _| {
            let is_icmp = frame.bytes.get(12..14) == Some(&[8, 0]) && frame.bytes.get(23) == Some(&1);
            if is_icmp { Verdict::Drop } else { Verdict::Pass }
        }),
    );
    let (_, first) = send_by_tcp(&mut network, client, server, &message);
    // Five minutes later.
    let (second, later) =
        (network.app(server, tcp::Receiver::new(81)), Instant::ZERO + Duration::from_secs(300));
    network.app(client, tcp::Source::new(SocketAddr::new(SERVER, 81), 300_000, later));
    network.wait_until(later);
    assert_eq!(got(&network, first), message);
    let told = |network: &Network| errors(network.trace(), router).len();
    let (seen, before) = (packets(network.trace(), client).len(), told(&network));
    assert!(before > 0, "it did say something");
    ended(&mut network);
    assert_eq!(got(&network, second).len(), 300_000);
    let sizes = packets(network.trace(), client).into_iter().skip(seen).map(|(header, _)| header.total_len);
    let full = sizes.max().unwrap();
    assert!((1_024..=1_280).contains(&full), "{full}");
    assert_eq!(told(&network), before, "nothing was too large any more");
}
