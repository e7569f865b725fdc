//! Chance from the operating system: nonces and masking keys that nobody can foresee (RFC 6455 §4.1, §5.3, §10.3).

use super::WebSocketError;
use crate::layers::application::websocket::MaskSource;

/// Masking keys. The system is asked for many at a time.
///
/// # Errors
/// When the system gives no random numbers. It is asked at once, so that a connection whose keys could be foreseen
/// never opens.
pub(super) fn masks() -> Result<MaskSource, WebSocketError> {
    const KEYS: usize = 64;
    let mut keys = [0; 4 * KEYS];
    random(&mut keys)?;
    let mut used = 0;
    Ok(Box::new(move || {
        if used == KEYS {
            // A system that gave numbers once gives them again: it can refuse only before it has gathered enough
            // chance after its start. Should it refuse all the same, the old keys serve once more.
            let _ = random(&mut keys);
            used = 0;
        }
        let key = keys.as_chunks::<4>().0.get(used).copied().unwrap_or_default();
        used += 1;
        key
    }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "real peers must not foresee nonces and masks: chance comes in here"
)]
pub(super) fn random(into: &mut [u8]) -> Result<(), WebSocketError> {
    getrandom::fill(into).map_err(WebSocketError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_do_not_repeat() {
        let mut next = masks().unwrap();
        let keys: std::collections::BTreeSet<[u8; 4]> = (0..1000).map(|_| next()).collect();
        assert!(keys.len() > 990, "{} different keys of 1000", keys.len());
        assert_ne!(masks().unwrap()(), masks().unwrap()());
    }
}
