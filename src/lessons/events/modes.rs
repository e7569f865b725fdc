//! Three promises over the same bad day, side by side: what each delivers, and its price.

use super::cast::{BEAT, OUTAGE, PORT, cast, enter, hub, settle};
use super::missed::{come_back, pull};
use crate::base::{Duration, Instant};
use crate::chat::delivery::{Cursor, Retry, SeenIds};
use crate::chat::{Delivery, EventLog, MemoryLog, Retention, SharedLog, offset_number};
use crate::layers::application::socketio::Value;
use crate::lessons::beat::Answer;
use crate::lessons::stage::{EventClient, Heard, Host, Stage};
use crate::lessons::words::many;
use crate::sim::fault;

/// How many events Ada says.
const EVENTS: usize = 6;
/// From one to the next.
const PACE: Duration = Duration::from_millis(400);
/// How long Ada is away.
const BREAK: Duration = Duration::from_secs(1);
/// The share of frames that is lost besides: TCP repairs that in all three runs.
const LOSS: f64 = 0.02;
/// How often the programs look what has come.
const TICK: Duration = Duration::from_millis(20);

/// What is promised about each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// At most once: said once, kept nowhere.
    Fleeting,
    /// At least once: said again until Bob's program has answered; Bob drops the ids he has seen.
    Repeated,
    /// Exactly once in effect: said again until the server's log has it; Bob asks for what is above his offset.
    Offsets,
}

/// What a run of one promise gave.
#[derive(Debug, Default)]
struct Ledger {
    /// Events that arrived at Bob's program, copies included.
    arrived: usize,
    /// Those that had an effect, in order.
    effects: Vec<usize>,
    frames: usize,
    bytes: u64,
    /// The most that Ada kept at a time, in events.
    sender_kept: usize,
    /// What Bob had to remember.
    receiver: String,
    /// What the server kept, in bytes.
    server: usize,
    /// From Ada's emit to its effect, the slowest.
    slowest: Duration,
}

/// What happens on the bad day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Say(usize),
    BobGoes,
    BobReturns,
    AdaGoes,
    AdaReturns,
}

/// The three promises beside each other.
pub(super) fn side_by_side(stage: &mut Stage) {
    let outage = stage.knob(&OUTAGE);
    stage.lead_in(format!(
        "Now the same bad day three times, with a different promise each time. Ada says {EVENTS} things. Bob's cable is \
         out for {outage} while she says the last two. Before that hers is out: from the moment at which the server has \
         her second, before any answer reaches her, and while she says the next two. And {:.0} % of all frames are lost.",
        LOSS * 100.0
    ));
    let copies = stage.ask_choice(
        "Ada repeats what was not acknowledged. In which of the runs do more events arrive at Bob's program than she \
         said?",
        &["at most once", "at least once", "exactly once in effect", "in none of them"],
    );
    let lost =
        stage.ask_number("And with \"at most once\", how many of the six have an effect at Bob's?", "events");
    let most = play(stage, "at-most-once", "At most once", Mode::Fleeting);
    let least = play(stage, "at-least-once", "At least once", Mode::Repeated);
    let exact = play(stage, "exactly-once", "Exactly once in effect", Mode::Offsets);
    let runs = [("at most once", &most), ("at least once", &least), ("exactly once in effect", &exact)];
    let row = |what: &str, of: &dyn Fn(&Ledger) -> String| {
        std::iter::once(what.to_owned()).chain(runs.iter().map(|(_, ledger)| of(ledger))).collect::<Vec<_>>()
    };
    let yes = |holds: bool| if holds { "yes".to_owned() } else { "no".to_owned() };
    let rows = vec![
        row("events that arrived", &|run| run.arrived.to_string()),
        row("that had an effect", &|run| run.effects.len().to_string()),
        row("in the order of saying", &|run| yes(run.effects.is_sorted())),
        row("never had one", &|run| (EVENTS - run.effects.len()).to_string()),
        row("packets", &|run| run.frames.to_string()),
        row("bytes of all frames", &|run| run.bytes.to_string()),
        row("kept by Ada, events", &|run| run.sender_kept.to_string()),
        row("kept by the server, bytes", &|run| run.server.to_string()),
        row("remembered by Bob", &|run| run.receiver.clone()),
        row("slowest, ms", &|run| format!("{:.0}", run.slowest.as_millis_f64())),
    ];
    let headings: Vec<&str> = std::iter::once("").chain(runs.iter().map(|(name, _)| *name)).collect();
    stage.table(&headings, rows, "One day, three promises, and the price of each. The last is cheaper than the one before it because it recovers \
         differently: the server's log answers Ada and serves Bob, where before Bob himself had to answer every event, \
         all the way to Ada.");
    stage.fact("promised", EVENTS);
    for (name, run) in [("most", &most), ("least", &least), ("exact", &exact)] {
        stage.fact(&format!("{name}_effects"), run.effects.len());
        stage.fact(&format!("{name}_arrived"), run.arrived);
        stage.fact(&format!("{name}_bytes"), run.bytes);
    }
    let more = runs.iter().position(|(_, run)| run.arrived > EVENTS);
    stage.reveal(
        copies,
        |_| Answer::Choice(more.unwrap_or(3)),
        format!(
            "At least once: {} arrived. When the answer is lost, the sender cannot know whether the message was, and \
             repeats it; Bob's program knows the id and drops the copy. With the log, the server drops it.",
            many(least.arrived, "event")
        ),
    );
    stage.reveal(
        lost,
        |_| most.effects.len(),
        "What was said while he was away, and what Ada said into her own dead connection, is gone, without an error to \
         either of them.",
    );
    stage.check("nothing has its effect twice, in any of the three", |_| {
        runs.iter().all(|(_, run)| {
            let mut once = run.effects.clone();
            once.sort_unstable();
            once.dedup();
            once.len() == run.effects.len()
        })
    });
    stage.check("at least once and exactly once lose nothing, at most once does", |_| {
        least.effects.len() == EVENTS && exact.effects.len() == EVENTS && most.effects.len() < EVENTS
    });
    stage.check("with the log the effects are in order", |_| exact.effects.is_sorted());
    stage.say(
        "\"Exactly once\" is not what the network did: copies crossed the wires in two of the three runs. It is the \
         effect. The offset that Bob remembers and what an event does must be written down together; a program that \
         crashes between the two has done it once too often, or not at all.",
    );
}

