//! What the ladder says of a frame: a dissected packet turned into words, and into a weight for leaving it out.

use super::label::Label;
use crate::view::dissect::{AppPiece, Mark, Probe, Summary, TcpFlags, TcpSummary, What};
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
        What::Tcp(tcp) if !tcp.marks.is_empty() => Weight::Story,
        What::Tcp(tcp) => tcp.application.iter().map(weight_of_piece).min().unwrap_or(Weight::Calm),
        What::Udp { .. } | What::Fragment { .. } => Weight::Calm,
        What::Arp { .. } | What::Icmp { .. } | What::Ipv4 { .. } | What::Ipv6 { .. } | What::Frame { .. } => {
            Weight::Story
        }
    }
}

fn weight_of_piece(piece: &AppPiece) -> Weight {
    match piece {
        AppPiece::HttpRequest { .. } | AppPiece::HttpResponse { .. } => Weight::Milestone,
        AppPiece::WsFrame { opcode, .. } if opcode.eq_ignore_ascii_case("close") => Weight::Milestone,
        AppPiece::WsFrame { .. }
        | AppPiece::EngineIo { .. }
        | AppPiece::SocketIo { .. }
        | AppPiece::Message { .. } => Weight::Story,
        AppPiece::WsContinuationOfFrame { .. } | AppPiece::Data { .. } => Weight::Calm,
    }
}

/// What to count a packet as, and the bytes it carries for the program above the transport.
pub(super) fn measure(summary: &Summary) -> (Unit, u64) {
    match &summary.what {
        What::Tcp(tcp) => (Unit::Segment, tcp.len as u64),
        What::Udp { len } => (Unit::Datagram, *len as u64),
        What::Fragment { len, .. } => (Unit::Other, *len as u64),
        What::Arp { .. } | What::Icmp { .. } | What::Ipv4 { .. } | What::Ipv6 { .. } | What::Frame { .. } => {
            (Unit::Other, 0)
        }
    }
}

/// The words for a packet, the ones that tell it from others first in worth.
pub(super) fn label(summary: &Summary, look: &Look) -> Label {
    match &summary.what {
        What::Tcp(tcp) => segment(tcp, look),
        What::Udp { len } => match &summary.says {
            Some(says) => Label::default()
                .word(0, format!("{} {}", summary.protocol, look::escape(says)))
                .word(2, format!("{len} B")),
            None => Label::default().word_or(0, format!("datagram {len} B"), format!("{len} B")),
        },
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
        What::Ipv6 { next_header, len } => {
            Label::default().word(0, format!("IPv6 next header {next_header}")).word(1, format!("{len} B"))
        }
        What::Frame { ethertype, len } => {
            let of = ethertype.map_or(String::new(), |number| format!("type {number:#06x}"));
            Label::default().word(0, "frame").word(0, of).word(1, format!("{len} B"))
        }
    }
}

