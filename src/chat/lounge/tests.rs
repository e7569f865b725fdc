//! Stories of the chat, step by step, without a network.

use std::sync::{Arc, Mutex};

use super::*;
use crate::base::{Duration, Rng};
use crate::chat::offset::Seals;
use crate::chat::{
    Config, EventLog, Local, MemoryLog, Retention, SessionId, SharedLog, Stream, StreamDelays,
};
use crate::layers::application::socketio::{Kind, Packet};

const SEED: u64 = 7;

/// A chat, and people who speak to it.
struct Story {
    local: Local,
    acks: u64,
    /// What came while a person waited for an answer.
    kept: Vec<(SessionId, String)>,
    happened: Arc<Mutex<Vec<String>>>,
}

/// What a person was given upon entering.
#[derive(Debug, Clone)]
struct Person {
    session: SessionId,
    sid: String,
    pid: String,
}

impl Story {
    fn new() -> Self {
        Story::on(Box::new(MemoryLog::new(Retention::default())), SEED)
    }

    fn on(log: Box<dyn EventLog>, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut hub = Hub::new(Config::default(), Box::new(move || rng.next_u64()), log);
        let happened = Arc::new(Mutex::new(Vec::new()));
        let told = happened.clone();
        let rules = Rules { page: 3, rooms_per_person: 2, ..Rules::default() };
        open(&mut hub, rules, move |happening| told.lock().unwrap().push(format!("{happening:?}")));
        Story { local: Local::new(hub), acks: 0, kept: Vec::new(), happened }
    }

    /// A CONNECT with this payload, and what it is answered with.
    fn knock(&mut self, auth: Value) -> (SessionId, Kind) {
        let session = self.local.connect("/", Some(auth));
        let first = self.local.take(session).into_iter().next().expect("an answer");
        (session, first.kind)
    }

