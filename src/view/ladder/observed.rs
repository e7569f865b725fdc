//! The ladder of a capture: the same picture of frames of which nobody knows what became of them.
//!
//! A capture has no hosts, only addresses; so each address is a lifeline, or each end with its port when one conversation
//! was chosen. It does not see frames arrive, nor why one was sent again: what it makes of that are the marks of the
//! [summaries](crate::view::dissect::Mark).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::row::Row;
use super::{Ladder, rows};
use crate::base::Instant;
use crate::trace::{Event, FrameId, Kind, LinkId, Past, Place, PlaceId, Trace, Wire};
use crate::view::dissect::{Summary, What};

/// At most this many packets are kept for a ladder.
const MOST_PACKETS: usize = 200_000;
/// At most this many ends are distinguished; more than a few are no picture but a list.
const MOST_PLACES: usize = 1_000;

/// Packets of a capture, to be drawn as a ladder.
#[derive(Debug, Clone)]
pub struct Observed {
    trace: Trace,
    packets: Vec<Summary>,
    places: BTreeMap<String, PlaceId>,
    with_ports: bool,
    left_out: u64,
}

impl Observed {
    /// A ladder with a lifeline for each address, or for each address with a port.
    pub fn new(title: &str, with_ports: bool) -> Self {
        Observed {
            trace: Trace::new(title, Wire::Captured),
            packets: Vec::new(),
            places: BTreeMap::new(),
            with_ports,
            left_out: 0,
        }
    }

    /// Adds a packet, seen at this time since the beginning of the capture.
    pub fn note(&mut self, at: Instant, summary: Summary) {
        let [from, to] = self.ends(&summary);
        let (Some(from), Some(to), true) =
            (self.place(from), self.place(to), self.packets.len() < MOST_PACKETS)
        else {
            self.left_out += 1;
            return;
        };
        let frame = FrameId(self.packets.len() as u64);
        // Files may have their packets in any order; a ladder goes down.
        let at = self.trace.events.last().map_or(at, |last| last.at.max(at));
        let kind = Kind::Sent { frame, link: LinkId(0), to, bytes: Bytes::new() };
        self.trace.events.push(Event { at, place: from, kind });
        self.packets.push(summary);
    }

    /// How many packets had no room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The ladder of what was noted.
    pub fn ladder(&self) -> Ladder<'_> {
        Ladder { run: self.trace.whole(), packets: (&self.packets[..]).into() }
    }

    /// What the two lifelines of a packet are called.
    fn ends(&self, summary: &Summary) -> [String; 2] {
        let whole = [summary.source.clone(), summary.destination.clone()];
        let ends = match (&summary.what, summary.flow) {
            (What::Arp { sender, target, .. }, _) => [sender.to_string(), target.to_string()],
            (_, Some(flow)) if !self.with_ports => {
                [flow.local(), flow.remote()].map(|end: SocketAddr| end.ip().to_string())
            }
            _ => whole.clone(),
        };
        // A host that speaks with itself: there it is the ports that differ.
        let mut ends = if ends[0] == ends[1] { whole } else { ends };
        if ends[0] == ends[1] {
            ends[1].push_str(" (itself)");
        }
        ends
    }

    fn place(&mut self, name: String) -> Option<PlaceId> {
        if let Some(place) = self.places.get(&name) {
            return Some(*place);
        }
        let number = self.trace.places.len();
        if number >= MOST_PLACES {
            return None;
        }
        let place = PlaceId(u16::try_from(number).ok()?);
        self.trace.places.push(Place { name: name.clone(), addresses: Vec::new() });
        self.places.insert(name, place);
        Some(place)
    }
}

/// The rows of a capture: those of a run, but that nothing is known of a frame's fate.
pub(super) fn rows<'a>(run: Past<'a>, packets: &[Summary]) -> Vec<Row<'a>> {
    let mut rows = rows::rows(run, packets);
    for arrow in rows.iter_mut().filter_map(|row| row.arrow.as_mut()) {
        (arrow.marks.open, arrow.marks.untold) = (false, true);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::LadderOptions;
    use super::*;
    use crate::base::Duration;
    use crate::layers::transport::tcp::Flags;
    use crate::view::dissect::{Conversations, LinkType, Start};
    use crate::view::look::Look;
    use crate::view::sample;

    fn observed(frames: &[Bytes], with_ports: bool) -> Observed {
        let (mut conversations, mut observed) =
            (Conversations::new(), Observed::new("a capture", with_ports));
        for (at, frame) in (0..).zip(frames) {
            let at_nanos = at * 1_000_000;
            let start =
                Start { link: LinkType::Ethernet, original_len: frame.len(), at_nanos: Some(at_nanos) };
            let summary = conversations.feed_captured(frame, start).summary;
            observed.note(Instant::ZERO + Duration::from_nanos(at_nanos), summary);
        }
        observed
    }

    #[test]
    fn addresses_are_the_lifelines_and_frames_arrive_as_far_as_anyone_knows() {
        let frames = [vec![sample::arp_request()], sample::handshake()].concat();
        let observed = observed(&frames, false);
        let text = observed.ladder().draw(&Look::default(), LadderOptions::default()).to_string();
        assert_eq!(text.matches("10.0.0.1 ").count() + text.matches("10.0.0.1\n").count(), 2, "{text}");
        for said in ["who has 10.0.0.2?", "SYN seq=0", "GET /chat HTTP/1.1"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        for untrue in ["on its way", "…", "delivered"] {
            assert!(!text.contains(untrue), "{untrue}: {text}");
        }
    }

    #[test]
    fn a_calm_stretch_is_counted_and_not_called_delivered() {
        let mut frames = sample::handshake();
        frames.extend((0..60).map(|_| sample::udp(b"x")));
        let text =
            observed(&frames, false).ladder().draw(&Look::default(), LadderOptions::default()).to_string();
        assert!(text.contains("datagrams"), "{text}");
        assert!(!text.contains("delivered"), "{text}");
    }

    #[test]
    fn what_the_capture_missed_is_said_on_the_arrow() {
        let ack = Flags::ACK;
        let frames = [
            sample::tcp(true, Flags::SYN, 0, 0, b""),
            sample::tcp(false, Flags::SYN | ack, 0, 1, b""),
            sample::tcp(true, ack, 1, 1, b"first"),
            sample::tcp(true, ack, 11, 1, b"third"),
        ];
        let text =
            observed(&frames, true).ladder().draw(&Look::default(), LadderOptions::default()).to_string();
        assert!(text.contains("10.0.0.1:4000"), "{text}");
        assert_eq!(text.matches("previous not captured").count(), 1, "{text}");
    }

    #[test]
    fn a_host_that_speaks_with_itself_has_two_lifelines() {
        let mut observed = Observed::new("", false);
        let mut summary = Conversations::new().feed(&sample::udp(b"x")).summary;
        summary.destination = summary.source.clone();
        summary.flow = None;
        observed.note(Instant::ZERO, summary);
        let ladder = observed.ladder();
        assert!(ladder.draw(&Look::default(), LadderOptions::default()).to_string().contains("(itself)"));
    }
}
