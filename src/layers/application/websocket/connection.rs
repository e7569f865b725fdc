//! One WebSocket connection, from the opening handshake to the last byte: the machine that joins the parts
//! (RFC 6455 §4 to §7).
//!
//! It is between TCP's stream of bytes below and a program that sends messages above, and is the same for both
//! ends. What happens in which phase is in [`phase`](super::phase), what comes in in `receiver.rs`, what goes out in
//! `sender.rs`. The beginning of a connection's life is in `connection/opening.rs`, its end in `connection/closing.rs`,
//! its limits in `connection/config.rs`, and how a dead peer is noticed in `connection/keepalive.rs`.
//!
//! Bytes are read only as fast as [`poll`](Machine::poll) is called, one frame at a time, so nothing that a peer sends
//! piles up here. A driver whose stream takes no more bytes stops polling and stops reading: that is how a fast peer
//! is slowed down. What is to be sent is gathered while there is something to read, and handed out when the input has
//! run dry, or much has been gathered: so a hundred answers to a hundred messages are one write. Left out: following
//! redirects.

mod closing;
mod config;
mod keepalive;
mod opening;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::close::{CloseReason, Failure};
use super::deflate::negotiation;
use super::frame::Opcode;
use super::handshake::Opening;
use super::handshake::awaiting::{Awaiting, Verdict, judge};
use super::handshake::client::Request;
use super::handshake::server::Policy;
use super::message::{Fragment, Message, MessageKind};
use super::phase::{Phase, Role, Trigger};
use super::receiver::{Incoming, Next, Receiver};
use super::sender::{MaskSource, SendError, Sender};
use super::utf8::Utf8Bytes;
use crate::base::{Instant, Machine, ParseError};
use crate::layers::application::http::RequestHead;

use closing::unmasked;
pub use config::{Config, Keepalive};

/// What can happen to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Bytes came from the stream, cut anywhere. Memory that nothing else holds is used as it is.
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

/// What a [`step`](Connection::step) of a connection's work has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It asks for something.
    Output(Output),
    /// How many bytes came out of decompression since this was last said; there is more to do.
    Inflated(usize),
    /// There is nothing to do until the next input.
    Idle,
}

/// What reading on has led to.
enum Read {
    /// A frame, or the end: there may be an event now.
    Something,
    /// See [`Step::Inflated`].
    Inflated(usize),
    /// More bytes are needed.
    Nothing,
}

/// What the user above learns. After [`Close`](Event::Close) or [`Failed`](Event::Failed), of which there is exactly
/// one, nothing comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection is open. Boxed, for it comes once and is much larger than the others.
    Open(Box<Opening>),
    /// A whole message from the peer.
    Message(Message),
    /// What a frame brought of a message, instead of messages: see [`Connection::give_fragments`].
    Fragment(Fragment),
    /// A ping; it is answered already.
    Ping(Bytes),
    /// A pong, to a ping of ours or unasked (§5.5.3).
    Pong(Bytes),
    /// The peer closed, or answered our Close frame; [`CloseCode::ABNORMAL`](super::CloseCode::ABNORMAL) when the
    /// stream ended, or time ran out, without a Close frame.
    Close(CloseReason),
    /// This end failed the connection (§7.1.7): the peer broke a rule, or did not agree to open. Boxed, as above.
    Failed(Box<Failure>),
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
    /// The deadline has been set, and not yet reported to the driver.
    deadline_is_news: bool,
    end_of_stream: bool,
    /// The last output was handed out.
    finished_told: bool,
}

impl Connection {
    /// When this much was gathered the stream has enough to do.
    const ENOUGH: usize = 64 << 10;

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

    /// Either end of a connection whose handshake others have made, an HTTP server or client. What followed the heads on
    /// the stream is its first input. A client needs a source of masks.
    pub fn upgraded(
        now: Instant,
        role: Role,
        config: Config,
        opening: Opening,
        masks: Option<MaskSource>,
    ) -> Self {
        let mut connection = Connection::new(now, role, config, Awaiting::Nothing, masks);
        connection.end_handshake(now, Verdict::Open { reply: None, opening });
        connection
    }

    /// The client's end of a connection that TCP has just established: it sends its request.
    ///
    /// # Errors
    /// Misuse when the request holds characters that HTTP does not allow, or fields that §4.1 does not.
    pub fn client(
        now: Instant,
        config: Config,
        request: Request,
        masks: MaskSource,
    ) -> Result<Self, ParseError> {
        request.check_own()?;
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

    /// Bytes of messages that have not come in whole, and what waits to be polled.
    pub fn held(&self) -> usize {
        self.receiver.held() + self.sender.queued()
    }

    /// Where the stream's next bytes may be put, after those that are there, instead of handing them over as
    /// [`Input::Bytes`]: it saves a driver a copy. [`Input::Arrived`] is to follow.
    pub fn inbox(&mut self) -> &mut BytesMut {
        self.receiver.inbox()
    }

    /// The length of the payload that is coming in, and how many bytes of it are still to come; zeros when none is. A
    /// driver that reads that much and a header at a time gets long messages in one piece.
    pub fn coming_in(&self) -> (u64, u64) {
        self.receiver.coming_in()
    }

    /// Whether another whole frame has come in and waits to be read: then what is sent now can wait for company.
    pub fn has_frame(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing) && self.receiver.has_frame()
    }

