//! The world of the virtual soak: one server, its lines to the clients, and what breaks.

use std::collections::BTreeMap;

use bytes::Bytes;
use netlayers::base::{Duration, Instant, Rng};
use netlayers::chat::{self, Context, Gateway, Hub};
use netlayers::layers::application::engineio::poller::{CarrierInput, Line as Kind};
use netlayers::layers::application::engineio::{self, ConnKey, Input, Output, Server, SessionConfig};
use netlayers::layers::application::socketio::{Limits, Value};

use super::checker::Checker;
use super::disk::{Disk, Flaw};
use super::talker::{Sabotage, Talker, Upgrade, Wish};

/// What is played.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) clients: u32,
    pub(crate) rooms: u16,
    pub(crate) seconds: u64,
    pub(crate) crashes: u64,
    pub(crate) seed: u64,
    /// This client is an unreliable witness.
    pub(crate) sabotage: Option<(u32, Sabotage)>,
    pub(crate) flaw: Option<Flaw>,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { clients: 100, rooms: 10, seconds: 24, crashes: 3, seed: 7, sabotage: None, flaw: None }
    }
}

/// Faults that were injected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) hung_up: u32,
    pub(crate) ended: u32,
    pub(crate) reset: u32,
    pub(crate) half_open: u32,
    pub(crate) slow: u32,
    pub(crate) quit: u32,
    /// A line of requests was cut: while a GET waited, in the middle of its answer, in the middle of a POST, and
    /// when it had come whole and was not answered.
    pub(crate) get_cut: u32,
    pub(crate) get_torn: u32,
    pub(crate) post_torn: u32,
    pub(crate) answer_lost: u32,
    /// An upgrade was cut, at each of its steps.
    pub(crate) upgrade_cut: [u32; 5],
    pub(crate) upgraded: u32,
    pub(crate) crashes: u32,
}

/// What is going to happen.
#[derive(Debug)]
enum Happening {
    /// A client in this session does something, or something breaks, or its time has come.
    Turn(usize, u64),
    Fault(usize, u64),
    Wake(usize, u64),
    Return(usize),
    LastWord(usize),
    /// A line stands.
    Connected(u64),
    /// Bytes, and the ends of a line, arrive.
    Up(u64, Bytes),
    Down(u64, Bytes),
    UpEnd(u64),
    DownEnd(u64),
    /// A slow client reads again.
    Thaw(usize),
    Commit,
    Crash,
    /// Faults cease; everybody comes back and says a last word.
    LastWords,
}

/// A connection. What goes into it comes out in order, some time later, unless it breaks.
#[derive(Debug)]
struct Line {
    client: usize,
    kind: Kind,
    key: ConnKey,
    delay: Duration,
    up_at: Instant,
    down_at: Instant,
    /// The client takes what comes, and what it says is carried.
    is_whole: bool,
    is_frozen: bool,
}

