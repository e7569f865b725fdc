//! How much memory there is, how much of it this program has, and giving back what it no longer needs.
//!
//! A program that has freed memory still has it: the C library keeps it for the next time, in pieces between those that are
//! in use. After a flood that may be hundreds of megabytes, for good. glibc gives them back when it is asked to
//! (malloc_trim(3)); other C libraries, and other systems, mind this themselves or do not.
#![allow(unsafe_code)] // malloc_trim has no safe wrapper; the one call is at the end of this file.

use std::fs;

use crate::base::Duration;

/// How much memory a server may take, and what is done when it takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of the whole program. Above three quarters of it the largest consumers are read from no more, above
    /// all of it they are closed, WebSockets with 1013.
    pub bytes: u64,
}

impl Default for Budget {
    /// A quarter of what the machine has; without end where that is not known.
    fn default() -> Self {
        Budget { bytes: of_machine().map_or(u64::MAX, |bytes| bytes / 4) }
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
    /// What is to be done when the program has `used` bytes. The excess counts from three
    /// quarters.
    pub(super) fn judge(self, used: u64) -> Verdict {
        let most = self.bytes / 4 * 3;
        let excess = usize::try_from(used.saturating_sub(most)).unwrap_or(usize::MAX);
        match used {
            _ if used > self.bytes => Verdict::Shed(excess),
            _ if used > most => Verdict::SlowDown(excess),
            _ => Verdict::Enough,
        }
    }
}

/// What the connections hold, over time: when it has become much less there is something to give back.
#[derive(Debug, Default)]
pub(super) struct Tide {
    highest: usize,
}

impl Tide {
    /// Less than this is not worth the time.
    const WORTH: usize = 8 << 20;

    /// Whether to give back, now that the connections hold so much.
    pub(super) fn has_gone_out(&mut self, held: usize) -> bool {
        self.highest = self.highest.max(held);
        let has_gone_out = self.highest - held >= Self::WORTH.max(self.highest / 2);
        if has_gone_out {
            self.highest = held;
        }
        has_gone_out
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
    fn memory_is_given_back_once_after_each_flood() {
        let mut tide = Tide::default();
        let mib = 1 << 20;
        assert!(!tide.has_gone_out(100 * mib));
        assert!(!tide.has_gone_out(60 * mib));
        assert!(tide.has_gone_out(50 * mib));
        assert!(!tide.has_gone_out(49 * mib));
        assert!(tide.has_gone_out(0));
        assert!(!tide.has_gone_out(4 * mib));
        assert!(!tide.has_gone_out(0), "too little to be worth it");
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
