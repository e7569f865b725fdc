//! Drives an Engine.IO server over real sockets: one thread, one machine, as many connections as it has.
//!
//! Reading: a small task for each connection waits until there is something to read, and reads into a buffer that all
//! share; an idle connection costs no buffer. Writing: what the machine wants written collects in its outboxes while
//! everything that is ready is handled, then each receiver gets all that waits for it in one system call. No message
//! crosses a thread or a channel on its way.
//!
//! Bounds: a connection with much to be written is not read from until it takes some of it; one that takes nothing is
//! cut off by the machine. The last bytes of a connection get a second to arrive.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::clock::{Clock, std_duration};
use crate::base::{Duration, Instant};
use crate::chat::Gateway;
use crate::layers::application::engineio::{ConnKey, Event, Input, Output, Server};

/// What stands above Engine.IO: it hears of sessions and messages, and answers through the server it is given.
pub trait Service {
    /// Something has happened.
    fn event(&mut self, now: Instant, event: Event, server: &mut Server);

    /// The time it asked for has come, or its [`Notify`] was rung.
    fn wake(&mut self, now: Instant, server: &mut Server);

    /// The server is about to end: the last chance to say something.
    fn stop(&mut self, now: Instant, server: &mut Server);

    /// When it wants to be woken.
    fn due(&self) -> Option<Instant>;
}

/// A Socket.IO server, whose two machines are joined without a socket already.
impl Service for Gateway {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        Gateway::event(self, now, event, server);
    }

    fn wake(&mut self, now: Instant, server: &mut Server) {
        Gateway::wake(self, now, server);
    }

    fn stop(&mut self, now: Instant, server: &mut Server) {
        Gateway::stop(self, now, server);
    }

    fn due(&self) -> Option<Instant> {
        Gateway::due(self)
    }
}

/// Serves until `stop` is ready, then says goodbye to everybody.
///
/// `bell` wakes the service from outside, from a thread that writes to a disk for one.
pub async fn serve(
    listener: TcpListener,
    server: Server,
    service: impl Service + 'static,
    bell: Arc<Notify>,
    stop: impl Future<Output = ()>,
) {
    let shared = Rc::new(Shared {
        clock: Clock::start(),
        core: RefCell::new(Core {
            server,
            service,
            ready: Vec::new(),
            unfinished: false,
            sockets: Vec::new(),
        }),
        buffer: RefCell::new(vec![0; READ].into()),
        unwritten: Notify::new(),
        timer: Notify::new(),
        wake_at: Cell::new(None),
    });
    let local = LocalSet::new();
    local.spawn_local(flush_whenever(shared.clone()));
    local.spawn_local(wake_in_time(shared.clone(), bell));
    local.spawn_local(accept(shared.clone(), listener));
    local.run_until(stop).await;
    local
        .run_until(async {
            shared.with(|core, now| {
                core.service.stop(now, &mut core.server);
                core.server.shut_down(now);
            });
            // Until everybody has the last bytes, or half a second.
            for _ in 0..50 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                if shared.core.borrow().server.connections() == 0 {
                    return;
                }
            }
        })
        .await;
}

/// Bytes read at a time.
const READ: usize = 64 << 10;

/// A connection with more than this to be written is not read from.
const ENOUGH: usize = 256 << 10;

/// Events handled in one go. One request may bring thousands: the timers of the others, and what is to be written to
/// them, do not wait for all of them.
const TURN: usize = 256;

/// Pieces handed to the kernel in one call, which takes 1024 at most.
const PIECES: usize = 64;

struct Shared<S> {
    clock: Clock,
    core: RefCell<Core<S>>,
    buffer: RefCell<Box<[u8]>>,
    /// Rung when `ready` is not empty any more.
    unwritten: Notify,
    /// Rung when `wake_at` has changed.
    timer: Notify,
    wake_at: Cell<Option<Instant>>,
}

struct Core<S> {
    server: Server,
    service: S,
    /// Connections with bytes to write that have not been tried yet.
    ready: Vec<ConnKey>,
    /// Events are left that the last turn had no time for. Until they are done nothing is read.
    unfinished: bool,
    /// By the place that a key names.
    sockets: Vec<Option<Rc<Socket>>>,
}

struct Socket {
    key: ConnKey,
    stream: TcpStream,
    /// The kernel took less than there was.
    blocked: Cell<bool>,
    /// Too much is to be written for reading to go on.
    full: Cell<bool>,
    /// The machine is done with it.
    closed: Cell<bool>,
    /// Rung when one of these has changed.
    changed: Notify,
}

impl<S: Service> Shared<S> {
    /// Does something with the machine, then everything that follows from it.
    fn with<T>(&self, act: impl FnOnce(&mut Core<S>, Instant) -> T) -> T {
        let now = self.clock.now();
        let core = &mut *self.core.borrow_mut();
        let result = act(core, now);
        let was_ready = !core.ready.is_empty();
        let mut turn = TURN;
        core.unfinished = false;
        while let Some(output) = core.server.poll(now) {
            match output {
                Output::Event(event) => {
                    core.service.event(now, event, &mut core.server);
                    turn -= 1;
                }
                Output::Ready(key) => core.ready.push(key),
                Output::Close(key) => core.close(key),
                // Asked for below, with the service's own.
                Output::WakeAt(_) => {}
            }
            if turn == 0 {
                core.unfinished = true;
                break;
            }
        }
        if core.unfinished || (!was_ready && !core.ready.is_empty()) {
            self.unwritten.notify_one();
        }
        let due = core.server.due().into_iter().chain(core.service.due()).min();
        if self.wake_at.replace(due) != due {
            self.timer.notify_one();
        }
        result
    }
}

