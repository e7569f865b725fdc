//! A server within its budget of memory: who takes most is slowed, or closed, and nobody else is touched. Which of the
//! two depends on the machine; that those who are closed read 1013 is a test of `real::event_loop`.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use socket2::SockRef;

use super::event_server::{EventServer, Ws, example};
use super::hostile::Good;

/// In MiB. The server needs a part of it for itself and for its log.
const BUDGET: u64 = 32;

/// Without the budget they would have the server hold some 90 MiB.
const GLUTTONS: usize = 40;

#[test]
fn a_flood_stays_within_the_budget_and_the_others_go_on() {
    let budget = BUDGET.to_string();
    let mut command = Command::new(example());
    let server = EventServer::launch(command.args(["--port", "0", "--profile", "chat", "--memory", &budget]));
    let Some(before) = server.memory_kib() else {
        println!("not run: this system does not tell how much memory a process has");
        return;
    };
    let good = Good::talks(&server);
    let said = Ws::text_frame(format!(r#"42["message","{}"]"#, "x".repeat(250_000)).as_bytes());
    let mut highest = before;
    let mut gluttons = Vec::new();
    for _ in 0..GLUTTONS {
        let mut glutton = Ws::entered(&server);
        // Little waits in the kernel, so that much does in the server.
        SockRef::from(&glutton.stream).set_recv_buffer_size(4096).expect("a small buffer");
        glutton.stream.set_write_timeout(Some(Duration::from_millis(30))).expect("a time limit");
        // Each is sent back, and it takes nothing of it.
        let _ = (0..8).try_for_each(|_| glutton.stream.write_all(&said));
        gluttons.push(glutton);
        highest = highest.max(server.memory_kib().unwrap_or(0));
    }
    assert!(highest < (BUDGET + 24) << 10, "{highest} KiB at most, {before} KiB before");
    // Those that were closed, and read at last, learn why: how many, the output says.
    let readers: Vec<_> = gluttons
        .into_iter()
        .map(|mut glutton| {
            std::thread::spawn(move || {
                SockRef::from(&glutton.stream).set_recv_buffer_size(1 << 20).expect("a large buffer");
                glutton.stream.set_read_timeout(Some(Duration::from_secs(3))).expect("a time limit");
                close_code(&mut glutton) == Some(1013)
            })
        })
        .collect();
    let closed = readers.into_iter().filter_map(|reader| reader.join().ok()).filter(|closed| *closed).count();
    good.was_not_disturbed();
    println!(
        "{before} KiB before, {highest} at most; {closed} of {GLUTTONS} read that they were closed with 1013"
    );
}

/// In KiB: what the server has more than before when a flood has gone, at most.
const KEPT: u64 = 4 << 10;

#[test]
fn what_a_flood_took_goes_back_to_the_system() {
    let server = EventServer::start("chat");
    let Some(before) = server.memory_kib() else {
        println!("not run: this system does not tell how much memory a process has");
        return;
    };
    // Engine.IO sends it back by itself: no log keeps any of it.
    let said = Ws::text_frame(format!("4{}", "x".repeat(250_000)).as_bytes());
    let mut gluttons = Vec::new();
    for _ in 0..64 {
        let mut glutton = Ws::open(&server, "/engine.io/?EIO=4&transport=websocket").expect("it opens");
        SockRef::from(&glutton.stream).set_recv_buffer_size(4096).expect("a small buffer");
        // Sixteen are 4 MB, and more than the kernel takes of the answers: the rest is the server's.
        glutton.stream.set_write_timeout(Some(Duration::from_secs(1))).expect("a time limit");
        let _ = (0..16).try_for_each(|_| glutton.stream.write_all(&said));
        gluttons.push(glutton);
    }
    let highest = soon(&server, |memory| memory > before + 4 * KEPT);
    assert!(highest > before + 4 * KEPT, "that was no flood: {highest} KiB at most, {before} before");
    drop(gluttons);
    let after = soon(&server, |memory| memory <= before + KEPT);
    println!("{before} KiB before, {highest} in the flood, {after} when it had gone");
    assert!(after <= before + KEPT, "{after} KiB were kept of {highest}, {before} before");
}

/// The server's memory in KiB as soon as it is so, or after 45 seconds in which it was not. Most often it is so at once;
/// what a small flood has left goes back within 30 seconds (`Tide::AGAIN` in `src/real/memory.rs`).
fn soon(server: &EventServer, is_so: impl Fn(u64) -> bool) -> u64 {
    let mut memory = 0;
    for _ in 0..900 {
        memory = server.memory_kib().unwrap_or(0);
        if is_so(memory) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    memory
}

/// Reads on, and on; the code of the Close frame at the end, if one comes.
fn close_code(socket: &mut Ws) -> Option<u16> {
    use std::io::Read as _;
    loop {
        let mut head = [0; 2];
        socket.stream.read_exact(&mut head).ok()?;
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                socket.stream.read_exact(&mut length).ok()?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                socket.stream.read_exact(&mut length).ok()?;
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).ok()?];
        socket.stream.read_exact(&mut payload).ok()?;
        if head[0] == 0x88 {
            return payload.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
        }
    }
}
