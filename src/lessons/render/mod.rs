//! Beats as something to read. Each renderer is a pure function; the terminal's pauses and prompts are in `cli`.
//!
//! | file | for |
//! |---|---|
//! | [`text`] | a terminal: wrapped to its width, and for the story a failing test tells |
//! | [`markdown`] | the book |
//! | [`exercise`] | how a check came out |
//! | [`vocabulary`] | the words of the course, for both and for programs |
//!
//! JSON needs no renderer: a [`Performance`](super::stage::Performance) serializes as it is.

pub mod exercise;
pub mod markdown;
pub mod text;
pub mod vocabulary;
