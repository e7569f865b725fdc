//! Lesson 15: how a program finds its messages in TCP's stream: a byte that ends each, or a length in front of each; and
//! what a reader must keep, and must refuse.
//!
//! Left out: messages that say their type, which the next lessons have; checks for damage, which TCP has made already;
//! formats of text that describe themselves, such as JSON: they end where they end, but only a whole parser can tell.

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::picture::View;
use super::stage::{Host, Socket, Stage};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::layers::application::framing::{Deframer, Framing, LENGTH_LEN, Refused};
use crate::view::look::escape;

/// How many messages the client sends.
const MESSAGES: Knob<usize> = Knob::count("messages", "3", 2, 20, "how many messages the client sends");
const ROOM: Knob<usize> = Knob::bytes("room", "8", 1, 4000, "bytes that one read has room for");
const LIMIT: Knob<usize> =
    Knob::bytes("limit", "1000", 20, 60_000, "the longest message that the server takes");
const CLAIM: Knob<usize> =
    Knob::bytes("claim", "60000", 0, 65_535, "the length that the last run's first message claims");

pub(super) const LESSON: Lesson = Lesson {
    id: "framing",
    title: "framing a stream",
    layer: Layer::Application,
    minutes: 30,
    misconception: "one read is one message",
    words: &[
        ("delimiter", "a byte that ends a message and stands for nothing else"),
        ("length prefix", "the number of bytes to come, in front of them"),
    ],
    cites: &[
        Cite { document: "RFC 9293", section: "2.2", what: "TCP carries a stream of bytes" },
        Cite { document: "RFC 1055", section: "PROTOCOL", what: "a delimiter, and an escape for it: SLIP" },
        Cite { document: "RFC 6455", section: "5.2", what: "a length in front: WebSocket's frame" },
        Cite { document: "RFC 9112", section: "6", what: "HTTP has both: lines, and a length" },
    ],
    knobs: &[&MESSAGES, &ROOM, &LIMIT, &CLAIM, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A program reads 4 bytes of length, allocates that much, and reads until it is full. What can one stranger with \
               one packet do to it?",
        choices: &[
            "nothing",
            "make it read a wrong message",
            "take gigabytes of its memory",
            "end its connection",
        ],
        surprise: "Tests on one machine pass without any framing: each write arrives by itself, for nothing is in the way. \
                   Run lesson 7 with --read eager to see when that ends.",
    },
    script,
};

const PORT: u16 = 80;
/// Reads that are shown one by one.
const MOST_READS: usize = 8;
/// What the good messages of the last run say.
const GOOD: &str = "good news";

fn script(stage: &mut Stage) {
    naive(stage);
    delimited(stage);
    inside(stage);
    prefixed(stage);
    lie(stage);
    costs(stage);
    stage.instead(LESSON.misconception,
        "a read gives what has come: a piece of a message, or one and a half, or five. The edges are in the bytes, and it is the \
         reader's work to find them: take what came, hand over what is complete, keep the rest.",
    );
    stage.say(
        "What comes next in this course is built so. The protocol of the web has lines, each ended by a delimiter of two bytes, \
         and says in one of them how long the rest is. The one that a chat wants puts a length prefix of 1, 3 or 9 bytes in \
         front of each message. It is these few bytes that make messages of a stream.",
    );
    stage.try_next("netlayers lesson 15 --room 1", "A byte at a time. Predict what the tables lose or gain.");
    stage.try_next(
        "netlayers lesson 15 --room 4000",
        "Everything fits one read. What must a reader keep now, and how often?",
    );
    stage.try_next("netlayers lesson 15 --claim 500", "A lie below the limit. Who notices, and when?");
    stage.try_next("netlayers check length_prefix", "Make: a reader that keeps what is left.");
    stage.try_next("netlayers check slip", "Make: a delimiter that may be inside.");
}

/// What the client says.
fn texts(messages: usize) -> Vec<Vec<u8>> {
    let texts = ["hi", "how are you?", "bye"];
    texts.iter().cycle().take(messages).map(|text| text.as_bytes().to_vec()).collect()
}

