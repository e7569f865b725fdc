//! A program that speaks Socket.IO as one in a browser does: by HTTP long-polling at first, and by WebSocket when it
//! has been let to upgrade.
//!
//! All of the protocol is in [`Carrier`]; this gives it TCP connections, and keeps what came. Whoever writes a scene
//! plays the person at the keyboard, with [`emit`](Client::emit).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddrV4;

use bytes::Bytes;

use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::CloseCause;
use crate::layers::application::engineio::poller::{
    Carrier, CarrierConfig, CarrierInput as Input, CarrierOutput as Output, Line,
};
use crate::layers::application::socketio::{Decoder, Kind as PacketKind, Limits, Packet, Value};
use crate::layers::application::websocket::Message;
use crate::layers::stack::{SocketEvent, SocketId};
use crate::sim::{App, Io};
use crate::trace::Kind;

/// The longest answer that is taken.
const MAX_BODY: usize = 16 << 20;

/// A client of an event server.
#[derive(Debug)]
pub struct Client {
    to: SocketAddrV4,
    upgrade: bool,
    carrier: Option<Carrier>,
    lines: BTreeMap<Line, Tcp>,
    decoder: Decoder,
    received: Vec<(Instant, Packet)>,
    is_upgraded_at: Option<Instant>,
    ended: Option<CloseCause>,
}

/// A TCP connection under it, and what its send buffer had no room for. Bounded by what the carrier lets wait.
#[derive(Debug)]
struct Tcp {
    socket: SocketId,
    unsent: VecDeque<Bytes>,
    /// To be closed when everything is written.
    closing: bool,
}

impl Client {
    /// The path of the endpoint.
    pub const PATH: &'static str = "/socket.io/";

    /// A client that opens a session at once, and enters the main namespace.
    pub fn new(to: SocketAddrV4, upgrade: bool) -> Self {
        Client {
            to,
            upgrade,
            carrier: None,
            lines: BTreeMap::new(),
            decoder: Decoder::new(Limits::default()),
            received: Vec::new(),
            is_upgraded_at: None,
            ended: None,
        }
    }

    /// Sends a packet: false when the session is not open, or the server would not take it.
    pub fn send(&mut self, packet: &Packet, io: &mut Io<'_>) -> bool {
        let encoded = packet.encode();
        let text = std::iter::once(Message::Text(encoded.text));
        let messages = text.chain(encoded.attachments.into_iter().map(Message::Binary));
        let Some(carrier) = &mut self.carrier else { return false };
        let sent = messages.into_iter().all(|message| carrier.send(io.now(), message).is_ok());
        self.drive(io);
        sent
    }

    /// Sends an event in the main namespace, with a number when it wants an answer.
    pub fn emit(&mut self, event: &str, args: Vec<Value>, ack: Option<u64>, io: &mut Io<'_>) -> bool {
        self.send(&Packet::new("/", PacketKind::Event { name: event.to_owned(), args, ack }), io)
    }

    /// Ends the session.
    pub fn close(&mut self, io: &mut Io<'_>) {
        if let Some(carrier) = &mut self.carrier {
            carrier.close(io.now());
        }
        self.drive(io);
    }

    /// The packets that came, with their times.
    pub fn received(&self) -> &[(Instant, Packet)] {
        &self.received
    }

    /// When it moved to WebSocket.
    pub fn upgraded_at(&self) -> Option<Instant> {
        self.is_upgraded_at
    }

    /// Why its session ended, when it has.
    pub fn ended(&self) -> Option<CloseCause> {
        self.ended
    }

    fn give(&mut self, input: Input, io: &mut Io<'_>) {
        if let Some(carrier) = &mut self.carrier {
            carrier.handle(io.now(), input);
        }
        self.drive(io);
    }

    /// Does what the carrier asks for.
    fn drive(&mut self, io: &mut Io<'_>) {
        while let Some(output) = self.carrier.as_mut().and_then(|carrier| carrier.poll(io.now())) {
            match output {
                Output::Connect(line) => self.connect(line, io),
                Output::Write(line, bytes) => {
                    if let Some(tcp) = self.lines.get_mut(&line) {
                        tcp.unsent.push_back(bytes);
                    }
                }
                Output::Close(line) => {
                    if let Some(tcp) = self.lines.get_mut(&line) {
                        tcp.closing = true;
                    }
                }
                Output::Open(_) => {
                    self.send(&Packet::new("/", PacketKind::Connect(None)), io);
                }
                Output::Upgraded => self.is_upgraded_at = Some(io.now()),
                Output::Message(message) => self.message(message, io),
                Output::Closed(cause) => self.ended = Some(cause),
                Output::WakeAt(at) => io.wake_at(at),
            }
        }
        // What one happening made it say goes out together: a header and its payload in two writes would wait for each
        // other (RFC 9293 §3.7.4).
        self.lines.values_mut().for_each(|tcp| tcp.flush(io));
        self.lines.retain(|_, tcp| !(tcp.closing && tcp.unsent.is_empty()));
    }

    fn connect(&mut self, line: Line, io: &mut Io<'_>) {
        match io.tcp_connect(self.to) {
            Ok(socket) => {
                self.lines.insert(line, Tcp { socket, unsent: VecDeque::new(), closing: false });
            }
            Err(error) => {
                io.note(|| Kind::Note { text: format!("connect: {error}").into() });
                self.give(Input::Gone(line), io);
            }
        }
    }

    fn message(&mut self, message: Message, io: &mut Io<'_>) {
        let decoded = match message {
            Message::Text(text) => self.decoder.text(text.as_str()),
            Message::Binary(bytes) => self.decoder.binary(bytes),
        };
        match decoded {
            Ok(Some(packet)) => self.received.push((io.now(), packet)),
            Ok(None) => {}
            Err(error) => {
                io.note(|| Kind::Note { text: error.to_string().into() });
                self.close(io);
            }
        }
    }

    fn line_of(&self, socket: SocketId) -> Option<Line> {
        self.lines.iter().find(|(_, tcp)| tcp.socket == socket).map(|(line, _)| *line)
    }
}

impl Tcp {
    /// Writes what waits, in one piece, as far as TCP has room.
    fn flush(&mut self, io: &mut Io<'_>) {
        if self.unsent.len() > 1 {
            let whole: Vec<u8> = self.unsent.drain(..).flatten().collect();
            self.unsent.push_back(whole.into());
        }
        if let Some(bytes) = self.unsent.front_mut() {
            match io.tcp_write(self.socket, bytes) {
                Ok(taken) if taken == bytes.len() => self.unsent.clear(),
                Ok(taken) => *bytes = bytes.slice(taken..),
                Err(_) => self.unsent.clear(),
            }
        }
        if self.closing && self.unsent.is_empty() {
            io.tcp_shutdown(self.socket);
        }
    }
}

impl App for Client {
    fn start(&mut self, io: &mut Io<'_>) {
        let mut nonce = [0; 16];
        nonce.iter_mut().for_each(|byte| *byte = io.rng().next_u32() as u8);
        // Masks come from the run's seed, so that it can be repeated. On real sockets they must not be predictable
        // (RFC 6455 §5.3).
        let mut masks = io.rng().fork("masks");
        let config = CarrierConfig {
            host: self.to.to_string(),
            path: Self::PATH.into(),
            upgrade: self.upgrade,
            max_body: MAX_BODY,
            nonce,
            masks: Box::new(move || masks.next_u32().to_be_bytes()),
        };
        self.carrier = Some(Carrier::new(io.now(), config));
        self.drive(io);
    }

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
