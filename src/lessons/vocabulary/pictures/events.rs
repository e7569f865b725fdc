//! Pictures of the words of the event system.

use crate::base::{Duration, Instant};
use crate::chat::client::Event as Received;
use crate::chat::hub::{Hub, Random};
use crate::chat::{Config, MemoryLog, Pool, Retention, SharedLog};
use crate::layers::application::socketio::{Kind, Packet, Value};
use crate::lessons::picture::View;
use crate::lessons::stage::{EventClient, EventServer, Heartbeat, Host, Stage};
use crate::sim::apps::event_client::Transport;
use crate::sim::fault::{self, Verdict};
use crate::view::log::{Got, Log, Reader};

const PORT: u16 = 3000;
const LIMIT: Duration = Duration::from_secs(20);

/// A server whose clients may join rooms and say something to them, and clients by WebSocket.
fn party<const N: usize>(
    stage: &mut Stage,
    names: [&str; N],
    transport: Transport,
    disk: Option<SharedLog>,
) -> (EventServer, [EventClient; N]) {
    let host = stage.host("server");
    let hosts: [Host; N] = names.map(|name| stage.host(name));
    hosts.iter().for_each(|client| stage.link(*client, host));
    stage.introduce();
    let server =
        stage.event_server(host, PORT, Heartbeat::default(), move |random| program(random, disk.clone()));
    let clients = hosts.map(|host| {
        let client = stage.event_client(host, server, transport, &[("/", vec![])]);
        stage.run_until_it(LIMIT, |stage| stage.is_in(client, "/"));
        client
    });
    settle(stage);
    (server, clients)
}

fn program(random: Random, disk: Option<SharedLog>) -> Hub {
    let mut hub = match disk {
        Some(disk) => Hub::new(Config::default(), random, Box::new(disk)),
        None => {
            let log = Box::new(MemoryLog::new(Retention::default()));
            Hub::new(Config { recovery: None, ..Config::default() }, random, log)
        }
    };
    hub.of("/")
        .on("join", |cx, args, _| {
            if let Some(room) = args.first().and_then(Value::as_str) {
                // Three clients join a room each: none of the limits is near.
                let _ = cx.join(room);
            }
        })
        .on("say", |cx, args, ack| {
            cx.broadcast().emit("said", args.to_vec());
            ack.send(cx, vec!["taken".into()]);
        });
    hub.of("/staff");
    hub
}

fn settle(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 3 + Duration::from_millis(100));
}

pub(in crate::lessons::vocabulary) fn socket_io(stage: &mut Stage) {
    stage.scene("upgrade", "From polling to WebSocket");
    let (_, [client]) = party(stage, ["client"], Transport::Upgrade, None);
    let upgraded = stage.upgraded_at(client);
    stage.check("it moved to WebSocket", |_| upgraded.is_some());
    stage.show(
        View::Ladder,
        "HTTP requests open the session; the probe on a WebSocket succeeds, and HTTP is done.",
    );
}

pub(in crate::lessons::vocabulary) fn event(stage: &mut Stage) {
    let packet = Packet::event("/", "say", vec!["hello".into()]);
    let text = format!("4{}", packet.encode().text.as_str());
    let rows = vec![
        vec![text[..1].to_owned(), "Engine.IO: a message".into()],
        vec![text[1..2].to_owned(), "Socket.IO: an event".into()],
        vec![text[2..].to_owned(), "its name, and what it carries, as JSON".into()],
    ];
    stage.check("the parts are the whole", |_| {
        rows.iter().map(|row| row[0].as_str()).collect::<String>() == text
    });
    stage.table(
        &["bytes", "what they say"],
        rows,
        format!("emit(\"say\", \"hello\") as it is written: {text}"),
    );
}

/// What a pool of two listeners for one name calls.
fn calls() -> Vec<(String, Vec<String>)> {
    let mut pool: Pool<Vec<String>, &str> = Pool::new();
    // Two listeners: the limit is ten thousand.
    let _ = pool.on("say", |_, called, _| called.push("print it".into()));
    let _ = pool.once("say", |_, called, _| called.push("ring the bell, once".into()));
    ["say", "say", "sya"]
        .map(|event| {
            let mut called = Vec::new();
            pool.emit(event, &mut called, &"hello");
            (event.to_owned(), called)
        })
        .into()
}

pub(in crate::lessons::vocabulary) fn listener(stage: &mut Stage) {
    let calls = calls();
    stage.check("the first emit calls both, the second one of them", |_| {
        calls[0].1.len() == 2 && calls[1].1.len() == 1
    });
    let rows = calls.iter().map(|(event, called)| {
        let called = if called.is_empty() { "none, and no error".to_owned() } else { called.join(", then ") };
        vec![format!("emit(\"{event}\")"), called]
    });
    let rows = rows.collect();
    stage.table(
        &["what happens", "which listeners are called"],
        rows,
        "One listener hung up with `on`, and one with `once`; the last event is a typo.",
    );
}

