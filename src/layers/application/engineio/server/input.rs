//! What comes from a connection, and when its time runs out.

use bytes::{Bytes, BytesMut};

use super::conn::State;
use super::{Conn, Entry, Event, Output, Server, SessionKey, Timer};
use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::request::{self, Answering, Ask, Refusal};
use crate::layers::application::engineio::session::{self, ConnKey, Session};
use crate::layers::application::http::{
    BodyProgress, BodyReader, Framing, HeadError, Headers, Progress, RequestHead,
};
use crate::layers::application::websocket::{
    self, CloseCode, CloseReason, Connection, Phase, Policy, Utf8Bytes,
};

impl Server {
    /// What a client may send ahead while its request waits for an answer.
    const MAX_EARLY: usize = 64 << 10;

    pub(super) fn bytes(&mut self, now: Instant, key: ConnKey, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let head_timeout = self.config.head_timeout;
            let Some(conn) = self.conns.get_mut(key) else { return };
            match &mut conn.state {
                State::Head(parser) => {
                    // The first byte of a request: from here on its head may take so long.
                    let idle = parser.is_empty();
                    match parser.feed(bytes) {
                        Ok(Progress::NeedMore) => {
                            if idle {
                                self.set_conn_deadline(key, Some(now + head_timeout));
                            }
                            return;
                        }
                        Ok(Progress::Done { head, consumed }) => {
                            bytes = &bytes[consumed..];
                            self.set_conn_deadline(key, None);
                            self.request(now, key, &head);
                        }
                        Err(error) => return self.reject(now, key, &error),
                    }
                }
                State::Body { reader, session, .. } => {
                    let session = *session;
                    match reader.feed(bytes) {
                        Ok(BodyProgress::NeedMore) => return,
                        Ok(BodyProgress::Done { body, consumed }) => {
                            bytes = &bytes[consumed..];
                            self.body_done(now, key, session, body);
                        }
                        Err(error) => {
                            self.tell(now, session, session::Input::Gone(key));
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
                    early.extend_from_slice(bytes);
                    return;
                }
                State::WebSocket { machine, .. } => {
                    machine.handle(now, websocket::Input::Bytes(Bytes::copy_from_slice(bytes)));
                    return self.drive_socket(now, key);
                }
                State::Ending => return,
            }
        }
    }

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

    /// Answers what could not even be read, and closes.
    fn reject(&mut self, now: Instant, key: ConnKey, error: &HeadError) {
        self.put(key, request::plain(error.status));
        self.end(now, key);
    }

    /// A whole head has come.
    fn request(&mut self, now: Instant, key: ConnKey, head: &RequestHead) {
        let framing = match head.host().and_then(|_| Framing::of(head)) {
            Ok(framing) => framing,
            Err(error) => return self.reject(now, key, &error),
        };
        let (path, query) = request::split_target(&head.target);
        let endpoint = self
            .config
            .endpoints
            .iter()
            .position(|endpoint| endpoint == path || endpoint.strip_suffix('/') == Some(path));
        let mut answering = Answering::of(head, &self.config.origins);
        let has_body = framing != Framing::Length(0);
        let Some(endpoint) = endpoint else { return self.other_request(now, key, head, answering, has_body) };

        let ask = request::judge(head, query, &self.config.origins).and_then(|ask| match ask {
            Ask::Open => Ok((ask, None)),
            Ask::Preflight | Ask::Socket(None) => Ok((ask, None)),
            Ask::Poll(ref sid) | Ask::Post(ref sid) | Ask::Socket(Some(ref sid)) => {
                let session = self.by_sid.get(sid).copied().ok_or(Refusal::SessionUnknown)?;
                Ok((ask, Some(session)))
            }
        });
        // A session may have run out of time a moment ago.
        let ask = match ask {
            Ok((ask, Some(session))) => {
                self.tell(now, session, session::Input::Wake);
                let polling = match self.sessions.get(session) {
                    Some(entry) => Ok(entry.session.is_polling()),
                    None => Err(Refusal::SessionUnknown),
                };
                match (&ask, polling) {
                    (_, Err(refusal)) => Err(refusal),
                    (Ask::Poll(_) | Ask::Post(_), Ok(false)) => Err(Refusal::BadRequest),
                    (_, Ok(_)) => Ok((ask, Some(session))),
                }
            }
            other => other,
        };
        // A body where none belongs is not read: the connection ends with the answer.
        if has_body && !matches!(ask, Ok((Ask::Post(_), _))) {
            answering.keep_alive = false;
        }
        let session = ask.as_ref().ok().and_then(|(_, session)| *session);
        let answer_state = |answering: Answering| State::Answering {
            session,
            answering: Box::new(answering),
            early: BytesMut::new(),
        };
        match (ask, session) {
            (Err(refusal), _) => {
                self.set_state(key, answer_state(answering));
                self.refuse(now, key, refusal);
            }
            (Ok((Ask::Preflight, _)), _) => {
                let pieces = answering.preflight(head);
                self.set_state(key, answer_state(answering));
                self.answer(now, key, pieces);
            }
            (Ok((Ask::Post(_), _)), Some(session)) => {
                self.post(now, key, head, framing, session, answering);
            }
            (Ok((Ask::Poll(_), _)), Some(session)) => {
                self.set_state(key, answer_state(answering));
                self.tell(now, session, session::Input::Poll(key));
            }
            (Ok((Ask::Socket(_), _)), session) => self.socket(now, key, head, endpoint, session, answering),
            (Ok(_), _) => {
                self.set_state(key, answer_state(answering));
                match self.open(endpoint, |config, sid| Session::polling(now, config, sid, key)) {
                    Some(session) => {
                        if let Some(Conn { state: State::Answering { session: of, .. }, .. }) =
                            self.conns.get_mut(key)
                        {
                            *of = Some(session);
                        }
                        self.pump(now, session);
                    }
                    None => self.busy(now, key),
                }
            }
        }
    }

    /// A path that is no endpoint.
    fn other_request(
        &mut self,
        now: Instant,
        key: ConnKey,
        head: &RequestHead,
        mut answering: Answering,
        has_body: bool,
    ) {
        if has_body {
            answering.keep_alive = false;
        }
        let wanted =
            self.config.other_requests && !has_body && matches!(head.method.as_str(), "GET" | "HEAD");
        let not_found = answering.write(
            404,
            "text/plain; charset=UTF-8",
            &Headers::new(),
            &Bytes::from_static(b"not found\n"),
        );
        self.set_state(
            key,
            State::Answering { session: None, answering: Box::new(answering), early: BytesMut::new() },
        );
        if wanted {
            let head = Box::new(head.clone());
            self.set_conn_deadline(key, Some(now + self.config.body_timeout));
            self.outputs.push_back(Output::Event(Event::Request { conn: key, head }));
        } else {
            self.answer(now, key, not_found);
        }
    }

    /// The head of a POST has come: a body that is too long is refused before it is read.
    fn post(
        &mut self,
        now: Instant,
        key: ConnKey,
        head: &RequestHead,
        framing: Framing,
        session: SessionKey,
        answering: Answering,
    ) {
        let reader = match BodyReader::new(framing, self.config.session.max_payload) {
            Ok(reader) => reader,
            Err(error) => return self.reject(now, key, &error),
        };
        self.set_state(
            key,
            State::Body { reader: Box::new(reader), session, answering: Box::new(answering) },
        );
        self.set_conn_deadline(key, Some(now + self.config.body_timeout));
        // RFC 9110 §10.1.1: the client waits to hear whether it should send the body.
        if head.headers.has_token("Expect", "100-continue") {
            self.put(key, vec![Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n")]);
        }
        self.tell(now, session, session::Input::PostBegins(key));
        if framing == Framing::Length(0) {
            self.body_done(now, key, session, Bytes::new());
        }
    }

    fn body_done(&mut self, now: Instant, key: ConnKey, session: SessionKey, body: Bytes) {
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
            self.refuse(now, key, Refusal::SessionUnknown);
        }
    }

    /// A WebSocket asks to be opened. The opening handshake judges for itself (RFC 6455 §4.2).
    fn socket(
        &mut self,
        now: Instant,
        key: ConnKey,
        head: &RequestHead,
        endpoint: usize,
        session: Option<SessionKey>,
        answering: Answering,
    ) {
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
            ..websocket::Config::default()
        };
        let machine = Box::new(Connection::accept(now, config, &Policy::default(), head));
        let opened = machine.phase() == Phase::Open;
        let owner = session.unwrap_or(SessionKey(u64::MAX));
        self.set_state(key, State::WebSocket { machine, session: owner });
        // The answer to the handshake goes out before the session's first words.
        self.drive_socket(now, key);
        match session {
            _ if !opened => {}
            Some(session) => self.tell(now, session, session::Input::Socket(key)),
            None => {
                let opened = self.open(endpoint, |config, sid| Session::websocket(now, config, sid, key));
                if let (Some(new), Some(Conn { state: State::WebSocket { session, .. }, .. })) =
                    (opened, self.conns.get_mut(key))
                {
                    *session = new;
                    self.pump(now, new);
                }
            }
        }
    }

    fn open(
        &mut self,
        endpoint: usize,
        make: impl FnOnce(session::Config, &str) -> Session,
    ) -> Option<SessionKey> {
        if self.sessions.len() >= self.config.max_sessions {
            return None;
        }
        let sid = (self.sids)();
        let session = make(self.config.session.clone(), &sid);
        let entry = Entry { session, sid: sid.clone(), deadline: None };
        let key = self.sessions.insert(entry)?;
        self.by_sid.insert(sid, key);
        self.outputs.push_back(Output::Event(Event::Opened { session: key, endpoint }));
        Some(key)
    }

    /// Too many sessions: the client may come again.
    fn busy(&mut self, now: Instant, key: ConnKey) {
        if let Some(Conn { state: State::Answering { answering, .. }, .. }) = self.conns.get(key) {
            let extra = Headers::new().with("Retry-After", "5");
            let words = Bytes::from_static(b"too many sessions\n");
            let pieces = answering.write(503, "text/plain; charset=UTF-8", &extra, &words);
            self.answer(now, key, pieces);
        }
    }

    fn set_state(&mut self, key: ConnKey, state: State) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.state = state;
        }
    }

    /// Closes a WebSocket with a Close frame.
    pub(super) fn hang_up(&mut self, now: Instant, key: ConnKey) {
        if let Some(Conn { state: State::WebSocket { machine, .. }, .. }) = self.conns.get_mut(key) {
            let reason = CloseReason::new(CloseCode::NORMAL, Utf8Bytes::default());
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
                    websocket::Event::Open(_) | websocket::Event::Ping(_) | websocket::Event::Pong(_) => {}
                },
                Some(websocket::Output::WakeAt(at)) => self.set_conn_deadline(key, Some(at)),
                Some(websocket::Output::Finished) => return self.end(now, key),
                None => return,
            }
        }
    }
}
