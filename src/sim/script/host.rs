//! Our TCP in virtual time, with nothing between it and the script: what a program does, what arrives, what leaves.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::parse::Script;
use super::segment::{Ends, Sent, stream};
use crate::base::{Header as _, Instant, Machine as _, Writer};
use crate::layers::internet::ipv4::{Ecn, Ipv4Header, protocol};
use crate::layers::internet::prefix::v4;
use crate::layers::link::ethernet::{EtherType, EthernetHeader, MacAddr, pad_to_minimum};
use crate::layers::transport::tcp::{
    Answer, Config, Connection, Cookies, Event, Flags, IcmpError, Input, Listener, Misuse, Output, Segment,
    State, SynCookies, reply_to_stray,
};
use crate::sim::fate::{self, Fate, Turn};
use crate::trace::{Flow, FrameId, Kind, LinkId, Place, PlaceId, Protocol, Recorder, Trace, Wire};

const ADDRESSES: [IpAddr; 2] = [v4(10, 0, 0, 1), v4(10, 0, 0, 2)];
/// A port that programs get, and one that they listen on.
const PORTS: [u16; 2] = [49_152, 9000];

/// The secret of SYN cookies: any, for no script guesses one.
const SECRET: [u8; 16] = *b"a script's secre";

/// Our end, its program, and what a peer would know.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) now: Instant,
    config: Config,
    pub(super) ends: Ends,
    listener: Option<Listener>,
    cookies: Cookies,
    pub(super) connection: Option<Connection>,
    wake: Option<Instant>,
    /// What was sent and no line has spoken of.
    pub(super) sent: VecDeque<(Instant, Sent)>,
    pub(super) events: VecDeque<Event>,
    /// cwnd and ssthresh, as the trace last had them.
    pub(super) windows: Option<(u64, u64)>,
    /// Bytes of the stream that were written, and read.
    written: u64,
    read: u64,
    recorder: Recorder,
    places: [PlaceId; 2],
    frames: u64,
    /// The fates that some of them get.
    turns: Vec<Turn>,
    /// What a fork holds back, the earliest first. Bounded by the number of forks.
    late: VecDeque<Late>,
}

/// A frame that a fork holds back.
#[derive(Debug)]
struct Late {
    at: Instant,
    frame: FrameId,
    /// The end that it comes to.
    to: usize,
    /// What our TCP gets; nothing, when it goes to the script.
    segment: Option<(Segment, bool)>,
}

impl Host {
    pub(super) fn new(script: &Script, turns: &[Turn]) -> Host {
        let mut recorder = Recorder::on(script.title.as_str(), Wire::Sim);
        let places = ["TCP", "script"].map(str::to_owned);
        let mut ends = places.into_iter().zip(ADDRESSES);
        let mut place = || {
            let (name, address) = ends.next().unwrap_or_else(|| (String::new(), ADDRESSES[0]));
            recorder.place(Place { name, addresses: vec![address] })
        };
        let places = [place(), place()];
        Host {
            now: Instant::ZERO,
            config: script.config.clone(),
            ends: Ends {
                isn: script.isn,
                peer_isn: script.peer_isn,
                next: script.peer_isn,
                ack: script.isn,
                window: u16::MAX,
                clocks: (0, 0),
                ports: (PORTS[0], PORTS[1]),
            },
            listener: None,
            cookies: Cookies::new(SECRET),
            connection: None,
            wake: None,
            sent: VecDeque::new(),
            events: VecDeque::new(),
            windows: None,
            written: 0,
            read: 0,
            recorder,
            places,
            frames: 0,
            turns: turns.to_vec(),
            late: VecDeque::new(),
        }
    }

    pub(super) fn into_trace(self) -> Trace {
        self.recorder.into_trace()
    }

    pub(super) fn state(&self) -> State {
        match (&self.connection, &self.listener) {
            (Some(connection), _) if connection.state() != State::Closed => connection.state(),
            (_, Some(_)) => State::Listen,
            _ => State::Closed,
        }
    }

