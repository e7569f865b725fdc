//! Two ends joined by a pipe with rules: the bench for the tests of TCP.

mod closing;
mod congestion;
mod ecn;
mod exhaustive;
mod handshake;
mod loss;
mod path_mtu;
mod rack;
mod recovery;
mod requirements;
mod robustness;
mod scripts;
mod spurious;
mod syn_cookies;
mod timestamps;
mod window;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::*;
use crate::base::{Duration, Instant, Machine, Writer};
use crate::layers::internet::prefix::v4;
use crate::trace;

const A: usize = 0;
const B: usize = 1;
const ADDRESS: [IpAddr; 2] = [v4(10, 0, 0, 1), v4(10, 0, 0, 2)];
const PORT: [u16; 2] = [49_152, 80];
/// The initial sequence numbers of the RFC's figures.
const ISN: [SeqNumber; 2] = [SeqNumber(100), SeqNumber(300)];

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn end(side: usize) -> SocketAddr {
    SocketAddr::new(ADDRESS[side], PORT[side])
}

/// The bare machine: a test switches on what it is about.
fn config() -> Config {
    Config { trace: true, ..Config::bare() }
}

/// What becomes of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    Drop,
    Twice,
    /// Held back so long.
    Late(Duration),
    /// One bit of this byte (counted modulo the length) is turned over.
    Corrupt(usize),
}

/// Asked about each segment: its sender, its ordinal on the wire, and the segment.
type Rule = Box<dyn FnMut(usize, usize, &Segment) -> Fate>;

/// One end with its program: it reads all that comes, unless it is slow on purpose.
struct End {
    config: Config,
    isn: SeqNumber,
    connection: Option<Connection>,
    listener: Option<Listener>,
    wake: Option<Instant>,
    events: Vec<Event>,
    /// How often IP was told that the way may be dead.
    advice: usize,
    /// What IP was told of the path.
    path_mtus: Vec<u16>,
    traces: Vec<trace::Kind>,
    received: Vec<u8>,
    reads: bool,
    /// It reads no more than this many bytes each time something happens.
    appetite: usize,
    to_write: Vec<u8>,
    /// Written in pieces of this size.
    write_size: usize,
    shutdown_when_written: bool,
}

struct Pipe {
    now: Instant,
    ends: [End; 2],
    delay: Duration,
    rule: Rule,
    /// In flight: by time of arrival and order of sending, with the receiver.
    wire: BTreeMap<(Instant, usize), (usize, Bytes)>,
    /// All that was sent, with the sender.
    log: Vec<(usize, Segment)>,
    copies: usize,
}

impl End {
    fn new(side: usize, config: &Config) -> Self {
        End {
            config: config.clone(),
            isn: ISN[side],
            connection: None,
            listener: None,
            wake: None,
            events: Vec::new(),
            advice: 0,
            path_mtus: Vec::new(),
            traces: Vec::new(),
            received: Vec::new(),
            reads: true,
            appetite: usize::MAX,
            to_write: Vec::new(),
            write_size: usize::MAX,
            shutdown_when_written: false,
        }
    }

    fn state(&self) -> State {
        self.connection.as_ref().map_or(State::Closed, Connection::state)
    }

    fn retransmitted(&self) -> usize {
        self.traces.iter().filter(|kind| matches!(kind, trace::Kind::Retransmitted { .. })).count()
    }

    /// The states it went through, the first included.
    fn states(&self) -> Vec<&'static str> {
        let mut states = Vec::new();
        for kind in &self.traces {
            if let trace::Kind::StateChanged { from, to, .. } = kind {
                if states.is_empty() {
                    states.push(*from);
                }
                states.push(*to);
            }
        }
        states
    }
}

impl Pipe {
    /// Two closed ends, 10 ms apart, that lose nothing.
    fn new(config: &Config) -> Self {
        Pipe {
            now: Instant::ZERO,
            ends: [End::new(A, config), End::new(B, config)],
            delay: ms(10),
            rule: Box::new(|_, _, _| Fate::Pass),
            wire: BTreeMap::new(),
            log: Vec::new(),
            copies: 0,
        }
    }

    /// A has opened a connection to B, which listens.
    fn opening(config: &Config) -> Self {
        let mut pipe = Pipe::new(config);
        pipe.listen(B);
        pipe.connect(A);
        pipe
    }

    /// The handshake is done.
    fn open(config: &Config) -> Self {
        let mut pipe = Pipe::opening(config);
        pipe.run_for(ms(100));
        assert_eq!(pipe.states(), [State::Established; 2]);
        pipe.log.clear();
        pipe
    }

