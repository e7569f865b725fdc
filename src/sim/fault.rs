//! Faults: what a network does to frames besides delivering them.
//!
//! A fault is a rule. A frame comes by, and the rules of that direction of the link are asked in order: the first
//! that says [`Verdict::Drop`] ends it, and all others add up. The trace names the rule that acted. A closure is a
//! rule, so "drop the third ACK" and "lose 5 %" both fit on one line:
//!
//! ```
//! use netlayers::sim::fault::{self, Verdict};
//!
//! let lossy = fault::loss(0.05);
//! let third = fault::nth("the third frame", 3, |_| true, Verdict::Drop);
//! let data = fault::nth("the third segment with data", 3, |frame| frame.tcp_payload() > 0, Verdict::Drop);
//! let large = fault::rule("large frames", |frame, _| {
//!     if frame.bytes.len() > 1000 { Verdict::Drop } else { Verdict::Pass }
//! });
//! # let _ = (lossy, third, data, large);
//! ```

use std::borrow::Cow;

use bytes::Bytes;

use crate::base::{Duration, Header as _, Instant, Layer, Reader, Rng};
use crate::layers::internet::ipv4::{Ipv4Header, protocol};
use crate::layers::link::ethernet::{EtherType, EthernetHeader, HEADER_LEN};
use crate::layers::transport::tcp::Segment;
use crate::layers::transport::udp::Datagram;
use crate::trace::{FrameId, PlaceId};

/// A frame on its way over a link, as a rule sees it.
#[derive(Debug, Clone, Copy)]
pub struct Passing<'a> {
    /// When it was handed to the link.
    pub at: Instant,
    /// The host that sends it.
    pub from: PlaceId,
    /// The host it goes to.
    pub to: PlaceId,
    /// Its number in the run.
    pub frame: FrameId,
    /// The frame from its destination address on, without the frame check sequence.
    pub bytes: &'a Bytes,
}

impl Passing<'_> {
    /// The UDP datagram in the frame; `None` when there is another protocol, a fragment, or damage.
    pub fn datagram(&self) -> Option<Datagram> {
        let (ip, payload, offset) = self.packet(protocol::UDP)?;
        Datagram::parse(ip.source.into(), ip.destination.into(), &payload, offset).ok()
    }

    /// The TCP segment in the frame; `None` when there is another protocol, a fragment, or damage.
    pub fn segment(&self) -> Option<Segment> {
        let (ip, payload, offset) = self.packet(protocol::TCP)?;
        Segment::parse(ip.source.into(), ip.destination.into(), &payload, offset).ok()
    }

    /// How many bytes of a TCP stream the frame carries: none for a bare ACK, or when it is not TCP.
    pub fn tcp_payload(&self) -> usize {
        self.segment().map_or(0, |segment| segment.payload.len())
    }

    /// The IPv4 packet in the frame, when it is whole and carries `wanted`; and where its payload begins.
    fn packet(&self, wanted: u8) -> Option<(Ipv4Header, Bytes, usize)> {
        let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, self.bytes);
        if EthernetHeader::parse(&mut r).ok()?.ethertype != EtherType::IPV4 {
            return None;
        }
        let start = r.offset();
        let ip = Ipv4Header::parse(&mut r.enter(Layer::Internet, Ipv4Header::PROTOCOL)).ok()?;
        let range = ip.payload_range(start);
        let offset = range.start;
        (ip.protocol == wanted && !ip.is_fragment()).then(|| (ip, self.bytes.slice(range), offset))
    }
}

/// What a rule says about one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing happens to it.
    Pass,
    /// The frame is lost: it arrives nowhere.
    Drop,
    /// It arrives later by this much: what was sent after it may arrive before it.
    Delay(Duration),
    /// The frame arrives twice, once with extra delay.
    Duplicate,
    /// Bits of one byte are flipped.
    Corrupt {
        /// Which byte; a byte past the end is the last one.
        byte: usize,
        /// Which bits of it: those that are 1 here are flipped.
        bits: u8,
        /// Which part of the frame is damaged.
        place: Damage,
    },
}

/// Where a frame is damaged, which decides which checksum can notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// On the wire: the frame check sequence no longer fits, and the receiving interface throws the frame away.
    Wire,
    /// In the memory of a device on the way, which computes a new frame check sequence over the damaged bytes: only
    /// the checksums of the layers above can notice (Stone and Partridge, SIGCOMM 2000, found that it happens).
    Memory,
}

/// Decides what happens to each frame that comes by.
pub trait Rule {
    /// How the trace names it.
    fn name(&self) -> Cow<'static, str>;

