//! `netlayers explain`: a word of the course, or all of them.

use clap::Args;
use serde_json::json;

use super::error::CliError;
use super::knobs::Names;
use super::output::Output;
use crate::lessons::render::vocabulary::{self as render, Explanation};
use crate::lessons::vocabulary::{self, Term};
use crate::view::look::escape;

/// `netlayers explain`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers explain                 all words, by layer
  netlayers explain handshake
  netlayers explain sequence number
  netlayers explain MSS --json")]
pub(super) struct ExplainArgs {
    /// The word; without one, all of them by layer
    #[arg(num_args = 0..=8, value_parser = Names(words), hide_possible_values = true)]
    term: Vec<String>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// The words, for completions: blanks are dashes, which `find` does not mind.
fn words() -> Vec<(String, &'static str)> {
    vocabulary::all().iter().map(|term| (term.name.replace(' ', "-"), "")).collect()
}

pub(super) fn run(args: &ExplainArgs, out: &mut Output) -> Result<(), CliError> {
    if args.term.is_empty() {
        return all(args.json, out);
    }
    let term = find(&args.term.join(" "))?;
    if args.json {
        let explanation = Explanation::of(term).map_err(CliError::Failed)?;
        return print_json(&json!({ "schema": "netlayers.term/1", "term": explanation }), out);
    }
    out.in_pages();
    let told = render::explain(term, &out.look).map_err(CliError::Failed)?;
    out.sheet(&told)?;
    out.line("")?;
    let next = match term.lesson_number().filter(|_| term.is_lesson_here()) {
        Some(number) => format!("netlayers lesson {number}"),
        None => format!("netlayers explain {}", term.see[0]),
    };
    out.next(&next, "")
}

fn all(json: bool, out: &mut Output) -> Result<(), CliError> {
    if json {
        let terms: Result<Vec<Explanation>, String> =
            vocabulary::all().iter().map(|term| Explanation::of(term)).collect();
        let terms = terms.map_err(CliError::Failed)?;
        return print_json(&json!({ "schema": "netlayers.vocabulary/1", "terms": terms }), out);
    }
    out.in_pages();
    out.sheet(&render::list(&out.look))?;
    out.next("netlayers explain handshake", "one word, with a picture")
}

/// A word, or what may have been meant.
fn find(name: &str) -> Result<&'static Term, CliError> {
    if let Some(term) = vocabulary::find(name) {
        return Ok(term);
    }
    let near: Vec<String> =
        vocabulary::suggestions(name).iter().map(|term| format!("'{}'", term.name)).collect();
    let meant = match near.is_empty() {
        true => "netlayers explain lists all words".to_owned(),
        false => format!("did you mean {}?", near.join(" or ")),
    };
    Err(CliError::Usage(format!("nothing here is called '{}'; {meant}", escape(name))))
}

fn print_json(value: &serde_json::Value, out: &mut Output) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::Failed(format!("writing JSON: {error}")))?;
    out.document(text + "\n")
}
