//! What goes into a connection and what comes out of it: the two interfaces of RFC 9293 §3.9 as plain data.

use std::sync::Arc;

use super::congestion::Algorithm;
use super::keep_alive::KEEP_ALIVE_IDLE;
use super::segment::Segment;
use super::seq::SeqNumber;
use super::state::State;
use super::syn_cookies::SynCookies;
use crate::base::{Duration, Instant};
use crate::trace;

/// The knobs of a connection. The default is a TCP as hosts on the Internet have it: CUBIC with HyStart++, SACK,
/// RACK-TLP, timestamps, a window scale, delayed ACKs. [`Config::bare`] is the same without all of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The maximum segment size in bytes that is announced to the peer, and never exceeded by this end: the
    /// interface's MTU less 40 for the headers without options (RFC 9293 §3.7.1).
    pub mss: u16,
    /// Bytes that may wait to be sent or acknowledged. A write that finds no room is cut short.
    pub send_buffer: usize,
    /// Bytes that may wait to be read, in order or not: the largest window offered. At most 1 GiB.
    pub recv_buffer: usize,
    /// Offer window scaling (RFC 7323 §2). Without it no window is larger than 65,535 bytes.
    pub window_scale: bool,
    /// Offer selective acknowledgment (RFC 2018): of several losses in a window each is known at once.
    pub sack: bool,
    /// Judge losses by time, and probe for a lost tail (RACK-TLP, RFC 8985), where selective acknowledgment and a
    /// congestion control with fast recovery are in use. Otherwise three duplicate ACKs tell.
    pub rack: bool,
    /// After a timeout, find out whether anything was lost (F-RTO, RFC 5682), where timestamps do not tell.
    pub frto: bool,
    /// Offer timestamps (RFC 7323): every ACK measures the round trip, and old duplicates are known by their clock.
    /// They take twelve bytes of every segment.
    pub timestamps: bool,
    /// Send small segments at once instead of gathering them while others are unacknowledged: Nagle's algorithm off
    /// (RFC 9293 §3.7.4).
    pub nodelay: bool,
    /// How long an ACK may wait for company (RFC 9293 §3.8.6.3), at most half a second; every second full segment is
    /// acknowledged at once in any case. `None` acknowledges everything at once. The default is Linux's least, 40 ms;
    /// Linux begins a connection without delay, which is left out here.
    pub delayed_ack: Option<Duration>,
    /// Lower bound of the retransmission timeout; RFC 6298 §2.4 says 1 s, and most systems use less.
    pub min_rto: Duration,
    /// The timeout before a round trip was measured (RFC 6298 §2.1).
    pub initial_rto: Duration,
    /// Upper bound of the timeout; RFC 6298 §2.5 says at least 60 s.
    pub max_rto: Duration,
    /// Maximum segment lifetime: TIME-WAIT lasts twice that (RFC 9293 §3.4.2 says 2 minutes, most systems 30 s).
    pub msl: Duration,
    /// How long FIN-WAIT-2 lasts after the program has closed both ways, when the peer sends no FIN: Linux's
    /// `tcp_fin_timeout`. A half-closed connection, whose program still reads, waits without end.
    pub fin_wait_2: Duration,
    /// How many timeouts in a row for the same data are reported, to the program and to IP: R1 of RFC 9293 §3.8.3,
    /// which should be three or more (SHLD-10).
    pub r1: u32,
    /// Give up when the peer has acknowledged nothing for so long: R2 of RFC 9293 §3.8.3. `None` never gives up, but
    /// for the half-open connections of a listener, which wait three minutes.
    pub user_timeout: Option<Duration>,
    /// How many of a listener's connections may be half open; beyond that a SYN is dropped, or answered with a cookie.
    /// The default is Linux's old one for `net.core.somaxconn`.
    pub backlog: usize,
    /// Whether a listener answers with SYN cookies (RFC 4987): by default when its backlog is full, as Linux does.
    pub syn_cookies: SynCookies,
    /// Probe a connection that is idle (RFC 9293 §3.8.4). Off by default, as it must be.
    pub keep_alive: bool,
    /// How long that is, from the last segment that came; by default two hours.
    pub keep_alive_idle: Duration,
    /// Tell the program of what does not end the connection: see [`Report`].
    pub reports: bool,
    /// Agree on marks in place of losses, if the peer does: explicit congestion notification (RFC 3168).
    pub ecn: bool,
    /// The Differentiated Services field of the packets (RFC 9293 §3.9.1.9): the six bits of the code point.
    pub dscp: u8,
    /// How much the network is asked to take at one time.
    pub congestion: Algorithm,
    /// Let segments leave at a rate, and not in bursts, also where congestion control names none: see `pacing.rs`.
    pub pacing: bool,
    /// Find out when a path takes only smaller segments and no router says so, and whether it takes larger ones again
    /// (RFC 4821). Off, as in Linux (`net.ipv4.tcp_mtu_probing`): where many segments are lost, several timeouts in a row
    /// are no black hole, and the smaller segments make it worse.
    pub mtu_probing: bool,
    /// For how long a path is believed to take no larger packets than were found to pass: RFC 1191 §6.3's ten minutes.
    pub mtu_age: Duration,
    /// Tell what happens inside, as [`Output::Trace`].
    pub trace: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            mss: 1460,
            send_buffer: 1 << 20,
            recv_buffer: 1 << 20,
            window_scale: true,
            sack: true,
            rack: true,
            frto: true,
            timestamps: true,
            nodelay: false,
            delayed_ack: Some(Duration::from_millis(40)),
            min_rto: Duration::from_secs(1),
            initial_rto: Duration::from_secs(1),
            max_rto: Duration::from_secs(60),
            msl: Duration::from_secs(30),
            fin_wait_2: Duration::from_secs(60),
            r1: 3,
            user_timeout: None,
            backlog: 128,
            syn_cookies: SynCookies::On,
            keep_alive: false,
            keep_alive_idle: KEEP_ALIVE_IDLE,
            reports: true,
            ecn: false,
            dscp: 0,
            congestion: Algorithm::CUBIC,
            pacing: false,
            mtu_probing: false,
            mtu_age: Duration::from_secs(600),
            trace: false,
        }
    }
}

