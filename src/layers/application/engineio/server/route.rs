//! What a request asks for, and who answers it.

use bytes::{Bytes, BytesMut};

use super::conn::{Conn, State};
use super::{Entry, Event, Output, Server, SessionKey};
use crate::base::Instant;
use crate::layers::application::engineio::request::{self, Answering, Ask, Refusal};
use crate::layers::application::engineio::session::{self, ConnKey, Session};
use crate::layers::application::http::{BodyReader, Framing, Headers, RequestHead};

impl Server {
    /// A whole head has come.
    pub(super) fn request(&mut self, now: Instant, key: ConnKey, head: &RequestHead) {
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
    pub(super) fn post(
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

    pub(super) fn open(
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

    pub(super) fn set_state(&mut self, key: ConnKey, state: State) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.state = state;
        }
    }
}
