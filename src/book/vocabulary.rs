//! The words of the course as a page: the same that `netlayers explain` says, with links between them.

use super::{figure, links, source};
use crate::lessons::vocabulary::{self, Term};
use crate::view::svg::escape;

/// All words, by layer from the top down.
///
/// # Errors
/// When the picture of a word does not show what it claims.
pub fn all() -> Result<String, String> {
    let mut page = String::new();
    for (heading, terms) in vocabulary::by_layer() {
        if terms.is_empty() {
            continue;
        }
        let mut letters = heading.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        page.push_str(&format!("## {first}{}\n\n", letters.as_str()));
        for term in terms {
            page.push_str(&one(term)?);
        }
    }
    Ok(page)
}

/// A word of the course, linked to what it means.
///
/// # Errors
/// When the course has no such word.
pub fn link(name: &str) -> Result<String, String> {
    let term = vocabulary::find(name).ok_or_else(|| format!("the vocabulary has no word '{name}'"))?;
    Ok(format!("<a href=\"vocabulary.html#{}\">{}</a>", id(term), escape(name)))
}

/// The picture of a word of the course.
///
/// # Errors
/// When the course has no such word, or the word no picture.
pub fn picture(name: &str) -> Result<String, String> {
    let term = vocabulary::find(name).ok_or_else(|| format!("the vocabulary has no word '{name}'"))?;
    let played = term.play()?;
    let picture = played.first().ok_or_else(|| format!("the word '{name}' has no picture"))?;
    Ok(figure::figure(picture, &format!("fig-{}", id(term))))
}

fn one(term: &Term) -> Result<String, String> {
    let mut entry = format!("### {} {{#{}}}\n\n", escape(term.name), id(term));
    entry.push_str(&format!("<p>{}</p>\n", figure::inline(term.definition)));
    let mut facts = vec![format!("OSI: {}. TCP/IP: {}", escape(term.place.osi), escape(term.place.tcp_ip))];
    if !term.aliases.is_empty() {
        facts.push(format!("Also called: {}", escape(&term.aliases.join(", "))));
    }
    let cites: Vec<String> = term.cites.iter().map(|cite| escape(&cite.to_string())).collect();
    match cites.is_empty() {
        true => facts.push(escape(term.no_rfc)),
        false => facts.push(format!("Defined in {}", cites.join("; "))),
    }
    if !term.sources.is_empty() {
        let files: Vec<String> = term.sources.iter().map(|file| source::link(file)).collect();
        facts.push(format!("In the source: {}", files.join(", ")));
    }
    facts.push(lesson(term));
    let see: Result<Vec<String>, String> = term.see.iter().map(|name| link(name)).collect();
    facts.push(format!("See also: {}", see?.join(", ")));
    let facts: Vec<String> =
        facts.iter().map(|fact| format!("<li>{}</li>", fact.trim_end_matches('.'))).collect();
    entry.push_str(&format!("<ul class=\"nl-facts\">{}</ul>\n", facts.concat()));
    let pictures = term.play()?;
    if !pictures.is_empty() {
        entry.push_str("<details class=\"nl-answer\"><summary>A picture from a run</summary>\n");
        for (number, picture) in pictures.iter().enumerate() {
            entry.push_str(&figure::figure(picture, &format!("fig-{}-{}", id(term), number + 1)));
        }
        entry.push_str("</details>\n");
    }
    entry.push('\n');
    Ok(entry)
}

fn lesson(term: &Term) -> String {
    let Some(lesson) = term.lesson.and_then(crate::lessons::find) else {
        return "No lesson: it is not built here".into();
    };
    let (number, title) = (lesson.number(), figure::inline(lesson.title));
    format!("Lesson {number}: <a href=\"{}\">{title}</a>", links::page_of(lesson))
}

fn id(term: &Term) -> String {
    format!("word-{}", term.id())
}