    /// The verdict on one frame. `rng` is this link's own source of chance.
    fn judge(&mut self, frame: &Passing<'_>, rng: &mut Rng) -> Verdict;
}

/// A closure as a rule.
pub fn rule(
    name: impl Into<Cow<'static, str>>,
    judge: impl FnMut(&Passing<'_>, &mut Rng) -> Verdict,
) -> impl Rule {
    Closure { name: name.into(), judge }
}

struct Closure<F> {
    name: Cow<'static, str>,
    judge: F,
}

impl<F: FnMut(&Passing<'_>, &mut Rng) -> Verdict> Rule for Closure<F> {
    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn judge(&mut self, frame: &Passing<'_>, rng: &mut Rng) -> Verdict {
        (self.judge)(frame, rng)
    }
}

/// Acts with `verdict` on the `n`th frame (counted from 1) for which `wanted` holds, and on no other.
pub fn nth(
    name: impl Into<Cow<'static, str>>,
    n: u64,
    mut wanted: impl FnMut(&Passing<'_>) -> bool,
    verdict: Verdict,
) -> impl Rule {
    let mut seen = 0;
    rule(name, move |frame, _| {
        seen += u64::from(wanted(frame));
        // Once it has acted, it must not act again on frames that do not count.
        if seen == n {
            seen += 1;
            verdict
        } else {
            Verdict::Pass
        }
    })
}

/// Drops what carries an IP packet of more than `most` bytes, and no ICMP message says so: a *black hole* (RFC 2923
/// §2.1).
pub fn black_hole(most: u16) -> impl Rule {
    rule(format!("drops packets over {most} B"), move |frame, _| {
        match frame.bytes.len() > HEADER_LEN + usize::from(most) {
            true => Verdict::Drop,
            false => Verdict::Pass,
        }
    })
}

/// Loses each frame with the given probability, independently of all others.
pub fn loss(probability: f64) -> impl Rule {
    rule(format!("loss {}", percent(probability)), move |_, rng| match rng.chance(probability) {
        true => Verdict::Drop,
        false => Verdict::Pass,
    })
}

/// Loses every frame that is handed to the link from one time on until another: a cable that is pulled and put back.
pub fn outage(from: Instant, until: Instant) -> impl Rule {
    rule(
        "cable pulled",
        move |frame, _| if (from..until).contains(&frame.at) { Verdict::Drop } else { Verdict::Pass },
    )
}

/// Delivers each frame twice with the given probability.
pub fn duplicate(probability: f64) -> impl Rule {
    rule(format!("duplicate {}", percent(probability)), move |_, rng| match rng.chance(probability) {
        true => Verdict::Duplicate,
        false => Verdict::Pass,
    })
}

/// Holds each frame back by `extra` with the given probability, so that later frames overtake it.
pub fn reorder(probability: f64, extra: Duration) -> impl Rule {
    rule(format!("reorder {}", percent(probability)), move |_, rng| match rng.chance(probability) {
        true => Verdict::Delay(extra),
        false => Verdict::Pass,
    })
}

/// Flips one random bit of each frame with the given probability.
pub fn corrupt(probability: f64, place: Damage) -> impl Rule {
    rule(format!("corrupt {}", percent(probability)), move |frame, rng| match rng.chance(probability) {
        true => Verdict::Corrupt {
            byte: rng.below(frame.bytes.len() as u64) as usize,
            bits: 1 << rng.below(8),
            place,
        },
        false => Verdict::Pass,
    })
}

fn percent(probability: f64) -> String {
    let text = format!("{:.3}", probability * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(mut rule: impl Rule, frames: usize) -> Vec<Verdict> {
        let mut rng = Rng::new(7);
        let bytes = Bytes::from_static(&[0; 60]);
        (0..frames)
            .map(|i| {
                let frame = Passing {
                    at: Instant::ZERO,
                    from: PlaceId(0),
                    to: PlaceId(1),
                    frame: FrameId(i as u64),
                    bytes: &bytes,
                };
                rule.judge(&frame, &mut rng)
            })
            .collect()
    }

    #[test]
    fn the_nth_rule_acts_once_on_the_nth_frame_that_counts() {
        let second_odd = nth("x", 2, |frame| frame.frame.0 % 2 == 1, Verdict::Drop);
        let acted: Vec<_> = verdicts(second_odd, 10).iter().map(|v| *v == Verdict::Drop).collect();
        assert_eq!(acted.iter().position(|drop| *drop), Some(3));
        assert_eq!(acted.iter().filter(|drop| **drop).count(), 1);
    }

    #[test]
    fn a_rule_sees_the_segment_and_the_datagram_in_a_frame_and_nothing_in_noise() {
        use crate::sim::scene::{Knobs, run};
        use crate::trace::{Recorder, Way, Wire};
        let message = Bytes::from_static(b"thirteen here");
        for way in [Way::Udp, Way::Tcp] {
            let trace = run(way, &message, &Knobs::default(), Recorder::on("", Wire::Sim)).trace;
            let carried: Vec<_> = trace
                .frames()
                .map(|(at, from, to, frame, bytes)| Passing { at, from, to, frame, bytes })
                .filter_map(|passing| match way {
                    Way::Udp => passing.datagram().map(|datagram| datagram.payload),
                    _ => passing.segment().map(|segment| segment.payload),
                })
                .filter(|payload| !payload.is_empty())
                .collect();
            assert_eq!(carried, [&message], "{way:?}");
        }
        let noise = Bytes::from_static(&[0x5a; 60]);
        let (from, to) = (PlaceId(0), PlaceId(1));
        let passing = Passing { at: Instant::ZERO, from, to, frame: FrameId(0), bytes: &noise };
        assert!(passing.segment().is_none() && passing.datagram().is_none());
    }

    #[test]
    fn loss_acts_as_often_as_it_says() {
        let lost = verdicts(loss(0.2), 10_000).iter().filter(|v| **v == Verdict::Drop).count();
        assert!((1_850..2_150).contains(&lost), "{lost} of 10000");
    }

    #[test]
    fn rules_name_themselves_with_their_probability() {
        assert_eq!(loss(0.1).name(), "loss 10 %");
        assert_eq!(loss(0.0125).name(), "loss 1.25 %");
        assert_eq!(reorder(0.3, Duration::from_millis(1)).name(), "reorder 30 %");
    }
}
