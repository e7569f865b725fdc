//! Exercise of lesson 18: judge the payload of a Close frame.
//!
//! Read first: RFC 6455 §5.5.1 and §7.4. Left out: the reason's text, beyond that it must be UTF-8.

use super::check::ANSWER;
use super::{Case, Exercise, Fact, Program, Shown, Step, bytes, hex, not_understood};
use crate::layers::application::websocket::CloseReason;

pub(super) const EXERCISE: Exercise = Exercise {
    id: "close_codes",
    lesson: "control",
    title: "judge a Close frame",
    task: "You are given the payload of a Close frame that a peer sent. Say which code the program gets, and what code the \
           connection ends with when the peer broke a rule: 1002, or 1007 for a reason that is not UTF-8 (RFC 6455 \
           §5.5.1, §7.4).",
    hints: &[
        "No payload at all is allowed. The program then gets 1005: a code that is never sent, for \"there was none\".",
        "Otherwise the first two bytes are the code, the more significant one first; one byte alone is half a code, \
         which is a broken rule: 1002.",
        "Codes that may be sent: 1000 to 1003, 1007 to 1014, 3000 to 4999. All others are a broken rule: 1002. \
         In Rust \
         `matches!(code, 1000..=1003 | ...)` says it in one line.",
        "The reason follows the code. When it is not UTF-8, std::str::from_utf8(reason) of Rust is an error, and so are \
         reason.decode() of Python and new TextDecoder(\"utf-8\", {fatal: true}).decode(reason) of JavaScript: then 1007.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What becomes of a Close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It is in order, and the program gets this code.
    Told(u16),
    /// It breaks a rule, and the connection ends with this code.
    Failed(u16),
}

/// The answer to a line of the check, which is `close` and a payload in hexadecimal.
pub fn answer(line: &str, judge: impl Fn(&[u8]) -> Judged) -> String {
    let payload = line.trim().strip_prefix("close ").and_then(bytes);
    let Some(payload) = payload else { return not_understood("close 03e8") };
    let facts: Vec<String> =
        facts(judge(&payload)).iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
    format!("{ANSWER}{}", facts.join(" "))
}

fn facts(judged: Judged) -> Vec<Fact> {
    match judged {
        Judged::Told(code) => vec![Fact::new("told", code).at(0..2)],
        Judged::Failed(code) => vec![Fact::new("failed", code).at(0..2)],
    }
}

fn cases() -> Vec<Case> {
    let case = |hint, title, why, payload: &[u8]| Case { title, hint, steps: vec![step(payload, why)] };
    let code = |code: u16| code.to_be_bytes();
    vec![
        case(1, "1000", "The purpose is fulfilled: the most common end (RFC 6455 §7.4.1).", &code(1000)),
        case(
            1,
            "1001, and a reason",
            "Words for a log follow the code.",
            &[&code(1001)[..], b"bye"].concat(),
        ),
        case(0, "no payload", "Allowed; the program gets 1005 (RFC 6455 §7.1.5).", &[]),
        case(1, "half a code", "A payload begins with two bytes of code (RFC 6455 §5.5.1).", &[3]),
        case(2, "1005", "It means \"no code\", so it is never sent (RFC 6455 §7.4.1).", &code(1005)),
        case(2, "1006", "It means \"no Close frame\", so none can carry it (RFC 6455 §7.4.1).", &code(1006)),
        case(2, "1011", "A server met a problem of its own (RFC 6455 §7.4.1).", &code(1011)),
        case(2, "999", "Below 1000 there are no codes (RFC 6455 §7.4.2).", &code(999)),
        case(
            2,
            "2999",
            "1000 to 2999 are the protocol's, and this one has no meaning yet (RFC 6455 §7.4.2).",
            &code(2999),
        ),
        case(2, "3000", "From here on they belong to libraries (RFC 6455 §7.4.2).", &code(3000)),
        case(2, "4999", "The last one of those that programs may agree on (RFC 6455 §7.4.2).", &code(4999)),
        case(2, "5000", "There is nothing beyond 4999 (RFC 6455 §7.4.2).", &code(5000)),
        case(
            3,
            "a reason that is not UTF-8",
            "Text is UTF-8 also here; what is not ends with 1007 (RFC 6455 §5.5.1, §8.1).",
            &[&code(1000)[..], b"\xff"].concat(),
        ),
    ]
}

/// A step whose expected answer is what our own machine makes of the payload.
fn step(payload: &[u8], why: &'static str) -> Step {
    let judged = match CloseReason::parse(&::bytes::Bytes::copy_from_slice(payload), 0) {
        Ok(reason) => Judged::Told(reason.code.0),
        Err(failure) => Judged::Failed(failure.code.map_or(0, |code| code.0)),
    };
    Step {
        input: format!("close {}", hex(payload)),
        told: match payload.len() {
            0 => "no bytes".into(),
            1 => "1 byte".into(),
            many => format!("{many} bytes"),
        },
        shown: Shown::Bytes(payload.to_vec()),
        expected: facts(judged),
        why,
    }
}
