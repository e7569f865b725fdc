//! The hub, seen from its clients: which of them get what, are refused, and are recovered.

use std::sync::{Arc, Mutex};

use super::*;
use crate::base::{Duration, Rng};
use crate::chat::{Delivery, MemoryLog, Retention};
use crate::layers::application::socketio::{Decoder, Limits};

/// A hub and its clients, with all that was sent to each.
pub(super) struct Stage {
    pub(super) hub: Hub,
    pub(super) now: Instant,
    pub(super) got: BTreeMap<u64, Vec<Packet>>,
    pub(super) closed: BTreeMap<u64, Reason>,
    pub(super) probed: Vec<u64>,
    pub(super) wake_at: Instant,
    /// Sessions to which everything is sent at once; the others do not read.
    pub(super) deaf: Vec<u64>,
}

pub(super) fn random(seed: u64) -> Random {
    let mut rng = Rng::new(seed);
    Box::new(move || rng.next_u64())
}

impl Stage {
    pub(super) fn new(config: Config) -> Self {
        Stage::with_log(config, Box::new(MemoryLog::new(Retention::default())), 1)
    }

    pub(super) fn with_log(config: Config, log: Box<dyn EventLog>, seed: u64) -> Self {
        let mut hub = Hub::new(config, random(seed), log);
        program(&mut hub);
        Stage {
            hub,
            now: Instant::ZERO,
            got: BTreeMap::new(),
            closed: BTreeMap::new(),
            probed: Vec::new(),
            wake_at: Instant::NEVER,
            deaf: Vec::new(),
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        self.hub.handle(self.now, input);
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.hub.poll(self.now) {
            match output {
                Output::Send { to, packet } => {
                    for SessionId(id) in to {
                        self.got.entry(id).or_default().push(decode(&packet));
                        if !self.deaf.contains(&id) {
                            self.hub.handle(self.now, Input::Sent(SessionId(id), packet.len()));
                        }
                    }
                }
                Output::Close { session, reason } => {
                    self.closed.insert(session.0, reason);
                }
                Output::Probe(session) => self.probed.push(session.0),
                Output::WakeAt(at) => self.wake_at = at,
            }
        }
    }

    pub(super) fn wait(&mut self, length: Duration) {
        let end = self.now + length;
        while self.wake_at <= end {
            self.now = self.wake_at;
            self.input(Input::Wake);
        }
        self.now = end;
    }

    pub(super) fn connect_with(&mut self, session: u64, namespace: &str, auth: Option<Value>) {
        self.input(Input::Opened(SessionId(session)));
        let packet = Packet::new(namespace, Kind::Connect(auth));
        self.input(Input::Packet(SessionId(session), packet));
    }

    /// A new client; its id and its secret.
    pub(super) fn connect(&mut self, session: u64) -> (String, String) {
        self.connect_with(session, "/", None);
        self.identity(session).expect("the hub lets it in")
    }

    /// Comes back with a secret and an offset; whether as the same socket.
    pub(super) fn return_as(&mut self, session: u64, sid: &str, pid: &str, offset: Option<&str>) -> bool {
        let offset = offset.map(|offset| ("offset".to_owned(), offset.into()));
        let auth = std::iter::once(("pid".to_owned(), pid.into())).chain(offset).collect();
        self.connect_with(session, "/", Some(Value::Object(auth)));
        self.identity(session).is_some_and(|(id, _)| id == sid)
    }

    pub(super) fn identity(&self, session: u64) -> Option<(String, String)> {
        let packet = self.got.get(&session)?.iter().find(|p| matches!(p.kind, Kind::Connect(_)))?;
        let Kind::Connect(Some(reply)) = &packet.kind else { return None };
        let text = |name| reply.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some((text("sid"), text("pid")))
    }

    pub(super) fn say(&mut self, session: u64, event: &str, args: Vec<Value>) {
        let kind = Kind::Event { name: event.into(), args, ack: Some(7) };
        self.input(Input::Packet(SessionId(session), Packet::new("/", kind)));
    }

    pub(super) fn cut(&mut self, session: u64) {
        self.input(Input::Closed(SessionId(session), Reason::TransportClosed));
    }

    /// The events that came, as name and first argument.
    pub(super) fn events(&self, session: u64) -> Vec<String> {
        let packets = self.got.get(&session).map(Vec::as_slice).unwrap_or_default();
        packets
            .iter()
            .filter_map(|packet| match &packet.kind {
                Kind::Event { name, args, .. } => {
                    Some(format!("{name} {}", serde_json::to_string(args.first()?).ok()?))
                }
                _ => None,
            })
            .collect()
    }

    /// The last offset that came: what a client sends back.
    pub(super) fn offset(&self, session: u64) -> Option<String> {
        let packets = self.got.get(&session)?;
        packets.iter().rev().find_map(|packet| match &packet.kind {
            Kind::Event { args, ack: None, .. } => args.last()?.as_str().map(str::to_owned),
            _ => None,
        })
    }

    pub(super) fn last_ack(&self, session: u64) -> Option<String> {
        let packets = self.got.get(&session)?;
        packets.iter().rev().find_map(|packet| match &packet.kind {
            Kind::Ack { args, .. } => serde_json::to_string(args).ok(),
            _ => None,
        })
    }
}

pub(super) fn decode(packet: &Encoded) -> Packet {
    let mut decoder = Decoder::new(Limits::default());
    let mut read = decoder.text(packet.text.as_str()).expect("what the hub sends can be read");
    for attachment in &packet.attachments {
        read = decoder.binary(attachment.clone()).expect("an attachment");
    }
    read.expect("a whole packet")
}

/// The server of these tests: rooms, and ways to speak in them.
fn program(hub: &mut Hub) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let main = hub.of("/");
    main.on("join", move |cx, args, ack| {
        let joined = cx.join(&text(args.first()));
        let rooms = cx.rooms().iter().map(|room| Value::from(&**room)).collect::<Vec<_>>();
        ack.send(cx, vec![joined.is_ok().into(), Value::Array(rooms)]);
    })
    .on("leave", move |cx, args, _| cx.leave(&text(args.first())))
    .on("say", move |cx, args, ack| {
        let emitted = cx.to(&text(args.first())).emit("said", args[1..].to_vec());
        ack.send(cx, vec![Value::from(emitted.receivers as u64)]);
    })
    .on("say-all", move |cx, args, ack| {
        cx.io().to(&text(args.first())).emit("said", args[1..].to_vec());
        ack.send(cx, vec![true.into()]);
    })
    .on("say-id", move |cx, args, ack| {
        let emitted = cx.broadcast().sent_as(&text(args.first())).emit("said", args[1..].to_vec());
        ack.send(cx, vec![emitted.is_duplicate.into()]);
    })
    .on("volatile", move |cx, args, _| {
        cx.to(&text(args.first())).volatile().emit("said", args[1..].to_vec());
    })
    .on("lossy", move |cx, args, _| {
        cx.to(&text(args.first())).with(Delivery::AtMostOnce).emit("said", args[1..].to_vec());
    })
    .on("ask", move |cx, args, ack| {
        let ack = ack.clone();
        let timeout = Duration::from_secs(1);
        cx.to(&text(args.first())).ask("question", args[1..].to_vec(), timeout, move |cx, answers| {
            let missing = answers.missing as u64;
            ack.send(cx, vec![Value::Array(answers.firsts()), missing.into()]);
        });
    })
    .on("me", |cx, args, _| {
        cx.emit("said", args.to_vec());
    })
    .on("ask-me", |cx, _, ack| {
        let ack = ack.clone();
        cx.ask("question", vec![], Duration::from_secs(1), move |cx, answers| {
            ack.send(cx, vec![Value::Array(answers.firsts())]);
        });
    })
    .on("history", move |cx, args, ack| {
        let past = cx.past(&text(args.first()), "said", Span::After(0), 10);
        let said = past.events.into_iter().filter_map(|event| event.args.into_iter().next()).collect();
        ack.send(cx, vec![Value::Array(said)]);
    })
    .on("name", |cx, args, _| cx.set_data(args[0].clone()))
    .on("who", |cx, _, ack| {
        let data = cx.data();
        ack.send(cx, vec![data]);
    })
    .on("leave-me", |cx, _, _| cx.disconnect())
    .on("close-me", |cx, _, _| cx.close());
    hub.of("/private").gate(|entry| match entry.auth.get("token").and_then(Value::as_str) {
        Some("secret") => Ok(()),
        _ => Err(Refusal::new("unauthorized").with(Value::object([("code", "E_AUTH".into())]))),
    });
}

