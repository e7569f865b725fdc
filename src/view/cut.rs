//! A whole that was cut to fit, each piece at its place, and what the receiver has of the whole.
//!
//! It draws two things that look alike and are not: an IP packet cut into fragments (RFC 791 §3.2), and a stretch of a
//! TCP stream cut into segments (RFC 9293 §3.7.1). With TCP in the run it draws the stream, from the end that sent data
//! first; otherwise the first packet that was cut, or the first UDP datagram if none was.
//!
//! Left out: a second packet or a second stream of the same run; and pieces that a router cut again, of which only
//! those on the last link are drawn.

use std::net::SocketAddr;
use std::ops::Range;

use super::dissect::{TracedPacket, What, dissect_trace};
use super::look::{Look, fit};
use super::sheet::{Line, Sheet, Subject, Tone};
use crate::base::Layer;
use crate::layers::transport::udp;
use crate::trace::{Fate, FrameId, Past};

/// At most this many rows of pieces; of more, the first, the last and some lost ones are shown, and the others counted.
const MOST_ROWS: usize = 12;

/// Draws the pieces of a run as rows.
pub fn cut<'a>(run: impl Into<Past<'a>>, look: &Look) -> Sheet {
    let Some(whole) = Whole::find(run.into()) else {
        return Sheet::of("(nothing in this run was cut)", Tone::Plain);
    };
    let mut sheet = Sheet::from(whole.head(look));
    let mut left_out = 0;
    for (index, piece) in whole.pieces.iter().enumerate() {
        if !whole.is_shown(index) {
            left_out += 1;
            continue;
        }
        sheet.extend(gap(&mut left_out, look));
        sheet.push(whole.row(index, piece, look));
    }
    sheet.extend(gap(&mut left_out, look));
    sheet.push(whole.received(look));
    sheet
}

struct Whole {
    /// The layer that cut it.
    layer: Layer,
    /// What the place of a piece is called.
    place: &'static str,
    /// The number of its first byte.
    first: usize,
    /// Its length in bytes.
    len: usize,
    pieces: Vec<Piece>,
}

/// One piece, counted from the start of the whole.
struct Piece {
    frame: FrameId,
    range: Range<usize>,
    /// When it came, as text; or why it did not.
    fate: Result<String, &'static str>,
    again: bool,
}

impl Whole {
    fn find(run: Past<'_>) -> Option<Whole> {
        let packets = dissect_trace(run);
        let fates = run.fates();
        let nothing = Fate::default();
        let pieces = |range: &dyn Fn(&TracedPacket) -> Option<Range<usize>>| -> Vec<Piece> {
            packets
                .iter()
                .filter(|packet| reaches_its_end(run, packet))
                .filter_map(|packet| {
                    let fate = fates.get(&packet.frame).unwrap_or(&nothing);
                    let again = packet.packet.summary.is_retransmission();
                    Some(Piece { frame: packet.frame, range: range(packet)?, fate: told(fate), again })
                })
                .collect()
        };
        let stream = packets.iter().find(|p| matches!(&p.packet.summary.what, What::Tcp(tcp) if tcp.len > 0));
        if let Some(sender) = stream {
            let flow = sender.packet.summary.flow;
            let pieces = pieces(&|packet| match &packet.packet.summary.what {
                What::Tcp(tcp) if tcp.len > 0 && packet.packet.summary.flow == flow => {
                    // The SYN is number 0, so the first byte of the stream is number 1.
                    let start = usize::try_from(tcp.seq.saturating_sub(1)).unwrap_or(usize::MAX / 2);
                    Some(start..start + tcp.len)
                }
                _ => None,
            });
            return Whole::of(pieces, Layer::Transport, "seq", 1);
        }
        let fragment = |packet: &TracedPacket| match packet.packet.summary.what {
            What::Fragment { identification, .. } => {
                Some((packet.packet.summary.source.clone(), identification))
            }
            _ => None,
        };
        let Some(first) = packets.iter().find_map(fragment) else {
            let mut whole = pieces(&|packet| match packet.packet.summary.what {
                What::Udp { len } => Some(0..len + udp::HEADER_LEN),
                _ => None,
            });
            whole.truncate(1);
            return Whole::of(whole, Layer::Internet, "at", 0);
        };
        let pieces = pieces(&|packet| match packet.packet.summary.what {
            What::Fragment { offset, len, .. } if fragment(packet).as_ref() == Some(&first) => {
                Some(offset..offset + len)
            }
            _ => None,
        });
        Whole::of(pieces, Layer::Internet, "at", 0)
    }

