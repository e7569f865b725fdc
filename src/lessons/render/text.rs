//! Beats as lines for a terminal.
//!
//! No line is wider than the look, except those that are there to be copied: a scenario, a command.

use crate::lessons::beat::{Answer, Beat, Form, Match, Prediction, letter};
use crate::lessons::lesson::Lesson;
use crate::lessons::picture::Picture;
use crate::lessons::scenario::Scenario;
use crate::lessons::stage::Performance;
use crate::view::look::Look;
use crate::view::sheet::{Line, Sheet, Tone, width, wrap};

/// Prose is easier to read in lines that are not longer than this.
const LONGEST_LINE: usize = 80;

/// The head of a lesson: its title, its layer, how long it takes.
pub fn head(lesson: &Lesson) -> Sheet {
    let title = format!("lesson {}: {}", lesson.number(), lesson.title);
    let about = format!("{} layer, {} minutes", lesson.layer, lesson.minutes);
    [Line::of(title, Tone::Strong), Line::of(about, Tone::Faint)].into_iter().collect()
}

/// The head, and the words that the lesson introduces.
pub fn opening(lesson: &Lesson, look: &Look) -> Sheet {
    let mut sheet = head(lesson);
    let longest = lesson.words.iter().map(|(word, _)| width(word)).max().unwrap_or(0);
    if longest > 0 {
        sheet.say("\nnew words", Tone::Plain);
    }
    for (word, is) in lesson.words {
        sheet.say(lines(&format!("  {word:<longest$}  "), is, look), Tone::Plain);
    }
    sheet
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

/// One beat. `guess` is the learner's prediction, where the beat reveals an answer.
pub fn beat(performance: &Performance, beat: &Beat, guess: Option<&Answer>, look: &Look) -> Sheet {
    let plain = |lead: &str, text: &str| Sheet::of(lines(lead, text, look), Tone::Plain);
    match beat {
        Beat::Scene { title, .. } => {
            let rule = if look.ascii { "--" } else { "──" };
            let title = Line::of(format!("{rule} {} {rule}", look.prose(title)), Tone::Strong);
            title.folded(look.columns(), 3).into_iter().collect()
        }
        Beat::Say { text, .. } => plain("", text),
        Beat::Show { picture } => shown(picture, look),
        Beat::Ask { prediction } => question(&performance.predictions[*prediction], look),
        Beat::Reveal { prediction } => {
            // Without a prediction, and with much shown since, the question may have scrolled away.
            let far = guess.is_none() && !follows_its_question(performance, *prediction);
            let asked = &performance.predictions[*prediction];
            let mut sheet = if far { plain("? ", &asked.question) } else { Sheet::new() };
            sheet.extend(answer(asked, guess, look));
            sheet
        }
        Beat::Check { claim, holds: true } => plain(if look.ascii { "ok " } else { "✔ " }, claim),
        Beat::Check { claim, holds: false } => {
            let mark = if look.ascii { "!! " } else { "✗ " };
            plain(mark, &format!("not in this run: {claim}"))
        }
        Beat::Instead { believed, text } => {
            let believed = format!("\"{believed}\"");
            [plain("many think: ", &believed), plain("the run says: ", text)].into_iter().collect()
        }
        Beat::Try { command, what } => {
            let mut sheet = Sheet::from(Line::of("try: ", Tone::Plain).with(command, Tone::Strong));
            sheet.extend(plain("     ", what));
            sheet
        }
    }
}

/// A picture above its caption.
pub fn shown(picture: &Picture, look: &Look) -> Sheet {
    let mut sheet = picture.draw(look);
    sheet.say(lines("", &picture.caption, look), Tone::Faint);
    sheet
}

/// A question, with its choices.
pub fn question(prediction: &Prediction, look: &Look) -> Sheet {
    let mut sheet = Sheet::of(lines("? ", &prediction.question, look), Tone::Strong);
    if let Form::Choice(choices) = &prediction.form {
        for (index, choice) in choices.iter().enumerate() {
            sheet.say(lines(&format!("  {}) ", letter(index)), choice, look), Tone::Plain);
        }
    }
    sheet
}

fn follows_its_question(performance: &Performance, prediction: usize) -> bool {
    performance.beats.windows(2).any(|pair| match pair {
        [Beat::Ask { prediction: asked }, Beat::Reveal { prediction: revealed }] => {
            *asked == prediction && *revealed == prediction
        }
        _ => false,
    })
}

/// What was predicted, what happened, and why.
pub fn answer(prediction: &Prediction, guess: Option<&Answer>, look: &Look) -> Sheet {
    let happened = prediction.in_words(&prediction.answer);
    let mut sheet = Sheet::new();
    if let Some(guess) = guess {
        sheet.say(lines("  your prediction: ", &prediction.in_words(guess), look), Tone::Plain);
    }
    sheet.say(lines("  what happened:   ", &happened, look), Tone::Strong);
    let why = match guess.map(|guess| prediction.compare(guess)) {
        Some(Match::Same) => format!("As you said. {}", prediction.why),
        Some(Match::Other | Match::Open) | None => prediction.why.clone(),
    };
    sheet.say(lines("  ", &why, look), Tone::Plain);
    sheet
}

/// A text in lines, the first after `lead`, the others indented as far.
pub fn lines(lead: &str, text: &str, look: &Look) -> String {
    let indent = width(lead);
    let columns = look.columns().min(LONGEST_LINE).saturating_sub(indent).max(16);
    let mut result = String::new();
    for (number, line) in wrap(&look.prose(text), columns).iter().enumerate() {
        let before = if number == 0 { lead.to_string() } else { " ".repeat(indent) };
        result.push_str(format!("{before}{line}").trim_end());
        result.push('\n');
    }
    result
}
