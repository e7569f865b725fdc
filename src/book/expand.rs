//! What replaces each directive. A lesson is played with its knobs' defaults; `name=value` after
//! the other arguments turns one.
//!
//! | directive | becomes |
//! |---|---|
//! | `lesson ID about` | its number, its layer, how long it takes |
//! | `lesson ID story` | the whole lesson: what it says, asks and shows, and where to read on |
//! | `lesson ID transcript` | what a terminal shows of it |
//! | `lesson ID scenario` | the command with its scenario line |
//! | `lesson ID knobs`, `lesson ID teacher` | what can be turned; notes for the teacher |
//! | `lesson ID exercises` | what there is to program after it |
//! | `gated` ... `end` | what is between them is folded: it would answer a question of the page |
//! | `figure ID/SCENE/KIND` | one of its pictures |
//! | `figure word NAME` | the picture of a word of the course |
//! | `quiz ID N [SCENE/KIND ...]` | its question N, from 1; pictures that belong to the answer |
//! | `fact ID NAME` | in a sentence: a number or word of its run |
//! | `lessons` | the course as a table |
//! | `count lessons`, `count minutes` | in a sentence: how many there are, how long they take |
//! | `vocabulary` | all words of the course, by layer |
//! | `word NAME` | in a sentence: a word of the course, with a link to what it means |
//! | `header NAME` | the layout of a header: `ethernet`, `arp`, `ipv4`, `icmp`, `udp`, `tcp`, `websocket` |
//! | `states tcp` | the state diagram of TCP, drawn from its transitions |
//! | `requirements` | those of RFC 9293, each with the test that shows it |
//! | `code PATH:ITEM` | an item of a source file |
//! | `file PATH` | in a sentence: a source file, with a link to its page, and what it says it is |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::rc::Rc;

use super::directive::{Directive, Expansion};
use super::{figure, quiz, requirements, source, story, vocabulary};
use crate::lessons::render::text;
use crate::lessons::{ALL, Lesson, Performance, exercises};
use crate::view::look::Look;
use crate::view::svg::{Alt, escape, header, states};

/// Expands directives, and plays each scenario once.
#[derive(Debug)]
pub struct Expander<'a> {
    /// The root of the source tree.
    tree: &'a Path,
    played: BTreeMap<String, Rc<Performance>>,
    /// The source files that pages name: each has a page of its own.
    sources: BTreeSet<String>,
    /// Whether a `gated` waits for its `end`.
    gated: bool,
}

/// The names of all directives.
const NAMES: &[&str] = &[
    "lesson",
    "figure",
    "quiz",
    "fact",
    "lessons",
    "count",
    "vocabulary",
    "word",
    "header",
    "states",
    "requirements",
    "code",
    "file",
    "gated",
    "end",
];

impl<'a> Expander<'a> {
    /// For the source tree at `tree`.
    pub fn new(tree: &'a Path) -> Self {
        Expander { tree, played: BTreeMap::new(), sources: BTreeSet::new(), gated: false }
    }

