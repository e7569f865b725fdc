//! What the program above learns, and the names by which it asks and answers.

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::Duration;
use crate::chat::offset::offset_number;
use crate::layers::application::socketio::Value;

/// What the program above learns.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A namespace let it in.
    Connected {
        /// The namespace that was entered.
        namespace: Arc<str>,
        /// The public id that it has there.
        sid: String,
        /// It is the one it was: what it missed follows.
        recovered: bool,
    },
    /// A namespace does not let it in: what the server says, mostly an object with `message` and `data`. It does not
    /// ask again by itself; [`Client::join`](super::Client::join) does, and what waits for the namespace goes on
    /// waiting.
    Refused {
        /// The namespace that was refused.
        namespace: Arc<str>,
        /// The data of the CONNECT_ERROR packet.
        error: Value,
    },
    /// An event arrived from the server.
    Heard(Heard),
    /// A question has its answer, or will not get one. Once for each.
    Answered {
        /// The number that [`Client::ask`](super::Client::ask) returned.
        id: EmitId,
        /// The answer's arguments.
        answer: Result<Vec<Value>, NoAnswer>,
    },
    /// It is not in a namespace any more.
    Disconnected {
        /// The namespace that was left.
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
    /// Every attempt failed: there will be no other. [`Client::join`](super::Client::join) starts over.
    GaveUp {
        /// What was wrong with the last one.
        why: Cow<'static, str>,
    },
}

/// An event from the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The namespace that it came in.
    pub namespace: Arc<str>,
    /// The event's name.
    pub name: String,
    /// The event's arguments.
    pub args: Vec<Value>,
    /// The end of the namespace's log when it was sent: its own place there when it is kept.
    pub offset: Option<Offset>,
    /// Present when the server wants an answer: see [`Client::answer`](super::Client::answer).
    pub ack: Option<AckId>,
}

impl Heard {
    /// The arguments as they were sent, and as listeners of stock clients get them: with the offset as the last one.
    pub fn args_as_sent(&self) -> Vec<Value> {
        let offset = self.offset.iter().map(|offset| offset.as_str().into());
        self.args.iter().cloned().chain(offset).collect()
    }
}

/// An offset as the server wrote it: see [`chat::offset`](crate::chat::offset_number).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offset(pub(super) Arc<str>);

impl Offset {
    /// The whole of it, which only its server can read.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place in the log.
    pub fn number(&self) -> Option<u64> {
        offset_number(&self.0)
    }
}

/// Names an event that is to be acknowledged. The same client uses it once, unless its program
/// [counts](super::Client::count_from) by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmitId(pub(super) u64);

impl EmitId {
    /// The number that its packet carries, and that of its answer.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// Names a question of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckId {
    pub(super) namespace: Arc<str>,
    pub(super) id: u64,
    /// Of which connection: an answer to a question of a former one is worth nothing.
    pub(super) connection: u64,
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
