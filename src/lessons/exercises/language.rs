//! The languages that starters are written in.
//!
//! Any other will do as well: a check only gives lines to a program and reads lines from it
//! (`netlayers check 6 --program FILE`).

/// A language that each exercise has a starter and a solution in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Built by cargo, with the library at hand.
    #[default]
    Rust,
    /// Run by `python3`; it needs nothing but Python's own library.
    Python,
    /// Run by `node`, as a module; it needs nothing but Node.
    JavaScript,
}

/// An exercise in one language.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// What the student's file begins as.
    pub starter: &'static str,
    /// A program that passes.
    pub solution: &'static str,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 3] = [Language::Rust, Language::Python, Language::JavaScript];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
            Language::JavaScript => "javascript",
        }
    }

    /// The language of a name.
    pub fn of(name: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.name() == name)
    }

    /// How its files end, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Language::Rust => "rs",
            Language::Python => "py",
            Language::JavaScript => "mjs",
        }
    }

    /// The program that runs its files as they are, and where that comes from; none for what is built.
    pub fn runner(self) -> Option<(&'static str, &'static str)> {
        match self {
            Language::Rust => None,
            Language::Python => Some(("python3", "Python comes from https://www.python.org")),
            Language::JavaScript => Some(("node", "Node comes from https://nodejs.org")),
        }
    }

    /// The folder that students' files are in, from the root of the project.
    pub(super) fn folder(self) -> &'static str {
        match self {
            // Where Cargo finds programs by itself.
            Language::Rust => "exercises/src/bin",
            Language::Python => "exercises/python",
            Language::JavaScript => "exercises/javascript",
        }
    }
}
