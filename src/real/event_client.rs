//! Drives an event client over the kernel's sockets: a WebSocket is opened when the machine asks for one, its messages
//! go in both directions, and its end is reported.
//!
//! All that was begun is kept here and none of it in a future, so [`EventClient::event`] may be dropped at any await,
//! in a `select!` with the keyboard for one. Commands go to the machine directly, see [`EventClient::with`]; what
//! follows from them happens at the next `event`.
//!
//! Bounds: the machine's own; while more than [`ENOUGH`] bytes wait for the network, the machine waits too.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::clock::{Clock, std_duration};
use super::random;
use super::tap::{Tap, Tapped};
use super::websocket::{Builder, Url, WebSocket, WebSocketError};
use crate::base::{Instant, Machine as _};
use crate::chat::client::{Client, Config, Event, Input, Output};
use crate::layers::application::websocket::{CloseCode, Event as SocketEvent, Keepalive};

/// Bytes that may wait for the network before the machine is to wait.
pub const ENOUGH: usize = 64 << 10;

/// How long a connection may take to close in good order.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(1);

type Dialing = Pin<Box<dyn Future<Output = Result<WebSocket<Tap>, WebSocketError>>>>;

/// An event client on a real network.
pub struct EventClient {
    client: Client,
    url: Url,
    clock: Clock,
    dialing: Option<Dialing>,
    socket: Option<WebSocket<Tap>>,
    /// Former connections that are being closed; each has [`CLOSING`], and tries are further apart than that.
    closing: Vec<Pin<Box<dyn Future<Output = ()>>>>,
    wake_at: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    is_full: bool,
    seen: Option<Tapped>,
}

impl EventClient {
    /// A client of the server at `url`. What goes over its connections is copied to `seen`.
    pub fn new(url: Url, config: Config, seen: Option<Tapped>) -> Self {
        EventClient {
            client: Client::new(config, random::numbers()),
            url,
            clock: Clock::start(),
            dialing: None,
            socket: None,
            closing: Vec::new(),
            wake_at: Instant::NEVER,
            sleep: None,
            is_full: false,
            seen,
        }
    }

    /// Gives the machine a command, with the time.
    pub fn with<T>(&mut self, act: impl FnOnce(&mut Client, Instant) -> T) -> T {
        act(&mut self.client, self.clock.now())
    }

    /// The machine.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The TCP connection, when there is one.
    pub fn tcp(&self) -> Option<&TcpStream> {
        self.socket.as_ref().map(|socket| socket.get_ref().tcp())
    }

    /// Waits for the next thing that the machine has to tell.
    pub async fn event(&mut self) -> Event {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Leaves the server in good order, or after a second.
    pub async fn finish(mut self) {
        self.with(Client::close);
        let finished = poll_fn(|cx| {
            // What is reported now has no receiver.
            while self.poll_event(cx).is_ready() {}
            if self.closing.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        });
        let _ = tokio::time::timeout(CLOSING, finished).await;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            let now = self.clock.now();
            while let Some(output) = self.client.poll(now) {
                match output {
                    Output::Dial { target } => self.dialing = Some(self.dial(&target)),
                    Output::Send(message) => {
                        let queued = self.socket.as_mut().map(|socket| socket.queue(message));
                        if let Some(Err(error)) = queued {
                            self.closed(error.to_string());
                        }
                    }
                    Output::HangUp => self.hang_up(),
                    Output::Event(event) => return Poll::Ready(event),
                    Output::WakeAt(at) => {
                        self.wake_at = at;
                        self.sleep = None;
                    }
                }
            }
            self.closing.retain_mut(|closing| closing.as_mut().poll(cx).is_pending());
            if self.poll_dialing(cx) || self.poll_socket(cx) || self.poll_room() || self.poll_wake(cx) {
                continue;
            }
            return Poll::Pending;
        }
    }

    /// True when something has happened, as for the others of its kind.
    fn poll_dialing(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(dialing) = &mut self.dialing else { return false };
        let Poll::Ready(opened) = dialing.as_mut().poll(cx) else { return false };
        self.dialing = None;
        match opened {
            Ok(socket) => {
                self.socket = Some(socket);
                self.is_full = false;
                self.client.handle(self.clock.now(), Input::Opened);
            }
            Err(error) => self.closed(error.to_string()),
        }
        true
    }

    fn poll_socket(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(socket) = &mut self.socket else { return false };
        let Poll::Ready(happened) = std::pin::pin!(socket.event()).poll(cx) else { return false };
        match happened {
            Ok(Some(SocketEvent::Message(message))) => {
                self.client.handle(self.clock.now(), Input::Message(message));
            }
            Ok(Some(SocketEvent::Failed(failure))) => self.closed(failure.to_string()),
            Ok(Some(SocketEvent::Close(_)) | None) => self.closed("the server closed the connection".into()),
            Ok(Some(SocketEvent::Open(_) | SocketEvent::Ping(_) | SocketEvent::Pong(_))) => {}
            Err(error) => self.closed(error.to_string()),
        }
        true
    }

    /// Reports to the machine when the network takes no more, and when it does again.
    fn poll_room(&mut self) -> bool {
        let Some(socket) = &self.socket else { return false };
        let waiting = socket.waiting();
        let full = if self.is_full { waiting > 0 } else { waiting > ENOUGH };
        if full == self.is_full {
            return false;
        }
        self.is_full = full;
        self.client.handle(self.clock.now(), if full { Input::Full } else { Input::Room });
        true
    }

    fn poll_wake(&mut self, cx: &mut Context<'_>) -> bool {
        if self.wake_at == Instant::NEVER {
            return false;
        }
        let wait = self.wake_at.since(self.clock.now());
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(std_duration(wait))));
        if sleep.as_mut().poll(cx).is_pending() {
            return false;
        }
        (self.sleep, self.wake_at) = (None, Instant::NEVER);
        self.client.handle(self.clock.now(), Input::Wake);
        true
    }

    fn dial(&self, target: &str) -> Dialing {
        let (url, seen, target) = (self.url.clone(), self.seen.clone(), target.to_owned());
        Box::pin(async move {
            let step = "connecting";
            let stream = TcpStream::connect((url.host.as_str(), url.port))
                .await
                .map_err(|source| WebSocketError::Io { step, source })?;
            // Messages are written whole: waiting to fill segments would only delay them (RFC 9293 §3.7.4).
            let _ = stream.set_nodelay(true);
            // Engine.IO has a heartbeat of its own; this one is the longer, and never needed.
            let second = crate::base::Duration::from_secs(1);
            let keepalive = Keepalive { idle: second * 120, timeout: second * 60 };
            let builder = Builder::new().keepalive(Some(keepalive));
            builder.open(Tap::new(stream, seen), &url.authority(), &target).await
        })
    }

    fn closed(&mut self, why: String) {
        self.socket = None;
        self.client.handle(self.clock.now(), Input::Closed(why.into()));
    }

    fn hang_up(&mut self) {
        self.dialing = None;
        let Some(mut socket) = self.socket.take() else { return };
        self.closing.push(Box::pin(async move {
            // However it ends: its result is not awaited.
            let _ = tokio::time::timeout(CLOSING, socket.close(CloseCode::NORMAL)).await;
        }));
    }
}

impl std::fmt::Debug for EventClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventClient")
            .field("url", &self.url)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
