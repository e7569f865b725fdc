//! The conversations of a capture: who spoke with whom, numbered in the order in which they begin.
//!
//! With ports, a conversation is a pair of ends; without, a pair of addresses and a protocol. A SYN with another number on
//! ports that were used before begins a new one.

use std::collections::BTreeMap;

use crate::view::dissect::{AppPiece, Summary, What};
use crate::view::look::{Look, fit, grouped};
use crate::view::sheet::{Line, Sheet, Tone, width};

/// At most this many conversations are distinguished. What belongs to later ones is counted.
const MOST: usize = 100_000;

/// The conversations, as far as the capture was read.
#[derive(Debug, Clone, Default)]
pub struct Talks {
    talks: Vec<Talk>,
    by_ends: BTreeMap<(&'static str, String, String), usize>,
    left_out: u64,
}

/// One conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// TCP, UDP, or another protocol.
    pub kind: &'static str,
    /// The end that spoke first, and the other.
    pub ends: [String; 2],
    /// Packets from each of them.
    pub packets: [u64; 2],
    /// Bytes on the wire, headers included.
    pub bytes: u64,
    /// When it began and ended, in nanoseconds since the first packet of the capture.
    pub times: [u64; 2],
    /// The protocols above, and the first thing that was said.
    pub says: Option<String>,
    isn: Option<u32>,
}

impl Talks {
    /// Adds a packet of `len` bytes. Returns the number of its conversation, from 1; `None` beyond the last that is counted.
    pub fn note(&mut self, summary: &Summary, len: u64, since: u64) -> Option<u64> {
        let kind = match &summary.what {
            What::Tcp(_) => "TCP",
            What::Udp { .. } => "UDP",
            What::Arp { .. } => "ARP",
            What::Fragment { .. } => "fragments",
            _ => summary.protocol,
        };
        let (from, to) = (&summary.source, &summary.destination);
        let turned = from > to;
        let key = if turned { (kind, to.clone(), from.clone()) } else { (kind, from.clone(), to.clone()) };
        let syn = match &summary.what {
            What::Tcp(tcp) if tcp.flags.syn && !tcp.flags.ack => Some(tcp.seq_raw),
            _ => None,
        };
        let found = self.by_ends.get(&key).copied().filter(|at| {
            let isn = self.talks[*at].isn;
            syn.is_none() || isn.is_none() && self.talks[*at].packets == [0, 0] || isn == syn
        });
        let at = match found {
            Some(at) => at,
            None if self.talks.len() >= MOST => {
                self.left_out += 1;
                return None;
            }
            None => {
                self.talks.push(Talk {
                    kind,
                    ends: [from.clone(), to.clone()],
                    packets: [0, 0],
                    bytes: 0,
                    times: [since, since],
                    says: None,
                    isn: syn,
                });
                self.by_ends.insert(key, self.talks.len() - 1);
                self.talks.len() - 1
            }
        };
        let talk = &mut self.talks[at];
        talk.packets[usize::from(talk.ends[0] != *from)] += 1;
        talk.bytes += len;
        talk.times[1] = since;
        if talk.says.is_none() {
            talk.says = said(summary);
        }
        Some(at as u64 + 1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.talks.len()
    }

    /// True when nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.talks.is_empty()
    }

