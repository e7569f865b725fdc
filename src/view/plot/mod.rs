//! Plots: series of points over two axes with units, as a sheet.
//!
//! | file | what |
//! |---|---|
//! | `chart` | what a plot is: [`Plot`], [`Axis`], [`Series`] |
//! | `scale` | round numbers for the ticks of an axis, and their units |
//! | `raster` | lines and points as dots of Braille characters, or as letters |
//! | `text` | axes, legend and raster as a sheet |
//! | `svg` | the same as a picture, whose lines are lines |
//! | [`transfer`] | a TCP transfer out of a trace: cwnd, round trips, time and sequence |
//! | [`traffic`] | of any trace: throughput, queues |
//! | [`law`] | goodput over loss, beside the law of 1/sqrt(p) |
//!
//! Every series has a letter, which is in the legend and on the line: nothing is said by colour alone.

mod chart;
pub mod law;
mod raster;
mod scale;
mod svg;
mod text;
pub mod traffic;
pub mod transfer;

#[cfg(test)]
mod tests;

pub use chart::{Axis, MOST, Plot, Series, Shape, TONES, Unit};

use crate::trace::Past;

/// The plots that are drawn from a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The congestion window, its threshold, and what is in flight.
    Cwnd,
    /// Round trips as measured, and the retransmission timeout.
    Rtt,
    /// Time and sequence numbers: data, ACKs, window, retransmissions, SACK.
    Seq,
    /// What programs read, and what hosts put on their links, per second.
    Throughput,
    /// Frames that wait for their link.
    Queue,
}

impl Kind {
    /// The plot of a run.
    pub fn of<'a>(self, run: impl Into<Past<'a>>) -> Plot {
        let run = run.into();
        match self {
            Kind::Cwnd => transfer::cwnd(run),
            Kind::Rtt => transfer::rtt(run),
            Kind::Seq => transfer::seq(run),
            Kind::Throughput => traffic::throughput(run),
            Kind::Queue => traffic::queue(run),
        }
    }
}
