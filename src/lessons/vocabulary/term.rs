//! A word of the course: plain data with one function, the script of its picture.

use serde::Serialize;

use crate::base::Layer;
use crate::lessons::beat::Beat;
use crate::lessons::lesson::Cite;
use crate::lessons::picture::Picture;
use crate::lessons::scenario::Scenario;
use crate::lessons::stage::Stage;

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
    /// The lesson that shows it, by its id; none for what is not built here.
    pub lesson: Option<&'static str>,
    /// Words to look at next.
    pub see: &'static [&'static str],
    /// The script of its picture; none only where no lesson shows it yet.
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

impl Term {
    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Its name in links: lower case letters and digits.
    pub fn id(&self) -> String {
        plain(self.name)
    }

    /// What its lesson is about, if it has one.
    pub fn lesson_title(&self) -> Option<&'static str> {
        crate::lessons::find(self.lesson?).map(|lesson| lesson.title)
    }

    /// The number of its lesson, if it has one.
    pub fn lesson_number(&self) -> Option<u8> {
        self.lesson.map(crate::lessons::number)
    }

    /// Whether its lesson can be played already.
    pub fn is_lesson_here(&self) -> bool {
        self.lesson.is_some_and(|id| crate::lessons::find(id).is_some())
    }

    /// Its picture, and whether all that its script claims is so.
    ///
    /// # Errors
    /// What the script claims and the run does not show.
    pub fn play(&self) -> Result<Vec<Picture>, String> {
        let Some(script) = self.picture else { return Ok(Vec::new()) };
        let mut stage = Stage::new(Scenario::new("explain", &[]));
        script(&mut stage);
        let performance = stage.end();
        performance.verify().map_err(|story| format!("{}: {story}", self.name))?;
        let picture = |beat| match beat {
            Beat::Show { picture } => Some(picture),
            _ => None,
        };
        Ok(performance.beats.into_iter().filter_map(picture).collect())
    }
}

/// A name as it is compared: lower case letters and digits.
pub(super) fn plain(name: &str) -> String {
    name.chars().take(64).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
