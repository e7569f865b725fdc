//! What a client's `--xray` looks at: the bytes that a tap has seen, taken apart message by message.

use clap::ValueEnum;

use crate::real::tap::{Passed, Tapped};
use crate::view::dissect::{Said, Talk};

/// How much of each message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Detail {
    /// One line
    Short,
    /// Header by header
    Full,
}

/// Reads what passed on one connection after the other.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Tapped,
    talk: Talk,
}

impl Watch {
    /// What the tap of the next connection is to keep its copy in.
    pub(super) fn seen(&self) -> Tapped {
        self.seen.clone()
    }

    /// The messages that became whole since the last call. This end is 0.
    pub(super) fn take(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        for passed in self.seen.take() {
            match passed {
                Passed::Opened => self.talk = Talk::new(),
                Passed::Sent(bytes) => self.talk.feed(0, &bytes),
                Passed::Received(bytes) => self.talk.feed(1, &bytes),
                // Nothing more comes of this connection.
                Passed::Lost => {}
            }
            said.extend(std::iter::from_fn(|| self.talk.next()));
        }
        said
    }
}
