//! `netlayers chat join`: a chat client for people, line by line.
//!
//! What comes is printed as it comes; what is typed is said, and commands begin with a slash. On a terminal the line
//! that is being typed stays whole below what is printed. Off a terminal there is no prompt, each line waits until the
//! one before it has its answer, and the end of the input is a wish to leave.

mod command;
mod editor;
mod keyboard;
mod session;
mod words;
mod xray;

use std::time::Duration;

use clap::Args;

use self::command::{Command, HELP};
use self::keyboard::{Keyboard, Typed};
use self::session::{Session, Standing};
use self::words::Shown;
use self::xray::XRay;
use super::super::error::CliError;
use super::super::output::{Output, remark};
use crate::chat::client::Config;
use crate::cli::authority::Authority;
use crate::cli::xray::Detail;
use crate::layers::application::socketio;
use crate::real::clock::unix_ms;
use crate::real::event_client::EventClient;
use crate::real::random;
use crate::real::shutdown;
use crate::real::websocket::{Builder, Url, WebSocketError};
use crate::view::sheet::{Line, Sheet, Tone, width};

/// `netlayers chat join`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers chat join http://127.0.0.1:8000
  netlayers chat join 127.0.0.1:8000 --name ada --room tea
  netlayers chat join 127.0.0.1:8000 --name ada --xray
  netlayers chat join 127.0.0.1:8000 --name ada --xray=full
  netlayers chat join https://localhost:8443 --ca authority.pem
  echo hello | netlayers chat join 127.0.0.1:8000", after_help = format!("What can be typed:\n{HELP}"))]
pub(in crate::cli) struct JoinArgs {
    /// Where the chat is, such as http://127.0.0.1:8000
    url: String,
    /// What to be called [default: your name on this machine]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The room to join first
    #[arg(long, value_name = "ROOM", default_value = "lobby")]
    room: String,
    #[command(flatten)]
    authority: Authority,
    /// Under each message, show in a line what each layer adds to it; with `=full` header by header
    #[arg(long, value_enum, value_name = "DETAIL", num_args = 0..=1, require_equals = true, default_missing_value = "short")]
    xray: Option<Detail>,
}

/// How long what was said may take to arrive after the end of the input.
const LAST_WORDS: Duration = Duration::from_secs(30);

pub(super) async fn run(args: &JoinArgs, out: &mut Output) -> Result<(), CliError> {
    let url = address(&args.url)?;
    let path = match url.resource.as_str() {
        "/" => socketio::PATH.to_owned(),
        other => other.to_owned(),
    };
    let mut xray = args.xray.map(|detail| XRay::new(detail, out.look));
    let seen = xray.as_ref().map(XRay::seen);
    let config = Config { hold_when_new: true, ..Config::default() };
    let mut network =
        EventClient::new(url.clone(), path, config, seen).builder(args.authority.trusted_by(Builder::new())?);
    let name = args.name.clone().unwrap_or_else(own_name);
    let room = args.room.strip_prefix('#').unwrap_or(&args.room);
    let mut session = Session::new(&name, room, random::session_ids()(), out.look);
    network.with(|client, now| session.enter(client, now));

    let mut keyboard = Keyboard::new();
    let mut screen = Screen { is_drawn: false };
    let mut typing = true;
    let last_words = tokio::time::sleep(LAST_WORDS);
    tokio::pin!(last_words);
    // Not the system's way to end a program, which leaves the terminal as it is.
    let ended = shutdown::of_terminal();
    tokio::pin!(ended);
    loop {
        let pictures = xray.as_mut().map(|xray| xray.look(network.stream())).unwrap_or_default();
        screen.show(session.take(), &pictures, &session, &keyboard, out)?;
        match &session.standing {
            Standing::Over(None) => {
                screen.clear(out)?;
                network.finish().await;
                return Ok(());
            }
            Standing::Over(Some(why)) => return Err(over(&url, why, network.client().is_inside("/"))),
            Standing::Outside | Standing::Inside | Standing::Away => {}
        }
        let settled = session.is_settled() && network.client().unsettled() == 0;
        if !typing && settled {
            network.with(|client, now| session.command(Command::Quit, client, now));
            continue;
        }
        let listens = typing
            && match session.standing {
                Standing::Outside | Standing::Over(_) => false,
                Standing::Inside => keyboard.is_terminal() || settled,
                Standing::Away => true,
            };
        tokio::select! {
            event = network.event() => {
                network.with(|client, now| session.event(event, client, now, unix_ms()));
            }
            typed = keyboard.next(), if listens => {
                match typed.map_err(|error| CliError::io("reading the keyboard", &error))? {
                    Typed::Line(line) => {
                        let command = Command::of(&line);
                        screen.typed(&line, &command, &session, &keyboard, out)?;
                        network.with(|client, now| session.command(command, client, now));
                    }
                    Typed::Changed => {
                        screen.draw(&session, &keyboard, out)?;
                        network.with(|client, now| session.typing(client, now));
                    }
                    Typed::Wrong(why) => session.remark(why),
                    Typed::Quit => network.with(|client, now| session.command(Command::Quit, client, now)),
                    Typed::Suspend => {
                        screen.clear(out)?;
                        keyboard.suspend().map_err(|error| CliError::io("leaving the terminal", &error))?;
                    }
                    Typed::End => {
                        typing = false;
                        last_words.as_mut().reset(tokio::time::Instant::now() + LAST_WORDS);
                    }
                }
            }
            () = &mut ended => network.with(|client, now| session.command(Command::Quit, client, now)),
            () = &mut last_words, if !typing => {
                let left = network.client().unsettled();
                return Err(CliError::Failed(format!("{left} of the messages could not be delivered")));
            }
        }
    }
}

