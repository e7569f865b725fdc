//! What `decode` is given: a file, a pipe, or text.
//!
//! What it is, its first bytes tell. Nothing is ever read twice, so that a pipe will do for a file.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::Reader;
use super::gzip::{self, Unpacked};
use crate::cli::error::CliError;
use crate::view::capture::{hexdump, is_capture};
use crate::view::look::escape;

/// The most bytes of text. Far more than anyone pastes.
const MAX_TEXT: u64 = 16 << 20;

/// What there is to decode.
pub(super) enum Input {
    /// A capture file, by its name.
    Capture(String, Reader),
    /// The packets of a text.
    Packets(Vec<Vec<u8>>),
}

impl Input {
    /// Opens what the argument names: `-` for standard input, a path, or hexadecimal text itself.
    pub(super) fn open(argument: &OsStr) -> Result<Input, CliError> {
        if argument == "-" {
            return Input::read("standard input".into(), Box::new(io::stdin()));
        }
        let path = Path::new(argument);
        let name = escape(argument.as_encoded_bytes());
        // Whatever it is that has this name: a file, a pipe, a device.
        if path.exists() && !path.is_dir() {
            let file = File::open(path).map_err(|error| CliError::io(&format!("opening {name}"), &error))?;
            return Input::read(name, Box::new(file));
        }
        match hexdump::packets(argument.as_encoded_bytes()) {
            Ok(packets) => Ok(Input::Packets(packets)),
            Err(_) if path.is_dir() => {
                Err(CliError::Failed(format!("{name} is a directory: expected a file")))
            }
            // What looks like a file name is answered as one.
            Err(_) if argument.as_encoded_bytes().iter().any(|byte| b"./\\".contains(byte)) => {
                Err(CliError::Failed(format!(
                    "there is no file {name}; expected a pcap or pcapng file, or hexadecimal text"
                )))
            }
            Err(error) => Err(CliError::Usage(error.to_string())),
        }
    }

    fn read(name: String, reader: Reader) -> Result<Input, CliError> {
        let failed = |error: &io::Error| CliError::io(&format!("reading {name}"), error);
        let mut reader = BufReader::new(reader);
        let start = first_bytes(&mut reader).map_err(|error| failed(&error))?;
        // What was taken off its front is put back.
        let reader = BufReader::new(io::Cursor::new(start.clone()).chain(reader));
        let mut reader = Unpacked::new(reader).map_err(|error| failed(&error))?;
        if is_capture(&start) || gzip::is_magic(&start) {
            return Ok(Input::Capture(name, Box::new(reader)));
        }
        let mut text = Vec::new();
        (&mut reader).take(MAX_TEXT + 1).read_to_end(&mut text).map_err(|error| failed(&error))?;
        if text.len() as u64 > MAX_TEXT {
            return Err(CliError::Failed(format!("{name} is no capture, and too long for hexadecimal text")));
        }
        match hexdump::packets(&text) {
            Ok(packets) => Ok(Input::Packets(packets)),
            Err(error) if name == "standard input" && is_text(&text) => {
                Err(CliError::Usage(error.to_string()))
            }
            // The reader of captures says what a capture would begin with.
            Err(_) => Ok(Input::Capture(name, Box::new(io::Cursor::new(text)))),
        }
    }
}

/// The first four bytes, or all of a shorter input: a pipe may bring them one by one.
fn first_bytes(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(4).read_to_end(&mut start)?;
    Ok(start)
}

/// Whether somebody may have typed it.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().take(64).all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace())
}
