//! TLS from outside: the records, and the client hello, the last thing that is said in the open (RFC 8446 §4.1.2, §5.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+-------------------------------+---------------+
//! |     type      |        legacy version         |  length ...   |
//! +---------------+-------------------------------+---------------+
//! | ... of length |    payload ...
//! +---------------+-------------
//! ```
//!
//! The version of a record says nothing: since TLS 1.3 it is always that of 1.2 or before. What a client really offers is in
//! an extension of its hello, beside the name of the server that it wants (RFC 6066 §3). Left out: decryption, and all
//! other extensions but the protocols above (ALPN, RFC 7301).

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// The longest payload of a record: 2^14 bytes, and what encryption adds (RFC 5246 §6.2.3, RFC 8446 §5.2).
pub const MAX_RECORD: usize = (1 << 14) + 2048;

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordHeader {
    /// What it holds.
    pub content: Content,
    /// The version it claims: 0x0301 to 0x0304.
    pub version: u16,
    /// Bytes of payload.
    pub length: u16,
}

/// The type of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// 20: from here on encrypted, in versions before 1.3.
    ChangeCipherSpec,
    /// 21: something is wrong, or over.
    Alert,
    /// 22: hellos, certificates, keys.
    Handshake,
    /// 23: what is said, and in 1.3 everything after the hellos.
    ApplicationData,
}

const TYPES: &[(u64, &str)] =
    &[(20, "change cipher spec"), (21, "alert"), (22, "handshake"), (23, "application data")];
const VERSIONS: &[(u64, &str)] = &[
    (0x0300, "SSL 3.0"),
    (0x0301, "TLS 1.0"),
    (0x0302, "TLS 1.1"),
    (0x0303, "TLS 1.2"),
    (0x0304, "TLS 1.3"),
];

/// What a version is called.
pub fn version_name(version: u16) -> Option<&'static str> {
    VERSIONS.iter().find(|(number, _)| *number == u64::from(version)).map(|(_, name)| *name)
}

impl Content {
    const ALL: [Content; 4] =
        [Content::ChangeCipherSpec, Content::Alert, Content::Handshake, Content::ApplicationData];

    fn number(self) -> u8 {
        match self {
            Content::ChangeCipherSpec => 20,
            Content::Alert => 21,
            Content::Handshake => 22,
            Content::ApplicationData => 23,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        TYPES.iter().find(|(number, _)| *number == u64::from(self.number())).map_or("", |(_, name)| *name)
    }
}

impl Header for RecordHeader {
    const PROTOCOL: &'static str = "TLS";
    const LAYER: Layer = Layer::Application;
    const FIELDS: &'static [Field] = &[
        Field::new("type", 8, Show::Names(TYPES), "RFC 8446 §5.1"),
        Field::new("legacy version", 16, Show::HexNames(VERSIONS), "RFC 8446 §5.1"),
        Field::new("length", 16, Show::Dec, "RFC 8446 §5.1"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let kind = r.u8("type")?;
        let Some(content) = Content::ALL.into_iter().find(|content| content.number() == kind) else {
            return Err(r.malformed("type", at, "20 to 23", kind.to_string()));
        };
        let version = r.u16("legacy version")?;
        if version_name(version).is_none() {
            let got = format!("0x{version:04x}");
            return Err(r.malformed("legacy version", at + 1, "0x0300 to 0x0304", got));
        }
        let length = r.u16("length")?;
        if usize::from(length) > MAX_RECORD {
            return Err(r.malformed("length", at + 3, format!("at most {MAX_RECORD}"), length.to_string()));
        }
        Ok(RecordHeader { content, version, length })
    }

    fn emit(&self, w: &mut Writer) {
        w.u8(self.content.number());
        w.u16(self.version);
        w.u16(self.length);
    }
}

/// What is in a handshake record, in words: a client hello with its server name and versions, the others by name.
///
/// `payload` may end anywhere: the line says what is there. Names are as they came: escape them before showing.
pub fn handshake_line(payload: &[u8]) -> String {
    match payload.first() {
        Some(1) => {
            let hello = ClientHello::read(payload);
            let mut line = "client hello".to_owned();
            if let Some(name) = hello.server_name {
                line.push_str(&format!(" SNI={name}"));
            }
            let versions: Vec<_> =
                hello.versions.iter().filter_map(|version| version_name(*version)).collect();
            if !versions.is_empty() {
                line.push_str(&format!(" {}", versions.join(", ")));
            }
            if !hello.protocols.is_empty() {
                line.push_str(&format!(" ALPN={}", hello.protocols.join(",")));
            }
            line
        }
        Some(2) => match server_version(payload).and_then(version_name) {
            Some(version) => format!("server hello {version}"),
            None => "server hello".into(),
        },
        Some(4) => "new session ticket".into(),
        Some(11) => "certificate".into(),
        Some(12) => "server key exchange".into(),
        Some(13) => "certificate request".into(),
        Some(14) => "server hello done".into(),
        Some(16) => "client key exchange".into(),
        // Before 1.3 what follows the change of the cipher is encrypted, so its type is any byte.
        _ => "handshake".into(),
    }
}

/// What a client offers, as far as an observer is curious.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The server it wants to speak to.
    pub server_name: Option<String>,
    /// The versions it offers.
    pub versions: Vec<u16>,
    /// The protocols it would speak above.
    pub protocols: Vec<String>,
}

