//! The message: from the command line, a file, or standard input; never more than 16 MiB of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use super::args::CompareArgs;
use crate::cli::error::CliError;

/// The largest message: a trace keeps every byte of it, several times over.
const MAX_MESSAGE: usize = 16 << 20;

/// What is sent when nothing was said.
const DEFAULT: &str = "hello, layers";

/// Reads the message that the arguments name.
pub(super) fn read(args: &CompareArgs) -> Result<Bytes, CliError> {
    let Some(path) = &args.file else {
        let text = args.message.as_deref().unwrap_or(DEFAULT);
        check(text.len())?;
        return Ok(Bytes::copy_from_slice(text.as_bytes()));
    };
    let failed = |error: io::Error| {
        CliError::Failed(format!("cannot read {}: {}", path.display(), reason(path, &error)))
    };
    let mut bytes = Vec::new();
    // One byte more than allowed shows that a file is too large, without reading all of it.
    let most = MAX_MESSAGE as u64 + 1;
    if path == Path::new("-") {
        io::stdin().take(most).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(failed)?;
    }
    check(bytes.len())?;
    Ok(bytes.into())
}

fn check(len: usize) -> Result<(), CliError> {
    if len <= MAX_MESSAGE {
        return Ok(());
    }
    Err(CliError::Usage(format!("the message is too large: expected at most 16 MiB ({MAX_MESSAGE} bytes)")))
}

/// The system's words, with the next step where there is one.
fn reason(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file (is the path right from here?)".into(),
        _ if path.is_dir() => "it is a directory; name a file in it".into(),
        _ => error.to_string(),
    }
}
