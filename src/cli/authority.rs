//! `--ca FILE`: whom a client of `wss:` believes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::error::CliError;
use crate::real::websocket::{Builder, Trust};

/// Whom to believe.
#[derive(Debug, Args)]
pub(in crate::cli) struct Authority {
    /// For wss://: believe the authorities in this file (PEM) who the server is, not those of the system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Authority {
    /// The builder, that believes whom the user said.
    pub(in crate::cli) fn trusted_by(&self, builder: Builder) -> Result<Builder, CliError> {
        let Some(path) = &self.ca else { return Ok(builder) };
        let doing = format!("reading {}", path.display());
        let pem = std::fs::read(path).map_err(|error| CliError::io(&doing, &error))?;
        let trust =
            Trust::authorities(&pem).map_err(|error| CliError::Failed(format!("{doing}: {error}")))?;
        Ok(builder.trust(trust))
    }
}
