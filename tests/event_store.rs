//! `kill -9` in the middle of traffic: nothing acknowledged is lost, nothing is delivered twice to a client that
//! comes back.
//!
//! This program starts itself again as the server that is to die. The server tells on its output what its clients
//! would have received; what it had not told by then, no client has had.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use netlayers::base::{Instant, Machine as _, Rng};
use netlayers::chat::{Config, Hub, Input, Output, Retention, SessionId};
use netlayers::layers::application::socketio::{Decoder, Kind, Limits, Packet, Value};
use netlayers::real::store::Store;

const SPEAKER: u64 = 1;
const LISTENER: u64 = 2;
const RETURNED: u64 = 3;
/// Says to the child who it is, and where the log is.
const CHILD: &str = "NETLAYERS_STORE_CHILD";

#[test]
fn after_kill_9_nothing_acknowledged_is_lost_and_nothing_comes_twice() {
    for (round, lines) in [10, 150, 700].into_iter().enumerate() {
        let name = format!("netlayers-kill-{}-{round}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&directory);
        kill_and_return(&directory, lines);
        let _ = std::fs::remove_dir_all(&directory);
    }
}

fn kill_and_return(directory: &Path, lines: usize) {
    let told = run_and_kill(directory, lines);
    let word = |line: &String, at: usize| line.split(' ').nth(at).unwrap_or_default().to_owned();
    let of = |kind: &str| told.iter().filter(|line| word(line, 0) == kind).collect::<Vec<_>>();
    let acknowledged: Vec<u64> =
        of("acknowledged").iter().map(|line| word(line, 1).parse().unwrap()).collect();
    let mut received: Vec<u64> = of("received").iter().map(|line| word(line, 1).parse().unwrap()).collect();
    let offset = of("received").last().map(|line| word(line, 2));
    let (sid, pid) =
        of("connected").first().map(|line| (word(line, 1), word(line, 2))).expect("it connected");

    let mut hub = hub(directory, 2);
    let offset = offset.iter().map(|offset| ("offset".to_owned(), offset.as_str().into()));
    let auth = std::iter::once(("pid".to_owned(), pid.as_str().into())).chain(offset).collect();
    connect(&mut hub, RETURNED, Some(Value::Object(auth)));
    let mut same = String::new();
    let mut quiet = 0;
    while quiet < 50 {
        let packets = outputs(&mut hub);
        quiet = if packets.is_empty() && !same.is_empty() { quiet + 1 } else { 0 };
        for (_, packet) in packets {
            match packet.kind {
                Kind::Connect(Some(reply)) => same = text(&reply, "sid"),
                Kind::Event { args, .. } => received.extend(args.first().and_then(Value::as_u64)),
                other => panic!("unexpected: {other:?}"),
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(same, sid, "the socket survived the server");
    let expected: Vec<u64> = (0..received.len() as u64).collect();
    assert_eq!(received, expected, "in order, once, without a gap");
    let lost: Vec<_> = acknowledged.iter().filter(|number| !received.contains(number)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(acknowledged.len() > 1, "there was traffic: {told:?}");
}

/// Runs the server until it has told so many lines; then all that it told.
fn run_and_kill(directory: &Path, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["the_server_that_dies", "--exact", "--nocapture"])
        .env(CHILD, directory)
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
    let mut hub = hub(Path::new(&directory), 1);
    connect(&mut hub, SPEAKER, None);
    connect(&mut hub, LISTENER, None);
    let mut stdout = std::io::stdout();
    let mut under_way = 0;
    for number in 0..u64::MAX {
        let kind = Kind::Event { name: "say".into(), args: vec![number.into()], ack: Some(number) };
        hub.handle(Instant::ZERO, Input::Packet(SessionId(SPEAKER), Packet::new("/", kind)));
        under_way += 1;
        // Some are under way at any time, so that the end comes between what is said and what is stored.
        loop {
            for (to, packet) in outputs(&mut hub) {
                let line = match packet.kind {
                    Kind::Connect(Some(reply)) if to == LISTENER => {
                        format!("connected {} {}", text(&reply, "sid"), text(&reply, "pid"))
                    }
                    Kind::Event { args, .. } => {
                        let number = args.first().and_then(Value::as_u64).expect("a number");
                        format!(
                            "received {number} {}",
                            args.last().and_then(Value::as_str).expect("an offset")
                        )
                    }
                    Kind::Ack { id, .. } => {
                        under_way -= 1;
                        format!("acknowledged {id}")
                    }
                    _ => continue,
                };
                writeln!(stdout, "{line}").expect("the parent listens");
            }
            if under_way < 32 {
                break;
            }
        }
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
            let read = Decoder::new(Limits::default()).text(packet.text.as_str()).expect("a packet");
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
