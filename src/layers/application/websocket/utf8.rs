//! UTF-8 that comes in pieces (RFC 3629; RFC 6455 §8.1).
//!
//! A text message must be UTF-8 as a whole, but its fragments may be cut inside a character. The checker says no at
//! the first byte that no text could go on with, without waiting for the end of the message: a sender of garbage is
//! cut off at once. Whole runs are checked by the standard library, at its speed; only a character that is cut in two
//! is looked at byte by byte.

use std::fmt;

use bytes::Bytes;

/// Checks text that comes in pieces.
#[derive(Debug, Clone, Default)]
pub struct Utf8Checker {
    /// The bytes of a character of which the end is still to come: at most three.
    carry: [u8; 4],
    carried: usize,
}

impl Utf8Checker {
    /// A checker at the start of a text.
    pub fn new() -> Self {
        Utf8Checker::default()
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// The index in `piece` of the first byte that makes it wrong.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while self.carried > 0 {
            let Some(&byte) = piece.get(at) else { return Ok(()) };
            self.carry[self.carried] = byte;
            self.carried += 1;
            match std::str::from_utf8(&self.carry[..self.carried]) {
                Ok(_) => self.carried = 0,
                // An unknown error length means: right so far, but cut short.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(at),
            }
            at += 1;
        }
        let rest = &piece[at..];
        let Err(error) = std::str::from_utf8(rest) else { return Ok(()) };
        let cut = &rest[error.valid_up_to()..];
        match error.error_len() {
            None => {
                self.carry[..cut.len()].copy_from_slice(cut);
                self.carried = cut.len();
                Ok(())
            }
            // The last byte of the wrong sequence may still have been right: the culprit is the one after the
            // longest beginning that some character has.
            Some(_) => {
                let good = (1..cut.len().min(4)).take_while(|&n| begins_a_character(&cut[..n])).count();
                Err(at + error.valid_up_to() + good)
            }
        }
    }

    /// True when the text may end here: no character is cut short.
    pub fn is_complete(&self) -> bool {
        self.carried == 0
    }
}

/// Whether these bytes, too few for a character, are the beginning of one.
fn begins_a_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

/// Text as shared bytes that are known to be UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utf8Bytes(Bytes);

impl Utf8Bytes {
    /// Text that lives as long as the program.
    pub const fn from_static(text: &'static str) -> Self {
        Utf8Bytes(Bytes::from_static(text.as_bytes()))
    }

    /// The text.
    ///
    /// It is checked again at each call, because the shortcut is `unsafe` and this crate has none; the check runs at
    /// many gigabytes a second. To pass the text on, use the [bytes](Utf8Bytes::as_bytes).
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Bytes that a [`Utf8Checker`] has found to be whole.
    pub(super) fn from_checked(bytes: Bytes) -> Self {
        Utf8Bytes(bytes)
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = std::str::Utf8Error;
    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Utf8Bytes(bytes))
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Utf8Bytes(text.into())
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Utf8Bytes(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where the text goes wrong when fed in pieces of `size`; `Ok` says whether it is complete.
    fn check(bytes: &[u8], size: usize) -> Result<bool, usize> {
        let mut checker = Utf8Checker::new();
        for (i, piece) in bytes.chunks(size).enumerate() {
            checker.feed(piece).map_err(|at| i * size + at)?;
        }
        Ok(checker.is_complete())
    }

    #[test]
    fn the_first_wrong_byte_is_found_however_the_text_is_cut() {
        let cases: [(&[u8], usize); 9] = [
            // A surrogate, U+D800: its second byte is wrong already.
            (b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited", 6),
            // Above U+10FFFF: again the second byte.
            (b"\xce\xba\xf4\x90\x80\x80", 3),
            (b"ab\xff", 2),
            (b"ab\x80", 2),
            // Overlong forms of '/'.
            (b"\xc0\xaf", 0),
            (b"\xe0\x80\xaf", 1),
            (b"\xf0\x80\x80\xaf", 1),
            // A character cut short by the next one.
            (b"\xe2\x82a", 2),
            (b"\xf0\x9f\x98a", 3),
        ];
        for (bytes, wrong) in cases {
            for size in 1..=bytes.len() {
                assert_eq!(check(bytes, size), Err(wrong), "{bytes:x?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_text_that_is_cut_inside_a_character_is_not_complete() {
        assert_eq!(check("€".as_bytes(), 1), Ok(true));
        assert_eq!(check(&"€".as_bytes()[..2], 1), Ok(false));
        assert_eq!(check(&"😀".as_bytes()[..3], 3), Ok(false));
        assert_eq!(check(b"", 1), Ok(true));
    }

    proptest! {
        #[test]
        fn every_text_passes_in_every_cut(text in ".{0,20}", size in 1usize..8) {
            prop_assert_eq!(check(text.as_bytes(), size), Ok(true));
        }

        #[test]
        fn arbitrary_bytes_are_judged_as_the_standard_library_does(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0xe2), Just(0x82), Just(0xf0)], 0..12),
            size in 1usize..8,
        ) {
            let verdict = check(&bytes, size);
            prop_assert_eq!(verdict == Ok(true), std::str::from_utf8(&bytes).is_ok());
            prop_assert_eq!(verdict, check(&bytes, 1));
        }
    }
}