    /// The source files that were named so far.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(String::as_str)
    }

    /// Whether a page ended inside a `gated`; the next page begins outside of it.
    pub(super) fn left_gated(&mut self) -> bool {
        std::mem::take(&mut self.gated)
    }

    /// What replaces a directive.
    ///
    /// # Errors
    /// In words: what was expected.
    pub fn expand(&mut self, directive: &Directive<'_>) -> Result<Expansion, String> {
        let (turned, plain): (Vec<&str>, Vec<&str>) =
            directive.arguments.iter().partition(|argument| argument.contains('='));
        let block = |made: Result<String, String>| made.map(Expansion::Block);
        let words = |made: Result<String, String>| made.map(Expansion::Words);
        match (directive.name, plain.as_slice()) {
            ("lesson", [lesson, part]) => block(self.lesson(lesson, part, &turned)),
            ("figure", ["word", name @ ..]) => block(vocabulary::picture(&name.join(" "))),
            ("figure", [name]) => block(self.figure(name, &turned)),
            ("quiz", [lesson, number, pictures @ ..]) => block(self.quiz(lesson, number, pictures, &turned)),
            ("fact", [lesson, name]) => words(self.fact(lesson, name, &turned)),
            ("lessons", []) => block(Ok(lessons())),
            ("count", [what]) => words(count(what)),
            ("vocabulary", []) => block(self.vocabulary()),
            ("gated", []) => block(self.gate(true)),
            ("end", []) => block(self.gate(false)),
            ("word", name @ [_, ..]) => words(vocabulary::link(&name.join(" "))),
            ("header", [name]) => block(layout(name)),
            ("states", ["tcp"]) => block(Ok(states())),
            ("requirements", []) => block(self.requirements()),
            ("code", [place]) => block(self.code(place)),
            ("file", [path]) => words(self.file(path)),
            (known, given) if NAMES.contains(&known) => {
                Err(format!("{{{{#{known}}}}} does not take '{}': see src/book/expand.rs", given.join(" ")))
            }
            (unknown, _) => {
                Err(format!("unknown directive '{unknown}': expected one of {}", NAMES.join(", ")))
            }
        }
    }

    fn play(&mut self, name: &str, turned: &[&str]) -> Result<Rc<Performance>, String> {
        let lesson = find(name)?;
        let mut scenario = lesson.scenario();
        for turn in turned {
            let (knob, value) = turn.split_once('=').unwrap_or((turn, ""));
            scenario.turn(knob, value)?;
        }
        if let Some(played) = self.played.get(&scenario.to_string()) {
            return Ok(Rc::clone(played));
        }
        let performance = Rc::new(lesson.play(&scenario));
        performance.verify()?;
        self.played.insert(scenario.to_string(), Rc::clone(&performance));
        Ok(performance)
    }

    fn lesson(&mut self, name: &str, part: &str, turned: &[&str]) -> Result<String, String> {
        let lesson = find(name)?;
        match part {
            "about" => about(lesson),
            "knobs" => Ok(knobs(lesson)),
            "teacher" => Ok(teacher(lesson)),
            "story" => Ok(story::story(lesson, &*self.play(name, turned)?)),
            "exercises" => exercises_of(lesson),
            "scenario" => {
                let scenario = &self.play(name, turned)?.scenario;
                Ok(format!("```sh\nnetlayers lesson --scenario \"{scenario}\"\n```\n"))
            }
            "transcript" => Ok(transcript(lesson, &*self.play(name, turned)?)),
            other => Err(format!(
                "a lesson has no '{other}': expected about, story, transcript, scenario, knobs, exercises or teacher"
            )),
        }
    }

    fn figure(&mut self, name: &str, turned: &[&str]) -> Result<String, String> {
        let (lesson, picture) = name
            .split_once('/')
            .ok_or_else(|| format!("'{name}' names no picture: expected LESSON/SCENE/KIND"))?;
        let performance = self.play(lesson, turned)?;
        picture_of(&performance, picture, turned)
    }

    fn quiz(
        &mut self,
        lesson: &str,
        number: &str,
        pictures: &[&str],
        turned: &[&str],
    ) -> Result<String, String> {
        let performance = self.play(lesson, turned)?;
        let count = performance.predictions.len();
        let index =
            number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|index| *index < count);
        let index =
            index.ok_or_else(|| format!("lesson {lesson} has no question {number}: it has 1 to {count}"))?;
        let prediction = &performance.predictions[index];
        let id = with_turned(story::quiz_id(performance.scenario.id, index), turned);
        let mut page = quiz::question(prediction, &id);
        page.push_str(&quiz::open_answer(prediction, &id, std::slice::from_ref(&id), (1, 1)));
        for picture in pictures {
            page.push_str(&picture_of(&performance, picture, turned)?);
        }
        page.push_str(&quiz::answer(prediction));
        page.push_str(quiz::close_answer());
        Ok(page)
    }

    fn fact(&mut self, lesson: &str, name: &str, turned: &[&str]) -> Result<String, String> {
        let performance = self.play(lesson, turned)?;
        match performance.facts.get(name) {
            Some(fact) => Ok(escape(fact)),
            None => {
                let known: Vec<&str> = performance.facts.keys().map(String::as_str).collect();
                Err(format!("lesson {lesson} has no fact '{name}': it has {}", known.join(", ")))
            }
        }
    }

    fn code(&mut self, place: &str) -> Result<String, String> {
        let (path, item) =
            place.rsplit_once(':').ok_or_else(|| format!("'{place}' names no code: expected PATH:ITEM"))?;
        let code =
            source::item(&source::read(self.tree, path)?, item).map_err(|what| format!("{path}: {what}"))?;
        self.sources.insert(path.to_string());
        Ok(format!("<p class=\"nl-from\">From {}:</p>\n\n```rust,ignore\n{code}```\n", source::link(path)))
    }

    fn file(&mut self, path: &str) -> Result<String, String> {
        let text = source::read(self.tree, path)?;
        let opening = source::opening(&text).ok_or_else(|| format!("'{path}' does not say what it is"))?;
        self.sources.insert(path.to_string());
        Ok(format!("{} ({})", source::link(path), figure::inline(&opening)))
    }

    fn requirements(&mut self) -> Result<String, String> {
        let (page, files) = requirements::page(&source::read(self.tree, requirements::PATH)?)?;
        self.sources.extend(files);
        Ok(page)
    }

    fn vocabulary(&mut self) -> Result<String, String> {
        let words = crate::lessons::vocabulary::all();
        self.sources.extend(words.iter().flat_map(|term| term.sources).map(|path| (*path).to_string()));
        vocabulary::all()
    }

    fn gate(&mut self, begins: bool) -> Result<String, String> {
        if self.gated == begins {
            return Err(match begins {
                true => "a {{#gated}} inside another one".into(),
                false => "an {{#end}} without a {{#gated}} before it".into(),
            });
        }
        self.gated = begins;
        Ok(match begins {
            true => "\n<details class=\"nl-answer\"><summary>When you have predicted: what the run says</summary>\n\n"
                .into(),
            false => quiz::close_answer().into(),
        })
    }
}

