//! Words that belong to no layer, or to all of them.

use super::{Place, Term, pictures};
use crate::lessons::Cite;

/// What every layer has.
const ALL_LAYERS: Place = Place::new(None, "all layers", "all layers");

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "OSI model",
        aliases: &["OSI", "the seven layers", "seven layer model", "OSI reference model"],
        definition: "A reference model of 1984 that divides communication into seven layers, from the wire to the \
                     program. It is a way to talk about networks, not software: the Internet was built to the \
                     TCP/IP model, and its packets do not have one header for each of the seven layers. The numbers \
                     stayed in use: a \"layer 2 switch\", a \"layer 7 proxy\".",
        place: Place::new(None, "the model itself", "a different model, with four layers"),
        cites: &[Cite {
            document: "ISO/IEC 7498-1",
            section: "6",
            what: "the seven layers (also ITU-T X.200)",
        }],
        no_rfc: "it is a standard of ISO and ITU-T",
        sources: &["src/base/layer.rs"],
        lesson: Some("layers"),
        see: &["TCP/IP model", "encapsulation"],
        picture: Some(pictures::models),
    },
    Term {
        name: "TCP/IP model",
        aliases: &["TCP/IP", "Internet model", "four layers", "internet protocol suite"],
        definition: "The four layers of the Internet: link, internet, transport, application. They do not map one \
                     to one to OSI's seven: OSI's session and presentation layers are left to the application, and \
                     the link layer includes the wire.",
        place: Place::new(None, "a different model, with seven layers", "the model itself"),
        cites: &[Cite { document: "RFC 1122", section: "1.1.3", what: "the layers of the Internet" }],
        no_rfc: "",
        sources: &["src/base/layer.rs", "src/layers/mod.rs"],
        lesson: Some("layers"),
        see: &["OSI model", "encapsulation"],
        picture: Some(pictures::models),
    },
    Term {
        name: "encapsulation",
        aliases: &["wrapping", "nesting"],
        definition: "Each layer takes what the layer above hands down as payload, puts its own header in front, and \
                     hands the whole to the layer below. On the other side each layer takes its header off again. \
                     No layer needs to look into what it carries.",
        place: ALL_LAYERS,
        cites: &[Cite { document: "RFC 1122", section: "1.1.3", what: "the layers of the Internet" }],
        no_rfc: "",
        sources: &["src/layers/stack/mod.rs"],
        lesson: Some("layers"),
        see: &["header", "payload"],
        picture: Some(pictures::layers),
    },
    Term {
        name: "header",
        aliases: &["headers", "header field"],
        definition: "The bytes that a layer puts before what it carries: the destination, the length, the kind of \
                     content. Each protocol defines the fields and their order, so that both ends read the same bits \
                     alike.",
        place: ALL_LAYERS,
        cites: &[
            Cite { document: "RFC 791", section: "3.1", what: "the header of IP, as an example" },
            Cite { document: "RFC 768", section: "", what: "the header of UDP, one of the shortest" },
        ],
        no_rfc: "",
        sources: &["src/base/header.rs", "src/base/field.rs"],
        lesson: Some("layers"),
        see: &["payload", "encapsulation"],
        picture: Some(pictures::header),
    },
    Term {
        name: "payload",
        aliases: &["data", "body"],
        definition: "What a layer carries for the layer above: everything after its header. One layer's header is \
                     part of the payload of the layer below.",
        place: ALL_LAYERS,
        cites: &[Cite { document: "RFC 768", section: "", what: "data octets after the header" }],
        no_rfc: "",
        sources: &["src/view/dissect/mod.rs", "src/view/dissect/accounting.rs"],
        lesson: Some("layers"),
        see: &["header", "encapsulation"],
        picture: Some(pictures::payload),
    },
    Term {
        name: "address",
        aliases: &["IP address", "MAC address", "hardware address"],
        definition: "A number that names a destination. Each layer has its own: an Ethernet address names a network \
                     card on one link, and changes with every link of the path; an IP address names a host's place in \
                     the network and stays the same from end to end (unless a NAT rewrites it); a port names a \
                     program on the host.",
        place: Place::new(None, "2 (Ethernet), 3 (IP), 4 (ports)", "link, internet, transport"),
        cites: &[
            Cite { document: "RFC 791", section: "2.3", what: "names, addresses and routes" },
            Cite { document: "RFC 4632", section: "3", what: "how IPv4 addresses are assigned: CIDR" },
        ],
        no_rfc: "",
        sources: &["src/layers/link/ethernet.rs", "src/layers/internet/route.rs"],
        lesson: Some("arp"),
        see: &["port", "ARP", "Ethernet", "IP"],
        picture: Some(pictures::address),
    },
    Term {
        name: "client",
        aliases: &[],
        definition: "The end that begins: it must know the server's address and port, and its own port is any free \
                     one. Client and server are roles in a conversation, not kinds of machines: the same program may \
                     be both.",
        place: Place::new(
            None,
            "7, application: a role of the program",
            "application: a role of the program",
        ),
        cites: &[Cite { document: "RFC 9293", section: "3.5", what: "active and passive open" }],
        no_rfc: "",
        sources: &["src/sim/apps/tcp.rs"],
        lesson: Some("ports"),
        see: &["server", "socket", "port"],
        picture: Some(pictures::client_and_server),
    },
    Term {
        name: "server",
        aliases: &[],
        definition: "The end that waits: it listens at a well-known port and answers the clients that connect. One \
                     port serves many clients at once, because a connection is identified by both its ends.",
        place: Place::new(
            None,
            "7, application: a role of the program",
            "application: a role of the program",
        ),
        cites: &[
            Cite { document: "RFC 9293", section: "3.5", what: "active and passive open" },
            Cite { document: "RFC 6335", section: "6", what: "which ports are well known" },
        ],
        no_rfc: "",
        sources: &["src/sim/apps/tcp.rs", "src/layers/transport/tcp/listener.rs"],
        lesson: Some("ports"),
        see: &["client", "socket", "port"],
        picture: Some(pictures::client_and_server),
    },
    Term {
        name: "checksum",
        aliases: &["internet checksum", "ones complement sum"],
        definition: "A short number computed from many bytes and sent with them. The receiver computes it again; \
                     when the two differ, something changed on the way. The checksum of IP, UDP and TCP is a sum of \
                     16-bit words in one's complement: fast, and good against single errors, but two words that swap \
                     places go unnoticed. It protects against accidents, not against attackers.",
        place: Place::new(None, "2 (CRC), 3 (IPv4), 4 (UDP, TCP)", "link, internet, transport"),
        cites: &[
            Cite { document: "RFC 1071", section: "1", what: "computing the Internet checksum" },
            Cite { document: "RFC 791", section: "3.1", what: "over the IP header alone" },
            Cite { document: "RFC 9293", section: "3.1", what: "over a TCP segment and a pseudo header" },
        ],
        no_rfc: "",
        sources: &["src/base/checksum.rs", "src/layers/transport/pseudo_header.rs"],
        lesson: Some("udp"),
        see: &["header", "segment"],
        picture: Some(pictures::checksum),
    },
    Term {
        name: "byte order",
        aliases: &["network byte order", "big-endian", "endianness"],
        definition: "Which byte of a number goes first. Internet protocols send the most significant byte first \
                     (big-endian), whatever the machines at both ends do inside.",
        place: ALL_LAYERS,
        cites: &[Cite { document: "RFC 791", section: "Appendix B", what: "data transmission order" }],
        no_rfc: "",
        sources: &["src/base/reader.rs", "src/base/writer.rs"],
        lesson: Some("bytes"),
        see: &["header"],
        picture: Some(pictures::byte_order),
    },
    Term {
        name: "loss",
        aliases: &["packet loss", "lost packet", "drop"],
        definition: "A packet that never arrives: damaged, or dropped by a full queue. IP does not report it. \
                     Whether it is noticed and repaired is up to the layers above: UDP leaves it to the program, TCP \
                     retransmits.",
        place: Place::new(
            None,
            "arises in 1 to 3; repaired in 4 or above",
            "arises below; repaired in transport or above",
        ),
        cites: &[Cite {
            document: "RFC 9293",
            section: "2.2",
            what: "key TCP concepts: recovering from loss",
        }],
        no_rfc: "",
        sources: &["src/sim/fault.rs", "src/sim/link.rs"],
        lesson: Some("loss"),
        see: &["retransmission", "UDP", "TCP"],
        picture: Some(pictures::loss),
    },
    Term {
        name: "round-trip time",
        aliases: &["RTT", "ping time"],
        definition: "The time from sending something until the answer to it arrives: there and back again. More \
                     bandwidth does not shorten the propagation delay in it. TCP measures it to know how long to wait \
                     for an acknowledgment.",
        place: Place::new(None, "seen by all layers, measured in 4", "measured in transport"),
        cites: &[Cite { document: "RFC 6298", section: "2", what: "from round trips to a timeout" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/recovery/rtt.rs", "src/layers/physical/delay.rs"],
        lesson: Some("loss"),
        see: &["latency", "handshake", "retransmission"],
        picture: Some(pictures::handshake),
    },
];
