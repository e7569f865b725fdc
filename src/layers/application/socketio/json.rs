//! JSON text to values and back (RFC 8259), so that what goes through a server comes out as it went in.
//!
//! A library would do, were it not for what a library makes of the edges. Here:
//!
//! | what a client sends | what the others get |
//! |---|---|
//! | numbers: `1.0`, `-0`, `1e400`, 2^53 + 1, a hundred digits | the same characters: see [`Number`] |
//! | an object that has a name twice | the same members in the same order; the program sees the last one, as JavaScript does |
//! | half of a surrogate pair, `"\ud800"`, which JavaScript's strings may hold and Unicode text may not | U+FFFD, which is what a WebSocket's or a `TextEncoder`'s conversion makes of it; the sender is not punished |
//! | arrays and objects nested deeper than allowed | nothing: it is an error, at once, however long the text is |
//! | anything RFC 8259 does not allow: `NaN`, `01`, a control character in a string | nothing: an error |
//!
//! Space between values is dropped, and a character that was written as an escape is written as itself where that is
//! allowed: the text may differ, what it says does not.

use std::fmt;
use std::io::Write as _;

use bytes::Bytes;
use serde::ser::{Serialize, Serializer};

use super::{ERRORS, Value};
use crate::base::ParseError;

/// A number as it was written. JSON sets no limit to what a number may be (RFC 8259 §6), and a reader that puts one into 64
/// bits and writes it again may have changed it; a server that only passes it on has no need to.
///
/// Two numbers are equal here when they are written alike: `1` is not `1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Written);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Written {
    /// Whole numbers need no memory of their own.
    Unsigned(u64),
    Negative(i64),
    Other(Box<str>),
}

impl Number {
    /// The number, when it is a whole one from 0 to 2^64 - 1, written as such.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Written::Unsigned(number) => Some(number),
            Written::Negative(_) | Written::Other(_) => None,
        }
    }

    /// The nearest number of 64 bits, as JavaScript has it; infinite when it is too large.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Written::Unsigned(number) => *number as f64,
            Written::Negative(number) => *number as f64,
            Written::Other(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// The number that this text is.
    fn of(text: &str) -> Self {
        let written = match text.as_bytes() {
            // Minus zero is no whole number of 64 bits.
            b"-0" => None,
            [b'-', ..] => text.parse().ok().map(Written::Negative),
            _ => text.parse().ok().map(Written::Unsigned),
        };
        Number(written.unwrap_or_else(|| Written::Other(text.into())))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Number(Written::Unsigned(number))
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        u64::try_from(number).map_or(Number(Written::Negative(number)), Number::from)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Written::Unsigned(number) => number.fmt(f),
            Written::Negative(number) => number.fmt(f),
            Written::Other(text) => f.write_str(text),
        }
    }
}

/// For other formats, which have no numbers of any length: the nearest one of 64 bits.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Written::Unsigned(number) => serializer.serialize_u64(*number),
            Written::Negative(number) => serializer.serialize_i64(*number),
            Written::Other(_) => serializer.serialize_f64(self.as_f64()),
        }
    }
}

