//! Entering and leaving: CONNECT, what is due when a timer ends, and the program's functions that are called for it.

use slotmap::Key as _;

use super::super::sessions::{Handover, Saved};
use super::config::Rate;
use super::context::{Context, past_event};
use super::history::has_name;
use super::key::Key;
use super::namespace::{Entry, Hello, Refusal};
use super::recovery::{Arriving, Newcomer, Verdict};
use super::state::{Call, Core, Later, NamespaceSocket, Timer};
use super::{Hub, Reason};
use crate::base::{Duration, Instant};
use crate::layers::application::socketio::{Kind, Value};

impl Hub {
    /// A client asks to enter a namespace.
    pub(super) fn connect(&mut self, session: Key, name: &str, space: Option<usize>, auth: Option<Value>) {
        let Some(space) = space else {
            return self.refuse(session, name, &Refusal::new("Invalid namespace"));
        };
        let core = &self.lent.core;
        let is_pending = core.sessions.get(session).is_some_and(|session| {
            session.pending.iter().any(|id| {
                let challenged = core.challenges.get(id).map(|challenge| challenge.space);
                challenged.or_else(|| Some(core.arriving.get(id)?.space)) == Some(space)
            })
        });
        if is_pending || core.socket_in(session, space).is_some() {
            return self.lent.core.close(session, Reason::BadPacket);
        }
        let in_or_waiting = core.sessions.get(session).map_or(0, |s| s.sockets.len() + s.pending.len());
        if in_or_waiting >= core.config.namespaces_per_session {
            return self.refuse(session, name, &Refusal::new("Too many namespaces"));
        }
        let auth = auth.unwrap_or_else(|| Value::Object(Vec::new()));
        // The first is free. Entering, leaving and entering again makes work for others.
        if let (Some(rate), now, Some(open)) =
            (core.config.rate, core.now, self.lent.core.sessions.get_mut(session))
            && open.deadline.is_none()
            && let Err(refusal) = charge(&mut open.spent_until, rate, now)
        {
            return self.refuse(session, name, &refusal);
        }
        if !self.lent.core.has_to_wait(session, space, &auth, false) {
            self.admit(session, space, auth);
        }
    }

    /// Whose secret it is has been settled: the gates are asked, and it enters.
    fn admit(&mut self, session: Key, space: usize, auth: Value) {
        if let Err(refusal) = self.ask_gates(session, space, &auth) {
            let name = self.lent.core.spaces[space].name.clone();
            return self.refuse(session, &name, &refusal);
        }
        match self.lent.core.judge(session, space, &auth) {
            Verdict::Fresh => self.enter_fresh(session, space, auth),
            Verdict::Restore(away, claim, after) => {
                let socket = away.restored(session, space, claim.offset, after);
                self.enter(socket, &Hello { auth, is_recovered: true });
            }
            Verdict::Wait => {}
        }
    }

    /// Goes on with CONNECTs that waited: for other hubs, which have answered, or for this one to get as far as a
    /// socket is.
    fn arrivals(&mut self, answered: Vec<u64>) {
        let caught_up = self.lent.core.caught_up();
        for id in answered.into_iter().chain(caught_up) {
            let Some(Arriving { session, space, auth, .. }) = self.lent.core.arrived(id) else { continue };
            if !self.lent.core.has_to_wait(session, space, &auth, true) {
                self.admit(session, space, auth);
            }
        }
    }

    /// A CONNECT has waited for as long as it may: it is decided by what is known here.
    fn waits_no_longer(&mut self, id: u64) {
        let Some(Arriving { session, space, auth, .. }) = self.lent.core.arrived(id) else { return };
        self.admit(session, space, auth);
    }

    /// Takes in what the log and the other hubs report.
    pub(super) fn hear(&mut self) {
        self.lent.core.take_committed(None);
        self.lent.core.resume_fetched();
        let answered = self.lent.core.take_notices();
        self.run_calls();
        self.arrivals(answered);
    }

    fn ask_gates(&mut self, session: Key, space: usize, auth: &Value) -> Result<(), Refusal> {
        let open = self.lent.core.sessions.get(session);
        let Some((id, request)) = open.map(|session| (session.id, session.request.clone())) else {
            return Ok(());
        };
        let sockets = self.lent.core.spaces[space].rooms.len();
        if sockets >= self.lent.core.config.sockets_per_namespace {
            return Err(Refusal::new("Namespace is full"));
        }
        let returning =
            self.lent.core.claim(space, auth).and_then(|claim| self.lent.core.id_of(space, &claim.pid));
        let entry = Entry {
            now: self.lent.core.now,
            session: id,
            request: request.as_deref(),
            auth,
            sockets,
            returning: returning.as_deref(),
        };
        self.programs[space].gates.iter_mut().try_for_each(|gate| gate(&entry))
    }

