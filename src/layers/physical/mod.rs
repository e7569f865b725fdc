//! Layer 1: what a link does to bits.
