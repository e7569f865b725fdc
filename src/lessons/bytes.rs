//! Lesson 1.

use super::picture::{Frame, View};
use super::stage::Stage;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::Layer;

/// The lesson.
pub(super) const LESSON: Lesson = Lesson {
    id: "bytes",
    number: 1,
    title: "bytes",
    layer: Layer::Physical,
    minutes: 20,
    misconception: "a character is a byte",
    cites: &[Cite { document: "RFC 3629", section: "3", what: "UTF-8" }],
    knobs: &[Knob::text("text", "é😀", 100, "what is sent"), Knob::SEED],
    teacher: Teacher { vote: "how many bytes?", choices: &[], surprise: "count" },
    real: None,
    script,
};

fn script(stage: &mut Stage) {
    let text = stage.knob("text");
    let guess = stage.ask_number(format!("How many bytes is \"{text}\"?"), "bytes");
    stage.scene("sent", "A text is sent");
    let (client, server) = stage.two_hosts();
    stage.bind(server, 9000);
    let from = stage.bind(client, 0);
    stage.send_to(from, server, 9000, &text);
    stage.run();
    stage.show(View::Hex(Frame::Deepest), "Every byte of the frame.");
    stage.reveal(guess, |run| run.reads(server).concat().len(), "UTF-8");
    stage.check("it arrives", |run| run.reads(server).concat() == text.as_bytes());
    stage.instead("a character is one to four bytes");
    stage.try_next("netlayers lesson bytes --text abc", "count");
}
