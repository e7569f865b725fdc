//! Where clients come from, and what those of one place may take of what all share.
//!
//! Bounds for each session are worth little against someone who opens a thousand of them. An *origin* is the driver's
//! word for whom it takes for one: the address of a client, or a network that one subscriber is given. What
//! all sockets of a namespace share are two things: the table of those that are away (`away.rs`: the origin
//! that takes most of it is the first to lose), and the log, where a flood pushes out what others have still to
//! get. So the kept events of one origin are slowed down once it has taken its part, as long as sockets
//! of other origins are there to lose by it; alone, it may say what it likes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Refusal;
use super::context::Context;
use super::key::Key;
use super::state::Core;
use crate::base::{Duration, Instant};
use crate::layers::application::socketio::Value;

/// In this time an origin may add its part of the log again: as long as [`Retention::young`] protects what was said.
///
/// [`Retention::young`]: crate::chat::Retention::young
const AGAIN: Duration = Duration::from_secs(180);

/// Origins are looked through for those that may be forgotten when there are this many more.
const MANY: usize = 1024;

/// Up to when the part of each origin is spent.
#[derive(Debug, Default)]
pub(super) struct Spending {
    until: BTreeMap<(usize, Arc<str>), Instant>,
    look_at: usize,
}

impl Spending {
    /// Takes bytes off the part of an origin in a namespace.
    fn charge(&mut self, space: usize, origin: &Arc<str>, time: Duration, now: Instant) {
        if self.until.len() > self.look_at + MANY {
            self.until.retain(|_, until| *until > now);
            self.look_at = self.until.len();
        }
        let until = self.until.entry((space, origin.clone())).or_default();
        *until = (*until).max(now) + time;
    }

    /// How long it takes until the origin may go on.
    fn wait(&self, space: usize, origin: &Arc<str>, now: Instant) -> Duration {
        let until = self.until.get(&(space, origin.clone())).copied().unwrap_or_default();
        until.max(now).since(now + AGAIN)
    }
}

impl Core {
    /// Where a socket's client comes from.
    pub(super) fn origin(&self, socket: Key) -> Option<&Arc<str>> {
        let socket = self.sockets.get(socket)?;
        self.sessions.get(socket.session)?.origin.as_ref()
    }

    /// An event of a socket is to be kept.
    pub(super) fn charge_origin(&mut self, space: usize, socket: Key, bytes: usize) {
        let Some(origin) = self.origin(socket).cloned() else { return };
        let part = self.config.origin_bytes.max(1);
        let nanos = u128::from(AGAIN.as_nanos()) * bytes as u128 / part as u128;
        let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX).min(10 * AGAIN.as_nanos()));
        self.spending.charge(space, &origin, time, self.now);
    }
}

/// Refuses an event of an origin that has taken its part of the log while others have something to lose.
pub(super) fn spend(cx: &Context<'_>) -> Result<(), Refusal> {
    let (core, now) = (&*cx.core, cx.core.now);
    let Some(origin) = core.origin(cx.socket) else { return Ok(()) };
    let wait = core.spending.wait(cx.space, origin, now);
    let place = &core.spaces[cx.space];
    let has_others = place.origins.keys().any(|other| other != origin) || place.away.has_others(origin);
    if wait == Duration::ZERO || !has_others {
        return Ok(());
    }
    let data = Value::object([
        ("code", "E_RATE".into()),
        ("retryAfterMs", (wait.as_nanos().div_ceil(1_000_000)).into()),
    ]);
    Err(Refusal::new("too much from your address").with(data))
}
