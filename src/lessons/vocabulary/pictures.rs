//! The pictures of the words: each a short run, and one view of it.
//!
//! What a caption says of a run is computed from it, or claimed with `check`: a test plays them all.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::{Duration, Layer};
use crate::lessons::picture::{Frame, View};
use crate::lessons::stage::{Host, Socket, Stage, packet};
use crate::sim::fault::{self, Verdict};
use crate::sim::scene::{self, Knobs};
use crate::trace::{Recorder, Trace, Way, Wire};
use crate::view::dissect::{AppPiece, Part, Role, TracedPacket, What, dissect_trace};

const MESSAGE: &str = "hello";
const PORT: u16 = 80;
/// What is longer than one packet of Ethernet.
const LONG: usize = 4000;

// --- the runs

/// One datagram from the client to the server, and its frame.
fn datagram_of(stage: &mut Stage, payload: &[u8]) -> (Host, Host) {
    stage.scene("udp", "One datagram");
    let (client, server) = stage.two_hosts();
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, PORT, payload);
    stage.run();
    (client, server)
}

/// A connection, and the segments of its handshake out of the way.
fn connection(stage: &mut Stage) -> (Host, Host, Socket) {
    stage.scene("tcp", "A connection");
    let (client, server) = stage.two_hosts();
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    let rtt = stage.network_knobs().rtt();
    stage.run_for(rtt * 2 + Duration::from_millis(10));
    (client, server, socket)
}

/// What `compare` plays, by WebSocket.
fn websocket_run() -> Trace {
    let message = Bytes::from_static(MESSAGE.as_bytes());
    let run = scene::run(Way::WebSocket, &message, &Knobs::default(), Recorder::on("", Wire::Sim));
    Trace { title: String::new(), ..run.trace }
}

/// Shows a view of a run that was not played on the stage.
fn show(stage: &mut Stage, trace: Trace, view: View, caption: impl Into<String>) {
    let trace = Arc::new(trace);
    stage.draw(view.name(), caption, move |look| view.draw(&trace, look));
}

/// The first frame of a run that carries bytes of the given protocol.
fn with_header(trace: &Trace, protocol: &str) -> Option<TracedPacket> {
    dissect_trace(trace).into_iter().find(|packet| packet.packet.dissection.header(protocol).is_some())
}

fn number_of_syn(stage: &Stage) -> Option<(u64, u16)> {
    let run = stage.seen();
    let syn = run.segments().find(|segment| segment.tcp.flags.syn)?;
    Some((syn.packet.packet.number, syn.tcp.mss?))
}

// --- the models and the words of all layers

pub(super) fn models(stage: &mut Stage) {
    let trace = websocket_run();
    let Some(found) = with_header(&trace, "WebSocket") else { return };
    let parts = &found.packet.dissection.parts;
    let in_frame = |layer: Layer| {
        let here: Vec<String> = parts
            .iter()
            .filter(|part| part.role == Role::Header && part.layer == layer)
            .map(|part| format!("{}, {} bytes", part.protocol, part.range.len()))
            .collect();
        if here.is_empty() { "no header".to_owned() } else { here.join("; ") }
    };
    let data: usize = parts.iter().filter(|part| part.role == Role::Data).map(|part| part.range.len()).sum();
    let row = |osi: &str, tcp_ip: &str, there: String| vec![osi.to_owned(), tcp_ip.to_owned(), there];
    let rows = vec![
        row("7 application", "application", in_frame(Layer::Application)),
        row("6 presentation", "", "no header".into()),
        row("5 session", "", "no header".into()),
        row("4 transport", "transport", in_frame(Layer::Transport)),
        row("3 network", "internet", in_frame(Layer::Internet)),
        row("2 data link", "link", in_frame(Layer::Link)),
        row("1 physical", "", "bits, no header".into()),
    ];
    let headers = parts.iter().filter(|part| part.role == Role::Header).count();
    stage.table(
        &["OSI", "TCP/IP", "in a frame with one WebSocket message"],
        rows,
        format!("Both models beside a frame from a run: {headers} headers around {data} bytes of message, not seven."),
    );
}

pub(super) fn layers(stage: &mut Stage) {
    let trace = websocket_run();
    let Some(found) = with_header(&trace, "WebSocket") else { return };
    let view = View::Layers(Frame::Number(found.packet.number));
    show(
        stage,
        trace,
        view,
        "One message as it crosses the wire: each layer's header around the layer above.",
    );
}

pub(super) fn header(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Header(Frame::Number(1), Some("UDP")),
        "The shortest header of the course, with the values of one datagram from a run: a row is 32 bits.",
    );
}

