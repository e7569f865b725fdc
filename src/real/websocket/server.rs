//! Many connections at once: a port, a limit, and a task for each.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::{Semaphore, watch};

use super::builder::without_delay;
use super::socket::Stop;
use super::{Builder, Requested, WebSocket, WebSocketError};
use crate::base::Duration;
use crate::real::clock::std_duration;
use crate::real::open_files;

/// Accepts connections on a port and hands each to a task of its own, so that a slow one costs no other anything.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    builder: Builder,
    /// One permit for each connection there may be.
    room: Arc<Semaphore>,
}

impl Server {
    /// Listens on `addr`; port 0 is one that is free. The process is allowed as many open files as the system lets it
    /// have, for each connection is one.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn bind(addr: impl ToSocketAddrs, builder: Builder) -> Result<Self, WebSocketError> {
        open_files::raise_limit();
        let failed = |source| WebSocketError::Io { step: "listening", source };
        Server::from_listener(TcpListener::bind(addr).await.map_err(failed)?, builder)
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves on a listener of the program's own: with options of its socket, or handed down by a service manager.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn from_listener(listener: TcpListener, builder: Builder) -> Result<Self, WebSocketError> {
        let failed = |source| WebSocketError::Io { step: "listening", source };
        let address = listener.local_addr().map_err(failed)?;
        let most = Semaphore::MAX_PERMITS.min(u32::MAX as usize);
        let room = Arc::new(Semaphore::new(builder.connections().min(most)));
        Ok(Server { listener, address, builder, room })
    }

    /// Serves without end: every connection is given to `handler`, in a task of its own. What ends badly, in the
    /// handshake or later, is passed to `report` with the peer's address. So is what keeps the server from accepting
    /// any connection, such as too many open files, with its own address, and once until it can again.
    pub async fn serve<H, F>(
        self,
        handler: H,
        report: impl Fn(SocketAddr, &WebSocketError) + Clone + Send + 'static,
    ) where
        H: Fn(WebSocket<TcpStream>, SocketAddr) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), WebSocketError>> + Send,
    {
        self.serve_until(std::future::pending(), handler, report).await;
    }

    /// As [`serve`](Server::serve), until `stop` is ready, such as [`shutdown::requested`](crate::real::shutdown). Then
    /// no connection is accepted any more, and those that are open are closed with 1001, "going away": their handlers
    /// receive what was under way and then the end, as when the peer closes. Returns when all are done, or when
    /// [`Builder::close_timeout`] has passed; what is left then is cut off.
    pub async fn serve_until<H, F>(
        self,
        stop: impl Future<Output = ()>,
        handler: H,
        report: impl Fn(SocketAddr, &WebSocketError) + Clone + Send + 'static,
    ) where
        H: Fn(WebSocket<TcpStream>, SocketAddr) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), WebSocketError>> + Send,
    {
        let work = move |builder: Builder, stream, peer, stop| {
            let handler = handler.clone();
            async move {
                let socket = Box::pin(builder.accept_from(stream, Some(peer))).await?;
                drop(builder);
                handler(socket.until(Some(stop)), peer).await
            }
        };
        self.run(stop, work, report).await;
    }

    /// As [`serve_until`](Server::serve_until), but `handler` gets the request before it is answered: it decides whether
    /// there is to be a connection, and takes its time for it.
    pub async fn serve_requests<H, F>(
        self,
        stop: impl Future<Output = ()>,
        handler: H,
        report: impl Fn(SocketAddr, &WebSocketError) + Clone + Send + 'static,
    ) where
        H: Fn(Requested<TcpStream>, SocketAddr) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), WebSocketError>> + Send,
    {
        let work = move |builder: Builder, stream, peer, stop| {
            let handler = handler.clone();
            async move {
                let requested = Box::pin(builder.receive(stream, Some(peer))).await?;
                drop(builder);
                handler(requested.until(stop), peer).await
            }
        };
        self.run(stop, work, report).await;
    }

    async fn run<W, F>(
        self,
        stop: impl Future<Output = ()>,
        work: W,
        report: impl Fn(SocketAddr, &WebSocketError) + Clone + Send + 'static,
    ) where
        W: Fn(Builder, TcpStream, SocketAddr, Stop) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), WebSocketError>> + Send,
    {
        let (told, phase) = watch::channel(Serving::Open);
        let room = self.room.clone();
        let most = self.builder.connections().min(u32::MAX as usize) as u32;
        let grace = self.builder.config.close_timeout;
        tokio::select! {
            () = self.accept_all(work, report, phase) => {}
            () = stop => {}
        }
        // Nobody is left to be told when there is no connection.
        let _ = told.send(Serving::GoingAway);
        let _ = tokio::time::timeout(std_duration(grace), room.acquire_many(most)).await;
        let _ = told.send(Serving::Over);
    }

    async fn accept_all<W, F>(
        self,
        work: W,
        report: impl Fn(SocketAddr, &WebSocketError) + Clone + Send + 'static,
        phase: watch::Receiver<Serving>,
    ) where
        W: Fn(Builder, TcpStream, SocketAddr, Stop) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), WebSocketError>> + Send,
    {
        let mut trouble = Trouble::default();
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(source) => {
                    if let Some(pause) = trouble.meet(source, |error| report(self.address, error)) {
                        tokio::time::sleep(std_duration(pause)).await;
                    }
                    continue;
                }
            };
            trouble = Trouble::default();
            let Ok(permit) = self.room.clone().try_acquire_owned() else {
                tokio::spawn(refuse(stream));
                continue;
            };
            without_delay(&stream);
            let (builder, work, report) = (self.builder.clone(), work.clone(), report.clone());
            let (going, over) = (reached(&phase, Serving::GoingAway), reached(&phase, Serving::Over));
            tokio::spawn(async move {
                tokio::select! {
                    served = work(builder, stream, peer, Box::pin(going)) => {
                        if let Err(error) = served {
                            report(peer, &error);
                        }
                    }
                    () = over => {}
                }
                drop(permit);
            });
        }
    }
}

