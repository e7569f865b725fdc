//! Knobs that several lessons have: those of the network, with the range and the words that suit a lesson.
//!
//! A lesson's own knobs are declared in its file.

use crate::base::Duration;
use crate::sim::knob::network;
pub use crate::sim::knob::{AnyKnob, Knob, Range, Value};

/// Two words, for a knob that is on or off.
pub const NO_YES: &[(&str, bool)] = &[("no", false), ("yes", true)];

/// The seed of all chance.
pub const SEED: Knob<u64> = network::SEED.told("the seed of all chance");

/// How long a bit is on its way. At most 400 ms: with a longer round trip than TCP's first timeout of a second
/// (RFC 6298 §2.1), every handshake would tell of needless repetitions.
pub const DELAY: Knob<Duration> = network::DELAY
    .within(Range::Time(Duration::ZERO, Duration::from_millis(400)))
    .told("propagation delay of the link, one way");

/// How many frames are lost.
pub const LOSS: Knob<f64> = network::LOSS.told("how many frames are lost");

/// How many frames are held back.
pub const REORDER: Knob<f64> =
    network::REORDER.told("how many frames are held back, so that later ones overtake them");

/// The largest IP packet of the link.
pub const MTU: Knob<u16> = network::MTU.told("largest IP packet of the link, in bytes");

/// The largest TCP segment payload.
pub const MSS: Knob<u16> = network::MSS.at("1460").told("largest TCP segment payload, in bytes");

/// Which packet of several is lost.
pub(super) const LOSE: Knob<usize> =
    Knob::count("lose", "2", 0, 100, "which packet is lost, counted from 1; 0 for none of them");
