//! Lesson 22: the chat: a server and three clients on lossy links, one cable pulled and put back, and one message
//! followed through every layer.
//!
//! It is the last of the course, and it adds nothing new: everything builds on what the lessons before it showed. Left
//! out: the terminal client and the web page (`netlayers chat`), which speak to the same program on real sockets.

use super::knob::{DELAY, LOSS, SEED};
use super::overheard::overheard;
use super::picture::{Frame, View};
use super::stage::{EventClient, Heard, Heartbeat, Host, Seen, Stage};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Instant, Layer};
use crate::chat::client::Event;
use crate::chat::hub::{Hub, Random};
use crate::chat::{Config, SharedLog, lounge, offset_number};
use crate::layers::application::engineio::CloseCause;
use crate::layers::application::socketio::Value;
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp;
use crate::sim::apps::event_client::Transport;
use crate::sim::fault::{self, Verdict};
use crate::trace::{Kind, PlaceId};
use crate::view::dissect::{AppPiece, Role, TracedPacket, What};
use crate::view::log::{Got, Log, Reader};

const LOSSY: Knob<f64> = LOSS.at("3%");
const OUTAGE: Knob<Duration> = Knob::time(
    "outage",
    "5s",
    Duration::from_secs(1),
    Duration::from_secs(30),
    "how long a client's cable is pulled",
);

pub(super) const LESSON: Lesson = Lesson {
    id: "chat",
    title: "the chat, through every layer",
    layer: Layer::Application,
    minutes: 75,
    misconception: "a chat message goes from me to you",
    words: &[],
    cites: &[
        Cite {
            document: "Socket.IO protocol, revision 5",
            section: "Packet encoding",
            what: "how an event is written",
        },
        Cite {
            document: "Engine.IO protocol, revision 4",
            section: "Protocol",
            what: "the message around it",
        },
        Cite { document: "RFC 6455", section: "5.2", what: "the frame around that" },
        Cite { document: "RFC 9293", section: "3.1", what: "the segment" },
        Cite { document: "RFC 791", section: "3.1", what: "the packet" },
    ],
    knobs: &[&LOSSY, &OUTAGE, &DELAY, &SEED],
    teacher: Teacher {
        vote: "Ada writes \"good morning\" in a room of three. How many times do these words cross a wire?",
        choices: &["once", "twice", "three times", "four times"],
        surprise: "Ada hears her own message, from the server: she sees what all see, in the same order. And nothing \
                   went from her to Bob: there are two connections, and a program between them that read one and wrote \
                   the other.",
    },
    script,
};

/// The port of HTTP, by which Wireshark knows what it reads.
const PORT: u16 = 80;
/// The people in the chat.
const NAMES: [&str; 3] = ["ada", "bob", "cyd"];
const ROOM: &str = "lobby";
const GREETING: &str = "good morning";
/// What is said while a client is away.
const MEANWHILE: [(&str, &str); 3] =
    [("ada", "where is cyd?"), ("bob", "no idea"), ("ada", "the cable, perhaps")];
/// And when it is back.
const LATER: &str = "hello again";
/// The rule that loses what is sent over the pulled cable.
const CABLE: &str = "the cable is out";
/// How long anything may take: on a bad line TCP's timers double.
const LIMIT: Duration = Duration::from_secs(300);

