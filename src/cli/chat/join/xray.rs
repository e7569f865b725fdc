//! `--xray`: under each message its way down the layers, header by header, with what each costs.
//!
//! Down to the WebSocket frame every byte shown was on the stream (above TLS, where there is TLS): a [`Tap`](crate::real::tap::Tap) has copied it, and
//! the dissector has taken it apart. Below that the kernel works: of its headers only the lengths are known, computed
//! from what `TCP_INFO` says is in use on the connection, and a frame may share a segment with others. The output says
//! which is which.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::words::safe;
use crate::base::Layer;
use crate::cli::xray::{Detail, Watch};
use crate::layers::application::engineio;
use crate::layers::application::socketio;
use crate::layers::application::websocket::{FrameHeader, Opcode};
use crate::real::tap::Tapped;
use crate::real::tcp_info::TcpInfo;
use crate::real::websocket::{ClientStream, Sealing};
use crate::view::dissect::{Role, Said, Saying};
use crate::view::look::Look;
use crate::view::sheet::{Line, Sheet, Tone};

/// Draws the messages that passed.
pub(super) struct XRay {
    watch: Watch,
    detail: Detail,
    look: Look,
}

/// What is known of the layers that are the kernel's, and of TLS between them and ours.
struct Kernel {
    info: Option<TcpInfo>,
    /// This end and the other one.
    ends: Option<(SocketAddr, SocketAddr)>,
    /// What TLS adds, when the connection has it.
    sealing: Option<Sealing>,
}

/// One line of the table.
struct Row {
    layer: Layer,
    name: &'static str,
    text: String,
    bytes: usize,
}

impl XRay {
    pub(super) fn new(detail: Detail, look: Look) -> Self {
        XRay { watch: Watch::default(), detail, look }
    }

    /// For the taps on its connections.
    pub(super) fn seen(&self) -> Tapped {
        self.watch.seen()
    }

    /// Pictures of what passed since the last look, on this connection.
    pub(super) fn look(&mut self, stream: Option<&ClientStream>) -> Sheet {
        let said = self.watch.take();
        if said.is_empty() {
            return Sheet::new();
        }
        let kernel = Kernel::of(stream);
        said.iter().map(|said| picture(said, &kernel, self.detail, &self.look)).collect()
    }
}

/// A message of the connection: a head in one line, a frame in as many as it has layers.
fn picture(said: &Said, kernel: &Kernel, detail: Detail, look: &Look) -> Sheet {
    let way = if said.by == 0 { "sent" } else { "received" };
    match &said.what {
        Saying::Http => {
            let head = &said.plain[..said.header_len];
            let first = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
            let line = format!("{way}: {}", safe(&String::from_utf8_lossy(first)));
            let line = cut(&line, look.columns().saturating_sub(24));
            faint(&format!("{line}  ({} bytes of HTTP)", head.len()), look)
        }
        Saying::Frame(header) => frame(way, header, said, kernel, detail, look),
        // The client notices too, and says what was wrong.
        Saying::Data | Saying::Broken(_) => Sheet::new(),
    }
}

/// A frame, from the event in it down to the wire.
fn frame(
    way: &str,
    header: &FrameHeader,
    said: &Said,
    kernel: &Kernel,
    detail: Detail,
    look: &Look,
) -> Sheet {
    let mut rows = above(header.opcode, said);
    let header_len = said.header_len;
    let payload = said.body();
    let websocket =
        Row { layer: Layer::Application, name: "WebSocket", text: frame_words(header), bytes: header_len };
    if header.opcode != Opcode::Text || payload.len() <= 1 {
        // A heartbeat, or the end: one line is enough.
        let what = rows.first().map_or_else(String::new, |row| row.text.clone());
        let line = format!("{way}: {what}, {} + {header_len} bytes", payload.len());
        if header.opcode != Opcode::Binary {
            return faint(&line, look);
        }
    }
    rows.push(websocket);
    let below = kernel.rows(header_len + payload.len(), way);
    if detail == Detail::Short {
        return sum(way, &rows, &below, look);
    }
    let mut table = Table { sheet: Sheet::new(), total: 0, look };
    table.title(way);
    rows.iter().for_each(|row| table.row(row));
    let ours = if way == "sent" { "written by this program" } else { "read by this program" };
    let whose = if kernel.sealing.is_some() { "TLS and the kernel" } else { "the kernel's" };
    table.rule(&format!("{} bytes, {ours}; below: {whose}, computed", table.total));
    below.iter().for_each(|row| table.row(row));
    table.sheet
}

