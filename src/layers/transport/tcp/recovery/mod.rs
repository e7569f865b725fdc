//! What a sender needs to repair losses: a memory of what it sent, and an estimate of how long an ACK takes.

mod fast;
mod frto;
mod prr;
mod rack;
mod rtt;
mod sent;

pub(super) use fast::FastRecovery;
pub(super) use frto::{Frto, Verdict};
pub(super) use prr::{Progress, Prr};
pub(super) use rack::Tail;
pub(super) use rtt::Rtt;
pub(super) use sent::{Resend, Sent};
