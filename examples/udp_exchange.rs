//! A question and an answer in UDP datagrams, one of which is lost: `cargo run --example udp_exchange`.
//!
//! UDP (RFC 768) adds ports and a checksum to IP, and nothing else. A program that needs an answer must notice
//! for itself that none came: here the client asks again after 300 ms.

use std::net::SocketAddr;

use bytes::Bytes;
use netlayers::base::{Duration, Instant};
use netlayers::layers::internet::prefix::v4;
use netlayers::sim::fault::{Verdict, nth};
use netlayers::sim::{App, Io, LinkConfig, Network, SocketEvent, SocketId, StackConfig};
use netlayers::trace::{Recorder, Wire};
use netlayers::view::ladder;
use netlayers::view::look::Look;

const SERVER: SocketAddr = SocketAddr::new(v4(10, 0, 0, 2), 7000);

/// Asks until it is answered.
#[derive(Default)]
struct Client {
    socket: Option<SocketId>,
    asked: u32,
    answer: Option<Bytes>,
}

impl App for Client {
    fn start(&mut self, io: &mut Io<'_>) {
        // Port 0: any free one. The server reads it in the datagram and answers there.
        self.socket = io.udp_bind(0).ok();
        self.wake(io);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        if let (Some(socket), None) = (self.socket, &self.answer) {
            self.asked += 1;
            io.udp_send(socket, SERVER, Bytes::from_static(b"what is 6 x 7?")).expect("the link has room");
            io.wake_at(io.now() + Duration::from_millis(300));
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Readable(socket) = event {
            self.answer = io.udp_recv(socket).map(|(_from, bytes)| bytes);
        }
    }
}

/// Answers every client, and remembers none: UDP has no connections.
struct Server;

impl App for Server {
    fn start(&mut self, io: &mut Io<'_>) {
        io.udp_bind(SERVER.port()).expect("the port is free");
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        let SocketEvent::Readable(socket) = event else { return };
        while let Some((from, _question)) = io.udp_recv(socket) {
            io.udp_send(socket, from, Bytes::from_static(b"42")).expect("the link has room");
        }
    }
}

fn main() {
    let mut network = Network::new(1, Recorder::on("a question by UDP", Wire::Sim));
    let client = network.host("client", "10.0.0.1/24", &StackConfig::default());
    let server = network.host("server", "10.0.0.2/24", &StackConfig::default());
    network.link(client, server, LinkConfig::default());
    // The server sends two kinds of frames here: first an ARP reply, which is no datagram, then answers.
    network.rule(server, client, nth("lose the answer", 1, |f| f.datagram().is_some(), Verdict::Drop));
    let asker = network.app(client, Client::default());
    network.app(server, Server);

    network.run_until(Instant::from_millis(5_000));
    let Client { asked, answer, .. } = network.app_ref::<Client>(asker);
    let (asked, answer) = (*asked, answer.clone());
    print!("{}", ladder::single(&network.into_trace(), &Look::default()));
    println!("\nasked {asked} times, and the answer is {answer:?}");
    // What is claimed of the run as it is. Change the run, and predict what becomes of the claim.
    assert_eq!((asked, answer), (2, Some(Bytes::from_static(b"42"))), "the second question was answered");
}

// Try this:
// 1. Lose the question instead: `network.rule(client, server, ..)`. Can the client tell the two cases apart?
// 2. Let the client wait 30 ms only. How many answers come, and what would a program do that took each for a new one?
// 3. Call `network.introduce_neighbours()` before the run: which frames are gone, and who needed them?
// 4. Send to port 7001. Who answers now, and with which protocol? (`SocketEvent::Unreachable` is how a program learns
//    it.)
// 5. Send 4000 bytes. How many frames is one datagram, and what is left of it when one of them is lost?
