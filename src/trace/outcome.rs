//! What the programs of a run sent and received: the message's own story, apart from the packets'.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{PlaceId, Trace};

/// One run of one scene: what happened, and what came of it. All wires make the same.
#[derive(Debug, Clone)]
pub struct Run {
    /// How the message was sent.
    pub way: Way,
    /// The trace of the run.
    pub trace: Trace,
    /// Where in it the server is, which the message was sent to.
    pub server: PlaceId,
    /// What the programs saw.
    pub outcome: Outcome,
}

/// The three ways in which `compare` sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// As UDP datagrams, each sent once.
    Udp,
    /// As a TCP stream.
    Tcp,
    /// As a WebSocket message over TCP, which comes back as another.
    WebSocket,
}

impl Way {
    /// All three, in the order of their columns.
    pub const ALL: [Way; 3] = [Way::Udp, Way::Tcp, Way::WebSocket];

    /// The name people know.
    pub const fn name(self) -> &'static str {
        match self {
            Way::Udp => "UDP",
            Way::Tcp => "TCP",
            Way::WebSocket => "WebSocket over TCP",
        }
    }
}

/// What the programs at both ends handed over and got.
///
/// The unit is what the program's interface gives: a datagram, one read of a stream, a message.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The message that was sent.
    pub message: Bytes,
    /// What the client handed over, piece by piece.
    pub sent: Vec<Bytes>,
    /// What the server got.
    pub received: Vec<Bytes>,
    /// What came back to the client; `None` when the scene sends nothing back.
    pub returned: Option<Vec<Bytes>>,
}

/// How what arrived compares with what was sent, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// Pieces sent that never arrived.
    pub missing: usize,
    /// Bytes in the missing pieces.
    pub missing_bytes: usize,
    /// Pieces that arrived again.
    pub repeated: usize,
    /// Pieces that arrived and were never sent: damage that no checksum caught.
    pub foreign: usize,
    /// Pieces that arrived after one that was sent later.
    pub late: usize,
}

impl Comparison {
    /// True when everything arrived once, and in order.
    pub fn is_exact(&self) -> bool {
        *self == Comparison { missing: 0, missing_bytes: 0, repeated: 0, foreign: 0, late: 0 }
    }
}

impl Outcome {
    /// The bytes that the server got, joined.
    pub fn received_bytes(&self) -> Vec<u8> {
        self.received.concat()
    }

    /// Whether the server got the message, byte for byte, however it was cut.
    pub fn arrived_exactly(&self) -> bool {
        same_bytes(&self.received, &self.message)
    }

    /// Whether the message came back byte for byte; `None` when nothing was to come back.
    pub fn returned_exactly(&self) -> Option<bool> {
        self.returned.as_ref().map(|pieces| same_bytes(pieces, &self.message))
    }

    /// Whether every piece that arrived is a piece that was sent: the cuts are where the sender made them.
    pub fn kept_boundaries(&self) -> bool {
        let comparison = self.pieces();
        comparison.foreign == 0
    }

    /// Compares the pieces that arrived with the pieces that were sent, by their bytes.
    ///
    /// Two equal pieces cannot be distinguished, here as for a real receiver: the one that fits the order is taken.
    pub fn pieces(&self) -> Comparison {
        let mut open: BTreeMap<&[u8], VecDeque<usize>> = BTreeMap::new();
        for (index, piece) in self.sent.iter().enumerate() {
            open.entry(piece).or_default().push_back(index);
        }
        let mut result = Comparison { missing: 0, missing_bytes: 0, repeated: 0, foreign: 0, late: 0 };
        let mut latest = None;
        for piece in &self.received {
            match open.get_mut(&piece[..]) {
                None => result.foreign += 1,
                Some(indices) => match indices.pop_front() {
                    None => result.repeated += 1,
                    Some(index) if latest.is_some_and(|latest| index < latest) => result.late += 1,
                    Some(index) => latest = Some(index),
                },
            }
        }
        for (piece, indices) in open {
            result.missing += indices.len();
            result.missing_bytes += indices.len() * piece.len();
        }
        result
    }
}

fn same_bytes(pieces: &[Bytes], whole: &[u8]) -> bool {
    let mut rest = whole;
    for piece in pieces {
        match rest.strip_prefix(&piece[..]) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(sent: &[&'static str], received: &[&'static str]) -> Outcome {
        let bytes =
            |pieces: &[&'static str]| pieces.iter().map(|p| Bytes::from_static(p.as_bytes())).collect();
        Outcome {
            message: sent.concat().into(),
            sent: bytes(sent),
            received: bytes(received),
            returned: None,
        }
    }

    #[test]
    fn what_arrives_whole_and_in_order_is_exact() {
        let outcome = outcome(&["ab", "cd"], &["ab", "cd"]);
        assert!(outcome.pieces().is_exact());
        assert!(outcome.arrived_exactly());
        assert!(outcome.kept_boundaries());
    }

    #[test]
    fn losses_repeats_and_late_pieces_are_counted() {
        let outcome = outcome(&["a", "b", "c", "dd"], &["b", "a", "c", "c"]);
        let found = outcome.pieces();
        assert_eq!(found, Comparison { missing: 1, missing_bytes: 2, repeated: 1, foreign: 0, late: 1 });
        assert!(!outcome.arrived_exactly());
    }

    #[test]
    fn a_stream_keeps_the_bytes_and_not_the_cuts() {
        let outcome = outcome(&["abcdef"], &["abc", "def"]);
        assert!(outcome.arrived_exactly());
        assert!(!outcome.kept_boundaries());
    }

    #[test]
    fn equal_pieces_are_matched_in_order() {
        assert!(outcome(&["x", "x", "x"], &["x", "x", "x"]).pieces().is_exact());
        assert_eq!(outcome(&["x", "x", "x"], &["x", "x"]).pieces().missing, 1);
    }
}
