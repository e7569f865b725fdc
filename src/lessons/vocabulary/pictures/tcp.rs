//! Pictures of what goes on inside a TCP connection.

use crate::base::Duration;
use crate::layers::physical::delay::Rate;
use crate::layers::transport::tcp::Config;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::lessons::picture::{Frame, View};
use crate::lessons::pinned::{self, MSS, lettered};
use crate::lessons::stage::{Host, Stage, packet};
use crate::sim::LinkConfig;
use crate::sim::fault::{self, Verdict};
use crate::sim::race;
use crate::trace::Kind;
use crate::view::plot;

pub(in crate::lessons::vocabulary) fn rto(stage: &mut Stage) {
    stage.scene("backoff", "A segment is lost three times");
    let (client, server) = pinned::hosts(stage, &pinned::tcp(stage));
    for number in (1..=3).rev() {
        stage.rule(client, server, fault::nth("loses the data", number, packet::is_tcp_data, Verdict::Drop));
    }
    let socket = pinned::connect(stage, client, server);
    let sent = stage.now();
    stage.send(socket, "hello");
    stage.run();
    stage.check("it is sent four times, and arrives", |run| {
        run.data_segments().count() == 4 && run.reads(server).concat() == b"hello"
    });
    stage.show(
        View::LadderSince(sent),
        "The same bytes four times: the timer runs for one second, then two, then four.",
    );
}

/// Six segments of which the second is lost, to a client that counts duplicate ACKs.
fn one_lost(stage: &mut Stage, sack: bool) -> Host {
    stage.scene("lost", "The second of six segments is lost");
    let tcp = Config { congestion: Algorithm::NEWRENO, sack, ..pinned::tcp(stage) };
    let (client, server) = pinned::hosts(stage, &tcp);
    stage.rule(client, server, fault::nth("loses the second", 2, packet::is_tcp_data, Verdict::Drop));
    let socket = pinned::connect(stage, client, server);
    let sent = stage.now();
    stage.send(socket, lettered(6));
    stage.run();
    stage.check("it is sent again before its timer expires", |run| {
        run.retransmitted() == 1 && run.count(|kind| matches!(kind, Kind::TimerFired { .. })) == 0
    });
    if !sack {
        stage.show(
            View::LadderSince(sent),
            "Three ACKs in a row say nothing new, and the client sends the second segment again.",
        );
    }
    server
}

pub(in crate::lessons::vocabulary) fn fast_retransmit(stage: &mut Stage) {
    one_lost(stage, false);
}

pub(in crate::lessons::vocabulary) fn sack(stage: &mut Stage) {
    let server = one_lost(stage, true);
    let run = stage.seen();
    let duplicates = run.segments().filter(|s| s.packet.from == server.id().place() && s.tcp.duplicate_ack);
    let number = duplicates.last().map(|segment| segment.packet.packet.number);
    stage.check("duplicate ACKs come", |_| number.is_some());
    stage.show(
        View::Header(Frame::Number(number.unwrap_or(1)), Some("TCP")),
        "An ACK for the bytes before the gap, whose option lists the block behind it.",
    );
}

/// A receiver with room for three segments, whose program does not read, and more than that to send.
fn full(stage: &mut Stage) -> Host {
    stage.scene("full", "The receiver's buffer is full");
    let client = pinned::tcp(stage);
    let server = Config { recv_buffer: 3 * MSS, ..pinned::tcp(stage) };
    let (client, server) = pinned::hosts_with(stage, &client, &server);
    stage.read_late(server);
    let socket = pinned::connect(stage, client, server);
    stage.send(socket, lettered(5));
    server
}

pub(in crate::lessons::vocabulary) fn zero_window(stage: &mut Stage) {
    let server = full(stage);
    let sent = stage.now();
    stage.run_for(Duration::from_secs(5));
    for socket in stage.accepted(server) {
        stage.read(socket);
    }
    stage.run_for(Duration::from_secs(1));
    stage.check("the window closes, and all arrives in the end", |run| {
        run.segments().any(|s| s.packet.from == server.id().place() && s.tcp.window == 0)
            && run.data_segments().any(|segment| segment.tcp.probe.is_some())
    });
    stage.show(
        View::LadderSince(sent),
        "The window falls to 0; probes of one byte ask whether it is still closed; a read opens it.",
    );
}

pub(in crate::lessons::vocabulary) fn silly_window(stage: &mut Stage) {
    let server = full(stage);
    stage.run_for(Duration::from_millis(200));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for reads in 1..=30 {
        if let Some(socket) = stage.accepted(server).first().copied() {
            stage.read_at_most(socket, 100);
        }
        stage.run_for(Duration::from_millis(1));
        let run = stage.seen();
        let told = run.segments().filter(|segment| segment.packet.from == server.id().place()).last();
        let window = told.map_or(0, |segment| segment.tcp.window).to_string();
        if window != "0" && rows.last().is_none_or(|row| row[1] != window) {
            rows.push(vec![(reads * 100).to_string(), window]);
        }
    }
    stage.check("a thousand bytes are read before any room is announced", |_| {
        rows.first().is_some_and(|row| row[0] == "1000")
    });
    stage.table(
        &["bytes read", "window announced"],
        rows,
        "The program reads 100 bytes at a time. More room is announced only when it is worth it.",
    );
}

