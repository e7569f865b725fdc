//! What a host knows of its paths: the largest packet that gets to each destination in one piece (RFC 1191 §6.3, RFC
//! 8201 §5.2 and §5.3).
//!
//! A path is known by its destination, and only where it takes less than its first link. Who finds that out, a router
//! with its ICMP error or TCP with its probes, tells it here, and all that goes there is sent smaller from then on. What
//! is not heard of again grows old: after ten minutes, as a rule, the first link's size is worth a try again.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{Duration, Instant};

/// The most paths that are kept; the one that was heard of longest ago gives way.
pub const MOST_PATHS: usize = 1024;

/// No link's MTU is below this (RFC 791 §3.2), whatever a forger says.
const SMALLEST: u16 = 68;

/// The paths that take less than their first link.
#[derive(Debug)]
pub struct PathMtus {
    paths: BTreeMap<IpAddr, Path>,
    age: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Path {
    mtu: u16,
    heard: Instant,
}

impl PathMtus {
    /// None is known yet; each will be believed in for `age`.
    pub fn new(age: Duration) -> Self {
        PathMtus { paths: BTreeMap::new(), age }
    }

    /// The largest packet that gets to `to` in one piece, and until when that is believed; `None` when nothing says that
    /// it is smaller than what the first link takes.
    pub fn get(&self, now: Instant, to: IpAddr) -> Option<(u16, Instant)> {
        let path = self.paths.get(&to)?;
        let until = path.heard + self.age;
        (now < until).then_some((path.mtu, until))
    }

    /// Packets of `mtu` bytes get there, and larger ones do not, or were not tried yet. True when that is less than was
    /// known. One that is as large as the `first_link` takes is nothing special.
    pub fn learn(&mut self, now: Instant, to: IpAddr, mtu: u16, first_link: u16) -> bool {
        let mtu = mtu.max(SMALLEST);
        let before = self.get(now, to).map_or(first_link, |(mtu, _)| mtu);
        if mtu >= first_link {
            self.paths.remove(&to);
            return false;
        }
        if self.paths.len() >= MOST_PATHS && !self.paths.contains_key(&to) {
            let oldest = self.paths.iter().min_by_key(|(_, path)| path.heard).map(|(to, _)| *to);
            oldest.map(|to| self.paths.remove(&to));
        }
        self.paths.insert(to, Path { mtu, heard: now });
        mtu < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::internet::prefix::v4;

    const FAR: IpAddr = v4(192, 0, 2, 9);
    const AGE: Duration = Duration::from_secs(600);

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_path_is_believed_to_be_narrow_for_ten_minutes_after_it_was_last_said() {
        let mut paths = PathMtus::new(AGE);
        assert_eq!(paths.get(at(0), FAR), None);
        assert!(paths.learn(at(0), FAR, 1400, 1500));
        assert_eq!(paths.get(at(599), FAR), Some((1400, at(600))));
        assert_eq!(paths.get(at(599), v4(192, 0, 2, 8)), None, "another destination");
        assert!(paths.learn(at(599), FAR, 1300, 1500));
        assert_eq!(paths.get(at(1198), FAR), Some((1300, at(1199))));
        assert_eq!(paths.get(at(1199), FAR), None);
        assert!(paths.learn(at(1200), FAR, 1400, 1500), "less than the first link's, which holds again");
    }

    #[test]
    fn a_path_that_takes_more_again_is_nothing_special_when_it_is_as_wide_as_the_first_link() {
        let mut paths = PathMtus::new(AGE);
        assert!(paths.learn(at(0), FAR, 1024, 1500));
        assert!(!paths.learn(at(1), FAR, 1262, 1500));
        assert_eq!(paths.get(at(1), FAR).map(|(mtu, _)| mtu), Some(1262));
        assert!(!paths.learn(at(2), FAR, 1500, 1500));
        assert_eq!(paths.get(at(2), FAR), None);
        assert!(!paths.learn(at(2), FAR, 9000, 1500));
        assert!(paths.learn(at(3), FAR, 0, 1500));
        assert_eq!(paths.get(at(3), FAR).map(|(mtu, _)| mtu), Some(68));
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_gives_way() {
        let mut paths = PathMtus::new(AGE);
        let to = |n: usize| v4(10, 1, (n >> 8) as u8, n as u8);
        for n in 0..=MOST_PATHS {
            paths.learn(at(n as u64 / 10), to(n), 1400, 1500);
        }
        let now = at(MOST_PATHS as u64 / 10);
        assert_eq!(paths.paths.len(), MOST_PATHS);
        assert!(paths.get(now, to(0)).is_none() && paths.get(now, to(1)).is_some());
    }
}
