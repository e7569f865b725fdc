//! A client of the event server on a simulated host: [`Client`] over a session of Engine.IO ([`SessionEnd`]), over the
//! host's TCP.
//!
//! What it does follows from a script, actions with their times, and from listeners, or from a scene that
//! [calls](crate::sim::Network::call) it; what happened to it is kept, to be read after the run. It reconnects by
//! itself when its cable was pulled, the server crashed, or the network lost too much; how is written down in
//! [`chat::client`](crate::chat::client). A scene that looks at what is between two steps makes no tries by itself
//! ([`Backoff::tries`](crate::chat::client::Backoff::tries) is 0), and says when to [`reconnect`](EventClient::reconnect).
//!
//! Bounds: the machine's own; a session that takes no more slows the machine down; what is left of a session has until
//! the next is opened to close; [`MAX_HEARD`] events are kept, and later ones are not.

use std::net::SocketAddr;

use crate::base::{Duration, Instant, Machine as _};
use crate::chat::client::{Client, Config, Event, Heard, Input, Output};
use crate::layers::application::engineio::CloseCause;
use crate::layers::application::engineio::poller::CarrierInput;
pub use crate::layers::application::engineio::poller::Transport;
use crate::layers::application::socketio::{self, Value};
use crate::layers::application::websocket::Message;
use crate::layers::stack::SocketEvent;
use crate::layers::transport::tcp::Reason;
use crate::sim::session::{self, SessionEnd};
use crate::sim::{App, Io};
use crate::trace::Kind;

/// Something that the person at this client does.
type Action = Box<dyn FnOnce(&mut Client, Instant)>;

/// What this client does when something happens to it.
type Listener = Box<dyn FnMut(&mut Client, Instant, &Event)>;

/// Events that are kept.
pub const MAX_HEARD: usize = 100_000;

/// More bytes than this for the network to take, and the machine waits until there are none.
const ENOUGH: usize = 64 << 10;

/// A client, its script, and what happened to it.
pub struct EventClient {
    to: SocketAddr,
    transport: Transport,
    config: Config,
    /// The namespaces that it enters, each with its credentials.
    wanted: Vec<(String, Option<Value>)>,
    script: Vec<(Instant, Action)>,
    listeners: Vec<Listener>,
    client: Option<Client>,
    session: Option<SessionEnd>,
    /// The session is over for the machine: what comes by it is not reported any more.
    is_over: bool,
    /// When the machine is due next.
    wake_at: Instant,
    is_full: bool,
    happened: Vec<(Instant, Event)>,
    upgraded_at: Option<Instant>,
    ended: Option<(Instant, CloseCause)>,
}

impl EventClient {
    /// A client that will connect to `to` as soon as it has joined a namespace.
    pub fn new(to: SocketAddr) -> Self {
        EventClient {
            to,
            transport: Transport::WebSocket,
            config: Config::default(),
            wanted: Vec::new(),
            script: Vec::new(),
            listeners: Vec::new(),
            client: None,
            session: None,
            is_over: true,
            wake_at: Instant::NEVER,
            is_full: false,
            happened: Vec::new(),
            upgraded_at: None,
            ended: None,
        }
    }

