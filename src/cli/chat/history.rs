//! `--history`: how much of what was said is kept, by count, size or age.

use crate::base::Duration;
use crate::chat::Retention;

/// One bound of the history to keep: an age, or a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Events(u64),
    Bytes(u64),
    Age(Duration),
}

/// What is kept when nothing is said.
pub(super) const USUAL: Retention = Retention {
    age: Duration::from_secs(30 * 86_400),
    bytes: 1 << 30,
    young: Duration::from_secs(180),
    events: 1_000_000,
};

/// The bounds that were given, and the usual ones for the rest.
pub(super) fn retention(bounds: &[Bound]) -> Retention {
    let mut kept = USUAL;
    for bound in bounds {
        match *bound {
            Bound::Events(events) => kept.events = events,
            Bound::Bytes(bytes) => kept.bytes = bytes,
            Bound::Age(age) => kept.age = age,
        }
    }
    kept
}

/// Reads `1000`, `64MiB`, `7d`.
pub(super) fn bound(text: &str) -> Result<Bound, String> {
    const EXPECTED: &str = "expected a number of events such as 10000, a size such as 64MiB or 1GB, or an age of at \
                            least 3min such as 30min, 12h or 7d";
    let digits = text.trim().trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| EXPECTED)?;
    let unit = text.trim()[digits.len()..].trim().to_ascii_lowercase();
    let bytes = |scale: u64| number.checked_mul(scale).filter(|&bytes| bytes > 0).map(Bound::Bytes);
    if let Some(scale) = scale(&unit) {
        return bytes(scale).ok_or_else(|| EXPECTED.into());
    }
    // A broken connection is noticed after 45 s at the latest, and may come back for 120 s after that. Were the age
    // shorter, what it missed could be gone.
    let age = |seconds: u64| {
        let seconds = number.checked_mul(seconds).filter(|seconds| (180..=4_000_000_000).contains(seconds));
        seconds.map(|seconds| Bound::Age(Duration::from_secs(seconds)))
    };
    let bound = match unit.as_str() {
        "" => Some(number).filter(|&events| events > 0).map(Bound::Events),
        "s" => age(1),
        "min" => age(60),
        "h" => age(3600),
        "d" => age(86_400),
        _ => None,
    };
    bound.ok_or_else(|| EXPECTED.into())
}

/// How many bytes a unit of size has.
fn scale(unit: &str) -> Option<u64> {
    Some(match unit {
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    })
}

/// Less memory than this a server does not run in.
const LEAST: u64 = 32 << 20;

/// Reads an amount of memory: `512MiB`, `2GB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: Option<u64> = text[..text.len() - unit.len()].parse().ok();
    let bytes =
        number.zip(scale(&unit.trim().to_ascii_lowercase())).and_then(|(n, scale)| n.checked_mul(scale));
    bytes
        .filter(|&bytes| bytes >= LEAST)
        .ok_or_else(|| "expected a size of at least 32MiB with its unit, such as 512MiB or 2GB".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_sizes_and_ages_are_told_apart_and_nonsense_is_refused() {
        assert_eq!(bound("1000"), Ok(Bound::Events(1000)));
        assert_eq!(bound("64MiB"), Ok(Bound::Bytes(64 << 20)));
        assert_eq!(bound("1 gb"), Ok(Bound::Bytes(1_000_000_000)));
        assert_eq!(bound("3min"), Ok(Bound::Age(Duration::from_secs(180))));
        assert_eq!(bound("7d"), Ok(Bound::Age(Duration::from_secs(7 * 86_400))));
        for wrong in [
            "",
            "0",
            "d",
            "7x",
            "-1",
            "1m",
            "30s",
            "2min",
            "179s",
            "0d",
            "0MiB",
            "99999999999999999999",
            "9999999999999GiB",
        ] {
            assert!(bound(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!((size("512MiB"), size("2 gb")), (Ok(512 << 20), Ok(2_000_000_000)));
        for wrong in ["", "512", "0MiB", "31MiB", "7d", "MiB", "-1GB", "99999999999999GiB", "1 é"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
        let kept = retention(&[Bound::Events(5), Bound::Events(7)]);
        assert_eq!(kept, Retention { events: 7, ..USUAL });
    }
}
