//! The client, given what a server would say.

use super::*;
use crate::base::{Duration, Rng};
use crate::layers::application::socketio::Value;

/// A client, what it has asked for, and the time.
struct Stage {
    client: Client,
    now: Instant,
    wake_at: Instant,
}

impl Stage {
    fn new() -> Self {
        Stage::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let mut rng = Rng::new(1);
        let client = Client::new(config, Box::new(move || rng.next_u64()));
        Stage { client, now: Instant::ZERO, wake_at: Instant::NEVER }
    }

    /// One that is in the main namespace, with a secret.
    fn inside() -> Self {
        let mut stage = Stage::new();
        stage.client.join(stage.now, "/", None);
        stage.take();
        stage.let_in("me", "secret");
        stage
    }

    fn take(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some(output) = self.client.poll(self.now) {
            match output {
                Output::WakeAt(at) => self.wake_at = at,
                other => outputs.push(other),
            }
        }
        outputs
    }

    fn give(&mut self, input: Input) -> Vec<Output> {
        self.client.handle(self.now, input);
        self.take()
    }

    fn say(&mut self, text: &str) -> Vec<Output> {
        self.give(Input::Message(text.into()))
    }

    /// The session opens; what the client says then.
    fn open(&mut self) -> Vec<Output> {
        self.give(Input::Opened { max_payload: 1000 })
    }

