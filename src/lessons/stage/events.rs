//! The verbs of the event system: a server with a program on it, clients, what they emit, and what they receive.
//!
//! Clients and server are programs of their own beside the puppet of their host. A client is on strings too
//! ([`EventPuppet`]): it connects, emits, hangs up and comes back when the script says so.

use std::net::SocketAddr;

use super::cast::Host;
use super::telling::Stage;
use crate::base::{Duration, Instant};
use crate::chat::hub::{Context, Hub, Random};
use crate::layers::application::engineio::{self, CloseCause, SessionConfig};
use crate::layers::application::socketio::{Kind, Packet, Value};
use crate::sim::AppId;
use crate::sim::apps::event_puppet::{EventPuppet, Transport};
use crate::sim::apps::event_server::EventServer as Program;

/// How often a server asks its clients for a sign of life, and how long it waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// From one ping to the next.
    pub interval: Duration,
    /// How long a pong may take.
    pub timeout: Duration,
}

impl Default for Heartbeat {
    /// What Socket.IO servers have: 25 s and 20 s.
    fn default() -> Self {
        let session = SessionConfig::default();
        Heartbeat { interval: session.ping_interval, timeout: session.ping_timeout }
    }
}

/// An event server of the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventServer {
    /// The host it runs on.
    pub host: Host,
    app: AppId,
    port: u16,
}

/// A client of an event server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventClient {
    /// The host it runs on.
    pub host: Host,
    app: AppId,
}

/// An event that a client received.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// When it was received.
    pub at: Instant,
    /// The namespace it came in.
    pub namespace: String,
    /// The event's name.
    pub event: String,
    /// The event's arguments.
    pub args: Vec<Value>,
}

impl Stage {
    /// Begins to serve events at a port. `build` makes the hub and the program on it, again after each crash.
    pub fn event_server(
        &mut self,
        host: Host,
        port: u16,
        heartbeat: Heartbeat,
        build: impl FnMut(Random) -> Hub + 'static,
    ) -> EventServer {
        let network = self.network();
        let (ping_interval, ping_timeout) = (heartbeat.interval, heartbeat.timeout);
        let session = SessionConfig { ping_interval, ping_timeout, ..SessionConfig::default() };
        let engine = engineio::Config { session, ..engineio::Config::default() };
        let app = network.app(host.id(), Program::new(port, build).engine(engine));
        network.call(app, |server: &mut Program, io| server.begin(io));
        EventServer { host, app, port }
    }

    /// A client that enters these namespaces; it opens its session now.
    pub fn event_client(
        &mut self,
        host: Host,
        server: EventServer,
        transport: Transport,
        namespaces: &[(&str, Vec<(String, Value)>)],
    ) -> EventClient {
        let to = SocketAddr::new(server.host.address, server.port);
        let mut client = EventPuppet::new(to, transport);
        namespaces.iter().for_each(|(namespace, auth)| client.want(namespace, auth.clone()));
        let network = self.network();
        let app = network.app(host.id(), client);
        network.call(app, |client: &mut EventPuppet, io| client.connect(io));
        EventClient { host, app }
    }

    /// The client opens a new session, and presents its secrets.
    pub fn reconnect(&mut self, client: EventClient) {
        self.network().call(client.app, |client: &mut EventPuppet, io| client.connect(io));
    }

    /// The client ends its session.
    pub fn hang_up(&mut self, client: EventClient) {
        self.network().call(client.app, |client: &mut EventPuppet, io| client.close(io));
    }

    /// The client is gone without a word of Socket.IO, as when its program ends: its host closes the connection.
    pub fn hang_up_without_a_word(&mut self, client: EventClient) {
        self.network().call(client.app, |client: &mut EventPuppet, io| client.vanish(io));
    }

    /// The client emits an event in the main namespace; false when it has no session.
    pub fn emit(&mut self, client: EventClient, event: &str, args: Vec<Value>) -> bool {
        self.emit_in(client, "/", event, args, None)
    }

    /// The client emits an event, with a number when it wants an answer; false when it has no session.
    pub fn emit_in(
        &mut self,
        client: EventClient,
        namespace: &str,
        event: &str,
        args: Vec<Value>,
        ack: Option<u64>,
    ) -> bool {
        self.network()
            .call(client.app, |client: &mut EventPuppet, io| client.emit(namespace, event, args, ack, io))
    }

    /// The server's program says something by itself, in a namespace.
    pub fn server_says(&mut self, server: EventServer, namespace: &str, say: impl FnOnce(&mut Context<'_>)) {
        self.network().call(server.app, |server: &mut Program, io| server.speak(io, namespace, say));
    }

    /// The server's program is killed.
    pub fn crash(&mut self, server: EventServer) {
        self.network().call(server.app, |server: &mut Program, io| server.crash(io));
    }

    /// The server's program begins again.
    pub fn restart(&mut self, server: EventServer) {
        self.network().call(server.app, |server: &mut Program, io| server.begin(io));
    }

    /// The packets that a client got so far, and when.
    pub fn packets_of(&mut self, client: EventClient) -> Vec<(Instant, Packet)> {
        let client: &EventPuppet = self.network().app_ref(client.app);
        client.received().to_vec()
    }

    /// The events that a client received so far.
    pub fn heard(&mut self, client: EventClient) -> Vec<Heard> {
        let heard = |(at, Packet { namespace, kind })| match kind {
            Kind::Event { name, args, .. } => Some(Heard { at, namespace, event: name, args }),
            _ => None,
        };
        self.packets_of(client).into_iter().filter_map(heard).collect()
    }

    /// Whether a client has been let into a namespace, and its session lives.
    pub fn is_in(&mut self, client: EventClient, namespace: &str) -> bool {
        let client: &EventPuppet = self.network().app_ref(client.app);
        client.is_in(namespace)
    }

    /// Whether the server recovered a client that came back.
    pub fn is_recovered(&mut self, client: EventClient, namespace: &str) -> bool {
        let client: &EventPuppet = self.network().app_ref(client.app);
        client.is_recovered(namespace)
    }

    /// When a client moved to WebSocket.
    pub fn upgraded_at(&mut self, client: EventClient) -> Option<Instant> {
        let client: &EventPuppet = self.network().app_ref(client.app);
        client.upgraded_at()
    }

    /// When and why a client's session ended, when it has.
    pub fn ended(&mut self, client: EventClient) -> Option<(Instant, CloseCause)> {
        let client: &EventPuppet = self.network().app_ref(client.app);
        client.ended()
    }

    /// Lets time pass until something is so, for at most `most`; says whether it came to be.
    pub fn run_until_it(&mut self, most: Duration, mut is_so: impl FnMut(&mut Stage) -> bool) -> bool {
        let end = self.now() + most;
        while !is_so(self) {
            if self.now() >= end || !self.network().step() {
                return is_so(self);
            }
        }
        true
    }
}

impl Heard {
    /// The text at this place of what it carried; empty when there is none.
    pub fn text(&self, index: usize) -> &str {
        self.args.get(index).and_then(Value::as_str).unwrap_or_default()
    }
}
