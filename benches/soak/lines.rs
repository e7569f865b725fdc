//! The TCP connections of one session: what its client wishes is done with them, and what happens to them is told, or
//! lost, as a fault will have it.
//!
//! Nothing that was begun lies in a future, so [`Lines::happening`] may be dropped at any await. What waits to be
//! written is bounded by what a client says in the time after which it takes its server for dead.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use netlayers::base::Rng;
use netlayers::layers::application::engineio::poller::{CarrierInput as Input, Line};
use tokio::net::{TcpSocket, TcpStream};

use super::faults::Ambush;
use netlayers::chat::soak::Wish;

pub(crate) struct Lines {
    address: SocketAddr,
    slow_reader: bool,
    open: BTreeMap<Line, Tcp>,
    /// Closed by the client, and not written yet.
    leaving: Vec<(TcpStream, BytesMut)>,
    /// What has happened, and was not told.
    told_next: VecDeque<Input>,
    ambush: Option<Ambush>,
    /// Nothing is read.
    pub(crate) is_frozen: bool,
    /// Nothing is read from the WebSocket, and it is not even known to stand.
    pub(crate) holds_socket: bool,
    rng: Rng,
}

type Dialing = Pin<Box<dyn Future<Output = Option<TcpStream>>>>;

struct Tcp {
    state: State,
    out: BytesMut,
}

enum State {
    Dialing(Dialing),
    Open(TcpStream),
}

impl Lines {
    pub(crate) fn new(address: SocketAddr, slow_reader: bool, rng: Rng) -> Self {
        Lines {
            address,
            slow_reader,
            open: BTreeMap::new(),
            leaving: Vec::new(),
            told_next: VecDeque::new(),
            ambush: None,
            is_frozen: false,
            holds_socket: false,
            rng,
        }
    }

    /// Does what the client wishes; gives the ambush that was sprung by it.
    pub(crate) fn grant(&mut self, wish: Wish) -> Option<Ambush> {
        match wish {
            Wish::Connect(line) => {
                let dialing = Box::pin(dial(self.address, self.slow_reader));
                self.open.insert(line, Tcp { state: State::Dialing(dialing), out: BytesMut::new() });
            }
            Wish::Write(line, bytes) => {
                let tcp = self.open.get_mut(&line)?;
                tcp.out.extend_from_slice(&bytes);
                if line == Line::Post && self.ambush == Some(Ambush::TearPost) {
                    let part = self.rng.below(bytes.len() as u64) as usize;
                    self.tear(line, part);
                    self.told_next.push_back(Input::Gone(line));
                    return self.ambush.take();
                }
            }
            Wish::Close(line) => {
                if let Some(Tcp { state: State::Open(stream), out }) = self.open.remove(&line) {
                    self.leaving.push((stream, out));
                }
            }
        }
        None
    }

    /// Lies in wait.
    pub(crate) fn lay(&mut self, ambush: Option<Ambush>) {
        self.ambush = ambush;
    }

    /// Ends a line by a reset, after a part of what waits on it.
    pub(crate) fn tear(&mut self, line: Line, part: usize) {
        if let Some(Tcp { state: State::Open(stream), out }) = self.open.remove(&line) {
            let _ = stream.try_write(&out[..part.min(out.len())]);
            reset(&stream);
        }
    }

    /// Ends a line without a word, after what waits on it.
    pub(crate) fn end(&mut self, line: Line) {
        self.grant(Wish::Close(line));
    }

    /// Ends all lines by a reset, after a half of what waits on each.
    pub(crate) fn tear_all(&mut self) {
        for line in [Line::Poll, Line::Post, Line::Socket] {
            let half = self.open.get(&line).map_or(0, |tcp| tcp.out.len() / 2);
            self.tear(line, half);
        }
    }

    /// Waits for the next thing that happens to them, and the ambush that was sprung by it.
    pub(crate) async fn happening(&mut self) -> (Input, Option<Ambush>) {
        poll_fn(|cx| self.poll_happening(cx)).await
    }

