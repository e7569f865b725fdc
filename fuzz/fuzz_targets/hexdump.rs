//! Pasted text: any bytes as a hexdump. What comes out is packets that are not empty, or a reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::view::capture::hexdump;

fuzz_target!(|text: &[u8]| {
    if let Ok(packets) = hexdump::packets(text) {
        assert!(!packets.is_empty() && packets.iter().all(|packet| !packet.is_empty()));
    }
});
