//! What a host remembers of ARP's answers, and the packets that wait for one (RFC 826, RFC 1122 §2.3.2).
//!
//! A neighbour is asked about once a second, three times; then its packets are given up. What it answered is believed
//! for a minute: a neighbour may get another interface, and no message would say so. RFC 1122 §2.3.2 has three rules:
//! out-of-date entries are flushed (MUST), requests about one address are limited, to one a second (MUST), and the
//! latest packet is kept while an answer is awaited (SHOULD). That a full table never stops the host is our own rule.
//!
//! The cache does not build frames. It says when to ask; [`ArpPacket::request`] is what to ask.
//!
//! Left out: asking a known neighbour alone before its entry ends (§2.3.2.1, way 2), and any defence: a host that lies
//! in a reply is believed, as in the real protocol.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use super::arp::{ArpPacket, Operation};
use super::ethernet::MacAddr;
use crate::base::{Duration, Instant};

/// How long an answer is believed. RFC 1122 §2.3.2.1 names a time only for proxy ARP, of the order of a minute; we take
/// it for all entries.
pub const ENTRY_LIFETIME: Duration = Duration::from_secs(60);
/// Time between two requests about the same address (RFC 1122 §2.3.2.1 recommends at most one a second).
pub const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Requests about one address before its packets are given up.
pub const MAX_REQUESTS: u32 = 3;
/// Packets that wait for one neighbour. When one more comes, the *oldest* is dropped: RFC 1122 §2.3.2.2 asks to save at
/// least the latest.
pub const MAX_WAITING: usize = 16;
/// Neighbours that are remembered or asked about. When one more comes, the answer that would end first is forgotten;
/// one that is being asked about never is, or it would be asked about again too soon.
pub const MAX_ENTRIES: usize = 256;

/// The table from IPv4 to Ethernet addresses, with the packets (`T`) that wait for an entry.
#[derive(Debug, Clone)]
pub struct ArpCache<T> {
    /// Sorted by address. A host has one neighbour or a few, and a thousand hosts have a thousand of these.
    entries: Vec<(Ipv4Addr, Entry<T>)>,
}

#[derive(Debug, Clone)]
enum Entry<T> {
    Known { mac: MacAddr, until: Instant, asked: Option<Instant> },
    Asked { waiting: VecDeque<T>, requests: u32, last: Instant },
}

/// What to do with a packet for a neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution<T> {
    /// Its address is known: send it there.
    Send {
        /// The neighbour's Ethernet address.
        mac: MacAddr,
        /// The packet, given back.
        packet: T,
    },
    /// It waits, and the question is to be sent now.
    Ask,
    /// It waits; the question was asked before.
    Wait {
        /// The oldest of the waiting packets, dropped to make room.
        dropped: Option<T>,
    },
    /// It is dropped: the table is full of questions.
    Full {
        /// The packet, given back.
        packet: T,
    },
}

/// What is due at a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due<T> {
    /// Ask about this address once more.
    Ask(Ipv4Addr),
    /// No answer came: the packets are dropped (ICMP: host unreachable).
    GiveUp {
        /// The address that did not answer.
        ip: Ipv4Addr,
        /// What had waited, in order.
        packets: Vec<T>,
    },
}

/// What came of an ARP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned<T> {
    /// The answer to send, to its `target_mac`, if we were asked.
    pub reply: Option<ArpPacket>,
    /// The packets that had waited for the sender, in order, to be sent to its `sender_mac` now.
    pub ready: Vec<T>,
}

impl<T> Default for ArpCache<T> {
    fn default() -> Self {
        ArpCache::new()
    }
}

impl<T> ArpCache<T> {
    /// An empty table.
    pub const fn new() -> Self {
        ArpCache { entries: Vec::new() }
    }

    /// The address of a neighbour, if it is known and still believed.
    pub fn lookup(&self, now: Instant, ip: Ipv4Addr) -> Option<MacAddr> {
        match self.entry(ip) {
            Some(Entry::Known { mac, until, .. }) if now < *until => Some(*mac),
            _ => None,
        }
    }

