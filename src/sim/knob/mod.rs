//! Knobs: what can be turned in a run, each declared once with its name, its type, its range and what it turns.
//!
//! | file | what |
//! |---|---|
//! | here | [`Knob<T>`](Knob): a knob set to a `T`; [`AnyKnob`]: the same for lists of all kinds of them |
//! | [`values`] | values as people write them: `5%`, `20ms`, `10mbit` |
//! | [`network`] | the table of the network's own knobs |
//! | [`setup`] | [`Knobs`]: the network as they set it up |
//!
//! A knob reads the text that was typed once, into a [`Value`]. From then on it is a value of its type: a lesson asks
//! for `stage.knob(SIZE)` and gets the `usize` that `SIZE: Knob<usize>` promises.

pub mod network;
pub mod setup;
pub mod values;

use std::fmt;

pub use self::setup::Knobs;
use crate::base::Duration;
use crate::layers::physical::delay::Rate;

/// One parameter that can be set, to a value of type `T`.
#[derive(Debug)]
pub struct Knob<T: 'static> {
    /// Its name on the command line, in lower case.
    pub name: &'static str,
    what: &'static str,
    default: &'static str,
    because: &'static str,
    of: &'static str,
    range: Range<T>,
    typed: fn(&Value) -> Option<T>,
    turns: Option<Turns<T>>,
}

/// Which values a knob takes, and in which unit.
#[derive(Debug)]
pub enum Range<T: 'static> {
    /// A whole number from the first to the second.
    Count(u64, u64),
    /// The same, and it counts bytes.
    Bytes(u64, u64),
    /// A probability from 0 to 1: `5%`.
    Share,
    /// A length of time, at least the first and at most the second: `20ms`.
    Time(Duration, Duration),
    /// Bits per second: `10mbit`.
    Rate,
    /// One of these words, each with what it means.
    Choice(&'static [(&'static str, T)]),
    /// Any text of at most this many bytes.
    Text(usize),
}

/// What a knob of the network turns.
#[derive(Debug)]
struct Turns<T> {
    set: fn(&mut Knobs, T),
    get: fn(&Knobs) -> Option<Value>,
    real: Option<fn(&Knobs) -> Option<Value>>,
    said: Option<fn(&Knobs) -> Option<String>>,
}

/// What a knob is set to. Printed, it is as one types it, `20ms`; with `{:#}`, as one reads it, `20 ms`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number without a unit.
    Count(u64),
    /// A probability, from 0 to 1.
    Share(f64),
    /// A length of time.
    Time(Duration),
    /// Bits per second: `10mbit`.
    Rate(Rate),
    /// One of the words of the knob.
    Word(&'static str),
    /// Any text, such as a message.
    Text(String),
}

/// A knob of any type, for lists: a lesson's knobs, the table of the network's.
pub trait AnyKnob: fmt::Debug + Send + Sync {
    /// Its name on the command line, in lower case: `drop` is turned by `--drop syn`.
    fn name(&self) -> &'static str;
    /// What it does, as a phrase.
    fn what(&self) -> &'static str;
    /// The heading of its kind in help: `Knobs of TCP`.
    fn of(&self) -> &'static str;
    /// Its default, as one would write it; empty when that follows from other knobs.
    fn default(&self) -> &'static str;
    /// The placeholder of its value in help: `P%`, `TIME`, `WORD`.
    fn placeholder(&self) -> &'static str;
    /// Which values it takes, in words: `1 to 100`; empty where a word says so already.
    fn takes(&self) -> String;
    /// The words that it takes; none when it takes others.
    fn words(&self) -> Vec<&'static str>;
    /// Reads what was typed.
    ///
    /// # Errors
    /// In words: what was expected, with an example that works.
    fn read(&self, text: &str) -> Result<Value, String>;
    /// Values worth trying: the ends of its range, and all of them if they can be listed. The tests play every lesson
    /// with each.
    fn samples(&self) -> Vec<String>;
    /// Whether a text that begins with a dash can be meant as its value: a negative number, which it then refuses.
    fn is_number(&self) -> bool;
    /// Turns what it turns in the network; a lesson's own knob turns nothing there.
    fn turn(&self, knobs: &mut Knobs, value: &Value);
    /// Its value in the network; `None` when it has none there, as the rate of a link without one.
    fn value_in(&self, knobs: &Knobs) -> Option<Value>;
    /// Whether it also means something to the operating system's own sockets.
    fn is_real(&self) -> bool;
    /// Its value for those; `None` where the system decides.
    fn value_on_real_sockets(&self, knobs: &Knobs) -> Option<Value>;
    /// Its part of the line that says under which conditions a run took place, unless it goes without saying.
    fn said(&self, knobs: &Knobs) -> Option<String>;
    /// Its name in JSON, with its unit: `delay_ns`.
    fn json_key(&self) -> String;
}

