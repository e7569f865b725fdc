//! `netlayers decode`: bytes taken apart, layer by layer.

mod args;
mod filter;
mod gzip;
mod input;

use std::io::Read;

use super::error::CliError;
use super::output::{Output, remark};
use crate::base::Instant;
use crate::view::capture::talks::Talks;
use crate::view::capture::{Capture, Captured, json};
use crate::view::dissect::{
    Conversations, Dissection, Forgotten, LinkType, Packet, dissect_frame, dissect_packet,
};
use crate::view::header_box::header_boxes;
use crate::view::hexdump::hexdump;
use crate::view::ladder::{LadderOptions, Observed};
use crate::view::layers::layers;
use crate::view::look::{fit, harmless};
use crate::view::sheet::{Line, Tone, width};
pub(super) use args::DecodeArgs;
use args::{DecodeView, From};
use filter::Filter;
use input::Input;

/// How many packets of a file are listed unless all were asked for.
const MOST_PACKETS: usize = 1000;
/// How many are taken apart one by one.
const MOST_FRAMES: usize = 8;

/// Runs the command.
pub(super) fn run(args: &DecodeArgs, out: &mut Output) -> Result<(), CliError> {
    out.look.absolute = args.absolute;
    let filter = args.filter.as_deref().map(Filter::parse).transpose()?;
    if !args.json && args.view != Some(DecodeView::Mermaid) {
        out.in_pages();
    }
    match Input::open(&args.input)? {
        Input::Capture(name, reader) => {
            let capture =
                Capture::open(reader).map_err(|error| CliError::Failed(format!("{name}: {error}")))?;
            let packets =
                capture.map(|packet| packet.map_err(|error| CliError::Failed(format!("{name}: {error}"))));
            Listing::new(args, filter, &name).show(packets, out)
        }
        Input::Packets(packets) => match &packets[..] {
            [packet] if !args.asks_for_a_list() => bytes(args, packet, out),
            _ => {
                let captured = packets.into_iter().map(|bytes| Ok(from_text(args, bytes)));
                Listing::new(args, filter, "the text").show(captured, out)
            }
        },
    }
}

impl DecodeArgs {
    /// Whether a single packet is to be treated as a capture of one.
    fn asks_for_a_list(&self) -> bool {
        let list = self.view.is_some_and(DecodeView::is_of_a_list);
        list || self.json || self.frame.is_some() || self.filter.is_some() || self.conversation.is_some()
    }

    /// Whether bytes are an IP packet, or begin with an Ethernet header.
    fn is_packet(&self, bytes: &[u8]) -> bool {
        match self.from {
            From::Ethernet => false,
            From::Ip => true,
            // Version 4 and a header length of at least 20 bytes, or version 6 and the very length that follows: few
            // Ethernet addresses begin like that, and a wrong guess shows at once.
            From::Auto => match *bytes {
                [0x45..=0x4f, ..] => true,
                [0x60..=0x6f, _, _, _, high, low, ..] => {
                    usize::from(u16::from_be_bytes([high, low])) + 40 == bytes.len()
                }
                _ => false,
            },
        }
    }
}

impl DecodeView {
    /// Whether it shows packets together, and not each by itself.
    fn is_of_a_list(self) -> bool {
        match self {
            DecodeView::Table | DecodeView::Conversations | DecodeView::Ladder | DecodeView::Mermaid => true,
            DecodeView::Hex | DecodeView::Header | DecodeView::Layers => false,
        }
    }
}

/// A packet of a pasted text: when it was sent is not known.
fn from_text(args: &DecodeArgs, bytes: Vec<u8>) -> Captured {
    let link = if args.is_packet(&bytes) { LinkType::RawIp } else { LinkType::Ethernet };
    let original_len = bytes.len();
    Captured { at_nanos: None, interface: 0, link, bytes, original_len, comments: Vec::new() }
}

/// One frame or packet. It fails when something in it is wrong, after showing all that could be read.
fn bytes(args: &DecodeArgs, bytes: &[u8], out: &mut Output) -> Result<(), CliError> {
    let dissection = if args.is_packet(bytes) { dissect_packet(bytes) } else { dissect_frame(bytes) };
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
    for remark in &dissection.remarks {
        out.line(format!("[{remark}]"))?;
    }
    match dissection.problems.first() {
        None => Ok(()),
        Some(problem) => {
            out.finish()?;
            Err(CliError::Failed(problem.to_string()))
        }
    }
}

