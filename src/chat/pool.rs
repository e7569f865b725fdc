//! The event pool: functions that wait for a name to be called.
//!
//! This is the heart of every event system, and all of it: a list of functions by name. `on` adds one, `emit` calls
//! them in the order in which they came. There is no network here.
//!
//! A listener is lent three things: the pool itself (so it may add and remove listeners, and emit), the state that all
//! listeners share, and the event. That raises the one hard question of an event pool, what happens when the list
//! changes while it is walked:
//!
//! - a listener added during a call waits for the next one;
//! - a listener removed during a call is not called any more (Node's `EventEmitter` would still call it);
//! - a listener is never called from inside itself, so an event cannot call itself without end.

use std::collections::BTreeMap;

/// A function that waits: it may change the pool and the shared state, and reads the event.
type Listener<S, E> = Box<dyn FnMut(&mut Pool<S, E>, &mut S, &E) + Send>;

/// Listeners by event name. `S` is the state they share, `E` what an event carries.
///
/// ```
/// use netlayers::chat::Pool;
///
/// let mut pool: Pool<Vec<String>, &str> = Pool::new();
/// pool.on("greet", |_, said, name| said.push(format!("hello, {name}")))?;
/// let mut said = Vec::new();
/// pool.emit("greet", &mut said, &"Ada");
/// assert_eq!(said, ["hello, Ada"]);
/// # Ok::<(), netlayers::chat::PoolFull>(())
/// ```
pub struct Pool<S, E> {
    /// By name, in the order in which they came, which is the order of their ids. A name without a listener has no
    /// entry.
    listeners: BTreeMap<String, Vec<Slot<S, E>>>,
    next: u64,
    count: usize,
}

struct Slot<S, E> {
    id: u64,
    once: bool,
    /// Away while it is being called.
    listener: Option<Listener<S, E>>,
}

/// Names one listener, to remove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListenerId(u64);

/// There are `Pool::MAX_LISTENERS` already: the program adds and never removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the pool holds {} listeners already; remove those that are done (`off`, or add them with `once`)",
    MAX_LISTENERS
)]
pub struct PoolFull;

const MAX_LISTENERS: usize = 10_000;

impl<S, E> Pool<S, E> {
    /// How many listeners a pool takes. A program has dozens; ten thousand is a leak, reported before it hurts.
    pub(super) const MAX_LISTENERS: usize = MAX_LISTENERS;

    /// A pool without listeners.
    pub fn new() -> Self {
        Pool { listeners: BTreeMap::new(), next: 0, count: 0 }
    }

    /// Calls `listener` each time the event is emitted.
    ///
    /// # Errors
    /// [`PoolFull`].
    pub fn on(
        &mut self,
        event: &str,
        listener: impl FnMut(&mut Pool<S, E>, &mut S, &E) + Send + 'static,
    ) -> Result<ListenerId, PoolFull> {
        self.add(event, false, Box::new(listener))
    }

    /// Calls `listener` the next time the event is emitted, and never again.
    ///
    /// # Errors
    /// [`PoolFull`].
    pub fn once(
        &mut self,
        event: &str,
        listener: impl FnMut(&mut Pool<S, E>, &mut S, &E) + Send + 'static,
    ) -> Result<ListenerId, PoolFull> {
        self.add(event, true, Box::new(listener))
    }

    /// Removes a listener; false when it was gone already.
    pub fn off(&mut self, event: &str, id: ListenerId) -> bool {
        let Some(slots) = self.listeners.get_mut(event) else { return false };
        let Ok(at) = slots.binary_search_by_key(&id.0, |slot| slot.id) else { return false };
        slots.remove(at);
        self.count -= 1;
        if slots.is_empty() {
            self.listeners.remove(event);
        }
        true
    }

    /// Removes all listeners of an event.
    pub fn off_all(&mut self, event: &str) {
        self.count -= self.listeners.remove(event).map_or(0, |slots| slots.len());
    }

    /// How many listen to the event.
    pub fn count(&self, event: &str) -> usize {
        self.listeners.get(event).map_or(0, Vec::len)
    }

    /// Calls the listeners of the event in the order in which they came; returns how many were called.
    pub fn emit(&mut self, event: &str, state: &mut S, value: &E) -> usize {
        // A listener added from here on has a higher id, and waits for the next time.
        let newcomers = self.next;
        let mut called = 0;
        let mut from = 0;
        while let Some((id, mut listener, stays)) = self.take(event, from, newcomers) {
            from = id + 1;
            listener(self, state, value);
            called += 1;
            if stays {
                self.put_back(event, id, listener);
            }
        }
        called
    }

    /// The next listener with an id in `from..newcomers`, lent out so that it can be given the pool.
    fn take(&mut self, event: &str, from: u64, newcomers: u64) -> Option<(u64, Listener<S, E>, bool)> {
        let slots = self.listeners.get_mut(event)?;
        let first = slots.partition_point(|slot| slot.id < from);
        // One that is away is being called further up: it is not called from inside itself.
        let found = slots[first..].iter_mut().find(|slot| slot.listener.is_some())?;
        if found.id >= newcomers {
            return None;
        }
        let (id, once, listener) = (found.id, found.once, found.listener.take()?);
        if once {
            self.off(event, ListenerId(id));
        }
        Some((id, listener, !once))
    }

