//! Layer 4: bytes and datagrams between programs.
//!
//! | where | concept |
//! |---|---|
//! | [`udp`] | one message, one datagram, no promise |
//! | [`tcp`] | a stream of bytes, reliable and in order |
//! | [`quic`] | the header of a QUIC connection that opens: read by observers only |
//! | [`pseudo_header()`] | what both add to their checksums |

mod pseudo_header;
pub mod quic;
pub mod tcp;
pub mod udp;

pub use pseudo_header::pseudo_header;
