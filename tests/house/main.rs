//! The house from outside: its rules, its documents, the command line, lessons, exercises and examples.

mod architecture;
mod book;
mod built;
mod circles;
mod cli;
mod decode;
mod examples;
mod exercises;
mod explain;
mod lesson;
mod mine;
mod prose;
mod readme;
mod requirements;
mod script;
#[path = "../support/mod.rs"]
mod support;
mod what_if;
