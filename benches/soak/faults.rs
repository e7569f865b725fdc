//! The ways in which connections break, and what strangers send.

use netlayers::base::Rng;

use netlayers::chat::soak::Upgrade;

/// A fault of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The session is closed in the words of its protocols, as a stock client's `engine.close()` does.
    HangUp,
    /// Its streams end without a word.
    Fin,
    /// TCP reset: what is in the kernel's buffers is thrown away, in both directions.
    Reset,
    /// TCP reset in the middle of a frame or a request.
    Torn,
    /// The client is silent and deaf, and no packet says so.
    HalfOpen,
    /// The client stops reading for some seconds.
    Slow,
    /// The client says goodbye, and comes back as somebody new.
    Quit,
    /// The connection of a GET that waits is reset.
    CutGet,
    /// Something happens to the next request.
    Ambush(Ambush),
}

/// What befalls a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ambush {
    /// A part of the answer to a GET comes.
    TearGet,
    /// A part of a POST is sent.
    TearPost,
    /// A POST is sent, and its answer does not come.
    LoseAnswer,
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
    pub(crate) get_cut: u32,
    pub(crate) get_torn: u32,
    pub(crate) post_torn: u32,
    pub(crate) answer_lost: u32,
    /// An upgrade was cut, at each of its [steps](Upgrade::STEPS).
    pub(crate) upgrade_cut: [u32; 5],
    pub(crate) killed: u32,
    pub(crate) junk: u32,
}

impl Fault {
    /// One by chance. A client that has been half-open once hears something before it is so again: see the checker.
    /// One that polls can be half-open whenever it breaks off: while the server has no request of it in hand, nothing
    /// tells the server.
    pub(crate) fn choose(rng: &mut Rng, has_heard: bool, polls: bool) -> Self {
        match rng.below(if polls { 28 } else { 20 }) {
            0..4 => Fault::HangUp,
            13..16 if has_heard => Fault::HalfOpen,
            13..19 => Fault::Slow,
            19 => Fault::Quit,
            _ if polls && !has_heard => Fault::Slow,
            4..7 => Fault::Fin,
            7..11 => Fault::Reset,
            11..13 => Fault::Torn,
            20..22 => Fault::CutGet,
            22..24 => Fault::Ambush(Ambush::TearGet),
            24..26 => Fault::Ambush(Ambush::TearPost),
            _ => Fault::Ambush(Ambush::LoseAnswer),
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
            Fault::CutGet => &mut self.get_cut,
            Fault::Ambush(Ambush::TearGet) => &mut self.get_torn,
            Fault::Ambush(Ambush::TearPost) => &mut self.post_torn,
            Fault::Ambush(Ambush::LoseAnswer) => &mut self.answer_lost,
        } += 1;
    }

    pub(crate) fn count_upgrade(&mut self, step: Upgrade) {
        if let Some(at) = Upgrade::STEPS.iter().position(|known| *known == step) {
            self.upgrade_cut[at] += 1;
        }
    }
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
