//! Plots of any trace: what went through, and what waited.

use std::collections::{BTreeMap, BTreeSet};

use super::chart::{Axis, Plot, Series, Shape, TONES, Unit, end_of, seconds};
use crate::base::Instant;
use crate::layers::physical::delay::ETHERNET_OVERHEAD;
use crate::trace::{FrameId, Kind, LinkId, Past, PlaceId};
use crate::view::look::escape;
use crate::view::sheet::Tone;

/// The run is cut into this many equal parts, and each is one value.
const PARTS: usize = 40;
/// At most this many series of a kind: those with the most.
const MOST: usize = 4;

/// What programs read and what hosts put on their links, in bits per second. A frame counts with all the time that it
/// takes on an Ethernet, so a link that is full shows its rate.
pub fn throughput(run: Past<'_>) -> Plot {
    let part = (seconds(end_of(run)) / PARTS as f64).max(1e-6);
    let mut read: BTreeMap<PlaceId, Vec<u64>> = BTreeMap::new();
    let mut sent: BTreeMap<PlaceId, Vec<u64>> = BTreeMap::new();
    for event in run.events {
        let (sums, bytes) = match &event.kind {
            Kind::AppRead { bytes, .. } => (&mut read, bytes.len()),
            Kind::Sent { bytes, .. } => (&mut sent, bytes.len() + ETHERNET_OVERHEAD),
            _ => continue,
        };
        let number = ((seconds(event.at) / part) as usize).min(PARTS - 1);
        sums.entry(event.place).or_insert_with(|| vec![0; PARTS])[number] += bytes as u64;
    }
    let mut plot = plot(run, "throughput", Axis::new("throughput", Unit::BitsPerSecond));
    let mut letters = ('A'..='Z').chain('a'..='z');
    for (sums, what) in [(sent, "frames sent by"), (read, "read by")] {
        for (place, parts) in largest(sums, |parts| parts.iter().sum()) {
            let (Some(letter), tone) = (letters.next(), TONES[plot.series.len() % TONES.len()]) else {
                break;
            };
            let points = parts.iter().enumerate();
            let points = points.map(|(n, bytes)| ((n as f64 + 0.5) * part, *bytes as f64 * 8.0 / part));
            let name = format!("{what} {}", escape(run.name(place)));
            plot.series.push(Series::new(letter, name, tone, Shape::Line).points(points));
        }
    }
    match plot.series.is_empty() {
        true => plot.noting("Nothing to plot: nothing was sent."),
        false => plot,
    }
}

/// How many frames wait in front of each link, and those that found no room.
pub fn queue(run: Past<'_>) -> Plot {
    let mut waiting: BTreeMap<FrameId, (PlaceId, LinkId)> = BTreeMap::new();
    let mut queues: BTreeMap<(PlaceId, LinkId), Vec<(Instant, usize)>> = BTreeMap::new();
    let mut now: BTreeMap<(PlaceId, LinkId), usize> = BTreeMap::new();
    let mut longest: BTreeMap<PlaceId, usize> = BTreeMap::new();
    let mut sent: BTreeSet<FrameId> = BTreeSet::new();
    let mut dropped = Series::new('X', "turned away: the queue was full", Tone::Bad, Shape::Marks);
    for event in run.events {
        let (end, longer) = match &event.kind {
            Kind::Queued { frame, link, .. } => {
                waiting.insert(*frame, (event.place, *link));
                ((event.place, *link), true)
            }
            Kind::Sent { frame, .. } => {
                sent.insert(*frame);
                let Some(end) = waiting.remove(frame) else { continue };
                (end, false)
            }
            Kind::Dropped { frame, .. } if !sent.contains(frame) => {
                let length = longest.get(&event.place).copied().unwrap_or(0);
                dropped.points.push((seconds(event.at), length as f64));
                continue;
            }
            _ => continue,
        };
        let length = now.entry(end).or_default();
        *length = if longer { *length + 1 } else { length.saturating_sub(1) };
        queues.entry(end).or_default().push((event.at, *length));
        let most = longest.entry(end.0).or_default();
        *most = (*most).max(*length);
    }
    let mut plot = plot(run, "queues", Axis::new("waiting", Unit::Frames));
    let letters = ('a'..='z').zip(TONES);
    let kept = largest(queues, |lengths| lengths.iter().map(|(_, length)| *length as u64).max().unwrap_or(0));
    for ((letter, tone), ((place, link), lengths)) in letters.zip(kept) {
        let name = format!("{}, link {}", escape(run.name(place)), link.0);
        let points = lengths.into_iter().map(|(at, length)| (seconds(at), length as f64));
        plot.series.push(Series::new(letter, name, tone, Shape::Steps).points(points));
    }
    match plot.series.is_empty() {
        true => plot.noting("Nothing to plot: no frame had to wait for its link. Try a lower --rate."),
        false => plot.with(dropped),
    }
}

fn plot(run: Past<'_>, what: &str, y: Axis) -> Plot {
    let title = if run.title.is_empty() { what.to_owned() } else { format!("{}: {what}", escape(run.title)) };
    Plot::new(title, Axis::time(end_of(run)), y)
}

/// The largest of them, in their own order.
fn largest<K: Ord + Copy, V>(all: BTreeMap<K, V>, size: impl Fn(&V) -> u64) -> Vec<(K, V)> {
    let mut all: Vec<(K, V)> = all.into_iter().collect();
    all.sort_by_key(|(_, value)| std::cmp::Reverse(size(value)));
    all.truncate(MOST);
    all.sort_by_key(|(key, _)| *key);
    all
}
