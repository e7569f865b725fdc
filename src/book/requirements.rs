//! The requirements of RFC 9293, with the test that shows each: a page made from the table that the tests hold to.
//!
//! The table is a text, `tests/network/rfc9293.txt`, which says itself how it is read. Its names of tests are checked by
//! `tests/house/requirements.rs`.

use std::fmt::Write as _;

use super::{figure, rfc};
use crate::view::svg::escape;

/// Where the table is in the source tree.
pub const PATH: &str = "tests/network/rfc9293.txt";

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The group that it belongs to, in words.
    pub group: String,
    /// Its number, such as `MUST-7`.
    pub id: String,
    /// The section of RFC 9293 that has it, without its sign.
    pub section: String,
    /// What it asks, in our words.
    pub what: String,
    /// How it is met; never empty.
    pub proofs: Vec<Proof>,
}

/// What the table says of a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A test shows it.
    Test {
        /// The file of the test.
        file: String,
        /// Its name, a sentence with underscores.
        name: String,
    },
    /// It does not apply, or is an option that is not offered: why.
    None(String),
    /// It is not met: what is missing.
    Open(String),
}

/// Reads the table.
///
/// # Errors
/// When a line is none of those that the head of the table names: with its number.
pub fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut group = String::new();
    let mut all: Vec<Requirement> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |expected: &str| format!("{PATH}:{number}: expected {expected}, found '{line}'");
        if let Some(name) = line.strip_prefix("= ") {
            group = name.into();
        } else if let Some(said) = line.strip_prefix("  ") {
            let proof = proof(said).ok_or_else(|| fault("'test FILE NAME', 'none REASON' or 'open WHAT'"))?;
            all.last_mut().ok_or_else(|| fault("a requirement first"))?.proofs.push(proof);
        } else {
            let mut parts = line.splitn(3, ' ');
            let (Some(id), Some(section), Some(what)) =
                (parts.next(), parts.next().and_then(|part| part.strip_prefix('§')), parts.next())
            else {
                return Err(fault("'NUMBER §SECTION what it asks'"));
            };
            let (id, section, what) = (id.into(), section.into(), what.into());
            all.push(Requirement { group: group.clone(), id, section, what, proofs: Vec::new() });
        }
    }
    match all.iter().find(|requirement| requirement.proofs.is_empty()) {
        Some(empty) => Err(format!("{PATH}: {} has neither a test nor a reason", empty.id)),
        None => Ok(all),
    }
}

fn proof(said: &str) -> Option<Proof> {
    let (kind, rest) = said.split_once(' ')?;
    match kind {
        "test" => {
            let (file, name) = rest.split_once(' ')?;
            Some(Proof::Test { file: file.into(), name: name.into() })
        }
        "none" => Some(Proof::None(rest.into())),
        "open" => Some(Proof::Open(rest.into())),
        _ => None,
    }
}

/// The table as a page, and the files that it links to.
///
/// # Errors
/// See [`parse`].
pub(super) fn page(text: &str) -> Result<(String, Vec<String>), String> {
    let all = parse(text)?;
    let mut page = String::new();
    let mut files = Vec::new();
    for requirements in all.chunk_by(|a, b| a.group == b.group) {
        let group = requirements.first().map_or("", |first| &first.group);
        let _ = write!(
            page,
            "## {group}\n\n<table class=\"nl-requirements\"><thead><tr><th>number</th><th>what it asks</th>\
             <th>what shows it</th></tr></thead><tbody>"
        );
        for requirement in requirements {
            let cite = format!("RFC 9293 §{}", requirement.section);
            let short = format!("§{}", requirement.section);
            let cite = rfc::linked(&cite, |address, _| format!("<a href=\"{address}\">{short}</a>"));
            let proofs: Vec<String> =
                requirement.proofs.iter().map(|proof| shown(proof, &mut files)).collect();
            let _ = write!(
                page,
                "<tr><td id=\"{0}\">{0}</td><td>{1} ({cite})</td><td>{2}</td></tr>",
                escape(&requirement.id),
                figure::inline(&requirement.what),
                proofs.join("<br>"),
            );
        }
        page.push_str("</tbody></table>\n\n");
    }
    Ok((page, files))
}

fn shown(proof: &Proof, files: &mut Vec<String>) -> String {
    match proof {
        Proof::Test { file, name } => {
            files.push(file.clone());
            let words = escape(&name.replace('_', " "));
            format!("<a href=\"source/{}.html\">{words}</a>", escape(file))
        }
        Proof::None(why) => format!("<em>{}</em>", figure::inline(why)),
        Proof::Open(what) => format!("<strong>Open:</strong> {}", figure::inline(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_and_drawn_and_a_wrong_line_is_named() {
        let text =
            "# Head\n\n= The window\nMUST-1 §3.1 It is unsigned\n  test src/a.rs it_is\n  open more & more\n";
        let all = parse(text).expect("a table");
        assert_eq!((all[0].id.as_str(), all[0].section.as_str(), all[0].proofs.len()), ("MUST-1", "3.1", 2));
        let (page, files) = page(text).expect("a page");
        assert!(
            page.contains("## The window\n") && page.contains("rfc9293#section-3.1\">§3.1</a>"),
            "{page}"
        );
        assert!(
            page.contains("<a href=\"source/src/a.rs.html\">it is</a>") && page.contains("more &amp; more")
        );
        assert_eq!(files, ["src/a.rs"]);
        let lines = [
            ("  none x\n", 1),
            ("MUST-1 3.1 x\n", 1),
            ("MUST-1 §3.1 x\n  some x\n", 2),
            ("MUST-1 §3.1 x\n  test x\n", 2),
        ];
        for (wrong, line) in lines {
            let error = parse(wrong).expect_err(wrong);
            assert!(error.starts_with(&format!("{PATH}:{line}: expected ")), "{error}");
        }
        assert!(parse("MUST-1 §3.1 x\n").expect_err("no proof").contains("neither"));
    }
}
