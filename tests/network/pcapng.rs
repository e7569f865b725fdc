//! Our capture files and our dissector, held against Wireshark's.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::PathBuf;

use bytes::Bytes;
use netlayers::base::{Header, Instant, Writer};
use netlayers::layers::application::websocket::{FrameHeader, Opcode};
use netlayers::layers::internet::ipv4::{Ipv4Header, protocol};
use netlayers::layers::link::ethernet::{EtherType, EthernetHeader, MacAddr, pad_to_minimum};
use netlayers::layers::transport::tcp::{Flags, Options, Segment, SeqNumber, TcpHeader, TcpOption};
use netlayers::layers::transport::udp::Datagram;
use netlayers::sim::scene::{self, Knobs};
use netlayers::trace::{FrameId, Kind, LinkId, Place, Recorder, Trace, Way, Wire};
use netlayers::view::capture::Capture;
use netlayers::view::dissect::{AppPiece, Probe, TcpSummary, What, dissect_trace};
use netlayers::view::pcapng::{PcapngOptions, to_pcapng};

use super::support;

const ENDS: [([u8; 4], u16, u32); 2] = [([10, 0, 0, 1], 40_000, u32::MAX - 100), ([10, 0, 0, 2], 80, 7_000)];

/// The frame that end `from` sends, carrying `payload` in an IPv4 packet.
fn packet(from: usize, protocol: u8, payload: &[u8]) -> Bytes {
    let mut w = Writer::new();
    let mac = |end: usize| MacAddr::local(end as u16 + 1);
    EthernetHeader { destination: mac(1 - from), source: mac(from), ethertype: EtherType::IPV4 }.emit(&mut w);
    Ipv4Header::new(ENDS[from].0.into(), ENDS[1 - from].0.into(), protocol, payload.len()).emit(&mut w);
    w.bytes(payload);
    pad_to_minimum(&mut w, 0);
    w.finish()
}

fn tcp(from: usize, flags: Flags, seq: u32, ack: u32, payload: &[u8]) -> Bytes {
    tcp_window(from, flags, (seq, ack), 8_000, payload)
}

fn tcp_window(from: usize, flags: Flags, (seq, ack): (u32, u32), window: u16, payload: &[u8]) -> Bytes {
    let (source, source_port, isn) = ENDS[from];
    let (destination, destination_port, peer_isn) = ENDS[1 - from];
    let mut options = Options::none();
    if flags.has(Flags::SYN) {
        options.push(TcpOption::MaximumSegmentSize(1460));
        options.push(TcpOption::WindowScale(3));
    }
    let header = TcpHeader {
        source_port,
        destination_port,
        seq: SeqNumber(isn) + seq,
        ack: if flags.has(Flags::ACK) { SeqNumber(peer_isn) + ack } else { SeqNumber(0) },
        flags,
        window,
        urgent: 0,
        options,
    };
    let mut w = Writer::new();
    Segment { header, payload: Bytes::copy_from_slice(payload) }.emit(
        source.into(),
        destination.into(),
        &mut w,
    );
    packet(from, protocol::TCP, &w.finish())
}

fn ws_frame(opcode: Opcode, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    FrameHeader { mask, ..FrameHeader::new(opcode, payload.len() as u64) }.emit(&mut w);
    let key = mask.unwrap_or_default();
    w.bytes(&payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect::<Vec<_>>());
    w.finish().to_vec()
}

/// Records frames half a second apart, so that Wireshark sees a retransmission and not packets out of order. The one
/// with the number `lost` is lost.
fn record(frames: impl IntoIterator<Item = Bytes>, lost: Option<u64>) -> Trace {
    let mut recorder = Recorder::on("WebSocket over TCP", Wire::Sim);
    let places = [("client", ENDS[0].0), ("server", ENDS[1].0)]
        .map(|(name, address)| recorder.place(Place { name: name.into(), addresses: vec![address.into()] }));
    for (i, bytes) in (0..).zip(frames) {
        // The last byte of the source address tells who sends.
        let from = usize::from(bytes[29] == 2);
        let (frame, to) = (FrameId(i), places[1 - from]);
        let at = Instant::from_millis(i * 500);
        recorder.record(at, places[from], || Kind::Sent { frame, link: LinkId(0), to, bytes });
        if lost == Some(i) {
            recorder.record(at, to, || Kind::Dropped { frame, by: "loss 10 %".into() });
        }
    }
    recorder.into_trace()
}

