//! The ground under the layers: time, chance, bytes and checksums.
//!
//! Nothing here knows a protocol. Every layer reads and writes its headers with [`Reader`] and [`Writer`],
//! describes their layout once as a table of [`Field`]s, and is a [`Machine`] when it has a state: one that asks for
//! its next wake-up with an [`Alarm`].

mod alarm;
mod checksum;
mod error;
mod field;
mod header;
mod joiner;
mod layer;
mod machine;
mod reader;
mod rng;
mod time;
mod writer;

pub use alarm::Alarm;
pub use checksum::{Checksum, internet_checksum};
pub use error::{ErrorKind, Errors, ParseError, Wording};
pub use field::{Field, Show, Worded};
pub use header::Header;
pub use joiner::{is_joiner, joins};
pub use layer::Layer;
pub use machine::Machine;
pub use reader::Reader;
pub use rng::Rng;
pub use time::{Duration, Instant};
pub use writer::Writer;
