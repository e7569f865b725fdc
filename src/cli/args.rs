//! The command line: which commands there are. Parsing, help, completions and the man page follow from it.
//!
//! What a command takes is described in its own file; what several take, in `style`, `wire` and `knobs`.

use clap::{Parser, Subcommand};

use super::book::BookCommand;
use super::chat::ChatCommand;
use super::compare::CompareArgs;
use super::decode::DecodeArgs;
use super::dev::DevCommand;
use super::exercise::{CheckArgs, HintArgs, ProgressArgs, ResetArgs, SolutionArgs};
use super::explain::ExplainArgs;
use super::guest::WireCommand;
use super::lesson::LessonArgs;
use super::race::RaceArgs;
use super::script::ScriptArgs;
use super::scripts::{CompletionsArgs, ManArgs};
use super::style::Style;
use super::ws::WsCommand;

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
  netlayers wire kernel -- nc 10.0.0.1 9000
  netlayers race newreno cubic
  netlayers script tests/tcp/fast-retransmit.txt
  netlayers decode capture.pcapng
  netlayers ws echo --port 9001
  netlayers chat serve";

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send one message by UDP, TCP and WebSocket, side by side
    Compare(CompareArgs),
    /// Let congestion controls send side by side through one bottleneck: `race newreno cubic`
    Race(RaceArgs),
    /// Play a script against our TCP: its peer and its program, line by line
    Script(ScriptArgs),
    /// Play a lesson of the course: predict, watch, turn a knob
    Lesson(LessonArgs),
    /// Say what a word means, and show it: `explain MSS`
    Explain(ExplainArgs),
    /// Check an exercise: build your program, and say where it is wrong
    Check(CheckArgs),
    /// Read a hint for an exercise, each one telling more
    Hint(HintArgs),
    /// Start an exercise over
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
    /// For authors of lessons
    #[command(subcommand)]
    Dev(DevCommand),
    /// Speak WebSocket on real sockets: an echo server, a terminal client
    #[command(subcommand)]
    Ws(WsCommand),
    /// Give a wire to a program of yours: your own kernel's TCP against ours
    #[command(subcommand)]
    Wire(WireCommand),
    /// The chat at the end of the course: serve one with its web page, or join one from the terminal
    #[command(subcommand)]
    Chat(ChatCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the man page of netlayers, or of one of its commands
    Man(ManArgs),
}

impl Command {
    /// Whether it asks for the congestion control that is called `mine`.
    pub(super) fn names_mine(&self) -> bool {
        match self {
            Command::Race(args) => args.names_mine(),
            Command::Compare(args) => args.names_mine(),
            Command::Wire(command) => command.names_mine(),
            _ => false,
        }
    }
}