    /// Asks where to send a packet. It is given back, or kept until there is an answer.
    pub fn resolve(&mut self, now: Instant, ip: Ipv4Addr, packet: T) -> Resolution<T> {
        let room = match self.entry_mut(ip) {
            Some(Entry::Known { mac, until, .. }) if now < *until => {
                return Resolution::Send { mac: *mac, packet };
            }
            Some(Entry::Asked { waiting, .. }) => {
                let dropped = if waiting.len() < MAX_WAITING { None } else { waiting.pop_front() };
                waiting.push_back(packet);
                return Resolution::Wait { dropped };
            }
            Some(Entry::Known { .. }) => true,
            None => self.make_room(now),
        };
        if !room {
            return Resolution::Full { packet };
        }
        // An entry lives longer than the interval, so a question now is never too soon after the one that made it.
        let waiting = VecDeque::from([packet]);
        self.put(ip, Entry::Asked { waiting, requests: 1, last: now });
        Resolution::Ask
    }

    /// Writes an address into the table, whatever its source. Returns the packets that waited for it, in order.
    pub fn insert(&mut self, now: Instant, ip: Ipv4Addr, mac: MacAddr) -> Vec<T> {
        match self.entry(ip) {
            // What the administrator set stays, whatever the wire says.
            Some(Entry::Known { until: Instant::NEVER, .. }) => Vec::new(),
            _ => self.write(now, ip, mac, now + ENTRY_LIFETIME),
        }
    }

    /// Writes an address into the table for good, as an administrator may: it never ends, and no reply changes it.
    /// Gives back the packets that had waited for it, in order.
    pub fn insert_for_good(&mut self, now: Instant, ip: Ipv4Addr, mac: MacAddr) -> Vec<T> {
        self.write(now, ip, mac, Instant::NEVER)
    }

    /// A layer above hears nothing from a neighbour: its entry ends, and the next packet asks again (RFC 1122 §2.3.2.1),
    /// though not sooner than a question may be repeated. What was set for good stays.
    pub fn doubt(&mut self, now: Instant, ip: Ipv4Addr) {
        if let Some(Entry::Known { until, asked, .. }) = self.entry_mut(ip)
            && *until < Instant::NEVER
        {
            let soonest = asked.map_or(now, |at| now.max(at + RETRY_INTERVAL));
            *until = soonest.min(*until);
        }
    }

    fn write(&mut self, now: Instant, ip: Ipv4Addr, mac: MacAddr, until: Instant) -> Vec<T> {
        if self.entry(ip).is_none() && !self.make_room(now) {
            return Vec::new();
        }
        let asked = match self.entry(ip) {
            Some(Entry::Asked { last, .. }) => Some(*last),
            Some(Entry::Known { asked, .. }) => *asked,
            None => None,
        };
        match self.put(ip, Entry::Known { mac, until, asked }) {
            Some(Entry::Asked { waiting, .. }) => waiting.into(),
            Some(Entry::Known { .. }) | None => Vec::new(),
        }
    }

    /// Takes an ARP packet from the link, by the rule of RFC 826 ("Packet Reception").
    ///
    /// The sender's entry, if there is one, is brought up to date, whatever the packet is about. Only a packet for us
    /// makes a *new* entry: its sender will expect packets from us soon. So a host does not fill its table with all
    /// that it overhears. `ours` says which addresses this interface has; `mac` is its own.
    pub fn receive(
        &mut self,
        now: Instant,
        packet: &ArpPacket,
        ours: impl Fn(Ipv4Addr) -> bool,
        mac: MacAddr,
    ) -> Learned<T> {
        let for_us = ours(packet.target_ip);
        let reply = (for_us && packet.operation == Operation::Request).then(|| packet.reply(mac));
        // A probe has no sender address yet (RFC 5227 §2.1.1). A group address belongs to no host (RFC 1812 §3.3.2),
        // and our own is not to be learned from others.
        let believable =
            !packet.sender_ip.is_unspecified() && !ours(packet.sender_ip) && !packet.sender_mac.is_group();
        let merge = self.entry(packet.sender_ip).is_some();
        let ready = if believable && (merge || for_us) {
            self.insert(now, packet.sender_ip, packet.sender_mac)
        } else {
            Vec::new()
        };
        Learned { reply, ready }
    }