/// Reads a text that is one value.
pub(super) fn read(text: &str, depth: usize) -> Result<Value, ParseError> {
    let mut reader = Reader { text, at: 0, depth };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.wrong("the end of the text")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// The value that begins here, `depth` arrays and objects deep.
    fn value(&mut self, depth: usize) -> Result<Value, ParseError> {
        match self.peek() {
            Some(b'[' | b'{') if depth >= self.depth => {
                Err(self.wrong(format!("nesting of at most {}", self.depth)))
            }
            Some(b'[') => self.array(depth + 1),
            Some(b'{') => self.object(depth + 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.wrong("a JSON value (RFC 8259 §3)")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, ParseError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.wrong(word));
        }
        self.at += word.len();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value, ParseError> {
        let mut elements = Vec::new();
        self.at += 1;
        self.space();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            self.space();
            elements.push(self.value(depth)?);
            self.space();
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            if !self.take(b',') {
                return Err(self.wrong("',' or ']'"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, ParseError> {
        let mut members = Vec::new();
        self.at += 1;
        self.space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a member's name"));
            }
            let name = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(self.wrong("':'"));
            }
            self.space();
            members.push((name, self.value(depth)?));
            self.space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.wrong("',' or '}'"));
            }
        }
    }

    /// `[ minus ] int [ frac ] [ exp ]` (§6).
    fn number(&mut self) -> Result<Value, ParseError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Value::Number(Number::of(&self.text[start..self.at])))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut read = String::new();
        loop {
            let start = self.at;
            // None of these three is part of a longer UTF-8 sequence.
            let plain = self.text.as_bytes()[start..].iter();
            let end = plain.take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count() + start;
            self.at = end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if read.is_empty() {
                        return Ok(self.text[start..end].to_owned());
                    }
                    read.push_str(&self.text[start..end]);
                    return Ok(read);
                }
                Some(b'\\') => {
                    read.push_str(&self.text[start..end]);
                    self.at += 1;
                    read.push(self.escape()?);
                }
                _ => return Err(self.wrong("a character of a string, or its end (RFC 8259 §7)")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let escaped = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.wrong("an escape (RFC 8259 §7)")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// The digits after `\u`, and after the `\u` of its other half.
    fn unicode(&mut self) -> Result<char, ParseError> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let before = self.at;
            self.at += 1;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // It is a character of its own.
            self.at = before;
        }
        // Half of a pair is no character.
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// `u` and four digits.
    fn hex(&mut self) -> Result<u32, ParseError> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let code = code.ok_or_else(|| self.wrong("four hexadecimal digits"))?;
        self.at += 5;
        Ok(code)
    }

    fn wrong(&self, expected: impl Into<crate::base::Wording>) -> ParseError {
        let got = match self.text[..].get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(got) => format!("{got:?}"),
            None => "the end of the text".into(),
        };
        ERRORS.malformed("data", self.at, expected, got)
    }
}

/// Writes a value. Its bytes are taken out, and placeholders left for them; when nothing is `taken` they become arrays
/// of numbers.
pub(super) fn write(value: &Value, out: &mut Vec<u8>, taken: &mut Option<Vec<Bytes>>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        // Writing to memory cannot fail.
        Value::Number(number) => drop(write!(out, "{number}")),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) => {
            out.push(b'[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(element, out, taken);
            }
            out.push(b']');
        }
        // A peer sent an object that looks like a placeholder as plain data. In a packet with attachments its
        // receiver would take it for one, and end the connection when there is no such attachment.
        Value::Object(_) if taken.is_some() && value.is_placeholder() => out.extend_from_slice(b"null"),
        Value::Object(members) => {
            out.push(b'{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(value, out, taken);
            }
            out.push(b'}');
        }
        Value::Binary(bytes) => match taken {
            Some(taken) => {
                let _ = write!(out, r#"{{"_placeholder":true,"num":{}}}"#, taken.len());
                taken.push(bytes.clone());
            }
            None => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                let _ = write!(out, "[{}]", numbers.join(","));
            }
        },
    }
}

