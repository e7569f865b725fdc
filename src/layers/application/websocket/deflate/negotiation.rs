//! Agreeing on permessage-deflate: what a client offers, what a server answers, what a client accepts
//! (RFC 7692 §5, §7.1).
//!
//! An offer is a list: "best like this, or else like that". The server takes the first one that it can keep in full
//! and passes over those that it does not understand (§5.1); a client fails the connection over an answer that it
//! did not offer (§5.1, RFC 6455 §4.1).

use super::super::handshake::extensions::{self, Extension};
use super::super::handshake::malformed;
use super::Deflate;
use crate::base::ParseError;

/// The extension's registered name (§7).
pub const NAME: &str = "permessage-deflate";

const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

/// What both ends do from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// The server begins every message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client compresses each message on its own (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The server looks back at most 2 to the power of this many bytes: 8 to 15.
    pub server_max_window_bits: u8,
    /// The client's window has at most 2 to the power of this many bytes (§7.1.2.2).
    pub client_max_window_bits: u8,
}

/// The parameters of one offer or answer as the header field has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Params {
    server_no_takeover: bool,
    client_no_takeover: bool,
    server_bits: Option<u8>,
    /// Inside: a value was given too. Only an offer may go without (§7.1.2.2).
    client_bits: Option<Option<u8>>,
}

/// What a client offers: what it would like best, and then, unless that was it already, what every server can do.
pub fn offers(wish: &Deflate) -> Vec<Extension> {
    let below_15 = |bits: u8| Some(window(bits)).filter(|bits| *bits < 15);
    let best = Params {
        server_no_takeover: !wish.server_context_takeover,
        client_no_takeover: !wish.client_context_takeover,
        server_bits: below_15(wish.server_max_window_bits),
        client_bits: Some(below_15(wish.client_max_window_bits)),
    };
    let plain = Params { client_bits: Some(None), ..Params::default() };
    let mut offers = vec![best.to_extension()];
    if best != plain {
        offers.push(plain.to_extension());
    }
    offers
}

/// A server's answer to a list of offers: the first of them that can be kept, with what is to be answered. `None`
/// when there is none; then the connection goes on without compression.
pub fn answer(offered: &[Extension], wish: &Deflate) -> Option<(Agreement, Extension)> {
    let offers = offered.iter().filter(|extension| extension.name == NAME);
    // An offer with something unknown or wrong in it is declined, and the next one looked at (§7.1).
    let offer = offers.filter_map(|extension| Params::parse(extension).ok()).next()?;
    let server_bits = window(wish.server_max_window_bits).min(offer.server_bits.unwrap_or(15));
    let client_bits = match offer.client_bits {
        Some(most) => window(wish.client_max_window_bits).min(most.unwrap_or(15)),
        // §7.1.2.2: a client that did not say it could is not asked.
        None => 15,
    };
    let answer = Params {
        server_no_takeover: offer.server_no_takeover || !wish.server_context_takeover,
        client_no_takeover: offer.client_no_takeover || !wish.client_context_takeover,
        // §7.1.2.1: an offer with this parameter is accepted by repeating it.
        server_bits: (offer.server_bits.is_some() || server_bits < 15).then_some(server_bits),
        client_bits: (client_bits < 15).then_some(Some(client_bits)),
    };
    Some((answer.agreement(), answer.to_extension()))
}

/// Judges a server's answer to [`offers`]. `None` when it declined.
///
/// # Errors
/// Malformed when the answer is wrong in itself, comes twice, or keeps none of the offers.
pub fn check(answered: &[Extension], offered: &[Extension]) -> Result<Option<Agreement>, ParseError> {
    let mut answers = answered.iter().filter(|extension| extension.name == NAME);
    let Some(answer) = answers.next() else { return Ok(None) };
    if answers.next().is_some() {
        return Err(malformed(extensions::FIELD, "one answer for permessage-deflate (RFC 7692 §5.1)", "two"));
    }
    let params = Params::parse(answer)?;
    if params.client_bits == Some(None) {
        let expected = "a value for client_max_window_bits (RFC 7692 §7.1.2.2)";
        return Err(malformed(extensions::FIELD, expected, "none"));
    }
    let keeps = |offer: &Extension| Params::parse(offer).is_ok_and(|offer| params.keeps(&offer));
    if !offered.iter().any(keeps) {
        let expected = "an answer that keeps one of our offers (RFC 7692 §7.1)";
        return Err(malformed(extensions::FIELD, expected, answer.to_string()));
    }
    Ok(Some(params.agreement()))
}

