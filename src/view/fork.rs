//! Two runs of one scene, of which one has other fates for some frames: what differs, and what it cost.
//!
//! A frame of one run is found in the other by what it is, not by when: its ends, and what it says; of several that are
//! alike the first is the first one's, and so on. It differs where the other run has none, or another fate for it. So a run that only waits longer differs where it
//! was disturbed, and no more. Timestamps and windows of TCP do not count: they follow the time.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Columns;
use super::dissect::{TracedPacket, What, dissect_trace};
use super::ladder::{self, LadderOptions, Side};
use super::look::{Look, escape, fit, grouped};
use super::sheet::{Line, Sheet, Subject, Tone, width, wrap};
use crate::base::{Duration, Instant};
use crate::layers::physical::delay::FCS_LEN;
use crate::trace::{Kind, PlaceId, Trace};

/// Two runs of one scene.
#[derive(Debug)]
pub struct Pair<'a> {
    before: &'a Trace,
    after: &'a Trace,
    only_before: BTreeSet<Subject>,
    only_after: BTreeSet<Subject>,
    figures: [Figures; 2],
}

/// What a run cost, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Frames sent.
    pub frames: u64,
    /// Bytes of all frames, their check sequences included.
    pub bytes: u64,
    /// Segments that TCP sent again.
    pub again: u64,
    /// Frames that were lost, or refused where they arrived.
    pub lost: u64,
    /// When a program last read bytes.
    pub last_read: Option<Instant>,
    /// When the last frame was sent or arrived.
    pub last_frame: Option<Instant>,
    /// What the programs of each host read, connection by connection.
    read: BTreeMap<(PlaceId, String), Vec<u8>>,
    /// The last state of the connections of each host, in the order in which they were opened.
    states: BTreeMap<PlaceId, Vec<&'static str>>,
}

impl<'a> Pair<'a> {
    /// Finds what differs between a run as it was, and with other fates.
    pub fn of(before: &'a Trace, after: &'a Trace) -> Self {
        let [mut only_before, mut only_after] = [BTreeSet::new(), BTreeSet::new()];
        let (mut left, right) = (by_likeness(before), by_likeness(after));
        for (likeness, is) in right {
            let was = left.remove(&likeness).unwrap_or_default();
            for ((was, _), (is, _)) in was.iter().zip(&is).filter(|(was, is)| was.1 != is.1) {
                only_before.insert(*was);
                only_after.insert(*is);
            }
            only_after.extend(is.iter().skip(was.len()).map(|(subject, _)| *subject));
            only_before.extend(was.iter().skip(is.len()).map(|(subject, _)| *subject));
        }
        only_before.extend(left.into_values().flatten().map(|(subject, _)| subject));
        Pair { before, after, only_before, only_after, figures: [Figures::of(before), Figures::of(after)] }
    }

    /// Whether both runs are the same, but for the times.
    pub fn is_same(&self) -> bool {
        self.only_before.is_empty() && self.only_after.is_empty()
    }

    /// The figures of the run as it was, and with other fates.
    pub fn figures(&self) -> &[Figures; 2] {
        &self.figures
    }

    /// Both ladders, with what differs marked.
    pub fn ladders(&self, look: &Look, options: LadderOptions) -> Sheet {
        let sides = [
            Side { title: "as it was", trace: self.before, differs: &self.only_before },
            Side { title: "what if", trace: self.after, differs: &self.only_after },
        ];
        ladder::pair(sides, look, options)
    }

    /// What differs, in figures and in words.
    pub fn account(&self, look: &Look) -> Sheet {
        let mut sheet = self.table().draw(look);
        sheet.push(Line::new());
        for sentence in self.sentences() {
            let columns = look.columns().min(80);
            sheet.say(wrap(&look.prose(&sentence), columns).join("\n"), Tone::Plain);
        }
        sheet
    }

