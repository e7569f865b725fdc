//! What happens in the chat, for an observer: a server's log, a picture of the simulator.

use super::super::hub::Reason;

/// One thing that happened. What was said is not in it: a log is read by others than those it was said to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "names, rooms, bytes and offsets, as everywhere in the chat")]
pub enum Happening<'a> {
    /// A client was refused. The name is as it came: anything may be in it.
    Refused { code: &'static str, name: &'a str },
    /// Someone entered the chat.
    Entered { name: &'a str },
    /// Someone's connection broke, and may be recovered.
    Away { name: &'a str, reason: Reason },
    /// It came back, and gets what it missed.
    Returned { name: &'a str },
    /// It did not come back in time.
    Gone { name: &'a str },
    /// Someone left for good.
    Left { name: &'a str, reason: Reason },
    /// Someone joined a room.
    Joined { name: &'a str, room: &'a str },
    /// Out of a room.
    LeftRoom { name: &'a str, room: &'a str },
    /// A message to a room, of this length.
    Said { name: &'a str, room: &'a str, bytes: usize, offset: Option<u64> },
    /// A message to one person.
    Whispered { name: &'a str, to: &'a str, bytes: usize, offset: Option<u64> },
    /// Someone took another name.
    Renamed { from: &'a str, to: &'a str },
}
