//! What the operating system says of the two sockets of a run.
//!
//! Each figure is a number of the kernel's own, or the reason why this system does not have it: nothing is made up.
//! Read tcp(7), udp(7) and socket(7) for what each option means.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::{TcpStream, UdpSocket};

use super::tcp_info::TcpInfo;
use crate::trace::Way;

/// A figure, or why there is none.
pub type Figure<T> = Result<T, Missing>;

/// Why a figure is not there, as a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Cow<'static, str>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What the system says of both ends of a run.
#[derive(Debug, Clone)]
pub struct KernelFigures {
    /// Which scene it was.
    pub way: Way,
    /// The figures of the client's socket.
    pub client: EndFigures,
    /// The figures of the server's socket.
    pub server: EndFigures,
    /// The largest IP packet that the loopback interface takes, in bytes.
    pub loopback_mtu: Figure<u32>,
}

/// What the system says of one socket, when all data was through and before the connection was closed.
#[derive(Debug, Clone)]
pub struct EndFigures {
    /// The address that it is bound to.
    pub local: Figure<SocketAddr>,
    /// The address of the other end.
    pub peer: Figure<SocketAddr>,
    /// `TCP_MAXSEG`: the largest payload of a segment, in bytes.
    pub max_segment: Figure<u32>,
    /// `SO_SNDBUF` in bytes. Linux gives a socket twice what is asked for, to have room for its own records, and
    /// reports the doubled value.
    pub send_buffer: Figure<usize>,
    /// `SO_RCVBUF` in bytes, doubled likewise.
    pub receive_buffer: Figure<usize>,
    /// `TCP_NODELAY`: whether Nagle's algorithm (RFC 9293 §3.7.4) is off.
    pub nodelay: Figure<bool>,
    /// `TCP_CONGESTION`: the congestion control algorithm.
    pub congestion: Figure<String>,
    /// `TCP_INFO` at that time.
    pub tcp_info: Figure<TcpInfo>,
    /// `TCP_INFO` again after both ends had closed: its counts are those of the whole connection.
    pub after_close: Figure<TcpInfo>,
}

/// One line of a table of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureRow {
    /// What it is, by the name that system administrators know.
    pub name: &'static str,
    /// The state at the client.
    pub client: Figure<String>,
    /// The state at the server.
    pub server: Figure<String>,
}

impl KernelFigures {
    pub(crate) fn new(way: Way, client: EndFigures, server: EndFigures) -> Self {
        KernelFigures { way, client, server, loopback_mtu: loopback_mtu() }
    }

    /// Takes the last figures, when the connection is closed and the sockets are not.
    pub(crate) fn close(&mut self, client: &TcpStream, server: &TcpStream) {
        self.client.after_close = tcp_info(client);
        self.server.after_close = tcp_info(server);
    }

    /// Segments that passed between the two ends, from the first SYN to the last ACK, counted at the client: what it
    /// sent and what it received.
    ///
    /// # Errors
    /// When the system does not count them.
    pub fn segments(&self) -> Figure<u64> {
        let info = self.client.after_close.as_ref().map_err(Clone::clone)?;
        match (info.segs_out, info.segs_in) {
            (Some(out), Some(into)) => Ok(u64::from(out) + u64::from(into)),
            _ => Err(OLD_KERNEL),
        }
    }

    /// All figures, as lines of a table.
    pub fn rows(&self) -> Vec<FigureRow> {
        let mtu = || ("loopback MTU", text(&self.loopback_mtu));
        let with_mtu = |end: &EndFigures| {
            let mut rows = end.rows(self.way);
            rows.insert(2, mtu());
            rows
        };
        let both = with_mtu(&self.client).into_iter().zip(with_mtu(&self.server));
        both.map(|((name, client), (_, server))| FigureRow { name, client, server }).collect()
    }
}

impl EndFigures {
    /// All figures of this end, each with its name.
    pub fn rows(&self, way: Way) -> Vec<(&'static str, Figure<String>)> {
        let mut rows = vec![
            ("local address", text(&self.local)),
            ("peer address", text(&self.peer)),
            ("SO_SNDBUF", text(&self.send_buffer)),
            ("SO_RCVBUF", text(&self.receive_buffer)),
        ];
        if way == Way::Udp {
            return rows;
        }
        let (info, last) = (&self.tcp_info, &self.after_close);
        rows.extend([
            ("TCP_MAXSEG", text(&self.max_segment)),
            ("TCP_NODELAY", self.nodelay.clone().map(|on| if on { "on" } else { "off" }.to_owned())),
            ("TCP_CONGESTION", text(&self.congestion)),
            ("state", of(info, |info| info.state)),
            ("options", of(info, options)),
            ("send MSS", of(info, |info| info.snd_mss)),
            ("receive MSS (estimate)", of(info, |info| info.rcv_mss)),
            ("path MTU", of(info, |info| info.pmtu)),
            ("RTT, smoothed", of(info, |info| info.rtt)),
            ("RTT variation", of(info, |info| info.rttvar)),
            ("RTO", of(info, |info| info.rto)),
            ("cwnd (segments)", of(info, |info| info.snd_cwnd)),
            ("retransmitted, in all", of(last, |info| info.total_retrans)),
            ("segments out, in all", counted(last, |info| info.segs_out)),
            ("segments in, in all", counted(last, |info| info.segs_in)),
            ("bytes acked, SYN and FIN too", counted(last, |info| info.bytes_acked)),
            ("bytes received, FIN too", counted(last, |info| info.bytes_received)),
        ]);
        rows
    }

