//! What a capture tells of a segment's fate: sent again, out of order, or the one before it never seen; and what it does
//! to a window.
//!
//! A capture is not the network: what it missed may have arrived, and what it saw twice may have been lost in between. So
//! these are guesses, and it is worth something when two programs guess alike: the rules are those of the Wireshark User's
//! Guide, "TCP Analysis", and a test holds them against tshark. Positions are those of [`stream`](super::stream).

use super::Mark;

/// Milliseconds make the difference between a segment that was overtaken and one that was sent again, unless the round
/// trip of the handshake is known.
const OUT_OF_ORDER_NANOS: u64 = 3_000_000;
/// A fast retransmission follows duplicate acknowledgments at once.
const FAST_NANOS: u64 = 20_000_000;

/// What is known of one direction.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    /// The highest position seen, and when it was reached.
    next: Option<u64>,
    next_at: Option<u64>,
    /// Up to where an acknowledgment is no surprise: everything before was seen, or its absence was told.
    seen: Option<u64>,
    /// Its last acknowledgment of the other direction, and when.
    ack: Option<u64>,
    ack_at: Option<u64>,
    window: u16,
    /// The same in bytes, where its SYN was seen and so the scale is known.
    room: Option<u64>,
    duplicates: u32,
    /// Whether it was told that the other end acknowledges more than all that was seen.
    told: bool,
    syn_at: Option<u64>,
}

/// What of a segment matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) at: Option<u64>,
    pub(super) seq: u64,
    pub(super) len: u64,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) ack: Option<u64>,
    pub(super) window: u16,
    /// The same in bytes, where the scale is known.
    pub(super) room: Option<u64>,
}

/// Judges a segment that `me` sends to `peer`. `round_trip` is that of the handshake, once it is known.
pub(super) fn judge(
    me: &mut Sent,
    peer: &mut Sent,
    segment: Segment,
    round_trip: &mut Option<u64>,
) -> Vec<Mark> {
    let Segment { at, seq, len, syn, fin, rst, ack, window, room } = segment;
    let mut marks = Vec::new();
    let takes_room = len > 0 || syn || fin;
    let probe = len == 1 && me.next == Some(seq) && peer.window == 0 && peer.ack.is_some();
    let keep_alive = len <= 1 && !syn && !fin && !rst && me.next == Some(seq + 1);
    if !probe && !rst && me.next.is_some_and(|next| seq > next) {
        marks.push(Mark::PreviousNotCaptured);
    }
    if !probe && !syn && !fin && !rst {
        marks.extend(windows(me, peer, &segment));
    }
    let duplicate = len == 0
        && window != 0
        && window == me.window
        && me.next == Some(seq)
        && ack.is_some()
        && me.ack == ack
        && !syn
        && !fin
        && !rst;
    if duplicate {
        me.duplicates += 1;
        marks.push(Mark::DuplicateAck);
    }
    if ack != me.ack {
        me.duplicates = 0;
        me.told = false;
    }
    if let (Some(ack), Some(seen)) = (ack, peer.seen)
        && ack > seen
    {
        // Once is enough for a hole, and once for what lies behind all that was seen.
        let hole = peer.next > Some(seen);
        if hole {
            peer.seen = peer.next;
        }
        if hole || !std::mem::replace(&mut peer.told, true) {
            marks.push(Mark::AckedUnseen);
        }
    }
    let behind = me.next.is_some_and(|next| seq < next) && !(len > 1 && me.next == Some(seq + 1));
    if takes_room && !keep_alive && !probe {
        marks.extend(repeated(me, peer, &segment, behind, *round_trip));
    }
    let end = seq + len + u64::from(syn || fin);
    if !probe {
        if me.next.is_none_or(|next| end > next) {
            me.next = Some(end);
            me.next_at = at;
        }
        if me.seen.is_none() || me.seen == Some(seq) {
            me.seen = me.next;
        }
    }
    handshake(me, &segment, round_trip);
    if let Some(ack) = ack {
        me.ack = Some(ack);
        me.ack_at = at;
    }
    (me.window, me.room) = (window, room);
    marks
}

/// What a segment without SYN, FIN and RST does to a window.
fn windows(me: &Sent, peer: &Sent, segment: &Segment) -> impl Iterator<Item = Mark> {
    let Segment { seq, len, ack, window, .. } = *segment;
    let again = len == 0 && me.next == Some(seq) && ack.is_some() && me.ack == ack;
    let edge = peer.ack.zip(peer.room).map(|(ack, room)| ack + room);
    let marks = [
        (Mark::ZeroWindow, window == 0),
        (Mark::WindowUpdate, again && window != 0 && window != me.window),
        (Mark::WindowFull, len > 0 && edge == Some(seq + len)),
    ];
    marks.into_iter().filter_map(|(mark, is_so)| is_so.then_some(mark))
}

/// Whether a segment was sent again, and how that shows.
fn repeated(me: &Sent, peer: &Sent, segment: &Segment, behind: bool, round_trip: Option<u64>) -> Vec<Mark> {
    let Segment { at, seq, len, syn, fin, .. } = *segment;
    let since = |before: Option<u64>| Some(at?.saturating_sub(before?));
    if len > 0 && peer.ack.is_some_and(|acked| seq + len <= acked) {
        return vec![Mark::Retransmission, Mark::Spurious];
    }
    if !behind {
        return Vec::new();
    }
    let soon = |nanos: Option<u64>, limit: u64| nanos.is_some_and(|nanos| nanos < limit);
    if peer.duplicates >= 2 && peer.ack == Some(seq) && soon(since(peer.ack_at), FAST_NANOS) {
        return vec![Mark::Retransmission, Mark::Fast];
    }
    let end = seq + len + u64::from(syn || fin);
    if soon(since(me.next_at), round_trip.unwrap_or(OUT_OF_ORDER_NANOS)) && me.next != Some(end) {
        return vec![Mark::OutOfOrder];
    }
    vec![Mark::Retransmission]
}

/// The round trip of the handshake: from the SYN to the first ACK of the end that sent it.
fn handshake(me: &mut Sent, segment: &Segment, round_trip: &mut Option<u64>) {
    if segment.syn {
        me.syn_at = segment.at.filter(|_| segment.ack.is_none());
    } else if round_trip.is_none()
        && segment.ack.is_some()
        && let (Some(at), Some(syn_at)) = (segment.at, me.syn_at)
    {
        *round_trip = Some(at.saturating_sub(syn_at));
    }
}
