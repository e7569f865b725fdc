//! Whole numbers on the command line: what is none is answered with what one looks like.

use std::fmt::Display;
use std::str::FromStr;

/// A parser of whole numbers from `least` to `most`; `example` is one that works.
pub(super) fn number<T>(
    least: T,
    most: T,
    example: T,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text| match text.trim().parse::<T>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Ok(number) if number < least => {
            Err(format!("expected a whole number from {least}, such as {example}"))
        }
        _ => Err(format!("expected a whole number from {least} to {most}, such as {example}")),
    }
}

/// The same without a largest one.
pub(super) fn number_from<T>(least: T, example: T) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text| match text.trim().parse::<T>() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(format!("expected a whole number from {least}, such as {example}")),
    }
}
