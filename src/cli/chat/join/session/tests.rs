//! People in the chat, over simulated cables that can be pulled: the session inside the terminal program, and the
//! server inside `chat serve`.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use super::super::command::Command;
use super::*;
use crate::base::Duration;
use crate::chat::client::Config;
use crate::chat::hub::{self, Hub, Recovery};
use crate::chat::lounge::{self, Rules};
use crate::chat::{EventLog, MemoryLog, Retention, SharedLog};
use crate::layers::application::engineio::{Config as EngineConfig, SessionConfig};
use crate::layers::internet::prefix::v4;
use crate::sim::apps::event_client::EventClient;
use crate::sim::apps::event_server::EventServer;
use crate::sim::scene::Knobs;
use crate::sim::{AppId, HostId, Network};
use crate::trace::{Recorder, Wire};

struct Person {
    host: HostId,
    app: AppId,
    session: Rc<RefCell<Session>>,
    lines: Vec<String>,
}

struct Scene {
    network: Network,
    server: (HostId, AppId),
    people: Vec<Person>,
    now_ms: u64,
}

impl Scene {
    fn new(window: Duration, mut log: impl FnMut() -> Box<dyn EventLog> + 'static) -> Self {
        let knobs = Knobs::default();
        let mut network = Network::new(1, Recorder::off(Wire::Sim));
        let host = network.host("server", "10.0.0.1", &knobs.stack());
        let second = Duration::from_secs(1);
        let session =
            SessionConfig { ping_interval: second, ping_timeout: second, ..SessionConfig::default() };
        let recovery = Some(Recovery { window, ..Recovery::default() });
        let config = hub::Config { recovery, ..hub::Config::default() };
        let server = EventServer::new(3000, move |random| {
            let mut hub = Hub::new(config.clone(), random, log());
            lounge::open(&mut hub, Rules::default(), |_| {});
            hub
        });
        let server = server.engine(EngineConfig { session, ..EngineConfig::default() });
        let server = (host, network.app(host, server));
        let people = ["ada", "bob"].into_iter().enumerate().map(|(n, name)| {
            let address = v4(10, 0, 0, 10 + n as u8);
            let person = network.host(name, address, &knobs.stack());
            network.link(person, host, knobs.link());
            let session =
                Rc::new(RefCell::new(Session::new(name, "tea", format!("{name}'s own"), Look::plain())));
            let (entering, hearing) = (session.clone(), session.clone());
            let client = EventClient::new(SocketAddr::new(v4(10, 0, 0, 1), 3000))
                .config(Config { hold_when_new: true, ..Config::default() })
                .at(Instant::from_millis(100 * n as u64), move |client, now| {
                    entering.borrow().enter(client, now);
                })
                .on_any(move |client, now, event| {
                    let now_ms = now.as_nanos() / 1_000_000;
                    hearing.borrow_mut().event(event.clone(), client, now, now_ms);
                });
            Person { host: person, app: network.app(person, client), session, lines: Vec::new() }
        });
        let people = people.collect();
        network.introduce_neighbours();
        Scene { network, server, people, now_ms: 0 }
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.network.wait_until(Instant::from_millis(self.now_ms));
        for person in &mut self.people {
            person.lines.extend(person.session.borrow_mut().take().into_iter().map(|line| match line {
                Shown::Result(lines) => lines.to_string().trim_end().to_owned(),
                Shown::Remark(line) => format!("-- {line}"),
            }));
        }
    }

    fn types(&mut self, who: usize, line: &str) {
        let session = self.people[who].session.clone();
        self.network.call(self.people[who].app, |client: &mut EventClient, io| {
            client.act(io, |client, now| session.borrow_mut().command(Command::of(line), client, now));
        });
    }

    fn plug(&mut self, who: usize, plugged: bool) {
        self.network.plug(self.people[who].host, self.server.0, plugged);
    }

    /// The messages that one person was shown, without marks and ages.
    fn messages(&self, who: usize) -> Vec<String> {
        let shown = self.people[who].lines.iter().filter_map(|line| line.split_once("#tea "));
        let shown = shown.filter(|(before, said)| !before.starts_with("--") && said.contains(": "));
        shown.map(|(_, said)| said.split("  (").next().unwrap_or_default().to_owned()).collect()
    }

    fn has(&self, who: usize, line: &str) -> bool {
        self.people[who].lines.iter().any(|shown| shown == line)
    }
}

fn in_memory() -> Box<dyn EventLog> {
    Box::new(MemoryLog::new(Retention::default()))
}

const LONG: Duration = Duration::from_secs(120);

