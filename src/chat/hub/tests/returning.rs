//! Coming back: each case that `recovery.rs` names.

use super::*;

/// Two clients in room "a", and the secret of the second.
fn two() -> (Stage, String, String) {
    let mut stage = stage();
    stage.connect(1);
    let (sid, pid) = stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    (stage, sid, pid)
}

fn say(stage: &mut Stage, word: &str) {
    stage.say(1, "say", vec!["a".into(), word.into()]);
}

#[test]
fn what_was_missed_comes_in_order_and_once_with_id_rooms_and_data() {
    let (mut stage, sid, pid) = two();
    stage.say(2, "name", vec!["Ada".into()]);
    say(&mut stage, "one");
    let offset = stage.offset(2);
    stage.cut(2);
    say(&mut stage, "two");
    stage.say(1, "say", vec!["elsewhere".into(), "not for it".into()]);
    stage.say(1, "say", vec![sid.as_str().into(), bytes::Bytes::from_static(b"three").into()]);
    assert!(stage.return_as(3, &sid, &pid, offset.as_deref()));
    assert_eq!(stage.identity(3).unwrap().1, pid, "stock clients compare it");
    say(&mut stage, "four");
    let events = stage.events(3);
    assert_eq!(events, ["said \"two\"", "said [116,104,114,101,101]", "said \"four\""]);
    stage.say(3, "who", vec![]);
    assert_eq!(stage.last_ack(3).as_deref(), Some("[\"Ada\"]"));
    stage.say(3, "join", vec!["b".into()]);
    assert_eq!(stage.last_ack(3), Some(format!("[true,[\"{sid}\",\"a\",\"b\"]]")));
}

#[test]
fn it_works_when_nothing_was_received_before_the_break() {
    let (mut stage, sid, pid) = two();
    stage.cut(2);
    say(&mut stage, "one");
    assert!(stage.return_as(3, &sid, &pid, None));
    assert_eq!(stage.events(3), ["said \"one\""]);
}

#[test]
fn it_works_when_the_last_event_was_volatile_or_kept_nowhere() {
    for kind in ["volatile", "lossy"] {
        let (mut stage, sid, pid) = two();
        say(&mut stage, "one");
        stage.say(1, kind, vec!["a".into(), "a word that is no offset".into()]);
        let offset = stage.offset(2);
        stage.cut(2);
        stage.say(1, kind, vec!["a".into(), "lost, as it may be".into()]);
        say(&mut stage, "two");
        assert!(stage.return_as(3, &sid, &pid, offset.as_deref()), "{kind}");
        assert_eq!(stage.events(3), ["said \"two\""], "{kind}");
    }
}

#[test]
fn it_works_when_the_old_connection_is_half_open_and_a_second_time() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let first = stage.offset(2);
    // The hub does not know that session 2 is dead: it goes on sending to it.
    say(&mut stage, "two");
    assert!(!stage.return_as(3, &sid, &pid, first.as_deref()), "it has to wait");
    assert_eq!(stage.probed, [2]);
    stage.wait(Duration::from_millis(751));
    assert_eq!(stage.closed[&2], Reason::Superseded);
    assert_eq!(stage.identity(3), Some((sid.clone(), pid.clone())));
    assert_eq!(stage.events(3), ["said \"two\""]);
    let second = stage.offset(3);
    say(&mut stage, "three");
    stage.return_as(4, &sid, &pid, second.as_deref());
    stage.wait(Duration::from_millis(751));
    assert_eq!(stage.identity(4), Some((sid, pid)));
    say(&mut stage, "four");
    assert_eq!(stage.events(4), ["said \"three\"", "said \"four\""]);
    assert_eq!(stage.hub.sockets("/"), 2);
}

#[test]
fn it_works_a_second_time_though_nothing_was_said_in_between() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let offset = stage.offset(2);
    for session in 3..6 {
        stage.return_as(session, &sid, &pid, offset.as_deref());
        stage.wait(Duration::from_millis(751));
        assert_eq!(stage.identity(session), Some((sid.clone(), pid.clone())), "session {session}");
    }
    say(&mut stage, "two");
    assert_eq!(stage.events(5), ["said \"two\""]);
    // From here on that offset is out of date.
    stage.return_as(6, &sid, &pid, offset.as_deref());
    stage.wait(Duration::from_millis(751));
    assert_ne!(stage.identity(6), Some((sid, pid)));
}

