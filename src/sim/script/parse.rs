//! From text to lines: the knobs of a script, then what happens when.

use super::segment::Said;
use super::words::{SyntaxError, Word, Words};
use crate::base::Duration;
use crate::layers::transport::tcp::{Config, Event, IcmpError, Reason, Report, SeqNumber, State};
use crate::sim::knob::network::NETWORK;
use crate::sim::knob::{AnyKnob, Knobs, values};

/// The most bytes of a script, and the most of its lines that do something.
const MOST_BYTES: usize = 1 << 20;
const MOST_LINES: usize = 10_000;

/// The most bytes that one call writes or reads.
const MOST_WRITTEN: usize = 1 << 24;

/// A script that was read.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its first comment: what it shows.
    pub title: String,
    pub(super) config: Config,
    pub(super) isn: SeqNumber,
    pub(super) peer_isn: SeqNumber,
    pub(super) lines: Vec<Line>,
}

impl Script {
    /// How many lines do something or claim something.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing happens in it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// One line: when, and what.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) number: usize,
    /// As it is written, without its comment.
    pub(super) text: String,
    pub(super) when: When,
    pub(super) deed: Deed,
}

/// The time of a line: from the first to the second, which are mostly the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// After the line before.
    After(Duration, Duration),
    /// After the start.
    At(Duration),
}

/// What a line does or claims.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    Arrives(Said),
    Sends(Said),
    Quiet(Duration),
    State(State),
    Info(Vec<(Fact, String)>),
    Event(&'static str, Event),
    Listen,
    Connect,
    Accept,
    /// How many bytes, and how many of them are taken; none when the call fails.
    Write {
        bytes: usize,
        takes: Option<usize>,
        urgent: bool,
    },
    Read(Take),
    Shutdown,
    Close,
    Abort,
    NoDelay(bool),
    KeepAlive(bool),
    UserTimeout(Option<Duration>),
    Icmp(IcmpError),
}

/// What a read is to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    Bytes(usize),
    Nothing,
    End,
}

/// A figure of our end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    Cwnd,
    Ssthresh,
    Mss,
    Srtt,
    Rto,
    Retransmissions,
    Unacked,
    Unsent,
    SndWnd,
    RcvWnd,
    Acked,
    Received,
    Urgent,
}