    // What the program does.

    pub(super) fn listen(&mut self) {
        self.ends.ports = (PORTS[1], PORTS[0]);
        self.listener = Some(Listener::new(PORTS[1], self.config.clone()));
    }

    pub(super) fn connect(&mut self) {
        let (local, remote) = self.sockets();
        self.begin(Connection::connect(self.now, local, remote, self.ends.isn, &self.config));
    }

    fn sockets(&self) -> (SocketAddr, SocketAddr) {
        let (own, other) = self.ends.ports;
        (SocketAddr::new(ADDRESSES[0], own), SocketAddr::new(ADDRESSES[1], other))
    }

    /// A connection that has just begun takes the place of the one before it.
    fn begin(&mut self, connection: Connection) {
        self.ends.ack = self.ends.isn;
        (self.wake, self.windows) = (None, None);
        (self.written, self.read) = (0, 0);
        self.connection = Some(connection);
        self.drain();
    }

    /// Does something to the connection, then lets it speak. `None` when there is none.
    pub(super) fn with<T>(&mut self, call: impl FnOnce(&mut Connection, Instant) -> T) -> Option<T> {
        let done = self.connection.as_mut().map(|connection| call(connection, self.now));
        self.drain();
        done
    }

    pub(super) fn write(&mut self, len: usize, urgent: bool) -> Result<usize, Misuse> {
        let bytes = stream(1 + self.written as u32, len);
        let Some(connection) = &mut self.connection else { return Err(Misuse::NotConnected) };
        let taken = match urgent {
            true => connection.write_urgent(self.now, bytes.clone()),
            false => connection.write(self.now, bytes.clone()),
        }?;
        self.written += taken as u64;
        self.record(0, Kind::AppWrote { flow: self.flow(), bytes: bytes.slice(..taken) });
        self.drain();
        Ok(taken)
    }

    /// Reads at most `most` bytes: how many there were, and whether they are those of the peer's stream.
    pub(super) fn read(&mut self, most: usize) -> (usize, bool) {
        let (mut len, mut right) = (0, true);
        while len < most
            && let Some(connection) = &mut self.connection
            && let Some(bytes) = connection.read(self.now, most - len)
        {
            right &= bytes == stream(1 + self.read as u32, bytes.len());
            self.read += bytes.len() as u64;
            len += bytes.len();
            self.record(0, Kind::AppRead { flow: self.flow(), bytes });
        }
        self.drain();
        (len, right)
    }

    fn flow(&self) -> Flow {
        let (local, remote) = self.sockets();
        Flow::new(Protocol::Tcp, local, remote)
    }

    // What arrives.

    pub(super) fn arrives(&mut self, segment: &Segment, marked: bool) {
        self.note_arrival(segment);
        let ecn = if marked { Ecn::Ce } else { Ecn::NotEct };
        for _ in 0..self.on_wire(1, segment, ecn, marked) {
            self.takes(segment.clone(), marked);
        }
    }

    /// Our TCP gets a segment.
    fn takes(&mut self, segment: Segment, marked: bool) {
        let fresh = self.ends.isn + (self.now.as_nanos() / 4_000) as u32 + 1;
        let mut isn = self.ends.isn;
        let live = self.connection.as_mut().filter(|connection| connection.state() != State::Closed);
        if let Some(connection) = live {
            match connection.make_way(self.now, &segment, || fresh).filter(|_| self.listener.is_some()) {
                Some(next) => isn = next,
                None => {
                    let input = if marked { Input::Marked(segment) } else { Input::Segment(segment) };
                    connection.handle(self.now, input);
                    return self.drain();
                }
            }
            self.drain();
        }
        if let Some(mut connection) = self.redeem(&segment) {
            connection.handle(self.now, Input::Segment(segment));
            self.begin(*connection);
            self.ends.ack = self.ends.isn + 1;
            return;
        }
        let answer = match &self.listener {
            Some(listener) => {
                listener.segment_arrives(self.now, ADDRESSES[1], ADDRESSES[0], &segment, || isn)
            }
            None => reply_to_stray(&segment).map_or(Answer::Ignore, Answer::Reply),
        };
        match answer {
            Answer::Ignore => {}
            Answer::Reply(segment) => self.leaves(segment, false),
            Answer::Open(_) if self.config.syn_cookies == SynCookies::Always => {
                self.answer_by_cookie(&segment);
            }
            Answer::Open(connection) => {
                self.ends.isn = isn;
                self.begin(*connection);
            }
        }
    }