    fn with_rule(mut self, rule: impl FnMut(usize, usize, &Segment) -> Fate + 'static) -> Self {
        self.rule = Box::new(rule);
        self
    }

    fn listen(&mut self, side: usize) {
        self.ends[side].listener = Some(Listener::new(PORT[side], self.ends[side].config.clone()));
    }

    fn connect(&mut self, side: usize) {
        let (isn, config) = (self.ends[side].isn, self.ends[side].config.clone());
        let connection = Connection::connect(self.now, end(side), end(1 - side), isn, &config);
        self.ends[side].connection = Some(connection);
        self.drain(side);
    }

    /// Does something to one end's connection, then lets it speak.
    fn with<T>(&mut self, side: usize, command: impl FnOnce(&mut Connection, Instant) -> T) -> T {
        let result = command(self.ends[side].connection.as_mut().unwrap(), self.now);
        self.drain(side);
        result
    }

    fn write(&mut self, side: usize, bytes: &[u8]) {
        self.ends[side].to_write.extend_from_slice(bytes);
        self.drain(side);
    }

    fn shutdown(&mut self, side: usize) {
        self.with(side, Connection::shutdown);
    }

    fn info(&self, side: usize) -> Info {
        self.ends[side].connection.as_ref().unwrap().info()
    }

    fn states(&self) -> [State; 2] {
        [self.ends[A].state(), self.ends[B].state()]
    }

    /// Lets the program write and read, and puts what comes out where it belongs, until nothing more does.
    fn drain(&mut self, side: usize) {
        let mut hunger = self.ends[side].appetite;
        loop {
            let progress = self.run_program(side, &mut hunger);
            let Some(connection) = self.ends[side].connection.as_mut() else { return };
            let mut quiet = true;
            let mut outputs = Vec::new();
            while let Some(output) = connection.poll(self.now) {
                quiet = false;
                outputs.push(output);
                assert!(outputs.len() < 100_000, "it never falls silent");
            }
            for output in outputs {
                self.take(side, output);
            }
            if quiet && !progress {
                return;
            }
        }
    }

    fn run_program(&mut self, side: usize, hunger: &mut usize) -> bool {
        let end = &mut self.ends[side];
        let Some(connection) = end.connection.as_mut() else { return false };
        // A listener hands over a connection when it stands: one that ends before is not the program's.
        if connection.passive && !end.events.contains(&Event::Connected) {
            return false;
        }
        let mut progress = false;
        if end.reads {
            while let Some(bytes) = connection.read(self.now, *hunger) {
                *hunger -= bytes.len();
                end.received.extend_from_slice(&bytes);
                progress = true;
            }
        }
        while !end.to_write.is_empty() {
            let piece = Bytes::copy_from_slice(&end.to_write[..end.write_size.min(end.to_write.len())]);
            match connection.write(self.now, piece) {
                Ok(0) => break,
                Ok(n) => drop(end.to_write.drain(..n)),
                Err(_) => end.to_write.clear(),
            }
            progress = true;
        }
        if end.shutdown_when_written && end.to_write.is_empty() {
            end.shutdown_when_written = false;
            connection.shutdown(self.now);
            progress = true;
        }
        progress
    }

    fn take(&mut self, side: usize, output: Output) {
        match output {
            Output::Send(segment) => self.send(side, segment),
            Output::Event(event) => self.ends[side].events.push(event),
            Output::Trace(kind) => self.ends[side].traces.push(kind),
            Output::WakeAt(at) => self.ends[side].wake = Some(at),
            Output::NegativeAdvice => self.ends[side].advice += 1,
            Output::PathMtu(mtu) => self.ends[side].path_mtus.push(mtu),
        }
    }

    fn send(&mut self, from: usize, segment: Segment) {
        let number = self.log.len();
        let mut w = Writer::new();
        segment.emit(ADDRESS[from], ADDRESS[1 - from], &mut w);
        let bytes = w.finish();
        let fate = (self.rule)(from, number, &segment);
        self.log.push((from, segment));
        let at = self.now + self.delay;
        let mut put = |at, bytes| {
            self.copies += 1;
            self.wire.insert((at, self.copies), (1 - from, bytes));
        };
        match fate {
            Fate::Pass => put(at, bytes),
            Fate::Drop => {}
            Fate::Twice => {
                put(at, bytes.clone());
                put(at, bytes);
            }
            Fate::Late(by) => put(at + by, bytes),
            Fate::Corrupt(byte) => {
                let mut damaged = bytes.to_vec();
                let byte = byte % damaged.len();
                damaged[byte] ^= 1;
                put(at, damaged.into());
            }
        }
    }

