//! Lesson 21: the receivers of an event, what happens to one whose receiver is away, and what each promise costs.
//!
//! | part | file |
//! |---|---|
//! | the knobs, the cast, the hub | `cast` |
//! | rooms, namespaces, what an emit sets going | `routing` |
//! | a client that was away, a server that crashed | `missed` |
//! | at most once, at least once, exactly once in effect | `modes` |
//!
//! All clients are on WebSocket, and all hosts set TCP_NODELAY, as the libraries do. Left out: several servers that
//! share one log, and history by pages.

mod cast;
mod missed;
mod modes;
mod routing;

use self::cast::{BOB, CRASH, OUTAGE};
use super::knob::{DELAY, SEED};
use super::stage::Stage;
use super::{Cite, Lesson, Teacher};
use crate::base::Layer;

pub(super) const LESSON: Lesson = Lesson {
    id: "events",
    title: "events, rooms, namespaces, missed events",
    layer: Layer::Application,
    minutes: 45,
    misconception: "rooms are namespaces; a queue is exactly-once",
    words: &[
        ("room", "a list of clients that get the same events"),
        ("listener", "a function that is called for each event of a name"),
        ("missed event", "one that was sent while its client was away"),
        ("offset", "the number of an event in the log"),
        ("queue", "what waits, in the order in which it came"),
    ],
    cites: &[
        Cite {
            document: "Socket.IO protocol, revision 5",
            section: "Packet types",
            what: "events, answers, namespaces",
        },
        Cite {
            document: "Socket.IO documentation",
            section: "Rooms",
            what: "who gets what the server emits",
        },
        Cite {
            document: "Socket.IO documentation",
            section: "Delivery guarantees",
            what: "at most once, and how to get more",
        },
        Cite { document: "RFC 9293", section: "3.9.1", what: "what TCP tells a program when it gives up" },
    ],
    knobs: &[&BOB, &OUTAGE, &CRASH, &DELAY, &SEED],
    teacher: Teacher {
        vote: "Bob's connection breaks. Ada says three things, then Bob is back on a new connection. TCP guarantees \
               delivery. How many of the three does Bob get?",
        choices: &["none", "the last one", "all three", "it depends on luck"],
        surprise: "TCP's promise is for one connection, while it lives. A new connection knows nothing of the old \
                   one, so the program must keep what was said. And nothing is delivered exactly once: that is the \
                   effect of keeping, repeating, and remembering what was already received.",
    },
    script,
};

fn script(stage: &mut Stage) {
    routing::who_receives(stage);
    routing::an_emit(stage);
    routing::namespaces(stage);
    missed::without_and_with(stage);
    missed::crash(stage);
    modes::side_by_side(stage);
    stage.say(
        "There is no `--wire real` for this lesson: a kernel will not pull a cable for a program, at the same moment each \
         time and for exactly so long. The same hub and log run on real sockets in `examples/event_server.rs`, and its \
         tests do kill it.",
    );
    stage.instead(LESSON.misconception,
        "a room is a list that the server keeps, and no client sees it; a namespace is part of the protocol, and a \
         client asks to be let in. And a queue alone promises nothing: an event takes effect once because it is kept, \
         sent again until it is acknowledged, and recognized by its number at the receiver. Nothing delivers exactly \
         once: a program that does something in the world, such as printing, and crashes before it has noted that, does \
         it again or not at all.",
    );
    stage.try_next("netlayers lesson events --bob none", "Predict Bob's column in the routing table.");
    stage.try_next("netlayers lesson events --crash memory", "What is lost when the log was in memory?");
    stage.try_next("netlayers lesson events --outage 30s", "Which of the three promises takes longer now?");
    stage.try_next("netlayers check dedupe", "Make: drop duplicates by their number.");
    stage.try_next("netlayers lesson chat", "The whole chat on it.");
}
