//! Lesson 2: one byte is wrapped, layer by layer, and what the two models call the layers.
//!
//! Left out: OSI's own protocols, which are hardly in use; tunnels, where a layer carries itself.

use super::knob::{DELAY, SEED};
use super::picture::{Frame, View};
use super::stage::{Host, Seen, Stage};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::layers::physical::delay::{FCS_LEN, INTER_FRAME_GAP_LEN, PREAMBLE_LEN};
use crate::view::dissect::{Part, Role};

/// How much the program sends.
pub(super) const PAYLOAD: Knob<usize> = Knob::bytes("payload", "1", 1, 1400, "bytes that the program sends");

pub(super) const LESSON: Lesson = Lesson {
    id: "layers",
    title: "layers: OSI and TCP/IP",
    layer: Layer::Internet,
    minutes: 25,
    misconception: "the seven OSI layers are seven headers",
    words: &[
        ("OSI model", "what networks have to do, as seven layers"),
        ("TCP/IP model", "the same as four layers, as the Internet has them"),
        ("message", "what a program hands over at a time"),
        ("frame", "what goes over a link in one piece"),
        ("payload", "what a header is put in front of"),
        ("Ethernet", "carries anything over one link"),
        ("IP", "carries anything from host to host"),
        ("UDP", "carries single messages from program to program"),
        ("TCP", "carries a stream of bytes from program to program"),
    ],
    cites: &[
        Cite { document: "RFC 1122", section: "1.1.3", what: "the four layers of the Internet" },
        Cite { document: "ISO/IEC 7498-1", section: "6", what: "the seven layers of OSI" },
        Cite { document: "RFC 768", section: "", what: "the header of UDP" },
        Cite { document: "IEEE 802.3", section: "3.2.8", what: "why a short frame is padded" },
    ],
    knobs: &[&PAYLOAD, &DELAY, &SEED],
    teacher: Teacher {
        vote: "How many headers does a frame with one byte of data have?",
        choices: &["1", "3", "4", "7"],
        surprise: "A layer is a job. Some jobs need a header, some are done by the program itself (layers 5 and 6), and \
                   one is done by the shape of the signal (layer 1).",
    },
    script,
};

fn script(stage: &mut Stage) {
    wrapped(stage);
    models(stage);
    prices(stage);
    let headers = stage.seen().packets().iter().map(|packet| headers(&packet.packet.dissection.parts)).max();
    let headers = headers.unwrap_or(0);
    stage.instead(LESSON.misconception, format!(
        "OSI names seven jobs; a header is one way to do a job. No frame in these runs has more than {headers} headers."
    ));
    stage
        .try_next("netlayers lesson 2 --payload 1000", "Predict: which of the numbers grow, and which stay?");
    stage.try_next("netlayers lesson 2 --view header --scene udp", "Every field of every header.");
    stage.try_next(
        "netlayers compare hello --view layers",
        "Three ways at once. Which of them has a header that belongs to the application?",
    );
}

/// One datagram in its frame.
fn wrapped(stage: &mut Stage) {
    let payload = stage.knob(&PAYLOAD);
    let bytes = plural(payload, "byte");
    stage.say(
        "From a program on one host to a program on another there is more to do than one program should: so the work \
         is divided. A layer is a job. It relies on the layer below, and the layer above relies on it.",
    );
    let jobs = [
        ["application", "what the programs have to say to each other"],
        ["transport", "from one program to another; with TCP, nothing missing"],
        ["internet", "from host to host, over as many links as it takes"],
        ["link", "from a host to the next on a link, and damage is noticed"],
        ["physical", "bits as signals, and signals as bits (lesson 1)"],
    ];
    stage.table(
        &["layer", "its job"],
        jobs.map(|row| row.map(str::to_string).to_vec()).to_vec(),
        "From the top down: on the way out each job is done after the one above it, on the way in before it.",
    );
    stage.say(format!(
        "A program hands {bytes} to UDP. What a layer needs for its job, such as a number that says who is meant, it \
         writes into a header of its own, in front of what it got: its payload. It hands all of it to the layer below, \
         which does not look inside."
    ));
    let size = stage.ask_number(
        format!("How many bytes of the frame that carries {bytes} of data does a capture show?"),
        "bytes",
    );
    let count = stage.ask_number("And how many headers does it have?", "headers");
    stage.scene("udp", &format!("{bytes} by UDP"));
    let (client, server) = stage.two_hosts();
    stage.bind(server, 9000);
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, 9000, vec![b'x'; payload]);
    stage.run();
    stage.show(View::Layers(Frame::Deepest), "A box in a box: to the outer one, the inner one is data.");

    let run = stage.seen();
    let parts = parts(&run);
    let captured: usize = parts.iter().map(|part| part.range.len()).sum();
    let frame = stage.fact("frame", captured);
    let padding: usize = sum(&parts, |part| part.role == Role::Padding);
    let found = stage.fact("headers", headers(&parts));
    let pad = match padding {
        0 => String::new(),
        n => {
            format!(" Ethernet's frames have a least length, so {} of padding were added.", plural(n, "byte"))
        }
    };
    stage.reveal(
        size,
        |run| run.packets().iter().map(|packet| packet.bytes.len()).sum::<usize>(),
        format!(
            "{frame}, of which {payload} are yours.{pad} A capture leaves out the last {FCS_LEN}, the frame's check \
             sequence: the frame is {}. On the wire it takes {}, with a preamble before it and a gap after it.",
            captured + FCS_LEN,
            captured + FCS_LEN + PREAMBLE_LEN + INTER_FRAME_GAP_LEN,
        ),
    );
    let names: Vec<&str> =
        parts.iter().filter(|part| part.role == Role::Header).map(|part| part.protocol).collect();
    stage.reveal(
        count,
        |run| headers(&self::parts(run)),
        format!("{}. The next picture says where the other layers of OSI went.", names.join(", ")),
    );
    stage.check(
        format!("the {found} headers, the data and the padding are all there is in the frame"),
        |run| {
            let all: usize = run.packets().iter().map(|packet| packet.bytes.len()).sum();
            sum(&parts, |part| part.role == Role::Header) + payload + padding == all
        },
    );
    stage.check("the other end takes all of it off again", |run| {
        run.reads(server).concat() == vec![b'x'; payload]
    });
}