    fn of(pieces: Vec<Piece>, layer: Layer, place: &'static str, first: usize) -> Option<Whole> {
        let len = pieces.iter().map(|piece| piece.range.end).max()?;
        Some(Whole { layer, place, first, len, pieces })
    }

    fn head(&self, look: &Look) -> Line {
        let columns = self.columns(look);
        let (left, line, right) = if look.ascii { ('|', '-', '|') } else { ('├', '─', '┤') };
        let titles = [format!(" {} bytes ", self.len), format!(" {} B ", self.len), String::new()];
        let title = titles.into_iter().find(|title| title.len() + 2 <= columns).unwrap_or_default();
        let room = columns.saturating_sub(title.len() + 2);
        let dashes = |n: usize| line.to_string().repeat(n);
        let bar = format!("{left}{}{title}{}{right}", dashes(room / 2), dashes(room - room / 2));
        let words = before("no", "bytes", self.place, "arrives", look);
        Line::of(words, Tone::Strong).with(bar, Tone::Plain)
    }

    fn row(&self, index: usize, piece: &Piece, look: &Look) -> Line {
        let (start, end) = (self.column(piece.range.start, look), self.column(piece.range.end, look));
        let mark = match (&piece.fate, look.ascii) {
            (Ok(_), false) => '█',
            (Ok(_), true) => '#',
            (Err(_), false) => '╳',
            (Err(_), true) => 'x',
        };
        let bar = mark.to_string().repeat(end.max(start + 1) - start);
        let (fate, tone) = match &piece.fate {
            Ok(at) => (at.as_str(), Tone::Of(self.layer)),
            Err(why) => (*why, Tone::Bad),
        };
        // A last piece narrower than a column still gets the last column.
        let start = start.min(self.columns(look).saturating_sub(1));
        let again = if piece.again { " again" } else { "" };
        let (len, first) = (piece.range.len(), piece.range.start + self.first);
        let numbers = before(&(index + 1).to_string(), &len.to_string(), &first.to_string(), fate, look);
        let mut line = Line::of(format!("{numbers}{}", " ".repeat(start)), Tone::Plain);
        line.push(bar, tone);
        line.push(again, Tone::Plain);
        line.about(0..line.width(), Subject::Frame(piece.frame));
        line
    }

    /// What has come of the whole.
    fn received(&self, look: &Look) -> Line {
        let mut have = vec![false; self.len];
        for piece in self.pieces.iter().filter(|piece| piece.fate.is_ok()) {
            have[piece.range.clone()].fill(true);
        }
        let count = have.iter().filter(|have| **have).count();
        let columns = self.columns(look);
        let (full, hole) = if look.ascii { ('#', '.') } else { ('█', '·') };
        // A column is full when all of its bytes are there: a hole of one byte is seen, too.
        let bar: String = (0..columns)
            .map(|column| {
                let start = (column * self.len / columns).min(self.len.saturating_sub(1));
                let end = ((column + 1) * self.len / columns).clamp(start + 1, self.len.max(start + 1));
                if have.get(start..end).is_some_and(|bytes| bytes.iter().all(|have| *have)) {
                    full
                } else {
                    hole
                }
            })
            .collect();
        let words = match count == self.len {
            true => "in its place: all of it".to_owned(),
            false => format!("in its place: {count} B"),
        };
        Line::of(fit(&words, width_before(look), look), Tone::Plain).with(bar, Tone::Of(self.layer))
    }

    fn columns(&self, look: &Look) -> usize {
        // Room for the word after a row of the last piece.
        look.columns().saturating_sub(width_before(look) + 6).max(8)
    }

    fn column(&self, byte: usize, look: &Look) -> usize {
        byte * self.columns(look) / self.len.max(1)
    }

    fn is_shown(&self, index: usize) -> bool {
        let lost = |piece: &Piece| piece.fate.is_err();
        let lost_before = self.pieces[..index].iter().filter(|piece| lost(piece)).count();
        self.pieces.len() <= MOST_ROWS
            || index < 5
            || index + 3 >= self.pieces.len()
            || (lost(&self.pieces[index]) && lost_before < 3)
    }
}

/// The columns before the bars: in a narrow terminal they are narrower.
fn before(number: &str, len: &str, first: &str, fate: &str, look: &Look) -> String {
    let Before { number: n, size, fate: f, gap } = Before::of(look);
    let gap = " ".repeat(gap);
    format!("{number:>n$}{len:>size$}{first:>size$}{gap}{}{gap}", fit(fate, f, look))
}

fn width_before(look: &Look) -> usize {
    let Before { number, size, fate, gap } = Before::of(look);
    number + 2 * size + 2 * gap + fate
}

