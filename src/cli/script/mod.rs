//! `netlayers script`: a script played against our TCP, as a ladder up to the line that does not hold.

mod args;

pub(super) use args::ScriptArgs;

use std::fs::File;
use std::io::{self, Read as _};

use serde_json::json;

use super::compare::{ViewChoice, pictures, telling};
use super::error::CliError;
use super::output::Output;
use super::pcap::{self, Written};
use super::svg;
use super::what_if::{self, Asked};
use crate::sim::fork::{self, Fork, follow};
use crate::sim::script::{self, Played, Script};
use crate::view::ladder::{self, LadderOptions};
use crate::view::look::escape;
use crate::view::pcapng::PcapngOptions;
use crate::view::sheet::{LongWord, Tone, wrap_words};

/// The most bytes that are read: more than the parser takes.
const MOST_BYTES: u64 = 2 << 20;

/// How many lines before one that does not hold are shown with it.
const BEFORE: usize = 6;

pub(super) fn run(args: &ScriptArgs, out: &mut Output) -> Result<(), CliError> {
    let name = match args.script == "-" {
        true => "standard input".to_owned(),
        false => escape(args.script.as_encoded_bytes()),
    };
    let script = script::parse(&read(args, &name)?)
        .map_err(|error| CliError::Usage(format!("{name} is no script: {error}")))?;
    if script.is_empty() {
        let expected = "expected lines that do or claim something, such as: connect, > SYN seq=0";
        return Err(CliError::Usage(format!("{name} is no script: there is nothing to play; {expected}")));
    }
    match &args.show.svg {
        None => shown(args, &name, &script, out),
        Some(path) => {
            let mut page = Output::picture_page();
            let ending = shown(args, &name, &script, &mut page);
            svg::write(path, &page.into_parts()).and(ending)
        }
    }
}

fn shown(args: &ScriptArgs, name: &str, script: &Script, out: &mut Output) -> Result<(), CliError> {
    let forks = match args.what_if.asked()? {
        Asked::Nothing => Vec::new(),
        Asked::Forks(forks) => forks,
        Asked::All => {
            return Err(CliError::Usage(
                "--what-if all needs two ends that answer each other; the peer of a script says what it says: expected \
                 one fork, such as 2=lost"
                    .into(),
            ));
        }
    };
    if !forks.is_empty() {
        return other_future(args, name, script, &forks, out);
    }
    let played = script::play(script);
    let ending = match &played.ending {
        Ok(()) => Ok(()),
        Err(failure) => Err(CliError::Failed(format!("{name}, {failure}"))),
    };
    out.look.absolute = args.show.absolute;
    if let Some(path) = &args.show.pcap {
        let options = PcapngOptions { fcs: args.show.fcs };
        if pcap::write(path, &[&played.trace], options, out)? == Written::Stdout {
            return ending;
        }
    }
    if args.show.json {
        out.document(document(script, &played, None) + "\n")?;
        return ending;
    }
    telling::pages(&args.show, out);
    if args.show.view == Some(ViewChoice::Json) {
        pictures::json(&[("", &played.trace)], out)?;
        return ending;
    }
    picture(args, script, &played, out)?;
    ending
}

