//! What a peer wrote, for a terminal: it may read like a command to it.
//!
//! A terminal obeys control characters: ESC begins commands that rename its window, change its colours or ask it to
//! type something back (ECMA-48; XTerm Control Sequences). What a stranger sent is therefore shown as it would be
//! written in a Rust string. Line ends and tabs do no harm.

use std::borrow::Cow;

/// `text` with its control characters escaped, those of C1 (U+0080 to U+009F) too.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(harmful) {
        return text.into();
    }
    let shown = |c: char| if harmful(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect::<String>().into()
}

fn harmful(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_the_rest_is_as_it_was() {
        assert_eq!(harmless("\u{1b}]0;owned\u{7}"), "\\u{1b}]0;owned\\u{7}");
        assert_eq!(harmless("c1: \u{9b}31m, del: \u{7f}, back\r"), "c1: \\u{9b}31m, del: \\u{7f}, back\\r");
        assert_eq!(harmless("grüße\n\t🦀"), "grüße\n\t🦀");
    }
}
