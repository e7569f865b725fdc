//! Lines of standard input, when they come from a pipe, a file, or a terminal that hands over whole lines.
//!
//! What is no UTF-8 is one line lost, reported, and no reason to lose those around it.

use std::io;

use tokio::io::{AsyncBufReadExt as _, BufReader, Stdin};

/// Reads line by line.
#[derive(Debug)]
pub(super) struct Lines {
    reader: BufReader<Stdin>,
    /// The part of a line that has come.
    begun: Vec<u8>,
    number: u64,
}

/// One line, or what came in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    /// Why it is none.
    Wrong(String),
}

impl Lines {
    pub(super) fn of(stdin: Stdin) -> Self {
        Lines { reader: BufReader::new(stdin), begun: Vec::new(), number: 0 }
    }

    /// The next line, without its end; `None` at the end of the input. May be dropped at any time: what was read of a
    /// line is kept.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        self.reader.read_until(b'\n', &mut self.begun).await?;
        if self.begun.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(line(self.number, std::mem::take(&mut self.begun))))
    }
}

fn line(number: u64, mut bytes: Vec<u8>) -> Line {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Line::Text(text),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Line::Wrong(format!("line {number} is not sent: no UTF-8 at byte {}", at + 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_text_without_its_end_or_told_with_its_place() {
        assert_eq!(line(1, b"hello\r\n".to_vec()), Line::Text("hello".into()));
        assert_eq!(line(1, b"the last".to_vec()), Line::Text("the last".into()));
        assert_eq!(line(1, b"\n".to_vec()), Line::Text(String::new()));
        assert_eq!(
            line(7, b"bad \xff\xfe byte\n".to_vec()),
            Line::Wrong("line 7 is not sent: no UTF-8 at byte 5".into())
        );
    }
}
