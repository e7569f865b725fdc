//! Pictures of the words that belong to no layer, or to all of them.

use super::{MESSAGE, PORT, connection, datagram_of, show, websocket_run, with_header};
use crate::base::{Duration, Layer};
use crate::layers::physical::delay::Rate;
use crate::lessons::picture::{Frame, View};
use crate::lessons::stage::{Stage, packet};
use crate::sim::LinkConfig;
use crate::sim::fault::{self, Verdict};
use crate::trace::Kind;
use crate::view::dissect::{Part, Role};

pub(in crate::lessons::vocabulary) fn models(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn layers(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn header(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Header(Frame::Number(1), Some("UDP")),
        "The header of UDP, with the values of one datagram from a run: a row is 32 bits.",
    );
}

pub(in crate::lessons::vocabulary) fn payload(stage: &mut Stage) {
    datagram_of(stage, b"The payload is what the program wrote.");
    stage.show(View::Hex(Frame::Number(1)), "D is what the program wrote; all other letters are headers.");
}

pub(in crate::lessons::vocabulary) fn address(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn client_and_server(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn checksum(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn hexadecimal(stage: &mut Stage) {
    let rows = [0_u8, 9, 10, 15, 16, 127, 128, 255]
        .map(|byte| vec![byte.to_string(), format!("{byte:02x}"), format!("{byte:08b}")]);
    stage.table(
        &["decimal", "hexadecimal", "bits"],
        rows.to_vec(),
        "One hexadecimal digit is four bits, so two of them are one byte.",
    );
}

/// One frame over links of several rates: the length of the way stays the same.
pub(in crate::lessons::vocabulary) fn rate(stage: &mut Stage) {
    let mut rows = Vec::new();
    for (id, rate) in [("slow", Rate::mbit(1)), ("usual", Rate::mbit(10)), ("fast", Rate::mbit(1000))] {
        stage.scene(id, &format!("A large datagram at {rate}"));
        let (client, server) = (stage.host("client"), stage.host("server"));
        let link = LinkConfig { rate: Some(rate), ..stage.network_knobs().link() };
        stage.link_with(client, server, link);
        stage.introduce();
        stage.bind(server, PORT);
        let socket = stage.bind(client, 0);
        let from = stage.now();
        stage.send_to(socket, server, PORT, [b'x'; 1400]);
        stage.run();
        let took = stage.seen().first_read(server).map_or(Duration::ZERO, |at| at.since(from));
        let travels = link.delay;
        let leaves = Duration::from_nanos(took.as_nanos().saturating_sub(travels.as_nanos()));
        rows.push(vec![rate.to_string(), leaves.to_string(), travels.to_string(), took.to_string()]);
    }
    stage.check("the delay of the link is in each of them", |_| {
        rows.iter().all(|row| row[2] == rows[0][2]) && rows[0][1] != rows[2][1]
    });
    stage.table(
        &["bandwidth", "to leave the host", "to travel", "latency"],
        rows,
        "One datagram of 1400 bytes. More bandwidth shortens the first part only.",
    );
}

pub(in crate::lessons::vocabulary) fn jitter(stage: &mut Stage) {
    stage.scene("jitter", "Five datagrams, one every 20 ms");
    let (client, server) = (stage.host("client"), stage.host("server"));
    let jitter = Duration::from_millis(15);
    stage.link_with(client, server, LinkConfig { jitter, ..stage.network_knobs().link() });
    stage.introduce();
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    let mut sent = Vec::new();
    for text in ["one", "two", "three", "four", "five"] {
        sent.push(stage.now());
        stage.send_to(socket, server, PORT, text);
        stage.run_for(Duration::from_millis(20));
    }
    stage.run();
    let run = stage.seen();
    let read: Vec<_> = run
        .trace()
        .events
        .iter()
        .filter(|event| matches!(event.kind, Kind::AppRead { .. }))
        .map(|event| event.at)
        .collect();
    let took: Vec<Duration> = read.iter().zip(&sent).map(|(read, sent)| read.since(*sent)).collect();
    stage.check("all arrive, and not all take the same time", |_| {
        took.len() == sent.len() && took.iter().any(|one| *one != took[0])
    });
    let rows = took.iter().zip(1..).map(|(took, number)| vec![number.to_string(), took.to_string()]);
    stage.table(
        &["datagram", "latency"],
        rows.collect(),
        format!("A link whose delay varies by up to {jitter}."),
    );
}

pub(in crate::lessons::vocabulary) fn byte_order(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn loss(stage: &mut Stage) {
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
    stage.show(View::Ladder, "UDP: what the network loses stays lost, and neither end notices.");
}
