//! TCP: a reliable, ordered stream of bytes over packets that may be lost (RFC 9293).
//!
//! A [`Connection`] is one end, as a pure state machine: segments, times and the program's wishes go in; segments,
//! events and wake-ups come out. Its driver finds the connection for a segment, and asks a [`Listener`] or
//! [`reply_to_stray`] when there is none.
//!
//! | concept | file | read first |
//! |---|---|---|
//! | header, flags | `header.rs` | RFC 9293 §3.1 |
//! | segment, checksum | `segment.rs` | §3.1 |
//! | options | `options.rs` | §3.2, RFC 7323 §2 |
//! | sequence numbers | `seq.rs` | §3.4 |
//! | the eleven states and every transition | `state.rs` | §3.3.2 |
//! | open; timeouts; what joins the rest | `connection.rs` | §3.10 |
//! | write, read, close, abort | `commands.rs` | §3.9.1 |
//! | knobs, inputs, outputs, events | `interface.rs` | §3.9 |
//! | a segment arrives; ICMP errors | `arrival.rs` | §3.10.7.3, §3.10.7.4, RFC 5961 |
//! | what an acknowledgment means | `acknowledgment.rs` | §3.10.7.4, fifth, RFC 6298 §5 |
//! | the next segment is made | `departure.rs` | §3.10.2 |
//! | LISTEN and CLOSED | `listener.rs` | §3.10.7.1, §3.10.7.2 |
//! | connections that a listener does not remember | `syn_cookies.rs` | RFC 4987 §3.6, appendix A |
//! | what to send: Nagle, silly windows, probes, retransmission | `sender.rs` | §3.7, §3.8 |
//! | what ACKs, timers and routers say of losses | `sender/losses.rs` | RFC 6675, RFC 8985 |
//! | what was written and is not acknowledged | `send_buffer.rs` | |
//! | what to take in, the window, when to acknowledge | `receiver.rs` | §3.4, §3.8.6 |
//! | selective acknowledgment, at the receiver | `sack.rs` | RFC 2018, RFC 2883 |
//! | segments that came too early | `reassembly.rs` | §3.10.7.4, seventh |
//! | what was sent, what of it has arrived, what is lost | `recovery/sent.rs` | RFC 6675 |
//! | round-trip time and retransmission timeout | `recovery/rtt.rs` | RFC 6298 |
//! | timestamps, PAWS | `timestamps.rs` | RFC 7323 |
//! | timers | `timers.rs` | §3.8, §3.10.8 |
//! | losses judged by time, loss probes | `recovery/rack.rs`, `loss_by_time.rs` | RFC 8985 |
//! | a window that goes down while a loss is repaired | `recovery/prr.rs` | RFC 6937 |
//! | keep-alives | `keep_alive.rs` | §3.8.4 |
//! | urgent data | `urgent.rs` | §3.8.5 |
//! | what is reported to a program that has not asked | `report.rs` | §3.8.3, §3.9.1.8 |
//! | fast retransmit, fast recovery, limited transmit | `recovery/fast.rs` | RFC 5681 §3.2, RFC 6582, RFC 3042 |
//! | repairs that were not needed, and what is undone | `spurious.rs`, `recovery/frto.rs` | RFC 3522, 4015, 5682 |
//! | congestion control: none, Tahoe, Reno, NewReno, CUBIC, BBR | `congestion/` | §3.8.2, RFC 5681 |
//! | segments at a rate | `pacing.rs` | |
//! | the largest segments that pass, and black holes | `path_mtu.rs` | §3.7.2, RFC 4821, RFC 2923 §2.1 |
//! | marks in place of losses | `ecn.rs` | RFC 3168 §6.1 |
//!
//! What RFC 9293 asks, number by number, and the test that shows it: `tests/network/rfc9293.txt`.

mod acknowledgment;
mod arrival;
mod commands;
pub mod congestion;
mod connection;
mod departure;
mod ecn;
mod header;
mod interface;
mod keep_alive;
mod listener;
mod loss_by_time;
mod options;
mod pacing;
mod path_mtu;
mod reassembly;
mod receiver;
mod recovery;
mod report;
mod sack;
mod segment;
mod send_buffer;
mod sender;
mod seq;
mod spurious;
mod state;
mod syn_cookies;
mod timers;
mod timestamps;
mod urgent;

#[cfg(test)]
mod tests;

pub use connection::Connection;
pub use header::{Flags, MIN_HEADER_LEN, PROTOCOL_NUMBER, TcpHeader};
pub use interface::{Config, Event, IcmpError, Info, Input, Misuse, Output, Reason, Report};
pub use keep_alive::KEEP_ALIVE_IDLE;
pub use listener::{Answer, Listener, reply_to_stray};
pub use options::{Options, TcpOption};
pub use segment::Segment;
pub use seq::SeqNumber;
pub use state::{Cause, State};
pub use syn_cookies::{Cookies, SEGMENT_SIZES, SynCookies};
pub use timers::Timer;
