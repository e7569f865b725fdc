//! The bytes of a frame, each with the layer it belongs to.
//!
//! Under every byte stands a letter: which layer's header it is in, `D` for data, `.` for padding. Colour says the
//! same again. The first byte of each problem is marked with `^`, and the problem is told right below.

use std::collections::BTreeMap;

use anstyle::Style;

use super::dissect::{Dissection, Part, Role};
use super::look::{Look, escape, fit, layer_style};

/// Draws an annotated hexdump of `bytes`, which `dissection` was made from. 16 bytes in a line, or 8 when the look is
/// narrower than 72 columns.
pub fn hexdump(bytes: &[u8], dissection: &Dissection, look: &Look) -> String {
    let per_line = if look.columns() < 72 { 8 } else { 16 };
    let owners = owners(bytes.len(), dissection);
    let mut text = String::new();
    for (line, chunk) in bytes.chunks(per_line).enumerate() {
        let start = line * per_line;
        let owners = &owners[start..start + chunk.len()];
        let range = start..start + chunk.len();
        text.push_str(&look.faint(&format!("{start:04x}")));
        text.push_str("  ");
        let hex = |i: usize| format!("{:02x}", chunk[i]);
        let filled = cells(&mut text, per_line, owners, look, hex);
        text.push_str(&" ".repeat(filled));
        text.push(' ');
        for (byte, owner) in chunk.iter().zip(owners) {
            let shown = if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
            text.push_str(&look.paint(style(*owner), &shown.to_string()));
        }
        end_line(&mut text);
        text.push_str("      ");
        cells(&mut text, per_line, owners, look, |i| owners[i].map_or('?', Part::letter).to_string());
        end_line(&mut text);
        problems(&mut text, range, per_line, dissection, look);
    }
    // A problem may point behind the last byte: there, something is missing.
    problems(&mut text, bytes.len()..usize::MAX, per_line, dissection, look);
    text.push_str(&legend(dissection, look));
    text
}

/// Which part each byte belongs to.
fn owners(len: usize, dissection: &Dissection) -> Vec<Option<&Part>> {
    let mut owners = vec![None; len];
    for part in &dissection.parts {
        for owner in owners.iter_mut().take(part.range.end).skip(part.range.start) {
            *owner = Some(part);
        }
    }
    owners
}

/// One cell of three columns for each byte, with a gap in the middle. Gives the columns left empty at the end.
fn cells(
    text: &mut String,
    per_line: usize,
    owners: &[Option<&Part>],
    look: &Look,
    cell: impl Fn(usize) -> String,
) -> usize {
    for (i, owner) in owners.iter().enumerate() {
        if i == per_line / 2 {
            text.push(' ');
        }
        let cell = cell(i);
        text.push_str(&look.paint(style(*owner), &cell));
        text.push_str(&" ".repeat(3usize.saturating_sub(cell.len())));
    }
    let missing = per_line - owners.len();
    missing * 3 + usize::from(owners.len() <= per_line / 2)
}

fn style(owner: Option<&Part>) -> Style {
    match owner {
        Some(part) if part.role == Role::Header => layer_style(part.layer),
        Some(part) if part.role == Role::Padding => Style::new().dimmed(),
        _ => Style::new(),
    }
}

/// The problems whose first byte is in `range`: a mark under the byte, and the message.
fn problems(
    text: &mut String,
    range: std::ops::Range<usize>,
    per_line: usize,
    dissection: &Dissection,
    look: &Look,
) {
    for problem in dissection.problems.iter().filter(|problem| range.contains(&problem.offset)) {
        let column = (problem.offset - range.start) % per_line;
        let indent = 6 + column * 3 + usize::from(column >= per_line / 2);
        text.push_str(&format!("{}{}\n", " ".repeat(indent), look.problem("^^")));
        for line in wrap(&escape(problem.to_string()), look.columns() - 6) {
            text.push_str(&format!("      {}\n", look.problem(&line)));
        }
    }
}

/// Breaks a message between words.
fn wrap(message: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in message.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.chars().take(columns).collect()),
        }
    }
    lines
}

/// What the letters mean, with the protocols that are there.
fn legend(dissection: &Dissection, look: &Look) -> String {
    let mut names: BTreeMap<(u8, char), Vec<&str>> = BTreeMap::new();
    let mut styles = BTreeMap::new();
    for part in &dissection.parts {
        let key = (part.layer as u8 + 8 * part.role as u8, part.letter());
        // Data has one entry, whichever layer would read it.
        let key = if part.role == Role::Header { key } else { (8 * part.role as u8, part.letter()) };
        let protocols = names.entry(key).or_default();
        if !protocols.contains(&part.protocol) {
            protocols.push(part.protocol);
        }
        styles.insert(key, style(Some(part)));
    }
    let entries = names.iter().map(|(key, protocols)| {
        let entry = format!("{} {}", key.1, protocols.join(", "));
        (entry.chars().count(), look.paint(styles[key], &entry))
    });
    let mut text = String::new();
    let mut used = 0;
    for (width, entry) in entries {
        if used > 0 && used + 3 + width > look.columns() {
            text.push('\n');
            used = 0;
        }
        let gap = if used == 0 { "" } else { "   " };
        used += gap.len() + width;
        text.push_str(gap);
        text.push_str(&entry);
    }
    if text.is_empty() { fit("no bytes", 8, look) + "\n" } else { text + "\n" }
}

fn end_line(text: &mut String) {
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}