    fn table(&self) -> Columns {
        let [before, after] = &self.figures;
        let count = |of: fn(&Figures) -> u64, what: &str| {
            let (was, is) = (of(before), of(after));
            vec![what.to_owned(), grouped(was), grouped(is), more(was, is)]
        };
        let time = |of: fn(&Figures) -> Option<Instant>, what: &str| {
            let (was, is) = (of(before), of(after));
            vec![what.to_owned(), at(was), at(is), later(was, is)]
        };
        let rows = vec![
            count(|figures| figures.frames, "frames"),
            count(|figures| figures.bytes, "bytes of all frames"),
            count(|figures| figures.again, "segments sent again"),
            count(|figures| figures.lost, "frames lost or refused"),
            count(Figures::bytes_read, "bytes that programs read"),
            time(|figures| figures.last_read, "last of them read at"),
            time(|figures| figures.last_frame, "last frame at"),
        ];
        Columns::new(&["", "as it was", "what if", "change"], rows)
    }

    /// What came of it.
    fn sentences(&self) -> Vec<String> {
        if self.is_same() {
            let [before, after] = &self.figures;
            let times = before.last_frame == after.last_frame && before.last_read == after.last_read;
            let but = if times { "" } else { ", but for the times" };
            return vec![format!(
                "Nothing differs{but}: the other run has the same frames with the same fates."
            )];
        }
        let mut said = Vec::new();
        if let Some(first) = self.first_difference() {
            let frames = |only: &BTreeSet<Subject>| {
                only.iter().filter(|subject| matches!(subject, Subject::Frame(_))).count()
            };
            let (gone, new) = (frames(&self.only_before), frames(&self.only_after));
            let frames = |n: usize| format!("{n} frame{}", if n == 1 { "" } else { "s" });
            said.push(format!(
                "Both runs are the same until {}; from there on {} of the first and {} of the second are marked.",
                millis(first),
                frames(gone),
                frames(new)
            ));
        }
        said.push(self.outcome());
        said.extend(self.endings());
        said
    }

    /// What the programs read.
    fn outcome(&self) -> String {
        let parts = self.misread();
        if !parts.is_empty() {
            return format!("The outcome differs: {}.", parts.join("; "));
        }
        let [before, after] = &self.figures;
        match (before.bytes_read(), before.last_read, after.last_read) {
            (0, ..) => "No program reads a byte in either.".into(),
            (_, Some(was), Some(is)) if was < is => {
                format!(
                    "The outcome is the same, byte for byte, but {} later.",
                    millis(Instant::ZERO + is.since(was))
                )
            }
            (_, Some(was), Some(is)) if is < was => {
                format!(
                    "The outcome is the same, byte for byte, and {} sooner.",
                    millis(Instant::ZERO + was.since(is))
                )
            }
            _ => "The outcome is the same, byte for byte, at the same time.".into(),
        }
    }

    /// What the programs of each host read other than before.
    fn misread(&self) -> Vec<String> {
        let [before, after] = &self.figures;
        let mut hosts: Vec<PlaceId> =
            before.read.keys().chain(after.read.keys()).map(|(at, _)| *at).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let of = |figures: &Figures, host: PlaceId| -> Vec<Vec<u8>> {
            let mut streams: Vec<_> = figures
                .read
                .iter()
                .filter(|((at, _), _)| *at == host)
                .map(|(_, bytes)| bytes.clone())
                .collect();
            streams.retain(|bytes| !bytes.is_empty());
            streams
        };
        let differs = |host: &PlaceId| of(before, *host) != of(after, *host);
        let tell = |host: PlaceId| {
            let name = escape(self.before.name(host));
            let (was, is) = (of(before, host).concat().len(), of(after, host).concat().len());
            match was == is {
                true => format!("{name} reads as many bytes, but not the same, or not in that order"),
                false => {
                    format!("{name} reads {} B instead of {} B", grouped(is as u64), grouped(was as u64))
                }
            }
        };
        hosts.into_iter().filter(differs).map(tell).collect()
    }

