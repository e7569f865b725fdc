//! Drives an event client over the kernel's sockets: a WebSocket is opened when the machine asks for a session, Engine.IO
//! runs on it, and its messages go in both directions until it ends.
//!
//! WebSocket at once, for a program on a terminal meets no proxy that knows none; browsers begin with polling.
//!
//! All that was begun is kept here and none of it in a future, so [`EventClient::event`] may be dropped at any await,
//! in a `select!` with the keyboard for one. Commands go to the machine directly, see [`EventClient::with`]; what
//! follows from them happens at the next `event`.
//!
//! Bounds: the machine's own; while more than [`ENOUGH`] bytes wait for the network, the machine waits too.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Sleep;

use super::clock::{Clock, std_duration};
use super::random;
use super::tap::{Tap, Tapped};
use super::websocket::{Builder, ClientStream, Url, WebSocket, WebSocketError};
use crate::base::{Instant, Machine as _};
use crate::chat::client::{Client, Config, Event, Input, Output};
use crate::layers::application::engineio::{self, client as engine};
use crate::layers::application::websocket::{CloseCode, Event as SocketEvent, Keepalive, Message};

/// Bytes that may wait for the network before the machine is to wait.
pub const ENOUGH: usize = 64 << 10;

/// How long a connection may take to close in good order.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(1);

type Dialing = Pin<Box<dyn Future<Output = Result<WebSocket<Tap>, WebSocketError>>>>;

/// An event client on a real network.
pub struct EventClient {
    client: Client,
    url: Url,
    /// The path of the server's endpoint.
    path: String,
    builder: Builder,
    clock: Clock,
    dialing: Option<Dialing>,
    socket: Option<WebSocket<Tap>>,
    /// The session on the WebSocket.
    engine: Option<engineio::Client>,
    /// Former connections that are being closed; each has [`CLOSING`], and tries are further apart than that.
    closing: Vec<Pin<Box<dyn Future<Output = ()>>>>,
    /// When the event client is due next, and when the session is.
    wake_at: [Instant; 2],
    sleep: Option<Pin<Box<Sleep>>>,
    is_full: bool,
    seen: Option<Tapped>,
}

impl EventClient {
    /// A client of the server at `url`, whose endpoint is at `path`. What goes over its connections is copied to `seen`.
    pub fn new(url: Url, path: String, config: Config, seen: Option<Tapped>) -> Self {
        EventClient {
            client: Client::new(config, random::numbers()),
            url,
            path,
            builder: Builder::new(),
            clock: Clock::start(),
            dialing: None,
            socket: None,
            engine: None,
            closing: Vec::new(),
            wake_at: [Instant::NEVER; 2],
            sleep: None,
            is_full: false,
            seen,
        }
    }

    /// Opens its connections as this says: whom to trust, for one. The keepalive is its own.
    #[must_use]
    pub fn builder(self, builder: Builder) -> Self {
        EventClient { builder, ..self }
    }

    /// Gives the machine a command, with the time.
    pub fn with<T>(&mut self, act: impl FnOnce(&mut Client, Instant) -> T) -> T {
        act(&mut self.client, self.clock.now())
    }

    /// The machine.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The stream of the connection, when there is one.
    pub fn stream(&self) -> Option<&ClientStream> {
        self.socket.as_ref().map(|socket| socket.get_ref().stream())
    }

    /// Waits for the next thing that the machine has to tell.
    pub async fn event(&mut self) -> Event {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Leaves the server in good order, or after a second.
    pub async fn finish(mut self) {
        self.client.close();
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
            loop {
                if let Some(output) = self.engine.as_mut().and_then(|engine| engine.poll(now)) {
                    self.session_asks(output);
                } else if let Some(output) = self.client.poll(now) {
                    match output {
                        Output::Dial => self.dialing = Some(self.dial()),
                        // False when the session is over, which the client learns by itself.
                        Output::Send(message) => {
                            let _ = self.engine.as_mut().map(|engine| engine.send(message));
                        }
                        Output::HangUp => self.hang_up(),
                        Output::Event(event) => return Poll::Ready(event),
                        Output::WakeAt(at) => self.wake(0, at),
                    }
                } else {
                    break;
                }
            }
            self.closing.retain_mut(|closing| closing.as_mut().poll(cx).is_pending());
            if self.poll_dialing(cx) || self.poll_socket(cx) || self.poll_room() || self.poll_wake(cx) {
                continue;
            }
            return Poll::Pending;
        }
    }

