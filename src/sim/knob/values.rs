//! The values of knobs as people write them: `5%`, `20ms`, `10mbit`, `16MiB`.
//!
//! Every error names what was expected, with an example that works.

use crate::base::Duration;
use crate::layers::physical::delay::Rate;

/// A probability: `5%`, `5 %` or `0.05`; at most 100 %.
///
/// # Errors
/// In words, for the command line.
pub fn probability(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected 0% to 100%, such as 5% or 0.05";
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), 100.0),
        None => (text.trim(), 1.0),
    };
    let value: f64 = number.parse().map_err(|_| EXPECTED.to_string())?;
    let value = value / scale;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(EXPECTED.to_string()) }
}

/// A length of time: `20ms`, `1.5s`, `300us`, `50ns`; at most an hour. A bare number is refused, since it does not
/// say its unit.
///
/// # Errors
/// In words, for the command line.
pub fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a time with its unit, at most 3600s, such as 20ms, 1.5s or 300us";
    let (number, unit) = split_unit(text);
    let nanos_per_unit = match unit.to_ascii_lowercase().as_str() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ if text.trim() == "0" => 1.0,
        _ => return Err(EXPECTED.into()),
    };
    let nanos = number.parse::<f64>().map_err(|_| EXPECTED)? * nanos_per_unit;
    if (0.0..=3600e9).contains(&nanos) {
        Ok(Duration::from_nanos(nanos.round() as u64))
    } else {
        Err(EXPECTED.into())
    }
}

/// A rate in bits per second: `10mbit`, `1gbit`, `56kbit`, `9600bit`; from 1 bit/s to 1000 Gbit/s.
///
/// # Errors
/// In words, for the command line.
pub fn rate(text: &str) -> Result<Rate, String> {
    const EXPECTED: &str = "expected bits per second with their unit, such as 10mbit, 1gbit or 56kbit";
    let (number, unit) = split_unit(text);
    let unit = unit.to_ascii_lowercase();
    let bits_per_unit = match unit.trim_end_matches("/s").trim_end_matches("ps") {
        "bit" | "b" => 1.0,
        "kbit" | "kb" => 1e3,
        "mbit" | "mb" => 1e6,
        "gbit" | "gb" => 1e9,
        _ => return Err(EXPECTED.into()),
    };
    let bits = number.parse::<f64>().map_err(|_| EXPECTED)? * bits_per_unit;
    if (1.0..=1e12).contains(&bits) { Ok(Rate(bits.round() as u64)) } else { Err(EXPECTED.into()) }
}

/// A probability as it is typed: in percent, in the fewest digits that give the same number back.
pub(super) fn written_share(share: f64) -> String {
    let text = format!("{}%", (share * 1e8).round() / 1e6);
    if probability(&text) == Ok(share) { text } else { share.to_string() }
}

/// A length of time as it is typed: whole, in its largest unit.
pub(super) fn written_time(time: Duration) -> String {
    let nanos = time.as_nanos();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us"), (1, "ns")];
    match units.into_iter().find(|(size, _)| nanos.is_multiple_of(*size)) {
        Some((size, unit)) if nanos > 0 => format!("{}{unit}", nanos / size),
        _ => "0ms".into(),
    }
}

/// A rate as it is typed: whole, in its largest unit.
pub(super) fn written_rate(rate: Rate) -> String {
    let units = [(1_000_000_000, "gbit"), (1_000_000, "mbit"), (1000, "kbit"), (1, "bit")];
    match units.into_iter().find(|(size, _)| rate.0.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", rate.0 / size),
        None => format!("{}bit", rate.0),
    }
}

/// The number, and the unit after it.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(share in 0.0..=1.0, percent in 0u32..=100, nanos in 0u64..=3_600_000_000_000, bits in 1u64..=1_000_000_000_000) {
            for share in [share, f64::from(percent) / 100.0] {
                prop_assert_eq!(probability(&written_share(share)), Ok(share));
            }
            let time = Duration::from_nanos(nanos);
            prop_assert_eq!(duration(&written_time(time)), Ok(time));
            prop_assert_eq!(rate(&written_rate(Rate(bits))), Ok(Rate(bits)));
        }
    }

    #[test]
    fn a_value_is_written_as_people_would() {
        assert_eq!(written_share(0.03), "3%");
        assert_eq!(written_share(0.07), "7%");
        assert_eq!(written_share(0.125), "12.5%");
        assert_eq!(written_share(0.0), "0%");
        assert_eq!(written_time(Duration::from_millis(1500)), "1500ms");
        assert_eq!(written_time(Duration::from_secs(30)), "30s");
        assert_eq!(written_time(Duration::ZERO), "0ms");
        assert_eq!(written_rate(Rate::mbit(10)), "10mbit");
    }

    #[test]
    fn knobs_are_read_as_people_write_them() {
        assert_eq!(probability("5%"), Ok(0.05));
        assert_eq!(probability("0.3"), Ok(0.3));
        assert_eq!(duration("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(duration("1.5 s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(rate("10mbit").map(|r| r.0), Ok(10_000_000));
        assert_eq!(rate("1.5 Mbit/s").map(|r| r.0), Ok(1_500_000));
        assert_eq!(rate("100Mbps").map(|r| r.0), Ok(100_000_000));
    }

    #[test]
    fn what_makes_no_sense_is_answered_with_an_example() {
        for bad in ["150%", "-1%", "nan", "five", "", "1e9", "inf"] {
            assert!(probability(bad).is_err_and(|e| e.contains("such as 5%")), "{bad}");
        }
        for bad in ["20", "ms", "-5ms", "2h", "1e400s", "4000s"] {
            assert!(duration(bad).is_err_and(|e| e.contains("20ms")), "{bad}");
        }
        for bad in ["10", "fast", "0bit", "-1mbit", "9999999gbit"] {
            assert!(rate(bad).is_err_and(|e| e.contains("10mbit")), "{bad}");
        }
    }
}
