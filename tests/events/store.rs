//! `kill -9` in the middle of traffic: nothing acknowledged is lost, nothing is delivered twice to a client that
//! comes back; bytes included, and through several lives of the server.
//!
//! This program starts itself again as the server that is to die. The server tells on its output what its clients
//! would have received; what it had not told by then, no client has had.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use netlayers::base::{Instant, Machine as _, Rng};
use netlayers::chat::{Config, Hub, Input, Output, Retention, SessionId};
use netlayers::layers::application::socketio::{Decoder, Kind, Limits, Packet, Value};
use netlayers::real::store::Store;

const SPEAKER: u64 = 1;
const LISTENER: u64 = 2;
/// Says to the child who it is, and where the log is.
const CHILD: &str = "NETLAYERS_STORE_CHILD";
/// The how-manieth life of the server it is.
const LIFE: &str = "NETLAYERS_STORE_LIFE";
/// Under which secret, and from which offset, the listener returns to it.
const RETURN: &str = "NETLAYERS_STORE_RETURN";
/// The first number that is said in the next life.
const NUMBERS: u64 = 1_000_000;

/// A client that hears of several servers, one after the other, in the same directory.
#[derive(Debug, Default)]
struct Listener {
    sid: String,
    pid: String,
    offset: String,
    received: Vec<u64>,
    /// What the speakers' acknowledgements were for.
    acknowledged: Vec<u64>,
}

