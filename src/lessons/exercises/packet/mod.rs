//! Exercise of lesson 20: take a Socket.IO packet apart.
//!
//! Read first: the Socket.IO protocol, revision 5, "Packet encoding". Left out: attachments (types 5 and 6), and
//! whether what follows is JSON.

use super::check::ANSWER;
use super::{Case, Exercise, Fact, Program, Shown, Step, not_understood};
use crate::layers::application::socketio::{Decoder, Kind as PacketKind, Limits, Packet};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "packet",
    lesson: "socketio",
    title: "take a packet apart",
    task: "You are given the text of one WebSocket message, such as 42[\"echo\",\"one\"]. Say what kind of packet it \
           is, for which namespace, which number it has if any, and what it carries; and refuse what is none. How a \
           packet is written is at the top of the file (Socket.IO protocol, revision 5).",
    hints: &[
        "Take the text from the left, one thing after the other: each thing that you recognise is cut off, and the \
         rest goes on.",
        "The first digit is Engine.IO's: what does not begin with 4 is no message. The digit after it is the kind. In Rust \
         text.strip_prefix('4') gives what follows, or None.",
        "A namespace begins with / and ends before the next comma, or at the end of the text. Without one it is \
         \"/\". Look for the comma only if there is a /: there may be commas in the JSON.",
        "The number of an answer is all digits before the JSON: find the first character that is not a digit.",
        "In Rust rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()) is where the digits end; in Python \
         rest.lstrip(\"0123456789\") is what follows them; in JavaScript /^[0-9]*/.exec(rest) finds them. No digits: no \
         number.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What a packet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What kind it is.
    pub kind: Kind,
    /// The namespace it belongs to.
    pub namespace: String,
    /// The number of an event that wants an answer, or of the answer.
    pub ack: Option<u64>,
    /// What follows: JSON, or nothing.
    pub data: String,
}

/// The kinds of packets that carry no bytes, by their digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 0
    Connect,
    /// 1
    Disconnect,
    /// 2
    Event,
    /// 3
    Ack,
    /// 4
    ConnectError,
}

/// Why a text is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is no message of Engine.IO: it does not begin with 4.
    NoMessage,
    /// It is one, and its kind is unknown.
    NoKind,
}

/// The answer to a line of the check, which is `packet` and the text of a message.
pub fn answer(line: &str, parse: impl Fn(&str) -> Result<Parsed, Refused>) -> String {
    let Some(text) = line.trim_end_matches(['\r', '\n']).strip_prefix("packet ") else {
        return not_understood("packet 42[\"echo\",\"one\"]");
    };
    let facts: Vec<String> =
        facts(&parse(text)).iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
    format!("{ANSWER}{}", facts.join(" "))
}

fn facts(result: &Result<Parsed, Refused>) -> Vec<Fact> {
    match result {
        Ok(parsed) => vec![
            Fact::new("kind", format!("{:?}", parsed.kind).to_lowercase()),
            Fact::new("namespace", or_none(&parsed.namespace)),
            Fact::new("ack", parsed.ack.map_or_else(|| "-".into(), |ack| ack.to_string())),
            Fact::new("data", or_none(&parsed.data)),
        ],
        Err(Refused::NoMessage) => vec![Fact::new("refused", "no_message")],
        Err(Refused::NoKind) => vec![Fact::new("refused", "no_kind")],
    }
}

/// A text as one word of an answer.
fn or_none(text: &str) -> String {
    if text.is_empty() { "-".into() } else { text.replace(' ', "_") }
}

fn cases() -> Vec<Case> {
    const EVENT: &str = "4 is Engine.IO's digit for a message, 2 Socket.IO's for an event; the rest is JSON.";
    const NAMESPACE: &str = "It begins with / and ends before the comma, which belongs to neither.";
    const ACK: &str =
        "Digits before the JSON are a number: the sender waits for an answer with the same one.";
    const OTHERS: &str = "Engine.IO has messages of its own, which Socket.IO never sees.";
    let case = |hint, title, text: &str, why| Case { title, hint, steps: vec![step(text, why)] };
    vec![
        case(0, "an event", r#"42["echo","one"]"#, EVENT),
        case(1, "a client enters", "40", "0 is CONNECT. Without a namespace it is the main one, /."),
        case(
            1,
            "the server lets it in",
            r#"40{"sid":"x7"}"#,
            "The same digit, and what the server says to it.",
        ),
        case(2, "an event of a namespace", r#"42/staff,["news"]"#, NAMESPACE),
        case(3, "an event that wants an answer", r#"4217["say","hi"]"#, ACK),
        case(3, "the answer", r#"4317["taken"]"#, "3 is ACK, and 17 the number of what it answers."),
        case(3, "both", r#"42/staff,8["say"]"#, "First the namespace, then the number."),
        case(
            2,
            "a comma in the JSON",
            r#"42["a,b","/c,d"]"#,
            "No / before the JSON: no namespace to look for.",
        ),
        case(2, "a client leaves a namespace", "41/staff,", "1 is DISCONNECT, and nothing follows."),
        case(2, "a namespace at the end", "40/staff", "Without anything after it the comma may be missing."),
        case(1, "a refusal", r#"44{"message":"no"}"#, "4 is CONNECT_ERROR. The first 4 was Engine.IO's."),
        case(1, "a ping", "2", OTHERS),
        case(1, "hello", "hello", "A plain WebSocket client says that. It is no message of Engine.IO."),
        case(1, "nothing", "", "There is no digit at all."),
        case(1, "an unknown kind", "49[]", "Kinds go from 0 to 6, and 5 and 6 carry bytes."),
    ]
}

/// A step whose expected answer is what our stack makes of the text.
fn step(text: &str, why: &'static str) -> Step {
    Step {
        input: format!("packet {text}"),
        told: if text.is_empty() { "an empty message".into() } else { format!("the message {text}") },
        shown: Shown::Lines(vec![text.to_owned()]),
        expected: facts(&as_our_stack_reads_it(text)),
        why,
    }
}

fn as_our_stack_reads_it(text: &str) -> Result<Parsed, Refused> {
    let packet = text.strip_prefix('4').ok_or(Refused::NoMessage)?;
    let Ok(Some(Packet { namespace, kind })) = Decoder::new(Limits::default()).text(packet) else {
        return Err(Refused::NoKind);
    };
    let (kind, ack, plain) = match kind {
        PacketKind::Connect(data) => (Kind::Connect, None, PacketKind::Connect(data)),
        PacketKind::Disconnect => (Kind::Disconnect, None, PacketKind::Disconnect),
        PacketKind::Event { name, args, ack } => {
            (Kind::Event, ack, PacketKind::Event { name, args, ack: None })
        }
        // An answer is not written without its number, which is cut off below.
        PacketKind::Ack { id, args } => (Kind::Ack, Some(id), PacketKind::Ack { id, args }),
        PacketKind::ConnectError(data) => (Kind::ConnectError, None, PacketKind::ConnectError(data)),
    };
    let written = Packet::new("/", plain).encode().text;
    let data = written.as_str()[1..].trim_start_matches(|c: char| kind == Kind::Ack && c.is_ascii_digit());
    Ok(Parsed { kind, namespace, ack, data: data.to_owned() })
}
