//! SEGMENT ARRIVES: what a segment does to a connection (RFC 9293 §3.10.7.3 and §3.10.7.4), in the RFC's order.
//!
//! With the protections of RFC 5961, which RFC 9293 has taken in: a RST must hit exactly the next number, and a SYN
//! in an open connection is answered by a challenge ACK. Arrivals in LISTEN and CLOSED are in `listener`.
//!
//! Left out: security and precedence (§3.10.7.4, third), which no system uses. Urgent data (sixth) is in `urgent`.

use super::acknowledgment::echo_of;
use super::connection::{Challenges, Connection};
use super::header::Flags;
use super::interface::{IcmpError, Reason, Report};
use super::listener::reply_to_stray;
use super::receiver::AckNeed;
use super::recovery::Resend;
use super::segment::Segment;
use super::sender::{DEFAULT_MSS, DEFAULT_MSS_IPV6};
use super::seq::SeqNumber;
use super::state::{Cause, State};
use super::timers::Timer;
use crate::base::{Duration, Instant};

/// At most this many challenge ACKs in each period: RFC 5961 §7's example.
const CHALLENGE_LIMIT: u32 = 10;
const CHALLENGE_PERIOD: Duration = Duration::from_secs(5);

/// What timestamps take of every segment, padding included.
const TIMESTAMPS_LEN: usize = 12;

/// Where a segment is in the peer's stream, after an old SYN was cut off it.
#[derive(Debug, Clone, Copy)]
struct View {
    /// The offset of its first sequence number.
    start: i64,
    /// How many it takes.
    len: u32,
    syn: bool,
}

impl Connection {
    pub(super) fn segment_arrives(&mut self, now: Instant, segment: &Segment) {
        match self.state {
            State::Closed | State::Listen => self.refuse(segment),
            State::SynSent => self.arrives_in_syn_sent(now, segment),
            _ => {
                let _ = self.arrives_in_others(now, segment);
            }
        }
    }

    /// A segment arrives in SYN-SENT (RFC 9293 §3.10.7.3).
    fn arrives_in_syn_sent(&mut self, now: Instant, segment: &Segment) {
        let flags = segment.header.flags;
        let acks_syn = (1..=self.sender.snd_max.cast_signed()).contains(&self.ack_offset(segment));
        // First, the ACK bit.
        if flags.has(Flags::ACK) && !acks_syn {
            self.refuse(segment);
            return;
        }
        let acks_syn = flags.has(Flags::ACK);
        // Second, the RST bit: only one that answers our SYN is believed.
        if flags.has(Flags::RST) {
            if acks_syn {
                self.finish(now, Cause::Reset, Reason::Refused);
            }
            return;
        }
        // Fourth, the SYN bit. Fifth: without it there is nothing to do.
        if !flags.has(Flags::SYN) {
            return;
        }
        self.learn_from_syn(now, segment);
        if acks_syn {
            self.take_ack(now, 1, echo_of(segment));
            self.receiver.ack = AckNeed::Now;
            self.go(now, Cause::SynAck);
        } else {
            // Both ends opened at the same time: our SYN goes out again, now with an ACK.
            self.go(now, Cause::Syn);
            self.repeat_syn(now, Resend::SimultaneousOpen);
        }
        self.take_text(now, segment, 1);
    }

    /// Takes what the peer's first SYN announces: its numbers, segment size, window and scale (RFC 9293 §3.10.7.2,
    /// third).
    pub(super) fn learn_from_syn(&mut self, now: Instant, segment: &Segment) {
        let header = &segment.header;
        let peer_shift = header.options.window_scale().filter(|_| self.offers_scale);
        self.offers_scale = peer_shift.is_some();
        let our_shift = peer_shift.map_or(0, |_| self.receiver.wanted_shift());
        self.agree_on_ecn(header.flags);
        self.permits_sack &= header.options.sack_permitted();
        if self.permits_sack {
            self.receiver.permit_sack();
        }
        // Timestamps are in use when both SYNs have them (RFC 7323 §3.2).
        match (&mut self.timestamps, header.options.timestamps()) {
            (Some(timestamps), Some((value, _))) => timestamps.heard(now, value, 0),
            (timestamps, _) => *timestamps = None,
        }
        let default = if self.remote.is_ipv4() { DEFAULT_MSS } else { DEFAULT_MSS_IPV6 };
        let peer_mss = header.options.mss().unwrap_or(default);
        self.sender.learn(peer_mss, peer_shift.unwrap_or(0));
        self.bound_by_peer(peer_mss);
        self.congestion = (self.config.congestion.start)(self.sender.mss as u64);
        self.tell_cwnd("the segment size is known");
        if self.judges_by_time() {
            self.sender.judge_by_time();
        }
        // A full segment of the peer has no more payload than this (RFC 6691 §2).
        let stamps = if self.timestamps.is_some() { TIMESTAMPS_LEN } else { 0 };
        self.receiver.open(header.seq, our_shift, self.sender.mss.saturating_sub(stamps).max(1));
        // The window field of a SYN is never scaled (RFC 7323 §2.2).
        self.sender.set_window(0, u64::from(header.flags.has(Flags::ACK)), u64::from(header.window));
    }