fn script(stage: &mut Stage) {
    let outage = stage.knob(&OUTAGE);
    stage.say(format!(
        "A server with the chat on it, and three clients, each on a link that loses {:.0} % of all frames. They \
         enter under a name and join the room \"{ROOM}\".",
        stage.knob(&LOSSY) * 100.0
    ));
    let copies = stage.ask_number(
        format!("Ada says \"{GREETING}\" in a room of three. How many WebSocket messages carry these words?"),
        "messages",
    );
    stage.scene("chat", "A chat over lossy links");
    let usual = stage.network_knobs().stack();
    let config = StackConfig { tcp: tcp::Config { nodelay: true, ..usual.tcp }, ..usual };
    // The server's lifeline is among its clients', so that few arrows cross another's.
    let ada = stage.host_with(NAMES[0], &config);
    let host = stage.host_with("server", &config);
    let [bob, cyd] = [NAMES[1], NAMES[2]].map(|name| stage.host_with(name, &config));
    let hosts = [ada, bob, cyd];
    hosts.iter().for_each(|client| stage.link(*client, host));
    stage.introduce();
    let disk = SharedLog::default();
    let server = stage.event_server(host, PORT, Heartbeat::default(), move |random| chat_hub(random, &disk));
    let clients: Vec<EventClient> = NAMES
        .iter()
        .zip(hosts)
        .map(|(name, host)| {
            let auth = vec![("name".to_owned(), Value::from(*name))];
            let client = stage.event_client(host, server, Transport::WebSocket, &[("/", auth)]);
            stage.run_until_it(LIMIT, |stage| stage.is_in(client, "/"));
            stage.emit_in(client, "/", "join", vec![ROOM.into()], Some(0));
            stage.run_until_it(LIMIT, |stage| answers(stage, client) == 1);
            client
        })
        .collect();
    let (ada, bob, cyd) = (clients[0], clients[1], clients[2]);

    let from = stage.now();
    let all_in = clients.iter().all(|client| answers(stage, *client) == 1);
    if all_in {
        say(stage, ada, GREETING);
        stage.run_until_it(LIMIT, |stage| clients.iter().all(|client| messages(stage, *client).len() == 1));
        stage.show(
            View::LadderSince(from),
            "Every arrow begins or ends at the server; those to Cyd only pass Bob's lifeline.",
        );
    }
    let run = stage.seen();
    let crossings = |run: &Seen| {
        let said = overheard(run.trace());
        said.iter()
            .filter(|said| said.at >= from && said.is_frame() && said.text().contains(GREETING))
            .count()
    };
    stage.fact("copies", crossings(&run));
    let all_heard = clients.iter().all(|client| messages(stage, *client).len() == 1);
    let why = match (all_in, all_heard) {
        (true, true) => {
            "One up to the server, and one down to each member of the room, Ada among them. The server encoded and \
             framed it once for all three; TCP, IP and Ethernet wrapped each copy for itself."
        }
        (true, false) => {
            "It would be one up to the server, and one down to each member of the room. In this run not all of them \
             stayed connected: the line loses too much."
        }
        (false, _) => "On this line not all three reached the room, and nothing was said.",
    };
    stage.reveal(copies, crossings, why);
    if all_heard {
        follow(stage, &run, from, [hosts[0], hosts[1]], host);
        break_and_return(stage, (cyd, hosts[2], host), (ada, bob), outage);
    } else {
        give_up(stage, &clients);
    }
    account(stage);
    stage.instead(LESSON.misconception,
        "there is no line from you to me. Each of us has a connection to a server, and a program there reads from one \
         and writes to the others. What looks like one message is several, each wrapped by every layer, and a log knows \
         who has received what.",
    );
    stage.try_next(
        "netlayers chat serve",
        "The same chat, with you in it. Open two tabs at http://127.0.0.1:8000, talk, and find in the panel the layers of \
         this lesson. Then end the server with kill -9 and its process id, say something in one tab, start it again, \
         and look: what is missing?",
    );
    stage.try_next("netlayers lesson chat --loss 20%", "Predict: which numbers change, and which do not?");
    stage
        .try_next("netlayers lesson chat --pcap chat.pcapng", "The same run in Wireshark, packet by packet.");
    stage.try_next("netlayers lesson chat --view hex --frame 30", "Any frame of it, byte by byte.");
}

/// How a chat ends whose line loses too much.
fn give_up(stage: &mut Stage, clients: &[EventClient]) {
    stage.say(format!(
        "Here the chat is over: the line loses {:.0} % of all frames. TCP retransmits what is lost, but waits twice as \
         long each time (RFC 6298 §5.5), and meanwhile the timeouts above it expire. A program would connect again, and \
         again; the clients of this run do not.",
        stage.knob(&LOSSY) * 100.0,
    ));
    let fates: Vec<Vec<String>> = NAMES
        .iter()
        .zip(clients)
        .map(|(name, client)| vec![(*name).to_owned(), fate(stage, *client).to_owned()])
        .collect();
    stage.table(&["client", "how it ended"], fates, "How far each of the three got.");
}

