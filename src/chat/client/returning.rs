//! The connection: when it is opened, when it is given up, and how the client comes back after it broke.

use std::borrow::Cow;

use super::space::{Space, Standing};
use super::{Client, Event, NoAnswer, Output, Phase};
use crate::base::Instant;
use crate::layers::application::socketio::Decoder;

impl Client {
    /// Asks the driver for a session.
    pub(super) fn dial(&mut self, now: Instant) {
        self.phase = Phase::Dialing(now + self.config.connect_timeout);
        self.outputs.push_back(Output::Dial);
    }

    /// There is no connection any more, or none came about: the next try is planned.
    pub(super) fn lost(&mut self, now: Instant, why: Cow<'static, str>, hang_up: bool) {
        if hang_up {
            self.outputs.push_back(Output::HangUp);
        }
        self.phase = Phase::Idle;
        for at in 0..self.spaces.len() {
            let was_inside = self.spaces[at].standing == Standing::Inside;
            let unanswered = self.spaces[at].lost();
            self.not_answered(unanswered, NoAnswer::Disconnected);
            if was_inside {
                let namespace = self.spaces[at].name.clone();
                let event = Event::Disconnected { namespace, by_server: false };
                self.outputs.push_back(Output::Event(event));
            }
        }
        let attempt = self.attempts.saturating_add(1);
        self.hung_up();
        if !self.spaces.iter().any(Space::is_active) {
            return;
        }
        if !self.config.backoff.goes_on(attempt) {
            self.spaces.iter_mut().for_each(|space| space.standing = Standing::Outside);
            self.outputs.push_back(Output::Event(Event::GaveUp { why }));
            return;
        }
        self.attempts = attempt;
        let after = self.config.backoff.wait(attempt, (self.random)());
        self.phase = Phase::Waiting(now + after);
        self.outputs.push_back(Output::Event(Event::Retrying { attempt, after, why }));
    }

    /// Closes a connection that no namespace needs.
    pub(super) fn rest_if_unwanted(&mut self) {
        if self.spaces.iter().any(Space::is_active) {
            return;
        }
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle | Phase::Waiting(_) => {}
            Phase::Dialing(_) | Phase::Online => self.outputs.push_back(Output::HangUp),
        }
        self.hung_up();
    }

    fn hung_up(&mut self) {
        self.attempts = 0;
        self.is_full = false;
        self.max_payload = usize::MAX;
        self.decoder = Decoder::new(self.config.limits);
    }

    pub(super) fn wake(&mut self, now: Instant) {
        self.alarm.rang();
        for at in 0..self.spaces.len() {
            let overdue = self.spaces[at].overdue(now);
            overdue.iter().for_each(|id| {
                self.spaces[at].settle(*id);
            });
            self.not_answered(overdue, NoAnswer::TimedOut);
        }
        match &self.phase {
            Phase::Idle => {}
            Phase::Waiting(at) if *at <= now => self.dial(now),
            Phase::Dialing(until) if *until <= now => {
                self.lost(now, "the connection was not open in time".into(), true);
            }
            Phase::Waiting(_) | Phase::Dialing(_) => {}
            Phase::Online => {
                let is_late =
                    |space: &Space| matches!(space.standing, Standing::Asked(until) if until <= now);
                if self.spaces.iter().any(is_late) {
                    self.lost(now, "a namespace did not answer in time".into(), true);
                }
            }
        }
    }

    pub(super) fn due(&self) -> Instant {
        let phase = match &self.phase {
            Phase::Idle | Phase::Online => Instant::NEVER,
            Phase::Waiting(at) | Phase::Dialing(at) => *at,
        };
        self.spaces.iter().map(Space::due).fold(phase, Instant::min)
    }
}