    /// Packets of conversations beyond the last that is counted.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The conversations in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Talk> {
        self.talks.iter()
    }

    /// The list; if asked for, no wider than the look.
    pub fn list(&self, look: &Look, cut: bool) -> Sheet {
        let heads =
            ["no", "protocol", "first end", "other end", "packets", "bytes", "from ms", "to ms", "what"];
        let ms = |nanos: u64| format!("{:.3}", nanos as f64 / 1e6);
        let rows: Vec<[String; 9]> = (1..)
            .zip(&self.talks)
            .map(|(number, talk): (usize, _)| {
                [
                    number.to_string(),
                    talk.kind.to_owned(),
                    talk.ends[0].clone(),
                    talk.ends[1].clone(),
                    format!("{}+{}", talk.packets[0], talk.packets[1]),
                    grouped(talk.bytes),
                    ms(talk.times[0]),
                    ms(talk.times[1]),
                    talk.says.clone().unwrap_or_default(),
                ]
            })
            .collect();
        let heads = heads.map(str::to_owned);
        let mut widths = [0; 9];
        for row in rows.iter().chain([&heads]) {
            for (most, cell) in widths.iter_mut().zip(row) {
                *most = width(cell).max(*most);
            }
        }
        let total = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
        if cut && total > look.columns() {
            return rows.iter().flat_map(|row| in_two_lines(row, look)).collect();
        }
        let mut sheet = Sheet::new();
        for (tone, row) in
            [(Tone::Strong, &heads)].into_iter().chain(rows.iter().map(|row| (Tone::Plain, row)))
        {
            let cells = row.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
                0 | 4..=7 => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            });
            let line = Line::of(cells.collect::<Vec<_>>().join("  ").trim_end(), tone);
            sheet.push(if tone == Tone::Strong { line.as_head() } else { line });
        }
        sheet
    }
}

/// A conversation where a line has no room for it: who with whom, and below it how much, when and what.
fn in_two_lines(row: &[String; 9], look: &Look) -> [Line; 2] {
    let [number, protocol, first, other, packets, bytes, from, to, what] = row;
    let who = format!("{number:>3}  {protocol}  {first} > {other}");
    let what = format!("     {packets} packets, {bytes} B, {from} to {to} ms  {what}");
    [who, what].map(|line| Line::of(fit(&line, look.columns(), look).trim_end(), Tone::Plain))
}

/// What a packet says that is worth being the headline of its conversation.
fn said(summary: &Summary) -> Option<String> {
    match &summary.what {
        What::Tcp(tcp) => tcp.application.iter().find_map(|piece| match piece {
            AppPiece::Data { .. } | AppPiece::WsContinuationOfFrame { .. } => None,
            piece => Some(piece.to_string()),
        }),
        What::Udp { .. } => summary.says.as_ref().map(|says| format!("{} {says}", summary.protocol)),
        What::Icmp { message, .. } => Some(message.clone()),
        What::Arp { .. } | What::Fragment { .. } => Some(summary.info()),
        _ => summary.says.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::transport::tcp::Flags;
    use crate::view::dissect::Conversations;
    use crate::view::sample;

    #[test]
    fn both_directions_are_one_conversation_and_the_ports_used_again_are_another() {
        let (mut conversations, mut talks) = (Conversations::new(), Talks::default());
        let mut note = |frame: &[u8], at| talks.note(&conversations.feed(frame).summary, 60, at);
        assert_eq!(note(&sample::arp_request(), 0), Some(1));
        for (at, frame) in (1..).zip(sample::handshake()) {
            assert_eq!(note(&frame, at), Some(2));
        }
        assert_eq!(note(&sample::udp(b"hello"), 7_000_000), Some(3));
        // The same SYN again is the same conversation; one with another number is not.
        assert_eq!(note(&sample::handshake()[0], 8_000_000), Some(2));
        assert_eq!(note(&sample::tcp(true, Flags::SYN, 99_999, 0, b""), 9_000_000), Some(4));
        let lines: Vec<String> =
            talks.list(&Look::default(), false).lines().iter().map(Line::to_string).collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[2].contains("10.0.0.1:4000") && lines[2].contains("GET /chat HTTP/1.1"), "{lines:?}");
        assert!(lines[2].contains("5+2"), "{lines:?}");
        let narrow = talks.list(&Look { width: 60, ..Look::default() }, true).to_string();
        assert!(narrow.contains("  2  TCP  10.0.0.1:4000 > 10.0.0.2:80\n     5+2 packets"), "{narrow}");
    }
}
