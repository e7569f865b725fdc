//! The stage: the small vocabulary that lessons are written in.
//!
//! | verbs | file |
//! |---|---|
//! | `say`, `show`, `ask`, `reveal`, `check`, `fact`, `instead`, `try_next`, the knobs | here |
//! | `scene`, `host`, `link`, `rule`, `listen`, `connect`, `send`, `read`, `run` | `scene` |
//! | `open_websocket`, `send_text`, `ping`, `close_websocket` | `websocket` |
//! | `event_server`, `event_client`, `emit`, `heard`, `crash` | `events` |
//! | what a run can be asked: `frames()`, `segments()`, `reads()`, `states()` | [`Seen`] |
//! | which frames a rule means | [`packet`] |
//!
//! A script tells its story in order. Nothing is printed: each verb leaves a [`Beat`], or lets the run go on.

mod events;
pub mod packet;
mod performance;
mod puppet;
mod scene;
mod seen;
mod websocket;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

pub use events::{EventClient, EventServer, Heard, Heartbeat};
pub use performance::{Performance, PlayedScene};
pub use scene::{Host, Socket};
pub use seen::{Seen, Segment};

use self::scene::Scene;
use super::beat::{Answer, Beat, Form, Prediction};
use super::knob::Scenario;
use super::lesson::Lesson;
use super::picture::{Drawing, FreeDrawing, Picture, View};
use crate::base::Duration;
use crate::layers::physical::delay::Rate;
use crate::sim::scene::Knobs as NetworkKnobs;
use crate::trace::{Trace, Wire};
use crate::view::columns::Columns;
use crate::view::look::Look;
use crate::view::sheet::Sheet;

/// Where a lesson is played.
pub struct Stage {
    lesson: &'static Lesson,
    scenario: Scenario,
    beats: Vec<Beat>,
    predictions: Vec<Prediction>,
    /// For each prediction, whether its answer was revealed.
    revealed: Vec<bool>,
    facts: BTreeMap<String, String>,
    scenes: Vec<PlayedScene>,
    faults: Vec<String>,
    scene: Option<Scene>,
}

/// A question that has been asked and not been answered yet.
#[derive(Debug)]
#[must_use = "a question must be answered: reveal it after the run"]
pub struct Guess(usize);

impl Guess {
    fn into_index(self) -> usize {
        self.0
    }
}

impl Stage {
    pub(super) fn new(lesson: &'static Lesson, scenario: Scenario) -> Self {
        Stage {
            lesson,
            scenario,
            beats: Vec::new(),
            predictions: Vec::new(),
            revealed: Vec::new(),
            facts: BTreeMap::new(),
            scenes: Vec::new(),
            faults: Vec::new(),
            scene: None,
        }
    }

    pub(super) fn end(mut self) -> Performance {
        self.end_scene();
        let open = self.predictions.iter().zip(&self.revealed).filter(|(_, revealed)| !**revealed);
        let open: Vec<String> =
            open.map(|(asked, _)| format!("never answered: {}", asked.question)).collect();
        self.faults.extend(open);
        Performance {
            lesson: self.lesson,
            scenario: self.scenario,
            beats: self.beats,
            predictions: self.predictions,
            facts: self.facts,
            scenes: self.scenes,
            faults: self.faults,
        }
    }

    // --- telling

    /// Says a paragraph. Numbers in it come from the run: `say(format!("{} frames", run.frames()))`.
    pub fn say(&mut self, text: impl Into<String>) {
        self.beats.push(Beat::Say { text: text.into() });
    }

    /// Shows a view of the run so far. The caption says what there is to see, as a sentence.
    pub fn show(&mut self, view: View, caption: impl Into<String>) {
        // The trace is not complete yet: the picture gets it when the scene ends.
        let trace = Arc::new(Trace::new("", Wire::Sim));
        let until = self.scene.as_ref().map_or(0, |scene| scene.network.trace().events.len());
        self.picture(view.name(), caption.into(), Drawing::Run { trace, until, view });
    }

    /// Shows rows under headings.
    pub fn table(&mut self, headings: &[&str], rows: Vec<Vec<String>>, caption: impl Into<String>) {
        self.picture("columns", caption.into(), Drawing::Columns(Columns::new(headings, rows)));
    }

    /// Shows what a function draws: a view of something else than a run. `name` is its kind, such as `waveform`.
    pub fn draw(
        &mut self,
        name: &'static str,
        caption: impl Into<String>,
        draw: impl Fn(&Look) -> Sheet + Send + Sync + 'static,
    ) {
        self.picture(name, caption.into(), Drawing::Free(FreeDrawing { name, draw: Arc::new(draw) }));
    }

    /// Asks for a number, before the run that tells it.
    pub fn ask_number(&mut self, question: impl Into<String>, unit: &str) -> Guess {
        self.ask(question.into(), Form::Number { unit: unit.into() })
    }

    /// Asks which of several things will happen, before it does.
    pub fn ask_choice(&mut self, question: impl Into<String>, choices: &[&str]) -> Guess {
        self.ask(question.into(), Form::Choice(choices.iter().map(|choice| (*choice).to_string()).collect()))
    }

    /// Asks for a few words, which are laid beside the answer and not compared with it.
    pub fn ask_words(&mut self, question: impl Into<String>) -> Guess {
        self.ask(question.into(), Form::Words)
    }

