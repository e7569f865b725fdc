//! Tests of the scene on real sockets.

use super::*;
use crate::trace::{Kind, Wire};

fn play(way: Way, message: &Bytes, knobs: &RealKnobs) -> RealRun {
    run(way, message.clone(), knobs).unwrap_or_else(|error| panic!("{way:?}: {error}"))
}

/// Bytes that are no text, and never the same for a while.
fn bytes(len: usize) -> Bytes {
    let mut rng = crate::base::Rng::new(3);
    (0..len.div_ceil(8)).flat_map(|_| rng.next_u64().to_be_bytes()).take(len).collect()
}

/// What must be so in every run.
fn check_trace(real: &RealRun) {
    let trace = &real.run.trace;
    assert_eq!(trace.wire, Wire::Real);
    assert_eq!(trace.places.len(), 2);
    assert!(trace.events.is_sorted_by_key(|event| event.at), "events are in order of time");
    assert_eq!(trace.frames().count(), 0, "no frame is seen on real sockets");
    let bytes = |place: u16, written: bool| -> usize {
        let of = |kind: &Kind| match kind {
            Kind::AppWrote { bytes, .. } if written => bytes.len(),
            Kind::AppRead { bytes, .. } if !written => bytes.len(),
            _ => 0,
        };
        trace.events.iter().filter(|event| event.place.0 == place).map(|event| of(&event.kind)).sum()
    };
    assert_eq!(bytes(0, true), bytes(1, false), "the server read what the client wrote");
    assert_eq!(bytes(1, true), bytes(0, false), "the client read what the server wrote");
}

#[test]
fn a_short_message_arrives_each_way() {
    let hello = Bytes::from_static(b"hello, layers");
    for way in Way::ALL {
        let real = play(way, &hello, &RealKnobs::default());
        check_trace(&real);
        assert_eq!(real.run.way, way);
        assert!(real.run.outcome.arrived_exactly(), "{way:?}");
        assert_eq!(real.run.outcome.returned_exactly(), (way == Way::WebSocket).then_some(true));
        let received = real.run.trace.count(|kind| matches!(kind, Kind::MessageReceived { len: 13, .. }));
        assert_eq!(received, if way == Way::WebSocket { 2 } else { 1 }, "{way:?}");
    }
}

#[test]
fn udp_keeps_the_cuts_and_tcp_does_not_know_of_any() {
    let message = bytes(10_000);
    let knobs = RealKnobs { datagram: 1000, ..RealKnobs::default() };
    let udp = play(Way::Udp, &message, &knobs);
    check_trace(&udp);
    assert_eq!(udp.run.outcome.sent.len(), 10);
    assert_eq!(udp.run.outcome.received, udp.run.outcome.sent);
    let tcp = play(Way::Tcp, &message, &knobs);
    check_trace(&tcp);
    assert_eq!(tcp.run.outcome.sent.len(), 1);
    assert!(tcp.run.outcome.arrived_exactly());
}

#[test]
fn the_longest_message_arrives_each_way() {
    let message = bytes(MAX_MESSAGE);
    for way in Way::ALL {
        let real =
            play(way, &message, &RealKnobs { timeout: Duration::from_secs(300), ..RealKnobs::default() });
        let outcome = &real.run.outcome;
        // The machine may be so busy that a datagram is lost; then it must be reported, and nothing else be wrong.
        if way == Way::Udp && !outcome.arrived_exactly() {
            let told = real
                .run
                .trace
                .count(|kind| matches!(kind, Kind::Note { text } if text.contains("had not arrived")));
            assert_eq!(told, 1);
            assert_eq!((outcome.pieces().repeated, outcome.pieces().foreign), (0, 0));
            continue;
        }
        check_trace(&real);
        assert!(outcome.arrived_exactly(), "{way:?}");
        assert_ne!(outcome.returned_exactly(), Some(false));
    }
}

#[test]
fn an_empty_message_is_a_datagram_a_closed_stream_and_an_empty_frame() {
    for way in Way::ALL {
        let real = play(way, &Bytes::new(), &RealKnobs::default());
        check_trace(&real);
        assert!(real.run.outcome.arrived_exactly(), "{way:?}");
        let pieces = if way == Way::Tcp { 0 } else { 1 };
        assert_eq!(real.run.outcome.received.len(), pieces, "{way:?}");
    }
}

#[test]
fn the_largest_datagram_is_carried_whole() {
    let message = bytes(udp::MAX_DATAGRAM);
    let knobs = RealKnobs { datagram: udp::MAX_DATAGRAM, ..RealKnobs::default() };
    assert_eq!(play(Way::Udp, &message, &knobs).run.outcome.received, [message]);
}

#[test]
fn knobs_out_of_range_are_refused_with_the_rule() {
    let hello = Bytes::from_static(b"hello");
    for datagram in [0, udp::MAX_DATAGRAM + 1] {
        let error =
            run(Way::Udp, hello.clone(), &RealKnobs { datagram, ..RealKnobs::default() }).unwrap_err();
        assert!(error.to_string().contains("65507"), "{error}");
    }
    let knobs = RealKnobs { datagram: 1, ..RealKnobs::default() };
    let error = run(Way::Udp, bytes(udp::MAX_DATAGRAMS + 1), &knobs).unwrap_err();
    assert!(error.to_string().contains("ask for larger ones"), "{error}");
    let error = run(Way::Tcp, bytes(MAX_MESSAGE + 1), &RealKnobs::default()).unwrap_err();
    assert!(error.to_string().contains("at most 16777216"), "{error}");
}

