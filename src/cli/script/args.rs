//! What `netlayers script` takes, and the language of scripts in short.

use std::ffi::OsString;

use clap::Args;

use crate::cli::compare::ShowArgs;
use crate::cli::what_if::WhatIfArgs;

/// `netlayers script`.
#[derive(Debug, Args)]
#[command(
    before_help = "\
Examples:
  netlayers script tests/tcp/fast-retransmit.txt
  netlayers script tests/tcp/zero-window.txt --view table
  netlayers script tests/tcp/slow-start.txt --view plot:cwnd
  netlayers script tests/tcp/open-active.txt --pcap run.pcapng
  printf 'connect\\n> SYN seq=0\\n' | netlayers script -",
    after_help = LANGUAGE,
    mut_arg("view", |arg| arg.help("Another picture than the ladder")),
    mut_arg("json", |arg| arg.help("Whether the script holds, as JSON")),
    mut_arg("pcap", |arg| arg.help(
        "Also write all frames to a pcapng file, for Wireshark; `-` writes them to standard output, and nothing else"
    ))
)]
pub(in crate::cli) struct ScriptArgs {
    /// The script; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) script: OsString,

    #[command(flatten)]
    pub(super) what_if: WhatIfArgs,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

/// The language on a page and a half. `src/sim/script/mod.rs` has it whole.
const LANGUAGE: &str = "\
The language:
  # a comment, to the end of the line; the first one is the title
  cc newreno                     first the knobs of TCP, one a line, by name
  sack yes                       (compare --help lists them); also: msl,
  user-timeout 5s                initial-rto, fin-wait-2, isn, peer-isn, ...
          connect                then what happens, one line each
          > SYN seq=0            our TCP sends this
  +20ms   < SYN ACK seq=0 ack=1 win=8000 <mss=1000 sack-permitted>
          > ACK seq=1 ack=1      ... and this arrives, 20 ms later
          state ESTABLISHED
          write 3000
          > ACK seq=1 len=1000
  +1s     > ACK seq=1 len=1000   a second later, not before
          quiet 500ms            nothing is sent for so long

  Times: +20ms after the line before, +1s..2s between, @3s after the start.
  Segments: SYN ACK FIN RST PSH URG ECE CWR, seq= ack= len= win= urg=,
    <mss= wscale= sack-permitted sack=1-2,3-4 ts=1/2 option=254:cafe>.
    Of one that arrives, what is not said is what a peer would say. Of one
    that is sent, what is said must be so; !PSH says that it is not there.
    CE: it arrives marked. ECT: it may be marked.
  Calls: listen, connect, accept, write N, write N takes M, write N fails,
    write-urgent N, read N, read nothing, read end, shutdown, close, abort,
    set nodelay|keep-alive|user-timeout VALUE,
    icmp too-big MTU, icmp host-unreachable, icmp port-unreachable.
  Claims: state NAME, event NAME, info cwnd= ssthresh= rto= srtt= mss=
    unacked= unsent= acked= received= snd-wnd= rcv-wnd= retransmissions=

Exit codes: 0 the script holds, 1 a line does not, 2 it cannot be read.";
