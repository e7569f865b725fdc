//! The scale of an axis: from 0 to a round number, with ticks at round numbers, in a unit that fits.

use super::chart::{Axis, Unit};

/// An axis with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Where it ends, in the unit of the points.
    pub(super) end: f64,
    /// The values of its ticks with their labels, from 0.
    pub(super) ticks: Vec<(f64, String)>,
    /// The unit of the labels.
    pub(super) unit: &'static str,
}

impl Scale {
    /// A scale up to `most`, with at most `ticks` ticks above 0; `whole` when it is to end at one.
    pub(super) fn new(axis: &Axis, most: f64, ticks: usize, whole: bool) -> Scale {
        let most = most.max(axis.at_least);
        let most = if most > 1e-9 { most } else { least(axis.unit) };
        let (unit, size) = shown(axis.unit, most);
        // There is no half of a frame or a byte.
        let is_whole = size == 1.0 && matches!(axis.unit, Unit::Frames | Unit::Bytes);
        let step = round_step(most / size, ticks.max(1), is_whole) * size;
        let end = if whole { (most / step - 1e-9).ceil().max(1.0) * step } else { most };
        let decimals = (-(step / size).log10().floor()).max(0.0) as usize;
        let count = (end / step + 1e-9) as usize;
        let label = |n: usize| format!("{:.decimals$}", n as f64 * step / size);
        Scale { end, ticks: (0..=count).map(|n| (n as f64 * step, label(n))).collect(), unit }
    }

    /// Where a value is on `dots` dots: 0 is the first, the end the last.
    pub(super) fn place(&self, value: f64, dots: usize) -> usize {
        let last = dots.saturating_sub(1);
        ((value / self.end * last as f64).round().max(0.0) as usize).min(last)
    }
}

/// What an axis without any value above 0 reaches to.
fn least(unit: Unit) -> f64 {
    if unit == Unit::Seconds { 1e-3 } else { 1.0 }
}

/// The unit in which values up to `most` are read, and how much it is.
fn shown(unit: Unit, most: f64) -> (&'static str, f64) {
    let units: &[(&str, f64)] = match unit {
        Unit::Bytes => &[("MB", 1e6), ("kB", 1e3), ("B", 1.0)],
        Unit::BitsPerSecond => &[("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3), ("bit/s", 1.0)],
        Unit::Seconds => &[("s", 1.0), ("ms", 1e-3), ("us", 1e-6)],
        Unit::Frames => &[("frames", 1.0)],
        Unit::Percent => &[("%", 1.0)],
    };
    let fits = units.iter().find(|(_, size)| most >= 2.0 * size);
    *fits.or(units.last()).expect("every unit has a name")
}

/// The smallest of 1, 2 and 5 times a power of ten of which at most `ticks` fit into `most`.
fn round_step(most: f64, ticks: usize, is_whole: bool) -> f64 {
    let rough = most / ticks as f64;
    let power = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| *step >= rough * (1.0 - 1e-9)).unwrap_or(rough);
    if is_whole { step.max(1.0) } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(unit: Unit, most: f64, ticks: usize, whole: bool) -> (String, &'static str) {
        let scale = Scale::new(&Axis::new("", unit), most, ticks, whole);
        let labels: Vec<String> = scale.ticks.into_iter().map(|(_, label)| label).collect();
        (labels.join(" "), scale.unit)
    }

    #[test]
    fn ticks_are_round_numbers_in_a_unit_that_fits() {
        assert_eq!(labels(Unit::Bytes, 87_000.0, 4, true), ("0 50 100".into(), "kB"));
        assert_eq!(labels(Unit::Bytes, 1460.0, 4, true), ("0 500 1000 1500".into(), "B"));
        assert_eq!(labels(Unit::Seconds, 10.0, 5, false), ("0 2 4 6 8 10".into(), "s"));
        assert_eq!(labels(Unit::Seconds, 0.0405, 5, false), ("0 10 20 30 40".into(), "ms"));
        assert_eq!(labels(Unit::Seconds, 2.5, 5, true), ("0.0 0.5 1.0 1.5 2.0 2.5".into(), "s"));
        assert_eq!(labels(Unit::BitsPerSecond, 9.4e6, 4, true), ("0 5 10".into(), "Mbit/s"));
        assert_eq!(labels(Unit::Bytes, 2.0, 4, true), ("0 1 2".into(), "B"));
        assert_eq!(labels(Unit::Frames, 1.0, 4, true), ("0 1".into(), "frames"));
        assert_eq!(labels(Unit::Frames, 0.0, 4, true), ("0 1".into(), "frames"));
    }

    #[test]
    fn the_ends_of_the_scale_are_the_first_and_the_last_dot() {
        let scale = Scale::new(&Axis::new("", Unit::Bytes), 100.0, 5, true);
        assert_eq!([0.0, 50.0, 100.0, 999.0].map(|value| scale.place(value, 101)), [0, 50, 100, 100]);
    }
}
