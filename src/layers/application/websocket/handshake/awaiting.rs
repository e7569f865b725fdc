//! The opening handshake while the peer's head comes in, cut anywhere (RFC 6455 §4).

use bytes::{Buf as _, Bytes};

use super::Opening;
use super::client::Request;
use super::server::{Policy, Refusal, answer};
use crate::base::ParseError;
use crate::layers::application::http::{HeadParser, Limits, Progress, RequestHead, ResponseHead};

/// Whose head is awaited.
#[derive(Debug)]
pub(in super::super) enum Awaiting {
    /// A server awaits a request.
    Request(HeadParser<RequestHead>, Policy),
    /// A client awaits the answer to its request.
    Response(HeadParser<ResponseHead>, Request, Limits),
    /// The handshake is over.
    Nothing,
}

/// How the handshake ended. `reply` is what the peer is still to be sent.
#[derive(Debug)]
pub(in super::super) enum Verdict {
    Open { reply: Option<Bytes>, opening: Opening },
    Failed { reply: Option<Bytes>, error: ParseError },
}

impl Awaiting {
    pub(in super::super) fn request(limits: Limits, policy: Policy) -> Self {
        Awaiting::Request(HeadParser::new(limits), policy)
    }

    pub(in super::super) fn response(limits: Limits, request: Request) -> Self {
        Awaiting::Response(HeadParser::new(limits), request, limits)
    }

    /// Takes what belongs to the head off the front of `bytes`. `None` when more of it must come.
    pub(in super::super) fn feed(&mut self, bytes: &mut Bytes) -> Option<Verdict> {
        match self {
            Awaiting::Request(parser, policy) => match parser.feed(bytes) {
                Ok(Progress::NeedMore) => None,
                Ok(Progress::Done { head, consumed }) => {
                    bytes.advance(consumed);
                    Some(judge(&head, policy))
                }
                Err(error) => Some(refused(&Refusal::of_head(error))),
            },
            Awaiting::Response(parser, request, limits) => loop {
                match parser.feed(bytes) {
                    Ok(Progress::NeedMore) => return None,
                    Ok(Progress::Done { head, consumed }) => {
                        bytes.advance(consumed);
                        // RFC 9110 §15.2: other responses of class 1 may come before the one that counts.
                        if (100..200).contains(&head.status) && head.status != 101 {
                            *parser = HeadParser::new(*limits);
                            continue;
                        }
                        return Some(match request.check(&head, &[]) {
                            Ok(opening) => Verdict::Open { reply: None, opening },
                            Err(error) => Verdict::Failed { reply: None, error },
                        });
                    }
                    Err(error) => return Some(Verdict::Failed { reply: None, error: error.error }),
                }
            },
            Awaiting::Nothing => None,
        }
    }

    /// The error for a stream that ended before the head did.
    pub(in super::super) fn cut_short(&self) -> Option<ParseError> {
        match self {
            Awaiting::Request(parser, _) => Some(parser.cut_short().error),
            Awaiting::Response(parser, _, _) => Some(parser.cut_short().error),
            Awaiting::Nothing => None,
        }
    }
}

/// A server's verdict on a whole request.
pub(in super::super) fn judge(request: &RequestHead, policy: &Policy) -> Verdict {
    match answer(request, policy) {
        Ok((response, opening)) => match response.emit() {
            Ok(reply) => Verdict::Open { reply: Some(reply), opening },
            // The policy has a subprotocol that no header field can carry.
            Err(error) => Verdict::Failed { reply: None, error },
        },
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Verdict {
    Verdict::Failed { reply: refusal.response.emit().ok(), error: refusal.error.clone() }
}
