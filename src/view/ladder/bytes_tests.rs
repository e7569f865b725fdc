//! Ladders of real bytes: headers of our own stack, dissected and drawn as any run is.

use bytes::Bytes;
use insta::assert_snapshot;

use super::{LadderOptions, side_by_side, single, single_with};
use crate::base::{Duration, Header, Instant, Writer};
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::link::ethernet::{EtherType, EthernetHeader, MacAddr};
use crate::layers::transport::tcp::{Flags, Options, Segment, SeqNumber, TcpHeader, TcpOption};
use crate::trace::{Event, FrameId, Kind, LinkId, Place, PlaceId, Trace, Wire};
use crate::view::look::Look;

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
const LOOK: Look = Look { width: 80, ascii: false, colour: false, absolute: false };

struct Capture {
    trace: Trace,
    frames: u64,
}

impl Capture {
    fn new() -> Self {
        let mut trace = Trace::new("TCP", Wire::Sim);
        for (name, address) in [("client", CLIENT), ("server", SERVER)] {
            trace.places.push(Place { name: name.to_owned(), addresses: vec![address.into()] });
        }
        Capture { trace, frames: 0 }
    }

    /// A segment sent at a time in milliseconds, which arrives 20 ms later or is lost.
    fn segment(
        &mut self,
        millis: u64,
        from: u16,
        (flags, seq, ack): (Flags, u32, u32),
        payload: &[u8],
        lost: bool,
    ) {
        let ends = [(CLIENT, 40_000, 0xffff_fff0), (SERVER, 80, 1_000)];
        let (us, them) = (ends[usize::from(from)], ends[usize::from(1 - from)]);
        let mut options = Options::none();
        if flags.has(Flags::SYN) {
            options.push(TcpOption::MaximumSegmentSize(1460));
        }
        let header = TcpHeader {
            source_port: us.1,
            destination_port: them.1,
            seq: SeqNumber(seq.wrapping_add(us.2)),
            ack: if flags.has(Flags::ACK) { SeqNumber(ack.wrapping_add(them.2)) } else { SeqNumber(0) },
            flags,
            window: 65_535,
            urgent: 0,
            options,
        };
        let segment = Segment { header, payload: Bytes::copy_from_slice(payload) };
        let (mut packet, mut w) = (Writer::new(), Writer::new());
        segment.emit(us.0.into(), them.0.into(), &mut packet);
        let packet = packet.finish();
        EthernetHeader {
            destination: MacAddr::local(2),
            source: MacAddr::local(1),
            ethertype: EtherType::IPV4,
        }
        .emit(&mut w);
        Ipv4Header::new(us.0.into(), them.0.into(), 6, packet.len()).emit(&mut w);
        w.bytes(&packet);
        let (frame, to) = (FrameId(self.frames), PlaceId(1 - from));
        self.frames += 1;
        let at = Instant::from_millis(millis);
        self.trace.events.push(Event {
            at,
            place: PlaceId(from),
            kind: Kind::Sent { frame, link: LinkId(0), to, bytes: w.finish() },
        });
        let (at, kind) = match lost {
            true => (at, Kind::Dropped { frame, by: "loss 20 %".into() }),
            false => (at + Duration::from_millis(20), Kind::Delivered { frame }),
        };
        self.trace.events.push(Event { at, place: to, kind });
        self.trace.events.sort_by_key(|event| event.at);
    }
}

