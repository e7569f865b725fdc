//! A client of the event server that does only what the scene tells it: by HTTP long-polling, as in a browser at
//! first, by WebSocket, or by both.
//!
//! It speaks as a stock Socket.IO client does: enters a namespace, keeps the secret and the offset that it is given,
//! and says both when it comes back. But it comes back only on request, so that a lesson can look at what is between
//! two steps. [`EventClient`](super::event_client::EventClient) is the one that comes back by itself.
//!
//! Bounds: what the machines let wait; the packets that came are kept for as long as the scene.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::CloseCause;
pub use crate::layers::application::engineio::poller::Transport;
use crate::layers::application::engineio::poller::{
    Caller, CarrierConfig, CarrierInput as Input, CarrierOutput as Output, Line,
};
use crate::layers::application::socketio::{Decoder, Kind as PacketKind, Limits, Packet, Value};
use crate::layers::application::websocket::Message;
use crate::layers::stack::{SocketEvent, SocketId};
use crate::sim::outgoing::Outgoing;
use crate::sim::{App, Io};
use crate::trace::Kind;

/// The longest HTTP answer that is taken.
const MAX_BODY: usize = 16 << 20;

/// A client on strings: see the head of this file.
#[derive(Debug)]
pub struct EventPuppet {
    to: SocketAddr,
    transport: Transport,
    /// The namespaces that it enters, each with its credentials.
    wanted: Vec<(String, Vec<(String, Value)>)>,
    session: Option<Caller>,
    lines: BTreeMap<Line, Tcp>,
    decoder: Decoder,
    received: Vec<(Instant, Packet)>,
    /// By namespace: the secret and the offset with which it returns.
    claims: BTreeMap<String, Claim>,
    entered: BTreeSet<String>,
    upgraded_at: Option<Instant>,
    ended: Option<(Instant, CloseCause)>,
}

/// What a client remembers over a break.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Claim {
    pid: String,
    offset: Option<String>,
    recovered: bool,
}

/// A TCP connection under it, and what its send buffer had no room for. Bounded by what the machines let wait.
#[derive(Debug)]
struct Tcp {
    socket: SocketId,
    unsent: Outgoing,
    /// To be closed when everything is written.
    closing: bool,
}

impl EventPuppet {
    /// The path of the endpoint.
    pub const PATH: &'static str = "/socket.io/";

    /// A client that has not connected.
    pub fn new(to: SocketAddr, transport: Transport) -> Self {
        EventPuppet {
            to,
            transport,
            wanted: Vec::new(),
            session: None,
            lines: BTreeMap::new(),
            decoder: Decoder::new(Limits::default()),
            received: Vec::new(),
            claims: BTreeMap::new(),
            entered: BTreeSet::new(),
            upgraded_at: None,
            ended: None,
        }
    }

    /// It shall enter this namespace, with these credentials.
    pub fn want(&mut self, namespace: &str, auth: Vec<(String, Value)>) {
        self.wanted.push((namespace.to_owned(), auth));
    }

    /// Opens a session: the first one, or the next after a break. What is left of an old one is reset: nothing
    /// that waited on it is sent any more.
    pub fn connect(&mut self, io: &mut Io<'_>) {
        let mut nonce = [0; 16];
        nonce.iter_mut().for_each(|byte| *byte = io.rng().next_u32() as u8);
        // Masks come from the run's seed, so that it can be repeated. On real sockets they must not be predictable
        // (RFC 6455 §5.3).
        let mut masks = io.rng().fork("masks");
        let config = CarrierConfig {
            host: self.to.to_string(),
            path: Self::PATH.into(),
            upgrade: self.transport == Transport::Upgrade,
            max_body: MAX_BODY,
            nonce,
            masks: Box::new(move || Some(masks.next_u32().to_be_bytes())),
        };
        std::mem::take(&mut self.lines).into_values().for_each(|tcp| io.tcp_abort(tcp.socket));
        self.decoder = Decoder::new(Limits::default());
        self.entered.clear();
        self.ended = None;
        self.session = Some(Caller::new(io.now(), self.transport, config));
        self.drive(io);
    }

