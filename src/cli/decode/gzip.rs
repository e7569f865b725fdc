//! Compressed captures: `capture.pcap.gz`, decompressed as it is read (RFC 1952).
//!
//! Nothing is ever held but the decompressor's window, however much comes out. DEFLATE makes at most 1032 bytes of one,
//! so a small file can still keep a reader busy for hours; what is more than `MOST_UNPACKED` is an error that says so.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

/// The most bytes that come out of a compressed file: 64 GiB.
const MOST_UNPACKED: u64 = 64 << 30;

/// Whether a file that begins so is compressed by gzip (RFC 1952 §2.3.1).
pub(super) fn is_magic(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

/// A file as it is, or what a compressed one holds.
#[derive(Debug)]
pub(super) enum Unpacked<R> {
    /// Not compressed: the bytes themselves.
    Plain(R),
    /// Decompressed; with the bytes that may still come.
    Gzip(Box<MultiGzDecoder<R>>, u64),
}

impl<R: BufRead> Unpacked<R> {
    /// Looks at the first bytes, and takes none.
    ///
    /// # Errors
    /// Those of the reader.
    pub(super) fn new(mut reader: R) -> io::Result<Self> {
        Ok(match is_magic(reader.fill_buf()?) {
            true => Unpacked::Gzip(Box::new(MultiGzDecoder::new(reader)), MOST_UNPACKED),
            false => Unpacked::Plain(reader),
        })
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Unpacked::Plain(reader) => reader.read(room),
            Unpacked::Gzip(_, 0) if !room.is_empty() => Err(io::Error::other(format!(
                "more than {MOST_UNPACKED} bytes come out of the compressed file"
            ))),
            Unpacked::Gzip(decoder, left) => {
                let most = usize::try_from(*left).map_or(room.len(), |left| left.min(room.len()));
                let read = decoder.read(&mut room[..most])?;
                *left -= read as u64;
                Ok(read)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one stored block (RFC 1951 §3.2.4), made by hand.
    fn stored(data: &[u8]) -> Vec<u8> {
        let len = data.len() as u16;
        let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
        file.extend(len.to_le_bytes());
        file.extend((!len).to_le_bytes());
        file.extend(data);
        file.extend(crate::layers::physical::crc32::crc32(data).to_le_bytes());
        file.extend(u32::from(len).to_le_bytes());
        file
    }

    fn read(file: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Unpacked::new(file)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_was_compressed_comes_out_and_what_was_not_stays() {
        assert_eq!(read(&stored(b"hello")).unwrap(), b"hello");
        // gzip lets files be joined (RFC 1952 §2.2).
        assert_eq!(read(&[stored(b"one, "), stored(b"two")].concat()).unwrap(), b"one, two");
        assert_eq!(read(b"plain").unwrap(), b"plain");
        assert_eq!(read(b"").unwrap(), b"");
    }

    #[test]
    fn a_compressed_file_that_is_cut_or_damaged_is_an_error() {
        let file = stored(b"hello");
        assert!(read(&file[..file.len() - 9]).is_err());
        let mut damaged = file;
        damaged[16] ^= 1;
        assert!(read(&damaged).is_err(), "its check sequence is wrong");
    }

    #[test]
    fn no_more_than_the_bound_comes_out() {
        let file = stored(b"hello");
        let Ok(Unpacked::Gzip(decoder, _)) = Unpacked::new(&file[..]) else { panic!("it is compressed") };
        let mut bounded = Unpacked::Gzip(decoder, 3);
        let mut out = Vec::new();
        assert!(bounded.read_to_end(&mut out).unwrap_err().to_string().contains("compressed"));
        assert_eq!(out, b"hel");
    }
}