/// The packets of a capture on their way to the screen.
struct Listing<'a> {
    args: &'a DecodeArgs,
    filter: Option<Filter>,
    name: &'a str,
    view: DecodeView,
    conversations: Conversations,
    talks: Talks,
    observed: Observed,
    first_time: Option<u64>,
    /// Packets read, packets that were asked for, and packets of a link type without a dissector.
    seen: u64,
    shown: usize,
    unknown: u64,
}

impl<'a> Listing<'a> {
    fn new(args: &'a DecodeArgs, filter: Option<Filter>, name: &'a str) -> Self {
        let view =
            args.view.unwrap_or(if args.frame.is_some() { DecodeView::Header } else { DecodeView::Table });
        Listing {
            args,
            filter,
            name,
            view,
            conversations: Conversations::new(),
            talks: Talks::default(),
            observed: Observed::new("", args.conversation.is_some()),
            first_time: None,
            seen: 0,
            shown: 0,
            unknown: 0,
        }
    }

    /// Shows what was asked for of the packets. A capture that breaks off is shown up to there.
    fn show(
        mut self,
        packets: impl Iterator<Item = Result<Captured, CliError>>,
        out: &mut Output,
    ) -> Result<(), CliError> {
        if self.args.json {
            out.document(json::begin())?;
        }
        let mut broken = None;
        for packet in packets {
            match packet {
                Ok(captured) => self.packet(&captured, out)?,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        self.end(out)?;
        match broken {
            None => Ok(()),
            Some(error) => {
                out.finish()?;
                Err(error)
            }
        }
    }

    fn most(&self) -> usize {
        match self.view {
            _ if self.args.whole || self.args.frame.is_some() || self.args.json => usize::MAX,
            DecodeView::Conversations | DecodeView::Ladder | DecodeView::Mermaid => usize::MAX,
            DecodeView::Table => MOST_PACKETS,
            DecodeView::Hex | DecodeView::Header | DecodeView::Layers => MOST_FRAMES,
        }
    }

    fn packet(&mut self, captured: &Captured, out: &mut Output) -> Result<(), CliError> {
        self.seen += 1;
        let chosen = self.filter.is_some() || self.args.conversation.is_some();
        if self.shown >= self.most() && !chosen {
            self.shown += 1;
            return Ok(());
        }
        let at = captured.at_nanos.unwrap_or(self.first_time.unwrap_or(0));
        let since = at.saturating_sub(*self.first_time.get_or_insert(at));
        let packet = captured.dissect(&mut self.conversations);
        let talk = self.talks.note(&packet.summary, captured.original_len as u64, since);
        self.unknown += u64::from(matches!(captured.link, LinkType::Other(_)));
        let wanted = self.filter.as_ref().is_none_or(|filter| filter.takes(&packet))
            && self.args.frame.is_none_or(|wanted| wanted == self.seen)
            && self.args.conversation.is_none_or(|wanted| talk == Some(wanted));
        if !wanted {
            return Ok(());
        }
        self.shown += 1;
        if self.shown > self.most() {
            return Ok(());
        }
        if self.args.json {
            let before = if self.shown > 1 { ",\n" } else { "\n" };
            let packet = json::packet(captured, self.seen, since, talk, &packet)
                .map_err(|error| CliError::Failed(format!("writing JSON: {error}")))?;
            return out.document(format!("{before}{packet}"));
        }
        match self.view {
            DecodeView::Conversations => Ok(()),
            DecodeView::Ladder | DecodeView::Mermaid => {
                self.observed.note(Instant::from_nanos(since), packet.summary);
                Ok(())
            }
            DecodeView::Table => self.line(since, &packet, out),
            DecodeView::Hex | DecodeView::Header | DecodeView::Layers => {
                self.line(since, &packet, out)?;
                picture(self.view, &packet.dissection, &captured.bytes, out)?;
                out.line("")
            }
        }
    }

    /// One line, and a line for each problem. Lines are whole unless a terminal would wrap them.
    fn line(&self, since: u64, packet: &Packet, out: &mut Output) -> Result<(), CliError> {
        let summary = &packet.summary;
        let (from, to) = (&summary.source, &summary.destination);
        let look = out.look;
        let info = match look.width < 120 {
            true => summary.brief(self.args.absolute),
            false if self.args.absolute => summary.info_absolute(),
            false => summary.info(),
        };
        let (number, since) = (self.seen, since as f64 / 1e6);
        let mut line = format!("{number:>4} {since:>9.3} ms  {from} > {to}  {}  {info}", summary.protocol);
        let remarks: String = packet.dissection.remarks.iter().map(|remark| format!(" [{remark}]")).collect();
        if !out.is_screen() {
            line.push_str(&remarks);
            out.line(line.trim_end())?;
        } else if width(&line) + width(&remarks) <= look.columns() {
            line.push_str(&remarks);
            out.line(line)?;
        } else {
            out.line(fit(&harmless(&line), look.columns(), &look).trim_end())?;
            if !remarks.is_empty() {
                out.toned(Tone::Faint, format!("     {remarks}"))?;
            }
        }
        for problem in &packet.dissection.problems {
            let problem = problem.to_string();
            out.line(Line::of("      ", Tone::Plain).with(problem, Tone::Bad))?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Output) -> Result<(), CliError> {
        let name = self.name;
        if self.args.json {
            out.document(json::end())?;
        } else if self.view == DecodeView::Conversations {
            out.sheet(&self.talks.list(&out.look, out.is_screen()))?;
        } else if self.shown > 0 {
            let options = LadderOptions { whole: self.args.whole, ..LadderOptions::default() };
            match self.view {
                DecodeView::Ladder => out.sheet(&self.observed.ladder().draw(&out.look, options))?,
                DecodeView::Mermaid => {
                    out.document(self.observed.ladder().to_mermaid(self.args.absolute, options))?;
                }
                _ => {}
            }
        }
        match (self.args.frame, self.args.conversation) {
            (Some(wanted), _) if self.shown == 0 => {
                return Err(CliError::Failed(format!(
                    "there is no packet {wanted} in {name}: it has {}",
                    self.seen
                )));
            }
            (_, Some(wanted)) if self.shown == 0 => {
                return Err(CliError::Failed(format!(
                    "nothing of conversation {wanted} in {name}: it has {} (--view conversations lists them)",
                    self.talks.len()
                )));
            }
            _ if self.args.json || self.args.frame.is_some() => {}
            _ if self.shown > self.most() => {
                out.line(format!("{} more packets not shown; --whole shows them", self.shown - self.most()))?;
            }
            _ if self.seen == 0 => out.line(format!("{name} holds no packets"))?,
            _ if self.shown == 0 => {
                remark(format!("none of the {} packets in {name} pass the filter", self.seen));
            }
            _ => {}
        }
        if self.unknown > 0 {
            remark(format!("{} packets have a link type that netlayers does not know", self.unknown));
        }
        self.say_what_was_forgotten();
        Ok(())
    }

    fn say_what_was_forgotten(&self) {
        let Forgotten { connections, names, fragments } = self.conversations.forgotten();
        if connections > 0 {
            remark(format!(
                "too many connections at once: {connections} were forgotten while others were followed, and count \
                 from 1 again when they go on"
            ));
        }
        if names > 0 {
            remark(format!("{names} frames and heads were forgotten: sent again, they are not named"));
        }
        if fragments > 0 {
            remark(format!("{fragments} packets in fragments were forgotten before they were whole"));
        }
        if self.observed.left_out() > 0 {
            remark(format!("{} packets had no room on the ladder", self.observed.left_out()));
        }
        if self.talks.left_out() > 0 {
            remark(format!("{} packets belong to conversations beyond those counted", self.talks.left_out()));
        }
    }
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
        DecodeView::Header
        | DecodeView::Table
        | DecodeView::Conversations
        | DecodeView::Ladder
        | DecodeView::Mermaid => out.sheet(&header_boxes(dissection, &look)),
    }
}

/// Anything that can be read.
type Reader = Box<dyn Read>;
