//! The value of `--origin`, an option of every server.

/// An origin as browsers send it (RFC 6454 §6.2): a scheme and a host, and nothing behind.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let host = text.split_once("://").map_or("", |(_, host)| host);
    let is_origin = !host.is_empty() && !host.contains(['/', ' ', '?', '#']);
    is_origin.then(|| text.to_owned()).ok_or_else(|| "expected an origin such as https://example.org".into())
}
