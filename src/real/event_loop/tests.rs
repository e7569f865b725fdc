//! A server on real sockets: what receivers get, with one thread and with several, and beyond the budget of memory.

use std::collections::BTreeSet;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::joined::Lot;
use super::writers::Write;
use super::*;
use crate::layers::application::engineio::{Config, Event, Prepared, SessionKey};
use crate::layers::application::websocket::CloseCode;
use crate::real::random;
use crate::real::websocket::{Builder, WebSocket};

/// Says to all others what one says.
struct Everybody {
    sessions: BTreeSet<SessionKey>,
    /// Messages that are still to come.
    left: usize,
    /// What is done at the last of them.
    at_last: Option<oneshot::Sender<()>>,
}

impl Service for Everybody {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        match event {
            Event::Opened { session, .. } => drop(self.sessions.insert(session)),
            Event::Message { message, session } => {
                let prepared = Prepared::new([message]);
                for other in self.sessions.iter().filter(|other| **other != session) {
                    server.send_prepared(now, *other, &prepared);
                }
                self.left -= 1;
                if self.left == 0 {
                    self.at_last.take().map(|stop| stop.send(()));
                }
            }
            Event::Closed { session, .. } => drop(self.sessions.remove(&session)),
            Event::Alive { .. } | Event::Sent { .. } | Event::Request { .. } => {}
        }
    }
}

/// A client that is in. What the kernel keeps for it is little, so that much waits in the server.
async fn client(address: SocketAddr) -> WebSocket<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let stream = socket.connect(address).await.expect("it listens");
    let resource = "/engine.io/?EIO=4&transport=websocket";
    let mut client = Builder::new().open(stream, "localhost", resource).await.expect("it opens");
    let hello = client.recv().await.expect("it lives").expect("a handshake");
    assert!(hello.as_bytes().starts_with(b"0{"), "{hello:?}");
    client
}

/// The number at the front of each of the next messages.
async fn heard(client: &mut WebSocket<TcpStream>, messages: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    while numbers.len() < messages {
        let message = client.recv().await.expect("it lives").expect("it is open");
        let text = std::str::from_utf8(message.as_bytes()).expect("text");
        numbers.push(text[1..5].parse().expect("a number"));
    }
    numbers
}

/// Receivers: more than a stretch, so that other threads have something to do.
const RECEIVERS: usize = 48;

/// One client says `messages` messages of this length to all, and every second receiver reads none before all are said.
/// The server ends when they have been said, or when all have read them. Each receiver has all of them, in order.
async fn all_are_heard(threads: usize, messages: usize, length: usize, ends_at_once: bool) {
    let listener = listen(([127, 0, 0, 1], 0).into()).expect("a port");
    // Those that are accepted have it too.
    SockRef::from(&listener).set_send_buffer_size(4096).expect("a small buffer");
    let address = listener.local_addr().expect("an address");
    let config = Config { endpoints: vec!["/engine.io/".into()], ..Config::default() };
    let server = Server::new(config, random::session_ids());
    let (said, is_said) = oneshot::channel();
    let (stop, is_stopped) = oneshot::channel();
    let service = Everybody { sessions: BTreeSet::new(), left: messages, at_last: Some(said) };
    let share = Share { threads, ..Share::default() };
    let stopped = async { drop(is_stopped.await) };
    let serving = serve_within(share, listener, server, service, Arc::default(), stopped);

    let clients = async move {
        let mut sender = client(address).await;
        let (begin, may_begin) = tokio::sync::watch::channel(false);
        let (read, mut is_read) = tokio::sync::mpsc::channel(RECEIVERS);
        let mut receivers = JoinSet::new();
        for at in 0..RECEIVERS {
            let (mut client, read, mut may_begin) = (client(address).await, read.clone(), may_begin.clone());
            receivers.spawn(async move {
                may_begin.wait_for(|begun| *begun || at % 2 == 0).await.expect("it is said");
                let numbers = heard(&mut client, messages).await;
                read.send(()).await.expect("it is awaited");
                numbers
            });
        }
        for number in 0..messages {
            sender.send(format!("4{number:04}{}", "x".repeat(length))).await.expect("it is open");
        }
        is_said.await.expect("all were said");
        let mut stop = Some(stop);
        if ends_at_once {
            stop.take().map(|stop| stop.send(()));
        }
        begin.send_replace(true);
        for _ in 0..RECEIVERS {
            is_read.recv().await.expect("each reads all");
        }
        stop.map(|stop| stop.send(()));
        receivers.join_all().await
    };
    let (received, ()) = tokio::join!(clients, serving);
    for numbers in received {
        assert!(numbers.into_iter().eq(0..messages), "in order, each once");
    }
}

