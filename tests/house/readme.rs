//! The documents stay true: transcripts are what the program prints, and every file they name exists.
//!
//! `NETLAYERS_UPDATE=1 cargo test --test house readme` writes the transcripts anew; look at the difference before you
//! commit it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

#[test]
fn every_transcript_is_what_the_command_above_it_prints() {
    let mut faults = Vec::new();
    for document in DOCUMENTS {
        let path = root().join(document);
        let text = fs::read_to_string(&path).expect(document);
        let mut renewed = String::new();
        for block in blocks(&text) {
            match block {
                Block::Transcript { command, shown } => {
                    let printed = run(&command);
                    if printed != shown {
                        faults
                            .push(format!("{document}: $ {command}\n{}", first_difference(&shown, &printed)));
                    }
                    renewed += &format!("```console\n$ {command}\n{printed}```\n");
                }
                Block::Other(line) => renewed += line,
            }
        }
        if std::env::var_os("NETLAYERS_UPDATE").is_some() {
            fs::write(&path, renewed).expect(document);
            faults.clear();
        }
    }
    assert!(faults.is_empty(), "NETLAYERS_UPDATE=1 renews these:\n{}", faults.join("\n"));
}

#[test]
fn every_command_of_the_readme_works_in_its_order() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    // As on a new machine: what an earlier run has left is no part of it.
    for left in [&data(), &folder] {
        let _ = fs::remove_dir_all(left);
    }
    fs::create_dir_all(&folder).expect("a scratch folder");
    fs::copy(root().join("README.md"), folder.join("README.md")).expect("README.md");
    fs::create_dir_all(folder.join("tests/tcp")).expect("a scratch folder");
    let script = "tests/tcp/zero-window.txt";
    fs::copy(root().join(script), folder.join(script)).expect(script);
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    let mut tried = 0;
    let shells = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    for line in shells.flat_map(str::lines).filter(|line| line.starts_with("netlayers")) {
        let command = line.split(" #").next().expect("a command").trim();
        tried += 1;
        if command.starts_with("netlayers chat serve") {
            serves(command, &folder);
            continue;
        }
        if command.starts_with("netlayers chat join") {
            joins(command, &folder);
            continue;
        }
        let output = output(command, &folder);
        let complaint = String::from_utf8_lossy(&output.stderr);
        if command.contains("wire kernel") && complaint.contains("--wire real") {
            // No package brings what a system forbids, so this fails nowhere.
            eprintln!("DID NOT RUN: {command}: {complaint}");
            continue;
        }
        assert!(output.status.success(), "{command}: {complaint}");
    }
    assert!(tried > 10, "only {tried} commands were found");
}

#[test]
fn the_readme_has_the_main_transcript() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(text.contains("```console\n$ netlayers compare \"hello, layers\"\n"), "the one picture");
}

#[test]
fn every_path_that_is_named_exists() {
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).expect(document);
        for path in named_paths(&text) {
            if !root().join(&path).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "these do not exist:\n{}", missing.join("\n"));
}

#[test]
fn every_path_of_the_concept_table_is_checked_and_every_folder_of_layers_is_in_the_map() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    let paths = named_paths(&text);
    assert!(paths.len() > 40, "only {} paths were found: the check above sees too little", paths.len());
    for entry in fs::read_dir(root().join("src/layers")).expect("src/layers") {
        let entry = entry.expect("entry");
        if entry.path().is_dir() {
            let name = format!("src/layers/{}/", entry.file_name().to_string_lossy());
            assert!(text.contains(&name), "the layer map does not have {name}");
        }
    }
}

/// But for a scenario line, which is in one piece, to be copied, on a terminal too.
#[test]
fn code_blocks_fit_80_columns() {
    let mut long = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).expect(document);
        let mut inside = false;
        for (number, line) in text.lines().enumerate() {
            if line.starts_with("```") {
                inside = !inside;
            } else if inside && line.chars().count() > 80 && !line.starts_with("scenario: ") {
                long.push(format!("{document}:{}: {line}", number + 1));
            }
        }
    }
    assert!(long.is_empty(), "longer than 80 columns:\n{}", long.join("\n"));
}