/// A frame in a line: what each layer adds to the message, and the sum.
fn sum(way: &str, ours: &[Row], kernels: &[Row], look: &Look) -> Sheet {
    let mut line = Line::of(format!("  {way}: "), Tone::Faint);
    let (mut total, mut plus) = (0, "");
    for row in ours.iter().chain(kernels).filter(|row| row.bytes > 0) {
        line.push(plus, Tone::Faint);
        line.push(format!("{} {}", row.bytes, row.name), Tone::Of(row.layer));
        (total, plus) = (total + row.bytes, " + ");
    }
    line.push(format!(" = {total} bytes"), Tone::Faint);
    line.folded(look.columns(), 4).into_iter().collect()
}

/// A line of less importance, broken where the screen is too narrow.
fn faint(line: &str, look: &Look) -> Sheet {
    Line::of(format!("  {line}"), Tone::Faint).folded(look.columns(), 4).into_iter().collect()
}

/// What is in a frame: the event, and the two headers before it.
fn above(opcode: Opcode, said: &Said) -> Vec<Row> {
    let row = |name, text, bytes| Row { layer: Layer::Application, name, text, bytes };
    let len = said.body().len();
    match opcode {
        Opcode::Text => {}
        Opcode::Binary => return vec![row("attachment", "bytes of the event before it".into(), len)],
        Opcode::Close => return vec![row("WebSocket", "WebSocket close".into(), len)],
        other => return vec![row("WebSocket", format!("WebSocket {other:?}").to_lowercase(), len)],
    }
    let parts = &said.dissection.parts;
    let header = |protocol: &str| {
        let found = parts.iter().find(|part| part.role == Role::Header && part.protocol == protocol);
        found.map(|part| &said.plain[part.range.clone()])
    };
    let data: Vec<u8> = parts
        .iter()
        .filter(|part| part.role == Role::Data)
        .flat_map(|part| &said.plain[part.range.clone()])
        .copied()
        .collect();
    let shown = safe(&String::from_utf8_lossy(&data));
    let engine = header("Engine.IO").map_or(&[][..], |header| header);
    let engine_row = row("Engine.IO", engine_words(engine), engine.len());
    match header("Socket.IO") {
        Some(socket) => {
            let what = row("event", shown, data.len());
            vec![what, row("Socket.IO", packet_words(socket), socket.len()), engine_row]
        }
        None if data.is_empty() => {
            vec![row("Engine.IO", format!("Engine.IO {}", engine_row.text), len)]
        }
        None => vec![row("handshake", shown, data.len()), engine_row],
    }
}

/// An Engine.IO header, in words.
fn engine_words(header: &[u8]) -> String {
    match header {
        [kind] => {
            let name = engineio::header::type_name(*kind).unwrap_or("unknown");
            format!("type {} {name}", char::from(*kind))
        }
        _ => "type no packet".into(),
    }
}

/// A Socket.IO header: type, attachments, namespace, acknowledgement id.
fn packet_words(header: &[u8]) -> String {
    let parts = socketio::header::Parts::of(header);
    let text = |from: usize, to: usize| safe(&String::from_utf8_lossy(&header[from..to]));
    let kind = header.first().copied().unwrap_or(b'?');
    let name = socketio::header::type_name(kind).unwrap_or("unknown");
    let mut words = format!("type {} {name}", char::from(kind));
    if parts.attachments > 1 {
        let _ = write!(words, ", {} attachments", text(1, parts.attachments).trim_end_matches('-'));
    }
    let namespace = text(parts.attachments, parts.namespace);
    let namespace = namespace.trim_end_matches(',');
    let _ = write!(words, ", namespace {}", if namespace.is_empty() { "/" } else { namespace });
    if parts.id > parts.namespace {
        let _ = write!(words, ", ack id {}", text(parts.namespace, parts.id));
    }
    words
}

fn frame_words(header: &FrameHeader) -> String {
    let mask = match header.mask {
        Some([a, b, c, d]) => format!("MASK 1 {a:02x}{b:02x}{c:02x}{d:02x}"),
        None => "MASK 0".into(),
    };
    let (fin, opcode) = (u8::from(header.fin), header.opcode.number());
    format!("FIN {fin}, opcode {opcode}, {mask}, length {}", header.payload_len)
}

