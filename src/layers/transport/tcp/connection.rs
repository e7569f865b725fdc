//! One end of a TCP connection: the thin middle that joins sender, receiver, timers and estimates (RFC 9293 §3.10).
//!
//! What the program asks for is in `commands`, what an arriving segment does in `arrival`, and how the next
//! segment is made in `departure`. After every input and every command, drain
//! [`poll`](crate::base::Machine::poll): first come segments (with what the trace says of them), then events, then
//! the next time to wake.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use super::congestion::CongestionControl;
use super::ecn::Ecn;
use super::interface::{Config, Event, IcmpError, Info, Input, Output, Reason};
use super::keep_alive::KeepAlive;
use super::path_mtu::PathMtu;
use super::receiver::{AckNeed, Receiver};
use super::recovery::Rtt;
use super::report::Reports;
use super::segment::Segment;
use super::sender::Sender;
use super::seq::SeqNumber;
use super::spurious::Doubt;
use super::state::{Cause, State};
use super::timers::{Timer, Timers};
use super::timestamps::Timestamps;
use super::urgent::Urgent;
use crate::base::{Alarm, Duration, Instant, Machine};
use crate::trace;

/// One end of a TCP connection.
///
/// A connection that is [`Closed`](State::Closed) does nothing more than answer strays with a RST.
#[derive(Debug)]
pub struct Connection {
    /// Shared with the other connections that are like it.
    pub(super) config: Arc<Config>,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) state: State,
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    pub(super) rtt: Rtt,
    pub(super) congestion: Box<dyn CongestionControl>,
    /// cwnd and ssthresh, as the trace knows them.
    told_cwnd: (u64, u64),
    /// When something new was last sent.
    pub(super) sent_at: Option<Instant>,
    /// When the next segment with data may leave.
    pub(super) next_send: Instant,
    /// The last repair may not have been needed.
    pub(super) doubt: Option<Doubt>,
    /// The peer has reported a duplicate (RFC 2883).
    pub(super) reports_duplicates: bool,
    pub(super) timers: Timers,
    /// Whether this end waited for the other's SYN (RFC 9293 §3.10.7.4 treats a RST differently then).
    pub(super) passive: bool,
    /// Whether SYN and SYN-ACK carry a window scale: we offer it, and the peer's SYN, if it came first, did too.
    pub(super) offers_scale: bool,
    /// Whether SYN and SYN-ACK permit selective acknowledgment: as with the scale, both must. After the handshake,
    /// whether it is in use.
    pub(super) permits_sack: bool,
    /// Timestamps, once both SYNs had them.
    pub(super) timestamps: Option<Box<Timestamps>>,
    /// The read side is shut: the program has closed for good, and reads no more.
    pub(super) read_shut: bool,
    /// Fruitless window probes so far.
    pub(super) probes: u32,
    /// Timeouts since something new was acknowledged.
    pub(super) timeouts: u32,
    /// What is known of the path, where that is less than link and peer allow.
    pub(super) path: Option<Box<PathMtu>>,
    pub(super) urgent: Urgent,
    pub(super) keep_alive: KeepAlive,
    pub(super) ecn: Ecn,
    pub(super) challenges: Challenges,
    pub(super) icmp_error: Option<IcmpError>,
    pub(super) segments_in: u64,
    pub(super) segments_out: u64,
    /// Made and not yet fetched: see [`Connection::push`].
    pub(super) outbox: VecDeque<Output>,
    pub(super) events: Events,
    /// There was nothing to send, and nothing has happened since that would change that.
    pub(super) quiet: bool,
    alarm: Alarm,
}

/// Events that the program has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) connected: bool,
    pub(super) readable: bool,
    pub(super) peer_closed: bool,
    pub(super) writable: bool,
    pub(super) reports: Reports,
    pub(super) closed: Option<Reason>,
}

/// How many challenge ACKs may still be sent before `until` (RFC 5961 §7).
#[derive(Debug, Default)]
pub(super) struct Challenges {
    pub(super) sent: u32,
    pub(super) until: Instant,
}

/// If [`poll`](Machine::poll) is never drained, later outputs are dropped, as a network might drop them.
const OUTBOX_LIMIT: usize = 256;

/// The longest an ACK may be delayed (RFC 9293 §3.8.6.3, MUST-40: *less* than half a second).
const LONGEST_ACK_DELAY: Duration = Duration::from_millis(499);

/// How long a SYN-ACK is repeated at most (RFC 9293 §3.8.3, MUST-23: for a SYN at least three minutes).
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(180);

