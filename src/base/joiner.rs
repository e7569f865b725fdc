//! The two characters that show nothing themselves and say how their neighbours are joined: ZWNJ (U+200C) and ZWJ
//! (U+200D).
//!
//! Persian, Sinhala, Hindi and others cannot be written without them, nor can a family of emoji; between letters that
//! do not join they would only make two words look alike (Unicode UAX #31 §2.3.1, UTS #51 §2.2).

/// Whether this is one.
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether the joiner between these two has something to join: neither is missing, and neither is ASCII, another Latin
/// letter, a control character or a joiner.
pub fn joins(before: Option<char>, behind: Option<char>) -> bool {
    let can_join =
        |c: char| !c.is_ascii() && !c.is_control() && !is_joiner(c) && !matches!(c, '\u{c0}'..='\u{24f}');
    before.is_some_and(can_join) && behind.is_some_and(can_join)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_scripts_that_join_do_and_latin_ones_do_not() {
        let joined = [('ی', 'ر'), ('\u{dca}', 'ර'), ('👩', '🚀')];
        assert!(joined.iter().all(|&(before, behind)| joins(Some(before), Some(behind))));
        for (before, behind) in
            [(Some('a'), Some('d')), (Some('é'), Some('é')), (None, Some('م')), (Some('م'), None)]
        {
            assert!(!joins(before, behind), "{before:?} {behind:?}");
        }
        assert!(!joins(Some('\u{200d}'), Some('م')), "one joiner is enough");
    }
}
