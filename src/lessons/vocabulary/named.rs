//! Words that a beginner hears about networks and that this project names, but has not built, or not yet. Each says so,
//! and why.

use super::{Place, Term};
use crate::base::Layer;
use crate::lessons::Cite;

const LINK: Place = Place::of(Layer::Link);
const INTERNET: Place = Place::of(Layer::Internet);
const PROGRAM: Place = Place::new(Some(Layer::Application), "7, application", "application");
const NONE: &str = "it is a pattern of programs, which no protocol sees";

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "switch",
        aliases: &["bridge", "Ethernet switch"],
        definition: "A device that joins links of one network: it learns from source addresses which Ethernet \
                     address is behind which port, and sends each frame only there; an unknown one it floods. Not \
                     built here yet: links join two hosts directly, so there is nothing to switch.",
        place: LINK,
        cites: &[Cite { document: "IEEE 802.1Q", section: "8", what: "how a bridge learns and forwards" }],
        no_rfc: "switches work below IP; IEEE defines them",
        sources: &[],
        lesson: None,
        see: &["router", "frame", "Ethernet"],
        picture: None,
    },
    Term {
        name: "IPv6",
        aliases: &["IP version 6", "ICMPv6", "neighbour discovery"],
        definition: "IP with addresses of 128 bits: a fixed header of 40 bytes without a checksum, no fragments made \
                     by routers, and neighbour discovery in place of ARP. `netlayers decode` reads it. Simulated \
                     hosts that speak it are not built here yet: IPv4 is shorter to read, and every lesson holds for \
                     both.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 8200", section: "3", what: "the header" },
            Cite { document: "RFC 4861", section: "3", what: "neighbour discovery" },
        ],
        no_rfc: "",
        sources: &[],
        lesson: None,
        see: &["IP", "address", "ARP"],
        picture: None,
    },
    Term {
        name: "NAT",
        aliases: &["network address translation", "NAPT", "masquerading"],
        definition: "A router that puts one public address in place of many private ones, and tells the flows apart \
                     by ports. It forgets a flow that is idle too long, so programs send heartbeats. It is not a \
                     firewall. Not built here yet: each host of a lesson has an address that the others reach.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 4787", section: "4", what: "mappings, and when they end" },
            Cite { document: "RFC 1918", section: "3", what: "private addresses" },
        ],
        no_rfc: "",
        sources: &[],
        lesson: None,
        see: &["router", "port", "control frame"],
        picture: None,
    },
    Term {
        name: "DHCP",
        aliases: &["dynamic host configuration protocol", "lease"],
        definition: "How a host gets its address, prefix, gateway and DNS servers when it joins a network: discover, \
                     offer, request, acknowledge. The address is a lease that must be renewed. Not built here yet: \
                     a lesson gives each host its address, so that runs are easy to compare.",
        place: PROGRAM,
        cites: &[Cite { document: "RFC 2131", section: "3.1", what: "the four messages" }],
        no_rfc: "",
        sources: &[],
        lesson: None,
        see: &["address", "gateway", "DNS"],
        picture: None,
    },
    Term {
        name: "DNS",
        aliases: &["domain name system", "name server", "resolver"],
        definition: "How a name such as www.example becomes an address: a resolver asks servers from the root \
                     downwards and keeps the answers for a while. Not built here yet: lessons name hosts \
                     by their addresses, so that nothing comes before the packet they are about.",
        place: PROGRAM,
        cites: &[
            Cite { document: "RFC 1034", section: "3", what: "names, zones and servers" },
            Cite { document: "RFC 1035", section: "4", what: "the messages" },
        ],
        no_rfc: "",
        sources: &[],
        lesson: None,
        see: &["address", "UDP", "DHCP"],
        picture: None,
    },
    Term {
        name: "TLS",
        aliases: &["SSL", "transport layer security", "https", "wss", "encryption"],
        definition: "Encryption and proof of identity between two programs, on top of TCP: https and wss are HTTP \
                     and WebSocket over it. Not built here: its cryptography must be a well-kept library's, and \
                     what it hides is what these lessons show.",
        place: Place::new(Some(Layer::Application), "between 4 and 7", "application, just above transport"),
        cites: &[Cite { document: "RFC 8446", section: "1", what: "what TLS 1.3 provides" }],
        no_rfc: "",
        sources: &[],
        lesson: None,
        see: &["TCP", "WebSocket", "QUIC"],
        picture: None,
    },
    Term {
        name: "QUIC",
        aliases: &["HTTP/3"],
        definition: "A transport on top of UDP: streams, retransmission and congestion control like TCP's, with TLS \
                     built in, so that one round trip opens a secure connection. HTTP/3 runs on it. Not built here: \
                     nearly all of it is encrypted, and TCP shows the same ideas in the open.",
        place: Place::of(Layer::Transport),
        cites: &[Cite { document: "RFC 9000", section: "1", what: "overview" }],
        no_rfc: "",
        sources: &[],
        lesson: None,
        see: &["UDP", "TCP", "TLS"],
        picture: None,
    },
    Term {
        name: "broker",
        aliases: &["message broker", "message queue", "MQTT", "Kafka", "RabbitMQ"],
        definition: "A server between programs that takes messages, keeps them, and hands them to receivers: \
                     neither end needs to know the other, or to be there at the same time. The event server here \
                     keeps events for recovery. A work queue with competing consumers is not built here yet.",
        place: PROGRAM,
        cites: &[Cite { document: "MQTT 5.0", section: "1.2", what: "server, topic, subscription" }],
        no_rfc: NONE,
        sources: &["src/chat/log/mod.rs"],
        lesson: None,
        see: &["queue", "publish/subscribe", "consumer group"],
        picture: None,
    },
    Term {
        name: "consumer group",
        aliases: &["competing consumers", "worker", "work queue"],
        definition: "Several receivers that share one queue: each message goes to one of them, which acknowledges it \
                     when the work is done. A message without an acknowledgement is given to another one later. \
                     Not built here yet: it comes with the lesson on message queues.",
        place: PROGRAM,
        cites: &[Cite { document: "Redis documentation", section: "Streams", what: "consumer groups" }],
        no_rfc: NONE,
        sources: &[],
        lesson: None,
        see: &["queue", "broker", "dead letter"],
        picture: None,
    },
    Term {
        name: "dead letter",
        aliases: &["dead-letter queue", "poison message"],
        definition: "A message that no receiver could process, even after several tries: it is set aside, with the \
                     reason, so that it does not hold up the others. Not built here yet: it comes with the lesson \
                     on message queues.",
        place: PROGRAM,
        cites: &[Cite {
            document: "Enterprise Integration Patterns",
            section: "Dead Letter Channel",
            what: "where undeliverable messages go",
        }],
        no_rfc: NONE,
        sources: &[],
        lesson: None,
        see: &["consumer group", "queue"],
        picture: None,
    },
];
