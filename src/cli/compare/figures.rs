//! What the operating system says of its sockets, as a table.

use tabled::builder::Builder;
use tabled::settings::peaker::Priority;
use tabled::settings::{Padding, Style, Width};

use super::telling::wrap;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::real::kernel_figures::Figure;
use crate::trace::Way;
use crate::view::sheet::Tone;

/// A figure by its name, in each column.
pub(super) type Row = (&'static str, Vec<Figure<String>>);

/// Writes the table. Where there is no figure, a number leads to the reason below.
pub(super) fn table(way: Way, ends: &[&str], rows: Vec<Row>, out: &mut Output) -> Result<(), CliError> {
    let mut builder = Builder::default();
    builder.push_record([""].iter().chain(ends).copied());
    let mut reasons: Vec<String> = Vec::new();
    for (name, figures) in rows {
        let cells = figures.into_iter().map(|figure| {
            figure.unwrap_or_else(|missing| {
                let why = missing.to_string();
                let number = reasons.iter().position(|reason| *reason == why).unwrap_or_else(|| {
                    reasons.push(why);
                    reasons.len() - 1
                });
                format!("none ({})", number + 1)
            })
        });
        builder.push_record(std::iter::once(name.to_string()).chain(cells).collect::<Vec<_>>());
    }
    let mut table = builder.build();
    table
        .with(Style::empty())
        .with(Padding::new(0, 1, 0, 0))
        .with(Width::wrap(out.look.columns()).keep_words(true).priority(Priority::max(true)));
    out.line("")?;
    out.toned(Tone::Strong, format!("what the kernel says: {}", way.name()))?;
    for line in out.look.prose(&table.to_string()).lines() {
        out.line(line.trim_end())?;
    }
    for (number, reason) in reasons.iter().enumerate() {
        let reason = out.look.prose(&format!("({}) {reason}", number + 1));
        out.line(wrap(&reason, out.look.columns()))?;
    }
    Ok(())
}
