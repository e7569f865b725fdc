//! The receivers of an event: rooms, namespaces, and what an emit causes.

use super::cast::{BEAT, BOB, LIMIT, PORT, cast, enter, hub, name_of, settle};
use crate::base::Instant;
use crate::chat::client::Event as Received;
use crate::chat::hub::{Context, Refusal};
use crate::chat::{Emitted, MemoryLog, Retention};
use crate::layers::application::socketio::Value;
use crate::lessons::beat::Answer;
use crate::lessons::picture::View;
use crate::lessons::stage::{EventClient, Stage};
use crate::sim::apps::event_client::Transport;
use crate::trace::Kind as Event;

const NAMES: [&str; 4] = ["ada", "bob", "cyd", "dan"];

/// What a program says to address an event.
type Address = fn(&mut Context<'_>);

/// The ways to do it.
const ROUTES: [(&str, Address); 7] = [
    ("to Cyd alone", |cx| {
        let cyd = cx.member_data("all").into_iter().find(|(_, data)| data.as_str() == Some("cyd"));
        if let Some((id, _)) = cyd {
            cx.io().to(&id).emit("news", vec![]);
        }
    }),
    ("to room red", |cx| uncounted(cx.io().to("red").emit("news", vec![]))),
    ("to rooms red and blue", |cx| uncounted(cx.io().to("red").to("blue").emit("news", vec![]))),
    ("to all", |cx| uncounted(cx.io().emit("news", vec![]))),
    ("to all but the sender", |cx| uncounted(cx.broadcast().emit("news", vec![]))),
    ("to red but the sender", |cx| uncounted(cx.to("red").emit("news", vec![]))),
    ("to all except room blue", |cx| uncounted(cx.io().except("blue").emit("news", vec![]))),
];

/// Drops the count of receivers: the clients will show it.
fn uncounted(_: Emitted) {}

/// Rooms, and the receivers of what is sent to them.
pub(super) fn who_receives(stage: &mut Stage) {
    let bob = stage.knob(&BOB);
    let rooms_of = |name: &str| -> &'static [&'static str] {
        match name {
            "ada" => &["red"],
            "bob" => bob,
            "cyd" => &["blue"],
            _ => &[],
        }
    };
    stage.say(
        "Four clients are connected. The server has put some of them into rooms, which are lists in its memory: no \
         client sees them. Ada emits an event; the server's listener for it emits another one, to some of them.",
    );
    let members = |room: &str| {
        let names: Vec<&str> = NAMES.into_iter().filter(|name| rooms_of(name).contains(&room)).collect();
        names.join(", ")
    };
    stage.table(
        &["room", "who is in it"],
        vec![
            vec!["red".into(), members("red")],
            vec!["blue".into(), members("blue")],
            vec![
                "(none)".into(),
                NAMES.into_iter().filter(|name| rooms_of(name).is_empty()).collect::<Vec<_>>().join(", "),
            ],
        ],
        "Each client is also in a room named by its own id: that is how the server addresses one client alone.",
    );
    let copies = stage.ask_number(
        "The server emits to the rooms red and blue. How many times does Bob get the event?",
        "times",
    );
    let others =
        stage.ask_number("The server emits to all but the sender, Ada. How many clients hear it?", "clients");
    let except = stage.ask_number("It emits to all except room blue. How many clients hear it?", "clients");
    stage.scene("routing", "One event, addressed in seven ways");
    let (host, hosts) = cast(stage, NAMES);
    let server = stage.event_server(host, PORT, BEAT, |random| {
        let mut hub = hub(random, Box::new(MemoryLog::new(Retention::default())), false);
        hub.of("/")
            .on_connection(|cx, hello| {
                cx.set_data(name_of(&hello.auth).into());
                let _ = cx.join("all");
            })
            .on("enter", |cx, args, _| {
                for room in args.iter().filter_map(Value::as_str) {
                    let _ = cx.join(room);
                }
            })
            .on("ask", |cx, args, _| {
                let route = args.first().and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
                if let Some((_, say)) = route.and_then(|route| ROUTES.get(route)) {
                    say(cx);
                }
            });
        hub
    });
    let clients: Vec<EventClient> =
        NAMES.iter().zip(hosts).map(|(name, host)| enter(stage, host, server, name)).collect();
    for (name, client) in NAMES.iter().zip(&clients) {
        let rooms = rooms_of(name).iter().map(|room| Value::from(*room)).collect();
        stage.emit(*client, "enter", rooms);
    }
    settle(stage);
    let mut heard: Vec<Vec<usize>> = Vec::new();
    for route in 0..ROUTES.len() {
        let before: Vec<usize> = clients.iter().map(|client| stage.heard(*client).len()).collect();
        stage.emit(clients[0], "ask", vec![(route as u64).into()]);
        settle(stage);
        let now = clients.iter().zip(&before).map(|(client, before)| stage.heard(*client).len() - before);
        heard.push(now.collect());
    }
    let rows = ROUTES.iter().zip(&heard).map(|((name, _), copies)| {
        let cells = copies.iter().map(|copies| if *copies == 0 { "-".into() } else { copies.to_string() });
        let total = copies.iter().filter(|copies| **copies > 0).count().to_string();
        std::iter::once((*name).to_owned()).chain(cells).chain([total]).collect::<Vec<String>>()
    });
    let rows = rows.collect();
    stage.table(
        &["the server emits", "ada", "bob", "cyd", "dan", "hear it"],
        rows,
        "The routing table, filled in by what each client heard: copies of the event.",
    );
    let hear = |route: usize| heard[route].iter().filter(|copies| **copies > 0).count();
    let of_bob = stage.fact("copies_of_bob", heard[2][1]);
    stage.reveal(
        copies,
        |_| of_bob,
        match bob.len() {
            2 => {
                "One: a client in several of the rooms gets it once. The server takes the union of the lists."
            }
            0 => "None: he is in neither.",
            _ => "One: he is in one of the two.",
        },
    );
    let all_but_one = stage.fact("hear_broadcast", hear(4));
    stage.reveal(others, |_| all_but_one, "All who are connected, less the one the event came from.");
    let not_blue = hear(6);
    stage.reveal(except, |_| not_blue, "Everyone who is not in blue, whether in another room or in none.");
    stage.check("no client gets two copies of one event", |_| {
        heard.iter().flatten().all(|copies| *copies <= 1)
    });
    stage.check("the sender hears what is for all, and not what is for all but the sender", |_| {
        heard[3][0] == 1 && heard[4][0] == 0 && heard[5][0] == 0
    });
    stage.check("Dan, who is in no room, hears what is for all and nothing that is for a room", |_| {
        heard[3][3] == 1 && heard[1][3] == 0 && heard[2][3] == 0
    });
}