    /// Sends a packet: false when the session is not open, or the server would not take it.
    pub fn send(&mut self, packet: &Packet, io: &mut Io<'_>) -> bool {
        let encoded = packet.encode();
        let text = std::iter::once(Message::Text(encoded.text));
        let mut messages = text.chain(encoded.attachments.into_iter().map(Message::Binary));
        let now = io.now();
        let sent = self.session.as_mut().is_some_and(|session| messages.all(|m| session.send(now, m)));
        self.drive(io);
        sent
    }

    /// Sends an event, with a number when it wants an answer: false when it could not be sent.
    pub fn emit(
        &mut self,
        namespace: &str,
        event: &str,
        args: Vec<Value>,
        ack: Option<u64>,
        io: &mut Io<'_>,
    ) -> bool {
        if !self.is_in(namespace) {
            return false;
        }
        io.note(|| Kind::Note { text: format!("emits {}", told(event, &args)).into() });
        let kind = PacketKind::Event { name: event.to_owned(), args, ack };
        self.send(&Packet::new(namespace, kind), io)
    }

    /// Ends the session.
    pub fn close(&mut self, io: &mut Io<'_>) {
        if let Some(session) = &mut self.session {
            session.close(io.now());
        }
        self.drive(io);
    }

    /// Its program is gone, and with it the session: its host closes the connections.
    pub fn vanish(&mut self, io: &mut Io<'_>) {
        self.session = None;
        self.entered.clear();
        std::mem::take(&mut self.lines).into_values().for_each(|tcp| io.tcp_close(tcp.socket));
    }

    /// Whether it has been let into a namespace, and its session lives.
    pub fn is_in(&self, namespace: &str) -> bool {
        self.entered.contains(namespace)
    }

    /// Whether the server recovered it when it came back.
    pub fn is_recovered(&self, namespace: &str) -> bool {
        self.claims.get(namespace).is_some_and(|claim| claim.recovered)
    }

    /// The packets that came, with their times.
    pub fn received(&self) -> &[(Instant, Packet)] {
        &self.received
    }

    /// When it moved to WebSocket.
    pub fn upgraded_at(&self) -> Option<Instant> {
        self.upgraded_at
    }

    /// When and why its session ended, when it has.
    pub fn ended(&self) -> Option<(Instant, CloseCause)> {
        self.ended
    }

    fn give(&mut self, input: Input, io: &mut Io<'_>) {
        if let Some(session) = &mut self.session {
            session.handle(io.now(), input);
        }
        self.drive(io);
    }

    fn next(&mut self, now: Instant) -> Option<Output> {
        self.session.as_mut()?.poll(now)
    }

    /// Does what the session asks for.
    fn drive(&mut self, io: &mut Io<'_>) {
        while let Some(output) = self.next(io.now()) {
            match output {
                Output::Connect(line) => self.open_line(line, io),
                Output::Write(line, bytes) => {
                    if let Some(tcp) = self.lines.get_mut(&line) {
                        tcp.unsent.push(bytes);
                    }
                }
                Output::Close(line) => {
                    if let Some(tcp) = self.lines.get_mut(&line) {
                        tcp.closing = true;
                    }
                }
                Output::Open(_) => self.enter(io),
                Output::Upgraded => self.upgraded_at = Some(io.now()),
                Output::Message(message) => self.message(message, io),
                Output::Closed(cause) => {
                    self.entered.clear();
                    self.ended = Some((io.now(), cause));
                }
                Output::WakeAt(at) => io.wake_at(at),
            }
        }
        // What one happening made it say goes out together.
        self.lines.values_mut().for_each(|tcp| tcp.flush(io));
        self.lines.retain(|_, tcp| !(tcp.closing && tcp.unsent.is_empty()));
    }

    fn open_line(&mut self, line: Line, io: &mut Io<'_>) {
        match io.tcp_connect(self.to) {
            Ok(socket) => {
                self.lines.insert(line, Tcp { socket, unsent: Outgoing::together(), closing: false });
            }
            Err(error) => {
                io.note(|| Kind::Note { text: format!("connect: {error}").into() });
                self.give(Input::Gone(line), io);
            }
        }
    }

