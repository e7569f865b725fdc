//! One WebSocket connection, from the opening handshake to the last byte: the machine that joins the parts
//! (RFC 6455 §4 to §7).
//!
//! It stands between TCP's stream of bytes below and a user who thinks in messages above, and is the same for both
//! ends. What happens in which phase is in [`phase`](super::phase), what comes in in `receiver.rs`, what goes out in
//! `sender.rs`.
//!
//! Bytes are read only as fast as [`poll`](Machine::poll) is called, one frame at a time, so nothing that a peer sends
//! piles up here. A driver whose stream takes no more bytes stops polling and stops reading: that is how a fast peer
//! is slowed down. What is to be sent is gathered while there is something to read, and handed out when the input has
//! run dry, or much has been gathered: so a hundred answers to a hundred messages are one write. Left out: following
//! redirects.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::close::{CloseReason, Failure};
use super::deflate::codec::{Compressor, Decompressor};
use super::deflate::{Agreement, Deflate, negotiation};
use super::frame::Opcode;
use super::handshake::Opening;
use super::handshake::awaiting::{Awaiting, Verdict, judge, refused};
use super::handshake::client::Request;
use super::handshake::server::{Policy, Refusal};
use super::message::{Message, MessageKind};
use super::phase::{Happening, Phase, Role};
use super::receiver::{Incoming, Receiver};
use super::sender::{MaskSource, SendError, Sender};
use super::utf8::Utf8Bytes;
use crate::base::{Duration, ErrorKind, Instant, Layer, Machine, ParseError};
use crate::layers::application::http::{Limits, RequestHead};

/// What a connection allows its peer, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Bytes of payload in one frame; beyond it the connection fails with 1009.
    pub max_frame: usize,
    /// Bytes of payload in one message; beyond it the connection fails with 1009.
    pub max_message: usize,
    /// Bytes that may wait to be polled before commands to send are refused ([`SendError::Full`]). One message is
    /// always taken when nothing waits. Answers to pings are never refused: when 64 KiB wait, nothing further is read
    /// until some of it was polled.
    pub max_queue: usize,
    /// How long the opening handshake may take.
    pub handshake_timeout: Duration,
    /// How long the peer may take to answer our Close frame, and then the server to close the TCP connection.
    pub close_timeout: Duration,
    /// Limits on the head of the opening handshake.
    pub head: Limits,
    /// In how many pieces the head may come in. A peer that sends it byte by byte makes us work for every byte.
    pub head_pieces: usize,
    /// Whether to compress messages (RFC 7692), if the peer will.
    pub deflate: Option<Deflate>,
    /// Whether to ask a silent peer for a sign of life, and when to give it up.
    pub keepalive: Option<Keepalive>,
}

/// How a peer is noticed that has gone without a word (§5.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// After this long without a byte from the peer it is sent a ping.
    pub idle: Duration,
    /// When it is silent for this long after that, the connection has failed.
    pub timeout: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        Keepalive { idle: Duration::from_secs(30), timeout: Duration::from_secs(20) }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_frame: 16 << 20,
            max_message: 64 << 20,
            max_queue: 1 << 20,
            handshake_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            head: Limits::default(),
            head_pieces: 1024,
            deflate: None,
            keepalive: None,
        }
    }
}

/// What can happen to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Bytes came from the stream, cut anywhere. Memory that nobody else holds is used as it is.
    Bytes(Bytes),
    /// Bytes came and were put into the [inbox](Connection::inbox).
    Arrived,
    /// The peer will send no more.
    Eof,
    /// The time it asked for has come.
    Wake,
}

/// What a connection asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Put these bytes on the stream. A header and its payload may be two outputs.
    Send(Bytes),
    /// Tell the user above.
    Event(Event),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
    /// Close the TCP connection, after all that was sent. The last output of all.
    Finished,
}