pub(in crate::lessons::vocabulary) fn event_pool(stage: &mut Stage) {
    let calls = calls();
    stage.check("the typo has no listener", |_| calls[2].1.is_empty());
    let rows = vec![
        vec!["on(\"say\", print it)".into(), "say: print it".into(), String::new()],
        vec!["once(\"say\", ring the bell)".into(), "say: print it, ring the bell".into(), String::new()],
        vec!["emit(\"say\")".into(), "say: print it".into(), calls[0].1.join(", then ")],
        vec!["emit(\"say\")".into(), "say: print it".into(), calls[1].1.join(", then ")],
    ];
    stage.table(
        &["the program", "the pool after it", "what is called"],
        rows,
        "A pool is a list of functions by name.",
    );
}

pub(in crate::lessons::vocabulary) fn room(stage: &mut Stage) {
    stage.scene("room", "To a room");
    let (server, clients) = party(stage, ["ada", "bob", "cyd"], Transport::WebSocket, None);
    for client in &clients[..2] {
        stage.emit(*client, "join", vec!["red".into()]);
    }
    settle(stage);
    stage.server_says(server, "/", |cx| {
        cx.io().to("red").emit("news", vec![]);
    });
    settle(stage);
    let heard = clients.map(|client| stage.heard(client).len());
    stage.check("the two members hear it, once", |_| heard == [1, 1, 0]);
    let rows = ["ada", "bob", "cyd"].into_iter().zip(["red", "red", ""]).zip(heard);
    let rows = rows.map(|((name, room), heard)| vec![name.to_owned(), room.to_owned(), heard.to_string()]);
    let rows = rows.collect();
    stage.table(
        &["client", "in room", "copies heard"],
        rows,
        "The server emits one event to the room \"red\".",
    );
}

pub(in crate::lessons::vocabulary) fn namespace(stage: &mut Stage) {
    stage.scene("namespace", "Two namespaces on one connection");
    let (server, [_]) = party(stage, ["ada"], Transport::WebSocket, None);
    let host = stage.host("bob");
    stage.link(host, server.host);
    stage.introduce();
    let client = stage.event_client(host, server, Transport::WebSocket, &[("/", vec![]), ("/staff", vec![])]);
    stage.run_until_it(LIMIT, |stage| stage.is_in(client, "/staff"));
    stage.server_says(server, "/staff", |cx| {
        cx.io().emit("news", vec!["hello".into()]);
    });
    settle(stage);
    let received = stage.received(client);
    stage.check("it was let into both, and heard one event", |_| received.len() == 3);
    let rows = received.into_iter().filter_map(|(_, event)| {
        let packet = match event {
            // Ids are long, and of no interest here.
            Received::Connected { namespace, .. } => {
                Packet::new(&*namespace, Kind::Connect(Some(Value::object([("sid", "...".into())]))))
            }
            Received::Heard(heard) => {
                let args = heard.args_as_sent();
                Packet::new(&*heard.namespace, Kind::Event { name: heard.name, args, ack: None })
            }
            _ => return None,
        };
        Some(vec![packet.encode().text.as_str().to_owned(), packet.namespace])
    });
    let rows = rows.collect();
    stage.table(
        &["what comes", "namespace"],
        rows,
        "One client in two namespaces: each packet names its own, / needs no name.",
    );
}

pub(in crate::lessons::vocabulary) fn acknowledgement(stage: &mut Stage) {
    stage.scene("ack", "An event that wants an answer");
    let (_, [ada, bob]) = party(stage, ["ada", "bob"], Transport::WebSocket, None);
    let from = stage.now();
    stage.emit_in(ada, "/", "say", vec!["hello".into()], Some(7));
    settle(stage);
    let answer = stage.answered_at(ada, 7);
    let heard = stage.heard(bob).len();
    stage.check("Bob hears it, and Ada gets an answer with her number", |_| answer.is_some() && heard == 1);
    let ms = |at: Option<Instant>| {
        at.map_or_else(String::new, |at| format!("{:.1}", at.since(from).as_millis_f64()))
    };
    let event =
        Packet::new("/", Kind::Event { name: "say".into(), args: vec!["hello".into()], ack: Some(7) });
    let ack = Packet::new("/", Kind::Ack { id: 7, args: vec!["taken".into()] });
    stage.table(
        &["ms", "from", "packet", "which says"],
        vec![
            vec![
                "0.0".into(),
                "ada".into(),
                event.encode().text.as_str().into(),
                "an event, number 7".into(),
            ],
            vec![
                ms(answer),
                "server".into(),
                ack.encode().text.as_str().into(),
                "the answer to number 7".into(),
            ],
        ],
        "The program answers when it has dealt with the event; the number says which one.",
    );
}

