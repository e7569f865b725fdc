//! `--xray`: what goes over the wire, message by message, as its bytes pass.

use crate::base::ParseError;
use crate::cli::xray::Watch;
use crate::layers::application::websocket::FrameHeader;
use crate::real::tap::Tapped;
use crate::view::dissect::{Part, Role, Said, Saying};
use crate::view::header_box::{fields_box, header_box};
use crate::view::look::Look;
use crate::view::look::harmless;

/// Draws the messages that passed.
pub(super) struct XRay {
    watch: Watch,
    look: Look,
}

/// Bytes of a payload that are shown.
const SHOWN: usize = 64;

impl XRay {
    pub(super) fn new(look: Look) -> Self {
        XRay { watch: Watch::default(), look }
    }

    /// For the tap on the connection.
    pub(super) fn seen(&self) -> Tapped {
        self.watch.seen()
    }

    /// The pictures since the last call.
    pub(super) fn take(&mut self) -> String {
        self.watch.take().iter().map(|said| picture(said, &self.look)).collect()
    }
}

fn picture(said: &Said, look: &Look) -> String {
    let title = if said.by == 0 { "sent" } else { "received" };
    match &said.what {
        Saying::Http => head(title, &said.plain[..said.header_len]),
        Saying::Frame(header) => frame(title, header, said, look),
        Saying::Data => format!("{title}: {} bytes that are neither HTTP nor a frame\n", said.len),
        Saying::Broken(error) => broken(title, error),
    }
}

fn head(title: &str, head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head).replace('\r', "");
    format!("{title}: the head of the opening handshake\n{}\n", harmless(head.trim_end()))
}

fn broken(title: &str, error: &ParseError) -> String {
    format!("{title}: no frame, and nothing is looked at any more: {error}\n")
}

/// The frame's header, its payload as it was on the wire and as it was meant, and the headers in the payload.
fn frame(title: &str, header: &FrameHeader, said: &Said, look: &Look) -> String {
    let mut parts = said.dissection.parts.iter().filter(|part| part.role == Role::Header);
    let fields: &[_] = parts.next().map_or(&[], |part| &part.fields);
    let mut picture =
        format!("{title}: a frame, {} bytes of payload\n{}", header.payload_len, fields_box(fields, look));
    picture.push_str(&payload(header, said));
    let is_packet = |part: &&Part| !part.fields.is_empty();
    picture.extend(parts.filter(is_packet).map(|part| look.written(&header_box(part, 0, look))));
    picture
}

fn payload(header: &FrameHeader, said: &Said) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
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
        let mut talk = Talk::new();
        pieces.iter().for_each(|(by, bytes)| talk.feed(*by, bytes));
        std::iter::from_fn(|| talk.next()).map(|said| picture(&said, &Look::default())).collect()
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
