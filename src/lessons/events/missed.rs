//! Missed events: the receiver's cable is pulled, and the server is killed.

use super::cast::{BEAT, CRASH, Crash, LIMIT, OUTAGE, PORT, cast, enter, hub, name_of, settle};
use crate::base::{Duration, Instant};
use crate::chat::{EventLog, MemoryLog, Retention, SharedLog, offset_number};
use crate::lessons::overheard::overheard;
use crate::lessons::picture::View;
use crate::lessons::stage::{EventClient, EventServer, Heard, Host, Stage};
use crate::lessons::words::many;
use crate::sim::fault::{self, Verdict};
use crate::view::log::{Got, Log, Reader};

const WORDS: [&str; 5] = ["one", "two", "three", "four", "five"];
/// How many of them are said while Bob is away.
const WHILE_AWAY: usize = 3;

/// What a run of the missed events gave.
struct Told {
    heard: Vec<Heard>,
    /// When Bob's cable was pulled.
    gone: Instant,
    /// When he came back.
    back: Instant,
    repeated: usize,
    recovered: bool,
    frames: usize,
    /// The bytes of all frames.
    bytes: u64,
    /// Bytes of the first event as Bob's WebSocket got it.
    event: usize,
}

/// The same outage, without a log and with one.
pub(super) fn without_and_with(stage: &mut Stage) {
    let outage = stage.knob(&OUTAGE);
    stage.lead_in(format!(
        "Bob's cable is pulled. Ada says \"{}\" before; {} while he is away; and \"{}\" when he is back, {outage} \
         later, on a new connection. His old one is gone, with all that TCP still held for it.",
        WORDS[0],
        WORDS[1..=WHILE_AWAY].iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "),
        WORDS[4],
    ));
    let guess = stage.ask_number(
        format!("The server keeps nothing. How many of the {} does Bob hear?", many(WORDS.len(), "event")),
        "events",
    );
    let without = outage_run(stage, "without", "Without a log", None);
    stage.show(
        View::LadderSince(without.gone),
        "TCP keeps retransmitting into an unplugged cable. That is all it can do.",
    );
    stage.fact("said", WORDS.len());
    let heard = stage.fact("heard_without", without.heard.len());
    stage.reveal(
        guess,
        |_| heard,
        format!(
            "TCP retransmitted {}, and no program got the bytes: the connection they belonged to was over. The new one \
             begins with its own first byte.",
            many(without.repeated, "segment")
        ),
    );
    let guess =
        stage.ask_number("Now the server keeps each event in a log. How many does Bob hear?", "events");
    let disk = SharedLog::default();
    let with = outage_run(stage, "with", "With a log", Some(&disk));
    let heard = stage.fact("heard_with", with.heard.len());
    let log = Log {
        events: disk
            .records("/")
            .iter()
            .zip(WORDS)
            .map(|(record, word)| (Some(record.offset), word.into()))
            .collect(),
        readers: vec![
            Reader { name: "bob, no log".into(), got: marks(&without) },
            Reader { name: "bob, log".into(), got: marks(&with) },
        ],
    };
    stage.draw("log", "The log of the second run, and how Bob got each event in both.", move |look| {
        log.draw(look)
    });
    stage.reveal(
        guess,
        |_| heard,
        "He came back with the offset of the last event he had, and a secret that says who he is. The server sent him \
         every event after that offset that was for him. One number is all he has to remember.",
    );
    let offsets: Vec<u64> = with.heard.iter().filter_map(|heard| offset_number(heard.text(1))).collect();
    stage.check("with the log he hears all of them once, in order", |_| {
        with.heard.iter().map(|heard| heard.text(0)).eq(WORDS) && offsets == [1, 2, 3, 4, 5]
    });
    stage.check("the server recognized him, only with the log", |_| with.recovered && !without.recovered);
    stage.check("without it he hears what was said while he was there", |_| {
        without.heard.iter().map(|heard| heard.text(0)).eq([WORDS[0], WORDS[4]])
    });
    let bytes = disk.bytes("/");
    stage.fact("log_bytes", bytes);
    stage.table(
        &["", "no log", "log"],
        vec![
            vec!["events heard".into(), without.heard.len().to_string(), with.heard.len().to_string()],
            vec!["frames".into(), without.frames.to_string(), with.frames.to_string()],
            vec!["bytes of all frames".into(), without.bytes.to_string(), with.bytes.to_string()],
            vec![
                format!("bytes of said(\"{}\"), as Bob gets it", WORDS[0]),
                without.event.to_string(),
                with.event.to_string(),
            ],
            vec!["bytes kept by the server".into(), "0".into(), bytes.to_string()],
        ],
        format!(
            "The price of recovery: memory at the server, and {} more in every event for its offset.",
            many(with.event.saturating_sub(without.event), "byte")
        ),
    );
}

