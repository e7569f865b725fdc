//! `mine`: a congestion control of one's own, from the plain program.

use std::path::Path;
use std::process::Output;

use super::cli::{netlayers, refused, run, stderr, stdout};

const FILE: &str = "examples/my_congestion_control.rs";

/// The program in a folder, with a cargo of the test's own if it has one.
fn in_folder(folder: &Path, args: &[&str], cargo: Option<&Path>) -> Output {
    let mut command = netlayers(args);
    command.current_dir(folder);
    if let Some(cargo) = cargo {
        command.env("CARGO", cargo);
    }
    command.output().expect("it starts")
}

/// An empty folder below the build folder, where no parent but the source tree itself has the example.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("netlayers-mine-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// The real one: cargo builds the example, and it races under its name, from a folder below too.
#[test]
fn the_control_of_the_source_tree_races_from_the_plain_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let args = ["race", "cubic", "mine", "--loss", "1%", "--time", "2s"];
    let output = in_folder(&root.join("src"), &args, None);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("loss 1%") && said.contains("next: netlayers race cubic mine"), "{said}");
    assert!(said.lines().any(|line| line.trim_start().starts_with("2  mine  ")), "{said}");
    let args = ["compare", "hello", "--only", "tcp", "--cc", "mine"];
    let output = in_folder(root, &args, None);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("cc mine"), "{}", stdout(&output));
    // The program that it hands over to says how it ended.
    let output = in_folder(root, &["race", "mine", "cubik"], None);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean cubic?"), "{}", stderr(&output));
}

#[test]
fn where_there_is_none_the_answer_says_where_one_is() {
    let place = folder("none");
    for args in [&["race", "cubic", "mine"][..], &["compare", "--cc", "mine"]] {
        let output = in_folder(&place, args, None);
        assert_eq!(output.status.code(), Some(1));
        let said = stderr(&output);
        assert!(said.contains(&format!("there is no {FILE} here")) && said.contains("next: "), "{said}");
    }
    // A name that is nearly one is no reason to build anything.
    assert!(refused(&["race", "minne"], 2).contains("did you mean mine?"));
    assert!(refused(&["compare", "--cc", "minne"], 2).contains("or mine in race and compare"));
    // A name of congestion control is not one of a queue.
    assert!(refused(&["compare", "--aqm", "mine"], 2).contains("expected one of"));
    assert!(run(&["race", "newreno", "cubic", "--time", "100ms"]).status.success());
}

#[cfg(unix)]
#[test]
fn what_the_compiler_says_is_passed_on_and_a_slow_build_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = folder("compiler");
    std::fs::create_dir_all(place.join("examples")).expect("a folder can be made");
    std::fs::write(place.join("Cargo.toml"), "").expect("a file can be written");
    std::fs::write(place.join(FILE), "fn main() {").expect("a file can be written");
    let script = |name: &str, text: &str| {
        let path = place.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        path
    };
    let failing = r#"echo "error: unclosed delimiter: $*" >&2; echo '{"reason":"build-finished","success":false}'; exit 101"#;
    let output = in_folder(&place, &["race", "mine"], Some(&script("failing", failing)));
    let said = stderr(&output);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    for expected in
        ["unclosed delimiter: build --quiet --example my_congestion_control", "does not compile yet"]
    {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!said.contains("building"), "it took no second: {said}");
    let output = in_folder(&place, &["race", "mine"], Some(&script("absent", "exit 1")));
    assert!(stderr(&output).contains("could not begin to build"), "{}", stderr(&output));
    // One that takes longer, and what it built: it gets the arguments, and its exit code is ours.
    let built = script("built", r#"echo "got $*"; exit 7"#);
    let message = format!(
        r#"{{"reason":"compiler-artifact","target":{{"name":"my_congestion_control"}},"executable":"{}"}}"#,
        built.display()
    );
    let slow = script("slow", &format!("sleep 1.3; echo '{message}'"));
    let output = in_folder(&place, &["race", "mine", "--time", "1s"], Some(&slow));
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(7), "got race mine --time 1s\n"));
    assert!(stderr(&output).contains(&format!("(building {FILE}")), "{}", stderr(&output));
}
