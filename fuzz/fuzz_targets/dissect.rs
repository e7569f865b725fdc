//! Dissection of a run of any frames: no panic, and the parts cover each frame without gap or overlap.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::view::dissect::Conversations;

fuzz_target!(|frames: Vec<(bool, Vec<u8>)>| {
    let mut conversations = Conversations::new();
    for (ethernet, frame) in frames {
        let packet = if ethernet { conversations.feed(&frame) } else { conversations.feed_packet(&frame) };
        let mut end = 0;
        for part in &packet.dissection.parts {
            assert_eq!(part.range.start, end, "no gap and no overlap");
            end = part.range.end;
        }
        assert_eq!(end, frame.len(), "every byte is in a part");
        let _ = (packet.summary.info(), packet.summary.info_absolute());
    }
});
