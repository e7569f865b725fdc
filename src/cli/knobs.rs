//! Knobs as flags: each becomes an option of its name, with its help, its values and its own words for what is wrong.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};

use super::mine;
use crate::sim::knob::network::{CC, NETWORK};
use crate::sim::knob::{AnyKnob, Knobs, Value};

/// The knobs of the network that were turned.
#[derive(Debug, Clone, Default)]
pub(super) struct NetworkFlags(Vec<(&'static dyn AnyKnob, Value)>);

impl NetworkFlags {
    /// The network with these values; the other knobs keep their defaults.
    pub(super) fn network(&self) -> Knobs {
        let mut network = Knobs::default();
        for (knob, value) in &self.0 {
            match mine::here().filter(|_| is_mine(*knob, value)) {
                Some(mine) => network.tcp.congestion = mine,
                None => knob.turn(&mut network, value),
            }
        }
        network
    }

    /// Whether the congestion control is the user's own.
    pub(super) fn names_mine(&self) -> bool {
        self.0.iter().any(|(knob, value)| is_mine(*knob, value))
    }

    /// The knobs that were turned.
    pub(super) fn turned(&self) -> impl Iterator<Item = &'static dyn AnyKnob> {
        self.0.iter().map(|(knob, _)| *knob)
    }

    /// Whether this one was turned.
    pub(super) fn has(&self, name: &str) -> bool {
        self.turned().any(|knob| knob.name() == name)
    }
}

impl Args for NetworkFlags {
    fn augment_args(command: Command) -> Command {
        NETWORK.iter().fold(command, |command, knob| command.arg(option(*knob, knob.default())))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for NetworkFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(NetworkFlags(turned(NETWORK.iter().copied(), matches)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A knob as an option with its help, its values and its own words for what is wrong.
pub(super) fn option(knob: &'static dyn AnyKnob, default: &str) -> Arg {
    let default = match default {
        // That nothing goes wrong goes without saying.
        "" | "0%" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let help = format!("{}{default}", knob.what());
    flag(knob).help(help).help_heading(knob.of()).value_parser(Reads(knob))
}

/// Whether a knob is to stand at the user's own congestion control.
fn is_mine(knob: &dyn AnyKnob, value: &Value) -> bool {
    knob.name() == CC.name && *value == Value::Word(mine::NAME)
}

/// Those of the knobs that were turned, with their values.
pub(super) fn turned(
    knobs: impl Iterator<Item = &'static dyn AnyKnob>,
    matches: &ArgMatches,
) -> Vec<(&'static dyn AnyKnob, Value)> {
    let value = |knob: &'static dyn AnyKnob| Some((knob, matches.get_one::<Value>(knob.name())?.clone()));
    knobs.filter_map(value).collect()
}

/// A knob as an option.
pub(super) fn flag(knob: &'static dyn AnyKnob) -> Arg {
    Arg::new(knob.name())
        .long(knob.name())
        .value_name(knob.placeholder())
        // `-5%` is a value that the knob refuses in its own words, and not an option that there is not.
        .allow_hyphen_values(knob.is_number())
}

/// Reads a value as a knob does.
#[derive(Debug, Clone)]
struct Reads(&'static dyn AnyKnob);

impl TypedValueParser for Reads {
    type Value = Value;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, typed: &OsStr) -> Result<Value, Error> {
        let typed = typed.to_string_lossy();
        // A name of congestion control that is not in the table, for it is in no program but the user's.
        let mine = Value::Word(mine::NAME);
        if typed == mine::NAME && is_mine(self.0, &mine) {
            return Ok(mine);
        }
        self.0.read(&typed).map_err(|expected| {
            let option = arg.map(Arg::to_string).unwrap_or_default();
            invalid(command, &option, &typed, &expected)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        words(self.0)
    }
}

/// Takes any text, and names the words that are meant: for a flag that several lessons have, of which each reads it.
#[derive(Debug, Clone)]
pub(super) struct Suggests(pub(super) &'static dyn AnyKnob);

impl TypedValueParser for Suggests {
    type Value = String;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, typed: &OsStr) -> Result<String, Error> {
        Ok(typed.to_string_lossy().into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        words(self.0)
    }
}

/// Takes any text, and knows names that are meant: for completions in a shell.
#[derive(Debug, Clone)]
pub(super) struct Names(pub(super) fn() -> Vec<(String, &'static str)>);

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, typed: &OsStr) -> Result<String, Error> {
        Ok(typed.to_string_lossy().into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = (self.0)().into_iter();
        // clap's names live as long as the program; these are made once, when completions are asked for.
        Some(Box::new(names.map(|(name, what)| PossibleValue::new(&*name.leak()).help(what))))
    }
}

fn words(knob: &'static dyn AnyKnob) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
    let words = knob.words();
    (!words.is_empty())
        .then(|| Box::new(words.into_iter().map(PossibleValue::new)) as Box<dyn Iterator<Item = _>>)
}

/// The error of a value that a knob refuses.
fn invalid(command: &Command, option: &str, typed: &str, expected: &str) -> Error {
    let message = format!("invalid value '{typed}' for '{option}': {expected}");
    let mut error = Error::raw(ErrorKind::ValueValidation, message).with_cmd(command);
    error.insert(ContextKind::InvalidValue, ContextValue::String(typed.into()));
    error
}
