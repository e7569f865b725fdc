//! The smallest complete program on the event system: a server that any Socket.IO client can talk to.
//!
//! `cargo run --release --example event_server -- --port 3000 --profile suite`, or `--profile chat`, where a client
//! that was cut off gets what it missed; with `--data DIR` even when the server was ended meanwhile.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use netlayers::base::Duration;
use netlayers::chat::hub::{self, Hub, Recovery};
use netlayers::chat::{Context, EventLog, Gateway, MemoryLog, Refusal, Retention};
use netlayers::layers::application::engineio::{self, Server, SessionConfig};
use netlayers::layers::application::socketio::{Limits, Value};
use netlayers::real::clock::unix_ms;
use netlayers::real::event_loop::{Share, listen, serve_within};
use netlayers::real::memory::Budget;
use netlayers::real::random;
use netlayers::real::shutdown;
use netlayers::real::store::{Store, StoreError};
use tokio::sync::Notify;

const USAGE: &str =
    "usage: event_server [--port P] [--profile suite|chat] [--data DIR] [--memory MIB] [--threads N]";

/// What differs between the two profiles.
struct Profile {
    ping_interval: Duration,
    ping_timeout: Duration,
    connect_timeout: Duration,
    max_payload: usize,
    recovery: Option<Recovery>,
}

impl Profile {
    fn named(name: &str) -> Option<Self> {
        match name {
            "suite" => Some(Profile {
                ping_interval: Duration::from_millis(300),
                ping_timeout: Duration::from_millis(200),
                connect_timeout: Duration::from_millis(1000),
                max_payload: 1_000_000,
                recovery: None,
            }),
            "chat" => Some(Profile {
                ping_interval: Duration::from_secs(25),
                ping_timeout: Duration::from_secs(20),
                connect_timeout: Duration::from_millis(2000),
                max_payload: 2_000_000,
                recovery: Some(Recovery { window: Duration::from_secs(120), ..Recovery::default() }),
            }),
            _ => None,
        }
    }
}

/// What clients may say in a namespace, and what is done then.
fn program(hub: &mut Hub, namespace: &str) {
    hub.of(namespace)
        .on_connection(|cx, hello| {
            if !hello.is_recovered {
                cx.emit("auth", vec![hello.auth.clone()]);
            }
        })
        .on("message", |cx, args, _| {
            cx.emit("message-back", args.to_vec());
        })
        .on("message-with-ack", |cx, args, ack| ack.send(cx, args.to_vec()))
        .on("emit-with-ack", |cx, args, _| {
            cx.ask("emit-with-ack", args.to_vec(), Duration::from_secs(30), |cx, answers| {
                if let Some(answer) = answers.one() {
                    cx.emit("emit-with-ack", answer);
                }
            });
        })
        .on("join", |cx, args, ack| {
            let joined = name(args, 0).is_some_and(|room| cx.join(room).is_ok());
            let rooms = rooms(cx);
            ack.send(cx, vec![Value::object([("ok", joined.into()), ("rooms", rooms)])]);
        })
        .on("leave", |cx, args, ack| {
            let left = name(args, 0).map(|room| cx.leave(room));
            let rooms = rooms(cx);
            ack.send(cx, vec![Value::object([("ok", left.is_some().into()), ("rooms", rooms)])]);
        })
        .on("say", |cx, args, ack| {
            let said = said(cx, args);
            let sent = name(args, 0).map(|room| cx.to(room).emit("said", vec![said]));
            ack.send(cx, ok(sent.is_some()));
        })
        .on("say-all", |cx, args, ack| {
            let said = said(cx, args);
            let sent = name(args, 0).map(|room| cx.io().to(room).emit("said", vec![said]));
            ack.send(cx, ok(sent.is_some()));
        })
        .on("say-except", |cx, args, ack| {
            let (to, except) = (names(args, 0), names(args, 1));
            let said = said_to(Value::Array(to.iter().map(|&room| room.into()).collect()), cx, arg(args, 2));
            let all = to.iter().fold(cx.io(), |all, room| all.to(room));
            let all = except.iter().fold(all, |all, room| all.except(room));
            let fits = !all.is_too_wide();
            // To no room at all would mean to everyone.
            if !to.is_empty() {
                all.emit("said", vec![said]);
            }
            ack.send(cx, ok(fits));
        })
        .on("broadcast", |cx, args, ack| {
            let message = from(cx, arg(args, 0));
            cx.broadcast().emit("broadcasted", vec![message]);
            ack.send(cx, ok(true));
        })
        .on("to-id", |cx, args, ack| {
            let message = from(cx, arg(args, 1));
            let sent = name(args, 0).map(|id| cx.io().to(id).emit("direct", vec![message]));
            ack.send(cx, ok(sent.is_some()));
        })
        .on("members", |cx, args, ack| {
            let members = name(args, 0).map_or(0, |room| cx.members(room));
            ack.send(cx, vec![(members as u64).into()]);
        })
        .on("volatile", |cx, args, ack| {
            let said = said(cx, args);
            let sent = name(args, 0).map(|room| cx.to(room).volatile().emit("said", vec![said]));
            ack.send(cx, ok(sent.is_some()));
        })
        .on("ask-room", |cx, args, ack| {
            let Some(room) = name(args, 0) else { return ack.send(cx, vec![Value::Array(Vec::new())]) };
            let ack = ack.clone();
            cx.to(room).ask("question", vec![arg(args, 1)], Duration::from_secs(1), move |cx, answers| {
                ack.send(cx, vec![Value::Array(answers.firsts())]);
            });
        })
        .on("disconnect-me", |cx, _, _| cx.disconnect())
        .on("close-me", |cx, _, _| cx.close());
}

