//! Files of a folder over HTTP/1.1: what a browser needs to show the book, on loopback.
//!
//! Read RFC 9110 §9.3.1 (GET) and RFC 9112 §9.6 first. The heads are read by the same [`HeadParser`] that the
//! WebSocket handshake uses. Left out, because a book on one's own machine needs none of it: keeping connections open,
//! ranges, caching, compression, TLS. Every answer ends its connection.
//!
//! A path can only lead to a regular file inside the folder: it may not have `..`, and links that lead out are not
//! followed. A request that names another host than this machine is refused, so that a page from elsewhere cannot read
//! the book through a name that it points here (DNS rebinding).

use std::io;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::layers::application::http::{HeadParser, Headers, Limits, Progress, RequestHead, ResponseHead};

/// Connections at a time; the next one waits until one of them is done.
const MOST_CONNECTIONS: usize = 64;
/// How long a client has for its request, and for taking the answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest file: bigger ones are refused, for the whole of a file is held while it is sent.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A server of the files of one folder.
#[derive(Debug)]
pub struct StaticFiles {
    listener: TcpListener,
    folder: PathBuf,
}

impl StaticFiles {
    /// Listens on a port of 127.0.0.1; port 0 takes any free one.
    ///
    /// # Errors
    /// When the port is taken, or there is no such folder.
    pub async fn bind(folder: &Path, port: u16) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        Ok(StaticFiles { listener, folder })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests for ever.
    ///
    /// # Errors
    /// When the listening socket breaks. What goes wrong on one connection ends that connection only.
    pub async fn serve(self) -> io::Result<()> {
        let (seats, folder) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), Arc::new(self.folder));
        loop {
            let seat = Arc::clone(&seats).acquire_owned().await.map_err(io::Error::other)?;
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                // The client was gone before it was accepted, or there are no descriptors left for the moment.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let folder = Arc::clone(&folder);
            tokio::spawn(async move {
                let _seat = seat;
                let _ = tokio::time::timeout(PATIENCE, one(stream, &folder)).await;
            });
        }
    }
}

/// One request and its answer.
async fn one(mut stream: TcpStream, folder: &Path) -> io::Result<()> {
    let mut parser = HeadParser::<RequestHead>::new(Limits::default());
    let mut buffer = [0; 4096];
    let (answer, is_head) = loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        match parser.feed(&buffer[..read]) {
            Ok(Progress::NeedMore) => {}
            Ok(Progress::Done { head, .. }) => break (answer(&head, folder), head.method == "HEAD"),
            Err(error) => break (Answer::plain(error.status), false),
        }
    };
    let headers = Headers::new()
        .with("Content-Type", answer.kind)
        .with("Content-Length", answer.body.len().to_string())
        .with("Cache-Control", "no-store")
        .with("X-Content-Type-Options", "nosniff")
        .with("Connection", "close");
    let head = ResponseHead::new(answer.status, headers)
        .emit()
        .map_err(|error| io::Error::other(error.to_string()))?;
    stream.write_all(&head).await?;
    if !is_head {
        stream.write_all(&answer.body).await?;
    }
    stream.shutdown().await
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
    if !matches!(head.method.as_str(), "GET" | "HEAD") {
        return Answer::plain(405);
    }
    if !head.host().is_ok_and(is_here) {
        return Answer::plain(403);
    }
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

/// Whether a Host field (RFC 9110 §7.2) names this machine.
fn is_here(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
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

    #[test]
    fn another_host_and_another_method_are_refused() {
        assert_eq!(get("/", "evil.example").status, 403);
        let post = RequestHead::new("POST", "/", Headers::new().with("Host", "localhost"));
        assert_eq!(answer(&post, &folder()).status, 405);
    }

    #[tokio::test]
    async fn a_browser_gets_its_page() {
        let files = StaticFiles::bind(&folder(), 0).await.expect("a free port");
        let address = files.address().expect("an address");
        let server = tokio::spawn(files.serve());
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
        let mut got = String::new();
        stream.read_to_string(&mut got).await.expect("an answer");
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\n<p>hello</p>"), "{got}");
        server.abort();
    }
}
