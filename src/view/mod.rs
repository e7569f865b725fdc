//! Pictures of a trace: each one a pure function of a run, or of bytes. Nothing here prints.
//!
//! | module | the picture |
//! |---|---|
//! | [`dissect`] | bytes taken apart into headers, fields and problems: what the other pictures are drawn from |
//! | [`ladder`] | hosts as lines, time downwards, every frame an arrow |
//! | [`look`] | width, colour and escaping, shared by all of them |

pub mod dissect;
pub mod ladder;
pub mod look;
