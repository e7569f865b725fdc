//! `--xray`: what goes over the wire, frame by frame, as its bytes go by.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::harmless::harmless;
use crate::base::{Header as _, Layer, Reader};
use crate::layers::application::websocket::FrameHeader;
use crate::layers::application::websocket::mask::apply_mask;
use crate::view::dissect::FieldValue;
use crate::view::header_box::fields_box;
use crate::view::look::Look;

/// A TCP stream whose bytes are looked at.
pub(super) struct XRay {
    stream: TcpStream,
    seen: Option<Seen>,
}

/// Pictures of the frames that went by, oldest first.
#[derive(Clone, Default)]
pub(super) struct Seen(Option<Arc<Mutex<Wires>>>);

struct Wires {
    look: Look,
    sent: Wire,
    received: Wire,
    pictures: String,
}

/// One direction of the stream.
#[derive(Default)]
struct Wire {
    reads: Reads,
    /// What is not a whole head or header yet.
    pending: VecDeque<u8>,
    /// The payload that is coming in: its beginning, and how much of it is still to come.
    payload: Vec<u8>,
    left: u64,
    mask: Option<[u8; 4]>,
}

/// What comes next in a direction.
#[derive(Default, PartialEq, Eq)]
enum Reads {
    #[default]
    Head,
    Frames,
    /// Bytes that are no frames: nobody knows where the next one would begin.
    Nothing,
}

impl XRay {
    /// Looks at the bytes when there is a look to draw them with.
    pub(super) fn new(stream: TcpStream, look: Option<Look>) -> (Self, Seen) {
        let wires = look.map(|look| {
            let [sent, received] = <[Wire; 2]>::default();
            Arc::new(Mutex::new(Wires { look, sent, received, pictures: String::new() }))
        });
        let seen = Seen(wires);
        (XRay { stream, seen: seen.0.is_some().then(|| seen.clone()) }, seen)
    }
}

impl Seen {
    /// The pictures since the last call.
    pub(super) fn take(&self) -> String {
        let Some(wires) = &self.0 else { return String::new() };
        std::mem::take(&mut wires.lock().unwrap_or_else(PoisonError::into_inner).pictures)
    }

    fn look_at(&self, sent: bool, bytes: &[u8]) {
        let Some(wires) = &self.0 else { return };
        let mut wires = wires.lock().unwrap_or_else(PoisonError::into_inner);
        let Wires { look, sent: out, received, pictures } = &mut *wires;
        let (wire, title) = if sent { (out, "sent") } else { (received, "received") };
        if wire.reads == Reads::Nothing {
            return;
        }
        wire.pending.extend(bytes);
        while let Some(picture) = wire.next(title, look) {
            pictures.push_str(&picture);
        }
    }
}

impl Wire {
    /// The next picture, when enough has come for one.
    fn next(&mut self, title: &str, look: &Look) -> Option<String> {
        const SHOWN: usize = 64;
        let bytes = self.pending.make_contiguous();
        if self.reads == Reads::Nothing {
            return None;
        }
        if self.reads == Reads::Head {
            let end = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            self.pending.drain(..end);
            self.reads = Reads::Frames;
            return Some(format!(
                "{title}: the head of the opening handshake\n{}\n",
                harmless(head.replace('\r', "").trim_end())
            ));
        }
        if self.left > 0 {
            let take = self.pending.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let room = SHOWN.saturating_sub(self.payload.len());
            self.payload.extend(self.pending.drain(..take).take(room));
            self.left -= take as u64;
            return (self.left == 0).then(|| self.payload_picture());
        }
        let mut reader = Reader::new(Layer::Application, FrameHeader::PROTOCOL, bytes);
        let header = match FrameHeader::parse(&mut reader) {
            Ok(header) => header,
            Err(error) if error.is_incomplete() => return None,
            Err(error) => {
                (self.reads, self.pending) = (Reads::Nothing, VecDeque::new());
                return Some(format!("{title}: no frame, and nothing is looked at any more: {error}\n"));
            }
        };
        let len = reader.position();
        let fields = FieldValue::all(&header.layout(), bytes, 0);
        let picture = format!(
            "{title}: a frame, {} bytes of payload\n{}",
            header.payload_len,
            fields_box(&fields, look)
        );
        self.pending.drain(..len);
        (self.left, self.mask) = (header.payload_len, header.mask);
        self.payload.clear();
        Some(picture)
    }

    /// The payload as it was on the wire, and as it was meant.
    fn payload_picture(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let Some(key) = self.mask else { return format!("  payload   {}\n", hex(&self.payload)) };
        let mut plain = self.payload.clone();
        apply_mask(key, 0, &mut plain);
        let keys: Vec<u8> = key.into_iter().cycle().take(plain.len()).collect();
        format!(
            "  before    {}\n  key       {}\n  on wire   {}\n",
            hex(&plain),
            hex(&keys),
            hex(&self.payload)
        )
    }
}

impl AsyncRead for XRay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if let Some(seen) = &self.seen {
            seen.look_at(false, &buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for XRay {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        if let Some(seen) = &self.seen {
            seen.look_at(true, &buf[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_header_that_is_none_nothing_is_looked_at_or_kept() {
        let wires = Wires {
            look: Look::default(),
            sent: Wire::default(),
            received: Wire::default(),
            pictures: String::new(),
        };
        let seen = Seen(Some(Arc::new(Mutex::new(wires))));
        seen.look_at(false, b"HTTP/1.1 101 \x1b]0;owned\x07\r\n\r\n\x81\x02hi");
        // Opcode 3 has no meaning.
        seen.look_at(false, &[0x83, 0x00]);
        let pictures = seen.take();
        assert!(
            pictures.contains("2 bytes of payload") && pictures.contains("received: no frame"),
            "{pictures}"
        );
        assert!(!pictures.contains('\x1b'), "{pictures}");
        for _ in 0..100 {
            seen.look_at(false, &[0x81; 1000]);
        }
        assert_eq!(seen.take(), "");
        let wires = seen.0.unwrap();
        assert_eq!(wires.lock().unwrap().received.pending.capacity(), 0);
    }
}
