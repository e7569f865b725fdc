//! Urgent data: a place in the stream before which all is urgent (RFC 9293 §3.8.5, RFC 6093).
//!
//! It is delivered in line with the rest, as RFC 9293 §3.8.5 has it: no byte leaves its place. The program learns that
//! there is some ([`Report::Urgent`]) and how much of it is still to be read
//! ([`Info::urgent`](super::Info::urgent)).
//!
//! New programs should not use it (SHLD-13): systems differ on where the pointer points, and boxes on the way clear it.

use bytes::Bytes;

use super::connection::Connection;
use super::header::{Flags, TcpHeader};
use super::interface::{Misuse, Report};
use super::segment::Segment;
use super::state::State;
use crate::base::Instant;

/// Where urgent data ends, each way, as offsets; 0 before there was any.
#[derive(Debug, Default)]
pub(super) struct Urgent {
    /// SND.UP: behind the last urgent byte that the program has written.
    snd_up: u64,
    /// RCV.UP: behind the last urgent byte that the peer tells of. It may not have come yet.
    rcv_up: u64,
}

impl Urgent {
    /// Marks a segment that begins at `offset`, as long as what is urgent ends behind that. One that is too far ahead
    /// for the field points as far as it can: the pointer moves on with the segments.
    pub(super) fn mark(&self, offset: u64, header: &mut TcpHeader) {
        if self.snd_up > offset {
            header.flags = header.flags | Flags::URG;
            header.urgent = (self.snd_up - offset).min(u64::from(u16::MAX)) as u16;
        }
    }

    /// How much of what is urgent comes after the offset `read`.
    pub(super) fn ahead_of(&self, read: u64) -> u64 {
        self.rcv_up.saturating_sub(read)
    }
}

impl Connection {
    /// SEND with the URGENT flag: as [`write`](Connection::write), and all that was written so far is urgent (RFC 9293
    /// §3.10.2).
    ///
    /// # Errors
    /// When this end has closed, or the connection is gone.
    pub fn write_urgent(&mut self, now: Instant, bytes: Bytes) -> Result<usize, Misuse> {
        let taken = self.write(now, bytes)?;
        if taken > 0 {
            self.urgent.snd_up = self.sender.written();
        }
        Ok(taken)
    }

    /// Sixth: where the peer's urgent data ends. `start` is the offset of the segment. The program learns each time that
    /// this moves on and is ahead of what it has read (MUST-32). A pointer never moves back, and one of zero, which no
    /// byte precedes, says nothing.
    pub(super) fn check_urgent(&mut self, segment: &Segment, start: i64) {
        let reads = matches!(self.state, State::Established | State::FinWait1 | State::FinWait2);
        if !segment.header.flags.has(Flags::URG) || !reads || self.read_shut {
            return;
        }
        let pointer = (start + i64::from(segment.header.urgent)).max(0).cast_unsigned();
        if pointer > self.urgent.rcv_up {
            self.urgent.rcv_up = pointer;
            if self.urgent.ahead_of(self.receiver.read_offset()) > 0 {
                self.report(Report::Urgent);
            }
        }
    }
}
