//! What goes out to a connection, and how it ends.

use std::collections::VecDeque;

use bytes::Bytes;

use super::conn::{Conn, State};
use super::{Output, Server, SessionKey};
use crate::base::Instant;
use crate::layers::application::engineio::request::{self, Refusal};
use crate::layers::application::engineio::session::{self, ConnKey};
use crate::layers::application::http::{HeadError, HeadParser, Headers};

impl Server {
    /// Says once that bytes wait for a connection.
    pub(super) fn list(conn: &mut Conn, key: ConnKey, outputs: &mut VecDeque<Output>) {
        if !conn.listed && !conn.out.is_empty() {
            conn.listed = true;
            outputs.push_back(Output::Ready(key));
        }
    }

    pub(super) fn put(&mut self, key: ConnKey, pieces: Vec<Bytes>) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.out.mark();
            pieces.into_iter().for_each(|piece| conn.out.push(piece));
            Self::list(conn, key, &mut self.outputs);
        }
    }

    /// Puts the answer to a request on its connection, which then waits for the next one or ends.
    pub(super) fn answer(&mut self, now: Instant, key: ConnKey, pieces: Vec<Bytes>) {
        self.put(key, pieces);
        let Some(conn) = self.conns.get_mut(key) else { return };
        let keep_alive = match &conn.state {
            State::Answering { answering, .. } | State::Body { answering, .. } => answering.keep_alive,
            State::Head(_) | State::WebSocket { .. } | State::Ending => false,
        };
        if !keep_alive {
            return self.end(now, key);
        }
        let next = State::Head(Box::new(HeadParser::new(self.config.head)));
        let early = match std::mem::replace(&mut conn.state, next) {
            State::Answering { early, .. } => early,
            _ => return self.set_conn_deadline(key, Some(now + self.config.idle_timeout)),
        };
        self.set_conn_deadline(key, Some(now + self.config.idle_timeout));
        if !early.is_empty() {
            self.bytes(now, key, early.freeze());
        }
    }

    /// Closes a connection when everything is written.
    pub(super) fn end(&mut self, now: Instant, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        conn.state = State::Ending;
        if conn.out.is_empty() {
            self.forget(key);
        } else {
            self.set_conn_deadline(key, Some(now + self.config.close_timeout));
        }
    }

    /// Closes a connection at once.
    pub(super) fn forget(&mut self, key: ConnKey) {
        self.set_conn_deadline(key, None);
        if self.conns.remove(key).is_some() {
            self.outputs.push_back(Output::Close(key));
        }
    }

    /// A receiver that does not read: nothing waits for it, and it costs no more memory.
    pub(super) fn cut_off(&mut self, now: Instant, socket: ConnKey, session: SessionKey) {
        self.forget(socket);
        self.tell(now, session, session::Input::TooSlow);
    }

    pub(super) fn answer_text(&mut self, now: Instant, conn: ConnKey, body: &Bytes) {
        let Some(Conn { state: State::Answering { answering, .. }, .. }) = self.conns.get(conn) else {
            return;
        };
        let pieces = answering.write(200, "text/plain; charset=UTF-8", &Headers::new(), body);
        self.answer(now, conn, pieces);
    }

    pub(super) fn refuse(&mut self, now: Instant, conn: ConnKey, refusal: Refusal) {
        let Some(Conn { state: State::Answering { answering, .. } | State::Body { answering, .. }, .. }) =
            self.conns.get(conn)
        else {
            return;
        };
        let pieces = answering.refuse(refusal);
        self.answer(now, conn, pieces);
    }

    /// Answers what could not even be read, and closes.
    pub(super) fn reject(&mut self, now: Instant, key: ConnKey, error: &HeadError) {
        self.put(key, request::plain(error.status));
        self.end(now, key);
    }

    /// Too many sessions: the client may come again.
    pub(super) fn busy(&mut self, now: Instant, key: ConnKey) {
        if let Some(Conn { state: State::Answering { answering, .. }, .. }) = self.conns.get(key) {
            let extra = Headers::new().with("Retry-After", "5");
            let words = Bytes::from_static(b"too many sessions\n");
            let pieces = answering.write(503, "text/plain; charset=UTF-8", &extra, &words);
            self.answer(now, key, pieces);
        }
    }
}
