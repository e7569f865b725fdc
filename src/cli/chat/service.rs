//! The program above Engine.IO in the chat server: the hub, and beside it the page.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::page;
use crate::base::Instant;
use crate::chat::Gateway;
use crate::layers::application::engineio::{Event, Server, Service, SessionKey};

/// Asks whether something can be stored no more, and why.
pub(super) type Failed = Box<dyn Fn() -> Option<String>>;

pub(super) struct ChatService {
    pub(super) hub: Gateway,
    pub(super) failed: Failed,
    pub(super) failure: Rc<Failure>,
}

/// The end of the log, when the disk is full or broken: nothing can be promised any more.
#[derive(Debug, Default)]
pub(super) struct Failure {
    pub(super) why: RefCell<Option<String>>,
    /// Rung when it is there.
    pub(super) bell: Notify,
}

impl Service for ChatService {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        match event {
            Event::Request { conn, head } => {
                let answer = page::answer(&head);
                server.respond(now, conn, answer.status, answer.kind, &page::headers(), &answer.body);
            }
            other => self.hub.event(now, other, server),
        }
    }

    fn wake(&mut self, now: Instant, server: &mut Server) {
        // The log rings for this too.
        if let Some(why) = (self.failed)() {
            self.failure.why.replace(Some(why));
            self.failure.bell.notify_one();
        }
        self.hub.wake(now, server);
    }

    fn stop(&mut self, now: Instant, server: &mut Server) {
        self.hub.stop(now, server);
    }

    fn due(&self) -> Option<Instant> {
        self.hub.due()
    }

    fn held(&self, session: SessionKey) -> usize {
        self.hub.held(session)
    }

    fn is_behind(&self) -> bool {
        self.hub.is_behind()
    }
}
