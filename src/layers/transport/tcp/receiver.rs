//! The receiving half: what is taken in, what is offered, and when to acknowledge (RFC 9293 §3.4, §3.8.6).
//!
//! Bounded by the receive buffer: the window never reaches past what the buffer can hold, and nothing outside the
//! window is taken in.
//!
//! Urgent data has no place of its own: it is delivered in line with the rest, and `urgent` tells of it.

use std::collections::VecDeque;

use bytes::Bytes;

use super::reassembly::Reassembly;
use super::sack::SackBlocks;
use super::seq::SeqNumber;

/// The largest buffer whose window fits the field with a scale of 14 (RFC 7323 §2.3).
const MAX_CAPACITY: usize = 1 << 30;

/// The receiving half of a connection. Offsets count from the peer's SYN, which is 0.
#[derive(Debug)]
pub(super) struct Receiver {
    /// The number of the peer's SYN, once it is known.
    pub(super) irs: Option<SeqNumber>,
    /// The next offset expected.
    pub(super) rcv_nxt: u64,
    /// The right edge of the window, as far as it was ever announced. It never moves back.
    rcv_adv: u64,
    /// How far our window field is shifted (RFC 7323 §2.2).
    shift: u8,
    capacity: u64,
    /// The size of a full segment.
    mss: u64,
    /// In order, not yet read.
    ready: VecDeque<Bytes>,
    ready_len: u64,
    early: Reassembly,
    /// The same as blocks to be announced, where selective acknowledgment was agreed on.
    blocks: Option<Box<SackBlocks>>,
    /// Where the peer's stream ends, once its FIN was seen.
    fin: Option<u64>,
    /// Whether that FIN's turn has come.
    ended: bool,
    pub(super) ack: AckNeed,
    /// Bytes that came in order since the last ACK.
    unacked: u64,
    pub(super) bytes_received: u64,
}

/// Whether an ACK is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AckNeed {
    None,
    /// It may wait for the delayed-ACK timer.
    Soon,
    Now,
}

/// What a segment brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// New bytes can be read.
    pub(super) bytes: bool,
    /// The stream is complete.
    pub(super) end: bool,
}

impl Receiver {
    pub(super) fn new(capacity: usize, mss: u16) -> Self {
        Receiver {
            irs: None,
            rcv_nxt: 0,
            rcv_adv: 0,
            shift: 0,
            capacity: capacity.clamp(1, MAX_CAPACITY) as u64,
            mss: u64::from(mss.max(1)),
            ready: VecDeque::new(),
            ready_len: 0,
            early: Reassembly::default(),
            blocks: None,
            fin: None,
            ended: false,
            ack: AckNeed::None,
            unacked: 0,
            bytes_received: 0,
        }
    }

    /// The scale that lets the whole buffer be offered.
    pub(super) fn wanted_shift(&self) -> u8 {
        (0..14).find(|shift| self.capacity >> shift <= u64::from(u16::MAX)).unwrap_or(14)
    }

    /// The peer's SYN is here. The window that our own SYN announced counts from now on. `mss` is the size of full
    /// segments in this connection.
    pub(super) fn open(&mut self, irs: SeqNumber, shift: u8, mss: usize) {
        self.rcv_nxt = 1;
        self.shift = shift;
        self.capacity = self.capacity.min(u64::from(u16::MAX) << shift);
        self.rcv_adv = 1 + u64::from(self.syn_window());
        self.irs = Some(irs);
        self.mss = mss as u64;
    }

    /// The window field of a SYN, which is never scaled (RFC 7323 §2.2). Bytes that came with the peer's SYN have
    /// taken their part of it.
    pub(super) fn syn_window(&self) -> u16 {
        let room = if self.irs.is_some() { self.rcv_wnd() } else { self.capacity };
        room.min(u64::from(u16::MAX)) as u16
    }

