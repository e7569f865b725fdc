//! A header as RFCs draw it: rows of 32 bits under a ruler, two columns for each bit. Where there are fewer than the 65
//! columns that this takes, rows of 16 bits.
//!
//! ```text
//!  0                   1
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |F|R|R|R|opcode |M|payload len  |
//! |1|0|0|0|1      |0|5            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! Drawn from a header's table of fields, with or without values. A name that does not fit is shortened, a value that
//! does not fit is left out, and both are then written in full below the box. Of a field that spans more than three rows the
//! rows in the middle are not drawn.

use super::dissect::{Dissection, FieldValue, Part, Role};
use super::look::{Look, escape, fit};
use super::sheet::{Line, Sheet, Subject, Tone, width};
use crate::base::{Field, Header};

/// Bits in a row.
pub(super) const ROW: usize = 32;
/// Bits in a row where there is no room for more.
const HALF_ROW: usize = 16;
/// More rows than these of one field are not all drawn.
const MOST_ROWS: usize = 3;

/// Draws the header of a packet with its values. `number` is its index among the parts of the packet.
pub fn header_box(part: &Part, number: usize, look: &Look) -> Sheet {
    let title = format!("{}, {} bytes", part.protocol, part.range.len());
    let mut title = Line::of(title, Tone::Of(part.layer));
    title.about(0..title.width(), Subject::Part(number));
    let fields: Vec<_> = part.fields.iter().map(with_value).collect();
    [Sheet::from(title.as_head()), draw(&fields, Some(number), look)].into_iter().collect()
}

/// The headers of a packet, one below the other.
pub fn header_boxes(dissection: &Dissection, look: &Look) -> Sheet {
    headers_of(dissection, None, look)
}

/// The headers of one protocol in a packet; of all, when none is named.
pub fn headers_of(dissection: &Dissection, protocol: Option<&str>, look: &Look) -> Sheet {
    let wanted = |part: &Part| part.role == Role::Header && protocol.is_none_or(|name| name == part.protocol);
    let headers = dissection.parts.iter().enumerate().filter(|(_, part)| wanted(part));
    headers.map(|(number, part)| header_box(part, number, look)).collect()
}

/// Draws fields with their values.
pub fn fields_box(fields: &[FieldValue], look: &Look) -> Sheet {
    let fields: Vec<_> = fields.iter().map(with_value).collect();
    draw(&fields, None, look)
}

fn with_value(value: &FieldValue) -> (Field, Option<&str>) {
    (value.field, Some(value.text.as_str()))
}

/// Draws the layout of a protocol's header, without values. Fields whose width differs from packet to packet are
/// named below.
pub fn layout_box<H: Header>(look: &Look) -> Sheet {
    let fields: Vec<_> = H::FIELDS.iter().map(|field| (*field, None)).collect();
    let title = Sheet::of(H::PROTOCOL, Tone::Of(H::LAYER));
    [title, draw(&fields, None, look)].into_iter().collect()
}

/// A piece of a field in one row.
pub(super) struct Cell {
    /// The index of the field.
    pub(super) field: usize,
    /// Its first bit in the row.
    pub(super) first: usize,
    /// How many bits it has there.
    pub(super) bits: usize,
    /// The name of the field, as far as there is room.
    pub(super) name: String,
    /// Its value, if there is room.
    pub(super) value: String,
}

/// Draws fields; those of a packet know the number of their part.
fn draw(fields: &[(Field, Option<&str>)], part: Option<usize>, look: &Look) -> Sheet {
    let mut notes = Vec::new();
    let values = fields.iter().any(|(_, value)| value.is_some());
    let bits = if look.columns() > 2 * ROW { ROW } else { HALF_ROW };
    let rows = rows(fields, bits, &mut notes);
    let widest = rows.iter().map(|row| row_bits(row)).max().unwrap_or(0);
    let mut sheet = Sheet::new();
    if widest == 0 {
        sheet.say("(no fields)", Tone::Plain);
        sheet.extend(notes.iter().flat_map(|note| Line::of(note, Tone::Plain).folded(look.columns(), 4)));
        return sheet;
    }
    sheet.extend(ruler(widest).into_iter().map(Line::as_head));
    let none: &[Cell] = &[];
    for (i, row) in rows.iter().enumerate() {
        let above = if i == 0 { none } else { &rows[i - 1] };
        sheet.push(border(above, row, look));
        sheet.push(line(row, part, look, |cell| &cell.name));
        if values {
            sheet.push(line(row, part, look, |cell| &cell.value));
        }
    }
    sheet.push(border(rows.last().map_or(none, Vec::as_slice), none, look));
    for note in notes {
        sheet.extend(Line::of(look.prose(&note), Tone::Plain).folded(look.columns(), 4));
    }
    sheet
}

