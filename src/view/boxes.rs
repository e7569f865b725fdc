//! What one program handed over and what the other one got, as boxes one below the other.
//!
//! Of datagrams each has a place of its own, and one that did not come leaves its place empty. A stream has no
//! places: its writes, its segments and its reads lie side by side as the bytes do, so that it can be seen whether
//! their edges agree.
//!
//! Drawn is the first conversation in which a program wrote, in that direction. A datagram is known again by its
//! bytes; of equal ones the first sent counts as the first received. Needs: distinct contents, to be exact.

use super::dissect::{What, dissect_trace};
use super::look::{Look, display_width, escape, fit};
use crate::base::Layer;
use crate::trace::{Flow, Kind, Protocol, Trace};
use bytes::Bytes;

/// Columns of the words in front of the boxes.
const BEFORE: usize = 14;
/// Datagrams that are drawn; the others are counted.
const MOST: usize = 6;
/// Columns of the box of a datagram.
const SLOT: usize = 10;

/// Draws the messages of a run.
pub fn boxes(trace: &Trace, look: &Look) -> String {
    let wrote = trace.events.iter().find_map(|event| match &event.kind {
        Kind::AppWrote { flow, .. } => Some(*flow),
        _ => None,
    });
    match wrote {
        None => "(no program wrote anything in this run)\n".into(),
        Some(flow) if flow.protocol == Protocol::Udp => datagrams(trace, flow, look),
        Some(flow) => stream(trace, flow, look),
    }
}

fn datagrams(trace: &Trace, flow: Flow, look: &Look) -> String {
    let (sent, received) = (writes(trace, flow), reads(trace, flow));
    // For each datagram that was sent, which receive gave it.
    let mut came: Vec<Option<usize>> = vec![None; sent.len()];
    for (order, bytes) in received.iter().enumerate() {
        let place = (0..sent.len()).find(|&place| came[place].is_none() && sent[place] == bytes);
        if let Some(place) = place {
            came[place] = Some(order + 1);
        }
    }
    let shown = sent.len().min(MOST).min((look.columns().saturating_sub(BEFORE)) / (SLOT + 1));
    let mut top = Strip::new(look);
    let mut bottom = Strip::new(look);
    for place in 0..shown {
        let (start, end) = (place * (SLOT + 1), place * (SLOT + 1) + SLOT - 1);
        let content = contents(sent[place], SLOT - 2, look);
        top.put(start, end, &content);
        match came[place] {
            Some(_) => bottom.put(start, end, &content),
            None => bottom.word(start, end, if look.ascii { "x nothing" } else { "✗ nothing" }),
        }
    }
    let mut order = " ".repeat(BEFORE);
    for came in came.iter().take(shown) {
        let text = came.map_or_else(String::new, |order| format!(" no. {order}"));
        order.push_str(&fit(&text, SLOT + 1, look));
    }
    let more = match sent.len() - shown {
        0 => String::new(),
        n => look.faint(&format!("({n} more are not drawn)")) + "\n",
    };
    top.draw(&count(sent.len(), "send"), Layer::Application)
        + &bottom.draw(&count(received.len(), "receive"), Layer::Application)
        + order.trim_end()
        + "\n"
        + &more
}

fn stream(trace: &Trace, flow: Flow, look: &Look) -> String {
    let (writes, reads) = (writes(trace, flow), reads(trace, flow));
    let total: usize = writes.iter().map(|bytes| bytes.len()).sum();
    let columns = look.columns().saturating_sub(BEFORE + 1);
    let at = |byte: usize| byte * columns / total.max(1);
    let mut text = String::new();
    let mut crowded = false;
    let mut row = |words: String, layer: Layer, pieces: &[(usize, usize, Option<&Bytes>)]| {
        let mut strip = Strip::new(look);
        for (start, len, bytes) in pieces {
            let (left, right) = (at(*start), at(start + len).min(columns));
            crowded |= right < left + 2;
            let room = right.saturating_sub(left + 1);
            let said = match bytes {
                Some(bytes) => contents(bytes, room, look),
                None => size(*len, room),
            };
            strip.put(left, right.max(left + 1), &said);
        }
        text.push_str(&strip.draw(&words, layer));
    };
    row(count(writes.len(), "write"), Layer::Application, &side_by_side(&writes));
    let segments = segments(trace, flow);
    let pieces: Vec<_> = segments.iter().map(|(start, len)| (*start, *len, None)).collect();
    row(count(pieces.len(), "segment"), Layer::Transport, &pieces);
    row(count(reads.len(), "read"), Layer::Application, &side_by_side(&reads));
    if crowded {
        let said = fit("(some edges are too close to be drawn apart)", look.columns(), look);
        text.push_str(&look.faint(said.trim_end()));
        text.push('\n');
    }
    text
}

