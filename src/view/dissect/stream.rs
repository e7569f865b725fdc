//! One TCP conversation as a capture sees it: both directions, from where the capture began.
//!
//! Positions are relative: SYN is 0, the first byte 1. When no SYN was seen, the first number seen counts as 1.
//! Following a stream at the capture point is not the same as being its receiver: a segment counts as seen although
//! it may be lost further on, and that is what makes its second copy a retransmission.
//!
//! A hole that the receiver has acknowledged is one of the capture, not of the stream: what is missing is passed over, and
//! reading goes on after it.

use std::collections::BTreeMap;

use super::analysis::{self, Sent};
use super::application::{Label, Labels, Parser, Session, pieces};
use super::{Mark, Probe, TcpFlags, TcpSummary};
use crate::base::ParseError;
use crate::layers::transport::tcp::{Flags, SeqNumber, TcpHeader};

/// At most this many bytes wait after a hole in one direction. When there are more, the hole is taken as lost to
/// the capture, and reading goes on after it.
const MOST_WAITING: usize = 64 * 1024;
/// The largest shift that a window scale option can ask for (RFC 7323 §2.3).
const MOST_SHIFT: u8 = 14;

/// The streams of both directions.
#[derive(Debug, Clone, Default)]
pub(super) struct Conversation {
    ends: [Direction; 2],
    session: Session,
    /// The round trip of its handshake in nanoseconds.
    round_trip: Option<u64>,
    /// When it was last spoken in, for forgetting the one silent for longest.
    pub(super) last_used: u64,
}

/// What one end has sent.
#[derive(Debug, Clone, Default)]
struct Direction {
    /// The sequence number that counts as 0.
    origin: Option<SeqNumber>,
    /// Whether `origin` is a SYN that was seen.
    syn_seen: bool,
    /// Where a FIN was seen.
    fin: Option<u64>,
    /// Everything before was seen.
    next: u64,
    /// Bytes after a hole, as far as they were captured, and how many they are.
    waiting: BTreeMap<u64, (Vec<u8>, u64)>,
    waiting_bytes: usize,
    /// Up to where the other end has acknowledged.
    acked: u64,
    sent: Sent,
    /// The window scale option of its SYN.
    shift: Option<u8>,
    /// Whether its last segment was a probe: what comes back is the answer to that, and no duplicate.
    probed: bool,
    /// The last acknowledgment and window it sent.
    last_ack: Option<(u64, u32)>,
    parser: Parser,
}

/// What a segment means in its conversation.
pub(super) struct Meaning {
    pub(super) summary: TcpSummary,
    /// The position of its first byte of payload.
    pub(super) start: u64,
    /// What its payload is.
    pub(super) labels: Vec<Label>,
    /// A WebSocket frame that broke a rule, and where it began.
    pub(super) problem: Option<(u64, ParseError)>,
}

/// How a segment was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capturing {
    /// The length of its payload, of which the capture may have kept less.
    pub(super) len: usize,
    /// Whether to judge it as an observer does, and then when it was seen.
    pub(super) observed: bool,
    pub(super) at: Option<u64>,
}

impl Conversation {
    /// A conversation of which nothing was seen; whether Engine.IO and Socket.IO are looked for in it.
    pub(super) fn new(dissects_events: bool) -> Self {
        Conversation { session: Session::new(dissects_events), ..Conversation::default() }
    }