fn plain() -> Config {
    Config { recovery: None, ..Config::default() }
}

fn stage() -> Stage {
    Stage::new(Config::default())
}

#[test]
fn a_client_is_let_in_with_a_secret_only_when_recovery_is_on() {
    let mut stage = Stage::new(plain());
    let (sid, pid) = stage.connect(1);
    assert_eq!((sid.len(), pid.len()), (20, 0));
    let text = Packet::new("/", Kind::Connect(Some(Value::object([("sid", sid.as_str().into())])))).encode();
    assert_eq!(decode(&text), stage.got[&1][0]);
    let (sid, pid) = self::stage().connect(1);
    assert_eq!((sid.len(), pid.len()), (20, 20));
    assert_ne!(sid, pid);
}

#[test]
fn a_gate_refuses_with_data_and_an_unknown_namespace_is_invalid() {
    let mut stage = stage();
    stage.connect_with(1, "/private", None);
    let refusal = Value::object([
        ("message", "unauthorized".into()),
        ("data", Value::object([("code", "E_AUTH".into())])),
    ]);
    assert_eq!(stage.got[&1], [Packet::new("/private", Kind::ConnectError(refusal))]);
    stage.connect_with(2, "/private", Some(Value::object([("token", "secret".into())])));
    assert!(stage.identity(2).is_some());
    stage.connect_with(3, "/nowhere", None);
    let refusal = Value::object([("message", "Invalid namespace".into())]);
    assert_eq!(stage.got[&3], [Packet::new("/nowhere", Kind::ConnectError(refusal))]);
}

