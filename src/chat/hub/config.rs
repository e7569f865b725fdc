//! What the hub allows, and how long it waits. Every number here bounds something that a client could make grow.

use crate::base::Duration;

/// Limits and times of a [`Hub`](super::Hub).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long a session may stay without having entered a namespace; then it is closed.
    pub connect_timeout: Duration,
    /// How a broken connection comes back; `None` for plain Socket.IO, where it does not.
    pub recovery: Option<Recovery>,
    /// Milliseconds since 1970 at [`Instant::ZERO`](crate::base::Instant::ZERO), for the times in the log.
    pub epoch_ms: u64,
    /// Rooms of one socket, its own not counted; [`join`](super::Context::join) refuses more.
    pub rooms_per_socket: usize,
    /// Bytes of a room's name.
    pub room_name: usize,
    /// Bytes of the names of all rooms of one socket; and again as many of those that it has left, as far as it may
    /// still have to get something that was said in them.
    pub room_names: usize,
    /// Sockets in one namespace; more are refused with a CONNECT_ERROR.
    pub sockets_per_namespace: usize,
    /// Namespaces that one session may be in; more are refused with a CONNECT_ERROR.
    pub namespaces_per_session: usize,
    /// Rooms that one event may be addressed to, and as many that it may leave out, each counted once; an event with
    /// more is delivered to no socket.
    pub rooms_per_event: usize,
    /// Attachments of one event or question: a stock client closes its connection when there are more than ten
    /// (socket.io-parser since 4.2.6, 3.4.4 and 3.3.5). An event with more is neither kept nor delivered, and one that the
    /// log has from earlier is skipped; the answer to a client that would have more says so instead (`E_ATTACHMENTS`).
    pub attachments: usize,
    /// Bytes that the open questions of one socket may take, at 512 a question and 32 for each receiver who has been
    /// asked. One that would be too much is put to nobody, and all of its receivers count as missing; the first is
    /// always put. It is the asker who is bounded, so nobody can use up what others may ask; its questions end when it
    /// leaves. What the program asks of itself is not counted.
    pub ask_bytes: usize,
    /// Bytes that the answers to all open questions of one socket may hold together, or those to one question of the
    /// program itself; later answers count as missing.
    pub answer_bytes: usize,
    /// Bytes that may wait for one session. One that reads more slowly is cut off, and gets the rest from the log when
    /// it returns. A single packet is always taken when nothing waits.
    pub queue_bytes: usize,
    /// A volatile event is dropped when more bytes than this wait for its receiver.
    pub volatile_bytes: usize,
    /// Ids of senders' events that are remembered in each namespace, to drop copies. The longest takes 64 bytes.
    pub sender_ids: usize,
    /// Bytes that the events of one origin may add to the log of a namespace at once, and again in each three minutes, while
    /// sockets of other origins are there, whose missed events they would push out. What is beyond is refused
    /// (`E_RATE`). Half of [`Retention::bytes`](crate::chat::Retention::bytes) leaves an origin a quarter of what is kept
    /// for those three minutes.
    pub origin_bytes: usize,
    /// How many events each socket may send; `None` for no limit. Entering a namespace counts as one, except for a
    /// session's first; leaving and rejoining, or reconnecting, does not reset the
    /// limit.
    pub rate: Option<Rate>,
}

/// How a broken connection comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// For how long after the break. A restart of the program does not extend it.
    pub window: Duration,
    /// How long the old connection has to answer a ping when another one presents its secret; a slow one has four
    /// of its round trips, up to ten seconds. It counts from the last packet that came from it.
    pub probe: Duration,
    /// Sockets of one namespace that may be away; beyond it those are given up first that have nothing to miss, the one that has
    /// been away longest in front; then, of the origin whose sockets take most, the one that has been away longest.
    pub away: usize,
    /// Bytes that those of one namespace may take together, about; beyond it the same.
    pub away_bytes: usize,
    /// Bytes of missed events that are on their way to a returning client at a time.
    pub replay_bytes: usize,
    /// How many times in a row a client may return with the same offset, be sent what follows, and break off before any of
    /// it is known to have arrived. It seems to receive something that it cannot take, so the next return gets a new socket
    /// (`recovered: false`) instead of another replay.
    pub fruitless_returns: u32,
}

impl Recovery {
    /// How long to wait for the pong of a client that last took so long.
    pub(super) fn patience(&self, round_trip: Duration) -> Duration {
        self.probe.max((round_trip * 4).min(Duration::from_secs(10)))
    }
}

/// A token bucket: `burst` at once, then `per_second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Events a second, in the long run.
    pub per_second: u32,
    /// Events that may be sent at once.
    pub burst: u32,
}

impl Default for Recovery {
    fn default() -> Self {
        Recovery {
            window: Duration::from_secs(120),
            probe: Duration::from_millis(750),
            away: 100_000,
            away_bytes: 128 << 20,
            replay_bytes: 256 << 10,
            fruitless_returns: 10,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            connect_timeout: Duration::from_secs(45),
            recovery: Some(Recovery::default()),
            epoch_ms: 0,
            rooms_per_socket: 256,
            room_name: 256,
            room_names: 16 << 10,
            sockets_per_namespace: 100_000,
            namespaces_per_session: 16,
            rooms_per_event: 1024,
            attachments: 10,
            ask_bytes: 4 << 20,
            answer_bytes: 16 << 20,
            queue_bytes: 4 << 20,
            volatile_bytes: 4 << 10,
            sender_ids: 100_000,
            origin_bytes: 32 << 20,
            rate: None,
        }
    }
}
