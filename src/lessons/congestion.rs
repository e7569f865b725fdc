//! Lesson 13: how senders that know nothing of each other share a link: the congestion window.
//!
//! Left out: pacing, BBR (which models the path instead of waiting for losses), marks in place of losses (ECN, RFC
//! 3168), queues that drop early (RFC 8289), what a sender does after a pause.

use super::beat::Answer;
use super::knob::{DELAY, LOSS, Range, SEED};
use super::pinned::{self, MSS};
use super::stage::{Host, Seen, Stage};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Instant, Layer};
use crate::layers::physical::delay::Rate;
use crate::layers::transport::tcp::Config;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::sim::LinkConfig;
use crate::sim::knob::{Knobs, network};
use crate::sim::race::{self, Race};
use crate::trace::Kind;
use crate::view::plot::{self, Axis, Plot, Series, Shape, TONES, Unit};

const CC: Knob<Algorithm> = network::CC.at("newreno").told("congestion control of the senders");
pub(crate) const QUEUE: Knob<usize> =
    network::QUEUE.at("10").within(Range::Count(2, 200)).told("most frames that wait for the link");

pub(super) const LESSON: Lesson = Lesson {
    id: "congestion",
    title: "congestion",
    layer: Layer::Transport,
    minutes: 30,
    misconception: "a larger window is more bandwidth",
    words: &[
        ("bandwidth", "how many bits a link can carry in a second"),
        ("throughput", "how much really comes through in a second"),
        ("congestion control", "how senders find out what a network can take"),
        ("congestion window", "how much a sender lets be under way for its sake"),
        ("slow start", "how that window grows in the beginning"),
        ("AIMD", "how it grows and shrinks later"),
        ("bufferbloat", "what comes of a queue that is too long"),
    ],
    cites: &[
        Cite { document: "RFC 9293", section: "3.8.2", what: "a TCP must have congestion control" },
        Cite { document: "RFC 5681", section: "3.1", what: "slow start and congestion avoidance" },
        Cite { document: "RFC 5681", section: "3.2", what: "what three duplicate ACKs do" },
        Cite { document: "RFC 6928", section: "2", what: "the first window: ten segments" },
        Cite { document: "RFC 9438", section: "4", what: "the curve that CUBIC follows" },
        Cite { document: "RFC 2914", section: "5", what: "congestion collapse" },
        Cite {
            document: "RFC 8289",
            section: "1",
            what: "queues that are too long, and what to do about them",
        },
    ],
    knobs: &[&CC, &QUEUE, &LOSS, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A download is limited by a link of 1 Mbit/s. The receiver's window is doubled. What happens to its speed?",
        choices: &["it doubles", "it grows a little", "it stays", "it falls"],
        surprise: "The class asks why the sender does not simply ask the network. There is nobody to ask: a router only \
                   forwards or drops. With --cc none the link is idle for most of the time although everyone has \
                   plenty to send, since all wait for timers.",
    },
    script,
};

/// The link that everything here goes through.
const RATE: Rate = Rate(1_000_000);
/// How many segments one transfer has.
const SEGMENTS: usize = 160;
/// How many segments the one has that shows a beginning: three round trips, and some more.
const BEGINNING: usize = 80;
/// How long flows race.
const RACE: Duration = Duration::from_secs(10);
/// More than any window here needs.
const BUFFER: usize = 1 << 20;

fn script(stage: &mut Stage) {
    collapse(stage);
    start(stage);
    let short = sawtooth(stage);
    bloat(stage, &short);
    fair(stage);
    stage.instead(LESSON.misconception,
        "a window says how much may be under way at one time. What comes through in a second is that, divided by the \
         round-trip time, and never more than the slowest link carries. What is beyond it waits in a queue: the round \
         trip grows as the window does, and the throughput stays.",
    );
    stage.try_next("netlayers lesson 13 --cc tahoe", "Predict the sawtooth of 1988, which knew no half.");
    stage.try_next("netlayers lesson 13 --cc cubic", "Predict how far it comes down.");
    stage.try_next("netlayers lesson 13 --queue 100", "Predict the round trip, and who is faster.");
    stage.try_next(
        "netlayers race cubic newreno none",
        "Different controls through one link. Predict the shares.",
    );
    stage.try_next("netlayers race newreno --view plot:loss", "Predict the goodput at four times the loss.");
    stage.try_next(
        "netlayers lesson 13 --wire kernel",
        "The kernel's window, as it tells it. Predict how far it comes down.",
    );
    stage.try_next("netlayers check reno", "Make: a congestion window of your own.");
    stage.try_next("netlayers check drop_tail", "Make: be the queue in front of the link.");
}

