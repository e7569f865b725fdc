//! The client's end of a session that begins by long-polling, as one in a browser does, and may move to WebSocket.
//!
//! Read `engine.io-protocol` v4 first, "Transports" and "Upgrade". HTTP lets only the client begin, so a server that
//! has something to say must have been asked before it has it. That is all there is to long-polling: **one GET is
//! always waiting** at the server, which answers it when there is something to say, and is then asked again. What the
//! client says itself it POSTs.
//!
//! ```text
//!   GET ----> OPENING -- handshake --> POLLING -- "2probe" on a WebSocket --> PROBING
//!                                       |   ^                                   | "3probe"
//!                                       |   |  the WebSocket fails              v
//!                                       |   +------------------------------- PAUSING: the GET that waits, and the
//!                                       v                                       | POST, are answered first
//!                  an answer that is no 200, silence, a close packet            v  "5"
//!                                       |                                   WEBSOCKET
//!                                       v                                       |
//!                                     CLOSED <----------------------------------+
//! ```
//!
//! [`Poller`] thinks in requests, answers and messages; the bytes of HTTP and WebSocket, on up to three TCP
//! connections, are [`Carrier`]'s. Left out: cookies, the parameter `t` by which browsers keep caches away (the
//! server says `no-store`), and the tab that wakes from sleep.

mod caller;
mod carrier;
mod direct;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

pub use caller::{Caller, Transport};
pub use carrier::{Carrier, CarrierConfig, Input as CarrierInput, Line, Output as CarrierOutput};
pub use direct::Direct;

use super::packet::{Handshake, Packet};
use super::session::CloseCause;
use crate::base::{Alarm, Duration, Instant, Machine};
use crate::layers::application::websocket::{Message, Utf8Bytes};

/// What can happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The GET was answered: status and body.
    Polled(u16, Bytes),
    /// The POST was answered.
    Posted(u16),
    /// A request could not be made, or its connection ended before the answer.
    RequestFailed,
    /// The WebSocket that it asked for is open.
    SocketOpen,
    /// A message came by the WebSocket.
    Message(Message),
    /// The WebSocket is closed, or could not be opened.
    SocketClosed,
    /// The time it asked for has come.
    Wake,
}

/// What it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// GET this target. The answer may be long in coming.
    Get(String),
    /// POST this body to this target, beside the GET that waits.
    Post(String, Bytes),
    /// Open a WebSocket with this target.
    OpenSocket(String),
    /// Send a message by the WebSocket.
    Send(Message),
    /// Close the WebSocket, and with it the session.
    CloseSocket,
    /// Tell the layer above: the session is open.
    Open(Handshake),
    /// Tell the layer above: it has moved to WebSocket.
    Upgraded,
    /// Tell the layer above: a message.
    Message(Message),
    /// Tell the layer above: it is over, once.
    Closed(CloseCause),
    /// Close all that is open: nothing more will be asked for.
    HangUp,
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The session is not open yet, or over.
    #[error("the session is not open")]
    NotOpen,
    /// The server takes no message of this length.
    #[error("the message is longer than the server takes: {0} bytes")]
    TooLong(u64),
    /// Too much waits to be posted already.
    #[error("{} bytes wait to be sent already", Poller::MAX_WAITING)]
    Full,
}

/// The client's end of a session.
#[derive(Debug)]
pub struct Poller {
    path: String,
    /// Whether to try for a WebSocket.
    wants_upgrade: bool,
    phase: Phase,
    sid: String,
    max_payload: usize,
    /// A GET waits at the server.
    getting: bool,
    /// A POST is not answered.
    posting: bool,
    upgrade: Upgrade,
    /// What is to be posted.
    waiting: VecDeque<Packet>,
    waiting_bytes: usize,
    /// Without a sign of life until then, the server is taken for dead.
    deadline: Instant,
    /// How long that is, counted from each ping.
    patience: Duration,
    alarm: Alarm,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The handshake is awaited.
    Opening,
    Open,
    /// Over for the layer above; the close packet is still to be posted.
    Closing,
    Closed,
}

/// How far it is with the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    /// Not asked for, not offered, or failed: by polling, to the end.
    None,
    /// The WebSocket is being opened.
    Opening,
    /// The probe's pong is awaited. Polling goes on.
    Probing,
    /// The probe was answered. No new request is made; those that are under way are waited for, since what they bring
    /// was said before anything that the WebSocket will bring.
    Pausing,
    /// Everything uses the WebSocket.
    Done,
}

impl Poller {
    /// How long the server may take for its first answer, and how long the close packet may take to be posted.
    const OPENING: Duration = Duration::from_secs(10);
    /// Bytes that may wait to be posted. Policy: what is beyond is refused, so the program learns that it is faster
    /// than the server.
    pub const MAX_WAITING: usize = 1 << 20;

