//! How a connection ends: codes and reasons (RFC 6455 §5.5.1, §7), and the failure that ends it early (§7.1.7).

use bytes::{BufMut, Bytes, BytesMut};

use super::frame::MAX_CONTROL_PAYLOAD;
use super::utf8::Utf8Bytes;
use crate::base::{ErrorKind, Layer, ParseError};
use crate::layers::application::http::Response;

/// A close code (§7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// The server shuts down, or the page was left.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// The peer broke a rule of the protocol.
    pub const PROTOCOL_ERROR: CloseCode = CloseCode(1002);
    /// A kind of data came that is not taken here, such as binary where only text is.
    pub const UNSUPPORTED: CloseCode = CloseCode(1003);
    /// Never sent: the Close frame had no code.
    pub const NO_STATUS: CloseCode = CloseCode(1005);
    /// Never sent: there was no Close frame at all.
    pub const ABNORMAL: CloseCode = CloseCode(1006);
    /// Data did not fit its type: text that is not UTF-8.
    pub const INVALID_PAYLOAD: CloseCode = CloseCode(1007);
    /// A message broke the policy of this end.
    pub const POLICY: CloseCode = CloseCode(1008);
    /// A message is too big to be processed.
    pub const TOO_BIG: CloseCode = CloseCode(1009);
    /// A client misses an extension that the server did not agree to.
    pub const MANDATORY_EXTENSION: CloseCode = CloseCode(1010);
    /// A server met a condition it did not expect.
    pub const INTERNAL_ERROR: CloseCode = CloseCode(1011);
    /// A server has too much to do: its client may come again (IANA's registry of close codes).
    pub const TRY_AGAIN_LATER: CloseCode = CloseCode(1013);

    /// Whether a Close frame may carry it.
    ///
    /// §7.4.1 defines some codes and sets 1004, 1005, 1006 and 1015 apart, which only mean something inside a
    /// program; the IANA registry has since added 1012 to 1014. The other numbers below 3000 wait for a meaning; from
    /// 3000 on they belong to libraries and applications (§7.4.2).
    pub const fn is_valid_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

/// Why a connection was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    /// The code; [`CloseCode::NO_STATUS`] and [`CloseCode::ABNORMAL`] are never on the wire.
    pub code: CloseCode,
    /// Words for a log, not for people: at most 123 bytes.
    pub text: Utf8Bytes,
}

impl CloseReason {
    /// The most bytes a text may have: a control frame's payload without the two bytes of the code (§5.5).
    pub const MAX_TEXT: usize = MAX_CONTROL_PAYLOAD - 2;

    /// A reason. Whether it may be sent is checked when it is sent.
    pub fn new(code: CloseCode, text: impl Into<Utf8Bytes>) -> Self {
        CloseReason { code, text: text.into() }
    }

    /// The reason of a connection that ended without a Close frame.
    pub fn abnormal() -> Self {
        CloseReason::new(CloseCode::ABNORMAL, Utf8Bytes::default())
    }

    /// Reads the payload of a Close frame that began `at` bytes into the stream (§5.5.1).
    ///
    /// # Errors
    /// 1002 for half a code or one that must not be sent, 1007 for a text that is not UTF-8.
    pub fn parse(payload: &Bytes, at: usize) -> Result<Self, Failure> {
        match payload[..] {
            [] => Ok(CloseReason::new(CloseCode::NO_STATUS, Utf8Bytes::default())),
            [_] => Err(Failure::protocol(
                "close code",
                at,
                "no payload, or two bytes of code and a text (RFC 6455 §5.5.1)",
                "1 byte",
            )),
            [high, low, ..] => {
                let code = CloseCode(u16::from_be_bytes([high, low]));
                if !code.is_valid_on_wire() {
                    let expected = "a code that may be sent (RFC 6455 §7.4)";
                    return Err(Failure::protocol("close code", at, expected, code.0.to_string()));
                }
                let text = Utf8Bytes::try_from(payload.slice(2..))
                    .map_err(|error| Failure::not_utf8("close reason", at + 2 + error.valid_up_to()))?;
                Ok(CloseReason { code, text })
            }
        }
    }

    /// The payload of a Close frame with this reason: empty for [`CloseCode::NO_STATUS`].
    ///
    /// # Errors
    /// Misuse when the code must not be sent, or the text is too long or has no code before it.
    pub fn payload(&self) -> Result<Bytes, ParseError> {
        let misuse = |field, expected, got| ParseError {
            kind: ErrorKind::Misuse,
            ..Failure::protocol(field, 0, expected, got).error
        };
        let length = self.text.as_bytes().len();
        if self.code == CloseCode::NO_STATUS && length == 0 {
            return Ok(Bytes::new());
        }
        if !self.code.is_valid_on_wire() {
            let expected = "a code that may be sent (RFC 6455 §7.4)";
            return Err(misuse("close code", expected, self.code.0.to_string()));
        }
        if length > Self::MAX_TEXT {
            return Err(misuse("close reason", "at most 123 bytes (RFC 6455 §5.5)", format!("{length}")));
        }
        let mut payload = BytesMut::with_capacity(2 + length);
        payload.put_u16(self.code.0);
        payload.put_slice(self.text.as_bytes());
        Ok(payload.freeze())
    }
}

