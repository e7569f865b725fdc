//! A client of the soak as a program on a simulated host, and all that may happen to its connections.
//!
//! It breaks off by FIN and by RST, in the middle of a request and of an upgrade; it is silent for ever (half-open) or
//! reads nothing for a while; it says goodbye; and it comes back, to whichever server chance chooses.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use netlayers::base::{Duration, Instant, Rng};
use netlayers::chat::soak::{Checker, Talker, Upgrade, Wish};
use netlayers::layers::application::engineio::poller::{CarrierInput, Line};
use netlayers::layers::stack::{SocketEvent, SocketId};
use netlayers::sim::{App, Io};

use super::world::{Faults, Flaw};

/// What all clients of a run share.
pub(crate) struct Shared {
    pub(crate) checker: Checker,
    pub(crate) faults: Faults,
    pub(crate) flaw: Option<Flaw>,
}

/// See the head of this file.
pub(crate) struct Visitor {
    talker: Talker,
    servers: Vec<SocketAddr>,
    shared: Rc<RefCell<Shared>>,
    rng: Rng,
    /// Where it was last.
    last: Option<SocketAddr>,
    /// Its session, when it has one.
    playing: Option<Playing>,
    lines: BTreeMap<Line, Tcp>,
    /// Connections on which it is silent, and does not read either.
    silent: BTreeSet<SocketId>,
    /// It reads nothing.
    is_frozen: bool,
    /// What is going to happen.
    plans: BTreeMap<(Instant, u64), Plan>,
    next: u64,
    is_ending: bool,
}

struct Tcp {
    socket: SocketId,
    unsent: VecDeque<Bytes>,
    /// The peer has closed it, and that has not been looked at.
    has_ended: bool,
}

#[derive(Debug, Clone, Copy)]
struct Playing {
    number: u64,
    server: SocketAddr,
    /// It has said goodbye, and its connections are not closed yet.
    is_leaving: bool,
    /// What happens to the next bytes on a connection.
    ambush: Option<Ambush>,
    /// Where the upgrade is going to be cut, and whether all other connections are cut with it.
    cut_upgrade: Option<(Upgrade, bool)>,
}

/// With the number of the session that it is for.
#[derive(Debug, Clone, Copy)]
enum Plan {
    Return,
    Turn(u64),
    Fault(u64),
    Thaw,
    LastWord,
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

const LINES: [Line; 3] = [Line::Poll, Line::Post, Line::Socket];

impl Visitor {
    pub(crate) fn new(
        talker: Talker,
        servers: &[SocketAddr],
        shared: &Rc<RefCell<Shared>>,
        rng: Rng,
    ) -> Self {
        let mut visitor = Visitor {
            talker,
            servers: servers.to_vec(),
            shared: shared.clone(),
            rng,
            last: None,
            playing: None,
            lines: BTreeMap::new(),
            silent: BTreeSet::new(),
            is_frozen: false,
            plans: BTreeMap::new(),
            next: 0,
            is_ending: false,
        };
        let wait = visitor.millis(0, 1000);
        visitor.plan(Instant::ZERO, wait, Plan::Return);
        visitor
    }

    /// Faults cease: it comes back, and says a last word when a half-open connection would have been found out.
    pub(crate) fn end(&mut self, io: &mut Io<'_>) {
        self.is_ending = true;
        let wait = self.millis(7000, 8000);
        self.plan(io.now(), wait, Plan::LastWord);
        self.settle(io);
    }

    /// Whether it has said its last words and has heard them.
    pub(crate) fn has_heard_itself(&self) -> bool {
        self.talker.is_quiet() && self.talker.has_heard_itself()
    }

    fn plan(&mut self, now: Instant, after: Duration, plan: Plan) {
        self.next += 1;
        self.plans.insert((now + after, self.next), plan);
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.rng.below(to - from))
    }

    fn plays(&self, session: u64) -> bool {
        self.playing.is_some_and(|playing| playing.number == session)
    }

