//! `netlayers decode`: bytes taken apart, layer by layer.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::number::number_from;
use super::output::Output;
use crate::view::capture::Capture;
use crate::view::dissect::{Conversations, Dissection, dissect_frame, dissect_packet};
use crate::view::header_box::header_boxes;
use crate::view::hexdump::hexdump;
use crate::view::layers::layers;
use crate::view::look::{escape, fit};
use crate::view::sheet::{Line, Tone};

/// `netlayers decode`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers decode capture.pcapng
  netlayers decode 45000028000140004006... --view header
  xxd -p packet.bin | netlayers decode -")]
pub(super) struct DecodeArgs {
    /// Hexadecimal text (spaces, colons and `0x` are skipped), the name of a pcap or pcapng file, or `-` for
    /// hexadecimal text from standard input
    input: String,
    /// What the bytes begin with
    #[arg(long, value_enum, default_value_t = From::Auto)]
    from: From,
    /// Which picture to draw
    #[arg(long, value_enum)]
    view: Option<DecodeView>,
    /// One frame of a file only, by its number
    #[arg(long, value_name = "N", value_parser = number_from(1_u64, 3))]
    frame: Option<u64>,
    /// Leave nothing out, however long it gets
    #[arg(long)]
    whole: bool,
    /// Sequence numbers as they are on the wire, instead of counted from 0
    #[arg(long)]
    absolute: bool,
}

/// Which picture of decoded bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DecodeView {
    /// One line a frame
    Table,
    /// Every byte, tagged with its layer
    Hex,
    /// Every header, field by field
    Header,
    /// What is wrapped in what, with byte counts
    Layers,
}

/// What decoded bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// An Ethernet frame, or an IPv4 packet if it looks like one
    Auto,
    /// An Ethernet frame, with or without its check sequence
    Ethernet,
    /// An IPv4 packet
    Ip,
}

/// The most bytes of hexadecimal text: far more than the largest packet.
const MAX_HEX: u64 = 1 << 20;
/// The largest piece of bytes that is decoded as one frame.
const MAX_FRAME: usize = 1 << 16;
/// How many packets of a file are listed unless all were asked for.
const MOST_PACKETS: usize = 1000;
/// How many are taken apart one by one.
const MOST_FRAMES: usize = 8;

pub(super) fn run(args: &DecodeArgs, out: &mut Output) -> Result<(), CliError> {
    out.look.absolute = args.absolute;
    if args.input == "-" {
        let mut text = String::new();
        io::stdin().take(MAX_HEX).read_to_string(&mut text).map_err(|error| {
            CliError::Failed(format!("reading hexadecimal text from standard input: {error}"))
        })?;
        return bytes(args, &hex(&text)?, out);
    }
    let path = Path::new(&args.input);
    if path.is_file() {
        return file(args, path, out);
    }
    match hex(&args.input) {
        Ok(found) => bytes(args, &found, out),
        // What looks like a file name is answered as one.
        Err(_) if args.input.contains(['.', '/', '\\']) => Err(CliError::Failed(format!(
            "there is no file {}; expected a pcap or pcapng file, or hexadecimal text",
            escape(&args.input)
        ))),
        Err(error) => Err(error),
    }
}

/// Bytes from hexadecimal text. Spaces, line ends, colons, commas, dashes and `0x` are skipped.
fn hex(text: &str) -> Result<Vec<u8>, CliError> {
    let mut digits = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '0' if rest.peek().is_some_and(|(_, next)| matches!(next, 'x' | 'X')) => {
                rest.next();
            }
            ':' | ',' | '-' | '_' => {}
            c if c.is_whitespace() => {}
            c => match c.to_digit(16) {
                Some(digit) => digits.push(digit as u8),
                None => {
                    let got = escape(c.to_string());
                    let message = format!(
                        "not hexadecimal: expected a digit 0-9 or a-f at character {at}, got '{got}'"
                    );
                    return Err(CliError::Usage(message));
                }
            },
        }
    }
    if digits.is_empty() {
        return Err(CliError::Usage("no bytes: expected hexadecimal text, such as 45000028".into()));
    }
    if digits.len() % 2 == 1 {
        let message =
            format!("half a byte at the end: expected an even number of digits, got {}", digits.len());
        return Err(CliError::Usage(message));
    }
    if digits.len() / 2 > MAX_FRAME {
        return Err(CliError::Usage(format!("too long for one frame: expected at most {MAX_FRAME} bytes")));
    }
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// One frame or packet. It fails when something in it is wrong, after showing all that could be read.
fn bytes(args: &DecodeArgs, bytes: &[u8], out: &mut Output) -> Result<(), CliError> {
    let is_packet = match args.from {
        From::Ethernet => false,
        From::Ip => true,
        // Version 4 and a header length of at least 20 bytes: few Ethernet addresses begin like that, and a wrong guess
        // shows at once.
        From::Auto => bytes[0] >> 4 == 4 && bytes[0] & 0xf >= 5,
    };
    let dissection = if is_packet { dissect_packet(bytes) } else { dissect_frame(bytes) };
    match args.view {
        Some(view) => picture(view, &dissection, bytes, out)?,
        None => {
            out.sheet(&layers(&dissection, &out.look))?;
            out.line("")?;
            out.sheet(&hexdump(bytes, &dissection, &out.look))?;
            out.line("")?;
            picture(DecodeView::Header, &dissection, bytes, out)?;
        }
    }
    match dissection.problems.first() {
        None => Ok(()),
        Some(problem) => {
            out.flush()?;
            Err(CliError::Failed(problem.to_string()))
        }
    }
}