#[test]
fn who_enters_no_namespace_is_closed_in_time() {
    let mut stage = Stage::new(Config { connect_timeout: Duration::from_secs(1), ..Config::default() });
    stage.input(Input::Opened(SessionId(1)));
    stage.connect(2);
    stage.connect_with(3, "/private", None);
    stage.wait(Duration::from_millis(999));
    assert!(stage.closed.is_empty());
    stage.wait(Duration::from_millis(2));
    assert_eq!(stage.closed, BTreeMap::from([(1, Reason::ConnectTimeout), (3, Reason::ConnectTimeout)]));
}

#[test]
fn packets_out_of_place_end_their_sender_and_nobody_else() {
    let mut stage = stage();
    stage.connect(1);
    stage.input(Input::Opened(SessionId(2)));
    stage.say(2, "join", vec!["a".into()]);
    stage.connect(3);
    stage.input(Input::Packet(SessionId(3), Packet::new("/", Kind::Connect(None))));
    stage.connect(4);
    stage.input(Input::Packet(SessionId(4), Packet::new("/", Kind::ConnectError(Value::Null))));
    let bad = Reason::BadPacket;
    assert_eq!(stage.closed, BTreeMap::from([(2, bad), (3, bad), (4, bad)]));
    stage.say(1, "no such event", vec![]);
    stage.input(Input::Packet(SessionId(1), Packet::new("/", Kind::Ack { id: 99, args: vec![] })));
    assert_eq!(stage.hub.sockets("/"), 1);
}

#[test]
fn who_was_put_out_of_a_namespace_may_have_packets_under_way() {
    let mut stage = stage();
    stage.connect(1);
    stage.say(1, "leave-me", vec![]);
    assert_eq!(stage.got[&1].last(), Some(&Packet::new("/", Kind::Disconnect)));
    stage.say(1, "join", vec!["a".into()]);
    assert_eq!(stage.hub.sockets("/"), 0);
    assert!(stage.closed.is_empty());
    stage.input(Input::Packet(SessionId(1), Packet::new("/", Kind::Connect(None))));
    assert_eq!(stage.hub.sockets("/"), 1);
}

