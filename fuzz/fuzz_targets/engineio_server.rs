//! The Engine.IO server: several connections with any bytes, or with requests and frames that are nearly right, cut
//! anywhere. Connections, sessions and what waits to be written stay within their limits; one connection's story is
//! told the same however its bytes are cut.

#![no_main]

use std::fmt::Write as _;

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::base::{Duration, Instant, Machine as _};
use netlayers::layers::application::engineio::{
    Config, ConnKey, Event, Input, Outbox, Output, Server, SessionConfig, SessionKey,
};
use netlayers::layers::application::http::Headers;

#[derive(Debug, Arbitrary)]
enum Story<'a> {
    /// Many connections, and a layer above that answers.
    Many(Vec<Step<'a>>),
    /// One connection, told whole and cut.
    One { pieces: Vec<Piece<'a>>, cuts: Vec<u8> },
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Connect,
    Say {
        conn: u8,
        piece: Piece<'a>,
    },
    Gone {
        conn: u8,
    },
    Wake {
        millis: u16,
    },
    /// The network takes some of what waits.
    Written {
        conn: u8,
        bytes: u16,
    },
    Send {
        session: u8,
        len: u16,
    },
    Ping {
        session: u8,
    },
    Close {
        session: u8,
    },
    ShutDown,
}

/// Bytes of a client.
#[derive(Debug, Arbitrary)]
enum Piece<'a> {
    Raw(&'a [u8]),
    Open,
    Poll {
        sid: u8,
    },
    Post {
        sid: u8,
        body: &'a [u8],
    },
    /// A WebSocket, for a session of its own or to upgrade one.
    Socket {
        sid: Option<u8>,
    },
    Frame {
        fin: bool,
        opcode: u8,
        payload: &'a [u8],
    },
}

const MOST_OUTPUTS: usize = 10_000;
const MAX_CONNECTIONS: usize = 4;
const MAX_SESSIONS: usize = 3;
const MAX_BACKLOG: usize = 4096;
/// An answer beside the backlog: heads, the packets of one poll, a Close frame.
const BESIDE: usize = 4096;

fuzz_target!(|story: Story<'_>| {
    match story {
        Story::Many(steps) => many(&steps),
        Story::One { pieces, cuts } => {
            let stream: Vec<u8> = pieces.iter().flat_map(bytes_of).collect();
            assert_eq!(one(&stream, &[]), one(&stream, &cuts));
        }
    }
});

fn server(max_backlog: usize) -> Server {
    let session = SessionConfig { max_payload: 512, max_backlog, ..SessionConfig::default() };
    let config = Config {
        endpoints: vec!["/e/".into()],
        session,
        max_connections: MAX_CONNECTIONS,
        max_sessions: MAX_SESSIONS,
        other_requests: true,
        ..Config::default()
    };
    let mut count = 0;
    let sids = Box::new(move || {
        count += 1;
        format!("s{count}")
    });
    Server::new(config, sids)
}

