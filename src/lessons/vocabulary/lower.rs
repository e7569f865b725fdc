//! Words of the physical, the link and the internet layer.

use super::{Place, Term, pictures};
use crate::base::Layer;
use crate::lessons::Cite;

const PHYSICAL: Place = Place::of(Layer::Physical);
const LINK: Place = Place::of(Layer::Link);
const INTERNET: Place = Place::of(Layer::Internet);

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "physical layer",
        aliases: &["layer 1", "L1"],
        definition: "Bits on a wire, in a fibre, in the air: how a 0 and a 1 look there, how fast they follow each \
                     other, and how long they travel. It knows no frames and no addresses.",
        place: PHYSICAL,
        cites: &[Cite { document: "ISO/IEC 7498-1", section: "7.7", what: "the physical layer" }],
        no_rfc: "the Internet's documents begin above the wire; Ethernet's wires are in IEEE 802.3",
        sources: &["src/layers/physical/mod.rs", "src/layers/physical/delay.rs"],
        lesson: Some("bytes"),
        see: &["data link layer", "OSI model"],
        picture: Some(pictures::bytes_on_the_wire),
    },
    Term {
        name: "data link layer",
        aliases: &["link layer", "layer 2", "L2"],
        definition: "From one machine to its neighbour on the same link: bits become frames with a beginning, an \
                     end, two addresses and a checksum. It reaches no further than the link.",
        place: LINK,
        cites: &[
            Cite { document: "RFC 1122", section: "2", what: "link layer: what a host must do" },
            Cite { document: "ISO/IEC 7498-1", section: "7.6", what: "the data link layer" },
        ],
        no_rfc: "",
        sources: &["src/layers/link/mod.rs"],
        lesson: Some("arp"),
        see: &["frame", "Ethernet", "ARP"],
        picture: Some(pictures::ethernet),
    },
    Term {
        name: "Ethernet",
        aliases: &["IEEE 802.3"],
        definition: "The link layer of nearly every wired network. A frame has the addresses of the receiver and \
                     the sender, a number that says what is inside (EtherType), the payload, and a CRC over all of \
                     it. A damaged frame is discarded without a message to anyone.",
        place: LINK,
        cites: &[
            Cite { document: "RFC 894", section: "", what: "IP packets in Ethernet frames" },
            Cite { document: "IEEE 802.3", section: "3", what: "the frame" },
        ],
        no_rfc: "",
        sources: &["src/layers/link/ethernet.rs", "src/layers/physical/crc32.rs"],
        lesson: Some("arp"),
        see: &["frame", "ARP", "MTU"],
        picture: Some(pictures::ethernet),
    },
    Term {
        name: "frame",
        aliases: &["Ethernet frame"],
        definition: "What the link layer sends: a header, a payload, and a check sequence (FCS) at the end. All of \
                     these are counted as its bytes: 64 to 1518 on Ethernet. A capture shows 4 less, without the FCS; \
                     on the wire a frame takes 20 more, for the preamble before it and the gap after it. It exists on \
                     one link only; a router takes the packet out and puts it into a new frame. (WebSocket calls its \
                     own units frames too: those are something else, inside a TCP stream.)",
        place: LINK,
        cites: &[Cite { document: "RFC 894", section: "", what: "IP packets in Ethernet frames" }],
        no_rfc: "",
        sources: &["src/layers/link/ethernet.rs"],
        lesson: Some("arp"),
        see: &["packet", "segment", "datagram", "message"],
        picture: Some(pictures::frame),
    },
    Term {
        name: "ARP",
        aliases: &["address resolution protocol", "who-has"],
        definition: "How a host finds the Ethernet address of a neighbour whose IP address it knows: it asks every \
                     host on the link, and the owner of the address answers. The host keeps the answer in a cache for \
                     a while. Nothing proves that the answer is true.",
        place: Place::new(Some(Layer::Link), "between 2 and 3", "link"),
        cites: &[
            Cite { document: "RFC 826", section: "", what: "the protocol" },
            Cite { document: "RFC 1122", section: "2.3.2", what: "the cache" },
        ],
        no_rfc: "",
        sources: &["src/layers/link/arp.rs", "src/layers/link/arp_cache.rs"],
        lesson: Some("arp"),
        see: &["address", "Ethernet", "IP"],
        picture: Some(pictures::arp),
    },
    Term {
        name: "broadcast",
        aliases: &["broadcast address", "ff:ff:ff:ff:ff:ff"],
        definition: "What is meant for every interface on a link: a frame to the address ff:ff:ff:ff:ff:ff, or a packet \
                     to 255.255.255.255. Every host must look at it, so it ends at the next router. An event server \
                     says broadcast, too, for an event to all but its sender.",
        place: Place::new(Some(Layer::Link), "2 and 3", "link and internet"),
        cites: &[
            Cite { document: "RFC 1122", section: "3.3.6", what: "broadcasts: what a host must do" },
            Cite { document: "RFC 894", section: "", what: "the broadcast address of Ethernet" },
        ],
        no_rfc: "",
        sources: &["src/layers/link/ethernet.rs", "src/sim/device.rs"],
        lesson: Some("arp"),
        see: &["ARP", "Ethernet", "router"],
        picture: Some(pictures::arp),
    },
    Term {
        name: "MTU",
        aliases: &["maximum transmission unit"],
        definition: "The largest packet that a link carries, IP header included: 1500 bytes on Ethernet. It does not \
                     limit how much a program may send; a larger packet is cut into fragments, or refused.",
        place: Place::new(Some(Layer::Link), "2, as seen by 3", "link, as seen by internet"),
        cites: &[
            Cite { document: "RFC 894", section: "", what: "1500 bytes on Ethernet" },
            Cite { document: "RFC 791", section: "3.2", what: "fragmentation; 68 bytes must always pass" },
            Cite { document: "RFC 1191", section: "3", what: "finding the MTU of a path" },
        ],
        no_rfc: "",
        sources: &["src/layers/stack/ip.rs", "src/sim/link.rs"],
        lesson: Some("fragments"),
        see: &["fragment", "MSS", "packet"],
        picture: Some(pictures::mtu),
    },
    Term {
        name: "network layer",
        aliases: &["internet layer", "layer 3", "L3"],
        definition: "From host to host, across as many links as it takes: addresses that are valid beyond the link, \
                     and routers that forward packets. OSI calls it network layer, TCP/IP internet layer.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 1122", section: "3", what: "internet layer: what a host must do" },
            Cite { document: "ISO/IEC 7498-1", section: "7.5", what: "the network layer" },
        ],
        no_rfc: "",
        sources: &["src/layers/internet/mod.rs"],
        lesson: Some("fragments"),
        see: &["IP", "packet"],
        picture: Some(pictures::ip),
    },
    Term {
        name: "IP",
        aliases: &["internet protocol", "IPv4"],
        definition: "The protocol that all of the Internet has in common: it carries packets from host to host as \
                     well as it can. Packets may be lost, duplicated or reordered, mostly without a report (ICMP \
                     reports some of it); dealing with that is left to the ends. This course uses version 4.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 791", section: "1.4", what: "operation" },
            Cite { document: "RFC 791", section: "3.1", what: "the header" },
        ],
        no_rfc: "",
        sources: &["src/layers/internet/ipv4.rs", "src/layers/stack/ip.rs"],
        lesson: Some("fragments"),
        see: &["packet", "address", "fragment"],
        picture: Some(pictures::ip),
    },
    Term {
        name: "packet",
        aliases: &["IP packet"],
        definition: "What the internet layer sends: an IP header and a payload. People say packet for anything on \
                     a wire; strictly, it is a frame on the link, a packet in IP, a segment in TCP, a datagram in \
                     UDP (and RFC 791 says datagram for IP, too).",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 1122", section: "1.3.3", what: "terminology: segment, packet, frame" },
            Cite { document: "RFC 791", section: "3.1", what: "the header" },
        ],
        no_rfc: "",
        sources: &["src/layers/internet/ipv4.rs"],
        lesson: Some("fragments"),
        see: &["frame", "segment", "datagram", "message"],
        picture: Some(pictures::packet),
    },
    Term {
        name: "fragment",
        aliases: &["fragmentation", "IP fragment", "reassembly"],
        definition: "A piece of an IP packet that was too large for a link. Each piece has an IP header of its own \
                     that says where it belongs; only the destination host reassembles them, and when one is lost, \
                     the whole packet is. (WebSocket messages can be sent in fragments too: those are frames.)",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 791", section: "3.2", what: "fragmentation and reassembly" },
            Cite { document: "RFC 815", section: "3", what: "putting the pieces together" },
        ],
        no_rfc: "",
        sources: &["src/layers/internet/fragment/split.rs", "src/layers/internet/fragment/reassembler.rs"],
        lesson: Some("fragments"),
        see: &["MTU", "packet", "MSS"],
        picture: Some(pictures::fragment),
    },
    Term {
        name: "router",
        aliases: &["routers", "forwarding", "hop"],
        definition: "A host with several interfaces that forwards packets of others: it looks up the destination in \
                     its routing table, decreases the TTL, and sends the packet out in a new frame. It needs no \
                     layer above IP.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 1812", section: "2.2.3", what: "routers" },
            Cite { document: "RFC 1812", section: "5.2.1", what: "forwarding, step by step" },
        ],
        no_rfc: "",
        sources: &["src/layers/stack/receive.rs", "src/layers/internet/route.rs"],
        lesson: Some("fragments"),
        see: &["routing", "gateway", "TTL", "switch"],
        picture: Some(pictures::router),
    },
    Term {
        name: "routing",
        aliases: &["route", "routing table", "longest prefix"],
        definition: "Choosing the next hop for a packet: of all entries in the table whose prefix matches the \
                     destination, the longest wins. Routes are written by hand here; protocols in which routers \
                     tell each other (RIP, OSPF, BGP) are not built yet.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 1812", section: "5.2.4", what: "determining the next hop" },
            Cite { document: "RFC 4632", section: "5.1", what: "the longest match" },
        ],
        no_rfc: "",
        sources: &["src/layers/internet/route.rs"],
        lesson: Some("fragments"),
        see: &["router", "subnet", "gateway"],
        picture: Some(pictures::router),
    },
    Term {
        name: "subnet",
        aliases: &["prefix", "netmask", "subnet mask", "CIDR"],
        definition: "All addresses that begin with the same bits, written 10.0.0.0/24: 24 bits of prefix, 8 for the \
                     hosts. Hosts of one subnet reach each other directly; everything else goes to a gateway.",
        place: INTERNET,
        cites: &[Cite { document: "RFC 4632", section: "3.1", what: "prefixes" }],
        no_rfc: "",
        sources: &["src/layers/internet/route.rs"],
        lesson: Some("fragments"),
        see: &["routing", "gateway", "address"],
        picture: Some(pictures::router),
    },
    Term {
        name: "gateway",
        aliases: &["default gateway", "default route"],
        definition: "The router to which a host sends everything that is not for its own subnet. The packet keeps \
                     its destination address; only the frame is addressed to the gateway.",
        place: INTERNET,
        cites: &[Cite { document: "RFC 1122", section: "3.3.1", what: "local delivery, or a gateway" }],
        no_rfc: "",
        sources: &["src/layers/internet/route.rs"],
        lesson: Some("fragments"),
        see: &["router", "subnet", "ARP"],
        picture: Some(pictures::router),
    },
    Term {
        name: "TTL",
        aliases: &["time to live", "hop limit"],
        definition: "A number in the IP header that every router decreases by at least one. At zero the router \
                     discards the packet and reports it to the sender by ICMP, so that no packet circulates forever.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 791", section: "3.1", what: "time to live" },
            Cite { document: "RFC 1812", section: "5.3.1", what: "what a router does with it" },
        ],
        no_rfc: "",
        sources: &["src/layers/stack/ip.rs", "src/layers/internet/ipv4.rs"],
        lesson: Some("fragments"),
        see: &["IP", "ICMP"],
        picture: Some(pictures::ip),
    },
    Term {
        name: "ICMP",
        aliases: &["ping", "port unreachable", "destination unreachable"],
        definition: "The messages of IP about IP: \"no program listens at that port\", \"too large, and you said not \
                     to fragment it\", and the echo of ping. They are packets too, may be lost, and promise nothing.",
        place: INTERNET,
        cites: &[
            Cite { document: "RFC 792", section: "", what: "the messages" },
            Cite { document: "RFC 1122", section: "3.2.2", what: "when a host sends them" },
        ],
        no_rfc: "",
        sources: &["src/layers/internet/icmp.rs", "src/layers/internet/icmp_error.rs"],
        lesson: Some("ports"),
        see: &["IP", "port"],
        picture: Some(pictures::unreachable),
    },
];
