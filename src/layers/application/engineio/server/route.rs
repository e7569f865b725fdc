//! What a request asks for, and what answers it.

use bytes::{Bytes, BytesMut};

use super::conn::{Conn, State};
use super::{ERRORS, Entry, Event, Output, Server, SessionKey};
use crate::base::Instant;
use crate::layers::application::engineio::request::{self, Answering, Ask, Refusal};
use crate::layers::application::engineio::session::{self, ConnKey, Session};
use crate::layers::application::http::{BodyReader, Framing, HeadError, Headers, RequestHead};

impl Server {
    /// A whole head has come.
    pub(super) fn request(&mut self, now: Instant, key: ConnKey, head: &RequestHead) {
        let framing = match head.host().and_then(|_| Framing::of(head)) {
            Ok(framing) => framing,
            Err(error) => return self.reject(now, key, &error),
        };
        if self.config.loopback_only && !head.is_for_loopback() {
            let got = head.host().unwrap_or_default().to_owned();
            let error = ERRORS.malformed("Host", 0, "a loopback address or localhost", got);
            return self.reject(now, key, &HeadError { status: 403, error });
        }
        let (path, query) = request::split_target(&head.target);
        let endpoint = self
            .config
            .endpoints
            .iter()
            .position(|endpoint| endpoint == path || endpoint.strip_suffix('/') == Some(path));
        let mut answering = Answering::of(head, &self.config.origins);
        let has_body = framing != Framing::Length(0);
        let Some(endpoint) = endpoint else { return self.other_request(now, key, head, answering, has_body) };

        let ask = request::judge(head, query, &self.config.origins, |sid| self.session_at(endpoint, sid))
            .and_then(|ask| self.in_time(now, ask));
        // A body where none belongs is not read: the connection ends with the answer.
        if has_body && !matches!(ask, Ok(Ask::Post(_))) {
            answering.keep_alive = false;
        }
        let answer_state = |session: Option<SessionKey>, answering: Answering| State::Answering {
            session,
            answering: Box::new(answering),
            early: BytesMut::new(),
        };
        match ask {
            Err(refusal) => {
                self.set_state(key, answer_state(None, answering));
                self.refuse(now, key, refusal);
            }
            Ok(Ask::Preflight) => {
                let pieces = answering.preflight(head);
                self.set_state(key, answer_state(None, answering));
                self.answer(now, key, pieces);
            }
            Ok(Ask::Post(session)) => self.post(now, key, head, framing, session, answering),
            Ok(Ask::Poll(session)) => {
                self.set_state(key, answer_state(Some(session), answering));
                self.tell(now, session, session::Input::Poll(key));
            }
            Ok(Ask::Socket(session)) => self.socket(now, key, head, endpoint, session, answering),
            Ok(Ask::Open) => {
                self.set_state(key, answer_state(None, answering));
                match self.open(endpoint, key, |config, sid| Session::polling(now, config, sid, key)) {
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

    /// The session with this id, at the endpoint where it was opened.
    fn session_at(&self, endpoint: usize, sid: &str) -> Option<SessionKey> {
        let session = self.by_sid.get(sid).copied()?;
        self.sessions.get(session).filter(|entry| entry.endpoint == endpoint).map(|_| session)
    }

    /// A session may have run out of time a moment ago, or have left polling.
    fn in_time(&mut self, now: Instant, ask: Ask<SessionKey>) -> Result<Ask<SessionKey>, Refusal> {
        let (Ask::Poll(session) | Ask::Post(session) | Ask::Socket(Some(session))) = ask else {
            return Ok(ask);
        };
        self.tell(now, session, session::Input::Wake);
        match (self.sessions.get(session), ask) {
            (None, _) => Err(Refusal::SessionUnknown),
            (Some(entry), Ask::Poll(_) | Ask::Post(_)) if !entry.session.is_polling() => {
                Err(Refusal::BadRequest)
            }
            (Some(_), _) => Ok(ask),
        }
    }

    /// A path that is no endpoint.
    pub(super) fn other_request(
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
        let refusal = |status, extra: &Headers, words: &'static str| {
            let words = Bytes::from_static(words.as_bytes());
            answering.write(status, "text/plain; charset=UTF-8", extra, &words)
        };
        let refusal = match self.config.other_requests && !matches!(head.method.as_str(), "GET" | "HEAD") {
            // RFC 9110 §15.5.6: with the methods that there are.
            true => refusal(405, &Headers::new().with("Allow", "GET, HEAD"), "only GET and HEAD here\n"),
            false => refusal(404, &Headers::new(), "not found\n"),
        };
        self.set_state(
            key,
            State::Answering { session: None, answering: Box::new(answering), early: BytesMut::new() },
        );
        if wanted {
            let head = Box::new(head.clone());
            self.set_conn_deadline(key, Some(now + self.config.body_timeout));
            self.outputs.push_back(Output::Event(Event::Request { conn: key, head }));
        } else {
            self.answer(now, key, refusal);
        }
    }

    /// The head of a POST has come: a body that is too long is refused before it is read.
    pub(super) fn post(
        &mut self,
        now: Instant,
        key: ConnKey,
        head: &RequestHead,
        framing: Framing,
        session: SessionKey,
        mut answering: Answering,
    ) {
        // Bytes in a body were version 3's; now they are written as text.
        if head.headers.get("Content-Type") == Some("application/octet-stream") {
            answering.keep_alive = false;
            let (answering, early) = (Box::new(answering), BytesMut::new());
            self.set_state(key, State::Answering { session: None, answering, early });
            self.refuse(now, key, Refusal::BadRequest);
            return self.tell(now, session, session::Input::NotText);
        }
        let reader = match BodyReader::new(framing, self.config.session.max_payload) {
            Ok(reader) => reader,
            Err(error) => return self.reject(now, key, &error),
        };
        self.set_state(
            key,
            State::Body { reader: Box::new(reader), session, answering: Box::new(answering) },
        );
        self.set_conn_deadline(key, Some(now + self.config.body_timeout));
        // RFC 9110 §10.1.1: the client waits to learn whether it should send the body.
        if head.headers.has_token("Expect", "100-continue") {
            self.put(key, vec![Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n")]);
        }
        self.tell(now, session, session::Input::PostBegins(key));
        if framing == Framing::Length(0) {
            self.body_done(now, key, session, Bytes::new());
        }
    }

    pub(super) fn open(
        &mut self,
        endpoint: usize,
        conn: ConnKey,
        make: impl FnOnce(session::Config, &str) -> Session,
    ) -> Option<SessionKey> {
        if self.sessions.len() >= self.config.max_sessions {
            return None;
        }
        let sid = (self.sids)();
        let session = make(self.config.session.clone(), &sid);
        let address = self.conns.get(conn).and_then(|conn| conn.address);
        let entry = Entry { session, sid: sid.clone(), endpoint, address, deadline: None };
        let key = self.sessions.insert(entry);
        self.by_sid.insert(sid, key);
        self.outputs.push_back(Output::Event(Event::Opened { session: key, endpoint }));
        Some(key)
    }

    pub(super) fn set_state(&mut self, key: ConnKey, state: State) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.state = state;
        }
    }
}
