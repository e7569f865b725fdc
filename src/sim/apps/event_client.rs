//! A client of the event server that comes back by itself, as a program has it: [`Client`] over Engine.IO, over a
//! WebSocket, over the host's TCP. Lessons, which tell each step, have
//! [`EventPuppet`](super::event_puppet::EventPuppet).
//!
//! What it does follows from a script, actions with their times, and from listeners; what it received is kept, to be
//! read after the run. It reconnects by itself when its cable was pulled, the server crashed, or the network lost too
//! much; how is written down in [`chat::client`](crate::chat::client).
//!
//! Bounds: the machine's own; a socket that takes no more slows the machine down; at most [`MAX_CLOSING`] former
//! connections may take their time to close; [`MAX_HEARD`] events are kept, and later ones are not.

use std::net::SocketAddr;

use crate::base::{Duration, Instant, Machine as _};
use crate::chat::client::{Client, Config, Event, Heard, Input, Output};
use crate::layers::application::socketio::Value;
use crate::layers::application::websocket::{self, CloseCode, CloseReason, Connection, Message};
use crate::layers::stack::{SocketEvent, SocketId};
use crate::layers::transport::tcp::Reason;
use crate::sim::websocket::WebSocketEnd;
use crate::sim::{App, Io};
use crate::trace::Kind;

/// Something that the person at this client does.
type Action = Box<dyn FnOnce(&mut Client, Instant)>;

/// What this client does when something happens to it.
type Listener = Box<dyn FnMut(&mut Client, Instant, &Event)>;

/// Former connections that may still be closing; beyond it the oldest is reset.
pub const MAX_CLOSING: usize = 8;

/// Events that are kept.
pub const MAX_HEARD: usize = 100_000;

/// A client, its script, and what it received.
pub struct EventClient {
    to: SocketAddr,
    config: Config,
    script: Vec<(Instant, Action)>,
    listeners: Vec<Listener>,
    client: Option<Client>,
    wire: Option<Channel>,
    closing: Vec<Channel>,
    /// When the machine is due next.
    wake_at: Instant,
    is_full: bool,
    heard: Vec<(Instant, Event)>,
}

/// A TCP connection that becomes a WebSocket once it is established.
struct Channel {
    tcp: SocketId,
    target: String,
    end: Option<WebSocketEnd>,
}

/// More bytes than this for TCP to take, and the machine waits until there are none.
const ENOUGH: usize = 64 << 10;

impl EventClient {
    /// A client that will connect to `to` as soon as it has joined a namespace.
    pub fn new(to: SocketAddr) -> Self {
        EventClient {
            to,
            config: Config::default(),
            script: Vec::new(),
            listeners: Vec::new(),
            client: None,
            wire: None,
            closing: Vec::new(),
            wake_at: Instant::NEVER,
            is_full: false,
            heard: Vec::new(),
        }
    }

    /// With these limits and times.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Joins a namespace as the run begins.
    #[must_use]
    pub fn join(self, namespace: &'static str, auth: Option<Value>) -> Self {
        self.at(Instant::ZERO, move |client, now| {
            client.join(now, namespace, auth);
        })
    }

    /// Does something at this time of the run.
    #[must_use]
    pub fn at(mut self, at: Instant, act: impl FnOnce(&mut Client, Instant) + 'static) -> Self {
        self.script.push((at, Box::new(act)));
        self
    }

    /// Does something whenever an event of this name comes.
    #[must_use]
    pub fn on(
        self,
        name: &'static str,
        mut listener: impl FnMut(&mut Client, Instant, &Heard) + 'static,
    ) -> Self {
        self.on_any(move |client, now, event| match event {
            Event::Heard(heard) if heard.name == name => listener(client, now, heard),
            _ => {}
        })
    }

