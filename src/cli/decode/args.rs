//! The arguments of `decode`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use crate::cli::number::number_from;

/// `netlayers decode`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers decode capture.pcapng
  netlayers decode capture.pcap.gz --filter 'tcp and port 80'
  netlayers decode capture.pcapng --view conversations
  netlayers decode capture.pcapng --view ladder --conversation 3
  netlayers decode 45000028000140004006... --view header
  xxd packet.bin | netlayers decode -
  tcpdump -w - | netlayers decode -")]
pub(in crate::cli) struct DecodeArgs {
    /// A pcap or pcapng file (also compressed: .gz), hexadecimal text or a hexdump, or `-` for any of them from standard
    /// input
    pub(super) input: OsString,
    /// What the bytes begin with
    #[arg(long, value_enum, default_value_t = From::Auto)]
    pub(super) from: From,
    /// Which picture to draw
    #[arg(long, value_enum)]
    pub(super) view: Option<DecodeView>,
    /// Only packets of a protocol, layer, host or port: `http`, `transport`, `host 10.0.0.1 and not port 53`
    #[arg(long, value_name = "EXPRESSION")]
    pub(super) filter: Option<String>,
    /// Only the packets of one conversation, by its number in --view conversations
    #[arg(long, value_name = "N", value_parser = number_from(1_u64, 3))]
    pub(super) conversation: Option<u64>,
    /// Every packet as JSON, for programs
    #[arg(long, conflicts_with = "view")]
    pub(super) json: bool,
    /// One frame of a file only, by its number
    #[arg(long, value_name = "N", value_parser = number_from(1_u64, 3))]
    pub(super) frame: Option<u64>,
    /// Leave nothing out, however long it gets
    #[arg(long)]
    pub(super) whole: bool,
    /// Sequence numbers as they are on the wire, instead of counted from 0
    #[arg(long)]
    pub(super) absolute: bool,
}

/// Which picture of decoded bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DecodeView {
    /// One line a frame
    Table,
    /// Every byte, tagged with its layer
    Hex,
    /// Every header, field by field
    Header,
    /// What is wrapped in what, with byte counts
    Layers,
    /// Who spoke with whom
    Conversations,
    /// Hosts as lines, time downwards, every packet an arrow
    Ladder,
    /// The same as a Mermaid diagram, for Markdown
    Mermaid,
}

/// What decoded bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum From {
    /// An Ethernet frame, or an IP packet if it looks like one
    Auto,
    /// An Ethernet frame
    Ethernet,
    /// An IP packet
    Ip,
}
