//! Drives an Engine.IO server over real sockets: one machine on one thread, as many connections as it has, and other
//! threads that help to write (`event_loop/writers.rs`).
//!
//! Reading: a small task for each connection waits until there is something to read, and reads into a buffer that all
//! share; an idle connection costs no buffer. Writing: what the machine wants written collects in its outboxes, and one
//! task goes round and hands each receiver all that waits for it in one system call. It goes in short stretches, with
//! whatever has come to be read handled between them: what is said while it goes round through a thousand receivers is
//! carried along to all that are still ahead. So the busier the server, the more events each call carries, and calls
//! are what sending costs. Where more than a stretch of receivers wait, other threads write to some of them meanwhile;
//! few of them wait for no other thread.
//!
//! Bounds: a connection with much to be written is not read from until it takes some of it; one that takes nothing is
//! cut off by the machine. All together are kept within a budget of memory (`memory.rs`). A receiver counts as slow only after a write to it was tried: when much has been read in a
//! row, no more is until the round of writing has come to its end. The last bytes of a connection get a second to
//! arrive.

mod joined;
mod writers;
mod writing;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use slotmap::SecondaryMap;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::clock::{Clock, std_duration};
use super::memory::{self, Budget, Tide, Verdict};
use crate::base::{Duration, Instant, Machine as _};
use crate::layers::application::engineio::{ConnKey, Input, Output, Server, Service};
use joined::Joined;
use writers::Writers;
use writing::{flush_whenever, take_back};

/// Listens, with room for a crowd: clients that come faster than they are let in wait in the kernel's queue. One that
/// found no room there would try again after a second (RFC 6298 §2.1), and after three. The process's limit of open
/// files is raised as far as it can be, since each connection is one.
///
/// # Errors
/// What the system reports: most often that another program has the port.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    super::open_files::raise_limit();
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was ended a moment ago may be started again: its old connections do not hold the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Connections that wait to be accepted. The system may allow fewer (on Linux `net.core.somaxconn`, 4096 by default).
const BACKLOG: u32 = 4096;

/// What of the machine a server may take.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// The memory of the whole program.
    pub memory: Budget,
    /// Threads: one that decides, and others that help it to write; at least one.
    pub threads: usize,
}

impl Default for Share {
    /// A quarter of the memory, and as many threads as can run at the same time.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Share { memory: Budget::default(), threads }
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
    serve_within(Share::default(), listener, server, service, bell, stop).await;
}

