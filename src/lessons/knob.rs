//! Knobs: what a student may turn in a lesson, and the scenario line that says how all of them stand.
//!
//! A scenario line is the whole input of a run: the lesson and every knob, also those nobody turned, so that it gives
//! the same run when a default changes. `handshake drop=syn delay=20ms seed=1` is one. A character that a shell or the
//! line itself could misread is written as its bytes, `%20`, as in URLs (RFC 3986 §2.1).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::base::Duration;
use crate::layers::physical::delay::Rate;
use crate::sim::scene::Knobs as Network;
use crate::sim::values;

/// One thing that can be turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knob {
    /// Its name on the command line, in lower case: `drop` is turned by `--drop syn`.
    pub name: &'static str,
    /// How it stands when nobody turns it, as one would write it.
    pub default: &'static str,
    /// What values it takes.
    pub values: Values,
    /// What it does, as a phrase.
    pub what: &'static str,
}

/// What values a knob takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// A whole number from the first to the second.
    Count(u64, u64),
    /// A probability: `5%`.
    Share,
    /// A length of time, at least and at most so many milliseconds: `20ms`.
    Time(u64, u64),
    /// Bits per second: `10mbit`.
    Rate,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text of at most so many bytes.
    Text(usize),
}

impl Knob {
    /// The seed of all chance.
    pub const SEED: Knob = Knob::count("seed", "1", 0, u64::MAX, "the seed of all chance");
    /// How long a bit is on its way. At most 400 ms: with a longer round trip than TCP's first timeout of a second
    /// (RFC 6298 §2.1), every handshake would tell of needless repetitions.
    pub const DELAY: Knob = Knob {
        name: "delay",
        default: "20ms",
        values: Values::Time(0, 400),
        what: "propagation delay of the link, one way",
    };
    /// How many frames are lost.
    pub const LOSS: Knob =
        Knob { name: "loss", default: "0%", values: Values::Share, what: "how many frames are lost" };
    /// How many frames are held back.
    pub const REORDER: Knob = Knob {
        name: "reorder",
        default: "0%",
        values: Values::Share,
        what: "how many frames are held back, so that later ones overtake them",
    };
    /// Bits per second of the link.
    pub const RATE: Knob =
        Knob { name: "rate", default: "10mbit", values: Values::Rate, what: "bits per second of the link" };
    /// Which packet of several is lost.
    pub const LOSE: Knob =
        Knob::count("lose", "2", 0, 100, "which packet is lost, counted from 1; 0 for none of them");
    /// The largest IP packet of the link.
    pub const MTU: Knob = Knob::count("mtu", "1500", 68, 65_535, "largest IP packet of the link, in bytes");
    /// The largest TCP segment payload.
    pub const MSS: Knob = Knob::count("mss", "1460", 1, 65_495, "largest TCP segment payload, in bytes");

    /// A knob that takes a whole number.
    pub const fn count(
        name: &'static str,
        default: &'static str,
        least: u64,
        most: u64,
        what: &'static str,
    ) -> Knob {
        Knob { name, default, values: Values::Count(least, most), what }
    }

