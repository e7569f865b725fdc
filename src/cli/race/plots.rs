//! The race over time: a series for each flow, or the queue.

use super::args::RaceView;
use crate::base::Instant;
use crate::sim::knob::Knobs;
use crate::sim::race::{PARTS, Race};
use crate::view::plot::{Axis, Plot, Series, Shape, TONES, Unit};
use crate::view::sheet::Tone;

/// Parts of a race that are one value of throughput: in a single one there is no more than a few segments.
const TOGETHER: usize = 10;

pub(super) fn plot(race: &Race, knobs: &Knobs, view: RaceView) -> Option<Plot> {
    let time = Axis::time(Instant::from_nanos(race.time.as_nanos()));
    Some(match view {
        // It is over no time.
        RaceView::Loss => return None,
        RaceView::Cwnd => {
            let plot = Plot::new("congestion windows", time, Axis::new("cwnd", Unit::Bytes));
            let plot = flows(race, plot, Shape::Steps, |race, flow| {
                let cwnd = race.flows[flow].cwnd.iter().enumerate();
                cwnd.filter_map(|(part, cwnd)| Some((race.end_of_part(part), (*cwnd)? as f64))).collect()
            });
            match race.flows.iter().all(|flow| flow.cwnd.iter().all(Option::is_none)) {
                true => plot.noting("Nothing to plot: no flow has a congestion window. Try cubic beside it."),
                false => plot,
            }
        }
        RaceView::Throughput => {
            let most = knobs.link.rate.map_or(0.0, |rate| rate.0 as f64);
            let axis = Axis { at_least: most, ..Axis::new("goodput", Unit::BitsPerSecond) };
            flows(race, Plot::new("what each receiver read", time, axis), Shape::Line, |race, flow| {
                let seconds = race.end_of_part(TOGETHER - 1);
                let parts = race.flows[flow].read.chunks(TOGETHER).enumerate();
                let rate = |bytes: &[u64]| bytes.iter().sum::<u64>() as f64 * 8.0 / seconds;
                parts.map(|(n, bytes)| ((n as f64 + 0.5) * seconds, rate(bytes))).collect()
            })
        }
        RaceView::Queue => {
            let longest = race.bottleneck.longest.iter().enumerate();
            let points = longest.map(|(part, frames)| (race.end_of_part(part), *frames as f64));
            Plot::new("the queue in front of the bottleneck", time, Axis::new("waiting", Unit::Frames))
                .with(Series::new('q', "most that waited", TONES[0], Shape::Steps).points(points))
                .with(
                    Series::new('m', "on average", Tone::Again, Shape::Line)
                        .points([0, PARTS - 1].map(|part| (race.end_of_part(part), race.bottleneck.mean))),
                )
        }
    })
}

/// One series a flow; those beyond the alphabet share its last letter.
fn flows(race: &Race, plot: Plot, shape: Shape, points: fn(&Race, usize) -> Vec<(f64, f64)>) -> Plot {
    let letters: Vec<char> = ('1'..='9').chain('a'..='z').collect();
    let series = race.flows.iter().enumerate().map(|(number, flow)| {
        let letter = letters.get(number).or(letters.last()).copied().unwrap_or('z');
        Series::new(letter, flow.name.as_str(), TONES[number % TONES.len()], shape)
            .points(points(race, number))
    });
    series.fold(plot, Plot::with)
}