impl ClientHello {
    /// Reads a handshake message of type 1, as far as it is there.
    pub fn read(message: &[u8]) -> ClientHello {
        let mut hello = ClientHello::default();
        let _ = hello.fill(message);
        hello
    }

    fn fill(&mut self, message: &[u8]) -> Option<()> {
        let mut rest = Bites(message);
        rest.take(4)?;
        let legacy = rest.u16()?;
        // Unless an extension says otherwise, this is the version (RFC 8446 §4.2.1).
        self.versions = vec![legacy];
        rest.take(32)?;
        let len = rest.u8()?;
        rest.take(len.into())?;
        let len = rest.u16()?;
        rest.take(len.into())?;
        let len = rest.u8()?;
        rest.take(len.into())?;
        rest.u16()?;
        loop {
            let kind = rest.u16()?;
            let len = rest.u16()?;
            let mut data = Bites(rest.take(len.into())?);
            match kind {
                // A list of names, of which there is one, of the type "host name".
                0 => {
                    data.take(3)?;
                    let len = data.u16()?;
                    self.server_name = Some(String::from_utf8_lossy(data.take(len.into())?).into_owned());
                }
                16 => {
                    data.u16()?;
                    while let Some(len) = data.u8() {
                        self.protocols.push(String::from_utf8_lossy(data.take(len.into())?).into_owned());
                    }
                }
                43 => {
                    data.u8()?;
                    // Numbers that mean nothing keep servers used to such (GREASE, RFC 8701).
                    self.versions = std::iter::from_fn(|| data.u16()).collect();
                }
                _ => {}
            }
        }
    }
}

/// The version that a server chose.
fn server_version(message: &[u8]) -> Option<u16> {
    let mut rest = Bites(message);
    rest.take(4)?;
    let mut version = rest.u16()?;
    rest.take(32)?;
    let len = rest.u8()?;
    rest.take(usize::from(len) + 3)?;
    if rest.u16().is_some() {
        while let (Some(kind), Some(len)) = (rest.u16(), rest.u16()) {
            let Some(data) = rest.take(len.into()) else { break };
            if let (43, [high, low]) = (kind, data) {
                version = u16::from_be_bytes([*high, *low]);
            }
        }
    }
    Some(version)
}

/// Bytes taken from the front, as long as there are any.
struct Bites<'a>(&'a [u8]);

impl<'a> Bites<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A client hello for `server`, as a handshake message.
    pub(crate) fn client_hello(server: &str) -> Vec<u8> {
        let mut extensions = vec![0x0a, 0x0a, 0, 0];
        let name = server.as_bytes();
        let len = name.len() as u8;
        extensions.extend([0, 0, 0, len + 5, 0, len + 3, 0, 0, len]);
        extensions.extend(name);
        extensions.extend([0, 43, 0, 7, 6, 0x1a, 0x1a, 3, 4, 3, 3]);
        extensions.extend([0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0x13, 1, 1, 0]);
        hello.extend((extensions.len() as u16).to_be_bytes());
        hello.extend(extensions);
        let mut message = vec![1, 0];
        message.extend((hello.len() as u16).to_be_bytes());
        message.extend(hello);
        message
    }

    fn read(bytes: &[u8]) -> Result<RecordHeader, ParseError> {
        RecordHeader::parse(&mut Reader::new(Layer::Application, "TLS", bytes))
    }

    #[test]
    fn a_client_hello_tells_whom_it_wants_and_what_it_offers() {
        let message = client_hello("example.org");
        assert_eq!(handshake_line(&message), "client hello SNI=example.org TLS 1.3, TLS 1.2 ALPN=h2");
        assert_eq!(handshake_line(&message[..60]), "client hello TLS 1.2");
        let mut server = vec![2, 0, 0, 46, 3, 3];
        server.extend([7; 32]);
        server.extend([0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        assert_eq!(handshake_line(&server), "server hello TLS 1.3");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert_eq!(read(b"GET /").unwrap_err().field, "type");
        assert_eq!(read(&[22, 2, 0, 0, 1]).unwrap_err().field, "legacy version");
        assert_eq!(read(&[22, 3, 1, 255, 255]).unwrap_err().field, "length");
        assert!(read(&[22, 3]).unwrap_err().is_incomplete());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(content in 0usize..4, version in 0x0300u16..0x0305, length in 0u16..16_384) {
            let header = RecordHeader { content: Content::ALL[content], version, length };
            let mut w = Writer::new();
            header.emit(&mut w);
            prop_assert_eq!(w.len(), header.header_len());
            prop_assert_eq!(read(w.as_slice()).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_no_reason_to_panic(
            changes in proptest::collection::vec((0usize..120, any::<u8>()), 0..8), cut in 0usize..150,
            noise in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut message = client_hello("example.org");
            for (at, value) in changes {
                let at = at % message.len();
                message[at] = value;
            }
            message.truncate(cut);
            let _ = (handshake_line(&message), handshake_line(&noise), read(&noise));
        }
    }
}
