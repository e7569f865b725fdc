//! What comes in: how much to read at a time, and the memory to read it into.
//!
//! Memory is the dear part of a long message. Fresh memory comes from the system page by page, and memory that was not
//! touched for a while is not in the processor's caches. So a connection that waits gives its buffer to the
//! thread, and the connection that reads next on that thread takes it, still warm: idle connections have none, and busy
//! ones have few between them.

use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::coop;

use crate::layers::application::websocket::FrameHeader;

/// How many buffers a thread keeps, each with room for a read or two.
const KEPT: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// Reads from a stream, more at a time from one that has more.
#[derive(Debug)]
pub(super) struct Intake {
    /// How much to make room for at the next read.
    size: usize,
}

impl Intake {
    /// The first read makes room for this much; a stream that fills it gets more, up to [`MOST`](Self::MOST).
    const FIRST: usize = 8 << 10;
    const MOST: usize = 256 << 10;
    /// From here on a payload is read by itself.
    const LONG: u64 = 32 << 10;

    pub(super) fn new() -> Self {
        Intake { size: Self::FIRST }
    }

    /// Appends what the stream has to `inbox`. `coming_in` is the length of the payload that is coming in, and how much
    /// of it is missing.
    ///
    /// The end of a long payload is the end of the read, but for the next header. Then the next payload lies in one
    /// piece and needs not be joined; it is dealt with while the processor's caches still hold it; and its memory is
    /// free again as soon as its receiver is done with it.
    pub(super) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        inbox: &mut BytesMut,
        coming_in: (u64, u64),
    ) -> Poll<io::Result<usize>> {
        let (length, missing) = coming_in;
        let most = if length < Self::LONG || missing == 0 {
            self.size
        } else {
            let rest = usize::try_from(missing).unwrap_or(usize::MAX);
            rest.saturating_add(FrameHeader::MAX_LEN).min(self.size)
        };
        if inbox.capacity() <= FrameHeader::MAX_LEN
            && let Some(mut spare) = SPARE.with_borrow_mut(Vec::pop)
        {
            spare.extend_from_slice(inbox);
            *inbox = spare;
        }
        inbox.reserve(most);
        let mut room = inbox.limit(most);
        let read = pin!(stream.read_buf(&mut room)).poll(cx);
        if let Poll::Ready(Ok(read)) = read {
            if read == self.size {
                self.size = (2 * self.size).min(Self::MOST);
            } else if most == self.size && read < self.size / 8 {
                self.size = (self.size / 2).max(Self::FIRST);
            }
        }
        read
    }

    /// Keeps an idle buffer for the next connection that reads. One that has grown beyond all reads,
    /// for a message in one piece or what was read ahead, is freed.
    pub(super) fn keep(mut spare: BytesMut) {
        if spare.try_reclaim(Self::FIRST) && !spare.try_reclaim(2 * Self::MOST + 1) {
            SPARE.with_borrow_mut(|spares| {
                if spares.len() < KEPT {
                    spares.push(spare);
                }
            });
        }
    }
}

/// Charges the runtime's budget for `bytes` bytes of work. Pending when it is used up: then it is others' turn.
pub(super) fn poll_charge(cx: &mut Context<'_>, bytes: usize) -> Poll<()> {
    /// Bytes that cost a turn as much as one call to the system.
    const CHARGED: usize = 8 << 10;
    for _ in 0..bytes / CHARGED {
        ready!(coop::poll_proceed(cx)).made_progress();
    }
    Poll::Ready(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Vec<usize> {
        SPARE.with_borrow(|spares| spares.iter().map(BytesMut::capacity).collect())
    }

    #[test]
    fn a_thread_keeps_a_few_buffers_and_none_larger_than_reads_need() {
        Intake::keep(BytesMut::with_capacity(8 << 20));
        Intake::keep(BytesMut::with_capacity(2 * Intake::MOST + 1));
        // What shows of it is small, what it holds is not.
        let mut rest = BytesMut::zeroed(1 << 20);
        bytes::Buf::advance(&mut rest, (1 << 20) - (16 << 10));
        rest.clear();
        Intake::keep(rest);
        assert!(kept().is_empty(), "{:?}", kept());
        for _ in 0..2 * KEPT {
            Intake::keep(BytesMut::with_capacity(Intake::MOST));
        }
        assert_eq!(kept(), [Intake::MOST; KEPT]);
    }
}