fn play(stage: &mut Stage, id: &str, title: &str, mode: Mode) -> Ledger {
    stage.scene(id, title);
    let disk = SharedLog::default();
    let (host, [ada_host, bob_host]) = cast(stage, ["ada", "bob"]);
    for (a, b) in [(ada_host, host), (host, ada_host), (bob_host, host), (host, bob_host)] {
        stage.rule(a, b, fault::loss(LOSS));
    }
    let log = disk.clone();
    let server = stage.event_server(host, PORT, BEAT, move |random| {
        let kept: Box<dyn EventLog> = match mode {
            Mode::Offsets => Box::new(log.clone()),
            Mode::Fleeting | Mode::Repeated => Box::new(MemoryLog::new(Retention::default())),
        };
        let mut hub = hub(random, kept, mode == Mode::Offsets);
        hub.of("/")
            .on("say", move |cx, args, ack| {
                match mode {
                    Mode::Fleeting | Mode::Repeated => {
                        cx.broadcast().with(Delivery::AtMostOnce).emit("said", args.to_vec());
                    }
                    Mode::Offsets => {
                        let id = format!("ada {}", args.first().and_then(Value::as_str).unwrap_or_default());
                        cx.broadcast().sent_as(&id).emit("said", args.to_vec());
                    }
                }
                ack.send(cx, vec![]);
            })
            .on("got", |cx, args, _| {
                cx.broadcast().with(Delivery::AtMostOnce).emit("got", args.to_vec());
            });
        hub
    });
    let (ada, bob) = (enter(stage, ada_host, server, "ada"), enter(stage, bob_host, server, "bob"));
    settle(stage);
    let timeout = stage.network_knobs().rtt() * 3 + Duration::from_millis(500);
    let mut day = Day {
        mode,
        ada,
        bob,
        retry: Retry::new(64, timeout),
        seen: SeenIds::new(64),
        cursor: Cursor::default(),
        looked: (0, 0),
        said: Vec::new(),
        ledger: Ledger::default(),
    };
    day.live(stage, (ada_host, bob_host, host));
    let run = stage.seen();
    let account = run.accounting();
    let mut ledger = day.ledger;
    (ledger.frames, ledger.bytes, ledger.server) = (run.frames(), account.total(), disk.bytes("/"));
    let told = match mode {
        Mode::Fleeting => "Each event is sent once and kept nowhere",
        Mode::Repeated => {
            "Ada repeats each event until Bob's program has answered; Bob drops the ids that he has seen"
        }
        Mode::Offsets => {
            "Ada repeats each event until the server's log has it; Bob asks for what follows his offset"
        }
    };
    stage.say(format!(
        "{told}. Of {EVENTS} events, {} arrived at Bob's program, and {} had an effect.",
        ledger.arrived,
        ledger.effects.len()
    ));
    ledger.receiver = match mode {
        Mode::Fleeting => "nothing".into(),
        Mode::Repeated => format!("{} ids", ledger.effects.len()),
        Mode::Offsets => "1 number".into(),
    };
    ledger
}

/// The two programs, and what they remember.
struct Day {
    mode: Mode,
    ada: EventClient,
    bob: EventClient,
    retry: Retry<usize>,
    seen: SeenIds,
    cursor: Cursor,
    /// How much of what they heard they have dealt with: Ada, Bob.
    looked: (usize, usize),
    /// When each event was first said.
    said: Vec<Instant>,
    ledger: Ledger,
}

