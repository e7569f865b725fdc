//! Both sides of the handshake against the RFC's own example, against each other, and against each broken rule.

use proptest::prelude::*;

use super::client::Request;
use super::extensions::{Extension, FIELD};
use super::server::{Policy, Refusal, Subprotocols, answer};
use super::*;
use crate::layers::application::http::{RequestHead, ResponseHead, Version};

/// The request of §1.2 with the key of §1.3, one field changed (or, with an empty value, left out).
fn request_with(name: &str, value: &str) -> RequestHead {
    let example = [
        ("Host", "server.example.com"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Origin", "http://example.com"),
        ("Sec-WebSocket-Protocol", "chat, superchat"),
        ("Sec-WebSocket-Version", "13"),
    ];
    let mut headers = Headers::new();
    for (field, kept) in example {
        match (field == name, value) {
            (false, _) => headers.push(field, kept),
            (true, "") => {}
            (true, _) => headers.push(field, value),
        }
    }
    if !value.is_empty() && !example.iter().any(|(field, _)| *field == name) {
        headers.push(name, value);
    }
    RequestHead::new("GET", "/chat", headers)
}

fn example() -> RequestHead {
    request_with("", "")
}

fn refused(request: &RequestHead) -> Refusal {
    answer(request, &Policy::default(), None).unwrap_err()
}

#[test]
fn the_accept_key_of_section_1_3_comes_out() {
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn the_example_of_section_1_2_is_answered_as_there() {
    let policy = Policy { subprotocols: Subprotocols::These(vec!["chat".into()]), ..Policy::default() };
    let (response, opening) = answer(&example(), &policy, None).unwrap();
    let expected = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    assert_eq!(response.emit().unwrap(), expected);
    assert_eq!((opening.resource.as_str(), opening.subprotocol.as_deref()), ("/chat", Some("chat")));
}

#[test]
fn the_server_refuses_each_broken_rule_with_its_status() {
    let cases = [
        ("Host", "", 400, "Host"),
        ("Upgrade", "", 426, "Upgrade"),
        ("Upgrade", "h2c", 426, "Upgrade"),
        ("Connection", "keep-alive", 400, "Connection"),
        ("Connection", "", 400, "Connection"),
        ("Sec-WebSocket-Key", "", 400, "Sec-WebSocket-Key"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", 400, "Sec-WebSocket-Key"),
        ("Sec-WebSocket-Key", "dG9vIHNob3J0", 400, "Sec-WebSocket-Key"),
        ("Sec-WebSocket-Version", "", 400, "Sec-WebSocket-Version"),
        ("Sec-WebSocket-Version", "8", 426, "Sec-WebSocket-Version"),
        ("Sec-WebSocket-Version", "013", 426, "Sec-WebSocket-Version"),
        ("Sec-WebSocket-Protocol", "chat room", 400, "Sec-WebSocket-Protocol"),
        ("Sec-WebSocket-Extensions", "a b", 400, "Sec-WebSocket-Extensions"),
        ("Content-Length", "5", 400, "body"),
        ("Transfer-Encoding", "chunked", 400, "body"),
    ];
    for (name, value, status, field) in cases {
        let refusal = refused(&request_with(name, value));
        assert_eq!((refusal.response.status, refusal.error.field), (status, field), "{name}: {value}");
        assert!(refusal.response.headers.has_token("Connection", "close"));
    }
    let twice = example();
    for name in ["Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host"] {
        let value = twice.headers.get(name).unwrap().to_owned();
        let request = RequestHead { headers: twice.headers.clone().with(name, value), ..twice.clone() };
        assert_eq!(refused(&request).response.status, 400, "{name} twice");
    }
}

#[test]
fn another_version_is_told_which_one_is_spoken() {
    let refusal = refused(&request_with("Sec-WebSocket-Version", "25"));
    assert_eq!(refusal.response.headers.get("Sec-WebSocket-Version"), Some("13"));
    assert_eq!(refusal.response.headers.get("Upgrade"), Some("websocket"));
}

#[test]
fn the_start_line_must_ask_to_get_a_path_in_http_1_1() {
    let post = RequestHead { method: "POST".into(), ..example() };
    assert_eq!(refused(&post).response.headers.get("Allow"), Some("GET"));
    assert_eq!(refused(&RequestHead { version: Version::Http10, ..example() }).response.status, 400);
    let resource = |target: &str| {
        let request = RequestHead { target: target.into(), ..example() };
        answer(&request, &Policy::default(), None).map(|(_, opening)| opening.resource)
    };
    assert_eq!(resource("/a?b").unwrap(), "/a?b");
    assert_eq!(resource("http://server.example.com/a?b").unwrap(), "/a?b");
    assert_eq!(resource("ws://server.example.com").unwrap(), "/");
    for bad in ["*", "server.example.com:80", "/a#b", "ftp://a/b", "http://", "http:///a"] {
        assert_eq!(resource(bad).unwrap_err().response.status, 400, "{bad}");
    }
}

#[test]
fn lists_may_hold_more_than_what_is_looked_for() {
    assert!(answer(&request_with("Connection", "keep-alive, UPGRADE"), &Policy::default(), None).is_ok());
    assert!(answer(&request_with("Upgrade", "h2c, WebSocket"), &Policy::default(), None).is_ok());
}

#[test]
fn only_pages_on_the_list_may_connect() {
    let policy = Policy { origins: Some(vec!["https://good.example".into()]), ..Policy::default() };
    let status = |value| {
        answer(&request_with("Origin", value), &policy, None).map_err(|refusal| refusal.response.status)
    };
    assert_eq!(status("https://evil.example").unwrap_err(), 403);
    assert_eq!(status("https://good.example.evil.example").unwrap_err(), 403);
    assert!(status("https://GOOD.example").is_ok());
    assert!(status("").is_ok(), "not a browser");
}

#[test]
fn paths_that_are_not_served_are_not_found() {
    let policy = Policy { paths: Some(vec!["/chat".into()]), ..Policy::default() };
    assert!(answer(&RequestHead { target: "/chat?x=/y".into(), ..example() }, &policy, None).is_ok());
    let refusal = answer(&RequestHead { target: "/chat/".into(), ..example() }, &policy, None).unwrap_err();
    assert_eq!(refusal.response.status, 404);
}

#[test]
fn the_server_chooses_the_subprotocol_it_likes_best() {
    let chosen = |ours: &[&str]| {
        let policy = Policy {
            subprotocols: Subprotocols::These(ours.iter().map(|p| (*p).into()).collect()),
            ..Policy::default()
        };
        answer(&example(), &policy, None).unwrap().1.subprotocol
    };
    assert_eq!(chosen(&["superchat", "chat"]).as_deref(), Some("superchat"));
    assert_eq!(chosen(&["CHAT"]), None);
    assert_eq!(chosen(&[]), None);
    let first = answer(&example(), &Policy::default(), None).unwrap();
    assert_eq!(
        first.1.subprotocol.as_deref(),
        Some("chat"),
        "the first that is offered, when none is asked for"
    );
    assert_eq!(first.0.headers.get("Sec-WebSocket-Protocol"), Some("chat"));
    let mut plain = example();
    plain.headers = plain
        .headers
        .iter()
        .filter(|(name, _)| *name != "Sec-WebSocket-Protocol")
        .fold(crate::layers::application::http::Headers::new(), |all, (name, value)| all.with(name, value));
    assert_eq!(answer(&plain, &Policy::default(), None).unwrap().1.subprotocol, None);
}

#[test]
fn a_whole_uri_may_have_no_path_before_its_query() {
    let resource = |target: &str| {
        answer(&RequestHead { target: target.into(), ..example() }, &Policy::default(), None)
            .map(|(_, opening)| opening.resource)
            .map_err(|refusal| refusal.response.status)
    };
    assert_eq!(resource("http://host?x=1"), Ok("/?x=1".into()));
    assert_eq!(resource("http://host"), Ok("/".into()));
    assert_eq!(resource("http://host/a?x=1"), Ok("/a?x=1".into()));
    assert_eq!(resource("http://?x=1"), Err(400));
}

#[test]
fn an_answer_that_says_where_to_go_or_what_to_show_is_told_with_it() {
    let request = Request::new("a", "/", *b"the sample nonce");
    let got = |status: u16, name: &str, value: &str| {
        let headers = crate::layers::application::http::Headers::new().with(name, value);
        let response = ResponseHead { reason: "Why".into(), ..ResponseHead::new(status, headers) };
        request.check(&response, &[]).unwrap_err().got.to_string()
    };
    assert_eq!(got(302, "Location", "https://b/"), "302 Why, Location: https://b/");
    assert_eq!(got(401, "WWW-Authenticate", "Bearer"), "401 Why, WWW-Authenticate: Bearer");
    assert_eq!(got(403, "Location", "https://b/"), "403 Why");
}

/// A client that offers `chat` and a server's answer to it, with one field changed.
fn check_with(name: &str, value: &str) -> Result<Opening, ParseError> {
    let request =
        Request { subprotocols: vec!["chat".into()], ..Request::new("a", "/", *b"the sample nonce") };
    let offers = [Extension::new("x-known")];
    let policy = Policy { subprotocols: Subprotocols::These(vec!["chat".into()]), ..Policy::default() };
    let (response, _) = answer(&request.head(&offers), &policy, None).unwrap();
    let mut headers = Headers::new();
    for (field, kept) in response.headers.iter().filter(|(field, _)| *field != name) {
        headers.push(field, kept);
    }
    if !value.is_empty() {
        headers.push(name, value);
    }
    request.check(&ResponseHead { headers, ..response }, &offers)
}

#[test]
fn the_client_accepts_what_the_server_answers() {
    let opening = check_with("", "").unwrap();
    assert_eq!(opening.subprotocol.as_deref(), Some("chat"));
    assert_eq!(check_with(FIELD, "x-known; a=1").unwrap().extensions.len(), 1);
    assert_eq!(check_with("Sec-WebSocket-Protocol", "").unwrap().subprotocol, None);
}

#[test]
fn the_client_refuses_each_broken_rule() {
    let cases = [
        ("Upgrade", ""),
        ("Upgrade", "h2c"),
        ("Upgrade", "websocket, h2c"),
        ("Connection", ""),
        ("Connection", "close"),
        ("Sec-WebSocket-Accept", ""),
        ("Sec-WebSocket-Accept", "S3PPLMBITXAQ9KYGZZHZRBK+XOO="),
        ("Sec-WebSocket-Protocol", "other"),
        ("Sec-WebSocket-Protocol", "chat, superchat"),
        (FIELD, "x-unknown"),
        (FIELD, "x-known;"),
    ];
    for (name, value) in cases {
        assert_eq!(check_with(name, value).unwrap_err().field, name, "{name}: {value}");
    }
    let request = Request::new("a", "/", [0; 16]);
    let error = request.check(&ResponseHead::new(404, Headers::new()), &[]).unwrap_err();
    assert_eq!(error.got.to_string(), "404 Not Found");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_client_and_any_server_agree(nonce: [u8; 16], path in "/[a-z?=]{0,10}", ours in "[a-c]", theirs in "[a-c]") {
        let request = Request { subprotocols: vec![ours.clone()], ..Request::new("host:1", path.clone(), nonce) };
        let (head, _) = RequestHead::parse(&request.head(&[]).emit().unwrap()).unwrap();
        let policy = Policy { subprotocols: Subprotocols::These(vec![theirs.clone()]), ..Policy::default() };
        let (response, at_server) = answer(&head, &policy, None).unwrap();
        let at_client = request.check(&response, &[]).unwrap();
        prop_assert_eq!(&at_client.subprotocol, &at_server.subprotocol);
        prop_assert_eq!(at_client.subprotocol.is_some(), ours == theirs);
        prop_assert_eq!(at_server.resource, path);
    }
}

#[test]
fn a_client_writes_no_request_that_breaks_a_rule() {
    let request = Request::new("a", "/", [0; 16]);
    let with = |name: &str| Request { headers: Headers::new().with(name, "x"), ..request.clone() };
    let speaks = |names: &[&str]| {
        let subprotocols = names.iter().map(|name| (*name).to_owned()).collect();
        Request { subprotocols, ..request.clone() }
    };
    assert!(speaks(&["chat", "superchat"]).check_own().is_ok());
    for allowed in ["Cookie", "Authorization", "Origin"] {
        assert!(with(allowed).check_own().is_ok(), "{allowed}");
    }
    let origins = Request { origin: Some("https://a".into()), ..with("origin") };
    let wrong = [speaks(&["a", "b", "a"]), speaks(&["chat room"]), speaks(&[""]), with("Host"), with("host")];
    let fields = ["Upgrade", "Connection", "Sec-WebSocket-Key", "sec-websocket-extensions"].map(with);
    for request in wrong.into_iter().chain(fields).chain([origins]) {
        let error = request.check_own().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Misuse, "{error}");
    }
}
