//! `netlayers wire`: a wire for a program of the user's own, with our stack at the other end.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::compare::{ShowArgs, ViewChoice, pictures, telling};
use super::error::CliError;
use super::kernel;
use super::knobs::NetworkFlags;
use super::number::number;
use super::output::Output;
use super::pcap::{self, Written};
use super::svg;
use crate::sim::knob::network::conditions;
use crate::view::ladder::{self, LadderOptions};
use crate::view::pcapng::PcapngOptions;
use crate::view::sheet::{Tone, wrap, wrap_parts};

/// `netlayers wire`.
#[derive(Debug, Subcommand)]
pub(super) enum WireCommand {
    /// Let a program of yours talk to our stack by the kernel's TCP, and see every frame
    Kernel(KernelArgs),
}

/// `netlayers wire kernel`.
#[derive(Debug, Args)]
#[command(
    before_help = "\
Examples:
  netlayers wire kernel -- nc 10.0.0.1 9000
  netlayers wire kernel --connect 9000 -- nc -l 9000
  netlayers wire kernel --loss 20% --pcap run.pcapng -- nc 10.0.0.1 9000
  netlayers wire kernel -- ping -c 3 10.0.0.1
  netlayers wire kernel -- sh                     a shell: try ip addr, ss -ti",
    after_help = "\
The program runs in a network of its own (a network namespace), whose only neighbour is our stack: the kernel is \
10.0.0.2, our stack 10.0.0.1. It sends back what it gets. No privilege is needed, and nothing outside is reached. \
When the program ends, the ladder of all frames is shown."
)]
pub(super) struct KernelArgs {
    /// The port on which our stack listens
    #[arg(long, value_name = "PORT", default_value_t = 9000, value_parser = number(1_u16, u16::MAX, 9000))]
    listen: u16,
    /// Let our stack connect to this port of the kernel's instead
    #[arg(long, value_name = "PORT", conflicts_with = "listen", value_parser = number(1_u16, u16::MAX, 9000))]
    connect: Option<u16>,
    #[command(flatten)]
    knobs: NetworkFlags,
    #[command(flatten)]
    show: ShowArgs,

    /// The program and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl WireCommand {
    /// Whether it asks for the congestion control that is called `mine`.
    pub(super) fn names_mine(&self) -> bool {
        let WireCommand::Kernel(args) = self;
        args.knobs.names_mine()
    }
}

pub(super) fn run(command: &WireCommand, out: &mut Output) -> Result<(), CliError> {
    let WireCommand::Kernel(args) = command;
    match &args.show.svg {
        None => shown(args, out),
        Some(path) => {
            let mut page = Output::picture_page();
            shown(args, &mut page)?;
            svg::write(path, &page.into_parts())
        }
    }
}

fn shown(args: &KernelArgs, out: &mut Output) -> Result<(), CliError> {
    let knobs = args.knobs.network();
    kernel::enter()?;
    let trace = kernel::guest(&args.command, args.connect, args.listen, &knobs)?;
    out.look.absolute = args.show.absolute;
    if let Some(path) = &args.show.pcap
        && pcap::write(path, &[&trace], PcapngOptions { fcs: args.show.fcs }, out)? == Written::Stdout
    {
        return Ok(());
    }
    if args.show.json || args.show.view == Some(ViewChoice::Json) {
        return pictures::json(&[("", &trace)], out);
    }
    telling::pages(&args.show, out);
    let parts = [vec!["kernel".to_owned()], conditions(&knobs)].concat();
    out.toned(Tone::Strong, wrap_parts(&parts, out.dot(), out.look.columns()).join("\n"))?;
    out.line("")?;
    match args.show.view {
        None | Some(ViewChoice::Ladder) => {
            let options = LadderOptions { whole: args.show.whole, ..LadderOptions::default() };
            let picture = ladder::single_with(&trace, &out.look, options);
            out.picture(&picture, telling::pace(&args.show))?;
            out.line("")?;
        }
        Some(view) => pictures::show(&args.show, view, &[("", &trace)], out)?,
    }
    let told = "ours is our stack, kernel is Linux's TCP: its states are not seen, only its frames.";
    out.toned(Tone::Faint, wrap(told, out.look.columns()).join("\n"))
}
