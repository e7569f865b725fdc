//! The verbs of WebSocket: a server, a connection, messages, fragments, pings, and the end (RFC 6455).
//!
//! They are the commands of the sans-IO machine, at a host of the scene. What must be wrong on purpose is written with
//! [`send`](Stage::send) onto the same connection, below the machine.

use bytes::Bytes;

use super::cast::{Host, Socket};
use super::puppet::Puppet;
use super::{Seen, Stage};
use crate::base::{Instant, Rng};
use crate::layers::application::websocket::wire::WireFrame;
use crate::layers::application::websocket::{
    CloseReason, Config, Connection, Event, Input, Message, MessageKind, Policy, Request, SendError,
    Utf8Bytes,
};
use crate::layers::stack::SocketId;
use crate::sim::Io;
use crate::sim::websocket::WebSocketEnd;
use crate::trace::Kind;

impl Stage {
    /// Listens for WebSocket connections.
    ///
    /// # Panics
    /// When the port is taken: a script knows which ports it gave away.
    pub fn websocket_server(&mut self, host: Host, port: u16, config: &Config, policy: &Policy) -> Socket {
        let socket = self.listen(host, port);
        let policy = policy.clone();
        let config = config.clone();
        self.puppet(host, |puppet, _| puppet.websocket_ports.insert(socket.id, (config, policy)));
        socket
    }

    /// Opens a TCP connection, and asks for WebSocket on it as soon as it is established.
    pub fn websocket_connect(
        &mut self,
        from: Host,
        to: Host,
        port: u16,
        config: &Config,
        request: &Request,
    ) -> Socket {
        let socket = self.connect(from, to, port);
        let (config, request) = (config.clone(), request.clone());
        self.puppet(from, |puppet, _| puppet.websocket_requests.insert(socket.id, (config, request)));
        socket
    }

    /// The most common cast: an open WebSocket connection between two hosts, from both ends. Time has passed until
    /// both knew that it is open.
    ///
    /// # Panics
    /// When it does not open: a script that wants that has [`websocket_connect`](Stage::websocket_connect).
    pub fn open_websocket(
        &mut self,
        client: Host,
        server: Host,
        port: u16,
        config: &Config,
    ) -> (Socket, Socket) {
        self.open_websocket_with(client, server, port, config, config)
    }

    /// The same, of two ends that allow and wait for different things: the client's, and the server's.
    ///
    /// # Panics
    /// When it does not open.
    pub fn open_websocket_with(
        &mut self,
        client: Host,
        server: Host,
        port: u16,
        asks: &Config,
        answers: &Config,
    ) -> (Socket, Socket) {
        self.websocket_server(server, port, answers, &Policy::default());
        let request = Request::new(server.address.to_string(), "/", self.nonce());
        let client = self.websocket_connect(client, server, port, asks, &request);
        let is_open = |stage: &mut Stage| {
            stage.events_of(client).iter().any(|(_, event)| matches!(event, Event::Open(_)))
        };
        while !is_open(self) && self.network().step() {}
        assert!(is_open(self), "the script wants a connection that opens");
        let server = *self.accepted(server).last().expect("the server has accepted before it answers");
        (client, server)
    }

    /// 16 bytes for the key of an opening handshake, from the run's seed. On real sockets they must be unpredictable
    /// (RFC 6455 §4.1).
    pub fn nonce(&mut self) -> [u8; 16] {
        let seed = self.network_knobs().seed;
        let mut rng = Rng::new(seed).fork("nonce");
        std::array::from_fn(|_| rng.next_u32() as u8)
    }

    /// Sends a message of text. An error is what the machine says.
    ///
    /// # Errors
    /// As for [`Connection::send_text`].
    pub fn send_text(&mut self, socket: Socket, text: &str) -> Result<(), SendError> {
        let len = text.len();
        let text = Utf8Bytes::from(text.to_owned());
        self.websocket(socket, Some(len), |machine| machine.send_text(text))
    }