    fn let_in(&mut self, sid: &str, pid: &str) -> Vec<Output> {
        self.open();
        self.say(&format!(r#"0{{"sid":"{sid}","pid":"{pid}"}}"#))
    }

    fn wait(&mut self, length: Duration) -> Vec<Output> {
        let end = self.now + length;
        let mut outputs = Vec::new();
        while self.wake_at <= end {
            self.now = self.now.max(self.wake_at);
            self.wake_at = Instant::NEVER;
            outputs.extend(self.give(Input::Wake));
        }
        self.now = end;
        outputs
    }
}

fn send(text: &str) -> Output {
    Output::Send(text.into())
}

fn event(event: Event) -> Output {
    Output::Event(event)
}

fn dial() -> Output {
    Output::Dial
}

fn connected(sid: &str, recovered: bool) -> Output {
    event(Event::Connected { namespace: "/".into(), sid: sid.into(), recovered })
}

fn heard(name: &str, args: Vec<Value>, offset: Option<&str>) -> Output {
    let (namespace, name) = ("/".into(), name.into());
    let offset = offset.map(|offset| Offset(offset.into()));
    event(Event::Heard(Heard { namespace, name, args, offset, ack: None }))
}

/// When the next try is made, and the try.
fn retrying(outputs: &[Output]) -> Option<(u32, Duration)> {
    outputs.iter().find_map(|output| match output {
        Output::Event(Event::Retrying { attempt, after, .. }) => Some((*attempt, *after)),
        _ => None,
    })
}

#[test]
fn it_dials_opens_and_enters_its_namespaces_with_their_credentials() {
    let mut stage = Stage::new();
    stage.client.join(stage.now, "/", None);
    stage.client.join(stage.now, "/admin", Some(Value::object([("token", "x".into())])));
    assert_eq!(stage.take(), [dial()]);
    assert_eq!(stage.open(), [send("0"), send(r#"0/admin,{"token":"x"}"#)]);
    assert_eq!(stage.say(r#"0{"sid":"me"}"#), [connected("me", false)]);
    assert!(stage.client.is_inside("/") && !stage.client.is_inside("/admin"));
    let error = Value::object([("message", "no".into())]);
    let refused = event(Event::Refused { namespace: "/admin".into(), error });
    assert_eq!(stage.say(r#"4/admin,{"message":"no"}"#), [refused]);
    stage.client.join(stage.now, "/admin", Some(Value::object([("token", "y".into())])));
    assert_eq!(stage.take(), [send(r#"0/admin,{"token":"y"}"#)]);
}

#[test]
fn events_questions_and_answers_go_both_ways_and_bytes_too() {
    let mut stage = Stage::inside();
    let bytes = bytes::Bytes::from_static(&[1, 2]);
    stage.client.emit(stage.now, "/", "photo", vec![bytes.clone().into(), 7u64.into()]).unwrap();
    let text = r#"51-["photo",{"_placeholder":true,"num":0},7]"#;
    assert_eq!(stage.take(), [send(text), Output::Send(bytes.clone().into())]);
    let id = stage.client.ask(stage.now, "/", "who", vec![], Duration::from_secs(5)).unwrap();
    assert_eq!(stage.take(), [send(r#"21["who"]"#)]);
    let answered = event(Event::Answered { id, answer: Ok(vec!["Ada".into()]) });
    assert_eq!(stage.say(r#"31["Ada"]"#), [answered]);
    assert_eq!(stage.say(r#"31["again"]"#), []);
    assert_eq!(stage.say(r#"51-["photo",{"_placeholder":true,"num":0}]"#), []);
    assert_eq!(stage.give(Input::Message(bytes.clone().into())), [heard("photo", vec![bytes.into()], None)]);
    let question = stage.say(r#"29["sure?"]"#);
    let [Output::Event(Event::Heard(Heard { ack: Some(ack), .. }))] = &question[..] else {
        panic!("{question:?}")
    };
    assert!(stage.client.answer(ack, vec![true.into()]));
    assert_eq!(stage.take(), [send("39[true]")]);
}

#[test]
fn a_question_that_is_not_answered_in_time_says_so_once() {
    let mut stage = Stage::inside();
    let id = stage.client.ask(stage.now, "/", "who", vec![], Duration::from_secs(5)).unwrap();
    stage.take();
    assert_eq!(stage.wait(Duration::from_millis(4999)), []);
    let answer = Err(NoAnswer::TimedOut);
    assert_eq!(stage.wait(Duration::from_millis(1)), [event(Event::Answered { id, answer })]);
    assert_eq!(stage.say("31[]"), []);
}

#[test]
fn it_comes_back_with_its_secret_and_the_last_offset_and_says_whether_it_is_the_same() {
    let mut stage = Stage::inside();
    assert_eq!(
        stage.say(r#"2["said","hello","17.nB3_x0aQ"]"#),
        [heard("said", vec!["hello".into()], Some("17.nB3_x0aQ"))]
    );
    assert_eq!(Offset("17.nB3_x0aQ".into()).number(), Some(17));
    let lost = stage.give(Input::Closed("pulled".into()));
    let gone = event(Event::Disconnected { namespace: "/".into(), by_server: false });
    assert_eq!(lost[0], gone);
    let (attempt, after) = retrying(&lost).unwrap();
    assert!(attempt == 1 && after >= Duration::from_millis(500) && after < Duration::from_millis(1500));
    assert_eq!(stage.wait(after), [dial()]);
    assert_eq!(stage.open(), [send(r#"0{"pid":"secret","offset":"17.nB3_x0aQ"}"#)]);
    assert_eq!(stage.say(r#"0{"sid":"me","pid":"secret"}"#), [connected("me", true)]);
    // The next time the server has forgotten it: an offset of the one it was is of no use any more.
    stage.give(Input::Closed("pulled".into()));
    stage.wait(Duration::from_secs(2));
    stage.open();
    assert_eq!(stage.say(r#"0{"sid":"other","pid":"fresh"}"#), [connected("other", false)]);
    stage.give(Input::Closed("pulled".into()));
    stage.wait(Duration::from_secs(2));
    assert_eq!(stage.open(), [send(r#"0{"pid":"fresh"}"#)]);
}

#[test]
fn tries_come_less_and_less_often_until_one_succeeds() {
    let backoff = Backoff { scatter: 0.0, ..Backoff::default() };
    let mut stage = Stage::with(Config { backoff, ..Config::default() });
    stage.client.join(stage.now, "/", None);
    stage.take();
    let mut waits = Vec::new();
    for _ in 0..4 {
        let (_, after) = retrying(&stage.give(Input::Closed("refused".into()))).unwrap();
        waits.push(after.as_secs_f64());
        assert_eq!(stage.wait(after), [dial()]);
    }
    assert_eq!(waits, [1.0, 2.0, 4.0, 5.0]);
    stage.let_in("me", "secret");
    let (attempt, after) = retrying(&stage.give(Input::Closed("pulled".into()))).unwrap();
    assert_eq!((attempt, after), (1, Duration::from_secs(1)));
}

#[test]
fn it_gives_up_when_it_was_told_to_and_begins_anew_when_asked() {
    let backoff = Backoff { tries: Some(1), ..Backoff::default() };
    let mut stage = Stage::with(Config { backoff, ..Config::default() });
    stage.client.join(stage.now, "/", None);
    stage.take();
    let (_, after) = retrying(&stage.give(Input::Closed("refused".into()))).unwrap();
    stage.wait(after);
    let given_up = event(Event::GaveUp { why: "refused".into() });
    assert_eq!(stage.give(Input::Closed("refused".into())), [given_up]);
    assert_eq!(stage.wait(Duration::from_secs(60)), []);
    stage.client.join(stage.now, "/", None);
    assert_eq!(stage.take(), [dial()]);
}

#[test]
fn what_is_emitted_while_away_waits_in_order_and_questions_keep_their_time() {
    let mut stage = Stage::inside();
    stage.give(Input::Closed("pulled".into()));
    let now = stage.now;
    stage.client.emit(now, "/", "one", vec![]).unwrap();
    assert!(!stage.client.volatile(now, "/", "dropped", vec![]));
    let hasty = stage.client.ask(now, "/", "hasty", vec![], Duration::from_millis(100)).unwrap();
    stage.client.deliver(now, "/", "two", vec![]).unwrap();
    let outputs = stage.wait(Duration::from_secs(2));
    assert!(outputs.contains(&event(Event::Answered { id: hasty, answer: Err(NoAnswer::TimedOut) })));
    let sent = stage.let_in("me", "secret");
    let texts: Vec<&str> = sent.iter().filter_map(text).collect();
    assert!(texts[0] == r#"2["one"]"# && texts[1].starts_with(r#"22["two",""#), "{texts:?}");
    assert_eq!(texts.len(), 2);
}

/// The text of a message that is sent.
fn text(output: &Output) -> Option<&str> {
    match output {
        Output::Send(Message::Text(text)) => Some(text.as_str()),
        _ => None,
    }
}

#[test]
fn what_is_delivered_is_sent_again_with_the_same_id_until_it_is_acknowledged() {
    let mut stage = Stage::inside();
    let now = stage.now;
    let one = stage.client.deliver(now, "/", "say", vec!["one".into()]).unwrap();
    let lost = stage.client.ask(now, "/", "who", vec![], Duration::from_secs(60)).unwrap();
    stage.client.deliver(now, "/", "say", vec!["two".into()]).unwrap();
    let sent = stage.take();
    assert_eq!(stage.client.unsettled(), 2);
    stage.say("31[]");
    let outputs = stage.give(Input::Closed("pulled".into()));
    assert!(outputs.contains(&event(Event::Answered { id: lost, answer: Err(NoAnswer::Disconnected) })));
    stage.wait(Duration::from_secs(2));
    let again = stage.let_in("me", "secret");
    assert_eq!(again[1..], sent[2..], "the first was acknowledged, the second was not");
    assert!(matches!(&stage.say("33[]")[..], [Output::Event(Event::Answered { answer: Ok(_), .. })]));
    assert_eq!((stage.client.unsettled(), one), (0, EmitId(1)));
}

#[test]
fn too_much_is_refused_and_nothing_of_it_kept() {
    let mut stage = Stage::with(Config { buffer_events: 2, buffer_bytes: 100, ..Config::default() });
    let now = stage.now;
    assert_eq!(stage.client.emit(now, "/", "x", vec![]), Err(EmitError::NotJoined));
    stage.client.join(now, "/", None);
    assert_eq!(stage.client.emit(now, "/", "connect", vec![]), Err(EmitError::ReservedName));
    assert_eq!(stage.client.emit(now, "/", "x", vec!["y".repeat(100).into()]), Err(EmitError::Full));
    assert_eq!(stage.client.emit(now, "/", "1", vec![]), Ok(()));
    assert_eq!(stage.client.emit(now, "/", "2", vec![]), Ok(()));
    assert_eq!(stage.client.emit(now, "/", "3", vec![]), Err(EmitError::Full));
    let sent = stage.let_in("me", "secret");
    assert_eq!(sent[1..], [send(r#"2["1"]"#), send(r#"2["2"]"#)]);
    assert_eq!(stage.client.emit(now, "/", "3", vec![]), Ok(()));
}

#[test]
fn what_the_server_would_not_take_is_not_sent_again_and_again() {
    let mut stage = Stage::new();
    stage.client.join(stage.now, "/", None);
    let id = stage.client.deliver(stage.now, "/", "say", vec!["x".repeat(1000).into()]).unwrap();
    let outputs = stage.let_in("me", "secret");
    assert!(outputs.contains(&event(Event::Answered { id, answer: Err(NoAnswer::TooLarge) })));
    assert_eq!(stage.client.unsettled(), 0);
}

#[test]
fn while_the_network_is_full_everything_waits() {
    let mut stage = Stage::inside();
    stage.give(Input::Full);
    stage.client.emit(stage.now, "/", "one", vec![]).unwrap();
    assert!(!stage.client.volatile(stage.now, "/", "dropped", vec![]));
    assert_eq!(stage.take(), []);
    assert_eq!(stage.give(Input::Room), [send(r#"2["one"]"#)]);
}

#[test]
fn a_server_that_is_silent_or_talks_nonsense_is_left_for_another_try() {
    let mut stage = Stage::inside();
    let outputs = stage.give(Input::ended(CloseCause::PingTimeout));
    let silent = |output: &Output| matches!(output, Output::Event(Event::Retrying { why, .. }) if why.contains("no sign of life"));
    assert!(outputs.iter().any(silent), "{outputs:?}");
    let mut stage = Stage::inside();
    let outputs = stage.say("no packet");
    assert!(outputs.contains(&Output::HangUp) && retrying(&outputs).is_some(), "{outputs:?}");
    let mut stage = Stage::new();
    stage.client.join(stage.now, "/", None);
    stage.take();
    stage.open();
    let outputs = stage.wait(Duration::from_secs(20));
    assert!(outputs.contains(&Output::HangUp) && retrying(&outputs).is_some(), "no answer to CONNECT");
}

#[test]
fn who_is_put_out_stays_out_and_who_leaves_says_so() {
    let mut stage = Stage::inside();
    let put_out = event(Event::Disconnected { namespace: "/".into(), by_server: true });
    let outputs = stage.say("1");
    assert_eq!(outputs[0], put_out);
    assert!(outputs.ends_with(&[Output::HangUp]), "the session is not needed: {outputs:?}");
    assert_eq!(stage.wait(Duration::from_secs(60)), []);

    let mut stage = Stage::inside();
    stage.client.close();
    assert_eq!(stage.take(), [send("1"), Output::HangUp]);
    assert_eq!(stage.give(Input::Closed("late".into())), []);
}

#[test]
fn who_comes_back_as_somebody_else_may_find_its_place_before_what_waits_goes_out() {
    let mut stage = Stage::with(Config { hold_when_new: true, ..Config::default() });
    let now = stage.now;
    stage.client.join(now, "/", None);
    let one = stage.client.deliver(now, "/", "say", vec!["one".into()]).unwrap();
    assert_eq!(stage.let_in("me", "secret").len(), 2, "the first time nothing is held");
    let two = stage.client.deliver(now, "/", "say", vec!["two".into()]).unwrap();
    stage.take();
    stage.give(Input::Closed("pulled".into()));
    stage.wait(Duration::from_secs(2));
    assert_eq!(stage.let_in("other", "fresh"), [connected("other", false)]);
    stage.client.ask(stage.now, "/", "join", vec!["room".into()], Duration::from_secs(5)).unwrap();
    assert_eq!(stage.take(), [send(r#"23["join","room"]"#)], "what need not be kept for a retry is sent");
    assert!(stage.client.withdraw(one), "the history has it");
    stage.client.resume(stage.now, "/");
    let id = stage.client.sender_id(two);
    assert_eq!(stage.take(), [send(&format!(r#"22["say","two","{id}"]"#))]);
}
