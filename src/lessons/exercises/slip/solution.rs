//! A solution of lesson 15's exercise: a delimiter, and an escape for it (RFC 1055).

use netlayers::lessons::exercises::slip::{END, ESC, ESC_END, ESC_ESC, Session, Slip};

/// What one end of a line holds.
struct Mine {
    kept: Vec<u8>,
    escaped: bool,
}

impl Slip for Mine {
    fn begin() -> Self {
        Mine { kept: Vec::new(), escaped: false }
    }

    fn write(&self, message: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        for &byte in message {
            match byte {
                END => wire.extend([ESC, ESC_END]),
                ESC => wire.extend([ESC, ESC_ESC]),
                _ => wire.push(byte),
            }
        }
        wire.push(END);
        wire
    }

    fn read(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        for &byte in bytes {
            match (std::mem::take(&mut self.escaped), byte) {
                (false, END) if self.kept.is_empty() => {}
                (false, END) => messages.push(std::mem::take(&mut self.kept)),
                (false, ESC) => self.escaped = true,
                (true, ESC_END) => self.kept.push(END),
                (true, ESC_ESC) => self.kept.push(ESC),
                (_, other) => self.kept.push(other),
            }
        }
        messages
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this: RFC 1055 sets no limit. Give `read` one. What does it do with a message that is too long?
