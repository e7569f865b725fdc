//! The stream below a connection, until it is taken out.
//!
//! A connection that is dropped says its last words, so it cannot be taken apart like other values.

use std::ops::{Deref, DerefMut};

pub(super) struct Held<S>(Option<S>);

impl<S> Held<S> {
    const HERE: &str = "the stream is taken out by what ends the connection";

    pub(super) fn new(stream: S) -> Self {
        Held(Some(stream))
    }

    pub(super) fn is_taken(&self) -> bool {
        self.0.is_none()
    }

    /// Takes it out. It is the last that is done with the connection.
    pub(super) fn take(&mut self) -> S {
        self.0.take().expect(Self::HERE)
    }
}

impl<S> Deref for Held<S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.0.as_ref().expect(Self::HERE)
    }
}

impl<S> DerefMut for Held<S> {
    fn deref_mut(&mut self) -> &mut S {
        self.0.as_mut().expect(Self::HERE)
    }
}