    fn refuse(&mut self, session: Key, name: &str, refusal: &Refusal) {
        self.lent.core.send(session, name, Kind::ConnectError(refusal.to_value()));
    }

    fn enter_fresh(&mut self, session: Key, space: usize, auth: Value) {
        let core = &mut self.lent.core;
        let id = core.token();
        let pid = core.config.recovery.map(|_| core.token()).unwrap_or_default();
        let socket = NamespaceSocket::fresh(session, space, id, pid, core.spaces[space].end);
        self.enter(socket, &Hello { auth, is_recovered: false });
    }

    /// A socket enters: into the room of its id, and those it was in. Its client gets the CONNECT before anything else.
    fn enter(&mut self, mut socket: NamespaceSocket, hello: &Hello) {
        let core = &mut self.lent.core;
        let spent_until = core.sessions.get(socket.session).map(|session| session.spent_until);
        socket.spent_until = socket.spent_until.max(spent_until.unwrap_or_default());
        let (session, space) = (socket.session, socket.space);
        let mut reply = vec![("sid".to_owned(), Value::from(&*socket.id))];
        if !socket.pid.is_empty() {
            reply.push(("pid".to_owned(), Value::from(&*socket.pid)));
        }
        let (id, pid) = (socket.id.clone(), socket.pid.clone());
        let rooms: Vec<_> = socket.rooms.current().cloned().collect();
        let Some(open) = core.sessions.get_mut(session) else { return };
        socket.origin = open.origin.clone();
        if let Some(origin) = &socket.origin {
            *core.spaces[space].origins.entry(origin.clone()).or_default() += 1;
        }
        let key = core.sockets.insert(socket);
        open.sockets.push(key);
        open.left.retain(|&left| left != space);
        if let Some(deadline) = open.deadline.take() {
            core.timers.remove(&deadline);
        }
        let place = &mut core.spaces[space];
        let name = place.name.clone();
        place.rooms.enter(&id, key);
        rooms.iter().for_each(|room| place.rooms.join(room, key));
        if !pid.is_empty() {
            place.holders.insert(pid, key);
        }
        core.touch(key);
        core.send(session, &name, Kind::Connect(Some(Value::Object(reply))));
        core.catch_up(key);
        for listener in &mut self.programs[space].connection {
            listener(&mut self.lent.context(key, space), hello);
        }
    }

    /// A session has shown life: a newcomer with a secret of its sockets is another client.
    pub(super) fn alive(&mut self, session: Key) {
        for challenge in self.lent.core.alive(session) {
            self.lent.core.calls.push_back(Call::Settled { challenge, newcomer: false });
        }
    }

    /// Does what is due.
    pub(super) fn ring(&mut self, now: Instant) {
        while let Some(entry) = self.lent.core.timers.first_entry()
            && entry.key().0 <= now
        {
            // What the driver was asked for is over: it is asked again.
            self.wake_told = None;
            match entry.remove() {
                Timer::Connect(session) => {
                    let waits = self.lent.core.sessions.get(session).is_some_and(|s| !s.pending.is_empty());
                    if !waits {
                        self.lent.core.close(session, Reason::ConnectTimeout);
                    }
                }
                Timer::Ask(id) => self.lent.core.finish_ask(id),
                Timer::Probe(challenge) => {
                    let newcomer = self.lent.core.probe_is_over(challenge);
                    if !newcomer {
                        self.lent.core.calls.push_back(Call::Settled { challenge, newcomer });
                    }
                }
                Timer::Claim(id) => self.waits_no_longer(id),
                Timer::Away(space, pid) => self.lent.core.give_up(space, &pid),
                Timer::Forget => self.lent.core.forget(),
            }
            self.run_calls();
        }
    }

    /// The end of every input: the program's callbacks run, and what was sent may go out.
    pub(super) fn settle(&mut self) {
        self.run_calls();
        self.lent.core.seal();
    }

