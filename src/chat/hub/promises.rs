//! What programs asked to be called for later: with the answers to a question, or with what became of an event.
//!
//! The functions are kept apart from the hub's state, which knows each by a number only: they are lent that state while
//! they run.

use std::collections::BTreeMap;

use super::ask::Answers;
use super::context::Context;
use super::emit::Emitted;
use super::key::Key;
use super::state::Core;

/// What a program does with the answers.
pub(super) type ThenAnswers = Box<dyn FnOnce(&mut Context<'_>, Answers) + Send>;

/// What a program does when it is known what became of an event.
pub(super) type ThenEmitted = Box<dyn FnOnce(&mut Context<'_>, Emitted) + Send>;

/// By the number of the question, or of the proposal.
#[derive(Default)]
pub(super) struct Promises {
    pub(super) answers: BTreeMap<u64, ThenAnswers>,
    pub(super) emitted: BTreeMap<u64, ThenEmitted>,
}

/// What a program's functions are lent while they run.
pub(super) struct Lent {
    pub(super) core: Core,
    pub(super) promises: Promises,
}

impl Lent {
    /// The hub, seen from one socket.
    pub(super) fn context(&mut self, socket: Key, space: usize) -> Context<'_> {
        Context { core: &mut self.core, promises: &mut self.promises, socket, space }
    }
}
