//! Words of OSI's upper layers, of the application layer, and of the event system.

use super::{Place, Term, pictures};
use crate::base::Layer;
use crate::lessons::Cite;

const APPLICATION: Place = Place::of(Layer::Application);
/// Socket.IO's words, which live inside the program.
const PROGRAM: Place = Place::new(Some(Layer::Application), "7, application", "application");

const SOCKET_IO: &[Cite] = &[Cite {
    document: "Socket.IO protocol, revision 5",
    section: "",
    what: "packets, namespaces, acknowledgements",
}];
const OF_SOCKET_IO: &str = "Socket.IO is documented by its own project";

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "session layer",
        aliases: &["layer 5", "L5"],
        definition: "OSI's layer for a dialogue that may be interrupted and resumed. TCP/IP has no such layer: a \
                     program that needs one does the work itself, as Socket.IO does when it reconnects.",
        place: Place::new(Some(Layer::Application), "5, session", "none of its own: part of application"),
        cites: &[Cite { document: "ISO/IEC 7498-1", section: "7.3", what: "the session layer" }],
        no_rfc: "TCP/IP has no such layer (RFC 1122 §1.1.3)",
        sources: &["src/base/layer.rs"],
        lesson: Some("layers"),
        see: &["OSI model", "TCP/IP model"],
        picture: Some(pictures::models),
    },
    Term {
        name: "presentation layer",
        aliases: &["layer 6", "L6"],
        definition: "OSI's layer for the representation of data: character codes, formats, compression. TCP/IP has \
                     no such layer: each protocol or program defines it for itself, as WebSocket does when it says \
                     that text is UTF-8.",
        place: Place::new(
            Some(Layer::Application),
            "6, presentation",
            "none of its own: part of application",
        ),
        cites: &[Cite { document: "ISO/IEC 7498-1", section: "7.2", what: "the presentation layer" }],
        no_rfc: "TCP/IP has no such layer (RFC 1122 §1.1.3)",
        sources: &["src/base/layer.rs"],
        lesson: Some("layers"),
        see: &["OSI model", "TCP/IP model"],
        picture: Some(pictures::models),
    },
    Term {
        name: "application layer",
        aliases: &["layer 7", "L7"],
        definition: "What programs say to each other: HTTP, WebSocket, DNS and all the others. Only here do the \
                     bytes mean something; the layers below carry them.",
        place: Place::new(Some(Layer::Application), "7, application", "application"),
        cites: &[
            Cite { document: "RFC 1122", section: "1.1.3", what: "the application layer" },
            Cite { document: "ISO/IEC 7498-1", section: "7.1", what: "the application layer" },
        ],
        no_rfc: "",
        sources: &["src/layers/application/mod.rs"],
        lesson: Some("layers"),
        see: &["message", "HTTP", "WebSocket"],
        picture: Some(pictures::layers),
    },
    Term {
        name: "message",
        aliases: &["application message"],
        definition: "A complete unit of what a program has to say. The layers below may split it or join several: \
                     UDP and WebSocket keep its boundaries, TCP does not.",
        place: APPLICATION,
        cites: &[
            Cite { document: "RFC 6455", section: "1.2", what: "messages made of frames" },
            Cite { document: "RFC 9293", section: "3.9.1.2", what: "TCP's SEND: no boundaries are kept" },
        ],
        no_rfc: "",
        sources: &["src/layers/application/websocket/message.rs"],
        lesson: Some("stream"),
        see: &["frame", "packet", "segment", "datagram"],
        picture: Some(pictures::message),
    },
    Term {
        name: "delimiter",
        aliases: &["terminator", "escaping", "escape"],
        definition: "A byte, or a few, that end a message in a stream, such as a newline. One that belongs to a message \
                     must be written otherwise: that is escaping. A reader looks at every byte, and after an error it can \
                     go on at the next delimiter.",
        place: APPLICATION,
        cites: &[
            Cite { document: "RFC 1055", section: "PROTOCOL", what: "END, and an escape for it" },
            Cite { document: "RFC 9112", section: "2.2", what: "the lines of HTTP" },
        ],
        no_rfc: "",
        sources: &["src/layers/application/framing.rs"],
        lesson: Some("framing"),
        see: &["length prefix", "message", "TCP"],
        picture: Some(pictures::delimiter),
    },
    Term {
        name: "length prefix",
        aliases: &["framing", "length field", "length-prefixed"],
        definition: "The number of bytes of a message, in front of it. The message may hold any bytes, and the reader only \
                     counts. The number is a claim: a reader refuses one that is larger than it is ready to keep, and after \
                     a wrong one it cannot find the next message.",
        place: APPLICATION,
        cites: &[Cite { document: "RFC 6455", section: "5.2", what: "the length in WebSocket's frame" }],
        no_rfc: "",
        sources: &["src/layers/application/framing.rs"],
        lesson: Some("framing"),
        see: &["delimiter", "message", "WebSocket"],
        picture: Some(pictures::length_prefix),
    },
    Term {
        name: "HTTP",
        aliases: &["hypertext transfer protocol", "HTTP upgrade", "upgrade"],
        definition: "Requests and responses: the client asks, the server answers, each time. HTTP/1.1, used here, \
                     writes them as text over a TCP connection. A client may ask to switch to another protocol; that \
                     is how WebSocket begins.",
        place: APPLICATION,
        cites: &[
            Cite { document: "RFC 9110", section: "3", what: "what HTTP is about" },
            Cite { document: "RFC 9110", section: "7.8", what: "Upgrade" },
            Cite { document: "RFC 9112", section: "2", what: "how version 1.1 is written" },
        ],
        no_rfc: "",
        sources: &["src/layers/application/http/mod.rs"],
        lesson: Some("upgrade"),
        see: &["WebSocket", "Socket.IO"],
        picture: Some(pictures::http),
    },
    Term {
        name: "WebSocket",
        aliases: &["ws"],
        definition: "Messages in both directions over one TCP connection: either end may speak at any time. It \
                     begins as an HTTP request, so that it passes where HTTP passes; after the answer 101 there is \
                     no more HTTP. It is a different pattern from HTTP, not a better one: it gives up caching and \
                     statelessness. It is not a socket of the operating system.",
        place: APPLICATION,
        cites: &[
            Cite { document: "RFC 6455", section: "1.2", what: "overview" },
            Cite { document: "RFC 6455", section: "4", what: "the opening handshake" },
            Cite { document: "RFC 6455", section: "5.2", what: "the frame" },
        ],
        no_rfc: "",
        sources: &[
            "src/layers/application/websocket/mod.rs",
            "src/layers/application/websocket/connection.rs",
        ],
        lesson: Some("frames"),
        see: &["socket", "HTTP", "Socket.IO", "mask", "control frame"],
        picture: Some(pictures::websocket),
    },
    Term {
        name: "control frame",
        aliases: &["WebSocket ping", "pong", "close frame", "heartbeat"],
        definition: "A WebSocket frame about the connection itself: Ping asks for a sign of life, Pong gives it, \
                     Close ends the connection with a code. It is short and in one piece, so that it can come between \
                     the fragments of a message. The WebSocket code answers a ping; the program need not.",
        place: APPLICATION,
        cites: &[
            Cite { document: "RFC 6455", section: "5.5", what: "control frames" },
            Cite { document: "RFC 6455", section: "7.4", what: "close codes" },
        ],
        no_rfc: "",
        sources: &[
            "src/layers/application/websocket/connection.rs",
            "src/layers/application/websocket/close.rs",
        ],
        lesson: Some("control"),
        see: &["WebSocket", "frame", "message"],
        picture: Some(pictures::control),
    },
    Term {
        name: "mask",
        aliases: &["masking", "masking key"],
        definition: "Four random bytes in each WebSocket frame from a client, with which its payload is combined \
                     by XOR. They travel in the same frame, so it is not encryption: it keeps a script in a browser \
                     from choosing the bytes on the wire, which could mislead an old proxy.",
        place: APPLICATION,
        cites: &[
            Cite { document: "RFC 6455", section: "5.3", what: "client-to-server masking" },
            Cite { document: "RFC 6455", section: "10.3", what: "what it protects against" },
        ],
        no_rfc: "",
        sources: &["src/layers/application/websocket/mask.rs"],
        lesson: Some("frames"),
        see: &["WebSocket"],
        picture: Some(pictures::masked),
    },
    Term {
        name: "Socket.IO",
        aliases: &["Engine.IO"],
        definition: "A library and a protocol for events between browsers and servers. It begins with HTTP \
                     requests, and upgrades to WebSocket where it can; on top it adds event names, \
                     acknowledgements, rooms and namespaces, and reconnecting. A plain WebSocket client cannot \
                     talk to it: its messages have an envelope of their own.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: OF_SOCKET_IO,
        sources: &["src/layers/application/socketio/packet.rs"],
        lesson: Some("socketio"),
        see: &["WebSocket", "HTTP", "event", "namespace"],
        picture: Some(pictures::socket_io),
    },
    Term {
        name: "event",
        aliases: &["emit", "message with a name"],
        definition: "A message with a name, such as \"chat message\", and data. It calls every listener for that \
                     name with the data; if there is none, nothing happens, and there is no error either.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: OF_SOCKET_IO,
        sources: &["src/chat/pool.rs"],
        lesson: Some("events"),
        see: &["listener", "room", "Socket.IO"],
        picture: Some(pictures::event),
    },
    Term {
        name: "listener",
        aliases: &["event listener", "event handler"],
        definition: "A function that a program registers for an event's name: it is called each time such an event \
                     arrives. (A server that listens at a port is something else.)",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: "it is a pattern of programs, which no protocol sees",
        sources: &["src/chat/pool.rs"],
        lesson: Some("events"),
        see: &["event", "server"],
        picture: Some(pictures::listener),
    },
    Term {
        name: "event pool",
        aliases: &["event emitter", "event bus"],
        definition: "The list of a program's listeners by the names of events: `on` adds one, `off` removes it, \
                     `emit` calls all listeners of a name in the order in which they were added. That is the whole \
                     event system, before there is a network.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: "it is a pattern of programs, which no protocol sees",
        sources: &["src/chat/pool.rs"],
        lesson: Some("events"),
        see: &["listener", "event", "queue"],
        picture: Some(pictures::event_pool),
    },
    Term {
        name: "room",
        aliases: &["rooms"],
        definition: "A name for a group of connections on the server: what is sent to the room goes to each of \
                     them. Clients do not see rooms: only the server adds or removes members.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: "rooms live in the server's memory; they never appear on the wire",
        sources: &["src/chat/hub/rooms.rs"],
        lesson: Some("events"),
        see: &["namespace", "event"],
        picture: Some(pictures::room),
    },
    Term {
        name: "namespace",
        aliases: &["namespaces"],
        definition: "A separate channel within one connection, such as /admin: the client joins it by name, and \
                     events of one namespace are not heard in another. Unlike a room it is part of the protocol, and \
                     the client asks for it.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: OF_SOCKET_IO,
        sources: &["src/chat/hub/namespace.rs"],
        lesson: Some("socketio"),
        see: &["room", "event", "Socket.IO"],
        picture: Some(pictures::namespace),
    },
    Term {
        name: "polling",
        aliases: &["long-polling", "HTTP polling"],
        definition: "Asking again and again whether there is news. With long-polling the server holds each question \
                     until it has an answer, so that news arrives at once; the price is an HTTP request for each \
                     piece of it.",
        place: APPLICATION,
        cites: &[Cite { document: "RFC 6202", section: "2", what: "long-polling" }],
        no_rfc: "",
        sources: &["src/layers/application/engineio/poller/mod.rs"],
        lesson: Some("polling"),
        see: &["HTTP", "server-sent events", "Socket.IO"],
        picture: Some(pictures::polling),
    },
    Term {
        name: "server-sent events",
        aliases: &["SSE", "EventSource", "HTTP streaming"],
        definition: "An HTTP response that does not end: the server writes one event after the other into it. It is \
                     simpler than WebSocket where only the server has news, and browsers reconnect on their own. Not \
                     built here: Socket.IO does not use it.",
        place: APPLICATION,
        cites: &[Cite { document: "HTML Standard", section: "9.2", what: "server-sent events" }],
        no_rfc: "the WHATWG's HTML Standard defines it",
        sources: &[],
        lesson: None,
        see: &["HTTP", "polling", "WebSocket"],
        picture: None,
    },
    Term {
        name: "proxy",
        aliases: &["reverse proxy", "load balancer", "middlebox"],
        definition: "A program between client and server that passes on what each says, often to choose one of \
                     several servers. To each side it is the other end. One that does not know WebSocket may drop \
                     the request for it.",
        place: APPLICATION,
        cites: &[
            Cite { document: "RFC 9110", section: "3.7", what: "intermediaries" },
            Cite { document: "RFC 6455", section: "4.1", what: "a WebSocket through a proxy" },
        ],
        no_rfc: "",
        sources: &["src/lessons/polling.rs"],
        lesson: Some("polling"),
        see: &["HTTP", "client", "server"],
        picture: Some(pictures::middlebox),
    },
    Term {
        name: "publish/subscribe",
        aliases: &["pub/sub", "topic", "subscription", "fan-out"],
        definition: "A sender publishes to a name, and every subscriber of that name gets a copy; sender and \
                     receivers do not know each other. Rooms work this way. A work queue is different: there each \
                     message goes to one receiver only.",
        place: PROGRAM,
        cites: &[Cite { document: "MQTT 5.0", section: "1.2", what: "topics and subscriptions" }],
        no_rfc: "it is a pattern of programs; several protocols have it",
        sources: &["src/chat/hub/rooms.rs"],
        lesson: Some("events"),
        see: &["room", "queue", "event"],
        picture: Some(pictures::room),
    },
    Term {
        name: "back-pressure",
        aliases: &["slow consumer"],
        definition: "A receiver that cannot keep up makes the sender slow down, instead of letting a queue grow \
                     without end. TCP's window does it between two hosts; a program must pass it on, or decide what \
                     to drop.",
        place: Place::new(None, "4 and above", "transport and above"),
        cites: &[Cite { document: "RFC 9293", section: "3.8.6", what: "the window: back-pressure of TCP" }],
        no_rfc: "",
        sources: &["src/layers/transport/tcp/receiver.rs", "src/chat/hub/emit.rs"],
        lesson: Some("flow"),
        see: &["window", "queue"],
        picture: Some(pictures::window),
    },
    Term {
        name: "offset",
        aliases: &["event offset", "log position"],
        definition: "The place of an event in the server's log. A client that returns says the offset of the last \
                     event it has, and gets what follows. To the client it is an opaque word; only the log knows \
                     how it counts.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: OF_SOCKET_IO,
        sources: &["src/chat/offset.rs", "src/chat/log/mod.rs"],
        lesson: Some("events"),
        see: &["missed event", "queue"],
        picture: Some(pictures::missed_event),
    },
    Term {
        name: "acknowledgement of an event",
        aliases: &["event acknowledgement", "Socket.IO acknowledgement"],
        definition: "An answer that the other program sends on purpose, with the number of the event it answers. \
                     TCP's ACK says that bytes arrived in a stack; this says that a program dealt with them.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: OF_SOCKET_IO,
        sources: &["src/chat/hub/ask.rs"],
        lesson: Some("events"),
        see: &["ACK", "event", "missed event"],
        picture: Some(pictures::acknowledgement),
    },
    Term {
        name: "missed event",
        aliases: &["missed events", "lost event"],
        definition: "An event that was sent while a client was not connected. TCP cannot repair that: a new \
                     connection knows nothing of the old one. The server must keep events and send them again, and \
                     the client must know which it has seen.",
        place: PROGRAM,
        cites: SOCKET_IO,
        no_rfc: "it is a task of the program",
        sources: &["src/chat/log/mod.rs", "src/chat/hub/recovery.rs"],
        lesson: Some("events"),
        see: &["queue", "acknowledgement of an event"],
        picture: Some(pictures::missed_event),
    },
    Term {
        name: "queue",
        aliases: &["event queue", "buffer"],
        definition: "Items that wait for their turn, in order. Every queue has a bound: when it is full, the producer \
                     must wait or something must be dropped, and a good program says which. A queue alone does not \
                     give \"exactly once\": after a crash, something is sent again or lost.",
        place: Place::new(
            Some(Layer::Application),
            "in every layer; events in 7",
            "in every layer; events in application",
        ),
        cites: &[Cite {
            document: "RFC 7567",
            section: "1",
            what: "queues in the network, and what full ones do",
        }],
        no_rfc: "",
        sources: &["src/chat/log/mod.rs", "src/sim/link.rs", "src/layers/transport/tcp/send_buffer.rs"],
        lesson: Some("events"),
        see: &["missed event", "window", "loss"],
        picture: Some(pictures::queue),
    },
];
