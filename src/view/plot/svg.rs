//! A plot as lines and letters of SVG: the same axes, series and letters as on a terminal, and curves that are curves.
//!
//! What a colour says, a letter on the line says too, and lines differ in their dashes. Points that would fall on the
//! same spot are drawn once, so a picture has a bound however long the run was.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::chart::{Plot, Series, Shape};
use super::scale::Scale;
use super::text::drawable;
use crate::view::look::escape;
use crate::view::sheet::{LongWord, Tone, wrap_words};
use crate::view::svg::terminal::Paint;
use crate::view::svg::{ADVANCE, Alt, Anchor, Canvas, LineStyle, letters_in, number, width_of};

/// Height of a line of text.
const ROW: f64 = 17.0;
/// Height of the area between the axes.
const HEIGHT: f64 = 240.0;
/// Between two letters on a line.
const BETWEEN_MARKS: f64 = 130.0;
/// Room for a tick of the horizontal axis and its label.
const TICK_ROOM: f64 = 72.0;
/// Of the sample of a line in the legend.
const SAMPLE: f64 = 26.0;
/// Half the side of a dot.
const DOT: f64 = 1.6;

/// The area between the axes, and what the points are on it.
struct Area<'a> {
    left: f64,
    right: f64,
    bottom: f64,
    x: &'a Scale,
    y: &'a Scale,
}

impl Plot {
    /// The plot, `width` wide, as a part of a page, which has the style sheet of
    /// [`svg::style`](crate::view::svg::style).
    pub fn to_svg(&self, alt: Alt<'_>, width: f64) -> String {
        let mut canvas = Canvas::default();
        let height = self.paint(&mut canvas, (0.0, 4.0), width);
        canvas.part_of_page((width, height + 8.0), alt)
    }

    /// A sample of each line with its letter and name; says where it ends.
    fn paint_legend(&self, canvas: &mut Canvas, (left, top): (f64, f64), width: f64) -> f64 {
        let (mut x, mut y) = (left, top + ROW);
        for (number, series) in self.series.iter().enumerate() {
            if drawable(series).next().is_none() {
                continue;
            }
            let text = format!("{} {}", series.mark, escape(&series.name));
            let sample = if series.shape == Shape::Marks { 0.0 } else { SAMPLE };
            let needed = sample + 6.0 + width_of(&text);
            if x > left && x + needed > left + width {
                (x, y) = (left, y + ROW);
            }
            let middle = y - 9.0;
            match series.shape {
                Shape::Line | Shape::Steps => {
                    canvas.line((x, middle), (x + SAMPLE - 4.0, middle), series.tone, style(number));
                }
                Shape::Bars => {
                    canvas.path(
                        &upright(x + 14.0, middle - 5.0, middle + 5.0),
                        series.tone,
                        LineStyle::Solid,
                    );
                }
                Shape::Dots => canvas.area(&dot(x + 14.0, middle), series.tone),
                Shape::Marks => {}
            }
            canvas.text((x + sample, y - 5.0), Anchor::Start, series.tone, &text);
            x += needed + 2.0 * ADVANCE;
        }
        y
    }

    fn paint_axes(&self, canvas: &mut Canvas, (left, top): (f64, f64), width: f64) -> f64 {
        let most = |of: fn(&(f64, f64)) -> f64| {
            self.series.iter().flat_map(drawable).map(|point| of(&point)).fold(0.0, f64::max)
        };
        let y = Scale::new(&self.y, most(|point| point.1), 5, true);
        let labels = y.ticks.iter().map(|(_, label)| width_of(label)).fold(0.0, f64::max);
        let (wall, right) = (left + labels + 8.0, left + width - 6.0);
        let x = Scale::new(&self.x, most(|point| point.0), ((right - wall) / TICK_ROOM) as usize, false);
        canvas.text(
            (left, top + ROW - 3.0),
            Anchor::Start,
            Tone::Faint,
            &format!("{} {}", self.y.name, y.unit),
        );
        let ceiling = top + ROW + 6.0;
        let floor = ceiling + HEIGHT;
        let area = Area { left: wall, right, bottom: floor, x: &x, y: &y };
        for (value, label) in &y.ticks {
            let at = area.place((0.0, *value)).1;
            canvas.text((wall - 6.0, at + 4.0), Anchor::End, Tone::Faint, label);
            if *value > 0.0 {
                canvas.line((wall, at), (right, at), Tone::Faint, LineStyle::Dotted);
            }
        }
        canvas.line((wall, ceiling), (wall, floor), Tone::Faint, LineStyle::Solid);
        canvas.line((wall, floor), (right, floor), Tone::Faint, LineStyle::Solid);
        let unit = format!("{} {}", self.x.name, x.unit);
        let room = right - width_of(&unit) - ADVANCE;
        for (value, label) in &x.ticks {
            let at = area.place((*value, 0.0)).0;
            canvas.line((at, floor), (at, floor + 4.0), Tone::Faint, LineStyle::Solid);
            if at + width_of(label) / 2.0 < room {
                canvas.text((at, floor + ROW), Anchor::Middle, Tone::Faint, label);
            }
        }
        canvas.text((right, floor + ROW), Anchor::End, Tone::Faint, &unit);
        for (number, series) in self.series.iter().enumerate() {
            area.draw(series, style(number), canvas);
        }
        let marked = self.series.iter().filter(|series| series.shape == Shape::Marks);
        let mut taken: Vec<_> = marked.flat_map(|series| area.points(series)).collect();
        for (number, series) in self.series.iter().enumerate() {
            let share = number as f64 / self.series.len().max(1) as f64;
            area.letters(series, share, &mut taken, canvas);
        }
        floor + ROW + 6.0
    }
}

