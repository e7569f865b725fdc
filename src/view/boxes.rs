//! What one program wrote above what the other one read, as boxes.
//!
//! Each datagram has a column, which stays empty when it does not arrive. A stream has no columns: its writes, segments
//! and reads are drawn end to end, so that one sees whether their edges agree.
//!
//! The picture shows the first conversation in which a program wrote, in that direction. Datagrams are matched by their
//! bytes; of equal ones the first sent counts as the first received, so the match is exact when contents are distinct.

use super::bars::{Bar, Piece, bars};
use super::dissect::{What, dissect_trace};
use super::look::Look;
use super::sheet::{Sheet, Tone};
use crate::trace::{Flow, Kind, Past, Protocol};
use bytes::Bytes;

/// At most this many datagrams are drawn; the others are counted.
const MOST: usize = 6;
/// Room for at least this many is kept, so that few datagrams are not drawn too wide.
const LEAST: usize = 4;
/// The width of a datagram and of the gap between two, on the scale of the picture.
const SLOT: usize = 10;
const BETWEEN: usize = 3;
/// Longer text is replaced by its length.
const LONGEST: usize = 60;

/// Draws the messages of a run.
pub fn boxes<'a>(run: impl Into<Past<'a>>, look: &Look) -> Sheet {
    let run = run.into();
    let wrote = run.events.iter().find_map(|event| match &event.kind {
        Kind::AppWrote { flow, .. } => Some(*flow),
        _ => None,
    });
    match wrote {
        None => Sheet::of("(no program wrote anything in this run)", Tone::Plain),
        Some(flow) if flow.protocol == Protocol::Udp => datagrams(run, flow, look),
        Some(flow) => stream(run, flow, look),
    }
}

fn datagrams(run: Past<'_>, flow: Flow, look: &Look) -> Sheet {
    let (sent, received) = (writes(run, flow), reads(run, flow));
    // For each datagram sent, the receive that returned it.
    let mut came: Vec<Option<usize>> = vec![None; sent.len()];
    for (order, bytes) in received.iter().enumerate() {
        let place = (0..sent.len()).find(|&place| came[place].is_none() && sent[place] == bytes);
        if let Some(place) = place {
            came[place] = Some(order + 1);
        }
    }
    let shown = sent.len().min(MOST);
    let (mut above, mut below) = (Vec::new(), Vec::new());
    for place in 0..shown {
        if place > 0 {
            // A gap: each datagram is a message by itself.
            above.push(Piece::gap(BETWEEN));
            below.push(Piece::gap(BETWEEN));
        }
        let content = contents(sent[place], look);
        above.push(Piece::new(SLOT, content.clone()));
        below.push(match came[place] {
            Some(order) => Piece::new(SLOT, format!("{order}. {content}")),
            None => Piece::lost(SLOT, "nothing"),
        });
    }
    for row in [&mut above, &mut below] {
        row.extend((shown..LEAST).map(|_| Piece::gap(SLOT + BETWEEN)));
    }
    let rows =
        [Bar::new(count(sent.len(), "send"), above), Bar::new(count(received.len(), "receive"), below)];
    let mut sheet = bars(&rows, look);
    if sent.len() > shown {
        sheet.say(format!("({} more are not drawn)", sent.len() - shown), Tone::Faint);
    }
    sheet
}

fn stream(run: Past<'_>, flow: Flow, look: &Look) -> Sheet {
    let side_by_side = |pieces: &[&Bytes]| -> Vec<Piece> {
        pieces.iter().map(|bytes| Piece::new(bytes.len(), contents(bytes, look))).collect()
    };
    let (writes, segments, reads) = (writes(run, flow), segments(run, flow), reads(run, flow));
    let on_the_wire = segments.iter().map(|len| Piece::new(*len, format!("{len} B")));
    bars(
        &[
            Bar::new(count(writes.len(), "write"), side_by_side(&writes)),
            Bar::new(count(segments.len(), "segment"), on_the_wire),
            Bar::new(count(reads.len(), "read"), side_by_side(&reads)),
        ],
        look,
    )
}

