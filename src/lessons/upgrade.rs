//! Lesson 16: a WebSocket begins as an HTTP request, line by line, and what each line is there for.
//!
//! Left out: TLS, redirects, cookies and logins (RFC 6455 §4.1), proxies; HTTP/2, which has another way to WebSocket
//! (RFC 8441).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::picture::View;
use super::stage::{Host, Seen, Stage};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::layers::application::http::Headers;
use crate::layers::application::websocket::handshake::GUID;
use crate::layers::application::websocket::{Config, Policy, Request, wire};
use crate::trace::Kind;
use crate::view::dissect::AppPiece;

/// What can be wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Version,
    Key,
    Connection,
    Upgrade,
    Origin,
    Method,
}

/// What is wrong with the request of the second run.
const WRONG: Knob<Wrong> = Knob::choice(
    "wrong",
    "version",
    &[
        ("nothing", Wrong::Nothing),
        ("version", Wrong::Version),
        ("key", Wrong::Key),
        ("connection", Wrong::Connection),
        ("upgrade", Wrong::Upgrade),
        ("origin", Wrong::Origin),
        ("method", Wrong::Method),
    ],
    "what is wrong with the request",
);

pub(super) const LESSON: Lesson = Lesson {
    id: "upgrade",
    title: "HTTP upgrade",
    layer: Layer::Application,
    minutes: 30,
    misconception: "WebSocket replaces HTTP",
    words: &[
        ("HTTP", "the protocol of the web: a request and its response"),
        ("WebSocket", "messages in both directions over one TCP connection"),
        ("server-sent events", "an HTTP response that goes on, piece by piece"),
        ("QUIC", "the transport protocol that HTTP/3 has instead of TCP"),
    ],
    cites: &[
        Cite {
            document: "RFC 6455",
            section: "4.1",
            what: "what the client sends, and how it judges the answer",
        },
        Cite { document: "RFC 6455", section: "4.2", what: "what the server checks, and what it answers" },
        Cite { document: "RFC 6455", section: "1.3", what: "the key and its answer" },
        Cite { document: "RFC 6455", section: "10.2", what: "what Origin is for" },
        Cite { document: "RFC 9110", section: "7.8", what: "Upgrade, for any protocol" },
        Cite { document: "RFC 9110", section: "15.5.22", what: "426 Upgrade Required" },
    ],
    knobs: &[&WRONG, &DELAY, &SEED],
    teacher: Teacher {
        vote: "The server's answer holds a hash of the client's key. What does that prove to the client?",
        choices: &[
            "who the server is",
            "that the server speaks WebSocket",
            "that the connection is private",
            "that the server knows the client",
        ],
        surprise: "Anyone can compute the answer, since the GUID that goes into it is printed in the RFC. It is no \
                   password: it shows that the server understood the request, and that the answer is not from a cache \
                   or from a server that says yes to everything.",
    },
    script,
};

const PORT: u16 = 80;
/// The key of the example in RFC 6455 §1.3.
const SAMPLE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The page whose scripts may connect, and another one.
const OURS: &str = "http://chat.example";
const FOREIGN: &str = "http://evil.example";
/// What can be wrong, in words.
const WRONGS: [(Wrong, &str); 6] = [
    (Wrong::Version, "version 8 instead of 13"),
    (Wrong::Key, "a key of 5 bytes instead of 16"),
    (Wrong::Connection, "no token Upgrade in Connection"),
    (Wrong::Upgrade, "a plain request, without Upgrade"),
    (Wrong::Origin, "a page of another origin"),
    (Wrong::Method, "POST instead of GET"),
];

fn script(stage: &mut Stage) {
    accept(stage);
    refused(stage);
    given_up(stage);
    stage.instead(LESSON.misconception,
        "every WebSocket begins with an HTTP request; with HTTP/1.1, as here, it then continues on the same TCP \
         connection (HTTP/2 and HTTP/3 give it one of their streams: RFC 8441, RFC 9220). HTTP stays what it is: for \
         request and response it has caches, proxies, and servers that need to remember nothing. WebSocket gives these \
         up, and gains a connection on which both ends may speak.",
    );
    stage.try_next("netlayers lesson 16 --wrong origin", "Predict the status first: who is protected by it?");
    stage.try_next("netlayers lesson 16 --wrong nothing", "And a request with nothing wrong?");
    stage
        .try_next("netlayers lesson 16 --view hex --scene accept", "The request as bytes, with all headers.");
    stage.try_next("netlayers lesson 16 --wire real", "The same text, over the kernel's sockets.");
}

