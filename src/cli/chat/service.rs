//! The program above Engine.IO in the chat server: the hub, and beside it the page.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::journal::Journal;
use super::page;
use crate::base::Instant;
use crate::chat::Gateway;
use crate::layers::application::engineio::{Event, Server, Service, SessionKey};
use crate::real::store::Compacted;

/// Asks whether something can be stored no more, and why.
pub(super) type Failed = Box<dyn Fn() -> Option<String>>;

/// Asks how often the log's file was made smaller, and how long that has kept anyone waiting.
pub(super) type Compactions = Box<dyn Fn() -> Compacted>;

/// What there is to be asked about the log.
pub(super) struct Observed {
    pub(super) failed: Failed,
    pub(super) compacted: Compactions,
}

impl Observed {
    /// A log in memory: nothing happens to it.
    pub(super) fn nothing() -> Self {
        Observed { failed: Box::new(|| None), compacted: Box::new(Compacted::default) }
    }
}

pub(super) struct ChatService {
    pub(super) hub: Gateway,
    pub(super) log: Observed,
    /// How often the file was made smaller, as far as the journal says.
    pub(super) compactions: u64,
    pub(super) journal: Journal,
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
        if let Some(why) = (self.log.failed)() {
            self.failure.why.replace(Some(why));
            self.failure.bell.notify_one();
        }
        let Compacted { times, pause } = (self.log.compacted)();
        if std::mem::replace(&mut self.compactions, times) < times {
            let longest = ("longest-pause-ms", (pause.as_nanos() / 1_000_000).to_string());
            self.journal.info("compacted", &[("times", times.to_string()), longest]);
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
