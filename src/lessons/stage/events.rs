//! The verbs of the event system: a server with a program on it, clients, what they emit, and what they receive.
//!
//! Clients and server are programs of their own beside the puppet of their host. A client does not come back by itself: it
//! connects, emits, hangs up and reconnects when the script says so.

use std::net::SocketAddr;

use super::cast::Host;
use super::telling::Stage;
use crate::base::{Duration, Instant};
use crate::chat::client::{Backoff, Config, Event};
use crate::chat::hub::{Context, Hub, Random};
use crate::layers::application::engineio::{self, CloseCause, SessionConfig};
use crate::layers::application::socketio::Value;
use crate::sim::AppId;
use crate::sim::apps::event_client::{EventClient as Client, Transport};
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
    /// The event's arguments; its offset last, when it has one.
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
        // The script says when it tries again, and how long it waits.
        let backoff = Backoff { tries: Some(0), ..Backoff::default() };
        let config = Config { backoff, connect_timeout: Duration::MAX, ..Config::default() };
        let mut client = Client::new(to).transport(transport).config(config);
        for (namespace, auth) in namespaces {
            let auth = (!auth.is_empty()).then(|| Value::Object(auth.clone()));
            client = client.join(namespace, auth);
        }
        let network = self.network();
        let app = network.app(host.id(), client);
        network.call(app, |client: &mut Client, io| client.begin(io));
        EventClient { host, app }
    }

    /// The client opens a new session, and presents its secrets.
    pub fn reconnect(&mut self, client: EventClient) {
        self.network().call(client.app, |client: &mut Client, io| client.reconnect(io));
    }

    /// The client ends its session.
    pub fn hang_up(&mut self, client: EventClient) {
        self.network().call(client.app, |client: &mut Client, io| client.hang_up(io));
    }

    /// The client is gone without a word of Socket.IO, as when its program ends: its host closes the connection.
    pub fn hang_up_without_a_word(&mut self, client: EventClient) {
        self.network().call(client.app, |client: &mut Client, io| client.vanish(io));
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
            .call(client.app, |client: &mut Client, io| client.emit(namespace, event, args, ack, io))
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

    /// What the server let a client know so far, and when.
    pub fn received(&mut self, client: EventClient) -> Vec<(Instant, Event)> {
        let client: &Client = self.network().app_ref(client.app);
        let by_server = |event: &Event| match event {
            Event::Connected { .. } | Event::Refused { .. } | Event::Heard(_) => true,
            Event::Answered { answer, .. } => answer.is_ok(),
            Event::Disconnected { by_server, .. } => *by_server,
            Event::Retrying { .. } | Event::GaveUp { .. } => false,
        };
        client.happened().iter().filter(|(_, event)| by_server(event)).cloned().collect()
    }

    /// The events that a client received so far.
    pub fn heard(&mut self, client: EventClient) -> Vec<Heard> {
        let heard = |(at, event)| match event {
            Event::Heard(heard) => {
                let (namespace, args) = (heard.namespace.to_string(), heard.args_as_sent());
                Some(Heard { at, namespace, event: heard.name, args })
            }
            _ => None,
        };
        self.received(client).into_iter().filter_map(heard).collect()
    }

    /// When a client first got an answer to its event of this number.
    pub fn answered_at(&mut self, client: EventClient, number: u64) -> Option<Instant> {
        let answers = |(at, event): (Instant, Event)| match event {
            Event::Answered { id, .. } if id.number() == number => Some(at),
            _ => None,
        };
        self.received(client).into_iter().find_map(answers)
    }

    /// Whether a client has been let into a namespace, and its session lives.
    pub fn is_in(&mut self, client: EventClient, namespace: &str) -> bool {
        let client: &Client = self.network().app_ref(client.app);
        client.is_in(namespace)
    }

    /// Whether the server recovered a client that came back.
    pub fn is_recovered(&mut self, client: EventClient, namespace: &str) -> bool {
        let client: &Client = self.network().app_ref(client.app);
        client.is_recovered(namespace)
    }

    /// When a client moved to WebSocket.
    pub fn upgraded_at(&mut self, client: EventClient) -> Option<Instant> {
        let client: &Client = self.network().app_ref(client.app);
        client.upgraded_at()
    }

    /// When and why a client's session ended, when it has.
    pub fn ended(&mut self, client: EventClient) -> Option<(Instant, CloseCause)> {
        let client: &Client = self.network().app_ref(client.app);
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
