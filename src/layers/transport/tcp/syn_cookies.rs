//! SYN cookies: a listener that keeps nothing of a connection that is half open (RFC 4987 §3.6, appendix A).
//!
//! A SYN costs its sender nothing, and a listener memory; so a flood of SYNs from addresses that no host has fills the
//! backlog, and honest clients find no room. With cookies all that the listener would remember is in the number of
//! its SYN ACK, and comes back with the ACK:
//!
//! ```text
//!  31      27 26   24 23                                 0
//! ┌──────────┬───────┬────────────────────────────────────┐
//! │ counter  │  MSS  │ hash of both ends, counter, secret │  xor the number of the client's SYN
//! └──────────┴───────┴────────────────────────────────────┘
//! ```
//!
//! The counter goes on every 64 seconds, and the last four of its values count, so a cookie is good for three to four
//! minutes. A forger who does not know the secret hits one of 2^24 numbers; and unless a cookie was sent in that time, an
//! ACK without a connection is answered with a RST, as ever.
//!
//! What a cookie cannot carry is lost. Of the segment size one of [`SEGMENT_SIZES`] remains. Window scale and selective
//! acknowledgment survive where the client offers timestamps: they stand in the lowest bits of TSval, which the client
//! echoes (§3.6 has the idea from FreeBSD). Without timestamps they are not agreed on. Data on the SYN is not taken: the
//! client sends it again.
//!
//! Left out: ECN, which is not agreed on; and that the number is beyond those of a connection in TIME-WAIT that made way
//! (RFC 9293 §3.6.1). And since the listener forgets, it does not repeat a SYN ACK that is lost (the
//! client's SYN comes again); when the client's ACK is lost and its first data too, what comes next has not the number
//! after its SYN, and is refused. The first round trip is measured up to 31 ms too long where TSval carries options.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sha1::Digest as _;

use super::connection::Connection;
use super::header::{Flags, TcpHeader};
use super::interface::Output;
use super::listener::{Answer, Listener};
use super::options::{Options, TcpOption};
use super::segment::Segment;
use super::seq::{SeqNumber, hash_of_ends};
use super::state::State;
use crate::base::{Duration, Instant, Machine as _};

/// When a listener answers with a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SynCookies {
    /// Never: when the backlog is full, a SYN is dropped.
    Off,
    /// When the backlog is full.
    On,
    /// Each time: no connection is ever half open. Linux knows it as `tcp_syncookies=2`, for tests.
    Always,
}

/// The segment sizes that a cookie can name: the largest that is not above the client's counts. The first is the least
/// that any peer's is taken for, then those of hosts of old, IPv6's least MTU, tunnels, PPPoE and Ethernet.
pub const SEGMENT_SIZES: [u16; 8] = [48, 256, 536, 1220, 1400, 1440, 1452, 1460];

/// How long the counter stands still.
const TICK: Duration = Duration::from_secs(64);

/// How many values of the counter are taken: Bernstein's "say, the last four".
const TICKS: u32 = 4;

/// The bits of TSval that carry options: four of the scale, one of selective acknowledgment.
const OPTION_BITS: u32 = 0x1f;
/// In place of a scale: none was offered. The largest that counts is 14 (RFC 7323 §2.3).
const NO_SCALE: u32 = 0xf;
const SACK_BIT: u32 = 0x10;

/// What a host needs to make cookies and to know them again: its secret, and when it sent the last one.
#[derive(Debug, Clone)]
pub struct Cookies {
    secret: [u8; 16],
    sent: Option<Instant>,
}

impl Cookies {
    /// Cookies that only one who knows the secret can make.
    pub fn new(secret: [u8; 16]) -> Self {
        Cookies { secret, sent: None }
    }

    /// The SYN ACK that answers a SYN from `source` to `listener` at `destination`, with a cookie for its number;
    /// `None` for a segment that opens no connection. It is that of a connection which is forgotten at once.
    pub fn answer(
        &mut self,
        now: Instant,
        listener: &Listener,
        (source, destination): (IpAddr, IpAddr),
        syn: &Segment,
    ) -> Option<Segment> {
        let remote = SocketAddr::new(source, syn.header.source_port);
        let local = SocketAddr::new(destination, listener.port());
        let told = syn.header.options.mss().unwrap_or(default_mss(source));
        let index = SEGMENT_SIZES.iter().rposition(|size| *size <= told).unwrap_or(0);
        let word = self.word(local, remote, counter(now), index as u32);
        let isn = || SeqNumber(word ^ syn.header.seq.0);
        let syn = what_is_kept(syn, SEGMENT_SIZES[index], listener.config().timestamps);
        let Answer::Open(mut connection) = listener.segment_arrives(now, source, destination, &syn, isn)
        else {
            return None;
        };
        let mut outputs = std::iter::from_fn(|| connection.poll(now));
        let mut answer = outputs.find_map(|output| match output {
            Output::Send(segment) => Some(segment),
            _ => None,
        })?;
        write_into_clock(&mut answer.header.options, &syn.header.options);
        self.sent = Some(now);
        Some(answer)
    }