impl Kernel {
    fn of(stream: Option<&ClientStream>) -> Self {
        let tcp = stream.map(ClientStream::tcp);
        let info = tcp.and_then(|tcp| TcpInfo::of(tcp).ok());
        let ends = tcp.and_then(|tcp| Some((tcp.local_addr().ok()?, tcp.peer_addr().ok()?)));
        Kernel { info, ends, sealing: stream.and_then(ClientStream::sealing) }
    }

    fn rows(&self, bytes: usize, way: &str) -> Vec<Row> {
        let Some((local, remote)) = self.ends else { return Vec::new() };
        let mut rows = Vec::new();
        let sealed = self.sealing.map_or(0, |sealing| sealing.record * bytes.div_ceil(Sealing::MOST).max(1));
        if let Some(Sealing { version, record }) = self.sealing {
            let text = format!("{version}, encrypted: {record} a record, if it has one of its own");
            rows.push(Row { layer: Layer::Application, name: "TLS", text, bytes: sealed });
        }
        let bytes = bytes + sealed;
        let (from, to) = if way == "sent" { (local, remote) } else { (remote, local) };
        // Timestamps take 12 bytes of options in every segment (RFC 7323 §3.2, padded).
        let timestamps = self.info.as_ref().is_some_and(|info| info.options.timestamps);
        let tcp = if timestamps { 32 } else { 20 };
        let mss = self.info.as_ref().map_or(usize::MAX, |info| (info.snd_mss as usize).max(1));
        let segments = bytes.div_ceil(mss).max(1);
        let options = if timestamps { "20 + 12 of timestamps" } else { "20, no options" };
        rows.push(Row {
            layer: Layer::Transport,
            name: "TCP",
            text: format!("port {} to {}, {options}", from.port(), to.port()),
            bytes: tcp * segments,
        });
        if let Some(info) = &self.info {
            let text = format!(
                "{}, cwnd {}, mss {}, rtt {}, resent {}",
                info.state, info.snd_cwnd, info.snd_mss, info.rtt, info.total_retrans
            );
            rows.push(Row { layer: Layer::Transport, name: "  TCP_INFO", text, bytes: 0 });
        }
        let (name, ip) = if from.is_ipv4() { ("IPv4", 20) } else { ("IPv6", 40) };
        let text = format!("{} to {}", from.ip(), to.ip());
        rows.push(Row { layer: Layer::Internet, name, text, bytes: ip * segments });
        let text = if from.ip().is_loopback() {
            "loopback: no wire; captures show 14 zeros"
        } else {
            "Ethernet, most likely: 14 + 4 of check sequence"
        };
        let link = if from.ip().is_loopback() { 14 } else { 18 };
        rows.push(Row { layer: Layer::Link, name: "link", text: text.into(), bytes: link * segments });
        rows
    }
}

/// The table under a message: what, and how many bytes, and how many so far.
struct Table<'a> {
    sheet: Sheet,
    total: usize,
    look: &'a Look,
}

impl Table<'_> {
    const NAME: usize = 12;
    const NUMBERS: usize = 16;

    /// Room for the words of a line.
    fn room(&self) -> usize {
        self.look.columns().min(100) - 4 - Self::NAME - Self::NUMBERS
    }

    fn title(&mut self, way: &str) {
        let (name, room) = (Self::NAME, self.room());
        let line = format!("    {way:<name$}{:<room$}{:>8}{:>8}", "", "bytes", "total");
        self.sheet.push(Line::of(line, Tone::Faint));
    }

    fn row(&mut self, row: &Row) {
        self.total += row.bytes;
        let (name, room) = (Self::NAME, self.room());
        let text = cut(&row.text, if row.bytes == 0 { room + Self::NUMBERS } else { room });
        let label = format!("    {:<name$}", row.name);
        let numbers =
            if row.bytes == 0 { String::new() } else { format!("{:>8}{:>8}", row.bytes, self.total) };
        let line = Line::of(label, Tone::Of(row.layer)).with(format!("{text:<room$}{numbers}"), Tone::Plain);
        self.sheet.push(line.trimmed());
    }

    fn rule(&mut self, words: &str) {
        let dash = if self.look.ascii { "-" } else { "─" };
        let line = Line::of(format!("    {dash}{dash} {words}"), Tone::Faint);
        self.sheet.extend(line.folded(self.look.columns(), 7));
    }
}

