//! Exercise of lesson 14: when does the question end?.
//!
//! Read first: RFC 9293 §3.6.1 (half-closed connections). Left out: several connections at a time, questions that never
//! end.

use super::{Case, Exercise, Fact, Program, answer_to, bytes, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "half_close",
    lesson: "closing",
    title: "when does the question end?",
    task: "A server counts the bytes of a question, and answers with their number when the question is complete; then \
           it closes. Say what it sends and whether it closes after each read: data BYTES, nothing (would block), end \
           (0 bytes) or error (RFC 9293 §3.6.1).",
    hints: &[
        "TCP has no messages: one read may give a part of the question only. Add up, and answer nothing yet.",
        "A read that would block says only that nothing has arrived since the last one. More may come: it is not the \
         end.",
        "A read of 0 bytes is the FIN: the client will send no more, and still listens. Now the question is complete, \
         so send the count, and close.",
        "After a reset there is no one to answer. Send nothing, and close, so that the socket does not stay.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What a server does after a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The number that it sends, if it sends one.
    pub sends: Option<usize>,
    /// Whether it closes its direction then.
    pub closes: bool,
}

/// A server that has one connection.
pub trait Talk {
    /// The connection is open.
    fn begin() -> Self;

    /// A read gave these bytes.
    fn data(&mut self, bytes: &[u8]) -> Reply;

    /// A read gave nothing: nothing has arrived since the last one.
    fn nothing(&mut self) -> Reply;

    /// A read gave 0 bytes: the client has closed its direction.
    fn end(&mut self) -> Reply;

    /// A read failed: the client has reset the connection.
    fn error(&mut self) -> Reply;
}

/// The server under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<S>(Option<S>);

impl<S: Talk> Session<S> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin`, `data BYTES` with the bytes in hexadecimal, `nothing`, `end` or `error`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin    and then: data 6869", |words| {
            let reply = match (words, &mut self.0) {
                (["begin"], state) => {
                    *state = Some(S::begin());
                    Reply { sends: None, closes: false }
                }
                (["data", data], Some(server)) => server.data(&bytes(data)?),
                (["nothing"], Some(server)) => server.nothing(),
                (["end"], Some(server)) => server.end(),
                (["error"], Some(server)) => server.error(),
                _ => return None,
            };
            Some(facts(reply.sends, reply.closes))
        })
    }
}

fn facts(sends: Option<usize>, closes: bool) -> Vec<Fact> {
    let sends = sends.map_or("nothing".to_owned(), |count| count.to_string());
    vec![Fact::new("sends", sends), Fact::new("closes", if closes { "yes" } else { "no" })]
}

fn cases() -> Vec<Case> {
    const OPEN: &str = "Nothing was read yet.";
    const PART: &str = "Whether that is all of the question, a read does not say (RFC 9293 §3.7).";
    const BLOCK: &str = "Nothing has arrived since the last read, and more may come.";
    const END: &str =
        "The client's FIN: the question is complete, and the client still reads (RFC 9293 §3.6.1).";
    const RESET: &str = "The connection is gone: no answer can reach the client (RFC 9293 §3.5.3).";
    let case = |hint, title, story: &[(&str, Option<usize>, bool, &'static str)]| Case {
        title,
        hint,
        steps: std::iter::once(("begin", None, false, OPEN))
            .chain(story.iter().copied())
            .map(|(input, sends, closes, why)| line(input, facts(sends, closes), why))
            .collect(),
    };
    let part = |input| (input, None, false, PART);
    vec![
        case(0, "in one piece", &[part("data 616263"), ("end", Some(3), true, END)]),
        case(
            0,
            "in three pieces",
            &[part("data 61"), part("data 6263"), part("data 64"), ("end", Some(4), true, END)],
        ),
        case(
            1,
            "a pause in the middle",
            &[
                part("data 6162"),
                ("nothing", None, false, BLOCK),
                part("data 63"),
                ("end", Some(3), true, END),
            ],
        ),
        case(2, "an empty question", &[("nothing", None, false, BLOCK), ("end", Some(0), true, END)]),
        case(3, "the client goes away", &[part("data 6162"), ("error", None, true, RESET)]),
        case(3, "before a word", &[("error", None, true, RESET)]),
    ]
}
