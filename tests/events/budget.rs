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

/// What it may have more than before, when they have gone: its log has 8 MiB of what they said, as four times a
/// sixteenth of the budget, and the allocator some pieces.
const AFTER: u64 = 14;

/// Without the budget they would have the server hold some 90 MiB.
const GLUTTONS: usize = 40;

#[test]
fn a_flood_stays_within_the_budget_the_others_go_on_and_memory_is_given_back() {
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
    let after = falls_to(&server, before + (AFTER << 10));
    println!(
        "{before} KiB before, {highest} at most, {after} when they have gone; {closed} of {GLUTTONS} read that they \
         were closed with 1013"
    );
    assert!(highest > before + (AFTER << 10), "that was no flood: {highest} KiB at most, {before} before");
    assert!(after <= before + (AFTER << 10), "{after} KiB were kept of {highest}, {before} before");
}

/// The server's memory, when it has become so little, or has not in a long time.
fn falls_to(server: &EventServer, bound: u64) -> u64 {
    let mut after = u64::MAX;
    for _ in 0..100 {
        after = server.memory_kib().unwrap_or(0);
        if after <= bound {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    after
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