    /// Does something whenever anything happens.
    #[must_use]
    pub fn on_any(mut self, listener: impl FnMut(&mut Client, Instant, &Event) + 'static) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Lets the person at this client do something now. For [`Network::call`](crate::sim::Network::call).
    pub fn act<T>(&mut self, io: &mut Io<'_>, act: impl FnOnce(&mut Client, Instant) -> T) -> Option<T> {
        let client = self.client.as_mut()?;
        let result = act(client, io.now());
        self.settle(io);
        Some(result)
    }

    /// All that happened to it, with its time.
    pub fn happened(&self) -> &[(Instant, Event)] {
        &self.heard
    }

    /// The events of this name that came, in order.
    pub fn heard<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Heard> {
        self.heard.iter().filter_map(move |(_, event)| match event {
            Event::Heard(heard) if heard.name == name => Some(heard),
            _ => None,
        })
    }

    /// The machine, once the run has begun.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// Its TCP connection, if it has one.
    pub fn socket(&self) -> Option<SocketId> {
        self.wire.as_ref().map(|wire| wire.tcp)
    }

    /// Does what the script says for this time, and lets the machines act until they have nothing more to do.
    fn run(&mut self, io: &mut Io<'_>) {
        let due = self.script.iter().take_while(|(at, _)| *at <= io.now()).count();
        let actions: Vec<(Instant, Action)> = self.script.drain(..due).collect();
        for (_, act) in actions {
            if let Some(client) = &mut self.client {
                act(client, io.now());
            }
            self.settle(io);
        }
        self.settle(io);
    }

    fn settle(&mut self, io: &mut Io<'_>) {
        loop {
            let mut busy = false;
            while let Some(event) = self.wire.as_mut().and_then(|wire| wire.next(io)) {
                busy = true;
                self.hear_wire(event, io);
            }
            while let Some(output) = self.client.as_mut().and_then(|client| client.poll(io.now())) {
                busy = true;
                self.obey(output, io);
            }
            for wire in &mut self.closing {
                while wire.next(io).is_some() {}
                wire.flush(io);
            }
            if let Some(wire) = &mut self.wire {
                // What the machine has just said is not framed yet.
                busy |= wire.end.as_ref().is_some_and(WebSocketEnd::wants_polling);
                wire.flush(io);
                let waiting = wire.end.as_ref().map_or(0, WebSocketEnd::waiting);
                let told = if self.is_full { waiting > 0 } else { waiting > ENOUGH };
                if told != std::mem::replace(&mut self.is_full, told)
                    && let Some(client) = &mut self.client
                {
                    busy = true;
                    client.handle(io.now(), if told { Input::Full } else { Input::Room });
                }
            }
            if !busy {
                break;
            }
        }
        let script = self.script.first().map_or(Instant::NEVER, |(at, _)| *at);
        let ends = self.wire.iter().chain(&self.closing).filter_map(|wire| wire.end.as_ref());
        let wires = ends.filter_map(WebSocketEnd::wake_at);
        let due = wires.fold(self.wake_at.min(script), Instant::min);
        if due < Instant::NEVER {
            io.wake_at(due);
        }
    }

    /// What the WebSocket says is for the machine.
    fn hear_wire(&mut self, event: websocket::Event, io: &mut Io<'_>) {
        let Some(client) = &mut self.client else { return };
        let now = io.now();
        match event {
            websocket::Event::Open(_) => client.handle(now, Input::Opened),
            websocket::Event::Message(message) => {
                if let Some(wire) = &self.wire {
                    let (flow, len) = (io.stack().flow(wire.tcp), message.as_bytes().len());
                    io.note(|| Kind::MessageReceived { flow, len });
                }
                client.handle(now, Input::Message(message));
            }
            websocket::Event::Close(_) => {
                self.retire();
                self.tell_closed("the connection was closed".into(), now);
            }
            websocket::Event::Failed(failure) => {
                self.retire();
                self.tell_closed(failure.to_string(), now);
            }
            websocket::Event::Ping(_) | websocket::Event::Pong(_) => {}
        }
    }

    fn tell_closed(&mut self, why: String, now: Instant) {
        if let Some(client) = &mut self.client {
            client.handle(now, Input::Closed(why.into()));
        }
    }

    fn obey(&mut self, output: Output, io: &mut Io<'_>) {
        match output {
            Output::Dial { target } => match io.tcp_connect(self.to) {
                Ok(tcp) => self.wire = Some(Channel::new(tcp, target)),
                Err(error) => self.tell_closed(error.to_string(), io.now()),
            },
            Output::Send(message) => {
                let Some(wire) = &mut self.wire else { return };
                if let Err(why) = wire.send(&message, io) {
                    self.hang_up(io);
                    self.tell_closed(why, io.now());
                }
            }
            Output::HangUp => self.hang_up(io),
            Output::Event(event) => {
                if let Some(client) = &mut self.client {
                    self.listeners.iter_mut().for_each(|listener| listener(client, io.now(), &event));
                }
                if self.heard.len() < MAX_HEARD {
                    self.heard.push((io.now(), event));
                }
            }
            Output::WakeAt(at) => self.wake_at = at,
        }
    }

    /// Begins the closing handshake, and lets the connection end by itself.
    fn hang_up(&mut self, io: &mut Io<'_>) {
        let Some(wire) = &mut self.wire else { return };
        match &mut wire.end {
            Some(WebSocketEnd { machine, .. }) => {
                // It may be closing already, and then there is nothing to say.
                let _ = machine.close(io.now(), &CloseReason::new(CloseCode::NORMAL, ""));
                self.retire();
            }
            None => {
                io.tcp_abort(wire.tcp);
                self.wire = None;
            }
        }
    }

    /// The present connection is a former one from now on.
    fn retire(&mut self) {
        self.closing.extend(self.wire.take());
        self.is_full = false;
    }

    fn reset_oldest(&mut self, io: &mut Io<'_>) {
        while self.closing.len() > MAX_CLOSING {
            io.tcp_abort(self.closing.remove(0).tcp);
        }
    }

    /// A socket event for one of its connections, present or former.
    fn socket_event(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        let socket = event.socket();
        let is_present = self.wire.as_ref().is_some_and(|wire| wire.tcp == socket);
        let wire = self.wire.iter_mut().chain(&mut self.closing).find(|wire| wire.tcp == socket);
        let Some(wire) = wire else { return };
        match event {
            SocketEvent::Connected(_) => {
                if let Err(error) = wire.open(self.to, io) {
                    io.note(|| Kind::Note { text: error.into() });
                }
            }
            SocketEvent::PeerClosed(_) => wire.end_of_stream(io),
            SocketEvent::Closed { reason, .. } => {
                if wire.end.is_some() {
                    wire.end_of_stream(io);
                    self.settle(io);
                }
                self.closing.retain(|wire| wire.tcp != socket);
                if self.wire.as_ref().is_some_and(|wire| wire.tcp == socket) {
                    self.wire = None;
                    self.is_full = false;
                    if is_present {
                        self.tell_closed(words(reason).into(), io.now());
                    }
                }
            }
            // Read and written below, with whatever else there is.
            SocketEvent::Readable(_) | SocketEvent::Writable(_) => {}
            SocketEvent::Accepted { .. } | SocketEvent::Unreachable { .. } => {}
        }
    }
}

impl App for EventClient {
    fn start(&mut self, io: &mut Io<'_>) {
        let mut rng = io.rng().fork("client");
        self.client = Some(Client::new(self.config.clone(), Box::new(move || rng.next_u64())));
        self.script.sort_by_key(|(at, _)| *at);
        self.run(io);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        self.socket_event(event, io);
        self.reset_oldest(io);
        self.run(io);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        let now = io.now();
        for wire in self.wire.iter_mut().chain(&mut self.closing) {
            if let Some(end) = &mut wire.end
                && end.wake_at().is_some_and(|at| at <= now)
            {
                end.give(io, Some(websocket::Input::Wake));
            }
        }
        if self.wake_at <= now {
            self.wake_at = Instant::NEVER;
            self.client.iter_mut().for_each(|client| client.handle(now, Input::Wake));
        }
        self.run(io);
    }
}

impl Channel {
    fn new(tcp: SocketId, target: String) -> Self {
        Channel { tcp, target, end: None }
    }