fn outage_run(stage: &mut Stage, id: &str, title: &str, disk: Option<&SharedLog>) -> Told {
    let outage = stage.knob(&OUTAGE);
    stage.scene(id, title);
    let (host, [ada_host, bob_host]) = cast(stage, ["ada", "bob"]);
    let log = disk.cloned();
    let server = stage.event_server(host, PORT, BEAT, move |random| {
        let kept: Box<dyn EventLog> = match &log {
            Some(disk) => Box::new(disk.clone()),
            None => Box::new(MemoryLog::new(Retention::default())),
        };
        let mut hub = hub(random, kept, log.is_some());
        hub.of("/").on_connection(|cx, hello| cx.set_data(name_of(&hello.auth).into())).on(
            "say",
            |cx, args, ack| {
                cx.broadcast().emit("said", args.to_vec());
                ack.send(cx, vec![]);
            },
        );
        hub
    });
    let (ada, bob) = (enter(stage, ada_host, server, "ada"), enter(stage, bob_host, server, "bob"));
    settle(stage);
    stage.emit(ada, "say", vec![WORDS[0].into()]);
    settle(stage);
    let from = stage.now();
    pull(stage, bob_host, host, outage);
    let pause = Duration::from_nanos(outage.as_nanos() / (WHILE_AWAY as u64 + 1));
    for word in &WORDS[1..=WHILE_AWAY] {
        stage.run_for(pause);
        stage.emit(ada, "say", vec![(*word).into()]);
    }
    stage.run_until(from + outage);
    let until = stage.now();
    come_back(stage, bob);
    stage.emit(ada, "say", vec![WORDS[4].into()]);
    stage.run_for(Duration::from_secs(3));
    let run = stage.seen();
    let name = format!("\"{}\"", WORDS[0]);
    let said = overheard(run.trace());
    let event = said
        .iter()
        .find(|said| said.by == host.id().place() && said.is_frame() && said.text().contains(&name));
    Told {
        bytes: run.accounting().total(),
        event: event.map_or(0, |said| said.body.len()),
        heard: stage.heard(bob),
        gone: from,
        back: until,
        repeated: run.retransmitted(),
        recovered: stage.is_recovered(bob, "/"),
        frames: run.frames(),
    }
}

/// Unplugs a client's cable for `outage`, from now on.
pub(super) fn pull(stage: &mut Stage, client: Host, server: Host, outage: Duration) {
    let until = stage.now() + outage;
    for (from, to) in [(client, server), (server, client)] {
        let out = fault::rule("the cable is out", move |frame, _| match frame.at < until {
            true => Verdict::Drop,
            false => Verdict::Pass,
        });
        stage.rule(from, to, out);
    }
}

/// A client opens a new session and is let in again.
pub(super) fn come_back(stage: &mut Stage, client: EventClient) {
    stage.reconnect(client);
    stage.run_until_it(LIMIT, |stage| stage.is_in(client, "/"));
    settle(stage);
}

/// How each of the words came.
fn marks(told: &Told) -> Vec<Got> {
    let mark = |word: &&str| {
        let index = WORDS.iter().position(|other| other == word).unwrap_or(0);
        let said_while_away = (1..=WHILE_AWAY).contains(&index);
        match told.heard.iter().find(|heard| heard.text(0) == *word) {
            None => Got::Missed,
            Some(heard) if said_while_away && heard.at >= told.back => Got::Replayed,
            Some(_) => Got::Live,
        }
    };
    WORDS.iter().map(mark).collect()
}

