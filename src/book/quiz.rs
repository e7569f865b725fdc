//! A question of a lesson as a quiz: ordinary form controls, so it works from the keyboard; and the answer in a
//! `<details>`, so that it is there without JavaScript too. With it, `netlayers.js` lays the prediction beside the
//! answer.

use std::fmt::Write as _;

use super::figure::inline;
use crate::lessons::beat::{Answer, Form, Prediction, letter};
use crate::view::svg::escape;

/// The question with room for a prediction. `id` is unique in the page.
pub fn question(prediction: &Prediction, id: &str) -> String {
    let controls = match &prediction.form {
        Form::Choice(choices) => {
            let mut controls = String::new();
            for (index, choice) in choices.iter().enumerate() {
                let key = letter(index);
                let _ = write!(
                    controls,
                    "<label class=\"nl-choice\"><input type=\"radio\" name=\"{id}\" value=\"{key}\"> <span>{key}) \
                     {}</span></label>",
                    inline(choice)
                );
            }
            controls
        }
        Form::Number { unit } => format!(
            "<label>Your prediction: <input type=\"text\" inputmode=\"numeric\" size=\"8\" autocomplete=\"off\"> \
             {}</label>",
            escape(unit)
        ),
        Form::Words => {
            "<label>Your prediction: <input type=\"text\" size=\"40\" autocomplete=\"off\"></label>"
                .to_string()
        }
    };
    format!(
        "<fieldset class=\"nl-quiz\" id=\"{id}\"><legend>Predict</legend>\
         <p class=\"nl-question\">{}</p>{controls}<p class=\"nl-verdict\" role=\"status\"></p></fieldset>\n",
        inline(&prediction.question)
    )
}

/// The beginning of what stays closed until the reader opens it: the answer to the question `id`. `together` are the
/// questions that are to be predicted first, since the same run answers them; `of` says which answer of how many.
pub(super) fn open_answer(
    prediction: &Prediction,
    id: &str,
    together: &[String],
    (number, of): (usize, usize),
) -> String {
    let answer = match &prediction.answer {
        Answer::Choice(index) => letter(*index).to_string(),
        Answer::Number(number) => number.to_string(),
        Answer::Words(_) => String::new(),
    };
    let summary = match (number, of) {
        (_, 1) => "What happens?".to_string(),
        (1, of) => format!("What happens? The first of {of} answers: predict all {of} before you open it"),
        (number, of) => format!("Answer {number} of {of}"),
    };
    format!(
        "\n<details class=\"nl-answer\" data-for=\"{id}\" data-with=\"{}\" data-answer=\"{answer}\">\
         <summary>{summary}</summary>\n\n",
        together.join(" ")
    )
}

/// Closes what `answer` opened.
pub fn close_answer() -> &'static str {
    "\n</details>\n\n"
}

/// What happened, and why.
pub fn answer(prediction: &Prediction) -> String {
    let happened = prediction.in_words(&prediction.answer);
    format!(
        "<p class=\"nl-happened\"><strong>{}</strong><br>What happened: <strong>{}</strong></p><p>{}</p>\n",
        inline(&prediction.question),
        inline(&happened),
        inline(&prediction.why)
    )
}
