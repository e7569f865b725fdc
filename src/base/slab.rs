//! A table that numbers its entries itself, and finds each of them in one step.
//!
//! Connections, sessions and sockets come and go by the thousand, and their places in memory are used again. A bare
//! index kept too long would then find the wrong entry. So a key holds two numbers: the *place*, and the
//! *generation* of the entry there, which grows by one each time the place is freed. A key that is out of date finds
//! nothing.
//!
//! ```text
//!            32 bits                  32 bits               a u64, as most keys are
//!   +------------------------+------------------------+
//!   |       generation       |         place          |
//!   +------------------------+------------------------+
//! ```
//!
//! Left out: iterating over entries in their order of arrival (the places say nothing about that), and giving memory
//! back when most of the entries are gone.

use std::marker::PhantomData;

/// What a [`Slab`] gives out as keys: a number, or a newtype of one, so that the keys of two tables cannot be mixed up.
pub trait SlabKey: Copy {
    /// How wide the number is, in bits; at most 64.
    const BITS: u32 = 64;
    /// How many of them, from the lowest, say the place, at most 32: they bound the table. Those above are the
    /// generation, at most 32 too. When a place has used up its generations, they begin again at the first.
    const PLACE_BITS: u32 = 32;

    /// The key of this number, which is no wider than [`BITS`](SlabKey::BITS).
    fn from_bits(bits: u64) -> Self;

    /// The key as a number, as callers store and compare it.
    fn to_bits(self) -> u64;

    /// The place: low numbers, used again, so another table may keep something beside each entry in a plain vector.
    fn place(self) -> usize {
        (self.to_bits() & ((1 << Self::PLACE_BITS) - 1)) as usize
    }

    /// Which entry of this place is meant.
    fn generation(self) -> u32 {
        (self.to_bits() >> Self::PLACE_BITS) as u32
    }
}

/// Twenty bits of place, for a host's connections: a million at a time. A stale key finds nothing until its place was
/// used 4096 times.
impl SlabKey for u32 {
    const BITS: u32 = u32::BITS;
    const PLACE_BITS: u32 = 20;

    fn from_bits(bits: u64) -> Self {
        bits as u32
    }

    fn to_bits(self) -> u64 {
        u64::from(self)
    }
}

/// A table whose keys name a place and the generation of the entry there.
///
/// It grows with its entries, up to the places that its keys can name; how many there may be is its owner's to decide.
#[derive(Debug)]
pub struct Slab<K, T> {
    places: Vec<Slot<T>>,
    /// The places without an entry. The one that was freed last is used first: it is the likeliest to be in the cache.
    free: Vec<u32>,
    keys: PhantomData<K>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    entry: Option<T>,
}

impl<K: SlabKey, T> Slab<K, T> {
    /// As many bits as a generation has.
    const GENERATIONS: u32 = u32::MAX >> (32 - (K::BITS - K::PLACE_BITS));

    /// A table without entries.
    pub const fn new() -> Self {
        Slab { places: Vec::new(), free: Vec::new(), keys: PhantomData }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts an entry in, and gives its key; `None` when every place that a key can name is taken.
    pub fn insert(&mut self, entry: T) -> Option<K> {
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            place.entry = Some(entry);
            return Some(Self::key(index as usize, place.generation));
        }
        let index = self.places.len();
        if index as u64 >= 1 << K::PLACE_BITS {
            return None;
        }
        self.places.push(Slot { generation: 0, entry: Some(entry) });
        Some(Self::key(index, 0))
    }

    /// The entry of this key, unless it is gone.
    pub fn get(&self, key: K) -> Option<&T> {
        let place = self.places.get(key.place())?;
        if place.generation == key.generation() { place.entry.as_ref() } else { None }
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let place = self.places.get_mut(key.place())?;
        if place.generation == key.generation() { place.entry.as_mut() } else { None }
    }

    /// Takes an entry out. From here on its key finds nothing.
    pub fn remove(&mut self, key: K) -> Option<T> {
        let place = self.places.get_mut(key.place())?;
        if place.generation != key.generation() {
            return None;
        }
        let entry = place.entry.take()?;
        place.generation = place.generation.wrapping_add(1) & Self::GENERATIONS;
        self.free.push(key.place() as u32);
        Some(entry)
    }

