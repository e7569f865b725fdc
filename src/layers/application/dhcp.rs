//! DHCP messages, as far as an observer needs them (RFC 2131 §2, RFC 2132).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+---------------+---------------+
//! |   operation   | hardware type |  addr. length |     hops      |
//! +---------------+---------------+---------------+---------------+
//! |                        transaction id                         |
//! +-------------------------------+-------------------------------+
//! |            seconds            |             flags             |
//! +-------------------------------+-------------------------------+
//! |  ciaddr: the client's address, if it has one                  |
//! |  yiaddr: your address, as the server gives it                 |
//! |  siaddr: the server of the next step;  giaddr: the relay      |
//! +---------------------------------------------------------------+
//! |  chaddr, 16 bytes;  sname, 64 bytes;  file, 128 bytes         |
//! +---------------------------------------------------------------+
//! |  99 130 83 99, then options ...
//! +-----------------------------
//! ```
//!
//! It asks for an address before there is one: so it is sent from 0.0.0.0 to everyone. Left out: all options but the
//! kind of message and the address asked for.

use std::net::Ipv4Addr;

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::link::ethernet::MacAddr;

/// The port of servers.
pub const SERVER_PORT: u16 = 67;
/// The port of clients.
pub const CLIENT_PORT: u16 = 68;
/// What stands before the options.
const COOKIE: u32 = 0x6382_5363;

/// The fixed part, with the cookie: 240 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DhcpHeader {
    /// 1 from a client, 2 from a server.
    pub operation: u8,
    /// Ties answers to a question.
    pub transaction: u32,
    /// The client's address, when it has one already.
    pub client: Ipv4Addr,
    /// The address that the server gives it.
    pub yours: Ipv4Addr,
    /// The client's Ethernet address.
    pub hardware: MacAddr,
}

const CITE: &str = "RFC 2131 §2";

impl Header for DhcpHeader {
    const PROTOCOL: &'static str = "DHCP";
    const LAYER: Layer = Layer::Application;
    const FIELDS: &'static [Field] = &[
        Field::new("operation", 8, Show::Names(&[(1, "request"), (2, "reply")]), CITE),
        Field::new("hardware type", 8, Show::Dec, CITE),
        Field::new("address length", 8, Show::Dec, CITE),
        Field::new("hops", 8, Show::Dec, CITE),
        Field::new("transaction id", 32, Show::Hex, CITE),
        Field::new("seconds", 16, Show::Dec, CITE),
        Field::new("flags", 16, Show::Hex, CITE),
        Field::new("ciaddr", 32, Show::Ipv4, CITE),
        Field::new("yiaddr", 32, Show::Ipv4, CITE),
        Field::new("siaddr", 32, Show::Ipv4, CITE),
        Field::new("giaddr", 32, Show::Ipv4, CITE),
        Field::new("chaddr", 48, Show::Mac, CITE),
        Field::new("rest of chaddr", 80, Show::Bytes, CITE),
        Field::new("sname", 512, Show::Bytes, CITE),
        Field::new("file", 1024, Show::Bytes, CITE),
        Field::new("cookie", 32, Show::Hex, "RFC 2131 §3"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let operation = r.u8("operation")?;
        r.take(3, "hardware type")?;
        let transaction = r.u32("transaction id")?;
        r.take(4, "seconds")?;
        let client = Ipv4Addr::from(r.array::<4>("ciaddr")?);
        let yours = Ipv4Addr::from(r.array::<4>("yiaddr")?);
        r.take(8, "siaddr")?;
        let hardware = MacAddr(r.array("chaddr")?);
        r.take(10 + 64 + 128, "file")?;
        let cookie = r.u32("cookie")?;
        if cookie != COOKIE {
            return Err(r.malformed(
                "cookie",
                at + 236,
                format!("0x{COOKIE:08x}"),
                format!("0x{cookie:08x}"),
            ));
        }
        Ok(DhcpHeader { operation, transaction, client, yours, hardware })
    }

    fn emit(&self, w: &mut Writer) {
        w.bytes(&[self.operation, 1, 6, 0]);
        w.u32(self.transaction);
        w.u32(0);
        w.bytes(&self.client.octets());
        w.bytes(&self.yours.octets());
        w.zeros(8);
        w.bytes(&self.hardware.0);
        w.zeros(10 + 64 + 128);
        w.u32(COOKIE);
    }
}

