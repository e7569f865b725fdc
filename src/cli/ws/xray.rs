//! `--xray`: what goes over the wire, message by message, as its bytes pass.

use crate::base::ParseError;
use crate::cli::xray::{Detail, Watch};
use crate::layers::application::websocket::FrameHeader;
use crate::real::tap::Tapped;
use crate::view::dissect::{Part, Role, Said, Saying};
use crate::view::header_box::{fields_box, header_box};
use crate::view::look::{Look, fit};
use crate::view::sheet::{Line, Sheet, Tone, width};

/// Draws the messages that passed.
pub(super) struct XRay {
    watch: Watch,
    detail: Detail,
    look: Look,
}

/// Bytes of a payload that are shown.
const SHOWN: usize = 64;

impl XRay {
    pub(super) fn new(detail: Detail, look: Look) -> Self {
        XRay { watch: Watch::default(), detail, look }
    }

    /// For the tap on the connection.
    pub(super) fn seen(&self) -> Tapped {
        self.watch.seen()
    }

    /// The pictures since the last call.
    pub(super) fn take(&mut self) -> Sheet {
        self.watch.take().iter().map(|said| picture(said, self.detail, &self.look)).collect()
    }
}

fn picture(said: &Said, detail: Detail, look: &Look) -> Sheet {
    let title = if said.by == 0 { "sent" } else { "received" };
    let told = match (&said.what, detail) {
        (Saying::Http, Detail::Full) => head(title, &said.plain[..said.header_len]).into(),
        (Saying::Http, Detail::Short) => {
            let head = &said.plain[..said.header_len];
            let first = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
            format!("{title}: {} ({} bytes of HTTP)", String::from_utf8_lossy(first), head.len()).into()
        }
        (Saying::Frame(header), Detail::Full) => frame(title, header, said, look),
        (Saying::Frame(header), Detail::Short) => return short(title, header, said, look),
        (Saying::Data, _) => format!("{title}: {} bytes that are neither HTTP nor a frame", said.len).into(),
        (Saying::Broken(error), _) => broken(title, error).into(),
    };
    told.into_iter().flat_map(|line| line.folded(look.columns(), 2)).collect()
}

fn head(title: &str, head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head).replace('\r', "");
    format!("{title}: the head of the opening handshake\n{}", head.trim_end())
}

fn broken(title: &str, error: &ParseError) -> String {
    format!("{title}: no frame, and nothing is looked at any more: {error}")
}

/// A frame on a line: what its header says, and how its payload begins on the wire, as far as there is room.
fn short(title: &str, header: &FrameHeader, said: &Said, look: &Look) -> Sheet {
    let mask = header.mask.map_or("no mask".into(), |key| format!("mask {}", hex(&key).replace(' ', "")));
    let more = if header.fin { "" } else { ", more follows" };
    let opcode = format!("{:?}", header.opcode).to_lowercase();
    let line = format!(
        "{title}: {opcode}, {mask}{more}, {} + {} bytes: {}",
        said.header_len,
        header.payload_len,
        hex(said
            .bytes
            .get(said.header_len..)
            .unwrap_or_default()
            .get(..SHOWN)
            .unwrap_or(&said.bytes[said.header_len..]))
    );
    let line = line.trim_end_matches([':', ' ']);
    Line::of(fit(line, look.columns().min(width(line)), look), Tone::Faint).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// The frame's header, its payload as it was on the wire and as it was meant, and the headers in the payload.
fn frame(title: &str, header: &FrameHeader, said: &Said, look: &Look) -> Sheet {
    let mut parts = said.dissection.parts.iter().filter(|part| part.role == Role::Header);
    let fields: &[_] = parts.next().map_or(&[], |part| &part.fields);
    let title = format!("{title}: a frame, {} bytes of payload", header.payload_len);
    let mut picture = Sheet::of(title, Tone::Plain);
    picture.extend(fields_box(fields, look));
    picture.say(payload(header, said), Tone::Plain);
    let is_packet = |part: &&Part| !part.fields.is_empty();
    picture.extend(parts.filter(is_packet).flat_map(|part| header_box(part, 0, look)));
    picture
}

fn payload(header: &FrameHeader, said: &Said) -> String {
    let wire = &said.bytes[said.header_len..];
    let wire = &wire[..wire.len().min(SHOWN)];
    match header.mask {
        _ if wire.is_empty() => String::new(),
        None => format!("  payload   {}\n", hex(wire)),
        Some(key) => {
            let keys: Vec<u8> = key.into_iter().cycle().take(wire.len()).collect();
            let plain = &said.body()[..wire.len()];
            format!("  before    {}\n  key       {}\n  on wire   {}\n", hex(plain), hex(&keys), hex(wire))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::dissect::Talk;

    fn pictures(pieces: &[(usize, &[u8])]) -> String {
        drawn(pieces, Detail::Full)
    }

    fn drawn(pieces: &[(usize, &[u8])], detail: Detail) -> String {
        let mut talk = Talk::new();
        pieces.iter().for_each(|(by, bytes)| talk.feed(*by, bytes));
        let said = std::iter::from_fn(|| talk.next());
        said.map(|said| picture(&said, detail, &Look::default())).collect::<Sheet>().to_string()
    }

    #[test]
    fn a_message_is_one_line_unless_all_of_it_was_asked_for() {
        let pieces: &[(usize, &[u8])] = &[
            (0, b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"),
            (1, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"),
            (0, &[0x89, 0x80, 1, 2, 3, 4]),
        ];
        assert_eq!(
            drawn(pieces, Detail::Short),
            "sent: GET / HTTP/1.1 (47 bytes of HTTP)\n\
             received: HTTP/1.1 101 Switching Protocols (56 bytes of HTTP)\n\
             received: text, no mask, 2 + 2 bytes: 68 69\n\
             sent: ping, mask 01020304, 6 + 0 bytes\n"
        );
    }

    #[test]
    fn a_frame_is_shown_with_its_payload_and_what_breaks_a_rule_is_told_once() {
        let pictures = pictures(&[
            (1, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"),
            // Opcode 3 has no meaning.
            (1, &[0x83, 0x00]),
            (1, &[0x81; 1000]),
        ]);
        assert!(
            pictures.contains("2 bytes of payload") && pictures.contains("payload   68 69"),
            "{pictures}"
        );
        assert_eq!(pictures.matches("received: no frame").count(), 1, "{pictures}");
    }

    #[test]
    fn nothing_in_a_head_acts_on_a_terminal() {
        let pictures = pictures(&[(1, b"HTTP/1.1 101 \x1b]0;owned\x07\r\nX: \x9b\r\n\r\n")]);
        assert!(
            pictures.contains("]0;owned") && !pictures.contains(['\x1b', '\x07', '\u{9b}']),
            "{pictures:?}"
        );
    }

    #[test]
    fn packets_in_a_frame_have_their_own_boxes() {
        let ask =
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n";
        let yes = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x0842[\"hi\"]";
        let pictures = pictures(&[(0, ask), (1, yes)]);
        assert!(
            pictures.contains("Engine.IO, 1 bytes") && pictures.contains("Socket.IO, 1 bytes"),
            "{pictures}"
        );
        assert!(pictures.contains("EVENT"), "{pictures}");
    }
}
