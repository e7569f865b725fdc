//! A client that was away comes back: from its CONNECT to the last of the events it missed, over a real socket.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::load::{frame, split_frame, upgrade_request};
use super::servers::{Server, data_directory};

const MISSED: usize = 10_000;

pub fn measure() {
    println!(
        "a client missed {MISSED} events of 100 bytes and comes back: from CONNECT to the last (median of 5)\n"
    );
    println!("{:<28}{:>12}", "ours, in memory", times(None));
    println!("{:<28}{:>12}", "ours, durable", times(Some(false)));
    println!("{:<28}{:>12}", "after kill -9, from disk", times(Some(true)));
}

/// The median time; with a log on disk, and with a server that was ended in between.
fn times(disk: Option<bool>) -> String {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let data = disk.map(|_| data_directory());
            let time = once(data.as_deref(), disk == Some(true));
            data.iter().for_each(|data| drop(std::fs::remove_dir_all(data)));
            time
        })
        .collect();
    times.sort_unstable();
    format!("{:.1} ms", times[2].as_secs_f64() * 1e3)
}

fn once(data: Option<&std::path::Path>, with_crash: bool) -> Duration {
    let mut server = Server::ours(data);
    let mut away = Client::enter(server.port, "40");
    let mut sender = Client::enter(server.port, "40");
    sender.say(0);
    let pid = away.pid.clone();
    let offset = away.event(0);
    drop(away);
    std::thread::sleep(Duration::from_millis(50));
    for batch in 0..MISSED / 100 {
        (0..100).for_each(|i| sender.say(1 + batch * 100 + i));
        (0..100).for_each(|_| sender.acknowledged());
    }
    if with_crash {
        server.kill();
        server = Server::ours(data);
    }
    let mut back = Client::open(server.port);
    let begun = Instant::now();
    back.send(&format!("40{{\"pid\":\"{pid}\",\"offset\":\"{offset}\"}}"));
    let hello = back.message();
    assert!(hello.starts_with("40") && hello.contains(&pid), "recovered: {hello}");
    (0..MISSED).for_each(|number| drop(back.event(1 + number)));
    begun.elapsed()
}

/// A client of the plainest kind: it waits for what it expects.
struct Client {
    stream: TcpStream,
    rest: Vec<u8>,
    waiting: VecDeque<String>,
    pid: String,
}

impl Client {
    fn open(port: u16) -> Client {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it accepts");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        stream
            .write_all(upgrade_request("/socket.io/?EIO=4&transport=websocket").as_bytes())
            .expect("it goes out");
        let mut rest = Vec::new();
        let mut byte = [0];
        while !rest.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).expect("an answer");
            rest.push(byte[0]);
        }
        rest.clear();
        let mut client = Client { stream, rest, waiting: VecDeque::new(), pid: String::new() };
        assert!(client.message().starts_with('0'));
        client
    }

    fn enter(port: u16, connect: &str) -> Client {
        let mut client = Client::open(port);
        client.send(connect);
        let hello = client.message();
        let (_, pid) = hello.split_once("\"pid\":\"").expect("recovery is on");
        client.pid = pid.split('"').next().unwrap_or_default().to_owned();
        client.send("420[\"join\",\"room\"]");
        client.acknowledged();
        client
    }

    fn send(&mut self, text: &str) {
        let mut bytes = Vec::new();
        frame(text, [0x37, 0xfa, 0x21, 0x3d], &mut bytes);
        self.stream.write_all(&bytes).expect("it reads");
    }

    fn say(&mut self, number: usize) {
        self.send(&format!("42{number}[\"say\",\"room\",\"#{number:08}{:x<91}\"]", ""));
    }

    fn message(&mut self) -> String {
        let mut room = [0; 1 << 16];
        while self.waiting.is_empty() {
            let len = self.stream.read(&mut room).expect("something comes");
            assert!(len > 0, "the server closed");
            self.rest.extend_from_slice(&room[..len]);
            let mut bytes = &self.rest[..];
            while let Some((payload, rest)) = split_frame(bytes) {
                self.waiting.push_back(String::from_utf8_lossy(payload).into_owned());
                bytes = rest;
            }
            self.rest = bytes.to_vec();
        }
        let message = self.waiting.pop_front().unwrap_or_default();
        if message == "2" {
            self.send("3");
            return self.message();
        }
        message
    }

    fn acknowledged(&mut self) {
        while !self.message().starts_with("43") {}
    }

    /// Takes the event with this number, and no other; its offset.
    fn event(&mut self, number: usize) -> String {
        loop {
            let message = self.message();
            if let Some((_, said)) = message.split_once('#') {
                assert_eq!(
                    said.get(..8).and_then(|number| number.parse().ok()),
                    Some(number),
                    "in order: {message}"
                );
                return message.rsplit('"').nth(1).unwrap_or_default().to_owned();
            }
        }
    }
}
