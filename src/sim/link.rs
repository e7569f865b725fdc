//! A link: a full-duplex wire between two ports, with a rate, a delay and a bounded queue at each end.
//!
//! A frame waits until the ones before it have left, takes its serialization time to leave, and its last bit
//! arrives one propagation delay later. Nothing here needs an event of its own: when a frame will leave and arrive is
//! known the moment it is handed over.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::departures::Departures;
use super::fate::{self, Fate};
use super::fault::{Damage, Passing, Rule, Verdict, rule};
use super::node::NodeId;
use crate::base::{Duration, Instant, Rng};
use crate::layers::link::aqm::{Aqm, Found, Judgement, Manager};
use crate::layers::link::ethernet::HEADER_LEN as ETHERNET_HEADER_LEN;
use crate::layers::physical::crc32::crc32;
use crate::layers::physical::delay::{Rate, serialization};
use crate::trace::{FrameId, Kind, LinkId, PlaceId, Recorder, Wire};

/// What a link is like. The same in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkConfig {
    /// Bits per second; `None` is a wire so fast that a frame takes no time to leave.
    pub rate: Option<Rate>,
    /// Propagation delay: how long a bit is on its way.
    pub delay: Duration,
    /// A random extra delay from 0 up to this, for each frame. Frames keep their order: one that was held up holds up
    /// later ones (use [`fault::reorder`](super::fault::reorder) to break it).
    pub jitter: Duration,
    /// The largest IP packet in one frame, in bytes.
    pub mtu: u16,
    /// How many frames may wait at each end. One more is dropped ("drop-tail", as in most devices).
    pub queue: usize,
    /// What the queue does before it is full. At a link without a rate nothing waits.
    pub aqm: Aqm,
}

impl Default for LinkConfig {
    /// 10 Mbit/s, 20 ms, Ethernet's MTU of 1500, and a queue of 1000 frames, Linux's default for an interface.
    fn default() -> Self {
        LinkConfig {
            rate: Some(Rate::mbit(10)),
            delay: Duration::from_millis(20),
            jitter: Duration::ZERO,
            mtu: 1500,
            queue: 1000,
            aqm: Aqm::DropTail,
        }
    }
}

/// A link between two ports. Between the same two nodes there may be several.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) ends: [End; 2],
}

/// One end of a link: the port it is plugged into, and what sends from there.
#[derive(Debug)]
pub(super) struct End {
    pub(super) node: NodeId,
    pub(super) port: usize,
    pub(super) transmitter: Transmitter,
}

/// What sends in one direction of a link, under that direction's rules.
pub(super) struct Transmitter {
    pub(super) config: LinkConfig,
    pub(super) rules: Vec<Box<dyn Rule>>,
    /// The cable is pulled out: every frame is lost, before any rule is asked.
    pub(super) unplugged: bool,
    rng: Rng,
    /// When the frames that were accepted and have not left yet will have left, and their lengths.
    leaving: VecDeque<(Instant, usize)>,
    waiting_bytes: usize,
    manager: Manager,
    /// When the last frame had left.
    idle_since: Instant,
    /// When the frame before this one arrives: jitter keeps the order.
    last_arrival: Instant,
    /// The frames on their way, in the order in which they arrive, so that the network's queue has to hold only the
    /// first. One that overtakes others is not among them. Bounded by what the delay holds at the link's rate.
    pub(super) in_flight: VecDeque<InFlight>,
}

