//! What we say of a capture that misses segments, or has them twice or in another order, held against tshark.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use bytes::Bytes;
use netlayers::base::{Header, Instant, Writer};
use netlayers::layers::internet::ipv4::{Ipv4Header, protocol};
use netlayers::layers::link::ethernet::{EtherType, EthernetHeader, MacAddr, pad_to_minimum};
use netlayers::layers::transport::tcp::{Flags, Options, Segment, SeqNumber, TcpHeader};
use netlayers::trace::{FrameId, Kind, LinkId, Place, PlaceId, Recorder, Wire};
use netlayers::view::capture::Capture;
use netlayers::view::dissect::{Conversations, Mark, What};
use netlayers::view::pcapng::{PcapngOptions, to_pcapng};

use super::support;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// Not a port whose payload tshark thinks to know.
const PORT: u16 = 9002;

/// A segment of the connection from this port of the client, with numbers that count from 0.
fn segment(port: u16, from_client: bool, flags: Flags, (seq, ack): (u32, u32), len: usize) -> Bytes {
    let (ends, ports) = match from_client {
        true => ((CLIENT, SERVER), (port, PORT)),
        false => ((SERVER, CLIENT), (PORT, port)),
    };
    let isn = |of_client: bool| SeqNumber(if of_client { 1_000 } else { 4_000_000_000 });
    let header = TcpHeader {
        source_port: ports.0,
        destination_port: ports.1,
        seq: isn(from_client) + seq,
        ack: if flags.has(Flags::ACK) { isn(!from_client) + ack } else { SeqNumber(0) },
        flags,
        window: 60_000,
        urgent: 0,
        options: Options::none(),
    };
    let mut w = Writer::new();
    let mac = |of_client: bool| MacAddr::local(if of_client { 1 } else { 2 });
    let (source, destination) = (mac(from_client), mac(!from_client));
    EthernetHeader { destination, source, ethertype: EtherType::IPV4 }.emit(&mut w);
    let mut inner = Writer::new();
    Segment { header, payload: Bytes::from(vec![0xee; len]) }.emit(ends.0.into(), ends.1.into(), &mut inner);
    Ipv4Header::new(ends.0, ends.1, protocol::TCP, inner.len()).emit(&mut w);
    w.bytes(inner.as_slice());
    pad_to_minimum(&mut w, 0);
    w.finish()
}

/// Numbers without a pattern, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A hundred connections, one after the other, of whose segments some are not captured, some come again, soon or late, and
/// some are overtaken.
fn frames() -> Vec<(u64, bool, Bytes)> {
    let mut dice = Dice(7);
    let mut all = Vec::new();
    let (ack, push) = (Flags::ACK, Flags::ACK | Flags::PSH);
    for connection in 0..100u16 {
        let port = 20_000 + connection;
        // Microseconds. Each connection has ten seconds for itself.
        let mut at = u64::from(connection) * 10_000_000;
        let mut frames: Vec<(u64, bool, Bytes)> = Vec::new();
        if connection % 4 != 0 {
            frames.push((at, true, segment(port, true, Flags::SYN, (0, 0), 0)));
            frames.push((at + 2_000, false, segment(port, false, Flags::SYN | ack, (0, 1), 0)));
            frames.push((at + 2_100, true, segment(port, true, ack, (1, 1), 0)));
        }
        let mut seq = 1u32;
        for _ in 0..12 {
            at += [400, 900, 5_000, 300_000][dice.roll(4) as usize];
            let len = 50 + dice.roll(3) as u32 * 25;
            let bytes = segment(port, true, push, (seq, 1), len as usize);
            match dice.roll(8) {
                0 => {}
                1 => frames.push((at + 1_500, true, bytes)),
                2 => frames.extend([(at, true, bytes.clone()), (at + 700, true, bytes)]),
                3 => frames.extend([(at, true, bytes.clone()), (at + 450_000, true, bytes)]),
                4 => frames.push((at + 80_000, true, bytes)),
                _ => frames.push((at, true, bytes)),
            }
            seq += len;
            if dice.roll(3) == 0 {
                frames.push((at + 250, false, segment(port, false, ack, (1, seq), 0)));
            }
        }
        if dice.roll(2) == 0 {
            frames.push((at + 600_000, true, segment(port, true, Flags::FIN | ack, (seq, 1), 0)));
        }
        frames.sort_by_key(|(at, ..)| *at);
        all.extend(frames);
    }
    all.sort_by_key(|(at, ..)| *at);
    all
}

