//! Words of the course as text for a terminal, as Markdown for the book, and as data for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::text::{lines, shown};
use crate::lessons::picture::Picture;
use crate::lessons::vocabulary::{Place, Term, by_layer};
use crate::lessons::{Cite, vocabulary};
use crate::view::look::Look;
use crate::view::sheet::{Line, Sheet, Tone};

/// A word with its picture, for a terminal.
///
/// # Errors
/// What the script of its picture claims and its run does not show.
pub fn explain(term: &Term, look: &Look) -> Result<Sheet, String> {
    let mut sheet = head(term, look);
    let say = |lead: &str, text: &str, sheet: &mut Sheet| sheet.say(lines(lead, text, look), Tone::Plain);
    say("", term.definition, &mut sheet);
    sheet.push(Line::new());
    say("OSI:    ", term.place.osi, &mut sheet);
    say("TCP/IP: ", term.place.tcp_ip, &mut sheet);
    for cite in term.cites {
        say("read:   ", &cite.to_string(), &mut sheet);
    }
    if !term.no_rfc.is_empty() {
        say("RFC:    ", &format!("none: {}", term.no_rfc), &mut sheet);
    }
    say("source: ", &sources(term), &mut sheet);
    say("lesson: ", &lesson(term), &mut sheet);
    say("see:    ", &term.see.join(", "), &mut sheet);
    sheet.push(Line::new());
    let pictures = term.play()?;
    if pictures.is_empty() && term.lesson.is_some() {
        say("", "Its picture comes with its lesson: no run can show it yet.", &mut sheet);
    }
    pictures.iter().for_each(|picture| sheet.extend(shown(picture, look)));
    Ok(sheet)
}

/// The word, and after it its other names.
fn head(term: &Term, look: &Look) -> Sheet {
    let mut sheet = Sheet::of(term.name, Tone::Strong);
    if !term.aliases.is_empty() {
        let others = format!("also: {}", term.aliases.join(", "));
        sheet.say(lines("", &others, look), Tone::Faint);
    }
    sheet
}

fn sources(term: &Term) -> String {
    if term.sources.is_empty() { "not built yet".into() } else { term.sources.join(", ") }
}

fn lesson(term: &Term) -> String {
    match term.lesson_number().zip(term.lesson_title()) {
        None => "none: it is not built here".into(),
        Some((number, title)) => format!("netlayers lesson {number}: {title}"),
    }
}

/// All words by layer: their names, on one screen.
pub fn list(look: &Look) -> Sheet {
    let mut sheet = Sheet::new();
    for (heading, terms) in by_layer() {
        let names = terms.iter().map(|term| term.name).collect::<Vec<_>>().join(", ");
        // All words fit one screen, so a short list goes on the line of its heading.
        if heading.len() + ": ".len() + names.len() <= look.columns() {
            sheet.push(Line::of(heading, Tone::Strong).with(format!(": {names}"), Tone::Plain));
            continue;
        }
        sheet.say(heading, Tone::Strong);
        sheet.say(lines("  ", &names, look), Tone::Plain);
    }
    sheet
}

/// All words as a chapter of the book, with pictures, under headings of the second and third level.
///
/// # Errors
/// What the script of a picture claims and its run does not show.
pub fn markdown() -> Result<String, String> {
    let mut chapter = String::new();
    for (heading, terms) in by_layer() {
        let _ = writeln!(chapter, "## {}{}\n", heading[..1].to_uppercase(), &heading[1..]);
        for term in terms {
            chapter.push_str(&markdown_term(term)?);
        }
    }
    Ok(chapter)
}

/// One word as a section of the book. Its heading can be linked to by [`Term::id`].
///
/// # Errors
/// What the script of its picture claims and its run does not show.
fn markdown_term(term: &Term) -> Result<String, String> {
    let mut text = format!("### {} {{#{}}}\n\n{}\n\n", term.name, term.id(), term.definition);
    if !term.aliases.is_empty() {
        let _ = writeln!(text, "- *also:* {}", term.aliases.join(", "));
    }
    let _ = writeln!(text, "- *OSI:* {}; *TCP/IP:* {}", term.place.osi, term.place.tcp_ip);
    for cite in term.cites {
        let _ = writeln!(text, "- *read:* {cite}");
    }
    if !term.no_rfc.is_empty() {
        let _ = writeln!(text, "- *RFC:* none: {}", term.no_rfc);
    }
    let code = |path: &&str| format!("`{path}`");
    let paths: Vec<String> = term.sources.iter().map(code).collect();
    let _ = writeln!(text, "- *source:* {}", if paths.is_empty() { sources(term) } else { paths.join(", ") });
    let _ = writeln!(text, "- *lesson:* {}", lesson(term));
    let link = |name: &&str| {
        vocabulary::find(name)
            .map_or_else(|| (*name).to_owned(), |other| format!("[{name}](#{})", other.id()))
    };
    let _ = writeln!(text, "- *see:* {}\n", term.see.iter().map(link).collect::<Vec<_>>().join(", "));
    for picture in term.play()? {
        let _ = writeln!(text, "```text\n{}```\n\n*{}*\n", picture.draw(&Look::default()), picture.caption);
    }
    Ok(text)
}

/// A word as data, for programs.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The word, as it is usually written.
    pub term: &'static str,
    /// Its other names, such as an abbreviation.
    pub aliases: &'static [&'static str],
    /// What it is, in a sentence or two.
    pub definition: &'static str,
    /// Where it is in the layers.
    pub place: Place,
    /// Where to read on.
    pub cites: &'static [Cite],
    /// Why no RFC defines it, if none does.
    pub no_rfc: Option<&'static str>,
    /// The files to read.
    pub sources: &'static [&'static str],
    /// The number of its lesson; none for what is not built here.
    pub lesson: Option<u8>,
    /// What its lesson is about.
    pub lesson_title: Option<&'static str>,
    /// Whether the lesson can be played already.
    pub lesson_is_here: bool,
    /// Words to look at next.
    pub see: &'static [&'static str],
    /// Its picture, where it has one.
    pub picture: Option<Picture>,
}

impl Explanation {
    /// A word and its picture.
    ///
    /// # Errors
    /// What the script of its picture claims and its run does not show.
    pub fn of(term: &Term) -> Result<Self, String> {
        Ok(Explanation {
            term: term.name,
            aliases: term.aliases,
            definition: term.definition,
            place: term.place,
            cites: term.cites,
            no_rfc: Some(term.no_rfc).filter(|why| !why.is_empty()),
            sources: term.sources,
            lesson: term.lesson_number(),
            lesson_title: term.lesson_title(),
            lesson_is_here: term.is_lesson_here(),
            see: term.see,
            picture: term.play()?.into_iter().next(),
        })
    }
}
