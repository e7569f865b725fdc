//! **netlayers** shows what happens to a message on its way through a network.
//!
//! The source tree is the layer model. To find a concept: *layer, then protocol name*.
//!
//! | where | what |
//! |---|---|
//! | [`base`] | time, chance, bytes, checksums, header fields: what every layer is built on |
//! | [`layers`] | **the stack**, one folder a layer, each protocol a pure state machine |
//! | [`trace`] | what happened in a run: typed events with time, place and bytes |
//! | [`chat`] | the event system: listeners, rooms, namespaces, missed events |
//! | [`sim`] | a network in virtual time: links, faults, hosts, programs on them |
//! | [`real`] | the same scenes on the operating system's own sockets |
//! | [`view`] | pictures of a trace: ladder, table, hexdump, header box, layers, JSON, pcapng |
//! | [`lessons`] | the course: one file a lesson, and the stage they play on |
//! | [`book`] | the book: Markdown whose figures and numbers come from lessons |
//! | [`cli`] | the command line, one file a subcommand: the only place that prints |
//!
//! No protocol here knows a clock, a socket or chance: bytes and times go in, bytes and events come out (see
//! [`base::Machine`]). That is why one and the same WebSocket, Engine.IO and Socket.IO speak in the simulator, in tests
//! and on real sockets; our TCP and what is below it, in the simulator and in tests.
//!
//! With no [features](https://doc.rust-lang.org/cargo/reference/features.html) there is no world: the crate is `base`
//! to `lessons`, and builds for any target, a browser's too. `real` adds [`real`], `tls` gives its clients `wss:`, `app` adds
//! the [`cli`] and the [`book`]; all are on unless they are turned off.
//!
//! Three ways in, from the shortest to the most telling:
//!
//! - [`sim::scene`] plays one message over one link, by UDP, TCP or WebSocket, with knobs;
//! - [`sim::Network`] is for networks of your own: hosts, links, [fault rules](sim::fault), and [programs](sim::App);
//! - [`layers::stack::Stack`] is one host without any network, for programs that bring frames of their own.
//!
//! ```
//! use bytes::Bytes;
//! use netlayers::sim::scene::{self, Knobs};
//! use netlayers::trace::{Recorder, Way, Wire};
//! use netlayers::view::{ladder, look::Look};
//!
//! let knobs = Knobs { loss: 0.2, seed: 7, ..Knobs::default() };
//! let message = Bytes::from_static(b"hello, layers");
//! let run = scene::run(Way::Tcp, &message, &knobs, Recorder::on("TCP", Wire::Sim));
//!
//! assert!(run.outcome.arrived_exactly(), "TCP repairs what the link loses");
//! let picture = ladder::single(&run.trace, &Look::default()).to_string();
//! assert!(picture.contains("SYN seq=0"));
//! ```
//!
//! `README.md` has the map of concepts, `ARCHITECTURE.md` the contracts and the life of one packet, and `examples/`
//! programs of a screenful to change and run again.

pub mod base;
#[cfg(feature = "app")]
pub mod book;
pub mod chat;
#[cfg(feature = "app")]
pub mod cli;
pub mod layers;
pub mod lessons;
#[cfg(feature = "real")]
pub mod real;
pub mod sim;
pub mod trace;
pub mod view;
