//! The recorder that a run writes to, and the trace it leaves.

use std::net::IpAddr;

use serde::Serialize;

use super::{Event, Kind, Place, PlaceId, Wire};
use crate::base::Instant;

/// Everything that happened in one run, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// What the run showed, such as `TCP`.
    pub title: String,
    /// Which wire it ran on.
    pub wire: Wire,
    /// The hosts, indexed by [`PlaceId`].
    pub places: Vec<Place>,
    /// The events, in order of time.
    pub events: Vec<Event>,
}

impl Trace {
    /// The trace of a run in which nothing has happened yet.
    pub fn new(title: impl Into<String>, wire: Wire) -> Self {
        Trace { title: title.into(), wire, places: Vec::new(), events: Vec::new() }
    }

    /// The same run with what another recorder took down of it, by the same clock and of the same places: all in the
    /// order of time, and at the same time this one's first.
    #[must_use]
    pub fn joined(mut self, other: Trace) -> Trace {
        self.events.extend(other.events);
        self.events.sort_by_key(|event| event.at);
        self
    }
}

/// Takes down events, or lets them pass: a run that is only measured pays nothing for its trace.
#[derive(Debug)]
pub struct Recorder {
    trace: Trace,
    on: bool,
}

impl Recorder {
    /// A recorder that keeps everything.
    pub fn on(title: impl Into<String>, wire: Wire) -> Self {
        Recorder { trace: Trace::new(title, wire), on: true }
    }

    /// A recorder that keeps only the names of the hosts.
    pub fn off(wire: Wire) -> Self {
        Recorder { trace: Trace::new("", wire), on: false }
    }

    /// Whether events are kept.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Makes a host known.
    ///
    /// # Panics
    /// After 65,536 hosts.
    pub fn place(&mut self, place: Place) -> PlaceId {
        let id = PlaceId(u16::try_from(self.trace.places.len()).expect("at most 65,536 hosts in a run"));
        self.trace.places.push(place);
        id
    }

    /// A place has one more address.
    pub fn add_address(&mut self, place: PlaceId, address: IpAddr) {
        let addresses = &mut self.trace.places[usize::from(place.0)].addresses;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    /// Takes down one event. `kind` is only asked for when it is kept.
    pub fn record(&mut self, at: Instant, place: PlaceId, kind: impl FnOnce() -> Kind) {
        if self.on {
            self.trace.events.push(Event { at, place, kind: kind() });
        }
    }

    /// Hands out the events so far and forgets them: for a run that is watched while it goes on, in constant memory.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.trace.events)
    }

    /// What was recorded so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The trace, when the run is over.
    pub fn into_trace(self) -> Trace {
        self.trace
    }
}
