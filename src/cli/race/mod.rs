//! `netlayers race`: congestion controls side by side through one bottleneck.
//!
//! | file | what |
//! |---|---|
//! | `args` | what was asked for |
//! | `table` | who got how much, and what the link saw |
//! | `plots` | the race over time |
//! | `law` | no race: each alone, at one loss after the other |
//! | `document` | the same as JSON |

mod args;
mod document;
mod law;
mod plots;
mod table;

pub(super) use args::RaceArgs;

use super::error::CliError;
use super::mine;
use super::output::Output;
use super::progress::Progress;
use super::svg;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::sim::race;

pub(super) fn run(args: &RaceArgs, out: &mut Output) -> Result<(), CliError> {
    match &args.svg {
        None => shown(args, out),
        Some(path) => {
            let mut page = Output::picture_page();
            shown(args, &mut page)?;
            svg::write(path, &page.into_parts())
        }
    }
}

fn shown(args: &RaceArgs, out: &mut Output) -> Result<(), CliError> {
    let entrants = args.flows.iter().map(|name| algorithm(name)).collect::<Result<Vec<_>, _>>()?;
    if entrants.len() > race::MOST_FLOWS {
        let (most, given) = (race::MOST_FLOWS, entrants.len());
        return Err(CliError::Usage(format!("too many flows: expected at most {most}, got {given}")));
    }
    let (knobs, time) = args.track.track();
    if args.view == args::RaceView::Loss {
        return law::show(&entrants, args, &knobs, time, out);
    }
    let mut progress = Progress::start();
    let done = race::run_watched(&entrants, &knobs, time, &mut |now| {
        progress.tell(|| format!("racing: {now} of {time} of virtual time"));
    });
    drop(progress);
    if args.json {
        return out.line(document::text(&done, &knobs)?);
    }
    out.in_pages();
    table::show(&done, &knobs, out)?;
    out.line("")?;
    if let Some(plot) = plots::plot(&done, &knobs, args.view) {
        out.plot(&plot)?;
    }
    out.line("")?;
    out.line(next(args))
}

/// A congestion control by name.
fn algorithm(name: &str) -> Result<Algorithm, CliError> {
    let known = Algorithm::ALL.map(|algorithm| algorithm.name);
    let all = known.iter().copied().chain([mine::NAME]);
    if let Some(found) =
        Algorithm::ALL.into_iter().chain(mine::here()).find(|algorithm| algorithm.name == name)
    {
        return Ok(found);
    }
    let near = all.min_by_key(|known| strsim::osa_distance(known, name));
    let near = near.filter(|near| strsim::osa_distance(near, name) <= 2);
    let meant = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
    Err(CliError::Usage(format!(
        "there is no congestion control '{name}': expected {}{meant}\n\
         or mine, which is one of your own: examples/my_congestion_control.rs",
        known.join(", ")
    )))
}

/// The next command, chosen by what was just seen.
fn next(args: &RaceArgs) -> String {
    let flows = args.flows.join(" ");
    match args.flows.as_slice() {
        [_] => format!("next: netlayers race {flows} {flows}\n      and predict how the two share the link"),
        _ if args.view == args::RaceView::Cwnd => format!(
            "next: netlayers race {flows} --view plot:queue\n      and predict when the queue is longest"
        ),
        _ => format!("next: netlayers race {flows} --loss 1%\n      and predict who loses more by it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_is_answered_with_those_that_are() {
        let said = algorithm("cubik").unwrap_err().to_string();
        assert!(
            said.contains("expected none, tahoe, reno, newreno, cubic, bbr")
                && said.contains("did you mean cubic?"),
            "{said}"
        );
        let said = algorithm("min").unwrap_err().to_string();
        assert!(
            said.contains("did you mean mine?") && said.contains("examples/my_congestion_control.rs"),
            "{said}"
        );
        assert_eq!(algorithm("newreno").unwrap(), Algorithm::NEWRENO);
    }
}
