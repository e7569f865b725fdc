//! The layers themselves, by name and number.

use serde::Serialize;

/// A layer of the five-layer teaching model: the four of TCP/IP (RFC 1122 §1.1.3) with its lowest one, the link
/// layer, split into the wire and what is said on it.
///
/// The order is from the bottom up, so `Layer::Link < Layer::Transport` reads as "is below".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Bits on a wire: line coding, the frame check sequence, delay.
    Physical,
    /// Frames between neighbours: Ethernet, ARP.
    Link,
    /// Packets between hosts: IPv4, ICMP.
    Internet,
    /// Segments and datagrams between programs: TCP, UDP.
    Transport,
    /// Messages between programs: HTTP, WebSocket, Socket.IO.
    Application,
}

impl Layer {
    /// All layers, from the bottom up.
    pub const ALL: [Layer; 5] =
        [Layer::Physical, Layer::Link, Layer::Internet, Layer::Transport, Layer::Application];

    /// The name as written in a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Layer::Physical => "physical",
            Layer::Link => "link",
            Layer::Internet => "internet",
            Layer::Transport => "transport",
            Layer::Application => "application",
        }
    }

    /// One letter for places with no room for a name: a hexdump tags each byte with it.
    pub const fn letter(self) -> char {
        match self {
            Layer::Physical => 'P',
            Layer::Link => 'L',
            Layer::Internet => 'I',
            Layer::Transport => 'T',
            Layer::Application => 'A',
        }
    }

    /// The number (or numbers) of the OSI reference model (ISO/IEC 7498-1) nearest to this layer.
    ///
    /// The two models do not map one to one: TCP/IP has nothing of its own for OSI's layers 5 and 6.
    pub const fn osi(self) -> &'static str {
        match self {
            Layer::Physical => "1",
            Layer::Link => "2",
            Layer::Internet => "3",
            Layer::Transport => "4",
            Layer::Application => "5-7",
        }
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
