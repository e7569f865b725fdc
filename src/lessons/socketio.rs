//! Lesson 20: what is written around an event: Socket.IO's packet in Engine.IO's packet in a WebSocket message.
//!
//! Left out: attachments (events that carry bytes), and other versions of the protocol.

use super::beat::Answer;
use super::echo::{LIMIT, PORT, hosts, said_table, settle};
use super::knob::{DELAY, SEED};
use super::overheard::{How, Said, overheard};
use super::picture::{Frame, View};
use super::stage::{EventClient, EventServer, Host, Seen, Stage};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Header as _, Layer, Writer};
use crate::layers::application::socketio::{Decoder, Limits, Packet};
use crate::layers::application::websocket::{FrameHeader, Opcode};
use crate::sim::apps::event_client::Transport;
use crate::trace::PlaceId;

/// What the event carries.
const TEXT: Knob<String> = Knob::text("text", "hi", 40, "the text that is sent, at most 40 bytes");
/// Whether the last run enters a second namespace.
const SECOND: Knob<bool> = Knob::choice(
    "second",
    "admin",
    &[("admin", true), ("none", false)],
    "whether the client of the last run enters the namespace /admin, too",
);

pub(super) const LESSON: Lesson = Lesson {
    id: "socketio",
    title: "the envelope of Socket.IO",
    layer: Layer::Application,
    minutes: 25,
    misconception: "an event is a WebSocket message",
    words: &[("namespace", "a part of a server that a client asks to be let into")],
    cites: &[
        Cite { document: "Socket.IO protocol, revision 5", section: "Packet encoding", what: "the envelope" },
        Cite {
            document: "Socket.IO protocol, revision 5",
            section: "Exchange protocol",
            what: "CONNECT, EVENT, ACK",
        },
        Cite {
            document: "Engine.IO protocol, revision 4",
            section: "Packet encoding",
            what: "the packet, and its one digit",
        },
        Cite { document: "RFC 8259", section: "5", what: "JSON's array, which an event is written as" },
        Cite { document: "RFC 6455", section: "5.6", what: "the text frame around it" },
    ],
    knobs: &[&TEXT, &SECOND, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A browser's own WebSocket connects to a Socket.IO server and sends the text hello. What happens?",
        choices: &[
            "the server gets an event named hello",
            "the server gets a message without a name",
            "nothing, ever",
            "the server ends the connection",
        ],
        surprise: "Ask for the length of the whole message before you show it. Most of what is on the wire for \"hi\" is not \
                   \"hi\": the class finds out who put the rest there, layer by layer, down to Ethernet.",
    },
    script,
};

fn script(stage: &mut Stage) {
    opened(stage);
    counted(stage);
    answered(stage);
    plain(stage);
    namespaces(stage);
    stage.say(
        "There is no `--wire real` for this lesson: it looks into frames, which the kernel shows to no program. The same code \
         runs on real sockets in `examples/event_server.rs`, where stock Socket.IO clients talk to it.",
    );
    stage.instead(LESSON.misconception,
        "an event is a name and what comes with it, written as JSON. Around it are a digit of Socket.IO and one of Engine.IO, \
         and around these whatever carries them: a WebSocket frame, or the body of a request. Many messages carry no event at \
         all, and a program that writes WebSocket messages without the envelope is not understood.",
    );
    stage.try_next(
        "netlayers lesson socketio --second none",
        "What is left out, and how does the server know?",
    );
    stage.try_next("netlayers lesson socketio --text é", "How many bytes does the frame's header announce?");
    stage.try_next(
        "netlayers lesson polling --transport polling",
        "The same envelopes in HTTP bodies: find them.",
    );
    stage.try_next("netlayers check packet", "Make: take packets apart yourself.");
}

