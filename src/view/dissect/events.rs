//! Engine.IO's packets, and Socket.IO's in them, in the text of a WebSocket message or of an HTTP body.
//!
//! Whether there are any is known from the request that began it: its query has `EIO=` (`engine.io-protocol` v4,
//! "HTTP long-polling" and "WebSocket"). What an Engine.IO message carries is Socket.IO unless the path is that of
//! Engine.IO alone, and as far as it begins like a packet of Socket.IO; everything else is data.

use super::application::Cut;
use crate::layers::application::engineio::{self, SEPARATOR};
use crate::layers::application::socketio;

/// The longest header of Socket.IO that is looked for; a longer namespace is data.
const LONGEST: usize = 512;

/// What a connection carries above HTTP or WebSocket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Above {
    /// Nothing that is known here.
    #[default]
    Unknown,
    EngineIo,
    SocketIo,
}

impl Above {
    /// Of a request's target.
    pub(super) fn of(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match query.split('&').any(|pair| pair.starts_with("EIO=")) {
            false => Above::Unknown,
            true if path.starts_with("/engine.io") => Above::EngineIo,
            true => Above::SocketIo,
        }
    }

    /// Reads a text that carries it.
    pub(super) fn packets(self, is_body: bool) -> Option<Packets> {
        (self != Above::Unknown).then(|| Packets {
            is_body,
            has_socket_io: self == Above::SocketIo,
            at: At::Type,
            begun: Vec::new(),
        })
    }
}

/// Reads the packets of one text, piece by piece.
#[derive(Debug, Clone)]
pub(super) struct Packets {
    /// Several packets, with separators; a WebSocket message is one.
    is_body: bool,
    has_socket_io: bool,
    at: At,
    /// The beginning of a Socket.IO header that came in an earlier piece.
    begun: Vec<u8>,
}

/// What comes next in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Type,
    SocketIo,
    Rest,
}

/// What some bytes are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// The type of an Engine.IO packet.
    EngineIo(u8),
    /// The byte between two of them.
    Separator,
    /// The header of a Socket.IO packet (or, when it was cut, its last bytes): all of it, in plain.
    SocketIo(Vec<u8>, Cut),
    /// A piece of such a header that goes on.
    HeaderPart,
    /// What a packet carries.
    Rest,
}

impl Packets {
    /// Takes at least one byte of what there is, masks off, and says how many and what they are. `ends` says that the
    /// text ends with these bytes.
    pub(super) fn step(&mut self, plain: &[u8], ends: bool) -> (usize, Piece) {
        let separator = plain.iter().position(|byte| self.is_body && *byte == SEPARATOR);
        let end = separator.unwrap_or(plain.len());
        if end == 0 {
            (self.at, self.begun) = (At::Type, Vec::new());
            return (1, Piece::Separator);
        }
        match self.at {
            At::Type => {
                let kind = plain[0];
                let is_known = engineio::header::type_name(kind).is_some();
                self.at = if kind == b'4' && self.has_socket_io { At::SocketIo } else { At::Rest };
                if is_known { (1, Piece::EngineIo(kind)) } else { (end, Piece::Rest) }
            }
            At::SocketIo => self.socket_io(&plain[..end], ends || separator.is_some()),
            At::Rest => (end, Piece::Rest),
        }
    }