    /// RFC 9293 §3.10.7.4, step by step. A step that answers `None` has dealt with the segment for good.
    fn arrives_in_others(&mut self, now: Instant, segment: &Segment) -> Option<()> {
        let irs = self.receiver.irs?;
        let flags = segment.header.flags;
        let mut view = View {
            start: segment.header.seq.to_offset(irs, self.receiver.rcv_nxt),
            len: segment.seq_len(),
            syn: flags.has(Flags::SYN),
        };
        if self.state == State::SynReceived && view.syn && view.start == 0 && !flags.has(Flags::RST) {
            // A SYN again. Without an ACK it may say that ours was lost, so ours goes out at once, which is an
            // acknowledgment too (§3.10.7.4, first, asks for a plain one, which would not help a peer in SYN-SENT).
            // With an ACK it is the other half of a simultaneous open (§3.5, figure 7).
            if !flags.has(Flags::ACK) {
                self.repeat_syn(now, Resend::RepeatedSyn);
                return None;
            }
            // The SYN itself is old: it is cut off, and the rest is looked at.
            view = View { start: 1, len: view.len - 1, syn: false };
        }
        self.check_timestamps(now, segment, view)?; // RFC 7323 §5.3, before all else
        self.check_sequence(now, flags, view)?; // first
        self.check_reset(now, flags, view)?; // second; the third, security, is left out
        self.check_syn(now, view)?; // fourth
        self.note_echo(flags);
        self.check_ack(now, segment, view)?; // fifth
        self.check_marks(now, segment); // RFC 3168 §6.1
        self.check_urgent(segment, view.start); // sixth
        self.take_text(now, segment, view.start); // seventh and eighth
        Some(())
    }

    /// PAWS: a segment whose clock is older than the last one's is an old duplicate, whatever its number (RFC 7323
    /// §5.3). A RST is spared. Where timestamps are in use, a segment without them is dropped (§3.2).
    fn check_timestamps(&mut self, now: Instant, segment: &Segment, view: View) -> Option<()> {
        let Some(timestamps) = &mut self.timestamps else { return Some(()) };
        if segment.header.flags.has(Flags::RST) {
            return Some(());
        }
        let (value, _) = segment.header.options.timestamps()?;
        if !timestamps.is_in_order(now, value) {
            self.challenge(now);
            return None;
        }
        if self.receiver.is_acceptable(view.start, view.len) {
            timestamps.heard(now, value, view.start);
        }
        Some(())
    }

    /// First: is any of it in the window? If not, an ACK says what we expect, unless it is a RST.
    fn check_sequence(&mut self, now: Instant, flags: Flags, view: View) -> Option<()> {
        // A RST is judged by its number alone; data in it is a comment (RFC 9293 §3.5.3).
        let len = if flags.has(Flags::RST) { 0 } else { view.len };
        // When the window is closed, the ACK of a segment at its edge is still good: only its data is
        // cut off (§3.10.7.4, first: special allowance for valid ACKs).
        let at_edge = self.receiver.rcv_wnd() == 0 && view.start == self.receiver.rcv_nxt.cast_signed();
        // The exception for the right edge is for ACKs: a RST there is outside of the window, and is dropped
        // without an answer (§3.10.7.4, second).
        let edge = self.receiver.rcv_nxt + self.receiver.rcv_wnd();
        let beyond = flags.has(Flags::RST) && !at_edge && view.start >= edge.cast_signed();
        if (self.receiver.is_acceptable(view.start, len) && !beyond) || at_edge {
            return Some(());
        }
        if !flags.has(Flags::RST) {
            // Old data is repeated by a peer that has missed our ACK: it is answered each time. All else a forger can
            // send without end.
            let control = u32::from(view.syn) + u32::from(flags.has(Flags::FIN));
            if view.len > control {
                let end = view.start + i64::from(view.len - control);
                self.receiver.note_duplicate(view.start, end);
                self.receiver.ack = AckNeed::Now;
            } else {
                self.challenge(now);
            }
            // Our last ACK was lost and the peer repeats its FIN: restart TIME-WAIT (§3.10.7.4, eighth).
            if self.state == State::TimeWait && flags.has(Flags::FIN) {
                self.set_timer(Timer::TimeWait, now + self.config.msl * 2);
            }
        }
        None
    }