    /// Gives a listener its place back, unless it was removed in the meantime.
    fn put_back(&mut self, event: &str, id: u64, listener: Listener<S, E>) {
        let Some(slots) = self.listeners.get_mut(event) else { return };
        if let Ok(at) = slots.binary_search_by_key(&id, |slot| slot.id) {
            slots[at].listener = Some(listener);
        }
    }

    fn add(&mut self, event: &str, once: bool, listener: Listener<S, E>) -> Result<ListenerId, PoolFull> {
        if self.count == Self::MAX_LISTENERS {
            return Err(PoolFull);
        }
        let id = self.next;
        self.next += 1;
        self.count += 1;
        let slot = Slot { id, once, listener: Some(listener) };
        self.listeners.entry(event.to_owned()).or_default().push(slot);
        Ok(ListenerId(id))
    }
}

impl<S, E> Default for Pool<S, E> {
    fn default() -> Self {
        Pool::new()
    }
}

impl<S, E> std::fmt::Debug for Pool<S, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = self.listeners.iter().map(|(name, slots)| (name, slots.len()));
        f.debug_map().entries(counts).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = Vec<&'static str>;

    fn pool() -> Pool<Told, ()> {
        Pool::new()
    }

    /// What the listeners said when the event was emitted.
    fn emit(pool: &mut Pool<Told, ()>, event: &str) -> Told {
        let mut told = Vec::new();
        pool.emit(event, &mut told, &());
        told
    }

    #[test]
    fn listeners_are_called_in_the_order_in_which_they_came_and_only_for_their_event() {
        let mut pool = pool();
        pool.on("a", |_, told, ()| told.push("first")).unwrap();
        pool.on("b", |_, told, ()| told.push("other")).unwrap();
        pool.on("a", |_, told, ()| told.push("second")).unwrap();
        assert_eq!(emit(&mut pool, "a"), ["first", "second"]);
        assert_eq!(emit(&mut pool, "no listener"), Told::new());
    }

    #[test]
    fn once_means_once() {
        let mut pool = pool();
        pool.once("a", |_, told, ()| told.push("once")).unwrap();
        pool.on("a", |_, told, ()| told.push("always")).unwrap();
        assert_eq!(emit(&mut pool, "a"), ["once", "always"]);
        assert_eq!(emit(&mut pool, "a"), ["always"]);
    }

    #[test]
    fn once_means_once_even_when_the_listener_emits_its_own_event() {
        let mut pool = pool();
        pool.once("a", |pool, told, ()| {
            told.push("once");
            pool.emit("a", told, &());
        })
        .unwrap();
        assert_eq!(emit(&mut pool, "a"), ["once"]);
    }

    #[test]
    fn a_listener_that_is_off_is_not_called_and_off_twice_is_told() {
        let mut pool = pool();
        let id = pool.on("a", |_, told, ()| told.push("a")).unwrap();
        assert!(pool.off("a", id));
        assert!(!pool.off("a", id));
        assert_eq!(emit(&mut pool, "a"), Told::new());
    }

    #[test]
    fn a_listener_added_during_a_call_waits_for_the_next() {
        let mut pool = pool();
        pool.once("a", |pool, told, ()| {
            told.push("adder");
            pool.on("a", |_, told, ()| told.push("added")).unwrap();
        })
        .unwrap();
        assert_eq!(emit(&mut pool, "a"), ["adder"]);
        assert_eq!(emit(&mut pool, "a"), ["added"]);
    }

    #[test]
    fn a_listener_removed_during_a_call_is_not_called_any_more() {
        let mut pool = pool();
        pool.on("a", |pool, told, ()| {
            told.push("remover");
            pool.off_all("a");
        })
        .unwrap();
        pool.on("a", |_, told, ()| told.push("removed")).unwrap();
        assert_eq!(emit(&mut pool, "a"), ["remover"]);
        assert_eq!(pool.count("a"), 0);
        assert_eq!(emit(&mut pool, "a"), Told::new());
    }

    #[test]
    fn two_events_that_call_each_other_come_to_an_end() {
        let mut pool = pool();
        pool.on("ping", |pool, told, ()| {
            told.push("ping");
            pool.emit("pong", told, &());
        })
        .unwrap();
        pool.on("pong", |pool, told, ()| {
            told.push("pong");
            pool.emit("ping", told, &());
        })
        .unwrap();
        assert_eq!(emit(&mut pool, "ping"), ["ping", "pong"]);
        assert_eq!(emit(&mut pool, "ping"), ["ping", "pong"]);
    }

    #[test]
    fn a_pool_refuses_more_listeners_than_any_program_needs_and_takes_them_again_when_some_leave() {
        let mut pool = pool();
        let ids: Vec<_> = (0..MAX_LISTENERS).map(|_| pool.on("a", |_, _, ()| ()).unwrap()).collect();
        assert_eq!(pool.on("b", |_, _, ()| ()), Err(PoolFull));
        assert!(pool.off("a", ids[7]));
        assert!(pool.on("b", |_, _, ()| ()).is_ok());
    }
}
