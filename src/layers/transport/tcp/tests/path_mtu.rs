//! Black holes: full segments vanish, small ones pass, and no router says why.

use std::cell::Cell;
use std::rc::Rc;

use super::super::congestion::Algorithm;
use super::*;

/// Looks for black holes, with one congestion control.
fn prober(congestion: Algorithm) -> Config {
    Config { mtu_probing: true, sack: true, rack: true, send_buffer: 1 << 20, congestion, ..config() }
}

/// A pipe in which packets of more bytes than the second says vanish.
fn narrow(config: &Config, most: usize) -> (Pipe, Rc<Cell<usize>>) {
    let limit = Rc::new(Cell::new(most));
    let holds = limit.clone();
    let vanishes = move |segment: &Segment| 20 + segment.len() > holds.get();
    let pipe = Pipe::open(config)
        .with_rule(move |_, _, segment| if vanishes(segment) { Fate::Drop } else { Fate::Pass });
    (pipe, limit)
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| n as u8).collect()
}

/// The sizes of the packets with data that A has sent.
fn sizes(pipe: &Pipe) -> Vec<usize> {
    let data = pipe.log.iter().filter(|(side, segment)| *side == A && !segment.payload.is_empty());
    data.map(|(_, segment)| 20 + segment.len()).collect()
}

#[test]
fn a_transfer_through_a_black_hole_ends_and_finds_the_size_that_passes() {
    for congestion in [Algorithm::NEWRENO, Algorithm::CUBIC, Algorithm::BBR, Algorithm::RENO] {
        let (mut pipe, _) = narrow(&prober(congestion), 1_400);
        let sent = text(1_000_000);
        pipe.write(A, &sent);
        pipe.run_for(Duration::from_secs(60));
        assert!(pipe.ends[B].received == sent, "{congestion:?}: {} B came", pipe.ends[B].received.len());
        let size = pipe.info(A).mss + 40;
        assert!((1_300..=1_400).contains(&size), "{congestion:?}: {size}");
        let sizes = sizes(&pipe);
        let large = sizes.iter().filter(|size| **size > 1_400).count();
        let (first, full): (Vec<_>, Vec<_>) = (sizes[0..1].to_vec(), sizes[sizes.len() - 10..].to_vec());
        assert_eq!(first, [1_500]);
        assert!(full.iter().all(|size| *size <= 1_400), "{full:?}");
        // A window of them at first, again by each timeout, and then one probe of each size that does not pass.
        assert!(large <= 20, "{congestion:?}: {large} were too large");
        assert_eq!(pipe.ends[A].path_mtus.first(), Some(&1_024));
        assert_eq!(pipe.ends[A].path_mtus.last(), Some(&(size as u16)));
        let notes =
            pipe.ends[A].traces.iter().filter(|kind| matches!(kind, trace::Kind::Note { .. })).count();
        assert_eq!(notes, 1, "a fault of the network is noted, once");
    }
}

#[test]
fn without_probing_a_black_hole_is_the_end_of_the_transfer() {
    let (mut pipe, _) = narrow(&Config { mtu_probing: false, ..prober(Algorithm::NEWRENO) }, 1_400);
    pipe.write(A, &text(100_000));
    pipe.run_for(Duration::from_secs(600));
    assert_eq!((pipe.ends[B].received.len(), pipe.info(A).mss), (0, 1_460));
}

#[test]
fn small_segments_that_are_not_answered_are_no_black_hole() {
    let (mut pipe, _) = narrow(&prober(Algorithm::NEWRENO), 100);
    pipe.write(A, &text(500));
    pipe.run_for(Duration::from_secs(100));
    assert_eq!(pipe.info(A).mss, 1_460, "a peer that is gone does not answer small ones either");
}

#[test]
fn a_path_that_takes_next_to_nothing_is_found_by_halves() {
    let (mut pipe, _) = narrow(&prober(Algorithm::NEWRENO), 100);
    pipe.write(A, &text(5_000));
    let mut steps = vec![pipe.info(A).mss + 40];
    while pipe.ends[B].received.is_empty() {
        assert!(pipe.now < Instant::from_millis(300_000), "{steps:?}");
        pipe.run_for(ms(500));
        let size = pipe.info(A).mss + 40;
        steps.extend((steps.last() != Some(&size)).then_some(size));
    }
    assert_eq!(steps, [1_500, 1_024, 512, 256, 128, 68]);
    pipe.run_for(Duration::from_secs(600));
    assert_eq!(pipe.ends[B].received, text(5_000));
}

