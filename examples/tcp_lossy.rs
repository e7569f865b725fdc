//! TCP over a link that loses one segment: `cargo run --example tcp_lossy`.
//!
//! With a bare TCP, nothing but the sender's timer repairs it (RFC 6298). What comes after the gap is kept by the receiver and
//! acknowledged with the number of the byte it still waits for (RFC 9293 §3.10.7.4); when the gap is filled, all of it
//! is delivered at once.

use std::net::SocketAddr;

use bytes::Bytes;
use netlayers::base::Instant;
use netlayers::sim::apps::tcp::{Receiver, Sender};
use netlayers::sim::fault::{Verdict, nth};
use netlayers::sim::scene::{Knobs, two_hosts};
use netlayers::trace::{Kind, Recorder, Wire};
use netlayers::view::ladder;
use netlayers::view::look::Look;

const PORT: u16 = 9002;

fn main() {
    // Five segments of 1000 bytes, over a link of 10 Mbit/s with 20 ms each way.
    let message: Bytes = (0..5000u32).map(|i| b"abcdefghij"[i as usize / 1000 % 10]).collect();
    let knobs = Knobs { mss: Some(1000), ..Knobs::bare() };
    let (mut network, client, server) = two_hosts(&knobs, Recorder::on("TCP, one segment lost", Wire::Sim));

    // The one fault rule.
    let third = nth("lose the third", 3, |frame| frame.tcp_payload() > 0, Verdict::Drop);
    network.rule(client, server, third);

    let to = SocketAddr::new(network.stack(server).address(), PORT);
    network.app(client, Sender::new(to, message.clone()));
    let receiver = network.app(server, Receiver::new(PORT));
    network.run_until(Instant::from_millis(300_000));

    // The program above TCP sees nothing of it but a pause.
    let pieces = network.app_ref::<Receiver>(receiver).pieces().to_vec();
    let trace = network.into_trace();
    assert_eq!(pieces.concat(), message, "every byte, in order");
    let again = trace.count(|kind| matches!(kind, Kind::Retransmitted { .. }));

    print!("{}", ladder::single(&trace, &Look::default()));
    println!("\nthe server read {} bytes in these pieces:", message.len());
    for piece in &pieces {
        println!("  {:5} bytes from {:?}", piece.len(), char::from(piece[0]));
    }
    println!("sent again: {again}");
    for event in &trace.events {
        if let Kind::Retransmitted { why, .. } = &event.kind {
            println!("  at {}: {why}", event.at);
        }
    }
}

// Try this:
// 1. Lose the first segment instead, or the last one. Does the pause get longer? Why not?
// 2. Lose the third ACK instead: `network.rule(server, client, ..)`. Nothing is sent again: which ACK made up for it?
// 3. Lose data for five seconds: `fault::rule("an outage", |frame, _| ..)`, where `frame.tcp_payload() > 0` and
//    `frame.at < Instant::from_millis(5_000)` mean `Verdict::Drop`. How does the timeout grow (RFC 6298 §5.5)?
// 4. Lose the SYN, the first frame of all. How long is the timeout when no round trip was measured yet (§2.1)?
// 5. Use `Knobs::default()`, a TCP as hosts have it. Who finds the loss now, and how long is the pause?
// 6. Use `Verdict::Delay(Duration::from_millis(5))` in place of `Drop`. Which bytes wait, and is anything sent again?
