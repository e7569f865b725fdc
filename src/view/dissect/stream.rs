//! One TCP conversation as a capture sees it: both directions, from where the capture began.
//!
//! Positions are relative: SYN is 0, the first byte 1. When no SYN was seen, the first number seen counts as 1.
//! Following a stream at the capture point is not the same as being its receiver: a segment counts as seen although
//! it may be lost further on, and that is what makes its second copy a retransmission.

use std::collections::BTreeMap;

use super::application::{Parser, Session};
use super::{Probe, TcpFlags, TcpSummary};
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
    /// Everything before was seen.
    next: u64,
    /// Bytes after a hole, by position.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
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
    /// A WebSocket frame that broke a rule, and where it began.
    pub(super) problem: Option<(u64, ParseError)>,
}

impl Conversation {
    /// A conversation of which nothing was seen; whether Engine.IO and Socket.IO are looked for in it.
    pub(super) fn new(dissects_events: bool) -> Self {
        Conversation { session: Session::new(dissects_events), ..Conversation::default() }
    }

    /// Takes a segment that end `from` (0 or 1) sent.
    pub(super) fn take(&mut self, from: usize, tcp: &TcpHeader, payload: &[u8]) -> Meaning {
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
        let seq = if refusal { Some(0) } else { me.position(tcp.seq, syn) };
        if syn {
            me.shift = tcp.options.window_scale();
        }
        let ack = ack.then(|| peer.position(tcp.ack, false));
        let window = me.scaled(peer, tcp.window, syn);

        let start = seq.unwrap_or(0) + u64::from(syn);
        let end = start + payload.len() as u64;
        let takes_room = syn || fin || !payload.is_empty();
        let seen_before = takes_room
            && match seq {
                Some(seq) => me.has_seen(seq, end + u64::from(fin)),
                None => true,
            };
        let bare = !syn && !fin && !flags.has(Flags::RST);
        let probe = me.probe(peer, bare, start, payload.len());
        let ack_and_window = ack.map(|ack| (ack.unwrap_or(0), window));
        let duplicate_ack = bare
            && payload.is_empty()
            && probe.is_none()
            && !peer.probed
            && ack_and_window.is_some()
            && me.last_ack == ack_and_window
            && ack_and_window.is_some_and(|(ack, _)| peer.next > ack);
        me.last_ack = ack_and_window.or(me.last_ack);
        me.probed = probe.is_some();

        let mut problem = None;
        if seq.is_some() {
            if syn {
                me.next = me.next.max(1);
            }
            problem = me.read(start, payload, &mut self.session);
            if fin && me.next == end {
                me.next = end + 1;
            }
        }
        let application = if payload.is_empty() { Vec::new() } else { me.parser.labels().pieces(start, end) };
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
            len: payload.len(),
            window,
            mss: tcp.options.mss(),
            retransmission: seen_before && probe.is_none(),
            probe,
            duplicate_ack,
            application,
        };
        Meaning { summary, start, problem }
    }

    /// Bytes that wait after holes.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.ends.iter().flat_map(|end| end.waiting.values()).map(Vec::len).sum()
    }

    /// The reading of what end `from` has sent.
    pub(super) fn parser(&self, from: usize) -> &Parser {
        &self.ends[from & 1].parser
    }
}

impl Direction {
    /// A sequence number's position; `None` for one before the beginning.
    fn position(&mut self, number: SeqNumber, syn: bool) -> Option<u64> {
        if syn && !self.syn_seen {
            self.syn_seen = true;
            self.origin = Some(number);
            self.next = 0;
        }
        let origin = *self.origin.get_or_insert_with(|| {
            self.next = 1;
            SeqNumber(number.0.wrapping_sub(1))
        });
        u64::try_from(number.to_offset(origin, self.next)).ok()
    }

    /// Whether all of `start..end` was seen.
    fn has_seen(&self, start: u64, end: u64) -> bool {
        end <= self.next
            || self
                .waiting
                .range(..=start)
                .next_back()
                .is_some_and(|(at, bytes)| at + bytes.len() as u64 >= end)
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

    /// Reads payload that begins at `start`, and what it sets free of what was waiting.
    fn read(&mut self, start: u64, bytes: &[u8], session: &mut Session) -> Option<(u64, ParseError)> {
        let problem = self.take(start, bytes, session);
        while let Some((at, bytes)) = self.waiting.pop_first() {
            if at > self.next && self.waiting_bytes <= MOST_WAITING {
                self.waiting.insert(at, bytes);
                break;
            }
            self.waiting_bytes -= bytes.len();
            if at > self.next {
                self.parser.skip(at - self.next);
                self.next = at;
            }
            self.take(at, &bytes, session);
        }
        problem
    }

    fn take(&mut self, start: u64, bytes: &[u8], session: &mut Session) -> Option<(u64, ParseError)> {
        let end = start + bytes.len() as u64;
        if start > self.next {
            if !bytes.is_empty() && !self.has_seen(start, end) {
                let old = self.waiting.insert(start, bytes.to_vec());
                self.waiting_bytes += bytes.len();
                self.waiting_bytes -= old.map_or(0, |old| old.len());
            }
            return None;
        }
        let new = usize::try_from(self.next - start).ok().and_then(|known| bytes.get(known..))?;
        let at = self.next;
        self.next = self.next.max(end);
        self.parser.feed(at, new, session)
    }
}