    /// A knob that takes one of several words.
    pub const fn choice(
        name: &'static str,
        default: &'static str,
        words: &'static [&'static str],
        what: &'static str,
    ) -> Knob {
        Knob { name, default, values: Values::Choice(words), what }
    }

    /// A knob that takes a text of at most `most` bytes.
    pub const fn text(name: &'static str, default: &'static str, most: usize, what: &'static str) -> Knob {
        Knob { name, default, values: Values::Text(most), what }
    }

    /// The same knob with another default.
    pub const fn at(self, default: &'static str) -> Knob {
        Knob { default, ..self }
    }

    /// The same knob with other bounds; only for those that count.
    pub const fn within(self, least: u64, most: u64) -> Knob {
        Knob { values: Values::Count(least, most), ..self }
    }

    /// Whether `text` is a value of it.
    ///
    /// # Errors
    /// In words: what was expected, with an example that works.
    pub fn check(&self, text: &str) -> Result<(), String> {
        match self.values {
            Values::Count(least, most) => match text.parse::<u64>() {
                Ok(n) if (least..=most).contains(&n) => Ok(()),
                _ if most == u64::MAX => Err(format!("expected a whole number, such as {}", self.default)),
                _ => Err(format!("expected {least} to {most}, such as {}", self.default)),
            },
            Values::Share => values::probability(text).map(drop),
            Values::Time(least, most) => match values::duration(text)?.as_nanos() {
                nanos if (least * 1_000_000..=most * 1_000_000).contains(&nanos) => Ok(()),
                _ => Err(format!("expected {least}ms to {most}ms, such as {}", self.default)),
            },
            Values::Rate => values::rate(text).map(drop),
            Values::Choice(words) if words.contains(&text) => Ok(()),
            Values::Choice(words) => Err(format!("expected one of: {}", words.join(", "))),
            Values::Text(most) if text.len() <= most => Ok(()),
            Values::Text(most) => Err(format!("expected at most {most} bytes, got {}", text.len())),
        }
    }

    /// Values worth trying: the ends of what it takes, and what lies between them if that can be listed. The tests
    /// play every lesson with each of them.
    pub fn samples(&self) -> Vec<String> {
        match self.values {
            Values::Count(least, most) => vec![least.to_string(), most.to_string()],
            Values::Share => vec!["0%".into(), "20%".into()],
            Values::Time(least, most) => vec![format!("{least}ms"), format!("{most}ms")],
            Values::Rate => vec!["56kbit".into(), "1gbit".into()],
            Values::Choice(words) => words.iter().map(|word| (*word).to_string()).collect(),
            Values::Text(most) => {
                vec![String::new(), "a".into(), "\u{4f60}\u{597d} \u{1f600}".into(), "x".repeat(most)]
            }
        }
    }
}

/// A lesson and how each of its knobs stands: all that a run depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The lesson's id.
    pub lesson: &'static str,
    knobs: Vec<(&'static str, String)>,
}

impl Scenario {
    /// The knobs of `lesson` as they stand when nobody turns them.
    pub fn of(lesson: &super::Lesson) -> Self {
        let knobs = lesson.knobs.iter().map(|knob| (knob.name, knob.default.to_string())).collect();
        Scenario { lesson: lesson.id, knobs }
    }

    /// Turns one knob.
    ///
    /// # Errors
    /// When the lesson has no such knob, or it does not take that value: in words, with what was expected.
    pub fn turn(&mut self, lesson: &super::Lesson, name: &str, value: &str) -> Result<(), String> {
        let Some(knob) = lesson.knobs.iter().find(|knob| knob.name == name) else {
            let names: Vec<&str> = lesson.knobs.iter().map(|knob| knob.name).collect();
            let has = if names.is_empty() { "none".to_string() } else { names.join(", ") };
            return Err(format!("lesson {} has no knob '{name}': it has {has}", lesson.number));
        };
        knob.check(value).map_err(|expected| format!("invalid value '{value}' for {name}: {expected}"))?;
        if let Some((_, standing)) = self.knobs.iter_mut().find(|(known, _)| *known == name) {
            *standing = value.to_string();
        }
        Ok(())
    }

    /// How a knob stands.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.knobs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The network that the knobs with its usual names describe; the others stand as they do in `compare`.
    ///
    /// An MSS larger than the MTU leaves room for is cut down to it: no interface would announce it.
    pub fn network(&self) -> Network {
        let mut network = Network::default();
        for (name, value) in &self.knobs {
            // Every value was checked when its knob was turned.
            match *name {
                "seed" => network.seed = value.parse().unwrap_or(network.seed),
                "delay" => network.delay = values::duration(value).unwrap_or(network.delay),
                "loss" => network.loss = values::probability(value).unwrap_or(network.loss),
                "reorder" => network.reorder = values::probability(value).unwrap_or(network.reorder),
                "rate" => network.rate = values::rate(value).ok().or(network.rate),
                "mtu" => network.mtu = values::mtu(value).unwrap_or(network.mtu),
                "mss" => network.mss = value.parse().ok(),
                _ => {}
            }
        }
        let most = network.mtu.saturating_sub(40);
        network.mss = network.mss.map(|mss| mss.min(most));
        network
    }