    /// Takes a segment that end `from` (0 or 1) sent.
    pub(super) fn take(&mut self, from: usize, tcp: &TcpHeader, payload: &[u8], how: Capturing) -> Meaning {
        let flags = tcp.flags;
        let (syn, fin, ack) = (flags.has(Flags::SYN), flags.has(Flags::FIN), flags.has(Flags::ACK));
        if syn && !ack && self.ends[from].origin.is_some_and(|origin| origin != tcp.seq) {
            // The same ports again: a new conversation.
            let session = self.session.renewed();
            *self = Conversation { session, last_used: self.last_used, ..Conversation::default() };
        }
        let [first, second] = &mut self.ends;
        let (me, peer) = if from == 0 { (first, second) } else { (second, first) };

        // A reset that refuses a SYN has the number 0 (RFC 9293 §3.10.7.1), of no stream: it is shown as it is.
        let refusal = flags.has(Flags::RST) && me.origin.is_none() && tcp.seq == SeqNumber(0);
        let seq_offset = if refusal { 0 } else { me.offset(tcp.seq, syn) };
        let seq = u64::try_from(seq_offset).ok();
        if syn {
            me.shift = tcp.options.window_scale();
        }
        let ack_offset = ack.then(|| peer.offset(tcp.ack, false));
        let ack = ack_offset.map(|ack| u64::try_from(ack).ok());
        let window = me.scaled(peer, tcp.window, syn);

        let start = seq.unwrap_or(0) + u64::from(syn);
        let end = start + how.len as u64;
        let takes_room = syn || fin || how.len > 0;
        let seen_before = takes_room
            && match seq {
                // A FIN has a number of its own, also one that came before its turn.
                Some(seq) => me.has_seen(seq, end) && (!fin || me.fin == Some(end)),
                None => true,
            };
        if fin {
            me.fin = Some(end);
        }
        let bare = !syn && !fin && !flags.has(Flags::RST);
        let probe = me.probe(peer, bare, start, how.len);
        let ack_and_window = ack.map(|ack| (ack.unwrap_or(0), window));
        let duplicate_ack = bare
            && how.len == 0
            && probe.is_none()
            && !peer.probed
            && ack_and_window.is_some()
            && me.last_ack == ack_and_window
            && ack_and_window.is_some_and(|(ack, _)| peer.next > ack);
        me.last_ack = ack_and_window.or(me.last_ack);
        me.probed = probe.is_some();

        let marks = match how.observed {
            true => {
                let segment = analysis::Segment {
                    at: how.at,
                    seq: judged(seq_offset),
                    len: how.len as u64,
                    syn,
                    fin,
                    rst: flags.has(Flags::RST),
                    ack: ack_offset.map(judged),
                    window: tcp.window,
                    room: me.syn_seen.then_some(u64::from(window)),
                };
                analysis::judge(&mut me.sent, &mut peer.sent, segment, &mut self.round_trip)
            }
            false => Vec::new(),
        };
        let duplicate_ack = match how.observed {
            true => marks.contains(&Mark::DuplicateAck) && probe.is_none() && !peer.probed,
            false => duplicate_ack,
        };
        let again = match how.observed {
            // What comes twice so soon counts as overtaken; but that all of it was seen is no guess.
            true => marks.contains(&Mark::Retransmission) || marks.contains(&Mark::OutOfOrder) && seen_before,
            false => seen_before,
        };

        if let Some(Some(ack)) = ack {
            peer.acknowledged(ack, &mut self.session);
        }
        let mut problem = None;
        if seq.is_some() {
            if syn {
                me.next = me.next.max(1);
            }
            problem = me.read(start, payload, how.len as u64, &mut self.session);
            if fin && me.next == end {
                me.next = end + 1;
            }
        }
        let labels = match start > me.next && !payload.is_empty() {
            true => me.parser.guess(start, payload, &self.session),
            false => me.parser.labels().touching(start, end).cloned().collect(),
        };
        let application = if how.len == 0 { Vec::new() } else { pieces(&labels, start, end) };
        let summary = TcpSummary {
            flags: TcpFlags {
                syn,
                ack: ack.is_some(),
                fin,
                rst: flags.has(Flags::RST),
                psh: flags.has(Flags::PSH),
                urg: flags.has(Flags::URG),
            },
            seq: seq.unwrap_or(0),
            ack: ack.map(|ack| ack.unwrap_or(0)),
            seq_raw: tcp.seq.0,
            ack_raw: ack.map(|_| tcp.ack.0),
            len: how.len,
            window,
            mss: tcp.options.mss(),
            retransmission: again && probe.is_none(),
            probe,
            duplicate_ack,
            marks: marks
                .into_iter()
                .filter(|mark| !matches!(mark, Mark::Retransmission | Mark::DuplicateAck))
                .collect(),
            application,
        };
        Meaning { summary, start, labels, problem }
    }

    /// Bytes that wait after holes.
    pub(super) fn waiting(&self) -> usize {
        self.ends.iter().map(|end| end.waiting_bytes).sum()
    }

    /// How many labels it has, and how many it has forgotten.
    pub(super) fn labels(&self) -> (usize, u64) {
        let labels = self.ends.iter().map(|end| end.parser.labels());
        labels.fold((0, 0), |(len, forgotten), labels: &Labels| {
            (len + labels.len(), forgotten + labels.forgotten())
        })
    }
}

