//! Addresses in blocks: prefixes, and the address of an interface with the prefix of its link (RFC 4632, RFC 4291
//! §2.3).
//!
//! Both families alike: an address is some bits, 32 of IPv4 or 128 of IPv6, and a block holds all addresses that begin
//! with the same ones.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::base::{Errors, Layer, ParseError};

/// The IPv4 address `a.b.c.d`, for those above this layer, where addresses have no family.
pub const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// True for the address of all hosts of a link, whichever prefix it has (RFC 919 §7). IPv6 has none.
pub const fn is_limited_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

/// A block of addresses that begin with the same bits, written `10.1.0.0/16` (RFC 4632 §3.1).
///
/// The bits after the prefix are always zero, so that equal blocks are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    len: u8,
}

impl Prefix {
    /// All addresses of IPv4: the prefix of its default route.
    pub const ALL: Prefix = Prefix { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), len: 0 };

    /// The block of `len` bits (more than the family has count as all) in which `address` lies.
    pub const fn new(address: IpAddr, len: u8) -> Self {
        let len = if len > width(address) { width(address) } else { len };
        Prefix { address: with_bits(address, bits(address) & mask(len)), len }
    }

    /// The block with this one address.
    pub const fn host(address: IpAddr) -> Self {
        Prefix { address, len: width(address) }
    }

    /// The first address, whose bits after the prefix are all zero.
    pub const fn network(self) -> IpAddr {
        self.address
    }

    /// How many bits all addresses have in common.
    pub const fn bits(self) -> u8 {
        self.len
    }

    /// The common bits as a mask, such as 255.255.255.0.
    pub const fn netmask(self) -> IpAddr {
        with_bits(self.address, mask(self.len))
    }

    /// True when `address` is in the block, and so of its family.
    pub const fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            // In 32 bits: a host asks this for each packet.
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                self.len == 0 || differ >> (32 - self.len) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                self.len == 0 || differ >> (128 - self.len) == 0
            }
            _ => false,
        }
    }

    /// The address that means all hosts of the block: the last one. Blocks of one or two addresses have none
    /// (RFC 3021 §2.1), nor has IPv6.
    pub const fn broadcast(self) -> Option<IpAddr> {
        if self.len >= 31 || !self.address.is_ipv4() {
            return None;
        }
        Some(with_bits(self.address, bits(self.address) | !mask(self.len)))
    }
}

/// The address of an interface with the length of its link's prefix, written `10.0.0.1/24`: its own address, and the
/// range of its neighbours'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    len: u8,
}

impl Cidr {
    /// An address on a link whose prefix has `len` bits (more than the family has count as all).
    pub const fn new(address: IpAddr, len: u8) -> Self {
        Cidr { address, len: Prefix::new(address, len).bits() }
    }

    /// The address, without the prefix length.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// The addresses on the same link.
    pub const fn prefix(self) -> Prefix {
        Prefix::new(self.address, self.len)
    }
}

/// An address alone: no neighbour shares its prefix.
impl From<IpAddr> for Cidr {
    fn from(address: IpAddr) -> Self {
        Cidr { address, len: width(address) }
    }
}

/// How many bits an address of this family has.
const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The bits of an address, the first one on top.
const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => (address.to_bits() as u128) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address with these bits, of the family of `like`.
const fn with_bits(like: IpAddr, bits: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits((bits >> 96) as u32)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

/// The first `len` bits set.
const fn mask(len: u8) -> u128 {
    match u128::MAX.checked_shl(128 - len as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.address, self.len))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.address, self.len))
    }
}

/// Read as written, `10.1.0.0/16`. Bits after the prefix must be zero: `10.1.0.7/16` is refused as a likely slip.
impl FromStr for Prefix {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, len) = read(text)?;
        let prefix = Prefix::new(address, len);
        if prefix.address != address {
            let expected = format!("{}, with no bits set after the prefix", prefix.address);
            return Err(wrong("address", 0, expected, &address.to_string()));
        }
        Ok(prefix)
    }
}

/// Read as written, `10.0.0.1/24`.
impl FromStr for Cidr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, len) = read(text)?;
        Ok(Cidr { address, len })
    }
}