#[test]
fn the_end_of_the_old_connection_lets_the_client_in_at_once() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    assert!(!stage.return_as(3, &sid, &pid, None));
    stage.cut(2);
    assert_eq!(stage.identity(3), Some((sid, pid)));
    assert_eq!(stage.events(3), ["said \"one\""]);
}

#[test]
fn somebody_else_with_the_secret_of_a_living_connection_gets_nothing_of_it() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "private");
    stage.return_as(3, &sid, &pid, None);
    stage.input(Input::Alive(SessionId(2)));
    let (other, fresh) = stage.identity(3).unwrap();
    assert!(other != sid && fresh != pid);
    assert_eq!(stage.events(3), [""; 0]);
    say(&mut stage, "still here");
    assert_eq!(stage.events(2), ["said \"private\"", "said \"still here\""]);
}

#[test]
fn a_secret_with_its_offset_works_once() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let offset = stage.offset(2);
    stage.cut(2);
    say(&mut stage, "two");
    assert!(stage.return_as(3, &sid, &pid, offset.as_deref()));
    stage.return_as(4, &sid, &pid, offset.as_deref());
    stage.wait(Duration::from_millis(751));
    let (other, fresh) = stage.identity(4).unwrap();
    assert!(other != sid && fresh != pid);
    assert!(!stage.closed.contains_key(&3), "its owner is not disturbed");
    say(&mut stage, "three");
    assert_eq!(stage.events(3), ["said \"two\"", "said \"three\""]);
    assert_eq!(stage.events(4), [""; 0]);
}

#[test]
fn an_offset_behind_what_was_received_is_not_its_owners() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let stale = stage.offset(2);
    say(&mut stage, "two");
    // The first pong says nothing of what was sent after its ping; the second covers it.
    stage.input(Input::Alive(SessionId(2)));
    stage.input(Input::Alive(SessionId(2)));
    stage.cut(2);
    assert!(!stage.return_as(3, &sid, &pid, stale.as_deref()));
    assert!(!stage.return_as(4, &sid, &pid, None));
    assert!(stage.return_as(5, &sid, &pid, stage.offset(2).as_deref()), "its owner can still come");
}

#[test]
fn a_reply_that_was_lost_does_not_lock_the_client_out() {
    let (mut stage, sid, pid) = two();
    stage.cut(2);
    say(&mut stage, "one");
    assert!(stage.return_as(3, &sid, &pid, None));
    // The client never saw that reply; it tries again, and the end of the connection between arrives a little later.
    assert!(!stage.return_as(4, &sid, &pid, None));
    stage.cut(3);
    assert_eq!(stage.identity(4), Some((sid, pid)));
    assert_eq!(stage.events(4), ["said \"one\""]);
}

#[test]
fn the_window_ends() {
    let (mut stage, sid, pid) = two();
    stage.cut(2);
    stage.wait(Duration::from_secs(119));
    assert_eq!(stage.hub.away("/"), 1);
    stage.wait(Duration::from_secs(2));
    assert_eq!(stage.hub.away("/"), 0);
    assert!(!stage.return_as(3, &sid, &pid, None));
}

#[test]
fn who_left_on_purpose_or_was_put_out_does_not_come_back() {
    let (mut stage, sid, pid) = two();
    stage.input(Input::Packet(SessionId(2), Packet::new("/", Kind::Disconnect)));
    stage.cut(2);
    assert!(!stage.return_as(3, &sid, &pid, None));
    let (sid, pid) = stage.identity(3).unwrap();
    stage.say(3, "leave-me", vec![]);
    assert!(!stage.return_as(4, &sid, &pid, None));
}

#[test]
fn nonsense_for_a_secret_or_an_offset_begins_anew() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    stage.cut(2);
    for (session, offset) in [(3, "no offset"), (4, "-1"), (5, "99999"), (6, "99999999999999999999999")] {
        assert!(!stage.return_as(session, &sid, &pid, Some(offset)), "{offset}");
    }
    assert!(!stage.return_as(7, &sid, "guessed", None));
    let odd = Value::object([("pid", pid.as_str().into()), ("offset", 1u64.into())]);
    stage.connect_with(8, "/", Some(odd));
    assert_ne!(stage.identity(8).unwrap().0, sid);
    assert!(stage.return_as(9, &sid, &pid, None));
}

