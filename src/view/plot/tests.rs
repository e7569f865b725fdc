//! What a plot looks like, and what holds of every one.

use proptest::prelude::*;

use super::*;
use crate::base::{Duration, Instant};
use crate::trace::{Event, FrameId, Kind as Happened, LinkId, Place, PlaceId, Trace, Wire};
use crate::view::look::Look;
use crate::view::sheet::Tone;

fn sawtooth() -> Plot {
    let window = (0..=60).map(|n| (f64::from(n) / 10.0, 20_000.0 + f64::from(n % 20) * 2_000.0));
    Plot::new("a window", Axis::new("time", Unit::Seconds), Axis::new("bytes", Unit::Bytes))
        .with(Series::new('c', "cwnd", Tone::Plain, Shape::Line).points(window))
        .with(
            Series::new('s', "ssthresh", Tone::Again, Shape::Steps)
                .points([(2.0, 29_000.0), (4.0, 30_000.0)]),
        )
        .with(Series::new('X', "lost", Tone::Bad, Shape::Marks).points([(2.0, 58_000.0), (4.0, 58_000.0)]))
}

#[test]
fn a_sawtooth_is_seen_as_one_with_its_axes_and_letters() {
    insta::assert_snapshot!(sawtooth().draw(&Look { width: 60, ..Look::default() }), @r"
    a window
    c cwnd   s ssthresh   X lost
    kB ▲ bytes
    60 ┤                 ⣠X                ⢀⡄X                ⣠
       │               ⡰c⢸               ⢀⠎⠁⡇               ⡰⠉⢸
       │             ⡠⠊  ⠸⡀            ⢀c⠁  ⢇             ⡠⠊  ⠸⡀
       │          ⢀⡠⠊     ⡇          ⣀⠔⠁    ⢸          ⢀⡠c     ⡇
    40 ┤         ⡠⠃       ⡇        ⢀⠜       ⢸         ⡠⠃       ⡇
       │       ⡠⠊         ⡇      ⢀⠔⠁        ⢸       ⡠⠊         ⡇
       │    ⢀⠤⠊           ⡇    ⡠⠔⠁          ⢸⣀⣀⣀⣀⣀⣤⣊⣀⣀⣀⣀⣀⣀s⣀⣀⣀⣀⣇
       │   ⡰⠁             s⠉⠉⢉⠏⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉s⠉⠉⡇  ⡰⠁             ⢱
       │ ⡠⠊               ⢸⢀⠔⠁               ⡇⡠⠊               ⢸
    20 ┤c                 ⠘⠁                 ⠋                 ⠘
       │
       │
       │
     0 ┤
       └┬─────────────────┬──────────────────┬──────────────────
        0                 2                  4            time s
    ");
}

#[test]
fn with_ascii_alone_a_line_is_made_of_its_letter() {
    let sheet = sawtooth().draw(&Look { width: 60, ..Look::plain() }).to_string();
    assert!(sheet.is_ascii(), "{sheet}");
    insta::assert_snapshot!(sheet, @r"
    a window
    c cwnd   s ssthresh   X lost
    kB ^ bytes
    60 +                 cX                ccX                c
       |               ccc               cccc               ccc
       |             cc  cc            ccc  c             cc  cc
       |          ccc     c          ccc    c          ccc     c
    40 +         cc       c        cc       c         cc       c
       |       cc         c      ccc        c       cc         c
       |    ccc           c    ccc          csssssssssssssssssss
       |   cc             ssssssssssssssssssss  cc             c
       | cc               cccc               ccc               c
    20 +c                 cc                 c                 c
       |
       |
       |
     0 +
       ++-----------------+------------------+------------------
        0                 2                  4            time s
    ");
}

#[test]
fn what_is_no_number_is_not_drawn_and_without_any_there_are_only_words() {
    let nowhere = [(f64::NAN, 1.0), (1.0, f64::INFINITY), (-1.0, 2.0)];
    let plot = Plot::new("empty", Axis::new("time", Unit::Seconds), Axis::new("bytes", Unit::Bytes))
        .with(Series::new('a', "none", Tone::Plain, Shape::Line).points(nowhere))
        .noting("there is nothing");
    assert_eq!(plot.draw(&Look::default()).to_string(), "empty\nthere is nothing\n");
}

#[test]
fn every_kind_says_so_when_a_run_has_nothing_for_it() {
    let trace = Trace::new("nothing", Wire::Sim);
    for kind in [Kind::Cwnd, Kind::Rtt, Kind::Seq, Kind::Throughput, Kind::Queue] {
        let shown = kind.of(&trace).draw(&Look::default()).to_string();
        assert!(shown.contains("Nothing to plot"), "{kind:?}: {shown}");
    }
}

/// One frame of 976 bytes each millisecond, each of which waits a millisecond, and one that finds no room.
fn queued() -> Trace {
    let mut trace = Trace::new("queued", Wire::Sim);
    let places = ["a", "b"].map(|name| Place { name: name.into(), addresses: Vec::new() });
    trace.places.extend(places);
    let mut put = |at: u64, place: u16, kind: Happened| {
        trace.events.push(Event { at: Instant::from_millis(at), place: PlaceId(place), kind });
    };
    let (link, to) = (LinkId(0), PlaceId(1));
    for n in 0..10 {
        put(n, 0, Happened::Queued { frame: FrameId(n), link, to });
        if n == 5 {
            put(n, 0, Happened::Dropped { frame: FrameId(99), by: "queue full".into() });
        }
        put(n + 1, 0, Happened::Sent { frame: FrameId(n), link, to, bytes: vec![0; 976].into() });
    }
    trace
}

#[test]
fn a_queue_is_counted_from_what_waits_and_what_left() {
    let plot = Kind::Queue.of(&queued());
    let lengths: Vec<f64> = plot.series[0].points.iter().map(|point| point.1).collect();
    assert_eq!(lengths, [1.0, 0.0].repeat(10));
    assert_eq!(plot.series[1].points, [(0.005, 1.0)], "one was turned away, at the longest queue so far");
}

#[test]
fn throughput_counts_the_bits_that_keep_the_link_busy() {
    let plot = Kind::Throughput.of(&queued());
    // Ten frames of 1000 bytes, with what lies between frames, in ten milliseconds.
    let part = Duration::from_millis(10).as_secs_f64() / 40.0;
    let bits: f64 = plot.series[0].points.iter().map(|point| point.1 * part).sum();
    assert!((bits - 80_000.0).abs() < 1.0, "{bits}");
    assert_eq!(plot.series[0].name, "frames sent by a");
}

proptest! {
    #[test]
    fn no_plot_is_wider_than_the_page_whatever_the_points(
        points in proptest::collection::vec((any::<f64>(), any::<f64>()), 0..50),
        width in 1usize..130,
        ascii: bool,
        shape in prop_oneof![Just(Shape::Line), Just(Shape::Steps), Just(Shape::Dots), Just(Shape::Marks)],
    ) {
        for unit in [Unit::Bytes, Unit::BitsPerSecond, Unit::Seconds, Unit::Frames] {
            let look = Look { width, ascii, ..Look::default() };
            let plot = Plot::new("title", Axis::new("time", Unit::Seconds), Axis::new("y", unit))
                .with(Series::new('p', "points", Tone::Plain, shape).points(points.clone()));
            let sheet = plot.draw(&look);
            prop_assert!(sheet.width() <= look.columns(), "{}", sheet);
            prop_assert!(!ascii || sheet.to_string().is_ascii());
        }
    }
}
