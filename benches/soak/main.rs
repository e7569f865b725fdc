//! The soak: a thousand clients join, talk, break off in every way and come back, for minutes, to `event_server` on
//! real sockets with a log on disk; the server itself is ended with `kill -9` and started again in between. A checker
//! proves that every message that was acknowledged has reached every client that is entitled to it, in order, once:
//! what *entitled* means stands at the head of `checker.rs`.
//!
//! `cargo bench --bench soak -- --seconds 300 --clients 1000 --seed 7`
//!
//! It stands among the benches because, like them, it wants a real machine for minutes and gives a figure for the
//! README; `cargo test` runs the same clients and the same checker in virtual time (`tests/soak.rs`), and proves there
//! that the checker can fail. `--sabotage lose` proves it here. The seed decides what each client does and which faults
//! come when; what the kernel makes of it differs from run to run.

mod checker;
mod faults;
mod report;
mod server;
mod talker;

use std::cell::RefCell;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use netlayers::base::{Instant, Rng};
use netlayers::real::clock::Clock;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::LocalSet;
use tokio::time::sleep;

use checker::Checker;
use faults::{Fault, Faults};
use report::Asked;
use server::EventServer;
use talker::Talker;

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let result = LocalSet::new().block_on(&runtime, run(asked));
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

/// How a connection ended, for the client.
enum End {
    /// The server, or the kernel, ended it.
    Lost,
    /// A fault: the stream is closed in its way.
    Broken,
    /// Nobody tells the server: the stream is kept open until the client is back.
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
    if let Some(sabotage) = sabotage.filter(|_| number == 3) {
        talker.sabotage(sabotage);
    }
    sleep(Duration::from_millis(rng.below(5000))).await;
    let mut limbo = None;
    loop {
        let slow_reader = rng.below(20) == 0;
        let Some(mut stream) = dial(address, slow_reader).await else {
            sleep(Duration::from_millis(50 + rng.below(250))).await;
            continue;
        };
        let now = shared.borrow().clock.now();
        talker.connected(now);
        let end = converse(&shared, &mut talker, &mut stream, &mut rng, &mut limbo).await;
        shared.borrow_mut().volatile += std::mem::take(&mut talker.volatile_heard);
        talker.lost();
        match end {
            End::Done => break,
            End::HalfOpen => limbo = Some(stream),
            End::Lost | End::Broken => drop(stream),
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

async fn dial(address: SocketAddr, slow_reader: bool) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    if slow_reader {
        socket.set_recv_buffer_size(4096).ok()?;
    }
    let connecting = tokio::time::timeout(Duration::from_secs(10), socket.connect(address));
    let stream = connecting.await.ok()?.ok()?;
    let _ = stream.set_nodelay(true);
    // While the server is down, loopback may connect a socket to itself (RFC 9293 §3.5, simultaneous open).
    (stream.local_addr().ok()? != address).then_some(stream)
}

/// One connection, until it ends in one way or another.
async fn converse(
    shared: &Shared,
    talker: &mut Talker,
    stream: &mut TcpStream,
    rng: &mut Rng,
    limbo: &mut Option<TcpStream>,
) -> End {
    let now = || shared.borrow().clock.now();
    let later = |rng: &mut Rng, from: u64, to: u64| {
        now() + netlayers::base::Duration::from_millis(from + rng.below(to - from))
    };
    let pace = shared.borrow().asked.pace_ms;
    let mut turn_at = later(rng, 100, pace);
    let mut fault_at = later(rng, 2000, 20_000);
    let mut frozen_until = None;
    let mut counted = Online::new(shared);
    let mut has_said_last = false;
    let mut buffer = vec![0; 16 << 10];
    loop {
        let output = talker.output();
        if !output.is_empty() {
            let writing = tokio::time::timeout(Duration::from_secs(30), stream.write_all(&output));
            if !matches!(writing.await, Ok(Ok(()))) {
                return End::Lost;
            }
        }
        if talker.is_in() {
            counted.enter();
            *limbo = None;
        }
        if talker.is_over() {
            return End::Lost;
        }
        let is_ending = shared.borrow().is_ending;
        if is_ending && !has_said_last && talker.is_quiet() {
            has_said_last = true;
            talker.last_words(now(), &mut shared.borrow_mut().checker);
            continue;
        }
        if has_said_last && talker.is_quiet() && talker.has_heard_itself() {
            return End::Done;
        }
        let wake_at = turn_at.min(fault_at).min(frozen_until.unwrap_or(Instant::NEVER));
        let wait = Duration::from_nanos(wake_at.since(now()).as_nanos());
        tokio::select! {
            ready = stream.readable(), if frozen_until.is_none() || is_ending => {
                if ready.is_err() {
                    return End::Lost;
                }
                match stream.try_read(&mut buffer) {
                    Ok(0) => return End::Lost,
                    Ok(len) => talker.receive(now(), &buffer[..len], &mut shared.borrow_mut().checker),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => return End::Lost,
                }
            }
            () = sleep(wait) => {}
        }
        let at = now();
        if frozen_until.is_some_and(|until| until <= at) {
            frozen_until = None;
        }
        if turn_at <= at {
            turn_at = later(rng, pace / 4, pace * 7 / 4);
            talker.turn(at, &mut shared.borrow_mut().checker);
        }
        if fault_at <= at {
            fault_at = later(rng, 2000, 25_000);
            let is_ending = shared.borrow().is_ending;
            if is_ending || !talker.is_in() || frozen_until.is_some() {
                continue;
            }
            let fault = Fault::choose(rng, talker.has_heard);
            shared.borrow_mut().faults.count(fault);
            match fault {
                Fault::Slow => frozen_until = Some(later(rng, 1000, 8000)),
                Fault::HalfOpen => return End::HalfOpen,
                Fault::Quit => {
                    talker.quit(at, &mut shared.borrow_mut().checker);
                    let _ = stream.write_all(&talker.output()).await;
                    return End::Broken;
                }
                _ => {
                    faults::break_off(fault, talker, stream, at, shared).await;
                    return End::Broken;
                }
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
        let Some(mut stream) = dial(address, false).await else { continue };
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
