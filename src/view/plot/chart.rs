//! What a plot is: series of points over two axes with units.

use crate::base::{Instant, Layer};
use crate::trace::{Kind, Past};
use crate::view::sheet::Tone;

/// Series of points over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The series; a later one is drawn over the ones before.
    pub series: Vec<Series>,
    /// What a reader could miss, as sentences below the plot.
    pub notes: Vec<String>,
}

/// An axis, which begins at 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What is counted.
    pub name: &'static str,
    /// In which unit the points are.
    pub unit: Unit,
    /// It reaches at least to here.
    pub at_least: f64,
}

/// The unit of an axis; what is shown has a prefix that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, shown in B, kB or MB of a thousand each.
    Bytes,
    /// Bits per second.
    BitsPerSecond,
    /// Seconds, shown in s, ms or us.
    Seconds,
    /// Numbers of frames.
    Frames,
    /// Hundredths.
    Percent,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// The letter on its line and in the legend: no two series of a plot share one.
    pub mark: char,
    /// The palette's entry, which says the same again.
    pub tone: Tone,
    /// How its points are joined.
    pub shape: Shape,
    /// The points. What is no number, below 0 or above [`MOST`], is not drawn.
    pub points: Vec<(f64, f64)>,
}

/// The largest number that has a place in a plot.
pub const MOST: f64 = 1e15;

/// How the points of a series are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// By straight lines.
    Line,
    /// A value holds until the next one.
    Steps,
    /// Not at all: a dot each.
    Dots,
    /// By twos, the lower one first: what a segment covers.
    Bars,
    /// Not at all: the letter each.
    Marks,
}

/// Tones for series that have none of their own, such as flows of a kind.
pub const TONES: [Tone; 6] = [
    Tone::Of(Layer::Internet),
    Tone::Of(Layer::Application),
    Tone::Good,
    Tone::Again,
    Tone::Bad,
    Tone::Strong,
];

impl Plot {
    /// A plot without series yet.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Plot { title: title.into(), x, y, series: Vec::new(), notes: Vec::new() }
    }

    /// With one more series.
    #[must_use]
    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// With one more sentence below.
    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl Axis {
    /// An axis as long as the points need.
    pub const fn new(name: &'static str, unit: Unit) -> Self {
        Axis { name, unit, at_least: 0.0 }
    }

    /// The axis of time, in seconds since the start of a run, at least up to `end`.
    pub fn time(end: Instant) -> Self {
        Axis { at_least: seconds(end), ..Axis::new("time", Unit::Seconds) }
    }
}

impl Series {
    /// A series without points yet.
    pub fn new(mark: char, name: impl Into<String>, tone: Tone, shape: Shape) -> Self {
        Series { name: name.into(), mark, tone, shape, points: Vec::new() }
    }

    /// With these points.
    #[must_use]
    pub fn points(mut self, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.points.extend(points);
        self
    }
}

/// Seconds since the start of a run.
pub(super) fn seconds(at: Instant) -> f64 {
    at.as_nanos() as f64 / 1e9
}

/// When the last frame moved or the last program read or wrote: minutes of TIME-WAIT after it would leave no room for
/// what happened before.
pub(super) fn end_of(run: Past<'_>) -> Instant {
    let moves = |kind: &Kind| {
        matches!(
            kind,
            Kind::Sent { .. }
                | Kind::Delivered { .. }
                | Kind::Dropped { .. }
                | Kind::AppWrote { .. }
                | Kind::AppRead { .. }
        )
    };
    run.events.iter().rfind(|event| moves(&event.kind)).map_or(Instant::ZERO, |event| event.at)
}
