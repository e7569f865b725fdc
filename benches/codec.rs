//! What reading and writing costs: headers, checksums, masking, each beside the copying of as many bytes.
//!
//! ```text
//! cargo bench --bench codec              the table
//! cargo bench --bench codec -- masking   only the lines whose name contains "masking"
//! cargo bench --bench codec -- --json    for programs
//! ```
//!
//! The ratio is the speed divided by that of `memcpy` over as many bytes in the same run: it says more about the code, and
//! less about the machine, than the speed does. All data is in the cache.

mod support;

use std::hint::black_box;

use netlayers::base::{Header, Layer, Reader, Writer, internet_checksum};
use netlayers::layers::application::websocket::mask::apply_mask;
use netlayers::layers::application::websocket::{FrameHeader, Opcode};
use netlayers::layers::internet::ipv4::{Ipv4Header, protocol};
use netlayers::layers::link::ethernet::{EtherType, EthernetHeader, MacAddr};
use netlayers::layers::physical::crc32::crc32;
use netlayers::layers::transport::tcp::{Flags, SeqNumber, TcpHeader};
use support::{Asked, Figure};

/// Each speed is measured over at least this much CPU time, in seconds.
const SAMPLE: f64 = 0.03;

/// Everything is one case, so that what is compared ran in the same process.
const ALL: &str = "all";

fn main() {
    match support::asked() {
        Asked::Case(name) => {
            assert_eq!(name, ALL, "there is only one case here");
            support::report(&measure());
        }
        Asked::All { filter, json } => {
            let mut figures = support::medians(ALL);
            figures.retain(|(name, _)| name.contains(&filter));
            if json {
                support::print_json(&[("codec".into(), figures)]);
            } else {
                print_table(&figures);
            }
        }
    }
}

/// All speeds, in bytes per second, and each one's ratio to copying.
fn measure() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (size, len) in [("1 KiB", 1 << 10), ("64 KiB", 64 << 10)] {
        let mut bytes: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
        let copy = copying(len);
        figures.push((format!("memcpy, {size}"), copy));
        let mut speed = |name: &str, seconds: f64| {
            let speed = len as f64 / seconds;
            figures.push((format!("{name}, {size}"), speed));
            figures.push((format!("{name}, {size}: ratio"), speed / copy));
        };
        speed("internet checksum", seconds(|| internet_checksum(black_box(&bytes))));
        speed("CRC-32", seconds(|| crc32(black_box(&bytes))));
        speed("WebSocket masking", seconds(|| apply_mask(black_box([1, 2, 3, 4]), 0, black_box(&mut bytes))));
    }
    headers(&mut figures);
    figures
}

/// Headers, counted rather than weighed: the speed is in headers per second, and Ethernet, IPv4 and TCP count as one.
fn headers(figures: &mut Vec<Figure>) {
    let frame = Frame::new();
    let mut w = Writer::new();
    frame.emit(&mut w);
    let wire = w.finish();
    count(figures, "Ethernet + IPv4 + TCP, parse", wire.len(), || Frame::parse(black_box(&wire)));
    count(figures, "Ethernet + IPv4 + TCP, emit", wire.len(), || {
        w.reserve(wire.len());
        black_box(&frame).emit(&mut w);
        w.finish()
    });

    let header = FrameHeader { mask: Some([1, 2, 3, 4]), ..FrameHeader::new(Opcode::Binary, 70_000) };
    header.emit(&mut w);
    let wire = w.finish();
    count(figures, "WebSocket, parse", wire.len(), || {
        let mut r = Reader::new(Layer::Application, FrameHeader::PROTOCOL, black_box(&wire));
        FrameHeader::parse(&mut r)
    });
    count(figures, "WebSocket, emit", wire.len(), || {
        w.reserve(wire.len());
        black_box(&header).emit(&mut w);
        w.finish()
    });
}

fn count<T>(figures: &mut Vec<Figure>, name: &str, len: usize, work: impl FnMut() -> T) {
    let copy = copying(len) / len as f64;
    let speed = 1.0 / seconds(work);
    figures.push((name.into(), speed));
    figures.push((format!("{name}: ratio"), speed / copy));
}

/// The three headers of a TCP segment without payload.
struct Frame {
    ethernet: EthernetHeader,
    ipv4: Ipv4Header,
    tcp: TcpHeader,
}

impl Frame {
    fn new() -> Self {
        let (client, server) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        Frame {
            ethernet: EthernetHeader {
                destination: MacAddr::local(1),
                source: MacAddr::local(2),
                ethertype: EtherType::IPV4,
            },
            ipv4: Ipv4Header::new(client, server, protocol::TCP, 20),
            tcp: TcpHeader {
                source_port: 49152,
                destination_port: 80,
                seq: SeqNumber(1),
                ack: SeqNumber(2),
                flags: Flags::ACK,
                window: 65_535,
                ..TcpHeader::default()
            },
        }
    }

    fn emit(&self, w: &mut Writer) {
        self.ethernet.emit(w);
        self.ipv4.emit(w);
        self.tcp.emit(w);
    }

    fn parse(wire: &[u8]) -> Option<Self> {
        let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, wire);
        let ethernet = EthernetHeader::parse(&mut r).ok()?;
        let mut r = r.enter(Layer::Internet, Ipv4Header::PROTOCOL);
        let ipv4 = Ipv4Header::parse(&mut r).ok()?;
        let mut r = r.enter(Layer::Transport, TcpHeader::PROTOCOL);
        let tcp = TcpHeader::parse(&mut r).ok()?;
        Some(Frame { ethernet, ipv4, tcp })
    }
}

/// Bytes per second that `memcpy` moves, `len` at a time.
fn copying(len: usize) -> f64 {
    let (from, mut to) = (vec![1u8; len], vec![0u8; len]);
    len as f64 / seconds(|| black_box(&mut to[..]).copy_from_slice(black_box(&from)))
}

/// CPU time of one call, in seconds: the median of seven samples after a first one to warm up.
fn seconds<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut calls = 64u64;
    let mut sample = |calls: u64| {
        let before = support::cpu_seconds();
        for _ in 0..calls {
            black_box(work());
        }
        support::cpu_seconds() - before
    };
    while sample(calls) < SAMPLE {
        calls *= 2;
    }
    support::median((0..7).map(|_| sample(calls) / calls as f64).collect())
}

fn print_table(figures: &[Figure]) {
    support::print_line("Codecs, medians of 5 runs, data in the cache");
    support::print_line("");
    support::print_line(&format!("{:<36} {:>18} {:>22}", "", "speed", "of memcpy's"));
    for (name, speed) in figures.iter().filter(|(name, _)| !name.ends_with(": ratio")) {
        let weighed = name.ends_with("KiB");
        let unit = if weighed { "GB/s" } else { "M headers/s" };
        let speed = speed / if weighed { 1e9 } else { 1e6 };
        let ratio = figures.iter().find(|(figure, _)| *figure == format!("{name}: ratio"));
        let ratio = ratio.map_or(String::new(), |(_, ratio)| format!("{ratio:.2}"));
        support::print_line(&format!("{name:<36} {speed:>6.1} {unit:<11} {ratio:>22}"));
    }
}