    /// Sends a message of bytes.
    ///
    /// # Errors
    /// As for [`Connection::send_binary`].
    pub fn send_binary(&mut self, socket: Socket, bytes: impl Into<Bytes>) -> Result<(), SendError> {
        let bytes: Bytes = bytes.into();
        self.websocket(socket, Some(bytes.len()), |machine| machine.send_binary(bytes))
    }

    /// Sends a fragment of a text message; `last` ends it.
    ///
    /// # Errors
    /// As for [`Connection::send_fragment`].
    pub fn send_fragment(&mut self, socket: Socket, text: &str, last: bool) -> Result<(), SendError> {
        let text = Bytes::copy_from_slice(text.as_bytes());
        self.websocket(socket, None, |machine| machine.send_fragment(MessageKind::Text, text, last))
    }

    /// Sends a ping.
    ///
    /// # Errors
    /// As for [`Connection::ping`].
    pub fn ping(&mut self, socket: Socket, payload: &str) -> Result<(), SendError> {
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        self.websocket(socket, None, |machine| machine.ping(payload))
    }

    /// Starts the closing handshake.
    ///
    /// # Errors
    /// As for [`Connection::close`].
    pub fn close_websocket(&mut self, socket: Socket, reason: &CloseReason) -> Result<(), SendError> {
        let now = self.now();
        self.websocket(socket, None, |machine| machine.close(now, reason))
    }

    /// The events of this end so far, with their times.
    pub fn events_of(&mut self, socket: Socket) -> Vec<(Instant, Event)> {
        self.puppet(socket.host, |puppet, _| {
            let events = puppet.websocket_events.iter().filter(|(id, ..)| *id == socket.id);
            events.map(|(_, at, event)| (*at, event.clone())).collect()
        })
    }

    /// The messages that the program at this end got so far, and when.
    pub fn messages(&mut self, socket: Socket) -> Vec<(Instant, Bytes)> {
        let message = |(at, event)| match event {
            Event::Message(Message::Text(text)) => Some((at, text.as_bytes().clone())),
            Event::Message(Message::Binary(bytes)) => Some((at, bytes)),
            _ => None,
        };
        self.events_of(socket).into_iter().filter_map(message).collect()
    }

    /// Gives the machine of this end a command, and puts its output on the wire.
    fn websocket<T>(
        &mut self,
        socket: Socket,
        message: Option<usize>,
        command: impl FnOnce(&mut Connection) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        self.puppet(socket.host, |puppet, io| {
            let Some(end) = puppet.websockets.get_mut(&socket.id) else { return Err(SendError::NotOpen) };
            let done = command(&mut end.machine);
            if let (Ok(_), Some(len)) = (&done, message) {
                let flow = io.stack().flow(socket.id);
                io.note(|| Kind::MessageSent { flow, len });
            }
            puppet.act(socket.id, None, io);
            done
        })
    }

    fn puppet<T>(&mut self, host: Host, act: impl FnOnce(&mut Puppet, &mut Io<'_>) -> T) -> T {
        self.running().network.call(host.app, act)
    }
}

impl Puppet {
    /// An end whose TCP connection is established begins to speak WebSocket, if it is to.
    pub(super) fn begin_websocket(&mut self, socket: SocketId, listener: Option<SocketId>, io: &mut Io<'_>) {
        let machine = if let Some((config, policy)) = listener.and_then(|id| self.websocket_ports.get(&id)) {
            Connection::server(io.now(), config.clone(), policy.clone())
        } else if let Some((config, request)) = self.websocket_requests.remove(&socket) {
            let mut masks = io.rng().fork(&format!("masks {}", self.websockets.len()));
            let masks = Box::new(move || Some(masks.next_u32().to_be_bytes()));
            match Connection::client(io.now(), config, request, masks) {
                Ok(machine) => machine,
                Err(error) => return io.note(|| Kind::Note { text: error.to_string().into() }),
            }
        } else {
            return;
        };
        self.websockets.insert(socket, WebSocketEnd::new(socket, machine));
        self.act(socket, None, io);
    }

