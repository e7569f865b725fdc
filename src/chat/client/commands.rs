//! What a program asks of its client: which namespaces to join, and what to send there.
//!
//! The ways to send an event differ in what becomes of it when there is no connection, or it breaks:
//!
//! | sent with | without a connection | when it breaks after the event was sent |
//! |---|---|---|
//! | [`Client::volatile`] | it is dropped | it may or may not have arrived |
//! | [`Client::emit`] | it waits | it may or may not have arrived |
//! | [`Client::ask`] | it waits, until its time is over | the program learns that there is no answer |
//! | [`Client::deliver`] | it waits | it is sent again upon the next one |

use std::sync::Arc;

use super::space::{Order, Space, Standing};
use super::{AckId, Client, EmitError, EmitId, NoAnswer, Phase};
use crate::base::{Duration, Instant};
use crate::layers::application::socketio::{Kind, Packet, RESERVED_EVENTS, Value};

impl Client {
    /// Enters a namespace, and stays there: it comes back when the connection breaks. `auth` is an object, or nothing;
    /// the server's gate reads it. After a refusal it asks again, with other credentials perhaps.
    ///
    /// False when it is in as many namespaces as it may be.
    pub fn join(&mut self, now: Instant, namespace: &str, auth: Option<Value>) -> bool {
        match self.spaces.iter().position(|space| &*space.name == namespace) {
            Some(at) if self.spaces[at].is_active() => return true,
            Some(at) => self.spaces[at].want(auth),
            None if self.spaces.len() < self.config.namespaces => {
                self.spaces.push(Space::new(namespace, auth, &self.config));
            }
            None => return false,
        }
        match &self.phase {
            Phase::Idle => self.dial(now),
            Phase::Online => self.knock(now),
            Phase::Waiting(_) | Phase::Dialing(_) => {}
        }
        true
    }

    /// Gives these credentials with the next CONNECT, and all after it.
    pub fn set_auth(&mut self, namespace: &str, auth: Option<Value>) {
        let space = self.spaces.iter_mut().find(|space| &*space.name == namespace);
        if let Some(space) = space {
            space.auth = auth;
        }
    }

    /// Leaves a namespace for good. What waits there is given up.
    pub fn leave(&mut self, namespace: &str) {
        let Some(at) = self.spaces.iter().position(|space| &*space.name == namespace) else { return };
        if self.spaces[at].standing == Standing::Inside {
            self.send(&Packet::new(namespace, Kind::Disconnect));
        }
        let unanswered = self.spaces[at].forget(&self.config);
        self.not_answered(unanswered, NoAnswer::Left);
        self.spaces.remove(at);
        self.rest_if_unwanted();
    }

    /// Leaves all namespaces, then the server.
    pub fn close(&mut self) {
        let names: Vec<Arc<str>> = self.spaces.iter().map(|space| space.name.clone()).collect();
        names.iter().for_each(|name| self.leave(name));
    }

    /// Sends an event once, and waits for no answer. While there is no connection it waits for one.
    ///
    /// # Errors
    /// [`EmitError`]: nothing was sent or kept.
    pub fn emit(
        &mut self,
        now: Instant,
        namespace: &str,
        name: &str,
        args: Vec<Value>,
    ) -> Result<(), EmitError> {
        self.queue(now, namespace, Order { name, args, ask: None, stays: false })
    }

    /// Sends an event if it can be sent now; otherwise it is dropped, and the answer is false.
    pub fn volatile(&mut self, now: Instant, namespace: &str, name: &str, args: Vec<Value>) -> bool {
        let inside = self.space(namespace).is_some_and(|space| space.standing == Standing::Inside);
        !self.is_full && inside && self.emit(now, namespace, name, args).is_ok()
    }

