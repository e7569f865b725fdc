//! Plots of a TCP transfer: the direction of one connection in which most bytes went.
//!
//! All is seen at the sender, where congestion control sits: data when they leave it, ACKs when they arrive at it.
//! Sequence numbers count from 0, the SYN, as in Wireshark.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::chart::{Axis, Plot, Series, Shape, Unit, end_of, seconds};
use crate::base::{Header as _, Instant, Layer, Reader};
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::internet::ipv6::Ipv6Header;
use crate::layers::link::ethernet::{EtherType, EthernetHeader};
use crate::layers::transport::tcp::{Flags, PROTOCOL_NUMBER, SeqNumber, TcpHeader};
use crate::trace::{Event, FrameId, Kind, Past, PlaceId};
use crate::view::look::escape;
use crate::view::sheet::Tone;

/// What happened at the sender, in the order of time. Numbers count bytes from the SYN.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// A segment left with these bytes; `again` when they had left before.
    Sent { start: u64, end: u64, again: bool },
    /// An ACK arrived.
    Acked { ack: u64, window: u64, sacked: Vec<(u64, u64)> },
    /// The congestion window changed.
    Cwnd { cwnd: u64, ssthresh: u64 },
    /// A round trip was measured; all in seconds.
    Rtt { sample: f64, srtt: f64, rto: f64 },
}

/// One direction of a connection.
#[derive(Debug)]
struct Transfer {
    names: String,
    steps: Vec<(f64, Step)>,
    end: Instant,
}

/// A TCP segment in a frame.
struct Segment {
    source: SocketAddr,
    destination: SocketAddr,
    header: TcpHeader,
    len: usize,
}

/// cwnd, ssthresh, and what was sent and is not acknowledged (RFC 5681 §2's FlightSize).
pub fn cwnd(run: Past<'_>) -> Plot {
    let Some(transfer) = Transfer::of(run) else { return nothing(run, "congestion window") };
    let mut cwnd = Series::new('c', "cwnd", Tone::Of(Layer::Internet), Shape::Steps);
    let mut ssthresh = Series::new('s', "ssthresh", Tone::Again, Shape::Steps);
    let mut flight = Series::new('f', "in flight", Tone::Good, Shape::Steps);
    let (mut sent, mut acked) = (0, 0);
    for (at, step) in &transfer.steps {
        match step {
            Step::Cwnd { cwnd: window, ssthresh: threshold } => {
                // No limit is no number.
                cwnd.points.extend(limit(*window).map(|window| (*at, window)));
                ssthresh.points.extend(limit(*threshold).map(|threshold| (*at, threshold)));
                continue;
            }
            Step::Sent { end, .. } => sent = sent.max(*end),
            Step::Acked { ack, .. } => acked = acked.max(*ack),
            Step::Rtt { .. } => continue,
        }
        flight.points.push((*at, sent.saturating_sub(acked) as f64));
    }
    let has_cwnd = !cwnd.points.is_empty();
    let plot = transfer.plot("congestion window", Axis::new("window", Unit::Bytes));
    let plot = plot.with(flight).with(ssthresh).with(cwnd);
    if has_cwnd {
        plot
    } else {
        plot.noting("no cwnd: this sender has no congestion control; try it without --cc none")
    }
}

/// Round trips, smoothed round trips, and the retransmission timeout (RFC 6298).
pub fn rtt(run: Past<'_>) -> Plot {
    let Some(transfer) = Transfer::of(run) else { return nothing(run, "round-trip times") };
    let of = |value: fn(&Step) -> Option<f64>| {
        let points = transfer.steps.iter().filter_map(move |(at, step)| Some((*at, value(step)?)));
        points.collect::<Vec<_>>()
    };
    let samples = of(|step| if let Step::Rtt { sample, .. } = step { Some(*sample) } else { None });
    let smoothed = of(|step| if let Step::Rtt { srtt, .. } = step { Some(*srtt) } else { None });
    let timeouts = of(|step| if let Step::Rtt { rto, .. } = step { Some(*rto) } else { None });
    transfer
        .plot("round-trip times", Axis::new("time", Unit::Seconds))
        .with(Series::new('o', "RTO", Tone::Again, Shape::Steps).points(timeouts))
        .with(Series::new('r', "RTT sample", Tone::Good, Shape::Dots).points(samples))
        .with(Series::new('s', "SRTT", Tone::Of(Layer::Internet), Shape::Line).points(smoothed))
}