pub(super) fn payload(stage: &mut Stage) {
    datagram_of(stage, b"The payload is what the program wrote.");
    stage.show(View::Hex(Frame::Number(1)), "D is what the program wrote; all other letters are headers.");
}

pub(super) fn address(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    let run = stage.seen();
    let Some(found) = run.packets().first() else { return };
    let rows = [
        ("Ethernet", "source address", "destination address"),
        ("IPv4", "source address", "destination address"),
        ("UDP", "source port", "destination port"),
    ];
    let rows = rows.into_iter().filter_map(|(protocol, from, to)| {
        let part: &Part = found.packet.dissection.header(protocol)?;
        let value = |words: &str| {
            let ends = words.split(' ').next().unwrap_or_default();
            let field = part
                .field(words)
                .or_else(|| part.fields.iter().find(|value| value.field.name.contains(ends)));
            field.map_or_else(String::new, |value| value.text.clone())
        };
        Some(vec![part.layer.to_string(), protocol.to_owned(), value(from), value(to)])
    });
    let rows: Vec<Vec<String>> = rows.collect();
    stage.check("three layers name both ends", |_| {
        rows.len() == 3 && rows.iter().flatten().all(|cell| !cell.is_empty())
    });
    stage.table(
        &["layer", "protocol", "from", "to"],
        rows,
        "The addresses in one frame: each layer has a pair.",
    );
}

pub(super) fn client_and_server(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    stage.send(socket, "a question");
    stage.run_for(Duration::from_millis(30));
    let accepted = stage.accepted(server).first().copied();
    stage.check("the server has accepted the client", |_| accepted.is_some());
    if let Some(accepted) = accepted {
        stage.send(accepted, "an answer");
    }
    stage.run();
    stage.show(View::Ladder, "The client begins; the server waits, and answers.");
}

pub(super) fn checksum(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    let run = stage.seen();
    let Some(found) = run.packets().first() else { return };
    let Some(part) = found.packet.dissection.header("IPv4") else { return };
    let bytes = &found.bytes[part.range.clone()];
    let mut sum: u32 = 0;
    let rows = bytes.chunks(2).enumerate().map(|(index, pair)| {
        let word = u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum += word;
        // A carry out of the sixteenth bit comes in again at the first: that is one's complement.
        sum = (sum & 0xffff) + (sum >> 16);
        let mut names: Vec<&str> = part
            .fields
            .iter()
            .filter(|value| (value.first_bit - part.range.start * 8) / 16 == index)
            .map(|value| value.field.name)
            .collect();
        if names.is_empty() {
            names.push("(continued)");
        }
        vec![format!("{:04x}", word), names.join(", "), format!("{sum:04x}")]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    stage.check("the sum over the header and its checksum is ffff", |_| sum == 0xffff);
    stage.table(
        &["word", "fields in it", "sum so far"],
        rows,
        "An IP header, word by word. With the checksum in it the sum comes to ffff: nothing was changed.",
    );
}

pub(super) fn byte_order(stage: &mut Stage) {
    let number: u16 = 8080;
    let [high, low] = number.to_be_bytes();
    let rows = vec![
        vec!["network".into(), "big-endian".into(), format!("{high:02x} {low:02x}")],
        vec!["many CPUs".into(), "little-endian".into(), format!("{low:02x} {high:02x}")],
    ];
    stage.table(
        &["where", "order", "bytes"],
        rows,
        format!("Port {number}, which is 0x{number:04x}, as two bytes."),
    );
}

pub(super) fn loss(stage: &mut Stage) {
    stage.scene("loss", "Three datagrams, one of them lost");
    let (client, server) = stage.two_hosts();
    stage.rule(client, server, fault::nth("loses the second", 2, packet::is_udp, Verdict::Drop));
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    for text in ["one", "two", "three"] {
        stage.send_to(socket, server, PORT, text);
        stage.run_for(Duration::from_millis(10));
    }
    stage.run();
    stage.check("two of three are read", |run| run.reads(server).len() == 2 && run.lost() == 1);
    stage.show(View::Ladder, "UDP: what the network loses stays lost, and neither end is told.");
}

// --- the physical, the link and the internet layer

pub(super) fn bytes_on_the_wire(stage: &mut Stage) {
    let rows = MESSAGE
        .bytes()
        .map(|byte| vec![char::from(byte).to_string(), format!("{byte:02x}"), format!("{byte:08b}")])
        .collect();
    stage.table(
        &["character", "byte", "bits"],
        rows,
        "What a program writes, and the bits of it. Ethernet sends the last bit of each byte first.",
    );
}

pub(super) fn ethernet(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Header(Frame::Number(1), Some("Ethernet")),
        "The header of a frame: to whom, from whom, and what is inside.",
    );
}

pub(super) fn frame(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage
        .show(View::Layers(Frame::Number(1)), "A frame with an IP packet in it, which holds a UDP datagram.");
}

pub(super) fn arp(stage: &mut Stage) {
    stage.scene("arp", "The first packet to a neighbour");
    let (client, server) = (stage.host("client"), stage.host("server"));
    stage.link(client, server);
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, PORT, MESSAGE);
    stage.run();
    stage.check("the datagram arrives", |run| run.reads(server).len() == 1);
    stage.show(View::Ladder, "Before the first packet can leave, its Ethernet address must be found.");
}