/// A session of a client.
#[derive(Debug, Clone, Copy)]
struct Playing {
    number: u64,
    /// It has said goodbye, and its lines are not closed yet.
    is_leaving: bool,
    wake_at: Instant,
    /// What happens to the next bytes on a line.
    ambush: Option<Ambush>,
    /// Where the upgrade is going to be cut, and whether all other lines are cut with it.
    cut_upgrade: Option<(Upgrade, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ambush {
    /// A part of an answer to a GET comes.
    TearGet,
    /// A part of a POST is sent.
    TearPost,
    /// The answer to a POST does not come.
    LoseAnswer,
}

pub(crate) struct World {
    plan: Plan,
    now: Instant,
    rng: Rng,
    queue: BTreeMap<(Instant, u64), Happening>,
    next: u64,
    disk: Disk,
    server: Server,
    service: Gateway,
    lines: BTreeMap<u64, Line>,
    by_key: BTreeMap<ConnKey, u64>,
    talkers: Vec<Talker>,
    /// The session of each client, and its lines.
    current: Vec<Option<Playing>>,
    links: BTreeMap<(usize, Kind), u64>,
    is_ending: bool,
    pub(crate) checker: Checker,
    pub(crate) faults: Faults,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> Self {
        let rng = Rng::new(plan.seed);
        let disk = Disk::new(plan.flaw);
        let (server, service) = start(&disk, &rng.fork("server"), Instant::ZERO);
        let talkers = (0..plan.clients).map(|number| {
            let mut talker = Talker::new(number, plan.rooms, plan.seed);
            if let Some((witness, sabotage)) = plan.sabotage
                && witness == number
            {
                talker.sabotage(sabotage);
            }
            talker
        });
        let mut world = World {
            now: Instant::ZERO,
            queue: BTreeMap::new(),
            next: 0,
            disk,
            server,
            service,
            lines: BTreeMap::new(),
            by_key: BTreeMap::new(),
            talkers: talkers.collect(),
            current: vec![None; plan.clients as usize],
            links: BTreeMap::new(),
            is_ending: false,
            checker: Checker::default(),
            faults: Faults::default(),
            plan: plan.clone(),
            rng,
        };
        for client in 0..world.talkers.len() {
            let wait = world.millis(0, 1000);
            world.at(wait, Happening::Return(client));
        }
        let second = |n: u64| Duration::from_secs(n);
        for crash in 1..=plan.crashes {
            let at = Duration::from_millis(plan.seconds * 1000 * crash / (plan.crashes + 1));
            world.at(at, Happening::Crash);
        }
        world.at(second(plan.seconds), Happening::LastWords);
        world.at(Duration::from_millis(1), Happening::Commit);
        world
    }

    /// Until everybody has come back after the last fault, and has heard its own last words.
    pub(crate) fn play(&mut self) {
        let end = Instant::ZERO + Duration::from_secs(self.plan.seconds + 12);
        loop {
            let due = self.server.due().into_iter().chain(self.service.due()).min();
            let next = self.queue.first_key_value().map(|((at, _), _)| *at);
            let Some(at) = due.into_iter().chain(next).min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            if due.is_some_and(|due| due <= self.now) {
                self.server.handle(self.now, Input::Wake);
                self.service.wake(self.now, &mut self.server);
                self.serve();
            } else if let Some((_, happening)) = self.queue.pop_first() {
                self.happen(happening);
            }
        }
        self.checker.finish();
    }

    fn at(&mut self, after: Duration, happening: Happening) {
        self.at_time(self.now + after, happening);
    }

    fn at_time(&mut self, at: Instant, happening: Happening) {
        self.next += 1;
        self.queue.insert((at, self.next), happening);
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.rng.below(to - from))
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Turn(client, session) => {
                if !self.is_ending && self.plays(client, session) {
                    self.talkers[client].turn(self.now, &mut self.checker);
                    self.speak(client);
                    let wait = self.millis(200, 1200);
                    self.at(wait, Happening::Turn(client, session));
                }
            }
            Happening::Fault(client, session) => {
                if !self.is_ending && self.plays(client, session) {
                    self.fault(client, session);
                }
            }
            Happening::Wake(client, session) => {
                if self.plays(client, session) {
                    self.tell(client, CarrierInput::Wake);
                }
            }
            Happening::LastWord(client) => {
                self.talkers[client].last_words(self.now, &mut self.checker);
                self.speak(client);
            }
            Happening::Return(client) => self.dial(client),
            Happening::Up(line, bytes) => {
                if let Some(key) = self.lines.get(&line).map(|line| line.key) {
                    self.server.handle(self.now, Input::Bytes(key, &bytes));
                    self.serve();
                }
            }
            Happening::UpEnd(line) => self.server_learns_of_the_end(line),
            Happening::Connected(line) => {
                if let Some((client, kind)) = self.link_of(line) {
                    self.tell(client, CarrierInput::Connected(kind));
                }
            }
            Happening::Down(line, bytes) => {
                if let Some((client, kind)) = self.link_of(line) {
                    self.hear(client, kind, bytes);
                }
            }
            Happening::DownEnd(line) => {
                let link = self.link_of(line);
                self.lines.remove(&line);
                if let Some((client, kind)) = link {
                    self.links.remove(&(client, kind));
                    self.tell(client, CarrierInput::Gone(kind));
                }
            }
            Happening::Thaw(client) => {
                let mut keys = Vec::new();
                for line in self.lines.values_mut().filter(|line| line.client == client && line.is_frozen) {
                    line.is_frozen = false;
                    keys.push(line.key);
                }
                keys.into_iter().for_each(|key| self.write(key));
                self.serve();
            }
            Happening::Commit => {
                if self.disk.commit() {
                    self.service.wake(self.now, &mut self.server);
                    self.serve();
                }
                // A disk that lies is in no hurry.
                let most = if self.plan.flaw == Some(Flaw::AcknowledgesTooSoon) { 500 } else { 25 };
                let wait = self.millis(2, most);
                self.at(wait, Happening::Commit);
            }
            Happening::Crash => self.crash(),
            Happening::LastWords => {
                self.is_ending = true;
                // Those who are away come back; then a line that is half-open has been found out.
                for client in 0..self.talkers.len() {
                    let wait = self.millis(5000, 6000);
                    self.at(wait, Happening::LastWord(client));
                }
            }
        }
    }