/// One event, opened from the outside in.
fn opened(stage: &mut Stage) {
    let text = stage.knob(&TEXT);
    let packet = Packet::event("/", "echo", vec![text.as_str().into()]);
    let encoded = packet.encode().text;
    let message = format!("4{}", encoded.as_str());
    stage.say(format!(
        "A page emits the event \"echo\", and with it \"{text}\", over a WebSocket that is open. A WebSocket carries texts, so the \
         event must become one. This is what the library writes: `{message}`"
    ));
    let which = stage.ask_choice(
        "Which part of it says \"this is an event\"?",
        &["the 4", "the 2", "the bracket [", "the name, \"echo\""],
    );
    let other = stage.ask_choice(
        "And what is the other digit for?",
        &[
            "it counts the events",
            "it is the version of the protocol",
            "it says that this is a message, and not a ping or another word of the layer below",
            "it is the number of parts in the event",
        ],
    );
    stage.scene("opened", "One event, there and back");
    let (client, server) = hosts(stage);
    let client_of = entered(stage, client, server, &["/"]);
    stage.emit(client_of, "echo", vec![text.as_str().into()]);
    settle(stage);
    let rows = vec![
        vec!["4".into(), "Engine.IO".into(), "a message, not a ping (2), a pong (3) or another".into()],
        vec!["2".into(), "Socket.IO".into(), "an event, not a CONNECT (0) or an answer (3)".into()],
        vec![
            encoded.as_str()[1..].to_owned(),
            "Socket.IO".into(),
            "JSON: the event's name, and what comes with it".into(),
        ],
    ];
    let joined: String = rows.iter().map(|row| row[0].as_str()).collect();
    stage.table(&["bytes", "whose", "what it says"], rows, "The event as it is written, from left to right.");
    let place = message.find('2').unwrap_or_default();
    stage.reveal(
        which,
        |_| Answer::Choice(place),
        "Socket.IO's packets begin with a digit for their kind: 0 asks to be let in (CONNECT), 2 is an event, 3 the answer to \
         one. A name alone would not do, for an answer has none; and the bracket is only JSON's way to write a list.",
    );
    stage.reveal(
        other,
        |_| Answer::Choice(2),
        "It is Engine.IO's, which has its own kinds: 0 opens the session, 2 and 3 are ping and pong, 4 carries what the layer \
         above has written. So there are two envelopes, each with one digit, and each end opens them in turn.",
    );
    stage.check("these three are the whole message", |_| joined == message);
    stage.check("it reads back as the same event", |_| {
        Decoder::new(Limits::default()).text(encoded.as_str()) == Ok(Some(packet))
    });
    let run = stage.seen();
    if let Some(number) = frame_of(&run, client, &message) {
        stage.show(
            View::Layers(Frame::Number(number)),
            "The frame on the wire that carried it: every box is what one layer put around the next.",
        );
        let bytes = run
            .packets()
            .iter()
            .find(|packet| packet.packet.number == number)
            .map_or(0, |found| found.bytes.len());
        stage.fact("wire", bytes);
        stage.fact("message", message.len());
        stage.say(format!(
            "{} of text from the page, {} in the envelope, {bytes} in the frame on the link. The masked payload is not to be read \
             by eye, but it is the message above.",
            many(text.len(), "byte"),
            message.len(),
        ));
    }
}

/// Messages that are no events.
fn counted(stage: &mut Stage) {
    let guess = stage.ask_number(
        "In that run the page emitted one event and the server one. How many WebSocket messages went over the connection, in both \
         directions, from its first to its last?",
        "messages",
    );
    let run = stage.seen();
    let said = overheard(run.trace());
    let messages = said.iter().filter(|said| said.is_frame()).count();
    let events = said.iter().filter(|said| said.is_frame() && said.text().starts_with("42")).count();
    said_table(stage, "What was said, without masks. Look at the digits.");
    stage.fact("messages", messages);
    stage.fact("events", events);
    stage.reveal(
        guess,
        |_| messages,
        format!(
            "{messages}, and {events} of them are events. 0 came first: Engine.IO's greeting, with the session's id and how often \
             there will be a ping. Then the client asked to be let in, 40, and the server let it in, 40 and an id. A connection \
             that is open is not a client that has been let in."
        ),
    );
    stage.check("two of the messages are events", |_| events == 2);
}

