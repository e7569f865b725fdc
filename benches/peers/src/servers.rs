//! The servers that are compared: each echoes every message.

use bytes::Bytes;
use futures_util::{FutureExt as _, Sink, SinkExt as _, Stream, StreamExt as _};
use netlayers::layers::application::websocket::Deflate;
use netlayers::real::websocket::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Their names.
pub const SERVERS: [&str; 10] = [
    "netlayers",
    "tokio-tungstenite",
    "tokio-tungstenite, batched by hand",
    "tokio-websockets",
    "tokio-websockets, batched by hand",
    "fastwebsockets",
    "sockudo-ws, batched by hand",
    "web-socket, batched by hand",
    "Bun",
    "ws on Node",
];

/// Those that can compress, and at which level. Bun has a library of its own, Node zlib.
pub const DEFLATE_SERVERS: [&str; 7] = [
    "netlayers, deflate 1",
    "netlayers, deflate 6",
    "yawc, deflate 1, batched by hand",
    "yawc, deflate 6",
    "yawc, deflate 6, batched by hand",
    "Bun, deflate",
    "ws on Node, deflate 6",
];

/// Serves for ever, after printing the port.
pub fn run(name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("address").port());
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            stream.set_nodelay(true).expect("no delay");
            match name {
                "netlayers" => drop(tokio::spawn(netlayers(stream, Builder::new()))),
                "netlayers, deflate 1" => drop(tokio::spawn(netlayers(stream, deflating(1)))),
                "netlayers, deflate 6" => drop(tokio::spawn(netlayers(stream, deflating(6)))),
                "yawc, deflate 1, batched by hand" => drop(tokio::spawn(yawc(stream, 1, true))),
                "yawc, deflate 6" => drop(tokio::spawn(yawc(stream, 6, false))),
                "yawc, deflate 6, batched by hand" => drop(tokio::spawn(yawc(stream, 6, true))),
                "tokio-tungstenite" => drop(tokio::spawn(tungstenite(stream, false))),
                "tokio-tungstenite, batched by hand" => drop(tokio::spawn(tungstenite(stream, true))),
                "tokio-websockets" => drop(tokio::spawn(tokio_websockets(stream, false))),
                "tokio-websockets, batched by hand" => drop(tokio::spawn(tokio_websockets(stream, true))),
                "sockudo-ws, batched by hand" => drop(tokio::spawn(sockudo(stream))),
                "web-socket, batched by hand" => drop(tokio::spawn(web_socket(stream))),
                "fastwebsockets" => drop(tokio::spawn(fastwebsockets(stream))),
                other => panic!("{other}?"),
            }
        }
    });
}

/// Keeps the windows if the client lets it.
fn deflating(level: u8) -> Builder {
    let takeover =
        Deflate { level, server_context_takeover: true, client_context_takeover: true, ..Deflate::default() };
    Builder::new().deflate(takeover)
}

