//! The table of RFC 9293's requirements: no number is missing, and every test that it names is a test.

use std::collections::BTreeMap;
use std::fs;

use super::architecture::root;
use netlayers::book::requirements::{PATH, Proof, parse};

/// How many of each kind appendix B has.
const KINDS: [(&str, usize); 4] = [("MUST", 69), ("SHLD", 31), ("MAY", 18), ("REC", 1)];

/// The names of the tests in a file: functions right below `#[test]` and other attributes.
fn tests_of(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        } else if let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            if std::mem::take(&mut is_test) {
                names.push(name);
            }
        } else if !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

#[test]
fn every_requirement_of_rfc_9293_has_a_test_that_is_there_or_a_reason() {
    let table = fs::read_to_string(root().join(PATH)).expect("the table");
    let requirements = parse(&table).expect("a table");
    let mut faults = Vec::new();
    for (kind, count) in KINDS {
        for id in (1..=count).map(|n| format!("{kind}-{n}")) {
            let rows = requirements.iter().filter(|row| row.id == id).count();
            if rows != 1 {
                faults.push(format!("{id} has {rows} rows: expected one"));
            }
        }
    }
    let expected: usize = KINDS.iter().map(|(_, count)| count).sum();
    assert_eq!(
        (requirements.len(), &faults),
        (expected, &Vec::new()),
        "numbers that appendix B does not have"
    );

    let mut files = BTreeMap::new();
    for row in &requirements {
        for proof in &row.proofs {
            let Proof::Test { file, name } = proof else { continue };
            let text = files
                .entry(file.clone())
                .or_insert_with(|| fs::read_to_string(root().join(file)).unwrap_or_default());
            if !tests_of(text).contains(&name.as_str()) {
                faults.push(format!("{}: {file} has no test '{name}'", row.id));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_helper_is_no_test() {
    let text =
        "fn helper() {}\n#[test]\n#[ignore]\nfn one() {}\n/// Doc.\n#[derive(X)]\nstruct Y;\nfn two() {}\n";
    assert_eq!(tests_of(text), ["one"]);
}
