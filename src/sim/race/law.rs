//! The law of one over the square root: what a flow gets at losses from small to large, one flow at a time.
//!
//! Between two losses of a share p of all segments go 1/p of them, and meanwhile the window grows from half its height
//! to the whole by one segment a round trip. So its height goes with 1/sqrt(p), and the rate with it (Mathis, Semke,
//! Mahdavi and Ott, 1997, "The macroscopic behavior of the TCP congestion avoidance algorithm"):
//!
//! ```text
//! rate = sqrt(3/2) * MSS / (RTT * sqrt(p))
//! ```
//!
//! The constant is that of a window which grows by a segment for each window of bytes acknowledged, as [`NewReno`]
//! counts; counting ACKs, of which a receiver that delays sends half as many, it is sqrt(3/4). The law knows no
//! timeouts, no link and no receiver: where losses are many, or the link is full, a flow has less.
//!
//! [`NewReno`]: crate::layers::transport::tcp::congestion::NewReno

use super::run;
use crate::base::Duration;
use crate::layers::physical::delay::{ETHERNET_OVERHEAD, serialization};
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::sim::knob::Knobs;

/// The shares of segments that are lost.
pub const LOSSES: [f64; 6] = [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08];

/// Bytes of a segment that timestamps take (RFC 7323 §3.2: ten, and two to align them).
const TIMESTAMPS: u64 = 12;

/// The goodput that the law predicts, in bits per second: what an empty path's round trip allows.
pub fn predicted(knobs: &Knobs, loss: f64) -> f64 {
    let options = if knobs.tcp.timestamps { TIMESTAMPS } else { 0 };
    let mss = u64::from(knobs.announced_mss()).saturating_sub(options).max(1) as f64;
    let frame = usize::from(knobs.link.mtu) + 14;
    let leaving = knobs.link.rate.map_or(Duration::ZERO, |rate| serialization(frame, rate));
    let rtt = (knobs.rtt() + leaving).as_secs_f64().max(1e-9);
    f64::sqrt(1.5) * mss * 8.0 / (rtt * loss.sqrt())
}

/// The most goodput that the link carries, in bits per second; `None` for one without a rate.
pub fn limit(knobs: &Knobs) -> Option<f64> {
    let options = if knobs.tcp.timestamps { TIMESTAMPS } else { 0 };
    let payload = u64::from(knobs.announced_mss()).saturating_sub(options) as f64;
    let rate = knobs.link.rate?.0 as f64;
    let frame = usize::from(knobs.link.mtu) + 14 + ETHERNET_OVERHEAD;
    Some(rate * payload / frame as f64)
}

/// What a flow of this kind gets, alone, at each of [`LOSSES`], in bits per second: the mean of some tries of `time`
/// each, with the seed of the knobs and those after it, for it is a matter of luck too. `watch` hears which loss is next.
pub fn measured(
    entrant: Algorithm,
    knobs: &Knobs,
    time: Duration,
    tries: u32,
    watch: &mut dyn FnMut(f64),
) -> [f64; LOSSES.len()] {
    LOSSES.map(|loss| {
        watch(loss);
        let goodputs = (0..tries).map(|n| {
            let knobs = Knobs { loss, seed: knobs.seed.wrapping_add(u64::from(n)), ..knobs.clone() };
            run(&[entrant], &knobs, time).goodput(0)
        });
        goodputs.sum::<f64>() / f64::from(tries.max(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::race::knobs;

    #[test]
    fn the_law_is_halved_by_four_times_the_loss_and_by_twice_the_round_trip() {
        let mut knobs = knobs();
        let at = predicted(&knobs, 0.01);
        assert!((predicted(&knobs, 0.04) / at - 0.5).abs() < 1e-9);
        // 1448 bytes, 41.23 ms, a tenth: 3.44 Mbit/s.
        assert!((3.43e6..3.45e6).contains(&at), "{at}");
        knobs.link.rate = None;
        let at = predicted(&knobs, 0.01);
        knobs.link.delay = knobs.link.delay * 2;
        assert!((predicted(&knobs, 0.01) / at - 0.5).abs() < 1e-9);
        assert_eq!(limit(&knobs), None);
    }
}
