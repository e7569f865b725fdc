//! Where the bytes of a run went: the price of each layer.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::Serialize;

use super::{Dissection, Role};
use crate::base::Layer;

/// Bytes by what they were for. Every byte of every frame is in exactly one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Accounting {
    /// How many frames were counted.
    pub frames: u64,
    /// Ethernet headers, ARP packets, and padding.
    pub link: u64,
    /// IPv4 headers, and ICMP messages (which carry no program's bytes).
    pub internet: u64,
    /// TCP and UDP headers.
    pub transport: u64,
    /// What the application protocol added: HTTP heads, WebSocket frame headers, whole control frames.
    pub framing: u64,
    /// What the program wanted to say.
    pub payload: u64,
    /// Of all these bytes, the ones in frames that were sent again.
    pub retransmitted: u64,
}

impl Accounting {
    /// The account of one frame.
    pub fn of(dissection: &Dissection, retransmission: bool) -> Self {
        let mut account = Accounting { frames: 1, ..Accounting::default() };
        for part in &dissection.parts {
            let bytes = part.range.len() as u64;
            match (part.role, part.layer) {
                (Role::Padding, _) | (_, Layer::Physical | Layer::Link) => account.link += bytes,
                (_, Layer::Internet) => account.internet += bytes,
                (_, Layer::Transport) => account.transport += bytes,
                (Role::Header, Layer::Application) => account.framing += bytes,
                (Role::Data, Layer::Application) => account.payload += bytes,
            }
        }
        if retransmission {
            account.retransmitted = account.total();
        }
        account
    }

    /// The sum of all bytes counted.
    pub fn total(&self) -> u64 {
        self.link + self.internet + self.transport + self.framing + self.payload
    }

    /// Bytes that were not payload.
    pub fn overhead(&self) -> u64 {
        self.total() - self.payload
    }
}

impl AddAssign for Accounting {
    fn add_assign(&mut self, other: Accounting) {
        self.frames += other.frames;
        self.link += other.link;
        self.internet += other.internet;
        self.transport += other.transport;
        self.framing += other.framing;
        self.payload += other.payload;
        self.retransmitted += other.retransmitted;
    }
}

impl Add for Accounting {
    type Output = Accounting;
    fn add(mut self, other: Accounting) -> Accounting {
        self += other;
        self
    }
}

impl Sum for Accounting {
    fn sum<I: Iterator<Item = Accounting>>(accounts: I) -> Accounting {
        accounts.fold(Accounting::default(), Add::add)
    }
}
