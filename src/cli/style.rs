//! How things look: the options that every command has.

use clap::{Args, ValueEnum};

/// Colours and characters of the output.
#[derive(Debug, Args)]
pub(super) struct Style {
    /// Colour: `auto` is on for terminals, unless `NO_COLOR` is set
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(super) color: ColorChoice,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub(super) ascii: bool,
    /// Do not wait for Enter when a screen is full
    #[arg(long, global = true)]
    pub(super) no_pause: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style { color: ColorChoice::Auto, ascii: false, no_pause: false }
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On terminals only, and not with `NO_COLOR`.
    Auto,
    /// Into pipes and files, too.
    Always,
    /// Plain text everywhere.
    Never,
}
