//! Lesson 10: what TCP does about a segment that is lost: it waits for a timer, or believes its ACKs.
//!
//! Left out: losses judged by time and probes for a lost tail (RACK-TLP, RFC 8985), which need an estimate of how much
//! segments overtake each other; retransmissions that were not needed (RFC 5682); how much is sent after a loss
//! (lesson 13).

use super::beat::Answer;
use super::knob::{DELAY, Range, SEED};
use super::picture::{Frame, View};
use super::pinned::{self, MSS};
use super::stage::{Host, Seen, Segment, Stage, packet};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Header as _, Instant, Layer, Reader};
use crate::layers::internet::ipv4;
use crate::layers::link::ethernet;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::layers::transport::tcp::{Config, SeqNumber, TcpHeader};
use crate::sim::fault::{self, Verdict};
use crate::sim::knob::network;
use crate::trace::Kind;
use crate::view::plot;

/// How many segments the client sends.
const SEGMENTS: usize = 8;

pub(crate) const LOSE: Knob<usize> = super::knob::LOSE.within(Range::Count(1, SEGMENTS as u64));
const TIMES: Knob<usize> = Knob::count("times", "3", 1, 5, "how often in a row the same segment is lost");
const MIN_RTO: Knob<Duration> = network::MIN_RTO
    .within(Range::Time(Duration::from_millis(200), Duration::from_secs(5)))
    .told("the shortest retransmission timeout");

pub(super) const LESSON: Lesson = Lesson {
    id: "loss",
    title: "loss and retransmission",
    layer: Layer::Transport,
    minutes: 35,
    misconception: "an ACK means that the program has read it",
    words: &[
        ("round-trip time", "how long it takes there and back again"),
        ("RTO", "retransmission timeout: how long TCP waits for an ACK"),
        ("fast retransmit", "sending again before that time is over"),
        ("SACK", "an option of TCP, by which an ACK can say more"),
    ],
    cites: &[
        Cite { document: "RFC 9293", section: "3.8.1", what: "why the timeout must adapt to the path" },
        Cite { document: "RFC 6298", section: "2", what: "how the timeout follows from round trips" },
        Cite { document: "RFC 6298", section: "3", what: "which round trips count: Karn's algorithm" },
        Cite { document: "RFC 6298", section: "5", what: "the timer, and how it backs off" },
        Cite { document: "RFC 5681", section: "3.2", what: "fast retransmit and fast recovery" },
        Cite { document: "RFC 2018", section: "3", what: "the SACK option" },
        Cite { document: "RFC 8985", section: "3", what: "what stacks do today: losses judged by time" },
    ],
    knobs: &[&LOSE, &TIMES, &MIN_RTO, &DELAY, &SEED],
    teacher: Teacher {
        vote: "Eight segments are under way and the second is lost. What does the sender know half a second later, \
               without any timer?",
        choices: &[
            "nothing: the receiver waits",
            "that something is missing, and what",
            "that something is missing, but not what",
            "that the receiver's program has not read",
        ],
        surprise: "With --lose 8 fast retransmit does nothing: the last segment has none behind it, so no ACK can \
                   repeat itself, and the timer must do it. This is why the tail of a transfer hurts most, and what \
                   RACK-TLP (RFC 8985) was made for.",
    },
    script,
};

fn script(stage: &mut Stage) {
    asleep(stage);
    timeout(stage);
    back_off(stage);
    fast(stage);
    let one_by_one = holes(stage, false);
    let together = holes(stage, true);
    // Without a distance a round trip costs nothing, and so it does not matter how many there are.
    if stage.network_knobs().rtt() > Duration::from_millis(10) {
        stage.check("with SACK all bytes have arrived sooner", |_| together < one_by_one);
    }
    stage.say(
        "Today's stacks have one more way. They keep the time of each sending: when something that left later has \
         arrived, and a quarter of a round trip has passed, the earlier one counts as lost (RACK, RFC 8985).",
    );
    stage.instead(LESSON.misconception,
        "an ACK comes from the other end's TCP, not from its program. It says: these bytes are in my buffer, you need not \
         send them again. A program that wants to know whether the other one has done its work must be told so by that \
         program, in the stream.",
    );
    stage.try_next(
        "netlayers lesson 10 --lose 8",
        "The last segment is lost. Predict whether the third ACK helps.",
    );
    stage.try_next("netlayers lesson 10 --min-rto 200ms", "As Linux has it. Predict which pauses change.");
    stage.try_next("netlayers lesson 10 --times 5", "Predict how long the connection is silent in all.");
    stage.try_next(
        "netlayers lesson 10 --wire kernel",
        "The kernel sends, and one is lost. Predict when it goes again.",
    );
    stage.try_next("netlayers check timeout", "Make: compute the timeout from round trips.");
    stage.try_next("netlayers check duplicates", "Make: find the ACK that shows a loss.");
}