#[test]
fn what_was_dropped_from_the_log_is_not_passed_over_in_silence() {
    let retention = Retention { events: 3, ..Retention::default() };
    let mut stage = Stage::with_log(Config::default(), Box::new(MemoryLog::new(retention)), 1);
    stage.connect(1);
    let (sid, pid) = stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    say(&mut stage, "one");
    let offset = stage.offset(2);
    stage.cut(2);
    (0..4).for_each(|_| say(&mut stage, "more"));
    assert!(!stage.return_as(3, &sid, &pid, offset.as_deref()));
}

#[test]
fn an_event_from_before_a_room_was_left_is_not_withheld() {
    let (mut stage, sid, pid) = two();
    // Lost on the way: the client never got it, then left the room, then broke off.
    say(&mut stage, "while a member");
    stage.say(2, "leave", vec!["a".into()]);
    say(&mut stage, "not a member");
    stage.say(2, "join", vec!["a".into()]);
    stage.cut(2);
    assert!(stage.return_as(3, &sid, &pid, None));
    assert_eq!(stage.events(3), ["said \"while a member\""]);
}

#[test]
fn a_long_absence_is_caught_up_with_in_steps_and_new_events_follow_in_order() {
    let recovery = Recovery { replay_bytes: 1000, ..Recovery::default() };
    let mut stage = Stage::new(Config { recovery: Some(recovery), ..Config::default() });
    stage.connect(1);
    let (sid, pid) = stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    stage.cut(2);
    (0..1000u64).for_each(|n| stage.say(1, "say", vec!["a".into(), n.into()]));
    stage.deaf.push(3);
    assert!(stage.return_as(3, &sid, &pid, None));
    assert!(stage.events(3).len() < 100, "it reads nothing, so little is on its way");
    stage.say(1, "say", vec!["a".into(), 1000u64.into()]);
    stage.deaf.clear();
    stage.input(Input::Sent(SessionId(3), usize::MAX));
    stage.say(1, "say", vec!["a".into(), 1001u64.into()]);
    assert_eq!(stage.events(3), (0..1002).map(|n| format!("said {n}")).collect::<Vec<_>>());
}

#[test]
fn the_first_answer_after_a_return_comes_behind_all_that_was_missed() {
    let recovery = Recovery { replay_bytes: 1000, ..Recovery::default() };
    let mut stage = Stage::new(Config { recovery: Some(recovery), ..Config::default() });
    stage.connect(1);
    let (sid, pid) = stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    stage.cut(2);
    (0..300u64).for_each(|n| stage.say(1, "say", vec!["a".into(), n.into()]));
    stage.deaf.push(3);
    assert!(stage.return_as(3, &sid, &pid, None));
    let kind = Kind::Event { name: "join".into(), args: vec!["b".into()], ack: Some(7) };
    stage.input(Input::Packet(SessionId(3), Packet::new("/", kind)));
    let is_answer = |packet: &&Packet| matches!(packet.kind, Kind::Ack { id: 7, .. });
    assert_eq!(stage.got[&3].iter().filter(is_answer).count(), 0, "it reads nothing");
    stage.deaf.clear();
    stage.input(Input::Sent(SessionId(3), usize::MAX));
    assert_eq!(stage.events(3).len(), 300);
    assert!(stage.got[&3].last().as_ref().is_some_and(is_answer));
}

#[test]
fn those_who_are_away_are_bounded_and_the_longest_away_is_given_up() {
    let recovery = Recovery { away: 2, ..Recovery::default() };
    let mut stage = Stage::new(Config { recovery: Some(recovery), ..Config::default() });
    let all: Vec<_> = (1..=3).map(|session| stage.connect(session)).collect();
    (1..=3).for_each(|session| stage.cut(session));
    assert_eq!(stage.hub.away("/"), 2);
    assert!(!stage.return_as(4, &all[0].0, &all[0].1, None));
    assert!(stage.return_as(5, &all[1].0, &all[1].1, None));
}

#[test]
fn a_server_that_drains_closes_all_so_that_they_may_come_back() {
    let (mut stage, _, _) = two();
    stage.input(Input::Drain);
    assert_eq!(stage.closed, BTreeMap::from([(1, Reason::Draining), (2, Reason::Draining)]));
    assert_eq!(stage.hub.away("/"), 2);
}

