//! A segment as a script says it: read, completed to one that arrives, held against one that was sent, and written.

use bytes::Bytes;

use super::words::{SyntaxError, Word, Words};
use crate::layers::transport::tcp::{Flags, Options, Segment, SeqNumber, TcpHeader, TcpOption};

/// What a line says of a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    flags: Flags,
    /// PSH and ECT count only when they are said.
    psh: Option<bool>,
    ect: Option<bool>,
    /// A router has marked it.
    pub(super) marked: bool,
    seq: Option<i64>,
    ack: Option<i64>,
    len: u16,
    window: Option<u16>,
    urgent: Option<u16>,
    options: Option<Vec<Opt>>,
}

/// An option, with the numbers of its blocks as they are said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Opt {
    Plain(TcpOption),
    Sack(Vec<(i64, i64)>),
    /// The sender's clock and the receiver's; `None` is any, or what a peer would say.
    Timestamps(Option<u32>, Option<u32>),
}

/// Where both directions count from, and what a peer would say next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// Our SYN.
    pub(super) isn: SeqNumber,
    /// The peer's.
    pub(super) peer_isn: SeqNumber,
    /// After all that the peer has sent.
    pub(super) next: SeqNumber,
    /// After all that our TCP has sent.
    pub(super) ack: SeqNumber,
    /// The peer's window field.
    pub(super) window: u16,
    /// The peer's clock, and ours as it was last heard.
    pub(super) clocks: (u32, u32),
    /// Our port and the peer's.
    pub(super) ports: (u16, u16),
}

/// A segment that our TCP has sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) segment: Segment,
    /// Its packet may be marked.
    pub(super) ect: bool,
}

const FLAGS: [(&str, Flags); 8] = [
    ("SYN", Flags::SYN),
    ("ACK", Flags::ACK),
    ("FIN", Flags::FIN),
    ("RST", Flags::RST),
    ("PSH", Flags::PSH),
    ("URG", Flags::URG),
    ("ECE", Flags::ECE),
    ("CWR", Flags::CWR),
];

const WORDS: [&str; 17] = [
    "SYN", "ACK", "FIN", "RST", "PSH", "URG", "ECE", "CWR", "CE", "ECT", "!PSH", "!ECT", "seq=", "ack=",
    "len=", "win=", "urg=",
];

const OPTIONS: [&str; 6] = ["mss=", "wscale=", "sack-permitted", "sack=", "ts=", "option="];

/// The largest payload: what an IPv4 packet carries beside two headers without options.
const MOST: u16 = 65_495;

impl Said {
    /// Reads the words after `<` (it arrives) or `>` (our TCP sends it).
    pub(super) fn read(words: &mut Words<'_>, arrives: bool) -> Result<Said, SyntaxError> {
        const EXPECTED: &str = "a flag such as SYN or ACK, or seq=, ack=, len=, win=, urg= or <options>";
        let mut said = Said::default();
        let mut next = Some(words.need(EXPECTED)?);
        while let Some(word) = next.take().or_else(|| words.next()) {
            if word.text.starts_with('<') && word.text.ends_with('>') {
                said.options = Some(options(word)?);
                continue;
            }
            let flag = FLAGS.iter().find(|(name, _)| *name == word.text);
            match (word.text, flag, word.split('=')) {
                ("PSH", ..) => said.psh = Some(true),
                ("!PSH", ..) if !arrives => said.psh = Some(false),
                ("ECT", ..) if !arrives => said.ect = Some(true),
                ("!ECT", ..) if !arrives => said.ect = Some(false),
                ("CE", ..) if arrives => said.marked = true,
                (_, Some((_, flag)), _) => said.flags = said.flags | *flag,
                (_, None, Some((name, value))) => said.field(word, name.text, value)?,
                _ => return Err(word.unknown(EXPECTED, WORDS)),
            }
        }
        Ok(said)
    }

