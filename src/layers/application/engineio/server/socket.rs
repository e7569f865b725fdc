//! The WebSockets among the connections.

use std::sync::Arc;

use bytes::BytesMut;
use slotmap::Key as _;

use super::conn::{Conn, State};
use super::{Server, SessionKey};
use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::request::Answering;
use crate::layers::application::engineio::session::{self, ConnKey, Session};
use crate::layers::application::http::{Incoming, RequestHead};
use crate::layers::application::websocket::{
    self, CloseCode, CloseReason, Connection, Phase, Policy, Utf8Bytes,
};

/// A request for a WebSocket.
pub(super) struct Upgrade<'a> {
    pub(super) head: &'a RequestHead,
    pub(super) endpoint: usize,
    /// The session to be upgraded; a new one when there is none.
    pub(super) session: Option<SessionKey>,
    pub(super) asked: Arc<Incoming>,
}

impl Server {
    /// A WebSocket asks to be opened. The opening handshake judges for itself (RFC 6455 §4.2).
    pub(super) fn socket(&mut self, now: Instant, key: ConnKey, upgrade: Upgrade<'_>, answering: Answering) {
        let Upgrade { head, endpoint, session, asked } = upgrade;
        if session.is_none() && self.sessions.len() >= self.config.max_sessions {
            let answering = Box::new(answering);
            self.set_state(key, State::Answering { session: None, answering, early: BytesMut::new() });
            return self.busy(now, key);
        }
        let limit = self.config.session.max_payload;
        let config = websocket::Config {
            max_frame: limit,
            max_message: limit,
            close_timeout: self.config.close_timeout,
            head: self.config.head,
            // Clients of Engine.IO report the reason to programs that expect none.
            explain: false,
            ..websocket::Config::default()
        };
        let subprotocols = self.config.subprotocols.clone();
        let policy = Policy { subprotocols, headers: answering.added, ..Policy::default() };
        let machine = Box::new(Connection::accept(now, config, &policy, head));
        let opened = machine.phase() == Phase::Open;
        let owner = session.unwrap_or(SessionKey::null());
        self.set_state(key, State::WebSocket { machine, session: owner });
        // The answer to the handshake goes out before the session's first words.
        self.drive_socket(now, key);
        match session {
            _ if !opened => {}
            Some(session) => self.tell(now, session, session::Input::Socket(key)),
            None => {
                let opened =
                    self.open(endpoint, asked, |config, sid| Session::websocket(now, config, sid, key));
                if let (Some(new), Some(Conn { state: State::WebSocket { session, .. }, .. })) =
                    (opened, self.conns.get_mut(key))
                {
                    *session = new;
                    self.pump(now, new);
                }
            }
        }
    }

    /// Closes a WebSocket with a Close frame.
    pub(super) fn hang_up(&mut self, now: Instant, key: ConnKey) {
        if let Some(Conn { state: State::WebSocket { machine, .. }, .. }) = self.conns.get_mut(key) {
            let code = if self.going_away { CloseCode::GOING_AWAY } else { CloseCode::NORMAL };
            let reason = CloseReason::new(code, Utf8Bytes::default());
            // It may be closing already, and then there is nothing to say.
            let _ = machine.close(now, &reason);
            self.stirred.push_back(key);
        }
    }

    /// Does what a WebSocket asks for.
    pub(super) fn drive_socket(&mut self, now: Instant, key: ConnKey) {
        loop {
            let Some(conn) = self.conns.get_mut(key) else { return };
            let State::WebSocket { machine, session } = &mut conn.state else { return };
            let session = *session;
            match machine.poll(now) {
                Some(websocket::Output::Send(bytes)) => {
                    conn.out.push(bytes);
                    Self::list(conn, key, &mut self.outputs);
                    if conn.out.len() > self.config.session.max_backlog {
                        return self.cut_off(now, key, session);
                    }
                }
                Some(websocket::Output::Event(event)) => match event {
                    websocket::Event::Message(message) => {
                        self.tell(now, session, session::Input::Message(key, message));
                    }
                    websocket::Event::Close(_) | websocket::Event::Failed(_) => {
                        self.tell(now, session, session::Input::SocketClosed(key));
                    }
                    // No fragments are asked for.
                    websocket::Event::Open(_)
                    | websocket::Event::Fragment(_)
                    | websocket::Event::Ping(_)
                    | websocket::Event::Pong(_) => {}
                },
                Some(websocket::Output::WakeAt(at)) => self.set_conn_deadline(key, Some(at)),
                Some(websocket::Output::Finished) => return self.end(now, key),
                None => return,
            }
        }
    }
}
