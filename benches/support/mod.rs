//! What both benchmarks measure with: CPU time, medians, and a child process for each case.
//!
//! CPU time, not wall-clock time, because it is what the program costs whatever else the machine does. Each case runs in a
//! process of its own: it begins with a cold heap, and the kernel's high-water mark of its memory is its own.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// One measured number, by name.
pub(crate) type Figure = (String, f64);

/// How often each case runs; the figures are medians over these runs.
pub(crate) const RUNS: usize = 5;

/// CPU time this process has used, in seconds.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the system call has no safe wrapper in the standard library")]
pub(crate) fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value of the right type, which lives until the call returns.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "every Unix has a clock of the process's CPU time");
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Where there is no such clock, wall-clock time: the figures then hold on an idle machine only.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "a benchmark is about the real machine")]
pub(crate) fn cpu_seconds() -> f64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// What was asked for on the command line.
pub(crate) enum Asked {
    /// Run this case once, in this process, and say its figures to the parent.
    Case(String),
    /// Run everything whose name contains the filter; print JSON instead of a table if wished.
    All { filter: String, json: bool },
}

/// Reads the command line. `cargo bench` adds `--bench`, which says nothing here.
pub(crate) fn asked() -> Asked {
    let (mut filter, mut json) = (String::new(), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--case" => return Asked::Case(arguments.next().unwrap_or_default()),
            "--json" => json = true,
            "--bench" => {}
            _ => filter = argument,
        }
    }
    Asked::All { filter, json }
}

/// In the child: hands the figures to the parent, one on a line.
pub(crate) fn report(figures: &[Figure]) {
    for (name, value) in figures {
        println!("{name}\t{value}");
    }
}

/// In the parent: runs a case [`RUNS`] times, each in a new process, and gives the median of each figure.
///
/// # Panics
/// When a case fails.
pub(crate) fn medians(case: &str) -> Vec<Figure> {
    let this = std::env::current_exe().expect("the path of this benchmark");
    let runs: Vec<Vec<Figure>> = (0..RUNS)
        .map(|_| {
            let output = Command::new(&this).args(["--case", case]).stderr(Stdio::inherit()).output();
            let output = output.expect("a benchmark can start itself");
            assert!(output.status.success(), "the case {case} failed");
            String::from_utf8_lossy(&output.stdout).lines().filter_map(figure).collect()
        })
        .collect();
    let names = runs[0].iter().map(|(name, _)| name.clone());
    names.enumerate().map(|(i, name)| (name, median(runs.iter().map(|run| run[i].1).collect()))).collect()
}

fn figure(line: &str) -> Option<Figure> {
    let (name, value) = line.split_once('\t')?;
    Some((name.into(), value.parse().ok()?))
}

/// The middle one of some numbers.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints one JSON object: for each case an object of its figures.
pub(crate) fn print_json(results: &[(String, Vec<Figure>)]) {
    let object: serde_json::Map<_, _> = results
        .iter()
        .map(|(case, figures)| {
            let figures: serde_json::Map<_, _> =
                figures.iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
            (case.clone(), figures.into())
        })
        .collect();
    println!("{:#}", serde_json::Value::Object(object));
}

/// Prints one line of a table as soon as it is known.
pub(crate) fn print_line(line: &str) {
    println!("{}", line.trim_end());
    let _ = std::io::stdout().flush();
}
