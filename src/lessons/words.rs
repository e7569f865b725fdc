//! Numbers in sentences.

/// A count and its noun: `1 byte`, `3 bytes`.
pub(super) fn many(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// What the message of a number says.
pub(super) fn word(number: usize) -> String {
    match number {
        1 => "one".into(),
        2 => "two".into(),
        3 => "three".into(),
        n => format!("no. {n}"),
    }
}
