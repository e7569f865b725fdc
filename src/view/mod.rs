//! Pictures of a trace: each one a pure function of a run, or of bytes. Nothing here prints.
//!
//! | module | the picture |
//! |---|---|
//! | [`dissect`] | bytes taken apart into headers, fields and problems: what the other pictures are drawn from |
//! | [`ladder`] | hosts as lines, time downwards, every frame an arrow |
//! | [`fork`] | two futures of one scene: what differs, and which loss costs most |
//! | [`facts`], [`comparison`] | what a run cost, and the table that compares several |
//! | [`table`] | the packet list |
//! | [`hexdump`] | the bytes of a frame, each with its layer |
//! | [`header_box`] | one header in rows of 32 bits, as RFCs draw it |
//! | [`layers`] | a frame as nested boxes |
//! | [`cut`] | a packet or a stream cut into pieces, and what the receiver has of it |
//! | [`boxes`] | what one program handed over above what the other one got |
//! | [`frames`] | WebSocket frames above the segments that carried them |
//! | [`xor`] | a masked payload, byte by byte |
//! | [`svg`] | ladder, layers, header box and a terminal's text as images |
//! | [`json`] | the trace for programs |
//! | [`pcapng`] | the trace for Wireshark |
//! | [`capture`] | the other way: reads pcap and pcapng files, also those of others |
//! | [`bars`] | a message and its pieces as boxes of their size: cut, joined, lost |
//! | [`plot`] | series over time: congestion window, round trips, sequence numbers, throughput, queues |
//! | [`waveform`] | bits as levels on a wire |
//! | [`columns`] | rows and columns of words, wrapped to fit |
//! | [`log`] | a log of events, and how far each reader has it |
//! | [`look`] | width, characters and escaping, shared by all of them |
//!
//! A picture is a [`sheet`]: lines of cells with tones, which writers turn into text, colours, images and pages.

pub mod bars;
pub mod boxes;
pub mod capture;
pub mod columns;
pub mod comparison;
pub mod cut;
pub mod dissect;
pub mod facts;
pub mod fork;
pub mod frames;
pub mod header_box;
pub mod hexdump;
pub mod json;
pub mod ladder;
pub mod layers;
pub mod log;
pub mod look;
pub mod pcapng;
pub mod plot;
#[cfg(test)]
pub(crate) mod sample;
pub mod sheet;
pub mod svg;
pub mod table;
pub mod waveform;
pub mod xor;

#[cfg(test)]
mod tests;