impl Day {
    /// Plays one connection that breaks and returns.
    fn live(&mut self, stage: &mut Stage, (ada_host, bob_host, server): (Host, Host, Host)) {
        let start = stage.now();
        let outage = stage.knob(&OUTAGE);
        let half = Duration::from_nanos(stage.network_knobs().rtt().as_nanos() / 2);
        // Ada is gone when the server has her second event, and before its answer reaches her.
        let ada_goes = start + PACE * 2 + half + Duration::from_millis(5);
        let bob_goes = ada_goes + BREAK + PACE;
        let mut acts: Vec<(Instant, Act)> =
            (1..=4).map(|number| (start + PACE * number as u32, Act::Say(number))).collect();
        acts.extend((5..=EVENTS).map(|number| (bob_goes + PACE * (number as u32 - 4), Act::Say(number))));
        acts.push((ada_goes, Act::AdaGoes));
        acts.push((ada_goes + BREAK, Act::AdaReturns));
        acts.push((bob_goes, Act::BobGoes));
        acts.push((bob_goes + outage, Act::BobReturns));
        acts.sort_by_key(|(at, _)| *at);
        let last = acts.last().map_or(start, |(at, _)| *at);
        let end = last + time_for_the_last(stage);
        let mut acts = acts.into_iter().peekable();
        while stage.now() < end {
            let next = acts.peek().map_or(end, |(at, _)| *at);
            let tick = stage.now() + TICK;
            stage.run_until(tick.min(next).min(end));
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= stage.now()) {
                match act {
                    Act::Say(number) => self.say(stage, number),
                    Act::BobGoes => pull(stage, bob_host, server, outage),
                    Act::BobReturns => come_back(stage, self.bob),
                    Act::AdaGoes => pull(stage, ada_host, server, BREAK),
                    Act::AdaReturns => {
                        come_back(stage, self.ada);
                        self.retry.reconnected();
                    }
                }
            }
            self.read(stage);
            self.send(stage);
        }
    }

    fn say(&mut self, stage: &mut Stage, number: usize) {
        self.said.push(stage.now());
        match self.mode {
            Mode::Fleeting => {
                stage.emit(self.ada, "say", vec![id(number).into()]);
            }
            Mode::Repeated | Mode::Offsets => {
                // It takes many more than are said here.
                let _ = self.retry.push(number);
                self.ledger.sender_kept = self.ledger.sender_kept.max(self.retry.len());
            }
        }
    }

    /// Says what is due: the first time, or again.
    fn send(&mut self, stage: &mut Stage) {
        if !stage.is_in(self.ada, "/") {
            return;
        }
        let now = stage.now();
        while let Some((key, number)) = self.retry.due(now).map(|(key, number)| (key, *number)) {
            let ack = (self.mode == Mode::Offsets).then_some(key);
            stage.emit_in(self.ada, "/", "say", vec![id(number).into()], ack);
        }
    }

    /// Both look what has come.
    fn read(&mut self, stage: &mut Stage) {
        if self.mode == Mode::Offsets {
            for key in 0..EVENTS as u64 {
                if stage.answered_at(self.ada, key).is_some() {
                    self.retry.acknowledged(key);
                }
            }
        }
        let heard = stage.heard(self.ada);
        for answer in heard[self.looked.0..].iter().filter(|heard| heard.event == "got") {
            if let Some(number) = number(answer) {
                // The numbers of the retry list begin at 0.
                self.retry.acknowledged(number as u64 - 1);
            }
        }
        self.looked.0 = heard.len();
        let heard = stage.heard(self.bob);
        for event in heard[self.looked.1..].iter().filter(|heard| heard.event == "said") {
            self.hear(stage, event);
        }
        self.looked.1 = heard.len();
    }

    /// Bob's program hears an event.
    fn hear(&mut self, stage: &mut Stage, event: &Heard) {
        self.ledger.arrived += 1;
        let Some(number) = number(event) else { return };
        let is_new = match self.mode {
            Mode::Fleeting => true,
            Mode::Repeated => {
                stage.emit(self.bob, "got", vec![id(number).into()]);
                self.seen.is_new(&id(number))
            }
            Mode::Offsets => offset_number(event.text(1)).is_some_and(|offset| self.cursor.advance(offset)),
        };
        if is_new {
            self.ledger.effects.push(number);
            if let Some(said) = self.said.get(number - 1) {
                let took = event.at.since(*said);
                self.ledger.slowest = self.ledger.slowest.max(took);
            }
        }
    }
}

/// Long enough for the last repetition to be answered.
fn time_for_the_last(stage: &Stage) -> Duration {
    stage.network_knobs().rtt() * 8 + Duration::from_secs(8)
}

fn id(number: usize) -> String {
    format!("no. {number}")
}

fn number(event: &Heard) -> Option<usize> {
    event.text(0).strip_prefix("no. ")?.parse().ok().filter(|number| (1..=EVENTS).contains(number))
}
