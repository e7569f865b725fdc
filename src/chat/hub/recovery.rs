//! Recovery: whether a returning client is the one that left, and what it has missed.
//!
//! Upon CONNECT a client gets a secret, its `pid`. When its connection breaks, its socket is *away*: out of its rooms'
//! lists, yet remembered with them. A client that comes back within the window with its secret and the offset of the
//! last event it got becomes the same socket again, and [catches up](super::emit) from the log.
//!
//! **From where.** With no offset, from the moment it first connected: it has received nothing. With an offset, from
//! there. One below what the client is *known* to have received is not this client's: refused.
//!
//! **What a stolen secret is worth.** Socket.IO's client says `recovered` only when the reply repeats the `pid`
//! it sent, so the secret itself cannot change in between. What is spent is the pair of secret and offset, as soon as
//! the client is known to have received something newer. That is soon: a client that returned is pinged when something
//! newer is sent, and two pongs prove that it arrived. And a newer offset cannot be guessed, see `offset.rs`.
//!
//! | the secret's holder | the newcomer that presents it |
//! |---|---|
//! | is away | gets the socket back, unless its offset is below what the holder is known to have received, or was not written here |
//! | is connected, and answers a ping | is another client: gets a socket of its own |
//! | is connected, and its connection ends while we wait | gets the socket back: the end of the old connection was in flight |
//! | is connected, silent, and did not come back with the same offset, or was sent nothing since it did | gets the socket back: the old connection is half-open |
//! | is connected, silent, came back with the same secret and offset, and was sent more since | is another client: this pair is spent |
//!
//! The last row has a price, and its case is rare: what was replayed is lost, *and* no end of that connection ever
//! reached us (its address changed again). Then the client is not locked out, but starts over, and asks the program for
//! what came since its offset.
//!
//! What a thief can still do, for a stock client has nothing else to show than its pair:
//!
//! - come first: the pair of a client that is away is believed, and that client starts over;
//! - use a pair a second time, after its owner came back with it and broke off again before anything newer had reached
//!   it, or before the two pongs had;
//! - learn newer offsets in the namespace itself: a broadcast is sent to all in the same bytes, so every client that
//!   may enter and gets the same events has the same offsets. Then only the secret distinguishes the two.
//!
//! So a secret is only as good as it is kept, and so are TLS and a login in the namespace's gate, which is asked on
//! every return.
//!
//! What Socket.IO leaves open and this does not: nothing was received before the break (no offset); the last event
//! before it was volatile (see the offset of such events in `emit.rs`); the old connection is half-open, also a second
//! time; and the server itself ended in between (the [`Saved`] sockets).
//!
//! **When several hubs are one.** The client may come to another hub than the one that it was at. That hub does not
//! know the secret, claims it from the one that does ([`Sessions`](super::super::sessions::Sessions)), and waits; the
//! other one decides by the same table, lets the socket go, and has forgotten it. A hub that was given a socket first
//! gets to where the log was when that socket broke off, then takes it back as one of its own: replayed up to where it
//! is, live from there. The gates are asked once it is known which client it is.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::super::sessions::{Handover, Notice, Saved};
use super::ask::Asking;
use super::away::Away;
use super::key::Key;
use super::membership::Memberships;
use super::state::{Call, Core, Mark, NamespaceSocket, Timer, TimerId};
use super::{Output, Reason};
use crate::base::{Duration, Instant};
use crate::layers::application::socketio::Value;

/// The secret of a connected socket was presented by a newcomer.
#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) holder: Key,
    pub(super) newcomer: Newcomer,
    pub(super) space: usize,
    pub(super) claim: Claim,
    pub(super) timer: TimerId,
}

/// Where the newcomer is that presented a secret.
#[derive(Debug)]
pub(super) enum Newcomer {
    /// A session of this hub, with its CONNECT's payload.
    Here { session: Key, auth: Value },
    /// At another hub, which has asked.
    Elsewhere { question: u64 },
}

/// A CONNECT that cannot be decided on yet.
#[derive(Debug)]
pub(super) struct Arriving {
    pub(super) session: Key,
    pub(super) space: usize,
    pub(super) auth: Value,
    /// What it waits for: the other hubs, or that this one gets to an offset.
    pub(super) until: Option<u64>,
    pub(super) timer: TimerId,
}

