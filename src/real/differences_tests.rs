//! Tests of what differs between the wires, and why.

use super::*;

/// A simulated TCP run over Ethernet.
fn sim() -> SimFacts {
    SimFacts {
        mtu: 1500,
        mss: 1460,
        rtt: Duration::from_millis(40),
        first_read: Some(Duration::from_millis(20)),
        packets: 10,
        lost: 0,
        retransmitted: 0,
        reads: 1,
        timestamps: false,
        window_scale: true,
    }
}

/// The same run on a kernel that has the same number for everything.
fn same(way: Way) -> RealFacts {
    let sim = sim();
    RealFacts {
        way,
        mtu: Some(sim.mtu),
        mss: Some(u32::from(sim.mss)),
        rtt: Some(sim.rtt),
        first_read: sim.first_read,
        packets: Some(10),
        lost: (way == Way::Udp).then_some(0),
        retransmitted: Some(0),
        reads: sim.reads,
        timestamps: Some(false),
        window_scale: Some(true),
    }
}

/// What differs, by name.
fn names(sim: &SimFacts, real: &RealFacts) -> Vec<&'static str> {
    differences(sim, real).iter().map(|difference| difference.what).collect()
}

/// The only difference there is.
fn only(sim: &SimFacts, real: &RealFacts) -> Difference {
    let mut all = differences(sim, real);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn equal_runs_have_no_differences() {
    for way in Way::ALL {
        assert_eq!(names(&sim(), &same(way)), Vec::<&str>::new());
    }
}

#[test]
fn what_this_system_does_not_tell_is_no_difference() {
    let unknown = RealFacts {
        mtu: None,
        mss: None,
        rtt: None,
        first_read: None,
        packets: None,
        lost: None,
        retransmitted: None,
        timestamps: None,
        window_scale: None,
        ..same(Way::Tcp)
    };
    assert_eq!(names(&sim(), &unknown), Vec::<&str>::new());
}

#[test]
fn the_mtu_of_loopback_is_told() {
    let found = only(&sim(), &RealFacts { mtu: Some(65_536), ..same(Way::Tcp) });
    assert_eq!((found.what, &*found.sim, &*found.real), ("MTU", "1500", "65536"));
}

#[test]
fn an_mss_twelve_bytes_short_is_the_timestamps_option() {
    let real = RealFacts { mss: Some(1448), timestamps: Some(true), ..same(Way::Tcp) };
    let found = differences(&sim(), &real);
    assert_eq!(names(&sim(), &real), ["TCP timestamps", "MSS"]);
    assert_eq!((&*found[0].sim, &*found[0].real), ("off", "on"));
    assert!(found[1].because.contains("12 bytes"), "{}", found[1].because);
}

#[test]
fn an_mss_that_fills_the_loopback_packet_is_computed_from_its_mtu() {
    let real = RealFacts { mtu: Some(65_536), mss: Some(65_483), timestamps: Some(true), ..same(Way::Tcp) };
    let mss = differences(&sim(), &real).into_iter().find(|found| found.what == "MSS").unwrap();
    assert_eq!((&*mss.sim, &*mss.real), ("1460", "65483"));
    assert!(mss.because.starts_with("the kernel fills the largest packets that IPv4 has"), "{}", mss.because);
    assert!(mss.because.contains("12 of timestamps"));
}

#[test]
fn an_mss_below_what_loopback_could_carry_is_told_as_such() {
    let real = RealFacts { mtu: Some(65_536), mss: Some(32_741), ..same(Way::Tcp) };
    let mss = differences(&sim(), &real).into_iter().find(|found| found.what == "MSS").unwrap();
    assert!(mss.because.contains("half of the largest window"), "{}", mss.because);
    let announced = only(&sim(), &RealFacts { mss: Some(500), ..same(Way::Tcp) });
    assert!(announced.because.contains("the smaller one holds"), "{}", announced.because);
}

#[test]
fn a_round_trip_in_memory_is_told_and_one_nearly_the_same_is_not() {
    let found = only(&sim(), &RealFacts { rtt: Some(Duration::from_micros(80)), ..same(Way::Tcp) });
    assert_eq!((found.what, &*found.sim, &*found.real), ("RTT", "40 ms", "80 µs"));
    assert!(found.because.contains("no distance"));
    let near = RealFacts { rtt: Some(Duration::from_millis(41)), ..same(Way::Tcp) };
    assert_eq!(names(&sim(), &near), Vec::<&str>::new());
    let longer = only(&sim(), &RealFacts { rtt: Some(Duration::from_millis(80)), ..same(Way::Tcp) });
    assert!(longer.because.contains("busy"));
}

#[test]
fn a_datagram_is_delivered_at_once() {
    let real = RealFacts { first_read: Some(Duration::from_micros(30)), ..same(Way::Udp) };
    let found = only(&sim(), &real);
    assert_eq!((found.what, &*found.real), ("first write to first read", "30 µs"));
}

#[test]
fn fewer_packets_are_explained_by_what_the_segments_are() {
    let fewer = only(&sim(), &RealFacts { packets: Some(8), ..same(Way::Tcp) });
    assert_eq!((&*fewer.sim, &*fewer.real), ("10", "8"));
    assert!(fewer.because.starts_with("its ACKs wait a little"), "{}", fewer.because);
    let packets = |sim: &SimFacts, real: &RealFacts| {
        differences(sim, real).into_iter().find(|found| found.what == "packets").unwrap().because
    };
    let larger = RealFacts { packets: Some(8), mss: Some(65_483), ..same(Way::Tcp) };
    let small = packets(&sim(), &larger);
    assert!(!small.contains("larger"), "one message in one segment gains nothing by it: {small}");
    let long = SimFacts { packets: 5000, ..sim() };
    let because = packets(&long, &larger);
    assert!(because.starts_with("its segments are larger, and it acknowledges several"), "{because}");
    assert!(!because.contains("again"), "the simulator lost nothing either: {because}");
    let lossy = SimFacts { retransmitted: 7, ..long };
    assert!(packets(&lossy, &larger).contains("nothing is sent again"));
    let busy = RealFacts { retransmitted: Some(2), ..larger };
    assert!(!packets(&lossy, &busy).contains("again"));
    let more = only(&sim(), &RealFacts { packets: Some(12), ..same(Way::Tcp) });
    assert!(more.because.contains("its own buffers"), "{}", more.because);
    let udp = only(&sim(), &RealFacts { packets: Some(1), ..same(Way::Udp) });
    assert!(udp.because.contains("one packet"), "{}", udp.because);
}

#[test]
fn losses_are_told_in_both_directions() {
    let lossy = SimFacts { lost: 3, ..sim() };
    let none = only(&lossy, &same(Way::Udp));
    assert_eq!((none.what, &*none.sim, &*none.real), ("lost", "3", "0"));
    assert!(none.because.contains("loses nothing"));
    let full = only(&sim(), &RealFacts { lost: Some(2), ..same(Way::Udp) });
    assert!(full.because.contains("buffer was full"));
}

#[test]
fn retransmissions_are_told_for_tcp_only() {
    let lossy = SimFacts { retransmitted: 2, ..sim() };
    assert_eq!(only(&lossy, &same(Way::Tcp)).what, "retransmitted");
    assert_eq!(names(&lossy, &same(Way::Udp)), Vec::<&str>::new());
    let busy = only(&sim(), &RealFacts { retransmitted: Some(1), ..same(Way::Tcp) });
    assert!(busy.because.contains("busy"), "{}", busy.because);
}

#[test]
fn other_cuts_in_the_stream_are_told() {
    let found = only(&sim(), &RealFacts { reads: 4, ..same(Way::WebSocket) });
    assert_eq!((found.what, &*found.sim, &*found.real), ("reads at the server", "1", "4"));
}

#[test]
fn window_scaling_is_told_when_only_one_has_it() {
    let found = only(&SimFacts { window_scale: false, ..sim() }, &same(Way::Tcp));
    assert_eq!((found.what, &*found.sim, &*found.real), ("TCP window scaling", "off", "on"));
}
