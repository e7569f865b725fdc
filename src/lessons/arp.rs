//! Lesson 3: a frame on the wire, the two addresses that every interface has, and ARP, which finds the one by the other.
//!
//! Left out: switches, which look at the addresses of frames (`src/sim/device.rs` says what one would be); IPv6, which
//! asks by ICMP instead (RFC 4861); false answers, and how networks defend themselves against them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::layers::PAYLOAD;
use super::picture::{Frame, View};
use super::stage::{Host, Seen, Stage};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Header as _, Layer};
use crate::layers::internet::prefix::v4;
use crate::layers::link::arp::{ArpPacket, PACKET_LEN};
use crate::layers::link::arp_cache::{ENTRY_LIFETIME, MAX_REQUESTS};
use crate::layers::link::ethernet::{HEADER_LEN, MIN_PAYLOAD};
use crate::layers::physical::crc32::{crc32, fcs_bytes};
use crate::layers::physical::delay::{FCS_LEN, INTER_FRAME_GAP_LEN, PREAMBLE_LEN};
use crate::sim::fault::{self, Damage, Verdict};
use crate::trace::{Kind, PlaceId};
use crate::view::dissect::{TracedPacket, What};

/// How long the client says nothing before its second ping.
const PAUSE: Knob<Duration> =
    Knob::time("pause", "10s", Duration::ZERO, Duration::from_secs(300), "pause before the second ping");
/// How many share the hub.
const HOSTS: Knob<usize> = Knob::count("hosts", "4", 3, 8, "how many hosts share the link of the third run");
/// Which bit of the damaged frame is flipped, in which byte.
const DAMAGED: Knob<usize> =
    Knob::bytes("damaged", "30", 0, 59, "which byte of the damaged frame is damaged, counted from 0");

pub(super) const LESSON: Lesson = Lesson {
    id: "arp",
    title: "frames, addresses, ARP",
    layer: Layer::Link,
    minutes: 25,
    misconception: "IP finds the machine by itself",
    words: &[
        ("address", "the number of a host, or of its place on a link"),
        ("packet", "what IP sends: its header and what that carries"),
        ("ICMP", "what IP has to say itself, from host to host"),
        ("client", "the program that asks, and its host"),
        ("server", "the program that waits to be asked, and its host"),
        ("ARP", "asks a link which frame address an IP address has"),
        ("broadcast", "what is meant for every interface on a link"),
        ("router", "a host that forwards what is for others"),
    ],
    cites: &[
        Cite {
            document: "RFC 826",
            section: "Packet Reception",
            what: "what a host does with an ARP packet",
        },
        Cite { document: "RFC 1122", section: "2.3.2", what: "the cache: how long, how often, what waits" },
        Cite { document: "RFC 894", section: "", what: "IP packets in Ethernet frames, and the padding" },
        Cite {
            document: "IEEE 802.3",
            section: "3.1.1",
            what: "the frame, from the preamble to the check sequence",
        },
        Cite { document: "RFC 1122", section: "3.3.1", what: "a neighbour, or a router" },
    ],
    knobs: &[&PAYLOAD, &PAUSE, &HOSTS, &DAMAGED, &DELAY, &SEED],
    teacher: Teacher {
        vote: "Your laptop sends a packet to a server on another continent. To whose interface is the frame addressed that \
               leaves the laptop?",
        choices: &["the server's", "the router's in this room", "everybody's", "a frame has no address"],
        surprise: "The server asks nothing before it answers: it has learnt the client's address from the question. Ask \
                   the class what else it would believe: nothing in ARP proves that an answer is true.",
    },
    script,
};

fn script(stage: &mut Stage) {
    first(stage);
    on_the_wire(stage);
    again(stage);
    shared(stage);
    damaged(stage);
    nobody(stage);
    beyond(stage);
    stage.instead(LESSON.misconception,
        "IP knows where a packet is to go, and no wire leads there by that number. On each link the packet travels in a \
         frame, and the frame needs the address of an interface on that link. ARP asks for it.",
    );
    stage.try_next(
        "netlayers lesson 3 --pause 70s",
        "The cache keeps an answer for a while. Predict the frames.",
    );
    stage.try_next("netlayers lesson 3 --payload 100", "Which of the frames has padding now?");
    stage.try_next(
        "netlayers lesson 3 --damaged 0",
        "The first byte is that of an address. Is that another story?",
    );
    stage.try_next("netlayers check arp_cache", "Make: a cache that forgets.");
    stage.try_next("netlayers check is_ours", "Make: which frames does an interface take?");
}

