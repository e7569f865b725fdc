//! The client's end: a machine that speaks events, and comes back by itself.
//!
//! It stands on [`engineio::Client`], and knows no more of the network than that a WebSocket can be opened, carries
//! messages, and breaks. Its driver, over the kernel's sockets or simulated ones, opens one when it says
//! [`Output::Dial`], and reports how that went. What stock Socket.IO clients do is done alike; where it does more, the
//! table says so.
//!
//! | to learn | see |
//! |---|---|
//! | when the next try is made | [`Backoff`] |
//! | what is said in a namespace, and in which order | `space.rs` |
//! | what may be promised about an event | [`Client::emit`], [`Client::volatile`], [`Client::ask`], [`Client::deliver`] |
//! | what it costs to be sure | [`delivery`](super::delivery) |
//!
//! **While it is away** what is emitted waits, in order, within the bounds of [`Config`]; beyond them an emit is
//! *refused*, never dropped in silence. Events that are volatile are dropped, for that is what the word means.
//!
//! **When it returns** it gives the secret and the offset it had, and says [`recovered`](Event::Connected) when the
//! server took it for the one it was: then every event it missed follows, in order and once. When not, it is somebody
//! new, and the program asks for what it missed in its own way ("since offset").
//!
//! **What it sends again** are the events of [`Client::deliver`], each with an id of its sender, so that the server
//! can tell a copy from a new one ([`Broadcast::sent_as`](super::Broadcast::sent_as)).
//!
//! Left out: beginning with polling (see [`engineio::client`]), and sharing one connection between several clients.

mod backoff;
mod space;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use self::space::{Order, Space, Standing};
use super::hub::Random;
use crate::base::{Duration, Instant, Machine};
use crate::layers::application::engineio::{self, CloseCause, client as engine};
use crate::layers::application::socketio::{Decoder, Kind, Limits, Packet, RESERVED_EVENTS, Value};
use crate::layers::application::websocket::Message;

pub use self::backoff::Backoff;

/// What a client allows itself, and how long it waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The path of the server's endpoint [`/socket.io/`].
    pub path: String,
    /// The waits between tries.
    pub backoff: Backoff,
    /// How long it may take to open a connection, and then to be let into a namespace [20 s].
    pub connect_timeout: Duration,
    /// Events of one namespace that may wait to be sent or acknowledged, and questions that may be open [1024].
    pub buffer_events: usize,
    /// Bytes of these events [1 MiB].
    pub buffer_bytes: usize,
    /// Namespaces [64].
    pub namespaces: usize,
    /// When it comes back and is *not* the one it was, what waits goes on waiting until [`Client::resume`] [false].
    /// For programs that have to find their place again first: join their rooms, and see which of their own events the
    /// server has already, for it knows senders' ids by the socket that sent them.
    pub hold_when_new: bool,
    /// How much one packet of the server may hold.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            path: "/socket.io/".into(),
            backoff: Backoff::default(),
            connect_timeout: Duration::from_secs(20),
            buffer_events: 1024,
            buffer_bytes: 1 << 20,
            namespaces: 64,
            hold_when_new: false,
            limits: Limits::default(),
        }
    }
}

/// What can happen to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The WebSocket that was asked for is open.
    Opened,
    /// A message came by it.
    Message(Message),
    /// It is closed, or could not be opened; in words for people.
    Closed(Cow<'static, str>),
    /// The network takes no more for now: what is emitted from here on waits.
    Full,
    /// The network takes more again.
    Room,
    /// The time it asked for has come.
    Wake,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a WebSocket, asking for this path and query. There is at most one at a time.
    Dial {
        /// The request's target.
        target: String,
    },
    /// Send a message by it.
    Send(Message),
    /// Close it, after what was sent. Nothing of it is to be reported any more.
    HangUp,
    /// Tell the program above.
    Event(Event),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// What the program above learns.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A namespace let it in.
    Connected {
        /// Which.
        namespace: Arc<str>,
        /// The public id that it has there.
        sid: String,
        /// It is the one it was: what it missed follows.
        recovered: bool,
    },
    /// A namespace does not let it in: what the server says, mostly an object with `message` and `data`. It does not
    /// ask again by itself; [`Client::join`] does, and what waits for the namespace goes on waiting.
    Refused {
        /// Which.
        namespace: Arc<str>,
        /// Why.
        error: Value,
    },
    /// An event came.
    Heard(Heard),
    /// A question has its answer, or will not get one. Once for each.
    Answered {
        /// Which.
        id: EmitId,
        /// The answer's arguments.
        answer: Result<Vec<Value>, NoAnswer>,
    },
    /// It is not in a namespace any more.
    Disconnected {
        /// Which.
        namespace: Arc<str>,
        /// The server put it out; it does not come back by itself. Otherwise the connection broke.
        by_server: bool,
    },
    /// There is no connection, and there will be another try.
    Retrying {
        /// Which try it will be, counted from 1 since it was last let in.
        attempt: u32,
        /// How long until then.
        after: Duration,
        /// What was wrong, for people.
        why: Cow<'static, str>,
    },
    /// All tries were in vain: there will be no other. [`Client::join`] begins anew.
    GaveUp {
        /// What was wrong with the last one.
        why: Cow<'static, str>,
    },
}

