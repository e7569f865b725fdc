//! `--what-if`: the other future of a run, with the fate of some frames changed, and which loss costs most.

use std::cell::Cell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

use clap::Args;

use super::error::CliError;
use super::knobs::Names;
use super::output::Output;
use super::wire::WireChoice;
use crate::sim::fork::{self, FATES, Fork};
use crate::trace::Trace;
use crate::view::dissect::dissect_trace;
use crate::view::fork::Pair;
use crate::view::ladder::LadderOptions;
use crate::view::look::escape;
use crate::view::sheet::{LongWord, Tone, wrap_words};

/// What `--what-if` takes.
#[derive(Debug, Args)]
pub(super) struct WhatIfArgs {
    /// Play the other future, too: one frame lost, late=200ms, twice or corrupt, by its number in `--view table`. Several
    /// with commas; `all` loses each in turn
    #[arg(
        long = "what-if",
        value_name = "FRAME=FATE",
        value_parser = Names(examples),
        hide_possible_values = true,
        help_heading = "The other future"
    )]
    what_if: Vec<String>,
}

/// Which other futures were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    /// Each frame lost in turn.
    All,
    /// One, with these fates.
    Forks(Vec<Fork>),
}

impl WhatIfArgs {
    /// What was asked for.
    pub(super) fn asked(&self) -> Result<Asked, CliError> {
        match self.what_if.as_slice() {
            [] => Ok(Asked::Nothing),
            [all] if all == "all" => Ok(Asked::All),
            several if several.iter().any(|typed| typed == "all") => {
                Err(CliError::Usage("--what-if all stands alone: it loses each frame in turn".into()))
            }
            several => {
                let typed = several.join(",");
                fork::parse(&typed).map(Asked::Forks).map_err(|expected| {
                    let all = match typed.contains('=') {
                        true => "",
                        false => "; or all, which loses each frame in turn",
                    };
                    CliError::Usage(format!(
                        "invalid value '{}' for --what-if: {expected}{all}",
                        escape(&typed)
                    ))
                })
            }
        }
    }
}

/// Refuses a wire on which nothing can be played again.
pub(super) fn needs_sim(wire: WireChoice) -> Result<(), CliError> {
    match wire {
        WireChoice::Sim => Ok(()),
        WireChoice::Real | WireChoice::Kernel => Err(CliError::Usage(
            "--what-if needs --wire sim: only there a run can be played again as it was, but for one frame"
                .into(),
        )),
    }
}

thread_local! {
    /// Whether a panic of this thread is the end of a lesson's script in another future, which we tell in words.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Plays other futures, and leaves out what a script that cannot go on would write on the terminal.
pub(super) fn quietly<T>(play: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_QUIET.get() {
                usual(panic);
            }
        }));
    });
    let before = IS_QUIET.replace(true);
    let played = play();
    IS_QUIET.set(before);
    played
}

/// Shows both ladders, and what differs.
pub(super) fn show(
    forks: &[Fork],
    (before, after): (&Trace, &Trace),
    whole: bool,
    out: &mut Output,
) -> Result<(), CliError> {
    let packets = dissect_trace(after);
    for fork in forks {
        let found = usize::try_from(fork.frame).ok().and_then(|number| packets.get(number.checked_sub(1)?));
        let Some(packet) = found else { continue };
        let (from, to) = (escape(after.name(packet.from)), escape(after.name(packet.to)));
        let (says, fate) = (packet.packet.summary.brief(out.look.absolute), fork.fate.in_words());
        out.line(wrapped(&format!("frame {}, {from} to {to}, {says}: {fate}", fork.frame), out))?;
    }
    out.line("")?;
    let pair = Pair::of(before, after);
    let options = LadderOptions { whole, most_rows: 30, ..LadderOptions::default() };
    let ladders = pair.ladders(&out.look, options);
    out.sheet(&ladders)?;
    out.line("")?;
    let account = pair.account(&out.look);
    out.sheet(&account)
}

/// The title above.
pub(super) fn title(text: &str, out: &mut Output) -> Result<(), CliError> {
    let text = wrapped(text, out);
    out.toned(Tone::Strong, text)
}

/// A sentence in lines that fit.
pub(super) fn wrapped(text: &str, out: &Output) -> String {
    let columns = out.look.columns().min(80);
    wrap_words(&out.look.prose(text), columns, columns.saturating_sub(2), LongWord::Kept).join("\n  ")
}

/// `frame 2 is lost and frame 5 arrives twice`.
pub(super) fn in_words(forks: &[Fork]) -> String {
    let one = |fork: &Fork| format!("frame {} {}", fork.frame, fork.fate.in_words());
    forks.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// What a shell completes: `all`, and each fate of the first frame.
fn examples() -> Vec<(String, &'static str)> {
    let one = |fate: &&str| (format!("1={fate}"), "what becomes of frame 1");
    std::iter::once(("all".to_owned(), "which loss costs most?")).chain(FATES.iter().map(one)).collect()
}
