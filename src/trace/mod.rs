//! What happened in a run: typed events with time, place and the raw bytes.
//!
//! Every wire (simulated or real) writes this one vocabulary, and every picture is a pure function of it. Frames are
//! recorded where they are *sent*, as a capture on every sender's own interface would: so a lost frame is in the
//! trace, once, and what became of it follows as an event of its own. Events are in the order of time, as they are
//! recorded: a frame that waits for its link is `Queued` when it is handed over, and `Sent` when it begins to leave.

mod event;
mod outcome;
mod past;
mod query;
mod recorder;

pub use event::{Event, Flow, FrameId, Kind, LinkId, Place, PlaceId, Protocol, SegmentNote, Wire};
pub use outcome::{Comparison, Outcome, Run, Way};
pub use past::Past;
pub use query::Fate;
pub use recorder::{Recorder, Trace};