    /// The SYN ACK of a connection that nobody remembers.
    fn answer_by_cookie(&mut self, syn: &Segment) {
        let Some(listener) = &self.listener else { return };
        let ends = (ADDRESSES[1], ADDRESSES[0]);
        if let Some(answer) = self.cookies.answer(self.now, listener, ends, syn) {
            self.ends.isn = answer.header.seq;
            self.ends.ack = self.ends.isn;
            self.leaves(answer, false);
        }
    }

    /// The connection whose cookie a segment brings back.
    fn redeem(&self, segment: &Segment) -> Option<Box<Connection>> {
        let listener = self.listener.as_ref().filter(|_| self.config.syn_cookies != SynCookies::Off)?;
        self.cookies.redeem(self.now, listener, (ADDRESSES[1], ADDRESSES[0]), segment)
    }

    /// What a peer knows of what it sends.
    fn note_arrival(&mut self, segment: &Segment) {
        let end = segment.header.seq + segment.seq_len();
        if !segment.header.flags.has(Flags::RST) && self.ends.next.is_before(end) {
            self.ends.next = end;
        }
        self.ends.window = segment.header.window;
    }

    pub(super) fn icmp(&mut self, error: IcmpError) {
        let text = format!("ICMP error: {error:?}").into();
        self.record(0, Kind::Note { text });
        // What it quotes is the oldest segment in flight.
        let seq = self.connection.as_ref().map_or(self.ends.isn, |connection| {
            self.ends.ack + 0u32.wrapping_sub(connection.info().unacked as u32)
        });
        self.with(|connection, now| connection.handle(now, Input::Icmp { error, seq }));
    }

    // What leaves.

    fn drain(&mut self) {
        while let Some(connection) = &mut self.connection
            && let Some(output) = connection.poll(self.now)
        {
            match output {
                Output::Send(segment) => {
                    let ect = connection.may_be_marked(&segment);
                    self.leaves(segment, ect);
                }
                Output::Event(event) => self.events.push_back(event),
                Output::Trace(kind) => {
                    if let Kind::CwndChanged { cwnd, ssthresh, .. } = &kind {
                        self.windows = Some((*cwnd, *ssthresh));
                    }
                    self.record(0, kind);
                }
                Output::WakeAt(at) => self.wake = Some(at),
                Output::NegativeAdvice | Output::PathMtu(_) => {}
            }
        }
    }

    fn leaves(&mut self, segment: Segment, ect: bool) {
        let end = segment.header.seq + segment.seq_len();
        if !segment.header.flags.has(Flags::RST) && self.ends.ack.is_before(end) {
            self.ends.ack = end;
        }
        if let Some((value, _)) = segment.header.options.timestamps() {
            self.ends.clocks.1 = value;
        }
        self.on_wire(0, &segment, if ect { Ecn::Ect0 } else { Ecn::NotEct }, false);
        self.sent.push_back((self.now, Sent { segment, ect }));
    }

