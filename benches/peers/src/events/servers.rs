//! The servers that are compared, each in a process of its own.

mod bare;
mod oxide;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::load::Dialect;

/// A server, and how to speak to it.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// As it is printed.
    pub name: &'static str,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// The others are measured by it.
    pub is_limit: bool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Limit,
    Ours,
    OursDurable,
    /// In this program, by this name.
    Own(&'static str),
    /// A program for Node.
    Node(&'static str),
}

/// All of them.
pub const PEERS: [Peer; 6] = [
    peer("bare epoll loop", Dialect::Plain, Kind::Limit),
    peer("ours, in memory", Dialect::SocketIo, Kind::Ours),
    peer("ours, durable", Dialect::SocketIo, Kind::OursDurable),
    peer("socketioxide", Dialect::SocketIo, Kind::Own("socketioxide")),
    peer("Node socket.io", Dialect::SocketIo, Kind::Node("socketio.cjs")),
    peer("Node ws", Dialect::Plain, Kind::Node("ws.cjs")),
];

const fn peer(name: &'static str, dialect: Dialect, kind: Kind) -> Peer {
    Peer { name, dialect, is_limit: matches!(kind, Kind::Limit), kind }
}

/// Serves for ever, after printing the port.
pub fn serve(name: &str) {
    match name {
        "bare" => bare::run(),
        "socketioxide" => oxide::run(),
        other => panic!("{other}?"),
    }
}

/// A server that runs, and ends when this is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
    data: Option<PathBuf>,
}

impl Server {
    /// Starts it; `None` when what it needs is not installed.
    pub fn start(peer: Peer) -> Option<Server> {
        let data = (peer.kind == Kind::OursDurable).then(data_directory);
        Self::start_with(peer, data, 1)
    }

    /// Ours in memory, on so many threads.
    pub fn ours_on(threads: usize) -> Server {
        Self::start_with(PEERS[1], None, threads).expect("it is built")
    }

    /// Ours, with its log in this directory, or in memory.
    pub fn ours(data: Option<&Path>) -> Server {
        let peer = if data.is_some() { PEERS[2] } else { PEERS[1] };
        Self::start_with(peer, data.map(Path::to_path_buf), 1).expect("it is built")
    }

    fn start_with(peer: Peer, data: Option<PathBuf>, threads: usize) -> Option<Server> {
        let mut command = match peer.kind {
            Kind::Ours | Kind::OursDurable => {
                let mut ours = Command::new(ours());
                ours.args(["--port", "0", "--profile", "chat", "--threads", &threads.to_string()]);
                ours.args(data.iter().flat_map(|data| [Path::new("--data"), data]));
                ours
            }
            Kind::Limit | Kind::Own(_) => {
                let name = if let Kind::Own(name) = peer.kind { name } else { "bare" };
                let mut own = Command::new(std::env::current_exe().expect("own path"));
                own.args(["serve-events", name]);
                own
            }
            Kind::Node(script) => {
                let modules = target().join("peers/node_modules");
                if !modules.join("socket.io").exists() {
                    return None;
                }
                let mut node = Command::new("node");
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/events/servers").join(script);
                node.arg(script).env("NODE_PATH", modules);
                node
            }
        };
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a port");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Some(Server { child, port, data })
    }

    /// Seconds of CPU time that all of its threads have had, in programs and in the kernel.
    pub fn cpu_time(&self) -> f64 {
        let stat = self.proc_file("stat");
        // The name, in parentheses, may have spaces in it. After it utime and stime are the 12th and 13th.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<f64>().expect("ticks");
        (ticks(11) + ticks(12)) / 100.0
    }

    /// The same to the nanosecond, for each of its threads by itself.
    pub fn threads(&self) -> Vec<f64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("Linux");
        let texts =
            tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
        texts.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).map(|ns| ns / 1e9).collect()
    }

    /// Bytes of memory: resident, and what nobody shares with it.
    pub fn memory(&self) -> (u64, u64) {
        let smaps = self.proc_file("smaps_rollup");
        let of = |name: &str| -> u64 {
            let lines = smaps.lines().filter_map(|line| line.strip_prefix(name));
            lines.filter_map(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).sum::<u64>() * 1024
        };
        (of("Rss:"), of("Private_Clean:") + of("Private_Dirty:"))
    }

    fn proc_file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).expect("Linux")
    }

    /// Ends it as `kill -9` does; its log stays.
    pub fn kill(mut self) {
        self.data = None;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(data) = &self.data {
            let _ = std::fs::remove_dir_all(data);
        }
    }
}

/// A new directory for a log.
pub fn data_directory() -> PathBuf {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    target().join(format!("bench-events-{}-{next}", std::process::id()))
}

/// Our server; another build of it, to compare the two, when `EVENT_SERVER` names one.
fn ours() -> PathBuf {
    std::env::var_os("EVENT_SERVER")
        .map_or_else(|| target().join("release/examples/event_server"), PathBuf::from)
}

/// Builds the example as its documentation says.
pub fn build_ours() {
    if std::env::var_os("EVENT_SERVER").is_some() {
        return;
    }
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--profile", "bench", "--example", "event_server"])
        .current_dir(repository())
        .status()
        .expect("cargo");
    assert!(built.success(), "the example does not compile");
}

/// As many files as the system allows: a connection is one here and one there.
pub fn raise_file_limit() {
    let (soft, hard) = rlimit::Resource::NOFILE.get().expect("a limit");
    if soft < hard {
        let _ = rlimit::Resource::NOFILE.set(hard, hard);
    }
    if hard < 5_100 {
        eprintln!("only {hard} open files are allowed: 5000 receivers cannot be measured (see ulimit -Hn)");
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}
