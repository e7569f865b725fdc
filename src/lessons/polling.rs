//! Lesson 19: how events reach a page at once: by long-polling over HTTP, by WebSocket, or from the one to the other.
//!
//! What is written in the messages is the next lesson's. Left out: server-sent events, compression, JSONP, and what
//! happens when the connection breaks (lesson 21).

use super::beat::Answer;
use super::echo::{LIMIT, hosts, said_table, settle};
use super::knob::{DELAY, SEED};
use super::overheard::{How, Said, overheard};
use super::picture::View;
use super::stage::{EventClient, Seen, Stage};
use super::words::{many, word};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Instant, Layer};
use crate::sim::apps::event_client::Transport;
use crate::sim::fault::{self, Verdict};
use crate::view::dissect::{Accounting, AppPiece};

/// How the client of the last run reaches its server.
const TRANSPORT: Knob<Transport> = Knob::choice(
    "transport",
    "upgrade",
    &[("polling", Transport::Polling), ("websocket", Transport::WebSocket), ("upgrade", Transport::Upgrade)],
    "how the client of the last run reaches its server",
);
/// Whether something on the way drops requests for WebSocket.
const MIDDLEBOX: Knob<bool> = Knob::choice(
    "middlebox",
    "none",
    &[("none", false), ("drops", true)],
    "whether something between the two of the last run drops every request for WebSocket",
);
const ECHOES: Knob<usize> =
    Knob::count("echoes", "3", 1, 20, "how many events are echoed, one after the other");

pub(super) const LESSON: Lesson = Lesson {
    id: "polling",
    title: "polling and upgrade",
    layer: Layer::Application,
    minutes: 30,
    misconception: "Socket.IO is WebSocket",
    words: &[
        ("Socket.IO", "a protocol that carries events, both ways"),
        ("event", "a message with a name, such as \"say\""),
        ("polling", "asking a server for news by HTTP, again and again"),
    ],
    cites: &[
        Cite {
            document: "Engine.IO protocol, revision 4",
            section: "Transports",
            what: "polling and WebSocket",
        },
        Cite { document: "Engine.IO protocol, revision 4", section: "Upgrade", what: "the probe" },
        Cite { document: "RFC 6202", section: "2", what: "long-polling, and what it costs" },
        Cite { document: "RFC 9112", section: "9.3", what: "persistent connections" },
    ],
    knobs: &[&TRANSPORT, &MIDDLEBOX, &ECHOES, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A page shows what others write. The server cannot begin an HTTP exchange. How does the page learn at \
               once that there is something new?",
        choices: &[
            "it cannot, by HTTP",
            "it asks every second",
            "it asks, and the server answers when there is something",
            "the server opens a connection to the page",
        ],
        surprise: "The class counts one request per echo, and the run has two: the echo does not come back in the answer \
                   to the POST. It comes in the answer to the GET that was waiting, and then the next GET is sent.",
    },
    script,
};

fn script(stage: &mut Stage) {
    let polling = by_polling(stage);
    let websocket = by_websocket(stage, &polling);
    both_ways(stage);
    chosen(stage, &polling, &websocket);
    stage.say(
        "There is no `--wire real` for this lesson: it counts packets and their headers, and the kernel shows a program \
         neither. The same code runs on real sockets in `examples/event_server.rs`, where stock Socket.IO clients talk \
         to it.",
    );
    stage.instead(LESSON.misconception,
        "Socket.IO says what happens, and leaves open how it gets there. Where there is no WebSocket, HTTP carries it from the \
         first event to the last; otherwise HTTP carries it until the upgrade, and no request follows.",
    );
    stage.try_next(
        "netlayers lesson polling --transport polling --echoes 10",
        "Predict the number of HTTP requests first.",
    );
    stage.try_next(
        "netlayers lesson polling --delay 200ms",
        "Which of the two ways suffers more from a long wire?",
    );
    stage.try_next(
        "netlayers lesson polling --middlebox drops",
        "No WebSocket gets through. Why does Socket.IO begin with HTTP?",
    );
    stage.try_next("netlayers check payload", "Make: the packets in one answer.");
}

/// A run of echoes.
struct Played {
    /// HTTP requests, the one that waits at the end among them.
    requests: usize,
    /// WebSocket messages.
    frames: usize,
    bytes: Accounting,
    /// Of all these bytes, what the events said.
    text: usize,
    /// From an emit to its echo, on average.
    echo: Duration,
}