impl Paint for Plot {
    fn paint(&self, canvas: &mut Canvas, (left, top): (f64, f64), width: f64) -> f64 {
        let mut y = top;
        let say = |canvas: &mut Canvas, y: &mut f64, text: &str, tone| {
            let columns = letters_in(width);
            for line in wrap_words(text, columns, columns, LongWord::Cut) {
                *y += ROW;
                canvas.text((left, *y - 5.0), Anchor::Start, tone, &line);
            }
        };
        if !self.title.is_empty() {
            say(canvas, &mut y, &self.title, Tone::Strong);
        }
        if self.series.iter().any(|series| drawable(series).next().is_some()) {
            y = self.paint_legend(canvas, (left, y), width);
            y = self.paint_axes(canvas, (left, y), width);
        }
        self.notes.iter().for_each(|note| say(canvas, &mut y, note, Tone::Faint));
        y - top
    }

    fn told(&self) -> String {
        let shown = self.series.iter().filter(|series| drawable(series).next().is_some());
        let names: Vec<&str> = shown.map(|series| series.name.as_str()).collect();
        let over = format!("{} over {}", self.y.name, self.x.name);
        let parts = [self.title.clone(), over, names.join(", ")].into_iter().chain(self.notes.clone());
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// How the line of a series is dashed: neighbours in the legend differ.
fn style(number: usize) -> LineStyle {
    [LineStyle::Solid, LineStyle::Dashed, LineStyle::Dotted][number % 3]
}

fn dot(x: f64, y: f64) -> String {
    let side = number(2.0 * DOT);
    format!("M{} {}h{side}v{side}h-{side}Z", number(x - DOT), number(y - DOT))
}

fn upright(x: f64, from: f64, to: f64) -> String {
    format!("M{} {}V{}", number(x), number(from), number(to))
}

impl Area<'_> {
    /// Where a point is.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |value: f64, scale: &Scale| (value / scale.end).clamp(0.0, 1.0);
        (self.left + share(x, self.x) * (self.right - self.left), self.bottom - share(y, self.y) * HEIGHT)
    }

    /// The points of a series; of those of a line that share half a pixel across, the first, the last, and the lowest and
    /// highest between them.
    fn points(&self, series: &Series) -> Vec<(f64, f64)> {
        let points: Vec<(f64, f64)> = drawable(series).map(|point| self.place(point)).collect();
        if !matches!(series.shape, Shape::Line | Shape::Steps) {
            return points;
        }
        let column = |point: &(f64, f64)| (point.0 * 2.0) as i64;
        let mut thin = Vec::new();
        for group in points.chunk_by(|a, b| column(a) == column(b)) {
            let by_height = |a: &&usize, b: &&usize| group[**a].1.total_cmp(&group[**b].1);
            let all: Vec<usize> = (0..group.len()).collect();
            let extremes = [all.iter().min_by(by_height), all.iter().max_by(by_height)];
            let mut kept: Vec<usize> = extremes.into_iter().flatten().copied().collect();
            kept.extend([0, group.len() - 1]);
            kept.sort_unstable();
            kept.dedup();
            thin.extend(kept.into_iter().map(|at| group[at]));
        }
        thin
    }

