//! Questions that several views ask of a trace.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{FrameId, Kind, PlaceId, Trace};
use crate::base::Instant;

/// What became of one frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fate<'a> {
    /// When it arrived, if it did.
    pub delivered: Option<Instant>,
    /// Which device or link dropped it on the path, if any did.
    pub dropped_by: Option<&'a str>,
    /// Why the receiving host refused it, if it did.
    pub discarded: Option<&'a str>,
    /// Which rule changed its bits, if one did.
    pub corrupted_by: Option<&'a str>,
    /// The index of the first byte that it changed.
    pub corrupted_at: Option<usize>,
    /// Which rule made a second copy, if one did.
    pub duplicated_by: Option<&'a str>,
    /// Which rule held it back, if one did.
    pub delayed_by: Option<&'a str>,
}

/// The same questions as to a [`Past`](super::Past), asked of the whole run.
impl Trace {
    /// All frames in the order they were sent: time, sender, receiver, number, and their bytes.
    pub fn frames(&self) -> impl Iterator<Item = (Instant, PlaceId, PlaceId, FrameId, &Bytes)> {
        self.whole().frames()
    }

    /// What became of every frame of which anything is known.
    pub fn fates(&self) -> BTreeMap<FrameId, Fate<'_>> {
        self.whole().fates()
    }

    /// How many frames found the queue in front of their link full: dropped, and never sent.
    pub fn turned_away(&self) -> usize {
        self.whole().turned_away()
    }

    /// How many events satisfy `wanted`.
    pub fn count(&self, wanted: impl Fn(&Kind) -> bool) -> usize {
        self.whole().count(wanted)
    }

    /// The name of a host.
    pub fn name(&self, place: PlaceId) -> &str {
        self.whole().name(place)
    }

    /// When the last event happened; zero for an empty trace.
    pub fn end(&self) -> Instant {
        self.whole().end()
    }
}