fn find(name: &str) -> Result<&'static Lesson, String> {
    crate::lessons::find(name).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|lesson| lesson.id).collect();
        format!("unknown lesson '{name}': expected one of {}", known.join(", "))
    })
}

fn picture_of(performance: &Performance, name: &str, turned: &[&str]) -> Result<String, String> {
    let picture = performance.picture(name).ok_or_else(|| {
        use crate::lessons::beat::Beat;
        let known = performance.beats.iter().filter_map(|beat| match beat {
            Beat::Show { picture } => Some(picture.id.as_str()),
            _ => None,
        });
        let known: Vec<&str> = known.collect();
        format!("lesson {} has no picture '{name}': it has {}", performance.scenario.id, known.join(", "))
    })?;
    Ok(figure::figure(picture, &with_turned(story::picture_id(performance.scenario.id, &picture.id), turned)))
}

/// An id that is another one when knobs are turned.
fn with_turned(id: String, turned: &[&str]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    turned.iter().fold(id, |id, turn| format!("{id}-{}", turn.chars().map(plain).collect::<String>()))
}

fn about(lesson: &Lesson) -> Result<String, String> {
    let mut words = String::new();
    for (word, is) in lesson.words {
        let _ = write!(words, "<dt>{}</dt><dd>{}</dd>", vocabulary::link(word)?, figure::inline(is));
    }
    if !words.is_empty() {
        words = format!("<p>New words:</p><dl class=\"nl-words\">{words}</dl>");
    }
    Ok(format!(
        "<div class=\"nl-about\"><p>Lesson {}, {} layer, about {} minutes. In a terminal: \
         <code>{}</code></p>{words}</div>\n",
        lesson.number(),
        lesson.layer,
        lesson.minutes,
        lesson.command(),
    ))
}

/// What there is to program after a lesson.
fn exercises_of(lesson: &Lesson) -> Result<String, String> {
    let mut list = String::new();
    for exercise in exercises::ALL.iter().filter(|exercise| exercise.lesson == lesson.id) {
        let n = exercise.called();
        let _ = writeln!(
            list,
            "<div class=\"nl-exercise\"><p><strong>{}</strong>. {}</p><p><code>netlayers check {n}</code> puts a \
             starter at <code>{}</code> and tries it. With <code>--language python</code> or <code>--language \
             javascript</code> it is one of that language; <code>--program FILE</code> tries a program of any other, \
             which reads lines and answers them (<code>netlayers check --help</code>). When a case fails, \
             <code>netlayers hint {n}</code> has a hint for it.</p></div>",
            figure::inline(exercise.title),
            figure::inline(exercise.task),
            escape(&exercise.file(exercises::Language::Rust)),
        );
    }
    if list.is_empty() { Err(format!("lesson {} has no exercise", lesson.id)) } else { Ok(list) }
}

