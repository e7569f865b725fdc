//! The rules of the vocabulary.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::lessons::render::vocabulary::{explain, list, markdown};
use crate::view::look::Look;

/// What the course promises to explain.
const REQUIRED: &[&str] = &[
    "socket",
    "WebSocket",
    "Socket.IO",
    "client",
    "server",
    "OSI model",
    "TCP/IP model",
    "the seven layers",
    "physical layer",
    "data link layer",
    "network layer",
    "transport layer",
    "session layer",
    "presentation layer",
    "application layer",
    "TCP",
    "UDP",
    "IP",
    "Ethernet",
    "ARP",
    "packet",
    "frame",
    "segment",
    "datagram",
    "message",
    "header",
    "payload",
    "port",
    "address",
    "handshake",
    "sequence number",
    "ACK",
    "MSS",
    "MTU",
    "window",
    "checksum",
    "fragment",
    "event",
    "listener",
    "event pool",
    "room",
    "namespace",
    "acknowledgement",
    "missed event",
    "queue",
    "bit",
    "byte",
    "hex",
    "host",
    "protocol",
    "big-endian",
    "DNS",
    "NAT",
    "DHCP",
    "IPv6",
    "TLS",
    "QUIC",
    "routing",
    "router",
    "switch",
    "subnet",
    "gateway",
    "bandwidth",
    "throughput",
    "latency",
    "jitter",
    "proxy",
    "polling",
    "server-sent events",
    "publish/subscribe",
    "back-pressure",
    "congestion window",
    "broker",
    "consumer group",
    "dead letter",
    "RST",
    "Nagle",
    "delayed ACK",
    "offset",
    "retransmission",
    "RTO",
    "fast retransmit",
    "SACK",
    "flow control",
    "zero window",
    "silly window",
    "congestion control",
    "slow start",
    "AIMD",
    "square root law",
    "bufferbloat",
    "FIN",
    "half-close",
    "TIME-WAIT",
];

#[test]
fn every_word_that_the_course_promises_is_here() {
    let missing: Vec<_> = REQUIRED.iter().filter(|name| find(name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_two_words_share_a_name() {
    let mut seen = BTreeMap::new();
    for term in all() {
        for name in term.names() {
            assert!(!plain(name).is_empty(), "{}: '{name}'", term.name);
            let other = seen.insert(plain(name), term.name);
            assert_eq!(other, None, "'{name}' names {} too", term.name);
        }
    }
}

#[test]
fn every_word_says_where_to_read_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for term in all() {
        let name = term.name;
        for path in term.sources {
            assert!(root.join(path).is_file(), "{name}: {path} does not exist");
        }
        assert!(!term.cites.is_empty(), "{name} cites nothing");
        let rfc = term.cites.iter().any(|cite| cite.document.starts_with("RFC "));
        assert_ne!(rfc, !term.no_rfc.is_empty(), "{name} cites an RFC, or says why there is none");
        let built = term.lesson.is_some();
        assert_eq!(built, term.lesson_title().is_some(), "{name}: lesson {:?}", term.lesson);
        assert_eq!(!built, term.definition.contains("ot built here"), "{name} says why it is not built here");
        assert!(!term.see.is_empty(), "{name} leads nowhere");
        for other in term.see {
            let found = find(other).unwrap_or_else(|| panic!("{name}: nothing explains {other}"));
            assert_eq!(found.name, *other, "{name} names a word by its name");
            assert_ne!(found.name, name, "{name} sends to itself");
        }
    }
}

#[test]
fn what_a_lesson_shows_has_a_picture_and_says_which_lesson() {
    for term in all() {
        let told = explain(term, &Look::default()).expect(term.name).to_string();
        assert_eq!(told.contains("lesson: netlayers lesson "), term.lesson.is_some(), "{told}");
        assert!(!term.sources.is_empty() || told.contains("not built"), "{told}");
        assert!(term.picture.is_some() || !term.is_lesson_here(), "{} has no picture", term.name);
    }
}

#[test]
fn every_picture_shows_what_its_script_claims() {
    for term in all() {
        let pictures = term.play().unwrap_or_else(|story| panic!("{story}"));
        assert_eq!(pictures.len(), usize::from(term.picture.is_some()), "{}", term.name);
        for picture in pictures {
            let drawn = picture.draw(&Look::default()).to_string();
            assert!(
                drawn.lines().count() > 2 && !drawn.contains("(no such frame"),
                "{}:\n{drawn}",
                term.name
            );
        }
    }
}

#[test]
fn what_is_told_fits_eighty_columns_and_plain_means_ascii() {
    for term in all() {
        for look in [Look::default(), Look::plain()] {
            let told = explain(term, &look).expect(term.name).to_string();
            for line in told.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", term.name);
                assert!(!look.ascii || line.is_ascii(), "{}: {line}", term.name);
            }
        }
        let sentences = term.definition.matches(". ").count() + 1;
        assert!(
            term.definition.ends_with(['.', ')']) && sentences <= 5,
            "{}: {sentences} sentences",
            term.name
        );
    }
    let list = list(&Look::plain());
    assert!(list.height() <= 22, "one screen, with the next command below");
    assert!(list.width() <= 80 && list.to_string().is_ascii());
}

#[test]
fn every_layer_has_words() {
    assert!(by_layer().iter().all(|(_, terms)| !terms.is_empty()));
    assert_eq!(by_layer().iter().map(|(_, terms)| terms.len()).sum::<usize>(), all().len());
}

#[test]
fn the_chapter_has_every_word_once_and_is_the_same_each_time() {
    let chapter = markdown().expect("all pictures play");
    for term in all() {
        assert_eq!(chapter.matches(&format!("{{#{}}}", term.id())).count(), 1, "{}", term.name);
    }
    assert_eq!(chapter, markdown().expect("all pictures play"));
}

#[test]
fn words_are_found_however_they_are_typed() {
    for (typed, found) in [
        ("tcp", "TCP"),
        ("Sockets", "socket"),
        ("socket io", "Socket.IO"),
        ("three way handshake", "handshake"),
    ] {
        assert_eq!(find(typed).map(|term| term.name), Some(found), "{typed}");
    }
    assert!(find("").is_none() && find("s").is_none() && find("tcq").is_none());
    let near = |typed| suggestions(typed).first().map(|term| term.name);
    assert_eq!(near("hanshake"), Some("handshake"));
    assert_eq!(near("sequence"), Some("sequence number"));
    assert_eq!(near("tcq"), Some("TCP"));
    assert_eq!(near("quantum chromodynamics"), None);
}
