//! WebSocket frames in a TCP stream, above the segments that carried them and the reads that returned them (RFC 6455
//! §5.2).
//!
//! The picture shows what the program that wrote first sent after the head of its opening handshake. Left out: the other
//! direction, and retransmissions.

use super::bars::{Bar, Piece, bars};
use super::dissect::{What, dissect_trace};
use super::look::Look;
use super::sheet::{Sheet, Tone};
use crate::layers::application::websocket::wire::{WireFrame, head_of};
use crate::trace::{Flow, Kind, Past};

/// Draws the frames of a run.
pub fn frames<'a>(run: impl Into<Past<'a>>, look: &Look) -> Sheet {
    let run = run.into();
    let wrote = run.events.iter().find_map(|event| match &event.kind {
        Kind::AppWrote { flow, .. } => Some(*flow),
        _ => None,
    });
    let Some(flow) = wrote else { return Sheet::of("(no program wrote anything in this run)", Tone::Plain) };
    let bytes = |pick: &dyn Fn(&Kind) -> Option<&[u8]>| -> Vec<Vec<u8>> {
        run.events.iter().filter_map(|event| pick(&event.kind)).map(<[u8]>::to_vec).collect()
    };
    let written = bytes(&|kind| match kind {
        Kind::AppWrote { flow: on, bytes } if *on == flow => Some(bytes),
        _ => None,
    });
    let read = bytes(&|kind| match kind {
        Kind::AppRead { flow: on, bytes } if *on == flow.reversed() => Some(bytes),
        _ => None,
    });
    let stream = written.concat();
    let head = head_of(&stream);
    let frames: Vec<Piece> = WireFrame::all(&stream)
        .iter()
        .map(|frame| Piece::new(frame.head.len() + frame.wire.len(), label(frame)))
        .collect();
    let sizes = |sizes: Vec<usize>| -> Vec<Piece> {
        behind(head, sizes).into_iter().map(|size| Piece::new(size, format!("{size} B"))).collect()
    };
    let segments = sizes(segments(run, flow));
    let reads = sizes(read.iter().map(Vec::len).collect());
    bars(
        &[
            Bar::new(count(frames.len(), "frame"), frames),
            Bar::new(count(segments.len(), "segment"), segments),
            Bar::new(count(reads.len(), "read"), reads),
        ],
        look,
    )
}

/// A frame in a few letters: bytes of header and payload, and its kind.
fn label(frame: &WireFrame) -> String {
    format!("{}+{} {}", frame.head.len(), frame.wire.len(), frame.name())
}

/// The sizes of pieces of a stream without its first `head` bytes.
fn behind(head: usize, sizes: Vec<usize>) -> Vec<usize> {
    let mut left = head;
    let mut rest = Vec::new();
    for size in sizes {
        let cut = size.min(left);
        left -= cut;
        if size > cut {
            rest.push(size - cut);
        }
    }
    rest
}

/// The lengths of the segments that carried bytes for the first time, in the order of the stream.
fn segments(run: Past<'_>, flow: Flow) -> Vec<usize> {
    let packets = dissect_trace(run);
    let sent = packets.iter().filter(|packet| packet.packet.summary.flow == Some(flow));
    let mut segments: Vec<(u64, usize)> = sent
        .filter_map(|packet| match &packet.packet.summary.what {
            What::Tcp(tcp) if tcp.len > 0 && !tcp.retransmission => Some((tcp.seq, tcp.len)),
            _ => None,
        })
        .collect();
    segments.sort_unstable();
    segments.into_iter().map(|(_, len)| len).collect()
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::application::websocket::wire::sample::{HEAD, frame};
    use crate::layers::transport::tcp::Flags;
    use crate::trace::{Protocol, Trace, Wire};
    use crate::view::sample::{exchange, tcp};

    #[test]
    fn edges_of_frames_and_of_segments_have_nothing_to_do_with_each_other() {
        let stream: &'static [u8] =
            [HEAD, &frame(&"a".repeat(94)), &frame("one"), &frame("two")].concat().leak();
        let (first, rest) = stream.split_at(HEAD.len());
        let segments = vec![
            tcp(true, Flags::SYN, 0, 0, b""),
            tcp(true, Flags::ACK, 1, 1, first),
            tcp(true, Flags::ACK, 1 + first.len() as u32, 1, &rest[..60]),
            tcp(true, Flags::ACK, 61 + first.len() as u32, 1, &rest[60..]),
        ];
        let trace = exchange(Protocol::Tcp, &[stream], segments, &[], &[first, rest]);
        insta::assert_snapshot!(frames(&trace, &Look::plain()));
        for look in [Look::plain(), Look { width: 40, ..Look::default() }] {
            let sheet = frames(&trace, &look);
            assert!(sheet.width() <= look.columns(), "{sheet}");
        }
    }

    #[test]
    fn a_run_without_frames_is_no_error() {
        assert!(frames(&Trace::new("", Wire::Sim), &Look::default()).to_string().contains("no program"));
    }
}
