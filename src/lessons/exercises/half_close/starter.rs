//! Exercise of lesson 14: when does the question end?. `netlayers check half_close` says how far you are.
//!
//! ```text
//! client                       server
//!   |--- "how lon" -------------->|   a part of the question
//!   |--- "g is this?" ----------->|   another part
//!   |--- FIN -------------------->|   now it is complete: read gives 0 bytes
//!   |<------------- "17", FIN ----|   the answer, and the end of that
//! ```
//!
//! The server says how many bytes the question has. A client says by its FIN that the question is complete, and still
//! reads: a half-close (RFC 9293 section 3.6.1).
//!
//! It compiles, and it is wrong. `netlayers hint half_close` helps, `netlayers reset half_close` starts over. In Python
//! or JavaScript: `netlayers check half_close --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check half_close --program FILE`.

use netlayers::lessons::exercises::half_close::{Reply, Session, Talk};

/// A server that has one connection.
struct Mine {
    count: usize,
}

impl Talk for Mine {
    /// The connection is open.
    fn begin() -> Self {
        Mine { count: 0 }
    }

    /// A read gave these bytes.
    fn data(&mut self, bytes: &[u8]) -> Reply {
        // This takes what one read gave for the whole question.
        self.count += bytes.len();
        Reply { sends: Some(self.count), closes: true }
    }

    /// A read gave nothing: nothing has arrived since the last one ("would block").
    fn nothing(&mut self) -> Reply {
        Reply { sends: None, closes: false }
    }

    /// A read gave 0 bytes: the client has closed its direction.
    fn end(&mut self) -> Reply {
        Reply { sends: None, closes: true }
    }

    /// A read failed: the client has reset the connection.
    fn error(&mut self) -> Reply {
        Reply { sends: None, closes: false }
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin half_close, then begin, then data 6869 and end
// 2. A client sends its question and never closes. What should a server do about that?
// 3. How does HTTP say where a request ends, so that the connection can be used again?
