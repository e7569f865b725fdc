//! The event system: what programs say to each other when they speak of *events* and not of bytes.
//!
//! It is built on Socket.IO's packets and knows no transport: sessions open, packets come, packets go. Read in this
//! order:
//!
//! | concept | where |
//! |---|---|
//! | listeners by name: `on`, `once`, `off`, `emit` | [`Pool`] in `pool.rs` |
//! | the kept events, their order, how long they stay | [`EventLog`] and its kinds in `log/` |
//! | the sockets that may come back | [`Sessions`] in `sessions.rs` |
//! | what a client sees of an offset | [`offset_number`] in `offset.rs` |
//! | rooms, namespaces, acknowledgements, receivers | [`hub`] |
//! | the hub on top of Engine.IO: a whole server but for its sockets | [`Gateway`] in `gateway.rs` |
//! | the other end: a client that reconnects by itself | [`client`] |
//! | what a client does to lose nothing and take nothing twice | [`delivery`] |
//! | the chat itself: names, rooms, private messages, history | [`lounge`] |
//! | a client and a checker, to prove that nothing is lost | [`soak`] |
//! | a hub and its clients in one program, without a network | [`Local`] |
//!
//! The same hub runs in the simulator and behind real sockets; its log is in memory or, in `real`, on disk, and in the
//! simulator several hubs may be on one.

pub mod client;
pub mod delivery;
mod gateway;
pub mod hub;
mod local;
mod log;
pub mod lounge;
mod offset;
mod pool;
pub mod sessions;
pub mod soak;

pub use delivery::Delivery;
pub use gateway::Gateway;
pub use hub::{
    Ack, Answers, Broadcast, Config, Context, Emitted, Entry, Hello, Hub, Input, JoinError, Namespace,
    Output, PastEvent, Random, Rate, Reason, Recovery, Refusal, SessionId,
};
pub use local::Local;
#[cfg(feature = "real")]
pub(crate) use log::RoomIndex;
pub use log::{
    Commit, Draft, EventLog, MemoryLog, Outcome, Record, Retention, RoomPage, SharedLog, Stamp, Stream,
    StreamDelays, Stretch, Token,
};
pub use offset::offset_number;
pub use pool::{ListenerId, Pool, PoolFull};
pub use sessions::{Handover, MemorySessions, Notice, Saved, SavedRoom, Sessions};
