//! Beats: what a played lesson is made of, in order.
//!
//! A question is asked before the run and answered by it. Both are known once the lesson has been played; the order of
//! the beats is what keeps the answer from being seen too soon. A renderer stops at [`Beat::Ask`] for a
//! prediction, if there is a learner to ask, and lays it beside the answer at [`Beat::Reveal`].

use serde::Serialize;

use super::picture::Picture;

/// One thing that a lesson says, shows, asks or claims.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "beat", rename_all = "snake_case")]
pub enum Beat {
    /// A new run begins: on new hosts, at time zero.
    Scene {
        /// Its name in links and on the command line.
        id: String,
        /// What happens in it.
        title: String,
    },
    /// A paragraph. Words between backticks are names of the code or the command line.
    Say {
        /// The sentences, without line breaks.
        text: String,
        /// Whether the question behind it needs it: it is on a page before the answer to the one before is opened.
        #[serde(skip)]
        leads_in: bool,
    },
    /// A picture of what has happened.
    Show {
        /// The picture, with its caption.
        picture: Picture,
    },
    /// A question, before the run that answers it.
    Ask {
        /// Its number in [`Performance::predictions`](super::stage::Performance::predictions).
        prediction: usize,
    },
    /// The answer to a question.
    Reveal {
        /// The number of the prediction that it answers.
        prediction: usize,
    },
    /// A claim that the run bears out, or does not.
    Check {
        /// The claim, as a sentence.
        claim: String,
        /// Whether the run bears it out.
        holds: bool,
    },
    /// What is true instead of what many believe.
    Instead {
        /// What many believe. In JSON it is said once, at the top, as the lesson's misconception.
        #[serde(skip)]
        believed: &'static str,
        /// The text of the note.
        text: String,
    },
    /// Something to try next.
    Try {
        /// The command line to type.
        command: String,
        /// What to look for.
        what: String,
    },
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prediction {
    /// The question, as a sentence.
    pub question: String,
    /// What answers it takes.
    pub form: Form,
    /// What the run said.
    pub answer: Answer,
    /// The reason, shown with the answer.
    pub why: String,
}

/// What answers a question takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// One of these, by its letter: the first is `a`.
    Choice(Vec<String>),
    /// A whole number, in some unit.
    Number {
        /// Of what: `bytes`, `frames`; empty for a bare number.
        unit: String,
    },
    /// Any words. Only laid beside the answer, never compared.
    Words,
}

/// An answer to a question, of either kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The choice at this index.
    Choice(usize),
    /// The number that was typed.
    Number(u64),
    /// Words, when no choice or number was typed.
    Words(String),
}

/// How a prediction compares with what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// It is what happened.
    Same,
    /// None of the choices is what happened.
    Other,
    /// Words are for people to compare.
    Open,
}

impl Prediction {
    /// Parses a typed answer.
    ///
    /// # Errors
    /// In words: what was expected.
    pub fn read(&self, typed: &str) -> Result<Answer, String> {
        let typed = typed.trim();
        match &self.form {
            Form::Choice(choices) => {
                // `C)` is `c`, as the question shows it.
                let bare = typed.trim_start_matches('(').trim_end_matches([')', '.', ':']);
                let mut letters = bare.chars();
                let index = match (letters.next(), letters.next()) {
                    (Some(letter), None) => (letter.to_ascii_lowercase() as usize).wrapping_sub('a' as usize),
                    // The words of a choice will do, too.
                    _ => choices.iter().position(|c| c.eq_ignore_ascii_case(typed)).unwrap_or(usize::MAX),
                };
                if index < choices.len() {
                    return Ok(Answer::Choice(index));
                }
                let last = letter(choices.len().saturating_sub(1));
                Err(format!("expected a letter from a to {last}"))
            }
            Form::Number { unit } => {
                // People write 4,000 and "4 bytes".
                let digits: String = typed
                    .trim_end_matches(|c: char| c.is_alphabetic() || c == ' ')
                    .replace([',', '_', '\'', ' ', '\u{a0}'], "");
                match digits.parse() {
                    Ok(number) => Ok(Answer::Number(number)),
                    Err(_) if unit.is_empty() => Err("expected a whole number, such as 7".into()),
                    Err(_) => Err(format!("expected a whole number of {unit}, such as 7")),
                }
            }
            Form::Words if typed.is_empty() => Err("expected a few words".into()),
            Form::Words => Ok(Answer::Words(typed.chars().take(200).collect())),
        }
    }

    /// How a guess compares with the answer.
    pub fn compare(&self, guess: &Answer) -> Match {
        match self.form {
            Form::Words => Match::Open,
            _ if *guess == self.answer => Match::Same,
            _ => Match::Other,
        }
    }

    /// An answer in words.
    pub fn in_words(&self, answer: &Answer) -> String {
        match (answer, &self.form) {
            (Answer::Choice(index), Form::Choice(choices)) => {
                format!("{}) {}", letter(*index), choices.get(*index).map_or("", String::as_str))
            }
            (Answer::Choice(index), _) => letter(*index).to_string(),
            (Answer::Number(1), Form::Number { unit }) if !unit.is_empty() => {
                format!("1 {}", unit.strip_suffix('s').unwrap_or(unit))
            }
            (Answer::Number(n), Form::Number { unit }) if !unit.is_empty() => format!("{n} {unit}"),
            (Answer::Number(n), _) => n.to_string(),
            (Answer::Words(words), _) => words.clone(),
        }
    }
}

/// The letter of a choice.
pub fn letter(index: usize) -> char {
    char::from(b'a' + u8::try_from(index).unwrap_or(25).min(25))
}

impl From<u64> for Answer {
    fn from(n: u64) -> Self {
        Answer::Number(n)
    }
}

impl From<usize> for Answer {
    fn from(n: usize) -> Self {
        Answer::Number(n as u64)
    }
}

impl From<String> for Answer {
    fn from(words: String) -> Self {
        Answer::Words(words)
    }
}

impl From<&str> for Answer {
    fn from(words: &str) -> Self {
        Answer::Words(words.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(form: Form) -> Prediction {
        Prediction { question: String::new(), form, answer: Answer::Number(0), why: String::new() }
    }

    #[test]
    fn a_choice_is_read_as_the_question_writes_it() {
        let choices = ["it arrives", "it is lost", "both"].map(str::to_owned).to_vec();
        let question = asked(Form::Choice(choices));
        for typed in ["c", "C", "c)", "C)", "(c)", "c.", " C) ", "both", "Both"] {
            assert_eq!(question.read(typed), Ok(Answer::Choice(2)), "{typed}");
        }
        for typed in ["d", ")", "", "cc", "3"] {
            assert_eq!(question.read(typed), Err("expected a letter from a to c".into()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_is_answered_with_one() {
        let question = asked(Form::Number { unit: "bytes".into() });
        for typed in ["4000", "4,000", "4 000", "4_000", "4000 bytes", " 4000 "] {
            assert_eq!(question.read(typed), Ok(Answer::Number(4000)), "{typed}");
        }
        for typed in ["four", "-4", "4.5", "", "bytes", "99999999999999999999"] {
            let refused = question.read(typed).expect_err(typed);
            assert_eq!(refused, "expected a whole number of bytes, such as 7", "{typed}");
        }
    }
}
