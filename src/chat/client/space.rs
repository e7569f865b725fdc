//! One namespace, seen from a client: whether it is in, what waits to be said there, and which answers are awaited.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::delivery::Retry;
use super::super::offset::offset_number;
use super::{Config, EmitError, EmitId, Offset};
use crate::base::{Duration, Instant};
use crate::layers::application::socketio::{Encoded, Kind, Packet, Value};

/// A namespace that the client has something to do with.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) name: Arc<str>,
    /// The credentials it gives with every CONNECT.
    pub(super) auth: Option<Value>,
    pub(super) standing: Standing,
    /// The secret and the last offset, by which it comes back.
    pid: Option<Arc<str>>,
    offset: Option<Arc<str>>,
    /// What waits to be sent, and what was sent and is kept until it is acknowledged; one queue, so that everything
    /// keeps the order in which it was said.
    waiting: Retry<Emit>,
    waiting_bytes: usize,
    asks: BTreeMap<EmitId, Ask>,
    /// The queue waits until the program resumes it.
    pub(super) held: bool,
    /// It was let in before.
    pub(super) has_been_inside: bool,
}

/// The state of a namespace, as its client knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// To be entered as soon as there is a connection.
    Wanted,
    /// CONNECT is sent; the answer may take until then.
    Asked(Instant),
    /// The server has let it in.
    Inside,
    /// Refused, put out, or left: only the user's next [`join`](super::Client::join) changes that.
    Outside,
}

/// An event on its way out.
#[derive(Debug)]
struct Emit {
    id: Option<EmitId>,
    packet: Encoded,
    /// It stays in the queue until it is acknowledged.
    stays: bool,
}

/// An answer that is awaited.
#[derive(Debug)]
struct Ask {
    deadline: Instant,
    /// The number of the event in the queue, while it is there.
    waiting: Option<u64>,
}

/// What is to be known about an event before it is queued.
pub(super) struct Order<'a> {
    pub(super) name: &'a str,
    pub(super) args: Vec<Value>,
    /// Present when an answer is wanted, with how long it may take.
    pub(super) ask: Option<(EmitId, Instant)>,
    pub(super) stays: bool,
}

