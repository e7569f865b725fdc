//! The driver: carries frames between ports and the kernel's interfaces, and tells the time, for whatever has ports.
//!
//! It waits by poll(2), whose timeout is in nanoseconds: tokio counts in milliseconds, and at 100 Mbit/s a frame takes
//! 0.12. The programs at the kernel's end are on a thread of their own, as they would be on another machine.

use std::io;
use std::sync::mpsc;
use std::thread;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::device::{Device, Handed};
use crate::base::{Duration, Instant, Machine};
use crate::layers::link::port::{Input, Output};
use crate::real::clock::Clock;
use crate::real::error::{During as _, RealError};

const NEXT: &str = "run it again; if it fails again, see whether the interfaces are still there (ip link)";

/// Frames taken from an interface before it is seen what time it is.
const BATCH: usize = 64;

/// The longest frame: a packet of 65,535 bytes behind an Ethernet header, and some room.
const LONGEST_FRAME: usize = 65_535 + 64;

/// What came of a run.
#[derive(Debug)]
pub struct Ran<T> {
    /// What the programs came to.
    pub result: T,
    /// Frames for the kernel that it had no room for: lost, like those that find a queue full.
    pub no_room: u64,
}

/// Lets `programs` run at the kernel's end while frames pass between the ports of `machine` and the devices, the first
/// of which is port 0; until the programs are done, or `limit` has passed. Then programs that block are left behind.
///
/// # Errors
/// Those of the programs; when an interface fails; [`RealError::TimedOut`].
pub fn run<M, T>(
    machine: &mut M,
    devices: &[&Device],
    clock: &Clock,
    limit: Duration,
    programs: impl FnOnce() -> Result<T, RealError> + Send + 'static,
) -> Result<Ran<T>, RealError>
where
    M: Machine<Input = Input, Output = Output>,
    T: Send + 'static,
{
    // Whose other end is closed with the thread: that can be waited for together with the frames.
    let (running, runs) = io::pipe().during("making a pipe", NEXT)?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let _ended_with_the_thread = runs;
        // The run may have been given up in the meantime.
        let _ = tell.send(programs());
    });
    let mut driver =
        Driver { machine, devices, clock, due: Instant::NEVER, no_room: 0, room: vec![0; LONGEST_FRAME] };
    let step = "carrying frames";
    driver.give(Input::Wake).during(step, NEXT)?;
    let end = clock.now() + limit;
    while clock.now() < end {
        if driver.carry(&running, end).during(step, NEXT)? {
            let Ok(result) = told.recv() else {
                let source = io::Error::other("the programs at the kernel's end panicked");
                return Err(RealError::Io { step, source, next: NEXT });
            };
            return Ok(Ran { result: result?, no_room: driver.no_room });
        }
    }
    Err(RealError::TimedOut { step: "the run on the kernel wire", limit })
}

struct Driver<'a, M> {
    machine: &'a mut M,
    devices: &'a [&'a Device],
    clock: &'a Clock,
    /// When the machine is to be woken.
    due: Instant,
    no_room: u64,
    room: Vec<u8>,
}

impl<M: Machine<Input = Input, Output = Output>> Driver<'_, M> {
    /// Waits for a frame, for the time that was asked for, or for `end`, and carries what there is. Says whether the
    /// programs are done.
    fn carry(&mut self, running: &io::PipeReader, end: Instant) -> io::Result<bool> {
        let ready: Vec<PollFlags> = {
            let mut fds: Vec<_> =
                self.devices.iter().map(|device| PollFd::new(*device, PollFlags::IN)).collect();
            fds.push(PollFd::new(running, PollFlags::IN));
            let wait = timespec(self.due.min(end).since(self.clock.now()));
            rustix::io::retry_on_intr(|| poll(&mut fds, Some(&wait)))?;
            fds.iter().map(PollFd::revents).collect()
        };
        if self.due <= self.clock.now() {
            self.due = Instant::NEVER;
            self.give(Input::Wake)?;
        }
        for (port, ready) in ready.iter().enumerate().take(self.devices.len()) {
            if !ready.is_empty() {
                self.take_frames(port)?;
            }
        }
        Ok(!ready[self.devices.len()].is_empty())
    }

    fn take_frames(&mut self, port: usize) -> io::Result<()> {
        for _ in 0..BATCH {
            let len = match self.devices[port].take(&mut self.room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                taken => taken?,
            };
            let bytes = Bytes::copy_from_slice(&self.room[..len]);
            self.give(Input::Frame { port, bytes })?;
        }
        Ok(())
    }

    /// Something has happened at the ports; what follows is carried out.
    fn give(&mut self, input: Input) -> io::Result<()> {
        let now = self.clock.now();
        self.machine.handle(now, input);
        while let Some(output) = self.machine.poll(now) {
            match output {
                Output::WakeAt(at) => self.due = at,
                Output::Frame { port, bytes } => {
                    if self.devices[port].hand(&bytes)? == Handed::NoRoom {
                        self.no_room += 1;
                    }
                }
            }
        }
        Ok(())
    }
}

fn timespec(length: Duration) -> Timespec {
    let nanos = length.as_nanos();
    Timespec { tv_sec: (nanos / 1_000_000_000) as i64, tv_nsec: (nanos % 1_000_000_000) as _ }
}