    fn enter(&mut self, name: &str) -> Person {
        let (session, answer) = self.knock(json(&format!(r#"{{"name":"{name}"}}"#)));
        let Kind::Connect(Some(given)) = answer else { panic!("{answer:?}") };
        let id = |name| given.get(name).and_then(Value::as_str).expect("an id").to_owned();
        Person { session, sid: id("sid"), pid: id("pid") }
    }

    /// Comes back after the last offset it received; returns what it receives then.
    fn back(&mut self, person: &mut Person, offset: u64, name: &str) -> Vec<String> {
        let offset = sealed(offset);
        let auth = format!(r#"{{"name":"{name}","pid":"{}","offset":"{offset}"}}"#, person.pid);
        person.session = self.local.connect("/", Some(json(&auth)));
        let mut packets = self.local.take(person.session);
        let Kind::Connect(Some(given)) = packets.remove(0).kind else { panic!("refused") };
        person.pid = given.get("pid").and_then(Value::as_str).expect("a pid").into();
        packets.into_iter().filter_map(event).collect()
    }

    /// Says an event that wants an answer.
    fn ask(&mut self, person: &Person, event: &str, args: &str) -> Value {
        self.acks += 1;
        let Value::Array(args) = json(args) else { panic!("{args}") };
        self.local.emit(person.session, event, args, Some(self.acks));
        let mut answer = None;
        for packet in self.local.take(person.session) {
            match packet.kind {
                Kind::Ack { id, args } if id == self.acks => answer = args.into_iter().next(),
                _ => self.kept.extend(self::event(packet).map(|heard| (person.session, heard))),
            }
        }
        answer.expect("an answer")
    }

    /// What a person received since the last call.
    fn heard(&mut self, person: &Person) -> Vec<String> {
        let earlier =
            self.kept.extract_if(.., |(session, _)| *session == person.session).map(|(_, event)| event);
        let now = self.local.take(person.session).into_iter().filter_map(event);
        earlier.chain(now).collect()
    }
}

/// An offset as the hub of a story writes it: its key is the first that it draws.
fn sealed(offset: u64) -> String {
    let mut rng = Rng::new(SEED);
    let key = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    Seals::new(key).write("/", offset)
}

fn json(text: &str) -> Value {
    Value::from_json(text).expect("JSON")
}

/// An event as `name room-or-person words`.
fn event(packet: Packet) -> Option<String> {
    let Kind::Event { name, args, .. } = packet.kind else { return None };
    let members = ["room", "from", "to", "name", "text", "on"].into_iter();
    let values = members.filter_map(|member| args[0].get(member)).map(|value| match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string(other).expect("JSON"),
    });
    Some(std::iter::once(name).chain(values).collect::<Vec<_>>().join(" "))
}

fn texts(answer: &Value, member: &str) -> Vec<String> {
    let messages = answer.get(member).and_then(Value::as_array).expect("a list");
    messages.iter().map(|m| m.get("text").and_then(Value::as_str).expect("a text").to_owned()).collect()
}

fn code(answer: &Value) -> &str {
    assert_eq!(answer.get("ok"), Some(&false.into()), "{answer:?}");
    answer.get("code").and_then(Value::as_str).expect("a code")
}

#[test]
fn two_people_meet_in_a_room_and_talk() {
    let mut story = Story::new();
    let (ada, bob) = (story.enter("Ada"), story.enter("Bob"));
    let joined = story.ask(&ada, "join", r#"["tea"]"#);
    assert_eq!(joined.get("here"), Some(&json(r#"["Ada"]"#)));
    let joined = story.ask(&bob, "join", r#"[" tea "]"#);
    assert_eq!(joined.get("here"), Some(&json(r#"["Ada","Bob"]"#)));
    assert_eq!(story.heard(&ada), ["joined tea Bob"]);
    assert_eq!(story.heard(&bob), [""; 0]);

    let said = story.ask(&bob, "say", r#"["tea","hello <b>"]"#);
    assert_eq!(said.get("offset"), Some(&3_u64.into()));
    assert_eq!(story.heard(&ada), ["message tea Bob hello <b>"]);
    assert_eq!(story.heard(&bob), ["message tea Bob hello <b>"], "the sender receives it in its place");

    assert_eq!(story.ask(&bob, "leave", r#"["tea"]"#), json(r#"{"ok":true}"#));
    assert_eq!(story.heard(&ada), ["left tea Bob"]);
    assert_eq!(code(&story.ask(&bob, "say", r#"["tea","still here?"]"#)), "E_NOT_IN_ROOM");
    assert_eq!(code(&story.ask(&bob, "history", r#"["tea",{}]"#)), "E_NOT_IN_ROOM");
    story.local.cut(bob.session);
    let happened = story.happened.lock().unwrap().join("\n");
    assert!(
        happened.contains(r#"Said { name: "Bob", room: "tea", bytes: 9, offset: Some(3) }"#),
        "{happened}"
    );
}

#[test]
fn a_name_belongs_to_one_person() {
    let mut story = Story::new();
    let ada = story.enter("Ada");
    for (auth, expected) in [
        (r#"{"name":" aDA "}"#, "E_TAKEN"),
        (r#"{"name":""}"#, "E_NAME"),
        (r#"{"name":7}"#, "E_NAME"),
        ("{}", "E_NAME"),
        ("[]", "E_NAME"),
        (r#"{"name":"a\u001b[1m"}"#, "E_NAME"),
        (r#"{"name":"123456789012345678901234567890123"}"#, "E_NAME"),
    ] {
        let (_, Kind::ConnectError(error)) = story.knock(json(auth)) else { panic!("{auth} was let in") };
        assert_eq!(error.get("data"), Some(&json(&format!(r#"{{"code":"{expected}"}}"#))), "{auth}");
    }
    assert_eq!(story.ask(&ada, "nick", r#"["ADA"]"#), json(r#"{"ok":true,"name":"ADA"}"#));
    story.ask(&ada, "nick", r#"["Countess"]"#);
    let other = story.enter("Ada");
    assert_eq!(code(&story.ask(&other, "nick", r#"["countess"]"#)), "E_TAKEN");
    story.local.send(ada.session, Packet::new("/", Kind::Disconnect));
    assert_eq!(story.ask(&other, "nick", r#"["countess"]"#), json(r#"{"ok":true,"name":"countess"}"#));
}

#[test]
fn a_renamed_person_is_known_by_the_new_name_everywhere_and_told_once() {
    let mut story = Story::new();
    let (ada, bob) = (story.enter("Ada"), story.enter("Bob"));
    for person in [&ada, &bob] {
        story.ask(person, "join", r#"["tea"]"#);
        story.ask(person, "join", r#"["work"]"#);
    }
    story.heard(&ada);
    story.ask(&bob, "nick", r#"["Rob"]"#);
    assert_eq!(story.heard(&ada), ["renamed Bob Rob"]);
    assert_eq!(story.heard(&bob), ["renamed Bob Rob"]);
    let who = story.ask(&ada, "who", r#"["work"]"#);
    assert_eq!(
        who.get("here"),
        Some(&json(
            r#"[{"name":"Ada","typing":false,"away":false},{"name":"Rob","typing":false,"away":false}]"#
        ))
    );
    assert_eq!(code(&story.ask(&ada, "msg", r#"["Bob","you?"]"#)), "E_NOBODY");
    story.ask(&ada, "msg", r#"["ROB","you?"]"#);
    assert_eq!(story.heard(&bob), ["private Ada Rob you?"]);
}

#[test]
fn who_was_cut_off_is_away_and_comes_back_to_what_it_missed_private_messages_too() {
    let mut story = Story::new();
    let (ada, mut bob, eve) = (story.enter("Ada"), story.enter("Bob"), story.enter("Eve"));
    for person in [&ada, &bob, &eve] {
        story.ask(person, "join", r#"["tea"]"#);
    }
    story.heard(&ada);
    story.heard(&eve);
    story.local.cut(bob.session);
    assert_eq!(story.heard(&ada), ["away Bob true"]);
    let who = story.ask(&ada, "who", r#"["tea"]"#);
    assert_eq!(who.get("here").and_then(Value::as_array).expect("people")[1].get("away"), Some(&true.into()));

    let (_, refused) = story.knock(json(r#"{"name":"Bob"}"#));
    assert!(matches!(refused, Kind::ConnectError(_)), "the name is kept for him");
    story.ask(&ada, "say", r#"["tea","where is he?"]"#);
    let told = story.ask(&ada, "msg", r#"["bob","come back"]"#);
    assert_eq!(told.get("away"), Some(&true.into()));
    story.ask(&eve, "leave", r#"["tea"]"#);

    let replayed = story.back(&mut bob, 3, "Bob");
    assert_eq!(replayed, ["message tea Ada where is he?", "private Ada Bob come back", "left tea Eve"]);
    let heard = story.heard(&ada);
    assert_eq!(heard.last().map(String::as_str), Some("away Bob false"));
    assert!(
        !story.heard(&eve).iter().any(|heard| heard.starts_with("private")),
        "it is delivered to no one else"
    );
    story.ask(&bob, "say", r#"["tea","here I am"]"#);
    assert_eq!(story.heard(&ada), ["message tea Bob here I am"]);
}

#[test]
fn who_does_not_come_back_has_left_and_its_name_is_free() {
    let mut story = Story::new();
    let (ada, mut bob) = (story.enter("Ada"), story.enter("Bob"));
    story.ask(&ada, "join", r#"["tea"]"#);
    story.ask(&bob, "join", r#"["tea"]"#);
    story.local.cut(bob.session);
    story.heard(&ada);
    story.local.wait(Duration::from_secs(121));
    assert_eq!(story.heard(&ada), ["left tea Bob"]);
    let other = story.enter("bob");
    // Too late: his secret is forgotten, his name taken, and the gate sees a newcomer.
    let auth = format!(r#"{{"name":"Bob","pid":"{}","offset":"{}"}}"#, bob.pid, sealed(2));
    let (_, refused) = story.knock(json(&auth));
    assert!(matches!(refused, Kind::ConnectError(_)));
    assert_eq!(story.back(&mut bob, 2, "Bobby"), [""; 0]);
    assert_eq!(story.ask(&bob, "nick", r#"["BOBBY"]"#), json(r#"{"ok":true,"name":"BOBBY"}"#));
    drop(other);
}

#[test]
fn somebody_with_the_secret_of_one_who_is_there_gets_another_name() {
    let mut story = Story::new();
    let ada = story.enter("Ada");
    let mut thief = ada.clone();
    assert_eq!(story.back(&mut thief, 0, "Ada"), ["renamed Ada Ada-2"]);
    assert_ne!(thief.pid, ada.pid);
    story.ask(&ada, "join", r#"["tea"]"#);
    let here = story.ask(&thief, "who", r#"["tea"]"#);
    assert_eq!(here.get("count"), Some(&1_u64.into()));
}

#[test]
fn who_comes_and_goes_is_told_of_once_to_whoever_shares_several_rooms_with_it() {
    let mut story = Story::new();
    let (ada, bob) = (story.enter("Ada"), story.enter("Bob"));
    for person in [&ada, &bob] {
        story.ask(person, "join", r#"["tea"]"#);
        story.ask(person, "join", r#"["cake"]"#);
    }
    let eve = story.enter("Eve");
    story.heard(&ada);
    story.local.cut(bob.session);
    assert_eq!((story.heard(&ada), story.heard(&eve)), (vec!["away Bob true".into()], vec![]));
    story.local.cut(eve.session);
    assert_eq!(story.heard(&ada), [""; 0], "she shares no room with him");
}

#[test]
fn a_client_that_came_back_too_late_repeats_what_it_has_no_answer_to_without_a_second_effect() {
    let mut story = Story::new();
    let ada = story.enter("Ada");
    let bob = |story: &mut Story| {
        let (session, answer) = story.knock(json(r#"{"name":"Bob","client":"a word of his own"}"#));
        assert!(matches!(answer, Kind::Connect(_)));
        Person { session, sid: String::new(), pid: String::new() }
    };
    let first = bob(&mut story);
    story.ask(&first, "nick", r#"["Rob"]"#);
    let told = story.ask(&first, "msg", r#"["Ada","psst","b1"]"#);
    story.local.cut(first.session);
    story.local.wait(Duration::from_secs(121));
    let again = bob(&mut story);
    assert_eq!(story.ask(&again, "msg", r#"["Ada","psst","b1"]"#), told);
    assert_eq!(story.heard(&ada), ["private Rob Ada psst"]);
}

#[test]
fn what_is_repeated_is_said_once_and_answered_the_same() {
    let mut story = Story::new();
    let (ada, bob) = (story.enter("Ada"), story.enter("Bob"));
    story.ask(&ada, "join", r#"["tea"]"#);
    story.ask(&bob, "join", r#"["tea"]"#);
    let first = story.ask(&bob, "say", r#"["tea","once","b1"]"#);
    let again = story.ask(&bob, "say", r#"["tea","once","b1"]"#);
    assert_eq!(first, again);
    let whispered = story.ask(&bob, "msg", r#"["Ada","psst","b2"]"#);
    assert_eq!(whispered, story.ask(&bob, "msg", r#"["Ada","psst","b2"]"#));
    story.ask(&ada, "say", r#"["tea","mine","b1"]"#);
    let heard = story.heard(&ada);
    assert_eq!(heard[1..], ["message tea Bob once", "private Bob Ada psst", "message tea Ada mine"]);
    assert_eq!(code(&story.ask(&bob, "say", r#"["tea","x",7]"#)), "E_CLIENT_ID");
    let happened = story.happened.lock().unwrap().join("\n");
    assert_eq!(
        happened.matches("Said {").count(),
        2,
        "what was not repeated is not reported again: {happened}"
    );
}

#[test]
fn history_is_read_from_its_end_backwards_and_from_an_offset_onwards() {
    let mut story = Story::new();
    let (ada, bob) = (story.enter("Ada"), story.enter("Bob"));
    story.ask(&ada, "join", r#"["tea"]"#);
    story.ask(&ada, "join", r#"["work"]"#);
    for n in 1..=5 {
        story.ask(&ada, "say", &format!(r#"["tea","{n}"]"#));
        story.ask(&ada, "say", r#"["work","elsewhere"]"#);
    }
    // The log: 1 and 2 are the joins; 3, 5, 7, 9, 11 were said to tea.
    let joined = story.ask(&bob, "join", r#"["tea"]"#);
    assert_eq!(texts(&joined, "history"), ["3", "4", "5"]);
    assert_eq!((joined.get("more"), joined.get("end")), (Some(&true.into()), Some(&12_u64.into())));
    let before = joined.get("next").and_then(Value::as_u64).expect("an offset");
    let page = story.ask(&bob, "history", &format!(r#"["tea",{{"before":{before}}}]"#));
    assert_eq!(
        (texts(&page, "messages"), page.get("more")),
        (vec!["1".into(), "2".into()], Some(&false.into()))
    );

    let page = story.ask(&bob, "history", r#"["tea",{"since":5,"limit":2}]"#);
    assert_eq!(
        (texts(&page, "messages"), page.get("more")),
        (vec!["3".into(), "4".into()], Some(&true.into()))
    );
    let since = page.get("next").and_then(Value::as_u64).expect("an offset");
    let page = story.ask(&bob, "history", &format!(r#"["tea",{{"since":{since}}}]"#));
    assert_eq!((texts(&page, "messages"), page.get("more")), (vec!["5".into()], Some(&false.into())));

    let joined = story.ask(&bob, "join", r#"["tea",{"since":0}]"#);
    assert_eq!(
        (texts(&joined, "history"), joined.get("more")),
        (vec!["1".into(), "2".into(), "3".into()], Some(&true.into()))
    );
    for odd in [
        "[\"tea\",{\"limit\":0}]",
        "[\"tea\",{\"before\":0}]",
        "[\"tea\",{\"since\":18446744073709551615}]",
        "[\"tea\",7]",
    ] {
        assert_eq!(story.ask(&bob, "history", odd).get("ok"), Some(&true.into()), "{odd}");
    }
}

#[test]
fn typing_is_shown_while_it_lasts_and_ends_with_what_is_said() {
    let mut story = Story::new();
    let (ada, bob) = (story.enter("Ada"), story.enter("Bob"));
    story.ask(&ada, "join", r#"["tea"]"#);
    story.ask(&bob, "join", r#"["tea"]"#);
    story.heard(&ada);
    let types = |story: &mut Story| {
        story.local.emit(bob.session, "typing", vec!["tea".into(), true.into()], None);
    };
    let is_typing = |story: &mut Story| {
        let who = story.ask(&ada, "who", r#"["tea"]"#);
        who.get("here").and_then(Value::as_array).expect("people")[1].get("typing") == Some(&true.into())
    };
    types(&mut story);
    assert_eq!(story.heard(&ada), ["typing tea Bob true"]);
    assert_eq!(story.heard(&bob), [""; 0]);
    assert!(is_typing(&mut story));
    story.local.wait(Duration::from_secs(7));
    assert!(!is_typing(&mut story), "he does not say so again");
    types(&mut story);
    story.ask(&bob, "say", r#"["tea","done"]"#);
    assert!(!is_typing(&mut story));
    story.local.emit(bob.session, "typing", vec!["elsewhere".into(), true.into()], None);
    assert_eq!(story.heard(&ada), ["typing tea Bob true", "message tea Bob done"]);
}

#[test]
fn everything_is_bounded_and_says_so() {
    let mut story = Story::new();
    let ada = story.enter("Ada");
    for room in ["a", "b", "a"] {
        assert_eq!(story.ask(&ada, "join", &format!(r#"["{room}"]"#)).get("ok"), Some(&true.into()));
    }
    assert_eq!(code(&story.ask(&ada, "join", r#"["c"]"#)), "E_ROOMS");
    assert_eq!(code(&story.ask(&ada, "join", r#"[" "]"#)), "E_ROOM");
    assert_eq!(code(&story.ask(&ada, "join", "[{}]")), "E_ROOM");
    assert_eq!(code(&story.ask(&ada, "say", r#"["a",""]"#)), "E_TEXT");
    assert_eq!(code(&story.ask(&ada, "say", &format!(r#"["a","{}"]"#, "x".repeat(4001)))), "E_TEXT");
    assert_eq!(code(&story.ask(&ada, "msg", r#"["Nobody","hi"]"#)), "E_NOBODY");
    assert_eq!(
        story.ask(&ada, "rooms", "[]"),
        json(r#"{"ok":true,"rooms":[{"room":"a","here":1},{"room":"b","here":1}]}"#)
    );
}

#[test]
fn nobody_overhears_private_messages_by_joining_a_room_called_like_a_socket() {
    let mut story = Story::new();
    let (ada, bob, eve) = (story.enter("Ada"), story.enter("Bob"), story.enter("Eve"));
    for room in [&*bob.sid, "Bob"] {
        story.ask(&eve, "join", &format!(r#"["{room}"]"#));
    }
    story.ask(&ada, "msg", r#"["Bob","secret"]"#);
    assert_eq!(story.heard(&bob), ["private Ada Bob secret"]);
    assert_eq!(story.heard(&eve), [""; 0]);
}

/// Two servers of one chat.
struct Twins {
    log: SharedLog,
    stories: [Story; 2],
}

impl Twins {
    fn new() -> Self {
        let log = SharedLog::with_stride(Retention::default(), 3);
        let stories = [0, 1].map(|seed| Self::server(&log, seed));
        Twins { log, stories }
    }

    fn server(log: &SharedLog, seed: u64) -> Story {
        Story::on(Box::new(Stream::new(log, StreamDelays::default(), Rng::new(seed))), seed)
    }

    fn pass(&mut self) {
        for _ in 0..40 {
            self.stories.iter_mut().for_each(|story| story.local.wait(Duration::from_millis(1)));
        }
    }

    /// Comes in at a server; its session, and what it was given or refused with.
    fn knock(&mut self, server: usize, auth: &str) -> (SessionId, Kind) {
        let session = self.stories[server].local.connect("/", Some(json(auth)));
        self.pass();
        let first = self.stories[server].local.take(session).into_iter().next().expect("an answer");
        (session, first.kind)
    }

    fn enter(&mut self, server: usize, name: &str) -> Person {
        let (session, answer) = self.knock(server, &format!(r#"{{"name":"{name}"}}"#));
        let Kind::Connect(Some(given)) = answer else { panic!("{answer:?}") };
        let id = |name| given.get(name).and_then(Value::as_str).expect("an id").to_owned();
        Person { session, sid: id("sid"), pid: id("pid") }
    }

    /// Says an event that wants an answer, and waits for it.
    fn ask(&mut self, server: usize, person: &Person, event: &str, args: &str) -> Value {
        let Value::Array(args) = json(args) else { panic!("{args}") };
        self.stories[server].acks += 1;
        let id = self.stories[server].acks;
        self.stories[server].local.emit(person.session, event, args, Some(id));
        self.pass();
        let mut answer = None;
        for packet in self.stories[server].local.take(person.session) {
            match packet.kind {
                Kind::Ack { id: of, args } if of == id => answer = args.into_iter().next(),
                _ => {
                    let heard = self::event(packet).map(|heard| (person.session, heard));
                    self.stories[server].kept.extend(heard);
                }
            }
        }
        answer.expect("an answer")
    }

    /// The members of a room, as each server lists them.
    fn here(&mut self, asking: [&Person; 2], room: &str) -> [Vec<String>; 2] {
        [0, 1].map(|server| {
            let who = self.ask(server, asking[server], "who", &format!(r#"["{room}"]"#));
            let here = who.get("here").and_then(Value::as_array).expect("people");
            here.iter().map(|p| p.get("name").and_then(Value::as_str).expect("a name").to_owned()).collect()
        })
    }
}

#[test]
fn two_servers_on_one_log_agree_about_who_is_in_a_room() {
    let mut twins = Twins::new();
    let (ada, bob) = (twins.enter(0, "Ada"), twins.enter(1, "Bob"));
    let joined = twins.ask(0, &ada, "join", r#"["tea"]"#);
    assert_eq!(joined.get("here"), Some(&json(r#"["Ada"]"#)));
    let joined = twins.ask(1, &bob, "join", r#"["tea"]"#);
    assert_eq!(joined.get("here"), Some(&json(r#"["Ada","Bob"]"#)));
    assert_eq!(twins.here([&ada, &bob], "tea"), [["Ada", "Bob"], ["Ada", "Bob"]]);
    let (_, refused) = twins.knock(1, r#"{"name":"ada"}"#);
    assert!(matches!(refused, Kind::ConnectError(_)), "her name is taken here too");

    let said = twins.ask(1, &bob, "say", r#"["tea","hello"]"#);
    let heard = twins.stories[0].heard(&ada);
    assert_eq!(heard, ["joined tea Bob", "message tea Bob hello"]);
    let offset = said.get("offset").and_then(Value::as_u64).expect("an offset");
    assert_eq!(said.get("id"), Some(&offset.to_string().as_str().into()));
    twins.ask(1, &bob, "msg", r#"["Ada","psst"]"#);
    assert_eq!(twins.stories[0].heard(&ada), ["private Bob Ada psst"], "across servers");

    twins.ask(0, &ada, "nick", r#"["Countess"]"#);
    assert_eq!(twins.here([&ada, &bob], "tea"), [["Bob", "Countess"], ["Bob", "Countess"]]);
    assert_eq!(code(&twins.ask(1, &bob, "nick", r#"["countess"]"#)), "E_TAKEN");
    // A third one, that begins only now, knows it from what is kept.
    let mut third = Twins::server(&twins.log, 9);
    let eve = third.local.connect("/", Some(json(r#"{"name":"countess"}"#)));
    third.local.wait(Duration::from_millis(40));
    let refused = third.local.take(eve).remove(0).kind;
    assert!(matches!(refused, Kind::ConnectError(_)), "{refused:?}");

    twins.ask(1, &bob, "leave", r#"["tea"]"#);
    assert_eq!(twins.here([&ada, &bob], "tea"), [["Countess"], ["Countess"]]);
    twins.stories[0].local.send(ada.session, Packet::new("/", Kind::Disconnect));
    twins.pass();
    twins.pass();
    let bobs = twins.ask(1, &bob, "who", r#"["tea"]"#);
    assert_eq!(bobs.get("count"), Some(&0u64.into()));
}

#[test]
fn who_comes_back_to_the_other_server_keeps_its_name_and_its_rooms() {
    let mut twins = Twins::new();
    let (ada, bob) = (twins.enter(0, "Ada"), twins.enter(1, "Bob"));
    twins.ask(0, &ada, "join", r#"["tea"]"#);
    twins.ask(1, &bob, "join", r#"["tea"]"#);
    twins.stories[0].local.cut(ada.session);
    twins.ask(1, &bob, "say", r#"["tea","where is she?"]"#);
    let (session, answer) = twins.knock(1, &format!(r#"{{"name":"Ada","pid":"{}"}}"#, ada.pid));
    let Kind::Connect(Some(given)) = answer else { panic!("{answer:?}") };
    assert_eq!(given.get("sid"), Some(&ada.sid.as_str().into()), "the same person");
    let ada = Person { session, ..ada };
    twins.ask(1, &ada, "say", r#"["tea","here"]"#);
    assert!(twins.stories[1].heard(&bob).contains(&"message tea Ada here".to_owned()));
    twins.stories[1].local.send(ada.session, Packet::new("/", Kind::Disconnect));
    twins.pass();
    let eve = twins.enter(0, "Eve");
    assert_eq!(twins.here([&eve, &bob], "tea"), [["Bob"], ["Bob"]]);
    twins.enter(0, "Ada");
}