/// What the user above learns. After [`Close`](Event::Close) or [`Failed`](Event::Failed), of which there is exactly
/// one, nothing comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection is open. Boxed, for it comes once and is much larger than the others.
    Open(Box<Opening>),
    /// A whole message.
    Message(Message),
    /// A ping; it is answered already.
    Ping(Bytes),
    /// A pong, to a ping of ours or unasked (§5.5.3).
    Pong(Bytes),
    /// The peer closed, or answered our Close frame; [`CloseCode::ABNORMAL`](super::CloseCode::ABNORMAL) when the
    /// stream ended, or time ran out, without a Close frame.
    Close(CloseReason),
    /// This end failed the connection (§7.1.7): the peer broke a rule, or did not agree to open.
    Failed(Failure),
}

/// One end of a WebSocket connection.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    config: Config,
    phase: Phase,
    awaiting: Awaiting,
    receiver: Receiver,
    sender: Sender,
    /// At most the events of one frame.
    events: VecDeque<Event>,
    /// In how many pieces the head has come in.
    pieces: usize,
    /// When the peer last sent anything.
    heard: Instant,
    /// When it was sent a ping that it has not answered with anything.
    pinged: Option<Instant>,
    /// When the peer will have taken too long.
    deadline: Option<Instant>,
    /// The deadline has been set and nobody told of it yet.
    deadline_is_news: bool,
    end_of_stream: bool,
    /// The last output was handed out.
    finished_told: bool,
}

impl Connection {
    /// The server's end of a connection that has just been accepted: it waits for a request.
    pub fn server(now: Instant, config: Config, policy: Policy) -> Self {
        let awaiting = Awaiting::request(config.head, policy, config.deflate.clone());
        Connection::new(now, Role::Server, config, awaiting, None)
    }

    /// The server's end when an HTTP server has read the request already. What follows the head on the stream is the
    /// connection's first input.
    pub fn accept(now: Instant, config: Config, policy: &Policy, request: &RequestHead) -> Self {
        let mut connection = Connection::new(now, Role::Server, config, Awaiting::Nothing, None);
        let verdict = judge(request, policy, connection.config.deflate.as_ref());
        connection.end_handshake(now, verdict);
        connection
    }

    /// The client's end of a connection that TCP has just established: it sends its request.
    ///
    /// # Errors
    /// Misuse when the request holds characters that HTTP does not allow.
    pub fn client(
        now: Instant,
        config: Config,
        request: Request,
        masks: MaskSource,
    ) -> Result<Self, ParseError> {
        let offers = config.deflate.as_ref().map(negotiation::offers).unwrap_or_default();
        let head = request.head(&offers).emit()?;
        let awaiting = Awaiting::response(config.head, request, offers);
        let mut connection = Connection::new(now, Role::Client, config, awaiting, Some(masks));
        connection.sender.raw(&head);
        Ok(connection)
    }

    fn new(now: Instant, role: Role, config: Config, awaiting: Awaiting, masks: Option<MaskSource>) -> Self {
        Connection {
            role,
            phase: Phase::Connecting,
            awaiting,
            receiver: Receiver::new(role, config.max_frame, config.max_message),
            sender: Sender::new(masks, config.max_queue),
            events: VecDeque::new(),
            pieces: 0,
            heard: now,
            pinged: None,
            deadline: Some(now + config.handshake_timeout),
            deadline_is_news: true,
            end_of_stream: false,
            finished_told: false,
            config,
        }
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where the connection is in its life.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Bytes that wait to be polled.
    pub fn queued(&self) -> usize {
        self.sender.queued()
    }

    /// Where the stream's next bytes may be put, behind those that are there, instead of handing them over as
    /// [`Input::Bytes`]: it saves a driver a copy. [`Input::Arrived`] is to follow.
    pub fn inbox(&mut self) -> &mut BytesMut {
        self.receiver.inbox()
    }

    /// Whether another whole frame has come in and waits to be read: then what is sent now can wait for company.
    pub fn has_frame(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing) && self.receiver.has_frame()
    }

    /// The next bytes for the stream, for a driver that does not wait until the input has run dry.
    pub fn unsent(&mut self) -> Option<Bytes> {
        self.sender.pop()
    }