/// Every read is taken for a message.
fn naive(stage: &mut Stage) {
    let messages = stage.knob(&MESSAGES);
    stage.say(
        "A chat sends messages, and TCP carries bytes: where one write ends and the next begins, it does not say. The simplest \
         reader hopes that it need not know, and takes what each read gives it for a message.",
    );
    let guess = stage.ask_number(
        format!(
            "A client writes {}, one after the other, while the first is still on its way. The server reads as soon as \
             something has come. How many messages does such a reader see?",
            many(messages, "message")
        ),
        "messages",
    );
    stage.scene("naive", "Each read is taken for a message");
    let (server, socket) = connected(stage);
    for text in texts(messages) {
        stage.send(socket, text);
    }
    wait(stage);
    stage.show(View::Boxes, "Above what the client meant, below what the server takes for messages.");
    let reads = stage.seen().reads(server);
    stage.fact("seen", reads.len());
    stage.reveal(
        guess,
        |run| run.reads(server).len(),
        format!(
            "{}. The first left at once; the others were written while it was in flight, and travelled together. Nothing is \
             lost, and no message after the first is what it was.",
            many(reads.len(), "message")
        ),
    );
    stage.check("every byte arrives once, in order", |run| {
        run.reads(server).concat() == texts(messages).concat()
    });
}

/// A newline ends each message.
fn delimited(stage: &mut Stage) {
    let (messages, room) = (stage.knob(&MESSAGES), stage.knob(&ROOM));
    stage.say(
        "So the client marks the end of each message: with a newline, `\\n`, as protocols of text do. A byte that ends a \
         message is a delimiter. The reader now has a rule, whatever a read gives.",
    );
    let wire = marked(Framing::Line, &texts(messages));
    let guess = stage.ask_number(
        format!(
            "On the wire it is {} now: \"{}\". The server reads {room} at a time. After its first read, how many of these bytes \
             belong to a message that is not complete?",
            many(wire.len(), "byte"),
            shown(&wire, 40)
        ),
        "bytes",
    );
    stage.scene("lines", &format!("A newline ends a message, and a read takes {room}"));
    let (server, socket) = connected(stage);
    stage.read_late(server);
    stage.send(socket, &wire);
    wait(stage);
    let steps = read_all(stage, server, room, Deframer::new(Framing::Line, 1000));
    table(
        stage,
        &steps,
        "What each read gave, what it completed, and what the reader had to keep. Look at the last column.",
    );
    let kept = stage.fact("kept", steps.first().map_or(0, |step| step.kept));
    stage.reveal(
        guess,
        |_| kept,
        match kept {
            0 => "None: this read ended just behind a delimiter. That is chance, and no program may rely on it.".to_owned(),
            _ => format!(
                "{kept}. The reader hands over what ends with a delimiter and keeps the rest: the next read goes on there. A \
                 reader that throws the rest away, or hands it over, works until the day on which a read ends in the middle."
            ),
        },
    );
    stage.check("the messages are what the client meant", |_| got(&steps) == texts(messages));
}

