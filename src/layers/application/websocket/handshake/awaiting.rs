//! The opening handshake while the peer's head comes in, cut anywhere (RFC 6455 §4).

use bytes::{Buf as _, Bytes};

use super::super::deflate::Deflate;
use super::Opening;
use super::client::Request;
use super::extensions::Extension;
use super::server::{Policy, Refusal, answer};
use crate::base::ParseError;
use crate::layers::application::http::{HeadParser, Limits, Progress, RequestHead, Response, ResponseHead};

/// Which head is awaited: a request or a response.
#[derive(Debug)]
pub(in super::super) enum Awaiting {
    /// A server awaits a request.
    Request(HeadParser<RequestHead>, Policy, Option<Deflate>),
    /// A client awaits the answer to its request and to what it offered.
    Response(HeadParser<ResponseHead>, Box<Request>, Vec<Extension>, Limits),
    /// The handshake is over.
    Nothing,
}

/// How the handshake ended. `reply` is what the peer is still to be sent.
#[derive(Debug)]
pub(in super::super) enum Verdict {
    Open {
        reply: Option<Bytes>,
        opening: Opening,
    },
    Failed {
        reply: Option<Bytes>,
        error: ParseError,
    },
    /// A server's answer is not 101.
    Refused {
        response: Box<Response>,
        error: ParseError,
    },
}

impl Awaiting {
    pub(in super::super) fn request(limits: Limits, policy: Policy, deflate: Option<Deflate>) -> Self {
        Awaiting::Request(HeadParser::new(limits), policy, deflate)
    }

    pub(in super::super) fn response(limits: Limits, request: Request, offers: Vec<Extension>) -> Self {
        Awaiting::Response(HeadParser::new(limits), Box::new(request), offers, limits)
    }

    /// Takes what belongs to the head off the front of `bytes`. `None` when more of it must come.
    pub(in super::super) fn feed(&mut self, bytes: &mut Bytes) -> Option<Verdict> {
        match self {
            Awaiting::Request(parser, policy, deflate) => match parser.feed(bytes) {
                Ok(Progress::NeedMore) => None,
                Ok(Progress::Done { head, consumed }) => {
                    bytes.advance(consumed);
                    Some(judge(&head, policy, deflate.as_ref()))
                }
                Err(error) => Some(refused(&Refusal::of_head(error))),
            },
            Awaiting::Response(parser, request, offers, limits) => loop {
                match parser.feed(bytes) {
                    Ok(Progress::NeedMore) => return None,
                    Ok(Progress::Done { head, consumed }) => {
                        bytes.advance(consumed);
                        // RFC 9110 §15.2: other responses of class 1 may come before the one that counts.
                        if (100..200).contains(&head.status) && head.status != 101 {
                            *parser = HeadParser::new(*limits);
                            continue;
                        }
                        return Some(match request.check(&head, offers) {
                            Ok(opening) => Verdict::Open { reply: None, opening },
                            Err(error) if head.status != 101 => {
                                let body = std::mem::take(bytes);
                                Verdict::Refused { response: Box::new(Response { head, body }), error }
                            }
                            Err(error) => Verdict::Failed { reply: None, error },
                        });
                    }
                    Err(error) => return Some(Verdict::Failed { reply: None, error: error.error }),
                }
            },
            Awaiting::Nothing => None,
        }
    }

    /// Whether it is a server that waits, which explains to its client why it does not wait any longer.
    pub(in super::super) fn is_request(&self) -> bool {
        matches!(self, Awaiting::Request(..))
    }

    /// The error for a stream that ended before the head did.
    pub(in super::super) fn cut_short(&self) -> Option<ParseError> {
        match self {
            Awaiting::Request(parser, ..) => Some(parser.cut_short().error),
            Awaiting::Response(parser, ..) => Some(parser.cut_short().error),
            Awaiting::Nothing => None,
        }
    }
}

/// A server's verdict on a whole request.
pub(in super::super) fn judge(request: &RequestHead, policy: &Policy, deflate: Option<&Deflate>) -> Verdict {
    match answer(request, policy, deflate) {
        Ok((response, opening)) => match response.emit() {
            Ok(reply) => Verdict::Open { reply: Some(reply), opening },
            // The policy has a subprotocol that no header field can carry.
            Err(error) => Verdict::Failed { reply: None, error },
        },
        Err(refusal) => refused(&refusal),
    }
}

pub(in super::super) fn refused(refusal: &Refusal) -> Verdict {
    let reply = refusal.response.emit().ok().map(|head| match refusal.body.is_empty() {
        true => head,
        false => [&head[..], &refusal.body].concat().into(),
    });
    Verdict::Failed { reply, error: refusal.error.clone() }
}
