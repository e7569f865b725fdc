//! WebSocket on real sockets: for programs that want to send and receive messages.
//!
//! What WebSocket *is* can be read in [`layers::application::websocket`](crate::layers::application::websocket); here
//! the machine is given what it lacks: a stream, a clock, chance.
//!
//! | to | see |
//! |---|---|
//! | set limits, offer compression, connect, accept | [`Builder`] |
//! | send and receive | [`WebSocket`] |
//! | receive long messages frame by frame | [`Builder::fragments`], [`WebSocket::recv_fragment`] |
//! | send and receive in two tasks, and join them again | [`WebSocket::split`], [`SendHalf::reunite`], [`ReceiveHalf`] |
//! | use it as a `Stream` and a `Sink` | [`WebSocket`], the halves |
//! | take over a stream that an HTTP server has upgraded | [`Builder::answer`], [`Builder::upgraded`] |
//! | connect by TLS (`wss:`), and say who is trusted (feature `tls`) | `Builder::connect`, `Builder::trust` |
//! | see why a server refused | [`WebSocketError::refusal`] |
//! | decide who may connect, by token, cookie or address | [`Builder::gate`]; with time: [`Requested`] |
//! | serve many connections, and end in good order | [`Server`] |
//!
//! ```no_run
//! # async fn example() -> Result<(), netlayers::real::websocket::WebSocketError> {
//! use netlayers::real::websocket::Builder;
//!
//! let mut socket = Builder::new().max_message(1 << 20).connect("ws://127.0.0.1:9001/chat").await?;
//! socket.send("hello").await?;
//! while let Some(message) = socket.recv().await? {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! ```

mod builder;
mod client_stream;
mod error;
mod halves;
mod intake;
mod masks;
mod outgoing;
mod requested;
mod server;
mod socket;
mod streams;
mod tasks;
mod timer;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub use self::url::Url;
pub use builder::Builder;
pub use client_stream::{ClientStream, Sealing};
pub use error::{TlsError, WebSocketError};
pub use halves::{ReceiveHalf, ReuniteError, SendHalf};
pub use requested::Requested;
pub use server::Server;
pub use socket::WebSocket;
#[cfg(feature = "tls")]
pub use tls::Trust;

#[cfg(test)]
mod ending_tests;
#[cfg(test)]
mod fragments_tests;
#[cfg(test)]
mod halves_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod requested_tests;
#[cfg(test)]
mod streams_tests;
#[cfg(test)]
mod tests;