    fn run_calls(&mut self) {
        while let Some(call) = self.lent.core.calls.pop_front() {
            match call {
                Call::Left(socket, reason) => self.left(socket, reason),
                Call::Gone(space, id) => {
                    for listener in &mut self.programs[space].gone {
                        listener(&mut self.lent.context(Key::null(), space), &id);
                    }
                }
                Call::Moved(space, id) => {
                    for listener in &mut self.programs[space].moved {
                        listener(&mut self.lent.context(Key::null(), space), &id);
                    }
                }
                Call::Answered(question, ask) => {
                    if let Some(then) = self.lent.promises.answers.remove(&question) {
                        then(&mut self.lent.context(ask.asker, ask.space), ask.answers);
                    }
                }
                Call::Emitted { promise, socket, space, emitted } => {
                    if let Some(then) = self.lent.promises.emitted.remove(&promise) {
                        then(&mut self.lent.context(socket, space), emitted);
                    }
                }
                Call::Kept(space, record) => {
                    let namespace = self.lent.core.spaces[space].name.clone();
                    for (names, listener) in &mut self.programs[space].kept {
                        if names.iter().any(|name| has_name(&record, &namespace, name))
                            && let Some(event) = past_event(&record)
                        {
                            listener(&mut self.lent.context(Key::null(), space), &event);
                        }
                    }
                }
                Call::Resume(session) => self.resume(session),
                Call::Settled { challenge, newcomer } => self.settle_challenge(challenge, newcomer),
            }
        }
    }

    /// Reports to the program that a socket left; after that it is put away, or forgotten.
    fn left(&mut self, key: Key, reason: Reason) {
        let Some(space) = self.lent.core.sockets.get(key).map(|socket| socket.space) else { return };
        for listener in &mut self.programs[space].disconnect {
            listener(&mut self.lent.context(key, space), reason);
        }
        let Some(socket) = self.lent.core.sockets.remove(key) else { return };
        if socket.pid.is_empty() {
            return;
        }
        if reason.is_recoverable() {
            let left_ms = Some(self.lent.core.now_ms());
            let saved = Saved { left_ms, ..socket.saved(self.lent.core.spaces[space].end) };
            let in_vain = socket.returns_in_vain();
            self.lent.core.put_away_after(space, &saved, socket.data, socket.spent_until, in_vain);
            let core = &mut self.lent.core;
            if core.recoverable.is_durable() {
                core.recoverable.save(&core.spaces[space].name, saved);
            }
        } else {
            let core = &mut self.lent.core;
            core.recoverable.remove(&core.spaces[space].name, &socket.pid);
        }
        if let Some(challenge) = socket.challenge {
            self.settle_challenge(challenge, reason.is_recoverable());
        }
    }

    /// Deals with what a session has done meanwhile, up to where it proposes something again.
    fn resume(&mut self, session: Key) {
        while let Some(open) = self.lent.core.sessions.get_mut(session)
            && open.proposed == 0
            && let Some(later) = open.backlog.pop_front()
        {
            self.lent.core.backlog -= 1;
            match later {
                Later::Packet(packet) => self.packet(session, packet),
                act => self.lent.core.act(session, &act),
            }
        }
    }

    fn settle_challenge(&mut self, id: u64, newcomer: bool) {
        let Some(challenge) = self.lent.core.challenges.remove(&id) else { return };
        self.lent.core.timers.remove(&challenge.timer);
        if let Some(holder) = self.lent.core.sockets.get_mut(challenge.holder) {
            holder.challenge.take_if(|other| *other == id);
        }
        let space = challenge.space;
        let (session, auth) = match challenge.newcomer {
            Newcomer::Here { session, auth } => (session, auth),
            Newcomer::Elsewhere { question } if newcomer => {
                return self.lent.core.hand_over(space, &challenge.claim.pid, question);
            }
            Newcomer::Elsewhere { question } => {
                return self.lent.core.recoverable.answer(question, Handover::Kept);
            }
        };
        let Some(open) = self.lent.core.sessions.get_mut(session) else { return };
        open.pending.retain(|&pending| pending != id);
        if newcomer
            && let Verdict::Restore(away, claim, after) = self.lent.core.take_back(space, challenge.claim)
        {
            let socket = away.restored(session, space, claim.offset, after);
            return self.enter(socket, &Hello { auth, is_recovered: true });
        }
        self.enter_fresh(session, space, auth);
    }
}

impl Core {
    /// Does to a session what the program, or the end of its connection, wants done.
    pub(super) fn act(&mut self, session: Key, act: &Later) {
        match *act {
            Later::Disconnect(space) => {
                let Some(socket) = self.socket_in(session, space) else { return };
                let namespace = self.spaces[space].name.clone();
                self.send(session, &namespace, Kind::Disconnect);
                if let Some(session) = self.sessions.get_mut(session) {
                    session.left.push(space);
                }
                self.leave_space(socket, Reason::ServerDisconnected);
            }
            Later::Close => self.close(session, Reason::ServerClosed),
            Later::Closed(reason) => self.end_session(session, reason),
            Later::Packet(_) => {}
        }
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
