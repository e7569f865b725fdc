//! Things by number, where numbers are used again: finding one costs an index.

/// Values in numbered slots.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

/// The number of a slot, and which of its tenants is meant: a key outlives what it named, and then names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) slot: u32,
    tenant: u32,
}

impl Key {
    /// Names nothing, ever.
    pub(super) const NOBODY: Key = Key { slot: u32::MAX, tenant: u32::MAX };
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self, value: T) -> Key {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            (self.slots.len() - 1) as u32
        });
        let (tenant, place) = &mut self.slots[slot as usize];
        *place = Some(value);
        Key { slot, tenant: *tenant }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let (tenant, place) = self.slots.get_mut(key.slot as usize)?;
        if *tenant != key.tenant {
            return None;
        }
        let value = place.take()?;
        *tenant = tenant.wrapping_add(1);
        self.free.push(key.slot);
        Some(value)
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let (tenant, place) = self.slots.get(key.slot as usize)?;
        (*tenant == key.tenant).then_some(place.as_ref()).flatten()
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (tenant, place) = self.slots.get_mut(key.slot as usize)?;
        (*tenant == key.tenant).then_some(place.as_mut()).flatten()
    }

    /// Who is in this slot now.
    pub(super) fn key_at(&self, slot: u32) -> Option<Key> {
        let (tenant, place) = self.slots.get(slot as usize)?;
        place.as_ref().map(|_| Key { slot, tenant: *tenant })
    }

    /// The value in this slot now.
    pub(super) fn at_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.1.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_value_and_never_the_next_tenant_of_the_slot() {
        let mut slab = Slab::new();
        let a = slab.insert("a");
        assert_eq!(slab.remove(a), Some("a"));
        let b = slab.insert("b");
        assert_eq!(a.slot, b.slot);
        assert_eq!(slab.get(a), None);
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.get(b), Some(&"b"));
        assert_eq!(slab.key_at(b.slot), Some(b));
        assert_eq!(slab.get(Key::NOBODY), None);
    }
}
