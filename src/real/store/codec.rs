//! A record as bytes: numbers in network byte order, each text or list after its length.
//!
//! ```text
//!   at_ms: 8 | sender id: 4 + n | rooms: 4, each 4 + n | except: 4, each 4 + n | text: 4 + n | attachments: 4, each 4 + n
//! ```
//!
//! The offset is the key.

use std::sync::Arc;

use bytes::Bytes;

use crate::chat::Record;
use crate::layers::application::socketio::Encoded;
use crate::layers::application::websocket::Utf8Bytes;
use crate::layers::physical::crc32::crc32;

/// Encodes a record, without its offset.
pub fn encode(record: &Record) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.cost());
    out.extend_from_slice(&record.at_ms.to_be_bytes());
    put(&mut out, record.sender_id.as_deref().unwrap_or_default().as_bytes());
    for rooms in [&record.to, &record.except] {
        put_count(&mut out, rooms.len());
        rooms.iter().for_each(|room| put(&mut out, room.as_bytes()));
    }
    put(&mut out, record.wire.text.as_bytes());
    put_count(&mut out, record.wire.attachments.len());
    record.wire.attachments.iter().for_each(|attachment| put(&mut out, attachment));
    out
}

/// The bytes with a check sequence after them, which covers their key too: what lies under a wrong key is found like what
/// is wrong itself. The database has checksums of its own for what a crash leaves unfinished; a disk that changes
/// what it holds later is found by this.
pub fn seal(key: &[u8], mut bytes: Vec<u8>) -> Vec<u8> {
    let check = (crc32(&bytes) ^ crc32(key)).to_be_bytes();
    bytes.extend_from_slice(&check);
    bytes
}

/// The bytes without their check sequence; `None` when they are not as they were sealed under this key.
pub(super) fn unseal<'a>(key: &[u8], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (bytes, check) = sealed.split_last_chunk::<4>()?;
    ((crc32(bytes) ^ crc32(key)).to_be_bytes() == *check).then_some(bytes)
}

/// The record; `None` when the bytes are not one.
pub fn decode(offset: u64, bytes: &[u8]) -> Option<Record> {
    let mut rest = bytes;
    let at_ms = take_u64(&mut rest)?;
    let sender_id = Some(take_text(&mut rest)?).filter(|id| !id.is_empty());
    let to = take_rooms(&mut rest)?;
    let except = take_rooms(&mut rest)?;
    let text = Utf8Bytes::try_from(Bytes::copy_from_slice(take(&mut rest)?)).ok()?;
    let count = take_count(&mut rest)?;
    let attachments =
        (0..count).map(|_| take(&mut rest).map(Bytes::copy_from_slice)).collect::<Option<_>>()?;
    rest.is_empty().then_some(Record {
        offset,
        at_ms,
        to,
        except,
        sender_id,
        wire: Encoded { text, attachments },
    })
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    // Nothing here comes near 4 GiB: packets are bounded far below.
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = take_count(rest)?;
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn take_text(rest: &mut &[u8]) -> Option<Arc<str>> {
    take(rest).and_then(|text| std::str::from_utf8(text).ok()).map(Arc::from)
}

fn take_rooms(rest: &mut &[u8]) -> Option<Vec<Arc<str>>> {
    let count = take_count(rest)?;
    (0..count).map(|_| take_text(rest)).collect()
}

fn take_count(rest: &mut &[u8]) -> Option<usize> {
    let (count, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    usize::try_from(u32::from_be_bytes(*count)).ok()
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(u64::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layers::application::socketio::{Packet, Value};

    #[test]
    fn one_bit_or_another_key_breaks_a_seal() {
        let sealed = seal(b"key", b"what was said".to_vec());
        assert_eq!(unseal(b"key", &sealed), Some(b"what was said".as_slice()));
        assert_eq!(unseal(b"kez", &sealed), None);
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal(b"key", &flipped), None, "bit {bit}");
        }
        assert_eq!(unseal(b"key", b"abc"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            at_ms: u64,
            to in prop::collection::vec("[a-z]{0,8}", 0..4),
            except in prop::collection::vec(".{0,8}", 0..4),
            id in prop::option::of(".{1,8}"),
            binary in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..3),
        ) {
            let names = |names: Vec<String>| names.into_iter().map(Arc::from).collect();
            let args = binary.into_iter().map(|bytes| Value::from(Bytes::from(bytes))).collect();
            let record = Record {
                offset: 7,
                at_ms,
                to: names(to),
                except: names(except),
                sender_id: id.map(Arc::from),
                wire: Packet::event("/", "said", args).encode(),
            };
            let bytes = encode(&record);
            prop_assert_eq!(decode(7, &bytes), Some(record));
        }

        #[test]
        fn arbitrary_bytes_are_refused_and_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(record) = decode(1, &bytes) {
                prop_assert_eq!(encode(&record), bytes);
            }
        }
    }
}