/// A WebSocket conversation with a frame over two segments, a retransmission and two frames in one segment, and a datagram.
fn run() -> Trace {
    let request = b"GET /chat HTTP/1.1\r\nHost: s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let (ack, push) = (Flags::ACK, Flags::ACK | Flags::PSH);
    let (c, s) = (1 + request.len() as u32, 1 + response.len() as u32);
    let long = ws_frame(Opcode::Text, Some([1, 2, 3, 4]), &[b'a'; 300]);
    let len = long.len() as u32;
    let mut two = ws_frame(Opcode::Binary, None, b"one");
    two.extend(ws_frame(Opcode::Ping, None, b"two"));
    let mut udp = Writer::new();
    Datagram::new(40_001, 9_999, Bytes::from_static(b"hello")).emit(
        ENDS[0].0.into(),
        ENDS[1].0.into(),
        &mut udp,
    );
    let frames = [
        tcp(0, Flags::SYN, 0, 0, b""),
        tcp(1, Flags::SYN | Flags::ACK, 0, 1, b""),
        tcp(0, ack, 1, 1, b""),
        tcp(0, push, 1, 1, request),
        tcp(1, push, 1, c, response),
        tcp(0, ack, c, s, &long[..200]),
        tcp(0, push, c + 200, s, &long[200..]),
        tcp(0, ack, c, s, &long[..200]),
        tcp(1, push, s, c + len, &two),
        tcp(0, Flags::FIN | Flags::ACK, c + len, s + two.len() as u32, b""),
        tcp(1, Flags::FIN | Flags::ACK, s + two.len() as u32, c + len + 1, b""),
        tcp(0, ack, c + len + 1, s + two.len() as u32 + 1, b""),
        packet(0, protocol::UDP, &udp.finish()),
    ];
    record(frames, Some(5))
}

/// Runs tshark over the file and gives one map of fields for each packet.
fn tshark(name: &str, file: &[u8], fields: &[&str]) -> Option<Vec<BTreeMap<String, String>>> {
    let mut tshark = support::peer("tshark")?;
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, file).unwrap();
    tshark.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=|"]);
    for check in ["tcp.check_checksum", "udp.check_checksum", "ip.check_checksum", "eth.check_fcs"] {
        tshark.args(["-o", &format!("{check}:TRUE")]);
    }
    for field in fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tshark refuses the file: {errors}");
    let rows = String::from_utf8_lossy(&output.stdout);
    Some(
        rows.lines()
            .map(|row| {
                let values = row.split('|').map(str::to_owned);
                fields.iter().map(|field| (*field).to_owned()).zip(values).collect()
            })
            .collect(),
    )
}

#[test]
fn wireshark_reads_our_file_without_a_complaint() {
    let run = run();
    for fcs in [false, true] {
        let file = to_pcapng(&[&run, &run], PcapngOptions { fcs });
        let fields = [
            "frame.time_epoch",
            "frame.interface_name",
            "frame.comment",
            "frame.len",
            "eth.fcs.status",
            "_ws.malformed",
            "ip.checksum.status",
            "tcp.checksum.status",
            "udp.checksum.status",
        ];
        let Some(rows) = tshark(&format!("whole-{fcs}.pcapng"), &file, &fields) else { return };
        let frames: Vec<_> = run.frames().collect();
        assert_eq!(rows.len(), frames.len() * 2);
        for (i, row) in rows.iter().enumerate() {
            let (at, .., bytes) = &frames[i / 2];
            let seconds = format!("{}.{:09}", at.as_nanos() / 1_000_000_000, at.as_nanos() % 1_000_000_000);
            assert_eq!(row["frame.time_epoch"], seconds);
            assert_eq!(row["frame.interface_name"], "WebSocket over TCP");
            assert_eq!(row["frame.len"], (bytes.len() + if fcs { 4 } else { 0 }).to_string());
            assert_eq!(row["_ws.malformed"], "", "packet {i}");
            // 1 is good.
            assert_eq!(row["ip.checksum.status"], "1", "packet {i}");
            let transport = format!("{}{}", row["tcp.checksum.status"], row["udp.checksum.status"]);
            assert_eq!(transport, "1", "packet {i}");
            if fcs {
                assert_eq!(row["eth.fcs.status"], "1", "packet {i}");
            }
        }
        assert_eq!(rows[10]["frame.comment"], "client to server; lost on the way: loss 10 %");
    }
}

