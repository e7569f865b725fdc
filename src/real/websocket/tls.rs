//! TLS for clients (`wss:`, RFC 6455 §3): the protocol itself is the crate `rustls`'s. Here is decided who is trusted, and
//! said in words what went wrong.
//!
//! Left out: certificates of the client, revocation.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, ClientConnection, ProtocolVersion, RootCertStore,
};

use super::client_stream::Sealing;
use super::error::{TlsError, WebSocketError};

/// Which authorities a client believes when they say who a server is.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Those that this system believes; `SSL_CERT_FILE` and `SSL_CERT_DIR` say where else to look for them.
    ///
    /// # Errors
    /// When there are none.
    pub fn system() -> Result<Self, WebSocketError> {
        let mut roots = RootCertStore::empty();
        // One that cannot be read vouches for nobody; the others still do.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() { Err(TlsError::NoAuthorities.into()) } else { Trust::of(roots) }
    }

    /// The authorities in this text and no others: certificates as PEM (RFC 7468), such as that of a school's own
    /// authority, or of a server that has signed its own.
    ///
    /// # Errors
    /// When it holds none, or one that cannot be read.
    pub fn authorities(pem: &[u8]) -> Result<Self, WebSocketError> {
        let unreadable = |why: String| TlsError::UnreadableAuthority { why };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unreadable("no -----BEGIN CERTIFICATE----- in it".into()).into());
        }
        Trust::of(roots)
    }

    fn of(roots: RootCertStore) -> Result<Self, WebSocketError> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::UnreadableAuthority { why: error.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // A server that could speak HTTP/2 here learns that it is not to.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Trust(Arc::new(config)))
    }

    /// The client's handshake: `host` is who the server has to be.
    pub(super) async fn open(
        self,
        stream: TcpStream,
        host: &str,
    ) -> Result<TlsStream<TcpStream>, WebSocketError> {
        let other = |why: String| TlsError::Other { host: host.to_owned(), why };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| other(error.to_string()))?;
        TlsConnector::from(self.0).connect(name, stream).await.map_err(|error| fault(host, &error).into())
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

/// Why the handshake failed.
fn fault(host: &str, error: &io::Error) -> TlsError {
    let host = host.to_owned();
    let known = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match known {
        Some(rustls::Error::InvalidCertificate(wrong)) => match wrong {
            CertificateError::UnknownIssuer => TlsError::UnknownAuthority { host },
            CertificateError::NotValidForName => TlsError::WrongName { host, names: "another name".into() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                TlsError::WrongName { host, names: presented.join(", ") }
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                TlsError::OutOfDate { host, why: wrong.to_string() }
            }
            _ => TlsError::Other { host, why: wrong.to_string() },
        },
        Some(rustls::Error::InvalidMessage(_)) => TlsError::NotTls { host },
        Some(other) => TlsError::Other { host, why: other.to_string() },
        None => TlsError::Other { host, why: error.to_string() },
    }
}

/// What a record has besides what it carries: its header, the tag that seals it, and since TLS 1.3 the type of what is
/// inside (RFC 8446 §5.2), before that a nonce with AES.
pub(super) fn sealing(connection: &ClientConnection) -> Option<Sealing> {
    const HEADER: usize = 5;
    const TAG: usize = 16;
    match connection.protocol_version()? {
        ProtocolVersion::TLSv1_3 => Some(Sealing { version: "TLS 1.3", record: HEADER + 1 + TAG }),
        ProtocolVersion::TLSv1_2 => {
            let suite = format!("{:?}", connection.negotiated_cipher_suite()?.suite());
            let nonce = if suite.contains("AES") { 8 } else { 0 };
            Some(Sealing { version: "TLS 1.2", record: HEADER + nonce + TAG })
        }
        _ => None,
    }
}