/// A message with the delimiter in it.
fn inside(stage: &mut Stage) {
    let poem = b"roses\nviolets".to_vec();
    let guess = stage.ask_number(
        format!(
            "Someone sends one message of two lines: \"{}\". How many messages does the reader get?",
            escape(&poem)
        ),
        "messages",
    );
    stage.scene("inside", "A message with a newline in it");
    let (server, socket) = connected(stage);
    stage.read_late(server);
    stage.send(socket, marked(Framing::Line, std::slice::from_ref(&poem)));
    wait(stage);
    let steps = read_all(stage, server, usize::MAX, Deframer::new(Framing::Line, 1000));
    let found = got(&steps).len();
    stage.reveal(
        guess,
        |_| found,
        "The reader cannot know that this newline was meant as one. Worse: a client that chooses a text can end a message where \
         it likes, and begin another that seems to be another client's.",
    );
    let how = stage.ask_choice(
        "How can a message hold any byte at all, the delimiter too?",
        &[
            "by a longer delimiter that no sender will think of",
            "by another sign for it inside messages, and one for that sign, too",
            "by quotation marks around the message",
            "it cannot",
        ],
    );
    let escaped = marked(Framing::Escaped, std::slice::from_ref(&poem));
    let both = marked(Framing::Escaped, &[b"c:\\new".to_vec()]);
    stage.table(
        &["message", "on the wire", "bytes more"],
        [(&poem[..], &escaped), (b"c:\\new", &both)]
            .map(|(message, wire)| {
                vec![printable(message), printable(wire), (wire.len() - message.len()).to_string()]
            })
            .to_vec(),
        "A newline inside is written as two characters, \\n; so a backslash inside must be written as two, as well.",
    );
    let mut back = Vec::new();
    let result = Deframer::new(Framing::Escaped, 1000).read(&[escaped, both].concat(), &mut back);
    stage.reveal(
        how,
        |_| Answer::Choice(1),
        "That is escaping. The delimiter then stands nowhere but at an end, and a reader that joins in the middle finds the \
         next message at the next newline. A longer delimiter only makes the accident rarer, and the attack no harder; \
         quotation marks are a delimiter, too.",
    );
    stage.check("both messages are read back as they were", |_| {
        result.is_ok() && back == [poem.clone(), b"c:\\new".to_vec()]
    });
}

/// The length in front of each message.
fn prefixed(stage: &mut Stage) {
    let (messages, room) = (stage.knob(&MESSAGES), stage.knob(&ROOM));
    stage.lead_in(format!(
        "The other way: say how long it is before it comes, in a number of {LENGTH_LEN} bytes, the more significant first. That \
         is a length prefix. The reader counts, and looks at no byte of the message: it may hold any."
    ));
    let texts = texts(messages);
    let wire = marked(Framing::Length, &texts);
    // One message and a half: the cut is in the middle of the second one.
    let cut = LENGTH_LEN + texts[0].len() + LENGTH_LEN + texts[1].len() / 2;
    let guess = stage.ask_number(
        format!(
            "The same {} in this form. A first read gives the first one and a half: {cut} bytes. How many messages does the \
             reader hand over?",
            many(messages, "message")
        ),
        "messages",
    );
    let half = stage.ask_choice(
        "And the half?",
        &[
            "the reader hands it over, marked as a half",
            "it is thrown away, and the sender sends it again",
            "the reader keeps it, and waits for the rest",
            "the reader gives it back to TCP",
        ],
    );
    stage.scene("prefixed", "A length in front, and a read that ends in the middle");
    let (server, socket) = connected(stage);
    stage.read_late(server);
    stage.send(socket, &wire);
    wait(stage);
    let mut reader = Deframer::new(Framing::Length, 1000);
    let mut steps = read_some(stage, server, &[cut], &mut reader);
    steps.extend(read_all(stage, server, room, reader));
    table(stage, &steps, "Dots are bytes that are no letters: the lengths.");
    let (first, kept) = steps.first().map_or((0, 0), |step| (step.complete.len(), step.kept));
    stage.reveal(
        guess,
        |_| first,
        "The first. Of the second the length is known, and that is all: it is not complete before all these bytes have come.",
    );
    stage.reveal(
        half,
        |_| Answer::Choice(if kept > 0 { 2 } else { 1 }),
        format!(
            "{kept} bytes are kept. TCP has acknowledged them, so they will not be sent again: a reader that loses them has \
             lost its place for good, and takes letters for lengths from there on. The cut may fall into the length itself; \
             that is no other case."
        ),
    );
    stage.check("the messages are what the client meant", |_| got(&steps) == texts);
}

