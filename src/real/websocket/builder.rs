//! What a connection is to be like, before there is one: limits, compression, which clients may connect.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::client_stream::ClientStream;
use super::masks::{masks, random};
#[cfg(feature = "tls")]
use super::tls::Trust;
use super::{Requested, Url, WebSocket, WebSocketError};
use crate::base::Duration;
use crate::layers::application::http::{
    Gate, Headers, Incoming, Limits, Rejection, RequestHead, ResponseHead,
};
use crate::layers::application::websocket::handshake::server::{Refusal, answer};
use crate::layers::application::websocket::{
    Config, Connection, Deflate, Keepalive, Opening, Policy, Request, Role, Subprotocols,
};
use crate::real::clock::{Clock, std_duration};

/// Sets up connections, one or many alike. Every limit has a default; see each method.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(super) config: Config,
    policy: Policy,
    origin: Option<String>,
    subprotocols: Vec<String>,
    headers: Headers,
    write_timeout: Duration,
    linger: Duration,
    max_connections: usize,
    fragments: bool,
    #[cfg(feature = "tls")]
    trust: Option<Trust>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            config: Config { keepalive: Some(Keepalive::default()), ..Config::default() },
            policy: Policy::default(),
            origin: None,
            subprotocols: Vec::new(),
            headers: Headers::new(),
            write_timeout: Duration::from_secs(20),
            linger: Duration::from_millis(1),
            max_connections: 10_000,
            fragments: false,
            #[cfg(feature = "tls")]
            trust: None,
        }
    }
}

impl Builder {
    /// The defaults: those of the fields' documentation.
    pub fn new() -> Self {
        Builder::default()
    }

