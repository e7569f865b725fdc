//! What `netlayers race` takes.

use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, ValueEnum};

use crate::base::Duration;
use crate::cli::knobs::{Names, option, turned};
use crate::cli::mine;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::sim::knob::network::{
    AQM, DELAY, DELAYED_ACK, DUPLICATE, ECN, JITTER, LOSS, MIN_RTO, MTU, PACING, QUEUE, RACK, RATE, REORDER,
    SACK, SEED, TIMESTAMPS,
};
use crate::sim::knob::{AnyKnob, Knob, Knobs, Value};
use crate::sim::race;

/// `netlayers race`.
#[derive(Debug, Args)]
#[command(
    before_help = "\
Examples:
  netlayers race newreno cubic
  netlayers race newreno newreno newreno cubic --time 30s
  netlayers race cubic cubic none --view plot:throughput
  netlayers race newreno cubic --loss 1% --rate 100mbit --delay 10ms
  netlayers race cubic bbr --queue 300 --view plot:queue
  netlayers race cubic mine --loss 1%
  netlayers race cubic cubic --aqm codel --ecn yes --view plot:queue
  netlayers race newreno cubic bbr --view plot:loss    each alone, at losses from 0.25 to 8 %",
    after_help = "\
Each flow has a host of its own and more to send than there is time for. All go through one link: \
rate, delay, queue and faults are that link's. A congestion control of your own: \
'mine' is the one in examples/my_congestion_control.rs, here or in a folder above; it is built when it races."
)]
pub(in crate::cli) struct RaceArgs {
    /// The congestion control of each flow
    #[arg(value_name = "NAME", required = true, value_parser = Names(names))]
    pub(super) flows: Vec<String>,

    #[command(flatten)]
    pub(super) track: TrackFlags,

    /// The plot under the table
    #[arg(long, value_enum, default_value_t = RaceView::Cwnd, help_heading = "What to show")]
    pub(super) view: RaceView,
    /// The figures as JSON
    #[arg(long, conflicts_with = "view", help_heading = "What to show")]
    pub(super) json: bool,
    /// Write what would be shown to an SVG file instead, 80 columns wide and in colour
    #[arg(long, value_name = "FILE", conflicts_with = "json", help_heading = "What to show")]
    pub(super) svg: Option<PathBuf>,
}

impl RaceArgs {
    /// Whether it asks for the congestion control that is called `mine`.
    pub(in crate::cli) fn names_mine(&self) -> bool {
        self.flows.iter().any(|flow| flow == mine::NAME)
    }
}

/// Which plot of a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RaceView {
    /// The congestion window of each flow
    #[value(name = "plot:cwnd")]
    Cwnd,
    /// What each flow's receiver reads
    #[value(name = "plot:throughput")]
    Throughput,
    /// Frames that wait in front of the bottleneck
    #[value(name = "plot:queue")]
    Queue,
    /// What each gets alone at losses from small to large, beside the law of 1/sqrt(loss)
    #[value(name = "plot:loss")]
    Loss,
}

/// How long a race is.
static TIME: Knob<Duration> = Knob::time(
    "time",
    "10s",
    Duration::from_millis(1),
    Duration::from_secs(3600),
    "How long the flows send, in virtual time",
);

/// The knobs of a race.
static TRACK: [&dyn AnyKnob; 18] = [
    &TIME,
    &LOSS,
    &DUPLICATE,
    &REORDER,
    &DELAY,
    &JITTER,
    &RATE,
    &MTU,
    &QUEUE,
    &AQM,
    &ECN,
    &SACK,
    &RACK,
    &TIMESTAMPS,
    &DELAYED_ACK,
    &PACING,
    &MIN_RTO,
    &SEED,
];

/// Those of them that were turned.
#[derive(Debug, Clone)]
pub(super) struct TrackFlags(Vec<(&'static dyn AnyKnob, Value)>);

impl TrackFlags {
    /// Whether the loss was turned.
    pub(super) fn turns_loss(&self) -> bool {
        self.0.iter().any(|(knob, _)| knob.name() == LOSS.name)
    }

    /// The track that they describe, and for how long.
    pub(super) fn track(&self) -> (Knobs, Duration) {
        let (mut knobs, mut time) = (race::knobs(), Duration::from_secs(10));
        for (knob, value) in &self.0 {
            match value {
                Value::Time(asked) if knob.name() == TIME.name => time = *asked,
                value => knob.turn(&mut knobs, value),
            }
        }
        if !self.0.iter().any(|(knob, _)| knob.name() == QUEUE.name) {
            knobs.link.queue = race::fitting_queue(&knobs.link);
        }
        (knobs, time)
    }
}

impl Args for TrackFlags {
    fn augment_args(command: Command) -> Command {
        TRACK.iter().fold(command, |command, knob| {
            let default = match knob.name() {
                name if name == QUEUE.name => "as many as leave in a round trip",
                _ => knob.default(),
            };
            command.arg(option(*knob, default))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for TrackFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(TrackFlags(turned(TRACK.iter().copied(), matches)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn names() -> Vec<(String, &'static str)> {
    let own = (mine::NAME.to_owned(), "the one in examples/my_congestion_control.rs");
    let known = Algorithm::ALL.iter().map(|algorithm| (algorithm.name.to_owned(), "a congestion control"));
    known.chain([own]).collect()
}