    fn plays(&self, client: usize, session: u64) -> bool {
        self.current[client].is_some_and(|playing| playing.number == session)
    }

    /// Whose line it is, when it is whole.
    fn link_of(&self, line: u64) -> Option<(usize, Kind)> {
        let Line { client, kind, is_whole, .. } = self.lines.get(&line)?;
        is_whole.then_some((*client, *kind))
    }

    /// A client opens a session.
    fn dial(&mut self, client: usize) {
        self.next += 1;
        let number = self.next;
        let step = Upgrade::STEPS[self.rng.below(5) as usize];
        let whole = self.rng.below(2) == 0;
        let cut_upgrade = (!self.is_ending && self.rng.below(3) > 0).then_some((step, whole));
        let ambush = None;
        let wake_at = Instant::NEVER;
        self.current[client] = Some(Playing { number, is_leaving: false, wake_at, ambush, cut_upgrade });
        self.talkers[client].open(self.now, &mut self.checker);
        self.speak(client);
        if !self.is_ending {
            let (turn, fault) = (self.millis(100, 600), self.millis(1500, 6000));
            self.at(turn, Happening::Turn(client, number));
            self.at(fault, Happening::Fault(client, number));
        }
    }

    /// A client learns what has happened.
    fn tell(&mut self, client: usize, input: CarrierInput) {
        let before = self.talkers[client].upgrade();
        self.talkers[client].take(self.now, input, &mut self.checker);
        if before != Upgrade::Moved && self.talkers[client].upgrade() == Upgrade::Moved {
            self.faults.upgraded += 1;
        }
        self.speak(client);
    }

    /// What a client wishes is done.
    fn speak(&mut self, client: usize) {
        while let Some(wish) = self.talkers[client].wish() {
            match wish {
                Wish::Connect(kind) => self.connect(client, kind),
                Wish::Write(kind, bytes) => self.send(client, kind, &bytes),
                Wish::Close(kind) => {
                    if let Some(line) = self.links.remove(&(client, kind)) {
                        self.end_line(line, Duration::ZERO);
                    }
                }
            }
        }
        let Some(mut playing) = self.current[client] else { return };
        let due = self.talkers[client].due();
        if due != playing.wake_at && due != Instant::NEVER {
            playing.wake_at = due;
            self.current[client] = Some(playing);
            self.at_time(due.max(self.now), Happening::Wake(client, playing.number));
        }
        let upgrade = self.talkers[client].upgrade();
        if let Some((step, whole)) = playing.cut_upgrade
            && step <= upgrade
            && !playing.is_leaving
        {
            playing.cut_upgrade = None;
            self.current[client] = Some(playing);
            // When it ends the session it is as if half-open, unless the server sees it: see `checker.rs`.
            if step == upgrade && (self.talkers[client].has_heard || (!whole && upgrade != Upgrade::Moved)) {
                self.cut_upgrade(client, step, whole);
            }
        }
        let talker = &self.talkers[client];
        let is_over = if playing.is_leaving { talker.has_hung_up() } else { talker.is_over() };
        if is_over && self.plays(client, playing.number) {
            self.drop_session(client);
        }
    }

