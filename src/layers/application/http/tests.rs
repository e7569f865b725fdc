//! Heads read whole, byte by byte and with more after them; and every way to break the rules.

use proptest::prelude::*;

use super::super::{RequestHead, ResponseHead, Version};
use super::*;

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nX:\r\n\r\n";

/// Feeds `bytes` in pieces of `size` and says how many bytes the head took.
fn in_pieces<H: Head>(bytes: &[u8], size: usize, limits: Limits) -> Result<(H, usize), HeadError> {
    let mut parser = HeadParser::new(limits);
    let mut before = 0;
    for piece in bytes.chunks(size.max(1)) {
        match parser.feed(piece)? {
            Progress::NeedMore => before += piece.len(),
            Progress::Done { head, consumed } => return Ok((head, before + consumed)),
        }
    }
    Err(parser.cut_short())
}

fn refused(head: &[u8]) -> HeadError {
    let error = RequestHead::parse(head).unwrap_err();
    assert!(!error.is_incomplete(), "{error}");
    let byte_by_byte = in_pieces::<RequestHead>(head, 1, Limits::default()).unwrap_err();
    assert_eq!(byte_by_byte, error, "the error must not depend on how the bytes came");
    error
}

#[test]
fn the_work_for_a_head_does_not_depend_on_how_it_is_cut() {
    let line = format!("X-Long: {}\r\n", "x".repeat(8000));
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", line.repeat(3));
    for size in [1, 2, 7, 1000, head.len()] {
        let mut parser = HeadParser::<RequestHead>::new(Limits::default());
        let mut done = false;
        for piece in head.as_bytes().chunks(size) {
            done = matches!(parser.feed(piece), Ok(Progress::Done { .. }));
        }
        assert!(done);
        // Once for the end of its line and once with its line: a parser that starts over with every piece would look
        // at a hundred million.
        assert!(parser.looked_at <= 2 * head.len(), "{} of {} in {size}s", parser.looked_at, head.len());
    }
}

#[test]
fn a_request_is_read_whole_byte_by_byte_and_with_bytes_behind_it() {
    let (head, taken) = RequestHead::parse(REQUEST).unwrap();
    assert_eq!((head.method.as_str(), head.target.as_str()), ("GET", "/chat"));
    assert_eq!(head.version, Version::Http11);
    assert_eq!(head.host().unwrap(), "a");
    assert_eq!(head.headers.get("x"), Some(""));
    assert_eq!(taken, REQUEST.len());

    let more = [REQUEST, b"\x81\x05hello"].concat();
    for size in 1..more.len() {
        let (same, taken) = in_pieces::<RequestHead>(&more, size, Limits::default()).unwrap();
        assert_eq!((same, taken), (head.clone(), REQUEST.len()));
    }
    for n in 0..REQUEST.len() {
        assert!(RequestHead::parse(&REQUEST[..n]).unwrap_err().is_incomplete(), "{n} bytes");
    }
}

