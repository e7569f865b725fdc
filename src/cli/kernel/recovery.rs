//! What Linux's TCP does about a loss: scenes of the lessons on retransmission and on congestion, in which the kernel
//! sends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

use super::linux::{Bench, OURS};
use super::scenes::{REST, during, segments};
use crate::base::{Duration, Instant};
use crate::cli::error::CliError;
use crate::layers::physical::delay::Rate;
use crate::layers::transport::tcp::{Flags, Segment};
use crate::real::differences::Difference;
use crate::real::scenes::RealStory;
use crate::real::tcp_info::TcpInfo;
use crate::sim::apps::tcp;
use crate::sim::fault::{self, Verdict};
use crate::sim::knob::Knobs;
use crate::trace::{Kind, PlaceId};

const PORT: u16 = 80;
/// Bytes of a full segment, as the lessons have it.
const MSS: u16 = 1000;
/// How long a scene may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How many segments the kernel sends in the scene of one loss, and in that of a slow link.
const FEW: usize = 8;
const MANY: usize = 60;
/// The slow link.
const RATE: Rate = Rate(1_000_000);
/// How often the kernel is asked for its window.
const ASKED: std::time::Duration = std::time::Duration::from_millis(10);

/// A TCP of ours that announces the lessons' segment size, with selective acknowledgment and no other option, so that
/// segments are of a round size.
fn knobs() -> Knobs {
    let mut knobs = Knobs { mss: Some(MSS), ..Knobs::default() };
    (knobs.tcp.timestamps, knobs.tcp.sack, knobs.tcp.delayed_ack) = (false, true, None);
    knobs
}

/// The kernel writes as many segments in one go and closes its half.
fn write(segments: usize) -> Result<TcpStream, crate::real::RealError> {
    let mut stream = during("connecting", TcpStream::connect((OURS, PORT)))?;
    during("writing", stream.write_all(&vec![b'x'; segments * usize::from(MSS)]))?;
    during("closing", stream.shutdown(Shutdown::Write))?;
    Ok(stream)
}

/// One of eight segments is lost, and the kernel has to find out.
pub(super) fn loss(lose: usize) -> Result<RealStory, CliError> {
    let mut bench = Bench::new("the kernel's client, our server", "server", &knobs())?;
    bench.open.network.app(bench.host, tcp::Receiver::new(PORT));
    let rule = fault::nth(
        format!("loses number {lose}"),
        lose as u64,
        |frame| frame.tcp_payload() > 0,
        Verdict::Drop,
    );
    bench.open.network.rule(bench.end, bench.host, rule);
    bench.run(LIMIT, || {
        let mut stream = write(FEW)?;
        during("waiting for the end", stream.read_to_end(&mut Vec::new()))?;
        thread::sleep(REST);
        Ok(())
    })?;
    let trace = bench.open.network.into_trace();
    let said = told_of_loss(&segments(&trace), lose);
    let differences = vec![
        Difference {
            what: "how a loss shows",
            sim: "by the third duplicate ACK".into(),
            real: "by time: something that was sent later has arrived, and no straggler came".into(),
            because: "Linux has RACK (RFC 8985 §6): with three segments behind the hole it waits no longer than \
                      duplicates would make it"
                .into(),
        },
        Difference {
            what: "the last segment, --lose 8",
            sim: "the timer, after a second".into(),
            real: "a probe after two round trips, or the timer after 200 ms and more".into(),
            because: "a tail loss probe (RFC 8985 §7) sends the last segment once more; Linux's shortest timeout is \
                      200 ms, and RFC 6298 §2.4 says that it should be a second"
                .into(),
        },
    ];
    Ok(RealStory { trace, said, differences })
}