    fn cut_upgrade(&mut self, client: usize, step: Upgrade, whole: bool) {
        self.faults.upgrade_cut[step as usize - 1] += 1;
        let kinds: &[Kind] = if whole { &[Kind::Poll, Kind::Post, Kind::Socket] } else { &[Kind::Socket] };
        for kind in kinds {
            self.reset_line(client, *kind);
        }
        if whole {
            self.drop_session(client);
        } else {
            self.tell(client, CarrierInput::Gone(Kind::Socket));
        }
    }

    fn connect(&mut self, client: usize, kind: Kind) {
        let Some(key) = self.server.connected(self.now) else { panic!("there is room for all") };
        self.next += 1;
        let number = self.next;
        // So slow is a WebSocket beside polling that much is said while it is probed.
        let is_beside = kind == Kind::Socket && self.talkers[client].polls();
        let delay = if is_beside && !self.is_ending { self.millis(1, 600) } else { self.millis(1, 40) };
        let (now, is_frozen) = (self.now, false);
        let line = Line { client, kind, key, delay, up_at: now, down_at: now, is_whole: true, is_frozen };
        self.lines.insert(number, line);
        self.by_key.insert(key, number);
        self.links.insert((client, kind), number);
        self.at(delay, Happening::Connected(number));
    }

    /// What a client has to say goes up its line.
    fn send(&mut self, client: usize, kind: Kind, bytes: &Bytes) {
        let Some(&number) = self.links.get(&(client, kind)) else { return };
        let Some(line) = self.lines.get_mut(&number) else { return };
        line.up_at = line.up_at.max(self.now + line.delay);
        let at = line.up_at;
        // The stream may be cut anywhere.
        let cut = self.rng.below(bytes.len() as u64 + 1) as usize;
        self.at_time(at, Happening::Up(number, bytes.slice(..cut)));
        if kind == Kind::Post && self.springs(client, Ambush::TearPost) {
            self.faults.post_torn += 1;
            self.end_line(number, Duration::ZERO);
            self.links.remove(&(client, kind));
            return self.tell(client, CarrierInput::Gone(kind));
        }
        self.at_time(at, Happening::Up(number, bytes.slice(cut..)));
    }

    /// What the server has to say comes down a line.
    fn hear(&mut self, client: usize, kind: Kind, mut bytes: Bytes) {
        if kind == Kind::Post && self.springs(client, Ambush::LoseAnswer) {
            self.faults.answer_lost += 1;
        } else if kind == Kind::Poll && self.springs(client, Ambush::TearGet) {
            self.faults.get_torn += 1;
            bytes.truncate(self.rng.below(bytes.len() as u64) as usize);
            self.tell(client, CarrierInput::Bytes(kind, bytes));
        } else {
            return self.tell(client, CarrierInput::Bytes(kind, bytes));
        }
        self.reset_line(client, kind);
        self.tell(client, CarrierInput::Gone(kind));
    }

    fn springs(&mut self, client: usize, ambush: Ambush) -> bool {
        let Some(playing) = &mut self.current[client] else { return false };
        playing.ambush.take_if(|planned| *planned == ambush).is_some()
    }

    /// The client is without a session, and will come back.
    fn drop_session(&mut self, client: usize) {
        self.talkers[client].lost();
        self.current[client] = None;
        for kind in [Kind::Poll, Kind::Post, Kind::Socket] {
            self.links.remove(&(client, kind));
        }
        let most = if self.is_ending { 300 } else { 2500 };
        let wait = self.millis(50, most);
        self.at(wait, Happening::Return(client));
    }

