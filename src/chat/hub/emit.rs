//! Sending to many: who gets it, what is kept of it, and one encoding for all.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha1::{Digest as _, Sha1};

use super::super::delivery::Delivery;
use super::super::log::Record;
use super::key::Key;
use super::rooms::Aim;
use super::state::{Core, NamespaceSocket, Session, Timer};
use super::{Output, Reason};
use crate::base::Duration;
use crate::layers::application::socketio::{Encoded, Packet, Value};

/// What became of an event that was emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Emitted {
    /// Its offset in the namespace's log, when it is kept there.
    pub offset: Option<u64>,
    /// How many connected sockets it was handed out to. Those who are away, or still catching up, get it from the log.
    pub receivers: usize,
    /// Its sender's id was known: it had its effect before, at this offset, and was not sent again.
    pub is_duplicate: bool,
}

/// How often old events are looked for, while there are any.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// How many events are read from the log at a time.
const PAGE: usize = 256;

impl Core {
    /// Sends an event to everyone at whom it is aimed, and keeps it as promised.
    pub(super) fn emit(
        &mut self,
        space: usize,
        aim: Aim,
        delivery: Delivery,
        sender_id: Option<Arc<str>>,
        name: &str,
        mut args: Vec<Value>,
    ) -> Emitted {
        let sender_id = sender_id.map(short_id);
        let (at_ms, sender_ids, recovery) = (self.now_ms(), self.config.sender_ids, self.config.recovery);
        let place = &mut self.spaces[space];
        if let Some(offset) = sender_id.as_ref().and_then(|id| place.sender_ids.offset(id)) {
            return Emitted { offset: Some(offset).filter(|&o| o > 0), receivers: 0, is_duplicate: true };
        }
        let logged = recovery.is_some() && delivery == Delivery::Logged;
        let offset = place.end + u64::from(logged);
        if recovery.is_some() {
            // Clients take the last string of every event for its offset. An event that is not kept carries the offset
            // of the last one that is: else a client would come back with a word of that event in place of its offset.
            args.push(self.seals.write(&place.name, offset).into());
        }
        let wire = Packet::event(&*place.name, name, args).encode();
        if let Some(id) = &sender_id {
            place.sender_ids.add(id.clone(), if logged { offset } else { 0 }, sender_ids);
        }
        place.rooms.select(&aim, &mut self.chosen);
        if logged {
            place.end = offset;
            let Aim { to, except } = aim;
            let record = Record { offset, at_ms, to, except, sender_id, wire: wire.clone() };
            self.log.append(&place.name, &Arc::new(record));
            self.forget_later();
        }
        let receivers = self.deliver(wire, delivery, offset);
        Emitted { offset: logged.then_some(offset), receivers, is_duplicate: false }
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
        for &slot in &self.chosen {
            let slot = slot as usize;
            let Some(socket) = self.sockets.at_mut(slot) else { continue };
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
                    owing.push(slot);
                }
            } else if delivery != Delivery::Volatile {
                slow.push(socket.session);
            }
        }
        let receivers = to.len();
        if receivers > 0 {
            self.outbox.push(Output::Send { to, packet });
        }
        for key in owing.into_iter().filter_map(|slot| self.sockets.key_at(slot)).collect::<Vec<_>>() {
            self.ask_for_proof(key);
        }
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
            let page = if after < space.end { self.log.page(&space.name, after, PAGE) } else { Vec::new() };
            let whole = self.log.horizon(&space.name) <= after;
            let Some(session) = self.sessions.get_mut(socket.session) else { return };
            if after >= space.end {
                self.sockets.get_mut(key).into_iter().for_each(|socket| socket.behind = None);
                return;
            }
            if !whole || page.is_empty() {
                // What it still has to get has been dropped in the meantime: it could only go on with a gap.
                let session = socket.session;
                return self.close(session, Reason::SlowReader);
            }
            for record in page {
                if session.queued >= recovery.replay_bytes {
                    return;
                }
                let Some(socket) = self.sockets.get_mut(key) else { return };
                socket.behind = Some(record.offset);
                if socket.rooms.entitle(&socket.id, &record) {
                    socket.last_sent = record.offset;
                    session.queued += record.wire.len();
                    let (to, packet) = (vec![session.id], record.wire.clone());
                    self.outbox.push(Output::Send { to, packet });
                }
            }
        }
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

/// Whether so many bytes more may wait for the session.
pub(super) fn has_room(session: &Session, bytes: usize, limit: usize) -> bool {
    session.queued == 0 || session.queued + bytes <= limit
}
