//! Our stack against Linux's, frame by frame: what no test of our own stack against itself can show.
//!
//! This program makes namespaces of its own, which it must do before it has threads, so it is no usual test program: it
//! has its own list of tests and runs them one after the other, each on a thread with a network namespace to itself.
//! Where the system forbids namespaces, or a wire in them, it says that it did not run.

#[cfg(target_os = "linux")]
mod bulk;
#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod handshake;
#[cfg(target_os = "linux")]
mod ping;
#[cfg(target_os = "linux")]
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;
    use std::thread;

    use netlayers::real::kernel;

    let tests: Vec<(String, fn())> = [ping::TESTS, handshake::TESTS, bulk::TESTS, commands::TESTS]
        .into_iter()
        .flatten()
        .map(|(name, test)| ((*name).to_owned(), *test))
        .collect();
    // The arguments of `cargo test -- ...` that matter: words that a name must contain, and a list of the names.
    let (flags, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with('-'));
    if flags.iter().any(|flag| flag == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let wire = kernel::enter().and_then(|()| thread::spawn(wire::try_one).join().expect("no panic"));
    if let Err(error) = wire {
        // No package brings what a system forbids, so this fails nowhere.
        eprintln!("DID NOT RUN: {error}: run it where user namespaces are allowed");
        return ExitCode::SUCCESS;
    }
    let chosen =
        tests.iter().filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(word)));
    let mut failed = Vec::new();
    for (name, test) in chosen {
        let test = *test;
        let ran = thread::spawn(move || {
            kernel::enter_network().expect("a network namespace inside our own user namespace");
            test();
        });
        let passed = ran.join().is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        if !passed {
            failed.push(name);
        }
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("DID NOT RUN: the kernel wire needs Linux");
}
