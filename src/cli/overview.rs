//! `netlayers` alone: what there is to run, and the next thing to type.

use super::error::CliError;
use super::output::Output;

/// The commands, each with what one sees.
const COMMANDS: &[(&str, &str)] = &[
    ("netlayers compare \"hello, layers\"", "UDP, TCP and WebSocket side by side"),
    ("netlayers compare --file README.md --loss 10% --seed 7", "your own bytes over a lossy link"),
    ("netlayers compare \"hello\" --wire real", "the same on this machine's own sockets"),
    ("netlayers compare \"hello\" --view hex", "every byte, tagged with its layer"),
    ("netlayers compare \"hello\" --view header", "every header, field by field"),
    ("netlayers compare \"hello\" --pcap run.pcapng", "the same run for Wireshark"),
    ("netlayers decode 45000054...", "bytes of your own, or a capture file"),
];

/// Prints the overview.
pub(super) fn run(out: &mut Output) -> Result<(), CliError> {
    let look = out.look;
    out.line(format!("{}: what happens to a message on its way through a network", look.bold("netlayers")))?;
    out.line("")?;
    for (command, what) in COMMANDS {
        if look.width >= 100 {
            out.line(format!("  {command:<58} {}", look.faint(what)))?;
        } else {
            out.line(format!("  {command}"))?;
            out.line(format!("      {}", look.faint(what)))?;
        }
    }
    out.line("")?;
    out.line(format!("next: {}", look.bold("netlayers compare \"hello, layers\"")))?;
    out.line("      and look for the moment at which each column may say its first word")?;
    out.line("all commands: netlayers --help")
}
