//! `examples/event_server` as a process, and clients that are no more than bytes: what no library would send, these can.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// `examples/event_server` on a port of its own, ended with the test.
pub(crate) struct EventServer {
    pub(crate) child: Child,
    pub(crate) port: u16,
}

impl EventServer {
    pub(crate) fn start(profile: &str) -> Self {
        Self::launch(Command::new(example()).args(["--port", "0", "--profile", profile]))
    }

    /// Started by this command, which may be a shell's that sets limits before.
    pub(crate) fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the example starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let port = line.trim().strip_prefix("listening on 127.0.0.1:").and_then(|port| port.parse().ok());
        EventServer { port: port.unwrap_or_else(|| panic!("{line:?}")), child }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it accepts");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a time limit");
        stream
    }

    /// Sends bytes, and reads until the server closes the connection.
    pub(crate) fn until_closed(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // It may answer and close before all is written.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn request(&self, method: &str, target: &str, fields: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let answer = self.until_closed(
            format!(
                "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
                 Content-Length: {length}\r\n{fields}\r\n{body}"
            )
            .as_bytes(),
        );
        let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    /// A session by polling that has entered the main namespace; its id.
    pub(crate) fn session(&self) -> String {
        let (status, open) = self.request("GET", "/socket.io/?EIO=4&transport=polling", "", "");
        assert_eq!(status, 200, "{open}");
        let sid = open.split('"').nth(3).expect("a sid").to_owned();
        self.post(&sid, "40");
        let mut said = String::new();
        while !said.contains("auth") {
            said.push_str(&self.poll(&sid).1);
        }
        sid
    }

    pub(crate) fn poll(&self, sid: &str) -> (u16, String) {
        self.request("GET", &format!("/socket.io/?EIO=4&transport=polling&sid={sid}"), "", "")
    }

    pub(crate) fn post(&self, sid: &str, body: &str) -> (u16, String) {
        self.request("POST", &format!("/socket.io/?EIO=4&transport=polling&sid={sid}"), "", body)
    }

    /// A client that was there before, and one that comes now, are both served.
    pub(crate) fn assert_lives(&self, witness: &str) {
        for sid in [witness.to_owned(), self.session()] {
            assert_eq!(self.post(&sid, r#"42["message","still here"]"#).0, 200);
            let (status, said) = self.poll(&sid);
            assert!(
                status == 200 && said.starts_with(r#"42["message-back","still here""#),
                "{status} {said}"
            );
        }
    }
}

impl EventServer {
    /// Memory of the process in KiB, where the system tells.
    pub(crate) fn memory_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// CPU time of the process so far, in hundredths of a second; 0 where the system does not tell (proc(5), `stat`).
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }
}

impl Drop for EventServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example, built by whoever comes first: cargo builds examples with all tests, and not with a single one.
pub(crate) fn example() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut folder = std::env::current_exe().expect("this test has a path");
        folder.pop();
        folder.pop();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", "event_server"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().is_ok_and(|status| status.success()), "the example builds");
        folder.join("examples/event_server")
    })
}

/// A message of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Text(String),
    Bytes(Vec<u8>),
}

/// A WebSocket of the plainest kind: whole frames, one mask, no care for closing.
pub(crate) struct Ws {
    pub(crate) stream: TcpStream,
}

impl Ws {
    /// Opens one; the status of the answer when it was refused.
    pub(crate) fn open(server: &EventServer, target: &str) -> Result<Self, u16> {
        let mut stream = server.connect();
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the request goes out");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return Err(0);
            }
            head.push(byte[0]);
        }
        let status = std::str::from_utf8(&head[9..12]).ok().and_then(|s| s.parse().ok()).unwrap_or(0);
        if status == 101 { Ok(Ws { stream }) } else { Err(status) }
    }

    /// In the main namespace of Socket.IO, with the server's greetings read.
    pub(crate) fn entered(server: &EventServer) -> Self {
        let mut socket = Ws::open(server, "/socket.io/?EIO=4&transport=websocket").expect("it opens");
        assert!(socket.text().starts_with("0{"));
        socket.send("40");
        assert!(socket.text().starts_with("40{"));
        assert!(socket.text().starts_with("42[\"auth\""));
        socket
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.frame(0x81, text.as_bytes());
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.frame(0x82, bytes);
    }

    /// One frame with this first byte. What the server no longer takes is lost.
    pub(crate) fn frame(&mut self, first: u8, payload: &[u8]) {
        let _ = self.stream.write_all(&Self::frame_of(first, payload));
    }

    /// A frame with a text.
    pub(crate) fn text_frame(text: &[u8]) -> Vec<u8> {
        Self::frame_of(0x81, text)
    }

    fn frame_of(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            middle @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// The next message; `None` when the server has closed the connection, or says nothing for five seconds.
    pub(crate) fn next(&mut self) -> Option<Said> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        let length = match head[1] {
            126 => u16::from_be_bytes(self.exactly::<2>()?).into(),
            127 => u64::from_be_bytes(self.exactly::<8>()?),
            short => short.into(),
        };
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.stream.read_exact(&mut payload).ok()?;
        match head[0] {
            0x81 => String::from_utf8(payload).ok().map(Said::Text),
            0x82 => Some(Said::Bytes(payload)),
            _ => None,
        }
    }

    /// The next text that is no ping; pings are answered.
    pub(crate) fn text(&mut self) -> String {
        loop {
            match self.next() {
                Some(Said::Text(ping)) if ping == "2" => self.send("3"),
                Some(Said::Text(text)) => return text,
                Some(Said::Bytes(bytes)) => return format!("bytes {bytes:?}"),
                None => return "closed".into(),
            }
        }
    }

    fn exactly<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}
