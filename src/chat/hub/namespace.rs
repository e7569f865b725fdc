//! A namespace as its program sees it: which clients may enter, and what is done when an event comes.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::pool::{ListenerId, Pool, PoolFull};
use super::context::{Ack, Context, PastEvent};
use super::key::Key;
use super::promises::Lent;
use super::{Reason, SessionId};
use crate::base::Instant;
use crate::layers::application::http::Incoming;
use crate::layers::application::socketio::Value;

/// The functions of one namespace. All of its sockets share them: an idle socket costs no function.
#[derive(Default)]
pub struct Namespace {
    pub(super) gates: Vec<Gate>,
    pub(super) guards: Vec<Guard>,
    pub(super) connection: Vec<OnConnection>,
    pub(super) disconnect: Vec<OnDisconnect>,
    pub(super) gone: Vec<OnGone>,
    pub(super) moved: Vec<OnGone>,
    pub(super) kept: Vec<(Vec<String>, OnKept)>,
    pub(super) events: Pool<Lent, Heard>,
}

type Gate = Box<dyn FnMut(&Entry<'_>) -> Result<(), Refusal> + Send>;
type OnConnection = Box<dyn FnMut(&mut Context<'_>, &Hello) + Send>;
type OnGone = Box<dyn FnMut(&mut Context<'_>, &str) + Send>;
type OnKept = Box<dyn FnMut(&mut Context<'_>, &PastEvent) + Send>;
type OnDisconnect = Box<dyn FnMut(&mut Context<'_>, Reason) + Send>;
type Guard = Box<dyn FnMut(&mut Context<'_>, &str, &[Value]) -> Result<(), Refusal> + Send>;

/// A client asks to enter a namespace.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The time of the request.
    pub now: Instant,
    /// The session that it came over.
    pub session: SessionId,
    /// The request that opened the session: header fields, cookies, query, address. `None` where the driver has none
    /// to show, as in a simulated run of the hub alone.
    pub request: Option<&'a Incoming>,
    /// The payload of the CONNECT packet; `{}` when there was none.
    pub auth: &'a Value,
    /// How many sockets are in the namespace.
    pub sockets: usize,
    /// The id of the socket whose secret was presented, away or connected; whether the client gets that socket back is
    /// decided after the gates.
    pub returning: Option<&'a str>,
}

/// A socket whose connection broke, and which may come back.
#[derive(Debug, Clone, PartialEq)]
pub struct AwaySocket {
    /// The socket's public id.
    pub id: Arc<str>,
    /// The rooms it is in, its own not among them.
    pub rooms: Vec<Arc<str>>,
    /// What the program keeps with it.
    pub data: Value,
}

impl Entry<'_> {
    /// A cookie of the request.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.request?.cookie(name)
    }

    /// A header field of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request?.header(name)
    }

    /// A parameter of the request's query, decoded.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.request?.parameter(name)
    }
}

/// A client has entered.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// The payload of the CONNECT packet; `{}` when there was none.
    pub auth: Value,
    /// It is a socket that came back, with its id, rooms and data; what it missed is on its way.
    pub is_recovered: bool,
}

/// Why a client may not enter, sent to it as `{"message": ..., "data": ...}`; or why an event is refused: see
/// [`Namespace::guard`].
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// A sentence for people to read.
    pub message: String,
    /// Anything for programs to act on, such as a code.
    pub data: Option<Value>,
}

/// An event from a client.
pub(super) struct Heard {
    pub(super) socket: Key,
    pub(super) space: usize,
    pub(super) args: Vec<Value>,
    pub(super) ack: Ack,
}

