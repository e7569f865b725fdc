//! The server's log on standard error: one line for each thing that happens, for people and for programs.
//!
//! ```text
//! 2026-03-01T12:00:00.123Z info said name=Ada room=lobby bytes=5 offset=17
//! ```
//!
//! Names come from the network, and the log is read in a terminal: a value that is more than a plain
//! word is put in quotation marks, with everything escaped that a terminal would obey or not show. So a line is always
//! one line, and nothing in a value can pass for another value.

use std::fmt::Write as _;

use crate::chat::lounge::Happening;
use crate::cli::output::remark;
use crate::real::clock::unix_ms;

/// Writes the lines, as logfmt or with times for people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Journal {
    is_json: bool,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// Names and values of a line.
type Pairs = [(&'static str, String)];

impl Journal {
    pub(super) fn new(is_json: bool) -> Self {
        Journal { is_json }
    }

    pub(super) fn info(self, event: &str, pairs: &Pairs) {
        self.write(Level::Info, event, pairs);
    }

    pub(super) fn write(self, level: Level, event: &str, pairs: &Pairs) {
        let line = if self.is_json { json } else { plain };
        remark(line(unix_ms(), level, event, pairs));
    }

    /// What happened in the chat.
    pub(super) fn happened(self, happening: &Happening<'_>) {
        let text = |text: &str| text.to_owned();
        let offset = |offset: &Option<u64>| offset.map_or_else(String::new, |offset| offset.to_string());
        match happening {
            Happening::Refused { code, name } => {
                self.write(
                    Level::Warn,
                    "refused",
                    &[("code", text(code)), ("name", name.chars().take(64).collect())],
                );
            }
            Happening::Entered { name } => self.info("entered", &[("name", text(name))]),
            Happening::Away { name, reason } => {
                self.info("away", &[("name", text(name)), ("reason", format!("{reason:?}"))]);
            }
            Happening::Returned { name } => self.info("returned", &[("name", text(name))]),
            Happening::Gone { name } => self.info("gone", &[("name", text(name))]),
            Happening::Left { name, reason } => {
                self.info("left", &[("name", text(name)), ("reason", format!("{reason:?}"))]);
            }
            Happening::Joined { name, room } => {
                self.info("joined", &[("name", text(name)), ("room", text(room))]);
            }
            Happening::LeftRoom { name, room } => {
                self.info("left-room", &[("name", text(name)), ("room", text(room))]);
            }
            Happening::Said { name, room, bytes, offset: at } => {
                let bytes = ("bytes", bytes.to_string());
                self.info(
                    "said",
                    &[("name", text(name)), ("room", text(room)), bytes, ("offset", offset(at))],
                );
            }
            Happening::Whispered { name, to, bytes, offset: at } => {
                let bytes = ("bytes", bytes.to_string());
                self.info(
                    "whispered",
                    &[("name", text(name)), ("to", text(to)), bytes, ("offset", offset(at))],
                );
            }
            Happening::Renamed { from, to } => {
                self.info("renamed", &[("from", text(from)), ("to", text(to))]);
            }
        }
    }
}

fn plain(at_ms: u64, level: Level, event: &str, pairs: &Pairs) -> String {
    let mut line = format!("{} {} {event}", timestamp(at_ms), level.word());
    for (name, value) in pairs {
        let is_word = !value.is_empty()
            && value
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/' | '#' | '@'));
        let _ = if is_word { write!(line, " {name}={value}") } else { write!(line, " {name}={value:?}") };
    }
    line
}

fn json(at_ms: u64, level: Level, event: &str, pairs: &Pairs) -> String {
    // JSON leaves DEL, C1 and what turns the direction of writing as it is: those are escaped here.
    let string = |text: &str| {
        let mut out = String::new();
        for c in serde_json::Value::from(text).to_string().chars() {
            if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() {
                out.push(c);
            } else {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| {
                    let _ = write!(out, "\\u{unit:04x}");
                });
            }
        }
        out
    };
    let mut line =
        format!(r#"{{"time":"{}","level":"{}","event":{}"#, timestamp(at_ms), level.word(), string(event));
    for (name, value) in pairs {
        let is_number = value.parse::<u64>().is_ok_and(|number| number.to_string() == *value);
        let value = if is_number && !is_name(name) { value.clone() } else { string(value) };
        let _ = write!(line, r#","{name}":{value}"#);
    }
    line.push('}');
    line
}

/// Whether this key names a person or a room: one called 7 is no number.
fn is_name(name: &str) -> bool {
    matches!(name, "name" | "room" | "from" | "to")
}

/// RFC 3339, in UTC.
fn timestamp(at_ms: u64) -> String {
    let (seconds, ms) = (at_ms / 1000, at_ms % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The Gregorian date `days` days after 1 January 1970: whole years, then whole months, are taken off.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    // 400 years have 146,097 days: far off dates cost no time.
    let mut year = 1970 + days / 146_097 * 400;
    days %= 146_097;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(timestamp(1_772_366_400_001), "2026-03-01T12:00:00.001Z");
        assert_eq!(timestamp(4_107_542_399_000), "2100-02-28T23:59:59.000Z");
        assert_eq!(timestamp(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn nothing_from_the_network_reaches_the_terminal_as_it_came() {
        let evil = "a\u{1b}[2J\nlevel=error \"x\"\u{9b}1m\u{202e}\u{7f}";
        let line = plain(
            0,
            Level::Info,
            "said",
            &[("name", evil.into()), ("room", "lobby".into()), ("to", "".into())],
        );
        assert_eq!(
            line,
            r#"1970-01-01T00:00:00.000Z info said name="a\u{1b}[2J\nlevel=error \"x\"\u{9b}1m\u{202e}\u{7f}" room=lobby to="""#
        );
        let line = json(
            0,
            Level::Warn,
            "said",
            &[("name", evil.into()), ("bytes", "7".into()), ("room", "7".into())],
        );
        assert!(line.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(
            (read["name"].as_str(), &read["bytes"], &read["room"]),
            (Some(evil), &7.into(), &"7".into())
        );
    }
}