#[test]
fn the_checks_above_can_fail() {
    assert_eq!(named_paths("| MSS | `src/a/b.rs`, `src/c/` | and `--mtu`, `x.rs`"), ["src/a/b.rs", "src/c/"]);
    assert_eq!(
        words("netlayers compare \"hello, layers\" --only tcp"),
        ["netlayers", "compare", "hello, layers", "--only", "tcp"]
    );
    let found = blocks("a\n```console\n$ netlayers x\nout\n```\nb\n");
    assert!(
        matches!(&found[1], Block::Transcript { command, shown } if command == "netlayers x" && shown == "out\n")
    );
    assert_eq!(found.len(), 3);
    assert!(first_difference("a\nb\n", "a\nc\n").contains("line 2"));
}

enum Block<'a> {
    /// A `console` block with one command of ours and what it prints.
    Transcript { command: String, shown: String },
    /// Any other line, its end included.
    Other(&'a str),
}

/// A `console` block that begins with `$ netlayers` is a transcript; all else is taken line by line.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let inside = rest.strip_prefix("```console\n$ ").filter(|inside| inside.starts_with("netlayers "));
        match inside.and_then(|inside| Some((inside, inside.find("\n```\n")?))) {
            Some((inside, end)) => {
                let (command, shown) = inside[..=end].split_once('\n').expect("a command ends its line");
                found.push(Block::Transcript { command: command.into(), shown: shown.into() });
                rest = &inside[end + "\n```\n".len()..];
            }
            None => {
                found.push(Block::Other(line));
                rest = &rest[line.len()..];
            }
        }
    }
    found
}

/// Runs the program as a reader would, in the root of the project, with no terminal and 80 columns.
fn run(command: &str) -> String {
    String::from_utf8(output(command, &root()).stdout).expect("output is UTF-8")
}

fn output(command: &str, folder: &Path) -> Output {
    program(command, folder).output().expect("the program runs")
}

/// A client needs a chat to join, on a port that is free; at the end of its input it leaves.
fn joins(command: &str, folder: &Path) {
    let mut server = program("netlayers chat serve --memory --port 0", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut said = String::new();
    let read = BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut said);
    let address = said.trim().strip_prefix("listening on http://").unwrap_or_default();
    let output = output(&command.replace("127.0.0.1:8000", address), folder);
    let _ = server.kill();
    let _ = server.wait();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(read.is_ok() && output.status.success(), "{command}: {said}{complaint}");
}

/// A server does not end by itself: it has to say that it listens. On a port that is free, whichever that is.
fn serves(command: &str, folder: &Path) {
    let mut server = program(command, folder)
        .args(["--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut said = String::new();
    let read = BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut said);
    // It may have ended by itself, and then there is nobody to end.
    let _ = server.kill();
    let output = server.wait_with_output().expect("it ends");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(read.is_ok() && said.starts_with("listening on http://"), "{command}: {said}{complaint}");
}

/// What it keeps is kept in a folder of these tests, and not with the progress of whoever runs them.
fn program(command: &str, folder: &Path) -> Command {
    let words = words(command);
    let mut program = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    program
        .args(&words[1..])
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("COLUMNS", "80")
        .env("LC_ALL", "C.UTF-8")
        .env("NETLAYERS_DATA", data())
        .env_remove("TERM");
    program
}

fn data() -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme-data")
}

/// The words of a command line, as far as a transcript needs: spaces divide, double quotes hold together.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in command.split('"').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_string());
        } else {
            words.extend(part.split_whitespace().map(str::to_string));
        }
    }
    words
}

fn first_difference(shown: &str, printed: &str) -> String {
    let (mut a, mut b) = (shown.lines(), printed.lines());
    for number in 1.. {
        match (a.next(), b.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let (a, b) = (a.unwrap_or("(nothing)"), b.unwrap_or("(nothing)"));
                return format!("  line {number} of the document: {a}\n  line {number} as printed:     {b}");
            }
        }
    }
    "  the ends of the lines differ".into()
}

/// What stands in backticks and begins like a path of this project.
fn named_paths(text: &str) -> Vec<String> {
    const STARTS: &[&str] = &["src/", "tests/", "examples/", "benches/", "fuzz/", ".ci/"];
    let pieces = text.split('`').skip(1).step_by(2);
    let is_path = |piece: &&str| {
        STARTS.iter().any(|start| piece.starts_with(start))
            && piece.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
    };
    pieces.filter(is_path).map(str::to_string).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}
