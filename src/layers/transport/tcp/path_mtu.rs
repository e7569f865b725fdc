//! The largest packets that the path takes, as TCP itself finds it out (RFC 4821; RFC 8899 §4.3 in its words).
//!
//! A router that finds a packet too big says so (RFC 1191), unless it is broken, or a filter drops all ICMP: a *black
//! hole* (RFC 2923 §2.1). The handshake works, small requests work, and the first full segment is sent over and over. So
//! when a segment that is larger than the base has timed out [`Config::r1`](super::Config::r1) times in a row (§7.7's
//! full-stop timeout), the connection goes on with the base, and with half of that after each further timeout.
//!
//! An outage looks the same. So once smaller segments arrive, larger ones are tried, and the very first as large as
//! before. A *probe* is a segment of data like any other, only larger, with enough behind it that its loss shows at once
//! (§7.4); and the loss of nothing but a probe says something of its size and nothing of congestion (§7.6.2). Between
//! what has passed and what was lost, the search halves. When it has come within [`NEAR`] bytes it rests for
//! [`Config::mtu_age`](super::Config::mtu_age), ten minutes as a rule, and then begins again: paths change (§7.3).
//!
//! IP learns what holds and keeps it for other connections, and this one learns from IP what those have found.
//!
//! Left out: the check for a path that is several with different MTUs (§7.8), probes of a program that has little to
//! send, and IPv6: sizes are of IPv4 packets.

use super::connection::Connection;
use super::header::MIN_HEADER_LEN;
use super::interface::Output;
use super::sender::Larger;
use crate::base::{Duration, Instant};
use crate::trace;

/// An IPv4 header without options, and a TCP header, in bytes: what an MTU loses before there is payload.
const HEADERS: usize = 20 + MIN_HEADER_LEN;

/// What nearly every path takes: §7.2's 1024.
const BASE: usize = 1024;

/// Every link carries packets of this size whole (RFC 791 §3.2).
const SMALLEST: usize = 68;

/// What is assumed of a path when a router from before RFC 1191 says "too big" but not how big: the packet size
/// that every host must take in (RFC 1122 §3.3.2).
const UNTOLD: usize = 576;

/// A search that has come so close is over: a header's options take more.
const NEAR: usize = 8;

/// The full segments that must be able to follow a probe: as many as it takes to see that it is lost (§7.4).
const BEHIND: usize = 3;

/// By how much longer the next probe waits after one whose loss no ACK showed (§7.6.3).
const AFTER_TIMEOUT: u64 = 5;

/// What a connection knows of its path, from the first doubt on. Sizes are of packets, in bytes.
#[derive(Debug)]
pub(super) struct PathMtu {
    /// What link and peer allow.
    most: usize,
    /// Larger ones are not tried in this search.
    high: usize,
    /// Nothing speaks against the largest of these: it was the size before, or a router has named it.
    is_likely: bool,
    /// When the next probe may go.
    next: Instant,
    probe: Option<Probe>,
    /// The size that holds now came of timeouts, and nothing of it has been acknowledged yet.
    doubtful: bool,
}

/// A segment that tries a size.
#[derive(Debug, Clone, Copy)]
struct Probe {
    start: u64,
    end: u64,
    size: usize,
}

impl PathMtu {
    /// A new search, from `next` on.
    fn new(most: usize, next: Instant) -> Box<PathMtu> {
        Box::new(PathMtu { most, high: most, is_likely: true, next, probe: None, doubtful: false })
    }

    /// The size to try next between what passes and what may.
    fn candidate(&self, passes: usize) -> usize {
        if self.is_likely { self.high } else { passes.midpoint(self.high + 1) }
    }

    /// Every size is possible again.
    fn begin_again(&mut self) {
        (self.high, self.is_likely) = (self.most, true);
    }
}

impl Connection {
    /// The largest packet that it sends now.
    fn packet_size(&self) -> usize {
        self.sender.mss + HEADERS
    }

    /// IP knows of this path that it takes packets of `mtu` bytes, and for how long it will believe that. What has been
    /// sent is not sent again for it (RFC 1191 §6.4): if it was lost, that will show.
    pub fn know_path(&mut self, mtu: u16, until: Instant) {
        let mtu = usize::from(mtu).max(SMALLEST);
        if mtu >= self.packet_size() {
            return;
        }
        let most = self.path.as_ref().map_or(self.packet_size(), |path| path.most);
        let next = if self.config.mtu_probing { until } else { Instant::NEVER };
        self.path = Some(PathMtu::new(most, next));
        self.take_size(mtu, "the path is known to take only smaller segments");
    }

    /// The handshake says how large segments may be at most; what IP knew before may be less.
    pub(super) fn bound_by_peer(&mut self, mss: u16) {
        let size = self.packet_size();
        let Some(path) = &mut self.path else { return };
        path.most = path.most.min(usize::from(mss) + HEADERS);
        path.begin_again();
        if size >= path.most {
            self.path = None;
        }
    }

    /// A router says that a packet of this connection was too big. What is in flight goes again (RFC 9293 §3.7.2).
    pub(super) fn packet_too_big(&mut self, now: Instant, told: u16) {
        // No link's MTU is below 68, whatever a forger says.
        let mtu = if told == 0 { UNTOLD } else { usize::from(told).max(SMALLEST) };
        let most = self.path.as_ref().map_or(self.packet_size(), |path| path.most);
        if mtu >= self.packet_size() {
            // The probe that it may be about is lost all the same.
            return self.bound_search(mtu);
        }
        let next = if self.config.mtu_probing { now + self.config.mtu_age } else { Instant::NEVER };
        self.path = Some(PathMtu::new(most, next));
        self.sender.lose_all_as_too_big();
        self.take_size(mtu, "the path takes only smaller segments");
        self.tell_ip();
    }

