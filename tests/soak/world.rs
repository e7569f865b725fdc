//! The world of the virtual soak: one server, its lines to the clients, and what breaks.

use std::collections::BTreeMap;

use bytes::Bytes;
use netlayers::base::{Duration, Instant, Rng};
use netlayers::chat::{self, Context, Gateway, Hub};
use netlayers::layers::application::engineio::{self, ConnKey, Input, Output, Server, SessionConfig};
use netlayers::layers::application::socketio::{Limits, Value};

use super::checker::Checker;
use super::disk::{Disk, Flaw};
use super::talker::{Sabotage, Talker};

/// What is played.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) clients: u32,
    pub(crate) rooms: u16,
    pub(crate) seconds: u64,
    pub(crate) crashes: u64,
    pub(crate) seed: u64,
    pub(crate) sabotage: Option<Sabotage>,
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
    pub(crate) crashes: u32,
}

/// What is going to happen.
#[derive(Debug)]
enum Happening {
    /// A client on this line does something, or its line breaks.
    Turn(usize, u64),
    Fault(usize, u64),
    Return(usize),
    LastWord(usize),
    /// Bytes, and the ends of a line, arrive.
    Up(u64, Bytes),
    Down(u64, Bytes),
    UpEnd(u64),
    DownEnd(u64),
    /// A slow client reads again.
    Thaw(u64),
    Commit,
    Crash,
    /// Faults cease; everybody comes back and says a last word.
    LastWords,
}

/// A connection. What goes into it comes out in order, some time later, unless it breaks.
#[derive(Debug)]
struct Line {
    client: usize,
    key: ConnKey,
    delay: Duration,
    up_at: Instant,
    down_at: Instant,
    /// The client takes what comes, and what it says is carried.
    is_whole: bool,
    is_frozen: bool,
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
    /// The line of each client.
    current: Vec<Option<u64>>,
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
            // One of them is an unreliable witness.
            plan.sabotage.filter(|_| number == 3).into_iter().for_each(|sabotage| talker.sabotage(sabotage));
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
            current: (0..plan.clients).map(|_| None).collect(),
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
            Happening::Turn(client, line) => {
                if !self.is_ending && self.current[client] == Some(line) {
                    self.talkers[client].turn(self.now, &mut self.checker);
                    self.speak(client);
                    let wait = self.millis(200, 1200);
                    self.at(wait, Happening::Turn(client, line));
                }
            }
            Happening::Fault(client, line) => {
                if !self.is_ending && self.current[client] == Some(line) {
                    self.fault(client, line);
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
            Happening::Down(line, bytes) => {
                let Some(client) = self.lines.get(&line).filter(|l| l.is_whole).map(|l| l.client) else {
                    return;
                };
                self.talkers[client].receive(self.now, &bytes, &mut self.checker);
                self.speak(client);
                if self.talkers[client].is_over() {
                    self.drop_line(client);
                }
            }
            Happening::DownEnd(line) => {
                if let Some(line) = self.lines.remove(&line)
                    && line.is_whole
                {
                    self.drop_line(line.client);
                }
            }
            Happening::Thaw(line) => {
                if let Some(line) = self.lines.get_mut(&line) {
                    line.is_frozen = false;
                    let key = line.key;
                    self.write(key);
                    self.serve();
                }
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

    /// A client opens a connection.
    fn dial(&mut self, client: usize) {
        let Some(key) = self.server.connected(self.now) else { panic!("there is room for all") };
        self.next += 1;
        let line = self.next;
        let delay = self.millis(1, 40);
        let whole =
            Line { client, key, delay, up_at: self.now, down_at: self.now, is_whole: true, is_frozen: false };
        self.lines.insert(line, whole);
        self.by_key.insert(key, line);
        self.current[client] = Some(line);
        self.talkers[client].connected(self.now);
        self.speak(client);
        if !self.is_ending {
            let (turn, fault) = (self.millis(100, 600), self.millis(1500, 6000));
            self.at(turn, Happening::Turn(client, line));
            self.at(fault, Happening::Fault(client, line));
        }
    }

    /// What a client has to say goes up its line.
    fn speak(&mut self, client: usize) {
        let bytes = self.talkers[client].output();
        let Some(number) = self.current[client].filter(|_| !bytes.is_empty()) else { return };
        let Some(line) = self.lines.get_mut(&number) else { return };
        line.up_at = line.up_at.max(self.now + line.delay);
        let at = line.up_at;
        // The stream may be cut anywhere.
        let cut = self.rng.below(bytes.len() as u64 + 1) as usize;
        self.at_time(at, Happening::Up(number, bytes.slice(..cut)));
        self.at_time(at, Happening::Up(number, bytes.slice(cut..)));
    }

    /// The client is without a connection, and will come back.
    fn drop_line(&mut self, client: usize) {
        self.talkers[client].lost();
        self.current[client] = None;
        let most = if self.is_ending { 300 } else { 2500 };
        let wait = self.millis(50, most);
        self.at(wait, Happening::Return(client));
    }

    fn fault(&mut self, client: usize, number: u64) {
        let kind = self.rng.below(7);
        let lag = self.millis(0, 60);
        let Some(line) = self.lines.get_mut(&number) else { return };
        match kind {
            0 => {
                self.faults.hung_up += 1;
                self.talkers[client].hang_up(self.now);
                self.speak(client);
                self.end_line(number, lag);
            }
            1 => {
                self.faults.ended += 1;
                self.end_line(number, lag);
            }
            2 | 3 => {
                // What was under way in both directions is gone.
                self.faults.reset += 1;
                line.is_whole = false;
                self.queue.retain(|_, h| !matches!(h, Happening::Up(line, _) if *line == number));
                self.at(lag, Happening::UpEnd(number));
            }
            4 if self.talkers[client].has_heard => {
                // Nobody tells the server.
                self.faults.half_open += 1;
                line.is_whole = false;
            }
            5 if self.talkers[client].is_in() => {
                self.faults.slow += 1;
                line.is_frozen = true;
                let thaw = self.millis(500, 3000);
                self.at(thaw, Happening::Thaw(number));
                return self.at(thaw + Duration::from_secs(1), Happening::Fault(client, number));
            }
            6 if self.talkers[client].is_in() => {
                self.faults.quit += 1;
                self.talkers[client].quit(self.now, &mut self.checker);
                self.speak(client);
                self.end_line(number, lag);
            }
            _ => return self.at(lag, Happening::Fault(client, number)),
        }
        self.drop_line(client);
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
                    | Happening::Thaw(_)
            )
        });
        let rng = self.rng.fork(&format!("crash {}", self.faults.crashes));
        (self.server, self.service) = start(&self.disk, &rng, self.now);
        for client in 0..self.talkers.len() {
            if self.current[client].is_some() {
                self.drop_line(client);
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
        self.server.written(key, bytes.len());
        self.at_time(at, Happening::Down(number, bytes.into()));
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