impl Connection {
    /// Opens a connection actively: the SYN waits in [`poll`](Machine::poll) (RFC 9293 §3.10.1).
    pub fn connect(
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        isn: SeqNumber,
        config: impl Into<Arc<Config>>,
    ) -> Connection {
        let mut connection = Connection::new(local, remote, isn, config.into());
        connection.go(now, Cause::ActiveOpen);
        connection
    }

    /// A connection in CLOSED.
    pub(super) fn new(
        local: SocketAddr,
        remote: SocketAddr,
        isn: SeqNumber,
        config: Arc<Config>,
    ) -> Connection {
        Connection {
            local,
            remote,
            state: State::Closed,
            sender: Sender::new(isn, config.mss, config.send_buffer, config.nodelay),
            receiver: Receiver::new(config.recv_buffer, config.mss),
            rtt: Rtt::new(config.initial_rto, config.min_rto, config.max_rto),
            congestion: (config.congestion.start)(config.mss.into()),
            told_cwnd: (u64::MAX, u64::MAX),
            sent_at: None,
            next_send: Instant::ZERO,
            doubt: None,
            reports_duplicates: false,
            timers: Timers::default(),
            passive: false,
            offers_scale: config.window_scale,
            permits_sack: config.sack,
            timestamps: config.timestamps.then(|| Box::new(Timestamps::new())),
            read_shut: false,
            probes: 0,
            timeouts: 0,
            path: None,
            urgent: Urgent::default(),
            keep_alive: KeepAlive::default(),
            ecn: Ecn::default(),
            challenges: Challenges::default(),
            icmp_error: None,
            segments_in: 0,
            segments_out: 0,
            outbox: VecDeque::new(),
            events: Events::default(),
            quiet: false,
            alarm: Alarm::new(),
            config,
        }
    }

    // What can be seen from outside.

    /// The state, one of RFC 9293 §3.3.2's eleven.
    pub fn state(&self) -> State {
        self.state
    }

    /// This end's address and port.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The peer's address and port.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// The connection as a trace names it.
    pub fn flow(&self) -> trace::Flow {
        trace::Flow::new(trace::Protocol::Tcp, self.local, self.remote)
    }

    /// True when [`poll`](Machine::poll) has been drained, and nothing has happened since that would make it say more.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Bytes that wait to be read.
    pub fn readable(&self) -> usize {
        if self.state == State::SynReceived { 0 } else { self.receiver.readable() }
    }

    /// True when everything up to the peer's FIN has been read.
    pub fn at_end_of_stream(&self) -> bool {
        self.receiver.at_end()
    }

    /// Bytes that a write would be able to take now.
    pub fn send_space(&self) -> usize {
        self.sender.room()
    }

    /// The connection's figures, as `TCP_INFO` has them.
    pub fn info(&self) -> Info {
        Info {
            state: self.state,
            mss: self.sender.mss,
            srtt: self.rtt.srtt(),
            rttvar: self.rtt.rttvar(),
            rto: self.rtt.rto(),
            retransmissions: self.sender.retransmissions,
            segments_in: self.segments_in,
            segments_out: self.segments_out,
            bytes_acked: self.sender.stream_acked(),
            bytes_received: self.receiver.bytes_received,
            snd_wnd: self.sender.snd_wnd,
            rcv_wnd: self.receiver.rcv_wnd(),
            unacked: self.sender.outstanding(),
            unsent: self.sender.unsent(),
            urgent: self.urgent.ahead_of(self.receiver.read_offset()),
            icmp_error: self.icmp_error,
        }
    }

    fn takes(&mut self, now: Instant, segment: &Segment) {
        self.segments_in += 1;
        self.heard_of_life(now);
        self.segment_arrives(now, segment);
    }

    // What time does.

    fn timer_fired(&mut self, now: Instant, timer: Timer) {
        if timer != Timer::Pacing {
            self.trace(|flow| trace::Kind::TimerFired { flow, timer: timer.name() });
        }
        match timer {
            Timer::Retransmission => {
                let was_repairing = self.sender.fast.is_repairing(self.sender.snd_una);
                self.congestion.on_rto(now, self.sender.flight_size());
                self.tell_cwnd("the retransmission timer went off");
                self.rtt.back_off(!self.state.is_synchronized());
                self.sender.timed_out();
                self.doubt_timeout(was_repairing);
                self.probe_timed_out(now);
                self.count_timeout();
                self.suspect_black_hole(now);
                self.timers.stop(Timer::Reordering);
                self.timers.stop(Timer::TailProbe);
            }
            Timer::Reordering => self.judge_again(now),
            Timer::TailProbe => self.probe_tail(now),
            Timer::Persist => {
                self.probes += 1;
                self.sender.force();
            }
            // The next segment's turn has come.
            Timer::Pacing => {}
            Timer::DelayedAck => self.receiver.ack = AckNeed::Now,
            Timer::TimeWait => self.finish(now, Cause::TwoMsl, Reason::Normal),
            Timer::KeepAlive => self.probe_idleness(now),
            Timer::FinWait2 => self.finish(now, Cause::GiveUp, Reason::TimedOut),
            Timer::UserTimeout => {
                let reason = if self.icmp_error.is_some() { Reason::Unreachable } else { Reason::TimedOut };
                self.finish(now, Cause::GiveUp, reason);
            }
        }
    }