/// How one client fared.
fn fate(stage: &mut Stage, client: EventClient) -> &'static str {
    let was_in = !stage.received(client).is_empty();
    match stage.ended(client) {
        Some(_) if !was_in => "gave up: its session did not open in time",
        Some((_, CloseCause::PingTimeout)) => "gave up on the server: no sign of life in time",
        Some((_, CloseCause::TransportClosed | CloseCause::ByServer)) => "the server gave up on it",
        Some(_) => "its session ended",
        None if !was_in => "its session is not open yet",
        None if answers(stage, client) == 0 => "waits for the answer to its first event",
        None => "in the room",
    }
}

/// A cable is pulled and put back, and what each of the three heard.
fn break_and_return(
    stage: &mut Stage,
    (cyd, cyd_host, server): (EventClient, Host, Host),
    (ada, bob): (EventClient, EventClient),
    outage: Duration,
) {
    let clients = [ada, bob, cyd];
    let gone = outage_of(stage, (cyd, cyd_host, server), (ada, bob), outage);
    let all: Vec<Vec<(Instant, String)>> = clients.iter().map(|client| messages(stage, *client)).collect();
    draw_log(stage, ada, &all, gone);
    let words: Vec<Vec<&str>> =
        all.iter().map(|heard| heard.iter().map(|(_, text)| text.as_str()).collect()).collect();
    let count = 2 + MEANWHILE.len();
    if words.iter().any(|heard| heard.len() != count) {
        return give_up(stage, &clients);
    }
    stage.check(format!("each of the three heard all {count} messages once, in the same order"), |_| {
        words.iter().all(|heard| *heard == words[0])
    });
    let recovered = stage.is_recovered(cyd, "/");
    stage.check("the server recognized Cyd", |_| recovered);
}

/// A cable is pulled, the others go on, and it is put back; when it was pulled, and put back.
fn outage_of(
    stage: &mut Stage,
    (client, client_host, server): (EventClient, Host, Host),
    (ada, bob): (EventClient, EventClient),
    outage: Duration,
) -> (Instant, Instant) {
    stage.lead_in(format!(
        "Now Cyd's cable is pulled for {outage}, and the others go on: {}. Then it is plugged in again, he reconnects, \
         and Ada says \"{LATER}\".",
        MEANWHILE.map(|(name, text)| format!("{name} says \"{text}\"")).join(", ")
    ));
    let guess = stage.ask_number(
        format!("How many of these {} does Cyd hear?", many(MEANWHILE.len() + 1, "message")),
        "messages",
    );
    let before = messages(stage, client).len();
    let pulled = stage.now();
    for (from, to) in [(client_host, server), (server, client_host)] {
        let out = fault::rule(CABLE, move |frame, _| match frame.at < pulled + outage {
            true => Verdict::Drop,
            false => Verdict::Pass,
        });
        stage.rule(from, to, out);
    }
    for (name, text) in MEANWHILE {
        let speaker = if name == "ada" { ada } else { bob };
        let heard = messages(stage, speaker).len();
        say(stage, speaker, text);
        stage.run_until_it(LIMIT, |stage| {
            messages(stage, ada).len() > heard && messages(stage, bob).len() > heard
        });
    }
    if stage.now() < pulled + outage {
        stage.run_until(pulled + outage);
    }
    let back = stage.now();
    stage.reconnect(client);
    stage.run_until_it(LIMIT, |stage| {
        stage.is_in(client, "/") && messages(stage, client).len() == before + MEANWHILE.len()
    });
    let heard = messages(stage, ada).len();
    say(stage, ada, LATER);
    stage.run_until_it(LIMIT, |stage| {
        [ada, bob, client].into_iter().all(|client| messages(stage, client).len() > heard)
    });
    stage.run_for(stage.network_knobs().rtt() * 2 + Duration::from_millis(100));
    let count = messages(stage, client).len() - before;
    let why = if count == MEANWHILE.len() + 1 {
        "All of them: those he missed came from the log, in order, before anything new. The others noticed nothing: \
         they did not wait for him."
    } else {
        "Not all of them, for this line loses too much: not every client stayed connected."
    };
    stage.reveal(guess, |_| count, why);
    (pulled, back)
}