/// TCP as this lesson has it.
fn tcp(stage: &Stage, congestion: Algorithm) -> Config {
    Config { congestion, sack: true, send_buffer: BUFFER, recv_buffer: BUFFER, ..pinned::tcp(stage) }
}

/// Two flows with one congestion control each, through the link.
fn run_race(stage: &Stage, congestion: Algorithm) -> (Race, Knobs) {
    let mut knobs = stage.network_knobs();
    knobs.tcp = Config { sack: true, ..pinned::tcp(stage) };
    knobs.mss = Some(MSS as u16);
    knobs.link.rate = Some(RATE);
    (race::run(&[congestion; 2], &knobs, RACE), knobs)
}

/// Which share of the link the programs got.
fn share(race: &Race) -> f64 {
    race.total() / RATE.0 as f64
}

fn kbit(rate: f64) -> String {
    format!("{:.0}", rate / 1e3)
}

/// Two senders that take no care.
fn collapse(stage: &mut Stage) {
    let queue = stage.network_knobs().link.queue;
    stage.say(format!(
        "A router forwards what comes in to the link that it must leave by. When more comes than that link carries, it \
         waits in a queue; when the queue is full, it is dropped. Here the link has a bandwidth of {RATE}, and {queue} \
         frames may wait."
    ));
    let guess = stage.ask_choice(
        format!(
            "Two clients send through it for {RACE}, each as much as its receiver's window allows, which is far more than \
             the queue holds. What is lost they send again when the timer expires. How much of the link do their programs \
             get, together?"
        ),
        &["nearly all of it: there is always something to send", "more than half of it", "less than half of it"],
    );
    let (race, _) = run_race(stage, Algorithm::NONE);
    let busy = race.bottleneck.utilisation.unwrap_or(0.0) * 100.0;
    let part = share(&race) * 100.0;
    stage.fact("collapse_percent", format!("{part:.0}"));
    flows_table(stage, &race, "What each of the two got, and what it cost.");
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match share(&race) {
                0.85.. => 0,
                0.5.. => 1,
                _ => 2,
            })
        },
        format!(
            "{part:.0} %. A whole window leaves at once, most of it is dropped, and then both wait for their timers while \
             the link is idle: it was busy for {busy:.0} % of the time. In 1986 a path in Berkeley fell from 32,000 bits \
             per second to 40 (Jacobson, 1988). Since then every TCP must have congestion control."
        ),
    );
    if queue <= 20 && stage.network_knobs().loss == 0.0 {
        stage.check("more was dropped than the queue can hold at a time", |_| {
            race.bottleneck.turned_away > queue as u64
        });
    }
}

