//! From system calls to rows: on a real wire no frame is seen, so a write points at the read that took its bytes.
//!
//! A stream keeps no boundaries: the read that takes the *last* byte of a write is its arrival, and one read may be
//! the arrival of several writes. A datagram is taken by one read, or by none. Without knowledge of the peer's reads
//! the arrow has no head: the bytes may well have arrived, but no recorded read returned them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::row::{Arrow, Cargo, Leg, Marks, Row};
use super::rows::{deed, remark};
use crate::base::Instant;
use crate::trace::{Flow, Kind, Past, PlaceId, Protocol};
use crate::view::sheet::Subject;

/// All rows of a run of system calls.
pub(super) fn rows(run: Past<'_>) -> Vec<Row<'_>> {
    let arrivals = arrivals(run);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (index, event) in run.events.iter().enumerate() {
        match &event.kind {
            Kind::AppWrote { bytes, .. } => {
                let arrival = arrivals.get(&index);
                let to = arrival.map(|arrival| arrival.place).or_else(|| other(run, event.place));
                let Some(to) = to else {
                    if let Some(deed) = deed(&event.kind) {
                        remark(&mut rows, (index, event), deed);
                    }
                    continue;
                };
                let marks = Marks { open: arrival.is_none(), ..Marks::default() };
                let cargo = Cargo::Write(bytes, arrival.map(|arrival| arrival.at.since(event.at)));
                let subject = Subject::Event(index);
                let arrow = Arrow { from: event.place, to, cargo, subject, leg: Leg::Whole, marks };
                rows.push(Row { at: event.at, arrow: Some(arrow), remarks: Vec::new(), before: 0 });
            }
            kind => {
                if let Some(deed) = deed(kind) {
                    remark(&mut rows, (index, event), deed);
                }
            }
        }
    }
    rows
}

/// The read that took the last byte of a write.
struct Arrival {
    place: PlaceId,
    at: Instant,
}

/// For the index of every write: where and when it arrived, if it did.
fn arrivals(run: Past<'_>) -> BTreeMap<usize, Arrival> {
    let mut waiting: BTreeMap<Way, VecDeque<(usize, usize)>> = BTreeMap::new();
    let mut arrivals = BTreeMap::new();
    for (index, event) in run.events.iter().enumerate() {
        match &event.kind {
            Kind::AppWrote { flow, bytes } => {
                waiting.entry(Way::of(*flow)).or_default().push_back((index, bytes.len()));
            }
            Kind::AppRead { flow, bytes } => {
                let Some(queue) = sender(&waiting, *flow).and_then(|way| waiting.get_mut(&way)) else {
                    continue;
                };
                let mut taken = bytes.len();
                while let Some((write, left)) = queue.front_mut() {
                    let whole = flow.protocol == Protocol::Udp || *left <= taken;
                    if !whole {
                        *left -= taken;
                        break;
                    }
                    taken -= (*left).min(taken);
                    arrivals.insert(*write, Arrival { place: event.place, at: event.at });
                    queue.pop_front();
                    if taken == 0 || flow.protocol == Protocol::Udp {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    arrivals
}

/// The way whose bytes a read at the local end of `flow` takes. A socket without a peer reads from any sender: then it
/// is the first unread write to its address.
fn sender(waiting: &BTreeMap<Way, VecDeque<(usize, usize)>>, flow: Flow) -> Option<Way> {
    let Way { protocol, from, to } = Way::of(flow.reversed());
    if from.port() != 0 {
        return Some(Way { protocol, from, to });
    }
    let to_us = waiting.iter().filter(|(way, _)| way.protocol == protocol && way.to == to);
    to_us.filter_map(|(way, queue)| Some((queue.front()?.0, *way))).min().map(|(_, way)| way)
}

/// One direction of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    protocol: Protocol,
    from: SocketAddr,
    to: SocketAddr,
}

impl Way {
    /// The way of what is written at the local end of `flow`.
    fn of(flow: Flow) -> Way {
        Way { protocol: flow.protocol, from: flow.local(), to: flow.remote() }
    }
}

/// The other host, when there are only two.
fn other(run: Past<'_>, place: PlaceId) -> Option<PlaceId> {
    match (run.places.len(), place) {
        (2, PlaceId(0)) => Some(PlaceId(1)),
        (2, PlaceId(1)) => Some(PlaceId(0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;
    use crate::base::Duration;
    use crate::trace::Wire;

    /// The writes of a trace, each with the time until it was read.
    fn taken(story: &Story) -> Vec<(usize, Option<u64>)> {
        let rows = rows(story.trace.whole());
        let cargo = rows.iter().filter_map(|row| row.arrow.as_ref()).map(|arrow| arrow.cargo);
        cargo
            .filter_map(|cargo| match cargo {
                Cargo::Write(bytes, taken) => {
                    Some((bytes.len(), taken.map(|time: Duration| time.as_nanos() / 1000)))
                }
                Cargo::Frame(_) => None,
            })
            .collect()
    }

    #[test]
    fn a_write_to_a_stream_has_arrived_when_its_last_byte_is_read() {
        let mut story = Story::new("", Wire::Real);
        story
            .write(0, 0, b"12345")
            .write(10, 0, b"678")
            .read(20, 1, b"123")
            .read(30, 1, b"456")
            .read(50, 1, b"78");
        assert_eq!(taken(&story), [(5, Some(30)), (3, Some(40))]);
    }

    #[test]
    fn one_read_may_take_several_writes() {
        let mut story = Story::new("", Wire::Real);
        story.write(0, 0, b"12345").write(10, 0, b"678").read(20, 1, b"12345678").write(30, 0, b"9");
        assert_eq!(taken(&story), [(5, Some(20)), (3, Some(10)), (1, None)]);
    }

    #[test]
    fn a_datagram_cut_by_a_short_read_is_taken_all_the_same() {
        let mut story = Story::new("", Wire::Real);
        let udp = |mut flow: Flow| {
            flow.protocol = Protocol::Udp;
            flow
        };
        let wrote = |bytes| Kind::AppWrote { flow: udp(Story::flow(0)), bytes };
        let mut anyone = udp(Story::flow(1));
        anyone = Flow::new(anyone.protocol, anyone.local(), SocketAddr::from(([0, 0, 0, 0], 0)));
        story.event(0, 0, wrote(b"12345".as_slice().into())).event(5, 0, wrote(b"67".as_slice().into()));
        story.event(9, 1, Kind::AppRead { flow: anyone, bytes: b"123".as_slice().into() });
        assert_eq!(taken(&story), [(5, Some(9)), (2, None)]);
    }
}