impl<T> Knob<T> {
    const fn new(
        name: &'static str,
        default: &'static str,
        range: Range<T>,
        typed: fn(&Value) -> Option<T>,
        what: &'static str,
    ) -> Self {
        Knob { name, what, default, because: "", of: "Knobs of the network", range, typed, turns: None }
    }

    /// The same knob with another default.
    pub const fn at(self, default: &'static str) -> Self {
        Knob { default, ..self }
    }

    /// The same knob with a narrower range.
    pub const fn within(self, range: Range<T>) -> Self {
        Knob { range, ..self }
    }

    /// The same knob with another phrase for what it does.
    pub const fn told(self, what: &'static str) -> Self {
        Knob { what, ..self }
    }

    /// The same knob, under this heading in help.
    const fn of(self, of: &'static str) -> Self {
        Knob { of, ..self }
    }

    /// Why the range is what it is, for the error message of a value outside it.
    const fn because(self, because: &'static str) -> Self {
        Knob { because, ..self }
    }

    /// What it sets in the network, and how its value is read there.
    const fn turns(self, set: fn(&mut Knobs, T), get: fn(&Knobs) -> Option<Value>) -> Self {
        Knob { turns: Some(Turns { set, get, real: None, said: None }), ..self }
    }

    /// It also means something to real sockets, and has this value for them.
    const fn real(mut self, real: fn(&Knobs) -> Option<Value>) -> Self {
        if let Some(turns) = &mut self.turns {
            turns.real = Some(real);
        }
        self
    }

    /// What the conditions of a run say of it, instead of its name and value when it was turned.
    const fn said(mut self, said: fn(&Knobs) -> Option<String>) -> Self {
        if let Some(turns) = &mut self.turns {
            turns.said = Some(said);
        }
        self
    }
}

impl<T: TryFrom<u64>> Knob<T> {
    /// A knob that takes a whole number.
    pub const fn count(
        name: &'static str,
        default: &'static str,
        least: u64,
        most: u64,
        what: &'static str,
    ) -> Self {
        Knob::new(name, default, Range::Count(least, most), counted, what)
    }

    /// A knob that takes a number of bytes.
    pub const fn bytes(
        name: &'static str,
        default: &'static str,
        least: u64,
        most: u64,
        what: &'static str,
    ) -> Self {
        Knob::new(name, default, Range::Bytes(least, most), counted, what)
    }
}

fn counted<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    match value {
        Value::Count(n) => T::try_from(*n).ok(),
        _ => None,
    }
}

impl Knob<f64> {
    /// A knob that takes a probability.
    pub const fn share(name: &'static str, default: &'static str, what: &'static str) -> Self {
        Knob::new(name, default, Range::Share, shared, what)
    }
}

fn shared(value: &Value) -> Option<f64> {
    if let Value::Share(share) = value { Some(*share) } else { None }
}

impl Knob<Duration> {
    /// A knob that takes a length of time.
    pub const fn time(
        name: &'static str,
        default: &'static str,
        least: Duration,
        most: Duration,
        what: &'static str,
    ) -> Self {
        Knob::new(name, default, Range::Time(least, most), timed, what)
    }
}

fn timed(value: &Value) -> Option<Duration> {
    if let Value::Time(time) = value { Some(*time) } else { None }
}

impl Knob<Rate> {
    /// A knob that takes bits per second.
    pub const fn rate(name: &'static str, default: &'static str, what: &'static str) -> Self {
        Knob::new(name, default, Range::Rate, rated, what)
    }
}

fn rated(value: &Value) -> Option<Rate> {
    if let Value::Rate(rate) = value { Some(*rate) } else { None }
}

impl Knob<String> {
    /// A knob that takes a text of at most `most` bytes.
    pub const fn text(name: &'static str, default: &'static str, most: usize, what: &'static str) -> Self {
        Knob::new(name, default, Range::Text(most), written, what)
    }
}

fn written(value: &Value) -> Option<String> {
    if let Value::Text(text) = value { Some(text.clone()) } else { None }
}

