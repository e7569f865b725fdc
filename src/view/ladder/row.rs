//! The rows of a ladder, as data: what happened at one moment, before anything is drawn.

use crate::base::{Duration, Instant};
use crate::trace::PlaceId;
use crate::view::sheet::Subject;

/// One step down the ladder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<'a> {
    /// When it happened.
    pub(super) at: Instant,
    /// What went onto the wire, or came off it late.
    pub(super) arrow: Option<Arrow<'a>>,
    /// What hosts did at the same moment, at most one thing each.
    pub(super) remarks: Vec<Remark<'a>>,
    /// How many of them happened before the arrow: a write stands above what it sent.
    pub(super) before: usize,
}

/// One arrow from host to host.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arrow<'a> {
    /// Where it starts.
    pub(super) from: PlaceId,
    /// Where it goes to.
    pub(super) to: PlaceId,
    /// What it carries.
    pub(super) cargo: Cargo<'a>,
    /// The frame, or the system call.
    pub(super) subject: Subject,
    /// Which part of the way it shows.
    pub(super) leg: Leg,
    /// What the network did to it.
    pub(super) marks: Marks<'a>,
}

/// What travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cargo<'a> {
    /// A frame, by its index among the frames of the trace.
    Frame(usize),
    /// The bytes of one system call, on a wire whose frames are not seen, and the time until a program had read them.
    Write(&'a [u8], Option<Duration>),
}

/// Which part of its way an arrow shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    /// All of it, in the row of its departure.
    Whole,
    /// The departure of a frame that was held back: its arrival has a row of its own.
    Departure,
    /// That arrival. It is no frame of its own, and is not counted.
    Arrival,
}

/// What the network did to a frame, and which rule did it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Marks<'a> {
    /// Lost, by this rule.
    pub(super) lost: Option<&'a str>,
    /// Sent again, for this reason (empty when it is not known).
    pub(super) again: Option<&'a str>,
    /// Corrupted, by this rule.
    pub(super) corrupted: Option<&'a str>,
    /// Delivered twice, by this rule.
    pub(super) doubled: Option<&'a str>,
    /// The second copy of another frame.
    pub(super) copy: bool,
    /// Held back by this rule for this long.
    pub(super) held: Option<(&'a str, Duration)>,
    /// A frame sent later on the same way arrived earlier.
    pub(super) overtaken: bool,
    /// Refused by the receiver.
    pub(super) refused: bool,
    /// Not delivered, and not known to be lost: on its way when the trace ends.
    pub(super) open: bool,
    /// Seen by a capture, which does not tell what became of it.
    pub(super) untold: bool,
    /// The run beside this one has no such frame, or another fate for it.
    pub(super) differs: bool,
}

/// The sign of what differs from the run beside it.
pub(super) const DIFFERS: &str = "*";

impl Step<'_> {
    /// Whether something in it differs from the run beside it.
    pub(super) fn differs(&self) -> bool {
        match self {
            Step::Row(row) => {
                row.arrow.as_ref().is_some_and(|arrow| arrow.marks.differs)
                    || row.remarks.iter().any(|remark| remark.differs)
            }
            Step::Gap(_) => false,
        }
    }
}

impl Marks<'_> {
    /// Whether the frame's way was out of the ordinary.
    pub(super) fn any(&self) -> bool {
        self.lost.is_some()
            || self.again.is_some()
            || self.corrupted.is_some()
            || self.doubled.is_some()
            || self.copy
            || (self.overtaken && self.held.is_some())
            || self.refused
            || self.differs
    }
}

/// What one host did.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remark<'a> {
    /// The host.
    pub(super) place: PlaceId,
    /// What a host did, or the link.
    pub(super) deed: Deed<'a>,
    /// The event, by its index in the trace.
    pub(super) event: usize,
    /// Nothing like it happens in the run beside this one.
    pub(super) differs: bool,
}

/// What a host can do off the wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Deed<'a> {
    /// A connection came to this state.
    State(&'static str),
    /// A program wrote.
    Wrote(&'a [u8]),
    /// A program read.
    Read(&'a [u8]),
    /// A program sent a message of this many bytes.
    MessageSent(usize),
    /// A program received a message of this many bytes.
    MessageReceived(usize),
    /// The host refused a frame, for this reason.
    Refused(&'a str),
    /// The host could not put this many frames on its link, for this reason.
    TurnedAway(u64, &'a str),
    /// A sentence.
    Note(&'a str),
}

impl Deed<'_> {
    /// Whether it is short enough for the margin beside an arrow.
    pub(super) fn is_short(&self) -> bool {
        !matches!(self, Deed::Refused(_) | Deed::TurnedAway(..) | Deed::Note(_))
    }
}

/// A row to draw, or the place of some that are not drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step<'a> {
    /// A row to draw.
    Row(Row<'a>),
    /// Rows left out.
    Gap(Gap),
}

/// What was left out between two rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Gap {
    /// When its first row happened.
    pub(super) from: Instant,
    /// When its last row happened.
    pub(super) until: Instant,
    /// Frames (or writes) sent.
    pub(super) frames: u64,
    /// Of those, TCP segments.
    pub(super) segments: u64,
    /// Of those, UDP datagrams.
    pub(super) datagrams: u64,
    /// Of those, system calls.
    pub(super) writes: u64,
    /// Bytes that those carried for the programs.
    pub(super) bytes: u64,
    /// Frames lost.
    pub(super) lost: u64,
    /// Frames sent again.
    pub(super) again: u64,
    /// Frames corrupted.
    pub(super) corrupted: u64,
    /// Frames delivered twice.
    pub(super) doubled: u64,
    /// Frames held back.
    pub(super) held: u64,
    /// Frames refused by their receiver.
    pub(super) refused: u64,
    /// Frames on their way at the end of the trace.
    pub(super) open: u64,
    /// Frames of which no more is known than that they were sent.
    pub(super) untold: u64,
    /// Reads by programs.
    pub(super) reads: u64,
    /// Other things that hosts did.
    pub(super) others: u64,
}
