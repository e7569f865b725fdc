//! A race: TCP flows with one congestion control each, side by side through one bottleneck.
//!
//! ```text
//! sender 1 ─┐                        ┌─ receiver 1
//! sender 2 ─┤ left ── bottleneck ── right ─┤ receiver 2
//! sender n ─┘                        └─ receiver n
//! ```
//!
//! The network is the *dumbbell* of the literature. Rate, delay, queue and faults are those of the bottleneck, in both
//! directions; the other links take no time, but for a jitter of up to one frame's time on the bottleneck. Without it
//! hosts of a simulator that take no time to compute can keep step, and one flow finds the queue full each time while
//! another never does: the phase effects of Floyd and Jacobson (1992).
//!
//! Every sender has more to send than there is time for. What happens is folded into figures as it happens, so a race
//! takes no more memory the longer it is: [`PARTS`] values a flow, and the events of 20 ms.

pub mod law;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde::Serialize;

use super::apps::tcp::{Receiver, Source};
use super::knob::Knobs;
use super::link::LinkConfig;
use super::network::{AppId, HostId, Network};
use crate::base::{Duration, Instant};
use crate::layers::link::aqm::Aqm;
use crate::layers::physical::delay::{ETHERNET_OVERHEAD, serialization};
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::trace::{Event, FrameId, Kind, LinkId, PlaceId, Recorder, Wire};

/// A race is cut into this many equal parts, and each is one value of a series.
pub const PARTS: usize = 400;

/// Events are folded at least this often, however long a part is.
const SLICE: Duration = Duration::from_millis(20);

/// At most this many flows: each has a subnet of its own.
pub const MOST_FLOWS: usize = 200;

/// The port of every receiver.
const PORT: u16 = 5001;

/// What came of a race.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Race {
    /// How long it was.
    pub time: Duration,
    /// The queue of the bottleneck, in frames.
    pub queue: usize,
    /// The flows, in the order in which they were named.
    pub flows: Vec<Flow>,
    /// The queue of the bottleneck, part by part.
    pub bottleneck: Bottleneck,
}

/// What came of one flow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// Its congestion control.
    pub name: String,
    /// Bytes that its receiver read, part by part.
    pub read: Vec<u64>,
    /// Its congestion window in bytes at the end of each part; `None` while it has no limit.
    pub cwnd: Vec<Option<u64>>,
    /// Segments that were sent again.
    pub retransmissions: u64,
}

/// What the link in the middle saw, in the direction of the data.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Bottleneck {
    /// The most frames that waited, part by part.
    pub longest: Vec<usize>,
    /// Frames that waited on average over time.
    pub mean: f64,
    /// Frames that found the queue full, or that its manager dropped.
    pub turned_away: u64,
    /// Frames that were lost on the link.
    pub lost: u64,
    /// Packets that the queue has marked instead of dropping them.
    pub marked: u64,
    /// Which share of the time it was busy; `None` for a link without a rate.
    pub utilisation: Option<f64>,
}

/// The knobs of a race before any is turned: those of every run, with a queue of a round trip (see [`fitting_queue`]).
pub fn knobs() -> Knobs {
    let mut knobs = Knobs::default();
    knobs.link.queue = fitting_queue(&knobs.link);
    knobs
}

/// How many frames a link sends in a round trip, but at least 10: the rule of thumb for its queue.
pub fn fitting_queue(link: &LinkConfig) -> usize {
    let frame = frame_time(link).as_nanos().max(1);
    ((link.delay * 2).as_nanos() / frame).clamp(10, 1_000_000) as usize
}

/// How long the largest frame keeps a link busy.
fn frame_time(link: &LinkConfig) -> Duration {
    link.rate.map_or(Duration::ZERO, |rate| serialization(usize::from(link.mtu) + 14, rate))
}

/// Lets a flow with each of these congestion controls send for `time`. The same knobs, seed among them, give the same
/// race. Buffers are as large as the path and its queue can fill.
///
/// # Panics
/// With more than [`MOST_FLOWS`] entrants.
pub fn run(entrants: &[Algorithm], knobs: &Knobs, time: Duration) -> Race {
    run_watched(entrants, knobs, time, &mut |_| ())
}

/// The same, saying to `watch` after each part which time it is.
///
/// # Panics
/// With more than [`MOST_FLOWS`] entrants.
pub fn run_watched(
    entrants: &[Algorithm],
    knobs: &Knobs,
    time: Duration,
    watch: &mut dyn FnMut(Instant),
) -> Race {
    assert!(entrants.len() <= MOST_FLOWS, "at most {MOST_FLOWS} flows");
    let mut track = Track::build(entrants, knobs);
    let mut tally = Tally::new(entrants, &track);
    for part in 1..=PARTS as u64 {
        let end =
            Instant::from_nanos((u128::from(time.as_nanos()) * u128::from(part) / PARTS as u128) as u64);
        while track.network.now() < end {
            let slice = track.network.now() + SLICE;
            track.network.wait_until(slice.min(end));
            for event in track.network.recorder().take() {
                tally.see(&event, knobs);
            }
        }
        let read = track.receivers.iter().map(|app| track.network.app_ref::<Receiver>(*app).bytes());
        tally.end_part(end, &read.collect::<Vec<_>>());
        watch(end);
    }
    tally.race(knobs, time)
}