#[test]
fn no_time_at_all_is_told_as_such() {
    let knobs = RealKnobs { timeout: Duration::ZERO, ..RealKnobs::default() };
    let error = run(Way::Tcp, bytes(MAX_MESSAGE), &knobs).unwrap_err();
    assert!(error.to_string().contains("within 0 ms"), "{error}");
}

#[test]
fn a_runtime_inside_a_runtime_is_refused_and_no_panic() {
    let outer = runtime().unwrap();
    let error = outer.block_on(async { run(Way::Udp, Bytes::new(), &RealKnobs::default()) }).unwrap_err();
    assert!(error.to_string().contains("a thread of its own"), "{error}");
}

#[test]
fn figures_are_there_or_say_why_they_are_not() {
    for way in Way::ALL {
        let real = play(way, &Bytes::from_static(b"hello"), &RealKnobs::default());
        let rows = real.kernel.rows();
        assert!(rows.len() >= 5);
        for row in &rows {
            for figure in [&row.client, &row.server] {
                let words = figure.as_ref().map_or_else(|missing| missing.to_string(), Clone::clone);
                assert!(!words.is_empty(), "{way:?} {}", row.name);
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use crate::real::differences::{RealFacts, SimFacts, differences};

    #[test]
    fn the_kernels_counts_agree_with_the_message() {
        let message = bytes(5000);
        let real = play(Way::Tcp, &message, &RealKnobs::default());
        // The acknowledgment of the client's FIN may be delayed (RFC 9293 §3.8.6.3).
        let state = |end: &crate::real::kernel_figures::EndFigures| end.tcp_info.as_ref().unwrap().state;
        assert!(["FIN-WAIT-1", "FIN-WAIT-2"].contains(&state(&real.kernel.client)));
        assert_eq!(state(&real.kernel.server), "CLOSE-WAIT");
        let client = real.kernel.client.after_close.as_ref().unwrap();
        let server = real.kernel.server.after_close.as_ref().unwrap();
        // All 5000 bytes, SYN and FIN.
        assert_eq!(client.bytes_acked, Some(5002));
        assert_eq!(server.bytes_received, Some(5001));
        assert!(client.snd_mss > 0 && client.snd_cwnd > 0);
        // SYN, SYN-ACK, ACK, data, FIN and ACK each way: not fewer than these seven or so, and not many more.
        let segments = real.kernel.segments().unwrap();
        assert!((6..=20).contains(&segments), "{segments}");
    }

    /// The states that were seen at a place, in their order.
    fn states(real: &RealRun, place: u16) -> Vec<&'static str> {
        let to = |kind: &Kind| match kind {
            Kind::StateChanged { to, .. } => Some(*to),
            _ => None,
        };
        let events = real.run.trace.events.iter().filter(|event| event.place.0 == place);
        events.filter_map(|event| to(&event.kind)).collect()
    }

    #[test]
    fn the_states_of_a_life_are_seen_at_both_ends() {
        let real = play(Way::Tcp, &Bytes::from_static(b"hello"), &RealKnobs::default());
        let (client, server) = (states(&real, 0), states(&real, 1));
        assert_eq!((client[0], server[0]), ("ESTABLISHED", "ESTABLISHED"));
        assert!(client[1].starts_with("FIN-WAIT"), "the client closes first: {client:?}");
        assert_eq!(server[1], "CLOSE-WAIT");
        assert_eq!((client.last(), server.last()), (Some(&"CLOSED"), Some(&"CLOSED")));
    }

    #[test]
    fn the_server_of_a_websocket_closes_tcp_first() {
        let real = play(Way::WebSocket, &Bytes::from_static(b"hello"), &RealKnobs::default());
        let (client, server) = (states(&real, 0), states(&real, 1));
        assert_eq!(client[..2], ["ESTABLISHED", "CLOSE-WAIT"]);
        assert!(server[1].starts_with("FIN-WAIT"), "{server:?}");
    }

    #[test]
    fn a_smaller_mss_is_kept_to() {
        let knobs = RealKnobs { mss: Some(500), ..RealKnobs::default() };
        let real = play(Way::Tcp, &bytes(20_000), &knobs);
        assert!(real.run.outcome.arrived_exactly());
        let mss = real.kernel.client.tcp_info.as_ref().unwrap().snd_mss;
        assert!((488..=500).contains(&mss), "{mss}");
        assert!(real.kernel.segments().unwrap() > 40, "20,000 bytes are more than forty segments of 500");
        let refused = RealKnobs { mss: Some(1), ..RealKnobs::default() };
        let error = run(Way::Tcp, Bytes::new(), &refused).unwrap_err();
        assert!(error.to_string().contains("88 to 32,767"), "{error}");
    }

    #[test]
    fn the_differences_from_a_simulated_ethernet_are_found_in_a_real_run() {
        let real = play(Way::Tcp, &Bytes::from_static(b"hello"), &RealKnobs::default());
        let facts = RealFacts::of(&real);
        let sim = SimFacts {
            mtu: 1500,
            mss: 1460,
            rtt: Duration::from_secs(3600),
            first_read: Some(Duration::from_secs(3600)),
            packets: 1_000,
            lost: 0,
            retransmitted: 0,
            reads: facts.reads,
            timestamps: facts.timestamps.unwrap(),
            window_scale: facts.window_scale.unwrap(),
        };
        let names: Vec<_> = differences(&sim, &facts).iter().map(|difference| difference.what).collect();
        for expected in ["MSS", "RTT", "first write to first read", "packets"] {
            assert!(names.contains(&expected), "{expected} in {names:?}");
        }
        assert!(!names.contains(&"reads at the server"));
    }
}
