//! A header in rows of 32 bits: the picture of [`header_box`](crate::view::header_box), as SVG.

use super::{Alt, Anchor, Canvas, LineStyle};
use crate::base::{Field, Header, Layer};
use crate::layers::application::websocket::FrameHeader;
use crate::layers::internet::icmp::IcmpHeader;
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::ethernet::EthernetHeader;
use crate::layers::transport::tcp::TcpHeader;
use crate::layers::transport::udp::UdpHeader;
use crate::view::dissect::Part;
use crate::view::header_box::{ROW, rows};
use crate::view::sheet::{Tone, wrap};

/// Width of a bit.
const BIT: f64 = 20.0;
/// From the edge to the first bit.
const EDGE: f64 = 4.0;
/// Height of a line of text.
const LINE: f64 = 16.0;
/// Letters in a line below the box.
const LETTERS: usize = 86;

/// Draws the header of a packet with its values.
pub fn to_svg(part: &Part, alt: Alt<'_>) -> String {
    let fields: Vec<_> = part.fields.iter().map(|value| (value.field, Some(value.text.as_str()))).collect();
    let title = format!("{}, {} bytes", part.protocol, part.range.len());
    draw(&title, part.layer, &fields, alt)
}

/// Draws the layout of a protocol's header, without values.
pub(super) fn layout_to_svg<H: Header>(alt: Alt<'_>) -> String {
    let fields: Vec<_> = H::FIELDS.iter().map(|field| (*field, None)).collect();
    draw(H::PROTOCOL, H::LAYER, &fields, alt)
}

/// The layout of the header that has this name in the book; `None` when there is none.
pub fn layout_by_name(name: &str, alt: Alt<'_>) -> Option<String> {
    Some(match name {
        "ethernet" => layout_to_svg::<EthernetHeader>(alt),
        "arp" => layout_to_svg::<ArpPacket>(alt),
        "ipv4" => layout_to_svg::<Ipv4Header>(alt),
        "icmp" => layout_to_svg::<IcmpHeader>(alt),
        "udp" => layout_to_svg::<UdpHeader>(alt),
        "tcp" => layout_to_svg::<TcpHeader>(alt),
        "websocket" => layout_to_svg::<FrameHeader>(alt),
        _ => return None,
    })
}

/// The names that [`layout_by_name`] knows.
pub const LAYOUTS: &[&str] = &["ethernet", "arp", "ipv4", "icmp", "udp", "tcp", "websocket"];

fn draw(title: &str, layer: Layer, fields: &[(Field, Option<&str>)], alt: Alt<'_>) -> String {
    let mut canvas = Canvas::default();
    let mut notes = Vec::new();
    let rows = rows(fields, ROW, &mut notes);
    let values = fields.iter().any(|(_, value)| value.is_some());
    let height = if values { 2.0 * LINE + 6.0 } else { LINE + 10.0 };
    let bits = rows.iter().flatten().map(|cell| cell.first + cell.bits).max().unwrap_or(0);
    canvas.text((EDGE, 14.0), Anchor::Start, Tone::Of(layer), title);
    ruler(bits, 34.0, &mut canvas);
    let mut top = 40.0;
    for row in &rows {
        for cell in row {
            let left = EDGE + cell.first as f64 * BIT;
            let width = cell.bits as f64 * BIT;
            canvas.tinted_box((left, top), (width, height), Tone::Of(layer));
            let middle = left + width / 2.0;
            canvas.text((middle, top + 16.0), Anchor::Middle, Tone::Plain, &cell.name);
            if values {
                canvas.text((middle, top + 16.0 + LINE), Anchor::Middle, Tone::Of(layer), &cell.value);
            }
        }
        top += height;
    }
    top += 4.0;
    for note in notes.iter().flat_map(|note| wrap(note.trim(), LETTERS)) {
        top += LINE;
        canvas.text((EDGE, top), Anchor::Start, Tone::Faint, &note);
    }
    let text = format!("{} {}", alt.text, told(fields)).trim().to_string();
    let size = (2.0 * EDGE + 32.0 * BIT, top + 6.0);
    canvas.part_of_page(size, Alt { text: &text, ..alt })
}

/// The bits counted above the box, each byte's first one marked.
fn ruler(bits: usize, y: f64, canvas: &mut Canvas) {
    for bit in 0..bits {
        let x = EDGE + (bit as f64 + 0.5) * BIT;
        if bit % 8 == 0 || bit % 8 == 7 {
            canvas.text((x, y - 4.0), Anchor::Middle, Tone::Faint, &bit.to_string());
        }
        let left = EDGE + bit as f64 * BIT;
        canvas.line((left, y), (left, y + 4.0), Tone::Faint, LineStyle::Solid);
    }
}

/// All fields in words.
fn told(fields: &[(Field, Option<&str>)]) -> String {
    let field = |(field, value): &(Field, Option<&str>)| {
        let bits = match field.bits {
            0 => "of varying length".to_string(),
            1 => "1 bit".to_string(),
            bits => format!("{bits} bits"),
        };
        let value = value.map_or(String::new(), |value| format!(" = {value}"));
        format!("{}{value} ({bits})", field.name)
    };
    let fields: Vec<String> = fields.iter().map(field).collect();
    format!("Fields in order: {}.", fields.join(", "))
}
