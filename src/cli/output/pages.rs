//! What is on a screen at once: sheets cut into pages.
//!
//! What fits a screen is not cut: it begins on a new one. Where a picture must be cut, its head (the names over the
//! lifelines, the headings of a table) is repeated. Rows are counted as a terminal shows them: a line that is wider than
//! the screen takes several.

use crate::view::sheet::{Line, Sheet};

/// The size of a screen, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Screen {
    pub(in crate::cli) rows: usize,
    pub(in crate::cli) columns: usize,
}

impl Screen {
    /// A smaller one is not drawn for.
    const LEAST_ROWS: usize = 10;

    /// Rows of a page: the screen's, less one for the line above it and one for the prompt below.
    pub(in crate::cli) fn page(self) -> usize {
        self.rows.max(Self::LEAST_ROWS) - 2
    }

    /// The rows that a line takes.
    pub(in crate::cli) fn rows_of(self, line: &Line) -> usize {
        line.width().div_ceil(self.columns.max(1)).max(1)
    }

    /// The rows that a sheet takes.
    pub(in crate::cli) fn height_of(self, sheet: &Sheet) -> usize {
        sheet.lines().iter().map(|line| self.rows_of(line)).sum()
    }
}

/// What is on the screen at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Page {
    /// The page's lines.
    pub(in crate::cli) sheet: Sheet,
    /// The part of the story that it begins with, or goes on with.
    pub(in crate::cli) first: usize,
    /// The question that it ends with.
    pub(in crate::cli) asks: Option<usize>,
}

/// Pages as they are filled.
pub(in crate::cli) struct Pages {
    done: Vec<Page>,
    page: Page,
    /// Rows on the page so far.
    used: usize,
    /// Without one, a page is as long as it gets.
    screen: Option<Screen>,
}

/// A picture does not begin on a page that has no room for its head and these rows.
const LEAST_OF_A_PICTURE: usize = 4;

impl Pages {
    pub(in crate::cli) fn new(screen: Option<Screen>) -> Self {
        Pages { done: Vec::new(), page: Page::default(), used: 0, screen }
    }

    /// Whether nothing is on the page so far.
    pub(in crate::cli) fn is_new(&self) -> bool {
        self.used == 0
    }

    /// Adds a sheet that belongs to a part of the story.
    pub(in crate::cli) fn print(&mut self, sheet: Sheet, part: usize) {
        for section in sections(sheet) {
            self.section(section, part);
        }
    }

    /// Adds an empty line, unless the page is new.
    pub(in crate::cli) fn gap(&mut self, part: usize) {
        if !self.is_new() {
            self.line(Line::new(), part);
        }
    }

    /// Ends the page, if there is something on it.
    pub(in crate::cli) fn turn(&mut self) {
        if self.used > 0 {
            self.done.push(std::mem::take(&mut self.page));
            self.used = 0;
        }
    }

    /// Ends the page with a question.
    pub(in crate::cli) fn ask(&mut self, question: usize) {
        self.page.asks = Some(question);
        self.turn();
    }

    /// All pages.
    pub(in crate::cli) fn finish(mut self) -> Vec<Page> {
        self.turn();
        self.done
    }

    fn left(&self) -> usize {
        self.screen.map_or(usize::MAX, |screen| screen.page().saturating_sub(self.used))
    }

    /// One picture, or what is above it.
    fn section(&mut self, lines: Vec<Line>, part: usize) {
        let Some(screen) = self.screen else {
            return lines.into_iter().for_each(|line| self.line(line, part));
        };
        let rows = |lines: &[Line]| lines.iter().map(|line| screen.rows_of(line)).sum::<usize>();
        let head: Vec<Line> = lines.iter().take_while(|line| line.is_head()).cloned().collect();
        let least = rows(&head) + LEAST_OF_A_PICTURE;
        if rows(&lines) > self.left() && (rows(&lines) <= screen.page() || self.left() < least) {
            self.turn();
        }
        let repeats = least < screen.page();
        for line in lines {
            if self.used > 0 && screen.rows_of(&line) > self.left() {
                self.turn();
                if repeats && !line.is_head() {
                    head.iter().for_each(|line| self.line(line.clone(), part));
                }
            }
            self.line(line, part);
        }
    }

    fn line(&mut self, line: Line, part: usize) {
        let rows = self.screen.map_or(1, |screen| screen.rows_of(&line));
        if self.used > 0 && rows > self.left() {
            self.turn();
        }
        // A new page needs no empty line at its top.
        if self.used == 0 && line.width() == 0 && self.screen.is_some() {
            return;
        }
        if self.used == 0 {
            self.page.first = part;
        }
        self.page.sheet.push(line);
        self.used += rows;
    }
}

/// A sheet in pieces that each begin with a head.
fn sections(sheet: Sheet) -> Vec<Vec<Line>> {
    let mut sections: Vec<Vec<Line>> = vec![Vec::new()];
    let mut in_head = false;
    for line in sheet {
        if line.is_head() && !in_head {
            sections.push(Vec::new());
        }
        in_head = line.is_head();
        sections.last_mut().expect("there is always one").push(line);
    }
    sections.retain(|section| !section.is_empty());
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sheet::Tone;

    fn picture(name: &str, rows: usize) -> Sheet {
        let head = Line::of(name, Tone::Strong).as_head();
        std::iter::once(head).chain((1..rows).map(|row| Line::of(row.to_string(), Tone::Plain))).collect()
    }

    /// The lines of each page, on a screen of 12 rows: 10 for the page.
    fn cut(sheets: Vec<Sheet>) -> Vec<Vec<String>> {
        let mut pages = Pages::new(Some(Screen { rows: 12, columns: 40 }));
        sheets.into_iter().for_each(|sheet| pages.print(sheet, 0));
        let lines = |page: Page| page.sheet.lines().iter().map(ToString::to_string).collect();
        pages.finish().into_iter().map(lines).collect()
    }

    #[test]
    fn what_fits_a_page_is_not_cut() {
        let pages = cut(vec![picture("a", 6), picture("b", 6)]);
        assert_eq!(pages.len(), 2);
        assert_eq!(pages[1], ["b", "1", "2", "3", "4", "5"]);
        // Also when both are in one sheet.
        assert_eq!(cut(vec![[picture("a", 6), picture("b", 6)].into_iter().collect()]), pages);
    }

    #[test]
    fn a_picture_that_goes_on_has_its_head_again() {
        let pages = cut(vec![picture("a", 24)]);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 6]);
        assert!(pages.iter().all(|page| page[0] == "a"), "{pages:?}");
        assert_eq!((pages[0][9].as_str(), pages[1][1].as_str()), ("9", "10"));
    }

    #[test]
    fn a_line_that_the_screen_breaks_counts_as_often_as_it_shows() {
        let wide = Sheet::of("x".repeat(100), Tone::Plain);
        let pages = cut(vec![wide.clone(), wide.clone(), wide.clone(), wide]);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    }
}