fn knobs(lesson: &Lesson) -> String {
    let mut table = String::from(
        "<table class=\"nl-knobs\"><thead><tr><th>knob</th><th>default</th><th>what it turns</th></tr></thead><tbody>",
    );
    for knob in lesson.knobs {
        let _ = write!(
            table,
            "<tr><td><code>--{}</code></td><td><code>{}</code></td><td>{}</td></tr>",
            knob.name(),
            escape(knob.default()),
            figure::inline(knob.what())
        );
    }
    table + "</tbody></table>\n"
}

fn teacher(lesson: &Lesson) -> String {
    let teacher = &lesson.teacher;
    let choices: Vec<String> =
        teacher.choices.iter().map(|choice| format!("<li>{}</li>", figure::inline(choice))).collect();
    let choices = if choices.is_empty() { String::new() } else { format!("<ul>{}</ul>", choices.concat()) };
    format!(
        "<details class=\"nl-teacher\"><summary>For the teacher</summary><p>Vote, discuss with your neighbour, vote \
         again: {}</p>{choices}<p>When the run surprises: {}</p></details>\n",
        figure::inline(teacher.vote),
        figure::inline(teacher.surprise)
    )
}

/// What a terminal shows when the lesson is played without predictions.
fn transcript(lesson: &Lesson, performance: &Performance) -> String {
    let look = Look::default();
    let mut shown = text::opening(lesson, &look).to_string();
    for beat in &performance.beats {
        let _ = write!(shown, "\n{}", text::beat(performance, beat, None, &look));
    }
    let _ = write!(shown, "\n{}", text::foot(lesson, &performance.scenario, &look));
    let id = format!("transcript-{}", lesson.id);
    let text = figure::text(&shown);
    format!(
        "<details class=\"nl-transcript\" id=\"{id}\"><summary>The same in a terminal: \
         <code>{}</code></summary><div class=\"nl-scroll\" tabindex=\"0\" role=\"group\" \
         aria-label=\"transcript\">{text}</div></details>\n",
        lesson.command()
    )
}

fn lessons() -> String {
    let mut table =
        String::from("<table><thead><tr><th>lesson</th><th>layer</th><th>minutes</th></tr></thead><tbody>");
    for lesson in ALL {
        let _ = write!(
            table,
            "<tr><td>{}. <a href=\"{}\">{}</a></td><td>{}</td><td>{}</td></tr>",
            lesson.number(),
            super::links::page_of(lesson),
            figure::inline(lesson.title),
            lesson.layer,
            lesson.minutes,
        );
    }
    table + "</tbody></table>\n"
}

fn count(what: &str) -> Result<String, String> {
    match what {
        "lessons" => Ok(ALL.len().to_string()),
        "minutes" => Ok(ALL.iter().map(|lesson| u32::from(lesson.minutes)).sum::<u32>().to_string()),
        other => Err(format!("cannot count '{other}': expected lessons or minutes")),
    }
}

fn layout(name: &str) -> Result<String, String> {
    let id = format!("header-{name}");
    let title = format!("The {name} header");
    let drawn = header::layout_by_name(name, Alt { id: &id, title: &title, text: "" })
        .ok_or_else(|| format!("unknown header '{name}': expected one of {}", header::LAYOUTS.join(", ")))?;
    Ok(figure::framed(
        &format!("fig-{id}"),
        &drawn,
        "One row is 32 bits. The bytes are sent from left to right, row by row; in which order the bits of one byte go is \
         the link's affair (lesson 1).",
    ))
}

fn states() -> String {
    let alt = Alt { id: "states-tcp", title: "The states of a TCP connection", text: "" };
    figure::framed(
        "fig-states-tcp",
        &states::to_svg(alt),
        "Every arrow is an arm of the `match` in `State::after` (RFC 9293 §3.3.2, figure 5), and every arm is an arrow: the \
         picture is drawn from it. CLOSED is there twice, for the beginning and for the end.",
    )
}
