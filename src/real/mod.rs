//! The operating system's own sockets.
