//! All layers joined into one host.
