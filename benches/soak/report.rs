//! What is asked for, and what is told at the end.

use std::path::PathBuf;

use super::Soak;
use super::talker::Sabotage;

/// The command line.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) seconds: u64,
    pub(crate) clients: u32,
    pub(crate) rooms: u16,
    pub(crate) kills: u32,
    /// From one thing that a client does to the next, on average.
    pub(crate) pace_ms: u64,
    pub(crate) seed: u64,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) server: Option<PathBuf>,
}

const USAGE: &str = "usage: cargo bench --bench soak -- [--seconds 300] [--clients 1000] [--rooms 50] [--kills 4]
  [--pace 2000] [--seed 7] [--sabotage lose|repeat|swap|corrupt|forget|overhear] [--server PROGRAM]
Faults are injected by seed; --kills 0 leaves the server alive. Ends with 1 and the first violation, if there is one.";

impl Asked {
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Asked {
            seconds: 300,
            clients: 1000,
            rooms: 50,
            kills: 4,
            pace_ms: 2000,
            seed: 7,
            sabotage: None,
            server: None,
        };
        while let Some(option) = args.next() {
            // Added by cargo.
            if option == "--bench" {
                continue;
            }
            let value = args.next().ok_or(USAGE)?;
            let number =
                || value.parse::<u64>().map_err(|_| format!("{option} {value}: a number is wanted\n{USAGE}"));
            match option.as_str() {
                "--seconds" => asked.seconds = number()?.max(5),
                "--clients" => asked.clients = number()?.clamp(2, 20_000) as u32,
                "--rooms" => asked.rooms = number()?.clamp(1, 10_000) as u16,
                "--kills" => asked.kills = number()?.min(100) as u32,
                "--pace" => asked.pace_ms = number()?.max(150),
                "--seed" => asked.seed = number()?,
                "--server" => asked.server = Some(value.into()),
                "--sabotage" => {
                    let known = Sabotage::ALL.iter().find(|(name, _)| *name == value);
                    asked.sabotage = Some(known.ok_or(USAGE)?.1);
                }
                _ => return Err(USAGE.into()),
            }
        }
        Ok(asked)
    }

    pub(crate) fn describe(&self) -> String {
        let kills = match self.kills {
            0 => "no kill".into(),
            1 => "1 kill -9".into(),
            many => format!("{many} times kill -9"),
        };
        format!(
            "soak: {} clients in {} rooms for {} s, {kills}, seed {}",
            self.clients, self.rooms, self.seconds, self.seed
        )
    }
}

/// Figures by name, and the verdict.
pub(crate) fn print(soak: &Soak, memory: &str) {
    let (counts, faults) = (soak.checker.counts(), soak.faults);
    let row = |name: &str, value: String| println!("  {name:<34} {value:>12}");
    println!("\nchecked");
    for (name, count) in [
        ("messages said", counts.said),
        ("  acknowledged", counts.acknowledged),
        ("  heard by somebody", counts.in_log),
        ("  acknowledged, heard by nobody", counts.unproven),
        ("deliveries", counts.deliveries),
        ("volatile deliveries (not checked)", soak.volatile),
        ("visits", counts.visits),
        ("returns within the window", counts.returns),
        ("memberships", counts.stretches),
    ] {
        row(name, group(count));
    }
    println!("faults");
    for (name, count) in [
        ("server kill -9 and restart", faults.killed),
        ("closed in order", faults.hung_up),
        ("stream ended without a word", faults.ended),
        ("TCP reset", faults.reset),
        ("TCP reset in the middle of a frame", faults.torn),
        ("half-open: silent and deaf", faults.half_open),
        ("stopped reading for seconds", faults.slow),
        ("goodbye, and back as somebody new", faults.quit),
        ("strangers with junk", faults.junk),
    ] {
        row(name, group(count.into()));
    }
    println!("server memory: {memory}");
    match counts.violations {
        0 => println!(
            "every acknowledged message reached every client entitled to it, in order, once: no violation"
        ),
        violations => println!("VIOLATIONS: {violations}"),
    }
}

/// 1234567 as 1,234,567.
fn group(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