#[test]
fn two_people_talk() {
    let mut scene = Scene::new(LONG, in_memory);
    scene.wait(1000);
    assert!(scene.has(0, "-- in #tea with ada"), "{:?}", scene.people[0].lines);
    assert!(scene.has(0, "-- #tea bob joined"));
    scene.types(0, "hello");
    scene.types(1, "/who");
    scene.wait(500);
    assert_eq!(scene.messages(0), ["ada: hello"]);
    assert_eq!(scene.messages(1), ["ada: hello"]);
    assert!(scene.has(1, "#tea: ada, bob (you)"), "{:?}", scene.people[1].lines);
    scene.types(1, "/nick robert");
    scene.types(1, "/msg ada psst");
    scene.wait(500);
    assert!(scene.has(0, "-- bob is now robert") && scene.has(0, "robert -> ada: psst"));
    assert!(scene.has(1, "robert -> ada: psst"), "its sender receives it too");
    scene.types(1, "/quit");
    scene.wait(500);
    assert_eq!(scene.people[1].session.borrow().standing, Standing::Over(None));
    assert!(scene.has(0, "-- #tea robert left"));
}

#[test]
fn what_was_missed_is_replayed_marked_and_counted() {
    let mut scene = Scene::new(LONG, in_memory);
    scene.wait(1000);
    scene.plug(1, false);
    scene.types(0, "one");
    scene.wait(5000);
    scene.types(0, "two");
    scene.types(1, "three");
    scene.wait(5000);
    scene.plug(1, true);
    scene.wait(20_000);
    scene.types(0, "four");
    scene.wait(1000);
    assert_eq!(scene.messages(1), ["ada: one", "ada: two", "bob: three", "ada: four"]);
    let lines = &scene.people[1].lines;
    assert!(lines.iter().any(|line| line.starts_with("+ #tea ada: two  (")), "{lines:?}");
    assert!(scene.has(1, "#tea ada: four") && scene.has(1, "-- waits for the connection: three"));
    assert!(scene.has(1, "-- connected again as the one you were; what you missed follows"));
    assert!(lines.iter().any(|line| line.starts_with("-- you missed 2 messages")), "{lines:?}");
    assert!(scene.has(0, "-- bob lost the connection") && scene.has(0, "-- bob is back"));
}

#[test]
fn who_was_away_for_too_long_pages_through_what_it_missed_and_says_nothing_twice() {
    let mut scene = Scene::new(Duration::from_secs(1), in_memory);
    scene.wait(1000);
    // It is on the wire and arrives; its acknowledgement does not.
    scene.types(1, "arrived");
    scene.wait(10);
    scene.plug(1, false);
    scene.types(1, "did not arrive");
    for n in 0..120 {
        scene.types(0, &format!("missed {n}"));
        scene.wait(50);
    }
    scene.wait(5000);
    scene.plug(1, true);
    scene.wait(30_000);
    let mut wanted = vec!["bob: arrived".to_owned()];
    wanted.extend((0..120).map(|n| format!("ada: missed {n}")));
    wanted.push("bob: did not arrive".into());
    assert_eq!(scene.messages(1), wanted);
    assert_eq!(scene.messages(0), wanted);
    assert!(scene.has(1, "-- connected again, as a new client to the server; asking for what you missed"));
    assert!(scene.people[1].lines.iter().any(|line| line.starts_with("-- you missed 121 messages")));
}

#[test]
fn a_server_that_crashes_costs_nobody_a_message() {
    let log = SharedLog::new(Retention::default());
    let mut scene = Scene::new(LONG, move || Box::new(log.clone()));
    scene.wait(1000);
    scene.types(0, "before");
    scene.wait(500);
    let server = scene.server.1;
    scene.network.call(server, |server: &mut EventServer, io| server.crash(io));
    scene.wait(500);
    scene.types(0, "while it was down");
    scene.wait(2000);
    scene.network.call(server, |server: &mut EventServer, io| server.begin(io));
    scene.wait(20_000);
    scene.types(1, "after");
    scene.wait(1000);
    for who in 0..2 {
        assert_eq!(scene.messages(who), ["ada: before", "ada: while it was down", "bob: after"]);
    }
}

#[test]
fn a_server_that_forgot_everything_is_joined_anew() {
    let mut scene = Scene::new(LONG, in_memory);
    scene.wait(1000);
    (0..9).for_each(|n| scene.types(0, &format!("old {n}")));
    scene.wait(500);
    let server = scene.server.1;
    scene.network.call(server, |server: &mut EventServer, io| server.crash(io));
    scene.wait(500);
    scene.types(1, "waiting");
    scene.network.call(server, |server: &mut EventServer, io| server.begin(io));
    scene.wait(20_000);
    scene.types(0, "new");
    scene.wait(1000);
    for who in 0..2 {
        assert_eq!(scene.messages(who)[9..], ["bob: waiting", "ada: new"], "{:?}", scene.people[who].lines);
    }
}