impl<T: Clone> Knob<T> {
    /// A knob that takes one of several words, each of which means a `T`.
    pub const fn choice(
        name: &'static str,
        default: &'static str,
        words: &'static [(&'static str, T)],
        what: &'static str,
    ) -> Self {
        Knob::new(name, default, Range::Choice(words), |_| None, what)
    }

    /// What a value of this knob means.
    ///
    /// # Panics
    /// When the value is another knob's.
    pub fn typed(&self, value: &Value) -> T {
        let typed = match (&self.range, value) {
            (Range::Choice(words), Value::Word(word)) => {
                words.iter().find(|(known, _)| known == word).map(|(_, meant)| meant.clone())
            }
            _ => (self.typed)(value),
        };
        typed.unwrap_or_else(|| panic!("{value:?} is no value of the knob '{}'", self.name))
    }
}

impl<T: Clone + fmt::Debug + Send + Sync> AnyKnob for Knob<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn what(&self) -> &'static str {
        self.what
    }

    fn of(&self) -> &'static str {
        self.of
    }

    fn default(&self) -> &'static str {
        self.default
    }

    fn placeholder(&self) -> &'static str {
        match &self.range {
            Range::Count(..) => "N",
            Range::Bytes(..) => "BYTES",
            Range::Share => "P%",
            Range::Time(..) => "TIME",
            Range::Rate => "RATE",
            Range::Choice(_) => "WORD",
            Range::Text(_) => "TEXT",
        }
    }

    fn takes(&self) -> String {
        match &self.range {
            Range::Count(_, u64::MAX) | Range::Rate | Range::Text(_) => String::new(),
            Range::Count(least, most) | Range::Bytes(least, most) => format!("{least} to {most}"),
            Range::Share => "0% to 100%".into(),
            Range::Time(least, most) => {
                format!("{} to {}", values::written_time(*least), values::written_time(*most))
            }
            Range::Choice(_) => self.words().join(", "),
        }
    }

    fn words(&self) -> Vec<&'static str> {
        match &self.range {
            Range::Choice(words) => words.iter().map(|(word, _)| *word).collect(),
            _ => Vec::new(),
        }
    }

    fn read(&self, text: &str) -> Result<Value, String> {
        let because = if self.because.is_empty() { String::new() } else { format!(" ({})", self.because) };
        let example = if self.default.is_empty() { "536" } else { self.default };
        let count = |least, most, unit| match text.trim().parse::<u64>() {
            Ok(n) if (least..=most).contains(&n) => Ok(Value::Count(n)),
            _ if most == u64::MAX => Err(format!("expected a whole number{unit}, such as {example}")),
            _ => Err(format!("expected {least} to {most}{unit}, such as {example}{because}")),
        };
        match &self.range {
            Range::Count(least, most) => count(*least, *most, ""),
            Range::Bytes(least, most) => count(*least, *most, " bytes"),
            Range::Share => values::probability(text).map(Value::Share),
            Range::Time(least, most) => match values::duration(text)? {
                time if (*least..=*most).contains(&time) => Ok(Value::Time(time)),
                _ => {
                    let (least, most) = (values::written_time(*least), values::written_time(*most));
                    Err(format!("expected {least} to {most}, such as {example}{because}"))
                }
            },
            Range::Rate => values::rate(text).map(Value::Rate),
            Range::Choice(words) => match words.iter().find(|(word, _)| *word == text) {
                Some((word, _)) => Ok(Value::Word(word)),
                None => Err(format!("expected one of: {}{because}", self.words().join(", "))),
            },
            Range::Text(most) if text.len() <= *most => Ok(Value::Text(text.into())),
            Range::Text(most) => Err(format!("expected at most {most} bytes, got {}", text.len())),
        }
    }

    fn samples(&self) -> Vec<String> {
        match &self.range {
            Range::Count(least, most) | Range::Bytes(least, most) => {
                vec![least.to_string(), most.to_string()]
            }
            Range::Share => vec!["0%".into(), "20%".into()],
            Range::Time(least, most) => vec![values::written_time(*least), values::written_time(*most)],
            Range::Rate => vec!["56kbit".into(), "1gbit".into()],
            Range::Choice(words) => words.iter().map(|(word, _)| (*word).to_string()).collect(),
            Range::Text(most) => {
                vec![String::new(), "a".into(), "\u{4f60}\u{597d} \u{1f600}".into(), "x".repeat(*most)]
            }
        }
    }

    fn is_number(&self) -> bool {
        !matches!(self.range, Range::Choice(_) | Range::Text(_))
    }

    fn turn(&self, knobs: &mut Knobs, value: &Value) {
        if let Some(turns) = &self.turns {
            (turns.set)(knobs, self.typed(value));
        }
    }

    fn value_in(&self, knobs: &Knobs) -> Option<Value> {
        (self.turns.as_ref()?.get)(knobs)
    }

    fn is_real(&self) -> bool {
        self.turns.as_ref().is_some_and(|turns| turns.real.is_some())
    }

    fn value_on_real_sockets(&self, knobs: &Knobs) -> Option<Value> {
        (self.turns.as_ref()?.real?)(knobs)
    }

    fn said(&self, knobs: &Knobs) -> Option<String> {
        let turns = self.turns.as_ref()?;
        if let Some(said) = turns.said {
            return said(knobs);
        }
        let value = (turns.get)(knobs)?;
        (Some(&value) != (turns.get)(&Knobs::default()).as_ref()).then(|| format!("{} {value:#}", self.name))
    }

    fn json_key(&self) -> String {
        let unit = match self.range {
            Range::Time(..) => "_ns",
            Range::Rate => "_bits_per_second",
            _ => "",
        };
        format!("{}{unit}", self.name.replace('-', "_"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, f.alternate()) {
            (Value::Count(n), _) => write!(f, "{n}"),
            (Value::Share(share), false) => f.write_str(&values::written_share(*share)),
            (Value::Share(share), true) => write!(f, "{}%", (share * 1e5).round() / 1e3),
            (Value::Time(time), false) => f.write_str(&values::written_time(*time)),
            (Value::Time(time), true) => write!(f, "{time}"),
            (Value::Rate(rate), false) => f.write_str(&values::written_rate(*rate)),
            (Value::Rate(rate), true) => write!(f, "{rate}"),
            (Value::Word(word), _) => f.write_str(word),
            (Value::Text(text), _) => f.write_str(text),
        }
    }
}

