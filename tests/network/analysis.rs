//! Wireshark's TCP analysis of rough runs, held against what the runs themselves know and what our dissector makes of
//! their captures, frame by frame.
//!
//! All runs are one capture, each with a port of its own and far apart in time, so tshark reads once.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use netlayers::base::{Duration, Instant};
use netlayers::layers::stack::{SocketEvent, SocketId};
use netlayers::layers::transport::tcp::Config;
use netlayers::layers::transport::tcp::congestion::Algorithm;
use netlayers::sim::scene::{Knobs, two_hosts};
use netlayers::sim::{App, Io};
use netlayers::trace::{FrameId, Kind, PlaceId, Recorder, Trace, Wire};
use netlayers::view::capture::Capture;
use netlayers::view::dissect::{Conversations, Mark, Probe, TcpSummary, What};
use netlayers::view::pcapng::{PcapngOptions, to_pcapng};

use super::support;

/// How many runs there are.
const RUNS: u16 = 120;
/// Not ports whose payload tshark thinks to know.
const PORT: u16 = 20_000;
/// Between the beginnings of two runs.
const APART: Duration = Duration::from_secs(100_000);

/// A program that writes so much, reads at its own pace, and closes when the other end has.
struct Talker {
    to: Option<SocketAddr>,
    port: u16,
    socket: Option<SocketId>,
    left: usize,
    /// Bytes at a time, and how long it sleeps after them; none reads all at once.
    pace: Option<(usize, Duration)>,
}

impl Talker {
    fn go_on(&mut self, io: &mut Io<'_>) {
        let Some(socket) = self.socket else { return };
        while self.left > 0 {
            let piece = Bytes::from(vec![7; self.left.min(3_000)]);
            match io.tcp_write(socket, &piece) {
                Ok(taken) if taken > 0 => self.left -= taken,
                _ => break,
            }
        }
        if self.left == 0 {
            io.tcp_shutdown(socket);
        }
    }

    fn read(&mut self, io: &mut Io<'_>) {
        let Some(socket) = self.socket else { return };
        match self.pace {
            None => while io.tcp_read(socket, usize::MAX).is_some() {},
            Some((most, _)) => {
                let mut left = most;
                while left > 0
                    && let Some(bytes) = io.tcp_read(socket, left)
                {
                    left -= bytes.len();
                }
            }
        }
    }
}

impl App for Talker {
    fn start(&mut self, io: &mut Io<'_>) {
        match self.to {
            Some(to) => self.socket = io.tcp_connect(to).ok(),
            None => drop(io.tcp_listen(self.port)),
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        match event {
            SocketEvent::Connected(socket) | SocketEvent::Accepted { socket, .. } => {
                self.socket = Some(socket);
                self.go_on(io);
                if let Some((_, sleep)) = self.pace {
                    io.wake_at(io.now() + sleep);
                }
            }
            SocketEvent::Writable(_) => self.go_on(io),
            _ if self.pace.is_none() => self.read(io),
            _ => {}
        }
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        self.read(io);
        if let (Some((_, sleep)), true) = (self.pace, io.now() < Instant::from_millis(300_000)) {
            io.wake_at(io.now() + sleep);
        }
    }
}

/// The run of this number: another path, another TCP, other programs.
fn run(number: u16) -> Trace {
    let n = u64::from(number);
    let share = |every: u64, most: f64| if n % every == 0 { 0.0 } else { most * (n % 7) as f64 / 7.0 };
    let mut knobs = Knobs { seed: n, loss: share(4, 0.12), reorder: share(3, 0.08), ..Knobs::default() };
    knobs.link.delay = Duration::from_millis([1, 5, 20, 80][number as usize % 4]);
    knobs.tcp = Config {
        congestion: Algorithm::ALL[number as usize % Algorithm::ALL.len()],
        sack: n % 2 == 0,
        rack: n % 4 == 0,
        timestamps: n % 5 < 2,
        delayed_ack: (n % 3 == 1).then_some(Duration::from_millis(40)),
        nodelay: n % 7 == 3,
        recv_buffer: [65_535, 4_000, 200_000, 9_000][number as usize / 2 % 4],
        send_buffer: [65_535, 200_000][number as usize % 2],
        min_rto: Duration::from_millis(200),
        user_timeout: None,
        keep_alive: n % 6 == 0,
        keep_alive_idle: Duration::from_secs(20),
        ..Config::default()
    };
    let (mut network, client, server) = two_hosts(&knobs, Recorder::on("rough", Wire::Sim));
    let port = PORT + number;
    let to = SocketAddr::new(network.stack(server).address(), port);
    let slow = (n % 3 == 0).then_some((2_500, Duration::from_millis(700)));
    let talker = |to, left, pace| Talker { to, port, socket: None, left, pace };
    network.app(server, talker(None, [0, 200, 20_000][number as usize % 3], slow));
    network.app(client, talker(Some(to), [30_000, 60_000][number as usize % 2], None));
    network.run_until(Instant::ZERO + Duration::from_secs(3_600));
    network.into_trace()
}

/// All runs, one after the other.
fn all() -> Trace {
    let mut all: Option<Trace> = None;
    for number in 0..RUNS {
        let run = run(number);
        let whole = all.get_or_insert_with(|| Trace { events: Vec::new(), ..run.clone() });
        let frames = FrameId(whole.events.len() as u64);
        whole.events.extend(run.events.into_iter().map(|mut event| {
            event.at += APART * u32::from(number);
            if let Kind::Sent { frame, .. } = &mut event.kind {
                frame.0 += frames.0;
            }
            event
        }));
    }
    let mut all = all.expect("there are runs");
    all.events.retain(|event| matches!(event.kind, Kind::Sent { .. } | Kind::Retransmitted { .. }));
    all
}

/// What a frame is called, by a program or by another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Names {
    again: bool,
    duplicate: bool,
    zero_window: bool,
    window_update: bool,
    window_full: bool,
    lost_before: bool,
    keep_alive: bool,
    probe: bool,
}