fn side_by_side<'a>(pieces: &[&'a Bytes]) -> Vec<(usize, usize, Option<&'a Bytes>)> {
    let mut start = 0;
    pieces
        .iter()
        .map(|bytes| {
            let piece = (start, bytes.len(), Some(*bytes));
            start += bytes.len();
            piece
        })
        .collect()
}

fn writes(trace: &Trace, wanted: Flow) -> Vec<&Bytes> {
    let pick = |kind| match kind {
        &Kind::AppWrote { flow, ref bytes } if flow == wanted => Some(bytes),
        _ => None,
    };
    trace.events.iter().filter_map(|event| pick(&event.kind)).collect()
}

fn reads(trace: &Trace, wanted: Flow) -> Vec<&Bytes> {
    let pick = |kind| match kind {
        &Kind::AppRead { flow, ref bytes } if flow == wanted.reversed() => Some(bytes),
        _ => None,
    };
    trace.events.iter().filter_map(|event| pick(&event.kind)).collect()
}

/// Where each new stretch of a stream begins, and its length. The first byte is number 1, behind the SYN.
fn segments(trace: &Trace, flow: Flow) -> Vec<(usize, usize)> {
    let packets = dissect_trace(trace);
    let new = packets.iter().filter(|packet| packet.packet.summary.flow == Some(flow));
    new.filter_map(|packet| match &packet.packet.summary.what {
        What::Tcp(tcp) if tcp.len > 0 && !tcp.retransmission => {
            Some((usize::try_from(tcp.seq.saturating_sub(1)).ok()?, tcp.len))
        }
        _ => None,
    })
    .collect()
}

/// Bytes as text where they fit and are text, otherwise how many there are.
fn contents(bytes: &Bytes, room: usize, look: &Look) -> String {
    let text = escape(bytes);
    let printable = std::str::from_utf8(bytes).is_ok() && (!look.ascii || text.is_ascii());
    if bytes.is_empty() {
        return size(0, room);
    }
    if printable && display_width(&text) <= room { text } else { size(bytes.len(), room) }
}