impl Namespace {
    /// Asks `gate` before anybody enters, also when they come back; gates are asked in order, the first refusal counts.
    pub fn gate(
        &mut self,
        gate: impl FnMut(&Entry<'_>) -> Result<(), Refusal> + Send + 'static,
    ) -> &mut Self {
        self.gates.push(Box::new(gate));
        self
    }

    /// Asks `guard` before an event is taken. A refused event is answered when it wants an answer, with
    /// `{ok: false, error: message}` and the members of the refusal's data, such as `code`; and dropped when not.
    pub fn guard(
        &mut self,
        guard: impl FnMut(&mut Context<'_>, &str, &[Value]) -> Result<(), Refusal> + Send + 'static,
    ) -> &mut Self {
        self.guards.push(Box::new(guard));
        self
    }

    /// Calls `listener` for each socket that enters, or comes back.
    pub fn on_connection(
        &mut self,
        listener: impl FnMut(&mut Context<'_>, &Hello) + Send + 'static,
    ) -> &mut Self {
        self.connection.push(Box::new(listener));
        self
    }

    /// Calls `listener` for each socket that has left. It is out of its rooms, and can still see which they were.
    pub fn on_disconnect(
        &mut self,
        listener: impl FnMut(&mut Context<'_>, Reason) + Send + 'static,
    ) -> &mut Self {
        self.disconnect.push(Box::new(listener));
        self
    }

    /// Calls `listener` for each socket that was away for too long, with its id: it will not come back. The context is
    /// of no socket.
    pub fn on_gone(&mut self, listener: impl FnMut(&mut Context<'_>, &str) + Send + 'static) -> &mut Self {
        self.gone.push(Box::new(listener));
        self
    }

    /// Calls `listener` for each socket that was away and is another hub's from now on: its client has come to that
    /// one. The context is of no socket.
    pub fn on_moved(&mut self, listener: impl FnMut(&mut Context<'_>, &str) + Send + 'static) -> &mut Self {
        self.moved.push(Box::new(listener));
        self
    }

    /// Calls `listener` for each kept event of one of these names, in the order of the log, from whichever hub it is.
    /// What a program makes of them is the same at every hub. The context is of no socket.
    pub fn on_kept(
        &mut self,
        names: &[&str],
        listener: impl FnMut(&mut Context<'_>, &PastEvent) + Send + 'static,
    ) -> &mut Self {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        self.kept.push((names, Box::new(listener)));
        self
    }

    /// Calls `listener` for each event of this name that a client sends.
    ///
    /// # Errors
    /// [`PoolFull`].
    pub fn listen(
        &mut self,
        event: &str,
        mut listener: impl FnMut(&mut Context<'_>, &[Value], &Ack) + Send + 'static,
    ) -> Result<ListenerId, PoolFull> {
        self.events.on(event, move |_, lent, heard| {
            let mut cx = lent.context(heard.socket, heard.space);
            listener(&mut cx, &heard.args, &heard.ack);
        })
    }

    /// Like [`listen`](Namespace::listen), for programs that are written as one chain and have a handful of listeners.
    ///
    /// # Panics
    /// When there are `Pool::MAX_LISTENERS` already.
    pub fn on(
        &mut self,
        event: &str,
        listener: impl FnMut(&mut Context<'_>, &[Value], &Ack) + Send + 'static,
    ) -> &mut Self {
        let added = self.listen(event, listener);
        assert!(added.is_ok(), "{}", PoolFull);
        self
    }

    /// Removes a listener. False when there was none with this id.
    pub fn off(&mut self, event: &str, id: ListenerId) -> bool {
        self.events.off(event, id)
    }
}

impl Refusal {
    /// With a message for people.
    pub fn new(message: impl Into<String>) -> Self {
        Refusal { message: message.into(), data: None }
    }

    /// And with data for programs.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// As an event is answered: in the one shape that all refusals have, a flood's and a program's.
    pub(super) fn to_answer(&self) -> Value {
        let said = [("ok".to_owned(), false.into()), ("error".to_owned(), self.message.as_str().into())];
        let more = match self.data.clone() {
            Some(Value::Object(members)) => members,
            Some(other) => vec![("data".to_owned(), other)],
            None => Vec::new(),
        };
        Value::Object(said.into_iter().chain(more).collect())
    }

    /// As a CONNECT is refused.
    pub(super) fn to_value(&self) -> Value {
        let message = ("message".to_owned(), self.message.as_str().into());
        let data = self.data.clone().map(|data| ("data".to_owned(), data));
        Value::Object(std::iter::once(message).chain(data).collect())
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namespace").field("events", &self.events).finish_non_exhaustive()
    }
}
