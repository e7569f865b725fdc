//! Why the kernel's figures are not the simulator's: every number that differs, with the reason.
//!
//! A pure function of both: nothing is measured here. Only what really differs is listed, and only where both sides
//! have a number: a figure that this system lacks is no difference.

use super::compare::RealRun;
use crate::base::{Duration, Instant};
use crate::trace::{Kind, Trace, Way};

/// What a simulated run came to, as far as the kernel has a number for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimFacts {
    /// The largest IP packet of its links, in bytes.
    pub mtu: u32,
    /// The largest payload of a TCP segment, in bytes, options taken off.
    pub mss: u16,
    /// The round-trip time of an empty network.
    pub rtt: Duration,
    /// From the first write at the client to the first read at the server; `None` when nothing was read.
    pub first_read: Option<Duration>,
    /// Packets of the conversation, both directions, each time they were sent.
    pub packets: usize,
    /// Packets that the network lost.
    pub lost: usize,
    /// TCP segments that were sent again.
    pub retransmitted: usize,
    /// Reads by the server's program that gave it bytes.
    pub reads: usize,
    /// Whether the TCP timestamps option is in use.
    pub timestamps: bool,
    /// Whether TCP windows are scaled.
    pub window_scale: bool,
}

/// The same of a run on real sockets; `None` where this system has no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealFacts {
    /// Which way it was sent.
    pub way: Way,
    /// The MTU of the loopback interface.
    pub mtu: Option<u32>,
    /// The client's send MSS.
    pub mss: Option<u32>,
    /// The client's smoothed round-trip time.
    pub rtt: Option<Duration>,
    /// From the first write at the client to the first read at the server.
    pub first_read: Option<Duration>,
    /// Packets of the conversation. For TCP the segments that the client's kernel counted; for UDP the datagrams, for
    /// loopback carries even the largest in one packet.
    pub packets: Option<u64>,
    /// Datagrams that did not arrive; `None` for TCP, where the kernel retransmits what is lost.
    pub lost: Option<usize>,
    /// Segments that either end sent again.
    pub retransmitted: Option<u64>,
    /// Reads by the server's program that gave it bytes.
    pub reads: usize,
    /// Whether the TCP timestamps option is in use.
    pub timestamps: Option<bool>,
    /// Whether TCP windows are scaled.
    pub window_scale: Option<bool>,
}

/// One thing that is not the same on both wires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The figure that differs, by name.
    pub what: &'static str,
    /// Its value in the simulator.
    pub sim: String,
    /// Its value on real sockets.
    pub real: String,
    /// Why that is to be expected, as a clause.
    pub because: String,
}

impl RealFacts {
    /// Takes the facts out of a run.
    pub fn of(real: &RealRun) -> RealFacts {
        let (run, kernel) = (&real.run, &real.kernel);
        let info = kernel.client.tcp_info.as_ref().ok();
        let sent_again = [&kernel.client, &kernel.server]
            .into_iter()
            .map(|end| end.after_close.as_ref().ok().map(|info| u64::from(info.total_retrans)))
            .sum();
        let udp = run.way == Way::Udp;
        RealFacts {
            way: run.way,
            mtu: kernel.loopback_mtu.as_ref().ok().copied(),
            mss: info.map(|info| info.snd_mss),
            rtt: info.map(|info| info.rtt),
            first_read: first_read(&run.trace),
            packets: if udp { Some(run.outcome.sent.len() as u64) } else { kernel.segments().ok() },
            lost: udp.then(|| run.outcome.pieces().missing),
            retransmitted: sent_again,
            reads: reads(&run.trace),
            timestamps: info.map(|info| info.options.timestamps),
            window_scale: info.map(|info| info.options.window_scale.is_some()),
        }
    }
}

