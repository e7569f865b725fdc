//! Entering and leaving: CONNECT, what is due when a timer ends, and the program's functions that are called for it.

use super::config::Rate;
use super::context::Context;
use super::key::Key;
use super::namespace::{Entry, Hello, Refusal};
use super::recovery::Verdict;
use super::state::{Call, NamespaceSocket, Timer};
use super::{Hub, Reason};
use crate::base::{Duration, Instant};
use crate::layers::application::socketio::{Kind, Value};

impl Hub {
    /// A client wants to enter a namespace.
    pub(super) fn connect(&mut self, session: Key, name: &str, space: Option<usize>, auth: Option<Value>) {
        let Some(space) = space else {
            return self.refuse(session, name, &Refusal::new("Invalid namespace"));
        };
        let core = &self.core;
        let is_pending = core.sessions.get(session).is_some_and(|session| {
            session.pending.iter().any(|id| core.challenges.get(id).is_some_and(|c| c.space == space))
        });
        if is_pending || core.socket_in(session, space).is_some() {
            return self.core.close(session, Reason::BadPacket);
        }
        let in_or_waiting = core.sessions.get(session).map_or(0, |s| s.sockets.len() + s.pending.len());
        if in_or_waiting >= core.config.namespaces_per_session {
            return self.refuse(session, name, &Refusal::new("Too many namespaces"));
        }
        let auth = auth.unwrap_or_else(|| Value::Object(Vec::new()));
        // The first is free. Whoever enters, leaves and enters again makes others work.
        if let (Some(rate), now, Some(open)) =
            (core.config.rate, core.now, self.core.sessions.get_mut(session))
            && open.deadline.is_none()
            && let Err(refusal) = charge(&mut open.spent_until, rate, now)
        {
            return self.refuse(session, name, &refusal);
        }
        if let Err(refusal) = self.ask_gates(session, space, &auth) {
            return self.refuse(session, name, &refusal);
        }
        match self.core.judge(session, space, &auth) {
            Verdict::Fresh => self.enter_fresh(session, space, auth),
            Verdict::Restore(away, claim, after) => {
                let socket = away.restored(session, space, claim.offset, after);
                self.enter(socket, &Hello { auth, is_recovered: true });
            }
            Verdict::Wait => {}
        }
    }

    fn ask_gates(&mut self, session: Key, space: usize, auth: &Value) -> Result<(), Refusal> {
        let Some(id) = self.core.sessions.get(session).map(|session| session.id) else { return Ok(()) };
        let sockets = self.core.spaces[space].rooms.len();
        if sockets >= self.core.config.sockets_per_namespace {
            return Err(Refusal::new("Namespace is full"));
        }
        let returning = self.core.claim(space, auth).and_then(|claim| self.core.id_of(space, &claim.pid));
        let entry = Entry { now: self.core.now, session: id, auth, sockets, returning: returning.as_deref() };
        self.programs[space].gates.iter_mut().try_for_each(|gate| gate(&entry))
    }

    fn refuse(&mut self, session: Key, name: &str, refusal: &Refusal) {
        self.core.send(session, name, Kind::ConnectError(refusal.to_value()));
    }

    fn enter_fresh(&mut self, session: Key, space: usize, auth: Value) {
        let core = &mut self.core;
        let id = core.token();
        let pid = core.config.recovery.map(|_| core.token()).unwrap_or_default();
        let socket = NamespaceSocket::fresh(session, space, id, pid, core.spaces[space].end);
        self.enter(socket, &Hello { auth, is_recovered: false });
    }

    /// A socket enters: into the room of its id, and those it was in. Its client is told before anything else.
    fn enter(&mut self, mut socket: NamespaceSocket, hello: &Hello) {
        let core = &mut self.core;
        let spent_until = core.sessions.get(socket.session).map(|session| session.spent_until);
        socket.spent_until = socket.spent_until.max(spent_until.unwrap_or_default());
        let (session, space) = (socket.session, socket.space);
        let mut reply = vec![("sid".to_owned(), Value::from(&*socket.id))];
        if !socket.pid.is_empty() {
            reply.push(("pid".to_owned(), Value::from(&*socket.pid)));
        }
        let (id, pid) = (socket.id.clone(), socket.pid.clone());
        let rooms: Vec<_> = socket.rooms.current().cloned().collect();
        let Some(key) = core.sockets.insert(socket) else { return };
        let Some(open) = core.sessions.get_mut(session) else {
            core.sockets.remove(key);
            return;
        };
        open.sockets.push(key);
        open.left.retain(|&left| left != space);
        if let Some(deadline) = open.deadline.take() {
            core.timers.remove(&deadline);
        }
        let place = &mut core.spaces[space];
        let name = place.name.clone();
        place.rooms.enter(&id, key.slot());
        rooms.iter().for_each(|room| place.rooms.join(room, key.slot()));
        if !pid.is_empty() {
            place.holders.insert(pid, key);
        }
        core.touch(key);
        core.send(session, &name, Kind::Connect(Some(Value::Object(reply))));
        core.catch_up(key);
        for listener in &mut self.programs[space].connection {
            listener(&mut Context { core: &mut self.core, socket: key, space }, hello);
        }
    }

