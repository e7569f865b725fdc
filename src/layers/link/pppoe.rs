//! PPP over Ethernet: a telephone line's protocol on a cable, as DSL has it (RFC 2516 §4, RFC 1661 §2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------+-------+---------------+-------------------------------+
//! |version| type  |     code      |          session id           |
//! +-------+-------+---------------+-------------------------------+
//! |            length             |   PPP: protocol, 1 or 2 bytes |
//! +-------------------------------+-------------------------------+
//! ```
//!
//! In the session stage (EtherType 0x8864, code 0) a PPP packet follows, whose protocol number says what it carries. In
//! the discovery stage (0x8863) tags follow; they are left out, but the code is named.

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// The header of PPPoE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PppoeHeader {
    /// 0 for a session's packets; otherwise a step of the discovery.
    pub code: u8,
    /// Which session; 0 as long as there is none.
    pub session: u16,
    /// Bytes of payload.
    pub length: u16,
}

const CODES: &[(u64, &str)] = &[
    (0x00, "session"),
    (0x07, "offer"),
    (0x09, "initiation"),
    (0x19, "request"),
    (0x65, "confirmation"),
    (0xa7, "termination"),
];

impl PppoeHeader {
    /// What its code means.
    pub fn words(&self) -> &'static str {
        CODES.iter().find(|(code, _)| *code == u64::from(self.code)).map_or("unknown code", |(_, name)| *name)
    }
}

impl Header for PppoeHeader {
    const PROTOCOL: &'static str = "PPPoE";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("version", 4, Show::Dec, "RFC 2516 §4"),
        Field::new("type", 4, Show::Dec, "RFC 2516 §4"),
        Field::new("code", 8, Show::HexNames(CODES), "RFC 2516 §5"),
        Field::new("session id", 16, Show::Hex, "RFC 2516 §4"),
        Field::new("length", 16, Show::Dec, "RFC 2516 §4"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let version_type = r.u8("version")?;
        if version_type != 0x11 {
            return Err(r.malformed("version", at, "version 1 and type 1", format!("0x{version_type:02x}")));
        }
        Ok(PppoeHeader { code: r.u8("code")?, session: r.u16("session id")?, length: r.u16("length")? })
    }

    fn emit(&self, w: &mut Writer) {
        w.u8(0x11);
        w.u8(self.code);
        w.u16(self.session);
        w.u16(self.length);
    }
}

/// The protocol number of PPP, of one byte when it is odd and small and the ends agreed to save one (RFC 1661 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PppHeader {
    /// What it carries.
    pub protocol: u16,
    /// Whether it was written in one byte.
    pub compressed: bool,
}

const PROTOCOLS: &[(u64, &str)] = &[
    (0x0021, "IPv4"),
    (0x0057, "IPv6"),
    (0x8021, "IP control"),
    (0x8057, "IPv6 control"),
    (0xc021, "link control"),
    (0xc023, "password authentication"),
    (0xc223, "challenge handshake"),
];

impl PppHeader {
    /// IPv4.
    pub const IPV4: u16 = 0x0021;
    /// IPv6.
    pub const IPV6: u16 = 0x0057;

    /// What the protocol is called.
    pub fn name(&self) -> Option<&'static str> {
        PROTOCOLS.iter().find(|(number, _)| *number == u64::from(self.protocol)).map(|(_, name)| *name)
    }
}

impl Header for PppHeader {
    const PROTOCOL: &'static str = "PPP";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[Field::new("protocol", 0, Show::HexNames(PROTOCOLS), "RFC 1661 §2")];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        // The first byte of a whole number is even, of a number in one byte odd.
        let first = r.u8("protocol")?;
        if first & 1 == 1 {
            return Ok(PppHeader { protocol: u16::from(first), compressed: true });
        }
        let second = r.u8("protocol")?;
        Ok(PppHeader { protocol: u16::from_be_bytes([first, second]), compressed: false })
    }

    fn emit(&self, w: &mut Writer) {
        match u8::try_from(self.protocol) {
            Ok(protocol) if self.compressed => w.u8(protocol),
            _ => w.u16(self.protocol),
        }
    }

    fn layout(&self) -> Vec<Field> {
        vec![Self::FIELDS[0].with_bits(if self.compressed && self.protocol < 0x100 { 8 } else { 16 })]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<H: Header>(bytes: &[u8]) -> Result<H, ParseError> {
        H::parse(&mut Reader::new(Layer::Link, H::PROTOCOL, bytes))
    }

    fn written(header: &impl Header) -> Vec<u8> {
        let mut w = Writer::new();
        header.emit(&mut w);
        assert_eq!(w.len(), header.header_len());
        w.finish().to_vec()
    }

    #[test]
    fn a_session_packet_leads_to_ppp() {
        let bytes = [0x11, 0, 0, 7, 0, 22, 0x00, 0x21];
        let pppoe: PppoeHeader = read(&bytes).unwrap();
        assert_eq!((pppoe.words(), pppoe.session, pppoe.length), ("session", 7, 22));
        assert_eq!(read::<PppHeader>(&bytes[6..]).unwrap().protocol, PppHeader::IPV4);
        assert_eq!(read::<PppHeader>(&[0x21]).unwrap().name(), Some("IPv4"));
        assert_eq!(read::<PppoeHeader>(&[0x21, 0, 0, 7, 0, 22]).unwrap_err().field, "version");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(code: u8, session: u16, length: u16, protocol in 0u16..0x8000) {
            let pppoe = PppoeHeader { code, session, length };
            prop_assert_eq!(read::<PppoeHeader>(&written(&pppoe)).unwrap(), pppoe);
            // RFC 1661 §2: the lowest bit of the first byte is 0, that of the last is 1.
            let ppp = PppHeader { protocol: protocol << 1 & 0xfe00 | protocol & 0xfe | 1, compressed: false };
            prop_assert_eq!(read::<PppHeader>(&written(&ppp)).unwrap(), ppp);
            let short = PppHeader { protocol: ppp.protocol & 0xff, compressed: true };
            prop_assert_eq!(read::<PppHeader>(&written(&short)).unwrap(), short);
        }
    }
}
