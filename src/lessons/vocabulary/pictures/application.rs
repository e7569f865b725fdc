//! Pictures of the words of the application layer, below the event system.

use super::{PORT, show, websocket_run, with_header};
use crate::base::Duration;
use crate::layers::application::framing::{Deframer, Framing};
use crate::lessons::picture::{Frame, View};
use crate::lessons::stage::Stage;
use crate::view::dissect::{AppPiece, TracedPacket, What, dissect_trace};

pub(in crate::lessons::vocabulary) fn message(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn http(stage: &mut Stage) {
    let trace = websocket_run();
    let found = with_header(&trace, "HTTP").map(|found| found.packet.number);
    let view = found.map_or(View::Ladder, |number| View::Hex(Frame::Number(number)));
    show(stage, trace, view, "A request is text: here one that asks to go on as WebSocket.");
}

pub(in crate::lessons::vocabulary) fn websocket(stage: &mut Stage) {
    let trace = websocket_run();
    show(
        stage,
        trace,
        View::Ladder,
        "TCP's handshake, then HTTP's request and response, then frames in both directions.",
    );
}

pub(in crate::lessons::vocabulary) fn masked(stage: &mut Stage) {
    let trace = websocket_run();
    let Some(found) = with_header(&trace, "WebSocket") else { return };
    let view = View::Header(Frame::Number(found.packet.number), Some("WebSocket"));
    show(
        stage,
        trace,
        view,
        "A frame from a client: bit M is set, and the masking key is right before the payload.",
    );
}

pub(in crate::lessons::vocabulary) fn control(stage: &mut Stage) {
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

pub(in crate::lessons::vocabulary) fn delimiter(stage: &mut Stage) {
    framed(stage, Framing::Escaped, "A newline ends a message; one inside is written as two characters.");
}

pub(in crate::lessons::vocabulary) fn length_prefix(stage: &mut Stage) {
    framed(stage, Framing::Length, "Two bytes say how many follow, whatever these are.");
}

/// Messages, as they are on the wire.
fn framed(stage: &mut Stage, framing: Framing, caption: &str) {
    let messages = ["hi", "two\nlines"];
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let mut stream = Vec::new();
    let rows = messages.map(|message| {
        let from = stream.len();
        let written = framing.write(message.as_bytes(), &mut stream);
        stage.check("the message is short enough", |_| written.is_ok());
        vec![hex(message.as_bytes()), hex(&stream[from..])]
    });
    let mut read = Vec::new();
    let result = Deframer::new(framing, 100).read(&stream, &mut read);
    stage.check("both are read back", |_| result.is_ok() && read == messages.map(str::as_bytes));
    stage.table(&["message", "on the wire"], rows.to_vec(), caption);
}
