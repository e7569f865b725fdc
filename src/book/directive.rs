//! Directives in a page: `{{#name argument argument}}`.
//!
//! A directive that becomes a paragraph or more is alone on its line; one that becomes a word may be inside a sentence.
//! After a backslash, `\{{#`, it is plain text.

/// A directive in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive<'a> {
    /// The directive's name, such as `figure`.
    pub name: &'a str,
    /// Its arguments, `name=value` pairs included.
    pub arguments: Vec<&'a str>,
    /// Whether it is alone on its line.
    pub alone: bool,
}

/// What a directive becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expansion {
    /// Words in a sentence.
    Words(String),
    /// Paragraphs or figures, on lines of their own.
    Block(String),
}

/// A fault of a page, and its line from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line in the chapter, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Replaces every directive of a page by what `expand` returns. All faults are found, not only the first.
///
/// # Errors
/// The faults.
pub fn replace(
    page: &str,
    mut expand: impl FnMut(&Directive<'_>) -> Result<Expansion, String>,
) -> Result<String, Vec<Fault>> {
    let (mut done, mut faults) = (String::with_capacity(page.len()), Vec::new());
    for (index, line) in page.lines().enumerate() {
        match replace_in(line, &mut expand) {
            Ok(line) => done.push_str(&line),
            Err(what) => faults.push(Fault { line: index + 1, what }),
        }
        done.push('\n');
    }
    if faults.is_empty() { Ok(done) } else { Err(faults) }
}

fn replace_in(
    line: &str,
    expand: &mut impl FnMut(&Directive<'_>) -> Result<Expansion, String>,
) -> Result<String, String> {
    let mut done = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{#") {
        if let Some(before) = before.strip_suffix('\\') {
            done.push_str(before);
            done.push_str("{{#");
            rest = after;
            continue;
        }
        done.push_str(before);
        let Some((inside, behind)) = after.split_once("}}") else {
            return Err("a directive begins with {{# and does not end with }} on its line".into());
        };
        let alone = done.trim().is_empty() && behind.trim().is_empty() && line.starts_with("{{#");
        let mut words = inside.split_whitespace();
        let name = words.next().ok_or("a directive without a name")?;
        let directive = Directive { name, arguments: words.collect(), alone };
        match expand(&directive)? {
            Expansion::Words(words) => done.push_str(&words),
            Expansion::Block(block) if alone => done.push_str(&block),
            Expansion::Block(_) => {
                return Err(format!("{{{{#{name}}}}} makes whole paragraphs: it must be alone on its line"));
            }
        }
        rest = behind;
    }
    done.push_str(rest);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shout(directive: &Directive<'_>) -> Result<Expansion, String> {
        match directive.name {
            "word" => Ok(Expansion::Words(directive.arguments.join("+"))),
            "block" => Ok(Expansion::Block("a\n\nb".into())),
            other => Err(format!("unknown: {other}")),
        }
    }

    #[test]
    fn words_stand_in_sentences_and_blocks_alone() {
        let page = "one {{#word a b}} and {{#word c}}.\n{{#block}}\n\\{{#word}} stays\n";
        let done = replace(page, shout).expect("no faults");
        assert_eq!(done, "one a+b and c.\na\n\nb\n{{#word}} stays\n");
    }

    #[test]
    fn every_fault_is_found_with_its_line() {
        let faults = replace("{{#no}}\nfine\nin {{#block}} a line\n{{#word\n{{#}}\n", shout).unwrap_err();
        let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [1, 3, 4, 5]);
        assert!(faults[1].what.contains("alone"), "{faults:?}");
    }

    proptest! {
        #[test]
        fn a_page_without_directives_stays_as_it_is(page in "[a-z#{ }\n]{0,60}") {
            prop_assume!(!page.contains("{{#"));
            let expected: String = page.lines().map(|line| format!("{line}\n")).collect();
            prop_assert_eq!(replace(&page, shout), Ok(expected));
        }
    }
}