    /// Sends an event once, and wants an answer. The time counts from now, also while it waits for a connection.
    ///
    /// # Errors
    /// [`EmitError`]: nothing was sent or kept.
    pub fn ask(
        &mut self,
        now: Instant,
        namespace: &str,
        name: &str,
        args: Vec<Value>,
        timeout: Duration,
    ) -> Result<EmitId, EmitError> {
        let id = self.next_id();
        let order = Order { name, args, ask: Some((id, now + timeout)), stays: false };
        self.queue(now, namespace, order).map(|()| id)
    }

    /// Sends an event until it is acknowledged: again upon each new connection, in the order in which they were said.
    ///
    /// The sender's id of the event follows its arguments as the last one, a string. A server that hands it to
    /// [`Broadcast::sent_as`](crate::chat::Broadcast::sent_as) lets the event have its effect once, however often it
    /// comes.
    ///
    /// # Errors
    /// [`EmitError`]: nothing was sent or kept.
    pub fn deliver(
        &mut self,
        now: Instant,
        namespace: &str,
        name: &str,
        mut args: Vec<Value>,
    ) -> Result<EmitId, EmitError> {
        let id = self.next_id();
        args.push(self.sender_id(id).into());
        let order = Order { name, args, ask: Some((id, Instant::NEVER)), stays: true };
        self.queue(now, namespace, order).map(|()| id)
    }

    /// The next event that wants an answer gets this number, and those after it count on from there. For programs that
    /// number their own questions; of two with the same number, the first answer is for both.
    pub fn count_from(&mut self, number: u64) {
        self.next_id = number;
    }

    /// The id that an event of [`deliver`](Client::deliver) carries.
    pub fn sender_id(&self, id: EmitId) -> String {
        format!("{:016x}-{}", self.token, id.0)
    }

    /// An event has had its effect, as the program learned in another way: it is not sent again, and not answered.
    /// False when it does not wait.
    pub fn withdraw(&mut self, id: EmitId) -> bool {
        self.spaces.iter_mut().any(|space| space.settle(id))
    }

    /// What was held goes out: see [`Config::hold_when_new`](super::Config::hold_when_new).
    pub fn resume(&mut self, now: Instant, namespace: &str) {
        let space = self.spaces.iter_mut().find(|space| &*space.name == namespace);
        space.into_iter().for_each(|space| space.held = false);
        self.flush(now);
    }

    /// Answers a question of the server. False when its connection is over, and the answer has no receiver.
    pub fn answer(&mut self, question: &AckId, args: Vec<Value>) -> bool {
        let namespace = &question.namespace;
        let inside = self.space(namespace).is_some_and(|space| space.standing == Standing::Inside);
        let is_awaited = inside && question.connection == self.connection;
        if is_awaited {
            self.send(&Packet::new(&**namespace, Kind::Ack { id: question.id, args }));
        }
        is_awaited
    }

    /// Whether it is in a namespace.
    pub fn is_inside(&self, namespace: &str) -> bool {
        self.space(namespace).is_some_and(|space| space.standing == Standing::Inside)
    }

    /// How many events wait to be sent, or for their acknowledgement when they are to be delivered.
    pub fn unsettled(&self) -> usize {
        self.spaces.iter().map(Space::unsettled).sum()
    }

    fn space(&self, namespace: &str) -> Option<&Space> {
        self.spaces.iter().find(|space| &*space.name == namespace)
    }

    fn next_id(&mut self) -> EmitId {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        EmitId(id)
    }

    fn queue(&mut self, now: Instant, namespace: &str, order: Order<'_>) -> Result<(), EmitError> {
        if RESERVED_EVENTS.contains(&order.name) {
            return Err(EmitError::ReservedName);
        }
        let space = self.spaces.iter_mut().find(|space| &*space.name == namespace);
        let space = space.filter(|space| space.is_active()).ok_or(EmitError::NotJoined)?;
        match space.queue(order, &self.config)? {
            Some(packet) => self.send_encoded(packet.text.into(), packet.attachments),
            None => self.flush(now),
        }
        Ok(())
    }
}