    fn field(&mut self, word: Word<'_>, name: &str, value: Word<'_>) -> Result<(), SyntaxError> {
        const PLACE: &str = "a number that counts from the SYN, such as 1001";
        match name {
            "seq" => self.seq = Some(place(value, PLACE)?),
            "ack" => self.ack = Some(place(value, PLACE)?),
            "len" => {
                let len = value.number("0 to 65495 bytes, such as 1000")?;
                self.len =
                    if len > MOST { return Err(value.wrong("0 to 65495 bytes, such as 1000")) } else { len };
            }
            "win" => self.window = Some(value.number("a window of 0 to 65535, such as 65535")?),
            "urg" => self.urgent = Some(value.number("an urgent pointer of 0 to 65535, such as 1")?),
            _ => return Err(word.unknown("seq=, ack=, len=, win= or urg=", WORDS)),
        }
        Ok(())
    }

    /// The segment that arrives.
    pub(super) fn complete(&self, ends: &Ends) -> Segment {
        let flags = self.flags.with_if(self.psh == Some(true), Flags::PSH);
        let at = |isn: SeqNumber, place: i64| isn + place as u32;
        let seq = self.seq.map_or(ends.next, |seq| at(ends.peer_isn, seq));
        let mut options = Options::none();
        for option in self.options.iter().flatten() {
            options.push(match option {
                Opt::Plain(option) => option.clone(),
                Opt::Sack(blocks) => TcpOption::Sack(
                    blocks.iter().map(|(a, b)| (at(ends.isn, *a), at(ends.isn, *b))).collect(),
                ),
                Opt::Timestamps(value, echo) => TcpOption::Timestamps {
                    value: value.unwrap_or(ends.clocks.0),
                    echo: echo.unwrap_or(ends.clocks.1),
                },
            });
        }
        let header = TcpHeader {
            source_port: ends.ports.1,
            destination_port: ends.ports.0,
            seq,
            ack: match self.ack {
                Some(ack) => at(ends.isn, ack),
                None if flags.has(Flags::ACK) => ends.ack,
                None => SeqNumber(0),
            },
            flags,
            window: self.window.unwrap_or(ends.window),
            urgent: self.urgent.unwrap_or(0),
            options,
        };
        let first = ends.peer_isn.distance_to(seq).wrapping_add(u32::from(flags.has(Flags::SYN)));
        Segment { header, payload: stream(first, usize::from(self.len)) }
    }

    /// What of a segment that our TCP has sent is not as it was said.
    pub(super) fn differs(&self, sent: &Sent, ends: &Ends) -> Vec<&'static str> {
        let header = &sent.segment.header;
        let flags = header.flags.without(Flags::PSH);
        let seq = relative(header.seq, ends.isn, header.flags);
        let first = ends.isn.distance_to(header.seq).wrapping_add(u32::from(flags.has(Flags::SYN)));
        let payload = &sent.segment.payload;
        let wrong = [
            ("flags", self.flags != flags),
            ("PSH", self.psh.is_some_and(|psh| psh != header.flags.has(Flags::PSH))),
            ("ECT", self.ect.is_some_and(|ect| ect != sent.ect)),
            ("seq", self.seq.is_some_and(|said| said != seq)),
            ("ack", self.ack.is_some_and(|said| said != relative(header.ack, ends.peer_isn, Flags::NONE))),
            ("len", usize::from(self.len) != payload.len()),
            ("win", self.window.is_some_and(|window| window != header.window)),
            ("urg", self.urgent.is_some_and(|urgent| urgent != header.urgent)),
            (
                "options",
                self.options.as_ref().is_some_and(|said| !same(said, &header.options, ends.peer_isn)),
            ),
            ("the bytes of the payload", *payload != stream(first, payload.len())),
        ];
        wrong.into_iter().filter_map(|(what, is_wrong)| is_wrong.then_some(what)).collect()
    }
}

