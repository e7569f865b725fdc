//! The ladder with drawn lines: the same rows, words and marks as on a terminal. An arrow slants, for a frame takes its
//! time; how steep it is means nothing, since rows are as far apart as their words need.

use super::clock::Clock;
use super::row::{Arrow, Deed, Gap, Leg, Remark, Row, Step};
use super::stroke::{End, Stroke};
use super::{list, page, text, words};
use crate::trace::{Past, PlaceId};
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};
use crate::view::sheet::Tone;
use crate::view::svg::{Alt, Anchor, Canvas, LineStyle, letters_in, width_of};

/// Width of the time column.
const TIME: f64 = 52.0;
/// Width of the margins for states and reads.
const MARGIN: f64 = 106.0;
/// Letters in a margin.
const MARGIN_LETTERS: usize = 13;
/// How far an arrow falls on its way.
const FALL: f64 = 14.0;
/// Height of a row with an arrow.
const ARROW_ROW: f64 = 36.0;
/// Height of a line of words.
const LINE: f64 = 17.0;

/// Draws the steps of a trace.
pub(super) fn draw(run: Past<'_>, packets: &[Summary], steps: &[Step<'_>], alt: Alt<'_>) -> String {
    let clock = page::clock(steps);
    let mut page = Page::new(run, packets);
    page.head(clock);
    let mut shown = None;
    for step in steps {
        match step {
            Step::Row(row) => {
                page.row(row, (shown != Some(clock.tick(row.at))).then(|| clock.text(row.at)));
                shown = Some(clock.tick(row.at));
            }
            Step::Gap(gap) => {
                page.gap(gap, &clock.text(gap.from));
                shown = None;
            }
        }
    }
    page.foot(steps);
    let told = told(run, packets, steps, clock);
    let text = format!("{} {told}", alt.text).trim().to_string();
    let size = (page.width(), page.top + 4.0);
    page.canvas.part_of_page(size, Alt { text: &text, ..alt })
}

/// All rows as sentences.
fn told(run: Past<'_>, packets: &[Summary], steps: &[Step<'_>], clock: Clock) -> String {
    let look = Look { width: 400, ..Look::default() };
    let lines = list::draw(run, "", packets, steps, &look, clock);
    let lines: Vec<String> = lines
        .lines()
        .iter()
        .map(|line| line.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    lines.join("; ")
}

struct Page<'a> {
    canvas: Canvas,
    run: Past<'a>,
    packets: &'a [Summary],
    /// Hosts and their lifelines, from left to right.
    lifelines: Vec<(PlaceId, f64)>,
    /// How far down the picture has come.
    top: f64,
}

impl<'a> Page<'a> {
    fn new(run: Past<'a>, packets: &'a [Summary]) -> Self {
        let places = super::panel::present(run);
        // More hosts have less room each, so that the page stays one.
        let apart = match places.len() {
            0..=2 => 420.0,
            3 => 290.0,
            _ => 230.0,
        };
        let lifelines = places
            .into_iter()
            .enumerate()
            .map(|(i, place)| (place, TIME + MARGIN + i as f64 * apart))
            .collect();
        Page { canvas: Canvas::default(), run, packets, lifelines, top: 0.0 }
    }

    fn first(&self) -> f64 {
        self.lifelines.first().map_or(TIME + MARGIN, |(_, x)| *x)
    }

    fn last(&self) -> f64 {
        self.lifelines.last().map_or(TIME + MARGIN, |(_, x)| *x)
    }

    fn width(&self) -> f64 {
        self.last() + MARGIN
    }

    fn at(&self, place: PlaceId) -> Option<f64> {
        self.lifelines.iter().find(|(known, _)| *known == place).map(|(_, x)| *x)
    }

    fn head(&mut self, clock: Clock) {
        self.canvas.text((TIME - 14.0, 16.0), Anchor::End, Tone::Faint, clock.unit());
        for (place, x) in self.lifelines.clone() {
            let name = look::escape(self.run.name(place));
            self.canvas.text((x, 16.0), Anchor::Middle, Tone::Strong, &text::cut(&name, 24));
            if let Some(place) = self.run.places.get(usize::from(place.0)) {
                self.canvas.text((x, 32.0), Anchor::Middle, Tone::Faint, &text::addresses(place));
            }
        }
        self.top = 38.0;
        self.lifelines_down(12.0, LineStyle::Solid);
    }

