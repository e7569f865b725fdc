//! Socket.IO: any texts and attachments, in any order. What waits is bounded; a packet that was read can be written
//! and read again.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::layers::application::socketio::{Decoder, Encoded, Limits, Packet};

#[derive(Debug, Arbitrary)]
enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

const LIMITS: Limits = Limits { attachments: 3, attachment_bytes: 64, depth: 20 };

fuzz_target!(|messages: Vec<Message<'_>>| {
    let mut decoder = Decoder::new(LIMITS);
    for message in messages {
        let read = match message {
            Message::Text(text) => decoder.text(text),
            Message::Binary(bytes) => decoder.binary(Bytes::copy_from_slice(bytes)),
        };
        match read {
            Ok(None) => {}
            Ok(Some(packet)) => check(&packet),
            // The connection is over.
            Err(_) => return,
        }
    }
});

fn check(packet: &Packet) {
    assert!(packet.namespace.starts_with('/'));
    let written = packet.encode();
    assert!(written.attachments.len() <= LIMITS.attachments);
    assert!(written.attachments.iter().map(Bytes::len).sum::<usize>() <= LIMITS.attachment_bytes);
    // What goes through comes out the same, numbers to their last digit.
    assert_eq!(&read(&written), packet);
}

fn read(encoded: &Encoded) -> Packet {
    let mut decoder = Decoder::new(LIMITS);
    let mut packet = decoder.text(encoded.text.as_str()).expect("a packet of ours can be read");
    for attachment in &encoded.attachments {
        assert_eq!(packet, None, "attachments are waited for");
        packet = decoder.binary(attachment.clone()).expect("an attachment of ours can be read");
    }
    packet.expect("all attachments have come")
}