#[test]
fn a_room_hears_its_members_and_the_speaker_does_not_hear_itself() {
    let mut stage = Stage::new(plain());
    (1..=3).for_each(|session| drop(stage.connect(session)));
    stage.say(1, "join", vec!["a".into()]);
    stage.say(2, "join", vec!["a".into()]);
    stage.say(1, "say", vec!["a".into(), "hi".into()]);
    stage.say(1, "say-all", vec!["a".into(), "all".into()]);
    assert_eq!(stage.events(1), ["said \"all\""]);
    assert_eq!(stage.events(2), ["said \"hi\"", "said \"all\""]);
    assert!(stage.events(3).is_empty());
    stage.say(2, "leave", vec!["a".into()]);
    stage.say(1, "say", vec!["a".into(), "gone".into()]);
    assert_eq!(stage.events(2).len(), 2);
    let (id, _) = stage.identity(3).unwrap();
    stage.say(1, "say", vec![id.into(), "direct".into()]);
    assert_eq!(stage.events(3), ["said \"direct\""]);
}

#[test]
fn what_is_for_one_socket_is_not_heard_or_answered_by_who_joined_the_room_of_its_id() {
    let mut stage = stage();
    let (victim, _) = stage.connect(1);
    let (sid, pid) = stage.connect(2);
    stage.say(2, "join", vec![victim.as_str().into()]);
    stage.say(1, "me", vec!["secret".into()]);
    stage.say(1, "ask-me", vec![]);
    assert_eq!(stage.events(1)[0], "said \"secret\"");
    assert!(stage.events(2).is_empty());
    // Nor later, from the log.
    stage.cut(2);
    assert!(stage.return_as(3, &sid, &pid, None));
    assert!(stage.events(3).is_empty());
    stage.cut(1);
    stage.say(3, "join", vec![format!("\0{victim}").into()]);
    assert!(stage.last_ack(3).is_some_and(|ack| ack.starts_with("[false")), "no room is called so");
    // What is for the room of that name, everyone in it gets.
    stage.say(3, "say-all", vec![victim.as_str().into(), "for the room".into()]);
    assert_eq!(stage.events(3), ["said \"for the room\""]);
}

#[test]
fn what_was_said_to_one_socket_alone_is_replayed_to_it() {
    let mut stage = stage();
    let (sid, pid) = stage.connect(1);
    stage.say(1, "me", vec!["secret".into()]);
    stage.cut(1);
    assert!(stage.return_as(2, &sid, &pid, None));
    assert_eq!(stage.events(2), ["said \"secret\""]);
}

#[test]
fn an_event_is_encoded_once_for_all_who_get_it() {
    let mut stage = Stage::new(plain());
    for session in 1..=50 {
        stage.connect(session);
        stage.say(session, "join", vec!["a".into()]);
    }
    let kind = Kind::Event { name: "say".into(), args: vec!["a".into(), "x".into()], ack: None };
    stage.hub.handle(stage.now, Input::Packet(SessionId(1), Packet::new("/", kind)));
    let outputs: Vec<_> = std::iter::from_fn(|| stage.hub.poll(stage.now)).collect();
    let sizes: Vec<_> = outputs
        .iter()
        .filter_map(|o| if let Output::Send { to, .. } = o { Some(to.len()) } else { None })
        .collect();
    assert_eq!(sizes, [49]);
}

#[test]
fn a_socket_joins_no_more_rooms_than_it_may() {
    let mut stage = Stage::new(Config { rooms_per_socket: 2, room_name: 5, ..Config::default() });
    let (sid, _) = stage.connect(1);
    for room in ["a", "b", "b", "c"] {
        stage.say(1, "join", vec![room.into()]);
    }
    assert_eq!(stage.last_ack(1), Some(format!("[false,[\"{sid}\",\"a\",\"b\"]]")));
    stage.say(1, "leave", vec!["a".into()]);
    stage.say(1, "join", vec!["too long".into()]);
    assert_eq!(stage.last_ack(1), Some(format!("[false,[\"{sid}\",\"b\"]]")));
}