/// Writes a string, with the escapes that it must have and no others.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let short = match rest.as_bytes()[at] {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            control => {
                out.extend_from_slice(format!("\\u{control:04x}").as_bytes());
                rest = &rest[at + 1..];
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::ErrorKind;

    fn through(text: &str) -> Result<String, ParseError> {
        read(text, Value::MAX_DEPTH).map(|value| value.to_json())
    }

    #[test]
    fn what_goes_through_comes_out_as_it_was() {
        for text in [
            "1",
            "1.0",
            "1.10",
            "-0",
            "0",
            "-0.0",
            "1e400",
            "-1E+400",
            "1e-400",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "123456789012345678901234567890123456789012345678901234567890.5",
            r#"{"a":1,"a":2,"b":[],"":{}}"#,
            r#"{"__proto__":1,"constructor":{"prototype":null}}"#,
            r#""\"\\\n\r\t\b\f\u0000\u001f""#,
            "\"\u{2028}\u{7f}\u{10ffff}\u{feff}\"",
            "[[],[[]],true,false,null]",
        ] {
            assert_eq!(through(text).as_deref(), Ok(text));
        }
        let shorter = " [ 1 , { \"a\" : \"\\u0041\\/\" } ]\r\n\t";
        assert_eq!(through(shorter).as_deref(), Ok(r#"[1,{"a":"A/"}]"#));
    }

    #[test]
    fn numbers_tell_what_they_are() {
        let number = |text: &str| match read(text, 1) {
            Ok(Value::Number(number)) => (number.as_u64(), number.as_f64()),
            other => panic!("{other:?}"),
        };
        assert_eq!(number("7"), (Some(7), 7.0));
        assert_eq!(number("7.0"), (None, 7.0));
        assert_eq!(number("-7"), (None, -7.0));
        assert_eq!(number("1e400"), (None, f64::INFINITY));
        assert!(number("-0").1.is_sign_negative());
    }

    #[test]
    fn half_a_surrogate_pair_becomes_the_replacement_character() {
        let string = |text: &str| match read(text, 1) {
            Ok(Value::String(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(string(r#""\ud83e\udd80""#), "🦀");
        assert_eq!(string(r#""a\ud800b""#), "a\u{fffd}b");
        assert_eq!(string(r#""\udc00""#), "\u{fffd}");
        assert_eq!(string(r#""\ud800\ud83e\udd80""#), "\u{fffd}🦀");
        assert_eq!(string(r#""\ud800\n\uD800\u0041""#), "\u{fffd}\n\u{fffd}A");
        assert_eq!(string(r#""\\ud800""#), "\\ud800", "no escape at all");
    }

    #[test]
    fn what_is_no_json_is_refused_at_its_place() {
        for (text, offset) in [
            ("", 0),
            ("[", 1),
            ("[1", 2),
            ("[1,", 3),
            ("[1,]", 3),
            ("{", 1),
            ("{1:2}", 1),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("01", 1),
            ("-", 1),
            ("1.", 2),
            (".5", 0),
            ("1e", 2),
            ("+1", 0),
            ("NaN", 0),
            ("Infinity", 0),
            ("tru", 0),
            ("nul", 0),
            ("\"", 1),
            ("\"\n\"", 1),
            ("\"\\x\"", 2),
            ("\"\\u12\"", 2),
            ("\"\\u+123\"", 2),
            ("\"\\ud800\\u12\"", 8),
            ("'a'", 0),
            ("1 2", 2),
            ("[1 2]", 3),
            ("\u{feff}1", 0),
            ("\u{a0}1", 0),
            ("[é]", 1),
        ] {
            let error = read(text, 9).expect_err(text);
            assert_eq!((error.offset, error.kind), (offset, ErrorKind::Malformed), "{text}: {error}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_the_bound_can_be_set() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(5), 5).is_ok());
        let error = read(&nested(6), 5).unwrap_err();
        assert_eq!((error.offset, &*error.expected.to_string()), (5, "nesting of at most 5"));
        assert!(read(&"[".repeat(1_000_000), 5).is_err());
        assert!(read("{}", 0).is_err() && read("1", 0).is_ok());
    }

    /// What other readers make of a text; `None` where they are known to differ, at the edges that this file is for.
    fn others(text: &str) -> Option<bool> {
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(_) => Some(true),
            Err(error) => {
                let why = error.to_string();
                let differs = ["out of range", "surrogate", "recursion", "unexpected end of hex"];
                (!differs.iter().any(|known| why.contains(known))).then_some(false)
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn the_same_texts_are_json_here_as_elsewhere(text in r#"[\[\]{}",:0-9eE+\-. \\u\ntrfalsn"]{0,16}"#) {
            if let Some(valid) = others(&text) {
                prop_assert_eq!(read(&text, 100).is_ok(), valid, "{}", text);
            }
        }

        #[test]
        fn strings_are_written_as_elsewhere_and_read_back(text in ".{0,20}", control in "[\u{0}-\u{20}\"\\\\]{0,6}") {
            let text = text + &control;
            let mut written = Vec::new();
            write_string(&text, &mut written);
            let written = String::from_utf8(written).unwrap();
            prop_assert_eq!(&written, &serde_json::to_string(&text).unwrap());
            prop_assert_eq!(read(&written, 0).unwrap(), Value::String(text));
        }
    }
}
