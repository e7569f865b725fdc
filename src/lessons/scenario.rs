//! Scenarios: what is played, and with which values of its knobs.
//!
//! A scenario line is the whole input of a run: the lesson and every knob, also those at their defaults, so that it
//! gives the same run when a default changes. `handshake drop=syn delay=20ms seed=1` is one. A character that a shell
//! or the line itself could misread is written as its bytes, `%20`, as in URLs (RFC 3986 §2.1); a `%` at the end of a
//! value means itself, as in `loss=3%`. Forks come last, `what-if=clean/8=lost,12=late=200ms`: of which scene, which
//! frames, and what becomes of them ([`crate::sim::fork`]).

use std::fmt::Write as _;

use crate::sim::fork::{self, Fork};
use crate::sim::knob::{AnyKnob, Knob, Knobs as Network, Value};

/// How a scenario line names its forks.
const WHAT_IF: &str = "what-if";

/// What is played, and with which values of its knobs: all that a run depends on.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The id of the lesson; for the pictures of the vocabulary, `explain`.
    pub id: &'static str,
    knobs: Vec<(&'static dyn AnyKnob, Value)>,
    /// The scene that is forked, once it is known, and the forks.
    forked: Option<(Option<String>, Vec<Fork>)>,
}

impl Scenario {
    /// With all knobs, in this order, at their defaults.
    ///
    /// # Panics
    /// When the default of a knob is none of its values; `house_rules` looks for that.
    pub fn new(id: &'static str, knobs: &'static [&'static dyn AnyKnob]) -> Self {
        let stands = |knob: &&'static dyn AnyKnob| {
            let value = knob.read(knob.default());
            (*knob, value.unwrap_or_else(|expected| panic!("the default of '{}': {expected}", knob.name())))
        };
        Scenario { id, knobs: knobs.iter().map(stands).collect(), forked: None }
    }

    /// Turns one knob.
    ///
    /// # Errors
    /// When there is no such knob, or it does not take that value: in words, with what was expected.
    pub fn turn(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some((knob, standing)) = self.knobs.iter_mut().find(|(knob, _)| knob.name() == name) else {
            let names: Vec<&str> = self.knobs.iter().map(|(knob, _)| knob.name()).collect();
            let has = if names.is_empty() { "none".to_string() } else { names.join(", ") };
            return Err(format!("lesson {} has no knob '{name}': it has {has}", self.id));
        };
        let invalid = |expected| format!("invalid value '{value}' for {name}: {expected}");
        *standing = knob.read(value).map_err(invalid)?;
        Ok(())
    }

    /// Changes the fates of these frames of a scene; of the first one with frames, if none is named. No forks: none are
    /// changed.
    pub fn what_if(&mut self, scene: Option<String>, forks: Vec<Fork>) {
        self.forked = Some((scene, forks)).filter(|(_, forks)| !forks.is_empty());
    }

    /// The frames whose fate is changed, in the order of their numbers.
    pub fn forks(&self) -> &[Fork] {
        self.forked.as_ref().map_or(&[], |(_, forks)| forks)
    }

    /// The scene that is forked, if it was named.
    pub fn forked_scene(&self) -> Option<&str> {
        self.forked.as_ref().and_then(|(scene, _)| scene.as_deref())
    }

    /// The same without forks.
    #[must_use]
    pub fn without_forks(&self) -> Scenario {
        Scenario { forked: None, ..self.clone() }
    }

    /// Names the scene that is forked.
    pub(super) fn name_forked_scene(&mut self, id: &str) {
        if let Some((scene, _)) = &mut self.forked {
            *scene = Some(id.to_owned());
        }
    }

    /// The value of a knob.
    ///
    /// # Panics
    /// When the lesson has no such knob: a script asks for the knobs of its own lesson.
    pub fn get<T: Clone>(&self, knob: &Knob<T>) -> T {
        let found = self.knobs.iter().find(|(known, _)| known.name() == knob.name);
        let (_, value) = found.unwrap_or_else(|| panic!("lesson {} has no knob '{}'", self.id, knob.name));
        knob.typed(value)
    }

    /// The network that its knobs describe; what it has no knob for has the default that it has in `compare`. But its TCP
    /// is the bare one, for ladders that are easy to read: what a lesson is about, its own knobs switch on.
    pub fn network(&self) -> Network {
        let mut network = Network::bare();
        self.knobs.iter().for_each(|(knob, value)| knob.turn(&mut network, value));
        network
    }

    /// Turns what the rest of a scenario line says, `drop=syn seed=2`.
    ///
    /// # Errors
    /// In words, with what was expected.
    pub(super) fn turn_all<'a>(&mut self, words: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let mut turned = Vec::new();
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                return Err(format!("expected KNOB=VALUE in the scenario line, got '{word}'"));
            };
            if turned.contains(&name) {
                return Err(format!("the scenario line turns '{name}' twice"));
            }
            turned.push(name);
            if name == WHAT_IF {
                let (scene, forks) = match value.split_once('/') {
                    Some((scene, forks)) => (Some(unescape(scene)?), forks),
                    None => (None, value),
                };
                self.what_if(scene, fork::parse(forks)?);
                continue;
            }
            self.turn(name, &unescape(value)?)?;
        }
        Ok(())
    }
}

impl PartialEq for Scenario {
    fn eq(&self, other: &Self) -> bool {
        let stands = |(knob, value): &(&'static dyn AnyKnob, Value)| (knob.name(), value.clone());
        self.id == other.id
            && self.forked == other.forked
            && self.knobs.iter().map(stands).eq(other.knobs.iter().map(stands))
    }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)?;
        let mut knobs = self.knobs.iter();
        knobs.try_for_each(|(knob, value)| write!(f, " {}={}", knob.name(), escape(&value.to_string())))?;
        match &self.forked {
            None => Ok(()),
            Some((None, forks)) => write!(f, " {WHAT_IF}={}", fork::written(forks)),
            Some((Some(scene), forks)) => write!(f, " {WHAT_IF}={}/{}", escape(scene), fork::written(forks)),
        }
    }
}

/// Writes whatever a shell, a terminal or a scenario line could misread as its bytes.
fn escape(text: &str) -> String {
    let mut safe = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let is_last = rest.as_str().is_empty();
        if (c == '%' && is_last)
            || c.is_ascii_alphanumeric()
            || ".,:;+-_/@".contains(c)
            || (!c.is_ascii() && c.is_alphanumeric())
        {
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
        if byte != b'%' || rest.len() == 0 {
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
    }

    #[test]
    fn a_percent_sign_at_the_end_stands_for_itself() {
        assert_eq!(escape("3%"), "3%");
        assert_eq!(escape("3%4"), "3%254");
        assert_eq!(escape("%%"), "%25%");
        assert_eq!(unescape("3%"), Ok("3%".into()));
        assert_eq!(unescape("3%25"), Ok("3%".into()), "as lines of older versions have it");
        assert!(unescape("%4").is_err());
    }
}
