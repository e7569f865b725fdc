//! Layers as nested boxes: a frame holds a packet, which holds a segment, which holds the program's data.
//!
//! Each box is labelled with its layer in both models. Where one segment holds several WebSocket frames, their boxes
//! are drawn one below the other.

use super::dissect::{Dissection, Part, Role};
use super::look::{Look, fit};
use super::sheet::{Line, Sheet, Subject, Tone, width};
use crate::base::{Header, Layer};
use crate::layers::link::arp::ArpPacket;

/// Columns of the names beside the boxes.
const BESIDE: usize = 26;

/// Draws the parts of a frame as nested boxes with their lengths in bytes.
pub fn layers(dissection: &Dissection, look: &Look) -> Sheet {
    let width = look.columns() - BESIDE;
    let mut picture = Picture { look, width, sheet: Sheet::new() };
    picture.nest(&dissection.parts, 0, 0);
    if picture.sheet.height() == 0 {
        picture.sheet.push(Line::new());
    }
    picture.sheet
}

struct Picture<'a> {
    look: &'a Look,
    width: usize,
    sheet: Sheet,
}

/// Which part a line belongs to: its index, and how many boxes it lies in.
#[derive(Clone, Copy)]
struct Spot {
    part: usize,
    depth: usize,
    layer: Layer,
}

impl Picture<'_> {
    /// Draws `parts`, which lie side by side inside `depth` boxes; the first of them is number `first` of the frame.
    fn nest(&mut self, parts: &[Part], first: usize, depth: usize) {
        let mut rest = parts;
        while let Some((part, behind)) = rest.split_first() {
            let number = first + parts.len() - rest.len();
            let spot = Spot { part: number, depth, layer: part.layer };
            match part.role {
                Role::Header => {
                    let inside = &behind[..held(part, behind)];
                    self.open(part, inside, spot);
                    self.nest(inside, number + 1, depth + 1);
                    self.close(spot);
                    rest = &behind[inside.len()..];
                }
                Role::Data => {
                    self.row(&format!("data, {}", bytes(part.range.len())), spot);
                    rest = behind;
                }
                Role::Padding => {
                    self.row(&format!("padding, {}", bytes(part.range.len())), spot);
                    rest = behind;
                }
            }
        }
    }

    fn open(&mut self, part: &Part, inside: &[Part], spot: Spot) {
        let size = size_of(part, inside);
        let title = if inside.is_empty() {
            format!(" {}, {size} ", unit(part))
        } else {
            format!(" {}, {size}: header {} ", unit(part), part.range.len())
        };
        let beside = format!("{}, OSI {}", spot.layer, spot.layer.osi());
        self.border(&title, if self.look.ascii { ["+", "-", "+"] } else { ["┌", "─", "┐"] }, spot, &beside);
    }

    fn close(&mut self, spot: Spot) {
        self.border("", if self.look.ascii { ["+", "-", "+"] } else { ["└", "─", "┘"] }, spot, "");
    }

    fn border(&mut self, title: &str, [left, line, right]: [&str; 3], spot: Spot, beside: &str) {
        let inner = self.inner(spot.depth).saturating_sub(2);
        let shown = if width(title) > inner { fit(title, inner, self.look) } else { title.to_owned() };
        let fill = line.repeat(inner - width(&shown));
        self.line(&format!("{left}{shown}{fill}{right}"), Tone::Of(spot.layer), spot, beside);
    }

    fn row(&mut self, text: &str, spot: Spot) {
        let inner = self.inner(spot.depth);
        self.line(&fit(text, inner, self.look), Tone::Plain, spot, "");
    }

    /// Columns inside `depth` boxes, each of which takes two on either side.
    fn inner(&self, depth: usize) -> usize {
        self.width.saturating_sub(depth * 4).max(4)
    }

    fn line(&mut self, middle: &str, tone: Tone, spot: Spot, beside: &str) {
        let wall = if self.look.ascii { "|" } else { "│" };
        let mut line = Line::of(format!("{wall} ").repeat(spot.depth), Tone::Plain);
        let drawn = line.push(middle, tone);
        line.about(drawn, Subject::Part(spot.part));
        line.push(format!(" {wall}").repeat(spot.depth), Tone::Plain);
        if !beside.is_empty() {
            line.push("  ", Tone::Plain);
            let named = line.push(beside, Tone::Of(spot.layer));
            line.about(named, Subject::Part(spot.part));
        }
        self.sheet.push(line);
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

/// How many of the parts after a header are inside what it heads.
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

/// The name of a protocol's unit, such as `TCP segment`.
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