fn writes(run: Past<'_>, wanted: Flow) -> Vec<&Bytes> {
    let pick = |kind| match kind {
        &Kind::AppWrote { flow, ref bytes } if flow == wanted => Some(bytes),
        _ => None,
    };
    run.events.iter().filter_map(|event| pick(&event.kind)).collect()
}

fn reads(run: Past<'_>, wanted: Flow) -> Vec<&Bytes> {
    let pick = |kind| match kind {
        &Kind::AppRead { flow, ref bytes } if flow == wanted.reversed() => Some(bytes),
        _ => None,
    };
    run.events.iter().filter_map(|event| pick(&event.kind)).collect()
}

/// The lengths of the segments that carried bytes for the first time, in the order of sending: that of the stream.
fn segments(run: Past<'_>, flow: Flow) -> Vec<usize> {
    let packets = dissect_trace(run);
    let sent = packets.iter().filter(|packet| packet.packet.summary.flow == Some(flow));
    sent.filter_map(|packet| match &packet.packet.summary.what {
        What::Tcp(tcp) if tcp.len > 0 && !tcp.retransmission => Some(tcp.len),
        _ => None,
    })
    .collect()
}

/// Bytes as text if they are short text, otherwise their number.
fn contents(bytes: &Bytes, look: &Look) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text)
            if !text.is_empty() && text.chars().count() <= LONGEST && (!look.ascii || text.is_ascii()) =>
        {
            text.to_owned()
        }
        _ => format!("{} B", bytes.len()),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::transport::tcp::Flags;
    use crate::trace::{Trace, Wire};
    use crate::view::sample::{exchange, tcp, udp};

    #[test]
    fn a_datagram_that_did_not_come_leaves_its_place_empty() {
        let frames = vec![udp(b"one"), udp(b"two"), udp("dr\u{e9}i".as_bytes())];
        let (one, two, three): (&[u8], &[u8], &[u8]) = (b"one", b"two", "dr\u{e9}i".as_bytes());
        let trace = exchange(Protocol::Udp, &[one, two, three], frames, &[1], &[three, one]);
        insta::assert_snapshot!(boxes(&trace, &Look::default()), @r"
                   ┌────────────┐    ┌────────────┐    ┌────────────┐
        3 sends    │one         │    │two         │    │dréi        │
                   └────────────┘    └────────────┘    └────────────┘
                   ┌────────────┐    ┌────────────┐    ┌────────────┐
        2 receives │2. one      │    │✗ nothing   │    │1. dréi     │
                   └────────────┘    └────────────┘    └────────────┘
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
                   +---------------------+----------------------+----------------------+
        3 writes   |aaaaa                |bbbbb                 |ccccc                 |
                   +---------------------+----------------------+----------------------+
                   +---------------------+---------------------------------------------+
        2 segments |5 B                  |10 B                                         |
                   +---------------------+---------------------------------------------+
                   +------------------------------+------------------------------------+
        2 reads    |aaaaabb                       |bbbccccc                            |
                   +------------------------------+------------------------------------+
        ");
    }

    #[test]
    fn every_picture_keeps_to_its_width() {
        let many: Vec<&'static [u8]> = vec!["\u{4f60}\u{301}x\u{1b}".as_bytes(); 200];
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            let trace = exchange(protocol, &many, Vec::new(), &[], &many[..150]);
            for look in [Look::plain(), Look::default(), Look { width: 40, ..Look::default() }] {
                let sheet = boxes(&trace, &look);
                assert!(sheet.width() <= look.columns(), "{sheet}");
                assert!(!look.ascii || sheet.to_string().is_ascii(), "{sheet}");
            }
        }
    }

    #[test]
    fn a_run_in_which_nobody_wrote_is_no_error() {
        assert!(boxes(&Trace::new("", Wire::Sim), &Look::default()).to_string().contains("no program"));
    }
}