    /// Gives up all memory that is of use only while messages come and go. For a driver to call when it waits.
    pub fn rest(&mut self) {
        self.receiver.rest();
        self.sender.rest();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
    }

    /// Sends a message of text, in one frame.
    ///
    /// # Errors
    /// When the connection is not open, too much waits, or a fragmented message is not finished.
    pub fn send_text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), SendError> {
        self.check_open()?;
        self.sender.message(MessageKind::Text, text.into().into())
    }

    /// Sends a message of bytes, in one frame. A client masks them in place when nobody else holds them.
    ///
    /// # Errors
    /// As for [`send_text`](Connection::send_text).
    pub fn send_binary(&mut self, payload: impl Into<Bytes>) -> Result<(), SendError> {
        self.check_open()?;
        self.sender.message(MessageKind::Binary, payload.into())
    }

    /// Sends one fragment of a message (§5.4): the first begins it, the one that is `last` ends it. Text may be cut
    /// inside a character.
    ///
    /// # Errors
    /// As for [`send_text`](Connection::send_text); and when the kind changes or the text is not UTF-8.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Bytes>,
        last: bool,
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.sender.fragment(kind, payload.into(), last)
    }

    /// Asks the peer for a sign of life (§5.5.2), also between the fragments of a message.
    ///
    /// # Errors
    /// When the connection is not open, too much waits, or the payload is longer than 125 bytes.
    pub fn ping(&mut self, payload: impl Into<Bytes>) -> Result<(), SendError> {
        self.check_open()?;
        self.sender.ping(payload.into())
    }

    /// Starts the closing handshake (§7.1.2). Messages that the peer sent before it answers still come. A connection
    /// that is not open yet is given up.
    ///
    /// # Errors
    /// When the connection is closing or closed already, or the reason must not be sent.
    pub fn close(&mut self, now: Instant, reason: &CloseReason) -> Result<(), SendError> {
        let payload = reason.payload().map_err(SendError::BadClose)?;
        match self.phase {
            Phase::Connecting => self.events.push_back(Event::Close(CloseReason::abnormal())),
            Phase::Open => self.sender.control(Opcode::Close, payload),
            Phase::Closing | Phase::Closed | Phase::Finished => return Err(SendError::NotOpen),
        }
        self.enter(now, Happening::CloseAsked);
        Ok(())
    }

    fn check_open(&self) -> Result<(), SendError> {
        if self.phase == Phase::Open { Ok(()) } else { Err(SendError::NotOpen) }
    }

    /// Feeds the opening handshake; what follows the head is for the receiver.
    fn read_head(&mut self, now: Instant, mut bytes: Bytes) {
        self.pieces += 1;
        let Some(verdict) = self.awaiting.feed(&mut bytes) else {
            if self.pieces >= self.config.head_pieces {
                let verdict = self.give_up_head(too_slow());
                self.end_handshake(now, verdict);
            }
            return;
        };
        self.end_handshake(now, verdict);
        if self.phase == Phase::Open && !bytes.is_empty() {
            self.receiver.push(bytes);
        }
    }

    /// A server says why it waits no longer; a client has nobody to tell.
    fn give_up_head(&self, error: ParseError) -> Verdict {
        if self.awaiting.is_request() {
            refused(&Refusal::too_slow(error))
        } else {
            Verdict::Failed { reply: None, error }
        }
    }

    fn end_handshake(&mut self, now: Instant, verdict: Verdict) {
        match verdict {
            Verdict::Open { reply, opening } => {
                reply.iter().for_each(|head| self.sender.raw(head));
                if let Some(agreement) = opening.deflate {
                    self.begin_deflate(agreement);
                }
                self.heard = now;
                self.events.push_back(Event::Open(Box::new(opening)));
                self.enter(now, Happening::Opened);
            }
            // §4.2.2: the request is answered with an error, and that was all.
            Verdict::Failed { reply, error } => {
                reply.iter().for_each(|head| self.sender.raw(head));
                self.fail(now, Failure::before_open(error));
            }
        }
    }

    /// Both ends keep to what was agreed (RFC 7692 §7.2): each of us compresses as its own parameters say.
    fn begin_deflate(&mut self, agreed: Agreement) {
        let wish = self.config.deflate.clone().unwrap_or_default();
        let server = (agreed.server_max_window_bits, !agreed.server_no_context_takeover);
        let client = (agreed.client_max_window_bits, !agreed.client_no_context_takeover);
        let (ours, peers) = match self.role {
            Role::Server => (server, client),
            Role::Client => (client, server),
        };
        self.sender.compress(Compressor::new(wish.level, ours.0, ours.1), wish.min_len);
        self.receiver.decompress(Decompressor::new(peers.0, peers.1));
    }

    /// _Fail the WebSocket Connection_ (§7.1.7): tell the peer why, if it can still be told, and close.
    fn fail(&mut self, now: Instant, failure: Failure) {
        if let (Phase::Open, Some(code)) = (self.phase, failure.code) {
            let reason = CloseReason::new(code, shortened(&failure.error.to_string()));
            self.sender.control(Opcode::Close, reason.payload().unwrap_or_default());
        }
        self.events.push_back(Event::Failed(failure));
        self.enter(now, Happening::Failed);
    }

    /// Reads the next frame. False when there is nothing to do until the next input.
    fn read_frame(&mut self, now: Instant) -> bool {
        match self.receiver.next() {
            Ok(Some(incoming)) => self.take(now, incoming),
            Ok(None) if self.end_of_stream => self.end_abnormally(now, Happening::EndOfStream),
            Ok(None) => return false,
            Err(failure) => self.fail(now, failure),
        }
        true
    }

    fn take(&mut self, now: Instant, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => self.events.push_back(Event::Message(message)),
            Incoming::Ping(payload) => {
                // §5.5.2: answered as long as no Close frame came, even when ours is out.
                self.sender.control(Opcode::Pong, payload.clone());
                self.events.push_back(Event::Ping(payload));
            }
            Incoming::Pong(payload) => self.events.push_back(Event::Pong(payload)),
            Incoming::Close(reason) => {
                if self.phase == Phase::Open {
                    // §5.5.1: the answer echoes the code.
                    let echo = CloseReason::new(reason.code, Utf8Bytes::default());
                    self.sender.control(Opcode::Close, echo.payload().unwrap_or_default());
                }
                self.events.push_back(Event::Close(reason));
                self.enter(now, Happening::CloseReceived);
            }
        }
    }

    /// The stream or the peer's time ran out. What it means depends on how far the connection had come.
    fn end_abnormally(&mut self, now: Instant, happening: Happening) {
        match self.phase {
            Phase::Connecting => {
                let verdict = match (happening, self.awaiting.cut_short()) {
                    (Happening::TimedOut, _) | (_, None) => self.give_up_head(too_slow()),
                    (_, Some(error)) => Verdict::Failed { reply: None, error },
                };
                return self.end_handshake(now, verdict);
            }
            Phase::Open | Phase::Closing => self.events.push_back(Event::Close(CloseReason::abnormal())),
            // The user knows already.
            Phase::Closed | Phase::Finished => {}
        }
        self.enter(now, happening);
    }

    /// The time has come to look when the peer was heard last. Only then: bytes that come in move no timer.
    fn look_for_life(&mut self, now: Instant, keepalive: Keepalive) {
        let next = match self.pinged {
            Some(pinged) if pinged + keepalive.timeout <= now => {
                return self.fail(now, Failure::before_open(silent(keepalive)));
            }
            Some(pinged) => pinged + keepalive.timeout,
            None if self.heard + keepalive.idle <= now => {
                self.sender.control(Opcode::Ping, Bytes::new());
                self.pinged = Some(now);
                now + keepalive.timeout
            }
            None => self.heard + keepalive.idle,
        };
        self.deadline = Some(next);
        self.deadline_is_news = true;
    }

    /// Goes to the next phase and does what belongs to being in it.
    fn enter(&mut self, now: Instant, happening: Happening) {
        let next = self.phase.next(self.role, happening);
        if next == self.phase {
            return;
        }
        self.phase = next;
        if next != Phase::Connecting {
            self.awaiting = Awaiting::Nothing;
        }
        self.deadline = match next {
            Phase::Open => self.config.keepalive.map(|keepalive| now + keepalive.idle),
            Phase::Connecting | Phase::Finished => None,
            Phase::Closing | Phase::Closed => Some(now + self.config.close_timeout),
        };
        self.deadline_is_news = self.deadline.is_some();
        if matches!(next, Phase::Closed | Phase::Finished) {
            self.receiver.discard();
        }
    }
}