/// One message from the emit to another client's listener.
fn follow(stage: &mut Stage, run: &Seen, from: Instant, [ada, bob]: [Host; 2], server: Host) {
    let up = frame_with_text(run, from, ada.id().place(), server.id().place());
    let down = frame_with_text(run, from, server.id().place(), bob.id().place());
    let (Some(up), Some(down)) = (up, down) else { return };
    let said = overheard(run.trace());
    let words = |by: PlaceId| {
        said.iter()
            .find(|said| said.at >= from && said.by == by && said.text().contains(GREETING))
            .map(|said| said.text())
    };
    let (Some(sent), Some(heard)) = (words(ada.id().place()), words(server.id().place())) else { return };
    stage.say(
        "One message, on its way down at Ada's and up at Bob's. Each layer adds its header to what it is given, and \
         knows nothing of what is in it; at the other end the same layer takes it off again.",
    );
    let header = |packet: &TracedPacket, protocol: &str| {
        let part = packet.packet.dissection.header(protocol)?;
        let bytes = &packet.bytes[part.range.clone()];
        let shown: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let more = if bytes.len() > 8 { " ..." } else { "" };
        Some((format!("{}{more}", shown.join(" ")), bytes.len()))
    };
    let mut rows = vec![
        vec![
            "program".into(),
            format!("emit say({ROOM}, {GREETING})"),
            String::new(),
            "listener of message".into(),
            String::new(),
        ],
        vec![
            "Socket.IO".into(),
            short(&sent[1..]),
            (sent.len() - 1).to_string(),
            short(&heard[1..]),
            (heard.len() - 1).to_string(),
        ],
        vec!["Engine.IO".into(), sent[..1].to_owned(), "1".into(), heard[..1].to_owned(), "1".into()],
    ];
    let mut sums = [sent.len(), heard.len()];
    for protocol in ["WebSocket", "TCP", "IPv4", "Ethernet"] {
        let (Some(a), Some(b)) = (header(up, protocol), header(down, protocol)) else { return };
        sums[0] += a.1;
        sums[1] += b.1;
        rows.push(vec![protocol.into(), a.0, a.1.to_string(), b.0, b.1.to_string()]);
    }
    rows.push(vec![
        "the frame".into(),
        String::new(),
        up.bytes.len().to_string(),
        String::new(),
        down.bytes.len().to_string(),
    ]);
    stage.table(
        &["layer", "Ada: adds", "bytes", "Bob: takes off", "bytes"],
        rows,
        "Read the left side downwards and the right side upwards. Between the two is the server, where the message went \
         all the way up to the chat's program and down again.",
    );
    let padding = |packet: &TracedPacket| {
        let parts = packet.packet.dissection.parts.iter().filter(|part| part.role == Role::Padding);
        parts.map(|part| part.range.len()).sum::<usize>()
    };
    let frames = [up.bytes.len() - padding(up), down.bytes.len() - padding(down)];
    stage.check("what the layers added makes up the whole frame", |_| sums == frames);
    stage.show(
        View::Layers(Frame::Number(up.packet.number)),
        "Ada's frame: every box is a header and what it carries.",
    );
    stage.show(
        View::Hex(Frame::Number(up.packet.number)),
        "The same frame, byte by byte. What Ada said is not readable at a glance: her WebSocket masked it (lesson 17).",
    );
}

/// The first frame between two places that begins a WebSocket text frame.
fn frame_with_text(run: &Seen, from: Instant, a: PlaceId, b: PlaceId) -> Option<&TracedPacket> {
    run.packets().iter().find(|packet| {
        packet.at >= from
            && (packet.from, packet.to) == (a, b)
            && match &packet.packet.summary.what {
                What::Tcp(tcp) => {
                    !tcp.retransmission
                        && matches!(tcp.application[..], [AppPiece::WsFrame { opcode: "text", .. }])
                }
                _ => false,
            }
    })
}

