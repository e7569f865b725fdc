//! What opened a connection, as programs written for Socket.IO know it: its `socket.handshake`.

use crate::layers::application::http::Incoming;
use crate::layers::application::socketio::Value;

/// An object with the members `headers`, `time`, `address`, `xdomain`, `secure`, `issued`, `url`, `query` and `auth`.
///
/// Names of header fields are in lower case, and what came several times is joined by commas (cookies by semicolons,
/// RFC 9110 §5.3, RFC 9113 §8.2.3). A parameter of the query that came several times is an array. `time` and `issued`
/// are the moment of entering, in words and in milliseconds since 1970; `auth` is the payload of the CONNECT packet.
/// Without a request the members that are of it are empty.
pub fn handshake(request: Option<&Incoming>, auth: &Value, now_ms: u64) -> Value {
    let mut headers: Vec<(String, Value)> = Vec::new();
    let mut query: Vec<(String, Value)> = Vec::new();
    for (name, value) in request.iter().flat_map(|request| request.head.headers.iter()) {
        let name = name.to_ascii_lowercase();
        let between = if name == "cookie" { "; " } else { ", " };
        match headers.iter_mut().find(|(there, _)| *there == name) {
            Some((_, all)) => *all = format!("{}{between}{value}", all.as_str().unwrap_or_default()).into(),
            None => headers.push((name, value.into())),
        }
    }
    for (name, value) in request.iter().flat_map(|request| request.parameters()) {
        let value = Value::from(&*value);
        match query.iter_mut().find(|(there, _)| *there == name) {
            Some((_, Value::Array(all))) => all.push(value),
            Some((_, one)) => *one = Value::Array(vec![std::mem::take(one), value]),
            None => query.push((name.into_owned(), value)),
        }
    }
    let address = request.and_then(|request| request.address).map(|address| address.ip().to_string());
    let target = request.map_or("", |request| request.head.target.as_str());
    Value::object([
        ("headers", Value::Object(headers)),
        ("time", date(now_ms).into()),
        ("address", address.unwrap_or_default().into()),
        ("xdomain", request.is_some_and(|request| request.header("Origin").is_some()).into()),
        ("secure", request.is_some_and(|request| request.is_secure).into()),
        ("issued", now_ms.into()),
        ("url", target.into()),
        ("query", Value::Object(query)),
        ("auth", auth.clone()),
    ])
}

/// A moment as JavaScript writes it where the clock is UTC: `Thu Jan 01 1970 00:00:00 GMT+0000`.
fn date(ms: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (seconds, days) = (ms / 1000 % 86_400, ms / 1000 / 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    // Whole cycles of 400 years first: no clock value makes this long.
    let (mut year, mut left) = (1970 + days / 146_097 * 400, days % 146_097);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!(
        "{} {} {:02} {year:04} {:02}:{:02}:{:02} GMT+0000",
        DAYS[(days % 7) as usize],
        MONTHS[month.min(11)],
        left + 1,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::application::http::{Headers, RequestHead};

    #[test]
    fn a_handshake_has_all_that_socket_ios_has() {
        let headers = Headers::new()
            .with("Host", "h")
            .with("X-One", "a")
            .with("x-one", "b")
            .with("Cookie", "a=1")
            .with("cookie", "b=2");
        let head = RequestHead::new("GET", "/socket.io/?EIO=4&x=1&x=2&%26a=%26", headers);
        let request = Incoming::new(head).from_address(Some(([127, 0, 0, 1], 80).into()));
        let auth = Value::object([("token", "secret".into())]);
        assert_eq!(
            handshake(Some(&request), &auth, 1_709_210_096_789).to_json(),
            r#"{"headers":{"host":"h","x-one":"a, b","cookie":"a=1; b=2"},"time":"Thu Feb 29 2024 12:34:56 GMT+0000","#
                .to_owned()
                + r#""address":"127.0.0.1","xdomain":false,"secure":false,"issued":1709210096789,"#
                + r#""url":"/socket.io/?EIO=4&x=1&x=2&%26a=%26","#
                + r#""query":{"EIO":"4","x":["1","2"],"&a":"&"},"auth":{"token":"secret"}}"#
        );
        let unknown = handshake(None, &auth, 0);
        assert_eq!(unknown.get("url").and_then(Value::as_str), Some(""));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ms, expected) in [
            (0, "Thu Jan 01 1970 00:00:00 GMT+0000"),
            (951_827_696_000, "Tue Feb 29 2000 12:34:56 GMT+0000"),
            (4_107_542_399_000, "Sun Feb 28 2100 23:59:59 GMT+0000"),
            (4_107_542_400_000, "Mon Mar 01 2100 00:00:00 GMT+0000"),
        ] {
            assert_eq!(date(ms), expected);
        }
        assert!(date(u64::MAX).ends_with("GMT+0000"));
    }
}
