//! Pages turned by Enter: the line above each, the prompt below, and what may be typed there.

use super::pages::{Page, Pages, Screen};
use super::{Output, harmless};
use crate::cli::error::CliError;
use crate::view::sheet::{Line, Sheet, Tone, width};

/// What was typed at the end of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Turn {
    On,
    Back,
    Leave,
}

/// Shows sheets page by page; what fits the screen at once, just so.
pub(super) fn show(sheets: &[Sheet], out: &mut Output) -> Result<(), CliError> {
    let (mut number, mut pages, mut drawn_for) = (0, Vec::new(), None);
    loop {
        let screen = out.screen();
        if sheets.iter().map(|sheet| screen.height_of(sheet)).sum::<usize>() < screen.rows {
            return sheets.iter().try_for_each(|sheet| out.sheet(sheet));
        }
        if drawn_for.replace(screen) != Some(screen) {
            pages = cut(sheets, screen);
        }
        number = number.min(pages.len().saturating_sub(1));
        let Some(page) = pages.get(number) else { return Ok(()) };
        if number > 0 {
            out.sheet(&rule("", number, pages.len(), out).into())?;
        }
        out.sheet(&page.sheet)?;
        if number + 1 == pages.len() {
            return Ok(());
        }
        match pause(number, pages.len(), out)? {
            Turn::On => number += 1,
            Turn::Back => number -= 1,
            Turn::Leave => return Ok(()),
        }
    }
}

fn cut(sheets: &[Sheet], screen: Screen) -> Vec<Page> {
    let mut pages = Pages::new(Some(screen));
    sheets.iter().for_each(|sheet| pages.print(sheet.clone(), 0));
    pages.finish()
}

/// The line between a page and the one before it: what it belongs to, and which of how many it is.
pub(in crate::cli) fn rule(title: &str, number: usize, all: usize, out: &Output) -> Line {
    let dash = if out.look.ascii { "-" } else { "─" };
    let columns = out.look.columns().min(80);
    let place = format!(" {} of {all} {dash}{dash}", number + 1);
    let title = harmless(title);
    let room = columns.saturating_sub(width(&place) + 4);
    let title = match width(&title) <= room && !title.is_empty() {
        true => format!(" {title} "),
        false => String::new(),
    };
    let start = format!("{dash}{dash}{title}");
    let filled = columns.saturating_sub(width(&start) + width(&place));
    Line::of(format!("{start}{}{place}", dash.repeat(filled)), Tone::Faint)
}

/// Waits for Enter, or another way to go. The end of the input is a wish to leave.
pub(in crate::cli) fn pause(number: usize, all: usize, out: &mut Output) -> Result<Turn, CliError> {
    let (back, place) = (number > 0, format!("{} of {all}", number + 1));
    let prompt = match (out.look.columns() >= 60, back) {
        (true, true) => format!("-- {place}: Enter to go on, b back, q to leave --"),
        (true, false) => format!("-- {place}: Enter to go on, q to leave --"),
        (false, true) => format!("-- {place}: Enter, b back, q quit --"),
        (false, false) => format!("-- {place}: Enter, q quit --"),
    };
    loop {
        out.begin(Line::of(&prompt, Tone::Faint))?;
        let Some(typed) = out.read_line()? else { return Ok(Turn::Leave) };
        match typed.trim() {
            "" => return Ok(Turn::On),
            "q" | "quit" => return Ok(Turn::Leave),
            "b" | "back" | "<" if back => return Ok(Turn::Back),
            _ => {}
        }
    }
}
