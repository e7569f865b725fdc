//! What those of one origin may take, and what a restart leaves of the time to come back.

use super::*;
use crate::chat::SharedLog;

fn connect_from(stage: &mut Stage, session: u64, origin: &str) -> (String, String) {
    stage.input(Input::Opened(SessionId(session)));
    stage.input(Input::Origin(SessionId(session), origin.into()));
    let packet = Packet::new("/", Kind::Connect(None));
    stage.input(Input::Packet(SessionId(session), packet));
    stage.identity(session).expect("the hub lets it in")
}

#[test]
fn the_window_does_not_begin_anew_at_a_restart() {
    let disk = SharedLog::new(Retention::default());
    let second = |n: u64| 1_700_000_000_000 + n * 1000;
    let run = |epoch_ms, seed| {
        Stage::with_log(Config { epoch_ms, ..Config::default() }, Box::new(disk.clone()), seed)
    };
    let mut stage = run(second(0), 1);
    let [left, stayed, late] = [1, 2, 3].map(|session| stage.connect(session));
    stage.wait(Duration::from_secs(10));
    stage.cut(1);
    stage.cut(3);
    drop(stage);
    // It ends at second 10 and is back at second 70, and again at second 100: one left 90 s ago, the other was
    // connected at the end, so it counts as away since second 70.
    drop(run(second(70), 2));
    let mut stage = run(second(100), 3);
    assert_eq!(stage.hub.away("/"), 3);
    stage.wait(Duration::from_millis(29_900));
    assert!(stage.return_as(4, &left.0, &left.1, None), "119.9 s after it left");
    stage.wait(Duration::from_millis(200));
    assert!(!stage.return_as(5, &late.0, &late.1, None), "120.1 s after it left");
    stage.wait(Duration::from_millis(59_800));
    assert!(stage.return_as(6, &stayed.0, &stayed.1, None), "119.9 s after the restart");
}

#[test]
fn whoever_fills_the_table_of_those_who_are_away_loses_by_it() {
    let recovery = Recovery { away: 10, ..Recovery::default() };
    let mut stage = Stage::new(Config { recovery: Some(recovery), ..Config::default() });
    let quiet: Vec<_> = (1..=3)
        .map(|session| {
            let who = connect_from(&mut stage, session, &format!("192.0.2.{session}"));
            stage.say(session, "join", vec!["a".into()]);
            stage.cut(session);
            who
        })
        .collect();
    for session in 10..200 {
        connect_from(&mut stage, session, "198.51.100.7");
        stage.say(session, "join", vec!["a".into()]);
        stage.cut(session);
    }
    assert_eq!(stage.hub.away("/"), 10);
    for (n, (sid, pid)) in quiet.iter().enumerate() {
        assert!(stage.return_as(300 + n as u64, sid, pid, None), "{n} was evicted by others");
    }
    // The newest of the many are there.
    let (sid, pid) = stage.identity(199).expect("it was let in");
    assert!(stage.return_as(400, &sid, &pid, None));
}

#[test]
fn nobody_pushes_out_of_the_log_what_those_of_other_origins_have_missed() {
    let retention = Retention { bytes: 100_000, ..Retention::default() };
    let log = SharedLog::new(retention);
    let config = Config { origin_bytes: 50_000, ..Config::default() };
    let mut stage = Stage::with_log(config, Box::new(log.clone()), 1);
    let (sid, pid) = connect_from(&mut stage, 1, "192.0.2.1");
    stage.say(1, "join", vec!["a".into()]);
    connect_from(&mut stage, 2, "192.0.2.2");
    stage.cut(1);
    stage.say(2, "say", vec!["a".into(), "missed".into()]);
    // A flood, from as many connections as one likes.
    let large = "x".repeat(1000);
    for session in 10..30 {
        connect_from(&mut stage, session, "198.51.100.7");
        for _ in 0..50 {
            stage.say(session, "say", vec!["b".into(), large.as_str().into()]);
        }
    }
    let refusal = stage.last_ack(29).expect("an answer");
    assert!(refusal.contains("E_RATE") && refusal.contains("retryAfterMs"), "{refusal}");
    assert!(log.bytes("/") < 60_000, "{} bytes", log.bytes("/"));
    // Others go on, and the one who was away has missed nothing.
    stage.say(2, "say", vec!["a".into(), "later".into()]);
    assert!(stage.return_as(50, &sid, &pid, None));
    assert_eq!(stage.events(50), ["said \"missed\"", "said \"later\""]);
    // The part comes back with time: a third in a minute.
    stage.wait(Duration::from_secs(60));
    let before = log.bytes("/");
    for _ in 0..50 {
        stage.say(10, "say", vec!["b".into(), large.as_str().into()]);
    }
    let more = log.bytes("/") - before;
    assert!((14_000..20_000).contains(&more), "{more} bytes more");
}

#[test]
fn where_nobody_else_is_one_origin_may_say_what_it_likes() {
    let log = SharedLog::new(Retention::default());
    let config = Config { origin_bytes: 10_000, ..Config::default() };
    let mut stage = Stage::with_log(config, Box::new(log.clone()), 1);
    connect_from(&mut stage, 1, "192.0.2.1");
    connect_from(&mut stage, 2, "192.0.2.1");
    (0..100).for_each(|_| stage.say(1, "say", vec!["a".into(), "x".repeat(1000).into()]));
    assert_eq!(log.records("/").len(), 100);
    connect_from(&mut stage, 3, "192.0.2.3");
    stage.say(1, "say", vec!["a".into(), "x".into()]);
    assert_eq!(log.records("/").len(), 100);
    stage.say(3, "say", vec!["a".into(), "x".into()]);
    assert_eq!(log.records("/").len(), 101);
}
