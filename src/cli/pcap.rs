//! Captures written: to a file, or to standard output, where another program reads them.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use super::error::CliError;
use super::output::{Output, remark};

/// Where a capture went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Into a file: standard output is free.
    File,
    /// To standard output: nothing else may be written there.
    Stdout,
}

/// Writes a capture of `frames` frames to a file, or to standard output for `-`.
pub(super) fn write(
    path: &Path,
    capture: &[u8],
    frames: usize,
    out: &mut Output,
) -> Result<Written, CliError> {
    if path.as_os_str() != "-" {
        fs::write(path, capture)
            .map_err(|error| CliError::io(&format!("writing {}", path.display()), &error))?;
        remark(format!("wrote {frames} frames to {0}; look at them with: wireshark {0}", path.display()));
        return Ok(Written::File);
    }
    if io::stdout().is_terminal() {
        return Err(CliError::Usage(
            "a capture is no text for a terminal: expected --pcap FILE, or `-` and another program to read it, such \
             as: | tshark -r -"
                .into(),
        ));
    }
    out.bytes(capture)?;
    Ok(Written::Stdout)
}