/// How long other hubs may take to say whether they have a socket: longer than a slow client has to prove that it
/// lives.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(15);

/// What a CONNECT says of a former connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) pid: Arc<str>,
    /// The last offset that was received, if any was.
    pub(super) offset: Option<u64>,
}

/// What is to be done with a CONNECT.
pub(super) enum Verdict {
    /// A new socket, with no past.
    Fresh,
    /// The former one, from this offset.
    Restore(Box<Away>, Claim, u64),
    /// It is not known yet.
    Wait,
}

impl Core {
    /// The claim in a CONNECT's payload; none when there is no secret, or an offset that was not written here.
    pub(super) fn claim(&self, space: usize, auth: &Value) -> Option<Claim> {
        self.config.recovery?;
        let pid = auth.get("pid")?.as_str()?.into();
        let offset = match auth.get("offset") {
            None | Some(Value::Null) => None,
            Some(offset) => Some(self.seals.read(&self.spaces[space].name, offset.as_str()?)?),
        };
        Some(Claim { pid, offset })
    }

    /// Whether a CONNECT has to wait before it can be decided on: its secret may be another hub's, or its socket is
    /// ahead of this hub. `has_asked` when the other hubs have answered.
    pub(super) fn has_to_wait(&mut self, session: Key, space: usize, auth: &Value, has_asked: bool) -> bool {
        let Some(claim) = self.claim(space, auth) else { return false };
        let place = &self.spaces[space];
        let until = match place.away.get(&claim.pid) {
            Some(away) => {
                let until = away.end.max(claim.offset.unwrap_or(0));
                if until <= place.end || !self.log.is_shared() {
                    return false;
                }
                Some(until)
            }
            None if has_asked || place.holders.contains_key(&claim.pid) => return false,
            None => None,
        };
        let id = self.number();
        let namespace = self.spaces[space].name.clone();
        if until.is_none() && !self.recoverable.claim(id, &namespace, &claim.pid, claim.offset) {
            return false;
        }
        let timer = self.set_timer(self.now + CLAIM_TIMEOUT, Timer::Claim(id));
        self.arriving.insert(id, Arriving { session, space, auth: auth.clone(), until, timer });
        self.sessions.get_mut(session).into_iter().for_each(|session| session.pending.push(id));
        true
    }

    /// Takes a CONNECT that waited out of the list.
    pub(super) fn arrived(&mut self, id: u64) -> Option<Arriving> {
        let arriving = self.arriving.remove(&id)?;
        self.timers.remove(&arriving.timer);
        let session = self.sessions.get_mut(arriving.session)?;
        session.pending.retain(|&pending| pending != id);
        Some(arriving)
    }

    /// CONNECTs that waited for this hub to get as far as it has.
    pub(super) fn caught_up(&self) -> Vec<u64> {
        let is_there = |arriving: &Arriving| {
            arriving.until.is_some_and(|until| until <= self.spaces[arriving.space].end)
        };
        self.arriving.iter().filter(|(_, arriving)| is_there(arriving)).map(|(id, _)| *id).collect()
    }

    /// Takes in the other hubs' questions and answers; returns the claims that are answered.
    pub(super) fn take_notices(&mut self) -> Vec<u64> {
        let mut answered = Vec::new();
        while let Some(notice) = self.recoverable.notice(self.now) {
            match notice {
                Notice::Answered { claim, namespace, saved } => {
                    let space = self.spaces.iter().position(|space| space.name == namespace);
                    if let Some((space, saved)) = space.zip(saved) {
                        let data = Value::from_json(&saved.data).unwrap_or_default();
                        self.put_away(space, &saved, data, Instant::ZERO);
                    }
                    answered.push(claim);
                }
                Notice::Asked { question, namespace, pid, offset } => {
                    match self.spaces.iter().position(|space| space.name == namespace) {
                        Some(space) => self.asked_for(space, &Claim { pid, offset }, question),
                        None => self.recoverable.answer(question, Handover::Unknown),
                    }
                }
            }
        }
        answered
    }

