//! Sending to many: the receivers, what is kept, and one encoding for all.
//!
//! An event that is to be kept is proposed to the log, and delivered when the log hands it back as committed, in its
//! order: at once when the log is this program's own, later when others write to it too. Either way it is
//! handed out here, so what a socket sees is the log, from whichever hub an event came.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha1::{Digest as _, Sha1};

use super::super::delivery::Delivery;
use super::super::log::{Commit, Draft, Outcome, Stamp, Token};
use super::key::Key;
use super::rooms::Aim;
use super::state::{Call, Core, NamespaceSocket, Session, Timer};
use super::{Output, Reason};
use crate::base::Duration;
use crate::layers::application::socketio::{Encoded, Packet, Value};

/// What became of an event that was emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Emitted {
    /// Its offset in the namespace's log, when it is kept there and the log has committed it.
    pub offset: Option<u64>,
    /// How many connected sockets it was handed out to. Sockets that are away, or still catching up, get it from the
    /// log.
    pub receivers: usize,
    /// Its sender's id was known: it had its effect before, at this offset, and was not sent again.
    pub is_duplicate: bool,
    /// The log has not decided: see [`Broadcast::then`](super::Broadcast::then).
    pub is_pending: bool,
}

/// An event that is being addressed.
pub(super) struct Event<'a> {
    pub(super) aim: Aim,
    pub(super) delivery: Delivery,
    pub(super) sender_id: Option<Arc<str>>,
    pub(super) stamps: &'a [(&'a str, Stamp)],
    pub(super) name: &'a str,
    pub(super) args: Vec<Value>,
    /// The number under which the program waits for the outcome.
    pub(super) promise: Option<u64>,
}

/// An event that was proposed to the log.
#[derive(Debug)]
pub(super) struct Proposal {
    space: usize,
    /// The socket that sent it, and its session.
    socket: Key,
    session: Option<Key>,
    promise: Option<u64>,
}

/// How often old events are looked for, while there are any.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// How many events are read from the log at a time.
const PAGE: usize = 256;

impl Core {
    /// Sends an event to everyone it is addressed to, and keeps it as promised.
    pub(super) fn emit(&mut self, space: usize, from: Key, event: Event<'_>) -> Emitted {
        let attachments: usize = event.args.iter().map(Value::count_binary).sum();
        if attachments > self.config.attachments {
            let (promise, emitted) = (event.promise, Emitted::default());
            let call = |promise| Call::Emitted { promise, socket: from, space, emitted };
            self.calls.extend(promise.map(call));
            return emitted;
        }
        if self.config.recovery.is_some() && event.delivery == Delivery::Logged {
            return self.propose(space, from, event);
        }
        let promise = event.promise;
        let emitted = self.emit_unkept(space, event);
        if let Some(promise) = promise {
            self.calls.push_back(Call::Emitted { promise, socket: from, space, emitted });
        }
        emitted
    }

    fn emit_unkept(&mut self, space: usize, event: Event<'_>) -> Emitted {
        let Event { aim, delivery, sender_id, name, mut args, .. } = event;
        let place = &mut self.spaces[space];
        if let Some(id) = sender_id.map(short_id) {
            if place.unkept_ids.offset(&id).is_some() {
                return Emitted { is_duplicate: true, ..Emitted::default() };
            }
            place.unkept_ids.add(id, 0);
        }
        if self.config.recovery.is_some() {
            // Clients take the last string of every event for its offset. An event that is not kept carries the offset
            // of the last one that is: else a client would come back with a word of that event in place of its offset.
            args.push(self.seals.write(&place.name, place.end).into());
        }
        let wire = Packet::event(&*place.name, name, args).encode();
        place.rooms.select(&aim.to, &aim.except, &mut self.chosen);
        let end = place.end;
        let receivers = self.deliver(wire, delivery, end);
        Emitted { receivers, ..Emitted::default() }
    }

