//! What the bytes of one direction of a TCP stream are: HTTP heads, WebSocket frames, packets of Engine.IO and
//! Socket.IO (`events.rs`), or data.
//!
//! HTTP is known by how it begins, not by a port. A client that asked for an upgrade to WebSocket, and a server that
//! agreed with 101, go on with frames (RFC 6455 §4). In a capture that begins after that handshake, frames cannot be
//! distinguished from other bytes, so they stay data. Left out: chunked bodies (RFC 9112 §7.1), whose bytes are data.

use std::collections::VecDeque;

use super::AppPiece;
use super::events::{Above, Packets, Piece};
use crate::base::{Header, Layer, ParseError, Reader};
use crate::layers::application::http::{Headers, Limits, RequestHead, ResponseHead};
use crate::layers::application::websocket::mask::apply_mask;
use crate::layers::application::websocket::{FrameHeader, Opcode};
use crate::layers::application::{engineio, socketio};
use crate::view::look::escape;

/// This many labels are remembered in each direction, for retransmissions; older ones are forgotten first.
const MOST_LABELS: usize = 256;
/// Characters of a start line that are kept.
const LINE: usize = 120;

/// What some bytes of a stream are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    /// The first byte's offset in the stream.
    pub(super) start: u64,
    pub(super) len: u64,
    pub(super) what: Meaning,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// The beginning of a head, with its first line.
    Head { request: bool, line: String },
    /// A frame header (or, when a segment boundary cut it, its last bytes).
    FrameHeader(FrameHeader, Cut),
    /// A piece of a head or frame header that began before or goes on.
    HeaderPiece { protocol: &'static str },
    /// The type of an Engine.IO packet.
    EngineIo(u8),
    /// The byte between two Engine.IO packets of one HTTP body.
    Separator,
    /// The header of a Socket.IO packet in plain, masks off (or, when a segment boundary cut it, its last bytes).
    SocketIo(Vec<u8>, Cut),
    /// Payload of a control frame, which is the protocol's own.
    ControlPayload,
    /// Payload of a data frame.
    FramePayload,
    /// Bytes of no known protocol.
    Data,
}

/// Whether a header lies in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Whole,
    InTwo,
}

/// What both directions of a connection know together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Session {
    upgrade: Upgrade,
    /// What the last request says that it and its answer carry.
    above: Above,
    /// Whether Engine.IO and Socket.IO are recognised in text.
    dissects_events: bool,
}

impl Session {
    /// Of a connection on which nothing was said yet.
    pub(super) fn new(dissects_events: bool) -> Self {
        Session { dissects_events, ..Session::default() }
    }