/// The session by long-polling.
fn by_polling(stage: &mut Stage) -> Played {
    let echoes = stage.knob(&ECHOES);
    stage.say(
        "A chat's page does not say \"here are bytes\"; it says that something happens: somebody says hi, somebody has come in. \
         A message with such a name is an event: \"say\", and with it \"hi\". A program emits it, and at the other end a \
         function is called. Socket.IO is a protocol that carries events, in both directions, and a library for browsers and \
         servers that speaks it.",
    );
    stage.say(
        "Below it something must carry its messages: that is Engine.IO, which can do it over HTTP or over WebSocket. This lesson \
         is about that; how an event is written is the next one's.",
    );
    stage.say(
        "HTTP lets only the client begin. So a client that wants to hear from its server keeps a request waiting there: \
         a GET that is answered when there is something to say, and then sent again. What the client itself has to say, \
         it POSTs. That is long-polling.",
    );
    let guess = stage.ask_number(
        format!(
            "A client opens a session, enters, and emits {}, each when the one before was echoed. By polling, how \
             many HTTP requests does it make, up to the last echo and with the GET that waits then?",
            many(echoes, "event")
        ),
        "requests",
    );
    let (played, _) = echo_run(stage, "polling", "Echoes by long-polling", Transport::Polling);
    stage.show(View::Ladder, "Two TCP connections: on one a GET waits, the other carries the POSTs.");
    said_table(stage, "What was said. Bodies are whole; the HTTP headers around them are left out.");
    stage.fact("requests_polling", played.requests);
    stage.reveal(
        guess,
        |run| requests(&overheard(run.trace())),
        "To open and enter: one GET for the session, one POST that asks to be let in, and a GET for its answer; then a GET that \
         waits. For each echo one POST, and one GET to wait for the next. The answer to a POST is \"ok\"; the echo \
         comes with the GET.",
    );
    stage.check("as many requests are on the wire as the program wrote", |run| {
        let pieces: Vec<_> = run.segments().flat_map(|segment| segment.tcp.application.clone()).collect();
        let seen = pieces.iter().filter(|piece| matches!(piece, AppPiece::HttpRequest { .. })).count();
        seen == requests(&overheard(run.trace()))
    });
    stage.check("at the end one GET waits for an answer, and no other request does", |run| {
        let said = overheard(run.trace());
        let answers = said.iter().filter(|said| matches!(said.how, How::Response(_))).count();
        requests(&said) == answers + 1
    });
    played
}

/// The same by WebSocket.
fn by_websocket(stage: &mut Stage, polling: &Played) -> Played {
    let echoes = stage.knob(&ECHOES);
    let guess = stage.ask_number(
        format!("The same {} by WebSocket from the start. How many HTTP requests now?", echoed(echoes)),
        "requests",
    );
    let (played, _) = echo_run(stage, "websocket", "Echoes by WebSocket", Transport::WebSocket);
    stage.show(View::Ladder, "One TCP connection, one request, and then frames.");
    said_table(stage, "What was said: the same packets, without an HTTP message around each.");
    stage.reveal(
        guess,
        |run| requests(&overheard(run.trace())),
        "The one that asks for WebSocket. What follows on that connection is no longer HTTP.",
    );
    compare(stage, &[("polling", polling), ("WebSocket", &played)]);
    stage.fact("requests_websocket", played.requests);
    stage.fact("bytes_polling", polling.bytes.total());
    stage.fact("bytes_websocket", played.bytes.total());
    stage.fact("packets_polling", polling.bytes.frames);
    stage.fact("packets_websocket", played.bytes.frames);
    stage.fact("times", format!("{:.1}", polling.bytes.total() as f64 / played.bytes.total().max(1) as f64));
    let (a, b) = (polling.bytes, played.bytes);
    stage.check("polling takes more packets and more bytes for the same events", |_| {
        a.frames > b.frames && a.total() > b.total()
    });
    stage.check("what the programs said is the same number of bytes", |_| polling.text == played.text);
    played
}

/// The bytes of runs by layer, side by side.
fn compare(stage: &mut Stage, runs: &[(&str, &Played)]) {
    let row = |what: &str, of: &dyn Fn(&Played) -> u64| {
        let figures = runs.iter().map(|(_, played)| of(played).to_string());
        std::iter::once(what.to_owned()).chain(figures).collect::<Vec<_>>()
    };
    let rows = vec![
        row("HTTP requests", &|played| played.requests as u64),
        row("WebSocket frames", &|played| played.frames as u64),
        row("packets", &|played| played.bytes.frames),
        row("Ethernet, bytes", &|played| played.bytes.link),
        row("IP, bytes", &|played| played.bytes.internet),
        row("TCP, bytes", &|played| played.bytes.transport),
        row("HTTP and WebSocket, bytes", &|played| played.bytes.framing),
        row("Engine.IO and Socket.IO, bytes", &|played| {
            played.bytes.payload.saturating_sub(played.text as u64)
        }),
        row("what the events said, bytes", &|played| played.text as u64),
        row("bytes of all frames", &|played| played.bytes.total()),
        row("ms from an emit to its echo", &|played| played.echo.as_nanos() / 1_000_000),
    ];
    let headings: Vec<&str> = std::iter::once("").chain(runs.iter().map(|(name, _)| *name)).collect();
    stage.table(
        &headings,
        rows,
        "The whole run, handshakes included. Look at the row for HTTP and WebSocket: that is what differs.",
    );
}

