//! Packets of any link type, of which a capture kept only a part: no panic, and the parts cover what was kept.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::view::dissect::{Conversations, LinkType, Start};

fuzz_target!(|packets: Vec<(u16, u16, u32, Vec<u8>)>| {
    let mut conversations = Conversations::new();
    let mut now = 0;
    for (link, more, pause, bytes) in packets {
        now += u64::from(pause);
        let original_len = bytes.len() + usize::from(more);
        // Most numbers are no link type that is read.
        let link = LinkType::from_number(if link % 3 == 0 { 1 } else { link % 300 });
        let packet = conversations.feed_captured(&bytes, Start { link, original_len, at_nanos: Some(now) });
        let mut end = 0;
        for part in &packet.dissection.parts {
            assert_eq!(part.range.start, end, "no gap and no overlap");
            end = part.range.end;
        }
        assert_eq!(end, bytes.len(), "every byte is in a part");
        assert!(!packet.summary.info().chars().any(char::is_control));
    }
});
