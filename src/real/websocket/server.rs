//! Many connections at once: a port, a limit, and a task for each.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::Semaphore;

use super::builder::without_delay;
use super::{Builder, WebSocket, WebSocketError};
use crate::base::Duration;
use crate::real::clock::std_duration;

/// Accepts connections on a port and hands each to a task of its own, so that a slow one costs no other anything.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    builder: Builder,
    /// One permit for each connection there may be.
    room: Arc<Semaphore>,
}

impl Server {
    /// Listens on `addr`; port 0 is one that is free.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn bind(addr: impl ToSocketAddrs, builder: Builder) -> Result<Self, WebSocketError> {
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|source| WebSocketError::Io { step: "listening", source })?;
        let room = Arc::new(Semaphore::new(builder.connections().min(Semaphore::MAX_PERMITS)));
        Ok(Server { listener, builder, room })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn local_addr(&self) -> Result<SocketAddr, WebSocketError> {
        self.listener.local_addr().map_err(|source| WebSocketError::Io { step: "listening", source })
    }

    /// Serves for ever: every connection is given to `handler`, in a task of its own. What ends badly, in the
    /// handshake or later, is told to `report`.
    pub async fn serve<H, F>(
        self,
        handler: H,
        report: impl Fn(SocketAddr, &WebSocketError) + Clone + Send + 'static,
    ) where
        H: Fn(WebSocket<TcpStream>, SocketAddr) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), WebSocketError>> + Send,
    {
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(_) => {
                    // Out of file descriptors, most often. Waiting helps: connections end.
                    tokio::time::sleep(std_duration(Duration::from_millis(50))).await;
                    continue;
                }
            };
            let Ok(permit) = self.room.clone().try_acquire_owned() else {
                tokio::spawn(refuse(stream));
                continue;
            };
            without_delay(&stream);
            let (builder, handler, report) = (self.builder.clone(), handler.clone(), report.clone());
            tokio::spawn(async move {
                let served = match Box::pin(builder.accept(stream)).await {
                    Ok(socket) => {
                        drop(builder);
                        handler(socket, peer).await
                    }
                    Err(error) => Err(error),
                };
                if let Err(error) = served {
                    report(peer, &error);
                }
                drop(permit);
            });
        }
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