    /// A session has shown life: whoever came with a secret of its sockets is somebody else.
    pub(super) fn alive(&mut self, session: Key) {
        for challenge in self.core.alive(session) {
            self.core.calls.push_back(Call::Settled { challenge, newcomer: false });
        }
    }

    /// Does what is due.
    pub(super) fn ring(&mut self, now: Instant) {
        while let Some(entry) = self.core.timers.first_entry()
            && entry.key().0 <= now
        {
            // What the driver was asked for is over: it is asked anew.
            self.wake_told = None;
            match entry.remove() {
                Timer::Connect(session) => {
                    let waits = self.core.sessions.get(session).is_some_and(|s| !s.pending.is_empty());
                    if !waits {
                        self.core.close(session, Reason::ConnectTimeout);
                    }
                }
                Timer::Ask(id) => self.core.finish_ask(id),
                Timer::Probe(challenge) => {
                    let newcomer = self.core.probe_is_over(challenge);
                    if !newcomer {
                        self.core.calls.push_back(Call::Settled { challenge, newcomer });
                    }
                }
                Timer::Away(space, pid) => self.core.give_up(space, &pid),
                Timer::Forget => self.core.forget(),
            }
            self.run_calls();
        }
    }

    /// The end of every input: the program is told what it has to be told, and what was said may go out.
    pub(super) fn settle(&mut self) {
        self.run_calls();
        self.core.seal();
    }

    fn run_calls(&mut self) {
        while let Some(call) = self.core.calls.pop_front() {
            match call {
                Call::Left(socket, reason) => self.left(socket, reason),
                Call::Gone(space, id) => {
                    for listener in &mut self.programs[space].gone {
                        listener(&mut Context { core: &mut self.core, socket: Key::NOBODY, space }, &id);
                    }
                }
                Call::Answered(ask) => {
                    let mut cx = Context { core: &mut self.core, socket: ask.asker, space: ask.space };
                    (ask.then)(&mut cx, ask.answers);
                }
                Call::Settled { challenge, newcomer } => self.settle_challenge(challenge, newcomer),
            }
        }
    }

    /// The program is told that a socket left; after that it is put away, or forgotten.
    fn left(&mut self, key: Key, reason: Reason) {
        let Some(space) = self.core.sockets.get(key).map(|socket| socket.space) else { return };
        for listener in &mut self.programs[space].disconnect {
            listener(&mut Context { core: &mut self.core, socket: key, space }, reason);
        }
        let Some(socket) = self.core.sockets.remove(key) else { return };
        if socket.pid.is_empty() {
            return;
        }
        if reason.is_recoverable() {
            let saved = socket.saved();
            self.core.put_away(space, &saved, socket.data, socket.spent_until);
            if self.core.log.is_durable() {
                self.core.log.save(&self.core.spaces[space].name, saved);
            }
        } else {
            self.core.log.unsave(&self.core.spaces[space].name, &socket.pid);
        }
        if let Some(challenge) = socket.challenge {
            self.settle_challenge(challenge, reason.is_recoverable());
        }
    }

    fn settle_challenge(&mut self, id: u64, newcomer: bool) {
        let Some(challenge) = self.core.challenges.remove(&id) else { return };
        self.core.timers.remove(&challenge.timer);
        if let Some(holder) = self.core.sockets.get_mut(challenge.holder) {
            holder.challenge = None;
        }
        let Some(session) = self.core.sessions.get_mut(challenge.session) else { return };
        session.pending.retain(|&pending| pending != id);
        let (session, space, auth) = (challenge.session, challenge.space, challenge.auth);
        if newcomer && let Verdict::Restore(away, claim, after) = self.core.take_back(space, challenge.claim)
        {
            let socket = away.restored(session, space, claim.offset, after);
            return self.enter(socket, &Hello { auth, is_recovered: true });
        }
        self.enter_fresh(session, space, auth);
    }
}

/// Takes one event from the socket's allowance.
pub(super) fn spend(cx: &mut Context<'_>) -> Result<(), Refusal> {
    let Some(rate) = cx.core.config.rate else { return Ok(()) };
    let now = cx.core.now;
    let Some(socket) = cx.core.sockets.get_mut(cx.socket) else { return Ok(()) };
    charge(&mut socket.spent_until, rate, now)
}

/// Takes one of an allowance that is spent up to some time.
fn charge(spent: &mut Instant, rate: Rate, now: Instant) -> Result<(), Refusal> {
    // Instead of counting tokens: the time up to which they are spent may run ahead of now by a burst.
    let each = Duration::from_secs(1) / rate.per_second.max(1);
    let spent_until = (*spent).max(now) + each;
    let ahead = spent_until.since(now);
    if ahead > each * rate.burst.max(1) {
        let wait = ahead - each * rate.burst.max(1);
        let data = Value::object([
            ("code", "E_RATE".into()),
            ("retryAfterMs", (wait.as_nanos().div_ceil(1_000_000)).into()),
        ]);
        return Err(Refusal::new("too many events").with(data));
    }
    *spent = spent_until;
    Ok(())
}
