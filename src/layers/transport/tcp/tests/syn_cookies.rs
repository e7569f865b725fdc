//! What a listener forgets and a cookie brings back.

use super::*;

/// A listener at [`B`] and its cookies; the client is [`A`].
struct Bakery {
    listener: Listener,
    cookies: Cookies,
}

impl Bakery {
    fn new(config: &Config) -> Bakery {
        Bakery { listener: Listener::new(PORT[B], config), cookies: Cookies::new([7; 16]) }
    }

    fn answer(&mut self, now: Instant, syn: &Segment) -> Segment {
        self.cookies.answer(now, &self.listener, (ADDRESS[A], ADDRESS[B]), syn).unwrap()
    }

    fn redeem(&self, now: Instant, ack: &Segment) -> Option<Box<Connection>> {
        self.cookies.redeem(now, &self.listener, (ADDRESS[A], ADDRESS[B]), ack)
    }
}

fn modern() -> Config {
    Config { sack: true, timestamps: true, recv_buffer: 1_000_000, send_buffer: 1_000_000, ..config() }
}

/// The SYN of a client, and the client.
fn client(config: &Config, now: Instant) -> (Connection, Segment) {
    let mut client = Connection::connect(now, end(A), end(B), ISN[A], config);
    let syn = next_of(&mut client, now).unwrap();
    (client, syn)
}

