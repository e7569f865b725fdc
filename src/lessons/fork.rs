//! Forks of a lesson's runs: the other future of one scene, with the fate of some frames changed.
//!
//! A script tells its story of the run that it expects. In another future a connection may never open, and then the
//! script cannot go on: it ends there, with a panic that is caught here; the network comes to rest, and
//! [`Forked::ends_early`] says so. What the panic writes is for the program to leave out. Only the run
//! counts; what a script says, asks and claims belongs to the run that it was written for.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::lesson::Lesson;
use super::scenario::Scenario;
use super::stage::{Performance, SceneIsOver, Stage};
use crate::sim::fork::{Fate, Fork, MOST_LOSSES, Turn};
use crate::trace::Trace;

/// A lesson played as it is, and with its forks.
#[derive(Debug, Clone)]
pub struct Forked {
    /// As it is, without the forks of its scenario.
    pub before: Performance,
    /// With them.
    pub after: Performance,
    /// The scene that is forked.
    pub scene: String,
    /// The script could not go on in the other future.
    pub ends_early: bool,
}

/// What became of a scene in which one frame was lost.
#[derive(Debug, Clone)]
pub struct OneLoss {
    /// The number of the frame.
    pub frame: u64,
    /// The run without it.
    pub trace: Arc<Trace>,
}

impl Forked {
    /// The run of the scene as it is, and with the forks.
    pub fn traces(&self) -> Option<(&Trace, &Trace)> {
        let of = |performance: &'_ Performance| performance.scenes.iter().position(|s| s.id == self.scene);
        let (before, after) = (of(&self.before)?, of(&self.after)?);
        Some((&self.before.scenes[before].trace, &self.after.scenes[after].trace))
    }
}

impl Lesson {
    /// Plays the other future that the scenario's forks describe, and the one without them.
    ///
    /// # Errors
    /// When there is no such scene, or no such frame in it: in words, with what there is.
    pub fn fork(&self, scenario: &Scenario) -> Result<Forked, String> {
        let plain = scenario.without_forks();
        let before = self.play(&plain);
        let scene = scene_of(&before, scenario.forked_scene())?;
        let mut turns: Vec<Turn> = Vec::new();
        let mut played: Option<(Performance, bool)> = None;
        for fork in scenario.forks() {
            let run = played.as_ref().map_or(&before, |(after, _)| after);
            let trace = run.scene(&scene).map(|scene| scene.trace.as_ref());
            let found = trace.ok_or("the scene is never played").map_err(str::to_owned);
            turns.push(Turn::of(*fork, found?).map_err(|none| format!("{none}, in the scene '{scene}'"))?);
            played = Some(self.play_turned(scenario, &scene, &turns, Until::TheEnd));
        }
        let (mut after, ends_early) = played.unwrap_or_else(|| (before.clone(), false));
        after.scenario = scenario.clone();
        after.scenario.name_forked_scene(&scene);
        Ok(Forked { before, after, scene, ends_early })
    }

    /// Loses each frame of a scene in turn: the scene's name, its run as it is, and the other ones.
    ///
    /// # Errors
    /// When there is no such scene: in words, with those that there are.
    pub fn losses(
        &self,
        scenario: &Scenario,
        scene: Option<&str>,
    ) -> Result<(String, Arc<Trace>, Vec<OneLoss>), String> {
        let plain = scenario.without_forks();
        let before = self.play(&plain);
        let scene = scene_of(&before, scene)?;
        let run = before.scene(&scene).map(|scene| Arc::clone(&scene.trace));
        let run = run.ok_or("the scene is never played")?;
        let frames = run.frames().count() as u64;
        if frames > MOST_LOSSES {
            return Err(format!(
                "the scene '{scene}' has {frames} frames: at most {MOST_LOSSES} are lost in turn"
            ));
        }
        let mut losses = Vec::new();
        for frame in 1..=frames {
            let Ok(turn) = Turn::of(Fork { frame, fate: Fate::Lost }, &run) else { break };
            let (other, _) = self.play_turned(&plain, &scene, &[turn], Until::TheScene);
            if let Some(played) = other.scene(&scene) {
                losses.push(OneLoss { frame, trace: Arc::clone(&played.trace) });
            }
        }
        Ok((scene, run, losses))
    }

    /// Plays it with other fates for some frames of a scene; says, too, whether its script came to no end.
    fn play_turned(
        &self,
        scenario: &Scenario,
        scene: &str,
        turns: &[Turn],
        until: Until,
    ) -> (Performance, bool) {
        let mut stage = Stage::new(scenario.clone());
        stage.turn_fates(scene, turns, until == Until::TheScene);
        let told = caught(|| (self.script)(&mut stage));
        let ends_early = told.as_ref().is_err_and(|why| !why.is::<SceneIsOver>());
        if ends_early {
            // What is on its way arrives, and timers go off: the run has an end, too.
            let _ = caught(|| stage.come_to_rest());
        }
        (stage.end(), ends_early)
    }
}

/// How much of a lesson is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    TheEnd,
    TheScene,
}

