//! Beats as something to read. Each renderer is a pure function; the terminal's pauses and prompts are in `cli`.
//!
//! | file | for |
//! |---|---|
//! | [`text`] | a terminal: wrapped to its width, and for the story a failing test tells |
//! | [`json`] | programs |
//! | [`exercise`] | how a check came out |
//! | [`vocabulary`] | the words of the course, for a terminal, the book and programs |

pub mod exercise;
pub mod json;
pub mod text;
pub mod vocabulary;
