//! What a client could make grow, and where it stops.

use super::*;
use crate::chat::SharedLog;

fn bounded(change: impl FnOnce(&mut Config)) -> Stage {
    let mut config = Config::default();
    change(&mut config);
    Stage::new(config)
}

/// The numbers of the questions that came.
fn asked(stage: &Stage, session: u64) -> Vec<u64> {
    let packets = stage.got.get(&session).map(Vec::as_slice).unwrap_or_default();
    packets.iter().filter_map(|p| if let Kind::Event { ack, .. } = p.kind { ack } else { None }).collect()
}

fn answer(stage: &mut Stage, session: u64, id: u64, answer: &str) {
    let kind = Kind::Ack { id, args: vec![answer.into()] };
    stage.input(Input::Packet(SessionId(session), Packet::new("/", kind)));
}

#[test]
fn a_session_enters_no_more_namespaces_than_it_may() {
    let mut stage = bounded(|config| config.namespaces_per_session = 2);
    for name in ["/a", "/b", "/c"] {
        stage.hub.of(name);
    }
    stage.connect(1);
    let enter = |stage: &mut Stage, name: &str| {
        stage.input(Input::Packet(SessionId(1), Packet::new(name, Kind::Connect(None))));
        stage.got[&1].last().map(|packet| packet.kind.clone())
    };
    assert!(matches!(enter(&mut stage, "/a"), Some(Kind::Connect(_))));
    let refusal = Value::object([("message", "Too many namespaces".into())]);
    assert_eq!(enter(&mut stage, "/b"), Some(Kind::ConnectError(refusal)));
    stage.input(Input::Packet(SessionId(1), Packet::new("/a", Kind::Disconnect)));
    assert!(matches!(enter(&mut stage, "/c"), Some(Kind::Connect(_))));
}

#[test]
fn a_socket_asks_no_more_than_it_may_and_others_ask_on() {
    let mut stage = bounded(|config| config.ask_bytes = 3 * (512 + 32));
    (1..=3).for_each(|session| drop(stage.connect(session)));
    stage.say(2, "join", vec!["a".into()]);
    (0..5).for_each(|_| stage.say(1, "ask", vec!["a".into(), "?".into()]));
    let ids = asked(&stage, 2);
    assert_eq!(ids.len(), 3);
    assert_eq!(stage.last_ack(1).as_deref(), Some("[[],1]"), "the fourth is missing at once");
    answer(&mut stage, 2, ids[0], "one");
    stage.say(1, "ask", vec!["a".into(), "?".into()]);
    assert_eq!(asked(&stage, 2).len(), 4, "an answer makes room");
    stage.wait(Duration::from_secs(2));
    (0..5).for_each(|_| stage.say(1, "ask", vec!["a".into(), "?".into()]));
    assert_eq!(asked(&stage, 2).len(), 7, "and so does the end of the time");
    (0..5).for_each(|_| stage.say(3, "ask", vec!["a".into(), "?".into()]));
    assert_eq!(asked(&stage, 2).len(), 10, "another socket has a limit of its own");
}

#[test]
fn what_a_socket_has_asked_ends_when_it_leaves() {
    let mut stage = stage();
    stage.connect(1);
    stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    (0..5).for_each(|_| stage.say(1, "ask", vec!["a".into(), "?".into()]));
    assert_eq!((asked(&stage, 2).len(), stage.hub.questions()), (5, 5));
    stage.cut(1);
    assert_eq!(stage.hub.questions(), 0, "no answer is awaited");
    // An answer that comes too late is no offence.
    let id = asked(&stage, 2)[0];
    answer(&mut stage, 2, id, "late");
    assert!(stage.closed.is_empty());
}

#[test]
fn a_hundred_questions_at_once_are_put() {
    let mut stage = stage();
    stage.connect(1);
    stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    (0..100).for_each(|_| stage.say(1, "ask", vec!["a".into(), "?".into()]));
    assert_eq!(asked(&stage, 2).len(), 100);
}

