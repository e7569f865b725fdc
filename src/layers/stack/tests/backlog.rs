//! A listener whose backlog is full: it drops SYNs, or answers with cookies.

use super::*;
use crate::layers::transport::tcp::{Config, SynCookies};

/// A host at [`B`] whose program listens, and which holds two half-open connections.
fn flooded(syn_cookies: SynCookies) -> Lab {
    let tcp = Config { backlog: 2, syn_cookies, ..Config::bare() };
    let mut lab = Lab::with(B, 1500, &StackConfig { trace: true, tcp, ..StackConfig::default() });
    lab.introduce();
    lab.with_stack(|stack, _| stack.tcp_listen(80)).unwrap();
    for port in [1, 2] {
        lab.sends(TcpHeader { source_port: port, ..header(Flags::SYN, 100, 0) });
        assert!(lab.segment().is_some_and(|answer| answer.header.flags == Flags::SYN | Flags::ACK));
    }
    lab
}

impl Lab {
    /// A segment comes from [`A`].
    fn sends(&mut self, header: TcpHeader) {
        let (ip, payload) = tcp(B, header);
        self.arrives(frame(&ip, &payload));
    }
}

#[test]
fn without_cookies_a_full_backlog_drops_a_syn_and_says_why() {
    let mut lab = flooded(SynCookies::Off);
    lab.sends(header(Flags::SYN, 100, 0));
    assert_eq!(lab.segment(), None);
    assert_eq!(lab.discarded, ["2 connections to port 80 are half open already"]);
    // A guess is a stray.
    lab.sends(header(Flags::ACK, 101, 9));
    assert!(lab.segment().is_some_and(|answer| answer.header.flags == Flags::RST));
}

#[test]
fn with_cookies_a_full_backlog_serves_who_answers_and_keeps_nothing_of_others() {
    let mut lab = flooded(SynCookies::On);
    for port in 1000..1500 {
        lab.sends(TcpHeader { source_port: port, ..header(Flags::SYN, 100, 0) });
        assert!(lab.segment().is_some_and(|answer| answer.header.flags == Flags::SYN | Flags::ACK));
    }
    lab.sends(header(Flags::SYN, 100, 0));
    let cookie = lab.segment().unwrap().header.seq;
    lab.wait(Duration::from_millis(900));
    assert_eq!(lab.segment(), None, "nobody remembers what could be sent again");
    // A wrong one first: refused, and nothing is spoilt by it.
    lab.sends(header(Flags::ACK, 101, (cookie + 2).0));
    assert!(lab.segment().is_some_and(|answer| answer.header.flags == Flags::RST));
    assert_eq!(lab.events, []);
    lab.sends(header(Flags::ACK, 101, (cookie + 1).0));
    let [SocketEvent::Accepted { socket, .. }] = lab.events[..] else { panic!("{:?}", lab.events) };
    assert_eq!(lab.stack.tcp_info(socket).unwrap().state, tcp_layer::State::Established);
    lab.with_stack(|stack, now| stack.tcp_write(now, socket, Bytes::from_static(b"hello"))).unwrap();
    let data = lab.segment().unwrap();
    assert_eq!((data.header.seq, &data.payload[..]), (cookie + 1, &b"hello"[..]));
    // The half-open ones were not touched, and there is room again when one of them is gone.
    lab.sends(TcpHeader { source_port: 1, ..header(Flags::RST, 101, 0) });
    lab.sends(TcpHeader { source_port: 3, ..header(Flags::SYN, 100, 0) });
    lab.sent.clear();
    lab.wait(Duration::from_secs(1));
    let again: Vec<u16> =
        std::iter::from_fn(|| lab.segment()).map(|answer| answer.header.destination_port).collect();
    assert!(again.contains(&3), "it is remembered: its SYN ACK goes again, {again:?}");
}

#[test]
fn a_listener_that_always_bakes_holds_nothing_half_open() {
    let mut lab = flooded(SynCookies::Always);
    lab.wait(Duration::from_secs(10));
    assert_eq!(lab.segment(), None);
    // Four minutes later what was baked is stale.
    lab.sends(header(Flags::SYN, 100, 0));
    let cookie = lab.segment().unwrap().header.seq;
    lab.wait(Duration::from_secs(260));
    lab.sends(header(Flags::ACK, 101, (cookie + 1).0));
    assert!(lab.segment().is_some_and(|answer| answer.header.flags == Flags::RST));
    assert_eq!(lab.events, []);
}
