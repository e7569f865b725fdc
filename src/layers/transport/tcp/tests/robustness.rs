//! Anything may arrive, in any state: nothing panics, nothing grows, and a valid stream stays valid.

use super::*;
use proptest::prelude::*;

/// A connection that was brought into each of the eleven states but LISTEN, which is a listener's.
fn in_state(state: State) -> Pipe {
    let mut pipe = match state {
        State::Closed | State::Listen => {
            let mut pipe = Pipe::open(&config());
            pipe.with(A, Connection::abort);
            pipe
        }
        State::SynSent => {
            let mut pipe = Pipe::new(&config());
            pipe.connect(A);
            pipe
        }
        State::SynReceived => {
            let mut pipe = Pipe::new(&config());
            pipe.connect(A);
            pipe.forge(B, segment(B, 300, None, Flags::SYN, b""));
            pipe
        }
        State::Established => Pipe::open(&config()),
        State::FinWait1 | State::FinWait2 | State::TimeWait | State::Closing => {
            let mut pipe = Pipe::open(&config());
            pipe.shutdown(A);
            if state == State::Closing {
                pipe.shutdown(B);
            }
            pipe
        }
        State::CloseWait | State::LastAck => {
            let mut pipe = Pipe::open(&config());
            pipe.shutdown(B);
            pipe
        }
    };
    match state {
        State::SynReceived => pipe.run_for(ms(9)),
        State::SynSent | State::FinWait1 => {}
        State::TimeWait => {
            pipe.run_for(ms(15));
            pipe.shutdown(B);
            pipe.run_for(ms(15));
        }
        State::LastAck => {
            pipe.run_for(ms(15));
            pipe.shutdown(A);
        }
        State::Closing => pipe.run_for(ms(10)),
        _ => pipe.run_for(ms(25)),
    }
    if state == State::SynReceived {
        pipe.run_for(ms(1));
    }
    pipe
}

const REACHED: [State; 10] = [
    State::Closed,
    State::SynSent,
    State::SynReceived,
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::TimeWait,
];

fn any_segment() -> impl Strategy<Value = Segment> {
    let seq = |isn: u32| {
        prop_oneof![(0u32..8).prop_map(move |step| isn.wrapping_add(step).wrapping_sub(2)), any::<u32>()]
    };
    let flags = prop_oneof![
        Just(Flags::ACK),
        Just(Flags::ACK | Flags::FIN),
        Just(Flags::SYN),
        Just(Flags::SYN | Flags::ACK),
        Just(Flags::RST),
        any::<u8>().prop_map(Flags),
    ];
    (seq(301), seq(101), flags, any::<(u16, u16)>(), super::options::tests::any_options(), 0usize..40)
        .prop_map(|(seq, ack, flags, (window, urgent), options, len)| Segment {
            header: TcpHeader {
                source_port: PORT[B],
                destination_port: PORT[A],
                seq: SeqNumber(seq),
                ack: SeqNumber(ack),
                flags,
                window: window >> (window % 16),
                urgent,
                options,
            },
            payload: vec![0x55; len].into(),
        })
}

#[test]
fn every_state_is_reached() {
    for state in REACHED {
        assert_eq!(in_state(state).ends[A].state(), state);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_segments_in_any_state_do_no_harm(
        state in prop::sample::select(REACHED.to_vec()),
        segments in prop::collection::vec((any_segment(), 0u64..3_000, 0u8..12), 1..25),
    ) {
        let mut pipe = in_state(state);
        let mut now = pipe.now;
        let a = pipe.ends[A].connection.as_mut().unwrap();
        let seq = SeqNumber(101);
        for (segment, wait, what) in segments {
            now += ms(wait);
            a.handle(now, Input::Segment(segment));
            match what {
                0 => drop(a.write(now, Bytes::from_static(b"some more data"))),
                1 => drop(a.read(now, 7)),
                2 => a.shutdown(now),
                3 => a.handle(now, Input::Icmp { error: IcmpError::PacketTooBig(wait as u16), seq }),
                4 => a.handle(now, Input::Icmp { error: IcmpError::Hard, seq }),
                5 => a.close(now),
                _ => a.handle(now, Input::Wake),
            }
            let mut outputs = 0;
            while let Some(output) = a.poll(now) {
                outputs += 1;
                prop_assert!(outputs < 200, "it never falls silent: {output:?}");
            }
            prop_assert!(a.readable() <= 65_535);
            prop_assert!(a.info().rcv_wnd <= 65_535 << 14);
        }
    }
}

#[test]
fn a_driver_that_never_polls_costs_bounded_memory() {
    let mut pipe = in_state(State::SynSent);
    let a = pipe.ends[A].connection.as_mut().unwrap();
    // Each would be answered by a RST.
    for ack in 0..1_000 {
        a.handle(pipe.now, Input::Segment(segment(B, 300, Some(5_000 + ack), Flags::NONE, b"")));
    }
    assert!(a.outbox.len() <= 256);
}
