//! The words of the course: what each means, where it sits in the layers, where to read on, and a picture of it.
//!
//! `netlayers explain TERM` and the book's vocabulary are made from here. A word is plain data with one function, as a
//! lesson is: its picture is a short script in the verbs of [`Stage`](super::Stage), so that what is shown has happened in a run.
//!
//! | file | words |
//! |---|---|
//! | `first` | that come before everything: bit, byte, host, protocol, and how fast things go |
//! | `everywhere` | that belong to no layer or to all of them: the models, header, payload, client, server |
//! | `lower` | of the physical, the link and the internet layer |
//! | `transport` | of the transport layer |
//! | `tcp` | of what goes on inside a TCP connection |
//! | `application` | of OSI's upper layers, of the application layer, and of the event system |
//! | `term` | what a word is |
//! | `named` | that are named and not built here, with the reason |
//! | `pictures` | the scripts of the pictures |
//!
//! A word names its lesson by the lesson's id. What is not built here has no lesson, and its definition says why.

mod application;
mod everywhere;
mod first;
mod lower;
mod named;
mod pictures;
mod tcp;
mod term;
mod transport;

pub use term::{Place, Term};

use self::term::plain;
use crate::base::Layer;

/// All words, by layer from the top down, after those that belong to no single layer.
pub fn all() -> Vec<&'static Term> {
    let files = [
        first::TERMS,
        everywhere::TERMS,
        lower::TERMS,
        transport::TERMS,
        tcp::TERMS,
        application::TERMS,
        named::TERMS,
    ];
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

#[cfg(test)]
mod tests;