#[test]
fn after_an_outage_the_first_probe_restores_the_size_of_before() {
    let (mut pipe, limit) = narrow(&prober(Algorithm::CUBIC), 0);
    let sent = text(300_000);
    pipe.write(A, &sent);
    pipe.run_for(Duration::from_secs(20));
    limit.set(usize::MAX);
    pipe.run_for(Duration::from_secs(120));
    assert!(pipe.ends[B].received == sent);
    assert_eq!(pipe.info(A).mss, 1_460);
    assert_eq!(pipe.ends[A].path_mtus.last(), Some(&1_500));
    let after: Vec<usize> = sizes(&pipe).into_iter().skip_while(|size| *size > 1_024).collect();
    let probe = after.iter().position(|size| *size > 1_024).unwrap();
    assert_eq!(after[probe], 1_500, "{after:?}");
}

#[test]
fn a_lost_probe_is_no_sign_of_congestion() {
    let (mut pipe, _) = narrow(&prober(Algorithm::NEWRENO), 1_400);
    pipe.write(A, &text(1_000_000));
    pipe.run_for(Duration::from_secs(60));
    let reductions = pipe.ends[A].traces.iter().filter(|kind| {
        matches!(kind, trace::Kind::CwndChanged { why, .. } if why.contains("overdue") || why.contains("duplicate"))
    });
    assert_eq!(reductions.count(), 0, "only probes were lost after the timeouts");
    let again = pipe.ends[A]
        .traces
        .iter()
        .filter(|kind| matches!(kind, trace::Kind::Retransmitted { why, .. } if why.contains("overdue")));
    assert!(again.count() > 0, "and they were");
}

#[test]
fn a_path_that_widens_is_noticed_after_ten_minutes() {
    let (mut pipe, limit) = narrow(&prober(Algorithm::CUBIC), 1_400);
    // A little every second, and enough to follow a probe.
    let size_after = |pipe: &mut Pipe, seconds: u64| {
        for _ in 0..seconds {
            pipe.write(A, &text(30_000));
            pipe.run_for(Duration::from_secs(1));
        }
        pipe.info(A).mss + 40
    };
    let narrow = size_after(&mut pipe, 60);
    assert!((1_393..=1_400).contains(&narrow), "the search came as near as is worth it: {narrow}");
    limit.set(usize::MAX);
    assert_eq!(size_after(&mut pipe, 500), narrow, "it rests");
    assert_eq!(size_after(&mut pipe, 100), 1_500);
    assert_eq!(pipe.ends[A].path_mtus.last(), Some(&1_500));
}

#[test]
fn what_ip_knows_bounds_the_first_segment_and_not_what_is_announced() {
    let mut pipe = Pipe::new(&prober(Algorithm::NEWRENO));
    pipe.listen(B);
    pipe.connect(A);
    pipe.with(A, |connection, now| connection.know_path(1_280, now + Duration::from_secs(600)));
    pipe.run_for(ms(100));
    assert_eq!(pipe.log[0].1.header.options.mss(), Some(1_460), "RFC 1191 §6.4");
    pipe.write(A, &text(100_000));
    pipe.run_for(Duration::from_secs(5));
    assert_eq!(pipe.ends[B].received.len(), 100_000);
    assert!(sizes(&pipe).iter().all(|size| *size <= 1_280));
    assert!(pipe.ends[A].path_mtus.is_empty());
    // It learns of less while it sends, and then the age is over.
    pipe.with(A, |connection, now| connection.know_path(1_000, now + Duration::from_secs(300)));
    pipe.with(A, |connection, now| connection.know_path(1_200, now + Duration::from_secs(300)));
    assert_eq!(pipe.info(A).mss, 960);
    pipe.run_for(Duration::from_secs(300));
    pipe.write(A, &text(100_000));
    pipe.run_for(Duration::from_secs(5));
    assert_eq!((pipe.info(A).mss, pipe.ends[A].path_mtus.last()), (1_460, Some(&1_500)));
}
