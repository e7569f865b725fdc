//! **netlayers** shows what happens to a message on its way through a network.
//!
//! The source tree is the layer model. To find a concept: *layer, then protocol name*.
//!
//! | where | what |
//! |---|---|
//! | [`base`] | time, chance, bytes, checksums, header fields: what every layer stands on |
//! | [`layers`] | **the stack**, one folder a layer, each protocol a pure state machine |
//! | [`trace`] | what happened in a run: typed events with time, place and bytes |
//! | [`chat`] | the event system: listeners, rooms, namespaces, missed events |
//! | [`sim`] | a network in virtual time: links, faults, hosts, programs on them |
//! | [`real`] | the same scenes on the operating system's own sockets |
//! | [`view`] | pictures of a trace: ladder, table, hexdump, header box, layers, JSON, pcapng |
//! | [`cli`] | the command line, one file a subcommand: the only place that prints |
//!
//! No protocol here knows a clock, a socket or chance: bytes and times go in, bytes and events come out (see
//! [`base::Machine`]). That is why the same TCP runs in a simulator, in a test and on a real network.

pub mod base;
pub mod chat;
pub mod cli;
pub mod layers;
pub mod real;
pub mod sim;
pub mod trace;
pub mod view;
