//! A capture as JSON, for programs: one document, one packet a line.
//!
//! ```json
//! { "schema": "netlayers.decode/1", "packets": [
//! { "number": 1, "at_nanos": 1700000000000000000, "since_nanos": 0, "interface": 0, "link": "ethernet",
//!   "captured": 60, "len": 60, "conversation": 1, "protocol": "TCP", "source": "192.0.2.1:40000",
//!   "destination": "192.0.2.2:80", "info": "40000 > 80 [SYN] Seq=0 Win=64240 Len=0",
//!   "summary": {...}, "accounting": {...}, "parts": [...], "problems": [], "remarks": [], "comments": [] }
//! ] }
//! ```
//!
//! | field | what |
//! |---|---|
//! | `number` | counted from 1 in the order of the file, whatever was filtered |
//! | `at_nanos` | since 1970, or null when the file does not say; `since_nanos`: since the first packet |
//! | `captured`, `len` | bytes that the capture kept, and that the packet had |
//! | `conversation` | its number, as `--view conversations` lists it |
//! | `info` | the line of the packet list |
//! | `summary`, `accounting`, `parts`, `problems` | as in [the JSON of a trace](crate::view::json) |
//! | `remarks` | what the capture did to the packet, and what is around it: sentences, whose wording is no contract |
//! | `comments` | from the file |
//!
//! The number in `schema` changes when a field changes its meaning or goes away; new fields may come at any time.

use serde::Serialize;

use super::Captured;
use crate::view::dissect::{Accounting, LinkType, Packet, Summary};
use crate::view::json::{JsonPart, JsonProblem};

/// The name and version of the schema.
pub const SCHEMA: &str = "netlayers.decode/1";

/// What stands before the first packet.
pub fn begin() -> String {
    format!("{{\"schema\":\"{SCHEMA}\",\"packets\":[")
}

/// What comes after the last packet.
pub fn end() -> &'static str {
    "\n]}\n"
}

#[derive(Serialize)]
struct JsonPacket<'a> {
    number: u64,
    at_nanos: Option<u64>,
    since_nanos: u64,
    interface: usize,
    link: LinkType,
    captured: usize,
    len: usize,
    conversation: Option<u64>,
    protocol: &'static str,
    source: &'a str,
    destination: &'a str,
    info: String,
    summary: &'a Summary,
    accounting: Accounting,
    parts: Vec<JsonPart<'a>>,
    problems: Vec<JsonProblem<'a>>,
    remarks: &'a [String],
    comments: &'a [String],
}

/// One packet, in one line.
///
/// # Errors
/// Those of the JSON writer; a packet has nothing that JSON cannot say.
pub fn packet(
    captured: &Captured,
    number: u64,
    since_nanos: u64,
    conversation: Option<u64>,
    packet: &Packet,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&JsonPacket {
        number,
        at_nanos: captured.at_nanos,
        since_nanos,
        interface: captured.interface,
        link: captured.link,
        captured: captured.bytes.len(),
        len: captured.original_len,
        conversation,
        protocol: packet.summary.protocol,
        source: &packet.summary.source,
        destination: &packet.summary.destination,
        info: packet.summary.info(),
        summary: &packet.summary,
        accounting: packet.accounting,
        parts: packet.dissection.parts.iter().map(JsonPart::of).collect(),
        problems: packet.dissection.problems.iter().map(JsonProblem::of).collect(),
        remarks: &packet.dissection.remarks,
        comments: &captured.comments,
    })
}
