//! The pictures, so that a review shows what changed, and what must hold of every picture there can be.

use insta::assert_snapshot;

use super::LadderOptions;
use super::story::{
    Story, columns, crowd, long_transfer, message_on_real_sockets, message_over_tcp, message_over_udp,
    message_over_websocket, troubled_stream,
};
use crate::trace::{FrameId, Wire};
use crate::view::look::Look;
use crate::view::sheet::Subject;

const LOOK: Look = Look { width: 80, ascii: false, colour: false, absolute: false };

#[test]
fn a_message_over_tcp_with_the_states_of_both_ends() {
    assert_snapshot!(message_over_tcp().draw(&LOOK), @r#"
    TCP
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
       0.0     SYN-SENT ├── SYN seq=0 win=65535 mss=1460 ────────────►│ LISTEN
      20.0              │◄── SYN ACK seq=0 ack=1 win=65535 mss=1460 ──┤ SYN-RECEIVED
      40.1  ESTABLISHED ├── ACK seq=1 ack=1 win=65535 ───────────────►│
             write 13 B │                                             │
                        ├── seq=1 ack=1 len=13 ──────────────────────►│
      60.1              │                                             │ ESTABLISHED
      60.2              │◄────────────── ACK seq=1 ack=14 win=65535 ──┤ read 13 B
      80.2   FIN-WAIT-1 ├── FIN ACK seq=14 ack=1 ────────────────────►│
     100.3              │◄────────────── ACK seq=1 ack=15 win=65535 ──┤ CLOSE-WAIT
                        │◄──────────────────── FIN ACK seq=1 ack=15 ──┤ LAST-ACK
     120.3   FIN-WAIT-2 │                                             │
     120.4    TIME-WAIT ├── ACK seq=15 ack=2 win=65535 ──────────────►│
     140.4              │                                             │ CLOSED
    "#);
}

#[test]
fn everything_that_can_happen_to_a_frame() {
    assert_snapshot!(troubled_stream().draw(&LOOK), @r#"
    TCP, a bad line
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
       0.0     SYN-SENT ├── SYN seq=0 win=65535 mss=1460 ────────────►│ LISTEN
      20.0              │◄── SYN ACK seq=0 ack=1 win=65535 mss=1460 ──┤ SYN-RECEIVED
      40.1  ESTABLISHED ├── ACK seq=1 ack=1 win=65535 ───────────────►│
      60.1              │                                             │ ESTABLISHED
      60.2              ├── seq=1 ack=1 len=1460 ────────────────────►│
      61.4              ├── seq=1461 ack=1 len=1460 ──✗ loss 20 %     │
      62.6              ├┄┄ seq=2921 len=1460 held 30 ms ┄…           │
      63.8              ├── seq=4381 len=1460 ──── ×2 duplicate 5 % ─►│
                        ├── copy of seq=4381 ack=1 len=1460 ─────────►│
      65.0              ├── seq=5841 ack=1 len=1460 ── ≠ flip a bit ─►│
      81.0              │◄──────────── ACK seq=1 ack=1461 win=65535 ──┤ read 1460 B
      84.6              │            ✗── dup ACK ack=1461 win=65535 ──┤
                        │         ✗ drop the 3rd ACK from the server  │
      86.0              │        ✗ refused: the TCP checksum is wrong │
     113.0              ├┄┄ seq=2921 ack=1 len=1460 arrives late ┄┄┄┄►│
     261.0              ├── ↻ seq=1461 ack=1 len=1460 ───────────────►│
                        │  (retransmission timeout)                   │
     282.0              │           …─ ACK seq=1 ack=5841 win=65535 ──┤
                        │                                             │
           ✗ lost   ≠ bits changed   ×2 delivered twice   ┄ held back on the way
           … on its way as this ends   ↻ sent again
    "#);
}

#[test]
fn the_same_in_plain_ascii() {
    assert_snapshot!(troubled_stream().draw(&Look::plain()), @r#"
    TCP, a bad line
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        |                                             |
       0.0     SYN-SENT |-- SYN seq=0 win=65535 mss=1460 ------------>| LISTEN
      20.0              |<-- SYN ACK seq=0 ack=1 win=65535 mss=1460 --| SYN-RECEIVED
      40.1  ESTABLISHED |-- ACK seq=1 ack=1 win=65535 --------------->|
      60.1              |                                             | ESTABLISHED
      60.2              |-- seq=1 ack=1 len=1460 -------------------->|
      61.4              |-- seq=1461 ack=1 len=1460 --X loss 20 %     |
      62.6              |.. seq=2921 len=1460 held 30 ms .~           |
      63.8              |-- seq=4381 len=1460 ---- x2 duplicate 5 % ->|
                        |-- copy of seq=4381 ack=1 len=1460 --------->|
      65.0              |-- seq=5841 ack=1 len=1460 -- # flip a bit ->|
      81.0              |<------------ ACK seq=1 ack=1461 win=65535 --| read 1460 B
      84.6              |            X-- dup ACK ack=1461 win=65535 --|
                        |         X drop the 3rd ACK from the server  |
      86.0              |        X refused: the TCP checksum is wrong |
     113.0              |.. seq=2921 ack=1 len=1460 arrives late ....>|
     261.0              |-- [again] seq=1461 ack=1 len=1460 --------->|
                        |  (retransmission timeout)                   |
     282.0              |           ~- ACK seq=1 ack=5841 win=65535 --|
                        |                                             |
           X lost   # bits changed   x2 delivered twice   . held back on the way
           ~ on its way as this ends
    "#);
}

#[test]
fn a_message_over_websocket() {
    assert_snapshot!(message_over_websocket().draw(&LOOK), @r#"
    WebSocket over TCP
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
       0.0     SYN-SENT ├── SYN seq=0 win=65535 mss=1460 ────────────►│ LISTEN
      20.0              │◄── SYN ACK seq=0 ack=1 win=65535 mss=1460 ──┤ SYN-RECEIVED
      40.1  ESTABLISHED ├── ACK seq=1 ack=1 win=65535 ───────────────►│
                        ├── GET /chat HTTP/1.1 seq=1 ack=1 len=160 ──►│
      60.3              │◄─── 101 Switching Protocols seq=1 len=129 ──┤
      80.5              ├── WS text fin masked 13 B seq=161 len=19 ──►│
     100.5              │◄─────────── ACK seq=130 ack=180 win=65535 ──┤ get msg 13 B
    "#);
}

#[test]
fn sequence_numbers_as_on_the_wire() {
    assert_snapshot!(message_over_websocket().draw(&Look { absolute: true, ..LOOK }), @r#"
    WebSocket over TCP
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
       0.0     SYN-SENT ├── SYN seq=3735879680 win=65535 mss=1460 ───►│ LISTEN
      20.0              │◄─── SYN ACK seq=3735879680 ack=3203334145 ──┤ SYN-RECEIVED
      40.1  ESTABLISHED ├── ACK seq=3735879681 ack=3203334145 ───────►│
                        ├── GET /chat HTTP/1.1 seq=3735879681 ───────►│
                        │  len=160                                    │
      60.3              │◄── 101 Switching Protocols seq=3735879681 ──┤
                        │                                    len=129  │
      80.5              ├── WS text fin masked 13 B seq=3735879841 ──►│
                        │  len=19                                     │
     100.5              │◄─────── ACK seq=3735879810 ack=3203334324 ──┤ get msg 13 B
    "#);
}

#[test]
fn writes_point_at_reads_where_no_frame_is_seen() {
    assert_snapshot!(message_on_real_sockets().draw(&LOOK), @r#"
    TCP on this computer
        µs           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
         0              │                                             │ LISTEN
        12     SYN-SENT │                                             │
        61  ESTABLISHED │                                             │
        70              │                                             │ ESTABLISHED
        84              ├── "hello, " read 47 µs later ──────────────►│
        90              ├── "layers" read 41 µs later ───────────────►│
       131              │                                             │ read 13 B
       150              │◄─────────────── "thanks" read 21 µs later ──┤
       171     read 6 B │                                             │
       180              ├── "never read" ─────────────────…           │
                        │                                             │
           … not read by the end
    "#);
}

#[test]
fn calm_stretches_of_a_long_run_are_left_out() {
    let options = LadderOptions { most_rows: 16, ..LadderOptions::default() };
    assert_snapshot!(long_transfer(300, 0).draw_with(&LOOK, options), @r#"
    TCP, a long transfer
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
       0.0     SYN-SENT ├── SYN seq=0 win=65535 mss=1460 ────────────►│ LISTEN
      20.0              │◄── SYN ACK seq=0 ack=1 win=65535 mss=1460 ──┤ SYN-RECEIVED
      40.1  ESTABLISHED ├── ACK seq=1 ack=1 win=65535 ───────────────►│
      60.1              │                                             │ ESTABLISHED
      60.2              ├── seq=1 ack=1 len=1460 ────────────────────►│
      61.4              ├── seq=1461 ack=1 len=1460 ─────────────────►│
      62.6              ┊ 596 segments, 435 kB, all delivered, 374 ms ┊
     437.8              │◄────────── ACK seq=1 ack=436541 win=65535 ──┤
     439.0              │◄────────── ACK seq=1 ack=438001 win=65535 ──┤
     470.2              ├── FIN ACK seq=438001 ack=1 ────────────────►│
    "#);
}

#[test]
fn when_the_losses_are_too_many_the_first_are_shown_and_the_rest_counted() {
    let options = LadderOptions { most_rows: 20, ..LadderOptions::default() };
    assert_snapshot!(long_transfer(12_000, 10).draw_with(&LOOK, options), @r#"
    TCP, a long transfer
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
         0     SYN-SENT ├── SYN seq=0 win=65535 mss=1460 ────────────►│ LISTEN
        20              │◄── SYN ACK seq=0 ack=1 win=65535 mss=1460 ──┤ SYN-RECEIVED
        40  ESTABLISHED ├── ACK seq=1 ack=1 win=65535 ───────────────►│
        60              │                                             │ ESTABLISHED
        60              ┊  8 segments, 12 kB, all delivered, 8.4 ms   ┊
        70              ├── seq=11681 ack=1 len=1460 ────────────────►│
        71              ├── seq=13141 ack=1 len=1460 ──✗ loss 10 %    │
        80              │◄──────────── ACK seq=1 ack=1461 win=65535 ──┤
        81              ┊      7 segments, all delivered, 7.2 ms      ┊
        90              │◄─────────── ACK seq=1 ack=13141 win=65535 ──┤
       271              ├── ↻ seq=13141 ack=1 len=1460 ──────────────►│
       272              ├── seq=14601 ack=1 len=1460 ────────────────►│
       273              ┊  7 segments, 10 kB, all delivered, 7.2 ms   ┊
       282              ├── seq=26281 ack=1 len=1460 ────────────────►│
       283              ├── seq=27741 ack=1 len=1460 ──✗ loss 10 %    │
       291              ┊ 25,169 segments, 19,241 kB, 1198 lost, 1199 ┊
                        ┊              sent again, 254 s              ┊
    254479              │◄──────── ACK seq=1 ack=17520001 win=65535 ──┤
    254510              ├── FIN ACK seq=17520001 ack=1 ──────────────►│
                        │                                             │
           ✗ lost   ↻ sent again
    "#);
}

#[test]
fn three_hosts_stand_in_a_row() {
    assert_snapshot!(crowd().draw(&LOOK), @r#"
    through a router
        ms           client                 router                 server
                    10.0.0.1               10.0.0.2               10.0.1.2
                        │                      │                      │
         0              ├─ datagram 13 B ─────►│                      │
         5              │                      │ the router takes     │
                        │                      │ one off the time to  │
                        │                      │ live: 64 becomes 63  │
                        │                      ├─ datagram 13 B ─────►│
        25              │                      │     ✗─ datagram 5 B ─┤ read 13 B
                        │                      │  ✗ the queue of the  │
                        │                      │      router is full  │
                        │                      │                      │
           ✗ lost
    "#);
}

#[test]
fn three_runs_side_by_side() {
    let (udp, tcp, ws) = (message_over_udp(), message_over_tcp(), message_over_websocket());
    let runs = [("UDP", &udp), ("TCP", &tcp), ("WebSocket over TCP", &ws)];
    assert_snapshot!(columns(&runs, &LOOK), @r#"
                  UDP                      TCP              WebSocket over TCP
     ms client           server  client           server  client           server
      0 ├─ who has 10.0.0.2? ►│  ├─ SYN seq=0 ────────►│  ├─ SYN seq=0 ────────►│
     20 │◄─ 10.0.0.2 is at … ─┤  │◄ SYN ACK seq=0 a=1 ─┤  │◄ SYN ACK seq=0 a=1 ─┤
     40 ├─ datagram 13 B ────►│  ├─ ACK seq=1 ack=1 ──►│  ├─ ACK seq=1 ack=1 ──►│
        │                     │  ├─ seq=1 len=13 ─────►│  ├─ GET /chat ────────►│
     60 │           read 13 B │  │◄─ ACK seq=1 ack=14 ─┤  │◄──── 101 Switching ─┤
                                 │           read 13 B │  │                     │
     80                          ├─ FIN ACK seq=14 ───►│  ├─ WS text 13 B ─────►│
    100                          │◄─ ACK seq=1 ack=15 ─┤  │                     │
                                 │◄──── FIN ACK seq=1 ─┤  │                     │
    101                          │                     │  │◄────── ACK ack=180 ─┤
                                 │                     │  │    get message 13 B │
    120                          ├─ ACK seq=15 ack=2 ─►│
    "#);
}

#[test]
fn three_runs_side_by_side_in_ascii() {
    let (udp, tcp, ws) = (message_over_udp(), troubled_stream(), message_over_websocket());
    let runs = [("UDP", &udp), ("TCP", &tcp), ("WebSocket over TCP", &ws)];
    assert_snapshot!(columns(&runs, &Look::plain()), @r#"
                  UDP                      TCP              WebSocket over TCP
     ms client           server  client           server  client           server
      0 |- who has 10.0.0.2? >|  |- SYN seq=0 -------->|  |- SYN seq=0 -------->|
     20 |<- 10.0.0.2 is at ~ -|  |< SYN ACK seq=0 a=1 -|  |< SYN ACK seq=0 a=1 -|
     40 |- datagram 13 B ---->|  |- ACK seq=1 ack=1 -->|  |- ACK seq=1 ack=1 -->|
        |                     |  |                     |  |- GET /chat -------->|
     60 |           read 13 B |  |- seq=1 len=1460 --->|  |<---- 101 Switching -|
     61                          |- seq=1461 1460 B -X |  |                     |
     63                          |. seq=2921 len=1460 ~|  |                     |
     64                          |- seq=4381 ----- x2 >|  |                     |
                                 |- copy of seq=4381 ->|  |                     |
     65                          |- seq=5841 ------ # >|  |                     |
     80                          |                     |  |- WS text 13 B ----->|
     81                          |<----- ACK ack=1461 -|  |                     |
                                 |         read 1460 B |  |                     |
     85                          |  X- dup ACK a=1461 -|  |                     |
     86                          |  X refused: the TCP |  |                     |
                                 |   checksum is wrong |  |                     |
    101                          |                     |  |<------ ACK ack=180 -|
                                 |                     |  |    get message 13 B |
    113                          |. seq=2921 len=1460 >|
    261                          |- [again] seq=1461 ->|
    282                          |     ~ ACK ack=5841 -|
        X lost   # bits changed   x2 delivered twice   . held back on the way
        ~ on its way as this ends
    "#);
}

#[test]
fn raw_numbers_take_lines_of_their_own_in_a_column() {
    let (udp, tcp) = (message_over_udp(), message_over_tcp());
    let look = Look { width: 60, absolute: true, ..LOOK };
    assert_snapshot!(columns(&[("UDP", &udp), ("TCP", &tcp)], &look), @r#"
                    UDP                         TCP
     ms client              server  client              server
      0 ├─ who has 10.0.0.2? ───►│  ├─ SYN seq=3735879680 ──►│
        │  tell 10.0.0.1         │  │                        │
     20 │◄────── 10.0.0.2 is at ─┤  │◄───────────── SYN ACK ─┤
        │     02:00:00:00:00:02  │  │        seq=3735879680  │
        │                        │  │        ack=3203334145  │
     40 ├─ datagram 13 B ───────►│  ├─ ACK seq=3735879681 ──►│
        │                        │  │  ack=3203334145        │
        │                        │  ├─ seq=3735879681 ──────►│
        │                        │  │  ack=3203334145        │
        │                        │  │  len=13                │
     60 │              read 13 B │  │◄── ACK seq=3735879681 ─┤
                                    │        ack=3203334158  │
                                    │              read 13 B │
     80                             ├─ FIN ACK ─────────────►│
                                    │  seq=3735879694        │
                                    │  ack=3203334145        │
    100                             │◄── ACK seq=3735879681 ─┤
                                    │        ack=3203334159  │
                                    │◄───────────── FIN ACK ─┤
                                    │        seq=3735879681  │
                                    │        ack=3203334159  │
    120                             ├─ ACK seq=3735879695 ──►│
                                    │  ack=3203334146        │
    "#);
}

#[test]
fn without_margins_the_states_stand_between_the_lifelines() {
    assert_snapshot!(message_over_websocket().draw(&Look { width: 50, ..LOOK }), @r#"
    WebSocket over TCP
        ms client                               server
           │                                         │
       0.0 ├── SYN seq=0 win=65535 mss=1460 ────────►│
           │                                  LISTEN │
           │ SYN-SENT                                │
      20.0 │◄─────── SYN ACK seq=0 ack=1 win=65535 ──┤
           │                            SYN-RECEIVED │
      40.1 ├── ACK seq=1 ack=1 win=65535 ───────────►│
           │ ESTABLISHED                             │
           ├── GET /chat HTTP/1.1 seq=1 len=160 ────►│
      60.3 │◄───────────── 101 Switching Protocols ──┤
      80.5 ├── WS text fin masked 13 B ─────────────►│
     100.5 │◄─────── ACK seq=130 ack=180 win=65535 ──┤
           │                        get message 13 B │
    "#);
}

#[test]
fn on_a_very_narrow_screen_sentences_take_the_place_of_arrows() {
    assert_snapshot!(message_over_udp().draw(&Look { width: 22, ..LOOK }), @r#"
    UDP
    0.0 ms
      client → server: who
      has 10.0.0.2? tell
      10.0.0.1
    20.0 ms
      server → client:
      10.0.0.2 is at
      02:00:00:00:00:02
    40.1 ms
      client → server:
      datagram 13 B
    60.1 ms
      server: read 13 B
    "#);
}

#[test]
fn a_run_in_which_nothing_happened_has_two_silent_hosts() {
    assert_snapshot!(Story::new("nothing", Wire::Sim).draw(&LOOK), @r#"
    nothing
        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
    "#);
}

#[test]
fn columns_fall_back_to_one_under_the_other() {
    let (udp, tcp) = (message_over_udp(), message_over_tcp());
    let narrow = columns(&[("one", &udp), ("two", &tcp)], &Look { width: 50, ..LOOK }).to_string();
    let titles: Vec<&str> = narrow.lines().filter(|line| ["one", "two"].contains(line)).collect();
    assert_eq!(titles, ["one", "two"]);
    assert!(narrow.lines().all(|line| line.chars().count() <= 50));
}

#[test]
fn a_picture_is_the_same_with_and_without_colour() {
    let coloured = Look { colour: true, ..LOOK };
    let picture = troubled_stream().draw(&LOOK);
    assert_eq!(picture, troubled_stream().draw(&coloured));
    assert_eq!(LOOK.written(&picture), picture.to_string());
    assert_ne!(coloured.written(&picture), picture.to_string());
}

#[test]
fn arrows_stand_for_frames_and_words_for_events() {
    let story = message_over_tcp();
    let picture = story.draw(&LOOK);
    let subjects = |line: usize| {
        let mut subjects: Vec<Subject> =
            picture.lines()[line].cells().iter().filter_map(|cell| cell.subject).collect();
        subjects.dedup();
        subjects
    };
    // SYN-SENT, the SYN, LISTEN.
    assert_eq!(subjects(4), [Subject::Event(1), Subject::Frame(FrameId(0)), Subject::Event(0)]);
    assert_eq!(subjects(5)[0], Subject::Frame(FrameId(1)));
    assert!(subjects(3).is_empty());
}
