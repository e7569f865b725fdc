//! The bytes of a frame, each with the layer it belongs to.
//!
//! Under every byte is a letter: the layer whose header it is in, `D` for data, `.` for padding. Colour repeats it. The
//! first byte of each problem is marked with `^^`, with the message right below.

use std::collections::BTreeMap;
use std::ops::Range;

use super::dissect::{Dissection, Part, Role};
use super::look::{Look, escape};
use super::sheet::{Line, Sheet, Subject, Tone, width, wrap};

/// Columns before the bytes.
const LEAD: usize = 6;

/// Draws an annotated hexdump of `bytes`, which `dissection` was made from. 16 bytes in a line, or 8 when the look is
/// narrower than 72 columns.
pub fn hexdump(bytes: &[u8], dissection: &Dissection, look: &Look) -> Sheet {
    let per_line = if look.columns() < 72 { 8 } else { 16 };
    let owners = owners(bytes.len(), dissection);
    let mut sheet = Sheet::new();
    for (number, chunk) in bytes.chunks(per_line).enumerate() {
        let start = number * per_line;
        let range = start..start + chunk.len();
        let owners = &owners[range.clone()];
        let mut line = Line::of(format!("{start:04x}"), Tone::Faint);
        line.pad(LEAD);
        cells(&mut line, per_line, owners, |i| format!("{:02x}", chunk[i]));
        line.pad(LEAD + per_line * 3 + 2);
        for (byte, owner) in chunk.iter().zip(owners) {
            let shown = if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
            let cell = line.push(shown.to_string(), owner.tone());
            owner.mark(&mut line, cell);
        }
        sheet.push(line.trimmed());
        let mut line = Line::blank(LEAD);
        cells(&mut line, per_line, owners, |i| owners[i].part.map_or('?', Part::letter).to_string());
        sheet.push(line.trimmed());
        problems(&mut sheet, range, per_line, dissection, look);
    }
    // A problem may point after the last byte: there, something is missing.
    problems(&mut sheet, bytes.len()..usize::MAX, per_line, dissection, look);
    legend(&mut sheet, dissection, look);
    sheet
}

/// What a byte belongs to.
#[derive(Clone, Copy, Default)]
struct Owner<'a> {
    part: Option<&'a Part>,
    subject: Option<Subject>,
}

impl Owner<'_> {
    fn tone(self) -> Tone {
        self.part.map_or(Tone::Plain, tone)
    }

    fn mark(self, line: &mut Line, cells: Range<usize>) {
        if let Some(subject) = self.subject {
            line.about(cells, subject);
        }
    }
}

/// Which part each byte belongs to, and which field: the first one of several that share it.
fn owners(len: usize, dissection: &Dissection) -> Vec<Owner<'_>> {
    let mut owners = vec![Owner::default(); len];
    for (number, part) in dissection.parts.iter().enumerate() {
        for owner in owners.iter_mut().take(part.range.end).skip(part.range.start) {
            *owner = Owner { part: Some(part), subject: Some(Subject::Part(number)) };
        }
        for (field, value) in part.fields.iter().enumerate().rev() {
            let range = value.bytes();
            for owner in owners.iter_mut().take(range.end).skip(range.start) {
                owner.subject = Some(Subject::Field { part: number, field });
            }
        }
    }
    owners
}

/// One cell of three columns for each byte, with a gap in the middle.
fn cells(line: &mut Line, per_line: usize, owners: &[Owner<'_>], cell: impl Fn(usize) -> String) {
    for (i, owner) in owners.iter().enumerate() {
        if i == per_line / 2 {
            line.push(" ", Tone::Plain);
        }
        let end = line.width() + 3;
        let drawn = line.push(cell(i), owner.tone());
        owner.mark(line, drawn);
        line.pad(end);
    }
}

fn tone(part: &Part) -> Tone {
    match part.role {
        Role::Header => Tone::Of(part.layer),
        Role::Padding => Tone::Faint,
        Role::Data => Tone::Plain,
    }
}

/// The problems whose first byte is in `range`: a mark under the byte, and the message.
fn problems(sheet: &mut Sheet, range: Range<usize>, per_line: usize, dissection: &Dissection, look: &Look) {
    for problem in dissection.problems.iter().filter(|problem| range.contains(&problem.offset)) {
        let column = (problem.offset - range.start) % per_line;
        let indent = LEAD + column * 3 + usize::from(column >= per_line / 2);
        sheet.push(Line::blank(indent).with("^^", Tone::Bad));
        for line in wrap(&escape(problem.to_string()), look.columns() - LEAD) {
            sheet.push(Line::blank(LEAD).with(line, Tone::Bad));
        }
    }
}

/// What the letters mean, with the protocols that are there.
fn legend(sheet: &mut Sheet, dissection: &Dissection, look: &Look) {
    let mut names: BTreeMap<(u8, char), (Tone, Vec<&str>)> = BTreeMap::new();
    for part in &dissection.parts {
        let key = (part.layer as u8 + 8 * part.role as u8, part.letter());
        // Data has one entry, whichever layer would read it.
        let key = if part.role == Role::Header { key } else { (8 * part.role as u8, part.letter()) };
        let (_, protocols) = names.entry(key).or_insert_with(|| (tone(part), Vec::new()));
        if !protocols.contains(&part.protocol) {
            protocols.push(part.protocol);
        }
    }
    let mut line = Line::new();
    for ((_, letter), (tone, protocols)) in names {
        let entry = format!("{letter} {}", protocols.join(", "));
        if line.width() > 0 && line.width() + 3 + width(&entry) > look.columns() {
            sheet.push(std::mem::take(&mut line));
        }
        if line.width() > 0 {
            line.push("   ", Tone::Plain);
        }
        line.push(entry, tone);
    }
    if dissection.parts.is_empty() {
        line.push("no bytes", Tone::Plain);
    }
    sheet.push(line);
}