    /// What the session asks for, and what it has for the client.
    fn session_asks(&mut self, output: engine::Output) {
        let now = self.clock.now();
        match output {
            engine::Output::Send(message) => self.queue(message),
            engine::Output::Open(handshake) => {
                let max_payload = handshake.max_payload;
                self.client.handle(now, Input::Opened { max_payload });
            }
            engine::Output::Message(message) => self.client.handle(now, Input::Message(message)),
            engine::Output::Closed(cause) => {
                self.hang_up();
                self.client.handle(now, Input::ended(cause));
            }
            // Done with the end of the session.
            engine::Output::HangUp => {}
            engine::Output::WakeAt(at) => self.wake(1, at),
        }
    }

    fn queue(&mut self, message: Message) {
        let queued = self.socket.as_mut().map(|socket| socket.queue(message));
        if let Some(Err(error)) = queued {
            self.closed(error.to_string());
        }
    }

    fn wake(&mut self, machine: usize, at: Instant) {
        self.wake_at[machine] = at;
        self.sleep = None;
    }

    /// True when something has happened, as for the others of its kind.
    fn poll_dialing(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(dialing) = &mut self.dialing else { return false };
        let Poll::Ready(opened) = dialing.as_mut().poll(cx) else { return false };
        self.dialing = None;
        match opened {
            Ok(socket) => {
                self.socket = Some(socket);
                self.engine = Some(engineio::Client::new(self.clock.now()));
                self.is_full = false;
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
                let now = self.clock.now();
                if let Some(engine) = &mut self.engine {
                    engine.handle(now, engine::Input::Message(message));
                }
            }
            Ok(Some(SocketEvent::Failed(failure))) => self.closed(failure.to_string()),
            Ok(Some(SocketEvent::Close(_)) | None) => self.closed("the server closed the connection".into()),
            Ok(Some(
                SocketEvent::Open(_) | SocketEvent::Fragment(_) | SocketEvent::Ping(_) | SocketEvent::Pong(_),
            )) => {}
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
        let due = self.wake_at[0].min(self.wake_at[1]);
        if due == Instant::NEVER {
            return false;
        }
        let wait = due.since(self.clock.now());
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(std_duration(wait))));
        if sleep.as_mut().poll(cx).is_pending() {
            return false;
        }
        // Both: one that is woken early says again when it wants to be.
        (self.sleep, self.wake_at) = (None, [Instant::NEVER; 2]);
        let now = self.clock.now();
        self.client.handle(now, Input::Wake);
        self.engine.iter_mut().for_each(|engine| engine.handle(now, engine::Input::Wake));
        true
    }

    fn dial(&self) -> Dialing {
        let (url, seen, target) = (self.url.clone(), self.seen.clone(), engineio::Client::target(&self.path));
        // Engine.IO has a heartbeat of its own; this one is the longer, and never needed.
        let second = crate::base::Duration::from_secs(1);
        let keepalive = Keepalive { idle: second * 120, timeout: second * 60 };
        let builder = self.builder.clone().keepalive(Some(keepalive));
        Box::pin(async move {
            let stream = builder.connect_stream(&url).await?;
            builder.open(Tap::new(stream, seen), &url.authority(), &target).await
        })
    }

    fn closed(&mut self, why: String) {
        (self.socket, self.engine) = (None, None);
        self.wake_at[1] = Instant::NEVER;
        self.client.handle(self.clock.now(), Input::Closed(why.into()));
    }

    fn hang_up(&mut self) {
        self.dialing = None;
        self.wake_at[1] = Instant::NEVER;
        if let Some(mut session) = self.engine.take() {
            // It says that it leaves, unless it was left.
            session.close();
            let now = self.clock.now();
            while let Some(output) = session.poll(now) {
                if let engine::Output::Send(message) = output {
                    // When it finds no room, the connection ends without it.
                    let _ = self.socket.as_mut().map(|socket| socket.queue(message));
                }
            }
        }
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