/// An event from the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// In which namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: String,
    /// What it carries.
    pub args: Vec<Value>,
    /// The end of the namespace's log when it was sent: its own place there when it is kept.
    pub offset: Option<u64>,
    /// Present when the server wants an answer: see [`Client::answer`].
    pub ack: Option<AckId>,
}

/// Names an event that wants to be acknowledged; never used again by the same client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmitId(u64);

/// Names a question of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckId {
    namespace: Arc<str>,
    id: u64,
    /// Of which connection: an answer to a question of a former one is worth nothing.
    connection: u64,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The time was over.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke after it was sent: whether it had its effect is not known.
    #[error("the connection broke before the answer came")]
    Disconnected,
    /// The client left the namespace.
    #[error("the namespace was left before the answer came")]
    Left,
    /// It is larger than the server takes.
    #[error("it is larger than the server takes")]
    TooLarge,
}

/// Why an event cannot be emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// As many wait already as may.
    #[error("too many events wait to be sent or acknowledged")]
    Full,
    /// It is larger than the server takes.
    #[error("it is larger than the server takes")]
    TooLarge,
    /// The client is not in the namespace, and does not try to be.
    #[error("not in that namespace")]
    NotJoined,
    /// Libraries use this name for happenings of their own.
    #[error("an event may not have this name")]
    ReservedName,
}

/// See the head of this file.
pub struct Client {
    config: Config,
    random: Random,
    phase: Phase,
    spaces: Vec<Space>,
    decoder: Decoder,
    /// Tries in vain since it was last let in.
    attempts: u32,
    /// How many connections there have been.
    connection: u64,
    /// Largest message that this server takes.
    max_payload: usize,
    is_full: bool,
    /// What its senders' ids begin with, so that no other client has the same.
    token: u64,
    last_id: u64,
    outputs: VecDeque<Output>,
    armed: Instant,
}

/// What there is of a connection.
#[derive(Debug)]
enum Phase {
    /// None, and none is wanted.
    Idle,
    /// None; the next try is made then.
    Waiting(Instant),
    /// A WebSocket is being opened, until then.
    Dialing(Instant),
    /// There is one.
    Online {
        engine: Box<engineio::Client>,
        /// When the engine wants to be woken.
        wake_at: Instant,
    },
}

impl Client {
    /// A client that is nowhere yet. `random` scatters its tries and makes its senders' ids.
    pub fn new(config: Config, mut random: Random) -> Self {
        let token = random();
        Client {
            decoder: Decoder::new(config.limits),
            config,
            random,
            phase: Phase::Idle,
            spaces: Vec::new(),
            attempts: 0,
            connection: 0,
            max_payload: usize::MAX,
            is_full: false,
            token,
            last_id: 0,
            outputs: VecDeque::new(),
            armed: Instant::NEVER,
        }
    }

