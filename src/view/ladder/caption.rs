//! What the ladder says of a frame: a dissected packet turned into words, and into a weight for leaving it out.

use super::label::Label;
use crate::view::dissect::{AppPiece, Probe, Summary, TcpFlags, TcpSummary, What};
use crate::view::look::{self, Look};

/// How much a frame matters to the story of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// A connection opens, changes its protocol, closes or breaks.
    Milestone,
    /// Something besides the steady flow: a message begins, an address is looked for.
    Story,
    /// The steady flow of data and acknowledgments.
    Calm,
}

/// What kind of thing to count a frame as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A TCP segment.
    Segment,
    /// A UDP datagram.
    Datagram,
    /// Anything else.
    Other,
}

/// The weight of a packet.
pub(super) fn weight(summary: &Summary) -> Weight {
    match &summary.what {
        What::Tcp(tcp) if tcp.flags.syn || tcp.flags.fin || tcp.flags.rst => Weight::Milestone,
        What::Tcp(tcp) => tcp.application.iter().map(weight_of_piece).min().unwrap_or(Weight::Calm),
        What::Udp { .. } | What::Fragment { .. } => Weight::Calm,
        What::Arp { .. } | What::Icmp { .. } | What::Ipv4 { .. } | What::Frame { .. } => Weight::Story,
    }
}

fn weight_of_piece(piece: &AppPiece) -> Weight {
    match piece {
        AppPiece::HttpRequest { .. } | AppPiece::HttpResponse { .. } => Weight::Milestone,
        AppPiece::WsFrame { opcode, .. } if opcode.eq_ignore_ascii_case("close") => Weight::Milestone,
        AppPiece::WsFrame { .. } => Weight::Story,
        AppPiece::WsContinuationOfFrame { .. } | AppPiece::Data { .. } => Weight::Calm,
    }
}

/// What to count a packet as, and the bytes it carries for the program above the transport.
pub(super) fn measure(summary: &Summary) -> (Unit, u64) {
    match &summary.what {
        What::Tcp(tcp) => (Unit::Segment, tcp.len as u64),
        What::Udp { len } => (Unit::Datagram, *len as u64),
        What::Fragment { len, .. } => (Unit::Other, *len as u64),
        What::Arp { .. } | What::Icmp { .. } | What::Ipv4 { .. } | What::Frame { .. } => (Unit::Other, 0),
    }
}

/// The words for a packet, the ones that tell it from others first in worth.
pub(super) fn label(summary: &Summary, look: &Look) -> Label {
    match &summary.what {
        What::Tcp(tcp) => segment(tcp, look),
        What::Udp { len } => Label::default().word_or(0, format!("datagram {len} B"), format!("{len} B")),
        What::Arp { request: true, sender, target, .. } => {
            Label::default().word(0, format!("who has {target}?")).word(2, format!("tell {sender}"))
        }
        What::Arp { request: false, sender, sender_mac, .. } => {
            let label = Label::default().word(0, sender.to_string()).word(0, "is at");
            label.word_or(0, look::escape(sender_mac), "…")
        }
        What::Icmp { message, len } => {
            Label::default().word(0, "ICMP").word(0, look::escape(message)).word(2, format!("{len} B"))
        }
        What::Fragment { identification, offset, len, more, completes } => {
            let last = if *more { "" } else { "last" };
            Label::default()
                .word_or(0, "fragment", "frag")
                .word(2, format!("id={identification:#06x}"))
                .word(0, format!("at={offset}"))
                .word(1, format!("len={len}"))
                .word(1, last)
                .word(3, completes.as_ref().map_or(String::new(), |whole| format!("of {}", whole.protocol)))
        }
        What::Ipv4 { protocol, len } => {
            Label::default().word(0, format!("IPv4 protocol {protocol}")).word(1, format!("{len} B"))
        }
        What::Frame { ethertype, len } => {
            let of = ethertype.map_or(String::new(), |number| format!("type {number:#06x}"));
            Label::default().word(0, "frame").word(0, of).word(1, format!("{len} B"))
        }
    }
}

