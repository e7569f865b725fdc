//! Lesson 4: a link takes packets up to its MTU. What is larger is cut, or refused, and joined again at its
//! destination only.
//!
//! Left out: IPv6, where no router ever cuts (RFC 8200 §5); paths whose MTU changes; finding out the MTU without ICMP
//! (RFC 8899).

use super::beat::Answer;
use super::knob::{DELAY, LOSE, MTU, Range, SEED};
use super::picture::{Frame, View};
use super::stage::{Host, Seen, Stage, packet};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::Layer;
use crate::layers::internet::{fragment, ipv4};
use crate::layers::transport::udp;
use crate::sim::fault::{self, Verdict};
use crate::view::dissect::{TracedPacket, What};

/// How much the program sends.
pub(crate) const SIZE: Knob<usize> = Knob::bytes("size", "4000", 1, 40_000, "bytes that the program sends");
/// Whether the packet of the last run has DF set.
const DF: Knob<bool> = Knob::choice(
    "df",
    "on",
    &[("on", true), ("off", false)],
    "whether the packet of the last run may be cut (off) or not (on)",
);
/// The MTU of the link beyond the router.
const NARROW: Knob<u16> =
    Knob::bytes("narrow", "576", 68, 9000, "MTU of the link behind the router, in bytes");
const FIRST_MTU: Knob<u16> = MTU.within(Range::Bytes(68, 9000));

pub(super) const LESSON: Lesson = Lesson {
    id: "fragments",
    title: "packets, MTU and fragments",
    layer: Layer::Internet,
    minutes: 25,
    misconception: "a message is a packet",
    words: &[
        ("datagram", "what UDP sends: its header and one message"),
        ("fragment", "a piece of a packet that was cut"),
        ("MTU", "the most bytes that a frame of a link may carry"),
    ],
    cites: &[
        Cite { document: "RFC 791", section: "3.2", what: "fragmentation and reassembly" },
        Cite { document: "RFC 1122", section: "3.3.2", what: "how long a host waits for the missing ones" },
        Cite { document: "RFC 1191", section: "4", what: "the answer of a router that may not cut" },
        Cite { document: "RFC 8900", section: "3", what: "why programs avoid fragments today" },
    ],
    knobs: &[&SIZE, &FIRST_MTU, &LOSE, &DF, &NARROW, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A datagram travels as three fragments. The second is lost. What does the program at the other end get?",
        choices: &[
            "all of it, a little later",
            "the first and the third part",
            "all of it, with zeros in the hole",
            "nothing",
        ],
        surprise: "The fragments are not as even as the class expects. The fragment offset counts units of 8 bytes, so \
                   all but the last carry a multiple of 8; and 8 of the bytes are UDP's header, which only the first \
                   one has.",
    },
    script,
};

const PORT: u16 = 9000;

fn script(stage: &mut Stage) {
    let pieces = cut(stage);
    lossy(stage, pieces);
    router(stage);
    stage.instead(LESSON.misconception,
        "a message is what a program hands over, a packet is what IP sends, and a link carries it in a frame. One \
         message can take many packets, and the program at the other end sees none of them: it gets the whole message, \
         or nothing.",
    );
    stage.try_next(
        "netlayers lesson 4 --mtu 576",
        "Predict first: how many fragments now? 576 - 20 is no multiple of 8: what becomes of the rest?",
    );
    stage.try_next("netlayers lesson 4 --df off", "The router may cut. Which host joins the pieces?");
    stage.try_next("netlayers lesson 4 --wire real", "The kernel's loopback: where is its limit?");
}

