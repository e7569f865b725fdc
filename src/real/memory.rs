//! How much memory there is, how much of it this program has, and giving back what it no longer needs.
//!
//! A program that has freed memory still has it: the C library keeps it for the next time, in pieces between those that are
//! in use. After a flood that may be hundreds of megabytes, for good. glibc gives them back when it is asked to
//! (malloc_trim(3)); other C libraries, and other systems, mind this themselves or do not.
#![allow(unsafe_code)] // malloc_trim has no safe wrapper; the one call is at the end of this file.

use std::fs;

use crate::base::{Duration, Instant};

/// How much memory a server may take, and what is done when it takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of the whole program. Above three quarters of it the largest consumers are read from no more, above
    /// all of it they are closed, WebSockets with 1013.
    pub bytes: u64,
}

impl Budget {
    /// Where it is not known what the machine has: enough for thousands of clients that read what they are sent.
    const UNKNOWN: Budget = Budget { bytes: 512 << 20 };

    fn of(machine: Option<u64>) -> Self {
        machine.map_or(Self::UNKNOWN, |bytes| Budget { bytes: bytes / 4 })
    }
}

impl Default for Budget {
    /// A quarter of what the machine has; 512 MiB where that is not known, which is everywhere but on Linux.
    fn default() -> Self {
        Budget::of(of_machine())
    }
}

/// How often it is looked what the program takes.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is to be done about the memory that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is enough.
    Enough,
    /// This is the excess in bytes: read no more from those that hold most.
    SlowDown(usize),
    /// This is the excess in bytes: close those that hold most.
    Shed(usize),
}

impl Budget {
    /// Whether somebody has to go when the program has `used` bytes.
    pub(super) fn is_exceeded(self, used: u64) -> bool {
        used > self.bytes
    }

    /// What is to be done when the program has `used` bytes. The excess counts from three
    /// quarters.
    pub(super) fn judge(self, used: u64) -> Verdict {
        let most = self.bytes / 4 * 3;
        let excess = usize::try_from(used.saturating_sub(most)).unwrap_or(usize::MAX);
        match used {
            _ if self.is_exceeded(used) => Verdict::Shed(excess),
            _ if used > most => Verdict::SlowDown(excess),
            _ => Verdict::Enough,
        }
    }
}

/// What the connections hold and the program takes, over time: whether there is something to give back.
#[derive(Debug)]
pub(super) struct Tide {
    highest: usize,
    lowest: u64,
    next: Instant,
}

impl Default for Tide {
    fn default() -> Self {
        Tide { highest: 0, lowest: u64::MAX, next: Instant::ZERO + Self::AGAIN }
    }
}

impl Tide {
    /// Less than this is not worth the time.
    const WORTH: usize = 8 << 20;

    /// So long after one time comes the next, as long as the program takes more than it once did: not only connections
    /// give memory up, and some that they held is given up later. It costs some milliseconds each time.
    const AGAIN: Duration = Duration::from_secs(30);

    /// Whether to give back, now that the connections hold so much and the program takes so much.
    pub(super) fn has_gone_out(&mut self, now: Instant, held: usize, used: u64) -> bool {
        self.highest = self.highest.max(held);
        self.lowest = self.lowest.min(used);
        let is_low = self.highest - held >= Self::WORTH.max(self.highest / 2);
        let is_due = now >= self.next && used - self.lowest >= Self::WORTH as u64;
        if is_low || is_due {
            self.highest = held;
            self.next = now + Self::AGAIN;
        }
        is_low || is_due
    }
}

/// Bytes of memory that the machine has, or that it lets this program have (cgroups(7)).
pub fn of_machine() -> Option<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let all = kilobytes("/proc/meminfo", "MemTotal:")?;
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| number(&text));
    Some(group.map_or(all, |group| group.min(all)))
}

/// Bytes of memory that this program has now (proc_pid_status(5)).
pub fn of_program() -> Option<u64> {
    kilobytes("/proc/self/status", "VmRSS:")
}

/// A line such as `VmRSS:     5432 kB`.
fn kilobytes(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Gives back to the system what was freed.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes a number, touches only what is free, and may be called from any thread (malloc_trim(3)).
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_depends_on_what_is_used() {
        let budget = Budget { bytes: 1000 };
        assert_eq!(budget.judge(750), Verdict::Enough);
        assert_eq!(budget.judge(751), Verdict::SlowDown(1));
        assert_eq!(budget.judge(1000), Verdict::SlowDown(250));
        assert_eq!(budget.judge(1001), Verdict::Shed(251));
        assert_eq!(Budget { bytes: u64::MAX }.judge(1 << 60), Verdict::Enough);
    }

    #[test]
    fn a_machine_that_does_not_tell_has_a_budget_too() {
        assert_eq!(Budget::of(Some(8 << 30)), Budget { bytes: 2 << 30 });
        assert_eq!(Budget::of(None), Budget { bytes: 512 << 20 });
    }

    #[test]
    fn memory_is_given_back_once_after_each_flood() {
        let mut tide = Tide::default();
        let mib = 1 << 20;
        let mut gone_out = |held| tide.has_gone_out(Instant::ZERO, held, 100 << 20);
        assert!(!gone_out(100 * mib));
        assert!(!gone_out(60 * mib));
        assert!(gone_out(50 * mib));
        assert!(!gone_out(49 * mib));
        assert!(gone_out(0));
        assert!(!gone_out(4 * mib));
        assert!(!gone_out(0), "too little to be worth it");
    }

    #[test]
    fn what_is_given_up_later_is_given_back_later() {
        let mut tide = Tide::default();
        let mut gone_out = |seconds, used: u64| {
            tide.has_gone_out(Instant::ZERO + Duration::from_secs(seconds), 0, used << 20)
        };
        assert!(!gone_out(0, 10));
        assert!(!gone_out(20, 90), "not yet");
        assert!(gone_out(31, 90));
        assert!(!gone_out(32, 90), "not again so soon");
        assert!(gone_out(62, 60), "there may be more of it now");
        assert!(!gone_out(100, 17), "as little as ever");
    }

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn what_was_freed_in_pieces_goes_back_to_the_system() {
        let machine = of_machine().expect("Linux says it");
        let before = of_program().expect("Linux says it");
        assert!((1 << 20..machine).contains(&before), "{before} of {machine}");
        // Every hundredth piece stays, so that no end of the heap is free.
        let mut pieces: Vec<Vec<u8>> = (0..200_000).map(|n| vec![n as u8; 1000]).collect();
        let full = of_program().expect("as above");
        let mut n = 0;
        pieces.retain(|_| {
            n += 1;
            n % 100 == 0
        });
        give_back();
        let after = of_program().expect("as above");
        // Other tests of this program may take some meanwhile.
        assert!(full - before > 150 << 20 && full - after > 100 << 20, "{before}, {full}, {after}");
        assert_eq!(pieces.len(), 2000);
    }
}
