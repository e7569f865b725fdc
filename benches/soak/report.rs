//! What is asked for, and what is told at the end.

use std::path::PathBuf;

use super::Soak;
use netlayers::chat::soak::Sabotage;

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
    /// Whose observation is sabotaged.
    pub(crate) witness: u32,
    pub(crate) server: Option<PathBuf>,
    /// Instead of all this, a flood by so many readers, each owed so much.
    pub(crate) is_flood: bool,
    pub(crate) readers: u32,
    pub(crate) megabytes: u64,
}

const USAGE: &str = "usage: cargo bench --bench soak -- [--seconds 300] [--clients 1000] [--rooms 50] [--kills 4]
  [--pace 2000] [--seed 7] [--sabotage lose|repeat|swap|corrupt|forget|overhear] [--witness 3] [--server PROGRAM]
Of five clients, by their numbers, one polls, one polls and upgrades, three begin with WebSocket. A witness sees
what the sabotage makes of it: 5 by polling, 6 after its upgrade, 3 by WebSocket.
flood [--readers 200] [--megabytes 2] [--server PROGRAM] measures memory instead.
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
            witness: 3,
            server: None,
            is_flood: false,
            readers: 200,
            megabytes: 2,
        };
        while let Some(option) = args.next() {
            // Added by cargo.
            if option == "--bench" {
                continue;
            }
            if option == "flood" {
                asked.is_flood = true;
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
                "--readers" => asked.readers = number()?.clamp(1, 5000) as u32,
                "--megabytes" => asked.megabytes = number()?.clamp(1, 20),
                "--witness" => asked.witness = number()?.min(20_000) as u32,
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
    let row = |name: &str, value: String| println!("  {name:<36} {value:>10}");
    println!("\nchecked");
    for (name, count) in [
        ("messages said", counts.said),
        ("  acknowledged", counts.acknowledged),
        ("  heard by somebody", counts.in_log),
        ("  acknowledged, heard by nobody", counts.unproven),
        ("deliveries", counts.deliveries),
        ("  of these by polling", soak.polled),
        ("volatile deliveries (not checked)", soak.volatile),
        ("sessions that moved to WebSocket", soak.upgraded),
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
        ("TCP reset in a frame or a request", faults.torn),
        ("GET cut while it waited", faults.get_cut),
        ("GET cut in the middle of its answer", faults.get_torn),
        ("POST cut in the middle", faults.post_torn),
        ("POST whole, its answer lost", faults.answer_lost),
        ("upgrade cut: before it stood", faults.upgrade_cut[0]),
        ("  in the opening handshake", faults.upgrade_cut[1]),
        ("  before the probe was answered", faults.upgrade_cut[2]),
        ("  before the last poll was answered", faults.upgrade_cut[3]),
        ("  when it had moved", faults.upgrade_cut[4]),
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