    pub(crate) fn of_tcp(stream: &TcpStream) -> Self {
        let socket = SockRef::from(stream);
        EndFigures {
            local: figure(stream.local_addr()),
            peer: figure(stream.peer_addr()),
            max_segment: max_segment(&socket),
            send_buffer: figure(socket.send_buffer_size()),
            receive_buffer: figure(socket.recv_buffer_size()),
            nodelay: figure(socket.tcp_nodelay()),
            congestion: congestion(&socket),
            tcp_info: tcp_info(stream),
            after_close: missing("the connection was not closed yet"),
        }
    }

    pub(crate) fn of_udp(socket: &UdpSocket) -> Self {
        const UDP: &str = "UDP has no connection";
        let options = SockRef::from(socket);
        EndFigures {
            local: figure(socket.local_addr()),
            peer: figure(socket.peer_addr()),
            max_segment: missing(UDP),
            send_buffer: figure(options.send_buffer_size()),
            receive_buffer: figure(options.recv_buffer_size()),
            nodelay: missing(UDP),
            congestion: missing(UDP),
            tcp_info: missing(UDP),
            after_close: missing(UDP),
        }
    }
}

const OLD_KERNEL: Missing = Missing(Cow::Borrowed("this kernel is too old to count it"));

fn missing<T>(why: &'static str) -> Figure<T> {
    Err(Missing(why.into()))
}

fn figure<T>(answer: std::io::Result<T>) -> Figure<T> {
    answer.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotConnected => Missing("this socket has no peer: it takes from anyone".into()),
        _ => Missing(error.to_string().into()),
    })
}

fn text(figure: &Figure<impl ToString>) -> Figure<String> {
    figure.as_ref().map(ToString::to_string).map_err(Clone::clone)
}

fn of<T: ToString>(info: &Figure<TcpInfo>, field: impl Fn(&TcpInfo) -> T) -> Figure<String> {
    info.as_ref().map(|info| field(info).to_string()).map_err(Clone::clone)
}

fn counted<T: ToString>(info: &Figure<TcpInfo>, field: impl Fn(&TcpInfo) -> Option<T>) -> Figure<String> {
    field(info.as_ref().map_err(Clone::clone)?).map(|count| count.to_string()).ok_or(OLD_KERNEL)
}

fn options(info: &TcpInfo) -> String {
    let options = info.options;
    let scale = options.window_scale.map(|(peer, own)| format!("wscale {peer}/{own}"));
    let named = [(options.timestamps, "timestamps"), (options.sack, "SACK"), (options.ecn, "ECN")];
    let mut names: Vec<String> =
        named.into_iter().filter(|(on, _)| *on).map(|(_, name)| name.to_owned()).collect();
    names.extend(scale);
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

pub(crate) fn tcp_info(stream: &TcpStream) -> Figure<TcpInfo> {
    figure(TcpInfo::of(stream))
}

#[cfg(unix)]
fn max_segment(socket: &SockRef<'_>) -> Figure<u32> {
    figure(socket.tcp_mss())
}

#[cfg(not(unix))]
fn max_segment(_: &SockRef<'_>) -> Figure<u32> {
    missing("TCP_MAXSEG is an option of Unix systems")
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn congestion(socket: &SockRef<'_>) -> Figure<String> {
    // The kernel fills the rest of a fixed room with zero bytes.
    let name = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned();
    figure(socket.tcp_congestion().map(name))
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn congestion(_: &SockRef<'_>) -> Figure<String> {
    missing("TCP_CONGESTION is an option of Linux and FreeBSD")
}

#[cfg(target_os = "linux")]
fn loopback_mtu() -> Figure<u32> {
    const FILE: &str = "/sys/class/net/lo/mtu";
    let text = std::fs::read_to_string(FILE).map_err(|error| Missing(format!("{FILE}: {error}").into()))?;
    text.trim().parse().map_err(|_| Missing(format!("{FILE} is not a number").into()))
}

#[cfg(not(target_os = "linux"))]
fn loopback_mtu() -> Figure<u32> {
    missing("only Linux shows it in a file")
}
