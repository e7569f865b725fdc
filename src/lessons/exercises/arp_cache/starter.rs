//! Exercise of lesson 3: an ARP cache that forgets. `netlayers check arp_cache` says how far you are.
//!
//! ```text
//! send 0 .2             asks       who has .2? goes to all
//! reply 0 .2 bb .1      nothing    .2 is at bb: keep it
//! send 0 .2             goes:bb
//! request 5 .3 cc .1    answers    .3, at cc, has asked for us: keep that, too
//! send 60 .2            asks       what was heard 60 s ago is forgotten
//! ```
//!
//! RFC 826, "Packet Reception"; RFC 1122 section 2.3.2.1.
//!
//! It compiles, and it is wrong. `netlayers hint arp_cache` helps, `netlayers reset arp_cache` starts over. In Python
//! or JavaScript: `netlayers check arp_cache --language python`, or `javascript`; in any other language it is a program
//! that reads lines and answers them: `netlayers check arp_cache --program FILE`.

use std::collections::BTreeMap;

use netlayers::lessons::exercises::arp_cache::{Does, Host, Session};

/// What a host holds.
struct Mine {
    /// Of each address that is known, its MAC address.
    known: BTreeMap<String, String>,
}

impl Host for Mine {
    /// A host with this address, which believes what it has heard for `lifetime` seconds.
    fn begin(_own: &str, _lifetime: u32) -> Self {
        Mine { known: BTreeMap::new() }
    }

    /// A packet is to go to a neighbour: `Does::Goes`, `Does::Asks` or `Does::Waits`.
    fn send(&mut self, _now: u32, ip: &str) -> Does {
        // This forgets nothing, and asks as often as it likes.
        match self.known.get(ip) {
            Some(mac) => Does::Goes(mac.clone()),
            None => Does::Asks,
        }
    }

    /// ARP was heard: a request or a reply, from whom, and about which address. Says whether it is answered.
    fn heard(&mut self, _now: u32, is_request: bool, ip: &str, mac: &str, _target: &str) -> bool {
        // This keeps whatever comes, and answers for everybody.
        self.known.insert(ip.into(), mac.into());
        is_request
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin arp_cache, then begin .1 60, then send 0 .2
// 2. Compare with `src/layers/link/arp_cache.rs`. What does it do with packets that wait, and how many does it keep?
// 3. Somebody says: reply 0 .254 ee .1, and .254 is your router. Where do your packets go now?