    /// The connections that end in another state.
    fn endings(&self) -> Option<String> {
        let [before, after] = &self.figures;
        let hosts = before.states.keys().chain(after.states.keys()).collect::<BTreeSet<_>>();
        let none = Vec::new();
        let mut parts = Vec::new();
        for host in hosts {
            let was = before.states.get(host).unwrap_or(&none);
            let is = after.states.get(host).unwrap_or(&none);
            let name = escape(self.before.name(*host));
            if was.len() != is.len() {
                parts.push(format!("{name} has {} connections instead of {}", is.len(), was.len()));
                continue;
            }
            for (was, is) in was.iter().zip(is).filter(|(was, is)| was != is) {
                parts.push(format!("that of {name} ends in {is} instead of {was}"));
            }
        }
        (!parts.is_empty()).then(|| format!("Of the connections {}.", parts.join("; ")))
    }

    /// When the first event of one run is not that of the other.
    fn first_difference(&self) -> Option<Instant> {
        let (before, after) = (&self.before.events, &self.after.events);
        let at = before.iter().zip(after).position(|(was, is)| was != is);
        let at = at.unwrap_or_else(|| before.len().min(after.len()));
        let times = [before.get(at), after.get(at)];
        times.into_iter().flatten().map(|event| event.at).min()
    }
}

impl Figures {
    fn of(run: &Trace) -> Self {
        let mut figures = Figures {
            frames: 0,
            bytes: 0,
            again: 0,
            lost: 0,
            last_read: None,
            last_frame: None,
            read: BTreeMap::new(),
            states: BTreeMap::new(),
        };
        let mut connections: BTreeMap<(PlaceId, String), usize> = BTreeMap::new();
        for event in &run.events {
            match &event.kind {
                Kind::Sent { bytes, .. } => {
                    figures.frames += 1;
                    figures.bytes += (bytes.len() + FCS_LEN) as u64;
                    figures.last_frame = Some(event.at);
                }
                Kind::Delivered { .. } => figures.last_frame = Some(event.at),
                Kind::Dropped { .. } | Kind::Discarded { .. } => figures.lost += 1,
                Kind::Retransmitted { .. } => figures.again += 1,
                Kind::AppRead { flow, bytes } if !bytes.is_empty() => {
                    figures.last_read = Some(event.at);
                    figures.read.entry((event.place, flow.to_string())).or_default().extend_from_slice(bytes);
                }
                Kind::StateChanged { flow, to, .. } => {
                    let states = figures.states.entry(event.place).or_default();
                    let number = *connections.entry((event.place, flow.to_string())).or_insert(states.len());
                    match states.get_mut(number) {
                        Some(state) => *state = to,
                        None => states.push(to),
                    }
                }
                _ => {}
            }
        }
        figures
    }

    /// All that programs read, in bytes.
    pub fn bytes_read(&self) -> u64 {
        self.read.values().map(|bytes| bytes.len() as u64).sum()
    }
}

/// A frame or an event, and of a frame what became of it.
type Found = (Subject, Option<[bool; 6]>);

/// The frames of a run, and what its hosts did, by what they are; those that are alike in their order.
fn by_likeness(run: &Trace) -> BTreeMap<String, Vec<Found>> {
    let mut found: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    let fates = run.fates();
    for packet in dissect_trace(run) {
        let fate = fates.get(&packet.frame).map(|fate| {
            let rules = [fate.dropped_by, fate.corrupted_by, fate.duplicated_by, fate.delayed_by];
            let [lost, corrupted, doubled, delayed] = rules.map(|rule| rule.is_some());
            [lost, corrupted, doubled, delayed, fate.discarded.is_some(), fate.delivered.is_some()]
        });
        let likeness = format!("{:?} {:?} {}", packet.from, packet.to, says(&packet));
        found.entry(likeness).or_default().push((Subject::Frame(packet.frame), fate));
    }
    for (index, event) in run.events.iter().enumerate() {
        let what = match &event.kind {
            Kind::StateChanged { to, .. } => format!("state {to}"),
            Kind::AppRead { bytes, .. } => format!("read {bytes:?}"),
            Kind::AppWrote { bytes, .. } => format!("wrote {bytes:?}"),
            Kind::MessageReceived { len, .. } => format!("got {len}"),
            Kind::MessageSent { len, .. } => format!("said {len}"),
            Kind::Note { text } => format!("note {text}"),
            _ => continue,
        };
        found.entry(format!("{:?} {what}", event.place)).or_default().push((Subject::Event(index), None));
    }
    found
}

