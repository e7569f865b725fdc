//! Lesson 12: two rules that spare the network small segments, and what they do to each other.
//!
//! Left out: Minshall's change of Nagle's rule and TCP_CORK (Linux), ACKs that Linux does not delay while a connection
//! is young, and the rule for full segments (RFC 9293 §3.8.6.3), which the exercise has.

use super::beat::Answer;
use super::knob::{DELAY, Range, SEED};
use super::picture::View;
use super::pinned;
use super::stage::{Host, Seen, Stage};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Instant, Layer};
use crate::layers::physical::delay::Rate;
use crate::layers::transport::tcp::Config;
use crate::sim::LinkConfig;
use crate::sim::knob::network;

/// How many writes the client makes.
const WRITES: Knob<usize> = Knob::count("writes", "10", 1, 100, "how many writes the client makes");
const GAP: Knob<Duration> =
    Knob::time("gap", "3ms", Duration::ZERO, Duration::from_millis(500), "pause between two writes");
const DELAYED: Knob<Duration> = network::DELAYED_ACK
    .at("200ms")
    .within(Range::Time(Duration::ZERO, Duration::from_millis(499)))
    .told("how long the server's ACKs may wait");

pub(super) const LESSON: Lesson = Lesson {
    id: "nagle",
    title: "Nagle and delayed ACK",
    layer: Layer::Transport,
    minutes: 25,
    misconception: "what is fast between two programs on my machine is fast",
    words: &[("delayed ACK", "an ACK that waits a little for company")],
    cites: &[
        Cite { document: "RFC 9293", section: "3.7.4", what: "Nagle's algorithm, in one paragraph" },
        Cite { document: "RFC 896", section: "", what: "the problem of small packets" },
        Cite { document: "RFC 9293", section: "3.8.6.3", what: "delayed ACKs" },
        Cite { document: "RFC 5681", section: "4.2", what: "when an ACK must not wait" },
    ],
    knobs: &[&WRITES, &GAP, &DELAYED, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A program sends a request in two small writes, header and body, and waits for the answer. Which call would \
               you change?",
        choices: &["write once", "set TCP_NODELAY", "send the body first", "nothing: TCP does it right"],
        surprise: "Two good rules make a bad third one together: each waits for the other, and a timer ends it. With \
                   --delay 0ms everything before it looks perfect, and the last runs still take 200 ms: the pause does \
                   not come from the distance.",
    },
    script,
};

/// What each of the many writes hands over.
const EACH: usize = 5;
const HEAD: &str = "head ";
const BODY: &str = "body ";

fn script(stage: &mut Stage) {
    let gathered = several(stage, false);
    let single = several(stage, true);
    stage.table(
        &["", "segments with data", "bytes on the link", "last byte read at ms"],
        vec![row("Nagle", &gathered), row("TCP_NODELAY", &single)],
        "The same writes, twice. Both directions count, with ACKs and headers.",
    );
    stall(stage);
    stage.instead(LESSON.misconception,
        "on loopback a round trip takes microseconds, so Nagle's algorithm has nothing to wait for, and a small test shows \
         nothing. Between two hosts the same program waits a round trip at each such write, and in the worst case for \
         a timer. Write what belongs together with one call.",
    );
    stage.try_next("netlayers lesson 12 --delay 0ms", "As on loopback. Predict how many segments.");
    stage.try_next("netlayers lesson 12 --delayed-ack 40ms", "As Linux has it. Predict the pause.");
    stage.try_next("netlayers lesson 12 --gap 50ms", "Slower than a round trip. Predict how many segments.");
    stage.try_next("netlayers lesson 12 --wire real", "The kernel: two writes and a read, on loopback.");
    stage.try_next("netlayers check gather", "Make: Nagle's algorithm.");
    stage.try_next("netlayers check delayed", "Make: which ACK may wait?");
}

/// What a number of small writes came to.
struct Cost {
    segments: usize,
    bytes: u64,
    /// When the last byte was read, in milliseconds after the first write.
    ended: f64,
}

