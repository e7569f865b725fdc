//! The fate of a frame in another future: what the network takes of a [fork](super::fork).

use super::fault::{Damage, Verdict};
use crate::base::Duration;
use crate::trace::FrameId;

/// Copies that a fork makes have numbers from here on, so that it changes those of no other frame.
pub(super) const COPIES: u64 = 1 << 48;

/// How the trace names what a fork does.
pub const NAME: &str = "what if";

/// What becomes of a frame instead of its own fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It arrives nowhere.
    Lost,
    /// It arrives later by this much than it would without faults.
    Late(Duration),
    /// It arrives two times.
    Twice,
    /// A bit of it is flipped on the wire, so that its frame check sequence no longer fits.
    Corrupt,
}

/// A fork as a network takes it: with the frame's own number, which no fork changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub(super) frame: FrameId,
    pub(super) fate: Fate,
}

impl Fate {
    pub(super) fn verdict(self, len: usize) -> Verdict {
        match self {
            Fate::Lost => Verdict::Drop,
            Fate::Late(extra) => Verdict::Delay(extra),
            Fate::Twice => Verdict::Duplicate,
            Fate::Corrupt => Verdict::Corrupt { byte: len / 2, bits: 1, place: Damage::Wire },
        }
    }

    /// As the end of a sentence: `is lost`, `arrives 200 ms late`.
    pub fn in_words(self) -> String {
        match self {
            Fate::Lost => "is lost".into(),
            Fate::Late(extra) => format!("arrives {extra} late"),
            Fate::Twice => "arrives twice".into(),
            Fate::Corrupt => "arrives with a bit flipped".into(),
        }
    }
}
