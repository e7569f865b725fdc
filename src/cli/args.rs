//! The command line, described once: parsing, help, completions and the man page follow from it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::book::BookCommand;
use super::chat::ChatCommand;
use super::dev::DevCommand;
use super::exercise::{CheckArgs, HintArgs, ProgressArgs, ResetArgs, SolutionArgs};
use super::explain::ExplainArgs;
use super::lesson::LessonArgs;
use crate::base::Duration;
use crate::layers::physical::delay::Rate;
use crate::sim::values;

/// Shows what happens to a message on its way through a network.
#[derive(Debug, Parser)]
#[command(
    name = "netlayers",
    version,
    about = "Shows what happens to a message on its way through a network",
    before_help = EXAMPLES,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) style: Style,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  netlayers                  the course, your progress, the next command
  netlayers lesson 1
  netlayers explain handshake
  netlayers compare \"hello, layers\"
  netlayers compare --file README.md --loss 10% --seed 7
  netlayers compare \"hello\" --wire real
  netlayers decode capture.pcapng
  netlayers ws echo --port 9001
  netlayers chat serve";

/// How things look.
#[derive(Debug, Args)]
pub(super) struct Style {
    /// Colour: `auto` is on for terminals, unless `NO_COLOR` is set
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(super) color: ColorChoice,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub(super) ascii: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On terminals.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send one message by UDP, TCP and WebSocket, side by side
    Compare(CompareArgs),
    /// Play a lesson of the course: predict, watch, turn a knob
    Lesson(LessonArgs),
    /// Say what a word means, and show it: `explain MSS`
    Explain(ExplainArgs),
    /// Check an exercise: build your program, and say where it is wrong
    Check(CheckArgs),
    /// Read a hint for an exercise, each one telling more
    Hint(HintArgs),
    /// Begin an exercise anew
    Reset(ResetArgs),
    /// Print a solution of an exercise
    Solution(SolutionArgs),
    /// Show which lessons are finished and which exercises pass
    Progress(ProgressArgs),
    /// Take bytes apart, layer by layer: hexadecimal text, or a pcap or pcapng file
    Decode(DecodeArgs),
    /// Build the book of the course, or show it to a browser
    #[command(subcommand)]
    Book(BookCommand),
    /// For whoever writes lessons
    #[command(subcommand)]
    Dev(DevCommand),
    /// Speak WebSocket on real sockets: an echo server, a terminal client
    #[command(subcommand)]
    Ws(WsCommand),
    /// The chat at the end of the course: serve one with its web page, or join one from the terminal
    #[command(subcommand)]
    Chat(ChatCommand),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the man page
    Man,
}

/// `netlayers compare`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers compare \"hello, layers\"
  netlayers compare --file README.md --loss 10% --seed 7
  netlayers compare \"hello\" --wire real
  netlayers compare \"hello\" --only tcp --view hex
  netlayers compare \"hello\" --pcap run.pcapng    then: wireshark run.pcapng")]
pub(super) struct CompareArgs {
    /// The message [default: hello, layers]
    #[arg(conflicts_with = "file")]
    pub(super) message: Option<String>,
    /// Take the message from a file of up to 16 MiB; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Which wire to run on
    #[arg(long, value_enum, default_value_t = WireChoice::Sim)]
    pub(super) wire: WireChoice,
    /// Show one way only
    #[arg(long, value_enum)]
    pub(super) only: Option<Only>,

    #[command(flatten)]
    pub(super) knobs: KnobArgs,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

/// The knobs of the simulated network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Knobs of the network")]
pub(super) struct KnobArgs {
    /// How many of the frames are lost, in each direction
    #[arg(long, value_name = "P%", value_parser = values::probability)]
    pub(super) loss: Option<f64>,
    /// How many arrive twice
    #[arg(long, value_name = "P%", value_parser = values::probability)]
    pub(super) duplicate: Option<f64>,
    /// How many get a bit flipped on the wire
    #[arg(long, value_name = "P%", value_parser = values::probability)]
    pub(super) corrupt: Option<f64>,
    /// How many are held back, so that later ones overtake them
    #[arg(long, value_name = "P%", value_parser = values::probability)]
    pub(super) reorder: Option<f64>,
    /// Propagation delay in one direction [default: 20ms]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(super) delay: Option<Duration>,
    /// Most random extra delay [default: 0ms]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(super) jitter: Option<Duration>,
    /// Bits per second of the link [default: 10mbit]
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub(super) rate: Option<Rate>,
    /// Largest IP packet in bytes, from 68 [default: 1500]
    #[arg(long, value_name = "BYTES", value_parser = values::mtu)]
    pub(super) mtu: Option<u16>,
    /// Largest TCP segment payload in bytes [default: the MTU less 40]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(1..=65495))]
    pub(super) mss: Option<u16>,
    /// Largest UDP datagram payload in bytes [default: the MTU less 28]; more makes IP fragments
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(1..=65507))]
    pub(super) datagram: Option<u16>,
    /// The seed of all chance: the same seed and knobs give the same run [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
}

