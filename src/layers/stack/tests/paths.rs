//! Path MTUs: what one connection finds out, the others know.

use super::*;
use crate::layers::internet::icmp::Unreachable;
use crate::layers::transport::tcp::{Config, Options, TcpOption};

/// A host at [`B`] that looks for black holes, and the server beyond a router at [`A`].
fn lab() -> Lab {
    let tcp = Config { mtu_probing: true, ..Config::bare() };
    let mut lab = Lab::with(B, 1500, &StackConfig { trace: true, tcp, ..StackConfig::default() });
    lab.introduce();
    lab.stack.add_route(Prefix::ALL, 0, Some(A.into()));
    lab
}

impl Lab {
    /// Connects to port 80 of [`FAR`]: the socket and the SYN.
    fn opens(&mut self) -> (SocketId, TcpHeader) {
        let socket = self.with_stack(|stack, now| stack.tcp_connect(now, at(FAR, 80))).unwrap();
        let syn = self.segment().unwrap().header;
        let mut options = Options::none();
        options.push(TcpOption::MaximumSegmentSize(1460));
        let header = TcpHeader { options, ..header(Flags::SYN | Flags::ACK, 500, (syn.seq + 1).0) };
        self.far_sends(&syn, header);
        assert!(self.segment().is_some_and(|ack| ack.header.flags == Flags::ACK));
        (socket, syn)
    }

    /// A segment of the server comes, in the connection of that SYN.
    fn far_sends(&mut self, syn: &TcpHeader, header: TcpHeader) {
        let header = TcpHeader { source_port: 80, destination_port: syn.source_port, ..header };
        let mut w = Writer::new();
        Segment { header, payload: Bytes::new() }.emit(FAR.into(), B.into(), &mut w);
        let payload = w.finish();
        self.arrives(frame(&Ipv4Header::new(FAR, B, protocol::TCP, payload.len()), &payload));
    }

    /// Writes more than a segment: how large the first packet is, and what a router would quote of it.
    fn writes(&mut self, socket: SocketId) -> (u16, Bytes) {
        let data = Bytes::from(vec![7; 3000]);
        self.with_stack(|stack, now| stack.tcp_write(now, socket, data)).unwrap();
        let first = self.sent[0].clone();
        self.sent.clear();
        let (header, _) = read_packet(&first).unwrap();
        (header.total_len, first.slice(ethernet::HEADER_LEN..ethernet::HEADER_LEN + 28))
    }

    fn too_big(&mut self, quote: &[u8], next_hop_mtu: u16) {
        let error = IcmpHeader::Unreachable(Unreachable::FragmentationNeeded { next_hop_mtu });
        let (ip, payload) = icmp(A, error, quote);
        self.arrives(frame(&ip, &payload));
    }

    fn mss(&self, socket: SocketId) -> usize {
        self.stack.tcp_info(socket).unwrap().mss
    }
}

#[test]
fn what_a_router_said_to_one_connection_holds_for_all_and_for_ten_minutes() {
    let mut lab = lab();
    let (first, _) = lab.opens();
    let (other, _) = lab.opens();
    let (size, quote) = lab.writes(first);
    assert_eq!(size, 1500);
    lab.too_big(&quote, 1280);
    assert_eq!((lab.mss(first), lab.mss(other)), (1240, 1240), "also one that has sent nothing yet");
    lab.sent.clear();
    // A new one begins with it, and announces nevertheless what it can take in.
    let (second, syn) = lab.opens();
    assert_eq!(syn.options.mss(), Some(1460));
    assert_eq!(lab.writes(second).0, 1280);
    // Another destination is another path.
    let near = lab.with_stack(|stack, now| stack.tcp_connect(now, at(A, 80))).unwrap();
    assert_eq!(lab.mss(near), 1460);
    lab.sent.clear();
    lab.wait(Duration::from_secs(599));
    lab.sent.clear();
    let (third, _) = lab.opens();
    assert_eq!(lab.writes(third).0, 1280);
    lab.wait(Duration::from_secs(1));
    lab.sent.clear();
    let (fourth, _) = lab.opens();
    assert_eq!(lab.writes(fourth).0, 1500, "the path may have changed");
}

#[test]
fn a_black_hole_that_one_connection_found_the_next_one_does_not_fall_into() {
    let mut lab = lab();
    let (first, syn) = lab.opens();
    assert_eq!(lab.writes(first).0, 1500);
    // 1, 2 and 4 seconds: the third timeout is R1.
    lab.wait(Duration::from_secs(7));
    let again = std::iter::from_fn(|| lab.packet()).map(|(header, _)| header.total_len).collect::<Vec<_>>();
    assert_eq!((again.first(), again.last()), (Some(&1500), Some(&1024)));
    // It may still be an outage: no other connection learns of it.
    let (early, _) = lab.opens();
    assert_eq!(lab.mss(early), 1460);
    // The smaller segment is acknowledged.
    lab.far_sends(&syn, header(Flags::ACK, 501, (syn.seq + 1 + 984).0));
    assert_eq!((lab.mss(first), lab.mss(early)), (984, 984));
    lab.sent.clear();
    let (second, _) = lab.opens();
    assert_eq!(lab.writes(second).0, 1024);
    assert!(lab.notes.iter().any(|note| note.contains("a black hole?")), "{:?}", lab.notes);
}

#[test]
fn an_error_about_a_datagram_tells_of_the_path_too() {
    let mut lab = lab();
    let socket = lab.with_stack(|stack, _| stack.udp_bind(5000)).unwrap();
    lab.with_stack(|stack, _| stack.udp_set_dont_fragment(socket, true));
    let send = |lab: &mut Lab, len: usize| {
        let data = Bytes::from(vec![7; len]);
        lab.with_stack(|stack, now| stack.udp_send(now, socket, at(FAR, 9), data)).unwrap();
        lab.sent.pop_back()
    };
    let sent = send(&mut lab, 1472).unwrap();
    lab.too_big(&sent.slice(ethernet::HEADER_LEN..ethernet::HEADER_LEN + 28), 1400);
    // What may not be cut and does not fit is not even sent; what fits, is.
    assert_eq!(send(&mut lab, 1373), None);
    assert!(lab.notes[0].contains("not sent: the path takes 1400"), "{:?}", lab.notes);
    assert!(send(&mut lab, 1372).is_some());
    let (tcp, _) = lab.opens();
    assert_eq!(lab.mss(tcp), 1360);
    // A quote of what no socket sent is not believed.
    let (stranger, payload) = udp(B, FAR, 9, b"x");
    let mut w = Writer::new();
    stranger.emit(&mut w);
    w.bytes(&payload);
    lab.too_big(&w.finish(), 500);
    let (tcp, _) = lab.opens();
    assert_eq!(lab.mss(tcp), 1360);
}