    /// Of the next connection between the same ports.
    pub(super) fn renewed(&self) -> Self {
        Session::new(self.dissects_events)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Upgrade {
    #[default]
    NotAsked,
    Asked,
    Agreed,
    Refused,
}

/// The labels of one direction, the newest last.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels(VecDeque<Label>);

impl Labels {
    fn push(&mut self, start: u64, len: usize, what: Meaning) {
        let len = len as u64;
        if len == 0 {
            return;
        }
        if let Some(last) = self.0.back_mut()
            && last.start + last.len == start
            && last.what == what
            && matches!(what, Meaning::Data | Meaning::FramePayload)
        {
            last.len += len;
            return;
        }
        if self.0.len() >= MOST_LABELS {
            self.0.pop_front();
        }
        self.0.push_back(Label { start, len, what });
    }

    /// The labels that touch the bytes `start..end`.
    pub(super) fn touching(&self, start: u64, end: u64) -> impl Iterator<Item = &Label> {
        // They are in order, so the first of interest is found by halving.
        let from = self.0.partition_point(|label| label.start + label.len <= start);
        self.0.iter().skip(from).take_while(move |label| label.start < end)
    }

    /// What a segment with the bytes `start..end` brings, for its summary.
    pub(super) fn pieces(&self, start: u64, end: u64) -> Vec<AppPiece> {
        let mut pieces = Vec::new();
        let mut known = start;
        let mut in_frame = false;
        for label in self.touching(start, end) {
            let len = |from: u64, to: u64| to.saturating_sub(from) as usize;
            add(&mut pieces, AppPiece::Data { len: len(known, label.start) });
            let shown = len(label.start.max(start), (label.start + label.len).min(end));
            let begins = label.start >= start;
            let more = AppPiece::WsContinuationOfFrame { len: shown };
            let piece = match &label.what {
                Meaning::Head { request: true, line } if begins => {
                    AppPiece::HttpRequest { line: line.clone() }
                }
                Meaning::Head { line, .. } if begins => AppPiece::HttpResponse { line: line.clone() },
                Meaning::FrameHeader(header, _) if begins => AppPiece::WsFrame {
                    opcode: opcode_name(header.opcode),
                    fin: header.fin,
                    masked: header.mask.is_some(),
                    payload_len: header.payload_len,
                    header_len: header.header_len(),
                },
                Meaning::EngineIo(kind) => AppPiece::EngineIo { packet: engine_io_name(*kind) },
                Meaning::SocketIo(header, _) => socket_io_piece(header),
                Meaning::ControlPayload | Meaning::FramePayload if in_frame => {
                    AppPiece::WsContinuationOfFrame { len: 0 }
                }
                Meaning::Data | Meaning::Separator => AppPiece::Data { len: shown },
                _ => more,
            };
            in_frame = match label.what {
                Meaning::FrameHeader(..) => begins,
                Meaning::EngineIo(_) | Meaning::SocketIo(..) => in_frame,
                _ => false,
            };
            add(&mut pieces, piece);
            known = label.start + label.len;
        }
        add(&mut pieces, AppPiece::Data { len: end.saturating_sub(known) as usize });
        pieces
    }
}

/// Adds a piece, or lets the last one grow.
fn add(pieces: &mut Vec<AppPiece>, piece: AppPiece) {
    match (pieces.last_mut(), piece) {
        (_, AppPiece::Data { len: 0 } | AppPiece::WsContinuationOfFrame { len: 0 }) => {}
        (Some(AppPiece::Data { len }), AppPiece::Data { len: more })
        | (Some(AppPiece::WsContinuationOfFrame { len }), AppPiece::WsContinuationOfFrame { len: more }) => {
            *len += more;
        }
        (_, piece) => pieces.push(piece),
    }
}

fn engine_io_name(kind: u8) -> &'static str {
    engineio::header::type_name(kind).unwrap_or("no packet")
}

fn socket_io_piece(header: &[u8]) -> AppPiece {
    let parts = socketio::header::Parts::of(header);
    let text = |from: usize, to: usize| {
        String::from_utf8_lossy(header.get(from..to).unwrap_or_default()).into_owned()
    };
    let namespace = text(parts.attachments, parts.namespace);
    let namespace = namespace.strip_suffix(',').unwrap_or(&namespace);
    AppPiece::SocketIo {
        packet: header.first().copied().and_then(socketio::header::type_name).unwrap_or("no packet"),
        namespace: if namespace.is_empty() { "/".into() } else { escape(namespace) },
        ack: text(parts.namespace, parts.id).parse().ok(),
    }
}

fn opcode_name(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::Continuation => "continuation",
        Opcode::Text => "text",
        Opcode::Binary => "binary",
        Opcode::Close => "close",
        Opcode::Ping => "ping",
        Opcode::Pong => "pong",
    }
}

/// Reads one direction of a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Parser {
    reading: Reading,
    labels: Labels,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Default)]
enum Reading {
    /// The beginning of something; data as long as it does not look like a head.
    #[default]
    Start,
    Head(Vec<u8>),
    Body {
        left: u64,
        packets: Option<Packets>,
    },
    FrameHeader(Vec<u8>),
    Payload(Payload),
    /// The thread is lost: a hole in the capture, or frames that broke the rules.
    Lost,
}

/// A frame's payload, of which some is still to come.
#[derive(Debug, Clone)]
struct Payload {
    left: u64,
    control: bool,
    /// The key, and how many bytes were unmasked with it.
    mask: Option<([u8; 4], u64)>,
    /// The message ends with this frame.
    fin: bool,
    packets: Option<Packets>,
}

impl Parser {
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Takes the next bytes, which begin at offset `at` of the stream. An error counts from the start of the stream's
    /// header that is at fault; with it comes where that began.
    pub(super) fn feed(
        &mut self,
        mut at: u64,
        mut bytes: &[u8],
        session: &mut Session,
    ) -> Option<(u64, ParseError)> {
        let mut problem = None;
        while !bytes.is_empty() {
            let (taken, what) = self.step(bytes, at, session, &mut problem);
            self.labels.push(at, taken, what);
            at += taken as u64;
            bytes = &bytes[taken..];
        }
        problem
    }