/// A position as an observer counts, for whom there was something before the capture began.
fn judged(offset: i64) -> u64 {
    offset.saturating_add(1 << 32).max(0).unsigned_abs()
}

impl Direction {
    /// A sequence number's position, which is negative for one before the beginning.
    fn offset(&mut self, number: SeqNumber, syn: bool) -> i64 {
        if syn && !self.syn_seen {
            self.syn_seen = true;
            self.origin = Some(number);
            self.next = 0;
        }
        let origin = *self.origin.get_or_insert_with(|| {
            self.next = 1;
            SeqNumber(number.0.wrapping_sub(1))
        });
        number.to_offset(origin, self.next)
    }

    /// Whether all of `start..end` was seen.
    fn has_seen(&self, start: u64, end: u64) -> bool {
        end <= self.next
            || self.waiting.range(..=start).next_back().is_some_and(|(at, (_, len))| at + len >= end)
    }

    /// The window in bytes. Both ends must have offered to scale (RFC 7323 §2.2), and a SYN's is never scaled.
    fn scaled(&self, peer: &Direction, window: u16, syn: bool) -> u32 {
        match (self.shift, peer.shift) {
            (Some(shift), Some(_)) if !syn => u32::from(window) << shift.min(MOST_SHIFT),
            _ => u32::from(window),
        }
    }

    fn probe(&self, peer: &Direction, bare: bool, start: u64, len: usize) -> Option<Probe> {
        let (acked, window) = peer.last_ack?;
        if bare && len <= 1 && start + 1 == self.next && acked >= self.next {
            Some(Probe::KeepAlive)
        } else if bare && len >= 1 && window == 0 && start >= acked {
            Some(Probe::ZeroWindow)
        } else {
            None
        }
    }

    /// The other end has everything before `position`. A hole before it will not be filled, unless what is missing stands
    /// further behind in the capture: so it is passed over only when there is something to read behind it.
    fn acknowledged(&mut self, position: u64, session: &mut Session) {
        self.acked = self.acked.max(position);
        if !self.waiting.is_empty() {
            self.release(session);
        }
    }

    /// Reads payload that begins at `start`, and what it sets free of what was waiting. Of its `len` bytes, the capture may
    /// have kept less.
    fn read(
        &mut self,
        start: u64,
        bytes: &[u8],
        len: u64,
        session: &mut Session,
    ) -> Option<(u64, ParseError)> {
        if len > 0 && start > self.next && self.acked > self.next && self.waiting.is_empty() {
            self.pass_over(start.min(self.acked));
        }
        let problem = self.take(start, bytes, len, session);
        self.release(session);
        problem
    }

    /// Reads what was waiting, as far as no hole is before it.
    fn release(&mut self, session: &mut Session) {
        while let Some((at, (bytes, len))) = self.waiting.pop_first() {
            if at > self.next && at > self.acked && self.waiting_bytes <= MOST_WAITING {
                self.waiting.insert(at, (bytes, len));
                break;
            }
            self.waiting_bytes -= bytes.len();
            self.pass_over(at);
            self.take(at, &bytes, len, session);
        }
    }

    /// Takes a hole as lost to the capture.
    fn pass_over(&mut self, to: u64) {
        if to > self.next {
            self.parser.skip(to - self.next);
            self.next = to;
        }
    }

    fn take(
        &mut self,
        start: u64,
        bytes: &[u8],
        len: u64,
        session: &mut Session,
    ) -> Option<(u64, ParseError)> {
        let end = start + len;
        if start > self.next {
            if len > 0 && !self.has_seen(start, end) {
                self.waiting_bytes += bytes.len();
                let old = self.waiting.insert(start, (bytes.to_vec(), len));
                self.waiting_bytes -= old.map_or(0, |(old, _)| old.len());
            }
            return None;
        }
        let known = usize::try_from(self.next - start).ok()?;
        if self.next >= end {
            return None;
        }
        let at = self.next;
        self.next = end;
        let new = bytes.get(known..).unwrap_or_default();
        let problem = if new.is_empty() { None } else { self.parser.feed(at, new, session) };
        // What the capture cut off is a hole like any other.
        let read = at + new.len() as u64;
        if read < end {
            self.parser.skip(end - read);
        }
        problem
    }
}