    /// Opens a session at an endpoint's path, such as `/socket.io/`: the first output is a GET.
    pub fn new(now: Instant, path: &str, wants_upgrade: bool) -> Self {
        let mut poller = Poller {
            path: path.to_owned(),
            wants_upgrade,
            phase: Phase::Opening,
            sid: String::new(),
            max_payload: 0,
            getting: false,
            posting: false,
            upgrade: Upgrade::None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            deadline: now + Self::OPENING,
            patience: Self::OPENING,
            alarm: Alarm::new(),
            outputs: VecDeque::new(),
        };
        poller.get();
        poller
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`SendError`]: the message was not taken.
    pub fn send(&mut self, message: Message) -> Result<(), SendError> {
        if self.phase != Phase::Open {
            return Err(SendError::NotOpen);
        }
        let packet = Packet::Message(message);
        if packet.payload_len() > self.max_payload {
            return Err(SendError::TooLong(self.max_payload as u64));
        }
        if self.waiting_bytes > 0 && self.waiting_bytes + packet.payload_len() > Self::MAX_WAITING {
            return Err(SendError::Full);
        }
        self.push(packet);
        Ok(())
    }

    /// Ends the session, with a close packet for the server.
    pub fn close(&mut self, now: Instant) {
        match (self.phase, self.upgrade) {
            (Phase::Open, Upgrade::Done) => {
                self.push(Packet::Close);
                self.end(CloseCause::ByClient);
            }
            (Phase::Open, _) => {
                self.give_up_socket();
                self.push(Packet::Close);
                self.outputs.push_back(Output::Closed(CloseCause::ByClient));
                self.phase = Phase::Closing;
                self.deadline = now + Self::OPENING;
            }
            (Phase::Opening, _) => self.end(CloseCause::ByClient),
            (Phase::Closing | Phase::Closed, _) => {}
        }
    }