    /// Enters a namespace, and stays there: it comes back when the connection breaks. `auth` is an object, or nothing;
    /// the server's gate reads it. After a refusal it asks again, with other credentials perhaps.
    ///
    /// False when it is in as many namespaces as it may be.
    pub fn join(&mut self, now: Instant, namespace: &str, auth: Option<Value>) -> bool {
        match self.spaces.iter().position(|space| &*space.name == namespace) {
            Some(at) if self.spaces[at].is_active() => return true,
            Some(at) => self.spaces[at].want(auth),
            None if self.spaces.len() < self.config.namespaces => {
                self.spaces.push(Space::new(namespace, auth, &self.config));
            }
            None => return false,
        }
        match &self.phase {
            Phase::Idle => self.dial(now),
            Phase::Online { engine, .. } if engine.is_open() => self.knock(now),
            Phase::Waiting(_) | Phase::Dialing(_) | Phase::Online { .. } => {}
        }
        true
    }

    /// Gives these credentials with the next CONNECT, and all after it.
    pub fn set_auth(&mut self, namespace: &str, auth: Option<Value>) {
        let space = self.spaces.iter_mut().find(|space| &*space.name == namespace);
        if let Some(space) = space {
            space.auth = auth;
        }
    }

    /// Leaves a namespace for good. What waits there is given up.
    pub fn leave(&mut self, now: Instant, namespace: &str) {
        let Some(at) = self.spaces.iter().position(|space| &*space.name == namespace) else { return };
        if self.spaces[at].standing == Standing::Inside {
            self.send(now, &Packet::new(namespace, Kind::Disconnect));
        }
        let unanswered = self.spaces[at].forget(&self.config);
        self.not_answered(unanswered, NoAnswer::Left);
        self.spaces.remove(at);
        self.rest_if_unwanted(now);
    }

    /// Leaves all namespaces, then the server.
    pub fn close(&mut self, now: Instant) {
        let names: Vec<Arc<str>> = self.spaces.iter().map(|space| space.name.clone()).collect();
        names.iter().for_each(|name| self.leave(now, name));
    }

    /// Sends an event once, and waits for no answer. While there is no connection it waits for one.
    ///
    /// # Errors
    /// [`EmitError`]: nothing was sent or kept.
    pub fn emit(
        &mut self,
        now: Instant,
        namespace: &str,
        name: &str,
        args: Vec<Value>,
    ) -> Result<(), EmitError> {
        self.queue(now, namespace, Order { name, args, ask: None, stays: false })
    }

    /// Sends an event if it can be sent now; otherwise it is dropped, and the answer is false.
    pub fn volatile(&mut self, now: Instant, namespace: &str, name: &str, args: Vec<Value>) -> bool {
        let inside = self.space(namespace).is_some_and(|space| space.standing == Standing::Inside);
        !self.is_full && inside && self.emit(now, namespace, name, args).is_ok()
    }

    /// Sends an event once, and wants an answer. The time counts from now, also while it waits for a connection.
    ///
    /// # Errors
    /// [`EmitError`]: nothing was sent or kept.
    pub fn ask(
        &mut self,
        now: Instant,
        namespace: &str,
        name: &str,
        args: Vec<Value>,
        timeout: Duration,
    ) -> Result<EmitId, EmitError> {
        let id = self.next_id();
        let order = Order { name, args, ask: Some((id, now + timeout)), stays: false };
        self.queue(now, namespace, order).map(|()| id)
    }

    /// Sends an event until it is acknowledged: again upon each new connection, in the order in which they were said.
    ///
    /// The sender's id of the event follows its arguments as the last one, a string. A server that hands it to
    /// [`Broadcast::sent_as`](super::Broadcast::sent_as) lets the event have its effect once, however often it comes.
    ///
    /// # Errors
    /// [`EmitError`]: nothing was sent or kept.
    pub fn deliver(
        &mut self,
        now: Instant,
        namespace: &str,
        name: &str,
        mut args: Vec<Value>,
    ) -> Result<EmitId, EmitError> {
        let id = self.next_id();
        args.push(self.sender_id(id).into());
        let order = Order { name, args, ask: Some((id, Instant::NEVER)), stays: true };
        self.queue(now, namespace, order).map(|()| id)
    }

    /// The id that an event of [`deliver`](Client::deliver) carries.
    pub fn sender_id(&self, id: EmitId) -> String {
        format!("{:016x}-{}", self.token, id.0)
    }

    /// An event has had its effect, as the program learned in another way: it is not sent again, and not answered.
    /// False when it does not wait.
    pub fn withdraw(&mut self, id: EmitId) -> bool {
        self.spaces.iter_mut().any(|space| space.settle(id))
    }

