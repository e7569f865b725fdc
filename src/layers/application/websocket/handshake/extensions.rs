//! The list of extensions in `Sec-WebSocket-Extensions` (RFC 6455 §9.1): what a client offers and a server accepts.
//!
//! Only its grammar is here. What an extension *does* (permessage-deflate, RFC 7692) is a matter of frames and
//! messages. The list is read whole or not at all: §9.1 requires both ends to fail the connection over one bad element.

use std::fmt;

use super::super::super::http::{Headers, is_token};
use super::malformed;
use crate::base::ParseError;

/// The header field that carries the list.
pub const FIELD: &str = "Sec-WebSocket-Extensions";

/// One extension and its parameters: `permessage-deflate; client_max_window_bits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its registered name, such as `permessage-deflate`.
    pub name: String,
    /// Its parameters in order, with or without a value. A value is a token; one that came in quotes has lost them.
    pub params: Vec<(String, Option<String>)>,
}

impl Extension {
    /// An extension without parameters.
    pub fn new(name: impl Into<String>) -> Self {
        Extension { name: name.into(), params: Vec::new() }
    }

    /// Extensions and parameters of a head, all together. Two bytes of a list become a name in memory of its own, and
    /// what a peer said is kept as long as its connection: so the list has a limit of its own beside that of the head.
    const MAX_NAMES: usize = 100;

    /// All extensions of a head, in order: several fields are one list (§9.1).
    ///
    /// # Errors
    /// Malformed when a part of the list is not as §9.1 has it, or there are more than
    /// `Extension::MAX_NAMES`.
    pub fn parse_all(headers: &Headers) -> Result<Vec<Extension>, ParseError> {
        let (mut all, mut names) = (Vec::new(), 0);
        for value in headers.get_all(FIELD) {
            let mut cursor = Cursor { rest: value };
            loop {
                // RFC 9110 §5.6.1.2: empty members of a list are passed over.
                while cursor.eat(',') {}
                if cursor.is_at_end() {
                    break;
                }
                all.push(cursor.extension(&mut names)?);
                if !cursor.is_at_end() && !cursor.eat(',') {
                    return Err(cursor.wrong("';' or ','"));
                }
            }
        }
        Ok(all)
    }
}

/// Written as in the header field.
impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.params.iter().try_for_each(|(name, value)| match value {
            Some(value) => write!(f, "; {name}={value}"),
            None => write!(f, "; {name}"),
        })
    }
}

/// Reads a field value from left to right; whitespace is allowed around every token and delimiter.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// `extension-token *( ";" extension-param )`.
    fn extension(&mut self, names: &mut usize) -> Result<Extension, ParseError> {
        let mut extension = Extension::new(self.name(names)?);
        while self.eat(';') {
            let name = self.name(names)?.to_owned();
            let value = if self.eat('=') { Some(self.value()?) } else { None };
            extension.params.push((name, value));
        }
        Ok(extension)
    }

    /// The name of an extension or a parameter, which is counted.
    fn name(&mut self, names: &mut usize) -> Result<&'a str, ParseError> {
        *names += 1;
        if *names > Extension::MAX_NAMES {
            let got = format!("more than {}", Extension::MAX_NAMES);
            return Err(malformed(FIELD, "fewer extensions and parameters", got));
        }
        self.token()
    }

    /// A token, or one in quotes: what is between the quotes must be a token too (§9.1).
    fn value(&mut self) -> Result<String, ParseError> {
        if !self.eat('"') {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if is_token(&value) => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                '"' => break,
                '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
                _ => value.push(c),
            }
        }
        Err(self.wrong("a token in quotes"))
    }

    fn token(&mut self) -> Result<&'a str, ParseError> {
        self.skip_whitespace();
        let end = self.rest.find([' ', '\t', ',', ';', '=']).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        if !is_token(token) {
            return Err(self.wrong("a token"));
        }
        self.rest = rest;
        Ok(token)
    }

    fn eat(&mut self, delimiter: char) -> bool {
        self.skip_whitespace();
        let rest = self.rest.strip_prefix(delimiter);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_whitespace();
        self.rest.is_empty()
    }

    fn skip_whitespace(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn wrong(&self, expected: &'static str) -> ParseError {
        let got: String = self.rest.chars().take(32).collect();
        malformed(FIELD, expected, format!("{got:?} (RFC 6455 §9.1)"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(value: &str) -> Result<Vec<Extension>, ParseError> {
        Extension::parse_all(&Headers::new().with(FIELD, value))
    }

    #[test]
    fn a_list_of_many_names_is_refused() {
        let most = vec!["a;b"; Extension::MAX_NAMES / 2].join(",");
        assert_eq!(parse(&most).unwrap().len(), Extension::MAX_NAMES / 2);
        for more in [format!("{most},c"), format!("{most};c")] {
            assert!(parse(&more).unwrap_err().to_string().contains("more than 100"));
        }
    }

    #[test]
    fn names_and_parameters_are_read_in_order() {
        let all = parse("permessage-deflate; client_max_window_bits ;a=\"1\\5\" , , x-other;b = 2").unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].name, "permessage-deflate");
        let params = [("client_max_window_bits".to_owned(), None), ("a".to_owned(), Some("15".to_owned()))];
        assert_eq!(all[0].params, params);
        assert_eq!(all[1].to_string(), "x-other; b=2");
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn several_fields_are_one_list() {
        let headers = Headers::new().with(FIELD, "a").with(FIELD, "b; c");
        let names: Vec<String> =
            Extension::parse_all(&headers).unwrap().into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_list_that_is_not_as_the_grammar_has_it_is_refused() {
        for bad in [
            "a b",
            "a;",
            "a; =1",
            "a; b=",
            "a; b=\"",
            "a; b=\"c d\"",
            "a; b=\"\"",
            "a; b=\"c\"d",
            "@",
            "a;;b",
        ] {
            assert_eq!(parse(bad).unwrap_err().field, FIELD, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(
            names in proptest::collection::vec(("[a-z-]{1,5}", "[a-z]{1,3}", proptest::option::of("[0-9]{1,3}")), 0..4),
        ) {
            let all: Vec<Extension> =
                names.into_iter().map(|(name, p, v)| Extension { name, params: vec![(p, v)] }).collect();
            let text: Vec<String> = all.iter().map(Extension::to_string).collect();
            prop_assert_eq!(parse(&text.join(", ")).unwrap(), all);
        }

        #[test]
        fn arbitrary_text_is_read_or_refused(text in "[a=;,\" \\\\\u{80}-\u{ff}]{0,20}") {
            if let Ok(all) = parse(&text) {
                prop_assert!(all.iter().all(|extension| is_token(&extension.name)));
            }
        }
    }
}