/// What is printed, and below it the line that is being typed.
struct Screen {
    /// That line is there.
    is_drawn: bool,
}

impl Screen {
    fn show(
        &mut self,
        lines: Vec<Shown>,
        pictures: &Sheet,
        session: &Session,
        keyboard: &Keyboard,
        out: &mut Output,
    ) -> Result<(), CliError> {
        out.screen();
        if !lines.is_empty() || pictures.height() > 0 {
            self.clear(out)?;
        }
        for line in lines {
            match line {
                Shown::Result(line) => out.line(line)?,
                Shown::Remark(line) => {
                    out.flush()?;
                    remark(format!("-- {line}"));
                }
            }
        }
        out.sheet(pictures)?;
        if !self.is_drawn && matches!(session.standing, Standing::Inside | Standing::Away) {
            self.draw(session, keyboard, out)?;
        }
        out.flush()
    }

    /// Draws the line that is being typed, and puts the cursor where it is.
    fn draw(&mut self, session: &Session, keyboard: &Keyboard, out: &mut Output) -> Result<(), CliError> {
        if !keyboard.is_terminal() {
            return Ok(());
        }
        self.clear(out)?;
        let prompt = session.prompt();
        out.begin(Line::of(&prompt, Tone::Faint))?;
        let columns = width_now().unwrap_or(out.look.columns()).saturating_sub(width(&prompt) + 1);
        let (before, behind) = keyboard.view(columns);
        out.begin(Line::of(&before, Tone::Plain))?;
        if !behind.is_empty() {
            out.begin(Line::of(behind, Tone::Plain))?;
            // Back to the cursor. How wide it draws joined characters only the terminal knows, so the text before
            // the cursor is written once more.
            out.back_to_its_beginning()?;
            out.begin(Line::of(prompt, Tone::Faint).with(before, Tone::Plain))?;
        }
        self.is_drawn = true;
        out.flush()
    }

    /// A line was finished. What is said comes back from the server, as it comes to all; a command stays.
    fn typed(
        &mut self,
        line: &str,
        command: &Command,
        session: &Session,
        keyboard: &Keyboard,
        out: &mut Output,
    ) -> Result<(), CliError> {
        if !keyboard.has_echo() {
            self.clear(out)?;
            if !matches!(command, Command::Say(_) | Command::Nothing) {
                out.line(Line::of(session.prompt(), Tone::Faint).with(words::safe(line), Tone::Plain))?;
            }
        }
        self.is_drawn = false;
        Ok(())
    }

    fn clear(&mut self, out: &mut Output) -> Result<(), CliError> {
        if std::mem::replace(&mut self.is_drawn, false) {
            // To the beginning of the line, and what is on it away (ECMA-48 §8.3.41).
            out.clear_line()?;
        }
        out.flush()
    }
}

/// The width of the window, which may have been changed since the last line.
fn width_now() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Reads an address as people write it: with `http://`, `https://`, `ws://`, `wss://`, or nothing
/// before it.
fn address(text: &str) -> Result<Url, CliError> {
    let text = text.trim();
    let with_scheme = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => format!("ws://{rest}"),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => format!("wss://{rest}"),
        Some(_) => text.to_owned(),
        None => format!("ws://{text}"),
    };
    with_scheme.parse().map_err(|error: WebSocketError| CliError::Usage(error.to_string()))
}

/// The error for a chat that came to its end by itself.
fn over(url: &Url, why: &str, was_inside: bool) -> CliError {
    let hint = if was_inside || why.starts_with("not let in") || why.starts_with("the server put") {
        String::new()
    } else {
        format!("; is a chat served at {url}? start one with: netlayers chat serve")
    };
    CliError::Failed(format!("{why}{hint}"))
}

/// The user's name on this machine, or a guest's.
fn own_name() -> String {
    let known = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    known.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| {
        let number = random::numbers()() % 10_000;
        format!("guest{number:04}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for text in
            ["127.0.0.1:8000", "http://127.0.0.1:8000", "ws://127.0.0.1:8000/", "HTTP://127.0.0.1:8000"]
        {
            let url = address(text).unwrap();
            assert_eq!(
                (url.host.as_str(), url.port, url.resource.as_str()),
                ("127.0.0.1", 8000, "/"),
                "{text}"
            );
        }
        for text in ["https://a", "wss://a:443"] {
            assert_eq!(address(text).unwrap().to_string(), "wss://a/", "{text}");
        }
        for text in ["", "https://", "ftp://a", "a:b", "http://"] {
            assert!(matches!(address(text), Err(CliError::Usage(_))), "{text}");
        }
    }
}
