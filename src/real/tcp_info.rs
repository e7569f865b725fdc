//! `TCP_INFO`: what Linux knows about one TCP connection (transport layer, seen from outside our own stack).
//!
//! Read first: tcp(7), and `struct tcp_info` in the kernel's `include/uapi/linux/tcp.h`. The structure only ever grows
//! at its end, so a program and a kernel of different age understand each other by the *length* that `getsockopt`
//! reports: a field beyond it is one that this kernel does not know yet. That is why the bytes are decoded here, at
//! their offsets, instead of being laid over a structure of a fixed size.
//!
//! It leaves out the fields that no view of this crate shows (pacing, delivery rate, time spent limited).
#![allow(unsafe_code)] // getsockopt(TCP_INFO) has no safe wrapper; the one call is at the end of this file.

use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};

use tokio::net::TcpStream;

use crate::base::Duration;

/// The kernel's account of one end of a connection. `None`: this kernel is too old to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpInfo {
    /// Where in its life the connection is, by the name of RFC 9293 §3.3.2.
    pub state: &'static str,
    /// What both ends agreed on in their SYNs.
    pub options: Options,
    /// The retransmission timeout (RFC 6298).
    pub rto: Duration,
    /// Largest payload that this end puts into a segment now, options already taken off.
    pub snd_mss: u32,
    /// The kernel's guess at the largest payload that the peer sends, for its delayed acknowledgments.
    pub rcv_mss: u32,
    /// The MSS this end announces (RFC 9293 §3.7.1), before options are taken off.
    pub advmss: u32,
    /// The path MTU in bytes (RFC 1191).
    pub pmtu: u32,
    /// The smoothed round-trip time (RFC 6298).
    pub rtt: Duration,
    /// The mean deviation of the round-trip time.
    pub rttvar: Duration,
    /// Congestion window, in segments (not bytes).
    pub snd_cwnd: u32,
    /// Slow start threshold, in segments; a huge number until the first loss.
    pub snd_ssthresh: u32,
    /// Segments retransmitted over the whole life of the connection.
    pub total_retrans: u32,
    /// Bytes that the peer acknowledged. Linux counts sequence numbers here, so SYN and FIN are one each.
    pub bytes_acked: Option<u64>,
    /// Bytes of the stream that came in; a FIN counts as one.
    pub bytes_received: Option<u64>,
    /// Segments sent, with and without payload. A large block that the kernel cuts only at the interface counts as
    /// the segments it would be cut into.
    pub segs_out: Option<u32>,
    /// Segments received, counted in the same way.
    pub segs_in: Option<u32>,
}

/// TCP options in use on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Timestamps (RFC 7323 §3).
    pub timestamps: bool,
    /// Selective acknowledgments (RFC 2018).
    pub sack: bool,
    /// Window scaling (RFC 7323 §2), as shifts for the peer's windows and for our own; `None` when not agreed on.
    pub window_scale: Option<(u8, u8)>,
    /// Explicit congestion notification (RFC 3168).
    pub ecn: bool,
}

impl TcpInfo {
    /// Asks the kernel about this connection.
    ///
    /// # Errors
    /// On a system without `TCP_INFO`, or with an answer too short to be one.
    pub fn of(stream: &TcpStream) -> io::Result<TcpInfo> {
        #[cfg(unix)]
        return TcpInfo::of_socket(stream);
        #[cfg(not(unix))]
        return Err(io::Error::new(io::ErrorKind::Unsupported, "TCP_INFO is a Linux option"));
    }

    /// The same of any TCP socket, such as one of the standard library.
    ///
    /// # Errors
    /// Those of [`of`](TcpInfo::of).
    #[cfg(unix)]
    pub fn of_socket(socket: &impl AsFd) -> io::Result<TcpInfo> {
        let mut room = [0; ROOM];
        let len = ask(socket.as_fd(), &mut room)?;
        TcpInfo::parse(&room[..len.min(ROOM)])
            .ok_or_else(|| io::Error::other(format!("TCP_INFO answered with only {len} bytes")))
    }

    /// Reads the kernel's structure, in this machine's byte order; `None` when it is shorter than in its first version.
    fn parse(bytes: &[u8]) -> Option<TcpInfo> {
        let micros = |at| u32_at(bytes, at).map(|us| Duration::from_micros(u64::from(us)));
        Some(TcpInfo {
            state: state_name(*bytes.first()?),
            options: Options::parse(*bytes.get(5)?, *bytes.get(6)?),
            rto: micros(8)?,
            snd_mss: u32_at(bytes, 16)?,
            rcv_mss: u32_at(bytes, 20)?,
            pmtu: u32_at(bytes, 60)?,
            rtt: micros(68)?,
            rttvar: micros(72)?,
            snd_ssthresh: u32_at(bytes, 76)?,
            snd_cwnd: u32_at(bytes, 80)?,
            advmss: u32_at(bytes, 84)?,
            total_retrans: u32_at(bytes, 100)?,
            bytes_acked: u64_at(bytes, 120),
            bytes_received: u64_at(bytes, 128),
            segs_out: u32_at(bytes, 136),
            segs_in: u32_at(bytes, 140),
        })
    }
}