    fn poll_happening(&mut self, cx: &mut Context<'_>) -> Poll<(Input, Option<Ambush>)> {
        self.leaving.retain_mut(|(stream, out)| write(stream, out, cx).is_pending());
        if let Some(input) = self.told_next.pop_front() {
            return Poll::Ready((input, None));
        }
        for line in [Line::Poll, Line::Post, Line::Socket] {
            let is_held = self.is_frozen || (line == Line::Socket && self.holds_socket);
            let Some(tcp) = self.open.get_mut(&line) else { continue };
            let Poll::Ready(input) = tcp.poll(line, is_held, cx) else { continue };
            if input == Input::Gone(line) {
                self.open.remove(&line);
            }
            return Poll::Ready(self.spring(input));
        }
        Poll::Pending
    }

    /// What the client hears of it.
    fn spring(&mut self, input: Input) -> (Input, Option<Ambush>) {
        match (input, self.ambush) {
            (Input::Bytes(Line::Post, _), Some(Ambush::LoseAnswer)) => {
                self.tear(Line::Post, 0);
                (Input::Gone(Line::Post), self.ambush.take())
            }
            (Input::Bytes(Line::Poll, bytes), Some(Ambush::TearGet)) => {
                self.tear(Line::Poll, 0);
                self.told_next.push_back(Input::Gone(Line::Poll));
                let part = self.rng.below(bytes.len() as u64) as usize;
                (Input::Bytes(Line::Poll, bytes.slice(..part)), self.ambush.take())
            }
            (input, _) => (input, None),
        }
    }
}

impl Tcp {
    fn poll(&mut self, line: Line, is_held: bool, cx: &mut Context<'_>) -> Poll<Input> {
        let stream = match &mut self.state {
            State::Dialing(_) if is_held => return Poll::Pending,
            State::Dialing(dialing) => {
                return Poll::Ready(match ready!(dialing.as_mut().poll(cx)) {
                    Some(stream) => {
                        self.state = State::Open(stream);
                        Input::Connected(line)
                    }
                    None => Input::Gone(line),
                });
            }
            State::Open(stream) => stream,
        };
        if matches!(write(stream, &mut self.out, cx), Poll::Ready(false)) {
            return Poll::Ready(Input::Gone(line));
        }
        if is_held {
            return Poll::Pending;
        }
        let mut buffer = BytesMut::zeroed(16 << 10);
        loop {
            if ready!(stream.poll_read_ready(cx)).is_err() {
                return Poll::Ready(Input::Gone(line));
            }
            return Poll::Ready(match stream.try_read(&mut buffer) {
                Ok(0) => Input::Gone(line),
                Ok(len) => Input::Bytes(line, Bytes::copy_from_slice(&buffer[..len])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(_) => Input::Gone(line),
            });
        }
    }
}

/// Writes what waits: true when all is written, false when nothing can be any more.
fn write(stream: &TcpStream, out: &mut BytesMut, cx: &mut Context<'_>) -> Poll<bool> {
    while !out.is_empty() {
        if ready!(stream.poll_write_ready(cx)).is_err() {
            return Poll::Ready(false);
        }
        match stream.try_write(out) {
            Ok(len) => out.advance(len),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Poll::Ready(false),
        }
    }
    Poll::Ready(true)
}

pub(crate) async fn dial(address: SocketAddr, slow_reader: bool) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    if slow_reader {
        socket.set_recv_buffer_size(4096).ok()?;
    }
    let connecting = tokio::time::timeout(Duration::from_secs(10), socket.connect(address));
    let stream = connecting.await.ok()?.ok()?;
    let _ = stream.set_nodelay(true);
    // While the server is down, loopback may connect a socket to itself (RFC 9293 §3.5, simultaneous open).
    (stream.local_addr().ok()? != address).then_some(stream)
}

/// With no time to linger, closing a socket resets its connection (RFC 9293 §3.10.4, ABORT).
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
