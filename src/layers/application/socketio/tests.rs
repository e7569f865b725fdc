//! Socket.IO packets: both directions, and what must be refused.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn decode(text: &str) -> Result<Packet, ParseError> {
    Decoder::new(Limits::default()).text(text).map(|packet| packet.expect("no attachments"))
}

fn round_trip(packet: &Packet) -> Packet {
    let encoded = packet.encode();
    let mut decoder = Decoder::new(Limits::default());
    let mut decoded = decoder.text(encoded.text.as_str()).unwrap();
    for attachment in encoded.attachments {
        assert!(decoded.is_none(), "an attachment too many");
        decoded = decoder.binary(attachment).unwrap();
    }
    decoded.expect("all attachments are there")
}

#[test]
fn packets_are_written_as_the_protocol_shows_them() {
    let text = |namespace: &str, kind| Packet::new(namespace, kind).encode().text.as_str().to_owned();
    assert_eq!(text("/", Kind::Connect(None)), "0");
    let sid = Value::object([("sid", "abc".into())]);
    assert_eq!(text("/admin", Kind::Connect(Some(sid))), r#"0/admin,{"sid":"abc"}"#);
    assert_eq!(text("/admin", Kind::Disconnect), "1/admin,");
    let event = Kind::Event { name: "project:delete".into(), args: vec![123u64.into()], ack: Some(456) };
    assert_eq!(text("/admin", event), r#"2/admin,456["project:delete",123]"#);
    assert_eq!(text("/", Kind::Ack { id: 456, args: vec![] }), "3456[]");
    let error = Value::object([("message", "Not authorized".into())]);
    assert_eq!(text("/", Kind::ConnectError(error)), r#"4{"message":"Not authorized"}"#);
}

#[test]
fn bytes_leave_placeholders_and_follow_in_order() {
    let (one, two) = (Bytes::from_static(&[1]), Bytes::from_static(&[2, 2]));
    let args = vec![one.clone().into(), Value::object([("deep", Value::Array(vec![two.clone().into()]))])];
    let packet = Packet::event("/", "photo", args);
    let encoded = packet.encode();
    assert_eq!(
        encoded.text.as_str(),
        r#"52-["photo",{"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1}]}]"#
    );
    assert_eq!(encoded.attachments, [one, two]);
    assert_eq!(round_trip(&packet), packet);
}

#[test]
fn a_written_packet_tells_its_namespace() {
    for namespace in ["/", "/admin", "/a?b=1-2"] {
        let bytes: Value = Bytes::from_static(&[1]).into();
        for args in [vec![], vec![bytes, "/other,".into()]] {
            let kinds = [
                Kind::Connect(None),
                Kind::Disconnect,
                Kind::Event { name: "/x,".into(), args: args.clone(), ack: Some(7) },
                Kind::Ack { id: 7, args },
                Kind::ConnectError("no".into()),
            ];
            for kind in kinds {
                let encoded = Packet::new(namespace, kind.clone()).encode();
                assert_eq!(encoded.namespace(), namespace, "{kind:?}");
                assert_eq!(encoded.is_connect(), matches!(kind, Kind::Connect(_)));
            }
        }
    }
}

#[test]
fn members_keep_their_order() {
    let packet = decode(r#"2["e",{"z":1,"a":2,"m":3}]"#).unwrap();
    assert_eq!(packet.encode().text.as_str(), r#"2["e",{"z":1,"a":2,"m":3}]"#);
}

#[test]
fn a_namespace_needs_no_comma_at_the_end() {
    assert_eq!(decode("0/custom").unwrap(), Packet::new("/custom", Kind::Connect(None)));
    assert_eq!(decode("1/custom,").unwrap(), Packet::new("/custom", Kind::Disconnect));
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let bad = [
        "",
        "7",
        "abc",
        "4",
        "0[]",
        "0abc",
        "1{}",
        "2",
        "2{}",
        "2[]",
        "2[true]",
        "2[{}]",
        r#"2["connect"]"#,
        r#"2["disconnect",1]"#,
        r#"2["e"]x"#,
        "3[]",
        "31{}",
        r#"299999999999999999999["e"]"#,
        "5",
        "5-",
        "51",
        r#"5["e"]"#,
        r#"5101-["e"]"#,
        r#"599999999999999999999-["e"]"#,
        "51-",
        "51-{}",
        "6-1[]",
        "🦀",
    ];
    for text in bad {
        assert!(decode(text).is_err(), "{text}");
    }
}

#[test]
fn an_answer_with_a_number_that_no_question_had_is_a_packet_all_the_same() {
    let ack = Kind::Ack { id: u64::MAX, args: vec![1u64.into()] };
    for id in ["18446744073709551615", "12345678901234567890123"] {
        assert_eq!(decode(&format!("3{id}[1]")).unwrap(), Packet::new("/", ack.clone()));
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_the_end_of_the_program() {
    let nested = |depth: usize| format!(r#"2["message",{}{}]"#, "[".repeat(depth), "]".repeat(depth));
    let usual = Limits::default().depth;
    assert!(decode(&nested(usual - 1)).is_ok());
    assert!(decode(&nested(usual)).is_err());
    let mut strict = Decoder::new(Limits { depth: 3, ..Limits::default() });
    assert!(strict.text(&nested(2)).is_ok() && strict.text(&nested(3)).is_err());
    // No setting lets a peer nest as deep as it likes.
    let mut lax = Decoder::new(Limits { depth: usize::MAX, ..Limits::default() });
    assert!(lax.text(&nested(Value::MAX_DEPTH - 1)).is_ok() && lax.text(&nested(Value::MAX_DEPTH)).is_err());
    assert!(decode(&nested(5000)).is_err());
    assert!(decode(&format!(r#"2["message",{}"#, "[".repeat(1_000_000))).is_err());
    assert!(decode(&format!(r#"2["message",{}"#, r#"{"a":"#.repeat(100_000))).is_err());
}

#[test]
fn attachments_come_only_when_announced_and_text_not_before_the_last() {
    let mut decoder = Decoder::new(Limits::default());
    assert!(decoder.binary(Bytes::from_static(b"x")).is_err());
    assert_eq!(decoder.text(r#"51-["e",{"_placeholder":true,"num":0}]"#).unwrap(), None);
    assert!(decoder.text(r#"2["e"]"#).is_err());
}

#[test]
fn placeholders_must_name_an_attachment_each_once() {
    for bad in [
        r#"["e",{"_placeholder":true,"num":1}]"#,
        r#"["e",{"_placeholder":true,"num":-1}]"#,
        r#"["e",{"_placeholder":true,"num":"0"}]"#,
        r#"["e",{"_placeholder":true}]"#,
        r#"["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#,
    ] {
        let mut decoder = Decoder::new(Limits::default());
        assert_eq!(decoder.text(&format!("51-{bad}")).unwrap(), None);
        assert!(decoder.binary(Bytes::from_static(b"x")).is_err(), "{bad}");
    }
}

#[test]
fn attachments_are_bounded_in_number() {
    let mut decoder = Decoder::new(Limits { attachments: 2, ..Limits::default() });
    assert!(decoder.text(r#"53-["e"]"#).is_err());
    assert_eq!(decoder.text(r#"52-["e"]"#).unwrap(), None);
}

#[test]
fn a_namespace_is_called_by_all_that_stands_there() {
    for name in ["/custom?token=abc", "/a/b", "/", &format!("/{}", "x".repeat(10_000))] {
        assert_eq!(decode(&format!("0{name},")).unwrap().namespace, name);
        assert_eq!(decode(&format!("0{name}")).unwrap().namespace, name);
    }
}

#[test]
fn values_go_through_a_packet_as_they_were_written() {
    for args in [r#"1e400,-0,1.0,9007199254740993"#, r#"{"a":1,"a":2},{"__proto__":[]}"#] {
        let text = format!(r#"2["message",{args}]"#);
        assert_eq!(decode(&text).unwrap().encode().text.as_str(), text);
    }
    let lone = decode(r#"2["message","\ud800"]"#).unwrap();
    assert_eq!(lone.encode().text.as_str(), "2[\"message\",\"\u{fffd}\"]");
}

#[test]
fn attachments_are_bounded_together() {
    let limits = Limits { attachment_bytes: 10, ..Limits::default() };
    let mut decoder = Decoder::new(limits);
    assert_eq!(decoder.text(r#"52-["e",{"_placeholder":true,"num":0}]"#).unwrap(), None);
    assert_eq!(decoder.binary(Bytes::from_static(&[0; 6])).unwrap(), None);
    assert!(decoder.binary(Bytes::from_static(&[0; 6])).is_err());
}

#[test]
fn what_looks_like_a_placeholder_cannot_pass_for_one_at_the_receiver() {
    let fake = decode(r#"2["e",{"_placeholder":true,"num":7}]"#).unwrap();
    let Kind::Event { args, .. } = fake.kind else { panic!("no event") };
    let both = vec![args[0].clone(), Bytes::from_static(b"x").into()];
    assert_eq!(
        Packet::event("/", "e", both).encode().text.as_str(),
        r#"51-["e",null,{"_placeholder":true,"num":0}]"#
    );
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::from),
        (i64::MIN..0).prop_map(Value::from),
        ".{0,8}".prop_map(Value::String),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(|bytes| Value::Binary(bytes.into())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((".{0,4}", inner), 0..4).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_event_comes_back_as_it_was(
        name in "[a-z]{1,8}-", args in prop::collection::vec(values(), 0..4),
        ack in any::<Option<u64>>(), namespace in "/[a-z]{0,6}",
    ) {
        let packet = Packet::new(namespace, Kind::Event { name, args, ack });
        prop_assert_eq!(round_trip(&packet), packet);
    }

    #[test]
    fn an_ack_comes_back_as_it_was(id in any::<u64>(), args in prop::collection::vec(values(), 0..4)) {
        let packet = Packet::new("/", Kind::Ack { id, args });
        prop_assert_eq!(round_trip(&packet), packet);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,64}") {
        let _ = Decoder::new(Limits::default()).text(&text);
    }

    #[test]
    fn no_text_that_looks_like_a_packet_makes_it_panic(text in r#"[0-6][0-9]{0,3}-?(/[a-z?]{0,4},?)?[0-9]{0,3}[\[\]{}",:a-z0-9_]{0,24}"#) {
        let mut decoder = Decoder::new(Limits::default());
        if let Ok(None) = decoder.text(&text) {
            let _ = decoder.binary(Bytes::from_static(b"x"));
        }
    }
}
