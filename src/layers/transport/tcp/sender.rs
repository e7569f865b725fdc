//! The sending half: what to send next, and what an ACK means for it (RFC 9293 §3.7 and §3.8).
//!
//! Everything is counted in absolute offsets: the SYN is 0, the first byte of the stream 1, and the FIN follows the
//! last byte. `snd_nxt` never moves back: what is sent again is cut afresh from the buffer, and `snd_nxt` stays at the
//! edge of what was ever sent.
//!
//! What is sent again, [`Sent`] knows. After a timeout all that is in flight counts as lost, and goes again as soon as
//! it is the oldest: an ACK for some but not all of it lets the segment after that go at once. The idea is NewReno's
//! partial acknowledgment (RFC 6582 §3.2), without its congestion window: each lost segment of a window costs a round
//! trip, not a timeout.
//!
//! With congestion control three duplicate ACKs do what the timeout does, sooner (`recovery/fast.rs`), and what is lost
//! goes again as the congestion window allows.

use bytes::Bytes;

use super::congestion::Repair;
use super::recovery::{FastRecovery, Frto, Progress, Prr, Resend, Sent, Tail};
use super::send_buffer::SendBuffer;
use super::seq::SeqNumber;
use crate::base::{Duration, Instant};

/// The segment size to send when the peer's SYN names none, over IPv4 and over IPv6 (RFC 9293 §3.7.1, MUST-15).
pub(super) const DEFAULT_MSS: u16 = 536;
pub(super) const DEFAULT_MSS_IPV6: u16 = 1220;

/// What an IPv4 packet, which has at most 65,535 bytes, can carry beside two headers without options.
const MAX_MSS: u16 = 65_495;

/// The least that a peer's segment size is taken for. RFC 9293 names no bound, but one byte of payload after forty of
/// headers is an attack: 48 is Linux's `net.ipv4.tcp_min_snd_mss`.
const LEAST_PEER_MSS: u16 = 48;

/// The sending half of a connection.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) isn: SeqNumber,
    /// The oldest offset not yet acknowledged.
    pub(super) snd_una: u64,
    /// The next offset to send.
    pub(super) snd_nxt: u64,
    /// The end of all that the peer may have seen: beyond `snd_nxt` by the byte of a window probe.
    pub(super) snd_max: u64,
    /// How many bytes beyond `snd_una` the peer has room for.
    pub(super) snd_wnd: u64,
    /// The largest window it ever offered.
    max_wnd: u64,
    /// The segment that last changed the window: its sequence number and its ACK, as offsets (SND.WL1 and WL2).
    wl: (i64, u64),
    /// How far the peer's window field is to be shifted (RFC 7323 §2.2).
    pub(super) shift: u8,
    pub(super) mss: usize,
    pub(super) nodelay: bool,
    buffer: SendBuffer,
    capacity: usize,
    /// The program has said that nothing follows: a FIN comes after the buffer's last byte.
    fin: bool,
    /// What is in flight, and what of it is lost.
    sent: Sent,
    pub(super) fast: FastRecovery,
    /// While losses are repaired with selective acknowledgment, the window that goes down in proportion.
    prr: Option<Box<Prr>>,
    pub(super) tail: Tail,
    /// After a timeout that may have come too soon.
    pub(super) frto: Option<Frto>,
    /// Selective acknowledgment is in use: what has arrived is known, and need not be guessed from duplicate ACKs.
    sack: bool,
    /// The byte of a window probe is out, and no ACK has come since.
    probe_unanswered: bool,
    /// The persist timer asks for a segment that the rules would hold back.
    forced: bool,
    /// A write was cut short since the program last learned of room.
    wants_room: bool,
    pub(super) retransmissions: u64,
}

/// What to put into a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) payload: Bytes,
    pub(super) syn: bool,
    pub(super) fin: bool,
    /// The last of what the program has written so far (RFC 9293 §3.9.1.2).
    pub(super) psh: bool,
    pub(super) kind: PieceKind,
}