/// The network of a race.
struct Track {
    network: Network,
    senders: Vec<HostId>,
    receivers: Vec<AppId>,
    left: HostId,
    bottleneck: LinkId,
}

impl Track {
    fn build(entrants: &[Algorithm], knobs: &Knobs) -> Track {
        let mut network = Network::new(knobs.seed, Recorder::on("race", Wire::Sim));
        let config = knobs.stack();
        let (left, right) = (network.router("left", &config), network.router("right", &config));
        let bottleneck = network.link((left, "10.0.0.1/30"), (right, "10.0.0.2/30"), knobs.link());
        knobs.faults(&mut network, left, right);
        let jitter = frame_time(&knobs.link);
        let access =
            LinkConfig { rate: None, delay: Duration::ZERO, jitter, aqm: Aqm::DropTail, ..knobs.link };
        let (mut senders, mut receivers) = (Vec::new(), Vec::new());
        for (number, entrant) in entrants.iter().enumerate() {
            let buffer = buffer(knobs);
            let tcp = tcp::Config {
                congestion: *entrant,
                recv_buffer: buffer.max(knobs.tcp.recv_buffer),
                send_buffer: buffer.max(knobs.tcp.send_buffer),
                ..config.tcp.clone()
            };
            let config = StackConfig { tcp, ..config.clone() };
            let address = |side: usize, host: usize| format!("10.{side}.{number}.{host}/24");
            let sender = network.host(&format!("sender {}", number + 1), &*address(1, 1), &config);
            let receiver = network.host(&format!("receiver {}", number + 1), &*address(2, 1), &config);
            network.link(sender, (left, &*address(1, 254)), access);
            network.link(receiver, (right, &*address(2, 254)), access);
            let gateway = |side: usize| format!("10.{side}.{number}.254");
            network.gateway(sender, &*gateway(1));
            network.gateway(receiver, &*gateway(2));
            let to = SocketAddr::new(network.stack(receiver).address(), PORT);
            network.app(sender, Source::new(to, u64::MAX, Instant::ZERO));
            receivers.push(network.app(receiver, Receiver::sink(PORT)));
            senders.push(sender);
        }
        network.gateway(left, "10.0.0.2");
        network.gateway(right, "10.0.0.1");
        network.introduce_neighbours();
        Track { network, senders, receivers, left, bottleneck }
    }
}

/// Twice what is under way when the path and its queue are full, so that a window is never the limit.
fn buffer(knobs: &Knobs) -> usize {
    let path = knobs.link.rate.map_or(0, |rate| {
        let bits = u128::from(rate.0) * u128::from((knobs.link.delay * 2).as_nanos()) / 1_000_000_000;
        usize::try_from(bits / 8).unwrap_or(usize::MAX)
    });
    let waiting = knobs.link.queue.saturating_mul(usize::from(knobs.link.mtu) + ETHERNET_OVERHEAD);
    path.saturating_add(waiting).saturating_mul(2).clamp(128 << 10, 64 << 20)
}

/// Folds events into figures.
struct Tally {
    flows: Vec<Flow>,
    places: BTreeMap<PlaceId, usize>,
    left: PlaceId,
    link: LinkId,
    cwnd: Vec<Option<u64>>,
    read: Vec<u64>,
    bottleneck: Bottleneck,
    /// Frames that wait for the bottleneck.
    waiting: BTreeSet<FrameId>,
    /// Frames on the bottleneck, and whether they go to the right.
    crossing: BTreeMap<FrameId, bool>,
    longest: usize,
    /// Since when as many wait as do, and frames times nanoseconds before that.
    since: Instant,
    area: u128,
    busy: Duration,
}

impl Tally {
    fn new(entrants: &[Algorithm], track: &Track) -> Tally {
        let flow = |entrant: &Algorithm| Flow {
            name: entrant.name.to_owned(),
            read: Vec::new(),
            cwnd: Vec::new(),
            retransmissions: 0,
        };
        let places = track.senders.iter().zip(0..).map(|(sender, number)| (sender.place(), number));
        Tally {
            flows: entrants.iter().map(flow).collect(),
            places: places.collect(),
            left: track.left.place(),
            link: track.bottleneck,
            cwnd: vec![None; entrants.len()],
            read: vec![0; entrants.len()],
            bottleneck: Bottleneck::default(),
            waiting: BTreeSet::new(),
            crossing: BTreeMap::new(),
            longest: 0,
            since: Instant::ZERO,
            area: 0,
            busy: Duration::ZERO,
        }
    }