    /// Puts a segment into the trace: as a frame that arrives as it leaves, unless a fork has another fate for it. Says how
    /// often it arrives now.
    fn on_wire(&mut self, from: usize, segment: &Segment, ecn: Ecn, marked: bool) -> usize {
        let to = 1 - from;
        let frame = FrameId(self.frames);
        self.frames += 1;
        let fate = self.turns.iter().find(|turn| turn.frame == frame).map(|turn| turn.fate);
        let bytes = frame_of(from, segment, ecn, self.frames as u16);
        let offset = bytes.len() / 2;
        self.record(from, Kind::Sent { frame, link: LinkId(0), to: self.places[to], bytes });
        let by = fate::NAME.into();
        match fate {
            None => self.record(to, Kind::Delivered { frame }),
            Some(Fate::Lost) => self.record(to, Kind::Dropped { frame, by }),
            Some(Fate::Corrupt) => {
                self.record(to, Kind::Corrupted { frame, by, offset });
                self.record(
                    to,
                    Kind::Discarded { frame, why: "frame check sequence (IEEE 802.3 §3.2.9)".into() },
                );
            }
            Some(Fate::Twice) => {
                let copy = FrameId(fate::COPIES + frame.0);
                self.record(to, Kind::Duplicated { frame, copy, by });
                self.record(to, Kind::Delivered { frame });
                self.record(to, Kind::Delivered { frame: copy });
            }
            Some(Fate::Late(extra)) => {
                self.record(to, Kind::Delayed { frame, by, extra });
                let segment = (from == 1).then(|| (segment.clone(), marked));
                let late = Late { at: self.now + extra, frame, to, segment };
                let before = self.late.partition_point(|other| other.at <= late.at);
                self.late.insert(before, late);
            }
        }
        match fate {
            None => 1,
            Some(Fate::Twice) => 2,
            Some(Fate::Lost | Fate::Corrupt | Fate::Late(_)) => 0,
        }
    }

    fn record(&mut self, at: usize, kind: Kind) {
        self.recorder.record(self.now, self.places[at], || kind);
    }

    // Time.

    fn next_due(&self) -> Option<Instant> {
        let late = self.late.front().map(|late| late.at);
        [self.wake, late].into_iter().flatten().min()
    }

    /// What a fork held back arrives.
    fn comes_late(&mut self) {
        let Some(Late { frame, to, segment, .. }) = self.late.pop_front() else { return };
        self.record(to, Kind::Delivered { frame });
        if let Some((segment, marked)) = segment {
            self.takes(segment, marked);
        }
    }

    /// Lets time pass until something is sent, or until then. Time stays at what was sent.
    pub(super) fn until_sent(&mut self, until: Instant) {
        while self.sent.is_empty()
            && let Some(wake) = self.next_due().filter(|due| *due <= until)
        {
            self.now = self.now.max(wake);
            if self.late.front().is_some_and(|late| late.at == wake) {
                self.comes_late();
                continue;
            }
            self.wake = None;
            self.with(|connection, now| connection.handle(now, Input::Wake));
        }
        if self.sent.is_empty() {
            self.now = self.now.max(until);
        }
        self.ends.clocks.0 = (self.now.as_nanos() / 1_000_000) as u32;
    }
}

/// A segment as the frame that carries it.
fn frame_of(from: usize, segment: &Segment, ecn: Ecn, identification: u16) -> Bytes {
    let mac = [1, 2].map(MacAddr::local);
    let mut w = Writer::new();
    EthernetHeader { destination: mac[1 - from], source: mac[from], ethertype: EtherType::IPV4 }.emit(&mut w);
    if let (IpAddr::V4(source), IpAddr::V4(destination)) = (ADDRESSES[from], ADDRESSES[1 - from]) {
        let header = Ipv4Header::new(source, destination, protocol::TCP, segment.len());
        Ipv4Header { ecn, identification, dont_fragment: true, ..header }.emit(&mut w);
    }
    segment.emit(ADDRESSES[from], ADDRESSES[1 - from], &mut w);
    pad_to_minimum(&mut w, 0);
    w.finish()
}