/// The scene that is meant: the first one with frames, if none is named.
fn scene_of(performance: &Performance, named: Option<&str>) -> Result<String, String> {
    let known: Vec<&str> = performance.scenes.iter().map(|scene| scene.id.as_str()).collect();
    match named {
        Some(id) if known.contains(&id) => Ok(id.to_owned()),
        Some(id) => {
            let near = known.iter().map(|known| (strsim::osa_distance(known, id), *known)).min();
            let near = near.filter(|(distance, _)| *distance <= 2);
            let meant = near.map_or(String::new(), |(_, known)| format!("; did you mean '{known}'?"));
            Err(format!("this lesson has no scene '{id}': expected one of {}{meant}", known.join(", ")))
        }
        None => {
            let found = performance.scenes.iter().find(|scene| scene.trace.frames().next().is_some());
            let found = found.map(|scene| scene.id.clone());
            found.ok_or_else(|| "no frame is sent in this lesson: there is nothing to fork".into())
        }
    }
}

/// Runs a script that may find nothing to go on with.
fn caught(act: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
    // The stage is asked for no more than its traces afterwards, which are written event by event.
    catch_unwind(AssertUnwindSafe(act))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::{ALL, find};
    use crate::sim::fork::parse;
    use crate::trace::Kind;

    fn forked(line: &str) -> Result<Forked, String> {
        let (lesson, scenario) = crate::lessons::scenario(line)?;
        lesson.fork(&scenario)
    }

    #[test]
    fn the_line_of_a_fork_plays_the_same_again() {
        let first = forked("handshake drop=syn what-if=2=lost").expect("a frame of the first scene");
        let line = first.after.scenario.to_string();
        assert!(line.ends_with(&format!(" what-if={}/2=lost", first.scene)), "{line}");
        let again = forked(&line).expect("the same line");
        assert_eq!(again.after.scenario, first.after.scenario);
        let events = |forked: &Forked| forked.traces().map(|(_, after)| after.events.clone());
        assert_eq!(events(&first), events(&again));
        let played = find("handshake").map(|lesson| lesson.play(&first.after.scenario)).expect("the lesson");
        let replayed = played.scene(&first.scene).map(|scene| scene.trace.events.clone());
        assert_eq!(replayed, events(&first), "play() follows forks, too");
    }

    #[test]
    fn only_the_scene_that_is_forked_changes() {
        let forked = forked("handshake what-if=lossy/1=lost").expect("a scene with a frame");
        for (before, after) in forked.before.scenes.iter().zip(&forked.after.scenes) {
            assert_eq!(before.id, after.id);
            assert_eq!(before.trace.events == after.trace.events, before.id != "lossy", "{}", before.id);
        }
    }

    #[test]
    fn a_fork_of_nothing_says_what_there_is() {
        let refused = |line: &str| forked(line).expect_err(line);
        assert!(
            refused("handshake what-if=99=lost").contains("the last is frame 5"),
            "{}",
            refused("handshake what-if=99=lost")
        );
        let scene = refused("handshake what-if=losy/1=lost");
        assert!(scene.contains("no scene 'losy'") && scene.contains("did you mean 'lossy'?"), "{scene}");
        assert!(refused("handshake what-if=1=gone").contains("lost, late=200ms, twice or corrupt"));
        let lesson = find("handshake").expect("a lesson");
        let mut scenario = lesson.scenario();
        scenario.what_if(None, parse("99=lost").expect("a fork"));
        let played = lesson.play(&scenario);
        assert!(played.faults.iter().any(|fault| fault.contains("no frame 99")), "{:?}", played.faults);
    }

    /// The first scene of every lesson, a dozen of its frames lost: no script is thrown off its feet, and every run comes to
    /// rest.
    #[test]
    fn losses_of_every_first_scene_have_a_future() {
        for lesson in ALL {
            let scenario = lesson.scenario();
            let before = lesson.play(&scenario);
            let Ok(scene) = scene_of(&before, None) else { continue };
            let run = &before.scene(&scene).expect("a scene of the lesson").trace;
            let frames = run.frames().count();
            for frame in (1..=frames as u64).step_by(frames / 12 + 1) {
                let turn = Turn::of(Fork { frame, fate: Fate::Lost }, run).expect("a frame of the run");
                let (other, _) = lesson.play_turned(&scenario, &scene, &[turn], Until::TheScene);
                let other = &other.scene(&scene).expect("the same scene").trace;
                let (.., id, _) = other.frames().nth(frame as usize - 1).expect("the frame");
                assert!(other.fates()[&id].dropped_by.is_some(), "{} {scene} {frame}", lesson.id);
            }
        }
    }

    #[test]
    fn every_loss_of_a_scene_is_played_once() {
        let lesson = find("handshake").expect("a lesson");
        let (scene, run, losses) = lesson.losses(&lesson.scenario(), Some("lossy")).expect("a scene");
        assert_eq!(scene, "lossy");
        let frames: Vec<u64> = losses.iter().map(|loss| loss.frame).collect();
        assert_eq!(frames, (1..=run.frames().count() as u64).collect::<Vec<_>>());
        let sent = |trace: &Trace| trace.count(|kind| matches!(kind, Kind::Sent { .. }));
        assert!(losses.iter().all(|loss| sent(&loss.trace) > 0));
    }
}