/// The two models, beside what the run had of each.
fn models(stage: &mut Stage) {
    let run = stage.seen();
    let parts = parts(&run);
    let header_of = |layer: Layer| {
        let found = parts.iter().find(|part| part.layer == layer && part.role == Role::Header);
        found.map(|part| format!("{} header, {}", part.protocol, plural(part.range.len(), "byte")))
    };
    let data = plural(sum(&parts, |part| part.role == Role::Data), "byte");
    let signal = format!("no header: signals, and a preamble of {PREAMBLE_LEN} bytes");
    let rows = [
        ("7 application", "application", format!("your program, and its {data}")),
        ("6 presentation", "application", "no header: your program (\"the text is UTF-8\")".into()),
        ("5 session", "application", "no header: your program (\"you are logged in\")".into()),
        ("4 transport", "transport", header_of(Layer::Transport).unwrap_or_default()),
        ("3 network", "internet", header_of(Layer::Internet).unwrap_or_default()),
        ("2 data link", "link", header_of(Layer::Link).unwrap_or_default()),
        ("1 physical", "link", signal),
    ];
    let rows = rows.map(|(osi, tcp_ip, here)| vec![osi.to_string(), tcp_ip.to_string(), here]);
    stage.table(
        &["OSI, 7 layers", "TCP/IP, 4 layers", "in this frame"],
        rows.to_vec(),
        "Two models of one thing. They do not map one to one: TCP/IP leaves 5 and 6 to the program.",
    );
}

/// The same data by TCP.
fn prices(stage: &mut Stage) {
    let payload = stage.knob(&PAYLOAD);
    let udp = stage.seen().accounting();
    let guess = stage.ask_number(
        "The same data by TCP, until the other end has said that it arrived. How many frames cross the wire, in both \
         directions?",
        "frames",
    );
    stage.scene("tcp", "The same by TCP");
    let (client, server) = stage.two_hosts();
    by_tcp(stage, client, server, payload);
    stage.reveal(
        guess,
        |run| run.frames(),
        "Both ends have to agree before they send, and say what they got: most of these frames carry none of your bytes. \
         What that buys is the subject of later lessons: the bytes come in order, and what is lost is sent again.",
    );
    let tcp = stage.seen().accounting();
    let rows = [
        ("frames", udp.frames, tcp.frames),
        ("link: Ethernet, padding, FCS", udp.link, tcp.link),
        ("internet: IPv4", udp.internet, tcp.internet),
        ("transport", udp.transport, tcp.transport),
        ("yours", udp.payload, tcp.payload),
        ("bytes of all frames", udp.total(), tcp.total()),
    ];
    let rows = rows.map(|(what, udp, tcp)| vec![what.to_string(), udp.to_string(), tcp.to_string()]);
    stage.table(&["bytes of", "UDP", "TCP"], rows.to_vec(), "What each layer costs, all frames together.");
    stage.check("both carry the same data", |run| {
        udp.payload == payload as u64
            && tcp.payload == udp.payload
            && run.reads(server).concat().len() == payload
    });
}

fn by_tcp(stage: &mut Stage, client: Host, server: Host, payload: usize) {
    stage.listen(server, 9000);
    let socket = stage.connect(client, server, 9000);
    stage.run_until_state(socket, "ESTABLISHED");
    stage.run_for(Duration::from_millis(1));
    stage.send(socket, vec![b'x'; payload]);
    // Long enough for the data and its acknowledgment, however short the link.
    stage.run_for(stage.network_knobs().rtt() * 2 + Duration::from_millis(10));
}

/// The parts of the one frame of a run with one frame.
fn parts(run: &Seen) -> Vec<Part> {
    run.packets().first().map(|packet| packet.packet.dissection.parts.clone()).unwrap_or_default()
}

fn headers(parts: &[Part]) -> usize {
    parts.iter().filter(|part| part.role == Role::Header).count()
}

fn sum(parts: &[Part], wanted: impl Fn(&Part) -> bool) -> usize {
    parts.iter().filter(|part| wanted(part)).map(|part| part.range.len()).sum()
}

fn plural(n: usize, unit: &str) -> String {
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}
