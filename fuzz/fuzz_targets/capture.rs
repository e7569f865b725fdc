//! Capture files, pcap and pcapng: any bytes as a file, each packet that comes out dissected. It must come to an end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::view::capture::Capture;
use netlayers::view::dissect::Conversations;

fuzz_target!(|file: &[u8]| {
    let Ok(capture) = Capture::open(file) else { return };
    let mut conversations = Conversations::new();
    // No packet takes up less than a block's eight bytes of frame around it.
    let most = file.len() / 8 + 1;
    let packets = capture.inspect(|packet| {
        if let Ok(packet) = packet {
            assert!(packet.bytes.len() <= file.len());
            let _ = packet.dissect(&mut conversations);
        }
    });
    assert!(packets.count() <= most);
});