/// The first ping on a link where no host knows another.
fn first(stage: &mut Stage) {
    let payload = stage.knob(&PAYLOAD);
    stage.say(
        "A link carries frames. In front of each is a header with two addresses, the receiver's and the sender's, 6 bytes \
         each: numbers of network interfaces, called MAC addresses. IP's addresses are others: 4 bytes, such as 10.0.0.2, \
         which somebody has given to the host.",
    );
    stage.say(format!(
        "To ping is to ask a host for an echo: ICMP carries the question in an IP packet, here with {} of data, and the \
         host sends them back. A client knows the server's IP address, 10.0.0.2. It has just been switched on, and so has \
         the server: neither has heard of the other.",
        many(payload, "byte")
    ));
    let guess = stage.ask_number(
        "The client pings the server. How many frames cross the link, in both directions, until the echo is there?",
        "frames",
    );
    let why = stage.ask_choice(
        "And what does the client send first, and why?",
        &[
            "the ping: it has the IP address, and the link takes it there",
            "a greeting to the server: no packet may go before both agree",
            "a question for the server's MAC address: a frame cannot leave without one",
            "its own name, to the server: else it could not answer",
        ],
    );
    stage.scene("first", "The first ping between two hosts");
    let (client, server) = (stage.host("client"), stage.host("server"));
    stage.link(client, server);
    stage.ping_to(client, server.address, 1, data(payload));
    stage.run_for(settle(stage));
    stage.show(View::Ladder, "Look at what goes before the ping, and at what does not go before its echo.");
    let run = stage.seen();
    let frames = stage.fact("frames", run.frames());
    stage.reveal(
        guess,
        Seen::frames,
        format!(
            "{frames}. A question to all on the link, who has 10.0.0.2?, and the answer of the one that has it; then the ping, \
             and its echo. The question and the answer are ARP, the Address Resolution Protocol."
        ),
    );
    stage.reveal(
        why,
        |run| {
            let asked = run.packets().first().is_some_and(is_request);
            Answer::Choice(if asked { 2 } else { 0 })
        },
        "A frame begins with the MAC address of its receiver. Until the client has that, the ping waits. The question \
         itself needs none: it goes to ff:ff:ff:ff:ff:ff, which means every interface on the link. That is a broadcast.",
    );
    stage.show(
        View::Header(Frame::Number(1), Some("ARP")),
        "The question. Three of the four addresses are filled in; the one that is asked for is zero.",
    );
    let (asked, told) = (destination(&run, 0), destination(&run, 1));
    stage.table(
        &["frame", "to MAC address", "from MAC address", "what"],
        run.packets().iter().map(row).collect(),
        "Only the question goes to all. The answer goes to the one that asked.",
    );
    stage.check("the question goes to every interface, the answer to one", |_| {
        asked == "ff:ff:ff:ff:ff:ff" && told == source(&run, 0)
    });
    stage.say(
        "The server asked nothing before it answered. The question told it the client's two addresses, and it has kept \
         them: who is asked for is about to be spoken to (RFC 826).",
    );
    stage.check("the server sent no question", |run| {
        !run.packets().iter().any(|packet| is_request(packet) && packet.from == server.id().place())
    });
    let answered = stage.pongs(client);
    stage.check("the ping was answered once", |_| answered == 1);
}

