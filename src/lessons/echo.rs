//! What the two lessons about Socket.IO share: a server that echoes events, and a table of what was said.
//!
//! All hosts set TCP_NODELAY, as the libraries do: Nagle's algorithm would make small messages wait otherwise.

use super::overheard::{Said, overheard};
use super::stage::{EventServer, Heartbeat, Host, Stage};
use crate::base::Duration;
use crate::chat::hub::Random;
use crate::chat::{Config, Hub, MemoryLog, Retention};
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp;

/// The port of HTTP, by which Wireshark knows what it reads.
pub(super) const PORT: u16 = 80;
/// How long a client may take to be let in.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// What was said in the scene so far, one line each.
pub(super) fn said_table(stage: &mut Stage, caption: &str) {
    const MOST: usize = 24;
    let run = stage.seen();
    let said = overheard(run.trace());
    let row = |said: &Said| {
        let text = said.text();
        let text = match text.char_indices().nth(40) {
            Some((at, _)) => format!("{}...", &text[..at]),
            None => text,
        };
        vec![
            format!("{:.1}", said.at.as_millis_f64()),
            run.trace().name(said.by).to_owned(),
            said.way(),
            text,
        ]
    };
    let mut rows: Vec<Vec<String>> = said.iter().take(MOST).map(row).collect();
    if said.len() > MOST {
        rows.push(vec![String::new(), String::new(), format!("{} more", said.len() - MOST), String::new()]);
    }
    stage.table(&["ms", "who", "how", "body"], rows, caption);
}

/// A client's host, and a server that echoes.
pub(super) fn hosts(stage: &mut Stage) -> (Host, EventServer) {
    let usual = stage.network_knobs().stack();
    let config = StackConfig { tcp: tcp::Config { nodelay: true, ..usual.tcp }, ..usual };
    let (client, server) = (stage.host_with("client", &config), stage.host_with("server", &config));
    stage.link(client, server);
    stage.introduce();
    let server = stage.event_server(server, PORT, Heartbeat::default(), echo_hub);
    (client, server)
}

/// A hub whose program echoes every "echo", and answers with the same when an answer is asked for. It has a second
/// namespace, `/admin`, where it does so, too.
pub(super) fn echo_hub(random: Random) -> Hub {
    let log = Box::new(MemoryLog::new(Retention::default()));
    let mut hub = Hub::new(Config { recovery: None, ..Config::default() }, random, log);
    for namespace in ["/", "/admin"] {
        hub.of(namespace).on("echo", |cx, args, ack| {
            cx.emit("echo", args.to_vec());
            ack.send(cx, args.to_vec());
        });
    }
    hub
}

/// Long enough for what is in flight to arrive, and for its acknowledgement to return.
pub(super) fn settle(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 4 + Duration::from_millis(50));
}