    fn act(&mut self, plan: Plan, io: &mut Io<'_>) {
        match plan {
            Plan::Return => self.open(io),
            Plan::Turn(session) if !self.is_ending && self.plays(session) => {
                self.talker.turn(io.now(), &mut self.shared.borrow_mut().checker);
                let wait = self.millis(200, 1200);
                self.plan(io.now(), wait, plan);
                self.speak(io);
            }
            Plan::Fault(session) if !self.is_ending && self.plays(session) => self.fault(session, io),
            Plan::Turn(_) | Plan::Fault(_) => {}
            Plan::Thaw => {
                self.is_frozen = false;
                LINES.into_iter().for_each(|line| self.read(line, io));
            }
            Plan::LastWord => {
                self.talker.last_words(io.now(), &mut self.shared.borrow_mut().checker);
                self.speak(io);
            }
        }
    }

    /// Opens a session.
    fn open(&mut self, io: &mut Io<'_>) {
        self.next += 1;
        let number = self.next;
        let step = Upgrade::STEPS[self.rng.below(5) as usize];
        let whole = self.rng.below(2) == 0;
        let cut_upgrade = (!self.is_ending && self.rng.below(3) > 0).then_some((step, whole));
        let server = self.servers[self.rng.below(self.servers.len() as u64) as usize];
        if self.last.replace(server).is_some_and(|last| last != server) {
            self.shared.borrow_mut().faults.moved += 1;
        }
        self.playing = Some(Playing { number, server, is_leaving: false, ambush: None, cut_upgrade });
        self.talker.open(io.now(), &mut self.shared.borrow_mut().checker);
        if !self.is_ending {
            let (turn, fault) = (self.millis(100, 600), self.millis(1500, 6000));
            self.plan(io.now(), turn, Plan::Turn(number));
            self.plan(io.now(), fault, Plan::Fault(number));
        }
        self.speak(io);
    }

    /// The client learns what has happened.
    fn tell(&mut self, input: CarrierInput, io: &mut Io<'_>) {
        let before = self.talker.upgrade();
        self.talker.take(io.now(), input, &mut self.shared.borrow_mut().checker);
        if before != Upgrade::Moved && self.talker.upgrade() == Upgrade::Moved {
            self.shared.borrow_mut().faults.upgraded += 1;
        }
        self.speak(io);
    }

    /// What the client wishes is done.
    fn speak(&mut self, io: &mut Io<'_>) {
        while let Some(wish) = self.talker.wish() {
            match wish {
                Wish::Connect(line) => self.connect(line, io),
                Wish::Write(line, bytes) => self.write(line, bytes, io),
                Wish::Close(line) => self.close(line, io),
            }
        }
        self.lines.values_mut().for_each(|tcp| tcp.flush(io));
        let Some(playing) = &mut self.playing else { return };
        let upgrade = self.talker.upgrade();
        if let Some((step, whole)) = playing.cut_upgrade.filter(|(step, _)| *step <= upgrade)
            && !playing.is_leaving
        {
            playing.cut_upgrade = None;
            // When it ends the session it is as if half-open, unless the server sees it: see the checker.
            if step == upgrade && (self.talker.has_heard || (!whole && upgrade != Upgrade::Moved)) {
                return self.cut_upgrade(step, whole, io);
            }
        }
        let is_leaving = playing.is_leaving;
        if if is_leaving { self.talker.has_hung_up() } else { self.talker.is_over() } {
            self.drop_session(io);
        }
    }

    fn cut_upgrade(&mut self, step: Upgrade, whole: bool, io: &mut Io<'_>) {
        self.shared.borrow_mut().faults.upgrade_cut[step as usize - 1] += 1;
        if whole {
            LINES.into_iter().for_each(|line| self.reset(line, io));
            self.drop_session(io);
        } else {
            self.reset(Line::Socket, io);
            self.tell(CarrierInput::Gone(Line::Socket), io);
        }
    }

    fn connect(&mut self, line: Line, io: &mut Io<'_>) {
        let Some(playing) = self.playing else { return };
        match io.tcp_connect(playing.server) {
            Ok(socket) => {
                self.lines.insert(line, Tcp { socket, unsent: VecDeque::new(), has_ended: false });
            }
            Err(error) => panic!("a client has ports and a route: {error}"),
        }
    }

    fn write(&mut self, line: Line, mut bytes: Bytes, io: &mut Io<'_>) {
        let is_torn = line == Line::Post && self.springs(Ambush::TearPost);
        if is_torn {
            self.shared.borrow_mut().faults.post_torn += 1;
            bytes.truncate(self.rng.below(bytes.len() as u64) as usize);
        }
        if let Some(tcp) = self.lines.get_mut(&line) {
            tcp.unsent.push_back(bytes);
        }
        if is_torn {
            self.close(line, io);
            self.tell(CarrierInput::Gone(line), io);
        }
    }