/// A TCP segment. What the application says in it comes first, then its flags, then the numbers.
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
    for mark in &tcp.marks {
        label = match mark {
            Mark::PreviousNotCaptured => label.word_or(1, "[previous not captured]", "[hole]"),
            Mark::AckedUnseen => label.word_or(1, "[ACKs what was not captured]", "[hole]"),
            Mark::OutOfOrder => label.word_or(1, "[out of order]", "[late]"),
            Mark::ZeroWindow => label.word_or(1, "[zero window]", "[win=0]"),
            Mark::WindowUpdate => label.word_or(1, "[window update]", "[win]"),
            Mark::WindowFull => label.word_or(1, "[window full]", "[full]"),
            // The sign of what is sent again says it.
            Mark::Retransmission | Mark::DuplicateAck | Mark::Fast | Mark::Spurious => label,
        };
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

/// The control bits worth a word; ACK goes without saying, except with SYN, FIN and RST.
fn named(flags: TcpFlags) -> String {
    let names = [
        (flags.syn, "SYN"),
        (flags.fin, "FIN"),
        (flags.rst, "RST"),
        (flags.ack && (flags.syn || flags.fin || flags.rst), "ACK"),
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
            let payload_len = look::grouped(*payload_len);
            (format!("WS {opcode}{fin}{masked} {payload_len} B"), format!("WS {opcode} {payload_len} B"))
        }
        AppPiece::EngineIo { packet } => (format!("Engine.IO {packet}"), format!("EIO {packet}")),
        AppPiece::SocketIo { .. } => {
            let words = piece.to_string();
            let short = words.replacen("Socket.IO ", "SIO ", 1);
            (words, short)
        }
        AppPiece::Message { protocol, line } => {
            let line = format!("{protocol} {}", look::escape(line));
            let short = line.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
            (line, short)
        }
        AppPiece::WsContinuationOfFrame { len } => (format!("WS {len} B more"), format!("WS +{len} B")),
        AppPiece::Data { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::story::{saying, tcp};
    use super::*;

    fn whole(what: What) -> String {
        let summary = Summary {
            source: String::new(),
            destination: String::new(),
            protocol: "",
            flow: None,
            says: None,
            what,
        };
        label(&summary, &Look::default()).whole()
    }

    #[test]
    fn a_segment_is_named_by_its_flags_and_numbers() {
        assert_eq!(whole(What::Tcp(tcp("S", 0, None, 0))), "SYN seq=0 win=65535 mss=1460");
        assert_eq!(whole(What::Tcp(tcp("S", 0, Some(1), 0))), "SYN ACK seq=0 ack=1 win=65535 mss=1460");
        assert_eq!(whole(What::Tcp(tcp("", 1, Some(1), 1460))), "seq=1 ack=1 len=1460");
        assert_eq!(whole(What::Tcp(tcp("F", 9, Some(4), 0))), "FIN ACK seq=9 ack=4");
        assert_eq!(whole(What::Tcp(tcp("R", 9, None, 0))), "RST seq=9");
        assert_eq!(whole(What::Tcp(tcp("R", 0, Some(1), 0))), "RST ACK seq=0 ack=1");
    }

    #[test]
    fn a_closed_window_and_a_probe_into_it_are_news() {
        let closed = TcpSummary { window: 0, ..tcp("", 1, Some(9), 0) };
        assert_eq!(whole(What::Tcp(closed)), "ACK seq=1 ack=9 win=0");
        let probe = TcpSummary { probe: Some(Probe::ZeroWindow), ..tcp("", 9, Some(1), 1) };
        assert_eq!(whole(What::Tcp(probe)), "window probe seq=9 ack=1 len=1");
        let keep_alive = TcpSummary { probe: Some(Probe::KeepAlive), ..tcp("", 9, Some(1), 0) };
        assert!(whole(What::Tcp(keep_alive)).starts_with("keep-alive ACK seq=9"));
    }

    #[test]
    fn what_the_application_says_stands_first() {
        let line = "HTTP/1.1 101 Switching Protocols".to_owned();
        let response = saying(tcp("", 1, Some(1), 129), AppPiece::HttpResponse { line });
        assert_eq!(whole(What::Tcp(response)), "101 Switching Protocols seq=1 ack=1 len=129");
        let rest = saying(tcp("", 1, Some(1), 50), AppPiece::WsContinuationOfFrame { len: 50 });
        assert_eq!(whole(What::Tcp(rest)), "WS 50 B more seq=1 ack=1 len=50");
        let bytes = saying(tcp("", 1, Some(1), 50), AppPiece::Data { len: 50 });
        assert_eq!(whole(What::Tcp(bytes)), "seq=1 ack=1 len=50");
    }

    #[test]
    fn what_came_from_the_network_cannot_act_on_the_terminal() {
        let line = "GET /\u{1b}[2J HTTP/1.1".to_owned();
        let request = saying(tcp("", 1, Some(1), 20), AppPiece::HttpRequest { line });
        assert!(!whole(What::Tcp(request)).contains('\u{1b}'));
        assert!(!whole(What::Icmp { message: "\u{202e}".into(), len: 8 }).contains('\u{202e}'));
    }

    #[test]
    fn fragments_say_where_they_belong() {
        let fragment =
            What::Fragment { identification: 7, offset: 1480, len: 520, more: false, completes: None };
        assert_eq!(whole(fragment), "fragment id=0x0007 at=1480 len=520 last");
    }

    #[test]
    fn openings_and_closings_weigh_most() {
        let weight = |what| {
            weight(&Summary {
                source: String::new(),
                destination: String::new(),
                protocol: "",
                flow: None,
                says: None,
                what,
            })
        };
        let close =
            AppPiece::WsFrame { opcode: "close", fin: true, masked: true, payload_len: 2, header_len: 6 };
        assert_eq!(weight(What::Tcp(tcp("S", 0, None, 0))), Weight::Milestone);
        assert_eq!(weight(What::Tcp(saying(tcp("", 1, Some(1), 8), close))), Weight::Milestone);
        assert_eq!(weight(What::Icmp { message: String::new(), len: 8 }), Weight::Story);
        assert_eq!(weight(What::Tcp(tcp("", 1, Some(1), 1460))), Weight::Calm);
    }
}
