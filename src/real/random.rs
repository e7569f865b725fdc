//! Numbers and names that cannot be guessed, from the operating system.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Fills `bytes` with randomness.
///
/// A system that has none to give cannot keep any secret: there is nothing sensible to go on with.
///
/// # Panics
/// When the system refuses.
#[expect(clippy::disallowed_methods, reason = "this is where the system's randomness comes in")]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random numbers");
}

/// A source of ids of sessions: 120 bits each, as 20 characters that need no escaping in a URL.
pub fn session_ids() -> Box<dyn FnMut() -> String + Send> {
    Box::new(|| {
        let mut bytes = [0; 15];
        fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    })
}

/// A source of numbers of 64 bits.
pub fn numbers() -> Box<dyn FnMut() -> u64 + Send> {
    Box::new(|| {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        u64::from_ne_bytes(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_fit_a_url() {
        let mut ids = session_ids();
        let (one, two) = (ids(), ids());
        assert_ne!(one, two);
        assert!(one.len() == 20 && one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let mut numbers = numbers();
        assert_ne!(numbers(), numbers());
    }
}
