//! What a WebSocket peer can make us allocate, measured at the allocator: memory follows the bytes that came, never the
//! length that a header declares nor the number of fragments.
//!
//! The counts are of one thread, so the tests do not disturb each other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use netlayers::base::{Instant, Machine as _};
use netlayers::layers::application::websocket::deflate::codec::{Compressor, Decompressor};
use netlayers::layers::application::websocket::{
    CloseCode, Config, Connection, Deflate, Event, Input, Message, Output, Policy,
};
use netlayers::real::websocket::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

/// The system's allocator, counted.
struct Counted;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn count(more: isize) {
    let live = LIVE.get() + more;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    CALLS.set(CALLS.get() + usize::from(more > 0));
}

#[expect(unsafe_code, reason = "only an allocator sees every allocation; this one hands each on as it is")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTED: Counted = Counted;

const KIB: usize = 1 << 10;
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// Runs `work`: the most memory beyond what was there before at any moment of it, the memory that stays, and the
/// number of allocations.
fn measure<T>(work: impl FnOnce() -> T) -> (T, usize, usize, usize) {
    let (before, calls) = (LIVE.get(), CALLS.get());
    PEAK.set(before);
    let result = work();
    let more = |bytes: isize| usize::try_from(bytes - before).unwrap_or(0);
    (result, more(PEAK.get()), more(LIVE.get()), CALLS.get() - calls)
}

fn open(config: Config) -> Connection {
    let mut server = Connection::server(Instant::ZERO, config, Policy::default());
    server.handle(Instant::ZERO, Input::Bytes(format!("{REQUEST}\r\n").into()));
    assert!(matches!(drain(&mut server)[..], [Event::Open(_)]));
    server
}

/// No limit but those that the test sets.
fn unlimited() -> Config {
    Config { max_frame: usize::MAX, max_message: usize::MAX, ..Config::default() }
}

fn drain(server: &mut Connection) -> Vec<Event> {
    let outputs = std::iter::from_fn(|| server.poll(Instant::ZERO));
    outputs
        .filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send(_) | Output::WakeAt(_) | Output::Finished => None,
        })
        .collect()
}

/// Gives the bytes in pieces, as a stream does. The memory of a piece is counted too.
fn feed(server: &mut Connection, bytes: &[u8], size: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for piece in bytes.chunks(size) {
        server.handle(Instant::ZERO, Input::Bytes(Bytes::copy_from_slice(piece)));
        events.extend(drain(server));
    }
    events
}

#[test]
fn a_declared_length_allocates_nothing() {
    for len in [1 << 30, u64::MAX >> 1] {
        let mut server = open(unlimited());
        let header = [&[0x82, 0xff][..], &len.to_be_bytes(), &[0; 4], b"five!"].concat();
        let (events, peak, ..) = measure(|| feed(&mut server, &header, 7));
        assert!(events.is_empty(), "it waits for the rest: {events:?}");
        assert!(peak < KIB, "{peak} bytes for a header that declares {len}");
    }
}

#[test]
fn a_message_of_one_byte_fragments_costs_about_its_payload() {
    const COUNT: usize = 100_000;
    let mut server = open(Config::default());
    let mut stream = vec![0x02, 0x81, 0, 0, 0, 0, b'x'];
    stream.extend([0x00, 0x81, 0, 0, 0, 0, b'x'].repeat(COUNT - 2));
    let (events, peak, live, _) = measure(|| feed(&mut server, &stream, 4 * KIB));
    assert!(events.is_empty());
    // A buffer that grows is at most twice as long as what is in it; while it moves there are two.
    assert!(live <= 2 * COUNT, "{live} bytes for {COUNT} fragments");
    assert!(peak <= 3 * COUNT + 16 * KIB, "{peak} bytes for {COUNT} fragments");
    let events = feed(&mut server, &[0x80, 0x81, 0, 0, 0, 0, b'x'], 7);
    assert!(matches!(&events[..], [Event::Message(Message::Binary(all))] if all.len() == COUNT));
}

#[test]
fn fragments_of_nothing_cost_nothing() {
    let mut server = open(Config::default());
    let stream = [&[0x02, 0x80, 0, 0, 0, 0][..], &[0x00, 0x80, 0, 0, 0, 0].repeat(20_000)].concat();
    let (_, peak, live, _) = measure(|| feed(&mut server, &stream, 4 * KIB));
    // What came last of it, and no more.
    assert!(peak <= 16 * KIB && live <= 8 * KIB, "{peak} bytes, {live} of them stay");
}

