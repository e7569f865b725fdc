//! The book's pages, expanded and checked, as mdBook wants it done.

use std::path::Path;

use mdbook_driver::book::{Book, BookItem, Chapter};
use mdbook_driver::errors::{Error, Result};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use super::directive;
use super::expand::Expander;
use super::links::{self, Page};

/// The preprocessor, under the name that `book.toml` has for it.
#[derive(Debug, Clone, Copy)]
pub struct Netlayers;

impl Preprocessor for Netlayers {
    fn name(&self) -> &str {
        "netlayers"
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        Ok(super::supports(renderer))
    }

    /// Expands every directive. The book's folder lies at the root of the source tree.
    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let root = std::path::absolute(&context.root)?;
        let source = root.join(&context.config.book.src);
        let tree = root.parent().unwrap_or(Path::new("."));
        let mut expander = Expander::new(tree);
        let (mut pages, mut faults) = (Vec::new(), Vec::new());
        each_chapter(&mut book, &mut |chapter| {
            let Some(path) = chapter.source_path.clone() else { return };
            match directive::replace(&chapter.content, |found| expander.expand(found)) {
                Ok(expanded) => {
                    let written = std::mem::replace(&mut chapter.content, expanded.clone());
                    pages.push(Page { path, written, expanded });
                }
                Err(found) => faults.extend(
                    found.iter().map(|fault| format!("{}:{}: {}", path.display(), fault.line, fault.what)),
                ),
            }
        });
        if faults.is_empty() {
            faults = links::faults(&pages, |path| source.join(path).is_file());
        }
        if faults.is_empty() {
            return Ok(book);
        }
        let folder = context.root.join(&context.config.book.src);
        let listed: Vec<String> =
            faults.iter().map(|fault| folder.join(fault).display().to_string()).collect();
        Err(Error::msg(format!("{} faults in the book:\n{}", listed.len(), listed.join("\n"))))
    }
}

fn each_chapter(book: &mut Book, visit: &mut impl FnMut(&mut Chapter)) {
    fn walk(items: &mut [BookItem], visit: &mut impl FnMut(&mut Chapter)) {
        for item in items {
            if let BookItem::Chapter(chapter) = item {
                visit(chapter);
                walk(&mut chapter.sub_items, visit);
            }
        }
    }
    walk(&mut book.items, visit);
}
