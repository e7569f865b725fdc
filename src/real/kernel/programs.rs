//! The programs at the kernel's end of the scene of `compare`: a receiver of datagrams, a receiver of a stream, and a
//! WebSocket server that sends back what it gets. They are ordinary programs with ordinary sockets.

use std::net::{self, SocketAddr};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::base::{Duration, Instant};
use crate::real::clock::{Clock, std_duration};
use crate::real::compare::observed::Observed;
use crate::real::compare::stage::{SERVER, Stage, flow};
use crate::real::compare::{builder, echo, read_to_end, runtime};
use crate::real::error::{During as _, RealError, during};
use crate::real::kernel_figures::{EndFigures, Figure, tcp_info};
use crate::real::tcp_info::TcpInfo;
use crate::trace::{Flow, Kind, Protocol, Trace, Way, Wire};

const NEXT: &str = "run it again; if it fails again, see whether the interface is up (ip addr)";

/// What a program at the kernel's end saw, and what the kernel says of its socket.
#[derive(Debug)]
pub struct Served {
    /// The program's own calls, and the states that the kernel showed.
    pub trace: Trace,
    /// What arrived: datagrams, reads of a stream, messages.
    pub received: Vec<Bytes>,
    /// The kernel's figures; the last ones when the connection is over at its end.
    pub figures: EndFigures,
}

/// How long a receiver of datagrams waits for the next one, and a program for the kernel to be done with a connection.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// After a datagram, or the start.
    pub quiet: Duration,
    /// For the whole run.
    pub whole: Duration,
}

/// A socket of the kernel's at which a client is waited for. It has to be there before the first frame is, or the kernel
/// refuses the client.
#[derive(Debug)]
pub enum Door {
    /// For datagrams.
    Udp(net::UdpSocket),
    /// For a connection.
    Tcp(net::TcpListener),
}

impl Door {
    /// Opens one for a way to send a message.
    ///
    /// # Errors
    /// When the system refuses the socket.
    pub fn open(way: Way, address: SocketAddr) -> Result<Door, RealError> {
        const STEP: &str = "binding the kernel's socket";
        Ok(match way {
            Way::Udp => {
                let socket = net::UdpSocket::bind(address).during(STEP, NEXT)?;
                socket.set_nonblocking(true).during(STEP, NEXT)?;
                Door::Udp(socket)
            }
            Way::Tcp | Way::WebSocket => {
                let socket = net::TcpListener::bind(address).during(STEP, NEXT)?;
                socket.set_nonblocking(true).during(STEP, NEXT)?;
                Door::Tcp(socket)
            }
        })
    }
}

/// Serves one client that comes to the `door` at `address`, until it has sent all. `datagrams` is how many will come by
/// UDP.
///
/// It starts a runtime of its own: it is for a thread of its own.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn serve(
    way: Way,
    door: Door,
    address: SocketAddr,
    clock: Clock,
    datagrams: usize,
    patience: Patience,
) -> Result<Served, RealError> {
    let stage = Stage::at(clock, way, Wire::Kernel);
    let (received, figures) = runtime()?.block_on(async {
        let served = async {
            match door {
                Door::Udp(socket) => {
                    receive_datagrams(&stage, socket, address, datagrams, patience.quiet).await
                }
                Door::Tcp(socket) => {
                    let listener = TcpListener::from_std(socket).during("listening", NEXT)?;
                    match way {
                        Way::WebSocket => send_back(&stage, listener, address, patience.whole).await,
                        Way::Udp | Way::Tcp => receive_stream(&stage, listener, address).await,
                    }
                }
            }
        };
        let timed_out = RealError::TimedOut { step: "the run on the kernel wire", limit: patience.whole };
        tokio::time::timeout(std_duration(patience.whole), served).await.unwrap_or(Err(timed_out))
    })?;
    Ok(Served { trace: stage.into_trace(), received, figures })
}

type Seen = (Vec<Bytes>, EndFigures);

async fn receive_datagrams(
    stage: &Stage,
    socket: net::UdpSocket,
    address: SocketAddr,
    expected: usize,
    quiet: Duration,
) -> Result<Seen, RealError> {
    let socket = UdpSocket::from_std(socket).during("receiving", NEXT)?;
    let mut received = Vec::new();
    let mut room = vec![0; 65_535];
    while received.len() < expected {
        let next = tokio::time::timeout(std_duration(quiet), socket.recv_from(&mut room)).await;
        // Neither end of UDP says that it was all: what has not come by now counts as lost.
        let Ok(next) = next else { break };
        let (len, from) = next.during("receiving a datagram", NEXT)?;
        let (bytes, flow) = (Bytes::copy_from_slice(&room[..len]), flow(Protocol::Udp, address, from));
        let now = stage.now();
        stage.record(now, SERVER, Kind::AppRead { flow, bytes: bytes.clone() });
        stage.record(now, SERVER, Kind::MessageReceived { flow, len });
        received.push(bytes);
    }
    Ok((received, EndFigures::of_udp(&socket)))
}

async fn receive_stream(
    stage: &Stage,
    listener: TcpListener,
    address: SocketAddr,
) -> Result<Seen, RealError> {
    let (mut stream, flow) = accept(stage, listener, address).await?;
    let received = read_to_end(&mut stream).await?;
    let len = received.iter().map(Bytes::len).sum();
    stage.record(stage.now(), SERVER, Kind::MessageReceived { flow, len });
    let mut figures = EndFigures::of_tcp(stream.stream());
    tokio::io::AsyncWriteExt::shutdown(&mut stream).await.during("closing the kernel's end", NEXT)?;
    figures.after_close = closed(stage, &mut stream).await;
    Ok((received, figures))
}

async fn send_back(
    stage: &Stage,
    listener: TcpListener,
    address: SocketAddr,
    limit: Duration,
) -> Result<Seen, RealError> {
    let (stream, flow) = accept(stage, listener, address).await?;
    let builder = builder(limit);
    let mut server = during("the server's handshake", builder.accept(stream)).await?;
    let message = echo(stage, flow, &mut server).await?;
    let mut figures = EndFigures::of_tcp(server.get_ref().stream());
    // The server learns of the end as any server would: by asking for the next message.
    during("being closed", server.recv()).await?;
    figures.after_close = closed(stage, server.get_mut()).await;
    Ok((message.iter().map(|message| message.as_bytes().clone()).collect(), figures))
}

/// Waits for a client.
async fn accept(
    stage: &Stage,
    listener: TcpListener,
    address: SocketAddr,
) -> Result<(Observed<'_>, Flow), RealError> {
    let (stream, from): (TcpStream, _) = listener.accept().await.during("accepting", NEXT)?;
    let flow = flow(Protocol::Tcp, address, from);
    Ok((Observed::new(stage, SERVER, flow, stream, "LISTEN", "accept()"), flow))
}

/// How long the kernel may take to be done with a connection, and how often it is asked.
const LAST_ACK: Duration = Duration::from_secs(20);
const ASK: Duration = Duration::from_millis(1);

/// What the kernel says of a connection when it is done with it: when its FIN is acknowledged.
async fn closed(stage: &Stage, stream: &mut Observed<'_>) -> Figure<TcpInfo> {
    let until: Instant = stage.now() + LAST_ACK;
    while stage.now() < until
        && TcpInfo::of(stream.stream()).is_ok_and(|info| !matches!(info.state, "CLOSED" | "TIME-WAIT"))
    {
        tokio::time::sleep(std_duration(ASK)).await;
    }
    stream.look("its FIN was acknowledged");
    tcp_info(stream.stream())
}
