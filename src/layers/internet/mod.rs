//! Layer 3: packets between hosts, across links.
