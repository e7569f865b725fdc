//! Header fields: names and values, in the order in which they came (RFC 9110 §5, RFC 9112 §5).

use crate::base::ParseError;

use super::ERRORS;

/// Header fields in order. A name may come more than once; names are compared without case (RFC 9110 §5.1).
///
/// A value is text of one `char` per byte: bytes from 0x80 on, which HTTP allows and gives no meaning ("obs-text",
/// RFC 9110 §5.5), are read as ISO 8859-1 and written back as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<(String, String)>,
}

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Headers::default()
    }

    /// Adds a field after the others. Whether it may be sent is checked when it is emitted.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.fields.push((name.into(), value.into()));
    }

    /// The same headers with one more field: for building a head in one expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// The value of the first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The values of all fields of this name, in order.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of a field that may occur only once: `None` when it is missing, an error when it came twice.
    ///
    /// # Errors
    /// Malformed when there are several, even with the same value.
    pub fn get_single(&self, name: &'static str) -> Result<Option<&str>, ParseError> {
        let mut values = self.get_all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(malformed(name, "one field of this name", "several")),
        }
    }

    /// The members of a comma-separated list (RFC 9110 §5.6.1), over all fields of this name as if they were one,
    /// without surrounding whitespace and without empty members. For lists of tokens: commas inside quoted strings
    /// are not looked for.
    pub fn list<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.get_all(name).flat_map(|value| value.split(',')).map(trim).filter(|member| !member.is_empty())
    }

    /// Whether such a list has this token, without case: `Connection: keep-alive, Upgrade` has `upgrade`.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|member| member.eq_ignore_ascii_case(token))
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Reads one field line, without its CRLF, that began `at` bytes into the head (RFC 9112 §5).
    pub(super) fn parse_line(&mut self, line: &[u8], at: usize) -> Result<(), ParseError> {
        let colon = line.iter().position(|&byte| byte == b':');
        let name = &line[..colon.unwrap_or(line.len())];
        if let Some(bad) = name.iter().position(|&byte| !is_token_byte(byte)) {
            // RFC 9112 §5.1: whitespace before the colon must be refused, for it was read in more ways than one.
            return Err(ParseError {
                offset: at + bad,
                ..malformed("field name", "a token, then at once a colon (RFC 9112 §5.1)", show(name[bad]))
            });
        }
        let Some(colon) = colon.filter(|&colon| colon > 0) else {
            let got = if line.is_empty() { "an empty line" } else { "no name or no colon" };
            return Err(ParseError {
                offset: at,
                ..malformed("field line", "name: value (RFC 9112 §5)", got)
            });
        };
        let value = field_value(&line[colon + 1..], at + colon + 1)?;
        self.push(String::from_utf8_lossy(name), value);
        Ok(())
    }

    /// Adds a folded line to the value before it, with one space in place of the line break (RFC 9112 §5.2).
    /// False when there is no field yet.
    pub(super) fn unfold_line(&mut self, line: &[u8], at: usize) -> Result<bool, ParseError> {
        let more = field_value(line, at)?;
        let Some((_, value)) = self.fields.last_mut() else { return Ok(false) };
        if !more.is_empty() {
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(&more);
        }
        Ok(true)
    }

    /// These, when all of them may stand in a head; none otherwise.
    #[must_use]
    pub(crate) fn sendable(self) -> Self {
        if self.write(&mut Vec::new()).is_ok() { self } else { Headers::new() }
    }

    /// Writes all field lines and the empty line that ends a head.
    ///
    /// # Errors
    /// Misuse when a name or value could not be read back as it is: above all, none can smuggle in a line of its own.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), ParseError> {
        for (name, value) in self.iter() {
            if !is_token(name) {
                return Err(misuse("field name", "a token (RFC 9110 §5.1)", name));
            }
            let sendable = |c: char| u8::try_from(c).is_ok_and(is_value_byte);
            if !value.chars().all(sendable) || trim(value).len() != value.len() {
                return Err(misuse("field value", "no control characters, no outer whitespace", value));
            }
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend(value.chars().map(|c| c as u8));
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// Whether this is a token: a name or keyword of HTTP (RFC 9110 §5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// The characters of a token: visible ASCII except the delimiters.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The characters of a value: visible ones, space, tab, and bytes that have no meaning (RFC 9110 §5.5).
pub(super) fn is_value_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Without the optional whitespace around it: only spaces and tabs (RFC 9110 §5.6.3).
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// A value without its outer whitespace, as text.
fn field_value(bytes: &[u8], at: usize) -> Result<String, ParseError> {
    if let Some(bad) = bytes.iter().position(|&byte| !is_value_byte(byte)) {
        return Err(ParseError {
            offset: at + bad,
            ..malformed("field value", "no control characters (RFC 9110 §5.5)", show(bytes[bad]))
        });
    }
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    Ok(trim(&text).to_owned())
}

/// A byte as an error shows it.
pub(super) fn show(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("'{}'", char::from(byte)) } else { format!("byte 0x{byte:02x}") }
}

/// The error for a peer that broke a rule; the caller knows the offset.
pub(super) fn malformed(field: &'static str, expected: &'static str, got: impl Into<String>) -> ParseError {
    ERRORS.malformed(field, 0, expected, got.into())
}

/// The error for a caller that asked for something that HTTP does not have.
pub(super) fn misuse(field: &'static str, expected: &'static str, got: &str) -> ParseError {
    ERRORS.misuse(field, 0, expected, format!("{got:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ErrorKind;

    #[test]
    fn names_have_no_case_and_fields_keep_their_order() {
        let headers = Headers::new().with("Host", "a").with("X-Two", "1").with("x-two", "2");
        assert_eq!(headers.get("hOST"), Some("a"));
        assert_eq!(headers.get_all("X-TWO").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(headers.get("missing"), None);
        assert!(headers.get_single("x-two").is_err());
        assert_eq!(headers.get_single("host").unwrap(), Some("a"));
        assert_eq!(headers.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["Host", "X-Two", "x-two"]);
    }

    #[test]
    fn a_token_is_found_in_a_list_over_several_fields() {
        let headers = Headers::new().with("Connection", "keep-alive,\t Upgrade ,").with("connection", "x");
        assert!(headers.has_token("Connection", "upgrade"));
        assert!(headers.has_token("Connection", "X"));
        assert!(!headers.has_token("Connection", "up"));
        assert_eq!(headers.list("Connection").count(), 3);
    }

    #[test]
    fn a_value_cannot_smuggle_in_a_line() {
        for value in ["a\r\nEvil: 1", "a\nb", "a\0b", "\u{20ac}", " a"] {
            let error = Headers::new().with("X", value).write(&mut Vec::new()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Misuse);
        }
        assert!(Headers::new().with("X Y", "a").write(&mut Vec::new()).is_err());
        assert!(Headers::new().with("", "a").write(&mut Vec::new()).is_err());
    }
}
