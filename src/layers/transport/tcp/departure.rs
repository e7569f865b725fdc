//! Making the next segment: sender and receiver each have a say in its header (RFC 9293 §3.10.2, §3.10.7.4).
//!
//! Segments are made one at a time, when they are asked for: nothing waits in a queue with an acknowledgment or a
//! window that is out of date.

use super::connection::Connection;
use super::header::{Flags, TcpHeader};
use super::options::{Options, TcpOption};
use super::receiver::AckNeed;
use super::recovery::Resend;
use super::segment::Segment;
use super::sender::{Larger, Piece, PieceKind};
use super::seq::SeqNumber;
use super::state::State;
use super::timers::Timer;
use crate::base::{Duration, Instant};
use crate::trace;

/// How long a small segment waits for a larger window: at most a second (RFC 9293 §3.8.6.2.1).
const OVERRIDE_TIMEOUT: Duration = Duration::from_secs(1);

/// What a selective acknowledgment takes without its blocks, two bytes of padding included, and what each block takes
/// (RFC 2018 §3).
const BLOCKS_LEN: usize = 4;
const BLOCK_LEN: usize = 8;

impl Connection {
    /// The next segment, with what the trace says of it put into the outbox; or `None`, and the timers are set for a
    /// quiet time.
    pub(super) fn make_segment(&mut self, now: Instant) -> Option<Segment> {
        if matches!(self.state, State::Closed | State::Listen) {
            return None;
        }
        // RFC 5681 §4.1. While something is outstanding its timer runs, so this is about a sender that fell silent.
        if self.sender.outstanding() == 0
            && self.sender.unsent() > 0
            && self.sent_at.is_some_and(|at| now.since(at) > self.rtt.rto())
        {
            self.congestion.on_idle();
            self.tell_cwnd("nothing was sent for a timeout");
        }
        let waits = self.waits_for_pace(now);
        // One that only receives has nothing to look for.
        if !waits && !self.sender.is_idle() {
            // The options first: what they take, the payload has not (RFC 6691 §2).
            let options = self.options(now);
            let room = self.sender.mss.saturating_sub(options.len()).max(1);
            // Nearly always nothing speaks against the path.
            let larger = if self.path.is_some() { self.path_probe(now, options.len()) } else { Larger::No };
            let piece = match larger {
                Larger::No => self.sender.next(now, self.cwnd(), room),
                Larger::Waits => None,
                Larger::Goes(probe) => Some(probe),
            };
            if let Some(piece) = piece {
                return Some(self.send_piece(now, piece, options));
            }
        }
        let ack = match self.receiver.ack {
            // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
            AckNeed::Now => Some(self.empty_segment(now, self.sender.snd_nxt)),
            AckNeed::Soon => {
                if let Some(delay) = self.ack_delay() {
                    self.start_timer(Timer::DelayedAck, now + delay);
                }
                None
            }
            AckNeed::None => None,
        };
        if !waits {
            self.watch_window(now);
        }
        ack
    }

    /// A segment with a piece of the stream. The timers that watch over it are set.
    fn send_piece(&mut self, now: Instant, piece: Piece, options: Options) -> Segment {
        self.timers.stop(Timer::Persist);
        match piece.kind {
            PieceKind::New => {
                self.sent_at = Some(now);
                self.rtt.sent(piece.end(), now);
            }
            PieceKind::Again(why) => {
                self.rtt.retransmitted();
                if why != Resend::TailProbe {
                    self.note_repetition(now, piece.offset);
                    self.goes_again(now, piece.offset);
                }
            }
            PieceKind::Probe => {}
        }
        if piece.kind != PieceKind::Probe {
            self.count_pace(now, piece.payload.len() as u64);
            let (bytes, in_flight) = (piece.end() - piece.offset, self.sender.in_flight());
            match piece.kind {
                PieceKind::New => self.congestion.on_sent(now, bytes, in_flight),
                _ => self.congestion.on_sent_again(now, bytes, in_flight),
            }
            self.tell_cwnd("something was sent");
        }
        if self.sender.outstanding() > 0 {
            self.probes = 0;
            // RFC 6298 §5.1.
            self.start_timer(Timer::Retransmission, now + self.rtt.rto());
        }
        if piece.kind == PieceKind::New {
            self.schedule_probe(now);
        }
        if let Some(timeout) = self.user_timeout() {
            self.start_timer(Timer::UserTimeout, now + timeout);
        }
        let (kind, syn, fin) = (piece.kind, piece.syn, piece.fin);
        let segment = self.segment_of(now, piece, options);
        if let PieceKind::Again(why) = kind {
            let (seq, len) = (segment.header.seq.0, segment.payload.len());
            let segment = trace::SegmentNote { seq, len, syn, fin };
            self.trace(|flow| trace::Kind::Retransmitted { flow, segment, why: why.why().into() });
        }
        segment
    }