/// A copy of its own: [`Connection::connect`](super::Connection::connect) takes a shared one as well.
impl From<&Config> for Arc<Config> {
    fn from(config: &Config) -> Self {
        Arc::new(config.clone())
    }
}

impl Config {
    /// RFC 9293's own machine and little else: no congestion control, no option but the segment size and a window
    /// scale, windows that need no scale, and every segment acknowledged at once. A ladder of it is the easiest to read,
    /// and so the lessons have it. It lacks what RFC 9293 §3.8.2 demands (MUST-19): not for a shared network.
    pub fn bare() -> Config {
        Config {
            send_buffer: 65_535,
            recv_buffer: 65_535,
            sack: false,
            rack: false,
            frto: false,
            timestamps: false,
            delayed_ack: None,
            syn_cookies: SynCookies::Off,
            congestion: Algorithm::NONE,
            ..Config::default()
        }
    }
}

/// What can happen to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A segment arrived whose addresses and ports are this connection's, and whose checksum is right.
    Segment(Segment),
    /// The same in a packet that a router has marked: congestion experienced (RFC 3168 §5).
    Marked(Segment),
    /// Time has passed: see [`Output::WakeAt`].
    Wake,
    /// An ICMP error came back about a segment of this connection.
    Icmp {
        /// What the ICMP error says.
        error: IcmpError,
        /// The sequence number of the segment it quotes. One that is not in flight is taken for a forgery and
        /// ignored (RFC 5927 §4.1).
        seq: SeqNumber,
    },
}