pub(in crate::lessons::vocabulary) fn delayed_ack(stage: &mut Stage) {
    stage.scene("delayed", "An ACK waits for company");
    let client = pinned::tcp(stage);
    let server = Config { delayed_ack: Some(Duration::from_millis(200)), ..pinned::tcp(stage) };
    let (client, server) = pinned::hosts_with(stage, &client, &server);
    let socket = pinned::connect(stage, client, server);
    let sent = stage.now();
    stage.send(socket, "hello");
    stage.run_for(Duration::from_millis(500));
    stage.send(socket, lettered(2));
    stage.run_for(Duration::from_millis(500));
    stage.check("all bytes arrive", |run| run.reads(server).concat().len() == 5 + 2 * MSS);
    stage.show(
        View::LadderSince(sent),
        "One small segment: its ACK waits 200 ms. Two full ones: they are acknowledged at once, by one ACK.",
    );
}

/// A transfer of `segments` by NewReno over 1 Mbit/s, with room for `queue` frames in front of the link.
fn transfer(stage: &mut Stage, segments: usize, queue: usize) {
    stage.scene("transfer", "A transfer over a slow link");
    let tcp = Config { congestion: Algorithm::NEWRENO, ..pinned::tcp(stage) };
    let link = LinkConfig {
        rate: Some(Rate(1_000_000)),
        delay: Duration::from_millis(20),
        queue,
        ..stage.network_knobs().link
    };
    let (client, server) = pinned::hosts_on(stage, &tcp, &tcp, link);
    let socket = pinned::connect(stage, client, server);
    stage.send(socket, lettered(segments));
    stage.run();
    stage.check("all bytes arrive", |run| run.reads(server).concat().len() == segments * MSS);
}

pub(in crate::lessons::vocabulary) fn cwnd(stage: &mut Stage) {
    transfer(stage, 120, 10);
    stage.check("the queue overflows, and the window comes down", |run| run.lost() > 0);
    pinned::plot(
        stage,
        plot::Kind::Cwnd,
        "The congestion window grows until the queue in front of a slow link overflows, and comes down.",
    );
}

pub(in crate::lessons::vocabulary) fn slow_start(stage: &mut Stage) {
    transfer(stage, 60, 1000);
    stage.check("nothing is lost", |run| run.lost() == 0);
    pinned::plot(
        stage,
        plot::Kind::Cwnd,
        "Slow start: every ACK opens the window by what it acknowledges, so that it doubles with each round trip.",
    );
}

pub(in crate::lessons::vocabulary) fn aimd(stage: &mut Stage) {
    transfer(stage, 240, 10);
    stage.check("it comes down more than once", |run| {
        run.count(|kind| matches!(kind, Kind::Dropped { .. })) > 1
    });
    pinned::plot(
        stage,
        plot::Kind::Cwnd,
        "After slow start a sawtooth: one segment more in each round trip, and half of it at each loss.",
    );
}

pub(in crate::lessons::vocabulary) fn square_root_law(stage: &mut Stage) {
    stage.scene("law", "One flow at a time");
    let mut knobs = race::knobs();
    // A long path: few segments, and the law does not care.
    knobs.link.delay = Duration::from_millis(50);
    let newreno = Algorithm::NEWRENO;
    let rates = race::law::measured(newreno, &knobs, Duration::from_secs(10), 2, &mut |_| ());
    let points: Vec<(f64, f64)> = race::law::LOSSES.into_iter().zip(rates).collect();
    let predicted = |loss: f64| race::law::predicted(&knobs, loss);
    stage.check("from 0.5 to 2 % a flow has what the law says, within a third", |_| {
        let near = |(loss, rate): &(f64, f64)| (0.67..1.33).contains(&(rate / predicted(*loss)));
        points[1..4].iter().all(near)
    });
    stage.check("at 8 % timeouts take a part of it", |_| points[5].1 < predicted(points[5].0));
    let plot = plot::law::over_loss(predicted, race::law::limit(&knobs), &[(newreno.name, points.clone())]);
    stage.plot(
        plot,
        "NewReno over a path of 100 ms, and the law: four times the loss, half the goodput. At many losses timeouts take \
         their part.",
    );
}

pub(in crate::lessons::vocabulary) fn bufferbloat(stage: &mut Stage) {
    transfer(stage, 120, 1000);
    stage.check("a round trip of 40 ms becomes one of more than five times that", |run| {
        let long = Duration::from_millis(200);
        run.count(|kind| matches!(kind, Kind::RttMeasured { sample, .. } if *sample > long)) > 0
    });
    pinned::plot(
        stage,
        plot::Kind::Rtt,
        "The queue takes everything, and the round-trip time grows with it, from 40 ms to many times that.",
    );
}

pub(in crate::lessons::vocabulary) fn half_close(stage: &mut Stage) {
    stage.scene("half", "A question that ends, and its answer");
    let (client, server) = pinned::hosts(stage, &pinned::tcp(stage));
    let socket = pinned::connect(stage, client, server);
    let sent = stage.now();
    stage.send(socket, "question");
    stage.close(socket);
    stage.run_for(Duration::from_millis(100));
    for accepted in stage.accepted(server) {
        stage.send(accepted, "the answer");
        stage.close(accepted);
    }
    stage.run();
    stage.check("the answer comes after the FIN of the question", |run| {
        run.reads(client).concat() == b"the answer"
    });
    stage.show(
        View::LadderSince(sent),
        "The client has said FIN, and still gets the answer: each direction closes by itself.",
    );
}