    /// What the peer may send beyond `rcv_nxt`.
    pub(super) fn rcv_wnd(&self) -> u64 {
        self.rcv_adv - self.rcv_nxt
    }

    /// The window field for a segment that is being sent, and with it the promise.
    ///
    /// The right edge moves on only in steps worth a segment (RFC 9293 §3.8.6.2.2, against silly windows) and never
    /// back. With a scale the field can only hold multiples of 2^shift: it is rounded up if the buffer has room for
    /// that, else down, and what was promised before is taken in nevertheless (RFC 7323 §2.4).
    pub(super) fn window_field(&mut self) -> u16 {
        let limit = self.limit();
        let edge = if limit >= self.rcv_adv + self.worthwhile() { limit } else { self.rcv_adv };
        let mut field = (edge - self.rcv_nxt) >> self.shift;
        let told = |field: u64| self.rcv_nxt + (field << self.shift);
        if told(field) < self.rcv_adv && told(field + 1) <= limit {
            field += 1;
        }
        let field = field.min(u64::from(u16::MAX));
        self.rcv_adv = self.rcv_adv.max(told(field));
        field as u16
    }

    /// An ACK was sent, by itself or with data.
    pub(super) fn acknowledged(&mut self) {
        self.ack = AckNeed::None;
        self.unacked = 0;
        if let Some(blocks) = &mut self.blocks {
            blocks.told();
        }
    }

    /// The acceptability test of RFC 9293 §3.4 for a segment at offset `start` that takes `len` sequence numbers.
    ///
    /// Two exceptions. An empty segment may be *at* the right edge: a peer that has filled our window sends its
    /// ACKs from there, and to drop them would stall both ends when its data was lost. And a segment that covers
    /// the window on both sides is taken for what it covers.
    pub(super) fn is_acceptable(&self, start: i64, len: u32) -> bool {
        let (nxt, adv) = (self.rcv_nxt.cast_signed(), self.rcv_adv.cast_signed());
        if len == 0 { nxt <= start && start <= adv } else { start < adv && start + i64::from(len) > nxt }
    }

    /// Takes in the part of `payload`, which begins at offset `start`, that lies in the window, and the FIN after it
    /// (RFC 9293 §3.10.7.4, seventh and eighth). `delay` says whether an ACK may wait.
    pub(super) fn take_in(&mut self, start: i64, payload: &Bytes, fin: bool, delay: bool) -> Brought {
        let end = start + payload.len() as i64;
        if self.ended || self.irs.is_none() {
            return Brought::default();
        }
        if fin && (self.rcv_nxt..self.rcv_adv).contains(&end.max(0).cast_unsigned()) {
            self.fin.get_or_insert(end.cast_unsigned());
        }
        let right = self.fin.unwrap_or(u64::MAX).min(self.rcv_adv);
        let (from, to) = (start.max(self.rcv_nxt.cast_signed()), end.min(right.cast_signed()));
        let text = if from == start && to == end {
            payload.clone()
        } else if from < to {
            payload.slice((from - start) as usize..(to - start) as usize)
        } else {
            Bytes::new()
        };
        self.note_duplicate(start, end);
        let before = self.rcv_nxt;
        let filled_a_gap = !self.early.is_empty();
        if from == before.cast_signed() {
            self.append(text);
            while let Some(next) = self.early.take(self.rcv_nxt) {
                self.append(next);
            }
        } else {
            let (from, to) = (from.cast_unsigned(), to.max(from).cast_unsigned());
            // A FIN that came early has arrived as data has: else the sender would repeat it alone.
            let fin = u64::from(fin && self.fin == Some(to));
            if let Some(blocks) = &mut self.blocks
                && from < to + fin
            {
                blocks.insert(from, to + fin);
            }
            self.early.insert(from, text);
        }
        let bytes = self.rcv_nxt > before;
        if bytes && let Some(blocks) = &mut self.blocks {
            blocks.acknowledged(self.rcv_nxt);
        }
        let end = self.fin == Some(self.rcv_nxt);
        if end {
            self.rcv_nxt += 1;
            self.ended = true;
            self.early.clear();
        }
        if !payload.is_empty() || fin {
            self.owe_ack(delay && bytes && !end && !filled_a_gap, self.rcv_nxt - before);
        }
        Brought { bytes, end }
    }

