//! What a server has of its memory after a flood: clients have it send them much, read none of it, and go.
//!
//! What they were sent is in its log, of which the newest 48 MiB stay in memory for half a minute: what it has after
//! that is the log's no more. What was freed goes back to the system every half a minute.
//!
//! `cargo bench --bench soak -- flood --readers 200 --megabytes 2`

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use super::report::Asked;
use super::server::EventServer;

pub(crate) fn run(asked: &Asked) -> Result<(), String> {
    let server = EventServer::start(asked)?;
    let mib = || server.resident_mib().ok_or("this system does not tell how much memory a process has");
    let before = mib()?;
    let mut highest = before;
    let mut readers = Vec::new();
    for _ in 0..asked.readers {
        let reader = flooded(server.address(), asked.megabytes).map_err(|error| error.to_string())?;
        readers.push(reader);
        highest = highest.max(mib()?);
    }
    highest = highest.max(mib()?);
    println!("{} readers, each owed {} MB that it does not read", readers.len(), asked.megabytes);
    println!("the server's memory: {before:.0} MiB before, {highest:.0} at most");
    drop(readers);
    let mut waited = 0;
    for seconds in [1, 5, 40, 90] {
        std::thread::sleep(Duration::from_secs(seconds - waited));
        waited = seconds;
        println!("{seconds:>2} s after they have gone: {:.0} MiB", mib()?);
    }
    Ok(())
}

/// A client that asks for so much and takes as little as it can.
fn flooded(address: SocketAddr, megabytes: u64) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    SockRef::from(&stream).set_recv_buffer_size(4096)?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
          Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    stream.write_all(&frame(b"40"))?;
    let said = frame(format!(r#"42["message","{}"]"#, "x".repeat(250_000)).as_bytes());
    for _ in 0..megabytes * 4 {
        stream.write_all(&said)?;
    }
    Ok(stream)
}

/// A text frame masked with zeros, which leave it as it is (RFC 6455 §5.3).
fn frame(text: &[u8]) -> Vec<u8> {
    let length = match text.len() {
        short @ 0..=125 => vec![0x80 | short as u8],
        middle @ 126..=0xffff => [&[0x80 | 126][..], &(middle as u16).to_be_bytes()].concat(),
        long => [&[0x80 | 127][..], &(long as u64).to_be_bytes()].concat(),
    };
    [&[0x81][..], &length, &[0; 4], text].concat()
}
