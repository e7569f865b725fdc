//! Values of another owner for the entries of a [`Slab`](super::Slab), found in one step by the slab's own keys.

use super::SlabKey;

/// Values by the keys of a slab that is another's.
///
/// The places of a slab are low numbers, so a plain vector serves. The value of a removed entry is not found by the key
/// of the next entry at that place, and is dropped when that entry's value is inserted.
#[derive(Debug)]
pub struct SecondaryMap<K, T> {
    places: Vec<Option<(K, T)>>,
}

impl<K: SlabKey, T> SecondaryMap<K, T> {
    /// A map without values.
    pub const fn new() -> Self {
        SecondaryMap { places: Vec::new() }
    }

    /// Keeps a value beside the entry of this key, in place of an older one.
    pub fn insert(&mut self, key: K, value: T) {
        let at = key.place();
        if self.places.len() <= at {
            self.places.resize_with(at + 1, || None);
        }
        self.places[at] = Some((key, value));
    }

    /// The value beside this entry.
    pub fn get(&self, key: K) -> Option<&T> {
        let (of, value) = self.places.get(key.place())?.as_ref()?;
        (of.generation() == key.generation()).then_some(value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let (of, value) = self.places.get_mut(key.place())?.as_mut()?;
        (of.generation() == key.generation()).then_some(value)
    }

    /// Takes out the value beside this entry.
    pub fn remove(&mut self, key: K) -> Option<T> {
        self.get(key)?;
        self.places[key.place()].take().map(|(_, value)| value)
    }
}

impl<K: SlabKey, T> Default for SecondaryMap<K, T> {
    fn default() -> Self {
        SecondaryMap::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Slab;
    use super::*;

    #[test]
    fn a_value_is_found_by_the_key_of_its_entry_and_not_by_that_of_the_next() {
        let (mut slab, mut map) = (Slab::<u32, ()>::new(), SecondaryMap::new());
        let keys: Vec<u32> = (0..3).filter_map(|_| slab.insert(())).collect();
        map.insert(keys[2], "c");
        assert_eq!((map.get(keys[0]), map.get(keys[2])), (None, Some(&"c")));
        slab.remove(keys[2]);
        let next = slab.insert(()).expect("room");
        assert_eq!(map.get(next), None);
        assert_eq!(map.get_mut(next), None);
        assert_eq!(map.remove(next), None);
        map.insert(next, "d");
        assert_eq!(map.remove(keys[2]), None);
        assert_eq!(map.get_mut(next), Some(&mut "d"));
        assert_eq!(map.remove(next), Some("d"));
        assert_eq!(map.get(next), None);
    }
}