    /// Asks the log for an event. What became of it, if the log is quick.
    fn propose(&mut self, space: usize, socket: Key, event: Event<'_>) -> Emitted {
        let Event { aim, sender_id, stamps, name, args, promise, .. } = event;
        let token = Token(self.number());
        let at_ms = self.now_ms();
        let namespace = &self.spaces[space].name;
        let mut draft = Draft::new(self.seals, namespace, name, &args, stamps);
        (draft.at_ms, draft.to, draft.except) = (at_ms, aim.to, aim.except);
        draft.sender_id = sender_id.map(short_id);
        self.charge_origin(space, socket, draft.cost());
        let namespace = &self.spaces[space].name;
        self.log.propose(namespace, token, draft);
        let session = self.sockets.get(socket).map(|socket| socket.session);
        if let Some(session) = session.and_then(|session| self.sessions.get_mut(session)) {
            session.proposed += 1;
        }
        self.proposals.insert(token, Proposal { space, socket, session, promise });
        let pending = Emitted { is_pending: true, ..Emitted::default() };
        self.take_committed(Some(token)).unwrap_or(pending)
    }

    /// Delivers what the log hands back; what became of this proposal, if it was among it.
    pub(super) fn take_committed(&mut self, wanted: Option<Token>) -> Option<Emitted> {
        let mut found = None;
        while let Some(commit) = self.log.committed(self.now) {
            let token = commit.token;
            let emitted = self.commit(commit);
            if token.is_some() && token == wanted {
                found = Some(emitted);
            }
        }
        self.answer_committed();
        found
    }

    fn commit(&mut self, commit: Commit) -> Emitted {
        let proposal = commit.token.and_then(|token| self.proposals.remove(&token));
        let space = match &proposal {
            Some(proposal) => Some(proposal.space),
            None => self.spaces.iter().position(|space| space.name == commit.namespace),
        };
        let Some(space) = space else { return Emitted::default() };
        let emitted = match commit.outcome {
            Outcome::Duplicate(offset) => {
                Emitted { offset: Some(offset), is_duplicate: true, ..Emitted::default() }
            }
            Outcome::Event(record) => {
                let place = &mut self.spaces[space];
                place.end = record.offset;
                if record.wire.attachments.len() <= self.config.attachments {
                    place.rooms.select(&record.to, &record.except, &mut self.chosen);
                } else {
                    self.chosen.clear();
                }
                let receivers = self.deliver(record.wire.clone(), Delivery::Logged, record.offset);
                self.forget_later();
                let offset = Some(record.offset);
                self.calls.push_back(Call::Kept(space, record));
                Emitted { offset, receivers, ..Emitted::default() }
            }
        };
        if let Some(Proposal { socket, session, promise, .. }) = proposal {
            if let Some(promise) = promise {
                self.calls.push_back(Call::Emitted { promise, socket, space, emitted });
            }
            if let Some(key) = session
                && let Some(session) = self.sessions.get_mut(key)
            {
                session.proposed -= 1;
                if session.proposed == 0 && !session.backlog.is_empty() {
                    self.calls.push_back(Call::Resume(key));
                }
            }
        }
        emitted
    }

    /// Hands one packet out to the chosen sockets.
    fn deliver(&mut self, packet: Encoded, delivery: Delivery, offset: u64) -> usize {
        let bytes = packet.len();
        let limit = match delivery {
            Delivery::Volatile => self.config.volatile_bytes,
            Delivery::AtMostOnce | Delivery::Logged => self.config.queue_bytes,
        };
        let mut to = Vec::with_capacity(self.chosen.len());
        let mut slow = Vec::new();
        let mut owing = Vec::new();
        for &key in &self.chosen {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            // Who catches up gets what is kept from the log, in order; what is not kept would overtake.
            if socket.behind.is_some() {
                continue;
            }
            let Some(session) = self.sessions.get_mut(socket.session) else { continue };
            if has_room(session, bytes, limit) {
                session.queued += bytes;
                to.push(session.id);
                let owed = socket.owes_proof();
                socket.last_sent = offset;
                if !owed && socket.owes_proof() {
                    owing.push(key);
                }
            } else if delivery != Delivery::Volatile {
                slow.push(socket.session);
            }
        }
        let receivers = to.len();
        if receivers > 0 {
            self.outbox.push(Output::Send { to, packet });
        }
        owing.into_iter().for_each(|key| self.ask_for_proof(key));
        slow.into_iter().for_each(|session| self.close(session, Reason::SlowReader));
        receivers
    }

