//! Plots of a run say what its trace says.

use bytes::Bytes;
use netlayers::base::Instant;
use netlayers::layers::transport::tcp::Config;
use netlayers::layers::transport::tcp::congestion::Algorithm;
use netlayers::sim::apps::tcp::{Receiver, Sender};
use netlayers::sim::fault::{Verdict, nth};
use netlayers::sim::scene::{Knobs, two_hosts};
use netlayers::trace::{Kind, Recorder, Trace, Wire};
use netlayers::view::plot::{self, Plot};

const LEN: usize = 200_000;

/// 200 kB by NewReno with SACK, of which one segment is lost on the way.
fn trace() -> Trace {
    let tcp = Config { congestion: Algorithm::NEWRENO, sack: true, timestamps: true, ..Config::bare() };
    let knobs = Knobs { tcp, ..Knobs::default() };
    let (mut network, client, server) = two_hosts(&knobs, Recorder::on("TCP", Wire::Sim));
    network.rule(client, server, nth("lose one", 40, |frame| frame.tcp_payload() > 0, Verdict::Drop));
    let to = std::net::SocketAddr::new(network.stack(server).address(), 9002);
    network.app(client, Sender::new(to, Bytes::from(vec![7; LEN])));
    network.app(server, Receiver::new(9002));
    assert!(network.run_until(Instant::from_millis(300_000)));
    network.into_trace()
}

fn points(plot: &Plot, mark: char) -> &[(f64, f64)] {
    let series = plot.series.iter().find(|series| series.mark == mark);
    &series.unwrap_or_else(|| panic!("a series {mark} in {plot:?}")).points
}

#[test]
fn the_plot_of_cwnd_has_each_change_and_what_is_in_flight_stays_below_it() {
    let trace = trace();
    let plot = plot::Kind::Cwnd.of(&trace);
    let sender = trace.places[0].addresses[0];
    let changes: Vec<f64> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::CwndChanged { flow, cwnd, .. } if flow.local().ip() == sender => Some(*cwnd as f64),
            _ => None,
        })
        .collect();
    let cwnd: Vec<f64> = points(&plot, 'c').iter().map(|point| point.1).collect();
    assert_eq!(cwnd, changes);
    assert!(cwnd.len() > 20 && cwnd.iter().any(|cwnd| *cwnd < changes[changes.len() / 4]), "it also falls");
    let highest = |mark| points(&plot, mark).iter().map(|point| point.1).fold(0.0, f64::max);
    // Limited transmit (RFC 3042) lets two segments more go.
    assert!(highest('f') > 30_000.0 && highest('f') <= highest('c') + 2.0 * 1460.0);
    assert_eq!(points(&plot, 'f').last().map(|point| point.1), Some(0.0), "all was acknowledged");
}

#[test]
fn the_plot_of_sequence_numbers_shows_the_segment_that_was_sent_again_and_the_ack_line_to_the_end() {
    let trace = trace();
    let plot = plot::Kind::Seq.of(&trace);
    let again = trace.count(|kind| matches!(kind, Kind::Retransmitted { .. }));
    assert_eq!((points(&plot, 'R').len(), again), (1, 1));
    assert!(!points(&plot, 'k').is_empty(), "SACK blocks came while it was missing");
    let highest = |mark| points(&plot, mark).iter().map(|point| point.1).fold(0.0, f64::max);
    assert_eq!(highest('d'), LEN as f64, "from the SYN, which is 0, the last byte is the length");
    assert_eq!(highest('a'), LEN as f64 + 2.0, "the ACK of the FIN");
    assert!(points(&plot, 'a').is_sorted_by(|a, b| a.1 <= b.1));
}

#[test]
fn the_plot_of_round_trips_begins_with_that_of_the_handshake() {
    let plot = plot::Kind::Rtt.of(&trace());
    let samples = points(&plot, 'r');
    assert!((samples[0].1 - 0.0402).abs() < 0.0002, "40 ms and two short frames: {:?}", samples[0]);
    assert!(samples.len() > 100 && samples.iter().all(|sample| sample.1 >= samples[0].1 - 0.0005));
    assert!(points(&plot, 'o').iter().all(|rto| rto.1 >= 1.0), "no timeout below a second (RFC 6298 §2.4)");
}

#[test]
fn the_plot_of_throughput_reaches_the_rate_of_the_link_and_never_more() {
    let plot = plot::Kind::Throughput.of(&trace());
    let sent =
        plot.series.iter().find(|series| series.name == "frames sent by client").expect("the client sent");
    let most = sent.points.iter().map(|point| point.1).fold(0.0, f64::max);
    // One frame more or less falls into a part of the run.
    assert!((9.0e6..=11.0e6).contains(&most), "{most}");
}
