//! A table whose entries are found in one step by the number it gave them.

/// Entries by number. The number of an entry that is gone is not given out again until its place was used 4096 times,
/// so a number that somebody kept too long finds nothing, and not somebody else's entry.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    uses: u32,
    entry: Option<T>,
}

/// The lower bits of a number say the place, the upper ones how often it was used before.
const PLACE_BITS: u32 = 20;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }

    /// Puts an entry in and gives its number; `None` when 1,048,576 are in already.
    pub(super) fn insert(&mut self, entry: T) -> Option<u32> {
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            place.entry = Some(entry);
            return Some(place.uses << PLACE_BITS | index);
        }
        let index = u32::try_from(self.places.len()).ok().filter(|index| *index <= PLACE_MASK)?;
        self.places.push(Place { uses: 0, entry: Some(entry) });
        Some(index)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let place = self.places.get((number & PLACE_MASK) as usize)?;
        place.entry.as_ref().filter(|_| place.uses == number >> PLACE_BITS)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let place = self.places.get_mut((number & PLACE_MASK) as usize)?;
        let uses = place.uses;
        place.entry.as_mut().filter(|_| uses == number >> PLACE_BITS)
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<T> {
        self.get(number)?;
        let index = number & PLACE_MASK;
        let place = &mut self.places[index as usize];
        place.uses = (place.uses + 1) & (u32::MAX >> PLACE_BITS);
        self.free.push(index);
        place.entry.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_finds_its_entry_and_no_later_one_in_the_same_place() {
        let mut slab = Slab::new();
        let a = slab.insert("a").expect("room");
        let b = slab.insert("b").expect("room");
        assert_eq!((slab.get(a), slab.get(b)), (Some(&"a"), Some(&"b")));
        assert_eq!(slab.remove(a), Some("a"));
        assert_eq!(slab.get(a), None);
        assert_eq!(slab.remove(a), None);
        let c = slab.insert("c").expect("room");
        assert_ne!(a, c);
        assert_eq!(slab.get(a), None);
        assert_eq!(slab.get_mut(c), Some(&mut "c"));
        assert_eq!(slab.places.len(), 2, "the place was used again");
    }
}