/// Both futures of a script. That a line does not hold in the other one is what a fork is for, and no failure.
fn other_future(
    args: &ScriptArgs,
    name: &str,
    script: &Script,
    forks: &[Fork],
    out: &mut Output,
) -> Result<(), CliError> {
    let (before, after) =
        follow(forks, |turns| script::play_forked(script, turns), |played: &Played| &played.trace)
            .map_err(|none| CliError::Usage(format!("{name}: {none}")))?;
    if let Err(failure) = &before.ending {
        return Err(CliError::Failed(format!("{name} does not hold as it is: {failure}")));
    }
    out.look.absolute = args.show.absolute;
    if let Some(path) = &args.show.pcap {
        let options = PcapngOptions { fcs: args.show.fcs };
        if pcap::write(path, &[&after.trace], options, out)? == Written::Stdout {
            return Ok(());
        }
    }
    if args.show.json {
        return out.document(document(script, &after, Some(fork::written(forks))) + "\n");
    }
    telling::pages(&args.show, out);
    match args.show.view {
        Some(ViewChoice::Json) => return pictures::json(&[("", &after.trace)], out),
        Some(view) => return pictures::show(&args.show, view, &[("", &after.trace)], out),
        None => what_if::title(&format!("{}: what if {}?", script.title, what_if::in_words(forks)), out)?,
    }
    what_if::show(forks, (&before.trace, &after.trace), args.show.whole, out)?;
    out.line("")?;
    let told = match &after.ending {
        Ok(()) => "All lines of the script hold in the other future, too.".into(),
        Err(failure) => format!("In the other future the script holds no longer: {failure}"),
    };
    out.line(what_if::wrapped(&told, out))
}

/// The script, from a file or from standard input.
fn read(args: &ScriptArgs, name: &str) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = match args.script == "-" {
        true => io::stdin().take(MOST_BYTES).read_to_end(&mut bytes),
        false => File::open(&args.script).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)),
    };
    match read {
        Ok(_) => Ok(bytes),
        // Not the command line is wrong, but what it names: as in `decode`.
        Err(error) => {
            Err(CliError::Failed(format!("{name} cannot be read: {error}; expected a script, or `-`")))
        }
    }
}

fn picture(args: &ScriptArgs, script: &Script, played: &Played, out: &mut Output) -> Result<(), CliError> {
    let wrapped = |text: &str, out: &Output| {
        let columns = out.look.columns();
        wrap_words(text, columns, columns.saturating_sub(2), LongWord::Kept).join("\n  ")
    };
    let title = out.look.prose(&script.title);
    if !title.is_empty() {
        let told = wrapped(&title, out);
        out.toned(Tone::Strong, told)?;
        out.line("")?;
    }
    match args.show.view {
        None | Some(ViewChoice::Ladder) => {
            let options = LadderOptions { whole: args.show.whole, ..LadderOptions::default() };
            let picture = ladder::single_with(played.trace.whole().untitled(), &out.look, options);
            out.picture(&picture, telling::pace(&args.show))?;
            out.line("")?;
        }
        Some(view) => pictures::show(&args.show, view, &[("", &played.trace)], out)?,
    }
    let mark = |good: bool, out: &Output| match (good, out.look.ascii) {
        (true, true) => "ok",
        (true, false) => "✔",
        (false, true) => "!!",
        (false, false) => "✗",
    };
    match &played.ending {
        Ok(()) => {
            let lines = script.len();
            let text =
                format!("{} {lines} {} hold.", mark(true, out), if lines == 1 { "line" } else { "lines" });
            out.line(text)
        }
        Err(failure) => {
            for line in &played.story[played.story.len().saturating_sub(BEFORE)..] {
                out.line(line.as_str())?;
            }
            let told = wrapped(&format!("{} {failure}", mark(false, out)), out);
            out.toned(Tone::Bad, told)
        }
    }
}

/// `script --json`, of the schema `netlayers.script/1`: `holds`, how many `lines` there are, and of one that does not
/// hold its `line`, what was `expected`, and what it `got`.
/// With forks there is `what_if`, too, as the option takes them.
fn document(script: &Script, played: &Played, forks: Option<String>) -> String {
    let failure = played.ending.as_ref().err();
    let mut document = json!({
        "schema": "netlayers.script/1",
        "title": script.title,
        "lines": script.len(),
        "holds": failure.is_none(),
        "line": failure.map(|failure| failure.line),
        "expected": failure.map(|failure| &failure.expected),
        "got": failure.map(|failure| &failure.got),
    });
    if let (Some(forks), Some(fields)) = (forks, document.as_object_mut()) {
        fields.insert("what_if".into(), forks.into());
    }
    document.to_string()
}
