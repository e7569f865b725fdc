//! One trace over the whole width: states and programs outside the lifelines, the wire between them.

use super::clock::Clock;
use super::panel::Panel;
use super::row::{DIFFERS, Step};
use super::{list, text, words};
use crate::trace::Past;
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};
use crate::view::sheet::{Line, Sheet, Tone};

/// Cells of the time column.
const TIME: usize = 7;
/// Cells for a state such as `SYN-RECEIVED` and a blank.
const MARGIN: usize = 13;
/// Longer arrows are no clearer.
const WIDEST: usize = 110;

/// Draws the steps of a trace.
pub(super) fn draw(
    run: Past<'_>,
    title: &str,
    packets: &[Summary],
    steps: &[Step<'_>],
    look: &Look,
) -> Sheet {
    let width = look.width.min(WIDEST);
    let clock = clock(steps);
    let space = width.saturating_sub(TIME);
    let panel = [MARGIN, 0].into_iter().find_map(|margin| {
        // Without room for margins, states and reads go between the lifelines.
        if margin > 0 && width < 72 {
            return None;
        }
        Panel::new(run, packets, look, (space, margin), false)
    });
    let Some(panel) = panel else { return list::draw(run, title, packets, steps, look, clock) };

    let mut page = Page { sheet: Sheet::new(), look };
    if !title.is_empty() {
        for line in text::wrap(&look::escape(title), width) {
            page.line(|strip| {
                strip.put(0, &line, Tone::Strong);
            });
        }
    }
    for (i, head) in panel.head(width >= 72).iter().enumerate() {
        page.line(|strip| {
            if i == 0 {
                strip.put_before(TIME - 1, clock.unit(), Tone::Faint);
            }
            strip.paste(TIME, head);
        });
    }
    let mut page = Page { sheet: page.sheet.into_iter().map(Line::as_head).collect(), look };
    page.line(|strip| strip.paste(TIME, &panel.idle(false)));
    let mut shown = None;
    for step in steps {
        for (i, line) in panel.lines(step).iter().enumerate() {
            page.line(|strip| {
                match step {
                    Step::Row(row) if i == 0 && shown != Some(clock.tick(row.at)) => {
                        strip.put_before(TIME - 1, &clock.text(row.at), Tone::Faint);
                    }
                    Step::Gap(gap) if i == 0 => {
                        strip.put_before(TIME - 1, &clock.text(gap.from), Tone::Faint);
                    }
                    Step::Row(_) | Step::Gap(_) => {}
                }
                if i == 0 && step.differs() {
                    strip.put(TIME - 1, DIFFERS, Tone::Again);
                }
                strip.paste(TIME, line);
            });
        }
        shown = match step {
            Step::Row(row) => Some(clock.tick(row.at)),
            Step::Gap(_) => None,
        };
    }
    let legend = words::legend(arrows(steps), look.ascii, width - TIME);
    if !legend.is_empty() {
        page.line(|strip| strip.paste(TIME, &panel.idle(false)));
    }
    for line in legend {
        page.line(|strip| {
            strip.put(TIME, &line, Tone::Faint);
        });
    }
    page.sheet
}

/// The clock for the rows that are shown.
pub(super) fn clock(steps: &[Step<'_>]) -> Clock {
    let times = steps.iter().map(|step| match step {
        Step::Row(row) => row.at,
        Step::Gap(gap) => gap.from,
    });
    Clock::for_times(times, true)
}

/// The arrows that are shown.
pub(super) fn arrows<'a>(steps: &'a [Step<'a>]) -> impl Iterator<Item = &'a super::row::Arrow<'a>> {
    steps.iter().filter_map(|step| match step {
        Step::Row(row) => row.arrow.as_ref(),
        Step::Gap(_) => None,
    })
}

/// Lines written one after the other.
struct Page<'a> {
    sheet: Sheet,
    look: &'a Look,
}

impl Page<'_> {
    fn line(&mut self, write: impl FnOnce(&mut Line)) {
        let mut strip = Line::blank(self.look.width.clamp(1, WIDEST));
        write(&mut strip);
        self.sheet.push(text::finished(strip, self.look));
    }
}
