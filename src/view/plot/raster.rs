//! Lines and points on a grid of dots, four rows and two columns of them in each cell.
//!
//! A Braille character has just these eight dots, each with a bit (Unicode, Braille Patterns, U+2800). Where there are
//! only ASCII characters, a cell that a series touches has its letter.

use crate::view::sheet::{Line, Tone};

/// Dots in a cell, from left to right.
pub(super) const ACROSS: usize = 2;
/// Dots in a cell, from top to bottom.
pub(super) const DOWN: usize = 4;

/// The bit of each dot of a cell, row by row.
const BITS: [[u32; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The grid, in cells; dots are counted from the lower left.
pub(super) struct Raster {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
}

/// What is in a cell: dots, and the series that was there last.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    dots: u32,
    mark: Option<char>,
    letter: char,
    tone: Tone,
}

/// The pen with which a series is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    pub(super) letter: char,
    pub(super) tone: Tone,
}

impl Raster {
    pub(super) fn new(columns: usize, rows: usize) -> Raster {
        Raster { columns, rows, cells: vec![Cell::default(); columns * rows] }
    }

    /// Dots from left to right, and from bottom to top.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.columns * ACROSS, self.rows * DOWN)
    }

    /// Draws a dot.
    pub(super) fn dot(&mut self, (x, y): (usize, usize), pen: Pen) {
        let from_top = (self.rows * DOWN).saturating_sub(1 + y);
        if let Some(cell) = self.cell((x, y)) {
            cell.dots |= BITS[from_top % DOWN][x % ACROSS];
            (cell.letter, cell.tone) = (pen.letter, pen.tone);
        }
    }

    /// Draws a straight line: a dot in each column or row that it crosses.
    pub(super) fn line(&mut self, from: (usize, usize), to: (usize, usize), pen: Pen) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
        let between = |a: usize, b: usize, step: usize| {
            let part = step as f64 / steps.max(1) as f64;
            (a as f64 + (b as f64 - a as f64) * part).round() as usize
        };
        for step in 0..=steps {
            self.dot((between(from.0, to.0, step), between(from.1, to.1, step)), pen);
        }
    }

    /// Writes the letter of a series where a dot would be, over whatever dots there are.
    pub(super) fn mark(&mut self, at: (usize, usize), pen: Pen) {
        if let Some(cell) = self.cell(at) {
            (cell.mark, cell.tone) = (Some(pen.letter), pen.tone);
        }
    }

    /// Whether a letter is within a few cells of a dot, in its row.
    pub(super) fn is_marked_near(&self, (x, y): (usize, usize)) -> bool {
        let (column, row) = (x / ACROSS, (self.rows * DOWN).saturating_sub(1 + y) / DOWN);
        (column.saturating_sub(1)..=column + 1)
            .filter_map(|column| self.cells.get(row * self.columns + column))
            .any(|cell| cell.mark.is_some())
    }

    /// The rows from the top, each as cells of a sheet.
    pub(super) fn lines(&self, ascii: bool) -> impl Iterator<Item = Line> + '_ {
        self.cells.chunks(self.columns.max(1)).map(move |cells| {
            let mut line = Line::new();
            for cell in cells {
                let braille = char::from_u32(0x2800 + cell.dots).unwrap_or(' ');
                let (shown, tone) = match (cell.mark, cell.dots) {
                    (Some(mark), _) => (mark, cell.tone),
                    (None, 0) => (' ', Tone::Plain),
                    (None, _) => (if ascii { cell.letter } else { braille }, cell.tone),
                };
                line.push(shown.encode_utf8(&mut [0; 4]), tone);
            }
            line
        })
    }

    fn cell(&mut self, (x, y): (usize, usize)) -> Option<&mut Cell> {
        let row = (self.rows * DOWN).checked_sub(1 + y)? / DOWN;
        let column = x / ACROSS;
        if column >= self.columns {
            return None;
        }
        self.cells.get_mut(row * self.columns + column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEN: Pen = Pen { letter: 'a', tone: Tone::Plain };

    fn drawn(raster: &Raster, ascii: bool) -> Vec<String> {
        raster.lines(ascii).map(|line| line.to_string()).collect()
    }

    #[test]
    fn each_of_the_eight_dots_of_a_cell_has_its_bit() {
        let dots: Vec<u32> = (0..8)
            .map(|n| {
                let mut raster = Raster::new(1, 1);
                raster.dot((n % ACROSS, DOWN - 1 - n / ACROSS), PEN);
                u32::from(drawn(&raster, false)[0].chars().next().unwrap()) - 0x2800
            })
            .collect();
        assert_eq!(dots, [1, 8, 2, 16, 4, 32, 64, 128]);
    }

    #[test]
    fn a_line_goes_from_the_lower_left_to_the_upper_right() {
        let mut raster = Raster::new(2, 2);
        raster.line((0, 0), (3, 7), PEN);
        assert_eq!(drawn(&raster, true), [" a", "a "]);
        raster.mark((0, 7), Pen { letter: 'X', tone: Tone::Bad });
        assert_eq!(drawn(&raster, true), ["Xa", "a "]);
        assert_eq!(drawn(&raster, false), ["X⡜", "⡜⠀"].map(|row| row.replace('\u{2800}', " ")));
    }

    #[test]
    fn what_is_beyond_the_grid_is_lost() {
        let mut raster = Raster::new(1, 1);
        raster.dot((9, 0), PEN);
        raster.dot((0, 9), PEN);
        assert_eq!(drawn(&raster, true), [" "]);
    }
}
