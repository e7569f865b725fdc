//! What a connection costs that says nothing: memory of the server's process. And how long it takes to let a crowd in.

use std::time::{Duration, Instant};

use super::load::Load;
use super::servers::{Peer, Server};

const CLIENTS: usize = 5000;

pub fn measure(peers: &[Peer]) {
    println!("{CLIENTS} idle connections, each in a room: KiB of the server's memory for each, resident and");
    println!(
        "private (not shared with any other process); and {CLIENTS} that come all at once: until the last is in\n"
    );
    println!("{:<28}{:>10}{:>10}{:>14}", "", "resident", "private", "all at once");
    for peer in peers {
        let Some(server) = Server::start(*peer) else {
            println!("{:<28}{:>10}", peer.name, "not measured: needs Node and `sh tests/peers/install.sh`");
            continue;
        };
        // What the program takes once, it takes with the first.
        let first = Load::connect(server.port, peer.dialect, 1, 1);
        std::thread::sleep(Duration::from_millis(300));
        let before = server.memory();
        let clients = Load::connect(server.port, peer.dialect, CLIENTS, 128);
        std::thread::sleep(Duration::from_secs(2));
        let after = server.memory();
        drop((server, first, clients));

        let Some(server) = Server::start(*peer) else { continue };
        let begun = Instant::now();
        let _clients = Load::connect(server.port, peer.dialect, CLIENTS, CLIENTS);
        let storm = begun.elapsed();
        let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / 1024.0 / CLIENTS as f64;
        println!(
            "{:<28}{:>10.1}{:>10.1}{:>14}",
            peer.name,
            each(before.0, after.0),
            each(before.1, after.1),
            format!("{} ms", storm.as_millis()),
        );
        drop(server);
    }
}
