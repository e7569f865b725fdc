//! What had happened of a run at a moment: the first events of its trace, borrowed.
//!
//! A picture is drawn from a past, so it can be drawn for any moment of a run, forward and back, without a copy of the
//! trace. What came later is not in it: a frame whose loss is recorded after the end is still on its way.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{Event, Fate, FrameId, Kind, Place, PlaceId, Trace, Wire};
use crate::base::Instant;

/// The events of a trace up to a moment.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// What the run showed.
    pub title: &'a str,
    /// Which wire it ran on.
    pub wire: Wire,
    /// The hosts of the whole run.
    pub places: &'a [Place],
    /// The events up to the moment, in order of time.
    pub events: &'a [Event],
}

impl Trace {
    /// The whole run.
    pub fn whole(&self) -> Past<'_> {
        Past { title: &self.title, wire: self.wire, places: &self.places, events: &self.events }
    }

    /// The run up to and including its first `events` events; all of it, when it has fewer.
    pub fn first(&self, events: usize) -> Past<'_> {
        self.whole().first(events)
    }

    /// The run up to and including everything that happened at `moment`.
    pub fn until(&self, moment: Instant) -> Past<'_> {
        self.first(self.events.partition_point(|event| event.at <= moment))
    }
}

impl<'a> Past<'a> {
    /// Its own first events.
    pub fn first(self, events: usize) -> Self {
        Past { events: &self.events[..events.min(self.events.len())], ..self }
    }

    /// The same without a title, for a page that has one already.
    pub fn untitled(self) -> Self {
        Past { title: "", ..self }
    }

    /// All frames in the order they were sent: when, from which host, to which, which frame, and their bytes.
    pub fn frames(self) -> impl Iterator<Item = (Instant, PlaceId, PlaceId, FrameId, &'a Bytes)> {
        self.events.iter().filter_map(|event| match &event.kind {
            Kind::Sent { frame, to, bytes, .. } => Some((event.at, event.place, *to, *frame, bytes)),
            _ => None,
        })
    }

    /// What became of every frame of which anything is known.
    pub fn fates(self) -> BTreeMap<FrameId, Fate<'a>> {
        let mut fates: BTreeMap<FrameId, Fate<'a>> = BTreeMap::new();
        let mut of =
            |frame: &FrameId, change: &dyn Fn(&mut Fate<'a>)| change(fates.entry(*frame).or_default());
        for Event { at, kind, .. } in self.events {
            match kind {
                Kind::Delivered { frame } => of(frame, &|fate| fate.delivered = Some(*at)),
                Kind::Dropped { frame, by } => of(frame, &|fate| fate.dropped_by = Some(by)),
                Kind::Discarded { frame, why } => of(frame, &|fate| fate.discarded = Some(why)),
                Kind::Corrupted { frame, by, offset } => {
                    of(frame, &|fate| {
                        (fate.corrupted_by, fate.corrupted_at) = (Some(by.as_ref()), Some(*offset));
                    });
                }
                Kind::Duplicated { frame, by, .. } => of(frame, &|fate| fate.duplicated_by = Some(by)),
                Kind::Delayed { frame, by, .. } => of(frame, &|fate| fate.delayed_by = Some(by)),
                _ => {}
            }
        }
        fates
    }

    /// How many frames found the queue in front of their link full: dropped, and never sent.
    pub fn turned_away(self) -> usize {
        let mut sent = BTreeSet::new();
        let mut count = 0;
        for Event { kind, .. } in self.events {
            match kind {
                Kind::Sent { frame, .. } => {
                    sent.insert(*frame);
                }
                Kind::Dropped { frame, .. } if !sent.contains(frame) => count += 1,
                _ => {}
            }
        }
        count
    }

    /// How many events satisfy `wanted`.
    pub fn count(self, wanted: impl Fn(&Kind) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(&event.kind)).count()
    }

    /// The name of a host.
    pub fn name(self, place: PlaceId) -> &'a str {
        self.places.get(usize::from(place.0)).map_or("?", |place| &place.name)
    }

    /// When the last event happened; zero when nothing did.
    pub fn end(self) -> Instant {
        self.events.last().map_or(Instant::ZERO, |event| event.at)
    }
}

impl<'a> From<&'a Trace> for Past<'a> {
    fn from(trace: &'a Trace) -> Self {
        trace.whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        let mut trace = Trace::new("three", Wire::Sim);
        for (at, frame) in [(0, 0), (5, 1), (5, 2)] {
            let kind = Kind::Delivered { frame: FrameId(frame) };
            trace.events.push(Event { at: Instant::from_millis(at), place: PlaceId(0), kind });
        }
        trace
    }

    #[test]
    fn a_moment_includes_all_that_happened_at_it() {
        let trace = trace();
        let lengths = [0, 4, 5, 9].map(|at| trace.until(Instant::from_millis(at)).events.len());
        assert_eq!(lengths, [1, 1, 3, 3]);
        assert_eq!(trace.first(2).end(), Instant::from_millis(5));
        assert_eq!(trace.first(99).events.len(), 3);
        assert_eq!(trace.first(1).fates().len(), 1);
    }
}