/// What an emit sets going.
pub(super) fn an_emit(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "Ada emits \"sya\": a typo, and the server has no listener for that name. What comes back to her?",
        &["an error", "nothing", "the event itself", "the end of the connection"],
    );
    stage.scene("emit", "Ada emits, and Bob hears");
    let (host, [ada, bob]) = cast(stage, ["ada", "bob"]);
    let server = stage.event_server(host, PORT, BEAT, |random| {
        let mut hub = hub(random, Box::new(MemoryLog::new(Retention::default())), false);
        hub.of("/").on("say", |cx, args, ack| {
            cx.broadcast().emit("said", args.to_vec());
            ack.send(cx, vec!["taken".into()]);
        });
        hub
    });
    let (ada, bob) = (enter(stage, ada, server, "ada"), enter(stage, bob, server, "bob"));
    settle(stage);
    let before = stage.received(ada).len();
    let typo = stage.now();
    stage.emit_in(ada, "/", "sya", vec!["hello".into()], Some(1));
    settle(stage);
    let after_typo = stage.received(ada).len() - before;
    let from = stage.now();
    stage.emit_in(ada, "/", "say", vec!["hello".into()], Some(2));
    settle(stage);
    stage.show(
        View::LadderSince(typo),
        "The typo goes out like any event. Then \"say\": one frame up, one to Bob, one back to Ada.",
    );
    let is_in = stage.is_in(ada, "/");
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match (after_typo, is_in) {
                (_, false) => 3,
                (0, true) => 1,
                _ => 0,
            })
        },
        "Nothing, and no error: an event reaches the listeners of its name, and there are none. She asked for an answer, \
         too, and would wait for it forever: programs give an acknowledgement a time limit.",
    );
    let answer = stage.answered_at(ada, 2);
    let said = stage.heard(bob).first().map(|heard| heard.at);
    let ms = |at: Option<Instant>| {
        at.map_or_else(|| "never".into(), |at| format!("{:.1}", at.since(from).as_millis_f64()))
    };
    let run = stage.seen();
    let read = run.trace().events.iter().find(|event| {
        event.at >= from && event.place == host.id().place() && matches!(event.kind, Event::AppRead { .. })
    });
    let read = read.map(|event| event.at);
    stage.table(
        &["ms", "where", "what happens"],
        vec![
            vec!["0.0".into(), "ada".into(), "emit(\"say\", \"hello\"): one packet, with number 2".into()],
            vec![
                ms(read),
                "server".into(),
                "the listeners of \"say\" are called; one emits \"said\", and answers".into(),
            ],
            vec![ms(said), "bob".into(), "the listeners of \"said\" are called with \"hello\"".into()],
            vec![ms(answer), "ada".into(), "the answer number 2 arrives".into()],
        ],
        "From emit to listener. TCP's ACKs are in the ladder too: they say that bytes arrived, not that a listener ran.",
    );
    stage.check("Bob heard it once, and Ada got her answer", |_| said.is_some() && answer.is_some());
}

