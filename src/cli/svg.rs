//! `--svg`: what would be on the terminal, as a picture. The one in the README is made so.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::output::remark;
use crate::view::sheet::Sheet;
use crate::view::svg::Alt;
use crate::view::svg::terminal::{self, Part};

/// Writes a page, colours and all, to an SVG file.
pub(super) fn write(path: &Path, page: &[Part]) -> Result<(), CliError> {
    let command = command(std::env::args().skip(1));
    let told: Vec<String> = page.iter().map(part_told).filter(|told| !told.is_empty()).collect();
    let told = told.join("; ");
    let alt = Alt { id: "netlayers", title: &command, text: &told };
    let svg = terminal::to_svg(&command, page, alt) + "\n";
    std::fs::write(path, svg)
        .map_err(|error| CliError::io(&format!("writing {}", path.display()), &error))?;
    remark(format!("wrote {}", path.display()));
    Ok(())
}

/// The command as it was typed, without what only says where the picture goes.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let mut words = vec!["netlayers".to_string()];
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        if argument == "--svg" {
            arguments.next();
        } else if !argument.starts_with("--svg=") {
            let plain = argument.chars().all(|c| c.is_ascii_alphanumeric() || "-_=.,/%:".contains(c));
            words.push(if plain { argument } else { format!("\"{}\"", crate::view::look::escape(argument)) });
        }
    }
    words.join(" ")
}

/// A part of the page for readers who cannot see it.
fn part_told(part: &Part) -> String {
    match part {
        Part::Sheet(sheet) => told(sheet),
        Part::Drawn(drawn) => drawn.told(),
    }
}

/// Lines for readers who cannot see them: their sentences and their table, without what is drawn.
fn told(page: &Sheet) -> String {
    let drawn =
        |line: &str| line.chars().any(|c| "│├┤─◄►┊".contains(c) || ('\u{2800}'..='\u{28ff}').contains(&c));
    let lines = page.lines().iter().map(ToString::to_string);
    let lines = lines.filter(|line| !line.trim().is_empty() && !drawn(line));
    let lines: Vec<String> =
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sheet::Tone;

    #[test]
    fn the_command_is_shown_as_it_was_typed() {
        let typed = |words: &[&str]| command(words.iter().map(|word| (*word).to_string()));
        assert_eq!(
            typed(&["compare", "hello, layers", "--svg", "x.svg"]),
            "netlayers compare \"hello, layers\""
        );
        assert_eq!(typed(&["compare", "--svg=x.svg", "--loss", "5%"]), "netlayers compare --loss 5%");
    }

    #[test]
    fn what_is_drawn_is_not_told() {
        assert_eq!(told(&Sheet::of("a  b\n\n ├─ x ─►\nc\n", Tone::Strong)), "a b; c");
    }
}
