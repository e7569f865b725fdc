//! Lesson 19: Socket.IO is a protocol of its own. It goes over HTTP, over WebSocket, or from the one to the other,
//! and its packets are the same on all three ways.
//!
//! All hosts set TCP_NODELAY, as the libraries do: Nagle's algorithm would make small messages wait otherwise. Left
//! out: attachments (binary events), compression, and other versions of the protocol.

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::overheard::{How, Said, overheard};
use super::picture::View;
use super::stage::{EventClient, EventServer, Heartbeat, Host, Seen, Stage};
use super::words::{many, word};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Header as _, Instant, Layer, Writer};
use crate::chat::hub::Random;
use crate::chat::{Config, Hub, MemoryLog, Retention};
use crate::layers::application::socketio::{Decoder, Limits, Packet};
use crate::layers::application::websocket::{FrameHeader, Opcode};
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp;
use crate::sim::apps::event_client::Transport;
use crate::sim::fault::{self, Verdict};
use crate::trace::PlaceId;
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
    id: "socketio",
    number: 19,
    title: "from polling to Socket.IO",
    layer: Layer::Application,
    minutes: 30,
    misconception: "Socket.IO is WebSocket; HTTP is only its setup",
    words: &[
        ("Socket.IO", "a protocol for events, on top of Engine.IO"),
        ("event", "a message with a name"),
        ("namespace", "a part of a server that a client asks to be let into"),
        ("polling", "asking a server for news by HTTP, again and again"),
    ],
    cites: &[
        Cite {
            document: "Engine.IO protocol, revision 4",
            section: "Transports",
            what: "polling and WebSocket",
        },
        Cite { document: "Engine.IO protocol, revision 4", section: "Upgrade", what: "the probe" },
        Cite { document: "Socket.IO protocol, revision 5", section: "Packet encoding", what: "the envelope" },
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

/// The port of HTTP, by which Wireshark knows what it reads.
const PORT: u16 = 80;
/// How long a client may take to be let in.
const LIMIT: Duration = Duration::from_secs(20);

fn script(stage: &mut Stage) {
    let polling = by_polling(stage);
    let websocket = by_websocket(stage, &polling);
    both_ways(stage);
    envelope(stage);
    plain(stage);
    chosen(stage, &polling, &websocket);
    stage.say(
        "There is no `--wire real` for this lesson: it counts packets and their headers, and the kernel shows a program \
         neither. The same code runs on real sockets in `examples/event_server.rs`, where stock Socket.IO clients talk \
         to it.",
    );
    stage.instead(LESSON.misconception,
        "Socket.IO is a protocol of its own: event names, numbers for answers, and namespaces, written into every \
         message. Where there is no WebSocket, HTTP carries it from the first event to the last; otherwise HTTP carries \
         it until the upgrade, and no request follows. A client that speaks WebSocket but not Socket.IO is not \
         understood.",
    );
    stage.try_next(
        "netlayers lesson 19 --transport polling --echoes 10",
        "Predict the number of HTTP requests first.",
    );
    stage.try_next(
        "netlayers lesson 19 --delay 200ms",
        "Which of the two ways suffers more from a long wire?",
    );
    stage.try_next(
        "netlayers lesson 19 --middlebox drops",
        "No WebSocket gets through. Why does Socket.IO begin with HTTP?",
    );
    stage.try_next("netlayers check 19", "Take packets apart yourself.");
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
        "To open and enter: one GET for the session, one POST with 40, and a GET for its answer; then a GET that \
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

/// What is written around an event.
fn envelope(stage: &mut Stage) {
    let packet = Packet::event("/", "echo", vec!["one".into()]);
    let text = packet.encode().text;
    let message = format!("4{}", text.as_str());
    stage.say(format!(
        "In all of these runs the client's first event was the text `{message}`, in a POST or in a frame. It is an \
         envelope in an envelope:"
    ));
    let rows = vec![
        vec![
            "4".into(),
            "Engine.IO".into(),
            "a message, not a ping (2), a pong (3) or another of its own".into(),
        ],
        vec!["2".into(), "Socket.IO".into(), "an event, not a CONNECT (0) or an answer (3)".into()],
        vec![
            text.as_str()[1..].to_owned(),
            "Socket.IO".into(),
            "JSON: the event's name, and what it carries".into(),
        ],
    ];
    let joined: String = rows.iter().map(|row| row[0].as_str()).collect();
    stage.table(&["bytes", "whose", "what it says"], rows, "One event, as it is written.");
    stage.check("these three are the whole message", |_| joined == message);
    stage.check("it reads back as the same event", |_| {
        Decoder::new(Limits::default()).text(text.as_str()) == Ok(Some(packet))
    });
}

/// WebSocket without the envelope, and with it by hand.
fn plain(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "A client that knows WebSocket and nothing of Socket.IO opens a WebSocket to the same server and sends the \
         text \"hello\". What happens?",
        &[
            "the server takes it as an event \"hello\"",
            "the server echoes it",
            "nothing at all",
            "the server closes the connection",
        ],
    );
    let (said, server) = by_hand(stage, "plain", "A plain WebSocket client says hello", &["hello"]);
    stage.show(View::Ladder, "The handshake is fine: it is WebSocket. What follows is not understood.");
    said_table(stage, "What was said, without masks.");
    stage.reveal(
        guess,
        |_| {
            let from_server = |wanted: &dyn Fn(&Said) -> bool| said.iter().any(|s| s.by == server && wanted(s));
            Answer::Choice(if from_server(&|s| s.how == How::Frame(Opcode::Close)) {
                3
            } else if from_server(&|s| s.is_frame() && s.text().contains("hello")) {
                1
            } else {
                2
            })
        },
        "Every text frame of Engine.IO begins with a digit, and \"h\" is not one (only binary data has no digit). That is \
         no mere formality: the server cannot know what was meant.",
    );
    let event = Packet::event("/", "echo", vec!["hello".into()]).encode();
    let event = format!("4{}", event.text.as_str());
    let (said, server) =
        by_hand(stage, "by-hand", "The same client writes the envelope by hand", &["40", &event]);
    said_table(
        stage,
        "With the envelope it is a Socket.IO client: 40 enters the main namespace, and 42 is an event.",
    );
    stage.check("the event came back", |_| said.iter().any(|said| said.by == server && said.text() == event));
}

/// A client that is nothing but bytes of WebSocket: what was said, and by which place the server spoke.
fn by_hand(stage: &mut Stage, id: &str, title: &str, messages: &[&str]) -> (Vec<Said>, PlaceId) {
    stage.scene(id, title);
    let (client, server) = hosts(stage);
    let socket = stage.connect(client, server.host, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    stage.send(
        socket,
        format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}:{PORT}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            server.host.address
        ),
    );
    settle(stage);
    for message in messages {
        stage.send(socket, frame(message));
        settle(stage);
    }
    stage.close(socket);
    settle(stage);
    (overheard(stage.seen().trace()), server.host.id().place())
}