impl Params {
    /// # Errors
    /// Malformed for an unknown parameter, one that comes twice, or a value that it cannot have (§7.1).
    fn parse(extension: &Extension) -> Result<Self, ParseError> {
        let mut params = Params::default();
        for (name, value) in &extension.params {
            let wrong = |expected| {
                let got = value.as_ref().map_or(name.clone(), |value| format!("{name}={value}"));
                malformed(extensions::FIELD, expected, got)
            };
            let twice = match (name.as_str(), value) {
                (SERVER_NO_TAKEOVER, None) => std::mem::replace(&mut params.server_no_takeover, true),
                (CLIENT_NO_TAKEOVER, None) => std::mem::replace(&mut params.client_no_takeover, true),
                (SERVER_NO_TAKEOVER | CLIENT_NO_TAKEOVER, Some(_)) => {
                    return Err(wrong("no value (RFC 7692 §7.1.1)"));
                }
                (SERVER_BITS, Some(value)) => {
                    let bits = bits(value).ok_or_else(|| wrong("8 to 15 (RFC 7692 §7.1.2)"))?;
                    params.server_bits.replace(bits).is_some()
                }
                (SERVER_BITS, None) => return Err(wrong("a value (RFC 7692 §7.1.2.1)")),
                (CLIENT_BITS, None) => params.client_bits.replace(None).is_some(),
                (CLIENT_BITS, Some(value)) => {
                    let bits = bits(value).ok_or_else(|| wrong("8 to 15 (RFC 7692 §7.1.2)"))?;
                    params.client_bits.replace(Some(bits)).is_some()
                }
                _ => return Err(wrong("a parameter of permessage-deflate (RFC 7692 §7.1)")),
            };
            if twice {
                return Err(wrong("each parameter once (RFC 7692 §7.1)"));
            }
        }
        Ok(params)
    }

    /// Whether an answer with these parameters accepts this offer.
    fn keeps(&self, offer: &Params) -> bool {
        let bits_kept = match (offer.server_bits, self.server_bits) {
            (None, _) => true,
            (Some(most), Some(bits)) => bits <= most,
            (Some(_), None) => false,
        };
        let asked_well = self.client_bits.is_none() || offer.client_bits.is_some();
        bits_kept && asked_well && (self.server_no_takeover || !offer.server_no_takeover)
    }

    fn agreement(&self) -> Agreement {
        Agreement {
            server_no_context_takeover: self.server_no_takeover,
            client_no_context_takeover: self.client_no_takeover,
            server_max_window_bits: self.server_bits.unwrap_or(15),
            client_max_window_bits: self.client_bits.flatten().unwrap_or(15),
        }
    }

    fn to_extension(self) -> Extension {
        let mut extension = Extension::new(NAME);
        let mut push = |name: &str, value: Option<u8>| {
            extension.params.push((name.to_owned(), value.map(|bits| bits.to_string())));
        };
        if self.server_no_takeover {
            push(SERVER_NO_TAKEOVER, None);
        }
        if self.client_no_takeover {
            push(CLIENT_NO_TAKEOVER, None);
        }
        if let Some(bits) = self.server_bits {
            push(SERVER_BITS, Some(bits));
        }
        if let Some(bits) = self.client_bits {
            push(CLIENT_BITS, bits);
        }
        extension
    }
}

/// A decimal number from 8 to 15 without leading zeros (§7.1.2.1).
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse::<u8>().ok().filter(|bits| (8..=15).contains(bits))?;
    (value == bits.to_string()).then_some(bits)
}