/// The same with this share of the machine.
pub async fn serve_within(
    share: Share,
    listener: TcpListener,
    server: Server,
    service: impl Service + 'static,
    bell: Arc<Notify>,
    stop: impl Future<Output = ()>,
) {
    let back = Arc::new(Notify::new());
    let shared = Rc::new(Shared {
        clock: Clock::start(),
        core: RefCell::new(Core {
            server,
            service,
            ready: VecDeque::new(),
            unfinished: false,
            ahead: 0,
            joined: Joined::default(),
            writers: Writers::new(share.threads.saturating_sub(1), back.clone()),
            sockets: SecondaryMap::new(),
        }),
        buffer: RefCell::new(vec![0; READ].into()),
        unwritten: Notify::new(),
        rested: Notify::new(),
        caught_up: Notify::new(),
        timer: Notify::new(),
        wake_at: Cell::new(None),
    });
    let local = LocalSet::new();
    local.spawn_local(flush_whenever(shared.clone()));
    local.spawn_local(take_back(shared.clone(), back));
    local.spawn_local(wake_in_time(shared.clone(), bell));
    local.spawn_local(accept(shared.clone(), listener));
    local.spawn_local(watch_memory(shared.clone(), share.memory));
    local.run_until(stop).await;
    local
        .run_until(async {
            shared.with(|core, now| {
                core.server.go_away();
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

/// Bytes read from all connections together since there was nothing to write; then what they have brought about is
/// written first. Each of them may be for any receiver: so far the receivers fall behind at most through no fault of
/// theirs.
const AHEAD: usize = 256 << 10;

/// Events handled in one go. One request may bring thousands: the timers of the others, and what is to be written to
/// them, do not wait for all of them.
const TURN: usize = 256;

struct Shared<S> {
    clock: Clock,
    core: RefCell<Core<S>>,
    buffer: RefCell<Box<[u8]>>,
    /// Rung when `ready` is not empty any more.
    unwritten: Notify,
    /// Rung when it is empty again.
    rested: Notify,
    /// Rung when the service has caught up.
    caught_up: Notify,
    /// Rung when `wake_at` has changed.
    timer: Notify,
    wake_at: Cell<Option<Instant>>,
}

struct Core<S> {
    server: Server,
    service: S,
    /// Connections with bytes to write that have not been tried yet, in the order in which they get their turn.
    ready: VecDeque<ConnKey>,
    /// Events are left that the last turn had no time for. Until they are done nothing is read.
    unfinished: bool,
    /// Bytes read since `ready` was empty.
    ahead: usize,
    joined: Joined,
    writers: Writers,
    sockets: SecondaryMap<ConnKey, Rc<ServedSocket>>,
}

struct ServedSocket {
    key: ConnKey,
    stream: Arc<TcpStream>,
    /// Another thread writes to it.
    lent: Cell<bool>,
    /// The kernel took less than there was.
    blocked: Cell<bool>,
    /// Nothing more can be written.
    failed: Cell<bool>,
    /// The peer sends no more.
    ended: Cell<bool>,
    /// Nothing is read until something was written.
    paused: Cell<bool>,
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
        let was_ready = !core.ready.is_empty();
        let result = act(core, now);
        let mut turn = TURN;
        core.unfinished = false;
        while let Some(output) = core.server.poll(now) {
            match output {
                Output::Event(event) => {
                    core.service.event(now, event, &mut core.server);
                    turn -= 1;
                }
                Output::Ready(key) => core.ready.push_back(key),
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
    fn socket(&self, key: ConnKey) -> Option<Rc<ServedSocket>> {
        self.sockets.get(key).cloned()
    }

    /// Whether all that wanted to be written has been tried.
    fn is_at_rest(&self) -> bool {
        self.ready.is_empty() && !self.writers.is_busy()
    }

    /// Whether what was read has yet to be written.
    fn is_ahead(&self) -> bool {
        self.ahead > AHEAD && !self.is_at_rest()
    }

    fn close(&mut self, key: ConnKey) {
        if let Some(socket) = self.sockets.remove(key) {
            socket.closed.set(true);
            socket.changed.notify_one();
        }
    }
}

impl ServedSocket {
    /// A write was tried: the task that waits for that goes on.
    fn tried(&self, blocked: bool) {
        if (self.blocked.replace(blocked) != blocked) | self.paused.replace(false) {
            self.changed.notify_one();
        }
    }
}

async fn accept<S: Service + 'static>(shared: Rc<Shared<S>>, listener: TcpListener) {
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            // Out of file descriptors, most likely: some will come free.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        // Answers are written whole: waiting to fill segments would only delay them (RFC 9293 §3.7.4).
        let _ = stream.set_nodelay(true);
        let socket = shared.with(|core, now| {
            let key = core.server.connected_from(now, Some(address))?;
            let socket = Rc::new(ServedSocket {
                key,
                stream: Arc::new(stream),
                lent: Cell::new(false),
                blocked: Cell::new(false),
                failed: Cell::new(false),
                ended: Cell::new(false),
                paused: Cell::new(false),
                closed: Cell::new(false),
                changed: Notify::new(),
            });
            core.sockets.insert(key, socket.clone());
            Some(socket)
        });
        if let Some(socket) = socket {
            tokio::task::spawn_local(read(shared.clone(), socket));
        }
    }
}

/// The life of one connection.
async fn read<S: Service>(shared: Rc<Shared<S>>, socket: Rc<ServedSocket>) {
    while !socket.closed.get() {
        let deaf = socket.ended.get() || shared.core.borrow().server.is_busy(socket.key);
        let interest = match (deaf, socket.blocked.get()) {
            (false, false) => Interest::READABLE,
            (false, true) => Interest::READABLE | Interest::WRITABLE,
            (true, true) => Interest::WRITABLE,
            (true, false) if socket.failed.get() => break,
            (true, false) => {
                // Its turn to be written to comes.
                socket.paused.set(true);
                socket.changed.notified().await;
                continue;
            }
        };
        let ready = tokio::select! {
            ready = socket.stream.ready(interest) => ready,
            () = socket.changed.notified() => continue,
        };
        let Ok(ready) = ready else { break };
        if ready.is_writable() && socket.blocked.get() {
            shared.with(|core, _| core.write(socket.key));
        }
        if !ready.is_readable() || deaf {
            continue;
        }
        if shared.core.borrow().unfinished {
            tokio::task::yield_now().await;
            continue;
        }
        if shared.core.borrow().is_ahead() {
            shared.rested.notified().await;
            continue;
        }
        if shared.core.borrow().service.is_behind() {
            shared.caught_up.notified().await;
            continue;
        }
        let buffer = &mut *shared.buffer.borrow_mut();
        match socket.stream.try_read(buffer) {
            Ok(0) => {
                socket.ended.set(true);
                shared.with(|core, now| core.server.handle(now, Input::Eof(socket.key)));
            }
            Ok(len) => shared.with(|core, now| {
                core.ahead += len;
                let bytes = Bytes::copy_from_slice(&buffer[..len]);
                core.server.handle(now, Input::Bytes(socket.key, bytes));
            }),
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
async fn linger(socket: Rc<ServedSocket>) {
    let stream = &socket.stream;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), async {
        let mut sink = [0; 1024];
        let mut left = 4 << 20;
        if SockRef::from(&**stream).shutdown(std::net::Shutdown::Write).is_err() {
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
        if !shared.core.borrow().service.is_behind() {
            shared.caught_up.notify_waiters();
        }
    }
}

/// Keeps the program within its budget, and gives back to the system what it no longer needs.
async fn watch_memory<S: Service>(shared: Rc<Shared<S>>, budget: Budget) {
    let mut tide = Tide::default();
    loop {
        tokio::time::sleep(std_duration(memory::LOOK_EVERY)).await;
        let held = shared.core.borrow().server.held(|_| 0);
        // Where no system says what the program has, what its clients cost is known nevertheless.
        let of_clients = || {
            let Core { server, service, .. } = &*shared.core.borrow();
            server.held(|session| service.held(session)) as u64
        };
        let used = || memory::of_program().unwrap_or_else(of_clients);
        let mut used_now = used();
        if tide.has_gone_out(shared.clock.now(), held, used_now) || budget.is_exceeded(used_now) {
            // What is only kept for the next time is nobody's fault.
            memory::give_back();
            used_now = used();
        }
        shared.with(|core, now| {
            let Core { server, service, .. } = core;
            match budget.judge(used_now) {
                Verdict::Enough => server.relax(),
                Verdict::SlowDown(excess) => server.slow_down(excess, |session| service.held(session)),
                Verdict::Shed(excess) => {
                    server.slow_down(excess, |session| service.held(session));
                    server.shed(now, excess, |session| service.held(session));
                }
            }
            // Those that were read from no more look whether they are again.
            for socket in core.sockets.values().filter(|socket| socket.paused.replace(false)) {
                socket.changed.notify_one();
            }
        });
    }
}

#[cfg(test)]
mod tests;