/// What becomes of a frame at the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is dropped at once: the queue is full, or its manager says so.
    Refused(&'static str),
    /// It waits, and is dropped when its turn comes.
    DroppedAt(Instant, &'static str),
    /// It leaves; its packet may have been marked, which makes other bytes of it.
    Passes(Passage, Option<(Bytes, &'static str)>),
}

/// When a frame that was accepted leaves and arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passage {
    /// Its first bit is put on the wire.
    pub(super) starts: Instant,
    /// Its last bit is at the other end.
    pub(super) arrives: Instant,
}

/// A frame on its way, as it will arrive.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) at: Instant,
    /// Its place among all that happens at that time.
    pub(super) ticket: u64,
    pub(super) frame: FrameId,
    pub(super) bytes: Bytes,
    pub(super) check: Option<u32>,
}

/// A frame that will arrive at the other end.
#[derive(Debug)]
pub(super) struct Arriving {
    pub(super) at: Instant,
    /// The frame as it will arrive, if a rule has changed its bits.
    pub(super) damaged: Option<Bytes>,
    /// Its frame check sequence, if its bits were touched on the wire: then it must be looked at.
    pub(super) check: Option<u32>,
    /// The copies that the rules made: they follow at once, each a frame of its own.
    pub(super) copies: Vec<FrameId>,
}

impl Transmitter {
    pub(super) fn new(config: LinkConfig, rng: Rng) -> Self {
        Transmitter {
            config,
            rules: Vec::new(),
            unplugged: false,
            rng,
            // In a large network most links have one frame at a time, and a thousand links a thousand of these.
            leaving: VecDeque::with_capacity(1),
            waiting_bytes: 0,
            manager: Manager::new(config.aqm, config.queue),
            idle_since: Instant::ZERO,
            last_arrival: Instant::ZERO,
            in_flight: VecDeque::with_capacity(1),
        }
    }

    /// Takes in a frame (without its frame check sequence), unless the queue is full.
    pub(super) fn accept(&mut self, now: Instant, bytes: &Bytes) -> Admission {
        let len = bytes.len();
        self.forget_what_left(now);
        if self.leaving.len() > self.config.queue {
            return Admission::Refused("queue full");
        }
        let starts = self.leaving.back().map_or(now, |(left, _)| *left);
        let marked = match self.ask_manager(now, starts) {
            Judgement::Pass => None,
            Judgement::Speak(by) => match with_mark(bytes) {
                Some(marked) => Some((marked, by)),
                None => return self.drop_one(starts, len, by),
            },
            Judgement::Drop(by) => return self.drop_one(starts, len, by),
        };
        let left = starts + self.config.rate.map_or(Duration::ZERO, |rate| serialization(len, rate));
        // With no time to leave there is nothing to wait for, and so no queue.
        if left > now {
            self.leaving.push_back((left, len));
            self.waiting_bytes += len;
        }
        let mut arrives = left + self.config.delay;
        if self.config.jitter > Duration::ZERO {
            arrives += Duration::from_nanos(self.rng.below(self.config.jitter.as_nanos() + 1));
            arrives = arrives.max(self.last_arrival);
            self.last_arrival = arrives;
        }
        Admission::Passes(Passage { starts, arrives }, marked)
    }

    fn ask_manager(&mut self, now: Instant, leaves: Instant) -> Judgement {
        let Some(rate) = self.config.rate.filter(|_| self.config.aqm != Aqm::DropTail) else {
            return Judgement::Pass;
        };
        let full_frame = usize::from(self.config.mtu) + ETHERNET_HEADER_LEN;
        let found = Found {
            now,
            leaves,
            frames: self.leaving.len(),
            bytes: self.waiting_bytes,
            idle_since: self.idle_since,
            frame_time: serialization(full_frame, rate),
            full_frame,
        };
        self.manager.judge(&found, &mut self.rng)
    }

    /// A frame that is dropped as it would leave takes its place in the queue until then, and no time on the wire.
    fn drop_one(&mut self, leaves: Instant, len: usize, by: &'static str) -> Admission {
        if !self.manager.drops_at_the_head() {
            return Admission::Refused(by);
        }
        self.leaving.push_back((leaves, len));
        self.waiting_bytes += len;
        Admission::DroppedAt(leaves, by)
    }

    /// Asks the rules what becomes of a frame that was accepted; `None` when it is lost. Copies take their numbers from
    /// `next`.
    pub(super) fn judge(
        &mut self,
        passing: Passing<'_>,
        mut arrives: Instant,
        next: &mut u64,
        departs: &mut Departing<'_>,
    ) -> Option<Arriving> {
        let Passing { frame, to, .. } = passing;
        if self.unplugged {
            departs.record(to, || Kind::Dropped { frame, by: "cable pulled".into() });
            return None;
        }
        let mut copies = Vec::new();
        let (mut damaged, mut check) = (None, None);
        for rule in &mut self.rules {
            let bytes = damaged.as_ref().unwrap_or(passing.bytes);
            match rule.judge(&Passing { bytes, ..passing }, &mut self.rng) {
                Verdict::Pass => {}
                Verdict::Drop => {
                    departs.record(to, || Kind::Dropped { frame, by: rule.name() });
                    return None;
                }
                Verdict::Delay(extra) => {
                    arrives += extra;
                    departs.record(to, || Kind::Delayed { frame, by: rule.name(), extra });
                }
                Verdict::Duplicate => {
                    let copy = FrameId(*next);
                    *next += 1;
                    copies.push(copy);
                    departs.record(to, || Kind::Duplicated { frame, copy, by: rule.name() });
                }
                Verdict::Corrupt { byte, bits, place } => {
                    let mut changed = BytesMut::from(&bytes[..]);
                    let offset = byte.min(changed.len().saturating_sub(1));
                    changed[offset] ^= bits;
                    if place == Damage::Wire {
                        check.get_or_insert_with(|| crc32(bytes));
                    }
                    damaged = Some(changed.freeze());
                    departs.record(to, || Kind::Corrupted { frame, by: rule.name(), offset });
                }
            }
        }
        Some(Arriving { at: arrives, damaged, check, copies })
    }

    /// The same for a frame whose fate is settled. The rules are asked in vain, so that they draw, count and
    /// number as ever.
    pub(super) fn judge_as(
        &mut self,
        fate: Fate,
        passing: Passing<'_>,
        arrives: Instant,
        next: &mut u64,
        departs: &mut Departing<'_>,
    ) -> Option<Arriving> {
        let (mut unheard, mut never) = (Recorder::off(Wire::Sim), Departures::default());
        let Departing { at, now, from, .. } = *departs;
        let mut aside = Departing { at, now, from, recorder: &mut unheard, departures: &mut never };
        let _ = self.judge(passing, arrives, next, &mut aside);
        let verdict = fate.verdict(passing.bytes.len());
        let only: Vec<Box<dyn Rule>> = vec![Box::new(rule(fate::NAME, move |_, _| verdict))];
        let rules = std::mem::replace(&mut self.rules, only);
        let unplugged = std::mem::replace(&mut self.unplugged, false);
        let judged = self.judge(passing, arrives, &mut (fate::COPIES + passing.frame.0), departs);
        (self.rules, self.unplugged) = (rules, unplugged);
        judged
    }

    /// Bytes accepted that have not left yet.
    pub(super) fn backlog(&mut self, now: Instant) -> usize {
        self.forget_what_left(now);
        self.waiting_bytes
    }

    /// When at most `bytes` will be waiting, if nothing is added.
    pub(super) fn when_backlog_is(&self, bytes: usize, now: Instant) -> Instant {
        let mut left = self.waiting_bytes;
        for (at, len) in &self.leaving {
            if left <= bytes {
                break;
            }
            left -= len;
            if left <= bytes {
                return *at;
            }
        }
        now
    }

    fn forget_what_left(&mut self, now: Instant) {
        while let Some((left, len)) = self.leaving.front().copied()
            && left <= now
        {
            self.leaving.pop_front();
            self.waiting_bytes -= len;
            self.idle_since = left;
        }
    }
}

/// The frame with "congestion experienced" in its IPv4 header, if that says that its ends understand (RFC 3168 §5).
fn with_mark(bytes: &Bytes) -> Option<Bytes> {
    let (ethernet, packet) = bytes.split_at_checked(ETHERNET_HEADER_LEN)?;
    let is_ipv4 = ethernet.ends_with(&[0x08, 0x00]) && packet.len() >= 20 && packet[0] >> 4 == 4;
    if !is_ipv4 || packet[1] & 0b11 == 0 {
        return None;
    }
    let mut marked = BytesMut::from(&bytes[..]);
    let packet = &mut marked[ETHERNET_HEADER_LEN..];
    let before = u16::from_be_bytes([packet[0], packet[1]]);
    packet[1] |= 0b11;
    let after = u16::from_be_bytes([packet[0], packet[1]]);
    // The checksum moves with what it covers (RFC 1624 §3, equation 3).
    let sum =
        u32::from(!u16::from_be_bytes([packet[10], packet[11]])) + u32::from(!before) + u32::from(after);
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !(((folded & 0xffff) + (folded >> 16)) as u16);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    Some(marked.freeze())
}

impl std::fmt::Debug for Transmitter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transmitter")
            .field("config", &self.config)
            .field("waiting", &self.leaving.len())
            .finish()
    }
}

