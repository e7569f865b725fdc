//! How what waits for connections is written: in stretches, and in batches by other threads.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Notify;

use super::writers::Write;
use super::{Core, ServedSocket, Shared};
use crate::layers::application::engineio::{ConnKey, Service};

/// Receivers that are written to in one stretch, before it is looked whether something has come; and those of a batch
/// for another thread.
const STRETCH: usize = 32;

/// Visits every connection that has something waiting. Each stretch begins after whatever is ready has been handled: to
/// yield is to let the other tasks run, once the kernel has been asked what is new.
pub(super) async fn flush_whenever<S: Service>(shared: Rc<Shared<S>>) {
    loop {
        shared.unwritten.notified().await;
        loop {
            tokio::task::yield_now().await;
            shared.with(|core, _| {
                core.take_back();
                core.write_on();
            });
            if shared.rest() {
                break;
            }
        }
    }
}

/// Takes note of what other threads have written while this one waited.
pub(super) async fn take_back<S: Service>(shared: Rc<Shared<S>>, back: Arc<Notify>) {
    loop {
        back.notified().await;
        shared.with(|core, _| core.take_back());
        shared.rest();
    }
}

impl<S> Shared<S> {
    /// Whether this thread has nothing to write now. When no other has either, reading goes on.
    fn rest(&self) -> bool {
        let core = &mut *self.core.borrow_mut();
        if core.is_at_rest() {
            core.ahead = 0;
            self.rested.notify_waiters();
        }
        core.ready.is_empty() && !core.unfinished
    }
}

impl<S> Core<S> {
    /// Writes to some of those that wait, and has others help when there are many.
    fn write_on(&mut self) {
        while self.ready.len() > STRETCH && self.writers.has_room() {
            let batch = self.batch();
            if !batch.is_empty() {
                self.writers.hand_over(batch);
            }
        }
        for _ in 0..STRETCH {
            let Some(key) = self.ready.pop_front() else { break };
            self.write(key);
        }
    }

    /// The next of those that wait, for another thread.
    fn batch(&mut self) -> Vec<Write> {
        let mut batch = Vec::with_capacity(STRETCH);
        for key in self.ready.drain(..STRETCH.min(self.ready.len())) {
            let Some(socket) = self.sockets.get(key) else { continue };
            let Some(outbox) = self.server.outbox(key).filter(|outbox| !outbox.is_empty()) else { continue };
            let bytes = self.joined.lot(outbox);
            self.server.lend(key, bytes.len());
            socket.lent.set(true);
            batch.push(Write { key, stream: socket.stream.clone(), bytes, taken: Ok(0) });
        }
        batch
    }

    /// Takes note of what other threads have written.
    fn take_back(&mut self) {
        for Write { key, taken, .. } in self.writers.back().into_iter().flatten() {
            // It may have been closed meanwhile.
            let Some(socket) = self.socket(key) else { continue };
            socket.lent.set(false);
            self.server.lend(key, 0);
            if self.wrote(&socket, taken) {
                if self.server.outbox(key).is_some_and(|outbox| !outbox.is_empty()) {
                    self.ready.push_back(key);
                }
                socket.tried(false);
            }
        }
    }

    /// Gives the kernel what waits for a connection.
    pub(super) fn write(&mut self, key: ConnKey) {
        let Some(socket) = self.socket(key).filter(|socket| !socket.lent.get()) else { return };
        while let Some(outbox) = self.server.outbox(key).filter(|outbox| !outbox.is_empty()) {
            let taken = self.joined.write(outbox, &socket.stream);
            if !self.wrote(&socket, taken) {
                return;
            }
        }
        socket.tried(false);
    }

    /// Takes note of what the kernel took. False when it takes no more.
    fn wrote(&mut self, socket: &ServedSocket, taken: io::Result<usize>) -> bool {
        match taken {
            Ok(taken) => {
                self.server.written(socket.key, taken);
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.tried(true),
            Err(_) => {
                socket.failed.set(true);
                socket.tried(false);
            }
        }
        false
    }
}