/// The request, the answer, and the key between them.
fn accept(stage: &mut Stage) {
    stage.say(format!(
        "A program that wants a WebSocket opens a TCP connection and sends an HTTP request with a random key. The server \
         answers with a value that it computes from the key. In the example of RFC 6455 the key is {SAMPLE}.",
    ));
    // Plausible answers, each computed.
    let whole = |text: &str| STANDARD.encode(Sha1::digest(text.as_bytes()));
    let with_guid = format!("{SAMPLE}{GUID}");
    let guess = stage.ask_choice(
        format!(
            "The RFC has a fixed number, the GUID {GUID}. What does the server answer to the key? Compute it if you \
             like: sha1sum and base64 are enough."
        ),
        &[
            &format!("the key itself: {SAMPLE}"),
            &format!("the key's SHA-1, in base64: {}", whole(SAMPLE)),
            &format!("the SHA-1 of key and GUID, in base64: {}", whole(&with_guid)),
            &format!("the GUID's SHA-1, in base64: {}", whole(GUID)),
        ],
    );
    stage.scene("accept", "The handshake with the key of the RFC, and a message each way");
    let (client, server) = stage.two_hosts();
    stage.websocket_server(server, PORT, &Config::default(), &policy());
    let nonce: [u8; 16] =
        STANDARD.decode(SAMPLE).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
    let socket = stage.websocket_connect(client, server, PORT, &Config::default(), &request(nonce));
    wait(stage);
    stage.send_text(socket, "hello").expect("the server has agreed");
    wait(stage);
    let other = stage.accepted(server)[0];
    stage.send_text(other, "hello, too").expect("it is open still");
    wait(stage);
    let run = stage.seen();
    let (asked, answered) = (head(&run, client), head(&run, server));
    stage.table(
        &["the request", "what it is for"],
        explained(&asked),
        "Each line, with its place in RFC 6455.",
    );
    stage.table(&["the answer", "what it is for"], explained(&answered), "101 is HTTP's last word here.");
    let digest = Sha1::digest(with_guid.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let accept = stage.fact("accept", STANDARD.encode(digest));
    let row = |what: &str, value: &str| vec![what.to_owned(), value.to_owned()];
    stage.table(
        &["step", "gives"],
        vec![
            row("the key, as it is sent", SAMPLE),
            row("followed by the GUID", &with_guid),
            row(&format!("SHA-1: {} bytes", digest.len()), &hex),
            row("these in base64", &accept),
        ],
        "Computed step by step, independently of the server's code.",
    );
    stage.reveal(
        guess,
        |run| Answer::Choice(if value(&head(run, server), "Sec-WebSocket-Accept") == accept { 2 } else { 0 }),
        "The key is hashed as the text that was sent, without decoding it. The GUID is printed in the RFC: a server that \
         answers so has understood that the request is for WebSocket.",
    );
    stage.check("what was computed step by step is what the server answered", |run| {
        value(&head(run, server), "Sec-WebSocket-Accept") == accept
    });
    one_connection(stage, client);
}

/// HTTP first, frames after it, on one connection.
fn one_connection(stage: &mut Stage, client: Host) {
    let run = stage.seen();
    let mut rows = Vec::new();
    for segment in run.data_segments() {
        let from = if segment.packet.from == client.id().place() { "client" } else { "server" };
        for piece in &segment.tcp.application {
            let (protocol, what) = match piece {
                AppPiece::HttpRequest { line } | AppPiece::HttpResponse { line } => ("HTTP", line.clone()),
                AppPiece::WsFrame { opcode, payload_len, .. } => {
                    ("WebSocket", format!("{opcode} frame, {payload_len} bytes of payload"))
                }
                AppPiece::EngineIo { .. }
                | AppPiece::SocketIo { .. }
                | AppPiece::Message { .. }
                | AppPiece::WsContinuationOfFrame { .. }
                | AppPiece::Data { .. } => continue,
            };
            rows.push(vec![segment.tcp.seq.to_string(), from.into(), protocol.into(), what]);
        }
    }
    stage.table(
        &["seq", "from", "protocol", "what"],
        rows,
        "Everything that crossed this one TCP connection. The byte count runs on: the first byte of a frame follows \
         HTTP's last.",
    );
    stage.show(View::Ladder, "One SYN: everything happens on one connection.");
    stage.check("the frames go over the TCP connection on which the request went", |run| {
        run.segments().filter(|segment| segment.tcp.flags.syn && !segment.tcp.flags.ack).count() == 1
            && run.websocket_frames(client).first().is_some_and(|frame| frame.payload() == b"hello")
    });
}

/// Requests with something wrong.
fn refused(stage: &mut Stage) {
    let wrong = stage.knob(&WRONG);
    let words = WRONGS.iter().find(|(known, _)| *known == wrong).map_or("nothing wrong", |(_, words)| *words);
    let guess = stage.ask_choice(
        format!("A request comes with {words}. What does the server answer?"),
        &[
            "101: it opens anyway",
            "400: bad request",
            "403: forbidden",
            "405: method not allowed",
            "426: upgrade required",
        ],
    );
    stage.scene("refused", &format!("A request with {words}"));
    let (client, server) = stage.two_hosts();
    stage.websocket_server(server, PORT, &Config::default(), &policy());
    ask(stage, client, server, PORT, wrong);
    let run = stage.seen();
    let answered = head(&run, server);
    let status = stage.fact("status", status(&answered));
    stage.table(&["the answer", "what it is for"], explained(&answered), "What the server sends back.");
    let why = reason(&run);
    let choices = [101, 400, 403, 405, 426];
    stage.reveal(
        guess,
        |_| Answer::Choice(choices.iter().position(|choice| *choice == status).unwrap_or(0)),
        match why.as_str() {
            "" => "Nothing was wrong: the server agrees, and the next bytes are frames.".to_owned(),
            why => format!("The server's WebSocket code says: {why}."),
        },
    );
    if status != 101 {
        stage.check("the refusal is plain HTTP, and the server closes the connection", |run| {
            run.reached(server, "FIN-WAIT-1").is_some()
        });
        stage.check("no frame was sent", |run| run.websocket_frames(server).is_empty());
    }
    if status == 426 {
        stage.check("426 names what would be accepted: the version and the protocol", |run| {
            let head = head(run, server);
            value(&head, "Sec-WebSocket-Version") == "13" && value(&head, "Upgrade") == "websocket"
        });
    }
    all(stage);
}

/// Each thing that can be wrong.
fn all(stage: &mut Stage) {
    stage.scene("all", "Each of them");
    let (client, server) = stage.two_hosts();
    let mut rows = Vec::new();
    let mut statuses = Vec::new();
    for (port, (wrong, words)) in (PORT..).zip(WRONGS) {
        stage.websocket_server(server, port, &Config::default(), &policy());
        let answered = ask(stage, client, server, port, wrong);
        let line = answered.first().cloned().unwrap_or_default();
        rows.push(vec![words.to_owned(), line.trim_start_matches("HTTP/1.1 ").to_owned()]);
        statuses.push(status(&answered));
    }
    stage.table(
        &["a request with", "is answered"],
        rows,
        "Each on its own connection. 426 says what to ask for instead.",
    );
    stage.check("each of them is refused with a 4xx status, none with 101", |_| {
        statuses.iter().all(|status| (400..500).contains(status))
    });
    stage.say(
        "Origin says which page a script came from, and the browser writes it, not the script. So a server can refuse a \
         page that uses its visitors' logins behind their backs. A program that is not a browser can write anything \
         there (RFC 6455 §10.2).",
    );
}

/// What WebSocket gives up.
fn given_up(stage: &mut Stage) {
    let row = |what: &str, http: &str, events: &str, websocket: &str| {
        [what, http, events, websocket].map(str::to_owned).to_vec()
    };
    stage.table(
        &["", "HTTP", "server-sent events", "WebSocket"],
        vec![
            row("may speak", "server, when asked", "server, once asked", "both, always"),
            row("answers in caches", "yes", "no", "no"),
            row("server must remember", "nothing", "the open response", "the connection"),
            row("proxies understand it", "yes", "yes: it is HTTP", "only its beginning"),
            row("after a break", "ask again", "the browser does", "the program's task"),
        ],
        "Three patterns, for three purposes; none replaces another. This table is not measured: it sums up the \
         specifications.",
    );
    stage.say(
        "HTTP is stateless: each request can be understood by itself (RFC 9110 §3.3), so any server of many may answer \
         it, and a cache may answer for it (RFC 9111). Where only the server has news, server-sent events (HTML Standard, §9.2) \
         are the simpler way: a response that does not end.",
    );
}

/// What a server with one page of its own takes.
fn policy() -> Policy {
    Policy { origins: Some(vec![OURS.into()]), ..Policy::default() }
}

fn request(nonce: [u8; 16]) -> Request {
    Request { origin: Some(OURS.into()), ..Request::new("server.example", "/chat", nonce) }
}

/// Sends a request with something wrong, and gives the lines of the answer.
fn ask(stage: &mut Stage, client: Host, server: Host, port: u16, wrong: Wrong) -> Vec<String> {
    let mut head = request(stage.nonce()).head(&[]);
    let turned = |name: &str| match (wrong, name) {
        (Wrong::Version, "Sec-WebSocket-Version") => Some("8"),
        (Wrong::Key, "Sec-WebSocket-Key") => Some("c2hvcnQ="),
        (Wrong::Connection, "Connection") => Some("keep-alive"),
        (Wrong::Upgrade, "Connection") => Some("close"),
        (Wrong::Origin, "Origin") => Some(FOREIGN),
        _ => None,
    };
    let mut headers = Headers::new();
    for (name, value) in head.headers.iter() {
        let only_of_websocket = name == "Upgrade" || name.starts_with("Sec-WebSocket-");
        if !(wrong == Wrong::Upgrade && only_of_websocket) {
            headers.push(name, turned(name).unwrap_or(value));
        }
    }
    head.headers = headers;
    if wrong == Wrong::Method {
        head.method = "POST".into();
    }
    let socket = stage.connect(client, server, port);
    let bytes = head.emit().expect("a head of names and values that HTTP allows");
    stage.send(socket, bytes);
    wait(stage);
    let read = stage.reads(socket).concat();
    lines(&read[..wire::head_of(&read)])
}

/// Long enough for a handshake, and an answer.
fn wait(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 4 + Duration::from_millis(50));
}

