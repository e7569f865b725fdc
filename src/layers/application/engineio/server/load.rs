//! When all connections together hold more than there is memory for: which of them are slowed down, and which are closed.
//!
//! The bounds of each connection do not add up to a bound for all of them, or each would have to be tiny. So the driver,
//! which knows how much memory there is, says by how much it is too much, and those that hold most make up for it: first
//! nothing more is read from them, then they are closed with 1013, "try again later". A connection that holds little is
//! never among them.

use std::collections::BTreeMap;

use super::conn::{Conn, State};
use super::{Entry, Server, SessionKey};
use crate::base::Instant;
use crate::layers::application::engineio::session::{self, ConnKey};
use crate::layers::application::websocket::{CloseCode, CloseReason, Phase, Utf8Bytes};

/// Who holds memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Session(SessionKey),
    /// A connection that belongs to no session.
    Conn(ConnKey),
}

/// Who holds less is left alone: thousands of them are a crowd and no offence.
const SMALL: usize = 64 << 10;

impl Conn {
    /// Bytes that came in and are not whole yet, and those that wait to go out.
    fn held(&self) -> usize {
        let coming_in = match &self.state {
            State::Head(_) | State::Ending => 0,
            State::Body { reader, .. } => reader.held(),
            State::Answering { early, .. } => early.len(),
            State::WebSocket { machine, .. } => machine.held(),
        };
        coming_in + self.out.len()
    }
}

impl Server {
    /// About how many bytes all connections and sessions hold; `more` says what the layer above holds of a session. What
    /// many receivers share counts for each of them.
    pub fn held(&self, more: impl Fn(SessionKey) -> usize) -> usize {
        let conns: usize = self.conns.values().map(Conn::held).sum();
        let of_session = |(key, entry): (SessionKey, &Entry)| entry.session.waiting_bytes() + more(key);
        conns + self.sessions.iter().map(of_session).sum::<usize>()
    }

    /// Reads no more from those that hold most, as many of them as make up for `excess` bytes, until
    /// [`relax`](Server::relax). `more` says what the layer above holds of a session.
    pub fn slow_down(&mut self, excess: usize, more: impl Fn(SessionKey) -> usize) {
        self.relax();
        let largest = self.largest(excess, more);
        for conn in self.conns.values_mut() {
            let session = match &conn.state {
                State::WebSocket { session, .. } | State::Body { session, .. } => Some(*session),
                State::Answering { session, .. } => *session,
                State::Head(_) | State::Ending => None,
            };
            conn.is_slowed = session.is_some_and(|session| largest.contains(&Holder::Session(session)));
        }
    }

    /// All are read from again.
    pub fn relax(&mut self) {
        self.conns.values_mut().for_each(|conn| conn.is_slowed = false);
    }

    /// Closes those that hold most, as many of them as make up for `excess` bytes; how many those were.
    pub fn shed(&mut self, now: Instant, excess: usize, more: impl Fn(SessionKey) -> usize) -> usize {
        let largest = self.largest(excess, more);
        for holder in &largest {
            match *holder {
                Holder::Conn(conn) => self.forget(conn),
                Holder::Session(session) => {
                    let socket = self.sessions.get(session).and_then(|entry| entry.session.socket());
                    socket.into_iter().for_each(|socket| self.try_again_later(now, socket));
                    self.tell(now, session, session::Input::TooSlow);
                }
            }
        }
        largest.len()
    }

    /// Closes a WebSocket after the message that is on its way: what else waits is dropped.
    fn try_again_later(&mut self, now: Instant, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key)
            && let State::WebSocket { machine, .. } = &mut conn.state
        {
            conn.out.shorten();
            let reason = CloseReason::new(CloseCode::TRY_AGAIN_LATER, Utf8Bytes::default());
            // It may be closing already, and then there is nothing to say.
            let _ = machine.close(now, &reason);
            self.stirred.push_back(key);
        }
    }

    fn largest(&self, excess: usize, more: impl Fn(SessionKey) -> usize) -> Vec<Holder> {
        let mut held: BTreeMap<Holder, usize> = BTreeMap::new();
        // What is closing already is about to be given back.
        let mut leaving = 0;
        for (key, conn) in &self.conns {
            let holder = match &conn.state {
                State::Ending => None,
                State::WebSocket { machine, session } if machine.phase() == Phase::Open => {
                    Some(Holder::Session(*session))
                }
                State::WebSocket { .. } => None,
                State::Body { session, .. } | State::Answering { session: Some(session), .. } => {
                    Some(Holder::Session(*session))
                }
                State::Head(_) | State::Answering { session: None, .. } => Some(Holder::Conn(key)),
            };
            match holder {
                Some(holder) => *held.entry(holder).or_default() += conn.held(),
                None => leaving += conn.held(),
            }
        }
        for (key, entry) in &self.sessions {
            *held.entry(Holder::Session(key)).or_default() += entry.session.waiting_bytes() + more(key);
        }
        let mut held: Vec<(usize, Holder)> = held
            .into_iter()
            .map(|(holder, bytes)| (bytes, holder))
            .filter(|(bytes, _)| *bytes >= SMALL)
            .collect();
        held.sort_unstable_by(|a, b| b.cmp(a));
        let mut sum = leaving;
        held.into_iter()
            .take_while(|(bytes, _)| {
                let is_needed = sum < excess;
                sum += bytes;
                is_needed
            })
            .map(|(_, holder)| holder)
            .collect()
    }
}
