//! The program above a server: the contract between the server and whatever answers its events.

use super::{Event, Server, SessionKey};
use crate::base::Instant;

/// Receives sessions' events, messages and requests, and answers through the server it is given.
///
/// A driver gives it each [`Event`] that the server reports, and wakes it at the time that it asks for. What it does
/// then waits in the server's outboxes like everything else.
pub trait Service {
    /// Handles one event of the server.
    fn event(&mut self, now: Instant, event: Event, server: &mut Server);

    /// The time it asked for has come, or something that it waits for outside (a disk, most often) is done.
    fn wake(&mut self, _now: Instant, _server: &mut Server) {}

    /// The server is about to end: the last chance to say something.
    fn stop(&mut self, _now: Instant, _server: &mut Server) {}

    /// When it is due next.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// About how many bytes it holds of a session.
    fn held(&self, _session: SessionKey) -> usize {
        0
    }

    /// Whether nothing more should be read for now, because what was said waits for a disk. Senders then find TCP's
    /// window closed (RFC 9293 §3.8.6); all else goes on.
    fn is_behind(&self) -> bool {
        false
    }
}