pub(super) fn mtu(stage: &mut Stage) {
    datagram_of(stage, &[b'x'; LONG]);
    let run = stage.seen();
    let rows: Vec<Vec<String>> = run
        .packets()
        .iter()
        .filter_map(|found| {
            let ip = found.packet.dissection.header("IPv4")?;
            let link = found.packet.dissection.header("Ethernet")?;
            let packet = found.bytes.len() - link.range.len();
            Some(vec![
                found.packet.number.to_string(),
                found.bytes.len().to_string(),
                packet.to_string(),
                (packet - ip.range.len()).to_string(),
            ])
        })
        .collect();
    let mtu = stage.network_knobs().mtu;
    stage.check("no packet is larger than the MTU", |_| {
        rows.iter().all(|row| row[2].parse::<usize>().is_ok_and(|len| len <= usize::from(mtu)))
    });
    stage.table(
        &["frame", "bytes of the frame", "of the IP packet in it", "behind the IP header"],
        rows,
        format!("{LONG} bytes in one datagram, over a link with an MTU of {mtu}: no packet is larger."),
    );
}

pub(super) fn ip(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Header(Frame::Number(1), Some("IPv4")),
        "The header of an IP packet: from where, to where, how far still, and what is inside.",
    );
}

pub(super) fn packet(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Layers(Frame::Number(1)),
        "The packet is what is inside the frame: the IP header and all it carries.",
    );
}

pub(super) fn fragment(stage: &mut Stage) {
    let (_, server) = datagram_of(stage, &[b'x'; LONG]);
    stage.check("it is read in one piece", |run| {
        let reads = run.reads(server);
        reads.len() == 1 && reads[0].len() == LONG
    });
    stage.check("it crosses the wire in several", |run| run.frames() > 1);
    stage.show(View::Ladder, format!("One datagram of {LONG} bytes in pieces; the reader gets it whole."));
}

pub(super) fn unreachable(stage: &mut Stage) {
    stage.scene("unreachable", "A datagram to a port where nobody listens");
    let (client, server) = stage.two_hosts();
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, PORT, MESSAGE);
    stage.run();
    stage.check("an answer comes", |run| run.frames() == 2);
    stage.show(View::Ladder, "Nobody listens at that port: the host says so, by ICMP.");
}

// --- the transport layer

pub(super) fn tcp_header(stage: &mut Stage) {
    segment_header(stage, "What TCP puts in front of each piece of the stream, here of the word \"hello\".");
}

fn segment_header(stage: &mut Stage, caption: &str) {
    let (_, _, socket) = connection(stage);
    stage.send(socket, MESSAGE);
    stage.run();
    let run = stage.seen();
    let number = run.data_segments().next().map(|segment| segment.packet.packet.number);
    stage.check("a segment carries data", |_| number.is_some());
    stage.show(View::Header(Frame::Number(number.unwrap_or(1)), Some("TCP")), caption);
}

pub(super) fn port(stage: &mut Stage) {
    sockets(stage, "Two clients, one server port: each client has a port of its own.");
}

pub(super) fn socket(stage: &mut Stage) {
    sockets(
        stage,
        "Two connections to one server port: four sockets, each known by both ends, and the listener.",
    );
}