    /// All limits of the machine at once. Without a [`Keepalive`], which is the machine's own default and not the one
    /// here, the keepalive stays as it is: [`keepalive`](Builder::keepalive) is what turns it off.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        let keepalive = config.keepalive.or(self.config.keepalive);
        self.config = Config { keepalive, ..config };
        self
    }

    /// Bytes of a message, at most; also while it is decompressed [64 MiB]. A larger one ends with 1009. A message may
    /// come in one frame, so a frame is allowed as much.
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.config.max_message = bytes;
        self.config.max_frame = self.config.max_frame.max(bytes);
        self
    }

    /// Whether messages are received frame by frame, by [`WebSocket::recv_fragment`], and not whole (default: not). The
    /// limit of a message holds for all its fragments together.
    #[must_use]
    pub fn fragments(mut self, fragments: bool) -> Self {
        self.fragments = fragments;
        self
    }

    /// Bytes of the payload of one frame, at most [64 MiB]. A larger one ends with 1009. For less than a message may
    /// have, set it after [`max_message`](Builder::max_message); our own end sends a message in one frame.
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.config.max_frame = bytes;
        self
    }

    /// Bytes that may wait for a peer that does not read [1 MiB], besides one message. While more wait,
    /// [`send`](WebSocket::send) waits too. As much is read ahead in that time, and no more: what the peer sends then
    /// waits at the peer.
    #[must_use]
    pub fn write_buffer(mut self, bytes: usize) -> Self {
        self.config.max_queue = bytes;
        self
    }

    /// How long a peer may take none of the bytes that wait for it, before it is cut off (default: 20 s).
    #[must_use]
    pub fn write_timeout(mut self, time: Duration) -> Self {
        self.write_timeout = time;
        self
    }

    /// How long what was sent may wait for company while more messages wait to be received (default: 1 ms). The clock
    /// is looked at when the first message after a reply is asked for, the second, the fourth, and every eighth, until
    /// the replies go out: a program that takes long over each of many messages delays a reply by one of them, and one
    /// that takes long from some message on by eight at most, not by all.
    #[must_use]
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// How long the opening handshake may take (default: 10 s).
    #[must_use]
    pub fn handshake_timeout(mut self, time: Duration) -> Self {
        self.config.handshake_timeout = time;
        self
    }

    /// How large the head of the handshake may be [8 KiB a line, 32 KiB in all, 100 fields], and in how many pieces
    /// it may come (default: 1024).
    #[must_use]
    pub fn head(mut self, limits: Limits, pieces: usize) -> Self {
        self.config.head = limits;
        self.config.head_pieces = pieces;
        self
    }

    /// How long the peer may take to answer our Close frame, and then to close TCP (default: 5 s).
    #[must_use]
    pub fn close_timeout(mut self, time: Duration) -> Self {
        self.config.close_timeout = time;
        self
    }

    /// When a silent peer is pinged and when it is given up [after 30 s, 20 s later]; `None` for never.
    #[must_use]
    pub fn keepalive(mut self, keepalive: Option<Keepalive>) -> Self {
        self.config.keepalive = keepalive;
        self
    }

    /// Compresses messages when the peer will (RFC 7692) (default: not).
    #[must_use]
    pub fn deflate(mut self, deflate: Deflate) -> Self {
        self.config.deflate = Some(deflate);
        self
    }

    /// A server: which requests it takes. What the policy leaves open stays as it was set before: by
    /// [`origins`](Builder::origins), [`subprotocols`](Builder::subprotocols), [`gate`](Builder::gate), or another
    /// policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        let Policy { subprotocols, origins, paths, gate, address, headers } = policy;
        if subprotocols != Subprotocols::default() {
            self.policy.subprotocols = subprotocols;
        }
        self.policy.origins = origins.or(self.policy.origins);
        self.policy.paths = paths.or(self.policy.paths);
        self.policy.gate = gate.or(self.policy.gate);
        self.policy.address = address.or(self.policy.address);
        if !headers.is_empty() {
            self.policy.headers = headers;
        }
        self
    }

    /// A server: asks `decide` about each request before it is answered (default: all may connect). It gives the fields
    /// to go with the 101, such as a cookie, or the refusal: 401 by token, say. What takes its time, such as a look into
    /// a database, is for [`receive`](Builder::receive).
    ///
    /// ```
    /// use netlayers::layers::application::http::{Headers, Rejection};
    /// use netlayers::real::websocket::Builder;
    ///
    /// let builder = Builder::new().gate(|request| match request.header("Authorization") {
    ///     Some("Bearer secret") => Ok(Headers::new()),
    ///     _ => Err(Rejection::unauthorized("Bearer").body("a token, please\n")),
    /// });
    /// ```
    #[must_use]
    pub fn gate(
        mut self,
        decide: impl Fn(&Incoming) -> Result<Headers, Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.policy.gate = Some(Gate::new(decide));
        self
    }

    /// A server: the web pages whose scripts may connect (default: all); others are answered with 403 (RFC 6455 §10.2).
    #[must_use]
    pub fn origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.policy.origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// The subprotocols spoken, the best liked first. By default a client offers none, and a server takes the first
    /// that it is offered.
    #[must_use]
    pub fn subprotocols(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.subprotocols = names.into_iter().map(Into::into).collect();
        self.policy.subprotocols = Subprotocols::These(self.subprotocols.clone());
        self
    }

    /// A client: the Origin it sends (default: none).
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// A client: one more header field of its request, such as a cookie.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// A client: whom to believe who a server of `wss:` is (default: whom the system believes, looked up at each
    /// connection).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = Some(trust);
        self
    }

    /// A [`Server`](super::Server): connections at the same time, those in the handshake counted (default: 10,000). One
    /// more is answered with 503.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    pub(super) fn connections(&self) -> usize {
        self.max_connections
    }

    /// Opens a TCP connection to where `url` says, TLS over it for `wss:`, and a WebSocket connection over that.
    ///
    /// # Errors
    /// When the address is not one, TCP cannot connect, the server is not who it has to be or does not agree, or it
    /// takes too long.
    pub async fn connect(&self, url: &str) -> Result<WebSocket<ClientStream>, WebSocketError> {
        let url: Url = url.parse()?;
        let stream = self.connect_stream(&url).await?;
        self.open(stream, &url.authority(), &url.resource).await
    }

    /// Opens a TCP connection only, and TLS over it for `wss:`, within the time of a handshake;
    /// [`open`](Builder::open) is to follow.
    ///
    /// # Errors
    /// When TCP cannot connect, the server is not who it has to be, or it takes too long.
    pub async fn connect_stream(&self, url: &Url) -> Result<ClientStream, WebSocketError> {
        let limit = self.config.handshake_timeout;
        let step = "connecting";
        let connecting = async {
            let stream = TcpStream::connect((url.host.as_str(), url.port))
                .await
                .map_err(|source| WebSocketError::Io { step, source })?;
            without_delay(&stream);
            if url.secure { self.secure(stream, &url.host).await } else { Ok(stream.into()) }
        };
        tokio::time::timeout(std_duration(limit), connecting)
            .await
            .map_err(|_| WebSocketError::TimedOut { step, limit })?
    }

    #[cfg(feature = "tls")]
    async fn secure(&self, stream: TcpStream, host: &str) -> Result<ClientStream, WebSocketError> {
        let trust = self.trust.clone().map_or_else(Trust::system, Ok)?;
        Ok(trust.open(stream, host).await?.into())
    }

    #[cfg(not(feature = "tls"))]
    async fn secure(&self, _: TcpStream, _: &str) -> Result<ClientStream, WebSocketError> {
        Err(super::TlsError::NotBuiltIn.into())
    }

    /// The client's handshake over a stream that is connected already. `host` is the name the request asks for.
    ///
    /// # Errors
    /// When the stream fails, the server does not agree, or it takes too long.
    pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        host: &str,
        resource: &str,
    ) -> Result<WebSocket<S>, WebSocketError> {
        let mut nonce = [0; 16];
        random(&mut nonce)?;
        let request = Request {
            origin: self.origin.clone(),
            subprotocols: self.subprotocols.clone(),
            headers: self.headers.clone(),
            ..Request::new(host, resource, nonce)
        };
        let clock = Clock::start();
        let machine = Connection::client(clock.now(), self.config.clone(), request, masks()?)
            .map_err(|error| WebSocketError::Request(error.into()))?;
        self.drive(stream, clock, machine).opened(Role::Client).await
    }

    /// What a server answers to this request, and what is agreed on then: for a program whose HTTP server reads the
    /// requests, hyper's or another. [`upgraded`](Builder::upgraded) is to follow.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn answer(&self, request: &RequestHead) -> Result<(ResponseHead, Opening), Refusal> {
        answer(request, &self.policy, self.config.deflate.as_ref())
    }

    /// Takes over a stream whose handshake others have made: `hyper::upgrade`'s, or a pipe's. `opening` is what was
    /// agreed on there, at a server by [`answer`](Builder::answer).
    ///
    /// # Errors
    /// When the system gives no random numbers, which a client needs.
    pub async fn upgraded<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        role: Role,
        opening: Opening,
    ) -> Result<WebSocket<S>, WebSocketError> {
        let clock = Clock::start();
        let masks = if role == Role::Client { Some(masks()?) } else { None };
        let machine = Connection::upgraded(clock.now(), role, self.config.clone(), opening, masks);
        self.drive(stream, clock, machine).opened(role).await
    }

    pub(super) fn drive<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        clock: Clock,
        mut machine: Connection,
    ) -> WebSocket<S> {
        if self.fragments {
            machine.give_fragments();
        }
        WebSocket::new(stream, clock, machine, &self.config, self.write_timeout, self.linger)
    }

    /// The server's handshake over a stream that was just accepted.
    ///
    /// # Errors
    /// When the stream fails, the request is refused, or it takes too long.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<WebSocket<S>, WebSocketError> {
        self.accept_from(stream, None).await
    }

    /// As [`accept`](Builder::accept), and the [`gate`](Builder::gate) sees the client's address.
    ///
    /// # Errors
    /// As for [`accept`](Builder::accept).
    pub async fn accept_from<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        address: Option<SocketAddr>,
    ) -> Result<WebSocket<S>, WebSocketError> {
        let clock = Clock::start();
        let machine = self.server_machine(&clock, address);
        self.drive(stream, clock, machine).opened(Role::Server).await
    }

    /// The first half of a server's handshake: waits for the request. The program looks at it, for as long as it likes,
    /// and then accepts or refuses.
    ///
    /// # Errors
    /// When the stream fails, the request cannot be read, or it takes too long.
    pub async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        address: Option<SocketAddr>,
    ) -> Result<Requested<S>, WebSocketError> {
        Requested::receive(self, stream, address).await
    }

    pub(super) fn server_machine(&self, clock: &Clock, address: Option<SocketAddr>) -> Connection {
        let policy = Policy { address: address.or(self.policy.address), ..self.policy.clone() };
        Connection::server(clock.now(), self.config.clone(), policy)
    }
}

/// Frames are gathered here already; TCP need not wait for more (RFC 9293 §3.7.4 on Nagle's algorithm).
pub(super) fn without_delay(stream: &TcpStream) {
    // A socket that cannot be set so still works.
    let _ = stream.set_nodelay(true);
}