fn next_of(connection: &mut Connection, now: Instant) -> Option<Segment> {
    std::iter::from_fn(|| connection.poll(now)).find_map(|output| match output {
        Output::Send(segment) => Some(segment),
        _ => None,
    })
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// What passes between both ends until nothing more does; what the client sends comes first.
fn talk(now: Instant, client: &mut Connection, server: &mut Connection) -> usize {
    let mut passed = 0;
    loop {
        let (to_server, to_client) = (next_of(client, now), next_of(server, now));
        if to_server.is_none() && to_client.is_none() {
            return passed;
        }
        passed += 1;
        to_server.into_iter().for_each(|segment| server.handle(now, Input::Segment(segment)));
        to_client.into_iter().for_each(|segment| client.handle(now, Input::Segment(segment)));
    }
}

#[test]
fn a_connection_of_a_cookie_works_as_one_that_was_remembered() {
    for (config, kept) in [(modern(), true), (Config { timestamps: false, ..modern() }, false)] {
        let mut bakery = Bakery::new(&config);
        let (mut client, syn) = client(&config, at(0));
        let answer = bakery.answer(at(10), &syn);
        let options = &answer.header.options;
        assert_eq!((options.window_scale().is_some(), options.sack_permitted()), (kept, kept));
        client.handle(at(20), Input::Segment(answer));
        let ack = next_of(&mut client, at(20)).unwrap();
        let mut server = bakery.redeem(at(30), &ack).expect("the cookie came back");
        server.handle(at(30), Input::Segment(ack));
        assert_eq!((server.state(), client.state()), (State::Established, State::Established));
        assert_eq!(server.info().mss, 1_460);
        // The window of a connection without a scale is cut to what sixteen bits say.
        assert_eq!(server.info().rcv_wnd, 65_535);
        for (from, to) in [(true, 3_000), (false, 200_000)] {
            let sent = Bytes::from(vec![7; to]);
            let end = if from { &mut client } else { &mut *server };
            assert_eq!(end.write(at(40), sent.clone()), Ok(sent.len()));
            talk(at(40), &mut client, &mut server);
            let reader = if from { &mut *server } else { &mut client };
            let got: Vec<u8> = std::iter::from_fn(|| reader.read(at(40), usize::MAX)).flatten().collect();
            // A window without a scale holds no more at once than 44 full segments.
            assert_eq!(got.len(), if kept { to } else { to.min(44 * 1_460) });
        }
    }
}

#[test]
fn a_cookie_is_made_of_what_the_client_said_and_of_time() {
    let (_, syn) = client(&config(), at(0));
    let number = |syn: &Segment, now: Instant| Bakery::new(&config()).answer(now, syn).header.seq;
    let first = number(&syn, at(0));
    assert_eq!(first, number(&syn, at(63_999)), "the counter stands");
    assert_ne!(first, number(&syn, at(64_000)));
    let of = |change: fn(&mut TcpHeader)| {
        let mut other = syn.clone();
        change(&mut other.header);
        number(&other, at(0))
    };
    assert_ne!(first, of(|header| header.source_port += 1));
    // The number of the SYN is in it by exclusive or, so that the difference tells nothing.
    assert_eq!(of(|header| header.seq.0 ^= 5).0, first.0 ^ 5);
    let mut other = Cookies::new([8; 16]);
    let listener = Bakery::new(&config()).listener;
    let answer = other.answer(at(0), &listener, (ADDRESS[A], ADDRESS[B]), &syn).unwrap();
    assert_ne!(first.0 & 0xff_ffff, answer.header.seq.0 & 0xff_ffff, "another secret");
}

#[test]
fn a_cookie_is_good_for_four_ticks_and_no_other_number_ever_is() {
    let mut bakery = Bakery::new(&config());
    let (_, syn) = client(&config(), at(0));
    let answer = bakery.answer(at(0), &syn);
    let ack = |change: fn(&mut TcpHeader)| {
        let mut header = TcpHeader {
            seq: syn.header.seq + 1,
            ack: answer.header.seq + 1,
            flags: Flags::ACK,
            window: 1_000,
            options: Options::none(),
            ..syn.header.clone()
        };
        change(&mut header);
        Segment { header, ..Segment::default() }
    };
    let good = ack(|_| ());
    assert!(bakery.redeem(at(1), &good).is_some());
    assert!(bakery.redeem(at(4 * 64_000 - 1), &good).is_some());
    // Another cookie keeps the door open, and the old one is too old all the same.
    bakery.answer(at(4 * 64_000 - 1), &syn);
    assert!(bakery.redeem(at(4 * 64_000), &good).is_none());
    let wrong: [fn(&mut TcpHeader); 6] = [
        |header| header.ack += 1,
        |header| header.ack.0 ^= 1 << 30,
        |header| header.seq += 1,
        |header| header.source_port += 1,
        |header| header.flags = Flags::ACK | Flags::SYN,
        |header| header.flags = Flags::ACK | Flags::RST,
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        assert!(bakery.redeem(at(1), &ack(change)).is_none(), "{number}");
    }
    let unasked = Bakery::new(&config());
    assert!(unasked.redeem(at(1), &good).is_none(), "none was sent");
}

#[test]
fn the_segment_size_of_a_cookie_is_the_next_below() {
    for (told, kept) in [(None, 536), (Some(1), 48), (Some(47), 48), (Some(500), 256), (Some(9_000), 1_460)] {
        let mut bakery = Bakery::new(&Config { mss: 9_000, ..config() });
        let (_, mut syn) = client(&config(), at(0));
        syn.header.options = Options::none();
        told.map(|mss| syn.header.options.push(TcpOption::MaximumSegmentSize(mss)));
        let answer = bakery.answer(at(0), &syn);
        assert_eq!(answer.header.options.mss(), Some(9_000), "what we take in is another matter");
        let header = TcpHeader {
            seq: syn.header.seq + 1,
            ack: answer.header.seq + 1,
            flags: Flags::ACK,
            options: Options::none(),
            ..syn.header.clone()
        };
        let ack = Segment { header, ..Segment::default() };
        assert_eq!(bakery.redeem(at(1), &ack).unwrap().info().mss, kept, "{told:?}");
    }
}

#[test]
fn the_clock_that_carries_options_is_never_ahead() {
    for millis in (0..70).chain([4_294_967_290, 4_294_967_300]) {
        for sack in [false, true] {
            let mut bakery = Bakery::new(&modern());
            let (_, syn) = client(&Config { sack, ..modern() }, at(0));
            let answer = bakery.answer(at(millis), &syn);
            let (value, echo) = answer.header.options.timestamps().unwrap();
            let back = (millis as u32).wrapping_sub(value);
            assert!(back < 32, "{back} ms back");
            let mut options = Options::none();
            options.push(TcpOption::Timestamps { value: echo + 20, echo: value });
            let header = TcpHeader {
                seq: syn.header.seq + 1,
                ack: answer.header.seq + 1,
                flags: Flags::ACK,
                window: 1_000,
                options,
                ..syn.header.clone()
            };
            let ack = Segment { header, ..Segment::default() };
            let mut server = bakery.redeem(at(millis + 20), &ack).unwrap();
            server.handle(at(millis + 20), Input::Segment(ack));
            assert_eq!(server.info().snd_wnd, 1_000 << 4, "the scale came back");
            assert_eq!(server.permits_sack, sack);
            assert!(server.info().srtt.is_some_and(|srtt| srtt < ms(52)), "{:?}", server.info().srtt);
        }
    }
}
