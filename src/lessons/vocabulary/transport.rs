//! Words of the transport layer.

use super::{Place, Term, pictures};
use crate::base::Layer;
use crate::lessons::Cite;

const TRANSPORT: Place = Place::of(Layer::Transport);

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "transport layer",
        aliases: &["layer 4", "L4"],
        definition: "From program to program: ports say which program on a host is meant. This layer decides \
                     whether lost bytes are retransmitted (TCP) or not (UDP). Only the two ends have it: a router \
                     needs no more than IP.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 1122", section: "4", what: "transport protocols: what a host must do" },
            Cite { document: "ISO/IEC 7498-1", section: "7.4", what: "the transport layer" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/mod.rs"],
        lesson: Some("ports"),
        see: &["TCP", "UDP", "port"],
        picture: Some(pictures::tcp_header),
    },
    Term {
        name: "port",
        aliases: &["port number", "source port", "destination port"],
        definition: "A number of 16 bits that says which program on a host is meant. A server listens at one that \
                     clients know; a client gets any free one. TCP's and UDP's ports are separate: port 53 of one is \
                     not port 53 of the other.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 6335", section: "6", what: "which ports are for what" },
            Cite { document: "RFC 9293", section: "3.1", what: "the header" },
        ],
        no_rfc: "",
        sources: &["src/layers/stack/udp.rs", "src/layers/stack/tcp.rs"],
        lesson: Some("ports"),
        see: &["socket", "address", "server"],
        picture: Some(pictures::port),
    },
    Term {
        name: "socket",
        aliases: &["TCP socket", "UDP socket", "4-tuple"],
        definition: "A program's handle to the network: it writes to it and reads from it, and the operating system \
                     does the rest. A connection is identified by both ends' addresses and ports, so one server port \
                     serves many clients, with one socket for each. (RFC 9293 calls an address with a port a socket.)",
        place: Place::new(
            Some(Layer::Transport),
            "between 4 and the program",
            "between transport and application",
        ),
        cites: &[
            Cite { document: "RFC 9293", section: "3.9.1", what: "what TCP offers to a program" },
            Cite { document: "RFC 9293", section: "4", what: "glossary: socket" },
            Cite {
                document: "POSIX.1-2024",
                section: "2.10",
                what: "the calls: socket, bind, listen, accept",
            },
        ],
        no_rfc: "",
        sources: &["src/layers/stack/mod.rs", "src/sim/app.rs"],
        lesson: Some("ports"),
        see: &["port", "client", "server", "WebSocket"],
        picture: Some(pictures::socket),
    },
    Term {
        name: "UDP",
        aliases: &["user datagram protocol"],
        definition: "Ports and a checksum on top of IP, and nothing else. A message arrives whole or not at all; it \
                     may be lost, duplicated or reordered without a report. No handshake, no state: good where old \
                     news is no news, or where the program recovers better by itself.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 768", section: "", what: "all of it, on three pages" },
            Cite { document: "RFC 8085", section: "3", what: "what a program owes the network" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/udp.rs"],
        lesson: Some("udp"),
        see: &["datagram", "TCP", "port"],
        picture: Some(pictures::udp),
    },
    Term {
        name: "datagram",
        aliases: &["UDP datagram"],
        definition: "A message that travels on its own: it carries its destination, belongs to no connection, and \
                     keeps its boundaries. One write is one datagram, and one read is one datagram.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 768", section: "", what: "the user datagram" },
            Cite { document: "RFC 791", section: "1.2", what: "the same word for packets of IP" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/udp.rs", "src/sim/apps/udp.rs"],
        lesson: Some("udp"),
        see: &["UDP", "packet", "segment", "message"],
        picture: Some(pictures::datagram),
    },
    Term {
        name: "TCP",
        aliases: &["transmission control protocol"],
        definition: "A stream of bytes from program to program, in each direction: in order, none twice, none \
                     missing; or the program gets an error because the connection broke. It has no messages: where \
                     one write ends is not transmitted. That a write succeeded says nothing about the other program.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "2.2", what: "key concepts" },
            Cite { document: "RFC 9293", section: "3.3.2", what: "the states of a connection" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/mod.rs", "src/layers/transport/tcp/state.rs"],
        lesson: Some("stream"),
        see: &["segment", "handshake", "sequence number", "window"],
        picture: Some(pictures::tcp),
    },
    Term {
        name: "segment",
        aliases: &["TCP segment", "segmentation"],
        definition: "What TCP sends: a header and a piece of the stream. TCP cuts the stream where it likes, so a \
                     segment is not a message: a write may be cut into many, and many writes may share one.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.1", what: "the header" },
            Cite { document: "RFC 9293", section: "3.7", what: "segmentation" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/sender.rs", "src/layers/transport/tcp/header.rs"],
        lesson: Some("segmentation"),
        see: &["MSS", "frame", "packet", "datagram", "message"],
        picture: Some(pictures::segment),
    },
    Term {
        name: "handshake",
        aliases: &["three-way handshake", "SYN", "SYN ACK", "connection establishment"],
        definition: "How a TCP connection begins: SYN, SYN ACK, ACK. Each end announces where it begins to count \
                     its bytes, and the other acknowledges it. It costs one round trip before data of the client can \
                     be delivered. (WebSocket has a handshake of its own, inside the connection.)",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.5", what: "establishing a connection" },
            Cite { document: "RFC 6455", section: "4", what: "WebSocket's opening handshake" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/state.rs", "src/layers/transport/tcp/listener.rs"],
        lesson: Some("handshake"),
        see: &["sequence number", "ACK", "TCP"],
        picture: Some(pictures::handshake),
    },
    Term {
        name: "sequence number",
        aliases: &["seq", "initial sequence number", "ISN"],
        definition: "The number of the first byte in a segment. TCP counts bytes, not segments; SYN and FIN count \
                     as one each. The count begins at a number taken from a clock and a keyed hash, which keeps old \
                     duplicates apart and is hard to guess from outside; it wraps around after 2^32. Pictures here \
                     count from 0 instead.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.4", what: "sequence numbers" },
            Cite { document: "RFC 9293", section: "3.4.1", what: "where to begin" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/seq.rs"],
        lesson: Some("handshake"),
        see: &["ACK", "segment", "handshake"],
        picture: Some(pictures::sequence),
    },
    Term {
        name: "ACK",
        aliases: &["acknowledgment", "acknowledgement", "ack number"],
        definition: "The number of the byte that the receiver expects next: all bytes before it have arrived in its \
                     stack. It says nothing of the program, which may not have read a byte. (Socket.IO has an \
                     acknowledgement of its own, which the program does send.)",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.4", what: "acknowledgments are cumulative" },
            Cite { document: "RFC 9293", section: "3.8.6.3", what: "when one may be delayed" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/receiver.rs"],
        lesson: Some("loss"),
        see: &["sequence number", "retransmission", "window"],
        picture: Some(pictures::sequence),
    },
    Term {
        name: "MSS",
        aliases: &["maximum segment size"],
        definition: "The most bytes of data that an end accepts in one TCP segment, announced in an option of its \
                     SYN: the MTU less 20 bytes for IPv4 and 20 for TCP. Each end announces its own, and they need \
                     not be the same. Without the option it is 536.",
        place: TRANSPORT,
        cites: &[Cite {
            document: "RFC 9293",
            section: "3.7.1",
            what: "the option, and why no options are subtracted",
        }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/options.rs", "src/layers/transport/tcp/sender.rs"],
        lesson: Some("segmentation"),
        see: &["MTU", "segment"],
        picture: Some(pictures::mss),
    },
    Term {
        name: "connection",
        aliases: &["TCP connection", "connection state"],
        definition: "The state that two ends of TCP keep about each other: two addresses, two ports, and for each \
                     direction what was sent, acknowledged and read. Nothing on the path knows of it: no wire is \
                     reserved (a NAT or a firewall may keep state of its own).",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.3.1", what: "what is remembered: the TCB" },
            Cite { document: "RFC 9293", section: "3.3.2", what: "the states" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/connection.rs", "src/layers/transport/tcp/state.rs"],
        lesson: Some("handshake"),
        see: &["socket", "handshake", "FIN"],
        picture: Some(pictures::socket),
    },
];