fn says(packet: &TracedPacket) -> String {
    let summary = &packet.packet.summary;
    match &summary.what {
        What::Tcp(tcp) => {
            let ends = (&summary.source, &summary.destination);
            format!("{ends:?} {:?} {} {:?} {}", tcp.flags, tcp.seq, tcp.ack, tcp.len)
        }
        _ => summary.info(),
    }
}

/// What the loss of one frame cost.
#[derive(Debug, Clone)]
pub struct Cost {
    /// The number of the frame.
    pub frame: u64,
    /// The host that sends it, and what it says.
    from: String,
    says: String,
    /// Bytes that programs no longer read.
    unread: u64,
    /// What programs read is not the same.
    harmed: bool,
    /// How much later the last byte was read, or the last frame was seen, in nanoseconds; negative when sooner.
    later: i64,
    frames: i64,
    bytes: i64,
    again: i64,
}

/// Which loss costs most: a row a frame.
#[derive(Debug)]
pub struct Costs {
    /// The costliest first; those that cost the same in the order of their numbers.
    costs: Vec<Cost>,
}

/// The most cells for what a frame says.
const SAYS: usize = 28;
/// Rows that a table shows.
const MOST_ROWS: usize = 40;

impl Costs {
    /// Of a run, and of those in which one frame was lost, by its number.
    pub fn of<'a>(run: &Trace, losses: impl IntoIterator<Item = (u64, &'a Trace)>) -> Self {
        let packets = dissect_trace(run);
        let was = Figures::of(run);
        let cost = |(frame, other): (u64, &Trace)| {
            let is = Figures::of(other);
            let packet = packets.get(usize::try_from(frame).ok()?.checked_sub(1)?)?;
            let less = |(place, bytes): (&(PlaceId, String), &Vec<u8>)| {
                (bytes.len() as u64).saturating_sub(is.read.get(place).map_or(0, |read| read.len() as u64))
            };
            let times = match (was.last_read, is.last_read) {
                (Some(was), Some(is)) => (was, is),
                _ => (was.last_frame?, is.last_frame.unwrap_or(Instant::ZERO)),
            };
            let difference = |was: u64, is: u64| {
                let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
                signed(is).saturating_sub(signed(was))
            };
            Some(Cost {
                frame,
                from: escape(run.name(packet.from)),
                says: packet.packet.summary.brief(false),
                unread: was.read.iter().map(less).sum(),
                harmed: was.read != is.read,
                later: difference(times.0.as_nanos(), times.1.as_nanos()),
                frames: difference(was.frames, is.frames),
                bytes: difference(was.bytes, is.bytes),
                again: difference(was.again, is.again),
            })
        };
        let mut costs: Vec<Cost> = losses.into_iter().filter_map(cost).collect();
        costs.sort_by_key(|cost| (std::cmp::Reverse(cost.weight()), cost.frame));
        Costs { costs }
    }

    /// The number of the frame whose loss costs most, and how many others cost as much.
    pub fn costliest(&self) -> Option<(u64, usize)> {
        let first = self.costs.first()?;
        let same = self.costs.iter().skip(1).filter(|cost| cost.weight() == first.weight()).count();
        Some((first.frame, same))
    }

    /// Whether the loss of this frame costs as much as any.
    pub fn is_costliest(&self, frame: u64) -> bool {
        let Some(most) = self.costs.first() else { return false };
        self.costs.iter().any(|cost| cost.frame == frame && cost.weight() == most.weight())
    }

    /// The frames, the costliest first.
    pub fn frames(&self) -> impl Iterator<Item = u64> {
        self.costs.iter().map(|cost| cost.frame)
    }

    /// The table, the costliest loss first.
    pub fn draw(&self, look: &Look) -> Sheet {
        let row = |cost: &Cost| {
            vec![
                cost.frame.to_string(),
                cost.from.clone(),
                fit(&cost.says, SAYS.min(width(&cost.says)), look),
                signed_time(cost.later),
                signed(cost.frames),
                signed(cost.bytes),
                signed(cost.again),
                cost.outcome(),
            ]
        };
        let rows = self.costs.iter().take(MOST_ROWS).map(row).collect();
        let headings = ["lost", "from", "says", "later", "frames", "bytes", "again", "programs read"];
        let mut sheet = Columns::new(&headings, rows).draw(look);
        let left = self.costs.len().saturating_sub(MOST_ROWS);
        if left > 0 {
            sheet.push(Line::of(format!("{left} more cost no more than the last of these"), Tone::Faint));
        }
        sheet
    }

    /// What the table says, in a sentence or two.
    pub fn in_words(&self) -> String {
        let Some(most) = self.costs.first() else { return "No frame is sent.".into() };
        if !most.harmed && (most.later, most.frames, most.bytes) <= (0, 0, 0) {
            return "No loss costs anything here.".into();
        }
        let what = match (most.unread, most.harmed) {
            (0, false) if most.later > 0 => {
                format!("all is read {} later", signed_time(most.later).trim_start_matches('+'))
            }
            (0, false) => format!("it costs {} frames and {} bytes", signed(most.frames), signed(most.bytes)),
            (0, true) => "programs read other bytes".into(),
            (1, _) => "1 byte is not read by the end".into(),
            (unread, _) => format!("{} bytes are not read by the end", grouped(unread)),
        };
        let same = self.costliest().map_or(0, |(_, same)| same);
        let others = match same {
            0 => String::new(),
            1 => ", and one other costs as much".into(),
            n => format!(", and {n} others cost as much"),
        };
        let free = self.costs.iter().filter(|cost| !cost.harmed && cost.later <= 0).count();
        let free = match free {
            0 => "Every loss costs time, or bytes.".into(),
            1 => "One loss costs no time.".into(),
            n => format!("{n} losses cost no time."),
        };
        format!("The loss of frame {} costs most: {what}{others}. {free}", most.frame)
    }
}

