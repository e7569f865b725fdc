//! The soak: a thousand clients join, talk, break off in every way and come back, for minutes, to `event_server` on
//! real sockets with a log on disk; the server itself is ended with `kill -9` and started again in between. A checker
//! proves that every message that was acknowledged has reached every client that is entitled to it, in order, once:
//! what *entitled* means is written at the head of `src/chat/soak/checker.rs`.
//!
//! `cargo bench --bench soak -- --seconds 300 --clients 1000 --seed 7`
//!
//! It stands among the benches because, like them, it wants a real machine for minutes and gives a figure for the
//! README; `cargo test` runs the same clients and the same checker in virtual time (`tests/events/soak.rs`), and proves there
//! that the checker can fail. `--sabotage lose` proves it here. The seed decides what each client does and which faults
//! come when; what the kernel makes of it differs from run to run.

mod faults;
mod flood;
mod lines;
mod report;
mod server;

use std::cell::RefCell;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use netlayers::base::{Instant, Rng};
use netlayers::chat::soak::{Checker, Talker, Upgrade};
use netlayers::layers::application::engineio::poller::{CarrierInput as Input, Line};
use netlayers::real::clock::Clock;
use tokio::io::AsyncWriteExt as _;
use tokio::task::LocalSet;
use tokio::time::sleep;

use faults::{Fault, Faults};
use lines::Lines;
use report::Asked;
use server::EventServer;

/// What all clients share: they run on one thread.
pub(crate) struct Soak {
    pub(crate) asked: Asked,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    pub(crate) checker: Checker,
    pub(crate) faults: Faults,
    /// Clients that are in at the moment.
    pub(crate) online: u32,
    pub(crate) volatile: u64,
    /// Deliveries by polling, and sessions that moved to WebSocket.
    pub(crate) polled: u64,
    pub(crate) upgraded: u64,
    /// Faults have ceased: everybody comes back, says a last word and hears it.
    pub(crate) is_ending: bool,
    pub(crate) finished: u32,
}

type Shared = Rc<RefCell<Soak>>;