    fn fault(&mut self, client: usize, session: u64) {
        let kind = self.rng.below(if self.talkers[client].polls() { 11 } else { 7 });
        let lag = self.millis(0, 60);
        let talker = &mut self.talkers[client];
        // Whoever polls may be cut off while the server has nothing of it in hand, and nobody tells the server.
        let may_vanish = talker.has_heard;
        let may_break = may_vanish || !talker.polls();
        let Some(playing) = &mut self.current[client] else { return };
        let again = Happening::Fault(client, session);
        match kind {
            0 | 6 if talker.is_in() => {
                playing.is_leaving = true;
                if kind == 0 {
                    self.faults.hung_up += 1;
                    talker.hang_up(self.now);
                } else {
                    self.faults.quit += 1;
                    talker.quit(self.now, &mut self.checker);
                }
                return self.speak(client);
            }
            1 if may_break => {
                self.faults.ended += 1;
                for number in self.lines_of(client) {
                    self.end_line(number, lag);
                }
            }
            2 | 3 if may_break => {
                self.faults.reset += 1;
                for kind in [Kind::Poll, Kind::Post, Kind::Socket] {
                    self.reset_line(client, kind);
                }
            }
            4 if may_vanish => {
                // Nobody tells the server.
                self.faults.half_open += 1;
                for number in self.lines_of(client) {
                    self.lines.get_mut(&number).into_iter().for_each(|line| line.is_whole = false);
                }
            }
            5 if talker.is_in() => {
                self.faults.slow += 1;
                for number in self.lines_of(client) {
                    self.lines.get_mut(&number).into_iter().for_each(|line| line.is_frozen = true);
                }
                let thaw = self.millis(500, 3000);
                self.at(thaw, Happening::Thaw(client));
                return self.at(thaw + Duration::from_secs(1), again);
            }
            7 if may_vanish => {
                self.faults.get_cut += 1;
                self.reset_line(client, Kind::Poll);
                return self.tell(client, CarrierInput::Gone(Kind::Poll));
            }
            8..11 if may_vanish => {
                let ambushes = [Ambush::TearGet, Ambush::TearPost, Ambush::LoseAnswer];
                playing.ambush = Some(ambushes[kind as usize - 8]);
                return self.at(Duration::from_secs(3), again);
            }
            _ => return self.at(lag, again),
        }
        self.drop_session(client);
    }

    fn lines_of(&self, client: usize) -> Vec<u64> {
        let of_client = (client, Kind::Poll)..=(client, Kind::Socket);
        self.links.range(of_client).map(|(_, number)| *number).collect()
    }

    /// What was under way in both directions is gone.
    fn reset_line(&mut self, client: usize, kind: Kind) {
        let lag = self.millis(0, 60);
        let Some(number) = self.links.remove(&(client, kind)) else { return };
        let Some(line) = self.lines.get_mut(&number) else { return };
        line.is_whole = false;
        self.queue.retain(|_, h| !matches!(h, Happening::Up(line, _) if *line == number));
        self.at(lag, Happening::UpEnd(number));
    }

