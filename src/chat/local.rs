//! Clients without a network: a hub and its clients in one program, for first steps, examples and tests.
//!
//! It is the simplest driver that a [`Hub`] can have, and shows what every driver has to do: give it inputs, do what
//! its outputs say, report what was sent, and wake it in time.

use std::collections::BTreeMap;

use super::hub::{Hub, Input, Output, Reason, SessionId};
use crate::base::{Duration, Instant, Machine as _};
use crate::layers::application::socketio::{Decoder, Kind, Limits, Packet, Value};

/// A hub and its clients. Time passes only in [`wait`](Local::wait).
#[derive(Debug)]
pub struct Local {
    /// The hub, to give it its program.
    pub hub: Hub,
    now: Instant,
    wake_at: Instant,
    last: u64,
    inboxes: BTreeMap<SessionId, Vec<Packet>>,
}

impl Local {
    /// A hub without clients.
    pub fn new(hub: Hub) -> Self {
        Local { hub, now: Instant::ZERO, wake_at: Instant::NEVER, last: 0, inboxes: BTreeMap::new() }
    }

    /// A client opens a connection and asks to be let into a namespace.
    pub fn connect(&mut self, namespace: &str, auth: Option<Value>) -> SessionId {
        self.last += 1;
        let client = SessionId(self.last);
        self.inboxes.insert(client, Vec::new());
        self.input(Input::Opened(client));
        self.send(client, Packet::new(namespace, Kind::Connect(auth)));
        client
    }

    /// A client sends an event, with a number when it wants an answer.
    pub fn emit(&mut self, client: SessionId, event: &str, args: Vec<Value>, ack: Option<u64>) {
        let kind = Kind::Event { name: event.to_owned(), args, ack };
        self.send(client, Packet::new("/", kind));
    }

    /// A client sends a packet.
    pub fn send(&mut self, client: SessionId, packet: Packet) {
        self.input(Input::Packet(client, packet));
    }

    /// A client's cable is pulled.
    pub fn cut(&mut self, client: SessionId) {
        self.input(Input::Closed(client, Reason::TransportClosed));
    }

    /// What came to a client since it last looked.
    pub fn take(&mut self, client: SessionId) -> Vec<Packet> {
        self.inboxes.get_mut(&client).map(std::mem::take).unwrap_or_default()
    }

    /// Lets this much time pass.
    pub fn wait(&mut self, length: Duration) {
        let end = self.now + length;
        while self.wake_at <= end {
            self.now = self.now.max(self.wake_at);
            self.input(Input::Wake);
        }
        self.now = end;
    }

    fn input(&mut self, input: Input) {
        self.hub.handle(self.now, input);
        while let Some(output) = self.hub.poll(self.now) {
            match output {
                Output::Send { to, packet } => {
                    // A connection without a network takes everything at once.
                    let mut decoder = Decoder::new(Limits::default());
                    let mut whole = decoder.text(packet.text.as_str());
                    for attachment in &packet.attachments {
                        whole = decoder.binary(attachment.clone());
                    }
                    for client in to {
                        if let (Ok(Some(packet)), Some(inbox)) = (&whole, self.inboxes.get_mut(&client)) {
                            inbox.push(packet.clone());
                        }
                        self.hub.handle(self.now, Input::Sent(client, packet.len()));
                    }
                }
                // These clients are in the same program: a probe is answered at once.
                Output::Probe(client) => self.hub.handle(self.now, Input::Alive(client)),
                Output::Close { .. } => {}
                Output::WakeAt(at) => self.wake_at = at,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::chat::{Config, MemoryLog, Retention, offset_number};

    #[test]
    fn two_clients_talk_and_time_passes_only_when_told() {
        let mut rng = Rng::new(1);
        let log = Box::new(MemoryLog::new(Retention::default()));
        let config = Config { connect_timeout: Duration::from_secs(1), ..Config::default() };
        let mut hub = Hub::new(config, Box::new(move || rng.next_u64()), log);
        hub.of("/").on("say", |cx, args, ack| {
            cx.broadcast().emit("said", args.to_vec());
            ack.send(cx, vec![]);
        });
        let mut local = Local::new(hub);
        let (ada, bob) = (local.connect("/", None), local.connect("/", None));
        let lost = local.connect("/nowhere", None);
        local.take(bob);
        local.emit(ada, "say", vec!["hello".into()], None);
        let heard = local.take(bob).remove(0);
        let Kind::Event { name, args, ack: None } = heard.kind else { panic!("{heard:?}") };
        assert_eq!((name.as_str(), args[0].as_str()), ("said", Some("hello")));
        assert_eq!(args[1].as_str().and_then(offset_number), Some(1));
        assert_eq!(local.take(bob), []);
        local.cut(bob);
        assert_eq!((local.hub.sessions(), local.hub.away("/")), (2, 1));
        local.wait(Duration::from_secs(121));
        assert_eq!((local.hub.sessions(), local.hub.away("/")), (1, 0));
        assert!(!local.take(lost).is_empty(), "it got a refusal: there is no such namespace");
    }
}