fn pong(stage: &mut Stage, session: u64) {
    stage.input(Input::Alive(SessionId(session)));
}

#[test]
fn a_pair_that_was_used_is_spent_two_pongs_after_something_newer_was_sent() {
    for is_missed in [true, false] {
        let (mut stage, sid, pid) = two();
        say(&mut stage, "one");
        let used = stage.offset(2);
        stage.cut(2);
        if is_missed {
            say(&mut stage, "two");
        }
        assert!(stage.return_as(3, &sid, &pid, used.as_deref()));
        if !is_missed {
            assert_eq!(stage.probed, [0; 0], "nothing is newer yet");
            say(&mut stage, "two");
        }
        assert_eq!(stage.probed, [3], "missed: {is_missed}");
        say(&mut stage, "three");
        pong(&mut stage, 3);
        assert_eq!(stage.probed, [3, 3], "the first pong says nothing of what was sent after its ping");
        pong(&mut stage, 3);
        say(&mut stage, "four");
        pong(&mut stage, 3);
        assert_eq!(stage.probed, [3, 3], "it is proven");
        stage.cut(3);
        assert!(!stage.return_as(4, &sid, &pid, used.as_deref()), "another client with the used pair");
        assert!(stage.return_as(5, &sid, &pid, stage.offset(3).as_deref()));
    }
}

#[test]
fn what_was_spent_is_spent_after_a_crash_too() {
    let disk = crate::chat::SharedLog::new(Retention::default());
    let mut stage = Stage::with_log(Config::default(), Box::new(disk.clone()), 1);
    stage.connect(1);
    let (sid, pid) = stage.connect(2);
    stage.say(2, "join", vec!["a".into()]);
    say(&mut stage, "one");
    let stale = stage.offset(2);
    say(&mut stage, "two");
    pong(&mut stage, 2);
    pong(&mut stage, 2);
    let newer = stage.offset(2);
    drop(stage);
    let mut stage = Stage::with_log(Config::default(), Box::new(disk), 2);
    assert!(!stage.return_as(3, &sid, &pid, stale.as_deref()));
    assert!(stage.return_as(4, &sid, &pid, newer.as_deref()));
}

#[test]
fn a_pong_proves_also_when_something_always_waits_to_go_out() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let stale = stage.offset(2);
    let wait = |stage: &mut Stage, word: &str| {
        let kind = Kind::Event { name: "say".into(), args: vec!["a".into(), word.into()], ack: None };
        stage.hub.handle(stage.now, Input::Packet(SessionId(1), Packet::new("/", kind)));
        stage.hub.handle(stage.now, Input::Alive(SessionId(2)));
    };
    for word in ["two", "three", "four"] {
        wait(&mut stage, word);
        stage.drain();
    }
    stage.cut(2);
    assert!(!stage.return_as(3, &sid, &pid, stale.as_deref()));
    assert!(stage.return_as(4, &sid, &pid, stage.offset(2).as_deref()));
}

#[test]
fn what_waits_to_go_out_is_not_proven_by_a_pong() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let offset = stage.offset(2);
    let kind = Kind::Event { name: "say".into(), args: vec!["a".into(), "two".into()], ack: None };
    stage.hub.handle(stage.now, Input::Packet(SessionId(1), Packet::new("/", kind)));
    (0..4).for_each(|_| stage.hub.handle(stage.now, Input::Alive(SessionId(2))));
    stage.cut(2);
    assert!(stage.return_as(3, &sid, &pid, offset.as_deref()), "the second was never sent");
}

#[test]
fn an_offset_cannot_be_guessed() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let offset = stage.offset(2).unwrap();
    stage.cut(2);
    for (session, guess) in [(3, "1"), (4, "1.AAAAAAAA"), (5, "1.")] {
        assert!(!stage.return_as(session, &sid, &pid, Some(guess)), "{guess}");
    }
    assert!(stage.return_as(6, &sid, &pid, Some(&offset)), "{offset}");
}