    /// Puts a segment onto the wire as if `from` had sent it.
    fn forge(&mut self, from: usize, segment: Segment) {
        self.send(from, segment);
    }

    /// The next arrival or wake-up, if it comes before `until`.
    fn step(&mut self, until: Instant) -> bool {
        let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
        let wake = self.ends.iter().filter_map(|end| end.wake).min();
        let next = [arrival, wake].into_iter().flatten().min().filter(|at| *at <= until);
        let Some(next) = next else { return false };
        self.now = self.now.max(next);
        if arrival == Some(next) {
            let (_, (to, bytes)) = self.wire.pop_first().unwrap();
            if let Ok(segment) = Segment::parse(ADDRESS[1 - to], ADDRESS[to], &bytes, 0) {
                self.deliver(to, segment);
            }
        } else {
            for side in [A, B] {
                if self.ends[side].wake == Some(next) {
                    self.ends[side].wake = None;
                    if let Some(connection) = self.ends[side].connection.as_mut() {
                        connection.handle(self.now, Input::Wake);
                    }
                    self.drain(side);
                }
            }
        }
        true
    }

    fn deliver(&mut self, to: usize, segment: Segment) {
        let now = self.now;
        let end = &mut self.ends[to];
        match end.connection.as_mut().filter(|connection| connection.state() != State::Closed) {
            Some(connection) => connection.handle(now, Input::Segment(segment)),
            None => {
                let isn = end.isn;
                let answer = match &end.listener {
                    Some(listener) => {
                        listener.segment_arrives(now, ADDRESS[1 - to], ADDRESS[to], &segment, || isn)
                    }
                    None => reply_to_stray(&segment).map_or(Answer::Ignore, Answer::Reply),
                };
                match answer {
                    Answer::Ignore => {}
                    Answer::Reply(reset) => self.send(to, reset),
                    Answer::Open(connection) => end.connection = Some(*connection),
                }
            }
        }
        self.drain(to);
    }

    fn run_for(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until nothing is on the wire and no timer runs; panics after too many steps.
    fn run_to_the_end(&mut self) {
        for _ in 0..200_000 {
            if !self.step(Instant::NEVER) {
                return;
            }
        }
        panic!("no end after 200000 steps: {:?}", self.states());
    }

    /// Runs until `done`; panics after too many steps.
    fn run_until(&mut self, done: impl Fn(&Pipe) -> bool) {
        for _ in 0..200_000 {
            if done(self) {
                return;
            }
            if !self.step(Instant::NEVER) {
                let read = |pipe: &Pipe| pipe.ends[A].received.len() + pipe.ends[B].received.len();
                let before = read(self);
                self.drain(A);
                self.drain(B);
                assert!(read(self) > before, "nothing moves: {:?} {}", self.states(), self.ladder());
            }
        }
        panic!("not done after 200000 steps: {:?}", self.states());
    }

    /// What was sent, in the words of the RFC's figures.
    fn ladder(&self) -> String {
        let line = |(from, segment): &(usize, Segment)| {
            let header = &segment.header;
            let arrow = if *from == A { "-->" } else { "<--" };
            let mut text = format!("{arrow} <SEQ={}>", header.seq);
            if header.flags.has(Flags::ACK) {
                text += &format!("<ACK={}>", header.ack);
            }
            if !segment.payload.is_empty() {
                text += &format!("<DATA={}>", segment.payload.len());
            }
            text += &format!("<CTL={}>", header.flags.without(Flags::PSH).to_string().replace(' ', ","));
            text
        };
        self.log.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn assert_ladder(&self, expected: &[&str]) {
        assert_eq!(self.ladder(), expected.join("\n"));
    }
}

/// A segment as the figures write it.
fn segment(from: usize, seq: u32, ack: Option<u32>, flags: Flags, payload: &'static [u8]) -> Segment {
    let header = TcpHeader {
        source_port: PORT[from],
        destination_port: PORT[1 - from],
        seq: SeqNumber(seq),
        ack: SeqNumber(ack.unwrap_or(0)),
        flags: flags.with_if(ack.is_some(), Flags::ACK),
        window: 65_535,
        ..TcpHeader::default()
    };
    Segment { header, payload: Bytes::from_static(payload) }
}
