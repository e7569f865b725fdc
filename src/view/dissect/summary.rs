//! One packet in one line.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use serde::Serialize;

use super::internet::carried_name;
use crate::layers::link::ethernet::EtherType;
use crate::trace::Flow;

/// What a packet list says of a packet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The sender: `10.0.0.1:4000`, or an address without port, or an Ethernet address.
    pub source: String,
    /// The receiver, in the same form.
    pub destination: String,
    /// The topmost protocol found in it.
    pub protocol: &'static str,
    /// Its conversation seen from the sender's end, when it has ports.
    pub flow: Option<Flow>,
    /// What its payload says, when that is known and has no other place: a question for a name, the kind of a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// What it does.
    pub what: What,
}

/// What a packet does, by protocol.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// An ARP request or reply.
    Arp {
        /// True for a question, false for an answer.
        request: bool,
        /// The station that asks or answers.
        sender: IpAddr,
        /// The sender's Ethernet address.
        sender_mac: String,
        /// The address that is asked for.
        target: IpAddr,
    },
    /// An ICMP message, of these type and code.
    Icmp {
        /// What it says, with its numbers where they tell something.
        message: String,
        /// Bytes of the message.
        len: usize,
    },
    /// A UDP datagram, whole.
    Udp {
        /// Bytes of payload, without the header.
        len: usize,
    },
    /// A piece of an IPv4 packet.
    Fragment {
        /// The identification that all pieces of the packet share.
        identification: u32,
        /// Where its data belong in the packet's data, in bytes.
        offset: usize,
        /// Bytes of data in this fragment.
        len: usize,
        /// Whether more pieces follow it.
        more: bool,
        /// The whole packet, when this was the last piece missing.
        completes: Option<Box<Summary>>,
    },
    /// A TCP segment, in its conversation.
    Tcp(TcpSummary),
    /// An IPv4 packet for a transport that has no dissector, or whose header could not be read.
    Ipv4 {
        /// The number of the transport protocol.
        protocol: u8,
        /// Bytes of data after the header.
        len: usize,
    },
    /// The same of an IPv6 packet.
    Ipv6 {
        /// The number of what it carries.
        next_header: u8,
        /// Bytes of that.
        len: usize,
    },
    /// A frame of which no more is known.
    Frame {
        /// Its EtherType, if there is one.
        ethertype: Option<u16>,
        /// Bytes after the header.
        len: usize,
    },
}

/// What a TCP segment does, with relative numbers as in Wireshark: the SYN of each direction is 0.
///
/// In a conversation whose SYN was not seen, the first sequence number seen counts as 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpSummary {
    /// The control bits that are set.
    pub flags: TcpFlags,
    /// Sequence number, relative and without wrapping.
    pub seq: u64,
    /// Acknowledgment number, relative to the other direction; `None` without ACK.
    pub ack: Option<u64>,
    /// Sequence number as on the wire.
    pub seq_raw: u32,
    /// Acknowledgment number as on the wire; `None` without ACK.
    pub ack_raw: Option<u32>,
    /// Bytes of payload, without the header.
    pub len: usize,
    /// The receive window in bytes: scaled when both SYNs were seen with the option (RFC 7323 §2.2).
    pub window: u32,
    /// The maximum segment size option.
    pub mss: Option<u16>,
    /// Whether all it carries (bytes, SYN, FIN) was seen before in this direction.
    pub retransmission: bool,
    /// Whether it is a probe.
    pub probe: Option<Probe>,
    /// Whether it acknowledges what was acknowledged before and carries nothing, with data outstanding
    /// (RFC 5681 §2). An observer, by Wireshark's rules, asks for no data outstanding: some may have passed it by.
    pub duplicate_ack: bool,
    /// What a capture tells of its fate, beside these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The messages, or pieces of them, that its payload holds.
    pub application: Vec<AppPiece>,
}

/// What a capture tells of a segment, by the rules of Wireshark's TCP analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It begins behind everything seen so far: the capture misses a segment, or will see it later.
    PreviousNotCaptured,
    /// It acknowledges what was never seen.
    AckedUnseen,
    /// It fills a hole so soon that it was rather overtaken than sent again.
    OutOfOrder,
    /// It was sent again: also told by [`TcpSummary::retransmission`].
    Retransmission,
    /// It acknowledges the same again: told by [`TcpSummary::duplicate_ack`].
    DuplicateAck,
    /// It was sent again after duplicate acknowledgments.
    Fast,
    /// It was sent again although the capture has seen it acknowledged.
    Spurious,
    /// It closes its sender's window.
    ZeroWindow,
    /// It says nothing new but another window.
    WindowUpdate,
    /// It fills the window of the other end to its edge.
    WindowFull,
}

/// A segment sent only to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// A keep-alive: at most one byte, already acknowledged (RFC 9293 §3.8.4).
    KeepAlive,
    /// A byte sent into a closed window (RFC 9293 §3.8.6.1).
    ZeroWindow,
}

