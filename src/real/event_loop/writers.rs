//! Threads that help to write. Where thousands receive an event, the calls to the kernel cost more than all that the
//! machine decides, and need nothing of it.
//!
//! The loop's own thread decides alone, and in order. It hands over *batches*, what waits for a few dozen connections,
//! as long as fewer than a few are out, and writes what is left itself. So all threads have something to do, and none
//! has a long queue.
//!
//! A connection is in one batch at a time, so its bytes keep their order. They stay in its outbox until a thread
//! has said how many of them the kernel took: nothing is lost on the way, and who counts what waits counts them too.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::joined::Lot;
use crate::layers::application::engineio::ConnKey;

/// What waits for a connection, and then what became of it.
pub(super) struct Write {
    pub(super) key: ConnKey,
    pub(super) stream: Arc<TcpStream>,
    pub(super) bytes: Lot,
    /// How many bytes the kernel took. The thread says it.
    pub(super) taken: io::Result<usize>,
}

/// The threads, which begin when there is something to do for the first time.
pub(super) struct Writers {
    /// How many there may be.
    most: usize,
    threads: Vec<JoinHandle<()>>,
    desk: Arc<Desk>,
    /// Batches that were handed over and have not come back.
    out: usize,
}

/// Where batches go and come back.
struct Desk {
    work: Mutex<Work>,
    /// Rung when there is a batch, or the end has come.
    more: Condvar,
    done: Mutex<Vec<Vec<Write>>>,
    /// Rung when a batch has come back.
    back: Arc<Notify>,
}

#[derive(Default)]
struct Work {
    batches: VecDeque<Vec<Write>>,
    is_over: bool,
}

impl Writers {
    /// Batches out for each thread: the one it writes, and as many as it may be through with before it is seen that it
    /// is.
    const EACH: usize = 3;

    /// Up to `most` threads; `back` is rung when a batch has come back.
    pub(super) fn new(most: usize, back: Arc<Notify>) -> Self {
        let desk = Desk { work: Mutex::default(), more: Condvar::new(), done: Mutex::default(), back };
        Writers { most, threads: Vec::new(), desk: Arc::new(desk), out: 0 }
    }

    /// Whether a batch would be written soon.
    pub(super) fn has_room(&self) -> bool {
        self.out < Self::EACH * self.most
    }

    /// Whether anything is being written.
    pub(super) fn is_busy(&self) -> bool {
        self.out > 0
    }

    /// Has a batch written.
    pub(super) fn hand_over(&mut self, batch: Vec<Write>) {
        self.out += 1;
        if self.threads.len() < self.most && self.out > self.threads.len() {
            let desk = self.desk.clone();
            let thread = std::thread::Builder::new().name("writer".into()).spawn(move || desk.serve());
            // Out of threads: those that there are do it.
            self.threads.extend(thread);
        }
        if self.threads.is_empty() {
            self.desk.done(Desk::write(batch));
            self.most = 0;
            return;
        }
        lock(&self.desk.work).batches.push_back(batch);
        self.desk.more.notify_one();
    }

    /// The writes that are done.
    pub(super) fn back(&mut self) -> Vec<Vec<Write>> {
        if self.out == 0 {
            return Vec::new();
        }
        let done = std::mem::take(&mut *lock(&self.desk.done));
        self.out -= done.len();
        done
    }
}

impl Drop for Writers {
    /// What has not been begun is not written: a server that ends in order has waited for it.
    fn drop(&mut self) {
        *lock(&self.desk.work) = Work { batches: VecDeque::new(), is_over: true };
        self.desk.more.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// The life of a thread.
    fn serve(&self) {
        loop {
            let mut work = lock(&self.work);
            let batch = loop {
                match work.batches.pop_front() {
                    Some(batch) => break batch,
                    None if work.is_over => return,
                    None => work = self.more.wait(work).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(work);
            self.done(Self::write(batch));
        }
    }

    fn write(mut batch: Vec<Write>) -> Vec<Write> {
        for write in &mut batch {
            write.taken = write.bytes.write(&write.stream);
        }
        batch
    }

    fn done(&self, batch: Vec<Write>) {
        let mut done = lock(&self.done);
        let is_first = done.is_empty();
        done.push(batch);
        drop(done);
        if is_first {
            self.back.notify_one();
        }
    }
}

/// Nothing is done under these locks that could panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