/// A datagram that does not fit the link.
fn cut(stage: &mut Stage) -> usize {
    let (size, mtu) = (stage.knob(&SIZE), stage.network_knobs().link.mtu);
    stage.say(format!(
        "Every link has a largest packet that it carries: its MTU, maximum transmission unit. Here it is {mtu} \
         bytes. An IP packet begins with a header of {} bytes; the rest is what it carries.",
        ipv4::MIN_HEADER_LEN
    ));
    stage.say(format!("A program sends {}, as one UDP datagram.", many(size, "byte")));
    let guess = stage.ask_number("How many IP packets cross the link?", "packets");

    stage.scene("cut", &format!("{} over a link with an MTU of {mtu}", many(size, "byte")));
    let (client, server) = stage.two_hosts();
    let message = send(stage, client, server, size);
    stage.run();
    stage.show(
        View::Cut,
        "Each row is one packet on the wire, drawn where its bytes belong. Below: what IP has joined.",
    );

    let run = stage.seen();
    let pieces = stage.fact("packets", run.frames());
    let whole = stage.fact("whole", size + udp::HEADER_LEN);
    let room = (usize::from(mtu) - ipv4::MIN_HEADER_LEN) / 8 * 8;
    stage.fact("room", room);
    stage.reveal(
        guess,
        Seen::frames,
        match pieces {
            1 => format!(
                "{whole} bytes with UDP's header, and {} of IP's in front: that fits {mtu}. Nothing is cut.",
                ipv4::MIN_HEADER_LEN
            ),
            _ => format!(
                "UDP puts its header of {} bytes in front: {whole} bytes for IP to carry. A packet has room for \
                 {mtu} - {} = {}, and each piece but the last must be a multiple of 8 long: {room}. \
                 {whole} bytes in pieces of {room} are {pieces}.",
                udp::HEADER_LEN,
                ipv4::MIN_HEADER_LEN,
                usize::from(mtu) - ipv4::MIN_HEADER_LEN,
            ),
        },
    );
    stage.check(format!("no packet is larger than {mtu} bytes"), |run| {
        run.packets().iter().all(|packet| total_length(packet).is_some_and(|len| len <= u64::from(mtu)))
    });
    stage.check("the program at the other end reads once, and gets the whole message", |run| {
        run.reads(server) == [message.as_slice()]
    });
    if pieces > 1 {
        stage.check("every piece carries the same identification, and only the last lacks MF", |run| {
            let fields: Vec<(u32, bool)> = run.packets().iter().filter_map(fragment_fields).collect();
            fields.len() == pieces
                && fields.iter().all(|(identification, _)| *identification == fields[0].0)
                && fields.iter().rev().skip(1).all(|(_, more)| *more)
                && fields.last().is_some_and(|(_, more)| !more)
        });
        stage.show(
            View::Header(Frame::Number(2), Some("IPv4")),
            "The header of the second fragment. All fragments have the same Identification; Fragment Offset counts in \
             units of 8 bytes; MF, more fragments, is set in all but the last.",
        );
        let ports =
            run.packets().iter().filter(|packet| packet.packet.dissection.header("UDP").is_some()).count();
        stage.say(format!(
            "Of the {pieces} fragments {ports} has a UDP header: the first. The others are plain bytes, and only IP at \
             their destination knows to which packet they belong. No router on the way joins them."
        ));
    }
    pieces
}

/// The same with a piece missing.
fn lossy(stage: &mut Stage, pieces: usize) {
    let lose = stage.knob(&LOSE);
    let happens = (1..=pieces).contains(&lose);
    let unit = if pieces > 1 { "fragment" } else { "packet" };
    let guess = stage.ask_choice(
        match happens {
            true => {
                format!("The same again, but {unit} {lose} of {pieces} is lost. What does the program read?")
            }
            false => "The same again, with nothing lost. What does the program read?".to_owned(),
        },
        &[
            "the whole message, later: the missing part is sent again",
            "what has arrived, without the missing part",
            "nothing at all",
            "the whole message, as before",
        ],
    );
    let title = if happens { format!("{unit} {lose} is lost") } else { format!("no {unit} is lost") };
    stage.scene("lossy", &title);
    let (client, server) = stage.two_hosts();
    if happens {
        stage.rule(
            client,
            server,
            fault::nth(format!("loses {unit} {lose}"), lose as u64, is_piece, Verdict::Drop),
        );
    }
    let message = send(stage, client, server, stage.knob(&SIZE));
    stage.run();
    stage.show(View::Cut, "A packet with a hole in it is of no use to the layer above.");
    let run = stage.seen();
    let arrived = pieces - run.lost();
    let timeout = fragment::TIMEOUT.as_nanos() / 1_000_000_000;
    let answer = match (pieces, answers(&run, server)) {
        (1, _) => String::new(),
        (_, true) => format!(
            " After {timeout} seconds its IP gives up, discards what it has, and reports it to the sender by ICMP."
        ),
        (_, false) => format!(
            " After {timeout} seconds its IP gives up and discards what it has. It sends no ICMP message: the first \
             fragment is missing, and with it the ports that the message would name (RFC 792)."
        ),
    };
    stage.reveal(
        guess,
        |run| {
            let again = sent(run, client) > pieces;
            Answer::Choice(match (run.reads(server).concat() == message, again) {
                (true, true) => 0,
                (true, false) => 3,
                (false, _) if run.reads(server).is_empty() => 2,
                (false, _) => 1,
            })
        },
        match happens {
            true => format!(
                "{arrived} of {pieces} arrived, and that is not enough: UDP gets its datagram whole or not at all. IP \
                 does not retransmit; it kept no copy.{answer}"
            ),
            false => "Nothing was lost, so IP could join what it got.".into(),
        },
    );
    stage.check("nothing is sent twice", |run| sent(run, client) == pieces);
    if happens && pieces > 1 {
        stage.show(View::Ladder, "What the hosts do about it, and when.");
        let one = 0.01_f64;
        let any = 1.0 - (1.0 - one).powi(i32::try_from(pieces).unwrap_or(i32::MAX));
        stage.say(format!(
            "So cutting has a price: where {:.0} % of the packets are lost, {:.1} % of datagrams in {pieces} \
             pieces are lost. That is why programs send datagrams that fit the path, and why TCP cuts its stream itself.",
            one * 100.0,
            any * 100.0
        ));
    }
}