    /// Goes down by `height`, and the lifelines with it.
    fn lifelines_down(&mut self, height: f64, line: LineStyle) {
        for (_, x) in self.lifelines.clone() {
            self.canvas.line((x, self.top), (x, self.top + height), Tone::Faint, line);
        }
        self.top += height;
    }

    fn row(&mut self, row: &Row<'_>, time: Option<String>) {
        let start = self.top;
        if let Some(time) = time {
            self.canvas.text((TIME - 14.0, start + 11.0), Anchor::End, Tone::Faint, &time);
        }
        // Words between the lifelines go below the arrow.
        let mut below = start + if row.arrow.is_some() { ARROW_ROW } else { 0.0 };
        if let Some(arrow) = &row.arrow {
            below = self.arrow(arrow, start + 14.0, below);
        }
        let mut beside = false;
        for remark in &row.remarks {
            match self.beside(remark, start + 11.0) {
                true => beside = true,
                false => below = self.between(remark, below),
            }
        }
        let end = if beside { below.max(start + LINE + 3.0) } else { below };
        self.lifelines_down(end - start, LineStyle::Solid);
    }

    /// Draws an arrow that starts at `y`. Words without room on it go into lines from `below` on; returns where they
    /// end.
    fn arrow(&mut self, arrow: &Arrow<'_>, y: f64, below: f64) -> f64 {
        let (Some(from), Some(to)) = (self.at(arrow.from), self.at(arrow.to)) else { return below };
        let stroke = words::stroke(arrow, self.packets, &Look::default(), false);
        let paint = stroke.tone;
        let way = to - from;
        let on_way = |share: f64| (from + way * share, y + FALL * share);
        let end = match stroke.end {
            End::Head => 1.0,
            End::Lost => 0.62,
            End::Open => 0.75,
        };
        let line = match (stroke.end, stroke.line) {
            (End::Open, _) | (_, '┄') => LineStyle::Dashed,
            _ => LineStyle::Solid,
        };
        self.canvas.line(on_way(0.0), on_way(end), paint, line);
        if stroke.end == End::Head {
            self.canvas.head(on_way(0.0), on_way(1.0), paint);
        }
        if stroke.end == End::Lost {
            let (x, y) = on_way(end);
            let cross = format!("M{:.1} {:.1}l10 10m0 -10l-10 10", x - 5.0, y - 5.0);
            self.canvas.path(&cross, Tone::Bad, LineStyle::Solid);
        }
        let room = letters_in(way.abs() - 26.0);
        let rest = self.words(&stroke, on_way(0.5), room);
        let mut below = below;
        if let Some(mark) = &stroke.mark {
            let note = match stroke.end {
                // The cross is drawn; the rule is named after it.
                End::Lost => mark.note.clone(),
                End::Head | End::Open => format!("{} {}", mark.glyph, mark.note),
            };
            let (x, y) = on_way(end.min(0.9));
            let behind = if way > 0.0 { 10.0 } else { -10.0 };
            let fits = width_of(&note) + 14.0 < way.abs() * (1.0 - end);
            match (stroke.end == End::Lost && fits, way > 0.0) {
                (true, true) => self.canvas.text((x + behind, y + 4.0), Anchor::Start, Tone::Bad, &note),
                (true, false) => self.canvas.text((x + behind, y + 4.0), Anchor::End, Tone::Bad, &note),
                _ => below = self.below_arrow(&note, Tone::Bad, from.min(to), way.abs(), below),
            }
        }
        if let Some(rest) = rest {
            below = self.below_arrow(&rest, paint, from.min(to), way.abs(), below);
        }
        below
    }