#[test]
fn a_response_is_read_with_and_without_a_reason() {
    let (head, _) =
        ResponseHead::parse(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").unwrap();
    assert_eq!((head.status, head.reason.as_str()), (101, "Switching Protocols"));
    assert_eq!(ResponseHead::parse(b"HTTP/1.0 200 \r\n\r\n").unwrap().0.reason, "");
    assert_eq!(ResponseHead::parse(b"HTTP/1.0 200\r\n\r\n").unwrap().0.status, 200);
}

#[test]
fn a_broken_response_is_refused() {
    for bad in [
        &b"HTTP/1.1 20 OK\r\n\r\n"[..],
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 O\x00K\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n",
    ] {
        let error = ResponseHead::parse(bad).unwrap_err();
        assert_eq!((error.status, error.is_incomplete()), (502, false), "{error}");
    }
}

#[test]
fn a_request_line_must_be_exact() {
    for bad in [
        &b" GET / HTTP/1.1\r\n\r\n"[..],
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1 \r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET\r\n\r\n",
        b"G(T / HTTP/1.1\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
        b"GET / http/1.1\r\n\r\n",
        b"GET / HTTP/1.11\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(refused(bad).status, 400);
    }
    assert_eq!(refused(b"GET / HTTP/2.0\r\n\r\n").status, 505);
    assert_eq!(RequestHead::parse(b"GET / HTTP/1.7\r\n\r\n").unwrap().0.version, Version::Http11);
}

#[test]
fn line_ends_must_be_cr_lf() {
    assert_eq!(refused(b"GET / HTTP/1.1\nHost: a\r\n\r\n").error.field, "line end");
    assert_eq!(refused(b"GET / HTTP/1.1\r\nHost: a\n\r\n").error.field, "line end");
    let bare_cr = refused(b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n");
    assert_eq!((bare_cr.error.field, bare_cr.error.offset), ("line", 23));
    refused(b"GET / HTTP/1.1\r\n\r\r\n");
}

#[test]
fn a_field_line_must_be_a_token_a_colon_and_a_value() {
    let field = |line: &str| refused(format!("GET / HTTP/1.1\r\n{line}\r\n\r\n").as_bytes());
    let space = field("Host : a");
    assert_eq!((space.error.field, space.error.offset), ("field name", 20));
    assert_eq!(field("no colon").error.field, "field name");
    assert_eq!(field("nocolon").error.field, "field line");
    assert_eq!(field(": a").error.field, "field line");
    assert_eq!(field("a@b: c").error.got.to_string(), "'@'");
    assert_eq!(field("a: b\0c").error.got.to_string(), "byte 0x00");
    assert_eq!(field("a: b\x7f").error.field, "field value");
}

#[test]
fn a_folded_line_is_refused_in_a_request_and_unfolded_in_a_response() {
    let error = refused(b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n");
    assert_eq!((error.status, error.error.offset), (400, 22));
    refused(b"GET / HTTP/1.1\r\n A: b\r\n\r\n");
    let (head, _) = ResponseHead::parse(b"HTTP/1.1 200 OK\r\nA: b\r\n\t c \r\n \r\n\r\n").unwrap();
    assert_eq!(head.headers.get("A"), Some("b c"));
}

#[test]
fn one_empty_line_before_a_request_is_forgiven_and_a_second_is_not() {
    assert!(RequestHead::parse(b"\r\nGET / HTTP/1.1\r\n\r\n").is_ok());
    assert_eq!(refused(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n").error.field, "method");
}

#[test]
fn each_limit_has_its_status_however_the_bytes_come() {
    let limits = Limits { line: 32, head: 64, fields: 3 };
    let cases: [(&[u8], u16, &str); 4] = [
        (b"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 414, "start line"),
        (b"GET / HTTP/1.1\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 431, "field line"),
        (b"GET / HTTP/1.1\r\nA: aaaaaaaaaaaaaaaaaaaa\r\nA: aaaaaaaaaaaaaaaaaaaa\r\n\r\n", 431, "head"),
        (b"GET / HTTP/1.1\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n", 431, "head"),
    ];
    for (bytes, status, field) in cases {
        for size in [1, 2, 7, bytes.len()] {
            let error = in_pieces::<RequestHead>(bytes, size, limits).unwrap_err();
            assert_eq!((error.status, error.error.field), (status, field), "in pieces of {size}");
        }
    }
    let exact = b"GET / HTTP/1.1\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaa\r\nA: aaaaaaaaaa\r\n\r\n";
    assert!(in_pieces::<RequestHead>(exact, 1, Limits { head: exact.len(), ..limits }).is_ok());
    assert!(in_pieces::<RequestHead>(exact, 1, Limits { head: exact.len() - 1, ..limits }).is_err());
}

#[test]
fn a_parser_that_has_failed_stays_failed() {
    let mut parser = HeadParser::<RequestHead>::new(Limits::default());
    let error = parser.feed(b"GET / HTTP/3.0\r\n").unwrap_err();
    assert_eq!(parser.feed(b"GET / HTTP/1.1\r\n\r\n").unwrap_err(), error);
}

#[test]
fn a_request_has_one_host() {
    let with =
        |fields: &str| RequestHead::parse(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes()).unwrap().0;
    assert_eq!(with("").host().unwrap_err().status, 400);
    assert_eq!(with("Host: a\r\nHost: a\r\n").host().unwrap_err().status, 400);
}

#[test]
fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
    let with = |host: &str| {
        RequestHead::parse(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap().0
    };
    for right in ["", "a", "a:", "a.example:80", "127.0.0.1:8000", "[::1]", "[::1]:80", "x-1_y", "a%20b"] {
        assert_eq!(with(right).host().as_ref().ok(), Some(&right), "{right}");
    }
    for wrong in
        ["a b", "a/b", "u@a", "a:b", "a:1:2", "::1", "[::1", "[]", "[::1]x", "a?b", "a#b", "a\\b", "\"a\""]
    {
        assert_eq!(with(wrong).host().map_err(|error| error.status), Err(400), "{wrong}");
    }
    for here in ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "a.localhost", "[::1]:8000", "127.9.9.9"] {
        assert!(with(here).is_for_loopback(), "{here}");
    }
    for elsewhere in
        ["", "evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", "[::2]"]
    {
        assert!(!with(elsewhere).is_for_loopback(), "{elsewhere}");
    }
}

#[test]
fn a_client_that_speaks_tls_is_told_at_its_first_bytes() {
    // The start of a ClientHello in a TLS record (RFC 8446 §5.1), whole and byte by byte.
    for pieces in [vec![&b"\x16\x03\x01\x02\x00\x01"[..]], vec![&b"\x16"[..], &b"\x03"[..]]] {
        let mut parser = HeadParser::<RequestHead>::new(Limits::default());
        let fed: Vec<_> = pieces.iter().map(|piece| parser.feed(piece)).collect();
        let error = fed.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.status, 400);
        assert!(error.to_string().contains("a TLS handshake"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_back_is_not_emitted() {
    let request = |method: &str, target: &str| RequestHead::new(method, target, Headers::new()).emit();
    assert!(request("GET", "/a b").is_err());
    assert!(request("GET", "/\r\nEvil: 1").is_err());
    assert!(request("", "/").is_err());
    assert!(ResponseHead::new(42, Headers::new()).emit().is_err());
    let response = ResponseHead { reason: "a\r\nb".into(), ..ResponseHead::new(200, Headers::new()) };
    assert!(response.emit().is_err());
}

fn any_headers() -> impl Strategy<Value = Headers> {
    let value = "([!-~\u{80}-\u{ff}]([ \t!-~\u{80}-\u{ff}]{0,20}[!-~])?)?";
    proptest::collection::vec(("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", value), 0..8).prop_map(|fields| {
        fields.into_iter().fold(Headers::new(), |all, (name, value)| all.with(name, value))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_request_that_was_emitted_is_read_again(
        method in "[A-Z!-']{1,8}", target in "/[!-~]{0,20}", headers in any_headers(), size in 1usize..40,
    ) {
        let method = method.replace(['"', '('], "x");
        let head = RequestHead::new(method, target, headers);
        let bytes = head.emit().unwrap();
        let read = in_pieces::<RequestHead>(&bytes, size, Limits::default()).unwrap();
        prop_assert_eq!(read, (head, bytes.len()));
    }

    #[test]
    fn a_response_that_was_emitted_is_read_again(status in 100u16..1000, headers in any_headers()) {
        let head = ResponseHead::new(status, headers);
        let bytes = head.emit().unwrap();
        prop_assert_eq!(ResponseHead::parse(&bytes).unwrap(), (head, bytes.len()));
    }

    #[test]
    fn arbitrary_bytes_give_the_same_answer_however_they_are_cut(
        bytes in "(GET / HTTP/1.1\r\n)?[\r\n :a\t]{0,30}(\r\n\r\n)?", size in 1usize..9,
    ) {
        let cut = in_pieces::<RequestHead>(bytes.as_bytes(), size, Limits::default());
        prop_assert_eq!(RequestHead::parse(bytes.as_bytes()), cut);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>()) {
        let request = RequestHead::parse(&bytes);
        let response = ResponseHead::parse(&bytes);
        prop_assert!(request.is_err() || response.is_err());
    }
}