    /// Reads a scenario line.
    ///
    /// # Errors
    /// In words, with what was expected.
    pub fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let Some(id) = words.next() else {
            return Err(
                "the scenario line is empty: expected a lesson and its knobs, such as 'handshake drop=syn'"
                    .into(),
            );
        };
        let lesson = super::find(id).ok_or_else(|| format!("the scenario line names no lesson: '{id}'"))?;
        let mut scenario = Scenario::of(lesson);
        let mut seen = BTreeMap::new();
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                return Err(format!("expected KNOB=VALUE in the scenario line, got '{word}'"));
            };
            if seen.insert(name, ()).is_some() {
                return Err(format!("the scenario line turns '{name}' twice"));
            }
            scenario.turn(lesson, name, &unescape(value)?)?;
        }
        Ok(scenario)
    }

    /// A length of time.
    pub(super) fn time(&self, name: &str) -> Option<Duration> {
        values::duration(self.value(name)?).ok()
    }

    /// A probability.
    pub(super) fn share(&self, name: &str) -> Option<f64> {
        values::probability(self.value(name)?).ok()
    }

    /// A rate.
    pub(super) fn rate(&self, name: &str) -> Option<Rate> {
        values::rate(self.value(name)?).ok()
    }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.lesson)?;
        self.knobs.iter().try_for_each(|(name, value)| write!(f, " {name}={}", escape(value)))
    }
}

/// Writes whatever a shell, a terminal or a scenario line could misread as its bytes.
fn escape(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || ".,:;+-_/@".contains(c) || (!c.is_ascii() && c.is_alphanumeric()) {
            safe.push(c);
        } else {
            let mut room = [0; 4];
            for byte in c.encode_utf8(&mut room).bytes() {
                let _ = write!(safe, "%{byte:02X}");
            }
        }
    }
    safe
}

fn unescape(text: &str) -> Result<String, String> {
    let bad = || {
        format!(
            "'{text}' is not written as in a scenario line: expected %XX to be a byte, and the bytes UTF-8"
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|d| char::from(d).to_digit(16));
        let (high, low) = (digit(), digit());
        let (Some(high), Some(low)) = (high, low) else { return Err(bad()) };
        bytes.push((high << 4 | low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_survives_a_scenario_line(text in "\\PC{0,30}") {
            prop_assert_eq!(unescape(&escape(&text)), Ok(text.clone()));
            prop_assert!(!escape(&text).contains([' ', '\'', '"', '$', '`', '\\', '=']));
        }

        #[test]
        fn any_line_is_read_or_refused(line in "\\PC{0,60}") {
            let _ = Scenario::parse(&line);
        }
    }

    #[test]
    fn a_scenario_line_gives_the_scenario_back() {
        for lesson in crate::lessons::ALL {
            for knob in lesson.knobs {
                for value in knob.samples() {
                    let mut scenario = Scenario::of(lesson);
                    scenario.turn(lesson, knob.name, &value).expect("a sample is a value");
                    assert_eq!(Scenario::parse(&scenario.to_string()), Ok(scenario));
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_scenario_is_answered_with_what_was_expected() {
        for (line, expected) in [
            ("", "is empty"),
            ("juggling", "names no lesson"),
            ("handshake drop", "KNOB=VALUE"),
            ("handshake drop=cake", "expected one of"),
            ("handshake colour=red", "has no knob"),
            ("handshake drop=syn drop=ack", "twice"),
            ("bytes text=%4", "%XX"),
        ] {
            let error = Scenario::parse(line).expect_err(line);
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
