//! The words of the course: what each means, where it sits in the layers, where to read on, and a picture of it.
//!
//! `netlayers explain TERM` and the book's vocabulary are made from here. A word is plain data with one function, as a
//! lesson is: its picture is a short script in the verbs of [`Stage`], so that what is shown has happened in a run.
//!
//! | file | words |
//! |---|---|
//! | `everywhere` | that belong to no layer or to all of them: the models, header, payload, client, server |
//! | `lower` | of the physical, the link and the internet layer |
//! | `transport` | of the transport layer |
//! | `application` | of OSI's upper layers, of the application layer, and of the event system |
//! | `pictures` | the scripts of the pictures |
//!
//! A lesson that a word names may still be to come: [`Term::is_lesson_here`] says so, and so does what is shown.

mod application;
mod everywhere;
mod lower;
mod pictures;
mod transport;

use serde::Serialize;

use super::beat::Beat;
use super::knob::Scenario;
use super::picture::Picture;
use super::stage::{Performance, Stage};
use super::{Cite, Lesson, Teacher};
use crate::base::Layer;

/// A word of the course.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// The word as it is written in a sentence.
    pub name: &'static str,
    /// Other words and spellings for the same.
    pub aliases: &'static [&'static str],
    /// What it is, in a few plain sentences.
    pub definition: &'static str,
    /// Where it sits in the layers.
    pub place: Place,
    /// Where it is defined: RFCs, or other documents.
    pub cites: &'static [Cite],
    /// Why no RFC defines it; empty when one does.
    pub no_rfc: &'static str,
    /// The files of this project to read, from its root; none for what is not built yet.
    pub sources: &'static [&'static str],
    /// The lesson that shows it, by its number in the course.
    pub lesson: u8,
    /// Words to look at next.
    pub see: &'static [&'static str],
    /// The script of its picture; none only while its lesson is still to come.
    pub picture: Option<fn(&mut Stage)>,
}

/// Where a word sits in the two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The layer that it is listed under; none for what belongs to no layer, or to several.
    pub layer: Option<Layer>,
    /// Its place in the OSI model.
    pub osi: &'static str,
    /// Its place in the TCP/IP model (RFC 1122 §1.1.3).
    pub tcp_ip: &'static str,
}

impl Place {
    /// A place of its own.
    pub const fn new(layer: Option<Layer>, osi: &'static str, tcp_ip: &'static str) -> Self {
        Place { layer, osi, tcp_ip }
    }

    /// The usual place of what belongs to one layer.
    pub const fn of(layer: Layer) -> Self {
        let (osi, tcp_ip) = match layer {
            Layer::Physical => ("1, physical", "link (its lower part)"),
            Layer::Link => ("2, data link", "link"),
            Layer::Internet => ("3, network", "internet"),
            Layer::Transport => ("4, transport", "transport"),
            Layer::Application => ("5 to 7, session to application", "application"),
        };
        Place { layer: Some(layer), osi, tcp_ip }
    }
}

/// All words, by layer from the top down, after those that belong to no single layer.
pub fn all() -> Vec<&'static Term> {
    let files = [everywhere::TERMS, lower::TERMS, transport::TERMS, application::TERMS];
    let mut terms: Vec<&Term> = files.into_iter().flatten().collect();
    // A stable sort: within a layer they stay in the order of their files, which goes from the plain to the special.
    terms.sort_by_key(|term| std::cmp::Reverse(term.place.layer.map_or(u8::MAX, |layer| layer as u8)));
    terms
}

/// The headings that words are listed under, and the words under each.
pub fn by_layer() -> Vec<(String, Vec<&'static Term>)> {
    let headings = std::iter::once(None).chain(Layer::ALL.into_iter().rev().map(Some));
    headings
        .map(|layer| {
            let heading = match layer {
                None => "every layer, or none".to_owned(),
                Some(layer) => format!("{layer} layer (OSI {})", layer.osi()),
            };
            (heading, all().into_iter().filter(|term| term.place.layer == layer).collect())
        })
        .collect()
}

