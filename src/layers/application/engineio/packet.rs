//! Engine.IO packets, and their two encodings: one WebSocket message each, or several in one HTTP body.
//!
//! | type | digit | sender |
//! |---|---|---|
//! | open | 0 | the server, first: the [`Handshake`] |
//! | close | 1 | either end: by polling, the only way to say it; by WebSocket, a client's word before its Close frame |
//! | ping, pong | 2, 3 | the server asks, the client answers; with `probe` the other way round, to try a WebSocket |
//! | message | 4 | either end: what the layer above says |
//! | upgrade | 5 | the client: from here on by WebSocket |
//! | noop | 6 | the server, to end a poll that has nothing to bring |
//!
//! A WebSocket distinguishes text from bytes, so a message of bytes is sent there as it is, without a type. An HTTP
//! body here is text: bytes become `b` and base64, and packets are separated by 0x1E, which JSON cannot contain. A
//! client whose WebSocket cannot carry bytes (`forceBase64`) writes them so there too, and is understood.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::PROTOCOL;
use crate::base::{Duration, Errors, Layer, ParseError};
use crate::layers::application::websocket::{Message, Utf8Bytes};

/// The separator between two packets of one HTTP body: the ASCII character "record separator".
pub const SEPARATOR: u8 = 0x1e;

/// What is wrong with what a peer sent.
const ERRORS: Errors = Errors::of(Layer::Application, PROTOCOL);

/// One packet, without its encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// The session is open; the text is a [`Handshake`] in JSON.
    Open(Utf8Bytes),
    /// The session is over.
    Close,
    /// The heartbeat's question, from the server.
    Ping(Utf8Bytes),
    /// Its answer, from the client, with the same text.
    Pong(Utf8Bytes),
    /// What the layer above says.
    Message(Message),
    /// From here on by WebSocket.
    Upgrade,
    /// Says nothing: the server answers a poll with it when the session moves to WebSocket.
    Noop,
}

/// What the server sends a client that opens a session. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshake {
    /// The session's id, to be given with every request.
    pub sid: String,
    /// The transports the client may change to.
    pub upgrades: Vec<String>,
    /// Time from one ping of the server to the next.
    pub ping_interval: u64,
    /// Time the client has to answer one.
    pub ping_timeout: u64,
    /// Bytes that one HTTP body, or one WebSocket message, may have.
    pub max_payload: u64,
}

impl Packet {
    /// The probe's ping and pong carry this word.
    pub const PROBE: &'static str = "probe";

    /// Reads the packet that a WebSocket message is.
    ///
    /// # Errors
    /// Malformed when it has no type, or one there is not.
    pub fn from_message(message: Message) -> Result<Self, ParseError> {
        match message {
            Message::Binary(_) => Ok(Packet::Message(message)),
            Message::Text(text) => Self::from_text(text.as_bytes(), 0),
        }
    }

    /// The WebSocket message that this packet is.
    pub fn to_message(&self) -> Message {
        match self {
            Packet::Message(Message::Binary(bytes)) => Message::Binary(bytes.clone()),
            other => {
                let mut text = BytesMut::with_capacity(1 + other.text().len());
                other.write_text(&mut text);
                Message::Text(Utf8Bytes::try_from(text.freeze()).unwrap_or_default())
            }
        }
    }

    /// Reads the packets of an HTTP body, of which there is at least one.
    ///
    /// # Errors
    /// Malformed when the body is not UTF-8, or any of its packets is none.
    pub fn from_payload(body: &Bytes) -> Result<Vec<Self>, ParseError> {
        let mut packets = Vec::new();
        let mut at = 0;
        for piece in body.split(|&byte| byte == SEPARATOR) {
            let end = at + piece.len();
            packets.push(Self::from_text(&body.slice(at..end), at)?);
            at = end + 1;
        }
        Ok(packets)
    }

    /// Adds the packet to an HTTP body.
    pub fn write_payload(&self, body: &mut BytesMut) {
        if !body.is_empty() {
            body.put_u8(SEPARATOR);
        }
        match self {
            Packet::Message(Message::Binary(bytes)) => {
                body.put_u8(b'b');
                body.put_slice(STANDARD.encode(bytes).as_bytes());
            }
            other => other.write_text(body),
        }
    }

    /// Bytes it takes in an HTTP body, with the separator.
    pub fn payload_len(&self) -> usize {
        match self {
            Packet::Message(Message::Binary(bytes)) => 2 + bytes.len().div_ceil(3) * 4,
            other => 2 + other.text().len(),
        }
    }

    fn from_text(text: &Bytes, at: usize) -> Result<Self, ParseError> {
        let Some(&kind) = text.first() else {
            return Err(ERRORS.malformed("type", at, "a digit from 0 to 6, or b", "nothing"));
        };
        let data = || {
            Utf8Bytes::try_from(text.slice(1..)).map_err(|error| {
                ERRORS.malformed("data", at + 1 + error.valid_up_to(), "UTF-8", "other bytes")
            })
        };
        match kind {
            b'0' => Ok(Packet::Open(data()?)),
            b'1' => Ok(Packet::Close),
            b'2' => Ok(Packet::Ping(data()?)),
            b'3' => Ok(Packet::Pong(data()?)),
            b'4' => Ok(Packet::Message(Message::Text(data()?))),
            b'5' => Ok(Packet::Upgrade),
            b'6' => Ok(Packet::Noop),
            b'b' => STANDARD
                .decode(&text[1..])
                .map(|bytes| Packet::Message(Message::Binary(bytes.into())))
                .map_err(|error| ERRORS.malformed("data", at + 1, "base64 (RFC 4648 §4)", error.to_string())),
            other => {
                Err(ERRORS.malformed("type", at, "a digit from 0 to 6, or b", format!("byte 0x{other:02x}")))
            }
        }
    }

