//! What all three scenes play on: two places, one clock, one recorder.

use std::cell::RefCell;
use std::net::SocketAddr;

use crate::base::Instant;
use crate::layers::internet::prefix::v4;
use crate::real::clock::Clock;
use crate::trace::{Flow, Kind, Place, PlaceId, Protocol, Recorder, Trace, Way, Wire};

/// The place of the client.
pub(in crate::real) const CLIENT: PlaceId = PlaceId(0);
/// The place of the server.
pub(in crate::real) const SERVER: PlaceId = PlaceId(1);

/// The address of a socket of ours before the kernel has chosen its port.
pub(in crate::real) const ANY_PORT: SocketAddr = SocketAddr::new(v4(127, 0, 0, 1), 0);

/// Takes down what happens, and when.
pub(in crate::real) struct Stage {
    clock: Clock,
    /// Client and server take turns on one thread, and neither holds this over an await.
    recorder: RefCell<Recorder>,
}

impl Stage {
    pub(in crate::real) fn new(way: Way) -> Self {
        Stage::at(Clock::start(), way, Wire::Real)
    }

    /// The same for a run whose time is already running.
    pub(in crate::real) fn at(clock: Clock, way: Way, wire: Wire) -> Self {
        let mut recorder = Recorder::on(way.name(), wire);
        for name in ["client", "server"] {
            recorder.place(Place { name: name.to_owned(), addresses: vec![ANY_PORT.ip()] });
        }
        Stage { clock, recorder: RefCell::new(recorder) }
    }

    pub(in crate::real) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Takes down an event that began at `at`. Nothing may have been taken down since: the order is that of time.
    pub(in crate::real) fn record(&self, at: Instant, place: PlaceId, kind: Kind) {
        self.recorder.borrow_mut().record(at, place, || kind);
    }

    pub(in crate::real) fn note(&self, place: PlaceId, text: String) {
        self.record(self.now(), place, Kind::Note { text: text.into() });
    }

    pub(in crate::real) fn into_trace(self) -> Trace {
        self.recorder.into_inner().into_trace()
    }
}

/// One end's view of a conversation.
pub(in crate::real) fn flow(protocol: Protocol, local: SocketAddr, remote: SocketAddr) -> Flow {
    Flow::new(protocol, local, remote)
}