/// The server is killed between an acknowledgement and the next event.
pub(super) fn crash(stage: &mut Stage) {
    let crash = stage.knob(&CRASH);
    let what = match crash {
        Crash::LogOnDisk => {
            "The log is on disk, and the server's program is killed and started again a second later."
        }
        Crash::LogInMemory => {
            "The log is in memory, and the server's program is killed and started again a second later."
        }
        Crash::None => "This time the server is not killed.",
    };
    stage.lead_in(format!(
        "The server can fail, too. Bob has heard \"one\" and \"two\", and is away. Ada says \"three\" and gets her \
         answer: the server has accepted it. {what} Then both come back, and Ada says \"four\".",
    ));
    let guess = stage.ask_number("How many of the four events has Bob heard in the end?", "events");
    let title = match crash {
        Crash::LogOnDisk => "A crash; the log: disk",
        Crash::LogInMemory => "A crash; the log: memory",
        Crash::None => "No crash; the log on disk",
    };
    stage.scene("crash", title);
    let (host, [ada_host, bob_host]) = cast(stage, ["ada", "bob"]);
    let disk = SharedLog::default();
    let server = stage.event_server(host, PORT, BEAT, {
        let on_disk = crash != Crash::LogInMemory;
        move |random| {
            let kept: Box<dyn EventLog> = match on_disk {
                true => Box::new(disk.clone()),
                false => Box::new(MemoryLog::new(Retention::default())),
            };
            let mut hub = hub(random, kept, true);
            hub.of("/").on("say", |cx, args, ack| {
                cx.broadcast().emit("said", args.to_vec());
                ack.send(cx, vec![]);
            });
            hub
        }
    });
    let (ada, bob) = (enter(stage, ada_host, server, "ada"), enter(stage, bob_host, server, "bob"));
    settle(stage);
    let from = stage.now();
    let mut acknowledged = 0;
    let mut say = |stage: &mut Stage, number: usize| {
        stage.emit_in(ada, "/", "say", vec![WORDS[number - 1].into()], Some(number as u64));
        settle(stage);
        acknowledged += usize::from(stage.answered_at(ada, number as u64).is_some());
    };
    say(stage, 1);
    say(stage, 2);
    pull(stage, bob_host, host, Duration::from_secs(2));
    say(stage, 3);
    if crash != Crash::None {
        kill_and_start(stage, server);
    }
    stage.run_for(Duration::from_secs(2));
    if crash != Crash::None {
        come_back(stage, ada);
    }
    come_back(stage, bob);
    say(stage, 4);
    stage.run_for(Duration::from_secs(2));
    stage.show(
        View::LadderSince(from),
        "The killed program's host resets its connections. A returning client says what it had.",
    );
    let heard: Vec<String> = stage.heard(bob).iter().map(|heard| heard.text(0).to_owned()).collect();
    let count = stage.fact("heard_after_crash", heard.len());
    let recovered = stage.is_recovered(bob, "/");
    stage.reveal(
        guess,
        |_| count,
        match (crash, recovered) {
            (Crash::LogOnDisk, _) => {
                "All of them. What was acknowledged was on disk before the answer left; the restarted program read the \
                 log and Bob's session from there."
            }
            (Crash::LogInMemory, false) => {
                "\"three\" is gone, though Ada got her acknowledgement, and the new server does not know Bob. A promise \
                 is as durable as what it was written on."
            }
            _ => "All of them: the log had what was said while he was away.",
        },
    );
    stage.check("nothing is heard twice", |_| {
        let mut once = heard.clone();
        once.sort();
        once.dedup();
        once.len() == heard.len()
    });
    if crash != Crash::LogInMemory {
        stage.check("every acknowledged event was heard, in order", |_| {
            acknowledged == 4 && heard.iter().map(String::as_str).eq(WORDS[..4].iter().copied())
        });
        stage.check("the server recognized Bob", |_| recovered);
    }
}

fn kill_and_start(stage: &mut Stage, server: EventServer) {
    stage.crash(server);
    stage.run_for(Duration::from_secs(1));
    stage.restart(server);
}
