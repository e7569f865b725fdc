//! The house from outside: its rules, its documents, the command line, lessons, exercises and examples.

mod architecture;
mod book;
mod built;
mod circles;
mod cli;
mod examples;
mod exercises;
mod explain;
mod lesson;
mod prose;
mod readme;
#[path = "../support/mod.rs"]
mod support;
