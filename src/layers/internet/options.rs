//! The options of an IPv4 header: rarely sent, always to be read past (RFC 791 §3.1, RFC 1122 §3.2.1.8).
//!
//! Each is one byte (end of list, no operation) or a kind, a length that counts kind and length too, and data:
//!
//! ```text
//! +-+-----+---------+---------------+----------
//! |C|class| number  |    length     | data ...
//! +-+-----+---------+---------------+----------
//! ```
//!
//! C, the copied flag, says whether every fragment takes the option along or the first one alone. One is acted on, the
//! [loose source route](super::source_route). Others are passed over unharmed, as they must be; routers drop many
//! packets that have any (RFC 7126).

/// The options as on the wire: at most 40 bytes, a multiple of 4, each option ending inside.
///
/// Kept in place rather than in a `Vec`: a header stays a value that is copied without asking for memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options {
    len: u8,
    /// Zero from `len` on, so that equal options are equal values.
    bytes: [u8; Options::MAX_LEN],
}

/// An option that does not end where it may, or options too long for a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadOption {
    /// Bytes from the start of the options to the kind of the bad one.
    pub at: usize,
    /// The length it claims, if there was one.
    pub len: Option<u8>,
}

/// One option, as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4Option<'a> {
    /// Copied flag, class and number.
    pub kind: u8,
    /// All of its bytes, the kind included.
    pub bytes: &'a [u8],
}

impl Ipv4Option<'_> {
    /// Ends the list before the header does.
    pub const END: u8 = 0;
    /// Fills the space between two options.
    pub const NO_OPERATION: u8 = 1;

    /// True when every fragment takes it along.
    pub const fn is_copied(&self) -> bool {
        self.kind & 0x80 != 0
    }
}

impl Options {
    /// The most bytes of options that a header has room for.
    pub const MAX_LEN: usize = 40;
    /// No options.
    pub const NONE: Options = Options { len: 0, bytes: [0; Options::MAX_LEN] };

    /// Takes options as on the wire, padded with end-of-list bytes to a multiple of 4.
    ///
    /// # Errors
    /// Names the option that has a length below 2 or past the end, or says that there are more than 40 bytes.
    pub fn new(wire: &[u8]) -> Result<Self, BadOption> {
        if wire.is_empty() {
            return Ok(Options::NONE);
        }
        if wire.len() > Self::MAX_LEN {
            return Err(BadOption { at: Self::MAX_LEN, len: None });
        }
        let mut at = 0;
        while let Some(rest) = wire.get(at..).filter(|rest| !rest.is_empty() && rest[0] != Ipv4Option::END) {
            at += option_len(rest).map_err(|len| BadOption { at, len })?;
        }
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..wire.len()].copy_from_slice(wire);
        Ok(Options { len: wire.len().next_multiple_of(4) as u8, bytes })
    }

    /// The bytes as on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// True when there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Each option in turn, without the end of the list and what follows it.
    pub fn iter(&self) -> impl Iterator<Item = Ipv4Option<'_>> {
        let mut rest = self.as_bytes();
        std::iter::from_fn(move || {
            let kind = *rest.first().filter(|kind| **kind != Ipv4Option::END)?;
            let (bytes, after) = rest.split_at_checked(option_len(rest).ok()?)?;
            rest = after;
            Some(Ipv4Option { kind, bytes })
        })
    }

    /// Those that fragments other than the first must have too (RFC 791 §3.1, copied flag).
    pub fn copied(&self) -> Options {
        let mut copied = Options::NONE;
        for option in self.iter().filter(Ipv4Option::is_copied) {
            let from = usize::from(copied.len);
            copied.bytes[from..from + option.bytes.len()].copy_from_slice(option.bytes);
            copied.len += option.bytes.len() as u8;
        }
        copied.len = copied.len.next_multiple_of(4);
        copied
    }
}

/// Length in bytes of the option that begins `bytes`, or the impossible length that it claims.
fn option_len(bytes: &[u8]) -> Result<usize, Option<u8>> {
    match bytes {
        [Ipv4Option::END | Ipv4Option::NO_OPERATION, ..] => Ok(1),
        [_, len, ..] if *len >= 2 && usize::from(*len) <= bytes.len() => Ok(usize::from(*len)),
        [_, len, ..] => Err(Some(*len)),
        _ => Err(None),
    }
}

impl BadOption {
    /// What was there, in words.
    pub fn got(&self) -> String {
        match self.len {
            Some(len) => format!("length {len}"),
            None => "no length".into(),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::NONE
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.as_bytes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A strict source route: copied.
    const ROUTE: [u8; 7] = [137, 7, 4, 10, 0, 0, 9];
    /// A record route: not copied.
    const RECORD: [u8; 7] = [7, 7, 4, 0, 0, 0, 0];

    #[test]
    fn options_are_filled_to_a_multiple_of_four() {
        let options = Options::new(&ROUTE).unwrap();
        assert_eq!(options.as_bytes(), [137, 7, 4, 10, 0, 0, 9, 0]);
        assert_eq!(options.iter().count(), 1);
    }

    #[test]
    fn only_those_with_the_copied_flag_are_copied() {
        let wire = [&[1][..], &RECORD, &ROUTE, &[1]].concat();
        let options = Options::new(&wire).unwrap();
        assert_eq!(options.iter().map(|o| o.kind).collect::<Vec<_>>(), [1, 7, 137, 1]);
        assert_eq!(options.copied(), Options::new(&ROUTE).unwrap());
        assert!(Options::new(&RECORD).unwrap().copied().is_empty());
    }

    #[test]
    fn an_option_that_runs_past_the_end_is_refused() {
        assert_eq!(Options::new(&[1, 7, 9, 4]), Err(BadOption { at: 1, len: Some(9) }));
        assert_eq!(Options::new(&[7, 1, 0, 0]), Err(BadOption { at: 0, len: Some(1) }));
        assert_eq!(Options::new(&[1, 1, 1, 7]), Err(BadOption { at: 3, len: None }));
        assert!(Options::new(&[0; 41]).is_err());
        // After the end of the list any bytes may follow.
        assert!(Options::new(&[0, 7, 99, 1]).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_bytes_are_taken_or_refused(wire in proptest::collection::vec(any::<u8>(), 0..50)) {
            if let Ok(options) = Options::new(&wire) {
                prop_assert_eq!(&options.as_bytes()[..wire.len()], &wire[..]);
                prop_assert_eq!(Options::new(options.copied().as_bytes()), Ok(options.copied()));
            }
        }
    }
}
