//! The receiving half: bytes of the stream become messages and control frames (RFC 6455 §5, §6.2).
//!
//! A payload is unmasked and checked as its bytes come, wherever they are cut. Short payloads are copied out of the
//! inbox, so that its memory serves for the next ones; of a long one the memory is handed on. Between the unmasking and
//! the [`Assembler`] stands the [`Decompressor`], if one was agreed on.

use bytes::{Buf as _, Bytes, BytesMut};

use super::close::{CloseReason, Failure};
use super::deflate::codec::{Decompressor, InflateError};
use super::frame::{FrameHeader, Opcode};
use super::mask::apply_mask;
use super::message::{Assembler, Message};
use super::phase::Role;
use crate::base::{Header, Reader};

/// What a peer said.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    Message(Message),
    Ping(Bytes),
    Pong(Bytes),
    Close(CloseReason),
}

/// Reads the peer's frames.
#[derive(Debug)]
pub(super) struct Receiver {
    /// Who *we* are: it decides whether the peer must mask.
    role: Role,
    max_frame: usize,
    /// Received and not yet read: when all was read that can be, at most a part of a header.
    inbox: BytesMut,
    /// Where the inbox begins, in bytes since the opening handshake.
    at: usize,
    frame: Option<Frame>,
    assembler: Assembler,
    /// Present when compression was agreed on.
    decompressor: Option<Decompressor>,
}

/// The frame whose payload is coming in.
#[derive(Debug)]
struct Frame {
    header: FrameHeader,
    /// Bytes of payload that came already.
    read: u64,
    /// The payload, if this is a control frame.
    control: BytesMut,
}

impl Receiver {
    /// A piece of a payload up to here is copied: that costs less than sharing memory, and keeps a short message
    /// from holding on to a large buffer.
    const SHORT: usize = 4 << 10;

    /// A receiver that stands at the first frame.
    pub(super) fn new(role: Role, max_frame: usize, max_message: usize) -> Self {
        let assembler = Assembler::new(max_message);
        Receiver {
            role,
            max_frame,
            inbox: BytesMut::new(),
            at: 0,
            frame: None,
            assembler,
            decompressor: None,
        }
    }

    /// From now on messages may be compressed.
    pub(super) fn decompress(&mut self, decompressor: Decompressor) {
        self.decompressor = Some(decompressor);
    }

    /// Takes bytes of the stream. They are copied only when someone else holds on to them too, or when they go on
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
        // What room there is behind the beginning of a payload is for its rest: so it lies in one piece.
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

    /// The next thing the peer said, or `None` when more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Incoming>, Failure> {
        loop {
            let Some(frame) = &mut self.frame else {
                if !self.begin_frame()? {
                    return Ok(None);
                }
                continue;
            };
            let left = frame.header.payload_len - frame.read;
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(self.inbox.len());
            if take > 0 {
                if let Some(key) = frame.header.mask {
                    apply_mask(key, frame.read, &mut self.inbox[..take]);
                }
                frame.read += take as u64;
                if frame.header.opcode.is_control() {
                    frame.control.extend_from_slice(&self.inbox[..take]);
                    self.inbox.advance(take);
                } else if self.assembler.is_compressed() {
                    self.inflate(take)?;
                    self.inbox.advance(take);
                } else if take <= Self::SHORT {
                    self.assembler.push(&self.inbox[..take], self.at)?;
                    self.inbox.advance(take);
                } else {
                    self.assembler.take(self.inbox.split_to(take), self.at)?;
                }
                self.at = self.at.saturating_add(take);
            }
            if (take as u64) < left {
                return Ok(None);
            }
            if let Some(incoming) = self.end_frame()? {
                return Ok(Some(incoming));
            }
        }
    }

    /// Decompresses the first `n` bytes of the inbox (RFC 7692 §7.2.2); the end of the message when `n` is 0.
    fn inflate(&mut self, n: usize) -> Result<(), Failure> {
        let Some(decompressor) = &mut self.decompressor else { return Ok(()) };
        let (assembler, at) = (&mut self.assembler, self.at);
        let mut refused = None;
        let mut take = |piece: &[u8]| assembler.push(piece, at).map_err(|failure| refused = Some(failure));
        let done = match n {
            0 => decompressor.finish(),
            n => decompressor.push(&self.inbox[..n], &mut take),
        };
        done.map_err(|error| match (error, refused) {
            (InflateError::Refused, Some(failure)) => failure,
            (InflateError::Refused | InflateError::Corrupt, _) => Failure::not_deflate(at),
        })
    }

    /// Reads the next header; false when it is not whole yet.
    fn begin_frame(&mut self) -> Result<bool, Failure> {
        let mut r = Reader::new(FrameHeader::LAYER, FrameHeader::PROTOCOL, &self.inbox).starting_at(self.at);
        let header = match FrameHeader::parse(&mut r) {
            Ok(header) => header,
            Err(error) if error.is_incomplete() => return Ok(false),
            Err(error) => return Err(Failure::of_frame(error)),
        };
        let length = r.position();
        self.check_header(&header)?;
        if !header.opcode.is_control() {
            self.assembler.begin_frame(&header, self.at)?;
        }
        self.inbox.advance(length);
        self.at = self.at.saturating_add(length);
        self.frame = Some(Frame { header, read: 0, control: BytesMut::new() });
        Ok(true)
    }

    /// The rules that depend on who the peer is and on what was agreed.
    fn check_header(&self, header: &FrameHeader) -> Result<(), Failure> {
        // RFC 7692 §6: RSV1 says that a message is compressed, so it is set on a message's first frame only.
        let starts_message = matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let rsv1 = header.rsv1 && !(self.decompressor.is_some() && starts_message);
        // §5.2: no extension was agreed on that would give the other bits a meaning.
        for (field, set) in [("RSV1", rsv1), ("RSV2", header.rsv2), ("RSV3", header.rsv3)] {
            if set {
                let expected = "0: no extension has claimed it (RFC 6455 §5.2)";
                return Err(Failure::protocol(field, self.at, expected, "1"));
            }
        }
        match (self.role, header.mask) {
            (Role::Server, Some(_)) | (Role::Client, None) => {}
            (Role::Server, None) => {
                let expected = "1: a client masks every frame (RFC 6455 §5.1)";
                return Err(Failure::protocol("MASK", self.at.saturating_add(1), expected, "0"));
            }
            (Role::Client, Some(_)) => {
                let expected = "0: a server masks no frame (RFC 6455 §5.1)";
                return Err(Failure::protocol("MASK", self.at.saturating_add(1), expected, "1"));
            }
        }
        if header.payload_len > self.max_frame as u64 && !header.opcode.is_control() {
            return Err(Failure::too_big("frame", self.at, self.max_frame));
        }
        Ok(())
    }

    /// The payload is whole.
    fn end_frame(&mut self) -> Result<Option<Incoming>, Failure> {
        let Some(Frame { header, control, .. }) = self.frame.take() else { return Ok(None) };
        let payload = control.freeze();
        Ok(Some(match header.opcode {
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                if header.fin && self.assembler.is_compressed() {
                    self.inflate(0)?;
                }
                return Ok(self.assembler.end_frame(header.fin, self.at)?.map(Incoming::Message));
            }
            Opcode::Ping => Incoming::Ping(payload),
            Opcode::Pong => Incoming::Pong(payload),
            Opcode::Close => {
                let start = self.at.saturating_sub(payload.len());
                Incoming::Close(CloseReason::parse(&payload, start)?)
            }
        }))
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