/// A capture file: the list of its packets, or pictures of some.
fn file(args: &DecodeArgs, path: &Path, out: &mut Output) -> Result<(), CliError> {
    let name = path.display();
    let opened = File::open(path).map_err(|error| CliError::io(&format!("opening {name}"), &error))?;
    let capture = Capture::open(BufReader::new(opened))
        .map_err(|error| CliError::Failed(format!("{name}: {error}")))?;
    let view = args.view.unwrap_or(if args.frame.is_some() { DecodeView::Header } else { DecodeView::Table });
    let most = match (view, args.whole || args.frame.is_some()) {
        (_, true) => usize::MAX,
        (DecodeView::Table, _) => MOST_PACKETS,
        _ => MOST_FRAMES,
    };
    let mut conversations = Conversations::new();
    let mut first_time = None;
    let mut unknown = 0usize;
    let mut seen = 0usize;
    let mut found = false;
    for captured in capture {
        let captured = captured.map_err(|error| CliError::Failed(format!("{name}: {error}")))?;
        seen += 1;
        if seen > most {
            continue;
        }
        let number = seen as u64;
        let at = captured.at_nanos.unwrap_or(0);
        let since = at.saturating_sub(*first_time.get_or_insert(at)) as f64 / 1e6;
        let packet = captured.dissect(&mut conversations);
        if args.frame.is_some_and(|wanted| wanted != number) {
            continue;
        }
        found = true;
        let Some(packet) = packet else {
            unknown += 1;
            out.line(format!(
                "{number:>5} {since:>11.3} ms  {:?}: no dissector for this link type",
                captured.link
            ))?;
            continue;
        };
        let summary = &packet.summary;
        let (from, to) = (&summary.source, &summary.destination);
        let info = if out.look.width < 120 { summary.brief(args.absolute) } else { summary.info() };
        let line = format!("{number:>4} {since:>9.3} ms  {from} > {to}  {}  {info}", summary.protocol);
        out.line(fit(&line, out.look.columns(), &out.look).trim_end())?;
        for problem in &packet.dissection.problems {
            let problem = problem.to_string();
            out.sheet(&Line::of("      ", Tone::Plain).with(problem, Tone::Bad).into())?;
        }
        if view != DecodeView::Table {
            let bytes = captured.ip_packet().unwrap_or(&captured.bytes).to_vec();
            picture(view, &packet.dissection, &bytes, out)?;
            out.line("")?;
        }
    }
    match args.frame {
        Some(wanted) if !found => {
            return Err(CliError::Failed(format!("there is no packet {wanted} in {name}: it has {seen}")));
        }
        Some(_) => {}
        None if seen > most => {
            out.line(format!("{} more packets not shown; --whole shows them", seen - most))?;
        }
        None if seen == 0 => out.line(format!("{name} holds no packets"))?,
        None => {}
    }
    if unknown > 0 {
        super::output::remark(format!("{unknown} packets have a link type that netlayers does not know"));
    }
    Ok(())
}

fn picture(
    view: DecodeView,
    dissection: &Dissection,
    bytes: &[u8],
    out: &mut Output,
) -> Result<(), CliError> {
    let look = out.look;
    match view {
        DecodeView::Hex => out.sheet(&hexdump(bytes, dissection, &look)),
        DecodeView::Layers => out.sheet(&layers(dissection, &look)),
        DecodeView::Header | DecodeView::Table => out.sheet(&header_boxes(dissection, &look)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_text_is_read_as_people_paste_it() {
        for text in ["45000102", "45 00\n01 02", "45:00:01:02", "0x45, 0x00, 0x01, 0x02", "4500-0102"] {
            assert_eq!(hex(text).expect(text), [0x45, 0, 1, 2]);
        }
    }

    #[test]
    fn what_is_not_hexadecimal_is_answered_with_the_place() {
        let error = |text: &str| hex(text).expect_err(text).to_string();
        assert!(error("45zz").contains("character 2, got 'z'"));
        assert!(error("450").contains("half a byte"));
        assert!(error("").contains("no bytes"));
    }
}
