//! What names a session or a socket inside the hub.

use crate::base::SlabKey;

/// A session or a socket, for as long as it is there: a key outlives what it named, and then names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    /// Never names an entry.
    pub(super) const NOBODY: Key = Key(u64::MAX);

    /// Its place, by which rooms know a socket.
    pub(super) fn slot(self) -> u32 {
        self.place() as u32
    }
}

impl SlabKey for Key {
    fn from_bits(bits: u64) -> Self {
        Key(bits)
    }

    fn to_bits(self) -> u64 {
        self.0
    }
}
