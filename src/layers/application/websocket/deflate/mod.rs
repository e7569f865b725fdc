//! permessage-deflate: messages that are compressed on their way (RFC 7692).
//!
//! The two ends agree on it in the opening handshake, on up to four parameters ([`negotiation`]). Then the first frame
//! of a compressed message has RSV1 set (§6), and the payload of the whole message is what DEFLATE (RFC 1951) makes of
//! it, without the four bytes that end every flush (§7.2.1, [`codec`]).
//!
//! | parameter | what it asks | section |
//! |---|---|---|
//! | `server_no_context_takeover` | the server begins every message with an empty window | §7.1.1.1 |
//! | `client_no_context_takeover` | so does the client | §7.1.1.2 |
//! | `server_max_window_bits` | the server looks no further back than this | §7.1.2.1 |
//! | `client_max_window_bits` | so does the client | §7.1.2.2 |
//!
//! A window that is taken over from one message to the next makes small messages that are alike much smaller, and
//! costs both ends that window, and the compressor's tables, for as long as the connection lives: some 340 KiB. So we
//! ask for none unless the user wants it. Then what compresses a message is borrowed from a [`Pool`] for as long as the
//! connection has something to do, and given back when it waits for its peer: an idle connection has none, however much
//! it has said.
//!
//! | RFC 7692 | what | where |
//! |---|---|---|
//! | §5 | offers, the answer, what is declined | [`negotiation`], [`extensions`](super::handshake::extensions) |
//! | §6 | RSV1 marks a message's first frame | `receiver.rs`: `is_claimed`; `sender.rs`: `message` |
//! | §6.1 | compress a message, or leave it | `sender.rs`: `message`; [`Deflate::min_len`] |
//! | §6.2 | decompress a message | `receiver.rs`: `inflate` |
//! | §7.1 | the four parameters | [`negotiation`], [`Agreement`] |
//! | §7.2.1 | compression: a flush without its end | [`Compressor`](codec::Compressor) |
//! | §7.2.2 | decompression: the end put back | [`Decompressor`](codec::Decompressor) |
//! | §7.2.3 | examples | the tests of [`codec`] |
//! | §8 | secrets must not be compressed together with an attacker's text | left to the program |
//!
//! The RFC sets no limit on what may come out of a few bytes; ours is
//! [`Config::max_message`](super::Config::max_message), checked while it comes out.
//!
//! Left out: compressing fragment by fragment, which a sender may (§6.1). A fragmented message of ours goes as it is.

pub mod codec;
pub mod negotiation;
mod pool;

pub use negotiation::Agreement;
pub use pool::Pool;

/// What an end is willing to do about compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deflate {
    /// How hard to try, from 1 (fast) to 9 (small); 6 by default, as zlib has it.
    pub level: u8,
    /// Whether the server may keep its window from message to message.
    pub server_context_takeover: bool,
    /// Whether the client may.
    pub client_context_takeover: bool,
    /// The server's window: 2 to the power of this many bytes, 8 to 15.
    pub server_max_window_bits: u8,
    /// The client's window, 8 to 15. A server can ask for less than 15 only if the client has said that it can.
    pub client_max_window_bits: u8,
    /// Messages with fewer bytes are sent as they are, which §6 leaves to the sender: nothing is gained on them.
    pub min_len: usize,
    /// What connections that do not keep their window share. Clones share one pool, so a server that opens each
    /// connection with a clone of its wishes has one for all.
    pub pool: Pool,
}

impl Default for Deflate {
    fn default() -> Self {
        Deflate {
            level: 6,
            server_context_takeover: false,
            client_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
            min_len: 32,
            pool: Pool::default(),
        }
    }
}
