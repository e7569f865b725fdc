//! The event system in the simulator: the server that runs on real sockets, clients that come back by themselves, and
//! a network that loses, or ends, what is between them. Every message has its effect once, in order, everywhere.

use std::net::SocketAddr;

use netlayers::base::{Duration, Instant};
use netlayers::chat::client::{Client, Event, NoAnswer};
use netlayers::chat::hub::{self, Hub, Random};
use netlayers::chat::{Retention, SharedLog};
use netlayers::layers::application::engineio::{Config as EngineConfig, SessionConfig};
use netlayers::layers::application::socketio::Value;
use netlayers::layers::internet::prefix::v4;
use netlayers::sim::apps::event_client::{EventClient, Transport};
use netlayers::sim::apps::event_server::EventServer;
use netlayers::sim::scene::Knobs;
use netlayers::sim::{AppId, HostId, Network};
use netlayers::trace::{Kind, Recorder, Wire};

const PORT: u16 = 3000;

/// Everybody is in by then, however much is lost: who comes later is not entitled to what was said before.
const BEGIN: u64 = 10_000;

/// A chat of one room: what is said is for everyone, its sender too.
fn chat(random: Random, log: &SharedLog) -> Hub {
    let mut hub = Hub::new(hub::Config::default(), random, Box::new(log.clone()));
    hub.of("/").on("say", |cx, args, ack| {
        let [words, id] = args else { return };
        let id = id.as_str().unwrap_or_default().to_owned();
        let emitted = cx.io().sent_as(&id).emit("said", vec![words.clone()]);
        ack.send(cx, vec![emitted.offset.unwrap_or_default().into(), emitted.is_duplicate.into()]);
    });
    hub
}

/// A server, and three clients each on a cable of its own.
struct Scene {
    network: Network,
    server: (HostId, AppId),
    clients: Vec<(HostId, AppId)>,
}

impl Scene {
    /// Each client says so many things, one every 150 ms from [`BEGIN`] on.
    fn new(knobs: &Knobs, sayings: u64) -> Self {
        Scene::by(Transport::WebSocket, knobs, sayings)
    }

    /// The same, with clients that use this transport.
    fn by(transport: Transport, knobs: &Knobs, sayings: u64) -> Self {
        let mut network = Network::new(knobs.seed, Recorder::off(Wire::Sim));
        let server_host = network.host("server", v4(10, 0, 0, 1), &knobs.stack());
        let engine = EngineConfig {
            session: SessionConfig {
                ping_interval: Duration::from_millis(1000),
                ping_timeout: Duration::from_millis(1000),
                ..SessionConfig::default()
            },
            ..EngineConfig::default()
        };
        let log = SharedLog::new(Retention::default());
        let app = EventServer::new(PORT, move |random| chat(random, &log)).engine(engine);
        let server = (server_host, network.app(server_host, app));
        let clients = (0..3u8).map(|n| {
            let host = network.host(&format!("client{n}"), v4(10, 0, 0, 10 + n), &knobs.stack());
            network.link(host, server_host, knobs.link());
            knobs.faults(&mut network, host, server_host);
            let to = SocketAddr::new(v4(10, 0, 0, 1), PORT);
            let mut client = EventClient::new(to).transport(transport).join("/", None);
            for i in 0..sayings {
                let at = Instant::from_millis(BEGIN + 150 * i + 37 * u64::from(n));
                client = client.at(at, move |client, now| say(client, now, &format!("{n}:{i}")));
            }
            (host, network.app(host, client))
        });
        let clients = clients.collect();
        network.introduce_neighbours();
        Scene { network, server, clients }
    }

    fn client(&self, n: usize) -> &EventClient {
        self.network.app_ref(self.clients[n].1)
    }

