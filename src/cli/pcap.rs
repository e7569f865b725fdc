//! Captures written: to a file, or to standard output, where another program reads them.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::Path;

use super::error::CliError;
use super::output::{Output, remark};
use crate::trace::Trace;
use crate::view::pcapng::{PcapngOptions, write_pcapng};

/// Where a capture went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Into a file: standard output is free.
    File,
    /// To standard output: nothing else may be written there.
    Stdout,
}

/// Writes the frames of the traces to a file, or to standard output for `-`.
pub(super) fn write(
    path: &Path,
    traces: &[&Trace],
    options: PcapngOptions,
    out: &mut Output,
) -> Result<Written, CliError> {
    if path.as_os_str() != "-" {
        File::create(path)
            .map(BufWriter::new)
            .and_then(|mut file| {
                write_pcapng(traces, options, &mut file)?;
                file.flush()
            })
            .map_err(|error| CliError::io(&format!("writing {}", path.display()), &error))?;
        let frames: usize = traces.iter().map(|trace| trace.frames().count()).sum();
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
    out.stream(|stdout| write_pcapng(traces, options, stdout))?;
    Ok(Written::Stdout)
}