/// A text that fits a cell.
fn short(text: &str) -> String {
    match text.char_indices().nth(36) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// A table of what was kept, and how each of the three got it.
fn draw_log(
    stage: &mut Stage,
    ada: EventClient,
    heard: &[Vec<(Instant, String)>],
    (pulled, back): (Instant, Instant),
) {
    // The last word of an event is its offset: what came between the messages, such as who joined, has one as well.
    let kept = stage.heard(ada).into_iter().filter(|heard| heard.event == "message");
    let offset = |heard: &Heard| heard.args.last().and_then(Value::as_str).and_then(offset_number);
    let events = kept.zip(1..).map(|(heard, number)| (offset(&heard), format!("msg {number}"))).collect();
    let readers = NAMES.into_iter().zip(heard).enumerate().map(|(index, (name, mine))| {
        let got = heard[0].iter().map(|(_, text)| match mine.iter().find(|(_, other)| other == text) {
            None => Got::Missed,
            // Cyd was away when the others heard it.
            Some((at, _)) if index == 2 && *at >= back && is_between(heard, text, pulled, back) => {
                Got::Replayed
            }
            Some(_) => Got::Live,
        });
        Reader { name: name.into(), got: got.collect() }
    });
    let log = Log { events, readers: readers.collect() };
    stage.draw(
        "log",
        "The messages, their offsets in the log, and how each of the three got them.",
        move |look| log.draw(look),
    );
}

/// Whether the first client heard it in that time.
fn is_between(heard: &[Vec<(Instant, String)>], text: &str, from: Instant, to: Instant) -> bool {
    heard[0].iter().any(|(at, other)| other == text && *at >= from && *at <= to)
}

/// A table of the frames and bytes that it took.
fn account(stage: &mut Stage) {
    let run = stage.seen();
    let account = run.accounting();
    let text: usize =
        GREETING.len() + LATER.len() + MEANWHILE.iter().map(|(_, text)| text.len()).sum::<usize>();
    stage.fact("frames", account.frames);
    let by_cable = run.count(|kind| matches!(kind, Kind::Dropped { by, .. } if by == CABLE));
    let by_line = run.lost() - by_cable;
    stage.fact("lost", run.lost());
    stage.fact("lost_by_line", by_line);
    stage.fact("lost_by_cable", by_cable);
    stage.fact("again", run.retransmitted());
    stage.fact("bytes", account.total());
    stage.fact("text", text);
    stage.table(
        &["what", "how much"],
        vec![
            vec!["frames sent".into(), account.frames.to_string()],
            vec!["of them lost on the line".into(), by_line.to_string()],
            vec!["and in the pulled cable".into(), by_cable.to_string()],
            vec!["segments retransmitted by TCP".into(), run.retransmitted().to_string()],
            vec![
                "bytes of Ethernet, IP and TCP".into(),
                (account.link + account.internet + account.transport).to_string(),
            ],
            vec!["bytes of HTTP and WebSocket".into(), account.framing.to_string()],
            vec!["bytes of Engine.IO and Socket.IO, JSON and all".into(), account.payload.to_string()],
            vec!["bytes that people typed".into(), text.to_string()],
        ],
        "The whole chat. Of all the byte counts, what people typed is the smallest.",
    );
    stage.check("most bytes are not letters that people typed", |_| account.total() > text as u64 * 10);
}

fn say(stage: &mut Stage, client: EventClient, text: &str) {
    // A speaker hears its own message, so this number grows with each.
    let number = stage.received(client).len() as u64;
    stage.emit_in(client, "/", "say", vec![ROOM.into(), text.into()], Some(number));
}

/// How many answers a client got.
fn answers(stage: &mut Stage, client: EventClient) -> usize {
    stage.received(client).iter().filter(|(_, event)| matches!(event, Event::Answered { .. })).count()
}

/// The chat messages that a client heard: when, and their text.
fn messages(stage: &mut Stage, client: EventClient) -> Vec<(Instant, String)> {
    let heard = stage.heard(client).into_iter().filter(|heard| heard.event == "message");
    heard
        .map(|heard| {
            let text = heard.args.first().and_then(|message| message.get("text")).and_then(Value::as_str);
            (heard.at, text.unwrap_or_default().to_owned())
        })
        .collect()
}

/// The server's program: the one of `netlayers chat serve`.
fn chat_hub(random: Random, disk: &SharedLog) -> Hub {
    let mut hub = Hub::new(Config::default(), random, Box::new(disk.clone()));
    lounge::open(&mut hub, lounge::Rules::default(), |_| {});
    hub
}