/// The control bits of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TcpFlags {
    /// Synchronize.
    pub syn: bool,
    /// The acknowledgment field counts.
    pub ack: bool,
    /// No more bytes from the sender.
    pub fin: bool,
    /// Reset.
    pub rst: bool,
    /// Push.
    pub psh: bool,
    /// Urgent.
    pub urg: bool,
}

/// A piece of application protocol in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AppPiece {
    /// An HTTP request, by its first line.
    HttpRequest {
        /// The request line, up to the version.
        line: String,
    },
    /// An HTTP response, by its first line.
    HttpResponse {
        /// The status line, with its reason.
        line: String,
    },
    /// The start of a WebSocket frame.
    WsFrame {
        /// The name of its opcode.
        opcode: &'static str,
        /// Whether it ends its message.
        fin: bool,
        /// Whether its payload is masked.
        masked: bool,
        /// Bytes of payload, also those in later segments.
        payload_len: u64,
        /// Bytes of header, the masking key included.
        header_len: usize,
    },
    /// A packet of Engine.IO, in a WebSocket message or an HTTP body.
    EngineIo {
        /// The name of its type.
        packet: &'static str,
    },
    /// A packet of Socket.IO in it.
    SocketIo {
        /// The name of its type.
        packet: &'static str,
        /// The namespace it belongs to.
        namespace: String,
        /// The number under which an answer is wanted, or given.
        ack: Option<u64>,
    },
    /// More bytes of what began in an earlier segment: a head, a frame header or a frame's payload.
    WsContinuationOfFrame {
        /// Bytes of data.
        len: usize,
    },
    /// A message of another protocol, such as a TLS record.
    Message {
        /// Which protocol.
        protocol: &'static str,
        /// What it is.
        line: String,
    },
    /// Bytes of no protocol known here.
    Data {
        /// Bytes of data.
        len: usize,
    },
}

impl Summary {
    /// One line, as in Wireshark's *Info* column.
    pub fn info(&self) -> String {
        self.line(false)
    }

    /// The same with sequence numbers as on the wire.
    pub fn info_absolute(&self) -> String {
        self.line(true)
    }

    /// A shorter line, without ports, which says what a segment carries before it says its numbers.
    pub fn brief(&self, absolute: bool) -> String {
        match &self.what {
            What::Tcp(tcp) => tcp.brief(absolute),
            What::Fragment { offset, len, more, completes, .. } => {
                let last = if *more { "" } else { ", last" };
                let whole =
                    completes.as_ref().map_or(String::new(), |whole| format!(": {} whole", whole.protocol));
                format!("fragment, {len} B at {offset}{last}{whole}")
            }
            _ => self.line(absolute),
        }
    }

    fn line(&self, absolute: bool) -> String {
        match &self.what {
            What::Arp { request: true, sender, target, .. } => format!("Who has {target}? Tell {sender}"),
            What::Arp { request: false, sender, sender_mac, .. } => format!("{sender} is at {sender_mac}"),
            What::Icmp { message, .. } => message.clone(),
            What::Udp { len } => {
                let ports = match (port(&self.source), port(&self.destination)) {
                    (Some(from), Some(to)) => format!("{from} > {to} "),
                    _ => String::new(),
                };
                let says =
                    self.says.as_ref().map_or(String::new(), |says| format!(" | {} {says}", self.protocol));
                format!("{ports}Len={len}{says}")
            }
            What::Fragment { identification, offset, len, more, completes } => {
                let last = if *more { "" } else { ", the last" };
                let whole = match completes {
                    Some(whole) => format!("; completes {}: {}", whole.protocol, whole.line(absolute)),
                    None => String::new(),
                };
                format!("Fragment of packet 0x{identification:04x}: {len} bytes at {offset}{last}{whole}")
            }
            What::Tcp(tcp) => tcp.line((port(&self.source), port(&self.destination)), absolute),
            What::Ipv4 { protocol, len } => {
                let name = carried_name(*protocol).map_or(String::new(), |name| format!(" ({name})"));
                format!("IPv4, protocol {protocol}{name}, Len={len}")
            }
            What::Ipv6 { next_header, len } => {
                let name = carried_name(*next_header).map_or(String::new(), |name| format!(" ({name})"));
                format!("IPv6, next header {next_header}{name}, Len={len}")
            }
            What::Frame { len, .. } if self.says.is_some() => {
                format!("{}, Len={len}", self.says.as_deref().unwrap_or_default())
            }
            What::Frame { ethertype: Some(ethertype), len } => {
                let number = format!("0x{ethertype:04x}");
                match EtherType(*ethertype).to_string() {
                    name if name == number => format!("EtherType {number}, Len={len}"),
                    name => format!("{name}, EtherType {number}, Len={len}"),
                }
            }
            What::Frame { ethertype: None, len } => format!("{len} bytes"),
        }
    }

