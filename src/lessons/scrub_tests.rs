//! Every run of every lesson, drawn for each of its moments, forward and back.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::ALL;
use super::picture::View;
use crate::trace::{FrameId, Kind, Past, Trace};
use crate::view::ladder::{Ladder, LadderOptions};
use crate::view::look::Look;
use crate::view::sheet::{Sheet, Subject};

/// Moments of a run at which the other views are drawn, and the ladder is compared with that of a run that ends there.
const SAMPLES: usize = 12;

/// Of a longer run the ladder is elided, or the test would draw a hundred thousand lines.
const LONGEST_WHOLE: usize = 400;

/// How many events had happened by each moment at which something did.
fn moments(trace: &Trace) -> Vec<usize> {
    let mut moments: Vec<usize> =
        trace.events.iter().map(|event| trace.until(event.at).events.len()).collect();
    moments.dedup();
    moments
}

fn sent(run: Past<'_>) -> Vec<FrameId> {
    let sent = run.events.iter().filter_map(|event| match event.kind {
        Kind::Sent { frame, .. } => Some(frame),
        _ => None,
    });
    sent.collect()
}

/// The frames of a picture in the order in which they appear, each once; and the last event that it speaks of.
fn shown(sheet: &Sheet) -> (Vec<FrameId>, Option<usize>) {
    let (mut frames, mut seen, mut last) = (Vec::new(), BTreeSet::new(), None);
    for subject in sheet.lines().iter().flat_map(|line| line.cells()).filter_map(|cell| cell.subject) {
        match subject {
            Subject::Frame(frame) if seen.insert(frame) => frames.push(frame),
            Subject::Event(event) => last = last.max(Some(event)),
            Subject::Frame(_) | Subject::Part(_) | Subject::Field { .. } => {}
        }
    }
    (frames, last)
}

fn digest(sheet: &Sheet) -> u64 {
    let mut hasher = DefaultHasher::new();
    sheet.hash(&mut hasher);
    hasher.finish()
}

fn scrub(trace: &Trace, name: &str) {
    assert!(trace.events.is_sorted_by_key(|event| event.at), "{name}: the trace is in the order of time");
    let (look, moments) = (Look::default(), moments(trace));
    let ladder = Ladder::of(trace);
    let options = LadderOptions { whole: trace.events.len() <= LONGEST_WHOLE, ..LadderOptions::default() };
    let draw = |until: usize| ladder.draw(&look, LadderOptions { until: Some(until), ..options });
    let whole = LadderOptions { whole: true, ..options };
    let all = shown(&ladder.draw(&look, whole)).0;
    assert_eq!(all, sent(trace.whole()), "{name}: every frame is in the picture, in the order of sending");
    let mut digests = Vec::new();
    for &until in &moments {
        let picture = draw(until);
        let (frames, event) = shown(&picture);
        let past = &all[..trace.first(until).frames().count()];
        match options.whole {
            true => assert_eq!(frames, past, "{name}, after {until} events"),
            false => {
                let in_order = frames.is_sorted_by_key(|frame| past.iter().position(|sent| sent == frame));
                let known = frames.iter().all(|frame| past.contains(frame));
                assert!(in_order && known, "{name}, after {until} events: {frames:?}");
            }
        }
        assert!(event.is_none_or(|event| event < until), "{name}, after {until} events: {event:?}");
        digests.push(digest(&picture));
    }
    for (&until, forward) in moments.iter().zip(digests).rev() {
        assert_eq!(digest(&draw(until)), forward, "{name}, back to {until} events");
    }
    for &until in moments.iter().step_by(moments.len().div_ceil(SAMPLES).max(1)) {
        let past = trace.first(until);
        let ends_there = Ladder::of(past).draw(&look, options);
        assert_eq!(draw(until), ends_there, "{name}, after {until} events: what lies ahead cannot be seen");
        for view in [View::Table, View::Cut, View::Boxes, View::Frames] {
            let known = sent(past);
            let drawn = view.draw(past, &look);
            assert!(drawn.height() > 0, "{name} {view:?}");
            assert!(
                shown(&drawn).0.iter().all(|frame| known.contains(frame)),
                "{name} {view:?}, {until} events"
            );
        }
    }
}

#[test]
fn every_run_of_every_lesson_can_be_scrubbed_forward_and_back() {
    for lesson in ALL {
        for scene in &lesson.play(&lesson.scenario()).scenes {
            scrub(&scene.trace, &format!("{} {}", lesson.id, scene.id));
        }
    }
}