/// What kind of sending it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    New,
    Again(Resend),
    /// One byte beyond a closed window. It counts neither as sent nor, the next time, as sent again.
    Probe,
}

impl Sender {
    pub(super) fn new(isn: SeqNumber, mss: u16, capacity: usize, nodelay: bool) -> Self {
        Sender {
            isn,
            snd_una: 0,
            snd_nxt: 0,
            snd_max: 0,
            snd_wnd: 0,
            max_wnd: 0,
            wl: (0, 0),
            shift: 0,
            mss: usize::from(mss.clamp(1, MAX_MSS)),
            nodelay,
            buffer: SendBuffer::new(1),
            capacity: capacity.max(1),
            fin: false,
            sent: Sent::default(),
            fast: FastRecovery::default(),
            prr: None,
            tail: Tail::default(),
            frto: None,
            sack: false,
            probe_unanswered: false,
            forced: false,
            wants_room: false,
            retransmissions: 0,
        }
    }

    // What the program does.

    /// Takes in what there is room for.
    pub(super) fn write(&mut self, bytes: Bytes) -> usize {
        let wanted = bytes.len();
        let taken = self.buffer.push(bytes, self.capacity);
        self.wants_room |= taken < wanted;
        taken
    }

    /// No more will be written.
    pub(super) fn close(&mut self) {
        self.fin = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.fin
    }