macro_rules! named {
    ($(#[$doc:meta])* $names:ident, $table:ident: $type:ty = $($name:literal => $value:expr),* $(,)?) => {
        $(#[$doc])* pub const $names: &[&str] = &[$($name),*];
        const $table: &[(&str, $type)] = &[$(($name, $value)),*];
    };
}

named! {
    /// What `info` can claim: bytes, times, and one count.
    FACTS, FACT: Fact =
    "cwnd" => Fact::Cwnd, "ssthresh" => Fact::Ssthresh, "mss" => Fact::Mss, "srtt" => Fact::Srtt,
    "rto" => Fact::Rto, "retransmissions" => Fact::Retransmissions, "unacked" => Fact::Unacked,
    "unsent" => Fact::Unsent, "snd-wnd" => Fact::SndWnd, "rcv-wnd" => Fact::RcvWnd, "acked" => Fact::Acked,
    "received" => Fact::Received, "urgent" => Fact::Urgent,
}

named! {
    /// What a program learns.
    EVENTS, EVENT: Event =
    "connected" => Event::Connected, "readable" => Event::Readable, "peer-closed" => Event::PeerClosed,
    "writable" => Event::Writable, "retransmissions" => Event::Report(Report::Retransmissions),
    "urgent" => Event::Report(Report::Urgent), "icmp" => Event::Report(Report::Icmp(IcmpError::Soft)),
    "icmp-hard" => Event::Report(Report::Icmp(IcmpError::Hard)), "closed" => Event::Closed(Reason::Normal),
    "reset" => Event::Closed(Reason::Reset), "refused" => Event::Closed(Reason::Refused),
    "timed-out" => Event::Closed(Reason::TimedOut), "unreachable" => Event::Closed(Reason::Unreachable),
}

/// Sets one of the knobs that scripts alone have.
type Set = fn(&mut Script, Word<'_>) -> Result<(), SyntaxError>;

named! {
    /// The knobs that scripts alone have: `msl 30s`, `initial-rto 1s`, `isn 4294967000`.
    SETTINGS, SETTING: Set =
    "keep-alive-idle" => |script, value| set(&mut script.config.keep_alive_idle, time(value)),
    "initial-rto" => |script, value| set(&mut script.config.initial_rto, time(value)),
    "max-rto" => |script, value| set(&mut script.config.max_rto, time(value)),
    "msl" => |script, value| set(&mut script.config.msl, time(value)),
    "fin-wait-2" => |script, value| set(&mut script.config.fin_wait_2, time(value)),
    "isn" => |script, value| set(&mut script.isn.0, value.number("a number of 32 bits")),
    "peer-isn" => |script, value| set(&mut script.peer_isn.0, value.number("a number of 32 bits")),
}

/// The calls and claims that a line can begin with.
const DEEDS: [&str; 17] = [
    "quiet",
    "state",
    "info",
    "event",
    "listen",
    "connect",
    "accept",
    "write",
    "write-urgent",
    "read",
    "shutdown",
    "close",
    "abort",
    "set",
    "icmp",
    "<",
    ">",
];

/// Reads a script. Any bytes are read or refused.
///
/// # Errors
/// The first thing that cannot be read: where it is, what was expected, what is there.
pub fn parse(bytes: &[u8]) -> Result<Script, SyntaxError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let column =
            good.lines().last().filter(|_| !good.ends_with('\n')).map_or(0, |line| line.chars().count());
        at(good.matches('\n').count() + 1, column + 1, "text in UTF-8", "bytes that are none")
    })?;
    if bytes.len() > MOST_BYTES {
        return Err(at(1, 1, "a script of at most 1 MiB", &format!("{} bytes", bytes.len())));
    }
    let title = text.lines().find_map(|line| line.trim().strip_prefix('#')).unwrap_or_default();
    let mut knobs = Knobs { tcp: bare(), ..Knobs::default() };
    let mut script = Script {
        title: title.trim().trim_end_matches('.').to_owned(),
        config: knobs.tcp.clone(),
        isn: SeqNumber(100_000),
        peer_isn: SeqNumber(300_000),
        lines: Vec::new(),
    };
    for (number, text) in (1..).zip(text.lines()) {
        let mut words = Words::of(text, number)?;
        let Some(first) = words.peek() else { continue };
        if script.lines.is_empty() && knob(first, &mut words, &mut knobs, &mut script)? {
            continue;
        }
        let line = line(text, number, &mut words, script.lines.is_empty())?;
        if script.lines.len() == MOST_LINES {
            return Err(first.wrong(format!("at most {MOST_LINES} lines")));
        }
        script.lines.push(line);
    }
    Ok(script)
}

fn at(line: usize, column: usize, expected: &str, got: &str) -> SyntaxError {
    SyntaxError { line, column, expected: expected.into(), got: got.into(), meant: None }
}

/// A TCP that has nothing of which a script does not speak.
fn bare() -> Config {
    Config { trace: true, ..Config::bare() }
}

/// The knobs of TCP, of which each has its name from the table of all.
fn knobs_of_tcp() -> impl Iterator<Item = &'static dyn AnyKnob> {
    NETWORK.iter().copied().filter(|knob| knob.of() == "Knobs of TCP")
}

/// Reads a line that turns a knob; false when it is another line.
fn knob(
    name: Word<'_>,
    words: &mut Words<'_>,
    knobs: &mut Knobs,
    script: &mut Script,
) -> Result<bool, SyntaxError> {
    let known = knobs_of_tcp().find(|knob| knob.name() == name.text);
    let own = SETTING.iter().find(|(own, _)| *own == name.text);
    if known.is_none() && own.is_none() {
        return Ok(false);
    }
    words.next();
    let value = words.need("its value")?;
    match (known, own) {
        (Some(knob), _) => {
            let read = knob.read(value.text).map_err(|expected| value.knob(&expected, &knob.words()))?;
            knobs.tcp = script.config.clone();
            knob.turn(knobs, &read);
            script.config = knobs.tcp.clone();
            // The segment size is the host's to say, by its link.
            script.config.mss = knobs.mss.unwrap_or(script.config.mss);
        }
        (None, Some((_, set))) => set(script, value)?,
        (None, None) => {}
    }
    words.finish()?;
    Ok(true)
}