    /// Whether it brings nothing that was not sent before.
    pub fn is_retransmission(&self) -> bool {
        matches!(&self.what, What::Tcp(tcp) if tcp.retransmission)
    }
}

/// The port in `10.0.0.1:80` or `[::1]:80`.
fn port(end: &str) -> Option<&str> {
    let (address, port) = end.rsplit_once(':')?;
    (address.ends_with(']') || !address.contains(':')).then_some(port)
}

impl TcpSummary {
    fn brief(&self, absolute: bool) -> String {
        let mut line = self.mark();
        let carried: Vec<_> = self
            .application
            .iter()
            .filter(|piece| !matches!(piece, AppPiece::Data { .. }))
            .map(|piece| piece.to_string().replacen("WebSocket ", "", 1))
            .collect();
        if carried.is_empty() {
            let _ = write!(line, "{}", self.flags);
        } else {
            line.push_str(&carried.join(" | "));
        }
        let (seq, ack) = self.numbers(absolute);
        let _ = write!(line, " Seq={seq}");
        if let Some(ack) = ack {
            let _ = write!(line, " Ack={ack}");
        }
        if self.len > 0 {
            let _ = write!(line, " Len={}", self.len);
        }
        line
    }

    /// What is special about it.
    fn mark(&self) -> String {
        let mut marks = String::new();
        for mark in &self.marks {
            marks.push_str(match mark {
                Mark::PreviousNotCaptured => "[previous segment not captured] ",
                Mark::AckedUnseen => "[ACKed unseen segment] ",
                Mark::OutOfOrder => "[out of order] ",
                Mark::ZeroWindow => "[zero window] ",
                Mark::WindowUpdate => "[window update] ",
                Mark::WindowFull => "[window full] ",
                // A retransmission in any case, which is said below.
                Mark::Retransmission | Mark::DuplicateAck | Mark::Fast | Mark::Spurious => "",
            });
        }
        marks.push_str(match self.probe {
            Some(Probe::KeepAlive) => "[keep-alive] ",
            Some(Probe::ZeroWindow) => "[zero window probe] ",
            None if self.retransmission => "[retransmission] ",
            None if self.duplicate_ack => "[duplicate ACK] ",
            None => "",
        });
        marks
    }

    /// Sequence and acknowledgment number, relative or as on the wire.
    fn numbers(&self, absolute: bool) -> (u64, Option<u64>) {
        if absolute { (u64::from(self.seq_raw), self.ack_raw.map(u64::from)) } else { (self.seq, self.ack) }
    }

    fn line(&self, ports: (Option<&str>, Option<&str>), absolute: bool) -> String {
        let mut line = self.mark();
        if let (Some(from), Some(to)) = ports {
            let _ = write!(line, "{from} > {to} ");
        }
        let (seq, ack) = self.numbers(absolute);
        let _ = write!(line, "[{}] Seq={seq}", self.flags);
        if let Some(ack) = ack {
            let _ = write!(line, " Ack={ack}");
        }
        let _ = write!(line, " Win={} Len={}", self.window, self.len);
        if let Some(mss) = self.mss {
            let _ = write!(line, " MSS={mss}");
        }
        for piece in &self.application {
            if !matches!(piece, AppPiece::Data { .. }) {
                let _ = write!(line, " | {piece}");
            }
        }
        line
    }
}

impl fmt::Display for AppPiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppPiece::HttpRequest { line } | AppPiece::HttpResponse { line } => f.write_str(line),
            AppPiece::WsFrame { opcode, fin, masked, payload_len, .. } => {
                let fin = if *fin { " FIN" } else { "" };
                let masked = if *masked { " masked" } else { "" };
                write!(f, "WebSocket {opcode}{fin}{masked} {payload_len} B")
            }
            AppPiece::EngineIo { packet } => write!(f, "Engine.IO {packet}"),
            AppPiece::SocketIo { packet, namespace, ack } => {
                write!(f, "Socket.IO {packet}")?;
                if namespace != "/" {
                    write!(f, " {namespace}")?;
                }
                ack.map_or(Ok(()), |ack| write!(f, " id={ack}"))
            }
            AppPiece::Message { protocol, line } => write!(f, "{protocol} {line}"),
            AppPiece::WsContinuationOfFrame { len } => write!(f, "{len} B more"),
            AppPiece::Data { len } => write!(f, "{len} B"),
        }
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.syn, "SYN"),
            (self.fin, "FIN"),
            (self.rst, "RST"),
            (self.psh, "PSH"),
            (self.urg, "URG"),
            (self.ack, "ACK"),
        ];
        let set: Vec<_> = names.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        f.pad(&if set.is_empty() { "none".into() } else { set.join(", ") })
    }
}