/// From the first write at the first place (the client) to the first read at any other; also of use for a simulated
/// trace. `None` when nothing was written or read.
pub fn first_read(trace: &Trace) -> Option<Duration> {
    let at = |wanted: fn(&Kind, u16) -> bool| -> Option<Instant> {
        trace.events.iter().find(|event| wanted(&event.kind, event.place.0)).map(|event| event.at)
    };
    let written = at(|kind, place| matches!(kind, Kind::AppWrote { .. }) && place == 0)?;
    let read = at(|kind, place| matches!(kind, Kind::AppRead { .. }) && place != 0)?;
    Some(read.since(written))
}

/// Reads at any place but the first (the client) that gave bytes; also of use for a simulated trace.
pub fn reads(trace: &Trace) -> usize {
    let is_read = |kind: &Kind| matches!(kind, Kind::AppRead { .. });
    trace.events.iter().filter(|event| event.place.0 != 0 && is_read(&event.kind)).count()
}

/// Everything that differs, with the reason.
pub fn differences(sim: &SimFacts, real: &RealFacts) -> Vec<Difference> {
    let tcp = real.way != Way::Udp;
    let on_tcp = |difference: fn(&SimFacts, &RealFacts) -> Option<Difference>| {
        if tcp { difference(sim, real) } else { None }
    };
    [
        mtu(sim, real),
        on_tcp(timestamps),
        on_tcp(mss),
        on_tcp(window_scale),
        on_tcp(rtt),
        time_to_first_read(sim, real),
        packets(sim, real),
        lost(sim, real),
        on_tcp(retransmitted),
        reads_of_the_server(sim, real),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A difference, if there is one.
fn unless_equal<T: Copy + PartialEq + ToString>(
    what: &'static str,
    sim: T,
    real: T,
    because: impl Into<String>,
) -> Option<Difference> {
    (sim != real).then(|| Difference {
        what,
        sim: sim.to_string(),
        real: real.to_string(),
        because: because.into(),
    })
}

/// A difference between two times, if they are more than a tenth apart: measured times are never the same.
fn unless_close(
    what: &'static str,
    sim: Duration,
    real: Duration,
    because: impl Into<String>,
) -> Option<Difference> {
    let apart = sim.saturating_sub(real).max(real.saturating_sub(sim));
    if apart * 10 > sim.max(real) { unless_equal(what, sim, real, because) } else { None }
}

fn mtu(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let because =
        "loopback is memory and no cable: nothing limits its packets to the size of an Ethernet frame";
    unless_equal("MTU", sim.mtu, real.mtu?, because)
}

fn timestamps(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let word = |on| if on { "on" } else { "off" };
    let because = "either end may leave the option out (RFC 7323 §3.2); where it is on, it takes 12 bytes of every \
                   segment: 10 and 2 of padding";
    unless_equal("TCP timestamps", word(sim.timestamps), word(real.timestamps?), because)
}

fn mss(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let found = real.mss?;
    let options = if real.timestamps == Some(true) { 12 } else { 0 };
    // An IPv4 packet has at most 65,535 bytes, even on a link that would take more; 20 are its header and 20 TCP's.
    let largest = real.mtu.map(|mtu| mtu.min(65_535).saturating_sub(40 + options));
    let less = match options {
        0 => "less 40 bytes of headers",
        _ => "less 40 bytes of headers and 12 of timestamps",
    };
    let size = match real.mtu {
        Some(mtu) if mtu > 65_535 => "the largest packets that IPv4 has, 65535 bytes,",
        _ => "packets of the loopback's size",
    };
    let because = if found + options == u32::from(sim.mss) && !sim.timestamps {
        "the timestamps option takes 12 bytes of every segment".to_owned()
    } else if Some(found) == largest {
        format!("the kernel fills {size} {less}")
    } else if largest.is_some_and(|largest| found < largest) && found > u32::from(sim.mss) {
        format!(
            "the kernel would fill {size} {less}, but an end announced less, or Linux keeps a segment within half of \
             the largest window that the peer has shown"
        )
    } else {
        "each end may announce its own limit in its SYN, and the smaller one holds (RFC 9293 §3.7.1)"
            .to_owned()
    };
    unless_equal("MSS", u32::from(sim.mss), found, because)
}

fn window_scale(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let word = |on| if on { "on" } else { "off" };
    let because =
        "a window beyond 65,535 bytes needs it (RFC 7323 §2); the kernel's buffers may grow to megabytes";
    unless_equal("TCP window scaling", word(sim.window_scale), word(real.window_scale?), because)
}

fn rtt(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let real_rtt = real.rtt?;
    let because = if real_rtt < sim.rtt {
        "no distance is travelled: what the kernel measures is its own work and the programs taking turns"
    } else {
        "an acknowledgment may wait for data to travel with (RFC 9293 §3.8.6.3), and this machine may be busy"
    };
    unless_close("RTT", sim.rtt, real_rtt, because)
}

fn time_to_first_read(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let (sim_time, real_time) = (sim.first_read?, real.first_read?);
    let because = if real_time < sim_time {
        "the kernel moves the bytes from one queue to another in memory; nothing is serialized, nothing propagates"
    } else {
        "the two programs take turns on a machine that has other work as well"
    };
    unless_close("first write to first read", sim_time, real_time, because)
}

fn packets(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let (sim_count, real_count) = (sim.packets as u64, real.packets?);
    let because = match (real.way, real_count < sim_count) {
        (Way::Udp, true) => {
            "loopback carries a datagram of any size in one packet, and needs no ARP".to_owned()
        }
        (Way::Udp, false) => "the message was cut into smaller datagrams".to_owned(),
        (_, true) => fewer_segments(sim, real),
        (_, false) => {
            "the kernel decides by its own buffers when to acknowledge, to open the window, and whether a \
                       FIN travels with data"
                .to_owned()
        }
    };
    unless_equal("packets", sim_count, real_count, because)
}

/// Why TCP needs fewer segments than in the simulator: only reasons that hold for these two runs.
fn fewer_segments(sim: &SimFacts, real: &RealFacts) -> String {
    // When a handful of packets was enough, each message fitted one segment, and larger ones would save nothing.
    let many = sim.packets > FEW_PACKETS;
    let larger = many && real.mss.is_some_and(|mss| mss > u32::from(sim.mss));
    let delayed = match many {
        true => "it acknowledges several segments at once (delayed ACKs, RFC 9293 §3.8.6.3)",
        false => "its ACKs wait a little for data or a FIN to travel with (delayed ACKs, RFC 9293 §3.8.6.3)",
    };
    let nothing_again = sim.retransmitted > 0 && real.retransmitted == Some(0);
    [(larger, "its segments are larger"), (true, delayed), (nothing_again, "nothing is sent again")]
        .into_iter()
        .filter_map(|(holds, reason)| holds.then_some(reason))
        .collect::<Vec<_>>()
        .join(", and ")
}

/// A little more than a WebSocket conversation has whose messages fit one segment each: 19.
const FEW_PACKETS: usize = 24;

fn lost(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let real_lost = real.lost?;
    let because = if real_lost < sim.lost {
        "loopback loses nothing; only a receiver whose buffer is full would"
    } else {
        "the receiver's buffer was full when they came (see SO_RCVBUF): the kernel drops them without a word"
    };
    unless_equal("lost", sim.lost, real_lost, because)
}

fn retransmitted(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let real_count = real.retransmitted?;
    let because = if real_count < sim.retransmitted as u64 {
        "on loopback nothing is lost, so nothing is sent again"
    } else {
        "a probe or a timer of the kernel went off, although loopback loses nothing: this machine was busy, or the \
         receiver's memory was short"
    };
    unless_equal("retransmitted", sim.retransmitted as u64, real_count, because)
}

fn reads_of_the_server(sim: &SimFacts, real: &RealFacts) -> Option<Difference> {
    let because = match real.way {
        Way::Udp => "one read gives one datagram: as many as arrived",
        Way::Tcp | Way::WebSocket => {
            "a read gives what is in the buffer at that moment: TCP keeps the bytes and not the writes"
        }
    };
    unless_equal("reads at the server", sim.reads, real.reads, because)
}

#[cfg(test)]
#[path = "differences_tests.rs"]
mod tests;
