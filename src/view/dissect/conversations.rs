//! A run, looked at frame by frame with a memory.

use super::{Accounting, Dissection, Summary, What, dissect_frame, dissect_packet};

/// One frame, dissected in the context of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// Its number, counted from 1 in the order of feeding.
    pub number: u64,
    /// Its parts and problems.
    pub dissection: Dissection,
    /// What a packet list says of it.
    pub summary: Summary,
    /// What its bytes were for.
    pub accounting: Accounting,
}

/// A dissector that remembers.
#[derive(Debug, Clone, Default)]
pub struct Conversations {
    fed: u64,
}

impl Conversations {
    /// A dissector that has seen nothing.
    pub fn new() -> Self {
        Conversations::default()
    }

    /// The next Ethernet frame of the run.
    pub fn feed(&mut self, frame: &[u8]) -> Packet {
        self.note(frame, dissect_frame(frame))
    }

    /// The next IPv4 packet of a run that was captured without a link layer.
    pub fn feed_packet(&mut self, packet: &[u8]) -> Packet {
        self.note(packet, dissect_packet(packet))
    }

    fn note(&mut self, bytes: &[u8], dissection: Dissection) -> Packet {
        self.fed += 1;
        let summary = Summary {
            source: String::new(),
            destination: String::new(),
            protocol: "Ethernet",
            flow: None,
            what: What::Frame { ethertype: None, len: bytes.len() },
        };
        let accounting = Accounting::of(&dissection, summary.is_retransmission());
        Packet { number: self.fed, dissection, summary, accounting }
    }
}
