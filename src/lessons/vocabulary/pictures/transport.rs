//! Pictures of the words of the transport layer.

use super::{LONG, MESSAGE, PORT, connection, datagram_of, number_of_syn};
use crate::base::Duration;
use crate::lessons::picture::{Frame, View};
use crate::lessons::stage::{Socket, Stage, packet};
use crate::sim::fault::{self, Verdict};

pub(in crate::lessons::vocabulary) fn tcp_header(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn port(stage: &mut Stage) {
    sockets(stage, "Two clients, one server port: each client has a port of its own.");
}

pub(in crate::lessons::vocabulary) fn socket(stage: &mut Stage) {
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
        let remote = if flow.remote().port() == 0 { "any".to_owned() } else { flow.remote().to_string() };
        rows.push(vec![at.to_owned(), flow.local().to_string(), remote, state.to_owned()]);
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

pub(in crate::lessons::vocabulary) fn udp(stage: &mut Stage) {
    let (_, server) = datagram_of(stage, MESSAGE.as_bytes());
    stage.check("one frame, one read", |run| run.frames() == 1 && run.reads(server).len() == 1);
    stage
        .show(View::Ladder, "One write, one datagram, one read: no handshake before it, no answer after it.");
}

pub(in crate::lessons::vocabulary) fn datagram(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn tcp(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    stage.send(socket, "hel");
    stage.send(socket, "lo");
    stage.run();
    stage.check("all bytes arrive", |run| run.reads(server).concat() == MESSAGE.as_bytes());
    stage.show(View::Ladder, "A handshake, then two writes: bytes in order, each one acknowledged.");
}

pub(in crate::lessons::vocabulary) fn segment(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    stage.send(socket, [b'x'; LONG]);
    stage.run();
    let segments = stage.seen().data_segments().count();
    stage.check("all bytes arrive", |run| run.reads(server).concat().len() == LONG);
    stage.show(View::Ladder, format!("One write of {LONG} bytes leaves in {segments} segments."));
}

pub(in crate::lessons::vocabulary) fn handshake(stage: &mut Stage) {
    let (client, server, _) = connection(stage);
    stage.check("both ends are established after three segments", |run| {
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

pub(in crate::lessons::vocabulary) fn sequence(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn mss(stage: &mut Stage) {
    connection(stage);
    let found = number_of_syn(stage);
    let mtu = stage.network_knobs().link.mtu;
    stage.check("the SYN says the MTU less 40", |_| found.is_some_and(|(_, mss)| mss == mtu - 40));
    let Some((number, mss)) = found else { return };
    let option = format!("mss={mss}");
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
            "The client's SYN. Its options begin with {option}, on the wire 02 04 and then {mss} in two bytes, \
             0x{mss:04x}: kind 2, four bytes long (RFC 9293 §3.2). The link has an MTU of {mtu}."
        ),
    );
}

pub(in crate::lessons::vocabulary) fn window(stage: &mut Stage) {
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
    stage.check("the window shrinks while the program does not read", |_| {
        windows.windows(2).any(|pair| pair[1] < pair[0])
    });
    stage.table(
        &["ms", "ack", "window"],
        rows,
        "What the server says while its program does not read at first: room for fewer and fewer bytes.",
    );
}

pub(in crate::lessons::vocabulary) fn retransmission(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn closing(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn refused(stage: &mut Stage) {
    stage.scene("refused", "A SYN to a port without a listener");
    let (client, server) = stage.two_hosts();
    stage.connect(client, server, PORT);
    stage.run();
    stage.check("the answer is a reset", |run| run.segments().any(|segment| segment.tcp.flags.rst));
    stage.show(View::Ladder, "No program listens at that port: the server's stack answers with RST.");
}

pub(in crate::lessons::vocabulary) fn nagle(stage: &mut Stage) {
    let (_, server, socket) = connection(stage);
    for text in ["one ", "two ", "three ", "four "] {
        stage.send(socket, text);
    }
    stage.run();
    stage.check("four writes take two segments", |run| {
        run.data_segments().count() == 2 && run.reads(server).concat() == b"one two three four "
    });
    stage.show(
        View::Ladder,
        "The first write leaves at once; the others wait for its ACK and share a segment.",
    );
}