/// A message in a line: `offer 192.0.2.7 for 02:00:00:00:00:01`. `None` when it is no message.
pub fn line(message: &[u8]) -> Option<String> {
    let mut r = Reader::new(Layer::Application, DhcpHeader::PROTOCOL, message);
    let header = DhcpHeader::parse(&mut r).ok()?;
    let options = r.rest();
    let kind = match option(options, 53) {
        Some([kind]) => match kind {
            1 => "discover",
            2 => "offer",
            3 => "request",
            4 => "decline",
            5 => "ack",
            6 => "nak",
            7 => "release",
            8 => "inform",
            _ => "message of an unknown type",
        },
        // Without the option it is BOOTP, which came before (RFC 951).
        _ if header.operation == 2 => "BOOTP reply",
        _ => "BOOTP request",
    };
    let asked = option(options, 50).and_then(|value| <[u8; 4]>::try_from(value).ok()).map(Ipv4Addr::from);
    let given = [header.yours, header.client].into_iter().find(|address| !address.is_unspecified());
    let address = given.or(asked).map_or(String::new(), |address| format!(" {address}"));
    Some(format!("{kind}{address} for {}", header.hardware))
}

/// The value of the first option of this number (RFC 2132 §2).
fn option(mut options: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        match *options {
            [] | [255, ..] => return None,
            [0, ref rest @ ..] => options = rest,
            [code, ref rest @ ..] => {
                let (len, rest) = rest.split_first()?;
                let (value, behind) = rest.split_at_checked(usize::from(*len))?;
                if code == wanted {
                    return Some(value);
                }
                options = behind;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(operation: u8, yours: [u8; 4]) -> DhcpHeader {
        let client = Ipv4Addr::UNSPECIFIED;
        DhcpHeader { operation, transaction: 7, client, yours: yours.into(), hardware: MacAddr::local(1) }
    }

    fn message(header: &DhcpHeader, options: &[u8]) -> Vec<u8> {
        let mut w = Writer::new();
        header.emit(&mut w);
        w.bytes(options);
        w.finish().to_vec()
    }

    #[test]
    fn the_four_steps_are_told_in_a_line_each() {
        let told = |header: &DhcpHeader, options: &[u8]| line(&message(header, options)).unwrap();
        let (ask, answer) = (header(1, [0; 4]), header(2, [192, 0, 2, 7]));
        assert_eq!(told(&ask, &[53, 1, 1, 255]), "discover for 02:00:00:00:00:01");
        assert_eq!(told(&answer, &[0, 0, 53, 1, 2, 255]), "offer 192.0.2.7 for 02:00:00:00:00:01");
        let asked = [50, 4, 192, 0, 2, 7, 53, 1, 3, 255];
        assert_eq!(told(&ask, &asked), "request 192.0.2.7 for 02:00:00:00:00:01");
        assert_eq!(told(&answer, &[53, 1, 5]), "ack 192.0.2.7 for 02:00:00:00:00:01");
        assert_eq!(told(&ask, &[]), "BOOTP request for 02:00:00:00:00:01");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(operation: u8, transaction: u32, addresses: (u32, u32), hardware: [u8; 6]) {
            let (client, yours) = (Ipv4Addr::from_bits(addresses.0), Ipv4Addr::from_bits(addresses.1));
            let header = DhcpHeader { operation, transaction, client, yours, hardware: MacAddr(hardware) };
            let bytes = message(&header, &[]);
            prop_assert_eq!(bytes.len(), header.header_len());
            prop_assert_eq!(DhcpHeader::parse(&mut Reader::new(Layer::Application, "DHCP", &bytes)).unwrap(), header);
        }

        #[test]
        fn any_options_are_no_reason_to_panic(options in proptest::collection::vec(any::<u8>(), 0..60), cut in 0usize..300) {
            let mut bytes = message(&header(1, [0; 4]), &options);
            prop_assert!(line(&bytes).is_some());
            bytes.truncate(cut);
            prop_assert_eq!(line(&bytes).is_some(), bytes.len() >= 240);
        }
    }
}