/// TCP as this lesson has it.
fn tcp(stage: &Stage) -> Config {
    Config { min_rto: stage.knob(&MIN_RTO), ..pinned::tcp(stage) }
}

/// An ACK while the program reads nothing.
fn asleep(stage: &mut Stage) {
    const ASLEEP: Duration = Duration::from_secs(2);
    stage.say(
        "TCP keeps a copy of everything it sends until it is acknowledged. An ACK carries a number: all bytes before that \
         number have arrived. Arrived where?",
    );
    let guess = stage.ask_choice(
        format!(
            "A client sends \"hello\". The server's program is busy and reads nothing for {ASLEEP}. When does the client \
             get its ACK?"
        ),
        &[
            "a round trip after it has sent the bytes",
            "a round trip after the server's program has read them",
            "not at all, as long as nothing is read",
        ],
    );
    stage.scene("asleep", "The server's program is busy");
    let (client, server) = pinned::hosts(stage, &tcp(stage));
    stage.read_late(server);
    let socket = pinned::connect(stage, client, server);
    let sent = stage.now();
    stage.send(socket, "hello");
    stage.run_until(sent + ASLEEP);
    for accepted in stage.accepted(server) {
        stage.read(accepted);
    }
    stage.run_for(stage.network_knobs().rtt() * 2);
    stage.show(View::LadderSince(sent), "Look at the times: the ACK, and the read.");
    let run = stage.seen();
    let acked = ack_sent(&run, server, sent);
    stage.reveal(
        guess,
        |run| {
            Answer::Choice(match (acked, run.first_read(server)) {
                (Some(ack), Some(read)) if ack < read => 0,
                (Some(_), _) => 1,
                (None, _) => 2,
            })
        },
        "The server's TCP acknowledged what it put into its buffer. Whether a program ever takes it out of there, it does \
         not say: had the program ended now, the bytes would be gone, and acknowledged.",
    );
    stage.check("the ACK is older than the read", |run| acked.is_some() && acked < run.first_read(server));
}

/// When the server first acknowledged anything after a time.
fn ack_sent(run: &Seen, server: Host, since: Instant) -> Option<Instant> {
    let mut acks = run.segments().filter(|s| s.packet.from == server.id().place() && s.packet.at >= since);
    acks.next().map(|segment| segment.packet.at)
}

/// One of several segments is lost, and only a timer can tell.
fn timeout(stage: &mut Stage) {
    let lose = stage.knob(&LOSE);
    let what = stage.ask_choice(
        format!(
            "A client sends {} bytes in {SEGMENTS} segments of {MSS}. Number {lose} is lost, the others arrive. Which \
             bytes does it send again?",
            SEGMENTS * MSS
        ),
        &["those of the lost segment, and no others", "those of the lost segment and of all behind it", "all of them"],
    );
    let when = stage.ask_choice(
        "And when? This client does not look at ACKs that say nothing new.",
        &[
            "when the segment behind the lost one arrives",
            "a round trip after the lost one was sent",
            "several round trips later, when a timer expires",
        ],
    );
    stage.scene("timeout", &format!("Segment {lose} of {SEGMENTS} is lost"));
    let (client, server, sent) = lossy(stage, &tcp(stage), &[lose]);
    stage.show(View::LadderSince(sent), "The cross is the loss. Read the numbers in the ACKs behind it.");
    let again = pinned::sent_again(stage);
    let lost_at = left_at(stage, client, lose);
    let waited = again.first().map_or(0.0, |(_, at)| at - lost_at);
    let rtt = stage.network_knobs().rtt().as_millis_f64();
    stage.fact("waited_ms", format!("{waited:.0}"));
    stage.reveal(
        what,
        |_| {
            Answer::Choice(match again.as_slice() {
                [(seq, _)] if *seq as usize == (lose - 1) * MSS + 1 => 0,
                _ if again.len() < SEGMENTS => 1,
                _ => 2,
            })
        },
        "The server kept what came out of order, so one segment closed the gap, and one ACK covered everything. All \
         that time its program got nothing of what was behind the gap.",
    );
    stage.reveal(
        when,
        |_| Answer::Choice(if waited > 1.5 * rtt { 2 } else { 1 }),
        format!(
            "{waited:.0} ms after it had left. The timer's length is the RTO: the smoothed round-trip time plus four times \
             its variation, but at least {}. It starts over whenever an ACK says something new.",
            stage.knob(&MIN_RTO)
        ),
    );
    stage.check("every byte arrives once, in order", |run| {
        run.reads(server).concat() == pinned::lettered(SEGMENTS)
    });
}

