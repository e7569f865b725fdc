//! A plot as a sheet: title, legend, the raster between its axes, notes.

use super::chart::{MOST, Plot, Series, Shape};
use super::raster::{ACROSS, Pen, Raster};
use super::scale::Scale;
use crate::view::look::{Look, escape};
use crate::view::sheet::{Line, LongWord, Sheet, Tone, width, wrap_words};

/// Rows of cells between the axes.
const ROWS: usize = 14;
/// Cells between two letters on a line.
const BETWEEN_MARKS: usize = 16;
/// Columns for a tick of the axis of time and its label.
const TICK_ROOM: usize = 10;

impl Plot {
    /// Draws it, as wide as the look asks for.
    pub fn draw(&self, look: &Look) -> Sheet {
        let mut sheet = Sheet::new();
        let say = |sheet: &mut Sheet, text: &str, tone| {
            for line in wrap_words(&look.prose(text), look.columns(), look.columns(), LongWord::Cut) {
                sheet.push(Line::of(line, tone));
            }
        };
        say(&mut sheet, &self.title, Tone::Strong);
        if self.series.iter().any(|series| drawable(series).next().is_some()) {
            sheet.extend(self.legend(look));
            sheet.extend(self.between_axes(look));
        }
        self.notes.iter().for_each(|note| say(&mut sheet, note, Tone::Faint));
        sheet
    }

    /// The letters and names of all series that have points.
    fn legend(&self, look: &Look) -> Sheet {
        let mut sheet = Sheet::new();
        let mut line = Line::new();
        for series in self.series.iter().filter(|series| drawable(series).next().is_some()) {
            let text = format!("{} {}", series.mark, look.prose(&escape(&series.name)));
            if line.width() > 0 && line.width() + 3 + width(&text) > look.columns() {
                sheet.push(std::mem::take(&mut line));
            }
            if line.width() > 0 {
                line.push("   ", Tone::Plain);
            }
            line.push(text, series.tone);
        }
        sheet.push(line);
        sheet
    }

    fn between_axes(&self, look: &Look) -> Sheet {
        let most = |of: fn(&(f64, f64)) -> f64| {
            self.series.iter().flat_map(drawable).map(|point| of(&point)).fold(0.0, f64::max)
        };
        let y = Scale::new(&self.y, most(|point| point.1), 4, true);
        let labels = y.ticks.iter().map(|(_, label)| width(label)).max().unwrap_or(0).max(width(y.unit));
        let columns = look.columns() - labels - 2;
        let x = Scale::new(&self.x, most(|point| point.0), columns / TICK_ROOM, false);
        let mut raster = Raster::new(columns, ROWS);
        self.series.iter().for_each(|series| draw(series, &mut raster, (&x, &y)));
        for (number, series) in self.series.iter().enumerate() {
            marks(series, (number, self.series.len()), &mut raster, (&x, &y));
        }

        let [wall, tick, corner, floor, notch] =
            if look.ascii { ["|", "+", "+", "-", "+"] } else { ["│", "┤", "└", "─", "┬"] };
        let mut sheet = Sheet::new();
        let heading = format!("{} {}", self.y.name, y.unit);
        let mut line = Line::blank(labels.saturating_sub(width(y.unit)));
        line.push(y.unit, Tone::Faint);
        line.push(if look.ascii { " ^ " } else { " ▲ " }, Tone::Faint);
        line.push(heading.trim_end_matches(y.unit).trim_end(), Tone::Faint);
        sheet.push(line);
        for (row, drawn) in raster.lines(look.ascii).enumerate() {
            let here = |(value, _): &&(f64, String)| y.place(*value, ROWS) == ROWS - 1 - row;
            let label = y.ticks.iter().find(here).map(|(_, label)| label.as_str());
            let mut line = Line::blank(labels + 1);
            line.put_before(labels, label.unwrap_or(""), Tone::Faint);
            line.push(if label.is_some() { tick } else { wall }, Tone::Faint);
            let at = line.width();
            line.pad(at + columns);
            line.paste(at, &drawn);
            sheet.push(line.trimmed());
        }
        let (mut axis, mut under) = (Line::blank(labels + 1), Line::blank(look.columns()));
        axis.push(corner, Tone::Faint);
        axis.push(floor.repeat(columns), Tone::Faint);
        let unit = format!("{} {}", self.x.name, x.unit);
        let room = look.columns() - width(&unit);
        for (value, label) in &x.ticks {
            let at = labels + 2 + x.place(*value, columns);
            if at + width(label).div_ceil(2) < room {
                axis.put(at, notch, Tone::Faint);
                under.put_around(at, label, Tone::Faint);
            }
        }
        under.put_before(look.columns(), &unit, Tone::Faint);
        sheet.extend([axis, under]);
        sheet
    }
}

/// The points of a series that are numbers of the plane.
pub(super) fn drawable(series: &Series) -> impl Iterator<Item = (f64, f64)> + '_ {
    let is_number = |value: f64| (0.0..=MOST).contains(&value);
    series.points.iter().copied().filter(move |(x, y)| is_number(*x) && is_number(*y))
}

/// Draws the points of a series as its shape says. Steps hold to the end of the axis.
fn draw(series: &Series, raster: &mut Raster, (x, y): (&Scale, &Scale)) {
    let pen = Pen { letter: series.mark, tone: series.tone };
    let (across, up) = raster.size();
    let mut before: Option<(usize, usize)> = None;
    for (number, (at, value)) in drawable(series).enumerate() {
        let is_end = number % 2 == 1;
        let here = (x.place(at, across), y.place(value, up));
        match (series.shape, before) {
            (Shape::Marks, _) => raster.mark(here, pen),
            (Shape::Bars, Some(before)) if is_end => raster.line(before, here, pen),
            (Shape::Dots | Shape::Bars, _) | (_, None) => raster.dot(here, pen),
            (Shape::Line, Some(before)) => raster.line(before, here, pen),
            (Shape::Steps, Some(before)) => {
                raster.line(before, (here.0, before.1), pen);
                raster.line((here.0, before.1), here, pen);
            }
        }
        before = Some(here);
    }
    if let (Shape::Steps, Some(last)) = (series.shape, before) {
        raster.line(last, (across.saturating_sub(1), last.1), pen);
    }
}

/// Writes the letter of a series on its line now and then, not where another one has its own.
fn marks(series: &Series, (number, of): (usize, usize), raster: &mut Raster, (x, y): (&Scale, &Scale)) {
    if series.shape == Shape::Marks {
        return;
    }
    let pen = Pen { letter: series.mark, tone: series.tone };
    let (across, up) = raster.size();
    let apart = BETWEEN_MARKS * ACROSS;
    let points: Vec<(usize, usize)> =
        drawable(series).map(|(at, value)| (x.place(at, across), y.place(value, up))).collect();
    // Each series begins somewhere else.
    let mut next = apart * number / of.max(1);
    for (n, here) in points.iter().enumerate() {
        // Steps hold their value, so the letter may be anywhere up to the next one.
        let until = match series.shape {
            Shape::Steps => points.get(n + 1).map_or(across.saturating_sub(1), |next| next.0),
            Shape::Line | Shape::Dots | Shape::Bars | Shape::Marks => here.0,
        };
        while next <= until {
            let at = (here.0.max(next), here.1);
            if raster.is_marked_near(at) {
                next = at.0 + ACROSS;
            } else {
                raster.mark(at, pen);
                next = at.0 + apart;
            }
        }
    }
}
