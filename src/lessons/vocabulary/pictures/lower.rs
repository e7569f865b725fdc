//! Pictures of the words of the physical, the link and the internet layer.

use super::{LONG, MESSAGE, PORT, datagram_of};
use crate::lessons::picture::{Frame, View};
use crate::lessons::stage::Stage;
use crate::view::dissect::TracedPacket;

pub(in crate::lessons::vocabulary) fn bytes_on_the_wire(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn ethernet(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Header(Frame::Number(1), Some("Ethernet")),
        "The header of a frame: to whom, from whom, and what is inside.",
    );
}

pub(in crate::lessons::vocabulary) fn frame(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage
        .show(View::Layers(Frame::Number(1)), "A frame with an IP packet in it, which holds a UDP datagram.");
}

pub(in crate::lessons::vocabulary) fn arp(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn mtu(stage: &mut Stage) {
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
    let mtu = stage.network_knobs().link.mtu;
    stage.check("no packet is larger than the MTU", |_| {
        rows.iter().all(|row| row[2].parse::<usize>().is_ok_and(|len| len <= usize::from(mtu)))
    });
    stage.table(
        &["frame", "bytes of the frame", "of the IP packet in it", "behind the IP header"],
        rows,
        format!("{LONG} bytes in one datagram, over a link with an MTU of {mtu}: no packet is larger."),
    );
}

pub(in crate::lessons::vocabulary) fn ip(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Header(Frame::Number(1), Some("IPv4")),
        "The header of an IP packet: from where, to where, how far still, and what is inside.",
    );
}

pub(in crate::lessons::vocabulary) fn packet(stage: &mut Stage) {
    datagram_of(stage, MESSAGE.as_bytes());
    stage.show(
        View::Layers(Frame::Number(1)),
        "The packet is what is inside the frame: the IP header and all it carries.",
    );
}

pub(in crate::lessons::vocabulary) fn fragment(stage: &mut Stage) {
    let (_, server) = datagram_of(stage, &[b'x'; LONG]);
    stage.check("it is read in one piece", |run| {
        let reads = run.reads(server);
        reads.len() == 1 && reads[0].len() == LONG
    });
    stage.check("it crosses the wire in several", |run| run.frames() > 1);
    stage.show(View::Ladder, format!("One datagram of {LONG} bytes in pieces; the reader gets it whole."));
}

pub(in crate::lessons::vocabulary) fn unreachable(stage: &mut Stage) {
    stage.scene("unreachable", "A datagram to a port without a listener");
    let (client, server) = stage.two_hosts();
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, PORT, MESSAGE);
    stage.run();
    stage.check("an answer comes", |run| run.frames() == 2);
    stage.show(View::Ladder, "No program listens at that port: the host says so, by ICMP.");
}

pub(in crate::lessons::vocabulary) fn router(stage: &mut Stage) {
    stage.scene("router", "From one link to the next");
    let (client, router, server) = (stage.host("client"), stage.host("router"), stage.host("server"));
    stage.link(client, router);
    stage.link(router, server);
    stage.route_through(router, client, server);
    stage.introduce();
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, PORT, MESSAGE);
    stage.run();
    let run = stage.seen();
    let field = |packet: &TracedPacket, protocol: &str, field: &str| {
        let header = packet.packet.dissection.header(protocol);
        header.and_then(|header| header.field(field)).map_or_else(String::new, |value| value.text.clone())
    };
    let rows: Vec<Vec<String>> = run
        .packets()
        .iter()
        .map(|packet| {
            vec![
                field(packet, "Ethernet", "destination"),
                field(packet, "IPv4", "destination"),
                field(packet, "IPv4", "TTL"),
            ]
        })
        .collect();
    stage.check("a new frame, the same destination, a TTL that is one less", |_| {
        rows.len() == 2 && rows[0][0] != rows[1][0] && rows[0][1] == rows[1][1] && rows[0][2] != rows[1][2]
    });
    stage.table(
        &["frame to", "packet to", "TTL"],
        rows,
        "One datagram on two links: the router puts the packet into a new frame.",
    );
}
