//! Goodput over loss: what flows got, beside what the law of 1/sqrt(p) predicts.

use super::chart::{Axis, Plot, Series, Shape, TONES, Unit};
use crate::view::sheet::Tone;

/// Values of the law's curve.
const POINTS: u32 = 200;

/// What flows got at each loss: names, and pairs of loss (from 0 to 1) and bits per second. `law` predicts the latter
/// from the former; above `limit` the link is full, and it says nothing.
pub fn over_loss(law: impl Fn(f64) -> f64, limit: Option<f64>, flows: &[(&str, Vec<(f64, f64)>)]) -> Plot {
    let limit = limit.unwrap_or(f64::MAX);
    let losses = || flows.iter().flat_map(|(_, points)| points).map(|(loss, _)| *loss);
    let (least, most) = (losses().fold(f64::MAX, f64::min), losses().fold(0.0, f64::max));
    // From a little before the first of them on, in steps that grow: where the curve is steep, they are small.
    let step = |n: u32| f64::from(n) / f64::from(POINTS);
    let curve = (0..=POINTS).map(|n| 0.8 * least + (most - 0.8 * least) * step(n).powi(3));
    let curve = curve.map(|loss| (loss * 100.0, law(loss))).filter(|(_, rate)| *rate <= limit);
    let loss = Axis { at_least: most * 100.0, ..Axis::new("loss", Unit::Percent) };
    let plot = Plot::new("goodput over loss", loss, Axis::new("goodput", Unit::BitsPerSecond));
    let plot =
        plot.with(Series::new('L', "law: 1.22 MSS / (RTT sqrt(p))", Tone::Faint, Shape::Line).points(curve));
    flows.iter().zip(TONES).zip('1'..).fold(plot, |plot, (((name, points), tone), letter)| {
        let points = points.iter().map(|(loss, rate)| (loss * 100.0, *rate));
        plot.with(Series::new(letter, *name, tone, Shape::Marks).points(points))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::look::Look;

    #[test]
    fn the_curve_falls_and_ends_where_the_link_is_full() {
        let law = |loss: f64| 1e5 / loss.sqrt();
        let plot = over_loss(law, Some(1e6), &[("newreno", vec![(0.01, 0.9e6), (0.04, 0.5e6)])]);
        let curve = &plot.series[0].points;
        assert!(curve.iter().all(|(loss, rate)| *loss >= 1.0 && *rate <= 1e6), "{curve:?}");
        assert!(curve.windows(2).all(|pair| pair[1].1 < pair[0].1));
        assert_eq!(plot.series[1].points, [(1.0, 0.9e6), (4.0, 0.5e6)]);
        let drawn = plot.draw(&Look::plain()).to_string();
        assert!(drawn.contains("loss %") && drawn.contains("1 newreno"), "{drawn}");
    }
}
