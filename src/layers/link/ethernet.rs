//! Ethernet II frames: receiver and sender on this link, and the protocol inside (RFC 894, RFC 1122 §2.3.3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------------------------------------------------------+
//! |                          destination                          |
//! +-------------------------------+-------------------------------+
//! |         destination           |            source             |
//! +-------------------------------+-------------------------------+
//! |                            source                             |
//! +-------------------------------+-------------------------------+
//! |           EtherType           |    payload, 46 to 1500 bytes ...
//! +-------------------------------+
//!    ... then the frame check sequence, 4 bytes
//! ```
//!
//! Left out: IEEE 802.3 frames with a length in place of the type (RFC 1042, which RFC 1122 §2.3.3 only recommends to
//! receive; they are recognised and refused by name: [`llc`](super::llc) reads them for observers), and flow
//! control. Tags of IEEE 802.1Q are in [`vlan`](super::vlan).

use std::fmt;

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::physical::crc32::{RESIDUE, crc32, fcs_bytes};

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 14;
/// The least payload of a frame in bytes: with less, a station at the far end of the old shared cable could be done
/// sending before it detected a collision (IEEE 802.3 §4.2.3.3).
pub const MIN_PAYLOAD: usize = 46;
/// The largest payload in bytes: the MTU that IP sees (RFC 894).
pub const MTU: usize = 1500;
/// Length of the frame check sequence in bytes.
pub const FCS_LEN: usize = 4;

/// The address of an interface on its link (EUI-48).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// All stations on the link.
    pub const BROADCAST: MacAddr = MacAddr([0xff; 6]);
    /// No address: what an ARP request holds where the answer belongs.
    pub const ZERO: MacAddr = MacAddr([0; 6]);

    /// The address `02:00:00:00:hh:ll` for the number 0xhhll: a locally administered one (the bit 0x02 of
    /// the first byte says "locally administered").
    pub const fn local(n: u16) -> Self {
        let [hi, lo] = n.to_be_bytes();
        MacAddr([2, 0, 0, 0, hi, lo])
    }

    /// True for the address of all stations.
    pub fn is_broadcast(self) -> bool {
        self == MacAddr::BROADCAST
    }

    /// True for the address of a group of stations, the broadcast address being one of these: the first bit on the
    /// wire, which is the lowest of the first byte, is set.
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        f.pad(&format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"))
    }
}

/// Which protocol a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// The Internet Protocol, version 4 (RFC 894).
    pub const IPV4: EtherType = EtherType(0x0800);
    /// The Address Resolution Protocol (RFC 826).
    pub const ARP: EtherType = EtherType(0x0806);
    /// The Internet Protocol, version 6 (RFC 2464 §3).
    pub const IPV6: EtherType = EtherType(0x86dd);
    /// A tag that names a VLAN (IEEE 802.1Q).
    pub const VLAN: EtherType = EtherType(0x8100);
    /// The outer tag of a provider (IEEE 802.1ad).
    pub const SERVICE_VLAN: EtherType = EtherType(0x88a8);
    /// What outer tags had before 802.1ad.
    pub const OLD_SERVICE_VLAN: EtherType = EtherType(0x9100);
    /// MPLS (RFC 3032 §5).
    pub const MPLS: EtherType = EtherType(0x8847);
    /// MPLS, to a group (RFC 5332).
    pub const MPLS_GROUP: EtherType = EtherType(0x8848);
    /// The discovery stage of PPPoE (RFC 2516 §4).
    pub const PPPOE_DISCOVERY: EtherType = EtherType(0x8863);
    /// The session stage of PPPoE.
    pub const PPPOE_SESSION: EtherType = EtherType(0x8864);
    /// A whole Ethernet frame, in GRE (RFC 7637 §3.2).
    pub const BRIDGED: EtherType = EtherType(0x6558);
    /// The least number that is a type. Up to 1500 it is a length, as IEEE 802.3 first had it (§3.2.6).
    pub const FIRST: EtherType = EtherType(0x0600);

    /// The types worth a name.
    pub(crate) const NAMES: &'static [(u64, &'static str)] = &[
        (0x0800, "IPv4"),
        (0x0806, "ARP"),
        (0x0842, "Wake-on-LAN"),
        (0x6558, "Ethernet"),
        (0x8035, "RARP"),
        (0x8100, "VLAN tag"),
        (0x86dd, "IPv6"),
        (0x8809, "slow protocols (LACP)"),
        (0x8847, "MPLS"),
        (0x8848, "MPLS to a group"),
        (0x8863, "PPPoE discovery"),
        (0x8864, "PPPoE session"),
        (0x888e, "EAPOL (802.1X)"),
        (0x8892, "PROFINET"),
        (0x88a8, "provider VLAN tag"),
        (0x88cc, "LLDP"),
        (0x88e5, "MACsec"),
        (0x88f7, "PTP"),
        (0x9000, "loop test"),
        (0x9100, "old provider VLAN tag"),
    ];
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|(number, _)| *number == u64::from(self.0)) {
            Some((_, name)) => f.pad(name),
            None => f.pad(&format!("0x{:04x}", self.0)),
        }
    }
}

/// The header of an Ethernet II frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EthernetHeader {
    /// The station (or all of them) that it is for. First, so that a station can tell early whether to listen on.
    pub destination: MacAddr,
    /// The station that sent it.
    pub source: MacAddr,
    /// The protocol of the payload; at least [`EtherType::FIRST`].
    pub ethertype: EtherType,
}

