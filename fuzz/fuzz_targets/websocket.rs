//! A WebSocket connection in either role, from the opening handshake on or already open, with compression or without:
//! any bytes, cut anywhere, while the user above sends and time passes. The user must be told the same, and the peer be
//! sent the same frames, however the bytes are cut and whichever way they come in.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::base::{Duration, Instant, Machine as _};
use netlayers::layers::application::http::Headers;
use netlayers::layers::application::http::ResponseHead;
use netlayers::layers::application::websocket::handshake::accept_key;
use netlayers::layers::application::websocket::{
    CloseCode, CloseReason, Config, Connection, Deflate, Event, Input, Keepalive, MessageKind, Output,
    Policy, Request, Role, Step,
};

#[derive(Debug, Arbitrary)]
struct Story<'a> {
    client: bool,
    /// Whether the peer's handshake is right and comes before the bytes.
    open: bool,
    /// Whether compression is agreed on, and whether windows are taken over.
    deflate: Option<bool>,
    cuts: Vec<u8>,
    parts: Vec<Part<'a>>,
    eof: bool,
}

/// What happens next. The cuts are made inside the bytes, and all that belongs to them is done before the next part.
#[derive(Debug, Arbitrary)]
enum Part<'a> {
    Bytes(&'a [u8]),
    Send(&'a [u8]),
    Fragment {
        bytes: &'a [u8],
        last: bool,
    },
    Ping(&'a [u8]),
    Close(u16),
    /// So many tenths of a second go by, and the connection is woken if it wants to be.
    Time(u8),
    Rest,
}

/// How the bytes come in.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// Whole.
    Whole,
    /// In pieces of these lengths, put into the inbox when the length is odd.
    Cut(&'a [u8]),
}

/// What has come of it: what the user was told, and all bytes that were sent.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    events: Vec<Event>,
    sent: Vec<u8>,
    wake_at: Option<Instant>,
    finished: bool,
}

const MOST_OUTPUTS: usize = 100_000;
const MAX_MESSAGE: usize = 8192;

fuzz_target!(|story: Story<'_>| {
    let whole = outcome(&story, Way::Whole);
    let cut = outcome(&story, Way::Cut(&story.cuts));
    assert_eq!(whole, cut);
});

fn outcome(story: &Story<'_>, way: Way<'_>) -> Outcome {
    let config = Config {
        max_frame: 4096,
        max_message: MAX_MESSAGE,
        deflate: story.deflate.map(|takeover| Deflate {
            server_context_takeover: takeover,
            client_context_takeover: takeover,
            min_len: 0,
            ..Deflate::default()
        }),
        keepalive: Some(Keepalive::default()),
        // A head in many pieces is cut off on purpose.
        head_pieces: usize::MAX,
        ..Config::default()
    };
    let request = Request::new("example.org", "/", [7; 16]);
    let extensions = story.deflate.map(|takeover| match takeover {
        true => "permessage-deflate; client_max_window_bits=15",
        false => "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    });
    let mut now = Instant::ZERO;
    let mut end = match story.client {
        false => Connection::server(now, config, Policy::default()),
        true => Connection::client(now, config, request.clone(), Box::new(|| Some([1, 2, 3, 4])))
            .expect("our own request"),
    };
    let mut outcome = Outcome::default();
    drain(&mut end, now, &mut outcome);
    let mut cuts = match way {
        Way::Whole => [].iter(),
        Way::Cut(cuts) => cuts.iter(),
    };
    if story.open {
        let head = match end.role() {
            Role::Client => response(&request, extensions),
            Role::Server => {
                let mut head = request.head(&[]);
                head.headers =
                    extensions.into_iter().fold(head.headers, |headers, value| headers.with(FIELD, value));
                head.emit().expect("our own request")
            }
        };
        feed(&mut end, now, &head, &mut cuts, &mut outcome);
    }
    for part in &story.parts {
        // Whatever is refused is refused in the same way both times, or the outcomes differ.
        match part {
            Part::Bytes(bytes) => feed(&mut end, now, bytes, &mut cuts, &mut outcome),
            Part::Send(bytes) => drop(end.send_binary(bytes.to_vec())),
            Part::Fragment { bytes, last } => {
                drop(end.send_fragment(MessageKind::Binary, bytes.to_vec(), *last))
            }
            Part::Ping(bytes) => drop(end.ping(bytes.to_vec())),
            Part::Close(code) => drop(end.close(now, &CloseReason::new(CloseCode(*code), ""))),
            Part::Time(tenths) => {
                now += Duration::from_millis(u64::from(*tenths) * 100);
                if outcome.wake_at.take_if(|at| *at <= now).is_some() {
                    end.handle(now, Input::Wake);
                }
            }
            Part::Rest => drop(end.rest()),
        }
        drain(&mut end, now, &mut outcome);
    }
    if story.eof {
        end.handle(now, Input::Eof);
        drain(&mut end, now, &mut outcome);
    }
    outcome
}

fn feed(
    end: &mut Connection,
    now: Instant,
    bytes: &[u8],
    cuts: &mut std::slice::Iter<'_, u8>,
    outcome: &mut Outcome,
) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let cut = cuts.next().copied();
        let (piece, behind) =
            rest.split_at(cut.map_or(rest.len(), |cut| usize::from(cut).clamp(1, rest.len())));
        if cut.is_some_and(|cut| cut % 2 == 1) {
            end.inbox().extend_from_slice(piece);
            end.handle(now, Input::Arrived);
        } else {
            end.handle(now, Input::Bytes(Bytes::copy_from_slice(piece)));
        }
        drain(end, now, outcome);
        rest = behind;
    }
}

fn drain(end: &mut Connection, now: Instant, outcome: &mut Outcome) {
    for _ in 0..MOST_OUTPUTS {
        match end.step(now) {
            Step::Idle => return,
            Step::Inflated(bytes) => {
                assert!(bytes < 3 * MAX_MESSAGE + (64 << 10), "much more than a message")
            }
            Step::Output(Output::Event(event)) => outcome.events.push(event),
            Step::Output(Output::Send(bytes)) => outcome.sent.extend_from_slice(&bytes),
            Step::Output(Output::WakeAt(at)) => outcome.wake_at = Some(at),
            Step::Output(Output::Finished) => {
                assert!(!std::mem::replace(&mut outcome.finished, true), "the last output comes once");
            }
        }
    }
    panic!("one input led to more than {MOST_OUTPUTS} outputs");
}

const FIELD: &str = "Sec-WebSocket-Extensions";

/// The answer that a server must give to our request.
fn response(request: &Request, extensions: Option<&str>) -> Bytes {
    let key = request.head(&[]).headers.get("Sec-WebSocket-Key").map(accept_key).expect("our own key");
    let headers = Headers::new()
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
        .with("Sec-WebSocket-Accept", key);
    let headers = extensions.into_iter().fold(headers, |headers, value| headers.with(FIELD, value));
    ResponseHead::new(101, headers).emit().expect("a response of ours")
}
