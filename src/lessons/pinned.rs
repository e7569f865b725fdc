//! TCP as the lessons about its inside pin it: every switch is said here, so that a lesson shows the same when a
//! default changes. A lesson turns what it is about.

use super::stage::{Host, Socket, Stage};
use crate::base::Duration;
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp::Config;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::sim::LinkConfig;
use crate::view::plot;

/// Bytes in a full segment: with a round number the sequence numbers are easy to read.
pub(super) const MSS: usize = 1000;

/// The port of every server.
pub(super) const PORT: u16 = 80;

/// The simplest TCP: no congestion control, no selective acknowledgment, no timestamps, every ACK at once.
pub(super) fn tcp(stage: &Stage) -> Config {
    Config {
        mss: MSS as u16,
        send_buffer: 65_535,
        recv_buffer: 65_535,
        window_scale: true,
        sack: false,
        rack: false,
        timestamps: false,
        nodelay: false,
        delayed_ack: None,
        min_rto: Duration::from_secs(1),
        ecn: false,
        congestion: Algorithm::NONE,
        ..stage.network_knobs().tcp
    }
}

/// A client and a server with this TCP at both ends, on a link as the knobs describe it.
pub(super) fn hosts(stage: &mut Stage, tcp: &Config) -> (Host, Host) {
    hosts_with(stage, tcp, tcp)
}

/// The same with a TCP of its own at each end.
pub(super) fn hosts_with(stage: &mut Stage, client: &Config, server: &Config) -> (Host, Host) {
    let (client, server) = cast(stage, client, server);
    stage.link(client, server);
    stage.introduce();
    (client, server)
}

/// The same on a link of its own kind, on which nothing is lost by chance.
pub(super) fn hosts_on(
    stage: &mut Stage,
    client: &Config,
    server: &Config,
    link: LinkConfig,
) -> (Host, Host) {
    let (client, server) = cast(stage, client, server);
    stage.link_with(client, server, link);
    stage.introduce();
    (client, server)
}

fn cast(stage: &mut Stage, client: &Config, server: &Config) -> (Host, Host) {
    let stack = |tcp: &Config| StackConfig { tcp: tcp.clone(), ..StackConfig::default() };
    (stage.host_with("client", &stack(client)), stage.host_with("server", &stack(server)))
}

/// A connection from the client to the server, once both ends know of it.
pub(super) fn connect(stage: &mut Stage, client: Host, server: Host) -> Socket {
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    let half = stage.network_knobs().link.delay;
    stage.run_for(half + Duration::from_millis(5));
    socket
}

/// Shows a plot of the run so far.
pub(super) fn plot(stage: &mut Stage, kind: plot::Kind, caption: impl Into<String>) {
    let plot = kind.of(stage.seen().trace().whole().untitled());
    stage.plot(plot, caption);
}

/// The data that was sent again: the number of its first byte, counted from 1, and when, in milliseconds.
pub(super) fn sent_again(stage: &Stage) -> Vec<(u64, f64)> {
    let run = stage.seen();
    let again = run.data_segments().filter(|segment| segment.tcp.retransmission);
    again.map(|segment| (segment.tcp.seq, segment.packet.at.as_millis_f64())).collect()
}

/// Bytes whose letters say which segment they belong to.
pub(super) fn lettered(segments: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(segments).flat_map(|letter| [letter; MSS]).collect()
}
