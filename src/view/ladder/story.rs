//! Traces written by hand, for the tests of this folder: each frame with its dissection, as the dissector gives it.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;

use super::{LadderOptions, Run, one, several};
use crate::base::{Duration, Instant};
use crate::layers::internet::prefix::v4;
use crate::trace::{Event, Flow, FrameId, Kind, LinkId, Place, PlaceId, Protocol, SegmentNote, Trace, Wire};
use crate::view::dissect::{AppPiece, Summary, TcpFlags, TcpSummary, What};
use crate::view::look::Look;
use crate::view::sheet::Sheet;

/// A trace in the making. Hosts are 0, the client, and 1, the server; times are in microseconds.
pub(super) struct Story {
    pub(super) trace: Trace,
    /// What its frames say, with their times.
    said: Vec<(Instant, Summary)>,
    frames: u64,
}

/// What becomes of a frame.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    Arrives(u64),
    Lost(&'static str),
    Corrupted(&'static str, u64),
    Twice(&'static str, u64),
    Held(&'static str, u64),
    Unknown,
}

pub(super) fn tcp(flags: &str, seq: u64, ack: Option<u64>, len: usize) -> TcpSummary {
    let has = |name: &str| flags.contains(name);
    let flags =
        TcpFlags { syn: has("S"), ack: ack.is_some(), fin: has("F"), rst: has("R"), psh: false, urg: false };
    TcpSummary {
        flags,
        seq,
        ack,
        seq_raw: (0xdead_0000 + seq) as u32,
        ack_raw: ack.map(|ack| 0xbeef_0000u64.wrapping_add(ack) as u32),
        len,
        window: 65535,
        mss: flags.syn.then_some(1460),
        retransmission: false,
        probe: None,
        duplicate_ack: false,
        marks: Vec::new(),
        application: Vec::new(),
    }
}

pub(super) fn saying(mut tcp: TcpSummary, piece: AppPiece) -> TcpSummary {
    tcp.application.push(piece);
    tcp
}

pub(super) fn at(micros: u64) -> Instant {
    Instant::ZERO + Duration::from_micros(micros)
}

impl Story {
    pub(super) fn new(title: &str, wire: Wire) -> Story {
        let mut trace = Trace::new(title, wire);
        for (name, last) in [("client", 1), ("server", 2)] {
            trace.places.push(Place { name: name.to_owned(), addresses: vec![v4(10, 0, 0, last)] });
        }
        Story { trace, said: Vec::new(), frames: 0 }
    }

    pub(super) fn flow(from: u16) -> Flow {
        let end = |place: u16| SocketAddr::new(v4(10, 0, 0, place as u8 + 1), 4000 + place);
        Flow::new(Protocol::Tcp, end(from), end(u16::from(from == 0)))
    }

    pub(super) fn event(&mut self, micros: u64, place: u16, kind: Kind) -> &mut Self {
        self.trace.events.push(Event { at: at(micros), place: PlaceId(place), kind });
        self
    }

    pub(super) fn state(&mut self, micros: u64, place: u16, to: &'static str) -> &mut Self {
        let kind =
            Kind::StateChanged { flow: Story::flow(place), from: "", to, why: Box::new(Cow::Borrowed("")) };
        self.event(micros, place, kind)
    }

    pub(super) fn read(&mut self, micros: u64, place: u16, bytes: &'static [u8]) -> &mut Self {
        self.event(
            micros,
            place,
            Kind::AppRead { flow: Story::flow(place), bytes: Bytes::from_static(bytes) },
        )
    }

    pub(super) fn write(&mut self, micros: u64, place: u16, bytes: &'static [u8]) -> &mut Self {
        self.event(
            micros,
            place,
            Kind::AppWrote { flow: Story::flow(place), bytes: Bytes::from_static(bytes) },
        )
    }

    pub(super) fn again(&mut self, micros: u64, place: u16, seq: u64, why: &'static str) -> &mut Self {
        let segment = SegmentNote { seq: (0xdead_0000 + seq) as u32, len: 0, syn: false, fin: false };
        let flow = Story::flow(place);
        self.event(micros, place, Kind::Retransmitted { flow, segment, why: Cow::Borrowed(why) })
    }

    pub(super) fn segment(&mut self, micros: u64, from: u16, tcp: TcpSummary, fate: Fate) -> &mut Self {
        self.frame(micros, from, What::Tcp(tcp), fate)
    }

    pub(super) fn frame(&mut self, micros: u64, from: u16, what: What, fate: Fate) -> &mut Self {
        self.send(micros, from, what.clone());
        let (frame, to) = (FrameId(self.frames - 1), 1 - from);
        match fate {
            Fate::Unknown => {}
            Fate::Arrives(then) => {
                self.event(then, to, Kind::Delivered { frame });
            }
            Fate::Lost(by) => {
                self.event(micros, to, Kind::Dropped { frame, by: by.into() });
            }
            Fate::Corrupted(by, then) => {
                self.event(micros, to, Kind::Corrupted { frame, by: by.into(), offset: 60 });
                self.event(then, to, Kind::Discarded { frame, why: "the TCP checksum is wrong".into() });
            }
            Fate::Twice(by, then) => {
                let copy = FrameId(self.frames);
                self.event(micros, to, Kind::Duplicated { frame, copy, by: by.into() });
                self.send(micros, from, what);
                self.event(then, to, Kind::Delivered { frame });
                self.event(then, to, Kind::Delivered { frame: copy });
            }
            Fate::Held(by, then) => {
                let extra = Duration::from_micros(30_000);
                self.event(micros, to, Kind::Delayed { frame, by: by.into(), extra });
                self.event(then, to, Kind::Delivered { frame });
            }
        }
        // Written frame by frame, kept in the order of time.
        self.trace.events.sort_by_key(|event| event.at);
        self
    }

    fn send(&mut self, micros: u64, from: u16, what: What) {
        self.send_to(micros, from, 1 - from, what);
    }

    fn send_to(&mut self, micros: u64, from: u16, to: u16, what: What) {
        let (frame, to) = (FrameId(self.frames), PlaceId(to));
        self.frames += 1;
        self.event(micros, from, Kind::Sent { frame, link: LinkId(0), to, bytes: Bytes::new() });
        let summary = Summary {
            source: String::new(),
            destination: String::new(),
            protocol: "TCP",
            flow: None,
            says: None,
            what,
        };
        self.said.push((at(micros), summary));
        self.said.sort_by_key(|(at, _)| *at);
    }

    /// What its frames say, in the order of sending.
    pub(super) fn packets(&self) -> Vec<Summary> {
        self.said.iter().map(|(_, summary)| summary.clone()).collect()
    }

    pub(super) fn draw(&self, look: &Look) -> Sheet {
        self.draw_with(look, LadderOptions::default())
    }

    pub(super) fn draw_with(&self, look: &Look, options: LadderOptions) -> Sheet {
        one(self.trace.whole(), &self.trace.title, &self.packets(), look, options)
    }
}

pub(super) fn columns(stories: &[(&str, &Story)], look: &Look) -> Sheet {
    let packets: Vec<Vec<Summary>> = stories.iter().map(|(_, story)| story.packets()).collect();
    let runs: Vec<Run<'_>> = stories
        .iter()
        .zip(&packets)
        .map(|((title, story), packets)| Run { title, run: story.trace.whole(), packets, differs: None })
        .collect();
    several(&runs, look, LadderOptions { most_rows: 26, ..LadderOptions::default() })
}

/// Opens a connection at time 0 with 20 ms each way.
pub(super) fn handshake(story: &mut Story) {
    story
        .state(0, 1, "LISTEN")
        .state(0, 0, "SYN-SENT")
        .segment(0, 0, tcp("S", 0, None, 0), Fate::Arrives(20_043))
        .state(20_043, 1, "SYN-RECEIVED")
        .segment(20_043, 1, tcp("S", 0, Some(1), 0), Fate::Arrives(40_086))
        .state(40_086, 0, "ESTABLISHED")
        .segment(40_086, 0, tcp("", 1, Some(1), 0), Fate::Arrives(60_130));
}

/// One message over TCP, and the close.
pub(super) fn message_over_tcp() -> Story {
    let mut story = Story::new("TCP", Wire::Sim);
    handshake(&mut story);
    story
        .write(40_086, 0, b"hello, layers")
        .segment(40_130, 0, tcp("", 1, Some(1), 13), Fate::Arrives(60_174))
        .state(60_130, 1, "ESTABLISHED")
        .read(60_174, 1, b"hello, layers")
        .segment(60_174, 1, tcp("", 1, Some(14), 0), Fate::Arrives(80_217))
        .state(80_217, 0, "FIN-WAIT-1")
        .segment(80_217, 0, tcp("F", 14, Some(1), 0), Fate::Arrives(100_260))
        .state(100_260, 1, "CLOSE-WAIT")
        .segment(100_260, 1, tcp("", 1, Some(15), 0), Fate::Arrives(120_303))
        .state(100_310, 1, "LAST-ACK")
        .segment(100_310, 1, tcp("F", 1, Some(15), 0), Fate::Arrives(120_353))
        .state(120_303, 0, "FIN-WAIT-2")
        .state(120_353, 0, "TIME-WAIT")
        .segment(120_353, 0, tcp("", 15, Some(2), 0), Fate::Arrives(140_396))
        .state(140_396, 1, "CLOSED");
    story.trace.events.sort_by_key(|event| event.at);
    story
}

/// A stream in which everything that can happen to a frame happens.
pub(super) fn troubled_stream() -> Story {
    let mut story = Story::new("TCP, a bad line", Wire::Sim);
    handshake(&mut story);
    let data = |seq| tcp("", seq, Some(1), 1460);
    story
        .state(60_130, 1, "ESTABLISHED")
        .segment(60_200, 0, data(1), Fate::Arrives(81_000))
        .segment(61_400, 0, data(1461), Fate::Lost("loss 20 %"))
        .segment(62_600, 0, data(2921), Fate::Held("reorder every 3rd", 113_000))
        .segment(63_800, 0, data(4381), Fate::Twice("duplicate 5 %", 84_600))
        .segment(65_000, 0, data(5841), Fate::Corrupted("flip a bit", 86_000))
        .segment(81_000, 1, tcp("", 1, Some(1461), 0), Fate::Arrives(101_000))
        .segment(
            84_600,
            1,
            TcpSummary { duplicate_ack: true, ..tcp("", 1, Some(1461), 0) },
            Fate::Lost("drop the 3rd ACK from the server"),
        )
        .read(81_000, 1, &[0; 1460])
        .again(261_000, 0, 1461, "retransmission timeout")
        .segment(261_000, 0, TcpSummary { retransmission: true, ..data(1461) }, Fate::Arrives(282_000))
        .segment(282_000, 1, tcp("", 1, Some(5841), 0), Fate::Unknown);
    story.trace.events.sort_by_key(|event| event.at);
    story
}

/// One message over WebSocket.
pub(super) fn message_over_websocket() -> Story {
    let mut story = Story::new("WebSocket over TCP", Wire::Sim);
    handshake(&mut story);
    let request = AppPiece::HttpRequest { line: "GET /chat HTTP/1.1".to_owned() };
    let response = AppPiece::HttpResponse { line: "HTTP/1.1 101 Switching Protocols".to_owned() };
    let frame = AppPiece::WsFrame { opcode: "text", fin: true, masked: true, payload_len: 13, header_len: 6 };
    story
        .segment(40_130, 0, saying(tcp("", 1, Some(1), 160), request), Fate::Arrives(60_300))
        .segment(60_300, 1, saying(tcp("", 1, Some(161), 129), response), Fate::Arrives(80_450))
        .segment(80_450, 0, saying(tcp("", 161, Some(130), 19), frame), Fate::Arrives(100_500))
        .event(100_500, 1, Kind::MessageReceived { flow: Story::flow(1), len: 13 })
        .segment(100_500, 1, tcp("", 130, Some(180), 0), Fate::Arrives(120_600));
    story.trace.events.sort_by_key(|event| event.at);
    story
}

/// One datagram each way, after asking for the address.
pub(super) fn message_over_udp() -> Story {
    let mut story = Story::new("UDP", Wire::Sim);
    let ask = What::Arp {
        request: true,
        sender: v4(10, 0, 0, 1),
        sender_mac: "02:00:00:00:00:01".to_owned(),
        target: v4(10, 0, 0, 2),
    };
    let tell = What::Arp {
        request: false,
        sender: v4(10, 0, 0, 2),
        sender_mac: "02:00:00:00:00:02".to_owned(),
        target: v4(10, 0, 0, 1),
    };
    story
        .frame(0, 0, ask, Fate::Arrives(20_040))
        .frame(20_040, 1, tell, Fate::Arrives(40_080))
        .frame(40_080, 0, What::Udp { len: 13 }, Fate::Arrives(60_130))
        .read(60_130, 1, b"hello, layers");
    story.trace.events.sort_by_key(|event| event.at);
    story
}

/// The same message on the kernel's sockets.
pub(super) fn message_on_real_sockets() -> Story {
    let mut story = Story::new("TCP on this computer", Wire::Real);
    story
        .state(0, 1, "LISTEN")
        .state(12, 0, "SYN-SENT")
        .state(61, 0, "ESTABLISHED")
        .state(70, 1, "ESTABLISHED")
        .write(84, 0, b"hello, ")
        .write(90, 0, b"layers")
        .read(131, 1, b"hello, layers")
        .write(150, 1, b"thanks")
        .read(171, 0, b"thanks")
        .write(180, 0, b"never read");
    story
}

/// A long transfer with every `nth` segment lost and sent again.
pub(super) fn long_transfer(segments: u64, nth: u64) -> Story {
    let mut story = Story::new("TCP, a long transfer", Wire::Sim);
    handshake(&mut story);
    story.state(60_130, 1, "ESTABLISHED");
    let (mut now, mut kinds) = (60_200, Vec::new());
    for i in 0..segments {
        let seq = 1 + i * 1460;
        let lost = nth > 0 && i % nth == nth - 1;
        kinds.push((now, 0, tcp("", seq, Some(1), 1460), if lost { None } else { Some(now + 20_000) }));
        if lost {
            let repeat = TcpSummary { retransmission: true, ..tcp("", seq, Some(1), 1460) };
            kinds.push((now + 200_000, 0, repeat, Some(now + 220_000)));
            now += 200_000;
        }
        kinds.push((now + 20_000, 1, tcp("", 1, Some(seq + 1460), 0), Some(now + 40_000)));
        now += 1_200;
    }
    kinds.push((now + 50_000, 0, tcp("F", 1 + segments * 1460, Some(1), 0), Some(now + 70_000)));
    kinds.sort_by_key(|(at, ..)| *at);
    for (micros, from, tcp, arrives) in kinds {
        // In bulk, so without the sorting after every frame.
        let frame = FrameId(story.frames);
        let said = std::mem::take(&mut story.said);
        story.send(micros, from, What::Tcp(tcp));
        let added = std::mem::replace(&mut story.said, said);
        story.said.extend(added);
        let end = match arrives {
            Some(then) => (then, Kind::Delivered { frame }),
            None => (micros, Kind::Dropped { frame, by: "loss 10 %".into() }),
        };
        story.event(end.0, 1 - from, end.1);
    }
    story.trace.events.sort_by_key(|event| event.at);
    story
}

/// A client behind a router, and words at all three hosts.
pub(super) fn crowd() -> Story {
    let mut story = Story::new("through a router", Wire::Sim);
    story.trace.places[1].name = "router".to_owned();
    story.trace.places.push(Place { name: "server".to_owned(), addresses: vec![v4(10, 0, 1, 2)] });
    story.send(0, 0, What::Udp { len: 13 });
    story.event(5_000, 1, Kind::Delivered { frame: FrameId(0) });
    story.event(
        5_000,
        1,
        Kind::Note { text: "the router takes one off the time to live: 64 becomes 63".into() },
    );
    story.send_to(5_000, 1, 2, What::Udp { len: 13 });
    story.event(25_000, 2, Kind::Delivered { frame: FrameId(1) });
    story.read(25_000, 2, b"hello, layers");
    story.send_to(25_000, 2, 1, What::Udp { len: 5 });
    story.event(25_000, 1, Kind::Dropped { frame: FrameId(2), by: "the queue of the router is full".into() });
    story
}
