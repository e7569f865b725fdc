//! A trace as JSON, for programs.
//!
//! ```json
//! { "schema": "netlayers.trace/1",
//!   "trace": { "title": ..., "wire": "sim", "places": [...], "events": [...] },
//!   "packets": [ { "number": 1, "at": 0, "from": "client", "to": "server", ... } ] }
//! ```
//!
//! `trace` is everything that happened, frames in hexadecimal; `packets` is what the frames mean. Times are
//! nanoseconds since the start of the run. The number in `schema` changes when a field changes its meaning or goes
//! away; new fields may come at any time. The same trace always gives the same text.

use serde::Serialize;

use super::dissect::{Accounting, FieldValue, Part, Role, Summary, TracedPacket, dissect_trace};
use crate::base::{ErrorKind, Instant, Layer, ParseError, Wording};
use crate::trace::{Fate, Trace};

/// The name and version of the schema.
pub const SCHEMA: &str = "netlayers.trace/1";

/// Writes a trace and what its frames mean.
///
/// # Errors
/// Those of the JSON writer; a trace has nothing that JSON cannot say.
pub fn to_json(trace: &Trace) -> Result<String, serde_json::Error> {
    let fates = trace.fates();
    let dissected = dissect_trace(trace);
    let packets = dissected.iter().map(|seen| packet(trace, seen, fates.get(&seen.frame))).collect();
    serde_json::to_string_pretty(&Document { schema: SCHEMA, trace, packets })
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    trace: &'a Trace,
    packets: Vec<JsonPacket<'a>>,
}

#[derive(Serialize)]
struct JsonPacket<'a> {
    number: u64,
    frame: u64,
    at: Instant,
    from: &'a str,
    to: &'a str,
    len: usize,
    info: String,
    summary: &'a Summary,
    accounting: Accounting,
    fate: JsonFate<'a>,
    parts: Vec<JsonPart<'a>>,
    problems: Vec<JsonProblem<'a>>,
}

#[derive(Serialize, Default)]
struct JsonFate<'a> {
    delivered: Option<Instant>,
    dropped_by: Option<&'a str>,
    corrupted_by: Option<&'a str>,
    duplicated_by: Option<&'a str>,
    delayed_by: Option<&'a str>,
    discarded: Option<&'a str>,
}

/// A part of a frame.
#[derive(Serialize)]
pub(super) struct JsonPart<'a> {
    layer: Layer,
    protocol: &'static str,
    role: Role,
    start: usize,
    end: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldValue],
}

/// What is wrong with a frame.
#[derive(Serialize)]
pub(super) struct JsonProblem<'a> {
    kind: &'static str,
    layer: Layer,
    protocol: &'static str,
    field: &'static str,
    offset: usize,
    expected: &'a Wording,
    got: &'a Wording,
}

fn packet<'a>(trace: &'a Trace, seen: &'a TracedPacket, fate: Option<&Fate<'a>>) -> JsonPacket<'a> {
    let dissection = &seen.packet.dissection;
    JsonPacket {
        number: seen.packet.number,
        frame: seen.frame.0,
        at: seen.at,
        from: trace.name(seen.from),
        to: trace.name(seen.to),
        len: seen.bytes.len(),
        info: seen.packet.summary.info(),
        summary: &seen.packet.summary,
        accounting: seen.packet.accounting,
        fate: fate.map(told).unwrap_or_default(),
        parts: dissection.parts.iter().map(JsonPart::of).collect(),
        problems: dissection.problems.iter().map(JsonProblem::of).collect(),
    }
}

fn told<'a>(fate: &Fate<'a>) -> JsonFate<'a> {
    JsonFate {
        delivered: fate.delivered,
        dropped_by: fate.dropped_by,
        corrupted_by: fate.corrupted_by,
        duplicated_by: fate.duplicated_by,
        delayed_by: fate.delayed_by,
        discarded: fate.discarded,
    }
}

impl<'a> JsonPart<'a> {
    pub(super) fn of(part: &'a Part) -> Self {
        JsonPart {
            layer: part.layer,
            protocol: part.protocol,
            role: part.role,
            start: part.range.start,
            end: part.range.end,
            fields: &part.fields,
        }
    }
}

impl<'a> JsonProblem<'a> {
    pub(super) fn of(problem: &'a ParseError) -> Self {
        JsonProblem {
            kind: match problem.kind {
                ErrorKind::Incomplete => "incomplete",
                ErrorKind::Malformed => "malformed",
                ErrorKind::Misuse => "misuse",
            },
            layer: problem.layer,
            protocol: problem.protocol,
            field: problem.field,
            offset: problem.offset,
            expected: &problem.expected,
            got: &problem.got,
        }
    }
}