/// A place in a stream, which may be before its SYN.
fn place(word: Word<'_>, expected: &str) -> Result<i64, SyntaxError> {
    let place: i64 = word.number(expected)?;
    let fits = (-i64::from(u32::MAX)..=i64::from(u32::MAX)).contains(&place);
    if fits { Ok(place) } else { Err(word.wrong(expected)) }
}

/// The options between angle brackets.
fn options(word: Word<'_>) -> Result<Vec<Opt>, SyntaxError> {
    const EXPECTED: &str = "an option: mss=, wscale=, sack-permitted, sack=, ts= or option=";
    let inside = word.from(1).until(word.text.len() - 2);
    let (mut options, mut all, mut at) = (Vec::new(), Options::none(), 0);
    while let Some(skip) = inside.text[at..].find(|c: char| !c.is_whitespace() && c != ',') {
        let from = at + skip;
        let len = inside.text[from..].find(char::is_whitespace).unwrap_or(inside.text.len() - from);
        let one = inside.from(from).until(len);
        at = from + len;
        let one = one.until(one.text.trim_end_matches(',').len());
        let (name, value) = one.split('=').map_or((one.text, None), |(name, value)| (name.text, Some(value)));
        let option = match (name, value) {
            ("mss", Some(value)) => {
                Opt::Plain(TcpOption::MaximumSegmentSize(value.number("a segment size, such as 1460")?))
            }
            ("wscale", Some(value)) => {
                Opt::Plain(TcpOption::WindowScale(value.number("a shift, such as 7")?))
            }
            ("sack-permitted", None) => Opt::Plain(TcpOption::SackPermitted),
            ("sack", Some(value)) => Opt::Sack(blocks(value)?),
            ("ts", None) => Opt::Timestamps(None, None),
            ("ts", Some(value)) => {
                const CLOCKS: &str = "two clocks, such as 100/20 or */20";
                let (value, echo) = value.split('/').ok_or_else(|| value.wrong(CLOCKS))?;
                let clock =
                    |word: Word<'_>| if word.text == "*" { Ok(None) } else { word.number(CLOCKS).map(Some) };
                Opt::Timestamps(clock(value)?, clock(echo)?)
            }
            ("option", Some(value)) => Opt::Plain(other(value)?),
            _ => return Err(one.unknown(EXPECTED, OPTIONS)),
        };
        if !all.push(stand_in(&option)) {
            return Err(one.wrong("options of at most 40 bytes, the named ones by their names"));
        }
        options.push(option);
    }
    Ok(options)
}

/// An option of the same length.
fn stand_in(option: &Opt) -> TcpOption {
    match option {
        Opt::Plain(option) => option.clone(),
        Opt::Sack(blocks) => TcpOption::Sack(vec![Default::default(); blocks.len()]),
        Opt::Timestamps(..) => TcpOption::Timestamps { value: 0, echo: 0 },
    }
}

fn blocks(word: Word<'_>) -> Result<Vec<(i64, i64)>, SyntaxError> {
    const EXPECTED: &str =
        "blocks from their first number to the one after their last, such as 1001-2001,3001-4001";
    let mut rest = Some(word);
    let mut blocks = Vec::new();
    while let Some(all) = rest {
        let (one, after) = all.split(',').map_or((all, None), |(one, after)| (one, Some(after)));
        // The first may be negative.
        let dash = one.text.get(1..).and_then(|rest| rest.find('-')).ok_or_else(|| one.wrong(EXPECTED))?;
        let (start, end) = (one.until(dash + 1), one.from(dash + 2));
        blocks.push((place(start, EXPECTED)?, place(end, EXPECTED)?));
        rest = after;
    }
    Ok(blocks)
}

