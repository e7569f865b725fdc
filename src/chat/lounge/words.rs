//! The values that go over the wire.

use super::rules::Trouble;
use crate::layers::application::socketio::Value;

/// What an event is answered with.
pub(super) type Answer = Result<Value, Trouble>;

/// A message, as its receivers get it.
pub(super) fn message(
    place: &str,
    value: &str,
    from: &str,
    text: &str,
    id: &str,
    at: u64,
    client_id: Option<&str>,
) -> Value {
    let members = [
        (place, value.into()),
        ("from", from.into()),
        ("text", text.into()),
        ("id", id.into()),
        ("at", at.into()),
        // Known when it is in the log.
        ("offset", Value::Null),
    ];
    let client_id = client_id.map(|id| ("clientId", id.into()));
    let members = members.into_iter().chain(client_id);
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An argument that is a text; empty when it is none.
pub(super) fn text_at(args: &[Value], at: usize) -> &str {
    args.get(at).and_then(Value::as_str).unwrap_or_default()
}
