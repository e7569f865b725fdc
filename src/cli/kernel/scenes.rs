//! Scenes of lessons between our TCP and Linux's, with every frame between them.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use bytes::Bytes;

use super::linux::{Bench, KERNELS, OURS};
use crate::base::{Duration, Instant};
use crate::cli::error::CliError;
use crate::layers::transport::tcp::{Options, Segment};
use crate::lessons::{Scenario, congestion, control, loss, segmentation, stream};
use crate::real::RealError;
use crate::real::differences::Difference;
use crate::real::scenes::RealStory;
use crate::sim::apps::tcp;
use crate::sim::fault::Passing;
use crate::sim::knob::Knobs;
use crate::sim::{App, Io, SocketEvent};
use crate::trace::{PlaceId, Trace};

const PORT: u16 = 80;
/// No program listens there.
const CLOSED_PORT: u16 = 81;
/// How long a scene may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a program of the kernel's does nothing.
const IDLE: std::time::Duration = std::time::Duration::from_millis(300);
/// How long the last segments of a connection have to arrive.
pub(super) const REST: std::time::Duration = std::time::Duration::from_millis(150);
const NEXT: &str = "run it again; if it fails again, run: cargo test --test kernel";

/// The scene of the lesson with this id.
pub(in crate::cli) fn scene(id: &str, scenario: &Scenario) -> Result<RealStory, CliError> {
    match id {
        "handshake" => handshake(),
        "segmentation" => cut(scenario.get(&segmentation::SIZE), scenario.get(&segmentation::ANNOUNCED)),
        "stream" => late_read(scenario.get(&stream::WRITES), scenario.get(&stream::EACH)),
        "loss" => super::recovery::loss(scenario.get(&loss::LOSE)),
        "congestion" => super::recovery::congestion(scenario.get(&congestion::QUEUE)),
        "control" => super::websocket::between(scenario.get(&control::FRAGMENTS)),
        _ => Err(CliError::Failed(format!("there is no scene of {id} on the kernel wire"))),
    }
}

/// Both ends' SYN, a program that accepts late, and a port on which none listens.
fn handshake() -> Result<RealStory, CliError> {
    let mut knobs = Knobs::default();
    (knobs.tcp.sack, knobs.tcp.timestamps) = (true, true);
    let mut bench = Bench::new("our client, the kernel's server", "client", &knobs)?;
    for (port, message) in [(PORT, "hello"), (CLOSED_PORT, "")] {
        let sender = tcp::Sender::new(SocketAddr::new(KERNELS, port), message.into());
        bench.open.network.app(bench.host, sender);
    }
    let listener = failing("listening at the kernel's end", TcpListener::bind((KERNELS, PORT)))?;
    bench.run(LIMIT, move || {
        thread::sleep(IDLE);
        let mut stream = during("accepting", listener.accept())?.0;
        during("reading", stream.read_to_end(&mut Vec::new()))?;
        during("closing", stream.shutdown(Shutdown::Write))?;
        thread::sleep(REST);
        Ok(())
    })?;
    let trace = bench.open.network.into_trace();
    let sent = segments(&trace);
    let syn = |from: PlaceId| {
        let is_syn = |segment: &Segment| segment.header.flags.has(crate::layers::transport::tcp::Flags::SYN);
        sent.iter().find(|(_, place, segment)| *place == from && is_syn(segment))
    };
    let (ours, kernels) = (syn(PlaceId(0)), syn(PlaceId(1)));
    let mut said = Vec::new();
    if let (Some((asked, _, ours)), Some((answered, _, kernels))) = (ours, kernels) {
        said.push(format!("our SYN offers {}", offered(&ours.header.options)));
        said.push(format!("the kernel's SYN-ACK offers {}", offered(&kernels.header.options)));
        said.push(format!(
            "the answer came {} after the SYN, and no program had called accept(): the kernel answers by itself",
            answered.since(*asked)
        ));
        said.push(format!(
            "sequence numbers begin at {} and at {}: no two runs have the same (RFC 6528)",
            ours.header.seq.0, kernels.header.seq.0
        ));
    }
    said.push(format!("to port {CLOSED_PORT}, where no program listens, the kernel says RST"));
    let differences = vec![Difference {
        what: "what the answer offers",
        sim: "the same as the SYN".into(),
        real: "only what the SYN offered, with values of the kernel's own".into(),
        because:
            "its window scale follows from its largest buffer (net.ipv4.tcp_rmem), its MSS from its interface"
                .into(),
    }];
    Ok(RealStory { trace, said, differences })
}

