//! From long-polling to WebSocket: the client opens one beside its polls, probes it with a ping, and moves over.
//!
//! ```text
//!   client                                          server
//!     |-- GET, waits ------------------------------> |
//!     |-- WebSocket, with the session's id --------> |
//!     |-- "2probe" by WebSocket -------------------> |   does this way work?
//!     | <-------------------------------- "3probe" --|
//!     | <-------------- "6": the GET gets a noop ----|   no poll is kept waiting any more
//!     |-- "5" by WebSocket ------------------------> |   from here on by WebSocket; the id polls no more
//! ```

use bytes::Bytes;

use super::{ConnKey, Output, Phase, Session, Transport};
use crate::base::Instant;
use crate::layers::application::engineio::Packet;

/// A WebSocket that may become the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) socket: ConnKey,
    /// The probe's ping has been answered.
    answered: bool,
    /// How long it may take.
    pub(super) until: Instant,
}

impl Session {
    /// A WebSocket named this session: it may try to take over, unless one has already.
    pub(super) fn socket_opened(&mut self, now: Instant, socket: ConnKey) {
        if self.phase != Phase::Open || self.probe.is_some() || !self.is_polling() {
            self.outputs.push_back(Output::HangUp(socket));
            return;
        }
        self.probe = Some(Probe { socket, answered: false, until: now + self.config.upgrade_timeout });
    }

    /// What came by the WebSocket that is being probed: anything but the two packets of an upgrade ends it.
    pub(super) fn probed(&mut self, probe: Probe, packet: Option<Packet>) {
        match packet {
            Some(Packet::Ping(text)) if text.as_str() == Packet::PROBE => {
                self.probe = Some(Probe { answered: true, ..probe });
                self.outputs.push_back(Output::Send(probe.socket, Packet::Pong(text).to_message()));
                self.release_poll();
            }
            Some(Packet::Upgrade) if probe.answered => self.upgrade(probe.socket),
            _ => self.give_up_probe(),
        }
    }

    /// While a WebSocket is being probed no poll is kept waiting: the client ends polling before it moves over.
    pub(super) fn release_poll(&mut self) {
        if let (Some(Probe { answered: true, .. }), Transport::Polling { poll, .. }) =
            (self.probe, &mut self.transport)
            && let Some(get) = poll.take()
        {
            self.outputs.push_back(Output::Answer(get, Bytes::from_static(b"6")));
        }
    }

    /// Everything uses the WebSocket from here on, what waited for a poll first. When the session is over already, its
    /// last words go this way and the WebSocket is closed: this client polls no more.
    fn upgrade(&mut self, socket: ConnKey) {
        if let Transport::Polling { poll: Some(get), .. } = self.transport {
            self.outputs.push_back(Output::Answer(get, Bytes::from_static(b"6")));
        }
        self.probe = None;
        self.transport = Transport::WebSocket(socket);
        self.waiting_bytes = 0;
        for waiting in std::mem::take(&mut self.waiting) {
            // By WebSocket the end of the connection says what a close packet says to a poll.
            if waiting.packet != Packet::Close {
                self.push(waiting.packet);
            }
        }
        if self.phase != Phase::Open {
            self.outputs.push_back(Output::HangUp(socket));
            self.finish();
        }
    }

    /// The session stays with polling.
    pub(super) fn give_up_probe(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.outputs.push_back(Output::HangUp(probe.socket));
        }
    }
}
