//! Layer 4: bytes and datagrams between programs.

mod pseudo_header;
pub mod tcp;
pub mod udp;

pub use pseudo_header::pseudo_header;
