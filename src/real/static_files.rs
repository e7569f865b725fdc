//! Files of a folder over HTTP/1.1: what a browser needs to show the book, on loopback.
//!
//! Read RFC 9110 §9.3.1 (GET) first. The server is the one of the events (`event_loop`): it reads requests, bounds what
//! a client can cost, and writes answers; here is only what a request is answered with. Left out, because a book on
//! one's own machine needs none of it: ranges, caching, compression, TLS.
//!
//! A path can only lead to a regular file inside the folder: it may not have `..`, and links that lead out are not
//! followed. A request that names another host than this machine is refused, so that a page from elsewhere cannot read
//! the book through a name that it points here (DNS rebinding).

use std::future::Future;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{event_loop, random};
use crate::base::{Duration, Instant};
use crate::layers::application::engineio::{Config, Event, Server, Service};
use crate::layers::application::http::{Headers, RequestHead};

/// Connections at a time; another one is closed.
const MOST_CONNECTIONS: usize = 64;
/// How long a client has for its request, and for taking the answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest file: bigger ones are refused, for the whole of a file is held while it is sent.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The files of one folder.
#[derive(Debug)]
pub struct StaticFiles {
    folder: PathBuf,
}

impl StaticFiles {
    /// The files of this folder, and of those in it.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn of(folder: &Path) -> io::Result<Self> {
        Ok(StaticFiles { folder: folder.canonicalize()? })
    }

    /// Answers requests until `stop` is ready.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let config = Config {
            endpoints: Vec::new(),
            other_requests: true,
            loopback_only: true,
            max_connections: MOST_CONNECTIONS,
            head_timeout: PATIENCE,
            close_timeout: PATIENCE,
            ..Config::default()
        };
        let server = Server::new(config, random::session_ids());
        event_loop::serve(listener, server, self, Arc::new(Notify::new()), stop).await;
    }
}

impl Service for StaticFiles {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        // Without an endpoint there are no sessions.
        let Event::Request { conn, head } = event else { return };
        let answer = answer(&head, &self.folder);
        let headers = Headers::new().with("X-Content-Type-Options", "nosniff");
        server.respond(now, conn, answer.status, answer.kind, &headers, &answer.body.into());
    }
}

/// What a request is answered with.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    kind: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn plain(status: u16) -> Self {
        Answer { status, kind: "text/plain; charset=utf-8", body: format!("{status}\n").into_bytes() }
    }
}

fn answer(head: &RequestHead, folder: &Path) -> Answer {
    let Some(path) = file_of(&head.target, folder) else { return Answer::plain(404) };
    match std::fs::metadata(&path) {
        Ok(found) if found.len() > LARGEST => Answer::plain(413),
        Ok(_) => match std::fs::read(&path) {
            Ok(body) => Answer { status: 200, kind: kind_of(&path), body },
            Err(_) => Answer::plain(404),
        },
        Err(_) => Answer::plain(404),
    }
}

/// The file that a request target (RFC 9112 §3.2.1) names; `None` when there is none inside the folder.
fn file_of(target: &str, folder: &Path) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = decoded(path)?;
    let relative = Path::new(&path);
    if path.contains(['\\', '\0']) || !relative.components().all(|part| matches!(part, Component::Normal(_)))
    {
        return None;
    }
    let mut file = folder.join(relative);
    if file.is_dir() {
        file.push("index.html");
    }
    // Links are followed before the place is looked at, so that none leads out.
    let file = file.canonicalize().ok()?;
    (file.starts_with(folder) && file.is_file()).then_some(file)
}

/// A path with its percent signs resolved (RFC 3986 §2.1).
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The media type of a file (RFC 9110 §8.3), by the end of its name.
fn kind_of(path: &Path) -> &'static str {
    match path.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written once: the tests beside each other read it.
    fn folder() -> PathBuf {
        static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
        let made = FOLDER.get_or_init(|| {
            let folder = std::env::temp_dir().join(format!("netlayers-static-{}", std::process::id()));
            std::fs::create_dir_all(folder.join("in")).expect("a folder");
            std::fs::write(folder.join("index.html"), "<p>hello</p>").expect("a file");
            std::fs::write(folder.join("in/a b.css"), "p{}").expect("a file");
            folder.canonicalize().expect("it is there")
        });
        made.clone()
    }

    fn get(target: &str, host: &str) -> Answer {
        answer(&RequestHead::new("GET", target, Headers::new().with("Host", host)), &folder())
    }

    #[test]
    fn files_of_the_folder_are_given() {
        let index = get("/", "127.0.0.1:8000");
        assert_eq!(
            (index.status, index.kind, index.body.as_slice()),
            (200, "text/html; charset=utf-8", &b"<p>hello</p>"[..])
        );
        assert_eq!(get("/in/a%20b.css?v=1", "localhost:8000").kind, "text/css; charset=utf-8");
        assert_eq!(get("/none.html", "localhost").status, 404);
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let ways = [
            "/../Cargo.toml",
            "/in/../../x",
            "/%2e%2e/x",
            "/..%2fx",
            "//etc/passwd",
            "/in/..\\..\\x",
            "/%00",
            "/%zz",
            "etc/passwd",
            "/in",
        ];
        for target in ways {
            assert_eq!(get(target, "localhost").status, 404, "{target}");
        }
        #[cfg(unix)]
        {
            let link = folder().join("out");
            let _ = std::os::unix::fs::symlink("/etc/passwd", &link);
            assert_eq!(get("/out", "localhost").status, 404);
        }
    }

    /// Asks a server of the folder, over a connection that ends with the answer.
    async fn asked(request: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let listener = event_loop::listen(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (done, stop) = tokio::sync::oneshot::channel::<()>();
        let files = StaticFiles::of(&folder()).expect("it is there");
        let client = async {
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut got = String::new();
            stream.read_to_string(&mut got).await.expect("an answer");
            let _ = done.send(());
            got
        };
        let stop = async {
            let _ = stop.await;
        };
        tokio::join!(files.serve(listener, stop), client).1
    }

    #[tokio::test]
    async fn a_browser_gets_its_page_and_another_method_or_host_is_refused() {
        let got = asked("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\n<p>hello</p>"), "{got}");
        let got = asked("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        let evil = asked("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").await;
        assert!(evil.starts_with("HTTP/1.1 403 ") && !evil.contains("hello"), "{evil}");
        assert!(got.starts_with("HTTP/1.1 405 ") && got.contains("\r\nAllow: GET, HEAD\r\n"), "{got}");
    }
}