impl From<CloseCode> for CloseReason {
    /// A reason without words.
    fn from(code: CloseCode) -> Self {
        CloseReason::new(code, Utf8Bytes::default())
    }
}

/// Why this end _fails_ the connection (§7.1.7).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// The code that the peer gets; `None` when it cannot get one: the opening handshake was not over, or the peer
    /// has gone without a word.
    pub code: Option<CloseCode>,
    /// What was wrong; the offset counts the peer's bytes, those of the head from its
    /// start and those of frames from the first frame on.
    pub error: ParseError,
    /// A client: what the server answered instead of 101, as far as it came with the head.
    pub response: Option<Box<Response>>,
}

impl Failure {
    /// The peer broke a rule: 1002.
    pub(super) fn protocol(
        field: &'static str,
        offset: usize,
        expected: impl Into<crate::base::Wording>,
        got: impl Into<crate::base::Wording>,
    ) -> Self {
        let error = ParseError {
            kind: ErrorKind::Malformed,
            layer: Layer::Application,
            protocol: "WebSocket",
            field,
            offset,
            expected: expected.into(),
            got: got.into(),
        };
        Failure { code: Some(CloseCode::PROTOCOL_ERROR), error, response: None }
    }

    /// A header that could not be read: 1002.
    pub(super) fn of_frame(error: ParseError) -> Self {
        Failure { code: Some(CloseCode::PROTOCOL_ERROR), error, response: None }
    }

    /// Text that is not UTF-8: 1007.
    pub(super) fn not_utf8(field: &'static str, offset: usize) -> Self {
        Failure {
            code: Some(CloseCode::INVALID_PAYLOAD),
            ..Failure::protocol(field, offset, "UTF-8 (RFC 6455 §8.1)", "a byte that no character has there")
        }
    }

    /// A compressed message that does not decompress: 1007, for the data is not what it says it is.
    pub(super) fn not_deflate(offset: usize) -> Self {
        let expected = "whole blocks of DEFLATE (RFC 7692 §7.2.2)";
        Failure {
            code: Some(CloseCode::INVALID_PAYLOAD),
            ..Failure::protocol("compressed message", offset, expected, "bytes that do not decompress")
        }
    }

    /// More than this end is willing to take: 1009.
    pub(super) fn too_big(field: &'static str, offset: usize, limit: usize) -> Self {
        let error = Failure::protocol(field, offset, format!("at most {limit} bytes"), "more").error;
        Failure { code: Some(CloseCode::TOO_BIG), error, response: None }
    }

    /// Wrong when no Close frame can be sent, or none would be read: before the connection was open, or when the peer
    /// has gone.
    pub(super) fn untold(error: ParseError) -> Self {
        Failure { code: None, error, response: None }
    }

    /// A server's answer that is no 101.
    pub(super) fn refused(error: ParseError, response: Box<Response>) -> Self {
        Failure { response: Some(response), ..Failure::untold(error) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_payload_has_no_status_and_one_byte_is_wrong() {
        assert_eq!(CloseReason::parse(&Bytes::new(), 0).unwrap().code, CloseCode::NO_STATUS);
        let failure = CloseReason::parse(&Bytes::from_static(&[3]), 7).unwrap_err();
        assert_eq!((failure.code, failure.error.offset), (Some(CloseCode::PROTOCOL_ERROR), 7));
    }

    #[test]
    fn only_codes_with_a_meaning_may_be_on_the_wire() {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
            assert!(CloseCode(code).is_valid_on_wire(), "{code}");
        }
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            let failure = CloseReason::parse(&Bytes::copy_from_slice(&code.to_be_bytes()), 0).unwrap_err();
            assert_eq!(failure.error.got.to_string(), code.to_string());
            assert!(CloseReason::new(CloseCode(code), "why").payload().is_err());
        }
    }

    #[test]
    fn a_reason_must_be_utf8_and_fit_a_control_frame() {
        let failure = CloseReason::parse(&Bytes::from_static(b"\x03\xe8ok\xff"), 10).unwrap_err();
        assert_eq!((failure.code, failure.error.offset), (Some(CloseCode::INVALID_PAYLOAD), 14));
        assert!(CloseReason::new(CloseCode::NORMAL, "x".repeat(123)).payload().is_ok());
        assert!(CloseReason::new(CloseCode::NORMAL, "x".repeat(124)).payload().is_err());
        assert!(CloseReason::new(CloseCode::NO_STATUS, "x").payload().is_err());
    }

    proptest! {
        #[test]
        fn a_reason_that_was_written_is_read_again(code in 3000u16..5000, text in ".{0,30}") {
            let reason = CloseReason::new(CloseCode(code), text);
            prop_assert_eq!(CloseReason::parse(&reason.payload().unwrap(), 0).unwrap(), reason);
        }

        #[test]
        fn arbitrary_payloads_never_panic(payload in any::<Vec<u8>>()) {
            if let Ok(reason) = CloseReason::parse(&Bytes::from(payload.clone()), 0) {
                prop_assert!(payload.len() > 125 || reason.payload().unwrap() == payload);
            }
        }
    }
}