/// The server speaks first.
fn both_ways(stage: &mut Stage) {
    stage.say(
        "Both transports are bidirectional: either end may speak unasked, even while the other speaks (lesson 18). A chat \
         needs that: the others' messages come when they come.",
    );
    let guess = stage.ask_choice(
        "With polling, the server emits two events at the same moment, each in a packet of its own. When does the second \
         one arrive?",
        &["together with the first", "about a round trip after the first", "with the next ping, after 25 s"],
    );
    let gap = |stage: &mut Stage, id: &str, transport| {
        let how = if transport == Transport::Polling { "long-polling" } else { "WebSocket" };
        stage.scene(id, &format!("The server speaks by itself, twice, by {how}"));
        let (client_host, server) = hosts(stage);
        let client = stage.event_client(client_host, server, transport, &[("/", vec![])]);
        stage.run_until_it(LIMIT, |stage| stage.is_in(client, "/"));
        settle(stage);
        let from = stage.now();
        for words in ["one", "two"] {
            stage.server_says(server, "/", |cx| {
                cx.io().emit("news", vec![words.into()]);
            });
        }
        stage.run_until_it(LIMIT, |stage| stage.heard(client).len() == 2);
        settle(stage);
        let caption = match transport {
            Transport::Polling => {
                "The waiting GET is answered with the first event; the second waits for the next GET."
            }
            Transport::Upgrade | Transport::WebSocket => "Two frames, one after the other.",
        };
        stage.show(View::LadderSince(from), caption);
        let at: Vec<Duration> = stage.heard(client).iter().map(|heard| heard.at.since(from)).collect();
        (at.first().copied().unwrap_or_default(), at.last().copied().unwrap_or_default())
    };
    let websocket = gap(stage, "speak-websocket", Transport::WebSocket);
    let polling = gap(stage, "speak-polling", Transport::Polling);
    let ms = |time: Duration| format!("{:.1}", time.as_millis_f64());
    stage.table(
        &["", "first event, ms", "second event, ms"],
        vec![
            vec!["polling".into(), ms(polling.0), ms(polling.1)],
            vec!["WebSocket".into(), ms(websocket.0), ms(websocket.1)],
        ],
        "From the server's emit until the client heard it.",
    );
    let rtt = stage.network_knobs().rtt();
    let apart = |(first, second): (Duration, Duration)| second.as_nanos().saturating_sub(first.as_nanos());
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match apart(polling) {
                gap if gap >= 1_000_000_000 => 2,
                gap if gap >= rtt.as_nanos() => 1,
                _ => 0,
            })
        },
        "The answer to the waiting GET carried the first event. The second must wait until the client has asked again. \
         With WebSocket the client need not ask.",
    );
    stage.check("by WebSocket the two arrive within a millisecond of each other", |_| {
        apart(websocket) < 1_000_000
    });
}

