//! What two ends agree on about compression: any text in the header field, against any wish of ours, as a server that
//! answers an offer and as a client that judges an answer.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::layers::application::http::Headers;
use netlayers::layers::application::websocket::Deflate;
use netlayers::layers::application::websocket::deflate::negotiation;
use netlayers::layers::application::websocket::handshake::extensions::{self, Extension};

#[derive(Debug, Arbitrary)]
struct Story<'a> {
    level: u8,
    takeover: [bool; 2],
    /// Also values that are none.
    bits: [u8; 2],
    /// What stands in the field: several times, as one list.
    fields: Vec<&'a str>,
}

fuzz_target!(|story: Story<'_>| {
    let wish = Deflate {
        level: story.level,
        server_context_takeover: story.takeover[0],
        client_context_takeover: story.takeover[1],
        server_max_window_bits: story.bits[0],
        client_max_window_bits: story.bits[1],
        ..Deflate::default()
    };
    let headers = story.fields.iter().fold(Headers::new(), |all, value| all.with(extensions::FIELD, *value));
    let Ok(list) = Extension::parse_all(&headers) else { return };
    let written = list.iter().map(Extension::to_string).collect::<Vec<_>>().join(", ");
    let again = Extension::parse_all(&Headers::new().with(extensions::FIELD, written));
    assert_eq!(again.as_ref(), Ok(&list), "what was read can be written and read again");

    // The text is an offer.
    if let Some((agreed, answer)) = negotiation::answer(&list, &wish) {
        assert!((8..=15).contains(&agreed.server_max_window_bits));
        assert!((8..=15).contains(&agreed.client_max_window_bits));
        let judged = negotiation::check(&[answer], &list);
        assert_eq!(judged, Ok(Some(agreed)), "who offered this is content with our answer");
    }
    // The text is an answer to what we offered.
    let offers = negotiation::offers(&wish);
    if let Ok(Some(agreed)) = negotiation::check(&list, &offers) {
        assert!((8..=15).contains(&agreed.server_max_window_bits));
        assert!((8..=15).contains(&agreed.client_max_window_bits));
    }
});