/// What became of the lost segment, as the frames have it.
fn told_of_loss(all: &[(Instant, PlaceId, Segment)], lose: usize) -> Vec<String> {
    let kernels = || all.iter().filter(|(_, from, _)| *from == PlaceId(1));
    let sent: Vec<_> = kernels().filter(|(_, _, segment)| !segment.payload.is_empty()).collect();
    let Some((left, _, lost)) = lose.checked_sub(1).and_then(|at| sent.get(at)) else { return Vec::new() };
    let mut said = vec![format!(
        "number {lose} of {FEW} segments was lost; {} came behind it",
        FEW.saturating_sub(lose)
    )];
    let again = sent.iter().find(|(at, _, other)| at > left && other.header.seq == lost.header.seq);
    let Some((again, _, _)) = again else {
        said.push("the kernel did not send it again".into());
        return said;
    };
    let after = |at: &Instant| at.since(*left).as_millis_f64();
    // The second FIN, where there is one before the repair.
    let fins = kernels().filter(|(at, _, segment)| segment.header.flags.has(Flags::FIN) && at < again);
    if let Some((at, _, _)) = fins.skip(1).find(|(_, _, segment)| segment.payload.is_empty()) {
        said.push(format!(
            "{:.0} ms after it had left, the kernel sent its FIN once more: a probe, whose ACK tells what is missing",
            after(at)
        ));
    }
    let delay = knobs().link.delay;
    let there = all.iter().filter(|(at, from, ack)| {
        *from == PlaceId(0) && *at + delay <= *again && !ack.header.options.sack().is_empty()
    });
    said.push(format!(
        "{:.0} ms after it had left, it went again; by then {} of our ACKs with blocks behind the hole had arrived",
        after(again),
        there.count()
    ));
    said
}

/// The kernel sends over a slow link with a short queue, and tells its window meanwhile.
pub(super) fn congestion(queue: usize) -> Result<RealStory, CliError> {
    let mut knobs = knobs();
    (knobs.link.rate, knobs.link.queue) = (Some(RATE), queue);
    let mut bench = Bench::new("the kernel's client, our server", "server", &knobs)?;
    bench.open.network.app(bench.host, tcp::Receiver::new(PORT));
    let (told, again) = bench.run(LIMIT, || {
        let mut stream = write(MANY)?;
        let mut told = Vec::new();
        let first = during("asking for TCP_INFO", TcpInfo::of_socket(&stream))?;
        told.push((first.snd_cwnd, first.snd_ssthresh));
        // The end comes when all is acknowledged; until then the window is asked for.
        during("waiting for the end", stream.set_read_timeout(Some(ASKED)))?;
        let began = told.len();
        while told.len() < began + 2_000 {
            let info = during("asking for TCP_INFO", TcpInfo::of_socket(&stream))?;
            told.push((info.snd_cwnd, info.snd_ssthresh));
            match stream.read(&mut [0; 16]) {
                Ok(0) => break,
                Err(error)
                    if ![std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut]
                        .contains(&error.kind()) =>
                {
                    during("waiting for the end", Err(error))?;
                }
                _ => {}
            }
        }
        let again = during("asking for TCP_INFO", TcpInfo::of_socket(&stream))?.total_retrans;
        thread::sleep(REST);
        Ok((told, again))
    })?;
    let trace = bench.open.network.into_trace();
    let dropped = trace.count(|kind| matches!(kind, Kind::Dropped { .. }));
    let before = told.iter().take_while(|(_, ssthresh)| *ssthresh > 1 << 20).map(|(cwnd, _)| *cwnd).max();
    let after = told.iter().find(|(_, ssthresh)| *ssthresh <= 1 << 20);
    let mut said = vec![
        format!("{MANY} segments over {RATE}, with room for {queue} frames in front of the link"),
        format!("the kernel's window began with {} segments", told.first().map_or(0, |(cwnd, _)| *cwnd)),
    ];
    said.push(match (before, after) {
        (Some(before), Some((_, ssthresh))) => format!(
            "it grew to {before} or more before the queue was full; {dropped} frames found no room, and the threshold \
             after it was {ssthresh} segments"
        ),
        _ => format!("it grew to {} segments, and {dropped} frames found no room", before.unwrap_or(0)),
    });
    said.push(format!("the kernel says that it sent {again} of its segments again"));
    let differences = vec![Difference {
        what: "how far the window comes down",
        sim: "to a half (NewReno)".into(),
        real: "to seven tenths, where the kernel uses CUBIC".into(),
        because: "cat /proc/sys/net/ipv4/tcp_congestion_control names what a kernel uses, and RFC 9438 §4.6 has the seven \
                  tenths: try --cc cubic"
            .into(),
    }];
    Ok(RealStory { trace, said, differences })
}