fn many(steps: &[Step<'_>]) {
    let mut run =
        Run { server: server(MAX_BACKLOG), now: Instant::ZERO, conns: Vec::new(), sessions: Vec::new() };
    for step in steps {
        run.take(step);
        run.drain();
    }
}

struct Run {
    server: Server,
    now: Instant,
    conns: Vec<ConnKey>,
    sessions: Vec<SessionKey>,
}

impl Run {
    fn take(&mut self, step: &Step<'_>) {
        let now = self.now;
        match step {
            Step::Connect => self.conns.extend(self.server.connected(now)),
            Step::Say { conn, piece } => {
                if let Some(conn) = one_of(&self.conns, *conn) {
                    self.server.handle(now, Input::Bytes(conn, bytes_of(piece).into()));
                }
            }
            Step::Gone { conn } => {
                if let Some(conn) = one_of(&self.conns, *conn) {
                    self.server.handle(now, Input::Gone(conn));
                }
            }
            Step::Wake { millis } => {
                self.now += Duration::from_millis((*millis).into());
                self.server.handle(self.now, Input::Wake);
            }
            Step::Written { conn, bytes } => {
                if let Some(conn) = one_of(&self.conns, *conn) {
                    let waits = self.server.outbox(conn).map_or(0, Outbox::len);
                    self.server.written(conn, usize::from(*bytes).min(waits));
                }
            }
            Step::Send { session, len } => {
                if let Some(session) = one_of(&self.sessions, *session) {
                    let message = vec![b'x'; usize::from(*len % 1024)].into();
                    self.server.send(now, session, message);
                }
            }
            Step::Ping { session } => {
                if let Some(session) = one_of(&self.sessions, *session) {
                    self.server.ping(now, session);
                }
            }
            Step::Close { session } => {
                if let Some(session) = one_of(&self.sessions, *session) {
                    self.server.close(now, session);
                }
            }
            Step::ShutDown => self.server.shut_down(now),
        }
    }

    fn drain(&mut self) {
        for _ in 0..MOST_OUTPUTS {
            match self.server.poll(self.now) {
                None => return self.check(),
                Some(Output::Event(Event::Opened { session, .. })) => self.sessions.push(session),
                Some(Output::Event(Event::Closed { session, .. })) => {
                    let open = self.sessions.iter().position(|s| *s == session);
                    self.sessions.remove(open.expect("a session is closed once"));
                }
                Some(Output::Event(Event::Message { session, message })) => {
                    assert!(self.sessions.contains(&session), "nothing comes from a session that is closed");
                    self.server.send(self.now, session, message);
                }
                Some(Output::Event(Event::Request { conn, .. })) => {
                    let body = Bytes::from_static(b"a page");
                    self.server.respond(self.now, conn, 200, "text/plain", &Headers::new(), &body);
                }
                Some(Output::Close(conn)) => {
                    let open = self.conns.iter().position(|c| *c == conn);
                    self.conns.remove(open.expect("a connection is closed once"));
                }
                Some(_) => {}
            }
        }
        panic!("one input led to more than {MOST_OUTPUTS} outputs");
    }

    fn check(&self) {
        assert!(
            self.server.connections() <= MAX_CONNECTIONS && self.conns.len() == self.server.connections()
        );
        // One that is closed may still wait for the poll that it is told by.
        assert!(self.server.sessions() <= MAX_SESSIONS && self.sessions.len() <= self.server.sessions());
        for conn in &self.conns {
            let waits = self.server.outbox(*conn).map_or(0, Outbox::len);
            assert!(waits <= MAX_BACKLOG + BESIDE, "{waits} bytes wait");
        }
    }
}

/// What the layer above is told, what is written and whether the connection is closed.
fn one(stream: &[u8], cuts: &[u8]) -> (Vec<String>, Vec<u8>, bool) {
    let mut server = server(1 << 20);
    let now = Instant::ZERO;
    let conn = server.connected(now).expect("room for one");
    let (mut told, mut written, mut closed) = (Vec::new(), Vec::new(), false);
    let (mut rest, mut cuts) = (stream, cuts.iter());
    while !rest.is_empty() {
        let cut = cuts.next().map_or(rest.len(), |cut| usize::from(*cut).clamp(1, rest.len()));
        let (piece, behind) = rest.split_at(cut);
        rest = behind;
        server.handle(now, Input::Bytes(conn, Bytes::copy_from_slice(piece)));
        for count in 0.. {
            assert!(count < MOST_OUTPUTS, "one input led to more than {MOST_OUTPUTS} outputs");
            match server.poll(now) {
                None => break,
                Some(Output::Event(Event::Sent { .. })) => {}
                Some(Output::Event(event)) => told.push(format!("{event:?}")),
                Some(Output::Close(_)) => closed = true,
                Some(Output::Ready(_) | Output::WakeAt(_)) => {}
            }
        }
    }
    if let Some(outbox) = server.outbox(conn) {
        written = outbox.pieces().flatten().copied().collect();
    }
    (told, written, closed)
}

fn one_of<T: Copy>(all: &[T], which: u8) -> Option<T> {
    all.get(usize::from(which).checked_rem(all.len())?).copied()
}

fn bytes_of(piece: &Piece<'_>) -> Vec<u8> {
    match piece {
        Piece::Raw(bytes) => bytes.to_vec(),
        Piece::Open => request("GET", "polling", None, ""),
        Piece::Poll { sid } => request("GET", "polling", Some(*sid), ""),
        Piece::Post { sid, body } => {
            let length = format!("Content-Length: {}\r\n", body.len());
            let mut post = request("POST", "polling", Some(*sid), &length);
            post.extend_from_slice(body);
            post
        }
        Piece::Socket { sid } => {
            let fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            request("GET", "websocket", *sid, fields)
        }
        Piece::Frame { fin, opcode, payload } => {
            let payload = &payload[..payload.len().min(125)];
            // The key is of zeros: the payload stands as it is.
            let mut frame = vec![u8::from(*fin) << 7 | opcode & 0x0f, 0x80 | payload.len() as u8, 0, 0, 0, 0];
            frame.extend_from_slice(payload);
            frame
        }
    }
}

fn request(method: &str, transport: &str, sid: Option<u8>, fields: &str) -> Vec<u8> {
    let mut head = format!("{method} /e/?EIO=4&transport={transport}");
    if let Some(sid) = sid {
        let _ = write!(head, "&sid=s{}", sid % 8);
    }
    let _ = write!(head, " HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    head.into_bytes()
}
