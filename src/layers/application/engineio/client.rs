//! The client's end of a session over WebSocket: packets in, messages out, and a pong for each ping.
//!
//! It opens with WebSocket at once, as programs do that know their network; browsers begin by polling, where they must
//! expect proxies that know no WebSocket: [`poller`](super::poller) does as they do.
//!
//! The WebSocket itself is its driver's: messages come from it and go to it. The path that opens it is
//! [`Client::target`].

use std::collections::VecDeque;

use super::packet::{Handshake, Packet};
use super::session::CloseCause;
use crate::base::{Alarm, Duration, Instant, Machine};
use crate::layers::application::websocket::{Message, Utf8Bytes};

/// What can happen to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A message came by the WebSocket.
    Message(Message),
    /// The WebSocket is closed.
    Closed,
    /// The time it asked for has come.
    Wake,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a message by the WebSocket.
    Send(Message),
    /// Tell the layer above: the session is open.
    Open(Handshake),
    /// Tell the layer above: a message.
    Message(Message),
    /// Tell the layer above: it is over, once.
    Closed(CloseCause),
    /// Close the WebSocket, as §7.1.1 of RFC 6455 asks of a client that is done.
    HangUp,
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// The client's end of a session.
#[derive(Debug)]
pub struct Client {
    phase: Phase,
    /// Without a sign of life until then, the server is taken for dead.
    deadline: Instant,
    /// How long that is, counted from each sign.
    patience: Duration,
    alarm: Alarm,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The handshake is awaited.
    Opening,
    Open,
    Closed,
}

impl Client {
    /// How long the server may take for its first packet.
    const OPENING: Duration = Duration::from_secs(10);

    /// A client whose WebSocket is being opened.
    pub fn new(now: Instant) -> Self {
        Client {
            phase: Phase::Opening,
            deadline: now + Self::OPENING,
            patience: Self::OPENING,
            alarm: Alarm::new(),
            outputs: VecDeque::new(),
        }
    }

    /// What to ask an endpoint's path for, such as `/socket.io/`.
    pub fn target(path: &str) -> String {
        format!("{path}?EIO=4&transport=websocket")
    }

    /// Sends a message. False when the session is not open.
    pub fn send(&mut self, message: Message) -> bool {
        if self.phase == Phase::Open {
            self.outputs.push_back(Output::Send(Packet::Message(message).to_message()));
        }
        self.phase == Phase::Open
    }

    /// Ends the session, with a close packet for the server.
    pub fn close(&mut self) {
        if self.phase == Phase::Open {
            self.outputs.push_back(Output::Send(Packet::Close.to_message()));
        }
        self.end(CloseCause::ByClient);
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    fn take(&mut self, now: Instant, message: Message) {
        match (self.phase, Packet::from_message(message)) {
            (Phase::Opening, Ok(Packet::Open(json))) => match Handshake::from_json(json.as_str()) {
                Ok(handshake) => {
                    self.patience = handshake.patience();
                    self.deadline = now + self.patience;
                    self.phase = Phase::Open;
                    self.outputs.push_back(Output::Open(handshake));
                }
                Err(_) => self.end(CloseCause::BadPacket),
            },
            (Phase::Open, Ok(Packet::Ping(_))) => {
                self.deadline = now + self.patience;
                self.outputs.push_back(Output::Send(Packet::Pong(Utf8Bytes::default()).to_message()));
            }
            (Phase::Open, Ok(Packet::Message(message))) => self.outputs.push_back(Output::Message(message)),
            (_, Ok(Packet::Close)) => self.end(CloseCause::ByServer),
            (Phase::Open, Ok(Packet::Noop)) | (Phase::Closed, _) => {}
            (Phase::Opening | Phase::Open, _) => self.end(CloseCause::BadPacket),
        }
    }

    fn end(&mut self, cause: CloseCause) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.outputs.push_back(Output::Closed(cause));
            self.outputs.push_back(Output::HangUp);
        }
    }
}

impl Machine for Client {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Message(message) => self.take(now, message),
            Input::Closed => self.end(CloseCause::TransportClosed),
            Input::Wake if self.deadline <= now => self.end(CloseCause::PingTimeout),
            Input::Wake => self.alarm.rang(),
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let due = (self.phase != Phase::Closed).then_some(self.deadline);
        self.alarm.poll(due).map(Output::WakeAt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(client: &mut Client) -> Vec<Output> {
        std::iter::from_fn(|| client.poll(Instant::ZERO)).collect()
    }

    fn give(client: &mut Client, millis: u64, text: &str) -> Vec<Output> {
        client.handle(Instant::from_millis(millis), Input::Message(Message::Text(text.into())));
        outputs(client)
    }

    fn opened() -> Client {
        let mut client = Client::new(Instant::ZERO);
        assert_eq!(outputs(&mut client), [Output::WakeAt(Instant::from_millis(10_000))]);
        let json = r#"0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000}"#;
        let opened = give(&mut client, 100, json);
        assert!(matches!(&opened[..], [Output::Open(handshake), Output::WakeAt(at)]
            if handshake.sid == "x" && *at == Instant::from_millis(600)));
        client
    }

    #[test]
    fn a_ping_is_answered_and_the_server_has_so_long_for_the_next() {
        let mut client = opened();
        assert_eq!(
            give(&mut client, 400, "2"),
            [Output::Send(Message::Text("3".into())), Output::WakeAt(Instant::from_millis(900))]
        );
        client.handle(Instant::from_millis(900), Input::Wake);
        assert_eq!(outputs(&mut client), [Output::Closed(CloseCause::PingTimeout), Output::HangUp]);
        assert!(!client.send(Message::Text("x".into())));
    }

    #[test]
    fn messages_go_both_ways_and_a_close_is_said() {
        let mut client = opened();
        assert_eq!(give(&mut client, 1, "4hi"), [Output::Message(Message::Text("hi".into()))]);
        assert!(client.send(Message::Binary(bytes::Bytes::from_static(&[1]))));
        assert_eq!(outputs(&mut client), [Output::Send(Message::Binary(bytes::Bytes::from_static(&[1])))]);
        client.close();
        client.close();
        let said =
            [Output::Send(Message::Text("1".into())), Output::Closed(CloseCause::ByClient), Output::HangUp];
        assert_eq!(outputs(&mut client), said);
    }

    #[test]
    fn a_server_that_breaks_a_rule_is_left() {
        for bad in ["4before the handshake", "0not json", "9", ""] {
            let mut client = Client::new(Instant::ZERO);
            let said = give(&mut client, 1, bad);
            assert_eq!(said, [Output::Closed(CloseCause::BadPacket), Output::HangUp], "{bad:?}");
        }
        assert_eq!(give(&mut opened(), 1, "1"), [Output::Closed(CloseCause::ByServer), Output::HangUp]);
    }
}