    /// The connection of an ACK that brings a cookie back, as it was when the SYN ACK left; the ACK is its first input.
    /// `None`: no cookie was sent lately, or this is none, or too old a one.
    pub fn redeem(
        &self,
        now: Instant,
        listener: &Listener,
        (source, destination): (IpAddr, IpAddr),
        segment: &Segment,
    ) -> Option<Box<Connection>> {
        let header = &segment.header;
        let flags = header.flags;
        let plain = flags.has(Flags::ACK) && !flags.has(Flags::SYN) && !flags.has(Flags::RST);
        if !plain || now.since(self.sent?) > TICK * TICKS {
            return None;
        }
        let remote = SocketAddr::new(source, header.source_port);
        let local = SocketAddr::new(destination, listener.port());
        let before = |number: SeqNumber| SeqNumber(number.0.wrapping_sub(1));
        let (isn, cookie) = (before(header.seq), before(header.ack));
        let word = cookie.0 ^ isn.0;
        let index = word >> 24 & 7;
        let latest = counter(now);
        let mut counters = (0..u64::from(TICKS)).filter_map(|age| latest.checked_sub(age));
        counters.find(|counter| self.word(local, remote, *counter, index) == word)?;
        let mut options = Options::none();
        options.push(TcpOption::MaximumSegmentSize(SEGMENT_SIZES[index as usize]));
        if let Some((value, echo)) = header.options.timestamps() {
            read_from_clock(echo, &mut options);
            options.push(TcpOption::Timestamps { value, echo: 0 });
        }
        let syn = TcpHeader { seq: isn, flags: Flags::SYN, options, window: header.window, ..*header };
        let syn = Segment { header: syn, ..Segment::default() };
        let mut connection = Connection::new(local, remote, cookie, Arc::clone(listener.config()));
        connection.open_by_cookie(now, &syn);
        Some(Box::new(connection))
    }

    /// Counter, segment size and hash.
    fn word(&self, local: SocketAddr, remote: SocketAddr, counter: u64, index: u32) -> u32 {
        let mut hash = hash_of_ends(local, remote);
        hash.update(counter.to_be_bytes());
        hash.update(self.secret);
        let [a, b, c, ..] = <[u8; 20]>::from(hash.finalize());
        // Of the counter five bits travel.
        (counter as u32) << 27 | index << 24 | u32::from_be_bytes([0, a, b, c])
    }
}

fn counter(now: Instant) -> u64 {
    now.as_nanos() / TICK.as_nanos()
}

fn default_mss(peer: IpAddr) -> u16 {
    if peer.is_ipv4() { super::sender::DEFAULT_MSS } else { super::sender::DEFAULT_MSS_IPV6 }
}

/// A SYN with nothing but what a cookie, and the clock where there are timestamps, will remember.
fn what_is_kept(syn: &Segment, mss: u16, timestamps: bool) -> Segment {
    let said = &syn.header.options;
    let mut options = Options::none();
    options.push(TcpOption::MaximumSegmentSize(mss));
    if let Some((value, echo)) = said.timestamps().filter(|_| timestamps) {
        said.window_scale().map(|shift| options.push(TcpOption::WindowScale(shift)));
        if said.sack_permitted() {
            options.push(TcpOption::SackPermitted);
        }
        options.push(TcpOption::Timestamps { value, echo });
    }
    let header = TcpHeader { flags: Flags::SYN, options, ..syn.header };
    Segment { header, ..Segment::default() }
}

/// The client's options, in the lowest bits of our clock: at most a few milliseconds back, never ahead.
fn write_into_clock(options: &mut Options, client: &Options) {
    let scale = client.window_scale().map_or(NO_SCALE, u32::from);
    let bits = scale | if client.sack_permitted() { SACK_BIT } else { 0 };
    let dated = |clock: u32| match clock & !OPTION_BITS | bits {
        ahead if ahead & OPTION_BITS > clock & OPTION_BITS => ahead.wrapping_sub(OPTION_BITS + 1),
        value => value,
    };
    let mut written = Options::none();
    for option in options.iter() {
        written.push(match option {
            TcpOption::Timestamps { value, echo } => {
                TcpOption::Timestamps { value: dated(*value), echo: *echo }
            }
            other => other.clone(),
        });
    }
    *options = written;
}

/// What the echo of such a clock says that the client had offered.
fn read_from_clock(echo: u32, options: &mut Options) {
    let scale = echo & NO_SCALE;
    if scale != NO_SCALE {
        options.push(TcpOption::WindowScale(scale as u8));
    }
    if echo & SACK_BIT != 0 {
        options.push(TcpOption::SackPermitted);
    }
}

impl Connection {
    /// From nothing to SYN-RECEIVED: its SYN ACK left long ago, and when was not kept.
    fn open_by_cookie(&mut self, now: Instant, syn: &Segment) {
        self.passive = true;
        self.segments_out = 1;
        self.state = State::SynReceived;
        self.learn_from_syn(now, syn);
        self.sender.syn_was_sent();
        if let Some(timestamps) = &mut self.timestamps {
            timestamps.acknowledged(self.receiver.rcv_nxt);
        }
    }
}
