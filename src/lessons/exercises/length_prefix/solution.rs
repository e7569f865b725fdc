//! A solution of lesson 15's exercise: messages with a length in front.

use netlayers::lessons::exercises::length_prefix::{Got, Reader, Session};

/// What a reader holds.
struct Mine {
    limit: usize,
    kept: Vec<u8>,
    refused: bool,
}

impl Reader for Mine {
    fn begin(limit: usize) -> Self {
        Mine { limit, kept: Vec::new(), refused: false }
    }

    fn read(&mut self, bytes: &[u8]) -> Got {
        if self.refused {
            return Got { refused: true, ..Got::default() };
        }
        self.kept.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let [high, low, rest @ ..] = &self.kept[..] {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            if len > self.limit {
                self.refused = true;
                return Got { messages, kept: 0, refused: true };
            }
            if rest.len() < len {
                return Got { messages, kept: rest.len(), refused: false };
            }
            messages.push(rest[..len].to_vec());
            self.kept.drain(..2 + len);
        }
        Got { messages, kept: self.kept.len(), refused: false }
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this: make the length four bytes. What must the limit be, so that 1000 strangers cannot fill the memory?
