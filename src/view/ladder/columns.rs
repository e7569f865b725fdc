//! Several traces side by side, with one time running down the page.

use super::clock::Clock;
use super::panel::Panel;
use super::row::{DIFFERS, Deed, Remark, Row, Step};
use super::{page, text, words};
use crate::trace::Past;
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};
use crate::view::sheet::{Line, Sheet, Tone};

/// Cells of the time column.
const TIME: usize = 6;
/// Blank cells between two columns.
const BETWEEN: usize = 2;
/// The narrowest screen on which columns are tried.
const NARROWEST: usize = 60;
/// The widest column, in characters.
const WIDEST: usize = 44;

/// One trace to draw.
#[derive(Debug)]
pub(super) struct Column<'a> {
    /// The title above it.
    pub(super) title: &'a str,
    /// The run that it draws.
    pub(super) run: Past<'a>,
    /// The frames of the run, dissected.
    pub(super) packets: &'a [Summary],
    /// What to draw of it.
    pub(super) steps: Vec<Step<'a>>,
}

/// Leaves only what has room in a narrow column: arrows, what programs read, and sentences.
pub(super) fn condense(mut rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    for row in &mut rows {
        let has_room = |remark: &Remark<'_>| match remark.deed {
            Deed::Read(_)
            | Deed::MessageReceived(_)
            | Deed::Refused(_)
            | Deed::TurnedAway(..)
            | Deed::Note(_) => true,
            Deed::State(_) | Deed::Wrote(_) | Deed::MessageSent(_) => false,
        };
        row.before = row.remarks[..row.before].iter().filter(|remark| has_room(remark)).count();
        row.remarks.retain(has_room);
    }
    rows.retain(|row| row.arrow.is_some() || !row.remarks.is_empty());
    rows
}

/// Draws the columns; `None` when the width is not enough for them.
pub(super) fn draw(columns: &[Column<'_>], look: &Look) -> Option<Sheet> {
    let count = columns.len();
    if count == 0 || look.width < NARROWEST {
        return None;
    }
    let each = (look.width.checked_sub(TIME + BETWEEN * (count - 1))? / count).min(WIDEST);
    let panels: Vec<Panel<'_>> = columns
        .iter()
        .map(|column| Panel::new(column.run, column.packets, look, (each, 0), true))
        .collect::<Option<_>>()?;
    let times = columns.iter().flat_map(|column| column.steps.iter().map(time));
    let clock = Clock::for_times(times, false);

    let mut page = Page { sheet: Sheet::new(), look };
    page.line(
        "",
        columns.iter().zip(&panels).map(|(column, panel)| {
            let mut strip = Line::blank(panel.width());
            let title = text::cut(&look::escape(column.title), panel.width());
            strip.put_around(panel.width() / 2, &title, Tone::Strong);
            (strip, false)
        }),
    );
    page.line(clock.unit(), panels.iter().flat_map(|panel| panel.head(false)).map(|strip| (strip, false)));
    let mut page = Page { sheet: page.sheet.into_iter().map(Line::as_head).collect(), look };
    let mut cursors: Vec<Cursor<'_>> = columns.iter().zip(&panels).map(|(c, p)| Cursor::new(c, p)).collect();
    while let Some(tick) = cursors.iter().filter_map(|cursor| cursor.next_tick(clock)).min() {
        let cells: Vec<Vec<(Line, bool)>> =
            cursors.iter_mut().map(|cursor| cursor.take(tick, clock)).collect();
        let label = clock.text_of_tick(tick);
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let strips = cells.iter().zip(&cursors).map(|(cell, cursor)| match cell.get(line) {
                Some(strip) => strip.clone(),
                None => (cursor.idle(), false),
            });
            page.line(if line == 0 { &label } else { "" }, strips);
        }
    }
    let arrows = columns.iter().flat_map(|column| page::arrows(&column.steps));
    for line in words::legend(arrows, look.ascii, look.width - TIME) {
        let mut strip = Line::blank(look.width);
        strip.put(TIME, &line, Tone::Faint);
        page.sheet.push(text::finished(strip, look));
    }
    Some(page.sheet)
}

fn time(step: &Step<'_>) -> crate::base::Instant {
    match step {
        Step::Row(row) => row.at,
        Step::Gap(gap) => gap.from,
    }
}

/// How far down a column the picture has come.
struct Cursor<'a> {
    steps: std::slice::Iter<'a, Step<'a>>,
    panel: &'a Panel<'a>,
    in_gap: bool,
    /// A clock never runs backwards down the page.
    reached: u64,
}

impl<'a> Cursor<'a> {
    fn new(column: &'a Column<'a>, panel: &'a Panel<'a>) -> Self {
        Cursor { steps: column.steps.iter(), panel, in_gap: false, reached: 0 }
    }

    fn next_tick(&self, clock: Clock) -> Option<u64> {
        self.steps.as_slice().first().map(|step| clock.tick(time(step)).max(self.reached))
    }

    /// The lines of all steps at this tick, and which begin a step that differs from the run beside it.
    fn take(&mut self, tick: u64, clock: Clock) -> Vec<(Line, bool)> {
        let mut lines = Vec::new();
        while self.next_tick(clock) == Some(tick) {
            if let Some(step) = self.steps.next() {
                let drawn = self.panel.lines(step).into_iter().enumerate();
                lines.extend(drawn.map(|(number, line)| (line, number == 0 && step.differs())));
                self.in_gap = matches!(step, Step::Gap(_));
            }
        }
        self.reached = tick;
        lines
    }

    /// A line on which nothing happens: lifelines, as long as something is to come.
    fn idle(&self) -> Line {
        match self.steps.as_slice() {
            [] => Line::blank(self.panel.width()),
            _ => self.panel.idle(self.in_gap),
        }
    }
}

/// Lines made of a time and a strip of each column.
struct Page<'a> {
    sheet: Sheet,
    look: &'a Look,
}

impl Page<'_> {
    fn line(&mut self, time: &str, strips: impl Iterator<Item = (Line, bool)>) {
        let mut whole = Line::blank(self.look.width);
        whole.put_before(TIME - 1, time, Tone::Faint);
        let mut at = TIME;
        for (strip, differs) in strips {
            whole.paste(at, &strip);
            if differs {
                whole.put(at - 1, DIFFERS, Tone::Again);
            }
            at += strip.width() + BETWEEN;
        }
        self.sheet.push(text::finished(whole, self.look));
    }
}