/// The same room name in two namespaces.
pub(super) fn namespaces(stage: &mut Stage) {
    stage.lead_in(
        "A namespace is something else. Every packet carries its name, the client asks to be let in with a CONNECT of \
         its own, and the server may refuse. Ada and Bob are both in room \"team\" of the main namespace; Ada is also \
         let into /staff, which has a room \"team\", too.",
    );
    let guess = stage.ask_choice(
        "The server emits to the room \"team\" of /staff. Who hears it?",
        &["Ada and Bob", "Ada", "Bob", "neither"],
    );
    stage.scene("namespaces", "One room name, two namespaces");
    let (host, [ada, bob]) = cast(stage, ["ada", "bob"]);
    let server = stage.event_server(host, PORT, BEAT, |random| {
        let mut hub = hub(random, Box::new(MemoryLog::new(Retention::default())), false);
        for namespace in ["/", "/staff"] {
            hub.of(namespace).on_connection(|cx, _| {
                let _ = cx.join("team");
            });
        }
        hub.of("/staff").gate(|entry| match entry.auth.get("token").and_then(Value::as_str) {
            Some("swordfish") => Ok(()),
            _ => Err(Refusal::new("staff only").with(Value::object([("code", "E_STAFF".into())]))),
        });
        hub
    });
    let token = |token: &str| vec![("token".to_owned(), Value::from(token))];
    let both = |word: &str| vec![("/", vec![]), ("/staff", token(word))];
    let ada = stage.event_client(ada, server, Transport::WebSocket, &both("swordfish"));
    let bob = stage.event_client(bob, server, Transport::WebSocket, &both("please"));
    stage.run_until_it(LIMIT, |stage| stage.is_in(ada, "/staff") && stage.is_in(bob, "/"));
    settle(stage);
    stage.server_says(server, "/staff", |cx| {
        cx.io().to("team").emit("news", vec!["for the staff".into()]);
    });
    settle(stage);
    let staff = [!stage.heard(ada).is_empty(), !stage.heard(bob).is_empty()];
    stage.server_says(server, "/", |cx| {
        cx.io().to("team").emit("news", vec!["for all".into()]);
    });
    settle(stage);
    let main =
        [ada, bob].map(|client| stage.heard(client).iter().filter(|heard| heard.namespace == "/").count());
    let row = |name: &str, client: EventClient, stage: &mut Stage| {
        let mut of = |namespace: &str| {
            let mut seen: Vec<String> = Vec::new();
            for (_, event) in stage.received(client) {
                match event {
                    Received::Connected { namespace: name, .. } if *name == *namespace => {
                        seen.push("let in".into());
                    }
                    Received::Refused { namespace: name, error: why } if *name == *namespace => {
                        let word = |value: Option<&Value>| {
                            value.and_then(Value::as_str).unwrap_or_default().to_owned()
                        };
                        let code = word(why.get("data").and_then(|data| data.get("code")));
                        seen.push(format!("refused: {} ({code})", word(why.get("message"))));
                    }
                    Received::Heard(heard) if *heard.namespace == *namespace => {
                        let text = heard.args.first().and_then(Value::as_str).unwrap_or_default();
                        seen.push(format!("hears \"{text}\""));
                    }
                    _ => {}
                }
            }
            seen.join(", then ")
        };
        vec![name.to_owned(), of("/"), of("/staff")]
    };
    let rows = vec![row("ada", ada, stage), row("bob", bob, stage)];
    stage.table(&["", "in /", "in /staff"], rows, "What each client got, by namespace.");
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match staff {
                [true, true] => 0,
                [true, false] => 1,
                [false, true] => 2,
                [false, false] => 3,
            })
        },
        "Rooms live inside a namespace, and the same name in another namespace is another room. Bob is in a room \
         \"team\", but not in that one: the gate of /staff refused him, and told him why.",
    );
    stage.check("the main namespace's \"team\" is both of them", |_| main == [1, 1]);
    let refused = stage
        .received(bob)
        .iter()
        .any(|(_, event)| matches!(event, Received::Refused { namespace, .. } if **namespace == *"/staff"));
    let alive = stage.is_in(bob, "/");
    stage.check("a refusal in one namespace does not touch the other", |_| refused && alive);
}
