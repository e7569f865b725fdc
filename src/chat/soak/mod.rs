//! Proof that nothing is lost: a client that does everything a client can do, and a checker that is given all of it.
//!
//! A [`Talker`] joins, talks, leaves and returns; whatever drives it moves its bytes and breaks its connections. It
//! tells the [`Checker`] what it did and received, and the checker says whether the server kept its promise.
//! `benches/soak` plays a thousand of them on real sockets, `tests/events/soak.rs` a hundred in the simulator, and
//! proves there that the checker can fail.

mod checker;
mod talker;

pub use checker::{Checker, Counts, Id, Visit};
pub use talker::{Sabotage, Talker, Upgrade, Wish};