#[test]
fn a_room_that_is_named_a_thousand_times_counts_once_and_a_thousand_rooms_are_too_many() {
    let mut stage = bounded(|config| config.rooms_per_event = 2);
    (1..=2).for_each(|session| drop(stage.connect(session)));
    stage.say(2, "join", vec!["a".into()]);
    let mut said = |to: &[&str], except: &[&str]| {
        let mut receivers = 0;
        stage.hub.io(Instant::ZERO, "/", |cx| {
            let (to, except) = (to.repeat(1000), except.repeat(1000));
            let all = to.iter().fold(cx.io(), |all, room| all.to(room));
            let all = except.iter().fold(all, |all, room| all.except(room));
            let is_too_wide = all.is_too_wide();
            receivers = all.emit("said", vec![]).receivers;
            assert!(!is_too_wide || receivers == 0);
        });
        receivers
    };
    assert_eq!(said(&["a"], &[]), 1);
    assert_eq!(said(&["a", "b"], &["c", "d"]), 1);
    assert_eq!((said(&["a", "b", "c"], &[]), said(&["a"], &["b", "c", "d"])), (0, 0));
}

#[test]
fn answers_that_are_too_much_together_count_as_missing() {
    let mut stage = bounded(|config| config.answer_bytes = 100);
    (1..=3).for_each(|session| drop(stage.connect(session)));
    (2..=3).for_each(|session| stage.say(session, "join", vec!["a".into()]));
    stage.say(1, "ask", vec!["a".into(), "?".into()]);
    let id = asked(&stage, 2)[0];
    answer(&mut stage, 2, id, "short");
    answer(&mut stage, 3, id, &"long".repeat(100));
    assert_eq!(stage.last_ack(1).as_deref(), Some("[[\"short\"],1]"));
    // Two questions share the room, and give it back.
    for _ in 0..2 {
        (0..2).for_each(|_| stage.say(1, "ask", vec!["a".into(), "?".into()]));
        let ids = asked(&stage, 2);
        let [.., one, two] = ids[..] else { panic!("two questions") };
        answer(&mut stage, 2, one, &"half".repeat(10));
        answer(&mut stage, 2, two, &"half".repeat(10));
        answer(&mut stage, 3, two, "short");
        assert_eq!(stage.last_ack(1).as_deref(), Some("[[],2]"), "the first holds it while it is open");
        answer(&mut stage, 3, one, "");
        assert!(stage.last_ack(1).is_some_and(|ack| ack.contains("half")));
    }
}

#[test]
fn a_volatile_event_is_dropped_where_much_waits_and_ends_nobody() {
    let mut stage = bounded(|config| config.volatile_bytes = 100);
    stage.connect(1);
    stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    stage.deaf.push(2);
    (0..50).for_each(|_| stage.say(1, "volatile", vec!["a".into(), "x".into()]));
    let heard = stage.events(2).len();
    assert!((1..10).contains(&heard), "{heard}");
    assert!(stage.closed.is_empty());
}

#[test]
fn ids_of_senders_are_remembered_within_bounds_of_number_and_length() {
    let mut stage = bounded(|config| config.sender_ids = 2);
    stage.connect(1);
    let long = |end: &str| "x".repeat(10_000) + end;
    let mut is_duplicate = |id: String| {
        stage.say(1, "say-id", vec![id.into(), "word".into()]);
        stage.last_ack(1).as_deref() == Some("[true]")
    };
    assert!(!is_duplicate(long("1")) && !is_duplicate(long("2")));
    assert!(
        is_duplicate(long("1")) && is_duplicate(long("2")),
        "long ones are distinguished by all of their bytes"
    );
    assert!(!is_duplicate("3".into()));
    assert!(!is_duplicate(long("1")), "it was the oldest of three and only two are kept");
    // What is kept of an id is short, however long it is.
    let log = SharedLog::new(Retention::default());
    let mut stage = Stage::with_log(Config::default(), Box::new(log.clone()), 1);
    stage.connect(1);
    stage.say(1, "say-id", vec![long("1").into(), "word".into()]);
    let kept = log.records("/")[0].sender_id.as_ref().map_or(0, |id| id.len());
    assert!((1..=64).contains(&kept), "{kept} bytes");
}