    /// When [`expire`](ArpCache::expire) has something to do next.
    ///
    /// Only questions count: an answer that ends does so silently, the next time it is looked at.
    pub fn deadline(&self) -> Option<Instant> {
        let next = |(_, entry): &(Ipv4Addr, Entry<T>)| match entry {
            Entry::Known { .. } => None,
            Entry::Asked { last, .. } => Some(*last + RETRY_INTERVAL),
        };
        self.entries.iter().filter_map(next).min()
    }

    /// Removes the entries that have expired, and returns what is due, in the order of addresses.
    pub fn expire(&mut self, now: Instant) -> Vec<Due<T>> {
        let mut due = Vec::new();
        self.entries.retain_mut(|(ip, entry)| match entry {
            Entry::Known { until, .. } => now < *until,
            Entry::Asked { last, .. } if now < *last + RETRY_INTERVAL => true,
            Entry::Asked { waiting, requests, .. } if *requests >= MAX_REQUESTS => {
                due.push(Due::GiveUp { ip: *ip, packets: std::mem::take(waiting).into() });
                false
            }
            Entry::Asked { requests, last, .. } => {
                *requests += 1;
                *last = now;
                due.push(Due::Ask(*ip));
                true
            }
        });
        due
    }

    /// What is known, in the order of addresses.
    pub fn known(&self, now: Instant) -> impl Iterator<Item = (Ipv4Addr, MacAddr)> {
        self.entries.iter().filter_map(move |(ip, entry)| match entry {
            Entry::Known { mac, until, .. } if now < *until => Some((*ip, *mac)),
            Entry::Known { .. } | Entry::Asked { .. } => None,
        })
    }

    /// Where the entry of an address is, or belongs.
    fn place(&self, ip: Ipv4Addr) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&ip, |(ip, _)| *ip)
    }

    fn entry(&self, ip: Ipv4Addr) -> Option<&Entry<T>> {
        self.place(ip).ok().map(|at| &self.entries[at].1)
    }

    fn entry_mut(&mut self, ip: Ipv4Addr) -> Option<&mut Entry<T>> {
        self.place(ip).ok().map(|at| &mut self.entries[at].1)
    }

    /// Makes `entry` that of an address, and returns the one that it had.
    fn put(&mut self, ip: Ipv4Addr, entry: Entry<T>) -> Option<Entry<T>> {
        match self.place(ip) {
            Ok(at) => Some(std::mem::replace(&mut self.entries[at].1, entry)),
            Err(at) => {
                if self.entries.is_empty() {
                    // Nearly always it stays the only one.
                    self.entries.reserve_exact(1);
                }
                self.entries.insert(at, (ip, entry));
                None
            }
        }
    }

    /// How many neighbours are remembered or asked about.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Makes room for one more entry; false when nothing may be forgotten.
    fn make_room(&mut self, now: Instant) -> bool {
        if self.entries.len() < MAX_ENTRIES {
            return true;
        }
        let first_to_end = self
            .entries
            .iter()
            .filter_map(|(ip, entry)| match entry {
                // To forget that one was asked a moment ago would be to ask again too soon.
                Entry::Known { asked: Some(at), .. } if now < *at + RETRY_INTERVAL => None,
                Entry::Known { until: Instant::NEVER, .. } => None,
                Entry::Known { until, .. } => Some((*until, *ip)),
                Entry::Asked { .. } => None,
            })
            .min();
        first_to_end.is_some_and(|(_, ip)| self.place(ip).map(|at| self.entries.remove(at)).is_ok())
    }
}

#[cfg(test)]
#[path = "arp_cache_tests.rs"]
mod tests;