    /// A secret of this hub's was presented to another hub.
    fn asked_for(&mut self, space: usize, claim: &Claim, question: u64) {
        if self.spaces[space].away.get(&claim.pid).is_some() {
            return self.hand_over(space, &claim.pid, question);
        }
        if !self.spaces[space].holders.contains_key(&claim.pid) {
            return self.recoverable.answer(question, Handover::Unknown);
        }
        self.stand_back(space, &claim.pid);
        // A newcomer at this hub that still waits is settled first: the newest connection of a client counts.
        let holder = self.spaces[space].holders.get(&claim.pid).copied();
        if let Some(holder) = holder.and_then(|holder| self.sockets.get_mut(holder))
            && let Some(challenge) = holder.challenge.take()
        {
            self.calls.push_back(Call::Settled { challenge, newcomer: false });
        }
        if !self.challenge(space, claim, None, || Newcomer::Elsewhere { question }) {
            self.recoverable.answer(question, Handover::Kept);
        }
    }

    /// Lets another hub have a socket that is away.
    pub(super) fn hand_over(&mut self, space: usize, pid: &str, question: u64) {
        let away = self.spaces[space].away.remove(pid);
        if let Some(away) = &away {
            self.timers.remove(&away.timer);
            self.calls.push_back(Call::Moved(space, away.id.clone()));
        }
        let answer = away.map_or(Handover::Unknown, |away| Handover::Given(away.saved()));
        self.recoverable.answer(question, answer);
    }

    /// A client presents a secret for which another hub has asked: the newest counts, because the same client has
    /// gone on from there.
    fn stand_back(&mut self, space: usize, pid: &str) {
        let holder = self.spaces[space].holders.get(pid).copied();
        let Some(id) = holder.and_then(|holder| self.sockets.get(holder)?.challenge) else { return };
        let Some(Challenge { holder, timer, newcomer: Newcomer::Elsewhere { question }, .. }) =
            self.challenges.get(&id)
        else {
            return;
        };
        self.recoverable.answer(*question, Handover::Kept);
        self.timers.remove(timer);
        self.sockets.get_mut(*holder).into_iter().for_each(|holder| holder.challenge = None);
        self.challenges.remove(&id);
    }

    /// Decides about a CONNECT; a challenge is begun when the holder of the secret seems to be connected.
    pub(super) fn judge(&mut self, session: Key, space: usize, auth: &Value) -> Verdict {
        let Some(claim) = self.claim(space, auth) else { return Verdict::Fresh };
        if self.spaces[space].away.get(&claim.pid).is_some() {
            return self.take_back(space, claim);
        }
        self.stand_back(space, &claim.pid);
        let here = || Newcomer::Here { session, auth: auth.clone() };
        if self.challenge(space, &claim, Some(session), here) { Verdict::Wait } else { Verdict::Fresh }
    }

    /// Pings the holder of a secret. False when there is nothing to ask: the newcomer is another client.
    fn challenge(
        &mut self,
        space: usize,
        claim: &Claim,
        session: Option<Key>,
        newcomer: impl FnOnce() -> Newcomer,
    ) -> bool {
        let Some(recovery) = self.config.recovery else { return false };
        let holder = self.spaces[space].holders.get(&claim.pid).copied();
        let Some((holder, socket)) = holder.and_then(|key| Some((key, self.sockets.get(key)?))) else {
            return false;
        };
        let is_stale = claim.offset.unwrap_or(socket.start) < socket.confirmed;
        let Some(old) = self.sessions.get(socket.session) else { return false };
        if is_stale || socket.challenge.is_some() || Some(socket.session) == session {
            return false;
        }
        let wait = recovery.patience(old.round_trip);
        self.outbox.push(Output::Probe(old.id));
        let id = self.number();
        let timer = self.set_timer(self.now + wait, Timer::Probe(id));
        let (newcomer, claim) = (newcomer(), claim.clone());
        self.challenges.insert(id, Challenge { holder, newcomer, space, claim, timer });
        self.sockets.get_mut(holder).into_iter().for_each(|socket| socket.challenge = Some(id));
        let session = session.and_then(|session| self.sessions.get_mut(session));
        session.into_iter().for_each(|session| session.pending.push(id));
        true
    }