/// When data segment number `number` first left, in milliseconds.
fn left_at(stage: &Stage, client: Host, number: usize) -> f64 {
    let run = stage.seen();
    let mut data = run.data_segments().filter(|segment| segment.packet.from == client.id().place());
    data.nth(number - 1).map_or(0.0, |segment| segment.packet.at.as_millis_f64())
}

/// Sends the segments, of which some are lost; the hosts, and when the first one left.
fn lossy(stage: &mut Stage, tcp: &Config, lost: &[usize]) -> (Host, Host, Instant) {
    let (client, server) = pinned::hosts(stage, tcp);
    // A rule is not asked about what one before it has lost: the later one counts first.
    for number in lost.iter().rev() {
        let rule =
            fault::nth(format!("loses number {number}"), *number as u64, packet::is_tcp_data, Verdict::Drop);
        stage.rule(client, server, rule);
    }
    let socket = pinned::connect(stage, client, server);
    let sent = stage.now();
    stage.send(socket, pinned::lettered(SEGMENTS));
    stage.run();
    (client, server, sent)
}

/// The same segment is lost several times.
fn back_off(stage: &mut Stage) {
    let times = stage.knob(&TIMES);
    let how_often = if times == 1 { "once".into() } else { format!("{times} times in a row") };
    let pauses = stage.ask_choice(
        format!(
            "Now one segment alone, and it is lost {how_often}. How long are the pauses between its sendings?"
        ),
        &[
            "all the same",
            "each longer than the one before",
            "each shorter than the one before: it is urgent",
        ],
    );
    let measured = stage.ask_choice(
        "At last an ACK comes. Which round-trip time does the client measure by it?",
        &["from the first sending to the ACK", "from the last sending to the ACK", "none"],
    );
    stage.scene("backoff", &format!("The same segment is lost {how_often}"));
    let (client, server) = pinned::hosts(stage, &tcp(stage));
    let mut left = times;
    let rule = fault::rule("loses it again", move |frame, _| {
        let lose = left > 0 && packet::is_tcp_data(frame);
        left -= usize::from(lose);
        if lose { Verdict::Drop } else { Verdict::Pass }
    });
    stage.rule(client, server, rule);
    let socket = pinned::connect(stage, client, server);
    let handshake = round_trips(&stage.seen(), client);
    stage.send(socket, "hello");
    stage.run();
    let ambiguous = round_trips(&stage.seen(), client) - handshake;
    let run = stage.seen();
    let sendings: Vec<f64> = run.data_segments().map(|segment| segment.packet.at.as_millis_f64()).collect();
    let waits: Vec<f64> = sendings.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let rows = sendings.iter().enumerate().map(|(number, at)| {
        let waited = number.checked_sub(1).map_or("-".into(), |before| format!("{:.0}", waits[before]));
        vec![(number + 1).to_string(), format!("{at:.0}"), waited]
    });
    stage.table(
        &["sending", "at ms", "waited ms"],
        rows.collect(),
        "When the same bytes left, and how long after the time before.",
    );
    let longer = waits.windows(2).all(|pair| pair[1] > pair[0] * 1.5);
    let silence: f64 = waits.iter().sum();
    stage.fact("silence_ms", format!("{silence:.0}"));
    stage.reveal(
        pauses,
        |_| Answer::Choice(if longer { 1 } else { 0 }),
        format!(
            "Each time the timer expires, the RTO doubles: {silence:.0} ms without a byte in all. Nobody knows why nothing \
             comes through. If the network is overloaded, trying often makes it worse."
        ),
    );
    stage.reveal(
        measured,
        |_| Answer::Choice(if ambiguous == 0 { 2 } else { 1 }),
        "The ACK does not say which of the sendings it answers. A time from the wrong one would spoil the RTO, so it is \
         no measurement: Karn's algorithm. The doubled RTO stays until new data was sent once and acknowledged.",
    );
    stage.check("each wait is twice the one before, up to a minute", |_| {
        waits.windows(2).all(|pair| (pair[1] / pair[0] - 2.0).abs() < 0.01 || pair[1] > 59_999.0)
    });
    stage.check("the program got its bytes, once", |run| run.reads(server).concat() == b"hello");
}

