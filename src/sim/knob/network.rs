//! The knobs of the network: one entry each. The flags of `compare` and their help, the network that a lesson's knobs
//! describe, the `conditions` of the JSON and the line above a run all follow from the table.
//!
//! A new one is one entry more, which says what it turns.

use super::setup::Knobs;
use super::{AnyKnob, Knob, Value};
use crate::base::Duration;
use crate::layers::link::aqm::Aqm;
use crate::layers::physical::delay::Rate;
use crate::layers::transport::tcp::SynCookies;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::layers::transport::udp;
use crate::sim::link::LinkConfig;

/// Declares the knobs of the network and lists them.
macro_rules! network_knobs {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $knob:expr;)*) => {
        $($(#[$doc])* pub const $name: Knob<$type> = $knob;)*
        /// All knobs of the network, in the order in which help and JSON have them.
        pub static NETWORK: &[&dyn AnyKnob] = &[$(&$name),*];
    };
}

network_knobs! {
    /// How many frames are lost.
    LOSS: f64 = Knob::share("loss", "0%", "How many of the frames are lost, in each direction")
        .turns(|knobs, share| knobs.loss = share, |knobs| Some(knobs.loss.into()))
        .said(|knobs| Some(format!("loss {:#}", Value::Share(knobs.loss))));

    /// How many frames arrive twice.
    DUPLICATE: f64 = Knob::share("duplicate", "0%", "How many arrive twice")
        .turns(|knobs, share| knobs.duplicate = share, |knobs| Some(knobs.duplicate.into()));

    /// How many frames are damaged.
    CORRUPT: f64 = Knob::share("corrupt", "0%", "How many get a bit flipped on the wire")
        .turns(|knobs, share| knobs.corrupt = share, |knobs| Some(knobs.corrupt.into()));

    /// How many frames are held back.
    REORDER: f64 = Knob::share("reorder", "0%", "How many are held back, so that later ones overtake them")
        .turns(|knobs, share| knobs.reorder = share, |knobs| Some(knobs.reorder.into()));

    /// How long a bit is on its way.
    DELAY: Duration = Knob::time("delay", "20ms", Duration::ZERO, HOUR, "Propagation delay in one direction")
        .turns(|knobs, time| knobs.link.delay = time, |knobs| Some(knobs.link.delay.into()))
        .said(|knobs| Some(format!("RTT {}", knobs.rtt())));

    /// How much the delay varies.
    JITTER: Duration = Knob::time("jitter", "0ms", Duration::ZERO, HOUR, "Most random extra delay")
        .turns(|knobs, time| knobs.link.jitter = time, |knobs| Some(knobs.link.jitter.into()));

    /// How fast frames leave.
    RATE: Rate = Knob::rate("rate", "10mbit", "Bits per second of the link")
        .turns(|knobs, rate| knobs.link.rate = Some(rate), |knobs| knobs.link.rate.map(Value::Rate))
        .said(|knobs| knobs.link.rate.map(|rate| rate.to_string()));

    /// The largest IP packet of the link.
    MTU: u16 = Knob::bytes("mtu", "1500", Knobs::MIN_MTU as u64, 65_535, "Largest IP packet in bytes, from 68")
        .because("every IPv4 link carries at least 68: RFC 791")
        .turns(|knobs, mtu| knobs.link.mtu = mtu, |knobs| Some(knobs.link.mtu.into()))
        .said(|knobs| (knobs.link.mtu != LinkConfig::default().mtu).then(|| format!("MTU {}", knobs.link.mtu)));

    /// Packets that vanish for their size (RFC 2923 §2.1).
    BLACK_HOLE: u16 = Knob::bytes(
        "black-hole", "", Knobs::MIN_MTU as u64, 65_535, "Larger IP packets than this vanish, and no router says so [default: none]",
    )
        .turns(
            |knobs, bytes| knobs.black_hole = Some(bytes),
            |knobs| knobs.black_hole.map(Value::from),
        );

    /// The largest TCP segment payload.
    MSS: u16 =
        Knob::bytes("mss", "", 1, 65_495, "Largest TCP segment payload in bytes [default: the MTU less 40]")
        .of(TCP)
        .turns(|knobs, mss| knobs.mss = Some(mss), |knobs| Some(knobs.announced_mss().into()))
        .real(|knobs| knobs.mss.map(Value::from))
        .said(|knobs| knobs.mss.map(|mss| format!("MSS {mss}")));

    /// The largest UDP datagram payload.
    DATAGRAM: usize = Knob::bytes(
        "datagram", "", 1, udp::MAX_PAYLOAD as u64,
        "Largest UDP datagram payload in bytes [default: the MTU less 28]; more makes IP fragments",
    )
        .turns(|knobs, bytes| knobs.datagram = Some(bytes), |knobs| Some(knobs.datagram_len().into()))
        .real(|knobs| Some(knobs.datagram_len().into()))
        .said(|knobs| knobs.datagram.map(|bytes| format!("datagrams of {bytes}")));

    /// How many frames wait for the link.
    QUEUE: usize = Knob::count("queue", "1000", 0, 1_000_000, "Most frames that wait for the link at each end")
        .turns(|knobs, frames| knobs.link.queue = frames, |knobs| Some(knobs.link.queue.into()));

    /// What the queue does before it is full.
    AQM: Aqm = Knob::choice("aqm", "droptail", &Aqm::ALL, "What the link's queue does before it is full")
        .turns(|knobs, aqm| knobs.link.aqm = aqm, |knobs| Some(Value::Word(knobs.link.aqm.name())));

    /// Congestion control by name.
    CC: Algorithm = Knob::choice("cc", "cubic", &ALGORITHMS, "TCP's congestion control")
        .of(TCP)
        .because("or mine in race and compare: examples/my_congestion_control.rs")
        .turns(|knobs, algorithm| knobs.tcp.congestion = algorithm, |knobs| Some(Value::Word(knobs.tcp.congestion.name)));

    /// Selective acknowledgment (RFC 2018).
    SACK: bool = Knob::choice("sack", "yes", NO_YES, "Whether TCP offers selective acknowledgment")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.sack = on, |knobs| Some(word(knobs.tcp.sack)));

    /// Losses judged by time (RFC 8985).
    RACK: bool = Knob::choice("rack", "yes", NO_YES, "Whether TCP judges losses by time (RACK-TLP); needs sack")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.rack = on, |knobs| Some(word(knobs.tcp.rack)));

    /// Timeouts that came too soon (RFC 5682).
    FRTO: bool = Knob::choice("frto", "yes", NO_YES, "Whether TCP finds out if a timeout came too soon (F-RTO)")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.frto = on, |knobs| Some(word(knobs.tcp.frto)));

    /// Timestamps (RFC 7323).
    TIMESTAMPS: bool = Knob::choice("timestamps", "yes", NO_YES, "Whether TCP offers timestamps")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.timestamps = on, |knobs| Some(word(knobs.tcp.timestamps)));

    /// Marks in place of losses (RFC 3168).
    ECN: bool = Knob::choice("ecn", "no", NO_YES, "Whether TCP agrees on marks in place of losses; needs an aqm")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.ecn = on, |knobs| Some(word(knobs.tcp.ecn)));

    /// Segments at a rate.
    PACING: bool = Knob::choice("pacing", "no", NO_YES, "Whether segments leave at a rate and not in bursts; bbr's do")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.pacing = on, |knobs| Some(word(knobs.tcp.pacing)));

    /// Window scaling (RFC 7323 §2).
    WINDOW_SCALE: bool = Knob::choice("window-scale", "yes", NO_YES, "Whether TCP offers windows over 65,535 bytes")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.window_scale = on, |knobs| Some(word(knobs.tcp.window_scale)));

    /// Small segments at once: Nagle's algorithm off (RFC 9293 §3.7.4).
    NODELAY: bool = Knob::choice("nodelay", "no", NO_YES, "Whether TCP sends small segments at once: no Nagle")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.nodelay = on, |knobs| Some(word(knobs.tcp.nodelay)));

    /// How long an ACK waits for company (RFC 9293 §3.8.6.3).
    DELAYED_ACK: Duration = Knob::time(
        "delayed-ack", "40ms", Duration::ZERO, Duration::from_millis(499),
        "How long an ACK waits for data or a second segment",
    )
        .of(TCP)
        .because("a TCP must not wait longer: RFC 9293 §3.8.6.3")
        .turns(
            |knobs, time| knobs.tcp.delayed_ack = (time > Duration::ZERO).then_some(time),
            |knobs| Some(knobs.tcp.delayed_ack.unwrap_or(Duration::ZERO).into()),
        );

    /// What may wait to be read: the largest window.
    RECV_BUFFER: usize = Knob::bytes("recv-buffer", "1048576", 1, 1 << 30, "Bytes a receiver holds: the largest window")
        .of(TCP)
        .turns(|knobs, bytes| knobs.tcp.recv_buffer = bytes, |knobs| Some(knobs.tcp.recv_buffer.into()));

    /// What may wait to be acknowledged.
    SEND_BUFFER: usize = Knob::bytes("send-buffer", "1048576", 1, 1 << 30, "Bytes that wait unacknowledged at a sender")
        .of(TCP)
        .turns(|knobs, bytes| knobs.tcp.send_buffer = bytes, |knobs| Some(knobs.tcp.send_buffer.into()));

    /// The least retransmission timeout (RFC 6298 §2.4).
    MIN_RTO: Duration = Knob::time(
        "min-rto", "1s", Duration::from_millis(1), Duration::from_secs(60), "The shortest retransmission timeout",
    )
        .of(TCP)
        .turns(
            |knobs, time| knobs.tcp.min_rto = time,
            |knobs| Some(knobs.tcp.min_rto.into()),
        );

    /// Probes of an idle connection (RFC 9293 §3.8.4).
    KEEP_ALIVE: Duration = Knob::time(
        "keep-alive", "0ms", Duration::ZERO, HOUR,
        "After how long without a segment TCP probes the peer; 0 for never",
    )
        .of(TCP)
        .turns(
            |knobs, time| (knobs.tcp.keep_alive, knobs.tcp.keep_alive_idle) = (time > Duration::ZERO, time),
            |knobs| Some(if knobs.tcp.keep_alive { knobs.tcp.keep_alive_idle } else { Duration::ZERO }.into()),
        );

    /// After how many timeouts a program learns of them (R1 of RFC 9293 §3.8.3).
    R1: u32 = Knob::count("r1", "3", 1, 100, "After how many timeouts in a row TCP reports to program and IP (R1)")
        .of(TCP)
        .turns(|knobs, timeouts| knobs.tcp.r1 = timeouts, |knobs| Some(Value::Count(knobs.tcp.r1.into())));

    /// When a connection is given up (R2 of RFC 9293 §3.8.3).
    USER_TIMEOUT: Duration = Knob::time(
        "user-timeout", "900s", Duration::from_secs(1), HOUR, "How long TCP waits for an answer before it gives up (R2)",
    )
        .of(TCP)
        .turns(
            |knobs, time| knobs.tcp.user_timeout = Some(time),
            |knobs| knobs.tcp.user_timeout.map(Value::Time),
        );

    /// How many connections may be half open.
    BACKLOG: usize = Knob::count("backlog", "128", 1, 65_535, "How many half-open connections a listener keeps")
        .of(TCP)
        .turns(|knobs, most| knobs.tcp.backlog = most, |knobs| Some(knobs.tcp.backlog.into()));

    /// Half-open connections that are not remembered (RFC 4987).
    SYN_COOKIES: SynCookies = Knob::choice(
        "syn-cookies", "on", SYN_COOKIES_WORDS, "Whether a SYN is answered with a cookie: when the backlog is full, or always",
    )
        .of(TCP)
        .turns(|knobs, when| knobs.tcp.syn_cookies = when, |knobs| {
            let known = SYN_COOKIES_WORDS.iter().find(|(_, when)| *when == knobs.tcp.syn_cookies);
            known.map(|(word, _)| Value::Word(word))
        });

    /// What TCP does when segments vanish (RFC 4821).
    MTU_PROBING: bool = Knob::choice(
        "mtu-probing", "no", NO_YES, "Whether TCP finds out by itself which segments the path takes: see black-hole",
    )
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.mtu_probing = on, |knobs| Some(word(knobs.tcp.mtu_probing)));

    /// When a larger size is worth a try again (RFC 1191 §6.3, RFC 4821 §7.3).
    MTU_AGE: Duration = Knob::time(
        "mtu-age", "600s", Duration::from_secs(300), HOUR, "For how long a path is believed to take no larger packets",
    )
        .of(TCP)
        .because("not less than five minutes: RFC 4821 §7.3")
        .turns(|knobs, time| knobs.tcp.mtu_age = time, |knobs| Some(knobs.tcp.mtu_age.into()));

    /// Whether programs learn of what does not end a connection (RFC 9293 §3.9.1.8).
    REPORTS: bool = Knob::choice("reports", "yes", NO_YES, "Whether TCP reports what does not end a connection")
        .of(TCP)
        .turns(|knobs, on| knobs.tcp.reports = on, |knobs| Some(word(knobs.tcp.reports)));

    /// The Differentiated Services field (RFC 2474).
    DSCP: u8 = Knob::count("dscp", "0", 0, 63, "The Differentiated Services code point of TCP's packets")
        .of(TCP)
        .turns(|knobs, dscp| knobs.tcp.dscp = dscp, |knobs| Some(Value::Count(knobs.tcp.dscp.into())));

    /// The seed of all chance.
    SEED: u64 =
        Knob::count("seed", "1", 0, u64::MAX, "The seed of all chance: the same seed and knobs give the same run")
        .turns(|knobs, seed| knobs.seed = seed, |knobs| Some(knobs.seed.into()))
        .said(|knobs| Some(format!("seed {}", knobs.seed)));
}

