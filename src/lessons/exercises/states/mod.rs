//! Exercise of lesson 14: from ESTABLISHED to CLOSED.
//!
//! Read first: RFC 9293 §3.3.2 (the diagram), §3.6 (closing), §3.10.7.4, eighth. Left out: opening, RST, timeouts other
//! than 2 MSL.

use super::{Case, Exercise, Fact, Program, answer_to, line};
use crate::layers::transport::tcp::{Cause, State};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "states",
    lesson: "closing",
    title: "from ESTABLISHED to CLOSED",
    task: "A line has a state and an event: close (the program closes), fin (the FIN of the other end arrives), ack \
           (the ACK of our FIN arrives) or 2msl (two maximum segment lifetimes have passed). Say the state after it, \
           and what is sent because of it: FIN, ACK or nothing (RFC 9293 §3.6).",
    hints: &[
        "The end that closes first sends a FIN and waits for two things: the ACK of it, and the FIN of the other end. \
         FIN-WAIT-2 means that the ACK has come.",
        "The end that closes second has acknowledged a FIN: CLOSE-WAIT, where its program may still send. When that \
         closes, its own FIN goes out, and LAST-ACK waits for the ACK of it.",
        "When both FINs cross, each end gets a FIN before the ACK of its own: CLOSING. The ACK then leads to \
         TIME-WAIT.",
        "A FIN that comes again was acknowledged before, and that ACK was lost: acknowledge it again, and stay. \
         TIME-WAIT ends by the clock.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// The states and the events of the check, as a line of it names them.
const STATES: &[State] = &[
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::TimeWait,
];

/// The answer to a line of the check, which is `in STATE EVENT`.
pub fn answer(line: &str, after: impl for<'a> Fn(&'a str, &str) -> (&'a str, &'static str)) -> String {
    answer_to(line, "in ESTABLISHED close", |words| {
        let ["in", state, event] = words else { return None };
        let state = STATES.iter().find(|known| known.name() == *state)?;
        let (state, sends) = after(state.name(), event);
        Some(vec![Fact::new("state", state), Fact::new("sends", sends)])
    })
}

fn cases() -> Vec<Case> {
    const CLOSE: &str = "The program has nothing more to send: a FIN says so (RFC 9293 §3.6, case 1).";
    const FIN: &str = "A FIN is acknowledged, like data (RFC 9293 §3.10.7.4, eighth).";
    const ACK: &str = "Our FIN has arrived (RFC 9293 §3.10.7.4, fifth).";
    const CLOCK: &str = "Nothing of this connection can be on its way any more (RFC 9293 §3.6.1).";
    const AGAIN: &str = "It was acknowledged before, and that ACK was lost (RFC 9293 §3.10.7.4, eighth).";
    let why = |event: &str| match event {
        "close" => CLOSE,
        "fin" => FIN,
        "ack" => ACK,
        _ => CLOCK,
    };
    // A way through the diagram: our own machine says where each event leads.
    let way = |hint, title, events: &[&str]| {
        let mut state = State::Established;
        let step = |event: &&str| {
            let (cause, sends) = match *event {
                "close" => (Cause::Close, "FIN"),
                "fin" => (Cause::Fin, "ACK"),
                "ack" => (Cause::AckOfFin, "nothing"),
                _ => (Cause::TwoMsl, "nothing"),
            };
            let next = state.after(cause);
            let why = if next.is_none() { AGAIN } else { why(event) };
            let input = format!("in {} {event}", state.name());
            state = next.unwrap_or(state);
            line(input, vec![Fact::new("state", state.name()), Fact::new("sends", sends)], why)
        };
        Case { title, hint, steps: events.iter().map(step).collect() }
    };
    vec![
        way(0, "this end closes first", &["close", "ack", "fin", "2msl"]),
        way(1, "the other end closes first", &["fin", "close", "ack"]),
        way(2, "both at once", &["close", "fin", "ack", "2msl"]),
        way(3, "the last ACK is lost", &["close", "ack", "fin", "fin", "2msl"]),
        way(3, "an ACK is lost while the program still sends", &["fin", "fin", "close", "ack"]),
    ]
}