/// An event before, two during and one after an absence; with a log or without.
fn absence(stage: &mut Stage, disk: Option<&SharedLog>) -> Log {
    const WORDS: [&str; 4] = ["one", "two", "three", "four"];
    stage.scene("away", "A client is away");
    let (_, [ada, bob]) = party(stage, ["ada", "bob"], Transport::WebSocket, disk.cloned());
    stage.emit(ada, "say", vec![WORDS[0].into()]);
    settle(stage);
    stage.hang_up_without_a_word(bob);
    settle(stage);
    stage.emit(ada, "say", vec![WORDS[1].into()]);
    stage.emit(ada, "say", vec![WORDS[2].into()]);
    settle(stage);
    let back = stage.now();
    stage.reconnect(bob);
    stage.run_until_it(LIMIT, |stage| stage.is_in(bob, "/"));
    settle(stage);
    stage.emit(ada, "say", vec![WORDS[3].into()]);
    settle(stage);
    let heard = stage.heard(bob);
    let got = WORDS.iter().enumerate().map(|(index, word)| {
        match heard.iter().find(|heard| heard.text(0) == *word) {
            None => Got::Missed,
            Some(heard) if (1..=2).contains(&index) && heard.at >= back => Got::Replayed,
            Some(_) => Got::Live,
        }
    });
    let offset = |index: usize| disk.is_some().then_some(index as u64 + 1);
    Log {
        events: WORDS.iter().enumerate().map(|(index, word)| (offset(index), (*word).to_owned())).collect(),
        readers: vec![Reader { name: "bob".into(), got: got.collect() }],
    }
}

pub(in crate::lessons::vocabulary) fn missed_event(stage: &mut Stage) {
    let log = absence(stage, None);
    let missed = log.readers[0].got.iter().filter(|got| **got == Got::Missed).count();
    stage.check("two are missed", |_| missed == 2);
    stage.draw(
        "log",
        "Two events while Bob was not connected, on a server that keeps nothing.",
        move |look| log.draw(look),
    );
}

pub(in crate::lessons::vocabulary) fn queue(stage: &mut Stage) {
    let log = absence(stage, Some(&SharedLog::default()));
    let replayed = log.readers[0].got.iter().filter(|got| **got == Got::Replayed).count();
    stage.check("two come from the queue, and none is missed", |_| {
        replayed == 2 && !log.readers[0].got.contains(&Got::Missed)
    });
    stage.draw(
        "log",
        "A server whose queue keeps its events: each has an offset, and Bob, who was away, comes back with his.",
        move |look| log.draw(look),
    );
}

pub(in crate::lessons::vocabulary) fn polling(stage: &mut Stage) {
    stage.scene("polling", "An event by long-polling");
    let (server, [client]) = party(stage, ["client"], Transport::Polling, None);
    let from = stage.now();
    stage.server_says(server, "/", |cx| {
        cx.io().emit("news", vec!["hello".into()]);
    });
    settle(stage);
    let heard = stage.heard(client).len();
    stage.check("the client hears it once", |_| heard == 1);
    stage.show(View::LadderSince(from), "The waiting GET is answered with the event, and then sent again.");
}

pub(in crate::lessons::vocabulary) fn middlebox(stage: &mut Stage) {
    stage.scene("proxy", "A proxy that lets no WebSocket through");
    let host = stage.host("server");
    let client_host = stage.host("client");
    stage.link(client_host, host);
    stage.introduce();
    let server = stage.event_server(host, PORT, Heartbeat::default(), |random| program(random, None));
    let asks = |bytes: &[u8]| bytes.windows(18).any(|part| part.eq_ignore_ascii_case(b"upgrade: websocket"));
    let drops = fault::rule("lets no WebSocket through", move |frame, _| match asks(frame.bytes) {
        true => Verdict::Drop,
        false => Verdict::Pass,
    });
    stage.rule(client_host, host, drops);
    let client = stage.event_client(client_host, server, Transport::Upgrade, &[("/", vec![])]);
    stage.run_until_it(LIMIT, |stage| stage.is_in(client, "/"));
    settle(stage);
    let (is_in, upgraded) = (stage.is_in(client, "/"), stage.upgraded_at(client));
    stage.check("the session opens by polling, and never upgrades", |_| is_in && upgraded.is_none());
    stage.show(View::Ladder, "The request for WebSocket is dropped on the way; polling works all along.");
}
