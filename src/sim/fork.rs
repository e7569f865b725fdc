//! Forks: the same run once more, with the fate of some frames changed.
//!
//! A frame is named by its number in the packet list: the frames of a run are counted from 1 as they begin to leave. Of
//! several forks each one names a frame of the run that those before it have made, so `8=lost,9=lost` loses what
//! follows when frame 8 is lost.
//!
//! A fork replaces all rules of the link. They are asked about its frame all the same, and their answer is
//! left aside: they draw what they would have drawn, count what they would have counted, and so have the same luck with
//! every later frame. Up to the moment when the frame begins to leave, both runs are the same, event by event.

use std::fmt;
use std::str::FromStr;

pub use super::fate::{Fate, NAME, Turn};
use super::knob::Value;
use super::knob::values::duration;
use crate::base::Duration;
use crate::trace::Trace;

/// A frame of a run, and its fate in the other run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fork {
    /// The frame's number in the packet list, from 1.
    pub frame: u64,
    /// What becomes of it.
    pub fate: Fate,
}

/// There is no frame of that number in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchFrame {
    /// The number that was asked for.
    pub frame: u64,
    /// The number of the last frame; 0 when there is none.
    pub last: u64,
}

/// The most forks of one run.
pub const MOST_FORKS: usize = 100;

/// The most frames of a run that are lost in turn: each is a run of its own.
pub const MOST_LOSSES: u64 = 1000;

/// The fates, as they are written.
pub const FATES: [&str; 4] = ["lost", "late=200ms", "twice", "corrupt"];

impl Turn {
    /// The fork as a network takes it, of a run in which its frame was sent.
    ///
    /// # Errors
    /// When the run has no frame of that number.
    pub fn of(fork: Fork, run: &Trace) -> Result<Turn, NoSuchFrame> {
        let index = usize::try_from(fork.frame).ok().and_then(|number| number.checked_sub(1));
        let found = index.and_then(|index| run.frames().nth(index));
        let Some((_, _, _, frame, _)) = found else {
            return Err(NoSuchFrame { frame: fork.frame, last: run.frames().count() as u64 });
        };
        Ok(Turn { frame, fate: fork.fate })
    }
}

/// Plays a scene as it is, and with forks; `trace` is what was recorded of a playing.
///
/// # Errors
/// When a fork names a frame that there is not.
pub fn follow<T>(
    forks: &[Fork],
    mut play: impl FnMut(&[Turn]) -> T,
    trace: impl Fn(&T) -> &Trace,
) -> Result<(T, T), NoSuchFrame> {
    let before = play(&[]);
    let mut turns = Vec::new();
    let mut after = None;
    for fork in forks {
        turns.push(Turn::of(*fork, trace(after.as_ref().unwrap_or(&before)))?);
        after = Some(play(&turns));
    }
    let after = after.unwrap_or_else(|| play(&[]));
    Ok((before, after))
}

/// Reads forks as they are typed, `8=lost,12=late=200ms`, and puts them in the order of their frames.
///
/// # Errors
/// In words, with what was expected.
pub fn parse(text: &str) -> Result<Vec<Fork>, String> {
    let mut forks = text.split(',').map(str::parse).collect::<Result<Vec<Fork>, String>>()?;
    forks.sort_by_key(|fork| fork.frame);
    if let Some(pair) = forks.windows(2).find(|pair| pair[0].frame == pair[1].frame) {
        return Err(format!("frame {} is given two fates: expected one for each frame", pair[0].frame));
    }
    if forks.len() > MOST_FORKS {
        return Err(format!("too many forks: expected at most {MOST_FORKS}, got {}", forks.len()));
    }
    Ok(forks)
}

/// Forks as they are typed.
pub fn written(forks: &[Fork]) -> String {
    forks.iter().map(Fork::to_string).collect::<Vec<_>>().join(",")
}

impl FromStr for Fork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some((frame, fate)) = text.split_once('=') else {
            return Err(format!("expected FRAME=FATE, such as 8=lost, got '{text}'"));
        };
        let digits = frame.bytes().all(|byte| byte.is_ascii_digit());
        let frame = match frame.parse::<u64>() {
            Ok(number) if number > 0 && digits => number,
            _ => return Err(format!("expected the number of a frame, from 1, such as 8=lost, got '{text}'")),
        };
        Ok(Fork { frame, fate: fate.parse()? })
    }
}

