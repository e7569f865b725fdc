//! The house rules, checked: who may import whom, and where the outside world may be touched.
//!
//! The source tree is the layer model, so an import in the wrong direction is a wrong statement about networks. Every
//! fault in the tree is listed, not only the first.

use std::fs;
use std::path::{Path, PathBuf};

/// Which folders each folder may import. `layers` has finer rules of its own below.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("trace", &["base"]),
    ("layers", &["base", "trace"]),
    ("chat", &["base", "trace", "layers"]),
    ("sim", &["base", "trace", "layers", "chat"]),
    ("view", &["base", "trace", "layers"]),
    ("real", &["base", "trace", "layers", "chat"]),
    ("lessons", &["base", "trace", "layers", "chat", "sim", "view"]),
    ("book", &["lessons", "view"]),
    ("cli", &["base", "trace", "layers", "chat", "sim", "view", "real", "lessons", "book"]),
];

/// The layers from the bottom up; `stack` joins them all.
const LAYERS: &[&str] = &["physical", "link", "internet", "transport", "application", "stack"];

/// What may be named in some folders only, and why.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    ("tokio", &["real", "cli"], "the stack is sans-IO"),
    ("socket2", &["real", "cli"], "the stack is sans-IO"),
    ("std::net::TcpStream", &["real", "cli"], "the stack is sans-IO"),
    ("std::fs", &["real", "cli", "book"], "a browser has no files: the library is built without them"),
    ("std::thread", &["real", "cli"], "a browser has no threads: the library is built without them"),
    ("std::process", &["real", "cli"], "the library is built without an operating system"),
    ("redb", &["real"], "the log on disk is behind the feature `real`"),
    ("rustix", &["real"], "system calls are behind the feature `real`"),
    ("clap", &["cli"], "the command line is behind the feature `app`"),
    ("std::net::UdpSocket", &["real", "cli"], "the stack is sans-IO"),
    ("println!", &["cli"], "only the command line prints"),
    ("eprintln!", &["cli"], "only the command line prints"),
    ("print!", &["cli"], "only the command line prints"),
    ("SystemTime", &["real", "cli"], "time is handed in"),
    ("std::time::Instant", &["real", "cli"], "time is handed in"),
    ("getrandom", &["real", "cli"], "chance is seeded"),
    ("thread_local!", &["real", "cli"], "a machine's state is a value that its owner can see"),
    ("static mut", &[], "a machine's state is a value that its owner can see"),
    ("OnceLock", &["real", "cli"], "a machine's state is a value that its owner can see"),
    ("LazyLock", &["real", "cli"], "a machine's state is a value that its owner can see"),
    ("OnceCell", &["real", "cli"], "a machine's state is a value that its owner can see"),
    ("LazyCell", &["real", "cli"], "a machine's state is a value that its owner can see"),
    ("unsafe ", &["real"], "system calls without a safe wrapper live in `real`"),
];

/// What only these may name, files or folders below `src`: above the internet layer an address has no family.
const ONE_FAMILY: &[&str] = &["Ipv4Addr", "Ipv6Addr", "SocketAddrV4", "SocketAddrV6"];
const KNOWS_FAMILIES: &[&str] = &["base/field.rs", "layers/link", "layers/internet", "layers/stack"];
/// Two protocols of programs that carry addresses of a family: resource records, and the lease of an address.
const CARRY_ADDRESSES: &[&str] = &["layers/application/dhcp.rs", "layers/application/dns.rs"];