    fn socket_io(&mut self, plain: &[u8], ends: bool) -> (usize, Piece) {
        let before = self.begun.len();
        let mut whole = std::mem::take(&mut self.begun);
        whole.extend_from_slice(&plain[..plain.len().min(LONGEST)]);
        let parts = socketio::header::Parts::of(&whole);
        let is_packet = socketio::header::type_name(whole[0]).is_some();
        let is_whole = parts.id < whole.len() || (ends && plain.len() < LONGEST);
        if !is_packet || (!is_whole && whole.len() >= LONGEST) || (is_whole && parts.id <= before) {
            self.at = At::Rest;
            return (plain.len(), Piece::Rest);
        }
        if !is_whole {
            self.begun = whole;
            return (plain.len(), Piece::HeaderPart);
        }
        self.at = At::Rest;
        whole.truncate(parts.id);
        (parts.id - before, Piece::SocketIo(whole, if before == 0 { Cut::Whole } else { Cut::InTwo }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], is_body: bool, at_once: usize) -> Vec<(usize, Piece)> {
        let mut packets = Above::SocketIo.packets(is_body).expect("it is known");
        let mut pieces = Vec::new();
        let mut done = 0;
        while done < text.len() {
            let end = (done + at_once).min(text.len());
            let (taken, piece) = packets.step(&text[done..end], end == text.len());
            pieces.push((taken, piece));
            done += taken;
        }
        pieces
    }

    #[test]
    fn a_message_is_engine_io_then_socket_io_then_data() {
        let whole = |text: &str| Piece::SocketIo(text.as_bytes().to_vec(), Cut::Whole);
        assert_eq!(
            read(br#"427["say","hi"]"#, false, 100),
            [(1, Piece::EngineIo(b'4')), (2, whole("27")), (12, Piece::Rest)]
        );
        assert_eq!(read(b"41/chat,", false, 100), [(1, Piece::EngineIo(b'4')), (7, whole("1/chat,"))]);
        assert_eq!(read(b"2probe", false, 100), [(1, Piece::EngineIo(b'2')), (5, Piece::Rest)]);
        assert_eq!(read(b"hello", false, 100), [(5, Piece::Rest)], "no packet");
        assert_eq!(read(b"4hello", false, 100), [(1, Piece::EngineIo(b'4')), (5, Piece::Rest)], "none in it");
    }

    #[test]
    fn a_body_is_packets_and_what_stands_between_them() {
        let pieces = read(b"40\x1e2\x1e42[1]", true, 100);
        let whole = |text: &str| Piece::SocketIo(text.as_bytes().to_vec(), Cut::Whole);
        assert_eq!(
            pieces,
            [
                (1, Piece::EngineIo(b'4')),
                (1, whole("0")),
                (1, Piece::Separator),
                (1, Piece::EngineIo(b'2')),
                (1, Piece::Separator),
                (1, Piece::EngineIo(b'4')),
                (1, whole("2")),
                (3, Piece::Rest),
            ]
        );
    }

    #[test]
    fn a_header_cut_anywhere_is_read_all_the_same() {
        let text = b"451-/chat,7[1]";
        for at_once in 1..text.len() {
            let found = read(text, false, at_once).into_iter().map(|(_, piece)| piece);
            let pieces: Vec<_> = found.filter(|piece| !matches!(piece, Piece::Rest)).collect();
            let header: usize = read(text, false, at_once)
                .iter()
                .filter(|(_, piece)| matches!(piece, Piece::SocketIo(..) | Piece::HeaderPart))
                .map(|(taken, _)| taken)
                .sum();
            assert_eq!(header, 10, "{at_once}: {pieces:?}");
        }
    }

    #[test]
    fn who_speaks_it_is_known_from_the_query() {
        assert_eq!(Above::of("/socket.io/?EIO=4&transport=polling"), Above::SocketIo);
        assert_eq!(Above::of("/chat/?t=1&EIO=4"), Above::SocketIo);
        assert_eq!(Above::of("/engine.io/?EIO=4"), Above::EngineIo);
        assert_eq!(Above::of("/socket.io/"), Above::Unknown);
        assert_eq!(Above::of("/?XEIO=4"), Above::Unknown);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_whole(
            text in prop::collection::vec(any::<u8>(), 0..64),
            is_body: bool,
            at_once in 1usize..70,
        ) {
            let taken: usize = read(&text, is_body, at_once).iter().map(|(taken, _)| taken).sum();
            prop_assert_eq!(taken, text.len());
        }
    }
}
