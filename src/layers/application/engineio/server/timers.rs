//! When the time of a connection or a session runs out.

use super::conn::State;
use super::{Server, SessionKey};
use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::request;
use crate::layers::application::engineio::session::{self, ConnKey};
use crate::layers::application::websocket;

/// What a deadline belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Conn(ConnKey),
    Session(SessionKey),
}

impl Server {
    pub(super) fn set_conn_deadline(&mut self, key: ConnKey, deadline: Option<Instant>) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let before = std::mem::replace(&mut conn.deadline, deadline);
        self.reset_timer(Timer::Conn(key), before, deadline);
    }

    pub(super) fn set_session_deadline(&mut self, key: SessionKey, deadline: Option<Instant>) {
        let Some(entry) = self.sessions.get_mut(key) else { return };
        let before = std::mem::replace(&mut entry.deadline, deadline);
        self.reset_timer(Timer::Session(key), before, deadline);
    }

    pub(super) fn reset_timer(&mut self, timer: Timer, before: Option<Instant>, after: Option<Instant>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.timers.remove(&(before, timer));
        }
        if let Some(after) = after {
            self.timers.insert((after, timer));
        }
    }

    /// Handles every deadline that has passed.
    pub(super) fn wake(&mut self, now: Instant) {
        self.alarm.rang();
        while let Some((at, timer)) = self.timers.first().copied()
            && at <= now
        {
            match timer {
                Timer::Session(key) => {
                    self.set_session_deadline(key, None);
                    self.tell(now, key, session::Input::Wake);
                }
                Timer::Conn(key) => {
                    self.set_conn_deadline(key, None);
                    self.conn_overdue(now, key);
                }
            }
        }
    }

    fn conn_overdue(&mut self, now: Instant, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        match &mut conn.state {
            State::Head(parser) if !parser.is_empty() => {
                self.put(key, request::plain(408));
                self.end(now, key);
            }
            State::Body { session, .. } => {
                let session = *session;
                self.put(key, request::plain(408));
                self.end(now, key);
                self.tell(now, session, session::Input::Gone(key));
            }
            State::WebSocket { machine, .. } => {
                machine.handle(now, websocket::Input::Wake);
                self.drive_socket(now, key);
            }
            State::Head(_) | State::Ending | State::Answering { .. } => self.forget(key),
        }
    }
}
