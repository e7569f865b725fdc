//! Beats as Markdown, for the book: a question hides its answer in `<details>`, which works without JavaScript.
//!
//! Pictures stand in fences as text. Whoever has a better form of one, such as SVG, renders that beat alone.

use std::fmt::Write as _;

use crate::lessons::beat::{Beat, Form, Prediction, letter};
use crate::lessons::stage::Performance;
use crate::view::look::{Look, escape};

/// The whole story.
pub fn story(performance: &Performance) -> String {
    let beats: Vec<String> = performance.beats.iter().map(|one| beat(performance, one)).collect();
    beats.join("\n")
}

/// One beat.
pub fn beat(performance: &Performance, beat: &Beat) -> String {
    match beat {
        Beat::Scene { id, title } => format!("## {title} {{#{id}}}\n"),
        Beat::Say { text } => format!("{text}\n"),
        Beat::Show { picture } => {
            format!("```text\n{}```\n\n*{}*\n", picture.draw(&Look::default()), picture.caption)
        }
        Beat::Ask { prediction } => question(&performance.predictions[*prediction]),
        Beat::Reveal { prediction } => answer(&performance.predictions[*prediction]),
        Beat::Check { claim, .. } => format!("- ✔ {claim}\n"),
        Beat::Instead { text } => {
            format!("> Many think: “{}”\n>\n> {text}\n", performance.lesson.misconception)
        }
        Beat::Try { command, what } => format!("```sh\n{command}\n```\n\n{what}\n"),
    }
}

fn question(prediction: &Prediction) -> String {
    let mut text = format!("**Predict:** {}\n", prediction.question);
    if let Form::Choice(choices) = &prediction.form {
        text.push('\n');
        for (index, choice) in choices.iter().enumerate() {
            let _ = writeln!(text, "- {}) {choice}", letter(index));
        }
    }
    text
}

fn answer(prediction: &Prediction) -> String {
    let happened = prediction.in_words(&prediction.answer);
    format!(
        "<details>\n<summary>{}: what happened?</summary>\n\n**{}**\n\n{}\n\n</details>\n",
        html(&prediction.question),
        happened,
        prediction.why
    )
}

/// Text for an element that Markdown does not look into.
fn html(text: &str) -> String {
    escape(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
