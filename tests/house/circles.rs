//! No circles: within the folders listed here, what imports whom is a tree or at least has no way round.
//!
//! In a circle no part can be read, tested or moved without all the others. Each folder is looked at by its entries: a
//! file, a folder below it, and its own `mod.rs`. Code of tests does not count, nor does a re-export, which is followed
//! to the file that declares the name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::architecture::{root, sources, spread};

/// The folders that have no circles among their entries. One that has been untangled is added here.
const UNTANGLED: &[&str] = &[
    "base",
    "chat/client",
    "chat/lounge",
    "cli",
    "cli/chat",
    "cli/chat/join",
    "cli/chat/join/session",
    "cli/compare",
    "cli/exercise",
    "cli/lesson",
    "cli/race",
    "cli/script",
    "cli/ws",
    "layers",
    "layers/application",
    "layers/internet",
    "layers/internet/fragment",
    "layers/link",
    "layers/physical",
    "layers/transport",
    "layers/transport/tcp/congestion",
    "lessons",
    "lessons/events",
    "lessons/render",
    "lessons/stage",
    "lessons/vocabulary",
    "sim",
    "sim/apps",
    "sim/knob",
    "sim/script",
    "trace",
    "view",
    "view/ladder",
    "view/plot",
    "view/svg",
];

/// A module by its path below `src`, such as `cli`, `compare`, `sim`.
type Module = Vec<String>;

/// Which module imports which.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_folder_that_is_untangled_has_a_circle() {
    let imports = imports(&modules(sources().into_iter().map(|source| (source.path, source.text))));
    let mut circles = Vec::new();
    for folder in UNTANGLED {
        let folder: Module = folder.split('/').map(str::to_owned).collect();
        let entries = entries(&imports, &folder);
        assert!(!entries.is_empty(), "{} has no entries", folder.join("/"));
        if let Some(circle) = circle(&entries) {
            circles.push(format!("src/{}: {}", folder.join("/"), circle.join(" -> ")));
        }
    }
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn a_circle_would_be_found() {
    let source = |name: &str, text: &str| (root().join("src").join(name), text.to_owned());
    let tree = |files: &[(&str, &str)]| {
        let imports = imports(&modules(files.iter().map(|(name, text)| source(name, text))));
        circle(&entries(&imports, &["a".to_owned()])).map(|found| found.join(" -> "))
    };
    // Through the parent, which calls its child by the name of the module alone.
    let parent = ("a/mod.rs", "mod b;\npub fn tool() {}\npub fn run() { b::run(); }");
    assert_eq!(tree(&[parent, ("a/b.rs", "use super::tool;")]).as_deref(), Some("b -> mod.rs -> b"));
    // A re-export leads to the file that declares the name.
    let parent = ("a/mod.rs", "mod b;\nmod c;\npub use b::{self, Tool};\npub fn run() { c::run(); }");
    assert_eq!(tree(&[parent, ("a/b.rs", "pub struct Tool;"), ("a/c.rs", "use super::Tool;")]), None);
    // Several files on, in a folder, and in braces.
    let files = [
        ("a/mod.rs", "mod b;"),
        ("a/b.rs", "use crate::a::{c::Tool, d};"),
        ("a/c/mod.rs", "mod e;"),
        ("a/c/e.rs", "pub(in crate::a) fn f() { super::super::d::g() }"),
        ("a/d.rs", "fn g() { crate::a::b::h() }"),
    ];
    assert_eq!(tree(&files).as_deref(), Some("b -> c -> d -> b"));
    // Tests may look at anything.
    let tests = "use super::tool;\n#[cfg(test)]\nmod tests { use crate::a::c; }";
    assert_eq!(
        tree(&[("a/mod.rs", "pub fn tool() {}"), ("a/b.rs", tests), ("a/c.rs", "use super::b;")]),
        None
    );
}

/// The modules of a source tree, each with its code.
fn modules(sources: impl Iterator<Item = (std::path::PathBuf, String)>) -> BTreeMap<Module, String> {
    let module = |(path, text): (std::path::PathBuf, String)| {
        let inside = path.strip_prefix(root().join("src")).ok()?.with_extension("");
        let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if is_of_tests(&inside) {
            return None;
        }
        module.pop_if(|last| last == "mod");
        Some((module, code(&text)))
    };
    sources.filter_map(module).collect()
}

fn is_of_tests(path: &Path) -> bool {
    path.iter().any(|part| part == "tests")
}

