//! Words of what goes on inside a TCP connection: recovery, flow control, congestion control, closing.

use super::{Place, Term, pictures};
use crate::base::Layer;
use crate::lessons::Cite;

const TRANSPORT: Place = Place::of(Layer::Transport);

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "retransmission",
        aliases: &["sent again"],
        definition: "TCP keeps what it has sent until it is acknowledged. When an acknowledgment does not come in \
                     time, or other acknowledgments hint that a segment is missing, it sends the bytes again. The \
                     reader waits meanwhile: TCP holds back what came after the gap.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.8.1", what: "retransmission timeout" },
            Cite { document: "RFC 6298", section: "5", what: "the timer" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/sender.rs", "src/layers/transport/tcp/recovery/rtt.rs"],
        lesson: Some("loss"),
        see: &["RTO", "fast retransmit", "loss"],
        picture: Some(pictures::retransmission),
    },
    Term {
        name: "RTO",
        aliases: &["retransmission timeout", "retransmission timer", "Karn's algorithm"],
        definition: "How long a TCP sender waits for an ACK before it sends again: the smoothed round-trip \
                     time plus four times its variation, and at least a second by the RFC (200 ms in Linux). \
                     Each time it runs out it doubles. What was sent twice is no measurement, for its ACK may \
                     answer either: Karn's algorithm.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 6298", section: "2", what: "how it is computed" },
            Cite { document: "RFC 6298", section: "5", what: "the timer and its back-off" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/recovery/rtt.rs", "src/layers/transport/tcp/timers.rs"],
        lesson: Some("loss"),
        see: &["round-trip time", "retransmission"],
        picture: Some(pictures::rto),
    },
    Term {
        name: "fast retransmit",
        aliases: &["duplicate ACK", "fast recovery"],
        definition: "Sending a segment again when three duplicate ACKs in a row say that it is missing, \
                     without waiting for the timer. A receiver acknowledges at once what comes out of order, \
                     with the number that it still waits for. One or two such ACKs may come from segments that \
                     overtook each other.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 5681", section: "3.2", what: "fast retransmit and fast recovery" },
            Cite { document: "RFC 6582", section: "3.2", what: "several losses in one window" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/recovery/fast.rs"],
        lesson: Some("loss"),
        see: &["retransmission", "ACK", "SACK"],
        picture: Some(pictures::fast_retransmit),
    },
    Term {
        name: "SACK",
        aliases: &["selective acknowledgment", "SACK option"],
        definition: "An option by which an ACK lists up to four blocks of bytes that have arrived behind a \
                     gap. The sender infers from it what is missing, and repairs several losses in one round \
                     trip. Both ends must have offered it in their SYN.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 2018", section: "3", what: "the option" },
            Cite { document: "RFC 6675", section: "5", what: "repairing losses with it" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/sack.rs", "src/layers/transport/tcp/recovery/sent.rs"],
        lesson: Some("loss"),
        see: &["ACK", "fast retransmit"],
        picture: Some(pictures::sack),
    },
    Term {
        name: "window",
        aliases: &["receive window", "rcv_wnd"],
        definition: "How many more bytes the receiver has room for, announced in every segment. A sender that has \
                     used it up must wait: a slow program on one side slows the other side down. It is about the \
                     receiver; how much the network can take is the congestion window's subject.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.8.6", what: "managing the window" },
            Cite { document: "RFC 7323", section: "2", what: "windows beyond 65535 bytes" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/receiver.rs", "src/layers/transport/tcp/sender.rs"],
        lesson: Some("flow"),
        see: &["flow control", "zero window", "congestion window"],
        picture: Some(pictures::window),
    },
    Term {
        name: "flow control",
        aliases: &[],
        definition: "The receiver decides how much the sender may send: TCP by the window in every segment. \
                     It protects a slow program from a fast one, end to end. Whether the network in between can \
                     take it, is another question: that of congestion control.",
        place: TRANSPORT,
        cites: &[Cite { document: "RFC 9293", section: "3.8.6", what: "managing the window" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/sender.rs", "src/layers/transport/tcp/receiver.rs"],
        lesson: Some("flow"),
        see: &["window", "congestion control", "back-pressure"],
        picture: Some(pictures::window),
    },
    Term {
        name: "zero window",
        aliases: &["window probe", "window update", "persist timer"],
        definition: "A window of 0: the receiver's buffer is full, and the sender must stop. The ACK that \
                     opens the window again may be lost, so the sender asks from time to time with a probe of \
                     one byte, each time after a longer pause. As long as the probes are answered the connection \
                     lives.",
        place: TRANSPORT,
        cites: &[Cite { document: "RFC 9293", section: "3.8.6.1", what: "zero-window probing" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/departure.rs", "src/layers/transport/tcp/sender.rs"],
        lesson: Some("flow"),
        see: &["window", "flow control"],
        picture: Some(pictures::zero_window),
    },
    Term {
        name: "silly window",
        aliases: &["silly window syndrome", "SWS"],
        definition: "A sender and a receiver that keep each other busy with crumbs: a few bytes are read, a \
                     window of a few bytes is announced, a segment of a few bytes is sent, at forty bytes of \
                     headers each. So a receiver announces more room only in steps worth a segment or half its \
                     buffer, and a sender waits for such a step.",
        place: TRANSPORT,
        cites: &[Cite { document: "RFC 9293", section: "3.8.6.2", what: "how both ends avoid it" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/receiver.rs", "src/layers/transport/tcp/sender.rs"],
        lesson: Some("flow"),
        see: &["window", "Nagle's algorithm"],
        picture: Some(pictures::silly_window),
    },
    Term {
        name: "Nagle's algorithm",
        aliases: &["Nagle", "nodelay", "TCP_NODELAY"],
        definition: "A small segment waits while earlier data is unacknowledged, so that many small writes share one \
                     segment. It saves headers and costs up to a round trip; TCP_NODELAY turns it off.",
        place: TRANSPORT,
        cites: &[Cite { document: "RFC 9293", section: "3.7.4", what: "the Nagle algorithm" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/sender.rs"],
        lesson: Some("segmentation"),
        see: &["segment", "delayed ACK", "silly window"],
        picture: Some(pictures::nagle),
    },
    Term {
        name: "delayed ACK",
        aliases: &["delayed acknowledgment"],
        definition: "A receiver may wait a little before it acknowledges, in the hope that the ACK can ride on data \
                     of its own: at most half a second, and at least every second full segment is acknowledged. \
                     Together with Nagle's algorithm it can make a small write wait for nothing.",
        place: TRANSPORT,
        cites: &[Cite { document: "RFC 9293", section: "3.8.6.3", what: "delayed acknowledgments" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/receiver.rs"],
        lesson: Some("nagle"),
        see: &["ACK", "Nagle's algorithm"],
        picture: Some(pictures::delayed_ack),
    },
    Term {
        name: "congestion control",
        aliases: &["congestion", "congestion collapse", "Reno", "NewReno", "CUBIC"],
        definition: "Each sender judges by its own losses and round trips how much the network can take, \
                     and keeps to it. Nobody on the way tells it (but for marks, where ECN is used). Without it \
                     senders repeat what an overloaded link has dropped, until nothing useful gets through: \
                     congestion collapse.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.8.2", what: "a TCP must do it (MUST-19)" },
            Cite { document: "RFC 5681", section: "3", what: "the algorithms" },
            Cite { document: "RFC 9438", section: "4", what: "CUBIC, the usual one today" },
        ],
        no_rfc: "",
        sources: &[
            "src/layers/transport/tcp/congestion/mod.rs",
            "src/layers/transport/tcp/congestion/newreno.rs",
            "src/layers/transport/tcp/congestion/cubic.rs",
        ],
        lesson: Some("congestion"),
        see: &["congestion window", "AIMD", "flow control"],
        picture: Some(pictures::cwnd),
    },
    Term {
        name: "congestion window",
        aliases: &["cwnd"],
        definition: "How much a TCP sender lets be in flight for the sake of the network, however much the receiver \
                     would take: it grows while acknowledgments come and shrinks on loss. The sender keeps it to \
                     itself: no header carries it. What may be in flight is the smaller of it and the window.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 5681", section: "3.1", what: "slow start and congestion avoidance" },
            Cite { document: "RFC 9293", section: "3.8.2", what: "a TCP must do it (MUST-19)" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/congestion/mod.rs"],
        lesson: Some("congestion"),
        see: &["slow start", "AIMD", "window"],
        picture: Some(pictures::cwnd),
    },
    Term {
        name: "slow start",
        aliases: &["ssthresh", "initial window"],
        definition: "How a sender finds out what the network can take: it begins with ten segments and lets \
                     the congestion window grow by as much as is acknowledged, so that it doubles with each \
                     round trip. It ends at a loss, or at the threshold ssthresh that the last loss has left. \
                     Slow is only the beginning.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 5681", section: "3.1", what: "slow start and congestion avoidance" },
            Cite { document: "RFC 6928", section: "2", what: "the initial window of ten segments" },
        ],
        no_rfc: "",
        sources: &[
            "src/layers/transport/tcp/congestion/newreno.rs",
            "src/layers/transport/tcp/congestion/hystart.rs",
        ],
        lesson: Some("congestion"),
        see: &["congestion window", "AIMD"],
        picture: Some(pictures::slow_start),
    },
    Term {
        name: "AIMD",
        aliases: &["congestion avoidance", "sawtooth"],
        definition: "Additive increase, multiplicative decrease: one segment more each round trip, half of \
                     it at a loss. Drawn over time it is a sawtooth. Flows that share a link and all do so come \
                     to equal shares. CUBIC keeps the idea, grows along a curve, and comes down to seven tenths.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 5681", section: "3.1", what: "congestion avoidance" },
            Cite { document: "RFC 9438", section: "4", what: "CUBIC" },
        ],
        no_rfc: "",
        sources: &[
            "src/layers/transport/tcp/congestion/newreno.rs",
            "src/layers/transport/tcp/congestion/cubic.rs",
        ],
        lesson: Some("congestion"),
        see: &["congestion window", "slow start"],
        picture: Some(pictures::aimd),
    },
    Term {
        name: "square root law",
        aliases: &["1/sqrt(p)", "Mathis formula", "TCP throughput equation"],
        definition: "What one TCP flow gets from a path with random losses, whatever the links could carry: 1.22 \
                     segments a round trip, divided by the root of the loss. Four times the loss is half the rate, and \
                     twice the round trip is half the rate too. It follows from the sawtooth, and counts no timeouts, \
                     so at high losses a flow gets less.",
        place: TRANSPORT,
        cites: &[
            Cite {
                document: "Mathis and others (1997)",
                section: "2",
                what: "The macroscopic behavior of the TCP congestion avoidance algorithm",
            },
            Cite {
                document: "RFC 5681",
                section: "3.1",
                what: "the growth of the window that it follows from",
            },
        ],
        no_rfc: "",
        sources: &["src/sim/race/law.rs"],
        lesson: Some("congestion"),
        see: &["AIMD", "round-trip time", "congestion window"],
        picture: Some(pictures::square_root_law),
    },
    Term {
        name: "bufferbloat",
        aliases: &["standing queue"],
        definition: "A queue that is too long and always full: every packet waits in it, so the round-trip \
                     time grows to many times that of the path, and nothing goes faster for it. A sender that \
                     judges by losses fills any queue. Queues that drop or mark early keep it short.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 8289", section: "1", what: "the problem, and CoDel" },
            Cite { document: "RFC 7567", section: "2", what: "why queues should be managed" },
        ],
        no_rfc: "",
        sources: &["src/sim/link.rs"],
        lesson: Some("congestion"),
        see: &["round-trip time", "congestion window", "queue"],
        picture: Some(pictures::bufferbloat),
    },
    Term {
        name: "FIN",
        aliases: &["closing"],
        definition: "A flag of TCP: \"I will send no more.\" It takes a number in the stream, as a byte does, so it is \
                     acknowledged and sent again if need be. Each direction of a connection closes by a FIN of its \
                     own. (WebSocket has a FIN too: it marks the last frame of a message.)",
        place: TRANSPORT,
        cites: &[Cite { document: "RFC 9293", section: "3.6", what: "closing a connection" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/connection.rs", "src/layers/transport/tcp/timers.rs"],
        lesson: Some("closing"),
        see: &["half-close", "TIME-WAIT", "RST"],
        picture: Some(pictures::closing),
    },
    Term {
        name: "half-close",
        aliases: &["half-closed", "shutdown"],
        definition: "One direction of a connection is closed and the other goes on: a client says FIN when \
                     its question is complete, and still reads the answer. Programs do it with `shutdown`. It is \
                     also how the reader learns where the stream ends.",
        place: TRANSPORT,
        cites: &[Cite { document: "RFC 9293", section: "3.6.1", what: "half-closed connections" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/commands.rs", "src/layers/transport/tcp/state.rs"],
        lesson: Some("closing"),
        see: &["FIN", "TIME-WAIT"],
        picture: Some(pictures::half_close),
    },
    Term {
        name: "TIME-WAIT",
        aliases: &["2 MSL"],
        definition: "What remains for a while of a connection, at the end that closed first: its last ACK \
                     may be lost, and then a FIN comes again that must be answered; and old segments that are \
                     still under way must not get into a new connection with the same addresses and ports. It \
                     lasts two maximum segment lifetimes, a minute in Linux.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.6.1", what: "how long, and what may end it sooner" },
            Cite { document: "RFC 9293", section: "3.4.2", what: "the maximum segment lifetime" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/timers.rs", "src/layers/transport/tcp/state.rs"],
        lesson: Some("closing"),
        see: &["FIN", "connection"],
        picture: Some(pictures::closing),
    },
    Term {
        name: "RST",
        aliases: &["reset", "connection reset", "connection refused"],
        definition: "A TCP segment that ends a connection at once: \"there is nothing here\". A stack sends it for a \
                     port without a listener, and for a connection that it does not know; a program sends it when it \
                     aborts. What was not read is lost.",
        place: TRANSPORT,
        cites: &[
            Cite { document: "RFC 9293", section: "3.5.2", what: "when a reset is sent" },
            Cite { document: "RFC 9293", section: "3.5.3", what: "when one is believed" },
        ],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/arrival.rs", "src/layers/transport/tcp/listener.rs"],
        lesson: Some("closing"),
        see: &["FIN", "connection", "port"],
        picture: Some(pictures::refused),
    },
];
