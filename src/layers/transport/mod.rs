//! Layer 4: bytes and datagrams between programs.

pub mod tcp;