impl Names {
    const FIELDS: [&'static str; 11] = [
        "tcp.analysis.retransmission",
        "tcp.analysis.fast_retransmission",
        "tcp.analysis.spurious_retransmission",
        "tcp.analysis.out_of_order",
        "tcp.analysis.duplicate_ack",
        "tcp.analysis.zero_window",
        "tcp.analysis.window_update",
        "tcp.analysis.window_full",
        "tcp.analysis.lost_segment",
        "tcp.analysis.keep_alive",
        "tcp.analysis.zero_window_probe",
    ];

    /// A line of tshark's.
    fn of_tshark(line: &str) -> Names {
        let is: Vec<bool> = line.split('|').map(|value| !value.is_empty()).collect();
        Names {
            again: is[..4].contains(&true),
            duplicate: is[4],
            zero_window: is[5],
            window_update: is[6],
            window_full: is[7],
            lost_before: is[8],
            keep_alive: is[9],
            probe: is[10],
        }
    }

    /// What our dissector makes of the same capture.
    fn of_ours(tcp: &TcpSummary) -> Names {
        let has = |mark| tcp.marks.contains(&mark);
        Names {
            again: tcp.retransmission || has(Mark::OutOfOrder),
            duplicate: tcp.duplicate_ack,
            zero_window: has(Mark::ZeroWindow),
            window_update: has(Mark::WindowUpdate),
            window_full: has(Mark::WindowFull),
            lost_before: has(Mark::PreviousNotCaptured),
            keep_alive: tcp.probe == Some(Probe::KeepAlive),
            probe: tcp.probe == Some(Probe::ZeroWindow),
        }
    }
}

/// Which frames TCP has sent again, as its events say: each says so right before the frame, which has its numbers.
fn sent_again(trace: &Trace, frames: &[TcpSummary]) -> Vec<bool> {
    let mut told: BTreeMap<(PlaceId, u32), u32> = BTreeMap::new();
    let mut frames = frames.iter();
    let mut again = Vec::new();
    for event in &trace.events {
        match &event.kind {
            Kind::Retransmitted { segment, .. } => *told.entry((event.place, segment.seq)).or_default() += 1,
            Kind::Sent { .. } => {
                let frame = frames.next().expect("a frame for each");
                let carries = frame.len > 0 || frame.flags.syn || frame.flags.fin;
                let waits = told.get_mut(&(event.place, frame.seq_raw)).filter(|left| **left > 0 && carries);
                again.push(waits.map(|left| *left -= 1).is_some());
            }
            _ => {}
        }
    }
    again
}

#[test]
fn wireshark_calls_the_frames_of_a_hundred_rough_runs_what_the_runs_and_our_dissector_call_them() {
    let trace = all();
    let file = to_pcapng(&[&trace], PcapngOptions::default());
    let mut conversations = Conversations::new();
    let frames: Vec<(TcpSummary, String)> = Capture::open(&file[..])
        .expect("a capture")
        .map(|packet| {
            let packet = packet.expect("a packet").dissect(&mut conversations);
            let info = packet.summary.info();
            let What::Tcp(tcp) = packet.summary.what else { panic!("all of them are TCP") };
            (tcp, info)
        })
        .collect();
    let (summaries, infos): (Vec<TcpSummary>, Vec<String>) = frames.into_iter().unzip();
    let again = sent_again(&trace, &summaries);

    let Some(mut tshark) = support::peer("tshark") else { return };
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rough.pcapng");
    std::fs::write(&path, &file).expect("a scratch file");
    tshark.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=|"]);
    for field in Names::FIELDS {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<Names> = String::from_utf8_lossy(&output.stdout).lines().map(Names::of_tshark).collect();
    assert_eq!(theirs.len(), summaries.len());

    let mut faults = Vec::new();
    for (i, their) in theirs.iter().enumerate() {
        let our = Names::of_ours(&summaries[i]);
        if our != *their || again[i] != their.again {
            let told = if again[i] { "sent again" } else { "sent first" };
            faults.push(format!(
                "frame {}, {told}: {}\n  ours   {our:?}\n  tshark {their:?}",
                i + 1,
                infos[i]
            ));
        }
    }
    let shown = faults[..faults.len().min(25)].join("\n");
    assert!(faults.is_empty(), "{} of {} frames differ:\n{shown}", faults.len(), theirs.len());
    // Each name was there to be disagreed about.
    let count = |is: fn(&Names) -> bool| theirs.iter().filter(|names| is(names)).count();
    let counts = [
        count(|names| names.again),
        count(|names| names.duplicate),
        count(|names| names.zero_window),
        count(|names| names.window_update),
        count(|names| names.window_full),
        count(|names| names.keep_alive),
        count(|names| names.probe),
    ];
    println!("{} frames: {counts:?}", theirs.len());
    // Few connections are idle for long enough to be probed.
    let least = |name: usize| if name == 5 { 1 } else { 10 };
    assert!(counts.iter().enumerate().all(|(name, count)| *count >= least(name)), "{counts:?}");
}
