//! From many rows to few: calm stretches are left out, and counted.
//!
//! Rows are chosen in order of what they tell, as long as the budget lasts:
//!
//! 1. both ends of the run;
//! 2. what programs say of themselves (`emits say("three")`): the run is there for it. At most half the room;
//! 3. every opening, closing and change of state or protocol;
//! 4. every incident: lost, sent again, corrupted, doubled, held back, refused. When they are too many, the first ones,
//!    each with its neighbours: a few that can be understood say more than many that cannot;
//! 5. the rest of the story: messages, ARP replies;
//! 6. the neighbours of all these, so that each is seen where it happened;
//! 7. calm rows from the start on, up to half the budget;
//! 8. the rows of the smallest gaps, for which some room was kept back: a gap in place of a row or two saves nothing.
//!
//! The rows left out between two chosen ones become one [`Gap`] that counts them: nothing is left out silently.

use super::caption::{self, Unit, Weight};
use super::row::{Cargo, Deed, Gap, Leg, Row, Step};
use crate::view::dissect::Summary;

/// The fewest rows that still tell anything.
const LEAST: usize = 8;

/// The rows, or the most telling of them in at most `most` steps.
pub(super) fn elide<'a>(rows: Vec<Row<'a>>, packets: &[Summary], most: usize) -> Vec<Step<'a>> {
    let most = most.max(LEAST);
    if rows.len() <= most {
        return rows.into_iter().map(Step::Row).collect();
    }
    let kept = choose(&rows, packets, most);
    let mut steps: Vec<Step<'a>> = Vec::with_capacity(most);
    for (row, kept) in rows.into_iter().zip(kept) {
        if kept {
            steps.push(Step::Row(row));
            continue;
        }
        if !matches!(steps.last(), Some(Step::Gap(_))) {
            steps.push(Step::Gap(Gap { from: row.at, ..Gap::default() }));
        }
        if let Some(Step::Gap(gap)) = steps.last_mut() {
            gap.count(&row, packets);
        }
    }
    steps
}

/// How important a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    Word,
    Milestone,
    Incident,
    Story,
    Calm,
}

