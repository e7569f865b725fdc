//! Scripts: a small language for one TCP connection, one line a segment or a call.
//!
//! A script plays the peer of our TCP, segment by segment, and the program above it, call by call; and it says what our
//! TCP has to do at each step, to the nanosecond of virtual time. The idea is packetdrill's (Cardwell et al., USENIX
//! ATC 2013); the language is smaller.
//!
//! ```text
//! # A segment that is lost goes again when its timer goes off (RFC 6298 §5.4).
//! min-rto 200ms
//!
//!         connect
//!         > SYN seq=0
//! +20ms   < SYN ACK seq=0 ack=1 win=65535 <mss=1460>
//!         > ACK seq=1 ack=1
//!         state ESTABLISHED
//!         write 100
//!         > ACK PSH seq=1 ack=1 len=100
//! +200ms  > ACK PSH seq=1 ack=1 len=100
//! ```
//!
//! **First the knobs**, each by the name that it has on the command line, with its value. A script begins with a bare
//! TCP, which has no congestion control, no SACK, no timestamps, and acknowledges everything at once; so its knobs say all
//! that is special. The words of [`SETTINGS`] are knobs of scripts alone.
//!
//! **Then the lines**, each with its time in front of it. `+20ms` is 20 ms after the line before, `@1s` a second after the
//! start, and no time the same instant. `+1s..1.5s` is between the two.
//!
//! | line | what |
//! |---|---|
//! | `< SYN seq=0 win=8000 <mss=1000>` | this segment arrives |
//! | `> ACK seq=1 ack=1001` | our TCP sends this one, then, and none before it |
//! | `quiet 500ms` | nothing is sent for so long |
//! | `state ESTABLISHED` | our end is in this state |
//! | `info rto=1s cwnd=14600` | figures of our end: the names are those of [`FACTS`] |
//! | `event connected` | our program learns this, now or since the last such line: see [`EVENTS`] |
//! | `listen`, `connect`, `accept` | calls of our program |
//! | `write 1000`, `write 9 takes 4`, `write 9 fails`, `write-urgent 1` | |
//! | `read 1000`, `read nothing`, `read end` | |
//! | `shutdown`, `close`, `abort` | |
//! | `set nodelay yes`, `set keep-alive yes`, `set user-timeout 5s` | |
//! | `icmp too-big 576`, `icmp host-unreachable`, `icmp port-unreachable` | an ICMP error about what is in flight |
//!
//! **Segments.** Numbers count from 0, the SYN of each direction, and may be negative. Of one that arrives, what is not said
//! is what a peer would say: the number after all that it has sent, an acknowledgment of all that our TCP has sent, the
//! window as before, no options. Of one that our TCP sends, all that is said must be so: `len` counts as 0 when it is not
//! said, and the flags are all that there are, but for `PSH` and `ECT`, which count only when they are said, or forbidden
//! as `!PSH`. Flags: `SYN ACK FIN RST PSH URG ECE CWR`; `CE` in front of one that arrives: a router has marked it; `ECT`
//! of one that leaves: a router may. Options stand in angle brackets: `mss=1460 wscale=7 sack-permitted sack=2001-3001
//! ts=100/20 option=254:cafe`. `ts` alone is the clock that the peer would send, or any that ours may; `*` is any number.
//!
//! Payloads are checked as well: each byte follows from its place in the stream.
//!
//! | file | what |
//! |---|---|
//! | `words` | lines, words and their columns; what is wrong with one |
//! | `segment` | a segment as a script says it |
//! | `parse` | from text to lines |
//! | `host` | our TCP in virtual time, with the trace |
//! | `play` | the lines, one after the other |

mod host;
mod parse;
mod play;
mod segment;
#[cfg(test)]
mod tests;
mod words;

pub use parse::{EVENTS, FACTS, SETTINGS, Script, parse};
pub use play::{Failure, Played, play, play_forked};
pub use words::SyntaxError;
