//! `--xray`: under each message its way down the layers, header by header, with what each costs.
//!
//! Down to the WebSocket frame every byte shown was on the stream: it is read from a [`Tap`](crate::real::tap::Tap).
//! Below that the kernel works: of its headers only the lengths are known, computed from what `TCP_INFO` says is in
//! use on the connection, and a frame may share a segment with others. The output says which is which.

use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::words::safe;
use crate::base::{Header as _, Layer, Reader};
use crate::layers::application::websocket::mask::apply_mask;
use crate::layers::application::websocket::{FrameHeader, Opcode};
use crate::real::tap::Seen;
use crate::real::tcp_info::TcpInfo;
use crate::view::look::Look;

/// Looks at what went by.
pub(super) struct XRay {
    seen: Seen,
    wires: [Wire; 2],
    look: Look,
}

/// One direction of a connection.
#[derive(Default)]
struct Wire {
    /// The head of the opening handshake went by.
    in_frames: bool,
    /// What is not a whole head or frame yet.
    pending: Vec<u8>,
    /// Some of it was not seen: nothing can be said any more.
    lost: bool,
}

/// What is known of the layers that are the kernel's.
struct Kernel {
    info: Option<TcpInfo>,
    /// This end and the other one.
    ends: Option<(SocketAddr, SocketAddr)>,
}

/// One line of the table.
struct Row {
    layer: Layer,
    name: &'static str,
    text: String,
    bytes: usize,
}

const WAYS: [&str; 2] = ["sent", "received"];

impl XRay {
    pub(super) fn new(seen: Seen, look: Look) -> Self {
        XRay { seen, wires: <[Wire; 2]>::default(), look }
    }

    /// Pictures of what went by since the last look, on this connection.
    pub(super) fn look(&mut self, tcp: Option<&TcpStream>) -> String {
        let flows = self.seen.take();
        if flows.iter().all(|flow| flow.bytes.is_empty()) {
            return String::new();
        }
        let kernel = Kernel::of(tcp);
        let mut pictures = String::new();
        for ((wire, flow), way) in self.wires.iter_mut().zip(flows).zip(WAYS) {
            if flow.is_fresh {
                *wire = Wire::default();
            }
            wire.pending.extend(flow.bytes);
            while let Some(picture) = wire.next(way, &kernel, &self.look) {
                pictures.push_str(&picture);
            }
            wire.lost |= flow.lost;
        }
        pictures
    }
}

impl Wire {
    /// The next picture, when enough went by for one.
    fn next(&mut self, way: &str, kernel: &Kernel, look: &Look) -> Option<String> {
        if self.lost {
            return None;
        }
        if !self.in_frames {
            let end = self.pending.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
            let head: Vec<u8> = self.pending.drain(..end).collect();
            self.in_frames = true;
            let first = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
            let line = format!("{way}: {}", safe(&String::from_utf8_lossy(first)));
            let line = cut(&line, look.columns().saturating_sub(24));
            return Some(format!("  {}\n", look.faint(&format!("{line}  ({} bytes of HTTP)", head.len()))));
        }
        let mut reader = Reader::new(Layer::Application, FrameHeader::PROTOCOL, &self.pending);
        let header = FrameHeader::parse(&mut reader).ok()?;
        let start = reader.position();
        let end = start.checked_add(usize::try_from(header.payload_len).ok()?)?;
        let mut payload = self.pending.get(start..end)?.to_vec();
        self.pending.drain(..end);
        if let Some(key) = header.mask {
            apply_mask(key, 0, &mut payload);
        }
        Some(picture(way, &header, start, &payload, kernel, look))
    }
}

/// A frame, from the event in it down to the wire.
fn picture(
    way: &str,
    header: &FrameHeader,
    header_len: usize,
    payload: &[u8],
    kernel: &Kernel,
    look: &Look,
) -> String {
    let mut rows = above(header.opcode, payload);
    let websocket =
        Row { layer: Layer::Application, name: "WebSocket", text: frame_words(header), bytes: header_len };
    if header.opcode != Opcode::Text || payload.len() <= 1 {
        // A heartbeat, or the end: one line is enough.
        let what = rows.first().map_or_else(String::new, |row| row.text.clone());
        let line = format!("{way}: {what}, {} + {header_len} bytes", payload.len());
        if header.opcode != Opcode::Binary {
            return format!("  {}\n", look.faint(&line));
        }
    }
    rows.push(websocket);
    let mut table = Table { text: String::new(), total: 0, look };
    table.title(way);
    rows.iter().for_each(|row| table.row(row));
    let ours = if way == "sent" { "written by this program" } else { "read by this program" };
    table.rule(&format!("{} bytes, {ours}; below: the kernel's, computed", table.total));
    kernel.rows(header_len + payload.len(), way).iter().for_each(|row| table.row(row));
    table.text
}