    /// Sets a timer. One that is set already is restarted.
    pub(super) fn set_timer(&mut self, timer: Timer, due: Instant) {
        self.timers.set(timer, due);
        self.trace(|flow| trace::Kind::TimerSet { flow, timer: timer.name(), due });
    }

    /// Sets a timer unless it runs.
    pub(super) fn start_timer(&mut self, timer: Timer, due: Instant) {
        if !self.timers.is_set(timer) {
            self.set_timer(timer, due);
        }
    }

    /// How long the peer may be silent while something is expected of it. A listener's half-open connection never waits
    /// without end: its program does not know of it yet, and a SYN costs its sender nothing.
    pub(super) fn user_timeout(&self) -> Option<Duration> {
        match self.config.user_timeout {
            timeout if self.state == State::SynReceived && self.passive => {
                Some(timeout.unwrap_or(HANDSHAKE_TIMEOUT).min(HANDSHAKE_TIMEOUT))
            }
            timeout => timeout,
        }
    }

    /// Starts the user timeout again, as long as something is expected of the peer.
    pub(super) fn heard_from_peer(&mut self, now: Instant) {
        match self.user_timeout().filter(|_| self.sender.outstanding() > 0 || self.sender.is_stuck()) {
            Some(timeout) => self.timers.set(Timer::UserTimeout, now + timeout),
            None => self.timers.stop(Timer::UserTimeout),
        }
    }

    /// FIN-WAIT-2 after the program has closed for good: the peer owes a FIN and nothing else. RFC 9293 lets that last
    /// without end, and so the memory that it takes; nearly every system gives up after a while.
    pub(super) fn wait_for_fin(&mut self, now: Instant) {
        self.start_timer(Timer::FinWait2, now + self.config.fin_wait_2);
    }

    /// Sends small segments at once, or gathers them again (RFC 9293 §3.7.4, MUST-17).
    pub fn set_nodelay(&mut self, nodelay: bool) {
        self.sender.nodelay = nodelay;
        self.quiet = false;
    }

    /// Gives up when the peer has acknowledged nothing for so long; `None` never does (RFC 9293 §3.8.3, MUST-21). Where
    /// something is waited for already, it counts from now.
    pub fn set_user_timeout(&mut self, now: Instant, timeout: Option<Duration>) {
        Arc::make_mut(&mut self.config).user_timeout = timeout;
        self.quiet = false;
        self.heard_from_peer(now);
    }

    /// The Differentiated Services field of the packets from now on (RFC 9293 §3.9.1.9, SHLD-21): six bits, the upper
    /// two of `dscp` count for nothing. In general it should stay what it is (SHLD-23).
    pub fn set_dscp(&mut self, dscp: u8) {
        Arc::make_mut(&mut self.config).dscp = dscp;
    }

    /// The code point that its packets are to have.
    pub fn dscp(&self) -> u8 {
        self.config.dscp & 0x3f
    }

    /// How long an ACK may wait.
    pub(super) fn ack_delay(&self) -> Option<Duration> {
        self.config.delayed_ack.map(|delay| delay.min(LONGEST_ACK_DELAY))
    }

    // The states.

    /// Changes the state, if `cause` does that here. The only place where it changes.
    pub(super) fn go(&mut self, now: Instant, cause: Cause) {
        let Some(to) = self.state.after(cause) else { return };
        let from = std::mem::replace(&mut self.state, to);
        self.trace(|flow| {
            let why = Box::new(cause.why().into());
            trace::Kind::StateChanged { flow, from: from.name(), to: to.name(), why }
        });
        match to {
            State::Established => {
                self.events.connected = true;
                self.events.readable |= self.receiver.readable() > 0;
                self.rtt.handshake_done();
                // What the program wrote early may have set the timer by the user timeout of a half-open connection.
                self.heard_from_peer(now);
                self.watch_idleness(now);
                // A close that came during the handshake was waiting for this.
                if self.sender.is_closed() {
                    self.go(now, Cause::Close);
                }
            }
            State::FinWait2 if self.read_shut => self.wait_for_fin(now),
            State::TimeWait => {
                self.timers.stop_all();
                self.set_timer(Timer::TimeWait, now + self.config.msl * 2);
            }
            State::Closed => self.timers.stop_all(),
            _ => {}
        }
    }