    /// Bytes of packets that wait to be posted, at most about [`MAX_WAITING`](Poller::MAX_WAITING).
    pub fn waiting(&self) -> usize {
        self.waiting_bytes
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether it has moved to WebSocket.
    pub fn is_upgraded(&self) -> bool {
        self.upgrade == Upgrade::Done
    }

    fn target(&self, transport: &str) -> String {
        let sid = if self.sid.is_empty() { String::new() } else { format!("&sid={}", self.sid) };
        format!("{}?EIO=4&transport={transport}{sid}", self.path)
    }

    /// Asks what there is, unless that was asked already.
    fn get(&mut self) {
        let may = match self.phase {
            Phase::Opening => true,
            Phase::Open => !matches!(self.upgrade, Upgrade::Pausing | Upgrade::Done),
            Phase::Closing | Phase::Closed => false,
        };
        if may && !self.getting {
            self.getting = true;
            self.outputs.push_back(Output::Get(self.target("polling")));
        }
    }

    /// Sends a packet by the WebSocket, or puts it where the next POST takes it from.
    fn push(&mut self, packet: Packet) {
        if self.upgrade == Upgrade::Done {
            self.outputs.push_back(Output::Send(packet.to_message()));
            return;
        }
        self.waiting_bytes += packet.payload_len();
        self.waiting.push_back(packet);
        self.post();
    }

    /// Posts what waits, as much of it as the server takes in one body. One POST at a time, or they could overtake
    /// each other on two connections.
    fn post(&mut self) {
        if self.posting || self.waiting.is_empty() || matches!(self.upgrade, Upgrade::Pausing | Upgrade::Done)
        {
            return;
        }
        let mut body = BytesMut::new();
        while let Some(packet) = self.waiting.front() {
            let len = packet.payload_len();
            if !body.is_empty() && body.len() + len > self.max_payload {
                break;
            }
            packet.write_payload(&mut body);
            self.waiting_bytes -= len;
            self.waiting.pop_front();
        }
        self.posting = true;
        self.outputs.push_back(Output::Post(self.target("polling"), body.freeze()));
    }

    fn polled(&mut self, now: Instant, status: u16, body: &Bytes) {
        self.getting = false;
        if status != 200 {
            return self.end(CloseCause::BadRequest);
        }
        match Packet::from_payload(body) {
            Ok(packets) => packets.into_iter().for_each(|packet| self.take(now, packet)),
            Err(_) => self.end(CloseCause::BadPacket),
        }
        self.move_over();
        self.get();
    }

    fn posted(&mut self, status: u16) {
        self.posting = false;
        if status != 200 {
            return self.end(CloseCause::BadRequest);
        }
        if self.phase == Phase::Closing && self.waiting.is_empty() {
            return self.hang_up();
        }
        self.move_over();
        self.post();
    }

    /// A packet of the server, by either transport.
    fn take(&mut self, now: Instant, packet: Packet) {
        match (self.phase, packet) {
            (Phase::Opening, Packet::Open(json)) => self.opened(now, json.as_str()),
            (Phase::Open, Packet::Ping(_)) => {
                self.deadline = now + self.patience;
                self.push(Packet::Pong(Utf8Bytes::default()));
            }
            (Phase::Open, Packet::Message(message)) => self.outputs.push_back(Output::Message(message)),
            (Phase::Opening | Phase::Open, Packet::Close) => self.end(CloseCause::ByServer),
            (Phase::Open, Packet::Noop) | (Phase::Closing | Phase::Closed, _) => {}
            (Phase::Opening | Phase::Open, _) => self.end(CloseCause::BadPacket),
        }
    }

    fn opened(&mut self, now: Instant, json: &str) {
        let handshake = match Handshake::from_json(json) {
            Ok(handshake) if is_plain(&handshake.sid) => handshake,
            _ => return self.end(CloseCause::BadPacket),
        };
        self.patience = handshake.patience();
        self.deadline = now + self.patience;
        self.phase = Phase::Open;
        self.sid.clone_from(&handshake.sid);
        self.max_payload = usize::try_from(handshake.max_payload).unwrap_or(usize::MAX);
        let offered = handshake.upgrades.iter().any(|transport| transport == "websocket");
        self.outputs.push_back(Output::Open(handshake));
        if self.wants_upgrade && offered {
            self.upgrade = Upgrade::Opening;
            self.outputs.push_back(Output::OpenSocket(self.target("websocket")));
        }
    }

    fn socket_open(&mut self) {
        if self.upgrade == Upgrade::Opening {
            self.upgrade = Upgrade::Probing;
            let probe = Packet::Ping(Utf8Bytes::from_static(Packet::PROBE));
            self.outputs.push_back(Output::Send(probe.to_message()));
        }
    }

    fn message(&mut self, now: Instant, message: Message) {
        match (self.upgrade, Packet::from_message(message)) {
            (Upgrade::Done, Ok(packet)) => self.take(now, packet),
            (Upgrade::Done, Err(_)) => self.end(CloseCause::BadPacket),
            (Upgrade::Probing, Ok(Packet::Pong(text))) if text.as_str() == Packet::PROBE => {
                self.upgrade = Upgrade::Pausing;
                self.move_over();
            }
            // Whatever answers there is no Engine.IO: polling goes on.
            (Upgrade::Probing | Upgrade::Pausing, _) => self.give_up_socket(),
            (Upgrade::None | Upgrade::Opening, _) => {}
        }
    }

    fn socket_closed(&mut self) {
        match self.upgrade {
            Upgrade::Done => self.end(CloseCause::TransportClosed),
            Upgrade::Opening | Upgrade::Probing | Upgrade::Pausing => {
                self.upgrade = Upgrade::None;
                self.get();
                self.post();
            }
            Upgrade::None => {}
        }
    }

    fn give_up_socket(&mut self) {
        if matches!(self.upgrade, Upgrade::Opening | Upgrade::Probing | Upgrade::Pausing) {
            self.outputs.push_back(Output::CloseSocket);
            self.socket_closed();
        }
    }

    /// Moves to the WebSocket when the last request is answered.
    fn move_over(&mut self) {
        if self.upgrade != Upgrade::Pausing || self.getting || self.posting || self.phase != Phase::Open {
            return;
        }
        self.upgrade = Upgrade::Done;
        self.outputs.push_back(Output::Send(Packet::Upgrade.to_message()));
        self.outputs.push_back(Output::Upgraded);
        self.waiting_bytes = 0;
        std::mem::take(&mut self.waiting).into_iter().for_each(|packet| self.push(packet));
    }

    fn end(&mut self, cause: CloseCause) {
        match self.phase {
            Phase::Opening | Phase::Open => {
                self.outputs.push_back(Output::Closed(cause));
                self.hang_up();
            }
            Phase::Closing => self.hang_up(),
            Phase::Closed => {}
        }
    }

    fn hang_up(&mut self) {
        self.phase = Phase::Closed;
        self.waiting = VecDeque::new();
        self.waiting_bytes = 0;
        self.outputs.push_back(Output::HangUp);
    }
}

/// Whether an id can be in a query as it is (RFC 3986 §2.3).
fn is_plain(sid: &str) -> bool {
    !sid.is_empty()
        && sid.len() <= 128
        && sid.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
}

impl Machine for Poller {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Polled(status, body) => self.polled(now, status, &body),
            Input::Posted(status) => self.posted(status),
            Input::RequestFailed => self.end(CloseCause::TransportClosed),
            Input::SocketOpen => self.socket_open(),
            Input::Message(message) => self.message(now, message),
            Input::SocketClosed => self.socket_closed(),
            Input::Wake if self.deadline <= now => self.end(CloseCause::PingTimeout),
            Input::Wake => self.alarm.rang(),
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let due = (self.phase != Phase::Closed).then_some(self.deadline);
        self.alarm.poll(due).map(Output::WakeAt)
    }
}

#[cfg(test)]
mod tests;
