//! The receiving half: bytes of the stream become messages and control frames (RFC 6455 §5, §6.2).
//!
//! A payload is unmasked and checked as its bytes come, wherever they are cut. Short payloads are copied out of the
//! inbox, so that its memory serves for the next ones; of a long one the memory is handed on. Between the unmasking and
//! the [`Assembler`] is the [`Decompressor`], if one was agreed on.

mod whole;

use bytes::{Buf as _, Bytes, BytesMut};

use super::close::{CloseReason, Failure};
use super::deflate::codec::{Decompressor, InflateError};
use super::frame::{FrameHeader, Opcode};
use super::mask::apply_mask;
use super::message::{Assembler, Fragment, Message};
use super::phase::Role;
use crate::base::{Header, Reader};

/// What a peer said.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    Message(Message),
    Fragment(Fragment),
    Ping(Bytes),
    Pong(Bytes),
    Close(CloseReason),
}

/// What reading on has led to.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Incoming(Incoming),
    /// No whole message yet, but decompression produced enough bytes for one turn: others go next.
    Inflated(usize),
    /// More bytes are needed.
    Nothing,
}

/// Reads the peer's frames.
#[derive(Debug)]
pub(super) struct Receiver {
    /// Our own role: it decides whether the peer must mask.
    role: Role,
    max_frame: usize,
    /// Received and not yet read: when all was read that can be, at most a part of a header.
    inbox: BytesMut,
    /// Where the inbox begins, in bytes since the opening handshake.
    at: usize,
    frame: Option<Frame>,
    assembler: Assembler,
    /// Messages are handed on frame by frame.
    in_fragments: bool,
    /// Present when compression was agreed on.
    decompressor: Option<Decompressor>,
    /// Bytes that came out of it since that was last reported.
    inflated: usize,
}

/// The frame whose payload is coming in, and how much of it is missing.
#[derive(Debug)]
struct Frame {
    header: FrameHeader,
    /// Where the header began, in bytes since the opening handshake.
    start: usize,
    /// Bytes of payload that came already.
    read: u64,
    /// The payload, if this is a control frame.
    control: BytesMut,
}

impl Receiver {
    /// A piece of a payload up to here is copied: that costs less than sharing memory, and keeps a short message
    /// from holding on to a large buffer.
    const SHORT: usize = 4 << 10;

    /// This much is decompressed before others should have their turn.
    const MUCH: usize = 64 << 10;

    /// Compressed bytes taken at a time: DEFLATE makes of them 1 MiB and a little more at most (a match of
    /// 258 bytes takes 2 bits at least).
    const SIP: usize = 1 << 10;

    /// A receiver before the first frame.
    pub(super) fn new(role: Role, max_frame: usize, max_message: usize) -> Self {
        let assembler = Assembler::new(max_message);
        Receiver {
            role,
            max_frame,
            inbox: BytesMut::new(),
            at: 0,
            frame: None,
            assembler,
            in_fragments: false,
            decompressor: None,
            inflated: 0,
        }
    }

    /// From now on messages may be compressed.
    pub(super) fn decompress(&mut self, decompressor: Decompressor) {
        self.decompressor = Some(decompressor);
    }

    /// From now on what a frame brings of a message is handed on as it ends.
    pub(super) fn give_fragments(&mut self) {
        self.in_fragments = true;
    }

    /// Whether messages are handed on frame by frame.
    pub(super) fn gives_fragments(&self) -> bool {
        self.in_fragments
    }