/// The lines of the first head that a host wrote.
fn head(run: &Seen, host: Host) -> Vec<String> {
    let written = run.writes(host).concat();
    lines(&written[..wire::head_of(&written)])
}

fn lines(head: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(head);
    text.split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The value of a field in lines.
fn value(lines: &[String], name: &str) -> String {
    let fields = lines.iter().filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| *field == name).map(|(_, value)| value.to_owned()).next().unwrap_or_default()
}

fn status(lines: &[String]) -> u16 {
    let line = lines.first().map(String::as_str).unwrap_or_default();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// What the server's machine noted.
fn reason(run: &Seen) -> String {
    let note = run.trace().events.iter().find_map(|event| match &event.kind {
        Kind::Note { text } => Some(text.to_string()),
        _ => None,
    });
    note.unwrap_or_default()
}

/// Lines of a head, each with what it is for.
fn explained(lines: &[String]) -> Vec<Vec<String>> {
    lines.iter().map(|line| vec![line.clone(), purpose(line).to_owned()]).collect()
}

fn purpose(line: &str) -> &'static str {
    let name = line.split(": ").next().unwrap_or_default();
    match name {
        _ if line.starts_with("GET ") => "in HTTP/1.1 always GET (§4.1)",
        _ if line.starts_with("HTTP/1.1 101") => "agreed: after the empty line, frames",
        _ if line.starts_with("HTTP/1.1 4") => "refused, with a reason in numbers (RFC 9110 §15.5)",
        "Host" => "which of the server's sites is meant",
        "Upgrade" => "the protocol to switch to (RFC 9110 §7.8)",
        "Connection" if line.contains("Upgrade") => "Upgrade is for the next hop, not to be passed on",
        "Connection" => "the connection ends after this answer",
        "Sec-WebSocket-Key" => "16 random bytes in base64: new each time",
        "Sec-WebSocket-Version" => "13 is the version of RFC 6455 (§4.4)",
        "Sec-WebSocket-Accept" => "computed from the key (§4.2.2)",
        "Origin" => "the page that asks: browsers write it (§10.2)",
        "Content-Length" => "no body follows",
        "Allow" => "the method to use",
        _ => "",
    }
}
