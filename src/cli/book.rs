//! `netlayers book`: builds the book, and shows it to a browser.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::error::CliError;
use super::output::{Output, remark};
use crate::book;
use crate::real::static_files::StaticFiles;

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum BookCommand {
    /// Build the book: its figures and numbers are made by running the lessons
    Build(BuildArgs),
    /// Build the book and show it to a browser on this machine
    Serve {
        /// Where on 127.0.0.1; 0 takes any free port
        #[arg(long, value_name = "PORT", default_value_t = 3000)]
        port: u16,
        #[command(flatten)]
        build: BuildArgs,
    },
    /// Speak mdBook's preprocessor protocol: for `mdbook build book`
    #[command(hide = true)]
    Preprocess {
        /// `supports`, when mdBook asks about a renderer
        #[arg(value_parser = ["supports"])]
        question: Option<String>,
        /// The renderer
        #[arg(requires = "question")]
        renderer: Option<String>,
    },
}

/// Where the book comes from and goes to.
#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// Where the pages go [default: as book.toml says, book/book]
    #[arg(long, value_name = "FOLDER")]
    pub(super) dest: Option<PathBuf>,
    /// The folder of the book [default: book, or that of the source tree this program was built from]
    #[arg(long, value_name = "FOLDER")]
    pub(super) source: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(command: &BookCommand, out: &mut Output) -> Result<(), CliError> {
    match command {
        BookCommand::Build(args) => {
            let pages = build(args)?;
            out.line(format!("the book is in {}", pages.join("index.html").display()))?;
            out.line("next: netlayers book serve")
        }
        BookCommand::Serve { port, build: args } => serve(&build(args)?, *port, out),
        BookCommand::Preprocess { question: Some(_), renderer } => {
            match book::supports(renderer.as_deref().unwrap_or_default()) {
                true => Ok(()),
                false => Err(CliError::Failed("only HTML can be made".into())),
            }
        }
        BookCommand::Preprocess { question: None, .. } => {
            let mut made = Vec::new();
            book::preprocess(io::stdin().lock(), &mut made).map_err(|error| failed(&error))?;
            out.bytes(&made)
        }
    }
}

fn build(args: &BuildArgs) -> Result<PathBuf, CliError> {
    let source = args.source.clone().unwrap_or_else(source);
    book::build(&source, args.dest.as_deref()).map_err(|error| failed(&error))
}

/// The book of the folder somebody stands in; else the one beside the sources of this program.
fn source() -> PathBuf {
    let here = PathBuf::from("book");
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
    if !here.join("book.toml").is_file() && built.join("book.toml").is_file() { built } else { here }
}

fn serve(pages: &Path, port: u16, out: &mut Output) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("starting the server", &error))?;
    runtime.block_on(async {
        let files = StaticFiles::bind(pages, port).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => CliError::Failed(format!(
                "port {port} of 127.0.0.1 is taken: another one with --port N, any free one with --port 0"
            )),
            _ => CliError::io(&format!("listening on port {port}"), &error),
        })?;
        let address = files.address().map_err(|error| CliError::io("asking for the address", &error))?;
        out.line(format!("http://{address}/"))?;
        out.flush()?;
        remark("the book is there for a browser on this machine; Ctrl-C ends it");
        files.serve().await.map_err(|error| CliError::io("serving the book", &error))
    })
}

fn failed(error: &book::BookError) -> CliError {
    CliError::Failed(error.to_string())
}