    /// While nothing is in flight and yet something waits, the persist timer runs: a window that opens may be announced
    /// in an ACK that gets lost (RFC 9293 §3.8.6.1). Each probe waits twice as long as the one before.
    fn watch_window(&mut self, now: Instant) {
        if self.sender.is_stuck() {
            let wait = if self.sender.snd_wnd > 0 {
                // Not closed, only silly: the override timeout (RFC 9293 §3.8.6.2.1).
                self.rtt.rto().min(OVERRIDE_TIMEOUT)
            } else {
                self.rtt.backed_off(self.probes)
            };
            self.start_timer(Timer::Persist, now + wait);
            if let Some(timeout) = self.user_timeout() {
                self.start_timer(Timer::UserTimeout, now + timeout);
            }
        } else {
            self.timers.stop(Timer::Persist);
            self.probes = 0;
        }
    }

    /// An ACK without data, with the number of any offset.
    pub(super) fn empty_segment(&mut self, now: Instant, offset: u64) -> Segment {
        let seq = SeqNumber::of_offset(self.sender.isn, offset);
        let options = self.options(now);
        let mut header = self.header(seq, Flags::NONE, options);
        self.urgent.mark(offset, &mut header);
        Segment { header, payload: bytes::Bytes::new() }
    }

    /// The RST that an abort sends (RFC 9293 §3.10.5). It carries an ACK, so that a peer still in SYN-SENT, which
    /// knows no other way to judge it, believes it too; and just the number that the peer expects, since it believes no
    /// other (RFC 5961 §3.2).
    pub(super) fn send_reset(&mut self) {
        let seq = SeqNumber::of_offset(self.sender.isn, self.sender.expected_next());
        let header = self.header(seq, Flags::RST, Options::none());
        self.send(Segment { header, payload: bytes::Bytes::new() });
    }

    fn segment_of(&mut self, now: Instant, piece: Piece, options: Options) -> Segment {
        let seq = SeqNumber::of_offset(self.sender.isn, piece.offset);
        let flags = self
            .ecn_flags(&piece)
            .with_if(piece.syn, Flags::SYN)
            .with_if(piece.fin, Flags::FIN)
            .with_if(piece.psh, Flags::PSH);
        let options = if piece.syn { self.syn_options(now) } else { options };
        let mut header = self.header(seq, flags, options);
        self.urgent.mark(piece.offset, &mut header);
        Segment { header, payload: piece.payload }
    }

    /// A header with the acknowledgment and window of this moment. Every segment but the very first SYN has an ACK,
    /// so none is owed after it.
    fn header(&mut self, seq: SeqNumber, flags: Flags, options: Options) -> TcpHeader {
        let header = TcpHeader {
            source_port: self.local.port(),
            destination_port: self.remote.port(),
            seq,
            flags,
            options,
            ..TcpHeader::default()
        };
        let plain = !flags.has(Flags::SYN) && !flags.has(Flags::RST);
        let flags = if plain { flags | self.ecn.echo() } else { flags };
        let Some(irs) = self.receiver.irs else {
            return TcpHeader { window: self.receiver.syn_window(), ..header };
        };
        self.receiver.acknowledged();
        if let Some(timestamps) = &mut self.timestamps {
            timestamps.acknowledged(self.receiver.rcv_nxt);
        }
        self.timers.stop(Timer::DelayedAck);
        TcpHeader {
            ack: SeqNumber::of_offset(irs, self.receiver.rcv_nxt),
            flags: flags | Flags::ACK,
            window: if flags.has(Flags::SYN) {
                self.receiver.syn_window()
            } else {
                self.receiver.window_field()
            },
            ..header
        }
    }

    /// What every segment but a SYN or a RST carries in its options: both clocks, and the blocks that came before their
    /// turn, as many as fit.
    fn options(&self, now: Instant) -> Options {
        let mut options = Options::none();
        if self.timestamps.is_none() && !self.permits_sack {
            return options;
        }
        self.push_timestamps(now, &mut options);
        // With a tiny MTU the options alone must fit; beside timestamps one block does, whatever the link.
        let space = Options::MAX_LEN.min(self.sender.mss);
        let most = (space.saturating_sub(options.len() + BLOCKS_LEN) / BLOCK_LEN).max(1);
        let blocks = self.receiver.sack_blocks(most);
        if !blocks.is_empty() {
            // Two bytes before it, and the numbers are on word boundaries (RFC 2018 §3).
            options.push(TcpOption::NoOperation);
            options.push(TcpOption::NoOperation);
            options.push(TcpOption::Sack(blocks));
        }
        options
    }

    fn push_timestamps(&self, now: Instant, options: &mut Options) {
        if let Some(timestamps) = &self.timestamps {
            let (value, echo) = timestamps.stamp(now);
            // On word boundaries (RFC 7323 appendix A).
            options.push(TcpOption::NoOperation);
            options.push(TcpOption::NoOperation);
            options.push(TcpOption::Timestamps { value, echo });
        }
    }

    /// What a SYN announces: our segment size, always (RFC 9293 §3.7.1, MAY-3), and our window scale.
    fn syn_options(&self, now: Instant) -> Options {
        let mut options = Options::none();
        options.push(TcpOption::MaximumSegmentSize(self.config.mss.max(1)));
        if self.offers_scale {
            options.push(TcpOption::NoOperation);
            options.push(TcpOption::WindowScale(self.receiver.wanted_shift()));
        }
        if self.permits_sack {
            options.push(TcpOption::NoOperation);
            options.push(TcpOption::NoOperation);
            options.push(TcpOption::SackPermitted);
        }
        self.push_timestamps(now, &mut options);
        options
    }
}