/// What a user set, brought into the range there is.
pub(in super::super) fn window(bits: u8) -> u8 {
    bits.clamp(8, 15)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::super::http::Headers;
    use super::*;

    fn list(value: &str) -> Vec<Extension> {
        Extension::parse_all(&Headers::new().with(extensions::FIELD, value)).unwrap()
    }

    /// A wish with everything allowed, so that only the offer matters.
    fn open() -> Deflate {
        Deflate { server_context_takeover: true, client_context_takeover: true, ..Deflate::default() }
    }

    fn answered(offer: &str, wish: &Deflate) -> Option<String> {
        answer(&list(offer), wish).map(|(_, extension)| extension.to_string())
    }

    #[test]
    fn an_offer_is_answered_with_what_it_asks_and_what_the_server_wishes() {
        let cases = [
            ("permessage-deflate", "permessage-deflate"),
            (
                "permessage-deflate; server_no_context_takeover",
                "permessage-deflate; server_no_context_takeover",
            ),
            (
                "permessage-deflate; client_no_context_takeover",
                "permessage-deflate; client_no_context_takeover",
            ),
            ("permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8"),
            (
                "permessage-deflate; server_max_window_bits=15",
                "permessage-deflate; server_max_window_bits=15",
            ),
            ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
            ("permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits=9"),
            (
                "permessage-deflate; server_max_window_bits=\"10\"",
                "permessage-deflate; server_max_window_bits=10",
            ),
        ];
        for (offer, expected) in cases {
            assert_eq!(answered(offer, &open()).as_deref(), Some(expected), "{offer}");
        }
        let wish = Deflate { server_max_window_bits: 10, client_max_window_bits: 11, ..Deflate::default() };
        let all = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                   server_max_window_bits=10";
        // A client that did not say it could is not asked for a smaller window.
        assert_eq!(answered("permessage-deflate", &wish).as_deref(), Some(all));
        let with_client = format!("{all}; client_max_window_bits=11");
        assert_eq!(
            answered("permessage-deflate; client_max_window_bits", &wish).as_deref(),
            Some(&with_client[..])
        );
    }

    #[test]
    fn the_first_offer_that_can_be_kept_is_taken() {
        for bad in [
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=08",
            "server_max_window_bits",
            "client_max_window_bits=x",
            "server_no_context_takeover=1",
            "server_no_context_takeover; server_no_context_takeover",
            "client_max_window_bits; client_max_window_bits=9",
            "something_new",
        ] {
            assert_eq!(answered(&format!("permessage-deflate; {bad}"), &open()), None, "{bad}");
            let list =
                format!("x-other, permessage-deflate; {bad}, permessage-deflate; server_max_window_bits=9");
            assert_eq!(
                answered(&list, &open()).as_deref(),
                Some("permessage-deflate; server_max_window_bits=9")
            );
        }
        assert_eq!(answered("", &open()), None);
    }

    #[test]
    fn a_client_offers_its_wish_first_and_then_what_every_server_can_do() {
        let texts = |wish: &Deflate| offers(wish).iter().map(Extension::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&open()), ["permessage-deflate; client_max_window_bits"]);
        let wish = Deflate { server_max_window_bits: 9, client_max_window_bits: 10, ..Deflate::default() };
        assert_eq!(
            texts(&wish),
            [
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                 server_max_window_bits=9; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits"
            ]
        );
    }

    #[test]
    fn an_answer_must_keep_an_offer() {
        let judge = |answer: &str, offer: &str| check(&list(answer), &list(offer));
        let plain = judge("permessage-deflate", "permessage-deflate").unwrap().unwrap();
        assert_eq!((plain.server_max_window_bits, plain.client_no_context_takeover), (15, false));
        assert_eq!(judge("", "permessage-deflate"), Ok(None));
        let fallback = "permessage-deflate; server_no_context_takeover, permessage-deflate";
        assert!(judge("permessage-deflate", fallback).is_ok());
        let bits = "permessage-deflate; server_max_window_bits=10";
        assert!(judge("permessage-deflate; server_max_window_bits=8", bits).is_ok());
        // More than was asked is allowed where it costs the client nothing.
        assert!(judge("permessage-deflate; client_no_context_takeover", "permessage-deflate").is_ok());
        for (answer, offer) in [
            ("permessage-deflate; server_max_window_bits=11", bits),
            ("permessage-deflate", bits),
            ("permessage-deflate", "permessage-deflate; server_no_context_takeover"),
            ("permessage-deflate; client_max_window_bits=9", "permessage-deflate"),
            ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits"),
            ("permessage-deflate; unknown", "permessage-deflate"),
            ("permessage-deflate, permessage-deflate", "permessage-deflate"),
        ] {
            assert!(judge(answer, offer).is_err(), "{answer} to {offer}");
        }
    }

    proptest! {
        #[test]
        fn whatever_two_ends_wish_they_agree(
            wishes in proptest::array::uniform2((any::<[bool; 2]>(), 0u8..20, 0u8..20)),
        ) {
            let [client, server] = wishes.map(|([s, c], sb, cb)| Deflate {
                server_context_takeover: s,
                client_context_takeover: c,
                server_max_window_bits: sb,
                client_max_window_bits: cb,
                ..Deflate::default()
            });
            let offers = offers(&client);
            let (at_server, extension) = answer(&offers, &server).unwrap();
            prop_assert_eq!(check(&[extension], &offers).unwrap(), Some(at_server));
            prop_assert!(at_server.server_max_window_bits <= client.server_max_window_bits.clamp(8, 15));
        }
    }
}