/// The bytes of the question as they are on the wire.
fn on_the_wire(stage: &mut Stage) {
    stage.lead_in(format!(
        "The question of ARP is a packet of {PACKET_LEN} bytes, and the header of the frame has {HEADER_LEN}: \
         two addresses, and a number for the protocol inside, the type."
    ));
    let guess = stage.ask_number(
        format!(
            "The frame ends with a check sequence of {FCS_LEN} bytes, which is computed over all of it. How many bytes has the \
             frame that carries the question, from the first address to the check sequence?"
        ),
        "bytes",
    );
    let run = stage.seen();
    let Some(question) = run.packets().first() else { return };
    let frame = &question.bytes;
    let padding = frame.len() - HEADER_LEN - PACKET_LEN;
    let fcs = fcs_bytes(crc32(frame));
    let whole = frame.len() + FCS_LEN;
    let rows = [
        ("preamble, and a mark that it is over", PREAMBLE_LEN, "55 55 55 55 55 55 55 d5".into()),
        ("to: every interface", 6, hex(&frame[..6])),
        ("from: the client's", 6, hex(&frame[6..12])),
        ("type: ARP", 2, hex(&frame[12..HEADER_LEN])),
        ("the question", PACKET_LEN, format!("{} ...", hex(&frame[HEADER_LEN..HEADER_LEN + 6]))),
        ("padding", padding, format!("{} ...", hex(&frame[frame.len() - 2..]))),
        ("check sequence (FCS)", FCS_LEN, hex(&fcs)),
        ("gap, in which nothing is sent", INTER_FRAME_GAP_LEN, String::new()),
    ];
    let all: usize = rows.iter().map(|(_, bytes, _)| bytes).sum();
    let rows = rows.map(|(what, bytes, shown)| vec![what.to_owned(), bytes.to_string(), shown]);
    stage.table(
        &["on the wire", "bytes", "in hexadecimal"],
        rows.to_vec(),
        "The first frame, from its first bit to when the next may begin.",
    );
    stage.fact("whole", whole);
    stage.fact("on_the_wire", all);
    stage.reveal(
        guess,
        |_| whole,
        format!(
            "{whole}. A frame has at least {MIN_PAYLOAD} bytes between its header and its check sequence, so {padding} bytes of \
             padding follow the question. The preamble, by which the receiver finds the beat of the bits, and the gap do not \
             count as the frame; with them the wire is busy for {all} bytes' time."
        ),
    );
    stage.say(
        "Why a least length? Ethernet began as one cable for all. Two that sent at once spoilt both frames, and each had to \
         notice while it was still sending. Cables are no longer shared, and the least length has stayed.",
    );
    stage.check("the check sequence is that of these bytes", |_| {
        crate::layers::link::ethernet::check_fcs(&[&frame[..], &fcs].concat()).is_ok()
    });
    stage.check("the question is read back from the frame as it was", |_| {
        let mut r = crate::base::Reader::new(Layer::Link, ArpPacket::PROTOCOL, &frame[HEADER_LEN..]);
        ArpPacket::parse(&mut r).is_ok_and(|packet| packet.target_ip.octets() == [10, 0, 0, 2])
    });
}

/// The second ping, a while later.
fn again(stage: &mut Stage) {
    let (pause, payload) = (stage.knob(&PAUSE), stage.knob(&PAYLOAD));
    stage.lead_in(
        "A host keeps what it has learnt in a table, its ARP cache: this IP address has that MAC address. It does not keep \
         it without end, for an interface may be replaced, or an address given to another host.",
    );
    let guess = stage.ask_number(
        format!("The client is silent for {pause}, and then pings once more. How many frames cross the link this time?"),
        "frames",
    );
    stage.scene("again", &format!("A second ping, {pause} after the first"));
    let (client, server) = (stage.host("client"), stage.host("server"));
    stage.link(client, server);
    stage.ping_to(client, server.address, 1, data(payload));
    stage.run_for(settle(stage));
    let before = stage.seen().frames();
    stage.run_for(pause);
    let from = stage.now();
    stage.ping_to(client, server.address, 2, data(payload));
    stage.run_for(settle(stage));
    stage.show(View::LadderSince(from), "The second ping.");
    let frames = stage.fact("frames_again", stage.seen().frames() - before);
    let asks = stage.seen().packets()[before..].iter().any(is_request);
    let lifetime = ENTRY_LIFETIME.as_nanos() / 1_000_000_000;
    stage.reveal(
        guess,
        |_| frames,
        match asks {
            false => format!(
                "The answer was still in the cache. Ours keeps it for {lifetime} s, others for minutes: what is saved is a \
                 question for each packet, and what it costs is that for so long a change is not noticed."
            ),
            true => format!(
                "The entry is older than {lifetime} s, so it is gone, and the client asks again. Nobody told it that the server \
                 is still there, and no frame would have told it otherwise."
            ),
        },
    );
    let answered = stage.pongs(client);
    stage.check("both pings were answered", |_| answered == 2);
}