/// An address and the length of a prefix, as both are written.
fn read(text: &str) -> Result<(IpAddr, u8), ParseError> {
    let (address, len) = text
        .split_once('/')
        .ok_or_else(|| wrong("prefix", 0, "an address and a length, such as 10.1.0.0/16".into(), text))?;
    let expected = if address.contains(':') {
        "up to eight groups of four hexadecimal digits"
    } else {
        "four numbers from 0 to 255"
    };
    let ip: IpAddr = address.parse().map_err(|_| wrong("address", 0, expected.into(), address))?;
    // `parse` alone would take "+8".
    let bits: Option<u8> =
        Some(len).filter(|len| len.bytes().all(|b| b.is_ascii_digit())).and_then(|len| len.parse().ok());
    let bits = bits.filter(|bits| *bits <= width(ip)).ok_or_else(|| {
        wrong("prefix length", address.len() + 1, format!("a number from 0 to {}", width(ip)), len)
    })?;
    Ok((ip, bits))
}

fn wrong(field: &'static str, offset: usize, expected: String, got: &str) -> ParseError {
    Errors::of(Layer::Internet, "IP").misuse(field, offset, expected, format!("'{got}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn a_prefix_knows_its_edges() {
        let block = prefix("192.168.4.0/22");
        assert_eq!(block.netmask(), v4(255, 255, 252, 0));
        assert_eq!(block.broadcast(), Some(v4(192, 168, 7, 255)));
        assert!(block.contains(v4(192, 168, 7, 1)) && !block.contains(v4(192, 168, 8, 0)));
        assert_eq!(Prefix::ALL.netmask(), v4(0, 0, 0, 0));
        assert_eq!(prefix("10.0.0.0/31").broadcast(), None);
    }

    #[test]
    fn a_block_of_one_family_holds_no_address_of_the_other() {
        let block = prefix("2001:db8::/32");
        assert!(block.contains("2001:db8:ffff::1".parse().unwrap()));
        assert!(!block.contains("2001:db9::1".parse().unwrap()));
        assert_eq!(block.broadcast(), None);
        assert!(!prefix("::/0").contains(v4(10, 0, 0, 1)) && !Prefix::ALL.contains("::1".parse().unwrap()));
    }

    #[test]
    fn the_address_of_an_interface_tells_who_its_neighbours_are() {
        let own: Cidr = "10.0.1.7/24".parse().unwrap();
        assert_eq!((own.address(), own.prefix()), (v4(10, 0, 1, 7), prefix("10.0.1.0/24")));
        assert_eq!(Cidr::from(v4(10, 0, 1, 7)).prefix(), Prefix::host(v4(10, 0, 1, 7)));
        assert_eq!(own.to_string(), "10.0.1.7/24");
    }

    #[test]
    fn slips_in_writing_are_told() {
        let field = |text: &str| text.parse::<Prefix>().map_err(|e| (e.field, e.offset));
        assert_eq!(field("10.0.0.0"), Err(("prefix", 0)));
        assert_eq!(field("10.0.0/8"), Err(("address", 0)));
        assert_eq!(field("10.0.0.0/33"), Err(("prefix length", 9)));
        assert_eq!(field("10.0.0.0/+8"), Err(("prefix length", 9)));
        assert_eq!(field("10.0.0.0/"), Err(("prefix length", 9)));
        assert_eq!(field("::/129"), Err(("prefix length", 3)));
        let slip = "10.1.0.7/16".parse::<Prefix>().unwrap_err();
        assert!(slip.to_string().contains("expected 10.1.0.0"), "{slip}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_written_prefix_is_read_back(address: IpAddr, len in 0u8..=128) {
            let block = Prefix::new(address, len);
            prop_assert!(block.contains(address));
            prop_assert_eq!(block.to_string().parse::<Prefix>().unwrap(), block);
            let own = Cidr::new(address, len);
            prop_assert_eq!(own.prefix(), block);
            prop_assert_eq!(own.to_string().parse::<Cidr>().unwrap(), own);
        }
    }
}