    /// The same, up to the end of the message that is being read at most. Says how many bytes it took.
    pub(super) fn feed_message(
        &mut self,
        at: u64,
        bytes: &[u8],
        session: &mut Session,
        problem: &mut Option<(u64, ParseError)>,
    ) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            let (taken, what) = self.step(&bytes[done..], at + done as u64, session, problem);
            self.labels.push(at + done as u64, taken, what);
            done += taken;
            if problem.is_some() || self.is_between() {
                break;
            }
        }
        done
    }

    /// Whether the next byte begins something.
    pub(super) fn is_between(&self) -> bool {
        match &self.reading {
            Reading::Start => true,
            Reading::Body { left, .. } | Reading::Payload(Payload { left, .. }) => *left == 0,
            Reading::FrameHeader(begun) => begun.is_empty(),
            Reading::Head(_) | Reading::Lost => false,
        }
    }

    pub(super) fn forget_labels(&mut self) {
        self.labels = Labels::default();
    }

    /// Takes note that `len` bytes will never be seen.
    pub(super) fn skip(&mut self, len: u64) {
        match &mut self.reading {
            // Where a packet begins in what follows is not known.
            Reading::Body { left, packets } if *left >= len => (*left, *packets) = (*left - len, None),
            Reading::Payload(payload) if payload.left >= len => {
                (payload.left, payload.packets) = (payload.left - len, None);
            }
            Reading::Start => {}
            _ => self.reading = Reading::Lost,
        }
    }

    /// Takes at least one byte, and says how many and what they are.
    fn step(
        &mut self,
        bytes: &[u8],
        at: u64,
        session: &mut Session,
        problem: &mut Option<(u64, ParseError)>,
    ) -> (usize, Meaning) {
        match std::mem::take(&mut self.reading) {
            Reading::Start if looks_like_a_head(bytes) => self.head(Vec::new(), bytes, session),
            Reading::Start => (bytes.len(), Meaning::Data),
            Reading::Head(text) => self.head(text, bytes, session),
            Reading::Body { left: 0, .. } => self.step(bytes, at, session, problem),
            Reading::Body { left, mut packets } => {
                let here = &bytes[..at_most(left, bytes.len())];
                let ends = here.len() as u64 == left;
                let (taken, what) = meaning(packets.as_mut(), here, ends, Meaning::Data);
                self.reading = Reading::Body { left: left - taken as u64, packets };
                (taken, what)
            }
            Reading::FrameHeader(begun) if begun.is_empty() && session.upgrade == Upgrade::Refused => {
                self.step(bytes, at, session, problem)
            }
            Reading::FrameHeader(begun) => self.frame_header(begun, bytes, at, session, problem),
            Reading::Payload(Payload { left: 0, .. }) => {
                self.frame_header(Vec::new(), bytes, at, session, problem)
            }
            Reading::Payload(payload) => self.payload(payload, bytes),
            Reading::Lost => {
                self.reading = Reading::Lost;
                (bytes.len(), Meaning::Data)
            }
        }
    }

    fn payload(&mut self, mut payload: Payload, bytes: &[u8]) -> (usize, Meaning) {
        let here = &bytes[..at_most(payload.left, bytes.len())];
        let (taken, what) = if payload.packets.is_some() {
            let ends = payload.fin && here.len() as u64 == payload.left;
            // What follows the headers is of no interest: they are short.
            let mut plain = here[..here.len().min(1024)].to_vec();
            let ends = ends && plain.len() == here.len();
            if let Some((key, offset)) = payload.mask {
                apply_mask(key, offset, &mut plain);
            }
            match meaning(payload.packets.as_mut(), &plain, ends, Meaning::FramePayload) {
                (_, Meaning::FramePayload) => {
                    payload.packets = None;
                    (here.len(), Meaning::FramePayload)
                }
                other => other,
            }
        } else {
            (here.len(), if payload.control { Meaning::ControlPayload } else { Meaning::FramePayload })
        };
        payload.left -= taken as u64;
        payload.mask = payload.mask.map(|(key, offset)| (key, offset + taken as u64));
        self.reading = Reading::Payload(payload);
        (taken, what)
    }

    fn head(&mut self, mut text: Vec<u8>, bytes: &[u8], session: &mut Session) -> (usize, Meaning) {
        let before = text.len();
        text.extend_from_slice(bytes);
        let from = before.saturating_sub(3);
        let end = text[from..].windows(4).position(|four| four == b"\r\n\r\n").map(|end| from + end + 4);
        let what = if before == 0 {
            let line = text.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
            Meaning::Head {
                request: !line.starts_with(b"HTTP/"),
                line: escape(&line[..line.len().min(LINE)]),
            }
        } else {
            Meaning::HeaderPiece { protocol: "HTTP" }
        };
        let Some(end) = end else {
            let goes_on = looks_like_a_head(&text) && text.len() <= Limits::default().head;
            self.reading = if goes_on { Reading::Head(text) } else { Reading::Start };
            return (bytes.len(), if goes_on { what } else { Meaning::Data });
        };
        self.reading = after_head(&text[..end], session);
        (end - before, what)
    }

    fn frame_header(
        &mut self,
        mut begun: Vec<u8>,
        bytes: &[u8],
        at: u64,
        session: &Session,
        problem: &mut Option<(u64, ParseError)>,
    ) -> (usize, Meaning) {
        let before = begun.len();
        begun.extend_from_slice(&bytes[..bytes.len().min(FrameHeader::MAX_LEN - before)]);
        let mut r = Reader::new(Layer::Application, FrameHeader::PROTOCOL, &begun);
        match FrameHeader::parse(&mut r) {
            Ok(header) => {
                // A message that is compressed (RFC 7692 §6) is not inflated here, and only its first frame begins one.
                let is_text = header.opcode == Opcode::Text && !header.rsv1;
                self.reading = Reading::Payload(Payload {
                    left: header.payload_len,
                    control: header.opcode.is_control(),
                    mask: header.mask.map(|key| (key, 0)),
                    fin: header.fin,
                    packets: if is_text { session.above.packets(false) } else { None },
                });
                let cut = if before == 0 { Cut::Whole } else { Cut::InTwo };
                (r.position() - before, Meaning::FrameHeader(header, cut))
            }
            Err(error) if error.is_incomplete() => {
                self.reading = Reading::FrameHeader(begun);
                (bytes.len(), Meaning::HeaderPiece { protocol: "WebSocket" })
            }
            Err(error) => {
                *problem = Some((at.saturating_sub(before as u64), error));
                self.reading = Reading::Lost;
                (bytes.len(), Meaning::Data)
            }
        }
    }
}