impl FromStr for Fate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, time) = match text.split_once('=') {
            Some((name, time)) => (name, Some(time)),
            None => (text, None),
        };
        match (name, time) {
            ("lost", None) => Ok(Fate::Lost),
            ("twice", None) => Ok(Fate::Twice),
            ("corrupt", None) => Ok(Fate::Corrupt),
            ("late", Some(time)) => match duration(time) {
                Ok(Duration::ZERO) => Err("late=0 is not late: expected a time, such as late=200ms".into()),
                Ok(time) => Ok(Fate::Late(time)),
                Err(expected) => Err(format!("invalid time '{time}' of late: {expected}")),
            },
            ("late", None) => Err("late by how much? expected a time, such as late=200ms".into()),
            _ => {
                let names = FATES.map(|fate| fate.split('=').next().unwrap_or(fate));
                let near = names.iter().map(|known| (strsim::osa_distance(known, name), *known)).min();
                let meant = near.filter(|(distance, _)| *distance <= 2);
                let meant = meant.map_or(String::new(), |(_, known)| format!("; did you mean '{known}'?"));
                Err(format!("there is no fate '{text}': expected lost, late=200ms, twice or corrupt{meant}"))
            }
        }
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.frame, self.fate)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Lost => f.write_str("lost"),
            Fate::Late(extra) => write!(f, "late={}", Value::Time(*extra)),
            Fate::Twice => f.write_str("twice"),
            Fate::Corrupt => f.write_str("corrupt"),
        }
    }
}

