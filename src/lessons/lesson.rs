//! What a lesson is: plain data with one function.

use serde::Serialize;

use super::knob::{Knob, Scenario};
use super::stage::{Performance, Stage};
use crate::base::Layer;
use crate::trace::Way;

/// A lesson. Everything a list, a book or a teacher needs stands here; the story is in [`script`](Lesson::script).
#[derive(Debug, Clone, Copy)]
pub struct Lesson {
    /// Its name on the command line and in links: lower case, no spaces; also the name of its file.
    pub id: &'static str,
    /// Its place in the course, from 1 (`CURRICULUM`).
    pub number: u8,
    /// What it is about.
    pub title: &'static str,
    /// The layer it is mostly about.
    pub layer: Layer,
    /// How long it takes in class, in minutes.
    pub minutes: u8,
    /// What many believe before it, as they would say it.
    pub misconception: &'static str,
    /// Where it can be read up: at least one with a section.
    pub cites: &'static [Cite],
    /// What can be turned.
    pub knobs: &'static [Knob],
    /// For whoever stands in front of the class.
    pub teacher: Teacher,
    /// What the operating system's own sockets can show of it, if they can.
    pub real: Option<RealScene>,
    /// The story.
    pub script: fn(&mut Stage),
}

/// Where something can be read up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cite {
    /// The document, such as `RFC 9293`.
    pub document: &'static str,
    /// The section in it, such as `3.5` or `appendix B`; empty for the whole document.
    pub section: &'static str,
    /// What stands there, as a phrase.
    pub what: &'static str,
}

/// What a teacher needs beside the lesson itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Teacher {
    /// A question for vote, discussion with the neighbour, and a second vote.
    pub vote: &'static str,
    /// The choices of the vote.
    pub choices: &'static [&'static str],
    /// What to say when the run surprises the class.
    pub surprise: &'static str,
}

/// What the operating system's sockets can show of a lesson. `cli` runs it, for a lesson knows no real socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealScene {
    /// The knob `text` is sent one way, as `compare --wire real` does.
    Message(Way),
    /// The knob `size` as one UDP datagram, and one that is too large.
    BigDatagram,
    /// As many clients of one listener as the knob `clients` says.
    ManyClients,
    /// Datagrams that wait, a read with too little room, and a port that nobody has.
    Datagrams,
    /// The knobs `writes` and `each`, and one read when all has arrived.
    LateRead,
    /// The knob `size` in one write, with the MSS of loopback and with that of the knob `mss`.
    OneWrite,
    /// The opening handshake of WebSocket, and requests that are refused.
    Upgrade,
    /// The knob `text` as WebSocket frames, both ways.
    Frames,
    /// A ping between fragments, both ends at once, and the end.
    Control,
    /// A client connects and writes while the server's program has not called `accept()`.
    ConnectBeforeAccept,
}

impl Lesson {
    /// Plays the lesson. Nothing is printed: what there is to see is in the beats.
    pub fn play(&'static self, scenario: &Scenario) -> Performance {
        let mut stage = Stage::new(self, scenario.clone());
        (self.script)(&mut stage);
        stage.end()
    }

    /// The command that runs it.
    pub fn command(&self) -> String {
        format!("netlayers lesson {}", self.number)
    }
}

impl std::fmt::Display for Cite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.section {
            "" => write!(f, "{}: {}", self.document, self.what),
            section if section.starts_with(|c: char| c.is_ascii_digit()) => {
                write!(f, "{} §{section}: {}", self.document, self.what)
            }
            section => write!(f, "{}, {section}: {}", self.document, self.what),
        }
    }
}