    /// What was held goes out: see [`Config::hold_when_new`].
    pub fn resume(&mut self, now: Instant, namespace: &str) {
        let space = self.spaces.iter_mut().find(|space| &*space.name == namespace);
        space.into_iter().for_each(|space| space.held = false);
        self.flush(now);
    }

    /// Answers a question of the server. False when its connection is over, and nobody waits for the answer.
    pub fn answer(&mut self, now: Instant, question: &AckId, args: Vec<Value>) -> bool {
        let namespace = &question.namespace;
        let inside = self.space(namespace).is_some_and(|space| space.standing == Standing::Inside);
        let is_awaited = inside && question.connection == self.connection;
        if is_awaited {
            self.send(now, &Packet::new(&**namespace, Kind::Ack { id: question.id, args }));
        }
        is_awaited
    }

    /// Whether it is in a namespace.
    pub fn is_inside(&self, namespace: &str) -> bool {
        self.space(namespace).is_some_and(|space| space.standing == Standing::Inside)
    }

    /// How many events wait to be sent, or for their acknowledgement when they are to be delivered.
    pub fn unsettled(&self) -> usize {
        self.spaces.iter().map(Space::unsettled).sum()
    }

    fn space(&self, namespace: &str) -> Option<&Space> {
        self.spaces.iter().find(|space| &*space.name == namespace)
    }

    fn next_id(&mut self) -> EmitId {
        self.last_id += 1;
        EmitId(self.last_id)
    }

    fn queue(&mut self, now: Instant, namespace: &str, order: Order<'_>) -> Result<(), EmitError> {
        if RESERVED_EVENTS.contains(&order.name) {
            return Err(EmitError::ReservedName);
        }
        let space = self.spaces.iter_mut().find(|space| &*space.name == namespace);
        let space = space.filter(|space| space.is_active()).ok_or(EmitError::NotJoined)?;
        match space.queue(order, &self.config)? {
            Some(packet) => self.send_encoded(now, packet.text.into(), packet.attachments),
            None => self.flush(now),
        }
        Ok(())
    }

    /// Opens a connection.
    fn dial(&mut self, now: Instant) {
        self.phase = Phase::Dialing(now + self.config.connect_timeout);
        self.outputs.push_back(Output::Dial { target: engineio::Client::target(&self.config.path) });
    }

    /// Asks every namespace that is wanted to be let in.
    fn knock(&mut self, now: Instant) {
        let until = now + self.config.connect_timeout;
        for at in 0..self.spaces.len() {
            if self.spaces[at].standing == Standing::Wanted {
                let packet = self.spaces[at].connect(until);
                self.send(now, &packet);
            }
        }
    }

    /// Sends what waits, as far as the network takes it.
    fn flush(&mut self, now: Instant) {
        for at in 0..self.spaces.len() {
            while !self.is_full
                && let Some((id, packet)) = self.spaces[at].next(now)
            {
                let longest = packet.attachments.iter().map(|bytes| bytes.len()).max().unwrap_or_default();
                // Engine.IO puts its own type before the text.
                if longest.max(packet.text.as_bytes().len() + 1) > self.max_payload {
                    // The server would close the connection for it, and it would come again with the next one.
                    let known = id.filter(|id| self.spaces[at].settle(*id));
                    self.not_answered(known.into_iter().collect(), NoAnswer::TooLarge);
                    continue;
                }
                self.send_encoded(now, packet.text.into(), packet.attachments);
            }
        }
    }

    fn send(&mut self, now: Instant, packet: &Packet) {
        let encoded = packet.encode();
        self.send_encoded(now, encoded.text.into(), encoded.attachments);
    }

    fn send_encoded(&mut self, now: Instant, text: Message, attachments: Vec<bytes::Bytes>) {
        let Phase::Online { engine, .. } = &mut self.phase else { return };
        engine.send(text);
        attachments.into_iter().for_each(|bytes| {
            engine.send(Message::Binary(bytes));
        });
        self.drive(now);
    }

    fn not_answered(&mut self, ids: Vec<EmitId>, why: NoAnswer) {
        let told = ids.into_iter().map(|id| Output::Event(Event::Answered { id, answer: Err(why) }));
        self.outputs.extend(told);
    }

