//! Layers as nested boxes: a frame holds a packet, which holds a segment, which holds what the program said.
//!
//! Beside each box stand the names of its layer in both models. Where one segment holds several WebSocket frames, their
//! boxes stand below each other.

use super::dissect::{Dissection, Part, Role};
use super::look::{Look, display_width, fit};
use crate::base::{Header, Layer};
use crate::layers::link::arp::ArpPacket;

/// Columns of the names beside the boxes.
const BESIDE: usize = 26;

/// Draws the parts of a frame as nested boxes with their lengths in bytes.
pub fn layers(dissection: &Dissection, look: &Look) -> String {
    let width = look.columns() - BESIDE;
    let mut picture = Picture { look, width, lines: Vec::new() };
    picture.nest(&dissection.parts, 0);
    picture.lines.join("\n") + "\n"
}

struct Picture<'a> {
    look: &'a Look,
    width: usize,
    lines: Vec<String>,
}

impl Picture<'_> {
    /// Draws `parts`, which lie side by side inside `depth` boxes.
    fn nest(&mut self, parts: &[Part], depth: usize) {
        let mut rest = parts;
        while let Some((part, behind)) = rest.split_first() {
            match part.role {
                Role::Header => {
                    let inside = &behind[..held(part, behind)];
                    self.open(part, inside, depth);
                    self.nest(inside, depth + 1);
                    self.close(part, depth);
                    rest = &behind[inside.len()..];
                }
                Role::Data => {
                    self.row(&format!("data, {}", bytes(part.range.len())), depth, part.layer, "");
                    rest = behind;
                }
                Role::Padding => {
                    self.row(&format!("padding, {}", bytes(part.range.len())), depth, part.layer, "");
                    rest = behind;
                }
            }
        }
    }

    fn open(&mut self, part: &Part, inside: &[Part], depth: usize) {
        let size = size_of(part, inside);
        let title = if inside.is_empty() {
            format!(" {}, {size} ", unit(part))
        } else {
            format!(" {}, {size}: header {} ", unit(part), part.range.len())
        };
        let (left, line, right) = if self.look.ascii { ('+', '-', '+') } else { ('┌', '─', '┐') };
        self.border(&title, (left, line, right), depth, part.layer, true);
    }

    fn close(&mut self, part: &Part, depth: usize) {
        let corners = if self.look.ascii { ('+', '-', '+') } else { ('└', '─', '┘') };
        self.border("", corners, depth, part.layer, false);
    }

    fn border(
        &mut self,
        title: &str,
        (left, line, right): (char, char, char),
        depth: usize,
        layer: Layer,
        named: bool,
    ) {
        let inner = self.inner(depth).saturating_sub(2);
        let shown =
            if display_width(title) > inner { fit(title, inner, self.look) } else { title.to_owned() };
        let fill = line.to_string().repeat(inner - display_width(&shown));
        let text = format!("{left}{shown}{fill}{right}");
        let beside = if named { format!("{layer}, OSI {}", layer.osi()) } else { String::new() };
        self.line(&self.look.layer(layer, &text), depth, &beside, layer);
    }

    fn row(&mut self, text: &str, depth: usize, layer: Layer, beside: &str) {
        let inner = self.inner(depth);
        self.line(&fit(text, inner, self.look), depth, beside, layer);
    }

    /// Columns inside `depth` boxes, each of which takes two on either side.
    fn inner(&self, depth: usize) -> usize {
        self.width.saturating_sub(depth * 4).max(4)
    }

    fn line(&mut self, middle: &str, depth: usize, beside: &str, layer: Layer) {
        let wall = if self.look.ascii { "|" } else { "│" };
        let mut line = format!("{wall} ").repeat(depth);
        line.push_str(middle);
        line.push_str(&format!(" {wall}").repeat(depth));
        if !beside.is_empty() {
            line.push_str("  ");
            line.push_str(&self.look.layer(layer, beside));
        }
        self.lines.push(line);
    }
}

/// The length of a box in words: of a WebSocket frame that goes on in later segments, how much of it is here.
pub(super) fn size_of(part: &Part, inside: &[Part]) -> String {
    let here = part.range.len() + inside.iter().map(|part| part.range.len()).sum::<usize>();
    match declared(part) {
        Some(whole) if whole > here as u64 => format!("{here} of {whole} bytes"),
        _ => bytes(here),
    }
}

/// How many of the parts behind a header are inside what it heads.
pub(super) fn held(header: &Part, behind: &[Part]) -> usize {
    let until = |end: &dyn Fn(&Part) -> bool| behind.iter().position(end).unwrap_or(behind.len());
    match header.layer {
        Layer::Physical | Layer::Link if header.protocol == ArpPacket::PROTOCOL => 0,
        Layer::Physical | Layer::Link => behind.len(),
        // Padding of the link is the frame's, so it stays in the frame's box.
        Layer::Internet => until(&|part| part.role == Role::Padding && part.layer == Layer::Link),
        Layer::Transport => until(&|part| part.role == Role::Padding),
        Layer::Application => until(&|part| part.role != Role::Data),
    }
}

/// How long a WebSocket frame says it is, header included: its end may be in later segments.
fn declared(part: &Part) -> Option<u64> {
    let payload = part.field("extended payload length").or_else(|| part.field("payload length"))?;
    Some(payload.value.saturating_add(part.range.len() as u64))
}

/// What the unit of a protocol is called.
pub(super) fn unit(part: &Part) -> String {
    let name = match (part.protocol, part.layer) {
        ("ARP", _) => "packet",
        ("ICMP", _) => "message",
        ("HTTP", _) => "head",
        ("TCP", _) => "segment",
        ("UDP", _) => "datagram",
        (_, Layer::Physical | Layer::Link) => "frame",
        (_, Layer::Internet) => "packet",
        (_, Layer::Transport) => "segment",
        (_, Layer::Application) => "frame",
    };
    format!("{} {name}", part.protocol)
}

pub(super) fn bytes(n: usize) -> String {
    if n == 1 { "1 byte".into() } else { format!("{n} bytes") }
}