fn row(name: &str, cost: &Cost) -> Vec<String> {
    vec![name.into(), cost.segments.to_string(), cost.bytes.to_string(), format!("{:.0}", cost.ended)]
}

/// Several small writes, with Nagle's algorithm or without.
fn several(stage: &mut Stage, nodelay: bool) -> Cost {
    let (writes, gap) = (stage.knob(&WRITES), stage.knob(&GAP));
    let rtt = stage.network_knobs().rtt();
    if !nodelay {
        stage.say(
            "A segment with five bytes of data has forty bytes of headers, and is acknowledged by a segment of its own. \
             When programs write little at a time, a network is busy with headers. So a TCP may gather small writes: it \
             sends no small segment while an earlier one is not acknowledged. That is Nagle's algorithm.",
        );
    }
    let guess = stage.ask_number(
        match nodelay {
            false => format!(
                "A program makes {writes} writes of {EACH} bytes, {gap} apart. A round trip takes {rtt}. How many segments \
                 carry them?"
            ),
            true => "A program can turn it off, by the option TCP_NODELAY. The same writes once more: how many segments \
                     now?"
                .into(),
        },
        "segments",
    );
    let (id, title) = match nodelay {
        false => ("gathered", format!("{writes} small writes")),
        true => ("single", format!("{writes} small writes, with TCP_NODELAY")),
    };
    stage.scene(id, &title);
    let (client, server) = pinned::hosts(stage, &Config { nodelay, ..pinned::tcp(stage) });
    let socket = pinned::connect(stage, client, server);
    let before = stage.seen().frames();
    let began = stage.now();
    for letter in (b'a'..=b'z').cycle().take(writes) {
        stage.send(socket, [letter; EACH]);
        stage.run_for(gap);
    }
    stage.run_for(rtt * 3 + Duration::from_millis(100));
    stage.show(View::Boxes, "Look at the edges of writes and segments.");
    let run = stage.seen();
    let cost = Cost {
        segments: run.data_segments().count(),
        bytes: run.packets()[before..].iter().map(|packet| packet.bytes.len() as u64 + 4).sum(),
        ended: last_read(&run, server).map_or(0.0, |at| at.since(began).as_millis_f64()),
    };
    stage.fact(if nodelay { "segments_nodelay" } else { "segments" }, cost.segments);
    stage.reveal(
        guess,
        |run| run.data_segments().count(),
        match nodelay {
            false => "The first write leaves at once, for nothing is in flight. What is written until its ACK comes, waits \
                      and goes together. The slower the path, the more is gathered."
                .to_owned(),
            true => format!(
                "Each write is a segment of its own: {} bytes went over the link for {} of data. Each of them arrives \
                 sooner, which is what a game or a terminal wants.",
                cost.bytes,
                writes * EACH
            ),
        },
    );
    stage.check("every byte arrives once, in order", |run| {
        run.reads(server).concat() == run.writes(client).concat()
            && run.reads(server).concat().len() == writes * EACH
    });
    if nodelay {
        stage.check("one segment for each write", |_| cost.segments == writes);
    }
    cost
}

/// When a host read last.
fn last_read(run: &Seen, host: Host) -> Option<Instant> {
    let here = run.trace().events.iter().rev().filter(|event| event.place == host.id().place());
    here.filter(|event| matches!(event.kind, crate::trace::Kind::AppRead { .. })).map(|event| event.at).next()
}

/// How a client sends its request, and how the server acknowledges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    TwoWrites,
    OneWrite,
    NoDelay,
    FastLink,
}