    /// TCP is connected: the opening handshake begins.
    fn open(&mut self, to: SocketAddr, io: &mut Io<'_>) -> Result<(), String> {
        let (request, masks) = WebSocketEnd::ask(to.to_string(), &self.target, io);
        // Engine.IO's heartbeat finds a dead peer, and its client gives up an opening that takes too long.
        let patience = Duration::from_secs(3600);
        let config = websocket::Config { handshake_timeout: patience, ..websocket::Config::default() };
        let machine =
            Connection::client(io.now(), config, request, masks).map_err(|error| error.to_string())?;
        self.end = Some(WebSocketEnd::writing_together(self.tcp, machine));
        Ok(())
    }

    fn end_of_stream(&mut self, io: &mut Io<'_>) {
        if let Some(end) = &mut self.end {
            end.end_of_stream(io);
        }
    }

    /// What the WebSocket says next. When it says nothing, all that could be read was read.
    fn next(&mut self, io: &mut Io<'_>) -> Option<websocket::Event> {
        self.end.as_mut()?.next(io)
    }

    fn send(&mut self, message: &Message, io: &mut Io<'_>) -> Result<(), String> {
        let Some(end) = &mut self.end else { return Err("not connected".into()) };
        end.send(io, message).map_err(|error| error.to_string())?;
        // Out of the machine's own queue, which is bounded: what waits here is bounded by slowing the client down.
        end.fetch();
        Ok(())
    }

    fn flush(&mut self, io: &mut Io<'_>) {
        if let Some(end) = &mut self.end {
            end.flush(io);
        }
    }
}

/// Why TCP ended, for people.
fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Normal => "the server closed the connection",
        Reason::Reset => "the connection was reset",
        Reason::Refused => "the server refused the connection",
        Reason::TimedOut => "the server did not answer",
        Reason::Unreachable => "the server cannot be reached",
    }
}

impl std::fmt::Debug for EventClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventClient")
            .field("to", &self.to)
            .field("client", &self.client)
            .field("heard", &self.heard.len())
            .finish_non_exhaustive()
    }
}