    /// Nothing larger than this passes.
    fn bound_search(&mut self, mtu: usize) {
        if let Some(path) = self.path.as_mut().filter(|path| path.probe.is_some()) {
            (path.high, path.is_likely) = (path.high.min(mtu), true);
        }
    }

    /// The retransmission timer went off, and not for the first time: do larger segments vanish? (§7.7)
    pub(super) fn suspect_black_hole(&mut self, now: Instant) {
        let (size, first) = (self.packet_size(), self.sender.first_len() + HEADERS);
        let smaller = if size > BASE { BASE } else { (size / 2).max(SMALLEST) };
        let full_stop = self.timeouts >= self.config.r1.max(1) && self.icmp_error.is_none();
        if !self.config.mtu_probing || !self.state.is_synchronized() || !full_stop || first <= smaller {
            return;
        }
        let most = self.path.as_ref().map_or(size, |path| path.most);
        // Nothing is tried before something has come through.
        self.path = Some(Box::new(PathMtu { doubtful: true, ..*PathMtu::new(most, now) }));
        self.take_size(smaller, "larger segments seem to vanish on the way");
        self.trace(|_| {
            let text = format!("a black hole? Packets of {size} bytes are never acknowledged: now {smaller}");
            trace::Kind::Note { text: text.into() }
        });
    }

    /// What was sent from `offset` on goes again.
    pub(super) fn goes_again(&mut self, now: Instant, offset: u64) {
        let probe = self.path.as_ref().and_then(|path| path.probe);
        if probe.is_some_and(|probe| (probe.start..probe.end).contains(&offset)) {
            self.probe_failed(now, 1);
        }
    }

    /// A probe that a timeout ended is lost, and the price was high.
    pub(super) fn probe_timed_out(&mut self, now: Instant) {
        if self.path.as_ref().is_some_and(|path| path.probe.is_some()) {
            self.probe_failed(now, AFTER_TIMEOUT);
        }
    }

    /// Something new has been acknowledged, all before `snd_una`.
    pub(super) fn path_answers(&mut self, now: Instant) {
        let una = self.sender.snd_una;
        let Some(path) = &mut self.path else { return };
        if std::mem::take(&mut path.doubtful) {
            // Smaller segments pass where larger ones did not.
            self.tell_ip();
        } else if let Some(probe) = path.probe.filter(|probe| probe.end <= una) {
            path.probe = None;
            let done = probe.size >= path.most;
            self.take_size(probe.size, "a larger segment has arrived");
            if done {
                self.path = None;
            } else {
                self.rest_when_near(now);
            }
            self.tell_ip();
        }
    }

    /// A loss shows. True when nothing is lost but a probe: that is no sign of congestion (§7.6.2).
    pub(super) fn only_a_probe_is_lost(&mut self, now: Instant) -> bool {
        let Some(probe) = self.path.as_ref().and_then(|path| path.probe) else { return false };
        let only = self.sender.is_all_that_is_lost(probe.start, probe.end);
        if self.sender.is_first_lost(probe.start, probe.end) {
            // With other losses beside it, it was lost by chance, perhaps: the same size again (§7.6.4).
            if only {
                self.probe_failed(now, 1);
            } else if let Some(path) = &mut self.path {
                path.probe = None;
            }
        }
        only
    }

    /// The next one has to wait as long as a loss by congestion is away (§7.6.2): a round trip for each segment of the
    /// window.
    fn probe_failed(&mut self, now: Instant, times: u64) {
        let segments = (self.cwnd().min(1 << 30) / self.sender.mss as u64).max(1);
        let srtt = self.rtt.srtt().unwrap_or(self.rtt.rto());
        let wait = Duration::from_nanos(srtt.as_nanos().saturating_mul(segments).saturating_mul(times));
        let Some(path) = &mut self.path else { return };
        if let Some(probe) = path.probe.take() {
            // Unless a router has named a size meanwhile.
            if probe.size <= path.high {
                (path.high, path.is_likely) = (probe.size - 1, false);
            }
            path.next = now + wait;
        }
        self.rest_when_near(now);
    }

    /// When little is to be gained any more, the search is over for a long while (§7.3).
    fn rest_when_near(&mut self, now: Instant) {
        let (size, age) = (self.packet_size(), self.config.mtu_age);
        if let Some(path) = &mut self.path
            && path.high < size + NEAR
        {
            path.begin_again();
            path.next = path.next.max(now + age);
        }
    }

    /// A segment that tries a size, if it is time and there is enough to send (§7.4). `options` are what its header's
    /// take.
    pub(super) fn path_probe(&mut self, now: Instant, options: usize) -> Larger {
        let Some(path) = self.path.as_ref() else { return Larger::No };
        if path.probe.is_some() || path.doubtful || now < path.next {
            return Larger::No;
        }
        let size = path.candidate(self.packet_size());
        let room = (size - HEADERS).saturating_sub(options);
        let larger = self.sender.larger(now, self.cwnd(), room, BEHIND);
        if let (Larger::Goes(piece), Some(path)) = (&larger, &mut self.path) {
            path.probe = Some(Probe { start: piece.offset, end: piece.end(), size });
        }
        larger
    }

    fn take_size(&mut self, size: usize, why: &'static str) {
        self.sender.mss = size - HEADERS;
        self.congestion.on_mss(self.sender.mss as u64);
        self.tell_cwnd(why);
    }

    /// IP learns what holds of the path: all else that goes there may need it.
    fn tell_ip(&mut self) {
        let size = self.packet_size();
        self.push(Output::PathMtu(size.min(usize::from(u16::MAX)) as u16));
    }
}
