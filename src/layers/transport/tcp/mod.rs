//! TCP: a reliable, ordered stream of bytes over packets that may be lost (RFC 9293).

mod header;
mod options;
mod seq;

pub use header::{Flags, MIN_HEADER_LEN, PROTOCOL_NUMBER, Segment, TcpHeader};
pub use options::{Options, TcpOption};
pub use seq::SeqNumber;
