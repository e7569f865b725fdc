//! The language of a student's program: the one that was asked for, or the one of last time.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::logbook;
use crate::lessons::exercises::Language;

/// `--language`.
#[derive(Debug, Args)]
pub(in crate::cli) struct LanguageArgs {
    /// What your program is written in [default: as last time, at first rust]
    #[arg(long, short, value_name = "LANGUAGE", value_parser = parser())]
    language: Option<Language>,
}

fn parser() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::ALL.map(Language::name))
        .map(|name| Language::of(&name).unwrap_or_default())
}

impl LanguageArgs {
    /// The language that is meant.
    pub(super) fn chosen(&self) -> Language {
        let before = || logbook::load().language.and_then(|name| Language::of(&name));
        self.language.or_else(before).unwrap_or_default()
    }
}

/// Keeps it for next time.
pub(super) fn keep(language: Language) {
    logbook::update(|book| book.language = Some(language.name().into()));
}