fn set<T>(place: &mut T, value: Result<T, SyntaxError>) -> Result<(), SyntaxError> {
    value.map(|value| *place = value)
}

fn yes(word: Word<'_>) -> Result<bool, SyntaxError> {
    match word.text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(word.wrong("yes or no")),
    }
}

fn time(word: Word<'_>) -> Result<Duration, SyntaxError> {
    values::duration(word.text).map_err(|expected| word.wrong(expected.trim_start_matches("expected ")))
}

impl Word<'_> {
    /// What a knob expects instead, in its own words.
    fn knob(self, expected: &str, words: &[&str]) -> SyntaxError {
        let expected = expected.trim_start_matches("expected ");
        if words.is_empty() { self.wrong(expected) } else { self.unknown(expected, words.iter().copied()) }
    }
}

/// Reads a line that does or claims something.
fn line(text: &str, number: usize, words: &mut Words<'_>, knobs: bool) -> Result<Line, SyntaxError> {
    let when = when(words)?;
    let first = words.need("what happens, such as < ACK or write 1000")?;
    let deed = match first.text {
        "<" => Deed::Arrives(Said::read(words, true)?),
        ">" => Deed::Sends(Said::read(words, false)?),
        "quiet" => Deed::Quiet(time(words.need("how long, such as 200ms")?)?),
        "state" => Deed::State(state(words.need("a state, such as ESTABLISHED")?)?),
        "info" => Deed::Info(facts(words)?),
        "event" => {
            let word = words.need("an event, such as connected")?;
            let (name, event) = pick(word, EVENT, "an event")?;
            Deed::Event(name, *event)
        }
        "listen" => Deed::Listen,
        "connect" => Deed::Connect,
        "accept" => Deed::Accept,
        "write" => write(words, false)?,
        "write-urgent" => write(words, true)?,
        "read" => read(words)?,
        "shutdown" => Deed::Shutdown,
        "close" => Deed::Close,
        "abort" => Deed::Abort,
        "set" => option(words)?,
        "icmp" => icmp(words)?,
        _ if knobs => {
            let knobs = knobs_of_tcp().map(|knob| knob.name());
            let known = DEEDS.into_iter().chain(SETTINGS.iter().copied()).chain(knobs);
            return Err(first.unknown("a knob of TCP, a segment or a call", known));
        }
        _ => return Err(first.unknown("< or > and a segment, or a call such as write", DEEDS)),
    };
    words.finish()?;
    if let (When::After(from, to), false) = (when, matches!(deed, Deed::Sends(_)))
        && from != to
    {
        return Err(first.wrong("> after a time from..to: what the script does has one time"));
    }
    let text = text.split('#').next().unwrap_or_default().trim().to_owned();
    Ok(Line { number, text, when, deed })
}

/// The time in front of a line.
fn when(words: &mut Words<'_>) -> Result<When, SyntaxError> {
    let Some(word) = words.peek().filter(|word| word.text.starts_with(['+', '@'])) else {
        return Ok(When::After(Duration::ZERO, Duration::ZERO));
    };
    words.next();
    let value = word.from(1);
    if word.text.starts_with('@') {
        return Ok(When::At(time(value)?));
    }
    let Some(place) = value.text.find("..") else {
        let after = time(value)?;
        return Ok(When::After(after, after));
    };
    let (from, to) = (time(value.until(place))?, time(value.from(place + 2))?);
    if from <= to { Ok(When::After(from, to)) } else { Err(value.wrong("a time from..to that goes forward")) }
}

