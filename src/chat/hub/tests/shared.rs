//! Several hubs on one stream: one order for all, and clients that go from one to the other.

use super::*;
use crate::chat::{SharedLog, Stream, StreamDelays};

/// Hubs that share a stream, each at a distance, with gaps between its offsets.
struct Cluster {
    log: SharedLog,
    stages: Vec<Stage>,
}

impl Cluster {
    fn new(seed: u64) -> Self {
        let log = SharedLog::with_stride(Retention::default(), 7);
        let stages = (0..2).map(|hub| Self::stage(&log, seed * 100 + hub)).collect();
        Cluster { log, stages }
    }

    fn stage(log: &SharedLog, seed: u64) -> Stage {
        let stream = Stream::new(log, StreamDelays::default(), Rng::new(seed));
        Stage::with_log(Config::default(), Box::new(stream), seed)
    }

    /// Time passes at all hubs alike.
    fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            self.stages.iter_mut().for_each(|stage| stage.wait(Duration::from_millis(1)));
        }
    }

    /// A new client of a hub, in room "a"; its id and its secret.
    fn enter(&mut self, hub: usize, session: u64) -> (String, String) {
        self.stages[hub].connect_with(session, "/", None);
        self.stages[hub].say(session, "join", vec!["a".into()]);
        self.pass(40);
        self.stages[hub].identity(session).expect("the hub lets it in")
    }

    fn say(&mut self, hub: usize, session: u64, word: &str) {
        self.stages[hub].say(session, "say-all", vec!["a".into(), word.into()]);
    }

    /// A client of one hub comes to another; returns whether it got its socket back, in the end.
    fn comes(
        &mut self,
        hub: usize,
        session: u64,
        (sid, pid): &(String, String),
        offset: Option<&str>,
    ) -> bool {
        self.stages[hub].return_as(session, sid, pid, offset);
        self.pass(40);
        self.stages[hub].identity(session).is_some_and(|(id, _)| id == *sid)
    }
}

fn words(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("said \"{n}\"")).collect()
}

#[test]
fn everybody_hears_everything_in_the_order_of_the_log_whichever_hub_it_was_said_at() {
    for seed in 1..=5 {
        let mut cluster = Cluster::new(seed);
        cluster.enter(0, 1);
        cluster.enter(1, 2);
        for n in 0..50 {
            cluster.say(n % 2, 1 + n as u64 % 2, &n.to_string());
            cluster.pass(n as u64 % 3);
        }
        assert!(cluster.stages[0].events(1).len() < 50, "some is under way");
        cluster.pass(500);
        let (first, second) = (cluster.stages[0].events(1), cluster.stages[1].events(2));
        assert_eq!((first.len(), &first), (50, &second), "seed {seed}");
        let offsets: Vec<u64> = cluster.log.records("/").iter().map(|record| record.offset).collect();
        assert!(offsets.windows(2).all(|pair| pair[0] + 7 == pair[1]), "{offsets:?}");
        assert_ne!(first, words(0, 50), "it is not the order in which they were sent, and need not be");
    }
}

#[test]
fn an_answer_comes_behind_the_event_and_the_next_packet_waits_for_both() {
    let mut cluster = Cluster::new(1);
    cluster.enter(0, 1);
    cluster.say(0, 1, "one");
    cluster.stages[0].say(1, "leave", vec!["a".into()]);
    cluster.say(0, 1, "not a member");
    cluster.stages[0].say(1, "me", vec!["last".into()]);
    cluster.stages[0].say(1, "leave-me", vec![]);
    assert!(cluster.stages[0].events(1).is_empty(), "nothing is in the log yet");
    cluster.pass(200);
    assert_eq!(cluster.stages[0].events(1), ["said \"one\"", "said \"last\""]);
    let kinds: Vec<&Kind> = cluster.stages[0].got[&1].iter().map(|packet| &packet.kind).collect();
    let at = |is_it: fn(&Kind) -> bool| kinds.iter().rposition(|kind| is_it(kind)).expect("it came");
    let event = kinds.iter().position(|kind| matches!(kind, Kind::Event { .. })).expect("it came");
    let (last_ack, goodbye) =
        (at(|kind| matches!(kind, Kind::Ack { .. })), at(|kind| *kind == Kind::Disconnect));
    assert!(event < last_ack && goodbye == kinds.len() - 1, "{kinds:?}");
}

#[test]
fn who_hangs_up_has_said_what_it_said_before() {
    let mut cluster = Cluster::new(1);
    cluster.enter(0, 1);
    cluster.enter(1, 2);
    (0..3).for_each(|n| cluster.say(0, 1, &n.to_string()));
    cluster.stages[0].input(Input::Packet(SessionId(1), Packet::new("/", Kind::Disconnect)));
    cluster.stages[0].cut(1);
    cluster.pass(200);
    assert_eq!(cluster.stages[1].events(2), words(0, 3));
    assert_eq!(
        (cluster.stages[0].hub.sockets("/"), cluster.stages[0].hub.away("/")),
        (0, 0),
        "it left for good"
    );
}

