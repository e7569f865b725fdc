//! Standard error: what is no result.

use std::io::{self, IsTerminal as _, Write as _};

use super::INDENT;
use crate::cli::error::CliError;
use crate::view::look::{Look, harmless};
use crate::view::sheet::Sheet;

/// Says something that is not a result, broken between words if a terminal shows it.
pub(in crate::cli) fn remark(text: impl Into<Sheet>) {
    let columns = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
    let columns = columns.filter(|_| io::stderr().is_terminal());
    let _ = io::stderr().write_all(folded(text.into(), columns).to_string().as_bytes());
}

/// Says what went wrong.
pub(in crate::cli) fn error(error: &CliError) {
    remark(format!("error: {error}"));
}

/// Writes over the line of standard error, which is not ended.
pub(in crate::cli) fn overwrite(text: &str) {
    let _ = write!(io::stderr(), "\r{:<72}", harmless(text));
}

/// Wipes that line away.
pub(in crate::cli) fn wipe() {
    overwrite("");
    let _ = write!(io::stderr(), "\r");
}

/// The lines of a text on a screen of `columns`; off a screen they stay whole.
fn folded(text: Sheet, columns: Option<usize>) -> Sheet {
    match columns {
        Some(columns) => {
            let columns = columns.max(Look::LEAST_WIDTH);
            text.into_iter().flat_map(|line| line.folded(columns, INDENT)).collect()
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_broken_between_words_on_a_screen_and_whole_in_a_file() {
        let said = "error: there is no lesson '99'; expected one of: 1 bytes, 2 layers\u{1b}[2J";
        assert_eq!(
            folded(said.into(), Some(40)).to_string(),
            "error: there is no lesson '99'; expected\n  one of: 1 bytes, 2 layers\\u{1b}[2J\n"
        );
        assert_eq!(folded(said.into(), None).height(), 1);
    }
}
