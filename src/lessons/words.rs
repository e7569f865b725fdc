//! Numbers in sentences.

/// So many of something: `1 byte`, `3 bytes`.
pub(super) fn many(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}