fn worth(row: &Row<'_>, packets: &[Summary]) -> Worth {
    let weight = match row.arrow.as_ref().map(|arrow| arrow.cargo) {
        Some(Cargo::Frame(index)) => packets.get(index).map_or(Weight::Calm, caption::weight),
        Some(Cargo::Write(..)) | None => Weight::Calm,
    };
    let says = |wanted: fn(&Deed<'_>) -> bool| row.remarks.iter().any(|remark| wanted(&remark.deed));
    if says(|deed| matches!(deed, Deed::Note(_))) {
        Worth::Word
    } else if weight == Weight::Milestone || says(|deed| matches!(deed, Deed::State(_))) {
        Worth::Milestone
    } else if row.arrow.as_ref().is_some_and(|arrow| arrow.marks.any())
        || says(|deed| matches!(deed, Deed::Refused(_) | Deed::TurnedAway(..)))
        || row.remarks.iter().any(|remark| remark.differs)
    {
        Worth::Incident
    } else if weight == Weight::Story {
        Worth::Story
    } else {
        Worth::Calm
    }
}

/// Which rows to keep. Linear in the number of rows: each pass looks at each row once.
fn choose(rows: &[Row<'_>], packets: &[Summary], most: usize) -> Vec<bool> {
    let worths: &[Worth] = &rows.iter().map(|row| worth(row, packets)).collect::<Vec<_>>();
    let end = rows.len();
    let mut chosen = Chosen { kept: vec![false; end], steps: 1 };
    let whole = most;
    let most = most - most / 8;
    // Of the end its last rows, for a run is remembered by how it ended.
    [0, 1, end - 2, end - 1].into_iter().for_each(|row| chosen.add(row, most));
    let of = |wanted: Worth| (0..end).filter(move |row| worths[*row] == wanted);
    of(Worth::Word).for_each(|row| chosen.add(row, most / 2));
    // A run that opens and closes a hundred times must not use up the room of its incidents.
    of(Worth::Milestone).for_each(|row| chosen.add(row, most * 3 / 4));
    let before = (chosen.kept.clone(), chosen.steps);
    of(Worth::Incident).for_each(|row| chosen.add(row, most));
    if of(Worth::Incident).any(|row| !chosen.kept[row]) {
        (chosen.kept, chosen.steps) = before;
        of(Worth::Incident).for_each(|row| {
            [row, row.saturating_sub(1), (row + 1).min(end - 1)]
                .into_iter()
                .for_each(|row| chosen.add(row, most));
        });
    }
    [Worth::Word, Worth::Story].into_iter().flat_map(of).for_each(|row| chosen.add(row, most));
    for reach in [1, 2] {
        let telling = chosen.kept.clone();
        for row in (0..end).filter(|row| telling[*row] && worths[*row] != Worth::Calm) {
            chosen.add(row.saturating_sub(reach), most);
            chosen.add((row + reach).min(end - 1), most);
        }
    }
    (0..end).for_each(|row| chosen.add(row, most / 2));
    chosen.close_small_gaps(whole);
    chosen.kept
}

/// The rows chosen so far, and the steps that they and the gaps between them take.
struct Chosen {
    kept: Vec<bool>,
    steps: usize,
}

impl Chosen {
    /// Keeps a row if there are no more than `most` steps then.
    fn add(&mut self, row: usize, most: usize) {
        if self.kept[row] {
            return;
        }
        let gap_before = row > 0 && !self.kept[row - 1];
        let gap_after = self.kept.get(row + 1).is_some_and(|kept| !kept);
        // The row takes the place of the gap it lies in, which may live on at either side of it.
        let steps = self.steps + usize::from(gap_before) + usize::from(gap_after);
        if steps <= most {
            self.kept[row] = true;
            self.steps = steps;
        }
    }

    /// A gap of one row takes no less room than the row; one of a few rows takes little less. The smallest go first.
    fn close_small_gaps(&mut self, most: usize) {
        for size in 1..=3 {
            let mut row = 0;
            while row < self.kept.len() {
                let len = self.kept[row..].iter().take_while(|kept| !**kept).count();
                if len == size && self.steps + len - 1 <= most {
                    self.kept[row..row + len].fill(true);
                    self.steps += len - 1;
                }
                row += len.max(1);
            }
        }
    }
}

impl Gap {
    fn count(&mut self, row: &Row<'_>, packets: &[Summary]) {
        self.until = row.at;
        for remark in &row.remarks {
            match remark.deed {
                Deed::Read(_) => self.reads += 1,
                Deed::TurnedAway(frames, _) => self.lost += frames,
                _ => self.others += 1,
            }
        }
        let Some(arrow) = row.arrow.as_ref().filter(|arrow| arrow.leg != Leg::Arrival) else { return };
        self.frames += 1;
        match arrow.cargo {
            Cargo::Frame(index) => {
                if let Some(packet) = packets.get(index) {
                    let (unit, bytes) = caption::measure(packet);
                    self.bytes += bytes;
                    self.segments += u64::from(unit == Unit::Segment);
                    self.datagrams += u64::from(unit == Unit::Datagram);
                }
            }
            Cargo::Write(bytes, _) => {
                self.writes += 1;
                self.bytes += bytes.len() as u64;
            }
        }
        self.lost += u64::from(arrow.marks.lost.is_some());
        self.again += u64::from(arrow.marks.again.is_some());
        self.corrupted += u64::from(arrow.marks.corrupted.is_some());
        self.doubled += u64::from(arrow.marks.doubled.is_some());
        self.held += u64::from(arrow.marks.held.is_some());
        self.refused += u64::from(arrow.marks.refused);
        self.open += u64::from(arrow.marks.open);
        self.untold += u64::from(arrow.marks.untold);
    }
}