impl Cost {
    /// Bytes that never come weigh more than time, and time more than frames.
    fn weight(&self) -> (u64, bool, i64, i64, i64) {
        (self.unread, self.harmed, self.later, self.frames, self.bytes)
    }

    fn outcome(&self) -> String {
        match (self.unread, self.harmed) {
            (0, false) => "the same".into(),
            (0, true) => "other bytes".into(),
            (unread, _) => format!("{} B less", grouped(unread)),
        }
    }
}

fn more(was: u64, is: u64) -> String {
    let difference = i64::try_from(is).unwrap_or(i64::MAX) - i64::try_from(was).unwrap_or(i64::MAX);
    signed(difference)
}

fn signed(difference: i64) -> String {
    match difference {
        0 => "=".into(),
        1.. => format!("+{}", grouped(difference.unsigned_abs())),
        _ => format!("-{}", grouped(difference.unsigned_abs())),
    }
}

fn signed_time(nanos: i64) -> String {
    let nanos = if nanos.unsigned_abs() < 50_000 { 0 } else { nanos };
    let time = millis(Instant::ZERO + Duration::from_nanos(nanos.unsigned_abs()));
    match nanos {
        0 => "=".into(),
        1.. => format!("+{time}"),
        _ => format!("-{time}"),
    }
}

fn at(time: Option<Instant>) -> String {
    time.map_or("never".into(), millis)
}