/// The transport that the knob names; by default the upgrade.
fn chosen(stage: &mut Stage, polling: &Played, websocket: &Played) {
    let echoes = stage.knob(&ECHOES);
    let transport = stage.knob(&TRANSPORT);
    let name = match transport {
        Transport::Polling => "polling",
        Transport::WebSocket => "websocket",
        Transport::Upgrade => "upgrade",
    };
    let blocked = stage.knob(&MIDDLEBOX);
    if transport == Transport::Upgrade {
        stage.lead_in(
            "A browser does both: it polls at first, which works everywhere, and tries a WebSocket beside it. The probe \
             (2probe, 3probe) shows whether frames get through; then the waiting GET is answered, 5 says \"from here \
             on\", and HTTP is done.",
        );
    }
    if blocked {
        stage.say(
            "But this time something on the path, perhaps an old proxy, drops every request for WebSocket.",
        );
    }
    let guess = stage.ask_number(
        format!(
            "Transport: {name}. The session is open and settled. How many HTTP requests does it take from here for \
             {}?",
            echoed(echoes)
        ),
        "requests",
    );
    let (played, settled) = echo_run(stage, "chosen", &format!("Echoes, transport: {name}"), transport);
    stage.show(View::Ladder, "Look for the last HTTP request.");
    said_table(stage, "What was said, and how.");
    let after = requests_after(&stage.seen(), settled);
    stage.fact("requests_after", after);
    stage.fact("requests_chosen", played.requests);
    stage.reveal(
        guess,
        |run| requests_after(run, settled),
        match transport {
            Transport::Upgrade if blocked => {
                "HTTP goes on: a POST and a GET for each echo. The request for WebSocket was dropped on the way, and the \
                 session did not depend on it. That is why Socket.IO begins with HTTP, and moves to WebSocket only after \
                 a probe has come through."
            }
            Transport::WebSocket if blocked => {
                "Its only request was never answered, so there is no session, and no event was emitted."
            }
            Transport::Polling => "One POST and one GET for each echo: by polling, HTTP never ends.",
            Transport::Upgrade => {
                "None. HTTP opened the session and asked for the upgrade; everything after that uses WebSocket, in the \
                 same messages."
            }
            Transport::WebSocket => "None. HTTP was used for one request, the one that asked for WebSocket.",
        },
    );
    if transport == Transport::Upgrade && !blocked {
        stage.check("the probe goes before the upgrade, and the waiting GET is answered in between", |run| {
            let said = overheard(run.trace());
            let place = |wanted: &dyn Fn(&Said) -> bool| said.iter().position(wanted);
            let ping = place(&|said| said.is_frame() && said.text() == "2probe");
            let pong = place(&|said| said.is_frame() && said.text() == "3probe");
            let noop = place(&|said| matches!(said.how, How::Response(200)) && said.text() == "6");
            let upgrade = place(&|said| said.is_frame() && said.text() == "5");
            ping.is_some() && ping < pong && pong < noop && noop < upgrade
        });
    }
    compare(stage, &[("polling", polling), ("WebSocket", websocket), (name, &played)]);
}

/// Plays the echoes; also returns the time from which the client only emits.
fn echo_run(stage: &mut Stage, id: &str, title: &str, transport: Transport) -> (Played, Instant) {
    let echoes = stage.knob(&ECHOES);
    stage.scene(id, title);
    let (client_host, server) = hosts(stage);
    let blocked = id == "chosen" && stage.knob(&MIDDLEBOX);
    if blocked {
        let asks =
            |bytes: &[u8]| bytes.windows(18).any(|part| part.eq_ignore_ascii_case(b"upgrade: websocket"));
        let drops = fault::rule("lets no WebSocket through", move |frame, _| match asks(frame.bytes) {
            true => Verdict::Drop,
            false => Verdict::Pass,
        });
        stage.rule(client_host, server.host, drops);
    }
    let client = stage.event_client(client_host, server, transport, &[("/", vec![])]);
    stage.run_until_it(LIMIT, |stage| {
        let has_moved = transport != Transport::Upgrade || blocked || stage.upgraded_at(client).is_some();
        stage.is_in(client, "/") && has_moved
    });
    settle(stage);
    let settled = stage.now();
    let mut took = Vec::new();
    for number in 1..=echoes {
        let from = stage.now();
        stage.emit(client, "echo", vec![word(number).into()]);
        stage.run_until_it(LIMIT, |stage| stage.heard(client).len() >= number);
        took.push(stage.now().since(from).as_nanos());
    }
    settle(stage);
    let heard = heard_words(stage, client);
    if !(blocked && transport == Transport::WebSocket) {
        stage.check("every event came back, in order", |_| {
            heard == (1..=echoes).map(word).collect::<Vec<_>>()
        });
    }
    let run = stage.seen();
    let said = overheard(run.trace());
    let text: usize = (1..=echoes).map(|number| 2 * word(number).len()).sum();
    let played = Played {
        requests: requests(&said),
        frames: said.iter().filter(|said| said.is_frame()).count(),
        bytes: run.accounting(),
        text,
        echo: Duration::from_nanos(took.iter().sum::<u64>() / took.len().max(1) as u64),
    };
    (played, settled)
}

fn heard_words(stage: &mut Stage, client: EventClient) -> Vec<String> {
    stage.heard(client).iter().map(|heard| heard.text(0).to_owned()).collect()
}

fn echoed(echoes: usize) -> String {
    if echoes == 1 { "1 echo".into() } else { format!("{echoes} echoes") }
}

fn requests(said: &[Said]) -> usize {
    said.iter().filter(|said| said.is_request()).count()
}

fn requests_after(run: &Seen, settled: Instant) -> usize {
    overheard(run.trace()).iter().filter(|said| said.is_request() && said.at >= settled).count()
}
