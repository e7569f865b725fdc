//! Chance from the operating system: nonces and masking keys that cannot be foreseen (RFC 6455 §4.1, §5.3, §10.3).

use super::WebSocketError;
use crate::layers::application::websocket::MaskSource;

/// Masking keys. The system is asked for many at a time.
///
/// # Errors
/// When the system gives no random numbers. It is asked at once, so that a connection whose keys could be foreseen
/// never opens. A system that refuses later gives no more keys, which fails the connection.
pub(super) fn masks() -> Result<MaskSource, WebSocketError> {
    masks_from(random)
}

/// How many keys are drawn at a time.
const KEYS: usize = 64;

fn masks_from(
    mut draw: impl FnMut(&mut [u8]) -> Result<(), WebSocketError> + Send + 'static,
) -> Result<MaskSource, WebSocketError> {
    let mut keys = [0; 4 * KEYS];
    draw(&mut keys)?;
    let mut used = 0;
    Ok(Box::new(move || {
        if used == KEYS {
            draw(&mut keys).ok()?;
            used = 0;
        }
        let key = keys.as_chunks::<4>().0.get(used).copied();
        used += 1;
        key
    }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "real peers must not foresee nonces and masks: chance comes in here"
)]
pub(super) fn random(into: &mut [u8]) -> Result<(), WebSocketError> {
    getrandom::fill(into).map_err(WebSocketError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Instant, Machine as _};
    use crate::layers::application::websocket::handshake::accept_key;
    use crate::layers::application::websocket::{
        Config, Connection, Event, Input, Output, Request, SendError,
    };

    #[test]
    fn masks_do_not_repeat() {
        let mut next = masks().unwrap();
        let keys: std::collections::BTreeSet<[u8; 4]> = (0..1000).map(|_| next().unwrap()).collect();
        assert!(keys.len() > 990, "{} different keys of 1000", keys.len());
        assert_ne!(masks().unwrap()(), masks().unwrap()());
    }

    /// A connection of a client that is open, and has `keys` masks.
    fn client_with(keys: usize) -> Connection {
        let mut left = keys.div_ceil(KEYS);
        let draw = move |into: &mut [u8]| {
            left = left.checked_sub(1).ok_or(WebSocketError::Random(getrandom::Error::UNSUPPORTED))?;
            random(into)
        };
        let request = Request::new("test", "/", [0; 16]);
        let accept = accept_key("AAAAAAAAAAAAAAAAAAAAAA==");
        let masks = masks_from(draw).unwrap();
        let mut client = Connection::client(Instant::ZERO, Config::default(), request, masks).unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        client.handle(Instant::ZERO, Input::Bytes(answer.into()));
        let open = std::iter::from_fn(|| client.poll(Instant::ZERO))
            .any(|output| matches!(output, Output::Event(Event::Open(_))));
        assert!(open);
        client
    }

    #[test]
    fn no_mask_serves_twice_when_the_system_gives_no_more() {
        let mut client = client_with(KEYS);
        for _ in 0..KEYS {
            client.send_text("x").unwrap();
        }
        let sent = client.queued();
        assert_eq!(client.send_text("x"), Err(SendError::NoMask));
        assert_eq!(client.queued(), sent);
        let outputs: Vec<Output> = std::iter::from_fn(|| client.poll(Instant::ZERO)).collect();
        let failed =
            |output: &Output| matches!(output, Output::Event(Event::Failed(why)) if why.code.is_none());
        assert_eq!(outputs.iter().filter(|output| failed(output)).count(), 1, "{outputs:?}");
        assert_eq!(outputs.last(), Some(&Output::Finished));
    }

    #[test]
    fn an_answer_that_cannot_be_masked_is_not_sent_and_ends_the_connection() {
        let mut client = client_with(KEYS);
        for _ in 0..KEYS {
            client.send_text("x").unwrap();
        }
        while client.unsent().is_some() {}
        client.handle(Instant::ZERO, Input::Bytes(vec![0x89, 0].into()));
        let outputs: Vec<Output> = std::iter::from_fn(|| client.poll(Instant::ZERO)).collect();
        assert!(!outputs.iter().any(|output| matches!(output, Output::Send(_))), "{outputs:?}");
        assert_eq!(outputs.last(), Some(&Output::Finished));
    }
}
