//! `netlayers dev`: for authors of lessons.

use std::fs;
use std::path::Path;

use clap::Subcommand;

use super::error::CliError;
use super::output::Output;
use crate::lessons::{ALL, house_rules};

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum DevCommand {
    /// Write the file of a new lesson, and its line in the list
    NewLesson {
        /// Its name: lower case letters and underscores
        id: String,
    },
    /// Check that every lesson has all it must have
    Check,
}

pub(super) fn run(command: &DevCommand, out: &mut Output) -> Result<(), CliError> {
    match command {
        DevCommand::NewLesson { id } => new_lesson(id, Path::new("src/lessons"), out),
        DevCommand::Check => check(out),
    }
}

fn check(out: &mut Output) -> Result<(), CliError> {
    let faults = house_rules::faults(ALL);
    for fault in &faults {
        out.line(fault.as_str())?;
    }
    if faults.is_empty() {
        return out.line(format!("{} lessons, no faults", ALL.len()));
    }
    out.flush()?;
    Err(CliError::Failed(format!("{} faults in {} lessons", faults.len(), ALL.len())))
}

/// The line that ends the list of lessons.
const END_OF_LIST: &str = "\n}\n\n/// A lesson by its number";

fn new_lesson(id: &str, folder: &Path, out: &mut Output) -> Result<(), CliError> {
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return Err(CliError::Usage(format!(
            "'{}' cannot name a lesson: expected lower case letters and underscores",
            crate::view::look::escape(id)
        )));
    }
    let (list, file) = (folder.join("mod.rs"), folder.join(format!("{id}.rs")));
    let text = fs::read_to_string(&list).map_err(|error| {
        CliError::Failed(format!(
            "reading {}: {error}; run it at the root of the source tree",
            list.display()
        ))
    })?;
    if file.exists() || folder.join(id).exists() {
        return Err(CliError::Failed(format!("{} is there already", file.display())));
    }
    let Some((before, after)) = text.split_once(END_OF_LIST) else {
        return Err(CliError::Failed(format!("{} has no list of lessons", list.display())));
    };
    // It comes last: its place in the list is its number.
    let number = u8::try_from(ALL.len()).unwrap_or(u8::MAX).saturating_add(1);
    let written = |path: &Path, error| CliError::io(&format!("writing {}", path.display()), &error);
    fs::write(&file, template(id, number)).map_err(|error| written(&file, error))?;
    let text = format!("{before}\n    {id},{END_OF_LIST}{after}");
    fs::write(&list, text).map_err(|error| written(&list, error))?;
    out.line(format!("wrote {}, and its line in {}", file.display(), list.display()))?;
    out.line(format!("next: cargo run -- lesson {id}, and cargo run -- dev check"))
}

/// A lesson that plays, and passes the check as soon as its words are its own.
fn template(id: &str, number: u8) -> String {
    include_str!("new_lesson.txt").replace("{id}", id).replace("{number}", &number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::style::{ColorChoice, Style};

    #[test]
    fn a_new_lesson_is_a_file_and_a_line() {
        let folder = std::env::temp_dir().join(format!("netlayers-new-lesson-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder of our own");
        fs::write(folder.join("mod.rs"), include_str!("../lessons/mod.rs")).expect("a file of our own");
        let mut out = Output::new(&Style { color: ColorChoice::Never, ascii: true, ..Style::default() });

        for bad in ["", "Window", "../x", "a b", "layers2"] {
            assert!(new_lesson(bad, &folder, &mut out).is_err(), "{bad}");
        }
        new_lesson("juggling", &folder, &mut out).expect("the name is free");
        let list = fs::read_to_string(folder.join("mod.rs")).expect("the list");
        assert!(list.contains("\n    juggling,\n}\n"), "{list}");
        let file = fs::read_to_string(folder.join("juggling.rs")).expect("the lesson");
        assert!(file.starts_with("//! Lesson ") && file.contains("id: \"juggling\""), "{file}");
        assert!(new_lesson("juggling", &folder, &mut out).is_err(), "it is there already");
        let _ = fs::remove_dir_all(&folder);
    }
}
