//! The book's pages, expanded and checked, as mdBook wants it done.

use std::path::Path;

use mdbook_driver::book::{Book, BookItem, Chapter};
use mdbook_driver::errors::{Error, Result};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use super::directive;
use super::expand::Expander;
use super::links::{self, Page};
use super::{rfc, source};
use crate::view::svg;

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
            let written = number_lesson(chapter, &path);
            let replaced = directive::replace(&rfc::linked_in_page(&written), |found| expander.expand(found));
            if expander.left_gated() {
                faults.push(format!("{}: a {{{{#gated}}}} without its {{{{#end}}}}", path.display()));
            }
            match replaced {
                Ok(expanded) => {
                    let page = if expanded.contains("<svg ") {
                        format!("<style>{}</style>\n\n{expanded}", svg::style())
                    } else {
                        expanded.clone()
                    };
                    chapter.content = page;
                    pages.push(Page { path, written, expanded });
                }
                Err(found) => faults.extend(
                    found.iter().map(|fault| format!("{}:{}: {}", path.display(), fault.line, fault.what)),
                ),
            }
        });
        match source_pages(tree, &expander) {
            Ok(None) => {}
            Ok(Some(chapter)) => {
                let made =
                    std::iter::once(&chapter).chain(chapter.sub_items.iter().filter_map(|item| match item {
                        BookItem::Chapter(file) => Some(file),
                        BookItem::Separator | BookItem::PartTitle(_) => None,
                    }));
                // Their links are made, and their text is no prose: that they are there is all there is to know.
                pages.extend(made.filter_map(|chapter| chapter.path.clone()).map(|path| Page {
                    path,
                    written: String::new(),
                    expanded: String::new(),
                }));
                book.items.push(BookItem::Chapter(chapter));
            }
            Err(fault) => faults.push(fault),
        }
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

/// A chapter of a lesson has the number of the lesson, in the list of chapters and in its heading: numbers of lessons
/// that are still to come are left out. Gives back the text as it now is.
fn number_lesson(chapter: &mut Chapter, path: &Path) -> String {
    let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix("lesson-"));
    let Some(lesson) = id.and_then(crate::lessons::find) else { return chapter.content.clone() };
    chapter.name = format!("{}. {}", lesson.number(), chapter.name);
    match chapter.content.strip_prefix("# ") {
        Some(rest) => format!("# {}. {rest}", lesson.number()),
        None => chapter.content.clone(),
    }
}

/// The source files that pages name, each as a page: so links to them work without a network.
fn source_pages(tree: &Path, expander: &Expander<'_>) -> std::result::Result<Option<Chapter>, String> {
    let mut list = String::from("# Source files\n\nThese are the files that the chapters name.\n\n");
    let mut files = Vec::new();
    for path in expander.sources() {
        let text = source::read(tree, path)?;
        let listing = source::listing(path, &text);
        let page = source::page(path);
        let name = path.to_string();
        let parents = vec!["Source files".to_string()];
        list.push_str(&format!("- [`{path}`]({path}.md)\n"));
        files.push(BookItem::Chapter(Chapter::new(&name, listing, page, parents)));
    }
    if files.is_empty() {
        return Ok(None);
    }
    let mut chapter = Chapter::new("Source files", list, "source/index.md", Vec::new());
    chapter.sub_items = files;
    Ok(Some(chapter))
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