/// How many round trips a host has measured.
fn round_trips(run: &Seen, host: Host) -> usize {
    let here = run.trace().events.iter().filter(|event| event.place == host.id().place());
    here.filter(|event| matches!(event.kind, Kind::RttMeasured { .. })).count()
}

/// The loss is found by ACKs that repeat themselves.
fn fast(stage: &mut Stage) {
    let lose = stage.knob(&LOSE);
    stage.lead_in(
        "A receiver acknowledges at once what comes out of order, and can only say again which byte it waits for: a \
         duplicate ACK. A segment that was merely overtaken by others causes some, too.",
    );
    let guess = stage.ask_choice(
        format!(
            "Again {SEGMENTS} segments, and number {lose} is lost. This client counts duplicate ACKs. When does it send \
             the segment again?"
        ),
        &["at the first duplicate ACK", "at the third duplicate ACK", "at the last one", "when the timer expires"],
    );
    stage.scene("fast", "The client counts duplicate ACKs");
    let config = Config { congestion: Algorithm::NEWRENO, ..tcp(stage) };
    let (client, server, sent) = lossy(stage, &config, &[lose]);
    stage.show(View::LadderSince(sent), "Count the ACKs that carry the same number, before the second try.");
    let again = pinned::sent_again(stage);
    let at = again.first().map_or(0.0, |(_, at)| *at);
    let waited = at - left_at(stage, client, lose);
    let before = duplicates(&stage.seen(), server, at, stage.network_knobs().link.delay);
    let by_timer =
        stage.seen().count(|kind| matches!(kind, Kind::TimerFired { timer: "retransmission", .. })) > 0;
    stage.fact("fast_ms", format!("{waited:.0}"));
    let behind = SEGMENTS - lose;
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match (by_timer, before) {
                (true, _) => 3,
                (false, ..=1) => 0,
                (false, 2..=3) => 1,
                (false, _) => 2,
            })
        },
        match by_timer {
            false => format!(
                "{waited:.0} ms after the segment had left: fast retransmit. One or two duplicates may mean that segments \
                 overtook each other, three mean a loss. The later ones say only that more has arrived."
            ),
            true => format!(
                "Behind the lost segment came {behind}, so there were no three duplicates, and the timer had to do it, \
                 {waited:.0} ms after the segment had left."
            ),
        },
    );
    if behind >= 3 {
        stage.check("no timer expired", |_| !by_timer);
    }
    stage.check("every byte arrives once, in order", |run| {
        run.reads(server).concat() == pinned::lettered(SEGMENTS)
    });
}

/// How many duplicate ACKs of the server had arrived by a time in milliseconds.
fn duplicates(run: &Seen, server: Host, by: f64, delay: Duration) -> usize {
    let arrived = |at: Instant| at.as_millis_f64() + delay.as_millis_f64() <= by;
    let from_server = run.segments().filter(|segment| segment.packet.from == server.id().place());
    from_server.filter(|segment| segment.tcp.duplicate_ack && arrived(segment.packet.at)).count()
}