/// An event that asks for an answer.
fn answered(stage: &mut Stage) {
    stage.lead_in(
        "An event may ask for an answer. The page gives a function along with it, and the function is called when the answer is \
         there. Functions do not travel: something must.",
    );
    let guess = stage.ask_choice(
        "A page emits two events that both ask for an answer, one right after the other. How does it know which answer is whose?",
        &[
            "by the order in which they come",
            "by the event's name, which the answer repeats",
            "by a number that it has put into each, and that the answer repeats",
            "each answer comes on a connection of its own",
        ],
    );
    stage.scene("answered", "Two events that ask for an answer");
    let (client, server) = hosts(stage);
    let client_of = entered(stage, client, server, &["/"]);
    for (number, word) in [(7, "first"), (8, "second")] {
        stage.emit_in(client_of, "/", "echo", vec![word.into()], Some(number));
    }
    settle(stage);
    said_table(
        stage,
        "The number stands between the kind and the bracket. An answer is of kind 3, and has no name.",
    );
    let run = stage.seen();
    let said = overheard(run.trace());
    let place = server.host.id().place();
    let answers = said.iter().filter(|said| said.by == place && said.text().starts_with("43")).count();
    let numbered = said.iter().any(|said| said.by == place && said.text().starts_with("437["))
        && said.iter().any(|said| said.by == place && said.text().starts_with("438["));
    stage.reveal(
        guess,
        |_| Answer::Choice(if numbered { 2 } else { 0 }),
        "The number is the page's own, and means nothing to the server but \"write it on the answer\". So answers may come in any \
         order, and other events in between. An event without a number asks for none, and gets none.",
    );
    stage.check("each of the two was answered once, under its number", |_| numbered && answers == 2);
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

/// Two namespaces on one connection.
fn namespaces(stage: &mut Stage) {
    let second = stage.knob(&SECOND);
    stage.say(
        "One server may have parts that have nothing to do with each other: the chat, and a page for those who run it. In \
         Socket.IO each part is a namespace, with a name like a path, and a client asks to be let into each. The main one is /.",
    );
    let entering: &[&str] = if second { &["/", "/admin"] } else { &["/"] };
    let guess = stage.ask_number(
        format!(
            "A page enters {} and emits an event in each. How many TCP connections does it take?",
            match second {
                true => "/ and /admin",
                false => "/ alone",
            }
        ),
        "connections",
    );
    stage.scene("namespaces", &format!("A client in {}", entering.join(" and ")));
    let (client, server) = hosts(stage);
    let client_of = entered(stage, client, server, entering);
    for namespace in entering {
        stage.emit_in(client_of, namespace, "echo", vec!["hi".into()], None);
    }
    settle(stage);
    said_table(stage, "The namespace comes after the kind, up to a comma. The main one is left out.");
    let connections =
        |run: &Seen| run.segments().filter(|segment| segment.tcp.flags.syn && !segment.tcp.flags.ack).count();
    stage.reveal(
        guess,
        connections,
        "All namespaces share one session, and the session one connection. The server asks at each door: it may let a client into \
         / and not into /admin. A namespace is a word in the envelope, and no port, no connection, no other server.",
    );
    let heard: Vec<String> = stage.heard(client_of).iter().map(|heard| heard.namespace.clone()).collect();
    stage.check("each event came back in the namespace in which it was emitted", |_| heard == entering);
}

/// A client that has been let into namespaces, by WebSocket.
fn entered(stage: &mut Stage, host: Host, server: EventServer, namespaces: &[&str]) -> EventClient {
    let entering: Vec<_> = namespaces.iter().map(|namespace| (*namespace, vec![])).collect();
    let client = stage.event_client(host, server, Transport::WebSocket, &entering);
    stage.run_until_it(LIMIT, |stage| namespaces.iter().all(|namespace| stage.is_in(client, namespace)));
    settle(stage);
    client
}

/// The number of the packet of a host that carries a WebSocket message of this length, and nothing else.
fn frame_of(run: &Seen, host: Host, message: &str) -> Option<u64> {
    let place = host.id().place();
    let from_host = run.packets().iter().filter(|packet| packet.from == place);
    let with_frame = from_host.filter(|packet| {
        let header = packet.packet.dissection.header("WebSocket");
        header.is_some_and(|header| packet.bytes.len() == header.range.end + message.len())
    });
    with_frame.last().map(|packet| packet.packet.number)
}