impl Header for EthernetHeader {
    const PROTOCOL: &'static str = "Ethernet";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("destination", 48, Show::Mac, "IEEE 802.3 §3.2.4"),
        Field::new("source", 48, Show::Mac, "IEEE 802.3 §3.2.5"),
        Field::new("EtherType", 16, Show::HexNames(EtherType::NAMES), "RFC 894"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        if r.remaining() < HEADER_LEN {
            // Which field is cut, for the error.
            r.array::<6>("destination")?;
            r.array::<6>("source")?;
            return Err(r.incomplete("EtherType", 2));
        }
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = r.array::<HEADER_LEN>("header")?;
        let (destination, source) = (MacAddr([d0, d1, d2, d3, d4, d5]), MacAddr([s0, s1, s2, s3, s4, s5]));
        let ethertype = EtherType(u16::from_be_bytes([t0, t1]));
        if ethertype < EtherType::FIRST {
            let got = format!("0x{:04x}, a length as in IEEE 802.3 with LLC (RFC 1042)", ethertype.0);
            return Err(r.malformed("EtherType", at + 12, "a type, 0x0600 or more", got));
        }
        Ok(EthernetHeader { destination, source, ethertype })
    }

    fn emit(&self, w: &mut Writer) {
        let mut bytes = [0; HEADER_LEN];
        bytes[..6].copy_from_slice(&self.destination.0);
        bytes[6..12].copy_from_slice(&self.source.0);
        bytes[12..].copy_from_slice(&self.ethertype.0.to_be_bytes());
        w.bytes(&bytes);
    }

    fn header_len(&self) -> usize {
        HEADER_LEN
    }
}

/// Fills the frame that begins at `frame_start` with zeros up to the least length (RFC 894).
///
/// The receiver cannot see where the padding begins: the payload must say its own length, as IP does.
pub fn pad_to_minimum(w: &mut Writer, frame_start: usize) {
    let len = w.len().saturating_sub(frame_start);
    w.zeros((HEADER_LEN + MIN_PAYLOAD).saturating_sub(len));
}

/// Writes the frame check sequence after the frame that begins at `frame_start`.
pub fn append_fcs(w: &mut Writer, frame_start: usize) {
    let fcs = fcs_bytes(crc32(w.as_slice().get(frame_start..).unwrap_or_default()));
    w.bytes(&fcs);
}

/// Checks a frame that ends with its frame check sequence, and gives it back without.
///
/// # Errors
/// Incomplete when there is no room for a check sequence, malformed when it is wrong. A real interface then drops the
/// frame silently.
pub fn check_fcs(frame: &[u8]) -> Result<&[u8], ParseError> {
    let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, frame);
    let data = r.take(frame.len().saturating_sub(FCS_LEN), "frame")?;
    let got: [u8; FCS_LEN] = r.array("frame check sequence")?;
    if crc32(frame) == RESIDUE {
        return Ok(data);
    }
    let hex = |b: [u8; 4]| format!("{:02x} {:02x} {:02x} {:02x}", b[0], b[1], b[2], b[3]);
    Err(r.malformed("frame check sequence", data.len(), hex(fcs_bytes(crc32(data))), hex(got)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<EthernetHeader, ParseError> {
        EthernetHeader::parse(&mut Reader::new(Layer::Link, "Ethernet", bytes))
    }

    #[test]
    fn a_header_is_written_as_it_stands_on_the_wire() {
        let mut w = Writer::new();
        let header = EthernetHeader {
            destination: MacAddr::BROADCAST,
            source: MacAddr::local(0x0102),
            ethertype: EtherType::ARP,
        };
        header.emit(&mut w);
        assert_eq!(w.as_slice(), [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 1, 2, 8, 6]);
        assert_eq!(header.source.to_string(), "02:00:00:00:01:02");
        assert_eq!(EthernetHeader::FIELDS[2].text(w.as_slice(), 96), "0x0806 (ARP)");
    }

    #[test]
    fn a_length_in_place_of_a_type_is_refused_by_its_name() {
        let error = read(&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 38]).unwrap_err();
        assert_eq!(error.offset, 12);
        assert!(error.to_string().contains("RFC 1042"), "{error}");
    }

    #[test]
    fn a_short_frame_is_padded_and_a_long_one_is_not() {
        let mut w = Writer::new();
        w.zeros(10);
        let start = w.len();
        w.zeros(20);
        pad_to_minimum(&mut w, start);
        assert_eq!(w.len(), 10 + 60);
        w.zeros(1);
        pad_to_minimum(&mut w, start);
        assert_eq!(w.len(), 10 + 61);
    }

    #[test]
    fn the_check_sequence_finds_a_changed_bit_and_says_what_it_should_be() {
        let mut w = Writer::new();
        w.bytes(b"123456789");
        append_fcs(&mut w, 0);
        let mut frame = w.finish().to_vec();
        assert_eq!(&frame[9..], [0x26, 0x39, 0xf4, 0xcb]);
        assert_eq!(check_fcs(&frame).unwrap(), b"123456789");
        frame[12] ^= 1;
        let error = check_fcs(&frame).unwrap_err();
        assert_eq!(
            (error.offset, &*error.expected.to_string(), &*error.got.to_string()),
            (9, "26 39 f4 cb", "26 39 f4 ca")
        );
        assert!(check_fcs(&[1, 2]).unwrap_err().is_incomplete());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_written_is_read_back(destination: [u8; 6], source: [u8; 6], ethertype in 0x0600u16..) {
            let header = EthernetHeader {
                destination: MacAddr(destination),
                source: MacAddr(source),
                ethertype: EtherType(ethertype),
            };
            let mut w = Writer::new();
            header.emit(&mut w);
            prop_assert_eq!(w.len(), header.header_len());
            prop_assert_eq!(read(w.as_slice()).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(read(&bytes).is_err_and(|e| e.is_incomplete()), bytes.len() < HEADER_LEN);
            let _ = check_fcs(&bytes);
        }
    }
}