#[test]
fn after_kill_9_nothing_acknowledged_is_lost_and_nothing_comes_twice() {
    let directory = std::env::temp_dir().join(format!("netlayers-kill-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let mut listener = Listener::default();
    // Killed at once, soon, and in the middle of much.
    for (life, lines) in [10, 150, 700, 3, 200].into_iter().enumerate() {
        let told = run_and_kill(&directory, life as u64, lines, &listener);
        told.iter().for_each(|line| listener.hears(line));
    }
    returns_for_the_last_time(&directory, &mut listener);
    let _ = std::fs::remove_dir_all(&directory);

    assert!(listener.received.is_sorted(), "in order: {:?}", listener.received);
    for life in 0..5 {
        let of_life = |number: &&u64| **number / NUMBERS == life;
        let received: Vec<u64> = listener.received.iter().filter(of_life).copied().collect();
        let expected: Vec<u64> = (0..received.len() as u64).map(|n| life * NUMBERS + n).collect();
        assert_eq!(received, expected, "once, without a gap");
    }
    let lost: Vec<_> = listener.acknowledged.iter().filter(|n| !listener.received.contains(n)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(listener.acknowledged.len() > 100, "there was traffic");
}

impl Listener {
    /// Takes what the child told of it.
    fn hears(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["connected", sid, pid] => {
                assert!(self.sid.is_empty() || self.sid == sid, "the socket survives the server");
                (self.sid, self.pid) = (sid.into(), pid.into());
            }
            ["received", number, offset] => {
                self.received.push(number.parse().expect("a number"));
                self.offset = offset.into();
            }
            ["acknowledged", number] => self.acknowledged.push(number.parse().expect("a number")),
            // What the test harness says.
            _ => {}
        }
    }

    /// What a stock client sends upon its return.
    fn auth(secret: &str, offset: &str) -> Option<Value> {
        let offset = Some(("offset".to_owned(), offset.into())).filter(|_| !offset.is_empty());
        let pid = Some(("pid".to_owned(), secret.into())).filter(|_| !secret.is_empty())?;
        Some(Value::Object(std::iter::once(pid).chain(offset).collect()))
    }
}

/// To a server in this process, which lives.
fn returns_for_the_last_time(directory: &Path, listener: &mut Listener) {
    let mut hub = hub(directory, 99);
    connect(&mut hub, LISTENER, Listener::auth(&listener.pid, &listener.offset));
    let (mut quiet, mut entered) = (0, false);
    while quiet < 50 {
        let packets = outputs(&mut hub);
        quiet = if packets.is_empty() && entered { quiet + 1 } else { 0 };
        for (_, packet) in packets {
            entered = true;
            listener.hears(&told_of(&packet).expect("nothing else comes"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs the server until it has told so many lines; then all that it told.
fn run_and_kill(directory: &Path, life: u64, lines: usize, listener: &Listener) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["store::the_server_that_dies", "--exact", "--nocapture"])
        .env(CHILD, directory)
        .env(LIFE, life.to_string())
        .env(RETURN, format!("{} {}", listener.pid, listener.offset))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts again");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut told = Vec::new();
    let mut line = String::new();
    while output.read_line(&mut line).expect("its output") > 0 {
        // A line that the end cut off was received by nobody.
        if line.ends_with('\n') {
            told.push(line.trim().to_owned());
        }
        line.clear();
        if told.len() == lines {
            child.kill().expect("SIGKILL");
        }
    }
    child.wait().expect("it is dead");
    assert!(told.len() >= lines, "it died by itself: {told:?}");
    told
}

/// Does nothing unless it is the child of the test above.
#[test]
fn the_server_that_dies() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let of = |name| std::env::var(name).expect("the parent says it");
    let life: u64 = of(LIFE).parse().expect("a number");
    let returning = of(RETURN);
    let (secret, offset) = returning.split_once(' ').expect("two words");
    let mut hub = hub(Path::new(&directory), life + 1);
    connect(&mut hub, LISTENER, Listener::auth(secret, offset));
    connect(&mut hub, SPEAKER, None);
    let mut stdout = std::io::stdout();
    let mut under_way = 0;
    for number in life * NUMBERS.. {
        // Every third carries bytes.
        let bytes = (number % 3 == 0).then(|| Value::from(Bytes::copy_from_slice(&number.to_be_bytes())));
        let args = std::iter::once(Value::from(number)).chain(bytes).collect();
        let kind = Kind::Event { name: "say".into(), args, ack: Some(number) };
        hub.handle(Instant::ZERO, Input::Packet(SessionId(SPEAKER), Packet::new("/", kind)));
        under_way += 1;
        // Some are under way at any time, so that the end comes between what is said and what is stored.
        loop {
            for (to, packet) in outputs(&mut hub) {
                under_way -= i32::from(matches!(packet.kind, Kind::Ack { .. }));
                let is_greeting = matches!(packet.kind, Kind::Connect(_));
                if let Some(line) = told_of(&packet).filter(|_| to == LISTENER || !is_greeting) {
                    writeln!(stdout, "{line}").expect("the parent listens");
                }
            }
            if under_way < 32 {
                break;
            }
        }
    }
}

/// What a client learns from a packet, as a line.
fn told_of(packet: &Packet) -> Option<String> {
    match &packet.kind {
        Kind::Connect(Some(reply)) => {
            Some(format!("connected {} {}", text(reply, "sid"), text(reply, "pid")))
        }
        Kind::Event { args, .. } => {
            let number = args.first().and_then(Value::as_u64).expect("a number");
            if number % 3 == 0 {
                let bytes = Bytes::copy_from_slice(&number.to_be_bytes());
                assert_eq!(args.get(1), Some(&Value::Binary(bytes)), "bytes come back as they were");
            }
            Some(format!("received {number} {}", args.last().and_then(Value::as_str).expect("an offset")))
        }
        Kind::Ack { id, .. } => Some(format!("acknowledged {id}")),
        _ => None,
    }
}

fn hub(directory: &Path, seed: u64) -> Hub {
    let mut rng = Rng::new(seed);
    let store = Store::open(directory, Retention::default(), |_| (), || ()).expect("the log opens");
    let mut hub = Hub::new(Config::default(), Box::new(move || rng.next_u64()), Box::new(store));
    hub.of("/").on("say", |cx, args, ack| {
        cx.broadcast().emit("said", args.to_vec());
        ack.send(cx, vec![true.into()]);
    });
    hub
}

fn connect(hub: &mut Hub, session: u64, auth: Option<Value>) {
    hub.handle(Instant::ZERO, Input::Opened(SessionId(session)));
    hub.handle(Instant::ZERO, Input::Packet(SessionId(session), Packet::new("/", Kind::Connect(auth))));
}

/// What has become safe to send.
fn outputs(hub: &mut Hub) -> Vec<(u64, Packet)> {
    let mut found = Vec::new();
    while let Some(output) = hub.poll(Instant::ZERO) {
        if let Output::Send { to, packet } = output {
            let mut decoder = Decoder::new(Limits::default());
            let mut read = decoder.text(packet.text.as_str()).expect("a packet");
            for attachment in packet.attachments.iter().cloned() {
                read = decoder.binary(attachment).expect("an attachment");
            }
            for session in to {
                found.push((session.0, read.clone().expect("a whole packet")));
                hub.handle(Instant::ZERO, Input::Sent(session, packet.len()));
            }
        }
    }
    found
}

fn text(object: &Value, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
