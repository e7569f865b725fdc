//! Exercise of lesson 13: be the queue in front of the link.
//!
//! Read first: RFC 7567 §2. Left out: queues that drop before they are full, frames of different sizes.

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "drop_tail",
    lesson: "congestion",
    title: "be the queue in front of the link",
    task: "Frames come to a link at times in milliseconds. Say when each has left over the link, or never when it is \
           dropped, and how many wait after that, without the one that is leaving. `begin TAKES ROOM` says how long a \
           frame keeps the link busy, and how many may wait.",
    hints: &[
        "When the link is idle, a frame begins to leave at once, and has left after TAKES.",
        "When it is busy, the frame begins to leave when the last one before it has left. Keep the time when each \
         frame begins.",
        "What waits are the frames that have not begun to leave. When there are ROOM of them and the link is busy, \
         the next one is dropped, and changes nothing.",
        "Time passes between the lines: what has begun by then waits no longer. At the very moment when one has left, \
         the next begins.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// A link, and what waits for it. Times are in milliseconds.
pub trait Queue {
    /// An idle link, which a frame keeps busy for `takes`, and room for `room` frames that wait.
    fn begin(takes: u32, room: usize) -> Self;

    /// A frame comes. Gives the time when it has left over the link, or nothing when it is dropped.
    fn frame(&mut self, now: u32) -> Option<u32>;

    /// How many frames wait, without the one that is leaving.
    fn waiting(&self, now: u32) -> usize;
}

/// The queue under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<Q>(Option<Q>);

impl<Q: Queue> Session<Q> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin TAKES ROOM` or `frame TIME`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 10 2    and then: frame 0", |words| {
            let (word, numbers) = words.split_first()?;
            let numbers: Vec<u32> = numbers.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let facts = match (*word, numbers.as_slice(), &mut self.0) {
                ("begin", [takes, room], state) => {
                    *state = Some(Q::begin(*takes, *room as usize));
                    facts(None, 0)
                }
                ("frame", [now], Some(queue)) => {
                    let leaves = queue.frame(*now);
                    facts(leaves, queue.waiting(*now))
                }
                _ => return None,
            };
            Some(facts)
        })
    }
}

fn facts(leaves: Option<u32>, waiting: usize) -> Vec<Fact> {
    let leaves = leaves.map_or("never".to_owned(), |time| time.to_string());
    vec![Fact::new("leaves", leaves), Fact::new("waiting", waiting)]
}

fn cases() -> Vec<Case> {
    const EMPTY: &str = "Nothing has come yet.";
    const IDLE: &str = "The link is idle: it leaves at once.";
    const BUSY: &str = "The link is busy, so it waits for those before it.";
    const FULL: &str = "The link is busy and there is no room to wait: it is dropped (RFC 7567 §2).";
    const BEGUN: &str = "By now frames have left, and the next has begun: there is room again.";
    type Told<'a> = (&'a str, Option<u32>, usize, &'static str);
    let case = |hint, title, begin, story: &[Told<'_>]| Case {
        title,
        hint,
        steps: std::iter::once((begin, None, 0, EMPTY))
            .chain(story.iter().copied())
            .map(|(input, leaves, waiting, why)| line(input, facts(leaves, waiting), why))
            .collect(),
    };
    let (first, second, third) =
        (("frame 0", Some(10), 0, IDLE), ("frame 0", Some(20), 1, BUSY), ("frame 0", Some(30), 2, BUSY));
    vec![
        case(0, "now and then one", "begin 10 2", &[first, ("frame 50", Some(60), 0, IDLE)]),
        case(1, "three at once", "begin 10 2", &[first, second, third]),
        case(
            2,
            "five at once",
            "begin 10 2",
            &[first, second, third, ("frame 0", None, 2, FULL), ("frame 5", None, 2, FULL)],
        ),
        case(
            3,
            "room again",
            "begin 10 2",
            &[
                first,
                second,
                third,
                ("frame 9", None, 2, FULL),
                ("frame 10", Some(40), 2, BEGUN),
                ("frame 25", Some(50), 2, BEGUN),
            ],
        ),
        case(
            2,
            "no room at all",
            "begin 10 0",
            &[first, ("frame 5", None, 0, FULL), ("frame 10", Some(20), 0, IDLE)],
        ),
        case(
            1,
            "much room",
            "begin 10 100",
            &[
                first,
                second,
                third,
                ("frame 0", Some(40), 3, BUSY),
                ("frame 0", Some(50), 4, BUSY),
                ("frame 35", Some(60), 2, BUSY),
            ],
        ),
    ]
}