    fn draw(&self, series: &Series, style: LineStyle, canvas: &mut Canvas) {
        let points = self.points(series);
        let mut path = String::new();
        let mut drawn = BTreeSet::new();
        let mut is_new = |from: (f64, f64), to: f64| {
            drawn.insert([from.0, from.1, to].map(|coordinate| coordinate.round() as i64))
        };
        match series.shape {
            Shape::Line | Shape::Steps => {
                for (n, (x, y)) in points.iter().enumerate() {
                    let (x, y) = (number(*x), number(*y));
                    let _ = match (n, series.shape) {
                        (0, _) => write!(path, "M{x} {y}"),
                        (_, Shape::Steps) => write!(path, "H{x}V{y}"),
                        _ => write!(path, "L{x} {y}"),
                    };
                }
                if series.shape == Shape::Steps && !path.is_empty() {
                    // A value holds to the end of the axis.
                    let _ = write!(path, "H{}", number(self.right));
                }
                canvas.curve(&path, series.tone, style);
            }
            Shape::Dots => {
                for at in points.into_iter().filter(|at| is_new(*at, at.1)) {
                    path.push_str(&dot(at.0, at.1));
                }
                canvas.area(&path, series.tone);
            }
            Shape::Bars => {
                for pair in points.chunks_exact(2).filter(|pair| is_new(pair[0], pair[1].1)) {
                    // Shorter than a line is wide it would not be seen.
                    let ((x, from), to) = (pair[0], pair[1].1.min(pair[0].1 - 1.5));
                    path.push_str(&upright(x, from, to));
                }
                canvas.curve(&path, series.tone, LineStyle::Solid);
            }
            Shape::Marks => {
                for at in points.into_iter().filter(|at| is_new(*at, at.1)) {
                    canvas.text((at.0, at.1 + 4.0), Anchor::Middle, series.tone, &series.mark.to_string());
                }
            }
        }
    }

    /// Writes the letter of a series beside its line now and then, where no other one has its own.
    fn letters(&self, series: &Series, share: f64, taken: &mut Vec<(f64, f64)>, canvas: &mut Canvas) {
        if series.shape == Shape::Marks {
            return;
        }
        let points = self.points(series);
        let mut next = self.left + BETWEEN_MARKS * share;
        for (n, here) in points.iter().enumerate() {
            let until = match series.shape {
                Shape::Steps => points.get(n + 1).map_or(self.right - ADVANCE, |next| next.0),
                Shape::Line | Shape::Dots | Shape::Bars | Shape::Marks => here.0,
            };
            while next <= until {
                let at = (here.0.max(next), here.1);
                let is_free = taken.iter().all(|(x, y)| (x - at.0).abs() > 10.0 || (y - at.1).abs() > 12.0);
                if is_free {
                    taken.push(at);
                    let beside = (at.0 + 4.0, (at.1 - 4.0).max(self.bottom - HEIGHT + 8.0));
                    canvas.text(beside, Anchor::Start, series.tone, &series.mark.to_string());
                }
                next = at.0 + if is_free { BETWEEN_MARKS } else { 12.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::plot::{Axis, Unit};

    const ALT: Alt<'static> = Alt { id: "plot", title: "a plot", text: "" };

    fn plot(shape: Shape, points: &[(f64, f64)]) -> Plot {
        let series = Series::new('s', "a & b", Tone::Good, shape).points(points.iter().copied());
        Plot::new("title", Axis::new("time", Unit::Seconds), Axis::new("bytes", Unit::Bytes)).with(series)
    }

    #[test]
    fn a_curve_is_one_path_and_a_value_holds_to_the_end_of_the_axis() {
        let points = [(0.0, 0.0), (5.0, 50.0), (10.0, 100.0)];
        let line = plot(Shape::Line, &points).to_svg(ALT, 400.0);
        assert_eq!(line.matches(" stroke-width=\"1.8\" d=\"M").count(), 1, "{line}");
        let steps = plot(Shape::Steps, &[(0.0, 100.0), (5.0, 50.0), (10.0, 50.0)]).to_svg(ALT, 400.0);
        assert!(steps.contains("H394\""), "{steps}");
        for said in ["s a &amp; b", ">time s<", ">bytes B<", ">title<", ">100<"] {
            assert!(line.contains(said), "{said} in {line}");
        }
    }

    #[test]
    fn however_many_points_there_are_the_picture_has_a_bound() {
        for shape in [Shape::Line, Shape::Steps, Shape::Dots, Shape::Bars, Shape::Marks] {
            let many: Vec<(f64, f64)> =
                (0..200_000u32).map(|n| (f64::from(n) / 1e4, f64::from(n % 7))).collect();
            let svg = plot(shape, &many).to_svg(ALT, 400.0);
            assert!(svg.len() < 400_000, "{shape:?}: {}", svg.len());
        }
    }

    #[test]
    fn what_has_no_points_has_its_notes() {
        let svg = plot(Shape::Line, &[]).noting("Nothing to plot.").to_svg(ALT, 400.0);
        assert!(svg.contains("Nothing to plot.") && !svg.contains("stroke-width"), "{svg}");
    }
}
