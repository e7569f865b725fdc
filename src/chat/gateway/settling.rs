//! Packets on their way out: framed once for all receivers, and after a CONNECT held back for a moment.

use std::collections::VecDeque;

use super::{Gateway, key};
use crate::base::{Duration, Instant};
use crate::chat::hub::SessionId;
use crate::layers::application::engineio::{Prepared, Server, SessionKey};
use crate::layers::application::socketio::Encoded;
use crate::layers::application::websocket::Message;

/// How long what follows a CONNECT in the same namespace is held back, so that it comes in a read of its own.
///
/// Many programs wait for one message and listen for the next when they have it: with a bare WebSocket, or by awaiting
/// a stock client's connect event, whose promise goes on only when all that came in the same read has been handed out.
/// An event in that read is lost to the program. Nothing in the protocol forbids it, and other servers do it: of twenty
/// clients of Socket.IO's own server that listen when they are connected, most miss what it sends at once.
///
/// Nothing else waits. Other namespaces of the session go on, their CONNECTs too; within one namespace the order stays.
/// By polling, where a read is an answer, time alone would not do it: a CONNECT is the last of the answer it is in.
const SETTLE: Duration = Duration::from_millis(4);

/// A namespace that was just entered.
#[derive(Debug)]
pub(super) struct Settling {
    namespace: String,
    /// What came in it after its CONNECT. Bounded like all that waits for the session, by the hub's `queue_bytes`.
    pub(super) held: VecDeque<(Encoded, Prepared)>,
}

impl Gateway {
    /// Hands a packet on to all its receivers, or holds it back.
    pub(super) fn send(&mut self, now: Instant, to: &[SessionId], packet: &Encoded, server: &mut Server) {
        let prepared = prepare(packet);
        for session in to.iter().copied().map(key) {
            let Some(peer) = self.peers.get_mut(session) else { continue };
            match peer.settling.iter_mut().find(|settling| settling.namespace == packet.namespace()) {
                Some(settling) => settling.held.push_back((packet.clone(), prepared.clone())),
                None => self.put(now, session, packet, &prepared, server),
            }
        }
    }

    /// Pings, when a ping waits and nothing else does.
    pub(super) fn ping(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        let Some(peer) = self.peers.get_mut(session).filter(|peer| peer.settling.is_empty()) else { return };
        if std::mem::take(&mut peer.ping_waits) {
            server.ping(now, session);
        }
    }

    /// Hands a packet on. After a CONNECT its namespace settles.
    fn put(
        &mut self,
        now: Instant,
        session: SessionKey,
        packet: &Encoded,
        prepared: &Prepared,
        server: &mut Server,
    ) {
        let Some(peer) = self.peers.get_mut(session) else { return };
        peer.unreported += packet.len();
        if packet.is_connect() {
            let namespace = packet.namespace().to_owned();
            peer.settling.push(Settling { namespace: namespace.clone(), held: VecDeque::new() });
            self.settling.push_back((now + SETTLE, session, namespace));
        }
        server.send_prepared(now, session, prepared);
    }

    /// Sends what was held back in the namespaces that have settled by now.
    pub(super) fn release_settled(&mut self, now: Instant, server: &mut Server) {
        while self.settling.front().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, session, namespace)) = self.settling.pop_front()
        {
            self.release(now, session, &namespace, server);
            self.ping(now, session, server);
        }
    }

    /// Sends what was held back in a namespace; up to the next CONNECT, when it was left and entered again meanwhile.
    fn release(&mut self, now: Instant, session: SessionKey, namespace: &str, server: &mut Server) {
        let Some(peer) = self.peers.get_mut(session) else { return };
        let Some(at) = peer.settling.iter().position(|settling| settling.namespace == namespace) else {
            return;
        };
        let mut held = peer.settling.swap_remove(at).held;
        while let Some((packet, prepared)) = held.pop_front() {
            self.put(now, session, &packet, &prepared, server);
            let Some(peer) = self.peers.get_mut(session) else { return };
            if let Some(again) = peer.settling.iter_mut().find(|settling| settling.namespace == namespace) {
                again.held = held;
                return;
            }
        }
    }

    /// Sends all that was held back, with no moment between: the session ends.
    pub(super) fn release_all(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        while let Some(settling) = self.peers.get_mut(session).and_then(|peer| peer.settling.pop()) {
            for (packet, prepared) in settling.held {
                let Some(peer) = self.peers.get_mut(session) else { return };
                peer.unreported += packet.len();
                server.send_prepared(now, session, &prepared);
            }
        }
    }
}

/// A packet as Engine.IO's messages: the text, then one for each attachment.
fn prepare(packet: &Encoded) -> Prepared {
    let attachments = packet.attachments.iter().cloned().map(Message::Binary);
    let prepared = Prepared::new(std::iter::once(Message::Text(packet.text.clone())).chain(attachments));
    if packet.is_connect() { prepared.ending_a_body() } else { prepared }
}