/// A length that is no truth.
fn lie(stage: &mut Stage) {
    let (claim, limit, messages) = (stage.knob(&CLAIM), stage.knob(&LIMIT), stage.knob(&MESSAGES));
    stage.say(
        "A length prefix is a claim of the other end, and the other end may be a broken program, or a stranger who means harm.",
    );
    let guess = stage.ask_number(
        format!(
            "A client announces {} and sends none of them; then it sends {} of {}, in good form. The server believes each \
             length. How many messages does it hand over?",
            many(claim, "byte"),
            many(messages, "good message"),
            many(GOOD.len(), "byte")
        ),
        "messages",
    );
    let bounded = stage.ask_choice(
        format!("Another server takes no message above {limit} bytes. What should it do with this one?"),
        &[
            "take it: the client has announced it properly",
            "read the bytes and throw them away, then go on",
            "take the first bytes of it, up to its limit",
            "end the connection, as soon as it has read the length",
        ],
    );
    stage.scene("lie", &format!("A length of {claim}, and nothing behind it"));
    let (server, socket) = connected(stage);
    stage.read_late(server);
    let mut wire = (claim as u16).to_be_bytes().to_vec();
    wire.extend(marked(Framing::Length, &vec![GOOD.as_bytes().to_vec(); messages]));
    stage.send(socket, &wire);
    wait(stage);
    let accepted = stage.accepted(server);
    let bytes = accepted.iter().map(|socket| stage.read(*socket)).collect::<Vec<_>>().concat();
    let verdicts = [usize::from(u16::MAX), limit].map(|limit| {
        let (mut reader, mut out) = (Deframer::new(Framing::Length, limit), Vec::new());
        let result = reader.read(&bytes, &mut out);
        (out, reader.kept(), result)
    });
    let rows = ["believes each length".to_owned(), format!("takes at most {limit}")];
    let rows = rows.into_iter().zip(&verdicts).map(|(who, (out, kept, result))| {
        let says = match result {
            Ok(()) if *kept > 0 => "waits for more".to_owned(),
            Ok(()) => "goes on".to_owned(),
            Err(Refused::TooLong { len, .. }) => format!("refuses {len}"),
            Err(refused) => refused.to_string(),
        };
        vec![who, out.len().to_string(), kept.to_string(), says]
    });
    stage.table(
        &["a server that", "messages", "bytes kept", "and then"],
        rows.collect(),
        format!("Both have read the same {} bytes.", bytes.len()),
    );
    let [(believed, ..), (_, _, result)] = &verdicts;
    let believed = believed.len();
    stage.fact("believed", believed);
    stage.reveal(
        guess,
        |_| believed,
        match claim > bytes.len() {
            true => format!(
                "The good messages are the announced one, as far as this reader can tell: it waits for the rest, perhaps for \
                 ever. And it must keep what comes, up to {claim} bytes. With four bytes of length that is 4 GiB for each \
                 connection, and it costs the client a handful of bytes."
            ),
            false => "So small a claim is filled by what comes next, and then the reader is at a wrong place: it takes whatever \
                      stands there for a length. No limit helps against that; only a client that tells the truth does."
                .to_owned(),
        },
    );
    let refused = result.is_err();
    stage.reveal(
        bounded,
        |_| Answer::Choice(if refused && claim > limit { 3 } else { 0 }),
        match claim > limit {
            true => "The length is enough to refuse it, before a byte is kept. To skip it would mean to believe the length after \
                     all, and to read for as long as the other end likes. Where the next true message begins cannot be told: so \
                     the connection ends, with a reason, if the protocol has a word for it.",
            false => "Its claim is below the limit, so there is nothing to refuse. A limit bounds what a lie costs; it does not \
                      find the lie.",
        },
    );
    stage.check("no reader keeps more than its limit", |_| {
        verdicts.iter().zip([usize::from(u16::MAX), limit]).all(|((_, kept, _), limit)| *kept <= limit + 1)
    });
    stage.check("what is above the limit is refused, and nothing else", |_| {
        refused == (claim > limit) || claim < bytes.len()
    });
}