const TCP: &str = "Knobs of TCP";

/// Every one that there is, under its name.
const ALGORITHMS: [(&str, Algorithm); Algorithm::ALL.len()] = {
    let mut named = [("", Algorithm::NONE); Algorithm::ALL.len()];
    let mut at = 0;
    while at < named.len() {
        named[at] = (Algorithm::ALL[at].name, Algorithm::ALL[at]);
        at += 1;
    }
    named
};

const SYN_COOKIES_WORDS: &[(&str, SynCookies)] =
    &[("off", SynCookies::Off), ("on", SynCookies::On), ("always", SynCookies::Always)];

const NO_YES: &[(&str, bool)] = &[("no", false), ("yes", true)];

fn word(on: bool) -> Value {
    Value::Word(if on { "yes" } else { "no" })
}

/// The longest time that can be typed.
const HOUR: Duration = Duration::from_secs(3600);

/// Under which conditions a run takes place, part by part: the link and the hosts first, then the faults, which are
/// shares of all frames, then the seed.
pub fn conditions(setup: &Knobs) -> Vec<String> {
    let mut knobs = NETWORK.to_vec();
    knobs.sort_by_key(|knob| match knob.value_in(setup) {
        _ if knob.name() == SEED.name => 2,
        Some(Value::Share(_)) => 1,
        _ => 0,
    });
    knobs.into_iter().filter_map(|knob| knob.said(setup)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_knob_stands_at_its_default_until_it_is_turned() {
        let still = Knobs::default();
        for knob in NETWORK {
            let name = knob.name();
            if !knob.default().is_empty() {
                assert_eq!(knob.read(knob.default()).ok(), knob.value_in(&still), "{name}");
            }
            for sample in knob.samples() {
                let value = knob.read(&sample).expect("a sample is a value");
                let mut turned = still.clone();
                knob.turn(&mut turned, &value);
                // What does not fit the MTU is cut down to it.
                assert!(knob.value_in(&turned) == Some(value) || name == "mss", "{name} {sample}");
            }
        }
        let names: BTreeSet<_> = NETWORK.iter().map(|knob| knob.name()).collect();
        assert_eq!(names.len(), NETWORK.len());
    }

    #[test]
    fn the_conditions_of_a_run_name_what_was_turned() {
        assert_eq!(conditions(&Knobs::default()), ["RTT 40 ms", "10 Mbit/s", "loss 0%", "seed 1"]);
        let mut turned = Knobs::default();
        for (knob, text) in [
            (&LOSS as &dyn AnyKnob, "12.5%"),
            (&CORRUPT, "1%"),
            (&JITTER, "5ms"),
            (&MTU, "576"),
            (&MSS, "500"),
            (&DATAGRAM, "1000"),
        ] {
            knob.turn(&mut turned, &knob.read(text).expect(text));
        }
        let said = conditions(&turned).join(", ");
        assert_eq!(
            said,
            "RTT 40 ms, jitter 5 ms, 10 Mbit/s, MTU 576, MSS 500, datagrams of 1000, loss 12.5%, corrupt 1%, seed 1"
        );
    }
}
