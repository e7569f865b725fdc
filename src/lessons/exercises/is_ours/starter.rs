//! Exercise of lesson 3: which frames does an interface take? `netlayers check is_ours` says how far you are.
//!
//! ```text
//!  0         6         12   14
//! +---------+---------+----+------------------- -+
//! | for     | from    |type| payload, 46 or more  |
//! +---------+---------+----+------------------- -+
//! ff:ff:ff:ff:ff:ff      every interface
//! lowest bit of byte 0   a group of interfaces
//! type below 0x0600      no type: a length           RFC 894, IEEE 802.3
//! ```
//!
//! It compiles, and it is wrong. `netlayers hint is_ours` helps, `netlayers reset is_ours` starts over. In Python or
//! JavaScript: `netlayers check is_ours --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check is_ours --program FILE`.

use netlayers::lessons::exercises::is_ours::{For, Read, Refused, answer};

/// What a frame says to the interface with the address `own`; `Refused::Short` when it is no whole frame,
/// `Refused::Length` when it has a length where the type belongs.
fn read(own: &[u8; 6], frame: &[u8]) -> Result<Read, Refused> {
    // Is this enough for a frame?
    let (Some(to), Some(from)) = (frame.get(0..6), frame.get(6..12)) else { return Err(Refused::Short) };
    // There are other frames that are for this interface, and not for it alone.
    let whom = if to == own { For::Me } else { For::Another };
    let ethertype = 0;
    Ok(Read { whom, from: from.try_into().expect("six bytes"), ethertype })
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), read));
    }
}

// Try this:
// 1. Watch real frames: netlayers lesson 3 --view hex. Type one of them to your program.
// 2. Compare with `src/layers/link/ethernet.rs`. Which of your checks does it leave to others, and to whom?
// 3. Which frames does Wireshark show beyond those that are for you, or for all?