    /// The client's end is closed in order: what it said before arrives.
    fn end_line(&mut self, number: u64, lag: Duration) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.is_whole = false;
            let at = line.up_at.max(self.now + lag);
            self.at_time(at, Happening::UpEnd(number));
        }
    }

    fn server_learns_of_the_end(&mut self, number: u64) {
        if let Some(line) = self.lines.remove(&number) {
            self.by_key.remove(&line.key);
            self.server.handle(self.now, Input::Gone(line.key));
            self.serve();
        }
    }

    fn crash(&mut self) {
        self.faults.crashes += 1;
        self.disk.crash();
        self.lines.clear();
        self.by_key.clear();
        self.queue.retain(|_, happening| {
            !matches!(
                happening,
                Happening::Up(..)
                    | Happening::Down(..)
                    | Happening::UpEnd(_)
                    | Happening::DownEnd(_)
                    | Happening::Connected(_)
                    | Happening::Thaw(_)
            )
        });
        let rng = self.rng.fork(&format!("crash {}", self.faults.crashes));
        (self.server, self.service) = start(&self.disk, &rng, self.now);
        for client in 0..self.talkers.len() {
            if self.current[client].is_some() {
                self.drop_session(client);
            }
        }
    }

    /// Does everything that the server asks for.
    fn serve(&mut self) {
        while let Some(output) = self.server.poll(self.now) {
            match output {
                Output::Event(event) => self.service.event(self.now, event, &mut self.server),
                Output::Ready(key) => self.write(key),
                Output::Close(key) => {
                    if let Some(number) = self.by_key.remove(&key)
                        && let Some(line) = self.lines.get(&number)
                    {
                        let at = line.down_at.max(self.now + line.delay);
                        self.at_time(at, Happening::DownEnd(number));
                    }
                }
                Output::WakeAt(_) => {}
            }
        }
    }

    fn write(&mut self, key: ConnKey) {
        let Some(&number) = self.by_key.get(&key) else { return };
        let Some(line) = self.lines.get_mut(&number).filter(|line| !line.is_frozen) else { return };
        let Some(outbox) = self.server.outbox(key) else { return };
        let bytes: Vec<u8> = outbox.pieces().flat_map(|piece| piece.iter().copied()).collect();
        if bytes.is_empty() {
            return;
        }
        line.down_at = line.down_at.max(self.now + line.delay);
        let at = line.down_at;
        let is_poll = line.kind == Kind::Poll;
        self.server.written(key, bytes.len());
        let mut bytes = Bytes::from(bytes);
        let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        // Whole events, without attachments: the client could not even read what is left of the others.
        let is_plain = has(b"said") && !has(b"_placeholder") && !has(b"\x1eb") && !has(b"\r\n\r\nb");
        if self.plan.flaw == Some(Flaw::SwallowsAPoll) && is_poll && is_plain && self.rng.below(10) == 0 {
            bytes = Bytes::from_static(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6");
        }
        self.at_time(at, Happening::Down(number, bytes));
    }
}

fn start(disk: &Disk, rng: &Rng, now: Instant) -> (Server, Gateway) {
    let (mut numbers, mut sids) = (rng.fork("numbers"), rng.fork("sids"));
    let mut hub =
        Hub::new(chat::Config::default(), Box::new(move || numbers.next_u64()), Box::new(disk.clone()));
    hub.io(now, "/", |_| ());
    program(&mut hub);
    let session = SessionConfig {
        ping_interval: Duration::from_millis(2000),
        ping_timeout: Duration::from_millis(4000),
        ..SessionConfig::default()
    };
    let config = engineio::Config { session, ..engineio::Config::default() };
    let server = Server::new(config, Box::new(move || format!("{:016x}", sids.next_u64())));
    (server, Gateway::new(hub, Limits::default(), 0))
}

/// What the example `event_server` does with these events.
fn program(hub: &mut Hub) {
    fn text(args: &[Value]) -> &str {
        args.first().and_then(Value::as_str).unwrap_or_default()
    }
    fn said(cx: &Context<'_>, args: &[Value]) -> Vec<Value> {
        let message = args.get(1).cloned().unwrap_or_default();
        vec![Value::object([("room", text(args).into()), ("from", (&*cx.id()).into()), ("msg", message)])]
    }
    let ok = || vec![Value::object([("ok", true.into())])];
    hub.of("/")
        .on_connection(|cx, hello| {
            if !hello.is_recovered {
                cx.emit("auth", vec![hello.auth.clone()]);
            }
        })
        .on("join", move |cx, args, ack| {
            assert!(cx.join(text(args)).is_ok());
            ack.send(cx, ok());
        })
        .on("leave", move |cx, args, ack| {
            cx.leave(text(args));
            ack.send(cx, ok());
        })
        .on("say", move |cx, args, ack| {
            let said = said(cx, args);
            cx.to(text(args)).emit("said", said);
            ack.send(cx, ok());
        })
        .on("say-all", move |cx, args, ack| {
            let said = said(cx, args);
            cx.io().to(text(args)).emit("said", said);
            ack.send(cx, ok());
        })
        .on("volatile", |cx, args, _| {
            let said = said(cx, args);
            cx.to(text(args)).volatile().emit("said", said);
        });
}