#[test]
fn who_comes_back_to_another_hub_is_who_it_was_and_misses_nothing() {
    for seed in 1..=10 {
        let mut cluster = Cluster::new(seed);
        let client = cluster.enter(0, 1);
        cluster.enter(1, 2);
        cluster.stages[0].say(1, "name", vec!["Ada".into()]);
        cluster.say(1, 2, "0");
        cluster.pass(40);
        let offset = cluster.stages[0].offset(1);
        // It has received what the other hub has not reached yet.
        cluster.say(1, 2, "1");
        cluster.pass(seed);
        cluster.stages[0].cut(1);
        let (heard, offset) = match cluster.stages[0].events(1).len() {
            1 => (1, offset),
            _ => (2, cluster.stages[0].offset(1)),
        };
        (2..5).for_each(|n| cluster.say(1, 2, &n.to_string()));
        assert!(cluster.comes(1, 3, &client, offset.as_deref()), "seed {seed}");
        assert_eq!(cluster.stages[0].hub.away("/"), 0, "one hub has it at a time");
        (5..7).for_each(|n| cluster.say(1, 2, &n.to_string()));
        cluster.pass(60);
        assert_eq!(cluster.stages[1].events(3), words(heard, 7), "seed {seed}");
        cluster.stages[1].say(3, "who", vec![]);
        assert_eq!(cluster.stages[1].last_ack(3).as_deref(), Some("[\"Ada\"]"));
        // And back again, with nothing received there.
        cluster.stages[1].cut(3);
        cluster.say(1, 2, "7");
        let offset = cluster.stages[1].offset(3);
        assert!(cluster.comes(0, 4, &client, offset.as_deref()), "seed {seed}");
        cluster.pass(60);
        assert_eq!(cluster.stages[0].events(4), words(7, 8), "seed {seed}");
    }
}

#[test]
fn a_half_open_connection_at_another_hub_is_found_out_and_a_living_one_is_left_alone() {
    let mut cluster = Cluster::new(1);
    let client = cluster.enter(0, 1);
    assert!(!cluster.comes(1, 2, &client, None), "it has to wait");
    assert_eq!((cluster.stages[1].identity(2), &cluster.stages[0].probed), (None, &vec![1]));
    cluster.stages[0].input(Input::Alive(SessionId(1)));
    cluster.pass(40);
    let (other, _) = cluster.stages[1].identity(2).expect("it is a new socket");
    assert_ne!(other, client.0);
    assert!(cluster.stages[0].closed.is_empty());
    // Now it says nothing.
    cluster.comes(1, 3, &client, None);
    cluster.pass(800);
    assert_eq!(cluster.stages[0].closed.get(&1), Some(&Reason::Superseded));
    assert_eq!(cluster.stages[1].identity(3), Some(client));
}

#[test]
fn who_goes_on_while_another_hub_is_asked_is_let_in_where_it_is() {
    let mut cluster = Cluster::new(1);
    let client = cluster.enter(0, 1);
    cluster.comes(1, 2, &client, None);
    cluster.stages[1].cut(2);
    assert!(!cluster.comes(0, 3, &client, None), "its old connection is asked first");
    cluster.pass(800);
    assert_eq!(cluster.stages[0].identity(3), Some(client));
}

#[test]
fn the_sockets_of_a_hub_that_crashed_come_back_to_another_one() {
    for seed in 1..=10 {
        let mut cluster = Cluster::new(seed);
        let client = cluster.enter(0, 1);
        cluster.enter(1, 2);
        cluster.say(1, 2, "0");
        cluster.pass(40);
        let offset = cluster.stages[0].offset(1);
        cluster.say(1, 2, "1");
        let fresh = Cluster::stage(&cluster.log, seed * 100 + 50);
        let crashed = std::mem::replace(&mut cluster.stages[0], fresh);
        let now = crashed.now;
        drop(crashed);
        cluster.stages[0].now = now;
        cluster.stages[0].input(Input::Wake);
        assert!(cluster.comes(1, 3, &client, offset.as_deref()), "seed {seed}");
        cluster.pass(40);
        assert_eq!(cluster.stages[1].events(3), words(1, 2));
    }
}

#[test]
fn a_long_absence_is_fetched_from_the_stream_in_pages() {
    let mut cluster = Cluster::new(1);
    let client = cluster.enter(0, 1);
    cluster.enter(1, 2);
    cluster.stages[0].cut(1);
    for n in 0..500 {
        cluster.stages[1].say(2, "say-all", vec!["a".into(), n.to_string().into()]);
        if n % 50 == 0 {
            cluster.pass(30);
        }
    }
    cluster.pass(6000);
    assert!(cluster.comes(0, 3, &client, None));
    cluster.pass(500);
    assert_eq!(cluster.stages[0].events(3), words(0, 500));
}

#[test]
fn a_copy_that_was_sent_to_another_hub_has_no_second_effect() {
    let mut cluster = Cluster::new(1);
    cluster.enter(0, 1);
    cluster.enter(1, 2);
    cluster.enter(0, 3);
    for (hub, session) in [(0, 1), (1, 2)] {
        cluster.stages[hub].say(session, "say-id", vec!["ada:1".into(), "once".into()]);
    }
    cluster.pass(100);
    assert_eq!(cluster.stages[0].events(3), ["said \"once\""]);
}
