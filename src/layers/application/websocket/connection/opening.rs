//! The opening handshake, as the connection lives through it (RFC 6455 §4).
//!
//! What the heads say is read and written in [`handshake`](super::super::handshake). Here is what belongs to the
//! connection: a head that comes in pieces, one that never ends, and what begins when both ends have agreed.

use bytes::Bytes;

use super::super::close::Failure;
use super::super::deflate::codec::{Compressor, Decompressor};
use super::super::deflate::{Agreement, negotiation};
use super::super::handshake::awaiting::{Verdict, refused};
use super::super::handshake::server::Refusal;
use super::super::phase::{Phase, Role, Trigger};
use super::{Connection, Event};
use crate::base::{ErrorKind, Instant, Layer, ParseError};

impl Connection {
    /// Feeds the opening handshake; what follows the head is for the receiver.
    pub(super) fn read_head(&mut self, now: Instant, mut bytes: Bytes) {
        self.pieces += 1;
        let Some(verdict) = self.awaiting.feed(&mut bytes) else {
            if self.pieces >= self.config.head_pieces {
                let verdict = self.give_up_head(too_slow());
                self.end_handshake(now, verdict);
            }
            return;
        };
        self.end_handshake(now, verdict);
        if self.phase == Phase::Open && !bytes.is_empty() {
            self.receiver.push(bytes);
        }
    }

    /// A server says why it waits no longer; a client has no way to.
    pub(super) fn give_up_head(&self, error: ParseError) -> Verdict {
        if self.awaiting.is_request() {
            refused(&Refusal::too_slow(error))
        } else {
            Verdict::Failed { reply: None, error }
        }
    }

    pub(super) fn end_handshake(&mut self, now: Instant, verdict: Verdict) {
        match verdict {
            Verdict::Open { reply, opening } => {
                reply.iter().for_each(|head| self.sender.raw(head));
                if let Some(agreement) = opening.deflate {
                    self.begin_deflate(agreement);
                }
                self.heard = now;
                self.events.push_back(Event::Open(Box::new(opening)));
                self.enter(now, Trigger::Opened);
            }
            // §4.2.2: the request is answered with an error, and that was all.
            Verdict::Failed { reply, error } => {
                reply.iter().for_each(|head| self.sender.raw(head));
                self.fail(now, Failure::untold(error));
            }
            Verdict::Refused { response, error } => self.fail(now, Failure::refused(error, response)),
        }
    }

    /// Both ends keep to what was agreed (RFC 7692 §7.2): each of us compresses as its own parameters say.
    fn begin_deflate(&mut self, agreed: Agreement) {
        let wish = self.config.deflate.clone().unwrap_or_default();
        let server = (agreed.server_max_window_bits, !agreed.server_no_context_takeover);
        let client = (agreed.client_max_window_bits, !agreed.client_no_context_takeover);
        let (ours, peers_takeover) = match self.role {
            Role::Server => (server, client.1),
            // §7.1.1.2, §7.1.2.2: what a client offered to do without it does without, also when the answer does not
            // say so. The server may count on it.
            Role::Client => {
                let bits = client.0.min(negotiation::window(wish.client_max_window_bits));
                ((bits, client.1 && wish.client_context_takeover), server.1)
            }
        };
        let compressor = Compressor::new(wish.level, ours.0, ours.1).sharing(&wish.pool);
        self.sender.compress(compressor, wish.min_len);
        self.receiver.decompress(Decompressor::new(peers_takeover).sharing(&wish.pool));
    }
}

/// The error for an opening handshake that took too long.
pub(super) fn too_slow() -> ParseError {
    ParseError {
        kind: ErrorKind::Incomplete,
        layer: Layer::Application,
        protocol: "WebSocket handshake",
        field: "head",
        offset: 0,
        expected: "a whole head in time".into(),
        got: "too little, too slowly".into(),
    }
}
