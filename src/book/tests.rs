//! The book as a whole: see `tests/book.rs` too.
