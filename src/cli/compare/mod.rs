//! `netlayers compare`: one message, three ways.
//!
//! | file | what |
//! |---|---|
//! | `args`, `message` | what was asked for, and the message |
//! | `sim`, `real`, `kernel` | the three wires |
//! | `telling` | what all tell in the same words |
//! | `document` | the figures as JSON, one schema for all |
//! | `what_if` | the other futures of a run |
//! | `figures` | what the operating system says, as a table |
//! | `pictures` | other pictures of the runs |

mod args;
mod document;
mod figures;
mod kernel;
mod message;
pub(super) mod pictures;
mod real;
mod sim;
pub(super) mod telling;
mod what_if;

pub(super) use args::{CompareArgs, ShowArgs, ViewChoice};

use super::error::CliError;
use super::knobs::NetworkFlags;
use super::output::Output;
use super::svg;
use super::what_if::{Asked, needs_sim};
use super::wire::WireChoice;
use crate::sim::knob::Knobs;

pub(super) fn run(args: &CompareArgs, out: &mut Output) -> Result<(), CliError> {
    match &args.show.svg {
        None => shown(args, out),
        Some(path) => {
            let mut page = Output::picture_page();
            shown(args, &mut page)?;
            svg::write(path, &page.into_parts())
        }
    }
}

fn shown(args: &CompareArgs, out: &mut Output) -> Result<(), CliError> {
    let knobs = network(&args.knobs)?;
    out.look.absolute = args.show.absolute;
    let message = message::read(args)?;
    let asked = args.what_if.asked()?;
    if asked != Asked::Nothing {
        needs_sim(args.wire)?;
    }
    match &asked {
        Asked::Nothing => {}
        Asked::All => return what_if::all(args, &message, &knobs, out),
        Asked::Forks(forks) => return what_if::forks(forks, args, &message, &knobs, out),
    }
    match args.wire {
        WireChoice::Sim => sim::run(args, &message, &knobs, out),
        WireChoice::Real => real::run(args, &message, &knobs, out),
        WireChoice::Kernel => kernel::run(args, &message, &knobs, out),
    }
}

/// The network that the flags describe, if its parts fit each other.
fn network(flags: &NetworkFlags) -> Result<Knobs, CliError> {
    let knobs = flags.network();
    let (mtu, most) = (knobs.link.mtu, knobs.largest_mss());
    match knobs.mss {
        Some(mss) if mss > most && flags.has("mtu") => Err(CliError::Usage(format!(
            "--mss {mss} does not fit --mtu {mtu}: expected at most {most}, the MTU less 40 bytes of headers"
        ))),
        Some(mss) if mss > most => Err(CliError::Usage(format!(
            "--mss {mss} does not fit the MTU of {mtu}: expected at most {most}, or a larger --mtu"
        ))),
        _ => Ok(knobs),
    }
}
