//! The server that the test suites of the stock clients ask for, `socket.io-client`'s and `engine.io-client`'s, on this
//! library. It shows what a program sees of a request: gates that look at the query, cookies, header fields.
//!
//! `cargo run --example client_suite_server` listens on 127.0.0.1, port 3210 for Socket.IO and port 3000 for Engine.IO;
//! `tests/peers/README.md` says how the suites are run against it.

use std::error::Error;
use std::sync::Arc;

use netlayers::base::{Duration, Instant};
use netlayers::chat::hub::{self, Context, Hub, Recovery, Refusal, handshake};
use netlayers::chat::{Gateway, MemoryLog};
use netlayers::layers::application::engineio::{
    self, Event, Origins, Server, Service, SessionConfig, SessionKey,
};
use netlayers::layers::application::http::{Gate, Headers, Rejection};
use netlayers::layers::application::socketio::{Limits, Value};
use netlayers::layers::application::websocket::Message;
use netlayers::real::clock::unix_ms;
use netlayers::real::event_loop::{listen, serve};
use netlayers::real::{random, shutdown};
use tokio::sync::Notify;

/// What the clients' tests say in Socket.IO's namespaces, and what they want to hear.
fn namespaces(hub: &mut Hub) {
    for quiet in ["/timeout_socket", "/valid", "/asd"] {
        hub.of(quiet);
    }
    hub.of("/no").gate(|_| Err(Refusal::new("Auth failed (custom namespace)")));
    hub.of("/abc").on_connection(|cx, hello| {
        let seen = cx.handshake(hello);
        cx.emit("handshake", vec![seen]);
    });
    hub.of("/foo").on("getId", |cx, _, ack| {
        let id = Value::from(&*cx.id());
        ack.send(cx, vec![id]);
    });
    hub.of("/")
        .gate(|entry| match entry.parameter("fail") {
            Some(fail) if !fail.is_empty() => Err(Refusal::new("Auth failed (main namespace)")),
            _ => Ok(()),
        })
        .on_connection(|cx, hello| {
            let seen = cx.handshake(hello);
            cx.set_data(seen);
        })
        .on("getHandshake", |cx, _, ack| {
            let seen = cx.data();
            ack.send(cx, vec![seen]);
        })
        .on("getId", |cx, _, ack| {
            let id = Value::from(&*cx.id());
            ack.send(cx, vec![id]);
        })
        .on("hi", |cx, _, _| {
            cx.emit("hi", vec![]);
        })
        .on("echo", |cx, args, ack| ack.send(cx, args.to_vec()))
        .on("ack", |cx, _, _| {
            cx.ask("ack", vec![], Duration::from_secs(30), |cx, answers| {
                let answer = answers.one().unwrap_or_default();
                let is_five = answer.first().is_some_and(|first| first.to_json() == "5");
                if is_five && answer.get(1).and_then(|second| second.get("test")) == Some(&true.into()) {
                    cx.emit("got it", vec![]);
                }
            });
        })
        .on("getAckDate", |cx, _, ack| {
            let date = date(cx);
            ack.send(cx, vec![date]);
        })
        .on("getDate", |cx, _, _| {
            let date = date(cx);
            cx.emit("takeDate", vec![date]);
        })
        .on("getDateObj", |cx, _, _| {
            let date = Value::object([("date", date(cx))]);
            cx.emit("takeDateObj", vec![date]);
        })
        .on("getUtf8", |cx, _, _| {
            for text in ["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"]
            {
                cx.emit("takeUtf8", vec![text.into()]);
            }
        })
        .on("false", |cx, _, _| {
            cx.emit("false", vec![false.into()]);
        })
        .on("doge", |cx, _, _| {
            cx.emit("doge", vec![Value::Binary((&b"such bytes"[..]).into())]);
        })
        .on("getbin", |cx, _, _| {
            cx.emit("takebin", vec![Value::Binary((&b"such bytes"[..]).into())]);
        })
        .on("buffa", |cx, args, _| {
            if matches!(args, [Value::Binary(_), ..]) {
                cx.emit("buffack", vec![]);
            }
        })
        .on("jsonbuff", |cx, args, _| {
            let sent = args.first();
            let is = |name, text: &str| sent.and_then(|sent| sent.get(name)) == Some(&text.into());
            let message = sent.and_then(|sent| sent.get("message"));
            if is("hello", "lol") && is("goodbye", "gotcha") && matches!(message, Some(Value::Binary(_))) {
                cx.emit("jsonbuff-ack", vec![]);
            }
        })
        .on("abuff1", |cx, args, _| {
            cx.set_data(matches!(args, [Value::Binary(_), ..]).into());
        })
        .on("abuff2", |cx, _, _| {
            if cx.data() == true.into() {
                cx.emit("abuff2-ack", vec![]);
            }
        });
}

