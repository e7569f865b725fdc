//! One WebSocket connection, from the opening handshake to the last byte: the machine that joins the parts
//! (RFC 6455 §4 to §7).
//!
//! It stands between TCP's stream of bytes below and a user who thinks in messages above, and is the same for both
//! ends. What happens in which phase is in [`phase`](super::phase), what comes in in `receiver.rs`, what goes out in
//! `sender.rs`.
//!
//! Bytes are read only as fast as [`poll`](Machine::poll) is called, one frame at a time, so nothing that a peer sends
//! piles up here. A driver whose stream takes no more bytes stops polling and stops reading: that is how a fast peer
//! is slowed down. Left out: sending pings by itself, for how often is the user's to say; following redirects.

use std::collections::VecDeque;

use bytes::Bytes;

use super::close::{CloseReason, Failure};
use super::frame::Opcode;
use super::handshake::Opening;
use super::handshake::awaiting::{Awaiting, Verdict, judge};
use super::handshake::client::Request;
use super::handshake::server::Policy;
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
    /// always taken when nothing waits. Answers to pings and Close frames do not count against it: there is never
    /// more than one of each.
    pub max_queue: usize,
    /// How long the opening handshake may take.
    pub handshake_timeout: Duration,
    /// How long the peer may take to answer our Close frame, and then the server to close the TCP connection.
    pub close_timeout: Duration,
    /// Limits on the head of the opening handshake.
    pub head: Limits,
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
        }
    }
}

/// What can happen to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Bytes came from the stream, cut anywhere. Memory that nobody else holds is used as it is.
    Bytes(Bytes),
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
        let awaiting = Awaiting::request(config.head, policy);
        Connection::new(now, Role::Server, config, awaiting, None)
    }

    /// The server's end when an HTTP server has read the request already. What follows the head on the stream is the
    /// connection's first input.
    pub fn accept(now: Instant, config: Config, policy: &Policy, request: &RequestHead) -> Self {
        let mut connection = Connection::new(now, Role::Server, config, Awaiting::Nothing, None);
        connection.end_handshake(now, judge(request, policy));
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
        // No extension is offered: there is none that this machine could speak.
        let head = request.head(&[]).emit()?;
        let awaiting = Awaiting::response(config.head, request);
        let mut connection = Connection::new(now, Role::Client, config, awaiting, Some(masks));
        connection.sender.raw(head);
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
        let Some(verdict) = self.awaiting.feed(&mut bytes) else { return };
        self.end_handshake(now, verdict);
        if self.phase == Phase::Open && !bytes.is_empty() {
            self.receiver.push(bytes);
        }
    }

    fn end_handshake(&mut self, now: Instant, verdict: Verdict) {
        match verdict {
            Verdict::Open { reply, opening } => {
                reply.into_iter().for_each(|head| self.sender.raw(head));
                self.events.push_back(Event::Open(Box::new(opening)));
                self.enter(now, Happening::Opened);
            }
            // §4.2.2: the request is answered with an error, and that was all.
            Verdict::Failed { reply, error } => {
                reply.into_iter().for_each(|head| self.sender.raw(head));
                self.fail(now, Failure::before_open(error));
            }
        }
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
                let cut_short = match happening {
                    Happening::TimedOut => None,
                    _ => self.awaiting.cut_short(),
                };
                let cut_short = cut_short.unwrap_or_else(too_slow);
                self.events.push_back(Event::Failed(Failure::before_open(cut_short)));
            }
            Phase::Open | Phase::Closing => self.events.push_back(Event::Close(CloseReason::abnormal())),
            // The user knows already.
            Phase::Closed | Phase::Finished => {}
        }
        self.enter(now, happening);
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
            Phase::Connecting | Phase::Open | Phase::Finished => None,
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
        match (self.phase, input) {
            (Phase::Finished, _) => {}
            (Phase::Connecting, Input::Bytes(bytes)) => self.read_head(now, bytes),
            (Phase::Open | Phase::Closing, Input::Bytes(bytes)) => self.receiver.push(bytes),
            // §5.5.1: after a Close frame nothing counts.
            (Phase::Closed, Input::Bytes(_)) => {}
            // What came before the end is read first.
            (Phase::Open | Phase::Closing, Input::Eof) => self.end_of_stream = true,
            (Phase::Connecting | Phase::Closed, Input::Eof) => {
                self.end_abnormally(now, Happening::EndOfStream);
            }
            (_, Input::Wake) => match self.deadline {
                Some(deadline) if deadline <= now => self.end_abnormally(now, Happening::TimedOut),
                // Woken too early: ask again.
                deadline => self.deadline_is_news = deadline.is_some(),
            },
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        loop {
            if let Some(bytes) = self.sender.pop() {
                return Some(Output::Send(bytes));
            }
            if let Some(event) = self.events.pop_front() {
                return Some(Output::Event(event));
            }
            if let (true, Some(deadline)) = (self.deadline_is_news, self.deadline) {
                self.deadline_is_news = false;
                return Some(Output::WakeAt(deadline));
            }
            match self.phase {
                Phase::Open | Phase::Closing => {
                    if !self.read_frame(now) {
                        return None;
                    }
                }
                Phase::Connecting | Phase::Closed => return None,
                Phase::Finished => {
                    let news = !std::mem::replace(&mut self.finished_told, true);
                    return news.then_some(Output::Finished);
                }
            }
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