async fn netlayers(stream: TcpStream, builder: Builder) {
    let Ok(mut socket) = builder.accept(stream).await else { return };
    while let Ok(Some(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn tungstenite(stream: TcpStream, batched: bool) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    echo(socket, tokio_tungstenite::tungstenite::Message::is_binary, batched).await;
}

async fn tokio_websockets(stream: TcpStream, batched: bool) {
    let Ok((_, socket)) = tokio_websockets::ServerBuilder::new().accept(stream).await else { return };
    echo(socket, tokio_websockets::Message::is_binary, batched).await;
}

/// As people write it, a message at a time; or batched, which flushes when there is nothing more to read at once.
async fn echo<M, E>(
    mut socket: impl Stream<Item = Result<M, E>> + Sink<M> + Unpin,
    is_binary: impl Fn(&M) -> bool,
    batched: bool,
) {
    while let Some(Ok(message)) = socket.next().await {
        if !batched {
            if is_binary(&message) && socket.send(message).await.is_err() {
                return;
            }
            continue;
        }
        let mut next = Some(message);
        while let Some(message) = next.take() {
            if is_binary(&message) && socket.feed(message).await.is_err() {
                return;
            }
            next = match socket.next().now_or_never() {
                Some(Some(Ok(message))) => Some(message),
                Some(_) => return,
                None => None,
            };
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

async fn fastwebsockets(stream: TcpStream) {
    use fastwebsockets::{FragmentCollector, OpCode, upgrade};
    let service = hyper::service::service_fn(move |mut request| async move {
        let (response, upgrade) = upgrade::upgrade(&mut request)?;
        tokio::spawn(async move {
            let Ok(socket) = upgrade.await else { return };
            let mut socket = FragmentCollector::new(socket);
            while let Ok(frame) = socket.read_frame().await {
                if frame.opcode == OpCode::Close {
                    return;
                }
                if frame.opcode == OpCode::Binary && socket.write_frame(frame).await.is_err() {
                    return;
                }
            }
        });
        Ok::<_, fastwebsockets::WebSocketError>(response.map(|_| http_body_util::Empty::<Bytes>::new()))
    });
    let io = hyper_util::rt::TokioIo::new(stream);
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).with_upgrades().await;
}

async fn sockudo(mut stream: TcpStream) {
    let Some(head) = read_head(&mut stream).await else { return };
    let Ok(Some((request, _))) = sockudo_ws::handshake::parse_request(&head) else { return };
    let accept = sockudo_ws::handshake::generate_accept_key(request.key);
    let answer = sockudo_ws::handshake::build_response(&accept, None, None);
    if stream.write_all(&answer).await.is_ok() {
        let socket = sockudo_ws::WebSocketStream::server(stream, sockudo_ws::Config::default());
        echo(socket, sockudo_ws::Message::is_binary, true).await;
    }
}

/// It reads and writes field by field: so it gets buffers, and what is written goes out when nothing more is to be read
/// at once.
async fn web_socket(mut stream: TcpStream) {
    let Some(head) = read_head(&mut stream).await else { return };
    let Ok(Some((request, _))) = sockudo_ws::handshake::parse_request(&head) else { return };
    let accept = sockudo_ws::handshake::generate_accept_key(request.key);
    let answer = sockudo_ws::handshake::build_response(&accept, None, None);
    if stream.write_all(&answer).await.is_err() {
        return;
    }
    let reader = tokio::io::BufReader::with_capacity(64 << 10, stream);
    let stream = tokio::io::BufWriter::with_capacity(64 << 10, reader);
    let mut socket = web_socket::WebSocket::server(stream);
    loop {
        if socket.stream.get_ref().buffer().is_empty() && socket.stream.flush().await.is_err() {
            return;
        }
        match socket.recv().await {
            Ok(web_socket::Event::Data { data, .. }) => {
                if socket.send(&data[..]).await.is_err() {
                    return;
                }
            }
            Ok(web_socket::Event::Ping(_) | web_socket::Event::Pong(_)) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// The head of the request, whole.
async fn read_head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

async fn yawc(stream: TcpStream, level: u32, batched: bool) {
    use yawc::{CompressionLevel, OpCode, Options, WebSocket};
    let service = hyper::service::service_fn(move |mut request| async move {
        let options = Options::default().with_compression_level(CompressionLevel::new(level));
        let (response, upgrade) = WebSocket::upgrade_with_options(&mut request, options)?;
        tokio::spawn(async move {
            let Ok(mut socket) = upgrade.await else { return };
            while let Some(frame) = socket.next().await {
                let mut next = Some(frame);
                while let Some(frame) = next.take() {
                    if matches!(frame.opcode(), OpCode::Text | OpCode::Binary)
                        && socket.feed(frame).await.is_err()
                    {
                        return;
                    }
                    if batched {
                        next = match socket.next().now_or_never() {
                            Some(None) => return,
                            more => more.flatten(),
                        };
                    }
                }
                if socket.flush().await.is_err() {
                    return;
                }
            }
        });
        Ok::<_, yawc::WebSocketError>(response)
    });
    let io = hyper_util::rt::TokioIo::new(stream);
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).with_upgrades().await;
}