impl<S> Core<S> {
    fn socket(&self, key: ConnKey) -> Option<Rc<Socket>> {
        self.sockets.get(place(key))?.clone().filter(|socket| socket.key == key)
    }

    fn close(&mut self, key: ConnKey) {
        if let Some(socket) = self.socket(key) {
            socket.closed.set(true);
            socket.changed.notify_one();
            self.sockets[place(key)] = None;
        }
    }

    /// Gives the kernel what waits for a connection.
    fn write(&mut self, key: ConnKey) {
        let Some(socket) = self.socket(key) else { return };
        loop {
            let Some(outbox) = self.server.outbox(key) else { return };
            let (waiting, mut slices, mut count) = (outbox.len(), [IoSlice::new(&[]); PIECES], 0);
            for (slice, piece) in slices.iter_mut().zip(outbox.pieces()) {
                *slice = IoSlice::new(piece);
                count += 1;
            }
            if count == 0 {
                break;
            }
            match socket.stream.try_write_vectored(&slices[..count]) {
                Ok(written) => self.server.written(key, written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let full = waiting > ENOUGH;
                    if !socket.blocked.replace(true) || socket.full.replace(full) != full {
                        socket.changed.notify_one();
                    }
                    return;
                }
                // The reading side learns of it too.
                Err(_) => return,
            }
        }
        if socket.blocked.replace(false) | socket.full.replace(false) {
            socket.changed.notify_one();
        }
    }
}

/// The place that a key names: see the machine's table.
fn place(key: ConnKey) -> usize {
    key.0 as u32 as usize
}

async fn accept<S: Service + 'static>(shared: Rc<Shared<S>>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some will come free.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        // Answers are written whole: waiting to fill segments would only delay them (RFC 9293 §3.7.4).
        let _ = stream.set_nodelay(true);
        let socket = shared.with(|core, now| {
            let key = core.server.connected(now)?;
            let socket = Rc::new(Socket {
                key,
                stream,
                blocked: Cell::new(false),
                full: Cell::new(false),
                closed: Cell::new(false),
                changed: Notify::new(),
            });
            if core.sockets.len() <= place(key) {
                core.sockets.resize(place(key) + 1, None);
            }
            core.sockets[place(key)] = Some(socket.clone());
            Some(socket)
        });
        if let Some(socket) = socket {
            tokio::task::spawn_local(read(shared.clone(), socket));
        }
    }
}

/// The life of one connection.
async fn read<S: Service>(shared: Rc<Shared<S>>, socket: Rc<Socket>) {
    while !socket.closed.get() {
        let interest = match (socket.full.get(), socket.blocked.get()) {
            (false, false) => Interest::READABLE,
            (false, true) => Interest::READABLE | Interest::WRITABLE,
            (true, _) => Interest::WRITABLE,
        };
        let ready = tokio::select! {
            ready = socket.stream.ready(interest) => ready,
            () = socket.changed.notified() => continue,
        };
        let Ok(ready) = ready else { break };
        if ready.is_writable() && socket.blocked.get() {
            shared.with(|core, _| core.write(socket.key));
        }
        if !ready.is_readable() || socket.full.get() {
            continue;
        }
        if shared.core.borrow().unfinished {
            tokio::task::yield_now().await;
            continue;
        }
        let buffer = &mut *shared.buffer.borrow_mut();
        match socket.stream.try_read(buffer) {
            Ok(0) => break,
            Ok(len) => {
                shared.with(|core, now| core.server.handle(now, Input::Bytes(socket.key, &buffer[..len])));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    if socket.closed.get() {
        linger(socket).await;
    } else {
        shared.with(|core, now| {
            core.server.handle(now, Input::Gone(socket.key));
            core.close(socket.key);
        });
    }
}

/// Closing a socket with unread bytes in it would reset the connection, and the peer might lose our last words
/// (RFC 9112 §9.6): our half is closed first, and what still comes is read for a second.
async fn linger(socket: Rc<Socket>) {
    let Ok(socket) = Rc::try_unwrap(socket) else { return };
    let mut stream = socket.stream;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), async {
        let mut sink = [0; 1024];
        let mut left = 4 << 20;
        if stream.shutdown().await.is_err() {
            return;
        }
        while left > 0 && stream.readable().await.is_ok() {
            match stream.try_read(&mut sink) {
                Ok(0) => return,
                Ok(len) => left -= len.min(left),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    })
    .await;
}

/// Writes what waits, after everything that is ready has been handled: other tasks run first.
async fn flush_whenever<S: Service>(shared: Rc<Shared<S>>) {
    loop {
        shared.unwritten.notified().await;
        let ready = std::mem::take(&mut shared.core.borrow_mut().ready);
        shared.with(|core, _| ready.into_iter().for_each(|key| core.write(key)));
        // Also after a turn that left something undone: the others come first.
        tokio::task::yield_now().await;
    }
}

async fn wake_in_time<S: Service>(shared: Rc<Shared<S>>, bell: Arc<Notify>) {
    loop {
        let wait = shared.wake_at.get().map(|at| at.since(shared.clock.now()));
        let sleep = tokio::time::sleep(std_duration(wait.unwrap_or(Duration::from_secs(3600))));
        tokio::select! {
            () = sleep => {}
            () = shared.timer.notified() => continue,
            () = bell.notified() => {}
        }
        shared.with(|core, now| {
            core.server.handle(now, Input::Wake);
            core.service.wake(now, &mut core.server);
        });
    }
}