/// A router whose next link is narrower.
fn router(stage: &mut Stage) {
    let (mtu, narrow) = (stage.network_knobs().link.mtu, stage.knob(&NARROW));
    let df = stage.knob(&DF);
    // A packet that fills the first link.
    let size = usize::from(mtu) - ipv4::MIN_HEADER_LEN - udp::HEADER_LEN;
    let flag = if df { "with DF, \"don't fragment\", set" } else { "with DF, \"don't fragment\", not set" };
    stage.lead_in(format!(
        "The sender knows the MTU of its own link, and of no other. Now a router joins two links: {mtu} bytes fit the \
         first, {narrow} the second."
    ));
    let guess = stage.ask_choice(
        format!("A packet of {mtu} bytes comes to the router, {flag}. What does the router do?"),
        &[
            "it cuts the packet and passes the pieces on",
            "it drops the packet, and says nothing",
            "it drops the packet and tells the sender the MTU of the next link",
            "it passes the packet on as it is",
        ],
    );
    stage.scene("router", &format!("A link with an MTU of {narrow} behind a router"));
    let client = stage.host("client");
    let router = stage.host("router");
    let server = stage.host("server");
    let link = stage.network_knobs().link();
    stage.link_with(client, router, link);
    stage.link_with(router, server, crate::sim::LinkConfig { mtu: narrow, ..link });
    stage.route_through(router, client, server);
    stage.introduce();
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    if df {
        stage.dont_fragment(socket);
    }
    stage.send_to(socket, server, PORT, message(size));
    stage.run();
    stage
        .show(View::Ladder, "A router that cannot forward a packet may report it with ICMP, IP's messenger.");
    stage.reveal(
        guess,
        |run| {
            let told = run.find(|packet| matches!(packet.what, What::Icmp { .. })).is_some();
            let cut = run.packets().iter().any(is_cut);
            Answer::Choice(match (told, cut, run.reads(server).is_empty()) {
                (true, _, _) => 2,
                (_, true, false) => 0,
                (_, false, false) => 3,
                (false, _, true) => 1,
            })
        },
        match (mtu > narrow, df) {
            (true, true) => format!(
                "\"Destination unreachable: fragmentation needed and DF set\", with the MTU of the next link, {narrow}. \
                 The sender can make smaller packets from now on. TCP does just that: it sets DF in every packet, and \
                 the method is called path MTU discovery."
            ),
            (true, false) => "Without DF a router may cut. It joins nothing: the pieces could take different paths, so \
                              only their destination sees all of them."
                .into(),
            (false, _) => format!("A packet of {mtu} bytes fits a link of {narrow}: there is nothing to decide."),
        },
    );
    stage.check("the whole message arrives, or none of it", |run| {
        run.reads(server).is_empty() || run.reads(server) == [message(size)]
    });
    if mtu > narrow && df {
        stage.check("the client gets an answer, and nothing crosses the second link", |run| {
            run.packets().iter().all(|packet| packet.to != server.id().place())
                && run.packets().iter().any(|packet| packet.to == client.id().place())
        });
    }
}

/// Sends one datagram and gives what was in it.
fn send(stage: &mut Stage, client: Host, server: Host, size: usize) -> Vec<u8> {
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    let message = message(size);
    stage.send_to(socket, server, PORT, &message);
    message
}

fn message(size: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(size).collect()
}

/// How many pieces a host sent.
fn sent(run: &Seen, host: Host) -> usize {
    let of_udp = |what: &What| matches!(what, What::Fragment { .. } | What::Udp { .. });
    let pieces = run.packets().iter().filter(|packet| of_udp(&packet.packet.summary.what));
    pieces.filter(|packet| packet.from == host.id().place()).count()
}

/// Whether a host's own stack sent an ICMP message.
fn answers(run: &Seen, host: Host) -> bool {
    let icmp = |packet: &TracedPacket| matches!(packet.packet.summary.what, What::Icmp { .. });
    run.packets().iter().any(|packet| packet.from == host.id().place() && icmp(packet))
}

fn is_piece(frame: &fault::Passing<'_>) -> bool {
    packet::is_fragment(frame) || packet::is_udp(frame)
}

fn is_cut(packet: &TracedPacket) -> bool {
    fragment_fields(packet).is_some()
}

/// Identification and MF of a fragment.
fn fragment_fields(packet: &TracedPacket) -> Option<(u32, bool)> {
    match packet.packet.summary.what {
        What::Fragment { identification, more, .. } => Some((identification, more)),
        _ => None,
    }
}

/// The length that an IP header tells.
fn total_length(packet: &TracedPacket) -> Option<u64> {
    packet.packet.dissection.header("IPv4")?.field("total length").map(|field| field.value)
}
