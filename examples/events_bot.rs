//! A bot: a client that listens and answers. It is an event pool fed with what the hub sends it.
//!
//! `cargo run --example events_bot`

use netlayers::base::Rng;
use netlayers::chat::{Config, Hub, Local, MemoryLog, Pool, PoolFull, Retention};
use netlayers::layers::application::socketio::{Kind, Value};

/// What the bot wants to say next.
type Answers = Vec<String>;

fn main() -> Result<(), PoolFull> {
    let mut rng = Rng::new(7);
    let log = MemoryLog::new(Retention::default());
    let mut hub = Hub::new(Config::default(), Box::new(move || rng.next_u64()), Box::new(log));
    // The server only passes on: it does not know that one of its clients is a bot.
    hub.of("/").on("say", |cx, args, _| {
        cx.broadcast().emit("said", args.to_vec());
    });

    let mut bot: Pool<Answers, String> = Pool::new();
    bot.on("said", |bot, answers, words| {
        // One event becomes another, with a better name.
        if let Some(command) = words.strip_prefix('!') {
            let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
            bot.emit(&format!("!{name}"), answers, &rest.to_owned());
        }
    })?;
    bot.on("!echo", |_, answers, words| answers.push(words.clone()))?;
    bot.on("!add", |_, answers, words| {
        let sum: i64 = words.split(' ').filter_map(|word| word.parse::<i64>().ok()).sum();
        answers.push(format!("that makes {sum}"));
    })?;
    bot.once("!hello", |_, answers, _| answers.push("hello! (I say it only once)".into()))?;

    let mut local = Local::new(hub);
    let (person, robot) = (local.connect("/", None), local.connect("/", None));
    let mut said = 0;
    for words in ["good morning", "!hello", "!add 19 23", "!hello", "!echo !echo"] {
        println!("person: {words}");
        local.emit(person, "say", vec![words.into()], None);
        let mut answers = Answers::new();
        for packet in local.take(robot) {
            if let Kind::Event { name, args, .. } = packet.kind {
                let words = args.first().and_then(Value::as_str).unwrap_or_default().to_owned();
                bot.emit(&name, &mut answers, &words);
            }
        }
        for answer in answers {
            said += 1;
            println!("   bot: {answer}");
            local.emit(robot, "say", vec![answer.into()], None);
        }
    }
    assert_eq!(said, 3);
    Ok(())
}

// Try this:
// 1. Teach it a command of your own.
// 2. Two bots that answer "!echo" to each other: does it ever end? Who could stop it (see `Config::rate`)?
// 3. "!forget NAME" removes a command: keep the `ListenerId`s in the shared state.