/// Two segments are lost. When the last byte was acknowledged, in milliseconds after the first was sent.
fn holes(stage: &mut Stage, sack: bool) -> f64 {
    const LOST: [usize; 2] = [2, 5];
    let guess = stage.ask_choice(
        match sack {
            false => format!(
                "Two are lost, numbers {} and {}. An ACK has one number only. How do the two go again?",
                LOST[0], LOST[1]
            ),
            true => "The same once more, and both ends have agreed on SACK in their handshake: a duplicate ACK now lists \
                     what has arrived behind the gap. How do the two go again?"
                .into(),
        },
        &["the second one a round trip after the first", "both within one round trip", "both when the timer expires"],
    );
    let (id, title) = match sack {
        false => ("holes", "Two segments are lost"),
        true => ("sack", "Two segments are lost, with SACK"),
    };
    stage.scene(id, title);
    let config = Config { congestion: Algorithm::NEWRENO, sack, ..tcp(stage) };
    let (_, server, sent) = lossy(stage, &config, &LOST);
    let again = pinned::sent_again(stage);
    if sack {
        let run = stage.seen();
        if let Some(segment) = sacked(&run, server) {
            stage.show(
                View::Header(Frame::Number(segment.packet.packet.number), Some("TCP")),
                format!(
                    "An ACK from the middle of it. It waits for byte {}, and its option says that bytes {} are there.",
                    segment.tcp.ack.unwrap_or(0),
                    blocks(&segment).join(" and ")
                ),
            );
        }
    } else {
        pinned::plot(
            stage,
            plot::Kind::Seq,
            "Time and sequence numbers: the line of ACKs stands still twice, and climbs each time a gap is closed.",
        );
    }
    let run = stage.seen();
    let end = run.segments().filter(|segment| segment.packet.from == server.id().place()).last();
    let took = end.map_or(0.0, |segment| segment.packet.at.as_millis_f64()) - sent.as_millis_f64();
    let apart = match again.as_slice() {
        [(_, first), (_, second)] => second - first,
        _ => f64::MAX,
    };
    let rtt = stage.network_knobs().rtt().as_millis_f64();
    let is_apart = apart >= rtt && apart > 2.0;
    stage.fact(if sack { "with_sack_ms" } else { "without_sack_ms" }, format!("{took:.0}"));
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match (again.len(), is_apart) {
                (2, true) => 0,
                (2, false) => 1,
                _ => 2,
            })
        },
        match sack {
            false => format!(
                "They left {apart:.0} ms apart. Only when the first gap was closed did an ACK name the second one: one \
                 loss per round trip. The last ACK left {took:.0} ms after the first segment."
            ),
            true => format!(
                "They left {apart:.1} ms apart. The client saw both gaps at once, and the last ACK left {took:.0} ms after \
                 the first segment. SACK says what has arrived; what is missing, the sender infers."
            ),
        },
    );
    stage.check("nothing but the two was sent again", |_| {
        let numbers: Vec<u64> = again.iter().map(|(seq, _)| *seq).collect();
        numbers == LOST.map(|number| ((number - 1) * MSS + 1) as u64)
    });
    took
}

/// The ACK with the most to say by SACK: the last of the server's duplicate ACKs before the repair.
fn sacked(run: &Seen, server: Host) -> Option<Segment<'_>> {
    let again = run.data_segments().find(|segment| segment.tcp.retransmission);
    let until = again.map_or(Instant::NEVER, |segment| segment.packet.at);
    let acks = run.segments().filter(|segment| {
        segment.packet.from == server.id().place() && segment.tcp.duplicate_ack && segment.packet.at <= until
    });
    acks.last()
}

/// The blocks that a segment lists, in words, counted as its acknowledgment number is.
fn blocks(segment: &Segment<'_>) -> Vec<String> {
    let bytes = segment.packet.bytes.slice(ethernet::HEADER_LEN + ipv4::MIN_HEADER_LEN..);
    let mut reader = Reader::new(Layer::Transport, TcpHeader::PROTOCOL, &bytes);
    let Ok(header) = TcpHeader::parse(&mut reader) else { return Vec::new() };
    let ack = segment.tcp.ack.unwrap_or(0);
    let number = |seq: SeqNumber| ack + u64::from(header.ack.distance_to(seq));
    let blocks = header.options.sack().iter().map(|(start, end)| (number(*start), number(*end)));
    let mut blocks: Vec<(u64, u64)> = blocks.collect();
    blocks.sort_unstable();
    blocks.iter().map(|(start, end)| format!("{start} to {}", end - 1)).collect()
}
