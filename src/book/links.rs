//! No link of the book leads nowhere. Links inside the book are followed, to the heading; those to other sites are only
//! looked at, for a build needs no network: they must be `https`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::lessons::Lesson;

/// A page: as it was written, and with its directives expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its file, from the folder of the pages on.
    pub path: PathBuf,
    /// As it was written, to tell lines.
    pub written: String,
    /// As it will be read.
    pub expanded: String,
}

/// The page of a lesson, as a link from the other pages.
pub(super) fn page_of(lesson: &Lesson) -> String {
    format!("lesson-{}.html", lesson.id)
}

/// Everything that is wrong with the links of all pages: `file:line: what`. `exists` says whether another file, such as
/// an image, is there.
pub fn faults(pages: &[Page], exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
    for page in pages {
        let mut known = BTreeSet::new();
        for id in ids_of(&page.expanded) {
            if !known.insert(id.clone()) {
                faults.push(format!("{}: two things have the id '{id}'", place(page, &id)));
            }
        }
        ids.insert(&page.path, known);
    }
    for page in pages {
        for target in targets(&page.expanded) {
            if let Some(what) = fault(page, &target, &ids, &exists) {
                faults.push(format!("{}: {what}", place(page, &target)));
            }
        }
    }
    faults
}

fn fault(
    page: &Page,
    target: &str,
    ids: &BTreeMap<&Path, BTreeSet<String>>,
    exists: &impl Fn(&Path) -> bool,
) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    if target.contains("://") || target.starts_with('/') {
        return Some(format!("the link '{target}' is neither https nor inside the book"));
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let to = match file {
        "" => page.path.clone(),
        file => joined(page.path.parent().unwrap_or(Path::new("")), file),
    };
    let source =
        if to.extension().is_some_and(|end| end == "html") { to.with_extension("md") } else { to.clone() };
    match ids.get(source.as_path()) {
        Some(known) if anchor.is_empty() || known.contains(anchor) => None,
        Some(_) => {
            Some(format!("the link '{target}' leads to a heading that {} does not have", source.display()))
        }
        None if anchor.is_empty() && exists(&to) => None,
        None => Some(format!("the link '{target}' leads to no page and no file of the book")),
    }
}

/// A relative path from a folder, with its `..` taken out.
fn joined(folder: &Path, file: &str) -> PathBuf {
    let mut path = folder.to_path_buf();
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

/// The page, and the line of it in which `word` is written; the page alone when a directive made it.
fn place(page: &Page, word: &str) -> String {
    let line = page.written.lines().position(|line| line.contains(word));
    let line = line.map_or(String::new(), |line| format!(":{}", line + 1));
    format!("{}{line}", page.path.display())
}

/// What headings and elements of a page can be linked to by.
fn ids_of(page: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for line in prose(page) {
        ids.extend(attributes(line, "id"));
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let id = match title.split_once("{#") {
            Some((_, id)) => id.trim_end().trim_end_matches('}').to_string(),
            None => slug(title.trim()),
        };
        // As mdBook does: the second of the same name is `name-1`.
        let mut unique = id.clone();
        let mut number = 1;
        while ids.contains(&unique) && !title.contains("{#") {
            unique = format!("{id}-{number}");
            number += 1;
        }
        ids.push(unique);
    }
    ids
}

/// The id that mdBook gives to a heading.
fn slug(title: &str) -> String {
    let kept = title.chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_lowercase().to_string()),
        c if c.is_whitespace() => Some("-".to_string()),
        _ => None,
    });
    kept.collect()
}

/// Where the links and images of a page lead.
fn targets(page: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose(page) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let end = after.find(')').unwrap_or(after.len());
            targets.push(after[..end].split(' ').next().unwrap_or_default().to_string());
            rest = &after[end..];
        }
        targets.extend(attributes(line, "href"));
        targets.extend(attributes(line, "src"));
    }
    targets
}

fn attributes(line: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    line.split(&start).skip(1).filter_map(|after| after.split('"').next()).map(str::to_string).collect()
}

/// The lines of a page that are not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, text: &str) -> Page {
        Page { path: path.into(), written: text.into(), expanded: text.into() }
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let pages = [
            page(
                "a.md",
                "# One\n\n[b](b.md#a-head) [c](#one) ![x](pic.svg) [d](b.html#fig) [r](https://x.org/)\n",
            ),
            page("b.md", "## A `head`!\n\n<p id=\"fig\">\n\n```\n[x](nowhere.md)\n```\n"),
        ];
        assert_eq!(faults(&pages, |path| path == Path::new("pic.svg")), Vec::<String>::new());
    }

    #[test]
    fn every_link_that_leads_nowhere_is_named_with_its_line() {
        let pages =
            [page("a.md", "# One\n\n[b](b.md)\n[c](#two)\n![x](pic.svg)\n[d](http://x.org)\n# One {#one}\n")];
        let found = faults(&pages, |_| false);
        let places: Vec<&str> = found.iter().filter_map(|fault| fault.split(": ").next()).collect();
        assert_eq!(places, ["a.md:7", "a.md:3", "a.md:4", "a.md:5", "a.md:6"], "{found:?}");
    }
}