    pub(super) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.buffer.len())
    }

    /// True once when there is room again after a write that was cut short: a third of the buffer, as in Linux. With
    /// every ACK the program would be woken for a segment's worth, and its writes cut into small pieces.
    pub(super) fn take_writable(&mut self) -> bool {
        self.wants_room && self.room() >= self.capacity.div_ceil(3) && std::mem::take(&mut self.wants_room)
    }

    /// Forgets all data: the connection is gone.
    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.sent.clear();
        self.fast = FastRecovery::default();
        self.prr = None;
        self.tail = Tail::default();
        self.frto = None;
        self.forced = false;
    }

    // What the peer says.

    /// The peer's SYN names a segment size (RFC 9293 §3.7.1: the smaller of its limit and ours) and a window scale.
    pub(super) fn learn(&mut self, peer_mss: u16, shift: u8) {
        self.mss = self.mss.min(usize::from(peer_mss.max(LEAST_PEER_MSS)));
        self.shift = shift;
    }

    /// Takes an ACK of offsets beyond `snd_una`. Returns the round trip that it ends, if that is unambiguous.
    pub(super) fn acked(&mut self, now: Instant, ack: u64) -> Option<Duration> {
        let partial = self.fast.acked(ack, ack - self.snd_una, self.mss as u64);
        // What the peer has room for ends where it did, until a segment that is new enough says more.
        self.snd_wnd = self.snd_wnd.saturating_sub(ack.saturating_sub(self.snd_una.max(self.wl.1)));
        self.snd_una = ack;
        // The byte of a window probe has found room after all.
        self.snd_nxt = self.snd_nxt.max(ack);
        self.buffer.release(ack);
        let rtt = self.sent.acknowledge(ack, now);
        if !self.fast.is_recovering() {
            self.prr = None;
        }
        // With selective acknowledgment, what was sent again is in flight nevertheless.
        let next_is_lost =
            partial && !self.sent.judges_by_time() && (!self.sack || self.sent.first_is_fresh());
        if next_is_lost || self.sent.first_is_lost() {
            self.sent.lose_first(self.mss as u64, Resend::PartialAck);
        }
        rtt
    }

    /// Takes blocks that have arrived, as offsets, from an ACK that is otherwise a `duplicate` or not. True when they
    /// show that something is lost, and that is news.
    pub(super) fn sacked(&mut self, now: Instant, blocks: &[(i64, i64)], duplicate: bool) -> bool {
        self.sack = true;
        let (una, nxt) = (self.snd_una.cast_signed(), self.snd_nxt.cast_signed());
        let mut news = false;
        for (start, end) in blocks.iter().filter(|(start, end)| una < *start && start < end && *end <= nxt) {
            news |= self.sent.sack(start.cast_unsigned(), end.cast_unsigned(), now);
        }
        let third = news && duplicate && self.fast.is_third_duplicate();
        // What is overdue, is judged when the whole ACK has been taken.
        if !news || self.sent.judges_by_time() {
            return false;
        }
        let mss = self.mss as u64;
        let mut lost = self.sent.find_losses(mss);
        // Three ACKs count, however few bytes they tell of (RFC 6675 §5, step 1).
        if third && self.sent.first_is_fresh() && !self.sent.first_is_lost() {
            self.sent.lose_first(mss, Resend::DuplicateAcks);
            lost = true;
        }
        lost && self.fast.sack_shows_loss(self.snd_una, self.snd_nxt)
    }

    /// Takes an ACK that acknowledges nothing new. True when it shows that something is lost (RFC 5681 §3.2). Without
    /// fast recovery all goes again then, as after a timeout.
    pub(super) fn duplicate_ack(&mut self, repair: Repair) -> bool {
        let reno = repair == Repair::Reno;
        let lost = self.fast.duplicate_ack(self.snd_una, self.snd_nxt, self.mss as u64, reno);
        if lost && repair == Repair::Restart {
            self.sent.lose_all(Resend::Restart);
            self.fast.timed_out(self.snd_nxt);
        }
        if lost {
            self.sent.lose_first(self.mss as u64, Resend::DuplicateAcks);
        }
        lost
    }

    /// From now on losses are judged by time (RFC 8985).
    pub(super) fn judge_by_time(&mut self) {
        self.sent.judge_by_time();
    }

    /// Looks for what is overdue. Says whether it shows a loss, and that is news; and when to look again.
    pub(super) fn judge(&mut self, now: Instant, srtt: Option<Duration>) -> (bool, Option<Instant>) {
        let repairing = self.fast.is_repairing(self.snd_una);
        let (lost, next) = self.sent.find_overdue(now, srtt, self.mss as u64, repairing);
        (lost && self.fast.sack_shows_loss(self.snd_una, self.snd_nxt), next)
    }

    /// Whether a lost tail may be probed for: something is out, and nothing tells yet what became of it.
    pub(super) fn may_probe(&self) -> bool {
        self.snd_una > 0
            && self.outstanding() > 0
            && self.sent.gone() == 0
            && !self.fast.is_repairing(self.snd_una)
            && self.tail.may_go()
    }

    /// Nothing was lost: all is in flight that is not acknowledged.
    pub(super) fn nothing_was_lost(&mut self) {
        self.sent.lose_none();
        self.fast.needless(self.snd_una);
        self.prr = None;
        self.frto = None;
    }

    /// Whether the oldest segment was sent twice.
    pub(super) fn first_went_twice(&self) -> bool {
        self.sent.first_went_twice()
    }

    /// Whether something waits to be sent again.
    pub(super) fn has_lost(&self) -> bool {
        self.sent.has_lost()
    }

    /// Whether what lies between two offsets was sent once only.
    pub(super) fn was_sent_once(&self, start: u64, end: u64) -> bool {
        self.sent.was_sent_once(start, end)
    }

    /// Whether anything has arrived that is not acknowledged in the ordinary way.
    pub(super) fn has_sacked(&self) -> bool {
        self.sent.sacked() > 0
    }

    /// Bytes that were ever taken for lost.
    pub(super) fn lost_in_all(&self) -> u64 {
        self.sent.lost_in_all()
    }

    /// When the newest of what has arrived since the last call was sent, and whether it was a repetition.
    pub(super) fn take_newest(&mut self) -> Option<(Instant, bool)> {
        self.sent.take_newest()
    }

    /// Bytes that are known to have arrived, counted from the beginning.
    pub(super) fn delivered(&self) -> u64 {
        self.snd_una + self.sent.sacked()
    }

    /// A loss shows: from now on the flight goes down in proportion to what arrives (RFC 6937).
    pub(super) fn begin_reduction(&mut self) {
        self.prr = Some(Box::new(Prr::new(self.outstanding())));
    }

    /// An ACK has been taken, before which `before` was delivered; does it show nothing but progress?
    pub(super) fn reduce(&mut self, before: u64, safe: bool, ssthresh: u64) {
        let (in_flight, mss) = (self.in_flight(), self.mss as u64);
        let delivered = self.delivered().saturating_sub(before);
        if let Some(prr) = &mut self.prr {
            prr.on_ack(Progress { delivered, in_flight, safe }, ssthresh, mss);
        }
    }

    /// What may be in flight while the reduction is under way.
    pub(super) fn reduced_window(&self) -> Option<u64> {
        self.prr.as_ref().map(|prr| prr.window())
    }

    /// The peer answers: the byte of a probe was taken, and then the ACK says so, or it was not.
    pub(super) fn answered(&mut self) {
        self.probe_unanswered = false;
    }

    /// The number that the peer most likely expects next. The byte of a probe that was not answered yet may have found
    /// room; the peer then takes what comes before it for old.
    pub(super) fn expected_next(&self) -> u64 {
        if self.probe_unanswered { self.snd_max } else { self.snd_nxt }
    }

    /// When the oldest segment in flight was last sent *again*.
    pub(super) fn repeated_at(&self) -> Option<Instant> {
        self.sent.first_repeated_at()
    }

    /// Takes the window of a segment with sequence number `seq` and acknowledgment `ack`, if it is not older than
    /// the one the window was last taken from (RFC 9293 §3.10.7.4, fifth: SND.WL1 and SND.WL2).
    pub(super) fn offer_window(&mut self, seq: i64, ack: u64, window: u64) {
        if self.wl.0 < seq || (self.wl.0 == seq && self.wl.1 <= ack) {
            self.set_window(seq, ack, window);
        }
    }

    /// Takes the window of the segment that opens the connection.
    pub(super) fn set_window(&mut self, seq: i64, ack: u64, window: u64) {
        self.snd_wnd = window;
        self.max_wnd = self.max_wnd.max(window);
        self.wl = (seq, ack);
    }

    /// The path takes only smaller segments: send what is in flight again, cut smaller (RFC 9293 §3.7.2, RFC 1191
    /// §6.4). Not a sign of congestion, so no timer is touched.
    pub(super) fn shrink_mss(&mut self, mss: usize) {
        if mss < self.mss {
            self.mss = mss.max(1);
            // A SYN has no data that could be cut.
            if self.snd_una > 0 && self.outstanding() > 0 {
                self.sent.lose_all(Resend::SmallerMtu);
            }
        }
    }

    // What the timers say.

    /// The retransmission timer fired (RFC 6298 §5.4).
    pub(super) fn timed_out(&mut self) {
        self.sent.lose_all(Resend::Timeout);
        self.fast.timed_out(self.snd_nxt);
        self.prr = None;
        self.tail.outstanding = None;
    }

    /// Our SYN has to go again, for a reason that no timer knows.
    pub(super) fn resend(&mut self, why: Resend) {
        self.sent.lose_first(1, why);
    }

    /// The persist timer fired: send something although the window or the rules say no.
    pub(super) fn force(&mut self) {
        self.forced = true;
    }

    // What to send.

    /// The next piece to send, of at most `room` bytes: a segment's size less what its options take (RFC 6691 §2).
    /// What it returns is taken as sent.
    pub(super) fn next(&mut self, now: Instant, cwnd: u64, room: usize) -> Option<Piece> {
        if std::mem::take(&mut self.tail.wanted)
            && let Some(piece) = self.tail_probe(now, room)
        {
            return Some(piece);
        }
        if let Some(frto) = self.frto.as_ref().filter(|frto| frto.wants_new() || frto.holds_back()) {
            if frto.holds_back() {
                return None;
            }
            let piece = self.fresh(now, cwnd, room, false);
            let goes_on = self.frto.as_mut().is_some_and(|frto| frto.sent_new(piece.is_some()));
            if goes_on || piece.is_some() {
                return piece;
            }
            self.frto = None;
        }
        if let Some((offset, why)) = self.sent.first_lost() {
            // Without congestion control the ACKs give the pace: what is lost goes when it is the oldest.
            let controlled = cwnd < u64::MAX;
            if offset == self.snd_una || (controlled && self.in_flight() + room as u64 <= cwnd) {
                return Some(self.again(now, offset, why, room));
            }
            if controlled {
                return None;
            }
        }
        if self.snd_nxt == 0 {
            self.advance(now, 1);
            return Some(Piece::syn(PieceKind::New));
        }
        // Nothing follows the SYN before the peer has acknowledged it.
        if self.snd_una == 0 {
            return None;
        }
        let forced = std::mem::take(&mut self.forced) && self.outstanding() == 0;
        match self.fresh(now, cwnd, room, forced) {
            None if forced => self.probe(now),
            piece => piece,
        }
    }

    /// The offset behind all that was written.
    pub(super) fn written(&self) -> u64 {
        self.buffer.end()
    }

    /// Sequence numbers sent and not acknowledged.
    pub(super) fn outstanding(&self) -> u64 {
        self.snd_nxt - self.snd_una
    }

    /// How many of them are still on their way, as far as anyone can tell: less what is lost, and less what duplicate
    /// ACKs say has arrived.
    pub(super) fn in_flight(&self) -> u64 {
        (self.outstanding() - self.sent.gone()).saturating_sub(self.fast.departed())
    }

    /// FlightSize of RFC 5681 §3.1: what is outstanding, without what limited transmit has added.
    pub(super) fn flight_size(&self) -> u64 {
        self.outstanding().saturating_sub(self.fast.limited())
    }

    /// D of RFC 9293 §3.8.6.2.1: bytes written and not sent.
    pub(super) fn unsent(&self) -> u64 {
        self.buffer.end().saturating_sub(self.snd_nxt)
    }

    /// True when all that was written is sent and acknowledged: there is nothing to send, whatever the windows say.
    pub(super) fn is_idle(&self) -> bool {
        self.snd_una > 0 && self.outstanding() == 0 && self.unsent() == 0 && !self.fin_waits()
    }

    /// True when something waits although nothing is in flight: only the window, or the rule against silly ones,
    /// can hold it back, and no ACK is on its way that would change that.
    pub(super) fn is_stuck(&self) -> bool {
        self.snd_una > 0 && self.outstanding() == 0 && (self.unsent() > 0 || self.fin_waits())
    }

    /// True when the peer has acknowledged our FIN.
    pub(super) fn fin_acked(&self) -> bool {
        self.fin && self.snd_una > self.buffer.end()
    }

    /// True when the FIN was not sent yet.
    fn fin_waits(&self) -> bool {
        self.fin && self.snd_nxt <= self.buffer.end()
    }

    /// The largest window the peer ever offered (MAX.SND.WND of RFC 5961 §5.2).
    pub(super) fn max_wnd(&self) -> u64 {
        self.max_wnd
    }

    /// Bytes of the stream that were acknowledged, without SYN and FIN.
    pub(super) fn stream_acked(&self) -> u64 {
        self.snd_una.min(self.buffer.end()).saturating_sub(1)
    }

    /// U of RFC 9293 §3.8.6.2.1: how much more the window takes.
    fn usable(&self, cwnd: u64) -> u64 {
        let peer = (self.snd_una + self.snd_wnd).saturating_sub(self.snd_nxt);
        peer.min(cwnd.saturating_sub(self.in_flight()))
    }

    /// New data or the FIN, if the window has room and the rules against silly windows (RFC 9293 §3.8.6.2.1) and
    /// against small segments (Nagle, §3.7.4) let it go. `forced` is true after the override timeout of the former.
    fn fresh(&mut self, now: Instant, cwnd: u64, room: usize, forced: bool) -> Option<Piece> {
        let (unsent, usable) = (self.unsent(), self.usable(cwnd));
        let len = unsent.min(usable).min(room as u64);
        let last = len == unsent;
        let may_go = if len == 0 {
            // Nothing but a FIN can be without data, and it too takes one number of the window.
            unsent == 0 && self.fin_waits() && usable > 0
        } else {
            let full = len == room as u64;
            // Everything written fits: the PUSH rule. Nagle holds it back while something is unacknowledged; not so
            // the end of the stream, after which there is nothing to gather.
            let idle = self.outstanding() == 0 || self.nodelay;
            let rest = last && (idle || self.fin_waits());
            let half = idle && len * 2 >= self.max_wnd;
            full || rest || half || forced
        };
        if !may_go {
            return None;
        }
        let fin = last && self.fin_waits() && usable > len;
        let piece = self.cut(len as usize, fin, PieceKind::New);
        self.fast.sent(len);
        self.count(len);
        self.advance(now, len + u64::from(fin));
        Some(piece)
    }

    /// What was sent from `offset` on, cut to the size that holds now. It goes out even if the peer has taken its
    /// window back since (RFC 9293 §3.8.6 allows that).
    fn again(&mut self, now: Instant, offset: u64, why: Resend, room: usize) -> Piece {
        self.retransmissions += 1;
        let kind = PieceKind::Again(why);
        let piece = if offset == 0 {
            Piece::syn(kind)
        } else {
            let sent = self.buffer.end().min(self.snd_nxt);
            let sent = self.sent.next_sacked(offset).map_or(sent, |arrived| sent.min(arrived));
            let len = sent.saturating_sub(offset).min(room as u64);
            let edge = offset + len == self.buffer.end();
            let fin = edge && self.snd_nxt > self.buffer.end();
            let payload = self.buffer.slice(offset, len as usize);
            Piece { offset, psh: edge && !payload.is_empty(), payload, syn: false, fin, kind }
        };
        self.sent.push_again(offset, piece.end(), now);
        self.count(piece.payload.len() as u64);
        piece
    }

    /// A probe for a lost tail: the next segment if the peer has room for it, beyond the congestion window if need be,
    /// or else the last one again (RFC 8985 §7.3).
    fn tail_probe(&mut self, now: Instant, room: usize) -> Option<Piece> {
        let (piece, repetition) = match self.fresh(now, u64::MAX, room, true) {
            Some(piece) => (piece, false),
            None => {
                let start = self.sent.last_segment(room as u64)?;
                (self.again(now, start, Resend::TailProbe, room), true)
            }
        };
        self.tail = Tail { outstanding: Some((self.snd_nxt, repetition)), ..Tail::default() };
        Some(piece)
    }

    /// Bytes leave, new or again, while a loss is being repaired.
    fn count(&mut self, bytes: u64) {
        if let Some(prr) = &mut self.prr {
            prr.sent(bytes);
        }
    }

    /// A window probe: the next byte, though the window is closed (RFC 9293 §3.8.6.1). A FIN that waits alone is
    /// its own probe, and from then on under the care of the retransmission timer.
    fn probe(&mut self, now: Instant) -> Option<Piece> {
        if self.unsent() > 0 {
            self.snd_max = self.snd_nxt + 1;
            self.probe_unanswered = true;
            Some(self.cut(1, false, PieceKind::Probe))
        } else if self.fin_waits() {
            let piece = self.cut(0, true, PieceKind::New);
            self.advance(now, 1);
            Some(piece)
        } else {
            None
        }
    }

    /// A piece at `snd_nxt`.
    fn cut(&mut self, len: usize, fin: bool, kind: PieceKind) -> Piece {
        let offset = self.snd_nxt;
        let psh = len > 0 && offset + len as u64 == self.buffer.end();
        Piece { offset, payload: self.buffer.slice(offset, len), syn: false, fin, psh, kind }
    }

    fn advance(&mut self, now: Instant, by: u64) {
        self.sent.push(self.snd_nxt, self.snd_nxt + by, now);
        self.snd_nxt += by;
        self.snd_max = self.snd_max.max(self.snd_nxt);
    }
}

impl Piece {
    fn syn(kind: PieceKind) -> Self {
        Piece { offset: 0, payload: Bytes::new(), syn: true, fin: false, psh: false, kind }
    }

    /// The offset after it.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.payload.len() as u64 + u64::from(self.syn) + u64::from(self.fin)
    }
}
