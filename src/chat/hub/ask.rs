//! Questions: events that want an answer from each receiver, and how long one waits for it.
//!
//! The packet carries one number for all receivers, so it is encoded once. An answer counts once, and only from a
//! socket that was asked. A socket that leaves, or comes back, does not answer what it was asked before, and what it
//! has asked itself ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Output;
use super::emit::has_room;
use super::key::Key;
use super::rooms::Aim;
use super::state::{Call, Core, Timer, TimerId};
use crate::base::Duration;
use crate::layers::application::socketio::{Kind, Packet, Value};

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// The answers in the order in which they came, each as the arguments it had.
    pub answers: Vec<Vec<Value>>,
    /// How many of the sockets asked did not answer in time, or had left.
    pub missing: usize,
}

impl Answers {
    /// The only answer, when one socket was asked.
    pub fn one(self) -> Option<Vec<Value>> {
        self.answers.into_iter().next()
    }

    /// The first argument of each answer.
    pub fn firsts(self) -> Vec<Value> {
        self.answers.into_iter().map(|args| args.into_iter().next().unwrap_or_default()).collect()
    }
}

/// A question that is under way.
pub(super) struct Ask {
    /// The socket that asked; it need not be there any more.
    pub(super) asker: Key,
    pub(super) space: usize,
    /// The sockets that were asked and have not answered, sorted.
    waiting: Vec<Key>,
    pub(super) answers: Answers,
    bytes: usize,
    timer: TimerId,
    /// What it counts among the asker's questions.
    cost: usize,
}

/// The questions of one socket that are open.
#[derive(Debug, Default)]
pub(super) struct Asking {
    questions: BTreeSet<u64>,
    bytes: usize,
    /// What the answers to them hold that have come.
    answers: usize,
}

/// Bytes that a question takes, roughly; each receiver adds to it.
const QUESTION: usize = 512;
const RECEIVER: usize = 32;

impl Core {
    /// Sends a question to everyone it is addressed to, and returns its number, the key of the program's callback.
    pub(super) fn ask(
        &mut self,
        space: usize,
        asker: Key,
        aim: &Aim,
        timeout: Duration,
        name: &str,
        args: Vec<Value>,
    ) -> u64 {
        let id = self.number();
        let namespace: Arc<str> = self.spaces[space].name.clone();
        let kind = Kind::Event { name: name.to_owned(), args, ack: Some(id) };
        let packet = Packet::new(&*namespace, kind).encode();
        self.spaces[space].rooms.select(&aim.to, &aim.except, &mut self.chosen);
        let cost = QUESTION + RECEIVER * self.chosen.len();
        let has_too_many = packet.attachments.len() > self.config.attachments;
        let is_too_much = has_too_many
            || self.sockets.get(asker).is_some_and(|socket| {
                !socket.asking.questions.is_empty() && socket.asking.bytes + cost > self.config.ask_bytes
            });
        let (mut to, mut waiting, mut missing) = (Vec::new(), Vec::new(), 0);
        for &key in &self.chosen {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            let Some(session) = self.sessions.get_mut(socket.session) else { continue };
            if !is_too_much && has_room(session, packet.len(), self.config.queue_bytes) {
                session.queued += packet.len();
                socket.asks.insert(id);
                waiting.push(key);
                to.push(session.id);
            } else {
                missing += 1;
            }
        }
        waiting.sort_unstable();
        let timer = self.set_timer(self.now + timeout, Timer::Ask(id));
        let answers = Answers { answers: Vec::new(), missing };
        self.asks.insert(id, Ask { asker, space, waiting, answers, bytes: 0, timer, cost });
        if let Some(socket) = self.sockets.get_mut(asker) {
            socket.asking.questions.insert(id);
            socket.asking.bytes += cost;
        }
        if to.is_empty() {
            self.finish_ask(id);
        } else {
            self.outbox.push(Output::Send { to, packet });
        }
        id
    }

    /// An answer arrived from one of the receivers.
    pub(super) fn answer(&mut self, id: u64, from: Key, args: Vec<Value>) {
        let Some(ask) = self.asks.get_mut(&id) else { return };
        let Ok(at) = ask.waiting.binary_search(&from) else { return };
        ask.waiting.remove(at);
        let bytes = args.iter().map(weight).sum::<usize>();
        let asker = self.sockets.get_mut(ask.asker);
        let held = asker.as_ref().map_or(ask.bytes, |asker| asker.asking.answers);
        if held + bytes <= self.config.answer_bytes {
            ask.bytes += bytes;
            asker.into_iter().for_each(|asker| asker.asking.answers += bytes);
            ask.answers.answers.push(args);
        } else {
            ask.answers.missing += 1;
        }
        if let Some(socket) = self.sockets.get_mut(from) {
            socket.asks.remove(&id);
        }
        if ask.waiting.is_empty() {
            self.finish_ask(id);
        }
    }

    /// No answer will come from this socket: it left.
    pub(super) fn no_answer(&mut self, id: u64, from: Key) {
        let Some(ask) = self.asks.get_mut(&id) else { return };
        let Ok(at) = ask.waiting.binary_search(&from) else { return };
        ask.waiting.remove(at);
        ask.answers.missing += 1;
        if ask.waiting.is_empty() {
            self.finish_ask(id);
        }
    }

    /// The socket that has asked leaves, and waits no longer.
    pub(super) fn stop_asking(&mut self, asker: Key) {
        let questions = self.sockets.get(asker).map(|socket| socket.asking.questions.clone());
        questions.into_iter().flatten().for_each(|id| self.finish_ask(id));
    }

    /// All have answered, the timeout has passed, or the asker has left.
    pub(super) fn finish_ask(&mut self, id: u64) {
        let Some(mut ask) = self.asks.remove(&id) else { return };
        self.timers.remove(&ask.timer);
        for key in std::mem::take(&mut ask.waiting) {
            ask.answers.missing += 1;
            if let Some(socket) = self.sockets.get_mut(key) {
                socket.asks.remove(&id);
            }
        }
        if let Some(socket) = self.sockets.get_mut(ask.asker)
            && socket.asking.questions.remove(&id)
        {
            socket.asking.bytes -= ask.cost;
            socket.asking.answers -= ask.bytes;
        }
        self.calls.push_back(Call::Answered(id, ask));
    }
}

/// About how many bytes a value takes.
fn weight(value: &Value) -> usize {
    32 + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        Value::Array(elements) => elements.iter().map(weight).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + weight(value)).sum(),
    }
}