    /// Second: a RST must have exactly the next number; one elsewhere in the window may be a blind guess, and a
    /// challenge ACK makes an honest peer send the right one (RFC 5961 §3.2).
    fn check_reset(&mut self, now: Instant, flags: Flags, view: View) -> Option<()> {
        if !flags.has(Flags::RST) {
            return Some(());
        }
        if view.start != self.receiver.rcv_nxt.cast_signed() {
            self.challenge(now);
            return None;
        }
        let reason = match self.state {
            State::SynReceived if !self.passive => Reason::Refused,
            // Everything was said and acknowledged before.
            State::TimeWait => Reason::Normal,
            _ => Reason::Reset,
        };
        self.finish(now, Cause::Reset, reason);
        None
    }

    /// Fourth: a SYN inside the window is an error, an attack, or a peer that has crashed and restarted. A
    /// challenge ACK finds out which: the crashed peer answers it with a RST (RFC 5961 §4.2).
    fn check_syn(&mut self, now: Instant, view: View) -> Option<()> {
        if !view.syn {
            return Some(());
        }
        if self.state == State::SynReceived && self.passive {
            // "Return to LISTEN": the listener is there, so this attempt is forgotten.
            self.finish(now, Cause::GiveUp, Reason::Reset);
        } else {
            self.challenge(now);
        }
        None
    }

    /// Fifth: what the segment acknowledges, and the window it offers.
    fn check_ack(&mut self, now: Instant, segment: &Segment, view: View) -> Option<()> {
        let header = &segment.header;
        if !header.flags.has(Flags::ACK) {
            return None;
        }
        let ack = self.ack_offset(segment);
        let (una, max) = (self.sender.snd_una.cast_signed(), self.sender.snd_max.cast_signed());
        let shift = if header.flags.has(Flags::SYN) { 0 } else { self.sender.shift };
        let window = u64::from(header.window) << shift;
        if self.state == State::SynReceived {
            if ack <= una || ack > max {
                self.refuse(segment);
                return None;
            }
            self.take_ack(now, ack.cast_unsigned(), echo_of(segment));
            self.sender.set_window(view.start, ack.cast_unsigned(), window);
            self.go(now, Cause::AckOfSyn);
            return Some(());
        }
        // An ACK of what was never sent, or of what was acknowledged so long ago that no window reaches back to it:
        // the peer is mistaken, or an attacker guesses (RFC 5961 §5.2).
        if ack > max || ack < una - self.sender.max_wnd().cast_signed() {
            self.challenge(now);
            return None;
        }
        let (delivered, lost_before) = (self.sender.delivered(), self.sender.lost_in_all());
        self.note_duplicate(segment, ack);
        if self.repairs_by_sack() {
            if ack > una {
                self.take_ack(now, ack.cast_unsigned(), echo_of(segment));
            }
            let old_arrived = self.reports_old(segment);
            let mut lost = ack >= una && self.take_sack(now, segment, ack == una);
            if ack > una || !segment.header.options.sack().is_empty() {
                self.settle_by_acks(now, ack > una, old_arrived);
            }
            self.settle_by_duplicates(now, segment);
            lost |= self.judge(now);
            self.reduce(delivered, ack > una && !lost);
            self.probe_answered(now, segment, ack == una);
            if ack > una || !self.sender.may_probe() {
                self.schedule_probe(now);
            }
        } else if ack > una {
            self.take_ack(now, ack.cast_unsigned(), echo_of(segment));
            self.settle_by_acks(now, true, false);
        } else if ack == una && window == self.sender.snd_wnd && segment.seq_len() == 0 {
            self.take_duplicate_ack(now);
            self.settle_by_acks(now, false, false);
        }
        self.tell_delivery(now, delivered, lost_before);
        if ack >= una {
            self.sender.answered();
            let was_closed = self.sender.snd_wnd == 0;
            self.sender.offer_window(view.start, ack.cast_unsigned(), window);
            if was_closed && self.sender.snd_wnd > 0 {
                self.timers.stop(Timer::Persist);
                self.probes = 0;
            }
            // A closed window that is answered for is no reason to give up (RFC 9293 §3.8.6.1, MUST-37), neither for
            // what waits nor for what is in flight beyond its edge (§3.8.6, SHLD-17).
            if self.sender.outstanding() == 0 || self.sender.snd_wnd == 0 {
                self.heard_from_peer(now);
            }
        }
        if self.sender.fin_acked() {
            if self.state == State::LastAck {
                self.finish(now, Cause::AckOfFin, Reason::Normal);
                return None;
            }
            self.go(now, Cause::AckOfFin);
        }
        Some(())
    }

