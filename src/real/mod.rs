//! The operating system's own sockets: the same scenes as in the simulator, where the kernel does the layers below.
//!
//! | to | see |
//! |---|---|
//! | send one message three ways and watch | [`compare`] |
//! | see what the kernel shows of a lesson | [`scenes`] |
//! | read what the kernel says of its sockets | [`kernel_figures`], [`tcp_info`] |
//! | put Linux's own stack at one end and ours at the other | `kernel` |
//! | learn why it is not what the simulator shows | [`differences`] |
//! | show the book to a browser | [`static_files`] |
//! | speak WebSocket on a real network | [`websocket`] |
//! | serve Engine.IO, and with it Socket.IO | [`event_loop`] |
//! | be a client of such a server | [`event_client`] |
//! | look at the bytes of a stream | [`tap`] |
//! | read a terminal key by key | [`terminal`] |
//! | keep events on disk | [`store`] |
//! | have thousands of sockets open | [`open_files`] |
//! | keep within a budget of memory, and give it back | [`memory`] |
//! | learn by which address others reach this machine | [`own_address`] |
//! | learn that the program is to end | [`shutdown`] |
//! | tell the time of a run | [`clock`] |
//!
//! Beside `cli` this is the only home of tokio and socket2, and the only one of the system's clock and randomness.

pub mod clock;
pub mod compare;
pub mod differences;
mod error;
pub mod event_client;
pub mod event_loop;
#[cfg(target_os = "linux")]
pub mod kernel;
pub mod kernel_figures;
pub mod memory;
pub mod open_files;
pub mod own_address;
pub mod random;
pub mod scenes;
pub mod shutdown;
pub mod static_files;
pub mod store;
pub mod tap;
pub mod tcp_info;
pub mod terminal;
pub mod websocket;

pub use error::RealError;