#[test]
fn old_events_go_by_time_also_when_nothing_new_is_said() {
    let retention = Retention { age: Duration::from_secs(60), ..Retention::default() };
    let log = SharedLog::new(retention);
    let mut stage = Stage::with_log(Config::default(), Box::new(log.clone()), 1);
    stage.connect(1);
    stage.say(1, "say", vec!["a".into(), "soon forgotten".into()]);
    stage.wait(Duration::from_secs(50));
    assert_eq!(log.records("/").len(), 1);
    stage.wait(Duration::from_secs(25));
    assert_eq!(log.records("/").len(), 0);
    assert_eq!(stage.wake_at, Instant::NEVER, "there is nothing left to forget, so it is not woken for it");
}

#[test]
fn who_reads_nothing_holds_no_more_than_its_queue_and_nobody_waits_for_it() {
    let mut stage = bounded(|config| config.queue_bytes = 10_000);
    (1..=3).for_each(|session| drop(stage.connect(session)));
    (2..=3).for_each(|session| stage.say(session, "join", vec!["a".into()]));
    stage.deaf.push(2);
    (0..1000u64).for_each(|n| stage.say(1, "say", vec!["a".into(), n.into()]));
    let waits: usize = stage.got[&2].iter().map(|packet| packet.encode().len()).sum();
    // What greeted it had gone out before.
    assert!(waits <= 10_200, "{waits}");
    assert_eq!(stage.closed, BTreeMap::from([(2, Reason::SlowReader)]));
    assert_eq!(stage.events(3), (0..1000).map(|n| format!("said {n}")).collect::<Vec<_>>());
}

#[test]
fn an_event_with_more_attachments_than_clients_take_is_not_delivered_nor_replayed_from_an_old_log() {
    let bytes = |count: usize| -> Vec<Value> {
        std::iter::once("a".into())
            .chain((0..count).map(|n| bytes::Bytes::from(vec![n as u8]).into()))
            .collect()
    };
    let log = SharedLog::new(Retention::default());
    let mut old = Stage::with_log(Config { attachments: 100, ..Config::default() }, Box::new(log.clone()), 1);
    old.connect(1);
    let (sid, pid) = old.connect(2);
    old.say(2, "join", vec!["a".into()]);
    old.cut(2);
    [11, 10].into_iter().for_each(|count| old.say(1, "say", bytes(count)));
    drop(old);
    let mut stage = Stage::with_log(Config::default(), Box::new(log.clone()), 2);
    assert!(stage.return_as(3, &sid, &pid, None));
    assert_eq!(stage.events(3).len(), 1, "the one with ten");
    stage.connect(4);
    stage.say(4, "say", bytes(11));
    assert_eq!(
        (stage.last_ack(4).as_deref(), log.records("/").len()),
        (Some("[0]"), 2),
        "it is not kept either"
    );
    stage.say(4, "ask", bytes(11));
    assert_eq!(stage.last_ack(4).as_deref(), Some("[[],1]"));
    stage.say(4, "say", bytes(10));
    assert_eq!((stage.events(3).len(), stage.closed.len()), (2, 0));
}

#[test]
fn an_answer_with_more_attachments_than_clients_take_is_an_error_in_its_place() {
    let mut stage = bounded(|_| ());
    stage.hub.of("/").on("echo", |cx, args, ack| ack.send(cx, args.to_vec()));
    stage.connect(1);
    let bytes = |count: usize| -> Vec<Value> {
        (0..count).map(|n| Value::from(bytes::Bytes::from(vec![n as u8]))).collect()
    };
    stage.say(1, "echo", bytes(10));
    let answers = |stage: &Stage| match &stage.got[&1].last().expect("an answer").kind {
        Kind::Ack { args, .. } => args.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(answers(&stage), bytes(10));
    stage.say(1, "echo", bytes(11));
    let [answer] = &answers(&stage)[..] else { panic!("one argument") };
    let code = answer.get("error").and_then(|error| error.get("data")?.get("code").cloned());
    assert_eq!(code, Some("E_ATTACHMENTS".into()), "{}", answer.to_json());
}
