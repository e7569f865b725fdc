//! Words that come before everything else: how data is counted and written, what takes part, and how fast it goes.

use super::{Place, Term, pictures};
use crate::base::Layer;
use crate::lessons::Cite;

const ALL_LAYERS: Place = Place::new(None, "all layers", "all layers");
const PHYSICAL: Place = Place::of(Layer::Physical);

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "bit",
        aliases: &["bits", "binary digit"],
        definition: "A choice between two values, written 0 and 1. On a wire it is a level or a change of level. \
                     Speeds are given in bits per second, sizes in bytes.",
        place: PHYSICAL,
        cites: &[Cite { document: "IEEE 802.3", section: "3.3", what: "the order of bits on the wire" }],
        no_rfc: "it is older than the Internet; RFCs number bits from the most significant (RFC 791, appendix B)",
        sources: &["src/layers/physical/line.rs"],
        lesson: Some("bytes"),
        see: &["byte", "hexadecimal", "bandwidth"],
        picture: Some(pictures::bytes_on_the_wire),
    },
    Term {
        name: "byte",
        aliases: &["octet"],
        definition: "Eight bits: a number from 0 to 255. Files, buffers and length fields count bytes. RFCs say \
                     octet, because some early machines had bytes of other sizes.",
        place: ALL_LAYERS,
        cites: &[Cite { document: "RFC 791", section: "appendix B", what: "the order of octets" }],
        no_rfc: "",
        sources: &["src/base/reader.rs", "src/base/writer.rs"],
        lesson: Some("bytes"),
        see: &["bit", "hexadecimal", "byte order"],
        picture: Some(pictures::bytes_on_the_wire),
    },
    Term {
        name: "hexadecimal",
        aliases: &["hex", "base 16", "0x", "hexdump"],
        definition: "A way to write numbers with sixteen digits, 0 to 9 and a to f. One digit is four bits, so two \
                     digits are exactly one byte: ff is 255. The prefix 0x marks such a number. A hexdump is a list \
                     of bytes written so.",
        place: ALL_LAYERS,
        cites: &[Cite { document: "RFC 4648", section: "8", what: "base 16: bytes as hexadecimal text" }],
        no_rfc: "",
        sources: &["src/view/hexdump.rs"],
        lesson: Some("bytes"),
        see: &["byte", "bit"],
        picture: Some(pictures::hexadecimal),
    },
    Term {
        name: "host",
        aliases: &["machine", "end system", "computer"],
        definition: "A computer at an edge of the network: programs run on it, and it has at least one address. It \
                     sends and receives packets for itself; a router forwards packets of others.",
        place: Place::new(None, "has all seven layers", "has all four layers"),
        cites: &[Cite { document: "RFC 1122", section: "1.1.1", what: "Internet hosts" }],
        no_rfc: "",
        sources: &["src/layers/stack/mod.rs"],
        lesson: Some("layers"),
        see: &["router", "address", "client", "server"],
        picture: Some(pictures::client_and_server),
    },
    Term {
        name: "protocol",
        aliases: &["protocols", "protocol stack"],
        definition: "The rules by which two ends talk: what the messages look like, what each means, and what to do \
                     when one is wrong or missing. Each layer has protocols of its own; a host's protocols on top \
                     of each other are its stack.",
        place: ALL_LAYERS,
        cites: &[Cite { document: "RFC 1122", section: "1.1.3", what: "the protocols of each layer" }],
        no_rfc: "",
        sources: &["src/layers/mod.rs", "src/base/machine.rs"],
        lesson: Some("layers"),
        see: &["header", "encapsulation", "TCP/IP model"],
        picture: Some(pictures::layers),
    },
    Term {
        name: "bandwidth",
        aliases: &["rate", "link speed", "capacity", "bit rate"],
        definition: "How many bits a link can carry in a second. It decides how long a frame takes to leave \
                     (serialization), not how long its bits travel. `--rate` sets it here.",
        place: PHYSICAL,
        cites: &[Cite { document: "RFC 5136", section: "2.2", what: "the capacity of a link" }],
        no_rfc: "",
        sources: &["src/layers/physical/delay.rs"],
        lesson: Some("congestion"),
        see: &["throughput", "latency", "bit"],
        picture: Some(pictures::rate),
    },
    Term {
        name: "throughput",
        aliases: &["goodput", "data rate"],
        definition: "How much data really arrives in a second. It is never more than the bandwidth of the slowest \
                     link; headers, losses and waiting make it less. Goodput counts the program's bytes alone.",
        place: ALL_LAYERS,
        cites: &[Cite { document: "RFC 6349", section: "", what: "measuring the throughput of TCP" }],
        no_rfc: "",
        sources: &["src/view/comparison.rs"],
        lesson: Some("congestion"),
        see: &["bandwidth", "window", "congestion window"],
        picture: Some(pictures::rate),
    },
    Term {
        name: "latency",
        aliases: &["delay", "propagation delay", "one-way delay"],
        definition: "How long a bit or a message is on its way. It adds up from the distance (propagation), the \
                     length of frames (serialization) and the waiting in queues. More bandwidth shortens only the \
                     last two.",
        place: PHYSICAL,
        cites: &[Cite { document: "RFC 7679", section: "", what: "one-way delay, and how to measure it" }],
        no_rfc: "",
        sources: &["src/layers/physical/delay.rs", "src/sim/link.rs"],
        lesson: Some("handshake"),
        see: &["round-trip time", "bandwidth", "jitter"],
        picture: Some(pictures::rate),
    },
    Term {
        name: "jitter",
        aliases: &["delay variation"],
        definition: "How much the latency differs from packet to packet. Waiting in queues causes most of it. A \
                     phone call needs a buffer against it; TCP adds the variation to its timeout. `--jitter` sets \
                     it here.",
        place: PHYSICAL,
        cites: &[Cite { document: "RFC 3393", section: "", what: "packet delay variation" }],
        no_rfc: "",
        sources: &["src/sim/link.rs"],
        lesson: Some("loss"),
        see: &["latency", "queue", "retransmission"],
        picture: Some(pictures::jitter),
    },
];
