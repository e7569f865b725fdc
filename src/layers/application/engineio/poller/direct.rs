//! The same session by WebSocket from its first byte: a [`Client`](super::super::Client) on one TCP connection.
//!
//! Nothing of the protocol is decided here: this is that machine and the WebSocket's, joined. Its inputs and outputs
//! are those of a [`Carrier`](super::Carrier), so that a program which knows both transports may have either.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{CarrierConfig, CarrierInput as Input, CarrierOutput as Output, Line};
use crate::base::{Alarm, Instant, Machine};
use crate::layers::application::engineio::client::{self, Client};
use crate::layers::application::websocket::{self, CloseCode, CloseReason, Connection, Message, Request};

/// A session on one WebSocket.
pub struct Direct {
    /// Until TCP is established.
    config: Option<CarrierConfig>,
    client: Client,
    machine: Option<Connection>,
    due: [Instant; 2],
    alarm: Alarm,
    outputs: VecDeque<Output>,
}

impl Direct {
    /// Opens a session, at first by a WebSocket.
    pub fn new(now: Instant, config: CarrierConfig) -> Self {
        Direct {
            config: Some(config),
            client: Client::new(now),
            machine: None,
            due: [Instant::NEVER; 2],
            alarm: Alarm::new(),
            outputs: VecDeque::from([Output::Connect(Line::Socket)]),
        }
    }

    /// Sends a message; false when the session is not open.
    pub fn send(&mut self, now: Instant, message: Message) -> bool {
        let sent = self.client.send(message);
        self.drive(now);
        sent
    }

    /// Ends the session, with a close packet for the server.
    pub fn close(&mut self, now: Instant) {
        self.client.close();
        self.drive(now);
    }

    fn begin(&mut self, now: Instant) {
        let Some(config) = self.config.take() else { return };
        let request = Request::new(config.host, Client::target(&config.path), config.nonce);
        match Connection::client(now, websocket::Config::default(), request, config.masks) {
            Ok(machine) => self.machine = Some(machine),
            Err(_) => self.client.handle(now, client::Input::Closed),
        }
    }

    /// Does what both machines ask for, until neither has anything left.
    fn drive(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.client.poll(now) {
                self.above(now, output);
            } else if let Some(output) = self.machine.as_mut().and_then(|machine| machine.poll(now)) {
                self.below(now, output);
            } else {
                return;
            }
        }
    }

    fn above(&mut self, now: Instant, output: client::Output) {
        match output {
            client::Output::Send(message) => {
                let Some(machine) = &mut self.machine else { return };
                let sent = match message {
                    Message::Text(text) => machine.send_text(text),
                    Message::Binary(bytes) => machine.send_binary(bytes),
                };
                // More waits for the network than a WebSocket takes: a message must not be left out in silence.
                if sent.is_err() {
                    self.client.handle(now, client::Input::Closed);
                }
            }
            client::Output::Open(handshake) => self.outputs.push_back(Output::Open(handshake)),
            client::Output::Message(message) => self.outputs.push_back(Output::Message(message)),
            client::Output::Closed(cause) => self.outputs.push_back(Output::Closed(cause)),
            client::Output::HangUp => {
                if let Some(machine) = &mut self.machine {
                    // It may be closing already, and then there is nothing to say.
                    let _ = machine.close(now, &CloseReason::new(CloseCode::NORMAL, ""));
                }
            }
            client::Output::WakeAt(at) => self.due[0] = at,
        }
    }

    fn below(&mut self, now: Instant, output: websocket::Output) {
        match output {
            websocket::Output::Send(bytes) => self.outputs.push_back(Output::Write(Line::Socket, bytes)),
            websocket::Output::WakeAt(at) => self.due[1] = at,
            websocket::Output::Finished => {
                self.machine = None;
                self.outputs.push_back(Output::Close(Line::Socket));
                self.client.handle(now, client::Input::Closed);
            }
            websocket::Output::Event(websocket::Event::Message(message)) => {
                self.client.handle(now, client::Input::Message(message));
            }
            websocket::Output::Event(websocket::Event::Close(_) | websocket::Event::Failed(_)) => {
                self.client.handle(now, client::Input::Closed);
            }
            websocket::Output::Event(
                // No fragments are asked for.
                websocket::Event::Open(_)
                | websocket::Event::Fragment(_)
                | websocket::Event::Ping(_)
                | websocket::Event::Pong(_),
            ) => {}
        }
    }

    fn bytes(&mut self, now: Instant, bytes: Bytes) {
        if let Some(machine) = &mut self.machine {
            machine.handle(now, websocket::Input::Bytes(bytes));
        }
    }

    fn wake(&mut self, now: Instant) {
        self.alarm.rang();
        if self.due[0] <= now {
            self.due[0] = Instant::NEVER;
            self.client.handle(now, client::Input::Wake);
        }
        if self.due[1] <= now {
            self.due[1] = Instant::NEVER;
            if let Some(machine) = &mut self.machine {
                machine.handle(now, websocket::Input::Wake);
            }
        }
    }
}

impl Machine for Direct {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected(_) => self.begin(now),
            Input::Bytes(_, bytes) => self.bytes(now, bytes),
            Input::Gone(_) => {
                self.machine = None;
                self.client.handle(now, client::Input::Closed);
            }
            Input::Wake => self.wake(now),
        }
        self.drive(now);
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        self.drive(now);
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let due = self.due.into_iter().min().filter(|due| *due < Instant::NEVER);
        self.alarm.poll(due).map(Output::WakeAt)
    }
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").field("client", &self.client).finish_non_exhaustive()
    }
}