/// Time and sequence numbers: what was sent, the line of ACKs below it, and the window's edge above it.
pub fn seq(run: Past<'_>) -> Plot {
    let Some(transfer) = Transfer::of(run) else { return nothing(run, "time and sequence numbers") };
    let mut data = Series::new('d', "data", Tone::Of(Layer::Internet), Shape::Bars);
    let mut ack = Series::new('a', "ACK", Tone::Good, Shape::Steps);
    let mut window = Series::new('w', "window's edge", Tone::Faint, Shape::Steps);
    let mut again = Series::new('R', "sent again", Tone::Bad, Shape::Marks);
    let mut sack = Series::new('k', "SACK", Tone::Of(Layer::Application), Shape::Bars);
    let most = transfer.steps.iter().filter_map(|(_, step)| match step {
        Step::Sent { end, .. } => Some(*end),
        _ => None,
    });
    let most = most.max().unwrap_or(0);
    for (at, step) in &transfer.steps {
        match step {
            Step::Sent { start, again: true, .. } => again.points.push((*at, *start as f64)),
            Step::Sent { start, end, .. } => {
                data.points.extend([(*at, *start as f64), (*at, end.saturating_sub(1) as f64)]);
            }
            Step::Acked { ack: number, window: edge, sacked } => {
                ack.points.push((*at, *number as f64));
                // A window far above all data would press the data to the floor.
                window.points.push((*at, (*number + *edge).min(most + most / 4) as f64));
                sack.points
                    .extend(sacked.iter().flat_map(|(from, to)| [(*at, *from as f64), (*at, *to as f64)]));
            }
            Step::Cwnd { .. } | Step::Rtt { .. } => {}
        }
    }
    let plot = transfer.plot("time and sequence numbers", Axis::new("sequence number in", Unit::Bytes));
    let plot = plot.with(window).with(ack).with(data).with(sack).with(again);
    plot.noting(format!(
        "The window's edge is cut off at {} bytes, a quarter above the data.",
        most + most / 4
    ))
}

/// The plot of a run without any TCP data.
fn nothing(run: Past<'_>, what: &str) -> Plot {
    let title = if run.title.is_empty() { what.to_owned() } else { format!("{}: {what}", escape(run.title)) };
    let plot = Plot::new(title, Axis::time(end_of(run)), Axis::new("bytes", Unit::Bytes));
    plot.noting(
        "Nothing to plot: no frame here carries TCP data. Expected a run with TCP on the simulated wire.",
    )
}

/// A number that is a limit.
fn limit(bytes: u64) -> Option<f64> {
    (bytes < u64::MAX).then_some(bytes as f64)
}

impl Transfer {
    /// The direction in which most bytes of payload went; of several, the first.
    fn of(run: Past<'_>) -> Option<Transfer> {
        let mut totals: Vec<(PlaceId, SocketAddr, SocketAddr, usize)> = Vec::new();
        for (_, from, _, _, bytes) in run.frames() {
            let Some(segment) = Segment::of(bytes) else { continue };
            // What a router passes on is not its own.
            let addresses = run.places.get(usize::from(from.0)).map_or(&[][..], |place| &place.addresses);
            if segment.len == 0 || !addresses.contains(&segment.source.ip()) {
                continue;
            }
            let (source, destination) = (segment.source, segment.destination);
            match totals.iter_mut().find(|(place, a, b, _)| (*place, *a, *b) == (from, source, destination)) {
                Some((_, _, _, total)) => *total += segment.len,
                None => totals.push((from, source, destination, segment.len)),
            }
        }
        let (place, local, remote, _) = totals.into_iter().rev().max_by_key(|(_, _, _, total)| *total)?;
        let mut follower = Follower::new(place, local, remote);
        run.events.iter().for_each(|event| follower.see(event));
        let named = |address: SocketAddr| {
            let place = run.places.iter().find(|place| place.addresses.contains(&address.ip()));
            place.map_or_else(|| address.to_string(), |place| escape(&place.name))
        };
        Some(Transfer {
            names: format!("{}, {} → {}", escape(run.title), named(local), named(remote)),
            steps: follower.steps,
            end: end_of(run),
        })
    }

    fn plot(&self, what: &str, y: Axis) -> Plot {
        Plot::new(format!("{}: {what}", self.names.trim_start_matches(", ")), Axis::time(self.end), y)
    }
}

/// Follows a transfer through a trace.
struct Follower {
    place: PlaceId,
    local: SocketAddr,
    remote: SocketAddr,
    isn: Option<SeqNumber>,
    sent: u64,
    acked: u64,
    /// The scale of the peer's window, from its SYN; in use only when ours had the option too (RFC 7323 §2.2).
    scales: [Option<u8>; 2],
    /// Segments on their way to the sender.
    coming: BTreeMap<FrameId, TcpHeader>,
    steps: Vec<(f64, Step)>,
}

impl Follower {
    fn new(place: PlaceId, local: SocketAddr, remote: SocketAddr) -> Follower {
        let (coming, steps) = (BTreeMap::new(), Vec::new());
        Follower { place, local, remote, isn: None, sent: 0, acked: 0, scales: [None; 2], coming, steps }
    }

