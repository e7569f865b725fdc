//! Code and prose out of the files that are compiled: a thing is named, and found by its name, so that the book cannot
//! show what is not there.

use std::path::{Component, Path};

use crate::view::svg::escape;

/// A file of the source tree.
///
/// # Errors
/// When there is no such file, or its path leads out of the tree.
pub fn read(root: &Path, path: &str) -> Result<String, String> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(format!("'{path}' is not a path inside the source tree"));
    }
    std::fs::read_to_string(root.join(path)).map_err(|error| format!("'{path}' cannot be read: {error}"))
}

/// The page of a source file in the book, from the folder of the pages on.
pub fn page(path: &str) -> String {
    format!("source/{path}.md")
}

/// A source file by its name, with a link to its page. It needs no network, and no site that holds the source.
pub fn link(path: &str) -> String {
    format!("<a href=\"source/{0}.html\"><code>{0}</code></a>", escape(path))
}

/// A source file as a page. Its text is escaped: an element needs no fence that no line of the file looks like.
pub(super) fn listing(path: &str, text: &str) -> String {
    let path = escape(path);
    let language = if path.ends_with(".rs") { "language-rust" } else { "language-plaintext" };
    // Line by line: the writer for SVG makes a space of a line end.
    let lines: Vec<String> = text.lines().map(escape).collect();
    format!("# {path}\n\n<pre><code class=\"{language} ignore\">{}</code></pre>\n", lines.join("\n"))
}

/// What a file says it is: the first sentence of its opening comment.
pub fn opening(text: &str) -> Option<String> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
    // A link of rustdoc, [`Name`], is a name here.
    let paragraph = paragraph.join(" ").replace("**", "").replace("[`", "`").replace("`]", "`");
    let end = paragraph.find(". ").map_or(paragraph.trim_end_matches('.').len(), |end| end);
    // The citation is in the file; the excerpt leaves it out.
    let sentence = paragraph[..end].trim_end_matches(')');
    let sentence = if sentence.len() < end {
        sentence.rsplit_once(" (").map_or(sentence, |(said, _)| said)
    } else {
        sentence
    };
    (!sentence.is_empty()).then(|| sentence.to_string())
}

/// An anchor of a Rust file: the item of this name (type, trait, function, constant, macro), with its attributes and
/// without its documentation.
///
/// An item ends at the brace with its own indentation, which rustfmt keeps.
///
/// # Errors
/// When there is no such item.
pub fn item(text: &str, name: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| is_item(line, name));
    let start = start.ok_or_else(|| format!("there is no item '{name}' in it"))?;
    let indent = lines[start].len() - lines[start].trim_start().len();
    let ends = |line: &str| {
        let body = line.trim_start();
        line.len() - body.len() == indent
            && (body.starts_with('}') || body.ends_with(';') || body.ends_with('}'))
    };
    let end = (start..lines.len()).find(|i| ends(lines[*i])).unwrap_or(lines.len() - 1);
    let first =
        (0..start).rev().take_while(|i| lines[*i].trim_start().starts_with("#[")).last().unwrap_or(start);
    let cut: Vec<&str> = lines[first..=end].iter().map(|line| line.get(indent..).unwrap_or("")).collect();
    Ok(cut.iter().map(|line| unlinked(line) + "\n").collect())
}

/// A line without the links of rustdoc: [`Name`] and [`name`](Path::name) are names here.
fn unlinked(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((name, behind)) = after.split_once("`]") else { break };
        let target = behind.strip_prefix('(').and_then(|target| target.split_once(')'));
        plain.push_str(before);
        plain.push_str(&format!("`{name}`"));
        rest = target.map_or(behind, |(_, behind)| behind);
    }
    plain + rest
}

fn is_item(line: &str, name: &str) -> bool {
    const KEYWORDS: &[&str] =
        &["struct", "enum", "trait", "fn", "const", "static", "type", "mod", "macro_rules!"];
    const BEFORE: &[&str] = &["pub", "pub(super)", "pub(crate)", "const", "async"];
    let mut words = line.split_whitespace().skip_while(|word| BEFORE.contains(word)).peekable();
    // `const` is an item keyword, and also a modifier before `fn`.
    let Some(mut word) = words.next() else { return false };
    if !KEYWORDS.contains(&word) {
        let trimmed = line.trim_start();
        if !trimmed.contains("const ") {
            return false;
        }
        // All that was skipped was the keyword itself: `pub const NAME: u8`.
        return named(word, name) && trimmed.contains(&format!("const {name}:"));
    }
    if word == "static" && words.peek() == Some(&"mut") {
        words.next();
    }
    word = words.next().unwrap_or_default();
    named(word, name)
}

fn named(word: &str, name: &str) -> bool {
    let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
    &word[..end] == name
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "//! First of all. And more.\n//!\n//! Rest.\n\n/// Doc.\n#[derive(Debug)]\npub struct One {\n    \
                        a: u8,\n}\n\nimpl One {\n    /// Doc.\n    pub const fn two(&self) -> u8 {\n        if true {\n            1\n        } else {\n            \
                        2\n        }\n    }\n}\n\npub const LIMIT: usize = 3;\npub struct Unit;\n";

    #[test]
    fn an_item_is_found_with_its_attributes() {
        assert_eq!(item(FILE, "One").as_deref(), Ok("#[derive(Debug)]\npub struct One {\n    a: u8,\n}\n"));
        assert_eq!(item(FILE, "LIMIT").as_deref(), Ok("pub const LIMIT: usize = 3;\n"));
        assert_eq!(item(FILE, "Unit").as_deref(), Ok("pub struct Unit;\n"));
        let two = item(FILE, "two").expect("a function");
        assert!(two.starts_with("pub const fn two") && two.ends_with("    }\n}\n"), "{two}");
        assert!(item(FILE, "three").is_err());
        assert!(item(FILE, "On").is_err());
    }

    #[test]
    fn a_link_of_rustdoc_is_a_name() {
        assert_eq!(
            unlinked("/// See [`One`] and [`two`](One::two), a[`0]."),
            "/// See `One` and `two`, a[`0]."
        );
    }

    #[test]
    fn a_file_says_what_it_is() {
        assert_eq!(opening(FILE).as_deref(), Some("First of all"));
        assert_eq!(
            opening("//! UDP: no promise (RFC 768, RFC 1122 §4.1).").as_deref(),
            Some("UDP: no promise")
        );
        assert_eq!(opening("//! What a [`Server`] does.").as_deref(), Some("What a `Server` does"));
        assert_eq!(opening("fn main() {}"), None);
    }

    #[test]
    fn no_path_leads_out_of_the_tree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(read(root, "src/lib.rs").is_ok());
        assert!(read(root, "../etc/passwd").is_err());
        assert!(read(root, "/etc/passwd").is_err());
        assert!(read(root, "src/none.rs").is_err());
    }
}