/// A text frame as a client sends it (RFC 6455 §5.2), with a mask that is no secret.
fn frame(text: &str) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let header = FrameHeader { mask: Some(mask), ..FrameHeader::new(Opcode::Text, text.len() as u64) };
    let mut w = Writer::new();
    header.emit(&mut w);
    w.bytes(&text.bytes().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect::<Vec<u8>>());
    w.as_slice().to_vec()
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
                 same envelopes."
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

/// What was said in the scene so far, one line each.
fn said_table(stage: &mut Stage, caption: &str) {
    const MOST: usize = 24;
    let run = stage.seen();
    let said = overheard(run.trace());
    let row = |said: &Said| {
        let text = said.text();
        let text = match text.char_indices().nth(40) {
            Some((at, _)) => format!("{}...", &text[..at]),
            None => text,
        };
        vec![
            format!("{:.1}", said.at.as_millis_f64()),
            run.trace().name(said.by).to_owned(),
            said.way(),
            text,
        ]
    };
    let mut rows: Vec<Vec<String>> = said.iter().take(MOST).map(row).collect();
    if said.len() > MOST {
        rows.push(vec![String::new(), String::new(), format!("{} more", said.len() - MOST), String::new()]);
    }
    stage.table(&["ms", "who", "how", "body"], rows, caption);
}

/// A client's host, and a server that echoes.
fn hosts(stage: &mut Stage) -> (Host, EventServer) {
    let usual = stage.network_knobs().stack();
    let config = StackConfig { tcp: tcp::Config { nodelay: true, ..usual.tcp }, ..usual };
    let (client, server) = (stage.host_with("client", &config), stage.host_with("server", &config));
    stage.link(client, server);
    stage.introduce();
    let server = stage.event_server(server, PORT, Heartbeat::default(), echo_hub);
    (client, server)
}

/// A hub whose program echoes every "echo".
fn echo_hub(random: Random) -> Hub {
    let log = Box::new(MemoryLog::new(Retention::default()));
    let mut hub = Hub::new(Config { recovery: None, ..Config::default() }, random, log);
    hub.of("/").on("echo", |cx, args, _| {
        cx.emit("echo", args.to_vec());
    });
    hub
}

/// Long enough for what is in flight to arrive, and for its acknowledgement to return.
fn settle(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 4 + Duration::from_millis(50));
}
