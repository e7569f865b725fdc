//! Lesson 5: a port is half of an address, and a connection is known by both of its ends.
//!
//! Left out: several addresses on one host, several listeners on one port (`SO_REUSEPORT`), ports changed by a NAT, and
//! UDP sockets that were given a peer (`connect`).

use std::collections::BTreeSet;

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::stage::{Host, Socket, Stage};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::trace::{Flow, Kind};

/// How many clients there are.
pub(crate) const CLIENTS: Knob<usize> = Knob::count("clients", "3", 1, 20, "how many clients there are");

pub(super) const LESSON: Lesson = Lesson {
    id: "ports",
    title: "ports and sockets",
    layer: Layer::Transport,
    minutes: 20,
    misconception: "the server takes a new port for each client",
    words: &[
        ("connection", "what two ends of TCP keep about each other"),
        ("segment", "what TCP sends: its header and a piece of the stream"),
        ("socket", "the handle by which a program uses TCP or UDP"),
    ],
    cites: &[
        Cite { document: "RFC 9293", section: "4", what: "the words socket and connection" },
        Cite { document: "RFC 6335", section: "6", what: "which ports are for whom" },
        Cite { document: "RFC 1122", section: "4.1.3.1", what: "ports of UDP" },
    ],
    knobs: &[&CLIENTS, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A server listens on port 80, and three clients connect. How many ports does it use now?",
        choices: &["1", "2", "3", "4"],
        surprise: "Two connections of one laptop differ in one number only, the laptop's own port. Two hosts may well \
                   choose the same number: then their addresses differ. Nothing else is needed, so no new port is.",
    },
    script,
};

const PORT: u16 = 80;

fn script(stage: &mut Stage) {
    tcp(stage);
    udp(stage);
    stage.instead(LESSON.misconception,
        "all connections to a server share one port of it. A connection is known by four numbers, both addresses and \
         both ports, and one that differs is enough. What the server's program gets for each client is a new socket.",
    );
    stage.try_next(
        "netlayers lesson 5 --clients 20",
        "Predict first: how many ports at the server, and how many sockets?",
    );
    stage.try_next(
        "netlayers lesson 5 --wire real",
        "The kernel's sockets; and two programs that want the same port.",
    );
}

/// Connections to one listener.
fn tcp(stage: &mut Stage) {
    let clients = stage.knob(&CLIENTS);
    stage.say(
        "An address says which host, a port says which program on it: a number from 0 to 65535. Each segment carries \
         two, one for each end. A socket is the handle by which a program uses one.",
    );
    stage.say(format!(
        "A server listens on port {PORT}. {}: programs on a laptop and on a phone.",
        plural(clients, "client connects", "clients connect")
    ));
    let ports = stage.ask_number("How many ports does the server use for them?", "ports");
    let sockets = stage.ask_number(
        "And how many sockets does the server's program hold, when all are connected?",
        "sockets",
    );

    stage.scene("connections", &format!("{} and one server", plural(clients, "client", "clients")));
    let (server, hosts) = cast(stage);
    let listener = stage.listen(server, PORT);
    let opened: Vec<Socket> = (0..clients).map(|i| stage.connect(hosts[i % 2], server, PORT)).collect();
    let pause = stage.network_knobs().rtt() * 2 + Duration::from_millis(100);
    stage.run_for(pause);
    for (i, socket) in opened.iter().enumerate() {
        stage.send(*socket, greeting(i));
    }
    stage.run_for(pause);

    let listening = stage.flow(listener);
    let accepted = stage.accepted(server);
    let flows: Vec<Flow> = accepted.iter().map(|socket| stage.flow(*socket)).collect();
    let own_end = listening.local().to_string();
    let mut rows = vec![vec!["1".into(), "listening".into(), own_end, "any".into(), String::new()]];
    for ((socket, flow), number) in accepted.iter().zip(&flows).zip(2..) {
        let read = String::from_utf8_lossy(&stage.reads(*socket).concat()).into_owned();
        rows.push(vec![
            number.to_string(),
            "connection".into(),
            flow.local().to_string(),
            flow.remote().to_string(),
            read,
        ]);
    }
    stage.table(
        &["socket", "what for", "its own end", "the other end", "what was read from it"],
        rows,
        "The sockets of the server's program. An end is an address and a port. (RFC 9293 calls such an end a socket; programs use the word for what they hold.)",
    );
    let used: BTreeSet<u16> = flows.iter().chain([&listening]).map(|flow| flow.local().port()).collect();
    let held = flows.len() + 1;
    stage.fact("ports", used.len());
    stage.fact("sockets", held);
    stage.reveal(
        ports,
        |_| used.len(),
        "The connections leave from the very port that the clients called. A client knew no other number.",
    );
    stage.reveal(
        sockets,
        |_| held,
        format!(
            "One that listens, and one for each connection: 1 + {}. A socket is not a port.",
            flows.len()
        ),
    );
    let read: BTreeSet<Vec<u8>> = accepted.iter().map(|socket| stage.reads(*socket).concat()).collect();
    let said: BTreeSet<Vec<u8>> = (0..clients).map(|i| greeting(i).into_bytes()).collect();
    stage.check("what each client says comes out of a socket of its own", |_| {
        read == said && accepted.len() == clients
    });
    apart(stage, &flows);
}

