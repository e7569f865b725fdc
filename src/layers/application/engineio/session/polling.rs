//! The session by HTTP: one GET waits for what there is to say, and POSTs bring what the client says.

use bytes::{Bytes, BytesMut};

use super::{CloseCause, ConnKey, Output, Phase, Session, Transport, Waiting};
use crate::base::Instant;
use crate::layers::application::engineio::Packet;

impl Session {
    /// Each waiting packet counts for this much beside its bytes.
    const OVERHEAD: usize = 64;

    /// Keeps a packet for the next poll.
    pub(super) fn wait(&mut self, packet: Packet) {
        self.waiting_bytes += packet.payload_len() + Self::OVERHEAD;
        self.waiting.push_back(Waiting { packet, ends_body: false });
    }

    /// Packets in one answer: Python's client takes no more, and ends the session when there are.
    const PACKETS: usize = 16;

    /// Answers the poll that waits, if there is one and something to say. As much as the client may send in one body
    /// is sent in one body, of as many packets as every client takes.
    pub(super) fn flush(&mut self) {
        let Transport::Polling { poll, .. } = &mut self.transport else { return };
        if self.waiting.is_empty() {
            return;
        }
        let Some(get) = poll.take() else { return };
        let mut body = BytesMut::new();
        for _ in 0..Self::PACKETS {
            let Some(Waiting { packet, ends_body }) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= packet.payload_len() + Self::OVERHEAD;
            packet.write_payload(&mut body);
            let next = self.waiting.front().map_or(0, |next| next.packet.payload_len());
            if ends_body || body.len() + next > self.config.max_payload {
                break;
            }
        }
        self.outputs.push_back(Output::Answer(get, body.freeze()));
        if self.waiting.is_empty() && self.phase == Phase::Open {
            self.outputs.push_back(Output::Drained);
        }
    }

    /// A GET came: it is answered at once when something waits.
    pub(super) fn poll_request(&mut self, now: Instant, get: ConnKey) {
        match (self.phase, &mut self.transport) {
            (Phase::Open, Transport::Polling { poll: poll @ None, .. }) => {
                *poll = Some(get);
                self.flush();
                self.release_poll();
            }
            (Phase::Draining(_), Transport::Polling { poll: poll @ None, .. }) => {
                *poll = Some(get);
                self.flush();
                if self.waiting.is_empty() {
                    self.finish();
                }
            }
            (Phase::Open, Transport::Polling { .. }) => {
                self.outputs.push_back(Output::Refuse(get));
                self.end(now, CloseCause::BadRequest);
            }
            _ => self.outputs.push_back(Output::Refuse(get)),
        }
    }

    /// The head of a POST came.
    pub(super) fn post_begins(&mut self, now: Instant, conn: ConnKey) {
        match (self.phase, &mut self.transport) {
            (Phase::Open, Transport::Polling { post: post @ None, .. }) => *post = Some(conn),
            (Phase::Open, Transport::Polling { .. }) => self.end(now, CloseCause::BadRequest),
            _ => {}
        }
    }

    /// The body of a POST came, with the packets of the client.
    pub(super) fn post(&mut self, now: Instant, conn: ConnKey, body: &Bytes) {
        let Transport::Polling { post, .. } = &mut self.transport else {
            self.outputs.push_back(Output::Refuse(conn));
            return;
        };
        if *post != Some(conn) || self.phase != Phase::Open {
            self.outputs.push_back(Output::Refuse(conn));
            return;
        }
        *post = None;
        match Packet::from_payload(body) {
            Ok(packets) => {
                for packet in packets {
                    if self.phase == Phase::Open {
                        self.take(now, packet);
                    }
                }
                self.outputs.push_back(Output::Answer(conn, Bytes::from_static(b"ok")));
            }
            Err(_) => {
                self.outputs.push_back(Output::Refuse(conn));
                self.end(now, CloseCause::BadPacket);
            }
        }
    }

    /// The body of a POST was too long: it is as if it had not been made.
    pub(super) fn post_refused(&mut self, conn: ConnKey) {
        if let Transport::Polling { post, .. } = &mut self.transport
            && *post == Some(conn)
        {
            *post = None;
        }
    }

    /// A connection went before its request was answered.
    pub(super) fn gone(&mut self, now: Instant, conn: ConnKey) {
        match &mut self.transport {
            Transport::Polling { poll, post } if *poll == Some(conn) || *post == Some(conn) => {
                if *poll == Some(conn) {
                    *poll = None;
                }
                if *post == Some(conn) {
                    *post = None;
                }
                if self.phase == Phase::Open {
                    self.end(now, CloseCause::BadRequest);
                }
            }
            _ => {}
        }
    }
}