    /// Answers a question: `answer` computes it from what has happened, `why` explains it in one or two sentences.
    ///
    /// A number for [`ask_number`](Stage::ask_number), `Answer::Choice(index)` for a choice, words for words.
    pub fn reveal<A: Into<Answer>>(
        &mut self,
        guess: Guess,
        answer: impl FnOnce(&Seen) -> A,
        why: impl Into<String>,
    ) {
        // Taken, so that no question is answered twice.
        let prediction = guess.into_index();
        let answer = answer(&self.seen()).into();
        let asked = &mut self.predictions[prediction];
        let fits = match (&asked.form, &answer) {
            (Form::Choice(choices), Answer::Choice(index)) => *index < choices.len(),
            (Form::Number { .. }, Answer::Number(_)) | (Form::Words, Answer::Words(_)) => true,
            _ => false,
        };
        if !fits {
            self.faults.push(format!("the answer {answer:?} does not fit the question: {}", asked.question));
        }
        asked.answer = answer;
        asked.why = why.into();
        self.revealed[prediction] = true;
        self.beats.push(Beat::Reveal { prediction });
    }

    /// Claims something about what has happened. The run bears it out, or every test of the lesson fails.
    ///
    /// A claim holds for every value of every knob; one that needs a certain value stands behind an `if`.
    pub fn check(&mut self, claim: impl Into<String>, holds: impl FnOnce(&Seen) -> bool) {
        let holds = holds(&self.seen());
        self.beats.push(Beat::Check { claim: claim.into(), holds });
    }

    /// Gives a number or word of the run a name, for the book, and hands it back for the story.
    pub fn fact<T: Display>(&mut self, name: &str, value: T) -> T {
        if self.facts.insert(name.into(), value.to_string()).is_some() {
            self.faults.push(format!("two facts are named '{name}'"));
        }
        value
    }

    /// Says what is true instead of the lesson's misconception. Once, near the end.
    pub fn instead(&mut self, text: impl Into<String>) {
        self.beats.push(Beat::Instead { text: text.into() });
    }

    /// Something to try next: a command that works, and what to look for.
    pub fn try_next(&mut self, command: impl Into<String>, what: impl Into<String>) {
        self.beats.push(Beat::Try { command: command.into(), what: what.into() });
    }

    // --- asking the run

    /// What has happened in the scene so far; nothing, before the first one.
    pub fn seen(&self) -> Seen {
        Seen::new(self.trace_so_far())
    }

    // --- knobs

    /// How a knob that takes words or text stands.
    ///
    /// # Panics
    /// When the lesson has no such knob; so do the ones below.
    pub fn knob(&self, name: &str) -> String {
        self.scenario.value(name).expect("a script asks for the knobs of its lesson").to_string()
    }

    /// How a knob that counts stands.
    pub fn count(&self, name: &str) -> usize {
        self.knob(name).parse().expect("a knob that counts was checked to be a number")
    }

    /// How a knob for a length of time stands.
    pub fn time(&self, name: &str) -> Duration {
        self.scenario.time(name).expect("a script asks for the knobs of its lesson")
    }

    /// How a knob for a probability stands.
    pub fn share(&self, name: &str) -> f64 {
        self.scenario.share(name).expect("a script asks for the knobs of its lesson")
    }

    /// How a knob for bits per second stands.
    pub fn rate(&self, name: &str) -> Rate {
        self.scenario.rate(name).expect("a script asks for the knobs of its lesson")
    }

    /// The network that the knobs `delay`, `rate`, `loss`, `reorder`, `mtu`, `mss` and `seed` describe, as far as the
    /// lesson has them.
    pub fn network_knobs(&self) -> NetworkKnobs {
        self.scenario.network()
    }

    // --- helpers

    fn ask(&mut self, question: String, form: Form) -> Guess {
        let prediction = self.predictions.len();
        let unknown = Answer::Words(String::new());
        self.predictions.push(Prediction { question, form, answer: unknown, why: String::new() });
        self.revealed.push(false);
        self.beats.push(Beat::Ask { prediction });
        Guess(prediction)
    }

    fn picture(&mut self, kind: &str, caption: String, drawing: Drawing) {
        let place = self.scene.as_ref().map_or("start", |scene| scene.id.as_str());
        let name = format!("{place}/{kind}");
        let taken = |id: &str| {
            self.beats.iter().any(|beat| matches!(beat, Beat::Show { picture } if picture.id == id))
        };
        let mut id = name.clone();
        let mut number = 2;
        while taken(&id) {
            id = format!("{name}-{number}");
            number += 1;
        }
        self.beats.push(Beat::Show { picture: Picture { id, caption, drawing } });
    }

    fn running(&mut self) -> &mut Scene {
        self.scene.as_mut().expect("a script begins a scene before it uses a network")
    }

    fn open_scene(&mut self, scene: Scene) {
        if self.scenes.iter().any(|played| played.id == scene.id) {
            self.faults.push(format!("two scenes are named '{}'", scene.id));
        }
        self.beats.push(Beat::Scene { id: scene.id.clone(), title: scene.title.clone() });
        self.scene = Some(scene);
    }

    fn end_scene(&mut self) {
        let Some(Scene { id, title, network, .. }) = self.scene.take() else { return };
        let whole = Arc::new(network.into_trace());
        let began = self.beats.iter().rposition(|beat| matches!(beat, Beat::Scene { .. })).unwrap_or(0);
        for beat in &mut self.beats[began..] {
            if let Beat::Show { picture } = beat
                && let Drawing::Run { trace, .. } = &mut picture.drawing
            {
                *trace = Arc::clone(&whole);
            }
        }
        self.scenes.push(PlayedScene { id, title, trace: whole });
    }

    /// The events up to now.
    fn trace_so_far(&self) -> Trace {
        let Some(scene) = &self.scene else { return Trace::new("", Wire::Sim) };
        scene.network.trace().clone()
    }
}
