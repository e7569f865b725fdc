//! Engine.IO packets, as an HTTP body and as WebSocket messages: what was read can be written and read again.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use netlayers::layers::application::engineio::{Handshake, Packet};
use netlayers::layers::application::websocket::Message;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(packets) = Packet::from_payload(&Bytes::copy_from_slice(bytes)) {
        assert!(packets.len() <= bytes.len(), "every packet has a type");
        let mut body = BytesMut::new();
        packets.iter().for_each(|packet| packet.write_payload(&mut body));
        let said: usize = packets.iter().map(Packet::payload_len).sum();
        assert!(body.len() <= said, "{} bytes, {said} were said", body.len());
        assert_eq!(Packet::from_payload(&body.freeze()).as_ref(), Ok(&packets));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(packet) = Packet::from_message(Message::from(text)) {
        assert_eq!(Packet::from_message(packet.to_message()), Ok(packet));
    }
    if let Ok(handshake) = Handshake::from_json(text) {
        assert_eq!(Handshake::from_json(handshake.to_json().as_str()), Ok(handshake));
    }
});