    fn see(&mut self, event: &Event, knobs: &Knobs) {
        let at_left = event.place == self.left;
        match &event.kind {
            Kind::CwndChanged { cwnd, .. } => {
                if let Some(number) = self.places.get(&event.place) {
                    self.cwnd[*number] = Some(*cwnd).filter(|cwnd| *cwnd < u64::MAX);
                }
            }
            Kind::Retransmitted { .. } => {
                if let Some(number) = self.places.get(&event.place) {
                    self.flows[*number].retransmissions += 1;
                }
            }
            Kind::Queued { frame, link, .. } if at_left && *link == self.link => {
                self.count_time(event.at);
                self.waiting.insert(*frame);
                self.longest = self.longest.max(self.waiting.len());
            }
            Kind::Sent { frame, link, bytes, .. } if at_left && *link == self.link => {
                self.count_time(event.at);
                self.waiting.remove(frame);
                self.crossing.insert(*frame, true);
                let time = knobs.link.rate.map_or(Duration::ZERO, |rate| serialization(bytes.len(), rate));
                self.busy = self.busy + time;
            }
            Kind::Sent { frame, link, .. } if *link == self.link => {
                self.crossing.insert(*frame, false);
            }
            Kind::Delivered { frame } => {
                self.crossing.remove(frame);
            }
            Kind::Marked { .. } if at_left => self.bottleneck.marked += 1,
            Kind::Dropped { frame, .. } => match self.crossing.remove(frame) {
                Some(to_the_right) => self.bottleneck.lost += u64::from(to_the_right),
                // It never left, and of the links of this router only the one in the middle has a queue.
                None if at_left => {
                    self.count_time(event.at);
                    self.waiting.remove(frame);
                    self.bottleneck.turned_away += 1;
                }
                None => {}
            },
            _ => {}
        }
    }

    /// As many frames have waited until now as do.
    fn count_time(&mut self, now: Instant) {
        self.area += self.waiting.len() as u128 * u128::from(now.since(self.since).as_nanos());
        self.since = now;
    }

    fn end_part(&mut self, now: Instant, read: &[u64]) {
        self.count_time(now);
        self.bottleneck.longest.push(std::mem::replace(&mut self.longest, self.waiting.len()));
        for (number, flow) in self.flows.iter_mut().enumerate() {
            flow.read.push(read[number] - self.read[number]);
            flow.cwnd.push(self.cwnd[number]);
        }
        self.read = read.to_vec();
    }

    fn race(self, knobs: &Knobs, time: Duration) -> Race {
        let nanos = time.as_nanos().max(1);
        let utilisation = knobs.link.rate.map(|_| (self.busy.as_nanos() as f64 / nanos as f64).min(1.0));
        let bottleneck = Bottleneck { mean: self.area as f64 / nanos as f64, utilisation, ..self.bottleneck };
        Race { time, queue: knobs.link.queue, flows: self.flows, bottleneck }
    }
}

#[cfg(test)]
mod tests;

impl Race {
    /// What a flow's program got, in bits per second, over the whole race.
    pub fn goodput(&self, flow: usize) -> f64 {
        self.goodput_after(flow, 0.0)
    }

    /// The same without the first share of the race, from 0 to below 1.
    pub fn goodput_after(&self, flow: usize, share: f64) -> f64 {
        let skipped = ((PARTS as f64 * share) as usize).min(PARTS - 1);
        let bytes: u64 = self.flows[flow].read.iter().skip(skipped).sum();
        let time = self.time.as_secs_f64() * (PARTS - skipped) as f64 / PARTS as f64;
        bytes as f64 * 8.0 / time.max(1e-9)
    }

    /// All flows together, in bits per second.
    pub fn total(&self) -> f64 {
        (0..self.flows.len()).map(|flow| self.goodput(flow)).sum()
    }

    /// Jain's fairness index of the goodput: 1 when all have the same, 1/n when one of n has everything (Jain, Chiu and
    /// Hawe 1984).
    pub fn jain(&self) -> f64 {
        jain(&(0..self.flows.len()).map(|flow| self.goodput(flow)).collect::<Vec<_>>())
    }

    /// The same without the first share of the race.
    pub fn jain_after(&self, share: f64) -> f64 {
        jain(&(0..self.flows.len()).map(|flow| self.goodput_after(flow, share)).collect::<Vec<_>>())
    }

    /// When part number `part` ended, in seconds.
    pub fn end_of_part(&self, part: usize) -> f64 {
        self.time.as_secs_f64() * (part + 1) as f64 / PARTS as f64
    }
}

/// The square of the sum over n times the sum of the squares; 1 for nothing at all.
fn jain(shares: &[f64]) -> f64 {
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    if squares > 0.0 { sum * sum / (shares.len() as f64 * squares) } else { 1.0 }
}