#[test]
fn a_bomb_costs_about_the_limit_and_no_more() {
    const LIMIT: usize = 1 << 20;
    let mut bomb = BytesMut::new();
    assert!(Compressor::new(9, 15, false).compress(&vec![0; 16 * LIMIT], &mut bomb));
    let config = Config { deflate: Some(Deflate::default()), max_message: LIMIT, ..Config::default() };
    let mut server = open(config);
    let length = u16::try_from(bomb.len()).map_or_else(
        |_| [&[0xff][..], &(bomb.len() as u64).to_be_bytes()].concat(),
        |len| [&[0xfe][..], &len.to_be_bytes()].concat(),
    );
    let stream = [&[0xc2][..], &length, &[0; 4], &bomb].concat();
    let (events, peak, live, _) = measure(|| feed(&mut server, &stream, 64 * KIB));
    let [Event::Failed(failure)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(failure.code, Some(CloseCode::TOO_BIG));
    // The message so far in a buffer that has just grown, the window, the room to decompress into, the input.
    assert!(peak <= 3 * LIMIT + 256 * KIB, "{peak} bytes for a limit of {LIMIT}");
    assert!(live < 64 * KIB, "{live} bytes stay");
}

#[test]
fn a_message_whose_every_second_byte_ends_a_stream_makes_no_decompressor_each_time() {
    // RFC 7692 §7.2.3.4 allows a block with BFINAL anywhere: this one is empty and two bytes long.
    let payload = [0x03, 0x00].repeat(100_000);
    let mut decompressor = Decompressor::new(false);
    let (done, _, _, calls) = measure(|| decompressor.push(&payload, &mut |_| Ok(())));
    assert_eq!(done, Ok(()));
    assert!(calls < 10, "{calls} allocations");
}

#[test]
fn a_long_list_of_extensions_is_not_kept() {
    let mut server = Connection::server(Instant::ZERO, Config::default(), Policy::default());
    let field = format!("Sec-WebSocket-Extensions: {}\r\n", "a,".repeat(4000));
    let request = format!("{REQUEST}{}\r\n", field.repeat(3)).into_bytes();
    let (_, peak, live, _) = measure(|| feed(&mut server, &request, 64 * KIB));
    assert!(peak < 6 * request.len(), "{peak} bytes for a head of {}", request.len());
    assert!(live < 4 * KIB, "{live} bytes stay");
}

#[test]
fn a_part_of_a_header_does_not_hold_the_buffer_it_came_in() {
    let mut server = open(Config::default());
    let (_, _, live, _) = measure(|| {
        server.inbox().reserve(256 * KIB);
        server.inbox().extend_from_slice(&[0x82]);
        server.handle(Instant::ZERO, Input::Arrived);
        assert!(drain(&mut server).is_empty());
        server.rest();
    });
    assert!(live < KIB, "{live} bytes for one byte");
    // The rest of the frame is understood.
    assert_eq!(feed(&mut server, &[0x81, 0, 0, 0, 0, b'x'], 6).len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_peer_that_pings_and_does_not_read_costs_no_more_than_the_write_buffer() {
    const BUFFER: usize = 16 * KIB;
    let (mut near, far) = duplex(64);
    let greeting = async {
        near.write_all(format!("{REQUEST}\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(near.read_u8().await.unwrap());
        }
    };
    let builder = Builder::new().write_buffer(BUFFER);
    let (server, ()) = tokio::join!(builder.accept(far), greeting);
    let mut server = server.unwrap();
    let before = LIVE.get();
    PEAK.set(before);
    // One ping at a time, so that each is answered by itself. The pipe back is soon full; when so much waits as may,
    // the server reads no more, the pipe to it is full as well, and nothing moves any further.
    let flood = async {
        while near.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let mut flood = std::pin::pin!(flood);
    let mut receiving = std::pin::pin!(server.recv());
    for _ in 0..2 * BUFFER {
        // Both get their turn: no clock decides when this ends.
        tokio::select! {
            biased;
            () = &mut flood => panic!("it is not cut off so soon"),
            end = &mut receiving => panic!("nothing is to be received: {end:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    let peak = usize::try_from(PEAK.get() - before).unwrap();
    assert!(peak > BUFFER / 4, "the test did not fill the buffer: {peak} bytes");
    assert!(peak < 3 * BUFFER + 16 * KIB, "{peak} bytes while {BUFFER} may wait");
}