    /// Bytes from offset `start` to `end` have come: what of it came before, the next ACK reports.
    pub(super) fn note_duplicate(&mut self, start: i64, end: i64) {
        if let Some(blocks) = &mut self.blocks {
            blocks.note_duplicate(start, end, self.rcv_nxt);
        }
    }

    /// Decides when to acknowledge (RFC 9293 §3.8.6.3, RFC 5681 §4.2): whatever is not the plain next segment is
    /// acknowledged at once, so that the sender learns of holes and of their end.
    fn owe_ack(&mut self, may_wait: bool, bytes: u64) {
        self.unacked += bytes;
        let soon = may_wait && self.unacked < 2 * self.mss && self.ack != AckNeed::Now;
        self.ack = if soon { AckNeed::Soon } else { AckNeed::Now };
    }

    fn append(&mut self, bytes: Bytes) {
        let len = bytes.len() as u64;
        if len > 0 {
            self.rcv_nxt += len;
            self.ready_len += len;
            self.bytes_received += len;
            self.ready.push_back(bytes);
        }
    }

    /// The next bytes in order, at most `max`.
    pub(super) fn read(&mut self, max: usize) -> Option<Bytes> {
        let first = self.ready.front_mut().filter(|_| max > 0)?;
        let bytes = if first.len() <= max { self.ready.pop_front()? } else { first.split_to(max) };
        if self.ready.is_empty() {
            // Back to its first place: the queues of many connections touch less memory then.
            self.ready.clear();
        }
        self.ready_len -= bytes.len() as u64;
        Some(bytes)
    }

    /// Whether reading has made enough room for a window update without being asked: the peer could not send a
    /// full segment before, or half the buffer has become free. While data flows, the ACKs announce it anyway.
    pub(super) fn wants_window_update(&self) -> bool {
        let gain = self.limit().saturating_sub(self.rcv_adv);
        let tellable = gain >= self.worthwhile().max(1 << self.shift);
        tellable && !self.ended && (self.rcv_wnd() < self.mss || gain * 2 >= self.capacity)
    }

    /// The offset behind all that the program has read; the SYN counts as read.
    pub(super) fn read_offset(&self) -> u64 {
        1 + self.bytes_received - self.ready_len
    }

    pub(super) fn readable(&self) -> usize {
        self.ready_len as usize
    }

    /// True when all is read and nothing can follow.
    pub(super) fn at_end(&self) -> bool {
        self.ended && self.ready.is_empty()
    }

    /// True when the FIN has come, and everything before it.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Both ends have agreed on selective acknowledgment.
    pub(super) fn permit_sack(&mut self) {
        self.blocks = Some(Box::default());
    }

    /// The blocks to tell in an ACK, at most `most` of them, as sequence numbers.
    pub(super) fn sack_blocks(&self, most: usize) -> Vec<(SeqNumber, SeqNumber)> {
        let (Some(blocks), Some(irs)) = (&self.blocks, self.irs) else { return Vec::new() };
        let number = |offset| SeqNumber::of_offset(irs, offset);
        blocks.first(most).map(|(start, end)| (number(start), number(end))).collect()
    }

    /// Forgets all data, early and ready. A stream of which something is forgotten has no end to read.
    pub(super) fn clear(&mut self) {
        self.ended &= self.ready.is_empty();
        self.ready.clear();
        self.ready_len = 0;
        self.early.clear();
        self.acknowledged();
    }

    /// The offset up to which the buffer has room.
    fn limit(&self) -> u64 {
        self.rcv_nxt + (self.capacity.saturating_sub(self.ready_len))
    }

