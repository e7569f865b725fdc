//! What may be said, and by what name: every bound of the chat, and the words for what is refused.

use unicode_normalization::UnicodeNormalization as _;

use super::super::hub::Refusal;
use crate::base::{Duration, is_joiner, joins};
use crate::layers::application::socketio::Value;

/// The bounds of the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Characters of a person's or a room's name.
    pub name: usize,
    /// Characters of what is said at once.
    pub text: usize,
    /// Rooms of one person at a time.
    pub rooms_per_person: usize,
    /// Messages of one page of history.
    pub page: usize,
    /// People or rooms in one answer; `count` says how many there are.
    pub listed: usize,
    /// How long `typing` holds when it is not repeated.
    pub typing: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            name: 32,
            text: 4000,
            rooms_per_person: 32,
            page: 50,
            listed: 1000,
            typing: Duration::from_secs(6),
        }
    }
}

/// What cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No name for a person.
    #[error("a name has 1 to {0} visible characters")]
    Name(usize),
    /// The name is in use.
    #[error("{0} is taken: choose another name, or wait until it is free")]
    Taken(String),
    /// No name for a room.
    #[error("a room's name has 1 to {0} visible characters")]
    Room(usize),
    /// It is in no such room.
    #[error("join {0} first")]
    NotInRoom(String),
    /// It is in as many as it may be.
    #[error("no more than {0} rooms at a time: leave one first")]
    TooManyRooms(usize),
    /// No text, or too much.
    #[error("a message has 1 to {0} characters")]
    Text(usize),
    /// There is no one of this name.
    #[error("nobody here is called {0}")]
    Nobody(String),
    /// The id is empty, too long, or not a text.
    #[error("a clientId is a text of 1 to {} characters", Rules::CLIENT_ID)]
    ClientId,
    /// The socket is not in the chat any more.
    #[error("you are not in the chat")]
    Outside,
}

impl Trouble {
    /// The code that programs act on, such as `E_TAKEN`.
    pub fn code(&self) -> &'static str {
        match self {
            Trouble::Name(_) => "E_NAME",
            Trouble::Taken(_) => "E_TAKEN",
            Trouble::Room(_) => "E_ROOM",
            Trouble::NotInRoom(_) => "E_NOT_IN_ROOM",
            Trouble::TooManyRooms(_) => "E_ROOMS",
            Trouble::Text(_) => "E_TEXT",
            Trouble::Nobody(_) => "E_NOBODY",
            Trouble::ClientId => "E_CLIENT_ID",
            Trouble::Outside => "E_OUTSIDE",
        }
    }

    /// As an event is answered.
    pub(super) fn answer(&self) -> Value {
        Value::object([
            ("ok", false.into()),
            ("error", self.to_string().into()),
            ("code", self.code().into()),
        ])
    }

    /// As a CONNECT is refused.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::new(self.to_string()).with(Value::object([("code", self.code().into())]))
    }
}

impl Rules {
    /// Characters of a clientId.
    pub const CLIENT_ID: usize = 64;

    /// A person's name, without the blanks around it.
    pub(super) fn name<'a>(&self, name: &'a str) -> Result<&'a str, Trouble> {
        self.visible(name).ok_or(Trouble::Name(self.name))
    }

    /// A room's name, without the blanks around it.
    pub(super) fn room<'a>(&self, room: &'a str) -> Result<&'a str, Trouble> {
        self.visible(room).ok_or(Trouble::Room(self.name))
    }

    fn visible<'a>(&self, name: &'a str) -> Option<&'a str> {
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().count() <= self.name && is_all_visible(name);
        is_name.then_some(name)
    }

    /// What is said, without the control characters that a terminal would obey; line ends and tabs stay.
    pub(super) fn text(&self, text: &str) -> Result<String, Trouble> {
        let text = clean(text.trim_end());
        let is_said = !text.trim().is_empty() && text.chars().count() <= self.text;
        is_said.then_some(text).ok_or(Trouble::Text(self.text))
    }

    /// The sender's own id of what is said, when there is one.
    pub(super) fn client_id<'a>(&self, id: Option<&'a Value>) -> Result<Option<&'a str>, Trouble> {
        match id {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(id)) if (1..=Self::CLIENT_ID).contains(&id.chars().count()) => Ok(Some(id)),
            Some(_) => Err(Trouble::ClientId),
        }
    }
}

