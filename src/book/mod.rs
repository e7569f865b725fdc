//! The book: Markdown in which every figure and every number is made by running a lesson when the book is built.
//!
//! | file | what |
//! |---|---|
//! | [`directive`] | finds `{{#name arguments}}` in a page |
//! | [`expand`] | what replaces it: **the list of all directives** |
//! | [`story`], [`quiz`], [`figure`] | a lesson as a page, its questions, its pictures |
//! | [`vocabulary`] | the words of the course |
//! | [`source`] | code out of the files that are compiled, and their pages |
//! | [`rfc`] | RFCs as links |
//! | [`requirements`] | the requirements of RFC 9293, and what shows each |
//! | [`links`] | no link leads nowhere |
//! | [`preprocessor`] | all of it as mdBook wants it |
//!
//! A directive that cannot be expanded and a link that leads nowhere are faults, each with file and line; all are
//! listed, and there is no book. mdBook turns Markdown into pages. Its own
//! directives, such as `include`, are switched off, so that there is one way to do each thing.

pub mod directive;
pub mod expand;
pub mod figure;
pub mod links;
pub mod preprocessor;
pub mod quiz;
pub mod requirements;
pub mod rfc;
pub mod source;
pub mod story;
pub mod vocabulary;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use mdbook_preprocessor::Preprocessor as _;

use self::preprocessor::Netlayers;

/// Why there is no book.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The folder holds no book.
    #[error("{0} holds no book.toml: run it at the root of the source tree, or say where the book is")]
    NoBook(PathBuf),
    /// mdBook could not do it, or a page has faults: they are listed.
    #[error("{0}")]
    Failed(String),
}

impl BookError {
    /// The error with all that led to it.
    fn of(error: &mdbook_driver::errors::Error) -> Self {
        BookError::Failed(format!("{error:#}"))
    }
}

/// Builds the book that lies in the folder `root` and gives back where its pages are: in `dest`, or where its
/// `book.toml` says.
///
/// # Errors
/// When there is no book, a page has faults, or a file cannot be read or written.
pub fn build(root: &Path, dest: Option<&Path>) -> Result<PathBuf, BookError> {
    let config = root.join("book.toml");
    if !config.is_file() {
        return Err(BookError::NoBook(root.to_path_buf()));
    }
    let mut config = Config::from_disk(config).map_err(|error| BookError::of(&error))?;
    if let Some(dest) = dest {
        // mdBook reads a relative path from the book's own folder; people mean it from theirs.
        let dest = std::path::absolute(dest).map_err(|error| BookError::Failed(error.to_string()))?;
        config.build.build_dir = dest;
    }
    let mut book = MDBook::load_with_config(root, config).map_err(|error| BookError::of(&error))?;
    // In the place of the command that `book.toml` names for others.
    book.with_preprocessor(Netlayers);
    book.build().map_err(|error| BookError::of(&error))?;
    Ok(book.build_dir_for("html"))
}

/// One round of mdBook's preprocessor protocol: a context and a book as JSON come in, the book goes out.
///
/// # Errors
/// When the input is not that, or a page has faults.
pub fn preprocess(input: impl Read, output: impl Write) -> Result<(), BookError> {
    let (context, book) = mdbook_preprocessor::parse_input(input).map_err(|error| BookError::of(&error))?;
    let book = Netlayers.run(&context, book).map_err(|error| BookError::of(&error))?;
    serde_json::to_writer(output, &book)
        .map_err(|error| BookError::Failed(format!("writing the book: {error}")))
}

/// Whether pages for this renderer can be made: HTML, and no other.
pub fn supports(renderer: &str) -> bool {
    renderer == "html"
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod words_tests;
