//! TCP: a reliable, ordered stream of bytes over packets that may be lost (RFC 9293).
