//! A solution of lesson 3's exercise: an ARP cache that forgets (RFC 826, RFC 1122 section 2.3.2.1).

use std::collections::BTreeMap;

use netlayers::lessons::exercises::arp_cache::{Does, Host, Session};

/// What a host holds.
struct Mine {
    own: String,
    lifetime: u32,
    /// Of each address that is known, its MAC address, and until when that is believed.
    known: BTreeMap<String, (String, u32)>,
    /// When each address was asked about.
    asked: BTreeMap<String, u32>,
}

impl Host for Mine {
    fn begin(own: &str, lifetime: u32) -> Self {
        Mine { own: own.into(), lifetime, known: BTreeMap::new(), asked: BTreeMap::new() }
    }

    fn send(&mut self, now: u32, ip: &str) -> Does {
        self.known.retain(|_, (_, until)| now < *until);
        if let Some((mac, _)) = self.known.get(ip) {
            return Does::Goes(mac.clone());
        }
        if self.asked.get(ip) == Some(&now) {
            return Does::Waits;
        }
        self.asked.insert(ip.into(), now);
        Does::Asks
    }

    fn heard(&mut self, now: u32, is_request: bool, ip: &str, mac: &str, target: &str) -> bool {
        self.known.retain(|_, (_, until)| now < *until);
        if target == self.own || self.known.contains_key(ip) {
            self.known.insert(ip.into(), (mac.into(), now + self.lifetime));
        }
        is_request && target == self.own
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this: somebody says: reply 0 .254 ee .1, and .254 is your router. Where do your packets go now? What would help?