/// What each way costs.
fn costs(stage: &mut Stage) {
    let worst = vec![b'\n'; 100];
    let guess = stage.ask_number(
        "And the price? A message of 100 newlines, with a delimiter and escapes: how many bytes does it take on the wire?",
        "bytes",
    );
    let messages =
        [("2 letters", b"hi".to_vec()), ("100 letters", vec![b'x'; 100]), ("100 newlines", worst.clone())];
    let len = |framing: Framing, message: &[u8]| marked(framing, &[message.to_vec()]).len();
    let rows = messages.iter().map(|(what, message)| {
        let numbers = [message.len(), len(Framing::Escaped, message), len(Framing::Length, message)];
        std::iter::once((*what).to_owned()).chain(numbers.map(|n| n.to_string())).collect()
    });
    stage.table(
        &["message", "bytes", "delimiter, escaped", "length prefix"],
        rows.collect(),
        "TCP and IP put at least 40 bytes of headers around a segment: neither way matters beside that.",
    );
    let most = stage.fact("worst", len(Framing::Escaped, &worst));
    stage.reveal(
        guess,
        |_| most,
        "Two for each, and one at the end. A delimiter is cheap, can be read by people, and needs no length in advance; but \
         every byte must be looked at, and the worst message doubles. A length prefix costs the same for every content and \
         is read by counting; but it must be known before the first byte is sent, and a reader that is once out of step \
         stays so.",
    );
    stage.check("escaping costs at most twice the message and one byte", |_| {
        messages.iter().all(|(_, message)| len(Framing::Escaped, message) <= 2 * message.len() + 1)
    });
}

/// A read, and what the reader made of it.
struct Step {
    bytes: Vec<u8>,
    complete: Vec<Vec<u8>>,
    kept: usize,
}

fn got(steps: &[Step]) -> Vec<Vec<u8>> {
    steps.iter().flat_map(|step| step.complete.clone()).collect()
}

/// Reads with room for `room` until nothing is there; after some, all at once.
fn read_all(stage: &mut Stage, server: Host, room: usize, mut reader: Deframer) -> Vec<Step> {
    let mut rooms = vec![room; MOST_READS];
    rooms.push(usize::MAX);
    read_some(stage, server, &rooms, &mut reader)
}

fn read_some(stage: &mut Stage, server: Host, rooms: &[usize], reader: &mut Deframer) -> Vec<Step> {
    let mut steps = Vec::new();
    for socket in stage.accepted(server) {
        for room in rooms {
            let bytes = stage.read_at_most(socket, *room).to_vec();
            let mut complete = Vec::new();
            if bytes.is_empty() || reader.read(&bytes, &mut complete).is_err() {
                break;
            }
            steps.push(Step { bytes, complete, kept: reader.kept() });
        }
    }
    steps
}

fn table(stage: &mut Stage, steps: &[Step], caption: &str) {
    let rows = steps.iter().enumerate().map(|(number, step)| {
        let complete: Vec<String> =
            step.complete.iter().map(|message| format!("\"{}\"", shown(message, 20))).collect();
        let complete = match complete.len() {
            0..=2 => complete.join(" "),
            n => format!("{} and {} more", complete[0], n - 1),
        };
        vec![
            (number + 1).to_string(),
            format!("\"{}\"", shown(&step.bytes, 24)),
            complete,
            step.kept.to_string(),
        ]
    });
    stage.table(&["read", "it gave", "complete", "kept"], rows.collect(), caption);
}

/// Messages one after the other, as they are on the wire.
fn marked(framing: Framing, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        framing.write(message, &mut out).expect("the lesson's messages are short");
    }
    out
}

/// Bytes as text: newlines as two characters, dots for what has no letter.
fn shown(bytes: &[u8], most: usize) -> String {
    let text = |byte: &u8| match byte {
        b'\n' => "\\n".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => ".".to_owned(),
    };
    let cut = if bytes.len() > most { "..." } else { "" };
    bytes.iter().take(most).map(text).collect::<String>() + cut
}

/// Every byte by itself: letters, and names for newlines.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\n', "<newline>")
}

/// A server, and an established connection to it.
fn connected(stage: &mut Stage) -> (Host, Socket) {
    let (client, server) = stage.two_hosts();
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    (server, socket)
}

/// Long enough for all of it to arrive.
fn wait(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 8 + Duration::from_millis(200));
}