/// What makes two connections of one host different.
fn apart(stage: &mut Stage, flows: &[Flow]) {
    let guess = stage.ask_choice(
        "Imagine two programs on one laptop, connected to port 80 of one server. How does the server's stack know which \
         connection a segment belongs to?",
        &[
            "by the port that it comes from",
            "by the Ethernet address that it comes from",
            "by the order in which segments come",
            "by a name in the data",
        ],
    );
    let run = stage.seen();
    let segments = run.data_segments().filter_map(|segment| segment.packet.packet.summary.flow);
    let rows = segments
        .filter_map(|sent| {
            let socket = flows.iter().position(|flow| *flow == sent.reversed())?;
            Some(vec![sent.local().to_string(), sent.remote().to_string(), format!("socket {}", socket + 2)])
        })
        .collect();
    stage.table(
        &["a segment from", "to", "goes to"],
        rows,
        "The segments that brought the words. Look for what two of one host differ in.",
    );
    let ends: BTreeSet<_> = flows.iter().map(|flow| flow.remote()).collect();
    let different = ends.len() == flows.len();
    stage.reveal(
        guess,
        |_| if different { Answer::Choice(0) } else { Answer::Choice(3) },
        "Each of them was given a free port by its own host when it connected, so the four numbers (address and port of \
         both ends) are never all the same. The stack looks them up in a table like the one above.",
    );
    stage.check("no two connections have the same four numbers", |_| different);
    stage.check("each client's port is one of the dynamic ones, from 49152 on", |_| {
        flows.iter().all(|flow| flow.remote().port() >= 49152)
    });
}

/// The same with UDP, which knows no connections.
fn udp(stage: &mut Stage) {
    let clients = stage.knob(&CLIENTS);
    let guess = stage.ask_number(
        format!(
            "And with UDP? {} a datagram to port {PORT} of UDP. How many sockets does the server's program need?",
            plural(clients, "client sends", "clients send")
        ),
        "sockets",
    );
    stage.scene("datagrams", "The same with UDP");
    let (server, hosts) = cast(stage);
    let listener = stage.listen(server, PORT);
    let receiver = stage.bind(server, PORT);
    for i in 0..clients {
        let socket = stage.bind(hosts[i % 2], 0);
        stage.send_to(socket, server, PORT, greeting(i));
    }
    stage.run();
    let run = stage.seen();
    let reads: Vec<(Flow, String)> = run
        .trace()
        .events
        .iter()
        .filter(|event| event.place == server.id().place())
        .filter_map(|event| match &event.kind {
            Kind::AppRead { flow, bytes } => Some((*flow, String::from_utf8_lossy(bytes).into_owned())),
            _ => None,
        })
        .collect();
    let from: Vec<_> = reads.iter().map(|(flow, _)| flow.remote()).collect();
    let used: BTreeSet<_> = reads.iter().map(|(flow, _)| flow.local()).collect();
    let read = reads.len();
    let rows =
        reads.into_iter().map(|(flow, text)| vec![flow.local().to_string(), flow.remote().to_string(), text]);
    stage.table(
        &["read at", "sent from", "what was read"],
        rows.collect(),
        "What the server's one UDP socket returned, and where it came from.",
    );
    stage.reveal(
        guess,
        |_| used.len(),
        "UDP keeps nothing about its peers: each receive returns the sender's address, and the program itself has to \
         tell its peers apart.",
    );
    let both = stage.flow(listener).local() == stage.flow(receiver).local();
    let (hosts, ports): (BTreeSet<_>, BTreeSet<_>) = from.iter().map(|from| (from.ip(), from.port())).unzip();
    if hosts.len() > 1 && ports.len() < from.len() {
        stage.say(
            "Laptop and phone happened to choose the same port. That does no harm: their addresses differ, and an end \
             is an address and a port together.",
        );
    }
    stage.check("one UDP socket received the datagrams of all clients", |_| read == clients);
    stage.check(
        format!("port {PORT} of TCP and port {PORT} of UDP are two ports: both were free on one host"),
        |_| both,
    );
}

/// A server, and a laptop and a phone beside it.
fn cast(stage: &mut Stage) -> (Host, [Host; 2]) {
    let server = stage.host("server");
    let hosts = [stage.host("laptop"), stage.host("phone")];
    for host in hosts {
        stage.link(host, server);
    }
    stage.introduce();
    (server, hosts)
}

fn greeting(i: usize) -> String {
    format!("I am client {}", i + 1)
}

fn plural(n: usize, one: &str, several: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
}