fn pick<'t, T>(
    word: Word<'_>,
    table: &'t [(&'static str, T)],
    what: &str,
) -> Result<&'t (&'static str, T), SyntaxError> {
    let names = || table.iter().map(|(name, _)| *name);
    let found = table.iter().find(|(name, _)| *name == word.text);
    found.ok_or_else(|| word.unknown(format!("{what}: {}", names().collect::<Vec<_>>().join(", ")), names()))
}

fn state(word: Word<'_>) -> Result<State, SyntaxError> {
    State::ALL.into_iter().find(|state| state.name() == word.text).ok_or_else(|| {
        let names = State::ALL.map(State::name);
        word.unknown(format!("a state: {}", names.join(", ")), names)
    })
}

fn facts(words: &mut Words<'_>) -> Result<Vec<(Fact, String)>, SyntaxError> {
    const EXPECTED: &str = "a figure and its value, such as rto=1s";
    let mut facts = Vec::new();
    let mut next = Some(words.need(EXPECTED)?);
    while let Some(word) = next {
        let (name, value) = word.split('=').ok_or_else(|| word.unknown(EXPECTED, FACTS.iter().copied()))?;
        let (_, fact) = pick(name, FACT, "a figure")?;
        let value = match fact {
            _ if value.text == "none" => "none".to_owned(),
            Fact::Srtt | Fact::Rto => time(value)?.to_string(),
            _ => value.number::<u64>("a whole number, or none")?.to_string(),
        };
        facts.push((*fact, value));
        next = words.next();
    }
    Ok(facts)
}

/// A number of bytes to write or read.
fn count(word: Word<'_>) -> Result<usize, SyntaxError> {
    const EXPECTED: &str = "a number of bytes up to 16777216, such as 1000";
    let bytes = word.number(EXPECTED)?;
    if bytes <= MOST_WRITTEN { Ok(bytes) } else { Err(word.wrong(EXPECTED)) }
}

fn write(words: &mut Words<'_>, urgent: bool) -> Result<Deed, SyntaxError> {
    let bytes = count(words.need("how many bytes, such as 1000")?)?;
    let takes = match words.next() {
        None => Some(bytes),
        Some(word) if word.text == "fails" => None,
        Some(word) if word.text == "takes" => Some(count(words.need("how many bytes are taken")?)?),
        Some(word) => return Err(word.unknown("takes N, fails, or the end of the line", ["takes", "fails"])),
    };
    Ok(Deed::Write { bytes, takes, urgent })
}

fn read(words: &mut Words<'_>) -> Result<Deed, SyntaxError> {
    let word = words.need("how many bytes, nothing or end")?;
    Ok(Deed::Read(match word.text {
        "nothing" => Take::Nothing,
        "end" => Take::End,
        _ => Take::Bytes(count(word)?),
    }))
}

fn option(words: &mut Words<'_>) -> Result<Deed, SyntaxError> {
    const OPTIONS: [&str; 3] = ["nodelay", "keep-alive", "user-timeout"];
    let name = words.need("nodelay, keep-alive or user-timeout")?;
    let value = words.need("its value");
    match name.text {
        "nodelay" => Ok(Deed::NoDelay(yes(value?)?)),
        "keep-alive" => Ok(Deed::KeepAlive(yes(value?)?)),
        "user-timeout" => {
            let value = value?;
            Ok(Deed::UserTimeout(if value.text == "none" { None } else { Some(time(value)?) }))
        }
        _ => Err(name.unknown("nodelay, keep-alive or user-timeout", OPTIONS)),
    }
}

fn icmp(words: &mut Words<'_>) -> Result<Deed, SyntaxError> {
    const ERRORS: [&str; 3] = ["too-big", "host-unreachable", "port-unreachable"];
    let word = words.need("too-big, host-unreachable or port-unreachable")?;
    Ok(Deed::Icmp(match word.text {
        "too-big" => {
            let mtu = words.need("the MTU, such as 576")?;
            IcmpError::PacketTooBig(mtu.number("an MTU of 0 to 65535 bytes")?)
        }
        "host-unreachable" => IcmpError::Soft,
        "port-unreachable" => IcmpError::Hard,
        _ => return Err(word.unknown("too-big, host-unreachable or port-unreachable", ERRORS)),
    }))
}
