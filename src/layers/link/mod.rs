//! Layer 2: frames between neighbours on one link.