    /// Writes the label above the middle of an arrow; returns the aside when it does not fit.
    fn words(&mut self, stroke: &Stroke, (x, y): (f64, f64), room: usize) -> Option<String> {
        let aside = if stroke.aside.is_empty() { 0 } else { text::width(&stroke.aside) + 1 };
        let (label, rest) = match room.checked_sub(aside) {
            Some(free) if aside > 0 && stroke.label.width(2) <= free => {
                (format!("{} {}", stroke.label.fit(free), stroke.aside), None)
            }
            _ => (stroke.label.fit(room), Some(stroke.aside.clone()).filter(|aside| !aside.is_empty())),
        };
        // Half the label's width away from the middle, the line is a little higher.
        let lift = FALL * width_of(&label) / 2.0 / (room.max(1) as f64 * 7.25 + 26.0);
        self.canvas.text((x, y - 4.0 - lift), Anchor::Middle, stroke.tone, &label);
        rest
    }

    fn below_arrow(&mut self, words: &str, paint: Tone, left: f64, width: f64, below: f64) -> f64 {
        let mut below = below;
        for line in text::wrap(words, letters_in(width - 20.0)) {
            self.canvas.text((left + width / 2.0, below + 8.0), Anchor::Middle, paint, &line);
            below += LINE;
        }
        below
    }

    /// Writes a short remark into the margin; false if there is none for it.
    fn beside(&mut self, remark: &Remark<'_>, y: f64) -> bool {
        let (words, tone) = words::deed(remark.deed, MARGIN_LETTERS);
        if !remark.deed.is_short() || text::width(&words) > MARGIN_LETTERS {
            return false;
        }
        let paint = tone;
        match self.at(remark.place) {
            Some(x) if x == self.first() => self.canvas.text((x - 8.0, y), Anchor::End, paint, &words),
            Some(x) if x == self.last() => self.canvas.text((x + 8.0, y), Anchor::Start, paint, &words),
            _ => return false,
        }
        true
    }

    /// Writes a remark between the lifelines, next to its host's; returns where its last line ends.
    fn between(&mut self, remark: &Remark<'_>, top: f64) -> f64 {
        let Some(x) = self.at(remark.place) else { return top };
        let apart = self.lifelines.get(1).map_or(200.0, |(_, next)| next - self.first());
        let to_left = x == self.last() && self.lifelines.len() > 1;
        let room = letters_in(apart - 30.0);
        let (words, tone) = words::deed(remark.deed, room);
        let mut y = top;
        for line in text::wrap(&words, room) {
            match to_left {
                true => self.canvas.text((x - 8.0, y + 11.0), Anchor::End, tone, &line),
                false => self.canvas.text((x + 8.0, y + 11.0), Anchor::Start, tone, &line),
            }
            y += LINE;
        }
        if matches!(remark.deed, Deed::Note(_)) { y + 3.0 } else { y }
    }

    fn gap(&mut self, gap: &Gap, time: &str) {
        self.canvas.text((TIME - 14.0, self.top + 18.0), Anchor::End, Tone::Faint, time);
        let (first, last) = (self.first(), self.last());
        let lines = words::gap(gap, letters_in(last - first - 20.0));
        let height = LINE * lines.len() as f64;
        for (i, line) in lines.iter().enumerate() {
            let y = self.top + 18.0 + i as f64 * LINE;
            self.canvas.text(((first + last) / 2.0, y), Anchor::Middle, Tone::Faint, line);
        }
        self.lifelines_down(height + 12.0, LineStyle::Dotted);
    }

    /// The end of the lifelines, and what the marks mean.
    fn foot(&mut self, steps: &[Step<'_>]) {
        self.lifelines_down(12.0, LineStyle::Solid);
        let room = letters_in(self.width() - TIME);
        for line in words::legend(page::arrows(steps), false, room) {
            self.top += LINE;
            let place = (TIME, self.top);
            self.canvas.text(place, Anchor::Start, Tone::Faint, &line);
        }
        let late = |arrow: &Arrow<'_>| arrow.leg == Leg::Arrival;
        if page::arrows(steps).any(late) {
            self.top += LINE;
            let words = "dashed: a frame that was overtaken, when it left and when it came";
            self.canvas.text((TIME, self.top), Anchor::Start, Tone::Faint, words);
        }
    }
}