    fn see(&mut self, event: &Event) {
        let at = seconds(event.at);
        match &event.kind {
            Kind::Sent { bytes, .. } if event.place == self.place => {
                if let Some(segment) = Segment::of(bytes).filter(|s| self.is_way(s.source, s.destination)) {
                    self.leaves(at, &segment);
                }
            }
            Kind::Sent { frame, to, bytes, .. } if *to == self.place => {
                if let Some(segment) = Segment::of(bytes).filter(|s| self.is_way(s.destination, s.source)) {
                    self.coming.insert(*frame, segment.header);
                }
            }
            Kind::Delivered { frame } if event.place == self.place => {
                if let Some(header) = self.coming.remove(frame) {
                    self.arrives(at, &header);
                }
            }
            Kind::CwndChanged { flow, cwnd, ssthresh, .. } if self.is_way(flow.local(), flow.remote()) => {
                self.steps.push((at, Step::Cwnd { cwnd: *cwnd, ssthresh: *ssthresh }));
            }
            Kind::RttMeasured { flow, sample, srtt, rto } if self.is_way(flow.local(), flow.remote()) => {
                let [sample, srtt, rto] = [sample, srtt, rto].map(|time| time.as_secs_f64());
                self.steps.push((at, Step::Rtt { sample, srtt, rto }));
            }
            _ => {}
        }
    }

    fn is_way(&self, from: SocketAddr, to: SocketAddr) -> bool {
        (from, to) == (self.local, self.remote)
    }

    fn leaves(&mut self, at: f64, segment: &Segment) {
        let header = &segment.header;
        if header.flags.has(Flags::SYN) {
            self.isn = Some(header.seq);
            self.scales[0] = header.options.window_scale();
        }
        let isn = *self.isn.get_or_insert(header.seq);
        if segment.len == 0 {
            return;
        }
        let start = offset(header.seq, isn, self.sent);
        let end = start + segment.len as u64;
        let again = end <= self.sent;
        self.sent = self.sent.max(end);
        self.steps.push((at, Step::Sent { start, end, again }));
    }

    fn arrives(&mut self, at: f64, header: &TcpHeader) {
        let is_syn = header.flags.has(Flags::SYN);
        if is_syn {
            self.scales[1] = header.options.window_scale();
        }
        let (Some(isn), true) = (self.isn, header.flags.has(Flags::ACK)) else { return };
        let scale = match self.scales {
            // The window of a SYN is never scaled.
            [Some(_), Some(theirs)] if !is_syn => theirs,
            _ => 0,
        };
        self.acked = self.acked.max(offset(header.ack, isn, self.acked));
        let place = |number: SeqNumber| offset(number, isn, self.acked);
        let sacked = header.options.sack().iter().map(|(from, to)| (place(*from), place(*to))).collect();
        let window = u64::from(header.window) << scale.min(14);
        self.steps.push((at, Step::Acked { ack: self.acked, window, sacked }));
    }
}

/// A number as bytes from the SYN, by way of one that is near.
fn offset(number: SeqNumber, isn: SeqNumber, near: u64) -> u64 {
    u64::try_from(number.to_offset(isn, near)).unwrap_or(0)
}

impl Segment {
    /// The TCP segment in a frame, when it has one whole; checksums are not looked at.
    fn of(frame: &[u8]) -> Option<Segment> {
        let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, frame);
        let ethertype = EthernetHeader::parse(&mut r).ok()?.ethertype;
        let start = r.offset();
        let mut inner = r.enter(Layer::Internet, "IP");
        let (source, destination, protocol, payload): (IpAddr, IpAddr, u8, &[u8]) = match ethertype {
            EtherType::IPV4 => {
                let ip = Ipv4Header::parse(&mut inner).ok()?;
                if ip.is_fragment() {
                    return None;
                }
                let payload = frame.get(ip.payload_range(start))?;
                (ip.source.into(), ip.destination.into(), ip.protocol, payload)
            }
            EtherType::IPV6 => {
                let ip = Ipv6Header::parse(&mut inner).ok()?;
                let payload = inner.rest().get(..usize::from(ip.payload_len))?;
                (ip.source.into(), ip.destination.into(), ip.next_header, payload)
            }
            _ => return None,
        };
        if protocol != PROTOCOL_NUMBER {
            return None;
        }
        let mut r = Reader::new(Layer::Transport, TcpHeader::PROTOCOL, payload);
        let header = TcpHeader::parse(&mut r).ok()?;
        Some(Segment {
            source: SocketAddr::new(source, header.source_port),
            destination: SocketAddr::new(destination, header.destination_port),
            len: r.remaining(),
            header,
        })
    }
}
