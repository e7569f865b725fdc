//! Rows and columns of words, such as two models of the same thing side by side. What is too wide is wrapped.

use serde::Serialize;

use super::look::{Look, fit};
use super::sheet::{Line, Sheet, Tone, width, wrap};

/// A table: rows under headings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// The headings, one a column.
    pub headings: Vec<String>,
    /// The rows. A cell that is missing is empty; one too many is not shown.
    pub rows: Vec<Vec<String>>,
}

/// Blanks between two columns.
const GAP: usize = 2;
/// No column is wrapped to less.
const LEAST: usize = 8;

impl Columns {
    /// A table of these rows.
    pub fn new(headings: &[&str], rows: Vec<Vec<String>>) -> Self {
        Columns { headings: headings.iter().map(|heading| (*heading).to_string()).collect(), rows }
    }

    /// Draws them. Columns of numbers are set right.
    ///
    /// Where even narrow columns have no room side by side, each row is a list of its own.
    pub fn draw(&self, look: &Look) -> Sheet {
        let widths = self.widths(look.columns());
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        if total > look.columns() {
            return self.rows.iter().flat_map(|row| self.list(row, look)).collect();
        }
        let rule = if look.ascii { "-" } else { "─" };
        let mut head = self.row(&self.headings, &widths, look);
        head.push(Line::of(rule.repeat(total), Tone::Faint));
        let mut sheet: Sheet = head.into_iter().map(Line::as_head).collect();
        for row in &self.rows {
            sheet.extend(self.row(row, &widths, look));
        }
        sheet
    }

    /// A row as a list: its first cell, and below it each of the others after its heading.
    fn list(&self, row: &[String], look: &Look) -> Vec<Line> {
        let cells = self.headings.iter().zip(row).filter(|(_, cell)| !cell.is_empty()).enumerate();
        let line = |(at, (heading, cell)): (usize, (&String, &String))| {
            let indent = if at == 0 { "" } else { "  " };
            let text = look.prose(&format!("{indent}{heading}: {cell}"));
            Line::of(text, Tone::Plain).folded(look.columns(), 4)
        };
        cells.flat_map(line).collect()
    }

    /// The width of each column: that of its widest cell, or less where the page is too narrow.
    fn widths(&self, page: usize) -> Vec<usize> {
        let cells = |column: usize| {
            std::iter::once(&self.headings).chain(&self.rows).filter_map(move |row| row.get(column))
        };
        let mut widths: Vec<usize> = (0..self.headings.len())
            .map(|column| cells(column).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > page {
            match widths.iter_mut().max() {
                Some(widest) if *widest > LEAST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    fn row(&self, cells: &[String], widths: &[usize], look: &Look) -> Sheet {
        let cell = |column: usize| look.prose(cells.get(column).map_or("", String::as_str));
        let wrapped: Vec<Vec<String>> =
            widths.iter().enumerate().map(|(column, room)| wrap(&cell(column), *room)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        let line = |line: usize| {
            let mut shown = String::new();
            for (column, room) in widths.iter().enumerate() {
                let piece = wrapped[column].get(line).map_or("", String::as_str);
                match self.is_number(column) {
                    true => {
                        let blanks = room.saturating_sub(width(piece));
                        shown.push_str(&format!("{}{piece}", " ".repeat(blanks)));
                    }
                    false => shown.push_str(&fit(piece, *room, look)),
                }
                shown.push_str(&" ".repeat(GAP));
            }
            Line::of(shown.trim_end(), Tone::Plain)
        };
        (0..height).map(line).collect()
    }

    fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
        let number = |cell: &String| cell.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.');
        cells.clone().next().is_some() && cells.all(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_columns_are_wrapped_and_numbers_set_right() {
        let columns = Columns::new(
            &["layer", "bytes", "what it is for"],
            vec![
                vec![
                    "link".into(),
                    "14".into(),
                    "says to which neighbour, and what kind of packet is inside".into(),
                ],
                vec!["data".into(), "1000".into(), "yours".into()],
            ],
        );
        let text = columns.draw(&Look { width: 40, ..Look::plain() });
        insta::assert_snapshot!(text, @r"
        layer  bytes  what it is for
        ----------------------------------------
        link      14  says to which neighbour,
                      and what kind of packet is
                      inside
        data    1000  yours
        ");
    }

    #[test]
    fn columns_that_have_no_room_side_by_side_become_lists() {
        let headings = ["connection", "own end", "other end", "state", "read"];
        let row =
            ["1", "10.0.0.1:50000", "10.0.0.2:80", "open", "I am number 1, and that is what I have to say"];
        let columns = Columns::new(&headings, vec![row.map(String::from).to_vec()]);
        insta::assert_snapshot!(columns.draw(&Look { width: 40, ..Look::plain() }), @r"
        connection: 1
          own end: 10.0.0.1:50000
          other end: 10.0.0.2:80
          state: open
          read: I am number 1, and that is what
            I have to say
        ");
    }
}