    /// The public id of the socket, away or connected, that this is the secret of.
    pub(super) fn id_of(&self, space: usize, pid: &str) -> Option<Arc<str>> {
        let space = &self.spaces[space];
        let away = space.away.get(pid).map(|away| &away.id);
        away.or_else(|| Some(&self.socket(*space.holders.get(pid)?)?.id)).cloned()
    }

    /// The socket that is away under this secret, when nothing it missed has been dropped.
    pub(super) fn take_back(&mut self, space: usize, claim: Claim) -> Verdict {
        let place = &mut self.spaces[space];
        let Some(away) = place.away.get(&claim.pid) else { return Verdict::Fresh };
        let after = claim.offset.unwrap_or(away.start);
        let horizon = self.log.horizon(&place.name);
        if after < away.confirmed || after < horizon || after > place.end {
            return Verdict::Fresh;
        }
        let limit = self.config.recovery.map_or(0, |recovery| recovery.fruitless_returns);
        if away.in_vain.0 == claim.offset && away.in_vain.1 >= limit {
            self.give_up(space, &claim.pid);
            return Verdict::Fresh;
        }
        let Some(away) = place.away.remove(&claim.pid) else { return Verdict::Fresh };
        self.timers.remove(&away.timer);
        Verdict::Restore(Box::new(away), claim, after)
    }

    /// The time for the holder's pong is over: half-open if it was silent, unless this pair of secret and offset is
    /// spent. False when the newcomer is known to be another client.
    pub(super) fn probe_is_over(&mut self, id: u64) -> bool {
        let Some(challenge) = self.challenges.get(&id) else { return false };
        let Some(holder) = self.sockets.get(challenge.holder) else { return true };
        // A busy connection is not a dead one: its pong may come after what it has sent before.
        let open = self.config.recovery.zip(self.sessions.get(holder.session));
        let until = open.map(|(recovery, open)| open.heard_at + recovery.patience(open.round_trip));
        if let Some(until) = until.filter(|&until| until > self.now) {
            let timer = self.set_timer(until, Timer::Probe(id));
            self.challenges.get_mut(&id).into_iter().for_each(|challenge| challenge.timer = timer);
            return true;
        }
        // A client that was sent nothing since it came back has no other offset to come with.
        let after = challenge.claim.offset.unwrap_or(holder.start);
        if holder.came_with == Some(challenge.claim.offset) && holder.last_sent > after {
            return false;
        }
        let session = holder.session;
        // Once it has left, the challenge is settled.
        self.close(session, Reason::Superseded);
        true
    }

    /// A session has shown life: what was sent before it last did so has been received.
    pub(super) fn alive(&mut self, session: Key) -> Vec<u64> {
        let (pushed, popped) = (self.outbox.pushed(), self.outbox.popped());
        let mut answered = Vec::new();
        let sockets = self.sessions.get(session).map(|session| session.sockets.clone()).unwrap_or_default();
        for key in sockets {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            answered.extend(socket.challenge.take());
            let is_news = socket.mark.has_left && socket.mark.offset > socket.confirmed;
            if socket.mark.has_left {
                socket.confirmed = socket.confirmed.max(socket.mark.offset);
                socket.rooms.forget(socket.confirmed);
                socket.mark.offset = socket.last_sent;
                socket.mark.pushed = pushed;
            }
            socket.mark.has_left = socket.mark.pushed <= popped;
            if socket.owes_proof() {
                self.ask_for_proof(key);
            }
            if is_news {
                // A crash forgets nothing of it: what is spent stays spent.
                self.touch(key);
            }
        }
        answered
    }

    /// Asks a client that came back for the pongs which prove that it has got something newer than it came with. Its
    /// heartbeat would bring them too, but may take a minute, and as long the pair it came with could be used again.
    pub(super) fn ask_for_proof(&mut self, key: Key) {
        let session = self.sockets.get(key).and_then(|socket| self.sessions.get(socket.session));
        let probe = session.map(|session| Output::Probe(session.id));
        probe.into_iter().for_each(|probe| self.outbox.push(probe));
    }

