//! What Wireshark says of our networks: every protocol that the simulator speaks, with all checksums validated.
//!
//! Each run is written with frame check sequences, so tshark checks Ethernet, IPv4, ICMP, UDP and TCP. Beyond "no
//! malformed packet and no bad checksum", its expert remarks must be the ones that the scene is about, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use bytes::Bytes;
use netlayers::base::{Duration, Instant};
use netlayers::layers::internet::prefix::{Prefix, v4};
use netlayers::layers::stack::{SocketEvent, SocketId, StackConfig};
use netlayers::layers::transport::tcp as tcp_layer;
use netlayers::sim::apps::{tcp, udp};
use netlayers::sim::fault;
use netlayers::sim::scene::{self, Knobs};
use netlayers::sim::{App, HostId, Io, LinkConfig, Network};
use netlayers::trace::{Kind, Recorder, Trace, Way, Wire};
use netlayers::view::dissect::{What, dissect_trace};
use netlayers::view::pcapng::{PcapngOptions, to_pcapng};

use super::support;

const CLIENT: IpAddr = v4(10, 0, 1, 1);
const ROUTER: IpAddr = v4(10, 0, 0, 254);
const SERVER: IpAddr = v4(10, 0, 2, 1);
/// Not one of those whose payload tshark thinks to know.
const PORT: u16 = 9002;

/// One packet as tshark sees it: the fields asked for, by name.
type Row = BTreeMap<&'static str, String>;

/// What is asked of every packet, beside what a test wants to know.
const ALWAYS: [&str; 8] = [
    "_ws.malformed",
    "_ws.expert.message",
    "icmp.type",
    "eth.fcs.status",
    "ip.checksum.status",
    "icmp.checksum.status",
    "udp.checksum.status",
    "tcp.checksum.status",
];