#[test]
fn every_folder_imports_only_what_the_layer_model_allows() {
    let mut faults = Vec::new();
    for file in sources() {
        let Some(folder) = folder_of(&file.path) else { continue };
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == folder) else {
            faults.push(format!(
                "{}: the folder `{folder}` is not in the table of ARCHITECTURE.md",
                file.name()
            ));
            continue;
        };
        for (number, line) in file.code_lines() {
            for imported in crate_paths(line) {
                let first = imported.split("::").next().unwrap_or_default();
                if first != folder && !allowed.contains(&first) {
                    faults.push(format!("{}:{number}: `{folder}` may not import `{first}`", file.name()));
                }
                if folder == "layers" && first == "layers" {
                    faults.extend(upward(&file, number, &imported));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_table_of_the_document_is_the_table_above() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let written = table(&text, "| folder | may import |");
    let enforced: Vec<(String, Vec<String>)> = MAY_IMPORT
        .iter()
        .map(|(folder, allowed)| ((*folder).into(), allowed.iter().map(|name| (*name).into()).collect()))
        .collect();
    assert_eq!(written, enforced, "ARCHITECTURE.md and MAY_IMPORT differ");
    let order = text.split_once("From the bottom: ").expect("the order of the layers").1;
    let order = order.split_once('.').expect("a sentence").0.replace('\n', " ");
    assert_eq!(
        order.split(", ").map(str::trim).collect::<Vec<_>>(),
        LAYERS,
        "ARCHITECTURE.md and LAYERS differ"
    );
}

#[test]
fn the_outside_world_is_touched_only_where_it_may_be() {
    let mut faults = Vec::new();
    for file in sources() {
        let Some(folder) = folder_of(&file.path) else { continue };
        for (number, line) in file.code_lines() {
            for (word, allowed, why) in ONLY_IN {
                if mentions(line, word) && !allowed.contains(&folder.as_str()) {
                    faults.push(format!("{}:{number}: `{word}` belongs in {allowed:?}: {why}", file.name()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Who may say `unsafe`: small modules, each for one call to the system that no crate in use wraps.
const MAY_BE_UNSAFE: &[&str] = &[
    "src/real/kernel/namespace.rs",
    "src/real/kernel/packet_address.rs",
    "src/real/memory.rs",
    "src/real/tcp_info.rs",
];

#[test]
fn unsafe_code_is_in_four_small_modules() {
    let found: Vec<String> = sources()
        .iter()
        .filter(|file| file.code_lines().iter().any(|(_, line)| mentions(line, "unsafe ")))
        .map(Source::name)
        .collect();
    assert_eq!(found, MAY_BE_UNSAFE);
}

/// How an escape sequence can begin in source code.
const ESCAPES: &[&str] = &["\\x1b", "\\x1B", "\\u{1b}", "\\u{1B}", "0x1b", "0x1B", "\\033"];

/// Who may name the character ESC. A terminal sends keys as escape sequences: they are the only ones that are read.
const MAY_ESCAPE: &[&str] = &["src/view/sheet/ansi.rs", "src/cli/chat/join/editor.rs"];

#[test]
fn escape_sequences_are_written_in_one_place_and_read_nowhere() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| !MAY_ESCAPE.contains(&file.name().as_str())) {
        for (number, line) in file.lines_before_tests() {
            if ESCAPES.iter().any(|escape| line.contains(escape)) {
                faults.push(format!(
                    "{}:{number}: a picture is a sheet, and its colours are tones",
                    file.name()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn there_is_one_palette() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| file.name() != "src/view/sheet/tone.rs") {
        for (number, line) in file.lines_before_tests() {
            if names_a_colour(line) || mentions(line, "anstyle") {
                faults.push(format!(
                    "{}:{number}: colours are in the palette, `view::sheet::Tone`",
                    file.name()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Whether a line has a colour of style sheets: `#` and six hexadecimal digits.
fn names_a_colour(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| {
        let digits = line[at + 1..].chars().take_while(char::is_ascii_hexdigit).count();
        digits == 6
    })
}

#[test]
fn above_the_internet_layer_an_address_has_no_family() {
    let below = |file: &Source| {
        let path = file.path.strip_prefix(root().join("src")).expect("a file of the tree");
        KNOWS_FAMILIES.iter().chain(CARRY_ADDRESSES).any(|known| path.starts_with(known))
    };
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| !below(file)) {
        for (number, line) in file.code_lines() {
            for word in ONE_FAMILY.iter().filter(|word| mentions(line, word)) {
                faults.push(format!(
                    "{}:{number}: `{word}` is for those who read and write headers",
                    file.name()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn no_static_of_the_pure_folders_can_change() {
    let mut faults = Vec::new();
    for file in sources() {
        let Some(folder) = folder_of(&file.path).filter(|folder| !["real", "cli"].contains(&folder.as_str()))
        else {
            continue;
        };
        for (number, line) in file.code_lines() {
            if let Some(kind) = changeable_static(line) {
                faults.push(format!(
                    "{}:{number}: a static `{kind}` in `{folder}` is hidden state",
                    file.name()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is() {
    let silent: Vec<_> =
        sources().into_iter().filter(|file| !file.text.starts_with("//!")).map(|f| f.name()).collect();
    assert!(silent.is_empty(), "these files do not open with `//!`:\n{}", silent.join("\n"));
}

#[test]
fn main_parses_and_calls_and_no_more() {
    let main = fs::read_to_string(root().join("src/main.rs")).expect("src/main.rs");
    assert!(main.lines().count() <= 30, "src/main.rs has {} lines", main.lines().count());
}

/// The one way to a terminal is `src/cli/output/`, which makes every text harmless: what else printed could let the escape
/// sequences of a peer, a file or an argument through.
#[test]
fn only_the_output_prints() {
    let mut faults = Vec::new();
    let is_ours = |name: &str| name.starts_with("src/cli/") && !name.starts_with("src/cli/output/");
    for file in sources().iter().filter(|file| is_ours(&file.name())) {
        for (number, line) in file.lines_before_tests() {
            let prints =
                ["println!", "eprintln!", "print!", "eprint!"].iter().any(|word| mentions(line, word));
            let opens = ["io::stdout()", "io::stderr()"].iter().any(|name| {
                line.match_indices(name).any(|(at, _)| !line[at + name.len()..].starts_with(".is_terminal()"))
            });
            if prints || opens {
                faults.push(format!("{}:{number}: {}", file.name(), line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "print through `Output` and `remark`:\n{}", faults.join("\n"));
}

#[test]
fn the_checks_above_can_fail() {
    assert_eq!(
        crate_paths("use crate::layers::{link::arp, transport};"),
        ["layers::link::arp", "layers::transport"]
    );
    assert_eq!(crate_paths("let x = crate::sim::Network::new();"), ["sim::Network::new"]);
    assert_eq!(crate_paths("use crate::{base::Rng, trace};"), ["base::Rng", "trace"]);
    assert!(mentions("    println!(\"x\");", "println!"));
    assert!(!mentions("    my_println!(\"x\");", "println!"));
    assert!(mentions("std::thread_local! {", "thread_local!"));
    assert_eq!(changeable_static("pub static COUNT: AtomicUsize = AtomicUsize::new(0);"), Some("Atomic"));
    assert_eq!(changeable_static("    static POOL: Mutex<Vec<u8>> = Mutex::new(Vec::new());"), Some("Mutex"));
    assert_eq!(changeable_static("static TABLES: [[u32; 256]; STEP] = tables();"), None);
    assert_eq!(changeable_static("fn name(cell: &Cell<&'static str>) {"), None);
    let rows = table("| a | b |\n|---|---|\n| x | nothing of ours |\n| y | x, z |\n\nend", "| a | b |");
    assert_eq!(rows, [("x".into(), vec![]), ("y".into(), vec!["x".into(), "z".into()])]);
    let file = Source { path: root().join("src/layers/link/arp.rs"), text: String::new() };
    assert!(upward(&file, 1, "layers::transport::tcp").is_some());
    assert!(upward(&file, 1, "layers::physical::crc32").is_none());
    assert!(names_a_colour("fill:#1f2328;") && !names_a_colour("RFC #1f2328a, #12 and #"));
    let text = "let a = '\\x1b';\n// \\x1b\n#[cfg(test)]\nmod tests { '\\x1b' }\n".to_owned();
    let file = Source { path: root().join("src/view/look.rs"), text };
    let found = file.lines_before_tests().into_iter().filter(|(_, line)| line.contains(ESCAPES[0]));
    assert_eq!(found.map(|(number, _)| number).collect::<Vec<_>>(), [1]);
}

/// The rows of the Markdown table under `heading`: a name, and the names it is told.
fn table(text: &str, heading: &str) -> Vec<(String, Vec<String>)> {
    let after = text.split_once(heading).expect("the table is there").1;
    after
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .map(|(folder, allowed)| match allowed {
            "nothing of ours" => (folder.into(), Vec::new()),
            names => (folder.into(), names.split(", ").map(str::to_string).collect()),
        })
        .collect()
}

/// The fault of a layer that imports one above it.
fn upward(file: &Source, number: usize, imported: &str) -> Option<String> {
    let place = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let inside = file.path.strip_prefix(root().join("src/layers")).ok()?;
    let own = inside.components().next()?.as_os_str().to_str()?.trim_end_matches(".rs");
    let other = imported.split("::").nth(1)?;
    (place(other)? > place(own)?).then(|| {
        format!("{}:{number}: the {own} layer may not import the {other} layer above it", file.name())
    })
}

/// The paths behind `crate::` in a line, with braces taken apart.
fn crate_paths(line: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let boundary =
            line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '$');
        if boundary {
            spread("", &line[at + "crate::".len()..], &mut paths);
        }
    }
    paths
}

pub(super) fn spread(prefix: &str, rest: &str, paths: &mut Vec<String>) {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
    let (path, after) = rest.split_at(end);
    if !after.starts_with('{') {
        paths.push(format!("{prefix}{path}").trim_end_matches(':').to_string());
        return;
    }
    let mut depth = 0;
    let mut start = 1;
    for (i, c) in after.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || (c == '}' && depth == 0) {
            let item = after[start..i].trim();
            if !item.is_empty() {
                spread(&format!("{prefix}{path}"), item, paths);
            }
            start = i + 1;
        }
        if depth == 0 {
            break;
        }
    }
}

/// Whether `word` stands in `line` as a word of its own.
fn mentions(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let ends_in_letter = word.ends_with(|c: char| c.is_alphanumeric());
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
            && !(ends_in_letter && after.is_some_and(|c| c.is_alphanumeric() || c == '_'))
    })
}

/// What can change in the static that a line declares.
fn changeable_static(line: &str) -> Option<&'static str> {
    let declared = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    let (_, kind) = declared.trim_start_matches("pub(super) ").strip_prefix("static ")?.split_once(':')?;
    ["Atomic", "Mutex", "RwLock", "Cell"].into_iter().find(|word| kind.contains(word))
}

pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Source {
    fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    /// Numbered statements without comments. An import over several lines counts as one, at its first line.
    fn code_lines(&self) -> Vec<(usize, &str)> {
        let mut lines = Vec::new();
        let mut at = 0;
        while at < self.text.len() {
            let line_end = self.text[at..].find('\n').map_or(self.text.len(), |end| at + end);
            let trimmed = self.text[at..line_end].trim_start();
            let number = self.text[..at].matches('\n').count() + 1;
            let is_use =
                ["use ", "pub use ", "pub(crate) use "].iter().any(|start| trimmed.starts_with(start));
            let end = if is_use {
                self.text[at..].find(';').map_or(line_end, |end| at + end + 1).max(line_end)
            } else {
                line_end
            };
            if !trimmed.starts_with("//") {
                let code = &self.text[at..end];
                lines.push((number, if is_use { code } else { code.split(" // ").next().unwrap_or(code) }));
            }
            at = end + 1;
        }
        lines
    }
}

impl Source {
    /// Its statements up to its unit tests; none of a file that is all tests.
    fn lines_before_tests(&self) -> Vec<(usize, &str)> {
        let name = self.name();
        if name.ends_with("tests.rs") || name.contains("/tests/") {
            return Vec::new();
        }
        let tests = self.text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let end = self.text[..tests].matches('\n').count() + 1;
        self.code_lines().into_iter().filter(|(number, _)| *number <= end).collect()
    }
}

pub(super) fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join("src"), &mut found);
    assert!(found.len() > 20, "the source tree was not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("src is readable").map(|e| e.expect("entry").path()).collect();
    entries.sort();
    for path in entries {
        // The programs of an exercise are texts, and belong to its student.
        let is_program = ["starter.rs", "solution.rs"].iter().any(|name| path.ends_with(name));
        if path.is_dir() {
            collect(&path, found);
        } else if is_program {
            let home = folder.parent().expect("a folder of src");
            assert!(home.ends_with("lessons/exercises"), "{} is no program of an exercise", path.display());
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("source is UTF-8");
            found.push(Source { path, text });
        }
    }
}

/// The folder of `src` that a file is in; `None` for `lib.rs` and `main.rs`, which name them all.
fn folder_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).ok()?;
    let mut parts = inside.components();
    let first = parts.next()?.as_os_str().to_str()?.to_string();
    parts.next().map(|_| first)
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
