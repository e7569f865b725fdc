//! `netlayers chat serve`: the chat's server.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use clap::Args;
use tokio::sync::Notify;

use super::history::{self, Bound};
use super::journal::{Journal, Level};
use super::service::{ChatService, Failure, Observed};
use crate::base::Instant;
use crate::chat::hub::{self, Hub, Rate};
use crate::chat::lounge::{self, Rules};
use crate::chat::{EventLog, Gateway, MemoryLog, Retention};
use crate::cli::error::CliError;
use crate::cli::listening::Wanted;
use crate::cli::logbook;
use crate::cli::number::{number, number_from};
use crate::cli::origin::origin;
use crate::cli::output::Output;
use crate::layers::application::engineio::{self, Origins, Server, SessionConfig};
use crate::layers::application::socketio::Limits;
use crate::real::clock::{Clock, unix_ms};
use crate::real::event_loop::{self, Share};
use crate::real::memory::Budget;
use crate::real::own_address;
use crate::real::random;
use crate::real::shutdown;
use crate::real::store::{Progress, Store, StoreError};

/// `netlayers chat serve`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers chat serve                      then open http://127.0.0.1:8000/
  netlayers chat serve --memory             forget everything at the end
  netlayers chat serve --data ./class --history 10000 7d
  netlayers chat serve --bind 0.0.0.0       for everyone in this network

What is said is kept on disk unless --memory is given, in --data or in the
folder of this user's data, for 30 days, up to 1 GiB and a million events.
A client that was away gets what it missed, even when the server was ended in
between. One program at a time uses a folder.

