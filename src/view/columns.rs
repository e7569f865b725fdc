//! Rows and columns of words, such as two models of the same thing side by side. What is too wide is wrapped.

use serde::Serialize;

use super::look::{Look, display_width, fit};

/// Rows under headings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// The headings.
    pub headings: Vec<String>,
    /// The rows. A cell that is missing is empty; one too many is not shown.
    pub rows: Vec<Vec<String>>,
}

/// Blanks between two columns.
const GAP: usize = 2;
/// No column is wrapped to less.
const LEAST: usize = 8;

impl Columns {
    /// Rows under headings.
    pub fn new(headings: &[&str], rows: Vec<Vec<String>>) -> Self {
        Columns { headings: headings.iter().map(|heading| (*heading).to_string()).collect(), rows }
    }

    /// Draws them. Columns of numbers are set right.
    pub fn draw(&self, look: &Look) -> String {
        let widths = self.widths(look.columns());
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut text = self.row(&self.headings, &widths, look);
        let rule = if look.ascii { "-" } else { "─" };
        text.push_str(&look.faint(&rule.repeat(total)));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&self.row(row, &widths, look));
        }
        text
    }

    /// What each column takes: what its widest cell needs, less where that is too much for the page.
    fn widths(&self, page: usize) -> Vec<usize> {
        let cells = |column: usize| {
            std::iter::once(&self.headings).chain(&self.rows).filter_map(move |row| row.get(column))
        };
        let mut widths: Vec<usize> = (0..self.headings.len())
            .map(|column| cells(column).map(|cell| display_width(cell)).max().unwrap_or(0))
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

    fn row(&self, cells: &[String], widths: &[usize], look: &Look) -> String {
        let cell = |column: usize| look.prose(cells.get(column).map_or("", String::as_str));
        let wrapped: Vec<Vec<String>> =
            widths.iter().enumerate().map(|(column, width)| wrap(&cell(column), *width)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        let mut text = String::new();
        for line in 0..height {
            let mut shown = String::new();
            for (column, width) in widths.iter().enumerate() {
                let piece = wrapped[column].get(line).map_or("", String::as_str);
                let room = width.saturating_sub(display_width(piece));
                match self.is_number(column) {
                    true => shown.push_str(&format!("{}{piece}", " ".repeat(room))),
                    false => shown.push_str(&fit(piece, *width, look)),
                }
                shown.push_str(&" ".repeat(GAP));
            }
            text.push_str(shown.trim_end());
            text.push('\n');
        }
        text
    }

    fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
        let number = |cell: &String| cell.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.');
        cells.clone().next().is_some() && cells.all(number)
    }
}

/// Breaks a text between words into lines of at most `width` columns; a word that is longer is broken too.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let line = lines.last_mut().expect("there is always a line");
            let used = display_width(line);
            let blank = usize::from(used > 0);
            if used + blank + display_width(word) <= width {
                line.push_str(&" ".repeat(blank));
                line.push_str(word);
                break;
            }
            if used > 0 {
                lines.push(String::new());
                continue;
            }
            let (first, rest) = word.split_at(prefix(word, width));
            line.push_str(first);
            word = rest;
            if word.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// How many bytes of `word` fit into `width` columns: at least one character.
fn prefix(word: &str, width: usize) -> usize {
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    let fitting = ends.clone().take_while(|end| display_width(&word[..*end]) <= width).last();
    fitting.or_else(|| ends.clone().next()).unwrap_or(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked(text in "\\PC{0,80}", width in 2usize..30) {
            for line in wrap(&text, width) {
                prop_assert!(display_width(&line) <= width, "{line:?}");
            }
        }
    }
}