#[test]
fn a_full_namespace_refuses() {
    let mut stage = Stage::new(Config { sockets_per_namespace: 1, ..Config::default() });
    stage.connect(1);
    stage.connect_with(2, "/", None);
    assert!(matches!(stage.got[&2][0].kind, Kind::ConnectError(_)));
    stage.input(Input::Packet(SessionId(1), Packet::new("/", Kind::Disconnect)));
    stage.connect(3);
}

#[test]
fn who_sends_too_fast_is_refused_and_told_when_to_go_on() {
    let rate = Rate { per_second: 10, burst: 2 };
    let mut stage = Stage::new(Config { rate: Some(rate), ..Config::default() });
    stage.connect(1);
    (0..3).for_each(|_| stage.say(1, "who", vec![]));
    let refusal = r#"[{"ok":false,"error":"too many events","code":"E_RATE","retryAfterMs":100}]"#;
    assert_eq!(stage.last_ack(1).as_deref(), Some(refusal));
    stage.wait(Duration::from_millis(100));
    stage.say(1, "who", vec![]);
    assert_eq!(stage.last_ack(1).as_deref(), Some("[null]"));
}

#[test]
fn who_leaves_and_enters_again_or_comes_back_has_no_new_allowance() {
    let rate = Rate { per_second: 1, burst: 5 };
    let mut stage = Stage::new(Config { rate: Some(rate), ..Config::default() });
    stage.connect(1);
    let refused = |stage: &Stage, session| stage.last_ack(session).is_some_and(|ack| ack.contains("E_RATE"));
    (0..4).for_each(|_| stage.say(1, "who", vec![]));
    stage.input(Input::Packet(SessionId(1), Packet::new("/", Kind::Disconnect)));
    stage.input(Input::Packet(SessionId(1), Packet::new("/", Kind::Connect(None))));
    assert_eq!(stage.hub.sockets("/"), 1);
    assert!(!refused(&stage, 1));
    stage.say(1, "who", vec![]);
    assert!(refused(&stage, 1), "entering took the last one");
    stage.input(Input::Packet(SessionId(1), Packet::new("/", Kind::Disconnect)));
    stage.input(Input::Packet(SessionId(1), Packet::new("/", Kind::Connect(None))));
    assert!(matches!(stage.got[&1].last().unwrap().kind, Kind::ConnectError(_)));
    assert_eq!(stage.hub.sockets("/"), 0);

    let (sid, pid) = stage.connect(2);
    (0..5).for_each(|_| stage.say(2, "who", vec![]));
    stage.cut(2);
    assert!(stage.return_as(3, &sid, &pid, None));
    stage.say(3, "who", vec![]);
    assert!(refused(&stage, 3));
}

#[test]
fn the_names_of_a_sockets_rooms_are_bounded_together() {
    let mut stage = Stage::new(Config { room_names: 10, ..Config::default() });
    let (sid, _) = stage.connect(1);
    for room in ["first", "later", "x"] {
        stage.say(1, "join", vec![room.into()]);
    }
    assert_eq!(stage.last_ack(1), Some(format!("[false,[\"{sid}\",\"first\",\"later\"]]")));
    stage.say(1, "leave", vec!["first".into()]);
    stage.say(1, "join", vec!["x".into()]);
    assert_eq!(stage.last_ack(1), Some(format!("[true,[\"{sid}\",\"later\",\"x\"]]")));
}