    /// By how much the right edge must move to be worth telling.
    fn worthwhile(&self) -> u64 {
        (self.capacity / 2).min(self.mss).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISN: SeqNumber = SeqNumber(0);

    fn open(capacity: usize, shift: u8) -> Receiver {
        let mut receiver = Receiver::new(capacity, 100);
        receiver.open(ISN, shift, 100);
        receiver
    }

    fn bytes(len: usize) -> Bytes {
        Bytes::from(vec![7; len])
    }

    #[test]
    fn the_acceptability_table_holds() {
        let receiver = open(10, 0);
        for (start, len, accepted) in [
            (1, 0, true),
            (0, 0, false),
            (11, 0, true),
            (12, 0, false),
            (0, 1, false),
            (0, 2, true),
            (10, 5, true),
            (11, 1, false),
            (0, 50, true),
        ] {
            assert_eq!(receiver.is_acceptable(start, len), accepted, "{start} {len}");
        }
        let mut closed = open(10, 0);
        closed.take_in(1, &bytes(10), false, false);
        assert_eq!((closed.rcv_nxt, closed.rcv_wnd()), (11, 0));
        assert!(closed.is_acceptable(11, 0) && !closed.is_acceptable(11, 1));
    }

    #[test]
    fn only_what_lies_in_the_window_is_taken() {
        let mut receiver = open(10, 0);
        assert!(receiver.take_in(-3, &bytes(50), true, false).bytes);
        assert_eq!((receiver.readable(), receiver.rcv_nxt), (10, 11));
        // The FIN lay beyond the window and comes again later.
        receiver.read(10);
        receiver.window_field();
        assert!(receiver.take_in(11, &bytes(0), true, false).end);
        assert_eq!(receiver.rcv_nxt, 12);
        assert!(receiver.at_end());
    }

    #[test]
    fn an_early_fin_waits_for_what_is_before_it() {
        let mut receiver = open(100, 0);
        assert_eq!(receiver.take_in(6, &bytes(5), true, false), Brought::default());
        assert_eq!(receiver.take_in(1, &bytes(5), false, false), Brought { bytes: true, end: true });
        assert_eq!((receiver.readable(), receiver.rcv_nxt), (10, 12));
    }

    #[test]
    fn an_early_fin_is_in_the_block_of_what_came_with_it() {
        for len in [0, 5] {
            let mut receiver = open(100, 0);
            receiver.blocks = Some(Box::default());
            receiver.take_in(6, &bytes(len), true, false);
            let blocks: Vec<_> = receiver.blocks.iter().flat_map(|blocks| blocks.first(3)).collect();
            assert_eq!(blocks, [(6, 7 + len as u64)]);
        }
    }

    #[test]
    fn a_scaled_window_is_rounded_up_while_the_buffer_has_room_and_what_was_told_is_taken() {
        // 8-byte steps.
        let mut receiver = open(1_000, 3);
        assert_eq!(receiver.window_field(), 125);
        receiver.take_in(1, &bytes(1), false, false);
        // 999 bytes of room, and the buffer is full after them: the field can only say 992.
        assert_eq!(receiver.window_field(), 124);
        assert!(receiver.is_acceptable(1_000, 1));
        // The byte is read: 1000 again fits, and takes back nothing.
        receiver.read(1);
        assert_eq!(receiver.window_field(), 125);
    }

    #[test]
    fn every_second_full_segment_is_acknowledged_at_once() {
        let mut receiver = open(1_000, 0);
        receiver.take_in(1, &bytes(100), false, true);
        assert_eq!(receiver.ack, AckNeed::Soon);
        receiver.take_in(101, &bytes(100), false, true);
        assert_eq!(receiver.ack, AckNeed::Now);
        receiver.acknowledged();
        receiver.take_in(300, &bytes(100), false, true);
        assert_eq!(receiver.ack, AckNeed::Now);
    }
}
