//! A WebSocket connection in either role, from the opening handshake on or already open: any bytes, cut anywhere. The
//! user above must be told the same however they are cut.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::base::{Instant, Machine as _};
use netlayers::layers::application::http::Headers;
use netlayers::layers::application::http::ResponseHead;
use netlayers::layers::application::websocket::handshake::accept_key;
use netlayers::layers::application::websocket::{
    Config, Connection, Event, Input, Output, Policy, Request, Role,
};

#[derive(Debug, Arbitrary)]
struct Story<'a> {
    client: bool,
    /// Whether the peer's handshake is right and comes before the bytes.
    open: bool,
    cuts: Vec<u8>,
    eof: bool,
    bytes: &'a [u8],
}

const MOST_OUTPUTS: usize = 100_000;

fuzz_target!(|story: Story<'_>| {
    let role = if story.client { Role::Client } else { Role::Server };
    let request = Request::new("example.org", "/", [7; 16]);
    let mut stream = Vec::new();
    if story.open {
        let head = match role {
            Role::Client => response(&request),
            Role::Server => request.head(&[]).emit().expect("our own request"),
        };
        stream.extend_from_slice(&head);
    }
    stream.extend_from_slice(story.bytes);
    let whole = told(role, &request, &stream, &[], story.eof);
    let cut = told(role, &request, &stream, &story.cuts, story.eof);
    assert_eq!(whole, cut);
});

/// What the user above is told when `stream` comes in pieces of these lengths.
fn told(role: Role, request: &Request, stream: &[u8], cuts: &[u8], eof: bool) -> Vec<Event> {
    let config = Config { max_frame: 4096, max_message: 8192, ..Config::default() };
    let now = Instant::ZERO;
    let mut connection = match role {
        Role::Server => Connection::server(now, config, Policy::default()),
        Role::Client => Connection::client(now, config, request.clone(), Box::new(|| Some([1, 2, 3, 4])))
            .expect("our own request"),
    };
    let mut events = Vec::new();
    drain(&mut connection, &mut events);
    let (mut rest, mut cuts) = (stream, cuts.iter());
    while !rest.is_empty() {
        let cut = cuts.next().map_or(rest.len(), |cut| usize::from(*cut).min(rest.len()));
        let (piece, behind) = rest.split_at(cut);
        connection.handle(now, Input::Bytes(Bytes::copy_from_slice(piece)));
        drain(&mut connection, &mut events);
        rest = behind;
    }
    if eof {
        connection.handle(now, Input::Eof);
        drain(&mut connection, &mut events);
    }
    events
}

fn drain(connection: &mut Connection, events: &mut Vec<Event>) {
    for _ in 0..MOST_OUTPUTS {
        match connection.poll(Instant::ZERO) {
            None => return,
            Some(Output::Event(event)) => events.push(event),
            Some(_) => {}
        }
    }
    panic!("one input led to more than {MOST_OUTPUTS} outputs");
}

/// The answer that a server must give to our request.
fn response(request: &Request) -> Bytes {
    let key = request.head(&[]).headers.get("Sec-WebSocket-Key").map(accept_key).expect("our own key");
    let headers = Headers::new()
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
        .with("Sec-WebSocket-Accept", key);
    ResponseHead::new(101, headers).emit().expect("a response of ours")
}
