//! Active queue management: what a queue does before it is full (RFC 7567).
//!
//! A queue is there for bursts. A sender that fills it until something is lost turns it into delay for everyone, and a
//! full queue loses what comes in bursts. So a queue can speak earlier, by dropping a frame, or by marking the packet in
//! it when its ends understand marks (RFC 3168 §5).
//!
//! | name | it speaks when | file |
//! |---|---|---|
//! | `droptail` | it is full | here |
//! | `red` | it is long on average: the longer, the likelier | `red.rs` |
//! | `codel` | everything in it has waited too long for a while | `codel.rs` |

mod codel;
mod red;

pub use codel::CoDel;
pub use red::Red;

use crate::base::{Duration, Instant, Rng};

/// How a queue is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aqm {
    /// Whatever finds no room is dropped.
    #[default]
    DropTail,
    /// Random early detection: see [`Red`].
    Red,
    /// Controlled delay: see [`CoDel`].
    CoDel,
}

impl Aqm {
    /// All of them, by name.
    pub const ALL: [(&str, Aqm); 3] = [("droptail", Aqm::DropTail), ("red", Aqm::Red), ("codel", Aqm::CoDel)];

    /// Its name.
    pub fn name(self) -> &'static str {
        Aqm::ALL.iter().find(|(_, aqm)| *aqm == self).map_or("", |(name, _)| name)
    }
}

/// The queue as a frame finds it.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// When the frame arrives at the queue.
    pub now: Instant,
    /// When it will leave it.
    pub leaves: Instant,
    /// Frames before it.
    pub frames: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Since when the queue is empty, if it is.
    pub idle_since: Instant,
    /// How long a full frame takes to leave.
    pub frame_time: Duration,
    /// Bytes of a full frame.
    pub full_frame: usize,
}

/// What becomes of a frame. Why, is for the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It waits for its turn.
    Pass,
    /// The same, and the packet in it is marked if it can be, or else the frame is dropped.
    Speak(&'static str),
    /// It is dropped, mark or no mark.
    Drop(&'static str),
}

/// The manager of one queue.
#[derive(Debug)]
pub enum Manager {
    /// See [`Aqm::DropTail`].
    DropTail,
    /// See [`Red`].
    Red(Red),
    /// See [`CoDel`].
    CoDel(CoDel),
}

impl Manager {
    /// For a queue that holds `room` frames.
    pub fn new(aqm: Aqm, room: usize) -> Self {
        match aqm {
            Aqm::DropTail => Manager::DropTail,
            Aqm::Red => Manager::Red(Red::new(room)),
            Aqm::CoDel => Manager::CoDel(CoDel::default()),
        }
    }

    /// Judges a frame for which there is room.
    pub fn judge(&mut self, found: &Found, rng: &mut Rng) -> Judgement {
        match self {
            Manager::DropTail => Judgement::Pass,
            Manager::Red(red) => red.judge(found, rng),
            Manager::CoDel(codel) => codel.judge(found),
        }
    }

    /// Whether it drops frames as they leave the queue, and not as they come.
    pub fn drops_at_the_head(&self) -> bool {
        matches!(self, Manager::CoDel(_))
    }
}