/// A table of the flows of a race.
fn flows_table(stage: &mut Stage, race: &Race, caption: &str) {
    let rows = race.flows.iter().enumerate().map(|(number, flow)| {
        vec![
            format!("client {}", number + 1),
            flow.name.clone(),
            kbit(race.goodput(number)),
            flow.retransmissions.to_string(),
        ]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    rows.push(vec!["together".into(), String::new(), kbit(race.total()), String::new()]);
    stage.table(&["sender", "control", "kbit/s", "sent again"], rows, caption);
}

/// The window doubles.
fn start(stage: &mut Stage) {
    stage.lead_in(
        "So a sender keeps a second window beside the receiver's: the congestion window, by its own judgement. It begins \
         with ten segments and grows by as much as each ACK covers: slow start.",
    );
    let guess = stage.ask_number(
        "Nothing is lost yet, and ten segments leave in the first round trip. How many leave in the third?",
        "segments",
    );
    stage.scene("start", "The beginning of a transfer over a fast link");
    let tcp = tcp(stage, Algorithm::NEWRENO);
    let link = LinkConfig { rate: Some(Rate(100_000_000)), queue: 1000, ..stage.network_knobs().link };
    let (client, server) = pinned::hosts_on(stage, &tcp, &tcp, link);
    let socket = pinned::connect(stage, client, server);
    stage.send(socket, pinned::lettered(BEGINNING));
    stage.run();
    let rounds = rounds(&stage.seen(), client, link.delay);
    let rows = rounds.iter().zip(1..).map(|(count, round)| vec![round.to_string(), count.to_string()]);
    stage.table(&["round trip", "segments"], rows.collect(), "How many segments left in each round trip.");
    stage.fact("third_round", rounds.get(2).copied().unwrap_or(0));
    stage.reveal(
        guess,
        |_| rounds.get(2).copied().unwrap_or(0),
        "Each ACK lets two segments go: one for that which has arrived, and one more. So the window doubles with each \
         round trip. Slow is only the beginning; before 1988 all of a window left at once.",
    );
    stage.check("nothing was lost, and all bytes arrived", |run| {
        run.lost() == 0 && run.reads(server).concat().len() == BEGINNING * MSS
    });
}

/// How many data segments a client sent in each round trip: one is over when the first segment of it is acknowledged.
fn rounds(run: &Seen, client: Host, delay: Duration) -> Vec<usize> {
    let data: Vec<(Instant, u64)> =
        run.data_segments().map(|segment| (segment.packet.at, segment.tcp.seq)).collect();
    let acks: Vec<(Instant, u64)> = run
        .segments()
        .filter(|segment| segment.packet.to == client.id().place())
        .filter_map(|segment| Some((segment.packet.at + delay, segment.tcp.ack?)))
        .collect();
    let mut rounds = Vec::new();
    let mut from = 0;
    while let Some((_, first)) = data.get(from) {
        let over = acks.iter().find(|(_, ack)| ack > first).map_or(Instant::NEVER, |(at, _)| *at);
        let count = data[from..].iter().take_while(|(at, _)| *at < over).count().max(1);
        rounds.push(count);
        from += count;
    }
    rounds
}

/// What one transfer came to.
struct Transfer {
    queue: usize,
    seconds: f64,
    /// The largest round trip that the sender measured, in milliseconds.
    longest: f64,
    lost: usize,
}

/// One transfer over the link with room for `queue` frames.
fn transfer(stage: &mut Stage, queue: usize) -> Transfer {
    let tcp = tcp(stage, stage.knob(&CC));
    let knobs = stage.network_knobs();
    let link = LinkConfig { rate: Some(RATE), queue, ..knobs.link };
    let (client, server) = pinned::hosts_on(stage, &tcp, &tcp, link);
    knobs.faults(stage.network(), client.id(), server.id());
    let socket = pinned::connect(stage, client, server);
    let began = stage.now();
    stage.send(socket, pinned::lettered(SEGMENTS));
    stage.run();
    let run = stage.seen();
    let arrived = run.reads(server).concat() == pinned::lettered(SEGMENTS);
    let reads = run.trace().events.iter().filter(|event| matches!(event.kind, Kind::AppRead { .. }));
    let ended = reads.map(|event| event.at).next_back().unwrap_or(began);
    let longest = run.trace().events.iter().filter_map(|event| match event.kind {
        Kind::RttMeasured { sample, .. } => Some(sample.as_millis_f64()),
        _ => None,
    });
    let longest = longest.fold(0.0, f64::max);
    stage.check("every byte arrives once, in order", |_| arrived);
    Transfer { queue, seconds: ended.since(began).as_secs_f64(), longest, lost: run.lost() }
}

/// The window grows until something is lost.
fn sawtooth(stage: &mut Stage) -> Transfer {
    let cc = stage.knob(&CC);
    let queue = stage.network_knobs().link.queue;
    let guess = stage.ask_choice(
        format!(
            "{SEGMENTS} segments over the link of {RATE}, with room for {queue} frames in front of it. The window grows \
             until the queue is full and something is dropped; three duplicate ACKs tell. What becomes of the congestion \
             window ({})?",
            cc.name
        ),
        &["it comes down to one segment", "it comes down to a half", "it comes down to seven tenths", "it stays"],
    );
    stage.scene("sawtooth", &format!("{SEGMENTS} segments over a slow link"));
    let transfer = transfer(stage, queue);
    pinned::plot(
        stage,
        plot::Kind::Cwnd,
        "Slow start, the first loss, and then: a little more each round trip, until the next one.",
    );
    let after = reduction(&stage.seen());
    let tenths = after.map_or("nothing".into(), |after| format!("{:.0} %", after * 100.0));
    stage.fact("after_loss", &tenths);
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match after {
                None => 3,
                Some(share) if share < 0.2 => 0,
                Some(share) if share < 0.6 => 1,
                Some(_) => 2,
            })
        },
        match after {
            None => "This sender has no congestion window, so nothing comes down.".into(),
            Some(_) => format!(
                "It comes down to {tenths} of what was in flight, and from there it grows by about a segment each round \
                 trip (CUBIC: along a curve): additive increase, multiplicative decrease, AIMD. A loss is no accident \
                 here. It is how the sender learns where the limit is."
            ),
        },
    );
    transfer
}

/// To which share of what was in flight the first loss brings the window down; nothing without a congestion window.
fn reduction(run: &Seen) -> Option<f64> {
    let changes = run.trace().events.iter().filter_map(|event| match event.kind {
        Kind::CwndChanged { cwnd, ssthresh, .. } => Some((cwnd, ssthresh)),
        _ => None,
    });
    let changes: Vec<(u64, u64)> = changes.collect();
    let at = changes.windows(2).position(|pair| pair[1].0 < pair[0].0 || pair[1].1 < pair[0].1)?;
    let (before, (cwnd, ssthresh)) = (changes[at].0, changes[at + 1]);
    let lowered = if cwnd <= MSS as u64 { cwnd } else { ssthresh };
    Some(lowered as f64 / before as f64)
}

