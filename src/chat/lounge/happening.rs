//! What happens in the chat, for those who watch: a server's log, a picture of the simulator.

use super::super::hub::Reason;

/// One thing that happened. What was said is not in it: a log is read by others than those it was said to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "names, rooms, bytes and offsets, as everywhere in the chat")]
pub enum Happening<'a> {
    /// Somebody was not let in. The name is as it came: anything may be in it.
    Refused { code: &'static str, name: &'a str },
    /// Somebody came in.
    Entered { name: &'a str },
    /// Somebody's connection broke; it may come back.
    Away { name: &'a str, reason: Reason },
    /// It came back, and gets what it missed.
    Returned { name: &'a str },
    /// It did not come back in time.
    Gone { name: &'a str },
    /// Somebody left for good.
    Left { name: &'a str, reason: Reason },
    /// Into a room.
    Joined { name: &'a str, room: &'a str },
    /// Out of a room.
    LeftRoom { name: &'a str, room: &'a str },
    /// To a room.
    Said { name: &'a str, room: &'a str, bytes: usize, offset: Option<u64> },
    /// To one person.
    Whispered { name: &'a str, to: &'a str, bytes: usize, offset: Option<u64> },
    /// Another name.
    Renamed { from: &'a str, to: &'a str },
}
