//! `netlayers book`: builds the book, and shows it to a browser.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::error::CliError;
use super::listening::Wanted;
use super::number::number;
use super::output::{Output, remark};
use crate::book;
use crate::real::event_loop;
use crate::real::static_files::StaticFiles;

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum BookCommand {
    /// Build the book: its figures and numbers are made by running the lessons
    Build(BuildArgs),
    /// Build the book and show it to a browser on this machine
    Serve {
        /// Where on 127.0.0.1; 0 takes any free port
        #[arg(long, value_name = "PORT", default_value_t = 3000, value_parser = number(0_u16, u16::MAX, 3000))]
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
        /// The renderer that mdBook asks about
        #[arg(requires = "question")]
        renderer: Option<String>,
    },
}

/// Where the book comes from and goes to.
#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// Where the pages go [default: as book.toml says, book/book; without a book here, netlayers-book]
    #[arg(long, value_name = "FOLDER")]
    pub(super) dest: Option<PathBuf>,
    /// The folder of the book [default: book, or that of the source tree this program was built from]
    #[arg(long, value_name = "FOLDER")]
    pub(super) source: Option<PathBuf>,
}

/// Where the pages go when the book is not that of the current folder.
const ELSEWHERE: &str = "netlayers-book";

/// Runs `netlayers book`.
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
    let here = PathBuf::from("book");
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
    let is_book = |folder: &Path| folder.join("book.toml").is_file();
    let (source, dest) = match (&args.source, &args.dest) {
        (Some(source), dest) => (source.clone(), dest.clone()),
        (None, dest) if is_book(&here) || !is_book(&built) => (here, dest.clone()),
        // Read from the tree that this program was built from, but never written into it.
        (None, dest) => (built, Some(dest.clone().unwrap_or_else(|| ELSEWHERE.into()))),
    };
    book::build(&source, dest.as_deref()).map_err(|error| failed(&error))
}

fn serve(pages: &Path, port: u16, out: &mut Output) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("starting the server", &error))?;
    runtime.block_on(async {
        let wanted = Wanted {
            command: "netlayers book serve",
            address_option: "",
            address: IpAddr::from([127, 0, 0, 1]),
            port,
            usual: 3000,
        };
        let files = StaticFiles::of(pages)
            .map_err(|error| CliError::io(&format!("opening {}", pages.display()), &error))?;
        let listener =
            event_loop::listen((wanted.address, port).into()).map_err(|error| wanted.refused(&error))?;
        let address =
            listener.local_addr().map_err(|error| CliError::io("asking for the address", &error))?;
        out.line(format!("http://{address}/"))?;
        out.flush()?;
        remark("the book is there for a browser on this machine; Ctrl-C ends it");
        files.serve(listener, std::future::pending()).await;
        Ok(())
    })
}

fn failed(error: &book::BookError) -> CliError {
    CliError::Failed(error.to_string())
}
