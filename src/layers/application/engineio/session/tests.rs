//! Sessions, input by input.

use proptest::prelude::*;

use super::*;

const GET: ConnKey = ConnKey::made_up(1);
const POST: ConnKey = ConnKey::made_up(2);
const SOCKET: ConnKey = ConnKey::made_up(3);
const OTHER: ConnKey = ConnKey::made_up(4);

fn config() -> Config {
    Config {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        max_backlog: 10_000,
        ..Config::default()
    }
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Everything a session asks for, but for the times to wake it.
fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll(at(0)))
        .filter(|o| !matches!(o, Output::WakeAt(_) | Output::Answered { .. }))
        .collect()
}

fn give(session: &mut Session, millis: u64, input: Input) -> Vec<Output> {
    session.handle(at(millis), input);
    outputs(session)
}

fn polling() -> Session {
    let mut session = Session::polling(at(0), config(), "abc", GET);
    let opened = outputs(&mut session);
    assert!(matches!(&opened[..], [Output::Answer(GET, body)] if body.starts_with(b"0{\"sid\":\"abc\"")));
    session
}

fn on_websocket() -> Session {
    let mut session = Session::websocket(at(0), config(), "abc", SOCKET);
    assert!(matches!(&outputs(&mut session)[..], [Output::Send(SOCKET, Message::Text(_))]));
    session
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

fn answer(to: ConnKey, body: &'static str) -> Output {
    Output::Answer(to, Bytes::from_static(body.as_bytes()))
}

#[test]
fn what_follows_the_end_of_a_body_comes_with_the_next_poll() {
    let mut session = polling();
    session.send(text("one"));
    session.end_body();
    session.send(text("two"));
    session.send(text("three"));
    assert_eq!(give(&mut session, 1, Input::Poll(GET)), [answer(GET, "4one")]);
    assert_eq!(give(&mut session, 2, Input::Poll(GET)), [answer(GET, "4two\x1e4three")]);
    // A poll that waits is answered at once: there is nothing to part.
    assert_eq!(give(&mut session, 3, Input::Poll(GET)), []);
    session.send(text("four"));
    session.end_body();
    assert_eq!(outputs(&mut session), [answer(GET, "4four")]);
}

#[test]
fn what_is_posted_comes_up_and_what_is_sent_waits_for_a_poll() {
    let mut session = polling();
    assert_eq!(give(&mut session, 1, Input::PostBegins(POST)), []);
    let outputs_of_post = give(&mut session, 1, Input::Post(POST, Bytes::from_static(b"4a\x1ebAQ==")));
    assert_eq!(
        outputs_of_post,
        [
            Output::Message(text("a")),
            Output::Message(Message::Binary(Bytes::from_static(&[1]))),
            answer(POST, "ok"),
        ]
    );
    assert!(session.send(text("x")));
    assert!(session.send(text("y")));
    assert_eq!(outputs(&mut session), []);
    assert_eq!(give(&mut session, 2, Input::Poll(GET)), [answer(GET, "4x\x1e4y")]);
    assert_eq!(give(&mut session, 3, Input::Poll(GET)), []);
    session.send(text("z"));
    assert_eq!(outputs(&mut session), [answer(GET, "4z")]);
}

#[test]
fn a_second_poll_ends_the_session_and_the_first_is_told() {
    let mut session = polling();
    give(&mut session, 1, Input::Poll(GET));
    assert_eq!(
        give(&mut session, 2, Input::Poll(OTHER)),
        [Output::Refuse(OTHER), Output::Closed(CloseCause::BadRequest), answer(GET, "1")]
    );
    assert!(session.is_closed());
}

#[test]
fn a_second_post_at_once_ends_the_session_and_both_are_refused() {
    let mut session = polling();
    give(&mut session, 1, Input::PostBegins(POST));
    assert_eq!(give(&mut session, 1, Input::PostBegins(OTHER)), [Output::Closed(CloseCause::BadRequest)]);
    assert_eq!(give(&mut session, 1, Input::Post(OTHER, Bytes::from_static(b"4a"))), [Output::Refuse(OTHER)]);
}

#[test]
fn a_poll_that_is_given_up_ends_the_session() {
    let mut session = polling();
    give(&mut session, 1, Input::Poll(GET));
    assert_eq!(give(&mut session, 2, Input::Gone(OTHER)), []);
    assert_eq!(give(&mut session, 2, Input::Gone(GET)), [Output::Closed(CloseCause::BadRequest)]);
}

#[test]
fn pings_are_sent_in_time_and_a_missing_pong_ends_the_session() {
    let mut session = on_websocket();
    assert_eq!(session.due(), Some(at(300)));
    assert_eq!(give(&mut session, 301, Input::Wake), [Output::Send(SOCKET, text("2"))]);
    assert_eq!(give(&mut session, 350, Input::Message(SOCKET, text("3"))), [Output::Alive]);
    assert_eq!(give(&mut session, 350, Input::Message(SOCKET, text("3"))), [], "no question was open");
    assert_eq!(session.due(), Some(at(650)));
    give(&mut session, 650, Input::Wake);
    assert_eq!(
        give(&mut session, 850, Input::Wake),
        [Output::Closed(CloseCause::PingTimeout), Output::HangUp(SOCKET)]
    );
}

#[test]
fn a_ping_can_be_asked_for_and_one_at_a_time_is_enough() {
    let mut session = on_websocket();
    session.ping(at(10));
    session.ping(at(20));
    assert_eq!(outputs(&mut session), [Output::Send(SOCKET, text("2"))]);
    assert_eq!(session.due(), Some(at(210)));
}

#[test]
fn a_pong_from_before_the_question_is_no_answer_to_it() {
    let mut session = on_websocket();
    session.ping(at(10));
    outputs(&mut session);
    // The client answers and breaks off; its pong is still in flight when the server asks.
    session.ping(at(20));
    let pong = || Input::Message(SOCKET, text("3"));
    let said = give(&mut session, 30, pong());
    assert!(said.contains(&Output::Send(SOCKET, text("2"))) && !said.contains(&Output::Alive), "{said:?}");
    assert!(give(&mut session, 40, pong()).contains(&Output::Alive));
}

#[test]
fn a_session_that_ran_out_of_time_is_over_even_when_the_timer_is_late() {
    let mut session = polling();
    give(&mut session, 305, Input::Wake);
    let late = give(&mut session, 501, Input::Poll(GET));
    assert_eq!(late, [Output::Closed(CloseCause::PingTimeout), Output::Refuse(GET)]);
}

#[test]
fn an_upgrade_moves_what_waits_and_frees_the_poll() {
    let mut session = polling();
    give(&mut session, 1, Input::Poll(GET));
    assert_eq!(give(&mut session, 2, Input::Socket(SOCKET)), []);
    assert_eq!(
        give(&mut session, 3, Input::Message(SOCKET, text("2probe"))),
        [Output::Send(SOCKET, text("3probe")), answer(GET, "6")]
    );
    assert_eq!(give(&mut session, 4, Input::Poll(GET)), [answer(GET, "6")]);
    session.send(text("late"));
    assert_eq!(outputs(&mut session), []);
    assert_eq!(session.socket(), None);
    assert_eq!(
        give(&mut session, 5, Input::Message(SOCKET, text("5"))),
        [Output::Send(SOCKET, text("4late"))]
    );
    assert_eq!(session.socket(), Some(SOCKET));
    assert!(!session.is_polling());
    assert_eq!(give(&mut session, 6, Input::Socket(OTHER)), [Output::HangUp(OTHER)]);
    assert_eq!(give(&mut session, 7, Input::SocketClosed(OTHER)), []);
}

#[test]
fn who_has_stopped_polling_to_move_over_hears_of_the_end_by_websocket() {
    let mut session = polling();
    give(&mut session, 1, Input::Socket(SOCKET));
    give(&mut session, 2, Input::Poll(GET));
    assert_eq!(
        give(&mut session, 3, Input::Message(SOCKET, text("2probe"))),
        [Output::Send(SOCKET, text("3probe")), answer(GET, "6")]
    );
    // The client waits for the answer to its last POST, then moves over; what it posts makes the server end it.
    session.send(text("bye"));
    session.close(at(4));
    assert_eq!(outputs(&mut session), [Output::Closed(CloseCause::ByServer)], "the WebSocket stays");
    assert_eq!(
        give(&mut session, 5, Input::Message(SOCKET, text("5"))),
        [Output::Send(SOCKET, text("4bye")), Output::HangUp(SOCKET)]
    );
    assert!(session.is_closed());
}

#[test]
fn who_polls_once_more_hears_of_the_end_by_poll_and_the_probe_ends() {
    let mut session = polling();
    give(&mut session, 1, Input::Socket(SOCKET));
    give(&mut session, 2, Input::Message(SOCKET, text("2probe")));
    session.close(at(3));
    assert_eq!(outputs(&mut session), [Output::Closed(CloseCause::ByServer)]);
    assert_eq!(give(&mut session, 4, Input::Poll(GET)), [answer(GET, "1"), Output::HangUp(SOCKET)]);
    // A client that does neither is given up when a pong would be due.
    let mut silent = polling();
    give(&mut silent, 1, Input::Socket(SOCKET));
    silent.close(at(3));
    outputs(&mut silent);
    assert_eq!(give(&mut silent, 203, Input::Wake), [Output::HangUp(SOCKET)]);
    assert!(silent.is_closed());
}

#[test]
fn a_probe_that_says_something_else_or_nothing_leaves_the_session_as_it_was() {
    let mut session = polling();
    give(&mut session, 1, Input::Socket(SOCKET));
    assert_eq!(give(&mut session, 2, Input::Message(SOCKET, text("5"))), [Output::HangUp(SOCKET)]);
    assert_eq!(give(&mut session, 2, Input::SocketClosed(SOCKET)), []);
    let mut patient = Session::polling(at(0), Config::default(), "abc", GET);
    outputs(&mut patient);
    give(&mut patient, 0, Input::Socket(SOCKET));
    assert_eq!(give(&mut patient, 10_000, Input::Wake), [Output::HangUp(SOCKET)]);
    assert!(patient.is_polling());
}

#[test]
fn a_close_packet_ends_the_poll_with_a_noop() {
    let mut session = polling();
    give(&mut session, 1, Input::Poll(GET));
    give(&mut session, 1, Input::PostBegins(POST));
    assert_eq!(
        give(&mut session, 1, Input::Post(POST, Bytes::from_static(b"1\x1e4ignored"))),
        [Output::Closed(CloseCause::ByClient), answer(GET, "6"), answer(POST, "ok")]
    );
    assert!(session.is_closed());
}

#[test]
fn closed_by_the_server_the_client_hears_of_it_with_its_next_poll() {
    let mut session = polling();
    session.send(text("bye"));
    session.close(at(1));
    assert_eq!(outputs(&mut session), [Output::Closed(CloseCause::ByServer)]);
    assert!(!session.send(text("more")));
    assert_eq!(give(&mut session, 2, Input::Poll(GET)), [answer(GET, "4bye")]);
    assert!(!session.is_closed());
    assert_eq!(give(&mut session, 3, Input::Poll(GET)), [answer(GET, "1")], "in an answer of its own");
    assert!(session.is_closed());
    let mut nobody_asks = polling();
    nobody_asks.close(at(0));
    give(&mut nobody_asks, 200, Input::Wake);
    assert!(nobody_asks.is_closed());
}

#[test]
fn packets_that_are_none_or_not_a_clients_end_the_session() {
    for bad in ["abc", "", "2", "0{}"] {
        let mut session = on_websocket();
        assert_eq!(
            give(&mut session, 1, Input::Message(SOCKET, text(bad))),
            [Output::Closed(CloseCause::BadPacket), Output::HangUp(SOCKET)],
            "{bad:?}"
        );
    }
    let mut session = polling();
    give(&mut session, 1, Input::PostBegins(POST));
    assert_eq!(
        give(&mut session, 1, Input::Post(POST, Bytes::new())),
        [Output::Refuse(POST), Output::Closed(CloseCause::BadPacket)]
    );
}

#[test]
fn an_answer_holds_as_many_packets_as_every_client_takes() {
    let mut session = polling();
    (0..40).for_each(|_| assert!(session.send(text("x"))));
    let mut sizes = Vec::new();
    for _ in 0..4 {
        if let [Output::Answer(GET, body)] = &give(&mut session, 1, Input::Poll(GET))[..] {
            sizes.push(Packet::from_payload(body).unwrap().len());
        }
    }
    assert_eq!(sizes, [16, 16, 8]);
}

#[test]
fn who_does_not_fetch_is_given_up_and_costs_no_more_memory() {
    let mut session = polling();
    let sent = (0..1000).take_while(|_| session.send(text("0123456789"))).count();
    assert!((100..200).contains(&sent), "{sent}");
    assert_eq!(outputs(&mut session), [Output::Closed(CloseCause::SlowReader)]);
    assert_eq!((session.waiting.len(), session.waiting_bytes), (0, 0));
}

fn inputs() -> impl Strategy<Value = Input> {
    let key = (1u64..5).prop_map(ConnKey::made_up);
    let words = prop::sample::select(vec!["4a", "1", "2probe", "5", "3", "x", ""]);
    prop_oneof![
        key.clone().prop_map(Input::Poll),
        key.clone().prop_map(Input::PostBegins),
        (key.clone(), words.clone()).prop_map(|(key, w)| Input::Post(key, Bytes::from_static(w.as_bytes()))),
        key.clone().prop_map(Input::Gone),
        key.clone().prop_map(Input::Socket),
        (key.clone(), words).prop_map(|(key, w)| Input::Message(key, text(w))),
        key.prop_map(Input::SocketClosed),
        Just(Input::TooSlow),
        Just(Input::Wake),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever comes in whatever order: a session ends at most once, and afterwards brings up nothing.
    #[test]
    fn the_end_is_the_end(steps in prop::collection::vec((0u64..200, inputs()), 0..40), by_socket in any::<bool>()) {
        let mut session = if by_socket { on_websocket() } else { polling() };
        let (mut now, mut closed) = (0, 0);
        for (wait, input) in steps {
            now += wait;
            for output in give(&mut session, now, input) {
                match output {
                    Output::Closed(_) => closed += 1,
                    Output::Message(_) => prop_assert_eq!(closed, 0),
                    _ => {}
                }
            }
            session.send(text("hello"));
        }
        prop_assert!(closed <= 1);
        prop_assert!(session.waiting_bytes <= 10_000 + 200);
    }
}