    /// Seventh and eighth: the bytes and the FIN. `start` is the offset of the first byte of payload.
    pub(super) fn take_text(&mut self, now: Instant, segment: &Segment, start: i64) {
        let payload = &segment.payload;
        // Beside a SYN that is not acknowledged yet a FIN is too early. The peer will send it again.
        let fin = segment.header.flags.has(Flags::FIN) && self.state.is_synchronized();
        let end = start + payload.len() as i64;
        if self.read_shut
            && !payload.is_empty()
            && end > self.receiver.rcv_nxt.cast_signed()
            && !self.receiver.has_ended()
        {
            // This will never be read: the peer must not believe that it arrived (RFC 9293 §3.6.1).
            self.abort(now);
            return;
        }
        let brought = self.receiver.take_in(start, payload, fin, self.config.delayed_ack.is_some());
        self.events.readable |= brought.bytes && self.state.is_synchronized();
        if brought.end {
            self.events.peer_closed = true;
            self.go(now, Cause::Fin);
        }
    }

    /// Our SYN goes out again because of one that came, unless it was sent again less than a timeout ago: what is in
    /// flight then will do. From here on the timer counts from zero (RFC 6298 §5.1), or it would send another one right
    /// after.
    fn repeat_syn(&mut self, now: Instant, why: Resend) {
        if self.sender.repeated_at().is_some_and(|at| now.since(at) < self.rtt.rto()) {
            return;
        }
        self.sender.resend(why);
        self.timers.stop(Timer::Retransmission);
    }

    /// An ACK that asks the peer whether it means it: at most ten in five seconds, lest a forger of segments make
    /// us a source of traffic (RFC 5961 §7).
    fn challenge(&mut self, now: Instant) {
        if now >= self.challenges.until {
            self.challenges = Challenges { sent: 0, until: now + CHALLENGE_PERIOD };
        }
        if self.challenges.sent < CHALLENGE_LIMIT {
            self.challenges.sent += 1;
            self.receiver.ack = AckNeed::Now;
        }
    }

    /// Answers a segment that belongs to some other connection, long gone, with a RST (RFC 9293 §3.5.2, group 2).
    fn refuse(&mut self, segment: &Segment) {
        if let Some(reset) = reply_to_stray(segment) {
            self.send(reset);
        }
    }

    /// The offset that a segment acknowledges; meaningless without its ACK bit.
    fn ack_offset(&self, segment: &Segment) -> i64 {
        segment.header.ack.to_offset(self.sender.isn, self.sender.snd_una)
    }

    /// RFC 9293 §3.9.2.2. `seq` is the number of the segment that the router or host sent back.
    pub(super) fn icmp_arrives(&mut self, now: Instant, error: IcmpError, seq: SeqNumber) {
        let offset = seq.to_offset(self.sender.isn, self.sender.snd_una);
        let in_flight = self.sender.snd_una.cast_signed()..self.sender.snd_max.cast_signed();
        if self.state == State::Closed || !in_flight.contains(&offset) {
            return;
        }
        match error {
            IcmpError::PacketTooBig(mtu) => self.packet_too_big(now, mtu),
            IcmpError::Hard if !self.state.is_synchronized() => {
                self.finish(now, Cause::GiveUp, Reason::Unreachable);
            }
            IcmpError::Hard | IcmpError::Soft => {
                self.icmp_error = Some(error);
                self.report(Report::Icmp(error));
            }
        }
    }
}