/// At most `room` characters; three dots show that the rest was cut off.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    text.chars().take(room.saturating_sub(4)).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Header as _, Writer};
    use crate::layers::application::websocket::mask::apply_mask;
    use crate::view::dissect::Talk;

    fn frame(text: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut writer = Writer::new();
        FrameHeader { mask, ..FrameHeader::new(Opcode::Text, text.len() as u64) }.emit(&mut writer);
        let mut payload = text.as_bytes().to_vec();
        if let Some(key) = mask {
            apply_mask(key, 0, &mut payload);
        }
        writer.bytes(&payload);
        writer.finish().into()
    }

    fn kernel() -> Kernel {
        let ends = ("127.0.0.1:40000".parse().unwrap(), "127.0.0.1:3000".parse().unwrap());
        Kernel { info: None, ends: Some(ends), sealing: None }
    }

    /// The picture of a frame that this end sends, when it is whole.
    fn shown(frame: &[u8]) -> Option<String> {
        drawn(frame, Detail::Full)
    }

    fn drawn(frame: &[u8], detail: Detail) -> Option<String> {
        let mut talk = Talk::new();
        talk.feed(0, b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
        talk.next().expect("the request");
        talk.feed(0, frame);
        talk.next().map(|said| picture(&said, &kernel(), detail, &Look::plain()).to_string())
    }

    #[test]
    fn a_message_is_one_line_with_what_each_layer_adds_unless_all_of_it_was_asked_for() {
        let frame = frame(r#"427["say","tea","hello"]"#, Some([1, 2, 3, 4]));
        assert_eq!(
            drawn(&frame, Detail::Short).unwrap(),
            "  sent: 21 event + 2 Socket.IO + 1 Engine.IO + 6 WebSocket + 20 TCP + 20 IPv4 +\n    \
             14 link = 84 bytes\n"
        );
    }

    #[test]
    fn a_frame_is_shown_from_the_event_down_to_the_wire_with_what_each_layer_costs() {
        let picture = shown(&frame(r#"427["say","tea","hello"]"#, Some([1, 2, 3, 4]))).unwrap();
        let lines: Vec<&str> = picture.lines().collect();
        assert!(
            lines[1].contains(r#"["say","tea","hello"]"#) && lines[1].ends_with("21      21"),
            "{picture}"
        );
        assert!(lines[2].contains("type 2 EVENT, namespace /, ack id 7") && lines[2].ends_with("2      23"));
        assert!(lines[3].contains("type 4 message") && lines[3].ends_with("1      24"));
        assert!(
            lines[4].contains("FIN 1, opcode 1, MASK 1 01020304, length 24")
                && lines[4].ends_with("6      30")
        );
        assert!(lines[5].contains("30 bytes, written by this program"));
        assert!(lines[6].contains("port 40000 to 3000") && lines[6].ends_with("20      50"));
        assert!(lines[7].contains("127.0.0.1 to 127.0.0.1") && lines[7].ends_with("20      70"));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{picture}");
    }

    #[test]
    fn headers_with_all_their_parts_are_put_into_words() {
        assert_eq!(
            packet_words(b"51-/chat,7"),
            "type 5 BINARY_EVENT, 1 attachments, namespace /chat, ack id 7"
        );
        assert_eq!(packet_words(b"1/chat"), "type 1 DISCONNECT, namespace /chat");
        let picture = shown(&frame(r#"0{"sid":"x"}"#, None)).unwrap();
        assert!(picture.contains("handshake") && picture.contains("type 0 open"), "{picture}");
    }

    #[test]
    fn heartbeats_take_one_line_and_nothing_acts_on_a_terminal() {
        assert_eq!(shown(&frame("2", None)).unwrap(), "  sent: Engine.IO type 2 ping, 1 + 2 bytes\n");
        let picture = shown(&frame("42[\"\u{1b}[2J\"]", None)).unwrap();
        assert!(!picture.chars().any(|c| c.is_control() && c != '\n'), "{picture:?}");
    }

    #[test]
    fn half_a_frame_waits_for_the_other_half() {
        let whole = frame("4hello", None);
        assert_eq!(shown(&whole[..4]), None);
        assert!(shown(&whole).is_some());
    }
}