#[test]
fn marks_for_lost_unseen_out_of_order_and_sent_again_are_those_of_tshark() {
    let mut recorder = Recorder::on("observed", Wire::Sim);
    let places = [("client", CLIENT), ("server", SERVER)]
        .map(|(name, address)| recorder.place(Place { name: name.into(), addresses: vec![address.into()] }));
    for (i, (at, from_client, bytes)) in (0..).zip(frames()) {
        let [from, to]: [PlaceId; 2] = if from_client { places } else { [places[1], places[0]] };
        recorder.record(Instant::from_nanos(at * 1_000), from, || Kind::Sent {
            frame: FrameId(i),
            link: LinkId(0),
            to,
            bytes,
        });
    }
    let file = to_pcapng(&[&recorder.into_trace()], PcapngOptions::default());

    let fields = [
        "tcp.analysis.lost_segment",
        "tcp.analysis.ack_lost_segment",
        "tcp.analysis.out_of_order",
        "tcp.analysis.retransmission",
        "tcp.analysis.fast_retransmission",
        "tcp.analysis.spurious_retransmission",
    ];
    let Some(mut tshark) = support::peer("tshark") else { return };
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("observed.pcapng");
    std::fs::write(&path, &file).unwrap();
    tshark.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=|"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stdout);
    let theirs: Vec<[bool; 4]> = told
        .lines()
        .map(|row| {
            let set: Vec<bool> = row.split('|').map(|value| !value.is_empty()).collect();
            [set[0], set[1], set[2], set[3] || set[4] || set[5]]
        })
        .collect();

    let (mut conversations, mut known) = (Conversations::new(), BTreeSet::new());
    let ours: Vec<([bool; 4], String)> = Capture::open(&file[..])
        .unwrap()
        .map(|packet| {
            let packet = packet.unwrap();
            let again = !known.insert(packet.bytes.clone());
            let packet = packet.dissect(&mut conversations);
            let What::Tcp(tcp) = &packet.summary.what else { panic!("all of them are TCP") };
            let has = |mark| tcp.marks.contains(&mark);
            let marks = [Mark::PreviousNotCaptured, Mark::AckedUnseen, Mark::OutOfOrder].map(has);
            // The copy of a segment that comes so soon that tshark suspects it to be out of order: here it is called both.
            let both = again && marks[2];
            assert!(!both || tcp.retransmission, "{}", packet.summary.info());
            ([marks[0], marks[1], marks[2], tcp.retransmission && !both], packet.summary.info())
        })
        .collect();
    assert_eq!(ours.len(), theirs.len());
    let differ: Vec<String> = (1..)
        .zip(ours.iter().zip(&theirs))
        .filter(|(_, ((ours, _), theirs))| ours != *theirs)
        .map(|(number, ((ours, info), theirs))| format!("{number}: {ours:?}, tshark {theirs:?}: {info}"))
        .collect();
    assert!(
        differ.is_empty(),
        "{} of {} differ (lost, unseen, out of order, again):\n{}",
        differ.len(),
        ours.len(),
        differ[..differ.len().min(20)].join("\n")
    );
    for kind in 0..4 {
        let count = theirs.iter().filter(|marks| marks[kind]).count();
        assert!(count > 10, "only {count} of kind {kind}: the capture does not try it");
    }
}
