//! The stage, and the verbs that tell a story on it: say, show, ask, reveal, check.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use super::cast::Scene;
use super::leaving::leave_the_script;
use super::performance::{Performance, PlayedScene};
use super::seen::Seen;
use crate::lessons::beat::{Answer, Beat, Form, Prediction};
use crate::lessons::picture::{Drawing, FreeDrawing, Picture, View};
use crate::lessons::scenario::Scenario;
use crate::sim::fork::Turn;
use crate::sim::knob::{Knob, Knobs as NetworkKnobs};
use crate::trace::{Trace, Wire};
use crate::view::columns::Columns;
use crate::view::look::Look;
use crate::view::plot::Plot;
use crate::view::sheet::Sheet;

/// Where a scenario is played.
pub struct Stage {
    scenario: Scenario,
    beats: Vec<Beat>,
    predictions: Vec<Prediction>,
    /// For each prediction, whether its answer was revealed.
    revealed: Vec<bool>,
    facts: BTreeMap<String, String>,
    scenes: Vec<PlayedScene>,
    faults: Vec<String>,
    scene: Option<Scene>,
    /// Of which scene some frames have other fates; and whether the script ends with it.
    turned: Option<Turned>,
}

/// The scene that is forked.
struct Turned {
    scene: String,
    turns: Vec<Turn>,
    is_last: bool,
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
    pub(in crate::lessons) fn new(scenario: Scenario) -> Self {
        Stage {
            scenario,
            beats: Vec::new(),
            predictions: Vec::new(),
            revealed: Vec::new(),
            facts: BTreeMap::new(),
            scenes: Vec::new(),
            faults: Vec::new(),
            scene: None,
            turned: None,
        }
    }

    /// Gives frames of a scene other fates, before the script begins. If `is_last`, the script ends with that scene.
    pub(in crate::lessons) fn turn_fates(&mut self, scene: &str, turns: &[Turn], is_last: bool) {
        self.turned = Some(Turned { scene: scene.to_owned(), turns: turns.to_vec(), is_last });
    }

    /// Lets the scene that was begun come to its end, whatever the script would have done in it.
    pub(in crate::lessons) fn come_to_rest(&mut self) {
        if self.scene.is_some() {
            self.run();
        }
    }

    pub(in crate::lessons) fn end(mut self) -> Performance {
        self.end_scene(false);
        let open = self.predictions.iter().zip(&self.revealed).filter(|(_, revealed)| !**revealed);
        let open: Vec<String> =
            open.map(|(asked, _)| format!("never answered: {}", asked.question)).collect();
        self.faults.extend(open);
        Performance {
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
        self.beats.push(Beat::Say { text: text.into(), leads_in: false });
    }

    /// Says what the next question needs to know, and nothing that answers the questions before it: in the book this
    /// text stays open when their answers are folded.
    pub fn lead_in(&mut self, text: impl Into<String>) {
        self.beats.push(Beat::Say { text: text.into(), leads_in: true });
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

    /// Shows a plot.
    pub fn plot(&mut self, plot: Plot, caption: impl Into<String>) {
        self.picture("plot", caption.into(), Drawing::Plot(plot));
    }

    /// Asks for a number, before the run that shows it.
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
    /// A claim holds for every value of every knob; one that needs a certain value is inside an `if`.
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

    /// Says what is true instead of what many believe: the lesson's misconception. Once, near the end.
    pub fn instead(&mut self, believed: &'static str, text: impl Into<String>) {
        self.beats.push(Beat::Instead { believed, text: text.into() });
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

    /// The value of a knob of the lesson, as its type.
    ///
    /// # Panics
    /// When the lesson has no such knob.
    pub fn knob<T: Clone>(&self, knob: &Knob<T>) -> T {
        self.scenario.get(knob)
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

    pub(super) fn running(&mut self) -> &mut Scene {
        self.scene.as_mut().expect("a script begins a scene before it uses a network")
    }

    pub(super) fn open_scene(&mut self, mut scene: Scene) {
        if let Some(turned) = self.turned.as_ref().filter(|turned| turned.scene == scene.id) {
            scene.network.what_if(&turned.turns);
        }
        if self.scenes.iter().any(|played| played.id == scene.id) {
            self.faults.push(format!("two scenes are named '{}'", scene.id));
        }
        self.beats.push(Beat::Scene { id: scene.id.clone(), title: scene.title.clone() });
        self.scene = Some(scene);
    }

    /// Ends the scene that was begun, if there is one; whether the script goes on then.
    pub(super) fn end_scene(&mut self, goes_on: bool) {
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
        let was_asked_for = self.turned.as_ref().is_some_and(|turned| turned.is_last && turned.scene == id);
        self.scenes.push(PlayedScene { id, title, trace: whole });
        if was_asked_for && goes_on {
            leave_the_script();
        }
    }

    /// The events up to now.
    fn trace_so_far(&self) -> Trace {
        let Some(scene) = &self.scene else { return Trace::new("", Wire::Sim) };
        scene.network.trace().clone()
    }
}
