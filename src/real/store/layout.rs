//! The tables of the file, and what is sealed in them.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `"format"` | version of this layout |
//! | `state` | `"key"` | the [key](crate::chat::EventLog::key) of offsets |
//! | | `"commits"` | how many there have been |
//! | `spaces` | name of a namespace | its [`Place`] |
//! | `events` | namespace's number, offset | the [`Record`](crate::chat::Record), see `codec.rs` |
//! | `sockets` | namespace's number, secret | what [`Saved`](crate::chat::Saved) says, as JSON |
//!
//! Every value but the first is sealed: it ends with a check sequence of itself and of its key.

use redb::TableDefinition;

use super::codec::{seal, unseal};

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");
pub(super) const SPACES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("spaces");
pub(super) const EVENTS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("events");
pub(super) const SOCKETS: TableDefinition<'_, (u32, &str), &[u8]> = TableDefinition::new("sockets");

/// Where an event is: what its check sequence covers besides it.
pub(super) fn event_key(number: u32, offset: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key[4..].copy_from_slice(&offset.to_be_bytes());
    key
}

/// Where a socket is.
pub(super) fn socket_key(number: u32, pid: &str) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), pid.as_bytes()].concat()
}

/// What there is of a namespace: what is missing is noticed, and not only what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) number: u32,
    /// Its events are those above this offset,
    pub(super) horizon: u64,
    /// and up to this one, without a gap.
    pub(super) end: u64,
    /// How many sockets are saved.
    pub(super) sockets: u64,
}

impl Place {
    pub(super) fn sealed(&self, name: &str) -> Vec<u8> {
        let mut bytes = self.number.to_be_bytes().to_vec();
        [self.horizon, self.end, self.sockets]
            .iter()
            .for_each(|field| bytes.extend_from_slice(&field.to_be_bytes()));
        seal(name.as_bytes(), bytes)
    }

    /// `None` when it is not as it was written.
    pub(super) fn read(name: &str, sealed: &[u8]) -> Option<Place> {
        let (number, rest) = unseal(name.as_bytes(), sealed)?.split_first_chunk::<4>()?;
        let fields: &[u8; 24] = rest.try_into().ok()?;
        let field = |at: usize| fields[at * 8..].first_chunk::<8>().map(|field| u64::from_be_bytes(*field));
        Some(Place {
            number: u32::from_be_bytes(*number),
            horizon: field(0)?,
            end: field(1)?,
            sockets: field(2)?,
        })
    }
}

/// A number under a name of `state`.
pub(super) fn sealed_number(name: &str, number: u128) -> Vec<u8> {
    seal(name.as_bytes(), number.to_be_bytes().to_vec())
}

/// `None` when it is not as it was written.
pub(super) fn read_number(name: &str, sealed: &[u8]) -> Option<u128> {
    let bytes: [u8; 16] = unseal(name.as_bytes(), sealed)?.try_into().ok()?;
    Some(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_under_its_own_name_only() {
        let place = Place { number: 1, horizon: 2, end: 3, sockets: 4 };
        let sealed = place.sealed("/a");
        assert_eq!((Place::read("/a", &sealed), Place::read("/b", &sealed)), (Some(place), None));
        let number = sealed_number("key", 7 << 100);
        assert_eq!((read_number("key", &number), read_number("commits", &number)), (Some(7 << 100), None));
        assert_eq!(read_number("key", &number[1..]), None);
        assert_ne!(event_key(1, 2), event_key(2, 1));
    }
}