/// What an ICMP error means to TCP (RFC 9293 §3.9.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpError {
    /// Network or host unreachable, time exceeded, parameter problem: it may pass, so the connection lives on.
    Soft,
    /// Protocol or port unreachable: ends a handshake. An open connection takes it as soft, since one forged packet
    /// should not end it (RFC 5927 §5.2; §3.9.2.2 knows of such TCPs, although it says to abort).
    Hard,
    /// Fragmentation needed, but forbidden: the next link's MTU in bytes, or 0 from a router that does not tell.
    PacketTooBig(u16),
}

/// What a connection asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this segment to the peer.
    Send(Segment),
    /// Hand this event to the program.
    Event(Event),
    /// Tell IP that the way to the peer may be dead: nothing comes back (RFC 9293 §3.8.3).
    NegativeAdvice,
    /// Tell IP that the way to the peer takes packets of this size in bytes, and for now no larger ones.
    PathMtu(u16),
    /// Something for the trace; only with [`Config::trace`].
    Trace(trace::Kind),
    /// Call with [`Input::Wake`] at this time. It comes only when the time has become earlier than the one asked for
    /// last, or when that one is over; so waking early or without need is harmless, and happens.
    WakeAt(Instant),
}

/// What a program learns of its connection. Each waits at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The handshake is done.
    Connected,
    /// There is something to read.
    Readable,
    /// The peer will send no more: everything up to its FIN has come (it may not all be read yet).
    PeerClosed,
    /// There is room again after a write that was cut short: a third of the send buffer.
    Writable,
    /// Something that does not end the connection.
    Report(Report),
    /// The connection is gone. What had come in order before can still be read; then its record may be dropped. Nothing
    /// follows.
    Closed(Reason),
}

/// What is reported to a program that has not asked (RFC 9293 §3.9.1.8). [`Config::reports`] switches it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The same data was sent again [`Config::r1`] times, and nothing came back.
    Retransmissions,
    /// An ICMP error came that does not end the connection.
    Icmp(IcmpError),
    /// The peer has sent urgent data, or more of it: [`Info::urgent`] says how much there is to read.
    Urgent,
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Both ends closed and know it.
    Normal,
    /// Reset: by the peer, by this end's abort, or by data that came when the program could not read it any more.
    Reset,
    /// The peer answered the SYN with a RST.
    Refused,
    /// The user timeout ran out.
    TimedOut,
    /// An ICMP error says that the peer cannot be reached.
    Unreachable,
}

/// What the caller asked for cannot be: the error replies of RFC 9293 §3.10.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// This end has said that it will send no more.
    #[error("connection closing: nothing can be written after a shutdown (RFC 9293 §3.10.2)")]
    Closing,
    /// There is no connection (any more).
    #[error("connection does not exist (RFC 9293 §3.10.2)")]
    NotConnected,
}

/// A look inside, as STATUS (RFC 9293 §3.9.1.5) and the kernel's `TCP_INFO` give it. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// The state, one of RFC 9293 §3.3.2's eleven.
    pub state: State,
    /// The largest payload sent.
    pub mss: usize,
    /// The smoothed round-trip time, once measured.
    pub srtt: Option<Duration>,
    /// The variation of the round-trip time (RFC 6298 §2).
    pub rttvar: Duration,
    /// The retransmission timeout (RFC 6298 §2).
    pub rto: Duration,
    /// Segments sent that repeat sequence numbers sent before. Window probes do not count.
    pub retransmissions: u64,
    /// Segments received, bad ones included.
    pub segments_in: u64,
    /// Segments sent, those without data included.
    pub segments_out: u64,
    /// Bytes of the stream that the peer acknowledged.
    pub bytes_acked: u64,
    /// Bytes of the stream received in order.
    pub bytes_received: u64,
    /// The peer's window, as last announced.
    pub snd_wnd: u64,
    /// Our window, as last announced.
    pub rcv_wnd: u64,
    /// Sequence numbers sent and not yet acknowledged.
    pub unacked: u64,
    /// Bytes written and not yet sent.
    pub unsent: u64,
    /// Bytes that the peer calls urgent and the program has not read; some may not have come yet.
    pub urgent: u64,
    /// The last ICMP error that did not end the connection.
    pub icmp_error: Option<IcmpError>,
}