    /// What has come on a connection.
    fn read(&mut self, line: Line, io: &mut Io<'_>) {
        while !self.is_frozen
            && let Some(tcp) = self.lines.get(&line)
        {
            let (socket, has_ended) = (tcp.socket, tcp.has_ended);
            match io.tcp_read(socket, 64 << 10) {
                Some(bytes) => self.hear(line, bytes, io),
                None if has_ended => {
                    self.lines.remove(&line);
                    io.tcp_shutdown(socket);
                    self.tell(CarrierInput::Gone(line), io);
                }
                None => return,
            }
        }
    }

    fn hear(&mut self, line: Line, mut bytes: Bytes, io: &mut Io<'_>) {
        let swallows = self.shared.borrow().flaw == Some(Flaw::SwallowsAPoll);
        if swallows && line == Line::Poll && is_plain_answer(&bytes) && self.rng.below(10) == 0 {
            // As if the server had answered so.
            bytes = Bytes::from_static(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6");
        }
        if line == Line::Post && self.springs(Ambush::LoseAnswer) {
            self.shared.borrow_mut().faults.answer_lost += 1;
        } else if line == Line::Poll && self.springs(Ambush::TearGet) {
            self.shared.borrow_mut().faults.get_torn += 1;
            bytes.truncate(self.rng.below(bytes.len() as u64) as usize);
            self.tell(CarrierInput::Bytes(line, bytes), io);
        } else {
            return self.tell(CarrierInput::Bytes(line, bytes), io);
        }
        self.reset(line, io);
        self.tell(CarrierInput::Gone(line), io);
    }

    fn springs(&mut self, ambush: Ambush) -> bool {
        self.playing.as_mut().is_some_and(|playing| playing.ambush.take_if(|laid| *laid == ambush).is_some())
    }

    /// The client is without a session, and will come back.
    fn drop_session(&mut self, io: &mut Io<'_>) {
        self.talker.lost();
        self.playing = None;
        self.is_frozen = false;
        LINES.into_iter().for_each(|line| self.close(line, io));
        let most = if self.is_ending { 300 } else { 2500 };
        let wait = self.millis(50, most);
        self.plan(io.now(), wait, Plan::Return);
    }

    fn fault(&mut self, session: u64, io: &mut Io<'_>) {
        let kind = self.rng.below(if self.talker.polls() { 11 } else { 7 });
        let lag = self.millis(1, 60);
        let now = io.now();
        // Whoever polls may be cut off while the server has nothing of it in hand, and nobody tells the server.
        let may_vanish = self.talker.has_heard;
        let may_break = may_vanish || !self.talker.polls();
        let count = |faults: fn(&mut Faults) -> &mut u32| *faults(&mut self.shared.borrow_mut().faults) += 1;
        match kind {
            0 | 6 if self.talker.is_in() => {
                self.playing.iter_mut().for_each(|playing| playing.is_leaving = true);
                if kind == 0 {
                    count(|faults| &mut faults.hung_up);
                    self.talker.hang_up(now);
                } else {
                    count(|faults| &mut faults.quit);
                    self.talker.quit(now, &mut self.shared.borrow_mut().checker);
                }
                self.speak(io);
            }
            1 if may_break => {
                count(|faults| &mut faults.ended);
                self.drop_session(io);
            }
            2 | 3 if may_break => {
                count(|faults| &mut faults.reset);
                LINES.into_iter().for_each(|line| self.reset(line, io));
                self.drop_session(io);
            }
            4 if may_vanish => {
                count(|faults| &mut faults.half_open);
                self.silent.extend(std::mem::take(&mut self.lines).into_values().map(|tcp| tcp.socket));
                self.drop_session(io);
            }
            5 if self.talker.is_in() => {
                count(|faults| &mut faults.slow);
                self.is_frozen = true;
                let thaw = self.millis(500, 3000);
                self.plan(now, thaw, Plan::Thaw);
                self.plan(now, thaw + Duration::from_secs(1), Plan::Fault(session));
            }
            7 if may_vanish => {
                count(|faults| &mut faults.get_cut);
                self.reset(Line::Poll, io);
                self.tell(CarrierInput::Gone(Line::Poll), io);
            }
            8..11 if may_vanish => {
                let ambushes = [Ambush::TearGet, Ambush::TearPost, Ambush::LoseAnswer];
                let ambush = Some(ambushes[kind as usize - 8]);
                self.playing.iter_mut().for_each(|playing| playing.ambush = ambush);
                self.plan(now, Duration::from_secs(3), Plan::Fault(session));
            }
            _ => self.plan(now, lag, Plan::Fault(session)),
        }
    }

    /// Its end is closed in order: what it said before arrives.
    fn close(&mut self, line: Line, io: &mut Io<'_>) {
        if let Some(mut tcp) = self.lines.remove(&line) {
            tcp.flush(io);
            io.tcp_shutdown(tcp.socket);
            while io.tcp_read(tcp.socket, usize::MAX).is_some() {}
        }
    }

    /// What was under way in both directions is gone.
    fn reset(&mut self, line: Line, io: &mut Io<'_>) {
        if let Some(tcp) = self.lines.remove(&line) {
            io.tcp_abort(tcp.socket);
        }
    }

    /// Does what is due, and asks to be woken for what is not.
    fn settle(&mut self, io: &mut Io<'_>) {
        let now = io.now();
        while let Some(plan) = self.plans.first_entry().filter(|plan| plan.key().0 <= now) {
            let plan = plan.remove();
            self.act(plan, io);
        }
        let next = self.plans.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
        let due = next.min(self.talker.due());
        if due < Instant::NEVER {
            io.wake_at(due);
        }
    }
}

impl App for Visitor {
    fn start(&mut self, io: &mut Io<'_>) {
        self.settle(io);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        let socket = event.socket();
        let line = self.lines.iter().find(|(_, tcp)| tcp.socket == socket).map(|(line, _)| *line);
        match (event, line) {
            (SocketEvent::Connected(_), Some(line)) => self.tell(CarrierInput::Connected(line), io),
            (SocketEvent::Readable(_), Some(line)) => self.read(line, io),
            (SocketEvent::Writable(_), Some(line)) => {
                self.lines.get_mut(&line).into_iter().for_each(|tcp| tcp.flush(io));
            }
            (SocketEvent::PeerClosed(_) | SocketEvent::Closed { .. }, Some(line)) => {
                self.lines.get_mut(&line).into_iter().for_each(|tcp| tcp.has_ended = true);
                self.read(line, io);
            }
            // A connection that was let go: what still comes on it is read, or its end would never be seen.
            (SocketEvent::Readable(_), None) if !self.silent.contains(&socket) => {
                while io.tcp_read(socket, usize::MAX).is_some() {}
            }
            (SocketEvent::PeerClosed(_), None) => io.tcp_close(socket),
            (SocketEvent::Closed { .. }, None) => {
                self.silent.remove(&socket);
            }
            _ => {}
        }
        self.settle(io);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        if self.talker.due() <= io.now() {
            self.tell(CarrierInput::Wake, io);
        }
        self.settle(io);
    }
}

impl Tcp {
    fn flush(&mut self, io: &mut Io<'_>) {
        while let Some(bytes) = self.unsent.front_mut() {
            match io.tcp_write(self.socket, bytes) {
                Ok(taken) if taken < bytes.len() => {
                    *bytes = bytes.slice(taken..);
                    return;
                }
                Ok(_) => drop(self.unsent.pop_front()),
                Err(_) => self.unsent.clear(),
            }
        }
    }
}

/// A whole answer to a GET with events, and no attachments: the client could not even read what is left of the others.
fn is_plain_answer(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    let head = bytes.windows(4).position(|part| part == b"\r\n\r\n");
    let length = std::str::from_utf8(bytes).ok().and_then(|text| {
        let (_, rest) = text.split_once("Content-Length: ")?;
        rest.split_once("\r\n")?.0.parse::<usize>().ok()
    });
    let is_whole = head.zip(length).is_some_and(|(head, length)| head + 4 + length == bytes.len());
    is_whole && has(b"said") && !has(b"_placeholder") && !has(b"\x1eb") && !has(b"\r\n\r\nb")
}