/// Cuts the fields into rows of `row_bits` bits. What does not fit into its cell goes to `notes`.
pub(super) fn rows(
    fields: &[(Field, Option<&str>)],
    row_bits: usize,
    notes: &mut Vec<String>,
) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = vec![Vec::new()];
    let mut column = 0;
    for (index, (field, value)) in fields.iter().enumerate() {
        if field.bits == 0 {
            notes.push(format!("  then {}, of varying length", field.name));
            continue;
        }
        let mut left = field.bits;
        let pieces = (column + left).div_ceil(row_bits);
        let mut piece = 0;
        while left > 0 {
            if column == row_bits {
                rows.push(Vec::new());
                column = 0;
            }
            let bits = left.min(row_bits - column);
            let hidden = pieces > MOST_ROWS && piece > 1 && piece + 1 < pieces;
            if !hidden && let Some(row) = rows.last_mut() {
                let drawn = cell((*field, *value), (column, bits), piece, notes);
                row.push(Cell { field: index, ..drawn });
            }
            left -= bits;
            piece += 1;
            // A hidden row takes no room: the next piece is drawn in its place.
            column = if hidden { 0 } else { column + bits };
        }
    }
    rows.retain(|row| !row.is_empty());
    rows
}

/// One cell. The first piece of a field has its name and value, the others say what they continue.
fn cell(
    (field, value): (Field, Option<&str>),
    (first, bits): (usize, usize),
    piece: usize,
    notes: &mut Vec<String>,
) -> Cell {
    let room = bits * 2 - 1;
    if piece > 0 {
        let name = shorten(&format!("({} continued)", field.name), room);
        return Cell { field: 0, first, bits, name, value: String::new() };
    }
    let name = shorten(field.name, room);
    let full = escape(value.unwrap_or_default());
    // A number with a name, `6 (TCP)`, is still the number without it.
    let number = full.split(" (").next().unwrap_or_default();
    let shown = if width(&full) <= room {
        full.clone()
    } else if width(number) <= room {
        number.to_owned()
    } else {
        String::new()
    };
    if name != field.name || shown != full {
        let value = if full.is_empty() { String::new() } else { format!(" = {full}") };
        let bits = if field.bits == 1 { "1 bit".into() } else { format!("{} bits", field.bits) };
        let short = if name == field.name { String::new() } else { format!("{name}: ") };
        notes.push(format!("  {short}{}{value} ({bits}, {})", field.name, field.cite));
    }
    Cell { field: 0, first, bits, name, value: shown }
}

/// Short forms that readers of headers know.
const SHORT: [(&str, &str); 4] =
    [("length", "len"), ("Reserved", "Rsrvd"), ("number", "no"), ("Offset", "Ofs")];

/// A name in at most `room` columns: known short forms first; then the longest word loses its end until all fit.
fn shorten(name: &str, room: usize) -> String {
    if width(name) <= room {
        return name.to_owned();
    }
    let short = |word| SHORT.iter().find(|(long, _)| *long == word).map_or(word, |(_, short)| *short);
    let mut words: Vec<String> = name.split(' ').map(|word| short(word).to_owned()).collect();
    let needs = |words: &[String]| words.iter().map(|word| width(word) + 1).sum::<usize>() - 1;
    while needs(&words) > room {
        match words.iter_mut().max_by_key(|word| word.chars().count()) {
            Some(word) if word.chars().count() > 1 => {
                word.pop();
            }
            // One letter of each word is still too much.
            _ => return words.concat().chars().take(room).collect(),
        }
    }
    words.join(" ")
}

fn row_bits(row: &[Cell]) -> usize {
    row.last().map_or(0, |cell| cell.first + cell.bits)
}

fn ruler(bits: usize) -> Sheet {
    let tens: String =
        (0..bits).map(|bit| if bit % 10 == 0 { format!(" {}", bit / 10) } else { "  ".into() }).collect();
    let ones: String = (0..bits).map(|bit| format!(" {}", bit % 10)).collect();
    Sheet::of(format!("{}\n{ones}", tens.trim_end()), Tone::Plain)
}

/// The line between two rows. In ASCII every bit is marked, as in RFCs; with box drawing characters only where
/// cells meet.
fn border(above: &[Cell], below: &[Cell], look: &Look) -> Line {
    let bits = row_bits(above).max(row_bits(below));
    if look.ascii {
        return Line::of(format!("+{}", "-+".repeat(bits)), Tone::Plain);
    }
    let wall = |row: &[Cell], at: usize| {
        !row.is_empty() && (at == 0 || row.iter().any(|cell| cell.first + cell.bits == at))
    };
    let mut text = String::new();
    for at in 0..=bits {
        text.push(joint(wall(above, at), wall(below, at), at == 0, at == bits));
        if at < bits {
            text.push('─');
        }
    }
    Line::of(text, Tone::Plain)
}

fn joint(up: bool, down: bool, first: bool, last: bool) -> char {
    match (up, down, first, last) {
        (false, true, true, _) => '┌',
        (true, false, true, _) => '└',
        (_, _, true, _) => '├',
        (false, true, _, true) => '┐',
        (true, false, _, true) => '┘',
        (_, _, _, true) => '┤',
        (true, true, ..) => '┼',
        (true, false, ..) => '┴',
        (false, true, ..) => '┬',
        (false, false, ..) => '─',
    }
}

fn line<'a>(row: &'a [Cell], part: Option<usize>, look: &Look, text: impl Fn(&'a Cell) -> &'a str) -> Line {
    let wall = if look.ascii { "|" } else { "│" };
    let mut line = Line::of(wall, Tone::Plain);
    for cell in row {
        let inside = line.push(fit(text(cell), cell.bits * 2 - 1, look), Tone::Plain);
        if let Some(part) = part {
            line.about(inside, Subject::Field { part, field: cell.field });
        }
        line.push(wall, Tone::Plain);
    }
    line
}