/// What is neither a comment nor a test.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line.split(" // ").next().unwrap_or(line), "\n"]).collect()
}

fn imports(modules: &BTreeMap<Module, String>) -> Imports {
    let mut exported: BTreeMap<Module, Module> = BTreeMap::new();
    for (module, code) in modules {
        for body in re_exports(code) {
            let body = match ["crate::", "self::", "super::"].iter().any(|start| body.starts_with(start)) {
                true => body.to_owned(),
                false => format!("self::{body}"),
            };
            for path in paths(&body, module) {
                let name = path.last().cloned().unwrap_or_default();
                exported.insert([module.as_slice(), &[name]].concat(), path);
            }
        }
    }
    let declared_in = |path: &[String]| {
        let mut path = path.to_vec();
        // As many re-exports behind each other as anybody would write.
        for _ in 0..5 {
            let known = (1..=path.len()).rev().find(|len| modules.contains_key(&path[..*len]))?;
            match path.get(..=known).and_then(|name| exported.get(name)) {
                Some(further) if *further != path => path = further.clone(),
                _ => return Some(path[..known].to_vec()),
            }
        }
        None
    };
    let of_one = |(module, code): (&Module, &String)| {
        let own = re_exports(code)
            .into_iter()
            .fold(code.clone(), |own, body| own.replace(&format!("use {body};"), ""));
        let mut found: BTreeSet<Module> =
            paths(&own, module).iter().filter_map(|path| declared_in(path)).collect();
        // Children are called by their name alone.
        let children =
            modules.keys().filter(|other| other.split_last().is_some_and(|(_, rest)| rest == module));
        found.extend(children.filter(|child| calls(&own, &child[module.len()])).cloned());
        found.remove(module);
        (module.clone(), found)
    };
    modules.iter().map(of_one).collect()
}

/// What stands between `pub use`, however public, and the semicolon.
fn re_exports(code: &str) -> Vec<&str> {
    let public = code.match_indices("use ").filter(|(at, _)| {
        let line = code[..*at].rsplit('\n').next().unwrap_or_default().trim();
        line == "pub" || (line.starts_with("pub(") && line.ends_with(')'))
    });
    public.filter_map(|(at, _)| code[at + 4..].split(';').next()).collect()
}

/// Whether code names something of a child module.
fn calls(code: &str, child: &str) -> bool {
    let name = format!("{child}::");
    code.match_indices(&name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
    })
}

/// The paths in the code of a module that begin with `crate`, `self` or `super`, from the root on.
fn paths(code: &str, module: &[String]) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "self::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = &code[..at];
            let is_start = before
                .chars()
                .next_back()
                .is_none_or(|c| !c.is_alphanumeric() && !['_', ':', '$'].contains(&c));
            if is_start && !before.ends_with("(in ") {
                let mut written = Vec::new();
                spread("", &code[at..], &mut written);
                found.extend(written.iter().map(|path| from_the_root(path, module)));
            }
        }
    }
    found
}

fn from_the_root(path: &str, module: &[String]) -> Module {
    let mut base = module.to_vec();
    for part in path.split("::") {
        match part {
            "crate" => base.clear(),
            "self" => {}
            "super" => drop(base.pop()),
            name => base.push(name.to_owned()),
        }
    }
    base
}

/// The entries of a folder, and which imports which.
fn entries(imports: &Imports, folder: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let entry = |module: &Module| {
        let rest = module.strip_prefix(folder)?;
        Some(rest.first().cloned().unwrap_or_else(|| "mod.rs".into()))
    };
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, imported) in imports {
        if let Some(name) = entry(module) {
            let others = imported.iter().filter_map(entry).filter(|other| *other != name);
            found.entry(name.clone()).or_default().extend(others);
        }
    }
    found
}

/// A way that leads back to where it began, if there is one.
fn circle(entries: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn follow<'a>(
        at: &'a str,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
        entries: &'a BTreeMap<String, BTreeSet<String>>,
    ) -> Option<Vec<String>> {
        if let Some(begin) = way.iter().position(|name| *name == at) {
            return Some(way[begin..].iter().chain(&[at]).map(|name| (*name).to_owned()).collect());
        }
        if !done.insert(at) {
            return None;
        }
        way.push(at);
        let found = entries.get(at)?.iter().find_map(|next| follow(next, way, done, entries));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    entries.keys().find_map(|name| follow(name, &mut Vec::new(), &mut done, entries))
}