    /// The keys of all entries, by place.
    pub fn keys(&self) -> impl Iterator<Item = K> + '_ {
        (0..self.places.len()).filter_map(|index| self.key_at(index))
    }

    /// The key of the entry at this place now.
    pub fn key_at(&self, place: usize) -> Option<K> {
        let Slot { generation, entry } = self.places.get(place)?;
        entry.as_ref().map(|_| Self::key(place, *generation))
    }

    /// The entry at this place now, to be changed.
    pub fn at_mut(&mut self, place: usize) -> Option<&mut T> {
        self.places.get_mut(place)?.entry.as_mut()
    }

    fn key(place: usize, generation: u32) -> K {
        K::from_bits(u64::from(generation) << K::PLACE_BITS | place as u64)
    }
}

impl<K: SlabKey, T> Default for Slab<K, T> {
    fn default() -> Self {
        Slab::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A key of six bits: four places, sixteen generations.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct Small(u8);

    impl SlabKey for Small {
        const BITS: u32 = 6;
        const PLACE_BITS: u32 = 2;

        fn from_bits(bits: u64) -> Self {
            Small(u8::try_from(bits).expect("six bits"))
        }

        fn to_bits(self) -> u64 {
            u64::from(self.0)
        }
    }

    #[test]
    fn a_key_finds_its_entry_and_never_the_next_one_at_that_place() {
        let mut slab: Slab<Small, &str> = Slab::new();
        let a = slab.insert("a").expect("room");
        let b = slab.insert("b").expect("room");
        assert_eq!((slab.get(a), slab.get(b), slab.len()), (Some(&"a"), Some(&"b"), 2));
        assert_eq!(slab.remove(a), Some("a"));
        assert_eq!((slab.get(a), slab.len()), (None, 1));
        assert_eq!(slab.remove(a), None);
        let c = slab.insert("c").expect("room");
        assert_eq!((c.place(), c.generation()), (a.place(), 1), "the place is used again");
        assert_eq!(slab.get(a), None);
        assert_eq!(slab.get_mut(a), None);
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.get_mut(c), Some(&mut "c"));
        assert_eq!(slab.keys().collect::<Vec<_>>(), [c, b], "by place");
        assert_eq!((slab.key_at(0), slab.key_at(2)), (Some(c), None));
        assert_eq!(slab.at_mut(1), Some(&mut "b"));
    }

    #[test]
    fn there_are_as_many_places_as_a_key_can_name() {
        let mut slab: Slab<Small, u8> = Slab::new();
        let keys: Vec<Small> = (0..4).map(|entry| slab.insert(entry).expect("room")).collect();
        assert_eq!(slab.insert(4), None);
        assert_eq!(slab.remove(keys[2]), Some(2));
        assert_eq!(slab.insert(4).map(Small::place), Some(2));
    }

    #[test]
    fn the_keys_of_a_place_begin_again_when_its_generations_are_used_up() {
        let mut slab: Slab<Small, ()> = Slab::new();
        let first = slab.insert(()).expect("room");
        let mut key = first;
        for generation in 1..16 {
            slab.remove(key);
            key = slab.insert(()).expect("room");
            assert_eq!((key.generation(), slab.get(first)), (generation, None));
        }
        slab.remove(key);
        assert_eq!(slab.insert(()), Some(first));
    }

    #[test]
    fn a_number_of_32_bits_is_12_of_generation_and_20_of_place() {
        let mut slab: Slab<u32, char> = Slab::new();
        assert_eq!((slab.insert('a'), slab.insert('b')), (Some(0), Some(1)));
        for generation in 1..=4096u32 {
            let gone = (generation - 1) << 20 | 1;
            assert!(slab.remove(gone).is_some());
            assert_eq!(slab.insert('c'), Some((generation % 4096) << 20 | 1));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_holds_what_a_map_would(steps in prop::collection::vec((any::<bool>(), 0u8..64), 0..60)) {
            let mut slab: Slab<Small, usize> = Slab::new();
            let mut map = std::collections::BTreeMap::new();
            for (at, (puts, bits)) in steps.into_iter().enumerate() {
                if puts {
                    match slab.insert(at) {
                        Some(key) => prop_assert!(map.insert(key, at).is_none(), "a key in use was given out"),
                        None => prop_assert_eq!(map.len(), 4),
                    }
                } else {
                    prop_assert_eq!(slab.remove(Small(bits)), map.remove(&Small(bits)));
                }
                prop_assert_eq!(slab.len(), map.len());
                prop_assert!((0..64).map(Small).all(|key| slab.get(key) == map.get(&key)));
                prop_assert!(slab.keys().all(|key| map.contains_key(&key)));
            }
        }
    }
}
