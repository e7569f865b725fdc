//! `race --json`: the figures of a race, and their course.
//!
//! # The schema `netlayers.race/1`
//!
//! | key | what |
//! |---|---|
//! | `schema` | `netlayers.race/1` |
//! | `seed`, `time_ns`, `queue` | the seed, the length of the race, the frames that fit into the queue |
//! | `goodput_bit_s`, `jain`, `utilisation` | all flows together; fairness; how busy the link was, `null` without a rate |
//! | `flows` | of each its `name`, `goodput_bit_s`, `share` and `retransmissions`, and part by part `read` and `cwnd` in bytes; `null` where a window has no limit |
//! | `bottleneck` | its queue in frames, `mean`, `peak` and part by part `longest`; frames `turned_away`, `lost` and `marked` |
//! | `part_ns` | how long a part is |

use serde_json::{Value as Json, json};

use crate::cli::error::CliError;
use crate::sim::knob::Knobs;
use crate::sim::race::{PARTS, Race};

pub(super) fn text(race: &Race, knobs: &Knobs) -> Result<String, CliError> {
    let total = race.total();
    let flows: Vec<Json> = (0..race.flows.len())
        .map(|number| {
            let (flow, goodput) = (&race.flows[number], race.goodput(number));
            json!({
                "name": flow.name,
                "goodput_bit_s": goodput,
                "share": if total > 0.0 { goodput / total } else { 0.0 },
                "retransmissions": flow.retransmissions,
                "read": flow.read,
                "cwnd": flow.cwnd,
            })
        })
        .collect();
    let bottleneck = &race.bottleneck;
    let document = json!({
        "schema": "netlayers.race/1",
        "seed": knobs.seed,
        "time_ns": race.time.as_nanos(),
        "part_ns": race.time.as_nanos() / PARTS as u64,
        "queue": race.queue,
        "goodput_bit_s": total,
        "jain": race.jain(),
        "utilisation": bottleneck.utilisation,
        "flows": flows,
        "bottleneck": {
            "mean": bottleneck.mean,
            "peak": bottleneck.longest.iter().max().copied().unwrap_or(0),
            "longest": bottleneck.longest,
            "turned_away": bottleneck.turned_away,
            "lost": bottleneck.lost,
            "marked": bottleneck.marked,
        },
    });
    serde_json::to_string(&document).map_err(|error| CliError::Failed(format!("writing JSON: {error}")))
}
