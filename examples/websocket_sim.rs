//! A WebSocket echo in the simulator: `cargo run --example websocket_sim`.
//!
//! One TCP connection, first spoken to in HTTP and then in frames (RFC 6455). The same machines run on real sockets in
//! `websocket_real.rs`: they know neither a clock nor a socket, so it makes no difference to them.

use std::net::SocketAddr;

use bytes::Bytes;
use netlayers::base::Instant;
use netlayers::sim::apps::websocket::{Client, EchoServer};
use netlayers::sim::scene::{Knobs, two_hosts};
use netlayers::trace::{Recorder, Wire};
use netlayers::view::look::Look;
use netlayers::view::{dissect, hexdump, ladder};

const PORT: u16 = 9003;

fn main() {
    let message = Bytes::from_static("hello, layers".as_bytes());
    let look = Look::default();
    let (mut network, client, server) =
        two_hosts(&Knobs::default(), Recorder::on("a WebSocket echo", Wire::Sim));
    let to = SocketAddr::new(network.stack(server).address(), PORT);
    let client = network.app(client, Client::new(to, message.clone()));
    let server = network.app(server, EchoServer::new(PORT));
    network.run_until(Instant::from_millis(300_000));

    assert_eq!(network.app_ref::<EchoServer>(server).received(), [&message], "it arrived");
    assert_eq!(network.app_ref::<Client>(client).received(), [&message], "it came back");
    let trace = network.into_trace();
    print!("{}", ladder::single(&trace, &look));

    // The first frame with the message in it: the client's, so masked (RFC 6455 §5.3), and not to be read by eye.
    let packets = dissect::dissect_trace(&trace);
    let masked = packets.iter().find(|p| p.packet.dissection.header("WebSocket").is_some());
    let masked = masked.expect("the message went out in a frame");
    assert!(!masked.bytes.windows(message.len()).any(|bytes| bytes == message), "masked is not readable");
    println!("\nframe {}, the message masked:", masked.packet.number);
    print!("{}", hexdump::hexdump(&masked.bytes, &masked.packet.dissection, &look));
}

// Try this:
// 1. Look at the bytes of the answer, too: it is not masked, and can be read. Why must only the client mask?
// 2. `Knobs { loss: 0.2, seed: 7, ..Knobs::default() }`: what does the WebSocket notice of a loss?
// 3. A message of 125, 126, 65 535 and 65 536 bytes: how long is the frame's header each time (RFC 6455 §5.2)?
// 4. Send bytes that are no UTF-8, such as `&[0xff; 13]`. Which opcode carries them, and why not as text?
// 5. `Knobs { mss: Some(100), ..Knobs::default() }`: where are the cuts of TCP, and who puts the message together?