    /// Hands out what a returning socket has missed, as far as there is room for it; the rest when that has been sent.
    ///
    /// It waits until half of the room is free: the log is read in pages, and a page is too much work for one event.
    pub(super) fn catch_up(&mut self, key: Key) {
        let owes = |core: &Core| core.sockets.get(key).is_some_and(NamespaceSocket::owes_proof);
        let owed = owes(self);
        self.replay(key);
        self.release_answers(key);
        if !owed && owes(self) {
            self.ask_for_proof(key);
        }
    }

    fn replay(&mut self, key: Key) {
        let Some(recovery) = self.config.recovery else { return };
        let session = self.sockets.get(key).and_then(|socket| self.sessions.get(socket.session));
        if session.is_none_or(|session| session.queued > recovery.replay_bytes / 2) {
            return;
        }
        while let Some(socket) = self.sockets.get(key).filter(|socket| !socket.gone)
            && let Some(after) = socket.behind
        {
            let space = &self.spaces[socket.space];
            let end = space.end;
            if after >= end {
                self.sockets.get_mut(key).into_iter().for_each(|socket| socket.behind = None);
                return;
            }
            let Some(page) = self.log.page(&space.name, after, PAGE) else {
                self.fetching.push(key);
                return;
            };
            // What this hub was not handed yet comes live.
            let page: Vec<_> = page.into_iter().take_while(|record| record.offset <= end).collect();
            let is_whole = self.log.horizon(&space.name) <= after;
            let key_of_session = socket.session;
            if !is_whole || page.is_empty() {
                // What it still has to get has been dropped in the meantime: it could only go on with a gap.
                return self.close(key_of_session, Reason::SlowReader);
            }
            let Some(session) = self.sessions.get_mut(key_of_session) else { return };
            for record in page {
                if session.queued >= recovery.replay_bytes {
                    return;
                }
                let Some(socket) = self.sockets.get_mut(key) else { return };
                socket.behind = Some(record.offset);
                let can_be_taken = record.wire.attachments.len() <= self.config.attachments;
                if can_be_taken && socket.rooms.entitle(&socket.id, &record) {
                    socket.last_sent = record.offset;
                    session.queued += record.wire.len();
                    let (to, packet) = (vec![session.id], record.wire.clone());
                    self.outbox.push(Output::Send { to, packet });
                }
            }
        }
    }

    /// Goes on with those that waited for what the log has fetched by now.
    pub(super) fn resume_fetched(&mut self) {
        std::mem::take(&mut self.fetching).into_iter().for_each(|key| self.catch_up(key));
    }

    /// Drops what is too old, also when nothing new is said.
    pub(super) fn forget(&mut self) {
        self.will_forget = false;
        let now_ms = self.now_ms();
        self.log.forget(now_ms);
        if self.spaces.iter().any(|space| self.log.horizon(&space.name) < space.end) {
            self.forget_later();
        }
    }

    pub(super) fn forget_later(&mut self) {
        if !std::mem::replace(&mut self.will_forget, true) {
            self.set_timer(self.now + FORGET_EVERY, Timer::Forget);
        }
    }
}

/// An id as it is remembered. Senders choose their ids, and many are kept: a long one is kept as its digest.
fn short_id(id: Arc<str>) -> Arc<str> {
    if id.len() <= 64 { id } else { URL_SAFE_NO_PAD.encode(Sha1::digest(id.as_bytes())).into() }
}

/// Whether `bytes` more may wait for the session.
pub(super) fn has_room(session: &Session, bytes: usize, limit: usize) -> bool {
    session.queued == 0 || session.queued + bytes <= limit
}
