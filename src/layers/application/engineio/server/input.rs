//! What comes from a connection: the head of a request, a body, or frames; and its end.

use bytes::{Buf as _, Bytes, BytesMut};

use super::conn::State;
use super::{Server, SessionKey};
use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::request::Refusal;
use crate::layers::application::engineio::session::{self, ConnKey};
use crate::layers::application::http::{BodyProgress, Progress};
use crate::layers::application::websocket;

impl Server {
    /// A connection with more than this to be written is not to be read from.
    pub(super) const ENOUGH: usize = 256 << 10;
    /// Nor one whose client has sent this many bytes ahead while its request waits for an answer, ...
    pub(super) const ENOUGH_EARLY: usize = 64 << 10;
    /// ... and if the driver reads it anyway, it is closed here.
    const MAX_EARLY: usize = 4 * Self::ENOUGH_EARLY;

    /// Bytes came. They belong to what the connection is doing, and what follows to what it does next.
    pub(super) fn bytes(&mut self, now: Instant, key: ConnKey, mut bytes: Bytes) {
        while !bytes.is_empty() {
            let head_timeout = self.config.head_timeout;
            let Some(conn) = self.conns.get_mut(key) else { return };
            match &mut conn.state {
                State::Head(parser) => {
                    // The first byte of a request: from here on its head may take so long.
                    let idle = parser.is_empty();
                    match parser.feed(&bytes) {
                        Ok(Progress::NeedMore) => {
                            if idle {
                                self.set_conn_deadline(key, Some(now + head_timeout));
                            }
                            return;
                        }
                        Ok(Progress::Done { head, consumed }) => {
                            bytes.advance(consumed);
                            self.set_conn_deadline(key, None);
                            self.judge(now, key, &head);
                        }
                        Err(error) => return self.reject(now, key, &error),
                    }
                }
                State::Body { reader, session, .. } => {
                    let session = *session;
                    match reader.feed(&bytes) {
                        Ok(BodyProgress::NeedMore) => return,
                        Ok(BodyProgress::Done { body, consumed }) => {
                            bytes.advance(consumed);
                            self.body_done(now, key, session, body);
                        }
                        Err(error) => {
                            // Too long is no more than that: the session goes on, as when the length is declared.
                            let told = match error.status {
                                413 => session::Input::PostRefused(key),
                                _ => session::Input::Gone(key),
                            };
                            self.tell(now, session, told);
                            return self.reject(now, key, &error);
                        }
                    }
                }
                State::Answering { early, session, .. } => {
                    if early.len() + bytes.len() > Self::MAX_EARLY {
                        let session = *session;
                        self.forget(key);
                        if let Some(session) = session {
                            self.tell(now, session, session::Input::Gone(key));
                        }
                        return;
                    }
                    early.extend_from_slice(&bytes);
                    return;
                }
                State::WebSocket { machine, .. } => {
                    machine.handle(now, websocket::Input::Bytes(bytes));
                    return self.drive_socket(now, key);
                }
                State::Ending => return,
            }
        }
    }

    /// The peer sends nothing more, but may still read: it gets what was answered already. A request that waits for
    /// something that is still to come is given up, as browsers do that end a poll.
    pub(super) fn eof(&mut self, now: Instant, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        match &mut conn.state {
            State::Head(_) => self.end(now, key),
            State::Answering { session: None, answering, .. } => answering.keep_alive = false,
            State::Ending => {}
            State::Answering { .. } | State::Body { .. } | State::WebSocket { .. } => self.gone(now, key),
        }
    }

    /// The connection is no more.
    pub(super) fn gone(&mut self, now: Instant, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let session = match &mut conn.state {
            State::Head(_) | State::Ending => None,
            State::Body { session, .. } => Some(*session),
            State::Answering { session, .. } => *session,
            State::WebSocket { machine, session } => {
                let session = *session;
                machine.handle(now, websocket::Input::Eof);
                self.drive_socket(now, key);
                self.forget(key);
                return self.tell(now, session, session::Input::SocketClosed(key));
            }
        };
        self.forget(key);
        if let Some(session) = session {
            self.tell(now, session, session::Input::Gone(key));
        }
    }

    /// The whole body of a POST has come.
    pub(super) fn body_done(&mut self, now: Instant, key: ConnKey, session: SessionKey, body: Bytes) {
        self.set_conn_deadline(key, None);
        if let Some(conn) = self.conns.get_mut(key)
            && let State::Body { answering, .. } = &mut conn.state
        {
            let answering = std::mem::take(answering);
            conn.state = State::Answering { session: Some(session), answering, early: BytesMut::new() };
        }
        if self.sessions.get(session).is_some() {
            self.tell(now, session, session::Input::Post(key, body));
        } else {
            // It was known when the head came, and has ended since: by this POST, when another was under way.
            self.refuse(now, key, Refusal::BadRequest);
        }
    }
}