fn main() -> ExitCode {
    let asked = match Asked::read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    netlayers::real::open_files::raise_limit();
    if asked.is_flood {
        return told(flood::run(&asked));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    told(LocalSet::new().block_on(&runtime, run(asked)))
}

fn told(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nFAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The whole run.
async fn run(asked: Asked) -> Result<(), String> {
    let mut server = EventServer::start(&asked)?;
    println!("{}", asked.describe());
    let soak = Soak {
        clock: Clock::start(),
        address: server.address(),
        checker: Checker::default(),
        faults: Faults::default(),
        online: 0,
        volatile: 0,
        polled: 0,
        upgraded: 0,
        is_ending: false,
        finished: 0,
        asked: asked.clone(),
    };
    let shared: Shared = Rc::new(RefCell::new(soak));
    for number in 0..asked.clients {
        tokio::task::spawn_local(live(shared.clone(), number));
    }
    tokio::task::spawn_local(junk(shared.clone()));

    let mut rng = Rng::new(asked.seed).fork("kills");
    let each = asked.seconds * 1000 / (u64::from(asked.kills) + 1);
    let mut kills: Vec<u64> = (1..=u64::from(asked.kills))
        .map(|kill| (each * kill).saturating_sub(rng.below(each / 4 + 1)))
        .rev()
        .collect();
    for second in 1..=asked.seconds {
        sleep(Duration::from_secs(1)).await;
        progress(&shared, second);
        if let Some(violation) = shared.borrow().checker.violation() {
            return Err(violation.to_owned());
        }
        if kills.last().is_some_and(|at| *at <= second * 1000) {
            kills.pop();
            shared.borrow_mut().faults.killed += 1;
            server = tokio::task::spawn_blocking(move || server.kill_and_restart())
                .await
                .map_err(|error| error.to_string())??;
        }
        server.check_alive()?;
    }
    shared.borrow_mut().is_ending = true;
    let all = asked.clients;
    for second in asked.seconds + 1..asked.seconds + 90 {
        sleep(Duration::from_secs(1)).await;
        progress(&shared, second);
        if shared.borrow().finished == all {
            break;
        }
    }
    let memory = server.memory();
    server.check_alive()?;
    let soak = &mut *shared.borrow_mut();
    soak.checker.finish();
    report::print(soak, &memory);
    match soak.checker.violation() {
        Some(violation) => Err(violation.to_owned()),
        None if soak.finished < all => {
            Err(format!("{} clients had not heard their own last words in time", all - soak.finished))
        }
        None => Ok(()),
    }
}

/// One line, written over itself, on a terminal only.
fn progress(shared: &Shared, second: u64) {
    use std::io::IsTerminal as _;
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let soak = shared.borrow();
        let counts = soak.checker.counts();
        let line = format!(
            "{second:>4} s  {:>5} online  {:>8} acked  {:>9} delivered  {:>6} returns  {} kills",
            soak.online, counts.acknowledged, counts.deliveries, counts.returns, soak.faults.killed
        );
        let _ = write!(out, "\r{line:<79}");
        let _ = out.flush();
    }
}

/// How a session ended, for the client.
enum End {
    /// The server, or the kernel, ended it.
    Lost,
    /// A fault: its streams are closed in their way.
    Broken,
    /// Nobody tells the server: the streams are kept open until the client is back.
    HalfOpen,
    /// The run is over for this client.
    Done,
}

/// The life of a client.
async fn live(shared: Shared, number: u32) {
    let (seed, rooms, address, sabotage) = {
        let soak = shared.borrow();
        (soak.asked.seed, soak.asked.rooms, soak.address, soak.asked.sabotage)
    };
    let mut rng = Rng::new(seed).fork(&format!("life {number}"));
    let mut talker = Talker::new(number, rooms, seed);
    if let Some(sabotage) = sabotage.filter(|_| number == shared.borrow().asked.witness) {
        talker.sabotage(sabotage);
    }
    sleep(Duration::from_millis(rng.below(5000))).await;
    let mut limbo = None;
    loop {
        let slow_reader = rng.below(20) == 0;
        let mut lines = Lines::new(address, slow_reader, rng.fork("lines"));
        let end = converse(&shared, &mut talker, &mut lines, &mut rng, &mut limbo).await;
        {
            let soak = &mut *shared.borrow_mut();
            soak.volatile += std::mem::take(&mut talker.volatile_heard);
            soak.polled += std::mem::take(&mut talker.polled);
            soak.upgraded += u64::from(talker.upgrade() == Upgrade::Moved);
        }
        talker.lost();
        match end {
            End::Done => break,
            End::HalfOpen => limbo = Some(lines),
            End::Lost | End::Broken => drop(lines),
        }
        let is_ending = shared.borrow().is_ending;
        let away = match rng.below(10) {
            _ if is_ending => 50,
            // Some stay away for longer than a few pages of the log.
            0 => 5000 + rng.below(10_000),
            _ => 50 + rng.below(3000),
        };
        sleep(Duration::from_millis(away)).await;
    }
    shared.borrow_mut().finished += 1;
}

/// One session, until it ends in one way or another.
async fn converse(
    shared: &Shared,
    talker: &mut Talker,
    lines: &mut Lines,
    rng: &mut Rng,
    limbo: &mut Option<Lines>,
) -> End {
    let now = || shared.borrow().clock.now();
    let later = |rng: &mut Rng, from: u64, to: u64| {
        now() + netlayers::base::Duration::from_millis(from + rng.below(to - from))
    };
    let pace = shared.borrow().asked.pace_ms;
    let mut turn_at = later(rng, 100, pace);
    let mut fault_at = later(rng, 2000, 20_000);
    let mut thaw_at = Instant::NEVER;
    // Half of the upgrades are slow, so that much is said in the middle of them.
    let is_slow = rng.below(2) == 0;
    let (mut held_at, mut hold_until) = (Upgrade::None, Instant::NEVER);
    let mut cut_upgrade =
        (rng.below(3) == 0).then(|| (Upgrade::STEPS[rng.below(5) as usize], rng.below(2) == 0));
    // It has said goodbye: the streams are closed when all is said.
    let mut leaving_until = None;
    let mut counted = Online::new(shared);
    let mut has_said_last = false;
    talker.open(now(), &mut shared.borrow_mut().checker);
    loop {
        let is_ending = shared.borrow().is_ending;
        if is_ending {
            (cut_upgrade, hold_until, thaw_at) = (None, Instant::NEVER, Instant::NEVER);
            (lines.is_frozen, lines.holds_socket) = (false, false);
            lines.lay(None);
        }
        let before = talker.upgrade();
        while let Some(wish) = talker.wish() {
            if let Some(ambush) = lines.grant(wish) {
                shared.borrow_mut().faults.count(Fault::Ambush(ambush));
            }
        }
        if talker.is_in() {
            counted.enter();
            *limbo = None;
        }
        if let Some(until) = leaving_until {
            if talker.has_hung_up() || until <= now() {
                return End::Broken;
            }
        } else if talker.is_over() {
            return End::Lost;
        }
        if let Some((step, whole)) = cut_upgrade.filter(|(step, _)| *step <= before) {
            cut_upgrade = None;
            // What ends the session leaves it half-open, perhaps: see `Fault::choose`.
            if step == before && (talker.has_heard || (!whole && step != Upgrade::Moved)) {
                shared.borrow_mut().faults.count_upgrade(step);
                if whole {
                    lines.tear_all();
                    return End::Broken;
                }
                if rng.below(2) == 0 {
                    lines.tear(Line::Socket, usize::MAX);
                } else {
                    lines.end(Line::Socket);
                }
                let gone = Input::Gone(Line::Socket);
                talker.take(now(), gone, &mut shared.borrow_mut().checker);
                continue;
            }
        }
        if is_ending && !has_said_last && talker.is_quiet() {
            has_said_last = true;
            talker.last_words(now(), &mut shared.borrow_mut().checker);
            continue;
        }
        if has_said_last && talker.is_quiet() && talker.has_heard_itself() {
            return End::Done;
        }
        let is_upgrading = !matches!(before, Upgrade::None | Upgrade::Moved);
        if is_slow && is_upgrading && !is_ending && before != held_at {
            held_at = before;
            hold_until = later(rng, 1, 2000);
            lines.holds_socket = true;
        }
        let leave_at = leaving_until.unwrap_or(Instant::NEVER);
        let wakes = [fault_at, thaw_at, hold_until, leave_at, talker.due()];
        let wake_at = wakes.into_iter().fold(turn_at, Instant::min);
        let wait = Duration::from_nanos(wake_at.since(now()).as_nanos());
        tokio::select! {
            (input, sprung) = lines.happening() => {
                if let Some(ambush) = sprung {
                    shared.borrow_mut().faults.count(Fault::Ambush(ambush));
                }
                talker.take(now(), input, &mut shared.borrow_mut().checker);
            }
            () = sleep(wait) => {}
        }
        let at = now();
        if talker.due() <= at {
            talker.take(at, Input::Wake, &mut shared.borrow_mut().checker);
        }
        if thaw_at <= at {
            (thaw_at, lines.is_frozen) = (Instant::NEVER, false);
        }
        if hold_until <= at {
            (hold_until, lines.holds_socket) = (Instant::NEVER, false);
        }
        if turn_at <= at {
            turn_at = later(rng, pace / 4, pace * 7 / 4);
            talker.turn(at, &mut shared.borrow_mut().checker);
        }
        if fault_at <= at {
            fault_at = later(rng, 2000, 25_000);
            if shared.borrow().is_ending || !talker.is_in() || lines.is_frozen {
                continue;
            }
            let fault = Fault::choose(rng, talker.has_heard, talker.polls());
            if !matches!(fault, Fault::Ambush(_)) {
                shared.borrow_mut().faults.count(fault);
            }
            match fault {
                Fault::Slow => {
                    lines.is_frozen = true;
                    thaw_at = later(rng, 1000, 8000);
                }
                Fault::HalfOpen => return End::HalfOpen,
                Fault::Quit => {
                    talker.quit(at, &mut shared.borrow_mut().checker);
                    leaving_until = Some(later(rng, 9000, 10_000));
                }
                Fault::HangUp => {
                    talker.hang_up(at);
                    leaving_until = Some(later(rng, 9000, 10_000));
                }
                Fault::Fin => return End::Broken,
                Fault::Reset | Fault::Torn => {
                    if fault == Fault::Torn {
                        talker.turn(at, &mut shared.borrow_mut().checker);
                    }
                    while let Some(wish) = talker.wish() {
                        lines.grant(wish);
                    }
                    lines.tear_all();
                    return End::Broken;
                }
                Fault::CutGet => {
                    lines.tear(Line::Poll, 0);
                    talker.take(at, Input::Gone(Line::Poll), &mut shared.borrow_mut().checker);
                }
                Fault::Ambush(ambush) => lines.lay(Some(ambush)),
            }
        }
    }
}

/// Counts a client as being in for as long as this lives.
struct Online<'a> {
    shared: &'a Shared,
    counted: bool,
}

impl<'a> Online<'a> {
    fn new(shared: &'a Shared) -> Self {
        Online { shared, counted: false }
    }

    fn enter(&mut self) {
        if !std::mem::replace(&mut self.counted, true) {
            self.shared.borrow_mut().online += 1;
        }
    }
}

impl Drop for Online<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.shared.borrow_mut().online -= 1;
        }
    }
}

/// Strangers who send what is no request, while all the others talk on.
async fn junk(shared: Shared) {
    let (seed, address) = (shared.borrow().asked.seed, shared.borrow().address);
    let mut rng = Rng::new(seed).fork("junk");
    while !shared.borrow().is_ending {
        sleep(Duration::from_millis(200)).await;
        let Some(mut stream) = lines::dial(address, false).await else { continue };
        if stream.write_all(&faults::junk(&mut rng)).await.is_ok() {
            shared.borrow_mut().faults.junk += 1;
        }
        // Half of them wait for an answer.
        if rng.below(2) == 0 {
            let mut answer = [0; 512];
            let reading = tokio::io::AsyncReadExt::read(&mut stream, &mut answer);
            let _ = tokio::time::timeout(Duration::from_millis(100), reading).await;
        }
    }
}