    /// The session is open: now the namespaces, with what is remembered of the last time.
    fn enter(&mut self, io: &mut Io<'_>) {
        for (namespace, auth) in self.wanted.clone() {
            let mut auth = auth;
            if let Some(claim) = self.claims.get(&namespace) {
                auth.push(("pid".into(), claim.pid.as_str().into()));
                if let Some(offset) = &claim.offset {
                    auth.push(("offset".into(), offset.as_str().into()));
                }
            }
            let auth = (!auth.is_empty()).then_some(Value::Object(auth));
            self.send(&Packet::new(namespace, PacketKind::Connect(auth)), io);
        }
    }

    fn message(&mut self, message: Message, io: &mut Io<'_>) {
        let decoded = match message {
            Message::Text(text) => self.decoder.text(text.as_str()),
            Message::Binary(bytes) => self.decoder.binary(bytes),
        };
        match decoded {
            Ok(Some(packet)) => self.packet(packet, io),
            Ok(None) => {}
            Err(error) => {
                io.note(|| Kind::Note { text: error.to_string().into() });
                self.close(io);
            }
        }
    }

    fn packet(&mut self, packet: Packet, io: &mut Io<'_>) {
        match &packet.kind {
            PacketKind::Connect(Some(reply)) => {
                self.entered.insert(packet.namespace.clone());
                let pid = reply.get("pid").and_then(Value::as_str).unwrap_or_default();
                let before = self.claims.get(&packet.namespace);
                // A server that answers with the secret it was given has recovered us.
                let claim = match before {
                    Some(before) if before.pid == pid => Claim { recovered: true, ..before.clone() },
                    _ => Claim { pid: pid.to_owned(), offset: None, recovered: false },
                };
                if pid.is_empty() {
                    self.claims.remove(&packet.namespace);
                } else {
                    self.claims.insert(packet.namespace.clone(), claim);
                }
            }
            PacketKind::Event { name, args, .. } => {
                // As stock clients do: the last string of an event is its offset, where connections can be recovered.
                if let (Some(claim), Some(Value::String(offset))) =
                    (self.claims.get_mut(&packet.namespace), args.last())
                {
                    claim.offset = Some(offset.clone());
                }
                io.note(|| Kind::Note { text: format!("hears {}", told(name, args)).into() });
            }
            PacketKind::ConnectError(why) => {
                let why = why.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
                io.note(|| Kind::Note { text: format!("refused: {why}").into() });
            }
            PacketKind::Connect(None) | PacketKind::Disconnect | PacketKind::Ack { .. } => {}
        }
        self.received.push((io.now(), packet));
    }

    fn line_of(&self, socket: SocketId) -> Option<Line> {
        self.lines.iter().find(|(_, tcp)| tcp.socket == socket).map(|(line, _)| *line)
    }
}

/// An event in words: its name, and what it carries.
fn told(event: &str, args: &[Value]) -> String {
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

impl Tcp {
    /// Writes what waits, in one piece, as far as TCP has room.
    fn flush(&mut self, io: &mut Io<'_>) {
        // When nothing can be sent any more, the socket says so itself.
        let _ = self.unsent.flush(self.socket, io);
        if self.closing && self.unsent.is_empty() {
            io.tcp_shutdown(self.socket);
        }
    }
}

impl App for EventPuppet {
    fn start(&mut self, _: &mut Io<'_>) {}

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        let Some(line) = self.line_of(event.socket()) else {
            // A connection that was let go: what still comes on it is read, or its end would never be seen.
            if let SocketEvent::Readable(socket) = event {
                while io.tcp_read(socket, usize::MAX).is_some() {}
            }
            return;
        };
        match event {
            SocketEvent::Connected(_) => self.give(Input::Connected(line), io),
            SocketEvent::Readable(socket) => {
                while let Some(bytes) = io.tcp_read(socket, usize::MAX) {
                    self.give(Input::Bytes(line, bytes), io);
                }
            }
            SocketEvent::PeerClosed(socket) => {
                io.tcp_shutdown(socket);
                self.lines.remove(&line);
                self.give(Input::Gone(line), io);
            }
            SocketEvent::Closed { .. } => {
                self.lines.remove(&line);
                self.give(Input::Gone(line), io);
            }
            _ => self.drive(io),
        }
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        self.give(Input::Wake, io);
    }
}
