//! What `netlayers compare` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::knobs::NetworkFlags;
use crate::cli::number::number_from;
use crate::cli::what_if::WhatIfArgs;
use crate::cli::wire::WireChoice;

/// `netlayers compare`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers compare \"hello, layers\"
  netlayers compare --file README.md --loss 10% --seed 7
  netlayers compare \"hello\" --wire real
  netlayers compare \"hello\" --wire kernel --loss 5%
  netlayers compare \"hello\" --only tcp --view hex
  netlayers compare \"hello\" --only tcp --what-if 3=lost
  netlayers compare --file README.md --only tcp --loss 1% --view plot:cwnd
  netlayers compare \"hello\" --pcap run.pcapng    then: wireshark run.pcapng")]
pub(in crate::cli) struct CompareArgs {
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
    pub(super) knobs: NetworkFlags,
    #[command(flatten)]
    pub(super) what_if: WhatIfArgs,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

impl CompareArgs {
    /// Whether it asks for the congestion control that is called `mine`.
    pub(in crate::cli) fn names_mine(&self) -> bool {
        self.knobs.names_mine()
    }
}

/// What to show of a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to show")]
pub(in crate::cli) struct ShowArgs {
    /// One picture instead of the three ladders and the table
    #[arg(long, value_enum)]
    pub(in crate::cli) view: Option<ViewChoice>,
    /// One frame only, by its number in `--view table`
    #[arg(long, value_name = "N", value_parser = number_from(1_u64, 3))]
    pub(in crate::cli) frame: Option<u64>,
    /// Leave nothing out, however long it gets
    #[arg(long)]
    pub(in crate::cli) whole: bool,
    /// Sequence numbers as they are on the wire, instead of counted from 0
    #[arg(long)]
    pub(in crate::cli) absolute: bool,
    /// Wait for Enter after each line of a picture (on a terminal)
    #[arg(long)]
    pub(in crate::cli) step: bool,
    /// The figures as JSON
    #[arg(long, conflicts_with_all = ["view", "step"])]
    pub(in crate::cli) json: bool,
    /// Also write all frames to a pcapng file, for Wireshark; `-` writes them to standard output, and nothing else
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) pcap: Option<PathBuf>,
    /// Write what would be shown to an SVG file instead, 80 columns wide and in colour
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "step"])]
    pub(in crate::cli) svg: Option<PathBuf>,
    /// Put the frame check sequence into the pcapng file too
    #[arg(long, requires = "pcap")]
    pub(in crate::cli) fcs: bool,
}

/// Which of the three ways to send.
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
pub(in crate::cli) enum ViewChoice {
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
    /// Each way's ladder as a Mermaid diagram, for Markdown
    Mermaid,
    /// The whole trace, for programs
    Json,
    /// Over time: cwnd, ssthresh and what is in flight
    #[value(name = "plot:cwnd")]
    PlotCwnd,
    /// Over time: round trips and the retransmission timeout
    #[value(name = "plot:rtt")]
    PlotRtt,
    /// Over time: sequence numbers of data, ACKs and the window
    #[value(name = "plot:seq")]
    PlotSeq,
    /// Over time: bits per second, on the links and as read
    #[value(name = "plot:throughput")]
    PlotThroughput,
    /// Over time: frames that wait for their link
    #[value(name = "plot:queue")]
    PlotQueue,
}