/// What is in a frame: the event, and the two headers before it.
fn above(opcode: Opcode, payload: &[u8]) -> Vec<Row> {
    let row = |name, text, bytes| Row { layer: Layer::Application, name, text, bytes };
    match opcode {
        Opcode::Text => {}
        Opcode::Binary => {
            return vec![row("attachment", "bytes of the event before it".into(), payload.len())];
        }
        Opcode::Close => return vec![row("WebSocket", "WebSocket close".into(), payload.len())],
        other => return vec![row("WebSocket", format!("WebSocket {other:?}").to_lowercase(), payload.len())],
    }
    let text = String::from_utf8_lossy(payload);
    let (kind, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    let engine = match kind {
        "0" => "0 open",
        "1" => "1 close",
        "2" => "2 ping",
        "3" => "3 pong",
        "4" => "4 message",
        "5" => "5 upgrade",
        "6" => "6 noop",
        _ => "no packet",
    };
    let engine = row("Engine.IO", format!("type {engine}"), kind.len());
    if kind != "4" {
        let bytes = rest.len();
        let what = if bytes == 0 { Vec::new() } else { vec![row("handshake", safe(rest), bytes)] };
        return if what.is_empty() {
            vec![row("Engine.IO", format!("Engine.IO {}", engine.text), payload.len())]
        } else {
            what.into_iter().chain([engine]).collect()
        };
    }
    let start = rest.find(['[', '{']).unwrap_or(rest.len());
    let (head, json) = rest.split_at(start);
    let socket = row("Socket.IO", packet_words(head), head.len());
    vec![row("event", safe(json), json.len()), socket, engine]
}

/// A Socket.IO header: type, attachments, namespace, acknowledgement id.
fn packet_words(head: &str) -> String {
    let (kind, rest) = head.split_at(head.chars().next().map_or(0, char::len_utf8));
    let kind = match kind {
        "0" => "0 CONNECT",
        "1" => "1 DISCONNECT",
        "2" => "2 EVENT",
        "3" => "3 ACK",
        "4" => "4 CONNECT_ERROR",
        "5" => "5 BINARY_EVENT",
        "6" => "6 BINARY_ACK",
        _ => "unknown",
    };
    let mut words = format!("type {kind}");
    let rest = match rest.split_once('-') {
        Some((count, rest)) => {
            let _ = write!(words, ", {} attachments", safe(count));
            rest
        }
        None => rest,
    };
    let (namespace, id) = match rest.split_once(',') {
        Some((namespace, id)) => (namespace, id),
        None if rest.starts_with('/') => (rest, ""),
        None => ("/", rest),
    };
    let _ = write!(words, ", namespace {}", safe(namespace));
    if !id.is_empty() {
        let _ = write!(words, ", ack id {}", safe(id));
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
    fn of(tcp: Option<&TcpStream>) -> Self {
        let info = tcp.and_then(|tcp| TcpInfo::of(tcp).ok());
        let ends = tcp.and_then(|tcp| Some((tcp.local_addr().ok()?, tcp.peer_addr().ok()?)));
        Kernel { info, ends }
    }

    fn rows(&self, bytes: usize, way: &str) -> Vec<Row> {
        let Some((local, remote)) = self.ends else { return Vec::new() };
        let (from, to) = if way == "sent" { (local, remote) } else { (remote, local) };
        // Timestamps take 12 bytes of options in every segment (RFC 7323 §3.2, padded).
        let timestamps = self.info.as_ref().is_some_and(|info| info.options.timestamps);
        let tcp = if timestamps { 32 } else { 20 };
        let mss = self.info.as_ref().map_or(usize::MAX, |info| (info.snd_mss as usize).max(1));
        let segments = bytes.div_ceil(mss).max(1);
        let options = if timestamps { "20 + 12 of timestamps" } else { "20, no options" };
        let mut rows = vec![Row {
            layer: Layer::Transport,
            name: "TCP",
            text: format!("port {} to {}, {options}", from.port(), to.port()),
            bytes: tcp * segments,
        }];
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
    text: String,
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
        let _ = writeln!(self.text, "{}", self.look.faint(&line));
    }

    fn row(&mut self, row: &Row) {
        self.total += row.bytes;
        let (name, room) = (Self::NAME, self.room());
        let text = cut(&row.text, if row.bytes == 0 { room + Self::NUMBERS } else { room });
        let label = self.look.layer(row.layer, &format!("{:<name$}", row.name));
        let numbers =
            if row.bytes == 0 { String::new() } else { format!("{:>8}{:>8}", row.bytes, self.total) };
        let line = format!("    {label}{text:<room$}{numbers}");
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn rule(&mut self, words: &str) {
        let dash = if self.look.ascii { "-" } else { "─" };
        let _ = writeln!(self.text, "{}", self.look.faint(&format!("    {dash}{dash} {words}")));
    }
}

/// At most so many characters; what is cut off is told by three dots.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    text.chars().take(room.saturating_sub(4)).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Writer;

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
        Kernel { info: None, ends: Some(ends) }
    }

    #[test]
    fn a_frame_is_shown_from_the_event_down_to_the_wire_with_what_each_layer_costs() {
        let text = r#"427["say","tea","hello"]"#;
        let mut wire = Wire { in_frames: true, pending: frame(text, Some([1, 2, 3, 4])), lost: false };
        let picture = wire.next("sent", &kernel(), &Look::plain()).unwrap();
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
        assert_eq!(wire.next("sent", &kernel(), &Look::plain()), None);
    }

    #[test]
    fn heartbeats_take_one_line_and_nothing_acts_on_a_terminal() {
        let mut wire = Wire { in_frames: true, pending: frame("2", None), lost: false };
        let picture = wire.next("received", &kernel(), &Look::plain()).unwrap();
        assert_eq!(picture, "  received: Engine.IO type 2 ping, 1 + 2 bytes\n");
        let mut wire = Wire { in_frames: true, pending: frame("42[\"\u{1b}[2J\"]", None), lost: false };
        let picture = wire.next("received", &kernel(), &Look::plain()).unwrap();
        assert!(!picture.chars().any(|c| c.is_control() && c != '\n'), "{picture:?}");
    }

    #[test]
    fn half_a_frame_waits_for_the_other_half() {
        let whole = frame("4hello", None);
        let mut wire = Wire { in_frames: true, pending: whole[..4].to_vec(), lost: false };
        assert_eq!(wire.next("sent", &kernel(), &Look::plain()), None);
        wire.pending.extend(&whole[4..]);
        assert!(wire.next("sent", &kernel(), &Look::plain()).is_some());
    }
}
