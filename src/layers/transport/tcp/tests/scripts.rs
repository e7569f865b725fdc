//! Whatever the programs do and whatever the path does to it, TCP keeps its promises.

use super::super::congestion::Algorithm;
use super::loss::{Path, rough, stream};
use super::*;
use proptest::prelude::*;

/// What the program of an end does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Write(usize),
    Close,
    /// It reads no more until it wants to again.
    Pause,
    Read,
}

/// Where each end has got to, in what it sends.
fn positions(pipe: &Pipe) -> [u64; 2] {
    [A, B].map(|side| pipe.ends[side].connection.as_ref().map_or(0, |end| end.sender.snd_nxt))
}

/// Lets something happen, and looks at what both ends did about it.
pub(super) fn watched<T>(pipe: &mut Pipe, happens: impl FnOnce(&mut Pipe) -> T) -> T {
    let before = positions(pipe);
    let result = happens(pipe);
    for side in [A, B] {
        let end = &pipe.ends[side];
        let Some(connection) = end.connection.as_ref().filter(|end| end.state() != State::Closed) else {
            continue;
        };
        let (sender, timers) = (&connection.sender, &connection.timers);
        if sender.outstanding() > 0 && connection.state() != State::TimeWait {
            let due = timers.due(Timer::Retransmission);
            assert!(timers.is_set(Timer::Retransmission), "nothing watches over what is outstanding");
            assert!(end.wake.is_some_and(|wake| wake <= due), "nobody will wake it");
        }
        if sender.snd_nxt > before[side] && sender.snd_una > 0 {
            // One segment more when it is a probe (RFC 8985 §7.3).
            let probe = if sender.tail.outstanding.is_some() { sender.mss as u64 } else { 0 };
            let (flight, cwnd) = (sender.in_flight(), connection.cwnd());
            assert!(
                flight <= cwnd.saturating_add(probe),
                "{flight} in a window of {cwnd}\n{}",
                pipe.ladder()
            );
        }
    }
    result
}

/// Every segment lies in what the other end has offered so far, but for the byte or the FIN of a window probe.
fn assert_within_windows(pipe: &Pipe) {
    let mut edges = [None::<SeqNumber>; 2];
    for (from, segment) in &pipe.log {
        let header = &segment.header;
        let end = header.seq + segment.seq_len();
        if let Some(edge) = edges[*from]
            && segment.payload.len() > 1
        {
            assert!(!edge.is_before(end), "{end} is beyond {edge}\n{}", pipe.ladder());
        }
        if header.flags.has(Flags::ACK) {
            let offered = header.ack + u32::from(header.window);
            let edge = &mut edges[1 - *from];
            *edge = Some(edge.filter(|edge| offered.is_before(*edge)).unwrap_or(offered));
        }
    }
}

fn play(config: &[Config; 2], rule: Rule, script: &[(usize, Deed, u64)], seed: u64) {
    let mut pipe = Pipe::new(&config[A]);
    pipe.rule = rule;
    pipe.ends[B].config = config[B].clone();
    pipe.listen(B);
    watched(&mut pipe, |pipe| pipe.connect(A));
    let mut written = [Vec::new(), Vec::new()];
    for (index, (side, deed, wait)) in script.iter().enumerate() {
        watched(&mut pipe, |pipe| match deed {
            // What comes after the close is not written.
            Deed::Write(len) if !pipe.ends[*side].shutdown_when_written && !closed(pipe, *side) => {
                let text = stream(seed ^ index as u64, *len);
                written[*side].extend_from_slice(&text);
                pipe.write(*side, &text);
            }
            Deed::Write(_) => {}
            // A close before the handshake is done gives up what was written (RFC 9293 §3.10.4).
            Deed::Close if pipe.ends[*side].state() == State::SynSent => {}
            Deed::Close => close(pipe, *side),
            Deed::Pause => pipe.ends[*side].reads = false,
            Deed::Read => {
                pipe.ends[*side].reads = true;
                pipe.drain(*side);
            }
        });
        let until = pipe.now + ms(*wait);
        while watched(&mut pipe, |pipe| pipe.step(until)) {}
        pipe.now = until;
    }
    while pipe.ends[A].state() == State::SynSent && watched(&mut pipe, |pipe| pipe.step(Instant::NEVER)) {}
    for side in [A, B] {
        watched(&mut pipe, |pipe| {
            pipe.ends[side].reads = true;
            close(pipe, side);
        });
    }
    let mut steps = 0;
    while watched(&mut pipe, |pipe| pipe.step(Instant::NEVER)) {
        steps += 1;
        assert!(steps < 100_000, "no end: {:?}\n{}", pipe.states(), pipe.ladder());
    }
    for side in [A, B] {
        assert!(pipe.ends[1 - side].received == written[side], "the stream of {side}\n{}", pipe.ladder());
    }
    assert_eq!(pipe.states(), [State::Closed; 2], "{}", pipe.ladder());
    assert_within_windows(&pipe);
}

fn closed(pipe: &Pipe, side: usize) -> bool {
    let is_closed = |end: &Connection| end.sender.is_closed() || end.state() == State::Closed;
    pipe.ends[side].connection.as_ref().is_some_and(is_closed)
}

fn close(pipe: &mut Pipe, side: usize) {
    pipe.ends[side].shutdown_when_written |= !closed(pipe, side);
    pipe.drain(side);
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (1usize..12_000).prop_map(Deed::Write),
        1 => Just(Deed::Close),
        2 => Just(Deed::Pause),
        2 => Just(Deed::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_script_on_any_path_ends_with_both_streams_intact_and_every_rule_kept(
        seed: u64,
        path in (0u32..200, 0u32..200, 0u32..200, 0u32..60)
            .prop_map(|(drop, twice, late, corrupt)| Path { drop, twice, late, corrupt }),
        mss in 200u16..1_460,
        buffers in (1_000usize..60_000, 1_000usize..60_000),
        delays: bool,
        nodelay: bool,
        script in prop::collection::vec((0usize..2, deed(), 0u64..400), 1..20),
        flags in 0u8..8,
    ) {
        // Each algorithm, with switches that are different for each.
        for (index, congestion) in Algorithm::ALL.into_iter().enumerate() {
            let flags = flags ^ [0, 3, 5, 6, 1, 7][index];
            let config = Config {
                congestion,
                mss,
                delayed_ack: delays.then_some(ms(40)),
                nodelay,
                sack: flags & 1 > 0,
                timestamps: flags & 2 > 0,
                rack: flags & 4 > 0,
                recv_buffer: buffers.0,
                send_buffer: buffers.1,
                ..config()
            };
            let other = Config { recv_buffer: buffers.1, send_buffer: buffers.0, ..config.clone() };
            play(&[config, other], rough(seed, path), &script, seed);
        }
    }
}
