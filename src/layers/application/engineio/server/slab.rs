//! Things by number: found in one step, and a number is never taken for another thing's when its place is used again.

/// A table whose keys name a place and the how-manieth thing in it.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    thing: Option<T>,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }

    /// How many things there are.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, thing: T) -> u64 {
        let at = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, thing: None });
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[at as usize];
        place.thing = Some(thing);
        u64::from(place.generation) << 32 | u64::from(at)
    }

    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        let place = self.places.get_mut(key as u32 as usize)?;
        if place.generation == (key >> 32) as u32 { place.thing.as_mut() } else { None }
    }

    pub(super) fn get(&self, key: u64) -> Option<&T> {
        let place = self.places.get(key as u32 as usize)?;
        if place.generation == (key >> 32) as u32 { place.thing.as_ref() } else { None }
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<T> {
        let at = key as u32;
        let place = self.places.get_mut(at as usize)?;
        if place.generation != (key >> 32) as u32 {
            return None;
        }
        let thing = place.thing.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(at);
        Some(thing)
    }

    /// The keys of all things.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.thing.is_some())
            .map(|(at, place)| u64::from(place.generation) << 32 | at as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_does_not_find_a_new_thing() {
        let mut slab = Slab::new();
        let first = slab.insert('a');
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b');
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&'b'));
        assert_eq!((slab.len(), slab.keys().collect::<Vec<_>>()), (1, vec![second]));
    }
}
