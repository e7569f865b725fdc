//! A program of the user's own at the kernel's end, and our stack at the other: it listens and sends back what it gets,
//! or connects and does the same.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::{Command, ExitStatus};
use std::thread;

use bytes::Bytes;

use super::linux::{Bench, KERNELS};
use super::scenes::during;
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::layers::transport::tcp::Reason;
use crate::real::clock::std_duration;
use crate::sim::knob::Knobs;
use crate::sim::outgoing::Outgoing;
use crate::sim::{App, Io, SocketEvent, SocketId};
use crate::trace::{Kind, Trace};

/// How long a program may run.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// What our end says first where it opened the connection.
const GREETING: Bytes = Bytes::from_static(b"hello from a stack that is not the kernel's\n");
/// How long our end waits after a refusal, and how often it tries: the program must first come to listen.
const AGAIN: Duration = Duration::from_millis(250);
const TRIES: u32 = 40;

/// Runs `command` until it ends. Our stack listens on the port `listen`, or connects to the kernel's port `connect`.
pub(in crate::cli) fn guest(
    command: &[OsString],
    connect: Option<u16>,
    listen: u16,
    knobs: &Knobs,
) -> Result<Trace, CliError> {
    let Some((program, args)) = command.split_first() else {
        return Err(CliError::Usage("expected a command after `--`, such as: -- nc 10.0.0.1 9000".into()));
    };
    let mut bench = Bench::new("our stack, a program of yours", "ours", knobs)?;
    let to = connect.map(|port| SocketAddr::new(KERNELS, port));
    bench.open.network.app(bench.host, Echo { to, listen, tries: TRIES, talks: Vec::new() });
    let (mut command, name) = (Command::new(program), program.to_string_lossy().into_owned());
    command.args(args);
    // So that the last FIN and its ACK are seen.
    let rest = std_duration(knobs.rtt() + knobs.rtt() + Duration::from_millis(200));
    let status: Result<ExitStatus, String> = bench.run(LIMIT, move || {
        let status = match command.status() {
            Ok(status) => Ok(status),
            Err(error) => Err(format!("starting {name} failed: {error}; is it installed?")),
        };
        thread::sleep(rest);
        during("waiting", Ok(status))
    })?;
    status.map_err(CliError::Failed)?;
    Ok(bench.open.network.into_trace())
}

/// Sends back what comes, on every connection.
struct Echo {
    to: Option<SocketAddr>,
    listen: u16,
    tries: u32,
    /// What waits for room on each connection; the window of each bounds it.
    talks: Vec<(SocketId, Outgoing, bool)>,
}

impl Echo {
    fn open(&mut self, io: &mut Io<'_>) {
        let opened = match self.to {
            Some(to) => io.tcp_connect(to),
            None => io.tcp_listen(self.listen),
        };
        if let Err(error) = opened {
            io.note(|| Kind::Note { text: error.to_string().into() });
        }
    }

    /// Takes what has come, and sends it back as far as there is room: what is not sent back is not read either.
    fn act(&mut self, socket: SocketId, io: &mut Io<'_>) {
        let Some((_, waits, over)) = self.talks.iter_mut().find(|(known, ..)| *known == socket) else {
            return;
        };
        // When nothing can be sent any more, the socket's own event says so.
        let _ = waits.flush(socket, io);
        while waits.is_empty()
            && let Some(bytes) = io.tcp_read(socket, usize::MAX)
        {
            waits.push(bytes);
            let _ = waits.flush(socket, io);
        }
        if *over && waits.is_empty() {
            io.tcp_shutdown(socket);
        }
    }
}

impl App for Echo {
    fn start(&mut self, io: &mut Io<'_>) {
        self.open(io);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        match event {
            SocketEvent::Accepted { socket, .. } => self.talks.push((socket, Outgoing::in_pieces(), false)),
            SocketEvent::Connected(socket) if self.to.is_some() => {
                let mut waits = Outgoing::in_pieces();
                waits.push(GREETING);
                self.talks.push((socket, waits, false));
            }
            SocketEvent::PeerClosed(socket) => {
                if let Some((.., over)) = self.talks.iter_mut().find(|(known, ..)| *known == socket) {
                    *over = true;
                }
            }
            SocketEvent::Closed { socket, reason } => {
                self.talks.retain(|(known, ..)| *known != socket);
                // Nothing listens yet.
                if reason == Reason::Refused && self.tries > 0 {
                    self.tries -= 1;
                    io.wake_at(io.now() + AGAIN);
                }
                return;
            }
            _ => {}
        }
        self.act(event.socket(), io);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        self.open(io);
    }
}