/// A word by its name or one of its other names; capitals, blanks and punctuation do not matter, nor does a plural.
pub fn find(name: &str) -> Option<&'static Term> {
    let wanted = plain(name);
    let exact = |wanted: &str| all().into_iter().find(|term| term.names().any(|name| plain(name) == wanted));
    exact(&wanted).or_else(|| exact(wanted.strip_suffix('s')?))
}

/// Words that may have been meant, the nearest first, at most three.
pub fn suggestions(name: &str) -> Vec<&'static Term> {
    let wanted = plain(name);
    let far = |term: &Term| {
        let letters = |name: &str| {
            let name = plain(name);
            match !wanted.is_empty() && wanted.len() >= 3 && name.contains(&wanted) {
                true => 1,
                false => strsim::levenshtein(&name, &wanted),
            }
        };
        term.names().map(letters).min().unwrap_or(usize::MAX)
    };
    // Of a short word, a third may be wrong; of a long one, three letters.
    let bearable = (wanted.chars().count() / 3).clamp(1, 3);
    let mut near: Vec<(usize, &Term)> = all().into_iter().map(|term| (far(term), term)).collect();
    near.retain(|(far, _)| *far <= bearable);
    near.sort_by_key(|(far, _)| *far);
    near.into_iter().take(3).map(|(_, term)| term).collect()
}

/// A name as it is compared: lower case letters and digits.
fn plain(name: &str) -> String {
    name.chars().take(64).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Term {
    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Its name in links: lower case letters and digits.
    pub fn id(&self) -> String {
        plain(self.name)
    }

    /// What its lesson is about.
    pub fn lesson_title(&self) -> &'static str {
        let number = self.lesson.to_string();
        super::find(&number).map_or_else(|| planned(self.lesson), |lesson| lesson.title)
    }

    /// Whether its lesson can be played already.
    pub fn is_lesson_here(&self) -> bool {
        super::find(&self.lesson.to_string()).is_some()
    }

    /// Its picture, and whether all that its script claims is so.
    ///
    /// # Errors
    /// What the script claims and the run does not show.
    pub fn play(&self) -> Result<Vec<Picture>, String> {
        let Some(script) = self.picture else { return Ok(Vec::new()) };
        let mut stage = Stage::new(&DESK, Scenario::of(&DESK));
        script(&mut stage);
        let performance: Performance = stage.end();
        performance.verify().map_err(|story| format!("{}: {story}", self.name))?;
        let picture = |beat| match beat {
            Beat::Show { picture } => Some(picture),
            _ => None,
        };
        Ok(performance.beats.into_iter().filter_map(picture).collect())
    }
}

/// The course as it is planned: what a lesson is about that is still to come.
fn planned(lesson: u8) -> &'static str {
    const PLAN: [&str; 20] = [
        "bytes on a wire",
        "layers: OSI and TCP/IP",
        "frames, addresses, ARP",
        "packets, MTU, fragments",
        "ports and sockets",
        "UDP",
        "TCP is a stream",
        "the handshake",
        "segmentation",
        "loss and retransmission",
        "flow control",
        "Nagle and delayed ACK",
        "congestion",
        "closing",
        "framing a stream",
        "HTTP upgrade",
        "WebSocket frames",
        "control frames, both ways",
        "from polling to Socket.IO",
        "events, rooms, namespaces, missed events",
    ];
    usize::from(lesson)
        .checked_sub(1)
        .and_then(|index| PLAN.get(index))
        .copied()
        .unwrap_or("(no such lesson)")
}

/// What the pictures are played on: a lesson of no course, with no knob and no story.
static DESK: Lesson = Lesson {
    id: "explain",
    number: 0,
    title: "a word of the course",
    layer: Layer::Application,
    minutes: 0,
    misconception: "",
    cites: &[],
    knobs: &[],
    teacher: Teacher { vote: "", choices: &[], surprise: "" },
    real: None,
    script: |_| {},
};

#[cfg(test)]
mod tests;