/// Two writes and a read, which meet a delayed ACK.
fn stall(stage: &mut Stage) {
    let (rtt, delayed) = (stage.network_knobs().rtt(), stage.knob(&DELAYED));
    stage.lead_in(format!(
        "The other end spares segments, too. An ACK may wait a little, in the hope that data goes the same way and can \
         carry it, or that a second segment comes that it can cover as well: a delayed ACK. By the RFC it waits less than \
         half a second; here it is {delayed}."
    ));
    let guess = stage.ask_choice(
        format!(
            "A client sends a request in two writes of {EACH} bytes, and waits. The server answers as soon as it has both. A \
             round trip takes {rtt}. When does the answer come?"
        ),
        &["after one round trip", "after two round trips", "after two round trips, and the time that an ACK waits"],
    );
    let took = exchange(stage, How::TwoWrites);
    stage.show(View::Ladder, "Who waits for whom, between the first write and the second segment?");
    let round = rtt.as_millis_f64();
    let waits = delayed.as_millis_f64();
    stage.fact("stall_ms", format!("{took:.0}"));
    stage.reveal(
        guess,
        |_| {
            let (delays, again) = (waits > 5.0 && took > 2.0 * round + 0.8 * waits, took > 1.5 * round);
            Answer::Choice(if delays { 2 } else { usize::from(again) })
        },
        format!(
            "{took:.0} ms. The second write is small, so it waits for the ACK of the first. That ACK waits for data of the \
             server to ride on. And the server has nothing to say before it has the second part. A timer ends it."
        ),
    );
    let cures = stage.ask_choice(
        "Which of these does not help?",
        &["one write for both parts", "TCP_NODELAY at the client", "a link that is twice as fast"],
    );
    let others = [How::OneWrite, How::NoDelay, How::FastLink].map(|how| exchange(stage, how));
    let names = ["two writes", "one write", "two writes, TCP_NODELAY", "two writes, twice the rate"];
    let times = std::iter::once(took).chain(others);
    let rows = names.iter().zip(times).map(|(name, ms)| vec![(*name).to_owned(), format!("{ms:.0}")]);
    stage.table(&["how", "ms to the answer"], rows.collect(), "The same exchange four times.");
    let slowest = (0..others.len()).max_by(|a, b| others[*a].total_cmp(&others[*b])).unwrap_or(0);
    stage.reveal(
        cures,
        |_| Answer::Choice(slowest),
        "The pause is no matter of speed: it is as long on the fastest link. One write is the best cure: one segment, one \
         round trip, and no option to set. TCP_NODELAY only keeps one of the two rules from waiting.",
    );
    stage.check("with one write, or with TCP_NODELAY, the answer takes about a round trip", |_| {
        others[..2].iter().all(|ms| *ms < 1.5 * round + 5.0)
    });
}

/// A request and its answer; how many milliseconds that takes.
fn exchange(stage: &mut Stage, how: How) -> f64 {
    let (id, title) = match how {
        How::TwoWrites => ("stall", "A request in two writes"),
        How::OneWrite => ("together", "The request in one write"),
        How::NoDelay => ("at_once", "Two writes, with TCP_NODELAY"),
        How::FastLink => ("fast_link", "Two writes, over a link of twice the rate"),
    };
    stage.scene(id, title);
    let delayed = Some(stage.knob(&DELAYED)).filter(|time| *time > Duration::ZERO);
    let plain = pinned::tcp(stage);
    let client = Config { nodelay: how == How::NoDelay, ..plain };
    let server = Config { delayed_ack: delayed, ..plain };
    let link = stage.network_knobs().link;
    let twice = link.rate.filter(|_| how == How::FastLink).map(|rate| Rate(rate.0 * 2));
    let link = LinkConfig { rate: twice.or(link.rate), ..link };
    let (client, server) = pinned::hosts_on(stage, &client, &server, link);
    let socket = pinned::connect(stage, client, server);
    let began = stage.now();
    let writes =
        if how == How::OneWrite { vec![[HEAD, BODY].concat()] } else { vec![HEAD.into(), BODY.into()] };
    for part in writes {
        stage.send(socket, part);
    }
    let whole = HEAD.len() + BODY.len();
    stage.run_until_it(Duration::from_secs(5), |stage| stage.seen().reads(server).concat().len() == whole);
    for accepted in stage.accepted(server) {
        stage.send(accepted, "answer");
    }
    stage.run_until_it(Duration::from_secs(5), |stage| stage.seen().first_read(client).is_some());
    let took = stage.now().since(began).as_millis_f64();
    stage.run_for(Duration::from_millis(600));
    took
}
