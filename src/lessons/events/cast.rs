//! What the scenes share: the knobs, the cast, the hub.

use crate::base::Duration;
use crate::chat::hub::{Hub, Random};
use crate::chat::{Config, EventLog};
use crate::layers::application::socketio::Value;
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp;
use crate::lessons::knob::Knob;
use crate::lessons::stage::{EventClient, EventServer, Heartbeat, Host, Stage};
use crate::sim::apps::event_client::Transport;

/// Which rooms Bob is in.
pub(super) const BOB: Knob<&'static [&'static str]> = Knob::choice(
    "bob",
    "both",
    &[("both", &["red", "blue"]), ("red", &["red"]), ("blue", &["blue"]), ("none", &[])],
    "which rooms Bob is in",
);
pub(super) const OUTAGE: Knob<Duration> = Knob::time(
    "outage",
    "3s",
    Duration::from_secs(1),
    Duration::from_secs(30),
    "how long Bob's cable is pulled",
);

/// Where the log is when the server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    LogOnDisk,
    LogInMemory,
    None,
}

pub(super) const CRASH: Knob<Crash> = Knob::choice(
    "crash",
    "disk",
    &[("disk", Crash::LogOnDisk), ("memory", Crash::LogInMemory), ("none", Crash::None)],
    "where the log is when the server is killed; none for no crash",
);

/// The port of HTTP, by which Wireshark knows what it reads.
pub(super) const PORT: u16 = 80;
/// How long a client may take to be let in.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
/// A heartbeat that notices a dead line sooner than the usual one, which takes up to 45 s.
pub(super) const BEAT: Heartbeat =
    Heartbeat { interval: Duration::from_secs(5), timeout: Duration::from_secs(4) };

/// The hosts of a scene: a server, and clients by name, each on a link of its own.
pub(super) fn cast<const N: usize>(stage: &mut Stage, names: [&str; N]) -> (Host, [Host; N]) {
    let usual = stage.network_knobs().stack();
    let config = StackConfig { tcp: tcp::Config { nodelay: true, ..usual.tcp }, ..usual };
    let server = stage.host_with("server", &config);
    let clients = names.map(|name| stage.host_with(name, &config));
    clients.iter().for_each(|client| stage.link(*client, server));
    stage.introduce();
    (server, clients)
}

/// A hub on a log; with recovery, or as Socket.IO is without it.
pub(super) fn hub(random: Random, log: Box<dyn EventLog>, recovers: bool) -> Hub {
    let usual = Config::default();
    let recovery = if recovers { usual.recovery } else { None };
    Hub::new(Config { recovery, ..usual }, random, log)
}

/// A client that has been let into the main namespace under its name.
pub(super) fn enter(stage: &mut Stage, host: Host, server: EventServer, name: &str) -> EventClient {
    let auth = vec![("name".to_owned(), Value::from(name))];
    let client = stage.event_client(host, server, Transport::WebSocket, &[("/", auth)]);
    stage.run_until_it(LIMIT, |stage| stage.is_in(client, "/"));
    client
}

/// Long enough for what is under way to arrive, and for its acknowledgement to return.
pub(super) fn settle(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 3 + Duration::from_millis(50));
}

/// The name that a client gave when it entered.
pub(super) fn name_of(auth: &Value) -> String {
    auth.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}