impl Space {
    pub(super) fn new(name: &str, auth: Option<Value>, config: &Config) -> Self {
        Space {
            name: name.into(),
            auth,
            standing: Standing::Wanted,
            pid: None,
            offset: None,
            // TCP repeats what is lost on a connection. What is lost *with* it is due again upon the next.
            waiting: Retry::new(config.buffer_events, Duration::MAX),
            waiting_bytes: 0,
            asks: BTreeMap::new(),
            held: false,
            has_been_inside: false,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.standing != Standing::Outside
    }

    /// How many of its events wait for an acknowledgement, or to be sent.
    pub(super) fn unsettled(&self) -> usize {
        self.waiting.len()
    }

    /// Asks to be let in, with these credentials from now on. A secret is kept: it may still open the door.
    pub(super) fn want(&mut self, auth: Option<Value>) {
        self.auth = auth;
        self.standing = Standing::Wanted;
    }

    /// The packet that asks to be let in. Stock clients put the secret and the offset before the user's credentials.
    pub(super) fn connect(&mut self, until: Instant) -> Packet {
        self.standing = Standing::Asked(until);
        let mut members = Vec::new();
        if let Some(pid) = &self.pid {
            members.push(("pid".to_owned(), Value::from(&**pid)));
            members.extend(self.offset.as_ref().map(|offset| ("offset".to_owned(), Value::from(&**offset))));
        }
        if let Some(Value::Object(auth)) = &self.auth {
            members.extend(auth.iter().cloned());
        }
        let auth = if members.is_empty() { None } else { Some(Value::Object(members)) };
        Packet::new(&*self.name, Kind::Connect(auth))
    }

    /// It was let in; whether as the one it was before.
    pub(super) fn entered(&mut self, pid: Option<&str>) -> bool {
        self.standing = Standing::Inside;
        self.has_been_inside = true;
        let recovered = pid.is_some() && self.pid.as_deref() == pid;
        if !recovered {
            // A new socket now: an offset of the old one would be refused.
            self.pid = pid.map(Arc::from);
            self.offset = None;
        }
        recovered
    }

    /// Takes the offset off an event. A server that can recover connections appends it to the arguments, and stock
    /// clients take any last string for one. Ours are recognised: another string is left where it is, for it may be an
    /// argument of an event that is kept nowhere.
    pub(super) fn offset(&mut self, args: &mut Vec<Value>) -> Option<Offset> {
        self.pid.as_ref()?;
        let last = args.last()?.as_str()?;
        let text: Arc<str> = last.into();
        self.offset = Some(text.clone());
        offset_number(last)?;
        args.pop();
        Some(Offset(text))
    }

    /// Appends an event to the queue. While the queue is held, returns the packet of one that need not be kept for a
    /// retry.
    pub(super) fn queue(&mut self, order: Order<'_>, config: &Config) -> Result<Option<Encoded>, EmitError> {
        let Order { name, args, ask, stays } = order;
        let ack = ask.map(|(id, _)| id.0);
        let packet = Packet::new(&*self.name, Kind::Event { name: name.to_owned(), args, ack }).encode();
        let bytes = packet.len();
        if self.waiting_bytes + bytes > config.buffer_bytes || self.asks.len() >= config.buffer_events {
            return Err(EmitError::Full);
        }
        let id = ask.map(|(id, _)| id);
        if self.held && !stays {
            self.asks.extend(ask.map(|(id, deadline)| (id, Ask { deadline, waiting: None })));
            return Ok(Some(packet));
        }
        let number = self.waiting.push(Emit { id, packet, stays }).map_err(|_| EmitError::Full)?;
        self.waiting_bytes += bytes;
        if let Some((id, deadline)) = ask {
            self.asks.insert(id, Ask { deadline, waiting: Some(number) });
        }
        Ok(None)
    }

    /// The next event to send now, with its id.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Option<EmitId>, Encoded)> {
        if self.held || self.standing != Standing::Inside {
            return None;
        }
        let (number, emit) = self.waiting.due(now)?;
        let (id, packet, stays) = (emit.id, emit.packet.clone(), emit.stays);
        if !stays {
            self.strike(number, packet.len());
            id.and_then(|id| self.asks.get_mut(&id)).into_iter().for_each(|ask| ask.waiting = None);
        }
        Some((id, packet))
    }

    fn strike(&mut self, number: u64, bytes: usize) {
        if self.waiting.acknowledged(number) {
            self.waiting_bytes -= bytes;
        }
    }

    /// An answer came, or its time is over: the event need not be sent again. False when no answer was awaited.
    pub(super) fn settle(&mut self, id: EmitId) -> bool {
        let Some(ask) = self.asks.remove(&id) else { return false };
        if let Some(number) = ask.waiting {
            let bytes = self.waiting.get(number).map_or(0, |emit| emit.packet.len());
            self.strike(number, bytes);
        }
        true
    }

    /// The connection is over. Questions that were sent, and are not kept, will not be answered: their ids.
    pub(super) fn lost(&mut self) -> Vec<EmitId> {
        if self.is_active() {
            self.standing = Standing::Wanted;
        }
        self.held = false;
        self.waiting.reconnected();
        let lost: Vec<EmitId> =
            self.asks.iter().filter(|(_, ask)| ask.waiting.is_none()).map(|(id, _)| *id).collect();
        lost.iter().for_each(|id| {
            self.asks.remove(id);
        });
        lost
    }

    /// It leaves for good: nothing of it is kept. The ids of the questions that will not be answered.
    pub(super) fn forget(&mut self, config: &Config) -> Vec<EmitId> {
        let asks = std::mem::take(&mut self.asks).into_keys().collect();
        let (name, auth) = (self.name.clone(), self.auth.take());
        *self = Space { standing: Standing::Outside, ..Space::new(&name, auth, config) };
        asks
    }

    /// Questions whose deadline has passed.
    pub(super) fn overdue(&self, now: Instant) -> Vec<EmitId> {
        self.asks.iter().filter(|(_, ask)| ask.deadline <= now).map(|(id, _)| *id).collect()
    }

    /// When something here will have taken too long.
    pub(super) fn due(&self) -> Instant {
        let asked = if let Standing::Asked(until) = self.standing { until } else { Instant::NEVER };
        self.asks.values().map(|ask| ask.deadline).min().unwrap_or(Instant::NEVER).min(asked)
    }
}
