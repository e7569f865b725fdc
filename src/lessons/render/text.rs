//! Beats as lines for a terminal.
//!
//! No line is wider than the look, except those of a header box, which has 65 columns whatever the look says.

use crate::lessons::beat::{Answer, Beat, Form, Match, Prediction, letter};
use crate::lessons::lesson::Lesson;
use crate::lessons::scenario::Scenario;
use crate::lessons::stage::Performance;
use crate::view::columns::wrap;
use crate::view::look::Look;

/// Prose is easier to read in lines that are not longer than this.
const LONGEST_LINE: usize = 80;

/// The head of a lesson: its title, its layer, how long it takes.
pub fn head(lesson: &Lesson, look: &Look) -> String {
    let title = format!("lesson {}: {}", lesson.number, lesson.title);
    let about = format!("{} layer, {} minutes", lesson.layer, lesson.minutes);
    format!("{}\n{}\n", look.bold(&title), look.faint(&about))
}

/// The foot of a lesson: where to read on, and the line that reproduces the run.
pub fn foot(lesson: &Lesson, scenario: &Scenario, look: &Look) -> String {
    let mut text = String::new();
    for cite in lesson.cites {
        text.push_str(&lines("read: ", &cite.to_string(), look));
    }
    // In one piece, however long it is: it is there to be copied.
    text.push_str(&format!("scenario: {}\n", scenario));
    text
}

/// One beat as text that ends with a line end. `guess` is the learner's prediction, where the beat reveals an answer.
pub fn beat(performance: &Performance, beat: &Beat, guess: Option<&Answer>, look: &Look) -> String {
    match beat {
        Beat::Scene { title, .. } => {
            let rule = if look.ascii { "--" } else { "──" };
            format!("{}\n", look.bold(&format!("{rule} {} {rule}", look.prose(title))))
        }
        Beat::Say { text, .. } => lines("", text, look),
        Beat::Show { picture } => {
            let caption = lines("", &picture.caption, look);
            format!("{}{}", picture.draw(look), faint_lines(&caption, look))
        }
        Beat::Ask { prediction } => question(&performance.predictions[*prediction], look),
        Beat::Reveal { prediction } => {
            // Without a prediction, and with much shown since, the question may have scrolled away.
            let far = guess.is_none() && !follows_its_question(performance, *prediction);
            let asked = &performance.predictions[*prediction];
            let again = if far { lines("? ", &asked.question, look) } else { String::new() };
            again + &answer(asked, guess, look)
        }
        Beat::Check { claim, holds: true } => lines(if look.ascii { "ok " } else { "✔ " }, claim, look),
        Beat::Check { claim, holds: false } => {
            let mark = if look.ascii { "!! " } else { "✗ " };
            lines(mark, &format!("not in this run: {claim}"), look)
        }
        Beat::Instead { believed, text } => {
            let believed = format!("\"{believed}\"");
            lines("many think: ", &believed, look) + &lines("the run says: ", text, look)
        }
        Beat::Try { command, what } => {
            format!("try: {}\n{}", look.bold(command), lines("     ", what, look))
        }
    }
}

fn question(prediction: &Prediction, look: &Look) -> String {
    let mut text = look.bold(&lines("? ", &prediction.question, look));
    if let Form::Choice(choices) = &prediction.form {
        for (index, choice) in choices.iter().enumerate() {
            text.push_str(&lines(&format!("  {}) ", letter(index)), choice, look));
        }
    }
    text
}

fn follows_its_question(performance: &Performance, prediction: usize) -> bool {
    performance.beats.windows(2).any(|pair| match pair {
        [Beat::Ask { prediction: asked }, Beat::Reveal { prediction: revealed }] => {
            *asked == prediction && *revealed == prediction
        }
        _ => false,
    })
}

fn answer(prediction: &Prediction, guess: Option<&Answer>, look: &Look) -> String {
    let happened = prediction.in_words(&prediction.answer);
    let mut text = String::new();
    if let Some(guess) = guess {
        text.push_str(&lines("  your prediction: ", &prediction.in_words(guess), look));
    }
    text.push_str(&look.bold(&lines("  what happened:   ", &happened, look)));
    let why = match guess.map(|guess| prediction.compare(guess)) {
        Some(Match::Same) => format!("As you said. {}", prediction.why),
        Some(Match::Other | Match::Open) | None => prediction.why.clone(),
    };
    text + &lines("  ", &why, look)
}

/// A text in lines, the first behind `lead`, the others indented as far.
pub fn lines(lead: &str, text: &str, look: &Look) -> String {
    let indent = lead.chars().count();
    let width = look.columns().min(LONGEST_LINE).saturating_sub(indent).max(16);
    let mut result = String::new();
    for (number, line) in wrap(&look.prose(text), width).iter().enumerate() {
        let before = if number == 0 { lead.to_string() } else { " ".repeat(indent) };
        result.push_str(format!("{before}{line}").trim_end());
        result.push('\n');
    }
    result
}

fn faint_lines(text: &str, look: &Look) -> String {
    text.lines().map(|line| look.faint(line) + "\n").collect()
}
