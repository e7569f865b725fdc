//! How what was said looks: one line each, and nothing in it that could act on a terminal.

use crate::base::{is_joiner, joins};
use crate::layers::application::socketio::Value;
use crate::view::look::{Look, escape};
use crate::view::sheet::{Line, Sheet, Tone};

/// A line to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// A message, or the result of a command.
    Result(Sheet),
    /// What happened to the client itself.
    Remark(String),
}

/// Why a message is shown now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// It was just said.
    Now,
    /// It was said before this client came.
    Before,
    /// It was said while this client was away.
    Missed,
}

/// A message, as the chat sends it. What is missing is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) room: Option<String>,
    pub(super) from: String,
    pub(super) to: Option<String>,
    pub(super) text: String,
    pub(super) at: u64,
    pub(super) offset: Option<u64>,
    pub(super) client_id: Option<String>,
}

impl Said {
    pub(super) fn of(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| value.get(name).and_then(Value::as_u64);
        Said {
            room: text("room"),
            from: text("from").unwrap_or_default(),
            to: text("to"),
            text: text("text").unwrap_or_default(),
            at: number("at").unwrap_or_default(),
            offset: number("offset"),
            client_id: text("clientId"),
        }
    }

    /// One line: room, name, text, and the age if it is not new.
    pub(super) fn line(&self, when: When, now_ms: u64, look: &Look) -> Line {
        let mark = match when {
            When::Now => "",
            When::Before if look.ascii => ". ",
            When::Before => "· ",
            When::Missed => "+ ",
        };
        let arrow = if look.ascii { "->" } else { "→" };
        let line = Line::of(mark, Tone::Plain);
        let from = safe(&self.from);
        let line = match (self.room.as_deref().map(shown_room), &self.to) {
            (Some(room), _) => line.with(room, Tone::Faint).with(format!(" {from}"), Tone::Strong),
            (None, Some(to)) => line
                .with(from, Tone::Strong)
                .with(format!(" {arrow} "), Tone::Plain)
                .with(safe(to), Tone::Strong),
            (None, None) => line.with(from, Tone::Strong),
        };
        let line = line.with(format!(": {}", safe(&self.text)), Tone::Plain);
        match when {
            When::Now => line,
            When::Before | When::Missed => {
                line.with(format!("  ({})", ago(now_ms.saturating_sub(self.at))), Tone::Faint)
            }
        }
    }
}

/// Text from the network that nothing on a terminal can be done with. A backslash stays one, for people write them, and
/// so does a joiner between letters that need it ([`joins`]).
pub(super) fn safe(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut safe = String::with_capacity(text.len());
    for (at, &c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at)).copied();
        match c {
            '\\' => safe.push(c),
            _ if is_joiner(c) && joins(before, characters.get(at + 1).copied()) => safe.push(c),
            _ => safe.push_str(&escape(c.to_string())),
        }
    }
    safe
}

/// A room as people write it.
pub(super) fn shown_room(name: &str) -> String {
    format!("#{}", safe(name))
}

/// How long ago, in the largest unit that fits.
fn ago(ms: u64) -> String {
    let seconds = ms / 1000;
    let (count, unit) = match seconds {
        0..=1 => return "just now".into(),
        2..=119 => (seconds, "s"),
        120..=7199 => (seconds / 60, "min"),
        7200..=172_799 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

/// A number of things, in the singular or the plural.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Look {
        Look { colour: false, ..Look::default() }
    }

    #[test]
    fn a_message_is_one_line_with_where_who_what_and_when() {
        let value = Value::object([
            ("room", "tea".into()),
            ("from", "ada".into()),
            ("text", "hello".into()),
            ("at", 1000u64.into()),
            ("offset", 7u64.into()),
        ]);
        let said = Said::of(&value);
        assert_eq!(said.line(When::Now, 1000, &look()).to_string(), "#tea ada: hello");
        assert_eq!(said.line(When::Before, 301_000, &look()).to_string(), "· #tea ada: hello  (5 min ago)");
        assert_eq!(said.line(When::Missed, 13_000, &look()).to_string(), "+ #tea ada: hello  (12 s ago)");
        let private = Said { room: None, to: Some("bob".into()), ..said };
        assert_eq!(private.line(When::Now, 1000, &look()).to_string(), "ada → bob: hello");
    }

    #[test]
    fn nothing_in_a_line_acts_on_a_terminal() {
        let evil = "\u{1b}]0;x\u{7}\u{9b}2J\r\n\u{202e}\u{7f}C:\\dir";
        let value = Value::object([("room", evil.into()), ("from", evil.into()), ("text", evil.into())]);
        let line = Said::of(&value).line(When::Missed, 0, &look()).to_string();
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        assert!(line.contains("C:\\dir"), "a backslash is one: {line}");
    }

    #[test]
    fn joiners_stay_where_a_script_needs_them_and_are_seen_elsewhere() {
        for text in ["می\u{200c}خواهم", "ක\u{dca}\u{200d}රි", "क\u{94d}\u{200d}ष", "👨\u{200d}👩\u{200d}👧"]
        {
            assert_eq!(safe(text), text);
        }
        assert_eq!(safe("a\u{200d}da"), "a\\u{200d}da");
        assert_eq!(safe("\u{200c}می"), "\\u{200c}می");
    }

    #[test]
    fn odd_values_are_shown_as_empty_and_not_taken_for_others() {
        let said = Said::of(&Value::object([("from", 7u64.into()), ("text", Value::Null)]));
        assert_eq!(said.line(When::Now, 0, &look()).to_string(), ": ");
    }
}
