//! Offsets as clients see them: `17.nB3_x0aQ`, an event's place in the log and a seal that only its server can make.
//!
//! A returning client says by an offset how much it has received, and its secret is spent together with it (see
//! `hub/recovery.rs`). Were an offset a bare number, a thief of the secret would come with the next one. So each
//! carries 48 bits of a digest of namespace and place under the server's key. Since only eight of its twenty bytes are
//! shown, the digest cannot be extended from them: a key in front of what is digested is as good as HMAC here.
//!
//! The seal is one for each event and not for each receiver, because a broadcast is encoded once, its offset within. A
//! client keeps the whole string and gives it back as it got it; it may [read the number](offset_number) in front.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha1::{Digest as _, Sha1};

/// Bytes of a seal; eight characters.
const SEAL: usize = 6;

/// Makes seals, and knows its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seals {
    key: u128,
}

impl Seals {
    pub(super) fn new(key: u128) -> Self {
        Seals { key }
    }

    /// The offset as it is sent.
    pub(super) fn write(&self, namespace: &str, offset: u64) -> String {
        let key_and_place = [self.key.to_be_bytes().as_slice(), &offset.to_be_bytes()].concat();
        let digest = Sha1::new().chain_update(key_and_place).chain_update(namespace).finalize();
        format!("{offset}.{}", URL_SAFE_NO_PAD.encode(&digest[..SEAL]))
    }

    /// The place that an offset names; `None` when it was not written here.
    pub(super) fn read(&self, namespace: &str, text: &str) -> Option<u64> {
        offset_number(text).filter(|&offset| self.write(namespace, offset) == text)
    }
}

/// The place in the log that an event's last argument names; `None` when it is no offset.
pub fn offset_number(text: &str) -> Option<u64> {
    let (number, seal) = text.split_once('.')?;
    let is_seal =
        seal.len() == 8 && seal.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    if is_seal && is_number { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_belongs_to_one_key_one_namespace_and_one_place() {
        let (seals, others) = (Seals::new(7), Seals::new(8));
        let text = seals.write("/", 17);
        assert_eq!((offset_number(&text), text.len()), (Some(17), 11));
        assert_eq!(seals.read("/", &text), Some(17));
        assert_eq!((others.read("/", &text), seals.read("/other", &text)), (None, None));
        let seal = &text[2..];
        for wrong in [
            format!("18{seal}"),
            format!("017{seal}"),
            format!("+17{seal}"),
            "17".into(),
            format!("17{seal}x"),
        ] {
            assert_eq!(seals.read("/", &wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_offset_is_not_read_as_one() {
        for word in ["", "17", ".", "17.", ".nB3_x0aQ", "17.nB3_x0a", "17.nB3 x0aQ", "-1.nB3_x0aQ", "a word"]
        {
            assert_eq!(offset_number(word), None, "{word:?}");
        }
        assert_eq!(offset_number("17.nB3_x0aQ"), Some(17));
        assert_eq!(offset_number("99999999999999999999.nB3_x0aQ"), None);
    }
}