    /// What had its effect at a client, in order.
    fn effects(&self, n: usize) -> Vec<String> {
        self.client(n)
            .heard("said")
            .map(|heard| heard.args[0].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Until so long after they began to speak.
    fn wait(&mut self, millis: u64) {
        self.network.wait_until(Instant::from_millis(BEGIN + millis));
    }

    fn plug(&mut self, n: usize, plugged: bool) {
        self.network.plug(self.clients[n].0, self.server.0, plugged);
    }

    /// Every client was told everything that any of them said, once, in the order of the log.
    fn check(&self, sayings: u64) {
        for n in 0..3 {
            let effects = self.effects(n);
            assert_eq!(effects.len() as u64, 3 * sayings, "client {n}: {effects:?}");
            assert_eq!(effects, self.effects(0), "client {n} was told the same in the same order");
            for sender in 0..3 {
                let of_sender = effects.iter().filter(|said| said.starts_with(&format!("{sender}:")));
                let wanted: Vec<String> = (0..sayings).map(|i| format!("{sender}:{i}")).collect();
                assert!(of_sender.eq(wanted.iter()), "client {n} of sender {sender}: {effects:?}");
            }
            assert_eq!(self.client(n).client().map(Client::unsettled), Some(0), "all is acknowledged");
        }
    }

    /// It was away, and whenever it came back it was the one it was. A network that loses much may look like a cable
    /// that is pulled, so it may have been away more often than that.
    fn came_back(&self, n: usize) {
        let recoveries = self.recoveries(n);
        let (first, later) = recoveries.split_first().expect("it was let in");
        assert!(
            !first && !later.is_empty() && later.iter().all(|recovered| *recovered),
            "{n}: {recoveries:?}"
        );
    }

    /// Each time it was let in: whether as the one it was.
    fn recoveries(&self, n: usize) -> Vec<bool> {
        let connected = self.client(n).happened().iter().filter_map(|(_, event)| match event {
            Event::Connected { recovered, .. } => Some(*recovered),
            _ => None,
        });
        connected.collect()
    }
}

fn say(client: &mut Client, now: Instant, words: &str) {
    client.deliver(now, "/", "say", vec![words.into()]).expect("there is room for it");
}

#[test]
fn over_a_lossy_network_everybody_hears_everything_once_and_in_order() {
    for seed in 1..=3 {
        let mut scene = Scene::new(&Knobs { loss: 0.05, seed, ..Knobs::default() }, 20);
        scene.wait(60_000);
        scene.check(20);
    }
}

#[test]
fn a_pulled_cable_costs_nobody_a_message() {
    for seed in 1..=3 {
        let mut scene = Scene::new(&Knobs { loss: 0.02, seed, ..Knobs::default() }, 40);
        scene.wait(1_500);
        scene.plug(1, false);
        scene.wait(11_500);
        let away = scene.effects(1).len();
        assert!(away < 60, "it is away: {away}");
        scene.plug(1, true);
        scene.wait(60_000);
        scene.check(40);
        scene.came_back(1);
    }
}

#[test]
fn a_cable_pulled_again_and_again_costs_nobody_a_message() {
    let mut scene = Scene::new(&Knobs::default(), 60);
    for n in 0..4 {
        scene.wait(1_000 + 6_000 * n);
        scene.plug(2, false);
        scene.wait(4_500 + 6_000 * n);
        scene.plug(2, true);
    }
    scene.wait(90_000);
    scene.check(60);
    scene.came_back(2);
    assert!(scene.recoveries(2).len() > 2, "more than once");
}

#[test]
fn a_server_that_crashes_and_begins_again_costs_nobody_a_message() {
    let mut scene = Scene::new(&Knobs { loss: 0.02, ..Knobs::default() }, 40);
    scene.wait(2_010);
    scene.network.call(scene.server.1, |server: &mut EventServer, io| server.crash(io));
    scene.wait(5_000);
    scene.network.call(scene.server.1, |server: &mut EventServer, io| server.begin(io));
    scene.wait(60_000);
    scene.check(40);
    (0..3).for_each(|n| scene.came_back(n));
}

#[test]
fn by_polling_and_over_an_upgrade_a_break_costs_nobody_a_message_either() {
    for transport in [Transport::Polling, Transport::Upgrade] {
        let mut scene = Scene::by(transport, &Knobs { loss: 0.02, ..Knobs::default() }, 40);
        scene.wait(1_500);
        scene.plug(1, false);
        scene.wait(11_500);
        assert!(scene.effects(1).len() < 60, "{transport:?}: it is away");
        scene.plug(1, true);
        scene.wait(60_000);
        scene.check(40);
        scene.came_back(1);
        let has_moved = scene.client(1).upgraded_at().is_some();
        assert_eq!(has_moved, transport == Transport::Upgrade, "{transport:?}");
    }
}

#[test]
fn what_is_sent_once_may_be_lost_and_what_is_asked_says_so() {
    let mut scene = Scene::new(&Knobs::default(), 0);
    scene.wait(2_000);
    scene.plug(0, false);
    let client = scene.clients[0].1;
    scene.network.call(client, |client: &mut EventClient, io| {
        client.act(io, |client, now| {
            client.emit(now, "/", "say", vec!["once".into(), "id".into()]).expect("room");
            client
                .ask(now, "/", "say", vec!["asked".into(), "id2".into()], Duration::from_secs(60))
                .expect("room");
        })
    });
    scene.wait(8_000);
    scene.plug(0, true);
    scene.wait(30_000);
    scene.came_back(0);
    let unanswered = |(_, event): &(Instant, Event)| {
        matches!(event, Event::Answered { answer: Err(NoAnswer::Disconnected), .. })
    };
    assert_eq!(scene.client(0).happened().iter().filter(|happened| unanswered(happened)).count(), 1);
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_nanosecond() {
    let run = || {
        let mut scene = Scene::new(&Knobs { loss: 0.1, seed: 9, ..Knobs::default() }, 10);
        scene.wait(2_000);
        scene.plug(1, false);
        scene.wait(7_000);
        scene.plug(1, true);
        scene.wait(40_000);
        (0..3).map(|n| scene.client(n).happened().to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn the_server_in_the_simulator_is_read_by_the_dissector_down_to_the_frame() {
    let knobs = Knobs::default();
    let mut network = Network::new(1, Recorder::on("chat", Wire::Sim));
    let server = network.host("server", v4(10, 0, 0, 1), &knobs.stack());
    let client = network.host("client", v4(10, 0, 0, 2), &knobs.stack());
    network.link(client, server, knobs.link());
    network.introduce_neighbours();
    network.app(server, EventServer::new(PORT, |random| chat(random, &SharedLog::default())));
    let to = SocketAddr::new(v4(10, 0, 0, 1), PORT);
    let app = network.app(
        client,
        EventClient::new(to).join("/", Some(Value::object([("name", "Ada".into())]))).on_any(
            |client, now, event| {
                if let Event::Connected { .. } = event {
                    say(client, now, "hello");
                }
            },
        ),
    );
    network.wait_until(Instant::from_millis(5_000));
    assert_eq!(network.app_ref::<EventClient>(app).heard("said").count(), 1);
    let written: Vec<String> = network
        .trace()
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::AppWrote { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        })
        .collect();
    assert!(written[0].starts_with("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"), "{written:?}");
    assert!(written[1].starts_with("HTTP/1.1 101 "), "{written:?}");
    assert!(written.iter().any(|text| text.contains(r#"42["said","hello","1."#)), "{written:?}");
}