    /// With these limits and times.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// By this transport; the default is WebSocket at once.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Joins a namespace as it begins.
    #[must_use]
    pub fn join(mut self, namespace: &str, auth: Option<Value>) -> Self {
        self.wanted.push((namespace.to_owned(), auth));
        self
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

    /// Begins, if it has not: as the run does by itself for the programs that are there at its beginning.
    pub fn begin(&mut self, io: &mut Io<'_>) {
        if self.client.is_some() {
            return;
        }
        let mut rng = io.rng().fork("client");
        self.client = Some(Client::new(self.config.clone(), Box::new(move || rng.next_u64())));
        self.script.sort_by_key(|(at, _)| *at);
        self.enter(io);
        self.run(io);
    }

    /// Lets the person at this client do something now. For [`Network::call`](crate::sim::Network::call).
    pub fn act<T>(&mut self, io: &mut Io<'_>, act: impl FnOnce(&mut Client, Instant) -> T) -> Option<T> {
        let client = self.client.as_mut()?;
        let result = act(client, io.now());
        self.settle(io);
        Some(result)
    }

    /// Emits an event if it is in the namespace, under this number when it wants an answer: false when it could not.
    pub fn emit(
        &mut self,
        namespace: &str,
        event: &str,
        args: Vec<Value>,
        number: Option<u64>,
        io: &mut Io<'_>,
    ) -> bool {
        if !self.is_in(namespace) {
            return false;
        }
        io.note(|| Kind::Note { text: format!("emits {}", written_event(event, &args)).into() });
        let emitted = self.act(io, |client, now| match number {
            None => client.emit(now, namespace, event, args).is_ok(),
            Some(number) => {
                client.count_from(number);
                client.ask(now, namespace, event, args, Duration::MAX).is_ok()
            }
        });
        emitted == Some(true)
    }

    /// Opens a new session, whatever there is of an old one, which is reset.
    pub fn reconnect(&mut self, io: &mut Io<'_>) {
        self.session.take().into_iter().for_each(|session| session.abort(io));
        self.tell(Input::Closed("it connects again".into()), io);
        self.enter(io);
        self.settle(io);
    }

    /// Ends its session with Engine.IO's close packet, without Socket.IO's DISCONNECT.
    pub fn hang_up(&mut self, io: &mut Io<'_>) {
        self.session.iter_mut().for_each(|session| session.close(io));
        self.settle(io);
    }

    /// Its program is gone, and with it the session: its host closes the connections.
    pub fn vanish(&mut self, io: &mut Io<'_>) {
        self.session.take().into_iter().for_each(|session| session.abandon(io));
        self.tell(Input::Closed("its program ended".into()), io);
        self.settle(io);
    }

    /// All that happened to it, with its time.
    pub fn happened(&self) -> &[(Instant, Event)] {
        &self.happened
    }

    /// The events of this name that came, in order.
    pub fn heard<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Heard> {
        self.happened.iter().filter_map(move |(_, event)| match event {
            Event::Heard(heard) if heard.name == name => Some(heard),
            _ => None,
        })
    }

    /// The machine, once the run has begun.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// Whether it has been let into a namespace, and its session lives.
    pub fn is_in(&self, namespace: &str) -> bool {
        self.client.as_ref().is_some_and(|client| client.is_inside(namespace))
    }

    /// Whether the server recognized it when it last entered a namespace.
    pub fn is_recovered(&self, namespace: &str) -> bool {
        let entered = self.happened.iter().rev().find_map(|(_, event)| match event {
            Event::Connected { namespace: name, recovered, .. } if **name == *namespace => Some(*recovered),
            _ => None,
        });
        entered == Some(true)
    }

    /// When it moved to WebSocket.
    pub fn upgraded_at(&self) -> Option<Instant> {
        self.upgraded_at
    }

    /// When and why its session ended, when it has.
    pub fn ended(&self) -> Option<(Instant, CloseCause)> {
        self.ended
    }

    /// Asks the machine to be in all namespaces that are wanted.
    fn enter(&mut self, io: &mut Io<'_>) {
        let Some(client) = &mut self.client else { return };
        for (namespace, auth) in &self.wanted {
            client.join(io.now(), namespace, auth.clone());
        }
    }

    /// Does what the script says for this time, and lets the machines act until they have nothing more to do.
    fn run(&mut self, io: &mut Io<'_>) {
        let due = self.script.iter().take_while(|(at, _)| *at <= io.now()).count();
        let actions: Vec<(Instant, Action)> = self.script.drain(..due).collect();
        for (_, act) in actions {
            self.act(io, act);
        }
        self.settle(io);
    }

    fn settle(&mut self, io: &mut Io<'_>) {
        loop {
            loop {
                if let Some(output) = self.client.as_mut().and_then(|client| client.poll(io.now())) {
                    self.obey(output, io);
                } else if let Some(event) = self.session.as_mut().and_then(|session| session.next(io)) {
                    self.session_event(event, io);
                } else {
                    break;
                }
            }
            // What one happening made it say goes out together.
            self.session.iter_mut().for_each(|session| session.flush(io));
            if !self.tell_room(io) {
                break;
            }
        }
        let script = self.script.first().map_or(Instant::NEVER, |(at, _)| *at);
        let session = self.session.as_ref().map_or(Instant::NEVER, SessionEnd::wake_at);
        let due = self.wake_at.min(script).min(session);
        if due < Instant::NEVER {
            io.wake_at(due);
        }
    }

    /// Reports to the machine when the network takes no more, and when it does again: true when it has.
    fn tell_room(&mut self, io: &mut Io<'_>) -> bool {
        let Some(session) = self.session.as_ref().filter(|_| !self.is_over) else { return false };
        let waiting = session.waiting();
        let full = if self.is_full { waiting > 0 } else { waiting > ENOUGH };
        if full == self.is_full {
            return false;
        }
        self.is_full = full;
        self.tell(if full { Input::Full } else { Input::Room }, io);
        true
    }

    fn tell(&mut self, input: Input, io: &mut Io<'_>) {
        if let Some(client) = &mut self.client {
            client.handle(io.now(), input);
        }
    }

    /// What the session says is for the machine, as long as that wants it.
    fn session_event(&mut self, event: session::Event, io: &mut Io<'_>) {
        match event {
            session::Event::Upgraded => self.upgraded_at = Some(io.now()),
            session::Event::Closed(cause) => {
                self.ended = Some((io.now(), cause));
                let reason = self.session.as_ref().and_then(SessionEnd::reason);
                let input = match (cause, reason) {
                    (CloseCause::TransportClosed, Some(reason)) => Input::Closed(words(reason).into()),
                    _ => Input::ended(cause),
                };
                if !std::mem::replace(&mut self.is_over, true) {
                    self.tell(input, io);
                }
            }
            session::Event::Open { .. } | session::Event::Message(_) if self.is_over => {}
            session::Event::Open { max_payload } => self.tell(Input::Opened { max_payload }, io),
            session::Event::Message(message) => self.tell(Input::Message(message), io),
        }
    }

    /// Does what the machine asks for.
    fn obey(&mut self, output: Output, io: &mut Io<'_>) {
        match output {
            Output::Dial => {
                self.session.take().into_iter().for_each(|session| session.abort(io));
                self.session = Some(SessionEnd::open(self.to, socketio::PATH, self.transport, io));
                (self.is_over, self.is_full, self.ended) = (false, false, None);
            }
            Output::Send(message) => self.send(message, io),
            Output::HangUp => {
                self.is_over = true;
                self.session.iter_mut().for_each(|session| session.close(io));
            }
            Output::Event(event) => self.tell_program(event, io),
            Output::WakeAt(at) => self.wake_at = at,
        }
    }

    fn send(&mut self, message: Message, io: &mut Io<'_>) {
        let Some(session) = self.session.as_mut().filter(|_| !self.is_over) else { return };
        // Each packet is a write of its own, as from a program that does not wait for others; its attachments are within.
        if matches!(message, Message::Text(_)) {
            session.flush(io);
        }
        if session.send(message, io) {
            // To the connection, or the next flush would not find it.
            while let Some(event) = self.session.as_mut().and_then(|session| session.next(io)) {
                self.session_event(event, io);
            }
        } else {
            self.is_over = true;
            session.close(io);
            self.tell(Input::Closed("more waits for the network than it takes".into()), io);
        }
    }

    fn tell_program(&mut self, event: Event, io: &mut Io<'_>) {
        match &event {
            Event::Heard(heard) => io.note(|| {
                let text = format!("hears {}", written_event(&heard.name, &heard.args_as_sent()));
                Kind::Note { text: text.into() }
            }),
            Event::Refused { error, .. } => io.note(|| {
                let why = error.get("message").and_then(Value::as_str).unwrap_or_default();
                Kind::Note { text: format!("refused: {why}").into() }
            }),
            _ => {}
        }
        if let Some(client) = &mut self.client {
            self.listeners.iter_mut().for_each(|listener| listener(client, io.now(), &event));
        }
        if self.happened.len() < MAX_HEARD {
            self.happened.push((io.now(), event));
        }
    }
}

impl App for EventClient {
    fn start(&mut self, io: &mut Io<'_>) {
        self.begin(io);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        let socket = event.socket();
        while let Some(session) = self.session.as_mut().filter(|session| session.owns(socket))
            && let Some(input) = session.input(event, io)
        {
            session.give(input, io);
            self.settle(io);
            if !matches!(event, SocketEvent::Readable(_)) {
                break;
            }
        }
        if let SocketEvent::Readable(_) = event {
            // A connection that was let go: what still comes on it is read, or its end would never be seen.
            while io.tcp_read(socket, usize::MAX).is_some() {}
        }
        self.run(io);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        let now = io.now();
        if let Some(session) = self.session.as_mut().filter(|session| session.wake_at() <= now) {
            session.give(CarrierInput::Wake, io);
        }
        if self.wake_at <= now {
            self.wake_at = Instant::NEVER;
            self.tell(Input::Wake, io);
        }
        self.run(io);
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

/// An event in words: its name, and what it carries.
fn written_event(event: &str, args: &[Value]) -> String {
    let args: Vec<String> = args.iter().map(written).collect();
    format!("{event}({})", args.join(", "))
}

/// A value as a program would write it, with spaces where a line may end.
fn written(value: &Value) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", written(value)));
            format!("{{{}}}", list(fields.collect()))
        }
        Value::Array(values) => format!("[{}]", list(values.iter().map(written).collect())),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

impl std::fmt::Debug for EventClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventClient")
            .field("to", &self.to)
            .field("client", &self.client)
            .field("session", &self.session)
            .field("happened", &self.happened.len())
            .finish_non_exhaustive()
    }
}