/// An argument; `null` when it was left out.
fn arg(args: &[Value], at: usize) -> Value {
    args.get(at).cloned().unwrap_or_default()
}

/// An argument that is a name. Numbers are none: were all that is no text taken for one name, strangers would meet
/// there.
fn name(args: &[Value], at: usize) -> Option<&str> {
    args.get(at).and_then(Value::as_str)
}

/// An argument that is a list of names; what is none is left out.
fn names(args: &[Value], at: usize) -> Vec<&str> {
    args.get(at).and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

fn ok(ok: bool) -> Vec<Value> {
    vec![Value::object([("ok", ok.into())])]
}

fn rooms(cx: &Context<'_>) -> Value {
    Value::Array(cx.rooms().iter().map(|room| Value::from(&**room)).collect())
}

/// `room, msg` as the others receive it.
fn said(cx: &Context<'_>, args: &[Value]) -> Value {
    said_to(arg(args, 0), cx, arg(args, 1))
}

fn said_to(room: Value, cx: &Context<'_>, message: Value) -> Value {
    Value::object([("room", room), ("from", (&*cx.id()).into()), ("msg", message)])
}

fn from(cx: &Context<'_>, message: Value) -> Value {
    Value::object([("from", (&*cx.id()).into()), ("msg", message)])
}

/// Reports why nothing can be stored any more, if so.
type Failure = Box<dyn Fn() -> Option<String>>;

/// The log of what was said: in memory, of which it gets a quarter at most, or on disk, where it outlives the program.
fn log(
    data: Option<&Path>,
    budget: Budget,
    bell: Arc<Notify>,
) -> Result<(Box<dyn EventLog>, Failure), StoreError> {
    let Some(folder) = data else {
        let usual = Retention::default();
        let retention = Retention { bytes: usual.bytes.min(budget.bytes / 16), ..usual };
        return Ok((Box::new(MemoryLog::new(retention)), Box::new(|| None)));
    };
    let told = |progress| eprintln!("opening the log: {progress}");
    let store = Store::open(folder, Retention::default(), told, move || bell.notify_one())?;
    let failure = Box::new(store.watch());
    Ok((Box::new(store), failure))
}

/// A disk that is full or broken: nothing can be acknowledged any more, and clients had better find another server.
async fn failed(failure: &Failure) {
    while failure().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Said in words: what `main` returns would be shown as programs see it.
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("event_server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (mut port, mut profile, mut data) = (3000_u16, "suite".to_owned(), None);
    let mut share = Share::default();
    while let Some(option) = args.next() {
        let value = args.next().ok_or("each option needs a value")?;
        match option.as_str() {
            "--port" => port = value.parse()?,
            "--profile" => profile = value,
            "--data" => data = Some(PathBuf::from(value)),
            "--memory" => share.memory.bytes = value.trim_end_matches("MiB").parse::<u64>()? << 20,
            "--threads" => share.threads = value.parse::<std::num::NonZeroUsize>()?.get(),
            _ => return Err(USAGE.into()),
        }
    }
    let profile = Profile::named(&profile).ok_or("the profiles are: suite, chat")?;

    let config = hub::Config {
        connect_timeout: profile.connect_timeout,
        recovery: profile.recovery,
        epoch_ms: unix_ms(),
        ..hub::Config::default()
    };
    // Rung by the log when something has become safe: only then is it acknowledged.
    let bell = Arc::new(Notify::new());
    let (log, failure) = log(data.as_deref(), share.memory, bell.clone())?;
    let mut hub = Hub::new(config, random::numbers(), log);
    for namespace in ["/", "/custom", "/private"] {
        program(&mut hub, namespace);
    }
    hub.of("/private").gate(|entry| match entry.auth.get("token").and_then(Value::as_str) {
        Some("secret") => Ok(()),
        _ => Err(Refusal::new("unauthorized").with(Value::object([("code", "E_AUTH".into())]))),
    });

    let engine = engineio::Config {
        endpoints: vec!["/socket.io/".into(), "/engine.io/".into()],
        session: SessionConfig {
            ping_interval: profile.ping_interval,
            ping_timeout: profile.ping_timeout,
            max_payload: profile.max_payload,
            ..SessionConfig::default()
        },
        ..engineio::Config::default()
    };
    let server = Server::new(engine, random::session_ids());
    let service = Gateway::new(hub, Limits::default(), 0).with_echo();

    let listener = listen(([127, 0, 0, 1], port).into())?;
    let asked = shutdown::requested();
    println!("listening on {}", listener.local_addr()?);
    let stop = async {
        tokio::select! {
            () = asked => {}
            () = failed(&failure) => {}
        }
    };
    serve_within(share, listener, server, service, bell, stop).await;
    match failure() {
        Some(why) => Err(format!("the log has failed: {why}").into()),
        None => Ok(()),
    }
}

// Try this:
// 1. In a browser's console on http://localhost:3000, with socket.io-client: `io().emit("message", 1, 2)`.
// 2. Add an event `roll` that acks with a number from 1 to 6: where does chance come from in a hub that has none?
// 3. Let `/private` take a list of tokens, and put the client's identity into `cx.set_data`.
// 4. Let two clients join a room, cut one off, say something, and let it return: first with `--profile suite`.
// 5. Send `42["message",[[[` and so on, 5000 deep. Who is disturbed?
