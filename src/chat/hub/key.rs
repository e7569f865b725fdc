//! What names a session or a socket inside the hub.

use slotmap::new_key_type;

new_key_type! {
    /// A session or a socket, for as long as it is there: a key outlives what it named, and then finds nothing.
    pub(super) struct Key;
}