    /// Ends the connection and reports to the program how. A reset takes with it what has not been read (RFC 9293
    /// §3.10.7.4, second: all queues are flushed), unless the peer's whole stream was here before.
    pub(super) fn finish(&mut self, now: Instant, cause: Cause, reason: Reason) {
        if self.state == State::Closed {
            return;
        }
        let complete = matches!(self.state, State::Closing | State::LastAck | State::TimeWait);
        self.go(now, cause);
        self.sender.clear();
        if complete && !self.read_shut {
            self.receiver.acknowledged();
        } else {
            self.receiver.clear();
            self.events = Events::default();
        }
        self.events.closed = Some(reason);
    }

    // What comes out.

    /// Appends to the outbox; drops the output when it is never emptied.
    pub(super) fn push(&mut self, output: Output) {
        if self.outbox.len() < OUTBOX_LIMIT {
            self.outbox.push_back(output);
        }
    }

    /// Records an event in the trace, if one is kept.
    pub(super) fn trace(&mut self, kind: impl FnOnce(trace::Flow) -> trace::Kind) {
        if self.config.trace {
            self.push(Output::Trace(kind(self.flow())));
        }
    }

    /// Records the congestion window and its threshold in the trace, if they have changed.
    #[inline]
    pub(super) fn tell_cwnd(&mut self, why: &'static str) {
        if self.config.trace {
            self.tell_trace_cwnd(why);
        }
    }

    fn tell_trace_cwnd(&mut self, why: &'static str) {
        let (cwnd, ssthresh) = (self.cwnd(), self.congestion.ssthresh());
        if self.told_cwnd != (cwnd, ssthresh) {
            self.told_cwnd = (cwnd, ssthresh);
            self.trace(|flow| trace::Kind::CwndChanged { flow, cwnd, ssthresh, why: why.into() });
        }
    }

    /// Puts a segment into the outbox: the answer to one that has just come, or to a command.
    pub(super) fn send(&mut self, segment: Segment) {
        self.segments_out += 1;
        self.push(Output::Send(segment));
    }

    /// The next segment, behind what the trace says of it. Nearly always there is nothing before it, and it goes the
    /// short way: the outbox of each connection is a place in memory that is cold when there are many.
    fn next_segment(&mut self, now: Instant) -> Option<Output> {
        let segment = self.make_segment(now).map(Output::Send);
        self.segments_out += u64::from(segment.is_some());
        if self.outbox.is_empty() {
            self.quiet = segment.is_none();
            return segment;
        }
        segment.into_iter().for_each(|segment| self.push(segment));
        self.next_in_outbox()
    }

    fn next_in_outbox(&mut self) -> Option<Output> {
        let next = self.outbox.pop_front()?;
        if self.outbox.is_empty() {
            // Back to its first place, as the queue of what is to be read.
            self.outbox.clear();
        }
        Some(next)
    }

    /// The next thing to tell the program. Data before the end of data, and the end of all last.
    fn next_event(&mut self) -> Option<Event> {
        self.events.writable |= self.sender.take_writable();
        let take = std::mem::take::<bool>;
        if take(&mut self.events.connected) {
            Some(Event::Connected)
        } else if take(&mut self.events.readable) {
            Some(Event::Readable)
        } else if take(&mut self.events.peer_closed) {
            Some(Event::PeerClosed)
        } else if take(&mut self.events.writable) {
            Some(Event::Writable)
        } else if let Some(report) = self.events.reports.take() {
            Some(Event::Report(report))
        } else {
            self.events.closed.take().map(Event::Closed)
        }
    }
}

impl Machine for Connection {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        self.quiet = false;
        match input {
            Input::Segment(segment) => self.takes(now, &segment),
            Input::Marked(segment) => {
                self.ecn.marked = true;
                self.takes(now, &segment);
                self.ecn.marked = false;
            }
            Input::Wake => {
                self.alarm.rang();
                while let Some(timer) = self.timers.take_due(now) {
                    self.timer_fired(now, timer);
                }
            }
            Input::Icmp { error, seq } => self.icmp_arrives(now, error, seq),
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        self.next_in_outbox()
            .or_else(|| if self.quiet { None } else { self.next_segment(now) })
            .or_else(|| self.next_event().map(Output::Event))
            // The retransmission timer moves on with every ACK.
            .or_else(|| self.alarm.poll_earlier(self.timers.earliest()).map(Output::WakeAt))
    }
}
