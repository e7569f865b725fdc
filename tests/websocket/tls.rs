//! `wss:` from end to end, by a server with a certificate of an authority that exists for one test.

use std::future::Future;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use netlayers::layers::application::websocket::CloseCode;
use netlayers::real::websocket::{Builder, Sealing, TlsError, Trust, WebSocketError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{ProtocolVersion, ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::server::TlsStream;

/// An authority, and its certificate as PEM.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("it signs itself")
}

/// A server, on a thread of its own, that shows a certificate for `names` and does `serve` with each connection. Its
/// port, and the certificate of the authority.
fn server<F: Future>(
    names: &[&str],
    versions: &[&'static SupportedProtocolVersion],
    serve: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static,
) -> (u16, String) {
    let authority = authority("an authority for a test");
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().copied().map(String::from).collect();
    let params = CertificateParams::new(names).expect("names");
    let certificate = params.signed_by(&key, &authority).expect("it is signed");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it is a socket");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            loop {
                let (stream, _) = listener.accept().await.expect("a client");
                // One after the other; who is not let in has ended by itself.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream).await;
                }
            }
        });
    });
    (port, authority.pem())
}

/// Sends every message back.
async fn echo(stream: TlsStream<TcpStream>) -> Result<(), WebSocketError> {
    let mut socket = Builder::new().accept(stream).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

fn trusting(pem: &str) -> Builder {
    Builder::new().trust(Trust::authorities(pem.as_bytes()).expect("an authority"))
}

/// What was wrong with TLS.
async fn fault(builder: &Builder, url: &str) -> TlsError {
    match builder.connect(url).await {
        Err(WebSocketError::Tls(error)) => *error,
        other => panic!("expected a fault of TLS, got {other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_who_it_has_to_be_is_spoken_with_by_name_and_by_number() {
    let (port, pem) = server(&["localhost", "127.0.0.1"], &[&version::TLS13], echo);
    for host in ["localhost", "127.0.0.1"] {
        let mut client = trusting(&pem).connect(&format!("wss://{host}:{port}/")).await.unwrap();
        client.send("hello").await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
        // More than TLS holds for a stream that takes nothing.
        let much: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        client.send(much.clone()).await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some(much.into()));
        assert_eq!(client.get_ref().sealing(), Some(Sealing { version: "TLS 1.3", record: 22 }));
        assert_eq!(client.close(CloseCode::NORMAL).await.unwrap().code, CloseCode::NORMAL);
    }
}

#[tokio::test]
async fn the_version_before_is_spoken_too() {
    let (port, pem) = server(&["localhost"], &[&version::TLS12], |stream| async {
        assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_2));
        echo(stream).await
    });
    let mut client = trusting(&pem).connect(&format!("wss://localhost:{port}/")).await.unwrap();
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
    assert_eq!(client.get_ref().sealing().map(|sealing| sealing.version), Some("TLS 1.2"));
}

#[tokio::test]
async fn who_is_not_who_it_has_to_be_is_not_spoken_with() {
    let (port, pem) = server(&["other.example"], &version_list(), echo);
    let url = format!("wss://localhost:{port}/");
    let error = fault(&trusting(&pem), &url).await;
    let TlsError::WrongName { host, names } = &error else { panic!("{error:?}") };
    assert_eq!(host, "localhost");
    assert!(names.contains("other.example"), "{names}");

    let stranger = authority("somebody else").pem();
    let error = fault(&trusting(&stranger), &url).await;
    assert_eq!(error, TlsError::UnknownAuthority { host: "localhost".into() });
    assert!(error.to_string().contains("--ca FILE"), "{error}");
}

fn version_list() -> [&'static SupportedProtocolVersion; 2] {
    [&version::TLS13, &version::TLS12]
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_not_trusted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        Builder::new().accept(stream).await.map(drop)
    });
    let error = fault(&trusting(&authority("any").pem()), &format!("wss://localhost:{port}/")).await;
    assert_eq!(error, TlsError::NotTls { host: "localhost".into() });
    assert!(serving.await.unwrap().is_err(), "it saw no request");
}

#[test]
fn what_is_no_certificate_is_nobody_to_trust() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\n", broken] {
        let error = Trust::authorities(pem.as_bytes()).unwrap_err();
        let WebSocketError::Tls(error) = error else { panic!("{error}") };
        assert!(matches!(*error, TlsError::UnreadableAuthority { .. }), "{pem}: {error}");
    }
}

/// A server of ours, with TLS before it. Its port, and a file with the authority's certificate.
fn before(address: String, name: &str) -> (u16, PathBuf) {
    let (port, pem) = server(&["localhost"], &version_list(), move |mut stream| {
        let address = address.clone();
        async move {
            let mut plain = TcpStream::connect(address).await.expect("the server is there");
            let _ = copy_bidirectional(&mut stream, &mut plain).await;
        }
    });
    let file = std::env::temp_dir().join(format!("netlayers-{name}-{}.pem", std::process::id()));
    std::fs::write(&file, pem).expect("a file");
    (port, file)
}

/// A command that is given a line, and what it says.
fn told(command: &mut Command, line: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("it runs");
    writeln!(process.stdin.take().expect("piped"), "{line}").expect("it reads");
    process.wait_with_output().expect("it ends")
}

#[test]
fn connect_shows_the_frames_inside_tls_and_says_what_to_try_when_it_does_not_trust() {
    let (mut plain, address) = super::commands::echo(&[]);
    let (port, file) = before(address, "connect");
    let url = format!("wss://localhost:{port}/");
    let connect = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netlayers"));
        command.args(["ws", "connect", &url, "--xray"]);
        command
    };
    for output in [
        told(connect().arg("--ca").arg(&file), "hello"),
        told(connect().env("SSL_CERT_FILE", &file), "hello"),
    ] {
        let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("connected to {url}")), "{said}");
        assert!(out.contains("sent: GET / HTTP/1.1") && out.contains("sent: text, mask "), "{out}");
        assert!(out.contains("received: text, no mask, 2 + 5 bytes: 68 65 6c 6c 6f"), "{out}");
    }
    let stranger = std::env::temp_dir().join(format!("netlayers-stranger-{}.pem", std::process::id()));
    std::fs::write(&stranger, authority("somebody else").pem()).expect("a file");
    let output = told(connect().arg("--ca").arg(&stranger), "hello");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("authority that is not known here") && said.contains("--ca FILE"), "{said}");
    for file in [file, stranger] {
        let _ = std::fs::remove_file(file);
    }
    let _ = plain.kill().and_then(|()| plain.wait());
}

#[test]
fn a_chat_is_joined_by_tls_and_its_records_are_counted() {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    serve.args(["chat", "serve", "--memory", "--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut plain = serve.spawn().expect("the server starts");
    let address = super::commands::address_of(&mut plain);
    let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let (port, file) = before(address, "chat");
    let mut join = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    join.args(["chat", "join", &format!("https://localhost:{port}"), "--name", "ada", "--xray=full", "--ca"]);
    let output = told(join.arg(&file), "hello");
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(out.contains("ada: hello"), "{out}\n{said}");
    let record = out.lines().find(|line| line.contains("TLS 1.3, encrypted: 22 a record"));
    assert!(record.is_some_and(|line| line.contains("      22 ")), "{out}");
    let _ = std::fs::remove_file(file);
    let _ = plain.kill().and_then(|()| plain.wait());
}