#[tokio::test]
async fn slow_readers_lose_nothing_and_keep_the_order_with_any_number_of_threads() {
    for threads in [1, 2, 4] {
        // Some 150 KiB each, of which the kernel takes a tenth.
        all_are_heard(threads, 100, 1500, false).await;
    }
}

#[tokio::test]
async fn what_was_said_before_the_end_is_written_with_any_number_of_threads() {
    for threads in [1, 2, 4] {
        all_are_heard(threads, 20, 20, true).await;
    }
}

/// Sends to each what it says, and tells when a session is closed from here.
struct Echo {
    closed: Option<oneshot::Sender<SessionKey>>,
}

impl Service for Echo {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        match event {
            Event::Message { message, session } => drop(server.send(now, session, message)),
            Event::Closed { session, .. } => drop(self.closed.take().map(|closed| closed.send(session))),
            _ => {}
        }
    }
}

#[tokio::test]
async fn beyond_the_budget_who_holds_most_reads_that_it_was_closed_with_1013() {
    let listener = listen(([127, 0, 0, 1], 0).into()).expect("a port");
    SockRef::from(&listener).set_send_buffer_size(4096).expect("a small buffer");
    let address = listener.local_addr().expect("an address");
    let config = Config { endpoints: vec!["/engine.io/".into()], ..Config::default() };
    let server = Server::new(config, random::session_ids());
    let (closed, is_closed) = oneshot::channel();
    let (stop, is_stopped) = oneshot::channel::<()>();
    // The program itself takes more than that: so whatever a client holds is too much.
    let share = Share { memory: Budget { bytes: 1 }, threads: 1 };
    let stopped = async { drop(is_stopped.await) };
    let service = Echo { closed: Some(closed) };
    let serving = serve_within(share, listener, server, service, Arc::default(), stopped);
    let clients = async move {
        let (mut small, large) = (client(address).await, client(address).await);
        // The half that sends does not read, however long it has to wait.
        let (mut says, mut hears) = large.split();
        let saying = tokio::spawn(async move {
            for number in 0..100 {
                if says.send(format!("4{number:04}{}", "x".repeat(10_000))).await.is_err() {
                    break;
                }
            }
        });
        for number in 0..100 {
            small.send(format!("4{number:04}")).await.expect("it is open");
            assert_eq!(heard(&mut small, 1).await, [number], "it holds little, and is left alone");
        }
        is_closed.await.expect("one is");
        let mut messages = 0;
        while let Ok(Some(message)) = hears.recv().await {
            assert_eq!(&message.as_bytes()[1..5], format!("{messages:04}").as_bytes());
            messages += 1;
        }
        let code = hears.close_reason().map(|reason| reason.code);
        assert_eq!(code, Some(CloseCode::TRY_AGAIN_LATER), "after {messages} messages");
        assert!(messages < 100, "what else waited was dropped");
        saying.await.expect("it ends");
        small.send("40100").await.expect("it is open");
        assert_eq!(heard(&mut small, 1).await, [100]);
        drop(stop);
    };
    tokio::join!(clients, serving);
}

#[test]
fn threads_begin_with_work_and_end_with_their_owner() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = listen(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (near, stream) = (near.expect("it listens"), Arc::new(far.expect("it comes").0));
        let back = Arc::new(Notify::new());
        let mut writers = Writers::new(2, back.clone());
        let mut keys = slotmap::SlotMap::<ConnKey, ()>::with_key();
        let mut batch = |bytes: &'static [u8]| {
            let (key, bytes) = (keys.insert(()), Lot::Joined(Bytes::from_static(bytes)));
            vec![Write { key, stream: stream.clone(), bytes, taken: Ok(0) }]
        };
        writers.hand_over(batch(b"hello"));
        let mut done = 0;
        while done == 0 {
            back.notified().await;
            done = writers.back().into_iter().flatten().map(|write| write.taken.expect("it is taken")).sum();
        }
        assert_eq!(done, 5);
        assert!(!writers.is_busy());
        let mut room = [0; 8];
        near.readable().await.expect("it came");
        assert_eq!(near.try_read(&mut room).expect("it came"), 5);
        // They are joined here, whatever is out.
        writers.hand_over(batch(b"bye"));
        assert!(writers.is_busy() && writers.has_room());
    });
}

/// More than tokio's own listener lets wait (1024), and less than Linux allows since 5.4.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crowd_can_wait_to_be_let_in() {
    let listener = listen(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = listener.local_addr().expect("an address");
    let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    let crowd = allowed.trim().parse().unwrap_or(128_usize).min(1500);
    // `accept` is never called: the kernel alone completes these handshakes, or drops what it has no room for.
    let patience = std::time::Duration::from_millis(900);
    let come: Vec<_> =
        (0..crowd).map_while(|_| std::net::TcpStream::connect_timeout(&address, patience).ok()).collect();
    assert_eq!(come.len(), crowd, "each found room in the queue");
}
