//! The book from outside: it builds in every way it can be built, no link leads nowhere, and what cannot be expanded
//! stops it, with file and line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::support;
use netlayers::book::directive::replace;
use netlayers::book::expand::Expander;
use netlayers::layers::transport::tcp::{Cause, State};
use netlayers::lessons::ALL;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("netlayers-book-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn netlayers(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netlayers"))
        .args(arguments)
        .current_dir(root())
        .env_remove("COLUMNS")
        .output()
        .expect("netlayers runs")
}

/// The pages, by name, each with its text.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).expect("the book").map(|entry| entry.expect("entry").path());
    let html = files.filter(|path| path.extension().is_some_and(|end| end == "html"));
    html.map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("HTML is UTF-8"))
    })
    .collect()
}

fn attributes(page: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    page.split(&start).skip(1).filter_map(|after| after.split('"').next()).map(str::to_string).collect()
}

#[test]
fn the_book_builds_and_every_link_id_and_image_of_its_pages_is_there() {
    let dest = folder("build");
    let done = netlayers(&["book", "build", "--dest", &dest.display().to_string()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let pages = pages(&dest);
    assert!(pages.len() > 6, "{:?}", pages.keys());
    let ids: BTreeMap<&str, BTreeSet<String>> = pages
        .iter()
        .map(|(name, page)| {
            let ids = attributes(page, "id");
            let unique: BTreeSet<String> = ids.iter().cloned().collect();
            // mdBook's own search and sidebar come once each, so every id is there once.
            let twice: Vec<&String> =
                unique.iter().filter(|id| ids.iter().filter(|other| other == id).count() > 1).collect();
            assert!(twice.is_empty(), "{name}: {twice:?}");
            (name.as_str(), unique)
        })
        .collect();
    let mut faults = Vec::new();
    for (name, page) in &pages {
        let links = ["href", "src"].iter().flat_map(|attribute| attributes(page, attribute));
        for link in links.filter(|link| !link.contains("://") && !link.starts_with("data:") && link != "/") {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = if file.is_empty() { name.as_str() } else { file };
            if !dest.join(file).is_file() {
                faults.push(format!("{name}: {link}"));
            } else if let (Some(known), false) = (ids.get(file), anchor.is_empty())
                && !known.contains(anchor)
            {
                faults.push(format!("{name}: no such place: {link}"));
            }
        }
        for described in
            attributes(page, "aria-labelledby").iter().chain(&attributes(page, "aria-describedby"))
        {
            // mdBook's own search names a heading that it does not have.
            if described != "searchresults-header" && !ids[name.as_str()].contains(described) {
                faults.push(format!("{name}: described by nothing: {described}"));
            }
        }
        if page.contains("{{#") {
            faults.push(format!("{name}: a directive is left"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let _ = fs::remove_dir_all(dest);
}

/// The test knows neither arrows nor their number: it asks the `match` about every state and every cause.
#[test]
fn the_state_diagram_of_the_book_has_all_transitions_and_no_other() {
    let chapter = fs::read_to_string(root().join("book/src/lesson-handshake.md")).expect("the chapter");
    assert!(chapter.contains("\n{{#states tcp}}\n"), "the chapter of the handshake shows the diagram");
    let tree = root();
    let mut expander = Expander::new(&tree);
    let page = replace("{{#states tcp}}\n", |directive| expander.expand(directive)).expect("a figure");
    let told =
        page.split_once("<desc id=\"states-tcp-desc\">").and_then(|(_, rest)| rest.split_once("</desc>"));
    let mut told: Vec<&str> = told.expect("a description").0.split_terminator('.').map(str::trim).collect();
    let mut probed = Vec::new();
    for from in State::ALL {
        for cause in Cause::ALL {
            probed.extend(from.after(cause).map(|to| format!("{from} to {to}: {}", cause.why())));
        }
    }
    told.sort_unstable();
    probed.sort_unstable();
    assert_eq!(told, probed);
}

#[test]
fn every_lesson_has_its_chapter() {
    let summary = fs::read_to_string(root().join("book/src/SUMMARY.md")).expect("the summary");
    let missing: Vec<&str> = ALL
        .iter()
        .filter(|lesson| {
            let page = format!("lesson-{}.md", lesson.id);
            let text = fs::read_to_string(root().join("book/src").join(&page)).unwrap_or_default();
            !summary.contains(&page) || !text.contains(&format!("{{{{#lesson {} story}}}}", lesson.id))
        })
        .map(|lesson| lesson.id)
        .collect();
    assert!(missing.is_empty(), "no chapter in book/src: {missing:?}");
}

#[test]
fn faults_stop_the_book_and_all_are_named_with_file_and_line() {
    let source = folder("faults");
    fs::create_dir_all(source.join("src")).expect("a folder");
    fs::copy(root().join("book/book.toml"), source.join("book.toml")).expect("the configuration");
    let page = "# A\n{{#nonsense}}\n{{#fact handshake no_such_fact}}\n{{#figure handshake/no/ladder}}\n\
                {{#code src/none.rs:main}}\n{{#header atm}}\n{{#quiz handshake 99}}\n{{#lesson handshake story loss=1}}\n";
    fs::write(source.join("src/SUMMARY.md"), "- [A](a.md)\n- [B](b.md)\n").expect("written");
    fs::write(source.join("src/a.md"), page).expect("written");
    fs::write(source.join("src/b.md"), "# B\n").expect("written");
    let build = || {
        let dest = source.join("out").display().to_string();
        netlayers(&["book", "build", "--source", &source.display().to_string(), "--dest", &dest])
    };
    let done = build();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    for line in 2..=8 {
        assert!(said.contains(&format!("a.md:{line}: ")), "line {line}: {said}");
    }
    assert!(said.contains("7 faults") && !said.contains("b.md"), "{said}");

    fs::write(source.join("src/a.md"), "# A\n\n[to B](b.md#nowhere), [gone](c.md)\n").expect("written");
    let done = build();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.matches("a.md:3: ").count() == 2, "{said}");
    let _ = fs::remove_dir_all(source);
}

/// As mdBook itself does it: the program is asked about the renderer, then gets a context and a book as JSON.
#[test]
fn a_stock_mdbook_gets_its_pages_through_the_protocol() {
    assert!(netlayers(&["book", "preprocess", "supports", "html"]).status.success());
    assert!(!netlayers(&["book", "preprocess", "supports", "latex"]).status.success());
    let chapter = serde_json::json!({ "Chapter": {
        "name": "A", "content": "# A\n\n{{#count lessons}} lessons\n", "number": null, "sub_items": [],
        "path": "a.md", "source_path": "a.md", "parent_names": [],
    }});
    let context = serde_json::json!({
        "root": root().join("book"), "config": { "book": { "src": "src" } }, "renderer": "html",
        "mdbook_version": "0.5.4",
    });
    let input = serde_json::json!([context, { "items": [chapter] }]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_netlayers"))
        .args(["book", "preprocess"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("netlayers runs");
    child.stdin.take().expect("a pipe").write_all(input.to_string().as_bytes()).expect("written");
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success());
    let book: serde_json::Value = serde_json::from_slice(&done.stdout).expect("a book");
    let content = book["items"][0]["Chapter"]["content"].as_str().expect("text");
    assert_eq!(content, format!("# A\n\n{} lessons\n", ALL.len()));
}

#[test]
fn the_picture_of_the_readme_is_what_compare_prints() {
    let made = folder("picture").join("compare.svg");
    let done = netlayers(&["compare", "hello, layers", "--svg", &made.display().to_string()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let shown = fs::read_to_string(root().join("book/src/images/compare.svg")).expect("the picture");
    let made = fs::read_to_string(made).expect("a picture");
    assert!(
        shown == made,
        "book/src/images/compare.svg is old: netlayers compare \"hello, layers\" --svg book/src/images/compare.svg"
    );
}

/// Looked at in Chromium: both themes by axe-core, and a telephone.
#[test]
fn every_page_has_contrast_in_both_themes_and_is_whole_on_a_telephone() {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let peers = target.join("peers");
    if !peers.join("node_modules/axe-core").exists() {
        let mend = "run tests/peers/install.sh (it needs node, npm and python3)";
        support::did_not_run(&format!("there is no axe-core in {}", peers.display()), mend);
        return;
    }
    if support::peer("node").is_none() || support::peer("chromium").is_none() {
        return;
    }
    let dest = folder("eyes");
    let done = netlayers(&["book", "build", "--dest", &dest.display().to_string()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let looked = Command::new("node")
        .arg(root().join("tests/peers/book_page.mjs"))
        .arg(&dest)
        .current_dir(peers)
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&looked.stdout);
    assert!(looked.status.success(), "{said}{}", String::from_utf8_lossy(&looked.stderr));
    assert!(said.contains(" 0 faults"), "{said}");
    let _ = fs::remove_dir_all(dest);
}

#[test]
fn sources_and_sections_are_links_that_need_no_site_of_ours() {
    let dest = folder("links");
    let done = netlayers(&["book", "build", "--dest", &dest.display().to_string()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let pages = pages(&dest);
    let udp = &pages["lesson-udp.html"];
    assert!(udp.contains("href=\"source/src/layers/transport/udp.rs.html\""), "the file has a page");
    assert!(udp.contains("href=\"https://www.rfc-editor.org/rfc/rfc1122#section-4.1"), "a section is a link");
    assert!(udp.contains(">6. UDP<") && udp.contains("netlayers check 6"), "its number, and its exercise");
    // What the page of a file shows is the file.
    let shown = fs::read_to_string(dest.join("source/src/layers/transport/udp.rs.html")).expect("its page");
    let (_, code) = shown.split_once("<pre").expect("code");
    let mut text = String::new();
    for piece in code.split("</pre>").next().expect("code").split('<') {
        text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    let text = text.replace("&#x27;", "'").replace("&amp;", "&");
    let file = fs::read_to_string(root().join("src/layers/transport/udp.rs")).expect("the file");
    assert_eq!(text.trim(), file.trim());
    for (name, page) in &pages {
        assert!(!page.contains("[`") && !page.contains("[<code>"), "{name}: a link of rustdoc is left");
    }
    let _ = fs::remove_dir_all(dest);
}
