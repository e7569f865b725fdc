//! `compare --json`: the figures of each way, and under which conditions they came about.
//!
//! # The schema `netlayers.compare/2`
//!
//! | key | what |
//! |---|---|
//! | `schema` | `netlayers.compare/2` |
//! | `wire` | `sim`, `real` or `kernel` |
//! | `message_bytes` | how long the message is |
//! | `conditions` | the value of every knob of the network, by its name and unit: `loss`, `delay_ns`; `null` where it has no value, as for a loss on real sockets, where the system decides |
//! | `what_if` | the fates that were changed, as `--what-if` takes them; only where some were |
//! | `ways` | for each way what came of it and what it cost; `null` for what a program cannot see on that wire |
//!
//! All wires have the same keys, in the same order.

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::cli::error::CliError;
use crate::cli::wire::WireChoice;
use crate::sim::knob::network::NETWORK;
use crate::sim::knob::{Knobs, Value};
use crate::view::facts::Facts;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    wire: &'static str,
    message_bytes: usize,
    conditions: Conditions<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_if: Option<String>,
    ways: &'a [Facts],
}

/// The knobs' values on a wire.
struct Conditions<'a>(WireChoice, &'a Knobs);

/// The document as text.
pub(super) fn text(
    wire: WireChoice,
    message_bytes: usize,
    knobs: &Knobs,
    what_if: Option<String>,
    ways: &[Facts],
) -> Result<String, CliError> {
    let document = Document {
        schema: "netlayers.compare/2",
        wire: match wire {
            WireChoice::Sim => "sim",
            WireChoice::Real => "real",
            WireChoice::Kernel => "kernel",
        },
        message_bytes,
        conditions: Conditions(wire, knobs),
        what_if,
        ways,
    };
    serde_json::to_string_pretty(&document)
        .map_err(|error| CliError::Failed(format!("writing JSON: {error}")))
}

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Conditions(wire, knobs) = self;
        serializer.collect_map(NETWORK.iter().map(|knob| {
            let value = match wire {
                WireChoice::Sim | WireChoice::Kernel => knob.value_in(knobs),
                WireChoice::Real => knob.value_on_real_sockets(knobs),
            };
            (knob.json_key(), value.map_or(Json::Null, plain))
        }))
    }
}

/// A value in its unit: shares from 0 to 1, nanoseconds, bits per second, bytes.
fn plain(value: Value) -> Json {
    match value {
        Value::Count(n) => n.into(),
        Value::Share(share) => json!(share),
        Value::Time(time) => time.as_nanos().into(),
        Value::Rate(rate) => rate.0.into(),
        Value::Word(word @ ("yes" | "no")) => (word == "yes").into(),
        Value::Word(word) => word.into(),
        Value::Text(text) => text.into(),
    }
}