#[test]
fn offsets_of_an_earlier_run_are_known_and_those_of_another_server_are_not() {
    let run = |disk: &crate::chat::SharedLog, seed| {
        Stage::with_log(Config::default(), Box::new(disk.clone()), seed)
    };
    let (ours, theirs) = (crate::chat::SharedLog::default(), crate::chat::SharedLog::default());
    let mut stages = [run(&ours, 1), run(&theirs, 2)];
    let clients = stages.each_mut().map(|stage| {
        stage.connect(1);
        let client = stage.connect(2);
        stage.say(2, "join", vec!["a".into()]);
        say(stage, "one");
        (client, stage.offset(2))
    });
    let [((sid, pid), offset), (_, other)] = clients;
    assert_ne!(offset, other);
    drop(stages);
    let mut stage = run(&ours, 3);
    assert!(!stage.return_as(3, &sid, &pid, other.as_deref()));
    assert!(stage.return_as(4, &sid, &pid, offset.as_deref()));
}

#[test]
fn a_slow_connection_has_the_time_it_needs_to_answer() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "private");
    stage.input(Input::RoundTrip(SessionId(2), Duration::from_secs(1)));
    stage.return_as(3, &sid, &pid, None);
    stage.wait(Duration::from_millis(3900));
    assert_eq!(stage.identity(3), None, "it is not known yet");
    pong(&mut stage, 2);
    assert_ne!(stage.identity(3).unwrap().0, sid);
    assert!(stage.closed.is_empty());
}

#[test]
fn a_connection_that_says_something_is_not_half_open() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "private");
    stage.return_as(3, &sid, &pid, None);
    for _ in 0..5 {
        stage.wait(Duration::from_millis(700));
        stage.say(2, "who", vec![]);
    }
    assert_eq!(stage.identity(3), None, "it is not known yet");
    stage.wait(Duration::from_millis(751));
    assert_eq!(stage.identity(3).unwrap().0, sid, "then it was silent for as long as it may be");
}

#[test]
fn who_has_something_to_miss_is_given_up_last() {
    let recovery = Recovery { away: 2, ..Recovery::default() };
    let mut stage = Stage::new(Config { recovery: Some(recovery), ..Config::default() });
    let (sid, pid) = stage.connect(1);
    stage.say(1, "join", vec!["a".into()]);
    stage.cut(1);
    for session in 2..20 {
        stage.connect(session);
        stage.cut(session);
    }
    assert_eq!(stage.hub.away("/"), 2);
    assert!(stage.return_as(20, &sid, &pid, None));
}

#[test]
fn those_who_are_away_are_bounded_in_bytes_too() {
    let recovery = Recovery { away_bytes: 10_000, ..Recovery::default() };
    let mut stage = Stage::new(Config { recovery: Some(recovery), ..Config::default() });
    for session in 0..10 {
        stage.connect(session);
        for room in 0..10 {
            stage.say(session, "join", vec![format!("{room} {}", "x".repeat(100)).into()]);
        }
        stage.cut(session);
    }
    assert!((1..=5).contains(&stage.hub.away("/")), "{}", stage.hub.away("/"));
}

#[test]
fn an_event_that_ends_a_client_is_not_replayed_to_it_for_ever() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "one");
    let offset = stage.offset(2);
    stage.cut(2);
    say(&mut stage, "poison");
    let mut sessions = 3..;
    let mut comes = |stage: &mut Stage, sid: &str, pid: &str, offset: Option<&str>| {
        let session = sessions.next().expect("there is no end of them");
        let is_known = stage.return_as(session, sid, pid, offset);
        let events = stage.events(session);
        stage.cut(session);
        (is_known, events)
    };
    let poison = || vec!["said \"poison\"".to_owned()];
    for _ in 0..10 {
        assert_eq!(comes(&mut stage, &sid, &pid, offset.as_deref()), (true, poison()));
    }
    assert_eq!(comes(&mut stage, &sid, &pid, offset.as_deref()), (false, vec![]), "it gets a new socket");
    assert_eq!(comes(&mut stage, &sid, &pid, offset.as_deref()), (false, vec![]), "and stays gone");
}

#[test]
fn a_client_that_gets_further_may_return_as_often_as_it_likes() {
    let (mut stage, sid, pid) = two();
    say(&mut stage, "0");
    let (mut session, mut offset) = (2, stage.offset(2));
    for n in 1..40 {
        stage.cut(session);
        // Every fifth time it gets something; otherwise the connection breaks at once.
        if n % 5 == 0 {
            offset = stage.offset(session);
        }
        say(&mut stage, &n.to_string());
        session += 1;
        assert!(stage.return_as(session, &sid, &pid, offset.as_deref()), "{n}");
    }
}