fn upgrade_over_a_lossy_line() -> Trace {
    let mut run = Capture::new();
    let (syn, ack, fin) = (Flags::SYN, Flags::ACK, Flags::FIN);
    let syn_ack = syn.with_if(true, ack);
    let request: &[u8] =
        b"GET /chat HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let response: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    // "Hello", masked, as in RFC 6455 section 5.7.
    let frame: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let (q, p, f) = (request.len() as u32, response.len() as u32, frame.len() as u32);
    run.segment(0, 0, (syn, 0, 0), b"", false);
    run.segment(20, 1, (syn_ack, 0, 1), b"", false);
    run.segment(40, 0, (ack, 1, 1), b"", false);
    run.segment(40, 0, (ack, 1, 1), request, true);
    run.segment(240, 0, (ack, 1, 1), request, false);
    run.segment(260, 1, (ack, 1, 1 + q), response, false);
    run.segment(280, 0, (ack, 1 + q, 1 + p), frame, false);
    run.segment(300, 1, (ack, 1 + p, 1 + q + f), b"", false);
    run.segment(320, 0, (fin.with_if(true, ack), 1 + q + f, 1 + p), b"", false);
    run.trace
}

#[test]
fn bytes_of_our_own_stack_become_a_ladder() {
    assert_snapshot!(single(&upgrade_over_a_lossy_line(), &LOOK), @r#"
    TCP
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
         0              ├── SYN seq=0 win=65535 mss=1460 ────────────►│
        20              │◄── SYN ACK seq=0 ack=1 win=65535 mss=1460 ──┤
        40              ├── ACK seq=1 ack=1 win=65535 ───────────────►│
                        ├── GET /chat HTTP/1.1 ──✗ loss 20 %          │
       240              ├── ↻ GET /chat HTTP/1.1 seq=1 len=149 ──────►│
       260              │◄─── 101 Switching Protocols seq=1 len=129 ──┤
       280              ├── WS text fin masked 5 B seq=150 len=11 ───►│
       300              │◄─────────── ACK seq=130 ack=161 win=65535 ──┤
       320              ├── FIN ACK seq=161 ack=130 ─────────────────►│
                        │                                             │
           ✗ lost   ↻ sent again
    "#);
}

#[test]
fn the_same_bytes_with_the_numbers_on_the_wire() {
    assert_snapshot!(single(&upgrade_over_a_lossy_line(), &Look { absolute: true, ..LOOK }), @r#"
    TCP
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
         0              ├── SYN seq=4294967280 win=65535 mss=1460 ───►│
        20              │◄───────── SYN ACK seq=1000 ack=4294967281 ──┤
        40              ├── ACK seq=4294967281 ack=1001 win=65535 ───►│
                        ├── GET /chat HTTP/1.1 ──✗ loss 20 %          │
                        │  seq=4294967281 len=149                     │
       240              ├── ↻ GET /chat HTTP/1.1 seq=4294967281 ─────►│
                        │  len=149                                    │
       260              │◄──────── 101 Switching Protocols seq=1001 ──┤
                        │                                    len=129  │
       280              ├── WS text fin masked 5 B seq=134 len=11 ───►│
       300              │◄────────── ACK seq=1130 ack=145 win=65535 ──┤
       320              ├── FIN ACK seq=145 ack=1130 ────────────────►│
                        │                                             │
           ✗ lost   ↻ sent again
    "#);
}

#[test]
fn the_same_run_twice_side_by_side() {
    let run = upgrade_over_a_lossy_line();
    let picture = side_by_side(&[("left", &run), ("right", &run)], &LOOK).to_string();
    assert!(picture.lines().any(|line| line.matches("GET /chat").count() == 2), "{picture}");
    assert!(picture.lines().any(|line| line.matches("101 Switching Protocols").count() == 2), "{picture}");
}

#[test]
fn a_whole_ladder_is_longer_than_a_short_one() {
    let mut run = Capture::new();
    for i in 0..60 {
        run.segment(i, 0, (Flags::ACK, 1 + 100 * i as u32, 1), &[b'x'; 100], false);
    }
    let short = single(&run.trace, &LOOK).to_string();
    let whole =
        single_with(&run.trace, &LOOK, LadderOptions { whole: true, ..LadderOptions::default() }).to_string();
    assert!(short.contains(" segments, "), "{short}");
    assert_eq!(whole.matches("len=100").count(), 60);
}