    /// Takes bytes of the stream. They are copied only when they are shared, or when they continue
    /// with what was cut.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if self.inbox.is_empty() {
            self.inbox = bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        } else {
            self.inbox.extend_from_slice(&bytes);
        }
    }

    /// Where bytes of the stream may be put instead.
    pub(super) fn inbox(&mut self) -> &mut BytesMut {
        &mut self.inbox
    }

    /// Bytes that came in and are not a whole message.
    pub(super) fn held(&self) -> usize {
        self.inbox.len() + self.assembler.held()
    }

    /// The length of the payload that is coming in, and how many bytes of it are still to come; zeros when none is.
    pub(super) fn coming_in(&self) -> (u64, u64) {
        let Some(Frame { header, read, .. }) = &self.frame else { return (0, 0) };
        (header.payload_len, (header.payload_len - read).saturating_sub(self.inbox.len() as u64))
    }

    /// Whether a whole frame has come and not been read.
    pub(super) fn has_frame(&self) -> bool {
        match &self.frame {
            Some(frame) => frame.header.payload_len - frame.read <= self.inbox.len() as u64,
            None => FrameHeader::frame_len(&self.inbox).is_some_and(|len| len <= self.inbox.len() as u64),
        }
    }

    /// Gives up memory that is needed only while bytes come in, and returns the buffer they came in.
    pub(super) fn rest(&mut self) -> BytesMut {
        // The room after the beginning of a payload is for its rest: so it is in one piece.
        let begun = self.frame.as_ref().is_some_and(|frame| frame.read > Self::SHORT as u64);
        let mut spare = BytesMut::new();
        if !begun && self.inbox.len() < FrameHeader::MAX_LEN {
            // A part of a header is kept, but not the large buffer that it may have come in, not even the end of one
            // that is used up: it would hold on to all of it.
            let header = BytesMut::from(&self.inbox[..]);
            spare = std::mem::replace(&mut self.inbox, header);
            spare.clear();
        }
        if let (Some(decompressor), false) = (&mut self.decompressor, self.assembler.is_compressed()) {
            decompressor.rest();
        }
        spare
    }

    /// Forgets everything: after a Close frame or a failure nothing is processed (§5.5.1, §7.1.7).
    pub(super) fn discard(&mut self) {
        self.inbox = BytesMut::new();
        self.frame = None;
        self.assembler.clear();
        self.decompressor = None;
    }

    /// The next thing the peer said, as far as it has come.
    pub(super) fn next(&mut self) -> Result<Next, Failure> {
        if let Some(message) = self.whole_message() {
            return Ok(Next::Incoming(Incoming::Message(message)));
        }
        loop {
            let Some(frame) = &mut self.frame else {
                if !self.begin_frame()? {
                    return Ok(Next::Nothing);
                }
                continue;
            };
            let left = frame.header.payload_len - frame.read;
            let start = frame.start;
            let inflate = self.assembler.is_compressed() && !frame.header.opcode.is_control();
            let most = if inflate { Self::SIP } else { usize::MAX };
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(self.inbox.len()).min(most);
            if take > 0 {
                if let Some(key) = frame.header.mask {
                    apply_mask(key, frame.read, &mut self.inbox[..take]);
                }
                frame.read += take as u64;
                if frame.header.opcode.is_control() {
                    frame.control.extend_from_slice(&self.inbox[..take]);
                    self.inbox.advance(take);
                } else if inflate {
                    self.inflate(take, start)?;
                    self.inbox.advance(take);
                } else if take <= Self::SHORT {
                    self.assembler.push(&self.inbox[..take], self.at)?;
                    self.inbox.advance(take);
                } else {
                    self.assembler.take(self.inbox.split_to(take), self.at)?;
                }
                self.at = self.at.saturating_add(take);
            }
            if self.inflated >= Self::MUCH {
                return Ok(Next::Inflated(std::mem::take(&mut self.inflated)));
            }
            if (take as u64) < left {
                if self.inbox.is_empty() {
                    return Ok(Next::Nothing);
                }
                continue;
            }
            if let Some(incoming) = self.end_frame()? {
                return Ok(Next::Incoming(incoming));
            }
        }
    }

    /// Decompresses the first `n` bytes of the inbox (RFC 7692 §7.2.2); the end of the message when `n` is 0. They
    /// belong to a frame that began `start` bytes into the stream.
    fn inflate(&mut self, n: usize, start: usize) -> Result<(), Failure> {
        let Some(decompressor) = &mut self.decompressor else { return Ok(()) };
        let mut refused = None;
        let mut take = |piece: &[u8]| {
            self.inflated += piece.len();
            self.assembler.push_inflated(piece, start).map_err(|failure| refused = Some(failure))
        };
        let done = match n {
            0 => decompressor.finish(),
            n => decompressor.push(&self.inbox[..n], &mut take),
        };
        done.map_err(|error| match (error, refused) {
            (InflateError::Refused, Some(failure)) => failure,
            (InflateError::Refused | InflateError::Corrupt, _) => Failure::not_deflate(start),
        })
    }

    /// Reads the next header; false when it is not whole yet.
    fn begin_frame(&mut self) -> Result<bool, Failure> {
        if self.inbox.is_empty() {
            return Ok(false);
        }
        let mut r = Reader::new(FrameHeader::LAYER, FrameHeader::PROTOCOL, &self.inbox).starting_at(self.at);
        let header = match FrameHeader::parse(&mut r) {
            Ok(header) => header,
            // The order of the rules is the order of the bytes, so that the verdict is the same when these come one
            // by one: what is wrong with the first byte goes before what is wrong with the second.
            Err(error) if error.is_incomplete() || error.offset > self.at => {
                self.check_start()?;
                return if error.is_incomplete() { Ok(false) } else { Err(Failure::of_frame(error)) };
            }
            Err(error) => return Err(Failure::of_frame(error)),
        };
        let length = r.position();
        self.check_start()?;
        if header.payload_len > self.max_frame as u64 && !header.opcode.is_control() {
            return Err(Failure::too_big("frame", self.at, self.max_frame));
        }
        if !header.opcode.is_control() {
            self.assembler.begin_frame(&header, self.at)?;
        }
        self.inbox.advance(length);
        self.frame = Some(Frame { header, start: self.at, read: 0, control: BytesMut::new() });
        self.at = self.at.saturating_add(length);
        Ok(true)
    }

    /// The rules that depend on the peer's role and on what was agreed. They are about the first two bytes of a header,
    /// and each is checked as soon as its byte is there.
    fn check_start(&self) -> Result<(), Failure> {
        let Some(&first) = self.inbox.first() else { return Ok(()) };
        for (field, bit) in [("RSV1", 0x40), ("RSV2", 0x20), ("RSV3", 0x10)] {
            if first & bit != 0 && !(bit == 0x40 && self.is_claimed(first)) {
                let expected = "0: no extension has claimed it in this frame (RFC 6455 §5.2)";
                return Err(Failure::protocol(field, self.at, expected, "1"));
            }
        }
        let Some(&second) = self.inbox.get(1) else { return Ok(()) };
        match (self.role, second & 0x80 != 0) {
            (Role::Server, true) | (Role::Client, false) => {}
            (Role::Server, false) => {
                let expected = "1: a client masks every frame (RFC 6455 §5.1)";
                return Err(Failure::protocol("MASK", self.at.saturating_add(1), expected, "0"));
            }
            (Role::Client, true) => {
                let expected = "0: a server masks no frame (RFC 6455 §5.1)";
                return Err(Failure::protocol("MASK", self.at.saturating_add(1), expected, "1"));
            }
        }
        Ok(())
    }

    /// Whether RSV1 has a meaning in a frame with this first byte: it says that a message is compressed, so it may be
    /// set in a message's first frame only (RFC 7692 §6).
    fn is_claimed(&self, first: u8) -> bool {
        let opcode = Opcode::from_number(first & 0x0f);
        self.decompressor.is_some() && matches!(opcode, Some(Opcode::Text | Opcode::Binary))
    }

    /// The payload is whole.
    fn end_frame(&mut self) -> Result<Option<Incoming>, Failure> {
        let Some(Frame { header, start, control, .. }) = self.frame.take() else { return Ok(None) };
        let payload = control.freeze();
        Ok(Some(match header.opcode {
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                if header.fin && self.assembler.is_compressed() {
                    self.inflate(0, start)?;
                }
                if self.in_fragments {
                    return Ok(self.assembler.end_fragment(header.fin, self.at)?.map(Incoming::Fragment));
                }
                return Ok(self.assembler.end_frame(header.fin, self.at)?.map(Incoming::Message));
            }
            Opcode::Ping => Incoming::Ping(payload),
            Opcode::Pong => Incoming::Pong(payload),
            Opcode::Close => {
                let at = self.at.saturating_sub(payload.len());
                Incoming::Close(CloseReason::parse(&payload, at)?)
            }
        }))
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
