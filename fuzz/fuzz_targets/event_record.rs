//! Records of the event log as they lie on the disk: any bytes are refused or read, and what was read is written as it
//! was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::real::store::codec;

fuzz_target!(|bytes: &[u8]| {
    if let Some(record) = codec::decode(1, bytes) {
        assert_eq!(codec::encode(&record), bytes);
    }
});