/// Two names are the same when they fold to the same: in compatibility form (NFKC) and lower case, as `Ａｄａ`, `ADA` and
/// `Ada` are. Joiners do not count, for with and without them a name may look alike.
///
/// Unicode's NFKC_Casefold (Core Specification §3.13, D146) goes through these forms too, with a table of its own for what to
/// ignore. Upper case first makes one of letters that have several small forms (`ß` and `ss`, `σ` and `ς`); lower case may
/// leave a sequence that composes, so NFKC is applied again.
pub(super) fn fold(name: &str) -> String {
    let compatible: String = name.trim().nfkc().filter(|c| !is_joiner(*c)).collect();
    compatible.to_uppercase().to_lowercase().replace('ς', "σ").nfkc().collect()
}

/// The hub's name for a room of the chat. A socket's id is a room of the hub too, and no client may join that one by
/// its name: private messages go there.
pub(super) fn hub_room(room: &str) -> String {
    format!("#{room}")
}

/// Without control characters, except for line ends and tabs.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|&c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}

/// Whether all of a name shows. A joiner does where it joins something.
fn is_all_visible(name: &str) -> bool {
    let mut before = None;
    let mut characters = name.chars().peekable();
    while let Some(c) = characters.next() {
        let shows = is_visible(c) || (is_joiner(c) && joins(before, characters.peek().copied()));
        if !shows {
            return false;
        }
        before = Some(c);
    }
    true
}

/// Whether a character shows: not a control character, and none that is invisible or turns the direction of writing,
/// with which one name could be made to look like another.
fn is_visible(c: char) -> bool {
    let is_hidden = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !is_hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_visible_and_bounded() {
        let rules = Rules::default();
        assert_eq!(rules.name("  Ada Lovelace "), Ok("Ada Lovelace"));
        assert_eq!(rules.name("Zoë 🦀"), Ok("Zoë 🦀"));
        for joined in ["علی\u{200c}رضا", "ශ\u{dca}\u{200d}රී", "👩\u{200d}🚀"] {
            assert_eq!(rules.name(joined), Ok(joined));
        }
        assert_eq!(rules.name("a\u{200d}da"), Err(Trouble::Name(32)));
        assert_eq!(rules.name(&"é".repeat(32)), Ok("é".repeat(32).as_str()));
        for wrong in
            ["", "  ", "a\nb", "\u{1b}[31mred", "a\u{202e}b", "\u{200b}", "a\u{9b}b", &"x".repeat(33)]
        {
            assert_eq!(rules.name(wrong), Err(Trouble::Name(32)), "{wrong:?}");
        }
    }

    #[test]
    fn names_that_look_alike_are_the_same() {
        for (one, other) in [
            (" ÄDA ", "äda"),
            ("Zoe\u{308}", "zoë"),
            ("Ａｄａ", "Ada"),
            ("ﬁona", "Fiona"),
            ("Straße", "STRASSE"),
            ("Σοφος", "ΣΟΦΟΣ"),
            ("x²", "x2"),
            ("علی\u{200c}رضا", "علیرضا"),
        ] {
            assert_eq!(fold(one), fold(other), "{one:?} {other:?}");
        }
        for (one, other) in [("Ada", "Äda"), ("علی", "رضا"), ("ada 1", "ada 2")] {
            assert_ne!(fold(one), fold(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_text_loses_what_a_terminal_would_obey() {
        let rules = Rules::default();
        assert_eq!(rules.text("a\u{1b}[2Jb\r\n\tc\u{7}\u{9b}1m\n").as_deref(), Ok("a[2Jb\n\tc1m"));
        assert_eq!(rules.text(" \u{7}\n "), Err(Trouble::Text(4000)));
        assert_eq!(rules.text(&"x".repeat(4001)), Err(Trouble::Text(4000)));
        assert_eq!(rules.text("<b>&amp;").as_deref(), Ok("<b>&amp;"));
    }
}