/// Writes down what happens at the moment when a frame begins to leave: now, or in its turn.
pub(super) struct Departing<'a> {
    pub(super) at: Instant,
    pub(super) now: Instant,
    /// The end of the link that it leaves from.
    pub(super) from: (LinkId, usize),
    pub(super) recorder: &'a mut Recorder,
    pub(super) departures: &'a mut Departures,
}

impl Departing<'_> {
    pub(super) fn record(&mut self, place: PlaceId, kind: impl FnOnce() -> Kind) {
        if self.at <= self.now {
            self.recorder.record(self.at, place, kind);
        } else if self.recorder.is_on() {
            self.departures.push(self.from, self.at, place, kind());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transmitter(queue: usize) -> Transmitter {
        let config = LinkConfig { rate: Some(Rate::mbit(8)), queue, ..LinkConfig::default() };
        Transmitter::new(config, Rng::new(1))
    }

    fn accepted(link: &mut Transmitter, millis: u64) -> Option<Passage> {
        match link.accept(Instant::from_millis(millis), &Bytes::from_static(&[0; 976])) {
            Admission::Passes(passage, None) => Some(passage),
            _ => None,
        }
    }

    #[test]
    fn a_mark_changes_two_bits_and_keeps_the_checksum_right() {
        use crate::base::{Header as _, Layer, Reader, Writer};
        use crate::layers::internet::ipv4::{Ecn, Ipv4Header};
        let frame = |ecn| {
            let mut w = Writer::new();
            w.bytes(&[0; 12]);
            w.bytes(&[0x08, 0x00]);
            Ipv4Header { ecn, ..Ipv4Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 6, 0) }
                .emit(&mut w);
            w.finish()
        };
        let marked = with_mark(&frame(Ecn::Ect0)).unwrap();
        assert_eq!(marked, frame(Ecn::Ce));
        assert!(Ipv4Header::parse(&mut Reader::new(Layer::Internet, "IPv4", &marked[14..])).is_ok());
        assert_eq!(with_mark(&frame(Ecn::NotEct)), None);
        assert_eq!(with_mark(&Bytes::from_static(&[0; 10])), None);
    }

    #[test]
    fn frames_leave_one_after_the_other_and_arrive_a_delay_later() {
        let mut link = transmitter(10);
        // At 8 Mbit/s a byte takes 1 us. Preamble, frame check sequence and gap add 24 bytes to each frame.
        let first = accepted(&mut link, 0).unwrap();
        let second = accepted(&mut link, 0).unwrap();
        assert_eq!(first.starts, Instant::ZERO);
        assert_eq!(first.arrives, Instant::from_millis(21));
        assert_eq!(second.starts, Instant::from_millis(1));
        assert_eq!(second.arrives, Instant::from_millis(22));
        assert_eq!(link.backlog(Instant::ZERO), 2 * 976);
        assert_eq!(link.when_backlog_is(976, Instant::ZERO), Instant::from_millis(1));
        assert_eq!(link.backlog(Instant::from_millis(1)), 976);
    }

    #[test]
    fn a_full_queue_turns_frames_away_until_one_has_left() {
        let mut link = transmitter(2);
        let taken = (0..5).filter(|_| accepted(&mut link, 0).is_some()).count();
        assert_eq!(taken, 3, "one on the wire and two waiting");
        assert!(accepted(&mut link, 1).is_some());
    }

    #[test]
    fn jitter_keeps_the_order() {
        let mut link = transmitter(1000);
        link.config.jitter = Duration::from_millis(50);
        let arrivals: Vec<_> = (0..100).map(|_| accepted(&mut link, 0).unwrap().arrives).collect();
        assert!(arrivals.is_sorted());
        assert!(arrivals[0] >= Instant::from_millis(21));
    }
}