/// Has tshark read a run, and refuses every malformed packet and every bad checksum.
fn read(name: &str, trace: &Trace, wanted: &[&'static str]) -> Option<Vec<Row>> {
    let mut tshark = support::peer("tshark")?;
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pcapng"));
    // The frames alone: what became of each would be a comment, which is a remark to tshark.
    let mut frames = trace.clone();
    frames.events.retain(|event| matches!(event.kind, Kind::Sent { .. }));
    std::fs::write(&path, to_pcapng(&[&frames], PcapngOptions { fcs: true })).unwrap();
    tshark.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=|", "-E", "aggregator=;"]);
    for check in ["tcp.check_checksum", "udp.check_checksum", "ip.check_checksum", "eth.check_fcs"] {
        tshark.args(["-o", &format!("{check}:TRUE")]);
    }
    let fields: Vec<_> = ALWAYS.iter().chain(wanted).copied().collect();
    for field in &fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let rows: Vec<Row> = text
        .lines()
        .map(|row| fields.iter().copied().zip(row.split('|').map(str::to_owned)).collect())
        .collect();
    assert_eq!(rows.len(), trace.frames().count(), "{name}");
    for (i, row) in (1..).zip(&rows) {
        assert_eq!(row["_ws.malformed"], "", "{name}, packet {i}");
        assert_eq!(row["eth.fcs.status"], "1", "{name}, packet {i}");
        // An ICMP error quotes the start of a packet, at most 548 bytes of it (RFC 1812 §4.3.2.3). tshark takes that
        // for the whole segment when it checks TCP and UDP, and so finds it wrong, as it does with Linux's errors.
        for sum in ["ip", "icmp", "udp", "tcp"].iter().take(if is_error(row) { 2 } else { 4 }) {
            let status = &row[format!("{sum}.checksum.status").as_str()];
            let good = status.split(';').all(|status| ["", "1"].contains(&status));
            assert!(good, "{name}, packet {i}: {sum} checksum status {status}");
        }
    }
    Some(rows)
}

/// True for a packet with an ICMP error.
fn is_error(row: &Row) -> bool {
    !["", "0", "8"].contains(&row["icmp.type"].split(';').next().unwrap_or_default())
}

/// tshark's remarks, each once. Those that every connection gets (it opened, it closed) are left out, and those about
/// packets that an ICMP error quotes.
fn remarks(rows: &[Row]) -> BTreeSet<String> {
    let all = rows.iter().filter(|row| !is_error(row)).flat_map(|row| row["_ws.expert.message"].split(';'));
    // The last is about the comment that says who sends to whom.
    let usual =
        ["Connection establish", "Connection finish", "This frame initiates", "This frame undergoes", " to "];
    all.filter(|text| !text.is_empty() && !usual.iter().any(|usual| text.contains(usual)))
        .map(str::to_owned)
        .collect()
}

fn count(rows: &[Row], field: &str, value: &str) -> usize {
    rows.iter().filter(|row| row[field].split(';').next() == Some(value)).count()
}

fn noise(len: usize) -> Bytes {
    (0..len).map(|i| (i * 31 % 251) as u8).collect()
}

/// The frames of one link alone, as a capture there has them: a router's other link repeats every packet.
fn link(trace: &Trace, a: HostId, b: HostId) -> Trace {
    let ends = [a.place(), b.place()];
    let mut part = trace.clone();
    part.events.retain(|event| match &event.kind {
        Kind::Sent { to, .. } => ends.contains(&event.place) && ends.contains(to),
        _ => false,
    });
    part
}

/// Client and server on one link, with cold ARP caches.
fn pair(config: &StackConfig) -> (Network, HostId, HostId) {
    let mut network = Network::new(1, Recorder::on("pair", Wire::Sim));
    let client = network.host("client", CLIENT, config);
    let server = network.host("server", SERVER, config);
    network.link(client, server, LinkConfig::default());
    (network, client, server)
}

fn played(mut network: Network) -> Trace {
    assert!(network.run_until(Instant::ZERO + Duration::from_secs(3600)), "it comes to rest");
    network.into_trace()
}

/// A program for one connection, told what to do by a function for each event.
struct Script<F> {
    listen: bool,
    socket: Option<SocketId>,
    play: F,
}

/// What a script hears of: its connection stands, an event of it, or the time it asked for.
enum Cue {
    Open,
    Event(SocketEvent),
    Woken,
}

impl<F: FnMut(Cue, SocketId, &mut Io<'_>) + 'static> Script<F> {
    fn server(play: F) -> Self {
        Script { listen: true, socket: None, play }
    }

    fn client(play: F) -> Self {
        Script { listen: false, socket: None, play }
    }
}

impl<F: FnMut(Cue, SocketId, &mut Io<'_>) + 'static> App for Script<F> {
    fn start(&mut self, io: &mut Io<'_>) {
        if self.listen {
            io.tcp_listen(PORT).unwrap();
        } else {
            io.tcp_connect(SocketAddr::new(SERVER, PORT)).unwrap();
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        match event {
            SocketEvent::Connected(socket) | SocketEvent::Accepted { socket, .. } => {
                self.socket = Some(socket);
                (self.play)(Cue::Open, socket, io);
            }
            event => (self.play)(Cue::Event(event), self.socket.unwrap_or(event.socket()), io),
        }
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        if let Some(socket) = self.socket {
            (self.play)(Cue::Woken, socket, io);
        }
    }
}

fn scripted(
    client: impl FnMut(Cue, SocketId, &mut Io<'_>) + 'static,
    server: impl FnMut(Cue, SocketId, &mut Io<'_>) + 'static,
) -> Trace {
    let (mut network, c, s) = pair(&StackConfig::default());
    network.app(s, Script::server(server));
    network.app(c, Script::client(client));
    played(network)
}

fn read_all(socket: SocketId, io: &mut Io<'_>) {
    while io.tcp_read(socket, usize::MAX).is_some() {}
}

struct Ping(IpAddr, usize);

impl App for Ping {
    fn start(&mut self, io: &mut Io<'_>) {
        let now = io.now();
        io.stack().ping(now, self.0, 77, 1, noise(self.1)).unwrap();
    }
    fn handle(&mut self, _: SocketEvent, _: &mut Io<'_>) {}
}

const ARP: &str = "arp.opcode";
const ICMP: [&str; 5] = ["icmp.type", "icmp.code", "icmp.mtu", "ip.flags.mf", "ip.reassembled.length"];

#[test]
fn arp_pings_fragments_and_an_unreachable_port_on_one_link() {
    let (mut network, client, server) = pair(&StackConfig::default());
    network.app(client, Ping(SERVER, 4_000));
    network.app(server, udp::Receiver::new(9));
    network.app(client, udp::Sender::new(SocketAddr::new(SERVER, 9), noise(5_000), 5_000));
    network.app(client, udp::Sender::new(SocketAddr::new(SERVER, 10), noise(3_000), 3_000));
    let trace = played(network);
    let fields = [&[ARP][..], &ICMP, &["udp.length", "icmp.resp_to"]].concat();
    let Some(rows) = read("one-link", &trace, &fields) else { return };
    assert_eq!((count(&rows, ARP, "1"), count(&rows, ARP, "2")), (1, 1));
    assert_eq!((count(&rows, "icmp.type", "8"), count(&rows, "icmp.type", "0")), (1, 1));
    assert_eq!(rows.iter().filter(|row| !row["icmp.resp_to"].is_empty()).count(), 1, "the echo is matched");
    let unreachable: Vec<_> = rows.iter().filter(|row| row["icmp.type"] == "3").collect();
    assert_eq!(unreachable.len(), 1);
    assert_eq!(unreachable[0]["icmp.code"], "3");
    // Echo request and reply, and two datagrams, each joined again by tshark.
    let joined: Vec<_> =
        rows.iter().map(|row| &row["ip.reassembled.length"]).filter(|len| !len.is_empty()).collect();
    assert_eq!(joined, ["4008", "5008", "3008", "4008"]);
    assert_eq!(remarks(&rows), BTreeSet::new());
}

#[test]
fn a_router_reports_what_it_cannot_pass_on() {
    let mut network = Network::new(1, Recorder::on("routed", Wire::Sim));
    let short = StackConfig { ttl: 1, ..StackConfig::default() };
    let client = network.host("client", CLIENT, &StackConfig::default());
    let dying = network.host("dying", v4(10, 0, 3, 1), &short);
    let near = network.host("near", ROUTER, &StackConfig::default());
    let far = network.host("far", v4(10, 0, 0, 253), &StackConfig::default());
    let server = network.host("server", SERVER, &StackConfig::default());
    network.link(client, near, LinkConfig::default());
    network.link(dying, near, LinkConfig::default());
    network.link(near, far, LinkConfig { mtu: 600, ..LinkConfig::default() });
    network.link(far, server, LinkConfig::default());
    for (host, via) in [(client, near), (dying, near), (near, far), (server, far)] {
        network.route(host, Prefix::ALL, via);
    }
    network.route(far, Prefix::new(CLIENT, 24), near);
    // A host that hears nothing: the far router asks for it in vain, and says so.
    let deaf = network.host("deaf", v4(10, 0, 2, 77), &StackConfig::default());
    network.link(far, deaf, LinkConfig::default());
    network.rule(far, deaf, fault::loss(1.0));
    network.forward(near);
    network.forward(far);
    network.app(server, tcp::Receiver::new(PORT));
    network.app(client, tcp::Sender::new(SocketAddr::new(SERVER, PORT), noise(30_000)));
    network.app(client, udp::Sender::new(SocketAddr::new(SERVER, 9), noise(1_400), 1_400));
    network.app(client, udp::Sender::new(SocketAddr::new(v4(10, 0, 2, 77), 9), noise(10), 10));
    network.app(dying, udp::Sender::new(SocketAddr::new(SERVER, 9), noise(10), 10));
    let trace = played(network);

    let Some(rows) = read("client-link", &link(&trace, client, near), &ICMP) else { return };
    let code =
        |code: &str| rows.iter().filter(|row| row["icmp.type"] == "3" && row["icmp.code"] == code).count();
    assert!(code("4") > 0, "fragmentation needed");
    assert!(rows.iter().all(|row| row["icmp.code"] != "4" || row["icmp.mtu"] == "600"));
    assert_eq!((code("3"), code("0") + code("1")), (1, 1), "port and host unreachable");
    // The segments that were too large go again; on this link, tshark has seen them before.
    let again = |remark: &String| remark.contains("retransmission") || remark.contains("out-of-order");
    assert!(remarks(&rows).iter().all(again), "{:?}", remarks(&rows));

    let Some(rows) = read("small-link", &link(&trace, near, far), &ICMP) else { return };
    assert_eq!(count(&rows, "ip.reassembled.length", "1408"), 1);
    let Some(rows) = read("dying-link", &link(&trace, dying, near), &ICMP) else { return };
    assert_eq!((count(&rows, "icmp.type", "11"), count(&rows, "icmp.code", "0")), (1, 1));
    assert_eq!(remarks(&rows), BTreeSet::from(["\"Time To Live\" only 1".to_owned()]));
}

#[test]
fn a_closed_port_and_an_abort_are_resets_that_fit_the_stream() {
    let (mut network, client, _) = pair(&StackConfig::default());
    network.app(client, tcp::Sender::new(SocketAddr::new(SERVER, PORT), noise(10)));
    let refused = played(network);
    let aborted = scripted(
        |cue, socket, io| {
            if let Cue::Open = cue {
                io.tcp_write(socket, &noise(3_000)).unwrap();
            }
        },
        |cue, socket, io| {
            if let Cue::Event(SocketEvent::Readable(_)) = cue {
                read_all(socket, io);
                io.tcp_abort(socket);
            }
        },
    );
    for (name, trace) in [("refused", refused), ("aborted", aborted)] {
        let Some(rows) = read(name, &trace, &["tcp.flags.reset"]) else { return };
        assert!(count(&rows, "tcp.flags.reset", "1") + count(&rows, "tcp.flags.reset", "True") > 0, "{name}");
        assert_eq!(remarks(&rows), BTreeSet::from(["Connection reset (RST)".to_owned()]), "{name}");
    }
}

#[test]
fn both_ends_close_at_once_or_one_after_the_other() {
    let at_once = scripted(
        |cue, socket, io| {
            if let Cue::Open = cue {
                io.tcp_shutdown(socket);
            }
        },
        |cue, socket, io| {
            if let Cue::Open = cue {
                io.tcp_shutdown(socket);
            }
        },
    );
    let closing = |kind: &Kind| matches!(kind, Kind::StateChanged { to: "CLOSING", .. });
    assert_eq!(at_once.count(closing), 2, "the FINs crossed");
    // The client closes its half first and then reads what the server has to say.
    let half = scripted(
        |cue, socket, io| match cue {
            Cue::Open => io.tcp_shutdown(socket),
            Cue::Event(SocketEvent::Readable(_)) => read_all(socket, io),
            _ => {}
        },
        |cue, socket, io| {
            if let Cue::Event(SocketEvent::PeerClosed(_)) = cue {
                assert_eq!(io.tcp_write(socket, &noise(20_000)), Ok(20_000));
                io.tcp_shutdown(socket);
            }
        },
    );
    for (name, trace) in [("at-once", at_once), ("half-close", half)] {
        let Some(rows) = read(name, &trace, &["tcp.flags.fin"]) else { return };
        assert_eq!(count(&rows, "tcp.flags.fin", "1") + count(&rows, "tcp.flags.fin", "True"), 2, "{name}");
        assert_eq!(remarks(&rows), BTreeSet::new(), "{name}");
    }
}

#[test]
fn a_closed_window_its_probes_and_its_opening_have_the_names_that_we_give_them() {
    let config = StackConfig {
        tcp: tcp_layer::Config { recv_buffer: 4_000, ..tcp_layer::Config::default() },
        ..StackConfig::default()
    };
    let (mut network, client, server) = pair(&config);
    let mut asleep = true;
    network.app(
        server,
        Script::server(move |cue, socket, io| match cue {
            Cue::Open => io.wake_at(io.now() + Duration::from_secs(10)),
            Cue::Woken => {
                asleep = false;
                read_all(socket, io);
            }
            Cue::Event(SocketEvent::Readable(_)) if !asleep => read_all(socket, io),
            Cue::Event(SocketEvent::PeerClosed(_)) => io.tcp_shutdown(socket),
            Cue::Event(_) => {}
        }),
    );
    network.app(client, tcp::Sender::new(SocketAddr::new(SERVER, PORT), noise(12_000)));
    let trace = played(network);
    let fields = [
        "tcp.analysis.zero_window",
        "tcp.analysis.zero_window_probe",
        "tcp.analysis.zero_window_probe_ack",
        "tcp.analysis.window_update",
        "tcp.analysis.retransmission",
    ];
    let Some(rows) = read("zero-window", &trace, &fields) else { return };
    let seen = fields.map(|field| rows.iter().filter(|row| !row[field].is_empty()).count());
    // Probes after 1, 3 and 7 seconds.
    assert_eq!((seen[1], seen[2], seen[4]), (3, 3, 0), "{seen:?}");
    assert!(seen[0] > 0 && seen[3] > 0, "{seen:?}");
    assert_eq!(trace.count(|kind| matches!(kind, Kind::Retransmitted { .. })), 0);
}

/// Over a lossy path, tshark finds as many segments sent again as our trace says.
///
/// It has four names for them: a plain retransmission, a *spurious* one (of bytes that the capture has seen
/// acknowledged), a *fast* one (after duplicate ACKs), and *out of order* (when it comes so soon that it may
/// have been overtaken). A capture at the sender sees each for what it is, so their sum is what we count.
///
/// With cold ARP caches the two may differ: a segment that waits for an answer which never comes was sent again by TCP,
/// and never became a frame.
#[test]
fn wireshark_counts_as_many_retransmissions_as_we_do() {
    let fields = [
        "tcp.analysis.retransmission",
        "tcp.analysis.spurious_retransmission",
        "tcp.analysis.fast_retransmission",
        "tcp.analysis.out_of_order",
    ];
    let mut all = 0;
    let patient = tcp_layer::Config { user_timeout: None, ..tcp_layer::Config::default() };
    for (seed, loss) in [(1, 0.05), (2, 0.1), (3, 0.1), (4, 0.2), (5, 0.2), (6, 0.3), (7, 0.3)] {
        for way in [Way::Tcp, Way::WebSocket] {
            let knobs = Knobs { loss, seed, tcp: patient.clone(), ..Knobs::default() };
            let trace = scene::run(way, &noise(30_000), &knobs, Recorder::on("lossy", Wire::Sim)).trace;
            let Some(rows) = read("lossy", &trace, &fields) else { return };
            let theirs = rows.iter().filter(|row| fields.iter().any(|field| !row[field].is_empty())).count();
            let ours = trace.count(|kind| matches!(kind, Kind::Retransmitted { .. }));
            assert_eq!(theirs, ours, "{way:?}, loss {loss}, seed {seed}");
            all += ours;
            let unseen = ["unseen", "not captured"];
            assert!(
                !remarks(&rows).iter().any(|remark| unseen.iter().any(|word| remark.contains(word))),
                "{:?}",
                remarks(&rows)
            );
        }
    }
    assert!(all > 100, "{all} segments were sent again in all these runs");
}

/// A queue that overflows loses segments before any capture sees them. Of those it sees, tshark and our dissector find the
/// same ones out of the ordinary.
#[test]
fn wireshark_and_our_dissector_agree_on_what_a_full_queue_let_through() {
    let fields = [
        "tcp.analysis.retransmission",
        "tcp.analysis.spurious_retransmission",
        "tcp.analysis.fast_retransmission",
        "tcp.analysis.out_of_order",
    ];
    let mut first_seen_late = 0;
    let short = LinkConfig { queue: 40, ..LinkConfig::default() };
    let (bare, usual) = (Knobs::bare(), Knobs { link: short, ..Knobs::default() });
    for (mtu, len, knobs) in
        [(68, 60_000, &bare), (80, 70_000, &bare), (100, 120_000, &bare), (68, 60_000, &usual)]
    {
        let knobs = Knobs { link: LinkConfig { mtu, ..knobs.link }, ..knobs.clone() };
        let trace = scene::run(Way::Tcp, &noise(len), &knobs, Recorder::on("full", Wire::Sim)).trace;
        assert!(trace.turned_away() > 0, "MTU {mtu}");
        let Some(rows) = read("full", &trace, &fields) else { return };
        // What tshark remarks on is data that begins before the end of what it has seen: seen before, as our dissector
        // knows, or the first copy of what the queue had dropped, which fills a hole.
        let mut ends = [0; 2];
        let mut seen = 0;
        for (i, (packet, row)) in (1..).zip(dissect_trace(&trace).iter().zip(&rows)) {
            let What::Tcp(tcp) = &packet.packet.summary.what else { continue };
            let end = &mut ends[usize::from(packet.from.0)];
            let fills_a_hole = tcp.len > 0 && tcp.seq < *end && !tcp.retransmission;
            let len = tcp.len as u64 + u64::from(tcp.flags.syn) + u64::from(tcp.flags.fin);
            *end = (tcp.seq + len).max(*end);
            let theirs = fields.iter().any(|field| !row[field].is_empty());
            assert_eq!(tcp.retransmission || fills_a_hole, theirs, "MTU {mtu}, packet {i}");
            seen += usize::from(theirs);
        }
        let all = trace.count(|kind| matches!(kind, Kind::Retransmitted { .. }));
        assert!(seen <= all, "MTU {mtu}: of {all} segments sent again the wire shows {seen}");
        first_seen_late += all - seen;
    }
    assert!(first_seen_late > 0, "some segments were on the wire for the first time when TCP repeated them");
}

#[test]
fn the_lessons_of_the_event_system_are_http_and_websocket_to_wireshark_and_well_formed() {
    for id in ["polling", "socketio", "events", "chat"] {
        let lesson = netlayers::lessons::find(id).expect("a lesson of the course");
        let performance = lesson.play(&lesson.scenario());
        for scene in &performance.scenes {
            let name = format!("{id}-{}", scene.id);
            let Some(rows) = read(&name, &scene.trace, &["http.request.method", "websocket.opcode"]) else {
                return;
            };
            let requests = rows.iter().filter(|row| !row["http.request.method"].is_empty()).count();
            let frames = rows.iter().filter(|row| !row["websocket.opcode"].is_empty()).count();
            assert!(requests > 0, "{name}: tshark sees no HTTP");
            assert!(frames > 0 || name.contains("polling"), "{name}: tshark sees no WebSocket");
        }
    }
}