#[test]
fn wireshark_and_we_see_the_same_in_every_packet() {
    let run = run();
    let file = to_pcapng(&[&run], PcapngOptions::default());
    let fields = [
        "tcp.seq",
        "tcp.ack",
        "tcp.len",
        "tcp.window_size",
        "tcp.options.mss_val",
        "tcp.analysis.retransmission",
        "http.request.line",
        "http.request.uri",
        "http.response.code",
        "websocket.opcode",
        "websocket.payload_length",
        "websocket.payload_length_ext_16",
    ];
    let Some(rows) = tshark("same.pcapng", &file, &fields) else { return };
    let ours = dissect_trace(&run);
    assert_eq!(rows.len(), ours.len());
    let (mut theirs_frames, mut our_frames) = (Vec::new(), Vec::new());
    for (row, seen) in rows.iter().zip(&ours) {
        let What::Tcp(tcp) = &seen.packet.summary.what else { continue };
        let number = seen.packet.number;
        assert_eq!(row["tcp.seq"], tcp.seq.to_string(), "packet {number}");
        // Of a segment without ACK, Wireshark shows the field as it is.
        assert_eq!(row["tcp.ack"], tcp.ack.unwrap_or(0).to_string(), "packet {number}");
        assert_eq!(row["tcp.len"], tcp.len.to_string(), "packet {number}");
        assert_eq!(row["tcp.window_size"], tcp.window.to_string(), "packet {number}");
        assert_eq!(row["tcp.options.mss_val"], tcp.mss.map_or(String::new(), |mss| mss.to_string()));
        assert_eq!(!row["tcp.analysis.retransmission"].is_empty(), tcp.retransmission, "packet {number}");
        assert_eq!(
            !row["http.request.uri"].is_empty(),
            has(tcp, |p| matches!(p, AppPiece::HttpRequest { .. }))
        );
        assert_eq!(
            row["http.response.code"] == "101",
            has(tcp, |p| matches!(p, AppPiece::HttpResponse { .. }))
        );
        if !row["websocket.opcode"].is_empty() {
            let lengths = row["websocket.payload_length"].split(',');
            // Of a longer frame, the 7 bits say 126 and the length follows.
            let lengths =
                lengths.map(|len| if len == "126" { &row["websocket.payload_length_ext_16"] } else { len });
            theirs_frames.extend(
                row["websocket.opcode"].split(',').map(str::to_owned).zip(lengths.map(str::to_owned)),
            );
        }
        if !tcp.retransmission {
            our_frames.extend(tcp.application.iter().filter_map(|piece| match piece {
                AppPiece::WsFrame { opcode, payload_len, .. } => Some((*opcode, *payload_len)),
                _ => None,
            }));
        }
    }
    let names = BTreeMap::from([("1", "text"), ("2", "binary"), ("9", "ping")]);
    let theirs_frames: Vec<_> = theirs_frames
        .iter()
        .map(|(opcode, len)| (names[opcode.as_str()], len.parse::<u64>().unwrap()))
        .collect();
    assert_eq!(our_frames, [("text", 300), ("binary", 3), ("ping", 3)]);
    assert_eq!(theirs_frames, our_frames);
}

#[test]
fn wireshark_and_we_call_probes_and_duplicates_by_the_same_names() {
    let ack = Flags::ACK;
    let run = record(
        [
            tcp(0, Flags::SYN, 0, 0, b""),
            // Another window than in the next one: Wireshark compares the field, we compare what it means.
            tcp_window(1, Flags::SYN | ack, (0, 1), 8_001, b""),
            tcp(0, ack, 1, 1, b""),
            tcp(0, ack, 1, 1, b"0123456789"),
            tcp(1, ack, 1, 1, b""),
            tcp(1, ack, 1, 1, b""),
            tcp(0, ack, 1, 1, b"0123456789"),
            tcp(1, ack, 1, 11, b""),
            tcp(0, ack, 10, 1, b""),
            tcp(1, ack, 1, 11, b""),
            tcp(0, ack, 10, 1, b"9"),
            tcp_window(1, ack, (1, 11), 0, b""),
            tcp(0, ack, 11, 1, b"x"),
            tcp_window(1, ack, (1, 11), 0, b""),
            tcp(0, ack, 11, 1, b"x"),
        ],
        None,
    );
    let file = to_pcapng(&[&run], PcapngOptions::default());
    let fields = [
        "tcp.analysis.keep_alive",
        "tcp.analysis.zero_window_probe",
        "tcp.analysis.duplicate_ack",
        "tcp.analysis.retransmission",
    ];
    let Some(rows) = tshark("probes.pcapng", &file, &fields) else { return };
    let theirs: Vec<_> = rows.iter().map(|row| fields.map(|field| !row[field].is_empty())).collect();
    let ours: Vec<_> = dissect_trace(&run)
        .iter()
        .map(|seen| match &seen.packet.summary.what {
            What::Tcp(tcp) => [
                tcp.probe == Some(Probe::KeepAlive),
                tcp.probe == Some(Probe::ZeroWindow),
                tcp.duplicate_ack,
                tcp.retransmission,
            ],
            _ => [false; 4],
        })
        .collect();
    for (number, (theirs, ours)) in (1..).zip(theirs.iter().zip(&ours)) {
        assert_eq!(ours, theirs, "packet {number}: {fields:?}");
    }
    assert!((0..4).all(|i| ours.iter().any(|row| row[i])), "each of them happens: {ours:?}");
}

