//! The command line of `netlayers lesson`. The knobs come from the lessons: each knob of any lesson is an option, so
//! that help, completions and did-you-mean know them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgGroup, ArgMatches, Args, Command, Error, FromArgMatches, ValueEnum};

use crate::cli::knobs::{Names, Suggests, flag};
use crate::cli::number::number_from;
use crate::cli::what_if::WhatIfArgs;
use crate::cli::wire::WireChoice;
use crate::lessons::{ALL, Lesson};
use crate::sim::knob::AnyKnob;
use crate::view::plot;

/// `netlayers lesson`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers lesson                     the next one
  netlayers lesson 8
  netlayers lesson handshake --drop syn
  netlayers lesson 8 --answer 3 --answer c
  netlayers lesson 8 --view hex --scene clean --frame 1
  netlayers lesson 8 --what-if 2=lost
  netlayers lesson 8 --wire real", group(ArgGroup::new("picture").args(["view", "what_if"]).multiple(true)))]
pub(in crate::cli) struct LessonArgs {
    /// Its number or its name [default: the first that you have not finished]
    #[arg(value_parser = Names(lessons), hide_possible_values = true)]
    pub(super) lesson: Option<String>,
    /// A scenario line that a run has printed: plays the same again
    #[arg(long, value_name = "LINE", conflicts_with = "lesson")]
    pub(super) scenario: Option<String>,
    /// Which wire to run on
    #[arg(long, value_enum, default_value_t = WireChoice::Sim)]
    pub(super) wire: WireChoice,

    /// Your prediction, without being asked for it; once for each question, in order
    #[arg(long, value_name = "X")]
    pub(super) answer: Vec<String>,
    /// Skip the predictions
    #[arg(long, conflicts_with = "answer")]
    pub(super) skip: bool,
    /// Begin at the first page, also where an earlier telling was left
    #[arg(long)]
    pub(super) from_start: bool,
    /// Show what a teacher needs, too: a question to vote on, and what to say when the run surprises
    #[arg(long)]
    pub(super) teacher: bool,

    /// One picture of each of its runs, instead of the story
    #[arg(long, value_enum)]
    pub(super) view: Option<LessonView>,
    /// With --view or --what-if: one run only, by its name
    #[arg(long, value_name = "NAME", requires = "picture")]
    pub(super) scene: Option<String>,
    /// With --view: one frame only, by its number in `--view table`
    #[arg(long, value_name = "N", requires = "view", value_parser = number_from(1_u64, 3))]
    pub(super) frame: Option<u64>,
    /// The beats of the story as JSON
    #[arg(long, conflicts_with_all = ["view", "teacher"])]
    pub(super) json: bool,
    /// Also write the frames of all its runs to a pcapng file, for Wireshark; `-` writes them to standard output, and nothing
    /// else
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,

    #[command(flatten)]
    pub(super) what_if: WhatIfArgs,
    #[command(flatten)]
    pub(super) knobs: KnobFlags,
}

/// Which picture of a lesson's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LessonView {
    /// Hosts as lines, time downwards, every frame an arrow
    Ladder,
    /// One line a frame
    Table,
    /// Every byte, tagged with its layer
    Hex,
    /// Every header, field by field
    Header,
    /// What is wrapped in what, with byte counts
    Layers,
    /// A packet or a stream cut into pieces
    Cut,
    /// What one program handed over above what the other one got
    Boxes,
    /// WebSocket frames above the segments that carried them
    Frames,
    /// The ladder as a Mermaid diagram, for Markdown
    Mermaid,
    /// The whole traces, for programs
    Json,
    /// Over time: cwnd, ssthresh and what is in flight
    #[value(name = "plot:cwnd")]
    PlotCwnd,
    /// Over time: round trips and the retransmission timeout
    #[value(name = "plot:rtt")]
    PlotRtt,
    /// Over time: sequence numbers of data, ACKs and the window
    #[value(name = "plot:seq")]
    PlotSeq,
    /// Over time: bits per second, on the links and as read
    #[value(name = "plot:throughput")]
    PlotThroughput,
    /// Over time: frames that wait for their link
    #[value(name = "plot:queue")]
    PlotQueue,
}

impl LessonView {
    /// The plot that it is, if it is one.
    pub(super) fn plot(self) -> Option<plot::Kind> {
        Some(match self {
            LessonView::PlotCwnd => plot::Kind::Cwnd,
            LessonView::PlotRtt => plot::Kind::Rtt,
            LessonView::PlotSeq => plot::Kind::Seq,
            LessonView::PlotThroughput => plot::Kind::Throughput,
            LessonView::PlotQueue => plot::Kind::Queue,
            _ => return None,
        })
    }
}

/// The knobs that were turned, by name.
#[derive(Debug, Default)]
pub(super) struct KnobFlags(pub(super) BTreeMap<&'static str, String>);

impl Args for KnobFlags {
    fn augment_args(command: Command) -> Command {
        all_knobs().into_iter().fold(command, |command, (knob, lessons)| {
            let same = |differs: fn(&'static dyn AnyKnob, &'static dyn AnyKnob) -> bool| {
                !lessons.iter().any(|(_, other)| differs(knob, *other))
            };
            let mut help = format!("{} ({}", sentence(&lessons), knob.what());
            let words_agree = same(|knob, other| knob.words() != other.words());
            let says_range = knob.words().is_empty() && !knob.takes().is_empty();
            if says_range && same(|knob, other| knob.takes() != other.takes()) {
                help += &format!("; {}", knob.takes());
            }
            help += ")";
            if same(|knob, other| knob.default() != other.default()) {
                help += &format!(" [default: {}]", knob.default());
            }
            let flag = flag(knob).help(help).help_heading("Knobs, each for the lessons that have it");
            command.arg(match words_agree {
                true => flag.value_parser(Suggests(knob)),
                false => flag.value_name("VALUE"),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KnobFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let turned = all_knobs().into_iter().filter_map(|(knob, _)| {
            let value: &String = matches.get_one(knob.name())?;
            Some((knob.name(), value.clone()))
        });
        Ok(KnobFlags(turned.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A lesson by its number, and a knob as it has it.
type Having = (u8, &'static dyn AnyKnob);

/// Every knob of any lesson once, by its name, and the lessons that have it, with the knob as each has it.
fn all_knobs() -> Vec<(&'static dyn AnyKnob, Vec<Having>)> {
    let mut knobs: Vec<(&'static dyn AnyKnob, Vec<Having>)> = Vec::new();
    for lesson in ALL {
        for knob in lesson.knobs {
            let having = (lesson.number(), *knob);
            match knobs.iter_mut().find(|(known, _)| known.name() == knob.name()) {
                Some((_, lessons)) => lessons.push(having),
                None => knobs.push((*knob, vec![having])),
            }
        }
    }
    knobs
}

fn sentence(lessons: &[Having]) -> String {
    let numbers: Vec<String> = lessons.iter().map(|(number, _)| number.to_string()).collect();
    match numbers.as_slice() {
        [one] => format!("Lesson {one}"),
        several => format!("Lessons {}", several.join(", ")),
    }
}

/// The lessons by number and by name, with their titles, for completions.
fn lessons() -> Vec<(String, &'static str)> {
    let names = |lesson: &'static Lesson| {
        [(lesson.number().to_string(), lesson.title), (lesson.id.into(), lesson.title)]
    };
    ALL.iter().flat_map(names).collect()
}