    /// Drives a machine: records its events, and writes its bytes.
    pub(super) fn act(&mut self, socket: SocketId, input: Option<Input>, io: &mut Io<'_>) {
        let Some(end) = self.websockets.get_mut(&socket) else { return };
        end.give(io, input);
        while let Some(event) = end.next(io) {
            end.note(io, &event);
            if let Event::Close(reason) = &event {
                io.note(|| Kind::Note { text: told(reason).into() });
            }
            self.websocket_events.push((socket, io.now(), event));
        }
        end.flush(io);
        if let Some(at) = self.websockets.values().filter_map(WebSocketEnd::wake_at).min() {
            io.wake_at(at);
        }
    }
}

/// What the program learns of the end.
fn told(reason: &CloseReason) -> String {
    let text = reason.text.to_string();
    let because = if text.is_empty() { String::new() } else { format!(" \"{text}\"") };
    format!("the program gets: closed, {}{because}", reason.code.0)
}

impl Seen {
    /// The WebSocket frames that a host wrote, in order: of its only connection.
    pub fn websocket_frames(&self, host: Host) -> Vec<WireFrame> {
        WireFrame::all(&self.writes(host).concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Duration;
    use crate::layers::application::websocket::{CloseCode, Keepalive};
    use crate::lessons::scenario::Scenario;
    use crate::sim::fault::{self, Verdict};

    fn stage() -> Stage {
        Stage::new(Scenario::new("desk", &[&crate::lessons::knob::SEED]))
    }

    #[test]
    fn both_ends_are_told_what_the_other_sent() {
        let mut stage = stage();
        stage.scene("talk", "");
        let (client, server) = stage.two_hosts();
        let (from, to) = stage.open_websocket(client, server, 80, &Config::default());
        assert_eq!(stage.send_text(from, "there"), Ok(()));
        assert_eq!(stage.send_binary(to, &b"back"[..]), Ok(()));
        stage.run_for(Duration::from_secs(1));
        assert_eq!(stage.messages(to)[0].1, "there");
        assert_eq!(stage.messages(from)[0].1, "back");
        assert_eq!(stage.close_websocket(from, &CloseReason::new(CloseCode::NORMAL, "")), Ok(()));
        stage.run();
        assert!(stage.seen().websocket_frames(client).last().is_some_and(|frame| frame.name() == "close"));
        assert_eq!(stage.send_text(from, "too late"), Err(SendError::NotOpen));
    }

    #[test]
    fn each_connection_of_a_host_is_woken_at_its_own_time() {
        let mut stage = stage();
        stage.scene("alarms", "");
        let (client, server) = stage.two_hosts();
        let asking = |idle| {
            let keepalive = Keepalive { idle: Duration::from_secs(idle), timeout: Duration::from_secs(1) };
            Config { keepalive: Some(keepalive), ..Config::default() }
        };
        let ends = [(80, 5), (81, 2)].map(|(port, idle)| {
            stage.open_websocket_with(client, server, port, &Config::default(), &asking(idle)).1
        });
        for (from, to) in [(client, server), (server, client)] {
            stage.rule(from, to, fault::rule("cut", |_, _| Verdict::Drop));
        }
        stage.run_for(Duration::from_secs(10));
        let failed = ends.map(|end| {
            let events = stage.events_of(end);
            events
                .iter()
                .find(|(_, event)| matches!(event, Event::Failed(_)))
                .map(|(at, _)| at.as_nanos() / 1_000_000)
        });
        let [Some(later), Some(sooner)] = failed else { panic!("{failed:?}") };
        assert!((6000..7000).contains(&later) && (3000..4000).contains(&sooner), "{failed:?}");
    }
}
