//! Exercise of lesson 3: an ARP cache that forgets.
//!
//! Read first: RFC 826, "Packet Reception", and RFC 1122 §2.3.2.1. Left out: packets that wait for an answer, giving up,
//! and any doubt about what others say.

use super::{Case, Exercise, Fact, Program, Step, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "arp_cache",
    lesson: "arp",
    title: "an ARP cache that forgets",
    task: "A host sends packets and hears ARP. For each packet say whether it goes, and in a frame to whom, or whether the \
           host asks, or waits for an answer; for each ARP packet, whether the host answers (RFC 826). An entry is \
           forgotten after a while, and no address is asked about more than once a second (RFC 1122 §2.3.2.1).",
    hints: &[
        "Two tables: of each address that is known, the MAC address and when it was heard; of each that was asked about, \
         when. A packet to a known one goes, to another the host asks.",
        "A question about an address that was asked about less than a second ago is not sent: wait. After a second it may \
         be asked again.",
        "An entry that was heard `lifetime` seconds ago, or more, is no entry any more: the host asks.",
        "Answer a request when its target is this host, and no other. A reply is never answered.",
        "Learn the sender of what is for this host, request or reply. Of what is for others, learn only new news of \
         a sender that is known already: its MAC address may have changed.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// It goes, in a frame to this MAC address.
    Goes(String),
    /// The host asks for the MAC address.
    Asks,
    /// The host has asked already, and waits.
    Waits,
}

/// A host, as far as ARP is concerned. Times are seconds, addresses are words.
pub trait Host {
    /// A host with this address, which believes what it has heard for `lifetime` seconds.
    fn begin(own: &str, lifetime: u32) -> Self;
    /// A packet is to go to a neighbour.
    fn send(&mut self, now: u32, ip: &str) -> Does;
    /// ARP was heard: a request or a reply, from whom, and about which address. Says whether it is answered.
    fn heard(&mut self, now: u32, is_request: bool, ip: &str, mac: &str, target: &str) -> bool;
}

/// The host under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<H>(Option<H>);

impl<H: Host> Session<H> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin OWN SECONDS`, `send SECOND ADDRESS`, or `request` or `reply`, `SECOND ADDRESS MAC
    /// TARGET`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin .1 60    and then: send 0 .2", |words| {
            let (word, words) = words.split_first()?;
            let does = match (*word, words, &mut self.0) {
                ("begin", [own, lifetime], state) => {
                    *state = Some(H::begin(own, lifetime.parse().ok()?));
                    "begins".to_owned()
                }
                ("send", [now, ip], Some(host)) => match host.send(now.parse().ok()?, ip) {
                    Does::Goes(mac) => format!("goes:{mac}"),
                    Does::Asks => "asks".into(),
                    Does::Waits => "waits".into(),
                },
                (kind @ ("request" | "reply"), [now, ip, mac, target], Some(host)) => {
                    let is_request = kind == "request";
                    match host.heard(now.parse().ok()?, is_request, ip, mac, target) {
                        true => "answers".into(),
                        false => "nothing".into(),
                    }
                }
                _ => return None,
            };
            Some(vec![Fact::new("does", does)])
        })
    }
}

fn cases() -> Vec<Case> {
    const BEGIN: &str = "The host is .1, and believes what it heard for 60 seconds. Addresses are shortened.";
    const NEW: &str = "Nobody has told where it is: ask all (RFC 826).";
    const KNOWN: &str = "It is in the table: no question is needed.";
    const LEARN: &str = "The answer is for us: it goes into the table, and is not answered (RFC 826).";
    const ASKED: &str = "We are asked for: answer, and keep the sender, for it will speak to us (RFC 826).";
    const OTHER: &str = "Another is asked for. Only that one answers (RFC 826).";
    const STRANGER: &str = "It was not for us, and its sender was in no entry: nothing was learnt (RFC 826).";
    const SOON: &str = "The last question is less than a second old (RFC 1122 §2.3.2.1).";
    const LATER: &str = "A second has passed: ask once more.";
    const OLD: &str = "What was heard 60 seconds ago is not believed any more (RFC 1122 §2.3.2.1).";
    const MOVED: &str = "A known sender has another MAC address: what was heard last counts (RFC 826).";
    let case = |hint, title, story: &[(&str, &str, &'static str)]| Case {
        title,
        hint,
        steps: std::iter::once(("begin .1 60", "begins", BEGIN))
            .chain(story.iter().copied())
            .map(|(input, does, why)| step(input, does, why))
            .collect(),
    };
    let ask = ("send 0 .2", "asks", NEW);
    let told = ("reply 0 .2 bb .1", "nothing", LEARN);
    vec![
        case(
            0,
            "ask, and be told",
            &[ask, told, ("send 0 .2", "goes:bb", KNOWN), ("send 59 .2", "goes:bb", KNOWN)],
        ),
        case(0, "two neighbours", &[ask, ("send 0 .3", "asks", NEW), told, ("send 1 .2", "goes:bb", KNOWN)]),
        case(
            1,
            "not too often",
            &[ask, ("send 0 .2", "waits", SOON), ("send 1 .2", "asks", LATER), ("send 1 .2", "waits", SOON)],
        ),
        case(2, "forgotten", &[ask, told, ("send 60 .2", "asks", OLD)]),
        case(
            2,
            "heard again in between",
            &[
                ask,
                told,
                ("request 50 .2 bb .1", "answers", ASKED),
                ("send 70 .2", "goes:bb", KNOWN),
                ("send 110 .2", "asks", OLD),
            ],
        ),
        case(
            3,
            "asked for",
            &[
                ("request 0 .2 bb .1", "answers", ASKED),
                ("request 0 .2 bb .3", "nothing", OTHER),
                ("reply 0 .2 bb .3", "nothing", OTHER),
            ],
        ),
        case(
            4,
            "the one who asks is known",
            &[("request 0 .2 bb .1", "answers", ASKED), ("send 1 .2", "goes:bb", KNOWN)],
        ),
        case(
            4,
            "strangers are not kept",
            &[("request 0 .2 bb .3", "nothing", OTHER), ("send 1 .2", "asks", STRANGER)],
        ),
        case(
            4,
            "an interface was replaced",
            &[ask, told, ("request 5 .2 cc .3", "nothing", OTHER), ("send 6 .2", "goes:cc", MOVED)],
        ),
    ]
}

fn step(input: &str, does: &str, why: &'static str) -> Step {
    line(input, vec![Fact::new("does", does)], why)
}