fn sockets(stage: &mut Stage, caption: &str) {
    stage.scene("sockets", "Two connections to one port");
    let (client, server) = stage.two_hosts();
    let listener = stage.listen(server, PORT);
    let sockets = [stage.connect(client, server, PORT), stage.connect(client, server, PORT)];
    stage.run_for(Duration::from_millis(200));
    let mut rows = Vec::new();
    let mut add = |stage: &mut Stage, at: &str, socket: Socket, state: &str| {
        let flow = stage.flow(socket);
        let remote = if flow.remote.port() == 0 { "any".to_owned() } else { flow.remote.to_string() };
        rows.push(vec![at.to_owned(), flow.local.to_string(), remote, state.to_owned()]);
    };
    for socket in sockets {
        let state = stage.state(socket);
        add(stage, "client", socket, state);
    }
    add(stage, "server", listener, "LISTEN");
    for socket in stage.accepted(server) {
        let state = stage.state(socket);
        add(stage, "server", socket, state);
    }
    stage.check("five sockets are open", |_| rows.len() == 5);
    stage.table(&["host", "own address and port", "the other's", "state"], rows, caption);
}

pub(super) fn udp(stage: &mut Stage) {
    let (_, server) = datagram_of(stage, MESSAGE.as_bytes());
    stage.check("one frame, one read", |run| run.frames() == 1 && run.reads(server).len() == 1);
    stage
        .show(View::Ladder, "One write, one datagram, one read: no handshake before it, no answer after it.");
}

pub(super) fn datagram(stage: &mut Stage) {
    stage.scene("two", "Two datagrams");
    let (client, server) = stage.two_hosts();
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    for text in ["first", "second"] {
        stage.send_to(socket, server, PORT, text);
        stage.run_for(Duration::from_millis(5));
    }
    stage.run();
    stage.check("two writes are two reads", |run| run.reads(server).len() == 2);
    stage.show(View::Ladder, "Two writes, two datagrams, two reads: the border between them is kept.");
}

pub(super) fn tcp(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    stage.send(socket, "hel");
    stage.send(socket, "lo");
    stage.run();
    stage.check("all bytes arrive", |run| run.reads(server).concat() == MESSAGE.as_bytes());
    stage.show(View::Ladder, "A handshake, then two writes: bytes in order, each one acknowledged.");
}

pub(super) fn segment(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    stage.send(socket, [b'x'; LONG]);
    stage.run();
    let segments = stage.seen().data_segments().count();
    stage.check("all bytes arrive", |run| run.reads(server).concat().len() == LONG);
    stage.show(View::Ladder, format!("One write of {LONG} bytes leaves in {segments} segments."));
}

pub(super) fn handshake(stage: &mut Stage) {
    let (client, server, _) = connection(stage);
    stage.check("both ends stand after three segments", |run| {
        run.segments().count() == 3
            && run.states(client).last() == Some(&"ESTABLISHED")
            && run.states(server).last() == Some(&"ESTABLISHED")
    });
    let rtt = stage.network_knobs().rtt();
    stage.show(
        View::Ladder,
        format!("Three segments. The client may send after one round trip, here a little over {rtt}."),
    );
}

pub(super) fn sequence(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    for text in ["abc", "defgh"] {
        stage.send(socket, text);
        stage.run_for(Duration::from_millis(300));
    }
    stage.run();
    stage.check("all bytes arrive", |run| run.reads(server).concat() == b"abcdefgh");
    stage.show(
        View::Ladder,
        "seq is the number of a segment's first byte, ack the one that is expected next. A SYN counts as one.",
    );
}

pub(super) fn mss(stage: &mut Stage) {
    connection(stage);
    let found = number_of_syn(stage);
    let mtu = stage.network_knobs().mtu;
    stage.check("the SYN says the MTU less 40", |_| found.is_some_and(|(_, mss)| mss == mtu - 40));
    let Some((number, mss)) = found else { return };
    // RFC 9293 §3.2: kind 2, length 4, and the size in two bytes.
    let option = format!("0204{mss:04x}");
    let run = stage.seen();
    let options = run
        .packets()
        .iter()
        .find(|found| found.packet.number == number)
        .and_then(|found| Some(found.packet.dissection.header("TCP")?.field("Options")?.text.clone()));
    stage.check("it is the first of its options", |_| options.is_some_and(|text| text.starts_with(&option)));
    stage.show(
        View::Header(Frame::Number(number), Some("TCP")),
        format!(
            "The client's SYN. Its options begin with {option}: kind 2, length 4, then 0x{mss:04x}, which is {mss}. \
             The link has an MTU of {mtu}."
        ),
    );
}