impl Options {
    fn parse(flags: u8, scales: u8) -> Options {
        // Two 4-bit bitfields in one byte: C puts the first into the low half on little-endian machines.
        let (low, high) = (scales & 0x0f, scales >> 4);
        let shifts = if cfg!(target_endian = "little") { (low, high) } else { (high, low) };
        Options {
            timestamps: flags & 1 != 0,
            sack: flags & 2 != 0,
            window_scale: (flags & 4 != 0).then_some(shifts),
            ecn: flags & 8 != 0,
        }
    }
}

/// The numbers of the kernel's `net/tcp_states.h`, by the names of RFC 9293.
fn state_name(number: u8) -> &'static str {
    match number {
        1 => "ESTABLISHED",
        2 => "SYN-SENT",
        3 | 12 => "SYN-RECEIVED", // 12: the kernel's smaller record of a connection not yet accepted
        4 => "FIN-WAIT-1",
        5 => "FIN-WAIT-2",
        6 => "TIME-WAIT",
        7 => "CLOSED",
        8 => "CLOSE-WAIT",
        9 => "LAST-ACK",
        10 => "LISTEN",
        11 => "CLOSING",
        _ => "a state this program does not know",
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes)
}

/// Room for the structure as it is today (232 bytes in Linux 6.x) and for some growth; the kernel fills what fits.
const ROOM: usize = 512;

/// How many bytes of the kernel's answer are in `room`.
#[cfg(target_os = "linux")]
fn ask(socket: BorrowedFd<'_>, room: &mut [u8; ROOM]) -> io::Result<usize> {
    use std::os::fd::AsRawFd as _;

    let mut len = ROOM as libc::socklen_t;
    // SAFETY: the descriptor is open as long as it is borrowed. The kernel writes at most `len` bytes to
    // `room`, which has that many, is exclusively ours, and holds plain bytes, for which every value is valid; then
    // it writes to `len`, which outlives the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            room.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if result == 0 { Ok(len as usize) } else { Err(io::Error::last_os_error()) }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn ask(_: BorrowedFd<'_>, _: &mut [u8; ROOM]) -> io::Result<usize> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "TCP_INFO is a Linux option"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A structure in which the 32-bit word at every offset is that offset.
    fn numbered(len: usize) -> Vec<u8> {
        (0..len / 4).flat_map(|word| (word as u32 * 4).to_ne_bytes()).collect()
    }

    #[test]
    fn fields_are_read_at_the_offsets_of_the_kernels_header() {
        let mut bytes = numbered(232);
        bytes[..8].copy_from_slice(&[1, 0, 0, 0, 0, 0b0111, 0, 0]);
        let info = TcpInfo::parse(&bytes).unwrap();
        assert_eq!(info.state, "ESTABLISHED");
        assert!(info.options.timestamps && info.options.sack && !info.options.ecn);
        assert_eq!(info.rto, Duration::from_micros(8));
        assert_eq!((info.snd_mss, info.rcv_mss, info.advmss, info.pmtu), (16, 20, 84, 60));
        assert_eq!((info.rtt, info.rttvar), (Duration::from_micros(68), Duration::from_micros(72)));
        assert_eq!((info.snd_ssthresh, info.snd_cwnd, info.total_retrans), (76, 80, 100));
        assert_eq!((info.segs_out, info.segs_in), (Some(136), Some(140)));
    }

    #[test]
    fn a_field_that_an_older_kernel_does_not_have_is_none_and_not_zero() {
        let info = TcpInfo::parse(&numbered(104)).unwrap();
        assert_eq!(info.total_retrans, 100);
        assert_eq!((info.bytes_acked, info.bytes_received), (None, None));
        assert_eq!((info.segs_out, info.segs_in), (None, None));
    }

    #[test]
    fn an_answer_cut_short_is_none() {
        for len in 0..104 {
            assert_eq!(TcpInfo::parse(&vec![0; len]), None, "{len} bytes");
        }
    }

    #[test]
    fn the_window_scale_is_the_peers_then_ours() {
        let byte = if cfg!(target_endian = "little") { 0x72 } else { 0x27 };
        assert_eq!(Options::parse(4, byte).window_scale, Some((2, 7)));
        assert_eq!(Options::parse(0, byte).window_scale, None);
    }
}
