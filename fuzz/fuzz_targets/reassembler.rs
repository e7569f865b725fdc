//! The reassembly of fragments: bounded whatever comes, and never a datagram longer than IPv4 can have.

#![no_main]

use std::net::Ipv4Addr;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::base::{Duration, Instant};
use netlayers::layers::internet::fragment::reassembler::{MAX_BYTES, MAX_DATAGRAMS, Outcome, Reassembler};
use netlayers::layers::internet::ipv4::Ipv4Header;

#[derive(Debug, Arbitrary)]
struct Fragment {
    source: u8,
    identification: u8,
    more: bool,
    offset: u16,
    len: u16,
    wait_ms: u16,
}

fuzz_target!(|fragments: Vec<Fragment>| {
    let mut reassembler = Reassembler::new();
    let mut now = Instant::ZERO;
    for fragment in fragments {
        now += Duration::from_millis(fragment.wait_ms.into());
        let source = Ipv4Addr::new(10, 0, 0, fragment.source);
        let len = usize::from(fragment.len) % 4096;
        let header = Ipv4Header {
            identification: fragment.identification.into(),
            more_fragments: fragment.more,
            fragment_offset: fragment.offset & 0x1fff,
            ..Ipv4Header::new(source, Ipv4Addr::new(10, 0, 1, 1), 17, len)
        };
        if let Outcome::Complete(header, payload) = reassembler.accept(now, &header, vec![9; len].into()) {
            assert!(!header.is_fragment() && header.payload_len() == payload.len());
            assert!(usize::from(header.total_len) == header_len(&header) + payload.len());
        }
        reassembler.expire(now);
        assert!(reassembler.bytes() <= MAX_BYTES && reassembler.len() <= MAX_DATAGRAMS);
    }
});

fn header_len(header: &Ipv4Header) -> usize {
    use netlayers::base::Header as _;
    header.header_len()
}
