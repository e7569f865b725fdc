//! A stream of megabytes each way, with no, one and five per cent of all frames lost: whole, and closed by both ends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};

use netlayers::sim::apps::tcp;
use netlayers::trace::{Kind, Trace};
use netlayers::view::pcapng::{PcapngOptions, to_pcapng};

use crate::support;
use crate::wire::{KERNELS, Link, PORT, connect, last_state, modern, near, noise, patient};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("bulk::from_us_to_the_kernel", from_us_to_the_kernel),
    ("bulk::from_us_to_the_kernel_with_one_per_cent_lost", from_us_to_the_kernel_with_one_per_cent_lost),
    ("bulk::from_us_to_the_kernel_with_five_per_cent_lost", from_us_to_the_kernel_with_five_per_cent_lost),
    ("bulk::from_the_kernel_to_us", from_the_kernel_to_us),
    ("bulk::from_the_kernel_to_us_with_one_per_cent_lost", from_the_kernel_to_us_with_one_per_cent_lost),
    ("bulk::from_the_kernel_to_us_with_five_per_cent_lost", from_the_kernel_to_us_with_five_per_cent_lost),
];

/// `cargo bench --bench kernel` sends a hundred megabytes.
const LEN: usize = 4_000_000;

fn from_us_to_the_kernel() {
    to_the_kernel("kernel-sink-0", 0.0);
}

fn from_us_to_the_kernel_with_one_per_cent_lost() {
    to_the_kernel("kernel-sink-1", 0.01);
}

fn from_us_to_the_kernel_with_five_per_cent_lost() {
    to_the_kernel("kernel-sink-5", 0.05);
}

fn from_the_kernel_to_us() {
    from_the_kernel("kernel-source-0", 0.0);
}

fn from_the_kernel_to_us_with_one_per_cent_lost() {
    from_the_kernel("kernel-source-1", 0.01);
}

fn from_the_kernel_to_us_with_five_per_cent_lost() {
    from_the_kernel("kernel-source-5", 0.05);
}

fn to_the_kernel(name: &str, loss: f64) {
    let mut link = Link::new(modern(), near(), loss);
    let (host, message) = (link.host, noise(LEN));
    link.open.network.app(host, tcp::Sender::new(SocketAddr::new(KERNELS, PORT), message.clone()));
    let listener = TcpListener::bind((KERNELS, PORT)).unwrap();
    let (got, state) = link.run(move || {
        let mut stream = patient(listener.accept().unwrap().0);
        let mut got = Vec::new();
        stream.read_to_end(&mut got).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        (got, last_state(&stream))
    });
    assert!(got == message, "{} bytes came, not the {LEN} that were sent", got.len());
    assert_eq!((state, link.resets()), ("CLOSED", 0));
    let trace = link.open.network.into_trace();
    assert_eq!(last_state_of_ours(&trace), Some("TIME-WAIT"));
    judge(name, &trace, loss);
}

fn from_the_kernel(name: &str, loss: f64) {
    let mut link = Link::new(modern(), near(), loss);
    let (host, message) = (link.host, noise(LEN));
    let receiver = link.open.network.app(host, tcp::Receiver::new(PORT));
    let sent = message.clone();
    let state = link.run(move || {
        let mut stream = connect();
        stream.write_all(&sent).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "our program writes nothing");
        last_state(&stream)
    });
    let got = link.open.network.app_ref::<tcp::Receiver>(receiver).pieces().concat();
    assert!(got == message, "{} bytes came, not the {LEN} that were sent", got.len());
    assert_eq!(link.resets(), 0);
    // TIME-WAIT is kept in a record of its own, and its socket says CLOSED: tcp_time_wait in net/ipv4/tcp_minisocks.c.
    assert!(["CLOSED", "TIME-WAIT"].contains(&state), "{state}");
    judge(name, &link.open.network.into_trace(), loss);
}

fn last_state_of_ours(trace: &Trace) -> Option<&'static str> {
    trace.events.iter().rev().find_map(|event| match event.kind {
        Kind::StateChanged { to, .. } => Some(to),
        _ => None,
    })
}

/// Where a sum comes to nothing, once in 65,536 segments, Linux writes ffff (`skb_checksum_help` in net/core/dev.c): in
/// one's complement that is zero too, and right for every receiver. tshark wants 0000.
const TCP_CHECKSUM_IS_WRONG: &str = "(tcp.checksum.status == 0 && tcp.checksum != 0xffff)";

/// tshark reads what was on the wire: all checksums are right, and no ACK is for what nobody sent.
fn judge(name: &str, trace: &Trace, loss: f64) {
    let lost = trace.count(|kind| matches!(kind, Kind::Dropped { .. }));
    assert_eq!(lost > 0, loss > 0.0, "{lost} frames lost");
    let Some(mut tshark) = support::peer("tshark") else { return };
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pcapng"));
    std::fs::write(&path, to_pcapng(&[trace], PcapngOptions { fcs: true })).unwrap();
    tshark.arg("-r").arg(&path);
    for check in ["tcp.check_checksum", "ip.check_checksum", "eth.check_fcs"] {
        tshark.args(["-o", &format!("{check}:TRUE")]);
    }
    tshark.args(["-Y", &format!("{TCP_CHECKSUM_IS_WRONG} || ip.checksum.status == 0 || eth.fcs.status == 0 || tcp.analysis.ack_lost_segment || _ws.malformed")]);
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(
        found.is_empty(),
        "{name}: tshark finds fault with\n{}",
        found.lines().take(5).collect::<Vec<_>>().join("\n")
    );
}