/// How wide they are.
struct Before {
    number: usize,
    size: usize,
    fate: usize,
    gap: usize,
}

impl Before {
    fn of(look: &Look) -> Self {
        match look.columns() < 60 {
            true => Before { number: 2, size: 6, fate: 8, gap: 1 },
            false => Before { number: 4, size: 7, fate: 9, gap: 2 },
        }
    }
}

/// Whether a frame goes to the host that its packet is for, and not to a router on the way.
fn reaches_its_end(run: Past<'_>, packet: &TracedPacket) -> bool {
    let Some(to) = run.places.get(usize::from(packet.to.0)) else { return false };
    let destination = &packet.packet.summary.destination;
    let host = destination.parse::<SocketAddr>().map(|end| end.ip()).or_else(|_| destination.parse());
    host.is_ok_and(|host| to.addresses.contains(&host))
}

fn told(fate: &Fate<'_>) -> Result<String, &'static str> {
    match (fate.dropped_by, fate.discarded, fate.delivered) {
        (Some(_), _, _) => Err("lost"),
        (None, Some(_), _) => Err("refused"),
        (None, None, Some(at)) => Ok(format!("{:.1} ms", at.as_millis_f64())),
        (None, None, None) => Err("under way"),
    }
}

fn gap(left_out: &mut usize, look: &Look) -> Option<Line> {
    let dots = if look.ascii { "..." } else { "…" };
    match std::mem::take(left_out) {
        0 => None,
        n => Some(Line::of(format!("{dots:>4}  {n} more"), Tone::Faint)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::transport::tcp::Flags;
    use crate::trace::{Protocol, Trace, Wire};
    use crate::view::sample::{exchange, fragments, tcp, udp};

    const DATA: Flags = Flags::ACK;

    #[test]
    fn a_stream_is_drawn_as_its_segments() {
        let segments = vec![
            tcp(true, Flags::SYN, 0, 0, b""),
            tcp(true, DATA, 1, 1, &[b'a'; 100]),
            tcp(true, DATA, 201, 1, &[b'c'; 50]),
            tcp(true, DATA, 101, 1, &[b'b'; 100]),
            tcp(true, DATA, 101, 1, &[b'b'; 100]),
        ];
        let text = cut(&exchange(Protocol::Tcp, &[], segments, &[3], &[]), &Look::plain());
        insta::assert_snapshot!(text, @r"
          no  bytes    seq  arrives    |--------------- 250 bytes ---------------|
           1    100      1  1.5 ms     #################
           2     50    201  2.5 ms                                       #########
           3    100    101  lost                        xxxxxxxxxxxxxxxxx
           4    100    101  4.5 ms                      ################# again
        in its place: all of it        ###########################################
        ");
    }

    #[test]
    fn a_hole_in_a_packet_is_seen() {
        let text =
            cut(&exchange(Protocol::Udp, &[], fragments(&[b'f'; 100], 48), &[1], &[]), &Look::default());
        insta::assert_snapshot!(text, @r"
          no  bytes     at  arrives    ├─────────────── 108 bytes ───────────────┤
           1     48      0  0.5 ms     ███████████████████
           2     48     48  lost                          ╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳
           3     12     96  2.5 ms                                           █████
        in its place: 60 B             ███████████████████····················████
        ");
    }

    #[test]
    fn a_packet_that_was_not_cut_is_one_piece() {
        let text =
            cut(&exchange(Protocol::Udp, &[], vec![udp(b"hello")], &[], &[]), &Look::plain()).to_string();
        assert!(text.contains("13 bytes") && text.contains("all of it"), "{text}");
    }

    #[test]
    fn many_pieces_are_counted_and_not_drawn() {
        let pieces = fragments(&[b'f'; 5000], 8);
        let trace = exchange(Protocol::Udp, &[], pieces, &[100, 101, 300, 301, 302], &[]);
        for look in [Look::plain(), Look::default(), Look { width: 40, ..Look::default() }] {
            let sheet = cut(&trace, &look);
            let text = sheet.to_string();
            assert!(sheet.height() <= MOST_ROWS + 4, "{text}");
            assert_eq!(text.matches("lost").count(), 3, "{text}");
            assert!(sheet.width() <= look.columns(), "{text}");
            assert!(!look.ascii || text.is_ascii(), "{text}");
        }
    }

    #[test]
    fn a_run_without_packets_is_no_error() {
        assert!(cut(&Trace::new("", Wire::Sim), &Look::default()).to_string().contains("nothing"));
    }
}
