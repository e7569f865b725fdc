//! Questions that several views ask of a trace.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{Event, FrameId, Kind, PlaceId, Trace};
use crate::base::Instant;

/// What became of one frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fate {
    /// When it arrived, if it did.
    pub delivered: Option<Instant>,
    /// Which device or link dropped it on the path, if any did.
    pub dropped_by: Option<String>,
    /// Why the receiving host refused it, if it did.
    pub discarded: Option<String>,
    /// Which rule changed its bits, if one did.
    pub corrupted_by: Option<String>,
    /// Which rule made a second copy, if one did.
    pub duplicated_by: Option<String>,
    /// Which rule held it back, if one did.
    pub delayed_by: Option<String>,
}

impl Trace {
    /// All frames in the order they were sent: time, sender, receiver, number, and their bytes.
    pub fn frames(&self) -> impl Iterator<Item = (Instant, PlaceId, PlaceId, FrameId, &Bytes)> {
        self.events.iter().filter_map(|event| match &event.kind {
            Kind::Sent { frame, to, bytes, .. } => Some((event.at, event.place, *to, *frame, bytes)),
            _ => None,
        })
    }

    /// What became of every frame of which anything is known.
    pub fn fates(&self) -> BTreeMap<FrameId, Fate> {
        let mut fates: BTreeMap<FrameId, Fate> = BTreeMap::new();
        for Event { at, kind, .. } in &self.events {
            match kind {
                Kind::Delivered { frame } => {
                    fates.entry(*frame).or_default().delivered = Some(*at);
                }
                Kind::Dropped { frame, by } => {
                    fates.entry(*frame).or_default().dropped_by = Some(by.to_string());
                }
                Kind::Discarded { frame, why } => {
                    fates.entry(*frame).or_default().discarded = Some(why.to_string());
                }
                Kind::Corrupted { frame, by, .. } => {
                    fates.entry(*frame).or_default().corrupted_by = Some(by.to_string());
                }
                Kind::Duplicated { frame, by, .. } => {
                    fates.entry(*frame).or_default().duplicated_by = Some(by.to_string());
                }
                Kind::Delayed { frame, by, .. } => {
                    fates.entry(*frame).or_default().delayed_by = Some(by.to_string());
                }
                _ => {}
            }
        }
        fates
    }

    /// How many frames found the queue in front of their link full: dropped, and never sent.
    pub fn turned_away(&self) -> usize {
        let mut sent = BTreeSet::new();
        let mut count = 0;
        for Event { kind, .. } in &self.events {
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
    pub fn count(&self, wanted: impl Fn(&Kind) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(&event.kind)).count()
    }

    /// The name of a host.
    pub fn name(&self, place: PlaceId) -> &str {
        self.places.get(usize::from(place.0)).map_or("?", |place| &place.name)
    }

    /// When the last event happened; zero for an empty trace.
    pub fn end(&self) -> Instant {
        self.events.last().map_or(Instant::ZERO, |event| event.at)
    }
}