    fn write_text(&self, out: &mut BytesMut) {
        out.put_u8(match self {
            Packet::Open(_) => b'0',
            Packet::Close => b'1',
            Packet::Ping(_) => b'2',
            Packet::Pong(_) => b'3',
            Packet::Message(_) => b'4',
            Packet::Upgrade => b'5',
            Packet::Noop => b'6',
        });
        out.put_slice(self.text());
    }

    /// What follows the type.
    fn text(&self) -> &[u8] {
        match self {
            Packet::Open(text) | Packet::Ping(text) | Packet::Pong(text) => text.as_bytes(),
            Packet::Message(message) => message.as_bytes(),
            Packet::Close | Packet::Upgrade | Packet::Noop => &[],
        }
    }
}

impl Handshake {
    /// As the JSON that an open packet carries.
    pub fn to_json(&self) -> Utf8Bytes {
        // A struct of strings and numbers cannot fail to be JSON.
        serde_json::to_string(self).unwrap_or_default().into()
    }

    /// How long the server may be silent: it pings once in an interval, and a ping may be as late as a pong may. A day
    /// at most, whatever the server says.
    pub(super) fn patience(&self) -> Duration {
        let millis = self.ping_interval.saturating_add(self.ping_timeout);
        Duration::from_millis(millis.min(24 * 3600 * 1000))
    }

    /// Reads the JSON of an open packet.
    ///
    /// # Errors
    /// Malformed when it is not JSON, or a field is missing.
    pub fn from_json(text: &str) -> Result<Self, ParseError> {
        serde_json::from_str(text).map_err(|error| {
            ERRORS.malformed("handshake", error.column(), "a JSON object with sid", error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Packet {
        Packet::Message(Message::Text(text.into()))
    }

    #[test]
    fn a_body_holds_several_packets() {
        let body = Bytes::from_static(b"4hello\x1e2\x1ebAQIDBA==\x1e4");
        let packets = vec![
            text("hello"),
            Packet::Ping(Utf8Bytes::default()),
            Packet::Message(Message::Binary(Bytes::from_static(&[1, 2, 3, 4]))),
            text(""),
        ];
        assert_eq!(Packet::from_payload(&body).unwrap(), packets);
        let mut written = BytesMut::new();
        packets.iter().for_each(|packet| packet.write_payload(&mut written));
        assert_eq!(written, body);
        assert_eq!(packets.iter().map(Packet::payload_len).sum::<usize>(), written.len() + 1);
    }

    #[test]
    fn bytes_may_be_written_as_text_by_websocket_too() {
        let written = Packet::from_message(Message::Text("bAQIDBA==".into())).unwrap();
        assert_eq!(written, Packet::Message(Message::Binary(Bytes::from_static(&[1, 2, 3, 4]))));
        assert!(Packet::from_message(Message::Text("b!".into())).is_err());
    }

    #[test]
    fn what_is_no_packet_is_refused_with_its_place() {
        for (body, offset) in
            [("", 0), ("abc", 0), ("4a\x1e", 3), ("4a\x1e7", 3), ("b!", 1), ("4\u{e9}\x1ebA", 5)]
        {
            let error = Packet::from_payload(&Bytes::from_static(body.as_bytes())).unwrap_err();
            assert_eq!(error.offset, offset, "{body:?}: {error}");
        }
        assert!(Packet::from_payload(&Bytes::from_static(b"4\xff")).is_err());
        assert!(Packet::from_message(Message::Text("".into())).is_err());
    }

    #[test]
    fn a_handshake_has_the_names_that_clients_look_for() {
        let handshake = Handshake {
            sid: "x".into(),
            upgrades: vec!["websocket".into()],
            ping_interval: 300,
            ping_timeout: 200,
            max_payload: 1_000_000,
        };
        let json = handshake.to_json();
        assert_eq!(
            json.as_str(),
            r#"{"sid":"x","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}"#
        );
        assert_eq!(Handshake::from_json(json.as_str()).unwrap(), handshake);
        assert!(Handshake::from_json("{}").is_err());
    }

    fn packets() -> impl Strategy<Value = Packet> {
        prop_oneof![
            Just(Packet::Close),
            Just(Packet::Upgrade),
            Just(Packet::Noop),
            "[^\x1e]{0,8}".prop_map(|t| Packet::Open(t.into())),
            "[^\x1e]{0,8}".prop_map(|t| Packet::Ping(t.into())),
            "[^\x1e]{0,8}".prop_map(|t| Packet::Pong(t.into())),
            "[^\x1e]{0,8}".prop_map(|t| text(&t)),
            prop::collection::vec(any::<u8>(), 0..8).prop_map(|b| Packet::Message(Message::Binary(b.into()))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn packets_come_back_as_they_were(packets in prop::collection::vec(packets(), 1..5)) {
            let mut body = BytesMut::new();
            packets.iter().for_each(|packet| packet.write_payload(&mut body));
            prop_assert_eq!(&Packet::from_payload(&body.freeze()).unwrap(), &packets);
            for packet in packets {
                prop_assert_eq!(Packet::from_message(packet.to_message()).unwrap(), packet);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Packet::from_payload(&Bytes::from(body));
        }
    }
}
