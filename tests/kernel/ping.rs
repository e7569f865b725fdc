//! ARP and ICMP with the kernel: the first frames that two stacks exchange.

use std::io::Read as _;
use std::net::SocketAddr;
use std::time::Duration as StdDuration;

use bytes::Bytes;
use netlayers::base::Writer;
use netlayers::layers::internet::icmp::{IcmpHeader, IcmpMessage};
use netlayers::sim::{App, Io, SocketEvent};
use netlayers::trace::Kind;
use socket2::{Domain, Protocol, Socket, Type};

use crate::wire::{KERNELS, Link, OURS, modern, near};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "ping::the_kernel_finds_us_by_arp_and_we_answer_its_ping",
        the_kernel_finds_us_by_arp_and_we_answer_its_ping,
    ),
    (
        "ping::we_find_the_kernel_by_arp_and_it_answers_our_ping",
        we_find_the_kernel_by_arp_and_it_answers_our_ping,
    ),
];

const PAYLOAD: &[u8] = b"is anybody there?";

fn the_kernel_finds_us_by_arp_and_we_answer_its_ping() {
    let mut link = Link::new(modern(), near(), 0.0);
    let reply = link.run(|| {
        let socket =
            Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).expect("root in our namespace");
        socket.set_read_timeout(Some(StdDuration::from_secs(60))).unwrap();
        let request = IcmpMessage {
            header: IcmpHeader::EchoRequest { identifier: 7, sequence: 3 },
            payload: Bytes::from_static(PAYLOAD),
        };
        let mut writer = Writer::new();
        request.emit(&mut writer);
        socket.send_to(writer.as_slice(), &SocketAddr::new(OURS, 0).into()).unwrap();
        let mut room = [0; 2048];
        let len = (&socket).read(&mut room).expect("our host answers");
        room[..len].to_vec()
    });
    // A raw socket gives the packet, with its header of 20 bytes.
    let got = IcmpMessage::parse(&Bytes::from(reply[20..].to_vec()), 0).unwrap();
    assert_eq!(got.header, IcmpHeader::EchoReply { identifier: 7, sequence: 3 });
    assert_eq!(got.payload, PAYLOAD);
    // The kernel's question and our answer, its ping and ours: four frames, and no other was sent by either end.
    assert_eq!(link.open.network.trace().frames().count(), 4);
}

fn we_find_the_kernel_by_arp_and_it_answers_our_ping() {
    struct Ping;
    impl App for Ping {
        fn start(&mut self, io: &mut Io<'_>) {
            let now = io.now();
            io.stack().ping(now, KERNELS, 1, 9, Bytes::from_static(PAYLOAD)).unwrap();
        }
        fn handle(&mut self, _: SocketEvent, _: &mut Io<'_>) {}
    }
    let mut link = Link::new(modern(), near(), 0.0);
    let host = link.host;
    let ping = link.open.network.app(host, Ping);
    // The kernel answers by itself: its programs have only to wait.
    link.run(|| std::thread::sleep(StdDuration::from_millis(500)));
    let pong = link.open.network.call(ping, |_: &mut Ping, io| io.stack().pong());
    assert_eq!(pong, Some((KERNELS, 1, 9)));
    let trace = link.open.network.trace();
    assert_eq!(trace.count(|kind| matches!(kind, Kind::Discarded { .. })), 0);
}
