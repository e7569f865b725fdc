//! What an echoed message costs a server: CPU time of the server's process per message, for the WebSocket of netlayers
//! and for other crates, each in its usual loop and, where it can, with writes gathered by hand.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml            all of it
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- 16 32   one size, one number of connections
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- single  one message in flight
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- memory  what an idle connection costs
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events  the event server: see `events`
//! ```
//!
//! Each server runs in a process of its own, on one thread. The load comes from this process, which keeps a fixed
//! number of messages in flight on each connection. Every case is run three times in turn with the others; the table
//! shows the best, which is the one that was disturbed least. Then the same for compressed text (RFC 7692), with the
//! servers that can do it, and with the bytes that an answer takes on the wire.

mod events;
mod load;
mod servers;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use load::Load;
use servers::{DEFLATE_SERVERS, SERVERS};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, name] = &args[..]
        && serve == "serve"
    {
        return servers::run(name);
    }
    match args.first().map(String::as_str) {
        Some("events") => return events::main(&args[1..]),
        Some("serve-events") => return args.iter().skip(1).for_each(|name| events::serve(name)),
        Some("memory") => return memory(),
        _ => {}
    }
    if let Some("single") = args.first().map(String::as_str) {
        return single();
    }
    let wanted: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    println!("server CPU per echoed message, in microseconds (best of 3)\n");
    for load in [Load::Plain, Load::Takeover, Load::NoTakeover] {
        for (size, in_flight, messages) in SIZES {
            for connections in [1, 32] {
                let asked = |at: usize, value: usize| wanted.get(at).is_none_or(|only| *only == value);
                if asked(0, size) && asked(1, connections) && (load == Load::Plain || size > 16) {
                    table(load, size, connections, in_flight, messages);
                }
            }
        }
    }
}

/// One message in flight on one connection: nothing can be gathered.
fn single() {
    println!("server CPU per echoed message, in microseconds (best of 3)\n");
    for size in [16, 125, 256, 1024] {
        table(Load::Plain, size, 1, 1, 60_000);
    }
}

/// Bytes of a message, messages in flight, and messages in all.
const SIZES: [(usize, usize, usize); 4] =
    [(16, 64, 400_000), (256, 64, 300_000), (1024, 64, 200_000), (65_536, 8, 8_000)];

/// What an idle connection costs, after messages went both ways.
fn memory() {
    const CONNECTIONS: usize = 1000;
    println!("server memory per idle connection, after ten messages of 1 KiB, in bytes");
    let plain = SERVERS.map(|name| (name, Load::Plain)).into_iter();
    let deflate = DEFLATE_SERVERS.map(|name| (name, Load::NoTakeover));
    let takeover = DEFLATE_SERVERS.map(|name| (name, Load::Takeover));
    for (name, load) in plain.chain(deflate).chain(takeover).filter(|(name, _)| is_there(name)) {
        let (mut server, port) = start(name);
        let first = load::idle(port, load, 1024, 50);
        let before = resident(server.id());
        let connections = load::idle(port, load, 1024, CONNECTIONS);
        let after = resident(server.id());
        drop((first, connections));
        let _ = server.kill();
        let _ = server.wait();
        println!("  {:<50} {:>8}", format!("{name}, {load:?}"), after.saturating_sub(before) / CONNECTIONS);
    }
}

/// One case, for all servers that can do it.
fn table(load: Load, size: usize, connections: usize, in_flight: usize, messages: usize) {
    let (servers, kind, messages) = match load {
        Load::Plain => (&SERVERS[..], "", messages),
        // Compressing takes a hundred times as long.
        Load::Takeover => (&DEFLATE_SERVERS[..], "compressed text, context takeover, ", messages / 10),
        Load::NoTakeover => (&DEFLATE_SERVERS[..], "compressed text, no context takeover, ", messages / 10),
    };
    println!("{kind}{size} B, {connections} connections, {in_flight} in flight");
    let mut best = vec![(f64::MAX, 0.0); servers.len()];
    for _ in 0..3 {
        for (name, best) in servers.iter().zip(&mut best) {
            if std::env::var("ONLY").is_ok_and(|only| only != *name) || !is_there(name) {
                continue;
            }
            let measured = measure(name, load, size, connections, in_flight, messages);
            *best = if measured.0 < best.0 { measured } else { *best };
        }
    }
    for (name, best) in servers.iter().zip(best) {
        match best {
            (f64::MAX, _) => println!("  {name:<34} {:>8}", "not run"),
            (best, _) if load == Load::Plain => println!("  {name:<34} {best:>8.3}"),
            (best, bytes) => println!("  {name:<34} {best:>8.3} {bytes:>9.1} B"),
        }
    }
}

/// Microseconds of the server's CPU time per message, and bytes of each answer.
fn measure(
    name: &str,
    load: Load,
    size: usize,
    connections: usize,
    in_flight: usize,
    messages: usize,
) -> (f64, f64) {
    let (mut server, port) = start(name);
    let each = messages / connections;
    // Once to warm up.
    load::run(port, load, size, connections, in_flight, each / 10 + 1);
    let before = cpu_time(server.id());
    let bytes = load::run(port, load, size, connections, in_flight, each);
    let spent = cpu_time(server.id()) - before;
    let _ = server.kill();
    let _ = server.wait();
    let messages = (each * connections) as f64;
    (spent * 1e6 / messages, bytes as f64 / messages)
}

/// Starts a server: in a process of this program, or a script for another.
fn start(name: &str) -> (Child, u16) {
    let mut command = match Script::of(name) {
        Some(script) => script.command(name),
        None => {
            let mut own = Command::new(std::env::current_exe().expect("own path"));
            own.args(["serve", name]);
            own
        }
    };
    let mut server = command.stdout(Stdio::piped()).spawn().expect("the server starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("stdout")).read_line(&mut line).expect("a port");
    (server, line.trim().parse().expect("a port"))
}

/// A server that another program runs.
#[derive(Clone, Copy)]
enum Script {
    /// `bun` in the PATH: it comes by `npm install bun`.
    Bun,
    /// `node` in the PATH, and ws where `NODE_PATH` says or `sh tests/peers/install.sh` puts it.
    Node,
}

impl Script {
    fn of(name: &str) -> Option<Script> {
        match name {
            _ if name.starts_with("Bun") => Some(Script::Bun),
            _ if name.ends_with("on Node") || name.contains("on Node,") => Some(Script::Node),
            _ => None,
        }
    }

    fn command(self, name: &str) -> Command {
        let script = if let Script::Bun = self { "bun.js" } else { "ws.cjs" };
        let mut command = self.program();
        command.arg(format!("{}/src/{script}", env!("CARGO_MANIFEST_DIR")));
        command.args(name.contains("deflate").then_some("deflate"));
        command
    }

    fn is_there(self) -> bool {
        let mut asked = self.program();
        asked.args(if let Script::Bun = self { &["--version"][..] } else { &["-e", "require('ws')"] });
        asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn program(self) -> Command {
        let mut program = Command::new(if let Script::Bun = self { "bun" } else { "node" });
        if std::env::var_os("NODE_PATH").is_none() {
            program.env("NODE_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/node_modules"));
        }
        program
    }
}

/// Whether it can be run here.
fn is_there(name: &str) -> bool {
    Script::of(name).is_none_or(Script::is_there)
}

/// Seconds of CPU time that all threads of a process have had, to the nanosecond, as the scheduler counts them.
fn cpu_time(pid: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("Linux with schedstat").flatten();
    let texts = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    texts.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e9
}

/// Bytes of memory that a process has in use.
fn resident(pid: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("kilobytes") * 1024
}
