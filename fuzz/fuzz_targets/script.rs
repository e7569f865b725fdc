//! Scripts of TCP: any bytes are read or refused, and what was read plays to an end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::sim::script::{parse, play};

fuzz_target!(|bytes: &[u8]| match parse(bytes) {
    Ok(script) => drop(play(&script)),
    Err(error) => assert!(error.line > 0 && error.column > 0),
});