    /// Remembers a socket that broke off, as far as there is room.
    pub(super) fn put_away(&mut self, space: usize, saved: &Saved, data: Value, spent_until: Instant) {
        self.put_away_after(space, saved, data, spent_until, (None, 0));
    }

    /// The same, and how often it came back in vain.
    pub(super) fn put_away_after(
        &mut self,
        space: usize,
        saved: &Saved,
        data: Value,
        spent_until: Instant,
        in_vain: (Option<u64>, u32),
    ) {
        let Some(recovery) = self.config.recovery else { return };
        let now_ms = self.now_ms();
        let left_ms = saved.left_ms.unwrap_or(now_ms);
        let passed = Duration::from_nanos(now_ms.saturating_sub(left_ms).saturating_mul(1_000_000));
        let at = self.now + recovery.window.saturating_sub(passed);
        let timer = self.set_timer(at, Timer::Away(space, saved.pid.clone()));
        let away = Away {
            id: saved.sid.clone(),
            pid: saved.pid.clone(),
            rooms: Memberships::restore(saved.rooms.clone()),
            start: saved.start,
            confirmed: saved.confirmed,
            data,
            spent_until,
            timer,
            end: saved.end,
            left_ms,
            origin: saved.origin.clone(),
            in_vain,
        };
        self.spaces[space].away.insert(away, saved.cost());
        while let Some(pid) = self.spaces[space].away.too_much(&recovery) {
            self.give_up(space, &pid);
        }
    }

    /// Forgets a socket that did not come back.
    pub(super) fn give_up(&mut self, space: usize, pid: &Arc<str>) {
        let place = &mut self.spaces[space];
        if let Some(away) = place.away.remove(pid) {
            self.timers.remove(&away.timer);
            self.recoverable.remove(&place.name, pid);
            self.calls.push_back(Call::Gone(space, away.id));
        }
    }
}

impl Away {
    /// The socket as it was, on a new session.
    pub(super) fn restored(
        self,
        session: Key,
        space: usize,
        offset: Option<u64>,
        after: u64,
    ) -> NamespaceSocket {
        NamespaceSocket {
            rooms: self.rooms,
            start: self.start,
            last_sent: after,
            mark: Mark::at(after),
            confirmed: self.confirmed.max(offset.unwrap_or(0)),
            behind: Some(after),
            came_with: Some(offset),
            in_vain: if self.in_vain.0 == offset { self.in_vain.1 } else { 0 },
            data: self.data,
            spent_until: self.spent_until,
            ..NamespaceSocket::fresh(session, space, self.id, self.pid, self.start)
        }
    }
}

impl Mark {
    /// An offset that was sent long ago.
    fn at(offset: u64) -> Mark {
        Mark { offset, pushed: 0, has_left: true }
    }
}

impl NamespaceSocket {
    /// The offset it returned with, and how many returns in a row brought it no further, this one included.
    pub(super) fn returns_in_vain(&self) -> (Option<u64>, u32) {
        (self.came_with.flatten(), if self.owes_proof() { self.in_vain + 1 } else { 0 })
    }

    /// Whether it was sent something newer than it came back with, and is not known yet to have got it.
    pub(super) fn owes_proof(&self) -> bool {
        let after = self.came_with.map(|offset| offset.unwrap_or(self.start));
        after.is_some_and(|after| self.confirmed <= after && after < self.last_sent)
    }

    /// A socket that has just connected.
    pub(super) fn fresh(session: Key, space: usize, id: Arc<str>, pid: Arc<str>, start: u64) -> Self {
        NamespaceSocket {
            session,
            space,
            id,
            origin: None,
            pid,
            rooms: Memberships::default(),
            start,
            last_sent: start,
            mark: Mark::at(start),
            confirmed: start,
            behind: None,
            held: VecDeque::new(),
            held_bytes: 0,
            came_with: None,
            in_vain: 0,
            challenge: None,
            asks: BTreeSet::new(),
            asking: Asking::default(),
            data: Value::Null,
            spent_until: Instant::ZERO,
            gone: false,
            dirty: false,
        }
    }
}
