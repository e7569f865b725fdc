//! Bits as levels on a wire, below the bits and bytes that they encode.

use super::look::Look;
use super::sheet::{Line, Sheet, Tone};
use crate::layers::physical::line::{Level, LineCode, bits};

/// Columns of half a bit.
const HALF: usize = 2;
/// Columns before the wave.
const LEAD: usize = 6;

/// Draws `bytes` as `code` puts them on a wire: as many bytes in a line as fit, each lowest bit first.
pub fn waveform(code: LineCode, bytes: &[u8], look: &Look) -> Sheet {
    let per_line = (look.columns().saturating_sub(LEAD) / (16 * HALF)).max(1);
    let levels = code.encode(bytes);
    let mut before = Level::Low;
    let mut sheet = Sheet::new();
    for (line, chunk) in bytes.chunks(per_line).enumerate() {
        let start = line * per_line * 16;
        let levels = &levels[start..start + chunk.len() * 16];
        let row = |name: &str, cells: String, tone: Tone| {
            Line::of(format!("{name:<LEAD$}{cells}").trim_end(), tone)
        };
        let names = chunk.iter().map(|byte| format!("{:<1$}", format!("|{byte:02x}"), 16 * HALF)).collect();
        let ones = bits(chunk).map(|bit| format!(" {}  ", u8::from(bit))).collect();
        let (high, low) = wave(before, levels, look.ascii);
        sheet.push(row("byte", names, Tone::Faint));
        sheet.push(row("bit", ones, Tone::Plain));
        sheet.push(row("high", high, Tone::Plain));
        sheet.push(row("low", low, Tone::Plain));
        before = levels.last().copied().unwrap_or(before);
    }
    sheet
}

/// The two rows of a wave.
fn wave(before: Level, levels: &[Level], ascii: bool) -> (String, String) {
    let mut before = before;
    let (mut high, mut low) = (String::new(), String::new());
    for level in levels {
        let (above, below) = match (before, *level) {
            (Level::High, Level::High) => ("──", "  "),
            (Level::Low, Level::Low) => ("  ", "──"),
            (Level::Low, Level::High) => ("┌─", "┘ "),
            (Level::High, Level::Low) => ("┐ ", "└─"),
        };
        high.push_str(above);
        low.push_str(below);
        before = *level;
    }
    if ascii {
        let plain = |row: String| row.replace('─', "-").replace(['┌', '┘', '┐', '└'], "+");
        return (plain(high), plain(low));
    }
    (high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_own_wave() {
        let draw = |code, look| waveform(code, &[0x41, 0x00], &look);
        insta::assert_snapshot!(draw(LineCode::Manchester, Look::default()), @r"
        byte  |41                             |00
        bit    1   0   0   0   0   0   1   0   0   0   0   0   0   0   0   0
        high    ┌───┐ ┌─┐ ┌─┐ ┌─┐ ┌─┐   ┌───┐ ┌─┐ ┌─┐ ┌─┐ ┌─┐ ┌─┐ ┌─┐ ┌─┐ ┌─┐
        low   ──┘   └─┘ └─┘ └─┘ └─┘ └───┘   └─┘ └─┘ └─┘ └─┘ └─┘ └─┘ └─┘ └─┘ └─
        ");
        insta::assert_snapshot!(draw(LineCode::Nrz, Look { width: 40, ..Look::plain() }), @r"
        byte  |41
        bit    1   0   0   0   0   0   1   0
        high  +---+                   +---+
        low   +   +-------------------+   +---
        byte  |00
        bit    0   0   0   0   0   0   0   0
        high
        low   --------------------------------
        ");
    }
}