#[test]
fn answers_are_collected_until_all_have_come_or_the_time_is_over() {
    let mut stage = stage();
    (1..=4).for_each(|session| {
        stage.connect(session);
        stage.say(session, "join", vec!["a".into()]);
    });
    let answer = |stage: &mut Stage, session: u64| {
        let Some(Kind::Event { ack: Some(id), .. }) = stage.got[&session]
            .iter()
            .rev()
            .map(|p| p.kind.clone())
            .find(|k| matches!(k, Kind::Event { .. }))
        else {
            panic!("a question should have come")
        };
        let kind = Kind::Ack { id, args: vec![session.into()] };
        stage.input(Input::Packet(SessionId(session), Packet::new("/", kind)));
    };
    stage.say(1, "ask", vec!["a".into(), "?".into()]);
    answer(&mut stage, 3);
    answer(&mut stage, 3);
    answer(&mut stage, 2);
    answer(&mut stage, 4);
    assert_eq!(stage.last_ack(1).as_deref(), Some("[[3,2,4],0]"));
    stage.say(1, "ask", vec!["a".into(), "again?".into()]);
    answer(&mut stage, 2);
    stage.cut(3);
    stage.wait(Duration::from_millis(1001));
    assert_eq!(stage.last_ack(1).as_deref(), Some("[[2],2]"));
    stage.say(1, "ask", vec!["nobody".into(), "?".into()]);
    assert_eq!(stage.last_ack(1).as_deref(), Some("[[],0]"));
}

#[test]
fn everything_is_left_on_disconnect_and_the_program_still_sees_what() {
    let mut stage = Stage::new(plain());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    stage.hub.of("/").on_disconnect(move |cx, reason| {
        let rooms = cx.rooms().len();
        let members = cx.members("a");
        told.lock().unwrap().push((rooms, members, reason));
        cx.to("a").emit("left", vec![true.into()]);
    });
    stage.connect(1);
    stage.connect(2);
    stage.say(1, "join", vec!["a".into()]);
    stage.say(2, "join", vec!["a".into()]);
    stage.cut(1);
    assert_eq!(*seen.lock().unwrap(), [(2, 1, Reason::TransportClosed)]);
    assert_eq!(stage.events(2), ["left true"]);
    stage.say(2, "close-me", vec![]);
    assert_eq!(stage.closed[&2], Reason::ServerClosed);
    assert_eq!((stage.hub.sockets("/"), stage.hub.sessions()), (0, 0));
}

#[test]
fn a_copy_of_an_event_has_no_second_effect() {
    let mut stage = stage();
    stage.connect(1);
    stage.connect(2);
    stage.say(1, "say-id", vec!["ada:1".into(), "x".into()]);
    stage.say(1, "say-id", vec!["ada:1".into(), "x".into()]);
    assert_eq!(stage.last_ack(1).as_deref(), Some("[true]"));
    stage.say(1, "say-id", vec!["ada:2".into(), "y".into()]);
    assert_eq!(stage.events(2), ["said \"x\"", "said \"y\""]);
}

#[test]
fn a_slow_reader_is_cut_off_and_gets_the_rest_when_it_returns() {
    let mut stage = Stage::new(Config { queue_bytes: 200, ..Config::default() });
    stage.connect(1);
    let (sid, pid) = stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    stage.deaf.push(2);
    for number in 0..30u64 {
        stage.say(1, "say", vec!["a".into(), number.into()]);
    }
    assert_eq!(stage.closed[&2], Reason::SlowReader);
    let before = stage.events(2);
    assert!(before.len() < 30);
    assert!(stage.return_as(3, &sid, &pid, stage.offset(2).as_deref()));
    let all: Vec<_> = before.into_iter().chain(stage.events(3)).collect();
    assert_eq!(all, (0..30).map(|n| format!("said {n}")).collect::<Vec<_>>());
}

#[test]
fn history_is_read_from_the_log() {
    let mut stage = stage();
    stage.connect(1);
    stage.say(1, "say", vec!["a".into(), bytes::Bytes::from_static(b"\x01").into()]);
    stage.say(1, "say", vec!["b".into(), "elsewhere".into()]);
    stage.say(1, "say", vec!["a".into(), "two".into()]);
    stage.say(1, "history", vec!["a".into()]);
    let Some(Kind::Ack { args, .. }) = stage.got[&1].last().map(|packet| &packet.kind) else {
        panic!("an ack")
    };
    let past = vec![bytes::Bytes::from_static(b"\x01").into(), "two".into()];
    assert_eq!(args[..], [Value::Array(past)]);
}

mod bounds;
mod model;
mod origins;
mod returning;
mod shared;