impl fmt::Display for NoSuchFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            0 => write!(f, "there is no frame {}: no frame is sent", self.frame),
            last => write!(f, "there is no frame {}: the last is frame {last}", self.frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::knob::Knobs;
    use crate::sim::scene;
    use crate::trace::{Event, Kind, Recorder, Way, Wire};
    use bytes::Bytes;
    use proptest::prelude::*;

    fn play(knobs: &Knobs, way: Way, turns: &[Turn]) -> Trace {
        let message = Bytes::from(vec![b'x'; 9000]);
        scene::run_forked(way, &message, knobs, Recorder::on("", Wire::Sim), turns, &mut |_, _| ()).trace
    }

    /// A network in which every rule draws, so that a fork that disturbed one would be noticed.
    fn rough(seed: u64) -> Knobs {
        let mut knobs =
            Knobs { loss: 0.05, duplicate: 0.1, corrupt: 0.03, reorder: 0.1, seed, ..Knobs::default() };
        knobs.link.jitter = Duration::from_millis(3);
        knobs
    }

    fn fates() -> [Fate; 4] {
        [Fate::Lost, Fate::Late(Duration::from_millis(200)), Fate::Twice, Fate::Corrupt]
    }

    /// The events up to the `number`th frame that was sent, that one included.
    fn prefix(trace: &Trace, number: u64) -> &[Event] {
        let sent = |(_, event): &(usize, &Event)| matches!(event.kind, Kind::Sent { .. });
        let (at, _) =
            trace.events.iter().enumerate().filter(sent).nth(number as usize - 1).expect("the frame");
        &trace.events[..=at]
    }

    #[test]
    fn up_to_its_frame_a_forked_run_is_the_same_event_by_event() {
        for way in Way::ALL {
            for seed in 1..3 {
                let knobs = rough(seed);
                let before = play(&knobs, way, &[]);
                for number in 1..=before.frames().count() as u64 {
                    for fate in fates() {
                        let turn =
                            Turn::of(Fork { frame: number, fate }, &before).expect("a frame of the run");
                        let after = play(&knobs, way, &[turn]);
                        let same = prefix(&before, number) == prefix(&after, number);
                        assert!(same, "{way:?}, seed {seed}, {number}={fate}");
                    }
                }
            }
        }
    }

    #[test]
    fn each_fate_is_what_its_name_says_and_takes_the_place_of_what_a_rule_did() {
        let knobs = rough(2);
        let before = play(&knobs, Way::Tcp, &[]);
        for number in 1..=before.frames().count() as u64 {
            for fate in fates() {
                let turn = Turn::of(Fork { frame: number, fate }, &before).expect("a frame of the run");
                let after = play(&knobs, Way::Tcp, &[turn]);
                let (sent, .., frame, _) = after.frames().nth(number as usize - 1).expect("the frame");
                let found = after.fates()[&frame];
                let told = match fate {
                    Fate::Lost => found.dropped_by == Some(NAME) && found.delivered.is_none(),
                    Fate::Late(extra) => {
                        let took = found.delivered.map(|at| at.since(sent));
                        found.delayed_by == Some(NAME) && took.is_some_and(|took| took > extra)
                    }
                    Fate::Twice => found.duplicated_by == Some(NAME) && found.delivered.is_some(),
                    Fate::Corrupt => found.corrupted_by == Some(NAME) && found.discarded.is_some(),
                };
                assert!(told, "{number}={fate}: {found:?}");
                let acted = [found.dropped_by, found.corrupted_by, found.duplicated_by, found.delayed_by];
                assert_eq!(acted.into_iter().flatten().collect::<Vec<_>>(), [NAME], "{number}={fate}");
            }
        }
    }

    #[test]
    fn the_rules_have_the_same_luck_with_what_comes_after_a_fork() {
        // UDP sends the same datagrams whatever becomes of them.
        let knobs = rough(3);
        let before = play(&knobs, Way::Udp, &[]);
        let fork = Fork { frame: 2, fate: Fate::Lost };
        let after = play(&knobs, Way::Udp, &[Turn::of(fork, &before).expect("a frame of the run")]);
        let fates = |trace: &Trace| -> Vec<_> {
            let fates = trace.fates();
            let fate = |frame| fates.get(&frame).map(|fate| (fate.dropped_by.is_some(), fate.corrupted_at));
            trace.frames().map(|(.., frame, _)| fate(frame)).collect()
        };
        let (before, after) = (fates(&before), fates(&after));
        assert_eq!(before.len(), after.len());
        assert_eq!(before[2..], after[2..]);
    }

    #[test]
    fn of_several_forks_each_names_a_frame_of_the_run_that_those_before_it_made() {
        let knobs = Knobs::default();
        let forks = parse("1=lost,2=lost").expect("two forks");
        let (before, after) =
            follow(&forks, |turns| play(&knobs, Way::Tcp, turns), |trace| trace).expect("both frames");
        let lost = |trace: &Trace| trace.count(|kind| matches!(kind, Kind::Dropped { .. }));
        assert_eq!((lost(&before), lost(&after)), (0, 2));
        let syns: Vec<_> = after.frames().take(2).map(|(_, from, ..)| from).collect();
        assert_eq!(syns[0], syns[1], "the SYN that is sent again is lost, too");
    }

    #[test]
    fn a_fork_names_the_same_frame_after_one_that_came_twice() {
        let knobs = Knobs { duplicate: 0.5, ..Knobs::default() };
        let before = play(&knobs, Way::Tcp, &[]);
        let last = before.frames().count() as u64;
        let turn = Turn::of(Fork { frame: last, fate: Fate::Lost }, &before).expect("the last frame");
        let after = play(&knobs, Way::Tcp, &[turn]);
        let (.., frame, _) = after.frames().nth(last as usize - 1).expect("the same frame");
        assert_eq!(after.fates()[&frame].dropped_by, Some(NAME));
    }

    #[test]
    fn a_frame_that_there_is_not_is_answered_with_the_last_one() {
        let before = play(&Knobs::default(), Way::Udp, &[]);
        let last = before.frames().count() as u64;
        let refused = Turn::of(Fork { frame: last + 1, fate: Fate::Lost }, &before);
        assert_eq!(refused, Err(NoSuchFrame { frame: last + 1, last }));
    }

    #[test]
    fn what_is_no_fork_is_answered_with_what_one_looks_like() {
        for (typed, says) in [
            ("8", "expected FRAME=FATE, such as 8=lost"),
            ("0=lost", "expected the number of a frame, from 1"),
            ("+8=lost", "expected the number of a frame"),
            ("x=lost", "expected the number of a frame"),
            ("8=los", "expected lost, late=200ms, twice or corrupt; did you mean 'lost'?"),
            ("8=eaten", "expected lost, late=200ms, twice or corrupt"),
            ("8=late", "such as late=200ms"),
            ("8=late=0", "such as late=200ms"),
            ("8=late=soon", "expected a time with its unit"),
            ("8=lost=1s", "expected lost, late=200ms, twice or corrupt"),
            ("8=lost,8=twice", "frame 8 is given two fates"),
            ("", "expected FRAME=FATE"),
            ("8=lost,", "expected FRAME=FATE"),
        ] {
            let refused = parse(typed).expect_err(typed);
            assert!(refused.contains(says), "{typed}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(
            forks in proptest::collection::btree_map(1u64.., 0usize..4, 1..20),
            nanos in 1u64..3_600_000_000_000,
        ) {
            let fate = |which| [Fate::Lost, Fate::Late(Duration::from_nanos(nanos)), Fate::Twice, Fate::Corrupt][which];
            let forks: Vec<Fork> = forks.into_iter().map(|(frame, which)| Fork { frame, fate: fate(which) }).collect();
            prop_assert_eq!(parse(&written(&forks)), Ok(forks));
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
