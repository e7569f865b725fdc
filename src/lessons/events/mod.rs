//! Lesson 20: who gets an event, what becomes of one that nobody was there for, and what each promise costs.
//!
//! | part | file |
//! |---|---|
//! | rooms, namespaces, what an emit sets going | `routing` |
//! | a client that was away, a server that crashed | `missed` |
//! | at most once, at least once, exactly once in effect | `modes` |
//!
//! All clients are on WebSocket, and all hosts set TCP_NODELAY, as the libraries do. Left out: several servers that
//! share one log, and history by pages.

mod missed;
mod modes;
mod routing;

use super::knob::Values;
use super::stage::{EventClient, EventServer, Heartbeat, Host, Stage};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::chat::hub::{Hub, Random};
use crate::chat::{Config, EventLog};
use crate::layers::application::socketio::Value;
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp;
use crate::sim::apps::event_puppet::Transport;

/// The lesson.
pub(super) const LESSON: Lesson = Lesson {
    id: "events",
    number: 20,
    title: "events, rooms, namespaces, missed events",
    layer: Layer::Application,
    minutes: 45,
    misconception: "rooms are namespaces; a queue is exactly-once",
    cites: &[
        Cite {
            document: "Socket.IO protocol, revision 5",
            section: "Packet types",
            what: "events, answers, namespaces",
        },
        Cite {
            document: "Socket.IO documentation",
            section: "Rooms",
            what: "who gets what the server emits",
        },
        Cite {
            document: "Socket.IO documentation",
            section: "Delivery guarantees",
            what: "at most once, and how to get more",
        },
        Cite { document: "RFC 9293", section: "3.9.1", what: "what TCP tells a program when it gives up" },
    ],
    knobs: &[
        Knob::choice("bob", "both", &["both", "red", "blue", "none"], "which rooms Bob is in"),
        Knob {
            name: "outage",
            default: "3s",
            values: Values::Time(1000, 30_000),
            what: "how long Bob's cable is pulled",
        },
        Knob::choice(
            "crash",
            "disk",
            &["disk", "memory", "none"],
            "where the log is when the server is killed; none for no crash",
        ),
        Knob::DELAY,
        Knob::SEED,
    ],
    teacher: Teacher {
        vote: "Bob's connection breaks. Ada says three things, then Bob is back on a new connection. TCP guarantees \
               delivery. How many of the three does Bob get?",
        choices: &["none", "the last one", "all three", "it depends on luck"],
        surprise: "TCP's promise is for one connection, while it lives. A new connection knows nothing of the old \
                   one, so the program must keep what was said. And exactly once is not delivered: it is the effect \
                   of keeping, repeating, and knowing what one has had.",
    },
    real: None,
    script,
};

/// The port of HTTP, by which Wireshark knows what it reads.
const PORT: u16 = 80;
/// How long a client may take to be let in.
const PATIENCE: Duration = Duration::from_secs(30);
/// A heartbeat that notices a dead line sooner than the usual one, which takes up to 45 s.
const BEAT: Heartbeat = Heartbeat { interval: Duration::from_secs(5), timeout: Duration::from_secs(4) };

fn script(stage: &mut Stage) {
    routing::who_receives(stage);
    routing::an_emit(stage);
    routing::namespaces(stage);
    missed::without_and_with(stage);
    missed::crash(stage);
    modes::side_by_side(stage);
    stage.say(
        "There is no `--wire real` for this lesson: pulling a cable for so many milliseconds, at the same moment each time, \
         is what a kernel does not do for a program. The same hub and log run on real sockets in \
         `examples/event_server.rs`, and its tests do kill it.",
    );
    stage.instead(
        "a room is a list that the server keeps, and no client sees it; a namespace is part of the protocol, and a \
         client asks to be let in. And a queue alone promises nothing: what makes an event take effect once is that \
         it is kept, sent again until it is acknowledged, and that the receiver knows by a number what it has had. \
         Nothing delivers exactly once: a program that does something in the world, such as printing, and crashes \
         before it has noted that, does it again or not at all.",
    );
    stage.try_next("netlayers lesson 20 --bob none", "Predict the column of Bob in the routing table.");
    stage.try_next("netlayers lesson 20 --crash memory", "What is lost when the log was in memory?");
    stage.try_next("netlayers lesson 20 --outage 30s", "Which of the three promises takes longer now?");
    stage.try_next("netlayers check 20", "Make: drop what was heard before, by its number.");
    stage.try_next("netlayers lesson chat", "The whole chat on it.");
}

/// The hosts of a scene: a server, and clients by name, each on a link of its own.
fn cast<const N: usize>(stage: &mut Stage, names: [&str; N]) -> (Host, [Host; N]) {
    let usual = stage.network_knobs().stack();
    let config = StackConfig { tcp: tcp::Config { nodelay: true, ..usual.tcp }, ..usual };
    let server = stage.host_with("server", &config);
    let clients = names.map(|name| stage.host_with(name, &config));
    clients.iter().for_each(|client| stage.link(*client, server));
    stage.introduce();
    (server, clients)
}

/// A hub on a log; with recovery, or as Socket.IO is without it.
fn hub(random: Random, log: Box<dyn EventLog>, recovers: bool) -> Hub {
    let usual = Config::default();
    let recovery = if recovers { usual.recovery } else { None };
    Hub::new(Config { recovery, ..usual }, random, log)
}

/// A client that has been let into the main namespace under its name.
fn enter(stage: &mut Stage, host: Host, server: EventServer, name: &str) -> EventClient {
    let auth = vec![("name".to_owned(), Value::from(name))];
    let client = stage.event_client(host, server, Transport::WebSocket, &[("/", auth)]);
    stage.run_until_it(PATIENCE, |stage| stage.is_in(client, "/"));
    client
}

/// Long enough for what is under way to arrive, and for its acknowledgement to return.
fn settle(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 3 + Duration::from_millis(50));
}

/// The name that a client gave when it entered.
fn name_of(auth: &Value) -> String {
    auth.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}