    /// The next bytes for the stream, for a driver that does not wait until the input has run dry.
    pub fn unsent(&mut self) -> Option<Bytes> {
        self.sender.pop()
    }

    /// Gives up all memory that is of use only while messages come and go. For a driver to call when it waits. Returns
    /// the buffer of the [inbox](Connection::inbox), for a driver that has another connection to read into it.
    pub fn rest(&mut self) -> BytesMut {
        self.sender.rest();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        self.receiver.rest()
    }

    /// From now on hands on what each frame brings of a message as it ends, and no whole messages. Their limit stays.
    pub fn give_fragments(&mut self) {
        self.receiver.give_fragments();
    }

    /// Whether it does.
    pub fn gives_fragments(&self) -> bool {
        self.receiver.gives_fragments()
    }

    /// Sends a message of text, in one frame.
    ///
    /// # Errors
    /// When the connection is not open, too much waits, or a fragmented message is not finished.
    pub fn send_text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), SendError> {
        self.check_open()?;
        self.sender.message(MessageKind::Text, text.into().into())
    }

    /// Sends a message of bytes, in one frame. A client masks them in place when nothing else holds them.
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

    fn check_open(&self) -> Result<(), SendError> {
        if self.phase == Phase::Open { Ok(()) } else { Err(SendError::NotOpen) }
    }

    /// The next message, when it is short, has come as a whole and nothing else is to be done first: a quick way for a
    /// driver of many small ones. `None` means nothing but that [`step`](Connection::step) is the way.
    #[inline]
    pub fn whole_message(&mut self) -> Option<Message> {
        let is_next = self.phase == Phase::Open
            && self.events.is_empty()
            && !self.deadline_is_news
            && !self.sender.is_out_of_masks()
            && self.sender.queued() < Self::ENOUGH;
        if is_next { self.receiver.whole_message() } else { None }
    }

    /// As [`poll`](Machine::poll), but never decompresses for long, for a few bytes of a peer may become millions: a
    /// driver that serves others too can let them have their turn in between.
    pub fn step(&mut self, now: Instant) -> Step {
        loop {
            if self.sender.is_out_of_masks() && matches!(self.phase, Phase::Open | Phase::Closing) {
                self.fail(now, unmasked());
            }
            if self.sender.queued() >= Self::ENOUGH
                && let Some(bytes) = self.sender.pop()
            {
                return Step::Output(Output::Send(bytes));
            }
            if let Some(event) = self.events.pop_front() {
                return Step::Output(Output::Event(event));
            }
            if let (true, Some(deadline)) = (self.deadline_is_news, self.deadline) {
                self.deadline_is_news = false;
                return Step::Output(Output::WakeAt(deadline));
            }
            if matches!(self.phase, Phase::Open | Phase::Closing) {
                match self.read_frame(now) {
                    Read::Something => continue,
                    Read::Inflated(bytes) => return Step::Inflated(bytes),
                    Read::Nothing => {}
                }
            }
            if let Some(bytes) = self.sender.pop() {
                return Step::Output(Output::Send(bytes));
            }
            let news = self.phase == Phase::Finished && !std::mem::replace(&mut self.finished_told, true);
            return if news { Step::Output(Output::Finished) } else { Step::Idle };
        }
    }

    /// Reads the next frame.
    fn read_frame(&mut self, now: Instant) -> Read {
        match self.receiver.next() {
            Ok(Next::Incoming(incoming)) => self.take(now, incoming),
            Ok(Next::Inflated(bytes)) => return Read::Inflated(bytes),
            Ok(Next::Nothing) if self.end_of_stream => self.end_abnormally(now, Trigger::EndOfStream),
            Ok(Next::Nothing) => return Read::Nothing,
            Err(failure) => self.fail(now, failure),
        }
        Read::Something
    }

    fn take(&mut self, now: Instant, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => self.events.push_back(Event::Message(message)),
            Incoming::Fragment(fragment) => self.events.push_back(Event::Fragment(fragment)),
            Incoming::Ping(payload) => {
                // §5.5.2: answered as long as no Close frame came, even when ours is out.
                self.sender.control(Opcode::Pong, payload.clone());
                self.events.push_back(Event::Ping(payload));
            }
            Incoming::Pong(payload) => self.events.push_back(Event::Pong(payload)),
            Incoming::Close(reason) => self.closed_by_peer(now, reason),
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
                self.end_abnormally(now, Trigger::EndOfStream);
            }
            (_, Input::Wake) => match self.deadline {
                Some(deadline) if deadline <= now => match (self.phase, self.config.keepalive) {
                    (Phase::Open, Some(keepalive)) => self.look_for_life(now, keepalive),
                    _ => self.end_abnormally(now, Trigger::TimedOut),
                },
                // Woken too early: ask again.
                deadline => self.deadline_is_news = deadline.is_some(),
            },
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        loop {
            match self.step(now) {
                Step::Output(output) => return Some(output),
                Step::Inflated(_) => {}
                Step::Idle => return None,
            }
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
