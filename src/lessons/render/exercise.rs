//! The result of checking an exercise, step by step up to what failed.

use std::fmt::Write as _;

use super::text::lines;
use crate::lessons::exercises::check::Outcome;
use crate::lessons::exercises::{Case, Exercise, Fact, Shown, Step};
use crate::view::look::{Look, escape};
use crate::view::sheet::{Sheet, Tone, width};

/// Bytes in a line of a ruler: with its label it takes 62 columns.
const PER_LINE: usize = 16;
/// No value of an answer is shown beyond this: a line has 80 columns.
const WIDEST_VALUE: usize = 26;

/// The task, as one meets it, and the file that the student works in.
pub fn task(exercise: &Exercise, file: &str, look: &Look) -> Sheet {
    let mut sheet = Sheet::of(format!("exercise {}: {}", exercise.number(), exercise.title), Tone::Strong);
    sheet.say(lines("", exercise.task, look), Tone::Plain);
    sheet.say(lines("edit: ", file, look), Tone::Plain);
    sheet
}

/// The story of a check.
pub fn story(cases: &[Case], outcome: &Outcome, look: &Look) -> Sheet {
    let done = if look.ascii { "ok" } else { "✔" };
    let mut sheet = Sheet::new();
    for (number, case) in cases.iter().enumerate() {
        match outcome {
            Outcome::Failed { case: failed, step, got } if *failed == number => {
                sheet.extend(failure(case, *step, got.as_ref(), look));
                let left = cases.len() - number - 1;
                if left > 0 {
                    let cases = if left == 1 { "1 case".into() } else { format!("{left} cases") };
                    sheet.say(format!("\n{cases} after it: not looked at yet"), Tone::Plain);
                }
                return sheet;
            }
            _ => sheet.say(lines(&format!("{done} "), case.title, look), Tone::Plain),
        }
    }
    sheet
}

type Got = std::collections::BTreeMap<String, String>;

/// The case that failed: the steps that went well in a line each, and the one that did not as large as it gets.
fn failure(case: &Case, failed: usize, got: Option<&Got>, look: &Look) -> Sheet {
    let (done, wrong) = if look.ascii { ("ok", "!!") } else { ("✔", "✗") };
    let mut sheet = Sheet::of(format!("{wrong} {}", case.title), Tone::Bad);
    let mut text = String::new();
    for step in &case.steps[..failed] {
        let answer: Vec<String> =
            step.expected.iter().map(|fact| format!("{} {}", fact.name, fact.value)).collect();
        text.push_str(&lines(&format!("  {done} "), &format!("{}: {}", step.told, answer.join(", ")), look));
    }
    let Some(step) = case.steps.get(failed) else {
        sheet.say(text, Tone::Plain);
        return sheet;
    };
    if case.steps.len() > 1 {
        text.push_str(&lines(&format!("  {wrong} "), &step.told, look));
    }
    text.push('\n');
    match &step.shown {
        Shown::Bytes(bytes) => text.push_str(&ruler(bytes, &doubtful(step, got))),
        Shown::Lines(shown) => {
            for line in shown {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    text.push('\n');
    text.push_str(&comparison(step, got, look));
    text.push_str(&lines("  why: ", step.why, look));
    sheet.say(text, Tone::Plain);
    sheet
}

/// The facts that an answer gets wrong.
fn doubtful<'a>(step: &'a Step, got: Option<&Got>) -> Vec<&'a Fact> {
    let wrong = |fact: &&Fact| got.is_none_or(|got| got.get(fact.name) != Some(&fact.value));
    step.expected.iter().filter(wrong).collect()
}

/// Bytes under their offsets, with marks under those that were read wrong.
fn ruler(bytes: &[u8], wrong: &[&Fact]) -> String {
    if bytes.is_empty() {
        return "    (no bytes)\n".into();
    }
    let mut text = String::new();
    for (line, chunk) in bytes.chunks(PER_LINE).enumerate() {
        let start = line * PER_LINE;
        let cells = |cell: &dyn Fn(usize) -> String| {
            let cells: Vec<String> = (start..start + chunk.len()).map(cell).collect();
            cells.join(" ")
        };
        let is_wrong = |at: usize| wrong.iter().any(|fact| fact.from.contains(&at));
        let _ = writeln!(text, "    offset  {}", cells(&|at| format!("{at:2}")));
        let _ = writeln!(text, "    byte    {}", cells(&|at| format!("{:02x}", bytes[at])));
        let marks = cells(&|at| if is_wrong(at) { "^^".into() } else { "  ".into() });
        if !marks.trim().is_empty() {
            let _ = writeln!(text, "            {}", marks.trim_end());
        }
    }
    text
}

/// Expected and got, side by side.
fn comparison(step: &Step, got: Option<&Got>, look: &Look) -> String {
    let Some(got) = got else {
        let expected: Vec<String> =
            step.expected.iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
        return lines("  expected: ", &expected.join(" "), look) + "  got:      no answer\n";
    };
    let cut = |value: &str| {
        let value = escape(value);
        match width(&value) > WIDEST_VALUE {
            true => format!("{}...", value.chars().take(WIDEST_VALUE - 3).collect::<String>()),
            false => value,
        }
    };
    let wrong = if look.ascii { "!!" } else { "✗" };
    let mut text = format!("    {:<18}{:<28}{}\n", "", "expected", "got");
    let mut row = |name: &str, expected: &str, got: &str| {
        let mark = if expected == got { "" } else { wrong };
        let line = format!("  {mark:<2}{name:<18}{:<28}{}", cut(expected), cut(got));
        let _ = writeln!(text, "{}", line.trim_end());
    };
    for fact in &step.expected {
        row(fact.name, &fact.value, got.get(fact.name).map_or("(nothing)", String::as_str));
    }
    for (name, value) in got {
        if !step.expected.iter().any(|fact| fact.name == name) {
            row(&cut(name), "(nothing)", value);
        }
    }
    text
}