#[test]
fn wireshark_and_we_follow_a_lossy_run_alike() {
    let message: Bytes = (0..60_000u32).map(|i| (i % 251) as u8).collect();
    let knobs = Knobs { loss: 0.05, reorder: 0.02, seed: 5, ..Knobs::default() };
    for way in [Way::Tcp, Way::WebSocket] {
        let run = scene::run(way, &message, &knobs, Recorder::on(way.name(), Wire::Sim)).trace;
        let file = to_pcapng(&[&run], PcapngOptions { fcs: true });
        let fields = [
            "_ws.malformed",
            "tcp.seq",
            "tcp.ack",
            "tcp.len",
            "tcp.window_size",
            "tcp.analysis.retransmission",
            "tcp.analysis.out_of_order",
            "websocket.opcode",
        ];
        let Some(rows) = tshark(&format!("lossy-{}.pcapng", way.name()), &file, &fields) else { return };
        let (mut retransmissions, mut opcodes) = (0, [0, 0]);
        for (row, seen) in rows.iter().zip(dissect_trace(&run)) {
            let number = seen.packet.number;
            assert_eq!(row["_ws.malformed"], "", "packet {number}");
            let What::Tcp(tcp) = &seen.packet.summary.what else { continue };
            let ours = [tcp.seq, tcp.ack.unwrap_or(0), tcp.len as u64, u64::from(tcp.window)];
            let theirs = ["tcp.seq", "tcp.ack", "tcp.len", "tcp.window_size"]
                .map(|field| row[field].parse::<u64>().unwrap());
            assert_eq!(ours, theirs, "packet {number}");
            // What comes again at once, Wireshark takes for late and not for sent again.
            let again = ["tcp.analysis.retransmission", "tcp.analysis.out_of_order"];
            assert_eq!(
                tcp.retransmission,
                again.iter().any(|field| !row[*field].is_empty()),
                "packet {number}"
            );
            retransmissions += usize::from(tcp.retransmission);
            opcodes[0] += row["websocket.opcode"].split(',').filter(|opcode| !opcode.is_empty()).count();
            let frames = tcp.application.iter().filter(|piece| matches!(piece, AppPiece::WsFrame { .. }));
            opcodes[1] += if tcp.retransmission { 0 } else { frames.count() };
        }
        assert!(retransmissions > 0, "{way:?}: nothing was lost");
        assert_eq!(opcodes[0], opcodes[1], "{way:?}");
    }
}

#[test]
fn files_that_wireshark_writes_are_read() {
    let run = run();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let ours = folder.join("ours.pcapng");
    std::fs::write(&ours, to_pcapng(&[&run], PcapngOptions::default())).unwrap();
    for format in ["pcap", "nsecpcap", "pcapng"] {
        let Some(mut editcap) = support::peer("editcap") else { return };
        let theirs = folder.join(format!("theirs.{format}"));
        let status = editcap.args(["-F", format]).arg(&ours).arg(&theirs).status().unwrap();
        assert!(status.success(), "editcap -F {format}");
        let file = std::fs::File::open(&theirs).unwrap();
        let packets: Vec<_> = Capture::open(BufReader::new(file)).unwrap().map(Result::unwrap).collect();
        let frames: Vec<_> = run.frames().collect();
        assert_eq!(packets.len(), frames.len(), "{format}");
        for (packet, (at, .., bytes)) in packets.iter().zip(frames) {
            assert_eq!(&packet.bytes[..], &bytes[..], "{format}");
            assert_eq!(packet.at_nanos, Some(at.as_nanos()), "{format}");
        }
    }
}

fn has(tcp: &TcpSummary, wanted: fn(&AppPiece) -> bool) -> bool {
    tcp.application.iter().any(wanted)
}
