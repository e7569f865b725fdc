//! What was written and is not yet acknowledged, by the stream offset of each byte.
//!
//! Written chunks are kept as they came; a segment refers to a part of a chunk, so the usual byte is never copied
//! inside this end. Only a segment that spans chunks gathers them.
//!
//! Bounded by the capacity given to [`push`](SendBuffer::push), which takes no more than fits.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

#[derive(Debug)]
pub(super) struct SendBuffer {
    chunks: VecDeque<Bytes>,
    /// The offset of the first byte kept.
    start: u64,
    /// The offset after the last byte kept.
    end: u64,
    /// A chunk and its offset, where the last look-up ended: the next segment is most often found right there,
    /// however many chunks lie before it.
    cursor: (usize, u64),
}

impl SendBuffer {
    /// An empty buffer for the bytes from `start` on.
    pub(super) fn new(start: u64) -> Self {
        SendBuffer { chunks: VecDeque::new(), start, end: start, cursor: (0, start) }
    }

    /// The offset after the last byte written.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes are kept.
    pub(super) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Keeps as many bytes as `capacity` allows and says how many.
    pub(super) fn push(&mut self, mut bytes: Bytes, capacity: usize) -> usize {
        bytes.truncate(capacity.saturating_sub(self.len()));
        let taken = bytes.len();
        if taken > 0 {
            self.end += taken as u64;
            self.chunks.push_back(bytes);
        }
        taken
    }

    /// `len` bytes from `offset` on. The caller asks only for what is there.
    pub(super) fn slice(&mut self, offset: u64, len: usize) -> Bytes {
        let (mut index, mut at) = if self.cursor.1 <= offset { self.cursor } else { (0, self.start) };
        while let Some(chunk) = self.chunks.get(index).filter(|chunk| at + chunk.len() as u64 <= offset) {
            at += chunk.len() as u64;
            index += 1;
        }
        self.cursor = (index, at);
        let Some(chunk) = self.chunks.get(index) else { return Bytes::new() };
        let from = (offset - at) as usize;
        if chunk.len() - from >= len {
            return chunk.slice(from..from + len);
        }
        let mut gathered = BytesMut::with_capacity(len);
        gathered.extend_from_slice(&chunk[from..]);
        for chunk in self.chunks.iter().skip(index + 1) {
            let more = chunk.len().min(len - gathered.len());
            gathered.extend_from_slice(&chunk[..more]);
        }
        gathered.freeze()
    }

    /// Forgets everything before `offset`.
    pub(super) fn release(&mut self, offset: u64) {
        while self.start < offset.min(self.end) {
            let Some(first) = self.chunks.front_mut() else { return };
            let part = (offset - self.start).min(first.len() as u64);
            self.start += part;
            if part < first.len() as u64 {
                let _ = first.split_to(part as usize);
            } else {
                self.chunks.pop_front();
                self.cursor.0 = self.cursor.0.saturating_sub(1);
            }
        }
        if self.cursor.1 <= self.start {
            self.cursor = (0, self.start);
        }
    }

    /// Drops all bytes: the connection is over.
    pub(super) fn clear(&mut self) {
        *self = SendBuffer::new(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_segment_within_one_chunk_is_not_copied() {
        let chunk = Bytes::from(vec![7; 100]);
        let mut buffer = SendBuffer::new(1);
        buffer.push(chunk.clone(), 1000);
        assert_eq!(buffer.slice(11, 20).as_ptr(), chunk[10..].as_ptr());
    }

    #[test]
    fn no_more_is_taken_than_fits() {
        let mut buffer = SendBuffer::new(1);
        assert_eq!(buffer.push(Bytes::from_static(b"hello"), 3), 3);
        assert_eq!(buffer.push(Bytes::from_static(b"hello"), 3), 0);
        buffer.release(3);
        assert_eq!(buffer.push(Bytes::from_static(b"hello"), 3), 2);
        assert_eq!(buffer.slice(3, 3), "lhe");
    }

    proptest! {
        #[test]
        fn any_part_is_found_whatever_was_asked_and_released_before(
            sizes in prop::collection::vec(1usize..9, 1..30),
            steps in prop::collection::vec((any::<bool>(), 0u64..200, 1usize..30), 1..60),
        ) {
            let stream: Vec<u8> = (0..=255).collect();
            let mut buffer = SendBuffer::new(0);
            let mut written = 0;
            for size in sizes {
                written += buffer.push(Bytes::copy_from_slice(&stream[written..written + size.min(255 - written)]), 256);
            }
            for (release, at, len) in steps {
                let at = at.clamp(buffer.start, buffer.end);
                if release {
                    buffer.release(at);
                } else {
                    let len = len.min((buffer.end - at) as usize);
                    prop_assert_eq!(&buffer.slice(at, len)[..], &stream[at as usize..at as usize + len]);
                }
            }
        }
    }
}