/// A TCP segment. What the application says in it stands first, then its flags, then the numbers.
fn segment(tcp: &TcpSummary, look: &Look) -> Label {
    let (seq, ack) = match look.absolute {
        true => (u64::from(tcp.seq_raw), tcp.ack_raw.map(u64::from)),
        false => (tcp.seq, tcp.ack),
    };
    let mut label = Label::default();
    match tcp.probe {
        Some(Probe::KeepAlive) => label = label.word(0, "keep-alive"),
        Some(Probe::ZeroWindow) => label = label.word(0, "window probe"),
        None => {}
    }
    let mut spoken = false;
    for (i, piece) in tcp.application.iter().enumerate() {
        if let Some((long, short)) = words(piece) {
            // Several messages in one segment: the first says what it is about.
            label = label.word_or(u8::try_from(i.min(2)).unwrap_or(2), long, short);
            spoken = true;
        }
    }
    let bare_ack = tcp.len == 0 && only_ack(tcp.flags);
    let dup = if tcp.duplicate_ack { "dup " } else { "" };
    let flags = match (named(tcp.flags), bare_ack) {
        (names, _) if !names.is_empty() => names,
        (_, true) => format!("{dup}ACK"),
        _ => String::new(),
    };
    label = label.word(0, flags);
    // Of a bare acknowledgment the number acknowledged matters, of everything else its own.
    let (seq_rank, ack_rank) = match (bare_ack, spoken, named(tcp.flags).is_empty()) {
        (true, ..) => (3, 0),
        (false, true, _) => (3, 4),
        (false, false, true) => (0, 3),
        (false, false, false) => (1, 2),
    };
    if !(bare_ack && tcp.probe.is_none() && tcp.duplicate_ack) {
        label = label.word(seq_rank, format!("seq={seq}"));
    }
    if let Some(ack) = ack {
        label = label.word_or(ack_rank, format!("ack={ack}"), format!("a={ack}"));
    }
    if tcp.len > 0 {
        label =
            label.word_or(if spoken { 3 } else { 1 }, format!("len={}", tcp.len), format!("{} B", tcp.len));
    }
    if tcp.flags.syn || bare_ack || tcp.window == 0 {
        // What the receiver will take belongs to its acknowledgments; and a closed window is always news.
        label =
            label.word(if tcp.window == 0 && !tcp.flags.rst { 1 } else { 4 }, format!("win={}", tcp.window));
    }
    if let Some(mss) = tcp.mss {
        label = label.word(5, format!("mss={mss}"));
    }
    label
}

/// The control bits worth a word; ACK goes without saying, except with SYN.
fn named(flags: TcpFlags) -> String {
    let names = [
        (flags.syn, "SYN"),
        (flags.fin, "FIN"),
        (flags.rst, "RST"),
        (flags.ack && (flags.syn || flags.fin), "ACK"),
        (flags.urg, "URG"),
    ];
    names.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
}

fn only_ack(flags: TcpFlags) -> bool {
    flags.ack && !flags.syn && !flags.fin && !flags.rst
}

/// A piece of application protocol in words, long and short; `None` for bytes that say nothing of themselves.
fn words(piece: &AppPiece) -> Option<(String, String)> {
    Some(match piece {
        AppPiece::HttpRequest { line } => {
            let line = look::escape(line);
            let short = line.rsplit_once(" HTTP/").map_or(line.as_str(), |(before, _)| before).to_owned();
            (line, short)
        }
        AppPiece::HttpResponse { line } => {
            let line = look::escape(line);
            let status = line.split_once(' ').filter(|(version, _)| version.starts_with("HTTP/"));
            let status = status.map_or(line.clone(), |(_, status)| status.to_owned());
            // The number alone says enough where the words do not fit.
            let short = status.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            (status, short)
        }
        AppPiece::WsFrame { opcode, fin, masked, payload_len, .. } => {
            let fin = if *fin { " fin" } else { "" };
            let masked = if *masked { " masked" } else { "" };
            (format!("WS {opcode}{fin}{masked} {payload_len} B"), format!("WS {opcode} {payload_len} B"))
        }
        AppPiece::WsContinuationOfFrame { len } => (format!("WS {len} B more"), format!("WS +{len} B")),
        AppPiece::Data { .. } => return None,
    })
}
