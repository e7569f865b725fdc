//! One picture of each run of a lesson, instead of its story.

use super::args::{LessonArgs, LessonView};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::lessons::Performance;
use crate::lessons::picture::{Frame, View};
use crate::lessons::stage::PlayedScene;
use crate::view::dissect::dissect_trace;
use crate::view::json::to_json;
use crate::view::ladder::{Ladder, LadderOptions};
use crate::view::sheet::{Tone, wrap};

/// Prints the pictures.
pub(super) fn show(
    performance: &Performance,
    view: LessonView,
    args: &LessonArgs,
    out: &mut Output,
) -> Result<(), CliError> {
    let scenes = scenes(performance, args)?;
    if view == LessonView::Json {
        let documents: Result<Vec<String>, _> = scenes.iter().map(|scene| to_json(&scene.trace)).collect();
        let documents = documents.map_err(|error| CliError::Failed(format!("writing JSON: {error}")))?;
        return out.document(format!("[\n{}\n]\n", documents.join(",\n")));
    }
    if view == LessonView::Mermaid {
        for scene in scenes {
            let diagram = Ladder::of(&*scene.trace).to_mermaid(out.look.absolute, LadderOptions::default());
            out.document(diagram + "\n")?;
        }
        return Ok(());
    }
    out.in_pages();
    if let Some(kind) = view.plot() {
        for scene in scenes {
            out.toned(Tone::Strong, format!("{}: {}", scene.id, scene.title))?;
            out.plot(&kind.of(scene.trace.whole()))?;
            out.line("")?;
        }
        return out.line(format!("scenario: {}", performance.scenario));
    }
    let frame = args.frame.map_or(Frame::Deepest, Frame::Number);
    let view = match view {
        LessonView::Ladder | LessonView::Mermaid => View::Ladder,
        LessonView::Table | LessonView::Json => View::Table,
        LessonView::Cut => View::Cut,
        LessonView::Boxes => View::Boxes,
        LessonView::Frames => View::Frames,
        LessonView::Hex => View::Hex(frame),
        LessonView::Header => View::Header(frame, None),
        LessonView::Layers => View::Layers(frame),
        LessonView::PlotCwnd
        | LessonView::PlotRtt
        | LessonView::PlotSeq
        | LessonView::PlotThroughput
        | LessonView::PlotQueue => return Ok(()),
    };
    for scene in scenes {
        let title = if view == View::Ladder { String::new() } else { format!(": {}", scene.title) };
        out.toned(Tone::Strong, format!("{}{title}", scene.id))?;
        if matches!(view, View::Hex(_) | View::Header(..) | View::Layers(_)) {
            for line in wrap(&frame_line(scene, frame), out.look.columns()) {
                out.line(line)?;
            }
        }
        out.sheet(&view.draw(scene.trace.whole(), &out.look))?;
        out.line("")?;
    }
    out.line(format!("scenario: {}", performance.scenario))
}

fn scenes<'a>(performance: &'a Performance, args: &LessonArgs) -> Result<Vec<&'a PlayedScene>, CliError> {
    let Some(id) = &args.scene else { return Ok(performance.scenes.iter().collect()) };
    if let Some(scene) = performance.scene(id) {
        return Ok(vec![scene]);
    }
    let known: Vec<&str> = performance.scenes.iter().map(|scene| scene.id.as_str()).collect();
    Err(CliError::Usage(format!("this lesson has no scene '{id}': expected one of {}", known.join(", "))))
}

/// Which frame is shown.
fn frame_line(scene: &PlayedScene, frame: Frame) -> String {
    let packets = dissect_trace(scene.trace.whole());
    let found = match frame {
        Frame::Number(number) => packets.iter().find(|packet| packet.packet.number == number),
        Frame::Deepest => View::deepest(&packets),
    };
    match found {
        Some(packet) => {
            let (from, to) = (scene.trace.name(packet.from), scene.trace.name(packet.to));
            let (number, info) = (packet.packet.number, packet.packet.summary.info());
            format!("frame {number} of {}, {from} to {to}: {info}", packets.len())
        }
        None => format!("this run has {} frames", packets.len()),
    }
}
