//! A session over the transport that its program chose: a [`Carrier`] or a [`Direct`], which have the same inputs and
//! outputs, as one type. Nothing is decided here.

use super::{Carrier, CarrierConfig, CarrierInput as Input, CarrierOutput as Output, Direct};
use crate::base::{Instant, Machine};
use crate::layers::application::websocket::Message;

/// How a client reaches its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// HTTP, from the first request to the last.
    Polling,
    /// HTTP at first, then WebSocket.
    Upgrade,
    /// WebSocket from the start, without polling.
    WebSocket,
}

/// A client's session and the bytes under it.
#[derive(Debug)]
pub enum Caller {
    /// One that begins with polling.
    Carrier(Box<Carrier>),
    /// One on a single WebSocket.
    Direct(Box<Direct>),
}

impl Caller {
    /// Opens a session. The transport decides whether it upgrades, whatever the configuration says.
    pub fn new(now: Instant, transport: Transport, config: CarrierConfig) -> Self {
        let config = CarrierConfig { upgrade: transport == Transport::Upgrade, ..config };
        match transport {
            Transport::WebSocket => Caller::Direct(Box::new(Direct::new(now, config))),
            Transport::Polling | Transport::Upgrade => Caller::Carrier(Box::new(Carrier::new(now, config))),
        }
    }

    /// Sends a message: false when the session is not open, or does not take it.
    pub fn send(&mut self, now: Instant, message: Message) -> bool {
        match self {
            Caller::Carrier(carrier) => carrier.send(now, message).is_ok(),
            Caller::Direct(direct) => direct.send(now, message),
        }
    }

    /// Bytes of messages that wait to be posted. A WebSocket's are all in what is to be written.
    pub fn waiting(&self) -> usize {
        match self {
            Caller::Carrier(carrier) => carrier.waiting(),
            Caller::Direct(_) => 0,
        }
    }

    /// Ends the session, with a close packet for the server.
    pub fn close(&mut self, now: Instant) {
        match self {
            Caller::Carrier(carrier) => carrier.close(now),
            Caller::Direct(direct) => direct.close(now),
        }
    }
}

impl Machine for Caller {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match self {
            Caller::Carrier(carrier) => carrier.handle(now, input),
            Caller::Direct(direct) => direct.handle(now, input),
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        match self {
            Caller::Carrier(carrier) => carrier.poll(now),
            Caller::Direct(direct) => direct.poll(now),
        }
    }
}