/// How far a server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Serving {
    Open,
    GoingAway,
    Over,
}

/// Ready when the server has come so far, or is no more.
fn reached(phase: &watch::Receiver<Serving>, wanted: Serving) -> impl Future<Output = ()> + Send + use<> {
    let mut phase = phase.clone();
    async move {
        let _ = phase.wait_for(|phase| *phase >= wanted).await;
    }
}

/// Whether something keeps the server from accepting that was reported already.
#[derive(Debug, Default)]
struct Trouble {
    told: bool,
}

impl Trouble {
    /// How long to wait before the next try. A connection that was gone before it was accepted is its peer's affair.
    /// Everything else concerns all: the system is out of files or memory, most often, and waiting helps, for
    /// connections end.
    fn meet(&mut self, source: io::Error, tell: impl FnOnce(&WebSocketError)) -> Option<Duration> {
        use io::ErrorKind as Kind;
        // Linux hands over what has befallen the connection meanwhile: accept(2), "Error handling".
        if let Kind::ConnectionAborted
        | Kind::ConnectionReset
        | Kind::HostUnreachable
        | Kind::NetworkDown
        | Kind::NetworkUnreachable
        | Kind::Interrupted = source.kind()
        {
            return None;
        }
        if !std::mem::replace(&mut self.told, true) {
            tell(&WebSocketError::Io { step: "accepting", source });
        }
        Some(Duration::from_millis(50))
    }
}

/// "Not now": there is no room for another connection.
async fn refuse(mut stream: TcpStream) {
    let answer = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let refusal = async {
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    };
    let _ = tokio::time::timeout(std_duration(Duration::from_secs(1)), refusal).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_server_from_accepting_is_told_once_and_a_peer_that_left_is_nobodys_affair() {
        let mut told = Vec::new();
        let mut trouble = Trouble::default();
        let mut meet =
            |source: io::Error| trouble.meet(source, |error| told.push(error.to_string())).is_some();
        assert!(!meet(io::ErrorKind::ConnectionAborted.into()));
        assert!(meet(io::Error::other("too many open files")));
        assert!(meet(io::Error::other("too many open files")));
        assert!(!meet(io::ErrorKind::ConnectionReset.into()));
        assert_eq!(told, ["accepting: too many open files"]);
    }
}
