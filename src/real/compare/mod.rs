//! One message, three ways, on the operating system's own sockets: the real counterpart of the simulated scenes.
//!
//! Client and server are two tasks of one program that talk over the loopback interface, 127.0.0.1. The kernel does
//! what our stack does in the simulator, and hides it: no frame is seen, only the program's own system calls, when
//! they happened, and what the kernel says of itself afterwards ([`KernelFigures`]). So the trace has no `Sent` and no
//! `Delivered`, and a time in it is when the program made the call.
//!
//! Both tasks share one thread: there is one clock and one order of events. The price is that they take turns, and
//! that every time measured here has this program's own work in it.

pub(in crate::real) mod observed;
pub(in crate::real) mod stage;
mod tcp;
mod udp;
mod websocket;

#[cfg(test)]
mod tests;

use bytes::Bytes;

use self::stage::Stage;
pub(in crate::real) use self::tcp::{Pair, connect, read_to_end};
pub(in crate::real) use self::websocket::{builder, echo};
use super::clock::std_duration;
use super::error::{During, RealError};
use super::kernel_figures::KernelFigures;
use crate::base::Duration;
use crate::trace::{Outcome, Run, Way};

/// What can be turned at a run on real sockets.
#[derive(Debug, Clone)]
pub struct RealKnobs {
    /// Bytes of payload in one UDP datagram, at most: 1 to 65,507.
    pub datagram: usize,
    /// The largest TCP segment that the client announces (`TCP_MAXSEG`); `None` leaves it to the kernel.
    pub mss: Option<u16>,
    /// How long the whole run may take.
    pub timeout: Duration,
}

impl Default for RealKnobs {
    /// Datagrams that fit an Ethernet frame (1500 - 20 - 8), the kernel's MSS, and half a minute.
    fn default() -> Self {
        RealKnobs { datagram: 1472, mss: None, timeout: Duration::from_secs(30) }
    }
}

/// A run on real sockets, and what the kernel says of it.
#[derive(Debug, Clone)]
pub struct RealRun {
    /// What happened, and what came of it.
    pub run: Run,
    /// What the kernel says of both sockets.
    pub kernel: KernelFigures,
}

/// The longest message that is sent: a trace keeps every byte that was written and read.
pub const MAX_MESSAGE: usize = 16 << 20;

/// Sends one message one way over real sockets, and waits until all is over.
///
/// It starts a runtime of its own, so it must not be called from inside another one.
///
/// # Errors
/// When a knob is out of range, the system refuses a socket or a call, or the time runs out. A datagram that does not
/// arrive is no error: it is in the outcome.
pub fn run(way: Way, message: Bytes, knobs: &RealKnobs) -> Result<RealRun, RealError> {
    check(way, &message, knobs)?;
    let runtime = runtime()?;
    let stage = Stage::new(way);
    let (outcome, kernel) = runtime.block_on(async {
        let scene = async {
            match way {
                Way::Udp => udp::play(&stage, message, knobs).await,
                Way::Tcp => tcp::play(&stage, message, knobs).await,
                Way::WebSocket => websocket::play(&stage, message, knobs).await,
            }
        };
        let timed_out = RealError::TimedOut { step: "the run", limit: knobs.timeout };
        tokio::time::timeout(std_duration(knobs.timeout), scene).await.unwrap_or(Err(timed_out))
    })?;
    Ok(RealRun { run: Run { way, trace: stage.into_trace(), server: stage::SERVER, outcome }, kernel })
}

/// What a scene comes to.
type Played = Result<(Outcome, KernelFigures), RealError>;

fn check(way: Way, message: &Bytes, knobs: &RealKnobs) -> Result<(), RealError> {
    let wrong = |knob, got: String, why: String| Err(RealError::Knob { knob, got, why });
    if message.len() > MAX_MESSAGE {
        let why = format!("a trace keeps every byte, so send at most {MAX_MESSAGE}");
        return wrong("message", format!("{} bytes", message.len()), why);
    }
    if way != Way::Udp {
        return Ok(());
    }
    if !(1..=udp::MAX_DATAGRAM).contains(&knobs.datagram) {
        let why = format!(
            "a UDP datagram over IPv4 carries at most {} bytes (65,535 less both headers), and at least 1 to get on",
            udp::MAX_DATAGRAM
        );
        return wrong("datagram", format!("{} bytes", knobs.datagram), why);
    }
    let datagrams = message.len().div_ceil(knobs.datagram);
    if datagrams > udp::MAX_DATAGRAMS {
        let why = format!(
            "the message would be {datagrams} datagrams and the trace takes {}; ask for larger ones",
            udp::MAX_DATAGRAMS
        );
        return wrong("datagram", format!("{} bytes", knobs.datagram), why);
    }
    Ok(())
}

pub(in crate::real) fn runtime() -> Result<tokio::runtime::Runtime, RealError> {
    let step = "starting the runtime";
    if tokio::runtime::Handle::try_current().is_ok() {
        let source = std::io::Error::other("this thread runs one already");
        return Err(RealError::Io { step, source, next: "call `run` from a thread of its own" });
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .during(step, "see how many files this process may open (ulimit -n)")
}