/// Several hosts that all hear each other.
fn shared(stage: &mut Stage) {
    let (hosts, payload) = (stage.knob(&HOSTS), stage.knob(&PAYLOAD));
    stage.say(format!(
        "Now {hosts} hosts share a link: each is plugged into a hub, a box that repeats what comes in at one port on all \
         others, and looks at nothing. The client pings the server, once; it has to ask first, as before."
    ));
    let learns = stage.ask_choice(
        "What does the third host do with the question that went to all?",
        &[
            "it answers, too: it was asked",
            "it passes the question on to the server",
            "its ARP reads it, finds that another is meant, and does nothing",
            "its interface discards it unread",
        ],
    );
    stage.scene("shared", &format!("{hosts} hosts on a hub"));
    let names = ["client", "server", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
    let cast: Vec<Host> = names.iter().take(hosts).map(|name| stage.host(name)).collect();
    let (client, server, third) = (cast[0], cast[1], cast[2]);
    stage.hub(&cast);
    stage.ping_to(client, server.address, 1, data(payload));
    stage.run_for(settle(stage));
    let run = stage.seen();
    let rows: Vec<Vec<String>> = cast
        .iter()
        .zip(names)
        .map(|(host, name)| {
            let place = host.id().place();
            let (arrived, refused) = (arrived(&run, place), refused(&run, place));
            let sent = run.packets().iter().filter(|packet| packet.from == place).count();
            let numbers = [arrived + refused, refused, arrived, sent];
            std::iter::once(name.to_owned()).chain(numbers.map(|n| n.to_string())).collect()
        })
        .collect();
    stage.table(
        &["host", "frames heard", "for another", "taken in", "sent"],
        rows,
        "Look at the third host. What is for another MAC address, its interface hears and does not take in.",
    );
    let place = third.id().place();
    let (taken, foreign) = (arrived(&run, place), refused(&run, place));
    stage.fact("heard", taken + foreign);
    stage.fact("taken", taken);
    stage.say(format!(
        "The third host's interface heard all {}: a hub repeats every frame. It compares the first six bytes with its own \
         address. {} was for all and is taken in; {foreign} were for other addresses, and no program learns of them. (A program \
         that asks its interface for everything, such as Wireshark, sees them. That is why a shared link keeps no secrets.)",
        many(taken + foreign, "frame"),
        many(taken, "frame"),
    ));
    let replies = run.packets().iter().filter(|packet| packet.from == place).count();
    stage.reveal(
        learns,
        |_| Answer::Choice(if replies > 0 { 0 } else if taken > 0 { 2 } else { 3 }),
        "A broadcast is for every interface, so each host on the link has the work of looking at it. Only the owner of the \
         address answers, and only it keeps the client's address: the others were not meant, and would fill their caches with \
         strangers (RFC 826).",
    );
    stage.check("only the server answered", |_| replies == 0);
    let mut macs = BTreeSet::new();
    stage.check("every interface has an address of its own", |run| {
        cast.iter().all(|host| match first_from(run, host.id().place()) {
            Some(packet) => macs.insert(field(packet, "Ethernet", "source")),
            None => true,
        })
    });
}

/// A frame that is damaged on its way.
fn damaged(stage: &mut Stage) {
    let (byte, payload) = (stage.knob(&DAMAGED), stage.knob(&PAYLOAD));
    let guess = stage.ask_choice(
        format!(
            "Two hosts again. On the way one bit of the client's question is flipped, in byte {byte}. What happens?"
        ),
        &[
            "the server repairs the bit and answers",
            "the server says that the frame was damaged, and the client sends it again",
            "it is dropped in silence; the client asks again, because no answer comes",
            "it is dropped in silence, and the ping is never sent",
        ],
    );
    stage.scene("damaged", "A flipped bit in the question");
    let (client, server) = (stage.host("client"), stage.host("server"));
    stage.link(client, server);
    let verdict = Verdict::Corrupt { byte, bits: 1, place: Damage::Wire };
    stage.rule(client, server, fault::nth("flips a bit of the first frame", 1, |_| true, verdict));
    stage.ping_to(client, server.address, 1, data(payload));
    stage.run_for(settle(stage) + Duration::from_secs(3));
    stage.show(View::Ladder, "Look at the time between the two questions.");
    let answered = stage.pongs(client);
    stage.reveal(
        guess,
        |run| {
            let asked = run.packets().iter().filter(|packet| is_request(packet)).count();
            Answer::Choice(match (asked, answered) {
                (1, 1) => 0,
                (_, 1) => 2,
                _ => 3,
            })
        },
        "The check sequence no longer fits the bytes, so the interface drops the frame, without a word: the bytes that say \
         who sent it may be the damaged ones. Ethernet repairs nothing and repeats nothing. What matters must be asked for \
         again by a layer above; ARP does so after a second.",
    );
    stage.check("the damaged frame was taken in by no host, and the second question was answered", |run| {
        run.count(|kind| matches!(kind, Kind::Discarded { .. } | Kind::Dropped { .. })) > 0 && answered == 1
    });
}

/// An address that no host has.
fn nobody(stage: &mut Stage) {
    let payload = stage.knob(&PAYLOAD);
    let absent = v4(10, 0, 0, 77);
    let guess = stage.ask_number(
        format!("Nobody on this link has the address {absent}. The client pings it, once. How many frames does it send?"),
        "frames",
    );
    stage.scene("nobody", "A ping to an address that no host has");
    let (client, server) = (stage.host("client"), stage.host("server"));
    stage.link(client, server);
    stage.ping_to(client, absent, 1, data(payload));
    stage.run_for(Duration::from_secs(10));
    stage.show(View::Ladder, "The same question, a second apart.");
    let run = stage.seen();
    let asked = run.packets().iter().filter(|packet| is_request(packet)).count();
    stage.fact("asked", asked);
    stage.reveal(
        guess,
        Seen::frames,
        format!(
            "It asks {MAX_REQUESTS} times, at most once a second (RFC 1122 §2.3.2.1), and gives up. The ping itself was never \
             sent: there was no frame to put it into. That an address is not there, no message says; it is a silence."
        ),
    );
    stage.check("the ping never left", |run| {
        run.packets().iter().all(|packet| !matches!(packet.packet.summary.what, What::Icmp { .. }))
    });
}

/// A host on another link.
fn beyond(stage: &mut Stage) {
    let payload = stage.knob(&PAYLOAD);
    stage.say(
        "Two numbers for one interface: why not one? A router joins two links: it takes in packets on one, and forwards them \
         on the other. The client, 10.0.1.1, is on the first. The server, 10.0.2.1, is on the second. The client can tell: \
         the addresses of its own link all begin with 10.0.1, and for all else it has been told of the router.",
    );
    let why = stage.ask_choice(
        "The packet is forwarded. What of it has changed when it arrives at the server?",
        &[
            "its IP addresses: each link has its own",
            "nothing: it is the same frame",
            "the frame's MAC addresses; the IP addresses are the same from end to end",
            "both: the router is now the sender",
        ],
    );
    stage.scene("beyond", "A ping through a router");
    let (client, server) = (stage.host_at("client", "10.0.1.1/24"), stage.host_at("server", "10.0.2.1/24"));
    let (link, config) = (stage.network_knobs().link(), stage.network_knobs().stack());
    let network = stage.network();
    let router = network.router("router", &config);
    network.link(client.id(), (router, "10.0.1.254/24"), link);
    network.link((router, "10.0.2.254/24"), server.id(), link);
    network.gateway(client.id(), "10.0.1.254");
    network.gateway(server.id(), "10.0.2.254");
    stage.ping_to(client, server.address, 1, data(payload));
    stage.run_for(settle(stage) * 2);
    let run = stage.seen();
    let pings: Vec<&TracedPacket> = run
        .packets()
        .iter()
        .filter(|packet| matches!(packet.packet.summary.what, What::Icmp { .. }))
        .collect();
    let rows = pings.iter().map(|packet| {
        let mac = |name| field(packet, "Ethernet", name);
        let ip = |name| field(packet, "IPv4", name);
        let link = format!("{} to {}", run.trace().name(packet.from), run.trace().name(packet.to));
        vec![link, mac("source"), mac("destination"), ip("source"), ip("destination")]
    });
    stage.table(
        &["link", "from MAC", "to MAC", "from IP", "to IP"],
        rows.collect(),
        "The ping and its echo, frame by frame, without ARP. Compare the columns.",
    );
    let distinct = |protocol, name| {
        pings.iter().take(2).map(|packet| field(packet, protocol, name)).collect::<BTreeSet<_>>().len()
    };
    let (macs, ips) = (distinct("Ethernet", "destination"), distinct("IPv4", "destination"));
    stage.reveal(
        why,
        |_| {
            Answer::Choice(match (macs > 1, ips > 1) {
                (false, true) => 0,
                (false, false) => 1,
                (true, false) => 2,
                (true, true) => 3,
            })
        },
        "A MAC address says which interface on this link, and is worth nothing beyond it. An IP address says which host, from \
         anywhere, and so it can be given by place: all that begins with 10.0.2 is behind that router. Interfaces come from a \
         factory, and their numbers say nothing about where they are. So it takes both, and ARP between them.",
    );
    stage.say(
        "The client did not ask for the server's MAC address: a broadcast ends at the router. It asked for the router's. The \
         frame goes there, and the packet in it names the server. The router asks for the server's MAC address itself, on the \
         other link.",
    );
    let asked =
        run.packets().iter().filter(|packet| packet.from == client.id().place() && is_request(packet));
    let asked: Vec<IpAddr> = asked.filter_map(asked_for).collect();
    stage.check("the client asked for the router, and for no other host", |_| asked == [v4(10, 0, 1, 254)]);
    let answered = stage.pongs(client);
    stage.check("the ping through the router was answered", |_| answered == 1 && pings.len() == 4);
}

fn data(payload: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(payload).collect()
}

/// Long enough for a question, its answer, a ping and its echo.
fn settle(stage: &Stage) -> Duration {
    stage.network_knobs().rtt() * 3 + Duration::from_millis(10)
}

fn is_request(packet: &TracedPacket) -> bool {
    matches!(packet.packet.summary.what, What::Arp { request: true, .. })
}

fn asked_for(packet: &TracedPacket) -> Option<IpAddr> {
    match packet.packet.summary.what {
        What::Arp { target, .. } => Some(target),
        _ => None,
    }
}

/// A field of a header as it is shown.
fn field(packet: &TracedPacket, protocol: &str, name: &str) -> String {
    let header = packet.packet.dissection.header(protocol);
    header.and_then(|header| header.field(name)).map_or_else(String::new, |value| value.text.clone())
}

fn destination(run: &Seen, nth: usize) -> String {
    run.packets().get(nth).map_or_else(String::new, |packet| field(packet, "Ethernet", "destination"))
}

fn source(run: &Seen, nth: usize) -> String {
    run.packets().get(nth).map_or_else(String::new, |packet| field(packet, "Ethernet", "source"))
}

fn first_from(run: &Seen, place: PlaceId) -> Option<&TracedPacket> {
    run.packets().iter().find(|packet| packet.from == place)
}

fn row(packet: &TracedPacket) -> Vec<String> {
    let what = match &packet.packet.summary.what {
        What::Arp { request: true, target, .. } => format!("who has {target}?"),
        What::Arp { request: false, sender, .. } => format!("I have {sender}"),
        What::Icmp { message, .. } => message.clone(),
        _ => String::new(),
    };
    let mac = |name| field(packet, "Ethernet", name);
    vec![packet.packet.number.to_string(), mac("destination"), mac("source"), what]
}

/// Frames that a host took in.
fn arrived(run: &Seen, place: PlaceId) -> usize {
    let here = run.trace().events.iter().filter(|event| event.place == place);
    here.filter(|event| matches!(event.kind, Kind::Delivered { .. })).count() - refused(run, place)
}

/// Frames that a host heard and did not take in: they are for another.
fn refused(run: &Seen, place: PlaceId) -> usize {
    let here = run.trace().events.iter().filter(|event| event.place == place);
    here.filter(|event| matches!(event.kind, Kind::Discarded { .. })).count()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