fn size(len: usize, room: usize) -> String {
    let text = format!("{len} B");
    match (text.len() <= room, len.to_string()) {
        (true, _) => text,
        (false, number) if number.len() <= room => number,
        _ => String::new(),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Three lines with boxes on them. Boxes that touch share a wall.
struct Strip<'a> {
    look: &'a Look,
    lines: [Vec<String>; 3],
}

impl<'a> Strip<'a> {
    fn new(look: &'a Look) -> Self {
        let line = || vec![" ".to_owned(); look.columns().saturating_sub(BEFORE)];
        Strip { look, lines: [line(), line(), line()] }
    }

    /// A box whose walls stand in the columns `left` and `right`.
    fn put(&mut self, left: usize, right: usize, text: &str) {
        let (wall, line) = if self.look.ascii { ("|", "-") } else { ("│", "─") };
        for (row, [first, last, shared]) in [(0, ["┌", "┐", "┬"]), (2, ["└", "┘", "┴"])] {
            let joins = self.lines[row].get(left).is_some_and(|cell| cell != " ");
            let (first, last) = match self.look.ascii {
                true => ("+", "+"),
                false => (if joins { shared } else { first }, last),
            };
            self.set(row, left, first);
            (left + 1..right).for_each(|column| self.set(row, column, line));
            self.set(row, right, last);
        }
        self.set(1, left, wall);
        self.word(left + 1, right, text);
        self.set(1, right, wall);
    }

    /// A word between two columns, in their middle.
    fn word(&mut self, start: usize, end: usize, text: &str) {
        let room = end.saturating_sub(start);
        if room == 0 || text.is_empty() {
            return;
        }
        let indent = room.saturating_sub(display_width(text)) / 2;
        let mut column = start + indent;
        for c in fit(text, room, self.look).trim_end().chars() {
            let cell = c.to_string();
            let width = display_width(&cell);
            match width {
                // A mark that belongs to the character before it.
                0 => {
                    if let Some(before) =
                        column.checked_sub(1).and_then(|before| self.lines[1].get_mut(before))
                    {
                        before.push(c);
                    }
                }
                _ => {
                    self.set(1, column, &cell);
                    (1..width).for_each(|more| self.set(1, column + more, ""));
                }
            }
            column += width;
        }
    }

    fn set(&mut self, row: usize, column: usize, cell: &str) {
        if let Some(place) = self.lines[row].get_mut(column) {
            place.clear();
            place.push_str(cell);
        }
    }

    fn draw(&self, words: &str, layer: Layer) -> String {
        let mut text = String::new();
        for (row, cells) in self.lines.iter().enumerate() {
            let words = if row == 1 { words } else { "" };
            let boxes = cells.concat();
            text.push_str(&fit(words, BEFORE, self.look));
            text.push_str(&self.look.layer(layer, boxes.trim_end()));
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::transport::tcp::Flags;
    use crate::trace::Wire;
    use crate::view::sample::{exchange, tcp, udp};

    #[test]
    fn a_datagram_that_did_not_come_leaves_its_place_empty() {
        let frames = vec![udp(b"one"), udp(b"two"), udp("dr\u{e9}i".as_bytes())];
        let (one, two, three): (&[u8], &[u8], &[u8]) = (b"one", b"two", "dr\u{e9}i".as_bytes());
        let trace = exchange(Protocol::Udp, &[one, two, three], frames, &[1], &[three, one]);
        insta::assert_snapshot!(boxes(&trace, &Look::default()), @r"
                      ┌────────┐ ┌────────┐ ┌────────┐
        3 sends       │  one   │ │  two   │ │  dréi  │
                      └────────┘ └────────┘ └────────┘
                      ┌────────┐            ┌────────┐
        2 receives    │  one   │ ✗ nothing  │  dréi  │
                      └────────┘            └────────┘
                       no. 2                 no. 1
        ");
    }

    #[test]
    fn the_edges_of_a_stream_are_where_its_bytes_are() {
        let segments = vec![
            tcp(true, Flags::SYN, 0, 0, b""),
            tcp(true, Flags::ACK, 1, 1, b"aaaaa"),
            tcp(true, Flags::ACK, 6, 1, b"bbbbbccccc"),
        ];
        let trace = exchange(
            Protocol::Tcp,
            &[b"aaaaa", b"bbbbb", b"ccccc"],
            segments,
            &[],
            &[b"aaaaabb", b"bbbccccc"],
        );
        insta::assert_snapshot!(boxes(&trace, &Look::plain()), @r"
                      +--------------------+---------------------+---------------------+
        3 writes      |       aaaaa        |        bbbbb        |        ccccc        |
                      +--------------------+---------------------+---------------------+
                      +--------------------+-------------------------------------------+
        2 segments    |        5 B         |                   10 B                    |
                      +--------------------+-------------------------------------------+
                      +-----------------------------+----------------------------------+
        2 reads       |           aaaaabb           |             bbbccccc             |
                      +-----------------------------+----------------------------------+
        ");
    }

    #[test]
    fn every_picture_keeps_to_its_width() {
        let many: Vec<&'static [u8]> = vec!["\u{4f60}\u{301}x\u{1b}".as_bytes(); 200];
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            let trace = exchange(protocol, &many, Vec::new(), &[], &many[..150]);
            for look in [Look::plain(), Look::default(), Look { width: 40, ..Look::default() }] {
                for line in boxes(&trace, &look).lines() {
                    assert!(display_width(line) <= look.columns(), "{line}");
                    assert!(!look.ascii || line.is_ascii(), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_run_in_which_nobody_wrote_is_no_error() {
        assert!(boxes(&Trace::new("", Wire::Sim), &Look::default()).contains("no program"));
    }
}
