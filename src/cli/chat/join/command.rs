//! What a typed line asks for.

/// One line, as the chat understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// An empty line.
    Nothing,
    /// Say it in the present room.
    Say(String),
    /// Join a room, or go back to it.
    Join(String),
    /// Leave a room; the present one when none is named.
    Leave(Option<String>),
    /// Which rooms there are.
    Rooms,
    /// Say something to one person.
    Msg { to: String, text: String },
    /// The members of a room; of the present one when none is named.
    Who(Option<String>),
    /// Take another name.
    Nick(String),
    /// Older messages of the present room.
    History,
    /// What can be typed.
    Help,
    /// Leave the chat.
    Quit,
    /// It cannot be done; why, and what to type instead.
    Wrong(String),
}

/// What can be typed, for `/help` and for the help of the command line.
pub(super) const HELP: &str = concat!(
    "  /join ROOM      join a room, or go back to one\n",
    "  /leave [ROOM]   leave a room\n",
    "  /rooms          which rooms there are\n",
    "  /who [ROOM]     who is here, and who is typing\n",
    "  /msg NAME TEXT  say something to one person; a NAME with blanks in \"...\"\n",
    "  /nick NAME      call yourself something else\n",
    "  /history        older messages\n",
    "  /help           this\n",
    "  /quit           leave the chat\n",
    "Everything else is said in the room; //text says /text there.",
);

const NAMES: [&str; 9] = ["join", "leave", "rooms", "who", "msg", "nick", "history", "help", "quit"];

impl Command {
    /// Reads a line.
    pub(super) fn of(line: &str) -> Self {
        let line = line.trim();
        let Some(typed) = line.strip_prefix('/') else {
            return if line.is_empty() { Command::Nothing } else { Command::Say(line.into()) };
        };
        if typed.starts_with('/') {
            return Command::Say(typed.into());
        }
        let (name, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let rest = rest.trim();
        let room = || rest.strip_prefix('#').unwrap_or(rest).to_owned();
        let maybe_room = || if rest.is_empty() { None } else { Some(room()) };
        match (name.to_lowercase().as_str(), rest) {
            ("join", "") => Command::Wrong("/join takes the name of a room, such as /join tea".into()),
            ("join", _) => Command::Join(room()),
            ("leave", _) => Command::Leave(maybe_room()),
            ("rooms", "") => Command::Rooms,
            ("who", _) => Command::Who(maybe_room()),
            ("msg", _) => match addressed(rest) {
                Some((to, text)) => Command::Msg { to, text },
                None => Command::Wrong("/msg takes a name and a text, such as /msg ada hello".into()),
            },
            ("nick", "") => Command::Wrong("/nick takes a name, such as /nick ada".into()),
            ("nick", name) => Command::Nick(name.into()),
            ("history", "") => Command::History,
            ("help" | "?", "") => Command::Help,
            ("quit" | "exit" | "q", "") => Command::Quit,
            ("rooms" | "history" | "help" | "quit" | "exit" | "?" | "q", _) => {
                Command::Wrong(format!("/{name} takes nothing after it"))
            }
            (unknown, _) => Command::Wrong(meant(unknown)),
        }
    }
}

/// A name, in quotation marks when there are blanks in it, and what follows it.
fn addressed(rest: &str) -> Option<(String, String)> {
    let (to, text) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_once(char::is_whitespace)?,
    };
    let (to, text) = (to.trim(), text.trim());
    if to.is_empty() || text.is_empty() { None } else { Some((to.into(), text.into())) }
}

fn meant(unknown: &str) -> String {
    let near = NAMES.iter().map(|name| (strsim::osa_distance(name, unknown), name)).min();
    let shown = crate::view::look::escape(unknown);
    match near {
        Some((distance, name)) if distance <= 2 && distance < unknown.chars().count() => {
            format!("there is no /{shown}; did you mean /{name}?")
        }
        _ => format!("there is no /{shown}; /help says what there is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_unless_they_begin_with_one_slash() {
        assert_eq!(Command::of("  hello /who "), Command::Say("hello /who".into()));
        assert_eq!(Command::of("//who"), Command::Say("/who".into()));
        assert_eq!(Command::of("   "), Command::Nothing);
        assert_eq!(Command::of("/JOIN #tea"), Command::Join("tea".into()));
        assert_eq!(Command::of("/leave"), Command::Leave(None));
        assert_eq!(Command::of("/who tea"), Command::Who(Some("tea".into())));
        let msg = |to: &str, text: &str| Command::Msg { to: to.into(), text: text.into() };
        assert_eq!(Command::of("/msg ada  are you there?"), msg("ada", "are you there?"));
        assert_eq!(Command::of("/msg \"Ada Lovelace\" hi"), msg("Ada Lovelace", "hi"));
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        let wrong = |line: &str| match Command::of(line) {
            Command::Wrong(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(wrong("/jion tea"), "there is no /jion; did you mean /join?");
        assert_eq!(wrong("/hisotry"), "there is no /hisotry; did you mean /history?");
        assert_eq!(wrong("/dance"), "there is no /dance; /help says what there is");
        assert_eq!(wrong("/quit now"), "/quit takes nothing after it");
        assert!(wrong("/msg ada").contains("such as /msg ada hello"));
        assert!(wrong("/\u{1b}[2J").starts_with("there is no /\\u{1b}"));
    }
}