pub(super) fn window(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    stage.read_late(server);
    stage.send(socket, [b'x'; 8000]);
    stage.run_for(Duration::from_millis(500));
    if let Some(accepted) = stage.accepted(server).first().copied() {
        stage.read(accepted);
    }
    stage.run_for(Duration::from_millis(500));
    stage.send(socket, [b'x'; 1000]);
    stage.run_for(Duration::from_millis(500));
    let run = stage.seen();
    let from = server.id().place();
    let windows: Vec<u32> = run
        .segments()
        .filter(|segment| segment.packet.from == from)
        .map(|segment| segment.tcp.window)
        .collect();
    let rows: Vec<Vec<String>> = run
        .segments()
        .filter(|segment| segment.packet.from == from)
        .map(|segment| {
            let at = segment.packet.at.as_millis_f64();
            let ack = segment.tcp.ack.map_or_else(String::new, |ack| ack.to_string());
            vec![format!("{at:.1}"), ack, segment.tcp.window.to_string()]
        })
        .collect();
    stage
        .check("the window shrinks while nobody reads", |_| windows.windows(2).any(|pair| pair[1] < pair[0]));
    stage.table(
        &["ms", "ack", "window"],
        rows,
        "What the server says while its program does not read at first: room for fewer and fewer bytes.",
    );
}

pub(super) fn retransmission(stage: &mut Stage) {
    stage.scene("lost", "A segment is lost");
    let (client, server) = stage.two_hosts();
    stage.rule(client, server, fault::nth("loses the data", 1, packet::is_tcp_data, Verdict::Drop));
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    stage.send(socket, MESSAGE);
    stage.run();
    stage.check("it is sent again and arrives", |run| {
        run.retransmitted() == 1 && run.reads(server).concat() == MESSAGE.as_bytes()
    });
    stage.show(View::Ladder, "No acknowledgment comes, so the timer runs out and the bytes leave once more.");
}

pub(super) fn closing(stage: &mut Stage) {
    let (client, server, socket) = connection(stage);
    stage.close(socket);
    stage.run_for(Duration::from_millis(100));
    if let Some(accepted) = stage.accepted(server).first().copied() {
        stage.close(accepted);
    }
    stage.run();
    stage.check("the one that closed first waits in TIME-WAIT", |run| {
        run.segments().filter(|segment| segment.tcp.flags.fin).count() == 2
            && run.states(client).contains(&"TIME-WAIT")
            && !run.states(server).contains(&"TIME-WAIT")
    });
    stage.show(View::Ladder, "Each end says FIN for its own direction, and each FIN is acknowledged.");
}

// --- the application layer

pub(super) fn message(stage: &mut Stage) {
    stage.scene("message", "Three writes, one late read");
    let (client, server) = stage.two_hosts();
    stage.read_late(server);
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    for text in ["Hello. ", "How are you? ", "Bye."] {
        stage.send(socket, text);
        stage.run_for(Duration::from_millis(100));
    }
    if let Some(accepted) = stage.accepted(server).first().copied() {
        stage.read(accepted);
    }
    stage.run();
    stage
        .check("three writes, one read", |run| run.writes(client).len() == 3 && run.reads(server).len() == 1);
    stage.show(View::Ladder, "Three messages over TCP, and a program that reads late: it gets them as one.");
}

pub(super) fn http(stage: &mut Stage) {
    let trace = websocket_run();
    let found = with_header(&trace, "HTTP").map(|found| found.packet.number);
    let view = found.map_or(View::Ladder, |number| View::Hex(Frame::Number(number)));
    show(stage, trace, view, "A request is text: here one that asks to go on as WebSocket.");
}

pub(super) fn websocket(stage: &mut Stage) {
    let trace = websocket_run();
    show(
        stage,
        trace,
        View::Ladder,
        "TCP's handshake, then HTTP's request and response, then frames in both directions.",
    );
}

pub(super) fn masked(stage: &mut Stage) {
    let trace = websocket_run();
    let Some(found) = with_header(&trace, "WebSocket") else { return };
    let view = View::Header(Frame::Number(found.packet.number), Some("WebSocket"));
    show(
        stage,
        trace,
        view,
        "A frame from a client: bit M is set, and the masking key stands before the payload.",
    );
}

pub(super) fn control(stage: &mut Stage) {
    let trace = websocket_run();
    let is_close = |packet: &TracedPacket| match &packet.packet.summary.what {
        What::Tcp(tcp) => {
            tcp.application.iter().any(|piece| matches!(piece, AppPiece::WsFrame { opcode: "close", .. }))
        }
        _ => false,
    };
    let Some(found) = dissect_trace(&trace).into_iter().find(is_close) else { return };
    let view = View::Header(Frame::Number(found.packet.number), Some("WebSocket"));
    show(stage, trace, view, "The Close frame of a client: two bytes of payload, which are its code.");
}