/// The time, in words.
fn date(cx: &Context<'_>) -> Value {
    handshake(None, &Value::Null, cx.now_ms()).get("time").cloned().unwrap_or_default()
}

/// Engine.IO alone: greets, sends back what comes, and knows three wishes.
struct Bouncer;

impl Bouncer {
    fn answer(server: &Server, session: SessionKey, message: Message) -> Message {
        let Message::Text(text) = &message else { return message };
        match text.as_str() {
            "give binary" => vec![0, 1, 2, 3, 4].into(),
            "give utf8" => "пойду спать всем спокойной ночи".into(),
            "sendHeaders" => {
                let request = server.request(session);
                let seen = handshake(request.as_deref(), &Value::Null, 0);
                seen.get("headers").cloned().unwrap_or_default().to_json().into()
            }
            _ => message,
        }
    }
}

impl Service for Bouncer {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        match event {
            Event::Opened { session, .. } => {
                server.send(now, session, "hi".into());
            }
            Event::Message { session, message } => {
                let answer = Self::answer(server, session, message);
                server.send(now, session, answer);
            }
            _ => {}
        }
    }
}

/// Refuses who asks for it, and gives all others cookies: two to keep, two that are over.
fn door() -> Gate {
    Gate::new(|request| match request.parameter("deny") {
        Some(_) => Err(Rejection::new(403)),
        None => Ok(Headers::new()
            .with("Set-Cookie", "1=1; Max-Age=86400")
            .with("Set-Cookie", "2=2; Path=/; HttpOnly; Secure; SameSite=Strict")
            .with("Set-Cookie", "3=3; Max-Age=0")
            .with("Set-Cookie", "4=4; Expires=Thu, 01 Jan 1970 00:00:00 GMT")),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config =
        hub::Config { recovery: Some(Recovery::default()), epoch_ms: unix_ms(), ..hub::Config::default() };
    let mut hub = Hub::new(config, random::numbers(), Box::new(MemoryLog::default()));
    namespaces(&mut hub);
    let engine = |path: &str, ping_ms, max_payload, gate| engineio::Config {
        endpoints: vec![path.into()],
        session: SessionConfig {
            ping_interval: Duration::from_millis(ping_ms),
            max_payload,
            ..SessionConfig::default()
        },
        origins: Origins::Any,
        gate,
        ..engineio::Config::default()
    };
    let sockets = Server::new(engine("/socket.io/", 2000, 1_000_000, None), random::session_ids());
    let bare = Server::new(engine("/engine.io/", 500, 100, Some(door())), random::session_ids());

    let listeners = (listen(([127, 0, 0, 1], 3210).into())?, listen(([127, 0, 0, 1], 3000).into())?);
    let (first, second) = (shutdown::requested(), shutdown::requested());
    println!("listening on {} and {}", listeners.0.local_addr()?, listeners.1.local_addr()?);
    let bell = || Arc::new(Notify::new());
    let gateway = Gateway::new(hub, Limits::default(), 0);
    tokio::join!(
        serve(listeners.0, sockets, gateway, bell(), first),
        serve(listeners.1, bare, Bouncer, bell(), second)
    );
    Ok(())
}

// Try this:
// 1. Refuse a request without an `Authorization` field: `Rejection::unauthorized("Bearer")`, and look with `curl -i`.
// 2. Let the gate of `/` look at `entry.cookie("name")`, and a client send one with `extraHeaders`.
// 3. Ask `netlayers explain` for "cookie", and find out which of the four a client sends back.