    /// Does what Engine.IO asks for.
    fn drive(&mut self, now: Instant) {
        loop {
            let Phase::Online { engine, wake_at } = &mut self.phase else { return };
            match engine.poll(now) {
                Some(engine::Output::Send(message)) => self.outputs.push_back(Output::Send(message)),
                Some(engine::Output::Open(handshake)) => {
                    self.max_payload = usize::try_from(handshake.max_payload).unwrap_or(usize::MAX);
                    self.knock(now);
                }
                Some(engine::Output::Message(message)) => self.message(now, message),
                Some(engine::Output::Closed(cause)) => self.lost(now, words(cause).into(), true),
                // Said with its end.
                Some(engine::Output::HangUp) => {}
                Some(engine::Output::WakeAt(at)) => *wake_at = at,
                None => return,
            }
        }
    }

    fn message(&mut self, now: Instant, message: Message) {
        let decoded = match message {
            Message::Text(text) => self.decoder.text(text.as_str()),
            Message::Binary(bytes) => self.decoder.binary(bytes),
        };
        match decoded {
            Ok(None) => {}
            Ok(Some(packet)) => self.packet(now, packet),
            // Where the next packet begins is not known any more.
            Err(error) => self.lost(now, format!("the server sent no packet: {error}").into(), true),
        }
    }

    fn packet(&mut self, now: Instant, packet: Packet) {
        let Some(at) = self.spaces.iter().position(|space| *space.name == *packet.namespace) else { return };
        let space = &mut self.spaces[at];
        let namespace = space.name.clone();
        match (space.standing, packet.kind) {
            (Standing::Asked(_), Kind::Connect(Some(welcome))) => {
                let sid = welcome.get("sid").and_then(Value::as_str).unwrap_or_default().to_owned();
                let was_there = space.has_been_inside;
                let recovered = space.entered(welcome.get("pid").and_then(Value::as_str));
                space.held = self.config.hold_when_new && was_there && !recovered;
                self.attempts = 0;
                self.outputs.push_back(Output::Event(Event::Connected { namespace, sid, recovered }));
                self.flush(now);
            }
            (Standing::Asked(_), Kind::ConnectError(error)) => {
                space.standing = Standing::Outside;
                self.outputs.push_back(Output::Event(Event::Refused { namespace, error }));
                self.rest_if_unwanted(now);
            }
            (Standing::Inside, Kind::Event { name, mut args, ack }) => {
                // An event that wants an answer is not kept, and carries no offset.
                let offset = if ack.is_none() { space.offset(&mut args) } else { None };
                let connection = self.connection;
                let ack = ack.map(|id| AckId { namespace: namespace.clone(), id, connection });
                let heard = Heard { namespace, name, args, offset, ack };
                self.outputs.push_back(Output::Event(Event::Heard(heard)));
            }
            (Standing::Inside, Kind::Ack { id, args }) => {
                let id = EmitId(id);
                if space.settle(id) {
                    self.outputs.push_back(Output::Event(Event::Answered { id, answer: Ok(args) }));
                    self.flush(now);
                }
            }
            (Standing::Inside, Kind::Disconnect) => {
                let unanswered = space.lost();
                space.standing = Standing::Outside;
                self.not_answered(unanswered, NoAnswer::Disconnected);
                let by_server = true;
                self.outputs.push_back(Output::Event(Event::Disconnected { namespace, by_server }));
                self.rest_if_unwanted(now);
            }
            // What crossed on the way with what was sent meanwhile.
            _ => {}
        }
    }

