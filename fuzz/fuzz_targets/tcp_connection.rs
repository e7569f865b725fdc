//! One TCP connection, opened either way, and a peer that sends any segments: no panic, no buffer beyond its limit, no
//! answer without end, and nothing sent beyond the peer's window of sequence numbers.
//!
//! Numbers are relative to what the connection expects, so that many segments are acceptable.

#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::layers::internet::prefix::v4;
use netlayers::base::{Duration, Instant, Machine as _};
use netlayers::layers::transport::tcp::congestion::Algorithm;
use netlayers::layers::transport::tcp::{
    Answer, Config, Connection, Flags, IcmpError, Input, Listener, Options, Output, Segment, SeqNumber,
    TcpHeader, TcpOption,
};

#[derive(Debug, Arbitrary)]
struct Story {
    passive: bool,
    buffers: u16,
    mss: u16,
    peer_mss: u16,
    peer_scale: u8,
    delayed_ack: bool,
    nodelay: bool,
    sack: bool,
    timestamps: bool,
    rack: bool,
    ecn: bool,
    congestion: u8,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    Segment {
        seq: i16,
        ack: i16,
        flags: u8,
        window: u16,
        len: u16,
        /// A block that the peer says it has, relative to what it acknowledges.
        block: (u16, u16),
        /// The peer's clock.
        clock: u16,
    },
    /// The handshake as it should be.
    Answer,
    Wake {
        millis: u16,
    },
    Write {
        len: u16,
    },
    Read {
        max: u16,
    },
    Shutdown,
    Close,
    Abort,
    Icmp {
        back: i16,
        kind: u8,
        mtu: u16,
    },
}

const US: SocketAddr = SocketAddr::new(v4(10, 0, 0, 1), 1000);
const PEER: SocketAddr = SocketAddr::new(v4(10, 0, 0, 2), 2000);
/// Near the end of the circle, so that every run passes it.
const ISN: SeqNumber = SeqNumber(u32::MAX - 100);
const PEER_ISN: SeqNumber = SeqNumber(u32::MAX - 50);
const MOST_OUTPUTS: usize = 100_000;

fuzz_target!(|story: Story| {
    let config = Config {
        recv_buffer: story.buffers.into(),
        send_buffer: story.buffers.into(),
        mss: story.mss,
        delayed_ack: story.delayed_ack.then_some(Duration::from_millis(40)),
        nodelay: story.nodelay,
        sack: story.sack,
        timestamps: story.timestamps,
        rack: story.rack,
        ecn: story.ecn,
        congestion: Algorithm::ALL[usize::from(story.congestion) % Algorithm::ALL.len()],
        user_timeout: Some(Duration::from_secs(300)),
        trace: true,
        ..Config::default()
    };
    let capacity = config.recv_buffer.max(1);
    let Some(connection) = open(&story, config) else { return };
    let mut peer = Peer { now: Instant::ZERO, connection, snd_nxt: PEER_ISN + 1, rcv_nxt: ISN };
    peer.drain();
    for step in &story.steps {
        peer.take(step, &story);
        peer.drain();
        assert!(peer.connection.readable() <= capacity, "the receive buffer holds no more than it may");
    }
});

fn open(story: &Story, config: Config) -> Option<Connection> {
    if !story.passive {
        return Some(Connection::connect(Instant::ZERO, US, PEER, ISN, &config));
    }
    let listener = Listener::new(US.port(), config);
    let header =
        TcpHeader { seq: PEER_ISN, flags: Flags::SYN, window: 1000, options: options(story), ..to_us() };
    let syn = Segment { header, ..Segment::default() };
    match listener.segment_arrives(Instant::ZERO, PEER.ip(), US.ip(), &syn, || ISN) {
        Answer::Open(connection) => Some(*connection),
        Answer::Ignore | Answer::Reply(_) => None,
    }
}

struct Peer {
    now: Instant,
    connection: Connection,
    /// Where our own stream would go on.
    snd_nxt: SeqNumber,
    /// What the connection sent last.
    rcv_nxt: SeqNumber,
}

impl Peer {
    fn take(&mut self, step: &Step, story: &Story) {
        let (now, connection) = (self.now, &mut self.connection);
        match *step {
            Step::Segment { seq, ack, flags, window, len, block, clock } => {
                let flags = Flags(flags);
                let acked = self.rcv_nxt + i32::from(ack).cast_unsigned();
                let later = || {
                    let mut options = Options::none();
                    if story.timestamps {
                        options.push(TcpOption::Timestamps { value: clock.into(), echo: 0 });
                    }
                    if story.sack {
                        let edges = (acked + u32::from(block.0), acked + u32::from(block.1));
                        options.push(TcpOption::Sack(vec![edges]));
                    }
                    options
                };
                let header = TcpHeader {
                    seq: self.snd_nxt + i32::from(seq).cast_unsigned(),
                    ack: acked,
                    flags,
                    window,
                    options: if flags.has(Flags::SYN) { options(story) } else { later() },
                    ..to_us()
                };
                let payload = vec![0x55; usize::from(len) % 3000].into();
                let segment = Segment { header, payload };
                if seq == 0 {
                    self.snd_nxt += segment.seq_len();
                }
                connection.handle(now, Input::Segment(segment));
            }
            Step::Answer => {
                let (seq, flags) = (PEER_ISN, Flags::SYN | Flags::ACK);
                let header =
                    TcpHeader { seq, ack: ISN + 1, flags, window: 5000, options: options(story), ..to_us() };
                connection.handle(now, Input::Segment(Segment { header, ..Segment::default() }));
            }
            Step::Wake { millis } => {
                self.now += Duration::from_millis(millis.into());
                connection.handle(self.now, Input::Wake);
            }
            Step::Write { len } => {
                let _ = connection.write(now, vec![0xaa; len.into()].into());
            }
            Step::Read { max } => while connection.read(now, max.into()).is_some() {},
            Step::Shutdown => connection.shutdown(now),
            Step::Close => connection.close(now),
            Step::Abort => connection.abort(now),
            Step::Icmp { back, kind, mtu } => {
                let error = match kind % 3 {
                    0 => IcmpError::Soft,
                    1 => IcmpError::Hard,
                    _ => IcmpError::PacketTooBig(mtu),
                };
                let seq = self.rcv_nxt + i32::from(back).cast_unsigned();
                connection.handle(now, Input::Icmp { error, seq });
            }
        }
    }

    fn drain(&mut self) {
        for _ in 0..MOST_OUTPUTS {
            match self.connection.poll(self.now) {
                None => return,
                Some(Output::Send(segment)) => self.rcv_nxt = segment.header.seq + segment.seq_len(),
                Some(_) => {}
            }
        }
        panic!("one input led to more than {MOST_OUTPUTS} outputs");
    }
}

fn to_us() -> TcpHeader {
    TcpHeader { source_port: PEER.port(), destination_port: US.port(), ..TcpHeader::default() }
}

fn options(story: &Story) -> Options {
    let mut options = Options::none();
    options.push(TcpOption::MaximumSegmentSize(story.peer_mss));
    options.push(TcpOption::WindowScale(story.peer_scale));
    if story.sack {
        options.push(TcpOption::SackPermitted);
    }
    if story.timestamps {
        options.push(TcpOption::Timestamps { value: 0, echo: 0 });
    }
    options
}
