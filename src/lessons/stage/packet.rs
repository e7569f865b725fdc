//! Which packet a rule means: "the SYN", "the second segment with data".
//!
//! Each of these looks into one frame on its way, and is handed to a rule:
//!
//! ```
//! use netlayers::lessons::stage::packet;
//! use netlayers::sim::fault::{self, Verdict};
//!
//! let rule = fault::nth("loses the first SYN", 1, packet::is_syn, Verdict::Drop);
//! # let _ = rule;
//! ```

use crate::sim::fault::Passing;
use crate::view::dissect::{Conversations, TcpSummary, What};

/// The first segment of a handshake.
pub fn is_syn(frame: &Passing<'_>) -> bool {
    tcp(frame).is_some_and(|tcp| tcp.flags.syn && !tcp.flags.ack)
}

/// The second segment of a handshake.
pub fn is_syn_ack(frame: &Passing<'_>) -> bool {
    tcp(frame).is_some_and(|tcp| tcp.flags.syn && tcp.flags.ack)
}

/// A segment that acknowledges and does nothing else.
pub fn is_bare_ack(frame: &Passing<'_>) -> bool {
    tcp(frame).is_some_and(|TcpSummary { flags, len, .. }| {
        flags.ack && !flags.syn && !flags.fin && !flags.rst && len == 0
    })
}

/// A segment with FIN.
pub fn is_fin(frame: &Passing<'_>) -> bool {
    tcp(frame).is_some_and(|tcp| tcp.flags.fin)
}

/// A TCP segment that carries bytes of a program.
pub fn is_tcp_data(frame: &Passing<'_>) -> bool {
    tcp(frame).is_some_and(|tcp| tcp.len > 0)
}

/// A UDP datagram that was not cut into fragments.
pub fn is_udp(frame: &Passing<'_>) -> bool {
    matches!(what(frame), What::Udp { .. })
}

/// A fragment of an IP packet, the first and the last one included (RFC 791 §3.2).
pub fn is_fragment(frame: &Passing<'_>) -> bool {
    matches!(what(frame), What::Fragment { .. })
}

fn tcp(frame: &Passing<'_>) -> Option<TcpSummary> {
    match what(frame) {
        What::Tcp(tcp) => Some(tcp),
        _ => None,
    }
}

/// What one frame does, known from itself alone.
fn what(frame: &Passing<'_>) -> What {
    Conversations::default().feed(frame.bytes).summary.what
}