impl Machine for Connection {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        if matches!(input, Input::Bytes(_) | Input::Arrived) {
            self.heard = now;
            self.pinged = None;
        }
        match (self.phase, input) {
            (Phase::Finished, _) => {}
            (Phase::Connecting, Input::Bytes(bytes)) => self.read_head(now, bytes),
            (Phase::Open | Phase::Closing, Input::Bytes(bytes)) => self.receiver.push(bytes),
            (Phase::Connecting, Input::Arrived) => {
                let bytes = std::mem::take(self.receiver.inbox()).freeze();
                self.read_head(now, bytes);
            }
            (Phase::Open | Phase::Closing, Input::Arrived) => {}
            // §5.5.1: after a Close frame nothing counts.
            (Phase::Closed, Input::Bytes(_)) => {}
            (Phase::Closed, Input::Arrived) => self.receiver.discard(),
            // What came before the end is read first.
            (Phase::Open | Phase::Closing, Input::Eof) => self.end_of_stream = true,
            (Phase::Connecting | Phase::Closed, Input::Eof) => {
                self.end_abnormally(now, Happening::EndOfStream);
            }
            (_, Input::Wake) => match self.deadline {
                Some(deadline) if deadline <= now => match (self.phase, self.config.keepalive) {
                    (Phase::Open, Some(keepalive)) => self.look_for_life(now, keepalive),
                    _ => self.end_abnormally(now, Happening::TimedOut),
                },
                // Woken too early: ask again.
                deadline => self.deadline_is_news = deadline.is_some(),
            },
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        /// When this much was gathered the stream has enough to do.
        const ENOUGH: usize = 64 << 10;
        loop {
            if self.sender.queued() >= ENOUGH
                && let Some(bytes) = self.sender.pop()
            {
                return Some(Output::Send(bytes));
            }
            if let Some(event) = self.events.pop_front() {
                return Some(Output::Event(event));
            }
            if let (true, Some(deadline)) = (self.deadline_is_news, self.deadline) {
                self.deadline_is_news = false;
                return Some(Output::WakeAt(deadline));
            }
            if matches!(self.phase, Phase::Open | Phase::Closing) && self.read_frame(now) {
                continue;
            }
            if let Some(bytes) = self.sender.pop() {
                return Some(Output::Send(bytes));
            }
            let news = self.phase == Phase::Finished && !std::mem::replace(&mut self.finished_told, true);
            return news.then_some(Output::Finished);
        }
    }
}

/// As much of a text as a Close frame has room for, cut between two characters.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(CloseReason::MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The error for a peer that has gone without a word.
fn silent(keepalive: Keepalive) -> ParseError {
    ParseError {
        kind: ErrorKind::Incomplete,
        layer: Layer::Application,
        protocol: "WebSocket",
        field: "pong",
        offset: 0,
        expected: format!("a sign of life within {} of a ping", keepalive.timeout).into(),
        got: "none".into(),
    }
}

/// The error for an opening handshake that took too long.
fn too_slow() -> ParseError {
    ParseError {
        kind: ErrorKind::Incomplete,
        layer: Layer::Application,
        protocol: "WebSocket handshake",
        field: "head",
        offset: 0,
        expected: "a whole head in time".into(),
        got: "too little, too slowly".into(),
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