/// One write of the kernel's program, cut by the kernel to what we announce.
fn cut(size: usize, mss: u16) -> Result<RealStory, CliError> {
    let knobs = Knobs { mss: Some(mss), ..Knobs::default() };
    let mut bench = Bench::new("the kernel's client, our server", "server", &knobs)?;
    bench.open.network.app(bench.host, tcp::Receiver::new(PORT));
    bench.run(LIMIT, move || {
        let mut stream = during("connecting", TcpStream::connect((OURS, PORT)))?;
        during("writing", stream.write_all(&vec![b'x'; size]))?;
        during("closing", stream.shutdown(Shutdown::Write))?;
        during("waiting for the end", stream.read_to_end(&mut Vec::new()))?;
        thread::sleep(REST);
        Ok(())
    })?;
    let trace = bench.open.network.into_trace();
    let mut sizes = Vec::new();
    let mut times = Vec::new();
    for (at, _, segment) in segments(&trace)
        .into_iter()
        .filter(|(_, from, segment)| *from == PlaceId(1) && !segment.payload.is_empty())
    {
        sizes.push(segment.payload.len());
        times.push(at);
    }
    let apart = match times.as_slice() {
        [.., before, last] => last.since(*before),
        _ => Duration::ZERO,
    };
    let full = usize::from(knobs.announced_mss());
    let timestamps = match sizes.first() {
        Some(size) if size + 12 == full => ", and in each segment timestamps take 12 bytes of it (RFC 7323)",
        _ => "",
    };
    let said = vec![
        format!("we announced an MSS of {}{timestamps}", knobs.announced_mss()),
        format!(
            "the kernel made {} of one write of {size} bytes: {}",
            counted(sizes.len(), "segment"),
            list(&sizes)
        ),
        format!("the last one left {apart} after the one before it"),
    ];
    let differences = vec![Difference {
        what: "when the last, smaller segment leaves",
        sim: "when the others are acknowledged (Nagle)".into(),
        real: "with the others".into(),
        because: "Linux holds a small segment back only while another small one is under way (Minshall's change of the \
                  rule)"
            .into(),
    }];
    Ok(RealStory { trace, said, differences })
}

/// Small writes of ours, and one late read of the kernel's program.
fn late_read(writes: usize, each: usize) -> Result<RealStory, CliError> {
    let mut bench = Bench::new("our client, the kernel's server", "client", &Knobs::default())?;
    let pieces = (b'a'..=b'z').cycle().take(writes).map(|letter| Bytes::from(vec![letter; each])).collect();
    bench.open.network.app(bench.host, Pieces { to: SocketAddr::new(KERNELS, PORT), pieces });
    let listener = failing("listening at the kernel's end", TcpListener::bind((KERNELS, PORT)))?;
    let first = bench.run(LIMIT, move || {
        let mut stream = during("accepting", listener.accept())?.0;
        thread::sleep(IDLE);
        let mut room = vec![0; 64 << 10];
        let first = during("reading", stream.read(&mut room))?;
        during("reading", stream.read_to_end(&mut Vec::new()))?;
        during("closing", stream.shutdown(Shutdown::Write))?;
        thread::sleep(REST);
        Ok(first)
    })?;
    let trace = bench.open.network.into_trace();
    let sizes: Vec<usize> = segments(&trace)
        .into_iter()
        .filter(|(_, from, segment)| *from == PlaceId(0) && !segment.payload.is_empty())
        .map(|(_, _, segment)| segment.payload.len())
        .collect();
    let said = vec![
        format!(
            "{} of {each} bytes left in {}: {}",
            counted(writes, "write"),
            counted(sizes.len(), "segment"),
            list(&sizes)
        ),
        format!("{} ms later one read of the kernel's program gave {first} bytes", IDLE.as_millis()),
        "the kernel acknowledged them long before: an ACK does not mean that a program read anything".into(),
    ];
    let differences = vec![Difference {
        what: "when a small segment is acknowledged",
        sim: "at once".into(),
        real: "at once at first, later after up to 40 ms".into(),
        because: "Linux delays an ACK (RFC 9293 §3.8.6.3) when it takes a connection to be a conversation; Nagle's \
                  algorithm at our end waits for that ACK"
            .into(),
    }];
    Ok(RealStory { trace, said, differences })
}

/// Writes pieces, each a write of its own, and closes its half.
struct Pieces {
    to: SocketAddr,
    pieces: Vec<Bytes>,
}

impl App for Pieces {
    fn start(&mut self, io: &mut Io<'_>) {
        // That there is no route would be seen: nothing is sent.
        let _ = io.tcp_connect(self.to);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Connected(socket) = event {
            for piece in self.pieces.drain(..) {
                let _ = io.tcp_write(socket, &piece);
            }
            io.tcp_shutdown(socket);
        }
    }
}

/// The segments of a run: when each was sent, by which end, and what it is.
pub(super) fn segments(trace: &Trace) -> Vec<(Instant, PlaceId, Segment)> {
    let parsed = |(at, from, to, frame, bytes)| {
        let passing = Passing { at, from, to, frame, bytes };
        Some((at, from, passing.segment()?))
    };
    trace.frames().filter_map(parsed).collect()
}

/// The options of a SYN in words.
fn offered(options: &Options) -> String {
    let named = [
        options.mss().map(|mss| format!("MSS {mss}")),
        options.window_scale().map(|shift| format!("window scale {shift}")),
        options.sack_permitted().then(|| "SACK".into()),
        options.timestamps().map(|_| "timestamps".into()),
    ];
    named.into_iter().flatten().collect::<Vec<String>>().join(", ")
}

fn counted(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

/// Sizes as a sum; of many the first ones.
fn list(sizes: &[usize]) -> String {
    const SHOWN: usize = 8;
    let mut parts: Vec<String> = sizes.iter().take(SHOWN).map(ToString::to_string).collect();
    if sizes.len() > SHOWN {
        parts.push("...".into());
    }
    parts.join(" + ")
}

pub(super) fn during<T>(step: &'static str, result: io::Result<T>) -> Result<T, RealError> {
    result.map_err(|source| RealError::Io { step, source, next: NEXT })
}

pub(super) fn failing<T>(step: &'static str, result: io::Result<T>) -> Result<T, CliError> {
    during(step, result).map_err(CliError::failed)
}