fn at_most(left: u64, bytes: usize) -> usize {
    usize::try_from(left).map_or(bytes, |left| left.min(bytes))
}

fn looks_like_a_head(bytes: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 10] = [
        b"GET ",
        b"HEAD ",
        b"POST ",
        b"PUT ",
        b"DELETE ",
        b"CONNECT ",
        b"OPTIONS ",
        b"TRACE ",
        b"PATCH ",
        b"HTTP/1.",
    ];
    BEGINNINGS.iter().any(|begin| bytes.starts_with(begin) || begin.starts_with(bytes))
}

/// What the next bytes of a text are, when there are packets in it; all of them are `otherwise` when there are none.
fn meaning(packets: Option<&mut Packets>, plain: &[u8], ends: bool, otherwise: Meaning) -> (usize, Meaning) {
    let Some(packets) = packets else { return (plain.len(), otherwise) };
    let (taken, piece) = packets.step(plain, ends);
    let what = match piece {
        Piece::EngineIo(kind) => Meaning::EngineIo(kind),
        Piece::Separator => Meaning::Separator,
        Piece::SocketIo(header, cut) => Meaning::SocketIo(header, cut),
        Piece::HeaderPart => Meaning::HeaderPiece { protocol: socketio::PROTOCOL },
        Piece::Rest => otherwise,
    };
    (taken, what)
}

/// What follows a head.
fn after_head(head: &[u8], session: &mut Session) -> Reading {
    let to_websocket =
        |headers: &Headers| headers.get_all("Upgrade").any(|value| value.eq_ignore_ascii_case("websocket"));
    let body = |headers: &Headers, above: Above| match headers
        .get("Content-Length")
        .and_then(|len| len.parse().ok())
    {
        Some(left) => Reading::Body { left, packets: above.packets(true) },
        None => Reading::Start,
    };
    if head.starts_with(b"HTTP/") {
        let Ok((response, _)) = ResponseHead::parse(head) else { return Reading::Start };
        match response.status {
            101 if to_websocket(&response.headers) => {
                session.upgrade = Upgrade::Agreed;
                Reading::FrameHeader(Vec::new())
            }
            // RFC 9112 §6.3: these never have a body.
            100..200 | 204 | 304 => Reading::Start,
            status => {
                session.upgrade = Upgrade::Refused;
                // What a server says when it refuses is no packet, and "ok" in answer to a POST is none either.
                body(&response.headers, if status == 200 { session.above } else { Above::Unknown })
            }
        }
    } else {
        let Ok((request, _)) = RequestHead::parse(head) else { return Reading::Start };
        session.above = if session.dissects_events { Above::of(&request.target) } else { Above::Unknown };
        if to_websocket(&request.headers) {
            session.upgrade = Upgrade::Asked;
            return Reading::FrameHeader(Vec::new());
        }
        body(&request.headers, session.above)
    }
}