Ctrl-C or SIGTERM says goodbye to everyone, so that they come back by
themselves, and stores what is left; a second one ends at once.")]
pub(in crate::cli) struct ServeArgs {
    /// The port to listen on; 0 for one that is free
    #[arg(long, value_name = "P", default_value_t = 8000, value_parser = number(0_u16, u16::MAX, 8000))]
    port: u16,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Keep what is said in this folder [default: chat in this user's data]
    #[arg(long, value_name = "DIR", conflicts_with = "memory")]
    data: Option<PathBuf>,
    /// Keep what is said in memory only
    #[arg(long)]
    memory: bool,
    /// A web page whose scripts may connect, besides those from this host and this machine, such as
    /// https://example.org; may be given more than once
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    origin: Vec<String>,
    /// How much is kept: events (10000), bytes (64MiB) or age (7d); up to one of each
    #[arg(long, value_name = "N|SIZE|AGE", num_args = 1..=3, value_parser = history::bound)]
    history: Vec<Bound>,
    /// Connections at the same time, at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = number_from(1_usize, 10_000))]
    max_connections: usize,
    /// Memory that the whole program may take (512MiB, 2GB); beyond it those clients that take most are slowed
    /// down, then closed with 1013, try again later [default: a quarter of this machine's]
    #[arg(long, value_name = "SIZE", value_parser = history::size)]
    max_memory: Option<u64>,
    /// Threads: one decides, the others help it to write to many [default: as many as this machine runs at once]
    #[arg(long, value_name = "N", value_parser = number(1_usize, 256, 2))]
    threads: Option<usize>,
    /// Write the log lines as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &ServeArgs, out: &mut Output) -> Result<(), CliError> {
    let journal = Journal::new(args.json);
    // Before the log is opened: a failure to listen need not wait for that.
    let listener =
        event_loop::listen((args.bind, args.port).into()).map_err(|error| cannot_listen(args, &error))?;
    let address = listener.local_addr().map_err(|error| CliError::io("listening", &error))?;
    let asked = shutdown::requested();

    // Rung by the log when something has become safe: only then is it acknowledged.
    let bell = Arc::new(Notify::new());
    let clock = Clock::start();
    let (log, observed) = open_log(args, journal, bell.clone())?;
    let config = hub::Config {
        epoch_ms: unix_ms(),
        // Faster than anybody types, and slower than what would disturb the others.
        rate: Some(Rate { per_second: 50, burst: 200 }),
        origin_bytes: usize::try_from(history::retention(&args.history).bytes / 2).unwrap_or(usize::MAX),
        ..hub::Config::default()
    };
    let mut hub = Hub::new(config, random::numbers(), log);
    lounge::open(&mut hub, Rules::default(), move |happening| journal.happened(happening));
    if !args.memory {
        let mut end = 0;
        hub.io(Instant::ZERO, "/", |cx| end = cx.log_end());
        let ms = clock.now().as_nanos() / 1_000_000;
        let away = ("away", hub.away("/").to_string());
        journal.info("recovered", &[("offset", end.to_string()), away, ("ms", ms.to_string())]);
    }
    let failure = Rc::new(Failure::default());
    let service = ChatService {
        hub: Gateway::new(hub, Limits::default(), 0),
        log: observed,
        compactions: 0,
        journal,
        failure: failure.clone(),
    };
    let server = Server::new(engine(args), random::session_ids());

    journal.info("ready", &[("address", address.to_string())]);
    out.line(format!("listening on {}", url(address)))?;
    out.flush()?;
    if address.ip().is_unspecified() {
        match own_address::for_others(address) {
            Some(own) => journal.info("for-others", &[("url", format!("{}/", url(own)))]),
            None => journal.write(Level::Warn, "for-others", &[("why", "no network found".into())]),
        }
    }

    let heard = failure.clone();
    let stopped = async move {
        tokio::select! {
            () = asked => {}
            () = heard.bell.notified() => return,
        }
        journal.info("stopping", &[]);
        let again = shutdown::requested();
        tokio::spawn(async move {
            again.await;
            journal.write(Level::Warn, "stopped-at-once", &[]);
            std::process::exit(1);
        });
    };
    // When it returns the hub is gone, and with it the log, which has written what was left.
    event_loop::serve_within(share(args), listener, server, service, bell, stopped).await;
    if let Some(why) = failure.why.take() {
        journal.write(Level::Error, "log-failed", &[("why", why.clone())]);
        return Err(CliError::Failed(format!("the log has failed: {why}")));
    }
    journal.info("stopped", &[]);
    Ok(())
}

fn engine(args: &ServeArgs) -> engineio::Config {
    let origins = match args.origin.as_slice() {
        [] => Origins::default(),
        these => Origins::These(these.to_vec()),
    };
    engineio::Config {
        session: SessionConfig { max_payload: 100_000, ..SessionConfig::default() },
        origins,
        loopback_only: args.bind.is_loopback(),
        max_connections: args.max_connections,
        max_sessions: args.max_connections,
        other_requests: true,
        ..engineio::Config::default()
    }
}

fn share(args: &ServeArgs) -> Share {
    let usual = Share::default();
    Share {
        memory: args.max_memory.map_or(usual.memory, |bytes| Budget { bytes }),
        threads: args.threads.unwrap_or(usual.threads),
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn cannot_listen(args: &ServeArgs, error: &std::io::Error) -> CliError {
    let (address, port) = (args.bind, args.port);
    let (command, address_option) = ("netlayers chat serve", "--bind");
    Wanted { command, address_option, address, port, usual: 8000 }.refused(error)
}

/// The log in memory, or on disk, and a way to ask whether it is broken.
fn open_log(
    args: &ServeArgs,
    journal: Journal,
    bell: Arc<Notify>,
) -> Result<(Box<dyn EventLog>, Observed), CliError> {
    let retention = history::retention(&args.history);
    if args.memory {
        // While it is young four times as much may be kept: a quarter of the budget at most.
        let bytes = retention.bytes.min(share(args).memory.bytes / 16);
        let retention = Retention { bytes, ..retention };
        journal.info("log", &[("kept", "memory".into())]);
        return Ok((Box::new(MemoryLog::new(retention)), Observed::nothing()));
    }
    let folder = args.data.clone().or_else(|| Some(logbook::folder()?.join("chat")));
    let folder = folder.ok_or_else(|| {
        CliError::Usage("this system names no folder for data: give --data DIR, or --memory".into())
    })?;
    journal.info("log", &[("kept", "disk".into()), ("folder", folder.display().to_string())]);
    let told = move |progress| match progress {
        Progress::Repairing(done) => {
            journal.info(
                "recovering",
                &[("checked", format!("{:.0}", done * 100.0)), ("unit", "percent".into())],
            );
        }
        Progress::Reading(events) => journal.info("recovering", &[("events", events.to_string())]),
    };
    let store = Store::open(&folder, retention, told, move || bell.notify_one()).map_err(|error| {
        let next = match error {
            StoreError::Busy { .. } => "\nnext: netlayers chat serve --data ANOTHER_FOLDER, or --memory",
            StoreError::Damaged { .. } | StoreError::Format { .. } | StoreError::Refused { .. } => "",
        };
        CliError::Failed(format!("{error}{next}"))
    })?;
    let observed =
        Observed { failed: Box::new(store.watch()), compacted: Box::new(store.watch_compaction()) };
    Ok((Box::new(store), observed))
}