fn later(was: Option<Instant>, is: Option<Instant>) -> String {
    match (was, is) {
        (Some(was), Some(is)) => {
            let nanos = |at: Instant| i64::try_from(at.as_nanos()).unwrap_or(i64::MAX);
            signed_time(nanos(is) - nanos(was))
        }
        (None, None) => "=".into(),
        _ => String::new(),
    }
}

/// A time as a ladder has it: in milliseconds.
fn millis(at: Instant) -> String {
    match at.as_millis_f64() {
        millis if millis >= 200.0 => format!("{} ms", grouped(millis.round() as u64)),
        millis => format!("{millis:.1} ms"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::trace::{Event, Flow, FrameId, Protocol};
    use crate::view::sample;

    /// The sample run in which what was delivered as this frame is lost.
    fn without(frame: FrameId) -> Trace {
        let mut run = sample::run();
        for event in &mut run.events {
            if event.kind == (Kind::Delivered { frame }) {
                event.kind = Kind::Dropped { frame, by: "what if".into() };
            }
        }
        run
    }

    fn second() -> FrameId {
        let run = sample::run();
        let delivered: Vec<FrameId> = run
            .events
            .iter()
            .filter_map(|event| match event.kind {
                Kind::Delivered { frame } => Some(frame),
                _ => None,
            })
            .collect();
        delivered[1]
    }

    #[test]
    fn a_run_differs_from_itself_in_nothing() {
        let run = sample::run();
        let pair = Pair::of(&run, &run);
        assert!(pair.is_same());
        let told = pair.account(&Look::default()).to_string();
        assert!(told.contains("Nothing differs: the other run has the same frames"), "{told}");
        assert!(!pair.ladders(&Look::default(), LadderOptions::default()).to_string().contains('*'));
    }

    #[test]
    fn a_frame_with_another_fate_is_marked_in_both_runs_and_no_other_is() {
        let (before, after) = (sample::run(), without(second()));
        let pair = Pair::of(&before, &after);
        let marked = BTreeSet::from([Subject::Frame(second())]);
        assert_eq!((&pair.only_before, &pair.only_after), (&marked, &marked));
        let [was, is] = pair.figures();
        assert_eq!((was.lost + 1, was.frames), (is.lost, is.frames));
        let ladders = pair.ladders(&Look::default(), LadderOptions::default()).to_string();
        assert!(ladders.contains("* not so in the other run"), "{ladders}");
    }

    #[test]
    fn no_line_is_wider_than_asked_for() {
        let (before, after) = (sample::run(), without(second()));
        let pair = Pair::of(&before, &after);
        let costs = Costs::of(&before, [(1, &after), (2, &before)]);
        for width in 40..120 {
            for ascii in [false, true] {
                let look = Look { width, ascii, ..Look::default() };
                let ladders = pair.ladders(&look, LadderOptions::default());
                for sheet in [ladders, pair.account(&look), costs.draw(&look)] {
                    assert!(sheet.width() <= width, "{width}:\n{sheet}");
                    assert!(!ascii || sheet.to_string().is_ascii(), "{width}:\n{sheet}");
                }
            }
        }
    }

    #[test]
    fn bytes_that_never_come_weigh_more_than_time() {
        let deaf = sample::run();
        let hears = |millis| {
            let mut run = deaf.clone();
            let flow = Flow::new(Protocol::Udp, ([10, 0, 0, 1], 7).into(), ([10, 0, 0, 2], 7).into());
            let kind = Kind::AppRead { flow, bytes: Bytes::from_static(b"hello") };
            run.events.push(Event { at: Instant::from_millis(millis), place: PlaceId(1), kind });
            run
        };
        let (before, late) = (hears(5_000), hears(6_000));
        let costs = Costs::of(&before, [(1, &before), (2, &late), (3, &deaf)]);
        assert_eq!(costs.frames().collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(costs.costliest(), Some((3, 0)));
        assert!(costs.is_costliest(3) && !costs.is_costliest(2));
        assert!(costs.in_words().contains("bytes are not read by the end"), "{}", costs.in_words());
    }
}