impl From<f64> for Value {
    fn from(share: f64) -> Self {
        Value::Share(share)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Value::Count(n)
    }
}

impl From<u16> for Value {
    fn from(n: u16) -> Self {
        Value::Count(n.into())
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Self {
        Value::Count(n as u64)
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Value::Time(time)
    }
}

impl From<Rate> for Value {
    fn from(rate: Rate) -> Self {
        Value::Rate(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Fruit {
        Apple,
        Pear,
    }

    const FRUIT: Knob<Fruit> =
        Knob::choice("fruit", "pear", &[("apple", Fruit::Apple), ("pear", Fruit::Pear)], "what is eaten");
    const SIZE: Knob<u16> = Knob::bytes("size", "10", 1, 100, "how much");

    #[test]
    fn what_was_typed_becomes_a_value_of_the_knobs_type() {
        assert_eq!(FRUIT.typed(&FRUIT.read("apple").expect("a word")), Fruit::Apple);
        assert_eq!(SIZE.typed(&SIZE.read(" 100").expect("a number")), 100_u16);
        let text = Knob::text("text", "x", 3, "what is said");
        assert_eq!(text.typed(&text.read("abc").expect("short enough")), "abc");
    }

    #[test]
    fn what_was_not_meant_is_answered_with_what_was() {
        assert_eq!(FRUIT.read("plum"), Err("expected one of: apple, pear".into()));
        for bad in ["0", "101", "-1", "", "ten", "1e1"] {
            assert_eq!(SIZE.read(bad), Err("expected 1 to 100 bytes, such as 10".into()), "{bad}");
        }
        let any: Knob<u64> = Knob::count("seed", "1", 0, u64::MAX, "");
        assert_eq!(any.read("-1"), Err("expected a whole number, such as 1".into()));
    }

    #[test]
    fn a_value_is_written_as_it_is_typed_and_as_it_is_read() {
        for (value, typed, read) in [
            (Value::Share(0.03), "3%", "3%"),
            (Value::Time(Duration::from_millis(20)), "20ms", "20 ms"),
            (Value::Rate(Rate::mbit(10)), "10mbit", "10 Mbit/s"),
            (Value::Word("apple"), "apple", "apple"),
        ] {
            assert_eq!((value.to_string().as_str(), format!("{value:#}").as_str()), (typed, read));
        }
    }
}