/// The same with a queue ten times as long.
fn bloat(stage: &mut Stage, short: &Transfer) {
    let queue = short.queue * 10;
    let guess = stage.ask_choice(
        format!(
            "The same transfer took {:.1} s. Now the queue is ten times as long: {queue} frames may wait. What changes?",
            short.seconds
        ),
        &[
            "it is much faster: frames wait instead of being dropped",
            "it takes about as long, and every packet is on its way much longer",
            "nothing at all",
        ],
    );
    stage.scene("bloat", &format!("The same with room for {queue} frames"));
    let long = transfer(stage, queue);
    pinned::plot(
        stage,
        plot::Kind::Queue,
        "How many frames wait in front of the link. Each packet waits for all that are before it.",
    );
    let row = |transfer: &Transfer| {
        vec![
            transfer.queue.to_string(),
            format!("{:.1}", transfer.seconds),
            format!("{:.0}", transfer.longest),
            transfer.lost.to_string(),
        ]
    };
    stage.table(
        &["queue", "seconds", "longest RTT ms", "dropped"],
        vec![row(short), row(&long)],
        "Both transfers.",
    );
    stage.fact("short_rtt_ms", format!("{:.0}", short.longest));
    stage.fact("long_rtt_ms", format!("{:.0}", long.longest));
    let path = RATE.0 as f64 / 8.0 * stage.network_knobs().rtt().as_secs_f64();
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match (long.seconds < short.seconds * 0.7, long.longest > short.longest * 1.5) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            })
        },
        format!(
            "{RATE} for the round trip of the empty path are {path:.0} bytes: with so much under way the link is never \
             idle. All that is beyond it only waits. A queue that long is called bufferbloat: the download notices \
             nothing, and a call through the same link waits {:.0} ms.",
            long.longest
        ),
    );
}

/// Two senders that take care.
fn fair(stage: &mut Stage) {
    let cc = stage.knob(&CC);
    let guess = stage.ask_choice(
        format!(
            "The two clients of the beginning once more, now each with a congestion window ({}). Neither knows of the \
             other. What do they get?",
            cc.name
        ),
        &[
            "about a half each, and together most of the link",
            "one gets most of it, and chance decides which",
            "little: each takes away what the other has found",
        ],
    );
    let (race, _) = run_race(stage, cc);
    stage.plot(
        windows(&race),
        "Both congestion windows. They come down at different times, and towards each other.",
    );
    flows_table(stage, &race, "What each of the two got, as at the beginning.");
    let jain = race.jain();
    stage.fact("jain", format!("{jain:.2}"));
    stage.fact("fair_percent", format!("{:.0}", share(&race) * 100.0));
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match (share(&race) < 0.5, jain >= 0.9) {
                (true, _) => 2,
                (false, true) => 0,
                (false, false) => 1,
            })
        },
        format!(
            "{:.0} % of the link, and Jain's fairness index is {jain:.2}, where 1 is the same for both and 0.5 is all for \
             one. Who has more, loses more at a loss; both grow by the same. So they come to equal shares, and nobody had \
             to tell them.",
            share(&race) * 100.0
        ),
    );
    let knobs = stage.network_knobs();
    let ordinary = knobs.loss == 0.0 && knobs.link.queue >= 5 && knobs.rtt() < Duration::from_millis(200);
    // Others recover so badly from a burst of losses, or share by so different a rule, that nothing is promised of them.
    if [Algorithm::NEWRENO, Algorithm::CUBIC].contains(&cc) && ordinary {
        stage.check("the link is well used, and none of the two is left with nothing", |_| {
            share(&race) > 0.7 && (0..2).all(|flow| race.goodput(flow) > 0.15 * race.total())
        });
    }
}

/// The congestion windows of a race.
fn windows(race: &Race) -> Plot {
    let time = Axis::time(Instant::from_nanos(race.time.as_nanos()));
    let plot = Plot::new("congestion windows", time, Axis::new("cwnd", Unit::Bytes));
    race.flows.iter().zip(TONES).zip('1'..).fold(plot, |plot, ((flow, tone), letter)| {
        let points = flow.cwnd.iter().enumerate();
        let points = points.filter_map(|(part, cwnd)| Some((race.end_of_part(part), (*cwnd)? as f64)));
        plot.with(Series::new(letter, format!("client {letter}"), tone, Shape::Steps).points(points))
    })
}
