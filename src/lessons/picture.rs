//! The pictures of a lesson: a drawing with a name and a sentence that says what is in it.
//!
//! A picture is drawn late: width, characters and colour are the renderer's choice.

use std::sync::Arc;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::base::Instant;
use crate::trace::{Past, Trace};
use crate::view::boxes::boxes;
use crate::view::columns::Columns;
use crate::view::cut::cut;
use crate::view::dissect::{Role, TracedPacket, dissect_trace};
use crate::view::frames::frames;
use crate::view::header_box::headers_of;
use crate::view::hexdump::hexdump;
use crate::view::ladder::{LadderOptions, single_with};
use crate::view::layers::layers;
use crate::view::look::Look;
use crate::view::plot::Plot;
use crate::view::sheet::{Sheet, Tone};
use crate::view::table::table;

/// A picture of a lesson.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its name, such as `lost-ack/ladder`: unique in its lesson.
    pub id: String,
    /// What it shows, as a sentence: the caption, and the text for readers who cannot see it.
    pub caption: String,
    /// How it is drawn.
    pub drawing: Drawing,
}

/// What is drawn: a view of a run, a table, or something else.
#[derive(Debug, Clone)]
pub enum Drawing {
    /// One of the views of a run, at a moment.
    Run {
        /// The whole run, of which a part may be shown.
        trace: Arc<Trace>,
        /// How many of its events had happened when it was shown.
        until: usize,
        /// How it is drawn.
        view: View,
    },
    /// A table of rows and columns.
    Columns(Columns),
    /// Series over two axes.
    Plot(Plot),
    /// A drawing that a view made of something else than a run, for any look.
    Free(FreeDrawing),
}

/// A drawing that needs nothing but a look.
#[derive(Clone)]
pub struct FreeDrawing {
    /// What it is called in JSON, such as `waveform`.
    pub name: &'static str,
    /// Gives the sheet for a terminal of this look.
    pub draw: Arc<dyn Fn(&Look) -> Sheet + Send + Sync>,
}

/// A view of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Hosts as lines, time downwards, every frame an arrow.
    Ladder,
    /// The same, only from this time on.
    LadderSince(Instant),
    /// One line a frame.
    Table,
    /// Every byte of one frame, with its layer.
    Hex(Frame),
    /// The headers of one frame, field by field; or only the header of one protocol, such as `TCP`.
    Header(Frame, Option<&'static str>),
    /// One frame as nested boxes.
    Layers(Frame),
    /// A packet or a stream cut into pieces, and what the receiver has of it.
    Cut,
    /// What one program handed over above what the other one got.
    Boxes,
    /// WebSocket frames above the segments that carried them.
    Frames,
}

/// Which frame of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// By its number in the table, from 1.
    Number(u64),
    /// The one with the most to unwrap: the first of several equals.
    Deepest,
}

impl View {
    /// Its name in a picture's id and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            View::Ladder | View::LadderSince(_) => "ladder",
            View::Table => "table",
            View::Hex(_) => "hex",
            View::Header(..) => "header",
            View::Layers(_) => "layers",
            View::Cut => "cut",
            View::Boxes => "boxes",
            View::Frames => "frames",
        }
    }

    /// The packet with the most to unwrap: the first of several equals.
    pub fn deepest(packets: &[TracedPacket]) -> Option<&TracedPacket> {
        let parts = |packet: &&TracedPacket| {
            packet.packet.dissection.parts.iter().filter(|part| part.role != Role::Padding).count()
        };
        // Of several equals `max_by_key` takes the last.
        packets.iter().rev().max_by_key(parts)
    }

    /// Draws it.
    pub fn draw<'a>(self, run: impl Into<Past<'a>>, look: &Look) -> Sheet {
        let run = run.into();
        match self {
            View::Ladder => single_with(run, look, LadderOptions::default()),
            View::LadderSince(since) => {
                single_with(run, look, LadderOptions { since, ..LadderOptions::default() })
            }
            View::Table => table(run, look),
            View::Cut => cut(run, look),
            View::Boxes => boxes(run, look),
            View::Frames => frames(run, look),
            View::Hex(frame) => {
                with_frame(run, frame, |packet| hexdump(&packet.bytes, &packet.packet.dissection, look))
            }
            View::Layers(frame) => with_frame(run, frame, |packet| layers(&packet.packet.dissection, look)),
            View::Header(frame, protocol) => {
                with_frame(run, frame, |packet| headers_of(&packet.packet.dissection, protocol, look))
            }
        }
    }
}

impl Frame {
    /// The frame among those of its run.
    pub fn of(self, packets: &[TracedPacket]) -> Option<&TracedPacket> {
        match self {
            Frame::Number(number) => packets.iter().find(|packet| packet.packet.number == number),
            Frame::Deepest => View::deepest(packets),
        }
    }
}

fn with_frame(run: Past<'_>, frame: Frame, draw: impl Fn(&TracedPacket) -> Sheet) -> Sheet {
    let packets = dissect_trace(run);
    let missing = || Sheet::of("(no such frame in this run)", Tone::Plain);
    frame.of(&packets).map_or_else(missing, draw)
}

impl Picture {
    /// Draws it. The scene's title is above it already.
    pub fn draw(&self, look: &Look) -> Sheet {
        match &self.drawing {
            Drawing::Run { trace, until, view } => view.draw(trace.first(*until).untitled(), look),
            Drawing::Columns(columns) => columns.draw(look),
            Drawing::Plot(plot) => plot.draw(look),
            Drawing::Free(free) => (free.draw)(look),
        }
    }

    /// What kind of picture it is.
    pub fn kind(&self) -> &'static str {
        match &self.drawing {
            Drawing::Run { view, .. } => view.name(),
            Drawing::Columns(_) => "columns",
            Drawing::Plot(_) => "plot",
            Drawing::Free(free) => free.name,
        }
    }
}

impl Serialize for Picture {
    /// As a program wants it: its name, what it shows, and the drawing in 80 columns of plain text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Picture", 4)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("kind", self.kind())?;
        fields.serialize_field("caption", &self.caption)?;
        fields.serialize_field("text", &self.draw(&Look::default()).to_string())?;
        fields.end()
    }
}

impl std::fmt::Debug for FreeDrawing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FreeDrawing").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::ALL;
    use crate::lessons::beat::Beat;

    #[test]
    fn every_picture_of_every_lesson_fits_a_page_and_can_do_without_unicode() {
        for lesson in ALL {
            for beat in &lesson.play(&lesson.scenario()).beats {
                let Beat::Show { picture } = beat else { continue };
                let plain = picture.draw(&Look::plain()).to_string();
                // What a program sent may be any text; arrows, lines and blocks are ours.
                let ours = |c: char| ('\u{2190}'..'\u{2800}').contains(&c);
                assert!(!plain.contains(ours), "{} {}:\n{plain}", lesson.id, picture.id);
                let sheet = picture.draw(&Look::default());
                assert!(sheet.width() <= 80, "{} {}:\n{sheet}", lesson.id, picture.id);
            }
        }
    }
}