/// What to show of a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to show")]
pub(super) struct ShowArgs {
    /// One picture instead of the three ladders and the table
    #[arg(long, value_enum)]
    pub(super) view: Option<ViewChoice>,
    /// One frame only, by its number in `--view table`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) frame: Option<u64>,
    /// Leave nothing out, however long it gets
    #[arg(long)]
    pub(super) whole: bool,
    /// Sequence numbers as they are on the wire, instead of counted from 0
    #[arg(long)]
    pub(super) absolute: bool,
    /// Wait for Enter after each line of a picture (on a terminal)
    #[arg(long)]
    pub(super) step: bool,
    /// The figures as JSON
    #[arg(long, conflicts_with_all = ["view", "step"])]
    pub(super) json: bool,
    /// Also write all frames to a pcapng file, for Wireshark; `-` writes them to standard output, and nothing else
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,
    /// Write what would be shown to an SVG file instead, 80 columns wide and in colour
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "step"])]
    pub(super) svg: Option<PathBuf>,
    /// Put the frame check sequence into the pcapng file too
    #[arg(long, requires = "pcap")]
    pub(super) fcs: bool,
}

/// `netlayers decode`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers decode capture.pcapng
  netlayers decode capture.pcap.gz --filter 'tcp and port 80'
  netlayers decode capture.pcapng --view conversations
  netlayers decode 45000028000140004006... --view header
  xxd packet.bin | netlayers decode -
  tcpdump -w - | netlayers decode -")]
pub(super) struct DecodeArgs {
    /// A pcap or pcapng file (also compressed: .gz), hexadecimal text or a hexdump, or `-` for any of them from standard
    /// input
    pub(super) input: std::ffi::OsString,
    /// What the bytes begin with
    #[arg(long, value_enum, default_value_t = From::Auto)]
    pub(super) from: From,
    /// Which picture
    #[arg(long, value_enum)]
    pub(super) view: Option<DecodeView>,
    /// Only packets of a protocol, layer, host or port: `http`, `transport`, `host 10.0.0.1 and not port 53`
    #[arg(long, value_name = "EXPRESSION")]
    pub(super) filter: Option<String>,
    /// Only the packets of one conversation, by its number in --view conversations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) conversation: Option<u64>,
    /// Every packet as JSON, for programs
    #[arg(long, conflicts_with = "view")]
    pub(super) json: bool,
    /// One frame of a file only, by its number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) frame: Option<u64>,
    /// Leave nothing out, however long it gets
    #[arg(long)]
    pub(super) whole: bool,
    /// Sequence numbers as they are on the wire, instead of counted from 0
    #[arg(long)]
    pub(super) absolute: bool,
}

/// `netlayers ws`.
#[derive(Debug, Subcommand)]
pub(super) enum WsCommand {
    /// Serve: send every message back
    Echo(WsEchoArgs),
    /// Connect, and send each line typed
    Connect(WsConnectArgs),
}

/// `netlayers ws echo`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers ws echo --port 9001
  netlayers ws echo --port 9001 --deflate --max-message 1000000
  netlayers ws echo --port 9001 --origin https://example.org")]
pub(super) struct WsEchoArgs {
    /// The port to listen on; 0 for one that is free
    #[arg(long, value_name = "P", default_value_t = 9001)]
    pub(super) port: u16,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(super) host: std::net::IpAddr,
    /// Compress messages when the client offers it (RFC 7692)
    #[arg(long)]
    pub(super) deflate: bool,
    /// Bytes of a message, at most [default: 64 MiB]
    #[arg(long, value_name = "BYTES")]
    pub(super) max_message: Option<usize>,
    /// Connections at the same time, at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(super) max_connections: usize,
    /// Ping a client that has been silent for so long, and give it up 20 s later; 0 for never
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(super) idle: u32,
    /// A web page whose scripts may connect; may be given more than once [default: all]
    #[arg(long, value_name = "ORIGIN")]
    pub(super) origin: Vec<String>,
    /// Say nothing about connections that end badly
    #[arg(long)]
    pub(super) quiet: bool,
}

/// `netlayers ws connect`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers ws connect ws://127.0.0.1:9001/
  netlayers ws connect ws://127.0.0.1:9001/ --xray
  echo hello | netlayers ws connect ws://127.0.0.1:9001/

Lines are sent as text. Also:
  /ping TEXT      send a ping
  /hex 00ff41     send bytes
  /close CODE WHY close the connection")]
pub(super) struct WsConnectArgs {
    /// Where to, such as ws://127.0.0.1:9001/chat
    pub(super) url: String,
    /// Show each frame's header, and its payload before and after masking
    #[arg(long)]
    pub(super) xray: bool,
    /// Offer compression (RFC 7692)
    #[arg(long)]
    pub(super) deflate: bool,
    /// Bytes of a message, at most [default: 64 MiB]
    #[arg(long, value_name = "BYTES")]
    pub(super) max_message: Option<usize>,
    /// The Origin to send
    #[arg(long, value_name = "ORIGIN")]
    pub(super) origin: Option<String>,
    /// A subprotocol to offer; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(super) subprotocol: Vec<String>,
}

/// Which wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WireChoice {
    /// A simulated network in virtual time
    Sim,
    /// This machine's own sockets, over loopback
    Real,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Only {
    /// UDP
    Udp,
    /// TCP
    Tcp,
    /// WebSocket over TCP
    #[value(alias = "ws")]
    Websocket,
}

/// Which picture of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ViewChoice {
    /// Each way's ladder over the full width
    Ladder,
    /// One line a frame
    Table,
    /// Every byte, tagged with its layer
    Hex,
    /// Every header, field by field
    Header,
    /// What is wrapped in what, with byte counts
    Layers,
    /// The whole trace, for programs
    Json,
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