    /// Closes a connection that no namespace needs.
    fn rest_if_unwanted(&mut self, now: Instant) {
        if self.spaces.iter().any(Space::is_active) {
            return;
        }
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle | Phase::Waiting(_) => {}
            Phase::Dialing(_) => self.outputs.push_back(Output::HangUp),
            Phase::Online { mut engine, .. } => {
                engine.close();
                while let Some(output) = engine.poll(now) {
                    if let engine::Output::Send(message) = output {
                        self.outputs.push_back(Output::Send(message));
                    }
                }
                self.outputs.push_back(Output::HangUp);
            }
        }
        self.hung_up();
    }

    fn hung_up(&mut self) {
        self.attempts = 0;
        self.is_full = false;
        self.max_payload = usize::MAX;
        self.decoder = Decoder::new(self.config.limits);
    }

    /// There is no connection any more, or none came about: the next try is planned.
    fn lost(&mut self, now: Instant, why: Cow<'static, str>, hang_up: bool) {
        if hang_up {
            self.outputs.push_back(Output::HangUp);
        }
        self.phase = Phase::Idle;
        for at in 0..self.spaces.len() {
            let was_inside = self.spaces[at].standing == Standing::Inside;
            let unanswered = self.spaces[at].lost();
            self.not_answered(unanswered, NoAnswer::Disconnected);
            if was_inside {
                let namespace = self.spaces[at].name.clone();
                let event = Event::Disconnected { namespace, by_server: false };
                self.outputs.push_back(Output::Event(event));
            }
        }
        let attempt = self.attempts.saturating_add(1);
        self.hung_up();
        if !self.spaces.iter().any(Space::is_active) {
            return;
        }
        if !self.config.backoff.goes_on(attempt) {
            self.spaces.iter_mut().for_each(|space| space.standing = Standing::Outside);
            self.outputs.push_back(Output::Event(Event::GaveUp { why }));
            return;
        }
        self.attempts = attempt;
        let after = self.config.backoff.wait(attempt, (self.random)());
        self.phase = Phase::Waiting(now + after);
        self.outputs.push_back(Output::Event(Event::Retrying { attempt, after, why }));
    }

    fn wake(&mut self, now: Instant) {
        for at in 0..self.spaces.len() {
            let overdue = self.spaces[at].overdue(now);
            overdue.iter().for_each(|id| {
                self.spaces[at].settle(*id);
            });
            self.not_answered(overdue, NoAnswer::TimedOut);
        }
        match &mut self.phase {
            Phase::Idle => {}
            Phase::Waiting(at) if *at <= now => self.dial(now),
            Phase::Dialing(until) if *until <= now => {
                self.lost(now, "the connection was not open in time".into(), true);
            }
            Phase::Waiting(_) | Phase::Dialing(_) => {}
            Phase::Online { engine, wake_at } => {
                if *wake_at <= now {
                    *wake_at = Instant::NEVER;
                    engine.handle(now, engine::Input::Wake);
                    self.drive(now);
                }
                let is_late =
                    |space: &Space| matches!(space.standing, Standing::Asked(until) if until <= now);
                if matches!(self.phase, Phase::Online { .. }) && self.spaces.iter().any(is_late) {
                    self.lost(now, "a namespace did not answer in time".into(), true);
                }
            }
        }
    }

    fn due(&self) -> Instant {
        let phase = match &self.phase {
            Phase::Idle => Instant::NEVER,
            Phase::Waiting(at) | Phase::Dialing(at) => *at,
            Phase::Online { wake_at, .. } => *wake_at,
        };
        self.spaces.iter().map(Space::due).fold(phase, Instant::min)
    }
}

/// Why a session ended, seen from the client.
fn words(cause: CloseCause) -> &'static str {
    match cause {
        CloseCause::ByServer => "the server closed the session",
        CloseCause::PingTimeout => "the server gave no sign of life",
        CloseCause::BadPacket => "the server sent no Engine.IO packet",
        CloseCause::ByClient => "closed",
        CloseCause::TransportClosed | CloseCause::BadRequest | CloseCause::SlowReader => {
            "the connection broke"
        }
    }
}

impl Machine for Client {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened => {
                if let Phase::Dialing(_) = self.phase {
                    self.connection += 1;
                    let engine = Box::new(engineio::Client::new(now));
                    self.phase = Phase::Online { engine, wake_at: Instant::NEVER };
                    self.drive(now);
                }
            }
            Input::Message(message) => {
                if let Phase::Online { engine, .. } = &mut self.phase {
                    engine.handle(now, engine::Input::Message(message));
                    self.drive(now);
                }
            }
            Input::Closed(why) => {
                if let Phase::Dialing(_) | Phase::Online { .. } = self.phase {
                    self.lost(now, why, false);
                }
            }
            Input::Full => self.is_full = true,
            Input::Room => {
                self.is_full = false;
                self.flush(now);
            }
            Input::Wake => self.wake(now),
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let due = self.due();
        if due == self.armed {
            return None;
        }
        self.armed = due;
        Some(Output::WakeAt(due))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("phase", &self.phase)
            .field("spaces", &self.spaces)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
