//! A solution of lesson 14's exercise: when does the question end? (RFC 9293 section 3.6.1).

use netlayers::lessons::exercises::half_close::{Reply, Session, Talk};

/// A server that has one connection.
struct Mine {
    count: usize,
}

const WAIT: Reply = Reply { sends: None, closes: false };

impl Talk for Mine {
    fn begin() -> Self {
        Mine { count: 0 }
    }

    fn data(&mut self, bytes: &[u8]) -> Reply {
        self.count += bytes.len();
        WAIT
    }

    fn nothing(&mut self) -> Reply {
        WAIT
    }

    fn end(&mut self) -> Reply {
        Reply { sends: Some(self.count), closes: true }
    }

    fn error(&mut self) -> Reply {
        // There is no one to answer. The socket must go all the same.
        Reply { sends: None, closes: true }
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. A client sends its question and never closes. What should a server do about that?
// 2. How does HTTP say where a request ends, so that the connection can be used again?