fn other(word: Word<'_>) -> Result<TcpOption, SyntaxError> {
    const EXPECTED: &str = "a kind and its bytes, such as 254:cafe";
    let (kind, hex) = word.split(':').ok_or_else(|| word.wrong(EXPECTED))?;
    let digits = hex.text.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or("-"), 16).ok();
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit) && digits.len().is_multiple_of(2);
    let data = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>().filter(|_| is_hex);
    Ok(TcpOption::Unknown { kind: kind.number(EXPECTED)?, data: data.ok_or_else(|| hex.wrong(EXPECTED))? })
}

/// Whether options are those that were said, in their order. What only pads does not count.
fn same(said: &[Opt], options: &Options, peer_isn: SeqNumber) -> bool {
    let mut real = options.iter().filter(|option| !matches!(option, TcpOption::NoOperation));
    let is = |said: &Opt, option: &TcpOption| match (said, option) {
        (Opt::Plain(said), option) => said == option,
        (Opt::Sack(said), TcpOption::Sack(blocks)) => {
            let number = |place: i64| peer_isn + place as u32;
            said.iter().map(|(a, b)| (number(*a), number(*b))).eq(blocks.iter().copied())
        }
        (Opt::Timestamps(a, b), TcpOption::Timestamps { value, echo }) => {
            a.is_none_or(|a| a == *value) && b.is_none_or(|b| b == *echo)
        }
        _ => false,
    };
    said.iter().all(|said| real.next().is_some_and(|option| is(said, option))) && real.next().is_none()
}

/// A number as scripts count. The RST that refuses a SYN has the number 0 of no stream (RFC 9293 §3.10.7.1).
fn relative(number: SeqNumber, isn: SeqNumber, flags: Flags) -> i64 {
    if flags.has(Flags::RST) && number == SeqNumber(0) {
        return 0;
    }
    i64::from(isn.distance_to(number).cast_signed())
}

/// The bytes of a stream from an offset on: each follows from its place.
pub(super) fn stream(offset: u32, len: usize) -> Bytes {
    (0..len as u32).map(|i| (offset.wrapping_add(i).wrapping_mul(31) % 251) as u8).collect()
}

/// A segment in the words of a script: one that our TCP has `sent`, or one that arrives.
pub(super) fn written(segment: &Segment, sent: bool, ends: &Ends) -> String {
    let header = &segment.header;
    let (own, other) = if sent { (ends.isn, ends.peer_isn) } else { (ends.peer_isn, ends.isn) };
    let mut words: Vec<String> = FLAGS
        .iter()
        .filter(|(_, flag)| header.flags.has(*flag))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    words.push(format!("seq={}", relative(header.seq, own, header.flags)));
    if header.flags.has(Flags::ACK) {
        words.push(format!("ack={}", relative(header.ack, other, Flags::NONE)));
    }
    if !segment.payload.is_empty() {
        words.push(format!("len={}", segment.payload.len()));
    }
    words.push(format!("win={}", header.window));
    if header.flags.has(Flags::URG) {
        words.push(format!("urg={}", header.urgent));
    }
    let options: Vec<String> =
        header.options.iter().filter_map(|option| option_written(option, other)).collect();
    if !options.is_empty() {
        words.push(format!("<{}>", options.join(" ")));
    }
    words.join(" ")
}

fn option_written(option: &TcpOption, isn: SeqNumber) -> Option<String> {
    let number = |number| relative(number, isn, Flags::NONE);
    Some(match option {
        TcpOption::NoOperation => return None,
        TcpOption::MaximumSegmentSize(mss) => format!("mss={mss}"),
        TcpOption::WindowScale(shift) => format!("wscale={shift}"),
        TcpOption::SackPermitted => "sack-permitted".into(),
        TcpOption::Sack(blocks) => {
            let blocks = blocks.iter().map(|(start, end)| format!("{}-{}", number(*start), number(*end)));
            format!("sack={}", blocks.collect::<Vec<_>>().join(","))
        }
        TcpOption::Timestamps { value, echo } => format!("ts={value}/{echo}"),
        TcpOption::Unknown { kind, data } => {
            let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("option={kind}:{hex}")
        }
    })
}
