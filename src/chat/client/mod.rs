//! The client's end: a machine that speaks events, and reconnects by itself.
//!
//! It speaks Socket.IO, and knows no more of what is below than that a session of Engine.IO can be opened, carries
//! messages, and ends. Its driver opens one when it says [`Output::Dial`], and reports how that went; whether messages go
//! by WebSocket, by long-polling, or by one after the other is the driver's choice. In the simulator a session is an
//! [`engineio::poller::Caller`](crate::layers::application::engineio::poller::Caller), over the kernel's sockets an
//! [`engineio::Client`](crate::layers::application::engineio::Client) on a WebSocket. What stock Socket.IO clients do is
//! done alike; where it does more, the table says so.
//!
//! | to learn | see |
//! |---|---|
//! | what a program says | `commands.rs` |
//! | what may be promised about an event | [`Client::emit`], [`Client::volatile`], [`Client::ask`], [`Client::deliver`] |
//! | what it learns | `event.rs`: [`Event`] |
//! | how packets go out, and what is done with those that come | `sending.rs`, `arriving.rs` |
//! | what waits in a namespace, and in which order | `space.rs` |
//! | how a connection begins, ends, and is followed by the next | `returning.rs` |
//! | when the next try is made | [`Backoff`] |
//! | what is bounded, and by how much | [`Config`] |
//! | what it costs to be sure | [`delivery`](super::delivery) |
//!
//! **While it is away** what is emitted waits, in order, within the bounds of [`Config`]; beyond them an emit is
//! *refused*, never dropped in silence. Events that are volatile are dropped, for that is what the word means.
//!
//! **When it returns** it gives the secret and the offset it had, and says [`recovered`](Event::Connected) when the
//! server recognised it: then every event it missed follows, in order and once. When not, it is a new
//! client to the server, and the program asks for what it missed in its own way ("since offset").
//!
//! **What it sends again** are the events of [`Client::deliver`], each with an id of its sender, so that the server
//! can tell a copy from a new one ([`Broadcast::sent_as`](super::Broadcast::sent_as)).
//!
//! Left out: sharing one connection between several clients.

mod arriving;
mod backoff;
mod commands;
mod config;
mod event;
mod returning;
mod sending;
mod space;

use std::borrow::Cow;
use std::collections::VecDeque;

use self::space::Space;
use super::hub::Random;
use crate::base::{Alarm, Instant, Machine};
use crate::layers::application::engineio::CloseCause;
use crate::layers::application::socketio::Decoder;
use crate::layers::application::websocket::Message;

pub use self::backoff::Backoff;
pub use self::config::Config;
pub use self::event::{AckId, EmitError, EmitId, Event, Heard, NoAnswer, Offset};

/// What can happen to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The session that was asked for is open: Engine.IO's handshake has arrived.
    Opened {
        /// Bytes of the largest message that the server takes.
        max_payload: u64,
    },
    /// A message of the session arrived.
    Message(Message),
    /// The session is over, or could not be opened; in words for people.
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
    /// Open a session. There is at most one at a time: what is left of the one before may be reset.
    Dial,
    /// Send a message by it. The text of a packet and its attachments follow each other.
    Send(Message),
    /// Close it, after what was sent. Nothing of it is to be reported any more.
    HangUp,
    /// Tell the program above.
    Event(Event),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// See the head of this file.
pub struct Client {
    config: Config,
    random: Random,
    phase: Phase,
    spaces: Vec<Space>,
    decoder: Decoder,
    /// Attempts that failed since it was last let in.
    attempts: u32,
    /// How many connections there have been.
    connection: u64,
    /// Largest message that this server takes.
    max_payload: usize,
    is_full: bool,
    /// What its senders' ids begin with, so that no other client has the same.
    token: u64,
    next_id: u64,
    outputs: VecDeque<Output>,
    alarm: Alarm,
}

/// What there is of a connection.
#[derive(Debug)]
enum Phase {
    /// None, and none is wanted.
    Idle,
    /// None; the next try is made then.
    Waiting(Instant),
    /// A session is being opened, until then.
    Dialing(Instant),
    /// The session is open.
    Online,
}

impl Input {
    /// The session is over, for a reason that Engine.IO knows.
    pub fn ended(cause: CloseCause) -> Self {
        let words = match cause {
            CloseCause::ByServer => "the server closed the session",
            CloseCause::PingTimeout => "the server gave no sign of life",
            CloseCause::BadPacket => "the server sent no Engine.IO packet",
            CloseCause::BadRequest => "the server refused a request",
            CloseCause::ByClient => "closed",
            CloseCause::TransportClosed | CloseCause::SlowReader => "the connection broke",
        };
        Input::Closed(words.into())
    }
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
            next_id: 1,
            outputs: VecDeque::new(),
            alarm: Alarm::new(),
        }
    }
}

impl Machine for Client {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { max_payload } => {
                if let Phase::Dialing(_) = self.phase {
                    self.connection += 1;
                    self.max_payload = usize::try_from(max_payload).unwrap_or(usize::MAX);
                    self.phase = Phase::Online;
                    self.knock(now);
                }
            }
            Input::Message(message) => {
                if let Phase::Online = self.phase {
                    self.message(now, message);
                }
            }
            Input::Closed(why) => {
                if let Phase::Dialing(_) | Phase::Online = self.phase {
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
        self.alarm.poll(Some(self.due())).map(Output::WakeAt)
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
