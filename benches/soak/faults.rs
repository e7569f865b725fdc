//! The ways in which connections break, and what strangers send.

use netlayers::base::{Instant, Rng};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::Shared;
use super::talker::Talker;

/// A fault of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The session is closed in the words of its protocols, as a stock client's `engine.close()` does.
    HangUp,
    /// The stream ends without a word.
    Fin,
    /// TCP reset: what is in the kernel's buffers is thrown away, in both directions.
    Reset,
    /// TCP reset in the middle of a frame.
    Torn,
    /// The client is silent and deaf, and no packet says so.
    HalfOpen,
    /// The client stops reading for some seconds.
    Slow,
    /// The client says goodbye, and comes back as somebody new.
    Quit,
}

/// How many there were of each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) hung_up: u32,
    pub(crate) ended: u32,
    pub(crate) reset: u32,
    pub(crate) torn: u32,
    pub(crate) half_open: u32,
    pub(crate) slow: u32,
    pub(crate) quit: u32,
    pub(crate) killed: u32,
    pub(crate) junk: u32,
}

impl Fault {
    /// One by chance. A client that has been half-open once hears something before it is so again: see `checker.rs`.
    pub(crate) fn choose(rng: &mut Rng, has_heard: bool) -> Self {
        match rng.below(20) {
            0..4 => Fault::HangUp,
            4..7 => Fault::Fin,
            7..11 => Fault::Reset,
            11..13 => Fault::Torn,
            13..16 if has_heard => Fault::HalfOpen,
            13..19 => Fault::Slow,
            _ => Fault::Quit,
        }
    }
}

impl Faults {
    pub(crate) fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::HangUp => &mut self.hung_up,
            Fault::Fin => &mut self.ended,
            Fault::Reset => &mut self.reset,
            Fault::Torn => &mut self.torn,
            Fault::HalfOpen => &mut self.half_open,
            Fault::Slow => &mut self.slow,
            Fault::Quit => &mut self.quit,
        } += 1;
    }
}

/// Ends a connection.
pub(crate) async fn break_off(
    fault: Fault,
    talker: &mut Talker,
    stream: &mut TcpStream,
    now: Instant,
    shared: &Shared,
) {
    match fault {
        Fault::HangUp => {
            talker.hang_up(now);
            let _ = stream.write_all(&talker.output()).await;
        }
        Fault::Torn => {
            talker.turn(now, &mut shared.borrow_mut().checker);
            let output = talker.output();
            let _ = stream.try_write(&output[..output.len() / 2]);
            reset(stream);
        }
        Fault::Reset => reset(stream),
        Fault::Fin | Fault::HalfOpen | Fault::Slow | Fault::Quit => {}
    }
}

/// With no time to linger, closing a socket resets its connection (RFC 9293 §3.10.4, ABORT).
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
}

/// What somebody may send who means no good, or knows no better.
pub(crate) fn junk(rng: &mut Rng) -> Vec<u8> {
    let request = |rest: &str| format!("GET /socket.io/?EIO=4&transport={rest}").into_bytes();
    match rng.below(8) {
        0 => (0..200).map(|_| rng.next_u64() as u8).collect(),
        1 => request(&"x".repeat(20_000)),
        2 => request("polling HTTP/1.1\r\nHost: h\r\n\r\n"),
        3 => request("websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"),
        4 => b"POST /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: h\r\nContent-Length: \
               99999999999\r\n\r\n"
            .to_vec(),
        5 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        6 => request("polling HTTP/1.1\r\nHost: h\r\nOrigin: http://evil.example\r\n\r\n"),
        _ => Vec::new(),
    }
}
