//! What the bytes of a captured packet begin with.

use serde::Serialize;

/// What the bytes of a packet begin with (the registry of link types at tcpdump.org).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkType {
    /// 1: an Ethernet header.
    Ethernet,
    /// 101, 228 and 229 (on some systems 12 and 14): an IP header of either version.
    RawIp,
    /// 0 and 108: four bytes with the number of the address family, then an IP header.
    Loopback,
    /// 113: the 16 bytes that Linux gives when it captures on all interfaces.
    LinuxCooked,
    /// 276: the 20 bytes of its second version.
    LinuxCooked2,
    /// 9 and 50: a PPP header, with or without the two bytes of HDLC before it.
    Ppp,
    /// 51: a PPPoE header.
    Pppoe,
    /// Any other.
    Other(u16),
}

/// Types that are named, though nothing of them is read.
const NAMES: &[(u16, &str)] = &[
    (3, "AX.25"),
    (6, "token ring"),
    (8, "SLIP"),
    (10, "FDDI"),
    (104, "Cisco HDLC"),
    (105, "IEEE 802.11"),
    (107, "frame relay"),
    (117, "OpenBSD pflog"),
    (119, "IEEE 802.11 with Prism header"),
    (127, "IEEE 802.11 with radiotap header"),
    (143, "DOCSIS"),
    (187, "Bluetooth HCI"),
    (189, "USB of Linux"),
    (192, "per-packet information"),
    (195, "IEEE 802.15.4"),
    (201, "Bluetooth HCI"),
    (220, "USB of Linux"),
    (227, "CAN bus"),
    (239, "netfilter log"),
    (249, "USB of Windows"),
    (252, "Wireshark's exported layers"),
    (253, "netlink"),
    (265, "BACnet"),
];

impl LinkType {
    /// The type of this number.
    pub fn from_number(number: u16) -> Self {
        match number {
            1 => LinkType::Ethernet,
            12 | 14 | 101 | 228 | 229 => LinkType::RawIp,
            0 | 108 => LinkType::Loopback,
            9 | 50 => LinkType::Ppp,
            51 => LinkType::Pppoe,
            113 => LinkType::LinuxCooked,
            276 => LinkType::LinuxCooked2,
            other => LinkType::Other(other),
        }
    }

    /// What it is called.
    pub fn name(self) -> String {
        match self {
            LinkType::Ethernet => "Ethernet".into(),
            LinkType::RawIp => "IP".into(),
            LinkType::Loopback => "loopback".into(),
            LinkType::LinuxCooked => "Linux cooked".into(),
            LinkType::LinuxCooked2 => "Linux cooked v2".into(),
            LinkType::Ppp => "PPP".into(),
            LinkType::Pppoe => "PPPoE".into(),
            LinkType::Other(number) => match NAMES.iter().find(|(known, _)| *known == number) {
                Some((_, name)) => format!("link type {number} ({name})"),
                None => format!("link type {number}"),
            },
        }
    }
}
