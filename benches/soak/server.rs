//! The server under test: `examples/event_server` as a process of its own, ended without mercy and started again.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::report::Asked;

pub(crate) struct EventServer {
    program: PathBuf,
    data: PathBuf,
    port: u16,
    child: Child,
}

impl EventServer {
    pub(crate) fn start(asked: &Asked) -> Result<Self, String> {
        let program = match &asked.server {
            Some(program) => program.clone(),
            None => build()?,
        };
        let data = std::env::temp_dir().join(format!("netlayers-soak-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        // Below the ports that the kernel gives to clients: it must be free again after a restart.
        let first = 20_000 + (std::process::id() % 10_000) as u16;
        let port = (first..first + 500).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        let port = port.ok_or("no port is free")?;
        let child = launch(&program, &data, port)?;
        Ok(EventServer { program, data, port, child })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// `kill -9`, and the next one on the same data and the same port.
    pub(crate) fn kill_and_restart(mut self) -> Result<Self, String> {
        self.child.kill().and_then(|()| self.child.wait()).map_err(|error| error.to_string())?;
        self.child = launch(&self.program, &self.data, self.port)?;
        Ok(self)
    }

    /// It must not end by itself.
    pub(crate) fn check_alive(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("the server ended: {status}\n{}", self.said())),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Its memory, as Linux tells it.
    pub(crate) fn memory(&self) -> String {
        match (self.resident_mib(), self.mib("VmHWM:")) {
            (Some(now), Some(most)) => {
                format!("{now:.0} MiB at the end, {most:.0} MiB at most since the last start")
            }
            _ => "not known on this system".into(),
        }
    }

    /// What it has now.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        self.mib("VmRSS:")
    }

    fn mib(&self, name: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?;
        Some(kib.parse::<f64>().ok()? / 1024.0)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.data.with_extension("log")).unwrap_or_default()
    }
}

impl Drop for EventServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
        let _ = std::fs::remove_file(self.data.with_extension("log"));
    }
}

/// The example, as fast as this program is.
fn build() -> Result<PathBuf, String> {
    let mut folder = std::env::current_exe().map_err(|error| error.to_string())?;
    folder.pop();
    folder.pop();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", "event_server"]);
    if folder.ends_with("release") {
        build.arg("--release");
    }
    match build.status() {
        Ok(status) if status.success() => Ok(folder.join("examples/event_server")),
        other => Err(format!("cargo build --example event_server: {other:?}")),
    }
}

fn launch(program: &PathBuf, data: &PathBuf, port: u16) -> Result<Child, String> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(data.with_extension("log"));
    let mut child = Command::new(program)
        .args(["--profile", "chat", "--port", &port.to_string(), "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(log.map_or_else(|_| Stdio::null(), Stdio::from))
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        let _ = BufReader::new(stdout).read_line(&mut line);
    }
    if line.starts_with("listening on") { Ok(child) } else { Err(format!("the server said {line:?}")) }
}
