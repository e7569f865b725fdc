//! The course: one file a lesson, and the stage they play on.
//!
//! | file | what |
//! |---|---|
//! | [`lesson`] | what a lesson is: plain data with one function |
//! | [`stage`] | the vocabulary that the function tells its story in |
//! | [`beat`] | what playing it gives: says, pictures, questions with their answers, checked claims |
//! | [`picture`] | the pictures |
//! | [`scenario`](mod@scenario) | the values of the knobs, and the scenario line |
//! | [`fork`] | the other future of a scene, with the fate of a frame changed |
//! | [`knob`] | the knobs that several lessons have |
//! | [`render`] | beats as text and as Markdown |
//! | [`vocabulary`] | the words of the course, each with its picture |
//! | [`exercises`] | programs to be fixed, and how they are checked |
//! | `words` | numbers in sentences |
//! | `echo` | a server that echoes events, for the two lessons about Socket.IO |
//! | `overheard` | what programs said by HTTP and WebSocket |
//! | `pinned` | TCP with every switch said, for the lessons about its inside |
//! | [`house_rules`], `verify` | what every lesson must have, and whether all it claims is so |
//!
//! # Writing a lesson
//!
//! `netlayers dev new-lesson window` writes `src/lessons/window.rs` and its line below; a build later
//! `netlayers lesson window` plays it and `netlayers dev check` says what is still missing. Then tell the story:
//!
//! ```
//! # use netlayers::base::Duration;
//! # use netlayers::lessons::{Knob, Stage, picture::View, stage::packet};
//! # use netlayers::sim::fault::{self, Verdict};
//! const SIZE: Knob<usize> = Knob::bytes("size", "4000", 1, 40_000, "bytes that the program sends");
//! // and in the lesson: knobs: &[&SIZE, &knob::MSS, &knob::DELAY, &knob::SEED]
//!
//! fn script(stage: &mut Stage) {
//!     let size = stage.knob(&SIZE);                          // the value of a knob, as the type that it has
//!     stage.say(format!("A program hands {size} bytes to its socket, in one write."));
//!     let guess = stage.ask_number("How many segments will carry them?", "segments");
//!
//!     stage.scene("cut", "One write, cut at the MSS");       // a new network at time zero
//!     let (client, server) = stage.two_hosts();              // delay, rate, mtu, mss: from the knobs
//!     stage.rule(client, server, fault::nth("loses the SYN", 1, packet::is_syn, Verdict::Drop));
//!     stage.listen(server, 80);
//!     let socket = stage.connect(client, server, 80);        // the SYN leaves; time has not passed yet
//!     stage.run_until_state(socket, "ESTABLISHED");          // or run_for(time), run_until(instant)
//!     stage.send(socket, vec![b'x'; size]);
//!     stage.run();                                           // until nothing is left to happen
//!
//!     stage.show(View::Ladder, "Each arrow is one segment.");         // the run so far
//!     let run = stage.seen();                                         // what the run can be asked
//!     let segments = stage.fact("segments", run.data_segments().count());      // for the book
//!     stage.reveal(guess, |run| run.data_segments().count(),          // the answer, from the run
//!         format!("{size} bytes need {segments} segments."));
//!     stage.check("every byte arrives", |run| run.reads(server).concat().len() == size);
//!     stage.instead("One write is one segment.",                      // what many believe: LESSON.misconception
//!         "A write is cut, or joined with others, as TCP likes.");
//!     stage.try_next("netlayers lesson window --mss 536", "Predict the number of segments first.");
//! }
//! ```
//!
//! What to keep to:
//!
//! - Ask *before* the run, reveal after it. A [`Guess`](stage::Guess) that is never revealed is a fault.
//! - Every number comes from the run or a knob: `format!` it. A number typed into a sentence will be wrong one day.
//! - A word of the vocabulary is introduced by the first lesson that uses it, in [`Lesson::words`];
//!   `src/book/words_tests.rs` says which are missing.
//! - A claim holds for every value of every knob; the tests turn them all. One that needs a certain value is inside
//!   an `if`, and so does a sentence.
//! - A knob of the network ([`DELAY`](knob::DELAY), [`LOSS`](knob::LOSS), [`MTU`](knob::MTU), [`MSS`](knob::MSS),
//!   [`REORDER`](knob::REORDER), [`SEED`](knob::SEED), and any of [`sim::knob::network`](crate::sim::knob::network))
//!   acts by itself on what `two_hosts`, `host` and `link` build. `MTU.at("576")` has another default,
//!   `MTU.within(Range::Bytes(68, 1500))` other bounds. A lesson's own knobs are constants of its file; the script asks
//!   for them. Two lessons that have a knob of one name mean the same by it.
//! - A picture has a caption that says what to look at: it is also the text for readers who cannot see the picture. Its
//!   id is the scene's id and its kind, as in `cut/ladder`: the book names it so.
//! - A screen has 80 columns and 24 rows. Two or three sentences, then something to see or to do.
//! - A lesson knows no real socket. What the kernel can show of it is a line in `cli/lesson/real.rs`.
//! - rustfmt does not look into the macro below: format a lesson with `rustfmt --edition 2024 src/lessons/*.rs`.

pub mod beat;
mod echo;
pub mod exercises;
pub mod fork;
pub mod house_rules;
pub mod knob;
pub mod lesson;
mod overheard;
pub mod picture;
mod pinned;
pub mod render;
pub mod scenario;
pub mod stage;
mod verify;
pub mod vocabulary;
mod words;

#[cfg(test)]
mod scrub_tests;

pub use knob::Knob;
pub use lesson::{Cite, Lesson, Teacher};
pub use scenario::Scenario;
pub use stage::{Performance, Stage};

/// Declares the files of the lessons and lists them: one line for each. This is the only table of the course: a lesson's
/// number is its place here.
macro_rules! course {
    ($($file:ident,)*) => {
        $(pub(crate) mod $file;)*
        /// The lessons of the course, in order.
        pub static ALL: &[Lesson] = &[$($file::LESSON),*];
    };
}

course! {
    bytes,
    layers,
    arp,
    fragments,
    ports,
    udp,
    stream,
    handshake,
    segmentation,
    loss,
    flow,
    nagle,
    congestion,
    closing,
    framing,
    upgrade,
    frames,
    control,
    polling,
    socketio,
    events,
    chat,
}

/// A lesson by its number or its id.
pub fn find(name: &str) -> Option<&'static Lesson> {
    ALL.iter().find(|lesson| lesson.id == name || lesson.number().to_string() == name)
}

/// The number of a lesson by its id: its place in the course. 0 when there is no such lesson, which no number is.
pub fn number(id: &str) -> u8 {
    let place = ALL.iter().position(|lesson| lesson.id == id);
    place.map_or(0, |place| u8::try_from(place).map_or(u8::MAX, |place| place.saturating_add(1)))
}

/// Reads a scenario line: the lesson that it names, and the values of its knobs.
///
/// # Errors
/// In words, with what was expected.
pub fn scenario(line: &str) -> Result<(&'static Lesson, Scenario), String> {
    let mut words = line.split_whitespace();
    let Some(id) = words.next() else {
        return Err(
            "the scenario line is empty: expected a lesson and its knobs, such as 'handshake drop=syn'"
                .into(),
        );
    };
    let lesson = find(id).ok_or_else(|| format!("the scenario line names no lesson: '{id}'"))?;
    let mut scenario = lesson.scenario();
    scenario.turn_all(words)?;
    Ok((lesson, scenario))
}

#[cfg(test)]
mod tests;
